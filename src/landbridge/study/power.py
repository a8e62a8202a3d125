"""Who has how much power on the corridors, and what a project does to it.

    study -> scenario, year -> corridors (worth) -> game -> solutions
                 with the project or the other scenario  -> game -> solutions -> what changes for whom

Both rules are always solved, shippers as players and as price-takers, since they answer different questions: with
shippers at the table two rival transit countries are worth nothing alone; without them each stands for the cargo that
it could carry if the others did not compete. A project asks for the consent of every player on whose land it lies, of
a railway on whose tracks: a coalition that lacks one of them earns what it earned before. What is shown with a result:
who plays, the outside option, the investment options, the principle, whether the game is superadditive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError
from landbridge.model import leverage
from landbridge.model.leverage import Game
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Build, Measure
from landbridge.scenario.scenarios import Scenario
from landbridge.scenario.select import country_km
from landbridge.study.carriage import Laden, lay_out
from landbridge.study.content import content_of
from landbridge.study.files import Study, held_projects
from landbridge.study.games import solutions
from landbridge.study.players import Players, check_listable, pairs_of, players_of, weights_of
from landbridge.study.runner import Where
from landbridge.study.solve import Settings
from landbridge.study.worth import RULES, Sampled, corridors, worth_game

__all__ = ["DEFAULT_PLAYERS", "BuildCost", "change", "power"]

#: Who bargains unless a user says otherwise: the countries of the passages between China and Europe.
DEFAULT_PLAYERS = ("CN", "KZ", "RU", "BY", "KG", "UZ", "AZ", "eu")


@dataclass(frozen=True)
class BuildCost:
    """How the cost of a project is counted, a year.

    Attributes
    ----------
    of
        ``low``, ``mid`` or ``high`` of the costs that the atlas holds.
    discount_pct, life_yr
        Rate and years over which it is spread; assumptions.
    """

    of: str = "mid"
    discount_pct: float = 6.0
    life_yr: float = 35.0


PRINCIPLE = (
    "the most that a coalition can earn over the outside options on arcs whose owners are all in it (an optimum with "
    "hard capacities, not an equilibrium); fees and surpluses in prices are transfers and stay out"
)
OUTSIDE = "the cheaper of the ocean voyage and the truck, for each relation"
# Smallest coalitions that are listed.
MOST_COALITIONS = 5
# A change below this share of the worth of all is none.
NO_CHANGE = 1e-9
# Who gains less than this share of it by a project is not said to gain from it: it would be printed as nothing.
NO_GAIN = 1e-6

Progress = Callable[[int, int, str], None]


def power(
    study: Study,
    tables: Tables,
    *,
    players: Sequence[str] = DEFAULT_PLAYERS,
    blocs: Sequence[str] = (),
    talks: Sequence[str] = (),
    weights: Sequence[str] = (),
    project: str | None = None,
    year: int | None = None,
    size: str | None = None,
    sample: int | None = None,
    seed: int = 0,
    build_cost: BuildCost | None = None,
    where: Where | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Solve the corridor game of a study, without and with a project.

    Parameters
    ----------
    study
        Its scenario of comparison is the ground; what it is held against is that scenario with the project built, or
        the first other scenario.
    tables
        The atlas.
    players
        Countries by ISO2, blocs or railways by id; arcs of all others are free.
    blocs
        Blocs whose members among the players negotiate as one in the Owen value; a railway goes with its home.
    talks
        Who can talk to whom, for the Myerson value: pairs as ``KZ-RU``, or ``neighbours``.
    weights
        Weights as ``KZ=2`` for the weighted Shapley value and Nash bargaining; who is not named weighs 1.
    project
        Project to build; by default what the study's other scenario does.
    year, size
        Year (default the study's last) and size (default the study's).
    sample, seed
        Orders of arrival to draw in place of listing all coalitions, which only gives Shapley values with standard
        errors; and the seed of the draws.
    build_cost
        How the cost of projects is counted in the worth of coalitions that build them; None = not at all.
    where, cache
        In this process (the default), in others, or on a cluster; and the folder in which finished worths are kept.
    progress
        Called with coalitions done, all, and what is being solved.

    Returns
    -------
    dict
        What must be known to read it (``without_effect``: what is done leaves ways, costs and room as they were, so
        that the game says nothing about it), and under ``rules`` for each rule the games ``before`` and ``after`` and
        the ``change``. Where a cost is counted, ``after`` and ``change`` are net of it, ``change_before_cost`` is not,
        and ``pays_for`` names the smallest coalitions whose gain in power exceeds it.

    Raises
    ------
    LandbridgeError
        If a name is not there or there are too many players.
    StudyError, DataError
        If the study does not fit the atlas.
    NotConverged
        If a coalition has no proved optimum.
    """
    chosen = study.years[-1] if year is None else year
    if chosen not in study.years:
        raise LandbridgeError(f"year: the study runs {', '.join(map(str, study.years))}, got {chosen}")
    playing = players_of(tables, players, chosen)
    if sample is None:
        check_listable(playing)
    settings = Settings(gap=study.gap, max_iterations=study.max_iterations, size=size or study.size)
    groups = _groups(tables, playing, blocs, chosen)
    talking = pairs_of(talks, tables, playing) if talks else None
    weight = weights_of(weights, playing) if weights else None
    if sample is not None and (blocs or talks or weights):
        raise LandbridgeError("sample: drawn orders give Shapley values only; leave blocs, talks and weights out")
    by_id = {scenario.id: scenario for scenario in study.scenarios}
    ground = by_id[study.compare]
    other, after = _after(study, ground, project)
    held = held_projects(study) | ({project} if project else set())
    started = len(ground.measures)
    added = after[started:] if after is not None and after[:started] == ground.measures else ()
    builders = _builders(tables, playing, added)
    cost = _cost(tables, added, build_cost) if builders is not None and build_cost is not None else None
    result: dict[str, Any] = {
        "question": "power",
        "study": study.name,
        "year": chosen,
        "size": settings.size,
        "players": {name: list(own) for name, own in zip(playing.names, playing.speaks_for, strict=True)},
        "principle": PRINCIPLE,
        "outside_option": OUTSIDE,
        "talks": None if talking is None else [[playing.names[i], playing.names[j]] for i, j in talking],
        "weights": None if weight is None else dict(zip(playing.names, weight, strict=True)),
        "before": ground.id,
        "after": other,
        "investment_options": [] if other is None else [other],
        "consent_to_build": None if builders is None else [playing.names[i] for i in builders],
        "build_cost": cost,
        "without_effect": None,
        "scenarios": [ground.id, *([other] if other else [])],
        "sampled_orders": sample,
        "seed": seed if sample is not None else None,
        "rules": {},
    }
    states = {"before": ground.measures, **({"after": after} if after is not None else {})}
    laid = {name: _laid(tables, measures, chosen, settings, held) for name, measures in states.items()}
    if "after" in laid:
        laid["after"] = laid["after"][0], _same_outside(laid["before"][1], laid["after"][1])
        same = content_of(laid["before"][1].carriage) == content_of(laid["after"][1].carriage)
        result["without_effect"] = same
    for rule in RULES:
        if sample is not None:
            result["rules"][rule] = _by_drawing(
                playing, rule, chosen, settings, laid, builders, cost,
                sample=sample, seed=seed, cache=cache, progress=progress,
            )  # fmt: skip
            continue
        games: list[Game] = []
        gross: Game | None = None
        free_gross = 0.0
        told: dict[str, Any] = {}
        free_usd_yr: list[float] = []
        for name, (applied, laden) in laid.items():
            found = corridors(applied, playing, rule=rule, year=chosen, settings=settings, laden=laden)
            label = f"{rule}, {name}"
            game, free = worth_game(
                found,
                playing,
                where=where,
                cache=cache,
                progress=None if progress is None else _labelled(progress, label),
            )
            if games and builders is not None:
                plain, free_plain = _if_built(games[0], free_usd_yr[0], game, free, builders, 0.0)
                if cost is not None:
                    # where nobody who plays is needed to build, all of it may be gained without their consent
                    gross, free_gross = plain, free_plain - free_usd_yr[0]
                    game, free = _if_built(games[0], free_usd_yr[0], game, free, builders, cost["annuity_usd_yr"])
                else:
                    game, free = plain, free_plain
            games.append(game)
            free_usd_yr.append(free)
            solved = solutions(game, blocs=groups, graph=talking, weights=weight)
            told[name] = {
                **solved,
                "as_one": _as_one(playing, groups, solved),
                "worth_without_players_usd_yr": free,
                "tonnes_yr": found.tonnes_yr,
                "without_outside_option_tonnes_yr": found.without_outside_tonnes_yr,
            }
        if len(games) == 2:
            told["change"] = change(playing, *games, free_usd_yr=free_usd_yr[1] - free_usd_yr[0])
            if gross is not None and cost is not None:
                told["change_before_cost"] = change(playing, games[0], gross, free_usd_yr=free_gross)
                told["pays_for"] = _payers(playing, told["change_before_cost"]["shapley"], cost["annuity_usd_yr"])
        result["rules"][rule] = told
    return result


