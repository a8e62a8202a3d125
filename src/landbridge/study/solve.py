"""Solve one scenario and year: from tables to an equilibrium.

    tables -> apply(scenario, year) -> network, demand -> outside options -> assign <-> empty boxes -> Solution

Empty boxes are a small fixed point of their own: the loaded boxes of an assignment leave an imbalance between each pair
of countries, a part of it comes back empty by land and takes room on lines and at crossings, which shifts the loaded
flows a little. The rounds stop when the empty boxes of two rounds agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import DataError, Fault, NotConverged
from landbridge.model import demand as demand_door
from landbridge.model import flows, network, paths
from landbridge.model.costs import CostWeights, Goods, class_money, goods
from landbridge.model.demand import Demand
from landbridge.model.network import MODES, ArcKind, Network
from landbridge.study.past import trade_of_year

__all__ = [
    "OUTSIDE",
    "Prepared",
    "Settings",
    "Solution",
    "assignable",
    "cargo",
    "columns",
    "deep_sea",
    "equilibrium",
    "free_time_h",
    "outside_options",
    "parameter",
    "preload_factor",
    "prepare",
    "solve",
    "weights",
]

F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]
B1 = npt.NDArray[np.bool_]
Progress = Callable[[str], None]

#: Outside options, by their index in `Prepared.outside_by`.
OUTSIDE = ("none", "sea", "road")

NETWORK_TABLES = (
    "places links crossings gauge_changes terminals services rates emissions access zones parameters".split()
)
DEMAND_TABLES = (
    "trade bulk_trade trade_overrides commodities mode_shares zones zone_shares growth countries blocs".split()
)

#: Empty boxes of two rounds agree when they differ by less than this part of all boxes.
EMPTY_TOLERANCE = 1e-3
EMPTY_ROUNDS = 8
EARTH_RADIUS_KM = 6371.0088
TRUCK_T_PER_TEU = 10.0


@dataclass(frozen=True)
class Settings:
    """Tolerances and sizes of a run.

    Attributes
    ----------
    gap
        Relative gap at which an equilibrium is accepted.
    max_iterations
        Rounds after which an assignment that has not converged is an error.
    size
        ``full``, ``corridor`` or ``reduced``.
    base_year
        Year of the trade matrix.
    growth
        Path of growth: ``mean``, ``low`` or ``high``.
    """

    gap: float = 1e-6
    max_iterations: int = 500
    size: str = "corridor"
    base_year: int = 2023
    growth: str = "mean"


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything an assignment needs, before it is solved.

    Attributes
    ----------
    network
        The whole supernetwork, deep sea included.
    land : bool[m]
        Arcs of the land network: all but the deep sea.
    demand
        Relations and fixed tonnes.
    classes
        Classes of cargo.
    money : float64[K, m]
        Cost that does not depend on volume, time apart.
    free_h : float64[m]
        Hours of every arc when only the preload is there.
    outside_usd_t : float64[R]
        Cost of the outside option; infinite for captive cargo.
    outside_by : int8[R]
        Index into `OUTSIDE`.
    levy_usd_t : float64[R]
        What is charged on (above zero) or paid for the relation's freight where it goes by land, by its zone of origin.
        It shifts the choice, as a lower or higher cost of the outside option.
    bans
        Sets of countries, as bool[m] of the arcs in them; the first is empty.
    ban : int32[R]
        Which of the sets each relation may not pass.
    """

    network: Network
    land: B1
    demand: Demand
    classes: Goods
    money: F8
    free_h: F8
    outside_usd_t: F8
    outside_by: npt.NDArray[np.int8]
    levy_usd_t: F8
    bans: tuple[B1, ...]
    ban: I4


@dataclass(frozen=True, eq=False)
class Solution:
    """A solved scenario and year.

    Attributes
    ----------
    prepared
        What was solved.
    relations
        Loaded relations first, then those of empty boxes; classes are those of `Goods`, captive cargo among its like.
    empty_from
        Index of the first relation of empty boxes.
    equilibrium
        The flows, captive cargo added to its like.
    empty_teu_yr
        Empty boxes that come back by land.
    empty_rounds
        Assignments made until the empty boxes agreed.
    """

    prepared: Prepared
    relations: flows.Relations
    empty_from: int
    equilibrium: flows.Flows
    empty_teu_yr: float
    empty_rounds: int


def columns(tables: Tables, names: list[str]) -> dict[str, dict[str, list[Any]]]:
    """Turn frames into the plain columns that the model's doors take."""
    return {name: tables[name].to_dict(as_series=False) for name in names}


