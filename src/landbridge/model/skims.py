"""Skims: what the least-cost paths from many nodes to many others add up to.

Problem
    Given arc costs and further quantities on every arc (hours, money, kilometres, ...), find for each pair of a source
    and a sink the least-cost path and the sums of all quantities along it.
Method
    One least-cost tree a source (`landbridge.model.paths.grow_trees`); sums are carried from parents to children in the
    order in which nodes were reached, so that a table of S by T costs S searches, whatever T is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from landbridge.model import paths
from landbridge.model.paths import Graph

__all__ = ["skim"]

F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _kernel(function: _Function) -> _Function:
    """Compile on first use and keep on disk."""
    return cast(_Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


def skim(
    graph: Graph, cost: npt.ArrayLike, quantities: npt.ArrayLike, sources: npt.ArrayLike, sinks: npt.ArrayLike
) -> tuple[F8, F8]:
    """Add up quantities along least-cost paths between all pairs.

    Parameters
    ----------
    graph
        Where to search.
    cost : float64[m]
        Cost of each arc; nonnegative, ``inf`` forbids.
    quantities : float64[Q, m]
        What else to add up.
    sources, sinks : int[S], int[T]
        Nodes.

    Returns
    -------
    cost : float64[S, T]
        Least cost; infinite where no path leads.
    sums : float64[Q, S, T]
        Sums along the path found; NaN where none leads.

    Raises
    ------
    ValueError
        If a cost is negative or not a number, or shapes do not fit.
    """
    price = np.asarray(cost, np.float64)
    if price.shape != graph.tail.shape:
        raise ValueError(f"wanted one cost for each of {graph.tail.size} arcs, got shape {price.shape}")
    wrong = np.flatnonzero(~(price >= 0.0))
    if wrong.size:
        raise ValueError(f"cost of arc {wrong[0]}: wanted a number >= 0 or inf, got {price[wrong[0]]}")
    rows = np.atleast_2d(np.asarray(quantities, np.float64))
    if rows.shape[1:] != price.shape:
        raise ValueError(f"wanted quantities for each of {graph.tail.size} arcs, got shape {rows.shape}")
    start, end = np.asarray(sources, np.int32), np.asarray(sinks, np.int32)
    count, n = len(start), graph.node_count
    slot_in, order = np.full((count, n), -1, np.int32), np.zeros((count, n), np.int32)
    settled = np.zeros(count, np.int32)
    distance = np.empty(count * len(end))
    head, tail = graph.head[graph.out_arc], graph.tail[graph.out_arc]
    paths.grow_trees(
        graph.first_out,
        head,
        np.ascontiguousarray(price[graph.out_arc][None]),
        np.arange(count, dtype=np.int32),
        start,
        np.zeros(count, np.int32),
        slot_in,
        order,
        settled,
        (np.arange(count + 1) * len(end)).astype(np.int32),
        np.tile(end, count),
        distance,
    )
    sums = _carry(tail, np.ascontiguousarray(rows[:, graph.out_arc]), slot_in, order, settled, end)
    return distance.reshape(count, len(end)), sums


@_kernel
def _carry(tail: I4, rows: F8, slot_in: I4, order: I4, settled: I4, sinks: I4) -> F8:
    quantities, trees = rows.shape[0], slot_in.shape[0]
    sums = np.empty((quantities, trees, sinks.size))
    label = np.empty(slot_in.shape[1])
    for t in range(trees):
        for q in range(quantities):
            label[:] = np.nan
            label[order[t, 0]] = 0.0
            for i in range(1, settled[t]):
                node = order[t, i]
                slot = slot_in[t, node]
                label[node] = label[tail[slot]] + rows[q, slot]
            for j in range(sinks.size):
                sums[q, t, j] = label[sinks[j]]
    return sums
