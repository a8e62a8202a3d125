r"""The most that carriage can save over the outside options, while some arcs are barred.

Problem
    max  sum_r sum_p (w_r - c_p) f_p   over the paths p of relation r that use no barred arc,
    subject to  sum_p f_p <= q_r  and, on each facility,  sum of load f_p <= room.
    c is the cost of a path, w_r the cost of the relation's outside option, q_r its tonnes. Which arcs are barred may
    differ between groups of relations. Barring less never lowers the optimum, which no equilibrium promises (Braess).
Method
    Paths that are known are used first: relations that no full facility touches take their cheapest path; facilities
    that turn out too full come into a linear program together with the relations that have a path over them (HiGHS,
    warm from the problem before). Prices of full facilities go onto the arcs, and only relations that pay more than
    their free cost are searched again: for no other can another path pay. New paths and full facilities stay known for
    the problems that follow, since sets of barred arcs that follow each other have most of their paths in common.
Stop
    When no path is left that would pay; the bound `sum of price room + sum of q max(0, w - c at these prices)` then
    meets the optimum to within `gap`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from landbridge.errors import NotConverged
from landbridge.model.flows.mincost import need_highs
from landbridge.model.paths import Graph, grow_trees

__all__ = ["Carriage", "Optimum", "Paths", "Program", "cheapest_paths", "least_costs", "open_cost"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FEASIBLE = 1e-9
MOST_ROUNDS = 200
NO_COLUMNS = np.empty(0, np.int32)
NO_SHARES = np.empty(0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Carriage:
    """What may be carried, and over what: m arcs, F facilities, K classes, R relations.

    Parameters
    ----------
    graph
        The network.
    cost_usd_t
        Cost of each arc by class, shape (K, m), at least zero; ``inf`` = the class may not use it.
    facility
        Facility whose room each arc takes, shape (m,); -1 = none.
    room
        Room of the facilities, shape (F,); ``inf`` = never full.
    load
        Room that one tonne of a class takes on a facility, shape (K, F).
    origin, destination, class_index
        Nodes and class of each relation, shape (R,).
    tonnes_yr, outside_usd_t
        Tonnes a year of each relation, and what its outside option costs (finite), shape (R,).
    """

    graph: Graph
    cost_usd_t: Floats
    facility: Ints
    room: Floats
    load: Floats
    origin: Ints
    destination: Ints
    class_index: Ints
    tonnes_yr: Floats
    outside_usd_t: Floats


@dataclass(frozen=True, eq=False)
class Paths:
    """Known paths: the arcs of path p are ``arcs[first[p]:first[p + 1]]``.

    Parameters
    ----------
    relation, cost_usd_t
        Relation and cost of each of P paths.
    asks
        Bit mask of the players asked, where arcs have owners; else zero.
    first, arcs
        P + 1 offsets, and the arcs in order of travel.
    """

    relation: Ints
    cost_usd_t: Floats
    asks: Ints
    first: Ints
    arcs: Ints


class Optimum(NamedTuple):
    """What can be saved at the most, and how.

    Parameters
    ----------
    worth_usd_yr
        Saved over everyone's outside option.
    gap
        Share of it by which the bound is higher.
    rounds
        Searches for paths that were needed.
    tonnes_yr
        Tonnes by relation that use the network, shape (R,).
    price_usd
        What one more unit of room is worth by facility, shape (F,).
    path, path_tonnes_yr
        Paths used, by their number in the program, and tonnes on them.
    """

    worth_usd_yr: float
    gap: float
    rounds: int
    tonnes_yr: Floats
    price_usd: Floats
    path: Ints
    path_tonnes_yr: Floats


def open_cost(carriage: Carriage, k: int) -> Floats:
    """Cost of each arc to a class; a facility without any room closes its arcs to those that would need some."""
    closed = np.append((carriage.room <= 0.0) & (carriage.load[k] > 0.0), False)
    return np.where(closed[carriage.facility], np.inf, carriage.cost_usd_t[k])


def check(carriage: Carriage) -> None:
    """Refuse a negative cost, or an outside option that has none."""
    if not np.isfinite(carriage.outside_usd_t).all():
        raise ValueError("outside_usd_t: wanted finite costs; relations without an outside option have no worth")
    if not (carriage.cost_usd_t >= 0.0).all():
        raise ValueError("cost_usd_t: wanted costs of at least zero")


def cheapest_paths(carriage: Carriage) -> Paths:
    """Find the cheapest path of each relation that beats its outside option, nothing being barred or full.

    Parameters
    ----------
    carriage
        The problem.

    Returns
    -------
    Paths
        By relation.

    Raises
    ------
    ValueError
        If a cost is negative or no number, or an outside option is not finite.
    """
    check(carriage)
    program = Program(carriage, None)
    moving = np.flatnonzero(carriage.tonnes_yr > 0.0)
    none = np.zeros((1, carriage.graph.tail.size), np.bool_)
    groups = np.zeros(carriage.tonnes_yr.size, np.int64)
    program.search(moving, none, groups, np.zeros(carriage.room.size), np.zeros(carriage.tonnes_yr.size), 0.0)
    count = program.relation.size
    return Paths(
        program.relation.values.copy(),
        program.cost.values.copy(),
        np.zeros(count, np.int64),
        program.first.values.copy(),
        program.arcs.values.copy(),
    )


def least_costs(carriage: Carriage, relations: Ints, barred: Bools) -> Floats:
    """Find the least cost of some relations by the network, nothing being full.

    Parameters
    ----------
    carriage
        The problem.
    relations
        Which.
    barred
        Arcs that they may not use, shape (m,).

    Returns
    -------
    array of float64
        USD per tonne, one for each; ``inf`` where no path leads.
    """
    result = np.full(relations.size, np.inf)
    if relations.size:
        every = np.array([open_cost(carriage, k) for k in range(carriage.load.shape[0])])
        group = np.zeros(carriage.tonnes_yr.size, np.int64)
        mine, distance, _, _ = _trees(carriage, every, relations, barred[None, :], group, np.zeros_like(carriage.load))
        at = np.argsort(relations, kind="stable")
        result[at[np.searchsorted(relations[at], mine)]] = distance
    return result


def _trees(
    carriage: Carriage, open_costs: Floats, keen: Ints, barred: Bools, group: Ints, toll_usd_t: Floats
) -> tuple[Ints, Floats, Ints, npt.NDArray[np.int32]]:
    """Grow a least-cost tree for each class, group and origin of some relations.

    Returns the relations in the order of the trees, their distances, their trees, and the slot into each node by tree.
    """
    graph = carriage.graph
    kinds, row_of = np.unique(carriage.class_index[keen] * len(barred) + group[keen], return_inverse=True)
    facility = carriage.facility[graph.out_arc]
    cost = np.empty((kinds.size, graph.out_arc.size))
    for i, kind in enumerate(kinds.tolist()):
        k, g = divmod(kind, len(barred))
        toll = np.append(toll_usd_t[k], 0.0)[facility]
        cost[i] = np.where(barred[g, graph.out_arc], np.inf, open_costs[k, graph.out_arc] + toll)
    order = np.lexsort((keen, carriage.origin[keen], row_of))
    mine = keen[order]
    start = np.flatnonzero(np.append(True, np.diff(row_of[order] * graph.node_count + carriage.origin[mine]) != 0))
    slot_in = np.empty((start.size, graph.node_count), np.int32)
    distance = np.empty(mine.size)
    grow_trees(
        graph.first_out,
        graph.head[graph.out_arc],
        cost,
        np.arange(start.size, dtype=np.int32),
        carriage.origin[mine[start]].astype(np.int32),
        row_of[order[start]].astype(np.int32),
        slot_in,
        np.empty_like(slot_in),
        np.empty(start.size, np.int32),
        np.append(start, mine.size).astype(np.int32),
        carriage.destination[mine].astype(np.int32),
        distance,
    )
    return mine, distance, np.searchsorted(start, np.arange(mine.size), side="right") - 1, slot_in


class Program:
    """The linear program over known paths, and the searches that add to it.

    It holds only the facilities that some problem of this row has filled, and the relations with a path over one of
    them; every other relation takes its cheapest path, and the loads of all are looked at after each solve.

    Parameters
    ----------
    carriage
        The problem.
    paths
        Paths to start from; None = none.
    """

    def __init__(self, carriage: Carriage, paths: Paths | None) -> None:
        self.highs = need_highs()
        self.carriage = carriage
        count, facilities = carriage.tonnes_yr.size, carriage.room.size
        self.open_cost = np.array([open_cost(carriage, k) for k in range(carriage.load.shape[0])])
        self.relation = _Growing(np.int64)
        self.cost = _Growing(np.float64)
        self.first = _Growing(np.int64)
        self.first.append(0)
        self.arcs = _Growing(np.int64)
        # entries: facilities of limited room on a path, and the part of their room that all tonnes would take
        self.first_use = _Growing(np.int64)
        self.first_use.append(0)
        self.use_facility = _Growing(np.int64)
        self.use_share = _Growing(np.float64)
        self.column_of = _Growing(np.int64)  # -1 = not in the program
        self.path_of_column = _Growing(np.int64)
        self.row_of_relation = np.full(count, -1)
        self.row_of_facility = np.full(facilities, -1)
        self.row_count = 0
        self.open = np.empty(0, np.bool_)
        self._order = np.empty(0, np.int64)
        self._starts = np.empty(0, np.int64)
        self._known = True
        self._hashes: set[tuple[int, int]] = set()
        if paths is not None and paths.relation.size:
            self._extend(paths.relation, paths.first, paths.arcs)
        relation = self.relation.values
        gain = (carriage.outside_usd_t[relation] - self.cost.values) * carriage.tonnes_yr[relation]
        self.unit = 1e3 / (float(gain.max(initial=0.0)) or 1.0)
        self.solver: Any = self.highs.Highs()
        for option, value in (
            ("output_flag", False),
            ("threads", 1),
            ("primal_feasibility_tolerance", FEASIBLE),
            ("dual_feasibility_tolerance", FEASIBLE),
            ("presolve", "off"),  # it would throw the last basis away
        ):
            self.solver.setOptionValue(option, value)
        self.solver.changeObjectiveSense(self.highs.ObjSense.kMaximize)

    def arcs_of(self, p: int) -> Ints:
        """Return the arcs of a path in order of travel."""
        return self.arcs.values[self.first.values[p] : self.first.values[p + 1]]

    def _extend(self, relation: Ints, first: Ints, arcs: Ints) -> None:
        """Keep paths, and put those into the program whose relation is there or that meet a facility that is."""
        carriage, before = self.carriage, self.relation.size
        count = relation.size
        owner = np.repeat(np.arange(count), np.diff(first))
        k = carriage.class_index[relation]
        self.relation.extend(relation)
        self.cost.extend(np.bincount(owner, carriage.cost_usd_t[k[owner], arcs], count))
        self.first.extend(self.arcs.size + first[1:])
        self.arcs.extend(arcs)
        facility = carriage.facility[arcs]
        used = facility >= 0
        used[used] = np.isfinite(carriage.room[facility[used]]) & (carriage.load[k[owner[used]], facility[used]] > 0.0)
        key, times = np.unique(owner[used] * (carriage.room.size + 1) + facility[used], return_counts=True)
        path, facility = key // (carriage.room.size + 1), key % (carriage.room.size + 1)
        tonnes = carriage.tonnes_yr[relation[path]]
        share = carriage.load[k[path], facility] * times * tonnes / carriage.room[facility]
        self.first_use.extend(self.use_facility.size + np.searchsorted(path, np.arange(1, count + 1)))
        self.use_facility.extend(facility)
        self.use_share.extend(share)
        self.column_of.extend(np.full(count, -1))
        for p in range(count):
            self._hashes.add((int(relation[p]), hash(arcs[first[p] : first[p + 1]].tobytes())))
        self._sort()
        for p in range(before, before + count):
            r = int(self.relation.values[p])
            if self.column_of.values[p] >= 0:
                continue  # came with another path of its relation
            if self.row_of_relation[r] >= 0:
                self._column(p)
            elif self.row_count and (self.row_of_facility[self._uses(p)[0]] >= 0).any():
                self._bind(r)

    def _uses(self, p: int) -> tuple[Ints, Floats]:
        first, last = self.first_use.values[p], self.first_use.values[p + 1]
        return self.use_facility.values[first:last], self.use_share.values[first:last]

    def _bind(self, r: int) -> None:
        """Take a relation into the program."""
        if self.row_of_relation[r] < 0:
            self.row_of_relation[r] = self._row()
            for p in np.flatnonzero(self.relation.values == r).tolist():
                self._column(p)

    def _row(self, column: npt.NDArray[np.int32] = NO_COLUMNS, share: Floats = NO_SHARES) -> int:
        self.solver.addRow(-self.highs.kHighsInf, 1.0, column.size, column, share)
        self.row_count += 1
        return self.row_count - 1

    def _column(self, p: int) -> None:
        carriage, r = self.carriage, int(self.relation.values[p])
        facility, share = self._uses(p)
        held = self.row_of_facility[facility] >= 0
        rows = np.append(self.row_of_relation[r], self.row_of_facility[facility[held]]).astype(np.int32)
        gain = (carriage.outside_usd_t[r] - self.cost.values[p]) * carriage.tonnes_yr[r]
        self.solver.addCol(gain * self.unit, 0.0, 0.0, rows.size, rows, np.append(1.0, share[held]))
        self.column_of.values[p] = self.path_of_column.size
        self.path_of_column.append(p)
        self.open = np.append(self.open, False)

    def _hold(self, facilities: Ints) -> None:
        """Take facilities into the program, with every relation that has a path over one of them."""
        owner = np.repeat(np.arange(self.relation.size), np.diff(self.first_use.values))
        for f in facilities.tolist():
            entries = np.flatnonzero(self.use_facility.values == f)
            column = self.column_of.values[owner[entries]]
            there = column >= 0
            self.row_of_facility[f] = self._row(column[there].astype(np.int32), self.use_share.values[entries[there]])
            for r in np.unique(self.relation.values[owner[entries[~there]]]).tolist():
                self._bind(r)

    def load_of(self, path: Ints, part: Floats) -> Floats:
        """Part of each facility's room that some paths take, each with a part of its relation's tonnes."""
        first = self.first_use.values
        lengths = first[path + 1] - first[path]
        entry = np.repeat(first[path] - np.append(0, np.cumsum(lengths)[:-1]), lengths) + np.arange(lengths.sum())
        weights = self.use_share.values[entry] * np.repeat(part, lengths)
        return np.asarray(np.bincount(self.use_facility.values[entry], weights, self.carriage.room.size), np.float64)

    def solve(self, usable: Bools, barred: Bools, group: Ints, gap: float = 1e-9, *, complete: bool = False) -> Optimum:
        """Find the optimum while some arcs are barred.

        Parameters
        ----------
        usable
            Whether each known path uses no barred arc, shape (P,).
        barred
            Arcs that each of G groups of relations may not use, shape (G, m).
        group
            Group of each relation, shape (R,).
        gap
            Difference between worth and bound to reach, as a share of the bound.
        complete
            Whether every relation's cheapest path is sure to be known whatever is barred; else relations that lost
            theirs are searched first.

        Returns
        -------
        Optimum

        Raises
        ------
        NotConverged
            If HiGHS finds no optimum, or paths that pay are still found after many rounds.
        """
        carriage = self.carriage
        count = carriage.tonnes_yr.size
        rounds, missing, total = 0, 0.0, 0.0
        if not complete and (self._order.size or not self._known):
            heads = self._order[self._starts]
            lost = self.relation.values[heads[~usable[heads]]]
            if not self._known:
                lost = np.flatnonzero(carriage.tonnes_yr > 0.0)
            _, gain = self._cheapest(usable)
            self.search(lost, barred, group, np.zeros(carriage.room.size), gain, 0.0)
        while True:
            if usable.size < self.relation.size:  # paths that this problem's own searches found
                usable = np.append(usable, np.ones(self.relation.size - usable.size, np.bool_))
            # STEP 1: every relation's cheapest path, as if nothing were full.
            best, gain = self._cheapest(usable)
            bound = self.row_of_relation >= 0
            easy = best[~bound[self.relation.values[best]] & (gain[self.relation.values[best]] > 0.0)]
            path, part = easy, np.ones(easy.size)
            # STEP 2: the others share what is full.
            worth, value = 0.0, np.zeros(count)
            price = np.zeros(carriage.room.size)
            if self.path_of_column.size:
                worth, dual, parts = self._run(usable)
                value[bound] = dual[self.row_of_relation[bound]]
                held = self.row_of_facility >= 0
                price[held] = dual[self.row_of_facility[held]] / carriage.room[held]
                some = np.flatnonzero(parts > 0.0)
                path, part = np.append(path, self.path_of_column.values[some]), np.append(part, parts[some])
            total = worth + float(gain[~bound].sum())
            # STEP 3: is another facility over its room, or another path worth its price?
            over = np.flatnonzero((self.load_of(path, part) > 1.0 + FEASIBLE) & (self.row_of_facility < 0))
            if over.size:
                self._hold(over)
                continue
            slack = self.slack(gap)
            keen = np.flatnonzero(bound & (gain > value + slack))
            added, missing = self.search(keen, barred, group, price, value, slack)
            if not added or missing <= gap * total:
                break
            rounds += 1
            if rounds == MOST_ROUNDS:
                raise NotConverged(f"surplus: paths that pay are still found after {rounds} rounds", missing)
        relation = self.relation.values[path]
        path_tonnes = part * carriage.tonnes_yr[relation]
        tonnes = np.asarray(np.bincount(relation, path_tonnes, count), np.float64)
        return Optimum(total, missing / total if total > 0.0 else 0.0, rounds, tonnes, price, path, path_tonnes)

    def _cheapest(self, usable: Bools) -> tuple[Ints, Floats]:
        """Find the cheapest known path of each relation that has one it may use, and what each relation gains."""
        carriage, order = self.carriage, self._order
        best = np.empty(0, np.int64)
        if order.size:
            at = np.where(usable[order], np.arange(order.size), order.size)
            at = np.minimum.reduceat(at, self._starts)
            best = order[at[at < order.size]]
        least = np.array(carriage.outside_usd_t)
        mine = self.relation.values[best]
        least[mine] = np.minimum(least[mine], self.cost.values[best])
        return best, (carriage.outside_usd_t - least) * carriage.tonnes_yr

    def reprice(self, cost_usd_t: Floats, *, known: bool = False) -> None:
        """Take other costs of the arcs; what may be used and what has room stay as they are.

        Parameters
        ----------
        cost_usd_t
            Cost of each arc by class, shape (K, m), at least zero, ``inf`` where it was.
        known
            Whether each relation's cheapest path at these costs is sure to be among the known ones; else every relation
            is searched again at each solve.
        """
        self.carriage = carriage = replace(self.carriage, cost_usd_t=cost_usd_t)
        check(carriage)
        self.open_cost = np.array([open_cost(carriage, k) for k in range(carriage.load.shape[0])])
        count = self.relation.size
        owner = np.repeat(np.arange(count), np.diff(self.first.values))
        k = carriage.class_index[self.relation.values]
        self.cost.values[:] = np.bincount(owner, cost_usd_t[k[owner], self.arcs.values], count)
        self._known = known
        self._sort()
        columns = self.path_of_column.values
        relation = self.relation.values[columns]
        gain = (carriage.outside_usd_t[relation] - self.cost.values[columns]) * carriage.tonnes_yr[relation]
        self.solver.changeColsCost(columns.size, np.arange(columns.size, dtype=np.int32), gain * self.unit)

    def _sort(self) -> None:
        """Order the paths by relation and cost."""
        every = self.relation.values
        self._order = np.lexsort((np.arange(every.size), self.cost.values, every))
        self._starts = np.flatnonzero(np.append(True, np.diff(every[self._order]) != 0))

    def slack(self, gap: float) -> float:
        """What a relation may miss: all of them together then miss less than the gap of the largest relation."""
        return gap * 1e3 / self.unit / max(self.carriage.tonnes_yr.size, 1)

    def _run(self, usable: Bools) -> tuple[float, Floats, Floats]:
        """Solve the program with the columns that may be used: worth, duals in USD, shares."""
        wanted = usable[self.path_of_column.values]
        changed = np.flatnonzero(wanted != self.open).astype(np.int32)
        if changed.size:
            upper = np.where(wanted[changed], self.highs.kHighsInf, 0.0)
            self.solver.changeColsBounds(changed.size, changed, np.zeros(changed.size), upper)
            self.open = wanted
        self.solver.run()
        if self.solver.getModelStatus() != self.highs.HighsModelStatus.kOptimal:
            status = self.solver.modelStatusToString(self.solver.getModelStatus())
            raise NotConverged(f"surplus: HiGHS stopped with {status!r}", status)
        solution = self.solver.getSolution()
        dual = np.maximum(np.asarray(solution.row_dual, np.float64), 0.0) / self.unit
        worth = float(self.solver.getInfo().objective_function_value) / self.unit
        return worth, dual, np.maximum(np.asarray(solution.col_value, np.float64), 0.0)

    def search(
        self, keen: Ints, barred: Bools, group: Ints, price: Floats, value: Floats, slack: float
    ) -> tuple[int, float]:
        """Search paths that pay for some relations; return how many came, and what they would add at the most."""
        carriage, graph = self.carriage, self.carriage.graph
        if not keen.size:
            return 0, 0.0
        # STEP 1: costs with the prices of what is full, and a tree for each class, group and origin.
        toll = price * carriage.load
        mine, distance, tree_of, slot_in = _trees(carriage, self.open_cost, keen, barred, group, toll)
        # STEP 2: paths that pay.
        best = (carriage.outside_usd_t[mine] - distance) * carriage.tonnes_yr[mine]
        relations: list[int] = []
        chains: list[Ints] = []
        missing = 0.0
        for j in np.flatnonzero(best > value[mine] + slack).tolist():
            r = int(mine[j])
            slots = []
            at = int(carriage.destination[r])
            while at != carriage.origin[r]:
                slots.append(int(slot_in[tree_of[j], at]))
                at = int(graph.tail[graph.out_arc[slots[-1]]])
            arcs = graph.out_arc[slots[::-1]].astype(np.int64)
            if (r, hash(arcs.tobytes())) not in self._hashes:
                relations.append(r)
                chains.append(arcs)
                missing += float(best[j] - value[r])
        if relations:
            first = np.append(0, np.cumsum([len(c) for c in chains])).astype(np.int64)
            self._extend(np.array(relations, np.int64), first, np.concatenate(chains))
        return len(relations), missing

    def free_of(self, barred: Bools) -> Bools:
        """Tell which known paths use none of some arcs, given as a mask."""
        owner = np.repeat(np.arange(self.relation.size), np.diff(self.first.values))
        result = np.ones(self.relation.size, np.bool_)
        result[owner[barred[self.arcs.values]]] = False
        return result


class _Growing:
    """An array that grows at its end."""

    def __init__(self, kind: Any) -> None:
        self._store = np.empty(1024, kind)
        self.size = 0

    @property
    def values(self) -> npt.NDArray[Any]:
        return self._store[: self.size]

    def append(self, value: float) -> None:
        self.extend(np.array([value]))

    def extend(self, values: npt.NDArray[Any] | Sequence[float]) -> None:
        count = len(values)
        if self.size + count > self._store.size:
            store = np.empty(max(2 * self._store.size, self.size + count), self._store.dtype)
            store[: self.size] = self.values
            self._store = store
        self._store[self.size : self.size + count] = values
        self.size += count