def parameter(tables: Tables, name: str) -> float:
    """Return one value of the atlas' parameters."""
    found = tables["parameters"].filter(pl.col("id") == name)
    if found.is_empty():
        raise DataError("parameters", [Fault("parameters.csv", name, "value", "this parameter", "no such row")])
    return float(found["value"][0])


def deep_sea(tables: Tables) -> frozenset[str]:
    """Links of ocean lines, which only the outside option by sea uses."""
    return frozenset(tables["links"].filter(pl.col("ocean"))["id"].to_list())


def preload_factor(tables: Tables, year: int, base_year: int = Settings.base_year) -> float:
    """Trains outside the model in a year over those of the base year; before it they are taken as they were in it."""
    return float((1 + parameter(tables, "preload-growth") / 100) ** max(0, year - base_year))


def free_time_h(net: Network) -> F8:
    """Hours of every arc when the model puts nothing on it: the preload alone delays."""
    delay = net.delay_h * (net.preload_trains_day / net.capacity_trains_day) ** net.power
    added = np.where(net.facility >= 0, delay[net.facility] if len(delay) else 0.0, 0.0)
    return np.asarray(net.time_h + added, np.float64)


def weights(tables: Tables) -> CostWeights:
    """Cost weights from the atlas' parameters."""
    return CostWeights(parameter(tables, "buffer-weight"), parameter(tables, "carbon-price"))


def cargo(tables: Tables) -> Goods:
    """Classes of cargo from the atlas' commodities."""
    return goods(
        columns(tables, ["commodities"])["commodities"],
        box_tare_t=parameter(tables, "box-tare"),
        teu_per_train=parameter(tables, "teu-per-train"),
    )


def prepare(tables: Tables, *, year: int, settings: Settings) -> Prepared:
    """Build network, demand, classes and outside options of tables to which a scenario was applied.

    Parameters
    ----------
    tables
        After `landbridge.scenario.apply`.
    year
        The year.
    settings
        Size and base year.

    Returns
    -------
    Prepared

    Raises
    ------
    DataError
        With what the tables lack.
    """
    net = network.build(
        columns(tables, NETWORK_TABLES), preload_factor=preload_factor(tables, year, settings.base_year)
    )
    demand = demand_door.build(
        columns(trade_of_year(tables, year, settings.base_year), DEMAND_TABLES),
        year=year,
        base_year=settings.base_year,
        size=settings.size,
        growth=settings.growth,
        past=True,
    )
    classes = cargo(tables)
    money = class_money(net, classes, weights(tables))
    free_h = free_time_h(net)
    deep = deep_sea(tables)
    ocean = np.array([link in deep for link in net.links], np.bool_)
    on_ocean = np.where(net.link >= 0, ocean[net.link], False)
    outside, by = outside_options(tables, net, demand, classes, money, free_h, on_ocean)
    bans, ban = _bans(tables, net, demand)
    levy = _levies(tables, demand, classes)
    return Prepared(net, ~on_ocean, demand, classes, money, free_h, outside, by, levy, bans, ban)


def _levies(tables: Tables, demand: Demand, classes: Goods) -> F8:
    """What each relation's freight by land is charged in its zone of origin, USD per tonne; below zero: paid for."""
    zones = tables["zones"]
    if "charge_usd_teu" not in zones.columns:
        return np.zeros(demand.relation_count)
    charges = dict(zip(zones["id"].to_list(), zones.select("charge_usd_teu", "charge_usd_t").rows(), strict=True))
    table = np.array([charges[zone] for zone in demand.zones], np.float64).reshape(-1, 2)
    box = classes.container[demand.commodity]
    t_per_teu = np.where(box, np.where(classes.container, classes.t_per_teu, 1.0)[demand.commodity], 1.0)
    result: F8 = np.where(box, table[demand.origin, 0] / t_per_teu, table[demand.origin, 1])
    return result


