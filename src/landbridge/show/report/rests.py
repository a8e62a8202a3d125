"""On what a figure rests: how many of the numbers behind it are estimates.

Two counts are told. *Own*: numbers that the atlas holds on the very thing that a figure is about (a crossing's row; a
link's line and length; all of these along a passage's standard route, with the rates of the countries on it). *All*:
every number that networks and demand are made of, since each flow hangs on all of them. A user's own value counts as no
estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from landbridge.data.dictionary import Dictionary, read_dictionary
from landbridge.data.provenance import Origins, coverage, read_origins, row_keys
from landbridge.data.tables import Tables
from landbridge.errors import DataError
from landbridge.study.prepare import DEMAND_TABLES, NETWORK_TABLES
from landbridge.study.results import Results

__all__ = ["Owners", "Rests", "Share"]

#: Numbers that describe a row and are not reckoned with.
ASIDE = frozenset(
    "drawn_km max_straight_km length_official_km open_from price_year exchange_rate year from_year to_year from_mm "
    "to_mm year_from year_to lat_deg lon_deg snap_km value_usd gdp_2023_usd gdp_revised_usd population "
    "exports_goods_2023_usd imports_goods_2023_usd goods_gross_output_2022_usd rail_km rail_km_year".split()
)


@dataclass(frozen=True)
class Share:
    """How many numbers are estimates, of how many."""

    estimates: int
    numbers: int

    def __add__(self, other: Share) -> Share:
        return Share(self.estimates + other.estimates, self.numbers + other.numbers)

    def __str__(self) -> str:
        return f"{self.estimates}/{self.numbers}"


NOTHING = Share(0, 0)


class Rests:
    """Counts estimates behind figures; tables without a package state no origins, and nothing is told of them.

    Parameters
    ----------
    tables
        The atlas, perhaps with a user's own values.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._rows: dict[str, dict[str, Share]] = {}

    @cached_property
    def known(self) -> bool:
        """Whether the tables state origins."""
        return self._tables.package is not None and self._dictionary is not None

    @cached_property
    def _dictionary(self) -> Dictionary | None:
        package = self._tables.package
        try:
            return read_dictionary(package.folder) if package else None
        except DataError:
            return None

    @cached_property
    def _counted(self) -> pl.DataFrame | None:
        package, dictionary = self._tables.package, self._dictionary
        if package is None or dictionary is None:
            return None
        try:
            return coverage(package.folder, dict(self._tables.frames), dictionary)
        except (DataError, KeyError):
            return None

    @cached_property
    def all(self) -> Mapping[str, Share]:
        """Numbers of the network and of demand."""
        if self._counted is None:
            return {}
        network = [*NETWORK_TABLES, "lines", "terminal_classes"]
        found = {}
        for name, tables in (("network", network), ("trade and demand", DEMAND_TABLES)):
            mine = self._counted.filter(pl.col("table").is_in(tables) & ~pl.col("column").is_in(list(ASIDE)))
            estimates = mine.filter(pl.col("kind") == "estimate")["cells"].sum()
            found[name] = Share(int(estimates), int(mine["cells"].sum()))
        return found

    # ------------------------------------------------------------------------------------------------- single things

    def _of(self, table: str, row: str | None) -> Share:
        """Numbers of one row."""
        if row is None or not self.known or table not in self._tables:
            return NOTHING
        if table not in self._rows:
            self._rows[table] = self._read(table)
        return self._rows[table].get(row, NOTHING)

    def _read(self, table: str) -> dict[str, Share]:
        package, dictionary = self._tables.package, self._dictionary
        assert package is not None  # noqa: S101 - `known` was asked
        assert dictionary is not None  # noqa: S101
        frame = self._tables[table]
        origins: Origins = read_origins(package.folder, table)[0]
        users = {
            (value.row, value.column)
            for value in (self._tables.overlay.values.values() if self._tables.overlay else ())
            if value.table == table
        }
        names = [
            c.name for c in dictionary.of(table) if c.is_number and c.name in frame.columns and c.name not in ASIDE
        ]
        found: dict[str, Share] = {}
        if not names:
            return found
        for key, row in zip(row_keys(dictionary, table, frame), frame.select(names).iter_rows(named=True), strict=True):
            cells = [name for name, value in row.items() if value is not None]
            kinds = [origins.of(key, name) for name in cells if (key, name) not in users]
            found[key] = Share(sum(o is not None and o.kind == "estimate" for o in kinds), len(cells))
        return found

    @cached_property
    def _line_of(self) -> dict[str, str | None]:
        frame = self._tables["links"] if "links" in self._tables else pl.DataFrame()
        return dict(frame.select("id", "line").rows()) if "line" in frame.columns else {}

    @cached_property
    def _crossings_of(self) -> dict[str, list[str]]:
        frame = self._tables["crossings"] if "crossings" in self._tables else pl.DataFrame()
        found: dict[str, list[str]] = {}
        for crossing, link in frame.select("id", "link").rows() if "link" in frame.columns else ():
            found.setdefault(link, []).append(crossing)
        return found

    def _by_place(self, table: str, column: str, name: str) -> Share:
        frame = self._tables[table] if table in self._tables else pl.DataFrame()
        if column not in frame.columns or "id" not in frame.columns:
            return NOTHING
        return _sum(self._of(table, row) for row in frame.filter(pl.col(column) == name)["id"].to_list())

    def crossing(self, name: str) -> Share:
        """Numbers of a crossing."""
        return self._of("crossings", name)

    def link(self, name: str) -> Share:
        """Numbers of a link: its length, and its line."""
        return self._of("links", name) + self._of("lines", self._line_of.get(name))

    def place(self, name: str) -> Share:
        """Numbers of the yards and terminals of a place."""
        return self._by_place("gauge_changes", "place", name) + self._by_place("terminals", "place", name)

    def country(self, code: str, links: Iterable[str]) -> Share:
        """Numbers of a country's rates and of links in it."""
        return self._by_place("rates", "country", code) + _sum(self.link(name) for name in links)

    @cached_property
    def _links_in(self) -> dict[str, list[str]]:
        frame = self._tables["links"] if "links" in self._tables else pl.DataFrame()
        found: dict[str, list[str]] = {}
        for link, km in frame.select("id", "country_km").rows() if "country_km" in frame.columns else ():
            for part in (km or "").split(";"):
                found.setdefault(part.split(":")[0], []).append(link)
        return found

    def terminal(self, name: str) -> Share:
        """Numbers of a terminal's plan: the plan itself, what works there, what comes."""
        inside = [self._by_place(table, "plan", name) for table in ("terminal_resources", "terminal_streams")]
        return self._of("terminal_plans", name) + _sum(inside)

    def about(self, column: str, name: str) -> Share:
        """Numbers of the thing that stands in a column of any table; none for columns of other things."""
        if not self.known:
            return NOTHING
        match column:
            case "crossing":
                return self.crossing(name)
            case "link":
                return self.link(name)
            case "project":
                return self._of("projects", name)
            case "country" | "player":
                return self.country(name, self._links_in.get(name, ()))
            case _:
                return NOTHING

    def route(self, links: Iterable[str], countries: Iterable[str]) -> Share:
        """Numbers along a route: links, crossings on them, rates of its countries."""
        names = list(dict.fromkeys(links))
        crossings = [crossing for link in names for crossing in self._crossings_of.get(link, ())]
        rates = _sum(self._by_place("rates", "country", code) for code in dict.fromkeys(countries))
        return _sum(self.link(n) for n in names) + _sum(self.crossing(n) for n in crossings) + rates


