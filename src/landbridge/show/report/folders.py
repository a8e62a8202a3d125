"""Folders that a report can take: found by the file that each kind writes, read with what their columns mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.errors import OutputError
from landbridge.show.report.rests import Rests, Share
from landbridge.show.web.columns import meaning
from landbridge.study.results import MANIFEST

__all__ = ["MARKERS", "STUDY", "Folder", "folder_of", "folders_in"]

STUDY = "study"

#: Files by which folders are known, in the order in which they are looked for. One that tells no kind of its own is of
#: the kind beside it.
MARKERS = {
    MANIFEST: STUDY,
    "ensemble.json": "ensemble",
    "investment.json": "investment",
    "validation.json": "validation",
    "terminal.json": "terminal",
    "assignment.json": "assignment",
    "routes.json": "routes",
}

#: A file that tells what was found is this large at most; a larger one is none of ours.
MOST_BYTES = 64_000_000


@dataclass(frozen=True)
class Folder:
    """A folder of some kind.

    Attributes
    ----------
    kind
        ``study``, ``ensemble``, ``power``, ``stress``, ``appraisal`` ...
    path
        Where it lies.
    told
        What its file says.
    rests
        Counts of estimates in the atlas; None = nothing is told of them.
    """

    kind: str
    path: Path
    told: Mapping[str, Any]
    rests: Rests | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """Its name."""
        return self.path.resolve().name

    @property
    def title(self) -> str:
        """What people call what is in it."""
        study, result = self.told.get("study"), self.told.get("result")
        said = [study.get("name") if isinstance(study, Mapping) else study, self.told.get("name")]
        said += [result.get("study")] if isinstance(result, Mapping) else []
        return next((text for text in said if isinstance(text, str) and text), self.name)

    @cached_property
    def tables(self) -> list[str]:
        """Names of its tables."""
        return sorted(path.stem for path in [*self.path.glob("tables/*.parquet"), *self.path.glob("*.parquet")])

    def frame(self, name: str) -> pl.DataFrame:
        """Return one of its tables; an empty one where there is none.

        Raises
        ------
        OutputError
            If it cannot be read.
        """
        file = self.path / "tables" / f"{name}.parquet"
        file = file if file.is_file() else self.path / f"{name}.parquet"
        if not file.is_file():
            return pl.DataFrame()
        try:
            return pl.read_parquet(file)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise OutputError(f"{file} could not be read: {error}") from error

    def of_column(self, table: str, column: str) -> tuple[str, str]:
        """Return unit and meaning of a column, as the folder tells them, else as the tables of a study have them."""
        for place in (self.told.get("columns"), self.told.get("tables")):
            said = place.get(table) if isinstance(place, Mapping) else None
            each = said.get(column) if isinstance(said, Mapping) else None
            if isinstance(each, Mapping):
                return str(each.get("unit", "")), str(each.get("meaning", ""))
            if isinstance(each, list | tuple):
                return str(each[0]), str(each[1])
            if isinstance(each, str):
                return "", each
        return meaning(column)

    def own(self, row: Mapping[str, Any]) -> Share | None:
        """Return the numbers of the atlas on what a row is about, by its first column that names such a thing."""
        if self.rests is None:
            return None
        shares = (self.rests.about(column, name) for column, name in row.items() if isinstance(name, str))
        return next((share for share in shares if share.numbers), None)

    def of_table(self, table: str) -> str:
        """Return what a table holds, as the folder tells it."""
        said = self.told.get("tables")
        each = said.get(table) if isinstance(said, Mapping) else None
        return each if isinstance(each, str) else table.replace("_", " ").capitalize()


def folder_of(path: Path) -> Folder | None:
    """Read what a folder is; None where it is none of ours.

    Raises
    ------
    OutputError
        If the file that names it cannot be read.
    """
    for marker, kind in MARKERS.items():
        file = path / marker
        if not file.is_file():
            continue
        try:
            if file.stat().st_size > MOST_BYTES:
                raise OutputError(f"{file} is larger than {MOST_BYTES} bytes")
            told = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise OutputError(f"{file} could not be read: {error}") from error
        if not isinstance(told, dict):
            raise OutputError(f"{file}: wanted an object, got {type(told).__name__}")
        return Folder(str(told.get("kind") or kind), path, told)
    return None


def folders_in(path: Path) -> list[Folder]:
    """Folders of any kind directly inside another, by name."""
    below = [place for place in sorted(path.iterdir()) if place.is_dir() and not place.name.startswith(".")]
    return [found for place in below if (found := folder_of(place)) is not None]