def _bans(tables: Tables, net: Network, demand: Demand) -> tuple[tuple[B1, ...], I4]:
    """Countries that some relations may not pass, and which relations those are."""
    none = np.zeros(net.arc_count, np.bool_)
    ban = np.zeros(demand.relation_count, np.int32)
    barred: dict[tuple[str, str, str], str] = {}
    commodities = tables["commodities"].select("id", "group", "baci_products").rows()
    for table, column in (("trade", "commodity"), ("bulk_trade", "product")):
        if "barred" not in tables[table].columns:
            continue
        named = tables[table].filter(pl.col("barred") != "").select("exporter", "importer", column, "barred")
        for exporter, importer, what, countries in named.iter_rows():
            for commodity, group, products in commodities:
                if what == group if table == "trade" else what in (products or ()):
                    barred[exporter, importer, commodity] = countries
    if not barred:
        return (none,), ban
    sets = ["", *dict.fromkeys(barred.values())]
    for r in range(demand.relation_count):
        key = (
            demand.countries[demand.exporter[r]],
            demand.countries[demand.importer[r]],
            demand.commodities[demand.commodity[r]],
        )
        ban[r] = sets.index(barred.get(key, ""))
    masks = []
    for names in sets:
        codes = [i for i, c in enumerate(net.countries) if c in names.split(";")]
        masks.append(np.isin(net.country, codes) | np.isin(net.country_to, codes) if codes else none)
    return tuple(masks), ban


def outside_options(
    tables: Tables, net: Network, demand: Demand, classes: Goods, money: F8, free_h: F8, ocean: B1
) -> tuple[F8, npt.NDArray[np.int8]]:
    """Find the cost of the cheaper of the deep-sea route and the road, for every relation that has a choice.

    Parameters
    ----------
    tables
        Tables of one year.
    net, demand, classes
        What they make.
    money : float64[K, m]
        Cost that does not depend on volume, time apart.
    free_h : float64[m]
        Hours of every arc.
    ocean : bool[m]
        Arcs of the deep sea.

    Returns
    -------
    outside_usd_t : float64[R]
        Infinite for captive cargo, and where neither way leads.
    outside_by : int8[R]
        Index into `OUTSIDE`.
    """
    sea = _sea_costs(tables, net, demand, classes, money, free_h, ocean)
    road = _road_costs(tables, net, demand, classes)
    best = np.minimum(sea, road)
    by = np.where(np.isinf(best), 0, np.where(sea <= road, 1, 2)).astype(np.int8)
    best[demand.captive] = np.inf
    by[demand.captive] = 0
    return best, by


def _sea_costs(tables: Tables, net: Network, demand: Demand, classes: Goods, money: F8, free_h: F8, ocean: B1) -> F8:
    """Cheapest route that takes a deep-sea leg, with no change of gauge and no land border outside the EU."""
    union = set(tables["blocs"].filter(pl.col("bloc") == "eu")["iso2"].to_list())
    inside = np.array([c in union for c in net.countries], np.bool_)
    barred = (net.kind == ArcKind.GAUGE) | (
        (net.kind == ArcKind.BORDER) & ~(inside[net.country] & inside[net.country_to])
    )
    # Layer 0: no deep-sea leg yet; layer 1: at least one. Ocean arcs lead from either layer into layer 1.
    n = net.node_count
    tail = np.concatenate([net.tail, net.tail + n])
    head = np.concatenate([np.where(ocean, net.head + n, net.head), net.head + n])
    graph = paths.graph(2 * n, tail, head)
    result = np.full(demand.relation_count, np.inf)
    keys = demand.commodity.astype(np.int64) * len(demand.zones) + demand.origin
    for key in np.unique(keys[~demand.captive]):
        chosen = np.flatnonzero((keys == key) & ~demand.captive)
        k, zone = int(key) // len(demand.zones), int(key) % len(demand.zones)
        source = net.zone_source[zone]
        if source < 0:
            continue
        cost = money[k] + classes.value_of_time_usd_t_h[k] * free_h
        cost = np.where(barred, np.inf, cost)
        tree = paths.shortest_tree(graph, np.concatenate([cost, cost]), int(source))
        sinks = net.zone_sink[demand.destination[chosen]]
        result[chosen] = np.where(sinks >= 0, tree.distance[np.maximum(sinks, 0) + n], np.inf)
    return result


