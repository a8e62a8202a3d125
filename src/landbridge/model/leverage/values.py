r"""Solutions that average a player's contributions over coalitions.

Notation
    v(S + i) - v(S) is what player i adds to S; the Harsanyi dividend of T is the sum over its parts R of
    ``(-1)^(|T|-|R|) v(R)``.
Solutions
    Shapley       average of what i adds over all orders of arrival
    weighted      dividends shared by weights: ``sum_{T with i} w_i / w(T) d_T`` (Kalai, Samet 1987)
    Banzhaf       average of what i adds over all coalitions of the others; does not add up to v(N)
    Owen          average over the orders in which every bloc stays together; sums over a bloc to its Shapley value in
                  the game among blocs
    Aumann-Dreze  Shapley inside each bloc alone
    Myerson       Shapley of the game in which only players joined by links can act together
    Nash          ``d_i + w_i / w(N) (v(N) - d(N))`` with d_i = v(i)
    marginal      v(N) - v(N - i); veto where nothing is left without i; hold-up index: marginal over v(N)
Definition
    METHODS.md, section 1.3, which names the same solutions by the same formulas.
Literature
    Shapley (1953), A value for n-person games; Kalai and Samet (1987), On weighted Shapley values; Banzhaf (1965),
    Weighted voting doesn't work; Owen (1977), Values of games with a priori unions; Aumann and Dreze (1974),
    Cooperative games with coalition structures; Myerson (1977), Graphs and cooperation in games; Nash (1950), The
    bargaining problem, with the weights of Kalai (1977); Castro, Gomez and Tejada (2009), Polynomial
    calculation of the Shapley value based on sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial
from typing import Protocol

import numpy as np

from landbridge.model.leverage.game import Floats, Game, Ints, make, masks, pairs, sizes, spread

__all__ = [
    "aumann_dreze",
    "banzhaf",
    "dividends",
    "hold_up",
    "marginal",
    "myerson",
    "nash",
    "owen",
    "restricted",
    "sample_shapley",
    "shapley",
    "veto_players",
    "weighted_shapley",
]


class Worth(Protocol):
    """What a coalition, given as a bit mask, is worth."""

    def __call__(self, coalition: int, /) -> float: ...


def _chances(count: int) -> Floats:
    """Share of the orders of `count` players in which given s come first and one given next, by s."""
    return np.array([factorial(s) * factorial(count - 1 - s) / factorial(count) for s in range(count)])


def _average(game: Game, chance: Floats) -> Floats:
    """Sum what each player adds, each coalition of the others by the chance of its size."""
    count = len(game.players)
    weight = np.append(chance, 0.0)[sizes(count)]
    result = np.empty(count)
    for i in range(count):
        worth = pairs(game.worth, i)
        result[i] = float((pairs(weight, i)[:, 0] * (worth[:, 1] - worth[:, 0])).sum())
    return result


def shapley(game: Game) -> Floats:
    """Shapley value (Shapley 1953), shape (n,); sums to v(N)."""
    return _average(game, _chances(len(game.players)))


def banzhaf(game: Game) -> Floats:
    """Banzhaf value, shape (n,); its sum is not v(N)."""
    count = len(game.players)
    return _average(game, np.full(count, 0.5 ** (count - 1)))


def dividends(game: Game) -> Floats:
    """Harsanyi dividends of all coalitions, shape (2**n,)."""
    result = np.array(game.worth)
    for i in range(len(game.players)):
        view = pairs(result, i)
        view[:, 1] -= view[:, 0]
    return result


def weighted_shapley(game: Game, weights: Sequence[float]) -> Floats:
    """Shapley value with weights (Kalai and Samet 1987).

    Parameters
    ----------
    game
        The game.
    weights
        One for each player, greater than zero.

    Returns
    -------
    float64[n]
        Sums to v(N).

    Raises
    ------
    ValueError
        If the weights do not fit.
    """
    weight = _weights(game, weights)
    total = spread(weight)
    total[0] = 1.0
    part = dividends(game) / total
    return np.array([weight[i] * float(pairs(part, i)[:, 1].sum()) for i in range(len(game.players))])


def owen(game: Game, blocs: Sequence[Sequence[int]]) -> Floats:
    """Owen value for blocs that negotiate as one (Owen 1977).

    Parameters
    ----------
    game
        The game.
    blocs
        A partition of the players' indices.

    Returns
    -------
    float64[n]
        Sums to v(N), and over a bloc to the bloc's Shapley value in the `quotient` game.
    """
    bits = masks(blocs, len(game.players))
    outer = _chances(len(bits))
    result = np.empty(len(game.players))
    for k, bloc in enumerate(blocs):
        others = np.array(bits[:k] + bits[k + 1 :], np.int64)
        before = spread(others)
        outer_weight = outer[sizes(others.size)]
        inner = _chances(len(bloc))
        for i in bloc:
            inside = spread(np.array([1 << j for j in bloc if j != i], np.int64))
            weight = outer_weight[:, None] * inner[sizes(len(bloc) - 1)]
            at = before[:, None] | inside
            result[i] = float((weight * (game.worth[at | 1 << i] - game.worth[at])).sum())
    return result


def aumann_dreze(game: Game, blocs: Sequence[Sequence[int]]) -> Floats:
    """Shapley value inside each bloc alone (Aumann and Dreze 1974), shape (n,); a bloc's sum is its own worth."""
    masks(blocs, len(game.players))
    result = np.empty(len(game.players))
    for bloc in blocs:
        inside = spread(np.array([1 << i for i in bloc], np.int64))
        result[list(bloc)] = shapley(make([game.players[i] for i in bloc], game.worth[inside]))
    return result


