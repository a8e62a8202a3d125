r"""How far the share of some arcs is settled where optimal flows are not unique.

Problem
    An equilibrium fixes the volumes of facilities whose delay rises and how much each relation sends, but not which
    class or relation takes which of several equally cheap paths. The tonnes that pass a country then lie in an
    interval, and any one result is an arbitrary point of it.
Method
    A linear program over the known paths that cost no more than the cheapest (to within `tolerance`), with the tonnes
    of each relation and the volumes of the fixed facilities kept, finds the least and the most. More equally cheap
    paths can be searched for; without that search the interval holds for the paths that the flows use, and the true one
    may be wider. What goes outside is kept as it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from landbridge.errors import LandbridgeError
from landbridge.model.flows.curves import responds
from landbridge.model.flows.mincost import need_highs
from landbridge.model.flows.records import Bools, Classes, Floats, Flows, Relations, VolumeDelay
from landbridge.model.paths import Graph
from landbridge.model.simple_paths import k_shortest

__all__ = ["ShareInterval", "share_interval"]

# Fixed volumes may differ by this share of the largest: they are known to a rounding only.
ROUNDING = 1e-9


class ShareInterval(NamedTuple):
    """Share of the tonnes on the network that touch a set of arcs.

    Parameters
    ----------
    least, most
        Over all flows that are as good.
    actual
        In the flows at hand.
    """

    least: float
    actual: float
    most: float


def share_interval(
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    flows: Flows,
    arcs: Bools,
    *,
    among: Bools | None = None,
    more_paths: int = 0,
    tolerance: float = 1e-6,
) -> ShareInterval:
    """Bound the share of some arcs over all flows that are as good as the ones found.

    Parameters
    ----------
    graph, delay, classes, relations
        The problem.
    flows
        Its user equilibrium (with or without hard capacities), its convex system optimum, or its flows of minimum cost.
    arcs
        True for each arc of the link, crossing or country.
    among
        Relations whose tonnes are counted; by default all.
    more_paths
        Equally cheap paths to search for each relation, beside the used ones.
    tolerance
        Paths whose costs differ by less than this share count as equally cheap.

    Returns
    -------
    ShareInterval
        ``nan`` three times where nothing moves.

    Raises
    ------
    LandbridgeError
        If highspy is not installed or finds no answer.
    ValueError
        If the flows are of another kind, whose paths are settled or whose optimum is not known.
    """
    if flows.principle in {"all or nothing", "stochastic user equilibrium"} or np.isnan(flows.potential):
        raise ValueError(f"flows: wanted flows that minimise a potential over free paths, got {flows.principle!r}")
    highspy = need_highs()
    mask = np.asarray(arcs, np.bool_)
    if mask.shape != flows.time_h.shape:
        raise ValueError(f"arcs: wanted a mask of {flows.time_h.size} arcs, got shape {mask.shape}")
    counted = np.ones(relations.tonnes_yr.size, np.bool_) if among is None else np.asarray(among, np.bool_)
    whole = float(flows.network_tonnes_yr[counted].sum())
    if whole <= 0.0:
        return ShareInterval(np.nan, np.nan, np.nan)

    # STEP 1: the paths, and what they cost.
    share = np.append(1.0 / delay.train_length_factor, 0.0)[delay.facility]
    weight = np.asarray(classes.weight_trains_day_per_t_yr, np.float64)
    cost = classes.money_usd_t + classes.value_of_time_usd_t_h[:, None] * flows.time_h
    if flows.train_value_usd_yr.size:
        cost = cost + weight[:, None] * (share * np.append(flows.train_value_usd_yr, 0.0)[delay.facility])
    paths: list[list[tuple[int, ...]]] = [[] for _ in range(relations.tonnes_yr.size)]
    for p, r in enumerate(flows.path_relation):
        paths[r].append(tuple(int(a) for a in flows.path_arcs[flows.path_first[p] : flows.path_first[p + 1]]))
    given = [list(found) for found in paths]
    tonnes_of: list[Floats] = []
    for r, found in enumerate(given):
        mine = flows.path_tonnes_yr[flows.path_relation == r] if found else np.empty(0)
        k = int(relations.class_index[r])
        if found and more_paths > 0:
            ends = int(relations.origin[r]), int(relations.destination[r])
            cheapest = k_shortest(graph, cost[k], *ends, len(found) + more_paths)
            limit = cheapest[0][0] * (1.0 + tolerance)
            for price, found_arcs in cheapest:
                path = tuple(int(a) for a in found_arcs)
                used = delay.facility[found_arcs]
                used = used[used >= 0]
                if price <= limit and path not in paths[r] and np.unique(used).size == used.size:
                    paths[r].append(path)
        tonnes_of.append(np.append(mine, np.zeros(len(paths[r]) - len(found))))

    # STEP 2: one column for each path of a relation that has a choice; the others are as they are.
    fixed = responds(delay)
    if flows.train_value_usd_yr.size and flows.principle == "capacitated minimum cost":
        fixed = flows.train_value_usd_yr > 0.0
    if flows.queue_h.size:
        fixed |= flows.queue_h > 0.0
    hard = flows.principle in {"capacitated minimum cost", "capacitated user equilibrium"}
    limit_trains = np.where(fixed, flows.facility_trains_day, np.inf)
    if hard:
        room = np.maximum(delay.capacity_trains_day - delay.preload_trains_day, flows.facility_trains_day)
        limit_trains = np.where(fixed, limit_trains, room)
    rows_of_facility = np.flatnonzero(np.isfinite(limit_trains))
    row_of = np.full(delay.delay_h.size, -1)
    row_of[rows_of_facility] = np.arange(rows_of_facility.size)
    moved = np.zeros(rows_of_facility.size)
    free = [r for r, found in enumerate(paths) if len(found) > 1]
    entries: list[tuple[int, int, float]] = []
    gain: list[float] = []
    settled = actual = 0.0
    column = 0
    position = {r: i for i, r in enumerate(free)}
    for r, found in enumerate(paths):
        w = float(weight[relations.class_index[r]])
        for path, tonnes in zip(found, tonnes_of[r], strict=True):
            touches = float(bool(mask[list(path)].any()) and bool(counted[r]))
            actual += touches * tonnes
            if r not in position:
                settled += touches * tonnes
                continue
            entries.append((rows_of_facility.size + position[r], column, 1.0))
            for arc in path:
                f = int(delay.facility[arc])
                if f >= 0 and row_of[f] >= 0:
                    entries.append((int(row_of[f]), column, w * float(share[arc])))
                    moved[row_of[f]] += w * float(share[arc]) * tonnes
            gain.append(touches)
            column += 1
    if not free:
        return ShareInterval(*(3 * [float(settled / whole)]))

    # STEP 3: least and most. Rows are divided by their size, tonnes by all tonnes.
    slack = ROUNDING * max(float(np.abs(moved).max(initial=0.0)), np.finfo(np.float64).tiny)
    headroom = limit_trains[rows_of_facility] - flows.facility_trains_day[rows_of_facility]
    is_fixed = fixed[rows_of_facility]
    upper = np.concatenate([(moved + np.maximum(headroom, 0.0) + slack), flows.network_tonnes_yr[free]])
    lower = np.concatenate([np.where(is_fixed, moved - slack, -np.inf), flows.network_tonnes_yr[free]])
    size = np.zeros(upper.size)
    for row, _, value in entries:
        size[row] = max(size[row], value)
    size[size == 0.0] = 1.0
    scale = size * whole
    entries.sort(key=lambda entry: (entry[1], entry[0]))
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = column, upper.size
    program.col_cost_ = np.array(gain)
    program.col_lower_, program.col_upper_ = np.zeros(column), np.full(column, highspy.kHighsInf)
    program.row_lower_, program.row_upper_ = lower / scale, upper / scale
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.searchsorted([entry[1] for entry in entries], np.arange(column + 1))
    program.a_matrix_.index_ = np.array([entry[0] for entry in entries], np.int32)
    program.a_matrix_.value_ = np.array([value / size[row] for row, _, value in entries])
    bounds = []
    for sense in (highspy.ObjSense.kMinimize, highspy.ObjSense.kMaximize):
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("primal_feasibility_tolerance", ROUNDING)
        program.sense_ = sense
        solver.passModel(program)
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            status = solver.modelStatusToString(solver.getModelStatus())
            raise LandbridgeError(f"interval of a share: HiGHS stopped with {status!r}")
        bounds.append(float(solver.getInfo().objective_function_value) + settled / whole)
    least, most = sorted((min(max(bounds[0], 0.0), 1.0), min(max(bounds[1], 0.0), 1.0)))
    share_now = float(actual / whole)
    return ShareInterval(min(least, share_now), share_now, max(most, share_now))
