"""Trade that answers on the reduced size: fixed point, laws, and the five questions of the tutorial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from landbridge.data.tables import Tables
from landbridge.errors import NoEquilibrium, StudyError
from landbridge.model import demand as demand_door
from landbridge.model import trade
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Ease, Grow, Measure, Sanction, Subsidise, Union
from landbridge.scenario.trade_edits import moves_of
from landbridge.study.access import zone_access
from landbridge.study.answer import Answer, Reference, answer, frozen_tables, projected_world, reference_of
from landbridge.study.answering import Answering
from landbridge.study.files import read_study
from landbridge.study.given import given
from landbridge.study.payments import payments_table
from landbridge.study.solve import DEMAND_TABLES, Prepared, Settings, Solution, columns, equilibrium, prepare, solve
from landbridge.study.tonnes import commodity_tonnes
from landbridge.study.trade_cost import free_costs, relation_costs
from landbridge.study.world import atlas_world, economy_of, elasticities_of, sector_of_commodity
from small_run import small_tables

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SETTINGS = Settings(gap=1e-8, size="reduced")
GE = Answering(mode="ge")
EASE = Ease(crossings=("khorgos-altynkol", "alashankou-dostyk"), time_factor=0.2, waiting_factor=0.2)


@pytest.fixture(scope="module")
def atlas() -> Tables:
    return small_tables()


@pytest.fixture(scope="module")
def base(atlas: Tables) -> tuple[Reference, Solution]:
    """The base of 2023, solved once."""
    tables = apply(atlas, (), 2023).tables
    solution = solve(tables, year=2023, settings=SETTINGS)
    return reference_of(tables, solution), solution


@pytest.fixture(scope="module")
def answered(atlas: Tables, base: tuple[Reference, Solution]) -> Callable[..., Answer]:
    """What trade answers to measures in 2023, each asked once."""
    kept: dict[tuple[object, ...], Answer] = {}
    made: dict[tuple[Measure, ...], tuple[Tables, Prepared]] = {(): (base[0].tables, base[1].prepared)}

    def of(*measures: Measure, how: Answering = GE) -> Answer:
        key = (*measures, how)
        if key not in kept:
            if measures not in made:
                tables = apply(atlas, measures, 2023).tables
                made[measures] = (tables, prepare(frozen_tables(tables), year=2023, settings=SETTINGS))
            tables, prepared = made[measures]
            kept[key] = answer(tables, base[0], year=2023, settings=SETTINGS, how=how, prepared=prepared)
        return kept[key]

    return of


def flow(found: Answer, exporter: str, importer: str, sector: str | None = None) -> tuple[float, float]:
    """Value before and after."""
    world = found.world
    e, i = world.countries.index(exporter), world.countries.index(importer)
    rows = slice(None) if sector is None else [world.sectors.index(sector)]
    return float(world.trade[rows, e, i].sum()), float(found.value[rows, e, i].sum())


def tonnes_between(solution: Solution, exporters: set[str], importers: set[str]) -> float:
    demand = solution.prepared.demand
    chosen = [
        demand.countries[e] in exporters and demand.countries[i] in importers
        for e, i in zip(demand.exporter.tolist(), demand.importer.tolist(), strict=True)
    ]
    return float(demand.tonnes_yr[chosen].sum())


def frozen_demand(found: Answer) -> list[float]:
    """Tonnes of each commodity that the volumes answered make of the demand before they answered."""
    world, tables = found.world, apply(small_tables(), [EASE], 2023).tables
    before = prepare(tables, year=2023, settings=SETTINGS).demand
    sector = sector_of_commodity(tables)
    number = {c: i for i, c in enumerate(world.countries)}

    def times(k: int, e: int, i: int) -> float:
        ends = number.get(before.countries[e]), number.get(before.countries[i])
        if None in ends:
            return 1.0
        return float(found.volume[world.sectors.index(sector[before.commodities[k]]), ends[0], ends[1]])

    out = [0.0] * len(before.commodities)
    for k, e, i, t in zip(before.commodity, before.exporter, before.importer, before.tonnes_yr, strict=True):
        out[k] += t * times(int(k), int(e), int(i))
    for k, e, i, t in zip(
        before.fixed_commodity, before.fixed_exporter, before.fixed_importer, before.fixed_tonnes_yr, strict=True
    ):
        out[k] += t * times(int(k), int(e), int(i))
    return out


# ------------------------------------------------------------------------------------------------------ the economy


def test_the_atlas_economy_is_its_own_equilibrium(atlas: Tables) -> None:
    tables = apply(atlas, (), 2023).tables
    world = atlas_world(tables)
    economy, notes = economy_of(world, tables)
    np.testing.assert_allclose(economy.value_added + economy.inputs[:, :, 0:1].sum(axis=1) * 1.0, 1.0, atol=1e-12)
    same = trade.solve_sectors(economy)
    np.testing.assert_allclose(same.welfare, 1.0, atol=1e-8)
    np.testing.assert_allclose(same.trade, economy.trade, rtol=1e-7)
    assert any("fuels 64.85 capped at 10" in note for note in notes)
    assert any("home put at" in note for note in world.notes)


def test_all_value_of_the_matrix_is_in_the_world(atlas: Tables) -> None:
    tables = apply(atlas, (), 2023).tables
    world = atlas_world(tables)
    abroad = world.total - np.diag(np.diag(world.total))
    matrix = tables["trade"].filter(pl.col("year") == 2023)["value_usd"].sum()
    own = (
        tables["trade"].filter((pl.col("year") == 2023) & (pl.col("exporter") == pl.col("importer")))["value_usd"].sum()
    )
    assert abroad.sum() == pytest.approx(matrix - own, rel=1e-12)


@pytest.mark.parametrize("column", ["gross_output_usd", "input_use_usd", "theta", "tariff_pct"])
def test_no_number_of_the_trade_tables_is_ignored(atlas: Tables, column: str) -> None:
    table = {"theta": "trade_sectors", "tariff_pct": "tariffs"}.get(column, "goods_output")
    nudged = atlas.replace(**{table: atlas[table].with_columns(pl.col(column) * 1.1)})

    def welfare(tables: Tables) -> np.ndarray:
        now = apply(tables, (), 2023).tables
        world = atlas_world(now)
        economy, _ = economy_of(world, now)
        cost = np.ones(economy.trade.shape)
        i, j = world.countries.index("CHN"), world.countries.index("KAZ")
        cost[:, i, j] = 0.9
        return trade.solve_sectors(economy, cost_hat=cost, tolerance=1e-7).welfare

    assert np.abs(welfare(nudged) - welfare(atlas)).max() > 1e-7


def test_parameters_of_trade_have_an_effect(atlas: Tables, base: tuple[Reference, Solution]) -> None:
    def with_value(row: str, value: float) -> Tables:
        here = pl.when(pl.col("id") == row).then(value).otherwise(pl.col("value")).alias("value")
        return base[0].tables.replace(parameters=base[0].tables["parameters"].with_columns(here))

    capped, _ = elasticities_of(with_value("trade-theta-cap", 5.0))
    assert capped.max() == 5.0
    plain = zone_access(base[0].tables, base[1])["access"].to_numpy()
    for row, value in (("access-theta", 4.0), ("access-labour", 0.5), ("access-box-value", 30000.0)):
        assert np.abs(zone_access(with_value(row, value), base[1])["access"].to_numpy() / plain - 1).max() > 1e-3


# ---------------------------------------------------------------------------------------------------- conservation


def test_every_tonne_is_there_before_and_after_zoning(atlas: Tables) -> None:
    """Of every commodity: relations, flows set apart, and what is counted as elsewhere or without a zone."""
    tables = columns(apply(atlas, (), 2023).tables, DEMAND_TABLES)
    demand = demand_door.build(tables, year=2023, size="full")
    goods = demand_door.goods_of_years(tables, year=2023)
    whole = sum(now for _, now in goods.values())
    zoned = demand.tonnes_yr.sum() + demand.fixed_tonnes_yr.sum() + demand.elsewhere_tonnes_yr
    zoned += demand.within_zone_tonnes_yr + sum(t for _, t in demand.without_zone)
    assert zoned == pytest.approx(whole, abs=1.0), "to the tonne"
    for size in ("full", "reduced"):
        rows = commodity_tonnes(atlas, size=size)
        assert sum(row.trade_t_yr for row in rows) == pytest.approx(whole, abs=1.0)
        assert {row.commodity for row in rows if abs(row.difference_t_yr) > 1.0} == set()
    assert sum(row.left_out_t_yr for row in rows) > 1e6
    studied = {
        (demand.countries[e], demand.countries[i])
        for e, i in zip(demand.exporter.tolist(), demand.importer.tolist(), strict=True)
    }
    lost = {country for country, _ in demand.without_zone}
    for k, commodity in enumerate(demand.commodities):
        before = sum(
            now for (e, i, c), (_, now) in goods.items() if c == commodity and (e, i) in studied and not {e, i} & lost
        )
        own = demand.commodity == k
        inside = [
            demand.countries[e] not in lost and demand.countries[i] not in lost
            for e, i in zip(demand.exporter.tolist(), demand.importer.tolist(), strict=True)
        ]
        fixed = [
            c == k and demand.countries[e] not in lost and demand.countries[i] not in lost
            for e, i, c in zip(
                demand.fixed_exporter.tolist(),
                demand.fixed_importer.tolist(),
                demand.fixed_commodity.tolist(),
                strict=True,
            )
        ]
        after = demand.tonnes_yr[own & np.array(inside)].sum() + demand.fixed_tonnes_yr[np.array(fixed)].sum()
        assert after + demand.within_zone_tonnes_yr >= before - 1.0, commodity
        assert after <= before + 1.0, commodity


def test_what_answers_is_conserved(answered: Callable[..., Answer]) -> None:
    found = answered(EASE)
    assert found.outcome is not None
    assert found.economy is not None
    np.testing.assert_allclose(found.value.sum(axis=2), found.outcome.output, rtol=1e-8)
    # world income is the numeraire
    assert found.outcome.wage @ found.economy.factor_income == pytest.approx(
        found.economy.factor_income.sum(), rel=1e-10
    )
    assert (found.value[found.world.trade == 0] == 0).all(), "zero trade stays zero"
    # what was assigned is what trade answers, commodity by commodity and to the tonne
    demand, made = found.solution.prepared.demand, frozen_demand(found)
    for k in range(len(demand.commodities)):
        assigned = (
            demand.tonnes_yr[demand.commodity == k].sum() + demand.fixed_tonnes_yr[demand.fixed_commodity == k].sum()
        )
        assert assigned == pytest.approx(made[k], abs=1.0 + 2e-5 * made[k]), demand.commodities[k]


# --------------------------------------------------------------------------------------------------- the fixed point


def test_nothing_changes_where_nothing_is_done(answered: Callable[..., Answer]) -> None:
    for mode in ("gravity", "ge"):
        found = answered(how=Answering(mode=mode))  # type: ignore[arg-type]
        assert found.rounds <= 2
        np.testing.assert_allclose(found.volume, 1.0, atol=1e-5)


def test_easier_borders_raise_trade_and_the_modes_agree_on_whose(answered: Callable[..., Answer]) -> None:
    gains = {}
    for mode in ("elasticity", "gravity", "ge"):
        found = answered(EASE, how=Answering(mode=mode))  # type: ignore[arg-type]
        assert found.gap <= 1e-5
        before, after = flow(found, "CHN", "KAZ")
        gains[mode] = after / before - 1
        assert found.rule_of_half_usd > 0
    assert all(gain > 0 for gain in gains.values()), gains
    assert gains["gravity"] < gains["elasticity"], "resistances take a part back"
    found = answered(EASE)
    assert found.outcome is not None
    assert found.outcome.welfare[found.world.countries.index("KAZ")] > 1


def test_time_counted_in_trade_is_another_number_not_an_addition(answered: Callable[..., Answer]) -> None:
    route = answered(EASE, how=Answering(mode="elasticity"))
    in_trade = answered(EASE, how=Answering(mode="elasticity", time="trade"))
    cell = (
        route.world.sectors.index("manufactures"),
        route.world.countries.index("CHN"),
        route.world.countries.index("KAZ"),
    )
    assert route.cost_hat[cell] < 1
    assert in_trade.cost_hat[cell] < 1
    assert in_trade.cost_hat[cell] != route.cost_hat[cell]


def test_the_fixed_point_does_not_hang_on_the_step(answered: Callable[..., Answer]) -> None:
    whole = answered(EASE, how=Answering(mode="elasticity"))
    half = answered(EASE, how=Answering(mode="elasticity", damping=0.5))
    used = whole.world.trade > 1e6
    np.testing.assert_allclose(half.volume[used], whole.volume[used], rtol=1e-4)


def test_a_province_s_subsidy_moves_boxes_to_land(atlas: Tables, base: tuple[Reference, Solution]) -> None:
    """The zone with the most boxes that can choose; what is firm by rail or in bulk does not answer."""
    old = base[1].prepared.demand
    boxes = ~old.captive & base[1].prepared.classes.container[old.commodity]
    zone = int(np.argmax(np.bincount(old.origin[boxes], weights=old.tonnes_yr[boxes])))
    applied = apply(atlas, [Subsidise(zones=(old.zones[zone],), usd_teu=1500.0, payer="CN")], 2023)
    paid = applied.tables
    now = solve(paid, year=2023, settings=SETTINGS)
    own = boxes & (old.origin == zone)
    before = base[1].equilibrium.network_tonnes_yr[: len(own)][own].sum()
    assert now.equilibrium.network_tonnes_yr[: len(own)][own].sum() > before
    assert (now.prepared.levy_usd_t[own] < 0).all()
    others = old.origin != zone
    assert (now.prepared.levy_usd_t[others] == base[1].prepared.levy_usd_t[others]).all()
    # who pays it, on how many boxes, and what it comes to
    (row,) = payments_table(paid, now, applied.payments).to_dicts()
    teu = now.equilibrium.network_tonnes_yr[: len(own)] / now.prepared.classes.t_per_teu[old.commodity]
    boxes_paid = float(teu[(old.origin == zone) & now.prepared.classes.container[old.commodity]].sum())
    assert (row["kind"], row["party"], row["row"], row["per"]) == ("subsidise", "CN", old.zones[zone], "TEU")
    assert row["quantity"] == pytest.approx(boxes_paid)
    assert row["paid_usd"] == pytest.approx(-1500.0 * boxes_paid)


def test_free_flow_costs_are_those_of_an_assignment_with_hardly_any_cargo(base: tuple[Reference, Solution]) -> None:
    prepared, tables = base[1].prepared, base[0].tables
    few = np.full(prepared.demand.relation_count, 1e-6)
    demand = demand_door.scaled(prepared.demand, few, np.ones(len(prepared.demand.fixed_tonnes_yr)))
    empty = equilibrium(tables, replace(prepared, demand=demand), settings=SETTINGS)
    sectors = tuple(tables["trade_sectors"]["id"].to_list())
    found, wanted = (
        free_costs(prepared, sector_of_commodity(tables), sectors),
        relation_costs(empty, sector_of_commodity(tables), sectors),
    )
    assert found.keys == wanted.keys
    np.testing.assert_allclose(found.composite_usd_t, wanted.composite_usd_t, rtol=1e-5)
    np.testing.assert_allclose(found.land_share, wanted.land_share, atol=1e-4)
    # hours are those of the cheapest way; where two cost nearly the same the assignment may hold either
    near = np.abs(found.money_usd_t - wanted.money_usd_t) < 1e-3 * wanted.composite_usd_t
    assert near[np.isfinite(wanted.composite_usd_t)].mean() > 0.98


def test_barred_goods_do_not_pass(atlas: Tables) -> None:
    rule = Sanction(exporter="CHN", importer="eu", barred_countries=("RU",))
    now = solve(apply(atlas, [rule], 2023).tables, year=2023, settings=SETTINGS)
    net, flows, demand = now.prepared.network, now.equilibrium, now.prepared.demand
    russia = net.countries.index("RU")
    banned = np.flatnonzero(now.prepared.ban > 0)
    assert len(banned)
    # the rule alone bars Russia; owners who refuse it refuse its neighbours too, in both directions
    by_rule = [r for r in banned.tolist() if now.prepared.sets[now.prepared.ban[r]] == "RU"]
    assert {demand.countries[e] for e in demand.exporter[by_rule].tolist()} == {"CHN"}
    for path in np.flatnonzero(np.isin(flows.path_relation, banned)).tolist():
        arcs = flows.path_arcs[flows.path_first[path] : flows.path_first[path + 1]]
        assert not (net.country[arcs] == russia).any()


def test_an_embargo_on_everything_is_refused_with_the_reason(atlas: Tables, base: tuple[Reference, Solution]) -> None:
    names = [c for c in base[0].tables["countries"]["iso3"].to_list() if c != "KAZ"]
    del names
    closed = [
        Sanction(exporter="KAZ", share=0.0),
        Sanction(importer="KAZ", share=0.0),
    ]
    tables = apply(atlas, closed, 2023).tables
    with pytest.raises(NoEquilibrium, match="KAZ is cut off from all others with a trade balance"):
        answer(tables, base[0], year=2023, settings=SETTINGS, how=GE)


# --------------------------------------------------------------------------------------- trade that a scenario gives


def test_the_welfare_of_given_trade_is_that_of_the_cost_that_brings_it(base: tuple[Reference, Solution]) -> None:
    """A cost is lowered, the trade that follows is handed over as given: the same welfare comes back."""
    tables = base[0].tables
    world = atlas_world(tables)
    economy, _ = economy_of(world, tables)
    e, i = world.countries.index("CHN"), world.countries.index("KAZ")
    cost = np.ones(economy.trade.shape)
    cost[:, e, i], cost[:, i, e] = 0.85, 0.95
    known = trade.solve_sectors(economy, cost_hat=cost, tolerance=1e-8)
    volume = known.trade / np.where(world.trade > 0, world.trade, 1) / known.cost[:, :, None]
    cells = cost != 1
    after = replace(world, trade=np.where(cells, world.trade * volume, world.trade))
    found = given(tables, world, after, (), year=2023, tolerance=1e-7)
    assert found is not None
    np.testing.assert_allclose(found.outcome.welfare, known.welfare, atol=1e-6)
    np.testing.assert_allclose(found.cost_hat[cells & (world.trade > 0)], cost[cells & (world.trade > 0)], rtol=1e-5)
    assert given(tables, world, world, (), year=2023) is None


def test_who_loses_when_steel_moves(atlas: Tables, base: tuple[Reference, Solution]) -> None:
    """China loses, Kazakhstan gains and makes what the plants make; its neighbours, who sell the same, lose too."""
    (scenario,) = [s for s in read_study(EXAMPLES / "relocation.toml").scenarios if s.id == "moved"]
    tables, world = base[0].tables, atlas_world(base[0].tables)
    found = given(tables, world, world, scenario.measures, year=2023)
    assert found is not None
    welfare = dict(zip(world.countries, found.outcome.welfare - 1, strict=True))
    assert welfare["KAZ"] > 0 > welfare["CHN"] == min(welfare.values())
    assert welfare["KGZ"] < 0
    s, kaz = world.sectors.index("manufactures"), world.countries.index("KAZ")
    moves = moves_of(tables, scenario.measures[0])  # type: ignore[arg-type]
    more = found.outcome.output[s, kaz] / found.outcome.cost[s, kaz] / found.cost_hat[s, kaz, kaz]
    wanted = world.trade[s, kaz].sum() + moves.made_t["KAZ"] * moves.value_usd_t
    assert more == pytest.approx(wanted, rel=2e-4)


# ------------------------------------------------------------------------------------------------------- projection


def test_projections_reach_2050_in_ranges(atlas: Tables) -> None:
    tables = columns(apply(atlas, (), 2050).tables, DEMAND_TABLES)
    totals, kaz, base = {}, {}, 0.0
    for path in demand_door.GROWTH:
        goods = demand_door.goods_of_years(tables, year=2050, growth=path)
        totals[path], base = sum(now for _, now in goods.values()), sum(old for old, _ in goods.values())
        kaz[path] = goods["CHN", "KAZ", "machinery_box"]
    assert base < totals["low"] < totals["mean"] < totals["high"]
    assert kaz["mean"][1] / kaz["mean"][0] == pytest.approx(1.06**7 * 1.04**20), "2.4 + (6 - 2.8) / 2 after 2030"
    assert kaz["high"][1] / kaz["high"][0] == pytest.approx(1.08**7 * 1.055**20)
    with pytest.raises(Exception, match="2050"):
        demand_door.build(tables, year=2051)


def test_the_world_of_a_year_grows_with_its_trade(atlas: Tables) -> None:
    tables = apply(
        atlas, [Grow(target_bn_usd=60.0, target_year=2030, exporter="CHN", importer="KAZ", both_ways=True)], 2030
    ).tables
    world = projected_world(tables, year=2030, settings=SETTINGS)
    e, i = world.countries.index("CHN"), world.countries.index("KAZ")
    assert (world.total[e, i] + world.total[i, e]) / 1e9 == pytest.approx(60.0, rel=2e-2)


# ------------------------------------------------------------------------------------------- the five questions


def use_of(solution: Solution, crossing: str) -> float:
    """Fuller direction of a railway crossing, as a part of its capacity."""
    net, flows = solution.prepared.network, solution.equilibrium
    facilities = np.unique(net.facility[(net.crossing == net.crossings.index(crossing)) & (net.facility >= 0)])
    trains = flows.facility_trains_day[facilities] + net.preload_trains_day[facilities]
    return float((trains / net.capacity_trains_day[facilities]).max())


def test_what_forty_and_sixty_billion_fill(atlas: Tables) -> None:
    """40 bn in 2030 was met in 2023 on Chinese figures; 60 bn fill the crossings beyond what 40 do."""
    pair = {"exporter": "CHN", "importer": "KAZ", "both_ways": True, "target_year": 2030, "basis": "gacc"}
    fill, tonnes, notes = {}, {}, {}
    for bn in (40.0, 60.0):
        applied = apply(atlas, [Grow(target_bn_usd=bn, **pair)], 2030)  # type: ignore[arg-type]
        solution = solve(applied.tables, year=2030, settings=SETTINGS)
        fill[bn] = {name: use_of(solution, name) for name in ("khorgos-altynkol", "alashankou-dostyk")}
        tonnes[bn] = tonnes_between(solution, {"CHN", "KAZ"}, {"CHN", "KAZ"})
        notes[bn] = " ".join(applied.notes)
    assert "warning" in notes[40.0]
    assert "41.0 bn USD in 2023 already" in notes[40.0]
    assert "warning" not in notes[60.0]
    assert tonnes[60.0] == pytest.approx(1.5 * tonnes[40.0], rel=0.05), "values at constant prices"
    assert all(fill[60.0][name] > fill[40.0][name] for name in fill[40.0])


def test_a_tenth_of_steel_and_cement_moves(atlas: Tables, base: tuple[Reference, Solution]) -> None:
    """The study that ships: Chinese exports fall by a tenth of the industry's part, Kazakhstan's rise, to the tonne."""
    (scenario,) = [s for s in read_study(EXAMPLES / "relocation.toml").scenarios if s.id == "moved"]
    applied = apply(atlas, scenario.measures, 2023)
    goods = demand_door.goods_of_years(columns(applied.tables, DEMAND_TABLES), year=2023)
    before = demand_door.goods_of_years(columns(base[0].tables, DEMAND_TABLES), year=2023)
    metals = ("metals_bulk", "manuf_box")

    def sum_of(
        table: dict[tuple[str, str, str], tuple[float, float]], exporter: str, importer: str | None = None
    ) -> float:
        return sum(t for (e, i, c), (_, t) in table.items() if e == exporter and c in metals and importer in (None, i))

    assert sum_of(goods, "CHN") < sum_of(before, "CHN")
    assert sum_of(goods, "KAZ") > sum_of(before, "KAZ")
    assert sum_of(goods, "CHN", "KAZ") < sum_of(before, "CHN", "KAZ"), "leaves the Alashankou line"
    (move,) = scenario.measures
    lost = sum_of(before, "CHN") - sum_of(goods, "CHN")
    won = sum_of(goods, "KAZ") - sum_of(before, "KAZ")
    home = sum_of(before, "CHN", "KAZ") - sum_of(goods, "CHN", "KAZ")
    # cells with a published total do not take a factor by halves: they are counted by their own rows
    assert won == pytest.approx(lost - home, rel=0.1)
    assert move.share == 0.1  # type: ignore[union-attr]
    assert any("excess capacity" in note for note in applied.notes)


def test_uzbekistan_joins_the_customs_union(answered: Callable[..., Answer]) -> None:
    found = answered(Union(bloc="eaeu", members=("UZ",), time_factor=0.5, waiting_factor=0.5))
    uzb, kaz, chn = (found.world.countries.index(c) for c in ("UZB", "KAZ", "CHN"))
    was, now = found.tariff_before[:, chn, uzb], found.tariff[:, chn, uzb]
    assert (was > now).all(), "the union's tariffs are lower"
    assert (now > 0).all()
    assert len(set(now.tolist())) == 2, "primary and manufactured goods"
    assert (found.tariff[:, kaz, uzb] == 0).all(), "free trade within the Commonwealth stands"
    assert (found.tariff_before[:, kaz, uzb] == 0).all()
    before, after = flow(found, "CHN", "UZB")
    assert after > before
    assert found.outcome is not None
    assert abs(found.outcome.welfare[uzb] - 1) > abs(found.outcome.welfare[chn] - 1)


def test_russia_is_cut_off_from_the_union_s_trade(
    answered: Callable[..., Answer], base: tuple[Reference, Solution]
) -> None:
    found = answered(Sanction(exporter="eu", importer="RUS", both_ways=True, share=0.0))
    assert flow(found, "DEU", "RUS")[1] == 0
    assert flow(found, "RUS", "DEU")[1] == 0
    before, after = flow(found, "RUS", "CHN")
    assert after > before, "what went west goes east"
    assert found.outcome is not None
    russia = found.world.countries.index("RUS")
    assert found.outcome.welfare[russia] == found.outcome.welfare.min()
    assert tonnes_between(found.solution, {"RUS"}, {"CHN"}) > tonnes_between(base[1], {"RUS"}, {"CHN"})
    assert use_of(found.solution, "manzhouli-zabaikalsk") > use_of(base[1], "manzhouli-zabaikalsk")


def test_farm_exports_to_china_double(atlas: Tables, base: tuple[Reference, Solution]) -> None:
    """Food by rail over the crossings doubles, tonne for tonne, and nothing else of the pair moves."""
    tables = apply(atlas, [Grow(factor=2.0, exporter="KAZ", importer="CHN", commodity="food")], 2023).tables
    doubled = demand_door.goods_of_years(columns(tables, DEMAND_TABLES), year=2023)
    before = demand_door.goods_of_years(columns(base[0].tables, DEMAND_TABLES), year=2023)
    for key, (_, old) in before.items():
        times = 2 if key[:2] == ("KAZ", "CHN") and key[2] in ("grain_bulk", "food_box") else 1
        assert doubled[key][1] == pytest.approx(times * old, rel=1e-12), key


# -------------------------------------------------------------------------------------------------------- the study


def test_a_study_states_how_demand_answers(tmp_path: Path) -> None:
    text = (
        'name = "x"\nyears = [2023]\n[demand]\nmode = "ge"\ntime = "trade"\ngrowth = "low"\n[[scenario]]\nid = "base"\n'
    )
    path = tmp_path / "s.toml"
    path.write_text(text)
    assert read_study(path).demand == Answering(mode="ge", time="trade", growth="low")
    path.write_text(text.replace('"ge"', '"magic"').replace('"trade"', '"both"'))
    with pytest.raises(StudyError) as caught:
        read_study(path)
    assert {fault.field for fault in caught.value.faults} == {"demand.mode", "demand.time"}
