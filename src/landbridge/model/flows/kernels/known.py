"""Relations and the paths that they know: volumes, costs, the gap, and paths that come and go."""

from __future__ import annotations

import numpy as np

from landbridge.model.flows.kernels.compiled import inner, kernel
from landbridge.model.flows.kernels.facilities import add_volume, clear, load_on, respond, row_of, update
from landbridge.model.flows.kernels.layout import AnyFacilities, Longs, Pairs, Places, Problem, Rivals, Stock
from landbridge.model.flows.records import Bools, Floats, Ints
from landbridge.model.hierarchy import Arrivals

__all__ = [
    "AT_BOUND",
    "LOG_ODDS_BOUND",
    "appraise",
    "first_tonnes",
    "lateness",
    "load",
    "load_first",
    "measure",
    "move",
    "outside_price",
    "price_known",
    "price_of",
    "renew",
    "restock",
    "restore",
    "settle",
    "solve_odds",
    "worth_keeping",
]

# Shares of the whole that count as standing at that bound, exp(-69) being 1.08e-30.
AT_BOUND = 2e-30


# The log of the odds between network and outside option is kept within these bounds: beyond, the smaller side is less
# than 1e-30 of the whole, which no total can feel, while the logarithms stay finite.
LOG_ODDS_BOUND = 69.0


@kernel
def load(pairs: Pairs, stock: Stock, facilities: AnyFacilities) -> None:
    """Volumes from path flows, without the rounding that steps have left."""
    clear(facilities)
    for r in range(pairs.tonnes.size):
        for p in range(stock.first[r], stock.first[r + 1]):
            for i in range(stock.facility_first[p], stock.facility_last[p]):
                load_on(facilities, stock.facilities[i], stock.flow[p] * pairs.weight[r], stock.flow[p] * pairs.vot[r])
    for f in range(facilities.volume.size - 1):
        respond(facilities, f)


@inner
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


@kernel
def renew(pairs: Pairs, stock: Stock, facilities: AnyFacilities) -> None:
    """Take out the rounding that steps have left."""
    settle(pairs, stock)
    load(pairs, stock, facilities)


@inner
def price_of(pairs: Pairs, stock: Stock | Rivals, facilities: AnyFacilities, r: int, p: int) -> float:
    """Cost of a relation's path in USD per tonne."""
    delay = row_of(facilities.delay, pairs.row[r])
    hours = 0.0
    for i in range(np.uint64(stock.facility_first[p]), np.uint64(stock.facility_last[p])):
        hours += delay[stock.facilities[i]]
    return float(stock.fixed[p] + pairs.vot[r] * hours)


@kernel
def price_known(pairs: Pairs, stock: Stock, facilities: AnyFacilities, price: Floats, best: Floats) -> None:
    """Cost of each known path, and each relation's least (inf: none)."""
    for r in range(pairs.tonnes.size):
        best[r] = np.inf
        for p in range(stock.first[r], stock.first[r + 1]):
            price[p] = price_of(pairs, stock, facilities, r, p)
            best[r] = min(best[r], price[p])


@kernel
def appraise(pairs: Pairs, stock: Stock, price: Floats, least: Floats, excess: Floats) -> tuple[float, float]:
    """Excess of each relation over its least cost; all excess, and all cost."""
    total = 0.0
    short = 0.0
    for r in range(pairs.tonnes.size):
        excess[r] = 0.0
        if stock.first[r] == stock.first[r + 1]:
            if pairs.elastic[r]:  # no path: all outside
                total += pairs.tonnes[r] * max(pairs.outside_cost[r], 0.0)
            continue
        floor = least[r]
        if pairs.elastic[r]:
            inside = 0.0
            for p in range(stock.first[r], stock.first[r + 1]):
                inside += stock.flow[p]
            outside = pairs.outside[r]
            cost = pairs.outside_cost[r] + pairs.scale[r] * (np.log(outside) - np.log(inside))
            # A side that stands at its bound cannot shrink further, whatever it costs.
            if inside > AT_BOUND * pairs.tonnes[r]:
                floor = min(floor, cost)
            if outside > AT_BOUND * pairs.tonnes[r]:
                excess[r] += outside * max(cost - floor, 0.0)
            total += outside * max(pairs.outside_cost[r], 0.0)
        for p in range(stock.first[r], stock.first[r + 1]):
            total += stock.flow[p] * price[p]
            if stock.flow[p] > 0.0:
                excess[r] += stock.flow[p] * (price[p] - floor)
    for r in range(excess.size):
        short += excess[r]
    return short, total


