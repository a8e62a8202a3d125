"""Inner loops of the solvers: delays, sweeps over relations, lists of paths.

All that call each other stand in this one file: Numba's cache on disk looks only at the file of the function called.
What they solve is told in `equilibrium`, `optimum`, `queues` and `stochastic`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from numba.extending import overload

from landbridge.model.flows.records import Bools, Floats, Ints

__all__ = [
    "CONICAL",
    "POWER",
    "QUEUEING",
    "TABULATED",
    "AnyFacilities",
    "Curves",
    "Facilities",
    "Forest",
    "Longs",
    "Pairs",
    "PlainFacilities",
    "Problem",
    "Stock",
]

# Families of volume-delay curves.
POWER = 0
CONICAL = 1
QUEUEING = 2
TABULATED = 3
# A round's sweeps end after so many.
MOST_SWEEPS = 300
# After so many sweeps, what they have moved together is moved again, as far as the potential falls: relations that take
# turns on the same facilities otherwise creep towards their equilibrium. A stride costs about as much as ten sweeps.
STRIDE_EVERY = 20
# A stride's steps grow by this factor, at most so often, and are then narrowed by halving so often.
STRIDE_GROWTH = 4.0
MOST_STRETCHES = 10
HALVINGS = 4
# A stride may raise the excess so many times, since relations must be put level again after it; if it raises it more,
# what fell was only the rounding of the potential, and the stride is taken back. Of 1, 2 and 10, only 10 left none of
# the hard cases among many random networks creeping.
STRIDE_EXCESS = 10.0
# A relation with an outside option goes at most this share of the way to where one of its paths is empty.
SHORT_OF_EMPTY = 0.9
# The log of the odds between network and outside option is kept within these bounds: beyond, the smaller side is less
# than 1e-30 of the whole, which no total can feel, while the logarithms stay finite.
LOG_ODDS_BOUND = 69.0
# Shares of the whole that count as standing at that bound, exp(-69) being 1.08e-30.
AT_BOUND = 2e-30

# A trial on a curve that is no power ends when the two paths differ by less than this share of what they did.
LEVEL = 0.1
MOST_TRIALS = 20

_Function = TypeVar("_Function", bound=Callable[..., Any])
Longs = npt.NDArray[np.int64]


def _kernel(function: _Function) -> _Function:
    return cast(_Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


class Curves(NamedTuple):
    """Curves of the facilities, and of one more at the end that stands for none and is never late."""

    kind: Ints
    height: Floats  # power, conical: hours added at capacity; queueing: service hours times variation
    shape: Floats  # power; conical: alpha; queueing: highest load
    capacity: Floats
    preload: Floats
    first: Longs  # knots of each tabulated curve
    knot: Floats  # volume over capacity
    hours: Floats
    rise: Floats  # hours by ratio
    area: Floats  # integral of hours from the first knot on


class PlainFacilities(NamedTuple):
    """Facilities with power curves, felt alike by all; and one more at the end that stands for none, never late."""

    volume: Floats
    delay: Floats  # hours at the volume
    slope: Floats  # hours by which one more tonne of weight 1 makes it later
    delay_h: Floats
    power: Floats
    capacity: Floats
    preload: Floats
    share: Floats  # 1 / train length factor


class Facilities(NamedTuple):
    """Facilities with any curves, with queues before hard capacities, or where what a tonne costs others counts."""

    volume: Floats
    delay: Floats  # by row: see `burden`
    slope: Floats  # by row
    curves: Curves
    share: Floats
    social: bool  # what a tonne costs others counts as its own hours
    burden: Floats  # by row: weight over value of time, where social
    worth: Floats  # USD a year that one more hour costs all tonnes together; kept where social
    room: Floats  # trains a day above which a queue forms
    queue: Floats  # hours of queue at that volume
    stiffness: Floats  # hours of queue that one more train a day adds; 0 = no queue


AnyFacilities: TypeAlias = PlainFacilities | Facilities


class Pairs(NamedTuple):
    """Relations in the order of the trees, class before origin."""

    tonnes: Floats
    vot: Floats
    weight: Floats
    elastic: Bools
    outside_cost: Floats
    scale: Floats
    outside: Floats  # tonnes on the outside option; written
    row: Ints  # row of the delays
    rate: Floats  # what the potential gains from one USD per tonne


class Stock(NamedTuple):
    """Known paths in the order of the relations; costs split into a fixed part and the delays of some facilities."""

    first: Longs  # paths of each relation
    slot_first: Longs
    slots: Ints
    facility_first: Longs
    facilities: Ints  # those whose delay depends on volume
    fixed: Floats  # USD per tonne
    flow: Floats  # tonnes; written


class Forest(NamedTuple):
    """One least-cost tree for each origin and class."""

    source: Ints
    class_index: Ints
    slot_in: Ints
    order: Ints
    settled: Ints
    first_target: Ints
    target: Ints
    distance: Floats


class Problem(NamedTuple):
    """What stays the same from round to round; arcs by slot."""

    first_out: Ints
    tail: Ints
    head: Ints
    out_arc: Ints
    facility: Ints  # -1: none
    felt: Ints  # facility whose delay responds to volume, else the last, which is never late
    fixed_cost: Floats  # USD per tonne by class and slot
    vot: Floats
    class_row: Longs  # row of the delays for each class
    rank: Longs  # the caller's number of each relation
    pair_tree: Ints


@_kernel
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


@_kernel
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


def bends(facilities: AnyFacilities) -> bool:
    """Tell whether Newton's steps need to be watched."""
    raise NotImplementedError("for kernels only")


