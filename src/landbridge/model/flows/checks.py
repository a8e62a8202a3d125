"""Whether the inputs of an assignment fit together: everything that is wrong, told at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from landbridge.model.flows.curves import check_curves, delays_h
from landbridge.model.flows.records import Bools, Classes, Floats, Relations, VolumeDelay
from landbridge.model.paths import Graph

__all__ = ["check_inputs"]


def check_inputs(graph: Graph, delay: VolumeDelay, classes: Classes, relations: Relations) -> None:
    """Raise a ValueError that tells everything wrong with the inputs."""
    faults = _faults(graph, delay, classes, relations)
    if faults:
        raise ValueError("\n".join(["the assignment's inputs do not fit together:", *faults]))


def _faults(graph: Graph, delay: VolumeDelay, classes: Classes, relations: Relations) -> list[str]:
    """Everything that is wrong with the inputs; shapes first, since values are told by position."""
    m = graph.tail.size
    f = np.size(delay.delay_h)
    k = len(classes.name)
    r = np.size(relations.origin)
    shapes: list[tuple[str, npt.ArrayLike, tuple[int, ...]]] = [
        ("facility", delay.facility, (m,)),
        ("time_h", delay.time_h, (m,)),
        ("delay_h", delay.delay_h, (f,)),
        ("power", delay.power, (f,)),
        ("capacity_trains_day", delay.capacity_trains_day, (f,)),
        ("preload_trains_day", delay.preload_trains_day, (f,)),
        ("train_length_factor", delay.train_length_factor, (f,)),
        ("value_of_time_usd_t_h", classes.value_of_time_usd_t_h, (k,)),
        ("weight_trains_day_per_t_yr", classes.weight_trains_day_per_t_yr, (k,)),
        ("money_usd_t", classes.money_usd_t, (k, m)),
        ("origin", relations.origin, (r,)),
        ("destination", relations.destination, (r,)),
        ("class_index", relations.class_index, (r,)),
        ("tonnes_yr", relations.tonnes_yr, (r,)),
        ("outside_usd_t", relations.outside_usd_t, (r,)),
        ("scale_usd_t", relations.scale_usd_t, (r,)),
    ]
    faults = [
        f"  {name}: wanted shape {wanted}, got {np.shape(array)}"
        for name, array, wanted in shapes
        if np.shape(array) != wanted
    ]
    if faults:
        return faults

    def check(name: str, values: npt.ArrayLike, good: Callable[[Floats], Bools], wanted: str) -> None:
        array = np.asarray(values)
        fits = good(array)
        if fits.all():
            return
        bad = np.argwhere(~fits)
        where = ", ".join(str(i) for i in bad[0])
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        faults.append(f"  {name}[{where}]: wanted {wanted}, got {array[tuple(bad[0])]}{more}")

    def below(limit: int, least: int = 0) -> Callable[[Floats], Bools]:
        return lambda x: (x >= least) & (x < limit)

    def nonnegative(x: Floats) -> Bools:
        return (x >= 0.0) & np.isfinite(x)

    check("facility", delay.facility, below(f, -1), f"-1 or a facility below {f}")
    check("time_h", delay.time_h, nonnegative, "hours >= 0")
    check("delay_h", delay.delay_h, nonnegative, "hours >= 0")
    check("power", delay.power, lambda x: ((x >= 1.0) & np.isfinite(x)) | (x == 0.0), "0 or a number >= 1")
    check("capacity_trains_day", delay.capacity_trains_day, lambda x: x > 0.0, "trains a day > 0")
    check("preload_trains_day", delay.preload_trains_day, nonnegative, "trains a day >= 0")
    check("train_length_factor", delay.train_length_factor, lambda x: (x > 0.0) & np.isfinite(x), "a number > 0")
    check(
        "value_of_time_usd_t_h",
        classes.value_of_time_usd_t_h,
        lambda x: (x > 0.0) & np.isfinite(x),
        "USD per tonne and hour > 0",
    )
    check("weight_trains_day_per_t_yr", classes.weight_trains_day_per_t_yr, nonnegative, "a number >= 0")
    charged = bool(np.min(classes.money_usd_t, initial=0.0) >= 0.0)  # by far the largest array: one look is enough
    if not charged:
        check("money_usd_t", classes.money_usd_t, lambda x: x > -np.inf, "USD per tonne, or inf to forbid the arc")
    check("origin", relations.origin, below(graph.node_count), f"a node below {graph.node_count}")
    check("destination", relations.destination, below(graph.node_count), f"a node below {graph.node_count}")
    check("class_index", relations.class_index, below(k), f"a class below {k}")
    check("tonnes_yr", relations.tonnes_yr, nonnegative, "tonnes >= 0")
    check("outside_usd_t", relations.outside_usd_t, lambda x: x > -np.inf, "USD per tonne, or inf for none")
    scale = np.where(np.isfinite(relations.outside_usd_t), relations.scale_usd_t, 1.0)
    check(
        "scale_usd_t", scale, lambda x: (x > 0.0) & np.isfinite(x), "USD per tonne > 0 where there is an outside option"
    )
    if not faults:
        faults += check_curves(delay)
    if not faults and not charged:
        empty = delays_h(delay, np.zeros(f))
        time_h = delay.time_h + np.append(empty, 0.0)[delay.facility]
        cost = classes.money_usd_t + classes.value_of_time_usd_t_h[:, None] * time_h
        for class_, arc in np.argwhere(cost < 0.0)[:1]:
            faults.append(
                f"  money_usd_t[{class_}, {arc}]: the arc would cost class {classes.name[class_]!r} "
                f"{cost[class_, arc]} USD a tonne; wanted at least 0 with no volume"
            )
    return faults
