"""What a year has of its own: parameters, the boxes on a train, the market of sea freight, young services, events."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from landbridge.data.tables import Tables
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Charge, Close, Ease
from landbridge.scenario.years import sea_market, span_of
from landbridge.study.validate.events import event_measures, target_scenarios
from small_run import small_tables


def value(tables: Tables, name: str) -> float:
    return float(tables["parameters"].filter(pl.col("id") == name)["value"][0])


def with_parameter(name: str, new: float) -> Tables:
    tables = small_tables()
    frame = tables["parameters"].with_columns(
        pl.when(pl.col("id") == name).then(pl.lit(new)).otherwise("value").alias("value")
    )
    return tables.replace(parameters=frame)


def test_a_year_takes_its_own_values_and_others_the_base_ones() -> None:
    tables = small_tables()
    rows = {(r["parameter"], r["year"]): r["value"] for r in tables["year_values"].to_dicts()}
    for year in (2016, 2021, 2023, 2024, 2030):
        applied = apply(tables, (), year).tables
        assert value(applied, "teu-per-train") == rows.get(("teu-per-train", year), value(tables, "teu-per-train"))
        market = sea_market(tables, span_of(year))
        for name in ("sea-market-west", "sea-market-east"):
            own = market.get(name, rows.get((name, year), value(tables, name)))
            assert value(applied, name) == pytest.approx(own)


def quoted(*quotes: tuple[dt.date, float]) -> Tables:
    frame = pl.DataFrame(
        {"id": [f"q{i}" for i in range(len(quotes))], "date": [d for d, _ in quotes], "lane": "west",
         "usd_feu": [p for _, p in quotes]}
    )  # fmt: skip
    return small_tables().replace(sea_quotes=frame)


def test_the_market_of_a_time_is_the_mean_of_its_days() -> None:
    """Held against numpy's interpolation, day by day."""
    quotes = [(dt.date(2022, 3, 1), 9000.0), (dt.date(2022, 9, 1), 4000.0), (dt.date(2023, 2, 1), 1500.0),
              (dt.date(2023, 12, 1), 1300.0), (dt.date(2024, 7, 1), 8000.0)]  # fmt: skip
    tables = quoted(*quotes)

    def mean(first: dt.date, last: dt.date) -> float:
        days = np.arange(first.toordinal(), last.toordinal() + 1)
        return float(np.interp(days, [d.toordinal() for d, _ in quotes], [p for _, p in quotes]).mean())

    base = mean(*span_of(2023))
    for span in (span_of(2022), span_of(2024), (dt.date(2022, 8, 20), dt.date(2022, 9, 20)),
                 (dt.date(2024, 6, 1), dt.date(2024, 6, 30)), (dt.date(2023, 1, 31),) * 2):  # fmt: skip
        assert sea_market(tables, span)["sea-market-west"] == pytest.approx((mean(*span) - base) / 2, abs=0.05)
    assert sea_market(tables, span_of(2021)) == {}
    assert sea_market(tables, span_of(2025)) == {}
    assert sea_market(tables, span_of(2023))["sea-market-west"] == pytest.approx(0)


def test_june_of_2024_paid_more_by_sea_than_its_year() -> None:
    june = apply(small_tables(), (), 2024, span=(dt.date(2024, 6, 1), dt.date(2024, 6, 30))).tables
    assert value(june, "sea-market-west") > value(apply(small_tables(), (), 2024).tables, "sea-market-west") > 1000


def test_a_wider_pool_comes_from_the_sea_once() -> None:
    tables = with_parameter("rail-pool-west", 2.0)
    before, after = with_parameter("rail-pool-west", 1.0), apply(tables, (), 2023).tables
    modes = ["rail", "road", "pipeline", "sea", "air", "switch"]
    for frame in (before["mode_shares"], after["mode_shares"]):
        assert frame.select(pl.sum_horizontal(modes)).to_series().to_list() == pytest.approx([1.0] * frame.height)
    own = pl.col("id") == "chn-europe-machinery-box"
    old, new = (f["mode_shares"].filter(own)["switch"].item() for f in (before, after))
    assert new == pytest.approx(2 * old)
    assert apply(after, (), 2023).tables["mode_shares"].equals(after["mode_shares"])


def test_boxes_to_russia_went_by_ship_until_lines_left() -> None:
    modes = ["rail", "road", "pipeline", "sea", "air", "switch"]
    plain, tables = with_parameter("russia-rail-before-2022", 1.0), with_parameter("russia-rail-before-2022", 0.6)
    base = plain["mode_shares"]
    then, now = (apply(tables, (), year).tables for year in (2021, 2022))
    assert now["mode_shares"].equals(apply(plain, (), 2022).tables["mode_shares"])
    assert apply(then, (), 2021).tables["mode_shares"].equals(then["mode_shares"])
    old, new = (frame.sort("id").to_dicts() for frame in (apply(plain, (), 2021).tables["mode_shares"],
                                                         then["mode_shares"]))  # fmt: skip
    moved = {row["id"] for row, before in zip(new, old, strict=True) if row != before}
    boxes = {"*", *tables["commodities"].filter(pl.col("form") == "container")["id"].to_list()}
    pair = pl.concat_str("exporter", "importer").is_in(["CHNRUS", "RUSCHN"])
    assert moved == set(base.filter(pair & pl.col("commodity").is_in(sorted(boxes)))["id"].to_list())
    assert {"chn-rus-any", "rus-chn-any"} < moved
    for row, before in zip(new, old, strict=True):
        assert sum(row[m] for m in modes) == pytest.approx(1.0)
        if row["id"] in moved:
            assert (row["rail"], row["switch"]) == pytest.approx((0.6 * before["rail"], 0.6 * before["switch"]))
            assert (row["road"], row["air"]) == (before["road"], before["air"])


