"""Where a value comes from: the rows of ``provenance/<table>.csv`` and how the most specific one is found.

A row names an id (or a glob), a column (or a glob), how the value is known, the sources it rests on and, where it was
derived or estimated, the reasoning. Kinds are a closed set:

reported    stands in a source as it stands here
derived     computed from values that are known; the reasoning holds the formula, the source says whose they are
estimate    a judgement; the reasoning says on what it rests
calibrated  fitted to observations; the reasoning says to which
unknown     looked for and not found

A source is an id of ``sources`` or ``facts``; ``row`` for those that the row itself names; ``atlas`` where a value is
derived from other values of the atlas, which have their own origins.

A last column ``knew`` may stand in the file: facts, ids as sources, that whoever set the value had seen, though the
value is not made from them. What rests on such a value was not foretold; `landbridge.study.validate.classes` reads it.

A value of a user's own overlay is of the kind ``user``: no package states it, and its file and row are its source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import polars as pl

from landbridge.data.dictionary import Dictionary, read_rows
from landbridge.errors import Fault

__all__ = [
    "KINDS",
    "OF_ATLAS",
    "OF_ROW",
    "USER",
    "Origin",
    "Origins",
    "coverage",
    "known_faults",
    "origin_faults",
    "read_origins",
    "row_keys",
]

KINDS = ("reported", "derived", "estimate", "calibrated", "unknown")
USER = "user"
#: Words in place of a source id: the row's own sources; other values of the atlas.
OF_ROW, OF_ATLAS = "row", "atlas"
HEADER = "row,column,kind,source,reasoning"
#: The same with what was known when a value was set.
KNOWING = f"{HEADER},knew"


@cache
def _fits(column: str, pattern: str) -> bool:
    """Whether a column is meant; asked for each cell, though there are few columns and patterns."""
    return fnmatchcase(column, pattern)


@dataclass(frozen=True)
class Origin:
    """How a value, or a group of values, is known."""

    row: str
    column: str
    kind: str
    sources: tuple[str, ...]
    reasoning: str
    knew: tuple[str, ...] = ()

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
        self._by_column: dict[str, list[Origin]] = {}
        self.all: tuple[Origin, ...] = tuple(ordered)

    def _globs(self, column: str) -> list[Origin]:
        """Glob rows that fit a column, the most specific first; kept, since a table asks for each of its cells."""
        if column not in self._by_column:
            self._by_column[column] = [o for o in self._glob if _fits(column, o.column)]
        return self._by_column[column]

    def common(self, column: str) -> tuple[Origin | None, frozenset[str]]:
        """Return the origin that the cells of a column share, or None, and the rows that may have another."""
        globs = self._globs(column)
        if not globs or globs[0].row != "*":
            return None, frozenset()
        own = [row for row, group in self._exact.items() if any(_fits(column, o.column) for o in group)]
        return globs[0], frozenset(own)

    def of(self, row: str, column: str) -> Origin | None:
        """Return the most specific origin of a cell, or None."""
        for origin in self._exact.get(row, ()):
            if _fits(column, origin.column):
                return origin
        for origin in self._globs(column):
            if origin.row == "*" or fnmatchcase(row, origin.row):
                return origin
        return None


def read_origins(folder: Path, table: str) -> tuple[Origins, list[Fault]]:
    """Read ``provenance/<table>.csv``.

    Returns
    -------
    origins : Origins
    faults : list of Fault
        Unknown kinds, missing sources or reasoning, a wrong header, ragged rows. A missing file gives no origins and
        no fault: uncovered numbers are told by `origin_faults`.
    """
    path = folder / "provenance" / f"{table}.csv"
    where = f"provenance/{table}.csv"
    if not path.is_file():
        return Origins(()), []
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = KNOWING if file.readline().strip() == KNOWING else HEADER
    rows, faults = read_rows(path, where, header)
    origins: list[Origin] = []
    seen: dict[tuple[str, str], int] = {}
    for number, row in rows:
        name = f"row {number} ({row['row']})"
        sources, knew = (
            tuple(part.strip() for part in row.get(name, "").split(";") if part.strip()) for name in ("source", "knew")
        )
        if row["kind"] not in KINDS:
            faults.append(Fault(where, name, "kind", " or ".join(KINDS), repr(row["kind"])))
        if row["kind"] == "reported" and not sources:
            faults.append(Fault(where, name, "source", "a source id for a reported value", "nothing"))
        if row["kind"] == "derived" and not sources:
            wanted = f"whose values it is derived from: source ids, or {OF_ATLAS} for other values of the atlas"
            faults.append(Fault(where, name, "source", wanted, "nothing"))
        if OF_ATLAS in sources and row["kind"] != "derived":
            wanted = f"source ids; {OF_ATLAS} is for what is derived"
            faults.append(Fault(where, name, "source", wanted, f"{OF_ATLAS}, {row['kind']}"))
        if row["kind"] in ("derived", "estimate", "calibrated") and not row["reasoning"]:
            faults.append(Fault(where, name, "reasoning", f"the reasoning of a value of kind {row['kind']}", "nothing"))
        if (row["row"], row["column"]) in seen:
            wanted = "each row and column once, as one of two origins would be taken by chance"
            told = f"also in row {seen[row['row'], row['column']]}"
            faults.append(Fault(where, name, "row, column", wanted, told))
        seen.setdefault((row["row"], row["column"]), number)
        origins.append(Origin(row["row"], row["column"], row["kind"], sources, row["reasoning"], knew))
    return Origins(origins), faults


def row_keys(dictionary: Dictionary, table: str, frame: pl.DataFrame) -> list[str]:
    """Names of a table's rows: the id, or else the required columns that are not numbers, joined by ``:``."""
    if "id" in frame.columns:
        return frame["id"].fill_null("").to_list()
    names = [
        c.name
        for c in dictionary.of(table)
        if c.required and not c.is_number and c.type != "list" and c.name in frame.columns
    ]
    if not names:  # only a glob can cover such a table
        return [""] * frame.height
    return frame.select(pl.concat_str(names, separator=":", ignore_nulls=True)).to_series().to_list()


