"""Sweeps over relations with a choice that move tonnes to their cheapest alternative; see `equilibrium`."""

from __future__ import annotations

import numpy as np

from landbridge.model.flows.kernels.compiled import inner, kernel
from landbridge.model.flows.kernels.facilities import add_volume, copy_into, load_on, row_of, update, worth_of
from landbridge.model.flows.kernels.known import outside_price, price_of, renew, solve_odds
from landbridge.model.flows.kernels.layout import AnyFacilities, Longs, Pairs, Rivals, Stock
from landbridge.model.flows.kernels.trials import watched
from landbridge.model.flows.records import Floats, Ints

__all__ = [
    "HALVINGS",
    "LONGEST_SLEEP",
    "MOST_PATIENCE",
    "MOST_STRETCHES",
    "MOST_SWEEPS",
    "SHORT_OF_EMPTY",
    "STRIDE_EVERY",
    "STRIDE_EXCESS",
    "STRIDE_GROWTH",
    "STRIDE_OVER",
    "appraise_each",
    "appraise_rivals",
    "equalise",
    "falls",
    "level",
    "price_shared",
    "put_on",
    "rivals_of",
    "stride",
    "sweep",
    "take_step",
    "trade_outside",
]

# A round's sweeps end after so many.
MOST_SWEEPS = 100


# After so many sweeps, what the last few have moved together is moved again, as far as the potential falls: relations
# that take turns on the same facilities otherwise creep towards their equilibrium. What earlier sweeps have moved would
# point elsewhere. A stride costs about as much as ten sweeps.
STRIDE_EVERY, STRIDE_OVER = 20, 5


# A look at what a sweep has left costs about as much as a sweep: after one in vain the next is so many sweeps away,
# twice as many each time, up to so many.
MOST_PATIENCE = 8


# A stride's steps grow by this factor, at most so often, and are then narrowed by halving so often.
STRIDE_GROWTH = 4.0


MOST_STRETCHES = 10


HALVINGS = 4


# A stride may raise the excess so many times, since relations must be put level again after it; if it raises it more,
# what fell was only the rounding of the potential, and the stride is taken back. Of 1, 2 and 10, only 10 left none of
# the hard cases among many random networks creeping.
STRIDE_EXCESS = 10.0


# A relation that has nothing to gain is passed over in the next sweeps: once, then twice, and so on up to so often.
LONGEST_SLEEP = 8


# A relation with an outside option goes at most this share of the way to where one of its paths is empty.
SHORT_OF_EMPTY = 0.9


@kernel
def rivals_of(active: Ints, pairs: Pairs, stock: Stock, facilities: AnyFacilities) -> Rivals:
    """Lay out the paths of relations with a choice side by side."""
    # STEP 1: which facilities do all paths of a relation share?
    paths = 0
    entries = 0
    for r in active:
        paths += stock.first[r + 1] - stock.first[r]
        for p in range(stock.first[r], stock.first[r + 1]):
            entries += stock.facility_last[p] - stock.facility_first[p]
    first = np.zeros(active.size + 1, np.int64)
    path = np.empty(paths, np.int64)
    fixed = np.empty(paths)
    flow = np.empty(paths)
    facility_first = np.zeros(paths + 1, np.int64)
    own = np.empty(entries, np.uint32)
    shared_first = np.zeros(active.size + 1, np.int64)
    shared = np.empty(entries, np.uint32)
    users = np.zeros(facilities.volume.size, np.int64)
    q = 0
    end = 0
    shared_end = 0
    for c in range(active.size):
        r = active[c]
        count = stock.first[r + 1] - stock.first[r]
        for p in range(stock.first[r], stock.first[r + 1]):
            for i in range(stock.facility_first[p], stock.facility_last[p]):
                users[stock.facilities[i]] += 1
        for p in range(stock.first[r], stock.first[r + 1]):
            for i in range(stock.facility_first[p], stock.facility_last[p]):
                f = stock.facilities[i]
                if users[f] < count:
                    own[end] = f
                    end += 1
                elif pairs.elastic[r] and p == stock.first[r]:
                    shared[shared_end] = f
                    shared_end += 1
            path[q] = p
            fixed[q] = stock.fixed[p]
            flow[q] = stock.flow[p]
            q += 1
            facility_first[q] = end
        for p in range(stock.first[r], stock.first[r + 1]):
            for i in range(stock.facility_first[p], stock.facility_last[p]):
                users[stock.facilities[i]] = 0
        first[c + 1] = q
        shared_first[c + 1] = shared_end
    rivals = Rivals(
        active,
        first,
        path,
        facility_first[:-1].copy(),
        facility_first[1:].copy(),
        own[:end].copy(),
        shared_first,
        shared[:shared_end].copy(),
        fixed,
        flow,
        facilities.volume.copy(),
        worth_of(facilities).copy(),
    )
    # STEP 2: what do all other tonnes put on the facilities?
    put_on(pairs, rivals, facilities, -1.0)
    copy_into(rivals.volume, facilities.volume)
    copy_into(rivals.worth, worth_of(facilities))
    put_on(pairs, rivals, facilities, 1.0)
    return rivals


