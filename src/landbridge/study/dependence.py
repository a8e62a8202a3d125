"""Who depends on whom: what must cross whom, what does, what losing it costs, and how many ways there are.

    pairs            country A against each country B that its freight may cross (`pairs_of`)
    diversification  country by year: partners of trade, border crossings, countries of transit, pipelines, lenders,
                     each with its concentration; the effective numbers are what "multi-vector" can mean (`diversity`)

Shares that cross are those of an equilibrium, as intervals, since paths of equal cost may share differently. Costs are
what shippers pay, time included. What may not cross B is A's trade with third countries; its trade with B goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import UnknownName
from landbridge.model.demand import goods_of_years
from landbridge.model.flows import share_interval
from landbridge.model.flows.surplus import least_costs
from landbridge.model.leverage.dependence import asymmetric_leverage, concentration
from landbridge.model.network import ArcKind
from landbridge.model.resilience import Closures
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Measure
from landbridge.study.carriage import Laden, lay_out
from landbridge.study.past import trade_of_year
from landbridge.study.solve import Settings, Solution, assignable, columns, solve

__all__ = ["KINDS", "Barrier", "barrier_of", "country_of", "dependence", "diversity", "pairs_of", "trade_values"]

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]
B1 = npt.NDArray[np.bool_]
Progress = Callable[[int, int, str], None]

#: What diversification is measured in, each apart, with its unit and what a way is.
KINDS = {
    "trade": ("USD", "partners of all trade, by value"),
    "gateways": ("t", "border crossings that its own trade by land uses"),
    "transit": ("t", "third countries that its own trade by land crosses; what crosses two counts twice"),
    "energy": ("Mt", "neighbours to or from which pipelines open in the year lead, by capacity"),
    "loans": ("amount as agreed", "countries that lend for projects in the atlas; not a country's whole debt"),
}
DEMAND_TABLES = "trade bulk_trade trade_overrides commodities growth countries blocs".split()
GAP = 1e-8
# Partners are told when they carry, or losing them costs, more than this.
LEAST_TONNES = 1.0


def country_of(tables: Tables, name: str) -> str:
    """Return the ISO2 code of a country named by it, in any case.

    Raises
    ------
    UnknownName
        For any other name.
    """
    codes = tables["countries"]["iso2"].to_list()
    if name.strip().upper() not in codes:
        raise UnknownName("country", name, codes)
    return name.strip().upper()


def trade_values(tables: Tables, year: int, base_year: int = Settings.base_year) -> dict[tuple[str, str], float]:
    """Value of trade by exporter and importer (ISO2), at the prices of the matrix.

    Parameters
    ----------
    tables
        The atlas, or tables after measures.
    year
        Year; values follow tonnes, estimated before the base year and grown after it.
    base_year
        Year of the trade matrix.

    Returns
    -------
    dict
        USD a year.
    """
    then = trade_of_year(tables, year, base_year)
    rows = then["trade"].filter(pl.col("year") == base_year)
    factor = pl.col("factor") if "factor" in rows.columns else pl.lit(1.0)
    sums = rows.group_by("exporter", "importer").agg((pl.col("value_usd") * factor).sum().alias("value"))
    grown: dict[tuple[str, str], float] = {}
    if year > base_year:
        tonnes: dict[tuple[str, str], list[float]] = {}
        for (exporter, importer, _), pair in goods_of_years(columns(then, DEMAND_TABLES), year=year).items():
            both = tonnes.setdefault((exporter, importer), [0.0, 0.0])
            both[0], both[1] = both[0] + pair[0], both[1] + pair[1]
        grown = {key: after / before for key, (before, after) in tonnes.items() if before > 0.0}
    iso2 = dict(zip(tables["countries"]["iso3"], tables["countries"]["iso2"], strict=True))
    result: dict[tuple[str, str], float] = {}
    for exporter, importer, value in sums.sort("exporter", "importer").rows():
        key = (iso2.get(exporter, exporter), iso2.get(importer, importer))
        result[key] = result.get(key, 0.0) + value * grown.get((exporter, importer), 1.0)
    return result


# ------------------------------------------------------------------------------------------------------ one pair


@dataclass(frozen=True, eq=False)
class Barrier:
    """A network on which the cargo of one country can be kept out of another.

    Attributes
    ----------
    laden
        The network as carriage.
    closures
        Its program; countries are its elements.
    exporter, importer
        Country (index into the network's, -1 = none) at the two ends of each relation of the carriage.
    iso2
        Countries of the atlas.
    base
        Cost with nothing kept out, USD a year.
    free_usd_t
        Least cost of each relation by land when nothing is full.
    """

    laden: Laden
    closures: Closures
    exporter: I8
    importer: I8
    iso2: tuple[str, ...]
    base: float
    free_usd_t: F8

    @property
    def countries(self) -> list[str]:
        """Countries of the network."""
        return list(self.laden.prepared.network.countries)

    def cargo_of(self, a: int, b: int) -> B1:
        """Relations with one end in A and none in B."""
        mine = (self.exporter == a) | (self.importer == a)
        return np.asarray(mine & (self.exporter != b) & (self.importer != b))

    def keep_out(self, groups: Sequence[tuple[B1, B1]]) -> tuple[float, F8]:
        """Find the least cost when some relations may not use some arcs.

        Parameters
        ----------
        groups
            Relations, and the arcs that they may not use; no relation is in two.

        Returns
        -------
        cost : float
            USD a year, outside options included.
        tonnes : float64[R]
            Tonnes by land.
        """
        program = self.closures.program
        group = np.zeros(self.exporter.size, np.int64)
        barred = np.zeros((len(groups) + 1, program.carriage.graph.tail.size), np.bool_)
        usable = np.ones(program.relation.size, np.bool_)
        for number, (relations, arcs) in enumerate(groups, start=1):
            group[relations], barred[number] = number, arcs
            usable &= program.free_of(arcs) | ~relations[program.relation.values]
        found = program.solve(usable, barred, group, self.closures.gap)
        return self.closures.cost(found), found.tonnes_yr


def barrier_of(tables: Tables, *, year: int, settings: Settings) -> Barrier:
    """Lay out tables to which a scenario was applied, for keeping cargo out of countries."""
    laden = lay_out(tables, year=year, settings=settings)
    net, demand = laden.prepared.network, laden.prepared.demand
    arcs = [np.flatnonzero(in_country(laden, c)) for c in range(len(net.countries))]
    closures = Closures(laden.carriage, arcs)
    iso2 = dict(zip(tables["countries"]["iso3"], tables["countries"]["iso2"], strict=True))
    number = {name: i for i, name in enumerate(net.countries)}
    of = np.array([number.get(iso2.get(c, c), -1) for c in demand.countries], np.int64)
    every = np.arange(laden.carriage.tonnes_yr.size)
    free = least_costs(laden.carriage, every, np.zeros(net.arc_count, np.bool_))
    base = closures.cost(closures.solve())
    known = tuple(tables["countries"]["iso2"].to_list())
    return Barrier(laden, closures, of[demand.exporter][laden.kept], of[demand.importer][laden.kept], known, base, free)


def in_country(laden: Laden, c: int) -> B1:
    net = laden.prepared.network
    return np.asarray((net.country == c) | ((net.kind == ArcKind.BORDER) & (net.country_to == c)))


def pairs_of(
    barrier: Barrier,
    values: Mapping[tuple[str, str], float],
    country: str,
    *,
    solution: Solution | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Tell how much one country needs each of the others that its freight may cross.

    Parameters
    ----------
    barrier
        The network.
    values
        Trade by exporter and importer, USD a year.
    country
        A, by ISO2.
    solution
        The equilibrium, for the shares that do cross; without it they are left out.
    progress
        Called with partners done and all.

    Returns
    -------
    list of dict
        By partner B, the costliest to lose first: ``must_cross`` (share of A's tonnes with third countries that have no
        way by land without B), ``actual`` with ``actual_least`` and ``actual_most`` (share of what goes by land),
        ``free_usd_yr`` and ``free_percent`` (substitutability when nothing is full), ``capacity_usd_yr`` (with hard
        capacities, what all pay more), ``loss_of_partner_usd_yr`` (the same for B's cargo kept out of A), ``leverage``
        of B over A, ``trade_usd_yr`` with B and its ``trade_share``.
    """
    names = barrier.countries
    if country not in names:
        raise UnknownName("country of the network", country, names)
    a, known = names.index(country), set(barrier.iso2)
    carriage = barrier.laden.carriage
    whole = {name: sum(v for (e, i), v in values.items() if name in (e, i)) for name in names}
    rows: list[dict[str, Any]] = []
    land = barrier.free_usd_t < np.inf
    for b, partner in enumerate(names):
        if progress is not None:
            progress(b, len(names), f"{country} without {partner}")
        if b == a or partner not in known:
            continue  # waters have no country
        mine = barrier.cargo_of(a, b)
        arcs = in_country(barrier.laden, b)
        chosen = np.flatnonzero(mine & land)
        traded = values.get((country, partner), 0.0) + values.get((partner, country), 0.0)
        without = least_costs(carriage, chosen, arcs)
        tonnes, before, outside = carriage.tonnes_yr[chosen], barrier.free_usd_t[chosen], carriage.outside_usd_t[chosen]
        best, best_without = np.minimum(before, outside), np.minimum(without, outside)
        free = float(((best_without - best) * tonnes).sum())
        must = float(tonnes[np.isinf(without)].sum())
        total = float(tonnes.sum())
        if free <= 0.0 and must <= 0.0 and traded <= 0.0:
            continue
        cost, _ = barrier.keep_out([(mine, arcs)])
        theirs, _ = barrier.keep_out([(barrier.cargo_of(b, a), in_country(barrier.laden, a))])
        row: dict[str, Any] = {
            "country": country,
            "partner": partner,
            "third_tonnes_yr": total,
            "must_cross": must / total if total > 0.0 else None,
            "actual": None,
            "actual_least": None,
            "actual_most": None,
            "free_usd_yr": free,
            "free_percent": 100.0 * free / float((best * tonnes).sum()) if total > 0.0 else None,
            "capacity_usd_yr": max(cost - barrier.base, 0.0),
            "loss_of_partner_usd_yr": max(theirs - barrier.base, 0.0),
            "trade_usd_yr": traded,
            "trade_share": traded / whole[country] if whole[country] else None,
        }
        row["leverage"] = asymmetric_leverage(
            row["capacity_usd_yr"], whole[country], row["loss_of_partner_usd_yr"], whole[partner]
        )
        if solution is not None:
            row |= _actual(barrier, solution, mine, arcs)
        rows.append(row)
    return sorted(rows, key=lambda row: (-row["capacity_usd_yr"], -row["trade_usd_yr"], row["partner"]))


def _actual(barrier: Barrier, solution: Solution, mine: B1, arcs: B1) -> dict[str, float | None]:
    """Share of what goes by land that crosses some arcs, least and most over flows that are as good."""
    prepared, flows = solution.prepared, solution.equilibrium
    graph, delay, kinds, _ = assignable(prepared)
    among = np.zeros(solution.relations.origin.size, np.bool_)
    among[np.flatnonzero(barrier.laden.kept)[mine]] = True
    if not flows.network_tonnes_yr[among].sum() > LEAST_TONNES:
        return {}
    crosses = np.zeros(flows.path_relation.size, np.bool_)
    owner = np.repeat(np.arange(flows.path_relation.size), np.diff(flows.path_first))
    crosses[owner[arcs[flows.path_arcs]]] = True
    counted = among[flows.path_relation]
    if not (crosses & counted).any():  # no path with tonnes on it crosses; those as good are not searched for
        return {"actual": 0.0, "actual_least": 0.0, "actual_most": 0.0}
    found = share_interval(graph, delay, kinds, solution.relations, flows, arcs, among=among)
    return {"actual": found.actual, "actual_least": found.least, "actual_most": found.most}


# ------------------------------------------------------------------------------------------------ diversification


def diversity(
    tables: Tables, solution: Solution | None, values: Mapping[tuple[str, str], float], year: int, names: Sequence[str]
) -> list[dict[str, Any]]:
    """Measure how many ways countries have: one row a country and kind of `KINDS`.

    Parameters
    ----------
    tables
        Tables of the year.
    solution
        The equilibrium, for gateways and transit; without it they are left out.
    values
        Trade by exporter and importer, USD a year.
    year
        Year, for pipelines and loans.
    names
        Countries by ISO2.

    Returns
    -------
    list of dict
        ``country``, ``kind``, ``amount``, ``unit``, ``hhi``, ``effective_number``, ``normalised_hhi``, ``ways``,
        ``largest``, ``largest_share``.
    """
    land = {} if solution is None else _by_land(tables, solution)
    energy, loans = _energy(tables, year), _loans(tables, year)
    rows = []
    for name in names:
        trade: dict[str, float] = {}
        for (exporter, importer), value in values.items():
            if name in (exporter, importer) and exporter != importer:
                other = importer if exporter == name else exporter
                trade[other] = trade.get(other, 0.0) + value
        told = {
            "trade": trade,
            **({kind: land[kind].get(name, {}) for kind in ("gateways", "transit")} if land else {}),
            "energy": energy.get(name, {}),
            "loans": loans.get(name, {}),
        }
        for kind, amounts in told.items():
            if not sum(amounts.values()) > 0.0:
                continue
            found = concentration(amounts.values())
            largest = max(sorted(amounts), key=lambda k: amounts[k])
            rows.append(
                {
                    "country": name,
                    "kind": kind,
                    "amount": sum(amounts.values()),
                    "unit": KINDS[kind][0],
                    "hhi": found.hhi,
                    "effective_number": found.effective_number,
                    "normalised_hhi": found.normalised,
                    "ways": found.count,
                    "largest": largest,
                    "largest_share": found.largest,
                }
            )
    return rows


def _by_land(tables: Tables, solution: Solution) -> dict[str, dict[str, dict[str, float]]]:
    """Tonnes of each country's own trade by border crossing of its own, and by third country."""
    net, flows, demand = solution.prepared.network, solution.equilibrium, solution.prepared.demand
    iso2 = dict(zip(tables["countries"]["iso3"], tables["countries"]["iso2"], strict=True))
    number = {name: i for i, name in enumerate(net.countries)}
    of = np.array([number.get(iso2.get(c, c), -1) for c in demand.countries], np.int64)
    border = (net.kind == ArcKind.BORDER) & (net.crossing >= 0)
    gateways: dict[str, dict[str, float]] = {}
    transit: dict[str, dict[str, float]] = {}
    for p in range(flows.path_relation.size):
        r = int(flows.path_relation[p])
        if r >= solution.empty_from:
            continue  # boxes that return empty are nobody's trade
        arcs = flows.path_arcs[flows.path_first[p] : flows.path_first[p + 1]]
        ends = {int(of[demand.exporter[r]]), int(of[demand.importer[r]])} - {-1}
        tonnes = float(flows.path_tonnes_yr[p])
        at = arcs[border[arcs]]
        moved = arcs[net.kind[arcs] == ArcKind.MOVE]
        through = {int(c) for c in net.country[moved]} - ends
        for end in ends:
            name = net.countries[end]
            for c in {int(net.crossing[i]) for i in at if end in (net.country[i], net.country_to[i])}:
                ways = gateways.setdefault(name, {})
                ways[net.crossings[c]] = ways.get(net.crossings[c], 0.0) + tonnes
            for c in through:
                ways = transit.setdefault(name, {})
                ways[net.countries[c]] = ways.get(net.countries[c], 0.0) + tonnes
    return {"gateways": gateways, "transit": transit}


def _energy(tables: Tables, year: int) -> dict[str, dict[str, float]]:
    """Capacity of the pipelines open in a year by country and neighbour on the pipeline, Mt a year."""
    found: dict[str, dict[str, float]] = {}
    for row in tables["pipelines"].to_dicts():
        amount = row["capacity_mt_yr"] or row["flow_2023_mt"] or 0.0
        if row["open_from"] is not None and row["open_from"] > year:
            continue
        along = list(row["countries"])
        for first, second in pairwise(along):
            for name, other in ((first, second), (second, first)):
                ways = found.setdefault(name, {})
                ways[other] = ways.get(other, 0.0) + amount
    return found


def _loans(tables: Tables, year: int) -> dict[str, dict[str, float]]:
    """Loans agreed up to a year by borrower and lender; lenders of one borrower stand in one unit."""
    found: dict[str, dict[str, float]] = {}
    for row in tables["agreements"].to_dicts():
        lender = row.get("lender")
        if not lender or row["amount"] is None or int(row["date"][:4]) > year:
            continue
        for borrower in row["countries"]:
            if borrower != lender:
                ways = found.setdefault(borrower, {})
                ways[lender] = ways.get(lender, 0.0) + row["amount"]
    return found


# ----------------------------------------------------------------------------------------------- all that is asked


def dependence(
    tables: Tables,
    *,
    country: str | None,
    years: Sequence[int],
    scenarios: Mapping[str, Sequence[Measure]],
    held: frozenset[str],
    size: str,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Tell on whom a country depends, and how many ways it, or every country, has.

    Parameters
    ----------
    tables
        The atlas.
    country
        By ISO2; None = the diversification of all countries of the network.
    years
        Years; pairs are told for the last.
    scenarios
        Measures by scenario; pairs are told for the last.
    held
        Projects that stay unbuilt in scenarios that do not build them.
    size
        Size of the demand.
    progress
        Called with steps done, all, and what is being solved.

    Returns
    -------
    dict
        ``pairs`` (see `pairs_of`; empty without a country), ``diversification`` (see `diversity`, by scenario and year)
        and ``multi_vector``: its effective numbers side by side, a column a kind, None where nothing is known.
    """
    tell = progress or (lambda _done, _all, _text: None)
    settings = Settings(gap=GAP, size=size)
    rows: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []
    tasks = [(name, year) for name in scenarios for year in years]
    solution: Solution | None = None
    told: set[str] = set()
    for done, (name, year) in enumerate(tasks):
        tell(done, len(tasks), f"{name} {year}")
        applied = apply(tables, scenarios[name], year, held=held).tables
        solution = solve(applied, year=year, settings=settings, start=solution)
        values = trade_values(applied, year)
        known = set(tables["countries"]["iso2"].to_list())
        names = [country] if country else sorted(known.intersection(solution.prepared.network.countries))
        told |= set(names)
        for row in diversity(applied, solution, values, year, names):
            rows.append({"scenario": name, "year": year, **row})
        if country and (name, year) == tasks[-1]:
            barrier = barrier_of(applied, year=year, settings=settings)
            pairs = pairs_of(barrier, values, country, solution=solution, progress=progress)
    return {
        "question": "dependence",
        "country": country,
        "years": list(years),
        "scenarios": list(scenarios),
        "size": size,
        "read_with": {
            "principle": "shares of a user equilibrium; costs of losing somebody are least costs, nothing full, and "
            "with hard capacities",
            "outside_option": "the cheaper of the ocean voyage and the truck, for each relation",
            "kinds": {kind: meaning for kind, (_, meaning) in KINDS.items()},
        },
        "pairs": pairs,
        "multi_vector": _side_by_side(rows, tasks, sorted(told)),
        "diversification": rows,
    }


def _side_by_side(
    rows: Sequence[Mapping[str, Any]], tasks: Sequence[tuple[str, int]], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Effective numbers by scenario, year and country, each kind in its own column; None where nothing is known."""
    known = {(r["scenario"], r["year"], r["country"], r["kind"]): r["effective_number"] for r in rows}
    return [
        {
            "scenario": scenario,
            "year": year,
            "country": name,
            **{k: known.get((scenario, year, name, k)) for k in KINDS},
        }
        for scenario, year in tasks
        for name in names
    ]
