"""Options that the verbs of power, dependence, bans and closures share, and how each of them ends."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.show.terminal import known, print_json, read_checked, read_tables

if TYPE_CHECKING:
    from landbridge.data.tables import Tables
    from landbridge.study.files import Study
    from landbridge.study.ground import Ground

__all__ = ["SIZES", "OutFolder", "Quiet", "Seed", "Size", "WithStudy", "Year", "ended", "ground"]

SIZES = ("full", "corridor", "reduced")
# Unbuilt projects stay unbuilt unless a study builds them.
HELD = frozenset({"cku"})

Year = Annotated[int, typer.Option(help="Year.")]
Size = Annotated[str, typer.Option(help="full, corridor or reduced.")]
Seed = Annotated[int, typer.Option(help="Seed of the draws.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]
OutFolder = Annotated[Path | None, typer.Option("--out", help="Folder for the tables of the answer.")]
WithStudy = Annotated[
    Path | None, typer.Option("--with", help="Study file; by its scenarios, or with the measures of its last one.")
]


def ground(
    with_study: Path | None, atlas: Path | None, overlay: Path | None, *, year: int, size: str, out: Path | None
) -> tuple[Ground, Study | None]:
    """Read what a question is asked of, and check its size and the folder of its answer before anything is solved.

    With a study the measures of its last scenario hold; it is returned too.
    """
    from landbridge.study.files import held_projects
    from landbridge.study.ground import Ground
    from landbridge.study.power_files import check_power_output

    known("size", size, SIZES)
    if with_study:
        study, tables = read_checked(with_study, atlas, overlay)
    else:
        study, tables = None, read_tables(atlas, overlay)
    if out is not None:
        check_power_output(out)
    if study is None:
        return Ground(tables, year, size, (), frozenset(tables.ids("projects")) & HELD), None
    return Ground(tables, year, size, study.scenarios[-1].measures, held_projects(study)), study


def ended(found: Mapping[str, Any], tables: Tables, *, out: Path | None, as_json: bool) -> bool:
    """Write an answer where it is wanted; whether it was printed as JSON and nothing else is to be printed."""
    from landbridge.study.power_files import write_answer

    if out is not None:
        write_answer(out, tables, found)
    if as_json:
        print_json(found)
    return as_json
