"""Results: a folder that says what was solved, from which facts, code and settings, and what came out.

    manifest.json      atlas version and hash, code version, the study as it was read, settings, seconds, gaps
    study.toml         the study file as it came
    overlay/*.csv      the user's own values over the atlas, where there are any
    tables/*.parquet   one file a table, with the columns ``scenario`` and ``year`` first

A folder appears whole or not at all: it is written beside its place, forced to the disk, and moved there at the end. A
folder that is not one of ours is never replaced.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.overlay import read_overlay
from landbridge.data.read import ATLAS, read_atlas, read_package
from landbridge.data.tables import Tables
from landbridge.errors import OutputError, UnknownName
from landbridge.study.kept import sync_folder

__all__ = [
    "FORMAT",
    "MANIFEST",
    "OVERLAY",
    "STUDY",
    "WRITERS",
    "Results",
    "check_output",
    "is_current",
    "read_frames",
    "read_manifest",
    "read_results",
    "run_again",
    "tables_of",
    "whole_folder",
    "write_results",
]

MANIFEST = "manifest.json"
OVERLAY = "overlay"
STUDY = "study.toml"
FORMAT = 1

#: Tables that are hashed and written at once; both are done outside of Python for the most part.
WRITERS = 2


@dataclass(frozen=True)
class Results:
    """A results folder in memory.

    Attributes
    ----------
    folder
        Where it was read from.
    manifest
        What was solved and how.
    tables
        Frames by name, each with ``scenario`` and ``year``.
    """

    folder: Path
    manifest: Mapping[str, Any]
    tables: Mapping[str, pl.DataFrame]

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in self.tables:
            raise UnknownName("table of results", name, list(self.tables))
        return self.tables[name]

    @property
    def scenarios(self) -> list[str]:
        """Scenario ids in the study's order."""
        return [scenario["id"] for scenario in self.manifest["study"]["scenarios"]]

    @property
    def years(self) -> list[int]:
        """Years in the study's order."""
        return list(self.manifest["study"]["years"])

    def of(self, name: str, scenario: str, year: int) -> pl.DataFrame:
        """Rows of one table for one scenario and year, without these two columns."""
        if scenario not in self.scenarios:
            raise UnknownName("scenario", scenario, self.scenarios)
        if year not in self.years:
            raise UnknownName("year", str(year), [str(y) for y in self.years])
        return self[name].filter((pl.col("scenario") == scenario) & (pl.col("year") == year)).drop("scenario", "year")


