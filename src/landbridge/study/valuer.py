"""What sets of projects are worth in each modelled year: solved once, warm from the solution without them, and kept.

    without all of them -> with a set -> gains

Every set begins from the solution without any, never from whatever was solved last, so that results do not depend on
the order in which they are asked for. A project whose new or changed arcs nothing uses leaves the flows as they were,
and its gains are zero, not the noise of two searches.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.model.network import MODES, ArcKind
from landbridge.model.network.match import matching_arcs
from landbridge.scenario.apply import apply
from landbridge.scenario.edits import Payment
from landbridge.study.appraising import Option
from landbridge.study.content import code_hash, content_of
from landbridge.study.files import Study, held_projects
from landbridge.study.gains import Gains, OutsideCarbon, State, gains_between, state_of
from landbridge.study.kept import Kept
from landbridge.study.payments import payments_table
from landbridge.study.settings import Settings, parameter
from landbridge.study.solve import Solution, solve
from landbridge.study.terminal_network import solve_with_terminals

__all__ = ["Ground", "Own", "Valuer"]

F8 = npt.NDArray[np.float64]
Set = frozenset[str]
_Found = TypeVar("_Found")

# Costs that differ by less than this share differ by rounding alone.
ROUNDING = 1e-12
_OF_ARCS = "time_h spread_h money_usd_teu money_usd_t money_empty_usd_teu container bulk co2_g_t box_co2_g_teu".split()
_OF_FACILITIES = "delay_h power capacity_trains_day preload_trains_day train_length_factor".split()


class Own:
    """What a project's own lines carry and earn in a year.

    Attributes
    ----------
    heaviest_t
        Tonnes on its heaviest link, both ways.
    tonne_km, paid_usd, surplus_usd
        On all of its links; surplus is what is paid beyond the resources of the runs.
    """

    def __init__(self, tables: Tables, solution: Solution, links: Set, tolls: pl.DataFrame) -> None:
        net, classes = solution.prepared.network, solution.prepared.classes
        mine = np.array([name in links for name in net.links], np.bool_)
        arcs = np.flatnonzero((net.kind == ArcKind.MOVE) & np.where(net.link >= 0, mine[net.link], False))
        tonnes = solution.equilibrium.arc_tonnes_yr[:, arcs]
        by_link = np.bincount(net.link[arcs], tonnes[: classes.empty].sum(axis=0), max(len(net.links), 1))
        price = np.zeros(arcs.size)
        for k in range(len(classes.names)):
            each = net.money_usd_t[arcs]
            if classes.container[k]:
                teu = net.money_empty_usd_teu if k == classes.empty else net.money_usd_teu
                each = teu[arcs] / classes.t_per_teu[k]
            price += tonnes[k] * each
        rail = net.mode[arcs] == MODES.index("rail")
        self.heaviest_t = float(by_link.max(initial=0.0))
        self.tonne_km = float((tonnes.sum(axis=0) * net.length_km[arcs]).sum())
        self.paid_usd = float(price.sum())
        share = parameter(tables, "resource-share")
        # a toll takes no resources, so that all of it is earned
        charged = tolls.filter((pl.col("table") == "links") & pl.col("row").is_in(sorted(links)))["paid_usd"].sum()
        self.surplus_usd = float(price[rail].sum()) * (1.0 - share) + share * float(charged)


@dataclass(frozen=True, eq=False)
class Ground:
    """The solution of a set in a year with the tables that it is of, from which others are found."""

    chosen: Set
    year: int
    solution: Solution
    tables: Tables
    payments: tuple[Payment, ...]


class Valuer:
    """Asks the equilibrium what sets of options are worth.

    Parameters
    ----------
    study
        Its scenario of comparison is what everything is held against: the do-minimum.
    tables
        The atlas.
    options
        What may be done; all of them are held back unless chosen.
    tell
        Called with what is being solved.
    kept
        Where gains and own lines are kept by all that they depend on, so that a run that was stopped goes on where it
        was; None = nowhere.
    """

    def __init__(
        self,
        study: Study,
        tables: Tables,
        options: Sequence[Option],
        *,
        tell: Callable[[str], None] | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.study, self.tables, self.options = study, tables, {o.id: o for o in options}
        self.settings = Settings(gap=study.gap, max_iterations=study.max_iterations, size=study.size)
        self._simulated = study.terminals == "simulated"
        self.solved = 0
        self._held = held_projects(study) | {o.id for o in options if o.project}
        self._ground = study.scenario(study.compare).measures
        self.tell = tell or (lambda _: None)
        self._solutions: dict[tuple[Set, int], Solution] = {}
        self._tables: dict[tuple[Set, int], Tables] = {}
        self._payments: dict[tuple[Set, int], Sequence[Payment]] = {}
        self._states: dict[tuple[Set, int], State] = {}
        self._carbon: dict[int, OutsideCarbon] = {}
        self._gains: dict[tuple[Set, Set, int], Gains] = {}
        self._own: dict[tuple[str, Set, int], Own] = {}
        self.kept = kept
        self._digest = "" if kept is None else content_of(code_hash(), tables.frames, self.settings, study.terminals)
        self._iso2 = dict(zip(tables["countries"]["iso3"], tables["countries"]["iso2"], strict=True))

    @property
    def held(self) -> tuple[str, ...]:
        """What stays unbuilt unless chosen: what is appraised, and what the study builds or holds."""
        return tuple(sorted(self._held))

    @property
    def years(self) -> tuple[int, ...]:
        """Modelled years."""
        return self.study.years

    def solution(self, chosen: Set, year: int) -> Solution:
        """Flows of a year with these options and none of the others."""
        key = (chosen, year)
        if key not in self._solutions:
            measures = (*self._ground, *(m for name in sorted(chosen) for m in self.options[name].measures))
            done = apply(self.tables, measures, year, held=self._held)
            applied, self._payments[key] = done.tables, done.payments
            self.tell(f"{year} with {', '.join(sorted(chosen)) or 'none'}")
            start = self.solution(frozenset(), year) if chosen else None
            if self._simulated:
                fixed = solve_with_terminals(applied, year=year, settings=self.settings, start=start)
                self._solutions[key] = fixed.solution
            else:
                self._solutions[key] = solve(applied, year=year, settings=self.settings, start=start)
            self._tables[key] = applied
            self.solved += 1
        return self._solutions[key]

    def gains(self, chosen: Set, year: int, *, without: Set = frozenset()) -> Gains:
        """What a set gains over another, by default over none, in a modelled year."""
        key = (without, chosen, year)
        if key not in self._gains:
            named = self._gains_key(without, chosen, year)
            self._gains[key] = self._remember(named, lambda: self._find_gains(chosen, year, without))
        return self._gains[key]

    def _find_gains(self, chosen: Set, year: int, without: Set) -> Gains:
        before, after = self.solution(without, year), self.solution(chosen, year)
        # yards that are simulated may differ in delay alone, which no number of the network shows
        if chosen == without or not (self._simulated or _used(before, after)):
            return Gains()
        if year not in self._carbon:
            none = self.solution(frozenset(), year)
            self._carbon[year] = OutsideCarbon(self._tables[frozenset(), year], none.prepared)
        states = (self._state(without, year), self._state(chosen, year))
        return gains_between(before, after, states, self._carbon[year], self._iso2)

    def ground(self, chosen: Set, year: int) -> Ground:
        """The solution of a set in a year, to be handed on."""
        solution = self.solution(chosen, year)
        return Ground(chosen, year, solution, self._tables[chosen, year], tuple(self._payments[chosen, year]))

    def put(self, ground: Ground) -> None:
        """Take a solution that another valuer of the same study and atlas has found."""
        key = (ground.chosen, ground.year)
        if key not in self._solutions:
            self._solutions[key], self._tables[key] = ground.solution, ground.tables
            self._payments[key] = ground.payments

    def knows(self, chosen: Sequence[str], without: Sequence[str], year: int, own: Sequence[str]) -> bool:
        """Whether gains of a set, and own lines there, are known or kept."""
        there, before = frozenset(chosen), frozenset(without)
        found = [(before, there, year) in self._gains or self._is_kept(self._gains_key(before, there, year))]
        found += [(o, there, year) in self._own or self._is_kept(self._own_key(o, there, year)) for o in own]
        return all(found)

    def take(self, chosen: Set, without: Set, year: int, gains: Gains, own: Mapping[str, Own]) -> None:
        """Take gains and own lines that another valuer of the same study and atlas has found."""
        self._gains[without, chosen, year] = self._remember(self._gains_key(without, chosen, year), lambda: gains)
        for name, each in own.items():
            key = self._own_key(name, chosen, year)
            self._own[name, chosen, year] = self._remember(key, lambda each=each: each)  # type: ignore[misc]

    def _gains_key(self, without: Set, chosen: Set, year: int) -> tuple[Any, ...]:
        return "gains", self._measures(without), self._measures(chosen), year

    def _own_key(self, option: str, chosen: Set, year: int) -> tuple[Any, ...]:
        return "own", sorted(self._links(option)), self._measures(chosen), year

    def _links(self, option: str) -> Set:
        return frozenset(self.tables["links"].filter(pl.col("project") == option)["id"].to_list())

    def _is_kept(self, named: tuple[Any, ...]) -> bool:
        return self.kept is not None and self.kept.get(content_of(self._digest, *named)) is not None

    def _measures(self, chosen: Set) -> tuple[Any, ...]:
        """What a set does, and what is held back while it does."""
        return (*self._ground, *(m for name in sorted(chosen) for m in self.options[name].measures)), self.held

    def _remember(self, named: tuple[Any, ...], find: Callable[[], _Found]) -> _Found:
        """What was found before and kept, else what is found now."""
        if self.kept is None:
            return find()
        key = content_of(self._digest, *named)
        raw = self.kept.get(key)
        if raw is not None:
            return cast(_Found, pickle.loads(raw))  # noqa: S301 - as trusted as a program, see `kept`
        found = find()
        self.kept.put(key, pickle.dumps(found))
        return found

    def forget(self, chosen: Set) -> None:
        """Let go of the flows of a set whose gains are known; they are large."""
        for year in self.years:
            if chosen:
                self._solutions.pop((chosen, year), None)
                self._tables.pop((chosen, year), None)

    def add(self, option: Option) -> None:
        """Let something more be asked for, which is not held back: a variant of a project."""
        self.options[option.id] = option

    def own(self, option: str, chosen: Set, year: int) -> Own:
        """What an option's own lines carry where a set is there."""
        key = (option, chosen, year)

        def find() -> Own:
            solution = self.solution(chosen, year)
            tolls = payments_table(self._tables[chosen, year], solution, self._payments[chosen, year])
            return Own(self.tables, solution, self._links(option), tolls)

        if key not in self._own:
            self._own[key] = self._remember(self._own_key(option, chosen, year), find)
        return self._own[key]

    def changes_network(self, option: str) -> bool:
        """Whether an option changes anything that the model knows of."""
        if not self.options[option].project:
            return True
        known = (self.tables[table]["project"] == option for table in ("links", "upgrades"))
        return any(bool(rows.any()) for rows in known)

    def why_not(self, option: str) -> str:
        """Why no flow can tell what an option is worth: the atlas' reason where it has one."""
        if "unvalued" in self.tables:
            told = self.tables["unvalued"].filter(pl.col("id") == option)["reason"].to_list()
            if told:
                return str(told[0])
        return "the atlas has neither lines nor upgrades for it, so no flow can tell what it is worth"

    def _state(self, chosen: Set, year: int) -> State:
        if (chosen, year) not in self._states:
            solution = self.solution(chosen, year)
            tables, tolls = self._tables[chosen, year], self._payments[chosen, year]
            self._states[chosen, year] = state_of(tables, solution, payments_table(tables, solution, tolls))
        return self._states[chosen, year]