# Which kind of facilities is at hand is known when a kernel is compiled, so that the plain kind pays nothing for the
# other: it carries fewer arrays and its curve is a few operations.
_overload = functools.partial(overload, strict=False, jit_options={"nogil": True, "error_model": "numpy"})


def _is_plain(facilities: Any) -> bool:
    return facilities.instance_class is PlainFacilities


@_overload(respond)
def _respond(facilities: Any, f: int) -> Callable[..., None]:  # noqa: ARG001
    def plain(facilities: PlainFacilities, f: int) -> None:
        # Newton steps may leave a volume a rounding below zero; the preload is there all the same.
        ratio = (max(facilities.volume[f], 0.0) + facilities.preload[f]) / facilities.capacity[f]
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
        facilities.slope[f] = facilities.delay_h[f] * power * below / facilities.capacity[f] * facilities.share[f]

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

    return plain if _is_plain(facilities) else other


@_overload(load_on)
def _load_on(facilities: Any, f: int, trains: float, worth: float) -> Callable[..., None]:  # noqa: ARG001
    def plain(facilities: PlainFacilities, f: int, trains: float, worth: float) -> None:  # noqa: ARG001
        facilities.volume[f] += trains * facilities.share[f]

    def other(facilities: Facilities, f: int, trains: float, worth: float) -> None:
        facilities.volume[f] += trains * facilities.share[f]
        facilities.worth[f] += worth

    return plain if _is_plain(facilities) else other


@_overload(add_volume)
def _add_volume(facilities: Any, f: int, trains: float, worth: float) -> Callable[..., None]:  # noqa: ARG001
    def either(facilities: AnyFacilities, f: int, trains: float, worth: float) -> None:
        load_on(facilities, f, trains, worth)
        respond(facilities, f)

    return either


@_overload(clear)
def _clear(facilities: Any) -> Callable[..., None]:
    def plain(facilities: PlainFacilities) -> None:
        facilities.volume[:] = 0.0

    def other(facilities: Facilities) -> None:
        facilities.volume[:] = 0.0
        facilities.worth[:] = 0.0

    return plain if _is_plain(facilities) else other


@_overload(row_of)
def _row_of(values: Any, row: int) -> Callable[..., Floats]:  # noqa: ARG001
    def only(values: Floats, row: int) -> Floats:  # noqa: ARG001
        return values

    def one(values: Floats, row: int) -> Floats:
        return values[row, :]

    return only if values.ndim == 1 else one


@_overload(bends)
def _bends(facilities: Any) -> Callable[..., bool]:
    plain = _is_plain(facilities)

    def watch(facilities: AnyFacilities) -> bool:  # noqa: ARG001
        return not plain

    return watch


@_kernel
def update(facilities: AnyFacilities) -> None:
    for f in range(facilities.volume.size - 1):
        respond(facilities, f)


@_kernel
def load(pairs: Pairs, stock: Stock, facilities: AnyFacilities) -> None:
    """Volumes from path flows, without the rounding that steps have left."""
    clear(facilities)
    for r in range(pairs.tonnes.size):
        for p in range(stock.first[r], stock.first[r + 1]):
            for i in range(stock.facility_first[p], stock.facility_first[p + 1]):
                load_on(facilities, stock.facilities[i], stock.flow[p] * pairs.weight[r], stock.flow[p] * pairs.vot[r])
    for f in range(facilities.volume.size - 1):
        respond(facilities, f)


@_kernel
def preview(
    chosen: Longs,
    tonnes: Floats,
    pairs: Pairs,
    pair_tree: Ints,
    forest: Forest,
    tail: Ints,
    felt: Ints,
    facilities: AnyFacilities,
) -> None:
    """Add the volumes of some first paths before they are written down."""
    for r in chosen:
        t = pair_tree[r]
        u = forest.target[r]
        while u != forest.source[t]:
            slot = forest.slot_in[t, u]
            load_on(facilities, felt[slot], tonnes[r] * pairs.weight[r], tonnes[r] * pairs.vot[r])
            u = tail[slot]


@_kernel
def settle(pairs: Pairs, stock: Stock) -> None:
    """Make the parts of each relation add up to its tonnes; the larger side takes up the rounding."""
    for r in range(pairs.tonnes.size):
        inside = 0.0
        for p in range(stock.first[r], stock.first[r + 1]):
            inside += stock.flow[p]
        if inside <= 0.0:
            continue
        if inside < pairs.outside[r]:
            pairs.outside[r] = pairs.tonnes[r] - inside
        else:
            ratio = (pairs.tonnes[r] - pairs.outside[r]) / inside
            for p in range(stock.first[r], stock.first[r + 1]):
                stock.flow[p] *= ratio


