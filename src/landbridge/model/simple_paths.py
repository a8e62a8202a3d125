"""The k least-cost paths between two nodes that visit no node twice.

Problem
    Given nonnegative arc costs, find the k cheapest simple paths, in order; paths that differ only in which of two
    parallel arcs they take count as two.
Notation
    As in `landbridge.model.paths`; the *detour* of an arc is its cost, plus what is left to the target from its head,
    less what is left from its tail: what taking it means beside the best way on.
Method
    Yen (1971) with Lawler's (1972) saving: each path found is left at every node from its own point of deviation on.
    The searches for what follows run on detours, so that they look at little more than the paths they return, and
    stop where they can no longer come among the k cheapest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from landbridge.model import paths
from landbridge.model.paths import Graph

__all__ = ["k_shortest"]

Ints: TypeAlias = npt.NDArray[np.int32]
Floats: TypeAlias = npt.NDArray[np.float64]

#: Detours add up in another order than costs: a candidate is given up only where it is behind by more than this part.
ROUNDING = 1e-9

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _kernel(function: _Function) -> _Function:
    """Compile on first use and keep on disk."""
    return cast(_Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


def k_shortest(graph: Graph, cost: npt.ArrayLike, source: int, target: int, k: int) -> list[tuple[float, Ints]]:
    """Find the k least-cost paths that visit no node twice.

    Parameters
    ----------
    graph
        Where to search.
    cost
        Cost of each arc; nonnegative, ``inf`` forbids.
    source, target
        Where the paths begin and end.
    k
        The most paths wanted.

    Returns
    -------
    list of tuple
        Cost and arcs of each path, cheapest first, equal costs by arc numbers; fewer than k when there are no more.

    Raises
    ------
    ValueError
        If a cost is negative or not a number, or an end is no node.
    """
    # STEP 1: what is left to the target, by a search against the arcs; it checks costs and nodes too.
    backward = paths.graph(graph.node_count, graph.head, graph.tail)
    left = paths.shortest_tree(backward, cost, target).distance
    if not 0 <= source < graph.node_count:
        raise ValueError(f"source: wanted a node below {graph.node_count}, got {source}")
    if k < 1 or not np.isfinite(left[source]):
        return []
    if source == target:
        return [(0.0, np.empty(0, np.int32))]
    price = np.asarray(cost, np.float64)[graph.out_arc]
    head, tail = graph.head[graph.out_arc], graph.tail[graph.out_arc]
    usable = np.isfinite(price) & np.isfinite(left[head]) & np.isfinite(left[tail])
    detour = np.full(price.size, np.inf)
    detour[usable] = np.maximum(price[usable] + left[head[usable]] - left[tail[usable]], 0.0)
    # STEP 2: the paths, as slots behind one another.
    first, slots, total = _yen(graph.first_out, head, detour, price, source, target, k, ROUNDING * left[source])
    found = [
        (float(total[i]), np.ascontiguousarray(graph.out_arc[slots[first[i] : first[i + 1]]]))
        for i in range(len(total))
    ]
    return sorted(found, key=lambda path: (path[0], path[1].tolist()))  # rounding may have swapped neighbours


@_kernel
def _onward(
    first_out: Ints,
    head: Ints,
    detour: Floats,
    spur: int,
    target: int,
    barred: Ints,
    bars: int,
    limit: float,
    shut: npt.NDArray[np.bool_],
    label: Floats,
    slot_in: Ints,
    seen: Ints,
    heap: Ints,
    key: Floats,
) -> bool:
    """Search from a node to the target, not over the barred slots at its start, nor over shut nodes.

    Labels are infinite before; the nodes seen are listed, for whoever makes them so again. The heap holds a node again
    where it got better.
    """
    seen[0] = 1
    seen[1] = spur
    label[spur] = 0.0
    heap[0] = spur
    key[0] = 0.0
    size = 1
    while size > 0:
        u = heap[0]
        reached = key[0]
        size -= 1
        x = heap[size]
        key_x = key[size]
        i = 0
        while True:
            j = 2 * i + 1
            if j >= size:
                break
            if j + 1 < size and key[j + 1] < key[j]:
                j += 1
            if key[j] >= key_x:
                break
            heap[i] = heap[j]
            key[i] = key[j]
            i = j
        heap[i] = x
        key[i] = key_x
        if reached > limit:
            return False
        if u == target:
            return True
        if reached > label[u]:
            continue
        for slot in range(first_out[u], first_out[u + 1]):
            w = head[slot]
            trial = reached + detour[slot]
            if trial >= label[w] or shut[w]:
                continue
            if u == spur:
                free = True
                for b in range(bars):
                    if barred[b] == slot:
                        free = False
                if not free:
                    continue
            if label[w] == np.inf:
                seen[0] += 1
                seen[seen[0]] = w
            label[w] = trial
            slot_in[w] = slot
            i = size
            size += 1
            while i > 0:
                above = (i - 1) >> 1
                if key[above] <= trial:
                    break
                heap[i] = heap[above]
                key[i] = key[above]
                i = above
            heap[i] = w
            key[i] = trial
    return False


@_kernel
def _yen(
    first_out: Ints,
    head: Ints,
    detour: Floats,
    price: Floats,
    source: int,
    target: int,
    k: int,
    slack: float,
) -> tuple[Ints, Ints, Floats]:
    n = first_out.size - 1
    shut = np.zeros(n, np.bool_)
    label = np.full(n, np.inf)
    slot_in = np.empty(n, np.int32)
    seen = np.empty(n + 2, np.int32)
    heap = np.empty(head.size + 2, np.int32)
    key = np.empty(head.size + 2)
    tail_of = np.empty(head.size, np.int32)
    for u in range(n):
        tail_of[first_out[u] : first_out[u + 1]] = u
    barred = np.empty(k + 1, np.int32)
    # candidates: slots in one row of numbers, where each starts and leaves its parent, its detour (infinite once it was
    # taken) and its cost
    room = 64
    start = np.zeros(room + 1, np.int32)
    leaves = np.zeros(room, np.int32)
    extra = np.empty(room)
    total = np.empty(room)
    taken = np.zeros(room, np.bool_)
    slots = np.empty(1024, np.int32)
    way = np.empty(n + 1, np.int32)
    made = 0
    accepted = np.empty(k, np.int32)
    count = 0
    common = np.zeros(k, np.int32)
    while count < k:
        if made == 0:
            length, base, leave, limit = 0, -1, 0, np.inf
        else:
            base = -1
            for c in range(made):
                if not taken[c] and (base < 0 or _ahead(c, base, total, start, slots)):
                    base = c
            if base < 0:
                break
            taken[base] = True
            accepted[count] = base
            count += 1
            if count == k:
                break
            length = start[base + 1] - start[base]
            leave = leaves[base]
            # of those that wait, the last that can still be among the k
            wanted = k - count
            extra[base] = np.inf
            limit = np.sort(extra[:made])[wanted - 1] + slack if made >= wanted else np.inf
            for a in range(count):
                other = accepted[a]
                q = 0
                while (
                    q < length
                    and q < start[other + 1] - start[other]
                    and slots[start[base] + q] == slots[start[other] + q]
                ):
                    q += 1
                common[a] = q
        spur = source
        spent = 0.0
        for i in range(max(length, 1)):
            if i >= leave:
                bars = 0
                for a in range(count):
                    if common[a] >= i:
                        barred[bars] = slots[start[accepted[a]] + i]
                        bars += 1
                found = _onward(
                    first_out, head, detour, spur, target, barred, bars, limit - spent, shut, label, slot_in, seen,
                    heap, key,
                )  # fmt: skip
                if found:
                    steps = 0
                    v = target
                    while v != spur:
                        way[steps] = slot_in[v]
                        steps += 1
                        v = tail_of[slot_in[v]]
                    begin = start[made]
                    end = begin + i + steps
                    if end > slots.size:
                        longer = np.empty(2 * end, np.int32)
                        longer[:begin] = slots[:begin]
                        slots = longer
                    for q in range(i):
                        slots[begin + q] = slots[start[base] + q]
                    for q in range(steps):
                        slots[begin + i + q] = way[steps - 1 - q]
                    usd = 0.0
                    for q in range(begin, end):
                        usd += price[slots[q]]
                    if made + 1 == room:
                        room *= 2
                        starts = np.zeros(room + 1, np.int32)
                        starts[: made + 1] = start[: made + 1]
                        start = starts
                        off = np.zeros(room, np.int32)
                        off[:made] = leaves[:made]
                        leaves = off
                        both = np.empty((2, room))
                        both[0, :made] = extra[:made]
                        both[1, :made] = total[:made]
                        extra, total = both[0], both[1]
                        marks = np.zeros(room, np.bool_)
                        marks[:made] = taken[:made]
                        taken = marks
                    start[made + 1] = end
                    leaves[made] = i
                    extra[made] = spent + label[target]
                    total[made] = usd
                    taken[made] = False
                    made += 1
                for q in range(1, seen[0] + 1):
                    label[seen[q]] = np.inf
            if length == 0:
                break
            shut[spur] = True
            slot = slots[start[base] + i]
            spent += detour[slot]
            spur = head[slot]
        for q in range(length):
            shut[tail_of[slots[start[base] + q]]] = False
        if made == 0:
            break
    first = np.zeros(count + 1, np.int32)
    for a in range(count):
        first[a + 1] = first[a] + start[accepted[a] + 1] - start[accepted[a]]
    rows = np.empty(first[count], np.int32)
    totals = np.empty(count)
    for a in range(count):
        rows[first[a] : first[a + 1]] = slots[start[accepted[a]] : start[accepted[a] + 1]]
        totals[a] = total[accepted[a]]
    return first, rows, totals


@_kernel
def _ahead(one: int, other: int, total: Floats, start: Ints, slots: Ints) -> bool:
    """Whether a candidate comes before another: by cost, then by slots."""
    if total[one] != total[other]:
        return bool(total[one] < total[other])
    for q in range(min(start[one + 1] - start[one], start[other + 1] - start[other])):
        a, b = slots[start[one] + q], slots[start[other] + q]
        if a != b:
            return bool(a < b)
    return False
