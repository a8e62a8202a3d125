"""Read answers off the paths that an assignment kept; no second run is needed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from landbridge.model.flows.records import Bools, Floats, Flows, Relations
from landbridge.model.paths import Graph

__all__ = ["conservation_error", "path_attributes", "select_arcs"]


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
    mask = np.asarray(arcs, np.bool_)
    if mask.shape != flows.time_h.shape:
        raise ValueError(f"arcs: wanted a mask of {flows.time_h.size} arcs, got shape {mask.shape}")
    touches = np.zeros(flows.path_relation.size, np.bool_)
    touches[_path_of_entry(flows)[mask[flows.path_arcs]]] = True
    return np.bincount(
        flows.path_relation[touches],
        weights=flows.path_tonnes_yr[touches],
        minlength=flows.network_tonnes_yr.size,
    ).astype(np.float64)


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


def _path_of_entry(flows: Flows) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(flows.path_relation.size), np.diff(flows.path_first))
