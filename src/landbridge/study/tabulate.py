"""Numbers become names: the tables of a solution.

Each function takes a `Solution` and gives one frame; nothing is solved here. Tonnes and boxes are a year's.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.model import outcomes
from landbridge.model.costs import class_co2
from landbridge.model.demand import FIXED_MODES
from landbridge.model.flows import path_attributes
from landbridge.model.network import MODES, ArcKind, Network
from landbridge.model.outcomes import PassageRule, PathTable
from landbridge.study.solve import OUTSIDE, Solution, parameter
from landbridge.study.tabulate_paths import NO_PASSAGE, alternatives, paths

__all__ = ["TABLES", "passage_rules", "tabulate"]

#: Tables of a results folder, with what they hold.
TABLES = {
    "totals": "One row a scenario and year: convergence, tonnes by where they went, boxes, what was left out",
    "crossings": "Crossings by direction: tonnes, boxes, trains, capacity, hours free and at these flows",
    "crossing_flows": "Crossings by direction, commodity, exporter and importer, with transit apart",
    "links": "Links by direction and gauge: tonnes, boxes, trains, preload, capacity, use, hours",
    "passage_flows": "Passages by exporter, importer and commodity",
    "internal_corridors": "What each of China's internal corridors feeds to which crossing",
    "countries": "Countries: tonne-kilometres, transit, money paid on their lines, hours at their borders, CO2",
    "choke_points": "Lines, crossings, yards and terminals near their capacity",
    "relations": "Relations: demand, land network, outside option, cost, hours and kilometres of the paths used",
    "paths": "Paths used: relation (null: empty boxes), tonnes, passage, what lies along them in order and direction",
    "alternatives": "Paths of relations that could as well split otherwise, and what they put on facilities of settled "
    "volume: how far a share is settled follows from these (`landbridge select`)",
    "fixed_flows": "Trade that goes by road, pipeline, sea or air whatever the network does",
}

I4 = npt.NDArray[np.int32]


class _Names:
    """Looks at a solution with the names and masks that several tables share."""

    def __init__(self, tables: Tables, solution: Solution) -> None:
        self.tables = tables
        self.solution = solution
        prepared = solution.prepared
        self.net = prepared.network
        self.goods = prepared.classes
        flows = solution.equilibrium
        self.paths = PathTable(flows.path_first, flows.path_arcs, flows.path_relation, flows.path_tonnes_yr)
        count = solution.empty_from
        self.loaded = self.paths.relation < count
        self.path_class = solution.relations.class_index[self.paths.relation]
        self.path_teu = self.goods.teu(self.paths.tonnes_yr, self.path_class)
        self.path_trains_yr = self.paths.tonnes_yr / self.goods.t_per_train[self.path_class]
        demand = prepared.demand
        relation = np.minimum(self.paths.relation, count - 1)
        # an empty box has no exporter; -1 stands for it
        self.path_exporter = np.where(self.loaded, demand.exporter[relation], -1)
        self.path_importer = np.where(self.loaded, demand.importer[relation], -1)
        countries = tables["countries"]
        self.iso2 = dict(zip(countries["iso3"], countries["iso2"], strict=True))
        home = dict(zip(tables["places"]["id"], tables["places"]["iso2"], strict=True))
        #: Countries of each crossing, the one towards place_a of its link first.
        self.crossing_countries = [
            (row["country_a"] or home[row["place_a"]], row["country_b"] or home[row["place_b"]])
            for row in tables["crossings"].select("place_a", "place_b", "country_a", "country_b").to_dicts()
        ]

    def trader(self, index: npt.NDArray[np.int64]) -> list[str]:
        names = self.solution.prepared.demand.countries
        return [names[i] if i >= 0 else "" for i in index.tolist()]

    @cached_property
    def passages(self) -> tuple[list[str], I4]:
        """Names of the passages in order of precedence, and the passage of each path."""
        ids, rules = passage_rules(self.tables, self.net)
        return ids, outcomes.classify(self.net, self.paths, rules)

    @property
    def passage_of_path(self) -> list[str]:
        """Name of the passage of each path."""
        ids, which = self.passages
        return [ids[i] if i >= 0 else NO_PASSAGE for i in which.tolist()]


def passage_rules(tables: Tables, net: Network) -> tuple[list[str], list[PassageRule]]:
    """Turn the atlas' passages into rules on the network's numbers.

    Returns
    -------
    ids : list of str
        Passages in order of precedence.
    rules : list of PassageRule
        A crossing, link or country that is not open in this network becomes a number that no path has.
    """
    nothing = -2
    frame = tables["passages"].sort("order")
    crossing = {name: i for i, name in enumerate(net.crossings)}
    link = {name: i for i, name in enumerate(net.links)}
    country = {name: i for i, name in enumerate(net.countries)}
    blocs: dict[str, list[str]] = {}
    for bloc, iso2 in tables["blocs"].select("bloc", "iso2").rows():
        blocs.setdefault(bloc, []).append(iso2)

    def members(names: list[str] | None) -> frozenset[int]:
        return frozenset(country.get(iso, nothing) for name in names or [] for iso in blocs.get(name, [name]))

    rules = []
    for row in frame.to_dicts():
        wanted = row["any_crossings"] or []
        legs = row["any_links"] or []
        rules.append(
            PassageRule(
                any_crossings=frozenset(crossing.get(name, nothing) for name in wanted),
                any_links=frozenset(link.get(name, nothing) for name in [*wanted, *legs]),
                all_countries=members(row["all_countries"]),
                no_countries=members(row["no_countries"]) - {nothing},
                ends_in=members(row["ends_in"]),
            )
        )
    return frame["id"].to_list(), rules


def _crossing_use(names: _Names) -> tuple[npt.NDArray[np.int64], I4]:
    net = names.net
    return outcomes.entries(names.paths, (net.kind == ArcKind.BORDER) & (net.crossing >= 0))


def crossing_flows(names: _Names) -> pl.DataFrame:
    """Flows over crossings by direction, commodity and traders."""
    net = names.net
    path, arc = _crossing_use(names)
    keys, values = outcomes.sums(
        [
            net.crossing[arc],
            net.backward[arc].astype(np.int32),
            names.path_class[path],
            names.path_exporter[path],
            names.path_importer[path],
        ],
        [names.paths.tonnes_yr[path], names.path_teu[path], names.path_trains_yr[path]],
    )
    pairs = [names.crossing_countries[c] for c in keys[0].tolist()]
    start = [b if back else a for (a, b), back in zip(pairs, keys[1].tolist(), strict=True)]
    end = [a if back else b for (a, b), back in zip(pairs, keys[1].tolist(), strict=True)]
    exporter, importer = names.trader(keys[3]), names.trader(keys[4])
    transit = [
        bool(e) and {names.iso2.get(e, e), names.iso2.get(i, i)} != {a, b}
        for e, i, (a, b) in zip(exporter, importer, pairs, strict=True)
    ]
    return pl.DataFrame(
        {
            "crossing": [net.crossings[c] for c in keys[0].tolist()],
            "direction": ["ba" if back else "ab" for back in keys[1].tolist()],
            "from_country": start,
            "to_country": end,
            "commodity": [names.goods.names[k] for k in keys[2].tolist()],
            "exporter": exporter,
            "importer": importer,
            "transit": transit,
            "tonnes": values[0],
            "teu": values[1],
            "trains": values[2],
        },
        schema_overrides={"transit": pl.Boolean},
    )


def crossings(names: _Names) -> pl.DataFrame:
    """Crossings by direction, used or not."""
    net, flows = names.net, names.solution.equilibrium
    path, arc = _crossing_use(names)
    count = len(net.crossings)
    key = net.crossing[arc].astype(np.int64) * 2 + net.backward[arc]

    def total(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(np.bincount(key, values, 2 * count), np.float64)

    tonnes, teu, trains = (total(v[path]) for v in (names.paths.tonnes_yr, names.path_teu, names.path_trains_yr))
    empties = total(np.where(names.loaded, 0.0, names.path_teu)[path])
    rows = []
    for arcs in np.flatnonzero((net.kind == ArcKind.BORDER) & (net.crossing >= 0)).tolist():
        number = int(net.crossing[arcs]) * 2 + int(net.backward[arcs])
        facility = int(net.facility[arcs])
        country_a, country_b = names.crossing_countries[int(net.crossing[arcs])]
        back = bool(net.backward[arcs])
        rows.append(
            {
                "crossing": net.crossings[int(net.crossing[arcs])],
                "mode": MODES[int(net.mode[arcs])],
                "direction": "ba" if back else "ab",
                "from_country": country_b if back else country_a,
                "to_country": country_a if back else country_b,
                "tonnes": float(tonnes[number]),
                "teu": float(teu[number]),
                "empty_teu": float(empties[number]),
                "trains": float(trains[number]),
                "trains_day": float(flows.facility_trains_day[facility])
                if facility >= 0
                else float(trains[number]) / 365,
                "preload_trains_day": float(net.preload_trains_day[facility]) if facility >= 0 else None,
                "capacity_trains_day": float(net.capacity_trains_day[facility]) if facility >= 0 else None,
                "free_h": float(names.solution.prepared.free_h[arcs]),
                "time_h": float(flows.time_h[arcs]),
            }
        )
    frame = pl.DataFrame(rows).unique(["crossing", "direction"], keep="first", maintain_order=True)
    return frame.with_columns(
        ((pl.col("trains_day") + pl.col("preload_trains_day")) / pl.col("capacity_trains_day")).alias("use")
    )


def links(names: _Names) -> pl.DataFrame:
    """Links by direction and gauge, with the section of each country apart."""
    net, flows = names.net, names.solution.equilibrium
    arcs = np.flatnonzero((net.kind == ArcKind.MOVE) & names.solution.prepared.land)
    tonnes = flows.arc_tonnes_yr[:, arcs]
    teu = sum(tonnes[k] / names.goods.t_per_teu[k] for k in range(len(names.goods.names)) if names.goods.container[k])
    facility = net.facility[arcs]
    some = facility >= 0
    at = np.where(some, facility, 0)

    def of(values: npt.NDArray[np.float64]) -> list[float | None]:
        return [v if ok else None for v, ok in zip(values[at].tolist(), some.tolist(), strict=True)]

    frame = pl.DataFrame(
        {
            "link": [net.links[i] for i in net.link[arcs].tolist()],
            "direction": ["ba" if b else "ab" for b in net.backward[arcs].tolist()],
            "country": [net.countries[i] for i in net.country[arcs].tolist()],
            "mode": [MODES[i] for i in net.mode[arcs].tolist()],
            "gauge_mm": net.gauge_mm[arcs].astype(np.int64),
            "length_km": net.length_km[arcs],
            "tonnes": tonnes.sum(axis=0),
            "teu": np.asarray(teu),
            "trains_day": of(flows.facility_trains_day),
            "preload_trains_day": of(net.preload_trains_day),
            "capacity_trains_day": of(net.capacity_trains_day),
            "free_h": names.solution.prepared.free_h[arcs],
            "time_h": flows.time_h[arcs],
        },
        schema_overrides=dict.fromkeys(("trains_day", "preload_trains_day", "capacity_trains_day"), pl.Float64),
    )
    return frame.with_columns(
        ((pl.col("trains_day") + pl.col("preload_trains_day")) / pl.col("capacity_trains_day")).alias("use")
    )


def passage_flows(names: _Names) -> pl.DataFrame:
    """Flows by passage, trader and commodity; ``other`` holds what uses no named passage."""
    passages, which = names.passages
    km = path_attributes(names.solution.equilibrium, names.net.length_km)
    keys, values = outcomes.sums(
        [which, names.path_class, names.path_exporter, names.path_importer],
        [names.paths.tonnes_yr, names.path_teu, names.path_trains_yr, names.paths.tonnes_yr * km],
    )
    return pl.DataFrame(
        {
            "passage": [passages[i] if i >= 0 else "other" for i in keys[0].tolist()],
            "commodity": [names.goods.names[k] for k in keys[1].tolist()],
            "exporter": names.trader(keys[2]),
            "importer": names.trader(keys[3]),
            "tonnes": values[0],
            "teu": values[1],
            "trains": values[2],
            "tonne_km": values[3],
        }
    )


def internal_corridors(names: _Names) -> pl.DataFrame:
    """What China's internal corridors feed to, and fetch from, which crossing."""
    net = names.net
    link = {name: i for i, name in enumerate(net.links)}
    china = net.countries.index("CN") if "CN" in net.countries else -1
    path, arc = _crossing_use(names)
    edge = (net.country[arc] == china) | (net.country_to[arc] == china)
    path, arc = path[edge], arc[edge]
    rows: list[dict[str, str | float]] = []
    for corridor in names.tables["internal_corridors"].to_dicts():
        wanted = np.isin(net.link, [link[name] for name in corridor["links"] if name in link])
        uses = np.zeros(names.paths.count, np.bool_)
        uses[names.paths.owner[wanted[names.paths.arcs]]] = True
        chosen = uses[path]
        keys, values = outcomes.sums(
            [net.crossing[arc[chosen]], (net.country_to[arc[chosen]] == china).astype(np.int32)],
            [names.paths.tonnes_yr[path[chosen]], names.path_teu[path[chosen]]],
        )
        rows.extend(
            {
                "corridor": corridor["id"],
                "crossing": net.crossings[c],
                "direction": "to-china" if inward else "from-china",
                "tonnes": t,
                "teu": b,
            }
            for c, inward, t, b in zip(
                keys[0].tolist(), keys[1].tolist(), values[0].tolist(), values[1].tolist(), strict=True
            )
        )
    schema = {
        "corridor": pl.String,
        "crossing": pl.String,
        "direction": pl.String,
        "tonnes": pl.Float64,
        "teu": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema)


