"""Rules of choice, Sobol indices and scenario discovery, against exact figures that were worked out elsewhere."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from landbridge.model.uncertainty import criteria, cvar, evpi, prim, regret, score, sobol_design, sobol_indices


@lru_cache(maxsize=1)
def reference_in(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared / "reference" / "econ" / "uncertainty.json").read_text(encoding="utf-8"))
    return found


def number(text: Any) -> float:
    return float(Fraction(text)) if isinstance(text, str) else float(text)


LESS_IS_BETTER = {"minimax_regret", "mean_regret"}


@pytest.mark.shared
def test_the_table_of_policies_in_which_the_rules_disagree(shared: Path) -> None:
    table = reference_in(shared)["robustness_table"]
    payoff = np.array([[number(x) for x in row] for row in table["payoff"]])
    names = table["policies"]
    assert regret(payoff).tolist() == [[number(x) for x in row] for row in table["regret"]]
    for key, rule, options in (
        ("maximin", "maximin", {}),
        ("maximax", "maximax", {}),
        ("hurwicz_alpha_1/4_weight_on_best", "hurwicz", {"optimism": 0.25}),
        ("hurwicz_alpha_1/2_weight_on_best", "hurwicz", {"optimism": 0.5}),
        ("hurwicz_alpha_3/4_weight_on_best", "hurwicz", {"optimism": 0.75}),
        ("laplace_mean", "laplace", {}),
        ("minimax_regret", "minimax_regret", {}),
        ("mean_regret", "mean_regret", {}),
        ("starr_domain_share_of_scenarios_with_NPV>=0", "starr", {"threshold": 0.0}),
    ):
        found = criteria(payoff, **options)[rule]  # type: ignore[arg-type]
        assert found == pytest.approx([number(table[key]["value"][n]) for n in names], rel=1e-12, abs=1e-12), key
        best = found.min() if rule in LESS_IS_BETTER else found.max()
        assert [n for n, v in zip(names, found, strict=True) if v == best] == table[key]["choice"], key
    spread = criteria(payoff)["mean_minus_std"]
    assert spread == pytest.approx([table["mean_minus_std_population"][n] for n in names], rel=1e-12, abs=1e-12)
    weight = np.array([number(x) for x in table["expected"]["prob"]])
    assert criteria(payoff, weight=weight)["expected"] == pytest.approx(
        [number(table["expected"]["EV"][n]) for n in names], rel=1e-12, abs=1e-10
    )
    assert evpi(payoff, weight) == pytest.approx(number(table["expected"]["EVPI"]), rel=1e-12)


@pytest.mark.shared
def test_conditional_value_at_risk_splits_atoms(shared: Path) -> None:
    known = reference_in(shared)["cvar_discrete_loss"]
    loss, weight = (np.array([number(pair[i]) for pair in known["losses"]]) for i in (0, 1))
    for level, key in ((0.9, "CVaR90"), (0.95, "CVaR95"), (0.8, "CVaR80"), (0.0, "mean")):
        assert cvar(loss, weight, level) == pytest.approx(number(known[key]), rel=1e-12)


@pytest.mark.shared
def test_sobol_indices_of_functions_whose_indices_are_known(shared: Path) -> None:
    known = reference_in(shared)
    a = np.array(known["sobol_g_8"]["a"], np.float64)

    def ishigami(u: Any) -> Any:
        x = (2 * u - 1) * np.pi
        return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])

    def g(u: Any) -> Any:
        return np.prod((np.abs(4 * u - 2) + a) / (1 + a), axis=1)

    def product(u: Any) -> Any:
        return (20 + 20 * u[:, 0]) * (0.8 + 0.8 * u[:, 1]) + 10 * u[:, 2]

    for function, key, d in (
        (ishigami, "ishigami_a7_b0.1", 3),
        (g, "sobol_g_8", 8),
        (product, "product_plus_linear", 3),
    ):
        unit = qmc.Sobol(2 * d, seed=1).random(2**13)
        found = sobol_indices(function(sobol_design(unit)), d, rng=np.random.default_rng(2), draws=200)
        first, total = ([number(x) for x in known[key][name]] for name in ("S1", "ST"))
        assert found.first == pytest.approx(first, abs=0.012), key
        assert found.total == pytest.approx(total, abs=0.012), key
        inside = (found.total_low <= np.array(total)) & (np.array(total) <= found.total_high)
        assert inside.mean() >= 0.6, "intervals at 95 per cent, of a design that does better than chance"


def test_indices_of_what_does_not_vary_are_zero() -> None:
    found = sobol_indices(np.full(8 * 4, 3.0), 2, rng=np.random.default_rng(0), draws=10)
    assert found.first.tolist() == found.total.tolist() == [0.0, 0.0]


@pytest.mark.shared
def test_the_box_of_scenario_discovery(shared: Path) -> None:
    known = reference_in(shared)["scenario_discovery_box"]
    axis = np.round(np.arange(21) * 0.05, 10)
    inputs = np.array([[x, y] for x in axis for y in axis])
    case = inputs[:, 0] + 2 * inputs[:, 1] >= 2 - 1e-9
    box = score(inputs, case, np.array([0.4, 0.7]), np.array([np.inf, np.inf]))
    assert (int(case.sum()), box.points, box.cases) == (known["failures"], known["in_box"], known["hits"])
    assert (box.coverage, box.density) == (number(known["coverage"]), number(known["density"]))
    # what peeling finds is as good: a box of at least that density covers as much
    boxes = prim(inputs, case)
    assert [b.density for b in boxes] == sorted(b.density for b in boxes)
    assert max(b.coverage for b in boxes if b.density >= box.density) >= box.coverage - 0.05


def test_peeling_finds_a_planted_box() -> None:
    inputs = qmc.LatinHypercube(4, seed=3).random(2000)
    case = (inputs[:, 0] > 0.6) & (inputs[:, 2] < 0.5)
    best = max(prim(inputs, case), key=lambda b: b.coverage * b.density)
    assert best.density > 0.95
    assert best.coverage > 0.9
    assert best.low[0] == pytest.approx(0.6, abs=0.05)
    assert best.high[2] == pytest.approx(0.5, abs=0.05)
    assert np.isinf([*best.low[[1, 2, 3]], *best.high[[0, 1, 3]]]).all()


tables = st.integers(1, 5).flatmap(
    lambda p: st.integers(1, 6).flatmap(
        lambda s: st.lists(st.lists(st.integers(-50, 50), min_size=s, max_size=s), min_size=p, max_size=p)
    )
)


@settings(max_examples=60, deadline=None)
@given(tables, st.integers(-20, 20), st.integers(1, 5))
def test_laws_of_the_rules(rows: list[list[int]], shift: int, scale: int) -> None:
    payoff = np.array(rows, np.float64)
    left, found = regret(payoff), criteria(payoff)
    assert (left >= 0).all()
    assert (left.min(axis=0) == 0).all(), "somebody is best in every future"
    assert np.allclose(regret(scale * payoff + shift), scale * left), "shifting all payoffs changes no regret"
    assert (found["maximin"] <= found["laplace"] + 1e-9).all()
    assert (found["laplace"] <= found["maximax"] + 1e-9).all()
    assert evpi(payoff) >= -1e-9
    assert (found["cvar_loss"] >= -found["laplace"] - 1e-9).all()
    assert (found["cvar_loss"] <= -found["maximin"] + 1e-9).all()
