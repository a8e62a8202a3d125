r"""A game in characteristic-function form, and the laws that it may or may not obey.

Notation
    N is the set of n players; a coalition S is a bit mask in which bit i stands for player i; v(S) is its worth, v of
    nobody is zero. All 2^n worths lie in one array, so a game is exact and its solutions are sums over that array.
Laws
    monotone: nobody's joining lowers a worth; superadditive: two disjoint coalitions are worth no less together;
    convex: a player adds no less to a larger coalition (Shapley 1971). A law that is broken is told with a witness.
Definition
    METHODS.md, section 1.2, asks for the first two of every game: v is monotone where it is an optimum, and need not be
    superadditive where shippers take prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["MOST_PLAYERS", "Floats", "Game", "Ints", "Violation", "laws", "make", "masks", "pairs", "sizes", "spread"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
_Number = TypeVar("_Number", np.float64, np.int64)

#: Players up to which all coalitions are listed; beyond, only sampling is in reach.
MOST_PLAYERS = 16
# Worths that differ by less than this share of the largest are equal.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Game:
    """A game: who plays and what every coalition is worth.

    Parameters
    ----------
    players
        n names.
    worth
        v(S) by bit mask, shape (2**n,); the first is zero.
    """

    players: tuple[str, ...]
    worth: Floats

    @property
    def grand(self) -> float:
        """What all are worth together."""
        return float(self.worth[-1])

    @property
    def tolerance(self) -> float:
        """Difference of worths that counts as none."""
        return ROUNDING * float(np.abs(self.worth).max(initial=0.0))

    def names(self, coalition: int) -> tuple[str, ...]:
        """Players of a coalition given as a bit mask."""
        return tuple(name for i, name in enumerate(self.players) if coalition >> i & 1)


class Violation(NamedTuple):
    """Two coalitions that break a law, and by how much.

    Parameters
    ----------
    first, second
        Bit masks.
    amount
        By how much the law is missed, in the worth's unit.
    """

    first: int
    second: int
    amount: float


def make(players: Sequence[str], worth: Floats) -> Game:
    """Check and keep a game.

    Parameters
    ----------
    players
        Names, 1 to `MOST_PLAYERS`, each once.
    worth
        v(S) by bit mask, shape (2**n,), finite.

    Returns
    -------
    Game

    Raises
    ------
    ValueError
        If the players or worths do not make a game.
    """
    names = tuple(players)
    if not 1 <= len(names) <= MOST_PLAYERS:
        raise ValueError(f"players: wanted 1 to {MOST_PLAYERS}, since 2**n coalitions are listed, got {len(names)}")
    if len(set(names)) < len(names):
        raise ValueError("players: wanted each once")
    values = np.array(worth, np.float64)
    if values.shape != (1 << len(names),):
        raise ValueError(f"worth: wanted {1 << len(names)} values for {len(names)} players, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("worth: wanted finite numbers")
    if values[0] != 0.0:
        raise ValueError(f"worth: nobody is worth 0, got {values[0]:g}")
    values.setflags(write=False)
    return Game(names, values)


def sizes(count: int) -> Ints:
    """Number of players in every coalition of `count` players, shape (2**count,)."""
    return spread(np.ones(count, np.int64))


def spread(amounts: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    """Sum of the members' amounts for every coalition, shape (2**n,)."""
    total = np.zeros(1, amounts.dtype)
    for amount in amounts:
        total = np.concatenate([total, total + amount])
    return total


def masks(blocs: Sequence[Sequence[int]], count: int) -> tuple[int, ...]:
    """Bit masks of blocs, which must be a partition of `count` players.

    Raises
    ------
    ValueError
        If a player is in no bloc or in several, or a bloc is empty.
    """
    flat = [i for bloc in blocs for i in bloc]
    if sorted(flat) != list(range(count)) or not all(blocs):
        raise ValueError(f"blocs: wanted each of {count} players in exactly one bloc, got {[list(b) for b in blocs]}")
    return tuple(sum(1 << i for i in bloc) for bloc in blocs)


def pairs(values: npt.NDArray[_Number], player: int) -> npt.NDArray[_Number]:
    """View an array over coalitions as coalitions without (``[:, 0]``) and with (``[:, 1]``) a player."""
    return values.reshape(-1, 2, 1 << player)


def laws(game: Game) -> dict[str, Violation | None]:
    """Try the laws; a law that holds has no violation.

    Parameters
    ----------
    game
        The game.

    Returns
    -------
    dict
        ``monotone``, ``superadditive``, ``convex``: None, or the worst violation found.
    """
    return {"monotone": _monotone(game), "superadditive": _superadditive(game), "convex": _convex(game)}


def _monotone(game: Game) -> Violation | None:
    index = np.arange(game.worth.size, dtype=np.int64)
    worst = Violation(0, 0, game.tolerance)
    for i in range(len(game.players)):
        loss = pairs(game.worth, i)[:, 0] - pairs(game.worth, i)[:, 1]
        at = int(loss.argmax())
        if loss.flat[at] > worst.amount:
            without = int(pairs(index, i)[:, 0].flat[at])
            worst = Violation(without, 1 << i, float(loss.flat[at]))
    return worst if worst.second else None


def _superadditive(game: Game) -> Violation | None:
    first, second, amount = _split(np.asarray(game.worth))
    return Violation(int(first), int(second), float(amount)) if amount > game.tolerance else None


def _convex(game: Game) -> Violation | None:
    index = np.arange(game.worth.size, dtype=np.int64)
    worst = Violation(0, 0, game.tolerance)
    count = len(game.players)
    for i in range(count):
        for j in range(i):
            # coalitions of the others by (high bits, i, middle bits, j, low bits)
            shape = (1 << (count - 1 - i), 2, 1 << (i - 1 - j), 2, 1 << j)
            v = game.worth.reshape(shape)
            loss = v[:, 1, :, 0] + v[:, 0, :, 1] - v[:, 1, :, 1] - v[:, 0, :, 0]
            at = int(loss.argmax())
            if loss.flat[at] > worst.amount:
                base = int(index.reshape(shape)[:, 0, :, 0].flat[at])
                worst = Violation(base | 1 << i, base | 1 << j, float(loss.flat[at]))
    return worst if worst.first else None


@numba.njit(cache=True, nogil=True)
def _split(worth: Floats) -> tuple[int, int, float]:
    """Disjoint coalitions that lose most by joining."""
    first, second, most = 0, 0, -np.inf
    for whole in range(1, worth.size):
        part = (whole - 1) & whole
        while part > whole - part:  # each pair once
            loss = worth[part] + worth[whole - part] - worth[whole]
            if loss > most:
                first, second, most = part, whole - part, loss
            part = (part - 1) & whole
    return first, second, most


def quotient(game: Game, blocs: Sequence[Sequence[int]], names: Sequence[str] | None = None) -> Game:
    """Return the game in which every bloc speaks with one voice.

    Parameters
    ----------
    game
        The game.
    blocs
        A partition of the players' indices.
    names
        Names of the blocs; by default their members' names joined by ``+``.

    Returns
    -------
    Game
        A game of ``len(blocs)`` players.
    """
    bits = masks(blocs, len(game.players))
    union = spread(np.array(bits, np.int64))
    return make(names or ["+".join(game.names(b)) for b in bits], game.worth[union])
