r"""What a closure of some days costs before anybody can change plans: wait, squeeze through elsewhere, or leave.

Problem
    Lots of cargo l with q_l tonnes a year were on paths over something that is shut for d days. Each tonne waits until
    it opens, at ``c_l + v_l h_j`` (what its path cost, and h_j hours of waiting at its bottleneck j at the value of its
    time), goes another way, at that way's cost, over facilities on which a share s of the room that is left can be
    taken up within the days, or takes its outside option. Everything else stays where it is. Lots share the room that
    is scarce at least cost, so that its price is the dual of the room: what carriers with room could ask for.
Waiting
    The more wait the longer: ``h_j = recovery(d, trains_j, capacity_j, diverted).delay_h``. Shares that wait and hours
    are brought to agree by the method of successive averages; an average of plans that fit the room fits it too.
Price
    The price of a lot is what its last tonne costs: its cheapest way with the prices of full room, at most waiting or
    the outside option.
Beside an equilibrium
    An equilibrium of the year lets cargo settle anew everywhere, as if trains and paths were there for it at once; here
    only s of the room is, and s = 0 (everybody waits or leaves) and s = 1 bracket what can happen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from landbridge.model.flows.surplus import Carriage, Program, cheapest_paths
from landbridge.model.resilience.recovery import recovery

__all__ = ["Lots", "ShortRun", "short_run"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Rounds of averaging between shares that wait and hours of waiting.
ROUNDS = 40
#: Nobody is held to wait longer than this: half a year in the mean.
MOST_DELAY_H = 24.0 * 365.0 / 2.0


@dataclass(frozen=True, eq=False)
class Lots:
    """Cargo that was on paths over what is shut: L lots, J bottlenecks.

    Parameters
    ----------
    cost_usd_t, value_of_time_usd_t_h
        What a tonne paid on its path, time included, and what an hour of waiting costs it, shape (L,).
    bottleneck
        Where each lot waits, shape (L,).
    trains_day
        Trains a day that the lots together put on each bottleneck, shape (J,).
    other_trains_day
        Trains a day there that cannot go elsewhere, shape (J,).
    capacity_trains_day
        Trains a day that it handles once it is open, shape (J,); ``inf`` = no backlog builds up.
    """

    cost_usd_t: Floats
    value_of_time_usd_t_h: Floats
    bottleneck: Ints
    trains_day: Floats
    other_trains_day: Floats
    capacity_trains_day: Floats


@dataclass(frozen=True, eq=False)
class ShortRun:
    """How lots come through, by lot, shape (L,), and by bottleneck, shape (J,).

    Parameters
    ----------
    waits, diverted, outside
        Shares of each lot's tonnes; they add up to one.
    cost_usd_t
        Mean cost of a tonne.
    price_usd_t
        What the last tonne costs.
    delay_h, backlog_trains, clearing_days
        Mean wait of a train, trains that wait when it opens, and days until they are gone.
    mismatch
        Share of the tonnes by which the last two plans of who waits still differ.
    """

    waits: Floats
    diverted: Floats
    outside: Floats
    cost_usd_t: Floats
    price_usd_t: Floats
    delay_h: Floats
    backlog_trains: Floats
    clearing_days: Floats
    mismatch: float


def short_run(carriage: Carriage, lots: Lots, barred: Bools, days: float, *, rounds: int = ROUNDS) -> ShortRun:
    """Find who waits, who goes another way and who leaves the land.

    Parameters
    ----------
    carriage
        Relations are the lots, with their tonnes and outside options (``inf`` where there is none); `room` is what can
        be taken up within the days.
    lots
        What is known of them.
    barred
        Arcs that are shut, shape (m,).
    days
        Days shut.
    rounds
        Rounds of averaging.

    Returns
    -------
    ShortRun

    Raises
    ------
    ValueError
        If the days are below zero.
    NotConverged
        If an optimum is not found.
    """
    if not days >= 0.0:
        raise ValueError(f"days: wanted at least 0, got {days}")
    count, places = carriage.tonnes_yr.size, lots.trains_day.size
    part = lots.trains_day / np.maximum(np.bincount(lots.bottleneck, carriage.tonnes_yr, places), 1e-300)
    waits, diverted, outside = np.ones(count), np.zeros(count), np.zeros(count)
    way_cost, mismatch = np.zeros(count), 0.0
    price = np.zeros(count)
    for number in range(1, rounds + 1):
        delay, _, _ = _waiting(lots, waits * carriage.tonnes_yr, part, days)
        waiting = lots.cost_usd_t + lots.value_of_time_usd_t_h * delay[lots.bottleneck]
        plan = replace(carriage, outside_usd_t=np.minimum(carriage.outside_usd_t, waiting))
        program = Program(plan, cheapest_paths(plan))
        found = program.solve(program.free_of(barred), barred[None, :], np.zeros(count, np.int64))
        relation = program.relation.values[found.path]
        tonnes = np.maximum(carriage.tonnes_yr, 1e-300)
        share = np.asarray(np.bincount(relation, found.path_tonnes_yr, count), np.float64) / tonnes
        paid = np.bincount(relation, found.path_tonnes_yr * program.cost.values[found.path], count) / tonnes
        price = np.array(plan.outside_usd_t)
        for p, r in zip(found.path.tolist(), relation.tolist(), strict=True):
            on = carriage.facility[program.arcs_of(p)]
            on = on[on >= 0]
            toll = float((carriage.load[carriage.class_index[r], on] * found.price_usd[on]).sum())
            price[r] = min(price[r], program.cost.values[p] + toll)
        stay = waiting <= carriage.outside_usd_t
        now = np.where(stay, 1.0 - share, 0.0)
        mismatch = float(np.abs(now - waits) @ carriage.tonnes_yr / max(carriage.tonnes_yr.sum(), 1e-300))
        step = 1.0 / number
        waits = waits + step * (now - waits)
        diverted = diverted + step * (share - diverted)
        outside = outside + step * (np.where(stay, 0.0, 1.0 - share) - outside)
        way_cost = way_cost + step * (paid - way_cost)
        if number > 1 and mismatch <= 1e-6:
            break
    delay, backlog, clearing = _waiting(lots, waits * carriage.tonnes_yr, part, days)
    waiting = lots.cost_usd_t + lots.value_of_time_usd_t_h * delay[lots.bottleneck]
    left = np.where(outside > 0.0, outside * np.where(outside > 0.0, carriage.outside_usd_t, 0.0), 0.0)
    cost = waits * waiting + way_cost + left
    return ShortRun(waits, diverted, outside, cost, price, delay, backlog, clearing, mismatch)


def _waiting(lots: Lots, waiting_tonnes: Floats, part: Floats, days: float) -> tuple[Floats, Floats, Floats]:
    """Mean wait, backlog and days to clear at each bottleneck, when so many tonnes of its lots wait."""
    places = lots.trains_day.size
    held = np.bincount(lots.bottleneck, waiting_tonnes, places) * part
    delay, backlog, clearing = np.zeros(places), np.zeros(places), np.zeros(places)
    for j in range(places):
        comes = float(lots.trains_day[j] + lots.other_trains_day[j])
        if comes <= 0.0:
            continue
        gone = 1.0 - float(held[j] + lots.other_trains_day[j]) / comes
        found = recovery(days, comes, float(lots.capacity_trains_day[j]), diverted=min(max(gone, 0.0), 1.0))
        delay[j] = min(found.delay_h if found.backlog_trains > 0.0 else 12.0 * days, MOST_DELAY_H)
        backlog[j], clearing[j] = found.backlog_trains, found.clearing_days
    return delay, backlog, clearing
