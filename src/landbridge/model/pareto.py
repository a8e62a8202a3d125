"""All efficient paths between two nodes over several criteria.

Problem
    Given two to six nonnegative numbers on every arc (hours, money, CO2, borders, ...), find the paths that no other
    path beats: none is as good in every criterion and better in one. Of paths with the same sums one is kept.
Notation
    n nodes, m arcs, D criteria. ``H[v]`` holds, criterion by criterion, the least that is left from v to the target;
    the *bound* of a partial path to v is what it has spent plus ``H[v]``.
Method
    Label setting in the manner of NAMOA* (Mandow and Perez de la Cruz, 2010) with dimensionality reduction (Pulido,
    Mandow and Perez de la Cruz, 2015). One reverse search a criterion gives ``H``; arcs then carry reduced costs, what
    each means as a detour, so that a label holds its bound and nothing else. Labels leave a queue in lexicographic
    order of their bounds. The first criterion therefore never falls from one label to the next, and dominance needs to
    look at the others alone, against the labels settled at the same node and against the paths found.
Exactness
    Arc values are rounded to multiples of ``resolution`` and summed as whole numbers, which doubles hold exactly below
    2**53: no rounding error can make or break a tie. The set is exact for the rounded values.
Epsilon
    With ``epsilon`` above zero a label is dropped where a path already found is within a factor of ``1 + epsilon`` of
    its bound in every criterion but the first, in which that path is no worse by the order of the queue. Dominance
    between labels stays exact, so that errors do not add up along the path: for every efficient path there is a
    returned one that is nowhere worse than ``1 + epsilon`` times it.
Limits
    A search that reaches its limit of labels or paths says so. Since paths are found in lexicographic order, those
    that it returns are efficient, and none is missing whose first criterion lies below `Front.complete_below`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from landbridge.errors import NotConverged
from landbridge.model import paths
from landbridge.model.paths import Graph

__all__ = ["Front", "Status", "best_within", "efficient", "efficient_rows"]

Ints: TypeAlias = npt.NDArray[np.int32]
Floats: TypeAlias = npt.NDArray[np.float64]

Status = Literal["complete", "label limit", "path limit"]
STATUS: tuple[Status, ...] = ("complete", "label limit", "path limit")

FEWEST_CRITERIA, MOST_CRITERIA = 2, 6
#: Arc values are told apart down to this: a four-thousandth of a second, a ten-thousandth of a cent.
RESOLUTION = 1e-6
#: Whole numbers up to here are held exactly by a double.
EXACT = 2.0**53
#: A label takes about 50 bytes for three criteria; five million fit on any machine and take some seconds.
MAX_LABELS = 5_000_000
MAX_PATHS = 100_000

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _kernel(function: _Function) -> _Function:
    """Compile on first use and keep on disk."""
    return cast(_Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


@dataclass(frozen=True, eq=False)
class Front:
    """Efficient paths between two nodes.

    Attributes
    ----------
    values : float64[P, D]
        Sums of the criteria, in lexicographic order.
    paths : tuple of int32[L]
        Arcs of each path in order of travel.
    status
        ``complete``, or the limit that ended the search.
    epsilon
        Factor above 1 within which the set covers what it leaves out; 0 for the exact set.
    complete_below
        No efficient path with a first criterion below this is missing; infinite when complete.
    labels
        Labels made, a measure of the work.
    """

    values: Floats
    paths: tuple[Ints, ...]
    status: Status
    epsilon: float
    complete_below: float
    labels: int

    @property
    def guarantee(self) -> str:
        """What is promised about the set, in one sentence."""
        if self.status != "complete":
            return (
                f"The search stopped at its {self.status}: the {len(self.paths)} paths found are "
                f"{'efficient' if not self.epsilon else 'not beaten among themselves'}, and only those with a first "
                f"criterion below {self.complete_below:g} are all there."
            )
        if self.epsilon:
            return (
                f"For every efficient path there is one in the set that is nowhere more than {self.epsilon:.2%} worse."
            )
        return "Every efficient path is in the set, one for each combination of sums."


def efficient(
    graph: Graph,
    criteria: npt.ArrayLike,
    source: int,
    target: int,
    *,
    most: Sequence[float] | None = None,
    epsilon: float = 0.0,
    resolution: float = RESOLUTION,
    max_labels: int = MAX_LABELS,
    max_paths: int = MAX_PATHS,
) -> Front:
    """Find the efficient paths from one node to another.

    Parameters
    ----------
    graph
        Where to search.
    criteria : float64[D, m]
        Nonnegative values of each arc by criterion; an arc that is infinite in one is forbidden.
    source, target
        Where the paths begin and end.
    most : D numbers, optional
        The most that a path may sum to in each criterion; infinite for no limit.
    epsilon
        Zero for the exact set; else how much worse, as a part, the set may be than what it leaves out.
    resolution
        Arc values are rounded to multiples of this.
    max_labels, max_paths
        Limits of the search.

    Returns
    -------
    Front
        Empty where no path leads. A path of no arcs has the sums zero.

    Raises
    ------
    ValueError
        If the criteria are too few or too many, a value is negative or not a number, an end is no node, or sums would
        no longer be exact.
    """
    array = np.atleast_2d(np.asarray(criteria, np.float64))
    if not FEWEST_CRITERIA <= array.shape[0] <= MOST_CRITERIA:
        raise ValueError(f"wanted {FEWEST_CRITERIA} to {MOST_CRITERIA} criteria, got {array.shape[0]}")
    if not epsilon >= 0:
        raise ValueError(f"epsilon: wanted a number >= 0, got {epsilon}")
    return _search(graph, array, source, target, most, epsilon, resolution, max_labels, max_paths)


def best_within(
    graph: Graph,
    cost: npt.ArrayLike,
    used: npt.ArrayLike,
    most: Sequence[float],
    source: int,
    target: int,
    *,
    resolution: float = RESOLUTION,
    max_labels: int = MAX_LABELS,
) -> tuple[float, Ints] | None:
    """Find the least-cost path that uses no more of some resources than it may.

    Parameters
    ----------
    graph
        Where to search.
    cost
        Cost of each arc; nonnegative, ``inf`` forbids.
    used : float64[R, m]
        What each arc uses of up to five resources.
    most : R numbers
        The most that a path may use of each.
    source, target
        Where the path begins and ends.
    resolution, max_labels
        As for `efficient`.

    Returns
    -------
    tuple or None
        Cost and arcs in order of travel; None where no path keeps within the limits.

    Raises
    ------
    NotConverged
        If the limit of labels was reached before a path was found.
    """
    array = np.vstack([np.asarray(cost, np.float64)[None], np.atleast_2d(np.asarray(used, np.float64))])
    found = _search(graph, array, source, target, [np.inf, *most], 0.0, resolution, max_labels, 1)
    if not found.paths and found.status != "complete":
        raise NotConverged(f"no path was found among the first {max_labels} labels; more may lead to one", found)
    # the queue is in order of cost: the first path found is the cheapest
    return (float(found.values[0, 0]), found.paths[0]) if found.paths else None


def efficient_rows(values: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Tell which rows no other row beats; of equal rows the first stands.

    Parameters
    ----------
    values : float64[P, D]
        Sums by criterion, smaller is better.

    Returns
    -------
    bool[P]
    """
    array = np.asarray(values, np.float64)
    kept = np.ones(len(array), np.bool_)
    for i, row in enumerate(array):
        as_good = (array <= row).all(axis=1)
        better = as_good & (array < row).any(axis=1)
        earlier = as_good & ~better & (np.arange(len(array)) < i)
        kept[i] = not (better.any() or earlier.any())
    return kept


