"""Hours at a border from their stages: against sums over every hour of a week, draws of consignments, and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landbridge.model.network.borders import border_hours, closed_wait

#: A busy machine must not fail a law.
CALM = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

OPEN = {"closed": (0.0, 0.0), "queue_h": 0.0, "spread_h": None, "work_cv": 0.0, "queue_cv": 0.0}


def waits(open_h: float, days: int, step_h: float = 0.02) -> np.ndarray:
    """Wait of what comes up at every ``step_h`` of a week in which the first ``days`` days work from their start on."""
    at = np.arange(step_h / 2, 168.0, step_h)
    hour = at % 24.0
    works = (at < days * 24.0) & (hour < open_h)
    opens = np.where(at // 24.0 + 1 < days, (at // 24.0 + 1) * 24.0, 168.0)  # the next morning, or that of Monday
    return np.where(works, 0.0, opens - at)


@pytest.mark.parametrize(("open_h", "days"), [(24, 7), (12, 7), (8, 7), (24, 5), (10, 5), (9, 6), (6, 1), (24, 1)])
def test_the_wait_for_opening_is_the_mean_over_every_hour_of_a_week(open_h: float, days: int) -> None:
    every = waits(open_h, days)
    mean, variance = closed_wait(open_h, days)
    assert mean == pytest.approx(every.mean(), rel=1e-4, abs=1e-4)
    assert variance == pytest.approx(every.var(), rel=1e-3, abs=1e-3)


def test_a_crossing_of_unknown_hours_is_counted_as_open() -> None:
    assert closed_wait(None, None) == closed_wait(24, 7) == (0.0, 0.0)
    assert closed_wait(None, 5)[0] == pytest.approx(48.0**2 / (2 * 168))
    assert closed_wait(12, None)[0] == pytest.approx(12.0**2 / (2 * 24))


@CALM
@given(st.floats(1, 24), st.floats(1, 7), st.floats(0, 5))
def test_longer_hours_never_lengthen_the_wait(open_h: float, days: float, more: float) -> None:
    longer = min(open_h + more, 24.0)
    assert closed_wait(longer, days)[0] <= closed_wait(open_h, days)[0] + 1e-9
    assert closed_wait(open_h, min(days + more, 7.0))[0] <= closed_wait(open_h, days)[0] + 1e-9
    assert closed_wait(open_h, days)[1] >= -1e-9


def test_an_inspection_is_a_draw() -> None:
    """One consignment in four is opened for 20 hours: mean 5, variance 1/4 x 3/4 x 400 = 75."""
    mean, spread = border_hours(8.0, inspection_share=0.25, inspection_h=20.0, **OPEN)
    assert mean == pytest.approx(13.0)
    assert spread == pytest.approx(75.0**0.5)
    draws = 8.0 + 20.0 * (np.random.default_rng(1).random(400_000) < 0.25)
    assert mean == pytest.approx(draws.mean(), rel=0.01)
    assert spread == pytest.approx(draws.std(), rel=0.01)


@CALM
@given(st.floats(0, 50), st.floats(0, 1), st.floats(0, 100), st.floats(1, 24), st.floats(0, 80))
def test_stages_add_up_and_their_variances_too(
    work: float, share: float, opened: float, hours: float, q: float
) -> None:
    closed = closed_wait(hours, 7)
    mean, spread = border_hours(
        work, inspection_share=share, inspection_h=opened, closed=closed, queue_h=q, spread_h=None,
        work_cv=0.35, queue_cv=0.25,
    )  # fmt: skip
    assert mean == pytest.approx(work + share * opened + closed[0])
    alone = [
        border_hours(work, inspection_share=0, inspection_h=0, **{**OPEN, "work_cv": 0.35}),
        border_hours(0, inspection_share=share, inspection_h=opened, **OPEN),
        border_hours(0, inspection_share=0, inspection_h=0, **{**OPEN, "closed": closed}),
        border_hours(0, inspection_share=0, inspection_h=0, **{**OPEN, "queue_h": q, "queue_cv": 0.25}),
    ]
    assert spread**2 == pytest.approx(sum(one[1] ** 2 for one in alone), abs=1e-9)
    assert mean == pytest.approx(sum(one[0] for one in alone))


def test_a_measured_spread_stands() -> None:
    mean, spread = border_hours(8.0, inspection_share=0.5, inspection_h=10.0, **{**OPEN, "spread_h": 2.0})
    assert (mean, spread) == (13.0, 2.0)
