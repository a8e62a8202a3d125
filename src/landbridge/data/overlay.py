"""A user's own values over a data package: tariffs, border hours, links, trade.

An overlay is a folder of CSV files named as the tables (or one such file).  A file has the columns that name a row
(``id``, or as `landbridge.data.keys` says) and those it changes, and only the rows it changes:

    rates.csv       id,usd_teu_km,note
                    rail-kz,0.31,our contract of 2025

A cell that is left empty keeps the package's value; ``(empty)`` takes it away.  A row that the package does not have is
new and must be whole.  The overlay is held against the same dictionary and the same checks as a package, all faults are
told at once, each with the file and row, and with any fault nothing of it is used.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from landbridge.data.alternatives import alternative_faults
from landbridge.data.attributes import PERIODS, order_faults
from landbridge.data.check import frame_faults
from landbridge.data.dictionary import Column, Dictionary, encoding_fault
from landbridge.data.keys import cell, key_columns, row_names
from landbridge.data.read import (
    ATLAS,
    LINE,
    complete,
    convert,
    created_on,
    package_hash,
    read_descriptor,
    read_frames,
    table_faults,
)
from landbridge.data.tables import DataPackage, Overlay, Tables, UserValue
from landbridge.errors import DataError, Fault, suggest

__all__ = ["NOTHING", "read_overlay"]

#: What a cell says that takes a value away.
NOTHING = "(empty)"


@dataclass(frozen=True)
class _Part:
    """One file of an overlay: the cells it states, as text, and the line of each row."""

    where: str
    table: str
    columns: tuple[str, ...]
    lines: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]


def read_overlay(path: Path, *, base: Path = ATLAS, name: str | None = None) -> Tables:
    """Read a package with a user's own values in it.

    Parameters
    ----------
    path
        A folder of CSV files, or one file.
    base
        The package's folder.
    name
        What the overlay is called; by default the name of the folder, or of the file without its ending.

    Returns
    -------
    Tables
        Those of the package with the user's values in place; they carry the overlay, so that each value can be asked
        where it comes from.

    Raises
    ------
    DataError
        With every fault of the package, or every fault of the overlay.
    """
    called = name or (path.stem if path.is_file() else path.resolve().name)
    frames, dictionary, broken = read_frames(base)
    words, more = read_descriptor(base)
    if broken or more:
        raise DataError(f"data package {base.name}", [*broken, *more])
    parts, faults = _parts(path, dictionary)
    merged = dict(frames)
    values: dict[tuple[str, str, str], UserValue] = {}
    lines: dict[str, dict[str, int]] = {}
    for part in parts:
        frame, found, told = _merge(part, frames[part.table], dictionary)
        faults += told
        merged[part.table] = frame
        for value in found:
            values[value.table, value.row, value.column] = value
            lines.setdefault(part.table, {})[value.row] = value.line
    faults += _shadowed(merged, values)
    # a row that could not be read would be told again as a row that is missing, and what is wrong in itself twice
    if all(fault.field and fault.row.startswith("row ") for fault in faults):
        wrong = {fault.where for fault in faults}
        told = _together(frames, merged, dictionary, lines, frozenset(values))
        faults += [fault for fault in told if not wrong or fault.where in {part.where for part in parts} - wrong]
    if faults:
        raise DataError(f"overlay {path}", faults)
    files = {part.where: _file(path, part.where).read_bytes() for part in parts}
    overlay = Overlay(called, _hash(files), MappingProxyType(files), MappingProxyType(values))
    return Tables(complete(merged), DataPackage(base, *words, package_hash(base), created_on(base)), overlay)


def _file(path: Path, name: str) -> Path:
    return path if path.is_file() else path / name


def _hash(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode())
        digest.update(hashlib.sha256(files[name]).digest())
    return digest.hexdigest()


# -- reading ---------------------------------------------------------------------------------------------------------


def _parts(path: Path, dictionary: Dictionary) -> tuple[list[_Part], list[Fault]]:
    """Read the files, with the faults of their names, headers and shape."""
    if not path.exists():
        return [], [Fault(str(path), "", "", "a folder of CSV files, or one", "nothing")]
    files = [path] if path.is_file() else sorted(path.glob("*.csv"))
    if not files:
        return [], [Fault(str(path), "", "", "CSV files named as tables of the package", "none")]
    parts, faults = [], []
    for file in files:
        part, told = _part(file, dictionary)
        faults += told
        if part is not None:
            parts.append(part)
    return parts, faults


def _part(file: Path, dictionary: Dictionary) -> tuple[_Part | None, list[Fault]]:
    where, table = file.name, file.stem
    if table not in dictionary.tables or file.suffix != ".csv":
        return None, [Fault(where, "", "", _likely(file, dictionary), where)]
    wrong = encoding_fault(file, where)
    if wrong:
        return None, [wrong]
    reader = csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline=""))
    header = next(reader, [])
    if len(header) == 1 and any(sign in header[0] for sign in ";\t"):  # what spreadsheets write in some countries
        sign = "semicolons" if ";" in header[0] else "tabs"
        return None, [Fault(where, "header", "", "columns divided by commas (and a point in numbers)", sign)]
    known = [column.name for column in dictionary.of(table)]
    faults, unclear = [], []
    for name in header:
        if name not in known:
            near = suggest(name, known)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            faults.append(Fault(where, "header", name, f"a column of {table} ({', '.join(known)}){hint}", repr(name)))
        elif header.count(name) > 1:
            unclear.append(Fault(where, "header", name, "each column once", "twice"))
    unclear += [
        Fault(where, "header", name, "this column, which names the row", "nothing")
        for name in key_columns(dictionary, table)
        if name not in header
    ]
    if unclear:  # which cell is meant cannot be told
        return None, list(dict.fromkeys(faults + unclear))
    kept = [index for index, name in enumerate(header) if name in known]  # the rest is told of those
    lines, rows = [], []
    for number, cells in enumerate(reader, start=2):
        if not cells:
            continue
        if len(cells) != len(header):
            wanted = f"{len(header)} cells, as in the header"
            faults.append(Fault(where, f"row {number} ({cells[0]})", "", wanted, f"{len(cells)} cells"))
            continue
        lines.append(number)
        rows.append(tuple(cells[index].strip() for index in kept))
    if not rows and not faults:
        faults.append(Fault(where, "", "", "rows", "none"))
    return _Part(where, table, tuple(header[index] for index in kept), tuple(lines), tuple(rows)), faults


def _likely(file: Path, dictionary: Dictionary) -> str:
    """What a file should be called: a table of nearly its name, those that have its columns, or any."""
    near = suggest(file.stem, dictionary.tables)
    header: set[str] = set()
    if encoding_fault(file, file.name) is None:
        with file.open(encoding="utf-8-sig", newline="") as text:
            header = set(next(csv.reader(text), []))
    columns = {table: {column.name for column in dictionary.of(table)} for table in dictionary.tables}
    # the key alone is in nearly every table; what else the file states tells which is meant
    fitting = [table for table, names in columns.items() if header <= names and header - {"id", "note"}]
    meant = [name for name in near if name in fitting or not fitting]
    if meant:
        return f"the name of a table of the package; did you mean {', '.join(f'{t}.csv' for t in meant)}?"
    if fitting:
        return f"the name of a table of the package; its columns are those of {', '.join(f'{t}.csv' for t in fitting)}"
    return f"the name of a table of the package ({', '.join(dictionary.tables)})"


# -- merging ---------------------------------------------------------------------------------------------------------


def _typed(part: _Part, columns: Mapping[str, Column]) -> tuple[dict[str, pl.Series], list[Fault]]:
    """Cells by column as their types; what is missing in a new row is told elsewhere."""
    text = {
        name: [None if row[i] in ("", NOTHING) else row[i] for row in part.rows] for i, name in enumerate(part.columns)
    }
    frame = pl.DataFrame({**text, LINE: part.lines}, schema={**dict.fromkeys(text, pl.String), LINE: pl.Int64})
    series, faults = {}, []
    for name in part.columns:
        column = columns[name]
        column = replace(column, required=False, type="text" if column.type == "id" else column.type)
        series[name], told = convert(frame, column)
        faults += told
    return series, faults


def _merge(
    part: _Part, base: pl.DataFrame, dictionary: Dictionary
) -> tuple[pl.DataFrame, list[UserValue], list[Fault]]:
    """Put one file's cells into its table."""
    columns = {column.name: column for column in dictionary.of(part.table)}
    keys = key_columns(dictionary, part.table)
    series, faults = _typed(part, columns)
    cells = {name: values.to_list() for name, values in series.items()}
    places = {name: i for i, name in enumerate(row_names(base, keys))}
    found: dict[str, int] = {}
    changes: dict[str, dict[int, Any]] = {}
    values: list[UserValue] = []
    new: list[int] = []
    for index, (line, row) in enumerate(zip(part.lines, part.rows, strict=True)):
        name = ":".join(cell(cells[key][index]) for key in keys)
        told = f"row {line} ({name})"
        if any(cells[key][index] is None for key in keys if columns[key].required):
            faults.append(Fault(part.where, f"row {line}", ", ".join(keys), "what names the row", "nothing"))
            continue
        if name in found:
            faults.append(Fault(part.where, told, ", ".join(keys), "each row once", f"also in row {found[name]}"))
            continue
        found[name] = line
        place = places.get(name)
        if place is None:
            new.append(index)
            lacks = _missing(part, columns, cells, index, told)
            near = suggest(name, list(places)) if lacks else []  # a misspelt row rather than a new one
            if near:
                first = lacks[0]
                lacks[0] = replace(first, wanted=f"{first.wanted}; did you mean {', '.join(near)}?")
            faults += lacks
        for column, text in zip(part.columns, row, strict=True):
            if column in keys or not text:
                continue
            if text == NOTHING and columns[column].required:
                faults.append(Fault(part.where, told, column, "a value, which this column needs", NOTHING))
            value = cells[column][index]
            old = None if place is None else _plain(base[column][place])
            if place is not None:
                changes.setdefault(column, {})[place] = value
            values.append(UserValue(part.table, name, column, part.where, line, old, value, added=place is None))
    frame = base.with_columns(
        _patched(base[column], cell_changes) for column, cell_changes in changes.items() if cell_changes
    )
    if new:
        rows = pl.DataFrame(
            {
                c: pl.Series(c, [cells[c][i] if c in cells else None for i in new], dtype=base.schema[c])
                for c in base.columns
            }
        )
        frame = pl.concat([frame, rows], how="vertical")
    return frame, values, faults


