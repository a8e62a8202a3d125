"""The rules of terminal plans: what must hold for a yard or port to work, wherever its plan was written.

A plan is plain rows: one of the plan, those of its resources, those of its streams, with the columns of the tables
``terminal_plans``, ``terminal_resources`` and ``terminal_streams`` (or the same words in a TOML file).  The check of a
package, an overlay and `landbridge terminal` all hold plans to these rules; what a plan does is in
`landbridge.model.terminals`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from landbridge.errors import Fault, suggest

__all__ = ["HANDLERS", "KINDS", "PATTERNS", "PLAN_TABLES", "plan_faults", "plan_table_faults"]

#: What works at a terminal; tracks are held, all others serve one train after another.
KINDS = (
    "track", "path_in", "shunter", "customs", "crane", "stacker", "bogie", "ramp", "locomotive", "release", "path_out",
)  # fmt: skip
#: How cargo changes trains, and who can do it.
HANDLERS: Mapping[str, tuple[str, ...]] = {"transfer": ("crane", "stacker"), "bogie": ("bogie",), "reload": ("ramp",)}
PATTERNS = ("poisson", "timetable", "renewal")
CARGOES = ("container", "bulk")

#: Tables that hold a plan, its resources and its streams.
PLAN_TABLES = ("terminal_plans", "terminal_resources", "terminal_streams")

#: Bounds of numbers: least, most, whether the least itself is allowed.
PLAN_BOUNDS: Mapping[str, tuple[float, float, bool]] = {
    "stack_teu": (0, 1e7, True),
    "stack_dwell_h": (0, 10_000, True),
    "stack_dwell_variation": (0, 10, True),
    "outside_trains": (0, 1_000_000, True),
}
RESOURCE_BOUNDS: Mapping[str, tuple[float, float, bool]] = {
    "count": (1, 100_000, True),
    "machines": (1, 1000, True),
    "minutes_train": (0, 100_000, True),
    "minutes_unit": (0, 10_000, True),
    "unit_share": (0, 1, True),
    "variation": (0, 10, True),
    "open_from_h": (0, 24, True),
    "open_h_day": (0, 24, False),
    "open_days_week": (1, 7, True),
    "failure_every_h": (0, 1e6, False),
    "failure_h": (0, 1e5, False),
}
STREAM_BOUNDS: Mapping[str, tuple[float, float, bool]] = {
    "trains_day": (0, 10_000, True),
    "deviation_h": (0, 1000, True),
    "variation": (0, 10, True),
    "units_train": (1, 10_000, True),
    "units_spread": (0, 5000, True),
    "units_out": (0, 10_000, True),
    "teu_unit": (0, 100, True),
    "stack_teu_unit": (0, 100, True),
    "direct_share": (0, 1, True),
    "lead_h": (0, 10_000, True),
    "patience_h": (0, 10_000, False),
    "priority": (0, 2, True),
}
WHOLE = ("count", "machines", "open_days_week", "units_out", "priority", "outside_trains")
FACTORS: Mapping[str, int] = {"week": 7, "year": 12}

#: Ways to the terminal: they can be stopped where no resource of the plan stands for them.
GATES = ("path_in", "path_out")

#: What the dictionary says of the tables' cells by itself.
CHOICES = ("kind", "option", "pattern", "cargo")


@dataclass(frozen=True)
class _Resource:
    """What the rules ask of a resource."""

    id: str
    kind: str
    side: str
    count: int | None


@dataclass(frozen=True)
class _Stream:
    """What the rules ask of a stream."""

    id: str
    arrives: str
    option: str
    units_train: float
    units_spread: float
    units_out: int
    stack_teu_unit: float


def _told(
    row: Mapping[str, Any],
    bounds: Mapping[str, tuple[float, float, bool]],
    where: str,
    name: str,
    faults: list[Fault],
) -> dict[str, float]:
    """Numbers of a row; those out of bounds are told and left out."""
    values: dict[str, float] = {}
    for field, (low, high, closed) in bounds.items():
        got = row.get(field)
        if got is None:
            continue
        number = got if isinstance(got, (int, float)) and not isinstance(got, bool) else math.nan
        inside = (low <= number if closed else low < number) and number <= high
        if not inside or (field in WHOLE and number != int(number)):
            whole = "a whole number" if field in WHOLE else "a number"
            edge = "at least" if closed else "above"
            faults.append(Fault(where, name, field, f"{whole} {edge} {low:g}, at most {high:g}", repr(got)))
            continue
        values[field] = number
    return values


def _timeless(row: Mapping[str, Any], where: str, name: str) -> list[Fault]:
    """Work that would take no time: a number that was forgotten, not a machine without limits."""
    kind, fields = row["kind"], ("minutes_train", "minutes_unit")
    given = [row[field] for field in fields if row.get(field) is not None]
    handles = any(kind in kinds for kinds in HANDLERS.values())
    if kind == "track" or (given and not (handles and all(number == 0 for number in given))):
        return []
    got = f"{given[0]:g}" if given else "nothing"
    return [Fault(where, name, " or ".join(fields), "minutes of work" + (" above 0" if handles else ""), got)]


def _factors(row: Mapping[str, Any], where: str, name: str) -> list[Fault]:
    """What is wrong with the factors of days and months."""
    faults = []
    for field, size in FACTORS.items():
        got = row.get(field)
        if got is None:
            continue
        try:
            factors = tuple(float(x) for x in got)
        except (TypeError, ValueError):
            factors = (math.nan,)  # no list of numbers: told below
        if len(factors) not in (0, size) or any(not 0 <= x < math.inf for x in factors):
            faults.append(Fault(where, name, field, f"{size} factors >= 0", repr(got)))
        elif factors and not sum(factors) > 0:
            faults.append(Fault(where, name, field, "a factor above 0", repr(got)))
    return faults


def plan_faults(
    plan: Mapping[str, Any],
    resources: Sequence[Mapping[str, Any]],
    streams: Sequence[Mapping[str, Any]],
    *,
    where: str | tuple[str, str, str] = "terminal plan",
) -> list[Fault]:
    """Return everything that is wrong with a plan.

    Parameters
    ----------
    plan
        id, name, place, crossing, side_a, side_b and the numbers of the plan.
    resources, streams
        Its rows.
    where
        File of all of it, or of the plan, its resources and its streams.

    Returns
    -------
    list of Fault
        Numbers out of bounds, a train that fits no track, cargo that nothing handles, a stack in which the yard could
        lock itself; each once.
    """
    of_plan, of_resources, of_streams = (where,) * 3 if isinstance(where, str) else where
    faults: list[Fault] = []
    name = str(plan.get("id") or "plan")
    sides = (str(plan.get("side_a") or ""), str(plan.get("side_b") or ""))
    if not all(sides) or sides[0] == sides[1]:
        told = " and ".join(side or "nothing" for side in sides)
        faults.append(Fault(of_plan, name, "side_a, side_b", "two different sides, as 1435 and 1520", told))
    head = _told(plan, PLAN_BOUNDS, of_plan, name, faults)
    stack_known = plan.get("stack_teu") is None or "stack_teu" in head
    works: list[_Resource] = []
    for i, row in enumerate(resources):
        unnamed = ":".join(str(row[field]) for field in ("kind", "side") if row.get(field)) or f"resource {i + 1}"
        row_name = str(row.get("id") or unnamed)
        values = _told(row, RESOURCE_BOUNDS, of_resources, row_name, faults)
        if row.get("kind") not in KINDS:
            faults.append(Fault(of_resources, row_name, "kind", " or ".join(KINDS), repr(row.get("kind"))))
            continue
        side = "" if row.get("side") is None else str(row["side"])
        if side and side not in sides:
            faults.append(Fault(of_resources, row_name, "side", f"{sides[0]}, {sides[1]} or nothing", repr(side)))
        faults += _timeless(row, of_resources, row_name)
        pair = ("failure_every_h", "failure_h")
        if (row.get(pair[0]) is None) != (row.get(pair[1]) is None):
            faults.append(Fault(of_resources, row_name, ", ".join(pair), "both or neither", "one"))
        count = values.get("count")
        works.append(_Resource(row_name, str(row["kind"]), side, None if count is None else int(count)))
    comes: list[_Stream] = []
    for i, row in enumerate(streams):
        row_name = str(row.get("id") or f"stream {i + 1}")
        values = _told(row, STREAM_BOUNDS, of_streams, row_name, faults)
        faults += _factors(row, of_streams, row_name)
        option = "transfer"
        for field, words in (("option", tuple(HANDLERS)), ("pattern", PATTERNS), ("cargo", CARGOES)):
            got = row.get(field)
            if got is not None and got not in words:
                faults.append(Fault(of_streams, row_name, field, " or ".join(words), repr(got)))
            elif got is not None and field == "option":
                option = str(got)
        comes.append(
            _Stream(
                row_name,
                str(row.get("arrives") or ""),
                option,
                values.get("units_train", 1.0),
                values.get("units_spread", 0.0),
                int(values.get("units_out", 0)),
                values.get("stack_teu_unit", 0.0),
            )
        )
    if not comes:
        faults.append(Fault(of_plan, name, "streams", "at least one stream of trains", "none"))
    faults += _twice(name, works, comes, (of_plan, of_resources, of_streams))
    for stream in comes:
        faults += _unserved(stream, works, sides, of_streams)
    stack_teu = head.get("stack_teu", 0.0) if stack_known else math.inf  # what is no number is told as such, once
    faults += _locked(name, stack_teu, works, comes, sides, of_plan)
    return list(dict.fromkeys(faults))


def _find(works: Sequence[_Resource], kinds: Sequence[str], side: str) -> _Resource | None:
    """The resource that does the work of one of some kinds on a side, or None."""
    return next(
        (r for kind in kinds for wanted in (side, "") for r in works if (r.kind, r.side) == (kind, wanted)), None
    )


def _twice(name: str, works: Sequence[_Resource], comes: Sequence[_Stream], where: tuple[str, str, str]) -> list[Fault]:
    """Two rows of a kind and side, ids used again."""
    pairs = [(r.kind, r.side) for r in works]
    faults = [
        Fault(where[0], name, f"{kind} {side}".strip(), "one row a kind and side", "several")
        for kind, side in sorted({pair for pair in pairs if pairs.count(pair) > 1})
    ]
    for file, names, what in (
        (where[1], [r.id for r in works], "resources"),
        (where[2], [s.id for s in comes], "streams"),
    ):
        again = sorted({n for n in names if names.count(n) > 1})
        if again:
            faults.append(Fault(file, name, what, "each id once", ", ".join(again)))
    shared = sorted({r.id for r in works} & {s.id for s in comes})
    if shared:
        wanted = "ids that no resource has, since ID.FIELD must mean one"
        faults.append(Fault(where[2], name, "streams", wanted, ", ".join(shared)))
    return faults


def _unserved(stream: _Stream, works: Sequence[_Resource], sides: tuple[str, str], where: str) -> list[Fault]:
    """A stream without tracks, or without anyone who handles its cargo."""
    if stream.arrives not in sides:
        wanted = f"a side with tracks it fits ({sides[0]} or {sides[1]})"
        return [Fault(where, stream.id, "arrives", wanted, stream.arrives or "nothing")]
    other = sides[1] if stream.arrives == sides[0] else sides[0]
    faults = [
        Fault(where, stream.id, f"track {side}", "tracks that its wagons fit", "none")
        for side in (stream.arrives, *([other] if stream.units_out else []))
        if _find(works, ("track",), side) is None
    ]
    handlers = HANDLERS[stream.option]
    if _find(works, handlers, stream.arrives) is None:
        wanted = " or ".join(handlers)
        faults.append(Fault(where, stream.id, "option", f"a {wanted} for {stream.option}", f"a plan with no {wanted}"))
    return faults


def _locked(
    name: str,
    stack_teu: float,
    works: Sequence[_Resource],
    comes: Sequence[_Stream],
    sides: tuple[str, str],
    where: str,
) -> list[Fault]:
    """A yard in which trains wait for room that only trains behind them could clear."""
    faults = []
    leaving = [s for s in comes if s.units_out and s.arrives in sides]
    for side, other in (sides, sides[::-1]):
        both = any(s.arrives == side for s in comes) and any(s.arrives == other for s in leaving)
        tracks = _find(works, ("track",), side)
        if both and tracks is not None and tracks.count is not None and tracks.count < 2:
            wanted = "two tracks where trains arrive and depart"
            faults.append(Fault(where, name, f"track {side}", wanted, str(tracks.count)))
    if leaving:
        most = max((s.units_train + 3 * s.units_spread) * s.stack_teu_unit for s in leaving)
        least = sum((s.units_out - 1) * s.stack_teu_unit for s in leaving) + most
        if stack_teu < least:
            wanted = f"at least {least:g}, else the yard can lock itself"
            faults.append(Fault(where, name, "stack_teu", wanted, f"{stack_teu:g}"))
    return faults


# -- tables ----------------------------------------------------------------------------------------------------------


def plan_table_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return what is wrong with the plans of a package, and with what their streams stand for.

    Parameters
    ----------
    frames
        Tables by name; what the dictionary says of single cells has been told by then.
    """
    heads, resources, streams = (frames.get(table, pl.DataFrame()) for table in PLAN_TABLES)
    if not (
        {"id", "side_a", "side_b"} <= set(heads.columns) and all("plan" in f.columns for f in (resources, streams))
    ):
        return []
    by_plan: tuple[dict[str, list[dict[str, Any]]], ...] = ({}, {})
    for frame, found in zip((resources, streams), by_plan, strict=True):
        for row in frame.to_dicts():
            found.setdefault(row["plan"], []).append(row)
    files = tuple(f"{table}.csv" for table in PLAN_TABLES)
    faults: list[Fault] = []
    for row in heads.to_dicts():
        own = [found.get(row["id"], []) for found in by_plan]
        faults += plan_faults(row, own[0], own[1], where=(files[0], files[1], files[2]))
    told = [f for f in faults if f.field not in CHOICES or f.got.startswith("a plan with")]
    return told + _stops(frames, by_plan[0]) + _supplies(frames)


