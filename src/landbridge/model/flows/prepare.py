"""Common ground of the solvers: check the inputs, lay them out for the kernels, and bring flows back in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from landbridge.model.flows import kernels
from landbridge.model.flows.curves import areas_h, check_curves, curve_arrays, delays_h, responds
from landbridge.model.flows.kernels import (
    AnyFacilities,
    Facilities,
    Forest,
    Longs,
    Pairs,
    PlainFacilities,
    Problem,
    Stock,
)
from landbridge.model.flows.records import (
    Bools,
    Classes,
    Convergence,
    Floats,
    Flows,
    Ints,
    Principle,
    Relations,
    VolumeDelay,
)
from landbridge.model.paths import Graph, grow_trees

__all__ = [
    "IDLE_SHARE",
    "Crew",
    "assemble",
    "beckmann",
    "check_inputs",
    "class_costs",
    "crew",
    "excess_by_relation",
    "first_stock",
    "flows_of",
    "prepare",
    "relative_gap",
    "restocked",
    "social_cost",
    "workers_for",
]

# Relations are loaded in this many steps at the start, each at the costs that the ones before have made: fewer would
# overload the cheapest paths, more would search with less work for each thread.
LOADING_STEPS = 16
# Below this number of arc looks in all trees, starting threads costs more than it saves.
SMALL_WORK = 200_000
# Flows from an earlier solution settle on their paths until the excess among these has fallen to this share.
WARM_SHARE = 0.01
# A relation is left alone in a sweep when its own excess is below this share of the average that the round allows.
IDLE_SHARE = 0.5


def check_inputs(graph: Graph, delay: VolumeDelay, classes: Classes, relations: Relations) -> None:
    """Raise a ValueError that tells everything wrong with the inputs."""
    faults = _faults(graph, delay, classes, relations)
    if faults:
        raise ValueError("\n".join(["the assignment's inputs do not fit together:", *faults]))


def workers_for(graph: Graph, forest: Forest, threads: int | None) -> int:
    """Threads worth starting."""
    if forest.source.size * graph.tail.size < SMALL_WORK:
        return 1
    return int(numba.get_num_threads()) if threads is None else threads


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
        bad = np.argwhere(~good(array))
        if bad.size:
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
    if not faults:
        empty = delays_h(delay, np.zeros(f))
        time_h = delay.time_h + np.append(empty, 0.0)[delay.facility]
        cost = classes.money_usd_t + classes.value_of_time_usd_t_h[:, None] * time_h
        for class_, arc in np.argwhere(cost < 0.0)[:1]:
            faults.append(
                f"  money_usd_t[{class_}, {arc}]: the arc would cost class {classes.name[class_]!r} "
                f"{cost[class_, arc]} USD a tonne; wanted at least 0 with no volume"
            )
    return faults


def prepare(
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    *,
    social: bool = False,
    room: Floats | None = None,
    linear: bool = False,
) -> tuple[Problem, AnyFacilities, Pairs, Forest]:
    """Put arcs in the order of slots and relations in the order of trees; copies, so that kernels see one layout.

    `social` charges each tonne what it costs others; `room` gives the trains a day above which a queue forms (inf:
    none); `linear` keeps all delays as they are without any volume of ours.
    """
    f = delay.delay_h.size
    slots = graph.out_arc
    facility = np.asarray(delay.facility, np.int32)[slots]
    limited = np.zeros(f, np.bool_) if room is None else np.isfinite(room)
    rises = np.zeros(f, np.bool_) if linear else responds(delay)
    constant_h = delay.time_h[slots] + np.append(np.where(rises, 0.0, delays_h(delay, np.zeros(f))), 0.0)[facility]
    vot = np.array(classes.value_of_time_usd_t_h, np.float64)
    weight = np.asarray(classes.weight_trains_day_per_t_yr, np.float64)
    burden, class_row = np.unique(weight / vot, return_inverse=True) if social else (np.zeros(1), np.zeros(vot.size))
    curves = curve_arrays(delay, rises)
    share = np.append(1.0 / delay.train_length_factor, 0.0)
    facilities: AnyFacilities
    if social or limited.any() or curves.kind.any():
        facilities = Facilities(
            volume=np.zeros(f + 1),
            delay=np.zeros((burden.size, f + 1)),
            slope=np.zeros((burden.size, f + 1)),
            curves=curves,
            share=share,
            social=social,
            burden=burden.astype(np.float64),
            worth=np.zeros(f + 1),
            room=np.append(np.where(limited, np.zeros(f) if room is None else room, 0.0), 0.0),
            queue=np.zeros(f + 1),
            stiffness=np.zeros(f + 1),
        )
    else:
        facilities = PlainFacilities(
            volume=np.zeros(f + 1),
            delay=np.zeros(f + 1),
            slope=np.zeros(f + 1),
            delay_h=curves.height,
            power=curves.shape,
            capacity=curves.capacity,
            preload=curves.preload,
            share=share,
        )
    class_index = np.asarray(relations.class_index, np.int64)
    origin = np.asarray(relations.origin, np.int64)
    tree_key = class_index * graph.node_count + origin
    rank = np.argsort(tree_key, kind="stable")
    keys, first = np.unique(tree_key[rank], return_index=True)
    first_target = np.append(first, rank.size).astype(np.int32)
    forest = Forest(
        source=(keys % graph.node_count).astype(np.int32),
        class_index=(keys // graph.node_count).astype(np.int32),
        slot_in=np.full((keys.size, graph.node_count), -1, np.int32),
        order=np.empty((keys.size, graph.node_count), np.int32),
        settled=np.zeros(keys.size, np.int32),
        first_target=first_target,
        target=np.asarray(relations.destination)[rank].astype(np.int32),
        distance=np.full(rank.size, np.inf),
    )
    outside = np.asarray(relations.outside_usd_t, np.float64)[rank]
    tonnes = np.asarray(relations.tonnes_yr, np.float64)[rank]
    pairs = Pairs(
        tonnes=tonnes,
        vot=vot[class_index[rank]],
        weight=weight[class_index[rank]],
        elastic=np.isfinite(outside) & (tonnes > 0.0),
        outside_cost=outside,
        scale=np.asarray(relations.scale_usd_t, np.float64)[rank],
        outside=np.zeros(rank.size),
        row=class_row.astype(np.int32)[class_index[rank]],
        rate=np.ones(rank.size) if social else (weight / vot)[class_index[rank]],
    )
    problem = Problem(
        first_out=graph.first_out,
        tail=graph.tail[slots],
        head=graph.head[slots],
        out_arc=slots,
        facility=facility,
        felt=np.where(np.append(rises | limited, False)[facility], facility, f).astype(np.int32),
        fixed_cost=np.asarray(classes.money_usd_t, np.float64)[:, slots] + vot[:, None] * constant_h,
        vot=vot,
        class_row=class_row.astype(np.int64),
        rank=rank,
        pair_tree=np.repeat(np.arange(keys.size, dtype=np.int32), np.diff(first_target)),
    )
    return problem, facilities, pairs, forest


# --- Trees, paths and the first guess -----------------------------------------------------------------------------


Crew: TypeAlias = Callable[..., None]


@contextmanager
def crew(workers: int) -> Iterator[Crew]:
    """Give a function that shares trees out among threads; each tree is one thread's, so the shares do not matter."""

    def tree_arguments(forest: Forest) -> tuple[Any, ...]:
        return (
            forest.source,
            forest.class_index,
            forest.slot_in,
            forest.order,
            forest.settled,
            forest.first_target,
            forest.target,
            forest.distance,
        )

    if workers <= 1:

        def alone(
            work: Callable[..., None], arcs: tuple[Ints, ...], cost: Floats, forest: Forest, trees: Ints | None = None
        ) -> None:
            chosen = np.arange(forest.source.size, dtype=np.int32) if trees is None else trees
            work(*arcs, cost, chosen, *tree_arguments(forest))

        yield alone
        return

    with ThreadPoolExecutor(workers) as pool:

        def together(
            work: Callable[..., None], arcs: tuple[Ints, ...], cost: Floats, forest: Forest, trees: Ints | None = None
        ) -> None:
            chosen = np.arange(forest.source.size, dtype=np.int32) if trees is None else trees
            parts = [np.ascontiguousarray(part) for part in np.array_split(chosen, 4 * workers) if part.size]
            jobs = [pool.submit(work, *arcs, cost, part, *tree_arguments(forest)) for part in parts]
            for job in jobs:
                job.result()

        yield together


