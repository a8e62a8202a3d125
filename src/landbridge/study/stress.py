"""What a closure costs, to whom, and which closures would be the worst.

    closed by name   the equilibrium with the closure beside the one without: cost, lost tonnes, losers by country
    worst r          of all crossings (or ferries, links, countries) the r whose closure costs most, exactly: an optimum
                     under hard capacities, since an equilibrium may gain by a closure
    by chance        expected cost when crossings close, and are slow, by chance
    recovery         backlog after a closure of some days, by the terminal model where the yard has a plan

Costs are what shippers pay, time included, over all relations, outside options included. What is neither carried nor
has an outside option is told in tonnes and never in money.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, UnknownName
from landbridge.model import resilience
from landbridge.model.flows import composite_cost
from landbridge.model.network import MODES, ArcKind, Network
from landbridge.model.resilience import Closures
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Close, Measure
from landbridge.study.carriage import Laden, lay_out
from landbridge.study.solve import Settings, Solution, solve
from landbridge.study.tabulate import tabulate

__all__ = ["AMONG", "Target", "answer", "by_chance", "chances_of", "close", "elements_of", "targets_of", "worst"]

F8 = npt.NDArray[np.float64]
Progress = Callable[[int, int, str], None]

#: What the worst closures are sought among.
AMONG = ("crossings", "ferries", "links", "countries")
PRINCIPLE = "least cost under hard capacities, outside options at their price (an optimum, not an equilibrium)"
#: First day of the record of closures by date; crossings that opened later count from then too.
RECORD_FROM = date(2013, 1, 1)
#: Its last day: the atlas holds closures up to the middle of 2026.
RECORD_TO = date(2026, 7, 1)
#: Relative gap of the equilibria.
GAP = 1e-8


@dataclass(frozen=True)
class Target:
    """Something that can be closed.

    Attributes
    ----------
    kind
        ``crossing``, ``ferry``, ``link``, ``country``, ``bloc``, ``place`` (a strait, a port) or ``event``.
    id, name
        As the atlas calls it.
    measure
        The measure that closes it.
    """

    kind: str
    id: str
    name: str
    measure: Close


def targets_of(tables: Tables, ids: Sequence[str]) -> list[Target]:
    """Read what is to be closed.

    Parameters
    ----------
    tables
        The atlas.
    ids
        Crossings, links (ferries and sea legs among them), countries by ISO2, blocs, places (straits among them), or
        events of the atlas, which close the crossings and links that they name.

    Returns
    -------
    list of Target

    Raises
    ------
    UnknownName
        For a name that is none of these.
    """
    crossings = dict(tables["crossings"].select("id", "name").rows())
    links = dict(tables["links"].select("id", "mode").rows())
    countries = dict(tables["countries"].select("iso2", "name").rows())
    places = dict(tables["places"].select("id", "name").rows())
    blocs: dict[str, list[str]] = {}
    for bloc, iso2 in tables["blocs"].select("bloc", "iso2").rows():
        blocs.setdefault(bloc, []).append(iso2)
    events = {row["id"]: row for row in tables["events"].to_dicts()}
    found = []
    for given in ids:
        name = given.strip()
        if name in crossings:
            found.append(Target("crossing", name, crossings[name], Close(crossings=(name,))))
        elif name in links:
            kind = "ferry" if links[name] == "ferry" else "link"
            found.append(Target(kind, name, name, Close(links=(name,))))
        elif name.upper() in countries:
            iso2 = name.upper()
            found.append(Target("country", iso2, countries[iso2], Close(countries=(iso2,))))
        elif name.lower() in blocs:
            members = tuple(sorted(blocs[name.lower()]))
            found.append(Target("bloc", name.lower(), name.lower(), Close(countries=members)))
        elif name in places:
            found.append(Target("place", name, places[name], Close(places=(name,))))
        elif name in events and (events[name]["crossings"] or events[name]["links"]):
            row = events[name]
            shut = Close(crossings=tuple(row["crossings"] or ()), links=tuple(row["links"] or ()))
            found.append(Target("event", name, row["event"], shut))
        else:
            raise UnknownName(
                "crossing, link, country, bloc, place or event with crossings",
                name,
                [*crossings, *links, *countries, *blocs, *places, *events],
            )
    return found


# ------------------------------------------------------------------------------------------------- closed by name


def close(
    tables: Tables,
    targets: Sequence[Target],
    *,
    year: int,
    settings: Settings,
    before: Sequence[Measure] = (),
    held: frozenset[str] = frozenset(),
    days: float | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Close things together, and compare the equilibria.

    Parameters
    ----------
    tables
        The atlas.
    targets
        What is closed.
    year, settings
        Year, size and gap.
    before, held
        Measures that hold before the closure, and projects that stay unbuilt.
    days
        How long it lasts; with it the backlog of closed crossings is told.
    progress
        Called with steps done, all, and what is being solved.

    Returns
    -------
    dict
        ``cost_usd_yr`` (rise of what all relations pay that are served on both sides), ``lost_land_tonnes_yr``,
        ``to_outside_tonnes_yr``, ``unserved_tonnes_yr``; ``countries``, ``crossings`` and ``passages``: rows;
        ``recovery`` where days are given.

    Raises
    ------
    NotConverged
        If an equilibrium is not reached.
    """
    tell = progress or (lambda _done, _all, _text: None)
    tell(0, 2, "everything open")
    open_tables = apply(tables, before, year, held=held).tables
    base = solve(open_tables, year=year, settings=settings)
    tell(1, 2, "closed")
    shut_tables = apply(tables, [*before, *(t.measure for t in targets)], year, held=held).tables
    shut = solve(shut_tables, year=year, settings=settings, start=base)
    tell(2, 2, "comparing")
    frames = tabulate(open_tables, base), tabulate(shut_tables, shut)
    result = {
        "closed": [{"kind": t.kind, "id": t.id, "name": t.name} for t in targets],
        "principle": base.equilibrium.principle,
        "relative_gap": max(base.equilibrium.convergence.relative_gap, shut.equilibrium.convergence.relative_gap),
        **_compared(tables, base, shut),
        "countries": _countries(tables, base, shut, *(f["countries"] for f in frames)),
        "crossings": _moved(*(f["crossings"].group_by("crossing").agg(pl.col("tonnes").sum()) for f in frames)),
        "passages": _moved(*(f["passage_flows"].group_by("passage").agg(pl.col("tonnes").sum()) for f in frames)),
    }
    if days is not None:
        result["days"] = days
        result["cost_of_days_usd"] = result["cost_usd_yr"] * days / 365.0
        result["recovery"] = [
            row
            for crossing in dict.fromkeys(name for t in targets for name in t.measure.crossings)
            for row in _recovery(tables, crossing, days, frames[0]["crossings"])
        ]
    return result


