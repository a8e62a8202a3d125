"""The real atlas, and one run of the CKU study over it: routes as they are known, laws that flows must keep, and that
no number of the atlas is without effect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from landbridge.data.dictionary import Column, read_dictionary
from landbridge.data.read import ATLAS, complete, read_atlas, read_frames
from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, NoRoute
from landbridge.model import demand as demand_door
from landbridge.model import network as network_door
from landbridge.model import paths
from landbridge.model.demand import FIXED_MODES
from landbridge.model.flows import conservation_error
from landbridge.model.network import ArcKind, Network
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Avoid, Build, Close
from landbridge.study import run as run_module
from landbridge.study import solve as solving
from landbridge.study.files import read_study
from landbridge.study.past import past_notes, trade_of_year
from landbridge.study.players import players_of
from landbridge.study.results import Results
from landbridge.study.routing import NamedRoute, RouteFinder, find_routes, passage_routes
from landbridge.study.solve import DEMAND_TABLES, NETWORK_TABLES, Settings, Solution, columns
from landbridge.study.tabulate import tabulate
from landbridge.study.worth import RULES, corridors

STUDY = Path(__file__).resolve().parents[2] / "examples" / "cku.toml"
CKU = Build(project="cku")
HELD = frozenset({"cku"})
RUNS = [(scenario, year) for scenario in ("base", "cku") for year in (2023, 2030)]

Run = tuple[str, int]


@dataclass(frozen=True)
class Solved:
    """A run of the study: what its folder says and what was solved on the way."""

    results: Results
    tables: dict[Run, Tables]
    solutions: dict[Run, Solution]


@pytest.fixture(scope="module")
def atlas() -> Tables:
    return read_atlas()


@pytest.fixture(scope="module")
def solved(atlas: Tables, tmp_path_factory: pytest.TempPathFactory) -> Solved:
    """Run the study once; the solutions are caught on their way into the tables."""
    study = read_study(STUDY)
    order = iter([(scenario.id, year) for scenario in study.scenarios for year in study.years])
    tables: dict[Run, Tables] = {}
    solutions: dict[Run, Solution] = {}

    def caught(given: Tables, **more: Any) -> Solution:
        run = next(order)
        tables[run], solutions[run] = given, solving.solve(given, **more)
        return solutions[run]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "solve", caught)
        results = run_module.run_study(study, atlas, tmp_path_factory.mktemp("study") / "results")
    return Solved(results, tables, solutions)


@pytest.fixture(scope="module")
def today(atlas: Tables) -> Network:
    """The supernetwork of 2023."""
    return network_door.build(columns(apply(atlas, (), 2023, held=HELD).tables, NETWORK_TABLES))


def one(atlas: Tables, start: str, end: str, **given: Any) -> NamedRoute:
    """The best route, in 2023 and by rail unless told otherwise."""
    return find_routes(atlas, start, end, **{"year": 2023, "modes": ("rail",), "count": 1, "held": HELD, **given})[0]


# ------------------------------------------------------------------------------------------------ gauge on real rails


@pytest.mark.parametrize("passage", ["west-1", "east-1", "manzhouli"])
def test_to_duisburg_the_gauge_changes_twice(atlas: Tables, passage: str) -> None:
    row = atlas["passages"].row(by_predicate=pl.col("id") == passage, named=True)
    for start in dict.fromkeys(("cn-chongqing", row["origin"])):
        route = one(atlas, start, "de-duisburg", via=row["via"], avoid=row["avoid_countries"])
        assert route.gauge_changes == 2
        assert {leg.mode for leg in route.legs if leg.type == "move"} == {"rail"}
        assert route.passage == passage


@pytest.mark.parametrize(
    ("start", "end", "via", "changes"),
    [
        ("cn-chongqing", "uz-tashkent", (), 1),
        ("cn-xian", "ru-belyrast", (), 1),
        ("cn-chongqing", "ir-tehran", ("ir-sarakhs",), 2),
        ("ir-tehran", "cn-chongqing", ("ir-sarakhs",), 2),
        ("de-duisburg", "cn-chongqing", ("by-brest",), 2),
        ("cn-chongqing", "cn-khorgos", (), 0),
    ],
)
def test_the_gauge_changes_where_systems_meet(
    atlas: Tables, start: str, end: str, via: tuple[str, ...], changes: int
) -> None:
    assert one(atlas, start, end, via=via).gauge_changes == changes


def test_every_change_of_gauge_stands_where_both_gauges_are(atlas: Tables, today: Network) -> None:
    gauges = dict(zip(atlas["places"]["id"], atlas["places"]["gauges_mm"].to_list(), strict=True))
    arcs = np.flatnonzero(today.kind == ArcKind.GAUGE)
    assert len(arcs) > 20
    for arc in arcs.tolist():
        tail, head = int(today.tail[arc]), int(today.head[arc])
        before, after = (today.states[int(today.node_state[node])] for node in (tail, head))
        assert before != after
        assert before.startswith("rail:")
        assert today.node_place[tail] == today.node_place[head] == today.place[arc]
        present = {f"rail:{gauge}" for gauge in gauges[today.places[int(today.place[arc])]]}
        assert {before, after} <= present | ({"rail:1520"} if "rail:1524" in present else set())


def test_gauge_never_changes_but_on_a_gauge_arc(today: Network) -> None:
    state = np.array([s if s.startswith("rail:") else "" for s in today.states])[today.node_state]
    rails = (state[today.tail] != "") & (state[today.head] != "")
    changed = rails & (state[today.tail] != state[today.head])
    assert (today.kind[changed] == ArcKind.GAUGE).all()


@pytest.mark.parametrize("commodity", ["machinery_box", "coal"])
def test_inside_the_1520_area_no_gauge_is_changed(atlas: Tables, commodity: str) -> None:
    ends = ["kz-almaty", "kz-astana", "kz-aktau", "ru-moscow", "ru-novosibirsk", "uz-tashkent", "by-minsk", "by-brest"]
    finder = RouteFinder(apply(atlas, (), 2023, held=HELD).tables, ends)
    number = finder.commodity(commodity)
    for start in ends:
        for end in ends:
            if start != end:
                (route,) = finder.find(start, end, commodity=number, modes=("rail",))
                assert route.gauge_changes == 0
                assert set(route.countries) <= {"KZ", "RU", "UZ", "BY", "KG", "TJ", "TM"}
                assert not any(leg.type == "gauge change" for leg in route.legs)


# --------------------------------------------------------------------------------------------------- known distances


@pytest.mark.parametrize("gate", ["cn-khorgos", "cn-alashankou"])
def test_chongqing_to_duisburg_by_rail(atlas: Tables, gate: str) -> None:
    assert 9_800 <= one(atlas, "cn-chongqing", "de-duisburg", via=(gate,)).length_km <= 10_500


@pytest.mark.parametrize(
    ("start", "end", "wanted", "given"),
    [
        # 3,250 km of it are published: Xi'an - Lanzhou 676, - Urumqi 1,904, - Jinghe 381.5, - Khorgos 286
        ("cn-xian", "uz-tashkent", 4550, {"via": ("cn-khorgos",)}),
        ("cn-kashgar", "uz-tashkent", 3440, {}),
        ("cn-kashgar", "uz-tashkent", 3440, {"year": 2030}),  # not yet without the railway
        ("cn-kashgar", "uz-tashkent", 940, {"year": 2030, "measures": (CKU,)}),
        ("cn-kashgar", "uz-tashkent", 940, {"measures": (CKU,)}),
    ],
)
def test_known_distances(atlas: Tables, start: str, end: str, wanted: float, given: dict[str, Any]) -> None:
    route = one(atlas, start, end, **given)
    assert route.length_km == pytest.approx(wanted, rel=0.02)
    back = one(atlas, end, start, **{**given, "via": tuple(reversed(given.get("via", ())))})
    assert back.length_km == pytest.approx(wanted, rel=0.02)


def test_without_russia_the_middle_corridor(atlas: Tables) -> None:
    route = one(atlas, "cn-chongqing", "de-duisburg", avoid=("RU",), modes=("rail", "road", "ferry"))
    assert route.passage == "west-2-caspian"
    assert {"KZ", "AZ", "GE"} <= set(route.countries)
    assert {leg.mode for leg in route.legs if leg.type == "move"} >= {"rail", "ferry"}


def test_without_russia_no_commodity_touches_it(atlas: Tables) -> None:
    tables = apply(atlas, (Avoid(countries=("RU",)),), 2023, held=HELD).tables
    finder = RouteFinder(tables, ["cn-chongqing", "de-duisburg"])
    for name in tables.ids("commodities"):
        for modes in (("rail", "road", "ferry"), ()):
            (route,) = finder.find("cn-chongqing", "de-duisburg", commodity=finder.commodity(name), modes=modes)
            assert "RU" not in route.countries
            assert not any("ru-" in link for leg in route.legs for link in leg.links)


@pytest.mark.parametrize("start", ["cn-xian", "cn-chengdu", "cn-urumqi"])
def test_china_to_bely_rast_runs_through_kazakhstan(atlas: Tables, start: str) -> None:
    route = one(atlas, start, "ru-belyrast")
    assert route.countries[0] == "CN"
    assert route.countries[-1] == "RU"
    assert "KZ" in route.countries
    assert route.passage == "crk"


def test_a_detour_is_not_shorter(atlas: Tables) -> None:
    """Khorgos and Alashankou are passages of the free route, so that naming one cannot make it cheaper."""
    free = one(atlas, "cn-chongqing", "de-duisburg")
    gates = [one(atlas, "cn-chongqing", "de-duisburg", via=(gate,)) for gate in ("cn-khorgos", "cn-alashankou")]
    assert free.generalised_usd == pytest.approx(min(route.generalised_usd for route in gates))


# ------------------------------------------------------------------------------------------------------ no way at all


def test_no_route_is_said_clearly(atlas: Tables) -> None:
    with pytest.raises(NoRoute, match=r"no route for machinery_box from jp-yokohama to de-duisburg in 2023 by rail$"):
        one(atlas, "jp-yokohama", "de-duisburg")
    with pytest.raises(NoRoute, match="from cn-xian to ru-moscow in 2023 by rail without RU"):
        one(atlas, "cn-xian", "ru-moscow", avoid=("RU",))
    with pytest.raises(NoRoute, match=r"coal .* through jp-yokohama"):
        one(atlas, "cn-xian", "ru-moscow", commodity="coal", via=("jp-yokohama",))


# ---------------------------------------------------------------------------------------------- avoid leaves nothing


@pytest.mark.parametrize("country", "CN KZ RU KG UZ TM TJ AF IR TR AZ GE AM BY PL UA LT MN DE".split())
def test_a_country_that_is_avoided_has_no_arc(atlas: Tables, country: str) -> None:
    tables = apply(atlas, (CKU, Avoid(countries=(country,))), 2030, held=HELD).tables
    net = network_door.build(columns(tables, NETWORK_TABLES))
    if country in net.countries:
        number = net.countries.index(country)
        assert not ((net.country == number) | (net.country_to == number)).any()
    home = dict(zip(tables["places"]["id"], tables["places"]["iso2"], strict=True))
    where = [home[net.places[p]] if p >= 0 else None for p in net.node_place.tolist()]
    used = {where[node] for node in {*net.tail.tolist(), *net.head.tolist()}}
    assert country not in used


# ------------------------------------------------------------------------------------------------------ laws of flow


@pytest.mark.parametrize("run", RUNS)
def test_flow_is_conserved(solved: Solved, run: Run) -> None:
    solution = solved.solutions[run]
    graph = solving.assignable(solution.prepared)[0]
    assert conservation_error(graph, solution.equilibrium, solution.relations) <= 1e-9


def test_every_equilibrium_is_near_enough(solved: Solved) -> None:
    rows = solved.results.manifest["solved"]
    assert [(row["scenario"], row["year"]) for row in rows] == RUNS
    for row in rows:
        assert row["status"] == "converged"
        assert row["principle"] == "user equilibrium"
        assert 0 <= row["relative_gap"] <= 1e-4
    frame = solved.results["totals"]
    assert frame["relative_gap"].to_list() == [row["relative_gap"] for row in rows]


@pytest.mark.parametrize("run", RUNS)
def test_the_potential_is_that_of_the_flows(solved: Solved, run: Run) -> None:
    """Beckmann's value from the arcs: constant costs, the area under each delay, and the price of what stays out."""
    solution = solved.solutions[run]
    prepared, found, asked = solution.prepared, solution.equilibrium, solution.relations
    net, classes = prepared.network, prepared.classes
    rate = classes.weight_trains_day_per_t_yr / classes.value_of_time_usd_t_h
    value = 0.0
    for k in range(len(classes.names)):
        used = found.arc_tonnes_yr[k] > 0
        cost = prepared.money[k][used] + classes.value_of_time_usd_t_h[k] * net.time_h[used]
        value += float(rate[k] * (cost @ found.arc_tonnes_yr[k][used]))
    grid, weight = np.polynomial.legendre.leggauss(8)  # exact for the powers in the atlas
    volume = found.facility_trains_day / 2
    points = volume[:, None] * (grid + 1) + net.preload_trains_day[:, None]
    delay = net.delay_h[:, None] * (points / net.capacity_trains_day[:, None]) ** net.power[:, None]
    value += float(net.train_length_factor @ ((delay @ weight) * volume))
    out, kept = found.outside_tonnes_yr, found.network_tonnes_yr
    some = np.isfinite(asked.outside_usd_t) & (out > 0)
    entropy = out[some] * np.log(out[some] / asked.tonnes_yr[some])
    entropy += np.where(
        kept[some] > 0, kept[some] * np.log(np.maximum(kept[some], 1e-300) / asked.tonnes_yr[some]), 0.0
    )
    price = asked.outside_usd_t[some] * out[some] + asked.scale_usd_t[some] * entropy
    value += float(rate[asked.class_index[some]] @ price)
    assert found.potential == pytest.approx(value, rel=1e-9)
    assert solved.results.of("totals", *run)["potential"].item() == found.potential


