"""The supernetwork as a record: typed arcs as arrays, and the words for what they are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ARC_FIELDS", "MODES", "OPTIONS", "ArcKind", "Network", "keep"]

F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]


class ArcKind(IntEnum):
    """What an arc stands for."""

    MOVE = 0
    BORDER = 1
    GAUGE = 2
    TRANSFER = 3
    WAIT = 4
    ACCESS = 5


MODES = ("rail", "road", "sea", "ferry")
OPTIONS = ("", "transfer", "bogie", "reload")


@dataclass(frozen=True)
class Network:
    """The supernetwork as arrays: m arcs, n nodes, F facilities, Z zones.

    Attributes
    ----------
    places, states, countries, links, crossings, zones
        Names behind the indices used below.
    node_place, node_state : int32[n]
        Index into `places` (-1 inside a crossing) and `states`.
    zone_source, zone_sink : int32[Z]
        Nodes where a zone's cargo starts and ends; -1 where its place has no arc left.
    tail, head : int32[m]
        Nodes of an arc.
    kind : int8[m]
        `ArcKind`.
    mode : int8[m]
        Index into `MODES`; for transfers the mode entered.
    gauge_mm : int16[m]
        Gauge of a rail run, or the gauge changed to; 0 elsewhere.
    option : int8[m]
        Index into `OPTIONS` for changes of gauge.
    country, country_to : int16[m]
        Country of the arc; for borders the one left and the one entered.
    link, crossing, place : int32[m]
        Index of the link, crossing or place the arc belongs to, or -1.
    backward : bool[m]
        Whether the arc runs from ``place_b`` to ``place_a`` of its link.
    length_km, time_h, spread_h : float64[m]
        Length, time without congestion, standard deviation of the time.
    facility : int32[m]
        Facility whose congestion the arc bears, or -1.
    money_usd_teu, money_usd_t, money_empty_usd_teu : float64[m]
        Price of a loaded box, a tonne of bulk, an empty box.
    container, bulk : bool[m]
        Whether boxes, and bulk, may use the arc.
    co2_g_t, box_co2_g_teu : float64[m]
        Emission per tonne carried, and of the box itself where the factor of the tonne does not hold it.
    delay_h, power, capacity_trains_day, preload_trains_day, train_length_factor : float64[F]
        The volume-delay curve of a facility; capacity and preload by direction.
    facility_arc : int32[F]
        One arc of the facility, for its name.
    """

    places: tuple[str, ...]
    states: tuple[str, ...]
    countries: tuple[str, ...]
    links: tuple[str, ...]
    crossings: tuple[str, ...]
    zones: tuple[str, ...]
    node_place: I4
    node_state: I4
    zone_source: I4
    zone_sink: I4
    tail: I4
    head: I4
    kind: npt.NDArray[np.int8]
    mode: npt.NDArray[np.int8]
    gauge_mm: npt.NDArray[np.int16]
    option: npt.NDArray[np.int8]
    country: npt.NDArray[np.int16]
    country_to: npt.NDArray[np.int16]
    link: I4
    crossing: I4
    place: I4
    backward: npt.NDArray[np.bool_]
    length_km: F8
    time_h: F8
    spread_h: F8
    facility: I4
    money_usd_teu: F8
    money_usd_t: F8
    money_empty_usd_teu: F8
    container: npt.NDArray[np.bool_]
    bulk: npt.NDArray[np.bool_]
    co2_g_t: F8
    box_co2_g_teu: F8
    delay_h: F8
    power: F8
    capacity_trains_day: F8
    preload_trains_day: F8
    train_length_factor: F8
    facility_arc: I4

    @property
    def arc_count(self) -> int:
        """Number of arcs."""
        return len(self.tail)

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return len(self.node_place)


#: Fields of `Network` that hold one entry an arc.
ARC_FIELDS = tuple(
    "tail head kind mode gauge_mm option country country_to link crossing place backward length_km time_h spread_h "
    "facility money_usd_teu money_usd_t money_empty_usd_teu container bulk co2_g_t box_co2_g_teu".split()
)


def keep(network: Network, arcs: npt.NDArray[np.bool_]) -> Network:
    """Return the network with only the arcs for which ``arcs`` is true; nodes and facilities stay as they are."""
    changed: dict[str, Any] = {field.name: getattr(network, field.name) for field in fields(Network)}
    for name in ARC_FIELDS:
        changed[name] = changed[name][arcs]
    used = np.flatnonzero(changed["facility"] >= 0)[::-1]
    changed["facility_arc"] = np.full_like(network.facility_arc, -1)
    changed["facility_arc"][changed["facility"][used]] = used  # backwards, so that the first arc stands
    return Network(**changed)
