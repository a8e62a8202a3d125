"""Full trade files, CEPII's BACI and UN Comtrade, as an overlay over the atlas' own trade.

BACI       CSV ``t,i,j,k,v,q``: year, exporter, importer (numeric codes), HS heading of six digits, thousand USD,
           tonnes; the codes are those of ``country_codes_V*.csv``, which comes with it.
Comtrade   CSV, or JSON with a list ``data``, in the columns of the API and of bulk files: refYear, reporterISO,
           partnerISO, flowCode, cmdCode, primaryValue, netWgt, motCode, partner2Code; ``period`` will do for refYear.
           Of a pair the importer's report counts, and the exporter's where there is none.

What comes out is trade of one year by pair and group of goods, and the bulk goods that the atlas keeps record by
record.  A pair of countries that the file covers and does not name is an explicit zero.  Countries outside the atlas
are its rest of the world, and each of them is told with its rows and its value.  Every row that is not taken over is
kept, with the reason.  Goods without mass are weighed by what a tonne of their group is worth in the file.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.dictionary import encoding_fault
from landbridge.data.tables import Tables
from landbridge.errors import DataError, Fault

__all__ = ["FORMATS", "ImportedTrade", "read_trade_file", "summary", "write_overlay"]

FORMATS = ("baci", "comtrade")
BACI = ("t", "i", "j", "k", "v", "q")
COMTRADE = ("refYear", "reporterISO", "partnerISO", "flowCode", "cmdCode", "primaryValue", "netWgt")
CODES = ("country_code", "country_iso3")

#: Columns of Comtrade by which a total is split; zero, or nothing, is the total.
PARTS = {"motCode": "one mode of transport", "partner2Code": "one second partner"}

#: Other names of a column.
ALIASES = {"period": "refYear"}

#: Both files give Taiwan as "other Asia, not elsewhere specified".
ALIKE = {"S19": "TWN"}

#: Codes that ISO 3166 leaves to users and never gives to a country; Kosovo alone is known by one of them.
USER_CODES, KOSOVO = "^(AA[A-Z]|Q[M-Z][A-Z]|X[A-Z]{2}|ZZ[A-Z])$", "XKX"

REST = "ROW"
WITHIN = "within one country, or between countries outside the atlas"
KUSD = 1000.0
LAST_YEAR = 9999


@dataclass(frozen=True)
class ImportedTrade:
    """Trade of one year out of a file.

    Attributes
    ----------
    source
        Format and name of the file.
    year
        The year taken.
    trade
        exporter, importer, commodity (group), value_usd, tonnes, weighed_usd (value without mass); explicit zeros too.
    bulk
        exporter, importer, product, hs4, value_usd, tonnes.
    dropped
        line, reason, text of each row that was not taken over.
    rows, kept
        Rows of the file, and those taken over.
    rest
        code, rows, value_usd of the countries outside the atlas that are booked as the rest of the world.
    """

    source: str
    year: int
    trade: pl.DataFrame
    bulk: pl.DataFrame
    dropped: pl.DataFrame
    rows: int
    kept: int
    rest: pl.DataFrame

    @property
    def reasons(self) -> dict[str, int]:
        """Dropped rows by reason, the most frequent first."""
        counted = self.dropped["reason"].value_counts(sort=True)
        return dict(counted.iter_rows())


def _missing(path: Path, names: tuple[str, ...], there: list[str]) -> list[Fault]:
    told = ", ".join(there) or "nothing"
    return [Fault(path.name, "header", name, "this column", told) for name in names if name not in there]


def _read_csv(path: Path, needed: tuple[str, ...]) -> pl.DataFrame:
    """Read a CSV file as text, with the faults of its header and of rows that are too long."""
    wrong = encoding_fault(path, path.name)
    if wrong:
        raise DataError(f"trade file {path}", [wrong])
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        faults = _ragged(path) or [Fault(path.name, "", "", "a CSV file", str(error).splitlines()[0])]
        raise DataError(f"trade file {path}", faults) from None
    frame = frame.rename({o: n for o, n in ALIASES.items() if o in frame.columns and n not in frame.columns})
    faults = _missing(path, needed, frame.columns)
    if faults:
        raise DataError(f"trade file {path}", faults)
    return frame.select(needed + tuple(c for c in PARTS if c in frame.columns))


def _ragged(path: Path) -> list[Fault]:
    faults = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        width = len(next(reader, []))
        for number, cells in enumerate(reader, start=2):
            if len(cells) > width:
                faults.append(Fault(path.name, f"row {number}", "", f"{width} cells", f"{len(cells)} cells"))
    return faults


def _read_json(path: Path, needed: tuple[str, ...]) -> pl.DataFrame:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"trade file {path}", [Fault(path.name, "", "", "JSON", str(error))]) from None
    rows = told.get("data") if isinstance(told, Mapping) else told
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise DataError(f"trade file {path}", [Fault(path.name, "data", "", "a list of records", type(rows).__name__)])
    there = sorted({str(name) for row in rows for name in row})
    if not set(ALIASES.values()) & set(there):
        rows = [{ALIASES.get(name, name): value for name, value in row.items()} for row in rows]
        there = sorted({ALIASES.get(name, name) for name in there})
    faults = _missing(path, needed, there)
    if faults:
        raise DataError(f"trade file {path}", faults)
    names = needed + tuple(c for c in PARTS if c in there)
    cells = {name: [None if row.get(name) is None else str(row[name]) for row in rows] for name in names}
    return pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String))


def _number(column: str) -> pl.Expr:
    value = pl.col(column).str.strip_chars().cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def _country(column: str) -> pl.Expr:
    """Whether a code can be that of a country: three letters that ISO 3166 does not leave to users."""
    code = pl.col(column)
    return code.str.contains("^[A-Z]{3}$") & (~code.str.contains(USER_CODES) | (code == KOSOVO))


def _first(*reasons: tuple[pl.Expr, str]) -> pl.Expr:
    """The first reason that holds."""
    return pl.coalesce(*[pl.when(bad.fill_null(value=True)).then(pl.lit(why)) for bad, why in reasons], pl.lit(None))


def _where(bad: pl.Expr, why: str) -> pl.Expr:
    """Give a reason where a row has none yet."""
    return pl.when(bad).then(pl.lit(why)).otherwise("reason")


def _common(frame: pl.DataFrame, first_line: int) -> pl.DataFrame:
    """Number the rows and keep their text, for the file of dropped rows."""
    text = pl.concat_str([pl.col(c).fill_null("") for c in frame.columns], separator=",").alias("text")
    return frame.with_columns(text).with_row_index("line", offset=first_line)


def _baci(path: Path, codes: Path | None) -> pl.DataFrame:
    found = codes or next(iter(sorted(path.parent.glob("country_codes*.csv"))), None)
    if found is None or not found.is_file():
        wanted = "country_codes_V*.csv, which comes with BACI, beside it or named"
        raise DataError(f"trade file {path}", [Fault(str(found or path.parent), "", "", wanted, "no such file")])
    names = dict(_read_csv(found, CODES).select(CODES).iter_rows())
    frame = _common(_read_csv(path, BACI), 2)
    iso3 = {str(code).strip(): ALIKE.get(iso, iso) for code, iso in names.items() if iso}
    hs = pl.col("k").str.strip_chars().str.zfill(6)
    quantity = pl.col("q").str.strip_chars()
    return frame.with_columns(
        year=_number("t").cast(pl.Int64, strict=False),
        exporter=pl.col("i")
        .str.strip_chars()
        .replace_strict(iso3, default=None, return_dtype=pl.String)
        .replace(ALIKE),
        importer=pl.col("j")
        .str.strip_chars()
        .replace_strict(iso3, default=None, return_dtype=pl.String)
        .replace(ALIKE),
        hs=hs,
        value_usd=_number("v") * KUSD,
        tonnes=_number("q"),
    ).with_columns(
        reason=_first(
            (_number("t").is_null(), "malformed: t is no year"),
            (~hs.str.contains(r"^\d{6}$"), "malformed: k is no HS heading of six digits"),
            (_number("v").is_null() | (_number("v") < 0), "malformed: v is no value"),
            (
                quantity.is_not_null() & ~quantity.is_in(["NA", ""]) & (_number("q").is_null() | (_number("q") < 0)),
                "malformed: q is neither a mass nor NA",
            ),
            (pl.col("exporter").is_null(), "exporter i is in no list of codes"),
            (pl.col("importer").is_null(), "importer j is in no list of codes"),
        )
    )


def _comtrade(path: Path) -> pl.DataFrame:
    read = _read_json if path.suffix == ".json" else _read_csv
    frame = read(path, COMTRADE)
    optional = {name: name in frame.columns for name in PARTS}
    frame = _common(frame, 1 if path.suffix == ".json" else 2)
    imports = pl.col("flowCode").str.strip_chars() == "M"
    code = pl.col("cmdCode").str.strip_chars()
    weight = pl.col("netWgt").str.strip_chars().fill_null("")
    frame = frame.with_columns(pl.col("reporterISO", "partnerISO").str.strip_chars().replace(ALIKE))
    frame = frame.with_columns(
        year=_number("refYear").cast(pl.Int64, strict=False),
        exporter=pl.when(imports).then("partnerISO").otherwise("reporterISO"),
        importer=pl.when(imports).then("reporterISO").otherwise("partnerISO"),
        hs=code,
        value_usd=_number("primaryValue"),
        tonnes=pl.when(_number("netWgt") > 0).then(_number("netWgt") / 1000),  # kg; zero means unknown there
        imports=imports,
    )
    reasons = [
        (pl.col("year").is_null(), "malformed: refYear is no year"),
        (pl.col("year") > LAST_YEAR, "a month: the annual file is read"),
        (pl.col("value_usd").is_null() | (pl.col("value_usd") < 0), "malformed: primaryValue is no value"),
        ((weight != "") & (_number("netWgt").is_null() | (_number("netWgt") < 0)), "malformed: netWgt is no mass"),
        (~pl.col("flowCode").str.strip_chars().is_in(["M", "X"]), "flow is neither import M nor export X"),
        (code == "TOTAL", "a total of all goods"),
        (~code.str.contains(r"^(\d{2}|\d{4}|\d{6})$"), "malformed: cmdCode is no HS code"),
        (pl.col("partnerISO") == "W00", "partner is the whole world"),
        (~_country("partnerISO"), "partner is no country: an area not specified, or a code that is none"),
        (~_country("reporterISO"), "reporter is no country: an area not specified, or a code that is none"),
    ]
    for column, why in PARTS.items():
        if optional[column]:
            whole = pl.col(column).fill_null("0").str.strip_chars().is_in(["0", ""])
            reasons.append((~whole, f"part of a total: {why}"))
    frame = frame.with_columns(reason=_first(*reasons))
    good = pl.col("reason").is_null()
    # finer and coarser headings of one report count the same goods: the finest that it gives is taken
    level = pl.col("hs").str.len_chars()
    report = ["year", "reporterISO", "flowCode"]
    frame = frame.with_columns(deepest=pl.when(good).then(level).max().over(report))
    coarse = good & (level < pl.col("deepest"))
    frame = frame.with_columns(reason=_where(coarse, "an aggregate of finer headings in the file"))
    pair = ["year", "exporter", "importer"]
    good = pl.col("reason").is_null()
    told = (pl.col("imports") & good).any().over(pair)
    return frame.with_columns(reason=_where(good & ~pl.col("imports") & told, "the importer's own report is taken"))


def read_trade_file(
    path: Path, tables: Tables, *, kind: str, year: int, countries: Path | None = None
) -> ImportedTrade:
    """Read a full trade file.

    Parameters
    ----------
    path
        The file.
    tables
        The atlas: countries, commodities, bulk_trade (which goods are kept record by record), hs_groups.
    kind
        A key of `FORMATS`.
    year
        The year to take.
    countries
        BACI's list of country codes; by default the one beside the file.

    Returns
    -------
    ImportedTrade

    Raises
    ------
    DataError
        For a file or a column that is not there, a row with too many cells, no row of the year.
    """
    if not path.is_file():
        raise DataError(f"trade file {path}", [Fault(str(path), "", "", "a file", "nothing")])
    frame = _baci(path, countries) if kind == "baci" else _comtrade(path)
    groups = dict(tables["hs_groups"].select("hs", "commodity").iter_rows())
    known = set(tables["countries"]["iso3"].drop_nulls().to_list())
    group = pl.coalesce(
        *[pl.col("hs").str.slice(0, n).replace_strict(groups, default=None, return_dtype=pl.String) for n in (6, 4, 2)]
    )
    place = {
        side: pl.when(pl.col(side).is_in(known)).then(side).when(pl.col(side).is_not_null()).then(pl.lit(REST))
        for side in ("exporter", "importer")
    }
    named = {f"{side}_code": pl.col(side) for side in ("exporter", "importer")}
    frame = frame.with_columns(commodity=group, **named, **place)
    frame = frame.with_columns(
        reason=pl.coalesce(
            "reason",
            _first(
                (pl.col("year") != year, f"another year than {year}"),
                (
                    pl.col("exporter") == pl.col("importer"),
                    "within one country, or between countries outside the atlas",
                ),
                (pl.col("commodity").is_null(), "heading is in no group of hs_groups.csv"),
            ),
        )
    )
    kept = frame.filter(pl.col("reason").is_null())
    if kept.is_empty():
        wanted = f"rows of {year} between countries of the atlas"
        raise DataError(f"trade file {path}", [Fault(path.name, "", "", wanted, f"none of {frame.height}")])
    return ImportedTrade(
        f"{kind} {path.name}",
        year,
        _by_group(kept, _zeros(kept, tables, kind)),
        _bulk(kept, tables),
        frame.filter(pl.col("reason").is_not_null()).select("line", "reason", "text"),
        frame.height,
        kept.height,
        _rest(kept),
    )


def _rest(kept: pl.DataFrame) -> pl.DataFrame:
    """Countries outside the atlas: their rows and what they are worth, the largest first."""
    sides = [
        kept.filter((pl.col(side) == REST) & (pl.col(f"{side}_code") != REST)).select(
            pl.col(f"{side}_code").alias("code"), "value_usd"
        )
        for side in ("exporter", "importer")
    ]
    told = pl.concat(sides).group_by("code").agg(pl.len().cast(pl.Int64).alias("rows"), pl.col("value_usd").sum())
    return told.sort("value_usd", "code", descending=[True, False])


def _by_group(kept: pl.DataFrame, zeros: pl.DataFrame) -> pl.DataFrame:
    """Sum by pair and group; what has no mass is weighed by the group's worth of a tonne in the file."""
    weighed = (
        kept.filter(pl.col("tonnes") > 0)
        .group_by("commodity")
        .agg(usd_t=pl.col("value_usd").sum() / pl.col("tonnes").sum())
    )
    massive = kept.filter(pl.col("tonnes") > 0)
    general = float(massive["value_usd"].sum()) / float(massive["tonnes"].sum()) if massive.height else None
    with_mass = kept.join(weighed, on="commodity", how="left").with_columns(
        mass=pl.coalesce("tonnes", pl.col("value_usd") / pl.coalesce("usd_t", pl.lit(general, dtype=pl.Float64)))
    )
    sums = with_mass.group_by("exporter", "importer", "commodity").agg(
        pl.col("value_usd").sum(),
        pl.col("mass").sum().alias("tonnes"),
        pl.col("value_usd").filter(pl.col("tonnes").is_null()).sum().alias("weighed_usd"),
    )
    more = zeros.join(sums, on=["exporter", "importer", "commodity"], how="anti").with_columns(
        value_usd=pl.lit(0.0), tonnes=pl.lit(0.0), weighed_usd=pl.lit(0.0)
    )
    return pl.concat([sums, more.select(sums.columns)]).sort("exporter", "importer", "commodity")


