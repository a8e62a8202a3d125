"""The registry: every figure is found as people write it, and every row is tied to what it concerns."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from landbridge.data.read import read_atlas
from landbridge.data.registry import history, named_project, search, topics
from landbridge.errors import LandbridgeError, UnknownName

# --------------------------------------------------------------------------------------------------- search


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("523", "F0017"),
        ("CKU 523 km", "F0017"),
        ("22.4", "F0013"),
        ("22.4 billion dollars", "F0013"),
        ("14 bn", "F0010"),
        ("23.6 bn", "F0011"),
        ("23.6", "F0011"),
        ("47 agreements", "F0030"),
        ("22 bn", "F0031"),
        ("47 agreements worth 22 bn", "2023-05-47-documents"),
        ("40 bn", "F0012"),
        ("40 bn target", "F0024"),
        ("$40 bn goal of 2030", "F0024"),
        ("86 million barrels", "F0016"),
        ("42 %", "F0027"),
        ("42 per cent", "F0027"),
        ("42% Kazakhstan", "F0027"),
        ("21.5 %", "F0014"),
    ],
)
def test_figures_are_found_as_people_write_them(query: str, wanted: str) -> None:
    assert wanted in [found.id for found in search(read_atlas(), query, limit=5)][:4]


@pytest.mark.parametrize("number", range(1, 34))
def test_every_seed_figure_is_found(number: int) -> None:
    fact = read_atlas()["facts"].filter(pl.col("id") == f"F{number:04d}").row(0, named=True)
    if fact["value"] is None:
        query = fact["value_date"] or fact["subject"]
    elif fact["unit"] in ("year", "decade"):
        query = f"{fact['subject']} {fact['value']:g}"
    else:
        query = f"{abs(fact['value']):g} {fact['unit']}"
    assert fact["id"] in [found.id for found in search(read_atlas(), query, limit=6)], query


def test_a_number_is_the_same_however_it_is_written() -> None:
    first = [found.id for found in search(read_atlas(), "240,000 TEU")]
    assert [found.id for found in search(read_atlas(), "240000 teu")] == first
    assert {"F0631", "aktau-container-hub", "2024-09-aktau-container-hub"} <= set(first)


def test_a_range_in_words_is_two_numbers() -> None:
    assert "2016-09-51-joint-projects" in [found.id for found in search(read_atlas(), "51 projects 27 bn")]


def test_all_parts_are_wanted_and_what_is_missing_is_told() -> None:
    for found in search(read_atlas(), "Rasht-Astara loan", limit=None):
        assert found.lacks == ()
    partly = search(read_atlas(), "Rasht zeppelin")
    assert partly
    assert {found.lacks for found in partly} == {("zeppelin",)}
    assert search(read_atlas(), "zeppelin") == []


def test_findings_tell_value_source_and_confidence() -> None:
    found = search(read_atlas(), "86 million barrels", limit=1)[0]
    assert (found.value, found.unit, found.year, found.confidence) == ("over 86", "million barrels", "2013", "high")
    assert found.source.startswith("corridor brief (unpublished), ")
    loan = next(f for f in search(read_atlas(), "Loan for CKU") if f.table == "agreements")
    assert loan.value == "2.3 bn USD, 35 years"
    assert loan.address.startswith("https://")
    assert "<" not in loan.source


def test_better_sources_stand_before_worse_ones() -> None:
    order = {"high": 0, "medium": 1, "low": 2}
    ranks = [(-f.score, order[f.confidence]) for f in search(read_atlas(), "CKU", topic="cku", limit=None)]
    assert ranks == sorted(ranks, key=lambda rank: rank[0])


def test_a_search_keeps_to_its_topic() -> None:
    assert {f.topic for f in search(read_atlas(), "capacity", topic="titr", limit=None)} == {"titr"}
    assert {f.table for f in search(read_atlas(), "CKU", topic="events", limit=None)} == {"events"}
    assert {f.table for f in search(read_atlas(), "CKU", limit=None)} == {"facts", "projects", "agreements", "events"}
    # a topic of facts may have the name of a table: both are meant
    both = search(read_atlas(), "Kazakhstan", topic="agreements", limit=None)
    assert {f.table for f in both} == {"facts", "agreements"}
    assert {f.topic for f in both} == {"agreements"}
    with pytest.raises(UnknownName, match="did you mean energy"):
        search(read_atlas(), "oil", topic="enrgy")
    assert len(topics(read_atlas())) == len(set(topics(read_atlas())))


@pytest.mark.parametrize("query", ["", "  ", "of the", "?!"])
def test_a_query_of_nothing_is_told(query: str) -> None:
    with pytest.raises(LandbridgeError, match="wanted words or numbers"):
        search(read_atlas(), query)


# -------------------------------------------------------------------------------------------------- history


@pytest.mark.parametrize(
    ("query", "project"),
    [
        ("cku", "cku"), ("CKU", "cku"), ("China-Kyrgyzstan-Uzbekistan railway", "cku"), ("tripp", "tripp"),
        ("rasht-astara", "rasht-astara"), ("Khorgos", None), ("", None), ("Kazakhstan", None),
    ],
)  # fmt: skip
def test_a_project_is_known_by_its_id_and_its_name(query: str, project: str | None) -> None:
    assert named_project(read_atlas(), query) == project


def test_the_history_of_cku_runs_from_first_plans_to_its_opening() -> None:
    told = history(read_atlas(), "cku")
    dates = [moment.date for moment in told.moments]
    assert dates == sorted(dates)
    assert {moment.table for moment in told.moments} == {"projects", "agreements", "events", "facts"}
    ids = {moment.id for moment in told.moments}
    assert {"F0018", "F0017", "2024-06-cku-agreement", "2024-12-cku-launched", "2025-12-cku-loan"} <= ids
    assert dates[0] == "1990"
    assert "2030" in dates
    later = {moment.table for moment in told.moments if moment.date > "2030"}
    assert later <= {"facts"}, "after the opening there are only forecasts"
    links = [entry.id for entry in told.atlas if entry.table == "links"]
    assert links == read_atlas()["links"].filter(pl.col("project") == "cku")["id"].to_list()
    assert "torugart-makmal" in {entry.id for entry in told.atlas if entry.table == "crossings"}


@pytest.mark.parametrize("project", read_atlas().ids("projects"))
def test_every_project_has_a_history(project: str) -> None:
    told = history(read_atlas(), project)
    assert told.project["id"] == project
    undated = [moment.date for moment in told.moments if not moment.date]
    assert [moment.date for moment in told.moments][len(told.moments) - len(undated) :] == undated


def test_no_such_project_is_told() -> None:
    with pytest.raises(UnknownName, match="did you mean cku"):
        history(read_atlas(), "ckuu")


# ----------------------------------------------------------------------------------------------------- ties


TIES = {
    "projects": ("lines", "crossings", "places", "pipelines", "countries"),
    "agreements": ("projects", "crossings", "links", "places", "countries"),
    "events": ("projects", "crossings", "links", "places", "countries"),
}


@pytest.mark.parametrize("table", TIES)
def test_every_row_is_tied_to_what_it_concerns(table: str) -> None:
    frame = read_atlas()[table]
    loose = frame.filter(pl.all_horizontal(pl.col(c).list.len().fill_null(0) == 0 for c in TIES[table]))
    assert loose["id"].to_list() == []


@pytest.mark.parametrize("table", TIES)
def test_every_name_that_ties_a_row_exists_and_stands_once(table: str) -> None:
    keys = {"countries": "iso2"}
    for column in TIES[table] + (("facts",) if table == "projects" else ()):
        known = set(read_atlas()[column][keys.get(column, "id")].to_list())
        for row, names in read_atlas()[table].select("id", column).drop_nulls().rows():
            assert set(names) <= known, (row, column)
            assert len(names) == len(set(names)), (row, column)


def test_projects_on_the_ground_are_tied_to_the_network() -> None:
    """Only a pipeline that is not in the atlas has no row of the network to belong to."""
    building = set(read_atlas()["links"]["project"].drop_nulls())
    columns = ("lines", "crossings", "places", "pipelines")
    for row in read_atlas()["projects"].to_dicts():
        if row["id"] != "power-of-siberia-2":
            assert row["id"] in building or any(row[c] for c in columns), row["id"]


def test_upgrades_and_their_projects_name_the_same_things() -> None:
    """Lines and crossings by name; terminals, yards and services by a place of the project."""
    tables = read_atlas()
    projects = {row["id"]: row for row in tables["projects"].to_dicts()}
    for row in tables["upgrades"].drop_nulls("project").to_dicts():
        project = projects[row["project"]]
        if row["table"] in ("lines", "crossings"):
            assert row["subject"] in (project[row["table"]] or []), row["id"]
        else:
            subject = tables[row["table"]].row(by_predicate=pl.col("id") == row["subject"], named=True)
            places = {subject["place"]} if subject["place"] else set(subject["link"].split(":")[1:])
            assert places <= set(project["places"]), row["id"]


def test_every_project_can_be_valued_or_says_why_not() -> None:
    tables = read_atlas()
    told = set(tables["unvalued"]["id"])
    changed = {project for table in ("links", "upgrades") for project in tables[table]["project"].drop_nulls()}
    assert not told & changed
    assert told | changed == set(tables["projects"]["id"])


def test_links_of_a_project_lie_in_its_countries_or_at_their_border() -> None:
    projects = dict(read_atlas()["projects"].select("id", "countries").iter_rows())
    for link, project, parts in read_atlas()["links"].select("id", "project", "country_km").drop_nulls().rows():
        assert {part.split(":")[0] for part in parts.split(";")} & set(projects[project]), link


@pytest.mark.shared
@pytest.mark.parametrize(
    ("table", "file"), [("projects", "projects"), ("agreements", "agreements"), ("events", "policy_events")]
)
def test_every_collected_row_is_in_the_registry(shared: Path, table: str, file: str) -> None:
    words = {"projects": "name", "agreements": "subject", "events": "event"}[table]
    collected = "project" if table == "projects" else words
    with (shared / "data" / "facts" / f"{file}.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    named = [row.get(collected) or row[words] for row in rows]
    assert rows
    assert set(named) <= set(read_atlas()[table][words].to_list())
