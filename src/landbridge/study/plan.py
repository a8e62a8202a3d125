"""Programmes of projects: what to begin when, under budgets by year and payer; and what each country would do alone.

    projects -> cost, payers, years of construction (atlas) -> sets in service -> gains of flows -> programme

What a set is worth in a year comes from the flows with it, so complements and substitutes need no table. Every project
serves from the end of its construction to the last year counted; no residual value enters, upkeep does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, UnknownName
from landbridge.model import appraisal, portfolio
from landbridge.study.account import Terms, between_years
from landbridge.study.appraisal_terms import Appraising
from landbridge.study.appraising import Option, Plan, options_of, plan_of
from landbridge.study.files import Study
from landbridge.study.gains import Gains
from landbridge.study.invest_files import frame_of
from landbridge.study.kept import Kept
from landbridge.study.runner import Where
from landbridge.study.valuer import Valuer
from landbridge.study.valuing import Asked, find_ahead

__all__ = ["ANY", "Counts", "Limits", "alone_or_together", "plan", "plan_tables"]

F8 = npt.NDArray[np.float64]

#: Years in which projects may be begun, from the first year of the programme.
HORIZON = 10
#: Stands for all countries that are not named.
ANY = "*"


@dataclass(frozen=True)
class Counts:
    """What a dollar gained or paid by a country counts.

    Attributes
    ----------
    weights
        By country.
    others
        Of all other countries; 0 = they do not count.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    others: float = 0.0

    @property
    def world(self) -> bool:
        """Whether all count alike, with what is nobody's in particular."""
        return not self.weights and not self.others

    def of(self, amounts: Mapping[str, float]) -> float:
        """Weighted sum of amounts by country."""
        return sum(usd * self.weights.get(country, self.others) for country, usd in amounts.items())

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells one from another."""
        return tuple(sorted(self.weights.items())), self.others


@dataclass(frozen=True)
class Limits:
    """What may be spent, by whom, in what order.

    Attributes
    ----------
    total_usd, yearly_usd
        In all, and each year; infinite = no limit.
    payers
        The same two by country: share of the budgets (0 to 1) that it may pay.
    carry_over
        Whether what a year leaves may be spent later.
    before, exclusive
        Pairs of projects: the first before the second is begun; at most one of two.
    first_year, horizon
        From when, and for how many years.
    welfare
        Countries whose gains and payments count; empty = all, CO2 and empties included.
    weights
        What a dollar of a country counts; 1 where it is not told, ``*`` for all the others. With weights and no
        `welfare` all countries count.
    fairest
        Whether the least of these countries' net gains is made as large as can be, in place of their sum.
    """

    total_usd: float = float("inf")
    yearly_usd: float = float("inf")
    payers: Mapping[str, float] = field(default_factory=dict)
    carry_over: bool = False
    before: tuple[tuple[str, str], ...] = ()
    exclusive: tuple[tuple[str, str], ...] = ()
    first_year: int | None = None
    horizon: int = HORIZON
    welfare: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    fairest: bool = False

    def counted(self) -> Counts:
        """Whose gains and payments count, and how much."""
        if self.weights and not self.welfare:
            return Counts(dict(self.weights), self.weights.get(ANY, 1.0))
        return Counts({c: self.weights.get(c, self.weights.get(ANY, 1.0)) for c in self.welfare})


class _World:
    """Projects with their costs, and what sets of them are worth to whom."""

    def __init__(
        self,
        study: Study,
        tables: Tables,
        names: Sequence[str],
        tell: Callable[[str], None] | None,
        valuer: Valuer | None,
        kept: Kept | None,
    ) -> None:
        options = options_of(study, tables, names)
        how = study.appraisal or Appraising()
        plans = [plan_of(o, tables, how, study.years[0]) for o in options]
        self.valuer = valuer or Valuer(study, tables, options, tell=tell, kept=kept)
        self.left_out: dict[str, str] = {}
        able: list[tuple[Option, Plan]] = []
        for option, one in zip(options, plans, strict=True):
            if not self.valuer.changes_network(option.id):
                self.left_out[option.id] = self.valuer.why_not(option.id)
            elif one.used_usd is None:
                self.left_out[option.id] = "no cost is known"
            else:
                able.append((option, one))
        if not able:
            raise LandbridgeError(
                "no project to plan with: " + "; ".join(f"{k}: {v}" for k, v in self.left_out.items())
            )
        self.options, self.plans = [o for o, _ in able], [p for _, p in able]
        self.terms = Terms(study, tables)
        self.modelled = study.years
        self._worth: dict[tuple[frozenset[int], tuple[Any, ...], int], float] = {}

    def gains(self, chosen: frozenset[int], year: int) -> Gains:
        names = frozenset(self.options[i].id for i in chosen)
        found = self.valuer.gains(names, year)
        if year == self.modelled[-1]:
            self.valuer.forget(names)
        return found

    def cost(self, i: int) -> float:
        return self.plans[i].used_usd or 0.0

    def paid(self, i: int, counts: Counts) -> float:
        """Share of a project's cost that counts, weighted by who pays."""
        return 1.0 if counts.world else counts.of(self.plans[i].payers)

    def of_modelled(self, chosen: frozenset[int], counts: Counts, year: int) -> float:
        """Gains of a set in a modelled year to the countries that count, upkeep deducted."""
        key = (chosen, counts.key, year)
        if key not in self._worth:
            gains = self.gains(chosen, year)
            if counts.world:
                total = gains.total_usd - sum(gains.co2_t.values()) * self.terms.carbon_usd_t
            else:
                total = sum(counts.of(part) for part in (gains.users_usd, gains.operators_usd, gains.fees_usd))
            upkeep = sum(self.cost(i) * self.paid(i, counts) for i in chosen) * self.terms.upkeep
            self._worth[key] = total - upkeep
        return self._worth[key]

    def worth(self, chosen: frozenset[int], counts: Counts, year: int) -> float:
        """The same in any year, in a straight line between modelled ones."""
        values = [self.of_modelled(chosen, counts, y) for y in self.modelled]
        return float(between_years(self.modelled, values, [year])[0])


