"""The command line: every verb in one place, heavy imports inside the verbs so that help is instant."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge import __version__
from landbridge.errors import LandbridgeError, NoRoute, UnknownName

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
#: As the decimals of a column: as many as its numbers need.
FREE = -1
MODES = ("rail", "road", "sea", "ferry")


def main() -> None:
    """Run the command line; errors a user can mend are one message and exit code 1."""
    try:
        app(standalone_mode=True, prog_name="landbridge")
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


def _plain(value: Any) -> Any:
    """A value as JSON knows it: no tuples, and null for what is no number."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False, default=str, allow_nan=False))


def _cell(value: Any, digits: int) -> str:
    if value is None:
        return "–"
    if isinstance(value, (int, float)) and not isinstance(value, bool) and digits == FREE:
        if 0 < abs(value) < 1e-3:
            return f"{value:.1e}"
        digits = next((d for limit, d in ((1000, 0), (100, 1), (1, 2)) if abs(value) >= limit), 3)
        return _cell(float(value), digits)
    if isinstance(value, float):
        text = f"{value:,.{digits}f}".replace(",", "\u202f")
        # what rounds to nothing has no sign
        return text.removeprefix("-") if not text.strip("-0.") else text
    if isinstance(value, (list, tuple)):
        return " ".join(str(v) for v in value)
    return str(value)


