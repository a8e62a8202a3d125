"""Which tariff holds between two countries: the most specific row of the atlas' table of tariffs.

A row's importer and exporter are countries (ISO3), blocs or ``*``; a country beats a bloc, a bloc beats ``*``, and
among rows alike the lower rate holds (who belongs to two free trade areas uses the better one). A row may be for some
goods only (``primary`` or ``manufactured``); it beats one for all goods that is as specific otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from landbridge.data.tables import Tables

__all__ = ["groups_of", "members_of", "rates_of", "union_rate"]


def members_of(tables: Tables) -> dict[str, frozenset[str]]:
    """Return the members of each bloc, by their ISO3 codes."""
    iso3 = dict(tables["countries"].select("iso2", "iso3").iter_rows())
    found: dict[str, set[str]] = {}
    for bloc, iso2 in tables["blocs"].select("bloc", "iso2").iter_rows():
        if iso2 in iso3:
            found.setdefault(bloc, set()).add(iso3[iso2])
    return {bloc: frozenset(names) for bloc, names in found.items()}


def rates_of(tables: Tables, countries: Iterable[str], *, goods: str = "") -> dict[tuple[str, str], float]:
    """Return the tariff in per cent by (exporter, importer); pairs of which no row speaks are left out.

    Parameters
    ----------
    tables
        With ``tariffs``, ``blocs`` and ``countries``.
    countries
        ISO3 codes to give rates for.
    goods
        ``primary`` or ``manufactured``; "" for the mean over all goods.

    Returns
    -------
    dict
    """
    names = list(countries)
    if "tariffs" not in tables:
        return {}
    blocs = members_of(tables)

    def meant(name: str) -> tuple[int, Iterable[str]]:
        if name == "*":
            return 0, names
        return (1, [c for c in names if c in blocs[name]]) if name in blocs else (2, [c for c in names if c == name])

    best: dict[tuple[str, str], tuple[int, float]] = {}
    for importer, exporter, what, rate in _rows(tables, goods):
        (i_rank, buyers), (e_rank, sellers) = meant(importer), meant(exporter)
        # a free trade area speaks of both ends and so beats a country's rate for all
        rank = 2 * (i_rank + 2 * e_rank) + bool(what)
        for buyer in buyers:
            for seller in sellers:
                old = best.get((seller, buyer))
                if buyer != seller and (old is None or (rank, -rate) > (old[0], -old[1])):
                    best[seller, buyer] = (rank, rate)
    return {pair: rate for pair, (_, rate) in best.items()}


def _rows(tables: Tables, goods: str) -> list[tuple[str, str, str, float]]:
    """Importer, exporter, goods and rate of the rows that speak of some goods."""
    frame = tables["tariffs"]
    what = pl.col("goods").fill_null("") if "goods" in frame.columns else pl.lit("")
    chosen = frame.select("importer", "exporter", what.alias("goods"), "tariff_pct")
    return chosen.filter(pl.col("goods").is_in(["", goods])).rows()


def groups_of(tables: Tables, goods: str) -> list[str]:
    """Groups of the trade table that are ``primary`` or ``manufactured``."""
    rows = tables["trade_sectors"].filter(pl.col("goods") == goods)
    return [group for groups in rows["groups"].to_list() for group in groups]


def union_rate(tables: Tables, members: Iterable[str], *, goods: str = "") -> float | None:
    """Return the mean tariff that members take from outsiders, in per cent, weighted by what they buy outside.

    Parameters
    ----------
    tables
        With ``tariffs`` and ``trade``.
    members
        ISO3 codes.
    goods
        ``primary`` or ``manufactured``; "" for the mean over all goods.

    Returns
    -------
    float or None
        None where the table has no rate of theirs.
    """
    inside = frozenset(members)
    rows = sorted(_rows(tables, goods), key=lambda row: row[2])  # those of some goods last, so that they stand
    own = {importer: rate for importer, exporter, _, rate in rows if exporter == "*"}
    outside = tables["trade"].filter(
        pl.col("importer").is_in(sorted(inside)) & ~pl.col("exporter").is_in(sorted(inside))
    )
    if goods:
        outside = outside.filter(pl.col("commodity").is_in(groups_of(tables, goods)))
    bought = {i: float(v) for i, v in outside.group_by("importer").agg(pl.col("value_usd").sum()).iter_rows()}
    weight = {i: bought.get(i, 0.0) for i in inside if i in own}
    total = sum(weight.values())
    return sum(own[i] * w for i, w in weight.items()) / total if total > 0 else None
