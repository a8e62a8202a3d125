"""What chance brings, drawn before a run: arrivals, loads, work, failures; and the calendar as changes of speed.

Each quantity of each stream has a generator of its own, named by seed, replication, stream and step: with another crane
or another rate the k-th train of a stream keeps its draws, so that two plans can be compared train by train.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.model.terminals import kernels
from landbridge.model.terminals.kernels import Changes, Trains, Yard
from landbridge.model.terminals.plans import Plan, Resource, Stream

__all__ = ["Drawn", "Stop", "draw", "week_rates"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

# Stands for "as many as are asked for".
ANY = 1 << 30
DAYS_MONTH = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
# Departing trains for which work is drawn, beyond those that leave full: the first guess at those that leave when
# patience ends.
SPARE = 8


@dataclass(frozen=True)
class Stop:
    """A calendar event: for some hours nothing, or less, passes.

    Attributes
    ----------
    kind
        ``path_in`` or ``path_out`` (the border on a side), or another kind of resource that rests.
    side
        Side, or "" for both.
    from_h, to_h
        Hours from the start of the run.
    share
        Part of the speed that is left.
    """

    kind: str
    side: str
    from_h: float
    to_h: float
    share: float = 0.0


@dataclass(frozen=True, eq=False)
class Drawn:
    """All that a run needs.

    Attributes
    ----------
    yard, trains, changes
        For the event loop.
    columns
        Columns of times.
    most
        Departing trains at most.
    resources
        Servers by resource, in the order of the loop; stop gates without a row of their own have been added.
    """

    yard: Yard
    trains: Trains
    changes: Changes
    columns: int
    most: int
    resources: tuple[Resource, ...]


def _generator(seed: int, replication: int, *names: str) -> np.random.Generator:
    key = (replication, *(zlib.crc32(name.encode()) for name in names))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def week_rates(stream: Stream, days: int, start_weekday: int, start_month: int) -> Floats:
    """Relative rate of each day of a run, one on average over a week and a year.

    Parameters
    ----------
    stream
        Its factors of the days of the week and the months.
    days
        Length of the run.
    start_weekday, start_month
        0 = Monday, 0 = January.

    Returns
    -------
    array of float64, shape (days,)
    """
    rate = np.ones(days)
    if stream.week:
        week = np.array(stream.week)
        rate *= (week / week.mean())[(start_weekday + np.arange(days)) % 7]
    if stream.year:
        year = np.array(stream.year)
        of_day = np.repeat(year / np.average(year, weights=DAYS_MONTH), DAYS_MONTH)
        first = int(DAYS_MONTH[:start_month].sum())
        rate *= of_day[(first + np.arange(days)) % 365]
    return rate


def _arrivals(stream: Stream, rng: np.random.Generator, horizon_h: float, weekday: int, month: int) -> Floats:
    """Times of arrival in hours, ascending: a pattern of mean one a unit, stretched to the rate of each day."""
    if stream.trains_day <= 0:
        return np.zeros(0)
    days = int(np.ceil(horizon_h / 24.0))
    passed = np.concatenate([[0.0], np.cumsum(stream.trains_day * week_rates(stream, days, weekday, month))])
    total = float(np.interp(horizon_h / 24.0, np.arange(days + 1), passed))
    if stream.pattern == "timetable":
        unit = np.arange(0.5, total)
    else:
        shape = 1.0 if stream.pattern == "poisson" else 1.0 / max(stream.variation, 1e-6) ** 2
        block, unit = BLOCK + int(total + 4.0 * math.sqrt(total / shape)), np.zeros(0)
        while not unit.size or unit[-1] < total:
            gaps = rng.standard_exponential(block) if shape == 1.0 else rng.standard_gamma(shape, block) / shape
            unit = np.cumsum(gaps) if not unit.size else np.concatenate([unit, unit[-1] + np.cumsum(gaps)])
        unit = unit[: np.searchsorted(unit, total)]
    hours = np.interp(unit, passed, 24.0 * np.arange(days + 1))
    if stream.pattern == "timetable" and stream.deviation_h > 0:
        hours = np.sort(np.abs(hours + stream.deviation_h * rng.standard_normal(hours.size)))
    return np.asarray(hours[: np.searchsorted(hours, horizon_h)], np.float64)


# Gaps drawn beyond those that the rate asks for.
BLOCK = 64


def _factors(rng: np.random.Generator, variation: float, size: int) -> Floats | float:
    """Draws of mean one and a given coefficient of variation (gamma)."""
    if variation == 0 or size == 0:
        return 1.0
    if variation == 1:
        return rng.standard_exponential(size)
    shape = 1.0 / variation**2
    return rng.standard_gamma(shape, size) / shape


def _work(resource: Resource, units: Longs, rng: np.random.Generator) -> Floats:
    """Hours of work of one server for each train."""
    if resource.minutes_unit == 0:  # alike for all but for chance
        hours = resource.minutes_train / 60.0 * _factors(rng, resource.variation, units.size)
        return np.asarray(np.broadcast_to(hours, units.shape), np.float64)
    needing: Floats | Longs = units
    if 0 < resource.unit_share < 1:
        needing = rng.binomial(units, resource.unit_share)
    elif resource.unit_share == 0:
        needing = np.zeros(units.size)
    minutes = resource.minutes_train + resource.minutes_unit * needing / resource.machines
    return np.asarray(minutes / 60.0 * _factors(rng, resource.variation, units.size), np.float64)


def draw(
    plan: Plan,
    *,
    days: float,
    seed: int,
    replication: int = 0,
    stops: Sequence[Stop] = (),
    start_weekday: int = 0,
    start_month: int = 0,
    arrivals: tuple[Floats, Longs, Longs] | None = None,
    spare: int = SPARE,
) -> Drawn:
    """Draw all that chance brings to one run.

    Parameters
    ----------
    plan
        The terminal.
    days
        Length of the run.
    seed, replication
        Together they name the draws.
    stops
        Calendar events.
    start_weekday, start_month
        When the run starts: 0 = Monday, 0 = January.
    arrivals
        A trace in place of drawn arrivals: hours (ascending), index of the stream, units.
    spare
        Departing trains of each stream beyond those that leave full.

    Returns
    -------
    Drawn
    """
    horizon_h = days * 24.0
    servers = list(plan.resources) + _gates(plan, stops)
    served = [r for r in servers if r.kind != "track" and r.count is not None]
    index = {r.id: i for i, r in enumerate(served)}
    first = np.concatenate([[0], np.cumsum([r.count for r in served])]).astype(np.int64)
    full = Plan(**{**plan.__dict__, "resources": tuple(servers)})

    # STEP 1: arrivals
    if arrivals is None:
        times, of, loads = [], [], []
        for i, stream in enumerate(plan.streams):
            rng = _generator(seed, replication, stream.id, "arrivals")
            hours = _arrivals(stream, rng, horizon_h, start_weekday, start_month)
            rng = _generator(seed, replication, stream.id, "units")
            if stream.units_spread:
                bound = 3.0 * stream.units_spread
                spread = np.clip(stream.units_spread * rng.standard_normal(hours.size), -bound, bound)
                loads.append(np.maximum(1, np.rint(stream.units_train + spread)).astype(np.int64))
            else:
                loads.append(np.full(hours.size, max(1, round(stream.units_train)), np.int64))
            times.append(hours)
            of.append(np.full(hours.size, i, np.int64))
        if len(times) == 1:
            arrive, stream_of, units = times[0], of[0], loads[0]
        else:
            order = np.argsort(np.concatenate(times), kind="stable")
            arrive, stream_of = np.concatenate(times)[order], np.concatenate(of)[order]
            units = np.concatenate(loads)[order]
    else:
        arrive, stream_of, units = arrivals
    # STEP 2: who does which step, and how long it takes
    size, leaving = arrive.size, [s for s in plan.streams if s.units_out]
    resource = np.full((len(plan.streams), kernels.STEP_COUNT), -1, np.int64)
    doers: list[list[Resource | None]] = []
    for i, s in enumerate(plan.streams):
        here, there = s.arrives, plan.other(s.arrives)
        arriving = [full.find("path_in", here), full.find("shunter", here), full.find("customs", here)]
        arriving += [full.handler(s), full.find("locomotive", here)]
        departing = [None, full.find("shunter", there), full.loader(s), full.find("release", there)]
        departing += [full.find("locomotive", there), full.find("path_out", there)]
        doers.append([*arriving, *(departing if s.units_out else [None] * kernels.DEPARTING)])
        for k, doer in enumerate(doers[i]):
            if doer is not None and doer.count is not None:
                resource[i, k] = index[doer.id]
    column = np.full(kernels.STEP_COUNT, -1, np.int64)
    for k in range(kernels.STEP_COUNT):
        always = k == kernels.HANDLE or (leaving and k in (kernels.LEAD, kernels.PLACE, kernels.LOAD))
        if always or any(row[k] is not None for row in doers):
            column[k] = sum(column[:k] >= 0) if k < kernels.LEAD else sum(column[kernels.LEAD : k] >= 0)
    columns = int(column.max()) + 1
    work = np.zeros((size, columns))
    dwell = np.zeros(size)
    out = [
        int(units[stream_of == i].sum()) // s.units_out + spare if s.units_out else 0
        for i, s in enumerate(plan.streams)
    ]
    departing_h = np.zeros((len(plan.streams), max(out, default=0), columns))
    for i, s in enumerate(plan.streams):
        mine = stream_of == i if len(plan.streams) > 1 else slice(None)
        loads_i = units[mine]
        for k, doer in enumerate(doers[i]):
            if doer is None:
                continue
            rng = _generator(seed, replication, s.id, kernels.STEPS[k])
            if k < kernels.LEAD:
                work[mine, column[k]] = _work(doer, loads_i, rng)
            elif k == kernels.LOAD:
                per_unit = 0.0 if s.worked_once else doer.work_h(1.0) - doer.work_h(0.0)
                departing_h[i, : out[i], column[k]] = per_unit * _factors(rng, doer.variation, out[i])
            else:
                departing_h[i, : out[i], column[k]] = _work(doer, np.full(out[i], s.units_out), rng)
        if s.units_out:
            departing_h[i, :, column[kernels.LEAD]] = s.lead_h
        if plan.stack_dwell_h and s.stack_teu_unit:
            rng = _generator(seed, replication, s.id, "dwell")
            dwell[mine] = plan.stack_dwell_h * _factors(rng, plan.stack_dwell_variation, loads_i.size)
    # STEP 3: tracks; where trains arrive and depart, neither holds the last
    tracks, most_in, most_out, outside = (np.full(2, ANY, np.int64) for _ in range(4))
    for side, label in enumerate(plan.sides):
        count = full.tracks(label)
        if count is not None:
            both = any(s.arrives == label for s in plan.streams) and any(s.arrives != label for s in leaving)
            tracks[side] = count
            most_in[side] = most_out[side] = count - both
        if plan.outside_trains is not None:
            outside[side] = plan.outside_trains
    yard = Yard(
        column=column,
        resource=resource,
        first=first,
        tracks=tracks,
        most_arriving=most_in,
        most_departing=most_out,
        room_outside=outside,
        side=np.array([plan.sides.index(s.arrives) for s in plan.streams], np.int64),
        priority=np.array([s.priority for s in plan.streams], np.int64),
        size=np.array([s.units_out for s in plan.streams], np.int64),
        direct=np.array([s.direct_share for s in plan.streams]),
        stack_teu=np.array([s.stack_teu_unit for s in plan.streams]),
        way=np.array([_way(s) for s in plan.streams], np.int64),
        stack=float(plan.stack_teu),
        patience_h=np.array([np.inf if s.patience_h is None else s.patience_h for s in plan.streams]),
    )
    trains = Trains(
        np.ascontiguousarray(arrive, np.float64),
        stream_of.astype(np.int64, copy=False),
        units.astype(np.int64, copy=False),
        work,
        dwell,
        departing_h,
    )
    changes = _changes(served, first, horizon_h, seed, replication, stops, start_weekday)
    return Drawn(yard, trains, changes, columns, sum(out), tuple(served))


def _way(stream: Stream) -> int:
    """How the units of a stream change trains, as the loop knows it."""
    if not stream.worked_once:
        return kernels.STACKS
    return kernels.ROLLS if stream.option == "bogie" else kernels.BESIDE


def _gates(plan: Plan, stops: Sequence[Stop]) -> list[Resource]:
    """Borders that a stop shuts though the plan states no limit for them: open, they cost no time."""
    added: list[Resource] = []
    for stop in stops:
        if stop.kind in ("path_in", "path_out"):
            for side in plan.sides if not stop.side else (stop.side,):
                name = f"{stop.kind} {side}"
                if plan.find(stop.kind, side) is None and name not in [r.id for r in added]:
                    added.append(Resource(id=name, kind=stop.kind, side=side, count=1, minutes_train=GATE_MIN))
    return added


# Minutes that a train takes over a border for which no limit is stated: enough for the gate to be shut on it.
GATE_MIN = 0.01


def _changes(
    served: Sequence[Resource],
    first: Longs,
    horizon_h: float,
    seed: int,
    replication: int,
    stops: Sequence[Stop],
    start_weekday: int,
) -> Changes:
    """Speed of every server over time: its shift, times the share of its machines that work, times what stops leave."""
    speed, parts = np.ones(int(first[-1])), []
    for i, resource in enumerate(served):
        resting = [
            s for s in stops if s.kind == resource.kind and (not s.side or s.side == resource.side or not resource.side)
        ]
        for v in range(first[i], first[i + 1]):
            layers = []
            if resource.open_h_day < 24 or resource.open_days_week < 7:
                layers.append(_shifts(resource, horizon_h, start_weekday))
            for stop in resting:
                layers.append((np.array([0.0, stop.from_h, stop.to_h]), np.array([1.0, stop.share, 1.0])))
            if resource.failure_every_h is not None and resource.failure_h is not None:
                down = [
                    _failures(
                        resource, horizon_h, _generator(seed, replication, resource.id, str(v - first[i]), str(m))
                    )
                    for m in range(resource.machines)
                ]
                layers.append(_combine(down, "mean"))
            if not layers:
                continue
            times, values = _combine(layers, "product")
            speed[v] = values[0]
            parts.append((times[1:], np.full(times.size - 1, v, np.int64), values[1:]))
    if not parts:
        return Changes(speed, np.zeros(0), np.zeros(0, np.int64), np.zeros(0))
    time, server, new = (np.concatenate([part[j] for part in parts]) for j in range(3))
    order = np.argsort(time, kind="stable")
    return Changes(speed, time[order], server[order], new[order])


def _shifts(resource: Resource, horizon_h: float, start_weekday: int) -> tuple[Floats, Floats]:
    """Steps of a speed that is 1 in the shift and 0 outside."""
    days = np.arange(-1, int(np.ceil(horizon_h / 24.0)) + 1)
    days = days[(start_weekday + days) % 7 < resource.open_days_week]
    opens = days * 24.0 + resource.open_from_h
    closes = opens + resource.open_h_day
    times = np.concatenate([opens, closes])
    steps = np.concatenate([np.ones(opens.size), -np.ones(closes.size)])
    moments, inverse = np.unique(times, return_inverse=True)
    level = np.cumsum(np.bincount(inverse, weights=steps))
    now = float(level[moments <= 0.0][-1]) if (moments <= 0.0).any() else 0.0
    later = (moments > 0.0) & (moments < horizon_h)
    return np.concatenate([[0.0], moments[later]]), np.minimum(np.concatenate([[now], level[later]]), 1.0)


def _failures(resource: Resource, horizon_h: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Steps of one machine that works and fails in turn; it is whole at the start."""
    assert resource.failure_every_h is not None and resource.failure_h is not None  # noqa: S101, PT018
    times = [np.zeros(1)]
    reached = 0.0
    while reached < horizon_h:
        spans = rng.standard_exponential((64, 2)) * (resource.failure_every_h, resource.failure_h)
        times.append(reached + np.cumsum(spans))
        reached = float(times[-1][-1])
    moments = np.concatenate(times)
    values = np.where(np.arange(moments.size) % 2 == 0, 1.0, 0.0)
    kept = moments < horizon_h
    return moments[kept], values[kept]


def _combine(layers: Sequence[tuple[Floats, Floats]], how: str) -> tuple[Floats, Floats]:
    """Product or mean of step functions that all start at 0."""
    moments = np.unique(np.concatenate([times for times, _ in layers]))
    rows = [values[np.searchsorted(times, moments, side="right") - 1] for times, values in layers]
    values = np.prod(rows, axis=0) if how == "product" else np.mean(rows, axis=0)
    changed = np.concatenate([[True], np.diff(values) != 0])
    return moments[changed], values[changed]
