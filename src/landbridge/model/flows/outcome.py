"""From paths in the order of the kernels to flows in the caller's, and what they are worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.model.flows import kernels
from landbridge.model.flows.curves import areas_h, delays_h
from landbridge.model.flows.kernels import Pairs, Problem, Stock
from landbridge.model.flows.records import Classes, Convergence, Floats, Flows, Principle, Relations, VolumeDelay
from landbridge.model.hierarchy import Forest
from landbridge.model.paths import Graph

__all__ = ["assemble", "beckmann", "flows_of", "relative_gap", "social_cost"]


def relative_gap(excess: float, total: float) -> float:
    """Relative gap; where nothing costs anything there is nothing to gain either."""
    if total > 0.0:
        return max(excess, 0.0) / total
    return 0.0 if excess <= 0.0 else np.inf


def flows_of(
    principle: Principle,
    problem: Problem,
    pairs: Pairs,
    forest: Forest,
    stock: Stock,
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    convergence: Convergence,
) -> Flows:
    """Back to the caller's order; without a potential."""
    count = pairs.tonnes.size
    relation = problem.rank[np.repeat(np.arange(count), np.diff(stock.first))]
    chosen = np.argsort(relation, kind="stable")
    chosen = chosen[stock.flow[chosen] > 0.0]
    path_first = np.zeros(chosen.size + 1, np.int64)
    path_arcs = np.empty(int((stock.slot_last - stock.slot_first)[chosen].sum()), np.int32)
    kernels.arcs_of(chosen, stock, problem.out_arc, path_first, path_arcs)
    cost = np.empty(count)
    cost[problem.rank] = forest.distance
    outside = np.empty(count)
    outside[problem.rank] = pairs.outside
    return assemble(
        principle,
        graph,
        delay,
        classes,
        relations,
        path_first=path_first,
        path_arcs=path_arcs,
        path_relation=relation[chosen],
        path_tonnes=stock.flow[chosen],
        outside=outside,
        cost=cost,
        convergence=convergence,
    )


def assemble(
    principle: Principle,
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    *,
    path_first: npt.NDArray[Any],
    path_arcs: npt.NDArray[Any],
    path_relation: npt.NDArray[Any],
    path_tonnes: Floats,
    outside: Floats,
    cost: Floats,
    convergence: Convergence,
) -> Flows:
    """Add up paths; relations without one go outside, or stay unserved where there is no outside option."""
    m = graph.tail.size
    k = len(classes.name)
    count = relations.tonnes_yr.size
    arc_tonnes = np.zeros((k, m))
    path_class = np.asarray(relations.class_index, np.int64)[path_relation]
    first, arcs = path_first.astype(np.int64), path_arcs.astype(np.int32)
    kernels.add_up(first, arcs, path_class, np.asarray(path_tonnes, np.float64), arc_tonnes)
    used = delay.facility >= 0
    arc_trains = np.asarray(classes.weight_trains_day_per_t_yr, np.float64) @ arc_tonnes
    loaded = np.bincount(delay.facility[used], weights=arc_trains[used], minlength=delay.delay_h.size)
    facility_trains = np.asarray(loaded / delay.train_length_factor, np.float64)
    no_path = np.isinf(cost)
    has_outside = np.isfinite(relations.outside_usd_t)
    return Flows(
        principle=principle,
        arc_tonnes_yr=arc_tonnes,
        facility_trains_day=facility_trains,
        time_h=delay.time_h + np.append(delays_h(delay, facility_trains), 0.0)[delay.facility],
        path_first=path_first.astype(np.int32),
        path_arcs=arcs,
        path_relation=path_relation.astype(np.int32),
        path_tonnes_yr=path_tonnes,
        network_tonnes_yr=np.bincount(path_relation, weights=path_tonnes, minlength=count).astype(np.float64),
        outside_tonnes_yr=np.where(no_path & has_outside, relations.tonnes_yr, outside),
        unserved_tonnes_yr=np.where(no_path & ~has_outside, relations.tonnes_yr, 0.0),
        cost_usd_t=cost,
        no_path=no_path,
        potential=np.nan,
        convergence=convergence,
    )


def beckmann(delay: VolumeDelay, classes: Classes, relations: Relations, flows: Flows) -> float:
    """The function that a user equilibrium minimises (see the top of `equilibrium`)."""
    rate = classes.weight_trains_day_per_t_yr / classes.value_of_time_usd_t_h
    value = float(delay.train_length_factor @ areas_h(delay, flows.facility_trains_day))
    value += float(rate @ _spent(delay.time_h, classes, flows))
    return value + float(rate[relations.class_index] @ _kept_out(relations, flows))


def social_cost(delay: VolumeDelay, classes: Classes, relations: Relations, flows: Flows) -> float:
    """What all tonnes cost together, in USD a year (see the top of `optimum`)."""
    time_h = delay.time_h + np.append(delays_h(delay, flows.facility_trains_day), 0.0)[delay.facility]
    return float(_spent(time_h, classes, flows).sum() + _kept_out(relations, flows).sum())


def _spent(time_h: Floats, classes: Classes, flows: Flows) -> Floats:
    """USD a year of each class on all arcs."""
    vot = np.asarray(classes.value_of_time_usd_t_h, np.float64)
    usd = np.empty(vot.size)
    money = np.ascontiguousarray(classes.money_usd_t, np.float64)
    kernels.spent(np.ascontiguousarray(flows.arc_tonnes_yr), money, vot, time_h, usd)
    return usd


def _kept_out(relations: Relations, flows: Flows) -> Floats:
    """What the outside option costs each relation, less the worth of having the choice."""
    value = np.zeros(relations.tonnes_yr.size)
    elastic = np.isfinite(relations.outside_usd_t) & (flows.outside_tonnes_yr > 0.0)
    e, d = flows.outside_tonnes_yr[elastic], flows.network_tonnes_yr[elastic]
    total = relations.tonnes_yr[elastic]
    # e ln e + d ln d - Q ln Q, written so that its large parts do not cancel; d = 0 where no path leads.
    entropy = e * np.log(e / total) + np.where(d > 0.0, d * np.log(np.where(d > 0.0, d, 1.0) / total), 0.0)
    value[elastic] = relations.outside_usd_t[elastic] * e + relations.scale_usd_t[elastic] * entropy
    return value