def test_hours_are_those_of_the_volumes(solved: Solved) -> None:
    for run in RUNS:
        solution = solved.solutions[run]
        net, found = solution.prepared.network, solution.equilibrium
        use = (found.facility_trains_day + net.preload_trains_day) / net.capacity_trains_day
        delay = np.append(net.delay_h * use**net.power, 0.0)  # facility -1: none
        assert found.time_h == pytest.approx(net.time_h + delay[net.facility])
        assert (found.time_h >= solution.prepared.free_h - 1e-9).all()


def test_nobody_uses_what_is_not_for_them(solved: Solved) -> None:
    """No boxes through a yard for bulk, no bulk through one for boxes, and no flow on the ocean legs."""
    for run in RUNS:
        solution = solved.solutions[run]
        net, classes, tonnes = solution.prepared.network, solution.prepared.classes, solution.equilibrium.arc_tonnes_yr
        assert not tonnes[np.ix_(classes.container, ~net.container)].any()
        assert not tonnes[np.ix_(~classes.container, ~net.bulk)].any()
        assert not tonnes[:, ~solution.prepared.land].any()


def test_closing_khorgos_moves_flow_to_alashankou(solved: Solved, atlas: Tables) -> None:
    shut = ("khorgos-altynkol", "khorgos-almaty-road")
    tables = apply(atlas, (Close(crossings=shut),), 2023, held=HELD).tables
    solution = solving.solve(tables, year=2023, settings=Settings(gap=1e-6))
    closed = tabulate(tables, solution)["crossings"]
    before = solved.results.of("crossings", "base", 2023)
    at_khorgos = pl.col("crossing").is_in(shut)
    assert before.filter(at_khorgos)["tonnes"].sum() > 1e6
    assert closed.filter(at_khorgos)["tonnes"].sum() == 0
    net = solution.prepared.network
    assert not np.isin(net.links, ["rail:cn-khorgos:kz-khorgosgateway", "road:cn-khorgos:kz-almaty"]).any()
    dostyk = pl.col("crossing") == "alashankou-dostyk"
    for way in ("ab", "ba"):
        side = dostyk & (pl.col("direction") == way)
        assert closed.filter(side)["tonnes"].item() > before.filter(side)["tonnes"].item()


