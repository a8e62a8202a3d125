"""Hold a results folder against observed figures.

The rows are answered as `landbridge.study.validate` does, from the years and scenarios of one results folder and no
others: flows of other years are not covered here. Three statuses are told apart:

compared      the model could have been wrong
echo          the number compared rests on the observed figure itself, as the provenance of the atlas tells, so that
              meeting it is no success
not covered   the model, or this results folder, has no such number
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.study.results import Results
from landbridge.study.validate.classes import ECHO, Classes
from landbridge.study.validate.form import read_targets
from landbridge.study.validate.validate import NOT_COVERED, rows_of
from landbridge.study.validate.worlds import FolderWorld

__all__ = ["against"]


def against(results: Results, tables: Tables, file: Path | None = None) -> pl.DataFrame:
    """Compare observed figures with the first scenario of a results folder.

    Parameters
    ----------
    results
        A results folder.
    tables
        The atlas it was made from.
    file
        Targets in the atlas' form; None takes the atlas' own.

    Returns
    -------
    polars.DataFrame
        One row a target, in the file's order: id, indicator, subject, direction, year, unit, observed, low, high,
        modelled, error_percent, inside (``yes``, ``no`` or null), status (``compared``, ``echo`` or ``not covered``)
        and why (the reason, or what to know about the model's number).

    Raises
    ------
    DataError
        If the file does not have the form of targets.
    """
    targets = tables["targets"] if file is None else read_targets(file)
    frame = rows_of(FolderWorld(results, tables), targets, Classes(tables), naive=False)
    rows = []
    for row in frame.to_dicts():
        echo = f"echo: {row['rests_on']}" if row["class"] == ECHO else ""
        lost = row["class"] == NOT_COVERED
        told = {
            "modelled": row["modelled"],
            "error_percent": row["error_pct"],
            "inside": None if row["inside"] is None else "yes" if row["inside"] else "no",
            "status": "not covered" if lost else "echo" if echo else "compared",
            "why": row["why"] if lost else "; ".join(part for part in (echo, row["note"]) if part),
        }
        kept = ("id", "indicator", "subject", "direction", "year", "unit", "observed", "low", "high")
        rows.append({**{c: row[c] for c in kept}, **told})
    text, number = pl.String, pl.Float64
    schema: dict[str, Any] = {
        "id": text, "indicator": text, "subject": text, "direction": text, "year": pl.Int64, "unit": text,
        "observed": number, "low": number, "high": number, "modelled": number, "error_percent": number,
        "inside": text, "status": text, "why": text,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)
