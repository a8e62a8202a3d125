"""Delays of facilities, and how volumes change them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba.extending import overload

from landbridge.model.flows.kernels.compiled import inner, kernel
from landbridge.model.flows.kernels.layout import (
    CONICAL,
    POWER,
    QUEUEING,
    AnyFacilities,
    Curves,
    Facilities,
    PlainFacilities,
)
from landbridge.model.flows.records import Floats

__all__ = [
    "add_volume",
    "clear",
    "clear_volumes",
    "copy_into",
    "curve_at",
    "evaluate",
    "for_kind",
    "is_plain",
    "load_on",
    "respond",
    "row_of",
    "update",
    "worth_of",
]


@inner
def copy_into(to: Floats, values: Floats) -> None:
    """Copy item by item: an assignment to a slice compiles its error message too, which takes seconds."""
    for i in range(to.size):
        to[i] = values[i]


@inner
def curve_at(curves: Curves, f: int, ratio: float) -> tuple[float, float, float, float]:
    """Hours of delay at a ratio of volume to capacity, first and second derivative, and integral, by the ratio."""
    kind = curves.kind[f]
    height = curves.height[f]
    shape = curves.shape[f]
    if kind == POWER:
        if shape == 0.0:
            return height, 0.0, 0.0, height * ratio
        if shape == 1.0:
            return height * ratio, height, 0.0, 0.5 * height * ratio * ratio
        if ratio <= 0.0:
            return 0.0, 0.0, 2.0 * height if shape == 2.0 else 0.0, 0.0
        bend = height * shape * (shape - 1.0) * ratio ** (shape - 2.0)
        below = height * ratio ** (shape - 1.0)
        return below * ratio, shape * below, bend, below * ratio * ratio / (shape + 1.0)
    if kind == CONICAL:
        beta = (2.0 * shape - 1.0) / (2.0 * shape - 2.0)
        u = shape * (1.0 - ratio)
        root = np.sqrt(u * u + beta * beta)
        at_zero = np.sqrt(shape * shape + beta * beta)
        hours = height * (1.0 + root - u - beta)
        rise = height * shape * (1.0 - u / root)
        bend = height * shape * shape * beta * beta / (root * root * root)
        area = (shape * at_zero + beta * beta * np.arcsinh(shape / beta)) / 2.0
        area -= (u * root + beta * beta * np.arcsinh(u / beta)) / 2.0
        area = area / shape + ratio * (1.0 - beta) - shape * ratio * (1.0 - 0.5 * ratio)
        return hours, rise, bend, height * area
    if kind == QUEUEING:
        busy = min(ratio, shape)
        free = 1.0 - busy
        hours = height * busy / free
        rise = height / (free * free)
        area = -height * (busy + np.log(free))
        if ratio <= shape:
            return hours, rise, 2.0 * rise / free, area
        more = ratio - shape
        return hours + rise * more, rise, 0.0, area + (hours + 0.5 * rise * more) * more
    a = curves.first[f]
    b = curves.first[f + 1] - 1
    if ratio <= curves.knot[a]:
        return curves.hours[a], 0.0, 0.0, curves.hours[a] * (ratio - curves.knot[a])
    if ratio >= curves.knot[b]:
        more = ratio - curves.knot[b]
        rise = curves.rise[b]
        return (
            curves.hours[b] + rise * more,
            rise,
            0.0,
            curves.area[b] + (curves.hours[b] + 0.5 * rise * more) * more,
        )
    i = a + np.searchsorted(curves.knot[a : b + 1], ratio, side="right") - 1
    width = curves.knot[i + 1] - curves.knot[i]
    t = (ratio - curves.knot[i]) / width
    # Hermite's cubic: c0 + c1 t + c2 t^2 + c3 t^3
    c0 = curves.hours[i]
    c1 = curves.rise[i] * width
    total = curves.hours[i + 1] - c0
    c2 = 3.0 * total - 2.0 * c1 - curves.rise[i + 1] * width
    c3 = c1 + curves.rise[i + 1] * width - 2.0 * total
    return (
        c0 + t * (c1 + t * (c2 + t * c3)),
        max((c1 + t * (2.0 * c2 + t * 3.0 * c3)) / width, 0.0),
        (2.0 * c2 + 6.0 * c3 * t) / (width * width),
        curves.area[i] + width * t * (c0 + t * (c1 / 2.0 + t * (c2 / 3.0 + t * c3 / 4.0))),
    )


@kernel
def evaluate(curves: Curves, volume: Floats, hours: Floats, rise: Floats, area: Floats) -> None:
    """Write hours, their derivative by trains a day, and their integral from no volume of ours on."""
    for f in range(volume.size):
        ratio = (volume[f] + curves.preload[f]) / curves.capacity[f]
        found = curve_at(curves, f, ratio)
        hours[f] = found[0]
        if np.isfinite(curves.capacity[f]):
            rise[f] = found[1] / curves.capacity[f]
            before = curve_at(curves, f, curves.preload[f] / curves.capacity[f])
            area[f] = (found[3] - before[3]) * curves.capacity[f]
        else:
            rise[f] = 0.0
            area[f] = found[0] * volume[f]


def respond(facilities: AnyFacilities, f: int) -> None:
    """Bring one facility's delay and slope up to its volume."""
    raise NotImplementedError("for kernels only")


