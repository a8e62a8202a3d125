r"""Solutions that no coalition wants to leave: core, least core, nucleolus.

Notation
    x(S) is the sum of an allocation x over S, and e(S) = v(S) - x(S) the excess: what S would gain by leaving.
Problem
    core       x(N) = v(N) and no excess above zero;
    least core the smallest eps with e(S) <= eps for all S but nobody and all;
    nucleolus  the allocation whose excesses, sorted from the largest, are lexicographically smallest (Schmeidler 1969),
               among those that give everyone at least v(i) where v(N) allows that to all.
Method
    Linear programs over x with coalitions added when they are violated. An empty core is proved by balanced weights,
    sums of one over the coalitions of each player, with ``sum of weight v(S) > v(N)`` (Bondareva 1963, Shapley 1967).
    For the nucleolus a coalition is settled when its dual is positive, that is when its excess is the same in *every*
    optimal solution (complementary slackness), never because it is tight in the vertex at hand; coalitions whose sum
    the settled ones imply are dropped. Each program settles at least one more dimension, so at most n are solved
    (Kopelowitz 1967; Maschler, Peleg and Shapley 1979).
    What a player gets in the core is least and most at vertices of it, where coalitions with sums of nothing but
    v(S) meet; no slack is left in these programs, so that a vertex is what it is to the last digits of the worths.
Definition
    METHODS.md, section 1.3: core, least core and nucleolus, and the fault of dropping coalitions by the vertex at hand.
Stop
    When no excess exceeds the bound by more than a rounding of the largest worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.errors import LandbridgeError
from landbridge.model.flows.mincost import need_highs
from landbridge.model.leverage.game import Floats, Game, spread
from landbridge.model.leverage.values import marginal

__all__ = ["Core", "LeastCore", "core", "core_ranges", "least_core", "nucleolus"]

Bools = npt.NDArray[np.bool_]

# All programs are in shares of the largest worth.
FEASIBLE = 1e-10
ROUNDING = 1e-9
# A dual below this is no evidence.
NO_DUAL = 1e-7
# Coalitions added in one round.
BATCH = 40
# Sums of up to 16 shares differ by this from what they are in exact numbers.
LAST_DIGITS = 1e-14


@dataclass(frozen=True, eq=False)
class LeastCore:
    """The least core.

    Parameters
    ----------
    excess
        The smallest bound on all excesses; above zero the core is empty.
    allocation
        One allocation that keeps to it, shape (n,).
    weights
        Coalitions, by bit mask, and weights that prove that no smaller bound will do: the weights sum to one and give
        every player the same total.
    """

    excess: float
    allocation: Floats
    weights: dict[int, float]


@dataclass(frozen=True, eq=False)
class Core:
    """Whether there is an allocation that no coalition gains by leaving, with the proof either way.

    Parameters
    ----------
    empty
        Whether there is none.
    allocation
        One in the core, shape (n,); the nucleolus. None if the core is empty.
    certificate
        If the core is empty: balanced weights by coalition, under which the worths add up to more than v(N).
    balanced_worth
        What they add up to; v(N) or less proves nothing.
    """

    empty: bool
    allocation: Floats | None
    certificate: dict[int, float]
    balanced_worth: float


class _Programs:
    """Least ``gain . (x, eps)`` under ``x(S) + eps >= v(S)`` for free coalitions S and equalities for settled ones."""

    def __init__(self, game: Game) -> None:
        self.highs = need_highs()
        self.count = len(game.players)
        self.scale = float(np.abs(game.worth).max(initial=0.0)) or 1.0
        self.worth = game.worth / self.scale
        bit = np.arange(1 << self.count)[:, None] >> np.arange(self.count)
        self.member = (bit & 1).astype(np.float64)
        self.whole = self.worth.size - 1
        self.free = np.ones(self.worth.size, np.bool_)
        self.free[[0, self.whole]] = False
        ones = 1 << np.arange(self.count)
        self.known = [int(s) for s in {*ones.tolist(), *(self.whole ^ ones).tolist()} if self.free[s]]
        self.settled: dict[int, float] = {self.whole: float(self.worth[-1])}
        self.floor: Floats | None = None  # least for each player

    def solve(
        self, gain: Floats, *, bound: float | None = None, missed: float = FEASIBLE
    ) -> tuple[Floats, float, dict[int, float]] | None:
        """Return x, the objective, and the duals of the free coalitions; None if there is no such x.

        With `bound` eps is held at it, else it is variable number n. Coalitions that miss it by more than `missed`
        are added.
        """
        while True:
            found = self._highs(gain, bound)
            if found is None:
                return None
            x, value, duals = found
            total = spread(x[: self.count])
            eps = x[self.count]
            excess = np.where(self.free, self.worth - total - eps, -np.inf)
            excess[self.known] = -np.inf
            order = np.argsort(-excess, kind="stable")[:BATCH]
            added = [int(s) for s in order if excess[s] > missed]
            if not added:
                return x[: self.count], value, duals
            self.known += added

    def least_excess(self) -> tuple[Floats, float, dict[int, float]]:
        """Return x, the least bound on the excesses of the free coalitions, and their duals."""
        found = self.solve(np.append(np.zeros(self.count), 1.0))
        if found is None:  # eps is free to rise, so this is HiGHS
            raise LandbridgeError("game: HiGHS finds no bound on what coalitions gain by leaving")
        return found

    def _highs(self, gain: Floats, bound: float | None) -> tuple[Floats, float, dict[int, float]] | None:
        n, inf = self.count, self.highs.kHighsInf
        rows = [s for s in self.known if self.free[s]]
        fixed = list(self.settled)
        matrix = np.column_stack([self.member[rows + fixed], np.append(np.ones(len(rows)), np.zeros(len(fixed)))])
        program: Any = self.highs.HighsLp()
        program.num_col_, program.num_row_ = n + 1, len(matrix)
        program.col_cost_ = gain
        lower = np.full(n + 1, -inf) if self.floor is None else np.append(self.floor, -inf)
        upper = np.full(n + 1, inf)
        if bound is not None:
            lower[n] = upper[n] = bound
        program.col_lower_, program.col_upper_ = lower, upper
        held = np.array([self.settled[s] for s in fixed])
        program.row_lower_ = np.append(self.worth[rows], held)
        program.row_upper_ = np.append(np.full(len(rows), inf), held)
        program.a_matrix_.format_ = self.highs.MatrixFormat.kRowwise
        row, column = np.nonzero(matrix)
        program.a_matrix_.start_ = np.searchsorted(row, np.arange(len(matrix) + 1))
        program.a_matrix_.index_ = column.astype(np.int32)
        program.a_matrix_.value_ = matrix[row, column]
        solver = self.highs.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("primal_feasibility_tolerance", FEASIBLE)
        solver.setOptionValue("dual_feasibility_tolerance", FEASIBLE)
        solver.passModel(program)
        solver.run()
        if bound is not None and solver.getModelStatus() == self.highs.HighsModelStatus.kInfeasible:
            return None
        if solver.getModelStatus() != self.highs.HighsModelStatus.kOptimal:
            raise LandbridgeError(f"game: HiGHS stopped with {solver.modelStatusToString(solver.getModelStatus())!r}")
        found = solver.getSolution()
        duals = {s: float(d) for s, d in zip(rows, found.row_dual, strict=False) if d > NO_DUAL}
        return np.asarray(found.col_value, np.float64), float(solver.getInfo().objective_function_value), duals

    def settle(self, coalitions: dict[int, float], eps: float) -> None:
        """Fix the sums of coalitions at ``v(S) - eps`` and drop all whose sum follows from the settled ones."""
        for s in sorted(coalitions, key=lambda s: (-coalitions[s], s)):
            if self.free[s]:
                self.settled[s] = float(self.worth[s] - eps)
                basis = np.linalg.qr(self.member[list(self.settled)].T)[0]
                rest = self.member - self.member @ basis @ basis.T
                self.free &= np.abs(rest).max(axis=1) > 1e-9


def least_core(game: Game) -> LeastCore:
    """Find the least core.

    Parameters
    ----------
    game
        The game.

    Returns
    -------
    LeastCore
        A single player has no coalition to leave: an excess of zero.

    Raises
    ------
    LandbridgeError
        If highspy is not installed or finds no answer.
    """
    programs = _Programs(game)
    if programs.count == 1:
        return LeastCore(0.0, np.array([game.grand]), {})
    x, eps, duals = programs.least_excess()
    return LeastCore(eps * programs.scale, x * programs.scale, duals)


def core(game: Game) -> Core:
    """Find whether the core is empty, and prove it.

    Parameters
    ----------
    game
        The game.

    Returns
    -------
    Core

    Raises
    ------
    LandbridgeError
        If highspy is not installed or finds no answer.
    """
    least = least_core(game)
    if least.excess <= game.tolerance:
        return Core(False, nucleolus(game), {}, game.grand)
    # The dual's weights give every player the same total; divided by it they are balanced.
    member = (np.array(list(least.weights))[:, None] >> np.arange(len(game.players))) & 1
    weight = np.array(list(least.weights.values()))
    share = weight / float((weight @ member).mean())
    certificate = dict(zip(least.weights, share.tolist(), strict=True))
    return Core(True, None, certificate, float(share @ game.worth[list(certificate)]))


def core_ranges(game: Game) -> Floats | None:
    """Least and most that each player can get in the core.

    Parameters
    ----------
    game
        The game.

    Returns
    -------
    float64[n, 2] or None
        None if the core is empty.

    Raises
    ------
    LandbridgeError
        If highspy is not installed or finds no answer.
    """
    least = least_core(game)
    if least.excess > game.tolerance:
        return None
    programs = _Programs(game)
    if programs.count == 1:
        return np.array([[game.grand, game.grand]])
    # A core that rounding has emptied is that of the least excess.
    bound = max(least.excess / programs.scale, 0.0)
    result = np.empty((programs.count, 2))
    for i in range(programs.count):
        for side, sign in enumerate((1.0, -1.0)):
            gain = np.zeros(programs.count + 1)
            gain[i] = sign
            found = programs.solve(gain, bound=bound, missed=LAST_DIGITS)
            if found is None:  # thinner than HiGHS can tell from none
                found = programs.solve(gain, bound=bound + ROUNDING)
            if found is None:
                raise LandbridgeError("core: HiGHS finds no allocation in a core that is not empty")
            result[i, side] = sign * found[1]
    # Nobody in the core gets less than alone, or more than all lose without (what the others could then keep).
    alone, most = game.worth[1 << np.arange(programs.count)], marginal(game)
    return np.clip(np.sort(result * programs.scale, axis=1), alone[:, None], np.maximum(alone, most)[:, None])


def nucleolus(game: Game) -> Floats:
    """Find the nucleolus.

    Parameters
    ----------
    game
        The game. Where v(N) is less than the sum of v(i), nobody can be promised v(i), and the prenucleolus is meant.

    Returns
    -------
    float64[n]
        Sums to v(N).

    Raises
    ------
    LandbridgeError
        If highspy is not installed or finds no answer.
    """
    programs = _Programs(game)
    alone = programs.worth[1 << np.arange(programs.count)]
    if alone.sum() <= programs.worth[-1] + ROUNDING:
        programs.floor = alone - FEASIBLE
    while programs.free.any():
        _, eps, duals = programs.least_excess()
        before = len(programs.settled)
        programs.settle(duals, eps)
        if len(programs.settled) == before:  # the duals sum to one, so this is rounding
            raise LandbridgeError("nucleolus: no coalition could be settled; the worths are too far apart in size")
    x, *_ = np.linalg.lstsq(programs.member[list(programs.settled)], np.array(list(programs.settled.values())))
    return np.asarray(x * programs.scale, np.float64)
