"""Questions about routes on the real atlas: conditions hold, cost what they cost, and a missing route is explained."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, NoRoute, OutputError, UnknownName
from landbridge.model.network import ArcKind
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Avoid, Build, Close
from landbridge.study.asking import Answer, ask
from landbridge.study.at_flows import loaded_hours
from landbridge.study.questions import question
from landbridge.study.results import Results
from landbridge.study.routing import NamedRoute, RouteFinder, find_routes
from small_run import small_results, small_tables

HELD = frozenset({"cku"})
CKU = (Build(project="cku"),)
THREE = ("time", "cost", "co2")


@cache
def _asked(start: str, end: str, year: int, cku: bool, given: tuple[tuple[str, Any], ...]) -> Answer:
    tables = small_tables()
    return ask(tables, question(tables, start, end, **dict(given)), year=year, measures=CKU if cku else (), held=HELD)


def asked(start: str, end: str, *, year: int = 2023, cku: bool = False, **given: Any) -> Answer:
    frozen = tuple((k, tuple(v) if isinstance(v, list) else v) for k, v in given.items())
    return _asked(start, end, year, cku, frozen)


@pytest.fixture(scope="module")
def atlas() -> Tables:
    return small_tables()


def modes(route: NamedRoute) -> set[str]:
    return {leg.mode for leg in route.legs if leg.type == "move"}


# ------------------------------------------------------------------------------------------------- efficient sets


@pytest.mark.parametrize(
    ("start", "end", "passages"),
    [
        ("Chongqing", "Duisburg", {"west-1", "suez"}),
        ("Xi'an", "Hamburg", {"west-1", "suez", "nsr"}),
        ("Xi'an", "Tashkent", {"china-central-asia"}),
        ("Lianyungang", "Almaty", {"china-central-asia"}),
        ("Zhengzhou", "Bely Rast", {"crk", "manzhouli", "suez"}),
        ("Shanghai", "Rotterdam", {"west-1", "suez", "nsr"}),
        ("Urumqi", "Tehran", {"west-2-land"}),
        ("Harbin", "Moscow", {"manzhouli"}),
        ("Suifenhe", "Vladivostok", {"suifenhe-vladivostok"}),
    ],
)
def test_efficient_sets_hold_the_passages_that_planners_weigh(start: str, end: str, passages: set[str]) -> None:
    found = asked(start, end, objectives=THREE, count=8)
    assert passages <= {route.passage for route in found.routes}
    assert found.efficient is not None
    assert found.efficient >= len(found.routes)
    sums = np.array([(r.time_h, r.cost_usd, r.co2_kg) for r in found.routes])
    for i, row in enumerate(sums):
        beaten = (sums <= row - 1e-6).any(axis=1) & (sums <= row).all(axis=1)
        assert not beaten.any(), f"route {i} is beaten"
    # the best by each is the best there is
    for k, objective in enumerate(THREE):
        alone = asked(start, end, objectives=(objective,), count=1).routes[0]
        assert (alone.time_h, alone.cost_usd, alone.co2_kg)[k] == pytest.approx(sums[:, k].min(), rel=1e-6)


@pytest.mark.parametrize(
    ("start", "end", "passages"),
    [
        ("Chongqing", "Duisburg", {"west-1", "east-1", "manzhouli", "west-2-caspian", "west-2-land", "suez"}),
        ("Xi'an", "Istanbul", {"west-2-caspian", "west-2-land", "west-3", "suez"}),
        ("Almaty", "Mersin", {"west-2-caspian", "north-south"}),
        ("Kashgar", "Tashkent", {"west-3", "china-central-asia"}),
        ("Zhengzhou", "Bely Rast", {"crk", "east-1", "manzhouli"}),
        ("Xi'an", "Tashkent", {"china-central-asia", "west-3"}),
        ("Urumqi", "Tehran", {"west-2-land"}),
        ("Harbin", "Moscow", {"manzhouli", "suifenhe-vladivostok"}),
        ("Suifenhe", "Vladivostok", {"suifenhe-vladivostok"}),
    ],
)
def test_each_named_passage_worth_a_look_is_shown(start: str, end: str, passages: set[str]) -> None:
    """The cheapest first; a passage keeps out of the countries that its standard relation keeps out of."""
    found = asked(start, end, count=8)
    assert passages <= {route.passage for route in found.routes}
    costs = [route.generalised_usd for route in found.routes]
    assert costs == sorted(costs)
    assert costs[0] == pytest.approx(asked(start, end, count=1).routes[0].generalised_usd)
    for route in found.routes:
        if route.passage == "west-2-caspian":
            assert not {"RU", "BY", "IR"} & set(route.countries[:-1])


def test_fewest_borders_and_changes_of_gauge_are_objectives_too() -> None:
    free = asked("Chongqing", "Duisburg", avoid=["sea"]).routes[0]
    for objective in ("borders", "gauge_changes", "risk"):
        best = asked("Chongqing", "Duisburg", avoid=["sea"], objectives=(objective,)).routes[0]
        if objective == "borders":
            assert len(best.borders) < len(free.borders)
        elif objective == "gauge_changes":
            assert best.gauge_changes == 0
        else:
            assert best.risk < free.risk


def test_totals_are_the_sums_of_legs() -> None:
    for route in asked("Chongqing", "Duisburg", objectives=THREE, count=8).routes:
        for total, part in (("time_h", "time_h"), ("cost_usd", "cost_usd"), ("co2_kg", "co2_kg"), ("risk", "spread_h")):
            assert sum(getattr(leg, part) for leg in route.legs) == pytest.approx(getattr(route, total), abs=5e-3)
        assert route.time_p50_h < route.time_p90_h
        assert route.time_p50_h == pytest.approx(route.time_h, rel=0.03)


def test_epsilon_thins_the_search_and_says_so() -> None:
    near = asked("Chongqing", "Duisburg", objectives=THREE, epsilon=0.05)
    whole = asked("Chongqing", "Duisburg", objectives=THREE)
    assert near.efficient is not None
    assert whole.efficient is not None
    assert near.efficient < whole.efficient
    assert "5.00%" in near.rule
    assert "Every efficient path" in whole.rule


# ----------------------------------------------------------------------------------------------------- conditions


BANS: list[dict[str, Any]] = [
    {"avoid": ["RU"]},
    {"avoid": ["Kazakhstan", "BY"]},
    {"avoid": ["khorgos-altynkol", "alashankou-dostyk"]},
    {"avoid": ["rail:cn-khorgos:kz-khorgosgateway", "sea"]},
    {"avoid": ["1520"]},
    {"modes": ["rail", "ferry"]},
    {"modes": ["rail"], "only_borders": ["khorgos-altynkol", "KZ-RU", "RU-BY", "BY-PL", "PL-DE"]},
    {"avoid": ["sea"], "max_borders": 4},
    {"avoid": ["sea"], "max_gauge_changes": 1},
    {"deadline_h": 18 * 24.0},
    {"avoid": ["sea"], "max_borders": 6, "max_gauge_changes": 1, "deadline_h": 480.0, "via": ["Almaty"]},
]


@pytest.mark.parametrize("given", BANS)
@pytest.mark.parametrize("objectives", [(), ("time",), THREE])
def test_no_route_breaks_a_condition(given: dict[str, Any], objectives: tuple[str, ...]) -> None:
    found = asked("Chongqing", "Duisburg", objectives=objectives, **given)
    assert found.status == "found"
    whole = question(small_tables(), "Chongqing", "Duisburg", **given)
    for route in found.routes:
        legs = [leg for leg in route.legs if leg.type != "access"]
        assert not set(route.countries) & set(whole.avoid_countries)
        assert not {leg.mode for leg in legs} & set(whole.avoid_modes)
        assert not {leg.gauge_mm for leg in legs} & set(whole.avoid_gauges)
        assert not set(route.borders) & set(whole.avoid_crossings)
        assert not {link for leg in legs for link in leg.links} & set(whole.avoid_links)
        assert whole.only_borders is None or set(route.borders) <= set(whole.only_borders)
        assert whole.max_borders is None or len(route.borders) <= whole.max_borders
        assert whole.max_gauge_changes is None or route.gauge_changes <= whole.max_gauge_changes
        assert whole.deadline_h is None or route.time_h <= whole.deadline_h + 1e-3
        assert (route.on_time is None) == (whole.deadline_h is None)
        stops = {leg.from_place for leg in legs} | {leg.to_place for leg in legs}
        on_the_way = {link for leg in legs for link in leg.links}
        assert all(stop in stops or any(stop in link for link in on_the_way) for stop in whole.via)
    assert found.free is not None
    best = asked("Chongqing", "Duisburg", count=1, **given).routes[0]
    assert best.generalised_usd >= found.free.generalised_usd - 1e-6
    for effect in found.effects:
        assert effect.generalised_usd is not None
        assert effect.generalised_usd >= 0
        assert effect.note or effect.generalised_usd > 0


@pytest.mark.parametrize(
    "given",
    [
        {"countries": ("RU",)},
        {"countries": ("KZ", "MN")},
        {"crossings": ("khorgos-altynkol",)},
        {"links": ("rail:cn-alashankou:kz-dostyk",)},
        {"modes": ("sea",)},
    ],
)
def test_a_ban_is_what_the_measure_of_a_scenario_does(atlas: Tables, given: dict[str, Any]) -> None:
    by_measure = find_routes(atlas, "cn-chongqing", "de-duisburg", year=2023, measures=(Avoid(**given),), count=1)
    (names,) = given.values()
    by_ban = asked("Chongqing", "Duisburg", avoid=names, count=1).routes[0]
    assert by_ban.generalised_usd == pytest.approx(by_measure[0].generalised_usd)


def test_without_russia_the_middle_corridor_and_the_sea_remain() -> None:
    found = asked("Chongqing", "Duisburg", avoid=["RU"])
    assert {"west-2-caspian", "suez"} <= {route.passage for route in found.routes}
    (effect,) = found.effects
    assert effect.generalised_usd is not None
    assert found.free is not None
    assert effect.generalised_usd == pytest.approx(found.routes[0].generalised_usd - found.free.generalised_usd)


def test_without_russia_and_kazakhstan_the_railway_over_kyrgyzstan_counts() -> None:
    given: dict[str, Any] = {"avoid": ["RU", "KZ"], "modes": ["rail", "ferry"]}
    before = asked("Chongqing", "Duisburg", year=2030, **given)
    assert before.status == "no route"
    after = asked("Chongqing", "Duisburg", year=2030, cku=True, **given)
    assert {route.passage for route in after.routes} == {"west-3"}
    land = asked("Chongqing", "Duisburg", avoid=["RU", "KZ", "sea"])
    assert {route.passage for route in land.routes} == {"west-3"}
    assert all("road" in modes(route) for route in land.routes)


# --------------------------------------------------------------------------------------------------- no way at all


def test_belarus_cannot_be_reached_by_rail_without_russia() -> None:
    alone = asked("Chongqing", "Duisburg", avoid=["RU"], modes=["rail"])
    both = asked("Chongqing", "Duisburg", avoid=["RU", "BY"], modes=["rail"])
    assert alone.status == both.status == "no route"
    assert [b.name for b in alone.blocked_by] == [b.name for b in both.blocked_by]
    assert [b.name for b in alone.blocked_by] == ["RU", "road", "sea", "ferry"]
    assert all(b.alone for b in both.blocked_by)
    russia, _, _, ferry = both.blocked_by
    assert "krasnoye-osinovka" in russia.through or "sebezh-zilupe" in russia.through
    assert ferry.through[0].startswith("ferry:")
    (belarus,) = both.effects
    assert belarus.name == "BY"
    assert "RU" in belarus.note
    assert "no way leads there" in belarus.note


def test_what_must_be_lifted_together_is_told_together() -> None:
    found = asked("Chongqing", "Duisburg", avoid=["CN", "KZ", "DE"])
    assert [(b.kind, b.name, b.alone) for b in found.blocked_by] == [("country", "CN", False), ("country", "DE", False)]
    assert found.reason.startswith("it takes lifting all of: country CN")


def test_a_limit_that_cannot_be_kept_tells_the_least() -> None:
    found = asked("Chongqing", "Duisburg", avoid=["sea", "ferry", "road"], max_borders=3)
    (limit,) = [b for b in found.blocked_by if b.kind == "borders"]
    assert limit.detail == "the least is 4"
    assert asked("Chongqing", "Duisburg", avoid=["sea", "ferry", "road"], max_borders=4).status == "found"
    late = asked("Chongqing", "Duisburg", deadline_h=240.0)
    (limit,) = late.blocked_by
    assert (limit.kind, limit.name) == ("arrival", "within 10 days")
    fastest = asked("Chongqing", "Duisburg", objectives=("time",), count=1).routes[0]
    assert limit.detail == f"the least is {fastest.time_h / 24:.1f} days"


def test_a_border_that_is_not_allowed_is_named() -> None:
    found = asked("Chongqing", "Duisburg", modes=["rail"], only_borders=["khorgos-altynkol"])
    (borders,) = [b for b in found.blocked_by if b.kind == "only borders"]
    assert "brest-malaszewicze" in borders.through


def test_the_borders_allowed_are_those_on_land_and_the_answer_says_so() -> None:
    found = asked("Chongqing", "Duisburg", only_borders=["KZ-RU"], count=3)
    assert found.status == "found"
    for route in found.routes:
        assert not route.borders
        assert "sea" in modes(route)
    assert "ports stay open" in found.rule
    assert "ports stay open" not in asked("Chongqing", "Duisburg", count=1).rule
    assert asked("Chongqing", "Duisburg", only_borders=["KZ-RU"], avoid=["sea"], count=1).status == "no route"


@pytest.mark.parametrize(("start", "end", "given"), [("Kashgar", "Tashkent", {"commodity": "coal", "count": 3})])
def test_no_two_routes_go_the_same_way(start: str, end: str, given: dict[str, Any]) -> None:
    """The yard that reloads is chosen by cost; a second row for another yard of the same way would tell nothing."""
    found = asked(start, end, **given)
    ways = [tuple(link for leg in route.legs for link in leg.links) for route in found.routes]
    assert len(ways) > 1
    assert len(set(ways)) == len(ways)


def test_a_link_that_is_not_open_is_named(atlas: Tables) -> None:
    """With Mongolia's borders shut its capital cannot be reached."""
    asking = question(atlas, "Beijing", "Ulaanbaatar")
    found = ask(atlas, asking, year=2023, measures=(Close(countries=("MN",)),), held=HELD)
    assert found.status == "no route"
    assert found.free is None
    (blocker,) = found.blocked_by
    assert (blocker.kind, blocker.alone) == ("missing link", True)
    assert "closed in this year or scenario" in blocker.detail
    assert found.reason.startswith("the network itself has no way: missing link ")