def _per_relation(base: Solution, shut: Solution) -> tuple[F8, F8, F8, F8]:
    """Cost a tonne before and after, where both are finite, and tonnes by land before and after."""
    count = base.empty_from
    first, second = base.prepared.demand, shut.prepared.demand
    if shut.empty_from != count or not np.array_equal(first.tonnes_yr, second.tonnes_yr):
        raise LandbridgeError("stress: the closure changes which relations there are; compare two scenarios instead")
    costs = []
    for solution in (base, shut):
        relations = solution.relations
        short = replace(
            relations, **{name: getattr(relations, name)[:count] for name in relations.__dataclass_fields__}
        )
        flows = replace(solution.equilibrium, cost_usd_t=solution.equilibrium.cost_usd_t[:count])
        costs.append(composite_cost(flows, short))
    return (
        costs[0],
        costs[1],
        base.equilibrium.network_tonnes_yr[:count],
        shut.equilibrium.network_tonnes_yr[:count],
    )


def _compared(tables: Tables, base: Solution, shut: Solution) -> dict[str, Any]:
    before, after, land, land_after = _per_relation(base, shut)
    tonnes = base.prepared.demand.tonnes_yr
    both = np.isfinite(before) & np.isfinite(after)
    count = base.empty_from
    unserved = [s.equilibrium.unserved_tonnes_yr[:count].sum() for s in (base, shut)]
    outside = [s.equilibrium.outside_tonnes_yr[:count].sum() for s in (base, shut)]
    del tables
    return {
        "all_cost_before_usd_yr": float((before * tonnes)[both].sum()),
        "cost_usd_yr": float(((after - before) * tonnes)[both].sum()),
        "demand_tonnes_yr": float(tonnes.sum()),
        "land_tonnes_before_yr": float(land.sum()),
        "lost_land_tonnes_yr": float(land.sum() - land_after.sum()),
        "to_outside_tonnes_yr": float(outside[1] - outside[0]),
        "unserved_tonnes_yr": float(unserved[1] - unserved[0]),
    }


