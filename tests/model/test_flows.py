from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

from landbridge.errors import NotConverged
from landbridge.model import flows, paths

Case = tuple[paths.Graph, flows.VolumeDelay, flows.Classes, flows.Relations]


def delays(
    time_h: Any, delay_h: Any, capacity: Any, power: float = 1.0, facility: Any = None, **more: Any
) -> flows.VolumeDelay:
    """Delays with a facility of its own for each arc, unless told otherwise."""
    f = len(delay_h)
    return flows.VolumeDelay(
        facility=np.arange(f, dtype=np.int32) if facility is None else np.array(facility, np.int32),
        time_h=np.array(time_h, np.float64),
        delay_h=np.array(delay_h, np.float64),
        power=np.full(f, float(power)),
        capacity_trains_day=np.array(capacity, np.float64) * np.ones(f),
        preload_trains_day=np.array(more.get("preload", np.zeros(f)), np.float64),
        train_length_factor=np.array(more.get("factor", np.ones(f)), np.float64),
    )


def classes(money: Any, vot: Any = (1.0,), weight: Any = (1.0,)) -> flows.Classes:
    return flows.Classes(
        tuple(f"class {k}" for k in range(len(vot))),
        np.array(vot, np.float64),
        np.array(weight, np.float64),
        np.array(money, np.float64),
    )


def relations(rows: list[tuple[int, int, int, float]], outside: Any = np.inf, scale: Any = 1.0) -> flows.Relations:
    """From rows of origin, destination, class, tonnes."""
    count = len(rows)
    table = np.array(rows, np.float64).reshape(count, 4)
    return flows.Relations(
        table[:, 0].astype(np.int32),
        table[:, 1].astype(np.int32),
        table[:, 2].astype(np.int32),
        table[:, 3].copy(),
        np.full(count, 1.0) * outside,
        np.full(count, 1.0) * scale,
    )


def two_routes() -> tuple[paths.Graph, flows.VolumeDelay]:
    """Two arcs from 0 to 1: hours 10 + v and 15 + v/2."""
    return paths.graph(2, [0, 0], [1, 1]), delays([10, 15], [1, 1], [1, 2])