def change(players: Players, before: Game, after: Game, *, free_usd_yr: float = 0.0) -> dict[str, Any]:
    """Compare two games of the same players: what an investment does to everyone's power.

    Parameters
    ----------
    players
        Who bargains.
    before, after
        The games without and with it.
    free_usd_yr
        What is gained without any player's consent.

    Returns
    -------
    dict
        ``worth_usd_yr``: rise of v(N); ``shapley`` and ``nucleolus``: change by player; ``wants`` and ``blocks``: who
        gains and who loses by the Shapley value; ``exclusion``: E_R = [v'(N-R) - v(N-R)] / [v'(N) - v(N)] by player R,
        about one or more where it works without R, zero where it needs R, None where v(N) does not change; ``alone``:
        the smallest coalitions that gain from it by themselves, a millionth of the worth of all at the least.
    """
    rise = after.grand - before.grand + free_usd_yr
    scale = max(abs(before.grand), abs(after.grand))
    shapley = leverage.shapley(after) - leverage.shapley(before)
    nucleolus = leverage.nucleolus(after) - leverage.nucleolus(before)
    everyone = before.worth.size - 1
    without = everyone ^ (1 << np.arange(len(players.names)))
    apart = after.worth[without] - before.worth[without] + free_usd_yr
    none = abs(rise) <= NO_CHANGE * scale
    gains = after.worth - before.worth
    smallest: list[int] = []
    for coalition in sorted(np.flatnonzero(gains > NO_GAIN * scale).tolist(), key=lambda s: (s.bit_count(), s)):
        if not any(coalition & other == other for other in smallest):
            smallest.append(coalition)
    shown = sorted(smallest, key=lambda s: (s.bit_count(), -gains[s]))[:MOST_COALITIONS]
    return {
        "worth_usd_yr": rise,
        "shapley": _named(players, shapley),
        "nucleolus": _named(players, nucleolus),
        "wants": [p for p, d in zip(players.names, shapley, strict=True) if d > NO_CHANGE * scale],
        "blocks": [p for p, d in zip(players.names, shapley, strict=True) if d < -NO_CHANGE * scale],
        "exclusion": dict.fromkeys(players.names) if none else _named(players, apart / rise),
        "alone": [{"players": list(before.names(s)), "gain_usd_yr": float(gains[s])} for s in shown],
        "alone_count": len(smallest),
    }


