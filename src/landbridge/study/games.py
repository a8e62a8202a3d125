"""Solve a game given by its worths with every solution that Landbridge knows, and name what comes out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from landbridge.data.formats.games import read_game
from landbridge.model import leverage
from landbridge.model.leverage import Floats, Game, Violation

__all__ = ["solutions", "solve_file"]


def solve_file(path: Path) -> dict[str, Any]:
    """Read a game and solve it.

    Parameters
    ----------
    path
        JSON file (see `landbridge.data.formats.games`).

    Returns
    -------
    dict
        As `solutions`.

    Raises
    ------
    DataError
        With all faults of the file.
    """
    file = read_game(path, leverage.MOST_PLAYERS)
    game = leverage.make(file.players, np.array(file.worth))
    return solutions(game, blocs=file.blocs, graph=file.graph, weights=file.weights)


def solutions(
    game: Game,
    *,
    blocs: Iterable[Iterable[int]] | None = None,
    graph: Iterable[tuple[int, int]] | None = None,
    weights: Iterable[float] | None = None,
) -> dict[str, Any]:
    """Solve a game in every way.

    Parameters
    ----------
    game
        The game.
    blocs
        Partition of the players' indices, for the values among blocs.
    graph
        Pairs of players' indices that can talk, for the Myerson value.
    weights
        One for each player, for the weighted Shapley value and weighted Nash bargaining.

    Returns
    -------
    dict
        One key a solution, players by name. What was not asked for (no blocs, graph or weights) is None.

    Raises
    ------
    LandbridgeError
        If highspy is not installed or finds no answer.
    """
    groups = None if blocs is None else [list(bloc) for bloc in blocs]
    weight = None if weights is None else list(weights)
    held = leverage.core(game)
    least = leverage.least_core(game)
    ranges = leverage.core_ranges(game)
    laws = leverage.laws(game)
    quotient = None if groups is None else leverage.quotient(game, groups)
    return {
        "players": list(game.players),
        "worth_of_all": game.grand,
        "shapley": _named(game, leverage.shapley(game)),
        "weighted_shapley": None if weight is None else _named(game, leverage.weighted_shapley(game, weight)),
        "banzhaf": _named(game, leverage.banzhaf(game)),
        "owen": None if groups is None else _named(game, leverage.owen(game, groups)),
        "blocs_as_one": None if quotient is None else _named(quotient, leverage.shapley(quotient)),
        "aumann_dreze": None if groups is None else _named(game, leverage.aumann_dreze(game, groups)),
        "myerson": None if graph is None else _named(game, leverage.myerson(game, list(graph))),
        "nucleolus": _named(game, leverage.nucleolus(game)),
        "nash": _named(game, leverage.nash(game, weight)),
        "core": {
            "empty": held.empty,
            "allocation": None if held.allocation is None else _named(game, held.allocation),
            "ranges": None if ranges is None else dict(zip(game.players, _near(game, ranges).tolist(), strict=True)),
            "certificate": _coalitions(game, held.certificate),
            "balanced_worth": held.balanced_worth,
        },
        "least_core": {
            "excess": float(_near(game, np.array(least.excess))),
            "allocation": _named(game, least.allocation),
            "certificate": _coalitions(game, least.weights),
        },
        "veto": [game.players[i] for i in leverage.veto_players(game)],
        "marginal": _named(game, leverage.marginal(game)),
        "hold_up": dict(zip(game.players, leverage.hold_up(game).tolist(), strict=True)),
        **{name: violation is None for name, violation in laws.items()},
        "violations": {name: _told(game, violation) for name, violation in laws.items() if violation},
    }


def _named(game: Game, values: Floats) -> dict[str, float]:
    return dict(zip(game.players, _near(game, values).tolist(), strict=True))


def _near(game: Game, values: Floats) -> Floats:
    """A rounding away from zero is zero, for whoever reads it."""
    return np.where(np.abs(values) <= game.tolerance, 0.0, values)


def _coalitions(game: Game, weights: dict[int, float]) -> dict[str, float]:
    return {",".join(game.names(s)): weight for s, weight in weights.items()}


def _told(game: Game, violation: Violation) -> dict[str, Any]:
    return {
        "first": ",".join(game.names(violation.first)),
        "second": ",".join(game.names(violation.second)),
        "amount": violation.amount,
    }
