"""Flows found again and again on one network, held against the same problems solved one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_flows import Case, braess, classes, delays, relations

from landbridge.model import flows, paths


def grid(seed: int, *, preload: float) -> Case:
    """A grid of four by four nodes with streets both ways, each with a delay of its own; tonnes between ten pairs."""
    rng = np.random.default_rng(seed)
    ends = [(i, i + 1) for i in range(16) if i % 4 < 3] + [(i, i + 4) for i in range(12)]
    ends += [(b, a) for a, b in ends]
    graph = paths.graph(16, [a for a, _ in ends], [b for _, b in ends])
    m = len(ends)
    delay = delays(rng.uniform(1, 3, m), rng.uniform(0.2, 1, m), rng.uniform(2, 6, m), 4, preload=np.full(m, preload))
    pairs = [(int(a), int(b), 0, float(rng.uniform(1, 4))) for a, b in rng.integers(0, 16, (10, 2)) if a != b]
    return graph, delay, classes([[0.0] * m]), relations(pairs)


def without(case: Case, shut: list[int]) -> Case:
    money = case[2].money_usd_t.copy()
    money[:, shut] = np.inf
    return case[0], case[1], replace(case[2], money_usd_t=money), case[3]


@pytest.mark.parametrize("preload", [0.0, 0.5])
@pytest.mark.parametrize("social", [False, True])
def test_each_network_as_if_it_were_the_only_one(social: bool, preload: float) -> None:
    """With preloads marginal delays are no powers, so that both ways of asking for an optimum are here."""
    case = grid(4, preload=preload)
    many = flows.Repeated(*case, social=social)
    rng = np.random.default_rng(1)
    last = None
    for _ in range(12):
        shut = sorted(rng.choice(case[0].tail.size, rng.integers(0, 5), replace=False).tolist())
        once = without(case, shut)
        alone = (flows.system_optimum if social else flows.assign)(*once, gap=1e-11)
        found = many.solve(shut, gap=1e-11, start=last)
        last = found.stock
        assert found.total_usd == pytest.approx(flows.total_cost(*once[1:], alone), rel=1e-9)
        np.testing.assert_allclose(found.arc_tonnes_yr, alone.arc_tonnes_yr[0], atol=1e-3)
        assert not found.arc_tonnes_yr[shut].any()
        if social:
            assert found.lower_bound_usd == pytest.approx(found.total_usd, rel=1e-9)
            assert found.lower_bound_usd <= found.total_usd
        else:
            assert found.lower_bound_usd == -np.inf


def test_braess_bridge_is_shut_and_opened_again() -> None:
    many = flows.Repeated(*braess([(0, 3, 0, 6.0)], 1), social=False)
    first = many.solve([], gap=1e-12)
    shut = many.solve([4], gap=1e-12, start=first.stock)
    again = many.solve([], gap=1e-12, start=shut.stock)
    assert (first.total_usd, shut.total_usd) == pytest.approx((6 * 92.0, 6 * 83.0))
    assert again.total_usd == pytest.approx(first.total_usd)


def test_one_class_without_outside_option_is_wanted() -> None:
    graph, delay, kinds, wanted = braess([(0, 3, 0, 6.0)], 1)
    outside = replace(wanted, outside_usd_t=np.array([100.0]), scale_usd_t=np.array([1.0]))
    with pytest.raises(ValueError, match="no outside option"):
        flows.Repeated(graph, delay, kinds, outside, social=False)