@inner
def put_on(pairs: Pairs, rivals: Rivals, facilities: AnyFacilities, sign: float) -> None:
    """Add what the rivals carry to the volumes, or take it away."""
    for c in range(rivals.relation.size):
        r = rivals.relation[c]
        inside = 0.0
        for p in range(rivals.first[c], rivals.first[c + 1]):
            tonnes = sign * rivals.flow[p]
            inside += tonnes
            for i in range(rivals.facility_first[p], rivals.facility_last[p]):
                load_on(facilities, rivals.facilities[i], tonnes * pairs.weight[r], tonnes * pairs.vot[r])
        for i in range(rivals.shared_first[c], rivals.shared_first[c + 1]):
            load_on(facilities, rivals.shared[i], inside * pairs.weight[r], inside * pairs.vot[r])


@inner
def price_shared(pairs: Pairs, rivals: Rivals, facilities: AnyFacilities, c: int, r: int) -> float:
    """USD per tonne for the facilities that all paths of a relation share."""
    delay = row_of(facilities.delay, pairs.row[r])
    hours = 0.0
    for i in range(rivals.shared_first[c], rivals.shared_first[c + 1]):
        hours += delay[rivals.shared[i]]
    return float(pairs.vot[r] * hours)


@kernel
def appraise_rivals(pairs: Pairs, rivals: Rivals, facilities: AnyFacilities) -> float:
    """Excess of the relations with a choice over their cheapest known alternative."""
    return float(appraise_each(pairs, rivals, facilities, np.empty(rivals.relation.size)))


@inner
def appraise_each(pairs: Pairs, rivals: Rivals, facilities: AnyFacilities, own: Floats) -> float:
    """Excess of each relation with a choice over its cheapest known alternative; all of it."""
    excess = 0.0
    for c in range(rivals.relation.size):
        r = rivals.relation[c]
        first = rivals.first[c]
        last = rivals.first[c + 1]
        common = price_shared(pairs, rivals, facilities, c, r)
        floor = np.inf
        inside = 0.0
        spent = 0.0
        for p in range(first, last):
            price = common + price_of(pairs, rivals, facilities, r, p)
            floor = min(floor, price)
            inside += rivals.flow[p]
        if pairs.elastic[r]:
            price = outside_price(pairs, r, inside)
            floor = min(floor, price)
            spent = pairs.outside[r] * (price - floor)
        for p in range(first, last):
            if rivals.flow[p] > 0.0:
                spent += rivals.flow[p] * (common + price_of(pairs, rivals, facilities, r, p) - floor)
        own[c] = spent
        excess += spent
    return excess


