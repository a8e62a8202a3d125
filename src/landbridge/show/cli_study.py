"""The verbs that help to write study files: new, check, diff, measures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge.errors import LandbridgeError, OutputError
from landbridge.show.running import ClusterAddress, JsonLines, Quiet, Resume, Workers, watching
from landbridge.show.terminal import (
    AtlasDir,
    Json,
    OverlayPath,
    known,
    print_json,
    print_table,
    read_checked,
    read_tables,
)

__all__ = ["ensemble", "study_app"]

study_app = typer.Typer(help="Write, check and compare study files.", no_args_is_help=True)

StudyFile = Annotated[Path, typer.Argument(help="A study file (TOML).", show_default=False)]

#: Exit code of `diff` where there is a difference, as that of diff.
DIFFERENT = 1


@study_app.command()
def new(
    file: Annotated[Path, typer.Argument(help="File to be written.", show_default=False)],
    name: Annotated[str | None, typer.Option("--name", help="What it is called; default the file's name.")] = None,
    years: Annotated[str, typer.Option("--years", help="Years, divided by commas.")] = "2023,2030",
    project: Annotated[str | None, typer.Option("--project", help="A project that the second scenario builds.")] = None,
) -> None:
    """Write a study file to start from; one that is there is left alone."""
    from landbridge.study.kept import replace_file
    from landbridge.study.study_diff import template

    if file.exists():
        raise OutputError(f"{file}: is there already; it is left alone")
    try:
        chosen = sorted({int(year) for year in years.split(",")})
    except ValueError:
        raise LandbridgeError(f"years: wanted years divided by commas, got {years!r}") from None
    if project is not None:
        project = known("project", project, read_tables().ids("projects"))
    replace_file(file, template(name or file.stem, chosen, project).encode())
    typer.echo(f"{file} is written; `landbridge study check {file}` says what it will run")


@study_app.command()
def check(
    study: StudyFile,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Read a study and hold it against the atlas: every fault with its position, all at once, or what it will run."""
    from landbridge.study.files import fingerprint as of_study

    read, _ = read_checked(study, atlas, overlay)
    told = {
        "study": read.name,
        "fingerprint": of_study(read),
        "years": list(read.years),
        "scenarios": {scenario.id: len(scenario.measures) for scenario in read.scenarios},
        "tasks": len(read.scenarios) * len(read.years),
        "uncertain": [one.name for one in read.uncertain],
    }
    if as_json:
        print_json(told)
        return
    print_table(
        f"{read.name}: no faults; {told['tasks']} tasks, compared with {read.compare}",
        [("scenario", 0), ("measures", 0)],
        list(told["scenarios"].items()),  # type: ignore[attr-defined]
        f"Years {', '.join(str(y) for y in read.years)}; fingerprint {str(told['fingerprint'])[:12]}."
        + (f" {len(read.uncertain)} uncertain inputs." if read.uncertain else ""),
    )


@study_app.command()
def diff(first: StudyFile, second: StudyFile, as_json: Json = False) -> None:
    """Show what two studies compute differently; the exit code is 1 where they do."""
    from dataclasses import asdict

    from landbridge.study.files import read_study
    from landbridge.study.study_diff import differences

    found = differences(read_study(first), read_study(second))
    if as_json:
        print_json([asdict(one) for one in found])
    elif not found:
        typer.echo("Both compute the same.")
    else:
        rows = [(one.where, one.first, one.second) for one in found]
        print_table("Differences", [("where", 0), (str(first), 0), (str(second), 0)], rows)
    if found:
        raise typer.Exit(DIFFERENT)


@study_app.command()
def measures(
    kind: Annotated[str | None, typer.Argument(help="One kind; default all.", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """List the kinds of measures, or the fields of one."""
    from dataclasses import asdict

    from landbridge.scenario.measures import KINDS
    from landbridge.study.study_diff import measure_fields

    if kind is not None:
        known("kind of measure", kind, list(KINDS))
    found = measure_fields(kind)
    if as_json:
        print_json([asdict(one) for one in found])
    elif kind is None:
        rows = [
            (name, (record.__doc__ or "").strip().splitlines()[0], " ".join(f.field for f in found if f.kind == name))
            for name, record in KINDS.items()
        ]
        print_table("Measures", [("kind", 0), ("what it does", 0), ("fields", 0)], rows, whole=("kind",))
    else:
        lines = [(f.field, f.type, "required" if f.required else "", f.bounds, f.meaning) for f in found]
        columns = [("field", 0), ("type", 0), ("", 0), ("bounds", 0), ("meaning", 0)]
        print_table(f'kind = "{kind}"', columns, lines, (KINDS[kind].__doc__ or "").strip().splitlines()[0])


def ensemble(
    study: StudyFile,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; default results/<study>-ensemble.")
    ] = None,
    workers: Workers = 1,
    cluster: ClusterAddress = None,
    resume: Resume = False,
    quiet: Quiet = False,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
    json_lines: JsonLines = False,
) -> None:
    """Solve a study's scenarios in many futures: regret, robust choice, sensitivity, where a scenario fails.

    The study has uncertain inputs ([[uncertain]]) and a plan ([ensemble]); docs/ensembles.md says how they are written.
    """
    from landbridge.study.ensemble import run_ensemble
    from landbridge.study.ensemble_results import read_ensemble
    from landbridge.study.runner import where_of

    where = where_of(workers, cluster)
    folder = out or Path("results") / f"{study.stem}-ensemble"
    read, tables = read_checked(study, atlas, overlay)
    with watching(quiet=quiet or as_json, lines=json_lines, folder=folder) as watch:
        manifest = run_ensemble(
            read, tables, folder, where=where, resume=resume, tell=watch.done, progress=watch.progress
        )
    if json_lines:
        return
    if as_json:
        print_json({"out": str(folder), **manifest})
        return
    _, found = read_ensemble(folder)
    policies, names = found["policies"], [scenario.id for scenario in read.scenarios]
    rows = []
    for rule in policies["rule"].unique(maintain_order=True):
        part = policies.filter(policies["rule"] == rule).to_dicts()
        scale = 1.0 if rule == "starr" else MILLION
        picked = ", ".join(row["scenario"] for row in part if row["picked"])
        rows.append((rule, *(row["value"] / scale for row in part), picked))
    futures = manifest["ensemble"]["futures"]
    print_table(
        f"{read.name}, {manifest['ensemble']['year']}: {futures} futures, net benefit a year, million USD",
        [("rule", 0), *((name, 2) for name in names), ("picks", 0)],
        rows,
        "starr: share of futures at or above the threshold. Knowing the future would be worth "
        f"{manifest['expected_value_of_perfect_information_usd_yr'] / MILLION:,.1f} million USD a year.",
    )
    told = found["sensitivity"].to_dicts()
    columns = [("scenario", 0), ("input", 0), ("rank correlation", 2), ("first", 2), ("total", 2)]
    told.sort(key=lambda row: -abs(row["total"] if row["total"] is not None else row["rank_correlation"]))
    print_table(
        "What its net benefit depends on",
        columns,
        [[row[key.replace(" ", "_")] for key, _ in columns] for row in told],
    )
    typer.echo(f"Results are in {folder}")


MILLION = 1e6
