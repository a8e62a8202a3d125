"""A scenario solved again from a named solution: the same answer as from nothing, whatever ran before."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from landbridge.data.read import read_atlas
from landbridge.data.tables import Tables
from landbridge.model import flows
from landbridge.model import network as network_door
from landbridge.model.network import ArcKind, matching_arcs
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Build, Charge, Close, Grow, Measure
from landbridge.study.solve import (
    NETWORK_TABLES,
    Prepared,
    Settings,
    Solution,
    columns,
    equilibrium,
    on_network,
    prepare,
    solve,
)

SETTINGS = Settings(size="reduced", gap=1e-10)
HELD = frozenset({"cku"})
CASES: dict[str, tuple[Measure, ...]] = {
    "nothing": (),
    "closed": (Close(crossings=("khorgos-altynkol",)),),
    "country": (Close(countries=("BY",)),),
    "halved": (Close(crossings=("alashankou-dostyk",), share=0.5),),
    "charge": (Charge(crossings=("alashankou-dostyk",), usd_teu=200.0),),
    "built": (Build(project="cku", year=2023),),
    "grown": (Grow(exporter="CHN", importer="KAZ", factor=1.5),),
}


@pytest.fixture(scope="module")
def atlas() -> Tables:
    return read_atlas()


@pytest.fixture(scope="module")
def tables(atlas: Tables) -> dict[str, Tables]:
    return {name: apply(atlas, measures, 2023, held=HELD).tables for name, measures in CASES.items()}


@pytest.fixture(scope="module")
def base(tables: dict[str, Tables]) -> Solution:
    return solve(tables["nothing"], year=2023, settings=SETTINGS)


def prepared_like(base: Solution, tables: Tables) -> Prepared:
    return prepare(tables, year=2023, settings=SETTINGS, like=base.prepared)


@pytest.mark.parametrize("case", list(CASES))
def test_the_answer_is_that_from_nothing(tables: dict[str, Tables], base: Solution, case: str) -> None:
    cold = equilibrium(tables[case], prepared_like(base, tables[case]), settings=SETTINGS)
    warm = solve(tables[case], year=2023, settings=SETTINGS, start=base)
    for solution in (cold, warm):
        assert solution.equilibrium.convergence.relative_gap <= SETTINGS.gap
    assert warm.equilibrium.potential == pytest.approx(cold.equilibrium.potential, rel=2e-8)
    assert warm.empty_teu_yr == pytest.approx(cold.empty_teu_yr, rel=1e-6)
    first = cold.empty_from
    assert warm.empty_from == first
    for name in ("network_tonnes_yr", "outside_tonnes_yr", "unserved_tonnes_yr"):
        one, other = (getattr(s.equilibrium, name)[:first] for s in (cold, warm))
        assert np.allclose(one, other, rtol=1e-4, atol=1.0)
    net = cold.prepared.network
    rises = net.delay_h * net.power > 0.05  # where the delay hardly answers, volumes may be dealt out in several ways
    near = np.abs(cold.equilibrium.facility_trains_day - warm.equilibrium.facility_trains_day)
    assert near[rises].max() < 0.02
    assert warm.equilibrium.convergence.iterations <= cold.equilibrium.convergence.iterations


def test_the_answer_does_not_hang_on_what_ran_before(tables: dict[str, Tables], base: Solution) -> None:
    first = solve(tables["closed"], year=2023, settings=SETTINGS, start=base)
    solve(tables["built"], year=2023, settings=SETTINGS, start=first)
    again = solve(tables["closed"], year=2023, settings=SETTINGS, start=base)
    for field in fields(flows.Flows):
        one, other = getattr(first.equilibrium, field.name), getattr(again.equilibrium, field.name)
        assert np.array_equal(one, other, equal_nan=True) if isinstance(one, np.ndarray) else one == other


def test_any_solution_will_do_for_a_start(tables: dict[str, Tables], base: Solution) -> None:
    closed = solve(tables["closed"], year=2023, settings=SETTINGS, start=base)
    back = solve(tables["nothing"], year=2023, settings=SETTINGS, start=closed)
    assert back.equilibrium.potential == pytest.approx(base.equilibrium.potential, rel=2e-8)
    with pytest.raises(ValueError, match="zones"):
        on_network(tables["nothing"], base.prepared, replace(base.prepared.network, zones=()))


def test_demand_and_network_are_made_again_only_where_they_change(tables: dict[str, Tables], base: Solution) -> None:
    made = {name: prepared_like(base, given) for name, given in tables.items()}
    old = base.prepared
    assert {name for name, one in made.items() if one.whole is old.whole} == set(CASES) - {"grown"}
    assert {name for name, one in made.items() if one.network is old.network} == {"nothing", "grown"}
    later = prepare(tables["nothing"], year=2030, settings=SETTINGS, like=old)
    assert later.whole is not old.whole
    assert later.network is not old.network  # more trains outside the model
    for name in ("closed", "grown"):
        one, fresh = made[name], prepare(tables[name], year=2023, settings=SETTINGS)
        for field in fields(one.demand):
            a, b = getattr(one.demand, field.name), getattr(fresh.demand, field.name)
            assert np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b, (name, field.name)
        assert np.array_equal(one.outside_usd_t, fresh.outside_usd_t)
        assert np.array_equal(one.money, fresh.money)


def test_arcs_are_found_again_by_what_they_are(tables: dict[str, Tables], base: Solution) -> None:
    old = base.prepared.network
    new = network_door.build(columns(tables["closed"], NETWORK_TABLES))
    arc = matching_arcs(old, new)
    gone = np.flatnonzero(arc < 0)
    assert {old.crossings[i] for i in old.crossing[gone].tolist() if i >= 0} == {"khorgos-altynkol"}
    kept = np.flatnonzero(arc >= 0)
    assert np.unique(arc[kept]).size == kept.size
    assert np.array_equal(old.time_h[kept], new.time_h[arc[kept]])
    assert np.array_equal(old.money_usd_teu[kept], new.money_usd_teu[arc[kept]])
    assert [old.links[i] if i >= 0 else "" for i in old.link[kept]] == [
        new.links[i] if i >= 0 else "" for i in new.link[arc[kept]]
    ]
    assert np.array_equal(matching_arcs(old, old), np.arange(old.arc_count))


def test_numbers_of_arcs_change_without_building_again(tables: dict[str, Tables], base: Solution) -> None:
    """A charge and a closure put into the arrays are the scenarios made of tables."""
    net = base.prepared.network
    at = (net.kind == ArcKind.BORDER) & (net.crossing == net.crossings.index("alashankou-dostyk"))
    dearer = replace(
        net,
        money_usd_teu=net.money_usd_teu + np.where(at, 200.0, 0.0),
        money_empty_usd_teu=net.money_empty_usd_teu + np.where(at, 200.0, 0.0),
    )
    by_array = on_network(tables["nothing"], base.prepared, dearer)
    by_table = prepared_like(base, tables["charge"])
    assert np.allclose(by_array.money, by_table.money)
    assert np.allclose(by_array.outside_usd_t, by_table.outside_usd_t)
    shut = (net.kind == ArcKind.BORDER) & (net.crossing == net.crossings.index("khorgos-altynkol"))
    closed = on_network(
        tables["nothing"], base.prepared, replace(net, container=net.container & ~shut, bulk=net.bulk & ~shut)
    )
    found = equilibrium(tables["nothing"], closed, settings=SETTINGS, start=base)
    wanted = solve(tables["closed"], year=2023, settings=SETTINGS, start=base)
    assert found.equilibrium.potential == pytest.approx(wanted.equilibrium.potential, rel=2e-8)
    assert found.equilibrium.arc_tonnes_yr[:, shut].max() == 0.0
