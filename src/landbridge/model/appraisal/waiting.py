"""What it is worth to be able to wait: real options in closed form and on a binomial tree.

References: Dixit and Pindyck (1994), chapters 2 and 5; Cox, Ross and Rubinstein (1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["critical_ratio", "deferral_value", "value_of_waiting"]


def critical_ratio(rate: float, payout: float, volatility: float) -> tuple[float, float]:
    """Return beta_1 of Dixit and Pindyck, and the value over cost from which on it pays to invest at once.

    Parameters
    ----------
    rate, payout, volatility
        A year's: discount rate, what is lost by a year's wait (share of value), spread of the value's growth.

    Returns
    -------
    tuple of float
        ``beta = 1/2 - (r-d)/s^2 + sqrt(((r-d)/s^2 - 1/2)^2 + 2 r / s^2)`` and ``beta / (beta - 1)``.
    """
    drift = (rate - payout) / volatility**2
    beta = 0.5 - drift + math.sqrt((drift - 0.5) ** 2 + 2.0 * rate / volatility**2)
    return beta, beta / (beta - 1.0)


def deferral_value(
    value: float, cost: float, *, rate: float, payout: float, volatility: float, years: float, steps: int
) -> float:
    """Value the right to invest at any time within some years, on a binomial tree.

    Parameters
    ----------
    value, cost
        What the project is worth and costs today.
    rate, payout, volatility
        A year's, continuously compounded.
    years, steps
        How long one may wait, and in how many steps.

    Returns
    -------
    float
        At least ``value - cost``, which investing today gives.
    """
    dt = years / steps
    up = math.exp(volatility * math.sqrt(dt))
    chance = (math.exp((rate - payout) * dt) - 1.0 / up) / (up - 1.0 / up)
    discount = math.exp(-rate * dt)
    worth = np.maximum(value * up ** (steps - 2.0 * np.arange(steps + 1)) - cost, 0.0)
    for step in range(steps - 1, -1, -1):
        wait = discount * (chance * worth[:-1] + (1.0 - chance) * worth[1:])
        worth = np.maximum(wait, value * up ** (step - 2.0 * np.arange(step + 1)) - cost)
    return float(worth[0])


def value_of_waiting(now: float, later: Sequence[float], chances: Sequence[float], rate: float) -> tuple[float, float]:
    """Value a project that may be begun now, or in a year when more is known.

    Parameters
    ----------
    now
        Net present value of beginning now.
    later, chances
        Net present value, as of then, of beginning a year later in each state of the world, and how likely each is.
    rate
        Discount rate.

    Returns
    -------
    wait : float
        What waiting is worth today: in a year it is begun only where that pays.
    option : float
        What it is worth to be able to wait, above the better of beginning now and never.

    Raises
    ------
    ValueError
        If the chances do not add up to 1.
    """
    if len(later) != len(chances) or abs(sum(chances) - 1.0) > 1e-9 or min(chances) < 0.0:
        raise ValueError(f"chances: wanted one for each of {len(later)} states, adding up to 1, got {list(chances)}")
    wait = sum(p * max(value, 0.0) for p, value in zip(chances, later, strict=True)) / (1.0 + rate)
    return wait, max(wait - max(now, 0.0), 0.0)
