"""Shortest paths over large sparse networks: chains are contracted once, searches run over what is left.

Problem
    Given nonnegative arc costs on a directed graph, find least-cost trees from one node and least-cost paths between
    two, on networks of which most nodes only carry a line on (two thirds of a world railway graph).
Notation
    A *pair* is an unordered pair of neighbouring nodes; pair e has two *codes*, 2e from its lower node to its higher
    and 2e + 1 back, each with a cost (infinite where no arc leads that way). Codes stand for arcs, or for a way through
    a node taken out.
Method
    Nodes with at most ``most_neighbours`` neighbours are taken out one after another; each pair of its neighbours gets
    the way through it, unless a cheaper one is there. In a round no two neighbours go, so that a chain of l nodes
    folds up in about log l rounds. What cannot be taken out is the *core*. This order knows nothing of costs: new ones
    are weighed in by one pass over the triangles (Dibbelt, Strasser and Wagner, 2016, contract everything this way).
    A tree: climb from the source to the core, Dijkstra's search over the core, then down again, each node once, in
    reverse order (as Delling and others, 2013). A path: climb from both ends, then search the core from both sides
    until the two radii together pass the best meeting (Pohl, 1971).
    `landbridge.model.hierarchy` takes out every node, for assignments that ask by the thousand; with a core left over,
    graphs of any size are made ready in a fraction of a second.
Exactness
    Costs through nodes taken out are sums in another order than along the path; they differ from a plain search in the
    last digits only. Adding rounded nonnegative numbers is monotone, so no cycle can enter a tree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from landbridge.errors import NoRoute
from landbridge.model.paths import Graph

__all__ = ["Contracted", "Contraction", "LargeTree", "contract", "path_between", "path_in", "tree_from", "weigh"]

Ints: TypeAlias = npt.NDArray[np.int32]
Floats: TypeAlias = npt.NDArray[np.float64]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _kernel(function: _Function) -> _Function:
    """Compile on first use and keep on disk."""
    return cast(_Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


@dataclass(frozen=True, eq=False)
class Contraction:
    """The order in which nodes are taken out of a graph, without any cost; made by `contract`.

    Attributes
    ----------
    node_count
        Nodes of the graph, n.
    ends : int32[2P]
        Node that each code leaves; that of ``code ^ 1`` is the one it enters.
    arc_code : int32[m]
        Code of each arc; -1 for a loop.
    order : int32[R]
        The nodes taken out, first to last.
    first_up, up, up_head : int32[R + 1], int32[U], int32[U]
        Codes from the r-th node taken out to its neighbours at that time, ``up[first_up[r]:first_up[r + 1]]``, and
        the positions of these neighbours.
    triangles : int32[T, 3]
        Codes a to v, v to b, and a to b, in the order in which nodes v were taken out.
    place : int32[n]
        Position of each node: the C nodes of the core come first, then those taken out in their order.
    first_core, core_code, core_head : int32
        The core's codes by the position they leave, and the positions they enter.
    """

    node_count: int
    ends: Ints
    arc_code: Ints
    order: Ints
    first_up: Ints
    up: Ints
    up_head: Ints
    triangles: npt.NDArray[np.int32]
    place: Ints
    first_core: Ints
    core_code: Ints
    core_head: Ints


@dataclass(frozen=True, eq=False)
class Contracted:
    """A contraction under costs; made by `weigh`.

    Holds room for searches, so that one of these must not be searched by two threads at once.

    Attributes
    ----------
    contraction
        The order.
    cost : float64[2P]
        Cost of each code.
    part : int32[2P]
        Arc of a code, or -2 - t where it stands for triangle t; -1 where it is forbidden.
    """

    contraction: Contraction
    cost: Floats
    part: Ints
    core_out: Floats
    core_in: Floats
    up_out: Floats
    up_in: Floats
    room: tuple[Any, ...] = field(repr=False)


@dataclass(frozen=True, eq=False)
class LargeTree:
    """Least-cost paths from one source.

    Attributes
    ----------
    source
        Where the paths begin.
    distance : float64[n]
        Least cost to each node; infinite where no path leads.
    code_in : int32[n]
        Last code of the path to each node; -1 at the source and where no path leads. `path_in` turns it into arcs.
    """

    source: int
    distance: Floats
    code_in: Ints


def contract(graph: Graph, most_neighbours: int = 6) -> Contraction:
    """Take out nodes with few neighbours.

    Parameters
    ----------
    graph
        The graph; parallel arcs and loops are allowed.
    most_neighbours
        Nodes with more neighbours stay: 0 keeps all nodes but those that stand alone, 2 contracts dead ends
        and chains, more take out junctions too, at the price of more pairs in the core.

    Returns
    -------
    Contraction
    """
    if most_neighbours < 0:
        raise ValueError(f"most_neighbours: wanted a number >= 0, got {most_neighbours}")
    n = graph.node_count
    low, high = np.minimum(graph.tail, graph.head).astype(np.int64), np.maximum(graph.tail, graph.head)
    loop = low == high
    keys, pair = np.unique((low * n + high)[~loop], return_inverse=True)
    ends = np.empty(2 * len(keys), np.int32)
    ends[0::2], ends[1::2] = keys // max(n, 1), keys % max(n, 1)
    arc_code = np.full(graph.tail.size, -1, np.int32)
    arc_code[~loop] = 2 * pair + (graph.tail > graph.head)[~loop]
    ends, order, first_up, up, triangles = _take_out(n, ends, most_neighbours)
    out = np.zeros(n, np.bool_)
    out[order] = True
    core = np.flatnonzero(~out).astype(np.int32)
    place = np.empty(n, np.int32)
    place[core] = np.arange(len(core), dtype=np.int32)
    place[order] = len(core) + np.arange(len(order), dtype=np.int32)
    inside = np.flatnonzero(~out[ends] & ~out[ends[np.arange(len(ends)) ^ 1]]).astype(np.int32)
    inside = inside[np.argsort(place[ends[inside]], kind="stable")]
    first_core = np.zeros(len(core) + 1, np.int32)
    np.cumsum(np.bincount(place[ends[inside]], minlength=len(core)), out=first_core[1:])
    return Contraction(
        n, ends, arc_code, order, first_up, up, place[ends[up ^ 1]], triangles, place, first_core, inside,
        place[ends[inside ^ 1]],
    )  # fmt: skip


def weigh(contraction: Contraction, cost: npt.ArrayLike) -> Contracted:
    """Put costs on a contraction.

    Parameters
    ----------
    contraction
        From `contract`.
    cost : float64[m]
        Cost of each arc of its graph; nonnegative, ``inf`` forbids.

    Returns
    -------
    Contracted

    Raises
    ------
    ValueError
        If a cost is negative or not a number, or their number is wrong.
    """
    array = np.ascontiguousarray(cost, np.float64)
    if array.shape != contraction.arc_code.shape:
        raise ValueError(f"wanted one cost for each of {contraction.arc_code.size} arcs, got shape {array.shape}")
    wrong = np.flatnonzero(~(array >= 0.0))
    if wrong.size:
        raise ValueError(f"cost of arc {wrong[0]}: wanted a number >= 0 or inf, got {array[wrong[0]]}")
    by_code, part = _weigh(contraction.ends.size, contraction.arc_code, contraction.triangles, array)
    n, slots = contraction.node_count, len(contraction.core_code) + 1
    side = [
        (np.full(n, np.inf), np.full(n, -1, np.int32), np.empty(n + slots, np.int32), np.empty(n + slots),
         np.empty(n + 1, np.int32))
        for _ in range(2)
    ]  # fmt: skip
    return Contracted(
        contraction,
        by_code,
        part,
        by_code[contraction.core_code],
        by_code[contraction.core_code ^ 1],
        by_code[contraction.up],
        by_code[contraction.up ^ 1],
        (*side[0], *side[1]),
    )


def tree_from(contracted: Contracted, source: int) -> LargeTree:
    """Find the least-cost paths from one node to all others.

    Parameters
    ----------
    contracted
        From `weigh`.
    source
        Where the paths begin.

    Returns
    -------
    LargeTree

    Raises
    ------
    ValueError
        If the source is no node.
    """
    c = contracted.contraction
    _check_node(c, source, "source")
    distance = np.empty(c.node_count)
    code_in = np.empty(c.node_count, np.int32)
    _, _, heap, key, *_ = contracted.room
    _grow(
        source, c.first_up, c.up, c.up_head, c.place, c.first_core, c.core_code, c.core_head,
        contracted.core_out, contracted.up_out, contracted.up_in, distance, code_in, heap, key,
    )  # fmt: skip
    return LargeTree(source, distance, code_in)


def path_in(contracted: Contracted, tree: LargeTree, target: int) -> Ints:
    """Read one path off a tree.

    Parameters
    ----------
    contracted
        That the tree was found in.
    tree
        From `tree_from`.
    target
        Where the path ends.

    Returns
    -------
    int32[L]
        Arcs in order of travel; empty when the target is the source.

    Raises
    ------
    NoRoute
        If the tree does not reach the target.
    """
    _check_node(contracted.contraction, target, "target")
    if not np.isfinite(tree.distance[target]):
        raise NoRoute(f"no path from node {tree.source} to node {target}")
    codes = []
    node = target
    while node != tree.source:
        code = int(tree.code_in[node])
        codes.append(code)
        node = int(contracted.contraction.ends[code])
    return _unpack(np.array(codes[::-1], np.int32), contracted.part, contracted.contraction.triangles)


def path_between(contracted: Contracted, source: int, target: int) -> tuple[float, Ints] | None:
    """Find one least-cost path.

    Parameters
    ----------
    contracted
        From `weigh`.
    source, target
        Where the path begins and ends.

    Returns
    -------
    tuple or None
        Cost and arcs in order of travel; None when the two nodes are not joined.

    Raises
    ------
    ValueError
        If an end is no node.
    """
    c = contracted.contraction
    _check_node(c, source, "source")
    _check_node(c, target, "target")
    cost, codes = _meet(
        source, target, c.ends, c.first_up, c.up, c.up_head, c.place, c.first_core, c.core_code, c.core_head,
        contracted.core_out, contracted.core_in, contracted.up_out, contracted.up_in, contracted.room,
    )  # fmt: skip
    if not np.isfinite(cost):
        return None
    return cost, _unpack(codes, contracted.part, c.triangles)


def _check_node(contraction: Contraction, node: int, name: str) -> None:
    if not 0 <= node < contraction.node_count:
        raise ValueError(f"{name}: wanted a node below {contraction.node_count}, got {node}")


@_kernel
def _take_out(n: int, ends: Ints, most: int) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """The elimination game on neighbours' lists that are linked both ways."""
    codes = ends.size
    room = 2 * codes + 16
    home = np.empty(room, np.int32)
    home[:codes] = ends
    after = np.full(room, -1, np.int32)
    before = np.full(room, -1, np.int32)
    first = np.full(n, -1, np.int32)
    degree = np.zeros(n, np.int32)
    for code in range(codes - 1, -1, -1):
        u = home[code]
        after[code] = first[u]
        if first[u] >= 0:
            before[first[u]] = code
        first[u] = code
        degree[u] += 1
    order = np.empty(n, np.int32)
    first_up = np.zeros(n + 1, np.int32)
    up = np.empty(n * max(most, 1), np.int32)
    rows = 1024
    triangles = np.empty((rows, 3), np.int32)
    made = 0
    gone = np.zeros(n, np.bool_)
    waits = np.zeros(n, np.bool_)
    touched = np.full(n, -1, np.int32)  # the round in which a neighbour went
    now = np.empty(n, np.int32)
    size = 0
    for u in range(n):
        if degree[u] <= most:
            now[size] = u
            size += 1
            waits[u] = True
    later = np.empty(n, np.int32)
    out = 0
    filled = 0
    turn = 0
    near = np.empty(max(most, 1), np.int32)
    while size > 0:
        further = 0
        for i in range(size):
            v = now[i]
            if touched[v] == turn:
                later[further] = v
                further += 1
                continue
            waits[v] = False
            if degree[v] > most:
                continue
            count = 0
            code = first[v]
            while code >= 0:
                near[count] = code
                count += 1
                code = after[code]
            gone[v] = True
            order[out] = v
            for j in range(count):
                up[filled + j] = near[j]
                # take v out of its neighbour's list
                mirror = near[j] ^ 1
                w = home[mirror]
                if before[mirror] >= 0:
                    after[before[mirror]] = after[mirror]
                else:
                    first[w] = after[mirror]
                if after[mirror] >= 0:
                    before[after[mirror]] = before[mirror]
                degree[w] -= 1
                touched[w] = turn
            filled += count
            out += 1
            first_up[out] = filled
            for j in range(count):
                a = home[near[j] ^ 1]
                for k in range(j + 1, count):
                    b = home[near[k] ^ 1]
                    # the pair a, b: look through the shorter list
                    if degree[a] <= degree[b]:
                        code = first[a]
                        while code >= 0 and home[code ^ 1] != b:
                            code = after[code]
                    else:
                        code = first[b]
                        while code >= 0 and home[code ^ 1] != a:
                            code = after[code]
                        if code >= 0:
                            code ^= 1
                    if code < 0:
                        if codes + 2 > room:
                            room *= 2
                            more = np.empty((3, room), np.int32)
                            more[0, :codes] = home[:codes]
                            more[1, :codes] = after[:codes]
                            more[2, :codes] = before[:codes]
                            home, after, before = more[0], more[1], more[2]
                        code = codes
                        codes += 2
                        home[code] = a
                        home[code ^ 1] = b
                        for half in (code, code ^ 1):
                            w = home[half]
                            before[half] = -1
                            after[half] = first[w]
                            if first[w] >= 0:
                                before[first[w]] = half
                            first[w] = half
                            degree[w] += 1
                    if made + 2 > rows:
                        rows *= 2
                        longer = np.empty((rows, 3), np.int32)
                        longer[:made] = triangles[:made]
                        triangles = longer
                    triangles[made, 0] = near[j] ^ 1
                    triangles[made, 1] = near[k]
                    triangles[made, 2] = code
                    triangles[made + 1, 0] = near[k] ^ 1
                    triangles[made + 1, 1] = near[j]
                    triangles[made + 1, 2] = code ^ 1
                    made += 2
            for j in range(count):
                w = home[near[j] ^ 1]
                if degree[w] <= most and not waits[w]:
                    waits[w] = True
                    later[further] = w
                    further += 1
        now, later = later, now
        size = further
        turn += 1
    return home[:codes].copy(), order[:out].copy(), first_up[: out + 1].copy(), up[:filled].copy(), triangles[:made]


