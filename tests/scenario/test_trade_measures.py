"""What the measures of trade do to rows of trade, each against its rule worked out by hand."""

from __future__ import annotations

import polars as pl
import pytest

from landbridge.data.tables import Tables
from landbridge.scenario.apply import apply
from landbridge.scenario.check import check_measures
from landbridge.scenario.measures import Grow, Measure, Relocate, Sanction, Subsidise, Union
from landbridge.scenario.tariffs import rates_of, union_rate
from small_atlas import small_atlas


@pytest.fixture
def tables() -> Tables:
    return small_atlas()


def row(tables: Tables, exporter: str, importer: str, what: str, table: str = "trade") -> dict[str, object]:
    column = "commodity" if table == "trade" else "product"
    mask = (pl.col("exporter") == exporter) & (pl.col("importer") == importer) & (pl.col(column) == what)
    return tables[table].row(by_predicate=mask, named=True)


def told(tables: Tables, measure: Measure, years: tuple[int, ...] = (2023,)) -> str:
    return "\n".join(str(fault) for fault in check_measures(tables, [measure], years))


# ------------------------------------------------------------------------------------------------------------- grow


@pytest.mark.parametrize(
    ("year", "level", "since"), [(2023, 1.0, 2023), (2026, 3 ** (3 / 6), 2026), (2029, 3.0, 2029), (2031, 3.0, 2029)]
)
def test_a_target_is_reached_at_an_even_rate(tables: Tables, year: int, level: float, since: int) -> None:
    """8 bn both ways in 2023 (5 there, 3 back), 24 bn in 2029."""
    measure = Grow(target_bn_usd=24.0, target_year=2029, exporter="CHN", importer="KAZ", both_ways=True)
    out = apply(tables, [measure], year)
    for flow in (row(out.tables, "CHN", "KAZ", "fuels"), row(out.tables, "KAZ", "CHN", "food")):
        assert flow["level"] == pytest.approx(level)
        assert flow["level_year"] == since
    assert row(out.tables, "CHN", "RUS", "fuels")["level"] is None
    assert any("from 8.0 bn USD in 2023 to 24 in 2029" in note for note in out.notes)


def test_a_target_on_a_basis_is_brought_to_that_of_the_matrix(tables: Tables) -> None:
    """Kazakhstan counts 6 where the matrix counts 8, so its 12 are 16 of the matrix."""
    measure = Grow(
        target_bn_usd=12.0, target_year=2030, exporter="CHN", importer="KAZ", both_ways=True, basis="kaz-stat"
    )
    assert told(tables, measure, (2023, 2030)) == ""
    assert row(apply(tables, [measure], 2030).tables, "CHN", "KAZ", "fuels")["level"] == pytest.approx(2.0)
    one_way = Grow(target_bn_usd=12.0, target_year=2030, exporter="CHN", importer="KAZ", basis="kaz-stat")
    assert "trade both ways between CHN and KAZ" in told(tables, one_way)


def test_a_target_that_is_met_already_warns(tables: Tables) -> None:
    met = Grow(target_bn_usd=7.0, target_year=2030, exporter="CHN", importer="KAZ", both_ways=True)
    notes = apply(tables, [met], 2030).notes
    assert any(n.startswith("warning") and "8.0 bn USD in 2023 already" in n and "7 for 2030" in n for n in notes)
    ahead = Grow(target_bn_usd=9.0, target_year=2030, exporter="CHN", importer="KAZ", both_ways=True)
    assert not any(n.startswith("warning") for n in apply(tables, [ahead], 2030).notes)


def test_a_target_needs_its_year_and_trade_of_value(tables: Tables) -> None:
    early = Grow(target_bn_usd=7.0, target_year=2020, exporter="CHN", importer="KAZ")
    assert "target_year: wanted 2023, the year of the trade, or later" in told(tables, early)
    none = Grow(target_bn_usd=7.0, target_year=2030, exporter="KAZ", importer="RUS")
    assert "wanted trade that is in the tables" in told(tables, none)
    assert "wanted target_year beside target_bn_usd" in told(tables, Grow(target_bn_usd=7.0))


def test_opening_a_flow_adds_it_and_nothing_else(tables: Tables) -> None:
    out = apply(tables, [Grow(open_t_yr=500.0, exporter="RUS", importer="KAZ", commodity="food")], 2023).tables
    flow = row(out, "RUS", "KAZ", "food")
    assert flow["tonnes"] == 0
    assert flow["added_t"] == 500
    assert flow["added_usd"] == pytest.approx(500 * (0.25 * 300 + 0.75 * 900))
    assert out["trade"].height == tables["trade"].height + 1
    again = apply(tables, [Grow(open_t_yr=9.0, exporter="KAZ", importer="CHN", commodity="wheat")], 2023).tables
    assert row(again, "KAZ", "CHN", "wheat", "bulk_trade")["added_t"] == 9
    assert again["bulk_trade"].height == tables["bulk_trade"].height