def random_case(seed: int, *, elastic: bool, power: float = 4.0) -> Case:
    """A ring with chords, both ways, with parallel and free arcs, shared tracks, forbidden arcs, three classes."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 12))
    ends = [(i, (i + 1) % n) for i in range(n)] + [tuple(rng.choice(n, 2, replace=False)) for _ in range(n)]
    ends.append(ends[0])  # parallel
    tail = np.array([a for a, _ in ends] + [b for _, b in ends])
    head = np.array([b for _, b in ends] + [a for a, _ in ends])
    m = tail.size
    facility = np.arange(m)
    half = m // 2
    single = rng.random(half) < 0.4  # both directions share one track
    facility[half:][single] = facility[:half][single]
    facility[rng.random(m) < 0.2] = -1
    used = np.unique(facility[facility >= 0])
    facility = np.where(facility >= 0, np.searchsorted(used, facility), -1)
    f = used.size
    delay = flows.VolumeDelay(
        facility.astype(np.int32),
        rng.choice([0.0, 1.0, 2.0, 5.0], m) * rng.uniform(0.5, 1, m),
        rng.uniform(0.0, 3.0, f),
        np.where(rng.random(f) < 0.7, power, rng.choice([0.0, 1.0, 2.5], f)),
        rng.uniform(5.0, 20.0, f),
        rng.choice([0.0, 3.0], f),
        rng.choice([1.0, 1.3], f),
    )
    money = rng.choice([0.0, 1.0, 4.0], (3, m)) * rng.uniform(0.5, 1, (3, m))
    money[rng.random((3, m)) < 0.08] = np.inf
    count = 14
    origin = rng.integers(0, n, count)
    demand = flows.Relations(
        origin.astype(np.int32),
        ((origin + rng.integers(0, n, count)) % n).astype(np.int32),  # some go nowhere
        rng.integers(0, 3, count).astype(np.int32),
        rng.choice([0.0, 1.0, 5.0, 9.0], count) * rng.uniform(0.5, 1, count),
        np.where(rng.random(count) < 0.7, rng.uniform(2, 40, count), np.inf) if elastic else np.full(count, np.inf),
        rng.uniform(0.3, 5, count),
    )
    kinds = classes(money, rng.uniform(0.2, 3, 3), rng.uniform(0.3, 2, 3))
    return paths.graph(n, tail, head), delay, kinds, demand


def arc_costs(case: Case, result: flows.Flows) -> np.ndarray:
    kinds = case[2]
    return kinds.money_usd_t + kinds.value_of_time_usd_t_h[:, None] * result.time_h


def potential(case: Case, arc_tonnes: np.ndarray, outside: np.ndarray, network: np.ndarray) -> float:
    """Beckmann's value by its definition, integrals by quadrature."""
    _, delay, kinds, demand = case
    trains = kinds.weight_trains_day_per_t_yr @ arc_tonnes
    value = 0.0
    for f in range(delay.delay_h.size):
        volume = trains[delay.facility == f].sum() / delay.train_length_factor[f]

        def late(v: float, f: int = f) -> float:
            ratio = (v + delay.preload_trains_day[f]) / delay.capacity_trains_day[f]
            return float(delay.delay_h[f] * ratio ** delay.power[f])

        value += delay.train_length_factor[f] * quad(late, 0.0, volume, epsabs=1e-12, epsrel=1e-12)[0]
    rate = kinds.weight_trains_day_per_t_yr / kinds.value_of_time_usd_t_h
    for k in range(len(kinds.name)):
        used = arc_tonnes[k] > 0
        price = kinds.money_usd_t[k] + kinds.value_of_time_usd_t_h[k] * delay.time_h
        value += rate[k] * (price[used] * arc_tonnes[k][used]).sum()
    for r in np.flatnonzero(np.isfinite(demand.outside_usd_t) & (outside > 0)):
        e, d, total = outside[r], network[r], demand.tonnes_yr[r]
        entropy = e * np.log(e) + (d * np.log(d) if d > 0 else 0.0) - total * np.log(total)
        value += rate[demand.class_index[r]] * (demand.outside_usd_t[r] * e + demand.scale_usd_t[r] * entropy)
    return float(value)


# --- Closed forms -------------------------------------------------------------------------------------------------


def test_two_routes() -> None:
    graph, delay = two_routes()
    case = graph, delay, classes([[0, 0]]), relations([(0, 1, 0, 20.0)])
    result = flows.assign(*case, gap=1e-13)
    np.testing.assert_allclose(result.arc_tonnes_yr[0], [10, 10], rtol=1e-12)
    np.testing.assert_allclose(result.time_h, [20, 20], rtol=1e-12)
    assert result.cost_usd_t[0] == pytest.approx(20.0, rel=1e-12)
    assert result.principle == "user equilibrium"
    assert result.convergence.status == "converged"
    assert result.convergence.gap_history[-1] == result.convergence.relative_gap <= 1e-13


def braess(rows: list[tuple[int, int, int, float]], count: int) -> Case:
    """Braess (1968): 0 -> 1 -> 3 and 0 -> 2 -> 3 with the bridge 1 -> 2; hours 10v, 50+v, 50+v, 10v, 10+v."""
    graph = paths.graph(4, [0, 1, 0, 2, 1], [1, 3, 2, 3, 2])
    delay = delays([0, 50, 50, 0, 10], [10, 1, 1, 10, 1], 1)
    return graph, delay, classes(np.zeros((count, 5)), np.ones(count), np.ones(count)), relations(rows)


def test_braess() -> None:
    result = flows.assign(*braess([(0, 3, 0, 6.0)], 1), gap=1e-13)
    np.testing.assert_allclose(result.arc_tonnes_yr[0], [4, 2, 2, 4, 2], rtol=1e-11)
    assert result.cost_usd_t[0] == pytest.approx(92.0, rel=1e-12)
    assert result.path_relation.size == 3
    np.testing.assert_allclose(result.path_tonnes_yr, 2.0, rtol=1e-11)
    # 10 * 4^2/2 * 2 + 50 * 2 * 2 + 2^2/2 * 2 + 10 * 2 + 2^2/2
    assert result.potential == pytest.approx(386.0, rel=1e-12)