@_kernel
def _weigh(codes: int, arc_code: Ints, triangles: Ints, price: Floats) -> tuple[Floats, Ints]:
    cost = np.full(codes, np.inf)
    part = np.full(codes, -1, np.int32)
    for arc in range(arc_code.size):
        code = arc_code[arc]
        if code >= 0 and price[arc] < cost[code]:
            cost[code] = price[arc]
            part[code] = arc
    for t in range(len(triangles)):
        through = cost[triangles[t, 0]] + cost[triangles[t, 1]]
        code = triangles[t, 2]
        if through < cost[code]:
            cost[code] = through
            part[code] = -2 - t
    return cost, part


@_kernel
def _unpack(codes: Ints, part: Ints, triangles: Ints) -> Ints:
    """Arcs of a chain of codes; triangles open from the last to the first on a stack."""
    arcs = np.empty(64, np.int32)
    count = 0
    stack = np.empty(64, np.int32)
    for i in range(codes.size):
        stack[0] = codes[i]
        height = 1
        while height > 0:
            height -= 1
            what = part[stack[height]]
            if what >= 0:
                if count == arcs.size:
                    more = np.empty(2 * count, np.int32)
                    more[:count] = arcs
                    arcs = more
                arcs[count] = what
                count += 1
            else:
                if height + 2 > stack.size:
                    taller = np.empty(2 * stack.size, np.int32)
                    taller[:height] = stack[:height]
                    stack = taller
                stack[height] = triangles[-2 - what, 1]
                stack[height + 1] = triangles[-2 - what, 0]
                height += 2
    return arcs[:count].copy()


