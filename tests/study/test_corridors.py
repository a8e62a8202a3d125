"""The real atlas, and one run of the CKU study over it: routes as they are known, and laws that flows must keep."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from landbridge.data.read import read_atlas
from landbridge.data.tables import Tables
from landbridge.errors import NoRoute
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
from landbridge.study.results import Results
from landbridge.study.routing import NamedRoute, RouteFinder, find_routes
from landbridge.study.solve import DEMAND_TABLES, NETWORK_TABLES, Settings, Solution, columns
from landbridge.study.tabulate import tabulate

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
