"""What changes for whom between two solutions of one year: users, railways and states, and CO2.

Flows with against flows without; nothing is solved here. Money that only changes purses is kept apart from what is won
or lost:

- *users*: relation by relation by the logsum of the choice between land and outside option, and beside it by the rule
  of half; for cargo bound to land the two are the same. The cost holds money, time and its spread at the shippers' own
  values, so the value of time is in here and trade that would grow by it is not (trade is as without, see
  `landbridge.study.appraise`).
- *operators*: what rail freight pays beyond the resources that a run takes (``1 - resource-share`` of its price), by
  the country of the line; *fees*: what is charged at borders, by the country entered. Both are transfers: users have
  paid them. The sum of users, operators and fees is the gain in resources.
- *empties*: resources for boxes that come back empty, nobody's in particular.
- *CO2*: of all cargo on the land network and of the outside option of cargo that joins or leaves it.

Tonnes that no way served before and one serves now have no price without, so their gain is not valued; they are told.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.model import appraisal, paths
from landbridge.model.costs import class_co2
from landbridge.model.network import MODES, ArcKind
from landbridge.study.outside import OUTSIDE
from landbridge.study.prepare import Prepared, deep_sea
from landbridge.study.settings import parameter
from landbridge.study.solve import Solution

__all__ = ["Gains", "OutsideCarbon", "State", "gains_between", "state_of"]

F8 = npt.NDArray[np.float64]

# Relations whose tonnes on land differ by less than this are on the same way: it is far below what a gap leaves open.
SAME_T = 1.0
#: Who gets half of a relation's gain is unknown; the trader at each end is taken to get this share (exporter first).
SPLIT = 0.5


@dataclass(frozen=True)
class State:
    """What a solution says of one year, by country (ISO2).

    Attributes
    ----------
    operators_usd, fees_usd, paid_usd, land_co2_t
        Surplus of railways, fees at borders, all that is paid on lines, tonnes of CO2 of the land network.
    empties_usd
        Resources for empty boxes.
    """

    operators_usd: dict[str, float]
    fees_usd: dict[str, float]
    paid_usd: dict[str, float]
    land_co2_t: dict[str, float]
    empties_usd: float


@dataclass(frozen=True)
class Gains:
    """What a year gains with against without; below zero: loses.

    Attributes
    ----------
    users_usd
        By the logsum, by country of the trader.
    users_half_usd
        By the rule of half, in all.
    commodities_usd
        Users' gain by commodity, by the logsum.
    operators_usd, fees_usd
        By country; transfers from the users who pay them.
    paid_usd
        Change of all that is paid on lines of a country: gross revenue.
    empties_usd
        Resources saved on empty boxes.
    co2_t
        Tonnes of CO2 more, land and outside option together, by where it is emitted (outside: ``sea``, ``road``).
    shifted_t
        Tonnes that come to land (above zero) or leave it.
    newly_served_t
        Tonnes that no way served without: not valued.
    """

    users_usd: dict[str, float] = field(default_factory=dict)
    users_half_usd: float = 0.0
    commodities_usd: dict[str, float] = field(default_factory=dict)
    operators_usd: dict[str, float] = field(default_factory=dict)
    fees_usd: dict[str, float] = field(default_factory=dict)
    paid_usd: dict[str, float] = field(default_factory=dict)
    empties_usd: float = 0.0
    co2_t: dict[str, float] = field(default_factory=dict)
    shifted_t: float = 0.0
    newly_served_t: float = 0.0

    @property
    def total_usd(self) -> float:
        """Gross benefit without CO2, transfers set off against who gets them."""
        kept = sum(self.users_usd.values()) + sum(self.operators_usd.values()) + sum(self.fees_usd.values())
        return kept + self.empties_usd


class OutsideCarbon:
    """Grams of CO2 a tonne causes on its outside option, found when asked for and kept."""

    def __init__(self, tables: Tables, prepared: Prepared) -> None:
        self._tables, self._prepared = tables, prepared
        self._known: dict[int, tuple[float, float]] = {}
        net = prepared.network
        deep = deep_sea(tables)
        ocean = np.array([link in deep for link in net.links], np.bool_)
        self._ocean = np.where(net.link >= 0, ocean[net.link], False)
        union = set(tables["blocs"].filter(pl.col("bloc") == "eu")["iso2"].to_list())
        inside = np.array([c in union for c in net.countries], np.bool_)
        border = (net.kind == ArcKind.BORDER) & ~(inside[net.country] & inside[net.country_to])
        self._barred = (net.kind == ArcKind.GAUGE) | border
        n = net.node_count
        tail = np.concatenate([net.tail, net.tail + n])
        head = np.concatenate([np.where(self._ocean, net.head + n, net.head), net.head + n])
        self._graph, self._tail = paths.graph(2 * n, tail, head), tail
        road = tables["emissions"].filter((pl.col("mode") == "road") & (pl.col("country") == "*"))
        self._road_g_tkm = float(road["co2_g_tkm"][0]) if road.height else float("nan")

    def grams(self, relations: npt.NDArray[np.int64]) -> F8:
        """Grams by sea and by road of a tonne of each relation, shape (R, 2); zero where it has no outside option."""
        demand, by, share = self._prepared.demand, self._prepared.outside_by, self._prepared.sea_share
        waiting: dict[tuple[int, int], list[int]] = {}
        for r in relations.tolist():
            if r not in self._known:
                road = OUTSIDE[by[r]] != "none" and share[r] < 1.0
                self._known[r] = (0.0, (1.0 - share[r]) * self._by_road(r) if road else 0.0)
                if share[r] > 0.0:
                    waiting.setdefault((int(demand.commodity[r]), int(demand.origin[r])), []).append(r)
        for (k, zone), rows in waiting.items():
            self._by_sea(k, zone, rows)
        return np.array([self._known[r] for r in relations.tolist()], np.float64).reshape(-1, 2)

    def _by_sea(self, k: int, zone: int, rows: list[int]) -> None:
        p = self._prepared
        net, m = p.network, p.network.arc_count
        cost = np.where(self._barred, np.inf, p.money[k] + p.classes.value_of_time_usd_t_h[k] * p.free_h)
        tree = paths.shortest_tree(self._graph, np.concatenate([cost, cost]), int(net.zone_source[zone]))
        grams = class_co2(net, p.classes, k)
        for r in rows:
            node, total = int(net.zone_sink[p.demand.destination[r]]) + net.node_count, 0.0
            while (arc := int(tree.arc_in[node])) >= 0:
                total += float(grams[arc % m])
                node = int(self._tail[arc])
            self._known[r] = (p.sea_share[r] * total, self._known[r][1])

    def _by_road(self, r: int) -> float:
        demand = self._prepared.demand
        places = self._tables["places"]
        at = dict(zip(places["id"], zip(places["lat_deg"], places["lon_deg"], strict=True), strict=True))
        zone_place = dict(zip(self._tables["zones"]["id"], self._tables["zones"]["place"], strict=True))
        (a, b), (c, d) = (
            np.radians(at[zone_place[demand.zones[z]]]) for z in (demand.origin[r], demand.destination[r])
        )
        angle = np.sin((c - a) / 2) ** 2 + np.cos(a) * np.cos(c) * np.sin((d - b) / 2) ** 2
        km = 2 * 6371.0088 * float(np.arcsin(np.sqrt(angle))) * parameter(self._tables, "road-detour")
        return km * self._road_g_tkm


def state_of(tables: Tables, solution: Solution, tolls: pl.DataFrame | None = None) -> State:
    """Add up what a solution pays and emits, by country.

    Parameters
    ----------
    tables
        After `landbridge.scenario.apply`.
    solution
        Solved on them.
    tolls
        Charges and subsidies of the scenario on lines, from `landbridge.study.payments`: they take no resources.

    Returns
    -------
    State
    """
    net, classes = solution.prepared.network, solution.prepared.classes
    tonnes = solution.equilibrium.arc_tonnes_yr
    share = parameter(tables, "resource-share")
    price, grams = np.zeros(net.arc_count), np.zeros(net.arc_count)
    empties = np.zeros(net.arc_count)
    for k in range(len(classes.names)):
        each = net.money_usd_t
        if classes.container[k]:
            each = (net.money_empty_usd_teu if k == classes.empty else net.money_usd_teu) / classes.t_per_teu[k]
        paid = tonnes[k] * each
        price += paid
        if k == classes.empty:
            empties = paid
        grams += tonnes[k] * class_co2(net, classes, k)
    move = net.kind == ArcKind.MOVE
    rail = move & (net.mode == MODES.index("rail"))
    border = (net.kind == ArcKind.BORDER) & (net.crossing >= 0)

    def by(values: F8, mask: npt.NDArray[np.bool_], where: npt.NDArray[np.int16]) -> dict[str, float]:
        sums = np.bincount(where[mask], values[mask], len(net.countries))
        return dict(zip(net.countries, sums.tolist(), strict=True))

    # resources of a run by rail are a share of its price; fees at borders take none; the rest costs what it is priced
    takes = np.where(rail, share, np.where(border, 0.0, 1.0))
    operators = by(price * (1.0 - share), rail, net.country)
    on_lines = () if tolls is None else tolls.filter(pl.col("table") == "links").select("row", "paid_usd").iter_rows()
    for row, usd in on_lines:
        arcs = np.flatnonzero(rail & (net.link == net.links.index(row))) if row in net.links else np.zeros(0, np.int64)
        km = net.length_km[arcs]
        for arc, part in zip(arcs.tolist(), (km / max(float(km.sum()), 1e-9)).tolist(), strict=True):
            operators[net.countries[net.country[arc]]] += share * usd * part
    return State(
        operators_usd=operators,
        fees_usd=by(price, border, net.country_to),
        paid_usd=by(price, move, net.country),
        land_co2_t=by(grams * 1e-6, move, net.country),
        empties_usd=float((empties * takes).sum()),
    )


def gains_between(
    without: Solution, with_: Solution, states: tuple[State, State], carbon: OutsideCarbon, iso2: dict[str, str]
) -> Gains:
    """Compare two solutions of one year.

    Parameters
    ----------
    without, with_
        The solutions; their demand must be the same.
    states
        Of both, from `state_of`.
    carbon
        Of the outside options without.
    iso2
        ISO2 codes by the demand's ISO3.

    Returns
    -------
    Gains

    Raises
    ------
    ValueError
        If the two carry different relations.
    """
    one, other = without.prepared, with_.prepared
    demand = one.demand
    count = demand.relation_count
    if count != other.demand.relation_count or not np.array_equal(demand.tonnes_yr, other.demand.tonnes_yr):
        raise ValueError("gains: wanted two solutions of the same relations and tonnes")
    c0, c1 = without.equilibrium.cost_usd_t[:count], with_.equilibrium.cost_usd_t[:count]
    q0, q1 = without.equilibrium.network_tonnes_yr[:count], with_.equilibrium.network_tonnes_yr[:count]
    w0, w1 = one.outside_usd_t - one.levy_usd_t, other.outside_usd_t - other.levy_usd_t
    scale, total = one.classes.scale_usd_t[demand.commodity], demand.tonnes_yr
    free = np.isfinite(w0) & np.isfinite(w1)
    bound = ~free & np.isfinite(c0) & np.isfinite(c1)
    gain = np.zeros(count)
    gain[free] = appraisal.logsum(c0[free], c1[free], w0[free], scale[free], total[free])
    gain[free] += (w0[free] - w1[free]) * total[free]
    gain[bound] = (c0[bound] - c1[bound]) * total[bound]
    half = np.zeros(count)
    joined = np.isfinite(c0) & np.isfinite(c1)
    half[joined] = appraisal.rule_of_half(c0[joined], c1[joined], q0[joined], q1[joined])
    new = ~free & ~np.isfinite(c0) & np.isfinite(c1)
    lost = ~free & np.isfinite(c0) & ~np.isfinite(c1)

    nations = [iso2.get(code, code) for code in demand.countries]
    users: dict[str, float] = dict.fromkeys(nations, 0.0)
    ends = ((demand.exporter, SPLIT), (demand.importer, 1.0 - SPLIT))
    for side, share in ends:
        for i, value in enumerate(np.bincount(side, gain * share, len(nations)).tolist()):
            users[nations[i]] += value
    commodities = np.bincount(demand.commodity, gain, len(demand.commodities)).tolist()

    shift = q1 - q0
    moved = np.flatnonzero((np.abs(shift) > SAME_T) & free)
    grams = carbon.grams(moved)
    co2 = _less(states[1].land_co2_t, states[0].land_co2_t)
    for way, kind in enumerate(("sea", "road")):
        if grams[:, way].any():
            co2[kind] = -float(grams[:, way] @ shift[moved]) * 1e-6
    return Gains(
        users_usd={c: v for c, v in users.items() if v != 0.0},
        users_half_usd=float(half.sum()),
        commodities_usd=dict(zip(demand.commodities, commodities, strict=True)),
        operators_usd=_less(states[1].operators_usd, states[0].operators_usd),
        fees_usd=_less(states[1].fees_usd, states[0].fees_usd),
        paid_usd=_less(states[1].paid_usd, states[0].paid_usd),
        empties_usd=states[0].empties_usd - states[1].empties_usd,
        co2_t=co2,
        shifted_t=float(shift.sum()),
        newly_served_t=float(total[new].sum() - total[lost].sum()),
    )


def _less(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    """Differences by country, without zeros."""
    found = {c: after.get(c, 0.0) - before.get(c, 0.0) for c in sorted({*after, *before})}
    return {c: v for c, v in found.items() if v != 0.0}