def plan(
    study: Study,
    tables: Tables,
    limits: Limits,
    names: Sequence[str] = (),
    *,
    exact: bool | None = None,
    tell: Callable[[str], None] | None = None,
    valuer: Valuer | None = None,
    kept: Kept | None = None,
    where: Where | None = None,
) -> dict[str, Any]:
    """Find a programme.

    Parameters
    ----------
    study
        Its scenario of comparison is what all is held against.
    tables
        The atlas.
    limits
        Budgets and order.
    names
        Projects; by default those that the study builds.
    exact
        Whether to prove it; by default for few projects (see `landbridge.model.portfolio.EXACT`).
    tell
        Called with what is being solved.
    valuer
        One that has solved some of it already.
    kept
        Where what was found is kept, so that a run that was stopped goes on where it was.
    where
        Who solves the sets that a proved programme asks for: this process (the default), processes of this machine, or
        a cluster; the numbers are the same. A climb asks for one set after the other, and does so here.

    Returns
    -------
    dict
        ``programme`` rows by project, ``value_usd``, ``bound_usd``, ``proved``, ``spending``,
        ``coordination``, what was left out and why, ``assumptions``.

    Raises
    ------
    LandbridgeError
        If no project has a cost and a place in the network.
    UnknownName
        If an order names what is not planned.
    """
    if limits.fairest and limits.weights:
        raise LandbridgeError("the fairest programme: wanted countries alike, got weights")
    world = _World(study, tables, names, tell, valuer, kept)
    ids = [o.id for o in world.options]

    def index(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[int, int], ...]:
        for pair in pairs:
            for name in pair:
                if name not in ids:
                    raise UnknownName("project of this programme", name, ids)
        return tuple((ids.index(a), ids.index(b)) for a, b in pairs)

    _check_orders(limits)

    first = limits.first_year if limits.first_year is not None else _first_year(tables, world.plans)
    longest = max(p.build_years for p in world.plans)
    horizon = max(limits.horizon, longest)
    last = horizon + world.terms.years - 1
    yearly = (limits.yearly_usd,) * horizon
    countries, counts = limits.welfare, limits.counted()

    def candidates_for(those: Counts) -> list[portfolio.Candidate]:
        return [
            portfolio.Candidate(
                (world.cost(i) / p.build_years,) * p.build_years, p.payers, counted=world.paid(i, those)
            )
            for i, p in enumerate(world.plans)
        ]

    candidates = candidates_for(counts)
    terms = portfolio.ProgrammeTerms(
        horizon=horizon,
        last_year=last,
        rate=world.terms.rate,
        budget=yearly,
        payer_budgets={c: tuple(share * y for y in yearly) for c, share in limits.payers.items()},
        total=limits.total_usd,
        payer_totals={c: share * limits.total_usd for c, share in limits.payers.items()},
        carry_over=limits.carry_over,
        before=tuple((b, a) for a, b in index(limits.before)),
        exclusive=index(limits.exclusive),
    )

    if len(ids) <= portfolio.EXACT if exact is None else exact:
        sets = [names for size in range(len(ids) + 1) for names in combinations(sorted(ids), size)]
        find_ahead(world.valuer, [Asked(year, each) for year in study.years for each in sets], where=where)

    def worth(chosen: frozenset[int], year: int) -> float:
        return world.worth(chosen, counts, first + year)

    least: dict[str, float] | None = None
    if limits.fairest:
        if len(countries) < 2 or len(ids) > portfolio.EXACT:
            raise LandbridgeError(
                f"the fairest programme: wanted at least two countries and at most {portfolio.EXACT} projects, got "
                f"{len(countries)} and {len(ids)}"
            )

        def of(country: str) -> Callable[[frozenset[int], int], float]:
            return lambda chosen, year: world.worth(chosen, Counts({country: 1.0}), first + year)

        starts, values = portfolio.fairest_programme(
            [candidates_for(Counts({c: 1.0})) for c in countries], [of(c) for c in countries], terms
        )
        least = dict(zip(countries, values.tolist(), strict=True))
        found = portfolio.told_programme(candidates, worth, terms, starts)
    else:
        found = portfolio.plan_programme(candidates, worth, terms, exact=exact)
    few = len(ids) <= portfolio.EXACT
    rows = []
    for i, start in enumerate(found.starts):
        begun = 0 if start is None else start
        build = world.plans[i].build_years
        years = range(begun + build, last + 1)
        gain = sum(worth(frozenset({i}), t) / (1.0 + terms.rate) ** t for t in years)
        spent = appraisal.npv([0.0] * begun + list(candidates[i].cost), terms.rate) * candidates[i].counted
        rows.append(
            {
                "project": ids[i],
                "name": world.options[i].name,
                "chosen": start is not None,
                "start_year": None if start is None else first + start,
                "opening_year": None if start is None else first + start + build,
                "build_years": build,
                "cost_usd": world.cost(i),
                "cost_basis": world.plans[i].cost_basis,
                "value_alone_usd": gain - spent,
                "value_in_company_usd": found.without[i],
            }
        )
    payers = sorted({c for p in world.plans for c in p.payers})
    spending = _spending(found, candidates, payers, limits, first)
    method = (
        "every set of projects solved, all start years searched: no other plan is worth more"
        if found.proved
        else "a climb by adding, moving, dropping and exchanging; the bound holds as far as no project adds more to a "
        "set that was not solved than to those that were"
    )
    return {
        "study": study.name,
        "size": study.size,
        "first_year": first,
        "horizon_years": horizon,
        "last_year": first + last,
        "terms": world.terms.told(),
        "fairest_usd": least,
        "welfare": _welfare(limits),
        "budget_usd": _finite(limits.total_usd),
        "yearly_usd": _finite(limits.yearly_usd),
        "payers": dict(limits.payers),
        "proved": found.proved,
        "method": method,
        "value_usd": found.value,
        "bound_usd": found.bound,
        "plans": found.plans,
        "programme": rows,
        "spending": spending,
        "left_out": world.left_out,
        "coordination": alone_or_together(world, candidates, counts, terms, first)
        if few
        else {"why_not": f"every set of {len(ids)} projects would have to be solved, {portfolio.EXACT} are the most"},
        "assumptions": [
            f"years counted from {first} to {first + last}; money of {first} is not discounted",
            "costs in even parts over the years of construction; upkeep counted, no residual value",
            "gains of years between modelled ones in a straight line, outside as the nearest modelled one",
            "a project not in the programme stays unbuilt",
            "what a project is worth here is no NPV of an appraisal, which counts from the project's own first year, "
            "over its own years of service, with what is left of it at the end",
        ],
        "solved": world.valuer.solved,
    }