def _zeros(kept: pl.DataFrame, tables: Tables, kind: str) -> pl.DataFrame:
    """Cells of the atlas' matrix that the file covers: all of them, or those whose importer reported to Comtrade."""
    cells = tables["trade"].select("exporter", "importer", "commodity").unique(maintain_order=True)
    if kind == "baci":
        return cells
    reporters = kept.filter("imports")["importer"].unique().to_list()
    return cells.filter(pl.col("importer").is_in(reporters))


def _bulk(kept: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """Records of the goods that the atlas keeps by heading, where the file gives mass and headings of four digits."""
    goods = dict(tables["bulk_trade"].select("hs4", "product").unique().iter_rows())
    records = kept.filter(pl.col("tonnes") > 0).with_columns(hs4=pl.col("hs").str.slice(0, 4))
    records = records.with_columns(product=pl.col("hs4").replace_strict(goods, default=None, return_dtype=pl.String))
    return (
        records.filter(pl.col("product").is_not_null() & (pl.col("hs4").str.len_chars() == 4))
        .group_by("exporter", "importer", "product", "hs4")
        .agg(pl.col("value_usd").sum(), pl.col("tonnes").sum())
        .sort("exporter", "importer", "product")
    )


def write_overlay(found: ImportedTrade, tables: Tables, folder: Path) -> None:
    """Write what was read as an overlay folder.

    Its folder ``report`` holds the dropped rows, and the countries that are booked as the rest of the world.
    ``trade.csv`` and ``bulk_trade.csv`` hold the file's trade, with zeros for what it covers and does not name; records
    of the atlas that the file replaces are set to zero.  ``trade_overrides.csv`` takes back the corrections of the
    atlas' own estimate where BACI replaces all of it.

    Parameters
    ----------
    found
        What was read.
    tables
        The atlas.
    folder
        An empty folder, or one that is not there yet.

    Raises
    ------
    DataError
        If the folder holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(
            f"overlay {folder}", [Fault(str(folder), "", "", "an empty folder, or none", "something in it")]
        )
    key = ["exporter", "importer"]
    whole = found.source.startswith("baci ")
    recorded = found.bulk.group_by(*key, pl.col("product")).agg(pl.col("value_usd").sum())
    goods = tables["commodities"].select(pl.col("baci_products").alias("product"), pl.col("group").alias("commodity"))
    group_of = goods.explode("product").drop_nulls("product").unique("product", keep="first")
    shares = recorded.join(group_of, on="product").group_by(*key, "commodity").agg(record_usd=pl.col("value_usd").sum())
    trade = found.trade.join(shares, on=[*key, "commodity"], how="left").select(
        *key,
        pl.lit(found.year).alias("year"),
        "commodity",
        pl.col("value_usd").round(0).cast(pl.Int64),
        pl.col("tonnes").round(3),  # kilograms
        pl.when(pl.col("weighed_usd") > 0).then(pl.lit("derived")).otherwise(pl.lit("reported")).alias("kind"),
        pl.lit(found.source).alias("source"),
        (pl.col("record_usd").fill_null(0) / pl.col("value_usd")).fill_nan(0).round(4).alias("baci_share"),
    )
    old = tables["bulk_trade"].filter(pl.col("year") == found.year)
    old = old if whole else old.join(found.trade.select(key).unique(), on=key)
    gone = old.join(found.bulk, on=[*key, "product", "hs4"], how="anti")
    names = [*key, "product", "hs4"]
    new = found.bulk.select(*names, "value_usd", "tonnes")
    none = gone.select(*names).with_columns(value_usd=pl.lit(0.0), tonnes=pl.lit(0.0))
    bulk = pl.concat([new, none]).select(
        *key,
        pl.lit(found.year).alias("year"),
        "product",
        "hs4",
        pl.col("value_usd").round(0).cast(pl.Int64),
        pl.col("tonnes").round(3),
    )
    (folder / "report").mkdir(parents=True)
    trade.write_csv(folder / "trade.csv")
    bulk.write_csv(folder / "bulk_trade.csv")
    if whole:
        ids = tables["trade_overrides"].select("id").with_columns(tonnes=pl.lit("(empty)"), tonnes_factor=pl.lit(1))
        ids.write_csv(folder / "trade_overrides.csv")
    found.dropped.write_csv(folder / "report" / "dropped.csv")
    found.rest.write_csv(folder / "report" / "rest_of_world.csv")


def summary(found: ImportedTrade) -> dict[str, Any]:
    """Return what was read, in numbers."""
    trade = found.trade
    return {
        "source": found.source,
        "year": found.year,
        "rows": found.rows,
        "kept": found.kept,
        "dropped": found.reasons,
        "cells": trade.filter(pl.col("value_usd") > 0).height,
        "zeros": trade.filter(pl.col("value_usd") == 0).height,
        "value_usd": float(trade["value_usd"].sum()),
        "tonnes": float(trade["tonnes"].sum()),
        "weighed_usd": float(trade["weighed_usd"].sum()),
        "bulk_records": found.bulk.height,
        "rest_of_world": {code: {"rows": rows, "value_usd": value} for code, rows, value in found.rest.iter_rows()},
    }
