"""What names a row of a table: its id, or the columns that together do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import polars as pl

from landbridge.data.dictionary import Dictionary

__all__ = ["cell", "key_columns", "row_names"]

#: Keys of tables without ids; other columns of theirs are required too but say something about the row.
KEYS: Mapping[str, tuple[str, ...]] = {
    "countries": ("iso2",),
    "blocs": ("bloc", "iso2"),
    "zone_shares": ("zone", "commodity", "partner"),
    "trade": ("exporter", "importer", "year", "commodity"),
    "bulk_trade": ("exporter", "importer", "year", "product", "hs4"),
    "alternatives": ("table", "row", "column", "value"),
    "crosswalk": ("kind", "atlas_id", "target_id", "name"),
}


def key_columns(dictionary: Dictionary, table: str) -> tuple[str, ...]:
    """Return the columns that name a row.

    Parameters
    ----------
    dictionary
        The package's dictionary.
    table
        One of its tables.

    Returns
    -------
    tuple of str
        ``id`` where the table has ids; else the known key of the table, or its required columns other than quantities.
    """
    columns = dictionary.of(table)
    names = {column.name for column in columns}
    if "id" in names:
        return ("id",)
    if table in KEYS and set(KEYS[table]) <= names:
        return KEYS[table]
    return tuple(c.name for c in columns if c.required and c.type not in ("number", "list"))


def cell(value: object) -> str:
    """Return a typed value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list):
        return ";".join(map(str, value))
    return str(value)


def row_names(frame: pl.DataFrame, columns: tuple[str, ...]) -> list[str]:
    """Return the name of each row: its key, joined by ``:``; rows of the same key are numbered from the second."""
    if not columns or not set(columns) <= set(frame.columns):
        return [f"row {i + 2}" for i in range(frame.height)]
    seen: Counter[str] = Counter()
    names = []
    for values in frame.select(columns).iter_rows():
        name = ":".join(cell(value) for value in values)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return names
