"""Validation: runs that targets ask for, classes by what a number rests on, scores beside two naive forecasts."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from landbridge.data.read import ATLAS
from landbridge.study.validate.answers import FLOWS
from landbridge.study.validate.classes import Classes
from landbridge.study.validate.form import UNITS
from landbridge.study.validate.naive import forecasts
from landbridge.study.validate.runs import SolvedWorld
from landbridge.study.validate.validate import rows_of, scores, validate
from landbridge.study.validate.words import Answer, NotCovered, calculate, days_of, operand
from landbridge.study.validate.write import MARKER, write_validation
from small_run import small_tables

HEADER = next(csv.reader((ATLAS / "targets.csv").read_text(encoding="utf-8").splitlines()))

ROWS = [
    ("V1", "crossing_tonnes", "manzhouli-zabaikalsk", "both", 2023, "Mt", 22, 20, 24, "level", "", "F0436"),
    ("V2", "crossing_tonnes", "khorgos-altynkol", "both", 2023, "Mt", 5, 4, 6, "level", "annualise x1.25", ""),
    ("V3", "crossing_tonnes", "khorgos-altynkol", "both", 2011, "Mt", 5, 4, 6, "level", "", ""),
    ("V4", "co2_g_tkm", "road", "na", 2014, "g/tkm", 90.3, 60, 120, "level", "", "F0846"),
    ("V5", "queue_trains", "moon-base", "na", 2023, "trains", 5, 4, 6, "level", "", ""),
    ("V6", "snow_depth", "khorgos-altynkol", "na", 2023, "m", 5, 4, 6, "level", "", ""),
    ("V7", "trade_usd", "china<>kazakhstan", "both", 2023, "USD bn", 41, 39, 43, "level", "", ""),
    ("V8", "crossing_tonnes", "manzhouli-zabaikalsk", "both", 2022, "Mt", 18, 17, 19, "level", "", ""),
]


def write(path: Path, rows: list[tuple[Any, ...]]) -> Path:
    names = ("id", "indicator", "subject", "direction", "year", "unit", "observed", "low", "high", "kind", "note",
             "fact_id")  # fmt: skip
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER, restval="")
        writer.writeheader()
        for row in rows:
            writer.writerow({"period": "year", "tolerance_basis": "proposed", **dict(zip(names, row, strict=True))})
    return path


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, SolvedWorld, Path, Path]:
    """A file answered from real runs of the reduced size: two years are solved, the file, and the folder of runs."""
    home = tmp_path_factory.mktemp("validate")
    file = write(home / "mine.csv", ROWS)
    world = SolvedWorld(small_tables(), size="reduced", cache=home / "runs")
    return validate(world, file), world, file, home


def test_every_row_is_answered_or_told_why_not(answered: tuple[Any, SolvedWorld, Path, Path]) -> None:
    found = answered[0].rows
    assert found["id"].to_list() == [r[0] for r in ROWS]
    classes = dict(found.select("id", "class").iter_rows())
    assert classes == {
        "V1": "predicted", "V2": "fitted", "V3": "not_covered", "V4": "echo", "V5": "not_covered",
        "V6": "not_covered", "V7": "echo", "V8": "predicted",
    }  # fmt: skip
    # a quarter of what passes Khorgos at the reduced size is boxes with Russia, counted after that year
    assert "mode_shares chn-rus-any" in found.filter(pl.col("id") == "V2")["rests_on"].item()
    why = dict(found.select("id", "why").iter_rows())
    assert "2013" in why["V3"]
    assert "snow_depth" in why["V6"]
    assert answered[0].not_covered == 3


def test_rows_are_scored_by_their_own_numbers(answered: tuple[Any, SolvedWorld, Path, Path]) -> None:
    found = answered[0]
    for row in found.rows.drop_nulls("modelled").to_dicts():
        assert row["inside"] == (row["low"] <= row["modelled"] <= row["high"])
        assert row["log_error"] == pytest.approx(abs(math.log(row["modelled"] / row["observed"])))
        assert row["inside"] or row["why"]
    scores = {row["class"]: row for row in found.by_class.to_dicts()}
    for name, count in (("predicted", 2), ("fitted", 1)):
        own = found.rows.filter(pl.col("class") == name)
        assert (scores[name]["n"], scores[name]["inside"]) == (count, own["inside"].sum())
        assert scores[name]["median_abs_log_error"] == pytest.approx(own["log_error"].median())
        assert scores[name]["naive_n"] == 1
    # V8 stands a year before V1, V3 before V2, whose number is of a part of the year
    assert scores["predicted"]["naive_last"] == pytest.approx(math.log(22 / 18))
    assert scores["fitted"]["naive_last"] == pytest.approx(math.log(5 / (5 / 1.25)))


def test_a_part_of_a_year_is_that_part_of_the_year(answered: tuple[Any, SolvedWorld, Path, Path]) -> None:
    world = answered[1]
    flows = world.frame("crossing_flows", operand("khorgos-altynkol", {"direction": "both", "year": 2023}, ""))
    whole = flows.filter(pl.col("crossing") == "khorgos-altynkol")["tonnes"].sum() / 1e6
    assert answered[0].rows.filter(pl.col("id") == "V2")["modelled"][0] == pytest.approx(whole / 1.25)


def test_what_was_solved_is_solved_once(answered: tuple[Any, SolvedWorld, Path, Path]) -> None:
    found, _, file, home = answered
    told: list[str] = []
    again = SolvedWorld(small_tables(), size="reduced", cache=home / "runs", progress=told.append)
    assert validate(again, file).rows.equals(found.rows)
    assert told == []


def test_the_folder_says_what_each_column_is(answered: tuple[Any, SolvedWorld, Path, Path], tmp_path: Path) -> None:
    found, world, file, _ = answered
    out = tmp_path / "out"
    write_validation(out, found, tables=small_tables(), size="reduced", file=file, runs=world.solved)
    manifest = json.loads((out / MARKER).read_text(encoding="utf-8"))
    for name, columns in manifest["tables"].items():
        assert list(columns) == pl.read_parquet(out / "tables" / f"{name}.parquet").columns
        assert all(columns.values())
    assert manifest["targets"]["not_covered"] == 3
    assert {run["year"] for run in manifest["runs"]} == {2022, 2023}


def test_naive_forecasts_are_the_last_value_and_that_grown() -> None:
    base = {"indicator": "service_trains", "subject": "nobody", "direction": "both", "kind": "level", "note": ""}
    rows = [
        {**base, "year": 2018, "observed": 100.0},
        {**base, "year": 2020, "observed": 60.0, "note": "annualise x2"},
        {**base, "year": 2021, "observed": 30.0, "note": "annualise x4"},
        {**base, "year": 2021, "observed": 1.0, "subject": "somebody"},
    ]
    first, second, third, other = forecasts(small_tables(), rows)
    assert (first.last, other.last) == (None, None)
    assert (second.last, second.since) == (50.0, 2018)
    assert third.last == pytest.approx(60 * 2 / 4)
    assert third.growth is not None
    assert third.growth > third.last  # trade of 2021 was more than that of 2020


def test_scores_leave_statements_out_of_the_errors() -> None:
    rows = pl.DataFrame(
        {"class": ["predicted"] * 2, "inside": [True, False], "log_error": [None, 0.5], "naive_last": [None, 2.0],
         "naive_growth": [None, 4.0], "observed": [1.0, 1.0], "kind": ["sign", "level"]}
    )  # fmt: skip
    (row,) = scores(rows, "class").to_dicts()
    assert (row["n"], row["inside"], row["share"], row["median_abs_log_error"]) == (2, 1, 0.5, 0.5)
    assert row["naive_last"] == pytest.approx(math.log(2))
    assert row["naive_growth"] == pytest.approx(math.log(4))


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [("year", "2022-01-01", "2022-12-31"), ("H2", "2022-07-01", "2022-12-31"), ("Q1", "2022-01-01", "2022-03-31"),
     ("Feb", "2022-02-01", "2022-02-28"), ("Jan-Oct", "2022-01-01", "2022-10-31"),
     ("15 Jul", "2022-07-15", "2022-07-15"),
     ("21 Mar-19 Feb", "2022-03-21", "2023-02-19"), ("H3", None, None), ("31 Feb", None, None)],
)  # fmt: skip
def test_periods(period: str, first: str | None, last: str | None) -> None:
    span = days_of(2022, period)
    assert (span and (str(span[0]), str(span[1]))) == (None if first is None else (first, last))


def test_formulas_are_arithmetic_and_nothing_else() -> None:
    values = {"a": 6.0, "b": 2.0}
    assert calculate("100 * value(a) / value(b) - 1", values.__getitem__) == 299
    assert calculate("value(a) > value(b) and value(b) >= 2", values.__getitem__) == 1
    for bad in ("value(a) ** 2", "__import__('os')", "value(a) if 1 else 2", "(", "value(b) / 0"):
        with pytest.raises(NotCovered):
            calculate(bad, values.__getitem__)


@pytest.mark.shared
def test_units_and_flows_are_those_of_the_target_list(shared: Path) -> None:
    """The table "Indicators" of TARGETS.md."""
    text = (shared / "data" / "TARGETS.md").read_text(encoding="utf-8")
    table = text[text.index("## Indicators") : text.index("## Subject ids")]
    cells = [[c.strip().strip("`") for c in line.strip("|").split("|")] for line in table.splitlines() if "| `" in line]
    assert {c[0]: tuple(u.strip() for u in c[1].split(";")) for c in cells} == UNITS
    assert {c[0] for c in cells if c[2] == "flow"} == FLOWS


def test_rows_of_answers_from_any_world(answered: tuple[Any, SolvedWorld, Path, Path]) -> None:
    empty = small_tables()["targets"].clear()
    assert rows_of(answered[1], empty, None).is_empty()  # type: ignore[arg-type]


def test_what_rests_on_shares_set_knowing_the_outcome_is_not_predicted() -> None:
    """By the mark in the provenance, the days, the goods and a quarter of the flow; whoever has no mark is blind."""
    classes = Classes(small_tables())
    row = {"indicator": "service_tonnes", "subject": "anything", "direction": "both", "year": 2022, "period": "year",
           "fact_id": [], "observed": 1.0}  # fmt: skip

    def of(*parts: tuple[str, str, str, float], **other: Any) -> str:
        return classes.of({**row, **other}, Answer(1.0, parts=parts))[0]

    bound = ("CHN", "DEU", "machinery_box", 1.0)
    assert of(bound) == of(("DEU", "CHN", "food_box", 1.0)) == "fitted"
    assert of(bound, year=2021) == of(bound, period="Jan-Feb") == "predicted"
    assert of(bound, ("CHN", "KAZ", "food_box", 2.9)) == "fitted"
    assert of(bound, ("CHN", "KAZ", "food_box", 3.1)) == "predicted"
    assert of(("CHN", "BLR", "machinery_box", 1.0)) == "predicted"  # who is at home there cannot keep away
    assert of(("KAZ", "DEU", "metals_bulk", 1.0)) == "fitted"
    assert of(("KAZ", "DEU", "coal", 1.0)) == "predicted"
    classes._seen = []
    assert of(bound) == "predicted"


def test_what_rests_on_counts_entered_after_a_miss_was_seen_is_not_predicted() -> None:
    """Boxes between China and Russia: by the mark of their rows, a quarter of the flow, and the day of the sources."""
    classes = Classes(small_tables())
    row = {"indicator": "service_teu", "subject": "anything", "direction": "both", "year": 2023, "period": "year",
           "fact_id": [], "observed": 1.0}  # fmt: skip

    def of(*parts: tuple[str, str, str, float], **other: Any) -> tuple[str, str]:
        return classes.of({**row, **other}, Answer(1.0, parts=parts))

    boxes = ("CHN", "RUS", "machinery_box", 1.0)
    assert of(boxes)[0] == of(("RUS", "CHN", "crude_box", 1.0))[0] == of(boxes, year=2016)[0] == "fitted"
    assert "mode_shares chn-rus-any" in of(boxes)[1]
    assert of(boxes, year=2026)[0] == "predicted", "no source of that count was there to know of it"
    assert of(("CHN", "RUS", "vehicles_bulk", 1.0))[0] == "predicted", "it has a row of its own without the mark"
    assert of(("RUS", "CHN", "coal", 1.0))[0] == of(("CHN", "KAZ", "machinery_box", 1.0))[0] == "predicted"
    assert of(boxes, ("RUS", "CHN", "coal", 2.9))[0] == "fitted"
    assert of(boxes, ("RUS", "CHN", "coal", 3.1))[0] == "predicted"
