r"""How much each link matters to all who travel: the network robustness index.

Definition (Scott, Novak, Aultman-Hall & Guo, 2006)
    NRI_a = total travel cost of the user equilibrium without link a, less that of the user equilibrium with it.
    The partial index cuts the capacity by a share in place of closing the link; cuts below about one half give rankings
    that do not last (Novak, Sullivan & Aultman-Hall, 2010).
Answers
    Links that cut somebody off have an infinite index by the definition; here what cannot be served is told in tonnes,
    and the index counts those who still travel. Who has an outside option and takes it pays for that: the total is of
    all who are served. An index may be negative (Braess).
Sources
    METHODS.md, section 4, and its trap 9: lost demand is told, never a huge number.
    Scott et al. (2006), Network Robustness Index. Journal of Transport Geography 14(3).
    Novak, Sullivan & Aultman-Hall (2010), Transportation Research A 44(5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from landbridge.model.flows.equilibrium import assign
from landbridge.model.flows.records import Classes, Floats, Flows, Relations, VolumeDelay
from landbridge.model.paths import Graph

__all__ = ["Robustness", "robustness_index", "travel_cost"]


@dataclass(frozen=True)
class Robustness:
    """What a cut of one group of arcs does.

    Parameters
    ----------
    cost
        Total travel cost in the equilibrium after it.
    index
        By how much that is more than before.
    unserved_tonnes_yr
        Tonnes that are no longer served.
    relative_gap
        How exactly the equilibrium was found.
    """

    cost: float
    index: float
    unserved_tonnes_yr: float
    relative_gap: float


def travel_cost(classes: Classes, flows: Flows, relations: Relations | None = None) -> float:
    """Add up what all tonnes pay, time and money.

    Parameters
    ----------
    classes
        Kinds of cargo.
    flows
        An assignment.
    relations
        What was assigned; with it, tonnes that take their outside option pay for that.

    Returns
    -------
    float
        ``sum over classes and arcs of tonnes (money + value of time x time)``; arcs without tonnes count nothing.
    """
    used = flows.arc_tonnes_yr > 0.0
    price = np.where(used, classes.money_usd_t, 0.0) + classes.value_of_time_usd_t_h[:, None] * flows.time_h
    total = float((flows.arc_tonnes_yr * price).sum())
    if relations is None:
        return total
    away = flows.outside_tonnes_yr > 0.0
    return total + float(flows.outside_tonnes_yr[away] @ relations.outside_usd_t[away])


def robustness_index(
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    groups: Sequence[Iterable[int]],
    *,
    cut: float = 1.0,
    base: Flows | None = None,
    gap: float = 1e-8,
    max_iterations: int = 2000,
    progress: Callable[[int], None] | None = None,
) -> tuple[float, list[Robustness]]:
    """Find the index of each group of arcs that is cut together.

    Parameters
    ----------
    graph, delay, classes, relations
        As for `flows.assign`.
    groups
        Arcs of each group.
    cut
        Share of the capacity that is taken; 1 = closed.
    base
        The equilibrium with everything open, if it is known; each cut starts from it.
    gap, max_iterations
        As for `flows.assign`.
    progress
        Called with the groups that are done.

    Returns
    -------
    cost : float
        Total travel cost with everything open.
    found : list of Robustness
        By group.

    Raises
    ------
    ValueError
        If the cut is not between 0 and 1.
    NotConverged
        If an equilibrium was not reached.
    """
    if not 0.0 < cut <= 1.0:
        raise ValueError(f"cut: wanted a share above 0 and at most 1, got {cut}")
    start = base or assign(graph, delay, classes, relations, gap=gap, max_iterations=max_iterations)
    before = travel_cost(classes, start, relations)
    result = []
    for group in groups:
        arcs = np.fromiter(group, np.int64)
        kinds, curve = classes, delay
        if cut == 1.0:
            money: Floats = classes.money_usd_t.copy()
            money[:, arcs] = np.inf
            kinds = replace(classes, money_usd_t=money)
        else:
            capacity = delay.capacity_trains_day.copy()
            facility = np.unique(delay.facility[arcs])
            capacity[facility[facility >= 0]] *= 1.0 - cut
            curve = replace(delay, capacity_trains_day=capacity)
        found = assign(graph, curve, kinds, relations, gap=gap, max_iterations=max_iterations, start=start)
        after = travel_cost(kinds, found, relations)
        result.append(
            Robustness(after, after - before, float(found.unserved_tonnes_yr.sum()), found.convergence.relative_gap)
        )
        if progress is not None:
            progress(len(result))
    return before, result
