"""Ask of one value how it is known: its origin, its sources, and what other sources say instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.alternatives import alternatives_of
from landbridge.data.dictionary import read_dictionary
from landbridge.data.keys import cell, key_columns, row_names
from landbridge.data.provenance import OF_ATLAS, OF_ROW, USER, Origin, read_origins, row_keys
from landbridge.data.read import CLASS_COLUMNS
from landbridge.data.tables import Tables
from landbridge.errors import UnknownName

__all__ = ["explain", "source_use"]

#: Trust in a value that rests on several sources is that in the weakest.
TRUST = ("low", "medium", "high")


def source_use(folder: Path, tables: Tables) -> pl.DataFrame:
    """Sources with the number of provenance rows that rest on each, and of statements that are kept besides.

    A statement that is kept besides is a row of ``alternatives`` that is not in use: nothing rests on it.
    """
    use: Counter[str] = Counter()
    for table in read_dictionary(folder).tables:
        origins, _ = read_origins(folder, table)
        use.update(source for origin in origins.all for source in origin.sources)
    besides: Counter[str] = Counter()
    for row in tables["alternatives"].to_dicts() if "alternatives" in tables else []:
        besides.update(() if row["in_use"] else row["sources"] or ())
    return tables["sources"].with_columns(
        pl.col("id").replace_strict(dict(found), default=0, return_dtype=pl.Int64).alias(name)
        for name, found in (("rests_on", use), ("kept_besides", besides))
    )


def explain(folder: Path, tables: Tables, table: str, row: str, column: str) -> dict[str, Any]:
    """Return one value with how it is known.

    Parameters
    ----------
    folder
        The package's folder.
    tables
        Its tables.
    table, row, column
        Which cell.

    Returns
    -------
    dict
        table, row, column, value, unit, meaning, kind, as_of (date of the latest of its sources), confidence (in the
        weakest of them), sources (as lines), reasoning, and alternatives: what else is said of it, as
        `landbridge.data.alternatives.alternatives_of` gives it.  Kind is ``user`` for a value of the user's own
        overlay, whose file and row are the source.

    Raises
    ------
    UnknownName
        For a table, row or column that is not there.
    """
    dictionary = read_dictionary(folder)
    if table not in dictionary.tables:
        raise UnknownName("table", table, list(dictionary.tables))
    found = next((c for c in dictionary.of(table) if c.name == column), None)
    if found is None:
        raise UnknownName("column", column, [c.name for c in dictionary.of(table)])
    frame = tables[table]
    keys = row_keys(dictionary, table, frame)
    names = row_names(frame, key_columns(dictionary, table))
    if row not in keys and row not in names:
        raise UnknownName("row", row, names)
    place = names.index(row) if row in names else keys.index(row)
    stored = "length_measured_km" if (table, column) == ("links", "length_km") else column
    origin = read_origins(folder, table)[0].of(keys[place], column)
    if origin is None and table == "terminals" and column in CLASS_COLUMNS:
        origin = _of_class(folder, frame["class"][place], column)
    said = alternatives_of(tables.frames, table, names[place], column)
    value = frame[place][stored][0] if stored in frame.columns else None
    told: dict[str, Any] = {
        "table": table,
        "row": keys[place],
        "column": column,
        "value": value.to_list() if isinstance(value, pl.Series) else value,
        "unit": found.unit,
        "meaning": found.meaning,
        "kind": origin.kind if origin else ("not a number" if not found.is_number else "none"),
        **_dated(tables, origin.sources if origin else (), said),
        "sources": [
            line
            for source in (origin.sources if origin else ())
            for line in (_cited(tables, frame.row(place, named=True)) if source == OF_ROW else [_line(tables, source)])
        ],
        "reasoning": origin.reasoning if origin else "",
        "alternatives": said,
    }
    users = tables.overlay.values.get((table, names[place], column)) if tables.overlay else None
    if tables.overlay and users:
        known = f", of kind {origin.kind}" if origin and users.old is not None else ""
        instead = "for a row of the user's own" if users.added else f"in place of {cell(users.old) or 'nothing'}{known}"
        told |= {
            "row": names[place],
            "value": users.new,
            "kind": USER,
            "as_of": "",
            "confidence": "",
            "sources": [f"{tables.overlay.name}: {users.file}, row {users.line}"],
            "reasoning": f"The user's value, {instead}.",
        }
    return told


def _of_class(folder: Path, name: str, column: str) -> Origin | None:
    """How a value is known that a terminal takes from its class."""
    origin = read_origins(folder, "terminal_classes")[0].of(name, column)
    if origin is None:
        return None
    return replace(
        origin, reasoning=f"Not known of this terminal; that of its class {name}. {origin.reasoning}".strip()
    )


def _found(tables: Tables, source: str) -> tuple[str, Mapping[str, Any]] | None:
    """The table and the row of a source or a fact."""
    for table in ("sources", "facts"):
        listed = tables[table].filter(pl.col("id") == source)
        if listed.height:
            return table, listed.row(0, named=True)
    return None


def _cited(tables: Tables, row: Mapping[str, Any]) -> list[str]:
    """What a row names as its own sources: ids, a fact, a title with its address, or titles with addresses."""
    ids = row.get("sources") or ([row["fact_id"]] if row.get("fact_id") else [])
    told = [_line(tables, source) for source in ids]
    if row.get("source_title"):
        told.append(f"{row['source_title']} ({row['source_date'] or 'no date'}) {row['source_url'] or ''}".strip())
    told += [part.strip() for part in (row.get("source") or "").split(" ; ") if part.strip()]
    return told or ["the source columns of the row itself"]


def _line(tables: Tables, source: str) -> str:
    """A source in one line."""
    if source == OF_ATLAS:
        return "other values of the atlas, as the reasoning says"
    hit = _found(tables, source)
    if hit is None:
        return source
    table, row = hit
    if table == "sources":
        told = f"{source}: {row['publisher']}, {row['title']} ({row['date'] or 'no date'}) {row['address'] or ''}"
        return told.strip()
    value = "" if row["value"] is None else f"{row['value']:g} {row['unit'] or ''}"
    return f"{source}: {row['subject']}, {row['quantity']} {value}; {row['source_title']} {row['source_url'] or '-'}"


def _dated(tables: Tables, sources: tuple[str, ...], said: list[dict[str, Any]]) -> dict[str, str]:
    """When a value was stated and how far it is trusted: as its marked statement says, else as its sources are."""
    marked = next((one for one in said if one["in_use"]), None)
    rows = [hit for source in sources if (hit := _found(tables, source))]
    dates = [row["date"] if table == "sources" else row["source_date"] for table, row in rows]
    trust = [row["confidence"] for _, row in rows if row["confidence"] in TRUST]
    latest = max((date for date in dates if date and date[:4].isdigit()), default="")
    weakest = min(trust, key=TRUST.index, default="")
    return {
        "as_of": (marked["as_of"] if marked else None) or latest,
        "confidence": (marked["confidence"] if marked else None) or weakest,
    }
