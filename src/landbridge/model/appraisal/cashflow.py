r"""What a row of yearly sums is worth.

Problem
    Flows ``f_0 ... f_n`` in USD of one price year, year 0 not discounted, the others at the end of their year.
Measures
    ``NPV(r) = sum_t f_t / (1 + r)^t``. A rate of return is a root of the NPV above -1. With ``x = 1 / (1 + r)`` it is a
    root of the polynomial ``sum f_t x^t`` with ``x > 0``, so there may be none, one or several: all are found, between
    the turning points of the polynomial, which are found in the same way from its derivatives (every root is bracketed,
    none can be missed). A polynomial that only touches zero counts as a root.
    ``BCR = PV(flows above zero) / PV(flows below zero)`` unless benefits and costs are handed apart.
    Payback: years until the sum of flows reaches zero for good, a year's flow taken as even within the year: the
    last time that it comes up from below, since what later costs take below zero again has only been paid back for a
    while. None where the sum ends below zero.
    First-year rate of return: benefit of the first year of service over the capital cost.
    Opening year: the NPV of waiting, ``[sum_{j=1..life} b_{T+j} / (1+r)^j - K] / (1 + r)^T`` for each opening T.
Reference
    Conventions of the ADB and World Bank guidelines as METHODS states them: rates of return beside NPV, never alone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = [
    "Opening",
    "Returns",
    "annuity",
    "bcr",
    "discount",
    "first_year_rate",
    "npv",
    "opening_years",
    "payback_years",
    "rates_of_return",
]

F8 = npt.NDArray[np.float64]
Status = Literal["none", "one", "several", "any"]

# A polynomial whose value is below this share of the sum of its terms' sizes is zero but for rounding.
ZERO_SHARE = 1e-12
# Two turning points nearer than this, relative to their size, are one.
SAME = 1e-9


@dataclass(frozen=True)
class Returns:
    """All internal rates of return of a row of flows.

    Parameters
    ----------
    status
        ``none``, ``one``, ``several``, or ``any`` where all flows are zero and every rate would do.
    rates
        Every real root above -1, ascending.
    """

    status: Status
    rates: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Opening:
    """When to open.

    Parameters
    ----------
    npv : float64[T]
        NPV by opening year, seen from year 0.
    first_year_rate : float64[T]
        Benefit of the first year of service over the capital cost.
    best
        Opening year of the largest NPV.
    by_rate
        First opening year whose first-year rate reaches the discount rate; None where none does.
    """

    npv: F8
    first_year_rate: F8
    best: int
    by_rate: int | None


def discount(flows: npt.ArrayLike, rate: float) -> F8:
    """Discount flows to year 0.

    Parameters
    ----------
    flows : float64[..., n]
        Yearly sums, the last axis the years.
    rate
        A year's, above -1.

    Returns
    -------
    float64[..., n]
    """
    values = np.asarray(flows, np.float64)
    return np.asarray(values / (1.0 + rate) ** np.arange(values.shape[-1]), np.float64)


def npv(flows: npt.ArrayLike, rate: float) -> float:
    """Return the net present value.

    Parameters
    ----------
    flows : float64[n]
        Yearly sums.
    rate
        A year's, above -1.

    Returns
    -------
    float
        In the flows' money.
    """
    return float(discount(flows, rate).sum())


def rates_of_return(flows: npt.ArrayLike) -> Returns:
    """Find every internal rate of return.

    Parameters
    ----------
    flows : float64[n]
        Yearly sums.

    Returns
    -------
    rates : Returns
        Above -1; see the top of the module for how it is made sure that none is missed.
    """
    values = np.trim_zeros(np.asarray(flows, np.float64))
    if values.size == 0:
        return Returns("any", ())
    found = sorted(1.0 / x - 1.0 for x in _positive_roots(values / np.abs(values).max()))
    return Returns("none" if not found else "one" if len(found) == 1 else "several", tuple(found))


def _positive_roots(c: F8) -> list[float]:
    """Roots x > 0 of ``sum c_t x^t``; the first coefficient is not zero."""
    signs = np.sign(c[c != 0.0])
    if (signs[1:] == signs[:-1]).all():  # no change of sign, no positive root (Descartes)
        return []
    last = int(np.flatnonzero(c)[-1])
    c = c[: last + 1]
    slope = c[1:] * np.arange(1, last + 1)
    lead = np.flatnonzero(slope)[0]
    turning = _positive_roots(slope[lead:] / np.abs(slope).max())
    powers = np.arange(last)
    present = c[:-1] != 0.0
    # Fujiwara: no root lies beyond twice the largest of |c_t / c_n|^(1 / (n - t)).
    bound = 2.0 * float(np.max(np.abs(c[:-1][present] / c[last]) ** (1.0 / (last - powers[present])))) + SAME
    points = [0.0, *(x for x in turning if x < bound), bound]

    def value(x: float) -> float:
        return float(np.polynomial.polynomial.polyval(x, c))

    def is_zero(x: float) -> bool:
        size = float(np.polynomial.polynomial.polyval(x, np.abs(c)))
        return abs(value(x)) <= ZERO_SHARE * size

    roots: list[float] = []
    for low, high in itertools.pairwise(points):
        if low > 0.0 and is_zero(low):
            roots.append(low)
            continue
        end = high < bound and is_zero(high)
        if not end and value(low) * value(high) < 0.0:
            roots.append(_between(value, low, high))
    kept: list[float] = []
    for x in sorted(roots):
        if not kept or x - kept[-1] > SAME * x:
            kept.append(x)
    return kept


def _between(value: Callable[[float], float], low: float, high: float) -> float:
    """The root of a function that changes its sign between two points: halving, to the last bit."""
    below = value(low) < 0.0
    while True:
        middle = 0.5 * (low + high)
        if not low < middle < high:
            return middle
        if (value(middle) < 0.0) == below:
            low = middle
        else:
            high = middle


def bcr(flows: npt.ArrayLike, rate: float, *, costs: npt.ArrayLike | None = None) -> float | None:
    """Return the ratio of benefits to costs.

    Parameters
    ----------
    flows : float64[n]
        Net yearly sums; or the benefits alone where costs are given.
    rate
        A year's.
    costs : float64[n], optional
        Costs as positive numbers.

    Returns
    -------
    float or None
        None where nothing is ever paid.
    """
    values = np.asarray(flows, np.float64)
    if costs is None:
        gain, paid = npv(np.maximum(values, 0.0), rate), npv(np.maximum(-values, 0.0), rate)
    else:
        gain, paid = npv(values, rate), npv(costs, rate)
    return gain / paid if paid > 0.0 else None


def payback_years(flows: npt.ArrayLike, rate: float = 0.0) -> float | None:
    """Return the years from year 0 until what was paid has come back for good.

    Parameters
    ----------
    flows : float64[n]
        Yearly sums.
    rate
        A year's; 0 for the simple payback.

    Returns
    -------
    float or None
        Interpolated within the year in which the sum comes back to zero for the last time; 0 where nothing is ever
        owed, None where the sum ends below zero.
    """
    worth = discount(flows, rate)
    total = np.cumsum(worth)
    total[np.abs(total) <= ZERO_SHARE * np.cumsum(np.abs(worth))] = 0.0
    owed = np.flatnonzero(total < 0.0)
    if owed.size == 0:
        return 0.0
    year = int(owed[-1])
    if year == total.size - 1:
        return None
    return float(year - total[year] / (total[year + 1] - total[year]))


def first_year_rate(benefit: float, capital: float) -> float | None:
    """Return the benefit of the first year of service over the capital cost; None where nothing was spent."""
    return benefit / capital if capital > 0.0 else None


def opening_years(capital: float, benefits: npt.ArrayLike, rate: float, life_years: int) -> Opening:
    """Find the best year to open.

    Parameters
    ----------
    capital
        Capital cost, spent in the opening year whichever it is.
    benefits : float64[n]
        Benefit by calendar year from year 0, whenever the project opens; a project that opens in T serves in the years
        T + 1 to T + life.
    rate
        A year's.
    life_years
        Years of service; opening years are those for which `benefits` reaches to the end of service.

    Returns
    -------
    Opening

    Raises
    ------
    ValueError
        If the benefits do not reach to the end of one life.
    """
    values = np.asarray(benefits, np.float64)
    count = values.size - life_years
    if count < 1:
        raise ValueError(f"benefits: wanted more than {life_years} years, got {values.size}")
    factors = (1.0 + rate) ** -np.arange(1.0, life_years + 1.0)
    worth = np.array(
        [(values[t + 1 : t + 1 + life_years] @ factors - capital) / (1.0 + rate) ** t for t in range(count)]
    )
    early = np.asarray(values[1 : count + 1] / capital if capital > 0.0 else np.full(count, np.inf), np.float64)
    reached = np.flatnonzero(early >= rate)
    return Opening(worth, early, int(np.argmax(worth)), int(reached[0]) if reached.size else None)


def annuity(rate: float, years: int) -> float:
    """Return the yearly sum, at the end of each year, that repays 1 in so many years."""
    if rate == 0.0:
        return 1.0 / years
    return rate / -math.expm1(-years * math.log1p(rate))