def test_more_by_rail_to_russia_than_the_sea_has_is_no_negative_sea() -> None:
    shares = apply(with_parameter("russia-rail-before-2022", 9.0), (), 2021).tables["mode_shares"]
    assert shares["sea"].min() >= 0
    row = shares.filter(pl.col("id") == "chn-rus-any").row(0, named=True)
    assert row["sea"] == pytest.approx(0, abs=1e-12)
    assert sum(row[m] for m in ("rail", "road", "pipeline", "sea", "air", "switch")) == pytest.approx(1.0)


def test_trains_carried_fewer_boxes_before_2023() -> None:
    then, now = (apply(small_tables(), (), year).tables["commodities"] for year in (2022, 2023))
    boxed = pl.col("form") == "container"
    ratio = value(apply(small_tables(), (), 2022).tables, "teu-per-train") / value(small_tables(), "teu-per-train")
    assert ratio < 1
    for part, factor in ((boxed, ratio), (~boxed, 1.0)):
        old, new = (frame.filter(part)["t_per_train"].to_list() for frame in (then, now))
        assert old == pytest.approx([factor * x for x in new])


def test_young_services_cost_more_each_year_back() -> None:
    tables = with_parameter("rail-youth-china-europe", 40.0)
    base = value(tables, "rail-constant-china-europe")
    for year, more in ((2016, 200.0), (2020, 40.0), (2021, 0.0), (2024, 0.0)):
        assert value(apply(tables, (), year).tables, "rail-constant-china-europe") == pytest.approx(base + more)


def test_events_hold_on_their_part_of_the_days() -> None:
    tables = small_tables()
    stop = [m for m in event_measures(tables, 2021) if isinstance(m, Close) and "alashankou-dostyk" in m.crossings]
    assert stop[0].share == pytest.approx(1 - 8 / 365)
    whole = event_measures(tables, 2021, whole=("2021-10-loading-stop",))
    assert next(m for m in whole if isinstance(m, Close) and "alashankou-dostyk" in m.crossings).share == 0
    october = event_measures(tables, 2021, "Oct")
    assert next(m for m in october if isinstance(m, Close)).share == pytest.approx(1 - 7 / 31)
    assert not any(isinstance(m, Close) for m in event_measures(tables, 2021, without=("2021-10-loading-stop",)))
    premium = next(m for m in event_measures(tables, 2022) if isinstance(m, Charge))
    row = tables["event_effects"].filter(pl.col("id") == "invasion-premium").row(0, named=True)
    assert premium.usd_teu == pytest.approx(row["value"] * 311 / 365)
    late = [m for m in event_measures(tables, 2024) if isinstance(m, Ease)]
    assert 1 < (late[0].time_factor or 0) < 1.33


def test_every_scenario_of_targets_fits_the_atlas() -> None:
    for scenario in target_scenarios().values():
        measures = (*event_measures(small_tables(), 2025, whole=scenario.events), *scenario.measures)
        assert apply(small_tables(), measures, 2025).tables["links"].height


SUEZ = "sea:sea-babelmandeb:sea-suez"


def test_a_quoted_price_holds_the_longer_way_and_the_price_list_asks_for_it_no_second_time() -> None:
    """Held against scipy's shortest path over the same sea links."""
    tables = small_tables()
    sea = tables["links"].filter((pl.col("mode") == "sea") & (pl.col("season_days") == 365))
    usd_km = float(tables["rates"].filter((pl.col("mode") == "sea") & (pl.col("country") == "*"))["usd_teu_km"][0])
    places = sorted({*sea["place_a"], *sea["place_b"]})

    def price(links: pl.DataFrame) -> float:
        usd = (links["length_km"] * usd_km + links["fixed_usd_teu"].fill_null(0.0)).to_numpy()
        ends = ([places.index(p) for p in links["place_a"]], [places.index(p) for p in links["place_b"]])
        graph = csr_matrix((usd, ends), shape=(len(places),) * 2)
        start, end = places.index("cn-shanghai-port"), places.index("nl-rotterdam")
        return float(dijkstra(graph, directed=False, indices=start)[end])

    more = price(sea.filter(pl.col("id") != SUEZ)) - price(sea)
    assert 100 < more < 400
    plain, shut = (apply(tables, m, 2024).tables for m in ((), (Close(links=(SUEZ,)),)))
    for name in ("sea-market-west", "sea-market-east"):
        assert value(plain, name) - value(shut, name) == pytest.approx(more)
    # nothing is quoted for a later year: ships pay the longer way by its km
    later = [apply(tables, m, 2030).tables for m in ((), (Close(links=(SUEZ,)),))]
    assert value(later[0], "sea-market-west") == value(later[1], "sea-market-west")
    # a link that no ship between the quoted ports takes changes nothing
    other = apply(tables, (Close(links=("sea:sea-babelmandeb:in-mundra",)),), 2024).tables
    assert value(other, "sea-market-west") == value(plain, "sea-market-west")
