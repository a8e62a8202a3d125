"""Measures that do not go together, names that are not there, and shapes that mean nothing: all are told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from test_measures import told

from landbridge.data.tables import Tables
from landbridge.errors import StudyError
from landbridge.scenario.apply import apply
from landbridge.scenario.check import check_measures
from landbridge.scenario.measures import (
    Avoid,
    Build,
    Charge,
    Close,
    Ease,
    Grow,
    Measure,
    Regauge,
    Subsidise,
    Upgrade,
)
from small_atlas import small_atlas


@pytest.fixture
def tables() -> Tables:
    return small_atlas()


CONFLICTS: list[tuple[str, list[Measure], str, str]] = [
    ("built already there", [Build(links=("r1",))], "measure[0].links[0]", "'r1', open already"),
    ("project without links", [Build(project="harbour")], "measure[0].project", "'harbour'"),
    ("built twice", [Build(project="pass"), Build(project="pass")], "measure[1]", "built already by measure[0]"),
    ("part built twice", [Build(project="pass"), Build(links=("new2",))], "measure[1]", "new2, built already"),
    ("built too late", [Build(project="pass", year=2031)], "measure[0].year", "2031"),
    ("joins nothing", [Build(links=("plan",))], "measure[0]", "plan, on their own"),
    ("upgrade of a plan", [Upgrade(links=("plan",), capacity_factor=2)], "measure[0].links[0]", "'plan' (planned)"),
    ("upgrade not built", [Upgrade(project="pass", capacity_factor=2)], "measure[0].project", "'pass'"),
    ("line not built", [Upgrade(lines=("pass",), capacity_factor=2)], "measure[0].lines[0]", "'pass'"),
    ("close of what is shut", [Close(links=("old",))], "measure[0].links[0]", "'old' (suspended)"),
    ("ease of what is shut", [Ease(crossings=("pass",), time_factor=0.5)], "measure[0].crossings[0]", "(closed)"),
    (
        "close and ease",
        [Close(crossings=("gate",)), Ease(crossings=("gate",), time_factor=0.5)],
        "measure[1]",
        "'gate', closed by measure[0]",
    ),
    (
        "ease and close",
        [Ease(crossings=("gate",), time_factor=0.5), Close(links=("g1",))],
        "measure[0]",
        "'gate', closed by measure[1]",
    ),
    ("build and avoid", [Build(project="pass"), Avoid(links=("new1",))], "measure[0]", "'new1', closed by measure[1]"),
    (
        "closed twice",
        [Close(crossings=("gate",)), Close(crossings=("gate",), share=0.5)],
        "measure[1]",
        "'gate', closed already by measure[0]",
    ),
    ("same gauge", [Regauge(links=("r2",), gauge_mm=1520)], "measure[0].links[0]", "'r2'"),
    ("gauge of a road", [Regauge(links=("road",), gauge_mm=1520)], "measure[0].links[0]", "a road link"),
    ("gauge of nowhere", [Regauge(links=("r2",), gauge_mm=1000)], "measure[0].gauge_mm", "1000"),
    (
        "regauged twice",
        [Regauge(links=("r2",), gauge_mm=1435), Regauge(links=("r2", "r1"), gauge_mm=1435)],
        "measure[1].links[0]",
        "'r2'",
    ),
    ("unknown capacity", [Upgrade(links=("road",), capacity_factor=2)], "measure[0].capacity_factor", "none of them"),
    ("share of unknown", [Close(crossings=("gate-road",), share=0.5)], "measure[0].share", "unknown capacities"),
    ("no crossing there", [Charge(modes=("sea",), usd_teu=5)], "measure[0].usd_teu", "nothing"),
    ("no km there", [Charge(countries=("CN",), modes=("sea",), usd_t_km=1)], "measure[0].usd_t_km", "nothing"),
    ("no such trade", [Grow(factor=2, exporter="KAZ", importer="RUS")], "measure[0]", "* from KAZ to RUS"),
    ("growth too late", [Grow(factor=2, from_year=2040)], "measure[0].from_year", "2040"),
]


@pytest.mark.parametrize(("measures", "position", "got"), [c[1:] for c in CONFLICTS], ids=[c[0] for c in CONFLICTS])
def test_conflicts_are_told(tables: Tables, measures: list[Measure], position: str, got: str) -> None:
    faults = check_measures(tables, measures, [2023], held=frozenset({"pass"}))
    assert any(fault.field == position and got in fault.got for fault in faults), told(tables, *measures)


FINE: list[tuple[str, list[Measure]]] = [
    ("upgrade of what is built", [Build(project="pass"), Upgrade(project="pass", capacity_factor=2)]),
    ("upgrade before it is built", [Upgrade(links=("new1",), speed_kmh=90), Build(project="pass")]),
    ("ease what is narrowed", [Close(crossings=("gate",), share=0.5), Ease(crossings=("gate",), time_factor=0.5)]),
    ("ease a country, close a crossing", [Close(crossings=("gate",)), Ease(countries=("KZ",), time_factor=0.5)]),
    ("a ban on what is not there", [Avoid(links=("plan",))]),
    ("a line in two builds", [Build(links=("new1",)), Build(links=("new2",))]),
    ("gauge and back", [Regauge(links=("r2",), gauge_mm=1435), Regauge(links=("r2",), gauge_mm=1520)]),
    ("closed for half a year, opened", [Build(links=("g2",))]),
]


@pytest.mark.parametrize("measures", [case[1] for case in FINE], ids=[case[0] for case in FINE])
def test_what_goes_together_is_not_told(tables: Tables, measures: list[Measure]) -> None:
    assert told(tables, *measures, held=frozenset({"pass"})) == ""


def test_a_later_year_makes_a_measure_possible(tables: Tables) -> None:
    upgrade = Upgrade(links=("second",), capacity_factor=2)
    assert "'second' (under construction)" in told(tables, upgrade, years=(2023,))
    assert told(tables, upgrade, years=(2023, 2030)) == ""


SHAPES: list[tuple[str, Callable[[], Measure], str]] = [
    ("build of nothing", Build, "one of project, links"),
    ("two ways to build", lambda: Build(project="pass", links=("old",)), "only one of project, links"),
    ("close nothing", Close, "one of crossings, links, places, countries"),
    ("share of all", lambda: Close(links=("r1",), share=1.0), "less than 1"),
    ("terminal without what", lambda: Upgrade(terminals=("yard",)), "one of"),
    ("what without terminal", lambda: Upgrade(links=("r1",), tracks_added=2), "terminals"),
    ("terminal with a speed", lambda: Upgrade(terminals=("yard",), tracks_added=2, speed_kmh=9), "links"),
    ("terminal with a capacity", lambda: Upgrade(terminals=("yard",), tracks_added=2, capacity_factor=2), "links"),
    ("upgrade to nothing", lambda: Upgrade(links=("r1",)), "one of capacity_factor"),
    (
        "speed of a crossing",
        lambda: Upgrade(crossings=("gate",), speed_kmh=9),
        "links, lines, project beside speed_kmh",
    ),
    ("two capacities", lambda: Upgrade(links=("r1",), capacity_factor=2, capacity_trains_day=9), "only one of"),
    (
        "everywhere and here",
        lambda: Ease(everywhere=True, countries=("KZ",), cost_factor=0),
        "no crossings or countries",
    ),
    ("no queue in yards", lambda: Ease(everywhere=True, waiting_factor=0.5, include_gauge_change=True), "time_factor"),
    (
        "km of a crossing",
        lambda: Charge(crossings=("gate",), usd_teu_km=1),
        "countries, links, modes beside usd_teu_km",
    ),
    ("negative subsidy", lambda: Subsidise(links=("r1",), usd_teu=-5), "more than 0"),
    ("way of a link", lambda: Charge(links=("r1",), usd_teu=5, direction="both"), "countries beside direction"),
    ("not a number", lambda: Ease(everywhere=True, time_factor=float("nan")), "a finite number"),
    ("two growths", lambda: Grow(percent_yr=2, factor=2), "only one of"),
]


@pytest.mark.parametrize(("make", "wanted"), [s[1:] for s in SHAPES], ids=[s[0] for s in SHAPES])
def test_shapes_that_mean_nothing_are_told(tables: Tables, make: Callable[[], Measure], wanted: str) -> None:
    measure = make()
    assert wanted in told(tables, measure)
    with pytest.raises(StudyError):
        apply(tables, [measure], 2023)


def test_names_in_words_find_their_code(tables: Tables) -> None:
    assert "did you mean KZ (Kazakhstan)" in told(tables, Avoid(countries=("KAZ",)))
    assert "did you mean RU (Russian Federation)" in told(tables, Avoid(countries=("Russia",)))
    assert "KAZ (Kazakhstan)" in told(tables, Grow(factor=2, exporter="KZ"))
    assert "gate-road (Gate, road)" in told(tables, Close(crossings=("Rood",))), "a word of a name, misspelt"
    assert "kz-west (West City)" in told(tables, Close(places=("West City",)))


def test_all_faults_at_once(tables: Tables) -> None:
    faults = check_measures(
        tables,
        [Close(crossings=("gat", "gate", "steep")), Build(), Upgrade(links=("plan",), capacity_factor=2)],
        [2023],
        positions=["a", "b", "c"],
    )
    assert [fault.field for fault in faults] == ["a.crossings[0]", "a.crossings[2]", "b", "c.links[0]"]
