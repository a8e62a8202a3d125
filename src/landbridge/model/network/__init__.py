"""The supernetwork: from tables of supply to typed arcs.

Problem
    A freight route is a chain of runs, borders, changes of gauge, transfers and waits, each with its own hours, price,
    capacity, country and owner. The supernetwork gives each of them an arc of its own, so that every hour and dollar
    of a route or a flow can be added up by type, country and place.
Nodes
    A place is split by state: ``rail:1435``, ``rail:1520``, ..., ``road``, ``sea``, ``ferry``. Gauge is thus a state of
    the cargo's train, taken from each line's own field and never from the country. Road, sea and ferry have one node
    for what arrives and one (``road>``) for what departs, so that a transfer onto a truck leads to a drive and not
    straight onto a train of the other gauge. A zone has a source, which only leaves, and a sink, which only receives,
    so that no route runs through a zone.
Arcs
    move      along a section, one arc a country, direction and gauge; also sea and ferry legs
    border    from one country into the next at a crossing; both gauges of a crossing share its capacity by direction
    gauge     a change of gauge at a yard: container transfer, bogie exchange or reload, competing
    transfer  between modes at a terminal or port
    wait      for a sailing: half the headway, and the mean wait for the season where there is one; for what stays on
              its truck or ship at a place, no time at all
    access    between a zone and the stations, roads and quays of its place
Congestion
    Each arc may have a facility; the time of an arc is ``time_h + delay_h (volume / capacity)^power`` with the volume
    in trains a day of length factor 1, preload included. Arcs of one facility share its volume.

`records` holds the arrays, `build` makes them from tables, `match` finds the arcs of one network in another.
"""

from landbridge.model.network.build import build
from landbridge.model.network.draft import NetworkTables
from landbridge.model.network.match import matching_arcs
from landbridge.model.network.records import ARC_FIELDS, MODES, OPTIONS, ArcKind, Network, keep
from landbridge.model.network.ways import country_order

__all__ = [
    "ARC_FIELDS",
    "MODES",
    "OPTIONS",
    "ArcKind",
    "Network",
    "NetworkTables",
    "build",
    "country_order",
    "keep",
    "matching_arcs",
]
