"""Trade of years before the matrix: tonnes by exporter, importer and group of goods, with what they are worth.

Problem
    The matrix is of one year (2023), and one older matrix (2015) holds values only. Wanted are tonnes of any year from
    2013 on, as near to what was published of those years as the published totals allow.

Notation
    q(y) tonnes of a pair and group in year y; v(y) its value; p(y) price index of the group, 1 in the base year B;
    u = v(B) / q(B); A = 2015, the year of the older matrix, in which q(A) = v(A) / (u p(A)).

Method
    1. Between A and B tonnes grow at one rate a year, ``q(A)^(1-t) q(B)^t`` with t = (y - A) / (B - A); where one end
       is zero, in a straight line. Before A they are those of A less the growth of world trade. A break (`past_breaks`)
       keeps the level of A up to its last old year and puts the whole change between that and its first new year.
    2. A published total of pairs and a year is met by a factor on their tonnes: with v(y) = u p(y) q(y) summed over
       them, ``f = published / sum``. Between years with such a factor its logarithm is interpolated; it is 1 in A and
       in B. The total that names a pair beats one that names a bloc.

Error
    `back_cast` holds the estimate against each published total: those kept aside, and those in use with all of their
    own left out. It is told with every result of such a year.

References: price-deflated interpolation between benchmark years with indicator series is the Denton (1971) problem in
its simplest form (proportional, two benchmarks); see IMF, Quarterly National Accounts Manual, chapter 6.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["OLD_MATRIX_YEAR", "PAST_TABLES", "Names", "PastTotal", "back_cast", "first_year", "past_tonnes"]

OLD_MATRIX_YEAR = 2015

#: Tables that tell of past years.
PAST_TABLES = ("trade_past", "past_prices", "past_totals", "past_breaks")

ANY = "*"
Key = tuple[str, str, str]
Columns = Mapping[str, Sequence[Any]]


class Names(Protocol):
    """Every name by which a country may be meant, with its rank: itself 2, a bloc 1, any 0."""

    def names(self, iso3: str, /) -> Mapping[str, int]:
        """Return the names of a country."""
        ...


@dataclass(frozen=True)
class PastTotal:
    """A published total beside its estimate, both in USD."""

    id: str
    year: int
    published_usd: float
    estimated_usd: float
    used: bool

    @property
    def error(self) -> float:
        """Natural logarithm of estimate over publication."""
        return math.log(self.estimated_usd / self.published_usd)


def first_year(past_prices: Columns) -> int:
    """Return the first year that can be estimated: the first of which prices are known."""
    return int(min(past_prices["year"]))


def _rows(columns: Columns) -> list[dict[str, Any]]:
    names = list(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*(columns[n] for n in names), strict=True)]


class _Past:
    """The two matrices and what is known between them, read once."""

    def __init__(self, tables: Mapping[str, Columns], blocs: Names, base_year: int) -> None:
        self.blocs, self.base_year = blocs, base_year
        self.new: dict[Key, float] = {}
        self.worth: dict[Key, float] = {}
        for row in _rows(tables["trade"]):
            if row["year"] == base_year and row["tonnes"]:
                key = (row["exporter"], row["importer"], row["commodity"])
                self.new[key] = row["tonnes"]
                self.worth[key] = (row["value_usd"] or 0.0) / row["tonnes"]
        self.old: dict[Key, float] = {}
        for row in _rows(tables["trade_past"]):
            key = (row["exporter"], row["importer"], row["commodity"])
            self.old[key] = row["tonnes"]
            self.worth.setdefault(key, row["usd_t"] or 0.0)
        self.prices = {(r["commodity"], r["year"]): r["index"] for r in _rows(tables["past_prices"])}
        growth = [r["value"] for r in _rows(tables["parameters"]) if r["id"] == "past-growth"]
        self.growth = growth[0] / 100
        self.totals = _rows(tables["past_totals"])
        self.pairs: dict[tuple[str, str], list[Key]] = defaultdict(list)
        for key in sorted(self.old.keys() | self.new.keys()):
            self.pairs[key[:2]].append(key)
        breaks = _rows(tables["past_breaks"])
        self.spans = {pair: self._span(*pair, breaks) for pair in self.pairs}
        self.by_year: dict[int, dict[Key, float]] = {}

    def _span(self, exporter: str, importer: str, breaks: list[dict[str, Any]]) -> tuple[int, int]:
        """Last year of the old level and first of the new."""
        best, found = -1, (OLD_MATRIX_YEAR, self.base_year)
        ends = self.blocs.names(exporter), self.blocs.names(importer)
        for row in breaks:
            if row["exporter"] in ends[0] and row["importer"] in ends[1]:
                rank = ends[0][row["exporter"]] + ends[1][row["importer"]]
                if rank > best:
                    best, found = rank, (row["until_year"], row["from_year"])
        return found

    def raw(self, year: int) -> dict[Key, float]:
        """Step 1: tonnes before any published total."""
        if year in self.by_year:
            return self.by_year[year]
        found: dict[Key, float] = {}
        for pair, keys in self.pairs.items():
            last, first = self.spans[pair]
            part = min(1.0, max(0.0, (year - last) / (first - last)))
            before = (1 + self.growth) ** min(0, year - OLD_MATRIX_YEAR)
            for key in keys:
                old, new = self.old.get(key, 0.0) * before, self.new.get(key, 0.0)
                found[key] = old ** (1 - part) * new**part if old and new else (1 - part) * old + part * new
        self.by_year[year] = found
        return found

    def covered(self, total: Mapping[str, Any]) -> dict[tuple[str, str], int]:
        """Pairs that a total counts, with the rank of the names by which it does."""
        ends = (total["exporter"], total["importer"])
        found: dict[tuple[str, str], int] = {}
        for pair in self.pairs:
            names = [self.blocs.names(country) for country in pair]
            for a, b in (ends, ends[::-1]) if total["both_ways"] else (ends,):
                if a in names[0] and b in names[1]:
                    found[pair] = names[0][a] + names[1][b]
        return found

    def value(self, tonnes: Mapping[Key, float], year: int, pairs: Collection[tuple[str, str]]) -> float:
        """What pairs trade in a year, USD of that year."""
        return math.fsum(
            tonnes[key] * self.worth.get(key, 0.0) * self.prices.get((key[2], year), 1.0)
            for pair in pairs
            for key in self.pairs[pair]
        )

    def levels(self, year: int, without: Collection[str] = ()) -> dict[tuple[str, str], float]:
        """Step 2: the factor of each pair, from the totals in use."""
        anchors: dict[tuple[str, str], dict[int, tuple[int, float]]] = defaultdict(dict)
        for total in self.totals:
            if total["use"] != "in_use" or total["id"] in without:
                continue
            pairs = self.covered(total)
            estimated = self.value(self.raw(total["year"]), total["year"], pairs)
            factor = math.log(total["value_usd"] / estimated) if estimated else 0.0
            for pair, rank in pairs.items():
                if rank > anchors[pair].get(total["year"], (-1, 0.0))[0]:
                    anchors[pair][total["year"]] = (rank, factor)
        found = {}
        for pair, years in anchors.items():
            known = {OLD_MATRIX_YEAR: 0.0, self.base_year: 0.0} | {y: factor for y, (_, factor) in years.items()}
            found[pair] = math.exp(_between(sorted(known.items()), year))
        return found

    def tonnes(self, year: int, without: Collection[str] = ()) -> dict[Key, float]:
        """Tonnes of a year, with the totals in use met."""
        levels = self.levels(year, without)
        return {key: amount * levels.get(key[:2], 1.0) for key, amount in self.raw(year).items()}


def _between(points: list[tuple[int, float]], year: int) -> float:
    """Linear interpolation; the first value before the first point."""
    before = [point for point in points if point[0] <= year]
    after = [point for point in points if point[0] >= year]
    if not before:
        return after[0][1]
    if not after:
        return before[-1][1]
    (y0, v0), (y1, v1) = before[-1], after[0]
    return v0 if y0 == y1 else v0 + (v1 - v0) * (year - y0) / (y1 - y0)


def past_tonnes(tables: Mapping[str, Columns], blocs: Names, *, year: int, base_year: int) -> dict[Key, float]:
    """Estimate the tonnes of a year before the matrix.

    Parameters
    ----------
    tables
        trade, parameters and `PAST_TABLES`, each as columns by name; units as in the atlas' dictionary.
    blocs
        The names of each country.
    year
        From `first_year` to the year before ``base_year``.
    base_year
        The year of the matrix.

    Returns
    -------
    dict
        Tonnes by exporter, importer (ISO3) and group of goods.
    """
    return _Past(tables, blocs, base_year).tonnes(year)


def back_cast(tables: Mapping[str, Columns], blocs: Names, *, base_year: int) -> list[PastTotal]:
    """Hold the estimate against every published total.

    A total in use is estimated without it and without the others of the same countries and year, so that it is not met
    by itself; one that is kept aside is estimated with all that are in use.

    Parameters
    ----------
    tables, blocs, base_year
        As for `past_tonnes`.

    Returns
    -------
    list of PastTotal
        In the order of ``past_totals``.
    """
    past = _Past(tables, blocs, base_year)
    found = []
    for total in past.totals:
        used = total["use"] == "in_use"
        pairs = past.covered(total)
        same = [t["id"] for t in past.totals if t["year"] == total["year"] and set(past.covered(t)) & set(pairs)]
        tonnes = past.tonnes(total["year"], same if used else ())
        estimated = past.value(tonnes, total["year"], pairs)
        found.append(PastTotal(total["id"], total["year"], total["value_usd"], estimated, used))
    return found
