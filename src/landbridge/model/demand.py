"""Demand: from tables of trade to tonnes by relation.

Steps
    1. Trade by exporter, importer and SITC group becomes tonnes by commodity: recorded bulk goods (BACI) first, the
       rest of a group by the commodity's share of it, then published totals that correct single cells.
    2. Growth takes it to the year; `Grow` measures multiply it.
    3. Each pair and commodity is split by mode. What goes by pipeline, air, or firmly by sea or road is set apart and
       reported; firmly by rail is a relation without an alternative; the part that can switch is a relation that
       chooses between the land network and its outside option.
    4. Countries are split into zones.

The result is arrays; this module is the second of the two doors at which tables come in.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from landbridge.errors import DataError, Fault

__all__ = [
    "FIXED_MODES",
    "GROWTH",
    "READS",
    "SIZES",
    "Demand",
    "DemandTables",
    "build",
    "goods_of_years",
    "largest",
    "names_of",
    "scaled",
]

Columns = Mapping[str, Sequence[Any]]

#: Modes that take a fixed part of a relation's trade.
FIXED_MODES = ("rail", "road", "pipeline", "sea", "air")

#: Of each size: the lots in tonnes a year in which the trade of two countries is dealt out over their zones (see
#: `_spread`; none of it is lost), and the most relations kept (what is left out is counted); None keeps all.
SIZES: Mapping[str, tuple[float, int | None]] = {
    "full": (0.0, None),
    "corridor": (40_000.0, 5000),
    "reduced": (200_000.0, 300),
}

#: Paths of growth, by the column that holds their rates.
GROWTH: Mapping[str, str] = {
    "mean": "growth_pct_yr",
    "low": "growth_low_pct_yr",
    "high": "growth_high_pct_yr",
}

#: Columns that `build` reads, by table; those of trade that measures write to may be absent.
READS: Mapping[str, tuple[str, ...]] = {
    "trade": tuple("exporter importer year commodity tonnes factor added_t level level_year share_left".split()),
    "bulk_trade": tuple("exporter importer year product tonnes factor added_t level level_year share_left".split()),
    "trade_overrides": ("exporter", "importer", "commodity", "tonnes", "tonnes_factor"),
    "commodities": ("id", "group", "baci_products", "share_of_group"),
    "mode_shares": ("exporter", "importer", "commodity", *FIXED_MODES, "switch"),
    "zones": ("id", "country"),
    "zone_shares": ("zone", "commodity", "partner", "export_share", "import_share"),
    "growth": ("exporter", "importer", "commodity", "from_year", "to_year", *GROWTH.values()),
    "countries": ("iso3", "iso2"),
    "blocs": ("bloc", "iso2"),
}

#: Country codes of blocs are two letters, of trade three; both spell "any" so.
ANY = "*"


class DemandTables(Protocol):
    """The tables that `build` needs, each as columns by name.

    trade, bulk_trade, trade_overrides, commodities, mode_shares, zones, zone_shares, growth, countries, blocs; columns
    and units as in the atlas' dictionary. ``trade`` and ``bulk_trade`` may carry ``factor`` (times the trade),
    ``added_t`` (tonnes added to it), ``level`` and ``level_year`` (what the trade of the base year has grown to by a
    year, in place of the growth stated for all), and ``share_left`` (the part that is allowed).
    """

    def __getitem__(self, name: str, /) -> Columns: ...


F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Demand:
    """Tonnes a year by relation, and what was set apart.

    Attributes
    ----------
    zones, commodities, countries
        Names behind the indices; countries by ISO 3166 alpha-3.
    origin, destination : int32[R]
        Zones of a relation.
    commodity : int32[R]
    exporter, importer : int32[R]
        Countries of the trade; with zones in a neighbouring country they differ from the zones' own.
    tonnes_yr : float64[R]
    captive : bool[R]
        Whether the cargo has no alternative to the land network.
    fixed_exporter, fixed_importer, fixed_commodity : int32[S]
    fixed_mode : int8[S]
        Index into `FIXED_MODES` (rail stands in the relations, never here).
    fixed_tonnes_yr : float64[S]
    without_zone : tuple of (country, tonnes a year)
        Trade that could use the land network but whose country has no zone in the atlas.
    elsewhere_tonnes_yr : float
        Trade of pairs of countries of which nothing can use the land network.
    within_zone_tonnes_yr : float
        Trade between countries that share one zone, which no network of zones can carry.
    left_out_tonnes_yr : float
        Tonnes of relations left out by the study's size.
    left_out_relations : int
    unmatched_tonnes_yr : float
        Recorded bulk goods above the total of their group, which were kept (the group's total was raised).
    """

    zones: tuple[str, ...]
    commodities: tuple[str, ...]
    countries: tuple[str, ...]
    origin: I4
    destination: I4
    commodity: I4
    exporter: I4
    importer: I4
    tonnes_yr: F8
    captive: npt.NDArray[np.bool_]
    fixed_exporter: I4
    fixed_importer: I4
    fixed_commodity: I4
    fixed_mode: npt.NDArray[np.int8]
    fixed_tonnes_yr: F8
    without_zone: tuple[tuple[str, float], ...]
    elsewhere_tonnes_yr: float
    within_zone_tonnes_yr: float
    left_out_tonnes_yr: float
    left_out_relations: int
    unmatched_tonnes_yr: float

    @property
    def relation_count(self) -> int:
        """Number of relations."""
        return len(self.origin)


def _rows(columns: Columns) -> Iterator[dict[str, Any]]:
    names = list(columns)
    for values in zip(*(columns[name] for name in names), strict=True):
        yield dict(zip(names, values, strict=True))


class _Blocs:
    """Which country is in which bloc, whatever alphabet of codes is used."""

    def __init__(self, countries: Columns, blocs: Columns) -> None:
        self.memo: dict[str, dict[str, int]] = {}
        self.iso3_of: dict[str, str] = {}
        self.iso2_of: dict[str, str] = {}
        for row in _rows(countries):
            if row["iso3"] and row["iso2"]:
                self.iso3_of[row["iso2"]] = row["iso3"]
                self.iso2_of[row["iso3"]] = row["iso2"]
        self.of: dict[str, set[str]] = defaultdict(set)
        for row in _rows(blocs):
            self.of[row["iso2"]].add(row["bloc"])

    def names(self, iso3: str) -> dict[str, int]:
        """Every name by which a rule may mean a country, with its rank: itself 2, a bloc 1, any 0."""
        if iso3 not in self.memo:
            iso2 = self.iso2_of.get(iso3, iso3)
            self.memo[iso3] = {ANY: 0, **dict.fromkeys(sorted(self.of.get(iso2, ())), 1), iso3: 2, iso2: 2}
        return self.memo[iso3]


class _Rules:
    """Rows with exporter, importer and commodity, any of which may be a bloc or any; the most specific row wins.

    The score is twice the ranks of the two ends, and one more where the commodity is named. Ties go to the row whose
    names are met first: any, then blocs, then the country itself.
    """

    def __init__(self, rows: Iterable[dict[str, Any]], blocs: _Blocs) -> None:
        self.blocs = blocs
        self.by_pair: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            self.by_pair[row["exporter"], row["importer"]][row["commodity"]].append(row)
        self.memo: dict[tuple[str, str], dict[str, tuple[int, list[dict[str, Any]]]]] = {}

    def best(self, exporter: str, importer: str, commodity: str) -> list[dict[str, Any]]:
        """Rows of the most specific key that fits; empty when none does."""
        pair = (exporter, importer)
        if pair not in self.memo:
            found: dict[str, tuple[int, list[dict[str, Any]]]] = {}
            for e, e_rank in self.blocs.names(exporter).items():
                for i, i_rank in self.blocs.names(importer).items():
                    for name, rows in self.by_pair.get((e, i), {}).items():
                        score = 2 * (e_rank + i_rank) + (name != ANY)
                        if name not in found or score > found[name][0]:
                            found[name] = (score, rows)
            self.memo[pair] = found
        named = self.memo[pair].get(commodity)
        general = self.memo[pair].get(ANY)
        if named and (not general or named[0] > general[0]):
            return named[1]
        return general[1] if general else []


def names_of(countries: Columns, blocs: Columns) -> _Blocs:
    """Return by which names each country may be meant: its own codes, its blocs, any."""
    return _Blocs(countries, blocs)


def _commodity_tonnes(
    tables: DemandTables, blocs: _Blocs, base_year: int
) -> tuple[dict[tuple[str, str, str], float], dict[tuple[str, str, str], tuple[float, int]], float]:
    """Step 1: tonnes by exporter, importer and commodity in the base year, and the levels that replace growth."""
    levels: dict[tuple[str, str, str], tuple[float, int]] = {}
    product_of: dict[str, str] = {}
    shares: dict[str, list[tuple[str, float]]] = defaultdict(list)
    group_of: dict[str, str] = {}
    for row in _rows(tables["commodities"]):
        group_of[row["id"]] = row["group"]
        for product in row["baci_products"] or ():
            product_of[product] = row["id"]
        if row["share_of_group"]:
            shares[row["group"]].append((row["id"], row["share_of_group"]))
    overrides = list(_rows(tables["trade_overrides"]))
    # a row with tonnes replaces one cell whole and so counts before any factor
    fixed = {(r["exporter"], r["importer"], r["commodity"]): r["tonnes"] for r in overrides if r["tonnes"] is not None}
    scaled = _Rules((row for row in overrides if row["tonnes"] is None), blocs)
    tonnes: dict[tuple[str, str, str], float] = defaultdict(float)
    recorded: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in _rows(tables["bulk_trade"]):
        commodity = product_of.get(row["product"])
        if row["year"] != base_year or not commodity:
            continue
        key = (row["exporter"], row["importer"], commodity)
        if row.get("level") is not None:
            levels[key] = (row["level"], row["level_year"])
        left, added = row.get("share_left", 1.0), row.get("added_t", 0.0)
        if row["tonnes"] or added:
            tonnes[key] += ((row["tonnes"] or 0.0) * row.get("factor", 1.0) + added) * left
            recorded[row["exporter"], row["importer"], group_of[commodity]] += row["tonnes"] or 0.0
    unmatched = 0.0
    grown: dict[tuple[str, str, str], float] = {}
    more: dict[tuple[str, str, str], float] = {}
    seen: set[tuple[str, str, str]] = set()
    for row in _rows(tables["trade"]):
        if row["year"] != base_year:
            continue
        exporter, importer, group = row["exporter"], row["importer"], row["commodity"]
        seen.add((exporter, importer, group))
        left, added = row.get("share_left", 1.0), row.get("added_t", 0.0)
        grown[exporter, importer, group] = row.get("factor", 1.0) * left
        rest = (row["tonnes"] or 0.0) - recorded.get((exporter, importer, group), 0.0)
        for commodity, share in shares[group]:
            if row.get("level") is not None:
                levels[exporter, importer, commodity] = (row["level"], row["level_year"])
            if added:
                more[exporter, importer, commodity] = added * share * left
                tonnes[exporter, importer, commodity] += added * share * left
        if rest < 0:
            unmatched -= rest
            continue
        for commodity, share in shares[group]:
            rules = scaled.best(exporter, importer, commodity)
            factor = rules[0]["tonnes_factor"] if rules else 1.0
            amount = rest * share * factor * grown[exporter, importer, group]
            if amount:
                tonnes[exporter, importer, commodity] += amount
    for key, amount in fixed.items():
        exporter, importer, commodity = key
        factor = grown.get((exporter, importer, group_of[commodity]), 1.0)
        tonnes[key] = amount * factor + more.get(key, 0.0)
    unmatched += sum(value for key, value in recorded.items() if key not in seen)
    return dict(tonnes), levels, unmatched


def _growth(rows: list[dict[str, Any]], base_year: int, year: int, rate: str = GROWTH["mean"]) -> float:
    """Step 2: the factor from the base year to the year, by the rates of each span of years."""
    factor = 1.0
    for row in rows:
        start, end = max(base_year, row["from_year"]), min(year, row["to_year"])
        if end > start:
            factor *= (1 + row[rate] / 100) ** (end - start)
    return factor


def goods_of_years(
    tables: DemandTables, *, year: int, base_year: int = 2023, growth: str = "mean"
) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Tonnes of all trade by exporter, importer and commodity, in the base year and in another.

    Parameters
    ----------
    tables
        See `DemandTables`.
    year, base_year
        As in `build`.
    growth
        A key of `GROWTH`.

    Returns
    -------
    dict
        By (exporter, importer, commodity): tonnes in the base year and in the year.
    """
    blocs = _Blocs(tables["countries"], tables["blocs"])
    tonnes, levels, _ = _commodity_tonnes(tables, blocs, base_year)
    if year == base_year and not levels:
        return {key: (base, base) for key, base in tonnes.items()}
    rules = _Rules(_rows(tables["growth"]), blocs)
    return {
        key: (base, base * _grown(rules, levels, key, base_year, year, GROWTH[growth])) for key, base in tonnes.items()
    }


def _grown(
    rules: _Rules,
    levels: Mapping[tuple[str, str, str], tuple[float, int]],
    key: tuple[str, str, str],
    base_year: int,
    year: int,
    rate: str,
) -> float:
    """Growth of one flow: to its level where a measure sets one, and by the stated rates from there."""
    level, since = levels.get(key, (1.0, base_year))
    return level * _growth(rules.best(*key), since, year, rate)


class _Zones:
    """Step 4: the zones of a country with their shares, by commodity, partner and direction."""

    def __init__(self, tables: DemandTables, blocs: _Blocs) -> None:
        self.blocs = blocs
        self.index = {name: i for i, name in enumerate(tables["zones"]["id"])}
        self.country = dict(zip(tables["zones"]["id"], tables["zones"]["country"], strict=True))
        self.rows: dict[tuple[str, str, str], dict[str, tuple[float, float]]] = defaultdict(dict)
        for row in _rows(tables["zone_shares"]):
            country = self.country[row["zone"]]
            self.rows[country, row["commodity"], row["partner"]][row["zone"]] = (
                row["export_share"] or 0.0,
                row["import_share"] or 0.0,
            )
        self.memo: dict[tuple[str, str, str, int], list[tuple[int, float]]] = {}

    def split(self, iso3: str, commodity: str, partner: str, side: int) -> list[tuple[int, float]]:
        """Zones (index, share) of a country for one commodity and partner; side 0 exports, 1 imports."""
        key = (iso3, commodity, partner, side)
        if key not in self.memo:
            country = self.blocs.iso2_of.get(iso3, iso3)
            best = -1
            found: dict[str, tuple[float, float]] = {}
            for name, rank in self.blocs.names(partner).items():
                for c, named in ((commodity, 1), (ANY, 0)):
                    rows = self.rows.get((country, c, name))
                    if rows and 2 * rank + named > best:
                        best, found = 2 * rank + named, rows
            total = sum(v[side] for v in found.values())
            self.memo[key] = [(self.index[z], v[side] / total) for z, v in found.items() if v[side] > 0]
        return self.memo[key]


def _spread(
    starts: list[tuple[int, float]], ends: list[tuple[int, float]], tonnes: float, least: float, name: str
) -> list[tuple[int, int, float]]:
    """Tonnes of a pair of countries over pairs of zones, in lots of at least ``least``.

    Every pair of zones gets its share where the lots are small enough. Where they are not, equal lots are dealt out by
    systematic sampling over the pairs, laid end to end by their shares: lot k falls on the pair at (k + u) / n. The
    start u is fixed by the name of the flow, so that a flow is dealt out alike in every scenario, and spread evenly
    over flows, so that over many small flows each zone gets its share (Madow 1949).
    """
    pairs = [(s, e, a * b) for s, a in starts for e, b in ends if s != e and a * b > 0]
    total = sum(share for _, _, share in pairs)
    if not pairs:
        return []
    lots = max(1, int(tonnes / least)) if least > 0 else len(pairs)
    if lots >= len(pairs) and min(share for _, _, share in pairs) * tonnes / total >= least:
        return [(s, e, tonnes * share / total) for s, e, share in pairs]
    bounds = np.cumsum([share for _, _, share in pairs]) / total
    start = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest()) / 2**48
    dealt = np.searchsorted(bounds, (np.arange(lots) + start) / lots, side="right")
    chosen, count = np.unique(np.minimum(dealt, len(pairs) - 1), return_counts=True)
    lot = tonnes / lots
    return [(pairs[p][0], pairs[p][1], lot * int(n)) for p, n in zip(chosen.tolist(), count.tolist(), strict=True)]


