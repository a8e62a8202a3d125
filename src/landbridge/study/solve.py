"""Solve one scenario and year: from tables to an equilibrium.

    tables -> apply(scenario, year) -> network, demand -> outside options -> assign <-> empty boxes -> Solution

Empty boxes are a small fixed point of their own: the loaded boxes of an assignment leave an imbalance between each pair
of countries, a part of it comes back empty by land and takes room on lines and at crossings, which shifts the loaded
flows a little. The rounds stop when the empty boxes of two rounds agree; each starts from the flows of the one before.

A scenario may start from the solution of another one (`start`): what is alike is not made again, the equilibrium
begins with the other's paths and shares, and the fixed point with its empty boxes. The answer has the same gap and
tolerance as from nothing, and depends on nothing but the tables, the settings and the solution that is named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.errors import NotConverged
from landbridge.model import flows, paths
from landbridge.model.demand import Demand
from landbridge.model.network import matching_arcs
from landbridge.study.outside import OUTSIDE, outside_options
from landbridge.study.prepare import (
    DEMAND_TABLES,
    NETWORK_TABLES,
    Prepared,
    assignable,
    cargo,
    deep_sea,
    free_time_h,
    on_network,
    preload_factor,
    prepare,
    weights,
)
from landbridge.study.settings import Settings, columns, parameter

__all__ = [
    "DEMAND_TABLES",
    "NETWORK_TABLES",
    "OUTSIDE",
    "Prepared",
    "Settings",
    "Solution",
    "assignable",
    "cargo",
    "columns",
    "deep_sea",
    "equilibrium",
    "free_time_h",
    "on_network",
    "outside_options",
    "parameter",
    "preload_factor",
    "prepare",
    "solve",
    "solved_inputs",
    "weights",
]

F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int64]
Progress = Callable[[str], None]

#: Empty boxes of two rounds agree when they differ by less than the gap's part of all boxes, but no less than this:
#: below, rounding moves them.
EMPTY_TOLERANCE = 1e-9
EMPTY_ROUNDS = 12


@dataclass(frozen=True, eq=False)
class Solution:
    """A solved scenario and year.

    Attributes
    ----------
    prepared
        What was solved.
    relations
        Loaded relations first, then those of empty boxes; classes are those of `Goods`, captive cargo among its like.
    empty_from
        Index of the first relation of empty boxes.
    equilibrium
        The flows, captive cargo added to its like.
    empty_teu_yr
        Empty boxes that come back by land.
    empty_rounds
        Assignments made until the empty boxes agreed.
    """

    prepared: Prepared
    relations: flows.Relations
    empty_from: int
    equilibrium: flows.Flows
    empty_teu_yr: float
    empty_rounds: int


@dataclass(frozen=True, eq=False)
class _Empties:
    """Empty boxes on their way back: by pair of zones (from * zones + to), how many, and as relations."""

    pair: I8
    teu_yr: F8
    relations: flows.Relations


def _empty_boxes(prepared: Prepared, network_tonnes: F8, share: float) -> _Empties:
    """Empty boxes that answer the imbalance of the loaded ones."""
    demand, classes, net = prepared.demand, prepared.classes, prepared.network
    teu = classes.teu(network_tonnes[: demand.relation_count], demand.commodity)
    zones = len(demand.zones)
    keys, inverse = np.unique(demand.origin.astype(np.int64) * zones + demand.destination, return_inverse=True)
    boxes = np.bincount(inverse, weights=teu, minlength=keys.size)
    country_of_node = np.full(net.node_count, -1, np.int64)
    country_of_node[net.tail[::-1]] = net.country[::-1]  # backwards, so that the first arc stands
    place_country = np.where(net.zone_source >= 0, country_of_node[net.zone_source], -1)
    start, end = keys // zones, keys % zones
    nations = len(net.countries) + 1
    nation = (place_country[start] + 1) * nations + place_country[end] + 1
    back = (place_country[end] + 1) * nations + place_country[start] + 1
    total = np.bincount(nation, weights=boxes, minlength=nations * nations)
    going, coming = total[nation], total[back]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(going > 0, np.maximum(going - coming, 0.0) / going, 0.0)
    empty = boxes * part * share
    chosen = (empty > 0) & (net.zone_source[end] >= 0) & (net.zone_sink[start] >= 0)
    return _return(prepared, end[chosen] * zones + start[chosen], empty[chosen])


def _return(prepared: Prepared, pair: I8, teu_yr: F8) -> _Empties:
    """Empty boxes between zones as relations."""
    net, classes, zones = prepared.network, prepared.classes, len(prepared.demand.zones)
    order = np.argsort(pair, kind="stable")
    pair, teu_yr = pair[order], teu_yr[order]
    relations = flows.Relations(
        net.zone_source[pair // zones],
        net.zone_sink[pair % zones],
        np.full(pair.size, classes.empty, np.int32),
        teu_yr * classes.t_per_teu[classes.empty],
        np.full(pair.size, np.inf),
        np.ones(pair.size),
    )
    return _Empties(pair, teu_yr, relations)


def _shift(before: _Empties, after: _Empties) -> float:
    """Boxes by which two rounds differ, all pairs of zones together."""
    pairs, where = np.unique(np.concatenate([before.pair, after.pair]), return_inverse=True)
    return float(np.abs(np.bincount(where, np.concatenate([-before.teu_yr, after.teu_yr]), pairs.size)).sum())


def _places(old: I8, new: I8) -> I4:
    """Where each old key stands among the new ones, which ascend; -1 where it does not."""
    if not new.size:
        return np.full(old.size, -1, np.int32)
    at = np.minimum(np.searchsorted(new, old), new.size - 1)
    return np.where(new[at] == old, at, -1).astype(np.int32)


def _join(first: flows.Relations, second: flows.Relations) -> flows.Relations:
    return flows.Relations(
        *(
            np.concatenate([getattr(first, name), getattr(second, name)])
            for name in ("origin", "destination", "class_index", "tonnes_yr", "outside_usd_t", "scale_usd_t")
        )
    )


def _together(records: list[flows.Convergence]) -> flows.Convergence:
    """How several assignments, each of which went on from the one before, came to the gap of the last."""
    return replace(
        records[-1],
        iterations=sum(record.iterations for record in records),
        gap_history=tuple(gap for record in records for gap in record.gap_history),
        excess_history_usd_t=tuple(usd for record in records for usd in record.excess_history_usd_t),
    )


def _known_relations(old: Prepared, new: Prepared) -> I4:
    """By loaded relation of one scenario: which of another's it is, or -1."""
    one, other = old.demand, new.demand
    names = ("origin", "destination", "commodity", "exporter", "importer", "captive")
    words = ("zones", "zones", "commodities", "countries", "countries", None)
    if all(getattr(one, word) == getattr(other, word) for word in words if word) and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in names
    ):
        return np.arange(one.relation_count, dtype=np.int32)

    def keys(demand: Demand) -> list[tuple[object, ...]]:
        columns = []
        for name, word in zip(names, words, strict=True):
            values = getattr(demand, name).tolist()
            columns.append([getattr(demand, word)[i] for i in values] if word else values)
        return list(zip(*columns, strict=True))

    number = {key: r for r, key in enumerate(keys(other))}
    return np.array([number.pop(key, -1) for key in keys(one)], np.int32)


