"""The verb of routes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.errors import LandbridgeError, NoRoute
from landbridge.show.answers import answer_json, hours_of, print_answer, print_legs
from landbridge.show.terminal import (
    AtlasDir,
    Json,
    OverlayPath,
    known,
    print_json,
    read_checked,
    read_tables,
    split_commas,
    users_values,
)

if TYPE_CHECKING:
    from landbridge.data.tables import Tables
    from landbridge.study.asking import Answer
    from landbridge.study.questions import Question

__all__ = ["Situation", "routes", "situation"]

MODES = ("rail", "road", "sea", "ferry")
#: Year of the other trains on the lines; the atlas has no other.
PRELOAD_YEAR = 2023


def _namesakes(tables: Tables, place: str) -> list[str]:
    """Ids of other places that share the first word of a place's name, as the port of a city does."""
    names = dict(tables["places"].select("id", "name").rows())
    word = re.split(r"[ (/,]", names[place])[0].casefold()
    return [i for i, name in names.items() if i != place and re.split(r"[ (/,]", name)[0].casefold() == word]


def _idle(answer: Answer) -> str:
    """Conditions that bar nothing more, each with the reason."""
    return "".join(f"; {effect.kind} {effect.name} bars nothing more: {effect.note}" for effect in answer.effects)


def _banned_end(tables: Tables, asked: Question) -> str:
    """Which end lies in a country that is to be avoided."""
    home = dict(tables["places"].select("id", "iso2").rows())
    ends = {"start": asked.start, "destination": asked.end}
    return "".join(
        f"; the {end} {place} lies in {home[place]}, which is to be avoided"
        for end, place in ends.items()
        if home[place] in asked.avoid_countries
    )


def _free_flow(year: int) -> str:
    """What the hours stand on, and what is not known of years long past."""
    told = f"Free flow with the preload of {PRELOAD_YEAR}{'' if year == PRELOAD_YEAR else f', held for {year} too'}."
    from landbridge.data.geography import FIRST_YEAR

    if year < FIRST_YEAR:
        told += (
            f" The atlas is checked year by year from {FIRST_YEAR} on; for {year} whatever has no opening date counts "
            "as open."
        )
    return told


@dataclass(frozen=True)
class Situation:
    """Tables, year and further terms (measures, projects held, hours) in which routes are asked for."""

    tables: Tables
    year: int
    terms: dict[str, Any]


def situation(
    with_study: Path | None,
    at: Path | None,
    scenario: str | None,
    year: int | None,
    atlas: Path | None,
    overlay: Path | None,
) -> Situation:
    """Read what `--with`, `--at`, `--scenario`, `--year`, `--atlas` and `--overlay` name."""
    if at is not None and with_study is not None:
        raise LandbridgeError("--with and --at name a scenario each; give one of them")
    if at is not None and overlay is not None:
        raise LandbridgeError("--at takes the values that the results were made from; leave out --overlay")
    if at is None and scenario is not None:
        raise LandbridgeError("--scenario names one of a results folder; give the folder by --at")
    from landbridge.scenario.measures import FIRST_YEAR, LAST_YEAR

    if year is not None and not FIRST_YEAR <= year <= LAST_YEAR:
        raise LandbridgeError(f"wanted a year from {FIRST_YEAR} to {LAST_YEAR}, got {year}")
    study = results = None
    if at is not None:
        from landbridge.study.results import read_results, tables_of

        results = read_results(at)
        tables = tables_of(results, base=atlas)
    elif with_study is not None:
        study, tables = read_checked(with_study, atlas, overlay)
    else:
        tables = read_tables(atlas, overlay)
    from landbridge.study.at_flows import loaded_hours, scenario_of

    measures: tuple[Any, ...] = ()
    held: frozenset[str] = frozenset({"cku"})
    terms: dict[str, Any] = {}
    when = year or 2023
    if study is not None:
        from landbridge.study.files import held_projects

        measures, held = study.scenarios[-1].measures, held_projects(study)
    if results is not None:
        chosen = scenario or results.scenarios[0]
        measures, held = scenario_of(results, chosen, tables)
        when = year or results.years[0]
        terms["hours"] = loaded_hours(results, chosen, when)
    return Situation(tables, when, {"year": when, "measures": measures, "held": held, **terms})