def test_building_cku_raises_no_relation_s_free_flow_cost(solved: Solved) -> None:
    for year in (2023, 2030):
        base, cku = (solved.solutions[scenario, year].prepared for scenario in ("base", "cku"))
        asked = base.demand
        assert (asked.tonnes_yr == cku.demand.tonnes_yr).all()
        assert (asked.origin == cku.demand.origin).all()
        assert base.whole is not None
        assert base.whole.relation_count == 5000
        assert asked.relation_count > 5000, "owners who refuse a way stand apart"
        lowered = 0
        found = []
        for prepared in (base, cku):
            net, classes = prepared.network, prepared.classes
            graph = paths.graph(net.node_count, net.tail, net.head)
            least = np.full(asked.relation_count, np.inf)
            for k in np.unique(asked.commodity):
                cost = prepared.money[k] + classes.value_of_time_usd_t_h[k] * prepared.free_h
                cost = np.where(prepared.land, cost, np.inf)
                for zone in np.unique(asked.origin[asked.commodity == k]):
                    source = int(net.zone_source[zone])
                    chosen = np.flatnonzero((asked.commodity == k) & (asked.origin == zone))
                    if source >= 0:
                        tree = paths.shortest_tree(graph, cost, source)
                        least[chosen] = tree.distance[net.zone_sink[asked.destination[chosen]]]
            found.append(least)
        assert (np.isfinite(found[1]) >= np.isfinite(found[0])).all()
        some = np.isfinite(found[0])
        assert (found[1][some] <= found[0][some] * (1 + 1e-12)).all()
        lowered = int((found[1][some] < found[0][some] * (1 - 1e-6)).sum())
        assert lowered > 10  # and it is worth something to somebody


