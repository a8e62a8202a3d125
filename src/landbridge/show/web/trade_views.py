"""Trade for the map: who trades what, a shock asked for on the page, and what the trade of some results answered."""

from __future__ import annotations

from dataclasses import asdict
from math import inf
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, UnknownName
from landbridge.show.web import shapes
from landbridge.show.web.library import Library, Point
from landbridge.show.web.results_views import plain
from landbridge.study import shock as shocks
from landbridge.study.freight import freight_factors
from landbridge.study.solve import parameter
from landbridge.study.trade_gains import gains_of
from landbridge.study.trade_questions import questions_of
from landbridge.study.world import atlas_world

__all__ = ["answered", "countries", "partners", "questions", "shock"]

#: Sectors that move less than this, in per cent, are left out of a page's answer; files and --json have all.
LEAST_PCT = 1e-4


def _of_year(tables: Tables) -> pl.DataFrame:
    trade = tables["trade"]
    return trade.filter((pl.col("year") == trade["year"].max()) & (pl.col("exporter") != pl.col("importer")))


def countries(tables: Tables) -> pl.DataFrame:
    """Countries with what they sell and buy abroad, and how much of it is an estimate's.

    Parameters
    ----------
    tables
        The atlas.

    Returns
    -------
    polars.DataFrame
        One row a country, the greatest traders first.
    """
    rows = _of_year(tables)
    sides = []
    for end, word in (("exporter", "exports"), ("importer", "imports")):
        sides.append(
            rows.group_by(pl.col(end).alias("country")).agg(
                pl.col("value_usd").sum().alias(f"{word}_usd"), pl.col("tonnes").sum().alias(f"{word}_t")
            )
        )
    whole = sides[0].join(sides[1], on="country", how="full", coalesce=True)
    return whole.sort(pl.col("exports_usd").fill_null(0) + pl.col("imports_usd").fill_null(0), descending=True)


def partners(tables: Tables, country: str) -> pl.DataFrame:
    """What a country trades with whom.

    Parameters
    ----------
    tables
        The atlas.
    country
        ISO3.

    Returns
    -------
    polars.DataFrame
        By partner and group of goods: exports and imports in USD and tonnes a year.

    Raises
    ------
    UnknownName
        For a country without trade.
    """
    rows = _of_year(tables)
    known = sorted({*rows["exporter"].to_list(), *rows["importer"].to_list()})
    if country not in known:
        raise UnknownName("country", country, known)
    parts = []
    for own, other, word in (("exporter", "importer", "exports"), ("importer", "exporter", "imports")):
        parts.append(
            rows.filter(pl.col(own) == country)
            .group_by(pl.col(other).alias("partner"), pl.col("commodity").alias("group"))
            .agg(pl.col("value_usd").sum().alias(f"{word}_usd"), pl.col("tonnes").sum().alias(f"{word}_t"))
        )
    joined = parts[0].join(parts[1], on=["partner", "group"], how="full", coalesce=True).fill_null(0.0)
    return joined.sort(pl.col("exports_usd") + pl.col("imports_usd"), descending=True)


def shock(tables: Tables, asked: shapes.AskedShock) -> shapes.Shock:
    """Answer a shock, as `landbridge trade shock` does.

    Raises
    ------
    LandbridgeError
        If there is no such pair, freight or equilibrium.
    """
    world = atlas_world(tables)
    pairs = list(dict.fromkeys(p for text in asked.pairs for p in shocks.pairs_named(text, world, tables)))
    notes: tuple[str, ...] = ()
    change = asked.percent / 100
    if asked.sectors and asked.mode != "ge":
        raise LandbridgeError("many sectors go with general equilibrium")
    if asked.kind == "freight":
        factors, notes = freight_factors(tables, pairs, change)
        given = [shocks.Shocked(e, i, factors[e, i]) for e, i in pairs]
    else:
        given = [shocks.Shocked(e, i, inf if asked.kind == "embargo" else 1 + change) for e, i in pairs]
    found = shocks.shock(
        world, given, mode=asked.mode, theta=parameter(tables, "trade-theta"), many=asked.sectors, tables=tables
    )
    told: dict[str, Any] = asdict(found)
    return shapes.Shock(
        mode=found.mode,
        headline=found.headline,
        countries=plain(told["countries"]),
        pairs=plain(told["pairs"]),
        sectors=plain([row for row in told["sectors"] if abs(row["output_pct"]) > LEAST_PCT]),
        notes=[*notes, *found.notes],
    )


def answered(library: Library, at: Point, atlas: Tables) -> shapes.TradeAnswer:
    """What the trade of a scenario answered, with the place of every zone.

    Raises
    ------
    LandbridgeError
        If the study has no table ``[demand]``.
    """
    results = library.check(at)
    if "zone_access" not in results.tables:
        raise LandbridgeError(f"{at.result}: its study has no table [demand], so nothing of trade was computed")
    found = gains_of(results, at.scenario, at.year)
    tables = library.tables(at.result, atlas)
    spot = {i: (lon, lat) for i, lon, lat in tables["places"].select("id", "lon_deg", "lat_deg").iter_rows()}
    seat = dict(tables["zones"].select("id", "place").iter_rows())
    zones = []
    for row in found.access:
        lon, lat = spot.get(seat.get(row["place"], row["place"]), (None, None))
        zones.append({**row, "seat": seat.get(row["place"], row["place"]), "lon": lon, "lat": lat})
    return shapes.TradeAnswer(
        before=found.before,
        told=plain([dict(found.told)])[0],
        countries=plain(found.countries),
        sectors=plain(found.sectors),
        zones=plain(zones),
        given=plain(found.given),
        notes=list(found.notes),
    )


def questions(library: Library, name: str) -> list[shapes.TradeQuestion]:
    """The questions, answered from some results."""
    return [shapes.TradeQuestion(**plain([asdict(each)])[0]) for each in questions_of(library[name])]