@_kernel
def price_of(pairs: Pairs, stock: Stock, facilities: AnyFacilities, r: int, p: int) -> float:
    """Cost of a relation's path in USD per tonne."""
    delay = row_of(facilities.delay, pairs.row[r])
    hours = 0.0
    for i in range(stock.facility_first[p], stock.facility_first[p + 1]):
        hours += delay[stock.facilities[i]]
    return float(stock.fixed[p] + pairs.vot[r] * hours)


@_kernel
def appraise(
    pairs: Pairs, stock: Stock, facilities: AnyFacilities, least: Floats, best: Floats, best_path: Longs
) -> tuple[float, float]:
    """Excess over least cost and all cost; finds each relation's cheapest known path."""
    excess = 0.0
    total = 0.0
    for r in range(pairs.tonnes.size):
        best[r] = np.inf
        best_path[r] = -1
        if stock.first[r] == stock.first[r + 1]:
            if pairs.elastic[r]:  # no path: all outside
                total += pairs.tonnes[r] * max(pairs.outside_cost[r], 0.0)
            continue
        inside = 0.0
        spent = 0.0
        for p in range(stock.first[r], stock.first[r + 1]):
            price = price_of(pairs, stock, facilities, r, p)
            inside += stock.flow[p]
            spent += stock.flow[p] * price
            if price < best[r]:
                best[r] = price
                best_path[r] = p
        floor = least[r]
        total += spent
        if pairs.elastic[r]:
            outside = pairs.outside[r]
            price = pairs.outside_cost[r] + pairs.scale[r] * (np.log(outside) - np.log(inside))
            # A side that stands at its bound cannot shrink further, whatever it costs.
            if inside > AT_BOUND * pairs.tonnes[r]:
                floor = min(floor, price)
            if outside > AT_BOUND * pairs.tonnes[r]:
                excess += outside * max(price - floor, 0.0)
            total += outside * max(pairs.outside_cost[r], 0.0)
        for p in range(stock.first[r], stock.first[r + 1]):
            if stock.flow[p] > 0.0:
                excess += stock.flow[p] * (price_of(pairs, stock, facilities, r, p) - floor)
    return excess, total


@_kernel
def appraise_each(pairs: Pairs, stock: Stock, facilities: AnyFacilities, least: Floats, excess: Floats) -> None:
    """Write the excess over least cost of each relation."""
    for r in range(pairs.tonnes.size):
        excess[r] = 0.0
        if stock.first[r] == stock.first[r + 1]:
            continue
        inside = 0.0
        for p in range(stock.first[r], stock.first[r + 1]):
            inside += stock.flow[p]
        floor = least[r]
        if pairs.elastic[r]:
            price = pairs.outside_cost[r] + pairs.scale[r] * (np.log(pairs.outside[r]) - np.log(inside))
            floor = min(floor, price)
            excess[r] += pairs.outside[r] * (price - floor)
        for p in range(stock.first[r], stock.first[r + 1]):
            if stock.flow[p] > 0.0:
                excess[r] += stock.flow[p] * (price_of(pairs, stock, facilities, r, p) - floor)


@_kernel
def appraise_known(active: Ints, pairs: Pairs, stock: Stock, facilities: AnyFacilities) -> float:
    """Excess of the relations with a choice over their cheapest known alternative."""
    excess = 0.0
    for r in active:
        floor = np.inf
        inside = 0.0
        for p in range(stock.first[r], stock.first[r + 1]):
            floor = min(floor, price_of(pairs, stock, facilities, r, p))
            inside += stock.flow[p]
        if pairs.elastic[r]:
            price = pairs.outside_cost[r] + pairs.scale[r] * (np.log(pairs.outside[r]) - np.log(inside))
            floor = min(floor, price)
            excess += pairs.outside[r] * (price - floor)
        for p in range(stock.first[r], stock.first[r + 1]):
            if stock.flow[p] > 0.0:
                excess += stock.flow[p] * (price_of(pairs, stock, facilities, r, p) - floor)
    return excess


@_kernel
def sweep(
    active: Ints,
    idle: float,
    pairs: Pairs,
    stock: Stock,
    facilities: AnyFacilities,
    mark: Longs,
    stamp: Longs,
    price: Floats,
) -> tuple[float, int]:
    """One pass over the relations with a choice. Returns the excess that it met and how many relations it changed."""
    excess = 0.0
    moved = 0
    for r in active:
        first = stock.first[r]
        last = stock.first[r + 1]
        inside = 0.0
        best = first
        for p in range(first, last):
            price[p] = price_of(pairs, stock, facilities, r, p)
            inside += stock.flow[p]
            if price[p] < price[best]:
                best = p
        floor = price[best]
        mine = 0.0
        if pairs.elastic[r]:
            outside_price = pairs.outside_cost[r] + pairs.scale[r] * (np.log(pairs.outside[r]) - np.log(inside))
            floor = min(floor, outside_price)
            mine = pairs.outside[r] * (outside_price - floor)
        for p in range(first, last):
            mine += stock.flow[p] * (price[p] - floor)
        excess += mine
        if mine <= idle:
            continue
        moved += 1
        if pairs.elastic[r]:
            trade_outside(r, best, pairs, stock, facilities, price)
        if last - first > 1:
            equalise(r, best, pairs, stock, facilities, mark, stamp)
    return excess, moved