def class_costs(problem: Problem, facilities: AnyFacilities) -> Floats:
    """USD per tonne by class and slot at the delays as they are."""
    return (
        problem.fixed_cost + problem.vot[:, None] * np.atleast_2d(facilities.delay)[problem.class_row][:, problem.felt]
    )


def first_stock(
    crew: Crew,
    problem: Problem,
    facilities: AnyFacilities,
    pairs: Pairs,
    forest: Forest,
    graph: Graph,
    classes: Classes,
    relations: Relations,
    start: Flows | None,
    *,
    settle: bool = True,
) -> Stock:
    """Grow all trees and give every relation that can be served a first path, or the ones it had in `start`.

    `settle` levels the costs of paths from `start` before trees are grown.
    """
    count = pairs.tonnes.size
    kernels.update(facilities)
    grow = (problem.first_out, problem.head)
    fresh = np.full(count, -1.0)
    if start is not None:
        stock = _warm_stock(problem, facilities, pairs, graph, classes, relations, start)
        kernels.load(pairs, stock, facilities)
        # Relations that lost all their paths look for new ones first; then all settle on the paths that they know,
        # before anyone else searches.
        without = (np.diff(stock.first) == 0) & (pairs.tonnes > 0.0)
        if without.any():
            trees = np.unique(problem.pair_tree[without]).astype(np.int32)
            crew(grow_trees, grow, class_costs(problem, facilities), forest, trees)
            without &= np.isfinite(forest.distance)
            fresh[without] = _first_tonnes(pairs, forest.distance, without)
        stock = restocked(problem, pairs, stock, forest, fresh, np.full(count, -1, np.int64), facilities)
        kernels.settle(pairs, stock)
        kernels.load(pairs, stock, facilities)
        if settle:
            known = np.diff(stock.first)
            active = np.flatnonzero((known > 1) | (pairs.elastic & (known > 0))).astype(np.int32)
            allowed = WARM_SHARE * kernels.appraise_known(active, pairs, stock, facilities)
            idle = IDLE_SHARE * allowed / max(active.size, 1)
            mark = np.zeros(facilities.volume.size, np.int64)
            kernels.level(active, allowed, idle, pairs, stock, facilities, mark, np.zeros(1, np.int64))
            kernels.settle(pairs, stock)
            kernels.load(pairs, stock, facilities)
        crew(grow_trees, grow, class_costs(problem, facilities), forest)
        return stock
    nothing = np.zeros(1, np.int64)
    none = np.empty(0, np.int32)
    stock = Stock(np.zeros(count + 1, np.int64), nothing, none, nothing, none, np.empty(0), np.empty(0))
    steps = min(LOADING_STEPS, forest.source.size)
    for step in range(steps):
        trees = np.arange(step, forest.source.size, steps, dtype=np.int32)
        crew(grow_trees, grow, class_costs(problem, facilities), forest, trees)
        mine = np.isin(problem.pair_tree, trees) & (pairs.tonnes > 0.0) & np.isfinite(forest.distance)
        fresh[mine] = _first_tonnes(pairs, forest.distance, mine)
        kernels.preview(
            np.flatnonzero(mine),
            fresh,
            pairs,
            problem.pair_tree,
            forest,
            problem.tail,
            problem.felt,
            facilities,
        )
        kernels.update(facilities)
    stock = restocked(problem, pairs, stock, forest, fresh, np.full(count, -1, np.int64), facilities)
    kernels.settle(pairs, stock)
    kernels.load(pairs, stock, facilities)
    return stock


