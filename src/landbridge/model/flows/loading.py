"""All or nothing: every tonne takes the path that is cheapest at fixed times.

Problem
    What would flows be if volume made no difference? Times are those without volume of ours, or given ones.
Method
    One least-cost tree for each origin and class. The outside option has its logit share at the cost found. Times of
    the result are those that the volumes would cause, so that overloads can be seen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from landbridge.model.flows.checks import check_inputs
from landbridge.model.flows.outcome import flows_of
from landbridge.model.flows.prepare import prepare
from landbridge.model.flows.records import Classes, Convergence, Floats, Flows, Relations, VolumeDelay
from landbridge.model.flows.searcher import Searcher, workers_for
from landbridge.model.flows.stock import first_stock
from landbridge.model.paths import Graph

__all__ = ["all_or_nothing"]


def all_or_nothing(
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    *,
    time_h: Floats | None = None,
    threads: int | None = None,
) -> Flows:
    """Send every relation along its cheapest path.

    Parameters
    ----------
    graph, delay, classes, relations
        As for `assign`.
    time_h
        Hours on each arc to choose by; by default those with the preload alone.
    threads
        Threads for the searches.

    Returns
    -------
    Flows
        ``cost_usd_t`` is at the times of the choice, ``time_h`` at the volumes that came of it.

    Raises
    ------
    ValueError
        If the inputs do not fit together.
    """
    check_inputs(graph, delay, classes, relations)
    chosen_by = delay
    if time_h is not None:
        chosen_by = replace(delay, time_h=np.array(time_h, np.float64), delay_h=np.zeros(delay.delay_h.size), curves={})
        check_inputs(graph, chosen_by, classes, relations)
    problem, facilities, pairs, forest = prepare(graph, chosen_by, classes, relations, linear=True)
    with Searcher(problem, forest, workers_for(graph, forest, threads)) as find:
        stock = first_stock(find, facilities, pairs, graph, relations, None)
    done = Convergence("converged", 0.0, 0, (0.0,), (0.0,))
    return flows_of("all or nothing", problem, pairs, forest, stock, graph, delay, classes, relations, done)
