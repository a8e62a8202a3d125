"""The carriers of facts: a data package on disk and its checked tables.

Both are dumb records; what is done to tables are functions that return new ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import polars as pl

__all__ = ["DataPackage", "Tables"]


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
    """

    folder: Path
    name: str
    version: str
    licence: str
    content_hash: str


@dataclass(frozen=True)
class Tables:
    """Checked tables by name.

    Attributes
    ----------
    frames
        One polars frame a table; columns as in the dictionary.
    package
        The package they were read from, or None for tables made in memory.
    """

    frames: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    package: DataPackage | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "frames", MappingProxyType(dict(self.frames)))

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
        return Tables({**self.frames, **frames}, self.package)
