"""The results folders that the map shows, by short ids; they are only ever read.

An id is the name of a folder in the one that is served, or of a finished job. A request can name an id, never a path:
ids are looked up in a listing that is made here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import OutputError, UnknownName
from landbridge.show.web.findings import kind_of, told_in
from landbridge.study.results import FORMAT, MANIFEST, Results, read_results, tables_of

__all__ = ["Library", "Point", "pair"]

#: Results kept in memory; older ones are read again.
KEPT = 8


@dataclass(frozen=True)
class Point:
    """One scenario in one year of some results."""

    result: str
    scenario: str
    year: int


class Library:
    """Finds and reads results.

    Parameters
    ----------
    folder
        A results folder, or a folder that holds some.
    kept
        Folder with the results of jobs, each under its job's id.
    titles
        Gives the titles of finished jobs by id.
    """

    def __init__(self, folder: Path, kept: Path | None, titles: Callable[[], dict[str, str]]) -> None:
        self.folder, self.kept, self._titles = folder, kept, titles
        self._lock = threading.Lock()
        self._read: dict[Path, tuple[int, Results]] = {}
        self._whole: dict[Path, int] = {}

    def _places(self) -> dict[str, Path]:
        # folders of power and the like have a manifest too, which names their kind; see `findings`
        if (self.folder / MANIFEST).is_file() and not kind_of(self.folder):
            found = {self.folder.resolve().name: self.folder}
        else:
            found = {
                path.name: path
                for path in sorted(self.folder.iterdir() if self.folder.is_dir() else ())
                if not path.name.startswith(".") and (path / MANIFEST).is_file() and not kind_of(path)
            }
        for name in self._titles():
            if self.kept is not None and (self.kept / name / MANIFEST).is_file():
                found[name] = self.kept / name
        return found

    def ids(self) -> list[str]:
        """Return the ids: the folders served in the order of their names, then jobs."""
        return list(self._places())

    def title(self, name: str) -> str:
        """Return what people call some results."""
        return self._titles().get(name) or str(self.head(name).manifest["study"]["name"])

    def is_whatif(self, name: str) -> bool:
        """Whether a job made it."""
        return name in self._titles()

    def _place(self, name: str) -> Path:
        places = self._places()
        if name not in places:
            raise UnknownName("results", name, list(places))
        return places[name]

    def head(self, name: str) -> Results:
        """Return what some results say of themselves, without their tables: a listing needs no more.

        Raises
        ------
        UnknownName
            For an id that is not there.
        OutputError
            If they cannot be read, or are of another format.
        """
        path = self._place(name)
        try:
            told = told_in(path / MANIFEST)
        except OSError as error:
            raise OutputError(f"{name}: results could not be read: {error}") from error
        if (found := told.get("format")) != FORMAT:
            raise OutputError(f"{name}: wanted results of format {FORMAT}, got {found}; run the study again")
        stamp = (path / MANIFEST).stat().st_mtime_ns
        if self._whole.get(path) != stamp:
            if not _ends_well(path, told):
                read_results(path)  # tells every file that is not whole
            self._whole[path] = stamp
        return Results(path, told, {})

    def unread(self) -> dict[str, str]:
        """Return why some folders cannot be read, by id: one of them shall not keep the others from being shown."""
        found = {}
        for name in self.ids():
            try:
                self.head(name)
            except OutputError as error:
                found[name] = str(error)
        return found

    def __getitem__(self, name: str) -> Results:
        path = self._place(name)
        stamp = (path / MANIFEST).stat().st_mtime_ns
        with self._lock:
            held = self._read.get(path)
            if held is None or held[0] != stamp:
                self._read[path] = (stamp, read_results(path))
                while len(self._read) > KEPT:
                    self._read.pop(next(iter(self._read)))
            return self._read[path][1]

    def tables(self, name: str, atlas: Tables) -> Tables:
        """Return the tables that results were made from."""
        results = self[name]
        return tables_of(results) if results.manifest.get("overlay") else atlas

    def check(self, point: Point) -> Results:
        """Return the results that a point lies in, or say that it lies in none."""
        results = self[point.result]
        if point.scenario not in results.scenarios:
            raise UnknownName("scenario", point.scenario, results.scenarios)
        if point.year not in results.years:
            raise UnknownName("year", str(point.year), [str(year) for year in results.years])
        return results


def _ends_well(folder: Path, told: Mapping[str, Any]) -> bool:
    """Whether what results say of themselves is there, and every table has its end, where Parquet keeps its columns."""
    if not isinstance(told.get("study"), dict) or not isinstance(told.get("tables"), dict):
        return False
    try:
        for name in told["tables"]:
            pl.read_parquet_schema(folder / "tables" / f"{name}.parquet")
    except (OSError, ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return False
    return True


def pair(first: tuple[Results, Point], second: tuple[Results, Point]) -> Results:
    """Put two solutions, perhaps of different results, beside each other as scenarios ``a`` and ``b`` of one year.

    Raises
    ------
    OutputError
        If one has a table that the other lacks.
    """
    (left, a), (right, b) = first, second
    tables: dict[str, pl.DataFrame] = {}
    for name in left.tables:
        if name not in right.tables:
            raise OutputError(f"{b.result} has no table {name}, which {a.result} has; run its study again")
        parts = [
            results.of(name, point.scenario, point.year).select(
                pl.lit(label).alias("scenario"), pl.lit(0, pl.Int64).alias("year"), pl.all()
            )
            for label, (results, point) in (("a", first), ("b", second))
        ]
        shared = [column for column in parts[0].columns if column in parts[1].columns]
        tables[name] = pl.concat([part.select(shared) for part in parts], how="vertical_relaxed")
    study: dict[str, Any] = {**left.manifest["study"], "scenarios": [{"id": "a"}, {"id": "b"}], "years": [0]}
    return replace(left, manifest={**left.manifest, "study": study}, tables=tables)
