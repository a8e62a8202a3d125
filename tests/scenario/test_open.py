"""What is open in a year: by status and date, what is built, held back, closed for a time, or upgraded."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from test_measures import cell, frame, told

from landbridge.data.tables import Tables
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import (
    Build,
    Measure,
    Upgrade,
)
from landbridge.scenario.select import open_share
from small_atlas import small_atlas


@pytest.fixture
def tables() -> Tables:
    return small_atlas()


def test_upgrade_of_a_terminal_acts_on_its_plan(tables: Tables) -> None:
    done = Upgrade(terminals=("yard",), crane_groups_added=1, cranes_added=1, tracks_added=10, customs_time_factor=0.5)
    applied = apply(tables, [done, Upgrade(terminals=("yard",), shift_h_day=24, stack_factor=2)], 2023)
    resources = {row["id"]: row for row in frame(applied, "terminal_resources").to_dicts()}
    assert (resources["crane"]["count"], resources["crane"]["machines"]) == (2, 3)
    assert (resources["tracks"]["count"], resources["customs"]["minutes_train"]) == (14, 30.0)
    assert resources["customs"]["open_h_day"] == 24.0
    assert resources["crane"]["open_h_day"] is None
    assert resources["other"]["count"] == 1
    assert frame(applied, "terminal_plans")["stack_teu"].to_list() == [2000.0, 500.0]
    assert "upgrade: yard: crane_groups_added" in " ".join(applied.notes)


def test_open_by_status_and_year(tables: Tables) -> None:
    assert "second" not in apply(tables, [], 2025).tables.ids("links")
    assert "second" in apply(tables, [], 2026).tables.ids("links")
    assert "r3" not in apply(tables, [], 2019).tables.ids("links")
    for year in (2023, 2060):
        assert not {"old", "plan"} & set(apply(tables, [], year).tables.ids("links"))


def test_held_projects_open_only_where_built(tables: Tables) -> None:
    assert {"new1", "new2"} <= set(apply(tables, [], 2030).tables.ids("links"))
    held = frozenset({"pass"})
    assert not {"new1", "new2"} & set(apply(tables, [], 2035, held=held).tables.ids("links"))
    assert "second" in apply(tables, [], 2035, held=held).tables.ids("links")
    assert {"new1", "new2"} <= set(apply(tables, [Build(project="pass")], 2023, held=held).tables.ids("links"))


def test_a_crossing_opens_with_the_line_that_is_built(tables: Tables) -> None:
    assert "pass" in apply(tables, [], 2030).tables.ids("crossings")
    assert "pass" in apply(tables, [Build(project="pass")], 2023).tables.ids("crossings")


def test_build_later_than_planned(tables: Tables) -> None:
    late = Build(project="pass", year=2035)
    for held in (frozenset[str](), frozenset({"pass"})):
        assert "new1" not in apply(tables, [late], 2030, held=held).tables.ids("links")
        assert "new1" in apply(tables, [late], 2035, held=held).tables.ids("links")


def test_build_opens_a_suspended_line_and_its_crossing(tables: Tables) -> None:
    applied = apply(tables, [Build(links=("old",))], 2023)
    assert "old" in applied.tables.ids("links")
    assert cell(applied, "crossings", "old-gate", "status") == "operating"


def test_closures_by_date_become_a_share_of_the_year(tables: Tables) -> None:
    applied = apply(tables, [], 2023)
    assert cell(applied, "crossings", "steppe", "availability") == pytest.approx(181 / 365)
    assert cell(applied, "crossings", "steppe", "capacity_ab_trains_day") == 24, "the network multiplies, not apply"
    assert cell(applied, "links", "g2", "availability") == 1
    assert cell(apply(tables, [], 2024), "crossings", "steppe", "availability") == 1


def test_dates_of_a_restriction_close_nothing(tables: Tables) -> None:
    since = tables["crossings"].with_columns(
        pl.when(pl.col("id") == "gate").then(pl.lit("restricted")).otherwise("status").alias("status"),
        pl.when(pl.col("id") == "gate").then(date(2022, 2, 1)).otherwise("closed_from").alias("closed_from"),
    )
    assert cell(apply(tables.replace(crossings=since), [], 2023), "crossings", "gate", "availability") == 1


def test_a_closed_crossing_takes_its_link_along(tables: Tables) -> None:
    shut = tables["crossings"].with_columns(pl.lit("closed").alias("status"))
    applied = apply(tables.replace(crossings=shut), [], 2023)
    assert applied.tables.ids("links") == ["r1", "r3", "r2", "g2", "s1", "s2"]
    assert applied.tables.ids("crossings") == ["steppe"], "closed with dates: closed between them only"


def test_upgrades_of_the_atlas_come_with_their_day(tables: Tables) -> None:
    def row(year: int, *measures: Measure, held: frozenset[str] = frozenset()) -> tuple[float, float, float]:
        applied = apply(tables, measures, year, held=held)
        line = (cell(applied, "links", "r1", column) for column in ("capacity_trains_day", "speed_kmh"))
        return (*line, cell(applied, "crossings", "gate", "capacity_ba_trains_day"))

    wider = Build(project="wider")
    assert row(2023) == (40, 60, 18)
    assert row(2024) == (40, 60, 36)
    assert row(2025) == pytest.approx((40 + 60 * 92 / 365, 60 + 30 * 92 / 365, 36))
    assert row(2026) == (100, 90, 36)
    assert row(2026, held=frozenset({"wider"})) == (40, 60, 36)
    assert row(2023, wider, held=frozenset({"wider"})) == (100, 90, 18)
    assert row(2023, Build(project="wider", year=2024)) == (40, 60, 18)
    assert row(2023, wider, Upgrade(links=("r1",), capacity_factor=2)) == (200, 90, 18)
    assert told(tables, wider) == ""
    assert "'wider'" in told(tables, wider, years=(2026,))
    assert "built already by measure[0]" in told(tables, wider, wider)


def test_upgrades_reach_terminals_yards_and_services(tables: Tables) -> None:
    """A project without a line; what has no day comes only where it is built, and hours take a factor."""
    rows = [
        {"table": "terminals", "subject": "gate:rail-road", "from_date": None, "capacity_teu_yr": 500.0},
        {"table": "terminals", "subject": "gate:rail-road", "from_date": None, "time_factor": 0.25},
        {"table": "gauge_changes", "subject": "kz-gate:out", "from_date": date(2025, 1, 1), "time_factor": 0.5},
        {
            "table": "gauge_changes",
            "subject": "kz-gate:out",
            "from_date": date(2025, 1, 1),
            "capacity_trains_day": 60.0,
        },
        {"table": "services", "subject": "liner", "from_date": date(2024, 7, 1), "departures_week": 9.0},
        {"table": "crossings", "subject": "gate", "from_date": None, "time_factor": 0.1},
    ]
    columns = ("capacity_trains_day", "capacity_teu_yr", "departures_week", "time_factor")
    upgrades = pl.DataFrame(
        [{"project": "harbour", "name": "Harbour", **dict.fromkeys(columns), "speed_kmh": None, **row} for row in rows],
        infer_schema_length=None,
    )
    boxes = {name: pl.lit(value) for name, value in {"capacity_teu_yr": 100.0, "time_h": 8.0, "spread_h": 4.0}.items()}
    given = tables.replace(
        upgrades=upgrades,
        terminals=tables["terminals"].with_columns(**boxes),
        services=tables["services"].with_columns(departures_week=pl.lit(1.0), capacity_teu_yr=pl.lit(1.0)),
    )
    before = cell(given, "crossings", "gate", "processing_ab_h")

    def state(year: int, *measures: Measure, held: frozenset[str] = frozenset()) -> tuple[Any, ...]:
        done = apply(given, measures, year, held=held)
        at = [("terminals", "gate:rail-road", name) for name in boxes]
        at += [("gauge_changes", "kz-gate:out", name) for name in ("work_h", "yard_h", "capacity_trains_day")]
        at += [("services", "liner", "departures_week"), ("crossings", "gate", "processing_ab_h")]
        return tuple(cell(done, *one) for one in at)

    built = (500, 2, 1, 1, 5, 60, 9, before / 10)
    assert state(2023) == (100, 8, 4, 2, 10, 15, 1, before)
    assert state(2023, Build(project="harbour"), held=frozenset({"harbour"})) == pytest.approx(built)
    assert state(2024) == pytest.approx((100, 8, 4, 2, 10, 15, 1 + 8 * 184 / 366, before))
    assert state(2030) == pytest.approx((100, 8, 4, 1, 5, 60, 9, before))
    assert state(2030, held=frozenset({"harbour"})) == (100, 8, 4, 2, 10, 15, 1, before)
    assert told(given, Build(project="harbour"), years=(2030,)) == ""


@drawn(
    first=st.none() | st.dates(date(2019, 1, 1), date(2027, 1, 1)),
    last=st.none() | st.dates(date(2019, 1, 1), date(2027, 1, 1)),
    year=st.integers(2020, 2026),
)
def test_open_share_counts_days(first: date | None, last: date | None, year: int) -> None:
    days = [date.fromordinal(d) for d in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())]
    shut = [
        day for day in days if (first or last) and (first is None or first <= day) and (last is None or day <= last)
    ]
    assert open_share(first, last, year) == pytest.approx(1 - len(shut) / len(days))
