"""The verbs of flows: assign a network file, and tell who uses a link, crossing, country or passage."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.errors import LandbridgeError, NotConverged
from landbridge.show.terminal import Json, known, print_json, print_table, users_values

if TYPE_CHECKING:
    from landbridge.study.assign import Assignment

__all__ = ["assign", "select"]

MEGATONNE = 1e6
# Rows of a list printed for people; the files of --out hold all.
MOST_ROWS = 20
# Rounds over queues do not end much nearer than this.
GAPS = {"cue": 1e-6}
GAP = 1e-8
# What --json tells; rows that were dropped, changed or are unmet go to stderr then, and into the files of --out.
TOLD = (
    "principle", "status", "relative_gap", "iterations", "seconds", "total_travel_time", "beckmann", "unmet",
    "potential",
)  # fmt: skip
# What only some principles take, by its name there.
OWN_OPTIONS = {"scale_usd_t": ("--scale", ("sue",)), "unmet_usd_t": ("--unmet", ("cue", "mincost"))}


def _number(name: str, value: float | None, *, positive: bool) -> None:
    if value is not None and not (isfinite(value) and (value > 0 or not positive)):
        raise LandbridgeError(f"{name}: wanted a number{' greater than 0' if positive else ''}, got {value:g}")


@contextmanager
def _rounds(*, quiet: bool) -> Iterator[Callable[[int, float], None] | None]:
    """Tell the round and its gap while somebody watches."""
    from rich.console import Console

    if quiet or not sys.stderr.isatty():
        yield None
        return
    with Console(stderr=True).status("reading") as status:
        yield lambda number, gap: status.update(f"round {number}: relative gap {gap:.1e}")


def assign(
    network: Annotated[
        Path, typer.Argument(metavar="NET.tntp|GMNS_DIR", help="A TNTP network, or a GMNS folder.", show_default=False)
    ],
    trips: Annotated[
        Path | None,
        typer.Argument(metavar="TRIPS", help="TNTP trips; for GMNS default demand.csv there.", show_default=False),
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--format", help="tntp or gmns; default gmns for a folder, else tntp.")
    ] = None,
    toll_factor: Annotated[
        float | None, typer.Option("--toll-factor", help="Time units per unit of toll; default the file's.")
    ] = None,
    distance_factor: Annotated[
        float | None, typer.Option("--distance-factor", help="Time units per unit of length; default the file's.")
    ] = None,
    principle: Annotated[
        str,
        typer.Option(
            help="ue: user equilibrium; so: system optimum; sue: stochastic equilibrium; mincost: least cost under "
            "hard capacities; cue: equilibrium with queues before them; aon: all on the shortest paths."
        ),
    ] = "ue",
    gap: Annotated[
        float | None, typer.Option(help="Relative gap to reach; default 1e-8, for cue 1e-6; aon has none.")
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(help="sue: how much cheaper, in time units, a path is that is chosen e times as often."),
    ] = None,
    unmet: Annotated[
        float | None, typer.Option(help="cue, mincost: time units that a trip costs which finds no room.")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads; default all.", min=1)] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the link flows and what was dropped.")] = None,
    as_json: Json = False,
) -> None:
    """Assign the trips of a TNTP or GMNS network to its links.

    A gap that is not reached is an error, and nothing is written then.
    """
    for name, value, positive in (
        ("--toll-factor", toll_factor, False),
        ("--distance-factor", distance_factor, False),
        ("--gap", gap, True),
        ("--scale", scale, True),
        ("--unmet", unmet, True),
    ):
        _number(name, value, positive=positive)
    for path in (network, trips):
        if path is not None and not path.exists():
            raise LandbridgeError(f"{path}: no such file")
    from landbridge.study.assign import PRINCIPLES, read_files
    from landbridge.study.assign import assign as solve
    from landbridge.study.flow_files import check_flows_output, write_flows

    known("principle", principle, PRINCIPLES)
    if kind is not None:
        known("format", kind, ("tntp", "gmns"))
    options: dict[str, Any] = {}
    for key, value in (("scale_usd_t", scale), ("unmet_usd_t", unmet)):
        option, takers = OWN_OPTIONS[key]
        if value is not None and principle not in takers:
            raise LandbridgeError(f"{option} is for {' and '.join(takers)}, not for {principle}")
        if value is not None:
            options[key] = value
    if principle == "sue" and scale is None:
        raise LandbridgeError("sue needs --scale: in time units, how much cheaper a path chosen e times as often is")
    if out is not None:
        check_flows_output(out)
    with _rounds(quiet=as_json) as progress:
        net, demand = read_files(network, trips, kind=kind)
        try:
            found = solve(
                net,
                demand,
                principle=principle,
                gap=GAPS.get(principle, GAP) if gap is None else gap,
                toll_factor=toll_factor,
                distance_factor=distance_factor,
                threads=threads,
                progress=progress,
                **options,
            )
        except NotConverged as error:
            if principle != "cue" or unmet is not None:
                raise
            raise NotConverged(f"{error} (here: --unmet)", error.record) from error
        except ValueError as error:  # the engine's door: numbers in the files that it cannot follow
            raise LandbridgeError(f"{net.source} cannot be assigned: {error}") from error
    if out is not None:
        write_flows(out, net, found)
    if as_json:
        summary = found.summary()
        print_json({name: summary[name] for name in TOLD})
        for line in _set_apart(found):
            typer.echo(line, err=True)
        return
    _print_assignment(found, f"{net.source}: {found.flows.principle}")
    if out is not None:
        typer.echo(f"Link flows are in {out}")


def _print_assignment(found: Assignment, title: str) -> None:
    told = found.summary()
    del told["changes"]
    rows = []
    for name, value in told.items():
        short = name in ("relative_gap", "conservation", "seconds")
        text = f"{value:.{3 if short else 12}g}" if isinstance(value, float) else value
        rows.append((name.replace("_", " "), {True: "yes", False: "no"}[value] if isinstance(value, bool) else text))
    none = "" if told["potential"] else " These flows minimise no potential, so Beckmann's value means nothing."
    print_table(title, [("", 0), ("", 0)], rows, f"Times and costs in the time units of the file.{none}")
    if found.unmet_relations:
        count = len(found.unmet_relations)
        print_table(
            "Trips that are unmet: no path leads there, or there is no room",
            [("origin zone", 0), ("destination zone", 0), ("trips", 2)],
            sorted(found.unmet_relations, key=lambda row: -row[2])[:MOST_ROWS],
            f"{min(count, MOST_ROWS)} of {count} relations, {found.unmet:.6g} trips in all.",
        )
    changes = [line for line in _set_apart(found) if not line.endswith("are unmet")]  # those stand above
    if changes:
        typer.echo("Dropped, changed or set apart:")
        for line in changes[:MOST_ROWS]:
            typer.echo(f"  {line}")
        if len(changes) > MOST_ROWS:
            typer.echo(f"  and {len(changes) - MOST_ROWS} more, which --out tells")


def _set_apart(found: Assignment) -> list[str]:
    """One line for each row that was dropped or changed, and each relation that is unmet."""
    return [str(change) for change in found.changes]


def select(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A results folder.", show_default=False)],
    link: Annotated[str | None, typer.Option("--link", metavar="ID", help="Who uses this link.")] = None,
    crossing: Annotated[str | None, typer.Option("--crossing", metavar="ID", help="Who uses this crossing.")] = None,
    country: Annotated[str | None, typer.Option("--country", metavar="ISO2", help="Who uses its lines.")] = None,
    passage: Annotated[
        str | None, typer.Option("--passage", metavar="ID", help="Who uses this passage, or none of them: other.")
    ] = None,
    scenario: Annotated[str | None, typer.Option(help="Scenario; default the first.")] = None,
    year: Annotated[int | None, typer.Option(help="Year; default the first.")] = None,
    rows: Annotated[int, typer.Option(help="Rows printed and given an interval; the most tonnes first.", min=1)] = 25,
    as_json: Json = False,
) -> None:
    """Tell who uses a link, crossing, country or passage, and which share of their goods by land goes there.

    Where other flows would be as good, a share is told with the least and the most that it could be.
    """
    asked = {"link": link, "crossing": crossing, "country": country, "passage": passage}
    given = [(kind, name) for kind, name in asked.items() if name is not None]
    if len(given) != 1:
        raise LandbridgeError(f"wanted one of --link, --crossing, --country and --passage, got {len(given) or 'none'}")
    ((kind, name),) = given
    from landbridge.study.results import read_results
    from landbridge.study.users import names_of, users_of

    results = read_results(folder)
    which = known("scenario", scenario or results.scenarios[0], results.scenarios)
    years = [str(y) for y in results.years]
    when = int(known("year", years[0] if year is None else str(year), years))
    name = name.upper() if kind == "country" else name
    if kind in ("country", "passage"):  # few enough to be listed
        known(kind, name, names_of(results, kind))
    found = users_of(results, kind, name, which, when, rows=rows)
    if as_json:
        print_json(
            {
                "kind": kind,
                "id": name,
                "scenario": which,
                "year": when,
                "tonnes": found.tonnes,
                "empty_tonnes": found.empty_tonnes,
                "land_tonnes": found.land_tonnes,
                "tonnes_least": found.interval[0] if found.interval else None,
                "tonnes_most": found.interval[1] if found.interval else None,
                "interval_note": found.note,
                "pairs": found.pairs.to_dicts(),
                "relations": found.relations.to_dicts(),
            }
        )
        return
    shown = found.pairs.head(rows).to_dicts()
    if found.interval:
        settled = (
            f"between {found.interval[0] / MEGATONNE:.3f} and {found.interval[1] / MEGATONNE:.3f} Mt in flows as good"
        )
    else:
        settled = f"no interval: {found.note}"
    about = users_values(results.manifest.get("overlay"))
    print_table(
        f"Who uses {kind} {name}, {when}, scenario {which}",
        [("from", 0), ("to", 0), ("commodity", 0), ("relations", 0), ("Mt", 3), ("Mt by land in all", 3),
         ("share %", 1), ("least", 1), ("most", 1)],
        [[r["exporter"], r["importer"], r["commodity"], r["relations"], r["tonnes"] / MEGATONNE,
          r["land_tonnes"] / MEGATONNE, 100 * r["share"],
          *("" if r[end] is None else 100 * r[end] for end in ("share_least", "share_most"))] for r in shown],
        f"{len(shown)} of {found.pairs.height} rows; {found.tonnes / MEGATONNE:.3f} Mt a year in all ({settled}), "
        f"empty boxes {found.empty_tonnes / MEGATONNE:.3f} Mt of it. Share: of what this pair sends of this commodity "
        f"on the land network; least and most: in flows as good. {about}".rstrip(),
    )  # fmt: skip
