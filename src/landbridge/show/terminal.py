"""What all verbs print with: tables for people, JSON for programs, and names that suggest what was meant."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.errors import LandbridgeError, UnknownName

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from landbridge.data.tables import Overlay, Tables
    from landbridge.study.files import Study

__all__ = [
    "FREE",
    "AtlasDir",
    "Json",
    "OverlayPath",
    "cell",
    "console",
    "frame_json",
    "known",
    "print_json",
    "print_table",
    "progress_bar",
    "read_checked",
    "read_tables",
    "split_commas",
    "users_values",
]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of a table.")]
AtlasDir = Annotated[
    Path | None, typer.Option("--atlas", help="Folder of another data package in place of the atlas that ships.")
]
OverlayPath = Annotated[
    Path | None,
    typer.Option("--overlay", help="Your own values over the atlas: a folder of CSV files named as its tables."),
]

#: As the decimals of a column: as many as its numbers need.
FREE = -1


def console() -> Console:
    """Return a console as wide as the screen."""
    from rich.console import Console

    # a table that is piped into a file keeps its columns
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def plain(value: Any) -> Any:
    """A value as JSON knows it: no tuples, and null for what is no number."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(plain(value), indent=2, ensure_ascii=False, default=str, allow_nan=False))


def cell(value: Any, digits: int) -> str:
    """Return a value as a cell shows it."""
    if value is None:
        return "–"
    if isinstance(value, (int, float)) and not isinstance(value, bool) and digits == FREE:
        if 0 < abs(value) < 1e-3:
            return f"{value:.1e}"
        digits = next((d for limit, d in ((1000, 0), (100, 1), (1, 2)) if abs(value) >= limit), 3)
        return cell(float(value), digits)
    if isinstance(value, float):
        text = f"{value:,.{digits}f}".replace(",", "\u202f")
        # what rounds to nothing has no sign
        return text.removeprefix("-") if not text.strip("-0.") else text
    if isinstance(value, (list, tuple)):
        return " ".join(str(v) for v in value)
    return str(value)


def print_table(
    title: str,
    columns: Sequence[tuple[str, int]],
    rows: Sequence[Sequence[Any]],
    caption: str = "",
    whole: Sequence[str] = (),
) -> None:
    """Print a table; each column is its heading and the decimals of its numbers, ``whole`` ones are not broken."""
    from rich.table import Table

    table = Table(
        title=title, title_justify="left", caption=caption or None, caption_justify="left", header_style="bold"
    )
    for i, (heading, _) in enumerate(columns):
        numeric = any(isinstance(row[i], (int, float)) and not isinstance(row[i], bool) for row in rows)
        table.add_column(
            heading, justify="right" if numeric else "left", overflow="fold", no_wrap=heading in whole or numeric
        )
    for row in rows:
        table.add_row(*(cell(value, digits) for value, (_, digits) in zip(row, columns, strict=True)))
    console().print(table)


def read_tables(atlas: Path | None = None, overlay: Path | None = None) -> Tables:
    """Read the atlas that ships, or another package, with the user's own values over it."""
    from landbridge.data.read import ATLAS, read_atlas, read_package

    if atlas is not None and not atlas.is_dir():
        got = "a file" if atlas.exists() else "nothing"
        raise LandbridgeError(f"{atlas}: wanted the folder of a data package, got {got}")
    if overlay is not None:
        from landbridge.data.overlay import read_overlay

        return read_overlay(overlay, base=atlas or ATLAS)
    return read_package(atlas) if atlas else read_atlas()


def read_checked(file: Path, atlas: Path | None = None, overlay: Path | None = None) -> tuple[Study, Tables]:
    """Read a study and the tables that it runs on, and hold one against the other: every fault of it at once."""
    from landbridge.errors import DataError
    from landbridge.study.files import check_study, overlay_named, read_study

    try:
        tables = read_tables(atlas, overlay or overlay_named(file))
    except DataError:
        read_study(file, overlay_in=overlay)  # its own faults come first
        raise
    # a study kept beside its results no longer stands where the values are that it names
    study = read_study(file, overlay_in=overlay, tables=tables)
    check_study(study, tables)
    return study, tables


def users_values(overlay: Overlay | Mapping[str, Any] | None) -> str:
    """Return a sentence that names the user's own values, from the tables or from a manifest; empty without any."""
    if not overlay:
        return ""
    stamp = overlay if isinstance(overlay, Mapping) else overlay.stamp()
    told = ", ".join(f"{table} {count}" for table, count in stamp["tables"].items())
    return f"With the user's own values {stamp['name']}: {stamp['changed']} changed ({told})."


def known(kind: str, name: str, names: Sequence[str]) -> str:
    """Return a name that is in a list, else an error that suggests what is meant or tells the list."""
    if name in names:
        return name
    error = UnknownName(kind, name, names)
    raise error if error.suggestions else LandbridgeError(f"{error}; there are {', '.join(names)}")


def split_commas(text: str | None) -> list[str]:
    """Return the parts of a text divided by commas."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def frame_json(frame: pl.DataFrame) -> None:
    """Print the rows of a frame as JSON."""
    print_json(frame.to_dicts())


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Any]:
    """Yield what shows progress (done, all, what) while somebody watches, else None."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    if quiet or not sys.stderr.isatty():
        yield None
        return
    bar = Progress(
        TextColumn("{task.completed}/{task.total}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("starting", total=None)
        yield lambda done, total, text: bar.update(task, completed=done, total=total, description=text)