@_kernel
def level(
    active: Ints,
    allowed: float,
    idle: float,
    pairs: Pairs,
    stock: Stock,
    facilities: AnyFacilities,
    mark: Longs,
    stamp: Longs,
) -> None:
    """Sweep until the excess over the known paths is allowed; with a stride now and then."""
    price = np.empty(stock.flow.size)
    flow_before = stock.flow.copy()
    outside_before = pairs.outside.copy()
    for i in range(1, MOST_SWEEPS + 1):
        left, moved = sweep(active, idle, pairs, stock, facilities, mark, stamp, price)
        # What a sweep meets is not what it leaves behind: later relations shift what earlier ones have met.
        if moved == 0 or (left <= allowed and appraise_known(active, pairs, stock, facilities) <= allowed):
            return
        if i % STRIDE_EVERY == 0:
            stride(active, pairs, stock, facilities, flow_before, outside_before)
            flow_before[:] = stock.flow
            outside_before[:] = pairs.outside


@_kernel
def trade_outside(r: int, best: int, pairs: Pairs, stock: Stock, facilities: AnyFacilities, price: Floats) -> None:
    """Move tonnes between the outside option and one path: the cheapest gains, or the dearest loses."""
    first = stock.first[r]
    last = stock.first[r + 1]
    tonnes = pairs.tonnes[r]
    cost = pairs.outside_cost[r]
    scale = pairs.scale[r]
    for _ in range(last - first):
        inside = 0.0
        for p in range(first, last):
            inside += stock.flow[p]
        odds = np.log(inside) - np.log(pairs.outside[r])
        path = best
        if cost - scale * odds <= price[best]:
            for p in range(first, last):
                if stock.flow[p] > 0.0 and (price[p] > price[path] or stock.flow[path] <= 0.0):
                    path = p
        slope = 0.0
        slopes = row_of(facilities.slope, pairs.row[r])
        for i in range(stock.facility_first[path], stock.facility_first[path + 1]):
            slope += slopes[stock.facilities[i]]
        slope *= pairs.vot[r] * pairs.weight[r]
        odds = solve_odds(tonnes, cost, scale, price[path], slope, inside, odds)
        wanted = tonnes / (1.0 + np.exp(-odds))
        others = 0.0
        for p in range(first, last):
            if p != path:
                others += stock.flow[p]
        before = stock.flow[path]
        after = wanted - others
        if others == 0.0 or after > 0.0:
            stock.flow[path] = after
            pairs.outside[r] = tonnes / (1.0 + np.exp(odds))
        else:  # the path is empty before enough has left it: go on with the next
            stock.flow[path] = 0.0
            pairs.outside[r] += before
        change = stock.flow[path] - before
        if change != 0.0:
            trains = change * pairs.weight[r]
            worth = change * pairs.vot[r]
            for i in range(stock.facility_first[path], stock.facility_first[path + 1]):
                add_volume(facilities, stock.facilities[i], trains, worth)
        if stock.flow[path] > 0.0:
            return
        for p in range(first, last):
            price[p] = price_of(pairs, stock, facilities, r, p)
            if price[p] < price[best]:
                best = p


@_kernel
def solve_odds(
    tonnes: float, cost: float, scale: float, price: float, slope: float, inside: float, odds: float
) -> float:
    """Log of the odds at which path and outside option cost the same, the path's cost taken as a straight line.

    The left of ``price + slope * (tonnes / (1 + exp(-y)) - inside) + scale * y = cost`` rises strictly in y: Newton's
    steps, with bisection where they would leave the bracket.
    """
    low = -LOG_ODDS_BOUND
    high = LOG_ODDS_BOUND
    if price - slope * inside + scale * low >= cost:
        return low
    if price + slope * (tonnes - inside) + scale * high <= cost:
        return high
    y = min(max(odds, low), high)
    for _ in range(200):
        share = 1.0 / (1.0 + np.exp(-y))
        value = price + slope * (tonnes * share - inside) + scale * y - cost
        if value > 0.0:
            high = y
        else:
            low = y
        step = value / (slope * tonnes * share * (1.0 - share) + scale)
        new = y - step
        if not low <= new <= high:
            new = 0.5 * (low + high)
        if abs(new - y) <= 1e-15 * (1.0 + abs(y)):
            y = new
            break
        y = new
    return float(y)


@_kernel
def move(
    pairs: Pairs,
    stock: Stock,
    facilities: AnyFacilities,
    r: int,
    p: int,
    best: int,
    tonnes: float,
    mark: Longs,
    now: int,
) -> None:
    """Shift tonnes from one path to another, over the facilities that they do not share."""
    trains = tonnes * pairs.weight[r]
    worth = tonnes * pairs.vot[r]
    for i in range(stock.facility_first[p], stock.facility_first[p + 1]):
        f = stock.facilities[i]
        if mark[f] < now:
            add_volume(facilities, f, -trains, -worth)
    for i in range(stock.facility_first[best], stock.facility_first[best + 1]):
        f = stock.facilities[i]
        if mark[f] == now:
            add_volume(facilities, f, trains, worth)


