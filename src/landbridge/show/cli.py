"""The command line: every verb in one place, heavy imports inside the verbs so that help is instant."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge import __version__
from landbridge.errors import LandbridgeError, OutputError, UnknownName

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from landbridge.data.tables import Tables
    from landbridge.study.results import Results

__all__ = ["app", "main"]

app = typer.Typer(
    name="landbridge",
    help="Plan Eurasia's overland freight corridors from one atlas of sourced facts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
atlas_app = typer.Typer(
    help="The atlas: check it, list its sources, ask where a value comes from.", no_args_is_help=True
)
app.add_typer(atlas_app, name="atlas")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of a table.")]
ResultsDir = Annotated[Path, typer.Argument(help="A results folder.", show_default=False)]

MEGATONNE = 1e6
MODES = ("rail", "road", "sea", "ferry")


def main() -> None:
    """Run the command line; errors a user can mend are one message and exit code 1."""
    try:
        app(standalone_mode=True)
    except LandbridgeError as error:
        sys.stderr.write(f"landbridge: {error}\n")
        sys.exit(1)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"landbridge {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


def _console() -> Console:
    from rich.console import Console

    # a table that is piped into a file keeps its columns
    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def _cell(value: Any, digits: int) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.{digits}f}".replace(",", "\u202f")
    if isinstance(value, (list, tuple)):
        return " ".join(str(v) for v in value)
    return str(value)


def _table(title: str, columns: Sequence[tuple[str, int]], rows: Sequence[Sequence[Any]], caption: str = "") -> None:
    """Print a table; each column is its heading and the decimals of its numbers."""
    from rich.table import Table

    table = Table(
        title=title, title_justify="left", caption=caption or None, caption_justify="left", header_style="bold"
    )
    for i, (heading, _) in enumerate(columns):
        numeric = any(isinstance(row[i], (int, float)) and not isinstance(row[i], bool) for row in rows)
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value, digits) for value, (_, digits) in zip(row, columns, strict=True)))
    _console().print(table)


def _read_tables() -> Tables:
    from landbridge.data.read import read_atlas

    return read_atlas()


def _results(folder: Path) -> Results:
    from landbridge.study.results import read_results

    return read_results(folder)


def _frame_json(frame: pl.DataFrame) -> None:
    _print_json(frame.to_dicts())


# -- studies ---------------------------------------------------------------------------------------------------------


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    if quiet:
        yield None
        return
    bar = Progress(
        TextColumn("{task.completed}/{task.total}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("starting", total=None)
        yield lambda done, total, text: bar.update(task, completed=done, total=total, description=text)


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="A study file (TOML).", show_default=False)],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the results; default results/<study>.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    as_json: Json = False,
) -> None:
    """Solve every scenario and year of a study into a results folder."""
    from landbridge.study.files import read_study
    from landbridge.study.results import check_output

    folder = out or Path("results") / study.stem
    check_output(folder)
    read = read_study(study)
    tables = _read_tables()
    from landbridge.study.run import run_study

    with _progress(quiet=quiet or as_json) as progress:
        results = run_study(read, tables, folder, progress=progress)
    if as_json:
        _print_json({"out": str(folder), **results.manifest})
        return
    rows = [
        (s["scenario"], s["year"], s["status"], f"{s['relative_gap']:.1e}", s["iterations"], s["seconds"])
        for s in results.manifest["solved"]
    ]
    headings = [("scenario", 0), ("year", 0), ("status", 0), ("relative gap", 0), ("rounds", 0), ("seconds", 1)]
    _table(f"{results.manifest['study']['name']}: solved", headings, rows)
    typer.echo(f"Results are in {folder}")


def _pick(results: Results, scenario: str | None, year: int | None) -> tuple[str, int]:
    return scenario or results.scenarios[0], year or results.years[0]


@app.command()
def passages(
    folder: ResultsDir,
    year: Annotated[int | None, typer.Option(help="Year of the flows; default the first.")] = None,
    as_json: Json = False,
) -> None:
    """Show the passages: km, days, USD, CO2, borders, gauge changes, and what flows over them and the crossings."""
    results = _results(folder)
    from landbridge.study.summary import corridor_feeds, crossing_summary, passage_summary

    first = year or results.years[0]
    routes, flows, feeds = (
        passage_summary(results, first),
        crossing_summary(results, first),
        corridor_feeds(results, first),
    )
    if as_json:
        _print_json(
            {"passages": routes.to_dicts(), "crossings": flows.to_dicts(), "internal_corridors": feeds.to_dicts()}
        )
        return
    base, other = results.scenarios[0], results.scenarios[-1]
    _table(
        f"Passages, {first}, scenario {base}: standard relation from terminal to terminal, 40-foot box of machinery",
        [("passage", 0), ("from", 0), ("to", 0), ("km", 0), ("days", 1), ("USD/FEU", 0), ("kg CO2/FEU", 0),
         ("borders", 0), ("gauge changes", 0), ("countries", 0), (f"Mt/yr {base}", 2), (f"Mt/yr {other}", 2)],
        [[r[c] for c in ("name", "origin", "destination", "km", "days", "usd_feu", "co2_kg_feu", "borders",
                         "gauge_changes", "countries", "mt_first", "mt_second")] for r in routes.to_dicts()],
        "Prices without haulage by the shipper; – : no route in this scenario, or not a flow of the land network.",
    )  # fmt: skip
    _table(
        f"Crossings of China, {first}: million tonnes a year",
        [("crossing", 0), ("direction", 0), (f"Mt {base}", 3), (f"of it transit {base}", 3), (f"Mt {other}", 3),
         ("change", 3), (f"TEU {base}", 0), (f"use {base}", 2), (f"hours {base}", 1)],
        [[r[c] for c in ("crossing", "direction", "mt_first", "transit_mt_first", "mt_second", "mt_change", "teu_first",
                         "use_first", "time_h_first")] for r in flows.to_dicts()],
    )  # fmt: skip
    _table(
        f"China's internal corridors, {first}: what each feeds to, and takes from, which crossing",
        [("corridor", 0), ("crossing", 0), ("direction", 0), (f"Mt {base}", 3), (f"Mt {other}", 3)],
        [[r[c] for c in ("corridor", "crossing", "direction", "mt_first", "mt_second")] for r in feeds.to_dicts()],
    )


@app.command()
def compare(
    folder: ResultsDir,
    base: Annotated[str | None, typer.Option("--base", help="Scenario compared with; default the first.")] = None,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Scenario compared; default the last.")] = None,
    year: Annotated[int | None, typer.Option(help="Year; default the last.")] = None,
    table: Annotated[str, typer.Option(help="Table of the results that is compared.")] = "crossings",
    rows: Annotated[int, typer.Option(help="Rows printed; the largest changes first.", min=1)] = 25,
    as_json: Json = False,
) -> None:
    """Show what changes from one scenario to another."""
    results = _results(folder)
    from landbridge.study.compare import KEYS, Side
    from landbridge.study.compare import compare as difference

    chosen = year or results.years[-1]
    first, second = Side(base or results.scenarios[0], chosen), Side(scenario or results.scenarios[-1], chosen)
    frame = difference(results, table, first, second)
    if as_json:
        _frame_json(frame)
        return
    import polars as pl

    lead = next((c for c in ("tonnes", "days", "land_tonnes") if f"{c}_change" in frame.columns), None)
    if lead is None:
        raise OutputError(f"table {table} has nothing to rank by")
    shown = (
        frame.filter(pl.col(f"{lead}_change").abs() > 0)
        .sort(pl.col(f"{lead}_change").abs(), descending=True)
        .head(rows)
    )
    scale, unit = (MEGATONNE, "Mt") if "tonnes" in lead else (1.0, lead)
    keys = KEYS[table]
    _table(
        f"{table}, {chosen}: {second.scenario} against {first.scenario}",
        [
            *((k, 0) for k in keys),
            (f"{unit} {first.scenario}", 3),
            (f"{unit} {second.scenario}", 3),
            ("change", 3),
            ("per cent", 1),
        ],
        [
            [
                *(r[k] for k in keys),
                *(r[f"{lead}_{s}"] / scale for s in ("first", "second", "change")),
                r[f"{lead}_percent"],
            ]
            for r in shown.to_dicts()
        ],
        f"{shown.height} of {frame.height} rows",
    )


@app.command()
def report(
    folder: ResultsDir,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file; default DIR/report.html.")] = None,
) -> None:
    """Write one HTML file with maps, tables, sources and assumptions that opens offline."""
    results = _results(folder)
    from landbridge.show.report import write_report

    path = write_report(results, _read_tables(), out or folder / "report.html")
    typer.echo(str(path))


@app.command()
def targets(
    folder: ResultsDir,
    file: Annotated[
        Path | None, typer.Option("--targets", help="File of targets; default the atlas' open ones.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold a results folder against observed figures and say how far off each is."""
    results = _results(folder)
    from landbridge.study.targets import against

    tables = _read_tables()
    frame = against(results, tables, file)
    if as_json:
        _frame_json(frame)
        return
    _table(
        f"Observed figures against scenario {results.scenarios[0]}, before any calibration",
        [("id", 0), ("indicator", 0), ("subject", 0), ("direction", 0), ("year", 0), ("unit", 0), ("observed", 2),
         ("modelled", 2), ("error %", 0), ("inside", 0), ("note", 0)],
        [[r[c] for c in ("id", "indicator", "subject", "direction", "year", "unit", "observed", "modelled",
                         "error_percent", "inside", "why")] for r in frame.to_dicts()],
        f"{frame['modelled'].is_not_null().sum()} compared, {(frame['inside'] == 'yes').sum()} inside their band, "
        f"{frame['modelled'].is_null().sum()} not covered",
    )  # fmt: skip


