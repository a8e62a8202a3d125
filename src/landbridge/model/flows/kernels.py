"""KDOC"""
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

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Longs = npt.NDArray[np.int64]


def _kernel(function: _Function) -> _Function:
    return cast(_Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


class Facilities(NamedTuple):
    """Facilities, and one more at the end that stands for none and is never late."""

    volume: Floats
    delay: Floats  # hours at the volume
    slope: Floats  # hours by which one more tonne of weight 1 makes it later
    delay_h: Floats
    power: Floats
    capacity: Floats
    preload: Floats
    share: Floats  # 1 / train length factor


class Pairs(NamedTuple):
    """Relations in the order of the trees, class before origin."""

    tonnes: Floats
    vot: Floats
    weight: Floats
    elastic: Bools
    outside_cost: Floats
    scale: Floats
    outside: Floats  # tonnes on the outside option; written


class Stock(NamedTuple):
    """Known paths in the order of the relations; costs split into a fixed part and the delays of some facilities."""

    first: _Longs  # paths of each relation
    slot_first: _Longs
    slots: Ints
    facility_first: _Longs
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
    rank: _Longs  # the caller's number of each relation
    pair_tree: Ints





@_kernel
def respond(facilities: Facilities, f: int) -> None:
    """Bring one facility's delay and slope up to its volume."""
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


@_kernel
def update(facilities: Facilities) -> None:
    for f in range(facilities.volume.size - 1):
        respond(facilities, f)


@_kernel
def load(pairs: Pairs, stock: Stock, facilities: Facilities) -> None:
    """Volumes from path flows, without the rounding that steps have left."""
    facilities.volume[:] = 0.0
    for r in range(pairs.tonnes.size):
        for p in range(stock.first[r], stock.first[r + 1]):
            for i in range(stock.facility_first[p], stock.facility_first[p + 1]):
                f = stock.facilities[i]
                facilities.volume[f] += stock.flow[p] * pairs.weight[r] * facilities.share[f]
    for f in range(facilities.volume.size - 1):
        respond(facilities, f)


@_kernel
def preview(
    chosen: _Longs,
    tonnes: Floats,
    weight: Floats,
    pair_tree: Ints,
    forest: Forest,
    tail: Ints,
    felt: Ints,
    facilities: Facilities,
) -> None:
    """Add the volumes of some first paths before they are written down."""
    for r in chosen:
        t = pair_tree[r]
        u = forest.target[r]
        while u != forest.source[t]:
            slot = forest.slot_in[t, u]
            f = felt[slot]
            facilities.volume[f] += tonnes[r] * weight[r] * facilities.share[f]
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
def price(stock: Stock, facilities: Facilities, p: int, vot: float) -> float:
    """Cost of a path in USD per tonne."""
    hours = 0.0
    for i in range(stock.facility_first[p], stock.facility_first[p + 1]):
        hours += facilities.delay[stock.facilities[i]]
    return float(stock.fixed[p] + vot * hours)


@_kernel
def appraise(
    pairs: Pairs, stock: Stock, facilities: Facilities, least: Floats, best: Floats, best_path: _Longs
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
            price = price(stock, facilities, p, pairs.vot[r])
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
                excess += stock.flow[p] * (price(stock, facilities, p, pairs.vot[r]) - floor)
    return excess, total


@_kernel
def appraise_known(active: Ints, pairs: Pairs, stock: Stock, facilities: Facilities) -> float:
    """Excess of the relations with a choice over their cheapest known alternative."""
    excess = 0.0
    for r in active:
        floor = np.inf
        inside = 0.0
        for p in range(stock.first[r], stock.first[r + 1]):
            floor = min(floor, price(stock, facilities, p, pairs.vot[r]))
            inside += stock.flow[p]
        if pairs.elastic[r]:
            price = pairs.outside_cost[r] + pairs.scale[r] * (np.log(pairs.outside[r]) - np.log(inside))
            floor = min(floor, price)
            excess += pairs.outside[r] * (price - floor)
        for p in range(stock.first[r], stock.first[r + 1]):
            if stock.flow[p] > 0.0:
                excess += stock.flow[p] * (price(stock, facilities, p, pairs.vot[r]) - floor)
    return excess


@_kernel
def sweep(
    active: Ints,
    idle: float,
    pairs: Pairs,
    stock: Stock,
    facilities: Facilities,
    mark: _Longs,
    stamp: _Longs,
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
            price[p] = price(stock, facilities, p, pairs.vot[r])
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
def trade_outside(r: int, best: int, pairs: Pairs, stock: Stock, facilities: Facilities, price: Floats) -> None:
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
        for i in range(stock.facility_first[path], stock.facility_first[path + 1]):
            slope += facilities.slope[stock.facilities[i]]
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
        change = (stock.flow[path] - before) * pairs.weight[r]
        if change != 0.0:
            for i in range(stock.facility_first[path], stock.facility_first[path + 1]):
                f = stock.facilities[i]
                facilities.volume[f] += change * facilities.share[f]
                respond(facilities, f)
        if stock.flow[path] > 0.0:
            return
        for p in range(first, last):
            price[p] = price(stock, facilities, p, pairs.vot[r])
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
def equalise(
    r: int, best: int, pairs: Pairs, stock: Stock, facilities: Facilities, mark: _Longs, stamp: _Longs
) -> None:
    """Newton shifts between each used path of a relation and its cheapest, over the facilities that they do not share.

    Marks: `now` = on the cheapest path only, `now + 1` = on both.
    """
    stamp[0] += 2
    now = stamp[0]
    weight = pairs.weight[r]
    vot = pairs.vot[r]
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
                hours += facilities.delay[f]
                slope += facilities.slope[f]
        for i in range(best_first, best_last):
            f = stock.facilities[i]
            if mark[f] == now:
                hours -= facilities.delay[f]
                slope += facilities.slope[f]
        dearer = stock.fixed[p] - stock.fixed[best] + vot * hours
        slope *= vot * weight
        shift = 0.0  # towards the cheapest; negative when that one has meanwhile become the dearer
        if dearer > 0.0:
            shift = flow if dearer >= slope * flow else dearer / slope
        elif dearer < 0.0:
            room = stock.flow[best]
            shift = -room if -dearer >= slope * room else dearer / slope
        if shift != 0.0:
            stock.flow[p] = 0.0 if shift == flow else flow - shift
            stock.flow[best] = 0.0 if shift == -stock.flow[best] else stock.flow[best] + shift
            change = shift * weight
            for i in range(p_first, p_last):
                f = stock.facilities[i]
                if mark[f] < now:
                    facilities.volume[f] -= change * facilities.share[f]
                    respond(facilities, f)
            for i in range(best_first, best_last):
                f = stock.facilities[i]
                if mark[f] == now:
                    facilities.volume[f] += change * facilities.share[f]
                    respond(facilities, f)
        for i in range(p_first, p_last):
            f = stock.facilities[i]
            if mark[f] == now + 1:
                mark[f] = now


@_kernel
def stride(
    active: Ints, pairs: Pairs, stock: Stock, facilities: Facilities, flow_before: Floats, outside_before: Floats
) -> None:
    """Move on in the direction from the flows before to those now; a relation stops where a path of it is empty."""
    change = stock.flow - flow_before
    outside_change = pairs.outside - outside_before
    reach = np.zeros(pairs.tonnes.size)
    for r in active:
        if pairs.weight[r] == 0.0:
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
        step(active, pairs, stock, facilities, flow, outside, change, outside_change, reach, step)
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
    step(active, pairs, stock, facilities, flow, outside, change, outside_change, reach, good)
    if appraise_known(active, pairs, stock, facilities) > STRIDE_EXCESS * excess:
        step(active, pairs, stock, facilities, flow, outside, change, outside_change, reach, 0.0)


@_kernel
def step(
    active: Ints,
    pairs: Pairs,
    stock: Stock,
    facilities: Facilities,
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
    facilities: Facilities,
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
                spent += change[p] * price(stock, facilities, p, pairs.vot[r])
        if pairs.elastic[r] and outside_change[r] != 0.0:
            odds = np.log(inside) - np.log(pairs.outside[r])
            spent += outside_change[r] * (pairs.outside_cost[r] - pairs.scale[r] * odds)
        slope += pairs.weight[r] / pairs.vot[r] * spent
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
    seen: _Longs,
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
