r"""Paths that would do as well as those in use, and what they put on the facilities whose volumes are settled.

Problem
    An equilibrium fixes the volumes of facilities whose delay rises and how much each relation sends, but not who of
    several takes which of several equally cheap paths. Which paths are as good as the ones in use, and what of the
    volumes hangs on the choice between them?
Method
    Two used paths of a relation part at some node and meet again: both ways between cost it the same. Another relation
    on one of the two ways could take the other as well, if that costs its class the same too. So every used path is
    tried with every such change, one at a time. More paths can be asked for by number (`more_paths`: the cheapest ones
    of each relation, kept where they are as cheap). An answer over these paths is an inner one: flows that change two
    ways of one path at once, or use a way that nobody uses, are as good too and may reach further.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from landbridge.model.flows.curves import responds
from landbridge.model.flows.records import Bools, Classes, Floats, Flows, Relations, VolumeDelay
from landbridge.model.paths import Graph
from landbridge.model.simple_paths import k_shortest

__all__ = ["Alternatives", "alternatives", "no_alternatives"]

Longs: TypeAlias = npt.NDArray[np.int64]
_Arcs: TypeAlias = tuple[int, ...]
_Changes: TypeAlias = dict[int, dict[tuple[_Arcs, _Arcs], Floats]]
#: The same for one class: by first arc the way, its length, the other one, and by how much that is dearer or cheaper.
_ByArc: TypeAlias = dict[int, list[tuple[_Arcs, int, _Arcs, float]]]


class Alternatives(NamedTuple):
    """The equally good paths of relations that have more than one: A paths, relation by relation.

    Parameters
    ----------
    relation
        Ascending, shape (A,), as are `path` and `tonnes_yr`.
    path
        Number among the paths of the flows; -1 for a path that nobody uses.
    tonnes_yr
        What uses it.
    first, arcs
        A + 1 offsets, and the arcs of each in order of travel.
    load_first, facility, load_trains_day
        A + 1 offsets, and by facility the trains a day that one tonne a year on the path makes. Facilities without a
        settled volume or limit are left out, and those that all paths of a relation share, since no choice moves them.
    settled, headroom_trains_day
        By facility: whether its volume is settled; if not, how much it may rise, infinite where it has no limit.
    """

    relation: Longs
    path: Longs
    tonnes_yr: Floats
    first: Longs
    arcs: Longs
    load_first: Longs
    facility: Longs
    load_trains_day: Floats
    settled: Bools
    headroom_trains_day: Floats

    def touching(self, mask: Bools) -> Bools:
        """Tell which of the paths use at least one of some arcs."""
        found = np.zeros(self.relation.size, np.bool_)
        owner = np.repeat(np.arange(self.relation.size), np.diff(self.first))
        found[owner[np.asarray(mask, np.bool_)[self.arcs]]] = True
        return found


def no_alternatives() -> Alternatives:
    """Return what there is where no relation could split otherwise."""
    none, zero = np.zeros(0, np.int64), np.zeros(1, np.int64)
    nothing = np.zeros(0)
    return Alternatives(none, none, nothing, zero, none, zero, none, nothing, np.zeros(0, np.bool_), nothing)


def alternatives(
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    flows: Flows,
    *,
    more_paths: int = 0,
    tolerance: float = 1e-6,
) -> Alternatives:
    """Find the paths that are as good as the ones in use.

    Parameters
    ----------
    graph, delay, classes, relations
        The problem.
    flows
        Its user equilibrium (with or without hard capacities), its convex system optimum, or its flows of minimum cost.
    more_paths
        Cheapest paths to search for each relation, beside the used ones.
    tolerance
        Paths whose costs differ by less than this share count as equally cheap.

    Returns
    -------
    Alternatives
        Paths that use a facility twice are left out.

    Raises
    ------
    ValueError
        If the flows are of another kind, whose paths are settled or whose optimum is not known.
    """
    if flows.principle in {"all or nothing", "stochastic user equilibrium"} or np.isnan(flows.potential):
        raise ValueError(f"flows: wanted flows that minimise a potential over free paths, got {flows.principle!r}")
    share = np.append(1.0 / delay.train_length_factor, 0.0)[delay.facility]
    weight = np.asarray(classes.weight_trains_day_per_t_yr, np.float64)
    cost = classes.money_usd_t + classes.value_of_time_usd_t_h[:, None] * flows.time_h
    if flows.train_value_usd_yr.size:
        cost = cost + weight[:, None] * (share * np.append(flows.train_value_usd_yr, 0.0)[delay.facility])
    class_of = np.asarray(relations.class_index, np.int64)

    # STEP 1: the used paths, and those that differ from one by a way that is as cheap.
    arcs = flows.path_arcs.tolist()
    ends = flows.path_first.tolist()
    used: dict[int, list[tuple[_Arcs, int]]] = {}
    for p, r in enumerate(flows.path_relation.tolist()):
        used.setdefault(r, []).append((tuple(arcs[ends[p] : ends[p + 1]]), p))
    changes = _changes(used, class_of, graph, cost, tolerance)
    of_class: list[_ByArc] = [{} for _ in range(cost.shape[0])]
    is_simple = _Simple(delay, graph)
    found: dict[int, list[tuple[_Arcs, int]]] = {}
    for r, mine in used.items():
        k = int(class_of[r])
        known = {path for path, _ in mine}
        wanted = list(mine)
        for path, _ in mine:
            for new in _changed(path, _of(of_class, k, changes), tolerance * float(cost[k, list(path)].sum())):
                if new not in known and is_simple(new):
                    known.add(new)
                    wanted.append((new, -1))
        if more_paths > 0:
            ends_of = int(relations.origin[r]), int(relations.destination[r])
            cheapest = k_shortest(graph, cost[k], *ends_of, len(mine) + more_paths)
            limit = cheapest[0][0] * (1.0 + tolerance)
            for price, some in cheapest:
                new = tuple(int(a) for a in some)
                if price <= limit and new not in known and is_simple(new):
                    known.add(new)
                    wanted.append((new, -1))
        if len(wanted) > 1:
            found[r] = wanted

    # STEP 2: what each puts on facilities whose volume is settled or limited, where it tells a relation's paths apart.
    settled, headroom = _limits(delay, flows)
    felt = np.append(settled | np.isfinite(headroom), False)[delay.facility]
    columns: list[tuple[int, int, _Arcs]] = []
    loads: list[dict[int, float]] = []
    for r in sorted(found):
        w = float(weight[class_of[r]])
        mine_loads = []
        for path, _ in found[r]:
            some = np.array(path, np.int64)
            some = some[felt[some]]
            mine_loads.append(dict(zip(delay.facility[some].tolist(), (w * share[some]).tolist(), strict=True)))
        common = set.intersection(*(set(each) for each in mine_loads))
        for (path, p), each in zip(found[r], mine_loads, strict=True):
            columns.append((r, p, path))
            loads.append({f: load for f, load in each.items() if f not in common})
    number = np.array([p for _, p, _ in columns], np.int64)
    tonnes = np.append(flows.path_tonnes_yr, 0.0)
    return Alternatives(
        relation=np.array([r for r, _, _ in columns], np.int64),
        path=number,
        tonnes_yr=np.asarray(tonnes[number], np.float64),
        first=_offsets([len(way) for _, _, way in columns]),
        arcs=np.array([arc for _, _, way in columns for arc in way], np.int64),
        load_first=_offsets([len(each) for each in loads]),
        facility=np.array([f for each in loads for f in each], np.int64),
        load_trains_day=np.array([load for each in loads for load in each.values()], np.float64),
        settled=settled,
        headroom_trains_day=headroom,
    )


def _limits(delay: VolumeDelay, flows: Flows) -> tuple[Bools, Floats]:
    """By facility: whether its volume is settled, and what is free where it is limited."""
    settled = responds(delay)
    if flows.train_value_usd_yr.size and flows.principle == "capacitated minimum cost":
        settled = flows.train_value_usd_yr > 0.0
    if flows.queue_h.size:
        settled = settled | (flows.queue_h > 0.0)
    free = np.full(delay.delay_h.size, np.inf)
    if flows.principle in {"capacitated minimum cost", "capacitated user equilibrium"}:
        free = np.maximum(delay.capacity_trains_day - delay.preload_trains_day - flows.facility_trains_day, 0.0)
    return settled, free


def _changes(
    used: dict[int, list[tuple[_Arcs, int]]], class_of: Longs, graph: Graph, cost: Floats, tolerance: float
) -> _Changes:
    """By first arc: a way, one that leads to the same node, and by how much this is dearer to each class."""
    found: _Changes = {}
    for r, mine in used.items():
        k = int(class_of[r])
        for i, (one, _) in enumerate(mine):
            allowed = tolerance * float(cost[k, list(one)].sum())
            for other, _ in mine[i + 1 :]:
                for a, b in _parted(one, other, graph):
                    if (a, b) in found.get(a[0], {}):
                        continue
                    with np.errstate(invalid="ignore"):  # a class may be barred from both
                        dearer = cost[:, list(b)].sum(axis=1) - cost[:, list(a)].sum(axis=1)
                    if abs(dearer[k]) <= allowed:
                        found.setdefault(a[0], {})[a, b] = dearer
                        found.setdefault(b[0], {})[b, a] = -dearer
    return found


def _parted(one: _Arcs, other: _Arcs, graph: Graph) -> Iterator[tuple[_Arcs, _Arcs]]:
    """Pairs of ways between a node where two paths part and the next at which they meet."""
    place = {int(graph.tail[one[0]]): 0}
    for i, arc in enumerate(one):
        place[int(graph.head[arc])] = i + 1
    at, begin = 0, 0  # where the other last was on the first path, and from which of its arcs on it has not been
    for j, arc in enumerate(other):
        node = int(graph.head[arc])
        here = place.get(node, -1)
        if here < 0:
            continue
        if here > at:  # a meeting further back would be a circle
            a, b = one[at:here], other[begin : j + 1]
            if a != b:
                yield a, b
            at, begin = here, j + 1


def _of(held: list[_ByArc], k: int, changes: _Changes) -> _ByArc:
    """Changes by first arc as one class sees them, put together when it is first asked for."""
    if not held[k]:
        held[k] = {
            arc: [(way, len(way), other, abs(float(dearer[k]))) for (way, other), dearer in some.items()]
            for arc, some in changes.items()
        }
    return held[k]


def _changed(path: _Arcs, changes: _ByArc, allowed: float) -> Iterator[_Arcs]:
    """A path with one of its ways changed for another that costs the class as much."""
    for i, arc in enumerate(path):
        for way, long, other, dearer in changes.get(arc, ()):
            if dearer <= allowed and path[i : i + long] == way:
                yield path[:i] + other + path[i + long :]


class _Simple:
    """Tells whether a path meets no node and no facility twice."""

    def __init__(self, delay: VolumeDelay, graph: Graph) -> None:
        self._tail, self._head = graph.tail, graph.head.tolist()
        self._facility = delay.facility.tolist()

    def __call__(self, path: _Arcs) -> bool:
        head, facility = self._head, self._facility
        nodes = [head[a] for a in path]
        if len(set(nodes)) < len(nodes) or int(self._tail[path[0]]) in nodes[:-1]:
            return False
        used = [facility[a] for a in path if facility[a] >= 0]
        return len(set(used)) == len(used)


def _offsets(lengths: list[int]) -> Longs:
    return np.append(0, np.cumsum(np.array(lengths, np.int64)))
