"""Run the study of a results folder again, and tell whether every number is the same and what has changed since."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.errors import OutputError
from landbridge.study.content import table_hash
from landbridge.study.files import read_study
from landbridge.study.results import OVERLAY, STUDY, Results, read_results, tables_of
from landbridge.study.run import run_study
from landbridge.study.runner import Where

__all__ = ["rerun_study"]


def rerun_study(
    folder: Path,
    *,
    out: Path | None = None,
    atlas: Path | None = None,
    where: Where | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, Any]:
    """Run the study of a results folder again.

    Parameters
    ----------
    folder
        The results.
    out
        Folder for the new ones; None = they are thrown away.
    atlas
        Folder of the package, where it is not the atlas that ships.
    where, progress
        As for `landbridge.study.run.run_study`.

    Returns
    -------
    dict
        ``same``: whether all tables are the same to the last bit. ``changed``: what is another than it was, with
        ``then`` and ``now``. ``tables``: for each its rows then and now, whether it is the same, and the column where
        numbers differ most, with the largest difference over the largest number of the column.

    Raises
    ------
    OutputError
        If the folder holds no results, its tables are not those that were written, or it has no study file.
    StudyError, DataError, NotConverged
        If the study no longer fits or no longer converges.
    """
    old = read_results(folder)
    written = old.manifest.get("content", {})
    altered = [name for name, hashed in written.items() if table_hash(old[name]) != hashed]
    if altered:
        raise OutputError(f"{folder}: these tables are not as they were written: {', '.join(altered)}")
    if not (folder / STUDY).is_file() or not (folder / STUDY).read_text(encoding="utf-8").strip():
        raise OutputError(f"{folder}: has no {STUDY} to run again")
    tables = tables_of(old, base=atlas)
    study = read_study(folder / STUDY, overlay_in=folder / OVERLAY if old.manifest.get("overlay") else None)
    if out is not None:
        new = run_study(study, tables, out, where=where, progress=progress)
    else:
        with tempfile.TemporaryDirectory(prefix="landbridge-rerun-") as place:
            new = run_study(study, tables, Path(place) / "results", where=where, progress=progress)
    rows = [_table(old, new, name) for name in dict.fromkeys([*old.tables, *new.tables])]
    return {
        "folder": str(folder),
        "same": all(row["same"] for row in rows),
        "changed": _changed(_stamp(old.manifest), _stamp(new.manifest)),
        "tables": rows,
    }


def _stamp(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What a result rests on, flat."""
    atlas, overlay = manifest.get("atlas") or {}, manifest.get("overlay") or {}
    return {
        "study": manifest["study"].get("fingerprint"),
        "atlas version": atlas.get("version"),
        "atlas hash": atlas.get("content_hash"),
        "values of the user": overlay.get("content_hash"),
        "landbridge": manifest.get("landbridge"),
        "code hash": manifest.get("code_hash"),
        "python": manifest.get("python"),
        "machine": manifest.get("machine"),
        **{f"library {name}": version for name, version in manifest.get("libraries", {}).items()},
    }


def _changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: {"then": then.get(name), "now": now.get(name)}
        for name in dict.fromkeys([*then, *now])
        if then.get(name) != now.get(name)
    }


def _table(old: Results, new: Results, name: str) -> dict[str, Any]:
    """How far a table is from what it was."""
    then, now = old.tables.get(name), new.tables.get(name)
    told: dict[str, Any] = {
        "table": name,
        "same": then is not None and now is not None and table_hash(then) == table_hash(now),
        "rows_then": None if then is None else then.height,
        "rows_now": None if now is None else now.height,
        "column": "",
        "largest_relative_difference": None,
    }
    if then is None or now is None or told["same"] or then.height != now.height:
        return told
    worst = (0.0, "")
    for column, kind in then.schema.items():
        if not kind.is_numeric() or column not in now.columns or not now.schema[column].is_numeric():
            continue
        left, right = then[column].cast(pl.Float64), now[column].cast(pl.Float64)
        scale = left.abs().max()
        apart = (left - right).abs().max()
        if isinstance(apart, float) and isinstance(scale, float) and apart > 0:
            worst = max(worst, (apart / scale if scale else float("inf"), column))
    told["largest_relative_difference"], told["column"] = worst
    return told
