"""The delay of a terminal as a curve over its volume.

Problem
    How many hours does a unit lose at so many trains a day, from an empty terminal to past its limit?
Method
    The volume of one stream (or of all, in proportion) is raised in steps up to where some resource is asked for more
    than it can do. At each step replications with the same draws are run; the delay is the mean stay less the
    least one, the spread the standard deviation over units. An unstable point has no delay: it is marked, never a
    number.
    The wait for a full train falls with volume, so that the stay has a least value at some volume: up to there the
    curve is flat. From there on noise is taken out by pooling neighbours that fall (Ayer and others, 1955). The points
    as simulated are kept beside the curve.
Saturation
    One rule wherever a limit is told: the highest volume at which no replication tips over and the number inside does
    not drift upward (`summarise`). Where tracks, shifts, a full stack or tipping bind before any load is 1, it is
    found by bisection, and what is told is the highest volume that held. Beside it stands the drift limit, up to which
    the number inside does not grow in the mean though some runs may tip, and the volume from which on a terminal could
    tip at all: where a resource would be asked for more than it can do if every box went over the stack.
    A planner must not count on a volume at which one run in ten collapses; the network would send trains there.
Confirmation
    Few replications see neither a rare tipping nor a slow drift. Where `confirm` is given (more and longer runs), the
    limit is tried with it, and lowered until it holds.
Beyond the limit
    An assignment needs a time on its way even there: the last slope goes on (see `flows.curves`, tabulated curves), and
    the volume over capacity tells that the terminal does not bear it.
Stop rule
    Two drifting steps in a row end the rise; each bisection ends after `HALVINGS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from landbridge.model.terminals.plans import Plan, offered_load
from landbridge.model.terminals.runs import Run, dwell
from landbridge.model.terminals.summary import over_the_stack, summarise

__all__ = ["RATIOS", "DelayCurve", "Point", "delay_curve", "monotone", "rated", "without_borders", "without_season"]

Floats = npt.NDArray[np.float64]

#: Steps of volume, relative to what the most loaded resource can do.
RATIOS = (0.05, 0.2, 0.4, 0.55, 0.7, 0.8, 0.87, 0.93, 0.97)
#: Past the limit: told as unstable.
PAST = 1.05
HALVINGS = 4


@dataclass(frozen=True)
class Point:
    """One volume: trains a day, whether it can be borne, and then mean and standard deviation of the stay in hours.

    The verdict is ``stable``, ``tips over`` (in some runs) or ``unstable``; ``drifts`` tells whether the number inside
    grows in the mean.
    """

    trains_day: float
    stable: bool
    dwell_h: float | None
    spread_h: float | None
    bottleneck: str
    verdict: str = "stable"
    drifts: bool = False


@dataclass(frozen=True)
class DelayCurve:
    """How the stay grows with volume.

    Attributes
    ----------
    stream
        Stream whose volume varies; "" for all in proportion.
    capacity_trains_day
        Greatest volume that can be borne: no run tips over, nothing drifts.
    drift_trains_day
        Greatest volume at which the number inside does not grow in the mean, though some runs may tip over.
    could_tip_trains_day
        Volume from which on runs could tip over, by the loads; None where that is past the drift limit.
    bottleneck
        What limits it.
    base_h
        Least mean stay over all volumes.
    ratio, delay_h, spread_h
        Volume over capacity, hours on top of the base (never falling), standard deviation of the stay (never falling),
        at stable points.
    points
        All points as simulated, unstable ones without numbers.
    """

    stream: str
    capacity_trains_day: float
    drift_trains_day: float
    could_tip_trains_day: float | None
    bottleneck: str
    base_h: float
    ratio: tuple[float, ...]
    delay_h: tuple[float, ...]
    spread_h: tuple[float, ...]
    points: tuple[Point, ...]

    def at(self, trains_day: float) -> tuple[float, float] | None:
        """Return delay and spread in hours at a volume between the points; None past the capacity."""
        x = trains_day / self.capacity_trains_day
        if x > 1.0:
            return None
        return float(np.interp(x, self.ratio, self.delay_h)), float(np.interp(x, self.ratio, self.spread_h))


def monotone(values: Sequence[float]) -> Floats:
    """Return the nearest values, by least squares, that never fall: neighbours that do are pooled."""
    means: list[float] = []
    counts: list[int] = []
    for value in values:
        means.append(float(value))
        counts.append(1)
        while len(means) > 1 and means[-2] > means[-1]:
            total = counts[-2] + counts[-1]
            means[-2:] = [(means[-2] * counts[-2] + means[-1] * counts[-1]) / total]
            counts[-2:] = [total]
    return np.repeat(means, counts)


def rated(plan: Plan, trains_day: float, stream: str = "") -> Plan:
    """Return a plan with another volume.

    Parameters
    ----------
    plan
        The terminal.
    trains_day
        Trains a day of the stream, or of all streams together.
    stream
        Id of the stream; "" for all in the proportion they have (alike where none has any).
    """
    if stream:
        changed = [replace(s, trains_day=trains_day) if s.id == stream else s for s in plan.streams]
    else:
        total = sum(s.trains_day for s in plan.streams)
        share = [s.trains_day / total if total else 1 / len(plan.streams) for s in plan.streams]
        changed = [replace(s, trains_day=trains_day * part) for s, part in zip(plan.streams, share, strict=True)]
    return replace(plan, streams=tuple(changed))


def without_season(plan: Plan) -> Plan:
    """Return a plan whose streams come alike in all months; days of the week keep their factors."""
    return replace(plan, streams=tuple(replace(s, year=()) for s in plan.streams))


def without_borders(plan: Plan) -> Plan:
    """Return a plan without the limits of the border and line beside it, which the network has itself."""
    return replace(plan, resources=tuple(r for r in plan.resources if r.kind not in ("path_in", "path_out")))


def _room(plan: Plan, stream: str) -> tuple[dict[str, float], list[str]]:
    """Volume at which each resource is full, and the resources that the other streams alone fill."""
    empty, one = offered_load(rated(plan, 0.0, stream)), offered_load(rated(plan, 1.0, stream))
    if not stream:
        empty = dict.fromkeys(one, 0.0)
    room = {name: (1.0 - empty[name]) / (one[name] - empty[name]) for name in one if one[name] > empty[name]}
    return room, [name for name, load in empty.items() if load >= 1.0]


def _point(plan: Plan, volume: float, stream: str, run: Callable[[Plan], Sequence[Run]]) -> Point:
    """Run one volume and judge it."""
    tried = rated(plan, volume, stream)
    loads = offered_load(tried)
    worst = max(loads, key=lambda name: loads[name])
    if loads[worst] >= 1.0:
        return Point(volume, False, None, None, worst, "unstable", True)
    runs = run(tried)
    told = summarise(runs)
    if not told.stable:
        return Point(volume, False, None, None, told.bottleneck, told.verdict, told.drifts)
    number = next((i for i, s in enumerate(plan.streams) if s.id == stream), -1)
    hours, units = [], []
    for each in runs:
        gone = dwell(each)
        kept = gone.left_h >= told.warm_up_days * 24.0
        if stream:
            kept &= gone.stream == number
        hours.append(gone.total_h[kept])
        units.append(gone.units[kept].astype(np.float64))
    stay, weight = np.concatenate(hours), np.concatenate(units)
    if not stay.size:
        return Point(volume, True, 0.0, 0.0, told.bottleneck)
    mean = float(np.average(stay, weights=weight))
    spread = float(np.sqrt(np.average((stay - mean) ** 2, weights=weight)))
    return Point(volume, True, mean, spread, told.bottleneck)


def _holds(point: Point) -> bool:
    return point.stable


def _stays(point: Point) -> bool:
    return not point.drifts


def _between(seen: dict[float, Point], good: Callable[[Point], bool]) -> tuple[float, float | None]:
    """Highest good volume below the lowest bad one; none is bad: no second number.

    A volume that drifts below one that does not is noise of few runs; one at which a run has tipped is none.
    """
    fine = [v for v, p in seen.items() if good(p)]
    bad = [v for v, p in seen.items() if not good(p) and (not p.drifts or v > max(fine, default=0.0))]
    if not bad:
        return max(fine, default=0.0), None
    return max((v for v in fine if v < min(bad)), default=0.0), min(bad)


def delay_curve(
    plan: Plan,
    run: Callable[[Plan], Sequence[Run]],
    *,
    stream: str = "",
    ratios: Sequence[float] = RATIOS,
    confirm: Callable[[Plan], Sequence[Run]] | None = None,
) -> DelayCurve:
    """Find the delay of a terminal at volumes from nearly none to past its limit.

    Parameters
    ----------
    plan
        The terminal; streams that do not vary keep their volume.
    run
        Makes the replications of a plan, always with the same draws.
    stream
        Id of the stream that varies; "" for all in proportion.
    ratios
        Steps below 1.
    confirm
        Makes more replications, or longer ones, with which the limit is tried before it is told.

    Returns
    -------
    DelayCurve
        With an empty curve and no capacity where the other streams alone are too much.
    """
    room, full = _room(plan, stream)
    if full or not room:
        return DelayCurve(stream, 0.0, 0.0, None, full[0] if full else "", 0.0, (), (), (), ())
    bound = min(room.values())
    seen: dict[float, Point] = {}

    def look(volume: float, by: Callable[[Plan], Sequence[Run]] = run) -> Point:
        seen[volume] = _point(plan, volume, stream, by)
        return seen[volume]

    def narrow(good: Callable[[Point], bool], by: Callable[[Plan], Sequence[Run]]) -> float:
        """Halve the way between the highest good and the lowest bad volume; the highest good one."""
        low, high = _between(seen, good)
        for _ in range(HALVINGS if high is not None else 0):
            middle = (low + (high or 0.0)) / 2
            low, high = (middle, high) if good(look(middle, by)) else (low, middle)
        return bound if high is None else low

    # STEP 1: up to where the number inside grows
    drifting = 0
    for ratio in ratios:
        drifting = drifting + 1 if look(bound * ratio).drifts else 0
        if drifting == 2:
            break
    # STEP 2: the highest volume that holds, tried again with more runs
    capacity = narrow(_holds, run)
    if confirm is not None:
        top, lowered = _between(seen, _holds)[0], False
        while top > 0 and not look(top, confirm).stable:
            top, lowered = _between(seen, _holds)[0], True
        if lowered:
            capacity = narrow(_holds, confirm)
    tipped = any(p.verdict == "tips over" for p in seen.values())
    drift = max(capacity, narrow(_stays, run)) if tipped else capacity
    # STEP 3: the curve, over the volumes that hold
    first_bad = min((v for v, p in seen.items() if not p.stable and v > capacity), default=None)
    bottleneck = min(room, key=lambda name: room[name]) if first_bad is None else seen[first_bad].bottleneck
    tips = min(_room(over_the_stack(plan), stream)[0].values())
    could_tip = tips if tips < drift else None
    points = [*seen.values(), Point(drift * PAST, False, None, None, bottleneck, "unstable", True)]
    points.sort(key=lambda p: p.trains_day)
    borne = [p for p in points if p.stable and p.dwell_h is not None and p.trains_day <= capacity]
    if not borne or capacity <= 0:
        return DelayCurve(stream, capacity, drift, could_tip, bottleneck, 0.0, (), (), (), tuple(points))
    stays = np.array([p.dwell_h or 0.0 for p in borne])
    least = int(stays.argmin())
    stays[:least] = stays[least]
    stays = monotone(stays.tolist())
    spreads = np.array([p.spread_h or 0.0 for p in borne])
    spreads[: int(spreads.argmin())] = spreads.min()
    return DelayCurve(
        stream=stream,
        capacity_trains_day=capacity,
        drift_trains_day=drift,
        could_tip_trains_day=could_tip,
        bottleneck=bottleneck,
        base_h=float(stays[0]),
        ratio=tuple(p.trains_day / capacity for p in borne),
        delay_h=tuple((stays - stays[0]).tolist()),
        spread_h=tuple(monotone(spreads.tolist()).tolist()),
        points=tuple(points),
    )
