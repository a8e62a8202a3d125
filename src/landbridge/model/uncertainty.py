"""Deciding under deep uncertainty: rules of choice, sensitivity of outcomes to inputs, and futures in which one fails.

Notation: P policies, S futures, payoff u[p, s] (more is better); d inputs; N points of a design.

- Regret of p in s is max over policies of u[., s] less u[p, s] (Savage, 1951). McPhail et al. (2018), Earth's Future
  6(2), list the rules and when each fits.
- CVaR at level a of a loss is the mean of its worst 1 - a of probability, atoms split (Rockafellar and Uryasev, 2002).
- EVPI = E[max_p u] - max_p E[u].
- Sobol indices from the matrices A, B and AB_i (A with column i of B): first order by Saltelli et al. (2010), total by
  Jansen (1999); intervals by bootstrap over the rows.
- PRIM (Friedman and Fisher, 1999): a box is peeled, each time the slice whose loss raises the share of cases of
  interest most for each point lost (Kwakkel and Jaxa-Rozen, 2016, for inputs with ties). Coverage = cases in the box
  over all cases; density = cases in the box over points in it (Bryant and Lempert, 2010).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "Box",
    "Indices",
    "criteria",
    "cvar",
    "evpi",
    "prim",
    "regret",
    "score",
    "sobol_design",
    "sobol_indices",
]

F8 = npt.NDArray[np.float64]
B1 = npt.NDArray[np.bool_]


def regret(payoff: F8) -> F8:
    """Return what each policy leaves on the table in each future.

    Parameters
    ----------
    payoff : float64[P, S]
        More is better.

    Returns
    -------
    float64[P, S]
        Zero for the best policy of a future, else above.
    """
    return np.asarray(payoff.max(axis=0) - payoff, np.float64)


def criteria(
    payoff: F8, *, optimism: float = 0.5, threshold: float = 0.0, tail: float = 0.9, weight: F8 | None = None
) -> Mapping[str, F8]:
    """Return the value of each policy by each rule of choice.

    Parameters
    ----------
    payoff : float64[P, S]
        More is better.
    optimism
        Hurwicz: the weight on the best future, from 0 to 1.
    threshold
        Starr: a payoff of at least this meets the need.
    tail
        CVaR of the loss (minus the payoff) over the worst part ``1 - tail``.
    weight : float64[S], optional
        Probabilities; default all futures alike. They enter the expectation, CVaR and Starr's share; Laplace is always
        the plain mean.

    Returns
    -------
    mapping of name to float64[P]
        ``maximin``, ``maximax``, ``hurwicz``, ``laplace``, ``expected``, ``starr``: more is better. ``minimax_regret``,
        ``mean_regret``, ``cvar_loss``: less is better. ``mean_minus_std``: mean less one standard deviation of the
        population.
    """
    chance = np.full(payoff.shape[1], 1 / payoff.shape[1]) if weight is None else np.asarray(weight, np.float64)
    worst, best, left = payoff.min(axis=1), payoff.max(axis=1), regret(payoff)
    return {
        "maximin": worst,
        "maximax": best,
        "hurwicz": optimism * best + (1 - optimism) * worst,
        "laplace": payoff.mean(axis=1),
        "expected": payoff @ chance,
        "minimax_regret": left.max(axis=1),
        "mean_regret": left.mean(axis=1),
        "starr": (payoff >= threshold) @ chance,
        "cvar_loss": np.array([cvar(-row, chance, tail) for row in payoff]),
        "mean_minus_std": payoff.mean(axis=1) - payoff.std(axis=1),
    }


def cvar(loss: F8, weight: F8, level: float) -> float:
    """Return the mean of the worst part of a loss.

    Parameters
    ----------
    loss : float64[S]
        More is worse.
    weight : float64[S]
        Probabilities; their sum is one.
    level
        The worst ``1 - level`` counts; from 0 (the mean) to below 1.

    Returns
    -------
    float
    """
    order = np.argsort(-loss, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(weight[order])[:-1]])
    part = np.clip((1 - level) - before, 0.0, weight[order])
    return float(part @ loss[order] / part.sum())


def evpi(payoff: F8, weight: F8 | None = None) -> float:
    """Return what it is worth to know the future before choosing.

    Parameters
    ----------
    payoff : float64[P, S]
        More is better.
    weight : float64[S], optional
        Probabilities; default all futures alike.
    """
    chance = np.full(payoff.shape[1], 1 / payoff.shape[1]) if weight is None else np.asarray(weight, np.float64)
    return float(payoff.max(axis=0) @ chance - (payoff @ chance).max())


# ----------------------------------------------------------------------------------------------------- sensitivity


@dataclass(frozen=True, eq=False)
class Indices:
    """Sobol indices of d inputs, with the bounds of their intervals; all float64[d]."""

    first: F8
    first_low: F8
    first_high: F8
    total: F8
    total_low: F8
    total_high: F8


def sobol_design(unit: F8) -> F8:
    """Return the points at which a function must be known for its Sobol indices.

    Parameters
    ----------
    unit : float64[n, 2d]
        Points of the unit cube: A beside B.

    Returns
    -------
    float64[n * (d + 2), d]
        A, then B, then A with each column of B in turn.
    """
    d = unit.shape[1] // 2
    a, b = unit[:, :d], unit[:, d:]
    mixed = np.repeat(a[None], d, axis=0)
    for i in range(d):
        mixed[i, :, i] = b[:, i]
    return np.concatenate([a, b, mixed.reshape(-1, d)])


def sobol_indices(
    value: F8, inputs: int, *, rng: np.random.Generator, draws: int = 500, level: float = 0.95
) -> Indices:
    """Return first and total Sobol indices from values at `sobol_design`.

    Parameters
    ----------
    value : float64[n * (d + 2)]
        In the order of the design.
    inputs
        d.
    rng
        For the bootstrap.
    draws, level
        Bootstrap samples, and the level of the intervals.

    Returns
    -------
    Indices
        Zero for all inputs where the values do not vary.
    """
    table = value.reshape(inputs + 2, -1)
    n = table.shape[1]
    first, total = _indices(table)
    again = np.array([_indices(table[:, rng.integers(0, n, n)]) for _ in range(draws)])
    low, high = np.quantile(again, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Indices(first, low[0], high[0], total, low[1], high[1])


def _indices(table: F8) -> tuple[F8, F8]:
    a, b, mixed = table[0], table[1], table[2:]
    both = table[:2].ravel()
    variance = both.var()
    if variance <= 0:
        zero = np.zeros(len(mixed))
        return zero, zero
    centre = both.mean()
    first = ((b - centre) * (mixed - a)).mean(axis=1) / variance
    total = ((a - mixed) ** 2).mean(axis=1) / (2 * variance)
    return first, total


# ----------------------------------------------------------------------------------------------- scenario discovery


@dataclass(frozen=True, eq=False)
class Box:
    """Ranges of the inputs in which the cases of interest gather.

    Attributes
    ----------
    low, high : float64[d]
        Bounds; those that were never cut are infinite.
    points, cases
        In the box.
    coverage, density
        Cases in the box over all cases, and over points in it.
    """

    low: F8
    high: F8
    points: int
    cases: int
    coverage: float
    density: float


def score(inputs: F8, case: B1, low: F8, high: F8) -> Box:
    """Return how well a box tells cases of interest from others.

    Parameters
    ----------
    inputs : float64[N, d]
        Points.
    case : bool[N]
        Cases of interest.
    low, high : float64[d]
        Bounds, both inside.
    """
    inside = ((inputs >= low) & (inputs <= high)).all(axis=1)
    points, cases, all_cases = int(inside.sum()), int((inside & case).sum()), int(case.sum())
    return Box(low, high, points, cases, cases / all_cases if all_cases else 0.0, cases / points if points else 0.0)


def prim(inputs: F8, case: B1, *, peel: float = 0.05, least_share: float = 0.05) -> list[Box]:
    """Peel a box from all points towards the cases of interest.

    Parameters
    ----------
    inputs : float64[N, d]
        Points.
    case : bool[N]
        Cases of interest.
    peel
        Part of the points in the box that a cut may take, as near as their ties allow.
    least_share
        Peeling stops when the box would hold less than this part of all points.

    Returns
    -------
    list of Box
        The trajectory, from all points to the smallest box. A reader chooses between coverage and density; ties are
        settled by the order of the inputs, lower cuts first.
    """
    count, d = inputs.shape
    low, high = np.full(d, -np.inf), np.full(d, np.inf)
    found = [score(inputs, case, low, high)]
    inside = np.ones(count, np.bool_)
    while True:
        here = inputs[inside]
        best: tuple[float, int, bool, float] | None = None
        for i in range(d):
            for upper in (False, True):
                edge = np.quantile(here[:, i], 1 - peel if upper else peel, method="higher" if upper else "lower")
                # the cut keeps what lies strictly beyond its slice, so that something always goes
                kept = inside & ((inputs[:, i] < edge) if upper else (inputs[:, i] > edge))
                points = int(kept.sum())
                if points < max(1, least_share * count):
                    continue
                gain = (float(case[kept].mean()) - found[-1].density) / (len(here) - points)
                if best is None or gain > best[0]:
                    limits = inputs[kept, i]
                    best = (gain, i, upper, float(limits.max() if upper else limits.min()))
        if best is None or best[0] <= 0:
            return found
        _, i, upper, limit = best
        (high if upper else low)[i] = limit
        inside &= (inputs[:, i] <= limit) if upper else (inputs[:, i] >= limit)
        found.append(score(inputs, case, low.copy(), high.copy()))
