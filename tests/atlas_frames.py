"""Tables of the atlas with a fault planted in one row, and the fault that must be told of it."""

from __future__ import annotations

from typing import Any

import polars as pl

from landbridge.errors import Fault

Frames = dict[str, pl.DataFrame]


def planted(frames: Frames, table: str, row: str | int, cells: dict[str, Any]) -> Frames:
    """The tables with other cells in one row."""
    rows = frames[table].to_dicts()
    key = frames[table].columns[0]
    (found,) = [rows[row - 2]] if isinstance(row, int) else [r for r in rows if r[key] == row]
    assert any(found[column] != cell for column, cell in cells.items())
    schema = frames[table].schema
    for column, cell in cells.items():
        dated = schema[column] == pl.Date and isinstance(cell, str)
        found[column] = pl.Series([cell]).str.to_date().item() if dated else cell
    return {**frames, table: pl.DataFrame(rows, schema=schema)}


def only(faults: list[Fault], table: str, row: str | int, said: tuple[str, str, str]) -> None:
    """One of the faults is that, at that row."""
    field, wanted, got = said
    found = [f for f in faults if (f.where, f.field) == (f"{table}.csv", field) and wanted in f.wanted]
    assert len(found) == 1, "\n".join(map(str, faults))
    assert got in found[0].got
    assert (f"row {row}" if isinstance(row, int) and table in ("alternatives", "crosswalk") else "") in found[0].row
    if isinstance(row, str):
        assert row in found[0].row