@_kernel
def _sink(heap: Ints, key: Floats, size: int) -> None:
    """Let the element behind the last sink from the root."""
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
        i = least
    heap[i] = x
    key[i] = key_x


@_kernel
def _push(heap: Ints, key: Floats, size: int, w: int, label: float) -> None:
    """Put an element behind the last and let it rise.

    A node that gets better is put in again, and its old entry passed over: on networks of few ways that is rare, and
    costs less than to keep where each node is.
    """
    i = size
    while i > 0:
        parent = (i - 1) >> 2
        if key[parent] <= label:
            break
        heap[i] = heap[parent]
        key[i] = key[parent]
        i = parent
    heap[i] = w
    key[i] = label


@_kernel
def _climb(
    start: int,
    first_up: Ints,
    up: Ints,
    up_head: Ints,
    up_cost: Floats,
    core: int,
    distance: Floats,
    code_in: Ints,
    seen: Ints,
    backward: int,
) -> int:
    """Labels of all positions that can be reached by going up, listed in ``seen``; returns how many they are."""
    distance[start] = 0.0
    code_in[start] = -1
    seen[0] = start
    count = 1
    done = 0
    while done < count:
        # the one taken out first among those that wait; few wait at any time
        best = -1
        for i in range(done, count):
            if seen[i] >= core and (best < 0 or seen[i] < seen[best]):
                best = i
        if best < 0:
            break
        seen[done], seen[best] = seen[best], seen[done]
        v = seen[done]
        done += 1
        for j in range(first_up[v - core], first_up[v - core + 1]):
            label = distance[v] + up_cost[j]
            w = up_head[j]
            if label < distance[w]:
                if distance[w] == np.inf:
                    seen[count] = w
                    count += 1
                distance[w] = label
                code_in[w] = up[j] ^ backward
    return count


