r"""Who pays how much of a cost that several share.

Problem
    Players gain ``b_i`` from a project of cost K. A rule says what each pays, ``sum_i p_i = K``; what is left is
    ``b_i - p_i``. With a game v of what each coalition can reach by itself (its gains less what it must pay to build),
    the surplus ``v(N)`` is shared, and ``p_i = b_i - x_i``.
Rules
    Equal, by length, by territory (cost on own ground), by benefit: in proportion. Shapley, nucleolus and Nash share
    the surplus of the game (see `landbridge.model.leverage`).
Flags
    Individually rational: nobody ends below what it has alone, ``b_i - p_i >= v(i)``. Budget balanced: payments add up
    to the cost. In the core: no coalition has less than it can reach, ``sum_S (b_i - p_i) >= v(S)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.model import leverage
from landbridge.model.leverage import Game

__all__ = ["Share", "all_needed", "share_cost"]

F8 = npt.NDArray[np.float64]

# Amounts that differ by less than this share of the cost are the same.
SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Share:
    """What a rule lets each player pay.

    Parameters
    ----------
    rule
        Its name.
    payment, net_gain : float64[n]
        Paid, and left of the benefit.
    individually_rational, budget_balanced, in_core
        See the top of the module.
    """

    rule: str
    payment: F8
    net_gain: F8
    individually_rational: bool
    budget_balanced: bool
    in_core: bool


def all_needed(players: Sequence[str], benefit: npt.ArrayLike, cost: float) -> Game:
    """Return the game in which only all together can build, and do so if it pays.

    Parameters
    ----------
    players
        Names.
    benefit : float64[n]
        Of each.
    cost
        Of the project.

    Returns
    -------
    Game
        ``v(N) = sum b - K`` and zero else.
    """
    worth = np.zeros(1 << len(players))
    worth[-1] = float(np.sum(np.asarray(benefit, np.float64))) - cost
    return leverage.make(list(players), worth)


def share_cost(
    benefit: npt.ArrayLike,
    cost: float,
    game: Game,
    *,
    proportional: Mapping[str, npt.ArrayLike] | None = None,
    agreed: Mapping[str, npt.ArrayLike] | None = None,
) -> tuple[Share, ...]:
    """Share a cost by every rule.

    Parameters
    ----------
    benefit : float64[n]
        Of each player.
    cost
        To be shared.
    game
        What each coalition can reach, the whole included.
    proportional
        Weights by name of further rules (``by length``, ``by territory``).
    agreed
        Shares by name that somebody agreed on, adding up to 1.

    Returns
    -------
    tuple of Share
        Equal, the proportional ones, by benefit, those agreed, Shapley, nucleolus, Nash.
    """
    gains = np.asarray(benefit, np.float64)
    n = gains.size
    payments: dict[str, F8] = {"equal": np.full(n, cost / n)}
    for name, weights in (proportional or {}).items():
        weight = np.asarray(weights, np.float64)
        if weight.sum() > 0.0:
            payments[name] = cost * weight / weight.sum()
    # who loses by the project is not asked to pay for it
    winning = np.maximum(gains, 0.0)
    if winning.sum() > 0.0:
        payments["by benefit"] = cost * winning / winning.sum()
    for name, shares in (agreed or {}).items():
        payments[name] = cost * np.asarray(shares, np.float64)
    for name, solve in (("Shapley", leverage.shapley), ("nucleolus", leverage.nucleolus), ("Nash", leverage.nash)):
        payments[name] = gains - np.asarray(solve(game), np.float64)
    return tuple(_judged(name, paid, gains, cost, game) for name, paid in payments.items())


def _judged(rule: str, payment: F8, gains: F8, cost: float, game: Game) -> Share:
    net = gains - payment
    slack = SAME * max(abs(cost), float(np.abs(gains).sum()), 1.0)
    members = np.arange(game.worth.size)[:, None] >> np.arange(gains.size) & 1
    has = members @ net
    alone = game.worth[1 << np.arange(gains.size)]
    balanced = abs(float(payment.sum()) - cost) <= slack
    return Share(
        rule,
        payment,
        net,
        bool((net >= alone - slack).all()),
        balanced,
        bool((has >= game.worth - slack).all()) and balanced,
    )