@kernel
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
    """Sweep until the excess over the known paths is allowed, with a stride now and then; leave no rounding behind."""
    rivals = rivals_of(active, pairs, stock, facilities)
    price = np.empty(rivals.flow.size)
    due = np.zeros(active.size, np.int64)
    quiet = np.zeros(active.size, np.int64)
    own = np.empty(active.size)
    next_look = 0
    patience = 1
    flow_before = np.empty(rivals.flow.size)
    outside_before = np.empty(pairs.outside.size)
    for i in range(1, MOST_SWEEPS + 1):
        left, moved, asleep = sweep(i, idle, pairs, rivals, facilities, mark, stamp, price, due, quiet)
        if moved == 0 and asleep == 0:
            break
        # What a sweep meets is not what it leaves behind: later relations shift what earlier ones have met.
        if left <= allowed and i >= next_look:
            if appraise_each(pairs, rivals, facilities, own) <= allowed:
                break
            patience = min(2 * patience, MOST_PATIENCE)
            next_look = i + patience
            for c in range(active.size):  # those that others have disturbed meanwhile wake
                if own[c] > idle:
                    due[c] = 0
                    quiet[c] = 0
        if i % STRIDE_EVERY == STRIDE_EVERY - STRIDE_OVER:
            copy_into(flow_before, rivals.flow)
            copy_into(outside_before, pairs.outside)
        if i % STRIDE_EVERY == 0:
            stride(pairs, rivals, facilities, flow_before, outside_before)
            due[:] = 0
            quiet[:] = 0
    for q in range(rivals.path.size):
        stock.flow[rivals.path[q]] = rivals.flow[q]
    renew(pairs, stock, facilities)


@inner
def sweep(
    i: int,
    idle: float,
    pairs: Pairs,
    rivals: Rivals,
    facilities: AnyFacilities,
    mark: Longs,
    stamp: Longs,
    price: Floats,
    due: Longs,
    quiet: Longs,
) -> tuple[float, int, int]:
    """One pass over the relations that are due.

    Returns the excess that it met, how many relations it changed, and how many it passed over.
    """
    excess = 0.0
    moved = 0
    asleep = 0
    for c in range(rivals.relation.size):
        if due[c] > i:
            asleep += 1
            continue
        r = rivals.relation[c]
        first = rivals.first[c]
        last = rivals.first[c + 1]
        inside = 0.0
        best = first
        common = price_shared(pairs, rivals, facilities, c, r)
        for p in range(first, last):
            price[p] = common + price_of(pairs, rivals, facilities, r, p)
            inside += rivals.flow[p]
            if price[p] < price[best]:
                best = p
        floor = price[best]
        mine = 0.0
        if pairs.elastic[r]:
            cost = outside_price(pairs, r, inside)
            floor = min(floor, cost)
            mine = pairs.outside[r] * (cost - floor)
        for p in range(first, last):
            mine += rivals.flow[p] * (price[p] - floor)
        excess += mine
        if mine <= idle:
            due[c] = i + 1 + min(quiet[c], LONGEST_SLEEP)
            quiet[c] += 1
            continue
        quiet[c] = 0
        moved += 1
        if pairs.elastic[r]:
            trade_outside(c, r, best, pairs, rivals, facilities, price)
        if last - first > 1:
            equalise(r, first, last, best, pairs, rivals, facilities, mark, stamp)
    return excess, moved, asleep


