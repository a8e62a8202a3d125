"""Routes on random and drawn networks."""

from __future__ import annotations

import itertools
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.model import routes
from landbridge.model.network import ArcKind, Network
from small_supply import bare

COSTS = st.sampled_from([0.0, 1.0, 1.5, 2.0, 4.0, 7.0, float("inf")])


@st.composite
def networks(draw: st.DrawFn) -> tuple[Network, np.ndarray]:
    """Up to seven places, with parallel, free and forbidden arcs."""
    count = draw(st.integers(3, 7))
    node = st.integers(0, count - 1)
    arcs = draw(st.lists(st.tuples(node, node, COSTS), min_size=1, max_size=25))
    return bare(count, [(a, b) for a, b, _ in arcs]), np.array([c for _, _, c in arcs], np.float64)


def cost_of(net: Network, cost: np.ndarray, start: int, end: int, via: tuple[int, ...] = ()) -> float:
    found = routes.best(net, cost, start, end, via=via)
    return float("inf") if found is None else float(cost[found].sum())


def check(net: Network, arcs: np.ndarray, start: int, end: int) -> None:
    """A route is a chain from start to end."""
    nodes = [start, *net.head[arcs].tolist()]
    assert net.tail[arcs].tolist() == nodes[:-1]
    assert nodes[-1] == end


@given(networks())
@settings(deadline=None)
def test_the_best_route_costs_what_another_program_finds(case: tuple[Network, np.ndarray]) -> None:
    net, cost = case
    other = nx.MultiDiGraph()
    other.add_nodes_from(range(net.node_count))
    other.add_weighted_edges_from(
        (t, h, c) for t, h, c in zip(net.tail.tolist(), net.head.tolist(), cost.tolist(), strict=True) if np.isfinite(c)
    )
    for start in range(net.node_count):
        wanted = nx.single_source_dijkstra_path_length(other, start)
        for end in range(net.node_count):
            found = routes.best(net, cost, start, end)
            if end not in wanted:
                assert found is None
            else:
                assert found is not None
                check(net, found, start, end)
                assert cost[found].sum() == pytest.approx(wanted[end])


@given(networks())
@settings(deadline=None)
def test_a_detour_is_never_cheaper(case: tuple[Network, np.ndarray]) -> None:
    net, cost = case
    start, middle, end = 0, 1, 2
    through = cost_of(net, cost, start, middle) + cost_of(net, cost, middle, end)
    assert cost_of(net, cost, start, end) <= through + 1e-9
    assert cost_of(net, cost, start, end, via=(middle,)) == pytest.approx(through)


@given(networks(), st.lists(st.integers(0, 2), max_size=3))
@settings(deadline=None)
def test_places_are_passed_in_order(case: tuple[Network, np.ndarray], via: list[int]) -> None:
    net, cost = case
    found = routes.best(net, cost, 0, 1, via=via)
    stops = [0, *via, 1]
    legs = [cost_of(net, cost, a, b) for a, b in itertools.pairwise(stops)]
    if found is None:
        assert np.isinf(sum(legs))
        return
    assert cost[found].sum() == pytest.approx(sum(legs))
    check(net, found, 0, 1)
    passed = iter([0, *net.head[found].tolist()])
    wanted = [place for place, _ in itertools.groupby([0, *via])]
    assert all(any(node == stop for node in passed) for stop in wanted)


def test_a_place_is_passed_in_any_of_its_states() -> None:
    """Nodes 1 and 2 are one place: the route may pass it in either, but does not change state for nothing."""
    net = bare(5, [(0, 1), (1, 3), (0, 2), (2, 3), (3, 4)], node_place=[0, 1, 1, 2, 3])
    cost = np.array([1.0, 9.0, 5.0, 1.0, 1.0])
    found = routes.best(net, cost, 0, 4, via=[1])
    assert found is not None
    assert found.tolist() == [2, 3, 4]


def test_a_forbidden_arc_is_avoided_and_without_another_there_is_no_route() -> None:
    net = bare(3, [(0, 1), (1, 2), (0, 2)])
    free = np.array([1.0, 1.0, 5.0])
    assert routes.best(net, free, 0, 2).tolist() == [0, 1]  # type: ignore[union-attr]
    free[1] = np.inf
    assert routes.best(net, free, 0, 2).tolist() == [2]  # type: ignore[union-attr]
    free[2] = np.inf
    assert routes.best(net, free, 0, 2) is None
    assert routes.alternatives(net, free, 0, 2, 3) == []


@given(networks(), st.integers(1, 4))
@settings(deadline=None)
def test_alternatives_differ_and_the_cheapest_comes_first(case: tuple[Network, np.ndarray], count: int) -> None:
    net, cost = case
    found = routes.alternatives(net, cost, 0, 1, count)
    assert len(found) <= count
    totals = [float(cost[arcs].sum()) for arcs in found]
    assert totals == sorted(totals)
    assert len({tuple(arcs.tolist()) for arcs in found}) == len(found)
    if found:
        assert totals[0] == pytest.approx(cost_of(net, cost, 0, 1))
    else:
        assert routes.best(net, cost, 0, 1) is None
    for arcs in found:
        check(net, arcs, 0, 1)
        assert np.isfinite(cost[arcs]).all()


