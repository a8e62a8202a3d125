r"""The discrete network design problem: which links to build so that all together travel least.

Problem
    ``min_y sum_a x_a t_a(x_a)`` with ``sum_a g_a y_a <= B``, y binary, x the user equilibrium of the network with the
    links that are built; t is time, and money where arcs have a price.
Bound
    The system optimum on all links of T costs at most what any design within T does. Its dual says more: with m_a the
    marginal costs at flows x and ``C*_a = x_a m_a - x_a t_a(x_a) = x_a^2 t_a'(x_a)``, every design S within T costs at
    least ``[sum_a x_a t_a - (sum_a x_a m_a - sum_r Q_r dist_r(m))] + sum_{a in T - S} C*_a``: the part in brackets is
    the lower bound that the optimum is found with at whatever gap, and each link that is left out adds its ``C*_a``,
    since the same m stay feasible prices without it and paths do not get shorter. Both hold at any gap, so that
    relaxations need not be exact; equilibria are.
Start
    An optimum on T begins from the paths of the smallest known set that holds T, an equilibrium from those of the
    nearest set that was solved. Links that are not there are arcs that no class may use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from landbridge.model import flows
from landbridge.model.flows.curves import rises_h
from landbridge.model.paths import Graph
from landbridge.model.portfolio.selection import Relaxation, Selection, Set, select_set

__all__ = ["EQUILIBRIUM_GAP", "Design", "design"]

F8 = npt.NDArray[np.float64]

#: Relative gap of equilibria: best and second best often lie less than 1e-4 apart.
EQUILIBRIUM_GAP = 1e-9
# A bound loses no more than this share by not being solved further; it stays a bound at any gap.
BOUND_GAP = 1e-4
MAX_ROUNDS = 500


@dataclass(frozen=True, eq=False)
class Design:
    """The links to build.

    Parameters
    ----------
    selection
        Candidates chosen by index, total travel time, bound, proof and effort.
    without
        Total travel time with no candidate.
    everything
        Total travel time with all of them; not always the least.
    """

    selection: Selection
    without: float
    everything: float


def design(
    graph: Graph,
    delay: flows.VolumeDelay,
    classes: flows.Classes,
    relations: flows.Relations,
    candidates: Sequence[int],
    cost: npt.ArrayLike,
    budget: float,
    *,
    gap: float = EQUILIBRIUM_GAP,
    stop: Callable[[], bool] | None = None,
) -> Design:
    """Find the links whose building lets the equilibrium cost least.

    Parameters
    ----------
    graph, delay, classes, relations
        The network with all candidates in it, one class, without outside options, as for `flows.assign`.
    candidates
        Arcs that may be built.
    cost : float64[n]
        Of each candidate.
    budget
        What may be spent.
    gap
        Relative gap of the equilibria.
    stop
        Asked now and then; True ends the search before it is proved.

    Returns
    -------
    Design

    Raises
    ------
    ValueError
        If there are several classes or outside options, for which no such bound is known.
    NotConverged
        If flows were not found.
    """
    if len(classes.name) != 1 or np.isfinite(relations.outside_usd_t).any():
        raise ValueError("design: wanted one class and no outside option")
    problem = _Problem(graph, delay, classes, relations, np.asarray(candidates, np.int64), gap)
    every = frozenset(range(len(candidates)))
    without, everything = problem.value(frozenset()), problem.value(every)
    chosen = select_set(problem.value, problem.relax, cost, budget, stop=stop)
    return Design(chosen, without, everything)


class _Problem:
    """The network with some of the candidates, and the flows that were found on it."""

    def __init__(
        self,
        graph: Graph,
        delay: flows.VolumeDelay,
        classes: flows.Classes,
        relations: flows.Relations,
        candidates: npt.NDArray[np.int64],
        gap: float,
    ) -> None:
        self._graph, self._delay, self._classes, self._relations = graph, delay, classes, relations
        self._candidates, self._gap = candidates, gap
        self._values: dict[Set, float] = {}
        self._selfish: flows.Flows | None = None
        self._optima: dict[Set, flows.Flows] = {}

    def _with(self, chosen: Set) -> flows.Classes:
        money = self._classes.money_usd_t.copy()
        shut = [int(a) for i, a in enumerate(self._candidates) if i not in chosen]
        money[:, shut] = np.inf
        return replace(self._classes, money_usd_t=money)

    def value(self, chosen: Set) -> float:
        """Total travel time of the equilibrium."""
        if chosen not in self._values:
            found = flows.assign(
                self._graph,
                self._delay,
                self._with(chosen),
                self._relations,
                gap=self._gap,
                max_iterations=MAX_ROUNDS,
                start=self._selfish,
                threads=1,
            )
            self._selfish = found
            self._values[chosen] = flows.total_cost(self._delay, self._classes, self._relations, found)
        return self._values[chosen]

    def relax(self, everything: Set) -> Relaxation:
        """The system optimum, and what leaving each of its candidates out costs at least."""
        found = flows.system_optimum(
            self._graph,
            self._delay,
            self._with(everything),
            self._relations,
            gap=BOUND_GAP,
            max_iterations=MAX_ROUNDS,
            start=self._nearest(everything),
            threads=1,
        )
        self._optima[everything] = found
        volume = found.arc_tonnes_yr[0]
        f = self._delay.facility
        slope = np.append(rises_h(self._delay, found.facility_trains_day), 0.0)[f]
        share = np.append(1.0 / self._delay.train_length_factor, 0.0)[f]
        weight, worth = self._classes.weight_trains_day_per_t_yr[0], self._classes.value_of_time_usd_t_h[0]
        conjugate = volume**2 * slope * share * float(weight * worth)
        saving = np.zeros(len(self._candidates))
        for i in everything:
            saving[i] = conjugate[self._candidates[i]]
        return Relaxation(found.lower_bound, saving)

    def _nearest(self, everything: Set) -> flows.Flows | None:
        """Flows of a set with one item more, else of any that holds it: the parent's, as the tree is walked."""
        for i in range(len(self._candidates)):
            if i not in everything and (found := self._optima.get(everything | {i})) is not None:
                return found
        held = [s for s in self._optima if everything <= s]
        return self._optima[min(held, key=len)] if held else None
