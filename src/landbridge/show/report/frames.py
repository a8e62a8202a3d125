"""Tables of any folder on the page: heads with meaning and unit, numbers with the place they were read from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from urllib.parse import quote

import polars as pl

from landbridge.show.report.folders import Folder
from landbridge.show.report.markup import ABSENT, SHARE, Column, Html, el, head, number, share_of, table, text_cell

__all__ = ["frame_table", "held", "places_for", "words_of"]

#: Rows shown of a table.
LONG = 30

#: Columns that number something: shown as they are.
WHOLE = frozenset({"year", "future", "step", "points", "train", "track", "n", "r", "replication", "opening_year"})


def words_of(name: str) -> str:
    """A column's name as words, without the unit at its end."""
    for end in ("_usd_yr", "_tonnes_yr", "_usd", "_pct", "_percent", "_km", "_yr"):
        if name.endswith(end) and name != end[1:]:
            name = name.removesuffix(end) + (" tonnes" if end == "_tonnes_yr" else "")
            break
    return name.replace("_", " ").capitalize()


def scale_of(column: str, unit: str, most: float) -> tuple[float, str]:
    """What values are multiplied by to be read, and the unit then."""
    if "USD" in unit and most >= 1e5:
        return 1e-6, unit.replace("USD", "USD mn")
    if (unit.startswith(("t/", "t a")) or "tonne" in column) and most >= 1e5:
        return 1e-6, unit.replace("t ", "Mt ", 1).replace("t/", "Mt/", 1) or "Mt"
    return 1.0, unit


def places_for(most: float) -> int:
    """Digits after the point that are worth reading."""
    return 0 if most >= 1000 else 1 if most >= 100 else 2 if most >= 10 else 3


def held(folder: Folder, table_name: str, column: str, row: int, value: float | None) -> dict[str, str]:
    """Attributes by which a number of a folder's table is found again."""
    return {
        "data_folder": folder.name,
        "data_table": table_name,
        "data_column": column,
        "data_row": f"row={row}",
        "data_value": "" if value is None else repr(float(value)),
    }


def frame_table(
    folder: Folder,
    name: str,
    frame: pl.DataFrame | None = None,
    *,
    columns: Sequence[str] = (),
    caption: str = "",
    note: str = "",
    limit: int = LONG,
) -> Html:
    """Show a table of a folder.

    Parameters
    ----------
    folder, name
        Which table.
    frame
        Rows of it, chosen and ordered, with their number in the table as ``row``; None = all as they stand.
    columns
        Columns shown; empty = all.
    caption, note
        Above and below.
    limit
        Rows shown; the rest is counted.
    """
    whole = folder.frame(name).with_row_index("row") if frame is None else frame
    shown = whole.head(limit)
    names = [c for c in (columns or whole.columns) if c != "row" and c in whole.columns]
    heads, how = [], {}
    for column in names:
        unit, means = folder.of_column(name, column)
        kind = whole.schema[column]
        numeric = kind.is_numeric()
        most = float(whole[column].cast(pl.Float64).fill_nan(None).abs().max() or 0.0) if numeric else 0.0  # type: ignore[arg-type]
        scale, unit = scale_of(column, unit, most) if numeric else (1.0, unit)
        how[column] = (numeric, scale, 0 if column in WHOLE or kind.is_integer() else places_for(most * scale))
        heads.append(Column(words_of(column), unit if numeric else "", text=not numeric, meaning=means))
    rows = []
    owners = [folder.own(row) for row in shown.to_dicts()]
    told_own = any(owner is not None for owner in owners)
    if told_own:
        heads.append(SHARE)
    for row, owner in zip(shown.to_dicts(), owners, strict=True):
        cells: list[Html] = []
        own = None if owner is None else str(owner)
        for column in names:
            numeric, scale, places = how[column]
            value = row[column]
            if numeric:
                value = None if value is None or math.isnan(value) else value
                text = (
                    str(int(value))
                    if value is not None and column in WHOLE
                    else number(None if value is None else value * scale, places)
                )
                cells.append(el("td", text, class_="n", data_own=own, **held(folder, name, column, row["row"], value)))
            else:
                text = ABSENT if value is None else _words(value)
                cells.append(head(text) if not cells else text_cell(text))
        rows.append([*cells, share_of(owner)] if told_own else cells)
    more = whole.height - shown.height
    told = f"{number(more)} more rows are in the folder. " if more > 0 else ""
    wide = any(isinstance(v, str) and len(v) > 60 for row in shown.to_dicts() for v in row.values())
    caption = caption or folder.of_table(name)
    label = f"{caption} ({folder.name}, {name})"
    return table(caption, heads, rows, class_="words" if wide else "", note=told + note, label=label)


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def number_in(folder: Folder, table_name: str, column: str, row: int, value: float | None, text: str) -> Html:
    """A number of a folder inside a sentence or beside a bar."""
    return el("span", text, class_="figure", **held(folder, table_name, column, row, value))


def address(text: str) -> str:
    """A name as part of an id."""
    return quote(text, safe="").replace("%", "-").lower()