def countries(names: _Names) -> pl.DataFrame:
    """What passes through each country, and what it pays there."""
    net, flows = names.net, names.solution.equilibrium
    tonnes = flows.arc_tonnes_yr.sum(axis=0)
    goods = names.goods
    price, grams = np.zeros(net.arc_count), np.zeros(net.arc_count)
    for k in range(len(goods.names)):
        each = net.money_usd_t
        if goods.container[k]:
            each = (net.money_empty_usd_teu if k == goods.empty else net.money_usd_teu) / goods.t_per_teu[k]
        price += flows.arc_tonnes_yr[k] * each
        grams += flows.arc_tonnes_yr[k] * class_co2(net, goods, k)
    move = net.kind == ArcKind.MOVE
    border = (net.kind == ArcKind.BORDER) & (net.crossing >= 0)
    count = len(net.countries)

    def add(
        values: npt.NDArray[np.float64], mask: npt.NDArray[np.bool_], where: npt.NDArray[np.int16]
    ) -> npt.NDArray[np.float64]:
        return np.asarray(np.bincount(where[mask], values[mask], count), np.float64)

    path, arc = outcomes.entries(names.paths, move)
    nation = net.country[arc].astype(np.int64)
    once, index = np.unique(path * count + nation, return_index=True)
    own = np.array([names.iso2.get(c, c) for c in names.solution.prepared.demand.countries])
    number = {name: i for i, name in enumerate(net.countries)}
    trader = np.array([number.get(c, -2) for c in own] + [-1])
    through = (
        (trader[names.path_exporter[path[index]]] != nation[index])
        & (trader[names.path_importer[path[index]]] != nation[index])
        & names.loaded[path[index]]
    )
    transit = np.bincount(nation[index][through], weights=names.paths.tonnes_yr[path[index]][through], minlength=count)
    transit_teu = np.bincount(nation[index][through], weights=names.path_teu[path[index]][through], minlength=count)
    del once
    return pl.DataFrame(
        {
            "country": list(net.countries),
            "tonne_km": add(tonnes * net.length_km, move, net.country),
            "transit_tonnes": transit,
            "transit_teu": transit_teu,
            "paid_on_lines_usd": add(price, move, net.country),
            "paid_at_borders_usd": add(price, border, net.country_to),
            "paid_at_yards_usd": add(price, np.isin(net.kind, [ArcKind.GAUGE, ArcKind.TRANSFER]), net.country),
            "border_tonne_h_in": add(tonnes * flows.time_h, border, net.country_to),
            "co2_t": add(grams * 1e-6, move, net.country),
        }
    ).filter(pl.col("tonne_km") > 0)


