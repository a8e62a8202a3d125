"""The verbs that test the model against events and against its own inputs: backtest, sensitivity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from landbridge.show.terminal import (
    FREE,
    AtlasDir,
    Json,
    OverlayPath,
    frame_json,
    known,
    print_table,
    progress_bar,
    read_tables,
)

__all__ = ["backtest", "sensitivity"]

#: Characters of a bar for a change of 100 per cent.
BAR = 20

Size = Annotated[str, typer.Option(help="full, corridor or reduced.")]
Cache = Annotated[Path | None, typer.Option(help="Folder in which solved runs are kept; default in the user's cache.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder for the table.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]


def _bar(percent: float | None) -> str:
    """A change as a bar to the left or right of a line."""
    if percent is None:
        return ""
    count = min(BAR, round(abs(percent) / 100 * BAR))
    return " " * (BAR - count) + "█" * count + "│" if percent < 0 else " " * BAR + "│" + "█" * count


def backtest(
    out: Out = None,
    size: Size = "corridor",
    cache: Cache = None,
    quiet: Quiet = False,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Run the five events of 2021 to 2025 again: what each did to passages, in direction and in size."""
    from landbridge.study.backtest import BACKTEST_COLUMNS
    from landbridge.study.backtest import backtest as again
    from landbridge.study.results import check_output
    from landbridge.study.validate.runs import SolvedWorld, cache_folder
    from landbridge.study.validate.write import MARKER, write_tables

    known("size", size, ("full", "corridor", "reduced"))
    if out is not None:
        check_output(out, marker=MARKER)
    tables = read_tables(atlas, overlay)
    with progress_bar(quiet=quiet or as_json) as progress:
        tell = progress or (lambda _done, _count, _text: None)
        world = SolvedWorld(tables, size=size, cache=cache or cache_folder(), progress=lambda text: tell(0, 1, text))
        frame = again(world, progress=lambda text: tell(0, 1, text))
    if out is not None:
        write_tables(
            out, {"kind": "backtest", "size": size, "runs": world.solved}, {"backtest": frame}, BACKTEST_COLUMNS
        )
    if as_json:
        frame_json(frame)
        return
    rows: list[list[Any]] = []
    for r in frame.to_dicts():
        right = "" if r["direction_right"] is None else "yes" if r["direction_right"] else "no"
        within = "" if r["within_factor"] is None else "yes" if r["within_factor"] else "no"
        level = r["published_level"] is not None
        rows.append([r["name"], r["thing"], r["indicator"], r["when"], r["with_event"] if level else r["change_pct"],
                     "" if level else _bar(r["change_pct"]), r["event_pct"], right,
                     r["published_level"] if level else r["published_pct"], within])  # fmt: skip
    print_table(
        "What events did, per cent: the year with the event on all days against the same year without it, or the two "
        "times that a published size compares; of trains that wait their number",
        [("event", 0), ("passage", 0), ("of", 0), ("when", 0), ("change", 1),
         ("-100 %              0             +100 %", 0), ("event alone", 1), ("direction right", 0), ("published", 0),
         ("within a factor of 2", 0)],
        rows,
    )  # fmt: skip
    sized = frame.drop_nulls("within_factor")
    events = sized.filter("within_factor")["event"].n_unique()
    typer.echo(
        f"Direction right in {frame['direction_right'].sum()} of {frame['published_level'].null_count()} changes; size "
        f"within a factor of two in {sized['within_factor'].sum()} of {sized.height} that were published, of {events} "
        "events. Constants are fitted to 2016-2021 only."
    )


def sensitivity(
    out: Out = None,
    size: Size = "corridor",
    year: Annotated[int, typer.Option(help="Year that is solved.")] = 2023,
    quiet: Quiet = False,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Tell which inputs headlines rest on, how much of that is estimated, and how far they move over the ranges."""
    from landbridge.study.results import check_output
    from landbridge.study.sensitivity import SENSITIVITY_COLUMNS
    from landbridge.study.sensitivity import sensitivity as swings
    from landbridge.study.validate.write import MARKER, write_tables

    known("size", size, ("full", "corridor", "reduced"))
    if out is not None:
        check_output(out, marker=MARKER)
    tables = read_tables(atlas, overlay)
    with progress_bar(quiet=quiet or as_json) as progress:
        tell = progress or (lambda _done, _count, _text: None)
        found, estimated = swings(tables, year=year, size=size, progress=tell)
    if out is not None:
        write_tables(
            out, {"kind": "sensitivity", "size": size, "year": year},
            {"swings": found, "estimated": estimated}, SENSITIVITY_COLUMNS,
        )  # fmt: skip
    if as_json:
        frame_json(found)
        return
    print_table(
        f"How far headlines of {year} move over the range of one input, per cent of their value",
        [("headline", 0), ("value", FREE), ("input", 0), ("known as", 0), ("from", FREE), ("to", FREE), ("low", 1),
         ("high", 1)],
        [[r[c] for c in ("headline", "value", "input", "origin", "low", "high", "low_pct", "high_pct")]
         for r in found.to_dicts()],
    )  # fmt: skip
    print_table(
        "How much of what they rest on is estimated, per cent of tonnes",
        [("headline", 0), ("estimated", 0), ("derived", 0), ("reported", 0), ("calibrated", 0)],
        [[r[c] for c in ("headline", "estimate_pct", "derived_pct", "reported_pct", "calibrated_pct")]
         for r in estimated.to_dicts()],
    )  # fmt: skip