def _plain(value: Any) -> Any:
    """A cell as a Python value; a list cell comes as a series."""
    return value.to_list() if isinstance(value, pl.Series) else value


def _patched(column: pl.Series, changes: Mapping[int, Any]) -> pl.Series:
    values = column.to_list()
    for place, value in changes.items():
        values[place] = value
    return pl.Series(column.name, values, dtype=column.dtype)


def _missing(
    part: _Part, columns: Mapping[str, Column], cells: Mapping[str, Sequence[Any]], index: int, told: str
) -> list[Fault]:
    """What a new row must have and has not, in one fault; a cell that could not be read was told before."""
    lacks = []
    for name, column in columns.items():
        if not column.required:
            continue
        stated = name in cells and part.rows[index][part.columns.index(name)] not in ("", NOTHING)
        if not stated:
            lacks.append(name)
    if not lacks:
        return []
    wanted = (
        f"{'a value' if len(lacks) == 1 else 'values'}, for {part.table} has no such row and a new one must be whole"
    )
    return [Fault(part.where, told, ", ".join(lacks), wanted, "nothing")]


# -- checking --------------------------------------------------------------------------------------------------------


def _shadowed(frames: Mapping[str, pl.DataFrame], values: Mapping[tuple[str, str, str], UserValue]) -> list[Fault]:
    """Lengths of links that would change nothing, since the published length beside them is the one in use."""
    faults = []
    for (table, row, column), value in values.items():
        if (table, column) != ("links", "length_km") or (table, row, "length_official_km") in values:
            continue
        official = frames["links"].filter(pl.col("id") == row)["length_official_km"].item()
        if official is not None:
            wanted = f"length_official_km beside it, a value or {NOTHING}: the published {official:g} km are in use"
            faults.append(Fault(value.file, f"row {value.line} ({row})", "length_km", wanted, cell(value.new)))
    return faults


