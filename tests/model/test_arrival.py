"""Arrival times against scipy's gamma distribution and against draws of the parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from landbridge.model.arrival import Arrival, _gamma_below, arrival

PARTS = st.lists(st.tuples(st.floats(0.1, 500), st.floats(0, 100), st.booleans()), min_size=1, max_size=12)


@given(st.floats(0.01, 1e6), st.floats(-6, 12))
@settings(deadline=None)
def test_the_gamma_distribution_is_scipys(shape: float, score: float) -> None:
    x = shape + score * shape**0.5
    assert _gamma_below(shape, x) == pytest.approx(float(special.gammainc(shape, max(x, 0.0))), rel=1e-7, abs=1e-9)


@given(st.floats(1, 1000), st.floats(0.1, 300))
@settings(deadline=None)
def test_one_part_is_a_gamma_distribution(mean: float, spread: float) -> None:
    route = arrival([mean], [spread], [None])
    exact = stats.gamma((mean / spread) ** 2, scale=spread**2 / mean)
    if route.skewness < 1e-2:
        exact = stats.norm(mean, spread)
    for p in (0.1, 0.5, 0.9):
        assert route.quantile(p) == pytest.approx(float(exact.ppf(p)), abs=max(2e-3, 3e-3 * spread))
    assert route.by(mean) == pytest.approx(float(exact.cdf(mean)), abs=2e-3)


@given(PARTS)
@settings(deadline=None)
def test_moments_add_up_and_quantiles_are_in_order(parts: list[tuple[float, float, bool]]) -> None:
    mean, spread, even = zip(*parts, strict=True)
    route = arrival(mean, spread, [0.0 if flat else None for flat in even])
    assert route.mean_h == pytest.approx(sum(mean))
    assert route.spread_h**2 == pytest.approx(sum(s**2 for s in spread), abs=1e-9)
    low, middle, high = (route.quantile(p) for p in (0.1, 0.5, 0.9))
    assert low <= middle <= high
    for p, hours in ((0.1, low), (0.5, middle), (0.9, high)):
        if route.spread_h > 1 and route.skewness < 1.5:  # a steep density makes much of a thousandth of an hour
            assert route.by(hours) == pytest.approx(p, abs=0.01)


def test_the_sum_of_parts_is_near_what_draws_of_them_give() -> None:
    """A door-to-door chain: access, four runs, three borders, two changes of gauge, and a ferry sailing twice a week.

    A hundred thousand draws know a quantile to about a two-hundredth of the spread.
    """
    mean = np.array([12.0, 60, 70, 50, 30, 20, 14, 30, 12, 18, 12, 42])
    spread = np.array([6.0, 9, 10, 8, 5, 16, 10, 24, 6, 9, 6, 84 / 12**0.5])
    uniform = np.zeros(12, np.bool_)
    uniform[-1] = True
    random = np.random.default_rng(7)
    shape = (mean / spread) ** 2
    draws = random.gamma(shape, mean / shape, (100_000, 12))
    draws[:, -1] = random.uniform(0, 84, 100_000)
    hours = draws.sum(axis=1)
    route = arrival(mean.tolist(), spread.tolist(), [0.0 if flat else None for flat in uniform.tolist()])
    for p in (0.05, 0.5, 0.9, 0.95):
        assert route.quantile(p) == pytest.approx(np.quantile(hours, p), abs=0.03 * route.spread_h)
    for late in (370.0, 400.0, 450.0):
        assert route.by(late) == pytest.approx((hours <= late).mean(), abs=0.01)


def test_no_spread_is_a_timetable_and_no_skew_a_bell() -> None:
    sure = arrival([10.0, 5.0], [0.0, 0.0], [None, 0.0])
    assert (sure.by(14.9), sure.by(15.0), sure.quantile(0.9)) == (0.0, 1.0, 15.0)
    bell = Arrival(100.0, 10.0, 0.0)
    assert bell.quantile(0.9) == pytest.approx(float(stats.norm(100, 10).ppf(0.9)), abs=1e-3)
    with pytest.raises(ValueError, match="between 0 and 1, got 1"):
        bell.quantile(1)