def _if_built(
    before: Game, free_before: float, after: Game, free_after: float, builders: list[int], cost_usd_yr: float
) -> tuple[Game, float]:
    """The game in which only coalitions of all the builders can build, and do where it is worth its cost."""
    needed = sum(1 << i for i in builders)
    every = np.arange(before.worth.size)
    without = before.worth + free_before
    built = np.maximum(after.worth + free_after - cost_usd_yr, without)
    worth = np.where(every & needed == needed, built if cost_usd_yr > 0.0 else after.worth + free_after, without)
    return leverage.make(before.players, worth - worth[0]), float(worth[0])


def _cost(tables: Tables, added: Sequence[Measure], how: BuildCost) -> dict[str, Any] | None:
    """What the projects cost a year, and on what that rests; None where the atlas does not know one of the costs."""
    named = {m.project for m in added if isinstance(m, Build) and m.project}
    if not named or any(isinstance(m, Build) and not m.project for m in added):
        return None
    total = 0.0
    for row in tables["projects"].filter(pl.col("id").is_in(list(named))).to_dicts():
        low, high = row["cost_low_usd_mn"], row["cost_high_usd_mn"]
        if low is None and high is None:
            return None
        ends = {"low": low if low is not None else high, "high": high if high is not None else low}
        ends["mid"] = (ends["low"] + ends["high"]) / 2.0
        total += 1e6 * ends[how.of]
    rate = how.discount_pct / 100.0
    factor = 1.0 / how.life_yr if rate == 0.0 else rate / (1.0 - (1.0 + rate) ** -how.life_yr)
    return {
        "projects": sorted(named),
        "of": how.of,
        "cost_usd": total,
        "discount_pct": how.discount_pct,
        "life_yr": how.life_yr,
        "annuity_usd_yr": total * factor,
        "note": "the atlas' published cost spread evenly over the life at the rate, both assumed; upkeep not included",
    }


