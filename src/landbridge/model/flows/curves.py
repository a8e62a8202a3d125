"""Volume-delay curves beside the power curve, and the numbers of all curves at given volumes.

Problem
    How many hours of delay does a facility add when its volume, the preload counted, is x times its capacity?
Families
    - power (also called BPR): ``delay_h * x ** power``; the classical ``t0 (1 + alpha (v/c)^beta)`` is the constant t0
      with ``delay_h = alpha * t0`` and ``power = beta``. It stands in `VolumeDelay` itself.
    - conical (Spiess, 1990): ``delay_h * (sqrt(alpha^2 (1-x)^2 + beta^2) - alpha (1-x) - beta + 1)`` with
      ``beta = (2 alpha - 1) / (2 alpha - 2)``: nothing at x = 0, `delay_h` at x = 1, a straight line far beyond it, so
      that overloaded guesses do not explode.
    - queueing (after Kingman, 1961): ``service_h * variation * x / (1 - x)`` up to the load `most`, its tangent beyond:
      the formula has no answer at x >= 1, an assignment needs one on its way. Trains on a line or at a border station
      are served one after another with irregular arrivals; that is what this curve describes.
    - tabulated: a smooth curve that never falls, through given points (Fritsch and Carlson's cubic, 1980); constant
      before the first point, and a straight line with the last slope after the last.
All curves are continuous with a continuous slope. Power, conical and queueing curves are convex; a table need not be.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from landbridge.model.flows import kernels
from landbridge.model.flows.records import (
    Bools,
    Conical,
    Curve,
    Floats,
    Queueing,
    Tabulated,
    VolumeDelay,
)

__all__ = ["areas_h", "bpr", "check_curves", "curve_arrays", "delays_h", "responds", "rises_h", "tonne_free"]


def bpr(*, free_h: Floats, alpha: Floats, beta: Floats, capacity_trains_day: Floats) -> VolumeDelay:
    """Make delays of the form ``t0 (1 + alpha (v/c)^beta)``, one facility for each arc.

    Parameters
    ----------
    free_h
        Hours t0 without any volume.
    alpha
        Delay at capacity as a share of t0.
    beta
        How steeply the delay grows; at least 1, or 0.
    capacity_trains_day
        Capacity c.

    Returns
    -------
    VolumeDelay
        Without preload, all trains of the same length.
    """
    free = np.array(free_h, np.float64)
    return VolumeDelay(
        facility=np.arange(free.size, dtype=np.int32),
        time_h=free,
        delay_h=np.asarray(alpha, np.float64) * free,
        power=np.array(beta, np.float64) * np.ones(free.size),
        capacity_trains_day=np.array(capacity_trains_day, np.float64) * np.ones(free.size),
        preload_trains_day=np.zeros(free.size),
        train_length_factor=np.ones(free.size),
    )


def delays_h(delay: VolumeDelay, volume_trains_day: Floats) -> Floats:
    """Tell the hours of delay on each facility.

    Parameters
    ----------
    delay
        The curves.
    volume_trains_day
        Trains a day of the model on each facility, preload not counted.

    Returns
    -------
    array of float64
        Hours.
    """
    ratio = (volume_trains_day + delay.preload_trains_day) / delay.capacity_trains_day
    hours = np.asarray(delay.delay_h * ratio**delay.power, np.float64)
    if delay.curves:
        others = np.fromiter(delay.curves, np.int64)
        hours[others] = _evaluate(delay, volume_trains_day)[0][others]
    return hours


def rises_h(delay: VolumeDelay, volume_trains_day: Floats) -> Floats:
    """Tell by how many hours one more train a day would lengthen the delay on each facility.

    Parameters
    ----------
    delay
        The curves.
    volume_trains_day
        Trains a day of the model on each facility, preload not counted.

    Returns
    -------
    array of float64
        Hours by train a day.
    """
    return _evaluate(delay, volume_trains_day)[1]


def areas_h(delay: VolumeDelay, volume_trains_day: Floats) -> Floats:
    """Integrate the delay of each facility from no volume of the model to the one given.

    Parameters
    ----------
    delay
        The curves.
    volume_trains_day
        Trains a day of the model on each facility, preload not counted.

    Returns
    -------
    array of float64
        Hours times trains a day.
    """
    power = delay.power + 1.0
    before = (delay.preload_trains_day / delay.capacity_trains_day) ** power
    after = ((volume_trains_day + delay.preload_trains_day) / delay.capacity_trains_day) ** power
    limited = np.isfinite(delay.capacity_trains_day)
    capacity = np.where(limited, delay.capacity_trains_day, 0.0)
    area = delay.delay_h * np.where(limited, capacity * (after - before) / power, 0.0)
    area += np.where(~limited & (delay.power == 0.0), delay.delay_h * volume_trains_day, 0.0)
    if delay.curves:
        others = np.fromiter(delay.curves, np.int64)
        area[others] = _evaluate(delay, volume_trains_day)[2][others]
    return np.asarray(area, np.float64)


def responds(delay: VolumeDelay) -> Bools:
    """Tell which facilities grow later with volume.

    Parameters
    ----------
    delay
        The curves.

    Returns
    -------
    array of bool
        One entry a facility.
    """
    rises = (delay.delay_h > 0.0) & (delay.power > 0.0)
    for f in delay.curves:
        rises[f] = True
    return np.asarray(rises & np.isfinite(delay.capacity_trains_day))


def tonne_free(delay: VolumeDelay) -> VolumeDelay:
    """Keep all delays as they are without any volume of the model.

    Parameters
    ----------
    delay
        The curves.

    Returns
    -------
    VolumeDelay
        The same times at no volume, and no response to it; capacities stay as they are.
    """
    hours = delays_h(delay, np.zeros(delay.delay_h.size))
    return replace(
        delay, time_h=delay.time_h + np.append(hours, 0.0)[delay.facility], delay_h=np.zeros(hours.size), curves={}
    )


def check_curves(delay: VolumeDelay) -> list[str]:
    """Tell everything wrong with the curves that are no power curves.

    Parameters
    ----------
    delay
        The curves.

    Returns
    -------
    list of str
        One line a fault.
    """
    faults = []
    for f, curve in delay.curves.items():
        if not 0 <= f < delay.delay_h.size:
            faults.append(f"  curves[{f}]: wanted a facility below {delay.delay_h.size}")
        faults += [f"  curves[{f}].{fault}" for fault in _curve_faults(curve)]
    return faults


def curve_arrays(delay: VolumeDelay, rises: Bools) -> kernels.Curves:
    """Lay the curves out for the kernels; a facility that does not rise gets a delay of nothing.

    Parameters
    ----------
    delay
        The curves.
    rises
        Which facilities to keep.

    Returns
    -------
    Curves
        With one more facility at the end that is never late.
    """
    kind = np.zeros(rises.size + 1, np.int32)
    height = np.append(np.where(rises, delay.delay_h, 0.0), 0.0)
    shape = np.append(np.where(rises, delay.power, 1.0), 1.0).astype(np.float64)
    knots: dict[int, tuple[Floats, Floats, Floats, Floats]] = {}
    for f, curve in delay.curves.items():
        if not rises[f]:
            continue
        match curve:
            case Conical():
                kind[f], height[f], shape[f] = kernels.CONICAL, curve.delay_h, curve.alpha
            case Queueing():
                kind[f], height[f], shape[f] = kernels.QUEUEING, curve.service_h * curve.variation, curve.most
            case Tabulated():
                kind[f] = kernels.TABULATED
                knots[f] = _knots(curve)
    first = np.zeros(rises.size + 2, np.int64)
    for f, columns in knots.items():
        first[f + 1] = columns[0].size
    rows = [knots[f] for f in sorted(knots)]
    return kernels.Curves(
        kind,
        height,
        shape,
        np.append(delay.capacity_trains_day, 1.0).astype(np.float64),
        np.append(delay.preload_trains_day, 0.0).astype(np.float64),
        np.cumsum(first),
        *(np.concatenate([row[i] for row in rows]) if rows else np.zeros(0) for i in range(4)),
    )


def _evaluate(delay: VolumeDelay, volume: Floats) -> tuple[Floats, Floats, Floats]:
    everything = np.ones(delay.delay_h.size, np.bool_)
    hours, rise, area = np.empty((3, everything.size))
    kernels.evaluate(curve_arrays(delay, everything), np.asarray(volume, np.float64), hours, rise, area)
    return hours, rise, area


def _curve_faults(curve: Curve) -> list[str]:
    def positive(**named: float) -> list[str]:
        return [f"{name}: wanted a number > 0, got {x}" for name, x in named.items() if not 0.0 < x < np.inf]

    match curve:
        case Conical():
            faults = positive(delay_h=curve.delay_h)
            return faults if curve.alpha > 1.0 else [*faults, f"alpha: wanted a number > 1, got {curve.alpha}"]
        case Queueing():
            faults = positive(service_h=curve.service_h, variation=curve.variation)
            return faults if 0.0 < curve.most < 1.0 else [*faults, f"most: wanted a load in (0, 1), got {curve.most}"]
        case Tabulated():
            ratio, hours = np.array(curve.ratio, np.float64), np.array(curve.delay_h, np.float64)
            if ratio.size != hours.size or ratio.size < 2:
                return [f"delay_h: wanted as many hours as ratios, at least 2, got {hours.size} and {ratio.size}"]
            if not (np.isfinite(ratio).all() and (np.diff(ratio) > 0.0).all() and ratio[0] >= 0.0):
                return [f"ratio: wanted rising numbers >= 0, got {curve.ratio}"]
            if not (np.isfinite(hours).all() and (np.diff(hours) >= 0.0).all() and hours[0] >= 0.0):
                return [f"delay_h: wanted hours >= 0 that never fall, got {curve.delay_h}"]
    return []


def _knots(curve: Tabulated) -> tuple[Floats, Floats, Floats, Floats]:
    """Points, slopes at them that keep the cubic from falling, and the area up to each."""
    x, y = np.array(curve.ratio, np.float64), np.array(curve.delay_h, np.float64)
    width = np.diff(x)
    secant = np.diff(y) / width
    slope = np.append(secant, secant[-1])
    slope[0] = secant[0]
    for i in range(1, x.size - 1):
        a, b = secant[i - 1], secant[i]
        left, right = width[i - 1] + 2.0 * width[i], 2.0 * width[i - 1] + width[i]
        slope[i] = 0.0 if a * b <= 0.0 else (left + right) / (left / b + right / a)
    pieces = width * (y[:-1] + y[1:]) / 2.0 + width**2 * (slope[:-1] - slope[1:]) / 12.0
    # Before the first point the curve is constant; areas count from there, and only differences are used.
    return x, y, slope, np.append(0.0, np.cumsum(pieces))