def _by_origin(
    origins: Origins, dictionary: Dictionary, table: str, frame: pl.DataFrame
) -> Iterator[tuple[str, Origin | None, int, str]]:
    """Yield number cells by column and origin: how many there are, and the row of the first."""
    keys = row_keys(dictionary, table, frame)
    for column in (c.name for c in dictionary.of(table) if c.is_number and c.name in frame.columns):
        filled = frame[column].is_not_null().arg_true().to_list()
        common, own = origins.common(column)
        found: dict[Origin | None, list[int]] = {}
        if common is None:
            apart = filled
        else:
            apart = [index for index in filled if keys[index] in own] if own else []
            rest = [index for index in filled if keys[index] not in own] if own else filled
            if rest:
                found[common] = rest
        for index in apart:
            found.setdefault(origins.of(keys[index], column), []).append(index)
        for origin, cells in found.items():
            yield column, origin, len(cells), f"row {cells[0] + 2} ({keys[cells[0]]})"


def _idle(origins: Origins, table: str, keys: set[str], columns: Sequence[str]) -> list[Fault]:
    """Origins that no cell can have: most often an id or a column that was renamed or misspelt."""
    faults = []
    for origin in origins.all:
        if not any(_fits(column, origin.column) for column in columns):
            faults.append(
                Fault(f"provenance/{table}.csv", origin.row, "column", f"a column of {table}.csv", repr(origin.column))
            )
        if origin.row not in keys and origin.row != "*" and not any(fnmatchcase(key, origin.row) for key in keys):
            faults.append(
                Fault(f"provenance/{table}.csv", origin.row, "row", f"a row of {table}.csv", repr(origin.row))
            )
    return faults


def known_faults(
    folder: Path, frames: dict[str, pl.DataFrame], dictionary: Dictionary
) -> tuple[list[Fault], pl.DataFrame]:
    """Tell how all numbers are known, and which are not.

    Returns
    -------
    faults : list of Fault
        Numbers without an origin, and origins of a row, a column or from a source that is not there.
    coverage : polars.DataFrame
        Number cells by table, column and kind of origin: columns table, column, kind, cells; kind is ``none`` where no
        origin was found.
    """
    faults: list[Fault] = []
    counted: Counter[tuple[str, str, str]] = Counter()
    known = {OF_ROW, OF_ATLAS}
    for listed in ("sources", "facts"):
        if listed in frames and "id" in frames[listed].columns:
            known |= set(frames[listed]["id"].to_list())
    for table in dictionary.tables:
        frame = frames[table]
        origins, more = read_origins(folder, table)
        faults.extend(more)
        keys = row_keys(dictionary, table, frame)
        if all(c.name in frame.columns for c in dictionary.of(table)):  # else the keys may lack a part
            faults.extend(_idle(origins, table, set(keys), frame.columns))
        for origin in origins.all:
            faults.extend(
                Fault(
                    f"provenance/{table}.csv", origin.row, "source", "an id of sources.csv or facts.csv", repr(source)
                )
                for source in origin.sources
                if source not in known
            )
            faults.extend(
                Fault(f"provenance/{table}.csv", origin.row, "knew", "an id of sources.csv or facts.csv", repr(fact))
                for fact in origin.knew
                if fact not in known
            )
        for column, found, count, first in _by_origin(origins, dictionary, table, frame):
            counted[table, column, found.kind if found else "none"] += count
            if found is None:
                more_cells = f" (and {count - 1} more cells of this column)" if count > 1 else ""
                faults.append(Fault(f"{table}.csv", first, column, "an origin in provenance/", f"none{more_cells}"))
            elif found.kind == "unknown":
                wanted = "how this value is known"
                more_cells = f" (and {count - 1} more cells of this column)" if count > 1 else ""
                faults.append(Fault(f"{table}.csv", first, column, wanted, f"unknown{more_cells}"))
    ordered = [(t, c, k, n) for (t, c, k), n in counted.items()]
    return faults, pl.DataFrame(ordered, schema=["table", "column", "kind", "cells"], orient="row")


def origin_faults(folder: Path, frames: dict[str, pl.DataFrame], dictionary: Dictionary) -> list[Fault]:
    """Return the faults of `known_faults` alone."""
    return known_faults(folder, frames, dictionary)[0]


def coverage(folder: Path, frames: dict[str, pl.DataFrame], dictionary: Dictionary) -> pl.DataFrame:
    """Return the counts of `known_faults` alone."""
    return known_faults(folder, frames, dictionary)[1]
