r"""A small network of lines that lead both ways: what one relation has of it, and all of them together.

Problem
    Line e joins two nodes; a unit over it costs c_e either way, and both ways together take u_e units at the most.
        all relations  least cost at which all get their units, over lines or by their outside options (`all_relations`)
        one relation   its cheapest way (`way_without`), and the most that it could send, the maximum flow, with the
                       lines of a smallest cut (`most_flow`, `cut_of`)
Method
    Maximum flow is carriage too: nothing costs anything, and what stays behind costs one a unit. Its prices are those
    of a cut of the same size (Ford and Fulkerson, 1956), zero or one by line at a vertex of the linear program.
    As costs of `worst_closures`, none falls as more is closed.
Definition
    METHODS.md, sections 1.6 (cost without a country) and 4 (the three kinds of interdiction).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.model.flows.surplus import Carriage
from landbridge.model.paths import Graph, graph, shortest_tree
from landbridge.model.resilience.closures import Closures
from landbridge.model.resilience.interdiction import Closed

__all__ = ["Lines", "all_relations", "cut_of", "lines", "most_flow", "way_without"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Lines:
    """A network of n lines; line e is arcs 2e and 2e + 1.

    Parameters
    ----------
    graph
        Both ways of every line.
    cost
        Cost of a unit over each line, shape (n,).
    room
        Units that each takes, both ways together, shape (n,).
    """

    graph: Graph
    cost: Floats
    room: Floats

    def arcs_of(self, line: int) -> list[int]:
        """Both ways of a line."""
        return [2 * line, 2 * line + 1]


def lines(node_count: int, ends: Sequence[tuple[int, int]], cost: Sequence[float], room: Sequence[float]) -> Lines:
    """Lay out a network of lines.

    Parameters
    ----------
    node_count
        Number of nodes.
    ends, cost, room
        By line.

    Returns
    -------
    Lines
    """
    both = np.array(ends, np.int64).reshape(-1, 2)
    net = graph(node_count, both.ravel(), both[:, ::-1].ravel())
    return Lines(net, np.array(cost, np.float64), np.array(room, np.float64))


def all_relations(
    net: Lines, pairs: Sequence[tuple[int, int]], volume: Sequence[float], outside_cost: Sequence[float]
) -> Closures:
    """Lay out all relations; each line can be closed.

    Parameters
    ----------
    net
        The network.
    pairs
        Nodes at the two ends of each relation.
    volume, outside_cost
        Units of each, and what a unit costs by its outside option.

    Returns
    -------
    Closures
    """
    return _closures(net, np.repeat(net.cost, 2), pairs, volume, outside_cost)


def most_flow(net: Lines, source: int, target: int) -> Closures:
    """Lay out the maximum flow of one relation: the worth of its optimum is the flow.

    Parameters
    ----------
    net
        The network.
    source, target
        Nodes.

    Returns
    -------
    Closures
        What all that could be sent would lack at the most is its cost.
    """
    held = np.isfinite(net.room)
    most = float(net.room[held].sum()) + 1.0  # what no cut of lines with an end to their room exceeds
    return _closures(net, np.zeros(net.graph.tail.size), [(source, target)], [most], [1.0])


def cut_of(case: Closures, closed: frozenset[int] = frozenset()) -> list[int] | None:
    """Lines of a smallest cut of `most_flow`.

    Parameters
    ----------
    case
        From `most_flow`.
    closed
        Lines that are closed.

    Returns
    -------
    list of int or None
        None where the flow has no end.
    """
    found = case.solve(closed)
    if found.worth_usd_yr >= float(case.carriage.tonnes_yr[0]):
        return None
    return np.flatnonzero(found.price_usd > 0.5).tolist()


def way_without(net: Lines, source: int, target: int, closed: frozenset[int] = frozenset()) -> Closed:
    """Find the cheapest way of one relation without some lines.

    Parameters
    ----------
    net
        The network.
    source, target
        Nodes.
    closed
        Lines.

    Returns
    -------
    Closed
        Its cost, ``inf`` where there is none, and the lines on it.
    """
    cost = np.repeat(net.cost, 2)
    for line in closed:
        cost[net.arcs_of(line)] = np.inf
    tree = shortest_tree(net.graph, cost, source)
    reached = float(tree.distance[target])
    used: dict[int, float] = {}
    at = target
    while np.isfinite(reached) and at != source:
        arc = int(tree.arc_in[at])
        used[arc // 2], at = np.inf, int(net.graph.tail[arc])
    return Closed(reached, used)


def _closures(
    net: Lines,
    arc_cost: Floats,
    pairs: Sequence[tuple[int, int]],
    volume: Sequence[float],
    outside_cost: Sequence[float],
) -> Closures:
    count = net.cost.size
    ends = np.array(pairs, np.int64).reshape(-1, 2)
    carriage = Carriage(
        graph=net.graph,
        cost_usd_t=arc_cost[None, :],
        facility=np.arange(2 * count) // 2,
        room=net.room,
        load=np.ones((1, count)),
        origin=ends[:, 0],
        destination=ends[:, 1],
        class_index=np.zeros(len(ends), np.int64),
        tonnes_yr=np.array(volume, np.float64),
        outside_usd_t=np.array(outside_cost, np.float64),
    )
    return Closures(carriage, [net.arcs_of(e) for e in range(count)])