def _countries(
    tables: Tables, base: Solution, shut: Solution, first: pl.DataFrame, second: pl.DataFrame
) -> list[dict[str, Any]]:
    """Who loses: traders (half of a relation's loss each), and countries of transit."""
    before, after, land, land_after = _per_relation(base, shut)
    demand = base.prepared.demand
    both = np.isfinite(before) & np.isfinite(after)
    loss = np.where(both, np.where(both, after, 0.0) - np.where(both, before, 0.0), 0.0) * demand.tonnes_yr
    unserved = (shut.equilibrium.unserved_tonnes_yr - 0.0)[: base.empty_from] - base.equilibrium.unserved_tonnes_yr[
        : base.empty_from
    ]
    iso2 = dict(zip(tables["countries"]["iso3"], tables["countries"]["iso2"], strict=True))
    names = [iso2.get(c, c) for c in demand.countries]
    rows: dict[str, dict[str, Any]] = {}

    def row(name: str) -> dict[str, Any]:
        empty = dict.fromkeys(
            ("trade_loss_usd_yr", "lost_land_tonnes_yr", "unserved_tonnes_yr", "transit_tonnes_yr", "paid_usd_yr"), 0.0
        )
        return rows.setdefault(name, {"country": name, **empty})

    for side in (demand.exporter, demand.importer):
        parts = {"trade_loss_usd_yr": loss, "lost_land_tonnes_yr": land - land_after, "unserved_tonnes_yr": unserved}
        for key, values in parts.items():
            for i, value in enumerate(np.bincount(side, values / 2.0, len(names)).tolist()):
                if value:
                    row(names[i])[key] += value
    paid = ["paid_on_lines_usd", "paid_at_borders_usd", "paid_at_yards_usd"]
    for frame, sign in ((first, -1.0), (second, 1.0)):
        for each in frame.to_dicts():
            row(each["country"])["transit_tonnes_yr"] += sign * each["transit_tonnes"]
            row(each["country"])["paid_usd_yr"] += sign * sum(each[c] for c in paid)
    # who loses most by trade and takings together comes first, who gains last
    return sorted(rows.values(), key=lambda r: (r["paid_usd_yr"] - r["trade_loss_usd_yr"], r["country"]))


def _moved(first: pl.DataFrame, second: pl.DataFrame) -> list[dict[str, Any]]:
    """Where tonnes went; the largest moves first."""
    key = first.columns[0]
    joined = first.join(second, on=key, how="full", coalesce=True, suffix="_after").fill_null(0.0)
    frame = joined.select(
        key,
        pl.col("tonnes").alias("tonnes_before_yr"),
        pl.col("tonnes_after").alias("tonnes_after_yr"),
        (pl.col("tonnes_after") - pl.col("tonnes")).alias("change_tonnes_yr"),
    ).filter(pl.col("change_tonnes_yr").abs() > 0.5)
    return frame.sort(pl.col("change_tonnes_yr").abs(), key, descending=[True, False]).to_dicts()


