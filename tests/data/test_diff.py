"""Two packages side by side: every planted change is told, with its values and how they are known, and nothing else."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from landbridge.data.diff import diff_packages, lost_origins
from landbridge.data.read import ATLAS, read_atlas, read_frames
from landbridge.errors import DataError, LandbridgeError

Rows = list[dict[str, str]]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "changed"
    shutil.copytree(ATLAS, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    return folder


def edit(path: Path, change: Callable[[Rows], object]) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_a_package_is_the_same_as_itself(copy: Path) -> None:
    found = diff_packages(ATLAS, copy)
    assert found.tables == ()
    assert (found.tables_added, found.tables_removed, found.files) == ((), (), ())
    meta = json.loads((ATLAS / "datapackage.json").read_text(encoding="utf-8"))
    stamp = (found.new.name, found.new.version, found.new.created)
    assert stamp == (meta["name"], meta["version"], meta["created"])
    assert found.old.content_hash == found.new.content_hash


def test_order_of_rows_and_spelling_of_numbers_are_no_change(copy: Path) -> None:
    def turn(rows: Rows) -> None:
        rows.reverse()
        for row in rows:
            if row["usd_teu_km"]:
                row["usd_teu_km"] += "0" if "." in row["usd_teu_km"] else ".0"

    edit(copy / "rates.csv", turn)
    assert diff_packages(ATLAS, copy).tables == ()


def test_a_changed_value_is_told_with_both_values_and_kinds(copy: Path) -> None:
    edit(copy / "rates.csv", lambda rows: next(r for r in rows if r["id"] == "rail-cn").update(usd_teu_km="0.5"))

    def origin(rows: Rows) -> None:
        rows[:] = [r for r in rows if (r["row"], r["column"]) != ("rail-cn", "usd_teu_km")]
        rows.append(
            {"row": "rail-cn", "column": "usd_teu_km", "kind": "calibrated", "source": "", "reasoning": "To try it."}
        )

    edit(copy / "provenance" / "rates.csv", origin)
    (change,) = diff_packages(ATLAS, copy).tables[0].changed
    shipped = read_atlas()["rates"].row(by_predicate=pl.col("id") == "rail-cn", named=True)["usd_teu_km"]
    assert (change.row, change.column, change.old, change.new) == ("rail-cn", "usd_teu_km", shipped, 0.5)
    assert change.new_kind == "calibrated"
    assert change.old_kind not in ("", "none", "calibrated")


def test_a_value_that_is_known_in_another_way_is_told(copy: Path) -> None:
    def origin(rows: Rows) -> None:
        rows.append({"row": "rail-kz", "column": "price_year", "kind": "unknown", "source": "", "reasoning": ""})

    edit(copy / "provenance" / "rates.csv", origin)
    (change,) = diff_packages(ATLAS, copy).tables[0].changed
    assert (change.column, change.new_kind) == ("price_year", "unknown")
    assert change.old == change.new


def test_an_origin_that_a_wider_one_swallows_is_told(copy: Path) -> None:
    """The value and its kind stay; what was lost is the row that said where this very value comes from."""
    rows = list(csv.DictReader((ATLAS / "provenance" / "rates.csv").read_text(encoding="utf-8").splitlines()))
    lost = next(r for r in rows if "*" not in r["row"] and r["kind"] == "estimate")
    wider = {"row": "*", "column": lost["column"], "kind": "estimate", "source": "", "reasoning": "A judgement."}

    def swallow(rows: Rows) -> None:
        rows[:] = [
            r for r in rows if (r["row"], r["column"]) not in ((lost["row"], lost["column"]), ("*", lost["column"]))
        ]
        rows.append(wider)

    edit(copy / "provenance" / "rates.csv", swallow)
    (table,) = diff_packages(ATLAS, copy).tables
    gone = [o for o in table.origins if (o.row, o.column) == (lost["row"], lost["column"])]
    assert [(o.old.startswith("estimate, "), lost["reasoning"] in o.old, o.new) for o in gone] == [(True, True, "")]
    assert not [c for c in table.changed if (c.row, c.column) == (lost["row"], lost["column"])]


def test_words_have_no_kind(copy: Path) -> None:
    edit(copy / "rates.csv", lambda rows: rows[0].update(note="another"))
    (change,) = diff_packages(ATLAS, copy).tables[0].changed
    assert (change.column, change.new, change.old_kind, change.new_kind) == ("note", "another", "", "")


def test_rows_that_came_and_went_are_told_with_their_values(copy: Path) -> None:
    edit(copy / "rates.csv", lambda rows: rows.append({**rows[0], "id": "rail-xx", "usd_teu_km": "0.7"}))
    edit(copy / "trade.csv", lambda rows: rows.pop(100))
    found = {part.table: part for part in diff_packages(ATLAS, copy).tables}
    assert set(found) == {"rates", "trade"}
    (added,) = found["rates"].added
    assert (added.row, added.values["usd_teu_km"]) == ("rail-xx", 0.7)
    assert added.kinds["usd_teu_km"]
    assert "country" not in added.kinds
    (removed,) = found["trade"].removed
    values = removed.values
    assert removed.row == f"{values['exporter']}:{values['importer']}:{values['year']}:{values['commodity']}"
    assert found["rates"].removed == found["rates"].changed == found["trade"].added == found["trade"].changed == ()
    back = {part.table: part for part in diff_packages(copy, ATLAS).tables}
    assert back["rates"].removed == found["rates"].added
    assert back["trade"].added == found["trade"].removed


def test_a_new_column_and_a_new_table_are_told(copy: Path) -> None:
    dictionary = copy / "dictionary.csv"
    with dictionary.open("a", encoding="utf-8") as file:
        file.write("rates,payer,text,,no,,,,,Who pays\n")
        file.write("moods,id,id,,yes,,,,,A mood\n")
    edit(copy / "rates.csv", lambda rows: [row.update(payer="") for row in rows])
    (copy / "moods.csv").write_text("id\ngood\n", encoding="utf-8")
    found = diff_packages(ATLAS, copy)
    assert found.tables_added == ("moods",)
    assert found.tables[0].columns_added == ("payer",)
    assert found.files == ("dictionary.csv",)
    assert diff_packages(copy, ATLAS).tables_removed == ("moods",)


def test_other_files_are_named(copy: Path) -> None:
    (copy / "links.geojson").write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    (copy / "NOTICE.md").unlink()
    found = diff_packages(ATLAS, copy)
    assert found.files == ("NOTICE.md", "links.geojson")
    assert found.old.content_hash != found.new.content_hash


def test_the_difference_is_json(copy: Path) -> None:
    edit(copy / "links.csv", lambda rows: rows[0].update(closed_from="2024-01-01", gauges_mm="1435;1520"))
    told = json.loads(json.dumps(diff_packages(ATLAS, copy).as_dict()))
    changes = {change["column"]: change for change in told["tables"][0]["changed"]}
    assert changes["closed_from"]["new"] == "2024-01-01"
    assert changes["gauges_mm"]["new"] == [1435, 1520]


def test_a_broken_package_is_refused_with_its_faults(copy: Path, tmp_path: Path) -> None:
    edit(copy / "rates.csv", lambda rows: rows[0].update(usd_teu_km="cheap"))
    with pytest.raises(DataError, match=r"rates\.csv.*a number, got 'cheap'"):
        diff_packages(ATLAS, copy)
    with pytest.raises(LandbridgeError, match="got nothing"):
        diff_packages(tmp_path / "none", ATLAS)


def test_an_origin_lost_to_a_wider_row_is_told_of_a_copy_alone(copy: Path) -> None:
    """Only of the same values under the same version: another version may know less of what it holds."""

    def lose(rows: Rows) -> None:
        rows[:] = [r for r in rows if (r["row"], r["column"]) != ("inland:bulk", "cost_usd_t")]

    def told(folder: Path, shipped: Path = ATLAS) -> list[tuple[str, str, str, str]]:
        frames, dictionary, faults = read_frames(folder)
        assert not faults
        return [(f.where, f.row, f.field, f.got) for f in lost_origins(folder, frames, dictionary, shipped)]

    assert told(copy) == []
    edit(copy / "provenance" / "terminal_classes.csv", lose)
    wider = "that of *, cost_usd_t (estimate, grainunion-2022-aktau;garant-2012-vanino)"
    assert told(copy) == [("provenance/terminal_classes.csv", "inland:bulk", "cost_usd_t", wider)]
    assert told(copy, copy) == []

    def other_value(rows: Rows) -> None:
        (found,) = [r for r in rows if r["id"] == "inland:bulk"]
        found["cost_usd_t"] = "2.8"

    before = (copy / "terminal_classes.csv").read_bytes()
    edit(copy / "terminal_classes.csv", other_value)
    assert told(copy) == []  # another value has another origin
    (copy / "terminal_classes.csv").write_bytes(before)
    words = (copy / "datapackage.json").read_text(encoding="utf-8")
    version = json.loads(words)["version"]
    (copy / "datapackage.json").write_text(words.replace(f'"{version}"', '"0.0.9"', 1), encoding="utf-8")
    assert told(copy) == []