def test_three_roads_are_three_alternatives_and_a_shared_trunk_is_none() -> None:
    """Three ways of 100 km; the last two share a trunk of 95 km and count as one."""
    net = bare(
        5,
        [(0, 4), (0, 1), (1, 4), (0, 2), (2, 3), (2, 3), (3, 4)],
        length_km=[100.0, 50.0, 50.0, 95.0, 2.0, 2.0, 3.0],
    )
    cost = np.array([10.0, 6.0, 5.0, 11.0, 0.5, 0.6, 0.5])
    found = routes.alternatives(net, cost, 0, 4, 5)
    assert [arcs.tolist() for arcs in found] == [[0], [1, 2], [3, 4, 6]]


def test_alternatives_are_ordered_by_cost_and_not_by_when_they_were_found() -> None:
    """The way that shares arc 0 with the best is dearer while that is penalised, but cheaper than the lone way."""
    net = bare(3, [(0, 1), (1, 2), (1, 2), (0, 2)])
    found = routes.alternatives(net, np.array([5.0, 5.0, 5.9, 11.5]), 0, 2, 3)
    assert [arcs.tolist() for arcs in found] == [[0, 1], [0, 2], [3]]


def test_a_route_adds_up_its_parts() -> None:
    kinds = [ArcKind.ACCESS, ArcKind.MOVE, ArcKind.BORDER, ArcKind.GAUGE, ArcKind.MOVE, ArcKind.ACCESS]
    net = bare(
        7,
        [(i, i + 1) for i in range(6)],
        kind=[int(k) for k in kinds],
        length_km=[0, 100, 0, 0, 50, 0],
        spread_h=[3.0, 4.0, 0, 0, 0, 0],
        co2_g_t=[0, 2000, 0, 0, 1000, 0],
    )
    time = np.array([12.0, 2.0, 6.0, 8.0, 1.0, 10.0])
    found = routes.measure(net, np.arange(6, dtype=np.int32), np.full(6, 5.0), np.full(6, 2.0), time, net.co2_g_t)
    assert (found.cost_usd_t, found.money_usd_t) == (30.0, 12.0)
    assert (found.time_h, found.transit_h) == (39.0, 17.0)
    assert found.spread_h == pytest.approx(5.0)
    assert (found.length_km, found.co2_kg_t) == (150.0, 3.0)
    assert (found.borders, found.gauge_changes) == (1, 1)


# --------------------------------------------------------------------------------------- limits and the efficient set


@given(networks(), st.integers(0, 4), st.lists(st.integers(0, 2), max_size=1))
@settings(deadline=None)
def test_limits_hold_and_cost_nothing_where_they_do_not_bind(
    case: tuple[Network, np.ndarray], most: int, via: list[int]
) -> None:
    net, cost = case
    limits = routes.Limits(np.ones((1, net.arc_count)), np.array([float(most)]))
    found = routes.best(net, cost, 0, 1, via=via, limits=limits)
    free = routes.best(net, cost, 0, 1, via=via)
    if found is not None:
        assert len(found) <= most
        assert free is not None
        assert cost[found].sum() >= cost[free].sum() - 1e-9
        check(net, found, 0, 1)
    if free is not None and len(free) <= most:
        assert found is not None
        assert cost[found].sum() == pytest.approx(cost[free].sum())
    for arcs in routes.alternatives(net, cost, 0, 1, 3, via=via, limits=limits):
        assert len(arcs) <= most


@given(networks(), st.lists(st.integers(0, 2), max_size=2))
@settings(deadline=None)
def test_the_efficient_set_holds_the_best_by_each_criterion(case: tuple[Network, np.ndarray], via: list[int]) -> None:
    net, cost = case
    other = np.where(np.isfinite(cost), 7.0 - np.minimum(cost, 7.0), np.inf)
    front = routes.efficient(net, np.stack([cost, other]), 0, 1, via=via)
    for k, values in enumerate((cost, other)):
        found = routes.best(net, values, 0, 1, via=via)
        assert (found is None) == (not front.paths)
        if found is not None:
            assert front.values[:, k].min() == pytest.approx(values[found].sum())
    for arcs in front.paths:
        check(net, arcs, 0, 1)
    kept = routes.thin(net, front, 3)
    assert kept == sorted(set(kept))
    assert len(kept) <= 3
    if front.paths:
        assert {int(front.values[:, k].argmin()) for k in range(2)} <= set(kept)


