"""Steps 1 and 2: tonnes by exporter, importer and commodity in the base year, and what they grow to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.model.demand.names import Names, winning
from landbridge.model.demand.records import GROWTH, Columns, DemandTables

__all__ = ["Matrix", "goods_of_years", "grown", "matrix"]

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Matrix:
    """Tonnes of the base year by exporter, importer and commodity, in the order in which the tables tell of them.

    Attributes
    ----------
    countries, commodities
        Names behind the indices.
    exporter, importer, commodity : int64[N]
    tonnes_yr : float64[N]
    level : float64[N]
        What the trade of the base year has grown to by the year ``since``; 1 where no measure says so.
    since : int64[N]
        From that year on the stated growth holds.
    unmatched_tonnes_yr : float
        Recorded bulk goods above the total of their group.
    """

    countries: tuple[str, ...]
    commodities: tuple[str, ...]
    exporter: I8
    importer: I8
    commodity: I8
    tonnes_yr: F8
    level: F8
    since: I8
    unmatched_tonnes_yr: float


class _Rows:
    """Rows of one year of a table of trade, as arrays; a column that no measure has written is what it was before."""

    def __init__(self, columns: Columns, base_year: int) -> None:
        self.columns = columns
        self.chosen = np.flatnonzero(np.array(columns["year"], np.int64) == base_year)

    def numbers(self, name: str, default: float) -> F8:
        if name not in self.columns:
            return np.full(self.chosen.size, default)
        return np.array(self.columns[name], np.float64)[self.chosen]

    def codes(self, name: str, code: dict[Any, int]) -> I8:
        """Codes of names; -1 for those without."""
        column: Sequence[Any] = self.columns[name]
        return np.array([code.get(column[i], -1) for i in self.chosen.tolist()], np.int64)


def matrix(tables: DemandTables, names: Names, base_year: int) -> Matrix:
    """Make the matrix of the base year.

    Parameters
    ----------
    tables
        See `DemandTables`.
    names
        By which names rules mean countries.
    base_year
        Year of the matrix.

    Returns
    -------
    Matrix
    """
    goods = tables["commodities"]
    commodities: list[str] = list(goods["id"])
    groups = {name: g for g, name in enumerate(dict.fromkeys(goods["group"]))}
    group_of = np.array([groups[name] for name in goods["group"]], np.int64)
    product = {p: k for k, products in enumerate(goods["baci_products"]) for p in products or ()}
    shared: list[list[tuple[int, float]]] = [[] for _ in groups]
    for k, share in enumerate(goods["share_of_group"]):
        if share:
            shared[group_of[k]].append((k, share))
    bulk, trade, overrides = tables["bulk_trade"], tables["trade"], tables["trade_overrides"]
    # a row with tonnes replaces one cell whole and so counts before any factor
    whole = {
        (e, i, k): t
        for e, i, k, t in zip(*(overrides[c] for c in ("exporter", "importer", "commodity", "tonnes")), strict=True)
        if t is not None
    }
    ends = [table[side] for table in (bulk, trade) for side in ("exporter", "importer")]
    country = {
        name: c
        for c, name in enumerate(
            dict.fromkeys([n for names in ends for n in names] + [n for k in whole for n in k[:2]])
        )
    }
    n, m, g = len(country), len(commodities), len(groups)
    none = np.nan

    # STEP 1: recorded goods.
    rows = _Rows(bulk, base_year)
    what = rows.codes("product", product)
    key = (rows.codes("exporter", country) * n + rows.codes("importer", country)) * m + what
    own, added = np.nan_to_num(rows.numbers("tonnes", 0.0)), rows.numbers("added_t", 0.0)
    amount = (own * rows.numbers("factor", 1.0) + added) * rows.numbers("share_left", 1.0)
    level, since = rows.numbers("level", none), rows.numbers("level_year", none)
    known = what >= 0
    told = known & ((own != 0) | (added != 0))
    recorded = np.bincount(key[told] // m * g + group_of[what[told]], weights=own[told], minlength=n * n * g)
    levelled = known & ~np.isnan(level)
    levels = [(key[levelled], level[levelled], since[levelled])]
    parts = [(key[told], amount[told])]

    # STEP 2: what the matrix holds beyond them, by the shares of its group.
    rows = _Rows(trade, base_year)
    group = rows.codes("commodity", groups)
    pair = rows.codes("exporter", country) * n + rows.codes("importer", country)
    cell = np.where(group >= 0, pair * g + group, -1)
    left, added = rows.numbers("share_left", 1.0), rows.numbers("added_t", 0.0)
    factor = rows.numbers("factor", 1.0) * left
    rest = np.nan_to_num(rows.numbers("tonnes", 0.0)) - np.where(cell >= 0, recorded[cell], 0.0)
    size = np.array([len(each) for each in shared] + [0], np.int64)[group]
    row = np.repeat(np.arange(size.size), size)
    nth = np.arange(row.size) - np.repeat(np.cumsum(size) - size, size)
    first = np.append(0, np.cumsum([len(each) for each in shared]))[group[row]]
    what = np.array([k for each in shared for k, _ in each], np.int64)[first + nth]
    share = np.array([s for each in shared for _, s in each], np.float64)[first + nth]
    key = pair[row] * m + what
    rules = [r for r, t in enumerate(overrides["tonnes"]) if t is None]
    chosen, winner = winning(
        [(overrides["exporter"][r], overrides["importer"][r], overrides["commodity"][r]) for r in rules],
        names,
        list(country),
        commodities,
    )
    scale = np.array([overrides["tonnes_factor"][rules[r]] for r in chosen] + [1.0], np.float64)
    scale = scale[winner[what, key // m // n, key // m % n]]
    extra = added[row] * share * left[row]
    amount = np.where(rest[row] < 0, 0.0, rest[row] * share * scale * factor[row])
    both = np.stack([extra, amount], axis=1).ravel()  # of each cell first what was added
    twice = np.repeat(key, 2)
    parts.append((twice[both != 0], both[both != 0]))
    level, since = rows.numbers("level", none)[row], rows.numbers("level_year", none)[row]
    levels.append((key[~np.isnan(level)], level[~np.isnan(level)], since[~np.isnan(level)]))
    seen = np.zeros(recorded.size, np.bool_)
    seen[cell[cell >= 0]] = True
    unmatched = float(-rest[rest < 0].sum() + recorded[~seen].sum())

    # STEP 3: add up, and put published cells in place of what was found.
    keys, values = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    unique, position, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(position, kind="stable")
    tonnes = np.bincount(inverse, weights=values, minlength=unique.size)[order]
    unique = unique[order]
    place = {k: i for i, k in enumerate(commodities)}
    for (exporter, importer, name), wanted in whole.items():
        code = (country[exporter] * n + country[importer]) * m + place[name]
        same = np.flatnonzero(cell == code // m * g + group_of[place[name]])
        beside = np.flatnonzero((key == code) & (added[row] != 0))
        value = wanted * (factor[same[-1]] if same.size else 1.0) + (extra[beside[-1]] if beside.size else 0.0)
        at = np.flatnonzero(unique == code)
        if at.size:
            tonnes[at[0]] = value
        else:
            unique, tonnes = np.append(unique, code), np.append(tonnes, value)
    grown_to, from_year = np.ones(unique.size), np.full(unique.size, base_year, np.int64)
    number = {code: i for i, code in enumerate(unique.tolist())} if any(part[0].size for part in levels) else {}
    for codes, values, years in levels:
        for code, value, year in zip(codes.tolist(), values.tolist(), years.tolist(), strict=True):
            if code in number:
                grown_to[number[code]], from_year[number[code]] = value, int(year)
    exporter, importer = unique // m // n, unique // m % n
    met = np.array(list(dict.fromkeys(np.stack([exporter, importer], axis=1).ravel().tolist())), np.int64)
    renamed = np.full(n, -1, np.int64)
    renamed[met] = np.arange(met.size)
    every = list(country)
    return Matrix(
        tuple(every[c] for c in met.tolist()),
        tuple(commodities),
        renamed[exporter],
        renamed[importer],
        unique % m,
        np.asarray(tonnes, np.float64),
        grown_to,
        from_year,
        unmatched,
    )


def _factor(rows: list[tuple[int, int, float]], base_year: int, year: int) -> float:
    """The factor from the base year to the year, by the rates of each span of years."""
    factor = 1.0
    for first, last, rate in rows:
        start, end = max(base_year, first), min(year, last)
        if end > start:
            factor *= (1 + rate / 100) ** (end - start)
    return factor


def grown(tables: DemandTables, names: Names, base: Matrix, *, year: int, growth: str) -> F8:
    """Return the factor by which each flow grows: to its level where a measure sets one, and from there as stated."""
    stated = tables["growth"]
    ends = list(zip(*(stated[c] for c in ("exporter", "importer", "commodity")), strict=True))
    first, winner = winning(ends, names, base.countries, base.commodities)
    spans: dict[tuple[str, str, str], list[tuple[int, int, float]]] = defaultdict(list)
    for key, *span in zip(ends, stated["from_year"], stated["to_year"], stated[GROWTH[growth]], strict=True):
        spans[key].append((span[0], span[1], span[2]))
    rule = winner[base.commodity, base.exporter, base.importer].astype(np.int64)
    cases, inverse = np.unique(np.stack([rule, base.since]), axis=1, return_inverse=True)
    by_case = [_factor(spans[ends[first[r]]] if r >= 0 else [], since, year) for r, since in cases.T.tolist()]
    return base.level * np.array(by_case, np.float64)[inverse.reshape(-1)]


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
    names = Names(tables["countries"], tables["blocs"])
    base = matrix(tables, names, base_year)
    then = base.tonnes_yr * grown(tables, names, base, year=year, growth=growth)
    return {
        (base.countries[e], base.countries[i], base.commodities[k]): (before, after)
        for e, i, k, before, after in zip(
            base.exporter.tolist(),
            base.importer.tolist(),
            base.commodity.tolist(),
            base.tonnes_yr.tolist(),
            then.tolist(),
            strict=True,
        )
    }