@_kernel
def _grow(
    source: int,
    first_up: Ints,
    up: Ints,
    up_head: Ints,
    place: Ints,
    first_core: Ints,
    core_code: Ints,
    core_head: Ints,
    core_out: Floats,
    up_out: Floats,
    up_in: Floats,
    distance: Floats,
    code_in: Ints,
    heap: Ints,
    key: Floats,
) -> None:
    n = distance.size
    core = first_core.size - 1
    label = np.full(n, np.inf)
    into = np.full(n, -1, np.int32)
    seen = np.empty(n, np.int32)
    # STEP 1: up to the core.
    count = _climb(place[source], first_up, up, up_head, up_out, core, label, into, seen, 0)
    # STEP 2: Dijkstra over the core.
    size = 0
    for i in range(count):
        if seen[i] < core:
            _push(heap, key, size, seen[i], label[seen[i]])
            size += 1
    while size > 0:
        u = heap[0]
        reached = key[0]
        size -= 1
        if size > 0:
            _sink(heap, key, size)
        if reached > label[u]:
            continue
        for slot in range(first_core[u], first_core[u + 1]):
            w = core_head[slot]
            trial = reached + core_out[slot]
            if trial < label[w]:
                label[w] = trial
                into[w] = core_code[slot]
                _push(heap, key, size, w, trial)
                size += 1
    # STEP 3: down again, the last taken out first.
    for v in range(n - 1, core - 1, -1):
        least = label[v]
        code = into[v]
        for j in range(first_up[v - core], first_up[v - core + 1]):
            trial = label[up_head[j]] + up_in[j]
            if trial < least:
                least = trial
                code = up[j] ^ 1
        label[v] = least
        into[v] = code
    for v in range(n):
        distance[v] = label[place[v]]
        code_in[v] = into[place[v]]


