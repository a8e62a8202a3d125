"""Routes: the best way of one commodity between two zones, what differs from it, and what each part costs.

Places to pass in order are handled on layers: layer i of the network is the cargo that has passed i of them, and the
states of a place lead from each layer to the next at no cost.

Two ways lead to several routes:

alternatives
    By generalised cost and by penalty: the arcs of a found route are made dearer and the search runs again; a route
    that shares too much of its length with one already found is left out. The first route is exact, the others are
    sensible rather than complete.
efficient set
    Exact over several criteria (`landbridge.model.pareto`), then thinned by `thin`: the best by each criterion and of
    each group stay, and routes are added one by one, each time the one that has least of its length in common with
    those kept.

A ban is an arc of infinite cost. A limit on what may add up along a route (borders, changes of gauge, hours) holds in
the search itself: a route within the limits is found where there is one, however much cheaper those beyond them are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from landbridge.model import pareto, paths, simple_paths
from landbridge.model.network import ArcKind, Network
from landbridge.model.pareto import Front

__all__ = [
    "CRITERIA",
    "Limits",
    "Route",
    "alternatives",
    "best",
    "criteria",
    "efficient",
    "measure",
    "ranked",
    "reach",
    "thin",
    "through",
]

F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]
B1 = npt.NDArray[np.bool_]

#: What routes can be compared by: hours, money, kg of CO2, borders, changes of gauge, and hours of spread added up.
CRITERIA = ("time", "cost", "co2", "borders", "gauge_changes", "risk")

#: An arc of a found route costs this much more in the next search.
PENALTY = 1.35
#: A route that shares more than this part of its length with a better one is the same to a planner.
OVERLAP = 0.85
#: Searches made for each alternative asked for.
PATIENCE = 8


@dataclass(frozen=True, eq=False)
class Limits:
    """The most that some quantities may add up to along a route.

    Attributes
    ----------
    used : float64[R, m]
        What each arc adds.
    most : float64[R]
        The most for each.
    """

    used: F8
    most: F8


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


def measure(network: Network, arcs: I4, cost: F8, money: F8, time_h: F8, co2_g_t: F8) -> Route:
    """Add up the parts of a route.

    Parameters
    ----------
    network
        The supernetwork.
    arcs : int32[L]
        The route.
    cost, money, time_h, co2_g_t : float64[m]
        Generalised cost and money per tonne, hours, and grams of CO2 per tonne, of every arc.

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
        co2_kg_t=float(co2_g_t[arcs].sum() / 1000),
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


def criteria(network: Network, price: F8, time_h: F8, co2_g_t: F8) -> dict[str, F8]:
    """Give what every arc adds to each of `CRITERIA`.

    Parameters
    ----------
    network
        The supernetwork.
    price, time_h, co2_g_t : float64[m]
        Money, hours, and grams of CO2 per tonne of every arc.

    Returns
    -------
    dict
        float64[m] by criterion; CO2 in kg per tonne; risk is the standard deviation in hours, added up arc by arc, as
        a shipper's buffer is.
    """
    return {
        "time": time_h,
        "cost": price,
        "co2": co2_g_t / 1000,
        "borders": (network.kind == ArcKind.BORDER).astype(np.float64),
        "gauge_changes": (network.kind == ArcKind.GAUGE).astype(np.float64),
        "risk": network.spread_h,
    }


def best(
    network: Network, cost: F8, source: int, sink: int, *, via: Sequence[int] = (), limits: Limits | None = None
) -> I4 | None:
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
    limits
        What the route may use up at most.

    Returns
    -------
    int32[L] or None
        None when there is no way.
    """
    graph, original = _layered(network, via)
    end = sink + len(via) * network.node_count
    expanded = _expanded(cost, original)
    if limits is None or not len(limits.most):
        found = paths.shortest_path(graph, expanded, source, end)
    else:
        used = np.stack([_expanded(row, original) for row in limits.used])
        found = pareto.best_within(graph, expanded, used, limits.most.tolist(), source, end)
    return None if found is None else _own(found[1], original)


def alternatives(
    network: Network,
    cost: F8,
    source: int,
    sink: int,
    count: int,
    *,
    via: Sequence[int] = (),
    limits: Limits | None = None,
) -> list[I4]:
    """Return up to ``count`` routes that differ, the cheapest first.

    Parameters
    ----------
    network, cost, source, sink, via, limits
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
        arcs = best(network, working, source, sink, via=via, limits=limits)
        if arcs is None:
            break
        if not any(overlap(network, arcs, other) > OVERLAP for other in found):
            found.append(arcs)
        if len(found) == count:
            break
        working[arcs] *= PENALTY
    return sorted(found, key=lambda arcs: float(cost[arcs].sum()))


def through(network: Network, cost: F8, source: int, sink: int, gates: B1) -> I4 | None:
    """Return the cheapest route that uses one of some arcs, and no node twice.

    Parameters
    ----------
    network, cost, source, sink
        As for `best`.
    gates : bool[m]
        The arcs of which one must be used.

    Returns
    -------
    int32[L] or None
        None when there is no way, or only one that turns back on itself.
    """
    graph = paths.graph(network.node_count, network.tail, network.head)
    back = paths.graph(network.node_count, network.head, network.tail)
    ahead, behind = paths.shortest_tree(graph, cost, source), paths.shortest_tree(back, cost, sink)
    whole = np.where(gates, ahead.distance[network.tail] + cost + behind.distance[network.head], np.inf)
    gate = int(whole.argmin()) if len(whole) else -1
    if gate < 0 or not np.isfinite(whole[gate]):
        return None
    first = paths.path_to(ahead, graph, int(network.tail[gate]))
    last = paths.path_to(behind, back, int(network.head[gate]))[::-1]
    arcs = np.concatenate([first, [gate], last]).astype(np.int32)
    return arcs if len(set(network.head[arcs].tolist())) == len(arcs) else None