def _search(
    graph: Graph,
    criteria: Floats,
    source: int,
    target: int,
    most: Sequence[float] | None,
    epsilon: float,
    resolution: float,
    max_labels: int,
    max_paths: int,
) -> Front:
    count, arcs = criteria.shape
    if arcs != graph.tail.size:
        raise ValueError(f"wanted values for each of {graph.tail.size} arcs, got {arcs}")
    for node, name in ((source, "source"), (target, "target")):
        if not 0 <= node < graph.node_count:
            raise ValueError(f"{name}: wanted a node below {graph.node_count}, got {node}")
    wrong = np.argwhere(~(criteria >= 0.0))
    if wrong.size:
        k, arc = wrong[0]
        raise ValueError(f"criterion {k} of arc {arc}: wanted a number >= 0 or inf, got {criteria[k, arc]}")
    limit = np.full(count, np.inf) if most is None else np.asarray(most, np.float64)
    if limit.shape != (count,):
        raise ValueError(f"most: wanted {count} limits, got shape {limit.shape}")

    # STEP 1: whole numbers; a sum of all arcs is more than any path can reach.
    usable = np.isfinite(criteria).all(axis=0)
    whole = np.where(usable, np.rint(np.where(usable, criteria, 0.0) / resolution), np.inf)
    top = whole[:, usable].sum(axis=1)
    if (top >= EXACT).any():
        raise ValueError(f"criterion {int(top.argmax())}: sums are not exact at a resolution of {resolution}")
    limit = np.floor(limit / resolution + 0.5)

    # STEP 2: what is left to the target, criterion by criterion, from searches against the arcs.
    backward = paths.graph(graph.node_count, graph.head, graph.tail)
    left = np.stack([paths.shortest_tree(backward, row, target).distance for row in whole])
    if not np.isfinite(left[0, source]) or (left[:, source] > limit).any():
        return Front(np.zeros((0, count)), (), "complete", epsilon, np.inf, 0)

    # STEP 3: keep the arcs that may lie on a path, as detours.
    forward = paths.shortest_tree(graph, np.where(usable, 0.0, np.inf), source).distance
    usable &= np.isfinite(left[0, graph.head]) & np.isfinite(forward[graph.tail]) & (graph.tail != target)
    kept = graph.out_arc[usable[graph.out_arc]]
    first_out = np.zeros(graph.node_count + 1, np.int32)
    np.cumsum(np.bincount(graph.tail[kept], minlength=graph.node_count), out=first_out[1:])
    detour = whole[:, kept] + left[:, graph.head[kept]] - left[:, graph.tail[kept]]
    state, ends, parent, slot, floor, made = _settle(
        first_out,
        np.ascontiguousarray(graph.head[kept]),
        np.ascontiguousarray(detour.T),
        np.ascontiguousarray(left[:, source]),
        limit,
        source,
        target,
        1.0 + epsilon,
        max_labels,
        max_paths,
    )

    found = []
    for end in ends.tolist():
        way = []
        label = end
        while parent[label] >= 0:
            way.append(int(kept[slot[label]]))
            label = parent[label]
        found.append(np.array(way[::-1], np.int32))
    values = np.array([[criteria[k, way].sum() for k in range(count)] for way in found], np.float64)
    status = STATUS[state]
    return Front(
        values.reshape(len(found), count),
        tuple(found),
        status,
        epsilon,
        np.inf if status == "complete" else floor * resolution,
        made,
    )