@kernel
def first_tonnes(targets: Ints, pairs: Pairs, least: Floats, fresh: Floats) -> None:
    """Tonnes of some relations for their first path, at the least cost; the others stay outside."""
    for r in targets:
        fresh[r] = pairs.tonnes[r]
        pairs.outside[r] = 0.0
        if pairs.elastic[r]:
            odds = (pairs.outside_cost[r] - least[r]) / pairs.scale[r]
            odds = min(max(odds, -LOG_ODDS_BOUND), LOG_ODDS_BOUND)
            pairs.outside[r] = pairs.tonnes[r] / (1.0 + np.exp(odds))
            fresh[r] = pairs.tonnes[r] / (1.0 + np.exp(-odds))


@kernel
def load_first(arrivals: Arrivals, fresh: Floats, pairs: Pairs, felt: Places, facilities: AnyFacilities) -> None:
    """Add the tonnes of first paths to the volumes before they are written down."""
    for i in range(arrivals.target.size):
        r = arrivals.target[i]
        for j in range(arrivals.first[i], arrivals.first[i + 1]):
            load_on(facilities, felt[arrivals.slots[j]], fresh[r] * pairs.weight[r], fresh[r] * pairs.vot[r])
    update(facilities)


@kernel
def measure(kept: Bools, arrivals: Arrivals, felt: Places, none: int) -> tuple[int, int, int]:
    """How many paths `restock` will hold, and how many slots and facilities it will add."""
    facilities = 0
    for slot in arrivals.slots:
        if felt[slot] != none:
            facilities += 1
    paths = arrivals.target.size
    for p in range(kept.size):
        if kept[p]:
            paths += 1
    return paths, arrivals.slots.size, facilities


@kernel
def worth_keeping(stock: Stock, price: Floats, best: Floats, within: float, kept: Bools) -> None:
    """Mark the paths in use and those that cost no more than the cheapest known and a share of it."""
    for r in range(best.size):
        limit = best[r] + within * abs(best[r])
        for p in range(stock.first[r], stock.first[r + 1]):
            kept[p] = stock.flow[p] > 0.0 or price[p] <= limit


@kernel
def restock(
    old: Stock,
    new: Stock,
    kept: Bools,
    arrivals: Arrivals,
    fresh: Floats,
    fixed_cost: Floats,
    facility: Ints,
    felt: Places,
    pair_class: Ints,
    none: int,
) -> tuple[int, int]:
    """Write kept and new paths, relation by relation. Returns relation and facility of a path that uses one twice."""
    seen = np.full(none, -1, np.int64)
    relations = old.first.size - 1
    arrival = np.full(relations, -1, np.int64)
    for i in range(arrivals.target.size):
        arrival[arrivals.target[i]] = i
    q = 0
    slot_end = new.used[0]
    facility_end = new.used[1]
    for r in range(relations):
        for p in range(old.first[r], old.first[r + 1]):
            if kept[p]:
                new.slot_first[q] = old.slot_first[p]
                new.slot_last[q] = old.slot_last[p]
                new.facility_first[q] = old.facility_first[p]
                new.facility_last[q] = old.facility_last[p]
                new.fixed[q] = old.fixed[p]
                new.flow[q] = old.flow[p]
                q += 1
        i = arrival[r]
        if i >= 0:
            k = pair_class[r]
            fixed = 0.0
            new.slot_first[q] = slot_end
            new.facility_first[q] = facility_end
            for j in range(arrivals.first[i], arrivals.first[i + 1]):
                slot = arrivals.slots[j]
                new.slots[slot_end] = slot
                slot_end += 1
                fixed += fixed_cost[k, slot]
                f = facility[slot]
                if f >= 0:
                    if seen[f] == r:
                        return r, f
                    seen[f] = r
                if felt[slot] != none:
                    new.facilities[facility_end] = felt[slot]
                    facility_end += 1
            new.slot_last[q] = slot_end
            new.facility_last[q] = facility_end
            new.fixed[q] = fixed
            new.flow[q] = fresh[r]
            q += 1
        new.first[r + 1] = q
    new.used[0] = slot_end
    new.used[1] = facility_end
    return -1, -1