# -- routes ----------------------------------------------------------------------------------------------------------


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


@app.command()
def routes(
    start: Annotated[str, typer.Argument(metavar="FROM", help="Place by name, id or UN/LOCODE.", show_default=False)],
    end: Annotated[str, typer.Argument(metavar="TO", help="Place by name, id or UN/LOCODE.", show_default=False)],
    avoid: Annotated[str | None, typer.Option(help="Countries to avoid, divided by commas: RU,BY.")] = None,
    with_study: Annotated[Path | None, typer.Option("--with", help="Study whose last scenario holds.")] = None,
    year: Annotated[int, typer.Option(help="Year of the network.")] = 2023,
    commodity: Annotated[str, typer.Option(help="What is carried.")] = "machinery_box",
    via: Annotated[str | None, typer.Option(help="Places to pass in order, divided by commas.")] = None,
    modes: Annotated[str | None, typer.Option(help="Modes allowed, divided by commas; default all.")] = None,
    box: Annotated[str, typer.Option(help="Box that prices are for: teu or feu.")] = "feu",
    count: Annotated[int, typer.Option("--max", help="The most routes.", min=1, max=20)] = 5,
    legs: Annotated[bool, typer.Option("--legs", help="Open the legs of the first route.")] = False,
    as_json: Json = False,
) -> None:
    """Find the best route between two places and a few that differ from it."""
    for mode in _split(modes):
        if mode not in MODES:
            raise UnknownName("mode", mode, MODES)
    if box not in ("teu", "feu"):
        raise typer.BadParameter(f"wanted teu or feu, got {box}", param_hint="--box")
    tables = _read_tables()
    measures: tuple[Any, ...] = ()
    held: frozenset[str] = frozenset({"cku"})
    if with_study is not None:
        from landbridge.study.files import check_study, held_projects, read_study

        study = read_study(with_study)
        check_study(study, tables)
        measures, held = study.scenarios[-1].measures, held_projects(study)
    from landbridge.study.routing import find_routes

    found = find_routes(
        tables,
        start,
        end,
        year=year,
        measures=measures,
        held=held,
        avoid=_split(avoid),
        commodity=commodity,
        via=_split(via),
        modes=_split(modes),
        count=count,
        feu=box == "feu",
    )
    if as_json:
        _print_json({"box": box, "status": "found", "routes": [route.as_dict() for route in found]})
        return
    forms = dict(zip(tables["commodities"]["id"], tables["commodities"]["form"], strict=True))
    unit = box.upper() if forms[commodity] == "container" else "t"
    ends = f"{found[0].legs[0].from_place} to {found[0].legs[-1].to_place}"
    _table(
        f"{ends}, {commodity}, {year}: the cheapest by generalised cost first",
        [("passage", 0), ("km", 0), ("days", 1), ("door days", 1), (f"USD/{unit}", 0), (f"kg CO2/{unit}", 0),
         ("borders", 0), ("gauge changes", 0), ("countries", 0)],
        [[r.passage, r.length_km, r.transit_days, r.time_h / 24, r.cost_usd, r.co2_kg, len(r.borders), r.gauge_changes,
          r.countries] for r in found],
        "Free flow with the preload of 2023; the first route is exact, the others are sensible alternatives.",
    )  # fmt: skip
    if legs:
        _table(
            "Legs of the first route",
            [("type", 0), ("from", 0), ("to", 0), ("mode", 0), ("gauge", 0), ("option", 0), ("country", 0), ("km", 0),
             ("hours", 1), ("USD", 0), ("kg CO2", 0)],
            [[leg.type, leg.from_place, leg.to_place, leg.mode, leg.gauge_mm or "", leg.option, leg.country,
              leg.length_km, leg.time_h, leg.cost_usd, leg.co2_kg] for leg in found[0].legs],
        )  # fmt: skip


