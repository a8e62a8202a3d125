"""Sweeps that spread tonnes as the choice model has it; see `stochastic`."""

from __future__ import annotations

import numpy as np

from landbridge.model.flows.kernels.compiled import inner, kernel
from landbridge.model.flows.kernels.facilities import add_volume, row_of
from landbridge.model.flows.kernels.known import LOG_ODDS_BOUND, lateness, move, price_of, solve_odds
from landbridge.model.flows.kernels.layout import AnyFacilities, Longs, Pairs, Stock
from landbridge.model.flows.kernels.trials import MOST_TRIALS
from landbridge.model.flows.records import Floats

__all__ = ["disperse", "disperse_one", "disperse_outside", "dispersion_residual", "path_sizes"]


@kernel
def path_sizes(stock: Stock, pair_class: Longs, length: Floats, log_size: Floats) -> None:
    """Log of the path size of each known path; `length` by class and slot."""
    users = np.zeros(length.shape[1], np.int64)
    for r in range(pair_class.size):
        k = pair_class[r]
        for p in range(stock.first[r], stock.first[r + 1]):
            for i in range(stock.slot_first[p], stock.slot_last[p]):
                users[stock.slots[i]] += 1
        for p in range(stock.first[r], stock.first[r + 1]):
            whole = 0.0
            alone = 0.0
            for i in range(stock.slot_first[p], stock.slot_last[p]):
                slot = stock.slots[i]
                whole += length[k, slot]
                alone += length[k, slot] / users[slot]
            log_size[p] = np.log(alone / whole) if whole > 0.0 else 0.0
        for p in range(stock.first[r], stock.first[r + 1]):
            for i in range(stock.slot_first[p], stock.slot_last[p]):
                users[stock.slots[i]] = 0


@kernel
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


@kernel
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


@inner
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
    best_last = stock.facility_last[best]
    for i in range(best_first, best_last):
        mark[stock.facilities[i]] = now
    for p in range(stock.first[r], stock.first[r + 1]):
        if p == best:
            continue
        slope = 0.0
        for i in range(stock.facility_first[p], stock.facility_last[p]):
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
        for i in range(stock.facility_first[p], stock.facility_last[p]):
            f = stock.facilities[i]
            if mark[f] == now + 1:
                mark[f] = now


@inner
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
        for i in range(stock.facility_first[p], stock.facility_last[p]):
            used[stock.facilities[i]] += share
    for p in range(stock.first[r], stock.first[r + 1]):
        for i in range(stock.facility_first[p], stock.facility_last[p]):
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
            for i in range(stock.facility_first[p], stock.facility_last[p]):
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
