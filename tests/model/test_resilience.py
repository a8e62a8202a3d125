"""Closures, worst sets, chance, robustness: the reference network exactly, Sioux Falls, and laws."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import LandbridgeError
from landbridge.model import resilience
from landbridge.model.flows.records import Classes, Relations, VolumeDelay
from landbridge.model.flows.surplus import Carriage, Program, cheapest_paths
from landbridge.model.leverage.dependence import asymmetric_leverage, concentration
from landbridge.model.paths import graph
from landbridge.model.resilience import Closures, worst_closures
from landbridge.model.simple_paths import k_shortest
from landbridge.study import assign

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "network_criticality.json").read_text("utf-8"))
NETWORK = REFERENCE["network"]
NOTHING: frozenset[int] = frozenset()


class Net:
    """The 20 stations of the reference: each line is two arcs that share its room.

    o --arc 2e--> .      line e leads both ways
      <--arc 2e+1--
    """

    def __init__(self, cku: bool) -> None:
        self.lines = NETWORK["edges"] + (NETWORK["cku_edges"] if cku else [])
        self.names = [f"{line['a']}-{line['b']}" for line in self.lines]
        self.places = list(NETWORK["country"])
        self.at = {place: i for i, place in enumerate(self.places)}
        self.net = resilience.lines(
            len(self.places),
            [(self.at[line["a"]], self.at[line["b"]]) for line in self.lines],
            [float(line["cost"]) for line in self.lines],
            [float(line["cap"]) for line in self.lines],
        )
        self.graph = self.net.graph
        self.cost = np.repeat(self.net.cost, 2)

    def closures(self, relations: Iterable[str] | None = None) -> Closures:
        pairs = list(relations or NETWORK["demand"])
        return resilience.all_relations(
            self.net,
            [self.ends(pair) for pair in pairs],
            [float(NETWORK["demand"][p]) for p in pairs],
            [float(NETWORK["outside_cost"][p]) for p in pairs],
        )

    def carriage(self, relations: Iterable[str] | None = None) -> Carriage:
        return self.closures(relations).carriage

    def ends(self, pair: str) -> tuple[int, int]:
        a, b = (self.at[end] for end in pair.split("-"))
        return a, b

    def arcs_at(self, inside: Callable[[str], bool]) -> list[int]:
        return [
            2 * e + way for e, line in enumerate(self.lines) if inside(line["a"]) or inside(line["b"]) for way in (0, 1)
        ]


@lru_cache(maxsize=2)
def net(cku: bool = False) -> Net:
    return Net(cku)


@lru_cache(maxsize=2)
def closures(cku: bool = False) -> Closures:
    return net(cku).closures()


# -------------------------------------------------------------------------------------------------- the reference


@pytest.mark.parametrize(("cku", "key"), [(False, "base_cost"), (True, "with_cku_cost")])
def test_least_cost(cku: bool, key: str) -> None:
    found = closures(cku).solve()
    assert closures(cku).cost(found) == pytest.approx(REFERENCE["min_cost"][key], abs=1e-7)
    outside = REFERENCE["min_cost"]["with_cku_outside" if cku else "base_outside_flow"]
    left = closures(cku).carriage.tonnes_yr - found.tonnes_yr
    assert left.sum() == pytest.approx(sum(outside.values()), abs=1e-7)


def test_each_line_closed() -> None:
    every = closures()
    base = every.cost(every.solve())
    for e, name in enumerate(net().names):
        rise = every.cost(every.solve(frozenset({e}))) - base
        assert rise == pytest.approx(REFERENCE["single_link_closure_min_cost"][name], abs=1e-7), name


def test_each_place_closed() -> None:
    """Trade that starts or ends at the place is taken out, before and after."""
    for place, wanted in REFERENCE["single_node_closure_min_cost"].items():
        kept = [pair for pair in NETWORK["demand"] if place not in pair.split("-")]
        if not kept:
            assert wanted == 0.0
            continue
        case = Closures(net().carriage(kept), [net().arcs_at(lambda p, place=place: p == place)])  # type: ignore[misc]
        rise = case.cost(case.solve(frozenset({0}))) - case.cost(case.solve())
        assert rise == pytest.approx(wanted, abs=1e-7), place


@pytest.mark.parametrize(("cku", "key"), [(False, "base"), (True, "with_cku")])
def test_each_country_withdrawn(cku: bool, key: str) -> None:
    country = NETWORK["country"]
    for name, wanted in REFERENCE["country_withdrawal"][key].items():
        kept = [pair for pair in NETWORK["demand"] if name not in {country[end] for end in pair.split("-")}]
        arcs = net(cku).arcs_at(lambda p, name=name: country[p] == name)  # type: ignore[misc]
        case = Closures(net(cku).carriage(kept), [arcs])
        before, after = case.cost(case.solve()), case.cost(case.solve(frozenset({0})))
        assert (before, after) == pytest.approx((wanted["base_same_od"], wanted["cost"]), abs=1e-7), name
        assert after - before == pytest.approx(wanted["increase"], abs=1e-7), name


@pytest.mark.parametrize(("cku", "key"), [(False, "base"), (True, "with_cku")])
def test_routes_without_a_country(cku: bool, key: str) -> None:
    country, here = NETWORK["country"], net(cku)
    for pair, told in REFERENCE["route_dependence"][key].items():
        assert resilience.way_without(here.net, *here.ends(pair)).cost == told["shortest"]
        for name, wanted in told["without"].items():
            arcs = here.arcs_at(lambda p, name=name: country[p] == name)  # type: ignore[misc]
            reached = resilience.way_without(here.net, *here.ends(pair), frozenset(a // 2 for a in arcs)).cost
            assert np.isinf(reached) == wanted["must_cross"]
            if not wanted["must_cross"]:
                assert (reached, reached - told["shortest"]) == (wanted["cost"], wanted["increase"])


def test_a_flow_without_end_has_no_cut() -> None:
    """Of two lines side by side one takes 5 units, the other any number: nothing less than both ends the flow."""
    side_by_side = resilience.lines(3, [(0, 1), (0, 2), (2, 1)], [1.0, 1.0, 1.0], [5.0, np.inf, np.inf])
    case = resilience.most_flow(side_by_side, 0, 1)
    assert resilience.cut_of(case) is None
    assert resilience.cut_of(case, frozenset({1})) == [0]
    assert resilience.cut_of(case, frozenset({0, 1})) == []


def test_shortest_ways_in_order() -> None:
    here = net()
    told = REFERENCE["k_shortest_Chengdu_Warsaw"]
    found = k_shortest(here.graph, here.cost, here.at["Chengdu"], here.at["Warsaw"], len(told))
    assert [cost for cost, _ in found] == [entry["cost"] for entry in told]
    ways = [[here.places[here.graph.tail[a]] for a in arcs] + ["Warsaw"] for _, arcs in found]
    assert sorted(map(tuple, ways)) == sorted(tuple(entry["path"]) for entry in told)


@pytest.mark.parametrize("key", list(REFERENCE["max_flow"]))
def test_maximum_flow_and_its_cut(key: str) -> None:
    which, pair = key.split(":")
    told = REFERENCE["max_flow"][key]
    here = net(which == "with_cku")
    case = resilience.most_flow(here.net, *here.ends(pair))
    found = case.solve()
    assert found.worth_usd_yr == pytest.approx(told["value"], abs=1e-7)
    smallest = resilience.cut_of(case)
    assert smallest is not None
    assert case.carriage.room[smallest].sum() == told["value"]  # a cut as large as the flow
    assert case.solve(frozenset(smallest)).worth_usd_yr == pytest.approx(0.0, abs=1e-9)
    names = here.names
    cut = frozenset(names.index(name) for name in told["cut_edges"])
    assert case.carriage.room[sorted(cut)].sum() == told["value"]
    assert case.solve(cut).worth_usd_yr == pytest.approx(0.0, abs=1e-9)


def check_worst(found: resilience.Interdiction, told: dict[str, Any], r: int, value: float) -> None:
    names = net().names
    sets = [[names[e] for e in chosen] for chosen in resilience.all_sets(found, len(names), r)]
    assert value == pytest.approx(told["value"] if told["value"] is not None else np.inf, abs=1e-7)
    assert len(sets) == told["n_optimal"]
    assert {frozenset(s) for s in told["optimal_sets"]} <= {frozenset(s) for s in sets}


@pytest.mark.parametrize("r", [1, 2, 3])
def test_worst_closures_of_one_relation(r: int) -> None:
    told = REFERENCE["interdiction_Chengdu_Warsaw"]
    here, ends = net(), net().ends("Chengdu-Warsaw")
    found = worst_closures(lambda closed: resilience.way_without(here.net, *ends, closed), r)
    check_worst(found, told[f"shortest_path_r{r}"], r, found.cost)
    case = resilience.most_flow(here.net, *ends)
    found = worst_closures(case.evaluate, r)
    check_worst(found, told[f"max_flow_r{r}"], r, case.carriage.tonnes_yr[0] - found.cost)


@pytest.mark.parametrize("r", [1, 2])
def test_worst_closures_of_all_demand(r: int) -> None:
    found = worst_closures(closures().evaluate, r)
    check_worst(found, REFERENCE["interdiction_all_demand"][f"min_cost_r{r}"], r, found.cost)
    assert found.base == pytest.approx(9010.0, abs=1e-7)


def test_betweenness() -> None:
    here = net()
    nodes, lines = resilience.betweenness(
        len(here.places), [(here.at[e["a"]], here.at[e["b"]]) for e in here.lines], here.cost[::2].tolist()
    )
    assert dict(zip(here.places, nodes, strict=True)) == pytest.approx(
        REFERENCE["betweenness_unnormalised_cost_weighted"]
    )
    told = {frozenset(name.split("-")): value for name, value in REFERENCE["edge_betweenness"].items()}
    assert {frozenset(n.split("-")): v for n, v in zip(here.names, lines, strict=True)} == pytest.approx(told)


@pytest.mark.parametrize("told", REFERENCE["hhi"])
def test_concentration_of_the_reference(told: dict[str, Any]) -> None:
    found = concentration(float(Fraction(s)) for s in told["shares"])
    wanted = [float(Fraction(told[k])) for k in ("HHI", "effective_number", "normalised")]
    assert [found.hhi, found.effective_number, found.normalised] == pytest.approx(wanted, abs=1e-12)


def test_independent_failures() -> None:
    told = REFERENCE["failure_enumeration"]
    lines = [net().names.index(entry["link"]) for entry in told["links"]]
    chances = [entry["p"] for entry in told["links"]]
    every = closures()

    def cost(state: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
        return every.cost(every.solve(frozenset(line for line, shut in zip(lines, state, strict=True) if shut)))

    closed, weight = resilience.exact_states(chances)
    assert len(closed) == told["states"]
    exact = resilience.expectation(cost, closed, weight, drawn=False)
    assert exact.mean == pytest.approx(told["expected_cost"], abs=1e-6)
    assert exact.std == pytest.approx(told["std"], abs=1e-4)
    assert exact.quantile_95 == pytest.approx(told["quantile95"])
    assert exact.most == pytest.approx(told["worst_cost"])
    drawn = resilience.expectation(cost, *resilience.draw_states(chances, 10_000, 7), drawn=True)
    assert drawn.standard_error == pytest.approx(told["mc_standard_error_for_10000"], rel=0.1)
    assert abs(drawn.mean - exact.mean) <= 3 * drawn.standard_error
    again = resilience.expectation(cost, *resilience.draw_states(chances, 10_000, 7), drawn=True)
    assert again == drawn


# --------------------------------------------------------------------------------------------------- Sioux Falls


@pytest.fixture(scope="module")
def sioux_falls(shared: Path) -> Any:
    folder = shared / "tntp"
    files = assign.read_files(folder / "SiouxFalls_net.tntp", folder / "SiouxFalls_trips.tntp")
    return assign.prepare(*files)


@pytest.fixture(scope="module")
def criticality(shared: Path) -> dict[str, Any]:
    text = (shared / "reference" / "econ" / "criticality_siouxfalls.json").read_text(encoding="utf-8")
    told: dict[str, Any] = json.loads(text)
    return told


@pytest.mark.shared
@pytest.mark.parametrize("cut", [1.0, 0.99, 0.9, 0.75, 0.5])
def test_network_robustness_index(sioux_falls: Any, criticality: dict[str, Any], cut: float) -> None:
    given = sioux_falls.graph, sioux_falls.delay, sioux_falls.classes, sioux_falls.relations
    links = [[entry["link"] - 1] for entry in criticality["links"]]
    base, found = resilience.robustness_index(*given, links, cut=cut, gap=1e-9)
    assert base == pytest.approx(criticality["base_tstt"], rel=1e-6)
    for entry, one in zip(criticality["links"], found, strict=True):
        assert one.unserved_tonnes_yr == 0.0
        # the index is a difference of totals: to 0.1 % of itself, and never finer than the gap of the totals
        assert one.index == pytest.approx(entry[f"NRI_{cut * 100:.0f}"], rel=1e-3, abs=1e-6 * base)
        if cut == 1.0:
            assert one.cost == pytest.approx(entry["tstt_removed"], rel=1e-3)


@pytest.mark.shared
def test_roads_closed_both_ways(sioux_falls: Any, criticality: dict[str, Any]) -> None:
    given = sioux_falls.graph, sioux_falls.delay, sioux_falls.classes, sioux_falls.relations
    roads = criticality["roads_closed_both_ways"]
    _, found = resilience.robustness_index(*given, [[i - 1 for i in road["links"]] for road in roads], gap=1e-9)
    assert [one.index for one in found] == pytest.approx([road["NRI"] for road in roads], rel=1e-3)


# ----------------------------------------------------------------------------------------------------------- laws


@st.composite
def networks(draw: st.DrawFn) -> Closures:
    """Small networks of two-way lines with room, up to four relations, and an outside option for each."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    nodes, lines, count = int(random.integers(3, 7)), int(random.integers(3, 9)), int(random.integers(1, 5))
    ends = np.array([random.permutation(nodes)[:2] for _ in range(lines)])
    pairs = np.array([random.permutation(nodes)[:2] for _ in range(count)])
    tail, head = np.column_stack([ends[:, 0], ends[:, 1]]).ravel(), np.column_stack([ends[:, 1], ends[:, 0]]).ravel()
    carriage = Carriage(
        graph=graph(nodes, tail, head),
        cost_usd_t=np.repeat(random.integers(0, 9, lines).astype(np.float64), 2)[None, :],
        facility=np.arange(2 * lines) // 2,
        room=random.choice([0.0, 3.0, 8.0, np.inf], lines),
        load=np.ones((1, lines)),
        origin=pairs[:, 0].astype(np.int64),
        destination=pairs[:, 1].astype(np.int64),
        class_index=np.zeros(count, np.int64),
        tonnes_yr=random.integers(0, 10, count).astype(np.float64),
        outside_usd_t=random.integers(0, 25, count).astype(np.float64),
    )
    return Closures(carriage, [[2 * e, 2 * e + 1] for e in range(lines)])