def _table(
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
        table.add_row(*(_cell(value, digits) for value, (_, digits) in zip(row, columns, strict=True)))
    _console().print(table)


def _read_tables() -> Tables:
    from landbridge.data.read import read_atlas

    return read_atlas()


def _results(folder: Path) -> Results:
    from landbridge.study.results import read_results

    return read_results(folder)


def _known(kind: str, name: str, names: Sequence[str]) -> str:
    """A name that is in a list, else an error that suggests what is meant or tells the list."""
    if name in names:
        return name
    error = UnknownName(kind, name, names)
    raise error if error.suggestions else LandbridgeError(f"{error}; there are {', '.join(names)}")


def _scenario(results: Results, name: str | None, default: str) -> str:
    return _known("scenario", name or default, results.scenarios)


def _year(results: Results, year: int | None, default: int) -> int:
    chosen = default if year is None else year
    if chosen not in results.years:
        years = ", ".join(str(y) for y in results.years)
        raise LandbridgeError(f"{results.folder} has no year {chosen}; there are {years}")
    return chosen


def _frame_json(frame: pl.DataFrame) -> None:
    _print_json(frame.to_dicts())


# -- studies ---------------------------------------------------------------------------------------------------------


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    if quiet or not sys.stderr.isatty():
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
    """Solve every scenario and year of a study into a results folder.

    Results that are in the folder already are replaced once the new ones are whole.
    """
    from landbridge.study.files import check_study, read_study
    from landbridge.study.results import check_output

    folder = out or Path("results") / study.stem
    check_output(folder)
    read = read_study(study)
    tables = _read_tables()
    check_study(read, tables)
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


@app.command()
def passages(
    folder: ResultsDir,
    year: Annotated[int | None, typer.Option(help="Year of the flows; default the first.")] = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", help="Scenario beside the first; default the last.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the passages: km, days, USD, CO2, borders, gauge changes, and what flows over them and the crossings."""
    results = _results(folder)
    from landbridge.study.summary import corridor_feeds, crossing_summary, passage_summary

    chosen = _year(results, year, results.years[0])
    base, other = results.scenarios[0], _scenario(results, scenario, results.scenarios[-1])
    routes, flows, feeds = (
        passage_summary(results, chosen, other),
        crossing_summary(results, chosen, second=other),
        corridor_feeds(results, chosen, other),
    )
    if as_json:
        _print_json(
            {
                "year": chosen,
                "first": base,
                "second": other,
                "passages": routes.to_dicts(),
                "crossings": flows.to_dicts(),
                "internal_corridors": feeds.to_dicts(),
            }
        )
        return
    # a study of one scenario has nothing to stand beside it
    two = other != base

    def show(title: str, columns: Sequence[tuple[str, str, int]], frame: pl.DataFrame, caption: str = "") -> None:
        kept = [(heading, name, digits) for heading, name, digits in columns if two or name not in SECOND]
        rows = [[r[name] for _, name, _ in kept] for r in frame.to_dicts()]
        _table(title, [(heading, digits) for heading, _, digits in kept], rows, caption)

    show(
        f"Passages, {chosen}: standard relation from terminal to terminal, 40-foot box of machinery, free flow",
        [("passage", "name", 0), ("from", "origin", 0), ("to", "destination", 0), ("km", "km", 0), ("days", "days", 1),
         ("USD/FEU", "usd_feu", 0), ("kg CO2/FEU", "co2_kg_feu", 0), ("borders", "borders", 0),
         ("gauge changes", "gauge_changes", 0), ("countries", "countries", 0), (f"Mt/yr {base}", "mt_first", 2),
         (f"Mt/yr {other}", "mt_second", 2)],
        routes,
        "Prices without haulage by the shipper. –: no route in this scenario; as a flow: by sea, outside the land "
        "network." + (f" A row marked ({other}) tells what that scenario changes." if two else ""),
    )  # fmt: skip
    show(
        f"Crossings of China, {chosen}: million tonnes a year",
        [("crossing", "crossing", 0), ("direction", "direction", 0), (f"Mt {base}", "mt_first", 3),
         (f"of it transit {base}", "transit_mt_first", 3), (f"Mt {other}", "mt_second", 3), ("change", "mt_change", 3),
         (f"TEU {base}", "teu_first", 0), (f"TEU {other}", "teu_second", 0), (f"use {base}", "use_first", 2),
         (f"use {other}", "use_second", 2), (f"hours {base}", "time_h_first", 1),
         (f"hours {other}", "time_h_second", 1)],
        flows,
        "Use: trains over capacity, domestic and passenger trains included; hours at both stations together. "
        "–: not open in this scenario.",
    )  # fmt: skip
    show(
        f"China's internal corridors, {chosen}: what each feeds to, and takes from, which crossing",
        [("corridor", "corridor", 0), ("crossing", "crossing", 0), ("direction", "direction", 0),
         (f"Mt {base}", "mt_first", 3), (f"Mt {other}", "mt_second", 3)],
        feeds,
    )  # fmt: skip


#: Columns that say nothing where a study has one scenario.
SECOND = {"mt_second", "mt_change", "teu_second", "use_second", "time_h_second"}


@app.command()
def compare(
    folder: ResultsDir,
    base: Annotated[
        str | None, typer.Option("--base", help="Scenario compared with; default the one the study names.")
    ] = None,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Scenario compared; default the last.")] = None,
    year: Annotated[int | None, typer.Option(help="Year; default the last.")] = None,
    base_year: Annotated[
        int | None, typer.Option("--base-year", help="Year of the scenario compared with; default the same year.")
    ] = None,
    table: Annotated[
        str,
        typer.Option(help="totals, passages, crossings, links, passage_flows, internal_corridors or countries."),
    ] = "crossings",
    by: Annotated[
        str | None, typer.Option("--by", help="Number compared, as tonnes, teu or days; default the main one.")
    ] = None,
    rows: Annotated[int, typer.Option(help="Rows printed; the largest changes first.", min=1)] = 25,
    as_json: Json = False,
) -> None:
    """Show what changes from one scenario, or year, to another."""
    results = _results(folder)
    from landbridge.study.compare import KEYS, Side
    from landbridge.study.compare import compare as difference

    _known("table to compare", table, list(KEYS))
    named = results.manifest["study"]["compare"]
    others = [s for s in results.scenarios if s != named]
    chosen = _year(results, year, results.years[-1])
    first = Side(_scenario(results, base, named), _year(results, base_year, chosen))
    second = Side(_scenario(results, scenario, others[-1] if others else named), chosen)
    if first == second and not (base or scenario or base_year):
        raise LandbridgeError(f"{folder} has one scenario, {named}, in {chosen}: nothing to compare; try --base-year")
    frame = difference(results, table, first, second)
    if as_json:
        _frame_json(frame)
        return
    import polars as pl

    numbers = [c.removesuffix("_change") for c in frame.columns if c.endswith("_change")]
    left, right = (
        side.scenario if first.year == second.year else f"{side.scenario} {side.year}" for side in (first, second)
    )
    title = f"{table}, {chosen}: {right} against {left}"
    sides = ("first", "second", "change")
    if not KEYS[table] and by is None:
        whole = frame.row(0, named=True)
        columns = [("number", 0), (left, FREE), (right, FREE), ("change", FREE), ("per cent", 1)]
        _table(title, columns, [[n, *(whole[f"{n}_{s}"] for s in (*sides, "percent"))] for n in numbers])
        return
    lead = _known("number", by, numbers) if by else next(n for n in ("tonnes", "days", "tonne_km") if n in numbers)
    moved = frame.filter(pl.col(f"{lead}_change").abs() > 0)
    alone = frame.filter(pl.col(f"{lead}_first").is_null() != pl.col(f"{lead}_second").is_null())
    shown = pl.concat([moved.sort(pl.col(f"{lead}_change").abs(), descending=True), alone]).head(rows)
    scale, unit = (MEGATONNE, f"{lead}, million" if lead != "tonnes" else "Mt") if "tonne" in lead else (1.0, lead)
    digits = 3 if scale != 1 else FREE
    _table(
        title,
        [*((k, 0) for k in KEYS[table]), (f"{unit}, {left}", digits), (f"{unit}, {right}", digits), ("change", digits),
         ("per cent", 1)],
        [
            [*(r[k] for k in KEYS[table]),
             *(None if r[f"{lead}_{s}"] is None else r[f"{lead}_{s}"] / scale for s in sides),
             r[f"{lead}_percent"]]
            for r in shown.to_dicts()
        ],
        f"{shown.height} of {moved.height + alone.height} rows that change, of {frame.height}",
    )  # fmt: skip


@app.command()
def crossing(
    folder: ResultsDir,
    ids: Annotated[str, typer.Argument(metavar="ID[,ID]", help="Crossings, taken together.", show_default=False)],
    scenario: Annotated[str | None, typer.Option(help="Scenario; default the first.")] = None,
    year: Annotated[int | None, typer.Option(help="Year; default the first.")] = None,
    as_json: Json = False,
) -> None:
    """Show what passes a crossing by direction and commodity, with transit apart, and for whom."""
    results = _results(folder)
    from landbridge.study.summary import crossing_goods

    which, when = _scenario(results, scenario, results.scenarios[0]), _year(results, year, results.years[0])
    frame = crossing_goods(results, _split(ids), which, when)
    if as_json:
        _frame_json(frame)
        return
    columns = [("from", "from_country", 0), ("to", "to_country", 0), ("commodity", "commodity", 0), ("Mt", "mt", 3),
               ("of it transit", "transit_mt", 3), ("TEU", "teu", 0), ("trains", "trains", 0),
               ("largest users (Mt)", "main_users", 0)]  # fmt: skip
    _table(
        f"{ids}, {when}, scenario {which}",
        [(heading, digits) for heading, _, digits in columns],
        [[row[name] for _, name, _ in columns] for row in frame.to_dicts()],
        f"{frame['mt'].sum():.2f} Mt in all, {frame['transit_mt'].sum():.2f} Mt of it transit: "
        "between countries that are not both sides of the crossing.",
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
    import polars as pl

    answered, rest = frame.filter(pl.col("modelled").is_not_null()), frame.filter(pl.col("modelled").is_null())

    def subject(row: Mapping[str, Any]) -> str:
        directed = "" if row["direction"] in ("both", "na") else f", {row['direction']}"
        return f"{row['subject']}{directed}"

    def verdict(row: Mapping[str, Any]) -> str:
        return ("echo, " if row["status"] == "echo" else "") + ("inside" if row["inside"] == "yes" else "outside")

    _table(
        f"Observed figures against scenario {results.scenarios[0]}, before any calibration",
        [("id", 0), ("indicator", 0), ("subject", 0), ("year", 0), ("unit", 0), ("observed", FREE), ("from", FREE),
         ("to", FREE), ("modelled", FREE), ("error %", 0), ("verdict", 0)],
        [[r["id"], r["indicator"], subject(r), r["year"], r["unit"],
          *(r[c] for c in ("observed", "low", "high", "modelled", "error_percent")), verdict(r)]
         for r in answered.to_dicts()],
        whole=("id", "indicator", "unit", "verdict"),
    )  # fmt: skip
    noted = answered.filter(pl.col("why") != "")
    for title, part in (("How the model's numbers are to be read", noted), ("Not covered", rest)):
        if part.height:
            lines = [[r["id"], r["indicator"], subject(r), r["year"], r["why"]] for r in part.to_dicts()]
            columns = [("id", 0), ("indicator", 0), ("subject", 0), ("year", 0), ("why", 0)]
            _table(title, columns, lines, whole=("id", "indicator"))

    def count(status: str, inside: str) -> int:
        return frame.filter((pl.col("status") == status) & (pl.col("inside") == inside)).height

    typer.echo(
        f"{frame.height} targets. Compared: {count('compared', 'yes')} inside their band, {count('compared', 'no')} "
        f"outside. Echoes, which rest on the figure itself and are no success: {count('echo', 'yes')} inside, "
        f"{count('echo', 'no')} outside. Not covered: {rest.height}."
    )


# -- routes ----------------------------------------------------------------------------------------------------------


def _namesakes(tables: Tables, place: str) -> list[str]:
    """Ids of other places that share the first word of a place's name, as the port of a city does."""
    names = dict(tables["places"].select("id", "name").rows())
    word = re.split(r"[ (/,]", names[place])[0].casefold()
    return [i for i, name in names.items() if i != place and re.split(r"[ (/,]", name)[0].casefold() == word]


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


@app.command()
def routes(
    start: Annotated[str, typer.Argument(metavar="FROM", help="Place by name, id or UN/LOCODE.", show_default=False)],
    end: Annotated[str, typer.Argument(metavar="TO", help="Place by name, id or UN/LOCODE.", show_default=False)],
    avoid: Annotated[str | None, typer.Option(help="Countries to avoid, divided by commas: RU,BY.")] = None,
    with_study: Annotated[
        Path | None, typer.Option("--with", help="Study file; the measures of its last scenario hold.")
    ] = None,
    year: Annotated[int, typer.Option(help="Year of the network; what is open in it can be used.")] = 2023,
    commodity: Annotated[str, typer.Option(help="What is carried, an id of the table commodities.")] = "machinery_box",
    via: Annotated[str | None, typer.Option(help="Places to pass in order, divided by commas.")] = None,
    modes: Annotated[
        str | None, typer.Option(help="Modes allowed, of rail, road, sea and ferry, divided by commas; default all.")
    ] = None,
    box: Annotated[str, typer.Option(help="Box that prices are for: teu or feu.")] = "feu",
    count: Annotated[int, typer.Option("--max", help="The most routes.", min=1, max=20)] = 5,
    legs: Annotated[bool, typer.Option("--legs", help="Open the legs of the first route.")] = False,
    as_json: Json = False,
) -> None:
    """Find the best route between two places and a few that differ from it."""
    for mode in _split(modes):
        if mode not in MODES:
            raise LandbridgeError(f"unknown mode {mode!r}; there are {', '.join(MODES)}")
    if box not in ("teu", "feu"):
        raise typer.BadParameter(f"wanted teu or feu, got {box}", param_hint="--box")
    from landbridge.scenario.measures import FIRST_YEAR, LAST_YEAR

    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise LandbridgeError(f"wanted a year from {FIRST_YEAR} to {LAST_YEAR}, got {year}")
    tables = _read_tables()
    forms = dict(zip(tables["commodities"]["id"], tables["commodities"]["form"], strict=True))
    _known("commodity", commodity, list(forms))
    from landbridge.data.names import find_place

    origin, destination = find_place(tables, start), find_place(tables, end)
    if origin == destination:
        raise LandbridgeError(f"{start} and {end} are the same place, {origin}")
    measures: tuple[Any, ...] = ()
    held: frozenset[str] = frozenset({"cku"})
    if with_study is not None:
        from landbridge.study.files import check_study, held_projects, read_study

        study = read_study(with_study)
        check_study(study, tables)
        measures, held = study.scenarios[-1].measures, held_projects(study)
    from landbridge.study.routing import find_routes

    try:
        found = find_routes(
            tables,
            origin,
            destination,
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
    except NoRoute as error:
        namesakes = [hint for place in (origin, destination) for hint in _namesakes(tables, place)]
        hint = f"; other places of these names: {', '.join(namesakes)}" if namesakes else ""
        raise NoRoute(f"{error}{hint}") from None
    if as_json:
        _print_json({"box": box, "status": "found", "routes": [route.as_dict() for route in found]})
        return
    unit = box.upper() if forms[commodity] == "container" else "t"
    ends = f"{found[0].legs[0].from_place} to {found[0].legs[-1].to_place}"
    _table(
        f"{ends}, {commodity}, {year}: the cheapest by generalised cost first",
        [("passage", 0), ("km", 0), ("days", 1), ("door days", 1), (f"USD/{unit}", 0), (f"kg CO2/{unit}", 0),
         ("borders", 0), ("gauge changes", 0), ("countries", 0)],
        [[r.passage, r.length_km, r.transit_days, r.time_h / 24, r.cost_usd, r.co2_kg, len(r.borders), r.gauge_changes,
          r.countries] for r in found],
        "Free flow with the preload of 2023. Days from terminal to terminal, door days with the way to and from them. "
        "The first route is exact, the others are sensible alternatives."
        + ("" if with_study else " The CKU railway is used only if a study given by --with builds it."),
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
    if not where.is_dir():
        raise LandbridgeError(
            f"{where}: wanted the folder of a data package, got {'a file' if where.exists() else 'nothing'}"
        )
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
        if not faults:
            typer.echo(f"{where.name}: no faults")
    if faults:
        typer.echo(f"landbridge: {where}: {len(faults)} fault{'s' if len(faults) > 1 else ''}", err=True)
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
