"""Chapters on routes from door to door, and on flows of a network file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.errors import OutputError
from landbridge.show.report.folders import Folder
from landbridge.show.report.frames import words_of
from landbridge.show.report.markup import ABSENT, Column, Html, el, head, join, number, table, text_cell

__all__ = ["assignment", "routes"]

#: Links of an assigned network that are shown, the fullest first.
LINKS = 40


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError) as error:
        raise OutputError(f"{path} could not be read: {error}") from error


def _cell(value: Any) -> Html:
    try:
        figure = float(value)
    except (TypeError, ValueError):
        return text_cell(ABSENT if value in (None, "") else str(value).replace(";", ", "))
    places = 0 if figure == int(figure) or abs(figure) >= 100 else 2
    return el("td", number(figure, places), class_="n", data_sort=repr(figure))


def _listed(rows: list[dict[str, str]], caption: str, note: str = "") -> Html:
    if not rows:
        return Html("")
    names = [name for name in rows[0] if any(row[name] not in ("", None) for row in rows)]
    columns = [Column(words_of(name)) for name in names]
    body = [[head(row[names[0]]), *[_cell(row[name]) for name in names[1:]]] for row in rows]
    return table(caption, columns, body, note=note)


def routes(folder: Folder) -> Html:
    """Show the routes that were found, and their legs."""
    return join(
        [
            _listed(_read(folder.path / "routes.csv"), "Routes"),
            _listed(_read(folder.path / "legs.csv"), "Legs, one after the other"),
        ]
    )


def assignment(folder: Folder) -> Html:
    """Show how a network file's trips were assigned, and its fullest links."""
    told = folder.told
    facts = [(words_of(k), v) for k, v in told.items() if isinstance(v, str | int | float) and not isinstance(v, bool)]
    listed = [
        join([el("dt", k), el("dd", v if isinstance(v, str) else f"{v:,.6g}".replace(",", "\u202f"))]) for k, v in facts
    ]
    links = folder.path / "links.csv"
    try:
        frame = pl.read_csv(links, infer_schema_length=None) if links.is_file() else pl.DataFrame()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise OutputError(f"{links} could not be read: {error}") from error
    shown = (
        frame.sort("use", descending=True, nulls_last=True).head(LINKS) if "use" in frame.columns else frame.head(LINKS)
    )
    rows = [{k: "" if v is None else str(v) for k, v in row.items()} for row in shown.to_dicts()]
    note = f"{number(frame.height - shown.height)} more links are in the folder." if frame.height > shown.height else ""
    return join([el("dl", *listed, class_="facts"), _listed(rows, "The fullest links", note)])