# --------------------------------------------------------------------------------------------------------- sanction


def test_a_sanction_marks_what_it_names_only(tables: Tables) -> None:
    measures = [
        Sanction(exporter="RUS", commodity="fuels", share=0.5, friction_pct=10.0, barred_countries=("KZ",)),
        Sanction(exporter="RUS", importer="CHN", share=0.5, friction_pct=10.0, barred_countries=("RU",)),
    ]
    out = apply(tables, measures, 2023).tables
    hit = row(out, "RUS", "CHN", "fuels")
    assert (hit["share_left"], hit["barred"]) == (0.25, "KZ;RU")
    assert hit["friction"] == pytest.approx(1.21)
    record = row(out, "RUS", "CHN", "coal", "bulk_trade")
    assert record["share_left"] == 0.25
    free = row(out, "CHN", "RUS", "fuels")
    assert (free["share_left"], free["friction"], free["barred"]) == (1.0, 1.0, "")


def test_a_sanction_on_all_the_world_s_trade_is_no_sanction(tables: Tables) -> None:
    assert "wanted one of exporter, importer, commodity beside share" in told(tables, Sanction(share=0.0))


# ------------------------------------------------------------------------------------------------------------ union


def test_tariffs_are_those_of_the_most_specific_row(tables: Tables) -> None:
    rates = rates_of(tables, ["CHN", "KAZ", "RUS"])
    assert rates["CHN", "KAZ"] == 5.0
    assert rates["RUS", "KAZ"] == 0.0
    assert rates["KAZ", "CHN"] == 4.5
    assert ("KAZ", "KAZ") not in rates
    # Kazakhstan buys 5 bn outside at 5 %, Russia 8 at 3 %
    assert union_rate(tables, ["KAZ", "RUS"]) == pytest.approx((5 * 5 + 8 * 3) / 13)


def test_a_tariff_for_some_goods_beats_the_mean_of_the_same_country_and_no_more(tables: Tables) -> None:
    more = pl.DataFrame(
        {"importer": ["KAZ", "RUS"], "exporter": ["*", "*"], "goods": ["primary"] * 2, "tariff_pct": [9.0, 7.0]}
    )
    sectors = pl.DataFrame(
        {"id": ["fuels", "food"], "groups": [["fuels"], ["food"]], "goods": ["primary", "manufactured"]}
    )
    both = tables.replace(tariffs=pl.concat([tables["tariffs"], more], how="diagonal"), trade_sectors=sectors)
    primary, rest, whole = (rates_of(both, ["CHN", "KAZ", "RUS"], goods=g) for g in ("primary", "manufactured", ""))
    assert (primary["CHN", "KAZ"], rest["CHN", "KAZ"], whole["CHN", "KAZ"]) == (9.0, 5.0, 5.0)
    assert primary["RUS", "KAZ"] == 0.0, "a customs union stands above"
    # of fuels Kazakhstan buys 5 bn outside, Russia 8; of food the union buys nothing there
    assert union_rate(both, ["KAZ", "RUS"], goods="primary") == pytest.approx((5 * 9 + 8 * 7) / 13)
    assert union_rate(both, ["KAZ", "RUS"], goods="manufactured") is None


def test_who_joins_takes_the_union_s_tariff_and_its_borders(tables: Tables) -> None:
    out = apply(tables, [Union(bloc="eaeu", members=("CN",), time_factor=0.25, cost_factor=0.5)], 2023)
    assert row(out.tables, "KAZ", "CHN", "food")["tariff_new_pct"] == 0.0
    assert row(out.tables, "CHN", "RUS", "fuels")["tariff_new_pct"] == 0.0
    gate = out.tables["crossings"].row(by_predicate=pl.col("id") == "gate", named=True)
    assert gate["processing_ab_h"] == 2.5
    assert gate["cost_ba_usd_t"] == 2.0
    assert gate["waiting_ab_h"] == 20.0
    steppe = out.tables["crossings"].row(by_predicate=pl.col("id") == "steppe", named=True)
    assert steppe["processing_ab_h"] == 10.0, "the border between old members stays"
    assert ("eaeu", "CN") in set(out.tables["blocs"].select("bloc", "iso2").iter_rows())
    hours_only = apply(tables, [Union(bloc="eaeu", members=("CN",), tariffs=False, time_factor=0.25)], 2023)
    assert row(hours_only.tables, "KAZ", "CHN", "food")["tariff_new_pct"] is None
    assert any("border hours only" in n for n in hours_only.notes)