def _sum(shares: Iterable[Share]) -> Share:
    total = NOTHING
    for share in shares:
        total = total + share
    return total


class Owners:
    """Finds the thing that a figure of results is about, and counts its numbers.

    Parameters
    ----------
    rests
        Counts of the atlas.
    results
        A results folder.
    """

    def __init__(self, rests: Rests, results: Results) -> None:
        self.rests = rests
        self._results = results
        self._known: dict[tuple[Any, ...], Share | None] = {}

    def of(self, table: str, where: Mapping[str, Any]) -> Share | None:
        """Return the numbers behind a figure that are its own; None where it is about everything at once."""
        if not self.rests.known:
            return None
        about = self._about(table, where)
        if about is None:
            return None
        if about not in self._known:
            found = self._count(about)
            self._known[about] = found if found.numbers else None
        return self._known[about]

    def _about(self, table: str, where: Mapping[str, Any]) -> tuple[Any, ...] | None:
        if "row" in where:
            row = self._results[table].row(int(where["row"]), named=True)
            if table == "links":
                return "link", row["link"]
            return (row["kind"], row["subject"]) if "subject" in row else None
        for key in ("crossing", "link"):
            if key in where:
                return key, where[key]
        if "passage" in where:
            return "passage", where["passage"], where.get("scenario"), where.get("year")
        if table == "countries" and "country" in where:
            return "country", where["country"]
        return None

    def _count(self, about: tuple[Any, ...]) -> Share:
        kind, name = about[:2]
        names = name if isinstance(name, tuple) else (name,)
        match kind:
            case "crossing":
                return _sum(self.rests.crossing(one) for one in names)
            case "link":
                return _sum(self.rests.link(one) for one in names)
            case "passage":
                return self._route(*about[1:])
            case "country":
                return self.rests.country(name, self._links_in.get(name, ()))
            case _:
                return self.rests.place(name)

    def _route(self, passage: str, scenario: str | None, year: int | None) -> Share:
        frame = self._results["passages"].filter(pl.col("passage") == passage)
        for column, value in (("scenario", scenario), ("year", year)):
            if isinstance(value, str | int):
                frame = frame.filter(pl.col(column) == value)
        rows = [row for row in frame.to_dicts() if row["links"]]
        if not rows:
            return NOTHING
        return self.rests.route(rows[0]["links"].split(";"), (rows[0]["countries"] or "").split(";"))

    @cached_property
    def _links_in(self) -> dict[str, list[str]]:
        frame = self._results["links"].select("country", "link").unique(maintain_order=True)
        found: dict[str, list[str]] = {}
        for country, link in frame.rows():
            found.setdefault(country, []).append(link)
        return found