@_kernel
def lateness(
    pairs: Pairs, stock: Stock, facilities: AnyFacilities, r: int, p: int, best: int, mark: Longs, now: int
) -> float:
    """Hours by which one path takes longer than another, over the facilities that they do not share."""
    delay = row_of(facilities.delay, pairs.row[r])
    hours = 0.0
    for i in range(stock.facility_first[p], stock.facility_first[p + 1]):
        f = stock.facilities[i]
        if mark[f] < now:
            hours += delay[f]
    for i in range(stock.facility_first[best], stock.facility_first[best + 1]):
        f = stock.facilities[i]
        if mark[f] == now:
            hours -= delay[f]
    return hours


@_kernel
def equalise(
    r: int, best: int, pairs: Pairs, stock: Stock, facilities: AnyFacilities, mark: Longs, stamp: Longs
) -> None:
    """Newton shifts between each used path of a relation and its cheapest, over the facilities that they do not share.

    Marks: `now` = on the cheapest path only, `now + 1` = on both.
    """
    stamp[0] += 2
    now = stamp[0]
    weight = pairs.weight[r]
    vot = pairs.vot[r]
    delays = row_of(facilities.delay, pairs.row[r])
    slopes = row_of(facilities.slope, pairs.row[r])
    best_first = stock.facility_first[best]
    best_last = stock.facility_first[best + 1]
    for i in range(best_first, best_last):
        mark[stock.facilities[i]] = now
    for p in range(stock.first[r], stock.first[r + 1]):
        flow = stock.flow[p]
        if p == best or flow <= 0.0:
            continue
        p_first = stock.facility_first[p]
        p_last = stock.facility_first[p + 1]
        hours = 0.0
        slope = 0.0
        for i in range(p_first, p_last):
            f = stock.facilities[i]
            if mark[f] == now:
                mark[f] = now + 1
            else:
                hours += delays[f]
                slope += slopes[f]
        for i in range(best_first, best_last):
            f = stock.facilities[i]
            if mark[f] == now:
                hours -= delays[f]
                slope += slopes[f]
        dearer = stock.fixed[p] - stock.fixed[best] + vot * hours
        slope *= vot * weight
        shift = 0.0  # towards the cheapest; negative when that one has meanwhile become the dearer
        if dearer > 0.0:
            shift = flow if dearer >= slope * flow else dearer / slope
        elif dearer < 0.0:
            room = stock.flow[best]
            shift = -room if -dearer >= slope * room else dearer / slope
        if shift != 0.0:
            trains = shift * weight
            worth = shift * vot
            for i in range(p_first, p_last):
                f = stock.facilities[i]
                if mark[f] < now:
                    add_volume(facilities, f, -trains, -worth)
            for i in range(best_first, best_last):
                f = stock.facilities[i]
                if mark[f] == now:
                    add_volume(facilities, f, trains, worth)
            if bends(facilities):
                shift = retried(pairs, stock, facilities, r, p, best, shift, dearer, mark, now)
            stock.flow[p] = 0.0 if shift == flow else flow - shift
            stock.flow[best] = 0.0 if shift == -stock.flow[best] else stock.flow[best] + shift
        for i in range(p_first, p_last):
            f = stock.facilities[i]
            if mark[f] == now + 1:
                mark[f] = now


@_kernel
def retried(
    pairs: Pairs,
    stock: Stock,
    facilities: AnyFacilities,
    r: int,
    p: int,
    best: int,
    shift: float,
    dearer: float,
    mark: Longs,
    now: int,
) -> float:
    """Take a shift back as far as it went too far: curves with bends would throw Newton's steps to and fro."""
    fixed = stock.fixed[p] - stock.fixed[best]
    vot = pairs.vot[r]
    left = fixed + vot * lateness(pairs, stock, facilities, r, p, best, mark, now)
    short = 0.0
    at_short = dearer
    far = shift
    at_far = left
    if left * dearer >= 0.0:
        return shift
    for _ in range(MOST_TRIALS):
        if abs(left) <= LEVEL * abs(dearer):
            break
        share = min(max(at_short / (at_short - at_far), 0.1), 0.9)
        trial = short + share * (far - short)
        move(pairs, stock, facilities, r, p, best, trial - shift, mark, now)
        shift = trial
        left = fixed + vot * lateness(pairs, stock, facilities, r, p, best, mark, now)
        if left * dearer >= 0.0:
            short = trial
            at_short = left
        else:
            far = trial
            at_far = left
    return shift


