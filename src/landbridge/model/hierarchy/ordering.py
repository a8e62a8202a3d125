"""The order of the nodes, and the edges of the hierarchy; see the package."""

from __future__ import annotations

import numpy as np

from landbridge.model.hierarchy.parts import Bools, Hierarchy, Ints, Longs, inner, kernel

__all__ = ["hierarchy"]

# Least degree first, then fewest levels below, then number: one whole number orders them.
LEVEL_BITS, NUMBER_BITS = 20, 22
# Nodes of up to so many neighbours go out without adding edges and count alike, so that a long line is halved and not
# eaten up from its ends.
NO_FILL = 2
# Up to so many triangles the ways of edges are kept (eight bytes each); of more they are looked for when paths are
# unpacked. A street grid of a million links has 1.7 thousand million.
WAYS_KEPT = 1 << 27


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
    degree = np.diff(first_up).astype(np.int64)
    kept = int((degree * (degree - 1) // 2).sum()) <= WAYS_KEPT
    triangle, first_way, way_via, way_then = _triangles(first_up, above, kept)
    into = np.argsort(above, kind="stable").astype(np.int32)
    first_into = np.append(0, np.cumsum(np.bincount(above, minlength=node_count)))
    slot_edge, slot_up, first_own, own = _edges_of_slots(rank, first_up, above, tail, head, chosen)
    below = np.repeat(np.arange(node_count, dtype=np.int32), np.diff(first_up))
    return Hierarchy(
        rank,
        parent,
        first_up,
        above,
        below,
        triangle,
        first_way,
        way_via,
        way_then,
        first_into,
        into,
        slot_edge,
        slot_up,
        first_own,
        own,
    )


@inner
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


@inner
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


@kernel
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
    waiting = 0 * n  # a bare 0 would compile the heap twice
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
        if edges + count > above.size:
            grown = np.empty(2 * above.size + count, np.int32)
            for q in range(edges):
                grown[q] = above[q]
            above = grown
        for j in range(count):
            neighbours[j] = pool[begin[x] + j]
            above[edges + j] = neighbours[j]
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
                    for q in range(used):
                        bigger[q] = pool[q]
                    pool = bigger
                for q in range(length[a]):
                    pool[used + q] = pool[begin[a] + q]
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
                for q in range(waiting):
                    longer[q] = queue[q]
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


@kernel
def _triangles(first_up: Ints, above: Ints, kept: bool) -> tuple[Ints, Longs, Ints, Ints]:
    """Third edge of each triangle, and, if kept, for each edge the two others of the triangles that it closes."""
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
    via = np.empty(total if kept else 0, np.int32)
    then = np.empty(total if kept else 0, np.int32)
    if not kept:
        return triangle, first, via, then
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


@kernel
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