@kernel
def restore(
    order: Longs,
    pair: Longs,
    path_first: Ints,
    path_arcs: Ints,
    path_tonnes: Floats,
    origin: Ints,
    destination: Ints,
    tail: Ints,
    head: Ints,
    slot_of: Ints,
    pair_class: Ints,
    problem: Problem,
    none: int,
    stock: Stock,
) -> tuple[int, int, int]:
    """Write earlier paths that all arcs still allow, in the given order; `pair` and ends are those of the relations.

    Returns how many there are and -2, -1; or the number of a path that does not join its ends and -1, -1; or -1 with
    relation and facility of a path that uses one twice.
    """
    seen = np.full(none, -1, np.int64)
    q = 0
    for p in order:
        r = pair[p]
        k = pair_class[r]
        node = origin[r]
        fixed = 0.0
        slot_end = stock.used[0]
        facility_end = stock.used[1]
        stock.slot_first[q] = slot_end
        stock.facility_first[q] = facility_end
        twice = -1
        for i in range(path_first[p], path_first[p + 1]):
            arc = path_arcs[i]
            if tail[arc] != node:
                return p, -1, -1
            node = head[arc]
            slot = slot_of[arc]
            fixed += problem.fixed_cost[k, slot]
            stock.slots[slot_end] = slot
            slot_end += 1
            f = problem.facility[slot]
            if f >= 0:
                if seen[f] == p:
                    twice = f
                seen[f] = p
            if problem.felt[slot] != none:
                stock.facilities[facility_end] = problem.felt[slot]
                facility_end += 1
        if node != destination[r]:
            return p, -1, -1
        if fixed == np.inf:
            continue
        if twice >= 0:
            return -1, r, twice
        stock.slot_last[q] = slot_end
        stock.facility_last[q] = facility_end
        stock.fixed[q] = fixed
        stock.flow[q] = path_tonnes[p]
        stock.used[0] = slot_end
        stock.used[1] = facility_end
        stock.first[r + 1] += 1
        q += 1
    for r in range(stock.first.size - 1):
        stock.first[r + 1] += stock.first[r]
    return q, -2, -1


@inner
def outside_price(pairs: Pairs, r: int, inside: float) -> float:
    """Cost of the outside option with what its being chosen so often means."""
    return float(pairs.outside_cost[r] + pairs.scale[r] * (np.log(pairs.outside[r]) - np.log(inside)))


@inner
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


@inner
def move(
    pairs: Pairs,
    stock: Stock | Rivals,
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
    for i in range(stock.facility_first[p], stock.facility_last[p]):
        f = stock.facilities[i]
        if mark[f] < now:
            add_volume(facilities, f, -trains, -worth)
    for i in range(stock.facility_first[best], stock.facility_last[best]):
        f = stock.facilities[i]
        if mark[f] == now:
            add_volume(facilities, f, trains, worth)


@inner
def lateness(
    pairs: Pairs, stock: Stock | Rivals, facilities: AnyFacilities, r: int, p: int, best: int, mark: Longs, now: int
) -> float:
    """Hours by which one path takes longer than another, over the facilities that they do not share."""
    delay = row_of(facilities.delay, pairs.row[r])
    hours = 0.0
    for i in range(stock.facility_first[p], stock.facility_last[p]):
        f = stock.facilities[i]
        if mark[f] < now:
            hours += delay[f]
    for i in range(stock.facility_first[best], stock.facility_last[best]):
        f = stock.facilities[i]
        if mark[f] == now:
            hours -= delay[f]
    return hours
