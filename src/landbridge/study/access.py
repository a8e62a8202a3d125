"""What a place gains: its access to markets and what delivery costs it, at the flows of a solution.

The unit is a box of `BOX` goods that takes the cheapest way by any mode. Markets are the atlas' zones, each as large as
its part of its country's product. Beside the zones stand places that are no zones but that people ask about, such as
the free zone at Khorgos.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.model import paths, trade
from landbridge.scenario.tariffs import rates_of
from landbridge.study.solve import Solution, parameter

__all__ = ["BOX", "PLACES", "zone_access"]

F8 = npt.NDArray[np.float64]

#: Commodity whose box stands for all.
BOX = "manuf_box"
#: Places that are asked about and are no zones: the free zone at Khorgos lies on both sides of the border.
PLACES = ("cn-khorgos", "kz-khorgosgateway")


def _market_sizes(tables: Tables, zones: tuple[str, ...]) -> tuple[F8, list[str]]:
    """Product of each zone, and its country (ISO2): the country's, by the zones' parts of all its trade."""
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
    where = [country[zone] for zone in zones]
    size = [
        (gdp.get(c) or 0.0) * part.get(zone, 0.0) / whole[c] if whole.get(c) else (gdp.get(c) or 0.0)
        for zone, c in zip(zones, where, strict=True)
    ]
    return np.array(size, np.float64), where


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
    prepared, flows = solution.prepared, solution.equilibrium
    net, goods = prepared.network, prepared.classes
    k = goods.names.index(BOX)
    cost = prepared.money[k] + goods.value_of_time_usd_t_h[k] * flows.time_h
    graph = paths.graph(net.node_count, net.tail, net.head)
    zones = prepared.demand.zones
    sizes, country = _market_sizes(tables, zones)
    home = dict(tables["places"].select("id", "iso2").iter_rows())
    extra = [p for p in PLACES if p in net.places]
    names, where = [*zones, *extra], [*country, *(home[p] for p in extra)]
    total = len(names)
    nodes = [np.flatnonzero(net.node_place == net.places.index(p)) for p in extra]
    usd_t = np.full((total, total), np.inf)
    for i, zone in enumerate(names):
        starts = [int(net.zone_source[i])] if i < len(zones) else [int(v) for v in nodes[i - len(zones)]]
        for start in starts:
            if start < 0:
                continue
            reached = paths.shortest_tree(graph, cost, start).distance
            ends = np.array([reached[s] if s >= 0 else np.inf for s in net.zone_sink.tolist()])
            beside = [float(reached[v].min(initial=np.inf)) for v in nodes]
            usd_t[i] = np.minimum(usd_t[i], np.array([*ends.tolist(), *beside]))
        del zone
    usd_teu = usd_t * goods.t_per_teu[k]
    np.fill_diagonal(usd_teu, np.inf)
    iso3 = dict(tables["countries"].select("iso2", "iso3").iter_rows())
    nation = [iso3.get(c or "", "") for c in where]
    duty = np.zeros((total, total))
    rates = rates_of(tables, sorted(set(nation)))
    for i, a in enumerate(nation):
        for j, b in enumerate(nation):
            duty[i, j] = rates.get((a, b), 0.0) / 100
    gdp = np.concatenate([sizes, np.zeros(len(extra))])
    found = trade.market_access(
        usd_teu / parameter(tables, "access-box-value") + duty,
        gdp,
        theta=parameter(tables, "access-theta"),
        beta=parameter(tables, "access-labour"),
    )
    reach = np.isfinite(usd_teu) * gdp
    spent = np.where(np.isfinite(usd_teu), usd_teu, 0.0) * gdp
    weight = reach.sum(axis=1)
    mean = np.divide(spent.sum(axis=1), weight, out=np.full(total, np.nan), where=weight > 0)
    return pl.DataFrame(
        {
            "place": names,
            "country": where,
            "to_buyers": found.firms,
            "to_sellers": found.consumers,
            "access": found.total,
            "delivered_usd_teu": [None if np.isnan(v) else v for v in mean.tolist()],
        },
        schema_overrides={"country": pl.String, "delivered_usd_teu": pl.Float64},
    )
