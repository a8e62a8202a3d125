"""What it is worth to be able to wait: real options in closed form and on a binomial tree.

References: Dixit and Pindyck (1994), chapter 5; Cox, Ross and Rubinstein (1979).
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["critical_ratio", "deferral_value"]


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
