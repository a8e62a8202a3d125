"""The verb of truth: the model held against observed figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.show.terminal import (
    FREE,
    AtlasDir,
    Json,
    OverlayPath,
    known,
    print_json,
    print_table,
    progress_bar,
    read_tables,
)

if TYPE_CHECKING:
    from landbridge.study.validate.validate import Validation

__all__ = ["validate"]

SCORES = (
    "n", "inside", "share", "median_abs_log_error", "naive_n", "naive_last", "naive_growth", "model_beside",
)  # fmt: skip


def validate(
    file: Annotated[
        Path | None, typer.Option("--targets", help="File of targets; default the atlas' open ones.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the tables.")] = None,
    size: Annotated[str, typer.Option(help="full, corridor or reduced.")] = "corridor",
    cache: Annotated[
        Path | None, typer.Option(help="Folder in which solved runs are kept; default in the user's cache.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Solve everything anew, keep nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Hold the model against observed figures: solve the years, events and scenarios that they need, and score it.

    Each row is classed by what the model's number rests on: echo (the observed figure is an input), fitted (a value was
    calibrated to it), predicted. Two forecasts that need no model stand beside it.
    """
    from landbridge.study.results import check_output
    from landbridge.study.validate.runs import SolvedWorld, cache_folder
    from landbridge.study.validate.validate import validate as held_against
    from landbridge.study.validate.write import MARKER, write_validation

    known("size", size, ("full", "corridor", "reduced"))
    if out is not None:
        check_output(out, marker=MARKER)
    tables = read_tables(atlas, overlay)
    with progress_bar(quiet=quiet or as_json) as progress:
        at: list[Any] = [0, 1, ""]
        tell = progress or (lambda _done, _count, _text: None)

        def row(done: int, count: int, name: str) -> None:
            at[:] = [done, count, name]
            tell(done, count, name)

        world = SolvedWorld(
            tables,
            size=size,
            cache=None if fresh else cache or cache_folder(),
            progress=lambda text: tell(at[0], at[1], f"{at[2]}: {text}"),
        )
        found = held_against(world, file, progress=row)
    if out is not None:
        write_validation(out, found, tables=tables, size=size, file=file, runs=world.solved)
    if as_json:
        print_json(as_plain(found))
        return
    print_validation(found)


def as_plain(found: Validation) -> dict[str, Any]:
    """The report as plain values: targets, scores by class and topic, and how many are not covered."""

    def scored(frame: Any, by: str) -> dict[str, dict[str, Any]]:
        return {r[by]: {name: r[name] for name in SCORES} for r in frame.to_dicts()}

    by_class = scored(found.by_class, "class")
    for name in ("echo", "fitted", "predicted"):
        empty = dict.fromkeys(SCORES)
        by_class.setdefault(name, {**empty, "n": 0, "inside": 0, "naive_n": 0})
    return {
        "targets": found.rows.to_dicts(),
        "by_class": by_class,
        "by_topic": scored(found.by_topic, "topic"),
        "worst": found.worst["id"].to_list(),
        "not_covered": found.not_covered,
    }


def _subject(row: Mapping[str, Any]) -> str:
    directed = "" if row["direction"] in ("both", "na") else f", {row['direction']}"
    return f"{row['subject']}{directed}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def print_validation(found: Validation) -> None:
    """Print every row, the scores, the worst misses and what is not covered."""
    import polars as pl

    answered = found.rows.filter(pl.col("modelled").is_not_null())
    rest = found.rows.filter(pl.col("modelled").is_null())
    print_table(
        "Observed figures and the model",
        [("id", 0), ("indicator", 0), ("subject", 0), ("year", 0), ("unit", 0), ("observed", FREE), ("from", FREE),
         ("to", FREE), ("modelled", FREE), ("error %", 0), ("inside", 0), ("class", 0), ("source", 0)],
        [[r["id"], r["indicator"], _subject(r), r["year"], r["unit"],
          *(r[c] for c in ("observed", "low", "high", "modelled", "error_pct")), "yes" if r["inside"] else "no",
          r["class"], r["source"]] for r in answered.to_dicts()],
        whole=("id", "indicator", "unit", "class"),
    )  # fmt: skip
    noted = answered.filter((pl.col("rests_on") != "") | (pl.col("note") != ""))
    if noted.height:
        print_table(
            "On what they rest",
            [("id", 0), ("class", 0), ("why that class; how the number is to be read", 0)],
            [[r["id"], r["class"], "; ".join(p for p in (r["rests_on"], r["note"]) if p)] for r in noted.to_dicts()],
            whole=("id", "class"),
        )
    for title, part in (("Not covered", rest),):
        if part.height:
            print_table(
                title,
                [("id", 0), ("indicator", 0), ("subject", 0), ("year", 0), ("why", 0)],
                [[r["id"], r["indicator"], _subject(r), r["year"], r["why"]] for r in part.to_dicts()],
                whole=("id", "indicator"),
            )
    for title, frame, by in (("By class", found.by_class, "class"), ("By topic", found.by_topic, "topic")):
        print_table(
            title,
            [(by, 0), ("n", 0), ("inside", 0), ("share", 0), ("median |log error|", 3), ("with an earlier value", 0),
             ("model there", 3), ("last value", 3), ("grown value", 3)],
            [[r[by], r["n"], r["inside"], _percent(r["share"]), r["median_abs_log_error"], r["naive_n"],
              r["model_beside"], r["naive_last"], r["naive_growth"]] for r in frame.to_dicts()],
            whole=(by,),
        )  # fmt: skip
    if found.worst.height:
        print_table(
            f"The {found.worst.height} predicted figures that are missed by most",
            [("id", 0), ("subject", 0), ("year", 0), ("observed", FREE), ("modelled", FREE), ("why", 0)],
            [[r["id"], _subject(r), r["year"], r["observed"], r["modelled"], r["why"]] for r in found.worst.to_dicts()],
            whole=("id",),
        )
    predicted = found.rows.filter(pl.col("class") == "predicted")
    inside = predicted.filter(pl.col("inside")).height
    typer.echo(
        f"{found.rows.height} targets: {predicted.height} predicted, of which {inside} inside their band"
        + (f" ({inside / predicted.height:.0%})" if predicted.height else "")
        + f"; not covered: {found.not_covered}."
    )
