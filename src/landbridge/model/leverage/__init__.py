"""Bargaining power: games over coalitions of countries, blocs or operators, and what they are worth to each.

`game` holds a game and its laws, `values` the solutions that average over coalitions, `stability` the ones that no
coalition wants to leave, `dependence` shares and concentrations. Definitions are those of METHODS.md, section 1, each
cited where it is implemented beside the literature that it rests on. What a coalition is worth comes from outside: this
module has never heard of railways.
"""

from __future__ import annotations

from landbridge.model.leverage.game import MOST_PLAYERS, Floats, Game, Violation, laws, make, masks, quotient
from landbridge.model.leverage.stability import Core, LeastCore, core, core_ranges, least_core, nucleolus
from landbridge.model.leverage.values import (
    aumann_dreze,
    banzhaf,
    dividends,
    hold_up,
    marginal,
    myerson,
    nash,
    owen,
    restricted,
    sample_shapley,
    shapley,
    veto_players,
    weighted_shapley,
)

__all__ = [
    "MOST_PLAYERS",
    "Core",
    "Floats",
    "Game",
    "LeastCore",
    "Violation",
    "aumann_dreze",
    "banzhaf",
    "core",
    "core_ranges",
    "dividends",
    "hold_up",
    "laws",
    "least_core",
    "make",
    "marginal",
    "masks",
    "myerson",
    "nash",
    "nucleolus",
    "owen",
    "quotient",
    "restricted",
    "sample_shapley",
    "shapley",
    "veto_players",
    "weighted_shapley",
]
