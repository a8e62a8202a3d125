"""Questions about routes, with conditions, and answers that say what each condition costs or why there is no route.

A condition is a ban (countries, crossings, links, operators, modes, gauges, every border but some, or a rule of
sanctions), a place to pass, a limit (borders, changes of gauge, mean hours to arrival) or a premium on entering a
country, which is a penalty and bans nothing. Bans take arcs out of one and the same network, so that an answer
can be held against those without them:

- what a condition costs: by how much the best route would be better if that condition alone were lifted;
- why there is no route: the conditions each of which, lifted alone, would open one; where none would, a smallest set
  that must be lifted together (none of it can be kept); where even that does not help, what the network itself lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.model import paths, routes
from landbridge.model.costs import class_co2
from landbridge.model.network import MODES, ArcKind, Network
from landbridge.model.routes import Limits
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Measure
from landbridge.study.cargo import CargoRule, cargo_rules, empty_return, entering, insurance, market_premiums
from landbridge.study.legs import Leg
from landbridge.study.questions import Question
from landbridge.study.routing import NamedRoute, RouteFinder, box_tonnes
from landbridge.study.solve import free_time_h

__all__ = ["Answer", "Blocker", "Effect", "answer", "ask", "usable_arcs"]

F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]
B1 = npt.NDArray[np.bool_]

#: A saving below this, in USD a tonne of generalised cost, is rounding.
NOTHING = 1e-6
#: Set on a barred mode's kilometres where the way is sought that has the fewest of them, USD a tonne and km.
FORBIDDING_USD_T = 1e3
#: The most things that a message names of one kind.
NAMED = 4
#: Another passage is worth a planner's look up to so many times the least generalised cost.
WITHIN = 1.5

Kind = Literal[
    "country",
    "crossing",
    "link",
    "mode",
    "gauge",
    "operator",
    "sanction",
    "premium",
    "only borders",
    "via",
    "borders",
    "gauge changes",
    "arrival",
    "missing link",
    "place",
    "transfer",
]


@dataclass(frozen=True)
class Effect:
    """What one condition does to the best route by generalised cost.

    ``generalised_usd``, ``time_h`` and ``cost_usd`` tell how much less the best route would take without it; None where
    there is no route to compare. ``note`` says why a condition changes nothing.
    """

    kind: Kind
    name: str
    generalised_usd: float | None
    time_h: float | None
    cost_usd: float | None
    note: str


@dataclass(frozen=True)
class Blocker:
    """What stands in the way where there is no route.

    ``alone`` tells whether lifting it alone opens a route; else all blockers together must be lifted. ``through`` holds
    the crossings and links that the route so opened would use and this blocks.
    """

    kind: Kind
    name: str
    alone: bool
    through: tuple[str, ...]
    detail: str

    def __str__(self) -> str:
        ways = f" ({_listed(self.through)})" if self.through else ""
        return f"{self.kind} {self.name}{ways}{f': {self.detail}' if self.detail else ''}"


@dataclass(frozen=True)
class Answer:
    """Routes, or why there are none.

    Attributes
    ----------
    status
        ``found`` or ``no route``.
    routes
        The best by the first objective first.
    rule
        How the routes were chosen, and what is promised about them.
    efficient
        Size of the whole efficient set; None where no such set was asked for.
    free
        The best route by generalised cost when all conditions are lifted.
    effects
        What each condition costs.
    blocked_by
        What stands in the way; empty when there are routes.
    """

    status: Literal["found", "no route"]
    routes: tuple[NamedRoute, ...]
    rule: str
    efficient: int | None
    free: NamedRoute | None
    effects: tuple[Effect, ...]
    blocked_by: tuple[Blocker, ...]

    @property
    def reason(self) -> str:
        """Why there is no route, in one sentence."""
        blockers = self.blocked_by
        if not blockers:
            return ""
        told = "; ".join(str(blocker) for blocker in blockers)
        if blockers[0].kind in ("missing link", "place", "transfer"):
            return f"the network itself has no way: {told}"
        if len(blockers) == 1:
            return f"it takes lifting {told}"
        return f"it takes lifting {'any one' if blockers[0].alone else 'all'} of: {told}"

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain values."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class _Condition:
    """A ban (``shut``), a place to pass (``via``), a limit (``used``, ``most``) or a ``penalty`` per tonne."""

    kind: Kind
    name: str
    shut: B1 | None = None
    via: int | None = None
    used: F8 | None = None
    most: float = np.inf
    penalty: F8 | None = None


def ask(
    tables: Tables,
    asked: Question,
    *,
    year: int,
    measures: Sequence[Measure] = (),
    held: frozenset[str] = frozenset(),
    hours: Callable[[Network], F8] = free_time_h,
) -> Answer:
    """Answer a question about routes.

    Parameters
    ----------
    tables
        The atlas.
    asked
        From `landbridge.study.questions.question`.
    year
        The year whose network is used.
    measures
        A scenario's measures.
    held
        Projects that stay unbuilt.
    hours
        Hours of every arc: free flow with the preload, or those of
        `landbridge.study.at_flows.loaded_hours`.

    Returns
    -------
    Answer

    Raises
    ------
    UnknownName
        For a commodity that is not in the atlas.
    """
    applied = apply(tables, measures, year, held=held)
    finder = RouteFinder(applied.tables, [asked.start, asked.end], hours=hours, payments=applied.payments, year=year)
    finder.commodity(asked.commodity)
    rules = cargo_rules(tables, measures, start=asked.start, end=asked.end, commodity=asked.commodity, year=year)
    return answer(finder, asked, tables, rules)


def answer(finder: RouteFinder, asked: Question, atlas: Tables, rules: Sequence[CargoRule] = ()) -> Answer:
    """Answer a question on a network that is ready.

    Parameters
    ----------
    finder
        With both ends among its places.
    asked
        The question.
    atlas
        Tables with what is not open too, to tell which link is missing.
    rules
        Sanctions that hold for the cargo.

    Returns
    -------
    Answer
    """
    return _Search(finder, asked, rules).answer(atlas)


def usable_arcs(finder: RouteFinder, asked: Question, rules: Sequence[CargoRule] = ()) -> B1:
    """Tell which arcs the bans of a question leave to its cargo.

    Parameters
    ----------
    finder, asked, rules
        As for `answer`.

    Returns
    -------
    bool[m]
    """
    search = _Search(finder, asked, rules)
    return search.usable(search.conditions)


class _Search:
    """One question on one network; lives only inside `answer`."""

    def __init__(self, finder: RouteFinder, asked: Question, rules: Sequence[CargoRule]) -> None:
        self.finder, self.asked, self.rules, self.net = finder, asked, rules, finder.network
        self.commodity = finder.commodity(asked.commodity)
        self.units = box_tonnes(finder.goods, self.commodity, asked.feu)
        self.cost = finder.cost(self.commodity)
        self.values = routes.criteria(
            self.net,
            finder.price(self.commodity),
            finder.time_h,
            class_co2(self.net, finder.goods, self.commodity),
        )
        self.source = int(self.net.zone_source[finder.zone[asked.start]])
        self.sink = int(self.net.zone_sink[finder.zone[asked.end]])
        self.market = (
            market_premiums(finder, asked.commodity, finder.year)
            if asked.market_premiums and finder.year is not None
            else ()
        )
        self.conditions = tuple(self._conditions())
        self.besides = tuple(self._besides())

    # -- conditions --------------------------------------------------------------------------------------------------

    def _conditions(self) -> Iterable[_Condition]:
        net, asked = self.net, self.asked
        for code in asked.avoid_countries:
            number = net.countries.index(code) if code in net.countries else -1
            yield _Condition("country", code, shut=(net.country == number) | (net.country_to == number))
        for name in asked.avoid_crossings:
            number = net.crossings.index(name) if name in net.crossings else -2
            yield _Condition("crossing", name, shut=net.crossing == number)
        for name in asked.avoid_links:
            number = net.links.index(name) if name in net.links else -2
            yield _Condition("link", name, shut=net.link == number)
        for name in asked.avoid_operators:
            yield _Condition("operator", name, shut=self._run_by(name))
        for rule in self.rules:
            codes = [i for i, code in enumerate(net.countries) if code in rule.countries]
            shut = np.isin(net.country, codes) | np.isin(net.country_to, codes) | rule.forbidden
            for name in rule.operators:
                shut = shut | self._run_by(name)
            yield _Condition("sanction", rule.name, shut=shut)
        for code, percent in asked.premiums:
            usd_t = percent / 100 * float(self.finder.goods.value_usd_t[self.commodity])
            yield _Condition("premium", f"{code} {percent:g} %", penalty=np.where(entering(net, code), usd_t, 0.0))
        for premium in self.market:
            if premium.pct is not None:
                usd_t = premium.pct / 100 * float(self.finder.goods.value_usd_t[self.commodity])
                name = f"{premium.name} {premium.pct:g} %"
                yield _Condition("premium", name, penalty=np.where(premium.arcs, usd_t, 0.0))
        for name in asked.avoid_modes:
            # a truck that fetches a box from its terminal is no leg by road, but a leg by road begins with one
            yield _Condition("mode", name, shut=(net.mode == MODES.index(name)) & (net.kind != ArcKind.ACCESS))
        for gauge in asked.avoid_gauges:
            yield _Condition("gauge", f"{gauge} mm", shut=net.gauge_mm == gauge)
        if asked.only_borders is not None:
            kept = [i for i, name in enumerate(net.crossings) if name in asked.only_borders]
            shut = (net.kind == ArcKind.BORDER) & ~np.isin(net.crossing, kept)
            yield _Condition("only borders", _listed(asked.only_borders), shut=shut)
        for place in asked.via:
            yield _Condition("via", place, via=net.places.index(place))
        limits: list[tuple[Kind, str, float | None, str]] = [
            ("borders", f"at most {asked.max_borders}", asked.max_borders, "borders"),
            ("gauge changes", f"at most {asked.max_gauge_changes}", asked.max_gauge_changes, "gauge_changes"),
            ("arrival", f"within {(asked.deadline_h or 0) / 24:g} days", asked.deadline_h, "time"),
        ]
        for kind, name, most, criterion in limits:
            if most is not None:
                yield _Condition(kind, name, used=self.values[criterion], most=float(most))

    def _run_by(self, operator: str) -> B1:
        """Arcs of links that use an operator's tracks."""
        own = [i for i, link in enumerate(self.net.links) if operator in self.finder.prices.operators.get(link, ())]
        return np.isin(self.net.link, own)

    def _besides(self) -> Iterable[Leg]:
        """Legs that lie on no arc."""
        asked, goods = self.asked, self.finder.goods
        if asked.own_box and goods.container[self.commodity]:
            leg = empty_return(
                self.finder,
                asked.start,
                asked.end,
                teu=self.units / float(goods.t_per_teu[self.commodity]),
                usable=self.usable(self.conditions),
            )
            if leg is not None:
                yield leg
        if asked.insurance_pct is not None:
            yield insurance(
                self.finder.tables,
                asked.commodity,
                start=asked.start,
                end=asked.end,
                percent=asked.insurance_pct,
                tonnes=self.units,
            )

    def _priced(self, kept: Iterable[_Condition]) -> F8:
        """Generalised cost with the penalties that are kept."""
        cost = self.cost
        for condition in kept:
            if condition.penalty is not None:
                cost = cost + condition.penalty
        return cost

    def usable(self, kept: Iterable[_Condition]) -> B1:
        usable = np.isfinite(self.cost)
        for condition in kept:
            if condition.shut is not None:
                usable = usable & ~condition.shut
        return usable

    def _terms(self, kept: Sequence[_Condition]) -> dict[str, Any]:
        held = [condition for condition in kept if condition.used is not None]
        limits = None
        if held:
            limits = Limits(np.stack([c.used for c in held if c.used is not None]), np.array([c.most for c in held]))
        return {"via": [condition.via for condition in kept if condition.via is not None], "limits": limits}

    def _best(self, kept: Sequence[_Condition], values: F8 | None = None) -> I4 | None:
        cost = np.where(self.usable(kept), self._priced(kept) if values is None else values, np.inf)
        return routes.best(self.net, cost, self.source, self.sink, **self._terms(kept))

    def _without(self, *lifted: _Condition) -> list[_Condition]:
        return [condition for condition in self.conditions if condition not in lifted]

    def _named(self, arcs: I4) -> NamedRoute:
        return self.finder.named(
            arcs,
            self._priced(self.conditions),
            self.commodity,
            units=self.units,
            deadline_h=self.asked.deadline_h,
            besides=self.besides,
        )

    # -- answers -----------------------------------------------------------------------------------------------------

    def answer(self, atlas: Tables) -> Answer:
        if self.source < 0 or self.sink < 0:
            place = self.asked.start if self.source < 0 else self.asked.end
            blocker = Blocker("place", place, True, (), "no link of it is open")
            return Answer("no route", (), "", None, None, (), (blocker,))
        found, rule, size = self._routes()
        free = self._best(())
        named = None if free is None else self._named(free)
        if not found:
            blockers = self._blockers(atlas)
            told = {(blocker.kind, blocker.name) for blocker in blockers}
            effects = tuple(
                Effect(c.kind, c.name, None, None, None, self._idle(c, found=False))
                for c in self.conditions
                if (c.kind, c.name) not in told
            )
            return Answer("no route", (), "", None, named, effects, tuple(blockers))
        if self.asked.only_borders is not None:
            rule += (
                " Only borders on land are held to those named; ports stay open, and entering a country by a port is "
                "not counted as a border. Without the mode sea no route enters by port."
            )
        return Answer("found", tuple(map(self._named, found)), rule, size, named, tuple(self._effects()), ())

    def _routes(self) -> tuple[list[I4], str, int | None]:
        asked, kept = self.asked, self.conditions
        usable, terms = self.usable(kept), self._terms(kept)
        cost = np.where(usable, self._priced(kept), np.inf)
        if asked.ranked and not asked.objectives:
            rule = (
                "The cheapest simple routes by generalised cost, one after another, however much they have in common."
            )
            return routes.ranked(self.net, cost, self.source, self.sink, asked.count, **terms), rule, None
        if not asked.objectives:
            rule = "The cheapest by generalised cost first: it is exact, the others are sensible alternatives."
            if asked.count > 1:
                found = routes.alternatives(self.net, cost, self.source, self.sink, asked.count, **terms)
                if found and not terms["via"] and terms["limits"] is None:
                    found = self._with_passages(found, cost)
                    rule = (
                        "The cheapest by generalised cost first, which is exact; then the cheapest of each named "
                        f"passage that costs at most {WITHIN:g} times as much, and sensible alternatives."
                    )
                return found, rule, None
            only = routes.best(self.net, cost, self.source, self.sink, **terms)
            return ([] if only is None else [only]), rule, None
        rows = [np.where(usable, self.values[name], np.inf) for name in asked.objectives]
        over = " and ".join((", ".join(asked.objectives[:-1]), asked.objectives[-1])).removeprefix(" and ")
        if len(rows) == 1:
            rows.append(cost)
            over += " and generalised cost"
        front = routes.efficient(self.net, np.stack(rows), self.source, self.sink, epsilon=asked.epsilon, **terms)
        groups = self.finder.passage_of(front.paths)
        chosen = [front.paths[i] for i in routes.thin(self.net, front, asked.count, groups)]
        rule = (
            f"{len(chosen)} of {len(front.paths)} efficient routes over {over}: the best by each, one of each named "
            f"passage, then those that have least of their length in common with these. {front.guarantee}"
        )
        return chosen, rule, len(front.paths)

    def _with_passages(self, found: list[I4], cost: F8) -> list[I4]:
        """The best, the cheapest of each further passage, and alternatives as far as there is room; by cost."""
        price = {id(arcs): float(cost[arcs].sum()) for arcs in found}
        own = self.finder.passage_of(found)
        kept, seen = [found[0]], {own[0]}
        for passage, arcs in self.finder.by_passage(cost, self.source, self.sink).items():
            if passage not in seen and float(cost[arcs].sum()) <= WITHIN * price[id(found[0])]:
                seen.add(passage)
                kept.append(arcs)
        kept = sorted(kept, key=lambda arcs: float(cost[arcs].sum()))[: self.asked.count]
        for arcs in found[1:]:
            if len(kept) < self.asked.count and all(
                routes.overlap(self.net, arcs, other) <= routes.OVERLAP for other in kept
            ):
                kept.append(arcs)
        return sorted(kept, key=lambda arcs: float(cost[arcs].sum()))

    def _effects(self) -> Iterable[Effect]:
        now = self._best(self.conditions)
        assert now is not None  # noqa: S101 (routes were found)
        for condition in self.conditions:
            then = self._best(self._without(condition))
            if then is None:  # another order of search at the edge of a limit; nothing can be said
                continue
            saved = float(self._priced(self.conditions)[now].sum() - self._priced(self._without(condition))[then].sum())
            price, hours = self.values["cost"], self.values["time"]
            yield Effect(
                condition.kind,
                condition.name,
                saved * self.units if saved > NOTHING else 0.0,
                float(hours[now].sum() - hours[then].sum()) if saved > NOTHING else 0.0,
                float(price[now].sum() - price[then].sum()) * self.units if saved > NOTHING else 0.0,
                "" if saved > NOTHING else self._idle(condition, found=True),
            )
        for premium in self.market:
            if premium.pct is None and bool(premium.arcs[now].any()):
                yield Effect("premium", premium.name, None, None, None, f"not counted: {premium.note}")

    def _idle(self, condition: _Condition, *, found: bool) -> str:
        """Why a condition changes nothing."""
        if condition.penalty is not None:
            return "the best route does not enter" if found else "lifted alone it opens no route"
        if condition.shut is None:
            met = "the best route passes it anyway" if condition.used is None else "the best route keeps it anyway"
            return met if found else "lifted alone it opens no route"
        if self._touched(condition, self._without(condition)):
            return "no better route leads through it" if found else "lifted alone it opens no route"
        if not self._touched(condition, ()):
            return "no way between the two places leads there at all"
        cuts = [
            "other borders" if other.kind == "only borders" else other.name
            for other in self.conditions
            if other is not condition and self._touched(condition, self._without(condition, other))
        ]
        bans = [name for name in cuts if name not in MODES] or cuts or ["all the others"]
        return f"with {_listed(bans)} barred no way leads there{' by the modes left' if len(bans) < len(cuts) else ''}"

    def _touched(self, condition: _Condition, kept: Sequence[_Condition]) -> bool:
        """Whether some way between the two places leads over what a condition shuts."""
        assert condition.shut is not None  # noqa: S101 (asked of bans only)
        net, usable = self.net, self.usable(kept)
        there = routes.reach(net, usable, self.source)[net.tail]
        back = routes.reach(net, usable, self.sink, backward=True)[net.head]
        return bool((condition.shut & usable & there & back).any())

    # -- no route ----------------------------------------------------------------------------------------------------

    def _blockers(self, atlas: Tables) -> list[Blocker]:
        if self._best(()) is None:
            return self._missing(atlas)
        alone = [c for c in self.conditions if self._best(self._without(c)) is not None]
        if alone:
            return [self._blocker(c, self._without(c), alone=True) for c in alone]
        # STEP 2: none is enough alone: lift all, then put back one by one what can be kept
        lifted = list(self.conditions)
        for condition in self.conditions:
            fewer = [c for c in lifted if c is not condition]
            if self._best(self._without(*fewer)) is not None:
                lifted = fewer
        return [self._blocker(c, self._without(*lifted), alone=False) for c in lifted]

    def _blocker(self, condition: _Condition, kept: Sequence[_Condition], *, alone: bool) -> Blocker:
        priced = None
        if condition.kind == "mode" and condition.shut is not None:
            # the least of a mode that opens a way tells what is missing; the best way may use far more of it
            priced = self._priced(kept) + np.where(condition.shut, FORBIDDING_USD_T * (1 + self.net.length_km), 0.0)
        arcs = self._best(kept, priced)
        assert arcs is not None  # noqa: S101 (it was just found)
        net, through = self.net, tuple[str, ...]()
        detail = f"then by {self._named(arcs).passage}"
        if condition.shut is not None and condition.shut.all():
            detail = "the trade itself is forbidden"
        elif condition.shut is not None:
            over = arcs[condition.shut[arcs]]
            borders = over[net.crossing[over] >= 0]
            through = tuple(dict.fromkeys(net.crossings[i] for i in net.crossing[borders].tolist()))
            if not through:
                through = tuple(dict.fromkeys(net.links[i] for i in net.link[over].tolist() if i >= 0))
        elif condition.used is not None:
            fewest = self._best(kept, condition.used)
            assert fewest is not None  # noqa: S101 (as above)
            least = float(condition.used[fewest].sum())
            text = f"{least / 24:.1f} days" if condition.kind == "arrival" else f"{least:.0f}"
            detail = f"the least is {text}"
        return Blocker(condition.kind, condition.name, alone, through, detail)

    def _missing(self, atlas: Tables) -> list[Blocker]:
        """What the network lacks: links that are not open, or a change of gauge or mode between those that are."""
        net = self.net
        rows = atlas["links"].select("id", "place_a", "place_b", "status", "open_from").to_dicts()
        index = {place: i for i, place in enumerate(atlas["places"]["id"])}
        ends = np.array([[index[row["place_a"]], index[row["place_b"]]] for row in rows])
        is_open = np.isin([row["id"] for row in rows], list(net.links))
        graph = paths.graph(len(index), np.append(ends[:, 0], ends[:, 1]), np.append(ends[:, 1], ends[:, 0]))
        # a hair for each link, so that of equals the plainest way is told
        found = paths.shortest_path(
            graph, np.tile(np.where(is_open, 0.0, 1.0) + 1e-6, 2), index[self.asked.start], index[self.asked.end]
        )
        if found is None:
            return [Blocker("place", self.asked.end, True, (), f"no link known leads there from {self.asked.start}")]
        missing = [rows[i] for i in (found[1] % len(rows)).tolist() if not is_open[i]]
        if missing:
            blockers = []
            for row in missing:
                opens = f", opens {row['open_from']}" if row["open_from"] else ""
                closed = row["status"] == "existing"
                detail = "closed in this year or scenario" if closed else f"{row['status']}{opens}"
                blockers.append(Blocker("missing link", row["id"], len(missing) == 1, (), detail))
            return blockers
        usable = np.isfinite(self.cost)
        there, back = routes.reach(net, usable, self.source), routes.reach(net, usable, self.sink, backward=True)
        meet = sorted(set(net.node_place[there].tolist()) & set(net.node_place[back].tolist()) - {-1})
        where = [net.places[i] for i in meet]
        if not where:
            detail = f"nothing that {self.asked.commodity} can reach leads on to {self.asked.end}"
            return [Blocker("transfer", self.asked.start, True, (), detail)]
        arrives, leaves = (_listed(self._states(nodes, meet[0])) for nodes in (there, back))
        detail = f"no yard or terminal joins them ({where[0]}: {arrives} arrives, {leaves} leaves)"
        return [Blocker("transfer", _listed(where), True, tuple(where), detail)]

    def _states(self, nodes: B1, place: int) -> list[str]:
        net = self.net
        at = np.flatnonzero(nodes & (net.node_place == place))
        return list(dict.fromkeys(net.states[i].rstrip(">") for i in net.node_state[at].tolist()))


def _listed(names: Sequence[str], last: str = "and") -> str:
    """A few names as a phrase; of many the first few."""
    shown = list(names[:NAMED])
    if len(names) > NAMED:
        return f"{', '.join(shown)} {last} {len(names) - NAMED} more"
    return f" {last} ".join([part for part in (", ".join(shown[:-1]), shown[-1]) if part]) if shown else ""