def routes(
    start: Annotated[str, typer.Argument(metavar="FROM", help="Place by name, id or UN/LOCODE.", show_default=False)],
    end: Annotated[str, typer.Argument(metavar="TO", help="Place by name, id or UN/LOCODE.", show_default=False)],
    avoid: Annotated[
        str | None,
        typer.Option(
            help="What no route may touch, divided by commas: countries (RU,BY), crossings, links, operators, modes, "
            "gauges in mm."
        ),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            help="Find the efficient set over time, cost, co2, borders, gauge_changes or risk, divided by "
            "commas; default the cheapest by generalised cost and what differs."
        ),
    ] = None,
    only_borders: Annotated[
        str | None, typer.Option(help="The only crossings allowed, by id or as KZ-RU for all between two countries.")
    ] = None,
    max_borders: Annotated[int | None, typer.Option(help="The most borders.", min=0)] = None,
    max_gauge_changes: Annotated[int | None, typer.Option(help="The most changes of gauge.", min=0)] = None,
    deadline: Annotated[
        str | None, typer.Option(help="Latest arrival in the mean, door to door, as 20d or 480h.")
    ] = None,
    epsilon: Annotated[
        float, typer.Option(help="How much worse, as a part, the efficient set may be than the exact one.", min=0)
    ] = 0.0,
    with_study: Annotated[
        Path | None, typer.Option("--with", help="Study file; the measures of its last scenario hold.")
    ] = None,
    at: Annotated[
        Path | None, typer.Option("--at", metavar="DIR", help="Results folder; hours are those at its flows.")
    ] = None,
    scenario: Annotated[str | None, typer.Option(help="Scenario of the results folder; default the first.")] = None,
    year: Annotated[
        int | None,
        typer.Option(help="Year of the network; default 2023, or the first of the results folder."),
    ] = None,
    commodity: Annotated[str, typer.Option(help="What is carried, an id of the table commodities.")] = "machinery_box",
    via: Annotated[str | None, typer.Option(help="Places to pass in order, divided by commas.")] = None,
    modes: Annotated[
        str | None, typer.Option(help="Modes allowed, of rail, road, sea and ferry, divided by commas; default all.")
    ] = None,
    box: Annotated[str, typer.Option(help="Box that prices are for: teu or feu.")] = "feu",
    ranked: Annotated[
        bool, typer.Option("--ranked", help="The cheapest simple routes one after another, alike or not.")
    ] = False,
    premium: Annotated[
        str | None,
        typer.Option(
            help="What an insurer asks or a shipper feels each time the goods enter a country, per cent of their "
            "value, as RU=0.5,BY=0.2, and atlas for the premiums of the atlas: a penalty in the choice, no ban and no "
            "price."
        ),
    ] = None,
    insure: Annotated[
        float | None, typer.Option(help="Insure the goods: per cent of their value, as a leg of its own.", min=0)
    ] = None,
    own_box: Annotated[
        bool,
        typer.Option("--own-box", help="The box is the shipper's and comes back empty; a carrier's is in the rates."),
    ] = False,
    count: Annotated[int, typer.Option("--max", help="The most routes.", min=1, max=20)] = 5,
    legs: Annotated[bool, typer.Option("--legs", help="Open the legs of the first route.")] = False,
    chart: Annotated[
        Path | None, typer.Option("--chart", metavar="FILE.svg", help="Draw time and cost over distance.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Write routes.json, routes.csv, legs.csv and chart.svg into a folder."
        ),
    ] = None,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Find the best route between two places and a few that differ, or the efficient set over several objectives."""
    for mode in split_commas(modes):
        if mode not in MODES:
            raise LandbridgeError(f"unknown mode {mode!r}; there are {', '.join(MODES)}")
    if box not in ("teu", "feu"):
        raise typer.BadParameter(f"wanted teu or feu, got {box}", param_hint="--box")
    deadline_h = hours_of(deadline)
    if ranked and (objective or deadline or max_borders is not None or max_gauge_changes is not None):
        raise LandbridgeError("--ranked goes by generalised cost alone, without objectives and limits")
    here = situation(with_study, at, scenario, year, atlas, overlay)
    tables, when = here.tables, here.year
    forms = dict(zip(tables["commodities"]["id"], tables["commodities"]["form"], strict=True))
    known("commodity", commodity, list(forms))
    from landbridge.data.names import find_place

    origin, destination = find_place(tables, start), find_place(tables, end)
    if origin == destination:
        raise LandbridgeError(f"{start} and {end} are the same place, {origin}")
    from landbridge.study.asking import ask
    from landbridge.study.questions import question

    asked = question(
        tables,
        origin,
        destination,
        commodity=commodity,
        objectives=tuple(split_commas(objective)),
        avoid=split_commas(avoid),
        modes=split_commas(modes),
        only_borders=split_commas(only_borders),
        via=split_commas(via),
        max_borders=max_borders,
        max_gauge_changes=max_gauge_changes,
        deadline_h=deadline_h,
        epsilon=epsilon,
        count=count,
        feu=box == "feu",
        ranked=ranked,
        premiums=split_commas(premium),
        insurance_pct=insure,
        own_box=own_box,
    )
    answer = ask(tables, asked, **here.terms)
    unit = box.upper() if forms[commodity] == "container" else "t"
    stamp = tables.overlay.stamp() if tables.overlay else None
    told = {**answer_json(answer, box, unit), "commodity": commodity, "year": when, "overlay": stamp}
    if as_json:
        print_json(told)
    if answer.status != "found":
        namesakes = [hint for place in (origin, destination) for hint in _namesakes(tables, place)]
        hint = f"; other places of these names: {', '.join(namesakes)}" if namesakes else ""
        by = f" by {', '.join(split_commas(modes))}" if modes else ""
        through = f" through {', '.join(asked.via)}" if asked.via else ""
        without = f" without {', '.join(asked.avoid_countries)}" if asked.avoid_countries else ""
        raise NoRoute(
            f"no route for {commodity} from {origin} to {destination} in {when}{by}{through}{without}: "
            f"{answer.reason}{_idle(answer)}{_banned_end(tables, asked)}{hint}"
        )
    first = answer.routes[0]
    title = f"{first.legs[0].from_place} to {first.legs[-1].to_place}, {commodity}, {when}"
    if chart is not None:
        from landbridge.show.chart import write_chart

        write_chart(chart, answer.routes, title, unit)
    if out is not None:
        from landbridge.show.route_files import write_answer

        write_answer(out, answer, told, title, unit)
    if as_json:
        return
    flows = f"At the flows of {at}, yards at free flow." if at else _free_flow(when)
    print_answer(
        answer,
        title,
        unit,
        flows
        + ("" if with_study or at else " The CKU railway is used only if a study given by --with builds it.")
        + (f" {users_values(tables.overlay)}" if tables.overlay else ""),
    )
    if legs:
        print_legs(answer)
