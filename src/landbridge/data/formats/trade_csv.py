"""A trade matrix from a CSV file: who sells to whom, worth how much, in sectors or not, domestic sales included or not.

Columns are known by the names that published matrices use; other columns (a year, quantities) are left alone, and a
file of several years is refused. Values may be in any unit of money, one throughout.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from landbridge.data.dictionary import encoding_fault
from landbridge.errors import DataError, Fault

__all__ = ["NAMES", "read_trade_matrix"]

#: Columns of a matrix with the names they go by, the plainest first.
NAMES = {
    "exporter": ("exporter", "exporter_iso3", "exp", "origin", "iso3_o"),
    "importer": ("importer", "importer_iso3", "imp", "destination", "iso3_d"),
    "sector": ("commodity", "sector", "group", "product"),
    "value": ("value", "value_usd", "value_musd", "intermediate_musd", "trade", "trade_value"),
}
#: Faults of one kind that are spelled out, before the rest is counted.
SPELLED_OUT = 20


def read_trade_matrix(path: Path) -> pl.DataFrame:
    """Read a trade matrix.

    Parameters
    ----------
    path
        A CSV file with a header: exporter, importer, value, and perhaps a commodity or sector.

    Returns
    -------
    polars.DataFrame
        Columns exporter, importer, sector (``all`` where the file has none) and value, one row a flow.

    Raises
    ------
    DataError
        With every fault: no such column, years mixed, a value that is no number, below zero or missing, a pair twice.
    """
    subject = f"trade matrix {path}"
    if not path.is_file():
        raise DataError(subject, [Fault(f"{path}", "", "", "a CSV file", "no such file")])
    bad = encoding_fault(path, f"{path}")
    if bad:
        raise DataError(subject, [bad])
    try:
        frame = pl.read_csv(path, infer_schema=False, truncate_ragged_lines=False)
    except pl.exceptions.PolarsError as error:
        raise DataError(subject, [Fault(f"{path}", "", "", "a CSV file", str(error).splitlines()[0])]) from None
    found: dict[str, str] = {}
    faults = []
    for column, names in NAMES.items():
        here = [name for name in names if name in frame.columns]
        if here:
            found[column] = here[0]
        elif column != "sector":
            faults.append(
                Fault(f"{path}", "header", column, f"a column {' or '.join(names)}", ", ".join(frame.columns) or "none")
            )
    if faults:
        raise DataError(subject, faults)
    years = frame["year"].unique().to_list() if "year" in frame.columns else []
    if len(years) > 1:
        faults.append(Fault(f"{path}", "", "year", "one year", ", ".join(sorted(map(str, years))[:6])))
    sector = pl.col(found["sector"]) if "sector" in found else pl.lit("all")
    value = pl.col(found["value"]).str.strip_chars().cast(pl.Float64, strict=False)
    out = frame.with_row_index("line", 2).select(
        "line",
        pl.col(found["exporter"]).str.strip_chars().alias("exporter"),
        pl.col(found["importer"]).str.strip_chars().alias("importer"),
        sector.alias("sector"),
        value.alias("value"),
        pl.col(found["value"]).alias("text"),
    )
    unnamed = out.filter(pl.any_horizontal(pl.col("exporter", "importer", "sector").fill_null("") == ""))
    wrong = out.filter(pl.col("value").is_null() | ~pl.col("value").is_finite() | (pl.col("value") < 0))
    twice = out.filter(pl.struct("exporter", "importer", "sector").is_duplicated())
    for rows, field, wanted in (
        (unnamed, found["exporter"], "a name on both sides"),
        (wrong, found["value"], "a number of zero or more"),
        (twice, found["exporter"], "each flow once"),
    ):
        for row in rows.head(SPELLED_OUT).iter_rows(named=True):
            got = f"{row['exporter']} to {row['importer']}" if rows is not wrong else repr(row["text"] or "")
            faults.append(Fault(f"{path}", f"line {row['line']}", field, wanted, got))
        if rows.height > SPELLED_OUT:
            faults.append(Fault(f"{path}", "", field, wanted, f"{rows.height - SPELLED_OUT} more such rows"))
    if faults:
        raise DataError(subject, faults)
    if out.is_empty():
        raise DataError(subject, [Fault(f"{path}", "", "", "at least one flow", "none")])
    return out.select("exporter", "importer", "sector", "value")