def _arc_name(names: _Names, arc: int) -> tuple[str, str]:
    net = names.net
    kind = ArcKind(int(net.kind[arc]))
    if kind == ArcKind.BORDER:
        return "crossing", net.crossings[int(net.crossing[arc])]
    if kind == ArcKind.MOVE:
        return "link", net.links[int(net.link[arc])]
    return ("yard" if kind == ArcKind.GAUGE else "terminal"), net.places[int(net.place[arc])]


def choke_points(names: _Names) -> pl.DataFrame:
    """Facilities near capacity that the model's freight uses, the fullest first."""
    net, flows = names.net, names.solution.equilibrium
    chosen, use = outcomes.choke_points(net, flows.facility_trains_day, parameter(names.tables, "choke-use"))
    tonnes = flows.arc_tonnes_yr.sum(axis=0)
    rows = []
    for facility, share in zip(chosen.tolist(), use.tolist(), strict=True):
        arcs = np.flatnonzero(net.facility == facility)
        arcs = arcs[tonnes[arcs] > 0]
        if not len(arcs):
            continue
        kind, name = _arc_name(names, int(arcs[0]))
        added = float(net.delay_h[facility] * share ** net.power[facility])
        if facility in names.solution.prepared.curves:
            added = float(flows.time_h[arcs[0]] - net.time_h[arcs[0]])
        rows.append(
            {
                "kind": kind,
                "subject": name,
                "country": net.countries[int(net.country[arcs[0]])],
                "direction": "ba" if net.backward[arcs[0]] else "ab",
                "trains_day": float(flows.facility_trains_day[facility]),
                "preload_trains_day": float(net.preload_trains_day[facility]),
                "capacity_trains_day": float(net.capacity_trains_day[facility]),
                "use": share,
                "delay_h": added,
                "tonnes": float(tonnes[arcs].sum()),
            }
        )
    schema = {
        "kind": pl.String, "subject": pl.String, "country": pl.String, "direction": pl.String,
        "trains_day": pl.Float64, "preload_trains_day": pl.Float64, "capacity_trains_day": pl.Float64,
        "use": pl.Float64, "delay_h": pl.Float64, "tonnes": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def relations(names: _Names) -> pl.DataFrame:
    """Loaded relations with what they use."""
    solution = names.solution
    demand, flows = solution.prepared.demand, solution.equilibrium
    count = solution.empty_from
    km = path_attributes(flows, names.net.length_km)
    hours = path_attributes(flows, flows.time_h)
    box = path_attributes(flows, names.net.box_co2_g_teu) * np.divide(
        names.path_teu, names.paths.tonnes_yr, out=np.zeros_like(names.path_teu), where=names.paths.tonnes_yr > 0
    )
    co2 = (path_attributes(flows, names.net.co2_g_t) + np.where(names.loaded, box, 0.0)) / 1000
    weight = np.bincount(names.paths.relation, weights=names.paths.tonnes_yr, minlength=len(solution.relations.origin))

    def mean(values: npt.NDArray[np.float64]) -> list[float | None]:
        total = np.bincount(names.paths.relation, weights=values * names.paths.tonnes_yr, minlength=len(weight))
        with np.errstate(divide="ignore", invalid="ignore"):
            average = (total / weight)[:count]
        return [v if w > 0 else None for v, w in zip(average.tolist(), weight[:count].tolist(), strict=True)]

    def finite(values: npt.NDArray[np.float64]) -> list[float | None]:
        return [v if np.isfinite(v) else None for v in values.tolist()]

    return pl.DataFrame(
        {
            "relation": np.arange(count, dtype=np.int32),
            "origin_zone": [demand.zones[i] for i in demand.origin.tolist()],
            "destination_zone": [demand.zones[i] for i in demand.destination.tolist()],
            "exporter": [demand.countries[i] for i in demand.exporter.tolist()],
            "importer": [demand.countries[i] for i in demand.importer.tolist()],
            "commodity": [demand.commodities[i] for i in demand.commodity.tolist()],
            "captive": demand.captive,
            "tonnes": demand.tonnes_yr,
            "land_tonnes": flows.network_tonnes_yr[:count],
            "outside_tonnes": flows.outside_tonnes_yr[:count],
            "unserved_tonnes": flows.unserved_tonnes_yr[:count],
            "outside_by": [OUTSIDE[i] for i in solution.prepared.outside_by.tolist()],
            "outside_sea_share": solution.prepared.sea_share,
            "land_usd_t": finite(flows.cost_usd_t[:count]),
            "outside_usd_t": finite(solution.prepared.outside_usd_t),
            "land_h": mean(hours),
            "land_km": mean(km),
            "land_co2_kg_t": mean(co2),
        },
        schema_overrides=dict.fromkeys(
            ("land_usd_t", "outside_usd_t", "land_h", "land_km", "land_co2_kg_t"), pl.Float64
        ),
    )


def fixed_flows(names: _Names) -> pl.DataFrame:
    """Trade set apart by mode."""
    demand = names.solution.prepared.demand
    return pl.DataFrame(
        {
            "exporter": [demand.countries[i] for i in demand.fixed_exporter.tolist()],
            "importer": [demand.countries[i] for i in demand.fixed_importer.tolist()],
            "commodity": [demand.commodities[i] for i in demand.fixed_commodity.tolist()],
            "mode": [FIXED_MODES[i] for i in demand.fixed_mode.tolist()],
            "tonnes": demand.fixed_tonnes_yr,
        }
    )


def totals(names: _Names) -> pl.DataFrame:
    """One row: how the solution came about and where the tonnes went."""
    solution = names.solution
    flows, demand, count = solution.equilibrium, solution.prepared.demand, solution.empty_from
    loaded = flows.network_tonnes_yr[:count]
    return pl.DataFrame(
        {
            "principle": [flows.principle],
            "status": [flows.convergence.status],
            "relative_gap": [flows.convergence.relative_gap],
            "iterations": [flows.convergence.iterations],
            "rounds_of_empty_boxes": [solution.empty_rounds],
            "potential": [flows.potential],
            "relations": [count],
            "paths": [names.paths.count],
            "arcs": [names.net.arc_count],
            "demand_tonnes": [float(demand.tonnes_yr.sum())],
            "land_tonnes": [float(loaded.sum())],
            "outside_tonnes": [float(flows.outside_tonnes_yr[:count].sum())],
            "unserved_tonnes": [float(flows.unserved_tonnes_yr[:count].sum())],
            "land_teu": [float(solution.prepared.classes.teu(loaded, demand.commodity).sum())],
            "empty_teu": [solution.empty_teu_yr],
            "fixed_tonnes": [float(demand.fixed_tonnes_yr.sum())],
            "left_out_relations": [demand.left_out_relations],
            "left_out_tonnes": [demand.left_out_tonnes_yr],
            "elsewhere_tonnes": [demand.elsewhere_tonnes_yr],
            "within_zone_tonnes": [demand.within_zone_tonnes_yr],
            "without_zone_tonnes": [float(sum(t for _, t in demand.without_zone))],
        }
    )


def tabulate(tables: Tables, solution: Solution) -> dict[str, pl.DataFrame]:
    """Make every table of a solution.

    Parameters
    ----------
    tables
        The tables that were solved (after the scenario was applied).
    solution
        Its solution.

    Returns
    -------
    dict
        A frame for each name in `TABLES`.
    """
    names = _Names(tables, solution)
    return {
        "totals": totals(names),
        "crossings": crossings(names),
        "crossing_flows": crossing_flows(names),
        "links": links(names),
        "passage_flows": passage_flows(names),
        "internal_corridors": internal_corridors(names),
        "countries": countries(names),
        "choke_points": choke_points(names),
        "relations": relations(names),
        "paths": paths(names.net, names.paths, names.passage_of_path, names.loaded),
        "alternatives": alternatives(solution, passage_rules(tables, names.net)),
        "fixed_flows": fixed_flows(names),
    }
