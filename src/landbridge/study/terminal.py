"""Terminals in the order of work: a plan from the atlas or a file, changed, replicated, stopped, asked for its curve.

Replications are independent and named by seed and number, and come back in their order: how many processes share them
makes no difference.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from landbridge.data.plans import plan_faults
from landbridge.data.tables import Tables
from landbridge.errors import DataError, Fault, LandbridgeError, UnknownName
from landbridge.model import terminals
from landbridge.model.terminals import DelayCurve, Estimate, Plan, Run, Stop, Summary
from landbridge.study.terminal_runs import Settings, replicate
from landbridge.study.terminal_trace import Trace, read_trace, traced

__all__ = [
    "SET_WORDS",
    "Answer",
    "Recovery",
    "Settings",
    "Trace",
    "ask",
    "changed",
    "delay_curve",
    "in_event",
    "listing",
    "plan_from",
    "plan_ids",
    "plan_of",
    "read_plan",
    "read_trace",
    "recover",
    "replicate",
    "stops_of",
    "told",
]

#: Words of ``--set``: kind of resource and its field, or a field of the plan.
SET_WORDS: dict[str, tuple[str, str]] = {
    "cranes": ("crane", "machines"),
    "crane_groups": ("crane", "count"),
    "crane_minutes": ("crane", "minutes_unit"),
    "stackers": ("stacker", "machines"),
    "tracks": ("track", "count"),
    "bogie_positions": ("bogie", "machines"),
    "ramps": ("ramp", "count"),
    "shunters": ("shunter", "count"),
    "customs": ("customs", "count"),
    "customs_minutes": ("customs", "minutes_train"),
    "locomotives": ("locomotive", "count"),
    "stack_teu": ("", "stack_teu"),
    "stack_dwell_h": ("", "stack_dwell_h"),
}

#: Fields that are words even where they look like numbers: a side is called 1435.
TEXTS = ("kind", "side", "arrives", "option", "cargo", "pattern", "supply")

# Days before a stop in which a run settles, and after it in which it recovers.
BEFORE_DAYS, AFTER_DAYS = 30, 90
# Step of the series that a recovery is read from, hours.
STEP_H = 3.0


#: Runs with which the limit of a curve is tried.
JUDGE = Settings()


def plan_ids(tables: Tables) -> list[str]:
    """Return the ids of the plans of the atlas."""
    return tables.ids("terminal_plans")


def plan_of(tables: Tables, name: str) -> Plan:
    """Return a plan of the atlas.

    Parameters
    ----------
    tables
        The atlas, perhaps after measures.
    name
        Id of the plan.

    Returns
    -------
    Plan

    Raises
    ------
    UnknownName
        For a plan that is not there.
    DataError
        With all that is wrong with it.
    """
    if name not in plan_ids(tables):
        raise UnknownName("terminal", name, plan_ids(tables))
    own = pl.col("plan") == name
    return plan_from(
        tables["terminal_plans"].row(by_predicate=pl.col("id") == name, named=True),
        tables["terminal_resources"].filter(own).to_dicts(),
        tables["terminal_streams"].filter(own).to_dicts(),
        where=f"{name} of the atlas",
    )


def plan_from(
    plan: Mapping[str, Any],
    resources: Sequence[Mapping[str, Any]],
    streams: Sequence[Mapping[str, Any]],
    *,
    where: str,
) -> Plan:
    """Return the plan that rows describe, held to the rules of plans.

    Parameters
    ----------
    plan, resources, streams
        Rows as the atlas' tables of plans have them.
    where
        Where they stand, for messages.

    Raises
    ------
    DataError
        With all that is wrong.
    """
    faults = plan_faults(plan, resources, streams, where=where)
    if faults:
        raise DataError(f"{where}: {plan.get('id') or 'plan'}", faults)
    return terminals.make_plan(plan, resources, streams)


def read_plan(path: Path) -> Plan:
    """Read a plan from a TOML file: fields of the plan, then ``[[resources]]`` and ``[[streams]]``.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Plan

    Raises
    ------
    DataError
        With all that is wrong: words that are not known, numbers out of bounds, a plan that cannot work.
    """
    if not path.is_file():
        raise LandbridgeError(f"{path}: no such file")
    try:
        told_plan = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LandbridgeError(f"{path}: not a TOML file: {error}") from error
    known = {f.name for f in fields(Plan)} - {"sides"} | {"side_a", "side_b", "note"}
    faults = [
        Fault(path.name, "", word, f"one of {', '.join(sorted(known))}", "a word that is not known")
        for word in told_plan
        if word not in known
    ]
    parts: dict[str, list[dict[str, Any]]] = {}
    for part, kind in (("resources", terminals.Resource), ("streams", terminals.Stream)):
        rows = told_plan.get(part, [])
        words = {f.name for f in fields(kind)} | {"note"}
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            faults.append(Fault(path.name, part, "", f"tables [[{part}]]", repr(rows)))
            continue
        parts[part] = rows
        faults += [
            Fault(path.name, f"{part}[{i}]", word, f"one of {', '.join(sorted(words))}", "a word that is not known")
            for i, row in enumerate(rows)
            for word in row
            if word not in words
        ]
    told_plan.setdefault("id", path.stem)
    rows = parts.get("resources", []), parts.get("streams", [])
    faults += plan_faults(told_plan, *rows, where=path.name)
    if faults:
        raise DataError(str(path), faults)
    return terminals.make_plan(told_plan, *rows)


def _rows(plan: Plan) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """A plan as the rows it could have come from."""
    head = {**plan.__dict__, "side_a": plan.sides[0], "side_b": plan.sides[1]}
    return head, [asdict(r) for r in plan.resources], [asdict(s) for s in plan.streams]


def changed(plan: Plan, settings: Mapping[str, str], *, trains_day: float | None = None) -> Plan:
    """Return a plan with other values.

    Parameters
    ----------
    plan
        The plan.
    settings
        Words of `SET_WORDS` (``tracks_1520`` for one side), or ``ID.FIELD`` for a resource or stream by the last part
        of its id, with the new values.
    trains_day
        Trains a day of all streams together, in the proportion they have.

    Returns
    -------
    Plan
        Checked anew.

    Raises
    ------
    UnknownName
        For a word that is not known.
    DataError
        If the plan cannot work with these values.
    """
    head, resources, streams = _rows(plan)
    prefix = f"{plan.id}:"
    rows = {row["id"].removeprefix(prefix): row for row in (*resources, *streams)}
    words = [*SET_WORDS, *(f"tracks_{side}" for side in plan.sides)]
    for word, text in settings.items():
        try:
            value: Any = text if word.rsplit(".", 1)[-1] in TEXTS else float(text)
        except ValueError:
            value = text
        if "." in word:
            name, field = word.rsplit(".", 1)
            if name not in rows:
                raise _unknown("resource or stream", name, list(rows))
            if field not in rows[name] or field == "id":
                raise _unknown("field", field, [f for f in rows[name] if f != "id"])
            rows[name][field] = value.split(";") if field in ("week", "year") and isinstance(value, str) else value
            continue
        side = word.removeprefix("tracks_") if word.startswith("tracks_") else ""
        if word not in words:
            raise _unknown("setting", word, words, [f"{name}.{f}" for name, row in rows.items() for f in row])
        kind, field = SET_WORDS["tracks" if side else word]
        if not kind:
            head[field] = value
            continue
        found = [row for row in resources if row["kind"] == kind and (not side or row["side"] in (side, ""))]
        if not found:
            raise LandbridgeError(f"{plan.id} has no {kind} that {word} could change")
        for row in found:
            row[field] = value
    new = plan_from(head, resources, streams, where=f"{plan.id} as changed")
    return new if trains_day is None else terminals.rated(new, trains_day)


def _unknown(kind: str, name: str, names: list[str], more: Sequence[str] = ()) -> LandbridgeError:
    """An error that suggests what is meant, or tells the names."""
    error = UnknownName(kind, name, [*names, *more])
    if error.suggestions:
        return error
    rest = ", and ID.FIELD of a resource or stream" if more else ""
    return LandbridgeError(f"{error}; there are {', '.join(names)}{rest}")


def stops_of(tables: Tables, plan: Plan, event: str, start: date) -> list[Stop]:
    """Return what an event of the atlas stops at a terminal.

    Parameters
    ----------
    tables
        The atlas.
    plan
        The terminal.
    event
        Id of the event.
    start
        First day of the run.

    Raises
    ------
    LandbridgeError
        If the event stops nothing here.
    """
    here = tables["terminal_stops"].filter(pl.col("plan") == plan.id)
    rows = here.filter(pl.col("event") == event).to_dicts()
    if not rows:
        events = ", ".join(dict.fromkeys(here["event"].to_list())) or "none"
        raise LandbridgeError(f"{event} stops nothing at {plan.id}; events that do: {events}")
    return [
        Stop(
            row["kind"],
            row["side"] or "",
            24.0 * (row["from_date"] - start).days,
            24.0 * (row["to_date"] - start).days,
            row["share"],
        )
        for row in rows
    ]


def in_event(tables: Tables, plan: Plan, event: str) -> Plan:
    """Return a plan with the volume of the time of an event, where the atlas knows it.

    A plan's own volume is one to plan with. What stood in a queue, and how long it took to go, follows from what came
    in those weeks.

    Parameters
    ----------
    tables
        The atlas.
    plan
        The terminal.
    event
        Id of the event; one that is not known here is refused by `stops_of`.

    Returns
    -------
    Plan
        As it was where no volume is told.
    """
    told = _volume_of(tables, plan.id, event)
    return plan if told is None else terminals.rated(plan, told)


def _volume_of(tables: Tables, plan: str, event: str) -> float | None:
    """Trains a day at the time of an event; None: not known."""
    rows = tables["terminal_stops"].filter((pl.col("plan") == plan) & (pl.col("event") == event))
    known = rows["trains_day"].drop_nulls()
    return float(known[0]) if known.len() else None


@dataclass(frozen=True)
class Recovery:
    """What a stop does and how long it lasts.

    Attributes
    ----------
    stop_days
        Length of the stop.
    peak_outside
        Most trains outside at one time, by side, with interval over replications.
    peak_extra_units
        Most units more than without the stop.
    clear_days
        Days from the end of the stop until no more than one train's units are there that would not be without it;
        over the replications that cleared.
    cleared
        Replications that cleared before the end of the run, of all.
    watched_days
        Days from the end of the stop to the end of the runs: those that have not cleared take longer than that.
    """

    stop_days: float
    peak_outside: dict[str, Estimate]
    peak_extra_units: Estimate
    clear_days: Estimate
    cleared: int
    replications: int
    watched_days: float


def recover(plan: Plan, settings: Settings, stops: Sequence[Stop]) -> tuple[Recovery, list[Run], list[Run]]:
    """Run a plan with and without stops, on the same draws.

    Parameters
    ----------
    plan
        The terminal.
    settings
        The runs must go on well beyond the stop.
    stops
        What rests, and when.

    Returns
    -------
    Recovery
    with_stops, without : list of Run
    """
    hit, free = replicate(plan, settings, stops=stops), replicate(plan, settings)
    begin, end = min(s.from_h for s in stops), max(s.to_h for s in stops)
    moments = np.arange(0.0, settings.days * 24.0 + 1e-9, STEP_H)
    load = max(s.units_train for s in plan.streams)
    peaks: dict[str, list[float]] = {side: [] for side in plan.sides}
    extra, clear = [], []
    for a, b in zip(hit, free, strict=True):
        queue = terminals.outside(a, moments)
        for i, side in enumerate(plan.sides):
            peaks[side].append(float(queue[i].max()))
        more = terminals.inside(a, moments) - terminals.inside(b, moments)
        extra.append(float(more.max()))
        after = np.flatnonzero((moments >= end) & (more <= load))
        if after.size:
            clear.append((moments[after[0]] - end) / 24.0)
    return (
        Recovery(
            stop_days=(end - begin) / 24.0,
            peak_outside={side: terminals.interval(values) for side, values in peaks.items()},
            peak_extra_units=terminals.interval(extra),
            clear_days=terminals.interval(clear),
            cleared=len(clear),
            replications=len(hit),
            watched_days=settings.days - end / 24.0,
        ),
        hit,
        free,
    )


def delay_curve(
    plan: Plan, settings: Settings, *, stream: str = "", ratios: Sequence[float] = terminals.RATIOS
) -> DelayCurve:
    """Find the delay curve of a terminal, of one stream or of all in proportion.

    One rule wherever a limit is told: no run of `JUDGE` tips over or drifts, however few and short the runs are that
    the rest of the curve is made of.

    Parameters
    ----------
    plan
        The terminal.
    settings
        Length, number and seed of the runs behind each volume.
    stream
        Id of the stream that varies, with or without the plan's own; "" for all.
    ratios
        Steps of volume.
    """
    names = [s.id for s in plan.streams]
    if stream and stream not in names:
        short = {name.removeprefix(f"{plan.id}:"): name for name in names}
        if stream not in short:
            raise UnknownName("stream", stream, list(short))
        stream = short[stream]
    if settings.days < terminals.JUDGED_DAYS:
        raise LandbridgeError(
            f"--days: a curve tells which volumes hold, and {settings.days:g} days are too short to judge; wanted at "
            f"least {terminals.JUDGED_DAYS:g}"
        )
    few = settings.replications < JUDGE.replications or settings.days < JUDGE.days
    more = replace(
        settings, replications=max(settings.replications, JUDGE.replications), days=max(settings.days, JUDGE.days)
    )
    return terminals.delay_curve(
        plan,
        lambda tried: replicate(tried, settings),
        stream=stream,
        ratios=ratios,
        confirm=(lambda tried: replicate(tried, more)) if few else None,
    )


def _estimate(value: Estimate) -> dict[str, float]:
    return {"mean": value.mean, "low": value.low, "high": value.high}


def told(plan: Plan, summary: Summary, settings: Settings) -> dict[str, Any]:
    """Return what a run says, for programs: plain values, null where there is none."""
    stays = {
        name: {key: (_estimate(value) if key == "mean" else value.mean) for key, value in each.items()}
        for name, each in summary.dwell_h.items()
        if any(value.mean for value in each.values()) or name in ("crane", "processing", "waiting", "total")
    }
    return {
        "terminal": plan.id,
        "name": plan.name,
        "days": summary.days,
        "warm_up_days": summary.warm_up_days,
        "replications": summary.replications,
        "seed": settings.seed,
        "season": settings.season and any(s.year for s in plan.streams),
        "stable": None if summary.verdict == "undecided" else summary.stable,
        "verdict": summary.verdict,
        "reason": summary.reason,
        "runs_tipped": summary.tipped,
        "note": summary.note,
        "offered_trains_day": summary.offered_trains_day,
        "trains_day": summary.trains_day.mean,
        "throughput_teu_yr": summary.teu_yr.mean,
        "turned_away_trains_day": summary.turned_away_day,
        "dwell_h": {
            name: {key: (value["mean"] if isinstance(value, dict) else value) for key, value in each.items()}
            for name, each in stays.items()
        }
        or None,
        "outside_trains": {
            side: {key: value.mean for key, value in each.items()} for side, each in summary.outside.items()
        },
        "utilisation": summary.utilisation,
        "working": summary.working,
        "occupied": summary.occupied,
        "resources": {r.id: {"count": r.count, "machines": r.machines} for r in plan.resources},
        "offered_load": summary.offered_load,
        "bottleneck": summary.bottleneck or None,
        "confidence_intervals_95": {
            "trains_day": _estimate(summary.trains_day),
            "throughput_teu_yr": _estimate(summary.teu_yr),
            "dwell_h": {name: each["mean"] for name, each in stays.items()} or None,
            "growth_units_day": _estimate(summary.growth_units_day),
        },
        "little": {**summary.little, "greatest_error": summary.little_error},
    }


@dataclass(frozen=True, eq=False)
class Answer:
    """What was asked about a terminal: the plain values, the runs behind them, the queue of the first run by side."""

    told: dict[str, Any]
    runs: Sequence[Run]
    queue: dict[str, list[float]]
    start: date


def ask(
    plan: Plan,
    settings: Settings,
    *,
    tables: Tables | None = None,
    event: str | None = None,
    curve: bool = False,
    stream: str = "",
    trace: Trace | None = None,
) -> Answer:
    """Run a terminal as asked: as it is, through an event, or for its curve.

    Parameters
    ----------
    plan, settings
        What, and how often and long; an event that needs a longer run gets it.
    tables
        The atlas, for events.
    event
        Id of an event whose stops are put on the run, with `BEFORE_DAYS` ahead of it.
    curve, stream
        The delay curve in place of a run, of one stream or of all.
    trace
        Trains that are known in place of drawn ones: neither through an event nor for a curve.

    Returns
    -------
    Answer
    """
    if trace is not None:
        if event is not None or curve:
            raise LandbridgeError("a trace has its own trains and time: wanted neither an event nor a curve beside it")
        plan = traced(plan, trace, settings.days)
    if curve:
        found = delay_curve(plan, settings, stream=stream)
        head = {"terminal": plan.id, "name": plan.name, "days": settings.days, "seed": settings.seed}
        return Answer({**head, "replications": settings.replications, "curve": asdict(found)}, (), {}, settings.start)
    recovery = None
    if event is None or tables is None:
        runs = replicate(plan, settings, arrivals=None if trace is None else trace.arrays)
    else:
        rows = tables["terminal_stops"].filter((pl.col("plan") == plan.id) & (pl.col("event") == event))
        first = min(rows["from_date"].to_list(), default=settings.start)
        # a volume that was counted in those weeks has their season in it
        season = _volume_of(tables, plan.id, event) is None
        settings = replace(settings, start=first - timedelta(days=BEFORE_DAYS), season=season)
        stops = stops_of(tables, plan, event, settings.start)
        longest = max(s.to_h for s in stops) / 24.0 + AFTER_DAYS
        settings = replace(settings, days=max(settings.days, longest))
        recovery, runs, _ = recover(plan, settings, stops)
    told_run = told(plan, terminals.summarise(runs, steady=recovery is None), settings)
    if recovery is not None:
        if told_run["stable"]:  # no long run is seen here: what can be said is whether the queue went
            of = f"{recovery.cleared} of {recovery.replications} runs"
            told_run |= {"stable": None, "verdict": "event", "reason": f"the queue was cleared in {of}"}
        told_run["recovery"] = {
            "event": event,
            "stop_days": recovery.stop_days,
            "trains_day": sum(s.trains_day for s in plan.streams),
            "trains_day_of_the_time": None if tables is None else _volume_of(tables, plan.id, event or ""),
            "outside": {side: asdict(e) for side, e in recovery.peak_outside.items()},
            "extra_units": asdict(recovery.peak_extra_units),
            "clear_days": asdict(recovery.clear_days),
            "watched_days": recovery.watched_days,
            "cleared": recovery.cleared,
            "replications": recovery.replications,
        }
    moments = np.arange(0.0, settings.days * 24.0 + 1e-9, STEP_H)
    waits = terminals.outside(runs[0], moments)
    queue = {side: waits[i].tolist() for i, side in enumerate(plan.sides)}
    return Answer(told_run, runs, queue, settings.start)


def listing(tables: Tables) -> list[dict[str, Any]]:
    """Return the terminals of the atlas with their volume to plan with and the load of what is asked for most."""
    rows = []
    for name in plan_ids(tables):
        plan = plan_of(tables, name)
        load = terminals.offered_load(plan)
        worst = max(load, key=lambda each: load[each])
        rows.append(
            {
                "terminal": name,
                "name": plan.name,
                "crossing": plan.crossing,
                "sides": " / ".join(plan.sides),
                "trains_day": sum(s.trains_day for s in plan.streams),
                "load": load[worst],
                "bottleneck": worst if load[worst] else "",
            }
        )
    return rows
