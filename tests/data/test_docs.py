"""The page on the atlas says what the dictionary and the provenance say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from landbridge.data.dictionary import read_dictionary
from landbridge.data.keys import key_columns, row_names
from landbridge.data.provenance import coverage
from landbridge.data.read import ATLAS, read_frames
from landbridge.data.schema import TOOLTIPS, schema_faults, tooltips
from tools.atlas import describe

DOCS = Path(__file__).resolve().parents[2] / "docs" / "atlas.md"


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, list[str]]]:
    """Cells of the page by table and column."""
    found: dict[str, dict[str, list[str]]] = {}
    text = DOCS.read_text(encoding="utf-8")
    for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        table, _, rest = part.partition("\n")
        rows = [re.split(r" (?<!\\)\| ", row[2:-2]) for row in rest.splitlines() if row.startswith("| ")][2:]
        found[table] = {row[0].strip("*"): row for row in rows}
    return found


def test_the_page_is_up_to_date() -> None:
    assert DOCS.read_text(encoding="utf-8") == describe.render(), "run: python tools/atlas/describe.py"


def test_schema_and_tooltips_are_up_to_date() -> None:
    dictionary = read_dictionary(ATLAS)
    assert schema_faults(ATLAS, dictionary) == [], "run: python tools/atlas/describe.py"
    meta = json.loads((ATLAS / "datapackage.json").read_text(encoding="utf-8"))
    assert [resource["name"] for resource in meta["resources"]] == list(dictionary.tables)
    assert all((ATLAS / resource["path"]).is_file() for resource in meta["resources"])
    assert json.loads((ATLAS / TOOLTIPS).read_text(encoding="utf-8")) == tooltips(dictionary)


def test_the_schema_says_of_every_column_what_the_dictionary_says() -> None:
    """Held against the dictionary column by column, not against what wrote it."""
    dictionary = read_dictionary(ATLAS)
    meta = json.loads((ATLAS / "datapackage.json").read_text(encoding="utf-8"))
    fields = {(r["name"], f["name"]): f for r in meta["resources"] for f in r["schema"]["fields"]}
    tips = json.loads((ATLAS / TOOLTIPS).read_text(encoding="utf-8"))
    assert list(fields) == [(column.table, column.name) for column in dictionary.columns]
    for column in dictionary.columns:
        field, tip = fields[column.table, column.name], tips[column.table][column.name]
        limits = field.get("constraints", {})
        assert field["description"] == tip["meaning"] == column.meaning
        assert field.get("unit", "") == tip.get("unit", "") == column.unit
        assert limits.get("enum", []) == tip.get("values", []) == list(column.values)
        assert limits.get("required", False) is column.required
        assert (limits.get("minimum"), limits.get("maximum")) == (column.minimum, column.maximum)
        assert field["type"] in ("string", "number", "integer", "date", "boolean")
        assert (field["type"] in ("number", "integer")) is column.is_number
    keys = [
        (resource["name"], key["fields"], key["reference"]["resource"], key["reference"]["fields"])
        for resource in meta["resources"]
        for key in resource["schema"].get("foreignKeys", [])
    ]
    assert keys == [(c.table, c.name, *c.references) for c in dictionary.columns if c.references and c.type != "list"]


def test_docs_and_dictionary_agree(told: dict[str, dict[str, list[str]]]) -> None:
    dictionary = read_dictionary(ATLAS)
    assert list(told) == list(dictionary.tables)
    for table in dictionary.tables:
        assert list(told[table]) == [column.name for column in dictionary.of(table)]
        for column in dictionary.of(table):
            name, holds, unit, *_, meaning = told[table][column.name]
            assert name.startswith("**") == column.required, name
            assert holds.split(":")[0].split(" ")[0] == column.type
            assert unit == column.unit
            assert meaning.replace("\\|", "|") == column.meaning
            assert all(value in holds for value in column.values)


def test_shares_of_estimates_are_those_of_the_provenance(told: dict[str, dict[str, list[str]]]) -> None:
    frames, dictionary, _ = read_frames(ATLAS)
    shares = coverage(ATLAS, frames, dictionary)
    for column in dictionary.columns:
        numbers, estimate = told[column.table][column.name][3:5]
        mine = shares.filter((pl.col("table") == column.table) & (pl.col("column") == column.name))
        total = mine["cells"].sum()
        assert numbers == (str(total) if column.is_number else "")
        if not total:
            assert estimate == ""
            continue
        share = 100 * mine.filter(pl.col("kind") == "estimate")["cells"].sum() / total
        low, high = {"<1": (0, 1), ">99": (99, 100)}.get(
            estimate, (float(estimate.strip("<>")) - 0.5, float(estimate.strip("<>")) + 0.5)
        )
        assert low <= share <= high, (column.table, column.name)


def test_columns_that_name_a_row_do_so() -> None:
    frames, dictionary, _ = read_frames(ATLAS)
    for table in dictionary.tables:
        if table == "crosswalk":
            continue  # ties names that may stand for several things
        names = row_names(frames[table], key_columns(dictionary, table))
        assert len(names) == len(set(names)), table
        assert not any(" #" in name for name in names), table


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 0, ""), (0, 9, "0"), (9, 9, "100"), (1, 1000, "<1"), (999, 1000, ">99"), (1, 2, "50")],
)
def test_a_share_is_nothing_or_all_only_where_it_is(part: int, whole: int, text: str) -> None:
    assert describe.percent(part, whole) == text
