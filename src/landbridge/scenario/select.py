"""Which rows of the tables a measure means, and what state they are in.

Everything here asks; nothing changes a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.scenario.measures import (
    Avoid,
    Build,
    Charge,
    Close,
    Ease,
    Grow,
    Measure,
    Regauge,
    Sanction,
    Subsidise,
    Upgrade,
)

__all__ = [
    "Crossing",
    "Link",
    "country_km",
    "crossing_share",
    "crossings_named",
    "crossings_of",
    "explicit",
    "growing",
    "known",
    "levied_crossings",
    "levied_links",
    "link_share",
    "links_avoided",
    "links_in",
    "links_named",
    "links_of",
    "links_over_borders",
    "open_share",
    "place_countries",
    "products",
    "traders",
    "trading",
    "upgrade_share",
]


@dataclass(frozen=True)
class Link:
    """What measures ask about a link."""

    id: str
    ends: tuple[str, str]
    countries: tuple[str | None, str | None]
    mode: str
    status: str
    open_from: int | None
    closed_from: date | None
    closed_to: date | None
    line: str | None
    project: str | None
    gauges_mm: tuple[int, ...]
    km: Mapping[str, float]

    def touches(self, country: str) -> bool:
        """Return whether any of the link lies in a country, or ends there."""
        return country in self.km or country in self.countries

    def share_in(self, countries: Iterable[str]) -> float:
        """Return the part of its kilometres inside some countries; the open sea is in none."""
        wanted, total = set(countries), sum(self.km.values())
        if total > 0:
            return sum(km for country, km in self.km.items() if country in wanted) / total
        return sum(1 / len(self.km) for country in self.km if country in wanted)


@dataclass(frozen=True)
class Crossing:
    """What measures ask about a crossing; ``countries`` in the order of its places."""

    id: str
    link: str
    mode: str
    ends: tuple[str, str]
    countries: tuple[str | None, str | None]
    status: str
    closed_from: date | None
    closed_to: date | None


def country_km(text: str | None) -> dict[str, float]:
    """Return kilometres by country from a cell such as ``CN:5.8;KZ:11.1``."""
    pairs = (part.partition(":") for part in (text or "").split(";") if part.strip())
    return {country.strip(): float(km or 0) for country, _, km in pairs}


def place_countries(tables: Tables) -> dict[str, str | None]:
    """Return the country of each place."""
    places = tables["places"]
    return dict(zip(places["id"].to_list(), places["iso2"].to_list(), strict=True))


def links_of(tables: Tables) -> dict[str, Link]:
    """Return the links by id."""
    where = place_countries(tables)
    columns = [
        "id", "place_a", "place_b", "mode", "status", "open_from", "closed_from", "closed_to", "line", "project",
        "gauges_mm", "country_km",
    ]  # fmt: skip
    return {
        row[0]: Link(
            id=row[0], ends=(row[1], row[2]), countries=(where.get(row[1]), where.get(row[2])), mode=row[3],
            status=row[4], open_from=row[5], closed_from=row[6], closed_to=row[7], line=row[8], project=row[9],
            gauges_mm=tuple(row[10] or ()), km=country_km(row[11]),
        )
        for row in tables["links"].select(columns).iter_rows()
    }  # fmt: skip


def crossings_of(tables: Tables) -> dict[str, Crossing]:
    """Return the crossings by id."""
    if "crossings" not in tables:
        return {}
    where = place_countries(tables)
    columns = ["id", "link", "mode", "place_a", "place_b", "status", "closed_from", "closed_to"]
    return {
        row[0]: Crossing(
            id=row[0], link=row[1], mode=row[2], ends=(row[3], row[4]),
            countries=(where.get(row[3]), where.get(row[4])), status=row[5], closed_from=row[6], closed_to=row[7],
        )
        for row in tables["crossings"].select(columns).iter_rows()
    }  # fmt: skip


def open_share(
    closed_from: date | None, closed_to: date | None, year: int, span: tuple[date, date] | None = None
) -> float:
    """Return the part of a year, or of some days of it, in which a thing is open that was closed for some days.

    It was closed from one day through another, both counted; a missing first day means "since ever", a missing last day
    "until further notice", both missing "never closed". The span is the first and last day of a part of the year.
    """
    if closed_from is None and closed_to is None:
        return 1.0
    start, end = span or (date(year, 1, 1), date(year, 12, 31))
    first = max(closed_from or date.min, start)
    last = min(closed_to or date.max, end)
    closed_days = max((last - first).days + 1, 0)
    return 1.0 - closed_days / ((end - start).days + 1)


def _named(tables: Tables, table: str, key: str, label: str) -> dict[str, str]:
    if table not in tables or not tables[table].width:
        return {}
    frame = tables[table]
    keys = frame[key].to_list()
    labels = frame[label].to_list() if label in frame.columns else keys
    return {k: v or k for k, v in zip(keys, labels, strict=True) if k}


def known(tables: Tables, kind: str) -> dict[str, str]:
    """Return the names of a kind that exist, each with the words people use for it.

    Parameters
    ----------
    tables
        The tables.
    kind
        As in the metadata of a measure's fields: link, crossing, place, zone, operator, line, project, country, trader,
        commodity, basis, terminal.
    """
    if kind == "terminal":
        return _named(tables, "terminal_plans", "id", "name")
    if kind in ("link", "crossing", "place", "zone", "operator"):
        return _named(tables, f"{kind}s", "id", "name")
    if kind in ("line", "project"):
        used = {name: name for name in tables["links"][kind].drop_nulls().unique().sort().to_list()}
        return {**used, **_named(tables, f"{kind}s", "id", "name")}
    if kind == "country":
        return {c: c for c in place_countries(tables).values() if c} | _named(tables, "countries", "iso2", "name")
    if kind == "trader":
        return {"*": "*", **_named(tables, "blocs", "bloc", "bloc"), **_named(tables, "countries", "iso3", "name")}
    if kind == "commodity":
        names = _named(tables, "trade", "commodity", "commodity") | _named(tables, "bulk_trade", "product", "product")
        if "commodities" in tables:
            names |= {
                k: name for k, name, some in tables["commodities"].select("id", "name", "baci_products").rows() if some
            }
        return {"*": "*", **names}
    if kind == "basis":
        return {"matrix": "as in the trade matrix", **_named(tables, "reporting_bases", "id", "name")}
    raise ValueError(kind)


def links_named(measure: Measure, links: Mapping[str, Link]) -> list[str]:
    """Return the links that a measure names: by themselves, by line, or by project."""
    names = set(getattr(measure, "links", ()))
    lines = set(getattr(measure, "lines", ()))
    project = getattr(measure, "project", None)
    return [
        link.id
        for link in links.values()
        if link.id in names or link.line in lines or (project is not None and link.project == project)
    ]


def crossings_named(measure: Measure, crossings: Mapping[str, Crossing]) -> list[str]:
    """Return the crossings that a measure means, by name or, for `Ease`, by country."""
    names = set(getattr(measure, "crossings", ()))
    countries = set(measure.countries) if isinstance(measure, Ease) else set()
    everywhere = isinstance(measure, Ease) and measure.everywhere
    return [c.id for c in crossings.values() if everywhere or c.id in names or countries & set(c.countries)]


def links_in(links: Mapping[str, Link], countries: Iterable[str], modes: Iterable[str]) -> list[str]:
    """Return links with any part in the countries and of the modes; an empty list of either does not narrow."""
    lands, ways = tuple(countries), set(modes)
    return [
        link.id
        for link in links.values()
        if (not ways or link.mode in ways) and (not lands or any(link.touches(land) for land in lands))
    ]


def links_over_borders(links: Mapping[str, Link], countries: Iterable[str]) -> list[str]:
    """Return links that lead from the countries into another country or out to sea."""
    lands = set(countries)
    return [k.id for k in links.values() if k.countries[0] != k.countries[1] and lands & set(k.countries)]


def links_avoided(measure: Avoid, links: Mapping[str, Link]) -> list[str]:
    """Return the links that a ban shuts, not counting those of the crossings it names."""
    wide = links_in(links, measure.countries, measure.modes) if measure.countries or measure.modes else []
    return list(dict.fromkeys([*measure.links, *wide]))


def levied_links(measure: Charge | Subsidise, links: Mapping[str, Link]) -> dict[str, float]:
    """Return the links on which an amount by the km is paid, each with the part of its length that counts."""
    parts = dict.fromkeys(measure.links, 1.0)
    if measure.countries or measure.modes:
        for name in links_in(links, measure.countries, measure.modes):
            part = links[name].share_in(measure.countries) if measure.countries else 1.0
            parts[name] = max(parts.get(name, 0.0), part)
    return {name: part for name, part in parts.items() if part > 0 and name in links}


def levied_crossings(measure: Charge | Subsidise, crossings: Mapping[str, Crossing]) -> dict[str, tuple[int, int]]:
    """Return the crossings at which an amount is paid, with how often it is paid from a to b and from b to a."""
    lands, found = set(measure.countries), {}
    entering, leaving = measure.direction in ("entering", "both"), measure.direction in ("leaving", "both")
    for crossing in crossings.values():
        if crossing.id in measure.crossings:
            found[crossing.id] = (1, 1)
        elif (lands or measure.modes) and (not measure.modes or crossing.mode in measure.modes):
            a, b = (c in lands for c in crossing.countries)
            times = (entering * b + leaving * a, entering * a + leaving * b) if lands else (1, 1)
            if any(times):
                found[crossing.id] = times
    return found


def explicit(measure: Measure) -> tuple[set[str], set[str]]:
    """Return the links and the crossings that a measure names one by one."""
    named: Any = measure
    has_links = isinstance(measure, Build | Close | Avoid | Upgrade | Charge | Subsidise | Regauge)
    has_crossings = isinstance(measure, Close | Avoid | Upgrade | Ease | Charge | Subsidise)
    return set(named.links) if has_links else set(), set(named.crossings) if has_crossings else set()


def link_share(link: Link, year: int, held: AbstractSet[str], span: tuple[date, date] | None = None) -> float:
    """Return the part of a year, or of some days of it, in which a link is open.

    A link under construction is open from its year on (it is committed), unless it or its project is held; planned and
    proposed links are shut, and so are suspended ones, but for the years before a suspension that has a day.
    """
    started = link.open_from is not None and link.open_from <= year
    if link.status == "existing" or (link.status == "suspended" and link.closed_from is not None):
        there = started or link.open_from is None
    else:
        there = link.status == "under_construction" and started and link.id not in held and link.project not in held
    return open_share(link.closed_from, link.closed_to, year, span) if there else 0.0


def crossing_share(
    crossing: Crossing, link: Link, year: int, held: AbstractSet[str], span: tuple[date, date] | None = None
) -> float:
    """Return the part of a year, or of some days of it, in which a crossing is open: never more than its link is.

    A crossing that is closed without dates is shut for good, but one on a line that is still being built opens with it.
    """
    if crossing.status == "closed" and crossing.closed_from is None and crossing.closed_to is None:
        opens = link.status != "existing"
        return link_share(link, year, held, span) if opens else 0.0
    shut = crossing.status != "restricted"  # the dates of a restriction close nothing: its capacity says what is left
    share = open_share(crossing.closed_from, crossing.closed_to, year, span) if shut else 1.0
    return min(link_share(link, year, held, span), share)


def upgrade_share(since: date, year: int, span: tuple[date, date] | None = None) -> float:
    """Return the part of a year, or of some days of it, in which an upgrade holds that came on a day."""
    return open_share(None, since - timedelta(days=1), year, span)


def traders(tables: Tables, name: str, year: int) -> frozenset[str] | None:
    """Return the ISO3 codes that a trader's name stands for in a year; None for everybody."""
    if name == "*":
        return None
    if "blocs" in tables and name in set(tables["blocs"]["bloc"].to_list()):
        iso3 = dict(tables["countries"].select("iso2", "iso3").iter_rows())
        members = tables["blocs"].filter(pl.col("bloc") == name).select("iso2", "from_year").iter_rows()
        return frozenset(iso3[iso2] for iso2, since in members if iso2 in iso3 and (since is None or since <= year))
    return frozenset({name})


