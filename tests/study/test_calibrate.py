"""Calibration finds what made the numbers, reads no other years, and tells what it was fitted to."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from landbridge.data.provenance import read_origins
from landbridge.data.read import ATLAS
from landbridge.errors import LandbridgeError, UnknownName
from landbridge.scenario.apply import apply
from landbridge.study.backtest import FILE as EVENTS
from landbridge.study.backtest import _within
from landbridge.study.calibrate import BEGIN, COUNTS, FINEST, FITTED, _half, calibrate, compass, write_overlay
from landbridge.study.sensitivity import _estimated
from landbridge.study.validate.classes import Classes
from landbridge.study.validate.crossings import counted
from landbridge.study.validate.events import target_scenarios
from landbridge.study.validate.form import read_targets
from small_run import small_results, small_tables

TRUTH = {"cre-central-asia-share": 0.3, "block-train-mid": 2016.0, "train-fill": 1.0}


def passage_flows() -> pl.DataFrame:
    return small_results().of("passage_flows", "base", 2023)


def test_counting_weighs_central_asia_and_the_years() -> None:
    frame = pl.DataFrame({"part": [True, False], "tonnes": [10.0, 10.0], "teu": [1.0, 1.0], "trains": [1.0, 1.0]})
    new = pl.DataFrame({"id": list(TRUTH), "value": list(TRUTH.values())})
    tables = small_tables().replace(parameters=small_tables()["parameters"].update(new, on="id"))
    half = counted(tables, 2016, frame, pl.col("part"))
    assert half["tonnes"].to_list() == pytest.approx([1.5, 5.0])
    assert counted(tables, 2016, frame, pl.col("part"), whole=True)["teu"].to_list() == pytest.approx([0.5, 0.5])
    late = counted(tables, 2060, frame, pl.col("part"))
    assert late["trains"].to_list() == pytest.approx([0.3, 1.0])


def test_a_fit_finds_the_value_that_made_the_numbers(tmp_path: Path) -> None:
    """Targets made by the model itself with another value; a target of another year must not be read."""
    tables = small_tables()
    names = ["cre-central-asia-share"]
    base = {"indicator": "service_teu", "subject": "china-europe-rail", "direction": "both", "period": "year",
            "kind": "level", "unit": "TEU", "note": "", "fact_id": ["F0001"]}  # fmt: skip
    first = calibrate(
        tables, pl.DataFrame([{**base, "id": "X1", "year": 2021, "observed": 1.0}]), years=[2021], names=names,
        size="reduced", most=1,
    )  # fmt: skip
    zero = first.rows["before"][0]
    found = calibrate(
        tables,
        pl.DataFrame(
            [
                {**base, "id": "X1", "year": 2021, "observed": 1.2 * zero},
                {**base, "id": "X2", "year": 2022, "observed": 1e12},
            ]
        ),
        years=[2021],
        names=names,
        size="reduced",
        most=20,
    )
    assert found.rows["id"].to_list() == ["X1"]
    assert found.years == (2021,)
    assert found.converged
    assert not first.converged
    assert found.cost_after < found.cost_before
    assert abs(found.rows["error_after"][0]) < abs(found.rows["error_before"][0])
    assert 0 < found.values["cre-central-asia-share"] < 1
    write_overlay(tmp_path / "fit", found, tables)
    (row,) = list(csv.DictReader((tmp_path / "fit" / "parameters.csv").read_text(encoding="utf-8").splitlines()))
    assert row["id"] == "cre-central-asia-share"
    (origin,) = list(
        csv.DictReader((tmp_path / "fit" / "fit" / "provenance.csv").read_text(encoding="utf-8").splitlines())
    )
    assert (origin["kind"], origin["source"]) == ("calibrated", "F0001")
    assert "X1" in origin["reasoning"]


def test_a_compass_search_ends_where_no_fine_step_helps() -> None:
    """Against a function whose lowest point is known, with kinks and a jump as goods make that change ways."""
    goal = np.array([0.31, 0.84, 0.0])

    def cost(x: npt.NDArray[np.float64]) -> float:
        gap = np.abs(x - goal)
        return float(gap[0] + 3 * gap[1] ** 2 + 2 * gap[2] + 0.2 * (x[0] > 0.6) + 0.5 * gap[0] * gap[1])

    x, least, converged = compass(cost, np.array([0.9, 0.1, 0.5]), 50)
    assert converged
    assert np.abs(x - goal).max() <= FINEST
    assert least == cost(x)
    assert (x >= 0).all()
    for i in range(3):
        for step in (-FINEST, FINEST):
            near = x.copy()
            near[i] = np.clip(near[i] + step, 0, 1)
            assert cost(near) > least - 1e-3
    short, higher, ended = compass(cost, np.array([0.9, 0.1, 0.5]), 1)
    assert not ended
    assert least < higher < cost(np.array([0.9, 0.1, 0.5]))
    assert higher == cost(short)


def test_what_may_not_be_fitted_is_refused() -> None:
    none = small_tables()["targets"].clear()
    with pytest.raises(UnknownName):
        calibrate(small_tables(), none, years=[2021], names=["carbon-price"])
    with pytest.raises(LandbridgeError, match="can be answered"):
        calibrate(small_tables(), none, years=[2021], size="reduced")


def test_the_atlas_is_fitted_to_flows_of_2016_to_2021_and_to_nothing_later() -> None:
    origins = read_origins(ATLAS, "parameters")[0]
    targets = small_tables()["targets"]
    for name in FITTED:
        origin = origins.of(name, "value")
        assert origin is not None
        assert origin.kind == "calibrated"
        behind = targets.filter(pl.col("fact_id").list.eval(pl.element().is_in(origin.sources)).list.any())
        assert behind.height > 0
        assert behind["year"].is_between(2016, 2021).all()
    fitted = Classes(small_tables()).fitted_to
    later = targets.filter(pl.col("year") > 2021)["fact_id"].explode().drop_nulls()
    assert not fitted & set(later.to_list())
    counts = read_targets(COUNTS)
    assert counts["year"].is_between(2016, 2021).all()
    facts = {r["id"]: r for r in small_tables()["facts"].to_dicts()}
    for row in counts.to_dicts():
        assert [facts[f]["value"] for f in row["fact_id"]] == [row["observed"]]
        assert [facts[f]["year"] for f in row["fact_id"]] == [row["year"]]


def test_a_fit_begins_within_the_ranges_and_runs_halves_where_prices_move() -> None:
    rows = {r["id"]: r for r in small_tables()["parameters"].to_dicts()}
    for name, value in BEGIN.items():
        assert rows[name]["low"] < value < rows[name]["high"]
    periods = [(2020, "H1"), (2020, "Jan-Apr"), (2020, "Jul-Dec"), (2021, "Jan"), (2021, "Jan-Sep"), (2019, "H1")]
    assert [_half(*each) for each in periods] == ["H1", "H1", "H2", "year", "year", "year"]


def test_constants_are_no_money() -> None:
    """They move the choice of way; prices of links and crossings stay those of the atlas."""
    names = pl.DataFrame({"id": list(FITTED), "value": list(FITTED.values())})
    plain = small_tables().replace(parameters=small_tables()["parameters"].update(names, on="id"))
    for table in ("links", "crossings"):
        assert apply(plain, (), 2023).tables[table].equals(apply(small_tables(), (), 2023).tables[table])


def test_back_test_names_scenarios_and_facts_that_exist() -> None:

    facts = set(small_tables()["facts"]["id"].to_list())
    events = tomllib.loads(EVENTS.read_text(encoding="utf-8"))["event"]
    assert len(events) == 5
    for event in events:
        assert event["id"] in target_scenarios()
        for effect in event["effect"]:
            assert effect["direction"] in (1, -1)
            assert ("published" in effect or "published_level" in effect) == ("fact" in effect)
            assert "against" not in effect or "published" in effect
            assert set(effect.get("fact", "").split(";")) - {""} <= facts


@pytest.mark.parametrize(
    ("change", "published", "within"),
    [(-50, -54, True), (-26, -54, False), (108, 54, True), (109, 54, False), (-54, 54, False), (0, 54, False)],
)
def test_within_a_factor_of_two(change: float, published: float, within: bool) -> None:
    assert _within(change, published) is within


def test_parts_of_a_headline_add_to_the_whole() -> None:
    made = {name: small_results().of(name, "base", 2023) for name in ("passage_flows", "crossing_flows")}
    frame = _estimated(made, Classes(small_tables()))
    sums = frame.select(pl.sum_horizontal(pl.exclude("headline")).alias("all"))["all"]
    known = frame.filter(pl.col("estimate_pct").is_not_null())
    assert known.height > 3
    assert sums.filter(frame["estimate_pct"].is_not_null()).to_list() == pytest.approx([100.0] * known.height)