# ----------------------------------------------------------------------------------------------- tables that agree


@pytest.mark.parametrize("run", RUNS)
def test_a_crossing_s_tonnes_are_those_of_its_commodities(solved: Solved, run: Run) -> None:
    keys = ["crossing", "direction"]
    parts = solved.results.of("crossing_flows", *run).group_by(keys).agg(pl.col("tonnes", "teu", "trains").sum())
    whole = solved.results.of("crossings", *run)
    joined = whole.join(parts, on=keys, how="full", coalesce=True, suffix="_parts").fill_null(0)
    assert len(joined) == len(whole)
    assert joined["tonnes"].sum() > 1e7
    for name in ("tonnes", "teu", "trains"):
        assert joined[name].to_list() == pytest.approx(joined[f"{name}_parts"].to_list(), rel=1e-9, abs=1e-6)
    # the solver's own volume at the crossing
    day = joined.filter(pl.col("capacity_trains_day") > 0)
    assert (day["trains"] / 365 <= day["trains_day"] * 3 + 1e-9).all()


@pytest.mark.parametrize("run", RUNS)
def test_passages_add_up_to_the_land_network(solved: Solved, run: Run) -> None:
    totals = solved.results.of("totals", *run).row(0, named=True)
    flows = solved.results.of("passage_flows", *run)
    loaded = flows.filter(pl.col("commodity") != "empty_box")
    assert loaded["tonnes"].sum() == pytest.approx(totals["land_tonnes"], rel=1e-9)
    assert loaded["teu"].sum() == pytest.approx(totals["land_teu"], rel=1e-9)
    empty = flows.filter(pl.col("commodity") == "empty_box")
    assert empty["teu"].sum() == pytest.approx(totals["empty_teu"], rel=1e-9)
    relations = solved.results.of("relations", *run)
    for name, column in (("land", "land_tonnes"), ("outside", "outside_tonnes"), ("unserved", "unserved_tonnes")):
        assert relations[column].sum() == pytest.approx(totals[f"{name}_tonnes"], rel=1e-9, abs=1e-6)
    fixed = solved.results.of("fixed_flows", *run)
    assert fixed["tonnes"].sum() == pytest.approx(totals["fixed_tonnes"], rel=1e-9)