def test_identical_classes_add_up_to_one() -> None:
    whole = flows.assign(*braess([(0, 3, 0, 6.0)], 1), gap=1e-13)
    halves = flows.assign(*braess([(0, 3, 0, 3.0), (0, 3, 1, 3.0)], 2), gap=1e-13)
    np.testing.assert_allclose(halves.facility_trains_day, whole.facility_trains_day, rtol=1e-8)
    for seed in range(4):
        graph, delay, kinds, demand = random_case(seed, elastic=False)
        one = replace(kinds, money_usd_t=kinds.money_usd_t[[0, 0, 0]], value_of_time_usd_t_h=np.ones(3))
        one = replace(one, weight_trains_day_per_t_yr=np.ones(3))
        first = replace(demand, class_index=np.zeros_like(demand.class_index))
        half = flows.Relations(*(np.tile(getattr(first, name), 2) for name in demand.__dataclass_fields__))
        split = replace(half, tonnes_yr=half.tonnes_yr / 2, class_index=np.repeat([0, 1], 14).astype(np.int32))
        a = flows.assign(graph, delay, one, first, gap=1e-12)
        b = flows.assign(graph, delay, one, split, gap=1e-12)
        assert a.potential == pytest.approx(b.potential, rel=1e-10)
        # Unique where the delay rises strictly.
        rising = (delay.power > 0) & (a.facility_trains_day > 1e-3)
        np.testing.assert_allclose(a.facility_trains_day[rising], b.facility_trains_day[rising], rtol=1e-8)


def test_values_of_time_part_at_a_toll() -> None:
    """Two arcs: free but v hours long; 8 USD and one hour. At 9 hours the patient are indifferent, the others pay."""
    graph = paths.graph(2, [0, 0], [1, 1])
    delay = delays([0, 1], [1], 1, facility=[0, -1])
    demand = relations([(0, 1, 0, 10.0), (0, 1, 1, 10.0)])
    result = flows.assign(graph, delay, classes([[0, 8], [0, 8]], [1, 4], [1, 1]), demand, gap=1e-12)
    np.testing.assert_allclose(result.arc_tonnes_yr, [[9, 1], [0, 10]], atol=1e-9)
    np.testing.assert_allclose(result.cost_usd_t, [9, 12], rtol=1e-10)


@pytest.mark.parametrize("difference", [-2000.0, -200.0, -3.0, 0.0, 3.0, 60.0, 200.0, 2000.0])
def test_outside_share_is_logit(difference: float) -> None:
    graph = paths.graph(2, [0], [1])
    demand = relations([(0, 1, 0, 7.0)], outside=100.0 + difference, scale=4.0)
    result = flows.assign(graph, delays([100], [], 1, facility=[-1]), classes([[0]]), demand, gap=1e-13)
    share = 1 / (1 + np.exp(min(-difference / 4.0, 700.0)))
    assert result.network_tonnes_yr[0] == pytest.approx(7.0 * share, rel=1e-9, abs=1e-25)
    assert result.outside_tonnes_yr[0] == pytest.approx(7.0 * (1 - share), rel=1e-9, abs=1e-13)
    assert result.network_tonnes_yr[0] + result.outside_tonnes_yr[0] == pytest.approx(7.0, rel=1e-14)


def test_two_elastic_routes() -> None:
    """Both routes used: x - y/2 = 5 and d = x + y give the cost 15 + (d - 5)/3, which the logit closes."""
    graph, delay = two_routes()
    demand = relations([(0, 1, 0, 60.0)], outside=22.0, scale=3.0)
    result = flows.assign(graph, delay, classes([[0, 0]]), demand, gap=1e-13)
    tonnes = brentq(lambda d: d * (1 + np.exp((15 + (d - 5) / 3 - 22) / 3)) - 60, 5, 60, xtol=1e-13)
    assert result.network_tonnes_yr[0] == pytest.approx(tonnes, rel=1e-10)
    assert result.arc_tonnes_yr[0, 0] == pytest.approx(5 + (tonnes - 5) / 3, rel=1e-10)