def _check_orders(limits: Limits) -> None:
    """Refuse a project that is to wait for itself, by itself or round others, and one that excludes itself."""
    faults = [f"{a} excludes itself" for a, b in limits.exclusive if a == b]
    order: TopologicalSorter[str] = TopologicalSorter()
    for first, then in limits.before:
        order.add(then, first)
    try:
        order.prepare()
    except CycleError as error:
        faults.append("each of these would wait for the one before it: " + " > ".join(error.args[1]))
    if faults:
        raise LandbridgeError("an order that no programme can keep: " + "; ".join(faults))


def _welfare(limits: Limits) -> list[str] | str:
    """Whose gains count, in words."""
    if not limits.weights:
        return list(limits.welfare) or "all countries, CO2 included"
    counts = limits.counted()
    told = [f"{c} times {weight:g}" for c, weight in counts.weights.items() if c != ANY]
    return [*told, f"all others times {counts.others:g}"] if not limits.welfare else told


def _first_year(tables: Tables, plans: Sequence[Plan]) -> int:
    """The year after that of the atlas, so that nothing is begun in the past; without a date, the earliest start."""
    made = str(tables.package.created)[:4] if tables.package else ""
    return int(made) + 1 if made.isdigit() else min(p.first_year for p in plans)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _spending(
    found: portfolio.Programme,
    candidates: Sequence[portfolio.Candidate],
    payers: Sequence[str],
    limits: Limits,
    first: int,
) -> list[dict[str, Any]]:
    rows = []
    for payer in ("*", *payers):
        spent = np.zeros(found.spent.size)
        for one, start in zip(candidates, found.starts, strict=True):
            if start is not None:
                share = 1.0 if payer == "*" else one.payers.get(payer, 0.0)
                spent[start : start + len(one.cost)] += share * np.asarray(one.cost)
        part = 1.0 if payer == "*" else limits.payers.get(payer, float("inf"))
        budget = _finite(part * limits.yearly_usd)
        rows += [
            {"year": first + t, "payer": payer, "spent_usd": float(usd), "budget_usd": budget}
            for t, usd in enumerate(spent)
            if payer == "*" or spent.any()
        ]
    return rows