# ------------------------------------------------------------------------------------------------- words and flows


def test_names_that_are_not_there_are_told(atlas: Tables) -> None:
    with pytest.raises(UnknownName, match="did you mean khorgos-altynkol"):
        question(atlas, "Xi'an", "Almaty", only_borders=["khorgos-altinkol"])
    with pytest.raises(UnknownName, match="unknown border 'CN-DE'"):
        question(atlas, "Xi'an", "Almaty", only_borders=["CN-DE"])
    with pytest.raises(LandbridgeError, match=r"unknown gauge 1234 mm; there are .*1435"):
        question(atlas, "Xi'an", "Almaty", avoid=["1234"])
    with pytest.raises(UnknownName, match="unknown objective 'tim'; did you mean time"):
        question(atlas, "Xi'an", "Almaty", objectives=("tim",))
    with pytest.raises(UnknownName, match="unknown mode 'train'"):
        question(atlas, "Xi'an", "Almaty", modes=["train"])
    with pytest.raises(NoRoute, match="same place"):
        question(atlas, "Almaty", "kz-almaty")


def test_at_flows_borders_and_lines_take_the_hours_of_the_results(atlas: Tables) -> None:
    results = small_results()
    asking = question(atlas, "Xi'an", "Tashkent")
    tables = apply(atlas, (), 2023, held=HELD).tables
    free = RouteFinder(tables, [asking.start, asking.end])
    loaded = RouteFinder(tables, [asking.start, asking.end], hours=loaded_hours(results, "base", 2023))
    net = free.network
    still = np.isin(net.kind, [ArcKind.GAUGE, ArcKind.TRANSFER, ArcKind.WAIT, ArcKind.ACCESS])
    assert (loaded.time_h[still] == free.time_h[still]).all()
    assert (loaded.time_h >= free.time_h - 1e-9).all()
    assert (loaded.time_h > free.time_h + 0.01).any()
    rows = (
        results.of("crossings", "base", 2023).filter(crossing="khorgos-altynkol").select("direction", "time_h").rows()
    )
    for direction, hours in rows:
        arcs = (net.crossing == net.crossings.index("khorgos-altynkol")) & (net.backward == (direction == "ba"))
        assert loaded.time_h[arcs] == pytest.approx(hours)
    at_flows = ask(atlas, asking, year=2023, held=HELD, hours=loaded_hours(results, "base", 2023)).routes[0]
    assert at_flows.time_h >= asked("Xi'an", "Tashkent").routes[0].time_h


def test_results_that_lack_a_link_are_not_used(atlas: Tables) -> None:
    results = small_results()
    fewer = results["crossings"].filter(results["crossings"]["crossing"] != "khorgos-altynkol")
    short = {**results.tables, "crossings": fewer}
    hours = loaded_hours(Results(results.folder, results.manifest, short), "base", 2023)
    with pytest.raises(OutputError, match="holds no hours of khorgos-altynkol; run the study again"):
        ask(atlas, question(atlas, "Xi'an", "Tashkent"), year=2023, held=HELD, hours=hours)
    with pytest.raises(UnknownName, match="unknown scenario 'bas'; did you mean base"):
        loaded_hours(results, "bas", 2023)