def _payers(players: Players, gain: dict[str, float], cost_usd_yr: float) -> list[dict[str, Any]]:
    """Smallest coalitions whose members together gain more by the Shapley value than it costs."""
    gains = [gain[name] for name in players.names]
    found: list[int] = []
    for coalition in sorted(range(1, 1 << len(gains)), key=lambda s: (s.bit_count(), s)):
        if any(coalition & other == other for other in found):
            continue
        if sum(g for i, g in enumerate(gains) if coalition >> i & 1) > cost_usd_yr:
            found.append(coalition)
    rows: list[dict[str, Any]] = [
        {
            "players": [name for i, name in enumerate(players.names) if s >> i & 1],
            "gain_usd_yr": sum(g for i, g in enumerate(gains) if s >> i & 1),
        }
        for s in found
    ]
    return sorted(rows, key=lambda row: (len(row["players"]), -row["gain_usd_yr"]))[:MOST_COALITIONS]


def _as_one(players: Players, groups: list[list[int]] | None, solved: dict[str, Any]) -> list[dict[str, Any]]:
    """What each bloc gets when it speaks with one voice, beside what its members get when each speaks for itself.

    A bloc whose members lie one behind the other may lose by it; one whose members rival each other gains.
    """
    if groups is None:
        return []
    values = list(solved["blocs_as_one"].values())
    return [
        {
            "players": [players.names[i] for i in group],
            "apart_usd_yr": sum(solved["shapley"][players.names[i]] for i in group),
            "as_one_usd_yr": value,
        }
        for group, value in zip(groups, values, strict=True)
        if len(group) > 1
    ]


def _laid(
    tables: Tables, measures: Sequence[Measure], year: int, settings: Settings, held: frozenset[str]
) -> tuple[Tables, Laden]:
    """Tables of a scenario, and the network that both rules share."""
    applied = apply(tables, measures, year, held=held).tables
    return applied, lay_out(applied, year=year, settings=settings, transfers=False)


def _same_outside(before: Laden, after: Laden) -> Laden:
    """Hold outside options at what they cost before: an investment changes what is inside the game, not outside.

    A ferry may be a part of a relation's way to the ocean too; were that counted, opening it would lower all worths.
    """
    first, second = before.carriage, after.carriage
    if not np.array_equal(before.kept, after.kept) or not np.array_equal(first.tonnes_yr, second.tonnes_yr):
        return after
    return replace(after, carriage=replace(second, outside_usd_t=first.outside_usd_t))