@pytest.mark.parametrize("year", [2023, 2030])
def test_all_trade_is_somewhere(solved: Solved, year: int) -> None:
    """The whole of trade is what comes out when one rule sends all of it by sea."""
    given = columns(solved.tables["base", year], DEMAND_TABLES)
    rule = {"id": "all", "exporter": "*", "importer": "*", "commodity": "*", "sea": 1.0}
    given["mode_shares"] = {name: [rule.get(name, 0.0)] for name in given["mode_shares"]}
    by_sea = demand_door.build(given, year=year)
    whole = float(by_sea.fixed_tonnes_yr.sum()) + by_sea.elsewhere_tonnes_yr
    for scenario in ("base", "cku"):
        totals = solved.results.of("totals", scenario, year).row(0, named=True)
        parts = ("fixed", "elsewhere", "land", "outside", "unserved", "left_out", "within_zone", "without_zone")
        assert sum(totals[f"{part}_tonnes"] for part in parts) == pytest.approx(whole, rel=1e-9)
        assert totals["unserved_tonnes"] <= 1e-3 * totals["demand_tonnes"]


def test_links_carry_what_passes_their_crossing(solved: Solved) -> None:
    """On both sides of a border runs what crosses it."""
    for run in RUNS:
        crossings = solved.tables[run]["crossings"]
        link = dict(zip(crossings["id"], crossings["link"], strict=True))
        single = {name for name, count in crossings["link"].value_counts().iter_rows() if count == 1}
        tonnes = solved.results.of("links", *run).group_by("link", "direction", "country").agg(pl.col("tonnes").sum())
        by_side = {(a, b, c): t for a, b, c, t in tonnes.iter_rows()}
        for row in solved.results.of("crossings", *run).iter_rows(named=True):
            if link[row["crossing"]] in single:
                for country in (row["from_country"], row["to_country"]):
                    side = by_side[link[row["crossing"]], row["direction"], country]
                    assert side == pytest.approx(row["tonnes"], rel=1e-9, abs=1e-6)


