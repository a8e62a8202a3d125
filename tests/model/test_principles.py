"""Every principle beside the user equilibrium, held against closed forms, theory and finite differences."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq, linprog
from test_flows import Case, braess, classes, delays, random_case, relations, sioux_falls, two_routes

from landbridge.errors import LandbridgeError, NotConverged, UnknownName
from landbridge.model import flows, paths

__all__ = ["sioux_falls"]  # a fixture

many = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 10**6)


def cost_of(case: Case, result: flows.Flows) -> float:
    return flows.total_cost(case[1], case[2], case[3], result)


# --- System optimum -----------------------------------------------------------------------------------------------


def test_system_optimum_of_two_routes() -> None:
    """Marginal hours 10 + 2x and 15 + y level at x = 8 1/3 + ..., by hand: 2x = 5 + y, x + y = 20."""
    graph, delay = two_routes()
    case = graph, delay, classes([[0, 0]]), relations([(0, 1, 0, 20.0)])
    result = flows.system_optimum(*case, gap=1e-13)
    x, y = 25 / 3, 35 / 3
    np.testing.assert_allclose(result.arc_tonnes_yr[0], [x, y], rtol=1e-11)
    assert result.principle == "system optimum"
    assert result.potential == pytest.approx(x * (10 + x) + y * (15 + y / 2), rel=1e-12)
    assert result.potential == pytest.approx(cost_of(case, result), rel=1e-14)
    assert result.lower_bound <= result.potential <= result.lower_bound * (1 + 1e-11)
    np.testing.assert_allclose(result.train_value_usd_yr, [x, y / 2], rtol=1e-11)
    assert result.cost_usd_t[0] == pytest.approx(10 + 2 * x, rel=1e-11)


def test_system_optimum_closes_braess_bridge() -> None:
    result = flows.system_optimum(*braess([(0, 3, 0, 6.0)], 1), gap=1e-12)
    np.testing.assert_allclose(result.arc_tonnes_yr[0], [3, 3, 3, 3, 0], atol=1e-9)
    assert result.potential == pytest.approx(6 * 83.0, rel=1e-12)


def test_marginal_delay_is_valued_by_all_classes() -> None:
    """One congested arc beside a slow free one; USD 1 and 3 an hour. All cross-effects count, by finite differences."""
    graph = paths.graph(2, [0, 0], [1, 1])
    delay = delays([0, 6], [1], 1, facility=[0, -1])
    kinds = classes([[0, 0], [0, 0]], [1, 3], [1, 1])
    case = graph, delay, kinds, relations([(0, 1, 0, 4.0), (0, 1, 1, 4.0)])
    result = flows.system_optimum(*case, gap=1e-12)
    # Both on the arc: C = (x + y)(x + 3y) + 6(4 - x) + 18(4 - y); the dear class goes first: y = 3 - ... by search.
    x = np.linspace(0, 4, 401)
    grid = (x[:, None] + x) * (x[:, None] + 3 * x) + 6 * (4 - x[:, None]) + 18 * (4 - x)
    assert cost_of(case, result) <= grid.min() + 1e-9
    assert np.isnan(result.potential)
    assert np.isnan(result.lower_bound)
    assert cost_of(case, result) <= cost_of(case, flows.assign(*case, gap=1e-12))


@many
@given(seeds, st.booleans())
def test_system_optimum_is_no_dearer(seed: int, elastic: bool) -> None:
    case = graph, delay, kinds, demand = random_case(seed, elastic=elastic)
    selfish, best = flows.assign(*case, gap=1e-10), flows.system_optimum(*case, gap=1e-9)
    assert flows.conservation_error(graph, best, demand) < 1e-9
    assert cost_of(case, best) <= cost_of(case, selfish) * (1 + 1e-8) + 1e-9
    ratio = kinds.value_of_time_usd_t_h / 2
    alike = replace(kinds, weight_trains_day_per_t_yr=ratio)
    best = flows.system_optimum(graph, delay, alike, demand, gap=1e-9)
    assert best.lower_bound <= best.potential + 1e-9
    assert best.potential - best.lower_bound <= 1e-8 * abs(best.potential) + 1e-9
    other = flows.assign(graph, delay, alike, demand, gap=1e-6)
    assert best.lower_bound <= flows.total_cost(delay, alike, demand, other) + 1e-9


def test_lower_bound_of_the_user_equilibrium() -> None:
    for seed in range(10):
        case = random_case(seed, elastic=True)
        tight, loose = flows.assign(*case, gap=1e-11), flows.assign(*case, gap=1e-3)
        assert loose.lower_bound <= tight.potential + 1e-9
        assert tight.potential - tight.lower_bound <= 1e-8 * abs(tight.potential) + 1e-9


# --- All or nothing -----------------------------------------------------------------------------------------------


def test_all_or_nothing() -> None:
    graph, delay = two_routes()
    case = graph, delay, classes([[0, 0]]), relations([(0, 1, 0, 20.0)])
    result = flows.all_or_nothing(*case)
    assert result.arc_tonnes_yr.tolist() == [[20.0, 0.0]]
    assert result.cost_usd_t.tolist() == [10.0]
    assert result.time_h.tolist() == [30.0, 15.0]
    late = flows.solve("aon", *case, time_h=result.time_h)
    assert late.arc_tonnes_yr.tolist() == [[0.0, 20.0]]
    over = flows.overloads(result, delay)
    assert over.facility.tolist() == [0]
    assert over.trains_day.tolist() == [20.0]
    assert flows.overloads(late, delay).facility.tolist() == [1]
    with pytest.raises(ValueError, match="time_h"):
        flows.all_or_nothing(*case, time_h=np.array([-1.0, 0.0]))


@pytest.mark.parametrize("name", flows.PRINCIPLES)
def test_every_principle_on_one_table(name: str) -> None:
    """Conserved, told by name, nothing on a forbidden arc, unserved said aloud."""
    graph, delay, kinds, demand = random_case(5, elastic=True)
    options: dict[str, Any] = {"sue": {"scale_usd_t": 1.0}, "cue": {"unmet_usd_t": 1e3}}.get(name, {})
    result = flows.solve(name, graph, delay, kinds, demand, **options)
    assert flows.conservation_error(graph, result, demand) < 1e-9
    assert not result.arc_tonnes_yr[np.isinf(kinds.money_usd_t)].any()
    assert result.convergence.status == "converged"
    lost = paths.graph(3, [0], [1])
    apart = relations([(1, 2, 0, 3.0), (1, 2, 0, 4.0), (0, 1, 0, 5.0)], outside=np.array([np.inf, 50.0, np.inf]))
    result = flows.solve(name, lost, delays([1], [1], 10), classes([[2]]), apart, **options)
    assert result.unserved_tonnes_yr.tolist() == [3.0, 0.0, 0.0]
    assert result.outside_tonnes_yr.tolist() == [0.0, 4.0, 0.0]
    assert result.network_tonnes_yr.tolist() == [0.0, 0.0, 5.0]
    for bad in (0.0, -1.0):
        with pytest.raises(ValueError, match="capacity_trains_day"):
            flows.solve(name, lost, delays([1], [1], bad), classes([[2]]), apart, **options)
    with pytest.raises(ValueError, match="wanted at least 0"):
        flows.solve(name, lost, delays([1], [1], 10), classes([[-2]]), apart, **options)


def test_unknown_principle() -> None:
    graph, delay = two_routes()
    with pytest.raises(UnknownName, match="did you mean mincost"):
        flows.solve("mincst", graph, delay, classes([[0, 0]]), relations([(0, 1, 0, 20.0)]))


# --- Stochastic user equilibrium ----------------------------------------------------------------------------------


def test_stochastic_two_routes() -> None:
    """ln(x / y) = (15 + y/2 - 10 - x) / s, elastic demand against the logsum."""
    graph, delay = two_routes()
    kinds, fixed = classes([[0, 0]]), relations([(0, 1, 0, 20.0)])
    result = flows.stochastic_equilibrium(graph, delay, kinds, fixed, scale_usd_t=2.0, gap=1e-12)
    x = brentq(lambda x: 2 * np.log(x / (20 - x)) - 5 - (20 - x) / 2 + x, 1e-9, 20 - 1e-9, xtol=1e-14)
    np.testing.assert_allclose(result.arc_tonnes_yr[0], [x, 20 - x], rtol=1e-10)
    logsum = -2 * np.log(np.exp(-(10 + x) / 2) + np.exp(-(25 - x / 2) / 2))
    assert result.cost_usd_t[0] == pytest.approx(logsum, rel=1e-10)
    elastic = relations([(0, 1, 0, 60.0)], outside=22.0, scale=3.0)
    result = flows.stochastic_equilibrium(graph, delay, kinds, elastic, scale_usd_t=2.0, gap=1e-12)
    share = result.network_tonnes_yr[0] / 60
    assert share == pytest.approx(1 / (1 + np.exp((result.cost_usd_t[0] - 22) / 3)), rel=1e-9)


def test_path_size_of_paths_that_share_an_arc() -> None:
    """0 -> 1 of cost 8 and then two arcs of cost 2, or straight for 10: sizes 0.6, 0.6 and 1."""
    graph = paths.graph(3, [0, 1, 1, 0], [1, 2, 2, 2])
    delay = delays([8, 2, 2, 10], [1, 1, 1, 1], 1e3, 4.0)
    case = graph, delay, classes([[0, 0, 0, 0]], weight=[1e-6]), relations([(0, 2, 0, 1.0)])
    known = flows.assign(graph, replace(delay, capacity_trains_day=np.full(4, 1e-7)), *case[2:], gap=1e-6)
    assert known.path_relation.size == 3
    result = flows.stochastic_equilibrium(*case, scale_usd_t=1.0, start=known)
    np.testing.assert_allclose(result.arc_tonnes_yr[0], np.array([1.2, 0.6, 0.6, 1.0]) / 2.2, rtol=1e-6)
    plain = flows.stochastic_equilibrium(*case, scale_usd_t=1.0, start=known, path_size=False)
    np.testing.assert_allclose(plain.arc_tonnes_yr[0], np.array([2, 1, 1, 1]) / 3, rtol=1e-6)


@many
@given(seeds, st.booleans())
def test_stochastic_shares_are_logit(seed: int, elastic: bool) -> None:
    case = graph, _, kinds, demand = random_case(seed, elastic=elastic)
    scale = np.array([0.5, 1.0, 2.0])
    result = flows.stochastic_equilibrium(*case, scale_usd_t=scale, path_size=False)
    assert flows.conservation_error(graph, result, demand) < 1e-9
    price = kinds.money_usd_t + kinds.value_of_time_usd_t_h[:, None] * result.time_h
    wanted = np.zeros(result.path_tonnes_yr.size)
    for p, r in enumerate(result.path_relation):
        k = demand.class_index[r]
        cost = price[k, result.path_arcs[result.path_first[p] : result.path_first[p + 1]]].sum()
        wanted[p] = result.network_tonnes_yr[r] * np.exp((result.cost_usd_t[r] - cost) / scale[k])
    np.testing.assert_allclose(result.path_tonnes_yr, wanted, atol=1e-6 * max(demand.tonnes_yr.sum(), 1))
    if not elastic:
        assert np.isfinite(result.potential)


def test_stochastic_nears_the_user_equilibrium() -> None:
    case = random_case(4, elastic=False)
    user = flows.assign(*case, gap=1e-10)
    result = flows.stochastic_equilibrium(*case, scale_usd_t=1e-3, gap=1e-7, start=user)
    np.testing.assert_allclose(result.cost_usd_t, user.cost_usd_t, atol=0.02)
    with pytest.raises(ValueError, match="scale_usd_t"):
        flows.stochastic_equilibrium(*case, scale_usd_t=0.0)


# --- Minimum cost -------------------------------------------------------------------------------------------------


def test_minimum_cost_fills_the_cheap_route_first() -> None:
    """20 tonnes, room for 8 at 10 hours and 7 at 15; outside for 40: prices 30 and 25."""
    graph = paths.graph(2, [0, 0], [1, 1])
    delay = delays([10, 15], [0, 0], [9, 7], 1, preload=[1, 0])
    case = graph, delay, classes([[0, 0]]), relations([(0, 1, 0, 20.0)], outside=40.0)
    result = flows.minimum_cost(*case)
    np.testing.assert_allclose(result.arc_tonnes_yr[0], [8, 7], rtol=1e-9)
    assert result.outside_tonnes_yr[0] == pytest.approx(5)
    np.testing.assert_allclose(result.train_value_usd_yr, [30, 25], rtol=1e-9)
    assert result.potential == pytest.approx(8 * 10 + 7 * 15 + 5 * 40)
    assert result.lower_bound == pytest.approx(result.potential)
    unmet = flows.minimum_cost(*case[:3], relations([(0, 1, 0, 20.0)]), unmet_usd_t=100.0)
    assert unmet.unserved_tonnes_yr[0] == pytest.approx(5)
    assert unmet.outside_tonnes_yr[0] == 0.0
    np.testing.assert_allclose(unmet.train_value_usd_yr, [90, 85], rtol=1e-9)
    free = flows.minimum_cost(*case, hard=np.zeros(2, bool))
    np.testing.assert_allclose(free.arc_tonnes_yr[0], [20, 0])
    with pytest.raises(NotConverged) as caught:
        flows.minimum_cost(*case, max_iterations=0)
    assert isinstance(caught.value.record, flows.Convergence)


def arc_program(case: Case, outside: float) -> float:
    """The same minimum by another formulation (flows of each relation on arcs) and another program (scipy)."""
    graph, delay, kinds, demand = case
    m, count, n = graph.tail.size, demand.tonnes_yr.size, graph.node_count
    start_h = flows.delays_h(delay, np.zeros(delay.delay_h.size))
    time_h = delay.time_h + np.append(start_h, 0.0)[delay.facility]
    size = count * (m + 1)
    cost, upper = np.zeros(size), np.full(size, np.inf)
    balance, need = np.zeros((count * n, size)), np.zeros(count * n)
    load = np.zeros((delay.delay_h.size, size))
    for r in range(count):
        k = demand.class_index[r]
        price = kinds.money_usd_t[k] + kinds.value_of_time_usd_t_h[k] * time_h
        columns = r * (m + 1) + np.arange(m)
        cost[columns] = np.where(np.isfinite(price), price, 0.0)
        upper[columns[np.isinf(price)]] = 0.0
        balance[r * n + graph.tail, columns] += 1
        balance[r * n + graph.head, columns] -= 1
        stays = r * (m + 1) + m
        cost[stays] = outside if np.isinf(demand.outside_usd_t[r]) else demand.outside_usd_t[r]
        o, d = demand.origin[r], demand.destination[r]
        if o != d:
            balance[r * n + o, stays] += 1
            balance[r * n + d, stays] -= 1
            need[r * n + o], need[r * n + d] = demand.tonnes_yr[r], -demand.tonnes_yr[r]
        used = delay.facility >= 0
        factor = kinds.weight_trains_day_per_t_yr[k] / delay.train_length_factor[delay.facility[used]]
        load[delay.facility[used], columns[used]] = factor
    room = np.maximum(delay.capacity_trains_day - delay.preload_trains_day, 0)
    found = linprog(cost, load, room, balance, need, np.stack([np.zeros(size), upper], axis=1), method="highs")
    assert found.status == 0
    return float(found.fun)


@many
@given(seeds)
def test_minimum_cost_agrees_with_arcs(seed: int) -> None:
    graph, delay, kinds, demand = random_case(seed, elastic=True)
    case = graph, replace(delay, capacity_trains_day=delay.capacity_trains_day / 2), kinds, demand
    result = flows.minimum_cost(*case, unmet_usd_t=200.0)
    assert flows.conservation_error(graph, result, demand) < 1e-9
    assert result.convergence.capacity_violation < 1e-7
    assert result.potential == pytest.approx(arc_program(case, 200.0), rel=1e-7, abs=1e-6)
    assert result.lower_bound <= result.potential + 1e-7 * abs(result.potential)
    used = np.where(result.arc_tonnes_yr > 0, kinds.money_usd_t, 0.0)
    price = used + kinds.value_of_time_usd_t_h[:, None] * result.time_h
    spent = (price * result.arc_tonnes_yr).sum() + 200.0 * result.unserved_tonnes_yr.sum()
    kept_out = np.where(np.isfinite(demand.outside_usd_t), demand.outside_usd_t, 0.0) @ result.outside_tonnes_yr
    assert spent + kept_out == pytest.approx(result.potential, rel=1e-7, abs=1e-6)


@settings(many, max_examples=12)
@given(seeds)
def test_prices_are_finite_differences(seed: int) -> None:
    """The cost falls convexly with capacity: each price lies between the slopes of the two sides.

    At the dearest facility, at the next dearest, and at one of those that are free.
    """
    graph, delay, kinds, demand = random_case(seed, elastic=True)
    delay = replace(delay, capacity_trains_day=delay.preload_trains_day + delay.capacity_trains_day / 4)
    result = flows.minimum_cost(graph, delay, kinds, demand, unmet_usd_t=200.0, gap=1e-10)
    dearest = np.argsort(-result.train_value_usd_yr, kind="stable")
    step = 1e-3
    for f in dict.fromkeys(dearest[[0, 1, -1]].tolist()):
        costs = []
        for change in (-step, step):
            capacity = delay.capacity_trains_day.copy()
            capacity[f] += change
            # The delay of the preload is to stay what it was.
            delay_h = delay.delay_h.copy()
            delay_h[f] *= (capacity[f] / delay.capacity_trains_day[f]) ** delay.power[f]
            other = replace(delay, capacity_trains_day=capacity, delay_h=delay_h)
            costs.append(flows.minimum_cost(graph, other, kinds, demand, unmet_usd_t=200.0, gap=1e-10).potential)
        less, more = (costs[0] - result.potential) / step, (result.potential - costs[1]) / step
        slack = 1e-5 * max(abs(result.potential), 1.0)
        assert more - slack <= result.train_value_usd_yr[f] <= less + slack
        assert costs[1] <= result.potential + 1e-9 * abs(result.potential) + 1e-9  # more room never costs


def test_highs_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    graph, delay = two_routes()
    with pytest.raises(LandbridgeError, match="install highspy"):
        flows.minimum_cost(graph, delay, classes([[0, 0]]), relations([(0, 1, 0, 20.0)]))


# --- Hard capacities with queues ----------------------------------------------------------------------------------


def test_two_routes_and_a_queue() -> None:
    """Hours 10 + x and 15 + y/2, room for 8 on the first: y = 7 takes 18.5 hours, so half an hour is queued."""
    graph = paths.graph(2, [0, 0], [1, 1])
    delay = delays([10, 15], [8, 50], [8, 100], 1)
    case = graph, delay, classes([[0, 0]]), relations([(0, 1, 0, 15.0)])
    result = flows.capacitated_equilibrium(*case, gap=1e-10, tolerance=1e-9)
    np.testing.assert_allclose(result.arc_tonnes_yr[0], [8, 7], rtol=1e-7)
    np.testing.assert_allclose(result.queue_h, [0.5, 0], atol=1e-6)
    np.testing.assert_allclose(result.time_h, [18.5, 18.5], rtol=1e-7)
    assert result.convergence.capacity_violation <= 1e-9
    assert result.convergence.complementarity <= 1e-9
    assert result.lower_bound == pytest.approx(result.potential, rel=1e-7)
    full = relations([(0, 1, 0, 120.0)])
    with pytest.raises(NotConverged, match="longest queue"):
        flows.capacitated_equilibrium(*case[:3], full, max_rounds=20)
    unmet = flows.capacitated_equilibrium(*case[:3], full, unmet_usd_t=80.0)
    assert unmet.unserved_tonnes_yr[0] == pytest.approx(12.0, rel=1e-6)
    np.testing.assert_allclose(unmet.queue_h, [80 - 18, 80 - 65], rtol=1e-5)
    with pytest.raises(ValueError, match="start"):
        flows.capacitated_equilibrium(*case[:3], full, unmet_usd_t=80.0, start=unmet)


@many
@given(seeds, st.booleans())
def test_queues_are_multipliers(seed: int, elastic: bool) -> None:
    case = graph, delay, kinds, demand = random_case(seed, elastic=elastic)
    result = flows.capacitated_equilibrium(*case, gap=1e-9, unmet_usd_t=100.0)
    assert flows.conservation_error(graph, result, demand) < 1e-9
    room = delay.capacity_trains_day - delay.preload_trains_day
    assert np.all(result.facility_trains_day <= room + 1e-6 * delay.capacity_trains_day)
    assert np.all(result.queue_h >= 0)
    assert result.convergence.complementarity <= 1e-7
    # With the queues as a fixed toll in hours, the flows are an ordinary equilibrium.
    price = kinds.money_usd_t + kinds.value_of_time_usd_t_h[:, None] * result.time_h
    for p, r in enumerate(result.path_relation):
        cost = price[demand.class_index[r], result.path_arcs[result.path_first[p] : result.path_first[p + 1]]].sum()
        excess = (cost - result.cost_usd_t[r]) * result.path_tonnes_yr[p]
        assert excess <= 1e-6 * max(demand.tonnes_yr @ np.where(np.isfinite(result.cost_usd_t), 100.0, 0.0), 1.0)


# --- Curves -------------------------------------------------------------------------------------------------------

CURVES: dict[str, flows.Curve] = {
    "conical": flows.Conical(delay_h=2.0, alpha=4.0),
    "queueing": flows.Queueing(service_h=0.5, variation=0.8, most=0.9),
    "tabulated": flows.Tabulated(ratio=(0.1, 0.4, 0.7, 1.0, 1.5), delay_h=(0.2, 0.2, 1.0, 1.2, 6.0)),
}


@pytest.mark.parametrize("name", CURVES)
def test_curves_never_fall_and_integrate(name: str) -> None:
    from landbridge.model.flows.curves import areas_h, rises_h

    def one(volume: float) -> tuple[float, float, float]:
        row = np.array([volume])
        return flows.delays_h(delay, row)[0], rises_h(delay, row)[0], areas_h(delay, row)[0]

    delay = replace(delays([1], [0], 10, preload=[1]), curves={0: CURVES[name]})
    volumes = np.linspace(0, 25, 101)
    hours = np.array([one(v)[0] for v in volumes])
    assert np.all(np.diff(hours) >= 0)
    for volume in (0.0, 2.5, 5.9, 7.0, 8.5, 11.0, 20.0):
        value, rise, area = one(volume)
        step = 1e-6
        assert (one(volume + step)[0] - value) / step == pytest.approx(rise, rel=1e-4, abs=1e-5)
        assert area == pytest.approx(quad(lambda v: one(v)[0], 0, volume, epsabs=1e-12, limit=200)[0], rel=1e-8)


def test_curves_by_hand() -> None:
    at = {name: replace(delays([1], [0], 10), curves={0: curve}) for name, curve in CURVES.items()}
    assert flows.delays_h(at["conical"], np.array([0.0]))[0] == pytest.approx(0.0, abs=1e-14)
    assert flows.delays_h(at["conical"], np.array([10.0]))[0] == pytest.approx(2.0)
    assert flows.delays_h(at["queueing"], np.array([5.0]))[0] == pytest.approx(0.4)
    assert flows.delays_h(at["queueing"], np.array([10.0]))[0] == pytest.approx(0.4 * (9 + 100 * 0.1))
    assert flows.delays_h(at["tabulated"], np.array([7.0]))[0] == pytest.approx(1.0)
    bpr = flows.bpr(
        free_h=np.array([3.0]), alpha=np.array([0.15]), beta=np.array([4.0]), capacity_trains_day=np.array([5.0])
    )
    assert (bpr.time_h + flows.delays_h(bpr, np.array([10.0])))[0] == pytest.approx(3 * (1 + 0.15 * 16))


@many
@given(seeds, st.sampled_from(["ue", "so", "cue", "sue"]))
def test_principles_on_all_curves(seed: int, name: str) -> None:
    graph, delay, kinds, demand = random_case(seed, elastic=True)
    rng = np.random.default_rng(seed)
    mixed = {f: list(CURVES.values())[i] for f, i in enumerate(rng.integers(0, 4, delay.delay_h.size)) if i < 3}
    delay = replace(delay, curves=mixed)
    options: dict[str, Any] = {"sue": {"scale_usd_t": 1.0}, "cue": {"unmet_usd_t": 100.0}}.get(name, {})
    result = flows.solve(name, graph, delay, kinds, demand, **options)
    assert flows.conservation_error(graph, result, demand) < 1e-9
    if name == "ue":
        assert result.lower_bound <= result.potential


def test_curve_faults_are_told() -> None:
    graph, delay = two_routes()
    bad = {
        0: flows.Conical(delay_h=1.0, alpha=1.0),
        1: flows.Queueing(service_h=-1.0, variation=1.0, most=1.0),
        2: flows.Tabulated(ratio=(0.0, 1.0), delay_h=(2.0, 1.0)),
    }
    with pytest.raises(ValueError, match="do not fit") as caught:
        flows.assign(graph, replace(delay, curves=bad), classes([[0, 0]]), relations([(0, 1, 0, 1.0)]))
    for part in ("curves[0].alpha", "curves[1].service_h", "curves[1].most", "curves[2]: wanted", "never fall"):
        assert part in str(caught.value)


# --- Explaining ---------------------------------------------------------------------------------------------------


def test_select_skim_and_shares() -> None:
    case = graph, _, _, demand = random_case(11, elastic=True)
    result = flows.assign(*case, gap=1e-9)
    m = graph.tail.size
    for arc in range(m):
        mask = np.arange(m) == arc
        chosen = flows.select(result, demand, mask)
        np.testing.assert_allclose(chosen.arc_tonnes_yr[:, arc], result.arc_tonnes_yr[:, arc], atol=1e-12)
        np.testing.assert_allclose(chosen.relation_tonnes_yr, flows.select_arcs(result, mask))
        assert np.all(chosen.arc_tonnes_yr <= result.arc_tonnes_yr + 1e-12)
    first, second = (np.isin(np.arange(m), some) for some in (range(m // 2), range(m // 2, m)))
    both = flows.select(result, demand, first, second)
    assert np.all(both.relation_tonnes_yr <= flows.select_arcs(result, first) + 1e-12)
    table = flows.shares(result, [first, second, first | second])
    used = (result.network_tonnes_yr > 0) & (demand.origin != demand.destination)
    np.testing.assert_allclose(table[used, 2], 1.0)
    assert np.isnan(table[result.network_tonnes_yr == 0]).all()
    np.testing.assert_allclose(
        table[used, 0] + table[used, 1] - both.relation_tonnes_yr[used] / result.network_tonnes_yr[used], 1.0
    )
    hours = flows.skim(result, result.time_h)
    assert np.all(hours.least[used] <= hours.average[used] + 1e-12)
    assert np.nansum(hours.average * result.network_tonnes_yr) == pytest.approx(
        (result.arc_tonnes_yr @ result.time_h).sum()
    )


def test_interval_of_a_share() -> None:
    """Volumes 10 and 10 are settled; which 10 of class 0's 12 and class 1's 8 tonnes take the first arc is not."""
    graph, delay = two_routes()
    case = graph, delay, classes([[0, 0], [0, 0]], [1, 1], [1, 1]), relations([(0, 1, 0, 12.0), (0, 1, 1, 8.0)])
    result = flows.assign(*case, gap=1e-12)
    arcs = np.array([True, False])
    whole = flows.share_interval(*case, result, arcs, more_paths=2)
    np.testing.assert_allclose(whole, 0.5, atol=1e-7)
    mine = flows.share_interval(*case, result, arcs, among=np.array([True, False]), more_paths=2)
    assert mine.least == pytest.approx(2 / 12, abs=1e-7)
    assert mine.most == pytest.approx(10 / 12, abs=1e-7)
    assert mine.least <= mine.actual <= mine.most
    stochastic = flows.stochastic_equilibrium(*case, scale_usd_t=1.0)
    with pytest.raises(ValueError, match="stochastic"):
        flows.share_interval(*case, stochastic, arcs)


def test_interval_of_those_who_could_take_another_way() -> None:
    r"""What one relation shows to be as cheap another could use as well.

        0 ---\          a: 2 -> 3, b: 2 -> 3, both 1 + v / 10 hours
              2 == 3
        1 ---/          0 and 1 send 10 tonnes each over free arcs to 2

    Ten tonnes on each of a and b are settled. Kept are: all of 0 on a, of 1 on b with a trickle on a; so 0's share of a
    lies between nothing and all, though 0 itself knows but one path.
    """
    graph = paths.graph(4, [0, 1, 2, 2], [2, 2, 3, 3])
    facility = np.array([-1, -1, 0, 1], np.int32)
    one = np.ones(2)
    delay = flows.VolumeDelay(facility, np.array([0.0, 0.0, 1.0, 1.0]), one, one, 10 * one, 0 * one, one)
    case = graph, delay, classes([[0, 0, 0, 0]]), relations([(0, 3, 0, 10.0), (1, 3, 0, 10.0)])
    solved = flows.assign(*case, gap=1e-12)
    kept = replace(
        solved,
        path_first=np.array([0, 2, 4, 6], np.int32),
        path_arcs=np.array([0, 2, 1, 3, 1, 2], np.int32),
        path_relation=np.array([0, 1, 1], np.int32),
        path_tonnes_yr=np.array([10.0 - 1e-6, 10.0 - 1e-6, 1e-6]),
        network_tonnes_yr=np.array([10.0 - 1e-6, 10.0]),
    )
    found = flows.alternatives(*case, kept)
    assert sorted(zip(found.relation.tolist(), found.path.tolist(), strict=True)) == [(0, -1), (0, 0), (1, 1), (1, 2)]
    over_a = np.arange(4) == 2
    mine = flows.share_interval(*case, kept, over_a, among=np.array([True, False]))
    np.testing.assert_allclose(mine, (0.0, 1.0, 1.0), atol=1e-6)
    np.testing.assert_allclose(flows.share_interval(*case, kept, over_a), 0.5, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_alternatives_are_as_cheap_and_as_full(seed: int) -> None:
    """Every alternative costs its class no more than the least, and those that nobody uses join the relation's ends."""
    case = graph, _, kinds, demand = random_case(seed, elastic=False)
    result = flows.assign(*case, gap=1e-10)
    found = flows.alternatives(*case, result)
    cost = kinds.money_usd_t + kinds.value_of_time_usd_t_h[:, None] * result.time_h
    for i, r in enumerate(found.relation.tolist()):
        arcs = found.arcs[found.first[i] : found.first[i + 1]]
        assert (graph.head[arcs[:-1]] == graph.tail[arcs[1:]]).all()
        assert (graph.tail[arcs[0]], graph.head[arcs[-1]]) == (demand.origin[r], demand.destination[r])
        if found.tonnes_yr[i] > 1e-3 * demand.tonnes_yr[r] or found.path[i] < 0:
            price = cost[demand.class_index[r], arcs].sum()
            assert price <= result.cost_usd_t[r] * (1 + 1e-4) + 1e-9
    tonnes = np.bincount(found.relation, found.tonnes_yr, demand.tonnes_yr.size)
    has_choice = np.unique(found.relation)
    np.testing.assert_allclose(tonnes[has_choice], result.network_tonnes_yr[has_choice])
    whole = [np.ones(found.relation.size, np.bool_), found.tonnes_yr > 0]
    for less, more in flows.extremes(found, whole):
        assert less <= 0 <= more
    assert flows.extremes(found, whole[:1]) == [(0.0, 0.0)]


def test_interval_under_hard_capacities() -> None:
    """Two equal routes with room for 8 each and 10 tonnes: the first takes 2 to 8."""
    graph = paths.graph(2, [0, 0], [1, 1])
    case = graph, delays([1, 1], [0, 0], 8), classes([[0, 0]]), relations([(0, 1, 0, 10.0)])
    result = flows.minimum_cost(*case)
    found = flows.share_interval(*case, result, np.array([True, False]), more_paths=1)
    assert found.least == pytest.approx(0.2, abs=1e-7)
    assert found.most == pytest.approx(0.8, abs=1e-7)


@pytest.mark.shared
def test_sioux_falls_system_optimum(sioux_falls: Case) -> None:
    best = flows.system_optimum(*sioux_falls, gap=1e-10)
    assert best.potential == pytest.approx(7_194_256.05, abs=0.01)
    user = flows.assign(*sioux_falls, gap=1e-10)
    assert user.lower_bound == pytest.approx(4_231_335.28711, rel=1e-9)
