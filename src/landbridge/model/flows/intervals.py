r"""How far the share of some arcs is settled where optimal flows are not unique.

Problem
    An equilibrium fixes the volumes of facilities whose delay rises and how much each relation sends, but not which
    class or relation takes which of several equally cheap paths. The tonnes that pass a country then lie in an
    interval, and any one result is an arbitrary point of it.
Method
    A linear program over the equally good paths (see `alternatives`), with the tonnes of each relation and the settled
    volumes kept, finds the least and the most. What goes outside is kept as it is. One program serves any number of
    questions: only what is counted changes, and HiGHS goes on from the answer before.
Cost
    Two small programs a question, whose columns are the paths of relations with a choice only; none where no relation
    has both a path that counts and one that does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from landbridge.errors import LandbridgeError
from landbridge.model.flows.alternatives import Alternatives, alternatives
from landbridge.model.flows.explain import select_arcs
from landbridge.model.flows.mincost import need_highs
from landbridge.model.flows.records import Bools, Classes, Floats, Flows, Relations, VolumeDelay
from landbridge.model.paths import Graph

__all__ = ["ShareInterval", "extremes", "share_interval"]

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
    graph, delay, classes, relations, flows, more_paths, tolerance
        As for `alternatives`.
    arcs
        True for each arc of the link, crossing or country.
    among
        Relations whose tonnes are counted; by default all.

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
    mask = np.asarray(arcs, np.bool_)
    if mask.shape != flows.time_h.shape:
        raise ValueError(f"arcs: wanted a mask of {flows.time_h.size} arcs, got shape {mask.shape}")
    found = alternatives(graph, delay, classes, relations, flows, more_paths=more_paths, tolerance=tolerance)
    counted = np.ones(relations.tonnes_yr.size, np.bool_) if among is None else np.asarray(among, np.bool_)
    whole = float(flows.network_tonnes_yr[counted].sum())
    if whole <= 0.0:
        return ShareInterval(np.nan, np.nan, np.nan)
    actual = float(select_arcs(flows, mask)[counted].sum())
    ((less, more),) = extremes(found, [found.touching(mask) & counted[found.relation]])
    return ShareInterval(max(actual + less, 0.0) / whole, actual / whole, min(actual + more, whole) / whole)


def extremes(found: Alternatives, counted: Sequence[Bools]) -> list[tuple[float, float]]:
    """Tell by how much less and more could move on some paths, all else being as good.

    Parameters
    ----------
    found
        The equally good paths.
    counted
        For each question: the paths whose tonnes are counted, shape (A,).

    Returns
    -------
    list
        For each question the most that could go, at most zero, and the most that could come, in tonnes a year.

    Raises
    ------
    LandbridgeError
        If highspy is not installed or finds no answer.
    """
    program: tuple[Any, float] | None = None
    result = []
    for given in counted:
        gain = np.asarray(given, np.float64)
        starts = np.flatnonzero(np.diff(found.relation, prepend=-1))
        open_ = gain.size > 0 and bool((np.minimum.reduceat(gain, starts) < np.maximum.reduceat(gain, starts)).any())
        if not open_:  # each relation's paths count all or none
            result.append((0.0, 0.0))
            continue
        program = program or _program(found)
        now = float(gain @ found.tonnes_yr)
        least, most = (_solved(program[0], program[1], gain, sense) - now for sense in (1.0, -1.0))
        result.append((min(least, 0.0), max(most, 0.0)))
    return result


def _program(found: Alternatives) -> tuple[Any, float]:
    """The linear program without anything counted, and the tonnes that its unit stands for."""
    highspy = need_highs()
    rows, row = np.unique(found.facility, return_inverse=True)
    relations, group = np.unique(found.relation, return_inverse=True)
    paths = found.relation.size
    owner = np.repeat(np.arange(paths), np.diff(found.load_first))
    whole = float(found.tonnes_yr.sum()) or 1.0
    # Rows are divided by their size, tonnes by all tonnes.
    size = np.zeros(rows.size)
    np.maximum.at(size, row, found.load_trains_day)
    size[size == 0.0] = 1.0
    moved = np.bincount(row, found.load_trains_day * found.tonnes_yr[owner], rows.size)
    slack = ROUNDING * max(float(np.abs(moved).max(initial=0.0)), np.finfo(np.float64).tiny)
    settled = found.settled[rows]
    headroom = np.where(settled, 0.0, found.headroom_trains_day[rows])
    lower = np.where(settled, moved - slack, -np.inf)
    sums = np.bincount(group, found.tonnes_yr, relations.size) / whole
    # Each column has one entry for its relation before those for its facilities.
    position = np.concatenate([np.arange(paths), owner])
    order = np.argsort(position, kind="stable")
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = paths, relations.size + rows.size
    program.col_cost_ = np.zeros(paths)
    program.col_lower_, program.col_upper_ = np.zeros(paths), np.full(paths, highspy.kHighsInf)
    program.row_lower_ = np.concatenate([sums, lower / (size * whole)])
    program.row_upper_ = np.concatenate([sums, (moved + headroom + slack) / (size * whole)])
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.append(0, np.cumsum(1 + np.diff(found.load_first))).astype(np.int32)
    program.a_matrix_.index_ = np.concatenate([group, relations.size + row])[order].astype(np.int32)
    program.a_matrix_.value_ = np.concatenate([np.ones(paths), found.load_trains_day / size[row]])[order]
    solver = highspy.Highs()
    for name, value in (("output_flag", False), ("threads", 1), ("primal_feasibility_tolerance", ROUNDING)):
        solver.setOptionValue(name, value)
    solver.passModel(program)
    return solver, whole


def _solved(solver: Any, whole: float, gain: Floats, sense: float) -> float:
    """Tonnes counted at the least (sense 1) or at the most (-1)."""
    highspy = need_highs()
    solver.changeColsCost(gain.size, np.arange(gain.size, dtype=np.int32), sense * gain)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        status = solver.modelStatusToString(solver.getModelStatus())
        raise LandbridgeError(f"interval of a share: HiGHS stopped with {status!r}")
    return sense * float(solver.getInfo().objective_function_value) * whole
