"""What a place gains: its access to markets and what delivery costs it, at the flows of a solution.

The unit is a box of `BOX` goods that takes the cheapest way by any mode. Markets are the atlas' zones, each as large as
its part of its country's product. Beside the zones stand places that are no zones but that people ask about, such as
the free zone at Khorgos.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.model import paths, trade
from landbridge.scenario.tariffs import rates_of
from landbridge.study.solve import Prepared, Solution, parameter

__all__ = ["BOX", "PLACES", "BoxSkim", "access_of", "box_skim", "market_sizes", "zone_access"]

F8 = npt.NDArray[np.float64]

#: Commodity whose box stands for all.
BOX = "manuf_box"
#: Places that are asked about and are no zones: the free zone at Khorgos lies on both sides of the border.
PLACES = ("cn-khorgos", "kz-khorgosgateway")


@dataclass(frozen=True, eq=False)
class BoxSkim:
    """Cheapest ways of a box between places.

    Attributes
    ----------
    names, country
        Zones first, then the places beside them; countries by two letters.
    usd_teu, hours : float64[n, n]
        Generalised cost and hours; infinite without a way, and on the diagonal.
    """

    names: tuple[str, ...]
    country: tuple[str, ...]
    usd_teu: F8
    hours: F8


def market_sizes(tables: Tables, zones: tuple[str, ...]) -> F8:
    """Return the product of each zone: its country's, by the zones' parts of all its trade."""
    country = dict(tables["zones"].select("id", "country").iter_rows())
    gdp = dict(tables["countries"].select("iso2", "gdp_2023_usd").iter_rows())
    part: dict[str, float] = {}
    for zone, commodity, partner, out, into in (
        tables["zone_shares"].select("zone", "commodity", "partner", "export_share", "import_share").iter_rows()
    ):
        if commodity == "*" and partner == "*":
            part[zone] = ((out or 0.0) + (into or 0.0)) / 2
    whole: dict[str, float] = {}
    for zone, share in part.items():
        whole[country[zone]] = whole.get(country[zone], 0.0) + share
    return np.array(
        [
            (gdp.get(country[zone]) or 0.0) * part.get(zone, 0.0) / whole[country[zone]]
            if whole.get(country[zone])
            else (gdp.get(country[zone]) or 0.0)
            for zone in zones
        ],
        np.float64,
    )


def box_skim(tables: Tables, prepared: Prepared, time_h: F8, beside: tuple[str, ...] = PLACES) -> BoxSkim:
    """Find the cheapest way of a box between all zones, and between them and some places beside them.

    Parameters
    ----------
    tables
        After a scenario was applied.
    prepared
        Network and costs.
    time_h : float64[m]
        Hours of each arc.
    beside
        Places that are asked about and are no zones.

    Returns
    -------
    BoxSkim
    """
    net, goods = prepared.network, prepared.classes
    k = goods.names.index(BOX)
    cost = prepared.money[k] + goods.value_of_time_usd_t_h[k] * time_h
    graph = paths.graph(net.node_count, net.tail, net.head)
    zones = prepared.demand.zones
    of_zone = dict(tables["zones"].select("id", "country").iter_rows())
    home = dict(tables["places"].select("id", "iso2").iter_rows())
    extra = [p for p in beside if p in net.places]
    names = (*zones, *extra)
    nodes = [np.flatnonzero(net.node_place == net.places.index(p)).tolist() for p in extra]
    starts = [[int(s)] for s in net.zone_source.tolist()] + nodes
    ends = [[int(s)] for s in net.zone_sink.tolist()] + nodes
    usd_t, hours = np.full((len(names), len(names)), np.inf), np.full((len(names), len(names)), np.inf)
    for i, sources in enumerate(starts):
        for source in sources:
            if source < 0:
                continue
            tree = paths.shortest_tree(graph, cost, source)
            spent = _along(tree, net.tail, time_h)
            for j, targets in enumerate(ends):
                for node in targets:
                    if node >= 0 and tree.distance[node] < usd_t[i, j]:
                        usd_t[i, j], hours[i, j] = tree.distance[node], spent[node]
    usd_teu = usd_t * goods.t_per_teu[k]
    for table in (usd_teu, hours):
        np.fill_diagonal(table, np.inf)
    return BoxSkim(names, (*(of_zone[z] for z in zones), *(home[p] for p in extra)), usd_teu, hours)


def _along(tree: paths.Tree, tail: npt.NDArray[np.int32], values: F8) -> F8:
    """Sum of an arc attribute along the tree's path to each node; infinite where no path leads."""
    out = np.where(np.isfinite(tree.distance), 0.0, np.inf)
    for node in np.argsort(tree.distance, kind="stable").tolist():
        arc = tree.arc_in[node]
        if arc >= 0 and np.isfinite(tree.distance[node]):
            out[node] = out[tail[arc]] + values[arc]
    return out


def zone_access(tables: Tables, solution: Solution) -> pl.DataFrame:
    """Compute the access of every zone, and of some places beside them.

    Parameters
    ----------
    tables
        After a scenario was applied.
    solution
        Its solution.

    Returns
    -------
    polars.DataFrame
        Columns place, country, to_buyers, to_sellers, access (see `landbridge.model.trade.access`), and
        delivered_usd_teu: mean cost of a box to all markets that are reached, weighted by their size.
    """
    return access_of(tables, solution.prepared, box_skim(tables, solution.prepared, solution.equilibrium.time_h))


def access_of(tables: Tables, prepared: Prepared, skim: BoxSkim) -> pl.DataFrame:
    """Compute the access of every place of a skim; see `zone_access`.

    Parameters
    ----------
    tables
        After a scenario was applied.
    prepared
        Network and costs.
    skim
        Cheapest ways of a box, at the hours of a solution or of an empty network.
    """
    total = len(skim.names)
    zones = prepared.demand.zones
    iso3 = dict(tables["countries"].select("iso2", "iso3").iter_rows())
    nation = [iso3.get(c or "", "") for c in skim.country]
    rates = rates_of(tables, sorted(set(nation)))
    duty = np.array([[rates.get((a, b), 0.0) / 100 for b in nation] for a in nation])
    gdp = np.concatenate([market_sizes(tables, zones), np.zeros(total - len(zones))])
    found = trade.market_access(
        skim.usd_teu / parameter(tables, "access-box-value") + duty,
        gdp,
        theta=parameter(tables, "access-theta"),
        beta=parameter(tables, "access-labour"),
    )
    reached = np.isfinite(skim.usd_teu)
    spent = (np.where(reached, skim.usd_teu, 0.0) * gdp).sum(axis=1)
    weight = (reached * gdp).sum(axis=1)
    mean = np.divide(spent, weight, out=np.full(total, np.nan), where=weight > 0)
    return pl.DataFrame(
        {
            "place": list(skim.names),
            "country": list(skim.country),
            "to_buyers": found.firms,
            "to_sellers": found.consumers,
            "access": found.total,
            "delivered_usd_teu": [None if np.isnan(v) else v for v in mean.tolist()],
        },
        schema_overrides={"country": pl.String, "delivered_usd_teu": pl.Float64},
    )
