"""What changed from one data package to another: tables, columns, rows, values, and how values are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.dictionary import Dictionary
from landbridge.data.keys import cell, key_columns, row_names
from landbridge.data.provenance import Origin, Origins, read_origins, row_keys
from landbridge.data.read import ATLAS, created_on, package_hash, read_descriptor, read_frames
from landbridge.errors import DataError, Fault, LandbridgeError

__all__ = [
    "CellChange",
    "OriginChange",
    "PackageDiff",
    "RowChange",
    "Stamp",
    "TableDiff",
    "diff_packages",
    "lost_origins",
]


@dataclass(frozen=True)
class Stamp:
    """Which package: folder, name, version, content hash, date."""

    folder: str
    name: str
    version: str
    content_hash: str
    created: str


@dataclass(frozen=True)
class RowChange:
    """A row that one package has and the other has not; kinds of origin for its numbers."""

    row: str
    values: Mapping[str, Any]
    kinds: Mapping[str, str]


@dataclass(frozen=True)
class CellChange:
    """A value that differs, or is known in another way; kinds are empty for what is not a number."""

    row: str
    column: str
    old: Any
    new: Any
    old_kind: str
    new_kind: str


@dataclass(frozen=True)
class OriginChange:
    """A row of provenance that came, went or says something else; what it said and says, empty where there is none.

    A row that goes need not change a kind: what it covered may fall to a wider row, so it is told by itself.
    """

    row: str
    column: str
    old: str
    new: str


@dataclass(frozen=True)
class TableDiff:
    """What changed in one table."""

    table: str
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    added: tuple[RowChange, ...]
    removed: tuple[RowChange, ...]
    changed: tuple[CellChange, ...]
    origins: tuple[OriginChange, ...] = ()

    def __bool__(self) -> bool:
        parts = (self.columns_added, self.columns_removed, self.added, self.removed, self.changed, self.origins)
        return any(parts)


@dataclass(frozen=True)
class PackageDiff:
    """What changed from one package to another; only tables that differ are listed."""

    old: Stamp
    new: Stamp
    tables_added: tuple[str, ...]
    tables_removed: tuple[str, ...]
    tables: tuple[TableDiff, ...]
    files: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the difference as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class _Side:
    """One package, read."""

    folder: Path
    frames: Mapping[str, pl.DataFrame]
    dictionary: Dictionary

    def kinds(self, table: str) -> Callable[[int, str], str]:
        """How the number of a row, by position, and column is known."""
        origins, _ = read_origins(self.folder, table)
        keys = row_keys(self.dictionary, table, self.frames[table])
        numbers = {column.name for column in self.dictionary.of(table) if column.is_number}

        def kind(index: int, column: str) -> str:
            if column not in numbers:
                return ""
            common, own = origins.common(column)
            origin = common if common and keys[index] not in own else origins.of(keys[index], column)
            return origin.kind if origin else "none"

        return kind


def _read(folder: Path) -> tuple[_Side, Stamp]:
    if not folder.is_dir():
        got = "a file" if folder.exists() else "nothing"
        raise LandbridgeError(f"{folder}: wanted the folder of a data package, got {got}")
    frames, dictionary, faults = read_frames(folder)
    words, more = read_descriptor(folder)
    if faults or more:  # cells that cannot be read would pass for changes
        raise DataError(f"data package {folder}", [*faults, *more])
    return _Side(folder, frames, dictionary), Stamp(
        folder.name, words[0], words[1], package_hash(folder), created_on(folder)
    )


def diff_packages(old: Path, new: Path) -> PackageDiff:
    """Compare two data packages.

    Rows are the same by their id or the columns that name them, wherever they stand; values are compared as what they
    are, so that ``0.20`` is ``0.2``.

    Parameters
    ----------
    old, new
        Their folders.

    Returns
    -------
    PackageDiff

    Raises
    ------
    LandbridgeError
        If one is no folder.
    DataError
        With every fault of a package that cannot be read.
    """
    before, old_stamp = _read(old)
    after, new_stamp = _read(new)
    both = [table for table in after.dictionary.tables if table in before.frames]
    tables = [_table(before, after, table) for table in both]
    return PackageDiff(
        old=old_stamp,
        new=new_stamp,
        tables_added=tuple(t for t in after.dictionary.tables if t not in before.frames),
        tables_removed=tuple(t for t in before.dictionary.tables if t not in after.frames),
        tables=tuple(table for table in tables if table),
        files=tuple(_files(old, new, {*before.frames, *after.frames})),
    )


def _files(old: Path, new: Path, tables: set[str]) -> Iterator[str]:
    """Files other than tables and their provenance that are not the same, as geometry and the dictionary."""
    told = {f"{table}.csv" for table in tables} | {f"provenance/{table}.csv" for table in tables}
    names = {
        path.relative_to(folder).as_posix()
        for folder in (old, new)
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in (".csv", ".geojson", ".json", ".md")
    }
    for name in sorted(names - told):
        first, second = (folder / name for folder in (old, new))
        if not first.is_file() or not second.is_file() or first.read_bytes() != second.read_bytes():
            yield name


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _table(before: _Side, after: _Side, table: str) -> TableDiff:
    left, right = before.frames[table], after.frames[table]
    origins = [_bytes(side.folder / "provenance" / f"{table}.csv") for side in (before, after)]
    if left.equals(right) and origins[0] == origins[1]:  # the usual case, and the quickest to find out
        return TableDiff(table, (), (), (), (), ())
    names = [row_names(side.frames[table], key_columns(side.dictionary, table)) for side in (before, after)]
    places = [{name: i for i, name in enumerate(found)} for found in names]
    kinds = before.kinds(table), after.kinds(table)
    columns = [name for name in right.columns if name in left.columns]
    added = [_row(right, kinds[1], name, i) for name, i in places[1].items() if name not in places[0]]
    removed = [_row(left, kinds[0], name, i) for name, i in places[0].items() if name not in places[1]]
    return TableDiff(
        table,
        tuple(name for name in right.columns if name not in left.columns),
        tuple(name for name in left.columns if name not in right.columns),
        tuple(added),
        tuple(removed),
        tuple(_cells(left.select(columns), right.select(columns), places, kinds)),
        tuple(_origins(before, after, table)),
    )


def _origins(before: _Side, after: _Side, table: str) -> Iterator[OriginChange]:
    """Rows of provenance that are not the same, by the row and column that they name."""
    old, new = (
        {(o.row, o.column): _said(o) for o in read_origins(side.folder, table)[0].all} for side in (before, after)
    )
    for row, column in sorted({*old, *new}):
        said = old.get((row, column), ""), new.get((row, column), "")
        if said[0] != said[1]:
            yield OriginChange(row, column, *said)


def _said(origin: Origin) -> str:
    """A row of provenance in one line."""
    knew = f"knew {';'.join(origin.knew)}" if origin.knew else ""
    return ", ".join(part for part in (origin.kind, ";".join(origin.sources), origin.reasoning, knew) if part)


def _row(frame: pl.DataFrame, kind: Callable[[int, str], str], name: str, index: int) -> RowChange:
    values = {k: _plain(v) for k, v in frame.row(index, named=True).items() if v is not None}
    return RowChange(name, values, {c: found for c in values if (found := kind(index, c))})


def _plain(value: Any) -> Any:
    """A value as JSON knows it."""
    return value if value is None or isinstance(value, (bool, int, float, list)) else str(value)


def _cells(
    left: pl.DataFrame,
    right: pl.DataFrame,
    places: list[dict[str, int]],
    kinds: tuple[Callable[[int, str], str], Callable[[int, str], str]],
) -> Iterator[CellChange]:
    """Cells of rows that both packages have, row by row in the order of the new one."""
    rows = left.rows(), right.rows()
    for name, j in places[1].items():
        i = places[0].get(name)
        if i is None:
            continue
        for column, old, new in zip(left.columns, rows[0][i], rows[1][j], strict=True):
            known = kinds[0](i, column), kinds[1](j, column)
            # a column that became another type holds the same where its text is the same
            same = old == new or cell(old) == cell(new)
            if not same or (known[0] != known[1] and new is not None):
                yield CellChange(name, column, _plain(old), _plain(new), *known)


def lost_origins(
    folder: Path, frames: Mapping[str, pl.DataFrame], dictionary: Dictionary, shipped: Path = ATLAS
) -> list[Fault]:
    """Return values of a copy of the shipped atlas that lost an origin of their own to a wider row.

    A row of provenance that is taken out leaves no hole where a row for all (``*``) speaks for what it covered: the
    number then passes for what that says, most often an estimate. Nothing in the copy alone can tell.

    Parameters
    ----------
    folder
        The package.
    frames, dictionary
        Its tables, and what describes them.
    shipped
        The package that it may be a copy of.

    Returns
    -------
    list of Fault
        One for each row of provenance that the shipped package has and that is missed, where it is of the same name
        and version and has the same values; none for the shipped package itself.
    """
    if folder.resolve() == shipped.resolve() or read_descriptor(folder)[0][:2] != read_descriptor(shipped)[0][:2]:
        return []
    tables = [
        table
        for table in dictionary.tables
        if table in frames
        and _bytes(folder / "provenance" / f"{table}.csv") != _bytes(shipped / "provenance" / f"{table}.csv")
    ]
    if not tables:
        return []
    before, known, _ = read_frames(shipped)
    faults: list[Fault] = []
    for table in tables:
        old, new = read_origins(shipped, table)[0], read_origins(folder, table)[0]
        still = {(origin.row, origin.column) for origin in new.all}
        left, right = before[table], frames[table]
        at = [{key: i for i, key in enumerate(row_keys(known, table, frame))} for frame in (left, right)]
        numbers = [
            c.name for c in dictionary.of(table) if c.is_number and {c.name} <= {*left.columns} & {*right.columns}
        ]
        for lost in (origin for origin in old.all if (origin.row, origin.column) not in still):
            for column in (name for name in numbers if fnmatchcase(name, lost.column)):
                hit = _swallowed(lost, column, (old, new), (left, right), at)
                if hit is not None:
                    row, wider = hit
                    wanted = f"an origin of its own, as the shipped atlas has ({_kind(lost)})"
                    got = f"that of {wider.row}, {wider.column} ({_kind(wider)})"
                    faults.append(Fault(f"provenance/{table}.csv", row, column, wanted, got))
    return faults


def _kind(origin: Origin) -> str:
    return ", ".join(part for part in (origin.kind, ";".join(origin.sources)) if part)


def _swallowed(
    lost: Origin,
    column: str,
    origins: tuple[Origins, Origins],
    frames: tuple[pl.DataFrame, pl.DataFrame],
    at: list[dict[str, int]],
) -> tuple[str, Origin] | None:
    """The first row whose unchanged value had an origin that is gone, and the wider one that says otherwise."""
    keys = [lost.row] if lost.row in at[0] else [key for key in at[0] if fnmatchcase(key, lost.row)]
    for key in keys:
        if key not in at[1] or origins[0].of(key, column) is not lost:
            continue
        value = frames[0][column][at[0][key]]
        wider = origins[1].of(key, column)
        if value is None or wider is None or frames[1][column][at[1][key]] != value:
            continue
        if wider.specificity < lost.specificity and _said(wider) != _said(lost):
            return key, wider
    return None
