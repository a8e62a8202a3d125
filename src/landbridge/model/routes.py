"""Routes: the best way of one commodity between two zones, its alternatives, and what each part costs.

Places to pass in order are handled on layers: layer i of the network is the cargo that has passed i of them, and the
states of a place lead from each layer to the next at no cost. Alternatives are found by penalty: the arcs of a found
route are made dearer and the search runs again; a route that shares too much of its length with one already found is
left out. The first route is exact, the alternatives are sensible rather than complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.model import paths
from landbridge.model.network import ArcKind, Network

__all__ = ["Route", "alternatives", "best", "measure"]

F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]

#: An arc of a found route costs this much more in the next search.
PENALTY = 1.35
#: A route that shares more than this part of its length with a better one is the same to a planner.
OVERLAP = 0.85
#: Searches made for each alternative asked for.
PATIENCE = 8


@dataclass(frozen=True, eq=False)
class Route:
    """One door-to-door chain.

    Attributes
    ----------
    arcs : int32[L]
        Arcs in order.
    cost_usd_t
        Generalised cost.
    time_h, spread_h
        Hours with both ends' access, and the standard deviation (parts taken as independent).
    transit_h
        Hours from departure to arrival, without access.
    money_usd_t
        What is paid.
    co2_kg_t, length_km
    borders, gauge_changes
        Numbers of border and gauge-change arcs.
    """

    arcs: I4
    cost_usd_t: float
    time_h: float
    spread_h: float
    transit_h: float
    money_usd_t: float
    co2_kg_t: float
    length_km: float
    borders: int
    gauge_changes: int


def measure(network: Network, arcs: I4, cost: F8, money: F8, time_h: F8) -> Route:
    """Add up the parts of a route.

    Parameters
    ----------
    network
        The supernetwork.
    arcs : int32[L]
        The route.
    cost, money, time_h : float64[m]
        Generalised cost and money per tonne, and hours, of every arc.

    Returns
    -------
    Route
    """
    kind = network.kind[arcs]
    moving = kind != ArcKind.ACCESS
    return Route(
        arcs=arcs,
        cost_usd_t=float(cost[arcs].sum()),
        time_h=float(time_h[arcs].sum()),
        spread_h=float(np.sqrt((network.spread_h[arcs] ** 2).sum())),
        transit_h=float(time_h[arcs][moving].sum()),
        money_usd_t=float(money[arcs].sum()),
        co2_kg_t=float(network.co2_g_t[arcs].sum() / 1000),
        length_km=float(network.length_km[arcs].sum()),
        borders=int((kind == ArcKind.BORDER).sum()),
        gauge_changes=int((kind == ArcKind.GAUGE).sum()),
    )


def _layered(network: Network, via: Sequence[int]) -> tuple[paths.Graph, I4]:
    """The network once for each stage of the via places; returns the graph and, by its arc, the network's arc or -1."""
    n, m = network.node_count, network.arc_count
    tails, heads, original = [network.tail], [network.head], [np.arange(m, dtype=np.int32)]
    for stage, place in enumerate(via):
        at = np.flatnonzero(network.node_place == place).astype(np.int32)
        tails += [at + stage * n, network.tail + (stage + 1) * n]
        heads += [at + (stage + 1) * n, network.head + (stage + 1) * n]
        original += [np.full(len(at), -1, np.int32), np.arange(m, dtype=np.int32)]
    graph = paths.graph(n * (len(via) + 1), np.concatenate(tails), np.concatenate(heads))
    return graph, np.concatenate(original)


def best(network: Network, cost: F8, source: int, sink: int, *, via: Sequence[int] = ()) -> I4 | None:
    """Return the arcs of the cheapest route.

    Parameters
    ----------
    network
        The supernetwork.
    cost : float64[m]
        Cost of every arc for the cargo; infinite forbids.
    source, sink
        Nodes.
    via
        Indices of places to pass, in order.

    Returns
    -------
    int32[L] or None
        None when there is no way.
    """
    graph, original = _layered(network, via)
    expanded = np.where(original >= 0, cost[original], 0.0)
    found = paths.shortest_path(graph, expanded, source, sink + len(via) * network.node_count)
    if found is None:
        return None
    arcs = original[found[1]]
    return np.ascontiguousarray(arcs[arcs >= 0])


def alternatives(
    network: Network, cost: F8, source: int, sink: int, count: int, *, via: Sequence[int] = ()
) -> list[I4]:
    """Return up to ``count`` routes that differ, the cheapest first.

    Parameters
    ----------
    network, cost, source, sink, via
        As for `best`.
    count
        The most routes returned.

    Returns
    -------
    list of int32[L]
        Ordered by cost; the first is the cheapest of all.
    """
    working = cost.copy()
    found: list[I4] = []
    for _ in range(count * PATIENCE):
        arcs = best(network, working, source, sink, via=via)
        if arcs is None:
            break
        if not any(_overlap(network, arcs, other) > OVERLAP for other in found):
            found.append(arcs)
        if len(found) == count:
            break
        working[arcs] *= PENALTY
    return sorted(found, key=lambda arcs: float(cost[arcs].sum()))


def _overlap(network: Network, arcs: I4, other: I4) -> float:
    """The part of a route's length that it shares with another."""
    length = network.length_km[arcs]
    total = float(length.sum())
    return float(length[np.isin(arcs, other)].sum()) / total if total else 1.0
