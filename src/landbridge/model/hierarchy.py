"""Least costs from many nodes under costs that keep changing: a contraction hierarchy that is weighted anew each time.

Problem
    An equilibrium asks, round after round and for each class of cargo, for the least costs from some hundred or
    thousand nodes to a few others each. The graph stays; all costs change.
Notation
    Nodes have a *rank*, in which they are taken out of the graph one after another. Taking a node out joins its
    remaining neighbours to each other; an *edge* of the hierarchy ties a node to each neighbour that it has at that
    time, all of higher rank, in both directions (up and down). A *slot* is the caller's number of an arc.
Method
    Customizable contraction hierarchies (Dibbelt, Strasser and Wagner, 2016). The order takes a node of least degree
    next, among these one under which the fewest levels lie. *Weighing* gives each edge and direction the least of its
    own arcs and of the ways over a node of lower rank: one look at each triangle, for some classes of cargo side by
    side. A *search* then climbs from the source through its ancestors and comes down through those of the targets,
    parents first; it looks at few edges, and at the same ones whatever the costs. Some searches of one class come down
    side by side. Paths are unpacked only where one is asked for, and those of one search share what they have in
    common. What an edge stands for is not kept but found again: the first of its arcs, or else of the ways over a lower
    node, whose cost is the edge's to the last bit.
    On road and railway networks this is several times faster than mending old trees, and it keeps none.
Exactness
    Costs are sums over the same arcs as those of a search by Dijkstra, added up in another order. Costs are never
    negative; infinite ones forbid. Parallel arcs and arcs of cost zero are allowed. The paths of a search make a tree,
    without circles (which can only be of cost zero). The same input gives the same paths every time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["Arrivals", "Forest", "Hierarchy", "Weights", "forest", "hierarchy", "join", "search", "weigh", "weights"]

Ints: TypeAlias = npt.NDArray[np.int32]
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Longs: TypeAlias = npt.NDArray[np.int64]

# Least degree first, then fewest levels below, then number: one whole number orders them.
LEVEL_BITS, NUMBER_BITS = 20, 22
# Nodes of up to so many neighbours go out without adding edges and count alike, so that a long line is halved and not
# eaten up from its ends.
NO_FILL = 2
# Searches of one class that go down side by side, so that edges and their weights are looked up once for all; likewise
# classes that are weighed side by side.
LANES = 4

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _kernel(function: _Function) -> _Function:
    return cast(_Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


class Hierarchy(NamedTuple):
    """The edges of n nodes, everything by rank; made by `hierarchy`."""

    rank: Ints  # of each node
    parent: Ints  # lowest neighbour above, -1: none
    first_up: Ints  # edges of each rank
    above: Ints  # higher end of each edge, ascending
    below: Ints  # lower end of each edge
    triangle: Ints  # edge that joins two edges of the same lower end, in the order in which `weigh` meets them
    first_way: Longs  # ways of each edge over a node of lower rank
    way_via: Ints  # the edge on which such a way up comes down first (a way down: goes up last)
    way_then: Ints  # and the other one
    slot_edge: Ints  # edge of each slot, -1: none
    slot_up: Bools  # whether the slot leads up
    first_own: Longs  # slots of each edge: those that lead up from place 2 e on, those that lead down from 2 e + 1 on
    own: Ints


class Weights(NamedTuple):
    """Costs of the edges in both directions by class."""

    up: Floats
    down: Floats


class Forest(NamedTuple):
    """Searches to be made: one for each source and class, with the nodes that it wants to know."""

    source: Ints
    class_index: Ints
    first_target: Ints
    target: Ints
    distance: Floats  # least cost of each target; written


class Arrivals(NamedTuple):
    """New paths: targets (by position in the forest) that they lead to, and their slots."""

    target: Ints
    first: npt.NDArray[np.int64]
    slots: Ints


def hierarchy(node_count: int, tail: Ints, head: Ints, usable: Bools) -> Hierarchy:
    """Order the nodes and find the edges.

    Parameters
    ----------
    node_count
        Number of nodes n.
    tail, head
        Ends of each slot.
    usable
        Slots that someone may use; the others are left out.

    Returns
    -------
    Hierarchy
        Holds for any costs that are infinite on the slots left out.

    Raises
    ------
    ValueError
        If there are too many nodes.
    """
    if node_count >> NUMBER_BITS:
        raise ValueError(f"node_count: wanted fewer than {1 << NUMBER_BITS} nodes, got {node_count}")
    chosen = usable & (tail != head)
    rank, parent, first_up, above = _eliminate(node_count, tail[chosen], head[chosen])
    triangle, first_way, way_via, way_then = _triangles(first_up, above)
    slot_edge, slot_up, first_own, own = _edges_of_slots(rank, first_up, above, tail, head, chosen)
    below = np.repeat(np.arange(node_count, dtype=np.int32), np.diff(first_up))
    return Hierarchy(
        rank, parent, first_up, above, below, triangle, first_way, way_via, way_then, slot_edge, slot_up, first_own, own
    )


def weights(tree: Hierarchy, classes: int) -> Weights:
    """Make room for the weights of some classes."""
    shape = classes, tree.above.size
    return Weights(np.empty(shape), np.empty(shape))


def forest(source: Ints, class_index: Ints, first_target: Ints, target: Ints) -> Forest:
    """Prepare searches.

    Parameters
    ----------
    source, class_index
        Node and class of each search.
    first_target, target
        Targets of search t are ``target[first_target[t]:first_target[t + 1]]``.

    Returns
    -------
    Forest
        Distances are infinite until `search` writes them.
    """
    return Forest(source, class_index, first_target, target, np.full(target.size, np.inf))


def weigh(tree: Hierarchy, cost: Floats, classes: Ints, found: Weights) -> None:
    """Weigh all edges.

    Parameters
    ----------
    tree
        From `hierarchy`.
    cost
        Cost of each slot by class.
    classes
        The classes to weigh; calls on different ones may run side by side.
    found
        From `weights`; rows of these classes are written.
    """
    whole = LANES * (classes.size // LANES)
    if whole:
        _weigh_lanes(tree, cost, classes[:whole], found)
    if whole < classes.size:
        _weigh(tree, cost, classes[whole:], found)


def search(tree: Hierarchy, cost: Floats, found: Weights, wanted: Forest, trees: Ints, limit: Floats) -> Arrivals:
    """Find least costs, and the paths where they are below a limit.

    Parameters
    ----------
    tree, cost, found
        From `hierarchy` and `weigh`, and the costs that were weighed.
    wanted
        The forest; distances of the chosen searches are written.
    trees
        The searches to make, ascending; calls on different ones may run side by side.
    limit
        By target: paths are wanted where the least cost is lower.

    Returns
    -------
    Arrivals
        The paths, in the order of the targets.
    """
    return Arrivals(*_search(tree, cost, found, wanted, trees, limit))


def join(parts: list[Arrivals]) -> Arrivals:
    """Put the paths of several searches together, in their order."""
    lengths = [np.diff(part.first) for part in parts]
    return Arrivals(
        np.concatenate([part.target for part in parts]),
        np.append(0, np.cumsum(np.concatenate(lengths))).astype(np.int64),
        np.concatenate([part.slots for part in parts]),
    )


@_kernel
def _push(heap: Longs, size: int, key: int) -> int:
    """Put a key into a heap, least first; returns its size. A library's heap takes seconds to compile."""
    i = size
    while i > 0:
        parent = (i - 1) >> 1
        if heap[parent] <= key:
            break
        heap[i] = heap[parent]
        i = parent
    heap[i] = key
    return size + 1


