r"""What it costs when elements of a network are closed: the optimum over what is left, under hard capacities.

Problem
    An element is a set of arcs (a link, a crossing, a ferry, a country). cost(S) is the least cost at which all
    relations get their goods with the elements S closed, over the network or by their outside options
    (`flows.surplus`). It cannot fall as S grows, so that the worst closures can be found exactly (`interdiction`); an
    equilibrium would not promise that. This is the minimum cost with outside option of METHODS.md, section 4.
Bound
    For an element e of the optimum, loss(e) is what all its paths would cost more by their outside options: leaving
    those paths is always possible, so closing any T on top costs at most the sum of loss over T.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from landbridge.model.flows.surplus import Carriage, Optimum, Paths, Program, cheapest_paths
from landbridge.model.resilience.interdiction import Closed

__all__ = ["Closures"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Closures:
    """A network whose elements can be closed; problems that follow each other share what is known.

    Parameters
    ----------
    carriage
        What is carried over what.
    elements
        Arcs of each element.
    paths
        Paths to start from; by default the cheapest of each relation.
    gap
        Difference between cost and bound to reach, as a share of what is saved over the outside options.
    """

    def __init__(
        self, carriage: Carriage, elements: Sequence[npt.ArrayLike], *, paths: Paths | None = None, gap: float = 1e-9
    ) -> None:
        self.carriage = carriage
        self.elements = [np.unique(np.asarray(arcs, np.int64)) for arcs in elements]
        self.program = Program(carriage, cheapest_paths(carriage) if paths is None else paths)
        self.gap = gap
        self._group = np.zeros(carriage.tonnes_yr.size, np.int64)
        count = carriage.graph.tail.size
        owner = np.repeat(np.arange(len(self.elements)), [arcs.size for arcs in self.elements])
        arcs = np.concatenate([*self.elements, np.empty(0, np.int64)])
        order = np.argsort(arcs, kind="stable")
        self._first = np.searchsorted(arcs[order], np.arange(count + 1))
        self._element = owner[order]
        self._everyone = float(carriage.outside_usd_t @ carriage.tonnes_yr)

    def solve(self, closed: frozenset[int] = frozenset(), barred: Bools | None = None) -> Optimum:
        """Find the optimum with some elements closed.

        Parameters
        ----------
        closed
            Elements.
        barred
            More arcs that are closed, as a mask.

        Returns
        -------
        Optimum

        Raises
        ------
        NotConverged
            If no optimum is proved.
        """
        mask = np.zeros(self.carriage.graph.tail.size, np.bool_) if barred is None else barred.copy()
        for element in closed:
            mask[self.elements[element]] = True
        return self.program.solve(self.program.free_of(mask), mask[None, :], self._group, self.gap)

    def cost(self, found: Optimum) -> float:
        """Return what everything costs, outside options included, USD a year."""
        return self._everyone - found.worth_usd_yr

    def use(self, found: Optimum) -> tuple[Ints, Ints]:
        """Return, for every pair of a used path and an element on it, the position of the path and the element."""
        positions, elements = [], []
        for i, p in enumerate(found.path.tolist()):
            arcs = self.program.arcs_of(p)
            arcs = arcs[self._first[arcs + 1] > self._first[arcs]]
            met = [self._element[self._first[a] : self._first[a + 1]] for a in arcs.tolist()]
            on = np.unique(np.concatenate(met)) if met else np.empty(0, np.int64)
            positions.append(np.full(on.size, i))
            elements.append(on)
        none = np.empty(0, np.int64)
        return np.concatenate([*positions, none]).astype(np.int64), np.concatenate([*elements, none])

    def flow(self, found: Optimum) -> Floats:
        """Return the tonnes a year over each element."""
        at, element = self.use(found)
        return np.asarray(np.bincount(element, found.path_tonnes_yr[at], len(self.elements)), np.float64)

    def evaluate(self, closed: frozenset[int]) -> Closed:
        """Find cost and support of a closed set, as `worst_closures` asks.

        Parameters
        ----------
        closed
            Elements.

        Returns
        -------
        Closed
        """
        found = self.solve(closed)
        at, element = self.use(found)
        program = self.program
        relation = program.relation.values[found.path]
        saved = found.path_tonnes_yr * (self.carriage.outside_usd_t[relation] - program.cost.values[found.path])
        loss = np.bincount(element, saved[at], len(self.elements))
        used = np.unique(element).tolist()
        return Closed(self.cost(found), {e: float(loss[e]) for e in used})