def _used(before: Solution, after: Solution) -> bool:
    """Whether anything moves on arcs that only one of two networks has, or that differ in some number."""
    old, new = before.prepared.network, after.prepared.network
    partner = matching_arcs(old, new)
    here = np.flatnonzero(partner >= 0)
    there = partner[here]
    differ = np.zeros(here.size, np.bool_)
    for name in _OF_ARCS:
        differ |= getattr(old, name)[here] != getattr(new, name)[there]
    one, other = old.facility[here], new.facility[there]
    differ |= (one >= 0) != (other >= 0)
    for name in _OF_FACILITIES:
        first = np.append(getattr(old, name), 0.0)[one]
        second = np.append(getattr(new, name), 0.0)[other]
        differ |= first != second
    changed_old, changed_new = np.ones(old.arc_count, np.bool_), np.ones(new.arc_count, np.bool_)
    changed_old[here], changed_new[there] = differ, differ
    moved = (
        before.equilibrium.arc_tonnes_yr[:, changed_old].sum() + after.equilibrium.arc_tonnes_yr[:, changed_new].sum()
    )
    # a path of the outside option that is found anew adds its costs up in another order
    one_way, other_way = before.prepared.outside_usd_t, after.prepared.outside_usd_t
    return bool(moved > 0.0) or not np.allclose(one_way, other_way, rtol=ROUNDING, atol=0.0)
