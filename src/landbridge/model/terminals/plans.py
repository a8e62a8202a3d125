"""What a terminal is: its two sides, what works there, what arrives; and the door at which plans come in.

A plan comes as plain rows (columns as in the atlas' tables ``terminal_plans``, ``terminal_resources`` and
``terminal_streams``, or the same words in a TOML file) that were held to the rules of `landbridge.data.plans`, and is a
record of numbers from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

__all__ = ["OPTIONS", "Plan", "Resource", "Stream", "make_plan", "offered_load"]

#: How cargo changes trains, and who can do it, the first that is there.
OPTIONS: dict[str, tuple[str, ...]] = {"transfer": ("crane", "stacker"), "bogie": ("bogie",), "reload": ("ramp",)}


@dataclass(frozen=True, kw_only=True)
class Resource:
    """Servers of one kind.

    Attributes
    ----------
    id, kind, side
        Name; what it is, as ``crane``; the side it belongs to, or "" for both.
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
        assert found is not None  # noqa: S101 - the rules of plans saw to it
        return found

    def loader(self, stream: Stream) -> Resource:
        """Return what loads departing trains from the stack: reach stackers where there are some, else the handler."""
        if stream.option == "transfer":
            found = self.find(("stacker", "crane"), self.other(stream.arrives))
            if found is not None:
                return found
        return self.handler(stream)


def _values(kind: type[Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a record from a row: what is empty keeps its default."""
    values: dict[str, Any] = {}
    for each in fields(kind):
        got = row.get(each.name)
        if got is None or each.name in ("resources", "streams", "sides"):
            continue
        kept = str(each.type)  # as it is written
        if kept.startswith("tuple"):
            values[each.name] = tuple(float(x) for x in got)
        else:
            values[each.name] = int(got) if "int" in kept else float(got) if "float" in kept else str(got)
    return values


def make_plan(
    plan: Mapping[str, Any], resources: Sequence[Mapping[str, Any]], streams: Sequence[Mapping[str, Any]]
) -> Plan:
    """Make a plan of rows that are sound, as `landbridge.data.plans.plan_faults` tells.

    Parameters
    ----------
    plan
        id, name, place, crossing, side_a, side_b and the numbers of `Plan`.
    resources, streams
        Rows with the fields of `Resource` and `Stream`.

    Returns
    -------
    Plan
    """
    name = str(plan.get("id") or "plan")
    made = []
    for i, row in enumerate(resources):
        unnamed = ":".join(str(row[field]) for field in ("kind", "side") if row.get(field)) or f"resource {i + 1}"
        made.append(Resource(**{**_values(Resource, row), "id": str(row.get("id") or unnamed)}))
    return Plan(
        **{
            "name": name,
            **_values(Plan, plan),
            "id": name,
            "sides": (str(plan["side_a"]), str(plan["side_b"])),
            "resources": tuple(made),
            "streams": tuple(
                Stream(**{**_values(Stream, row), "id": str(row.get("id") or f"stream {i + 1}")})
                for i, row in enumerate(streams)
            ),
        }
    )


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