def _supplies(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Streams that stand for a row of the network that is not there, lies elsewhere or carries something else."""
    heads, streams = frames["terminal_plans"], frames["terminal_streams"]
    if not {"id", "supply", "cargo", "option", "arrives"} <= set(streams.columns) or "place" not in heads.columns:
        return []
    rows: dict[str, dict[str, Any]] = {}
    for table in ("gauge_changes", "terminals"):
        if not {"id", "place", "cargo"} <= set(frames.get(table, pl.DataFrame()).columns):
            return []
        rows |= {row["id"]: {"table": table, **row} for row in frames[table].to_dicts()}
    place = dict(heads.select("id", "place").iter_rows())
    faults = []
    for stream in streams.to_dicts():
        supply = stream["supply"]
        if supply is None:
            continue
        row = rows.get(supply)
        if row is None:
            near = suggest(supply, list(rows))
            wanted = "an id of gauge_changes.csv or terminals.csv" + (
                f"; did you mean {', '.join(near)}?" if near else ""
            )
            faults.append(Fault("terminal_streams.csv", stream["id"], "supply", wanted, repr(supply)))
            continue
        like: dict[str, Any] = {"place": place.get(stream["plan"]), "cargo": stream["cargo"]}
        if row["table"] == "gauge_changes":
            like |= {"option": stream["option"], "from_mm": stream["arrives"]}
        unlike = [f"{name} {want}" for name, want in like.items() if want is not None and str(row.get(name)) != want]
        if unlike:
            told = f"a row of {row['table']}.csv with {', '.join(unlike)}, as the stream has it"
            faults.append(Fault("terminal_streams.csv", stream["id"], "supply", told, repr(supply)))
    return faults


def _stops(frames: Mapping[str, pl.DataFrame], resources: Mapping[str, list[dict[str, Any]]]) -> list[Fault]:
    """Stops of something that does not work at the terminal, or on a side that it has not."""
    stops, heads = frames.get("terminal_stops", pl.DataFrame()), frames["terminal_plans"]
    if not {"id", "plan", "kind", "side"} <= set(stops.columns):
        return []
    sides = {row["id"]: (row["side_a"], row["side_b"]) for row in heads.to_dicts()}
    faults = []
    volumes: dict[tuple[Any, Any], float | None] = {}
    for row in stops.to_dicts():
        volume, event = row.get("trains_day"), (row["plan"], row.get("event"))
        if volumes.setdefault(event, volume) != volume:
            other = "no number" if volumes[event] is None else f"{volumes[event]:g}"
            wanted = f"{other}, as in the first stop of {row.get('event')} at {row['plan']}"
            got = "no number" if volume is None else f"{volume:g}"
            faults.append(Fault("terminal_stops.csv", row["id"], "trains_day", wanted, got))
        if row["plan"] not in sides:
            continue  # told as a reference that points at nothing
        if row["side"] is not None and row["side"] not in sides[row["plan"]]:
            wanted = f"{' or '.join(map(str, sides[row['plan']]))} or nothing"
            faults.append(Fault("terminal_stops.csv", row["id"], "side", wanted, row["side"]))
        kinds = {str(r["kind"]) for r in resources.get(row["plan"], [])}
        if row["kind"] not in {*kinds, *GATES}:
            wanted = (
                f"{' or '.join(GATES)}, or what works at {row['plan']} ({', '.join(k for k in KINDS if k in kinds)})"
            )
            faults.append(Fault("terminal_stops.csv", row["id"], "kind", wanted, repr(row["kind"])))
    return faults