def build(
    tables: DemandTables,
    *,
    year: int,
    base_year: int = 2023,
    size: str = "corridor",
    growth: str = "mean",
    past: bool = False,
) -> Demand:
    """Build the demand of one year.

    Parameters
    ----------
    tables
        See `DemandTables`.
    year
        The year asked for.
    base_year
        The year of the trade matrix.
    size
        A key of `SIZES`: with ``corridor`` and ``reduced`` only the largest relations are kept, and what is left out
        is counted.
    growth
        A key of `GROWTH`: the mean path, or the lower or upper end of its range.
    past
        Whether the factors of the trade have taken it back to a year before ``base_year`` (`landbridge.model.past`).

    Returns
    -------
    Demand

    Raises
    ------
    DataError
        If a pair and commodity has no row of mode shares, the trade matrix has no row of the base year, or growth is
        not stated for the year.
    """
    last = max(tables["growth"]["to_year"], default=base_year)
    if not base_year <= year <= last and not (past and year < base_year):
        wanted = f"a year from {base_year}, the year of the trade matrix, to {last}, to which growth is stated"
        raise DataError("demand", [Fault("growth.csv", "", "year", wanted, str(year))])
    blocs = _Blocs(tables["countries"], tables["blocs"])
    tonnes, levels, unmatched = _commodity_tonnes(tables, blocs, base_year)
    if not tonnes:
        raise DataError("demand", [Fault("trade.csv", "", "year", f"rows of {base_year}", "none")])
    rates, shares = _Rules(_rows(tables["growth"]), blocs), _Rules(_rows(tables["mode_shares"]), blocs)
    zones = _Zones(tables, blocs)
    least, most = SIZES[size]
    commodities = {name: i for i, name in enumerate(tables["commodities"]["id"])}
    countries: dict[str, int] = {}
    for exporter, importer, _ in tonnes:
        countries.setdefault(exporter, len(countries))
        countries.setdefault(importer, len(countries))
    relations: list[tuple[int, int, int, int, int, float, bool]] = []
    fixed: list[tuple[int, int, int, int, float]] = []
    without: dict[str, float] = defaultdict(float)
    faults: list[Fault] = []
    inside = 0.0
    for (exporter, importer, commodity), base in tonnes.items():
        amount = base * _grown(rates, levels, (exporter, importer, commodity), base_year, year, GROWTH[growth])
        if amount <= 0:
            continue
        rows = shares.best(exporter, importer, commodity)
        if not rows:
            faults.append(
                Fault("mode_shares.csv", f"{exporter} to {importer}, {commodity}", "", "a row that fits", "none")
            )
            continue
        split = rows[0]
        e, i, c = countries[exporter], countries[importer], commodities[commodity]
        fixed.extend(
            (e, i, c, number, amount * split[mode])
            for number, mode in enumerate(FIXED_MODES)
            if mode != "rail" and split[mode]
        )
        for part, captive in ((split["rail"], True), (split["switch"], False)):
            if not part:
                continue
            starts = zones.split(exporter, commodity, importer, 0)
            ends = zones.split(importer, commodity, exporter, 1)
            missing = [country for country, found in ((exporter, starts), (importer, ends)) if not found]
            for country in missing:
                without[country] += amount * part / len(missing)  # each tonne is counted once
            spread = _spread(starts, ends, amount * part, least, f"{exporter} {importer} {commodity} {captive}")
            if starts and ends and not spread:
                inside += amount * part
            relations.extend((start, end, c, e, i, t, captive) for start, end, t in spread)
    if faults:
        raise DataError("demand", faults)
    # the trade of pairs of countries that never touch the land network is none of the study's business
    studied = {(r[3], r[4]) for r in relations}
    elsewhere = sum(row[4] for row in fixed if (row[0], row[1]) not in studied)
    fixed = [row for row in fixed if (row[0], row[1]) in studied]
    demand = Demand(
        zones=tuple(zones.index),
        commodities=tuple(commodities),
        countries=tuple(countries),
        origin=np.array([r[0] for r in relations], np.int32),
        destination=np.array([r[1] for r in relations], np.int32),
        commodity=np.array([r[2] for r in relations], np.int32),
        exporter=np.array([r[3] for r in relations], np.int32),
        importer=np.array([r[4] for r in relations], np.int32),
        tonnes_yr=np.array([r[5] for r in relations], np.float64),
        captive=np.array([r[6] for r in relations], np.bool_),
        fixed_exporter=np.array([f[0] for f in fixed], np.int32),
        fixed_importer=np.array([f[1] for f in fixed], np.int32),
        fixed_commodity=np.array([f[2] for f in fixed], np.int32),
        fixed_mode=np.array([f[3] for f in fixed], np.int8),
        fixed_tonnes_yr=np.array([f[4] for f in fixed], np.float64),
        elsewhere_tonnes_yr=elsewhere,
        within_zone_tonnes_yr=inside,
        without_zone=tuple(sorted(without.items(), key=lambda item: -item[1])),
        left_out_tonnes_yr=0.0,
        left_out_relations=0,
        unmatched_tonnes_yr=unmatched,
    )
    return largest(demand, most)


