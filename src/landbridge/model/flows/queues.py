r"""User equilibrium under hard capacities: what does not fit waits in a queue.

Problem
    The equilibrium of `equilibrium` with the further condition that no facility carries more than its capacity. A full
    facility has a queue of q_f hours, which all classes wait through; a facility with room has none::

        v_f + preload_f <= capacity_f,   q_f >= 0,   q_f (capacity_f - preload_f - v_f) = 0

    The queues are the multipliers of the capacities in Beckmann's problem (times train length factor). Volumes are as
    unique as there; queues need not be.
Method
    Augmented Lagrangian: the descent of `equilibrium` runs with the extra delay
    ``max(0, q_f + stiffness_f (v_f - room_f))``, which then becomes q_f; stiffness grows where the overload does not
    shrink. Paths and flows are kept from one run to the next.
Stop
    The relative gap, with queues at what they are, at most `gap`, and the largest overload (as a share of the
    capacity) and the complementarity (hours queued where there is room, as a share of all cost) at most `tolerance`.
    Where demand cannot fit, queues grow without end: give relations an outside option, or a price of not being served.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import numpy as np

from landbridge.errors import NotConverged
from landbridge.model.flows import kernels
from landbridge.model.flows.checks import check_inputs
from landbridge.model.flows.equilibrium import descend
from landbridge.model.flows.kernels import Facilities
from landbridge.model.flows.loading import all_or_nothing
from landbridge.model.flows.outcome import beckmann, flows_of
from landbridge.model.flows.prepare import prepare
from landbridge.model.flows.records import Bools, Classes, Convergence, Floats, Flows, Relations, VolumeDelay
from landbridge.model.flows.searcher import Searcher, workers_for
from landbridge.model.flows.stock import first_stock
from landbridge.model.paths import Graph
from landbridge.model.paths import graph as make_graph

__all__ = ["capacitated_equilibrium"]

# Stiffness grows by this factor where a run has not brought the overload below this share of the one before.
STIFFER = 4.0
SHRUNK = 0.25
# The first stiffness is such that a load of twice the capacity queues this many times the hours of a usual journey.
FIRST_STIFFNESS = 1.0
# Runs before the last need only be so much nearer to their equilibrium than capacities are to be kept.
INNER_SHARE = 0.1
FIRST_GAP = 1e-3


def capacitated_equilibrium(
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    *,
    gap: float = 1e-6,
    tolerance: float = 1e-7,
    max_iterations: int = 500,
    max_rounds: int = 200,
    unmet_usd_t: float | None = None,
    hard: Bools | None = None,
    start: Flows | None = None,
    progress: Callable[[int, float], None] | None = None,
    threads: int | None = None,
) -> Flows:
    """Find the user equilibrium with queues before full facilities.

    Parameters
    ----------
    graph, delay, classes, relations, gap, max_iterations, progress, threads
        As for `assign`; iterations are those of one run.
    tolerance
        Largest overload, as a share of the capacity, and largest complementarity.
    max_rounds
        Runs after which to give up.
    unmet_usd_t
        What a tonne without an outside option pays rather than wait any longer; it then stays unserved. The default
        lets queues grow as they must.
    hard
        Facilities whose capacity is hard; by default all.
    start
        As for `assign`; its queues are the first guess, if it has any. Not together with `unmet_usd_t`.

    Returns
    -------
    Flows
        ``queue_h`` holds the queues, ``time_h`` includes them.

    Raises
    ------
    ValueError
        If the inputs do not fit together, or a least-cost path uses a facility twice.
    NotConverged
        If the gap or the tolerance was not reached; carries the `Convergence`.
    """
    check_inputs(graph, delay, classes, relations)
    if unmet_usd_t is not None:
        if start is not None:
            raise ValueError("start: cannot be used together with unmet_usd_t")
        return _with_refusal(
            graph,
            delay,
            classes,
            relations,
            float(unmet_usd_t),
            lambda g, d, c: capacitated_equilibrium(
                g,
                d,
                c,
                relations,
                gap=gap,
                tolerance=tolerance,
                max_iterations=max_iterations,
                max_rounds=max_rounds,
                hard=hard,
                progress=progress,
                threads=threads,
            ),
        )
    capacity = np.where(np.isfinite(delay.capacity_trains_day), delay.capacity_trains_day, 1.0)
    room = np.maximum(delay.capacity_trains_day - delay.preload_trains_day, 0.0)
    if hard is not None:
        room = np.where(np.asarray(hard, np.bool_), room, np.inf)
    limited = np.flatnonzero(np.isfinite(room))
    problem, any_facilities, pairs, forest = prepare(graph, delay, classes, relations, room=room)
    gaps: list[float] = []
    averages: list[float] = []
    overload = complementarity = 0.0
    volume = np.zeros(room.size)
    queue = np.zeros(room.size)
    with Searcher(problem, forest, workers_for(graph, forest, threads)) as find:
        if limited.size:
            facilities = cast(Facilities, any_facilities)
            if start is not None and start.queue_h.size == room.size:
                facilities.queue[limited] = start.queue_h[limited]
        stock = first_stock(find, any_facilities, pairs, graph, relations, start)
        if limited.size:
            served = np.isfinite(forest.distance) & (pairs.tonnes > 0.0)
            usual_h = float(np.median(forest.distance[served] / pairs.vot[served])) if served.any() else 1.0
            facilities.stiffness[limited] = FIRST_STIFFNESS * (usual_h if usual_h > 0.0 else 1.0) / capacity[limited]
            kernels.update(facilities)
        before = np.full(room.size, np.inf)
        rounds = 0
        for rounds in range(1, max_rounds + 1):
            off = max(overload, complementarity) if rounds > 1 else FIRST_GAP / INNER_SHARE
            aim = max(gap, min(INNER_SHARE * off, FIRST_GAP)) if off > tolerance else gap
            found = descend(find, any_facilities, pairs, stock, aim, max_iterations, progress)
            stock = found.stock
            gaps += found.gaps if not gaps else found.gaps[1:]
            averages += found.excess_usd_t if not averages else found.excess_usd_t[1:]
            if found.gaps[-1] > aim:
                break
            volume = any_facilities.volume[:-1].copy()
            over = np.zeros(room.size)
            over[limited] = volume[limited] - room[limited]
            if limited.size:
                queue = np.zeros(room.size)
                queue[limited] = np.maximum(
                    facilities.queue[limited] + facilities.stiffness[limited] * over[limited], 0.0
                )
            overload = float((over / capacity).max(initial=0.0))
            carried = pairs.tonnes - pairs.outside
            cost = float(pairs.rate @ (np.where(np.isfinite(forest.distance), forest.distance, 0.0) * carried))
            idle = float(delay.train_length_factor @ (queue * np.maximum(-over, 0.0)))
            complementarity = idle / max(cost, np.finfo(np.float64).tiny) if idle > 0.0 else 0.0
            if max(overload, complementarity) <= tolerance and found.gaps[-1] <= gap:
                break
            if max(overload, complementarity) > tolerance:
                slack = np.where(queue > 0.0, np.abs(over), np.maximum(over, 0.0)) / capacity
                slow = (slack > SHRUNK * before) & (slack > tolerance)
                facilities.queue[:-1] = queue
                facilities.stiffness[:-1] *= np.where(slow, STIFFER, 1.0)
                before = slack
                kernels.update(facilities)
    good = gaps[-1] <= gap and max(overload, complementarity) <= tolerance
    convergence = Convergence(
        "converged" if good else "iteration limit",
        gaps[-1],
        len(gaps) - 1,
        tuple(gaps),
        tuple(averages),
        overload,
        complementarity,
    )
    if not good:
        longest = f"; the longest queue has reached {queue.max():.4g} hours" if queue.size else ""
        raise NotConverged(
            f"capacitated user equilibrium: relative gap {gaps[-1]:.3g} (wanted {gap:.3g}), largest overload "
            f"{overload:.3g} and complementarity {complementarity:.3g} (wanted {tolerance:.3g}) after {rounds} runs"
            f"{longest}; where demand does not fit, give an outside option or unmet_usd_t",
            convergence,
        )
    flows = flows_of(
        "capacitated user equilibrium", problem, pairs, forest, stock, graph, delay, classes, relations, convergence
    )
    value = beckmann(delay, classes, relations, flows)
    short = float(pairs.rate @ found.excess_usd)
    held = float((delay.train_length_factor * queue)[limited] @ (volume - room)[limited])
    return replace(
        flows,
        time_h=flows.time_h + np.append(queue, 0.0)[delay.facility],
        potential=value,
        lower_bound=value + held - max(short, 0.0),
        queue_h=queue,
    )


def _with_refusal(
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    refuse: float,
    solve: Callable[[Graph, VolumeDelay, Classes], Flows],
) -> Flows:
    """Give every relation without an outside option an arc of its own that stands for not being served."""
    m = graph.tail.size
    without = np.isinf(relations.outside_usd_t) & (relations.origin != relations.destination)
    ends = np.stack([relations.origin, relations.destination, relations.class_index])[:, without]
    unique = np.unique(ends, axis=1) if ends.size else ends
    extra = unique.shape[1]
    money = np.full((len(classes.name), extra), np.inf)
    money[unique[2], np.arange(extra)] = refuse
    wider = make_graph(
        graph.node_count,
        np.concatenate([graph.tail, unique[0].astype(np.int32)]),
        np.concatenate([graph.head, unique[1].astype(np.int32)]),
    )
    flows = solve(
        wider,
        replace(
            delay,
            facility=np.append(delay.facility, np.full(extra, -1)).astype(np.int32),
            time_h=np.append(delay.time_h, np.zeros(extra)),
        ),
        replace(classes, money_usd_t=np.hstack([classes.money_usd_t, money])),
    )
    # Paths over such an arc are no paths. A relation with an outside option may have met one with the same ends and
    # class; what took it stays outside.
    path = np.repeat(np.arange(flows.path_relation.size), np.diff(flows.path_first))
    refused = np.zeros(flows.path_relation.size, np.bool_)
    refused[path[flows.path_arcs >= m]] = True
    lost = np.bincount(
        flows.path_relation[refused], weights=flows.path_tonnes_yr[refused], minlength=relations.tonnes_yr.size
    )
    unserved = np.where(np.isinf(relations.outside_usd_t), lost, 0.0)
    no_path = all_or_nothing(graph, delay, classes, relations).no_path
    kept = ~refused
    arcs = flows.path_arcs[kept[path]]
    tonnes = flows.path_tonnes_yr[kept]
    lengths = np.diff(flows.path_first)[kept]
    arc_tonnes = np.zeros((len(classes.name), m))
    class_index = np.asarray(relations.class_index, np.int64)[flows.path_relation[kept]]
    np.add.at(arc_tonnes, (np.repeat(class_index, lengths), arcs), np.repeat(tonnes, lengths))
    network: Floats = np.bincount(flows.path_relation[kept], weights=tonnes, minlength=unserved.size).astype(np.float64)
    return replace(
        flows,
        arc_tonnes_yr=arc_tonnes,
        time_h=flows.time_h[:m],
        path_first=np.append(0, np.cumsum(lengths)).astype(np.int32),
        path_arcs=arcs,
        path_relation=flows.path_relation[kept],
        path_tonnes_yr=tonnes,
        network_tonnes_yr=network,
        outside_tonnes_yr=flows.outside_tonnes_yr + (lost - unserved),
        unserved_tonnes_yr=unserved,
        cost_usd_t=np.where(no_path, np.inf, flows.cost_usd_t),
        no_path=no_path,
    )
