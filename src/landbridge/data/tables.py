"""The carriers of facts: a data package on disk, a user's own values over it, and the checked tables.

All are dumb records; what is done to tables are functions that return new ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

__all__ = ["DataPackage", "Overlay", "Tables", "UserValue"]


@dataclass(frozen=True)
class DataPackage:
    """Where tables came from.

    Attributes
    ----------
    folder
        The folder that was read.
    name, version, licence
        As the package states them.
    content_hash
        SHA-256 over names and bytes of all its files, so that a result can name its facts.
    created
        Its date, as the package states it.
    """

    folder: Path
    name: str
    version: str
    licence: str
    content_hash: str
    created: str = ""


@dataclass(frozen=True)
class UserValue:
    """A value of the user's: the cell it stands in, the file and line it came from, and what the package has there."""

    table: str
    row: str
    column: str
    file: str
    line: int
    old: Any
    new: Any
    added: bool

    @property
    def differs(self) -> bool:
        """Whether it is another value than the package's."""
        return self.added or bool(self.old != self.new)


@dataclass(frozen=True)
class Overlay:
    """A user's own values over a package.

    Attributes
    ----------
    name
        Name of the folder or file they came from.
    content_hash
        SHA-256 over names and bytes of its files.
    files
        The files by name, so that results can keep what they were made from.
    values
        Each value that the user states, by table, row and column; rows by what `landbridge.data.keys` names them.
    """

    name: str
    content_hash: str
    files: Mapping[str, bytes] = field(repr=False)
    values: Mapping[tuple[str, str, str], UserValue] = field(repr=False)

    @property
    def changed(self) -> int:
        """Number of values that differ from the package's."""
        return sum(value.differs for value in self.values.values())

    @property
    def tables(self) -> Mapping[str, int]:
        """Number of values that differ, by table."""
        counts: dict[str, int] = {}
        for value in self.values.values():
            counts[value.table] = counts.get(value.table, 0) + value.differs
        return counts

    def stamp(self) -> dict[str, Any]:
        """Return what a result keeps of it beside the files."""
        return {
            "name": self.name,
            "content_hash": self.content_hash,
            "changed": self.changed,
            "tables": dict(self.tables),
        }


@dataclass(frozen=True)
class Tables:
    """Checked tables by name.

    Attributes
    ----------
    frames
        One polars frame a table; columns as in the dictionary.
    package
        The package they were read from, or None for tables made in memory.
    overlay
        The user's own values among them, or None.
    """

    frames: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    package: DataPackage | None = None
    overlay: Overlay | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "frames", MappingProxyType(dict(self.frames)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes as a plain dictionary; a read-only view of one cannot."""
        return Tables, (dict(self.frames), self.package, self.overlay)

    def __getitem__(self, name: str) -> pl.DataFrame:
        try:
            return self.frames[name]
        except KeyError:
            raise KeyError(f"no table {name!r}; there are {', '.join(sorted(self.frames))}") from None

    def __contains__(self, name: object) -> bool:
        return name in self.frames

    def ids(self, name: str) -> list[str]:
        """Return the ids of a table, in its order."""
        return self[name]["id"].to_list()

    def replace(self, **frames: pl.DataFrame) -> Tables:
        """Return tables in which the frames named stand in place of the old ones."""
        return Tables({**self.frames, **frames}, self.package, self.overlay)