def _guess(start: Solution, prepared: Prepared) -> tuple[_Empties, I4, I4]:
    """Empty boxes of another solution under these numbers; which arc and which relation is which."""
    old, new = start.prepared, prepared
    arc = matching_arcs(old.network, new.network)
    first = start.empty_from
    place = {name: i for i, name in enumerate(new.demand.zones)}
    zone = np.array([place.get(name, -1) for name in old.demand.zones], np.int64)

    def zones_at(node_of_zone: I4, nodes: I4) -> I8:
        of_node = np.full(old.network.node_count, -1, np.int64)
        of_node[node_of_zone[node_of_zone >= 0]] = zone[node_of_zone >= 0]
        return of_node[nodes]

    origin = zones_at(old.network.zone_source, start.relations.origin[first:])
    destination = zones_at(old.network.zone_sink, start.relations.destination[first:])
    there = (origin >= 0) & (destination >= 0)
    there &= (new.network.zone_source[origin] >= 0) & (new.network.zone_sink[destination] >= 0)
    pair = origin * len(new.demand.zones) + destination
    tonnes = start.relations.tonnes_yr[first:]
    classes = old.classes
    empties = _return(new, pair[there], tonnes[there] / classes.t_per_teu[classes.empty])
    back = np.where(there, _places(pair, empties.pair), -1)
    back = np.where(back >= 0, back + new.demand.relation_count, -1)
    return empties, arc, np.concatenate([_known_relations(old, new), back]).astype(np.int32)