@inner
def trade_outside(
    c: int, r: int, best: int, pairs: Pairs, rivals: Rivals, facilities: AnyFacilities, price: Floats
) -> None:
    """Move tonnes between the outside option and one path: the cheapest gains, or the dearest loses."""
    first = rivals.first[c]
    last = rivals.first[c + 1]
    tonnes = pairs.tonnes[r]
    cost = pairs.outside_cost[r]
    scale = pairs.scale[r]
    slopes = row_of(facilities.slope, pairs.row[r])
    for _ in range(last - first):
        inside = 0.0
        for p in range(first, last):
            inside += rivals.flow[p]
        odds = np.log(inside) - np.log(pairs.outside[r])
        path = best
        if cost - scale * odds <= price[best]:
            for p in range(first, last):
                if rivals.flow[p] > 0.0 and (price[p] > price[path] or rivals.flow[path] <= 0.0):
                    path = p
        slope = 0.0
        for i in range(rivals.shared_first[c], rivals.shared_first[c + 1]):
            slope += slopes[rivals.shared[i]]
        for i in range(rivals.facility_first[path], rivals.facility_last[path]):
            slope += slopes[rivals.facilities[i]]
        slope *= pairs.vot[r] * pairs.weight[r]
        odds = solve_odds(tonnes, cost, scale, price[path], slope, inside, odds)
        wanted = tonnes / (1.0 + np.exp(-odds))
        others = 0.0
        for p in range(first, last):
            if p != path:
                others += rivals.flow[p]
        before = rivals.flow[path]
        after = wanted - others
        if others == 0.0 or after > 0.0:
            rivals.flow[path] = after
            pairs.outside[r] = tonnes / (1.0 + np.exp(odds))
        else:  # the path is empty before enough has left it: go on with the next
            rivals.flow[path] = 0.0
            pairs.outside[r] += before
        change = rivals.flow[path] - before
        if change != 0.0:
            trains = change * pairs.weight[r]
            worth = change * pairs.vot[r]
            for i in range(rivals.shared_first[c], rivals.shared_first[c + 1]):
                add_volume(facilities, rivals.shared[i], trains, worth)
            for i in range(rivals.facility_first[path], rivals.facility_last[path]):
                add_volume(facilities, rivals.facilities[i], trains, worth)
        if rivals.flow[path] > 0.0:
            return
        common = price_shared(pairs, rivals, facilities, c, r)
        for p in range(first, last):
            price[p] = common + price_of(pairs, rivals, facilities, r, p)
            if price[p] < price[best]:
                best = p


