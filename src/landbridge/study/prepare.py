"""Everything an assignment needs, made of tables to which a scenario was applied.

    tables -> network, demand -> classes of cargo, costs -> outside options -> Prepared -> arrays of `flows.assign`

What is like what another `Prepared` was made of is taken over from it and not made again: demand where the columns that
it is built of are equal, the network where all its tables are. The result is the same either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.model import demand as demand_door
from landbridge.model import flows, network, paths
from landbridge.model.costs import CostWeights, Goods, class_money, goods
from landbridge.model.demand import Demand
from landbridge.model.network import MODES, ArcKind, Network
from landbridge.study.curves import curves_of
from landbridge.study.outside import outside_options
from landbridge.study.owners import by_owner, masks_of
from landbridge.study.past import trade_of_year
from landbridge.study.settings import Settings, columns, parameter

__all__ = [
    "DEMAND_TABLES",
    "NETWORK_TABLES",
    "Prepared",
    "assignable",
    "cargo",
    "deep_sea",
    "free_time_h",
    "on_network",
    "preload_factor",
    "prepare",
    "weights",
]

F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]
B1 = npt.NDArray[np.bool_]

NETWORK_TABLES = (
    "places links crossings gauge_changes terminals services rates emissions access zones parameters".split()
)
DEMAND_TABLES = list(demand_door.READS)


Made = tuple[Mapping[str, Any], Mapping[str, pl.DataFrame]]


#: Ferry lines between Kazakhstan and Azerbaijan, and the crossing, that have a calibrated constant of their own.
CASPIAN = ("ferry:kz-aktau:az-alat", "ferry:kz-kuryk:az-alat")
DOSTYK = "alashankou-dostyk"
#: How parameters begin that move the choice of way or how trains are counted, and nothing that the network is built of.
CHOICE = (
    "rail-", "russia-rail-", "sea-market-", "cre-", "block-train-", "train-fill", "caspian-constant", "dostyk-constant",
)  # fmt: skip
#: Tonnes in a box of twenty feet of heavy goods: a constant for a box counts for a tonne of bulk with one part of it.
BOX_T = 15.0


@dataclass(frozen=True, eq=False)
class Basis:
    """What network and demand were made of: settings by name, and frames by table."""

    network: Made
    demand: Made


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
        Index into `OUTSIDE`: what most of it goes by.
    levy_usd_t : float64[R]
        What is charged on (above zero) or paid for the relation's freight where it goes by land, by its zone of origin.
        It shifts the choice, as a lower or higher cost of the outside option.
    bans
        Sets of countries, as bool[m] of the arcs in them; the first is empty.
    ban : int32[R]
        Which of the sets each relation may not pass.
    curves
        Facilities whose delay follows another curve than the network's power; see `terminal_network`.
    sea_share : float64[R]
        Part of what goes outside that goes by sea.
    nest
        Scale of the choice between sea and road: see `outside_options`.
    basis
        What network and demand were made of; None where they were put together by hand.
    whole
        The demand as it was built, before owners who refuse a way were told apart; None where it was put together by
        hand.
    sets
        Names of the sets of countries.
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
    sea_share: F8
    curves: Mapping[int, flows.Curve] = field(default_factory=dict)
    nest: float = 0.0
    basis: Basis | None = None
    whole: Demand | None = None
    sets: tuple[str, ...] = ("",)


def deep_sea(tables: Tables) -> frozenset[str]:
    """Links of ocean lines, which only the outside option by sea uses."""
    return frozenset(tables["links"].filter(pl.col("ocean"))["id"].to_list())


def preload_factor(tables: Tables, year: int, base_year: int = Settings.base_year) -> float:
    """Trains outside the model in a year over those of the base year; before it they are taken as they were in it."""
    return float((1 + parameter(tables, "preload-growth") / 100) ** max(0, year - base_year))


def free_time_h(net: Network, curves: Mapping[int, flows.Curve] | None = None) -> F8:
    """Hours of every arc when the model puts nothing on it: the preload alone delays."""
    delay = flows.delays_h(_volume_delay(net, curves or {}), np.zeros(len(net.delay_h)))
    added = np.where(net.facility >= 0, delay[net.facility] if len(delay) else 0.0, 0.0)
    return np.asarray(net.time_h + added, np.float64)


def _volume_delay(net: Network, curves: Mapping[int, flows.Curve]) -> flows.VolumeDelay:
    return flows.VolumeDelay(
        net.facility,
        net.time_h,
        net.delay_h,
        net.power,
        net.capacity_trains_day,
        net.preload_trains_day,
        net.train_length_factor,
        curves,
    )


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


def prepare(tables: Tables, *, year: int, settings: Settings, like: Prepared | None = None) -> Prepared:
    """Build network, demand, classes and outside options of tables to which a scenario was applied.

    Parameters
    ----------
    tables
        After `landbridge.scenario.apply`.
    year
        The year.
    settings
        Size and base year.
    like
        Another scenario's, from which network and demand are taken over where they would come out the same.

    Returns
    -------
    Prepared

    Raises
    ------
    DataError
        With what the tables lack.
    """
    basis = Basis(
        (
            {"preload_factor": preload_factor(tables, year, settings.base_year)},
            {name: _of_network(tables, name) for name in NETWORK_TABLES},
        ),
        (
            {"year": year, "base_year": settings.base_year, "size": settings.size, "growth": settings.growth},
            _read(trade_of_year(tables, year, settings.base_year)),
        ),
    )
    old = like.basis if like is not None else None
    if like is not None and old is not None and _same(old.network, basis.network):
        net = like.network
    else:
        net = network.build(columns(tables, NETWORK_TABLES), **basis.network[0])
    if like is not None and old is not None and _same(old.demand, basis.demand):
        demand = like.whole or like.demand
    else:
        given = {name: frame.to_dict(as_series=False) for name, frame in basis.demand[1].items()}
        demand = demand_door.build(given, **basis.demand[0], past=True)
    made = _around(tables, net, by_owner(tables, demand), basis, curves_of(net, dict(settings.curves)), settings.nest)
    return replace(made, whole=demand)


def _of_network(tables: Tables, name: str) -> pl.DataFrame:
    """A table that the network is built of, without the parameters that it does not read."""
    if name != "parameters":
        return tables[name]
    return tables[name].filter(~pl.any_horizontal(pl.col("id").str.starts_with(start) for start in CHOICE))


def _read(tables: Tables) -> dict[str, pl.DataFrame]:
    """The columns that demand is built of, and no others."""
    return {
        name: tables[name].select([column for column in names if column in tables[name].columns])
        for name, names in demand_door.READS.items()
    }


def _same(one: Made, other: Made) -> bool:
    """Whether settings and frames agree in every value."""
    return one[0] == other[0] and all(
        frame is other[1][name] or (frame.schema == other[1][name].schema and frame.equals(other[1][name]))
        for name, frame in one[1].items()
    )


def on_network(tables: Tables, prepared: Prepared, net: Network) -> Prepared:
    """Return what was prepared with another network in its place, and costs and outside options that follow from it.

    This is how a scenario that only changes numbers of arcs and facilities (times, prices, capacities; an arc that
    neither boxes nor bulk may use is closed) is run without making tables and building again.

    Parameters
    ----------
    tables
        Those that `prepared` was made of.
    prepared
        Any.
    net
        Its network with other numbers; places, zones and countries must be the same.

    Returns
    -------
    Prepared
    """
    if net.zones != prepared.network.zones:
        raise ValueError("net: its zones are not those of the demand that was prepared")
    told_apart = prepared.demand, prepared.sets, prepared.ban
    made = _around(tables, net, told_apart, None, prepared.curves, prepared.nest)
    return replace(made, whole=prepared.whole)


def _around(
    tables: Tables,
    net: Network,
    told_apart: tuple[Demand, tuple[str, ...], I4],
    basis: Basis | None,
    curves: Mapping[int, flows.Curve],
    nest: float,
) -> Prepared:
    """Costs, outside options and bans for a network and its demand, told apart by whose goods may not pass where."""
    demand, sets, ban = told_apart
    classes = cargo(tables)
    money = class_money(net, classes, weights(tables)) + _way_constants(tables, net, classes)
    free_h = free_time_h(net, curves)
    deep = deep_sea(tables)
    ocean = np.array([link in deep for link in net.links], np.bool_)
    on_ocean = np.where(net.link >= 0, ocean[net.link], False)
    outside = outside_options(tables, net, demand, classes, money, free_h, on_ocean, nest=nest)
    levy = _levies(tables, demand, classes)
    bans = masks_of(net, sets)
    return Prepared(
        net, ~on_ocean, demand, classes, money, free_h, outside.usd_t, outside.by, levy, bans, ban, outside.sea_share,
        curves, nest, basis, sets=sets,
    )  # fmt: skip


def _way_constants(tables: Tables, net: Network, classes: Goods) -> F8:
    """What ways cost shippers beyond price and time, as it was calibrated: USD per tonne by class and arc.

    It moves the choice of way and is no money: nobody is paid it, and no price of a route holds it.
    """
    values = dict(tables["parameters"].select("id", "value").iter_rows())
    usd_teu = np.zeros(net.arc_count)
    ferries = [i for i, link in enumerate(net.links) if link in CASPIAN]
    usd_teu[(net.kind == ArcKind.MOVE) & np.isin(net.link, ferries)] += float(values.get("caspian-constant", 0.0))
    gates = [i for i, crossing in enumerate(net.crossings) if crossing == DOSTYK]
    usd_teu[(net.kind == ArcKind.BORDER) & np.isin(net.crossing, gates)] += float(values.get("dostyk-constant", 0.0))
    t_per_teu = np.where(classes.container, classes.t_per_teu, BOX_T)
    result: F8 = usd_teu[None, :] / t_per_teu[:, None]
    result[classes.empty] = 0.0  # an empty box has no shipper
    return result


def _levies(tables: Tables, demand: Demand, classes: Goods) -> F8:
    """What each relation's freight by land pays beyond its way, USD per tonne; below zero: what it is spared.

    Charges of its zone of origin, and, against it, what the market of ocean freight asks in that year over the base
    year between China and Europe. Both shift the choice between land and the outside option.
    """
    box = classes.container[demand.commodity]
    t_per_teu = np.where(box, np.where(classes.container, classes.t_per_teu, 1.0)[demand.commodity], 1.0)
    result: F8 = np.where(box, _between_china_and_europe(tables, demand) / t_per_teu, 0.0)
    zones = tables["zones"]
    if "charge_usd_teu" in zones.columns:
        charges = dict(zip(zones["id"].to_list(), zones.select("charge_usd_teu", "charge_usd_t").rows(), strict=True))
        table = np.array([charges[zone] for zone in demand.zones], np.float64).reshape(-1, 2)
        result += np.where(box, table[demand.origin, 0] / t_per_teu, table[demand.origin, 1])
    return result


def _between_china_and_europe(tables: Tables, demand: Demand) -> F8:
    """What a box between China and Europe pays beyond its way by land, USD per TEU, by relation.

    The calibrated constant of rail, less what the market of ocean freight asks in that year over the base year.
    """
    values = dict(tables["parameters"].select("id", "value").iter_rows())
    level = float(values.get("rail-constant-china-europe", 0.0))
    west, east = (level - float(values.get(f"sea-market-{way}", 0.0)) for way in ("west", "east"))
    result = np.zeros(demand.relation_count)
    if not (west or east) or "CHN" not in demand.countries:
        return result
    iso3 = dict(tables["countries"].select("iso2", "iso3").iter_rows())
    members = tables["blocs"].filter(pl.col("bloc") == "europe")["iso2"].to_list()
    europe = [demand.countries.index(iso3[m]) for m in members if iso3.get(m) in demand.countries]
    china = demand.countries.index("CHN")
    result[(demand.exporter == china) & np.isin(demand.importer, europe)] = west
    result[(demand.importer == china) & np.isin(demand.exporter, europe)] = east
    return result


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
    delay = _volume_delay(net, prepared.curves)
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
