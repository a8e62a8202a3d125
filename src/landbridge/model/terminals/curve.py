"""The delay of a terminal as a curve over its volume.

Problem
    How many hours does a unit lose at so many trains a day, from an empty terminal to past its limit?
Method
    The volume of one stream (or of all, in proportion) is raised in steps up to where some resource is asked for more
    than it can do. At each step replications with the same draws are run; the delay is the mean stay less the
    least one, the spread the standard deviation over units. Where tracks, shifts or a full stack bind earlier, the
    limit is found by bisection on whether the runs are stable. An unstable point has no delay: it is marked, never a
    number.
    The wait for a full train falls with volume, so that the stay has a least value at some volume: up to there the
    curve is flat. From there on noise is taken out by pooling neighbours that fall (Ayer and others, 1955). The points
    as simulated are kept beside the curve.

Beyond the limit
    An assignment needs a time on its way even there: the last slope goes on (see `flows.curves`, tabulated curves), and
    the volume over capacity tells that the terminal does not bear it.
Stop rule
    Two unstable steps in a row end the rise; the bisection ends after `HALVINGS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from landbridge.model.terminals.plans import Plan, offered_load
from landbridge.model.terminals.runs import Run, dwell
from landbridge.model.terminals.summary import summarise

__all__ = ["RATIOS", "DelayCurve", "Point", "delay_curve", "monotone", "rated", "without_borders"]

Floats = npt.NDArray[np.float64]

#: Steps of volume, relative to what the most loaded resource can do.
RATIOS = (0.05, 0.2, 0.4, 0.55, 0.7, 0.8, 0.87, 0.93, 0.97)
#: Past the limit: told as unstable.
PAST = 1.05
HALVINGS = 4


@dataclass(frozen=True)
class Point:
    """One volume: trains a day, whether it can be borne, and then mean and standard deviation of the stay in hours."""

    trains_day: float
    stable: bool
    dwell_h: float | None
    spread_h: float | None
    bottleneck: str


@dataclass(frozen=True)
class DelayCurve:
    """How the stay grows with volume.

    Attributes
    ----------
    stream
        Stream whose volume varies; "" for all in proportion.
    capacity_trains_day
        Greatest volume that can be borne.
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


def without_borders(plan: Plan) -> Plan:
    """Return a plan without the limits of the border and line beside it, which the network has itself."""
    return replace(plan, resources=tuple(r for r in plan.resources if r.kind not in ("path_in", "path_out")))


def delay_curve(
    plan: Plan, run: Callable[[Plan], Sequence[Run]], *, stream: str = "", ratios: Sequence[float] = RATIOS
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

    Returns
    -------
    DelayCurve
        With an empty curve and no capacity where the other streams alone are too much.
    """
    empty, one = offered_load(rated(plan, 0.0, stream)), offered_load(rated(plan, 1.0, stream))
    if not stream:
        empty = dict.fromkeys(one, 0.0)
    room = {name: (1.0 - empty[name]) / (one[name] - empty[name]) for name in one if one[name] > empty[name]}
    full = [name for name, load in empty.items() if load >= 1.0]
    if full or not room:
        return DelayCurve(stream, 0.0, full[0] if full else "", 0.0, (), (), (), ())
    bound = min(room.values())
    which = {s.id: i for i, s in enumerate(plan.streams)}

    def look(volume: float) -> Point:
        tried = rated(plan, volume, stream)
        loads = offered_load(tried)
        worst = max(loads, key=lambda name: loads[name])
        if loads[worst] >= 1.0:
            return Point(volume, False, None, None, worst)
        runs = run(tried)
        told = summarise(runs, tipping=False)
        if not told.stable:
            return Point(volume, False, None, None, told.bottleneck)
        hours, units = [], []
        for each in runs:
            gone = dwell(each)
            kept = gone.left_h >= told.warm_up_days * 24.0
            if stream:
                kept &= gone.stream == which[stream]
            hours.append(gone.total_h[kept])
            units.append(gone.units[kept].astype(np.float64))
        stay, weight = np.concatenate(hours), np.concatenate(units)
        if not stay.size:
            return Point(volume, True, 0.0, 0.0, told.bottleneck)
        mean = float(np.average(stay, weights=weight))
        return Point(
            volume, True, mean, float(np.sqrt(np.average((stay - mean) ** 2, weights=weight))), told.bottleneck
        )

    points: list[Point] = []
    unstable = 0
    for ratio in ratios:
        points.append(look(bound * ratio))
        unstable = 0 if points[-1].stable else unstable + 1
        if unstable == 2:
            break
    stable = [p for p in points if p.stable]
    capacity, bottleneck = bound, min(room, key=lambda name: room[name])
    bad = [p.trains_day for p in points if not p.stable and (not stable or p.trains_day > stable[-1].trains_day)]
    if bad:
        low, high = (stable[-1].trains_day if stable else 0.0), min(bad)
        for _ in range(HALVINGS):
            point = look((low + high) / 2)
            points.append(point)
            low, high = (point.trains_day, high) if point.stable else (low, point.trains_day)
        capacity = (low + high) / 2
        bottleneck = next((p.bottleneck for p in points if p.trains_day == high), bottleneck)
    points.append(Point(capacity * PAST, False, None, None, bottleneck))
    points.sort(key=lambda p: p.trains_day)
    borne = [p for p in points if p.stable and p.dwell_h is not None and p.spread_h is not None]
    if not borne:
        return DelayCurve(stream, capacity, bottleneck, 0.0, (), (), (), tuple(points))
    stays = np.array([p.dwell_h or 0.0 for p in borne])
    least = int(stays.argmin())
    stays[:least] = stays[least]
    stays = monotone(stays.tolist())
    spreads = np.array([p.spread_h or 0.0 for p in borne])
    spreads[: int(spreads.argmin())] = spreads.min()
    return DelayCurve(
        stream=stream,
        capacity_trains_day=capacity,
        bottleneck=bottleneck,
        base_h=float(stays[0]),
        ratio=tuple(p.trains_day / capacity for p in borne),
        delay_h=tuple((stays - stays[0]).tolist()),
        spread_h=tuple(monotone(spreads.tolist()).tolist()),
        points=tuple(points),
    )
