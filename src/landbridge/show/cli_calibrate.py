"""The verb that fits parameters to observed figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge.errors import LandbridgeError
from landbridge.show.terminal import (
    AtlasDir,
    Json,
    OverlayPath,
    known,
    print_json,
    print_table,
    progress_bar,
    read_tables,
    split_commas,
)

__all__ = ["calibrate"]


def calibrate(
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the fit: an overlay of the atlas and what it was fitted to.")
    ],
    file: Annotated[
        Path | None, typer.Option("--targets", help="File of targets; default the atlas' open ones and further counts.")
    ] = None,
    years: Annotated[str, typer.Option(help="Years whose targets may be read, as 2016-2021.")] = "2016-2021",
    fit: Annotated[str | None, typer.Option(help="Parameters to fit, by commas; default all that may be.")] = None,
    size: Annotated[str, typer.Option(help="full, corridor or reduced.")] = "corridor",
    steps: Annotated[int, typer.Option(help="Steps of the solver at most.", min=1, max=50)] = 2,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Fit a few parameters to the observed flows of some years, and of no others.

    The folder is an overlay: `landbridge validate --overlay OUT` uses it. Beside it stand the provenance that the atlas
    wants for calibrated values, and every target of the fit before and after.
    """
    import polars as pl

    from landbridge.study.calibrate import COUNTS, FITTED, write_overlay
    from landbridge.study.calibrate import calibrate as fitted
    from landbridge.study.validate.form import read_targets

    known("size", size, ("full", "corridor", "reduced"))
    first, _, last = years.partition("-")
    if not first.isdigit() or (last and not last.isdigit()) or int(last or first) < int(first):
        raise LandbridgeError(f"--years: wanted a year or two years as 2016-2021, got {years!r}")
    tables = read_tables(atlas, overlay)
    counts = read_targets(COUNTS)
    targets = pl.concat([tables["targets"], counts], how="diagonal_relaxed") if file is None else read_targets(file)
    with progress_bar(quiet=quiet or as_json) as progress:
        tell = progress or (lambda _done, _count, _text: None)
        done = [0]

        def step(text: str) -> None:
            done[0] += 1
            tell(done[0], done[0] + 1, text)

        found = fitted(
            tables,
            targets,
            years=range(int(first), int(last or first) + 1),
            names=split_commas(fit) or tuple(FITTED),
            size=size,
            most=steps,
            progress=step,
        )
    write_overlay(out, found, tables)
    if as_json:
        print_json(
            {
                "values": found.values,
                "years": list(found.years),
                "cost_before": found.cost_before,
                "cost_after": found.cost_after,
                "evaluations": found.evaluations,
                "at_bound": list(found.at_bound),
                "targets": found.rows.to_dicts(),
            }
        )
        return
    units = dict(tables["parameters"].select("id", "unit").iter_rows())
    print_table(
        f"Fitted to {found.rows.height} flows of {found.years[0]}-{found.years[-1]}",
        [("parameter", 0), ("value", 4), ("unit", 0), ("", 0)],
        [[n, v, units[n], "at the end of its range" if n in found.at_bound else ""] for n, v in found.values.items()],
        f"Objective {found.cost_before:.4g} before, {found.cost_after:.4g} after; all years solved "
        f"{found.evaluations} times. Written to {out}.",
    )
    print_table(
        "Targets of the fit",
        [("id", 0), ("year", 0), ("observed", 4), ("before", 4), ("after", 4), ("log error before", 3), ("after", 3)],
        [[r[c] for c in ("id", "year", "observed", "before", "after", "error_before", "error_after")]
         for r in found.rows.to_dicts()],
    )  # fmt: skip
