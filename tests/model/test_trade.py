"""Trade models against exact answers, a published data set, and the laws they must obey."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import NoEquilibrium, NotConverged
from landbridge.model import trade
from landbridge.model.trade import hat, sectors

DATA = Path(__file__).resolve().parents[1] / "data" / "trade"


def reference(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return found


FOUR = reference("hat_algebra_4region")
X4 = np.array(FOUR["X"])


# ---------------------------------------------------------------------------------------- one sector, exact answers


@pytest.mark.parametrize("case", FOUR["cases"], ids=[c["name"] for c in FOUR["cases"]])
def test_hat_algebra_on_four_regions(case: dict[str, Any]) -> None:
    """Three other solvers agree on these to 6e-14."""
    theta = case["theta"]
    tau = np.array(case["trade_cost_factor_tau_hat_pow_minus_theta"]) ** (-1 / theta)
    deficits: hat.Deficits = "additive" if case["mode"] == "additive" else "multiplicative"
    found = trade.solve(X4, tau, theta, productivity=np.array(case["productivity_hat"]), deficits=deficits)
    for name, wanted in (
        ("wage", "w_hat"),
        ("price", "P_hat"),
        ("real_wage", "real_wage_hat"),
        ("welfare", "welfare_hat"),
    ):
        np.testing.assert_allclose(getattr(found, name), case[wanted], rtol=1e-10, atol=0)
    np.testing.assert_allclose(found.trade, case["trade"], rtol=1e-10)


def test_autarky_limit_and_acr() -> None:
    limit = FOUR["autarky_limit"]
    balanced = np.array(limit["trade"])
    for step in limit["steps"]:
        tau = np.ones((4, 4))
        tau[1, :] = tau[:, 1] = step["tau_hat"]
        tau[1, 1] = 1.0
        found = trade.solve(balanced, tau, limit["theta"])
        # where a country hardly trades, the file's own solver stops before its wage has settled (20 and 100 times the
        # cost)
        np.testing.assert_allclose(found.welfare, step["welfare_hat"], rtol=1e-10 if step["tau_hat"] < 10 else 1e-7)
        np.testing.assert_allclose(found.acr, found.welfare, rtol=1e-12)
        abroad = found.trade - np.diag(np.diag(found.trade))
        np.testing.assert_allclose(abroad.sum(axis=1), abroad.sum(axis=0), rtol=1e-6)
    tau[1, [0, 2, 3]] = tau[[0, 2, 3], 1] = np.inf
    embargo = trade.solve(balanced, tau, limit["theta"])  # trade balances, so even a full embargo has an equilibrium
    assert embargo.welfare[1] == pytest.approx(limit["limit_welfare_hat_KAZ"], rel=1e-10)


@pytest.mark.parametrize("case", reference("hat_algebra_symmetric_closed_form")["cases"])
def test_symmetric_pair_has_a_closed_form(case: dict[str, float]) -> None:
    home = case["domestic_share"]
    flows = np.array([[home, 1 - home], [1 - home, home]])
    tau = np.array([[1.0, case["tau_hat"]], [case["tau_hat"], 1.0]])
    found = trade.solve(flows, tau, case["theta"])
    np.testing.assert_allclose(found.welfare, case["welfare_hat"], rtol=1e-12)
    np.testing.assert_allclose(np.diag(found.trade) / found.trade.sum(axis=0), case["new_domestic_share"], rtol=1e-12)


@pytest.mark.shared
def test_published_example_of_44_countries(shared: Path) -> None:
    """EU enlargement, the example of Stata's ge_gravity; published in single precision."""
    data = json.loads((shared / "reference/trade/stata_ge_gravity_eu_enlargement.json").read_text())
    tau = np.exp(-data["beta"] * np.array(data["new_eu_pair"]) / data["theta"])
    flows = np.array(data["trade_2000"])
    additive = trade.solve(flows, tau, data["theta"])
    np.testing.assert_allclose(additive.welfare, data["published_welfare_additive"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(additive.welfare, data["own_welfare_additive"], rtol=1e-9)
    np.testing.assert_allclose(additive.real_wage, data["own_real_wage_additive"], rtol=1e-9)
    # with deficits in proportion its welfare leaves the rescaling of world spending out, and so is the real wage
    proportional = trade.solve(flows, tau, data["theta"], deficits="multiplicative")
    np.testing.assert_allclose(proportional.real_wage, data["published_welfare_mult"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(proportional.real_wage, data["own_welfare_mult"], rtol=1e-9)


def test_solution_of_the_gegravity_sample() -> None:
    """Thirty countries: the exact solution stands in the file beside the peer's, which is near but not exact."""
    data = reference("gegravity_sample_consistent")
    tau = np.ones((30, 30))
    i, j = data["countries"].index("CAN"), data["countries"].index("JPN")
    tau[i, j] = tau[j, i] = np.exp(-0.47113830269189427 / 4)  # its estimate of what an agreement does to trade
    found = trade.solve(np.array(data["baseline_modelled_trade"]), tau, 4.0, deficits="multiplicative")
    np.testing.assert_allclose(found.wage, data["own_solver"]["w"], rtol=1e-9)
    np.testing.assert_allclose(found.real_wage, data["own_solver"]["real_wage"], rtol=1e-9)
    theirs = 1 / np.array(data["gegravity_welfare_statistic"])
    assert 5e-5 < np.abs(theirs - found.real_wage).max() < 2e-4


# ------------------------------------------------------------------------------------------- one sector, refusals


def test_embargo_on_everything_is_refused_with_the_reason() -> None:
    tau = np.full((4, 4), np.inf)
    np.fill_diagonal(tau, 1.0)
    with pytest.raises(NoEquilibrium, match=r"cuts CHN off from all others.*out of balance by"):
        trade.solve(X4, tau, 4.0, names=["CHN", "KAZ", "RUS", "EUR"])


def test_who_is_left_without_suppliers_or_buyers_is_named() -> None:
    tau = np.ones((4, 4))
    tau[:, 1] = np.inf
    with pytest.raises(NoEquilibrium, match="nothing is left to buy for KAZ"):
        trade.solve(X4, tau, 4.0, names=["CHN", "KAZ", "RUS", "EUR"])
    with pytest.raises(NoEquilibrium, match="nobody is left to buy from KAZ"):
        trade.solve(X4, tau.T, 4.0, names=["CHN", "KAZ", "RUS", "EUR"])


def test_transfers_beyond_all_income_are_refused() -> None:
    """A country that gives most of what it earns away cannot do so once its exports hardly pay."""
    flows = np.array([[10.0, 90.0], [5.0, 900.0]])
    tau = np.array([[1.0, 30.0], [1.0, 1.0]])
    with pytest.raises(NoEquilibrium, match="must transfer exceeds all income"):
        trade.solve(flows, tau, 4.0, names=["giver", "taker"])


def test_a_solver_that_stops_short_says_so() -> None:
    with pytest.raises(NotConverged, match="gap"):
        trade.solve(X4, np.full((4, 4), 1.1), 4.0, productivity=np.array([1, 2.0, 1, 1]), max_iterations=3)


def test_wrong_input_is_told() -> None:
    with pytest.raises(ValueError, match="square"):
        trade.solve(X4[:, :3], np.ones((4, 4)), 4.0)
    with pytest.raises(ValueError, match="greater than zero"):
        trade.solve(X4, np.zeros((4, 4)), 4.0)
    with pytest.raises(ValueError, match="theta"):
        trade.solve(X4, np.ones((4, 4)), 0.0)


# ------------------------------------------------------------------------------------------------ one sector, laws


@st.composite
def worlds(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, float]:
    n = draw(st.integers(2, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    flows = rng.lognormal(0, 1.5, (n, n)) * (rng.random((n, n)) > 0.2) + np.diag(rng.lognormal(3, 1, n))
    tau = np.exp(rng.normal(0, 0.1, (n, n)))
    np.fill_diagonal(tau, 1.0)
    return flows, tau, draw(st.floats(1.5, 8.0))


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_laws_of_one_sector(world: tuple[np.ndarray, np.ndarray, float]) -> None:
    flows, tau, theta = world
    found = trade.solve(flows, tau, theta)
    output, spending = flows.sum(axis=1), flows.sum(axis=0)
    np.testing.assert_allclose(found.trade.sum(axis=1), found.wage * output, rtol=1e-9)
    np.testing.assert_allclose(found.trade.sum(axis=0), found.wage * output + spending - output, rtol=1e-9)
    np.testing.assert_allclose(found.wage @ output, output.sum(), rtol=1e-12)
    assert (found.trade[flows == 0] == 0).all(), "zero trade stays zero"
    unit = trade.solve(flows * 7.5, tau, theta)
    np.testing.assert_allclose(unit.welfare, found.welfare, rtol=1e-9)
    # a cost change that multiplies a whole row is one of that country's productivity
    row = np.ones_like(tau)
    row[0] = 1.1
    a = trade.solve(flows, row, theta)
    productivity = np.ones(len(flows))
    productivity[0] = 1 / 1.1
    b = trade.solve(flows, np.ones_like(tau), theta, productivity=productivity)
    np.testing.assert_allclose(a.welfare, b.welfare, rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_conditional_keeps_every_sum(world: tuple[np.ndarray, np.ndarray, float]) -> None:
    flows, tau, theta = world
    new = trade.conditional(flows, tau**-theta)
    np.testing.assert_allclose(new.sum(axis=1), flows.sum(axis=1), rtol=1e-8)
    np.testing.assert_allclose(new.sum(axis=0), flows.sum(axis=0), rtol=1e-8)
    assert (new[flows == 0] == 0).all()
    # structural gravity: double ratios move by the factor alone
    if (flows[:2, :2] > 0).all():
        ratio = lambda x: x[0, 0] * x[1, 1] / (x[0, 1] * x[1, 0])  # noqa: E731
        assert ratio(new) / ratio(flows) == pytest.approx(ratio(tau**-theta), rel=1e-7)


def test_small_shocks_obey_the_envelope() -> None:
    """To the first order world welfare moves by trade times the change of its cost (Fajgelbaum and Schaal's check)."""
    step = 1e-6
    tau = np.ones((4, 4))
    tau[0, 1] = 1 + step
    balanced = np.array(FOUR["autarky_limit"]["trade"])
    found = trade.solve(balanced, tau, 4.0)
    world = float((balanced.sum(axis=0) * np.log(found.welfare)).sum())
    assert world == pytest.approx(-balanced[0, 1] * step, rel=1e-5)


# ----------------------------------------------------------------------------------------------------- many sectors


def nafta() -> tuple[sectors.Economy, np.ndarray, np.ndarray, list[str]]:
    with np.load(DATA / "nafta_cp2015.npz") as z:
        a = {k: z[k].astype(float) for k in z.files if z[k].dtype == np.float32}
        regions = [str(r) for r in z["regions"]]
        assert "MIT" in str(z["credit"])
    gross = a["intermediate"].sum(axis=1) + a["value_added"]
    safe = np.where(gross > 0, gross, 1.0)
    economy = sectors.Economy(
        trade=a["trade"],
        tariff=a["tariff"],
        value_added=a["value_added"] / safe,
        inputs=a["intermediate"] / safe[:, None, :],
        final=a["final"] / a["final"].sum(axis=1, keepdims=True),
        factor_income=a["value_added"].sum(axis=1),
        deficit=a["deficit"],
        theta=a["theta"],
    )
    return economy, a["tariff_base"], a["tariff_after"], regions


@pytest.mark.parametrize(
    ("with_deficits", "terms", "volume", "welfare", "real_wage"),
    [
        (False, (-0.11, -0.41, 0.04), (0.04, 1.72, 0.04), (-0.06, 1.31, 0.08), (0.32, 1.72, 0.11)),
        (True, (-0.08, -0.41, 0.05), (0.04, 1.59, 0.04), (-0.04, 1.17, 0.08), (0.33, 1.64, 0.12)),
    ],
)
def test_nafta_of_caliendo_and_parro(
    with_deficits: bool,
    terms: tuple[float, ...],
    volume: tuple[float, ...],
    welfare: tuple[float, ...],
    real_wage: tuple[float, ...],
) -> None:
    economy, before, after, regions = nafta()
    transfer = economy.deficit if with_deficits else np.zeros(len(regions))
    base = trade.solve_sectors(economy, tariff=before, deficit=transfer, tolerance=1e-8)
    shocked = trade.solve_sectors(economy, tariff=after, deficit=transfer, tolerance=1e-8)
    who = [regions.index(name) for name in ("Canada", "Mexico", "USA")]
    parts = trade.welfare_parts(base, shocked)
    assert np.round(parts.terms_of_trade[who], 2).tolist() == list(terms)
    assert np.round(parts.volume_of_trade[who], 2).tolist() == list(volume)
    assert np.round(parts.total[who], 2).tolist() == list(welfare)
    gain = (shocked.real_wage / base.real_wage - 1) * 100
    assert np.round(gain[who], 2).tolist() == list(real_wage)


def test_one_sector_without_inputs_is_hat_algebra() -> None:
    rng = np.random.default_rng(7)
    tau = np.exp(rng.normal(0, 0.1, (4, 4)))
    np.fill_diagonal(tau, 1.0)
    output, spending = X4.sum(axis=1), X4.sum(axis=0)
    economy = sectors.Economy(
        trade=X4[None],
        tariff=np.zeros((1, 4, 4)),
        value_added=np.ones((4, 1)),
        inputs=np.zeros((4, 1, 1)),
        final=np.ones((4, 1)),
        factor_income=output,
        deficit=spending - output,
        theta=np.array([4.0]),
    )
    many = trade.solve_sectors(economy, cost_hat=tau[None], tolerance=1e-13)
    one = trade.solve(X4, tau, 4.0)
    np.testing.assert_allclose(many.welfare, one.welfare, rtol=1e-10)
    np.testing.assert_allclose(many.trade[0], one.trade, rtol=1e-9)
    # a transfer is not part of the sales, and the base is its own equilibrium
    same = trade.solve_sectors(economy)
    np.testing.assert_allclose(same.welfare, 1.0, rtol=1e-9)


def test_sectors_keep_their_accounts() -> None:
    economy, before, after, _ = nafta()
    found = trade.solve_sectors(economy, tariff=after, tolerance=1e-10)
    np.testing.assert_allclose(found.output, found.trade.sum(axis=2), rtol=1e-9)
    revenue = (found.tariff * found.trade).sum(axis=(0, 1))
    income = found.wage * economy.factor_income + revenue + economy.deficit
    np.testing.assert_allclose(found.income, income, rtol=1e-9)
    earned = np.einsum("nj,jn->n", economy.value_added, found.output)
    np.testing.assert_allclose(earned, found.wage * economy.factor_income, rtol=1e-8)
    assert (found.trade[economy.trade == 0] == 0).all()
    del before


def test_sectors_refuse_an_embargo_on_everything() -> None:
    economy, _, _, regions = nafta()
    closed = np.full(economy.trade.shape, np.inf)
    closed[:, np.arange(31), np.arange(31)] = 1.0
    with pytest.raises(NoEquilibrium, match="no equilibrium"):
        trade.solve_sectors(economy, cost_hat=closed, names=regions)


def test_extreme_elasticities_are_capped_and_told() -> None:
    bounded, told = trade.cap_elasticities(np.array([8.1, 64.85, 0.4]), ["food", "petroleum", "plastic"])
    assert bounded.tolist() == [8.1, 10.0, 1.0]
    assert told == (("petroleum", 64.85, 10.0), ("plastic", 0.4, 1.0))


# ---------------------------------------------------------------------------------------------- routing and choice


def test_allen_arkolakis_on_four_nodes() -> None:
    data = reference("allen_arkolakis_4node")
    labour, productivity, theta = np.array(data["labour"]), np.array(data["productivity"]), data["theta"]
    free = np.array(data["link_iceberg"])
    cheaper = free.copy()
    cheaper[0, 1] *= 0.95
    cheaper[1, 0] *= 0.95
    for cost, name in ((free, "baseline"), (cheaper, "scenario_link_CHN_KAZ_5pct_cheaper")):
        found, wanted = trade.routed_equilibrium(cost, labour, productivity, theta), data[name]
        for ours, theirs in (
            (found.wage, "w"), (found.price, "P"), (found.welfare, "welfare"), (found.reach, "S"), (found.trade, "X"),
            (found.traffic, "traffic"),
        ):  # fmt: skip
            np.testing.assert_allclose(ours, wanted[theirs], rtol=1e-9, atol=1e-12, err_msg=f"{name} {theirs}")
        # traffic is what every pair sends over the link
        reach, step = found.reach, np.where(cost > 0, np.where(cost > 0, cost, 1) ** -theta, 0)
        summed = np.einsum("ij,ik,kl,lj->kl", found.trade / reach, reach, step, reach)
        np.testing.assert_allclose(found.traffic, summed, rtol=1e-12)
    congested = trade.congested_equilibrium(free, labour, productivity, theta, data["congestion"]["lam"])
    np.testing.assert_allclose(congested.link_cost, data["congestion"]["link_cost_solution"], rtol=1e-9)
    np.testing.assert_allclose(congested.welfare, data["congestion"]["solution"]["welfare"], rtol=1e-9)


def test_endless_circles_are_refused() -> None:
    with pytest.raises(NoEquilibrium, match="spectral radius"):
        trade.route_cost(np.ones((3, 3)), 2.0)


@pytest.mark.parametrize("kind", ["mnl", "nested"])
def test_mode_choice_example(kind: str) -> None:
    data = reference("mode_choice_example")
    scale, constant = data["scale_per_usd"], np.array(data["asc"])
    money, time = np.array(data["cost_usd_teu"]), data["vot_usd_teu_day"] * np.array(data["days"])
    nests = [([0, 1], data["nested"]["dissimilarity"])] if kind == "nested" else []
    found = trade.logit(money + time, scale, constant=constant, nests=nests)
    np.testing.assert_allclose(found.share, data[kind]["p"], rtol=1e-12, atol=1e-15)
    assert found.composite == pytest.approx(-data[kind]["logsum_usd"], rel=1e-12)
    for part, name in ((money, "cost"), (time, "time")):
        ours = trade.elasticities(money + time, part, scale, constant=constant, nests=nests)
        for m, mode in enumerate(data["modes"]):
            # the file's are central differences, coarse for the share of the air of a millionth
            np.testing.assert_allclose(ours[m], data[kind]["elasticities"][f"{name}_{mode}"], rtol=1e-4, atol=1e-10)


def test_binary_composite_is_the_logit_of_two() -> None:
    for a, b, scale in ((100.0, 120.0, 30.0), (500.0, 20.0, 25.0)):
        two = trade.logit(np.array([a, b]), 1 / scale)
        ours = trade.binary_composite(np.array([a]), np.array([b]), np.array([scale]))
        assert ours[0] == pytest.approx(two.composite, rel=1e-12)
    ends = trade.binary_composite(np.array([5.0, np.inf, np.inf]), np.array([np.inf, 7.0, np.inf]), np.ones(3))
    assert ends.tolist() == [5.0, 7.0, np.inf]


# ------------------------------------------------------------------------------------- from the network to trade cost


def test_a_day_counts_once_wherever_it_counts() -> None:
    """With the shippers' value of a day equal to the goods' own, both ways of counting agree to the first order."""
    value, money, rate = 10_000.0, 200.0, 0.01
    vot_h = rate * (value + money) / 24
    hours = -12.0
    in_route = trade.tau_change(np.array([value]), np.array([money]), np.array([vot_h * hours]))
    in_trade = trade.tau_change(
        np.array([value]), np.array([money]), np.array([vot_h * hours]), counted="trade",
        hours_change=np.array([hours]), vot_usd_t_h=vot_h, rate_day=rate,
    )  # fmt: skip
    assert in_route[0] == pytest.approx(1 - rate / 2, rel=1e-12)
    assert in_trade[0] == pytest.approx(np.exp(-rate / 2), rel=1e-12)
    assert in_route[0] == pytest.approx(in_trade[0], abs=2e-5)


def test_what_is_not_on_the_network_does_not_answer() -> None:
    cell, theta = np.array([0, 0, 1, 2]), np.full(4, 4.0)
    value, change = np.array([30.0, 20.0, 5.0, 1.0]), np.array([0.9, np.inf, 0.5, np.inf])
    found = trade.cell_change(cell, value, change, np.array([100.0, 5.0, 1.0, 7.0]), theta)
    assert found[0] == pytest.approx((0.3 * 0.9**-4 + 0.5) ** -0.25)
    assert found[1] == pytest.approx(0.5)
    assert found[2] == np.inf, "a cell that loses all its ways is shut"
    assert found[3] == 1.0, "a cell without relations stays"


def test_market_access_of_three_places() -> None:
    cost = np.array([[0.0, 0.1, 0.3], [0.1, 0.0, np.inf], [0.3, np.inf, 0.0]])
    gdp = np.array([5.0, 2.0, 1.0])
    found = trade.market_access(cost, gdp, theta=2.0, beta=0.5)
    assert found.firms[0] == pytest.approx(2 / 1.1**2 + 1 / 1.3**2)
    assert found.firms[1] == pytest.approx(5 / 1.1**2)
    np.testing.assert_allclose(found.total, found.firms)  # symmetric costs