@given(case=networks(), r=st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_worst_closures_are_those_of_trying_all(case: Closures, r: int) -> None:
    size = len(case.elements)
    r = min(r, size)
    found = worst_closures(case.evaluate, r)
    every = resilience.every_set(lambda s: case.cost(case.solve(s)), size, r)
    assert found.cost == pytest.approx(every.cost, abs=1e-7)
    assert found.base == pytest.approx(every.base, abs=1e-7)
    if r == 0:
        assert found.cost == found.base
        assert found.minimal == ((),)
    assert set(found.minimal) == set(every.minimal)
    costs = [case.cost(case.solve(frozenset(s))) for s in resilience.all_sets(found, size, r)]
    assert costs == pytest.approx([every.cost] * len(costs), abs=1e-6)


@given(case=networks(), number=st.integers(0, 255))
@settings(max_examples=30, deadline=None)
def test_closing_more_never_helps_and_losses_bound_it(case: Closures, number: int) -> None:
    closed = frozenset(e for e in range(len(case.elements)) if number >> e & 1)
    now = case.evaluate(closed)
    for e in range(len(case.elements)):
        more = case.evaluate(closed | {e}).cost
        assert more >= now.cost - 1e-7
        assert more <= now.cost + now.loss.get(e, 0.0) + 1e-7
    assert Program(case.carriage, cheapest_paths(case.carriage)).free_of(np.zeros(2 * len(case.elements), bool)).all()


@given(amounts=st.lists(st.floats(0, 1e9), min_size=1, max_size=8))
def test_concentration_has_its_bounds(amounts: list[float]) -> None:
    found = concentration(amounts)
    if not sum(amounts) > 0:
        assert np.isnan(found.hhi)
        return
    assert 1 / found.count - 1e-12 <= found.hhi <= 1 + 1e-12
    assert found.effective_number <= found.count + 1e-6
    assert concentration(sorted(amounts)).hhi == pytest.approx(found.hhi)
    with pytest.raises(ValueError, match="at least zero"):
        concentration([*amounts, -1.0])


def test_leverage_is_what_one_needs_more_than_the_other() -> None:
    assert asymmetric_leverage(10, 100, 3, 100) == pytest.approx(0.07)
    assert asymmetric_leverage(3, 100, 10, 100) == -asymmetric_leverage(10, 100, 3, 100)
    assert np.isnan(asymmetric_leverage(1, 0, 1, 1))


def test_recovery_by_hand() -> None:
    assert resilience.recovery(10, 12, 18) == (120.0, 20.0, pytest.approx(24 * (5 + 60 / 18)))
    assert resilience.recovery(10, 12, 12).clearing_days == np.inf
    assert resilience.recovery(0, 12, 6) == (0.0, 0.0, 0.0)
    assert resilience.recovery(10, 12, 18, diverted=0.5).backlog_trains == 60.0
    with pytest.raises(ValueError, match="at least zero"):
        resilience.recovery(-1, 1, 1)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="at least zero closures"):
        worst_closures(closures().evaluate, -1)
    with pytest.raises(LandbridgeError, match="ask for fewer"):
        worst_closures(closures().evaluate, 2, most_solves=3)
    with pytest.raises(ValueError, match="from 0 to 1"):
        resilience.draw_states([1.5], 10, 0)
    with pytest.raises(ValueError, match="at most 16"):
        resilience.exact_states([0.1] * 17)
    with pytest.raises(ValueError, match="greater than zero"):
        resilience.betweenness(2, [(0, 1)], [0.0])