def restricted(game: Game, links: Sequence[tuple[int, int]]) -> Game:
    """Return the game in which a coalition is worth the sum of the parts that links join (Myerson 1977).

    Parameters
    ----------
    game
        The game.
    links
        Pairs of players' indices that can talk to each other.

    Returns
    -------
    Game
    """
    count = len(game.players)
    near = np.zeros(count, np.int64)
    for i, j in links:
        if i == j or not (0 <= i < count and 0 <= j < count):
            raise ValueError(f"links: wanted pairs of different players below {count}, got {(i, j)}")
        near[i] |= 1 << j
        near[j] |= 1 << i
    every = np.arange(game.worth.size, dtype=np.int64)
    part = every & -every  # the lowest player, and then everyone whom links reach inside the coalition
    while True:
        wider = part.copy()
        for i in range(count):
            wider |= np.where(part >> i & 1, near[i], 0)
        wider &= every
        if (wider == part).all():
            break
        part = wider
    worth = np.zeros(game.worth.size)
    own, rest = game.worth[part].tolist(), (every ^ part).tolist()
    total = [0.0] * worth.size
    for s in range(1, worth.size):
        total[s] = own[s] + total[rest[s]]
    return make(game.players, np.array(total))


def myerson(game: Game, links: Sequence[tuple[int, int]]) -> Floats:
    """Myerson value: the Shapley value of the `restricted` game, shape (n,)."""
    return shapley(restricted(game, links))


def nash(game: Game, weights: Sequence[float] | None = None) -> Floats:
    """Nash bargaining from each player's own worth, with weights (equal by default), shape (n,); sums to v(N)."""
    count = len(game.players)
    weight = np.ones(count) if weights is None else _weights(game, weights)
    alone = game.worth[1 << np.arange(count)]
    return np.asarray(alone + weight / weight.sum() * (game.grand - alone.sum()), np.float64)


def marginal(game: Game) -> Floats:
    """What all lose together without each player, v(N) - v(N - i), shape (n,)."""
    return np.asarray(game.grand - game.worth[_without(game)], np.float64)


def hold_up(game: Game) -> Floats:
    """Marginal over v(N), shape (n,): 1 = without i nothing is left; nan where v(N) is zero."""
    if abs(game.grand) <= game.tolerance:
        return np.full(len(game.players), np.nan)
    return marginal(game) / game.grand


def veto_players(game: Game) -> tuple[int, ...]:
    """Players without whom nothing is left, v(N - i) = 0; none where v(N) is zero too."""
    if abs(game.grand) <= game.tolerance:
        return ()
    return tuple(int(i) for i in np.flatnonzero(np.abs(game.worth[_without(game)]) <= game.tolerance))


def sample_shapley(
    worth: Worth, count: int, *, permutations: int, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Estimate the Shapley value from random orders of arrival (Castro, Gomez and Tejada 2009).

    Each order is taken forwards and backwards: the two are antithetic, and one draw costs 2n worths at the most.

    Parameters
    ----------
    worth
        Worth of a coalition by its bit mask; asked for each coalition once.
    count
        Players.
    permutations
        Orders drawn, at least 2.
    random
        Generator to draw with.

    Returns
    -------
    value, standard_error : float64[n]
        The values sum to v(N) whatever was drawn.

    Raises
    ------
    ValueError
        If fewer than two orders are asked for.
    """
    if permutations < 2:
        raise ValueError(f"permutations: wanted at least 2, got {permutations}")
    known = {0: 0.0}

    def value(coalition: int) -> float:
        if coalition not in known:
            known[coalition] = float(worth(coalition))
        return known[coalition]

    draws = np.zeros((permutations, count))
    for row in draws:
        order = random.permutation(count)
        for sequence in (order, order[::-1]):
            coalition = 0
            for i in sequence:
                joined = coalition | 1 << int(i)
                row[i] += (value(joined) - value(coalition)) / 2.0
                coalition = joined
    return draws.mean(axis=0), draws.std(axis=0, ddof=1) / np.sqrt(permutations)


def _without(game: Game) -> Ints:
    return (game.worth.size - 1) ^ (1 << np.arange(len(game.players)))


def _weights(game: Game, weights: Sequence[float]) -> Floats:
    weight = np.array(weights, np.float64)
    if weight.shape != (len(game.players),) or not (np.isfinite(weight) & (weight > 0.0)).all():
        raise ValueError(f"weights: wanted {len(game.players)} numbers greater than 0, got {list(weights)}")
    return weight
