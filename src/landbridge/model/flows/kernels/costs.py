"""Costs by class and arc, and what paths add up to on arcs: one pass over arrays of classes by arcs, no copies."""

from __future__ import annotations

import numpy as np

from landbridge.model.flows.kernels.compiled import kernel
from landbridge.model.flows.kernels.facilities import row_of
from landbridge.model.flows.kernels.layout import Longs, Places, Stock
from landbridge.model.flows.records import Bools, Floats, Ints

__all__ = ["add_up", "arcs_of", "class_costs", "lay_costs", "spent"]


@kernel
def lay_costs(money: Floats, slots: Ints, vot: Floats, constant_h: Floats, fixed: Floats, usable: Bools) -> None:
    """Write the constant part of costs by class and slot, and which slots some class may use."""
    usable[:] = False
    for k in range(vot.size):
        for s in range(np.uint64(slots.size)):
            charge = money[k, slots[s]]
            if charge < np.inf:
                usable[s] = True
            fixed[k, s] = charge + vot[k] * constant_h[s]


@kernel
def class_costs(
    fixed_cost: Floats, vot: Floats, class_row: Longs, felt: Places, delays: Floats, classes: Ints, cost: Floats
) -> None:
    """USD per tonne of some classes by slot at the delays as they are.

    Takes arrays one by one: handing over the tuples that hold them costs more than a small network's work.
    """
    for k in classes:
        delay = row_of(delays, class_row[k])
        for slot in range(np.uint64(cost.shape[1])):
            cost[k, slot] = fixed_cost[k, slot] + vot[k] * delay[felt[slot]]


@kernel
def arcs_of(chosen: Longs, stock: Stock, out_arc: Ints, path_first: Longs, path_arcs: Ints) -> None:
    """Write the arcs of some paths one after another, and where each begins."""
    end = 0
    for i in range(chosen.size):
        p = chosen[i]
        for j in range(stock.slot_first[p], stock.slot_last[p]):
            path_arcs[end] = out_arc[stock.slots[j]]
            end += 1
        path_first[i + 1] = end


@kernel
def add_up(path_first: Longs, path_arcs: Ints, path_class: Longs, path_tonnes: Floats, arc_tonnes: Floats) -> None:
    """Add the tonnes of paths to those of their arcs, by class."""
    for p in range(path_tonnes.size):
        for i in range(path_first[p], path_first[p + 1]):
            arc_tonnes[path_class[p], path_arcs[i]] += path_tonnes[p]


@kernel
def spent(arc_tonnes: Floats, money: Floats, vot: Floats, time_h: Floats, usd: Floats) -> None:
    """USD a year of each class on all arcs; forbidden arcs carry nothing."""
    for k in range(vot.size):
        whole = 0.0
        for a in range(np.uint64(time_h.size)):
            tonnes = arc_tonnes[k, a]
            if tonnes != 0.0:
                whole += (money[k, a] + vot[k] * time_h[a]) * tonnes
        usd[k] = whole
