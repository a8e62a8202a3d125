r"""Minimum-cost flows of several classes of cargo under hard capacities.

Problem
    Least ``sum_p f_p c_p + sum_r g_r e_r`` subject to ``sum of f_p over r's paths + e_r = Q_r`` and, for each facility
    with a capacity, ``sum of w_k h_f f_p over paths on f <= capacity_f - preload_f``. Costs c are those without volume
    of ours: here a capacity is a wall and not a slope. g_r is the price of the outside option, or where there is none
    the price of not being served.
Method
    Column generation. HiGHS solves the problem over the known paths; the prices of the full facilities go onto the
    arcs, and one least-cost tree for each origin and class finds the paths that would pay. No such path: optimal.
    The prices also give a bound, ``sum_r Q_r min(c_r, g_r) - sum_f price_f room_f`` with c_r the least cost at these
    prices: no flows cost less, whatever the program that found them (Lagrange).
Answers
    The price of a facility is what one more train a day on it would save in a year. Where an optimum is degenerate
    several prices are right, and one of them is given. Total cost is unique, flows need not be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.errors import LandbridgeError, NotConverged
from landbridge.model.flows import kernels
from landbridge.model.flows.checks import check_inputs
from landbridge.model.flows.curves import tonne_free
from landbridge.model.flows.outcome import assemble
from landbridge.model.flows.prepare import prepare
from landbridge.model.flows.records import Bools, Classes, Convergence, Floats, Flows, Relations, VolumeDelay
from landbridge.model.flows.searcher import Searcher, workers_for
from landbridge.model.paths import Graph

__all__ = ["minimum_cost", "need_highs"]

# What HiGHS may leave of a bound or of a reduced cost, in its scaled units; the tightest that it solves safely.
FEASIBLE = 1e-9
# Costs are handed to HiGHS so that the largest relation's is about this.
COST_SCALE = 1e3
# A path's flow below this share of its relation is HiGHS' rounding.
NO_SHARE = 1e-12


def need_highs() -> Any:
    """Import highspy, which only these flows need.

    Returns
    -------
    module
        highspy.

    Raises
    ------
    LandbridgeError
        If it is not installed.
    """
    try:
        import highspy  # noqa: PLC0415  (optional, and slow to load)
    except ImportError as error:
        raise LandbridgeError(
            "minimum-cost flows and intervals of shares need HiGHS: install highspy, "
            "or landbridge with its extra 'flows'"
        ) from error
    return highspy


def minimum_cost(
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    *,
    gap: float = 1e-8,
    max_iterations: int = 500,
    unmet_usd_t: float | None = None,
    hard: Bools | None = None,
    progress: Callable[[int, float], None] | None = None,
    threads: int | None = None,
) -> Flows:
    """Find flows of least cost that no capacity forbids.

    Parameters
    ----------
    graph, classes, progress, threads
        As for `assign`.
    delay
        Times and capacities; delays stay what they are with the preload alone. A preload above the capacity leaves no
        room.
    relations
        Demand; the outside option counts at its price and without a logit.
    gap
        Difference between cost and lower bound to reach, as a share of the cost.
    max_iterations
        Rounds of pricing after which to give up.
    unmet_usd_t
        Price of a tonne that is not served where there is no outside option. The default is more than any path without
        a loop can cost, and is the same for all.
    hard
        Facilities whose capacity counts; by default all.

    Returns
    -------
    Flows
        ``train_value_usd_yr`` holds the prices of the facilities; tonnes without room are unserved or outside.

    Raises
    ------
    LandbridgeError
        If highspy is not installed.
    ValueError
        If the inputs do not fit together, or a least-cost path uses a facility twice.
    NotConverged
        If the gap was not reached; carries the `Convergence`.
    """
    highspy = need_highs()
    check_inputs(graph, delay, classes, relations)
    fixed = tonne_free(delay)
    count, facility_count = relations.tonnes_yr.size, delay.delay_h.size
    free = replace(relations, outside_usd_t=np.full(count, np.inf))
    problem, facilities, pairs, forest = prepare(graph, fixed, classes, free)
    room = np.maximum(delay.capacity_trains_day - delay.preload_trains_day, 0.0)
    if hard is not None:
        room = np.where(np.asarray(hard, np.bool_), room, np.inf)
    rank = problem.rank
    tonnes = np.asarray(relations.tonnes_yr, np.float64)[rank]
    weight = pairs.weight
    share = 1.0 / delay.train_length_factor
    slot_share = np.append(share, 0.0)[problem.facility]
    refuse = _refusal(graph, problem.fixed_cost) if unmet_usd_t is None else float(unmet_usd_t)
    outside = np.asarray(relations.outside_usd_t, np.float64)[rank]
    price_out = np.where(np.isfinite(outside), outside, refuse)
    class_index = np.asarray(relations.class_index, np.int64)[rank]
    class_weight = np.asarray(classes.weight_trains_day_per_t_yr, np.float64)

    # STEP 1: the master knows only that everyone may stay outside.
    magnitude = float(np.abs(price_out * tonnes).max(initial=0.0)) or 1.0
    unit = COST_SCALE / magnitude
    master = highspy.Highs()
    master.setOptionValue("output_flag", False)
    master.setOptionValue("threads", 1)
    master.setOptionValue("primal_feasibility_tolerance", FEASIBLE)
    master.setOptionValue("dual_feasibility_tolerance", FEASIBLE)
    master.setOptionValue("presolve", "off")  # it would throw the last basis away
    moving = np.flatnonzero(tonnes > 0.0)
    row_of_pair = np.full(count, -1)
    row_of_pair[moving] = np.arange(moving.size)
    limited = np.flatnonzero(np.isfinite(room))
    row_of_facility = np.full(facility_count, -1)
    row_of_facility[limited] = moving.size + np.arange(limited.size)
    # Rows are measured in the largest weight on them, so that a small line and a large one look alike to HiGHS.
    measure = np.where(room[limited] > 0.0, room[limited], 1.0)
    infinity = highspy.kHighsInf
    empty_i, empty_v = np.empty(0, np.int32), np.empty(0)
    for _ in moving:
        master.addRow(1.0, 1.0, 0, empty_i, empty_v)
    for f, m in zip(limited, measure, strict=True):
        master.addRow(-infinity, room[f] / m, 0, empty_i, empty_v)
    for r in moving:
        master.addCol(
            price_out[r] * tonnes[r] * unit, 0.0, infinity, 1, np.array([row_of_pair[r]], np.int32), np.ones(1)
        )

    columns_pair: list[int] = []
    columns_slots: list[npt.NDArray[np.int32]] = []
    known: list[set[bytes]] = [set() for _ in range(count)]
    history: list[float] = []
    averages: list[float] = []
    price = np.zeros(facility_count)
    dual = np.zeros(count)
    best_bound = -np.inf
    best_price = price
    free_distance = np.full(count, np.inf)
    values = np.zeros(0)
    total = 0.0
    kernels.update(facilities)
    with Searcher(problem, forest, workers_for(graph, forest, threads)) as find:
        rounds = 0
        while True:
            # STEP 2: prices of the facilities, and with them the least costs and the bound.
            master.run()
            if master.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                raise NotConverged(
                    f"minimum cost: HiGHS stopped with {master.modelStatusToString(master.getModelStatus())!r}",
                    Convergence("iteration limit", np.inf, rounds, tuple(history)),
                )
            solution = master.getSolution()
            row_dual = np.asarray(solution.row_dual) / unit
            values = np.asarray(solution.col_value)
            total = float(master.getInfo().objective_function_value) / unit
            dual[moving] = row_dual[: moving.size] / tonnes[moving]
            price[limited] = np.maximum(-row_dual[moving.size :] / measure, 0.0)
            arc_price = np.append(price, 0.0)[problem.facility] * slot_share
            limit = np.where(tonnes > 0.0, dual, -np.inf)
            arrivals = find(facilities, limit, more=class_weight[:, None] * arc_price)
            if rounds == 0:
                free_distance = forest.distance.copy()
            least = np.minimum(forest.distance, price_out)
            bound = float(tonnes[moving] @ least[moving]) - float(price[limited] @ room[limited])
            if bound > best_bound:
                best_bound, best_price = bound, price.copy()
            scale = max(abs(total), np.finfo(np.float64).tiny)
            history.append(max(total - best_bound, 0.0) / scale)
            averages.append(max(total - best_bound, 0.0) / max(float(tonnes.sum()), np.finfo(np.float64).tiny))
            if progress is not None:
                progress(rounds, history[-1])
            if history[-1] <= gap or rounds == max_iterations:
                break
            rounds += 1
            # STEP 3: paths that would pay.
            added = 0
            for i, r in enumerate(arrivals.target):
                slots = arrivals.slots[arrivals.first[i] : arrivals.first[i + 1]]
                key = slots.tobytes()
                if key in known[r]:
                    continue
                known[r].add(key)
                used = problem.facility[slots]
                used = used[used >= 0]
                if np.unique(used).size < used.size:
                    raise ValueError(
                        f"relation {rank[r]}: its path uses a facility on more than one arc; give arcs that follow "
                        "each other their own facilities, or join them into one arc"
                    )
                used = used[row_of_facility[used] >= 0]
                rows = np.append(row_of_pair[r], row_of_facility[used]).astype(np.int32)
                load = weight[r] * tonnes[r] * share[used] / measure[row_of_facility[used] - moving.size]
                amount = float(problem.fixed_cost[class_index[r], slots].sum()) * tonnes[r]
                master.addCol(amount * unit, 0.0, infinity, rows.size, rows, np.append(1.0, load))
                columns_pair.append(int(r))
                columns_slots.append(slots)
                added += 1
            if added == 0:
                break
    converged = history[-1] <= gap
    pair = np.array(columns_pair, np.int64)
    flow = values[moving.size : moving.size + pair.size]
    flow = np.where(flow > NO_SHARE, flow, 0.0)
    left = np.where(values[: moving.size] > NO_SHARE, values[: moving.size], 0.0)

    # STEP 4: the parts of a relation add up to its tonnes.
    parts = left + np.bincount(row_of_pair[pair], weights=flow, minlength=moving.size)
    chosen = np.flatnonzero(flow > 0.0)
    chosen = chosen[np.argsort(rank[pair[chosen]], kind="stable")]
    lengths = np.array([columns_slots[c].size for c in chosen], np.int64)
    arcs = [problem.out_arc[columns_slots[c]] for c in chosen]
    path_tonnes = flow[chosen] * tonnes[pair[chosen]] / parts[row_of_pair[pair[chosen]]]
    kept_out = np.zeros(count)
    kept_out[rank[moving]] = left / parts * tonnes[moving]
    cost_by_relation = np.empty(count)
    cost_by_relation[rank] = np.where(np.isinf(free_distance), np.inf, forest.distance)
    has_outside = np.isfinite(relations.outside_usd_t)
    convergence = Convergence(
        "converged" if converged else "iteration limit", history[-1], rounds, tuple(history), tuple(averages)
    )
    flows = assemble(
        "capacitated minimum cost",
        graph,
        fixed,
        classes,
        relations,
        path_first=np.append(0, np.cumsum(lengths)),
        path_arcs=np.concatenate(arcs) if arcs else np.empty(0, np.int32),
        path_relation=rank[pair[chosen]],
        path_tonnes=path_tonnes,
        outside=np.where(has_outside, kept_out, 0.0),
        cost=cost_by_relation,
        convergence=convergence,
    )
    over = np.where(np.isfinite(room), flows.facility_trains_day - room, 0.0)
    slack = float(best_price[limited] @ np.maximum(-over[limited], 0.0))
    capacity = np.where(np.isfinite(delay.capacity_trains_day), delay.capacity_trains_day, 1.0)
    convergence = replace(
        convergence,
        capacity_violation=float(np.maximum(over / capacity, 0.0).max(initial=0.0)),
        complementarity=slack / max(abs(total), np.finfo(np.float64).tiny),
    )
    if not converged:
        raise NotConverged(
            f"minimum cost: relative gap {history[-1]:.3g} after {rounds} rounds, wanted {gap:.3g}; "
            "allow more iterations or a wider gap",
            convergence,
        )
    return replace(
        flows,
        unserved_tonnes_yr=np.where(has_outside, 0.0, kept_out),
        potential=total,
        lower_bound=best_bound,
        train_value_usd_yr=best_price,
        convergence=convergence,
    )


def _refusal(graph: Graph, fixed_cost: Floats) -> float:
    """More than any path without a loop can cost: every node's dearest way in, added up."""
    dearest = np.zeros(graph.node_count)
    finite = np.where(np.isfinite(fixed_cost), fixed_cost, 0.0).max(axis=0, initial=0.0)
    np.maximum.at(dearest, graph.head[graph.out_arc], finite)
    return float(dearest.sum()) + 1.0
