"""From tables of supply to typed arcs: the door at which they come in.

Inside, all is arrays. Columns come as plain sequences (see `NetworkTables`), so that the model knows nothing of data
frames. Links become runs and borders, ports get their waits (`ways`), yards and terminals join the states of a place,
and zones are tied to their places at the end (`places`); `draft` collects it all.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from landbridge.errors import DataError, Fault
from landbridge.model.network.draft import Draft, NetworkTables, Rows
from landbridge.model.network.places import stay, tie_zones, yards
from landbridge.model.network.records import ARC_FIELDS, Network
from landbridge.model.network.ways import land_link, water_link

__all__ = ["build"]


def _headways(tables: NetworkTables, links: Sequence[str]) -> tuple[dict[str, float], dict[str, float]]:
    """Departures: block trains a week by hub; headway in hours by sea or ferry link (exact row before glob)."""
    hubs: dict[str, float] = {}
    rows = []
    for row in Rows(tables["services"]):
        if row["place"] and row["departures_week"]:
            hubs[row["place"]] = hubs.get(row["place"], 0.0) + row["departures_week"]
        elif row["link"] and row["departures_week"]:
            rows.append((row["link"], row["departures_week"]))
    rows.sort(key=lambda r: ("*" not in r[0], len(r[0])), reverse=True)
    headways = {}
    for link in links:
        for pattern, departures in rows:
            if fnmatchcase(link, pattern):
                headways[link] = 168.0 / departures
                break
    return hubs, headways


def build(tables: NetworkTables, *, season: str = "mean", preload_factor: float = 1.0) -> Network:
    """Build the supernetwork of one scenario and year.

    Parameters
    ----------
    tables
        Tables of supply after the scenario's measures and the year were applied: every link in them is open, and
        links and crossings carry ``availability``, the part of their trains, preload included, that can run.
    season
        ``mean``: a seasonal sea route costs a cargo of any day the mean wait for its season; ``open``: the season is
        on.

    preload_factor
        Trains outside the model over those of the tables' year.

    Returns
    -------
    Network

    Raises
    ------
    DataError
        With every rate, factor or parameter that is missing.
    """
    if season not in ("mean", "open"):
        raise ValueError(f"season: wanted mean or open, got {season!r}")
    draft = Draft(tables, season=season, preload_factor=preload_factor)
    rows = list(Rows(tables["links"]))
    crossing_rows = list(Rows(tables["crossings"]))
    by_link: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, row in enumerate(crossing_rows):
        by_link.setdefault(row["link"], []).append((number, row))
    facilities: dict[Any, int] = {}
    hubs, headways = _headways(tables, [row["id"] for row in rows if row["mode"] in ("sea", "ferry")])
    for index, row in enumerate(rows):
        if row["speed_kmh"] is None or row["speed_kmh"] <= 0:
            draft.faults.append(Fault("lines.csv", row["line"], "speed_kmh", "a speed above 0 km/h", row["speed_kmh"]))
        elif row["mode"] in ("rail", "road"):
            land_link(draft, row, index, by_link.get(row["id"], []), facilities)
        elif row["id"] not in headways:
            draft.faults.append(Fault("services.csv", row["id"], "departures_week", "a service for this leg", "none"))
        else:
            water_link(draft, row, index, headways[row["id"]])
    stay(draft)
    yards(draft, tables)
    zones, sources, sinks = tie_zones(draft, tables, hubs)
    if draft.faults:
        raise DataError("supernetwork", dict.fromkeys(draft.faults))
    integer = {
        "kind": np.int8,
        "mode": np.int8,
        "option": np.int8,
        "gauge_mm": np.int16,
        "country": np.int16,
        "country_to": np.int16,
    }
    arrays: dict[str, Any] = {}
    for name in ARC_FIELDS:
        if name in ("backward", "container", "bulk"):
            arrays[name] = np.array(draft.arcs[name], dtype=np.bool_)
        elif name in integer:
            arrays[name] = np.array(draft.arcs[name], dtype=integer[name])
        elif name in ("tail", "head", "link", "crossing", "place", "facility"):
            arrays[name] = np.array(draft.arcs[name], dtype=np.int32)
        else:
            arrays[name] = np.array(draft.arcs[name], dtype=np.float64)
    return Network(
        places=tuple(draft.places),
        states=tuple(draft.states),
        countries=tuple(draft.countries),
        links=tuple(row["id"] for row in rows),
        crossings=tuple(row["id"] for row in crossing_rows),
        zones=tuple(zones),
        node_place=np.array(draft.node_place, np.int32),
        node_state=np.array(draft.node_state, np.int32),
        zone_source=sources,
        zone_sink=sinks,
        delay_h=np.array(draft.facilities["delay_h"], np.float64),
        power=np.array(draft.facilities["power"], np.float64),
        capacity_trains_day=np.array(draft.facilities["capacity"], np.float64),
        preload_trains_day=np.array(draft.facilities["preload"], np.float64),
        train_length_factor=np.array(draft.facilities["factor"], np.float64),
        facility_arc=np.array(draft.facilities["arc"], np.int32),
        **arrays,
    )
