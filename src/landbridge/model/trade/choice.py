"""Freight mode choice: multinomial and nested logit, elasticities, and the composite cost.

    V_m = constant_m - scale (cost_m + value_of_time days_m)
    p_m = exp(V_m) / sum exp(V);      in a nest g with dissimilarity d: p_m = p(m | g) p(g),
    p(m | g) = exp(V_m / d) / sum_g exp(V / d),   p(g) = exp(d I_g) / sum exp(d I),   I_g = ln sum_g exp(V / d)

The composite cost ``-ln(sum exp) / scale`` is what a choice costs in all; its change is the change of trade cost that
agrees with the choice. Reference: Train (2009), Discrete Choice Methods with Simulation, chapters 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Choice", "binary_composite", "elasticities", "logit"]

F8 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Choice:
    """Shares of the modes and what the choice costs in all.

    Attributes
    ----------
    share : float64[m]
    composite
        In the unit of the costs; rises when a mode gets dearer.
    """

    share: F8
    composite: float


def logit(
    cost: F8, scale: float, *, constant: F8 | None = None, nests: Sequence[tuple[Sequence[int], float]] = ()
) -> Choice:
    """Choose among modes.

    Parameters
    ----------
    cost : float64[m]
        Generalised cost: money and time in money.
    scale
        Utils per unit of cost, greater than zero.
    constant : float64[m]
        Utils that a mode has beside its cost.
    nests
        Modes of each nest and its dissimilarity, in (0, 1]; modes in no nest stand alone.

    Returns
    -------
    Choice
    """
    value = -scale * np.asarray(cost, np.float64) + (0.0 if constant is None else constant)
    if not scale > 0:
        raise ValueError(f"scale must be greater than zero, got {scale}")
    inside = [list(modes) for modes, _ in nests]
    flat = [m for modes in inside for m in modes]
    if len(flat) != len(set(flat)) or any(not 0 < d <= 1 for _, d in nests):
        raise ValueError("a mode may be in one nest only, and dissimilarities must be above 0 and at most 1")
    groups = [
        *zip(inside, (d for _, d in nests), strict=True),
        *(([m], 1.0) for m in range(len(value)) if m not in flat),
    ]
    inner, worth = np.zeros_like(value), np.empty(len(groups))
    for g, (modes, d) in enumerate(groups):
        v = value[modes] / d
        top = v.max()
        total = np.exp(v - top).sum()
        inner[modes] = np.exp(v - top) / total
        worth[g] = d * (top + np.log(total))
    top = worth.max()
    outer = np.exp(worth - top)
    share = inner.copy()
    for g, (modes, _) in enumerate(groups):
        share[modes] *= outer[g] / outer.sum()
    return Choice(share, -float(top + np.log(outer.sum())) / scale)


def elasticities(
    cost: F8, part: F8, scale: float, *, constant: F8 | None = None, nests: Sequence[tuple[Sequence[int], float]] = ()
) -> F8:
    """Elasticities of shares with respect to one part of each mode's cost, by the derivatives of the shares.

    Parameters
    ----------
    cost, scale, constant, nests
        As in `logit`.
    part : float64[m]
        The part of the cost that changes in proportion: its money, or its time in money.

    Returns
    -------
    float64[m, m]
        Row: whose part changes; column: whose share answers.
    """
    share = logit(cost, scale, constant=constant, nests=nests).share
    count = len(share)
    nest_of = np.arange(count) + count
    within, alike = np.ones(count), np.ones(count)
    for g, (modes, d) in enumerate(nests):
        index = list(modes)
        nest_of[index], alike[index] = g, d
        within[index] = share[index] / share[index].sum()
    same = nest_of[:, None] == nest_of[None, :]
    # d ln p_k / d V_m = [k = m] / d - p_m - [one nest] (1 / d - 1) p(m | nest)
    inverse = 1.0 / alike
    slope = np.diag(inverse) - share[:, None] - np.where(same, ((inverse - 1.0) * within)[:, None], 0.0)
    result: F8 = -scale * np.asarray(part, np.float64)[:, None] * slope
    return result


def binary_composite(first: F8, second: F8, scale: F8) -> F8:
    """Composite cost of the choice between two ways, either of which may be infinite.

    ``-scale ln(exp(-first / scale) + exp(-second / scale))``, the cost that the assignment's choice between land
    network and outside option implies. ``scale`` is in units of cost (the inverse of `logit`'s).

    Parameters
    ----------
    first, second : float64[R]
        Costs; infinite where there is no such way.
    scale : float64[R]

    Returns
    -------
    float64[R]
        Infinite where there is neither.
    """
    least = np.minimum(first, second)
    apart = np.abs(
        np.subtract(first, second, where=np.isfinite(first) & np.isfinite(second), out=np.full_like(least, np.inf))
    )
    result: F8 = np.where(np.isfinite(least), least - scale * np.log1p(np.exp(-apart / scale)), np.inf)
    return result