@_kernel
def stride(
    active: Ints, pairs: Pairs, stock: Stock, facilities: AnyFacilities, flow_before: Floats, outside_before: Floats
) -> None:
    """Move on in the direction from the flows before to those now; a relation stops where a path of it is empty."""
    change = stock.flow - flow_before
    outside_change = pairs.outside - outside_before
    reach = np.zeros(pairs.tonnes.size)
    for r in active:
        if pairs.rate[r] == 0.0:
            continue  # the potential does not know it
        reach[r] = np.inf
        for p in range(stock.first[r], stock.first[r + 1]):
            if change[p] < 0.0:
                reach[r] = min(reach[r], -stock.flow[p] / change[p])
        if pairs.elastic[r]:
            if outside_change[r] < 0.0:
                reach[r] = min(reach[r], -pairs.outside[r] / outside_change[r])
            reach[r] *= SHORT_OF_EMPTY
    flow = stock.flow.copy()
    outside = pairs.outside.copy()
    excess = appraise_known(active, pairs, stock, facilities)
    good = 0.0
    bad = np.inf
    step = 1.0
    stretches = 0
    halvings = 0
    while True:
        take_step(active, pairs, stock, facilities, flow, outside, change, outside_change, reach, step)
        if falls(active, pairs, stock, facilities, change, outside_change, reach, step):
            good = step
        else:
            bad = step
        if bad < np.inf:
            if halvings == HALVINGS:
                break
            halvings += 1
            step = 0.5 * (good + bad)
        else:
            if stretches == MOST_STRETCHES:
                break
            stretches += 1
            step *= STRIDE_GROWTH
    take_step(active, pairs, stock, facilities, flow, outside, change, outside_change, reach, good)
    if appraise_known(active, pairs, stock, facilities) > STRIDE_EXCESS * excess:
        take_step(active, pairs, stock, facilities, flow, outside, change, outside_change, reach, 0.0)


@_kernel
def take_step(
    active: Ints,
    pairs: Pairs,
    stock: Stock,
    facilities: AnyFacilities,
    flow: Floats,
    outside: Floats,
    change: Floats,
    outside_change: Floats,
    reach: Floats,
    step: float,
) -> None:
    """Flows and delays so many steps on from `flow` and `outside`."""
    for r in active:
        own = min(step, reach[r])
        for p in range(stock.first[r], stock.first[r + 1]):
            stock.flow[p] = max(flow[p] + own * change[p], 0.0)
        pairs.outside[r] = outside[r] + own * outside_change[r]
    load(pairs, stock, facilities)


@_kernel
def falls(
    active: Ints,
    pairs: Pairs,
    stock: Stock,
    facilities: AnyFacilities,
    change: Floats,
    outside_change: Floats,
    reach: Floats,
    step: float,
) -> bool:
    """Whether the potential still falls in the direction of the relations that have not stopped."""
    slope = 0.0
    for r in active:
        if reach[r] <= step:
            continue
        spent = 0.0
        inside = 0.0
        for p in range(stock.first[r], stock.first[r + 1]):
            inside += stock.flow[p]
            if change[p] != 0.0:
                spent += change[p] * price_of(pairs, stock, facilities, r, p)
        if pairs.elastic[r] and outside_change[r] != 0.0:
            odds = np.log(inside) - np.log(pairs.outside[r])
            spent += outside_change[r] * (pairs.outside_cost[r] - pairs.scale[r] * odds)
        slope += pairs.rate[r] * spent
    return slope < 0.0


@_kernel
def measure(
    stock: Stock,
    keeps: Bools,
    joins: Bools,
    pair_tree: Ints,
    forest: Forest,
    tail: Ints,
    felt: Ints,
    none: int,
) -> tuple[int, int, int]:
    """How many paths, slots and facilities `restock` will write."""
    paths = 0
    slots = 0
    facilities = 0
    for p in range(keeps.size):
        if keeps[p]:
            paths += 1
            slots += stock.slot_first[p + 1] - stock.slot_first[p]
            facilities += stock.facility_first[p + 1] - stock.facility_first[p]
    for r in range(joins.size):
        if joins[r]:
            paths += 1
            t = pair_tree[r]
            u = forest.target[r]
            while u != forest.source[t]:
                slot = forest.slot_in[t, u]
                slots += 1
                if felt[slot] != none:
                    facilities += 1
                u = tail[slot]
    return paths, slots, facilities


@_kernel
def restock(
    old: Stock,
    new: Stock,
    keeps: Bools,
    fresh: Floats,
    pair_tree: Ints,
    forest: Forest,
    tail: Ints,
    facility: Ints,
    felt: Ints,
    fixed_cost: Floats,
    seen: Longs,
) -> tuple[int, int]:
    """Write kept and new paths, relation by relation. Returns relation and facility of a path that uses one twice."""
    none = seen.size - 1
    q = 0
    slot_end = 0
    facility_end = 0
    for r in range(fresh.size):
        for p in range(old.first[r], old.first[r + 1]):
            if not keeps[p]:
                continue
            for i in range(old.slot_first[p], old.slot_first[p + 1]):
                new.slots[slot_end] = old.slots[i]
                slot_end += 1
            for i in range(old.facility_first[p], old.facility_first[p + 1]):
                new.facilities[facility_end] = old.facilities[i]
                facility_end += 1
            new.fixed[q] = old.fixed[p]
            new.flow[q] = old.flow[p]
            q += 1
            new.slot_first[q] = slot_end
            new.facility_first[q] = facility_end
        if fresh[r] >= 0.0:
            t = pair_tree[r]
            k = forest.class_index[t]
            length = 0
            u = forest.target[r]
            while u != forest.source[t]:
                u = tail[forest.slot_in[t, u]]
                length += 1
            u = forest.target[r]
            for i in range(slot_end + length - 1, slot_end - 1, -1):
                new.slots[i] = forest.slot_in[t, u]
                u = tail[new.slots[i]]
            fixed = 0.0
            for i in range(slot_end, slot_end + length):
                slot = new.slots[i]
                fixed += fixed_cost[k, slot]
                f = facility[slot]
                if f >= 0:
                    if seen[f] == q:
                        return r, f
                    seen[f] = q
                if felt[slot] != none:
                    new.facilities[facility_end] = felt[slot]
                    facility_end += 1
            slot_end += length
            new.fixed[q] = fixed
            new.flow[q] = fresh[r]
            q += 1
            new.slot_first[q] = slot_end
            new.facility_first[q] = facility_end
        new.first[r + 1] = q
    return -1, -1


