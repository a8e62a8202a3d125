"""The verb of skims: the best route of many pairs at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landbridge.errors import LandbridgeError, OutputError
from landbridge.show.cli_routes import situation
from landbridge.show.terminal import AtlasDir, Json, OverlayPath, frame_json, known, print_table, split_commas

__all__ = ["skim"]

#: Pairs that a screen shows; files and JSON hold all.
SHOWN = 40


def skim(
    start: Annotated[
        str,
        typer.Argument(
            metavar="FROM",
            help="Places by name, id or UN/LOCODE, a country's code for its zones, or zones for all, with commas.",
            show_default=False,
        ),
    ],
    end: Annotated[str, typer.Argument(metavar="TO", help="As FROM.", show_default=False)],
    by: Annotated[
        str,
        typer.Option(
            "--objective",
            help="What each route is the best by: generalised, time, cost, co2, borders, gauge_changes or risk.",
        ),
    ] = "generalised",
    avoid: Annotated[
        str | None,
        typer.Option(help="What no route may touch: countries, crossings, links, operators, modes, gauges in mm."),
    ] = None,
    only_borders: Annotated[
        str | None, typer.Option(help="The only crossings allowed, by id or as KZ-RU for all between two countries.")
    ] = None,
    modes: Annotated[
        str | None, typer.Option(help="Modes allowed, of rail, road, sea and ferry, divided by commas; default all.")
    ] = None,
    with_study: Annotated[
        Path | None, typer.Option("--with", help="Study file; the measures of its last scenario hold.")
    ] = None,
    at: Annotated[
        Path | None, typer.Option("--at", metavar="DIR", help="Results folder; hours are those at its flows.")
    ] = None,
    scenario: Annotated[str | None, typer.Option(help="Scenario of the results folder; default the first.")] = None,
    year: Annotated[
        int | None, typer.Option(help="Year of the network; default 2023, or the first of the results folder.")
    ] = None,
    commodity: Annotated[str, typer.Option(help="What is carried, an id of the table commodities.")] = "machinery_box",
    box: Annotated[str, typer.Option(help="Box that prices are for: teu or feu.")] = "feu",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.csv", help="Write the table into a file.")] = None,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Describe the best route from many places to many others: hours, money, CO2, kilometres, borders."""
    if box not in ("teu", "feu"):
        raise typer.BadParameter(f"wanted teu or feu, got {box}", param_hint="--box")
    here = situation(with_study, at, scenario, year, atlas, overlay)
    forms = dict(zip(here.tables["commodities"]["id"], here.tables["commodities"]["form"], strict=True))
    known("commodity", commodity, list(forms))
    from landbridge.study.questions import conditions
    from landbridge.study.skimming import BY, places_of, skim_table

    known("objective", by, BY)
    starts, ends = places_of(here.tables, split_commas(start)), places_of(here.tables, split_commas(end))
    if starts == ends and len(starts) == 1:
        raise LandbridgeError(f"{start} and {end} are the same place, {starts[0]}")
    asked = conditions(
        here.tables,
        starts[0],
        ends[-1],
        commodity=commodity,
        avoid=split_commas(avoid),
        modes=split_commas(modes),
        only_borders=split_commas(only_borders),
        feu=box == "feu",
    )
    table = skim_table(here.tables, starts, ends, asked, by=by, **here.terms)
    if out is not None:
        try:
            table.write_csv(out)
        except OSError as error:
            raise OutputError(f"{out}: the table could not be written: {error}") from error
    if as_json:
        frame_json(table)
        return
    unit = box.upper() if forms[commodity] == "container" else "t"
    rows = table.filter(table["status"] != "same place")
    more = f" {rows.height - SHOWN:,} more pairs are in --out and --json." if rows.height > SHOWN else ""
    print_table(
        f"{len(starts)} by {len(ends)} places, {commodity}, {here.year}, best by {by}",
        [("from", 0), ("to", 0), ("days", 1), (f"USD/{unit}", 0), (f"kg CO2/{unit}", 0), ("km", 0), ("borders", 0),
         ("gauge changes", 0), ("status", 0)],
        [
            [r["from"], r["to"], None if r["time_h"] is None else r["time_h"] / 24, r["cost_usd"], r["co2_kg"],
             r["length_km"], r["borders"], r["gauge_changes"], "" if r["status"] == "found" else r["status"]]
            for r in rows.head(SHOWN).to_dicts()
        ],
        f"Door to door, in the mean.{more}",
    )  # fmt: skip