@_kernel
def _pop(heap: Longs, size: int) -> int:
    """Take the least key out; returns the size that is left."""
    size -= 1
    key = heap[size]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= key:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = key
    return size


@_kernel
def _eliminate(n: int, tail: Ints, head: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Rank of each node, and parent and higher neighbours by rank."""
    # STEP 1: neighbours of each node, each once; lists that outgrow their room move to the end of the pool.
    begin = np.zeros(n + 1, np.int64)
    for a in range(tail.size):
        begin[tail[a] + 1] += 1
        begin[head[a] + 1] += 1
    for i in range(n):
        begin[i + 1] += begin[i]
    used = begin[n]
    pool = np.empty(4 * used + 16, np.int32)
    room = begin[1:] - begin[:-1]
    length = np.zeros(n, np.int64)
    for a in range(tail.size):
        pool[begin[tail[a]] + length[tail[a]]] = head[a]
        pool[begin[head[a]] + length[head[a]]] = tail[a]
        length[tail[a]] += 1
        length[head[a]] += 1
    mark = np.full(n, -1, np.int64)
    for i in range(n):
        count = 0
        for q in range(begin[i], begin[i] + length[i]):
            if mark[pool[q]] != i:
                mark[pool[q]] = i
                pool[begin[i] + count] = pool[q]
                count += 1
        length[i] = count
    # STEP 2: take nodes out. Entries of the queue that are no longer true are passed over.
    level = np.zeros(n, np.int64)
    rank = np.full(n, -1, np.int32)
    first_up = np.zeros(n + 1, np.int32)
    above = np.empty(2 * used + 16, np.int32)
    edges = 0
    queue = np.empty(2 * n + 16, np.int64)
    waiting = 0
    for i in range(n):
        waiting = _push(queue, waiting, (max(length[i], NO_FILL) << (LEVEL_BITS + NUMBER_BITS)) | i)
    neighbours = np.empty(n, np.int32)
    stamp = np.int64(n)
    placed = 0
    while placed < n:
        key = queue[0]
        waiting = _pop(queue, waiting)
        x = key & ((1 << NUMBER_BITS) - 1)
        if rank[x] >= 0 or key >> NUMBER_BITS != (max(length[x], NO_FILL) << LEVEL_BITS) | level[x]:
            continue
        rank[x] = placed
        placed += 1
        count = length[x]
        neighbours[:count] = pool[begin[x] : begin[x] + count]
        if edges + count > above.size:
            grown = np.empty(2 * above.size + count, np.int32)
            grown[:edges] = above[:edges]
            above = grown
        above[edges : edges + count] = neighbours[:count]
        edges += count
        first_up[placed] = edges
        for j in range(count):
            a = neighbours[j]
            stamp += 1
            mark[a] = stamp
            for q in range(begin[a], begin[a] + length[a]):
                mark[pool[q]] = stamp
            if length[a] + count > room[a]:
                room[a] = 2 * (length[a] + count)
                if used + room[a] > pool.size:
                    bigger = np.empty(2 * (used + room[a]), np.int32)
                    bigger[:used] = pool[:used]
                    pool = bigger
                pool[used : used + length[a]] = pool[begin[a] : begin[a] + length[a]]
                begin[a] = used
                used += room[a]
            last = begin[a] + length[a] - 1
            for q in range(begin[a], last + 1):
                if pool[q] == x:
                    pool[q] = pool[last]
                    break
            length[a] -= 1
            for i in range(count):
                if mark[neighbours[i]] != stamp:
                    pool[begin[a] + length[a]] = neighbours[i]
                    length[a] += 1
            level[a] = max(level[a], level[x] + 1)
            if waiting == queue.size:
                longer = np.empty(2 * waiting, np.int64)
                longer[:waiting] = queue
                queue = longer
            waiting = _push(queue, waiting, (((max(length[a], NO_FILL) << LEVEL_BITS) | level[a]) << NUMBER_BITS) | a)
    # STEP 3: nodes become ranks.
    above = above[:edges].copy()
    parent = np.full(n, -1, np.int32)
    for i in range(n):
        mine = above[first_up[i] : first_up[i + 1]]
        for q in range(mine.size):  # few, so put each in its place; a library's sort takes seconds to compile
            value = rank[mine[q]]
            j = q
            while j > 0 and mine[j - 1] > value:
                mine[j] = mine[j - 1]
                j -= 1
            mine[j] = value
        if mine.size > 0:
            parent[i] = mine[0]
    return rank, parent, first_up, above


@_kernel
def _triangles(first_up: Ints, above: Ints) -> tuple[Ints, Longs, Ints, Ints]:
    """Third edge of each triangle, and for each edge the two others of the triangles that it closes."""
    total = 0
    for v in range(first_up.size - 1):
        degree = first_up[v + 1] - first_up[v]
        total += degree * (degree - 1) // 2
    triangle = np.empty(total, np.int32)
    first = np.zeros(above.size + 1, np.int64)
    k = 0
    for v in range(first_up.size - 1):
        for i in range(first_up[v], first_up[v + 1]):
            e = first_up[above[i]]
            for j in range(i + 1, first_up[v + 1]):  # both lists ascend
                while above[e] != above[j]:
                    e += 1
                triangle[k] = e
                first[e + 1] += 1
                k += 1
    for e in range(above.size):
        first[e + 1] += first[e]
    via = np.empty(total, np.int32)
    then = np.empty(total, np.int32)
    end = first[:-1].copy()
    k = 0
    for v in range(first_up.size - 1):
        for i in range(first_up[v], first_up[v + 1]):
            for j in range(i + 1, first_up[v + 1]):
                e = triangle[k]
                via[end[e]] = i
                then[end[e]] = j
                end[e] += 1
                k += 1
    return triangle, first, via, then


@_kernel
def _edges_of_slots(
    rank: Ints, first_up: Ints, above: Ints, tail: Ints, head: Ints, chosen: Bools
) -> tuple[Ints, Bools, Longs, Ints]:
    """Edge and direction of each slot, and the slots of each edge and direction."""
    slot_edge = np.full(tail.size, -1, np.int32)
    slot_up = np.zeros(tail.size, np.bool_)
    first = np.zeros(2 * above.size + 1, np.int64)
    for slot in range(tail.size):
        if chosen[slot]:
            slot_up[slot] = rank[tail[slot]] < rank[head[slot]]
            low = min(rank[tail[slot]], rank[head[slot]])
            high = max(rank[tail[slot]], rank[head[slot]])
            e = first_up[low] + np.searchsorted(above[first_up[low] : first_up[low + 1]], high)
            slot_edge[slot] = e
            first[(2 * e if slot_up[slot] else 2 * e + 1) + 1] += 1
    for i in range(2 * above.size):
        first[i + 1] += first[i]
    own = np.empty(first[2 * above.size], np.int32)
    end = first[:-1].copy()
    for slot in range(tail.size):
        if chosen[slot]:
            i = 2 * slot_edge[slot] if slot_up[slot] else 2 * slot_edge[slot] + 1
            own[end[i]] = slot
            end[i] += 1
    return slot_edge, slot_up, first, own


@_kernel
def _weigh(tree: Hierarchy, cost: Floats, classes: Ints, found: Weights) -> None:
    """One class after another. Unsigned numbers spare a look for negative ones."""
    for c in classes:
        up = found.up[c]
        down = found.down[c]
        up[:] = np.inf
        down[:] = np.inf
        for slot in range(tree.slot_edge.size):
            e = tree.slot_edge[slot]
            if e >= 0:
                price = cost[c, slot]
                if tree.slot_up[slot]:
                    up[e] = min(up[e], price)
                else:
                    down[e] = min(down[e], price)
        k = np.uint64(0)
        one = np.uint64(1)
        for v in range(tree.parent.size):
            last = np.uint64(tree.first_up[v + 1])
            for i in range(np.uint64(tree.first_up[v]), last):
                up_i = up[i]
                down_i = down[i]
                for j in range(i + one, last):
                    e = np.uint64(tree.triangle[k])
                    k += one
                    up[e] = min(up[e], down_i + up[j])
                    down[e] = min(down[e], down[j] + up_i)


@_kernel
def _weigh_lanes(tree: Hierarchy, cost: Floats, classes: Ints, found: Weights) -> None:
    """Four classes side by side; their number is a multiple of four."""
    edges = tree.above.size
    up = np.empty((edges, LANES))
    down = np.empty((edges, LANES))
    one = np.uint64(1)
    for c in range(0, classes.size, LANES):
        up[:] = np.inf
        down[:] = np.inf
        for lane in range(LANES):
            price = cost[classes[c + lane]]
            for slot in range(tree.slot_edge.size):
                e = tree.slot_edge[slot]
                if e >= 0:
                    if tree.slot_up[slot]:
                        up[e, lane] = min(up[e, lane], price[slot])
                    else:
                        down[e, lane] = min(down[e, lane], price[slot])
        k = np.uint64(0)
        for v in range(tree.parent.size):
            last = np.uint64(tree.first_up[v + 1])
            for i in range(np.uint64(tree.first_up[v]), last):
                up_0, up_1, up_2, up_3 = up[i, 0], up[i, 1], up[i, 2], up[i, 3]
                down_0, down_1, down_2, down_3 = down[i, 0], down[i, 1], down[i, 2], down[i, 3]
                for j in range(i + one, last):
                    e = np.uint64(tree.triangle[k])
                    k += one
                    over_0 = down_0 + up[j, 0]
                    over_1 = down_1 + up[j, 1]
                    over_2 = down_2 + up[j, 2]
                    over_3 = down_3 + up[j, 3]
                    here_0, here_1, here_2, here_3 = up[e, 0], up[e, 1], up[e, 2], up[e, 3]
                    up[e, 0] = over_0 if over_0 < here_0 else here_0
                    up[e, 1] = over_1 if over_1 < here_1 else here_1
                    up[e, 2] = over_2 if over_2 < here_2 else here_2
                    up[e, 3] = over_3 if over_3 < here_3 else here_3
                    over_0 = down[j, 0] + up_0
                    over_1 = down[j, 1] + up_1
                    over_2 = down[j, 2] + up_2
                    over_3 = down[j, 3] + up_3
                    here_0, here_1, here_2, here_3 = down[e, 0], down[e, 1], down[e, 2], down[e, 3]
                    down[e, 0] = over_0 if over_0 < here_0 else here_0
                    down[e, 1] = over_1 if over_1 < here_1 else here_1
                    down[e, 2] = over_2 if over_2 < here_2 else here_2
                    down[e, 3] = over_3 if over_3 < here_3 else here_3
        for lane in range(LANES):
            up_row = found.up[classes[c + lane]]
            down_row = found.down[classes[c + lane]]
            for e in range(edges):
                up_row[e] = up[e, lane]
                down_row[e] = down[e, lane]


@_kernel
def _descend(tree: Hierarchy, down: Floats, v: np.uint64, label: Floats) -> None:
    """Least costs of a node from those of its higher neighbours."""
    here_0 = label[v, 0]
    here_1 = label[v, 1]
    here_2 = label[v, 2]
    here_3 = label[v, 3]
    for e in range(np.uint64(tree.first_up[v]), np.uint64(tree.first_up[v + np.uint64(1)])):
        w = np.uint64(tree.above[e])
        step = down[e]
        over_0 = label[w, 0] + step
        over_1 = label[w, 1] + step
        over_2 = label[w, 2] + step
        over_3 = label[w, 3] + step
        here_0 = over_0 if over_0 < here_0 else here_0
        here_1 = over_1 if over_1 < here_1 else here_1
        here_2 = over_2 if over_2 < here_2 else here_2
        here_3 = over_3 if over_3 < here_3 else here_3
    label[v, 0] = here_0
    label[v, 1] = here_1
    label[v, 2] = here_2
    label[v, 3] = here_3


@_kernel
def _search(
    tree: Hierarchy, cost: Floats, found: Weights, wanted: Forest, trees: Ints, limit: Floats
) -> tuple[Ints, npt.NDArray[np.int64], Ints]:
    n = tree.parent.size
    label = np.full((n, LANES), np.inf)
    lower = np.empty((n, LANES), np.int32)
    climbed = np.empty((n, LANES), np.int32)
    visit = np.empty(n, np.int32)  # targets and their ancestors, parents first
    visited = np.full(n, -1, np.int64)
    # The tree as far as it is unpacked: which tree a node was last in, and whence and by which slot it is reached.
    grown = np.full(n, -1, np.int64)
    before = np.empty(n, np.int32)
    slot_in = np.empty(n, np.int32)
    # Edges still to unpack, and whether each is taken upwards. An unpacked edge leaves two, of lower rank, so that a
    # path never has more than n waiting besides its own.
    edge = np.empty(4 * n + 4, np.int32)
    rises = np.empty(4 * n + 4, np.bool_)
    # What edges stand for, found once for each class: the class, by edge and direction, and the answer.
    asked = np.full(2 * tree.above.size, -1, np.int32)
    one_part = np.empty(2 * tree.above.size, np.int32)
    other_part = np.empty(2 * tree.above.size, np.int32)
    target = np.empty(64, np.int32)
    first = np.zeros(65, np.int64)
    slots = np.empty(1024, np.int32)
    paths = 0
    end = 0
    begin = 0
    while begin < trees.size:
        # STEP 1: some trees of a class go side by side. Climb from the source of each.
        c = wanted.class_index[trees[begin]]
        up = found.up[c]
        down = found.down[c]
        price = cost[c]
        last = begin + 1
        while last < trees.size and last < begin + LANES and wanted.class_index[trees[last]] == c:
            last += 1
        for i in range(begin, last):
            lane = i - begin
            v = tree.rank[wanted.source[trees[i]]]
            label[v, lane] = 0.0
            while v >= 0:
                here = label[v, lane]
                if here < np.inf:
                    for e in range(tree.first_up[v], tree.first_up[v + 1]):
                        w = tree.above[e]
                        reach = here + up[e]
                        if reach < label[w, lane]:
                            label[w, lane] = reach
                            lower[w, lane] = v
                            climbed[w, lane] = e
                v = tree.parent[v]
        # STEP 2: come down to the targets.
        visits = 0
        for i in range(begin, last):
            for j in range(wanted.first_target[trees[i]], wanted.first_target[trees[i] + 1]):
                v = tree.rank[wanted.target[j]]
                height = 0
                while v >= 0 and visited[v] != begin:
                    visited[v] = begin
                    edge[height] = v
                    height += 1
                    v = tree.parent[v]
                for h in range(height - 1, -1, -1):
                    visit[visits] = edge[h]
                    visits += 1
        for i in range(visits):
            _descend(tree, down, np.uint64(visit[i]), label)
        for lane in range(last - begin):
            t = trees[begin + lane]
            origin = tree.rank[wanted.source[t]]
            grown[origin] = t
            for j in range(wanted.first_target[t], wanted.first_target[t + 1]):
                goal = tree.rank[wanted.target[j]]
                wanted.distance[j] = label[goal, lane]
                if not label[goal, lane] < limit[j]:
                    continue
                # STEP 3: edges from the tree so far to the target, the last on the bottom. Which way down a node was
                # reached shows in the sums.
                v = goal
                height = 0
                while grown[v] != t:
                    above = -1
                    for e in range(tree.first_up[v], tree.first_up[v + 1]):
                        if label[tree.above[e], lane] + down[e] == label[v, lane]:
                            edge[height] = e
                            rises[height] = False
                            height += 1
                            above = tree.above[e]
                            break
                    if above < 0:
                        break
                    v = above
                while grown[v] != t:
                    edge[height] = climbed[v, lane]
                    rises[height] = True
                    height += 1
                    v = lower[v, lane]
                # STEP 4: unpack in order of travel. A node that is in the tree stays as it is: another way to it costs
                # as much, and a circle nothing.
                while height > 0:
                    height -= 1
                    e = edge[height]
                    rising = rises[height]
                    w = tree.above[e] if rising else tree.below[e]
                    if grown[w] == t:
                        v = w
                        continue
                    both = 2 * e if rising else 2 * e + 1
                    if asked[both] != c:
                        asked[both] = c
                        weight = up[e] if rising else down[e]
                        via = -1
                        then = -1
                        for q in range(tree.first_own[both], tree.first_own[both + 1]):
                            if price[tree.own[q]] == weight:
                                via = tree.own[q]
                                break
                        if via < 0:
                            for q in range(tree.first_way[e], tree.first_way[e + 1]):
                                via = tree.way_via[q] if rising else tree.way_then[q]
                                then = tree.way_then[q] if rising else tree.way_via[q]
                                if down[via] + up[then] == weight:
                                    break
                        one_part[both] = via
                        other_part[both] = then
                    via = one_part[both]
                    then = other_part[both]
                    if then >= 0:
                        edge[height] = then
                        rises[height] = True
                        edge[height + 1] = via
                        rises[height + 1] = False
                        height += 2
                        continue
                    grown[w] = t
                    before[w] = v
                    slot_in[w] = via
                    v = w
                # STEP 5: read the path off the tree.
                v = goal
                while v != origin:
                    end += 1
                    v = before[v]
                if end > slots.size:
                    longer = np.empty(2 * end, np.int32)
                    longer[: first[paths]] = slots[: first[paths]]
                    slots = longer
                v = goal
                k = end
                while v != origin:
                    k -= 1
                    slots[k] = slot_in[v]
                    v = before[v]
                if paths == target.size:
                    more_targets = np.empty(2 * paths, np.int32)
                    more_targets[:paths] = target
                    target = more_targets
                    more_ends = np.empty(2 * paths + 1, np.int64)
                    more_ends[: paths + 1] = first
                    first = more_ends
                target[paths] = j
                paths += 1
                first[paths] = end
        # STEP 6: forget.
        for i in range(begin, last):
            v = tree.rank[wanted.source[trees[i]]]
            while v >= 0:
                label[v, i - begin] = np.inf
                v = tree.parent[v]
        for i in range(visits):
            for lane in range(LANES):
                label[visit[i], lane] = np.inf
        begin = last
    return target[:paths].copy(), first[: paths + 1].copy(), slots[:end].copy()