@_kernel
def trace(r: int, pair_tree: Ints, forest: Forest, tail: Ints) -> Ints:
    """Slots of a relation's least-cost path, in order of travel."""
    t = pair_tree[r]
    length = 0
    u = forest.target[r]
    while u != forest.source[t]:
        u = tail[forest.slot_in[t, u]]
        length += 1
    slots = np.empty(length, np.int32)
    u = forest.target[r]
    for i in range(length - 1, -1, -1):
        slots[i] = forest.slot_in[t, u]
        u = tail[slots[i]]
    return slots


@_kernel
def clear_volumes(facilities: AnyFacilities) -> None:
    """Take all volumes away, and bring delays and slopes up to that."""
    clear(facilities)
    update(facilities)


@_kernel
def path_sizes(stock: Stock, pair_class: Longs, length: Floats, log_size: Floats) -> None:
    """Log of the path size of each known path; `length` by class and slot."""
    users = np.zeros(length.shape[1], np.int64)
    for r in range(pair_class.size):
        first = stock.slot_first[stock.first[r]]
        last = stock.slot_first[stock.first[r + 1]]
        for i in range(first, last):
            users[stock.slots[i]] += 1
        k = pair_class[r]
        for p in range(stock.first[r], stock.first[r + 1]):
            whole = 0.0
            alone = 0.0
            for i in range(stock.slot_first[p], stock.slot_first[p + 1]):
                slot = stock.slots[i]
                whole += length[k, slot]
                alone += length[k, slot] / users[slot]
            log_size[p] = np.log(alone / whole) if whole > 0.0 else 0.0
        for i in range(first, last):
            users[stock.slots[i]] = 0


@_kernel
def dispersion_residual(
    pairs: Pairs, stock: Stock, facilities: AnyFacilities, spread: Floats, log_size: Floats, composite: Floats
) -> float:
    """Tonnes that are not where the choice model would put them at their costs, as a share of all; composite costs."""
    astray = 0.0
    total = 0.0
    for r in range(pairs.tonnes.size):
        first = stock.first[r]
        last = stock.first[r + 1]
        total += pairs.tonnes[r]
        if first == last:
            continue
        least = np.inf
        for p in range(first, last):
            least = min(least, price_of(pairs, stock, facilities, r, p) - spread[r] * log_size[p])
        mass = 0.0
        for p in range(first, last):
            price = price_of(pairs, stock, facilities, r, p) - spread[r] * log_size[p]
            mass += np.exp((least - price) / spread[r])
        composite[r] = least - spread[r] * np.log(mass)
        wanted = pairs.tonnes[r]
        if pairs.elastic[r]:
            odds = (pairs.outside_cost[r] - composite[r]) / pairs.scale[r]
            odds = min(max(odds, -LOG_ODDS_BOUND), LOG_ODDS_BOUND)
            wanted = pairs.tonnes[r] / (1.0 + np.exp(-odds))
            astray += abs(pairs.outside[r] - pairs.tonnes[r] / (1.0 + np.exp(odds)))
        for p in range(first, last):
            price = price_of(pairs, stock, facilities, r, p) - spread[r] * log_size[p]
            astray += abs(stock.flow[p] - wanted * np.exp((least - price) / spread[r]) / mass)
    return float(astray / total) if total > 0.0 else 0.0


@_kernel
def disperse(
    pairs: Pairs,
    stock: Stock,
    facilities: AnyFacilities,
    spread: Floats,
    log_size: Floats,
    residual: float,
    most_sweeps: int,
    composite: Floats,
) -> None:
    """Sweep until tonnes are where the choice model puts them, to within the residual."""
    mark = np.zeros(facilities.volume.size, np.int64)
    used = np.zeros(facilities.volume.size)
    now = 0
    for i in range(most_sweeps):
        if i % 2 == 0 and dispersion_residual(pairs, stock, facilities, spread, log_size, composite) <= 0.5 * residual:
            return
        for r in range(pairs.tonnes.size):
            count = stock.first[r + 1] - stock.first[r]
            if count == 0 or pairs.tonnes[r] <= 0.0:
                continue
            if count > 1:
                now += 2
                disperse_one(r, pairs, stock, facilities, spread, log_size, mark, now)
            if pairs.elastic[r]:
                disperse_outside(r, pairs, stock, facilities, spread, log_size, used)


