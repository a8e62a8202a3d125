"""Least-cost trees and paths over a large network that has been contracted.

Problem
    Given a graph made ready by `landbridge.model.contraction`, find least-cost paths from one node to all others, or
    between two.
Method
    A tree: climb from the source to the core, Dijkstra's search over the core, then down again, each node once, in
    reverse order (as Delling and others, 2013). A path: climb from both ends, then search the core from both sides
    until the two radii together pass the best meeting (Pohl, 1971). Codes on the path are unpacked from the last
    triangle to the first: a code stands for the way through the node taken out first whose two sides have its cost.
Exactness
    See `landbridge.model.contraction`. Adding rounded nonnegative numbers is monotone, so no cycle can enter a tree;
    circles of cost zero are cut out of what is unpacked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from landbridge.errors import NoRoute
from landbridge.model.contraction import Contracted, Contraction

__all__ = ["LargeTree", "path_between", "path_in", "tree_from"]

Ints: TypeAlias = npt.NDArray[np.int32]
Floats: TypeAlias = npt.NDArray[np.float64]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _kernel(function: _Function) -> _Function:
    """Compile on first use and keep on disk."""
    return cast(_Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


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
        source, c.first_up, c.up_head, c.place, c.first_core, c.core_code, c.core_head, contracted.core_out,
        contracted.cost, distance, code_in, heap, key,
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
    return _arcs(contracted, np.array(codes[::-1], np.int32))


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
        source, target, c.ends, c.first_up, c.up_head, c.place, c.first_core, c.core_code, c.core_head,
        contracted.core_out, contracted.core_in, contracted.cost, contracted.room,
    )  # fmt: skip
    if not np.isfinite(cost):
        return None
    return cost, _arcs(contracted, codes)


def _check_node(contraction: Contraction, node: int, name: str) -> None:
    if not 0 <= node < contraction.node_count:
        raise ValueError(f"{name}: wanted a node below {contraction.node_count}, got {node}")


def _arcs(contracted: Contracted, codes: Ints) -> Ints:
    """Arcs of a chain of codes, without circles."""
    c = contracted.contraction
    arcs = _unpack(codes, contracted.cost, contracted.arc, c.first_low, c.low)
    heads = c.ends[c.arc_code[arcs] ^ 1]
    if len(arcs) and (len(np.unique(heads)) < len(heads) or c.ends[c.arc_code[arcs[0]]] in heads):
        after = {int(c.ends[c.arc_code[arcs[0]]]): 0}  # arcs kept up to each node
        kept: list[int] = []
        for arc, head in zip(arcs.tolist(), heads.tolist(), strict=True):
            kept.append(arc)
            if head in after:
                kept = kept[: after[head]]
                after = {node: count for node, count in after.items() if count <= len(kept)}
            else:
                after[head] = len(kept)
        arcs = np.array(kept, np.int32)
    return arcs


@_kernel
def _unpack(codes: Ints, cost: Floats, arc: Ints, first_low: Ints, low: Ints) -> Ints:
    """Arcs of a chain of codes; triangles open from the last to the first on a stack."""
    arcs = np.empty(64, np.int32)
    count = 0
    stack = np.empty(64, np.int32)
    for i in range(codes.size):
        stack[0] = codes[i]
        height = 1
        while height > 0:
            height -= 1
            code = stack[height]
            turned = code & 1
            opened = False
            for t in range(first_low[code >> 1], first_low[(code >> 1) + 1]):
                # back to the node taken out, and on from it
                one = 2 * low[t, turned] + 1
                other = 2 * low[t, 1 - turned]
                if cost[one] + cost[other] == cost[code]:
                    if height + 2 > stack.size:
                        taller = np.empty(2 * stack.size, np.int32)
                        taller[:height] = stack[:height]
                        stack = taller
                    stack[height] = other
                    stack[height + 1] = one
                    height += 2
                    opened = True
                    break
            if opened:
                continue
            if count == arcs.size:
                more = np.empty(2 * count, np.int32)
                more[:count] = arcs
                arcs = more
            arcs[count] = arc[code]
            count += 1
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
    up_head: Ints,
    cost: Floats,
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
            label = distance[v] + cost[2 * j + backward]
            w = up_head[j]
            if label < distance[w]:
                if distance[w] == np.inf:
                    seen[count] = w
                    count += 1
                distance[w] = label
                code_in[w] = 2 * j + backward
    return count


@_kernel
def _grow(
    source: int,
    first_up: Ints,
    up_head: Ints,
    place: Ints,
    first_core: Ints,
    core_code: Ints,
    core_head: Ints,
    core_out: Floats,
    cost: Floats,
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
    count = _climb(place[source], first_up, up_head, cost, core, label, into, seen, 0)
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
            trial = label[up_head[j]] + cost[2 * j + 1]
            if trial < least:
                least = trial
                code = 2 * j + 1
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
    up_head: Ints,
    place: Ints,
    first_core: Ints,
    core_code: Ints,
    core_head: Ints,
    core_out: Floats,
    core_in: Floats,
    cost: Floats,
    room: tuple[Any, ...],
) -> tuple[float, Ints]:
    """Search from both ends; the room's distances are infinite before and after."""
    ahead, ahead_in, ahead_heap, ahead_key, ahead_seen = room[0], room[1], room[2], room[3], room[4]
    back, back_in, back_heap, back_key, back_seen = room[5], room[6], room[7], room[8], room[9]
    core = first_core.size - 1
    start, end = place[source], place[target]
    # STEP 1: climb from both ends.
    ahead_count = _climb(start, first_up, up_head, cost, core, ahead, ahead_in, ahead_seen, 0)
    back_count = _climb(end, first_up, up_head, cost, core, back, back_in, back_seen, 1)
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
