"""A small network drawn in words, and ways to find its arcs by what they are; see `test_network`."""

from __future__ import annotations

from typing import Any

import numpy as np

from landbridge.model import routes
from landbridge.model.network import MODES, Network, build
from small_supply import crossing, link, supply, terminal, yard

BOTH = [1435, 1520]


def steppe(**given: Any) -> Network:
    """The network that most tests use.

    ::

        China, 1435 mm       |      Kazakhstan, 1520 mm                    Azerbaijan, 1520 mm

        cn-a ==r1== cn-gate ==g1== kz-gate ==r2== kz-b ~~ferry~~ az-port
                             ..road..   :         :
          ~~s1~~ xx-sea ~~s2~~~~~~~~~~~~~~~~~~~~~~~~  kz-b

    ``g1`` has both gauges and the crossing ``gate``; the yard is at kz-gate.
    """
    links = [
        link("r1", "cn-a", "cn-gate"),
        link("g1", "cn-gate", "kz-gate", length_km=20.0, country_km="CN:5;KZ:15", gauges_mm=BOTH),
        link("road", "cn-gate", "kz-gate", mode="road", length_km=30.0, country_km="CN:10;KZ:20"),
        link("r2", "kz-gate", "kz-b", gauges_mm=[1520]),
        link("ferry", "kz-b", "az-port", mode="ferry", length_km=200.0, speed_kmh=20.0),
        link("s1", "cn-a", "xx-sea", mode="sea", length_km=300.0),
        link("s2", "xx-sea", "kz-b", mode="sea", length_km=400.0, season_days=110),
    ]
    rest: dict[str, Any] = {
        "crossings": [crossing("gate", "g1"), crossing("gate-road", "road")],
        "gauge_changes": [
            yard("kz-gate", 1435, 1520),
            yard("kz-gate", 1520, 1435),
            yard("kz-gate", 1435, 1520, "bulk"),
        ],
        "terminals": [terminal("kz-b", "rail", "ferry"), terminal("cn-gate", "rail", "road")],
    }
    return build(supply(links, **{**rest, **given}))


def where(net: Network, **wanted: Any) -> np.ndarray:
    """Arcs by the names of their attributes: kind, link, crossing, place, country, direction."""
    mask = np.ones(net.arc_count, np.bool_)
    for name, value in wanted.items():
        if name in ("link", "crossing", "place"):
            index = {"link": net.links, "crossing": net.crossings, "place": net.places}[name].index(value)
            mask &= getattr(net, name) == index
        elif name in ("country", "country_to"):
            mask &= getattr(net, name) == net.countries.index(value)
        elif name == "mode":
            mask &= net.mode == MODES.index(value)
        else:
            mask &= getattr(net, name) == value
    return np.flatnonzero(mask)


def name(net: Network, node: int) -> str:
    """A node as place and state."""
    place = int(net.node_place[node])
    return f"{net.places[place] if place >= 0 else ''}|{net.states[int(net.node_state[node])]}"


def ends(net: Network, arcs: np.ndarray) -> list[tuple[str, str]]:
    return [(name(net, int(net.tail[a])), name(net, int(net.head[a]))) for a in arcs]


def walk(net: Network, start: str, end: str, banned: np.ndarray | None = None, *, box: bool = True) -> list[int] | None:
    """Arcs of the quickest way between two zones."""
    cost = np.where(net.container if box else net.bulk, net.time_h, np.inf)
    if banned is not None:
        cost = np.where(banned, np.inf, cost)
    source, sink = net.zone_source[net.zones.index(start)], net.zone_sink[net.zones.index(end)]
    found = routes.best(net, cost, int(source), int(sink))
    return None if found is None else found.tolist()


# ------------------------------------------------------------------------------------------------- types of arcs