def squeezed(room: float, outside: float) -> tuple[Carriage, resilience.Lots]:
    """One lot of 10 t a year, 1 train a day, whose way is shut; the other way has some room.

    A ==(0: 10 USD, shut; 1: 14 USD)==> B
    """
    carriage = Carriage(
        graph=graph(2, np.array([0, 0]), np.array([1, 1])),
        cost_usd_t=np.array([[10.0, 14.0]]),
        facility=np.array([-1, 0]),
        room=np.array([room]),
        load=np.ones((1, 1)),
        origin=np.array([0]),
        destination=np.array([1]),
        class_index=np.zeros(1, np.int64),
        tonnes_yr=np.array([10.0]),
        outside_usd_t=np.array([outside]),
    )
    one = np.ones(1)
    return carriage, resilience.Lots(10.0 * one, 0.1 * one, np.zeros(1, np.int64), one, 0.0 * one, 2.0 * one)


@pytest.mark.parametrize(
    ("room", "outside", "days", "shares", "cost", "price", "backlog"),
    [
        # 7 of 10 trains wait, 5 days and half of what 7 trains take at 2 a day: 162 h at 0.1 USD
        (3.0, np.inf, 10.0, (0.7, 0.3, 0.0), 0.7 * 26.2 + 0.3 * 14.0, 26.2, 7.0),
        (0.0, np.inf, 10.0, (1.0, 0.0, 0.0), 28.0, 28.0, 10.0),
        (3.0, 20.0, 10.0, (0.0, 0.3, 0.7), 0.7 * 20.0 + 0.3 * 14.0, 20.0, 0.0),
        (50.0, np.inf, 10.0, (0.0, 1.0, 0.0), 14.0, 14.0, 0.0),
        (50.0, np.inf, 0.0, (1.0, 0.0, 0.0), 10.0, 10.0, 0.0),
    ],
)
def test_days_of_closure_by_hand(
    room: float, outside: float, days: float, shares: tuple[float, ...], cost: float, price: float, backlog: float
) -> None:
    found = resilience.short_run(*squeezed(room, outside), np.array([True, False]), days)
    assert [found.waits[0], found.diverted[0], found.outside[0]] == pytest.approx(shares, abs=1e-6)
    assert found.cost_usd_t[0] == pytest.approx(cost, abs=1e-5)
    assert found.price_usd_t[0] == pytest.approx(price, abs=1e-5)
    assert found.backlog_trains[0] == pytest.approx(backlog, abs=1e-5)
    assert found.mismatch <= 1e-6


