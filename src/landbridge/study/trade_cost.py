"""What trade pays on the network, read off a solution, and what a change of the network does to the cost of trade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.model import paths, trade
from landbridge.model.flows import path_attributes
from landbridge.study.solve import Prepared, Solution, assignable

__all__ = ["RelationCosts", "cost_of_cells", "free_costs", "freight_shares", "relation_costs"]

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]

HOURS_A_DAY = 24.0

#: What a relation is called across scenarios: zones, commodity, countries of the trade, whether captive, and whose
#: of its owners it is where some refuse a way.
Key = tuple[int, int, int, str, str, bool, int]


@dataclass(frozen=True, eq=False)
class RelationCosts:
    """The loaded relations of a solution with their cost.

    Attributes
    ----------
    keys
        By which relations of two solutions are matched.
    sector : int64[R]
        Index of the trade sector.
    exporter, importer
        ISO3 codes.
    tonnes, value_usd : float64[R]
        A year's demand.
    land_share : float64[R]
        Part that goes by land.
    composite_usd_t : float64[R]
        Composite cost of the choice between land network and outside option; infinite without a way.
    hours : float64[R]
        Hours of the way by land.
    money_usd_t : float64[R]
        Composite cost less the hours by land at the shippers' value of time: what is paid on the way.
    vot_usd_t_h : float64[R]
    """

    keys: tuple[Key, ...]
    sector: I8
    exporter: tuple[str, ...]
    importer: tuple[str, ...]
    tonnes: F8
    value_usd: F8
    land_share: F8
    composite_usd_t: F8
    hours: F8
    money_usd_t: F8
    vot_usd_t_h: F8

    @property
    def value_usd_t(self) -> F8:
        """Value of a tonne."""
        result: F8 = np.divide(self.value_usd, self.tonnes, out=np.ones_like(self.tonnes), where=self.tonnes > 0)
        return result


def relation_costs(solution: Solution, sector_of: Mapping[str, str], sectors: tuple[str, ...]) -> RelationCosts:
    """Read the cost of every loaded relation off a solution.

    Parameters
    ----------
    solution
        A solved scenario and year.
    sector_of
        Trade sector of each commodity.
    sectors
        The sectors in their order.

    Returns
    -------
    RelationCosts
    """
    prepared, flows = solution.prepared, solution.equilibrium
    count = solution.empty_from
    tonnes = np.maximum(prepared.demand.tonnes_yr, 1e-12)
    share = np.clip(flows.network_tonnes_yr[:count] / tonnes, 0.0, 1.0)
    weight = np.bincount(flows.path_relation, weights=flows.path_tonnes_yr, minlength=count)[:count]
    spent = np.bincount(
        flows.path_relation, weights=path_attributes(flows, flows.time_h) * flows.path_tonnes_yr, minlength=count
    )[:count]
    hours = np.divide(spent, weight, out=np.zeros(count), where=weight > 0)
    return _costs(prepared, sector_of, sectors, flows.cost_usd_t[:count], share, hours)


def free_costs(prepared: Prepared, sector_of: Mapping[str, str], sectors: tuple[str, ...]) -> RelationCosts:
    """Tell the cost of every relation where nothing but the trains that are there already delays it.

    Each takes its cheapest way by land, and a part of it the outside option by the choice model of the assignment. That
    is an assignment at free flow, found by shortest paths alone.

    Parameters
    ----------
    prepared
        What could be assigned.
    sector_of, sectors
        As for `relation_costs`.

    Returns
    -------
    RelationCosts
    """
    graph, _, kinds, relations = assignable(prepared)
    count = prepared.demand.relation_count
    land, hours = np.full(count, np.inf), np.zeros(count)
    key = relations.class_index.astype(np.int64) * graph.node_count + relations.origin
    for each in np.unique(key).tolist():
        k, source = divmod(each, graph.node_count)
        cost = kinds.money_usd_t[k] + kinds.value_of_time_usd_t_h[k] * prepared.free_h
        tree = paths.shortest_tree(graph, cost, source)
        for r in np.flatnonzero(key == each).tolist():
            sink = int(relations.destination[r])
            if np.isfinite(tree.distance[sink]):
                land[r] = tree.distance[sink]
                hours[r] = prepared.free_h[paths.path_to(tree, graph, sink)].sum()
    known, outside = np.isfinite(land), np.isfinite(relations.outside_usd_t)
    ahead = np.subtract(land, relations.outside_usd_t, out=np.zeros(count), where=known & outside)
    share = np.where(known, np.where(outside, 1 / (1 + np.exp(ahead / relations.scale_usd_t)), 1.0), 0.0)
    return _costs(prepared, sector_of, sectors, land, share, hours)


def _costs(
    prepared: Prepared, sector_of: Mapping[str, str], sectors: tuple[str, ...], land: F8, share: F8, hours: F8
) -> RelationCosts:
    """Costs by relation, from the cost by land, the part that goes by it, and its hours."""
    demand, goods = prepared.demand, prepared.classes
    scale = goods.scale_usd_t[demand.commodity]
    # the assignment puts the levy into the outside option, with the other sign; here it stands where it is paid
    composite = trade.binary_composite(land + prepared.levy_usd_t, prepared.outside_usd_t, scale)
    vot = goods.value_of_time_usd_t_h[demand.commodity]
    exporter = tuple(demand.countries[i] for i in demand.exporter.tolist())
    importer = tuple(demand.countries[i] for i in demand.importer.tolist())
    number = {s: i for i, s in enumerate(sectors)}
    named = zip(
        demand.origin.tolist(), demand.destination.tolist(), demand.commodity.tolist(), exporter, importer,
        demand.captive.tolist(), strict=True,
    )  # fmt: skip
    # Parts of one relation by owner stand in the order of the refusals of the year, which is that of every scenario;
    # the set that a part may not pass would not do as its name, since a sanction changes it.
    seen: Counter[tuple[int, int, int, str, str, bool]] = Counter()
    keys: list[Key] = []
    for name in named:
        keys.append((*name, seen[name]))
        seen[name] += 1
    return RelationCosts(
        tuple(keys),
        np.array([number[sector_of[demand.commodities[k]]] for k in demand.commodity.tolist()], np.int64),
        exporter,
        importer,
        demand.tonnes_yr,
        demand.tonnes_yr * goods.value_usd_t[demand.commodity],
        share,
        composite,
        hours,
        np.maximum(composite - share * vot * hours, 0.0),
        vot,
    )  # fmt: skip


def cost_of_cells(
    before: RelationCosts,
    after: RelationCosts,
    cell_value_usd: F8,
    countries: tuple[str, ...],
    theta: F8,
    *,
    counted: trade.TimeCounted = "route",
    day_share: F8 | None = None,
) -> F8:
    """Change of the cost of trade of each cell between two solutions.

    Relations are matched by their key; one that is in only one of the solutions says nothing.

    Parameters
    ----------
    before, after
        Costs in the reference and now.
    cell_value_usd : float64[S, N, N]
        Value of all trade of each cell.
    countries
        Names of the N countries.
    theta : float64[S]
        Trade elasticities.
    counted
        Where time counts.
    day_share : float64[S]
        What a day takes of the goods' value, as a part, where time counts in trade.

    Returns
    -------
    float64[S, N, N]
    """
    where = {key: r for r, key in enumerate(before.keys)}
    pairs = [(where[key], r) for r, key in enumerate(after.keys) if key in where]
    if not pairs:
        return np.ones(cell_value_usd.shape)
    old, new = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    known = np.isfinite(before.composite_usd_t[old])  # what had no way before has no cost to change
    old, new = old[known], new[known]
    share = 0.5 * (before.land_share[old] + after.land_share[new])
    # a relation that goes by land in one of the states only has no change of hours to speak of
    both = (before.hours[old] > 0) & (after.hours[new] > 0)
    change = after.composite_usd_t[new] - before.composite_usd_t[old]
    tau = trade.tau_change(
        before.value_usd_t[old],
        before.money_usd_t[old],
        change,
        counted=counted,
        hours_change=np.where(both, share * (after.hours[new] - before.hours[old]), 0.0),
        vot_usd_t_h=before.vot_usd_t_h[old],
        rate_day=0.0 if day_share is None else day_share[before.sector[old]],
    )
    number = {c: i for i, c in enumerate(countries)}
    size = len(countries)
    e = np.array([number[before.exporter[r]] for r in old.tolist()], np.int64)
    i = np.array([number[before.importer[r]] for r in old.tolist()], np.int64)
    cell = (before.sector[old] * size + e) * size + i
    flat = trade.cell_change(cell, before.value_usd[old], tau, cell_value_usd.ravel(), np.repeat(theta, size * size))
    return flat.reshape(cell_value_usd.shape)


def freight_shares(costs: RelationCosts) -> dict[tuple[str, str], tuple[float, float]]:
    """Freight over value by pair: the level of the cost of trade.

    Parameters
    ----------
    costs
        Of a solution.

    Returns
    -------
    dict
        By (exporter, importer): freight over value, and the value of the freight it was taken over, in USD.
    """
    found: dict[tuple[str, str], list[int]] = {}
    for r, pair in enumerate(zip(costs.exporter, costs.importer, strict=True)):
        found.setdefault(pair, []).append(r)
    result = {}
    for pair, rows in found.items():
        index = np.array(rows)
        value = float(costs.value_usd[index].sum())
        if value > 0:
            share = trade.freight_share(costs.tonnes[index], costs.money_usd_t[index], value)
            result[pair] = (share, value)
    return result
