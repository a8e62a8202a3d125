"""Large sparse networks contracted: nodes with few neighbours are taken out once, new costs are weighed in quickly.

Problem
    Given a directed graph of which most nodes only carry a line on (two thirds of a world railway graph), make it ready
    for searches (`landbridge.model.large_paths`), and make it ready again in a few milliseconds when all costs change.
Notation
    A *pair* is an unordered pair of neighbouring nodes; pair e has two *codes*, 2e from the end that is taken out first
    and 2e + 1 back, each with a cost (infinite where no arc leads that way). Codes stand for arcs, or for a way through
    a node taken out.
Method
    Nodes with at most ``most_neighbours`` neighbours are taken out one after another; each pair of its neighbours gets
    the way through it, unless a cheaper one is there. In a round no two neighbours go, so that a chain of l nodes
    folds up in about log l rounds. What cannot be taken out is the *core*. This order knows nothing of costs: new ones
    are weighed in by one pass over the triangles (Dibbelt, Strasser and Wagner, 2016, contract everything this way).
    That pass is bound by memory and not by arithmetic. Hence nodes are numbered anew, so that each follows those that
    were taken out below it (a post-order of the elimination tree): what a triangle writes is read again soon, while it
    is still near. Pairs are numbered by the node taken out, so that two sides of each triangle are read in a row and
    only the third is stored. What a code stands for is not noted down; unpacking looks for a triangle of that cost.
    `landbridge.model.hierarchy` takes out every node, for assignments that ask by the thousand; with a core left over,
    graphs of any size are made ready in a fraction of a second.
Exactness
    Costs through nodes taken out are sums in another order than along the path; they differ from a plain search in the
    last digits only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from landbridge.model.paths import Graph

__all__ = ["Contracted", "Contraction", "contract", "weigh"]

Ints: TypeAlias = npt.NDArray[np.int32]
Floats: TypeAlias = npt.NDArray[np.float64]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _kernel(function: _Function) -> _Function:
    """Compile on first use and keep on disk."""
    return cast(_Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


@dataclass(frozen=True, eq=False)
class Contraction:
    """The order in which nodes are taken out of a graph, without any cost; made by `contract`.

    Nodes have *positions*: the C nodes of the core come first, then the R taken out, in their order. The first U of
    the P pairs lead from the nodes taken out to the neighbours that they had then: pairs
    ``first_up[r]`` to ``first_up[r + 1]`` from the r-th, by falling closeness to the core; the others lie in the core.

    Attributes
    ----------
    node_count
        Nodes of the graph, n.
    ends : int32[2P]
        Node that each code leaves; that of ``code ^ 1`` is the one it enters.
    arc_code : int32[m]
        Code of each arc; -1 for a loop.
    arc : int32[2P]
        An arc of each code, the last; -1 where there is none.
    parallel
        Whether a code has several arcs.
    order : int32[R]
        The nodes taken out, first to last.
    first_up, up_head : int32[R + 1], int32[U]
        Pairs of each node taken out, and the positions that they lead to.
    triangle : int32[T]
        Pair that joins the far ends of two pairs of one node, for all two of each node, in order.
    first_low, low : int32[P + 1], int32[T, 2]
        The same by that pair: the two pairs whose far ends it joins, the first to the end that its even code leaves.
    place : int32[n]
        Position of each node.
    first_core, core_code, core_head : int32
        The core's codes by the position they leave, and the positions they enter.
    """

    node_count: int
    ends: Ints
    arc_code: Ints
    arc: Ints
    parallel: bool
    order: Ints
    first_up: Ints
    up_head: Ints
    triangle: Ints
    first_low: Ints
    low: Ints
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
    arc : int32[2P]
        The cheapest arc of each code.
    core_out, core_in : float64
        Cost of the core's codes, and of their opposites.
    """

    contraction: Contraction
    cost: Floats
    arc: Ints
    core_out: Floats
    core_in: Floats
    room: tuple[Any, ...] = field(repr=False)


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
    # STEP 1: pairs of neighbours, and the elimination.
    low, high = np.minimum(graph.tail, graph.head).astype(np.int64), np.maximum(graph.tail, graph.head)
    loop = low == high
    keys, pair_of_arc = np.unique((low * n + high)[~loop], return_inverse=True)
    begun = np.empty(2 * len(keys), np.int32)
    begun[0::2], begun[1::2] = keys // max(n, 1), keys % max(n, 1)
    ends, taken, first_found, found, sides = _take_out(n, begun, most_neighbours)
    # STEP 2: positions. Nodes taken out follow those below them in the elimination tree.
    height = np.full(n, n, np.int64)  # when each node goes; the core never does
    height[taken] = np.arange(len(taken))
    parent = _parents(first_found, height[ends[found ^ 1]], n)
    post = _post_order(parent)
    order = taken[post]
    core = np.flatnonzero(height == n).astype(np.int32)
    place = np.empty(n, np.int32)
    place[core] = np.arange(len(core), dtype=np.int32)
    place[order] = len(core) + np.arange(len(order), dtype=np.int32)
    last_is_core = np.where(place < len(core), place.astype(np.int64) + n, place)
    # STEP 3: pairs by the node taken out and by where they lead; those of the core by their ends.
    count = np.diff(first_found)
    first_up = np.zeros(len(order) + 1, np.int32)
    np.cumsum(count[post], out=first_up[1:])
    up = found[np.lexsort((last_is_core[ends[found ^ 1]], np.repeat(place[taken], count)))]
    inside = np.ones(len(ends) // 2, np.bool_)
    inside[up >> 1] = False
    rest = 2 * np.flatnonzero(inside).astype(np.int32)
    rest += place[ends[rest]] > place[ends[rest ^ 1]]
    old = np.concatenate([up, rest])  # the code of the elimination that is now even
    new_pair = np.empty(len(old), np.int32)
    new_pair[old >> 1] = np.arange(len(old), dtype=np.int32)
    arc_code = np.full(graph.tail.size, -1, np.int32)
    mine = 2 * pair_of_arc + (graph.tail > graph.head)[~loop]
    arc_code[~loop] = 2 * new_pair[mine >> 1] + ((mine ^ old[new_pair[mine >> 1]]) & 1)
    ends = np.column_stack([ends[old], ends[old ^ 1]]).astype(np.int32).ravel()
    arc = np.full(len(ends), -1, np.int32)
    arc[arc_code[~loop]] = np.flatnonzero(~loop)
    # STEP 4: triangles in the new order, and by the pair that they lie over.
    triangle, first_low, lower = _triangles(post, first_found, first_up, sides, new_pair, len(old))
    # STEP 5: the core's codes by the position that they leave.
    code = 2 * np.arange(len(up), len(old), dtype=np.int32)
    code = np.concatenate([code, code + 1])
    code = code[np.argsort(place[ends[code]], kind="stable")]
    first_core = np.zeros(len(core) + 1, np.int32)
    np.cumsum(np.bincount(place[ends[code]], minlength=len(core)), out=first_core[1:])
    return Contraction(
        n, ends, arc_code, arc, bool(np.count_nonzero(arc >= 0) < len(mine)), order, first_up,
        place[ends[1 : 2 * len(up) : 2]], triangle, first_low, lower, place, first_core, code, place[ends[code ^ 1]],
    )  # fmt: skip


def weigh(contraction: Contraction, cost: npt.ArrayLike, *, into: Contracted | None = None) -> Contracted:
    """Put costs on a contraction.

    Parameters
    ----------
    contraction
        From `contract`.
    cost : float64[m]
        Cost of each arc of its graph; nonnegative, ``inf`` forbids.
    into
        An earlier result for the same contraction that is no longer needed: its memory is used again, which saves
        about a third of the time on large graphs.

    Returns
    -------
    Contracted

    Raises
    ------
    ValueError
        If a cost is negative or not a number, their number is wrong, or ``into`` is of another contraction.
    """
    c = contraction
    array = np.ascontiguousarray(cost, np.float64)
    if array.shape != c.arc_code.shape:
        raise ValueError(f"wanted one cost for each of {c.arc_code.size} arcs, got shape {array.shape}")
    if into is None:
        n, slots = c.node_count, len(c.core_code) + 1
        side = [
            (np.full(n, np.inf), np.full(n, -1, np.int32), np.empty(n + slots, np.int32), np.empty(n + slots),
             np.empty(n + 1, np.int32))
            for _ in range(2)
        ]  # fmt: skip
        into = Contracted(
            c, np.empty(len(c.ends)), c.arc.copy() if c.parallel else c.arc, np.empty(len(c.core_code)),
            np.empty(len(c.core_code)), (*side[0], *side[1]),
        )  # fmt: skip
    elif into.contraction is not c:
        raise ValueError("into: wanted a result of the same contraction, got one of another")
    wrong = _weigh(
        array, c.arc_code, c.parallel, c.first_up, c.triangle, c.core_code,
        into.cost, into.arc, into.core_out, into.core_in,
    )  # fmt: skip
    if wrong >= 0:
        raise ValueError(f"cost of arc {wrong}: wanted a number >= 0 or inf, got {array[wrong]}")
    return into


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
def _parents(first: Ints, height: npt.NDArray[np.int64], never: int) -> Ints:
    """The next to go among the neighbours that each node leaves, -1 where these stay."""
    parent = np.full(first.size - 1, -1, np.int32)
    for r in range(first.size - 1):
        least = np.int64(never)
        for j in range(first[r], first[r + 1]):
            least = min(least, height[j])
        if least < never:
            parent[r] = least
    return parent


@_kernel
def _post_order(parent: Ints) -> Ints:
    """Nodes of a forest, each after those below it and near them."""
    n = parent.size
    child = np.full(n + 1, -1, np.int32)
    sibling = np.full(n, -1, np.int32)
    for v in range(n - 1, -1, -1):
        p = parent[v] if parent[v] >= 0 else n
        sibling[v] = child[p]
        child[p] = v
    # from the roots down, written from the end
    order = np.empty(n, np.int32)
    stack = np.empty(n + 1, np.int32)
    height = 0
    left = n
    below = child[n]
    while True:
        while below >= 0:
            stack[height] = below
            height += 1
            below = sibling[below]
        if height == 0:
            break
        height -= 1
        left -= 1
        order[left] = stack[height]
        below = child[stack[height]]
    return order


@_kernel
def _triangles(
    post: Ints, first_found: Ints, first_up: Ints, sides: Ints, new_pair: Ints, pairs: int
) -> tuple[Ints, Ints, Ints]:
    """Triangles of the elimination in the new order; two rows of ``sides`` are one triangle seen both ways."""
    begin = np.zeros(post.size + 1, np.int64)
    for r in range(post.size):
        count = first_found[r + 1] - first_found[r]
        begin[r + 1] = begin[r] + count * (count - 1)
    total = len(sides) // 2
    triangle = np.empty(total, np.int32)
    corner = np.empty((total, 2), np.int32)
    first_low = np.zeros(pairs + 1, np.int32)
    done = 0
    for r in range(post.size):
        first = first_up[r]
        count = first_up[r + 1] - first
        row = begin[post[r]]
        for _ in range(count * (count - 1) // 2):
            one = new_pair[sides[row, 0] >> 1]
            other = new_pair[sides[row, 1] >> 1]
            i = min(one, other) - first
            k = max(one, other) - first
            t = done + i * count - i * (i + 1) // 2 + k - i - 1
            triangle[t] = new_pair[sides[row, 2] >> 1]
            corner[t, 0] = first + i
            corner[t, 1] = first + k
            first_low[triangle[t] + 1] += 1
            row += 2
        done += count * (count - 1) // 2
    for e in range(pairs):
        first_low[e + 1] += first_low[e]
    low = np.empty((total, 2), np.int32)
    filled = first_low[:-1].copy()
    for t in range(total):
        e = triangle[t]
        low[filled[e], 0] = corner[t, 0]
        low[filled[e], 1] = corner[t, 1]
        filled[e] += 1
    return triangle, first_low, low


@_kernel
def _weigh(
    price: Floats,
    arc_code: Ints,
    parallel: bool,
    first_up: Ints,
    triangle: Ints,
    core_code: Ints,
    cost: Floats,
    arc: Ints,
    core_out: Floats,
    core_in: Floats,
) -> int:
    """Cost of all codes; returns an arc whose price is not one, or -1."""
    # STEP 1: the arcs' own.
    for a in range(price.size):
        if not price[a] >= 0.0:
            return a
    cost[:] = np.inf
    if parallel:
        for a in range(arc_code.size):
            code = arc_code[a]
            if code >= 0 and price[a] < cost[code]:
                cost[code] = price[a]
                arc[code] = a
    else:
        for a in range(arc_code.size):
            if arc_code[a] >= 0:
                cost[arc_code[a]] = price[a]
    # STEP 2: ways through the nodes taken out.
    t = 0
    for r in range(first_up.size - 1):
        last = first_up[r + 1]
        for i in range(first_up[r], last):
            away = cost[2 * i]
            back = cost[2 * i + 1]
            for k in range(i + 1, last):
                e = 2 * triangle[t]
                t += 1
                cost[e] = min(cost[e], back + cost[2 * k])
                cost[e + 1] = min(cost[e + 1], cost[2 * k + 1] + away)
    # STEP 3: the core's, where the search reads them in a row.
    for j in range(core_code.size):
        core_out[j] = cost[core_code[j]]
        core_in[j] = cost[core_code[j] ^ 1]
    return -1