@_kernel
def disperse_one(
    r: int,
    pairs: Pairs,
    stock: Stock,
    facilities: AnyFacilities,
    spread: Floats,
    log_size: Floats,
    mark: Longs,
    now: int,
) -> None:
    """Level each path of a relation with its most used one. Marks as in `equalise`."""
    vot = pairs.vot[r]
    scale = spread[r]
    slopes = row_of(facilities.slope, pairs.row[r])
    best = stock.first[r]
    for p in range(stock.first[r], stock.first[r + 1]):
        if stock.flow[p] > stock.flow[best]:
            best = p
    best_first = stock.facility_first[best]
    best_last = stock.facility_first[best + 1]
    for i in range(best_first, best_last):
        mark[stock.facilities[i]] = now
    for p in range(stock.first[r], stock.first[r + 1]):
        if p == best:
            continue
        slope = 0.0
        for i in range(stock.facility_first[p], stock.facility_first[p + 1]):
            f = stock.facilities[i]
            if mark[f] == now:
                mark[f] = now + 1
            else:
                slope += slopes[f]
        for i in range(best_first, best_last):
            f = stock.facilities[i]
            if mark[f] == now:
                slope += slopes[f]
        slope *= vot * pairs.weight[r]
        fixed = stock.fixed[p] - stock.fixed[best]
        dearer = fixed + vot * lateness(pairs, stock, facilities, r, p, best, mark, now)
        both = stock.flow[p] + stock.flow[best]
        aim = scale * (log_size[p] - log_size[best])
        before = stock.flow[p]
        odds = np.log(before) - np.log(stock.flow[best])
        odds_before = odds
        off = dearer + scale * odds - aim
        odds = solve_odds(both, aim, scale, dearer, slope, before, odds)
        for _ in range(MOST_TRIALS):
            after = both / (1.0 + np.exp(-odds))
            move(pairs, stock, facilities, r, p, best, stock.flow[p] - after, mark, now)
            stock.flow[p] = after
            stock.flow[best] = both / (1.0 + np.exp(odds))
            left = fixed + vot * lateness(pairs, stock, facilities, r, p, best, mark, now) + scale * odds - aim
            if left * off >= 0.0 or abs(left) <= 0.5 * abs(off):
                break
            odds = 0.5 * (odds_before + odds)
        for i in range(stock.facility_first[p], stock.facility_first[p + 1]):
            f = stock.facilities[i]
            if mark[f] == now + 1:
                mark[f] = now


@_kernel
def disperse_outside(
    r: int, pairs: Pairs, stock: Stock, facilities: AnyFacilities, spread: Floats, log_size: Floats, used: Floats
) -> None:
    """Level a relation's network as a whole with its outside option; shares of the paths stay."""
    slopes = row_of(facilities.slope, pairs.row[r])
    inside = 0.0
    for p in range(stock.first[r], stock.first[r + 1]):
        inside += stock.flow[p]
    price = 0.0
    slope = 0.0
    for p in range(stock.first[r], stock.first[r + 1]):
        share = stock.flow[p] / inside
        if share > 0.0:
            price += share * (price_of(pairs, stock, facilities, r, p) + spread[r] * (np.log(share) - log_size[p]))
        for i in range(stock.facility_first[p], stock.facility_first[p + 1]):
            used[stock.facilities[i]] += share
    for p in range(stock.first[r], stock.first[r + 1]):
        for i in range(stock.facility_first[p], stock.facility_first[p + 1]):
            f = stock.facilities[i]
            slope += slopes[f] * used[f] * used[f]
            used[f] = 0.0
    slope *= pairs.vot[r] * pairs.weight[r]
    tonnes = pairs.tonnes[r]
    scale = pairs.scale[r]
    cost = pairs.outside_cost[r]
    odds = np.log(inside) - np.log(pairs.outside[r])
    odds_before = odds
    off = price + scale * odds - cost
    odds = solve_odds(tonnes, cost, scale, price, slope, inside, odds)
    for _ in range(MOST_TRIALS):
        after = tonnes / (1.0 + np.exp(-odds))
        price = 0.0
        for p in range(stock.first[r], stock.first[r + 1]):
            flow = stock.flow[p]
            stock.flow[p] = flow * (after / inside)  # never below zero by rounding
            change = stock.flow[p] - flow
            for i in range(stock.facility_first[p], stock.facility_first[p + 1]):
                add_volume(facilities, stock.facilities[i], change * pairs.weight[r], change * pairs.vot[r])
        inside = after
        pairs.outside[r] = tonnes / (1.0 + np.exp(odds))
        for p in range(stock.first[r], stock.first[r + 1]):
            share = stock.flow[p] / inside
            if share > 0.0:
                price += share * (price_of(pairs, stock, facilities, r, p) + spread[r] * (np.log(share) - log_size[p]))
        left = price + scale * odds - cost
        if left * off >= 0.0 or abs(left) <= 0.5 * abs(off):
            return
        odds = 0.5 * (odds_before + odds)
