"""The results folder of a validation: its tables, and a manifest that says what each column is.

validation.json     what was compared with what: atlas, file, size, runs, scores, and the columns of each table
tables/*.parquet    targets, by_class, by_topic, worst
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from landbridge import __version__
from landbridge.data.tables import Tables
from landbridge.study.results import whole_folder
from landbridge.study.validate.validate import Validation

__all__ = ["COLUMNS", "MARKER", "write_tables", "write_validation"]

MARKER = "validation.json"

#: Meaning and unit of each column of the tables.
COLUMNS: dict[str, str] = {
    "id": "Number of the target",
    "class": "echo: the observed figure is an input; fitted: a value was calibrated to it; predicted; not_covered",
    "topic": "What the indicator is about",
    "indicator": "What is compared",
    "subject": "What the number is about, in the notation of target files",
    "direction": "Direction of the flow",
    "year": "Year of the observation",
    "period": "Part of the year",
    "unit": "Unit of observed, low, high, modelled, naive_last and naive_growth",
    "kind": "level, ratio, sign, order or input",
    "observed": "The number as published",
    "low": "Lower end of the band; empty = open",
    "high": "Upper end of the band; empty = open",
    "modelled": "The model's number, for the same part of the year",
    "error_pct": "Modelled less observed over observed, per cent",
    "log_error": "Absolute natural logarithm of modelled over observed",
    "inside": "In by target: whether the model lies in the band; in scores: how many do",
    "naive_last": "By target: the last earlier observed value; in scores: median absolute log error of that forecast",
    "naive_growth": "By target: that value grown with trade; in scores: median absolute log error of that forecast",
    "naive_since": "Year of the earlier observation",
    "rests_on": "Why the row is in its class",
    "note": "How the model's number is to be read",
    "why": "Why the row is not covered, or what a miss comes from",
    "source": "Title of the source",
    "source_url": "Address of the source",
    "n": "Answered targets",
    "share": "Part of the answered targets that lie inside",
    "median_abs_log_error": "Median absolute natural logarithm of modelled over observed",
    "naive_n": "Targets with an earlier observed value",
    "model_beside": "Median absolute log error of the model on those",
}


def write_tables(
    folder: Path, manifest: dict[str, Any], tables: dict[str, pl.DataFrame], columns: dict[str, str]
) -> None:
    """Write a folder of tables with their columns explained, whole or not at all.

    Parameters
    ----------
    folder
        Where it shall stand; a validation that is there is replaced.
    manifest
        What is to be known.
    tables
        Frames by name.
    columns
        Meaning of each column; every column of the tables has one.
    """
    unknown = sorted({c for frame in tables.values() for c in frame.columns} - set(columns))
    if unknown:
        raise ValueError(f"columns without a meaning: {', '.join(unknown)}")
    told = {name: {c: columns[c] for c in frame.columns} for name, frame in tables.items()}
    with whole_folder(folder, marker=MARKER) as draft:
        (draft / "tables").mkdir()
        for name, frame in tables.items():
            frame.write_parquet(draft / "tables" / f"{name}.parquet")
        text = json.dumps({**manifest, "tables": told}, indent=2, ensure_ascii=False, allow_nan=False)
        (draft / MARKER).write_text(text + "\n", encoding="utf-8")


def write_validation(
    folder: Path,
    found: Validation,
    *,
    tables: Tables,
    size: str,
    file: Path | None,
    runs: list[dict[str, object]],
) -> None:
    """Write what `validate` found.

    Parameters
    ----------
    folder
        Where.
    found
        The report.
    tables
        The atlas that was held against the targets.
    size
        Size of the runs.
    file
        The user's targets; None for the atlas' own.
    runs
        What was solved, as the world of runs keeps it.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    package, overlay = tables.package, tables.overlay
    manifest = {
        "kind": "validation",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "landbridge": __version__,
        "atlas": {"name": package.name, "version": package.version, "content_hash": package.content_hash}
        if package
        else None,
        "overlay": overlay.stamp() if overlay else None,
        "targets": {
            "file": file.name if file else "targets.csv of the atlas",
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest() if file else None,
            "rows": found.rows.height,
            "not_covered": found.not_covered,
        },
        "size": size,
        "runs": runs,
    }
    frames = {"targets": found.rows, "by_class": found.by_class, "by_topic": found.by_topic, "worst": found.worst}
    write_tables(folder, manifest, frames, COLUMNS)
