"""Contradictory sources: kept beside the value in use, shown with it, and told when they no longer fit it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from landbridge.data.alternatives import alternative_faults, alternatives_of
from landbridge.data.dictionary import Dictionary
from landbridge.data.overlay import read_overlay
from landbridge.data.read import ATLAS, read_atlas, read_frames
from landbridge.data.why import explain
from landbridge.errors import DataError, Fault

Frames = dict[str, pl.DataFrame]
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def package() -> tuple[Frames, Dictionary]:
    """The tables of the atlas as they stand in its files."""
    frames, dictionary, faults = read_frames(ATLAS)
    assert not faults
    return frames, dictionary


def of(rows: Rows, row: str, column: str, value: str) -> dict[str, Any]:
    """The one statement about a cell that says so."""
    (found,) = [r for r in rows if (r["row"], r["column"], r["value"]) == (row, column, value)]
    return found


def test_the_alternatives_of_the_atlas_fit_its_tables(package: tuple[Frames, Dictionary]) -> None:
    assert alternative_faults(*package) == []
    assert package[0]["alternatives"].height >= 100


def test_what_is_said_of_a_value_is_told_with_the_one_in_use_first() -> None:
    told = explain(ATLAS, read_atlas(), "projects", "cku", "length_km")
    assert [(one["value"], one["in_use"]) for one in told["alternatives"]] == [
        ("523", True),
        ("532.53", False),
        ("454", False),
        ("567", False),
    ]
    assert (told["value"], told["as_of"], told["confidence"]) == (523, "2025-01-07", "high")
    assert told["alternatives"][1]["sources"] == ["F0537"]
    assert all(one["why"] and one["as_of"] and one["confidence"] for one in told["alternatives"])
    assert alternatives_of(read_atlas().frames, "projects", "cku", "name") == []


# -- faults: what is done to the rows, and the one fault: row, field, wanted, got -----------------------------------

CKU, BTK = ("cku", "length_km", "454"), ("A34", "observed", "0.432")

FAULTS: dict[str, tuple[Callable[[Rows], object], tuple[str, str, str, str]]] = {
    "table unknown": (lambda r: of(r, *CKU).update(table="project"),
                      ("project cku length_km", "table", "did you mean projects", "'project'")),
    "its own table": (lambda r: of(r, *CKU).update(table="alternatives"),
                      ("alternatives cku length_km", "table", "a table of the package", "'alternatives'")),
    "row unknown": (lambda r: of(r, *CKU).update(row="cku-railway"),
                    ("projects cku-railway length_km", "row", "a row of projects", "'cku-railway'")),
    "column unknown": (lambda r: of(r, *CKU).update(column="length"),
                       ("projects cku length", "column", "a column of projects; did you mean length_km", "'length'")),
    "value not of the column": (lambda r: of(r, *CKU).update(value="short"),
                                ("projects cku length_km", "value", "a number", "'short'")),
    "value beyond its bounds": (lambda r: of(r, *CKU).update(value="20000"),
                                ("projects cku length_km", "value", "at most 10000 km", "'20000'")),
    "source unknown": (lambda r: of(r, *CKU).update(sources=["F9999"]),
                       ("projects cku length_km", "sources", "an id of sources.csv or facts.csv", "'F9999'")),
    "reported by nobody": (lambda r: of(r, *CKU).update(sources=None),
                           ("projects cku length_km", "sources", "a source of what is reported", "nothing")),
    "said twice": (lambda r: of(r, *CKU).update(value="532.530"),
                   ("projects cku length_km", "value", "each value once", "532.53")),
    "only one value": (lambda r: r.remove(of(r, "A34", "observed", "0.54")),
                       ("targets A34 observed", "value", "at least two values of a cell", "one")),
    "none in use": (lambda r: of(r, *BTK).update(in_use=False),
                    ("targets A34 observed", "in_use", "one value marked for the cell", "none")),
    "two in use": (lambda r: of(r, *CKU).update(in_use=True),
                   ("projects cku length_km", "in_use", "one value marked for the cell", "2 of 4")),
    "not the value of the table": (lambda r: of(r, *BTK).update(value="0.433"),
                                   ("targets A34 observed", "value", "the value of targets.csv, 0.432", "0.433")),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_alternatives_is_named(package: tuple[Frames, Dictionary], name: str) -> None:
    frames, dictionary = package
    spoil, (row, field, wanted, got) = FAULTS[name]
    rows = frames["alternatives"].to_dicts()
    spoil(rows)
    (fault,) = alternative_faults(
        {**frames, "alternatives": pl.DataFrame(rows, schema=frames["alternatives"].schema)}, dictionary
    )
    assert (fault.where, fault.field, fault.got) == ("alternatives.csv", field, got)
    assert row in fault.row
    assert wanted in fault.wanted


def test_a_value_that_changes_without_its_alternatives_is_told(package: tuple[Frames, Dictionary]) -> None:
    frames, dictionary = package
    changed = frames["projects"].with_columns(length_km=pl.col("length_km") + 9)
    (wanted, *_) = (
        f.wanted
        for f in alternative_faults({**frames, "projects": changed}, dictionary)
        if "projects cku length_km" in f.row
    )
    assert wanted == "the value of projects.csv, 532"


# -- with a user's own values ---------------------------------------------------------------------------------------


def test_a_user_may_take_another_statement_than_the_atlas(tmp_path: Path) -> None:
    path = tmp_path / "projects.csv"
    path.write_text("id,length_km\ncku,454\n", encoding="utf-8")
    told = explain(ATLAS, read_overlay(path), "projects", "cku", "length_km")
    assert (told["kind"], told["value"]) == ("user", 454)
    assert len(told["alternatives"]) == 4


def test_a_user_s_own_statement_is_checked_as_the_atlas_is(tmp_path: Path) -> None:
    path = tmp_path / "alternatives.csv"
    path.write_text(
        "table,row,column,value,in_use,kind,sources,why\nprojects,cku,length_km,540,yes,reported,F0521,Mine.\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError) as caught:
        read_overlay(path)
    assert Fault("alternatives.csv", "row 2 (projects:cku:length_km:540)", "in_use", "one value marked for the cell",
                 "2 of 5") in caught.value.faults  # fmt: skip
