"""Least costs at the delays as they are, shared out among threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import numba
import numpy as np

from landbridge.model.flows import kernels
from landbridge.model.flows.kernels import AnyFacilities, Problem
from landbridge.model.flows.records import Floats, Ints
from landbridge.model.hierarchy import Arrivals, Forest, Weights, join, search, weigh, weights
from landbridge.model.paths import Graph

__all__ = ["Searcher", "workers_for"]

# Below this number of looks at edges in all searches, starting threads costs more than it saves.
SMALL_WORK = 1_000_000


def workers_for(graph: Graph, forest: Forest, threads: int | None) -> int:
    """Threads worth starting."""
    if forest.source.size * graph.tail.size < SMALL_WORK:
        return 1
    return int(numba.get_num_threads()) if threads is None else threads


# Room for costs and weights of up to so many bytes is handed on from one searcher of a thread to its next: taking it
# from the system anew costs more than filling it.
MOST_HELD = 1 << 26
_held = threading.local()


class Searcher:
    """Finds least costs at the delays as they are, and shares the work out among threads.

    Each search is one thread's and its answer does not depend on the others, so the shares do not matter.
    """

    def __init__(self, problem: Problem, forest: Forest, workers: int) -> None:
        self.problem, self.forest = problem, forest
        shape = problem.fixed_cost.shape, problem.tree.above.size
        room = _held.__dict__.pop("room", None)
        if room is None or room[0] != shape:
            room = shape, np.empty(shape[0]), weights(problem.tree, problem.vot.size)
        self._room = room
        self._cost: Floats = room[1]
        self._weights: Weights = room[2]
        self.classes = np.unique(forest.class_index).astype(np.int32)
        self._all = np.arange(forest.source.size, dtype=np.int32)
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None

    def __enter__(self) -> Searcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        if self._cost.nbytes + self._weights.up.nbytes + self._weights.down.nbytes <= MOST_HELD:
            _held.room = self._room

    def __call__(
        self, facilities: AnyFacilities, limit: Floats, trees: Ints | None = None, *, more: Floats | None = None
    ) -> Arrivals:
        """Write least costs into the forest, and return the paths of relations whose least cost is below the limit.

        `trees` are the searches to make, by default all; `more` is charged on top of the costs, by class and slot.
        """
        problem, forest = self.problem, self.forest
        classes = self.classes
        if trees is not None and classes.size > 1:
            classes = np.unique(forest.class_index[trees]).astype(np.int32)
        kernels.class_costs(
            problem.fixed_cost, problem.vot, problem.class_row, problem.felt, facilities.delay, classes, self._cost
        )
        if more is not None:
            self._cost[classes] += more[classes]
        chosen = self._all if trees is None else trees
        if self._pool is None:
            weigh(problem.tree, self._cost, classes, self._weights)
            return search(problem.tree, self._cost, self._weights, forest, chosen, limit)
        tree, cost, found = problem.tree, self._cost, self._weights
        self._shared(lambda part: weigh(tree, cost, part, found), classes)
        return join(self._shared(lambda part: search(tree, cost, found, forest, part, limit), chosen))

    def _shared(self, work: Callable[[Ints], Any], whole: Ints) -> list[Any]:
        assert self._pool is not None  # noqa: S101 (asked for only with threads)
        parts = [part for part in np.array_split(whole, 4 * self._workers) if part.size]
        return list(self._pool.map(work, parts))
