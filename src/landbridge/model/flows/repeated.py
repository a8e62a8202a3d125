"""The same relations on the same graph again and again, each time with other arcs shut: laid out once, begun warm.

    inputs -> laid out once -> some arcs shut -> paths of an earlier answer that are still open -> flows

What `equilibrium.assign` and `optimum.system_optimum` do for one problem is here split in two: inputs are checked and
laid out once, so that a search that asks for thousands of networks pays for its flows alone. One class of cargo,
without outside options. The answer is the same as theirs, to the gap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from landbridge.model.flows import kernels
from landbridge.model.flows.checks import check_inputs
from landbridge.model.flows.curves import delays_h
from landbridge.model.flows.equilibrium import descend, record
from landbridge.model.flows.kernels import Stock
from landbridge.model.flows.prepare import prepare
from landbridge.model.flows.records import Classes, Floats, Relations, VolumeDelay
from landbridge.model.flows.searcher import Searcher
from landbridge.model.flows.stock import WARM_SHARE, first_stock
from landbridge.model.paths import Graph

__all__ = ["Repeated", "Solved"]

_Whole = TypeVar("_Whole", np.int32, np.uint32)


@dataclass(frozen=True, eq=False)
class Solved:
    """Flows on one of the networks.

    Parameters
    ----------
    arc_tonnes_yr, facility_trains_day
        By arc and facility.
    total_usd
        What all tonnes cost together.
    lower_bound_usd
        No flows cost less together; of optima only, else minus infinity.
    stock
        The paths, to begin another network from.
    """

    arc_tonnes_yr: Floats
    facility_trains_day: Floats
    total_usd: float
    lower_bound_usd: float
    stock: Stock


class Repeated:
    """Solves one problem on many networks.

    Parameters
    ----------
    graph, delay, classes, relations
        As for `assign`, with all arcs that any of the networks has; one class, no outside options.
    social
        Whether flows are the system optimum in place of the user equilibrium.

    Raises
    ------
    ValueError
        If the inputs do not fit together, or there are several classes or outside options.
    """

    def __init__(
        self, graph: Graph, delay: VolumeDelay, classes: Classes, relations: Relations, *, social: bool
    ) -> None:
        check_inputs(graph, delay, classes, relations)
        if len(classes.name) != 1 or np.isfinite(relations.outside_usd_t).any():
            raise ValueError("repeated flows: wanted one class and no outside option")
        self._graph, self._delay, self._classes, self._relations = graph, delay, classes, relations
        self._principle = "system optimum" if social else "user equilibrium"
        self._social = social
        marginal = _marginal(delay) if social else delay
        self._problem, self._facilities, self._pairs, self._forest = prepare(
            graph, marginal or delay, classes, relations, social=marginal is None
        )
        self._open = self._problem.fixed_cost.copy()
        self._find = Searcher(self._problem, self._forest, 1)
        self._slot = np.empty(graph.tail.size, np.int64)
        self._slot[graph.out_arc] = np.arange(graph.tail.size)

    def solve(
        self, shut: npt.ArrayLike, *, gap: float, max_iterations: int = 500, start: Stock | None = None
    ) -> Solved:
        """Find the flows of the network without some arcs.

        Parameters
        ----------
        shut
            Arcs that nobody may use.
        gap, max_iterations
            As for `assign`.
        start
            Paths of another answer of this object; those over arcs that are now shut are left out.

        Returns
        -------
        Solved

        Raises
        ------
        NotConverged
            If the gap was not reached.
        """
        closed = np.zeros(self._slot.size, np.bool_)
        closed[self._slot[np.asarray(shut, np.int64)]] = True
        self._problem.fixed_cost[:] = np.where(closed, np.inf, self._open)
        kernels.clear_volumes(self._facilities)
        stock = self._begin(start, closed)
        found = descend(self._find, self._facilities, self._pairs, stock, gap, max_iterations, None)
        record(self._principle, found, gap)
        return self._told(found.stock, float(found.excess_usd.sum()))

    def _begin(self, start: Stock | None, closed: npt.NDArray[np.bool_]) -> Stock:
        """Paths that are still open with their shares, levelled; anew where a relation has lost all of its paths."""
        kept = None if start is None else _still_open(start, closed, self._pairs.tonnes)
        if kept is None:
            return first_stock(self._find, self._facilities, self._pairs, self._graph, self._relations, None)
        kernels.load(self._pairs, kept, self._facilities)
        kernels.renew(self._pairs, kept, self._facilities)
        active = np.flatnonzero(np.diff(kept.first) > 1).astype(np.int32)
        rivals = kernels.rivals_of(active, self._pairs, kept, self._facilities)
        allowed = WARM_SHARE * kernels.appraise_rivals(self._pairs, rivals, self._facilities)
        mark = np.zeros(self._facilities.volume.size, np.int64)
        idle = 0.5 * allowed / max(active.size, 1)
        kernels.level(active, allowed, idle, self._pairs, kept, self._facilities, mark, np.zeros(1, np.int64))
        return kept

    def _told(self, stock: Stock, short: float) -> Solved:
        length = stock.slot_last - stock.slot_first
        ends = np.cumsum(length)
        entry = np.arange(ends[-1] if ends.size else 0) + np.repeat(stock.slot_first - (ends - length), length)
        count = self._slot.size
        by_slot = np.bincount(stock.slots[entry], weights=np.repeat(stock.flow, length), minlength=count)
        tonnes = np.asarray(by_slot[self._slot], np.float64)
        delay = self._delay
        used = delay.facility >= 0
        weight = float(self._classes.weight_trains_day_per_t_yr[0])
        loaded = np.bincount(delay.facility[used], weights=weight * tonnes[used], minlength=delay.delay_h.size)
        trains = np.asarray(loaded / delay.train_length_factor, np.float64)
        time_h = delay.time_h + np.append(delays_h(delay, trains), 0.0)[delay.facility]
        money = np.where(tonnes > 0.0, self._classes.money_usd_t[0], 0.0)
        total = float(tonnes @ (money + self._classes.value_of_time_usd_t_h[0] * time_h))
        return Solved(tonnes, trains, total, total - max(short, 0.0) if self._social else -np.inf, stock)


def _marginal(delay: VolumeDelay) -> VolumeDelay | None:
    """Delays whose equilibrium is the optimum of these, of one class: ``d(v D(v))/dv``; None where it is no power.

    With ``D = h (v / c)^p`` and nothing there before, it is ``(1 + p) h (v / c)^p``: plain delays are the quickest to
    level.
    """
    if delay.curves or delay.preload_trains_day.any():
        return None
    return replace(delay, delay_h=delay.delay_h * (1.0 + delay.power))


def _still_open(start: Stock, closed: npt.NDArray[np.bool_], tonnes: Floats) -> Stock | None:
    """The paths of `start` over open slots, in arrays of their own; None where a relation has lost all of its paths."""
    before = np.concatenate([[0], np.cumsum(closed[start.slots[: start.used[0]]])])
    keep = before[start.slot_last] == before[start.slot_first]
    first = np.concatenate([[0], np.cumsum(keep)])[start.first]
    flow = start.flow[keep]
    count = np.diff(first)
    if ((count == 0) & (tonnes > 0.0)).any():
        return None
    kept = np.concatenate([[0.0], np.cumsum(flow)])
    carried = kept[first[1:]] - kept[first[:-1]]
    if not (carried[tonnes > 0.0] > 0.0).all():
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(carried > 0.0, tonnes / carried, 0.0)
    slots, slot_first = _compact(start.slots, start.slot_first[keep], start.slot_last[keep])
    felt, felt_first = _compact(start.facilities, start.facility_first[keep], start.facility_last[keep])
    return Stock(
        first=first,
        slot_first=slot_first[:-1],
        slot_last=slot_first[1:].copy(),
        slots=slots,
        facility_first=felt_first[:-1],
        facility_last=felt_first[1:].copy(),
        facilities=felt,
        fixed=start.fixed[keep],
        flow=flow * np.repeat(scale, count),
        used=np.array([slots.size, felt.size], np.int64),
    )


def _compact(
    values: npt.NDArray[_Whole], first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[_Whole], npt.NDArray[np.int64]]:
    """Rows of a ragged array one after another, and where each begins, the end of the last included."""
    length = last - first
    ends = np.concatenate([[0], np.cumsum(length)])
    entry = np.arange(ends[-1]) + np.repeat(first - ends[:-1], length)
    return values[entry], ends
