r"""User equilibrium of several classes of cargo with an outside option.

Problem
    Relation r sends Q_r tonnes of class k. Each tonne takes a path, or stays outside. An arc costs class k
    ``money_ka + vot_k * (time_a + D_f(v_f))`` per tonne, D_f the delay of the arc's facility f at its volume
    ``v_f = sum of w_k * h_f * x_ka`` (trains a day; x tonnes, w_k a tonne's weight, h_f = 1 / train length factor).
    Wanted: on no relation has a tonne a cheaper alternative, and the outside option has the logit share
    ``e / Q = 1 / (1 + exp((w - c) / s))`` at least network cost c. Put as a cost of its own, the outside option costs
    ``u(e) = w + s ln(e / (Q - e))``, which rises strictly; the equilibrium then makes all used alternatives cost the
    same.
Potential
    Because the weight of a tonne is a product w_k h_f, the equilibrium minimises::

        sum_f (1 / h_f) * integral of D_f from 0 to v_f
        + sum_k (w_k / vot_k) * sum_a (money_ka + vot_k time_a) x_ka
        + sum_r (w_k / vot_k) * [w e + s (e ln e + (Q - e) ln(Q - e) - Q ln Q)]

    whose derivative along a path is (w_k / vot_k) times the path's cost, and along the outside option (w_k / vot_k)
    times u(e). It is convex (delays do not fall), and strictly so in the volumes of facilities whose delay rises and in
    the outside quantities: those are unique. What each class carries on a path need not be.
Method
    Column generation with gradient projection (Jayakrishnan et al., 1994, is the root of this family). In every round,
    costs are frozen, the least-cost tree of each origin and class is mended, which gives the exact gap, and each
    relation with a cheaper path receives it. Then Gauss-Seidel sweeps over the relations move tonnes from each used
    path to the cheapest by Newton steps on the facilities in which the two differ, and to or from the outside option
    by a safeguarded one-dimensional solve in the log of its odds, which keeps both sides positive. Now and then all
    relations move on in the direction that a group of sweeps has taken, as far as the potential falls. Sweeps end when
    the excess over the known paths is a tenth of the round's. Tonnes are moved by one thread in a fixed order and the
    trees do not depend on each other: results are the same for any number of threads.
Stop
    ``relative gap = sum_r [sum_p f_p c_p + e u - Q min(c, u)] / sum_r [sum_p f_p c_p + e max(w, 0)]`` at most `gap`, c
    from newly found least-cost trees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from landbridge.errors import NotConverged
from landbridge.model.flows.records import Bools, Classes, Convergence, Floats, Flows, Ints, Relations, VolumeDelay
from landbridge.model.paths import Graph, grow_trees, mend_trees

__all__ = ["assign"]

# Relations are loaded in this many steps at the start, each at the costs that the ones before have made: fewer would
# overload the cheapest paths, more would search with less work for each thread.
LOADING_STEPS = 16
# Sweeps of a round end when the excess over the known paths has fallen to this share of the round's: tighter wastes
# sweeps on paths that the next round would replace, looser wastes searches (0.1 was best in the trials behind it).
INNER_SHARE = 0.1
MOST_SWEEPS = 300
# A relation is left alone in a sweep when its own excess is below this share of the average that the round allows.
IDLE_SHARE = 0.5
# After so many sweeps, what they have moved together is moved again, as far as the potential falls: relations that take
# turns on the same facilities otherwise creep towards their equilibrium. A stride costs about as much as ten sweeps.
STRIDE_EVERY = 20
# A stride's steps grow by this factor, at most so often, and are then narrowed by halving so often.
STRIDE_GROWTH = 4.0
MOST_STRETCHES = 10
HALVINGS = 4
# A stride may raise the excess so many times, since relations must be put level again after it; if it raises it more,
# what fell was only the rounding of the potential, and the stride is taken back. Of 1, 2 and 10, only 10 left none of
# the hard cases among many random networks creeping.
STRIDE_EXCESS = 10.0
# A relation with an outside option goes at most this share of the way to where one of its paths is empty.
SHORT_OF_EMPTY = 0.9
# A new path must be cheaper than the known ones by more than adding up the same costs in another order can feign.
ROUNDING = 1e-13
# The log of the odds between network and outside option is kept within these bounds: beyond, the smaller side is less
# than 1e-30 of the whole, which no total can feel, while the logarithms stay finite.
LOG_ODDS_BOUND = 69.0
# Shares of the whole that count as standing at that bound, exp(-69) being 1.08e-30.
AT_BOUND = 2e-30
# Below this number of arc looks in all trees, starting threads costs more than it saves.
SMALL_WORK = 200_000

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Longs = npt.NDArray[np.int64]


def _kernel(function: _Function) -> _Function:
    return cast(_Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


class _Facilities(NamedTuple):
    """Facilities, and one more at the end that stands for none and is never late."""

    volume: Floats
    delay: Floats  # hours at the volume
    slope: Floats  # hours by which one more tonne of weight 1 makes it later
    delay_h: Floats
    power: Floats
    capacity: Floats
    preload: Floats
    share: Floats  # 1 / train length factor


class _Pairs(NamedTuple):
    """Relations in the order of the trees, class before origin."""

    tonnes: Floats
    vot: Floats
    weight: Floats
    elastic: Bools
    outside_cost: Floats
    scale: Floats
    outside: Floats  # tonnes on the outside option; written


class _Stock(NamedTuple):
    """Known paths in the order of the relations; costs split into a fixed part and the delays of some facilities."""

    first: _Longs  # paths of each relation
    slot_first: _Longs
    slots: Ints
    facility_first: _Longs
    facilities: Ints  # those whose delay depends on volume
    fixed: Floats  # USD per tonne
    flow: Floats  # tonnes; written


class _Forest(NamedTuple):
    """One least-cost tree for each origin and class."""

    source: Ints
    class_index: Ints
    slot_in: Ints
    order: Ints
    settled: Ints
    first_target: Ints
    target: Ints
    distance: Floats


class _Problem(NamedTuple):
    """What stays the same from round to round; arcs by slot."""

    first_out: Ints
    tail: Ints
    head: Ints
    out_arc: Ints
    facility: Ints  # -1: none
    felt: Ints  # facility whose delay responds to volume, else the last, which is never late
    fixed_cost: Floats  # USD per tonne by class and slot
    vot: Floats
    rank: _Longs  # the caller's number of each relation
    pair_tree: Ints


def assign(
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    *,
    gap: float = 1e-6,
    max_iterations: int = 500,
    start: Flows | None = None,
    progress: Callable[[int, float], None] | None = None,
    threads: int | None = None,
) -> Flows:
    """Find the user equilibrium.

    Parameters
    ----------
    graph
        Where cargo moves.
    delay
        How time grows with volume.
    classes
        Kinds of cargo, with their costs.
    relations
        Demand and outside options.
    gap
        Relative gap to reach.
    max_iterations
        Rounds after which to give up.
    start
        Flows on the same graph and for the same relations (costs, capacities and tonnes may differ) whose paths are
        the first guess; paths over arcs that are now forbidden are left out. The default begins from nothing.
    progress
        Told the round and its relative gap.
    threads
        Threads for the searches; by default as many as Numba would use. The result does not depend on it.

    Returns
    -------
    Flows
        The equilibrium; its `convergence` has the status ``converged``.

    Raises
    ------
    ValueError
        If the inputs do not fit together, with all faults found, or a least-cost path uses a facility twice.
    NotConverged
        If the gap was not reached; carries the `Convergence`.
    """
    faults = _faults(graph, delay, classes, relations)
    if faults:
        raise ValueError("\n".join(["the assignment's inputs do not fit together:", *faults]))
    problem, facilities, pairs, forest = _prepare(graph, delay, classes, relations)
    workers = numba.get_num_threads() if threads is None else threads
    if forest.source.size * graph.tail.size < SMALL_WORK:
        workers = 1
    history: list[float] = []
    with _crew(workers) as crew:
        stock = _begin(crew, problem, facilities, pairs, forest, graph, classes, relations, start)
        mark = np.zeros(facilities.volume.size, np.int64)
        stamp = np.zeros(1, np.int64)
        best = np.empty(pairs.tonnes.size)
        best_path = np.empty(pairs.tonnes.size, np.int64)
        rounds = 0
        while True:
            # STEP 1: least costs at the volumes as they are, and the gap.
            crew(mend_trees, (problem.first_out, problem.tail, problem.head), _costs(problem, facilities), forest)
            excess, total = _appraise(pairs, stock, facilities, forest.distance, best, best_path)
            history.append(_gap(excess, total))
            if progress is not None:
                progress(rounds, history[-1])
            if history[-1] <= gap or rounds == max_iterations:
                break
            rounds += 1
            # STEP 2: cheaper paths join, idle ones leave.
            fresh = np.where(forest.distance < best * (1.0 - min(ROUNDING, 0.01 * gap)), 0.0, -1.0)
            fresh[np.diff(stock.first) == 0] = -1.0
            stock = _restocked(problem, pairs, stock, forest, fresh, best_path, facilities)
            # STEP 3: move tonnes among the known alternatives.
            known = np.diff(stock.first)
            active = np.flatnonzero((known > 1) | (pairs.elastic & (known > 0))).astype(np.int32)
            allowed = INNER_SHARE * excess
            idle = IDLE_SHARE * allowed / max(active.size, 1)
            price = np.empty(stock.flow.size)
            flow_before, outside_before = stock.flow.copy(), pairs.outside.copy()
            for sweep in range(1, MOST_SWEEPS + 1):
                left, moved = _sweep(active, idle, pairs, stock, facilities, mark, stamp, price)
                # What a sweep meets is not what it leaves behind: later relations shift what earlier ones have met.
                if moved == 0 or (left <= allowed and _appraise_known(active, pairs, stock, facilities) <= allowed):
                    break
                if sweep % STRIDE_EVERY == 0:
                    _stride(active, pairs, stock, facilities, flow_before, outside_before)
                    flow_before, outside_before = stock.flow.copy(), pairs.outside.copy()
            _settle(pairs, stock)
            _load(pairs, stock, facilities)
    status = Convergence("converged" if history[-1] <= gap else "iteration limit", history[-1], rounds, tuple(history))
    if status.status != "converged":
        raise NotConverged(
            f"user equilibrium: relative gap {status.relative_gap:.3g} after {rounds} rounds, wanted {gap:.3g}; "
            "allow more iterations or a wider gap",
            status,
        )
    return _result(problem, pairs, forest, stock, graph, delay, classes, relations, status)


# --- At the door --------------------------------------------------------------------------------------------------


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
        empty = _delays(delay, np.zeros(f))
        time_h = delay.time_h + np.append(empty, 0.0)[delay.facility]
        cost = classes.money_usd_t + classes.value_of_time_usd_t_h[:, None] * time_h
        for class_, arc in np.argwhere(cost < 0.0)[:1]:
            faults.append(
                f"  money_usd_t[{class_}, {arc}]: the arc would cost class {classes.name[class_]!r} "
                f"{cost[class_, arc]} USD a tonne; wanted at least 0 with no volume"
            )
    return faults


def _delays(delay: VolumeDelay, volume: Floats) -> Floats:
    """Hours of delay on each facility at these volumes."""
    ratio = (volume + delay.preload_trains_day) / delay.capacity_trains_day
    return np.asarray(delay.delay_h * ratio**delay.power, np.float64)


def _prepare(
    graph: Graph, delay: VolumeDelay, classes: Classes, relations: Relations
) -> tuple[_Problem, _Facilities, _Pairs, _Forest]:
    """Put arcs in the order of slots and relations in the order of trees; copies, so that kernels see one layout."""
    f = delay.delay_h.size
    slots = graph.out_arc
    facility = np.asarray(delay.facility, np.int32)[slots]
    responds = (delay.delay_h > 0.0) & (delay.power > 0.0) & np.isfinite(delay.capacity_trains_day)
    constant_h = delay.time_h[slots] + np.append(np.where(responds, 0.0, _delays(delay, np.zeros(f))), 0.0)[facility]
    vot = np.array(classes.value_of_time_usd_t_h, np.float64)
    facilities = _Facilities(
        volume=np.zeros(f + 1),
        delay=np.zeros(f + 1),
        slope=np.zeros(f + 1),
        delay_h=np.append(np.where(responds, delay.delay_h, 0.0), 0.0),
        power=np.append(delay.power, 1.0).astype(np.float64),
        capacity=np.append(delay.capacity_trains_day, 1.0).astype(np.float64),
        preload=np.append(delay.preload_trains_day, 0.0).astype(np.float64),
        share=np.append(1.0 / delay.train_length_factor, 0.0),
    )
    class_index = np.asarray(relations.class_index, np.int64)
    origin = np.asarray(relations.origin, np.int64)
    tree_key = class_index * graph.node_count + origin
    rank = np.argsort(tree_key, kind="stable")
    keys, first = np.unique(tree_key[rank], return_index=True)
    first_target = np.append(first, rank.size).astype(np.int32)
    forest = _Forest(
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
    pairs = _Pairs(
        tonnes=tonnes,
        vot=vot[class_index[rank]],
        weight=np.asarray(classes.weight_trains_day_per_t_yr, np.float64)[class_index[rank]],
        elastic=np.isfinite(outside) & (tonnes > 0.0),
        outside_cost=outside,
        scale=np.asarray(relations.scale_usd_t, np.float64)[rank],
        outside=np.zeros(rank.size),
    )
    problem = _Problem(
        first_out=graph.first_out,
        tail=graph.tail[slots],
        head=graph.head[slots],
        out_arc=slots,
        facility=facility,
        felt=np.where(np.append(responds, False)[facility], facility, f).astype(np.int32),
        fixed_cost=np.asarray(classes.money_usd_t, np.float64)[:, slots] + vot[:, None] * constant_h,
        vot=vot,
        rank=rank,
        pair_tree=np.repeat(np.arange(keys.size, dtype=np.int32), np.diff(first_target)),
    )
    return problem, facilities, pairs, forest


# --- Trees, paths and the first guess -----------------------------------------------------------------------------


_Crew = Callable[..., None]


@contextmanager
def _crew(workers: int) -> Iterator[_Crew]:
    """Give a function that shares trees out among threads; each tree is one thread's, so the shares do not matter."""

    def tree_arguments(forest: _Forest) -> tuple[Any, ...]:
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
            work: Callable[..., None], arcs: tuple[Ints, ...], cost: Floats, forest: _Forest, trees: Ints | None = None
        ) -> None:
            chosen = np.arange(forest.source.size, dtype=np.int32) if trees is None else trees
            work(*arcs, cost, chosen, *tree_arguments(forest))

        yield alone
        return

    with ThreadPoolExecutor(workers) as pool:

        def together(
            work: Callable[..., None], arcs: tuple[Ints, ...], cost: Floats, forest: _Forest, trees: Ints | None = None
        ) -> None:
            chosen = np.arange(forest.source.size, dtype=np.int32) if trees is None else trees
            parts = [np.ascontiguousarray(part) for part in np.array_split(chosen, 4 * workers) if part.size]
            jobs = [pool.submit(work, *arcs, cost, part, *tree_arguments(forest)) for part in parts]
            for job in jobs:
                job.result()

        yield together


