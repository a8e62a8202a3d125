"""Closures by date and upgrades over a part of a year: they count by the days of that part."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from landbridge.data.tables import Tables
from landbridge.scenario.apply import apply
from landbridge.scenario.select import open_share
from landbridge.study.validate.events import event_measures, undated
from small_run import small_tables

D = dt.date


def capacity(tables: Tables, line: str) -> float:
    return float(tables["links"].filter(pl.col("line") == line)["capacity_trains_day"][0])


def open_part(tables: Tables, crossing: str) -> float:
    found = tables["crossings"].filter(pl.col("id") == crossing)
    return float(found["availability"][0]) if found.height else 0.0


def test_days_of_a_span_are_counted_one_by_one() -> None:
    shut = (D(2025, 9, 12), D(2025, 9, 25))
    for span in ((D(2025, 9, 1), D(2025, 9, 30)), (D(2025, 1, 1), D(2025, 6, 30)), (D(2025, 9, 20), D(2025, 10, 9))):
        days = [span[0] + dt.timedelta(i) for i in range((span[1] - span[0]).days + 1)]
        part = sum(not shut[0] <= day <= shut[1] for day in days) / len(days)
        assert open_share(*shut, 2025, span) == pytest.approx(part)
    assert open_share(*shut, 2025) == pytest.approx(1 - 14 / 365)


def test_an_upgrade_of_the_end_of_september_is_no_part_of_the_half_year_before() -> None:
    tables = small_tables()
    row = tables["upgrades"].filter(pl.col("id") == "dostyk-moyynty-2-east").row(0, named=True)
    line, day, new = row["subject"], row["from_date"], float(row["capacity_trains_day"])
    before = capacity(apply(tables, (), 2024).tables, line)
    half = apply(tables, (), 2025, span=(D(2025, 1, 1), D(2025, 6, 30))).tables
    assert capacity(half, line) == before
    last = (D(2025, 7, 1), D(2025, 12, 31))
    part = ((last[1] - day).days + 1) / ((last[1] - last[0]).days + 1)
    done = apply(tables, (), 2025, span=last).tables
    assert capacity(done, line) == pytest.approx(before + part * (new - before))


def test_a_closure_that_an_event_tells_is_not_told_a_second_time_by_the_crossing() -> None:
    """Brest is shut by Poland's closure alone: with the event off it is open on all days of September."""
    tables, september = small_tables(), (D(2025, 9, 1), D(2025, 9, 30))
    name, event = "brest-malaszewicze", "2025-09-poland-belarus-closed"
    dated = apply(tables, (), 2025, span=september).tables
    assert open_part(dated, name) == pytest.approx(16 / 30)
    off = apply(undated(tables), event_measures(tables, 2025, "Sep", without=(event,)), 2025, span=september).tables
    assert open_part(off, name) == 1
    on = apply(undated(tables), event_measures(tables, 2025, "Sep"), 2025, span=september).tables
    assert open_part(on, name) == pytest.approx(1 - 13 / 30)
    # closures that no event tells stay: works on the line by Akhalkalaki
    works = apply(undated(tables), (), 2024, span=(D(2024, 4, 1), D(2024, 4, 30))).tables
    assert open_part(works, "akhalkalaki") == 0
