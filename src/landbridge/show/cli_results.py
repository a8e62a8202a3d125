"""The verbs of studies and their results: run, passages, compare, crossing, report, targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.errors import LandbridgeError
from landbridge.show.running import ClusterAddress, JsonLines, Quiet, Resume, Workers, watching
from landbridge.show.terminal import (
    FREE,
    AtlasDir,
    Json,
    OverlayPath,
    frame_json,
    known,
    print_json,
    print_table,
    progress_bar,
    read_checked,
    split_commas,
    users_values,
)

if TYPE_CHECKING:
    import polars as pl

    from landbridge.study.results import Results

__all__ = ["compare", "crossing", "export", "passages", "report", "rerun", "run", "targets"]

ResultsDir = Annotated[Path, typer.Argument(help="A results folder.", show_default=False)]

MEGATONNE = 1e6


def _results(folder: Path) -> Results:
    from landbridge.study.results import read_results

    return read_results(folder)


def _scenario(results: Results, name: str | None, default: str) -> str:
    return known("scenario", name or default, results.scenarios)


def _year(results: Results, year: int | None, default: int) -> int:
    chosen = default if year is None else year
    if chosen not in results.years:
        years = ", ".join(str(y) for y in results.years)
        raise LandbridgeError(f"{results.folder} has no year {chosen}; there are {years}")
    return chosen


def run(
    study: Annotated[Path, typer.Argument(help="A study file (TOML).", show_default=False)],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the results; default results/<study>.")] = None,
    workers: Workers = 1,
    cluster: ClusterAddress = None,
    resume: Resume = False,
    quiet: Quiet = False,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
    json_lines: JsonLines = False,
) -> None:
    """Solve every scenario and year of a study into a results folder.

    Results that are in the folder already are replaced once the new ones are whole. The user's own values given by
    --overlay stand in place of those that the study names. The numbers are the same to the last bit whatever the
    workers. After Ctrl-C or a failure, --resume goes on from what was finished.
    """
    from landbridge.study.results import check_output
    from landbridge.study.runner import where_of

    where = where_of(workers, cluster)
    folder = out or Path("results") / study.stem
    check_output(folder)
    read, tables = read_checked(study, atlas, overlay)
    from landbridge.study.run import run_study

    with watching(quiet=quiet or as_json, lines=json_lines, folder=folder) as watch:
        results = run_study(read, tables, folder, progress=watch.progress, where=where, resume=resume, tell=watch.done)
    if json_lines:
        return
    if as_json:
        print_json({"out": str(folder), **results.manifest})
        return
    solved = results.manifest["solved"]
    answers = any(s.get("demand") for s in solved)
    rows = [
        (
            *(s["scenario"], s["year"], s["status"], f"{s['relative_gap']:.1e}", s["iterations"]),
            *([(s.get("demand") or {}).get("rounds")] if answers else []),
            s["seconds"],
        )
        for s in solved
    ]
    trade = [("rounds of trade", 0)] if answers else []
    headings = [("scenario", 0), ("year", 0), ("status", 0), ("relative gap", 0), ("rounds of flows", 0), *trade,
                ("seconds", 1)]  # fmt: skip
    told = "Rounds of flows are those of the last solve, once trade had met; 0: none was needed." if answers else ""
    caption = f"{told} {users_values(tables.overlay)}".strip()
    print_table(f"{results.manifest['study']['name']}: solved", headings, rows, caption)
    typer.echo(f"Results are in {folder}")


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
        print_json(
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
    own = users_values(results.manifest.get("overlay"))
    # a study of one scenario has nothing to stand beside it
    two = other != base

    def show(title: str, columns: Sequence[tuple[str, str, int]], frame: pl.DataFrame, caption: str = "") -> None:
        kept = [(heading, name, digits) for heading, name, digits in columns if two or name not in SECOND]
        rows = [[r[name] for _, name, _ in kept] for r in frame.to_dicts()]
        print_table(title, [(heading, digits) for heading, _, digits in kept], rows, f"{caption} {own}".strip())

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


def compare(
    folder: ResultsDir,
    base: Annotated[
        str | None, typer.Option("--base", help="Scenario compared with; default the one the study names.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", help="Scenario compared; default the last that is not the base.")
    ] = None,
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
    per_km: Annotated[
        bool, typer.Option("--per-km", help="Hours, prices and CO2 of passages or links for each kilometre.")
    ] = False,
    rows: Annotated[int, typer.Option(help="Rows printed; the largest changes first.", min=1)] = 25,
    as_json: Json = False,
) -> None:
    """Show what changes from one scenario, or year, to another."""
    results = _results(folder)
    from landbridge.study.compare import KEYS, Side
    from landbridge.study.compare import compare as difference

    if per_km and table == "crossings":
        table = "passages"  # crossings, the default, have no length
    known("table to compare", table, list(KEYS))
    named = results.manifest["study"]["compare"]
    chosen = _year(results, year, results.years[-1])
    first = Side(_scenario(results, base, named), _year(results, base_year, chosen))
    others = [s for s in results.scenarios if s != first.scenario]
    second = Side(_scenario(results, scenario, others[-1] if others else first.scenario), chosen)
    if first == second:
        if not others:
            raise LandbridgeError(
                f"{folder} has one scenario, {first.scenario}, in {first.year}: nothing to compare; try --base-year"
            )
        raise LandbridgeError(
            f"--base and --scenario: wanted two sides that differ, got {first.scenario} in {first.year} twice; beside "
            f"it {folder} has {', '.join(others)}"
        )
    frame = difference(results, table, first, second, per_km=per_km)
    if as_json:
        frame_json(frame)
        return
    import polars as pl

    numbers = [c.removesuffix("_change") for c in frame.columns if c.endswith("_change")]
    left, right = (
        side.scenario if first.year == second.year else f"{side.scenario} {side.year}" for side in (first, second)
    )
    title = f"{table}, {chosen}: {right} against {left}"
    own = users_values(results.manifest.get("overlay"))
    sides = ("first", "second", "change")
    if not KEYS[table] and by is None:
        whole = frame.row(0, named=True)
        columns = [("number", 0), (left, FREE), (right, FREE), ("change", FREE), ("per cent", 1)]
        print_table(title, columns, [[n, *(whole[f"{n}_{s}"] for s in (*sides, "percent"))] for n in numbers], own)
        return
    lead = (
        known("number", by, numbers)
        if by
        else next((n for n in ("tonnes", "days", "tonne_km") if n in numbers), numbers[0])
    )
    moved = frame.filter(pl.col(f"{lead}_change").abs() > 0)
    alone = frame.filter(pl.col(f"{lead}_first").is_null() != pl.col(f"{lead}_second").is_null())
    shown = pl.concat([moved.sort(pl.col(f"{lead}_change").abs(), descending=True), alone]).head(rows)
    scale, unit = (MEGATONNE, f"{lead}, million" if lead != "tonnes" else "Mt") if "tonne" in lead else (1.0, lead)
    digits = 3 if scale != 1 else FREE
    print_table(
        title,
        [*((k, 0) for k in KEYS[table]), (f"{unit}, {left}", digits), (f"{unit}, {right}", digits), ("change", digits),
         ("per cent", 1)],
        [
            [*(r[k] for k in KEYS[table]),
             *(None if r[f"{lead}_{s}"] is None else r[f"{lead}_{s}"] / scale for s in sides),
             r[f"{lead}_percent"]]
            for r in shown.to_dicts()
        ],
        f"{shown.height} of {moved.height + alone.height} rows that change, of {frame.height}. {own}".strip(),
    )  # fmt: skip


def rerun(
    folder: ResultsDir,
    out: Annotated[Path | None, typer.Option("--out", help="Keep the new results in this folder.")] = None,
    workers: Workers = 1,
    cluster: ClusterAddress = None,
    quiet: Quiet = False,
    atlas: AtlasDir = None,
    as_json: Json = False,
) -> None:
    """Run the study of a results folder again and say whether each number is the same to the last bit.

    Where not, it says what has changed since: atlas, the user's values, code, libraries, Python. The exit code is 1.
    """
    from landbridge.study.rerun import rerun_study
    from landbridge.study.runner import where_of

    where = where_of(workers, cluster)
    with progress_bar(quiet=quiet or as_json) as progress:
        told = rerun_study(folder, out=out, atlas=atlas, where=where, progress=progress)
    if as_json:
        print_json(told)
    else:
        for name, change in told["changed"].items():
            typer.echo(f"{name}: was {change['then']}, is {change['now']}")
        if not told["changed"]:
            typer.echo("Atlas, values, code, libraries and Python are the same.")
        rows = [
            (row["table"], "the same" if row["same"] else "differs", row["rows_then"], row["rows_now"], row["column"],
             row["largest_relative_difference"])
            for row in told["tables"]
        ]  # fmt: skip
        columns = [("table", 0), ("bits", 0), ("rows then", 0), ("rows now", 0), ("most in", 0), ("relative", FREE)]
        print_table(f"{folder}, run again", columns, rows)
    if not told["same"]:
        raise typer.Exit(1)


def export(
    folder: ResultsDir,
    form: Annotated[
        str, typer.Option("--format", help="csv (with a data package), xlsx, geojson, gpkg, gmns or omx.")
    ] = "csv",
    out: Annotated[Path | None, typer.Option("--out", help="Folder; default DIR-FORMAT beside the results.")] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Scenario, for formats of one network; default the first.")
    ] = None,
    year: Annotated[int | None, typer.Option(help="Year, for formats of one network; default the first.")] = None,
    atlas: AtlasDir = None,
) -> None:
    """Write results for other programs: tables, shapes, the network with its flows, or matrices between zones."""
    from landbridge.show.web.columns import meaning
    from landbridge.study.compare import Side
    from landbridge.study.export import FORMATS
    from landbridge.study.export import export as write
    from landbridge.study.results import tables_of

    known("format", form, FORMATS)
    results = _results(folder)
    side = Side(_scenario(results, scenario, results.scenarios[0]), _year(results, year, results.years[0]))
    place = out or folder.with_name(f"{folder.name}-{form}")
    files = write(results, tables_of(results, base=atlas), form, place, side, meaning)
    for name in files:
        typer.echo(str(place / name))


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
    frame = crossing_goods(results, split_commas(ids), which, when)
    if as_json:
        frame_json(frame)
        return
    columns = [("from", "from_country", 0), ("to", "to_country", 0), ("commodity", "commodity", 0), ("Mt", "mt", 3),
               ("of it transit", "transit_mt", 3), ("TEU", "teu", 0), ("trains", "trains", 0),
               ("largest users (Mt)", "main_users", 0)]  # fmt: skip
    print_table(
        f"{ids}, {when}, scenario {which}",
        [(heading, digits) for heading, _, digits in columns],
        [[row[name] for _, name, _ in columns] for row in frame.to_dicts()],
        f"{frame['mt'].sum():.2f} Mt in all, {frame['transit_mt'].sum():.2f} Mt of it transit: "
        f"between countries that are not both sides of the crossing. {users_values(results.manifest.get('overlay'))}",
    )


def report(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Results of any command, or a folder of such.", show_default=False)
    ],
    beside: Annotated[
        list[Path] | None, typer.Option("--with", metavar="DIR", help="Results that get a chapter besides; repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file; default DIR/report.html.")] = None,
    atlas: AtlasDir = None,
) -> None:
    """Write one HTML file with maps, charts, tables, sources and assumptions that opens offline.

    Folders of other commands inside DIR (an ensemble, power, an appraisal, a terminal, a validation ...) get a chapter
    each.
    """
    from landbridge.show.report import report as write

    typer.echo(str(write(folder, beside=beside or (), out=out, atlas=atlas)))


def targets(
    folder: ResultsDir,
    file: Annotated[
        Path | None, typer.Option("--targets", help="File of targets; default the atlas' open ones.")
    ] = None,
    atlas: AtlasDir = None,
    as_json: Json = False,
) -> None:
    """Hold a results folder against observed figures and say how far off each is."""
    results = _results(folder)
    from landbridge.study.results import tables_of
    from landbridge.study.targets import against

    tables = tables_of(results, base=atlas)
    frame = against(results, tables, file)
    if as_json:
        frame_json(frame)
        return
    import polars as pl

    answered, rest = frame.filter(pl.col("modelled").is_not_null()), frame.filter(pl.col("modelled").is_null())

    def subject(row: Mapping[str, Any]) -> str:
        directed = "" if row["direction"] in ("both", "na") else f", {row['direction']}"
        return f"{row['subject']}{directed}"

    def verdict(row: Mapping[str, Any]) -> str:
        return ("echo, " if row["status"] == "echo" else "") + ("inside" if row["inside"] == "yes" else "outside")

    print_table(
        f"Observed figures against scenario {results.scenarios[0]}, before any calibration",
        [("id", 0), ("indicator", 0), ("subject", 0), ("year", 0), ("unit", 0), ("observed", FREE), ("from", FREE),
         ("to", FREE), ("modelled", FREE), ("error %", 0), ("verdict", 0)],
        [[r["id"], r["indicator"], subject(r), r["year"], r["unit"],
          *(r[c] for c in ("observed", "low", "high", "modelled", "error_percent")), verdict(r)]
         for r in answered.to_dicts()],
        users_values(results.manifest.get("overlay")),
        whole=("id", "indicator", "unit", "verdict"),
    )  # fmt: skip
    noted = answered.filter(pl.col("why") != "")
    for title, part in (("How the model's numbers are to be read", noted), ("Not covered", rest)):
        if part.height:
            lines = [[r["id"], r["indicator"], subject(r), r["year"], r["why"]] for r in part.to_dicts()]
            columns = [("id", 0), ("indicator", 0), ("subject", 0), ("year", 0), ("why", 0)]
            print_table(title, columns, lines, whole=("id", "indicator"))

    def count(status: str, inside: str) -> int:
        return frame.filter((pl.col("status") == status) & (pl.col("inside") == inside)).height

    typer.echo(
        f"{frame.height} targets. Compared: {count('compared', 'yes')} inside their band, {count('compared', 'no')} "
        f"outside. Echoes, which rest on the figure itself and are no success: {count('echo', 'yes')} inside, "
        f"{count('echo', 'no')} outside. Not covered: {rest.height}."
    )
