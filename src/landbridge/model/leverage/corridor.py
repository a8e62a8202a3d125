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
    want while nothing is scarce; `flows.surplus` finds the rest, and hands it on from each coalition to the next.
Skipped
    An optimum of S whose paths ask only the players A is open to every coalition between A and S, and none of these
    can earn more than S: all are worth the same. So a player whose arcs the optimum does not use is left out without a
    solve. Rows go down from their largest coalition, where this settles the most.
Definition
    METHODS.md, section 1.2, whose A(S) are the arcs that ask nobody outside S; what an investment changes is that of
    section 1.4, and enters through arcs and consents (`landbridge.study.worth`). The game on a transit network whose
    coalitions use only what their members control is that of Hubert and Ikonnikova (2011), Investment options and
    bargaining power: the Eurasian supply chain for natural gas, Journal of Industrial Economics 59(1); optimising
    first and sharing then, as Roson and Hubert (2015), Bargaining power and value sharing in distribution networks.
Order
    Coalitions are visited in rows that do not depend on the number of workers, each from the efficient paths, so that
    the numbers do not either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from landbridge.model.flows.surplus import Carriage, Optimum, Paths, Program, check, open_cost

__all__ = ["CorridorGame", "Optimum", "Paths", "Row", "blocks", "efficient_paths", "row_worths", "worths"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Coalitions that share their high players are solved in a row: at least this many players tell the rows apart, so
#: that there is work for many workers, and a row varies at most so many, so that little is lost when a run is stopped.
BLOCK_PLAYERS = 4
ROW_PLAYERS = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class CorridorGame(Carriage):
    """A transit network with owners: m arcs, R relations, n players.

    Parameters
    ----------
    consent
        Bit mask of the players that an arc needs, shape (m,).
    own
        Bit mask of the players whose consent the relation need not ask, shape (R,).
    player_count
        Number of players n.
    """

    consent: Ints
    own: Ints
    player_count: int


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
    check(game)
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
        labels = _label(graph.first_out, graph.out_arc, graph.head, open_cost(game, k), game.consent, source, limit)
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
    row = Row(game, paths)
    found = []
    for coalition in coalitions:
        found.append(row.solve(coalition, gap))
        if progress is not None:
            progress(coalition)
    return found


class Row:
    """A row of coalitions: the program that each is solved with, and who is asked on its paths.

    Parameters
    ----------
    game
        The network and its owners.
    paths
        Its `efficient_paths`.
    """

    def __init__(self, game: CorridorGame, paths: Paths) -> None:
        self.game = game
        self.program = Program(game, paths)
        self.asks = paths.asks
        self.own, self.group = np.unique(game.own, return_inverse=True)

    def solve(self, coalition: int, gap: float = 1e-9) -> Optimum:
        """Find what one coalition earns."""
        usable = self.asks & ~coalition == 0
        barred = self.game.consent & ~(coalition | self.own[:, None]) != 0
        found = self.program.solve(usable, barred, self.group, gap, complete=True)
        self._ask()
        return found

    def asked(self, found: Optimum) -> int:
        """Return the players without whose consent an optimum does not stand: a coalition of these earns the same."""
        return int(np.bitwise_or.reduce(self.asks[found.path], initial=0))

    def _ask(self) -> None:
        """Learn who is asked on the paths that a solve has found."""
        program, game = self.program, self.game
        new = [
            int(np.bitwise_or.reduce(game.consent[program.arcs_of(p)], initial=0))
            & ~int(game.own[program.relation.values[p]])
            for p in range(self.asks.size, program.relation.size)
        ]
        if new:
            self.asks = np.append(self.asks, np.array(new, np.int64))


def row_worths(row: Row, coalitions: Sequence[int], *, gap: float = 1e-9) -> tuple[Floats, int]:
    """Find the worth of each coalition of a row, solving only those that no other one settles.

    Parameters
    ----------
    row
        The program that they are solved with.
    coalitions
        Bit masks of players, in the order to be visited.
    gap
        Difference between worth and bound to reach, as a share of the bound.

    Returns
    -------
    worth : float64
        In the order given.
    solved : int
        Coalitions that had to be solved.

    Raises
    ------
    NotConverged
        If no optimum is proved.
    """
    worth = np.empty(len(coalitions))
    tops, needs = np.empty(len(coalitions), np.int64), np.empty(len(coalitions), np.int64)
    values = np.empty(len(coalitions))
    solved = 0
    for i, coalition in enumerate(coalitions):
        settles = (coalition & ~tops[:solved] == 0) & (needs[:solved] & ~coalition == 0)
        if settles.any():
            worth[i] = values[:solved][settles][0]
            continue
        found = row.solve(coalition, gap)
        tops[solved], needs[solved], values[solved] = coalition, row.asked(found), found.worth_usd_yr
        worth[i] = found.worth_usd_yr
        solved += 1
    return worth, solved


def blocks(count: int) -> list[list[int]]:
    """All coalitions of `count` players in rows to be solved one after another; a row is work for one worker."""
    low = min(max(count - BLOCK_PLAYERS, 0), ROW_PLAYERS)
    full = (1 << low) - 1
    gray = [full ^ i ^ i >> 1 for i in range(1 << low)]  # from all down to none, one player at a time
    return [[high << low | g for g in gray] for high in range(1 << (count - low))]
