"""Folders of power, investment and validation beside the results: found by the file that each kind writes.

A request names a kind and an id; both are looked up in a listing that is made here, so that neither can be a path.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.errors import OutputError, UnknownName
from landbridge.study.results import MANIFEST

__all__ = ["KINDS", "Finding", "Findings", "kind_of", "told_in"]

#: Files by which folders of each kind are known; a file that several kinds share must name its kind besides.
KINDS: Mapping[str, str] = {
    "power": MANIFEST,
    "dependence": MANIFEST,
    "stress": MANIFEST,
    "exposure": MANIFEST,
    "investment": "investment.json",
    "validation": "validation.json",
    "backtest": "validation.json",
    "sensitivity": "validation.json",
}

#: The table of folders of a kind that answer what its page opens on; a validation is known by the targets that ship.
USUAL: Mapping[str, str] = {"power": "power_change", "stress": "stress_totals", "investment": "appraisal_projects"}

#: A file that tells what was found is this large at most; a larger one is none of ours.
MOST_BYTES = 64_000_000

_lock = threading.Lock()
_read: dict[Path, tuple[int, Mapping[str, Any]]] = {}


def told_in(path: Path) -> Mapping[str, Any]:
    """Return what a JSON file says; read again when it changes.

    Raises
    ------
    OSError
        If it is not there.
    OutputError
        If it cannot be read, or holds something else than an object.
    """
    stamp = path.stat()
    with _lock:
        held = _read.get(path)
        if held is None or held[0] != stamp.st_mtime_ns:
            if stamp.st_size > MOST_BYTES:
                raise OutputError(f"{path.name} is larger than {MOST_BYTES} bytes")
            try:
                told = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise OutputError(f"{path.name} could not be read: {error}") from error
            if not isinstance(told, dict):
                raise OutputError(f"{path.name}: wanted an object, got {type(told).__name__}")
            held = _read[path] = (stamp.st_mtime_ns, told)
        return held[1]


def kind_of(folder: Path, marker: str = MANIFEST) -> str:
    """Return the kind that a folder's file names; empty for results of a study, and where there is no such file."""
    try:
        return str(told_in(folder / marker).get("kind") or "")
    except (OSError, OutputError):
        return ""


@dataclass(frozen=True)
class Finding:
    """One folder.

    Attributes
    ----------
    kind
        One of `KINDS`.
    id
        Its name.
    folder
        Where it lies.
    told
        What its file says, as JSON.
    """

    kind: str
    id: str
    folder: Path
    told: Mapping[str, Any]

    @property
    def title(self) -> str:
        """What people call it."""
        study, result = self.told.get("study"), self.told.get("result")
        for said in (study.get("name") if isinstance(study, dict) else study, (result or {}).get("study")):
            if isinstance(said, str) and said:
                return said
        return self.id

    @property
    def made(self) -> str:
        """When it was made, in UTC."""
        if said := self.told.get("made"):
            return str(said)
        moment = (self.folder / KINDS[self.kind]).stat().st_mtime
        return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")

    @property
    def usual(self) -> bool:
        """Whether it answers what its page is first of all about: a whole validation, a project, a closure."""
        if self.kind == "validation":
            targets = self.told.get("targets")
            return isinstance(targets, dict) and not targets.get("sha256")
        return not self.told.get("overlay") and (self.kind not in USUAL or USUAL[self.kind] in self.tables)

    @property
    def tables(self) -> list[str]:
        """Names of its tables."""
        return [str(name) for name in self.told.get("tables") or ()]

    def table(self, name: str) -> pl.DataFrame:
        """Return one of its tables.

        Raises
        ------
        UnknownName
            For a table that it does not have.
        OutputError
            If the table cannot be read.
        """
        if name not in self.tables:
            raise UnknownName(f"table of {self.id}", name, self.tables)
        try:
            return pl.read_parquet(self.folder / "tables" / f"{name}.parquet")
        except (OSError, pl.exceptions.PolarsError) as error:
            raise OutputError(f"{self.id}: the table {name} could not be read: {error}") from error

    def meanings(self, name: str) -> dict[str, tuple[str, str]]:
        """Return unit and meaning of the columns of a table, as its folder tells them."""
        columns = self.told.get("columns")
        said = columns.get(name) if isinstance(columns, dict) else None
        if said is None and isinstance(self.told.get("tables"), dict):
            said = self.told["tables"].get(name)
        found = {}
        for column, each in said.items() if isinstance(said, dict) else ():
            whole = isinstance(each, dict)
            found[str(column)] = (str(each.get("unit", "")), str(each.get("meaning", ""))) if whole else ("", str(each))
        return found


class Findings:
    """Finds and reads such folders.

    Parameters
    ----------
    folder
        The folder that is served, which is one of them or holds some.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _places(self, kind: str) -> dict[str, Path]:
        if kind not in KINDS:
            raise UnknownName("kind of findings", kind, list(KINDS))
        marker = KINDS[kind]

        def fits(path: Path) -> bool:
            alone = list(KINDS.values()).count(marker) == 1
            return (path / marker).is_file() and (alone or kind_of(path, marker) == kind)

        def below() -> Iterator[Path]:
            if self._folder.is_dir():
                yield from (p for p in sorted(self._folder.iterdir()) if p.is_dir() and not p.name.startswith("."))

        if fits(self._folder):
            return {self._folder.resolve().name: self._folder}
        return {path.name: path for path in below() if fits(path)}

    def all(self, kind: str) -> list[Finding]:
        """Return the folders of a kind; one whose file cannot be read is an error that names it."""
        return [self.get(kind, name) for name in self._places(kind)]

    def get(self, kind: str, name: str) -> Finding:
        """Return a folder.

        Raises
        ------
        UnknownName
            For a kind or folder that is not there.
        OutputError
            If its file cannot be read.
        """
        places = self._places(kind)
        if name not in places:
            raise UnknownName(f"folder of {kind}", name, list(places))
        try:
            return Finding(kind, name, places[name], told_in(places[name] / KINDS[kind]))
        except (OSError, OutputError) as error:
            raise OutputError(f"{name}: {error}") from error