def test_without_a_table_of_tariffs_the_union_says_so(tables: Tables) -> None:
    bare = Tables({name: frame for name, frame in tables.frames.items() if name != "tariffs"})
    out = apply(bare, [Union(bloc="eaeu", members=("CN",), time_factor=0.25)], 2023)
    assert any("no table of tariffs" in n for n in out.notes)


def test_a_member_cannot_join_again(tables: Tables) -> None:
    assert "a country outside eaeu" in told(tables, Union(bloc="eaeu", members=("KZ",)))
    assert "wanted a bloc" in told(tables, Union(bloc="KAZ", members=("CN",)))


# --------------------------------------------------------------------------------------------------------- relocate


def test_a_tenth_of_an_industry_moves(tables: Tables) -> None:
    """China sells 10 t of fuels to Kazakhstan, 20 to Russia; a tenth moves there, and half of 100 t at home."""
    measure = Relocate(
        commodity="fuels", share=0.1, hosts=("KAZ",), home_sales_t=100.0, sold_back=0.5, inputs=("food",),
        inputs_t_per_t=(2.0,),
    )  # fmt: skip
    assert told(tables, measure) == ""
    out = apply(tables, [measure], 2023)
    assert row(out.tables, "CHN", "RUS", "fuels")["factor"] == pytest.approx(0.9)
    assert row(out.tables, "CHN", "KAZ", "fuels")["factor"] == pytest.approx(0.9), "made there now"
    assert row(out.tables, "KAZ", "RUS", "fuels")["added_t"] == pytest.approx(2.0), "starts in the host"
    assert row(out.tables, "KAZ", "CHN", "fuels")["added_t"] == pytest.approx(5.0), "comes back"
    # made: 2 t for Russia, 1 t in place of imports, 5 t sold back
    assert row(out.tables, "CHN", "KAZ", "food")["added_t"] == pytest.approx(16.0), "inputs"
    assert any("0.00 Mt a year of former sales at home are excess capacity" in n for n in out.notes)
    world = lambda t: float((t["trade"]["tonnes"] * t["trade"]["factor"] + t["trade"]["added_t"]).sum())  # noqa: E731
    base = apply(tables, [], 2023).tables
    assert world(out.tables) == pytest.approx(world(base) - 1.0 + 5.0 + 16.0), "no tonne appears or is lost but those"


def test_a_plant_larger_than_the_host_s_industry_warns(tables: Tables) -> None:
    huge = Relocate(commodity="fuels", share=1.0, hosts=("KAZ",), home_sales_t=1e9, sold_back=1.0)
    assert any(n.startswith("warning") and "times what the host makes" in n for n in apply(tables, [huge], 2023).notes)


@pytest.mark.parametrize(
    ("measure", "wanted"),
    [
        (Relocate(commodity="fuels", share=0.1, hosts=("CHN",)), "another country than the origin"),
        (Relocate(commodity="fuels", share=0.1, hosts=("eaeu",)), "a country (ISO3)"),
        (Relocate(commodity="coal", share=0.1, hosts=("KAZ",)), "a group of trade"),
        (Relocate(commodity="food", share=0.1, hosts=("KAZ",)), "a country that sells food"),
        (
            Relocate(commodity="fuels", share=0.1, hosts=("KAZ",), inputs=("food",), inputs_t_per_t=(1.0, 2.0)),
            "as many as inputs",
        ),
        (Relocate(commodity="fuels", share=0.1, hosts=("KAZ",), sold_back=0.5), "home_sales_t beside sold_back"),
    ],
)
def test_what_cannot_move_is_told(tables: Tables, measure: Relocate, wanted: str) -> None:
    assert wanted in told(tables, measure)


def test_a_province_pays_for_what_starts_in_it(tables: Tables) -> None:
    out = apply(tables, [Subsidise(zones=("cn-east",), usd_teu=300.0, payer="CN")], 2023)
    zones = dict(out.tables["zones"].select("id", "charge_usd_teu").iter_rows())
    assert zones == {"cn-east": -300.0, "kz-west": 0.0}
    assert [(p.party, p.row, p.usd) for p in out.payments] == [("CN", "cn-east", -300.0)]
    both = Subsidise(zones=("cn-east",), countries=("KZ",), usd_teu=1.0)
    assert "wanted no countries or crossings or links or modes beside zones" in told(tables, both)