def solved_inputs(
    solution: Solution,
) -> tuple[paths.Graph, flows.VolumeDelay, flows.Classes, flows.Relations]:
    """Return what was assigned in the end: classes as they were told apart, and empty boxes among the relations.

    Parameters
    ----------
    solution
        A solved scenario and year.

    Returns
    -------
    tuple
        As `assignable` gives it, with the relations of the solution.
    """
    graph, delay, kinds, loaded = assignable(solution.prepared)
    class_index = np.concatenate([loaded.class_index, solution.relations.class_index[solution.empty_from :]])
    return graph, delay, kinds, replace(solution.relations, class_index=class_index.astype(np.int32))


def solve(
    tables: Tables,
    *,
    year: int,
    settings: Settings,
    progress: Progress | None = None,
    start: Solution | None = None,
) -> Solution:
    """Find the equilibrium of tables to which a scenario was applied.

    Parameters
    ----------
    tables
        After `landbridge.scenario.apply`.
    year
        The year.
    settings
        Tolerances and size.
    progress
        Called with a short text as the work goes on.
    start
        A solution to begin with, best the one that this scenario is compared with: the smaller the change, the sooner
        the answer. Any will do, of another year or size too; the answer is the same within the gap.

    Returns
    -------
    Solution

    Raises
    ------
    NotConverged
        If an assignment stops before its gap, or the empty boxes do not settle.
    """
    (progress or (lambda _: None))("network and demand")
    prepared = prepare(tables, year=year, settings=settings, like=start.prepared if start else None)
    return equilibrium(tables, prepared, settings=settings, progress=progress, start=start)


def _options(settings: Settings, guess: flows.Flows | None) -> dict[str, Any]:
    """What a principle's own function takes of the settings; only least cost begins from nothing."""
    options: dict[str, Any] = {"gap": settings.gap, "max_iterations": settings.max_iterations}
    if settings.principle != "mincost":
        options["start"] = guess
    if settings.principle == "sue":
        options["scale_usd_t"] = settings.path_scale_usd_t
    return options


def equilibrium(
    tables: Tables,
    prepared: Prepared,
    *,
    settings: Settings,
    progress: Progress | None = None,
    start: Solution | None = None,
) -> Solution:
    """Find the equilibrium of what was prepared, perhaps with another demand put into it.

    Parameters
    ----------
    tables
        After `landbridge.scenario.apply`.
    prepared
        From `prepare`.
    settings
        Tolerances.
    progress
        Called with a short text as the work goes on.
    start
        As in `solve`.

    Returns
    -------
    Solution

    Raises
    ------
    NotConverged
        If an assignment stops before its gap, or the empty boxes do not settle.
    """
    tell = progress or (lambda _: None)
    graph, delay, kinds, loaded = assignable(prepared)
    share = parameter(tables, "empty-return-share")
    count = prepared.demand.relation_count
    everyone = np.arange(count, dtype=np.int32)
    empties = _return(prepared, np.zeros(0, np.int64), np.zeros(0))
    guess: flows.Flows | None = None
    if start is not None:
        empties, arc, relation = _guess(start, prepared)
        known = _join(loaded, empties.relations)
        guess = flows.carried(start.equilibrium, graph, known, arc=arc, relation=relation)
    tell("equilibrium")
    records: list[flows.Convergence] = []
    for _ in range(EMPTY_ROUNDS):
        relations = _join(loaded, empties.relations)
        result = flows.solve(settings.principle, graph, delay, kinds, relations, **_options(settings, guess))
        records.append(result.convergence)
        after = _empty_boxes(prepared, result.network_tonnes_yr, share)
        boxes = prepared.classes.teu(result.network_tonnes_yr[:count], prepared.demand.commodity).sum()
        if _shift(empties, after) <= max(settings.gap, EMPTY_TOLERANCE) * boxes:
            break
        tell(f"equilibrium with {after.teu_yr.sum():,.0f} empty boxes")
        again = _places(empties.pair, after.pair)
        relation = np.concatenate([everyone, np.where(again >= 0, again + count, -1)]).astype(np.int32)
        guess = flows.carried(result, graph, _join(loaded, after.relations), relation=relation)
        empties = after
    else:
        raise NotConverged(f"empty boxes did not settle in {EMPTY_ROUNDS} rounds", result.convergence)
    names = len(prepared.classes.names)
    by_class = result.arc_tonnes_yr.reshape(-1, names, result.arc_tonnes_yr.shape[1])
    folded = replace(result, arc_tonnes_yr=by_class.sum(axis=0), convergence=_together(records))
    plain = replace(relations, class_index=(relations.class_index % names).astype(np.int32))
    return Solution(prepared, plain, count, folded, float(empties.teu_yr.sum()), len(records))
