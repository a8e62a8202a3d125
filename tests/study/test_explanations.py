"""Sentences on a miss: a reason that pushes the other way is none, and what a flow rests on is told as it is known."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from landbridge.study.validate import explain
from landbridge.study.validate.classes import Classes
from landbridge.study.validate.explain import explanation
from landbridge.study.validate.words import Answer
from small_run import small_tables

ENTRIES = tomllib.loads((Path(explain.__file__).parent / "explanations.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def classes() -> Classes:
    return Classes(small_tables())


def row(indicator: str, subject: str, observed: float, year: int = 2022) -> dict[str, Any]:
    return {"indicator": indicator, "subject": subject, "observed": observed, "year": year}


def test_a_reason_that_would_move_the_number_the_other_way_is_not_told(classes: Classes) -> None:
    """An operator that counts empty boxes too comes out above the model, and explains no excess of the model."""
    asked = row("service_teu", "utlc-transit", 100.0)
    below, above = (explanation(asked, Answer(v), classes) for v in (80.0, 130.0))
    assert "holds empty boxes" in below
    assert "holds empty boxes" not in above
    for entry in ENTRIES["explanation"]:
        assert entry.get("where", "above") in ("above", "below")
        assert set(entry) <= {"indicator", "subject", "where", "year", "text"}


def test_a_reason_of_one_year_is_told_of_that_year_only(classes: Classes) -> None:
    told = {
        y: explanation(row("service_teu", "china-europe-rail", 100.0, y), Answer(120.0), classes) for y in (2021, 2019)
    }
    assert "F1163" in told[2021]
    assert "F1163" not in told[2019]


def test_corrections_of_trade_are_told_as_their_numbers_are_known(classes: Classes) -> None:
    """A row of trade_overrides has its origin by column: an estimate is no unknown."""
    parts = (("RUS", "CHN", "crude_box", 10.0),)
    told = explanation(row("crossing_tonnes", "somewhere", 5.0), Answer(10.0, parts=parts), classes)
    assert "mode_shares rus-chn-crude-box (estimate)" in told
    assert "trade_overrides rus-chn-crude-box (estimate)" in told


def test_what_nothing_carries_is_not_said_to_be_made_of_goods(classes: Classes) -> None:
    parts = (("BLR", "GBR", "oil_products", 10.0),)
    told = explanation(row("crossing_teu", "kaliningrad/transit", 80.0, 2021), Answer(0.0, parts=parts), classes)
    assert "BLR" not in told
    assert "Brest" in told


def test_no_row_of_rules_that_sets_a_flow_is_unknown(classes: Classes) -> None:
    for table in ("mode_shares", "trade_overrides"):
        for name, *_ in classes.rows_of(table):
            assert explain._known_as(classes, table, name) != "unknown", (table, name)
