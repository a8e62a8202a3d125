"""Flows of one problem as a first guess for another: the same paths under the other's numbers of arcs and relations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from landbridge.model.flows.records import Flows, Ints, Relations
from landbridge.model.paths import Graph

__all__ = ["carried"]


def carried(flows: Flows, graph: Graph, relations: Relations, *, arc: Ints | None = None, relation: Ints) -> Flows:
    """Return flows as `assign` takes them for a start, with only the paths that are left.

    Parameters
    ----------
    flows
        Solved, on any graph.
    graph, relations
        What is to be solved.
    arc
        By arc of the solved graph: its number in the new one, or -1 where it is gone; by default all keep theirs.
    relation
        By relation that was solved: its number among the new ones, or -1. No two may become one.

    Returns
    -------
    Flows
        Paths whose arcs are all left and still join their relation's ends, and where each relation's tonnes went;
        relations without a forerunner have nothing. Its volumes and times are not filled in.
    """
    length = np.diff(flows.path_first)
    owner = np.repeat(np.arange(length.size), length)
    arcs = np.asarray(flows.path_arcs if arc is None else arc[flows.path_arcs], np.int32)
    renamed = relation[flows.path_relation]
    kept = (renamed >= 0) & (length > 0)
    kept[owner[arcs < 0]] = False
    if arc is not None and arcs.size:
        # a renumbered path must still lead from one arc to the next, and between the ends of its relation
        follows = owner[1:] == owner[:-1]
        apart = follows & (graph.head[arcs[:-1]] != graph.tail[arcs[1:]])
        kept[owner[1:][apart]] = False
    some = np.flatnonzero(kept)
    first, last = arcs[flows.path_first[some]], arcs[flows.path_first[some + 1] - 1]
    joins = (graph.tail[first] == relations.origin[renamed[some]]) & (
        graph.head[last] == relations.destination[renamed[some]]
    )
    kept[some[~joins]] = False
    chosen = np.flatnonzero(kept)
    chosen = chosen[np.argsort(renamed[chosen], kind="stable")]
    path_first = np.append(0, np.cumsum(length[chosen]))
    entry = np.arange(path_first[-1]) - np.repeat(path_first[:-1] - flows.path_first[chosen], length[chosen])
    count = relations.tonnes_yr.size
    inside, outside = np.zeros(count), np.zeros(count)
    known = relation >= 0
    no_path = np.zeros(count, np.bool_)
    no_path[relation[known]] = flows.no_path[known]
    inside[relation[known]] = flows.network_tonnes_yr[known]
    outside[relation[known]] = flows.outside_tonnes_yr[known]
    return replace(
        flows,
        arc_tonnes_yr=np.empty((0, 0)),
        facility_trains_day=np.empty(0),
        time_h=np.zeros(graph.tail.size),
        path_first=path_first.astype(np.int32),
        path_arcs=arcs[entry],
        path_relation=renamed[chosen].astype(np.int32),
        path_tonnes_yr=flows.path_tonnes_yr[chosen],
        network_tonnes_yr=inside,
        outside_tonnes_yr=outside,
        no_path=no_path,
    )