def _road_costs(tables: Tables, net: Network, demand: Demand, classes: Goods) -> F8:
    """A truck all the way, by the great circle and a detour, between zones on the mainland network."""
    places = tables["places"]
    position = dict(zip(places["id"], zip(places["lat_deg"], places["lon_deg"], strict=True), strict=True))
    country = dict(zip(places["id"], places["iso2"], strict=True))
    zones = tables["zones"]
    zone_places = zones["place"].to_list()
    lat = np.radians([position[p][0] for p in zone_places])
    lon = np.radians([position[p][1] for p in zone_places])
    on_land = {
        net.places[net.node_place[i]]
        for i in range(net.node_count)
        if net.node_place[i] >= 0 and net.states[net.node_state[i]].split(":")[0] in ("rail", "road")
    }
    land = np.array([p in on_land for p in zone_places], np.bool_)
    rate: Mapping[tuple[str, str], tuple[float, float]] = {
        (row["country"], row["mode"]): (row["usd_teu_km"], row["usd_t_km"]) for row in tables["rates"].to_dicts()
    }
    rates = np.array([rate.get((country[p], "road")) or rate["*", "road"] for p in zone_places], np.float64)
    o, d, k = demand.origin, demand.destination, demand.commodity
    angle = np.sin((lat[d] - lat[o]) / 2) ** 2 + np.cos(lat[o]) * np.cos(lat[d]) * np.sin((lon[d] - lon[o]) / 2) ** 2
    km = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(angle, 0, 1))) * parameter(tables, "road-detour")
    hours = km / parameter(tables, "road-speed") + parameter(tables, "road-border")
    fee = parameter(tables, "road-border-cost")
    box = classes.container[k]
    price = (rates[o] + rates[d]) / 2 * km[:, None]
    t_per_teu = np.where(box, np.where(classes.container, classes.t_per_teu, 1.0)[k], 1.0)
    # a truck carries about two TEU or 20 t; bulk bears the fee of a TEU on ten tonnes
    money = np.where(box, (price[:, 0] + fee) / t_per_teu, price[:, 1] + fee / TRUCK_T_PER_TEU)
    cost = money + classes.value_of_time_usd_t_h[k] * hours
    return np.where(land[o] & land[d], cost, np.inf)


def assignable(prepared: Prepared) -> tuple[paths.Graph, flows.VolumeDelay, flows.Classes, flows.Relations]:
    """Return what `flows.assign` takes for the loaded relations on the land network.

    Arcs of the deep sea stay in the arrays, forbidden to every class, so that arc numbers are those of the network.
    """
    net, demand, classes = prepared.network, prepared.demand, prepared.classes
    money = np.where(prepared.land, prepared.money, np.inf)
    # Cargo that is firmly by rail is a class of its own, for which roads are no way; ferries and the short sea at the
    # end of a railway are, since that is how Japan or Korea are reached.
    road = np.isin(net.kind, [ArcKind.MOVE, ArcKind.ACCESS]) & (net.mode == MODES.index("road"))
    money = np.concatenate([money, np.where(road, np.inf, money)])
    # What may not pass some countries is a class of its own too, one for each set of them.
    money = np.concatenate([money, *(np.where(barred, np.inf, money) for barred in prepared.bans[1:])])
    sets, kinds_of_cargo = len(prepared.bans), 2 * len(classes.names)
    words = ["", *(f", barred set {number}" for number in range(1, sets))]
    source, sink = net.zone_source[demand.origin], net.zone_sink[demand.destination]
    # A zone whose place lost all its arcs keeps its relations: a node without arcs stands in for it, so that they
    # are told as unserved or go outside rather than vanish.
    lost = net.node_count
    graph = paths.graph(net.node_count + 2, net.tail, net.head)
    delay = flows.VolumeDelay(
        net.facility,
        net.time_h,
        net.delay_h,
        net.power,
        net.capacity_trains_day,
        net.preload_trains_day,
        net.train_length_factor,
    )
    kinds = flows.Classes(
        tuple(f"{name}{by}{ban}" for ban in words for by in ("", ", firmly by rail") for name in classes.names),
        np.tile(classes.value_of_time_usd_t_h, 2 * sets),
        np.tile(classes.weight_trains_day_per_t_yr, 2 * sets),
        money,
    )
    relations = flows.Relations(
        np.where(source >= 0, source, lost).astype(np.int32),
        np.where(sink >= 0, sink, lost + 1).astype(np.int32),
        (
            np.where(demand.captive, demand.commodity + len(classes.names), demand.commodity)
            + kinds_of_cargo * prepared.ban
        ).astype(np.int32),
        demand.tonnes_yr,
        prepared.outside_usd_t - prepared.levy_usd_t,
        classes.scale_usd_t[demand.commodity],
    )
    return graph, delay, kinds, relations


