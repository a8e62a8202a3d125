"""Shortest paths over a directed graph held in arrays.

Problem
    Given nonnegative arc costs, find least-cost trees and paths.
Notation
    n nodes and m arcs numbered from zero. Parallel arcs and arcs of cost zero are allowed; a cost of ``+inf`` forbids
    an arc. ``first_out`` and ``out_arc`` list the arcs by the node they leave; a *slot* is a position in that list.
Method
    Dijkstra's search with a four-ary heap that knows each node's place in it. Searches by the thousand under costs that
    change are `hierarchy`'s, the k shortest paths `simple_paths`', large sparse graphs `large_paths`'.
Ties
    Among paths of equal cost the one that the search met first stands. The same input gives the same tree every time.
    Costs are never negative, and adding rounded nonnegative numbers is monotone, so no cycle can enter a tree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from landbridge.errors import NoRoute

__all__ = [
    "Graph",
    "Tree",
    "graph",
    "grow_trees",
    "path_to",
    "shortest_path",
    "shortest_tree",
]

Ints: TypeAlias = npt.NDArray[np.int32]
Floats: TypeAlias = npt.NDArray[np.float64]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _kernel(function: _Function) -> _Function:
    """Compile on first use and keep on disk; frees the interpreter lock, so that threads may share the work."""
    return cast(_Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


@dataclass(frozen=True, eq=False)
class Graph:
    """A directed graph; made by `graph`.

    Parameters
    ----------
    node_count
        Number of nodes n.
    tail, head
        Node that each of the m arcs leaves and enters.
    first_out
        n + 1 offsets into ``out_arc``: the arcs leaving node i are ``out_arc[first_out[i]:first_out[i + 1]]``.
    out_arc
        The arcs ordered by the node they leave, and by number within a node.
    """

    node_count: int
    tail: Ints
    head: Ints
    first_out: Ints
    out_arc: Ints


@dataclass(frozen=True, eq=False)
class Tree:
    """Least-cost paths from one source.

    Parameters
    ----------
    source
        Where the paths begin.
    distance
        Least cost to each node; ``inf`` where no path leads.
    arc_in
        Last arc of the path to each node; -1 at the source and where no path leads.
    """

    source: int
    distance: Floats
    arc_in: Ints


def graph(node_count: int, tail: npt.ArrayLike, head: npt.ArrayLike) -> Graph:
    """Make a graph from the two ends of its arcs.

    Parameters
    ----------
    node_count
        Number of nodes; they are numbered from zero.
    tail, head
        Node that each arc leaves and enters.

    Returns
    -------
    Graph
        Arcs keep their numbers.

    Raises
    ------
    ValueError
        If the ends differ in number or name a node that is not there.
    """
    ends = []
    for name, given in (("tail", tail), ("head", head)):
        array = np.asarray(given)
        if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
            raise ValueError(f"{name}: wanted a row of whole numbers, got {array.dtype} of shape {array.shape}")
        wrong = np.flatnonzero((array < 0) | (array >= node_count)) if array.size else array
        if wrong.size:
            raise ValueError(f"{name} of arc {wrong[0]}: wanted a node below {node_count}, got {array[wrong[0]]}")
        ends.append(array.astype(np.int32))
    if ends[0].size != ends[1].size:
        raise ValueError(f"wanted as many heads as tails, got {ends[1].size} and {ends[0].size}")
    out_arc = np.argsort(ends[0], kind="stable").astype(np.int32)
    first_out = np.zeros(node_count + 1, np.int32)
    np.cumsum(np.bincount(ends[0], minlength=node_count), out=first_out[1:])
    return Graph(node_count, ends[0], ends[1], first_out, out_arc)


def shortest_tree(graph: Graph, cost: npt.ArrayLike, source: int) -> Tree:
    """Find the least-cost paths from one node to all others.

    Parameters
    ----------
    graph
        Where to search.
    cost
        Cost of each arc; nonnegative, ``inf`` forbids.
    source
        Where the paths begin.

    Returns
    -------
    Tree
        Distances and last arcs.

    Raises
    ------
    ValueError
        If a cost is negative or not a number, or the source is no node.
    """
    return _tree(graph, _slot_costs(graph, cost), source, -1)


def path_to(tree: Tree, graph: Graph, target: int) -> Ints:
    """Read one path off a tree.

    Parameters
    ----------
    tree
        From `shortest_tree` on the same graph.
    graph
        The graph of the tree.
    target
        Where the path ends.

    Returns
    -------
    array of int32
        The arcs in order of travel; empty when the target is the source.

    Raises
    ------
    NoRoute
        If the tree does not reach the target.
    """
    _check_node(graph, target, "target")
    if not np.isfinite(tree.distance[target]):
        raise NoRoute(f"no path from node {tree.source} to node {target}")
    arcs = []
    node = target
    while node != tree.source:
        arc = int(tree.arc_in[node])
        arcs.append(arc)
        node = int(graph.tail[arc])
    return np.array(arcs[::-1], np.int32)


def shortest_path(graph: Graph, cost: npt.ArrayLike, source: int, target: int) -> tuple[float, Ints] | None:
    """Find one least-cost path.

    Parameters
    ----------
    graph
        Where to search.
    cost
        Cost of each arc; nonnegative, ``inf`` forbids.
    source, target
        Where the path begins and ends.

    Returns
    -------
    tuple or None
        Cost and arcs in order of travel; None when the two nodes are not joined.

    Raises
    ------
    ValueError
        If a cost is negative or not a number, or an end is no node.
    """
    _check_node(graph, target, "target")
    tree = _tree(graph, _slot_costs(graph, cost), source, target)
    if not np.isfinite(tree.distance[target]):
        return None
    return float(tree.distance[target]), path_to(tree, graph, target)


def grow_trees(
    first_out: Ints,
    head: Ints,
    cost: Floats,
    trees: Ints,
    source: Ints,
    row: Ints,
    slot_in: Ints,
    order: Ints,
    settled: Ints,
    first_target: Ints,
    target: Ints,
    distance: Floats,
) -> None:
    """Search from many sources at once, and keep the trees.

    Parameters
    ----------
    first_out, head
        The graph, arcs by slot.
    cost
        One row of slot costs for each kind of traveller.
    trees
        Which trees to grow; calls on different trees may run side by side.
    source, row
        Source and row of ``cost`` of each tree.
    slot_in, order, settled
        Written, one row a tree: slot by which each node is reached (-1: none), nodes with parents before children,
        and how many nodes are reached.
    first_target, target
        The nodes whose distance is wanted: those of tree t are ``target[first_target[t]:first_target[t + 1]]``.
    distance
        Written, one entry a target.
    """
    _grow(first_out, head, cost, trees, source, row, slot_in, order, settled, first_target, target, distance)


def _slot_costs(graph: Graph, cost: npt.ArrayLike) -> Floats:
    array = np.asarray(cost, np.float64)
    if array.shape != graph.tail.shape:
        raise ValueError(f"wanted one cost for each of {graph.tail.size} arcs, got shape {array.shape}")
    wrong = np.flatnonzero(~(array >= 0.0))
    if wrong.size:
        raise ValueError(f"cost of arc {wrong[0]}: wanted a number >= 0 or inf, got {array[wrong[0]]}")
    return array[graph.out_arc]


def _check_node(graph: Graph, node: int, name: str) -> None:
    if not 0 <= node < graph.node_count:
        raise ValueError(f"{name}: wanted a node below {graph.node_count}, got {node}")


def _search_scratch(graph: Graph) -> tuple[Floats, Ints, Ints, Ints, Floats, Ints]:
    n = graph.node_count
    return (
        np.empty(n),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        np.empty(n + 1, np.int32),
        np.empty(n + 1),
        np.empty(n, np.int32),
    )


def _tree(graph: Graph, slot_cost: Floats, source: int, target: int) -> Tree:
    _check_node(graph, source, "source")
    distance, slot_in, order, heap, key, place = _search_scratch(graph)
    head = graph.head[graph.out_arc]
    _search(graph.first_out, head, slot_cost, source, target, distance, slot_in, order, heap, key, place)
    arc_in = np.full(graph.node_count, -1, np.int32)
    reached = slot_in >= 0
    arc_in[reached] = graph.out_arc[slot_in[reached]]
    return Tree(source, distance, arc_in)


@_kernel
def _search(
    first_out: Ints,
    head: Ints,
    cost: Floats,
    source: int,
    target: int,
    distance: Floats,
    slot_in: Ints,
    order: Ints,
    heap: Ints,
    key: Floats,
    place: Ints,
) -> int:
    """Dijkstra; stops once the target is settled (-1: never). Returns how many nodes were settled."""
    for i in range(distance.size):
        distance[i] = np.inf
        slot_in[i] = -1
        place[i] = -1
    distance[source] = 0.0
    heap[0] = source
    key[0] = 0.0
    place[source] = 0
    size = 1
    count = 0
    while size > 0:
        u = heap[0]
        reached = key[0]
        place[u] = -2  # settled
        order[count] = u
        count += 1
        size -= 1
        if u == target:
            break
        if size > 0:  # let the last element sink from the root
            x = heap[size]
            key_x = key[size]
            i = 0
            while True:
                j = 4 * i + 1
                if j >= size:
                    break
                least = j
                key_least = key[j]
                for q in range(j + 1, min(j + 4, size)):
                    if key[q] < key_least:
                        least = q
                        key_least = key[q]
                if key_least >= key_x:
                    break
                heap[i] = heap[least]
                key[i] = key_least
                place[heap[i]] = i
                i = least
            heap[i] = x
            key[i] = key_x
            place[x] = i
        for slot in range(first_out[u], first_out[u + 1]):
            w = head[slot]
            label = reached + cost[slot]
            if label < distance[w]:
                distance[w] = label
                slot_in[w] = slot
                i = place[w]
                if i < 0:
                    i = size
                    size += 1
                while i > 0:  # rise
                    parent = (i - 1) >> 2
                    if key[parent] <= label:
                        break
                    heap[i] = heap[parent]
                    key[i] = key[parent]
                    place[heap[i]] = i
                    i = parent
                heap[i] = w
                key[i] = label
                place[w] = i
    return count


@_kernel
def _grow(
    first_out: Ints,
    head: Ints,
    cost: Floats,
    trees: Ints,
    source: Ints,
    row: Ints,
    slot_in: Ints,
    order: Ints,
    settled: Ints,
    first_target: Ints,
    target: Ints,
    distance: Floats,
) -> None:
    n = first_out.size - 1
    label = np.empty(n)
    heap = np.empty(n + 1, np.int32)
    key = np.empty(n + 1)
    place = np.empty(n, np.int32)
    for t in trees:
        settled[t] = _search(
            first_out, head, cost[row[t]], source[t], -1, label, slot_in[t], order[t], heap, key, place
        )
        for j in range(first_target[t], first_target[t + 1]):
            distance[j] = label[target[j]]
