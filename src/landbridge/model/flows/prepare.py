"""Common ground of the solvers: check the inputs, lay them out for the kernels, and bring flows back in order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from landbridge.model.flows import kernels
from landbridge.model.flows.curves import areas_h, check_curves, curve_arrays, delays_h, responds
from landbridge.model.flows.kernels import (
    AnyFacilities,
    Facilities,
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
from landbridge.model.hierarchy import Arrivals, Forest, Weights, forest, hierarchy, join, search, weigh, weights
from landbridge.model.paths import Graph

__all__ = [
    "IDLE_SHARE",
    "Searcher",
    "assemble",
    "beckmann",
    "check_inputs",
    "first_stock",
    "flows_of",
    "prepare",
    "relative_gap",
    "restocked",
    "social_cost",
    "workers_for",
]

# Relations are loaded in this many steps at the start, each at the costs that the ones before have made: fewer would
# overload the cheapest paths, more would search more often. Several classes go one after another, since a step weighs
# only its own; one class goes in steps that each hold origins from everywhere (best of 1 to 16 in trials on five
# networks of cities and on the corridors).
LOADING_STEPS, LOADING_STEPS_OF_ONE_CLASS = 16, 4
# Below this number of looks at edges in all searches, starting threads costs more than it saves.
SMALL_WORK = 1_000_000
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
            steep=curves.height * curves.shape * share / curves.capacity,
            power=curves.shape,
            filling=1.0 / curves.capacity,
            preload=curves.preload,
            share=share,
        )
    class_index = np.asarray(relations.class_index, np.int64)
    origin = np.asarray(relations.origin, np.int64)
    tree_key = class_index * graph.node_count + origin
    rank = np.argsort(tree_key, kind="stable")
    keys, first = np.unique(tree_key[rank], return_index=True)
    first_target = np.append(first, rank.size).astype(np.int32)
    money = np.asarray(classes.money_usd_t, np.float64)[:, slots]
    tree = hierarchy(graph.node_count, graph.tail[slots], graph.head[slots], np.asarray(np.isfinite(money).any(axis=0)))
    searches = forest(
        tree,
        (keys % graph.node_count).astype(np.int32),
        (keys // graph.node_count).astype(np.int32),
        first_target,
        np.asarray(relations.destination)[rank].astype(np.int32),
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
        head=graph.head[slots],
        out_arc=slots,
        facility=facility,
        felt=np.where(np.append(rises | limited, False)[facility], facility, f).astype(np.int32),
        fixed_cost=money + vot[:, None] * constant_h,
        vot=vot,
        class_row=class_row.astype(np.int64),
        rank=rank,
        pair_tree=np.repeat(np.arange(keys.size, dtype=np.int32), np.diff(first_target)),
        tree=tree,
    )
    return problem, facilities, pairs, searches


# --- Searches, paths and the first guess ---------------------------------------------------------------------------


class Searcher:
    """Finds least costs at the delays as they are, and shares the work out among threads.

    Each search is one thread's and its answer does not depend on the others, so the shares do not matter.
    """

    def __init__(self, problem: Problem, forest: Forest, workers: int) -> None:
        self.problem, self.forest = problem, forest
        self._cost: Floats = np.empty_like(problem.fixed_cost)
        self._weights: Weights = weights(problem.tree, problem.vot.size)
        self._classes = np.unique(forest.class_index).astype(np.int32)
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None

    def __enter__(self) -> Searcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def __call__(
        self, facilities: AnyFacilities, limit: Floats, trees: Ints | None = None, *, more: Floats | None = None
    ) -> Arrivals:
        """Write least costs into the forest, and return the paths of relations whose least cost is below the limit.

        `trees` are the searches to make, by default all; `more` is charged on top of the costs, by class and slot.
        """
        problem, forest = self.problem, self.forest
        kernels.class_costs(problem, facilities, self._cost)
        if more is not None:
            self._cost += more
        classes = self._classes
        if trees is not None and classes.size > 1:
            classes = np.unique(forest.class_index[trees]).astype(np.int32)
        chosen = np.arange(forest.source.size, dtype=np.int32) if trees is None else trees
        if self._pool is None:
            weigh(problem.tree, self._cost, classes, self._weights)
            return search(problem.tree, self._weights, problem.head, forest, chosen, limit)
        self._shared(lambda part: weigh(problem.tree, self._cost, part, self._weights), classes)
        return join(
            self._shared(lambda part: search(problem.tree, self._weights, problem.head, forest, part, limit), chosen)
        )

    def _shared(self, work: Callable[[Ints], Any], whole: Ints) -> list[Any]:
        assert self._pool is not None  # noqa: S101 (asked for only with threads)
        parts = [part for part in np.array_split(whole, 4 * self._workers) if part.size]
        return list(self._pool.map(work, parts))


def first_stock(
    find: Searcher,
    facilities: AnyFacilities,
    pairs: Pairs,
    graph: Graph,
    relations: Relations,
    start: Flows | None,
    *,
    settle: bool = True,
) -> Stock:
    """Give every relation that can be served a first path, or the ones it had in `start`.

    `settle` levels the costs of paths from `start`.
    """
    problem, forest = find.problem, find.forest
    count = pairs.tonnes.size
    kernels.update(facilities)
    fresh = np.zeros(count)
    none = np.full(count, -1, np.int64)
    if start is not None:
        stock = _warm_stock(problem, facilities, pairs, graph, relations, start)
        kernels.load(pairs, stock, facilities)
        # Relations that lost all their paths look for new ones first; then all settle on the paths that they know,
        # before anyone else searches.
        without = (np.diff(stock.first) == 0) & (pairs.tonnes > 0.0)
        if without.any():
            trees = np.unique(problem.pair_tree[without]).astype(np.int32)
            found = _loaded(find, facilities, pairs, trees, without, fresh)
            stock = restocked(problem, pairs, stock, forest, found, fresh, none, facilities)
        kernels.renew(pairs, stock, facilities)
        if settle:
            known = np.diff(stock.first)
            active = np.flatnonzero((known > 1) | (pairs.elastic & (known > 0))).astype(np.int32)
            excess = kernels.appraise_rivals(pairs, kernels.rivals_of(active, pairs, stock, facilities), facilities)
            allowed = WARM_SHARE * excess
            idle = IDLE_SHARE * allowed / max(active.size, 1)
            mark = np.zeros(facilities.volume.size, np.int64)
            kernels.level(active, allowed, idle, pairs, stock, facilities, mark, np.zeros(1, np.int64))
            kernels.renew(pairs, stock, facilities)
        return stock
    nothing = np.zeros(0, np.int64)
    empty = np.empty(0, np.int32)
    stock = Stock(
        np.zeros(count + 1, np.int64),
        nothing,
        nothing,
        empty,
        nothing,
        nothing,
        empty,
        np.empty(0),
        np.empty(0),
        np.zeros(2, np.int64),
    )
    everyone = np.arange(forest.source.size, dtype=np.int32)
    if everyone.size:
        found = _loaded(find, facilities, pairs, everyone, pairs.tonnes > 0.0, fresh)
        stock = restocked(problem, pairs, stock, forest, found, fresh, none, facilities)
    kernels.renew(pairs, stock, facilities)
    return stock


def _loaded(
    find: Searcher, facilities: AnyFacilities, pairs: Pairs, trees: Ints, wanting: Bools, fresh: Floats
) -> Arrivals:
    """Find first paths for relations that want one, some searches at a time, and load them; tonnes go into `fresh`."""
    limit = np.where(wanting, np.inf, -np.inf)
    parts = []
    if np.unique(find.forest.class_index[trees]).size > 1:  # trees stand in the order of their classes
        steps = np.array_split(trees, min(LOADING_STEPS, trees.size))
    else:
        count = min(LOADING_STEPS_OF_ONE_CLASS, trees.size)
        steps = [np.ascontiguousarray(trees[step::count]) for step in range(count)]
    for chosen in steps:
        found = find(facilities, limit, chosen)
        kernels.first_tonnes(found.target, pairs, find.forest.distance, fresh)
        kernels.load_first(found, fresh, pairs, find.problem.felt, facilities)
        parts.append(found)
    return join(parts)


def _warm_stock(
    problem: Problem,
    facilities: AnyFacilities,
    pairs: Pairs,
    graph: Graph,
    relations: Relations,
    start: Flows,
) -> Stock:
    """Paths of earlier flows that may still be used, with their shares of the tonnes as they now are."""
    count = pairs.tonnes.size
    length = np.diff(start.path_first).astype(np.int64)
    relation = np.asarray(start.path_relation, np.int64)
    if start.time_h.size != graph.tail.size or start.network_tonnes_yr.size != count:
        raise ValueError(
            f"start: wanted flows on {graph.tail.size} arcs for {count} relations, "
            f"got {start.time_h.size} and {start.network_tonnes_yr.size}"
        )
    # STEP 1: paths in the order of the relations; which may still be used?
    inverse = np.empty(count, np.int64)
    inverse[problem.rank] = np.arange(count)
    pair = inverse[relation]
    chosen = np.flatnonzero((start.path_tonnes_yr > 0.0) & (np.asarray(relations.tonnes_yr)[relation] > 0.0))
    chosen = chosen[np.argsort(pair[chosen], kind="stable")]
    slot_of = np.empty(graph.tail.size, np.int32)
    slot_of[graph.out_arc] = np.arange(graph.tail.size, dtype=np.int32)
    entries = int(length[chosen].sum())
    rows = chosen.size
    stock = Stock(
        first=np.zeros(count + 1, np.int64),
        slot_first=np.empty(rows, np.int64),
        slot_last=np.empty(rows, np.int64),
        slots=np.empty(entries, np.int32),
        facility_first=np.empty(rows, np.int64),
        facility_last=np.empty(rows, np.int64),
        facilities=np.empty(entries, np.int32),
        fixed=np.empty(rows),
        flow=np.empty(rows),
        used=np.zeros(2, np.int64),
    )
    kept_count, refused, facility = kernels.restore(
        chosen,
        pair,
        np.asarray(start.path_first, np.int32),
        np.asarray(start.path_arcs, np.int32),
        np.asarray(start.path_tonnes_yr, np.float64),
        np.asarray(relations.origin, np.int32)[problem.rank],
        np.asarray(relations.destination, np.int32)[problem.rank],
        graph.tail,
        graph.head,
        slot_of,
        np.asarray(relations.class_index, np.int32)[problem.rank],
        problem,
        facilities.volume.size - 1,
        stock,
    )
    if refused == -1:
        raise ValueError("start: its paths do not join these relations on this graph")
    if refused >= 0:
        raise ValueError(_twice(int(problem.rank[refused]), facility))
    stock = stock._replace(
        slot_first=stock.slot_first[:kept_count],
        slot_last=stock.slot_last[:kept_count],
        facility_first=stock.facility_first[:kept_count],
        facility_last=stock.facility_last[:kept_count],
        fixed=stock.fixed[:kept_count],
        flow=stock.flow[:kept_count],
    )
    pair = np.repeat(np.arange(count), np.diff(stock.first))

    # STEP 2: shares of the tonnes.
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
    arrivals: Arrivals,
    fresh: Floats,
    best_path: Longs,
    facilities: AnyFacilities,
) -> Stock:
    """Leave out idle paths but the best, and put in those that have arrived, with their tonnes in `fresh`."""
    none = facilities.volume.size - 1
    count, slot_count, felt_count = kernels.measure(stock, best_path, arrivals, problem.felt, none)
    ends = [np.empty(count, np.int64) for _ in range(4)]
    new = Stock(
        np.zeros(pairs.tonnes.size + 1, np.int64),
        ends[0],
        ends[1],
        _with_room(stock.slots, int(stock.used[0]), slot_count),
        ends[2],
        ends[3],
        _with_room(stock.facilities, int(stock.used[1]), felt_count),
        np.empty(count),
        np.empty(count),
        stock.used.copy(),
    )
    pair_class = forest.class_index[problem.pair_tree]
    pair, twice = kernels.restock(stock, new, best_path, arrivals, fresh, problem, pair_class, none)
    if twice >= 0:
        raise ValueError(_twice(int(problem.rank[pair]), twice))
    return new


def _with_room(array: Ints, used: int, more: int) -> Ints:
    if used + more <= array.size:
        return array
    grown = np.empty(used + more + array.size, np.int32)
    grown[:used] = array[:used]
    return grown


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
    length = (stock.slot_last - stock.slot_first)[chosen]
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