def _empties(prepared: Prepared, network_tonnes: F8, share: float) -> tuple[flows.Relations, F8]:
    """Relations of empty boxes that answer the imbalance of the loaded ones, and their boxes."""
    demand, classes, net = prepared.demand, prepared.classes, prepared.network
    count = len(demand.origin)
    teu = classes.teu(network_tonnes[:count], demand.commodity)
    zones = len(demand.zones)
    pair = demand.origin.astype(np.int64) * zones + demand.destination
    keys, inverse = np.unique(pair, return_inverse=True)
    boxes = np.bincount(inverse, weights=teu)
    place_country = np.array(
        [net.country[np.flatnonzero(net.tail == s)[0]] if s >= 0 else -1 for s in net.zone_source], np.int64
    )
    start, end = keys // zones, keys % zones
    nation = place_country[start] * 1000 + place_country[end]
    back = place_country[end] * 1000 + place_country[start]
    total = {int(c): float(boxes[nation == c].sum()) for c in np.unique(nation)}
    going = np.array([total[int(c)] for c in nation])
    coming = np.array([total.get(int(c), 0.0) for c in back])
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(going > 0, np.maximum(going - coming, 0.0) / going, 0.0)
    empty = boxes * part * share
    chosen = (empty > 0) & (net.zone_source[end] >= 0) & (net.zone_sink[start] >= 0)
    amount = empty[chosen]
    size = int(chosen.sum())
    relations = flows.Relations(
        net.zone_source[end[chosen]],
        net.zone_sink[start[chosen]],
        np.full(size, classes.empty, np.int32),
        amount * classes.t_per_teu[classes.empty],
        np.full(size, np.inf),
        np.ones(size),
    )
    return relations, amount


def _join(first: flows.Relations, second: flows.Relations) -> flows.Relations:
    return flows.Relations(
        *(
            np.concatenate([getattr(first, name), getattr(second, name)])
            for name in ("origin", "destination", "class_index", "tonnes_yr", "outside_usd_t", "scale_usd_t")
        )
    )


def solve(tables: Tables, *, year: int, settings: Settings, progress: Progress | None = None) -> Solution:
    """Find the equilibrium of tables to which a scenario was applied.

    Parameters
    ----------
    tables
        After `landbridge.scenario.apply`.
    year
        The year.
    settings
        Tolerances and size.
    progress
        Called with a short text as the work goes on.

    Returns
    -------
    Solution

    Raises
    ------
    NotConverged
        If an assignment stops before its gap, or the empty boxes do not settle.
    """
    (progress or (lambda _: None))("network and demand")
    return equilibrium(tables, prepare(tables, year=year, settings=settings), settings=settings, progress=progress)


def equilibrium(
    tables: Tables, prepared: Prepared, *, settings: Settings, progress: Progress | None = None
) -> Solution:
    """Find the equilibrium of what was prepared, perhaps with another demand put into it.

    Parameters
    ----------
    tables
        After `landbridge.scenario.apply`.
    prepared
        From `prepare`.
    settings
        Tolerances.
    progress
        Called with a short text as the work goes on.

    Returns
    -------
    Solution

    Raises
    ------
    NotConverged
        If an assignment stops before its gap, or the empty boxes do not settle.
    """
    tell = progress or (lambda _: None)
    graph, delay, kinds, loaded = assignable(prepared)
    share = parameter(tables, "empty-return-share")
    tell("equilibrium")
    relations, boxes, previous = loaded, np.zeros(0), np.zeros(0)
    result: flows.Flows | None = None
    rounds = 0
    for rounds in range(1, EMPTY_ROUNDS + 1):
        result = flows.assign(graph, delay, kinds, relations, gap=settings.gap, max_iterations=settings.max_iterations)
        empties, boxes = _empties(prepared, result.network_tonnes_yr, share)
        all_boxes = prepared.classes.teu(
            result.network_tonnes_yr[: len(loaded.origin)], prepared.demand.commodity
        ).sum()
        if rounds > 1 and len(boxes) == len(previous) and np.abs(boxes - previous).sum() <= EMPTY_TOLERANCE * all_boxes:
            break
        relations, previous = _join(loaded, empties), boxes
        tell(f"equilibrium with {boxes.sum():,.0f} empty boxes")
    else:
        raise NotConverged(f"empty boxes did not settle in {EMPTY_ROUNDS} rounds", result and result.convergence)
    assert result is not None  # noqa: S101 - the loop ran
    count = len(prepared.classes.names)
    by_class = result.arc_tonnes_yr.reshape(-1, count, result.arc_tonnes_yr.shape[1])
    folded = replace(result, arc_tonnes_yr=by_class.sum(axis=0))
    plain = replace(relations, class_index=(relations.class_index % count).astype(np.int32))
    return Solution(prepared, plain, len(loaded.origin), folded, float(previous.sum()), rounds)
