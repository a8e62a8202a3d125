"""Where a value comes from: the rows of ``provenance/<table>.csv`` and how the most specific one is found.

A row names an id (or a glob), a column (or a glob), how the value is known, the sources it rests on and, where it was
derived or estimated, the reasoning. Kinds are a closed set:

reported    stands in a source as it stands here
derived     computed from reported values; the reasoning holds the formula
estimate    a judgement; the reasoning says on what it rests
calibrated  fitted to observations; the reasoning says to which
unknown     looked for and not found
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl

from landbridge.data.dictionary import Dictionary
from landbridge.errors import Fault

__all__ = ["KINDS", "Origin", "Origins", "coverage", "origin_faults", "read_origins", "row_keys"]

KINDS = ("reported", "derived", "estimate", "calibrated", "unknown")
HEADER = ["row", "column", "kind", "source", "reasoning"]


@dataclass(frozen=True)
class Origin:
    """How a value, or a group of values, is known."""

    row: str
    column: str
    kind: str
    sources: tuple[str, ...]
    reasoning: str

    @property
    def specificity(self) -> tuple[int, int, int, int]:
        """Order of precedence: exact before glob, then the longer literal, the row before the column."""
        row_exact = int("*" not in self.row and "?" not in self.row)
        column_exact = int("*" not in self.column and "?" not in self.column)
        return row_exact, column_exact, len(self.row.replace("*", "")), len(self.column.replace("*", ""))


class Origins:
    """The origins of one table, ready to be asked; built once, never changed."""

    def __init__(self, origins: Sequence[Origin]) -> None:
        ordered = sorted(origins, key=lambda origin: origin.specificity, reverse=True)
        self._exact: dict[str, list[Origin]] = {}
        self._glob: list[Origin] = []
        for origin in ordered:
            if "*" in origin.row or "?" in origin.row:
                self._glob.append(origin)
            else:
                self._exact.setdefault(origin.row, []).append(origin)
        self.all: tuple[Origin, ...] = tuple(ordered)

    def of(self, row: str, column: str) -> Origin | None:
        """Return the most specific origin of a cell, or None."""
        for origin in self._exact.get(row, ()):
            if fnmatchcase(column, origin.column):
                return origin
        for origin in self._glob:
            if fnmatchcase(column, origin.column) and fnmatchcase(row, origin.row):
                return origin
        return None


def read_origins(folder: Path, table: str) -> tuple[Origins, list[Fault]]:
    """Read ``provenance/<table>.csv``.

    Returns
    -------
    origins : Origins
    faults : list of Fault
        Unknown kinds, missing sources or reasoning, a wrong header. A missing file gives no origins and no fault:
        uncovered numbers are told by `origin_faults`.
    """
    path = folder / "provenance" / f"{table}.csv"
    where = f"provenance/{table}.csv"
    if not path.is_file():
        return Origins(()), []
    faults: list[Fault] = []
    origins: list[Origin] = []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if list(reader.fieldnames or ()) != HEADER:
            return Origins(()), [Fault(where, "header", "", ",".join(HEADER), ",".join(reader.fieldnames or ()))]
        for number, row in enumerate(reader, start=2):
            name = f"row {number} ({row['row']})"
            sources = tuple(part.strip() for part in (row["source"] or "").split(";") if part.strip())
            if row["kind"] not in KINDS:
                faults.append(Fault(where, name, "kind", " or ".join(KINDS), repr(row["kind"])))
            if row["kind"] == "reported" and not sources:
                faults.append(Fault(where, name, "source", "a source id for a reported value", "nothing"))
            if row["kind"] in ("derived", "estimate", "calibrated") and not row["reasoning"]:
                faults.append(
                    Fault(where, name, "reasoning", f"the reasoning of a value of kind {row['kind']}", "nothing")
                )
            origins.append(Origin(row["row"], row["column"], row["kind"], sources, row["reasoning"] or ""))
    return Origins(origins), faults


def row_keys(dictionary: Dictionary, table: str, frame: pl.DataFrame) -> list[str]:
    """Names of a table's rows: the id, or else the required columns that are not numbers, joined by ``:``."""
    if "id" in frame.columns:
        return frame["id"].to_list()
    names = [c.name for c in dictionary.of(table) if c.required and not c.is_number and c.name in frame.columns]
    return frame.select(pl.concat_str(names, separator=":", ignore_nulls=True)).to_series().to_list() if names else []


def _cells(frame: pl.DataFrame, ids: Sequence[str], columns: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    for column in columns:
        for index in frame[column].is_not_null().arg_true().to_list():
            yield index, ids[index], column


def _numbers(dictionary: Dictionary, table: str, frame: pl.DataFrame) -> list[str]:
    return [c.name for c in dictionary.of(table) if c.is_number and c.name in frame.columns]


def origin_faults(folder: Path, frames: dict[str, pl.DataFrame], dictionary: Dictionary) -> list[Fault]:
    """Numbers without an origin, and origins that name a source which is not there."""
    faults: list[Fault] = []
    known = set(frames["sources"]["id"].to_list()) | {"row"} if "sources" in frames else {"row"}
    if "facts" in frames:
        known |= set(frames["facts"]["id"].to_list())
    for table in dictionary.tables:
        frame = frames[table]
        origins, more = read_origins(folder, table)
        faults.extend(more)
        for origin in origins.all:
            faults.extend(
                Fault(
                    f"provenance/{table}.csv", origin.row, "source", "an id of sources.csv or facts.csv", repr(source)
                )
                for source in origin.sources
                if source not in known
            )
        missing: Counter[str] = Counter()
        first: dict[str, str] = {}
        memo: dict[tuple[str, str], bool] = {}
        for index, row, column in _cells(frame, row_keys(dictionary, table, frame), _numbers(dictionary, table, frame)):
            key = (row, column)
            if key not in memo:
                memo[key] = origins.of(row, column) is not None
            if not memo[key]:
                missing[column] += 1
                first.setdefault(column, f"row {index + 2} ({row})")
        for column, count in missing.items():
            faults.append(
                Fault(
                    f"{table}.csv",
                    first[column],
                    column,
                    "an origin in provenance/",
                    f"none (and {count - 1} more cells of this column)",
                )
            )
    return faults


def coverage(folder: Path, frames: dict[str, pl.DataFrame], dictionary: Dictionary) -> pl.DataFrame:
    """Count number cells by table, column and kind of origin.

    Returns
    -------
    polars.DataFrame
        Columns table, column, kind, cells; kind is ``none`` where no origin was found.
    """
    rows: Counter[tuple[str, str, str]] = Counter()
    for table in dictionary.tables:
        frame = frames[table]
        origins, _ = read_origins(folder, table)
        memo: dict[tuple[str, str], str] = {}
        for _, row, column in _cells(frame, row_keys(dictionary, table, frame), _numbers(dictionary, table, frame)):
            key = (row, column)
            if key not in memo:
                origin = origins.of(row, column)
                memo[key] = origin.kind if origin else "none"
            rows[table, column, memo[key]] += 1
    ordered = [(t, c, k, n) for (t, c, k), n in rows.items()]
    return pl.DataFrame(ordered, schema=["table", "column", "kind", "cells"], orient="row")