def alone_or_together(
    world: _World,
    candidates: Sequence[portfolio.Candidate],
    counts: Counts,
    terms: portfolio.ProgrammeTerms,
    first: int,
) -> dict[str, Any]:
    """What each payer would do alone, against what all would do together; ``why_not`` where it cannot be told.

    A payer says of each project that it pays for whether it joins; a project is built where all of its payers join.
    Both are about the same budgets, orders and years as the programme: what these do not allow is open to nobody, and a
    set that they allow is built in the start years that are worth most to those whose welfare counts. Payoffs are
    present values to the country over the programme's years, less its share of cost and upkeep.
    """
    payers = sorted({c for p in world.plans for c, share in p.payers.items() if share > 0.0})
    mine = {c: [i for i, p in enumerate(world.plans) if p.payers.get(c, 0.0) > 0.0] for c in payers}
    size = float(np.prod([2.0 ** len(own) for own in mine.values()]))
    if len(payers) < 2:
        return {"why_not": f"{', '.join(payers) or 'nobody'} alone pays for everything"}
    if size > portfolio.MOST_PROFILES:
        return {"why_not": f"{size:.0f} choices of all are more than {portfolio.MOST_PROFILES}: name fewer projects"}
    starts_of = portfolio.best_starts(candidates, lambda chosen, t: world.worth(chosen, counts, first + t), terms)
    known: dict[frozenset[int], F8 | None] = {}
    begun: dict[frozenset[int], dict[str, int]] = {}

    def built(profile: tuple[int, ...]) -> frozenset[int]:
        joins = {c: {i for n, i in enumerate(mine[c]) if profile[k] >> n & 1} for k, c in enumerate(payers)}
        return frozenset(
            i for i, p in enumerate(world.plans) if all(i in joins[c] for c, share in p.payers.items() if share > 0.0)
        )

    def of_country(country: str, starts: tuple[int | None, ...]) -> float:
        one = Counts({country: 1.0})
        own = [replace(c, counted=world.paid(i, one)) for i, c in enumerate(candidates)]
        return portfolio.programme_value(own, lambda chosen, t: world.worth(chosen, one, first + t), terms, starts)

    def payoff(profile: tuple[int, ...]) -> F8 | None:
        chosen = built(profile)
        if chosen not in known:
            starts = starts_of(chosen)
            known[chosen] = None if starts is None else np.array([of_country(c, starts) for c in payers])
            begun[chosen] = {
                world.options[i].id: first + start for i, start in enumerate(starts or ()) if start is not None
            }
        return known[chosen]

    found = portfolio.coordinate([2 ** len(mine[c]) for c in payers], payoff)

    def named(profile: tuple[int, ...]) -> list[str]:
        return sorted(world.options[i].id for i in built(profile))

    sets = [list(x) for x in dict.fromkeys(tuple(named(p)) for p in found.equilibria)]
    shut = sorted(sorted(world.options[i].id for i in chosen) for chosen, values in known.items() if values is None)
    return {
        "players": payers,
        "equilibria": sets,
        "no_pure_equilibrium": not found.equilibria,
        "cycle": [named(p) for p in found.cycle],
        "joint": named(found.joint),
        "joint_start_years": begun[built(found.joint)],
        "not_allowed": shut,
        "worst_equilibrium": None if found.worst is None else named(found.worst),
        "joint_usd": dict(zip(payers, found.joint_payoff.tolist(), strict=True)),
        "alone_usd": dict(zip(payers, found.payoff.tolist(), strict=True)),
        "price_usd": dict(zip(payers, found.price.tolist(), strict=True)),
        "side_payment_usd": dict(zip(payers, found.side_payment.tolist(), strict=True)),
        "note": "within the programme's budgets, orders and years; the joint optimum is that of the payers together, "
        "others gain or lose beside them",
    }


def plan_tables(found: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of a programme."""
    tables = {
        "programme": frame_of("programme", found["programme"]),
        "programme_spending": frame_of("programme_spending", found["spending"]),
    }
    told = found["coordination"]
    if "players" in told:
        parts = ("joint_usd", "alone_usd", "price_usd", "side_payment_usd")
        rows = [{"country": c, **{part: told[part][c] for part in parts}} for c in told["players"]]
        tables["coordination"] = frame_of("coordination", rows)
    return tables