def test_directions_share_a_single_track() -> None:
    """One track for both ways: 3 trains one way and 1 the other, a preload of 2, capacity 6, power 2."""
    graph = paths.graph(2, [0, 1], [1, 0])
    delay = delays([1, 1], [9], 6, 2.0, facility=[0, 0], preload=[2], factor=[1.5])
    kinds = classes([[0, 0], [0, 0]], [1, 2], [0.5, 0.25])
    result = flows.assign(graph, delay, kinds, relations([(0, 1, 0, 9.0), (1, 0, 1, 6.0)]))
    assert result.facility_trains_day[0] == pytest.approx((0.5 * 9 + 0.25 * 6) / 1.5)
    np.testing.assert_allclose(result.time_h, 1 + 9 * (6 / 6) ** 2)
    np.testing.assert_allclose(result.cost_usd_t, [10, 20])


# --- Laws ---------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**6), st.booleans())
def test_laws_on_random_networks(seed: int, elastic: bool) -> None:
    case = graph, _, kinds, demand = random_case(seed, elastic=elastic)
    result = flows.assign(*case, gap=1e-10)
    assert flows.conservation_error(graph, result, demand) < 1e-9
    assert result.arc_tonnes_yr.min() >= 0.0
    assert not result.arc_tonnes_yr[np.isinf(kinds.money_usd_t)].any()

    # Least costs by another program.
    cost = arc_costs(case, result)
    for k in range(3):
        peer = nx.MultiDiGraph()
        peer.add_nodes_from(range(graph.node_count))
        ok = np.flatnonzero(np.isfinite(cost[k]))
        peer.add_weighted_edges_from(
            zip(graph.tail[ok].tolist(), graph.head[ok].tolist(), cost[k, ok].tolist(), strict=True)
        )
        for r in np.flatnonzero(demand.class_index == k):
            try:
                least = nx.dijkstra_path_length(peer, int(demand.origin[r]), int(demand.destination[r]))
            except nx.NetworkXNoPath:
                least = np.inf
            assert result.no_path[r] == np.isinf(least)
            assert result.cost_usd_t[r] == pytest.approx(least, rel=1e-12, abs=1e-12)

    # No one gains by changing; the gap adds up as stated.
    first, last = result.path_first[:-1], result.path_first[1:]
    path_class = demand.class_index[result.path_relation]
    path_cost = np.array(
        [cost[k, result.path_arcs[a:b]].sum() for k, a, b in zip(path_class, first, last, strict=True)]
    ).reshape(-1)
    least = result.cost_usd_t.copy()
    both = np.isfinite(demand.outside_usd_t) & (demand.tonnes_yr > 0) & ~result.no_path
    e, d = result.outside_tonnes_yr[both], result.network_tonnes_yr[both]
    outside_cost = demand.outside_usd_t[both] + demand.scale_usd_t[both] * np.log(e / d)
    least[both] = np.minimum(least[both], outside_cost)
    excess = float((result.path_tonnes_yr * (path_cost - least[result.path_relation])).sum())
    excess += float((e * (outside_cost - least[both])).sum())
    total = float((result.path_tonnes_yr * path_cost).sum())
    kept_out = np.isfinite(demand.outside_usd_t)
    total += float((result.outside_tonnes_yr[kept_out] * np.maximum(demand.outside_usd_t[kept_out], 0)).sum())
    assert excess <= 1e-10 * total + 1e-12
    assert result.convergence.relative_gap == pytest.approx(excess / max(total, 1e-300), abs=1e-11)
    assert np.all(result.path_tonnes_yr * (path_cost - least[result.path_relation]) <= 1e-10 * total + 1e-12)

    # Potential: as defined, and not to be undercut in any direction.
    value = potential(case, result.arc_tonnes_yr, result.outside_tonnes_yr, result.network_tonnes_yr)
    assert result.potential == pytest.approx(value, rel=1e-9, abs=1e-9)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        arcs, outside = result.arc_tonnes_yr.copy(), result.outside_tonnes_yr.copy()
        network = result.network_tonnes_yr.copy()
        for p in rng.permutation(result.path_relation.size)[:3]:
            r, k = result.path_relation[p], path_class[p]
            moved = result.path_tonnes_yr[p] * rng.choice([0.003, 0.3])
            arcs[k, result.path_arcs[first[p] : last[p]]] -= moved
            if both[np.arange(both.size) == r].any() and rng.random() < 0.5:
                outside[r] += moved
                network[r] -= moved
            else:
                other = paths.shortest_path(
                    graph,
                    cost[k] * rng.uniform(0.3, 3, cost.shape[1]),
                    int(demand.origin[r]),
                    int(demand.destination[r]),
                )
                assert other is not None
                arcs[k, other[1]] += moved
        arcs = np.maximum(arcs, 0.0)
        assert potential(case, arcs, outside, network) >= value - 1e-9 * abs(value) - 1e-9


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_warm_start_gives_the_same_answer(seed: int) -> None:
    graph, delay, kinds, demand = random_case(seed, elastic=True)
    base = flows.assign(graph, delay, kinds, demand, gap=1e-11)
    money = kinds.money_usd_t.copy()
    money[:, np.argmax(base.arc_tonnes_yr.sum(axis=0))] = np.inf  # the busiest arc closes
    closed = replace(kinds, money_usd_t=money)
    grown = replace(demand, tonnes_yr=demand.tonnes_yr * 1.1)
    for new_kinds, new_demand in ((kinds, demand), (closed, demand), (kinds, grown)):
        cold = flows.assign(graph, delay, new_kinds, new_demand, gap=1e-11)
        warm = flows.assign(graph, delay, new_kinds, new_demand, gap=1e-11, start=base)
        assert flows.conservation_error(graph, warm, new_demand) < 1e-9
        assert warm.potential == pytest.approx(cold.potential, rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(warm.cost_usd_t, cold.cost_usd_t, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(warm.no_path, cold.no_path)
    again = flows.assign(graph, delay, kinds, demand, gap=1e-10, start=base)
    assert again.convergence.iterations == 0


def test_what_an_opening_joins_is_served_from_a_start() -> None:
    """Arc 1 -> 2 is shut for all in the base; opened, it joins two relations, also where these have got new numbers."""
    graph = paths.graph(3, [0, 1, 0], [1, 2, 1])
    delay = delays([1, 1, 2], [1, 1, 1], 10)
    rows = [(0, 2, 0, 3.0), (1, 2, 0, 4.0), (0, 1, 0, 5.0)]
    demand = relations(rows, outside=np.array([np.inf, 5.0, np.inf]))
    base = flows.assign(graph, delay, classes([[2.0, np.inf, 0.5]]), demand, gap=1e-10)
    assert base.no_path.tolist() == [True, True, False]
    opened = classes([[2.0, 2.0, 0.5]])
    turned = relations(rows[::-1], outside=np.array([np.inf, 5.0, np.inf]))
    other = flows.carried(base, graph, turned, relation=np.array([2, 1, 0]))
    assert other.no_path.tolist() == [False, True, True]
    for wanted, start in ((demand, base), (turned, other)):
        cold = flows.assign(graph, delay, opened, wanted, gap=1e-10)
        warm = flows.assign(graph, delay, opened, wanted, gap=1e-10, start=start)
        assert not warm.no_path.any()
        assert warm.unserved_tonnes_yr.sum() == 0.0
        np.testing.assert_allclose(warm.arc_tonnes_yr, cold.arc_tonnes_yr, rtol=1e-7)
    more = relations([*rows, (0, 2, 0, 1.0)])  # and a relation that the base does not know
    other = flows.carried(base, graph, more, relation=np.array([0, 1, 2]))
    assert flows.assign(graph, delay, opened, more, start=other).network_tonnes_yr[3] == pytest.approx(1.0)


def test_threads_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    from landbridge.model.flows import searcher

    monkeypatch.setattr(searcher, "SMALL_WORK", 0)
    case = random_case(3, elastic=True)
    results = [flows.assign(*case, gap=1e-9, threads=threads) for threads in (1, 2, 3)]
    for name in ("arc_tonnes_yr", "path_arcs", "path_tonnes_yr", "cost_usd_t", "outside_tonnes_yr"):
        for other in results[1:]:
            np.testing.assert_array_equal(getattr(results[0], name), getattr(other, name))


def test_selections_and_attributes() -> None:
    case = graph, _, _, demand = random_case(11, elastic=True)
    result = flows.assign(*case, gap=1e-9)
    for arc in range(graph.tail.size):
        mask = np.arange(graph.tail.size) == arc
        chosen = flows.select_arcs(result, mask)
        assert chosen.shape == demand.tonnes_yr.shape
        assert chosen.sum() == pytest.approx(result.arc_tonnes_yr[:, arc].sum(), rel=1e-12, abs=1e-12)
    everything = flows.select_arcs(result, np.ones(graph.tail.size, bool))
    moving = demand.origin != demand.destination
    np.testing.assert_allclose(everything[moving], result.network_tonnes_yr[moving])
    hours = flows.path_attributes(result, result.time_h)
    assert result.path_tonnes_yr @ hours == pytest.approx((result.arc_tonnes_yr @ result.time_h).sum(), rel=1e-12)
    with pytest.raises(ValueError, match="wanted a mask"):
        flows.select_arcs(result, np.ones(3, bool))


# --- What cannot be served, and what is wrong ----------------------------------------------------------------------


def test_disconnected_relations_are_told() -> None:
    """Arc 0 -> 1 only; 1 -> 0 has no path, once without and once with an outside option."""
    graph = paths.graph(2, [0], [1])
    demand = relations([(1, 0, 0, 3.0), (1, 0, 0, 4.0), (0, 1, 0, 5.0)], outside=np.array([np.inf, 50.0, np.inf]))
    result = flows.assign(graph, delays([1], [1], 10), classes([[2]]), demand)
    assert result.no_path.tolist() == [True, True, False]
    assert result.unserved_tonnes_yr.tolist() == [3.0, 0.0, 0.0]
    assert result.outside_tonnes_yr.tolist() == [0.0, 4.0, 0.0]
    assert result.network_tonnes_yr.tolist() == [0.0, 0.0, 5.0]
    assert np.isinf(result.cost_usd_t[:2]).all()
    assert flows.conservation_error(graph, result, demand) == 0.0


def test_nothing_to_carry_is_an_equilibrium() -> None:
    graph, delay = two_routes()
    result = flows.assign(graph, delay, classes([[0, 0]]), relations([]))
    assert result.arc_tonnes_yr.sum() == 0.0
    assert result.path_first.tolist() == [0]
    idle = flows.assign(graph, delay, classes([[0, 0]]), relations([(0, 1, 0, 0.0)], outside=5.0))
    assert idle.cost_usd_t.tolist() == [10.0]
    assert idle.outside_tonnes_yr.tolist() == [0.0]


def test_not_converged_carries_its_record() -> None:
    case = random_case(2, elastic=False)
    seen: list[tuple[int, float]] = []
    with pytest.raises(NotConverged, match="after 2 rounds, wanted 0") as caught:
        flows.assign(*case, gap=0.0, max_iterations=2, progress=lambda i, gap: seen.append((i, gap)))
    record = caught.value.record
    assert isinstance(record, flows.Convergence)
    assert record.status == "iteration limit"
    assert record.iterations == 2
    assert record.gap_history == tuple(gap for _, gap in seen)
    assert [i for i, _ in seen] == [0, 1, 2]


def test_a_path_may_not_use_a_facility_twice() -> None:
    graph = paths.graph(3, [0, 1], [1, 2])
    delay = delays([1, 1], [1], 1, facility=[0, 0])
    with pytest.raises(ValueError, match="relation 0: its path uses facility 0 on more than one arc"):
        flows.assign(graph, delay, classes([[0, 0]]), relations([(0, 2, 0, 1.0)]))


def test_all_faults_are_told_at_once() -> None:
    graph, delay = two_routes()
    kinds, demand = classes([[0, 0]]), relations([(0, 1, 0, 20.0)], outside=3.0)
    with pytest.raises(ValueError, match="do not fit") as caught:
        flows.assign(
            graph,
            replace(delay, capacity_trains_day=np.array([0.0, -1.0]), power=np.array([0.5, 1.0])),
            replace(kinds, value_of_time_usd_t_h=np.array([0.0]), money_usd_t=np.array([[0.0, np.nan]])),
            replace(demand, tonnes_yr=np.array([-1.0]), scale_usd_t=np.array([0.0]), origin=np.array([2], np.int32)),
        )
    message = str(caught.value)
    for part in (
        "capacity_trains_day[0]: wanted trains a day > 0, got 0.0 (and 1 more)",
        "power[0]: wanted 0 or a number >= 1, got 0.5",
        "value_of_time_usd_t_h[0]",
        "money_usd_t[0, 1]",
        "tonnes_yr[0]: wanted tonnes >= 0, got -1.0",
        "scale_usd_t[0]",
        "origin[0]: wanted a node below 2, got 2",
    ):
        assert part in message
    with pytest.raises(ValueError, match=re.escape("time_h: wanted shape (2,), got (1,)")):
        flows.assign(graph, replace(delay, time_h=np.ones(1)), kinds, demand)
    with pytest.raises(ValueError, match=r"'class 0' -1\.0 USD a tonne"):
        flows.assign(graph, delay, classes([[-11.0, 0.0]]), demand)


def test_start_must_fit() -> None:
    graph, delay = two_routes()
    kinds = classes([[0, 0]])
    base = flows.assign(graph, delay, kinds, relations([(0, 1, 0, 20.0)]))
    with pytest.raises(ValueError, match="for 2 relations"):
        flows.assign(graph, delay, kinds, relations([(0, 1, 0, 20.0)] * 2), start=base)
    with pytest.raises(ValueError, match="do not join"):
        flows.assign(graph, delay, kinds, relations([(1, 0, 0, 20.0)]), start=base)


def test_importing_the_room_stays_light() -> None:
    code = "import sys, landbridge.model; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- A published example ------------------------------------------------------------------------------------------


@pytest.fixture
def sioux_falls() -> Case:
    """Sioux Falls (LeBlanc et al., 1975) from a TNTP folder: 24 nodes, 76 arcs, 528 relations."""
    shared = os.environ.get("LANDBRIDGE_SHARED")
    if not shared:
        if os.environ.get("CI") == "true":
            pytest.fail("LANDBRIDGE_SHARED is not set, and CI must run this test")
        pytest.skip("LANDBRIDGE_SHARED is not set: no folder with the TNTP networks")
    folder = Path(shared) / "tntp"
    lines = (folder / "SiouxFalls_net.tntp").read_text(encoding="utf-8").splitlines()
    table = np.array([line.split()[:7] for line in lines if re.match(r"\s*\d", line)], np.float64)
    rows = []
    for block in (folder / "SiouxFalls_trips.tntp").read_text(encoding="utf-8").split("Origin")[1:]:
        origin = int(block.split()[0])
        for destination, trips in re.findall(r"(\d+)\s*:\s*([\d.]+)", block):
            if float(trips) > 0:
                rows.append((origin - 1, int(destination) - 1, 0, float(trips)))
    graph = paths.graph(24, table[:, 0].astype(int) - 1, table[:, 1].astype(int) - 1)
    free, b = table[:, 4], table[:, 5]
    delay = replace(delays(free, free * b, table[:, 2]), power=table[:, 6])
    return graph, delay, classes(np.zeros((1, 76))), relations(rows)


@pytest.mark.shared
def test_sioux_falls(sioux_falls: Case) -> None:
    result = flows.assign(*sioux_falls, gap=1e-11)
    assert result.potential == pytest.approx(4_231_335.28711, rel=1e-9)
    assert result.arc_tonnes_yr[0] @ result.time_h == pytest.approx(7_480_225.34, abs=0.5)
    assert flows.conservation_error(sioux_falls[0], result, sioux_falls[3]) < 1e-12
