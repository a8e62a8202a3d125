"""Read answers off the paths that an assignment kept; no second run is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from landbridge.model.flows.records import Bools, Floats, Flows, Relations, VolumeDelay
from landbridge.model.paths import Graph

__all__ = [
    "Overloads",
    "Selection",
    "Skim",
    "conservation_error",
    "overloads",
    "path_attributes",
    "select",
    "select_arcs",
    "shares",
    "skim",
]

Longs: TypeAlias = npt.NDArray[np.int64]


def path_attributes(flows: Flows, values: Floats) -> Floats:
    """Add up an attribute of the arcs along each path.

    Parameters
    ----------
    flows
        From an assignment.
    values
        The attribute of each arc: hours, kilometres, grams.

    Returns
    -------
    array of float64
        One sum for each path.
    """
    used = np.asarray(values, np.float64)[flows.path_arcs]
    return np.bincount(_path_of_entry(flows), weights=used, minlength=flows.path_relation.size).astype(np.float64)


def select_arcs(flows: Flows, arcs: Bools) -> Floats:
    """Tell who uses any of some arcs.

    Parameters
    ----------
    flows
        From an assignment.
    arcs
        True for each arc of the selection.

    Returns
    -------
    array of float64
        Tonnes a year of each relation on paths that touch the selection; a path that touches it twice counts once.
    """
    touches = _touches(flows, arcs)
    return np.bincount(
        flows.path_relation[touches],
        weights=flows.path_tonnes_yr[touches],
        minlength=flows.network_tonnes_yr.size,
    ).astype(np.float64)


class Selection(NamedTuple):
    """What moves on paths that touch a set of arcs.

    Parameters
    ----------
    relation_tonnes_yr
        Tonnes a year of each relation, shape (R,).
    arc_tonnes_yr
        Tonnes a year of these paths on every arc, by class, shape (K, m).
    path
        True for each path of the flows that is selected, shape (P,).
    """

    relation_tonnes_yr: Floats
    arc_tonnes_yr: Floats
    path: Bools


def select(flows: Flows, relations: Relations, *masks: Bools) -> Selection:
    """Tell who uses a link, a crossing, a country or a passage, and where else they go.

    Parameters
    ----------
    flows
        From an assignment.
    relations
        Its demand.
    *masks
        Sets of arcs, each true for its own; a path is selected if it touches every set: one mask for a link, a crossing
        or a country, several for a passage that is known by more than one crossing.

    Returns
    -------
    Selection
        A path that touches a set twice counts once.
    """
    chosen = np.ones(flows.path_relation.size, np.bool_)
    for arcs in masks:
        chosen &= _touches(flows, arcs)
    by_relation = np.bincount(
        flows.path_relation[chosen], weights=flows.path_tonnes_yr[chosen], minlength=flows.network_tonnes_yr.size
    )
    k, m = flows.arc_tonnes_yr.shape
    path = _path_of_entry(flows)
    entry = chosen[path]
    cell = relations.class_index[flows.path_relation[path[entry]]].astype(np.int64) * m + flows.path_arcs[entry]
    by_arc = np.bincount(cell, weights=flows.path_tonnes_yr[path[entry]], minlength=k * m)
    return Selection(by_relation.astype(np.float64), by_arc.astype(np.float64).reshape(k, m), chosen)


class Skim(NamedTuple):
    """An attribute of the used paths of each relation; ``nan`` where none is used.

    Parameters
    ----------
    average
        Mean weighted by tonnes, shape (R,).
    least
        Smallest, shape (R,).
    """

    average: Floats
    least: Floats


def skim(flows: Flows, values: Floats) -> Skim:
    """Read an attribute off the used paths.

    Parameters
    ----------
    flows
        From an assignment.
    values
        The attribute of each arc: hours, kilometres, grams.

    Returns
    -------
    Skim
        Average and least by relation.
    """
    total = path_attributes(flows, values)
    count = flows.network_tonnes_yr.size
    least = np.full(count, np.inf)
    np.minimum.at(least, flows.path_relation, total)
    spent = np.bincount(flows.path_relation, weights=flows.path_tonnes_yr * total, minlength=count)
    used = flows.network_tonnes_yr > 0.0
    average = np.where(used, spent / np.where(used, flows.network_tonnes_yr, 1.0), np.nan)
    return Skim(average, np.where(np.isfinite(least), least, np.nan))


def shares(flows: Flows, masks: Sequence[Bools]) -> Floats:
    """Tell which part of each relation's tonnes on the network touches each of some sets of arcs.

    Parameters
    ----------
    flows
        From an assignment.
    masks
        One mask of arcs for each passage, crossing or country.

    Returns
    -------
    array of float64
        Shape (R, number of masks); ``nan`` where a relation does not use the network. Sets may overlap.
    """
    network = flows.network_tonnes_yr
    used = network > 0.0
    table = np.full((network.size, len(masks)), np.nan)
    for i, arcs in enumerate(masks):
        table[used, i] = select_arcs(flows, arcs)[used] / network[used]
    return table


class Overloads(NamedTuple):
    """Facilities on which there are more trains than capacity, the worst first.

    Parameters
    ----------
    facility
        Which.
    trains_day
        Trains a day, preload counted.
    capacity_trains_day
        Capacity.
    """

    facility: Longs
    trains_day: Floats
    capacity_trains_day: Floats


def overloads(flows: Flows, delay: VolumeDelay, *, tolerance: float = 1e-9) -> Overloads:
    """List where flows exceed a capacity.

    Parameters
    ----------
    flows
        From an assignment.
    delay
        Capacities and preloads.
    tolerance
        Share of the capacity that does not count as exceeding it.

    Returns
    -------
    Overloads
        Empty when all fits.
    """
    trains = flows.facility_trains_day + delay.preload_trains_day
    over = np.flatnonzero(trains > delay.capacity_trains_day * (1.0 + tolerance))
    order = over[np.argsort(-trains[over] / delay.capacity_trains_day[over], kind="stable")]
    return Overloads(order, trains[order], delay.capacity_trains_day[order])


def conservation_error(graph: Graph, flows: Flows, relations: Relations) -> float:
    """Measure what was lost: at a relation, at a node by class, or between paths and arcs.

    Parameters
    ----------
    graph
        The graph of the assignment.
    flows
        Its result.
    relations
        Its demand.

    Returns
    -------
    float
        Largest imbalance in tonnes, as a share of all tonnes.
    """
    count = relations.tonnes_yr.size
    total = float(relations.tonnes_yr.sum())
    if total == 0.0:
        return float(np.abs(flows.arc_tonnes_yr).sum())
    on_paths = np.bincount(flows.path_relation, weights=flows.path_tonnes_yr, minlength=count)
    parts = on_paths + flows.outside_tonnes_yr + flows.unserved_tonnes_yr
    errors = [np.abs(parts - relations.tonnes_yr), np.abs(on_paths - flows.network_tonnes_yr)]
    path_class = relations.class_index[flows.path_relation[_path_of_entry(flows)]]
    tonnes = flows.path_tonnes_yr[_path_of_entry(flows)]
    for k, arc_tonnes in enumerate(flows.arc_tonnes_yr):
        mine = path_class == k
        from_paths = np.bincount(flows.path_arcs[mine], weights=tonnes[mine], minlength=arc_tonnes.size)
        errors.append(np.abs(from_paths - arc_tonnes))
        balance = np.bincount(graph.tail, weights=arc_tonnes, minlength=graph.node_count)
        balance -= np.bincount(graph.head, weights=arc_tonnes, minlength=graph.node_count)
        network = np.where(relations.class_index == k, flows.network_tonnes_yr, 0.0)
        balance -= np.bincount(relations.origin, weights=network, minlength=graph.node_count)
        balance += np.bincount(relations.destination, weights=network, minlength=graph.node_count)
        errors.append(np.abs(balance))
    return max(float(error.max(initial=0.0)) for error in errors) / total


def _touches(flows: Flows, arcs: Bools) -> Bools:
    """Which paths use at least one of the arcs."""
    mask = np.asarray(arcs, np.bool_)
    if mask.shape != flows.time_h.shape:
        raise ValueError(f"arcs: wanted a mask of {flows.time_h.size} arcs, got shape {mask.shape}")
    touches = np.zeros(flows.path_relation.size, np.bool_)
    touches[_path_of_entry(flows)[mask[flows.path_arcs]]] = True
    return touches


def _path_of_entry(flows: Flows) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(flows.path_relation.size), np.diff(flows.path_first))