@_kernel
def _meet(
    source: int,
    target: int,
    ends: Ints,
    first_up: Ints,
    up: Ints,
    up_head: Ints,
    place: Ints,
    first_core: Ints,
    core_code: Ints,
    core_head: Ints,
    core_out: Floats,
    core_in: Floats,
    up_out: Floats,
    up_in: Floats,
    room: tuple[Any, ...],
) -> tuple[float, Ints]:
    """Search from both ends; the room's distances are infinite before and after."""
    ahead, ahead_in, ahead_heap, ahead_key, ahead_seen = room[0], room[1], room[2], room[3], room[4]
    back, back_in, back_heap, back_key, back_seen = room[5], room[6], room[7], room[8], room[9]
    core = first_core.size - 1
    start, end = place[source], place[target]
    # STEP 1: climb from both ends.
    ahead_count = _climb(start, first_up, up, up_head, up_out, core, ahead, ahead_in, ahead_seen, 0)
    back_count = _climb(end, first_up, up, up_head, up_in, core, back, back_in, back_seen, 1)
    best = np.inf
    middle = -1
    size = 0
    for i in range(ahead_count):
        v = ahead_seen[i]
        if ahead[v] + back[v] < best:
            best = ahead[v] + back[v]
            middle = v
        if v < core:
            _push(ahead_heap, ahead_key, size, v, ahead[v])
            size += 1
    other = 0
    for i in range(back_count):
        v = back_seen[i]
        if v < core:
            _push(back_heap, back_key, other, v, back[v])
            other += 1
    # STEP 2: the core, always from the side on which fewer nodes wait.
    while size > 0 and other > 0 and ahead_key[0] + back_key[0] < best:
        if size <= other:
            u = ahead_heap[0]
            reached = ahead_key[0]
            size -= 1
            if size > 0:
                _sink(ahead_heap, ahead_key, size)
            if reached > ahead[u]:
                continue
            for slot in range(first_core[u], first_core[u + 1]):
                w = core_head[slot]
                trial = reached + core_out[slot]
                if trial < ahead[w]:
                    if ahead[w] == np.inf:
                        ahead_seen[ahead_count] = w
                        ahead_count += 1
                    ahead[w] = trial
                    ahead_in[w] = core_code[slot]
                    _push(ahead_heap, ahead_key, size, w, trial)
                    size += 1
                    if trial + back[w] < best:
                        best = trial + back[w]
                        middle = w
        else:
            u = back_heap[0]
            reached = back_key[0]
            other -= 1
            if other > 0:
                _sink(back_heap, back_key, other)
            if reached > back[u]:
                continue
            for slot in range(first_core[u], first_core[u + 1]):
                w = core_head[slot]
                trial = reached + core_in[slot]
                if trial < back[w]:
                    if back[w] == np.inf:
                        back_seen[back_count] = w
                        back_count += 1
                    back[w] = trial
                    back_in[w] = core_code[slot] ^ 1
                    _push(back_heap, back_key, other, w, trial)
                    other += 1
                    if trial + ahead[w] < best:
                        best = trial + ahead[w]
                        middle = w
    # STEP 3: the path, and the room as it was.
    before = 0
    after = 0
    if middle >= 0:
        v = middle
        while v != start:
            v = place[ends[ahead_in[v]]]
            before += 1
        v = middle
        while v != end:
            v = place[ends[back_in[v] ^ 1]]
            after += 1
    codes = np.empty(before + after, np.int32)
    v = middle
    for i in range(before - 1, -1, -1):
        codes[i] = ahead_in[v]
        v = place[ends[ahead_in[v]]]
    v = middle
    for i in range(before, before + after):
        codes[i] = back_in[v]
        v = place[ends[back_in[v] ^ 1]]
    for i in range(ahead_count):
        ahead[ahead_seen[i]] = np.inf
    for i in range(back_count):
        back[back_seen[i]] = np.inf
    return best, codes
