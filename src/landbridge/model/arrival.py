"""When a cargo arrives: the hours of a route as a distribution, from the mean and spread of its parts.

Assumption
    The parts of a route (a run through a country, a border, a change of gauge, a transfer, a wait, access) are
    independent. The hours of each part are gamma distributed, never negative and with a longer tail on the late side,
    unless the part's own third moment is known: the wait for a sailing is uniform over the headway and so symmetric,
    that for a season to open is zero in the season and uniform over what is left of the closed time outside it.
Method
    Mean, variance and third central moment of independent parts add up; those of a gamma part with mean m and standard
    deviation s are m, s**2 and 2 s**4 / m. The sum is taken to be a gamma distribution shifted along the axis (Pearson
    type III) with the same three moments; without any skewness, a normal one. Quantiles and probabilities follow in
    closed form, without a draw of random numbers, so that the same route has the same figures every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, exp, inf, lgamma, log, sqrt

__all__ = ["Arrival", "arrival"]

#: A skewness below this is none to a planner; the shape of the gamma distribution would be above four million.
NO_SKEW = 1e-3
#: Relative error of probabilities.
PRECISION = 1e-12
#: Terms of a series or a fraction after which it has long converged for any shape that occurs.
TERMS = 100_000
#: Quantiles are found to a thousandth of an hour.
HOURS = 1e-3


@dataclass(frozen=True)
class Arrival:
    """The hours of a route; made by `arrival`.

    Attributes
    ----------
    mean_h, spread_h
        Mean and standard deviation.
    skewness
        Third central moment over the cube of the spread; 0 where there is no spread.
    """

    mean_h: float
    spread_h: float
    skewness: float

    def by(self, hours: float) -> float:
        """Return the probability of having arrived after so many hours."""
        if self.spread_h == 0:
            return float(hours >= self.mean_h)
        score = (hours - self.mean_h) / self.spread_h
        if self.skewness < NO_SKEW:
            return 0.5 * (1 + erf(score / sqrt(2)))
        # a gamma distribution of this shape, moved so that its mean is zero and scaled to a spread of one
        shape = 4 / self.skewness**2
        return _gamma_below(shape, shape + score * sqrt(shape))

    def quantile(self, probability: float) -> float:
        """Return the hours after which the cargo has arrived with a probability between 0 and 1.

        Raises
        ------
        ValueError
            If the probability is not between 0 and 1.
        """
        if not 0 < probability < 1:
            raise ValueError(f"probability: wanted a number between 0 and 1, got {probability}")
        if self.spread_h == 0:
            return self.mean_h
        low, high = self.mean_h - self.spread_h, self.mean_h + self.spread_h
        step = self.spread_h
        while self.by(low) >= probability:
            step *= 2
            low -= step
        step = self.spread_h
        while self.by(high) < probability:
            step *= 2
            high += step
        while high - low > HOURS:
            middle = (low + high) / 2
            low, high = (low, middle) if self.by(middle) >= probability else (middle, high)
        return (low + high) / 2


def arrival(mean_h: Sequence[float], spread_h: Sequence[float], third_h3: Sequence[float | None]) -> Arrival:
    """Add up the parts of a route.

    Parameters
    ----------
    mean_h, spread_h
        Mean and standard deviation of each part.
    third_h3
        Third central moment of each part; None for that of a gamma distribution.

    Returns
    -------
    Arrival
    """
    variance = third = 0.0
    for mean, spread, known in zip(mean_h, spread_h, third_h3, strict=True):
        variance += spread**2
        if known is not None:
            third += known
        elif mean > 0:
            third += 2 * spread**4 / mean
    cube = variance**1.5  # zero for spreads too small to matter, too
    return Arrival(float(sum(mean_h)), sqrt(variance), max(third, 0.0) / cube if cube > 0 else 0.0)


def _gamma_below(shape: float, x: float) -> float:
    """The part of a gamma distribution of scale one below x: a power series on the left, a fraction on the right."""
    if x <= 0:
        return 0.0
    front = exp(shape * log(x) - x - lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        for n in range(1, TERMS):
            term *= x / (shape + n)
            total += term
            if term < total * PRECISION:
                break
        return min(front * total, 1.0)
    # the continued fraction of the upper part, by Lentz's method
    b = x + 1 - shape
    c, d = inf, 1 / b
    value = d
    for n in range(1, TERMS):
        a = n * (shape - n)
        b += 2
        d = 1 / (a * d + b)
        c = b + (0.0 if c == inf else a / c)
        value *= c * d
        if abs(c * d - 1) < PRECISION:
            break
    return max(1 - front * value, 0.0)