def test_what_goes_by_pipe_fits_the_pipes(solved: Solved, atlas: Tables) -> None:
    """Into each country, from those along its pipelines, no more than these can carry in the base year."""
    demand = solved.solutions["base", 2023].prepared.demand
    iso2 = dict(zip(atlas["countries"]["iso3"], atlas["countries"]["iso2"], strict=True))
    piped = demand.fixed_mode == FIXED_MODES.index("pipeline")
    rows = zip(
        demand.fixed_exporter[piped].tolist(),
        demand.fixed_importer[piped].tolist(),
        demand.fixed_commodity[piped].tolist(),
        demand.fixed_tonnes_yr[piped].tolist(),
        strict=True,
    )
    codes = [iso2.get(name, name) for name in demand.countries]
    flows = [(codes[e], codes[i], demand.commodities[c], t) for e, i, c, t in rows]
    for (country, product), group in atlas["pipelines"].group_by("to_country", "product"):
        along = {c for cs in group["countries"].to_list() for c in cs} - {country}
        carried = sum(t for e, i, p, t in flows if i == country and p == product and e in along) / 1e6
        if group["capacity_mt_yr"].null_count() == 0:
            assert carried <= group["capacity_mt_yr"].sum(), (country, product)


# ----------------------------------------------------------------------------------------------- nothing is ignored

#: Tables whose numbers no model reads, with the reason.
FOR_READERS = {
    "agreements": "register of treaties and loans",
    "countries": "figures for country pages; the model knows countries by their codes",
    "financing": "appraisals read it; their own tests hold it to that",
    "slips": "risk tables read the openings, held by the tests of appraisals; `said` is for readers",
    "facts": "statements of sources, on which numbers of other tables rest",
    "pipelines": "what they carry is in mode_shares; a test above holds it against their capacity",
    "lengths": "published lengths of whole lines; the checks hold links to them",
    "premiums": "questions about routes read it; the tests of cargo hold it to that",
    "subsidies": "told on legs beside the gross price; the tests of cargo hold it to that",
    "project_options": "register of the forms that a project may take; what is built stands in links",
    "projects": "register of projects; what a project changes stands in links and upgrades",
    "targets": "observations that results are held against; they must not move them",
    "event_effects": "validation and back-tests read it; their own tests hold it to that",
    "year_values": "years other than the one that is solved here; tests of scenarios hold it to that",
    "sea_quotes": "years other than the one that is solved here; tests of years hold it to that",
    "goods_output": "trade that answers to cost reads it; its own test holds it to that",
    "reporting_bases": "targets of trade read it; the tests of measures hold it to that",
    "tariffs": "trade that answers to cost reads it; its own test holds it to that",
    "terminal_plans": "the verb terminal simulates it; its own tests hold it to that",
    "terminal_resources": "the verb terminal simulates it; its own tests hold it to that",
    "terminal_stops": "the verb terminal simulates it; its own tests hold it to that",
    "terminal_streams": "the verb terminal simulates it; its own tests hold it to that",
    "trade_sectors": "trade that answers to cost reads it; its own test holds it to that",
}
#: Columns that change nothing by themselves, with the reason.
DOCUMENTARY = {
    "openings.works_from": "years before the matrix only; the tests of past years hold it to that",
    "places.tier": "decides which of two places of one name is meant",
    "places.snap_km": "quality of the coordinate",
    "links.drawn_km": "length of the drawn line; length_km is what is used",
    "links.max_straight_km": "quality of the drawing",
    "lines.tracks": "the capacity already says what the tracks can carry",
    "lines.axle_load_t": "told of a line; what a train carries stands in commodities and train_length_factor",
    "lines.train_length_m": "told of a line; what a train carries stands in commodities and train_length_factor",
    "services.vessels": "told of a service; its departures say what the fleet can do",
    "terminals.cranes": "told of a terminal; its capacity says what they can do",
    "terminals.tracks": "told of a terminal; its capacity says what they can do",
    "terminals.berths": "told of a terminal; its capacity says what they can do",
    "terminals.storage_teu": "told of a terminal; its capacity says what it can do",
    "terminal_classes.price_year": "says in whose money the prices are",
    "rates.start_usd_t": "no tariff of bulk with a fixed part is known yet; a test of networks holds it to its effect",
    "rates.exchange_rate": "the rates beside it are in dollars already; a test of prices holds it to the currency",
    "services.capacity_teu_yr": "published capacity; lines, crossings and yards limit the trains",
    "crossings.price_year": "says in whose money the prices are",
    "gauge_changes.price_year": "says in whose money the prices are",
    "terminals.price_year": "says in whose money the prices are",
    "access.price_year": "says in whose money the prices are",
    "rates.price_year": "says in whose money the prices are",
    "commodities.price_year": "says in whose money the prices are",
    "commodities.value_usd_t": "the value of time stands beside it, and is held against it in a test below",
    "commodities.vot_pct_day": "the value of time stands beside it, and is held against it in a test below",
    "trade.value_usd": "flows are in tonnes",
    "trade.baci_share": "quality of the record",
    "bulk_trade.value_usd": "flows are in tonnes",
    "trade_overrides.value_usd": "flows are in tonnes",
    "growth.growth_low_pct_yr": "lower path; a test of projections holds it to that",
    "growth.growth_high_pct_yr": "upper path; a test of projections holds it to that",
    "parameters.low": "range for tests of sensitivity",
    "parameters.high": "range for tests of sensitivity",
    "refusals.low": "range for tests of sensitivity",
    "refusals.high": "range for tests of sensitivity",
    "blocs.from_year": "membership counts as of today, except in measures of growth",
}

