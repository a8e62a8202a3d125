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
Cuts
    The same prices bound sets beyond T too: a link that is not in T is priced at ``m_a = dist(tail, head)``, at which
    it shortens no path, and gains at most its conjugate there, ``C*_a = sup_x [x m_a - x t_a(x)]``.
Start
    An optimum on T begins from the paths of a set with one link more, else of all links; an equilibrium from those of
    the last one. Links that are not there are arcs that nobody may use; inputs are laid out once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.model import flows
from landbridge.model.flows.curves import rises_h
from landbridge.model.paths import Graph, shortest_tree
from landbridge.model.portfolio.selection import Relaxation, Selection, Set, select_set

__all__ = ["EQUILIBRIUM_GAP", "Design", "design"]

F8 = npt.NDArray[np.float64]

#: Relative gap of equilibria: best and second best often lie less than 1e-4 apart.
EQUILIBRIUM_GAP = 1e-9
# A bound loses no more than this share by not being solved further; it stays a bound at any gap.
BOUND_GAP = 1e-4
MAX_ROUNDS = 500
# Optima whose paths are kept for others to begin from.
KEPT = 1000


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
        self._graph, self._delay, self._classes = graph, delay, classes
        self._candidates, self._gap = candidates, gap
        self._selfish = flows.Repeated(graph, delay, classes, relations, social=False)
        self._social = flows.Repeated(graph, delay, classes, relations, social=True)
        self._values: dict[Set, float] = {}
        self._last: flows.Solved | None = None
        self._optima: OrderedDict[Set, flows.Solved] = OrderedDict()
        self._every = frozenset(range(candidates.size))
        self._sources = np.unique(graph.tail[candidates]).tolist()

    def _shut(self, chosen: Set) -> list[int]:
        return [int(a) for i, a in enumerate(self._candidates) if i not in chosen]

    def value(self, chosen: Set) -> float:
        """Total travel time of the equilibrium."""
        if chosen not in self._values:
            start = None if self._last is None else self._last.stock
            found = self._selfish.solve(self._shut(chosen), gap=self._gap, max_iterations=MAX_ROUNDS, start=start)
            self._last = found
            self._values[chosen] = found.total_usd
        return self._values[chosen]

    def relax(self, everything: Set) -> Relaxation:
        """The system optimum, and what leaving out or adding each candidate changes at most."""
        before = self._nearest(everything)
        found = self._social.solve(
            self._shut(everything),
            gap=BOUND_GAP,
            max_iterations=MAX_ROUNDS,
            start=None if before is None else before.stock,
        )
        self._optima[everything] = found
        if len(self._optima) > KEPT:
            old = next(key for key in self._optima if key != self._every)
            del self._optima[old]
        f = self._delay.facility
        slope = np.append(rises_h(self._delay, found.facility_trains_day), 0.0)[f]
        share = np.append(1.0 / self._delay.train_length_factor, 0.0)[f]
        weight, worth = self._classes.weight_trains_day_per_t_yr[0], self._classes.value_of_time_usd_t_h[0]
        unit = slope * share * float(weight * worth)
        volume = found.arc_tonnes_yr
        hours = self._delay.time_h + np.append(flows.delays_h(self._delay, found.facility_trains_day), 0.0)[f]
        price = self._classes.money_usd_t[0] + worth * hours + volume * unit
        inside = np.zeros(self._candidates.size, np.bool_)
        inside[sorted(everything)] = True
        saving = np.where(inside, (volume**2 * unit)[self._candidates], 0.0)
        if not self._plain():
            return Relaxation(found.lower_bound_usd, saving)
        whole = max(found.lower_bound_usd + float(saving.sum()), 0.0)
        gain = np.where(inside, 0.0, np.minimum(self._conjugate(price, self._shut(everything)), whole))
        return Relaxation(found.lower_bound_usd, saving, gain)

    def _plain(self) -> bool:
        """Whether every candidate has a delay of its own that is a power of its volume."""
        used = self._delay.facility[self._candidates]
        own = np.bincount(self._delay.facility[self._delay.facility >= 0], minlength=self._delay.delay_h.size)
        return bool(
            (used >= 0).all()
            and (own[used] == 1).all()
            and not self._delay.preload_trains_day[used].any()
            and not set(used.tolist()) & set(self._delay.curves)
        )

    def _conjugate(self, price: F8, shut: list[int]) -> F8:
        """What each candidate gains at most at the price at which it shortens no path that is open."""
        price = price.copy()
        price[shut] = np.inf
        distance = {node: shortest_tree(self._graph, price, node).distance for node in self._sources}
        a = self._candidates
        over = np.array([distance[int(self._graph.tail[i])][self._graph.head[i]] for i in a])
        f = self._delay.facility[a]
        worth = float(self._classes.value_of_time_usd_t_h[0])
        margin = over - self._classes.money_usd_t[0, a] - worth * self._delay.time_h[a]
        p, height = self._delay.power[f], worth * self._delay.delay_h[f]
        per_tonne = float(self._classes.weight_trains_day_per_t_yr[0]) / self._delay.train_length_factor[f]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            share = (margin / (height * (1.0 + p))) ** (1.0 / p)
            gain = share * self._delay.capacity_trains_day[f] / per_tonne * margin * p / (1.0 + p)
        # a delay that does not rise has no end to what it gains once it is worth using
        return np.where(margin <= 0.0, 0.0, np.where((p > 0.0) & (height > 0.0), gain, np.inf))

    def _nearest(self, everything: Set) -> flows.Solved | None:
        """Flows of a set with one item more, the parent's as the tree is walked; else those of all."""
        for i in range(self._candidates.size):
            if i not in everything and (found := self._optima.get(everything | {i})) is not None:
                return found
        return self._optima.get(self._every)
