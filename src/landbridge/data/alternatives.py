"""What other sources say of a value: the rows of ``alternatives.csv``, and whether they fit the tables.

Each row is one statement about one cell of another table.  The statement in use is marked and is what the cell holds;
the others stay beside it, each with the reason why it is not taken.  They are never averaged and never used in silence:
to compute with another one, put it into an overlay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from landbridge.data.dictionary import Column, Dictionary
from landbridge.data.keys import cell, key_columns, row_names
from landbridge.data.read import LINE, convert
from landbridge.errors import Fault, suggest

__all__ = ["TABLE", "alternative_faults", "alternatives_of"]

TABLE = "alternatives"
WHERE = f"{TABLE}.csv"
NEEDED = ("table", "row", "column", "value", "in_use", "kind", "sources", "why")


@dataclass(frozen=True)
class _Said:
    """One row that names an existing cell, its value read as that cell's type."""

    name: str
    typed: Any
    in_use: bool


def alternative_faults(
    frames: Mapping[str, pl.DataFrame],
    dictionary: Dictionary,
    *,
    besides: frozenset[tuple[str, str, str]] = frozenset(),
) -> list[Fault]:
    """Return what is wrong with the alternatives of a package.

    Parameters
    ----------
    frames
        Tables by name, as `landbridge.data.read.read_frames` gives them.
    dictionary
        Their dictionary.
    besides
        Cells (table, row, column) that a user's overlay replaces: there the marked value need not be the one in use.

    Returns
    -------
    list of Fault
        A cell, a column or a source that is not there; a value that is none of its column; a cell with one statement
        only, without a marked one or with several; a marked value other than that of the cell.
    """
    frame = frames.get(TABLE)
    if frame is None or not set(NEEDED) <= set(frame.columns):
        return []  # what is missing has been told by then
    faults: list[Fault] = []
    known = {"row"}.union(*(frames[t]["id"].drop_nulls().to_list() for t in ("sources", "facts") if "id" in frames[t]))
    names = {
        table: {name: i for i, name in enumerate(row_names(frames[table], key_columns(dictionary, table)))}
        for table in dict.fromkeys(frame["table"].drop_nulls().to_list())
        if table in dictionary.tables and table != TABLE
    }
    stated: dict[Column, list[tuple[int, str, str, dict[str, Any]]]] = {}
    for number, row in enumerate(frame.to_dicts(), start=2):
        table, key, column = row["table"] or "", row["row"] or "", row["column"] or ""
        name = f"row {number} ({table} {key} {column})"
        for source in row["sources"] or ():
            if source not in known:
                faults.append(Fault(WHERE, name, "sources", "an id of sources.csv or facts.csv", repr(source)))
        if row["kind"] in ("reported", "derived") and not row["sources"]:
            faults.append(Fault(WHERE, name, "sources", f"a source of what is {row['kind']}", "nothing"))
        of_table = {c.name: c for c in dictionary.of(table)}
        if table not in names:
            faults.append(Fault(WHERE, name, "table", _like("a table of the package", table, [*names]), repr(table)))
        elif column not in of_table:
            wanted = _like(f"a column of {table}", column, [*of_table])
            faults.append(Fault(WHERE, name, "column", wanted, repr(column)))
        elif key not in names[table]:
            faults.append(Fault(WHERE, name, "row", _like(f"a row of {table}", key, [*names[table]]), repr(key)))
        else:
            stated.setdefault(of_table[column], []).append((number, name, key, row))
    cells: dict[tuple[str, str, str], list[_Said]] = {}
    seen: Counter[tuple[str, str, str, str]] = Counter()
    for of_column, said in stated.items():
        typed, wrong = _typed(of_column, {number: row["value"] for number, _, _, row in said})
        told = {f"row {number}": name for number, name, _, _ in said}
        faults += [replace(fault, row=told[fault.row]) for fault in wrong]
        broken = {fault.row for fault in wrong}
        for (number, name, key, row), value in zip(said, typed, strict=True):
            if f"row {number}" not in broken:
                cell_key = (of_column.table, key, of_column.name)
                cells.setdefault(cell_key, []).append(_Said(name, value, bool(row["in_use"])))
                seen[*cell_key, cell(value)] += 1
                if seen[*cell_key, cell(value)] == 2:
                    faults.append(Fault(WHERE, name, "value", "each value once, with all its sources", cell(value)))
    for (table, key, column), ones in cells.items():
        marked = [one for one in ones if one.in_use]
        if len(ones) == 1:
            faults.append(Fault(WHERE, ones[0].name, "value", "at least two values of a cell", "one"))
        if len(marked) != 1:
            got = f"{len(marked)} of {len(ones)}" if marked else "none"
            faults.append(Fault(WHERE, (marked or ones)[-1].name, "in_use", "one value marked for the cell", got))
            continue
        stored = frames[table][column][names[table][key]] if column in frames[table].columns else None
        stored = stored.to_list() if isinstance(stored, pl.Series) else stored
        if (table, key, column) not in besides and cell(stored) != cell(marked[0].typed):
            wanted = f"the value of {table}.csv, {cell(stored) or 'nothing'}"
            faults.append(Fault(WHERE, marked[0].name, "value", wanted, cell(marked[0].typed)))
    return faults


def _like(wanted: str, name: str, candidates: list[str]) -> str:
    near = suggest(name, candidates)
    return f"{wanted}; did you mean {', '.join(near)}?" if near else wanted


def _typed(column: Column, texts: Mapping[int, str | None]) -> tuple[list[Any], list[Fault]]:
    """Read values, by their row, as a column would; an id need not be unique among statements about it."""
    of_type = replace(
        column, table=TABLE, name="value", required=True, type="text" if column.type == "id" else column.type
    )
    frame = pl.DataFrame({"value": list(texts.values()), LINE: list(texts)}, schema_overrides={"value": pl.String})
    series, faults = convert(frame, of_type)
    return series.to_list(), faults


def alternatives_of(frames: Mapping[str, pl.DataFrame], table: str, row: str, column: str) -> list[dict[str, Any]]:
    """Return what is said of one cell, the statement in use first.

    Parameters
    ----------
    frames
        Tables by name.
    table, row, column
        The cell; rows by what `landbridge.data.keys` names them.

    Returns
    -------
    list of dict
        value (as text), in_use, kind, sources, as_of, confidence, why; empty where only one source speaks.
    """
    if TABLE not in frames:
        return []
    said = frames[TABLE].filter((pl.col("table") == table) & (pl.col("row") == row) & (pl.col("column") == column))
    told = said.sort(~pl.col("in_use"), maintain_order=True).drop("table", "row", "column").to_dicts()
    return [{**one, "sources": one["sources"] or []} for one in told]
