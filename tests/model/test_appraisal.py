"""Appraisal: the reference's exact answers, and laws that rates, payback, loans and surpluses must obey."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from landbridge.model import appraisal


@pytest.fixture(scope="module")
def told(shared: Path) -> dict[str, Any]:
    return dict(json.loads((shared / "reference" / "econ" / "appraisal.json").read_text(encoding="utf-8")))


def close(value: Any) -> Any:
    return pytest.approx(value, rel=1e-6, abs=1e-6)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["project_A", "cku_like_schedule"])
def test_reference_flows(told: dict[str, Any], name: str) -> None:
    case = told[name]
    for rate in (6, 9, 12):
        assert appraisal.npv(case["flows"], rate / 100) == close(case[f"NPV_{rate}pct"])
    found = appraisal.rates_of_return(case["flows"])
    assert found.status == "one"
    assert found.rates == close(tuple(case["all_real_IRR_above_minus1"]))
    assert appraisal.bcr(case["flows"], 0.09) == close(case["BCR_9pct"])


@pytest.mark.shared
def test_reference_sensitivity(told: dict[str, Any]) -> None:
    """The schedule of the reference, made anew from its stated assumptions."""
    capex = -4700.0 * np.array([0.1, 0.15, 0.2, 0.2, 0.2, 0.15, *[0.0] * 30])
    gains = np.array([0.0] * 6 + [180 * 1.06**t for t in range(30)])
    upkeep = np.array([0.0] * 6 + [-45.0] * 30)
    case = told["cku_like_schedule"]
    assert capex + gains + upkeep == pytest.approx(np.array(case["flows"]), abs=1e-6)
    streams = {"capex": capex, "benefits": gains, "upkeep": upkeep}
    swings = {s.name: s for s in appraisal.tornado(streams, {"capex": (1.0, 1.2), "benefits": (0.8, 1.0)}, 0.09)}
    sensitivity = case["sensitivity_NPV_9pct"]
    assert swings["capex"].npv_low == close(sensitivity["base"])
    assert swings["capex"].npv_high == close(sensitivity["capex+20%"])
    assert swings["benefits"].npv_low == close(sensitivity["benefits-20%"])
    late = capex + appraisal.delayed(gains + upkeep, 1)
    assert appraisal.npv(late, 0.09) == close(sensitivity["one_year_delay_of_benefits_same_horizon"])
    switching = appraisal.switching_values(streams, 0.09)
    assert switching["benefits"] == close(case["switching_values_9pct"]["benefit_change"])
    assert switching["capex"] == close(case["switching_values_9pct"]["capex_change"])


def test_no_switching_value_where_a_stream_would_have_to_change_sign() -> None:
    """100 paid for 20: half the gains more would not do, but four times as much would; no cut of upkeep does."""
    streams = {"capital": [-100.0, 0.0], "upkeep": [0.0, -10.0], "gains": [0.0, 20.0]}
    assert appraisal.switching_values(streams, 0.0) == {
        "capital": pytest.approx(-0.9),
        "upkeep": None,
        "gains": pytest.approx(4.5),
    }


@pytest.mark.shared
def test_reference_several_rates_and_none(told: dict[str, Any]) -> None:
    several = appraisal.rates_of_return(told["multiple_irr"]["flows"])
    assert several.status == "several"
    assert several.rates == close(tuple(told["multiple_irr"]["all_irr"]))
    assert appraisal.npv(told["multiple_irr"]["flows"], 0.09) == close(told["multiple_irr"]["NPV_9"])
    assert appraisal.rates_of_return(told["no_irr"]["flows"]) == appraisal.Returns("none", ())


@pytest.mark.shared
def test_reference_opening_year(told: dict[str, Any]) -> None:
    case = told["opening_year"]
    found = appraisal.opening_years(case["K"], [case["b0"] * 1.05**t for t in range(66)], 0.09, case["life"])
    assert found.npv == close(np.array(list(case["NPV_by_opening_year"].values())))
    assert found.first_year_rate == close(np.array(list(case["first_year_rate_of_return"].values())))
    assert found.best == case["best"]
    # the first-year rule opens where another year's wait saves less interest than it costs: before the exact best
    assert found.by_rate == 12


@pytest.mark.shared
def test_reference_waiting(told: dict[str, Any]) -> None:
    for case in told["dixit_pindyck"]:
        beta, ratio = appraisal.critical_ratio(case["r"], case["delta"], case["sigma"])
        assert (beta, ratio) == close((case["beta1"], case["critical_V_over_I"]))
    for case in told["crr_defer"]:
        value = appraisal.deferral_value(
            case["V"],
            case["I"],
            rate=case["r"],
            payout=case["payout"],
            volatility=case["sigma"],
            years=case["T"],
            steps=case["steps"],
        )
        assert value == close(case["value"])


@pytest.mark.shared
def test_reference_widget(told: dict[str, Any]) -> None:
    """A factory that costs 1,600 and earns 200 now, 300 or 100 a year for ever from next year on, at 10 per cent."""
    from fractions import Fraction

    case = {k: float(Fraction(v)) for k, v in told["dixit_pindyck_widget"].items() if k != "note"}
    forever = 1.1 / 0.1  # this year's and all later ones
    now = 200 + (300 + 100) / 2 * (forever - 1) - 1600
    wait, option = appraisal.value_of_waiting(now, [300 * forever - 1600, 100 * forever - 1600], [0.5, 0.5], 0.1)
    assert (now, wait, option) == close((case["invest_now"], case["wait_one_year"], case["option_value"]))
    with pytest.raises(ValueError, match="adding up to 1"):
        appraisal.value_of_waiting(now, [1.0, 2.0], [0.5, 0.6], 0.1)


@pytest.mark.shared
def test_reference_surplus(told: dict[str, Any]) -> None:
    case = told["consumer_surplus"]
    half = appraisal.rule_of_half(case["c0"], case["c1"], case["q0"], case["q1"])
    exact = appraisal.constant_elasticity(case["c0"], case["c1"], case["q0"], case["elasticity"])
    assert float(half) == close(case["rule_of_half"])
    assert exact == close(case["exact_constant_elasticity"])


@given(st.lists(st.floats(-0.5, 3.0), min_size=1, max_size=5, unique_by=lambda x: round(x, 2)))
@settings(max_examples=60, deadline=None)
def test_every_rate_that_was_put_in_is_found(rates: list[float]) -> None:
    flows = np.array([1.0])
    for rate in rates:
        flows = np.convolve(flows, [1.0, -(1.0 + rate)])
    assert appraisal.rates_of_return(flows).rates == pytest.approx(sorted(rates), abs=1e-6)


@given(st.lists(st.integers(-100, 100), min_size=2, max_size=40))
@settings(max_examples=100, deadline=None)
def test_rates_are_roots_and_as_many_as_signs_change(flows: list[int]) -> None:
    found = appraisal.rates_of_return(flows)
    size = np.abs(np.array(flows, float))
    for rate in found.rates:
        assert abs(appraisal.npv(flows, rate)) <= 1e-8 * appraisal.npv(size, rate)
    signs = np.sign([f for f in flows if f])
    assert len(found.rates) <= int((signs[1:] != signs[:-1]).sum())
    # between two rates of return the NPV does not change its sign
    edges = [-0.6, *(r for r in found.rates if -0.6 < r < 4.0), 4.0]
    for low, high in itertools.pairwise(edges):
        inside = np.linspace(low, high, 13)[1:-1]
        worth = np.array([appraisal.npv(flows, r) / max(appraisal.npv(size, r), 1e-300) for r in inside])
        kept = np.sign(worth[np.abs(worth) > 1e-9])
        assert len(set(kept.tolist())) <= 1


def test_a_double_root_is_one_rate() -> None:
    assert appraisal.rates_of_return([100, -220, 121]).rates == pytest.approx((0.1,), abs=1e-6)


def test_rates_where_nothing_is_paid_or_nothing_happens() -> None:
    assert appraisal.rates_of_return([0, 0]) == appraisal.Returns("any", ())
    assert appraisal.rates_of_return([5, 5]).status == "none"
    assert appraisal.rates_of_return([0, -100, 110]).rates == pytest.approx((0.1,))
    assert appraisal.bcr([1.0, 2.0], 0.09) is None


def test_payback_within_a_year() -> None:
    assert appraisal.payback_years([-100, 40, 40, 40]) == pytest.approx(2.5)
    assert appraisal.payback_years([-100, 40, 40, 10]) is None
    assert appraisal.payback_years([10, 5]) == 0
    assert appraisal.payback_years([-100, 110], 0.1) == pytest.approx(1.0)
    # for good: what later costs take away has not come back
    assert appraisal.payback_years([-100, 230, -132]) is None
    assert appraisal.payback_years([10, -20]) is None
    assert appraisal.payback_years([-100, 150, -100, 200]) == pytest.approx(2.25)


@pytest.mark.shared
def test_payback_of_the_reference_flows(told: dict[str, Any]) -> None:
    """Flows of the reference, whose sums change sign where the definition says so and nowhere after."""
    for name in ("project_A", "cku_like_schedule", "multiple_irr", "no_irr"):
        flows = told[name]["flows"]
        for rate in (0.0, 0.06, 0.09, 0.12):
            years = appraisal.payback_years(flows, rate)
            sums = [appraisal.npv(flows[: n + 1], rate) for n in range(len(flows))]
            assert (years is None) == (sums[-1] < 0)
            if years is not None:
                assert sums[int(years)] < 0 <= min(sums[int(years) + 1 :])
    assert appraisal.payback_years(told["project_A"]["flows"]) == pytest.approx(9.5)


@given(
    st.floats(0.0, 0.2),
    st.integers(1, 40),
    st.integers(0, 8),
    st.booleans(),
    st.sampled_from(["annuity", "equal principal"]),
)
@settings(max_examples=60, deadline=None)
def test_a_loan_is_worth_nothing_at_its_own_rate(
    rate: float, repaying: int, grace: int, paying: bool, repayment: Any
) -> None:
    loan = appraisal.Loan(100.0, rate, repaying + grace, grace, paying, repayment)
    found = appraisal.debt_service(loan, [0.4, 0.6] if grace else [1.0])
    assert appraisal.npv(found.drawn - found.paid, rate) == pytest.approx(0.0, abs=1e-8)
    assert found.owed[-1] == 0.0
    assert found.principal[: grace + 1].sum() == 0.0
    if repayment == "annuity" and rate > 0:
        assert np.ptp(found.paid[grace + 1 :]) < 1e-9


def test_terms_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        appraisal.debt_service(appraisal.Loan(1.0, 0.02, 10, 3), [0.5])
    with pytest.raises(ValueError, match="end by year 1"):
        appraisal.debt_service(appraisal.Loan(1.0, 0.02, 10, 1), [0.2, 0.3, 0.5])
    with pytest.raises(ValueError, match="after the grace"):
        appraisal.debt_service(appraisal.Loan(1.0, 0.02, 5, 5), [1.0])


@given(st.floats(1, 50), st.floats(1, 50), st.floats(1, 50), st.floats(0.5, 20))
@settings(max_examples=60, deadline=None)
def test_logsum_is_the_area_under_its_demand(c0: float, c1: float, outside: float, scale: float) -> None:
    assume(abs(c0 - c1) > 0.1)
    cost = np.linspace(c1, c0, 2001)
    demand = 7.0 / (1.0 + np.exp(-(outside - cost) / scale))
    area = float(((demand[1:] + demand[:-1]) / 2 * np.diff(cost)).sum())
    assert float(appraisal.logsum(c0, c1, outside, scale, 7.0)) == pytest.approx(area, rel=1e-4, abs=1e-9)
