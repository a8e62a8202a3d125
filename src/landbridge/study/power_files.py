"""Answers about power, dependence, sanctions and closures as a folder of tables.

    manifest.json      ``kind`` (power, dependence, exposure or stress), the atlas, and what must be known to read it
    answer.json        the whole answer, as ``--json`` prints it
    tables/*.parquet   one file a table; the manifest says what each column means, and its unit

A folder appears whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

import polars as pl

from landbridge import __version__
from landbridge.data.tables import Tables
from landbridge.study.power_tables import COLUMNS, TABLES, frames_of
from landbridge.study.results import MANIFEST, check_output, whole_folder

__all__ = ["ANSWER", "check_power_output", "write_answer"]

ANSWER = "answer.json"
FORMAT = 1


def check_power_output(folder: Path) -> None:
    """Make sure that an answer can be put into a folder, before anything is computed.

    Parameters
    ----------
    folder
        Where it shall stand.

    Raises
    ------
    OutputError
        If the folder holds something else, or cannot be written.
    """
    check_output(folder)


def write_answer(folder: Path, tables: Tables, found: Mapping[str, Any]) -> None:
    """Write an answer and its tables.

    Parameters
    ----------
    folder
        Where it shall stand; an answer that is there is replaced.
    tables
        The atlas that it was made from.
    found
        The answer; its ``question`` says of which kind it is.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    frames = frames_of(found)
    package = tables.package
    years = sorted({int(y) for y in found.get("years", [found.get("year")]) if y is not None})
    scenarios = found.get("scenarios") or [str(found.get("before") or "base")]
    manifest = {
        "format": FORMAT,
        "kind": found["question"],
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "landbridge": __version__,
        "atlas": {"name": package.name, "version": package.version, "content_hash": package.content_hash}
        if package
        else None,
        "overlay": tables.overlay.stamp() if tables.overlay else None,
        "read_with": found.get("read_with") or {},
        "study": {
            "name": str(found.get("study") or found["question"]),
            "description": "",
            "compare": scenarios[0],
            "years": years,
            "scenarios": [{"id": s, "name": s, "description": "", "measures": []} for s in scenarios],
            "held_projects": [],
        },
        "settings": {"size": found.get("size")},
        "solved": [],
        "tables": {name: TABLES[name] for name in frames},
        "columns": {
            name: {column: {"unit": COLUMNS[column][0], "meaning": COLUMNS[column][1]} for column in frame.columns}
            for name, frame in frames.items()
        },
    }
    with whole_folder(folder, marker=MANIFEST) as draft:
        (draft / "tables").mkdir()
        for name, frame in frames.items():
            frame.write_parquet(draft / "tables" / f"{name}.parquet")
        for name, value in ((MANIFEST, manifest), (ANSWER, dict(found))):
            text = json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False)
            (draft / name).write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """A value as JSON knows it: null for what is no number."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, pl.DataFrame):
        return _plain(value.to_dicts())
    return None if isinstance(value, float) and not isfinite(value) else value