def check_output(folder: Path, *, free: bool = False, marker: str = MANIFEST) -> None:
    """Make sure that results can be put into a folder, before anything is computed.

    Parameters
    ----------
    folder
        Where the results shall stand.
    free
        Whether the folder must not hold results yet.
    marker
        File by which results of this kind are known; results of another kind are something else.

    Raises
    ------
    OutputError
        If the folder holds something else, or cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: wanted a folder for the results, got a file")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / marker).is_file():
        wanted = "a results folder" if marker == MANIFEST else f"results with a {marker}"
        raise OutputError(f"{folder}: this folder holds something that is not {wanted}; it is left alone")
    if free and (folder / marker).is_file():
        raise OutputError(f"{folder}: results are there already")
    above = folder.absolute().parent
    while not above.exists():
        above = above.parent
    if not above.is_dir():
        raise OutputError(f"{folder}: cannot be made, for {above} is a file")
    if not os.access(above, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: no right to write in {above}")
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: no right to write there")


def write_results(
    folder: Path,
    manifest: Mapping[str, Any],
    tables: Mapping[str, pl.DataFrame],
    study: str,
    *,
    overlay: Mapping[str, bytes] | None = None,
) -> dict[str, Any]:
    """Write a results folder, whole or not at all.

    Parameters
    ----------
    folder
        Where it shall stand; results that are there are replaced.
    manifest
        What was solved and how; must be JSON.
    tables
        Frames by name.
    study
        Text of the study file.
    overlay
        Files with the user's own values, by name.

    Returns
    -------
    dict
        What the folder says of itself, as it is read from there.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with whole_folder(folder) as draft:
        (draft / "tables").mkdir()
        with ThreadPoolExecutor(WRITERS) as pool:
            for done in [
                pool.submit(frame.write_parquet, draft / "tables" / f"{name}.parquet") for name, frame in tables.items()
            ]:
                done.result()
        (draft / STUDY).write_text(study, encoding="utf-8")
        for name, content in (overlay or {}).items():
            (draft / OVERLAY).mkdir(exist_ok=True)
            (draft / OVERLAY / name).write_bytes(content)
        text = json.dumps({"format": FORMAT, **manifest}, indent=2, ensure_ascii=False, allow_nan=False)
        (draft / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return dict(json.loads(text))


@contextmanager
def whole_folder(folder: Path, *, marker: str = MANIFEST) -> Iterator[Path]:
    """Give an empty folder to be filled, which takes its place once all is in it, or leaves no trace.

    Parameters
    ----------
    folder
        Where it shall stand; results of the same kind that are there are replaced.
    marker
        As for `check_output`.

    Yields
    ------
    Path
        The folder to be filled.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    check_output(folder, marker=marker)
    place = folder.resolve()  # a link to a folder stays a link
    made = [path for path in place.parents if not path.exists()]
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
        try:
            yield draft
            draft.chmod(0o755)
            _settle(draft)
            _put(draft, place)
            sync_folder(place.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except BaseException as error:
        for path in made:  # from the inside out; one that is not empty is somebody else's by now
            with suppress(OSError):
                path.rmdir()
        if isinstance(error, (OSError, pl.exceptions.PolarsError)):
            raise OutputError(f"{folder}: results could not be written: {error}") from error
        raise


def _settle(draft: Path) -> None:
    """Force every file of a folder to the disk, and the folders' lists of files: after a power cut none is half."""
    for path in sorted(draft.rglob("*")):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
        elif path.is_dir():
            sync_folder(path)
    sync_folder(draft)


def _put(draft: Path, place: Path) -> None:
    """Move a finished folder to its place; what was there before comes back if that fails."""
    old = draft.with_name(f"{draft.name}-old")
    if not place.exists():
        draft.rename(place)
        return
    try:
        place.rename(old)
        draft.rename(place)
    except BaseException:
        if old.exists() and not place.exists():
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def read_results(folder: Path) -> Results:
    """Read a results folder.

    Parameters
    ----------
    folder
        A folder that `write_results` made.

    Returns
    -------
    Results

    Raises
    ------
    OutputError
        If it is not a results folder, or one of another format, or with every file that is cut short.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise OutputError(f"{folder}: not a results folder (no {MANIFEST}); make one with `landbridge run STUDY.toml`")
    manifest = read_manifest(path)
    found = manifest.get("format")
    if found != FORMAT:
        raise OutputError(f"{folder}: wanted results of format {FORMAT}, got {found}; run the study again")
    if not isinstance(manifest.get("study"), dict):
        raise OutputError(f"{path}: wanted the study that was run, got none; run the study again")
    return Results(folder, manifest, read_frames(folder, manifest))


def read_manifest(path: Path) -> dict[str, Any]:
    """Read the file that tells what is in a folder.

    Parameters
    ----------
    path
        A JSON file.

    Returns
    -------
    dict

    Raises
    ------
    OutputError
        If it is cut short or says something else.
    """
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: could not be read: {error}; run the study again") from error
    if not isinstance(manifest, dict):
        raise OutputError(f"{path}: wanted an object, got {type(manifest).__name__}; run the study again")
    return manifest


def read_frames(folder: Path, manifest: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    """Read the tables of a folder, which has at least those that its manifest names.

    Parameters
    ----------
    folder
        The folder.
    manifest
        What it says of itself.

    Returns
    -------
    dict
        Frames by name.

    Raises
    ------
    OutputError
        With every file that is missing or cannot be read.
    """
    place = folder / "tables"
    if not isinstance(manifest.get("tables"), dict):
        raise OutputError(f"{folder}: its manifest names no tables; run the study again")
    names = sorted({*manifest["tables"], *(path.stem for path in place.glob("*.parquet"))})
    tables, faults = {}, []
    for name in names:
        path = place / f"{name}.parquet"
        try:
            tables[name] = pl.read_parquet(path)
        except FileNotFoundError:
            faults.append(f"{path}: missing")
        except (OSError, ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            faults.append(f"{path}: could not be read: {error}")
    if faults:
        told = "\n  ".join(faults)
        raise OutputError(
            f"{folder}: {len(faults)} of {len(names)} tables are not whole; run the study again\n  {told}"
        )
    return tables


def tables_of(results: Results, *, base: Path | None = None) -> Tables:
    """Return the tables that results were made from: the atlas at hand with the user's values that the results keep.

    Parameters
    ----------
    results
        A results folder.
    base
        Folder of the package, where it is not the atlas that ships.

    Raises
    ------
    OutputError
        If the user's values are not those that the results were made from.
    DataError
        If they no longer fit the package.
    """
    told = results.manifest.get("overlay")
    if not told:
        return read_package(base) if base else read_atlas()
    folder = results.folder / OVERLAY
    if not folder.is_dir():
        raise OutputError(f"{results.folder}: the user's values ({OVERLAY}) are missing; run the study again")
    tables = read_overlay(folder, base=base or ATLAS, name=told["name"])
    if tables.overlay is None or tables.overlay.content_hash != told["content_hash"]:
        raise OutputError(f"{folder}: not the values that these results were made from; run the study again")
    return tables


def is_current(results: Results, tables: Tables) -> bool:
    """Whether results were made from the atlas at hand; true where either side does not say.

    Parameters
    ----------
    results
        A results folder.
    tables
        The atlas at hand, with or without the user's values.
    """
    made_from, package = results.manifest.get("atlas"), tables.package
    return not made_from or package is None or made_from["content_hash"] == package.content_hash


def run_again(results: Results) -> str:
    """Return the command that makes results anew from the atlas at hand, into the same folder.

    Parameters
    ----------
    results
        A results folder.

    Returns
    -------
    str
        With whole paths, so that it can be given anywhere; empty where the folder keeps no study file.
    """
    folder = results.folder.resolve()
    study = folder / STUDY
    if not study.is_file() or study.stat().st_size == 0:
        return ""
    words = ["landbridge", "run", str(study), "--out", str(folder)]
    if results.manifest.get("overlay"):
        words += ["--overlay", str(folder / OVERLAY)]
    return shlex.join(words)
