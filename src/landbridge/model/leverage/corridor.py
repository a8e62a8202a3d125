r"""What a coalition can earn on a transit network: the worth function of the corridor game.

Problem
    v(S) = max  sum_r sum_p (w_r - c_p) f_p   over the paths p of relation r that S may use,
           subject to  sum_p f_p <= q_r  and, on each facility,  sum of load f_p <= room.
    c is the resource cost of a path (money without transfers, and time), w_r the cost of the relation's outside option,
    q_r its tonnes. An arc asks for the consent of its owners, and S may use it when all of them are in S; arcs without
    an owner among the players are free. A relation may be spared the consent of some players (`own`), those of its own
    two ends where shippers are price-takers. This is an optimum and never an equilibrium, so v cannot fall when
    somebody joins.
Method
    One search for each origin and class finds all paths of relation r that are efficient in cost and in the set of
    players asked (a label with a cost and a bit mask, dominated by a cheaper one that asks no one else). So without
    capacities v is known for every coalition at once, and with them every coalition starts from all paths that it could
    want while nothing is scarce. Facilities that turn out too full come into a linear program together with the
    relations that have a path over them (HiGHS, warm from the coalition before). Prices of full facilities go onto the
    arcs, and only relations that pay more than their free cost are searched again: for no other can another path pay.
    New paths and full facilities stay for the coalitions that follow.
Stop
    When no path is left that would pay; the bound `sum of price room + sum of q max(0, w - c at these prices)` then
    meets the worth to within `gap`.
Order
    Coalitions are visited in blocks that do not depend on the number of workers, each from the free paths, so that the
    numbers do not either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from landbridge.errors import NotConverged
from landbridge.model.flows.mincost import need_highs
from landbridge.model.paths import Graph, grow_trees

__all__ = ["CorridorGame", "Optimum", "Paths", "efficient_paths", "worths"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEASIBLE = 1e-9
#: Coalitions that share their low players are solved in a row; this many players tell the rows apart.
BLOCK_PLAYERS = 4
MOST_ROUNDS = 200


@dataclass(frozen=True, eq=False)
class CorridorGame:
    """A transit network with owners: m arcs, F facilities, K classes, R relations, n players.

    Parameters
    ----------
    graph
        The network.
    cost_usd_t
        Resource cost of each arc by class, shape (K, m); ``inf`` = the class may not use it.
    consent
        Bit mask of the players that an arc needs, shape (m,).
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
    own
        Bit mask of the players whose consent the relation need not ask, shape (R,).
    player_count
        Number of players n.
    """

    graph: Graph
    cost_usd_t: Floats
    consent: Ints
    facility: Ints
    room: Floats
    load: Floats
    origin: Ints
    destination: Ints
    class_index: Ints
    tonnes_yr: Floats
    outside_usd_t: Floats
    own: Ints
    player_count: int


@dataclass(frozen=True, eq=False)
class Paths:
    """Known paths: the arcs of path p are ``arcs[first[p]:first[p + 1]]``.

    Parameters
    ----------
    relation, cost_usd_t, asks
        Relation, resource cost and bit mask of the players asked, of each of P paths.
    first, arcs
        P + 1 offsets, and the arcs in order of travel.
    """

    relation: Ints
    cost_usd_t: Floats
    asks: Ints
    first: Ints
    arcs: Ints


class Optimum(NamedTuple):
    """What one coalition earns, and how.

    Parameters
    ----------
    worth_usd_yr
        v(S).
    gap
        Share of it by which the bound is higher.
    rounds
        Searches for paths that were needed.
    tonnes_yr
        Tonnes by relation that use the network, shape (R,).
    price_usd
        What one more unit of room is worth by facility, shape (F,).
    """

    worth_usd_yr: float
    gap: float
    rounds: int
    tonnes_yr: Floats
    price_usd: Floats


def efficient_paths(game: CorridorGame) -> Paths:
    """Find all paths that are cheaper than the outside option and efficient in cost and in players asked.

    Parameters
    ----------
    game
        The network and its owners.

    Returns
    -------
    Paths
        By relation, cheapest first; of paths equal in both, one.

    Raises
    ------
    ValueError
        If a cost is negative or no number, or an outside option is not finite.
    """
    if not np.isfinite(game.outside_usd_t).all():
        raise ValueError("outside_usd_t: wanted finite costs; relations without an outside option have no worth")
    if not (game.cost_usd_t >= 0.0).all():
        raise ValueError("cost_usd_t: wanted costs of at least zero")
    graph = game.graph
    relation: list[int] = []
    cost: list[float] = []
    asks: list[int] = []
    chains: list[Ints] = []
    keys = game.class_index * graph.node_count + game.origin
    for key in np.unique(keys[game.tonnes_yr > 0.0]):
        mine = np.flatnonzero((keys == key) & (game.tonnes_yr > 0.0))
        k, source = divmod(int(key), graph.node_count)
        limit = float(game.outside_usd_t[mine].max())
        labels = _label(graph.first_out, graph.out_arc, graph.head, _open_cost(game, k), game.consent, source, limit)
        label_cost, label_asks, label_arc, label_parent, last, before = labels
        for r in mine:
            found: list[tuple[float, int, int]] = []
            at = int(last[game.destination[r]])
            while at >= 0:
                found.append((float(label_cost[at]), int(label_asks[at]), at))
                at = int(before[at])
            kept: list[int] = []
            for price, asked, at in sorted(found):
                needs = asked & ~int(game.own[r])
                if price >= game.outside_usd_t[r] or any(other & needs == other for other in kept):
                    continue
                kept.append(needs)
                relation.append(int(r))
                cost.append(price)
                asks.append(needs)
                chains.append(_chain(at, label_arc, label_parent))
    lengths = [chain.size for chain in chains]
    return Paths(
        np.array(relation, np.int64),
        np.array(cost, np.float64),
        np.array(asks, np.int64),
        np.append(0, np.cumsum(lengths, dtype=np.int64)),
        np.concatenate(chains) if chains else np.empty(0, np.int64),
    )


def _open_cost(game: CorridorGame, k: int) -> Floats:
    """Cost of each arc to a class; a facility without any room closes its arcs to those that would need some."""
    closed = np.append((game.room <= 0.0) & (game.load[k] > 0.0), False)
    return np.where(closed[game.facility], np.inf, game.cost_usd_t[k])


def _chain(at: int, arc: Ints, parent: Ints) -> Ints:
    arcs = []
    while parent[at] >= 0:
        arcs.append(int(arc[at]))
        at = int(parent[at])
    return np.array(arcs[::-1], np.int64)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _label(
    first_out: Any, out_arc: Any, head: Any, cost: Floats, consent: Ints, source: int, limit: float
) -> tuple[Floats, Ints, Ints, Ints, Ints, Ints]:
    """Settle labels (cost, players asked) in order of cost; a label is dropped where a settled one asks no one else.

    Returns cost, players asked, arc and parent of each label, and for each node its last settled label and, for each
    label, the one settled there before it.
    """
    size = 1024
    label_cost = np.empty(size)
    label_asks = np.empty(size, np.int64)
    label_node = np.empty(size, np.int64)
    label_arc = np.empty(size, np.int64)
    label_parent = np.empty(size, np.int64)
    before = np.full(size, -1, np.int64)
    heap = np.empty(size, np.int64)
    last = np.full(first_out.size - 1, -1, np.int64)
    label_cost[0], label_asks[0], label_node[0], label_arc[0], label_parent[0] = 0.0, 0, source, -1, -1
    count, waiting = 1, 1
    heap[0] = 0
    while waiting > 0:
        # take the cheapest label; of equals the one made first
        top = heap[0]
        waiting -= 1
        moved = heap[waiting]
        at = 0
        while True:
            child = 2 * at + 1
            if child >= waiting:
                break
            if child + 1 < waiting and _ahead(heap[child + 1], heap[child], label_cost):
                child += 1
            if not _ahead(heap[child], moved, label_cost):
                break
            heap[at] = heap[child]
            at = child
        heap[at] = moved
        node, asked = label_node[top], label_asks[top]
        if _asks_more(asked, last[node], label_asks, before):
            continue
        before[top] = last[node]
        last[node] = top
        for slot in range(first_out[node], first_out[node + 1]):
            arc = out_arc[slot]
            price = label_cost[top] + cost[arc]
            if not price < limit:
                continue
            needs = asked | consent[arc]
            if _asks_more(needs, last[head[arc]], label_asks, before):
                continue
            if count == size:
                size *= 2
                label_cost = _longer(label_cost, size)
                label_asks = _longer(label_asks, size)
                label_node = _longer(label_node, size)
                label_arc = _longer(label_arc, size)
                label_parent = _longer(label_parent, size)
                before = _longer(before, size)
                heap = _longer(heap, size)
            label_cost[count], label_asks[count], label_node[count] = price, needs, head[arc]
            label_arc[count], label_parent[count] = arc, top
            before[count] = -1
            at = waiting
            waiting += 1
            while at > 0 and _ahead(count, heap[(at - 1) // 2], label_cost):
                heap[at] = heap[(at - 1) // 2]
                at = (at - 1) // 2
            heap[at] = count
            count += 1
    return label_cost, label_asks, label_arc, label_parent, last, before


@numba.njit(cache=True, nogil=True)
def _ahead(a: int, b: int, cost: Floats) -> bool:
    return bool(cost[a] < cost[b] or (cost[a] == cost[b] and a < b))


@numba.njit(cache=True, nogil=True)
def _asks_more(needs: int, at: int, asks: Ints, before: Ints) -> bool:
    """Whether a label settled at a node asks only players that `needs` asks too."""
    while at >= 0:
        if asks[at] & needs == asks[at]:
            return True
        at = before[at]
    return False


@numba.njit(cache=True, nogil=True)
def _longer(values: Any, size: int) -> Any:
    result = np.empty(size, values.dtype)
    result[: values.size] = values
    return result


def worths(
    game: CorridorGame,
    paths: Paths,
    coalitions: Iterable[int],
    *,
    gap: float = 1e-9,
    progress: Callable[[int], None] | None = None,
) -> list[Optimum]:
    """Solve coalitions one after another, each warm from the one before.

    Parameters
    ----------
    game
        The network and its owners.
    paths
        Its `efficient_paths`.
    coalitions
        Bit masks of players, in the order to be solved.
    gap
        Difference between worth and bound to reach, as a share of the bound.
    progress
        Called with each coalition when it is solved.

    Returns
    -------
    list of Optimum
        In the order given.

    Raises
    ------
    LandbridgeError
        If highspy is not installed.
    NotConverged
        If HiGHS finds no optimum, or paths that pay are still found after many rounds.
    """
    master = _Master(game, paths)
    found = []
    for coalition in coalitions:
        found.append(master.solve(coalition, gap))
        if progress is not None:
            progress(coalition)
    return found


class _Master:
    """The linear program over known paths, and the searches that add to it.

    It holds only the facilities that some coalition of this row has filled, and the relations with a path over one of
    them; every other relation takes its cheapest path, and the loads of all are looked at after each solve.
    """

    def __init__(self, game: CorridorGame, paths: Paths) -> None:
        self.highs = need_highs()
        self.game = game
        count, facilities = game.tonnes_yr.size, game.room.size
        self.open_cost = np.array([_open_cost(game, k) for k in range(game.load.shape[0])])
        self.known: list[set[bytes]] = [set() for _ in range(count)]
        self.relation = _Growing(np.int64)
        self.asks = _Growing(np.int64)
        self.cost = _Growing(np.float64)
        self.use_path = _Growing(np.int64)  # entries: path, facility, part of its room that all tonnes would take
        self.use_facility = _Growing(np.int64)
        self.use_share = _Growing(np.float64)
        self.paths_of: list[list[int]] = [[] for _ in range(count)]
        self.column_of = _Growing(np.int64)  # -1 = not in the program
        self.path_of_column = _Growing(np.int64)
        self.row_of_relation = np.full(count, -1)
        self.row_of_facility = np.full(facilities, -1)
        self.row_count = 0
        self.open = np.empty(0, np.bool_)
        gain = (game.outside_usd_t[paths.relation] - paths.cost_usd_t) * game.tonnes_yr[paths.relation]
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
        for p in range(paths.relation.size):
            arcs = paths.arcs[paths.first[p] : paths.first[p + 1]]
            self._learn(int(paths.relation[p]), arcs, int(paths.asks[p]))

    def _learn(self, r: int, arcs: Ints, asks: int) -> bool:
        """Keep a path, and put it into the program if its relation is there or it meets a facility that is."""
        key = arcs.tobytes()
        game, k = self.game, int(self.game.class_index[r])
        used, times = np.unique(game.facility[arcs], return_counts=True)
        times, used = times[used >= 0], used[used >= 0]
        if key in self.known[r]:
            return False
        self.known[r].add(key)
        p = self.relation.size
        limited = np.isfinite(game.room[used]) & (game.load[k, used] > 0.0)
        used, times = used[limited], times[limited]
        self.relation.append(r)
        self.asks.append(asks)
        self.cost.append(float(game.cost_usd_t[k, arcs].sum()))
        self.column_of.append(-1)
        for f, share in zip(used, game.load[k, used] * times * game.tonnes_yr[r] / game.room[used], strict=True):
            self.use_path.append(p)
            self.use_facility.append(int(f))
            self.use_share.append(float(share))
        self.paths_of[r].append(p)
        if self.row_of_relation[r] >= 0:
            self._column(p)
        elif (self.row_of_facility[used] >= 0).any():
            self._bind(r)
        return True

    def _bind(self, r: int) -> None:
        """Take a relation into the program."""
        if self.row_of_relation[r] < 0:
            self.row_of_relation[r] = self._row()
            for p in self.paths_of[r]:
                self._column(p)

    def _row(self) -> int:
        self.solver.addRow(-self.highs.kHighsInf, 1.0, 0, np.empty(0, np.int32), np.empty(0))
        self.row_count += 1
        return self.row_count - 1

    def _column(self, p: int) -> None:
        game, r = self.game, int(self.relation.values[p])
        first, last = np.searchsorted(self.use_path.values, [p, p + 1])
        facility, share = self.use_facility.values[first:last], self.use_share.values[first:last]
        held = self.row_of_facility[facility] >= 0
        rows = np.append(self.row_of_relation[r], self.row_of_facility[facility[held]]).astype(np.int32)
        gain = (game.outside_usd_t[r] - self.cost.values[p]) * game.tonnes_yr[r]
        self.solver.addCol(gain * self.unit, 0.0, 0.0, rows.size, rows, np.append(1.0, share[held]))
        self.column_of.values[p] = self.path_of_column.size
        self.path_of_column.append(p)
        self.open = np.append(self.open, False)

    def _hold(self, facilities: Ints) -> None:
        """Take facilities into the program, with every relation that has a path over one of them."""
        for f in facilities:
            self.row_of_facility[f] = self._row()
            entries = np.flatnonzero(self.use_facility.values == f)
            for p, share in zip(self.use_path.values[entries], self.use_share.values[entries], strict=True):
                if self.column_of.values[p] >= 0:
                    self.solver.changeCoeff(int(self.row_of_facility[f]), int(self.column_of.values[p]), float(share))
                else:
                    self._bind(int(self.relation.values[p]))

    def solve(self, coalition: int, gap: float) -> Optimum:
        """Find what one coalition earns."""
        game = self.game
        count = game.tonnes_yr.size
        rounds, missing, total = 0, 0.0, 0.0
        while True:
            # STEP 1: every relation's cheapest path, as if nothing were full.
            relation, cost = self.relation.values, self.cost.values
            usable = np.flatnonzero(self.asks.values & ~coalition == 0)
            order = usable[np.lexsort((usable, cost[usable], relation[usable]))]
            first = np.append(True, relation[order[1:]] != relation[order[:-1]]) if order.size else np.empty(0, bool)
            best = order[first]
            least = np.array(game.outside_usd_t)
            least[relation[best]] = np.minimum(least[relation[best]], cost[best])
            gain = (game.outside_usd_t - least) * game.tonnes_yr
            bound = self.row_of_relation >= 0
            share = np.zeros(relation.size)
            share[best[~bound[relation[best]] & (gain[relation[best]] > 0.0)]] = 1.0
            easy = float(gain[~bound].sum())
            # STEP 2: the others share what is full.
            worth, value = 0.0, np.zeros(count)
            price = np.zeros(game.room.size)
            if self.path_of_column.size:
                worth, dual, part = self._run(coalition)
                value[bound] = dual[self.row_of_relation[bound]]
                held = self.row_of_facility >= 0
                price[held] = dual[self.row_of_facility[held]] / game.room[held]
                share[self.path_of_column.values] = part
            total = worth + easy
            # STEP 3: is another facility over its room, or another path worth its price?
            load = np.bincount(
                self.use_facility.values,
                weights=self.use_share.values * share[self.use_path.values],
                minlength=game.room.size,
            )
            over = np.flatnonzero((load > 1.0 + FEASIBLE) & (self.row_of_facility < 0))
            if over.size:
                self._hold(over)
                continue
            keen = np.flatnonzero(bound & (gain > value + self._slack(gap)))
            added, missing = self._search(coalition, keen, price, value, gap)
            if not added or missing <= gap * total:
                break
            rounds += 1
            if rounds == MOST_ROUNDS:
                raise NotConverged(f"corridor game: paths that pay are still found after {rounds} rounds", missing)
        tonnes = np.bincount(self.relation.values, weights=share, minlength=count) * game.tonnes_yr
        return Optimum(total, missing / total if total > 0.0 else 0.0, rounds, tonnes, price)

    def _slack(self, gap: float) -> float:
        """What a relation may miss: all of them together then miss less than the gap of the largest gain."""
        return gap * 1e3 / self.unit / max(self.game.tonnes_yr.size, 1)

    def _run(self, coalition: int) -> tuple[float, Floats, Floats]:
        """Solve the program with the columns that the coalition may use: worth, duals in USD, shares."""
        wanted = self.asks.values[self.path_of_column.values] & ~coalition == 0
        changed = np.flatnonzero(wanted != self.open).astype(np.int32)
        if changed.size:
            upper = np.where(wanted[changed], self.highs.kHighsInf, 0.0)
            self.solver.changeColsBounds(changed.size, changed, np.zeros(changed.size), upper)
            self.open = wanted
        self.solver.run()
        if self.solver.getModelStatus() != self.highs.HighsModelStatus.kOptimal:
            status = self.solver.modelStatusToString(self.solver.getModelStatus())
            raise NotConverged(f"corridor game: HiGHS stopped with {status!r}", status)
        solution = self.solver.getSolution()
        dual = np.maximum(np.asarray(solution.row_dual, np.float64), 0.0) / self.unit
        worth = float(self.solver.getInfo().objective_function_value) / self.unit
        return worth, dual, np.maximum(np.asarray(solution.col_value, np.float64), 0.0)

    def _search(self, coalition: int, keen: Ints, price: Floats, value: Floats, gap: float) -> tuple[int, float]:
        """Search paths that pay for some relations; return how many came, and what they would add at the most."""
        game, graph = self.game, self.game.graph
        if not keen.size:
            return 0, 0.0
        # STEP 1: costs with the prices of what is full, a row for each class and set of players not to be asked.
        kinds, row_of = np.unique(game.class_index[keen] << game.player_count | game.own[keen], return_inverse=True)
        facility, consent = game.facility[graph.out_arc], game.consent[graph.out_arc]
        cost = np.empty((kinds.size, graph.out_arc.size))
        for i, kind in enumerate(kinds):
            k, own = int(kind) >> game.player_count, int(kind) & (1 << game.player_count) - 1
            toll = np.append(price * game.load[k], 0.0)[facility]
            barred = consent & ~(coalition | own) != 0
            cost[i] = np.where(barred, np.inf, self.open_cost[k, graph.out_arc] + toll)
        # STEP 2: a tree for each of these and each origin.
        order = np.lexsort((keen, game.origin[keen], row_of))
        mine = keen[order]
        start = np.flatnonzero(np.append(True, np.diff(row_of[order] * graph.node_count + game.origin[mine]) != 0))
        trees = start.size
        slot_in = np.empty((trees, graph.node_count), np.int32)
        distance = np.empty(mine.size)
        grow_trees(
            graph.first_out,
            graph.head[graph.out_arc],
            cost,
            np.arange(trees, dtype=np.int32),
            game.origin[mine[start]].astype(np.int32),
            row_of[order[start]].astype(np.int32),
            slot_in,
            np.empty_like(slot_in),
            np.empty(trees, np.int32),
            np.append(start, mine.size).astype(np.int32),
            game.destination[mine].astype(np.int32),
            distance,
        )
        # STEP 3: paths that pay.
        best = (game.outside_usd_t[mine] - distance) * game.tonnes_yr[mine]
        tree_of = np.searchsorted(start, np.arange(mine.size), side="right") - 1
        added, missing = 0, 0.0
        for j in np.flatnonzero(best > value[mine] + self._slack(gap)):
            r = int(mine[j])
            slots = []
            at = int(game.destination[r])
            while at != game.origin[r]:
                slots.append(int(slot_in[tree_of[j], at]))
                at = int(graph.tail[graph.out_arc[slots[-1]]])
            arcs = graph.out_arc[slots[::-1]].astype(np.int64)
            asks = int(np.bitwise_or.reduce(game.consent[arcs], initial=0)) & ~int(game.own[r])
            if self._learn(r, arcs, asks):
                added += 1
                missing += float(best[j] - value[r])
        return added, missing


class _Growing:
    """An array that grows at its end."""

    def __init__(self, kind: Any) -> None:
        self._store = np.empty(1024, kind)
        self.size = 0

    @property
    def values(self) -> npt.NDArray[Any]:
        return self._store[: self.size]

    def append(self, value: float) -> None:
        if self.size == self._store.size:
            self._store = np.append(self._store, np.empty_like(self._store))
        self._store[self.size] = value
        self.size += 1


def blocks(count: int) -> list[list[int]]:
    """All coalitions of `count` players in rows to be solved one after another; a row is work for one worker."""
    low = max(count - BLOCK_PLAYERS, 0)
    gray = [i ^ i >> 1 for i in range(1 << low)]
    return [[high << low | g for g in gray] for high in range(1 << (count - low))]
