"""The paths that relations know: a first guess, from nothing or from other flows, and paths that come and go."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from landbridge.model.flows import kernels
from landbridge.model.flows.kernels import AnyFacilities, Pairs, Problem, Stock
from landbridge.model.flows.records import Bools, Floats, Flows, Ints, Relations
from landbridge.model.flows.searcher import Searcher
from landbridge.model.hierarchy import Arrivals, Forest, join
from landbridge.model.paths import Graph

__all__ = ["IDLE_SHARE", "WARM_SHARE", "first_stock", "restocked"]

# Relations are loaded in this many steps at the start, each at the costs that the ones before have made: fewer would
# overload the cheapest paths, more would search more often. Several classes go one after another, since a step weighs
# only its own; one class goes in steps that each hold origins from everywhere (best of 1 to 24 in trials on six
# networks of cities and on the corridors).
LOADING_STEPS, LOADING_STEPS_OF_ONE_CLASS = 16, 2
# Flows from an earlier solution settle on their paths until the excess among these has fallen to this share.
WARM_SHARE = 0.01
# A relation is left alone in a sweep when its own excess is below this share of the average that the round allows.
IDLE_SHARE = 0.5


_Whole = TypeVar("_Whole", np.int32, np.uint32)


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

    `settle` levels the costs of paths from `start`, and leaves relations that no path joined there to `descend`.
    """
    problem, forest = find.problem, find.forest
    count = pairs.tonnes.size
    kernels.update(facilities)
    fresh = np.zeros(count)
    if start is not None:
        stock = _warm_stock(problem, facilities, pairs, graph, relations, start)
        kernels.load(pairs, stock, facilities)
        # Relations that lost all their paths look for new ones first; then all settle on the paths that they know,
        # before anyone else searches.
        # Those that had none before are left to the first full search.
        without = (np.diff(stock.first) == 0) & (pairs.tonnes > 0.0)
        if settle:
            without &= ~start.no_path[problem.rank]
        if without.any():
            trees = np.unique(problem.pair_tree[without]).astype(np.int32)
            found = _loaded(find, facilities, pairs, trees, without, fresh)
            stock = restocked(problem, pairs, stock, forest, found, fresh, stock.flow > 0.0, facilities)
        kernels.renew(pairs, stock, facilities)
        if settle:
            known = np.diff(stock.first)
            active = np.flatnonzero((known > 1) | (pairs.elastic & (known > 0))).astype(np.int32)
            excess = kernels.appraise_rivals(pairs, kernels.rivals_of(active, pairs, stock, facilities), facilities)
            allowed = WARM_SHARE * excess
            idle = IDLE_SHARE * allowed / max(active.size, 1)
            mark = np.zeros(facilities.volume.size, np.int64)
            kernels.level(active, allowed, idle, pairs, stock, facilities, mark, np.zeros(1, np.int64))
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
        np.empty(0, np.uint32),
        np.empty(0),
        np.empty(0),
        np.zeros(2, np.int64),
    )
    everyone = np.arange(forest.source.size, dtype=np.int32)
    if everyone.size:
        found = _loaded(find, facilities, pairs, everyone, pairs.tonnes > 0.0, fresh)
        stock = restocked(problem, pairs, stock, forest, found, fresh, stock.flow > 0.0, facilities)
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
        facilities=np.empty(entries, np.uint32),
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
    kept: Bools,
    facilities: AnyFacilities,
) -> Stock:
    """Leave out paths that are not kept, and put in those that have arrived, with their tonnes in `fresh`."""
    none = facilities.volume.size - 1
    count, slot_count, felt_count = kernels.measure(kept, arrivals, problem.felt, none)
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
    pair, twice = kernels.restock(
        stock, new, kept, arrivals, fresh, problem.fixed_cost, problem.facility, problem.felt, pair_class, none
    )
    if twice >= 0:
        raise ValueError(_twice(int(problem.rank[pair]), twice))
    return new


def _with_room(array: npt.NDArray[_Whole], used: int, more: int) -> npt.NDArray[_Whole]:
    if used + more <= array.size:
        return array
    grown = np.empty(used + more + array.size, array.dtype)
    grown[:used] = array[:used]
    return grown


def _twice(relation: int, facility: int) -> str:
    return (
        f"relation {relation}: its path uses facility {facility} on more than one arc; give arcs that follow each "
        "other their own facilities, or join them into one arc"
    )
