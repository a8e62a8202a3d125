"""Prices, subsidies, emission factors and farm trade: what they are stated in, and whether they are in their order."""

from __future__ import annotations

import polars as pl
import pytest

from landbridge.data.read import read_atlas

# ----------------------------------------------------------------------------------------------------------- prices


def test_every_rate_has_a_currency_and_a_price_year() -> None:
    rates = read_atlas()["rates"]
    assert rates.filter(~pl.col("currency").str.contains("^[A-Z]{3}$"))["id"].to_list() == []
    assert rates.filter(pl.col("currency") == "USD")["exchange_rate"].unique().to_list() == [1.0]
    assert rates.filter((pl.col("currency") != "USD") & (pl.col("exchange_rate") == 1.0)).is_empty()
    assert rates.null_count().select("currency", "exchange_rate", "price_year").row(0) == (0, 0, 0)


def test_the_chinese_rate_is_the_published_two_part_tariff() -> None:
    """680 yuan and 2.754 yuan a km for a forty-foot box, which is two TEU here."""
    row = read_atlas()["rates"].row(by_predicate=pl.col("id") == "rail-cn", named=True)
    assert (row["currency"], row["price_year"]) == ("CNY", 2015)
    assert 2 * row["usd_teu_km"] * row["exchange_rate"] == pytest.approx(2.754, rel=1e-3)
    assert 2 * row["start_usd_teu"] * row["exchange_rate"] == pytest.approx(680, rel=1e-3)


def test_the_russian_rate_keeps_the_published_transit_price_and_falls_with_distance() -> None:
    """809 of the 1,450 USD a TEU from Dostyk to Brest are Russia's, over 2,791 km."""
    row = read_atlas()["rates"].row(by_predicate=pl.col("id") == "rail-ru", named=True)

    def price(km: float) -> float:
        return float(row["start_usd_teu"] + row["usd_teu_km"] * km)

    assert price(2791) == pytest.approx(809, rel=2e-3)
    assert price(9300) / 9300 < 0.9 * price(2791) / 2791 < price(500) / 500


def test_caspian_ferries_cost_what_the_shipping_company_publishes() -> None:
    """Price list of ASCO for a TEU: 500 USD to Turkmenbashi, 600 USD to Kuryk."""
    atlas = read_atlas()
    km_rate = atlas["rates"].row(by_predicate=pl.col("id") == "ferry-default", named=True)["usd_teu_km"]
    links = {row["id"]: row for row in atlas["links"].iter_rows(named=True)}
    for link, usd in (("ferry:tm-turkmenbashi:az-alat", 500), ("ferry:kz-kuryk:az-alat", 600)):
        assert links[link]["fixed_usd_teu"] + km_rate * links[link]["length_km"] == pytest.approx(usd, abs=0.5)


def test_subsidies_are_told_by_payer_and_what_is_not_known_is_empty() -> None:
    rows = read_atlas()["subsidies"].to_dicts()
    assert {row["country"] for row in rows} == {"CN"}
    assert [row["cap_share_pct"] for row in sorted(rows, key=lambda row: row["year_from"])] == [50, 40, 30, None]
    assert sum(row["usd_teu"] is not None for row in rows) == 1


# ------------------------------------------------------------------------------------------------------------- CO2


def factor(mode: str, traction: str, country: str = "*", line: str | None = None) -> float:
    """Grams a net tonne-km of one row."""
    wanted = (pl.col("mode") == mode) & (pl.col("traction") == traction) & (pl.col("country") == country)
    on = pl.col("line").is_null() if line is None else pl.col("line") == line
    return float(read_atlas()["emissions"].filter(wanted & on)["co2_g_tkm"].item())


def test_modes_emit_in_the_order_of_published_factors() -> None:
    ocean, short = factor("sea", "none", line="sea-deep"), factor("sea", "none")
    electric, mixed, diesel = (factor("rail", t) for t in ("electric", "mixed", "diesel"))
    ferry, road = factor("ferry", "none"), factor("road", "none")
    assert ocean < electric < mixed < diesel < short < ferry < road
    # British factors of tank to wheel, g a tkm: ship above 3,000 TEU 15.4, rail 31.6, ro-ro 51.4, lorries 126.3
    assert 0.4 * 15.4 < ocean < 15.4
    assert 0.6 * 31.6 < diesel < 1.2 * 31.6
    assert ferry == pytest.approx(51.4, abs=0.1)
    assert 0.6 * 126.3 < road < 126.3


def test_dutch_rail_comes_out_as_published() -> None:
    """Four fifths electric, one fifth diesel: 11.3 g a tkm in 2014 (KiM, CE Delft)."""
    assert 0.8 * factor("rail", "electric", "NL") + 0.2 * factor("rail", "diesel") == pytest.approx(11.3, rel=0.15)


def test_a_dirty_grid_emits_more_than_a_clean_one() -> None:
    by_country = {c: factor("rail", "electric", c) for c in ("UZ", "KZ", "CN", "RU", "CH")}
    assert sorted(by_country, key=by_country.__getitem__, reverse=True) == ["UZ", "KZ", "CN", "RU", "CH"]


def test_every_line_and_country_finds_its_factor_with_its_scope() -> None:
    emissions = read_atlas()["emissions"]
    assert emissions.filter((pl.col("mode") == "rail") & pl.col("includes_box")).is_empty()
    assert emissions.filter((pl.col("mode") == "sea") & ~pl.col("includes_box")).is_empty()
    assert set(emissions["scope"]) == {"well_to_wheel", "tank_to_wheel"}


# ------------------------------------------------------------------------------------------------------ farm trade


def test_kazakh_farm_goods_to_china_are_those_published() -> None:
    """2.23 Mt of grain and oilseeds by rail in 2023 (ElDala), 2.2 Mt by the ministry; the matrix alone has 0.06 Mt."""
    overrides = read_atlas()["trade_overrides"]
    row = overrides.row(by_predicate=pl.col("id") == "kaz-chn-grain-bulk", named=True)
    assert row["tonnes"] == pytest.approx(2.23e6, rel=0.01)
    assert row["kind"] == "reported"


@pytest.mark.parametrize(
    ("exporter", "importer", "published", "band"),
    [
        ("KAZ", "UZB", 3.0e6, 0.2),  # wheat of 2023 (El Dala); the railway counts its grain and flour
        ("KAZ", "AFG", 0.379e6, 0.05),  # wheat of 2023 (El Dala)
        ("RUS", "KAZ", 1.9e6, 0.05),  # wheat of 2023 (Ministry of Agriculture of Kazakhstan)
    ],
)
def test_farm_trade_comes_to_published_totals(exporter: str, importer: str, published: float, band: float) -> None:
    rows = read_atlas()["trade_overrides"].filter(
        (pl.col("exporter") == exporter) & (pl.col("importer") == importer) & (pl.col("commodity") == "grain_bulk")
    )
    assert rows["tonnes"].sum() == pytest.approx(published, rel=band)


def test_kazakh_grain_and_flour_to_afghanistan_come_to_the_ministry_s_grain_equivalent() -> None:
    """1.146 Mt in half a year; 1.33 t of wheat make a tonne of flour."""
    rows = read_atlas()["trade_overrides"].filter((pl.col("exporter") == "KAZ") & (pl.col("importer") == "AFG"))
    tonnes = dict(rows.select("commodity", "tonnes").iter_rows())
    assert tonnes["grain_bulk"] + 1.33 * tonnes["food_box"] == pytest.approx(2 * 1.146e6, rel=0.02)
