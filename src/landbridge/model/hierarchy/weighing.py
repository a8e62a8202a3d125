"""The weights of all edges under given costs; see the package."""

from __future__ import annotations

import numpy as np

from landbridge.model.hierarchy.parts import LANES, Bools, Floats, Hierarchy, Ints, Weights, kernel

__all__ = ["weigh"]


def weigh(tree: Hierarchy, cost: Floats, classes: Ints, found: Weights) -> None:
    """Weigh all edges.

    Parameters
    ----------
    tree
        From `hierarchy`.
    cost
        Cost of each slot by class.
    classes
        The classes to weigh; calls on different ones may run side by side.
    found
        From `weights`; rows of these classes are written.
    """
    whole = LANES * (classes.size // LANES)
    if whole:
        _weigh_lanes(
            tree.slot_edge, tree.slot_up, tree.first_up, tree.triangle, cost, classes[:whole], found.up, found.down
        )
    if whole < classes.size:
        _weigh(tree.slot_edge, tree.slot_up, tree.first_up, tree.triangle, cost, classes[whole:], found.up, found.down)


@kernel
def _weigh(
    slot_edge: Ints,
    slot_up: Bools,
    first_up: Ints,
    triangle: Ints,
    cost: Floats,
    classes: Ints,
    found_up: Floats,
    found_down: Floats,
) -> None:
    """One class after another. Unsigned numbers spare a look for negative ones."""
    for c in classes:
        up = found_up[c]
        down = found_down[c]
        up[:] = np.inf
        down[:] = np.inf
        for slot in range(slot_edge.size):
            e = slot_edge[slot]
            if e >= 0:
                price = cost[c, slot]
                if slot_up[slot]:
                    up[e] = min(up[e], price)
                else:
                    down[e] = min(down[e], price)
        k = np.uint64(0)
        one = np.uint64(1)
        for v in range(first_up.size - 1):
            last = np.uint64(first_up[v + 1])
            for i in range(np.uint64(first_up[v]), last):
                up_i = up[i]
                down_i = down[i]
                for j in range(i + one, last):
                    e = np.uint64(triangle[k])
                    k += one
                    up[e] = min(up[e], down_i + up[j])
                    down[e] = min(down[e], down[j] + up_i)


@kernel
def _weigh_lanes(
    slot_edge: Ints,
    slot_up: Bools,
    first_up: Ints,
    triangle: Ints,
    cost: Floats,
    classes: Ints,
    found_up: Floats,
    found_down: Floats,
) -> None:
    """Four classes side by side; their number is a multiple of four."""
    edges = found_up.shape[1]
    up = np.empty((edges, LANES))
    down = np.empty((edges, LANES))
    one = np.uint64(1)
    for c in range(0, classes.size, LANES):
        up[:] = np.inf
        down[:] = np.inf
        for lane in range(LANES):
            price = cost[classes[c + lane]]
            for slot in range(slot_edge.size):
                e = slot_edge[slot]
                if e >= 0:
                    if slot_up[slot]:
                        up[e, lane] = min(up[e, lane], price[slot])
                    else:
                        down[e, lane] = min(down[e, lane], price[slot])
        k = np.uint64(0)
        for v in range(first_up.size - 1):
            last = np.uint64(first_up[v + 1])
            for i in range(np.uint64(first_up[v]), last):
                up_0, up_1, up_2, up_3 = up[i, 0], up[i, 1], up[i, 2], up[i, 3]
                down_0, down_1, down_2, down_3 = down[i, 0], down[i, 1], down[i, 2], down[i, 3]
                for j in range(i + one, last):
                    e = np.uint64(triangle[k])
                    k += one
                    over_0 = down_0 + up[j, 0]
                    over_1 = down_1 + up[j, 1]
                    over_2 = down_2 + up[j, 2]
                    over_3 = down_3 + up[j, 3]
                    here_0, here_1, here_2, here_3 = up[e, 0], up[e, 1], up[e, 2], up[e, 3]
                    up[e, 0] = over_0 if over_0 < here_0 else here_0
                    up[e, 1] = over_1 if over_1 < here_1 else here_1
                    up[e, 2] = over_2 if over_2 < here_2 else here_2
                    up[e, 3] = over_3 if over_3 < here_3 else here_3
                    over_0 = down[j, 0] + up_0
                    over_1 = down[j, 1] + up_1
                    over_2 = down[j, 2] + up_2
                    over_3 = down[j, 3] + up_3
                    here_0, here_1, here_2, here_3 = down[e, 0], down[e, 1], down[e, 2], down[e, 3]
                    down[e, 0] = over_0 if over_0 < here_0 else here_0
                    down[e, 1] = over_1 if over_1 < here_1 else here_1
                    down[e, 2] = over_2 if over_2 < here_2 else here_2
                    down[e, 3] = over_3 if over_3 < here_3 else here_3
        for lane in range(LANES):
            up_row = found_up[classes[c + lane]]
            down_row = found_down[classes[c + lane]]
            for e in range(edges):
                up_row[e] = up[e, lane]
                down_row[e] = down[e, lane]