def test_shares_agree_where_waiting_and_leaving_cost_the_same() -> None:
    """All waiting costs 28, all leaving makes waiting cheap (22 at the least): at 25 both, with half of the queue."""
    found = resilience.short_run(*squeezed(0.0, 25.0), np.array([True, False]), 10.0, rounds=400)
    assert found.waits[0] == pytest.approx(0.5, abs=0.01)
    assert found.outside[0] == pytest.approx(0.5, abs=0.01)
    assert found.cost_usd_t[0] == pytest.approx(25.0, abs=0.1)


def test_what_leaves_the_network_still_pays() -> None:
    """Cutting the only way sends cargo to its outside option: the index is what that costs more, not less."""
    relations = Relations(
        np.array([0], np.int32), np.array([1], np.int32), np.zeros(1, np.int32), np.array([10.0]), np.array([50.0]),
        np.array([1e-3]),
    )  # fmt: skip
    classes = Classes(("all",), np.ones(1), np.zeros(1), np.array([[0.0]]))
    none = np.empty(0)
    delay = VolumeDelay(np.array([-1], np.int32), np.array([20.0]), none, none, none, none, none)
    base, (found,) = resilience.robustness_index(
        graph(2, np.array([0]), np.array([1])), delay, classes, relations, [[0]]
    )
    assert base == pytest.approx(200.0)
    assert found.index == pytest.approx(300.0)
    assert found.unserved_tonnes_yr == 0.0