def _costs(problem: _Problem, facilities: _Facilities) -> Floats:
    """USD per tonne by class and slot at the delays as they are."""
    return problem.fixed_cost + problem.vot[:, None] * facilities.delay[problem.felt]


def _begin(
    crew: _Crew,
    problem: _Problem,
    facilities: _Facilities,
    pairs: _Pairs,
    forest: _Forest,
    graph: Graph,
    classes: Classes,
    relations: Relations,
    start: Flows | None,
) -> _Stock:
    """Grow all trees and give every relation that can be served a first path, or the ones it had in `start`."""
    count = pairs.tonnes.size
    _update(facilities)
    grow = (problem.first_out, problem.head)
    fresh = np.full(count, -1.0)
    if start is not None:
        stock = _warm_stock(problem, facilities, pairs, graph, classes, relations, start)
        _load(pairs, stock, facilities)
        crew(grow_trees, grow, _costs(problem, facilities), forest)
        without = (np.diff(stock.first) == 0) & (pairs.tonnes > 0.0) & np.isfinite(forest.distance)
        fresh[without] = _first_tonnes(pairs, forest.distance, without)
    else:
        nothing = np.zeros(1, np.int64)
        none = np.empty(0, np.int32)
        stock = _Stock(np.zeros(count + 1, np.int64), nothing, none, nothing, none, np.empty(0), np.empty(0))
        steps = min(LOADING_STEPS, forest.source.size)
        for step in range(steps):
            trees = np.arange(step, forest.source.size, steps, dtype=np.int32)
            crew(grow_trees, grow, _costs(problem, facilities), forest, trees)
            mine = np.isin(problem.pair_tree, trees) & (pairs.tonnes > 0.0) & np.isfinite(forest.distance)
            fresh[mine] = _first_tonnes(pairs, forest.distance, mine)
            _preview(
                np.flatnonzero(mine),
                fresh,
                pairs.weight,
                problem.pair_tree,
                forest,
                problem.tail,
                problem.felt,
                facilities,
            )
            _update(facilities)
    stock = _restocked(problem, pairs, stock, forest, fresh, np.full(count, -1, np.int64), facilities)
    _settle(pairs, stock)
    _load(pairs, stock, facilities)
    return stock