def test_thinning_keeps_extremes_and_then_what_differs_most() -> None:
    """Five ways: the fastest, the cheapest, one like the fastest for 90 of 100 km, one half like it, one of its own.

    Nodes 0 -> 1 (90 km) -> 5 and 0 -> 2 (50 km) -> 5 start from arcs 0 and 1; the others are single arcs.
    """
    net = bare(
        6,
        [(0, 1), (1, 5), (1, 5), (0, 5), (0, 5), (1, 2), (2, 5)],
        length_km=[50.0, 50.0, 50.0, 100.0, 100.0, 40.0, 10.0],
    )
    time = np.array([1.0, 1.0, 3.0, 9.0, 5.0, 0.9, 0.3])
    cost = np.array([5.0, 5.0, 2.0, 1.0, 4.0, 3.0, 1.5])
    front = routes.efficient(net, np.stack([time, cost]), 0, 5)
    ways = [arcs.tolist() for arcs in front.paths]
    assert ways == [[0, 1], [0, 5, 6], [0, 2], [4], [3]]
    assert [ways[i] for i in routes.thin(net, front, 1)] == [[0, 1]]
    assert [ways[i] for i in routes.thin(net, front, 2)] == [[0, 1], [3]]
    assert [ways[i] for i in routes.thin(net, front, 3)] == [[0, 1], [4], [3]]
    assert len(routes.thin(net, front, 9)) == 5


def test_near_copies_are_left_out_of_the_choice() -> None:
    """The middle way runs with the fastest for 95 of 100 km."""
    net = bare(3, [(0, 1), (1, 2), (1, 2), (0, 2)], length_km=[95.0, 5.0, 5.0, 100.0])
    front = routes.efficient(net, np.array([[1.0, 1.0, 2.0, 9.0], [5.0, 5.0, 4.0, 1.0]]), 0, 2)
    assert len(front.paths) == 3
    assert routes.thin(net, front, 3) == [0, 2]


def test_a_limit_is_no_criterion() -> None:
    """Both ways keep within two arcs; the single arc is slower and dearer and stays out."""
    net = bare(3, [(0, 1), (1, 2), (0, 2)])
    values = np.array([[1.0, 1.0, 3.0], [1.0, 1.0, 3.0]])
    limits = routes.Limits(np.ones((1, 3)), np.array([2.0]))
    front = routes.efficient(net, values, 0, 2, limits=limits)
    assert [arcs.tolist() for arcs in front.paths] == [[0, 1]]
    tight = routes.efficient(net, values, 0, 2, limits=routes.Limits(np.ones((1, 3)), np.array([1.0])))
    assert [arcs.tolist() for arcs in tight.paths] == [[2]]


def test_criteria_are_what_routes_are_measured_by() -> None:
    kinds = [ArcKind.ACCESS, ArcKind.MOVE, ArcKind.BORDER, ArcKind.GAUGE, ArcKind.MOVE]
    net = bare(6, [(i, i + 1) for i in range(5)], kind=[int(k) for k in kinds], co2_g_t=[0, 2000, 0, 0, 500])
    given_criteria = routes.criteria(net, np.full(5, 2.0), np.full(5, 3.0), net.co2_g_t)
    assert tuple(given_criteria) == routes.CRITERIA
    sums = {name: float(values.sum()) for name, values in given_criteria.items()}
    assert sums == {"time": 15, "cost": 10, "co2": 2.5, "borders": 1, "gauge_changes": 1, "risk": 0}


@given(networks())
@settings(deadline=None)
def test_what_can_be_reached_both_ways(case: tuple[Network, np.ndarray]) -> None:
    net, cost = case
    usable = np.isfinite(cost)
    there = routes.reach(net, usable, 0)
    for node in range(net.node_count):
        assert there[node] == np.isfinite(cost_of(net, cost, 0, node))
        assert routes.reach(net, usable, node, backward=True)[0] == there[node]


@given(networks())
@settings(deadline=None, max_examples=30)
def test_against_the_arcs_the_answer_is_the_same_backwards(case: tuple[Network, np.ndarray]) -> None:
    net, cost = case
    turned = replace(net, tail=net.head, head=net.tail)
    values = np.stack([cost, np.where(np.isfinite(cost), np.arange(len(cost)) % 3, np.inf)])
    for start, end in itertools.permutations(range(net.node_count), 2):
        assert cost_of(net, cost, start, end) == cost_of(turned, cost, end, start)
        there = routes.efficient(net, values, start, end)
        back = routes.efficient(turned, values, end, start)
        np.testing.assert_array_equal(there.values, back.values)
        for arcs in back.paths:
            check(net, arcs[::-1], start, end)


@given(networks(), st.integers(1, 6))
@settings(deadline=None)
def test_ranked_routes_are_the_cheapest_simple_ones(case: tuple[Network, np.ndarray], count: int) -> None:
    net, cost = case
    found = routes.ranked(net, cost, 0, 1, count)
    best = routes.best(net, cost, 0, 1)
    assert bool(found) == (best is not None)
    prices = [float(cost[arcs].sum()) for arcs in found]
    assert prices == sorted(prices)
    if best is not None:
        assert prices[0] == pytest.approx(cost[best].sum())
    for arcs in found:
        check(net, arcs, 0, 1)
        assert len(set(net.head[arcs].tolist())) == len(arcs)
    with pytest.raises(ValueError, match="ranked without limits"):
        routes.ranked(net, cost, 0, 1, 2, limits=routes.Limits(cost[None], np.array([1.0])))