def ranked(
    network: Network,
    cost: F8,
    source: int,
    sink: int,
    count: int,
    *,
    via: Sequence[int] = (),
    limits: Limits | None = None,
) -> list[I4]:
    """Return the ``count`` cheapest routes that pass no node twice (on their way between two via places).

    Parameters
    ----------
    network, cost, source, sink, count, via
        As for `alternatives`.
    limits
        Not answered together with a rank.

    Returns
    -------
    list of int32[L]
        Ordered by cost; exact.

    Raises
    ------
    ValueError
        If limits are given.
    """
    if limits is not None and len(limits.most):
        raise ValueError("limits: the cheapest simple routes are ranked without limits")
    graph, original = _layered(network, via)
    end = sink + len(via) * network.node_count
    found = simple_paths.k_shortest(graph, _expanded(cost, original), source, end, count)
    return [_own(arcs, original) for _, arcs in found]


def efficient(
    network: Network,
    values: F8,
    source: int,
    sink: int,
    *,
    via: Sequence[int] = (),
    limits: Limits | None = None,
    epsilon: float = 0.0,
) -> Front:
    """Return the routes that no other route beats.

    Parameters
    ----------
    network
        The supernetwork.
    values : float64[D, m]
        Criteria of every arc; infinite forbids.
    source, sink, via, limits
        As for `best`. Criteria and limits on anything else are at most six together.
    epsilon
        Zero for the exact set, else by which part the set may be worse than what it leaves out.

    Returns
    -------
    Front
        Values and arcs; see `landbridge.model.pareto` for what is promised.
    """
    graph, original = _layered(network, via)
    count = len(values)
    rows, most = values, np.full(count, np.inf)
    for used, limit in zip(limits.used, limits.most, strict=True) if limits is not None else ():
        same = [k for k, row in enumerate(values) if np.array_equal(row, used)]
        if same:  # a limit on a criterion needs no row of its own
            most[same] = np.minimum(most[same], limit)
        else:
            rows, most = np.vstack([rows, used]), np.append(most, limit)
    front = pareto.efficient(
        graph,
        np.stack([_expanded(row, original) for row in rows]),
        source,
        sink + len(via) * network.node_count,
        most=most.tolist(),
        epsilon=epsilon,
    )
    kept = list(range(len(front.paths)))
    if len(rows) > count:  # what is efficient only for keeping further below a limit is of no use
        kept = np.flatnonzero(pareto.efficient_rows(front.values[:, :count])).tolist()
    found = tuple(_own(front.paths[i], original) for i in kept)
    return replace(front, values=front.values[kept, :count], paths=found)


def thin(network: Network, front: Front, count: int, groups: Sequence[int] = ()) -> list[int]:
    """Choose routes of an efficient set that differ.

    The best by each criterion is kept, in the order of the criteria, and then the best by the first of each group that
    has none yet. Then the route that has the least part of its
    length in common with any one of those kept is added, again and again, until there are ``count``, or until what is
    left runs for more than 85 per cent of its length with one that is kept. The same input gives the same choice.

    Parameters
    ----------
    network
        The supernetwork.
    front
        From `efficient`.
    count
        The most routes.
    groups
        Number of each route's group, below 0 for none, as the passages that planners name.

    Returns
    -------
    list of int
        Rows of the front, in its order.
    """
    if not front.paths:
        return []
    # among equals the first in lexicographic order
    extremes = [int(front.values[:, k].argmin()) for k in range(front.values.shape[1])]
    kept = list(dict.fromkeys(extremes))[:count]
    for i in np.argsort(front.values[:, 0], kind="stable").tolist() if len(groups) else ():
        if len(kept) < count and groups[i] >= 0 and groups[i] not in {groups[k] for k in kept}:
            kept.append(i)
    common = np.max([[_common(network, arcs, front.paths[i]) for arcs in front.paths] for i in kept], axis=0)
    while len(kept) < min(count, len(front.paths)):
        common[kept] = np.inf
        added = int(common.argmin())
        if common[added] > OVERLAP:
            break
        kept.append(added)
        common = np.maximum(common, [_common(network, arcs, front.paths[added]) for arcs in front.paths])
    return sorted(kept)


def reach(network: Network, usable: B1, source: int, *, backward: bool = False) -> B1:
    """Tell which nodes can be reached from a node, or from which nodes it can be reached.

    Parameters
    ----------
    network
        The supernetwork.
    usable : bool[m]
        Arcs that may be used.
    source
        Where the search starts.
    backward
        Whether to search against the arcs.

    Returns
    -------
    bool[n]
    """
    tail, head = (network.head, network.tail) if backward else (network.tail, network.head)
    graph = paths.graph(network.node_count, tail, head)
    return np.isfinite(paths.shortest_tree(graph, np.where(usable, 0.0, np.inf), source).distance)


def _expanded(values: F8, original: I4) -> F8:
    """Values by arc of the layered graph; to go on to the next layer costs nothing."""
    return np.asarray(np.where(original >= 0, values[original], 0.0), np.float64)


def _own(arcs: I4, original: I4) -> I4:
    """Arcs of the layered graph as the network's."""
    own = original[arcs]
    return np.ascontiguousarray(own[own >= 0])


def _common(network: Network, arcs: I4, other: I4) -> float:
    """The larger of the parts of their lengths that two routes have in common."""
    return max(overlap(network, arcs, other), overlap(network, other, arcs))


def overlap(network: Network, arcs: I4, other: I4) -> float:
    """The part of a route's length that it shares with another."""
    length = network.length_km[arcs]
    total = float(length.sum())
    return float(length[np.isin(arcs, other)].sum()) / total if total else 1.0