def products(tables: Tables, commodity: str) -> list[str]:
    """Return the products of ``bulk_trade`` that belong to a commodity or to a group of commodities."""
    found = {commodity}
    if "commodities" in tables:
        for name, group, listed in tables["commodities"].select("id", "group", "baci_products").iter_rows():
            if commodity in (name, group):
                found.update(listed or ())
    return sorted(found)


def trading(
    tables: Tables, exporter: str, importer: str, commodity: str, year: int, *, both_ways: bool = False
) -> dict[str, pl.Expr]:
    """Return, for each table of trade, which rows are trade between some countries in some goods.

    Parameters
    ----------
    tables
        The tables.
    exporter, importer
        ISO3 code, bloc or ``*``.
    commodity
        Group or product, or ``*``.
    year
        In which blocs are asked for their members.
    both_ways
        Whether the trade back counts too.

    Returns
    -------
    dict
        Masks of ``trade`` and ``bulk_trade``.
    """
    masks: dict[str, pl.Expr] = {}
    ways = [(exporter, importer), *([(importer, exporter)] if both_ways else [])]
    for table, column in (("trade", "commodity"), ("bulk_trade", "product")):
        if table not in tables:
            continue
        found = pl.lit(value=False)
        for ends in ways:
            mask = pl.lit(value=True)
            for side, name in zip(("exporter", "importer"), ends, strict=True):
                codes = traders(tables, name, year)
                if codes is not None:
                    mask = mask & pl.col(side).is_in(pl.Series(sorted(codes), dtype=pl.String).implode())
            found = found | mask
        if commodity != "*":
            names = [commodity] if table == "trade" else products(tables, commodity)
            found = found & pl.col(column).is_in(pl.Series(names, dtype=pl.String).implode())
        masks[table] = found
    return masks


def growing(tables: Tables, measure: Grow | Sanction, year: int) -> dict[str, pl.Expr]:
    """Return, for each table of trade, which rows a measure of trade means."""
    return trading(tables, measure.exporter, measure.importer, measure.commodity, year, both_ways=measure.both_ways)