def scaled(demand: Demand, relation: F8, fixed: F8) -> Demand:
    """Return the demand with every relation and every flow that is set apart multiplied.

    Parameters
    ----------
    demand
        Any demand.
    relation : float64[R]
    fixed : float64[S]

    Returns
    -------
    Demand
    """
    return replace(demand, tonnes_yr=demand.tonnes_yr * relation, fixed_tonnes_yr=demand.fixed_tonnes_yr * fixed)


def largest(demand: Demand, count: int | None) -> Demand:
    """Return the demand with only its largest relations; the rest is counted.

    Parameters
    ----------
    demand
        Any demand.
    count
        The most relations to keep; None keeps all. Ties go to the relation that stands first.

    Returns
    -------
    Demand
    """
    if count is None or demand.relation_count <= count:
        return demand
    order = np.lexsort((np.arange(demand.relation_count), -demand.tonnes_yr))
    kept = np.sort(order[:count])
    return replace(
        demand,
        **{
            name: getattr(demand, name)[kept]
            for name in ("origin", "destination", "commodity", "exporter", "importer", "tonnes_yr", "captive")
        },
        left_out_tonnes_yr=demand.left_out_tonnes_yr + float(demand.tonnes_yr.sum() - demand.tonnes_yr[kept].sum()),
        left_out_relations=demand.left_out_relations + demand.relation_count - count,
    )