def _together(
    base: Mapping[str, pl.DataFrame],
    merged: dict[str, pl.DataFrame],
    dictionary: Dictionary,
    lines: Mapping[str, Mapping[str, int]],
    users: frozenset[tuple[str, str, str]],
) -> list[Fault]:
    """Faults that only all tables show, where the overlay brought them in, at the overlay's rows."""
    faults = table_faults(merged, dictionary) + frame_faults(merged)
    faults += alternative_faults(merged, dictionary, besides=users)
    faults += [fault for fault in order_faults(merged) if _own_order(fault, users)]
    if not faults:
        return []
    before = {*frame_faults(dict(base)), *alternative_faults(base, dictionary)}
    names = {table: row_names(merged[table], key_columns(dictionary, table)) for table in lines}
    return [_placed(fault, names, lines) for fault in faults if fault not in before]


def _own_order(fault: Fault, users: frozenset[tuple[str, str, str]]) -> bool:
    """Whether both values that are out of order are the user's: past a range that others state a user may go."""
    table = fault.where.removesuffix(".csv")
    other = re.match(r"at least (\w+),", fault.wanted)
    first = other.group(1) if other else PERIODS.get(table, ("", ""))[0]
    return {(table, fault.row, fault.field), (table, fault.row, first)} <= users


def _placed(fault: Fault, names: Mapping[str, Sequence[str]], lines: Mapping[str, Mapping[str, int]]) -> Fault:
    """A fault of the merged tables as one of the overlay's file and row, where it stands there."""
    table = fault.where.removesuffix(".csv")
    if table not in lines:
        return replace(fault, where=f"{fault.where} with this overlay")
    numbered = re.match(r"row (\d+)\b", fault.row)
    key = names[table][int(numbered.group(1)) - 2] if numbered else fault.row.removeprefix("row of ")
    if key in lines[table]:
        return replace(fault, row=f"row {lines[table][key]} ({key})")
    return replace(fault, where=f"{fault.where} with this overlay")