def _by_drawing(
    playing: Players,
    rule: str,
    year: int,
    settings: Settings,
    laid: dict[str, tuple[Tables, Laden]],
    builders: list[int] | None,
    cost: dict[str, Any] | None,
    *,
    sample: int,
    seed: int,
    cache: Path | None,
    progress: Progress | None,
) -> dict[str, Any]:
    """Shapley values by drawn orders, the same orders before and after so that changes have their own errors."""
    count = len(playing.names)
    everyone = (1 << count) - 1
    games: list[Callable[[int], float]] = []
    told: dict[str, Any] = {}
    needed = sum(1 << i for i in builders or ())
    yearly = cost["annuity_usd_yr"] if cost else 0.0
    kept: list[Sampled] = []
    for name, (applied, laden) in laid.items():
        found = corridors(applied, playing, rule=rule, year=year, settings=settings, laden=laden)
        label = f"{rule}, {name}, drawn"
        drawn = Sampled(found, cache=cache, progress=None if progress is None else _labelled(progress, label))
        kept.append(drawn)
        worth: Callable[[int], float] = drawn
        if games and builders is not None:
            first, free = games[0], drawn.free_usd_yr - kept[0].free_usd_yr

            def worth(
                s: int, drawn: Sampled = drawn, first: Callable[[int], float] = first, free: float = free
            ) -> float:
                if s & needed != needed:
                    return first(s)
                return max(drawn(s) + free - yearly, first(s)) if yearly else drawn(s) + free

        games.append(worth)
        value, error = leverage.sample_shapley(worth, count, permutations=sample, random=np.random.default_rng(seed))
        whole = worth(everyone)
        marginal = np.array([whole - worth(everyone ^ 1 << i) for i in range(count)])
        told[name] = {
            "players": list(playing.names),
            "worth_of_all": whole,
            "shapley": _named(playing, value),
            "standard_error": _named(playing, error),
            "marginal": _named(playing, marginal),
            "hold_up": _named(playing, marginal / whole if whole else marginal),
            "veto": [p for p, m in zip(playing.names, marginal, strict=True) if whole and m >= whole * (1 - NO_CHANGE)],
            "core": None,
            "superadditive": None,
            "worth_without_players_usd_yr": drawn.free_usd_yr,
            "tonnes_yr": found.tonnes_yr,
            "without_outside_option_tonnes_yr": found.without_outside_tonnes_yr,
        }
    if len(games) == 2:
        both = tuple(games)
        value, error = leverage.sample_shapley(
            lambda s: both[1](s) - both[0](s), count, permutations=sample, random=np.random.default_rng(seed)
        )
        told["change"] = {
            "worth_usd_yr": both[1](everyone) - both[0](everyone),
            "shapley": _named(playing, value),
            "standard_error": _named(playing, error),
        }
    for each in kept:
        each.keep()
    return told


def _builders(tables: Tables, players: Players, measures: Sequence[Measure]) -> list[int] | None:
    """Players on whose land or tracks the projects lie; None where something else is done, which asks nobody."""
    if not measures or not all(isinstance(measure, Build) for measure in measures):
        return None
    projects = {measure.project for measure in measures if isinstance(measure, Build) and measure.project}
    named = {link for measure in measures if isinstance(measure, Build) for link in measure.links}
    links = tables["links"].filter(pl.col("project").is_in(list(projects)) | pl.col("id").is_in(list(named)))
    place = dict(zip(tables["places"]["id"], tables["places"]["iso2"], strict=True))
    crossed = {place[end] for end in (*links["place_a"], *links["place_b"])}
    for text in links["country_km"].drop_nulls():
        crossed |= country_km(text).keys()
    running = {name for names in links["operators"].drop_nulls() for name in names}
    return [i for i, own in enumerate(players.members) if own & crossed or players.names[i] in running]


def _after(study: Study, ground: Scenario, project: str | None) -> tuple[str | None, tuple[Measure, ...] | None]:
    if project is not None:
        return project, (*ground.measures, Build(project=project))
    others = [scenario for scenario in study.scenarios if scenario.id != ground.id]
    return (others[0].id, others[0].measures) if others else (None, None)


def _groups(tables: Tables, players: Players, blocs: Sequence[str], year: int) -> list[list[int]] | None:
    if not blocs:
        return None
    left = set(range(len(players.names)))
    groups = []
    for name in blocs:
        members = players_of(tables, [name], year).members[0]
        inside = [i for i in sorted(left) if players.home[i] <= members]
        if not inside:
            raise LandbridgeError(
                f"blocs: no player of {', '.join(players.names)} that is not yet in a bloc is in {name}"
            )
        groups.append(inside)
        left -= set(inside)
    return [*groups, *([i] for i in sorted(left))]


def _named(players: Players, values: Any) -> dict[str, float]:
    return dict(zip(players.names, np.asarray(values, np.float64).tolist(), strict=True))


def _labelled(progress: Progress, label: str) -> Callable[[int, int], None]:
    return lambda done, count: progress(done, count, label)