def _first_tonnes(pairs: Pairs, distance: Floats, mine: Bools) -> Floats:
    """Tonnes for the first path of some relations, at the costs found; sets what stays outside."""
    elastic = pairs.elastic[mine]
    tonnes = pairs.tonnes[mine]
    scale = np.where(elastic, pairs.scale[mine], 1.0)
    odds = np.clip((pairs.outside_cost[mine] - distance[mine]) / scale, -kernels.LOG_ODDS_BOUND, kernels.LOG_ODDS_BOUND)
    pairs.outside[mine] = np.where(elastic, tonnes / (1.0 + np.exp(odds)), 0.0)
    return np.where(elastic, tonnes / (1.0 + np.exp(-odds)), tonnes)


def _warm_stock(
    problem: Problem,
    facilities: AnyFacilities,
    pairs: Pairs,
    graph: Graph,
    classes: Classes,
    relations: Relations,
    start: Flows,
) -> Stock:
    """Paths of earlier flows that may still be used, with their shares of the tonnes as they now are."""
    count = pairs.tonnes.size
    length = np.diff(start.path_first).astype(np.int64)
    relation = np.asarray(start.path_relation, np.int64)
    arcs = np.asarray(start.path_arcs, np.int64)
    if start.time_h.size != graph.tail.size or start.network_tonnes_yr.size != count:
        raise ValueError(
            f"start: wanted flows on {graph.tail.size} arcs for {count} relations, "
            f"got {start.time_h.size} and {start.network_tonnes_yr.size}"
        )
    path = np.repeat(np.arange(relation.size), length)
    ends = np.asarray(relations.origin, np.int64)[relation]
    begins = np.append(np.asarray(start.path_first[:-1], np.int64)[length > 0], arcs.size)
    expected = np.empty(arcs.size, np.int64)  # node from which each arc should leave
    expected[1:] = graph.head[arcs[:-1]]
    expected[begins[:-1]] = ends[length > 0]
    ends[length > 0] = graph.head[arcs[begins[1:] - 1]]
    if (expected != graph.tail[arcs]).any() or (ends != relations.destination[relation]).any():
        raise ValueError("start: its paths do not join these relations on this graph")

    # STEP 1: which paths stay?
    class_of_path = np.asarray(relations.class_index, np.int64)[relation]
    barred = np.isinf(classes.money_usd_t[class_of_path[path], arcs])
    stays = (np.bincount(path, weights=barred, minlength=relation.size) == 0) & (start.path_tonnes_yr > 0.0)
    inverse = np.empty(count, np.int64)
    inverse[problem.rank] = np.arange(count)
    stays &= relations.tonnes_yr[relation] > 0.0
    chosen = np.flatnonzero(stays)
    chosen = chosen[np.argsort(inverse[relation[chosen]], kind="stable")]
    pair = inverse[relation[chosen]]

    # STEP 2: their arcs and facilities, in the order of the relations.
    slot_of = np.empty(graph.tail.size, np.int64)
    slot_of[graph.out_arc] = np.arange(graph.tail.size)
    slot_first = np.append(0, np.cumsum(length[chosen]))
    entry = np.arange(slot_first[-1]) - np.repeat(slot_first[:-1] - start.path_first[chosen], length[chosen])
    slots = slot_of[arcs[entry]]
    new_path = np.repeat(np.arange(chosen.size), length[chosen])
    facility = problem.facility[slots]
    using = np.flatnonzero(facility >= 0)
    uses = new_path[using] * facilities.volume.size + facility[using]
    if np.unique(uses).size < uses.size:
        values, times = np.unique(uses, return_counts=True)
        twice = int(values[times > 1][0])
        raise ValueError(_twice(int(relation[chosen[twice // facilities.volume.size]]), twice % facilities.volume.size))
    felt = problem.felt[slots]
    feels = felt < facilities.volume.size - 1
    fixed = problem.fixed_cost[class_of_path[chosen][new_path], slots]
    stock = Stock(
        first=np.searchsorted(pair, np.arange(count + 1)).astype(np.int64),
        slot_first=slot_first.astype(np.int64),
        slots=slots.astype(np.int32),
        facility_first=np.append(0, np.cumsum(np.bincount(new_path[feels], minlength=chosen.size))).astype(np.int64),
        facilities=felt[feels].astype(np.int32),
        fixed=np.bincount(new_path, weights=fixed, minlength=chosen.size).astype(np.float64),
        flow=np.asarray(start.path_tonnes_yr, np.float64)[chosen],
    )

    # STEP 3: shares of the tonnes.
    kept = np.bincount(pair, weights=stock.flow, minlength=count)
    was_outside = np.asarray(start.outside_tonnes_yr, np.float64)[problem.rank]
    was_inside = np.asarray(start.network_tonnes_yr, np.float64)[problem.rank]
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.clip(np.log(was_inside) - np.log(was_outside), -kernels.LOG_ODDS_BOUND, kernels.LOG_ODDS_BOUND)
    inside = np.where(pairs.elastic, pairs.tonnes / (1.0 + np.exp(-odds)), pairs.tonnes)
    served = kept > 0.0
    pairs.outside[:] = np.where(pairs.elastic & served, pairs.tonnes / (1.0 + np.exp(odds)), 0.0)
    stock.flow[:] *= (inside[served] / kept[served])[np.searchsorted(np.flatnonzero(served), pair)]
    return stock


def restocked(
    problem: Problem,
    pairs: Pairs,
    stock: Stock,
    forest: Forest,
    fresh: Floats,
    best_path: Longs,
    facilities: AnyFacilities,
) -> Stock:
    """Leave out idle paths and put in the trees' paths where `fresh` holds tonnes for one (-1: none)."""
    joins = fresh >= 0.0
    keeps = stock.flow > 0.0
    keeps[best_path[(best_path >= 0) & ~joins]] = True
    count, slot_count, felt_count = kernels.measure(
        stock, keeps, joins, problem.pair_tree, forest, problem.tail, problem.felt, facilities.volume.size - 1
    )
    new = Stock(
        first=np.zeros(pairs.tonnes.size + 1, np.int64),
        slot_first=np.zeros(count + 1, np.int64),
        slots=np.empty(slot_count, np.int32),
        facility_first=np.zeros(count + 1, np.int64),
        facilities=np.empty(felt_count, np.int32),
        fixed=np.empty(count),
        flow=np.empty(count),
    )
    seen = np.full(facilities.volume.size, -1, np.int64)
    pair, twice = kernels.restock(
        stock,
        new,
        keeps,
        fresh,
        problem.pair_tree,
        forest,
        problem.tail,
        problem.facility,
        problem.felt,
        problem.fixed_cost,
        seen,
    )
    if twice >= 0:
        raise ValueError(_twice(int(problem.rank[pair]), twice))
    return new


def _twice(relation: int, facility: int) -> str:
    return (
        f"relation {relation}: its path uses facility {facility} on more than one arc; give arcs that follow each "
        "other their own facilities, or join them into one arc"
    )


def relative_gap(excess: float, total: float) -> float:
    """Relative gap; where nothing costs anything there is nothing to gain either."""
    if total > 0.0:
        return max(excess, 0.0) / total
    return 0.0 if excess <= 0.0 else np.inf


# --- The result ---------------------------------------------------------------------------------------------------


def flows_of(
    principle: Principle,
    problem: Problem,
    pairs: Pairs,
    forest: Forest,
    stock: Stock,
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    convergence: Convergence,
) -> Flows:
    """Back to the caller's order; without a potential."""
    count = pairs.tonnes.size
    relation = problem.rank[np.repeat(np.arange(count), np.diff(stock.first))]
    chosen = np.argsort(relation, kind="stable")
    chosen = chosen[stock.flow[chosen] > 0.0]
    length = np.diff(stock.slot_first)[chosen]
    path_first = np.append(0, np.cumsum(length))
    entry = np.arange(path_first[-1]) - np.repeat(path_first[:-1] - stock.slot_first[chosen], length)
    cost = np.empty(count)
    cost[problem.rank] = forest.distance
    outside = np.empty(count)
    outside[problem.rank] = pairs.outside
    return assemble(
        principle,
        graph,
        delay,
        classes,
        relations,
        path_first=path_first,
        path_arcs=problem.out_arc[stock.slots[entry]],
        path_relation=relation[chosen],
        path_tonnes=stock.flow[chosen],
        outside=outside,
        cost=cost,
        convergence=convergence,
    )


def assemble(
    principle: Principle,
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    *,
    path_first: npt.NDArray[Any],
    path_arcs: npt.NDArray[Any],
    path_relation: npt.NDArray[Any],
    path_tonnes: Floats,
    outside: Floats,
    cost: Floats,
    convergence: Convergence,
) -> Flows:
    """Add up paths; relations without one go outside, or stay unserved where there is no outside option."""
    m = graph.tail.size
    k = len(classes.name)
    count = relations.tonnes_yr.size
    length = np.diff(path_first)
    class_index = np.asarray(relations.class_index, np.int64)
    cell = class_index[np.repeat(path_relation, length)] * m + path_arcs
    tonnes = np.repeat(path_tonnes, length)
    arc_tonnes = np.bincount(cell, weights=tonnes, minlength=k * m).astype(np.float64).reshape(k, m)
    used = delay.facility >= 0
    arc_trains = np.asarray(classes.weight_trains_day_per_t_yr, np.float64) @ arc_tonnes
    loaded = np.bincount(delay.facility[used], weights=arc_trains[used], minlength=delay.delay_h.size)
    facility_trains = np.asarray(loaded / delay.train_length_factor, np.float64)
    no_path = np.isinf(cost)
    has_outside = np.isfinite(relations.outside_usd_t)
    return Flows(
        principle=principle,
        arc_tonnes_yr=arc_tonnes,
        facility_trains_day=facility_trains,
        time_h=delay.time_h + np.append(delays_h(delay, facility_trains), 0.0)[delay.facility],
        path_first=path_first.astype(np.int32),
        path_arcs=path_arcs.astype(np.int32),
        path_relation=path_relation.astype(np.int32),
        path_tonnes_yr=path_tonnes,
        network_tonnes_yr=np.bincount(path_relation, weights=path_tonnes, minlength=count).astype(np.float64),
        outside_tonnes_yr=np.where(no_path & has_outside, relations.tonnes_yr, outside),
        unserved_tonnes_yr=np.where(no_path & ~has_outside, relations.tonnes_yr, 0.0),
        cost_usd_t=cost,
        no_path=no_path,
        potential=np.nan,
        convergence=convergence,
    )


def beckmann(delay: VolumeDelay, classes: Classes, relations: Relations, flows: Flows) -> float:
    """The function that a user equilibrium minimises (see the top of `equilibrium`)."""
    rate = classes.weight_trains_day_per_t_yr / classes.value_of_time_usd_t_h
    value = float(delay.train_length_factor @ areas_h(delay, flows.facility_trains_day))
    value += float(rate @ _spent(delay.time_h, classes, flows))
    return value + float(rate[relations.class_index] @ _kept_out(relations, flows))


def social_cost(delay: VolumeDelay, classes: Classes, relations: Relations, flows: Flows) -> float:
    """What all tonnes cost together, in USD a year (see the top of `optimum`)."""
    time_h = delay.time_h + np.append(delays_h(delay, flows.facility_trains_day), 0.0)[delay.facility]
    return float(_spent(time_h, classes, flows).sum() + _kept_out(relations, flows).sum())


def excess_by_relation(pairs: Pairs, stock: Stock, facilities: AnyFacilities, least: Floats) -> Floats:
    """What each relation would save if all its tonnes took their cheapest alternative, in USD a year."""
    excess = np.empty(pairs.tonnes.size)
    kernels.appraise_each(pairs, stock, facilities, least, excess)
    return excess


def _spent(time_h: Floats, classes: Classes, flows: Flows) -> Floats:
    """USD a year of each class on all arcs."""
    carried = flows.arc_tonnes_yr > 0.0
    price = np.where(carried, classes.money_usd_t, 0.0) + classes.value_of_time_usd_t_h[:, None] * time_h
    return np.asarray(np.where(carried, price * flows.arc_tonnes_yr, 0.0).sum(axis=1), np.float64)


def _kept_out(relations: Relations, flows: Flows) -> Floats:
    """What the outside option costs each relation, less the worth of having the choice."""
    value = np.zeros(relations.tonnes_yr.size)
    elastic = np.isfinite(relations.outside_usd_t) & (flows.outside_tonnes_yr > 0.0)
    e, d = flows.outside_tonnes_yr[elastic], flows.network_tonnes_yr[elastic]
    total = relations.tonnes_yr[elastic]
    # e ln e + d ln d - Q ln Q, written so that its large parts do not cancel; d = 0 where no path leads.
    entropy = e * np.log(e / total) + np.where(d > 0.0, d * np.log(np.where(d > 0.0, d, 1.0) / total), 0.0)
    value[elastic] = relations.outside_usd_t[elastic] * e + relations.scale_usd_t[elastic] * entropy
    return value