def _recovery(tables: Tables, crossing: str, days: float, flows: pl.DataFrame) -> list[dict[str, Any]]:
    """Backlog of a closed crossing by direction, and of its yards where they have a plan."""
    from landbridge.model.terminals import Stop  # noqa: PLC0415
    from landbridge.study.terminal import Settings as Runs  # noqa: PLC0415  (compiled kernels, needed here only)
    from landbridge.study.terminal import plan_of, recover  # noqa: PLC0415

    rows: list[dict[str, Any]] = []
    for each in flows.filter(pl.col("crossing") == crossing).to_dicts():
        trains = each["trains_day"] + each["preload_trains_day"]
        found = resilience.recovery(days, trains, each["capacity_trains_day"])
        rows.append(
            {
                "crossing": crossing,
                "at": f"{each['from_country']}-{each['to_country']}",
                "by": "fluid limit at the crossing's capacity, nothing diverted",
                "trains_day": trains,
                "backlog_trains": found.backlog_trains,
                "clearing_days": found.clearing_days,
                "cleared_share": None,
            }
        )
    home = dict(zip(tables["places"]["id"], tables["places"]["iso2"], strict=True))
    gauge = dict(tables["countries"].select("iso2", "main_gauge_mm").rows())
    for plan in tables["terminal_plans"].filter(pl.col("crossing") == crossing).to_dicts():
        own = str(gauge.get(home[plan["place"]]))
        foreign = plan["side_b"] if plan["side_a"] == own else plan["side_a"]
        begin = 30 * 24.0
        stops = [Stop(kind, str(foreign), begin, begin + 24.0 * days) for kind in ("path_in", "path_out")]
        found_at, _, _ = recover(plan_of(tables, plan["id"]), Runs(days=30 + 6 * days + 30), stops)
        rows.append(
            {
                "crossing": crossing,
                "at": plan["id"],
                "by": "terminal model, mean of ten runs",
                "trains_day": None,
                "backlog_trains": sum(peak.mean for peak in found_at.peak_outside.values()),
                "clearing_days": found_at.clear_days.mean if found_at.cleared else None,
                "cleared_share": found_at.cleared / found_at.replications,
            }
        )
    return rows


# ------------------------------------------------------------------------------------------------------ the worst


def elements_of(net: Network, among: str, tables: Tables) -> tuple[list[str], list[npt.NDArray[np.int64]]]:
    """List what can be closed, with its arcs.

    Parameters
    ----------
    net
        The network.
    among
        One of `AMONG`.
    tables
        The tables it was built from.

    Returns
    -------
    names : list of str
    arcs : list of int64
    """
    if among not in AMONG:
        raise UnknownName("kind", among, list(AMONG))
    if among == "crossings":
        border = net.kind == ArcKind.BORDER
        return list(net.crossings), [np.flatnonzero(border & (net.crossing == c)) for c in range(len(net.crossings))]
    if among == "countries":
        return list(net.countries), [
            np.flatnonzero((net.country == c) | (net.country_to == c)) for c in range(len(net.countries))
        ]
    ocean = set(tables["links"].filter(pl.col("ocean"))["id"].to_list())
    ferry = MODES.index("ferry")
    move = net.kind == ArcKind.MOVE
    names, arcs = [], []
    for number, name in enumerate(net.links):
        mine = np.flatnonzero((net.link == number) & move)
        if not mine.size or name in ocean or (among == "ferries" and net.mode[mine[0]] != ferry):
            continue
        names.append(name)
        arcs.append(mine)
    return names, arcs


@dataclass(frozen=True, eq=False)
class Ground:
    """A network on which closures are tried one after another, everything known shared."""

    laden: Laden
    names: list[str]
    closures: Closures


def ground_of(tables: Tables, *, year: int, settings: Settings, among: str) -> Ground:
    """Lay out tables to which a scenario was applied, for closures among some kind of thing."""
    laden = lay_out(tables, year=year, settings=settings)
    names, arcs = elements_of(laden.prepared.network, among, tables)
    return Ground(laden, names, Closures(laden.carriage, arcs))