@_kernel
def _before(a: Floats, b: Floats) -> bool:
    """Whether a comes before b in lexicographic order."""
    for k in range(a.size):
        if a[k] != b[k]:
            return bool(a[k] < b[k])
    return False


@_kernel
def _covered(first: int, following: Ints, settled: Floats, bound: Floats, factor: float) -> bool:
    """Whether a member of a list is no worse than a bound in every criterion but the first."""
    q = first
    while q >= 0:
        k = 1
        while k < bound.size and settled[q, k] <= factor * bound[k]:
            k += 1
        if k == bound.size:
            return True
        q = following[q]
    return False


@_kernel
def _settle(
    first_out: Ints,
    head: Ints,
    detour: Floats,
    start: Floats,
    limit: Floats,
    source: int,
    target: int,
    factor: float,
    max_labels: int,
    max_paths: int,
) -> tuple[int, Ints, Ints, Ints, float, int]:
    """Search; returns how it ended, the labels at the target, parents, arcs, the last first bound, and labels made."""
    count = start.size
    room = 4096
    bound = np.empty((room, count))
    node = np.empty(room, np.int32)
    parent = np.empty(room, np.int32)
    slot_in = np.empty(room, np.int32)
    following = np.empty(room, np.int32)  # next in the list of labels settled at the same node
    heap = np.empty(room, np.int32)
    first = np.full(first_out.size - 1, -1, np.int32)
    ends = np.empty(64, np.int32)
    found = 0
    bound[0] = start
    node[0] = source
    parent[0] = -1
    slot_in[0] = -1
    heap[0] = 0
    made = 1
    size = 1
    state = 0
    trial = np.empty(count)
    while size > 0:
        x = heap[0]
        size -= 1
        y = heap[size]
        i = 0
        while True:  # let the last one sink from the root
            j = 2 * i + 1
            if j >= size:
                break
            if j + 1 < size and _before(bound[heap[j + 1]], bound[heap[j]]):
                j += 1
            if not _before(bound[heap[j]], bound[y]):
                break
            heap[i] = heap[j]
            i = j
        heap[i] = y
        u = node[x]
        if _covered(first[u], following, bound, bound[x], 1.0):
            continue
        if _covered(first[target], following, bound, bound[x], factor):
            continue
        # what the new label beats at its node, the first criterion aside, can cover nothing that it does not
        last = -1
        q = first[u]
        while q >= 0:
            k = 1
            while k < count and bound[x, k] <= bound[q, k]:
                k += 1
            if k == count:
                if last >= 0:
                    following[last] = following[q]
                else:
                    first[u] = following[q]
            else:
                last = q
            q = following[q]
        following[x] = first[u]
        first[u] = x
        if u == target:
            if found == ends.size:
                more = np.empty(2 * found, np.int32)
                more[:found] = ends
                ends = more
            ends[found] = x
            found += 1
            if found >= max_paths:
                state = 2 if size > 0 else 0
                return state, ends[:found], parent[:made], slot_in[:made], bound[x, 0], made
            continue
        for slot in range(first_out[u], first_out[u + 1]):
            w = head[slot]
            fits = True
            for k in range(count):
                trial[k] = bound[x, k] + detour[slot, k]
                if trial[k] > limit[k]:
                    fits = False
            if not fits or _covered(first[w], following, bound, trial, 1.0):
                continue
            if _covered(first[target], following, bound, trial, factor):
                continue
            if made == max_labels:
                return 1, ends[:found], parent[:made], slot_in[:made], bound[x, 0], made
            if made == room:
                room *= 2
                wider = np.empty((room, count))
                wider[:made] = bound
                bound = wider
                longer = np.empty((5, room), np.int32)
                longer[0, :made] = node
                longer[1, :made] = parent
                longer[2, :made] = slot_in
                longer[3, :made] = following
                longer[4, :made] = heap
                node, parent, slot_in, following, heap = longer[0], longer[1], longer[2], longer[3], longer[4]
            bound[made] = trial
            node[made] = w
            parent[made] = x
            slot_in[made] = slot
            i = size
            size += 1
            while i > 0:  # rise
                above = (i - 1) >> 1
                if not _before(trial, bound[heap[above]]):
                    break
                heap[i] = heap[above]
                i = above
            heap[i] = made
            made += 1
    return state, ends[:found], parent[:made], slot_in[:made], np.inf, made