def add_volume(facilities: AnyFacilities, f: int, trains: float, worth: float) -> None:
    """Add to a facility's volume (trains of length factor 1 a day) and to what an hour on it is worth."""
    raise NotImplementedError("for kernels only")


def clear(facilities: AnyFacilities) -> None:
    """Take all volumes away."""
    raise NotImplementedError("for kernels only")


def load_on(facilities: AnyFacilities, f: int, trains: float, worth: float) -> None:
    """Add to a facility's volume without a look at its delay."""
    raise NotImplementedError("for kernels only")


def row_of(values: Floats, row: int) -> Floats:
    """Delays or slopes as a class feels them: they lie in rows only where classes feel them differently."""
    raise NotImplementedError("for kernels only")


def worth_of(facilities: AnyFacilities) -> Floats:
    """What an hour on each facility is worth, where that is kept; else nothing."""
    raise NotImplementedError("for kernels only")


# Which kind of facilities is at hand is known when a kernel is compiled, so that the plain kind pays nothing for the
# other: it carries fewer arrays and its curve is a few operations.
for_kind = functools.partial(overload, strict=False, jit_options={"nogil": True, "error_model": "numpy"})


def is_plain(facilities: Any) -> bool:
    """Whether a kernel is being compiled for power curves alone."""
    return facilities.instance_class is PlainFacilities


@for_kind(respond)
def _respond(facilities: Any, f: int) -> Callable[..., None]:  # noqa: ARG001
    def plain(facilities: PlainFacilities, f: int) -> None:
        # Newton steps may leave a volume a rounding below zero; the preload is there all the same.
        ratio = (max(facilities.volume[f], 0.0) + facilities.preload[f]) * facilities.filling[f]
        power = facilities.power[f]
        if power == 4.0:
            below = ratio * ratio * ratio
        elif power == 1.0:
            below = 1.0
        elif ratio > 0.0:
            below = ratio ** (power - 1.0)
        else:
            below = 0.0
        facilities.delay[f] = facilities.delay_h[f] * below * ratio
        facilities.slope[f] = facilities.steep[f] * below

    def other(facilities: Facilities, f: int) -> None:
        curves = facilities.curves
        ratio = (max(facilities.volume[f], 0.0) + curves.preload[f]) / curves.capacity[f]
        hours, rise, bend, _ = curve_at(curves, f, ratio)
        rise /= curves.capacity[f]
        bend /= curves.capacity[f] * curves.capacity[f]
        if facilities.stiffness[f] > 0.0:
            queue = facilities.queue[f] + facilities.stiffness[f] * (facilities.volume[f] - facilities.room[f])
            if queue > 0.0:
                hours += queue
                rise += facilities.stiffness[f]
        share = facilities.share[f]
        if facilities.social:
            worth = max(facilities.worth[f], 0.0)
            for row in range(facilities.burden.size):
                charge = facilities.burden[row] * share * worth
                facilities.delay[row, f] = hours + rise * charge
                facilities.slope[row, f] = max(share * (2.0 * rise + bend * charge), 0.0)
        else:
            facilities.delay[0, f] = hours
            facilities.slope[0, f] = rise * share

    return plain if is_plain(facilities) else other


@for_kind(load_on)
def _load_on(facilities: Any, f: int, trains: float, worth: float) -> Callable[..., None]:  # noqa: ARG001
    def plain(facilities: PlainFacilities, f: int, trains: float, worth: float) -> None:  # noqa: ARG001
        facilities.volume[f] += trains * facilities.share[f]

    def other(facilities: Facilities, f: int, trains: float, worth: float) -> None:
        facilities.volume[f] += trains * facilities.share[f]
        facilities.worth[f] += worth

    return plain if is_plain(facilities) else other


@for_kind(add_volume)
def _add_volume(facilities: Any, f: int, trains: float, worth: float) -> Callable[..., None]:  # noqa: ARG001
    def either(facilities: AnyFacilities, f: int, trains: float, worth: float) -> None:
        load_on(facilities, f, trains, worth)
        respond(facilities, f)

    return either


@for_kind(clear)
def _clear(facilities: Any) -> Callable[..., None]:
    def plain(facilities: PlainFacilities) -> None:
        facilities.volume[:] = 0.0

    def other(facilities: Facilities) -> None:
        facilities.volume[:] = 0.0
        facilities.worth[:] = 0.0

    return plain if is_plain(facilities) else other


@for_kind(row_of)
def _row_of(values: Any, row: int) -> Callable[..., Floats]:  # noqa: ARG001
    def only(values: Floats, row: int) -> Floats:  # noqa: ARG001
        return values

    def one(values: Floats, row: int) -> Floats:
        return values[row, :]

    return only if values.ndim == 1 else one


@for_kind(worth_of)
def _worth_of(facilities: Any) -> Callable[..., Floats]:
    def plain(facilities: PlainFacilities) -> Floats:
        return facilities.volume[:0]

    def other(facilities: Facilities) -> Floats:
        return facilities.worth

    return plain if is_plain(facilities) else other


@kernel
def update(facilities: AnyFacilities) -> None:
    """Bring all delays and slopes up to their volumes."""
    for f in range(facilities.volume.size - 1):
        respond(facilities, f)


@kernel
def clear_volumes(facilities: AnyFacilities) -> None:
    """Take all volumes away, and bring delays and slopes up to that."""
    clear(facilities)
    update(facilities)