def worst(
    tables: Tables,
    r: int,
    *,
    year: int,
    settings: Settings,
    among: str = "crossings",
    most_solves: int = 20_000,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Find the r worst closures, and rank each single one.

    Parameters
    ----------
    tables
        Tables to which a scenario was applied.
    r
        Number of closures.
    year, settings
        Year and size.
    among
        One of `AMONG`.
    most_solves
        Problems after which to give up.
    progress
        Called with problems solved.

    Returns
    -------
    dict
        ``base_cost_usd_yr``; ``worst``: for each size up to r the rise of cost, every minimal set that reaches it and
        what it loses in tonnes; ``ranking``: every single element by the rise of cost when it alone is closed.
    """
    ground = ground_of(tables, year=year, settings=settings, among=among)
    closures, names = ground.closures, ground.names
    solved = 0

    def evaluate(closed: frozenset[int]) -> resilience.Closed:
        nonlocal solved
        solved += 1
        if progress is not None:
            progress(solved, 0, f"closures among {among}")
        return closures.evaluate(closed)

    known: dict[frozenset[int], resilience.Closed] = {}

    def once(closed: frozenset[int]) -> resilience.Closed:
        if closed not in known:
            known[closed] = evaluate(closed)
        return known[closed]

    base = once(frozenset())
    base_tonnes = float(closures.solve().tonnes_yr.sum())
    used = sorted(base.loss)
    ranking: list[dict[str, Any]] = []
    flow = closures.flow(closures.solve())
    for e in used:
        rise = once(frozenset({e})).cost - base.cost
        ranking.append({"id": names[e], "rise_usd_yr": rise, "tonnes_yr": float(flow[e])})
    ranking.sort(key=lambda row: (-row["rise_usd_yr"], row["id"]))
    sizes = []
    for size in range(1, r + 1):
        found = resilience.worst_closures(once, size, most_solves=most_solves)
        sets = []
        for chosen in found.minimal:
            lost = base_tonnes - float(closures.solve(frozenset(chosen)).tonnes_yr.sum())
            sets.append({"closed": [names[e] for e in chosen], "lost_land_tonnes_yr": lost})
        sizes.append(
            {
                "r": size,
                "rise_usd_yr": found.cost - found.base,
                "sets": sets,
                "problems_solved": found.solved,
                "given_up_by_the_bound": found.pruned,
            }
        )
    return {
        "among": among,
        "principle": PRINCIPLE,
        "base_cost_usd_yr": base.cost,
        "land_tonnes_yr": base_tonnes,
        "elements": len(names),
        "used": len(used),
        "without_outside_option_tonnes_yr": ground.laden.without_outside_tonnes_yr,
        "worst": sizes,
        "ranking": ranking,
    }


# ------------------------------------------------------------------------------------------------------ by chance


def chances_of(tables: Tables, until: date) -> dict[str, dict[str, Any]]:
    """Share of the days on which crossings were shut and opened again, by the dates that the atlas holds.

    Parameters
    ----------
    tables
        The atlas.
    until
        Last day of the record.

    Returns
    -------
    dict
        By crossing: ``probability``, and ``because``.
    """
    span = (until - RECORD_FROM).days
    found: dict[str, dict[str, Any]] = {}
    for row in tables["crossings"].to_dicts():
        begin, end = row["closed_from"], row["closed_to"]
        if begin is None or end is None or end <= RECORD_FROM or begin >= until:
            continue
        days = (min(end, until) - max(begin, RECORD_FROM)).days
        why = f"closed {days} of {span} days since {RECORD_FROM}: {row['closed_reason'] or 'reason not stated'}"
        found[row["id"]] = {"probability": days / span, "because": why}
    return found


def by_chance(
    tables: Tables,
    chances: Mapping[str, Mapping[str, Any]],
    *,
    year: int,
    settings: Settings,
    draws: int,
    seed: int,
    delays: bool = True,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Find the expected cost of closures, and of slow borders, by chance.

    Parameters
    ----------
    tables
        Tables to which a scenario was applied.
    chances
        By crossing: the probability that it is shut, and on what that rests.
    year, settings
        Year and size.
    draws
        States drawn.
    seed
        Seed of the draws.
    delays
        Whether hours at open crossings vary too, by the spread that the atlas holds (gamma, one draw a crossing and
        direction), independently.
    progress
        Called with states done and all.

    Returns
    -------
    dict
        ``base_cost_usd_yr``, and for ``closures`` and (with delays) ``closures_and_delays`` the mean rise, its standard
        error, spread, quantiles and the most. Costs are a year's at the rate of each state.

    Raises
    ------
    UnknownName
        For a crossing that is not open in the network.
    """
    ground = ground_of(tables, year=year, settings=settings, among="crossings")
    closures, names = ground.closures, ground.names
    for name in chances:
        if name not in names:
            raise UnknownName("crossing that is open", name, names)
    members = list(chances)
    probability = [float(chances[name]["probability"]) for name in members]
    closed, weight = resilience.draw_states(probability, draws, seed)
    base = closures.cost(closures.solve())

    def shut(state: npt.NDArray[np.bool_]) -> frozenset[int]:
        return frozenset(names.index(name) for name, off in zip(members, state, strict=True) if off)

    exact = len(members) <= resilience.MOST_EXACT
    states = resilience.exact_states(probability) if exact else (closed, weight)
    only = resilience.expectation(lambda s: closures.cost(closures.solve(shut(s))) - base, *states, drawn=not exact)
    result: dict[str, Any] = {
        "base_cost_usd_yr": base,
        "seed": seed,
        "chances": {name: dict(chances[name]) for name in members},
        "closures": {"exact": exact, **asdict(only)},
    }
    if delays:
        net = ground.laden.prepared.network
        border = np.flatnonzero((net.kind == ArcKind.BORDER) & (net.spread_h > 0.0) & (net.time_h > 0.0))
        spread = (net.spread_h[border] / net.time_h[border]) ** 2
        generator = np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])
        hours = ground.laden.prepared.classes.value_of_time_usd_t_h
        per_class = np.tile(hours, len(ground.laden.carriage.cost_usd_t) // len(hours))
        own = ground.laden.carriage.cost_usd_t
        costs = []
        for i in range(draws):
            factor = generator.gamma(1.0 / spread, spread)
            cost = own.copy()
            cost[:, border] += per_class[:, None] * (net.time_h[border] * (factor - 1.0))
            closures.program.reprice(np.maximum(cost, 0.0))
            costs.append(closures.cost(closures.solve(shut(closed[i]))) - base)
            if progress is not None:
                progress(i + 1, draws, "closures and delays by chance")
        closures.program.reprice(own, known=True)
        both = resilience.summary(np.array(costs), np.full(draws, 1.0 / draws), draws, drawn=True)
        result["closures_and_delays"] = {"exact": False, **asdict(both)}
    return result


# ------------------------------------------------------------------------------------------------- all that is asked


def answer(
    tables: Tables,
    *,
    targets: Sequence[Target],
    worst_of: int,
    among: str,
    chances: Mapping[str, float | None],
    draws: int,
    seed: int,
    days: float | None,
    year: int,
    size: str,
    before: Sequence[Measure] = (),
    held: frozenset[str] = frozenset(),
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Answer all that is asked about closures.

    Parameters
    ----------
    tables
        The atlas.
    targets, days
        As for `close`; none: nothing is closed by name.
    worst_of, among
        As for `worst`; 0: not asked.
    chances
        Probability by crossing, as the user assumes it; ``record`` adds the atlas' dates of past closures.
    draws, seed
        As for `by_chance`.
    year, size
        Year and size.
    before, held
        Measures that hold, and projects that stay unbuilt.
    progress
        Called with steps done, all, and what is being solved.

    Returns
    -------
    dict
        ``closed``, ``worst`` and ``chance``: as the functions return them, or None.
    """
    settings = Settings(gap=GAP, size=size)
    result: dict[str, Any] = {
        "question": "stress",
        "year": year,
        "size": size,
        "outside_option": "the cheaper of the ocean voyage and the truck, for each relation",
        "closed": None,
        "worst": None,
        "chance": None,
    }
    if targets:
        result["closed"] = close(
            tables, targets, year=year, settings=settings, before=before, held=held, days=days, progress=progress
        )
    if worst_of or chances:
        applied = apply(tables, before, year, held=held).tables
    if worst_of:
        result["worst"] = worst(applied, worst_of, year=year, settings=settings, among=among, progress=progress)
    if chances:
        stated: dict[str, dict[str, Any]] = {}
        if "record" in chances:
            open_now = set(applied["crossings"].filter(pl.col("mode") == "rail")["id"].to_list())
            stated = {name: c for name, c in chances_of(tables, RECORD_TO).items() if name in open_now}
        for name, value in chances.items():
            if value is not None:
                stated[name] = {"probability": value, "because": "assumed by the user"}
        result["chance"] = by_chance(
            applied, stated, year=year, settings=settings, draws=draws, seed=seed, progress=progress
        )
    return result
