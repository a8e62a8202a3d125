r"""Which of n things to take under budgets: branch and bound over sets.

Problem
    Minimise ``value(S)`` over the sets S of items whose costs keep within budgets, ``sum_{i in S} cost_di <= B_d``.
    Nothing is known of `value` but a relaxation: for every set T a number ``bound`` and savings ``s_i >= 0`` with::

        value(S) >= bound(T) + sum_{i in T - S} s_i     for every S within T

    For the network design problem the bound is the system optimum with all links of T and the savings come from its
    dual (see `design`); for a knapsack of benefits b the bound is ``-sum_{i in T} b_i`` and the savings are the b_i.
Method
    A node fixes some items in, some out; T is what is in or undecided. What the budget does not allow must leave T, and
    each item that leaves costs its saving: the least such loss is a knapsack, relaxed here to fractions (one budget at
    a time, the largest counts). A node is cut off when its bound reaches the best value known. The undecided item with
    the largest saving is branched on; leaving it out asks for a relaxation of the smaller T, which begins where the
    parent's ended; taking it in keeps T. Values and relaxations are kept by set.
Cuts
    A relaxation that also tells what items outside T can gain, ``g_i >= 0``, bounds every set::

        value(S) >= bound(T) + sum_{i in T} s_i - sum_{i in S} c_i,   c_i = s_i in T, g_i outside

    These are the optimality cuts of a generalised Benders decomposition. The latest are kept, and a node, a set or an
    exchange is asked for only where none of them says that it is no better.
Start
    The first values come from a greedy climb and swaps, so that the search begins with a good one.
When it stops
    Proved when no node is left. Told to stop before, it returns the best set with the least bound of the nodes left.
Reference
    LeBlanc (1975) for the tree and the bound by the system optimum; Geoffrion (1972) for the cuts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

__all__ = ["Relaxation", "Selection", "select_set"]

F8 = npt.NDArray[np.float64]
Set = frozenset[int]

# Costs may pass a budget by rounding.
SLACK = 1e-9
# A node whose bound is nearer to the best value than this share is no better.
SAME = 1e-12
# So many cuts are looked at, the latest: about what one relaxation of a small network takes.
CUTS = 256
# Up to so many items one is also exchanged for two.
PAIRS = 12


@dataclass(frozen=True, eq=False)
class Relaxation:
    """What no set within T can beat.

    Parameters
    ----------
    bound
        At most the value of every set within T.
    saving : float64[n]
        What the bound rises at least for each item of T that is left out; zero elsewhere.
    gain : float64[n] or None
        What the bound falls at most for each item outside T that is taken in; zero elsewhere. None: not known, so that
        nothing is said of sets beyond T.
    """

    bound: float
    saving: F8
    gain: F8 | None = None


@dataclass(frozen=True)
class Selection:
    """The best set found.

    Parameters
    ----------
    chosen
        Items.
    value
        Its value.
    bound
        No allowed set has a smaller value; equals `value` where that is proved.
    proved
        Whether the search came to its end.
    second, second_value
        The next best of all sets whose value was asked for; not always the second best of all.
    nodes, values, relaxations
        How many nodes were visited, values and relaxations asked for.
    """

    chosen: Set
    value: float
    bound: float
    proved: bool
    second: Set | None
    second_value: float
    nodes: int
    values: int
    relaxations: int

    @property
    def gap(self) -> float:
        """How far the value may be above the best, as a share of it."""
        return (self.value - self.bound) / max(abs(self.value), np.finfo(np.float64).tiny)


def select_set(
    value: Callable[[Set], float],
    relax: Callable[[Set], Relaxation],
    cost: npt.ArrayLike,
    budget: npt.ArrayLike,
    *,
    stop: Callable[[], bool] | None = None,
    swaps: bool = True,
    allowed: Callable[[Set], bool] | None = None,
) -> Selection:
    """Find the set of least value within the budgets.

    Parameters
    ----------
    value
        Value of a set; asked once for each.
    relax
        Relaxation of a set; asked once for each.
    cost : float64[D, n] or float64[n]
        Cost of each item against each budget, at least 0.
    budget : float64[D] or float
        What may be spent.
    stop
        Asked now and then; True ends the search before it is proved.
    swaps
        Whether the first values come from a climb with swaps, or from the climb alone.
    allowed
        Whether a set may be chosen beyond the budgets (precedence, exclusion); by default all may.

    Returns
    -------
    Selection

    Raises
    ------
    ValueError
        If costs and budgets do not fit together, or a cost is below zero.
    """
    costs = np.atleast_2d(np.asarray(cost, np.float64))
    budgets = np.atleast_1d(np.asarray(budget, np.float64))
    if costs.shape[0] != budgets.size:
        raise ValueError(f"budgets: wanted {costs.shape[0]}, got {budgets.size}")
    if (costs < 0.0).any() or (budgets < 0.0).any():
        raise ValueError("costs and budgets: wanted numbers of at least 0")
    return _Search(value, relax, costs, budgets, stop, allowed).run(swaps=swaps)


class _Search:
    """One search; holds what was asked and found so far."""

    def __init__(
        self,
        value: Callable[[Set], float],
        relax: Callable[[Set], Relaxation],
        costs: F8,
        budgets: F8,
        stop: Callable[[], bool] | None,
        allowed: Callable[[Set], bool] | None,
    ) -> None:
        self._value, self._relax, self._stop, self._allowed = value, relax, stop, allowed
        self._costs, self._room = costs, budgets * (1.0 + SLACK) + SLACK
        self._known: dict[Set, float] = {}
        self._relaxed: dict[Set, Relaxation] = {}
        self._best: Set = frozenset()
        self._nodes = 0
        self._left: float | None = None
        n = costs.shape[1]
        self._cut_base, self._cut_gain = np.full(CUTS, -np.inf), np.zeros((CUTS, n))
        self._cuts = 0

    def run(self, *, swaps: bool) -> Selection:
        n = self._costs.shape[1]
        self._climb(swaps=swaps)
        self._visit(frozenset(), frozenset(range(n)))
        best = self._known[self._best]
        left = self._left
        others = [(v, s) for s, v in self._known.items() if s != self._best]
        second = min(others, key=lambda pair: pair[0], default=(np.inf, None))
        return Selection(
            self._best,
            best,
            best if left is None else min(best, left),
            left is None,
            second[1],
            second[0],
            self._nodes,
            len(self._known),
            len(self._relaxed),
        )

    def _of(self, chosen: Set) -> float:
        """Value of a set, infinite where it is not allowed; the best one is remembered."""
        if chosen not in self._known:
            if self._allowed is not None and not self._allowed(chosen):
                return np.inf
            self._known[chosen] = self._value(chosen)
            if self._best not in self._known or self._known[chosen] < self._known[self._best]:
                self._best = chosen
        return self._known[chosen]

    def _fits(self, chosen: Set) -> bool:
        items = sorted(chosen)
        return bool((self._costs[:, items].sum(axis=1) <= self._room).all())

    def _climb(self, *, swaps: bool) -> None:
        """Take the best next item as long as one helps; where none does, drop or exchange items while that helps."""
        n = self._costs.shape[1]
        here: Set = frozenset()
        self._of(here)
        self._relaxation(frozenset(range(n)))
        while True:
            self._relaxation(here)
            best = self._step(here, [here | {i} for i in range(n) if i not in here])
            if best == here and swaps and here:
                out = [j for j in range(n) if j not in here]
                steps = [here - {i} for i in here] + [here - {i} | {j} for i in here for j in out]
                if n <= PAIRS:
                    steps += [here - {i} | set(pair) for i in here for pair in combinations(out, 2)]
                best = self._step(here, steps)
            if best == here:
                return
            here = best

    def _step(self, here: Set, steps: list[Set]) -> Set:
        """The best of some sets, or `here` where none is better; those that promise most are asked for first."""
        hopes = sorted(((self._cut_bound(step), k) for k, step in enumerate(steps) if self._fits(step)))
        best = here
        for hope, k in hopes:
            if self._stop is not None and self._stop():
                break
            if hope < self._of(best) and self._of(steps[k]) < self._of(best):
                best = steps[k]
        return best

    def _relaxation(self, everything: Set) -> Relaxation:
        if everything not in self._relaxed:
            found = self._relaxed[everything] = self._relax(everything)
            if found.gain is not None:
                row = self._cuts % CUTS
                self._cut_base[row] = found.bound + found.saving.sum()
                self._cut_gain[row] = found.saving + found.gain
                self._cuts += 1
        return self._relaxed[everything]

    def _cut_bound(self, taken: Set, undecided: Sequence[int] = (), room: F8 | None = None) -> float:
        """The largest bound that a cut gives for sets that hold `taken` and some of `undecided` within the room."""
        count = min(self._cuts, CUTS)
        if not count:
            return -np.inf
        base, gain = self._cut_base[:count], self._cut_gain[:count]
        left = base - gain[:, sorted(taken)].sum(axis=1)
        if not undecided or room is None:
            return float(left.max())
        free = gain[:, list(undecided)]
        most = free.sum(axis=1)
        for d in range(self._costs.shape[0]):
            cost = self._costs[d, list(undecided)]
            if cost.sum() > room[d]:
                most = np.minimum(most, _reach(free, cost, float(room[d])))
        return float((left - most).max())

    def _visit(self, taken: Set, everything: Set) -> None:
        """Search the sets that hold `taken` and lie within `everything`, on a stack: the last put on is the next."""
        stack: list[tuple[Set, Set, float]] = [(taken, everything, -np.inf)]
        while stack:
            taken, everything, before = stack.pop()
            best = self._known.get(self._best, np.inf)
            limit = best - SAME * abs(best) if np.isfinite(best) else best
            if before >= limit:
                continue
            if self._stop is not None and self._stop():
                whole = self._relaxation(frozenset(range(self._costs.shape[1]))).bound
                self._left = max(whole, min([before, *(bound for _, _, bound in stack)]))
                return
            self._nodes += 1
            room = self._room - self._costs[:, sorted(taken)].sum(axis=1)
            undecided = [i for i in sorted(everything - taken) if (self._costs[:, i] <= room).all()]
            everything = taken | set(undecided)
            before = max(before, self._cut_bound(taken, undecided, room))
            if before >= limit:
                continue
            if not undecided:
                self._of(taken)
                continue
            relaxed = self._relaxation(everything)
            saving = relaxed.saving[undecided]
            bound = max(before, relaxed.bound + self._loss(undecided, saving, room))
            if bound >= limit:
                continue
            branch = undecided[int(np.argmax(saving))]
            stack.append((taken, everything - {branch}, bound))
            stack.append((taken | {branch}, everything, bound))

    def _loss(self, undecided: list[int], saving: F8, room: F8) -> float:
        """Least sum of savings that must be given up for the rest to fit, in fractions, by the hardest budget."""
        most = 0.0
        for d in range(self._costs.shape[0]):
            cost = self._costs[d, undecided]
            over = float(cost.sum() - room[d])
            if over <= 0.0:
                continue
            with np.errstate(divide="ignore", invalid="ignore"):
                order = np.argsort(np.where(cost > 0.0, saving / cost, np.inf), kind="stable")
            loss = 0.0
            for i in order:
                if cost[i] <= 0.0 or over <= 0.0:
                    break
                part = min(1.0, over / cost[i])
                loss += part * saving[i]
                over -= cost[i]
            most = max(most, loss)
        return most


def _reach(gain: F8, cost: F8, room: float) -> F8:
    """The largest gain of each row within the room, items taken in fractions; those without cost are taken first."""
    with np.errstate(divide="ignore", invalid="ignore"):
        order = np.argsort(np.where(cost > 0.0, -gain / cost, -np.inf), axis=1, kind="stable")
    spent = np.cumsum(cost[order], axis=1)
    before = spent - cost[order]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(cost[order] > 0.0, np.clip((room - before) / cost[order], 0.0, 1.0), 1.0)
    return np.asarray((part * np.take_along_axis(gain, order, axis=1)).sum(axis=1), np.float64)