# -- atlas -----------------------------------------------------------------------------------------------------------


@atlas_app.command("check")
def atlas_check(
    folder: Annotated[
        Path | None, typer.Argument(help="A data package; default the atlas that ships.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a whole data package and tell all faults at once."""
    from landbridge.data.check import check_package
    from landbridge.data.read import ATLAS

    where = folder or ATLAS
    faults, shares = check_package(where)
    if as_json:
        _print_json({"folder": where.name, "faults": [vars(f) for f in faults], "origins": shares.to_dicts()})
    else:
        for fault in faults:
            typer.echo(str(fault), err=True)
        import polars as pl

        wide = shares.group_by("table", "kind").agg(pl.col("cells").sum())
        kinds = ("reported", "derived", "estimate", "calibrated", "unknown", "none")
        rows = []
        for table in shares["table"].unique(maintain_order=True).to_list():
            counts = dict(wide.filter(pl.col("table") == table).select("kind", "cells").rows())
            total = sum(counts.values())
            rows.append([table, total, *(100.0 * counts.get(k, 0) / total for k in kinds)])
        _table(
            "How the atlas' numbers are known, per cent of number cells",
            [("table", 0), ("cells", 0), *((k, 1) for k in kinds)],
            rows,
        )
        typer.echo(f"{where.name}: {'no faults' if not faults else f'{len(faults)} faults'}")
    if faults:
        raise typer.Exit(1)


@atlas_app.command("sources")
def atlas_sources(as_json: Json = False) -> None:
    """List the sources with their licences and how many rows of provenance rest on each."""
    from landbridge.data.check import source_use
    from landbridge.data.read import ATLAS

    frame = source_use(ATLAS, _read_tables())
    if as_json:
        _frame_json(frame)
        return
    columns = ("id", "publisher", "title", "date", "licence", "confidence", "rests_on")
    _table("Sources", [(c, 0) for c in columns], [[r[c] for c in columns] for r in frame.to_dicts()])


@atlas_app.command("why")
def atlas_why(
    table: Annotated[str, typer.Argument(help="Table.", show_default=False)],
    row: Annotated[str, typer.Argument(metavar="ID", help="Row id.", show_default=False)],
    column: Annotated[str, typer.Argument(help="Column.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Show one value, how it is known, on which sources it rests and the reasoning."""
    from landbridge.data.check import explain
    from landbridge.data.read import ATLAS

    answer = explain(ATLAS, _read_tables(), table, row, column)
    if as_json:
        _print_json(answer)
        return
    for key, value in answer.items():
        if key == "sources":
            for source in value:
                typer.echo(f"  source: {source}")
        else:
            typer.echo(f"{key}: {value}")
