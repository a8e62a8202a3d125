r"""System optimum: the flows that cost all together the least.

Problem
    Notation as in `equilibrium`. The total cost is::

        C = sum_k sum_a x_ka (money_ka + vot_k (time_a + D_f(v_f)))
            + sum_r [w e + s (e ln e + (Q - e) ln(Q - e) - Q ln Q)]

    where the last sum is what the outside option costs, less the worth of having the choice (the logit's). Delay of
    the preload is not counted: those trains are not ours.
Theory
    One more tonne of class k on facility f costs its owner ``vot_k D_f`` and the others ``w_k h_f D_f'(v_f) V_f`` with
    ``V_f = sum_j vot_j x_jf``: the marginal delay is valued by the value-of-time-weighted sum over all classes there.
    Flows at which no tonne has an alternative with a smaller sum of the two are a stationary point of C. That is the
    equilibrium of `equilibrium` on these costs, and the same descent finds it; V_f couples the classes beyond a
    common time, so each class has delays of its own, ``D_f + (w_k / vot_k) h_f D_f' V_f``.
When it is the optimum
    If w_k / vot_k is the same for all classes, V_f is a multiple of v_f and C is convex where v D(v) is (power, conical
    and queueing curves): the stationary point is the optimum, and the gap gives a lower bound. Otherwise C need not
    be convex: it may pay to keep the classes apart on different routes, one way or the other. Then ``potential`` and
    ``lower_bound`` are ``nan``, the gap is that of the variational inequality, and the better of two stationary points
    is returned: the one reached from the user equilibrium, and the one reached from nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from landbridge.errors import NotConverged
from landbridge.model.flows.checks import check_inputs
from landbridge.model.flows.curves import rises_h
from landbridge.model.flows.equilibrium import assign, descend, record
from landbridge.model.flows.outcome import flows_of, social_cost
from landbridge.model.flows.prepare import prepare
from landbridge.model.flows.records import Classes, Floats, Flows, Relations, Tabulated, VolumeDelay
from landbridge.model.flows.searcher import Searcher, workers_for
from landbridge.model.flows.stock import first_stock
from landbridge.model.paths import Graph

__all__ = ["system_optimum", "total_cost"]

# Shares of weight to value of time that differ by less than this are the same ratio, rounded.
SAME_RATIO = 1e-12
# A stationary point reached from the user equilibrium may cost this much more only by the gap that both have left.
NO_WORSE = 1e-6


def system_optimum(
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    *,
    gap: float = 1e-6,
    max_iterations: int = 500,
    start: Flows | None = None,
    progress: Callable[[int, float], None] | None = None,
    threads: int | None = None,
) -> Flows:
    """Find flows of least total cost.

    Parameters
    ----------
    graph, delay, classes, relations, gap, max_iterations, start, progress, threads
        As for `assign`; the gap is that of the costs with what each tonne costs the others.

    Returns
    -------
    Flows
        ``cost_usd_t`` includes what a tonne costs the others, ``train_value_usd_yr`` tells that charge by facility.

    Raises
    ------
    ValueError
        If the inputs do not fit together, or a least-cost path uses a facility twice.
    NotConverged
        If the gap was not reached; carries the `Convergence`.
    """
    check_inputs(graph, delay, classes, relations)

    def solve(begin: Flows | None) -> Flows:
        problem, facilities, pairs, forest = prepare(graph, delay, classes, relations, social=True)
        with Searcher(problem, forest, workers_for(graph, forest, threads)) as find:
            stock = first_stock(find, facilities, pairs, graph, relations, begin)
            found = descend(find, facilities, pairs, stock, gap, max_iterations, progress)
        done = record("system optimum", found, gap)
        flows = flows_of("system optimum", problem, pairs, forest, found.stock, graph, delay, classes, relations, done)
        flows = replace(flows, train_value_usd_yr=_charges(delay, classes, flows))
        if not _is_convex(delay, classes, relations):
            return flows
        value = social_cost(delay, classes, relations, flows)
        short = float(found.excess_usd.sum())
        return replace(flows, potential=value, lower_bound=value - max(short, 0.0))

    if _is_convex(delay, classes, relations) or start is not None:
        return solve(start)
    selfish = assign(
        graph, delay, classes, relations, gap=gap, max_iterations=max_iterations, progress=progress, threads=threads
    )
    reached = []
    failure: NotConverged | None = None
    for begin in (selfish, None):
        try:
            reached.append(solve(begin))
        except NotConverged as error:
            failure = error
    if not reached and failure is not None:
        raise failure
    best = min(reached, key=lambda flows: social_cost(delay, classes, relations, flows))
    before, after = (social_cost(delay, classes, relations, flows) for flows in (selfish, best))
    if after > before + NO_WORSE * abs(before):
        raise NotConverged("system optimum: found no flows as cheap as the user equilibrium", best.convergence)
    return best


def total_cost(delay: VolumeDelay, classes: Classes, relations: Relations, flows: Flows) -> float:
    """Tell what all tonnes cost together, whatever the principle.

    Parameters
    ----------
    delay, classes, relations
        The problem.
    flows
        Its flows.

    Returns
    -------
    float
        USD a year: money and time on the network (queues before hard capacities not counted), and the outside option
        less the worth of having the choice. Unserved tonnes cost nothing here.
    """
    return social_cost(delay, classes, relations, flows)


def _is_convex(delay: VolumeDelay, classes: Classes, relations: Relations) -> bool:
    """Whether all classes that move value a train's hour alike, on curves known to be convex."""
    moving = np.unique(relations.class_index[relations.tonnes_yr > 0.0])
    ratio = (classes.weight_trains_day_per_t_yr / classes.value_of_time_usd_t_h)[moving]
    alike = bool(np.ptp(ratio) <= SAME_RATIO * ratio.max()) if ratio.size else True
    return alike and not any(isinstance(curve, Tabulated) for curve in delay.curves.values())


def _charges(delay: VolumeDelay, classes: Classes, flows: Flows) -> Floats:
    """What one more train a day costs the others, by facility."""
    used = delay.facility >= 0
    worth = np.asarray(classes.value_of_time_usd_t_h, np.float64) @ flows.arc_tonnes_yr
    by_facility = np.bincount(delay.facility[used], weights=worth[used], minlength=delay.delay_h.size)
    return np.asarray(rises_h(delay, flows.facility_trains_day) * by_facility, np.float64)
