r"""In what order to build: start years under budgets.

Problem
    Project i is begun in one of the years 0 ... H-1 or never, costs ``c_i0, c_i1 ...`` in the years from its start and
    serves from the year after its last cost on. Maximise::

        sum_t [W(open_t, t) - spent_t] / (1 + r)^t

    W(S, t) is what the set S of projects in service is worth in year t: asked of flows, so that complements and
    substitutes need no table of synergies. Budgets bound what is spent each year, by all and by payer; with carry-over
    what was not spent may be spent later. Some projects must be complete before others start, some exclude each other.
Exact
    Depth first over the projects, the dearest first. What a project adds in year t is never more than
    ``m_it = max over S of W(S + i, t) - W(S, t)``, the largest of what it adds to any set, so a plan in which some are
    decided is worth at most what these are worth plus, for each other, the best of not building it and of its largest
    additions less its cost over all its starts. All ``2^n`` sets are asked for once, which is what limits n.
Beyond
    Start from nothing and add the project and start that help most, then move, drop or exchange projects as long as
    that helps. The bound is as above with m_it over the sets that were asked for: it holds as far as no project adds
    more to a set that was not asked for, and the result says that it is not proved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = [
    "EXACT",
    "Candidate",
    "Programme",
    "ProgrammeTerms",
    "best_starts",
    "fairest_programme",
    "plan_programme",
    "programme_value",
    "told_programme",
]

F8 = npt.NDArray[np.float64]
Set = frozenset[int]
Starts = tuple[int | None, ...]

#: Up to this many projects every set is asked for and the programme is exact.
EXACT = 7
# Money may pass a budget by rounding.
SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class Candidate:
    """A project that may be begun.

    Parameters
    ----------
    cost
        By year from its start; its length is the time of construction.
    payers
        Share of the cost by payer, adding up to 1; empty where only all together count.
    life
        Years of service; None = to the end.
    earliest
        First year in which it may be begun.
    counted
        Share of the cost that is deducted from the value: what those pay whose welfare counts. Budgets bound all of it.
    """

    cost: tuple[float, ...]
    payers: Mapping[str, float] = field(default_factory=dict)
    life: int | None = None
    earliest: int = 0
    counted: float = 1.0


@dataclass(frozen=True, eq=False)
class ProgrammeTerms:
    """Budgets and order.

    Parameters
    ----------
    horizon
        Years in which projects may be begun and must be complete.
    last_year
        Last year that is counted.
    rate
        Discount rate.
    budget
        By year of the horizon; ``inf`` = no limit.
    payer_budgets
        The same by payer.
    total, payer_totals
        What may be spent in all.
    carry_over
        Whether what is not spent may be spent later.
    before
        Pairs (i, j): j must be complete before i starts.
    exclusive
        Pairs of which at most one is built.
    """

    horizon: int
    last_year: int
    rate: float
    budget: tuple[float, ...]
    payer_budgets: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    total: float = np.inf
    payer_totals: Mapping[str, float] = field(default_factory=dict)
    carry_over: bool = False
    before: tuple[tuple[int, int], ...] = ()
    exclusive: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Programme:
    """What to begin when.

    Parameters
    ----------
    starts
        Start year by project, None = not built.
    value
        Net present value.
    bound
        No plan is worth more; equals the value where proved.
    proved
        Whether all plans were looked at or cut off by a bound that holds.
    second, second_value
        The runner-up, of exact searches that were asked for it; else None.
    spent : float64[H]
        By year.
    without
        What the programme would lose without each project that is in it, the others as they are.
    plans
        Feasible whole plans that were looked at.
    """

    starts: Starts
    value: float
    bound: float
    proved: bool
    second: Starts | None
    second_value: float
    spent: F8
    without: tuple[float | None, ...]
    plans: int


def plan_programme(
    candidates: Sequence[Candidate],
    worth: Callable[[Set, int], float],
    terms: ProgrammeTerms,
    *,
    exact: bool | None = None,
    runner_up: bool = False,
) -> Programme:
    """Find the programme of largest value.

    Parameters
    ----------
    candidates
        Projects.
    worth
        What a set in service is worth in a year; asked once for each set and year.
    terms
        Budgets and order.
    exact
        Whether to prove it; by default for up to `EXACT` projects.
    runner_up
        Whether an exact search shall find the second best plan too; costs time.

    Returns
    -------
    Programme

    Raises
    ------
    ValueError
        If a budget has not one entry a year.
    """
    for budget in (terms.budget, *terms.payer_budgets.values()):
        if len(budget) != terms.horizon:
            raise ValueError(f"budget: wanted {terms.horizon} years, got {len(budget)}")
    search = _Search(list(candidates), worth, terms)
    return (
        search.exact(runner_up=runner_up) if (len(candidates) <= EXACT if exact is None else exact) else search.climb()
    )


def fairest_programme(
    candidates: Sequence[Sequence[Candidate]], worths: Sequence[Callable[[Set, int], float]], terms: ProgrammeTerms
) -> tuple[Starts, F8]:
    """Find the programme whose least favoured party has the most.

    Parameters
    ----------
    candidates
        The same projects by party; they differ in what of the cost is `counted` for it.
    worths
        What a set in service is worth to each party.
    terms
        Budgets and order.

    Returns
    -------
    starts : tuple
        Start year by project, None = not built; of equal ones the first of the largest sum.
    values : float64[P]
        Net present value by party. All plans are looked at or cut off by a bound that holds.
    """
    parties = [_Search(list(own), worth, terms) for own, worth in zip(candidates, worths, strict=True)]
    first = parties[0]
    n = len(first.candidates)
    order = sorted(range(n), key=lambda i: -sum(first.candidates[i].cost))
    hopes = np.array([party.hopes(party.additions(every=True)) for party in parties])[:, order]
    left = np.concatenate([np.cumsum(hopes[:, ::-1], axis=1)[:, ::-1], np.zeros((len(parties), 1))], axis=1)
    best: tuple[float, float] = (-np.inf, -np.inf)
    found: tuple[Starts, F8] = ((None,) * n, np.zeros(len(parties)))

    def visit(depth: int, starts: Starts) -> None:
        nonlocal best, found
        values = np.array([party.value(starts) for party in parties])
        most = values + left[:, depth]
        if (float(most.min()), float(most.sum())) <= best:
            return
        if depth == n:
            if first.ordered(starts):
                best, found = (float(values.min()), float(values.sum())), (starts, values)
            return
        i = order[depth]
        for s in [*first.choices(i), None]:
            trial = (*starts[:i], s, *starts[i + 1 :])
            if s is None or first.fits(trial):
                visit(depth + 1, trial)

    visit(0, (None,) * n)
    return found


def best_starts(
    candidates: Sequence[Candidate], worth: Callable[[Set, int], float], terms: ProgrammeTerms
) -> Callable[[Set], Starts | None]:
    """Return what finds the start years of largest value with which all of a set, and nothing else, is built.

    Parameters
    ----------
    candidates
        Projects; every set of them is asked for.
    worth
        What a set in service is worth in a year; asked once for each set and year.
    terms
        Budgets and order.

    Returns
    -------
    callable
        Start year by project, None = not built; None where no start years keep within the terms. Of equal ones the
        earliest of the dearest project.
    """
    search = _Search(list(candidates), worth, terms)
    most = search.additions(every=True)
    return lambda chosen: search.best_of(chosen, most)


def programme_value(
    candidates: Sequence[Candidate], worth: Callable[[Set, int], float], terms: ProgrammeTerms, starts: Starts
) -> float:
    """Return the net present value of given starts, whether the terms allow them or not."""
    return _Search(list(candidates), worth, terms).value(starts)


def told_programme(
    candidates: Sequence[Candidate], worth: Callable[[Set, int], float], terms: ProgrammeTerms, starts: Starts
) -> Programme:
    """Return what is to be said of given starts: value, spending, what it would lose without each; proved as given."""
    search = _Search(list(candidates), worth, terms)
    value = search.value(starts)
    return search.told(starts, value, value, proved=True, second=(np.nan, None))


class _Search:
    def __init__(self, candidates: list[Candidate], worth: Callable[[Set, int], float], terms: ProgrammeTerms) -> None:
        self.candidates, self.terms, self._worth = candidates, terms, worth
        self._known: dict[tuple[Set, int], float] = {}
        self._discount = (1.0 + terms.rate) ** -np.arange(terms.last_year + 1.0)
        self.plans = 0

    # --- what a plan is worth and whether it may be -------------------------------------------------------------

    def worth(self, chosen: Set, year: int) -> float:
        key = (chosen, year)
        if key not in self._known:
            self._known[key] = self._worth(chosen, year) if chosen else 0.0
        return self._known[key]

    def service(self, i: int, start: int) -> tuple[int, int]:
        """First year of service and the first year after it."""
        one = self.candidates[i]
        begin = start + len(one.cost)
        end = self.terms.last_year + 1 if one.life is None else min(begin + one.life, self.terms.last_year + 1)
        return begin, end

    def cost(self, i: int, start: int) -> float:
        cost = np.asarray(self.candidates[i].cost) * self.candidates[i].counted
        return float(cost @ self._discount[start : start + cost.size])

    def value(self, starts: Starts) -> float:
        spans = [(i, *self.service(i, s)) for i, s in enumerate(starts) if s is not None]
        total = -sum(self.cost(i, s) for i, s in enumerate(starts) if s is not None)
        for year in range(self.terms.last_year + 1):
            open_ = frozenset(i for i, begin, end in spans if begin <= year < end)
            if open_:
                total += self.worth(open_, year) * float(self._discount[year])
        return float(total)

    def spending(self, starts: Starts, payer: str | None = None) -> F8:
        spent = np.zeros(self.terms.horizon)
        for i, s in enumerate(starts):
            if s is not None:
                one = self.candidates[i]
                share = 1.0 if payer is None else one.payers.get(payer, 0.0)
                spent[s : s + len(one.cost)] += share * np.asarray(one.cost)
        return spent

    def fits(self, starts: Starts) -> bool:
        """Whether money and order allow a plan, whole or in part: more projects never make it fit."""
        terms = self.terms
        for i, j in terms.exclusive:
            if starts[i] is not None and starts[j] is not None:
                return False
        checks: list[tuple[str | None, tuple[float, ...], float]] = [(None, terms.budget, terms.total)]
        payers = {*terms.payer_budgets, *terms.payer_totals}
        none = (np.inf,) * terms.horizon
        checks += [(p, terms.payer_budgets.get(p, none), terms.payer_totals.get(p, np.inf)) for p in sorted(payers)]
        for payer, budget, total in checks:
            spent, room = self.spending(starts, payer), np.asarray(budget)
            scale = SLACK * max(1.0, float(spent.sum()))
            if float(spent.sum()) > total + scale:
                return False
            if terms.carry_over:
                spent, room = np.cumsum(spent), np.cumsum(room)
            if (spent > room + scale).any():
                return False
        return True

    def ordered(self, starts: Starts) -> bool:
        """Whether what must be complete before something is."""
        for i, j in self.terms.before:
            start, first = starts[i], starts[j]
            if start is not None and (first is None or first + len(self.candidates[j].cost) > start):
                return False
        return True

    def may_be_ordered(self, starts: Starts, chosen: Set) -> bool:
        """Whether those of a set that have a start already keep the order, whatever the others will."""
        for i, j in self.terms.before:
            start, first = starts[i], starts[j]
            if i in chosen and j not in chosen:
                return False
            if start is not None and first is not None and first + len(self.candidates[j].cost) > start:
                return False
        return True

    def choices(self, i: int) -> list[int]:
        one = self.candidates[i]
        return list(range(one.earliest, self.terms.horizon - len(one.cost) + 1))

    # --- exact ----------------------------------------------------------------------------------------------------

    def additions(self, every: bool) -> F8:
        """Largest addition of each project to any set, by year; of all sets, or of those asked for."""
        n = len(self.candidates)
        most = np.zeros((n, self.terms.last_year + 1))
        if every:
            sets = [frozenset(i for i in range(n) if s >> i & 1) for s in range(1 << n)]
            pairs = [(s, year) for s in sets for year in range(self.terms.last_year + 1)]
        else:
            pairs = list(self._known)
        for chosen, year in pairs:
            for i in chosen:
                less = chosen - {i}
                if every or not less or (less, year) in self._known:
                    most[i, year] = max(most[i, year], self.worth(chosen, year) - self.worth(less, year))
        return most

    def hopes(self, most: F8) -> list[float]:
        """What each project may add at most, its cost deducted, over all its starts."""
        return [max([0.0, *self.gains_from(i, most)]) for i in range(len(self.candidates))]

    def gains_from(self, i: int, most: F8) -> list[float]:
        """What a project may add at most, its cost deducted, by start."""
        found = []
        for s in self.choices(i):
            begin, end = self.service(i, s)
            found.append(float(most[i, begin:end] @ self._discount[begin:end]) - self.cost(i, s))
        return found

    def exact(self, *, runner_up: bool) -> Programme:
        n = len(self.candidates)
        hope = self.hopes(self.additions(every=True))
        order = sorted(range(n), key=lambda i: -sum(self.candidates[i].cost))
        left = np.append(np.cumsum([hope[i] for i in order][::-1])[::-1], 0.0)
        best: list[tuple[float, Starts]] = []
        keep = 2 if runner_up else 1

        def visit(depth: int, starts: Starts) -> None:
            so_far = self.value(starts)
            if len(best) == keep and so_far + left[depth] <= best[-1][0]:
                return
            if depth == n:
                if self.ordered(starts):
                    self.plans += 1
                    best.append((so_far, starts))
                    best.sort(key=lambda pair: -pair[0])
                    del best[keep:]
                return
            i = order[depth]
            for s in [*self.choices(i), None]:
                trial = (*starts[:i], s, *starts[i + 1 :])
                if s is None or self.fits(trial):
                    visit(depth + 1, trial)

        visit(0, (None,) * n)
        value, starts = best[0]
        second = best[1] if len(best) > 1 else (np.nan, None)
        return self.told(starts, value, value, proved=True, second=second)

    def best_of(self, chosen: Set, most: F8) -> Starts | None:
        """Start years of largest value that build all of a set; None where there are none."""
        order = sorted(chosen, key=lambda i: (-sum(self.candidates[i].cost), i))
        hope = [max(self.gains_from(i, most), default=-np.inf) for i in order]
        left = np.append(np.cumsum(hope[::-1])[::-1], 0.0)
        best: tuple[float, Starts | None] = (-np.inf, None)

        def visit(depth: int, starts: Starts) -> None:
            nonlocal best
            so_far = self.value(starts)
            if so_far + left[depth] <= best[0]:
                return
            if depth == len(order):
                if self.ordered(starts):
                    best = (so_far, starts)
                return
            i = order[depth]
            for s in self.choices(i):
                trial = (*starts[:i], s, *starts[i + 1 :])
                if self.fits(trial) and self.may_be_ordered(trial, chosen):
                    visit(depth + 1, trial)

        visit(0, (None,) * len(self.candidates))
        return best[1]

    # --- beyond ---------------------------------------------------------------------------------------------------

    def climb(self) -> Programme:
        """Add, move, drop and exchange as long as it helps."""
        n = len(self.candidates)
        here: Starts = (None,) * n
        value = 0.0
        while True:
            best, best_value = here, value
            for trial in self.neighbours(here):
                if self.fits(trial) and self.ordered(trial):
                    self.plans += 1
                    worth = self.value(trial)
                    if worth > best_value + SLACK * max(1.0, abs(best_value)):
                        best, best_value = trial, worth
            if best == here:
                break
            here, value = best, best_value
        bound = max(sum(self.hopes(self.additions(every=False))), value)
        return self.told(here, value, bound, proved=False, second=(np.nan, None))

    def neighbours(self, here: Starts) -> list[Starts]:
        n = len(here)
        found: list[Starts] = []
        for i in range(n):
            for s in [None, *self.choices(i)]:
                if s != here[i]:
                    found.append((*here[:i], s, *here[i + 1 :]))
        for i in range(n):
            if here[i] is None:
                continue
            for j in range(n):
                if here[j] is None:
                    out = [*here]
                    out[i] = None
                    for s in self.choices(j):
                        out[j] = s
                        found.append(tuple(out))
        return found

    def told(
        self, starts: Starts, value: float, bound: float, *, proved: bool, second: tuple[float, Starts | None]
    ) -> Programme:
        without = tuple(
            None if s is None else value - self.value((*starts[:i], None, *starts[i + 1 :]))
            for i, s in enumerate(starts)
        )
        return Programme(starts, value, bound, proved, second[1], second[0], self.spending(starts), without, self.plans)
