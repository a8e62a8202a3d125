"""Terminal delay and volume as a fixed point: curves from the simulation into the network, volumes back into the plans.

    plans at their volumes -> curve of each stream -> equilibrium -> volumes at the terminals -> plans ...

A stream of a plan stands for a change of gauge, or for a transfer between rail and ship, of the network (its
``supply``). That facility takes the stream's capacity and its delay over volume in place of the power curve; hours
without a queue stay those of the atlas, and so do the limits of the border and line beside, which the network has
itself. Other streams of the same plan keep the volumes of the round before, to the nearest `STEP` trains a day, so that
the curves of two rounds are the same as soon as the volumes are; volumes that the terminal could not bear together are
thinned in proportion to what leaves it a load of `BORNE`. From round `HALVED_FROM` on volumes move half the way.

The spread of the stay grows with volume too: what it grows by weighs in the cost as spread does on every arc (hours of
`buffer-weight` for an hour of standard deviation), and the hours that are told are without it.

Stop rule
    At the volumes found no curve is another than that they were found with, or no volume differs by more than
    `TOLERANCE` of its capacity from the one its curves were made for. Past `ROUNDS` rounds that is an error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, NotConverged
from landbridge.model import flows, terminals
from landbridge.model.flows import Tabulated
from landbridge.model.network import MODES, OPTIONS, ArcKind, Network
from landbridge.model.terminals import DelayCurve, Plan
from landbridge.study import terminal as work
from landbridge.study.solve import Prepared, Settings, Solution, assignable, equilibrium, parameter, prepare

__all__ = ["Assign", "Fixed", "Stream", "curves_of", "facilities_of", "solve_with_terminals", "summary", "with_curves"]

#: Rounds, the change of volume that counts as none (of the capacity), and the step in which plans see volumes.
ROUNDS = 12
HALVED_FROM = 4
TOLERANCE = 0.02
STEP = 0.5
# Load up to which other streams are taken as they are.
BORNE = 0.9
#: How terminals are run for a curve: short, for there are many; the same draws every time; limits are tried with more.
RUNS = work.Settings(days=45.0, replications=2, seed=0)
#: Steps of volume of such a curve.
RATIOS = (0.05, 0.35, 0.6, 0.75, 0.87, 0.95)
# A facility without a limit is not one that a terminal could fill.
NO_CURVE = 1e-9

#: Assigns what was prepared, perhaps from a solution on.
Assign: TypeAlias = Callable[[Prepared, Solution | None], Solution]

_CACHE: dict[tuple[Plan, str], DelayCurve] = {}


@dataclass(frozen=True)
class Stream:
    """A stream of a plan and the facility of the network that it stands for.

    Attributes
    ----------
    plan, stream
        Ids.
    facility
        Index.
    trains
        Trains of the network that one train of the stream makes: its TEU over those of a block train; 1 for bulk.
    """

    plan: str
    stream: str
    facility: int
    trains: float


@dataclass(frozen=True, eq=False)
class Fixed:
    """What came out of the rounds.

    Attributes
    ----------
    solution
        Equilibrium at the last curves.
    curves
        Curve of each stream, by its id.
    volumes_trains_day
        Trains a day of each stream.
    rounds, change
        Rounds made, and the greatest difference of a volume from the one that its terminal's curves were made for, as
        part of its capacity; nothing where the curves are those of the volumes found.
    past_capacity
        Streams whose volume is more than their terminal can bear.
    """

    solution: Solution
    curves: Mapping[str, DelayCurve]
    volumes_trains_day: Mapping[str, float]
    rounds: int
    change: float
    past_capacity: tuple[str, ...]


def facilities_of(tables: Tables, net: Network, plans: Mapping[str, Plan]) -> list[Stream]:
    """Find the facility of each stream that stands for something in the network.

    Parameters
    ----------
    tables
        Tables that the network was built from.
    net
        The network.
    plans
        Plans by id.

    Returns
    -------
    list of Stream
        Streams whose row of supply has no arc (the tracks are not open in this year) are left out.
    """
    places = {name: i for i, name in enumerate(net.places)}
    gauge = {row["id"]: row for row in tables["gauge_changes"].to_dicts()}
    transfer = {row["id"]: row for row in tables["terminals"].to_dicts()}
    per_train = parameter(tables, "teu-per-train")
    tail_mode = np.array([state.split(":")[0].rstrip(">") for state in net.states])[net.node_state[net.tail]]
    found = []
    for plan in plans.values():
        for s in plan.streams:
            if s.supply in gauge:
                row = gauge[s.supply]
                arcs = (net.kind == ArcKind.GAUGE) & (net.place == places.get(row["place"], -2))
                arcs &= (net.gauge_mm == row["to_mm"]) & (net.option == OPTIONS.index(row["option"]))
            elif s.supply in transfer:
                row = transfer[s.supply]
                enters = "ferry" if s.arrives != "ferry" else "rail"
                leaves = "rail" if enters == "ferry" else "ferry"
                arcs = (net.kind == ArcKind.TRANSFER) & (net.place == places.get(row["place"], -2))
                arcs &= (net.mode == MODES.index(enters)) & (tail_mode == leaves)
            else:
                continue
            arcs &= net.container if s.cargo == "container" else net.bulk
            which = net.facility[arcs]
            which = which[which >= 0]
            if not which.size:
                continue
            teu = s.units_train * s.teu_unit
            found.append(Stream(plan.id, s.id, int(which[0]), teu / per_train if s.cargo == "container" else 1.0))
    return found


def curves_of(plan: Plan, rates: Mapping[str, float], streams: list[str]) -> dict[str, DelayCurve]:
    """Return the delay curves of some streams of a plan, the others at given volumes.

    Parameters
    ----------
    plan
        The terminal.
    rates
        Trains a day of its streams; taken to the nearest `STEP`, or the one below where the terminal could not bear it.
    streams
        Which curves.

    Returns
    -------
    dict
        By stream. Equal questions are answered from memory.
    """
    answer = {}
    for name in streams:
        others = {s.id: 0.0 if s.id == name else rates.get(s.id, s.trains_day) for s in plan.streams}
        asked = terminals.without_borders(_at(plan, others))
        load = max(terminals.offered_load(asked).values(), default=0.0)
        thinner = min(1.0, BORNE / load) if load else 1.0
        for to_step in (round, math.floor):  # up a little may be too much beside what bears no more
            asked = _at(asked, {other: to_step(rate * thinner / STEP) * STEP for other, rate in others.items()})
            if max(terminals.offered_load(asked).values(), default=0.0) <= BORNE:
                break
        key = (asked, name)
        if key not in _CACHE:
            _CACHE[key] = work.delay_curve(asked, RUNS, stream=name, ratios=RATIOS)
        answer[name] = _CACHE[key]
    return answer


def _at(plan: Plan, rates: Mapping[str, float]) -> Plan:
    return replace(plan, streams=tuple(replace(s, trains_day=rates[s.id]) for s in plan.streams))


def with_curves(
    prepared: Prepared, streams: list[Stream], curves: Mapping[str, DelayCurve], *, buffer: float = 0.0
) -> Prepared:
    """Return what is to be solved with the delay of terminals in place of the power curve of their facilities.

    Parameters
    ----------
    prepared
        What could be assigned.
    streams, curves
        Whose delay.
    buffer
        Hours of certain delay that an hour of standard deviation weighs like (the weight of reliability in the cost of
        every arc). What the spread grows by with volume counts as so many hours on top of the delay.
    """
    net = prepared.network
    capacity: npt.NDArray[np.float64] = net.capacity_trains_day.copy()
    tables = dict(prepared.curves)
    for each in streams:
        curve = curves[each.stream]
        if curve.capacity_trains_day <= NO_CURVE or len(curve.ratio) < 2:
            beside = f"no capacity left beside the other streams ({curve.bottleneck})"
            raise LandbridgeError(f"terminal {each.plan}: {each.stream} has {beside}")
        capacity[each.facility] = curve.capacity_trains_day * each.trains
        ratio = curve.ratio
        delay = tuple(d + buffer * (h - curve.spread_h[0]) for d, h in zip(curve.delay_h, curve.spread_h, strict=True))
        if ratio[0] > 0:
            ratio, delay = (0.0, *ratio), (0.0, *delay)
        tables[each.facility] = Tabulated(ratio, delay)
    return replace(prepared, network=replace(net, capacity_trains_day=capacity), curves={**prepared.curves, **tables})


def _assigned(
    tables: Tables,
    prepared: Prepared,
    streams: list[Stream],
    curves: Mapping[str, DelayCurve],
    *,
    settings: Settings,
    progress: Callable[[str], None] | None,
    start: Solution | None,
) -> Solution:
    """Assign at the curves with their spread in the cost, and tell the hours without it."""
    weighed = with_curves(prepared, streams, curves, buffer=parameter(tables, "buffer-weight"))
    solution = equilibrium(tables, weighed, settings=settings, progress=progress, start=start)
    if not streams:
        return solution
    net, load = weighed.network, solution.equilibrium.facility_trains_day
    _, delay, *_ = assignable(with_curves(prepared, streams, curves))
    hours = flows.delays_h(delay, load)
    here = np.isin(net.facility, [each.facility for each in streams])
    time_h = solution.equilibrium.time_h.copy()
    time_h[here] = net.time_h[here] + hours[net.facility[here]]
    return replace(solution, equilibrium=replace(solution.equilibrium, time_h=time_h))


def solve_with_terminals(
    tables: Tables,
    *,
    year: int,
    settings: Settings,
    progress: Callable[[str], None] | None = None,
    start: Solution | None = None,
    trade: Callable[[Prepared, Assign, Solution | None], Solution] | None = None,
) -> Fixed:
    """Find an equilibrium in which terminals delay as their simulation says at the volumes that result.

    Parameters
    ----------
    tables
        After `landbridge.scenario.apply`.
    year
        The year.
    settings
        Tolerances and size.
    progress
        Called with a short text as the work goes on.
    start
        A solution to begin with, as in `landbridge.study.solve.solve`. Each round goes on from the one before.
    trade
        Where trade answers to cost: finds its fixed point at the curves of a round (`landbridge.study.answer.answer`),
        from what is prepared, how it is assigned, and where to begin. ``tables`` are then those before it answers.

    Returns
    -------
    Fixed

    Raises
    ------
    NotConverged
        If volumes and curves do not settle.
    LandbridgeError
        If a terminal has no room for a stream at all.
    """
    tell = progress or (lambda _: None)
    tell("network and demand")
    prepared = prepare(tables, year=year, settings=settings, like=start.prepared if start else None)
    plans = {name: work.plan_of(tables, name) for name in work.plan_ids(tables)}
    streams = facilities_of(tables, prepared.network, plans)
    volumes = {s.id: s.trains_day for plan in plans.values() for s in plan.streams}
    mine = {name: [each.stream for each in streams if each.plan == name] for name in plans}

    def look(at: Mapping[str, float], words: str) -> dict[str, DelayCurve]:
        curves: dict[str, DelayCurve] = {}
        for name, plan in plans.items():
            tell(f"{words}: curves of {name}")
            curves |= curves_of(plan, {s.id: at[s.id] for s in plan.streams}, mine[name])
        return curves

    curves, change = look(volumes, "round 1"), np.inf
    for number in range(1, ROUNDS + 1):
        at = curves

        def assign(what: Prepared, begin: Solution | None, at: Mapping[str, DelayCurve] = at) -> Solution:
            return _assigned(tables, what, streams, at, settings=settings, progress=progress, start=begin)

        solution = assign(prepared, start) if trade is None else trade(prepared, assign, start)
        start = solution
        load = solution.equilibrium.facility_trains_day
        found = volumes | {each.stream: float(load[each.facility]) / each.trains for each in streams}
        moved = [abs(found[s.stream] - volumes[s.stream]) / curves[s.stream].capacity_trains_day for s in streams]
        change = max(moved, default=0.0)
        after = curves if change <= TOLERANCE else look(found, f"round {number + 1}")
        if after == curves:
            past = tuple(s.stream for s in streams if found[s.stream] > curves[s.stream].capacity_trains_day)
            settled = 0.0 if change > TOLERANCE else change
            return Fixed(solution, curves, found, number, settled, past)
        if number < HALVED_FROM:
            volumes, curves = found, after
        else:
            volumes = {name: (volumes[name] + found[name]) / 2 for name in volumes}
            curves = look(volumes, f"round {number + 1}")
    raise NotConverged(f"terminal volumes still change by {change:.1%} of a capacity after {ROUNDS} rounds", change)


def summary(fixed: Fixed) -> pl.DataFrame:
    """Return one row a stream: volume, capacity, their ratio, delay and spread at the volume."""
    rows = []
    for name, curve in fixed.curves.items():
        volume = fixed.volumes_trains_day[name]
        at = curve.at(volume)
        rows.append(
            {
                "stream": name,
                "trains_day": volume,
                "capacity_trains_day": curve.capacity_trains_day,
                "use": volume / curve.capacity_trains_day,
                "stable": at is not None,
                "delay_h": None if at is None else at[0],
                "spread_h": None if at is None else at[1],
                "bottleneck": curve.bottleneck,
            }
        )
    schema = {
        "stream": pl.String, "trains_day": pl.Float64, "capacity_trains_day": pl.Float64, "use": pl.Float64,
        "stable": pl.Boolean, "delay_h": pl.Float64, "spread_h": pl.Float64, "bottleneck": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)
