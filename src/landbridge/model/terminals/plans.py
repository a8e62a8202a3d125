"""What a terminal is: its two sides, what works there, what arrives; and the door at which plans come in.

A plan comes as plain rows (columns as in the atlas' tables ``terminal_plans``, ``terminal_resources`` and
``terminal_streams``, or the same words in a TOML file), is checked once, and is a record of numbers from then on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from landbridge.errors import DataError, Fault

__all__ = ["KINDS", "OPTIONS", "PATTERNS", "Plan", "Resource", "Stream", "make_plan", "offered_load"]

#: What works at a terminal; tracks are held, all others serve one train after another.
KINDS = (
    "track", "path_in", "shunter", "customs", "crane", "stacker", "bogie", "ramp", "locomotive", "release", "path_out",
)  # fmt: skip
#: How cargo changes trains, and who can do it, the first that is there.
OPTIONS: dict[str, tuple[str, ...]] = {"transfer": ("crane", "stacker"), "bogie": ("bogie",), "reload": ("ramp",)}
PATTERNS = ("poisson", "timetable", "renewal")
CARGOES = ("container", "bulk")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """Servers of one kind.

    Attributes
    ----------
    id, kind, side
        Name; one of `KINDS`; the side it belongs to, or "" for both.
    count
        Servers (crane groups, teams, tracks, ...), each for one train at a time; None: as many as are asked for.
    machines
        Machines of one server that share its work (cranes of a group, positions, ramps).
    minutes_train, minutes_unit, unit_share
        Work of one machine: minutes a train, minutes a unit, and the share of units that need it.
    variation
        Coefficient of variation of the work of a train; 0: always the same, 1: exponential.
    open_from_h, open_h_day, open_days_week
        Shifts: hour of the day, hours a day, days a week from Monday.
    failure_every_h, failure_h
        Mean hours between failures of one machine and to mend it, both exponential; None: never fails.
    """

    id: str
    kind: str
    side: str = ""
    count: int | None = None
    machines: int = 1
    minutes_train: float = 0.0
    minutes_unit: float = 0.0
    unit_share: float = 1.0
    variation: float = 0.0
    open_from_h: float = 0.0
    open_h_day: float = 24.0
    open_days_week: int = 7
    failure_every_h: float | None = None
    failure_h: float | None = None

    def work_h(self, units: float) -> float:
        """Mean hours of work of one server for a train of so many units."""
        return (self.minutes_train + self.minutes_unit * self.unit_share * units / self.machines) / 60.0

    @property
    def open_share(self) -> float:
        """Share of the time in which a server works, shifts and failures counted."""
        share = self.open_h_day / 24.0 * self.open_days_week / 7.0
        if self.failure_every_h is not None and self.failure_h is not None:
            share *= self.failure_every_h / (self.failure_every_h + self.failure_h)
        return share


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Trains (or ships) of one kind that arrive at one side and leave on the other.

    Attributes
    ----------
    id, arrives
        Name; the side it arrives at.
    option, cargo
        One of `OPTIONS`; container or bulk.
    trains_day
        Mean arrivals a day.
    pattern
        poisson; timetable: evenly spaced, each train off by a normal deviation; renewal: gamma gaps.
    deviation_h
        Standard deviation of a train from its timetable.
    variation
        Coefficient of variation of the gaps of a renewal pattern.
    week, year
        Factors of the seven days from Monday and of the twelve months; empty: all alike.
    units_train, units_spread
        Mean and standard deviation of the units (boxes, wagons) of an arriving train.
    units_out
        Units of a departing train; 0: departure is not modelled, units leave when they are handled.
    teu_unit
        TEU of a unit, for throughput.
    stack_teu_unit
        TEU of room that a unit takes in the stack; 0 for wagons.
    direct_share
        Share of units that may go straight onto a train standing beside, with one lift. Of no meaning where units are
        worked once whatever stands beside.
    lead_h, patience_h
        Hours from call to arrival of an empty departing train; longest wait for a full one (None: for ever).
    priority
        0 goes before 1, 1 before 2.
    supply
        Row of gauge_changes or terminals that this stream stands for, or "".
    """

    id: str
    arrives: str
    option: str = "transfer"
    cargo: str = "container"
    trains_day: float = 0.0
    pattern: str = "poisson"
    deviation_h: float = 0.0
    variation: float = 1.0
    week: tuple[float, ...] = ()
    year: tuple[float, ...] = ()
    units_train: float = 1.0
    units_spread: float = 0.0
    units_out: int = 0
    teu_unit: float = 1.0
    stack_teu_unit: float = 0.0
    direct_share: float = 0.0
    lead_h: float = 0.0
    patience_h: float | None = None
    priority: int = 1
    supply: str = ""

    @property
    def worked_once(self) -> bool:
        """Whether a unit is worked once: on other bogies, or from wagon to wagon where it needs no stack."""
        return self.option == "bogie" or (self.option == "reload" and self.stack_teu_unit == 0)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A terminal, checked.

    Attributes
    ----------
    id, name, place, crossing
        Names; crossing is "" where the terminal lies at none.
    sides
        Labels of its two sides: a gauge in mm, or ``ferry``.
    stack_teu, stack_dwell_h, stack_dwell_variation
        Room of the stack; mean least hours of a unit in it (papers, not the wait for a train), and their variation.
    outside_trains
        Trains that may wait outside on each side before others are turned away; None: any number.
    resources, streams
        What works, what arrives.
    """

    id: str
    name: str
    place: str = ""
    crossing: str = ""
    sides: tuple[str, str]
    stack_teu: float = 0.0
    stack_dwell_h: float = 0.0
    stack_dwell_variation: float = 0.0
    outside_trains: int | None = None
    resources: tuple[Resource, ...]
    streams: tuple[Stream, ...]

    def find(self, kinds: str | Sequence[str], side: str) -> Resource | None:
        """Return the resource that does the work of one of some kinds on a side, or None."""
        for kind in (kinds,) if isinstance(kinds, str) else kinds:
            for wanted in (side, ""):
                for resource in self.resources:
                    if resource.kind == kind and resource.side == wanted:
                        return resource
        return None

    def tracks(self, side: str) -> int | None:
        """Return the tracks of a side; None: as many as are asked for."""
        found = self.find("track", side)
        return None if found is None else found.count

    def other(self, side: str) -> str:
        """Return the side across."""
        return self.sides[1] if side == self.sides[0] else self.sides[0]

    def handler(self, stream: Stream) -> Resource:
        """Return what unloads the trains of a stream; checked plans have it."""
        found = self.find(OPTIONS[stream.option], stream.arrives)
        assert found is not None  # noqa: S101 - make_plan saw to it
        return found

    def loader(self, stream: Stream) -> Resource:
        """Return what loads departing trains from the stack: reach stackers where there are some, else the handler."""
        if stream.option == "transfer":
            found = self.find(("stacker", "crane"), self.other(stream.arrives))
            if found is not None:
                return found
        return self.handler(stream)


#: Bounds of numbers: least, most, whether the least itself is allowed.
BOUNDS: dict[str, tuple[float, float, bool]] = {
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
    "trains_day": (0, 10_000, True),
    "deviation_h": (0, 1000, True),
    "units_train": (1, 10_000, True),
    "units_spread": (0, 5000, True),
    "units_out": (0, 10_000, True),
    "teu_unit": (0, 100, True),
    "stack_teu_unit": (0, 100, True),
    "direct_share": (0, 1, True),
    "lead_h": (0, 10_000, True),
    "patience_h": (0, 10_000, False),
    "priority": (0, 2, True),
    "stack_teu": (0, 1e7, True),
    "stack_dwell_h": (0, 10_000, True),
    "stack_dwell_variation": (0, 10, True),
    "outside_trains": (0, 1_000_000, True),
}
WHOLE = ("count", "machines", "open_days_week", "units_out", "priority", "outside_trains")


def _values(kind: type[Any], row: Mapping[str, Any], where: str, name: str, faults: list[Fault]) -> dict[str, Any]:
    """Fields of a record from a row: what is empty keeps its default, what is out of bounds is told."""
    values: dict[str, Any] = {}
    for each in fields(kind):
        got = row.get(each.name)
        if got is None or each.name in ("resources", "streams", "sides"):
            continue
        if each.name in ("week", "year"):
            size = 7 if each.name == "week" else 12
            try:
                factors = tuple(float(x) for x in got)
            except (TypeError, ValueError):
                factors = (math.nan,)  # no list of numbers: told below
            if len(factors) not in (0, size) or any(not 0 <= x < math.inf for x in factors):
                faults.append(Fault(where, name, each.name, f"{size} factors >= 0", repr(got)))
            elif factors and not sum(factors) > 0:
                faults.append(Fault(where, name, each.name, "a factor above 0", repr(got)))
            values[each.name] = factors
        elif each.name in BOUNDS:
            low, high, closed = BOUNDS[each.name]
            number = got if isinstance(got, (int, float)) and not isinstance(got, bool) else math.nan
            inside = (low <= number if closed else low < number) and number <= high
            if not inside or (each.name in WHOLE and number != int(number)):
                whole = "a whole number" if each.name in WHOLE else "a number"
                edge = "at least" if closed else "above"
                faults.append(Fault(where, name, each.name, f"{whole} {edge} {low:g}, at most {high:g}", repr(got)))
                continue
            values[each.name] = int(number) if each.name in WHOLE else float(number)
        else:
            values[each.name] = str(got)
    return values


def make_plan(
    plan: Mapping[str, Any],
    resources: Sequence[Mapping[str, Any]],
    streams: Sequence[Mapping[str, Any]],
    *,
    where: str = "terminal plan",
) -> Plan:
    """Check the rows of a plan and make it.

    Parameters
    ----------
    plan
        id, name, place, crossing, side_a, side_b and the numbers of `Plan`.
    resources, streams
        Rows with the fields of `Resource` and `Stream`.
    where
        File or table, for messages.

    Returns
    -------
    Plan

    Raises
    ------
    DataError
        With everything that is wrong: numbers out of bounds, a train that fits no track, cargo that nothing handles,
        a stack in which the yard could lock itself.
    """
    faults: list[Fault] = []
    name = str(plan.get("id") or "plan")
    sides = (str(plan.get("side_a") or ""), str(plan.get("side_b") or ""))
    if not all(sides) or sides[0] == sides[1]:
        faults.append(
            Fault(where, name, "side_a, side_b", "two different sides, as 1435 and 1520", " and ".join(sides))
        )
    head = _values(Plan, plan, where, name, faults)
    head.setdefault("name", name)
    made_r: list[Resource] = []
    for i, row in enumerate(resources):
        unnamed = ":".join(str(row[field]) for field in ("kind", "side") if row.get(field)) or f"resource {i + 1}"
        row_name = str(row.get("id") or unnamed)
        values = _values(Resource, row, where, row_name, faults)
        if values.get("kind") not in KINDS:
            faults.append(Fault(where, row_name, "kind", " or ".join(KINDS), repr(row.get("kind"))))
            continue
        if values.get("side") and values["side"] not in sides:
            faults.append(Fault(where, row_name, "side", f"{sides[0]}, {sides[1]} or nothing", repr(row.get("side"))))
        if ("failure_every_h" in values) != ("failure_h" in values):
            faults.append(Fault(where, row_name, "failure_every_h, failure_h", "both or neither", "one"))
        made_r.append(Resource(**{"id": row_name, **values}))
    made_s: list[Stream] = []
    for i, row in enumerate(streams):
        row_name = str(row.get("id") or f"stream {i + 1}")
        values = _values(Stream, row, where, row_name, faults)
        for field, words in (("option", tuple(OPTIONS)), ("pattern", PATTERNS), ("cargo", CARGOES)):
            if values.get(field, words[0]) not in words:
                faults.append(Fault(where, row_name, field, " or ".join(words), repr(row.get(field))))
                values.pop(field)
        made_s.append(Stream(**{"id": row_name, "arrives": "", **values}))
    if not made_s:
        faults.append(Fault(where, name, "streams", "at least one stream of trains", "none"))
    made = Plan(**{**head, "id": name, "sides": sides, "resources": tuple(made_r), "streams": tuple(made_s)})
    faults += _logic_faults(made, where)
    if faults:
        raise DataError(f"{where}: {name}", dict.fromkeys(faults))
    return made


def _logic_faults(plan: Plan, where: str) -> list[Fault]:
    """What is wrong with a plan as a whole."""
    faults = []
    twice = {
        (r.kind, r.side)
        for r in plan.resources
        if sum((o.kind, o.side) == (r.kind, r.side) for o in plan.resources) > 1
    }
    faults += [
        Fault(where, plan.id, f"{kind} {side}".strip(), "one row a kind and side", "several")
        for kind, side in sorted(twice)
    ]
    for names, what in (([r.id for r in plan.resources], "resources"), ([s.id for s in plan.streams], "streams")):
        if len(set(names)) < len(names):
            faults.append(
                Fault(where, plan.id, what, "each id once", ", ".join(sorted({n for n in names if names.count(n) > 1})))
            )
    for stream in plan.streams:
        if stream.arrives not in plan.sides:
            wanted = f"a side with tracks it fits ({plan.sides[0]} or {plan.sides[1]})"
            faults.append(Fault(where, stream.id, "arrives", wanted, stream.arrives or "nothing"))
            continue
        ends = [stream.arrives, *([plan.other(stream.arrives)] if stream.units_out else [])]
        for side in ends:
            if plan.find("track", side) is None:
                faults.append(Fault(where, stream.id, f"track {side}", "tracks that its wagons fit", "none"))
        if plan.find(OPTIONS[stream.option], stream.arrives) is None:
            wanted = " or ".join(OPTIONS[stream.option])
            faults.append(
                Fault(where, stream.id, "option", f"a {wanted} for {stream.option}", f"a plan with no {wanted}")
            )
    # A yard can lock itself when trains wait for room in the stack that only trains behind them could clear.
    leaving = [s for s in plan.streams if s.units_out and s.arrives in plan.sides]
    for side in plan.sides:
        both = any(s.arrives == side for s in plan.streams) and any(plan.other(s.arrives) == side for s in leaving)
        tracks = plan.tracks(side)
        if both and tracks is not None and tracks < 2:
            faults.append(
                Fault(where, plan.id, f"track {side}", "two tracks where trains arrive and depart", str(tracks))
            )
    if leaving:
        most = max((s.units_train + 3 * s.units_spread) * s.stack_teu_unit for s in leaving)
        least = sum((s.units_out - 1) * s.stack_teu_unit for s in leaving) + most
        if plan.stack_teu < least:
            faults.append(
                Fault(
                    where,
                    plan.id,
                    "stack_teu",
                    f"at least {least:g}, else the yard can lock itself",
                    f"{plan.stack_teu:g}",
                )
            )
    return faults


def offered_load(plan: Plan) -> dict[str, float]:
    """Work that arrives over what can be done, by resource; 1 or more cannot be borne.

    Tracks are held at least for the mean work of a train's own steps; waiting comes on top, so that theirs is a lower
    bound.

    Parameters
    ----------
    plan
        The terminal; rates, calendars and failures by their means.

    Returns
    -------
    dict
        Load by the id of each resource that has a count.
    """
    hours: dict[str, float] = {}
    held_h = dict.fromkeys(plan.sides, 0.0)

    def add(resource: Resource | None, amount_h: float) -> float:
        if resource is None:
            return 0.0
        hours[resource.id] = hours.get(resource.id, 0.0) + amount_h
        return amount_h / resource.open_share

    for s in plan.streams:
        here, there, a_day = s.arrives, plan.other(s.arrives), s.trains_day
        held = 0.0
        for kind in ("path_in", "shunter", "customs", "locomotive"):
            resource = plan.find(kind, here)
            held += add(resource, a_day * resource.work_h(s.units_train)) if resource else 0.0
        handler = plan.handler(s)
        held += add(handler, a_day * handler.work_h(s.units_train))
        held_h[here] += held
        if s.units_out:
            out = a_day * s.units_train / s.units_out
            held = 0.0
            for kind in ("shunter", "release", "locomotive", "path_out"):
                resource = plan.find(kind, there)
                held += add(resource, out * resource.work_h(s.units_out)) if resource else 0.0
            if not s.worked_once:
                loader = plan.loader(s)
                per_unit = loader.work_h(1.0) - loader.work_h(0.0)
                held += add(loader, out * s.units_out * (1 - s.direct_share) * per_unit)
            held_h[there] += held
    answer = {}
    for r in plan.resources:
        if r.count is None:
            continue
        if r.kind == "track":  # a row for both sides says how many each has
            most = max(held_h[side] for side in plan.sides if plan.find("track", side) is r)
            answer[r.id] = most / (24.0 * r.count)
        else:
            answer[r.id] = hours.get(r.id, 0.0) / (24.0 * r.count * r.open_share)
    return answer
