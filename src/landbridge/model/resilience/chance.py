r"""What closures and delays cost in the mean, when they come by chance.

Problem
    Element i is closed with probability p_i, on its own. C(S) is the cost with S closed. Wanted: the mean of C, its
    spread, and what is not exceeded in a given share of states.
Method
    Few elements: all 2^n states with their probabilities, exactly. Many: independent draws from a seeded generator, one
    stream for each element, so that adding an element leaves the draws of the others alone. The standard error of the
    mean is the spread over the root of the number of draws; a drawn mean lies within three of the exact one 997 times
    in a thousand.
Definition
    METHODS.md, section 4: the sum over states of probability times cost, which draws must meet within three standard
    errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_EXACT", "Expectation", "draw_states", "exact_states", "expectation"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Elements up to which all states are listed.
MOST_EXACT = 16


@dataclass(frozen=True)
class Expectation:
    """How a cost is spread over states.

    Parameters
    ----------
    mean, std
        Mean and standard deviation.
    standard_error
        Of the mean; zero where all states were listed.
    quantile_50, quantile_95, most
        What half and 95 % of the probability do not exceed, and the largest cost met.
    states
        States listed or drawn.
    """

    mean: float
    std: float
    standard_error: float
    quantile_50: float
    quantile_95: float
    most: float
    states: int


def exact_states(probability: Sequence[float]) -> tuple[Bools, Floats]:
    """List all states of independent elements.

    Parameters
    ----------
    probability
        Probability that each of n elements is closed.

    Returns
    -------
    closed : bool[2**n, n]
    weight : float64[2**n]
        Probability of each state.

    Raises
    ------
    ValueError
        If there are too many elements, or a probability lies outside 0 to 1.
    """
    p = _checked(probability)
    if p.size > MOST_EXACT:
        raise ValueError(f"probability: wanted at most {MOST_EXACT} elements to list all states, got {p.size}")
    closed = (np.arange(1 << p.size)[:, None] >> np.arange(p.size) & 1).astype(np.bool_)
    return closed, np.where(closed, p, 1.0 - p).prod(axis=1)


def draw_states(probability: Sequence[float], draws: int, seed: int) -> tuple[Bools, Floats]:
    """Draw states of independent elements.

    Parameters
    ----------
    probability
        Probability that each of n elements is closed.
    draws
        Number of states.
    seed
        Seed; element i draws from the i-th stream that it spawns.

    Returns
    -------
    closed : bool[draws, n]
    weight : float64[draws]
        The same for all.
    """
    p = _checked(probability)
    streams = np.random.SeedSequence(seed).spawn(p.size)
    closed = np.zeros((draws, p.size), np.bool_)
    for i, stream in enumerate(streams):
        closed[:, i] = np.random.default_rng(stream).random(draws) < p[i]
    return closed, np.full(draws, 1.0 / draws)


def expectation(cost: Callable[[Bools], float], closed: Bools, weight: Floats, *, drawn: bool) -> Expectation:
    """Add up a cost over states; states that come again are not solved again.

    Parameters
    ----------
    cost
        Cost of a state, given which elements are closed.
    closed, weight
        From `exact_states` or `draw_states`.
    drawn
        Whether the states were drawn, and the mean so has an error.

    Returns
    -------
    Expectation
    """
    states, which = np.unique(closed, axis=0, return_inverse=True)
    costs = np.array([cost(state) for state in states])
    mass = np.asarray(np.bincount(which.reshape(-1), weight, len(states)), np.float64)
    return summary(costs, mass, len(closed), drawn=drawn)


def summary(costs: Floats, mass: Floats, states: int, *, drawn: bool) -> Expectation:
    """Summarise costs by their probabilities."""
    mean = float(costs @ mass)
    variance = max(float(((costs - mean) ** 2) @ mass), 0.0)
    if drawn and states > 1:
        variance *= states / (states - 1)
    std = float(np.sqrt(variance))
    order = np.argsort(costs, kind="stable")
    reached = np.cumsum(mass[order])

    def quantile(share: float) -> float:
        at = min(int(np.searchsorted(reached, share - 1e-12)), costs.size - 1)
        return float(costs[order[at]])

    met = costs[mass > 0.0]
    error = std / float(np.sqrt(states)) if drawn else 0.0
    return Expectation(mean, std, error, quantile(0.5), quantile(0.95), float(met.max()), states)


def _checked(probability: Sequence[float]) -> Floats:
    p = np.asarray(probability, np.float64)
    if p.ndim != 1 or not ((p >= 0.0) & (p <= 1.0)).all():
        raise ValueError(f"probability: wanted a row of numbers from 0 to 1, got {probability!r}")
    return p
