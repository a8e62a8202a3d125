"""Trade of a year before the matrix, put into the tables; and how far such trade misses what was published."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import DataError, Fault
from landbridge.model.demand import names_of
from landbridge.model.past import PAST_TABLES, PastTotal, back_cast, first_year, past_tonnes

__all__ = ["held_against", "median_error", "past_notes", "trade_of_year"]

NEEDED = ("trade", "parameters", *PAST_TABLES)
#: What measures have done to a row that none has touched.
WHOLE = {"share_left": 1.0, "added_t": 0.0}

#: Tonnes of past years that were estimated last, with the tables and years that they belong to.
_KNOWN: deque[tuple[list[pl.DataFrame], tuple[int, int], pl.DataFrame]] = deque(maxlen=16)

KEY = ["exporter", "importer", "commodity"]


def _columns(tables: Tables) -> dict[str, dict[str, list[Any]]]:
    return {name: tables[name].to_dict(as_series=False) for name in NEEDED}


def trade_of_year(tables: Tables, year: int, base_year: int) -> Tables:
    """Return tables whose trade is that of a past year.

    The ``factor`` of each row of ``trade`` and ``bulk_trade`` is multiplied by its tonnes in the year over those of the
    matrix, so that records and corrections of the matrix count in the same measure; pairs that traded a group of goods
    then and not in the matrix are added.

    Parameters
    ----------
    tables
        As read, or after measures.
    year
        A year before ``base_year``; any other returns the tables as they are.
    base_year
        The year of the matrix.

    Raises
    ------
    DataError
        For a year before the first that can be estimated, or tables that tell nothing of past years.
    """
    if year >= base_year:
        return tables
    missing = [name for name in PAST_TABLES if name not in tables]
    if missing:
        wanted = (
            f"a year from {base_year}, the year of the trade matrix, or what the package lacks: {', '.join(missing)}"
        )
        raise DataError("trade of past years", [Fault("trade.csv", "", "year", wanted, str(year))])
    since = first_year({"year": tables["past_prices"]["year"].to_list()})
    if year < since:
        wanted = f"a year from {since}, the first of past_prices.csv"
        raise DataError("trade of past years", [Fault("past_prices.csv", "", "year", wanted, str(year))])
    then = _tonnes_then(tables, year, base_year)
    matrix = pl.col("year") == base_year
    now = tables["trade"].filter(matrix).select(*KEY, pl.col("tonnes").alias("now_t"))
    ratio = now.join(then, on=KEY, how="left").select(
        *KEY, pl.when(pl.col("now_t") > 0).then(pl.col("then_t").fill_null(0) / pl.col("now_t")).alias("ratio")
    )
    new = then.join(now.filter(pl.col("now_t") > 0), on=KEY, how="anti").filter(pl.col("then_t") > 0)
    trade = _scaled(tables["trade"], ratio, matrix)
    added = new.select(
        *KEY, pl.lit(base_year).alias("year"), pl.col("then_t").alias("tonnes"), pl.lit(1.0).alias("factor")
    )
    whole = [pl.lit(value).alias(name) for name, value in WHOLE.items() if name in trade.columns]
    added = added.with_columns(*whole).with_columns(pl.col(name).cast(trade.schema[name]) for name in added.columns)
    trade = pl.concat([trade.join(new.select(KEY), on=KEY, how="anti"), added], how="diagonal")
    group_of = tables["commodities"].select(
        pl.col("baci_products").alias("product"), pl.col("group").alias("commodity")
    )
    group_of = group_of.explode("product").drop_nulls("product").unique("product", keep="first", maintain_order=True)
    bulk = tables["bulk_trade"].join(group_of, on="product", how="left", maintain_order="left")
    bulk = _scaled(bulk, ratio, matrix).drop("commodity")
    return tables.replace(trade=trade, bulk_trade=bulk)


def _tonnes_then(tables: Tables, year: int, base_year: int) -> pl.DataFrame:
    """Tonnes of a past year by exporter, importer and commodity; what was estimated from equal tables is not again.

    Scenarios of past years differ in all but this, and it is most of the work of preparing one.
    """
    growth = tables["parameters"].filter(pl.col("id") == "past-growth")
    frames = [tables["trade"].select(*KEY, "year", "tonnes", "value_usd"), growth.select("id", "value")]
    frames += [tables[name] for name in ("countries", "blocs", *PAST_TABLES)]
    for known, when, then in _KNOWN:
        if when == (year, base_year) and all(a is b or a.equals(b) for a, b in zip(known, frames, strict=True)):
            return then
    names = names_of(tables["countries"].to_dict(as_series=False), tables["blocs"].to_dict(as_series=False))
    tonnes = past_tonnes(_columns(tables), names, year=year, base_year=base_year)
    then = pl.DataFrame([(*key, amount) for key, amount in tonnes.items()], schema=[*KEY, "then_t"], orient="row")
    _KNOWN.append((frames, (year, base_year), then))
    return then


def _scaled(frame: pl.DataFrame, ratio: pl.DataFrame, matrix: pl.Expr) -> pl.DataFrame:
    """Multiply the factor of the rows of the matrix."""
    factor = pl.col("factor") if "factor" in frame.columns else pl.lit(1.0)
    return (
        frame.join(ratio, on=KEY, how="left", maintain_order="left")
        .with_columns(factor=pl.when(matrix).then(factor * pl.col("ratio").fill_null(1.0)).otherwise(factor))
        .drop("ratio")
    )


def held_against(tables: Tables, base_year: int) -> list[PastTotal]:
    """Hold the estimate of past trade against every published total (see `landbridge.model.past.back_cast`)."""
    names = names_of(tables["countries"].to_dict(as_series=False), tables["blocs"].to_dict(as_series=False))
    return back_cast(_columns(tables), names, base_year=base_year)


def median_error(totals: list[PastTotal]) -> float:
    """Return the median of the absolute errors, as a part of the published value."""
    return median(abs(total.estimated_usd / total.published_usd - 1) for total in totals)


def past_notes(tables: Tables, year: int, base_year: int) -> tuple[str, ...]:
    """Return what to keep in mind of the results of a past year; nothing for others."""
    if year >= base_year or "parameters" not in tables:
        return ()
    error = tables["parameters"].filter(pl.col("id") == "past-error")["value"].to_list()
    told = f"; it misses published totals of pairs of countries by {error[0]:g} per cent in the median" if error else ""
    kept = "rates, hours, capacities, trains outside the model and departures of services"
    return (
        f"trade of {year} is an estimate from the matrices of 2015 and {base_year}{told}",
        f"{kept} in {year} are those of {base_year}",
    )