def _first_tonnes(pairs: _Pairs, distance: Floats, mine: Bools) -> Floats:
    """Tonnes for the first path of some relations, at the costs found; sets what stays outside."""
    elastic = pairs.elastic[mine]
    tonnes = pairs.tonnes[mine]
    scale = np.where(elastic, pairs.scale[mine], 1.0)
    odds = np.clip((pairs.outside_cost[mine] - distance[mine]) / scale, -LOG_ODDS_BOUND, LOG_ODDS_BOUND)
    pairs.outside[mine] = np.where(elastic, tonnes / (1.0 + np.exp(odds)), 0.0)
    return np.where(elastic, tonnes / (1.0 + np.exp(-odds)), tonnes)


def _warm_stock(
    problem: _Problem,
    facilities: _Facilities,
    pairs: _Pairs,
    graph: Graph,
    classes: Classes,
    relations: Relations,
    start: Flows,
) -> _Stock:
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
    stock = _Stock(
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
        odds = np.clip(np.log(was_inside) - np.log(was_outside), -LOG_ODDS_BOUND, LOG_ODDS_BOUND)
    inside = np.where(pairs.elastic, pairs.tonnes / (1.0 + np.exp(-odds)), pairs.tonnes)
    served = kept > 0.0
    pairs.outside[:] = np.where(pairs.elastic & served, pairs.tonnes / (1.0 + np.exp(odds)), 0.0)
    stock.flow[:] *= (inside[served] / kept[served])[np.searchsorted(np.flatnonzero(served), pair)]
    return stock


def _restocked(
    problem: _Problem,
    pairs: _Pairs,
    stock: _Stock,
    forest: _Forest,
    fresh: Floats,
    best_path: _Longs,
    facilities: _Facilities,
) -> _Stock:
    """Leave out idle paths and put in the trees' paths where `fresh` holds tonnes for one (-1: none)."""
    joins = fresh >= 0.0
    keeps = stock.flow > 0.0
    keeps[best_path[(best_path >= 0) & ~joins]] = True
    count, slot_count, felt_count = _measure(
        stock, keeps, joins, problem.pair_tree, forest, problem.tail, problem.felt, facilities.volume.size - 1
    )
    new = _Stock(
        first=np.zeros(pairs.tonnes.size + 1, np.int64),
        slot_first=np.zeros(count + 1, np.int64),
        slots=np.empty(slot_count, np.int32),
        facility_first=np.zeros(count + 1, np.int64),
        facilities=np.empty(felt_count, np.int32),
        fixed=np.empty(count),
        flow=np.empty(count),
    )
    seen = np.full(facilities.volume.size, -1, np.int64)
    pair, twice = _restock(
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


def _gap(excess: float, total: float) -> float:
    """Relative gap; where nothing costs anything there is nothing to gain either."""
    if total > 0.0:
        return max(excess, 0.0) / total
    return 0.0 if excess <= 0.0 else np.inf


# --- The result ---------------------------------------------------------------------------------------------------


def _result(
    problem: _Problem,
    pairs: _Pairs,
    forest: _Forest,
    stock: _Stock,
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    convergence: Convergence,
) -> Flows:
    """Back to the caller's order."""
    m = graph.tail.size
    k = len(classes.name)
    count = pairs.tonnes.size
    relation = problem.rank[np.repeat(np.arange(count), np.diff(stock.first))]
    chosen = np.argsort(relation, kind="stable")
    chosen = chosen[stock.flow[chosen] > 0.0]
    length = np.diff(stock.slot_first)[chosen]
    path_first = np.append(0, np.cumsum(length))
    entry = np.arange(path_first[-1]) - np.repeat(path_first[:-1] - stock.slot_first[chosen], length)
    path_arcs = problem.out_arc[stock.slots[entry]]
    relation = relation[chosen]
    tonnes = stock.flow[chosen]
    class_index = np.asarray(relations.class_index, np.int64)
    cell = class_index[np.repeat(relation, length)] * m + path_arcs
    arc_tonnes = np.bincount(cell, weights=np.repeat(tonnes, length), minlength=k * m).astype(np.float64).reshape(k, m)

    used = delay.facility >= 0
    tonne_weight = np.asarray(classes.weight_trains_day_per_t_yr, np.float64)
    arc_trains = tonne_weight @ arc_tonnes
    loaded = np.bincount(delay.facility[used], weights=arc_trains[used], minlength=delay.delay_h.size)
    facility_trains = np.asarray(loaded / delay.train_length_factor, np.float64)
    network = np.bincount(relation, weights=tonnes, minlength=count).astype(np.float64)
    cost = np.empty(count)
    cost[problem.rank] = forest.distance
    no_path = np.isinf(cost)
    has_outside = np.isfinite(relations.outside_usd_t)
    outside = np.empty(count)
    outside[problem.rank] = pairs.outside
    outside = np.where(no_path & has_outside, relations.tonnes_yr, outside)
    return Flows(
        principle="user equilibrium",
        arc_tonnes_yr=arc_tonnes,
        facility_trains_day=facility_trains,
        time_h=delay.time_h + np.append(_delays(delay, facility_trains), 0.0)[delay.facility],
        path_first=path_first.astype(np.int32),
        path_arcs=path_arcs,
        path_relation=relation.astype(np.int32),
        path_tonnes_yr=tonnes,
        network_tonnes_yr=network,
        outside_tonnes_yr=outside,
        unserved_tonnes_yr=np.where(no_path & ~has_outside, relations.tonnes_yr, 0.0),
        cost_usd_t=cost,
        no_path=no_path,
        potential=_potential(delay, classes, relations, arc_tonnes, facility_trains, network, outside),
        convergence=convergence,
    )


def _potential(
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    arc_tonnes: Floats,
    facility_trains: Floats,
    network: Floats,
    outside: Floats,
) -> float:
    """The function that the equilibrium minimises (see the top of this module)."""
    power = delay.power + 1.0
    before = (delay.preload_trains_day / delay.capacity_trains_day) ** power
    after = ((facility_trains + delay.preload_trains_day) / delay.capacity_trains_day) ** power
    limited = np.isfinite(delay.capacity_trains_day)
    capacity = np.where(limited, delay.capacity_trains_day, 0.0)
    area = delay.delay_h * np.where(limited, capacity * (after - before) / power, 0.0)
    area += np.where(~limited & (delay.power == 0.0), delay.delay_h * facility_trains, 0.0)
    value = float(delay.train_length_factor @ area)

    rate = classes.weight_trains_day_per_t_yr / classes.value_of_time_usd_t_h
    carried = arc_tonnes > 0.0
    fixed = np.where(carried, classes.money_usd_t, 0.0) + classes.value_of_time_usd_t_h[:, None] * delay.time_h
    value += float(rate @ np.where(carried, fixed * arc_tonnes, 0.0).sum(axis=1))

    elastic = np.isfinite(relations.outside_usd_t) & (outside > 0.0)
    e, d = outside[elastic], network[elastic]
    total = relations.tonnes_yr[elastic]
    # e ln e + d ln d - Q ln Q, written so that its large parts do not cancel; d = 0 where no path leads.
    entropy = e * np.log(e / total) + np.where(d > 0.0, d * np.log(np.where(d > 0.0, d, 1.0) / total), 0.0)
    kept_out = relations.outside_usd_t[elastic] * e + relations.scale_usd_t[elastic] * entropy
    return value + float(rate[relations.class_index[elastic]] @ kept_out)


# --- Kernels ------------------------------------------------------------------------------------------------------


@_kernel
def _respond(facilities: _Facilities, f: int) -> None:
    """Bring one facility's delay and slope up to its volume."""
    # Newton steps may leave a volume a rounding below zero; the preload is there all the same.
    ratio = (max(facilities.volume[f], 0.0) + facilities.preload[f]) / facilities.capacity[f]
    power = facilities.power[f]
    if power == 4.0:
        below = ratio * ratio * ratio
    elif power == 1.0:
        below = 1.0
    elif ratio > 0.0:
        below = ratio ** (power - 1.0)
    else:
        below = 0.0
    facilities.delay[f] = facilities.delay_h[f] * below * ratio
    facilities.slope[f] = facilities.delay_h[f] * power * below / facilities.capacity[f] * facilities.share[f]


@_kernel
def _update(facilities: _Facilities) -> None:
    for f in range(facilities.volume.size - 1):
        _respond(facilities, f)


@_kernel
def _load(pairs: _Pairs, stock: _Stock, facilities: _Facilities) -> None:
    """Volumes from path flows, without the rounding that steps have left."""
    facilities.volume[:] = 0.0
    for r in range(pairs.tonnes.size):
        for p in range(stock.first[r], stock.first[r + 1]):
            for i in range(stock.facility_first[p], stock.facility_first[p + 1]):
                f = stock.facilities[i]
                facilities.volume[f] += stock.flow[p] * pairs.weight[r] * facilities.share[f]
    for f in range(facilities.volume.size - 1):
        _respond(facilities, f)


@_kernel
def _preview(
    chosen: _Longs,
    tonnes: Floats,
    weight: Floats,
    pair_tree: Ints,
    forest: _Forest,
    tail: Ints,
    felt: Ints,
    facilities: _Facilities,
) -> None:
    """Add the volumes of some first paths before they are written down."""
    for r in chosen:
        t = pair_tree[r]
        u = forest.target[r]
        while u != forest.source[t]:
            slot = forest.slot_in[t, u]
            f = felt[slot]
            facilities.volume[f] += tonnes[r] * weight[r] * facilities.share[f]
            u = tail[slot]


@_kernel
def _settle(pairs: _Pairs, stock: _Stock) -> None:
    """Make the parts of each relation add up to its tonnes; the larger side takes up the rounding."""
    for r in range(pairs.tonnes.size):
        inside = 0.0
        for p in range(stock.first[r], stock.first[r + 1]):
            inside += stock.flow[p]
        if inside <= 0.0:
            continue
        if inside < pairs.outside[r]:
            pairs.outside[r] = pairs.tonnes[r] - inside
        else:
            ratio = (pairs.tonnes[r] - pairs.outside[r]) / inside
            for p in range(stock.first[r], stock.first[r + 1]):
                stock.flow[p] *= ratio


@_kernel
def _price(stock: _Stock, facilities: _Facilities, p: int, vot: float) -> float:
    """Cost of a path in USD per tonne."""
    hours = 0.0
    for i in range(stock.facility_first[p], stock.facility_first[p + 1]):
        hours += facilities.delay[stock.facilities[i]]
    return float(stock.fixed[p] + vot * hours)


@_kernel
def _appraise(
    pairs: _Pairs, stock: _Stock, facilities: _Facilities, least: Floats, best: Floats, best_path: _Longs
) -> tuple[float, float]:
    """Excess over least cost and all cost; finds each relation's cheapest known path."""
    excess = 0.0
    total = 0.0
    for r in range(pairs.tonnes.size):
        best[r] = np.inf
        best_path[r] = -1
        if stock.first[r] == stock.first[r + 1]:
            if pairs.elastic[r]:  # no path: all outside
                total += pairs.tonnes[r] * max(pairs.outside_cost[r], 0.0)
            continue
        inside = 0.0
        spent = 0.0
        for p in range(stock.first[r], stock.first[r + 1]):
            price = _price(stock, facilities, p, pairs.vot[r])
            inside += stock.flow[p]
            spent += stock.flow[p] * price
            if price < best[r]:
                best[r] = price
                best_path[r] = p
        floor = least[r]
        total += spent
        if pairs.elastic[r]:
            outside = pairs.outside[r]
            price = pairs.outside_cost[r] + pairs.scale[r] * (np.log(outside) - np.log(inside))
            # A side that stands at its bound cannot shrink further, whatever it costs.
            if inside > AT_BOUND * pairs.tonnes[r]:
                floor = min(floor, price)
            if outside > AT_BOUND * pairs.tonnes[r]:
                excess += outside * max(price - floor, 0.0)
            total += outside * max(pairs.outside_cost[r], 0.0)
        for p in range(stock.first[r], stock.first[r + 1]):
            if stock.flow[p] > 0.0:
                excess += stock.flow[p] * (_price(stock, facilities, p, pairs.vot[r]) - floor)
    return excess, total


@_kernel
def _appraise_known(active: Ints, pairs: _Pairs, stock: _Stock, facilities: _Facilities) -> float:
    """Excess of the relations with a choice over their cheapest known alternative."""
    excess = 0.0
    for r in active:
        floor = np.inf
        inside = 0.0
        for p in range(stock.first[r], stock.first[r + 1]):
            floor = min(floor, _price(stock, facilities, p, pairs.vot[r]))
            inside += stock.flow[p]
        if pairs.elastic[r]:
            price = pairs.outside_cost[r] + pairs.scale[r] * (np.log(pairs.outside[r]) - np.log(inside))
            floor = min(floor, price)
            excess += pairs.outside[r] * (price - floor)
        for p in range(stock.first[r], stock.first[r + 1]):
            if stock.flow[p] > 0.0:
                excess += stock.flow[p] * (_price(stock, facilities, p, pairs.vot[r]) - floor)
    return excess


@_kernel
def _sweep(
    active: Ints,
    idle: float,
    pairs: _Pairs,
    stock: _Stock,
    facilities: _Facilities,
    mark: _Longs,
    stamp: _Longs,
    price: Floats,
) -> tuple[float, int]:
    """One pass over the relations with a choice. Returns the excess that it met and how many relations it changed."""
    excess = 0.0
    moved = 0
    for r in active:
        first = stock.first[r]
        last = stock.first[r + 1]
        inside = 0.0
        best = first
        for p in range(first, last):
            price[p] = _price(stock, facilities, p, pairs.vot[r])
            inside += stock.flow[p]
            if price[p] < price[best]:
                best = p
        floor = price[best]
        mine = 0.0
        if pairs.elastic[r]:
            outside_price = pairs.outside_cost[r] + pairs.scale[r] * (np.log(pairs.outside[r]) - np.log(inside))
            floor = min(floor, outside_price)
            mine = pairs.outside[r] * (outside_price - floor)
        for p in range(first, last):
            mine += stock.flow[p] * (price[p] - floor)
        excess += mine
        if mine <= idle:
            continue
        moved += 1
        if pairs.elastic[r]:
            _trade_outside(r, best, pairs, stock, facilities, price)
        if last - first > 1:
            _equalise(r, best, pairs, stock, facilities, mark, stamp)
    return excess, moved


@_kernel
def _trade_outside(r: int, best: int, pairs: _Pairs, stock: _Stock, facilities: _Facilities, price: Floats) -> None:
    """Move tonnes between the outside option and one path: the cheapest gains, or the dearest loses."""
    first = stock.first[r]
    last = stock.first[r + 1]
    tonnes = pairs.tonnes[r]
    cost = pairs.outside_cost[r]
    scale = pairs.scale[r]
    for _ in range(last - first):
        inside = 0.0
        for p in range(first, last):
            inside += stock.flow[p]
        odds = np.log(inside) - np.log(pairs.outside[r])
        path = best
        if cost - scale * odds <= price[best]:
            for p in range(first, last):
                if stock.flow[p] > 0.0 and (price[p] > price[path] or stock.flow[path] <= 0.0):
                    path = p
        slope = 0.0
        for i in range(stock.facility_first[path], stock.facility_first[path + 1]):
            slope += facilities.slope[stock.facilities[i]]
        slope *= pairs.vot[r] * pairs.weight[r]
        odds = _solve_odds(tonnes, cost, scale, price[path], slope, inside, odds)
        wanted = tonnes / (1.0 + np.exp(-odds))
        others = 0.0
        for p in range(first, last):
            if p != path:
                others += stock.flow[p]
        before = stock.flow[path]
        after = wanted - others
        if others == 0.0 or after > 0.0:
            stock.flow[path] = after
            pairs.outside[r] = tonnes / (1.0 + np.exp(odds))
        else:  # the path is empty before enough has left it: go on with the next
            stock.flow[path] = 0.0
            pairs.outside[r] += before
        change = (stock.flow[path] - before) * pairs.weight[r]
        if change != 0.0:
            for i in range(stock.facility_first[path], stock.facility_first[path + 1]):
                f = stock.facilities[i]
                facilities.volume[f] += change * facilities.share[f]
                _respond(facilities, f)
        if stock.flow[path] > 0.0:
            return
        for p in range(first, last):
            price[p] = _price(stock, facilities, p, pairs.vot[r])
            if price[p] < price[best]:
                best = p


@_kernel
def _solve_odds(
    tonnes: float, cost: float, scale: float, price: float, slope: float, inside: float, odds: float
) -> float:
    """Log of the odds at which path and outside option cost the same, the path's cost taken as a straight line.

    The left of ``price + slope * (tonnes / (1 + exp(-y)) - inside) + scale * y = cost`` rises strictly in y: Newton's
    steps, with bisection where they would leave the bracket.
    """
    low = -LOG_ODDS_BOUND
    high = LOG_ODDS_BOUND
    if price - slope * inside + scale * low >= cost:
        return low
    if price + slope * (tonnes - inside) + scale * high <= cost:
        return high
    y = min(max(odds, low), high)
    for _ in range(200):
        share = 1.0 / (1.0 + np.exp(-y))
        value = price + slope * (tonnes * share - inside) + scale * y - cost
        if value > 0.0:
            high = y
        else:
            low = y
        step = value / (slope * tonnes * share * (1.0 - share) + scale)
        new = y - step
        if not low <= new <= high:
            new = 0.5 * (low + high)
        if abs(new - y) <= 1e-15 * (1.0 + abs(y)):
            y = new
            break
        y = new
    return float(y)


@_kernel
def _equalise(
    r: int, best: int, pairs: _Pairs, stock: _Stock, facilities: _Facilities, mark: _Longs, stamp: _Longs
) -> None:
    """Newton shifts between each used path of a relation and its cheapest, over the facilities that they do not share.

    Marks: `now` = on the cheapest path only, `now + 1` = on both.
    """
    stamp[0] += 2
    now = stamp[0]
    weight = pairs.weight[r]
    vot = pairs.vot[r]
    best_first = stock.facility_first[best]
    best_last = stock.facility_first[best + 1]
    for i in range(best_first, best_last):
        mark[stock.facilities[i]] = now
    for p in range(stock.first[r], stock.first[r + 1]):
        flow = stock.flow[p]
        if p == best or flow <= 0.0:
            continue
        p_first = stock.facility_first[p]
        p_last = stock.facility_first[p + 1]
        hours = 0.0
        slope = 0.0
        for i in range(p_first, p_last):
            f = stock.facilities[i]
            if mark[f] == now:
                mark[f] = now + 1
            else:
                hours += facilities.delay[f]
                slope += facilities.slope[f]
        for i in range(best_first, best_last):
            f = stock.facilities[i]
            if mark[f] == now:
                hours -= facilities.delay[f]
                slope += facilities.slope[f]
        dearer = stock.fixed[p] - stock.fixed[best] + vot * hours
        slope *= vot * weight
        shift = 0.0  # towards the cheapest; negative when that one has meanwhile become the dearer
        if dearer > 0.0:
            shift = flow if dearer >= slope * flow else dearer / slope
        elif dearer < 0.0:
            room = stock.flow[best]
            shift = -room if -dearer >= slope * room else dearer / slope
        if shift != 0.0:
            stock.flow[p] = 0.0 if shift == flow else flow - shift
            stock.flow[best] = 0.0 if shift == -stock.flow[best] else stock.flow[best] + shift
            change = shift * weight
            for i in range(p_first, p_last):
                f = stock.facilities[i]
                if mark[f] < now:
                    facilities.volume[f] -= change * facilities.share[f]
                    _respond(facilities, f)
            for i in range(best_first, best_last):
                f = stock.facilities[i]
                if mark[f] == now:
                    facilities.volume[f] += change * facilities.share[f]
                    _respond(facilities, f)
        for i in range(p_first, p_last):
            f = stock.facilities[i]
            if mark[f] == now + 1:
                mark[f] = now


@_kernel
def _stride(
    active: Ints, pairs: _Pairs, stock: _Stock, facilities: _Facilities, flow_before: Floats, outside_before: Floats
) -> None:
    """Move on in the direction from the flows before to those now; a relation stops where a path of it is empty."""
    change = stock.flow - flow_before
    outside_change = pairs.outside - outside_before
    reach = np.zeros(pairs.tonnes.size)
    for r in active:
        if pairs.weight[r] == 0.0:
            continue  # the potential does not know it
        reach[r] = np.inf
        for p in range(stock.first[r], stock.first[r + 1]):
            if change[p] < 0.0:
                reach[r] = min(reach[r], -stock.flow[p] / change[p])
        if pairs.elastic[r]:
            if outside_change[r] < 0.0:
                reach[r] = min(reach[r], -pairs.outside[r] / outside_change[r])
            reach[r] *= SHORT_OF_EMPTY
    flow = stock.flow.copy()
    outside = pairs.outside.copy()
    excess = _appraise_known(active, pairs, stock, facilities)
    good = 0.0
    bad = np.inf
    step = 1.0
    stretches = 0
    halvings = 0
    while True:
        _step(active, pairs, stock, facilities, flow, outside, change, outside_change, reach, step)
        if _falls(active, pairs, stock, facilities, change, outside_change, reach, step):
            good = step
        else:
            bad = step
        if bad < np.inf:
            if halvings == HALVINGS:
                break
            halvings += 1
            step = 0.5 * (good + bad)
        else:
            if stretches == MOST_STRETCHES:
                break
            stretches += 1
            step *= STRIDE_GROWTH
    _step(active, pairs, stock, facilities, flow, outside, change, outside_change, reach, good)
    if _appraise_known(active, pairs, stock, facilities) > STRIDE_EXCESS * excess:
        _step(active, pairs, stock, facilities, flow, outside, change, outside_change, reach, 0.0)


@_kernel
def _step(
    active: Ints,
    pairs: _Pairs,
    stock: _Stock,
    facilities: _Facilities,
    flow: Floats,
    outside: Floats,
    change: Floats,
    outside_change: Floats,
    reach: Floats,
    step: float,
) -> None:
    """Flows and delays so many steps on from `flow` and `outside`."""
    for r in active:
        own = min(step, reach[r])
        for p in range(stock.first[r], stock.first[r + 1]):
            stock.flow[p] = max(flow[p] + own * change[p], 0.0)
        pairs.outside[r] = outside[r] + own * outside_change[r]
    _load(pairs, stock, facilities)


@_kernel
def _falls(
    active: Ints,
    pairs: _Pairs,
    stock: _Stock,
    facilities: _Facilities,
    change: Floats,
    outside_change: Floats,
    reach: Floats,
    step: float,
) -> bool:
    """Whether the potential still falls in the direction of the relations that have not stopped."""
    slope = 0.0
    for r in active:
        if reach[r] <= step:
            continue
        spent = 0.0
        inside = 0.0
        for p in range(stock.first[r], stock.first[r + 1]):
            inside += stock.flow[p]
            if change[p] != 0.0:
                spent += change[p] * _price(stock, facilities, p, pairs.vot[r])
        if pairs.elastic[r] and outside_change[r] != 0.0:
            odds = np.log(inside) - np.log(pairs.outside[r])
            spent += outside_change[r] * (pairs.outside_cost[r] - pairs.scale[r] * odds)
        slope += pairs.weight[r] / pairs.vot[r] * spent
    return slope < 0.0


@_kernel
def _measure(
    stock: _Stock,
    keeps: Bools,
    joins: Bools,
    pair_tree: Ints,
    forest: _Forest,
    tail: Ints,
    felt: Ints,
    none: int,
) -> tuple[int, int, int]:
    """How many paths, slots and facilities `_restock` will write."""
    paths = 0
    slots = 0
    facilities = 0
    for p in range(keeps.size):
        if keeps[p]:
            paths += 1
            slots += stock.slot_first[p + 1] - stock.slot_first[p]
            facilities += stock.facility_first[p + 1] - stock.facility_first[p]
    for r in range(joins.size):
        if joins[r]:
            paths += 1
            t = pair_tree[r]
            u = forest.target[r]
            while u != forest.source[t]:
                slot = forest.slot_in[t, u]
                slots += 1
                if felt[slot] != none:
                    facilities += 1
                u = tail[slot]
    return paths, slots, facilities


@_kernel
def _restock(
    old: _Stock,
    new: _Stock,
    keeps: Bools,
    fresh: Floats,
    pair_tree: Ints,
    forest: _Forest,
    tail: Ints,
    facility: Ints,
    felt: Ints,
    fixed_cost: Floats,
    seen: _Longs,
) -> tuple[int, int]:
    """Write kept and new paths, relation by relation. Returns relation and facility of a path that uses one twice."""
    none = seen.size - 1
    q = 0
    slot_end = 0
    facility_end = 0
    for r in range(fresh.size):
        for p in range(old.first[r], old.first[r + 1]):
            if not keeps[p]:
                continue
            for i in range(old.slot_first[p], old.slot_first[p + 1]):
                new.slots[slot_end] = old.slots[i]
                slot_end += 1
            for i in range(old.facility_first[p], old.facility_first[p + 1]):
                new.facilities[facility_end] = old.facilities[i]
                facility_end += 1
            new.fixed[q] = old.fixed[p]
            new.flow[q] = old.flow[p]
            q += 1
            new.slot_first[q] = slot_end
            new.facility_first[q] = facility_end
        if fresh[r] >= 0.0:
            t = pair_tree[r]
            k = forest.class_index[t]
            length = 0
            u = forest.target[r]
            while u != forest.source[t]:
                u = tail[forest.slot_in[t, u]]
                length += 1
            u = forest.target[r]
            for i in range(slot_end + length - 1, slot_end - 1, -1):
                new.slots[i] = forest.slot_in[t, u]
                u = tail[new.slots[i]]
            fixed = 0.0
            for i in range(slot_end, slot_end + length):
                slot = new.slots[i]
                fixed += fixed_cost[k, slot]
                f = facility[slot]
                if f >= 0:
                    if seen[f] == q:
                        return r, f
                    seen[f] = q
                if felt[slot] != none:
                    new.facilities[facility_end] = felt[slot]
                    facility_end += 1
            slot_end += length
            new.fixed[q] = fixed
            new.flow[q] = fresh[r]
            q += 1
            new.slot_first[q] = slot_end
            new.facility_first[q] = facility_end
        new.first[r + 1] = q
    return -1, -1