@inner
def equalise(
    r: int,
    first: int,
    last: int,
    best: int,
    pairs: Pairs,
    rivals: Rivals,
    facilities: AnyFacilities,
    mark: Longs,
    stamp: Longs,
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
    best_first = np.uint64(rivals.facility_first[best])
    best_last = np.uint64(rivals.facility_last[best])
    for i in range(best_first, best_last):
        mark[rivals.facilities[i]] = now
    for p in range(first, last):
        flow = rivals.flow[p]
        if p == best or flow <= 0.0:
            continue
        p_first = np.uint64(rivals.facility_first[p])
        p_last = np.uint64(rivals.facility_last[p])
        hours = 0.0
        slope = 0.0
        for i in range(p_first, p_last):
            f = rivals.facilities[i]
            if mark[f] == now:
                mark[f] = now + 1
            else:
                hours += delays[f]
                slope += slopes[f]
        for i in range(best_first, best_last):
            f = rivals.facilities[i]
            if mark[f] == now:
                hours -= delays[f]
                slope += slopes[f]
        dearer = rivals.fixed[p] - rivals.fixed[best] + vot * hours
        slope *= vot * weight
        shift = 0.0  # towards the cheapest; negative when that one has meanwhile become the dearer
        if dearer > 0.0:
            shift = flow if dearer >= slope * flow else dearer / slope
        elif dearer < 0.0:
            room = rivals.flow[best]
            shift = -room if -dearer >= slope * room else dearer / slope
        if shift != 0.0:
            trains = shift * weight
            worth = shift * vot
            for i in range(p_first, p_last):
                f = rivals.facilities[i]
                if mark[f] < now:
                    add_volume(facilities, f, -trains, -worth)
            for i in range(best_first, best_last):
                f = rivals.facilities[i]
                if mark[f] == now:
                    add_volume(facilities, f, trains, worth)
            shift = watched(pairs, rivals, facilities, r, p, best, shift, dearer, mark, now)
            rivals.flow[p] = 0.0 if shift == flow else flow - shift
            rivals.flow[best] = 0.0 if shift == -rivals.flow[best] else rivals.flow[best] + shift
        for i in range(p_first, p_last):
            f = rivals.facilities[i]
            if mark[f] == now + 1:
                mark[f] = now


@inner
def stride(
    pairs: Pairs, rivals: Rivals, facilities: AnyFacilities, flow_before: Floats, outside_before: Floats
) -> None:
    """Move on in the direction from the flows before to those now; a relation stops where a path of it is empty."""
    change = rivals.flow - flow_before
    outside_change = pairs.outside - outside_before
    reach = np.zeros(rivals.relation.size)
    for c in range(rivals.relation.size):
        r = rivals.relation[c]
        if pairs.rate[r] == 0.0:
            continue  # the potential does not know it
        reach[c] = np.inf
        for p in range(rivals.first[c], rivals.first[c + 1]):
            if change[p] < 0.0:
                reach[c] = min(reach[c], -rivals.flow[p] / change[p])
        if pairs.elastic[r]:
            if outside_change[r] < 0.0:
                reach[c] = min(reach[c], -pairs.outside[r] / outside_change[r])
            reach[c] *= SHORT_OF_EMPTY
    flow = rivals.flow.copy()
    outside = pairs.outside.copy()
    excess = appraise_rivals(pairs, rivals, facilities)
    good = 0.0
    bad = np.inf
    step = 1.0
    stretches = 0
    halvings = 0
    while True:
        take_step(pairs, rivals, facilities, flow, outside, change, outside_change, reach, step)
        if falls(pairs, rivals, facilities, change, outside_change, reach, step):
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
    take_step(pairs, rivals, facilities, flow, outside, change, outside_change, reach, good)
    if appraise_rivals(pairs, rivals, facilities) > STRIDE_EXCESS * excess:
        take_step(pairs, rivals, facilities, flow, outside, change, outside_change, reach, 0.0)


@inner
def take_step(
    pairs: Pairs,
    rivals: Rivals,
    facilities: AnyFacilities,
    flow: Floats,
    outside: Floats,
    change: Floats,
    outside_change: Floats,
    reach: Floats,
    step: float,
) -> None:
    """Flows and delays so many steps on from `flow` and `outside`."""
    for c in range(rivals.relation.size):
        r = rivals.relation[c]
        own = min(step, reach[c])
        for p in range(rivals.first[c], rivals.first[c + 1]):
            rivals.flow[p] = max(flow[p] + own * change[p], 0.0)
        pairs.outside[r] = outside[r] + own * outside_change[r]
    copy_into(facilities.volume, rivals.volume)
    copy_into(worth_of(facilities), rivals.worth)
    put_on(pairs, rivals, facilities, 1.0)
    update(facilities)


@inner
def falls(
    pairs: Pairs,
    rivals: Rivals,
    facilities: AnyFacilities,
    change: Floats,
    outside_change: Floats,
    reach: Floats,
    step: float,
) -> bool:
    """Whether the potential still falls in the direction of the relations that have not stopped."""
    slope = 0.0
    for c in range(rivals.relation.size):
        if reach[c] <= step:
            continue
        r = rivals.relation[c]
        common = price_shared(pairs, rivals, facilities, c, r)
        spent = 0.0
        inside = 0.0
        for p in range(rivals.first[c], rivals.first[c + 1]):
            inside += rivals.flow[p]
            if change[p] != 0.0:
                spent += change[p] * (common + price_of(pairs, rivals, facilities, r, p))
        if pairs.elastic[r] and outside_change[r] != 0.0:
            spent += outside_change[r] * outside_price(pairs, r, inside)
        slope += pairs.rate[r] * spent
    return slope < 0.0
