from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from test_flows import classes, delays, relations, two_routes

from landbridge.model import flows, paths


def test_a_nest_of_one_is_the_binary_logit() -> None:
    found = flows.nest([[22.0], [np.inf]], scale_usd_t=2.0, network_scale_usd_t=3.0)
    assert found.cost_usd_t.tolist() == [22.0, np.inf]
    assert found.share.tolist() == [[1.0], [0.0]]


def test_equal_scales_make_one_multinomial_logit() -> None:
    """Network at 10, sea at 12, air at 15, all at scale 4."""
    found = flows.nest([[12.0, 15.0]], scale_usd_t=4.0, network_scale_usd_t=4.0)
    demand = relations([(0, 1, 0, 7.0)], outside=found.cost_usd_t, scale=4.0)
    result = flows.assign(
        paths.graph(2, [0], [1]), delays([10], [], 1, facility=[-1]), classes([[0]]), demand, gap=1e-13
    )
    mass = np.exp(-np.array([10.0, 12.0, 15.0]) / 4.0)
    out = result.outside_tonnes_yr[0] * found.share[0]
    np.testing.assert_allclose([result.network_tonnes_yr[0], *out], 7.0 * mass / mass.sum(), rtol=1e-9)
    logsum = -4.0 * np.log(mass.sum())
    np.testing.assert_allclose(flows.composite_cost(result, demand), [logsum], rtol=1e-10)


def test_a_nest_against_congested_routes() -> None:
    """Sea and air in a nest of scale 2 against two routes that grow slower: d = Q / (1 + exp((c(d) - W) / 3))."""
    graph, delay = two_routes()
    found = flows.nest([[24.0, 23.0]], scale_usd_t=2.0, network_scale_usd_t=3.0)
    composite = -2.0 * np.log(np.exp(-12.0) + np.exp(-11.5))
    np.testing.assert_allclose(found.cost_usd_t, [composite], rtol=1e-14)
    demand = relations([(0, 1, 0, 60.0)], outside=found.cost_usd_t, scale=3.0)
    result = flows.assign(graph, delay, classes([[0, 0]]), demand, gap=1e-13)
    tonnes = brentq(lambda d: d * (1 + np.exp((15 + (d - 5) / 3 - composite) / 3)) - 60, 5, 60, xtol=1e-13)
    assert result.network_tonnes_yr[0] == pytest.approx(tonnes, rel=1e-10)


def test_the_composite_cost_falls_with_each_alternative_by_its_share() -> None:
    options = np.array([[12.0, 15.0, np.inf]])

    def whole(network: float, outside: np.ndarray) -> tuple[float, flows.Nest, flows.Flows]:
        taken = flows.nest(outside, scale_usd_t=1.5, network_scale_usd_t=4.0)
        demand = relations([(0, 1, 0, 1.0)], outside=taken.cost_usd_t, scale=4.0)
        result = flows.assign(
            paths.graph(2, [0], [1]), delays([network], [], 1, facility=[-1]), classes([[0]]), demand, gap=1e-13
        )
        return float(flows.composite_cost(result, demand)[0]), taken, result

    cost, taken, result = whole(11.0, options)
    step = 1e-5
    assert (whole(11.0 + step, options)[0] - cost) / step == pytest.approx(result.network_tonnes_yr[0], rel=1e-4)
    for i in range(2):
        moved = options.copy()
        moved[0, i] += step
        share = result.outside_tonnes_yr[0] * taken.share[0, i]
        assert (whole(11.0, moved)[0] - cost) / step == pytest.approx(share, rel=1e-4)
    assert taken.share[0, 2] == 0.0


def test_composite_cost_without_one_side() -> None:
    lost = paths.graph(3, [0], [1])
    demand = relations([(1, 2, 0, 3.0), (1, 2, 0, 4.0), (0, 1, 0, 5.0)], outside=np.array([np.inf, 50.0, np.inf]))
    result = flows.assign(lost, delays([1], [1], 10), classes([[2]]), demand)
    assert flows.composite_cost(result, demand).tolist() == [np.inf, 50.0, result.cost_usd_t[2]]


@pytest.mark.parametrize("scale", [0.0, -1.0, 5.0, np.nan])
def test_a_nest_less_alike_than_the_network_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match=r"scale_usd_t of relation 0: wanted .* at most the network's 4"):
        flows.nest([[1.0, 2.0]], scale_usd_t=scale, network_scale_usd_t=4.0)