TRADERS = ["CHN", "KAZ", "RUS", "UZB", "DEU", "MNG", "KGZ", "IRN"]


def number_columns() -> list[Column]:
    return [c for c in read_dictionary(ATLAS).columns if c.type in ("number", "integer")]


LIVE = [
    f"{c.table}.{c.name}"
    for c in number_columns()
    if c.table not in FOR_READERS and f"{c.table}.{c.name}" not in DOCUMENTARY and c.table != "parameters"
]


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    """The atlas' tables as their files have them, with the trade of a few countries only, for speed."""
    read, _, faults = read_frames(ATLAS)
    assert not faults
    both = pl.col("exporter").is_in(TRADERS) & pl.col("importer").is_in(TRADERS)
    return {**read, "trade": read["trade"].filter(both), "bulk_trade": read["bulk_trade"].filter(both)}


def arrays(record: Any, but: tuple[str, ...] = ()) -> Iterator[bytes]:
    """Everything that a record holds, as bytes."""
    for each in fields(record):
        value = getattr(record, each.name)
        if each.name not in but:
            yield value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()


def digest(parts: Iterator[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()


def table_bytes(frame: pl.DataFrame) -> bytes:
    return frame.write_ndjson().encode()


#: What may change, the cheap first; each is looked at only where those before it stayed the same.
STAGES: tuple[Callable[[Tables], str], ...] = (
    lambda t: digest(arrays(network_door.build(columns(t, NETWORK_TABLES)))),
    lambda t: digest(arrays(demand_door.build(columns(t, DEMAND_TABLES), year=2030))),
    # the value itself is carried along for readers; what it does to costs stands in the value of time
    lambda t: digest(iter([*arrays(solving.cargo(t), but=("value_usd_t",)), repr(solving.weights(t)).encode()])),
    lambda t: digest(iter([table_bytes(passage_routes(t))])),
    lambda t: digest(iter([solving.prepare(t, year=2030, settings=Settings()).outside_usd_t.tobytes()])),
    lambda t: digest(iter([corridors(t, players_of(t, ["CN", "KZ"], 2030), **GAME).game.cost_usd_t.tobytes()])),
    lambda t: digest(table_bytes(frame) for frame in full(t).values()),
    lambda t: digest(table_bytes(trade_of_year(t, year, 2023)["trade"]) for year in (2014, 2017)),
    lambda t: repr(past_notes(t, 2017, 2023)),
)
#: How many of them are of the year that is asked about; the last estimate past trade, from values and years too.
OF_THE_YEAR = len(STAGES) - 2
#: What power is asked of.
GAME: dict[str, Any] = {"rule": RULES[0], "year": 2030, "settings": Settings(size="reduced")}


def full(tables: Tables) -> dict[str, pl.DataFrame]:
    """Every table of results, of the few countries."""
    return tabulate(tables, solving.solve(tables, year=2030, settings=Settings(gap=1e-5)))


def outcome(changed: dict[str, pl.DataFrame], stage: int) -> str:
    """What a stage makes of tables; a fault is an outcome too."""
    try:
        return STAGES[stage](apply(Tables(complete(changed)), (CKU,), 2030, held=HELD).tables)
    except LandbridgeError as error:
        return f"{error}"


@pytest.fixture(scope="module")
def unchanged(frames: dict[str, pl.DataFrame]) -> Callable[[int], str]:
    """What each stage makes of the tables as they are; made when first asked for."""
    kept: dict[int, str] = {}

    def of(stage: int) -> str:
        if stage not in kept:
            kept[stage] = outcome(frames, stage)
        return kept[stage]

    return of


def nudged(frame: pl.DataFrame, column: str, sign: int) -> pl.DataFrame:
    """A column with every number moved, neighbours by different amounts so that shares and ranks move too."""
    odd = pl.int_range(pl.len()) % 2
    if frame[column].dtype.is_integer():
        return frame.with_columns(pl.col(column) + sign * (3 + 3 * odd))
    return frame.with_columns(pl.col(column) * (1 + sign * (0.02 + 0.05 * odd)))


def changes(frames: dict[str, pl.DataFrame], unchanged: Callable[[int], str], *trials: dict[str, pl.DataFrame]) -> bool:
    """Whether some stage makes something else of some trial."""
    return any(
        outcome({**frames, **trial}, stage) != unchanged(stage) for stage in range(len(STAGES)) for trial in trials
    )


@pytest.mark.parametrize("name", LIVE)
def test_no_number_is_ignored(frames: dict[str, pl.DataFrame], unchanged: Callable[[int], str], name: str) -> None:
    table, column = name.split(".")
    trials = [{table: nudged(frames[table], column, sign)} for sign in (1, -1)]
    assert changes(frames, unchanged, *trials), f"{name} changes nothing: use it, or say why it is documentary"


#: Parameters of trade that answers to cost; its own test holds them to some effect.
OF_TRADE = ("trade-theta", "trade-theta-cap", "access-theta", "access-labour", "access-box-value")


#: Parameters of appraisals; the tests of investment hold them to some effect.
OF_INVESTMENT = (
    "appraisal-rate", "appraisal-years", "appraisal-carbon-price", "line-life", "line-upkeep", "line-build-years",
    "line-cost", "loan-interest", "loan-grace", "rail-cost-overrun",
)  # fmt: skip
#: Parameters of past years, of questions about routes and of how trains are counted; tests of theirs hold them to some
#: effect.
OF_OTHER_YEARS = (
    "ordinary-train", "rail-youth-china-europe", "cre-central-asia-share", "block-train-mid", "block-train-width",
    "train-fill", "russia-rail-before-2022",
)  # fmt: skip
ELSEWHERE = {*OF_TRADE, *OF_INVESTMENT, *OF_OTHER_YEARS}


@pytest.mark.parametrize("row", [row for row in read_atlas()["parameters"]["id"].to_list() if row not in ELSEWHERE])
def test_no_parameter_is_ignored(frames: dict[str, pl.DataFrame], unchanged: Callable[[int], str], row: str) -> None:
    other = pl.when(pl.col("high") == pl.col("value")).then("low").otherwise("high")
    here = pl.col("id") == row
    changed = frames["parameters"].with_columns(pl.when(here).then(other).otherwise("value").alias("value"))
    assert changes(frames, unchanged, {"parameters": changed})


def test_what_is_documentary_changes_nothing(frames: dict[str, pl.DataFrame], unchanged: Callable[[int], str]) -> None:
    """All of it at once, down to the last table of results."""
    changed = dict(frames)
    for column in number_columns():
        if column.table in FOR_READERS or f"{column.table}.{column.name}" in DOCUMENTARY:
            changed[column.table] = nudged(changed[column.table], column.name, 1)
    for stage in range(OF_THE_YEAR):
        assert outcome(changed, stage) == unchanged(stage)


def test_every_exception_is_a_column_that_exists() -> None:
    known = {f"{c.table}.{c.name}" for c in number_columns()}
    assert set(DOCUMENTARY) <= known
    assert set(FOR_READERS) <= {c.table for c in number_columns()}
    assert not {name.split(".")[0] for name in DOCUMENTARY} & set(FOR_READERS)


def test_the_value_of_time_is_that_of_value_and_loss(atlas: Tables) -> None:
    for row in atlas["commodities"].iter_rows(named=True):
        wagon = 0.019 if row["form"] == "bulk" else 0.0  # its hire, 30 USD a day for 65 t
        wanted = row["value_usd_t"] * row["vot_pct_day"] / 100 / 24 + wagon
        assert row["vot_usd_t_h"] == pytest.approx(wanted, rel=0.01), row["id"]


def test_every_open_crossing_yard_and_service_is_in_the_network(atlas: Tables) -> None:
    """Row by row: a crossing on an open link is passed, a yard where both gauges are open works."""
    tables = apply(atlas, (CKU,), 2030, held=HELD).tables
    net = network_door.build(columns(tables, NETWORK_TABLES))
    passed = {net.crossings[c] for c in net.crossing[net.kind == ArcKind.BORDER].tolist() if c >= 0}
    assert set(net.crossings) - passed == set()
    states: dict[str, set[str]] = {}
    for place, state in zip(net.node_place.tolist(), net.node_state.tolist(), strict=True):
        if place >= 0:
            states.setdefault(net.places[place], set()).add(net.states[state])
    works = sum(
        {f"rail:{1520 if mm == 1524 else mm}" for mm in (row["from_mm"], row["to_mm"])}
        <= states.get(row["place"], set())
        for row in tables["gauge_changes"].iter_rows(named=True)
    )
    assert works == (net.kind == ArcKind.GAUGE).sum()
    hubs = set(tables["services"]["place"].drop_nulls().to_list())
    assert hubs <= set(tables.ids("places"))
