"""What freight pays that does not use the land network: by the deep sea, or by road all the way.

The two are one outside option: the cheaper of them, or a nest of both (see `landbridge.model.flows.choice`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.model import flows, hierarchy
from landbridge.model.costs import Goods
from landbridge.model.demand import Demand
from landbridge.model.network import ArcKind, Network
from landbridge.study.settings import parameter

__all__ = ["OUTSIDE", "Outside", "outside_options"]

F8 = npt.NDArray[np.float64]
B1 = npt.NDArray[np.bool_]

#: Outside options, by their index in `Prepared.outside_by`.
OUTSIDE = ("none", "sea", "road")

EARTH_RADIUS_KM = 6371.0088
TRUCK_T_PER_TEU = 10.0


class Outside(NamedTuple):
    """The outside option of every relation.

    Attributes
    ----------
    usd_t : float64[R]
        Its cost; infinite for captive cargo, and where neither way leads.
    by : int8[R]
        Index into `OUTSIDE`: what most of it goes by.
    sea_share : float64[R]
        Part of it that goes by sea; the rest, if anything, goes by road.
    """

    usd_t: F8
    by: npt.NDArray[np.int8]
    sea_share: F8


def outside_options(
    tables: Tables,
    net: Network,
    demand: Demand,
    classes: Goods,
    money: F8,
    free_h: F8,
    ocean: B1,
    *,
    nest: float = 0.0,
) -> Outside:
    """Find the cost of the deep-sea route and the road together, for every relation that has a choice.

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
    nest
        Scale of the choice between sea and road, as a share of that between land and both: a nested logit. At zero, its
        limit, all take the cheaper of the two.

    Returns
    -------
    Outside
    """
    sea = _sea_costs(tables, net, demand, classes, money, free_h, ocean)
    road = _road_costs(tables, net, demand, classes)
    best = np.minimum(sea, road)
    by = np.where(np.isinf(best), 0, np.where(sea <= road, 1, 2)).astype(np.int8)
    share = (by == 1).astype(np.float64)
    if nest > 0.0:
        scale = classes.scale_usd_t[demand.commodity]
        both = flows.nest(np.column_stack([sea, road]), scale_usd_t=nest * scale, network_scale_usd_t=scale)
        best, share = both.cost_usd_t.copy(), both.share[:, 0].copy()
    best[demand.captive] = np.inf
    by[demand.captive] = 0
    share[demand.captive] = 0.0
    return Outside(best, by, share)


def _sea_costs(tables: Tables, net: Network, demand: Demand, classes: Goods, money: F8, free_h: F8, ocean: B1) -> F8:
    """Cheapest route that takes a deep-sea leg, with no change of gauge and no land border outside the EU."""
    union = set(tables["blocs"].filter(pl.col("bloc") == "eu")["iso2"].to_list())
    inside = np.array([c in union for c in net.countries], np.bool_)
    barred = (net.kind == ArcKind.GAUGE) | (
        (net.kind == ArcKind.BORDER) & ~(inside[net.country] & inside[net.country_to])
    )
    # Layer 0: no deep-sea leg yet; layer 1: at least one. Ocean arcs lead from either layer into layer 1.
    n = net.node_count
    tail = np.concatenate([net.tail, net.tail + n]).astype(np.int32)
    head = np.concatenate([np.where(ocean, net.head + n, net.head), net.head + n]).astype(np.int32)
    start, end = net.zone_source[demand.origin], net.zone_sink[demand.destination]
    result = np.full(demand.relation_count, np.inf)
    asked = np.flatnonzero(~demand.captive & (start >= 0) & (end >= 0))
    if not asked.size:
        return result
    key = demand.commodity[asked].astype(np.int64) * n + start[asked]
    asked = asked[np.argsort(key, kind="stable")]
    trees, first = np.unique(np.sort(key), return_index=True)
    cost = money + classes.value_of_time_usd_t_h[:, None] * free_h
    cost[:, barred] = np.inf
    cost = np.concatenate([cost, cost], axis=1)
    tree = hierarchy.hierarchy(2 * n, tail, head, np.asarray(np.isfinite(cost).any(axis=0)))
    wanted = hierarchy.forest(
        (trees % n).astype(np.int32),
        (trees // n).astype(np.int32),
        np.append(first, asked.size).astype(np.int32),
        (end[asked] + n).astype(np.int32),
    )
    weights = hierarchy.weights(tree, cost.shape[0])
    hierarchy.weigh(tree, cost, np.unique(wanted.class_index), weights)
    everyone = np.arange(trees.size, dtype=np.int32)
    hierarchy.search(tree, cost, weights, wanted, everyone, np.full(asked.size, -np.inf))  # no path is asked for
    result[asked] = wanted.distance
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
