"""What a year has of its own: parameters, the boxes on a train, the market of sea freight, young services, events."""

from __future__ import annotations

import polars as pl
import pytest

from landbridge.data.tables import Tables
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Charge, Close, Ease
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
        for name in ("teu-per-train", "sea-market-west", "sea-market-east"):
            assert value(applied, name) == rows.get((name, year), value(tables, name))


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
