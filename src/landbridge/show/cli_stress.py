"""The verb of closures: what one costs and to whom, and which would be the worst."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from landbridge.errors import LandbridgeError
from landbridge.show.cli_stress_files import Questions, about_file, print_robustness
from landbridge.show.options import OutFolder, Quiet, Seed, Size, WithStudy, Year, ended, ground
from landbridge.show.terminal import (
    FREE,
    AtlasDir,
    Json,
    OverlayPath,
    known,
    print_table,
    progress_bar,
    split_commas,
)

__all__ = ["stress"]

MEGATONNE = 1e6
MILLION = 1e6
MOST_ROWS = 12


def stress(
    close: Annotated[
        list[str] | None,
        typer.Option(
            help="Close this: crossing, link, ferry, country, bloc, strait or event; again, or by commas, for more."
        ),
    ] = None,
    worst: Annotated[int, typer.Option(help="Find the worst closures of so many things at once.", min=0)] = 0,
    among: Annotated[
        str | None,
        typer.Option(
            help="What --worst and --robustness look at: crossings (default), ferries, links, countries; of a TNTP or "
            "GMNS network links, or roads, which are closed both ways."
        ),
    ] = None,
    robustness: Annotated[
        int, typer.Option(help="Robustness index of so many that carry the most: an equilibrium without each.", min=0)
    ] = 0,
    cut: Annotated[
        float, typer.Option(help="Share of the capacity that --robustness takes; 1 = closed.", min=0, max=1)
    ] = 1.0,
    network: Annotated[
        Path | None,
        typer.Option(
            help="In place of the atlas: a JSON file of lines with cost and room, or, for --robustness, a TNTP network "
            "or GMNS folder."
        ),
    ] = None,
    trips: Annotated[Path | None, typer.Option(help="The trips of a TNTP network.")] = None,
    build: Annotated[
        list[str] | None, typer.Option(help="Build the lines that a JSON network holds apart, as NAME of NAME_edges.")
    ] = None,
    relation: Annotated[
        str | None,
        typer.Option(help="Relation A-B of a JSON network: list its ways, and what --worst does to it alone."),
    ] = None,
    chance: Annotated[
        list[str] | None,
        typer.Option(
            help="CROSSING=0.05: your assumption of how likely it is shut (a line of a JSON network likewise); "
            "'record': the atlas' dates of past closures."
        ),
    ] = None,
    draws: Annotated[int, typer.Option(help="States drawn where closures and delays come by chance.", min=2)] = 200,
    seed: Seed = 0,
    days: Annotated[float | None, typer.Option(help="How long the closure lasts: tells the backlog.", min=0)] = None,
    year: Year = 2023,
    size: Size = "corridor",
    with_study: WithStudy = None,
    out: OutFolder = None,
    quiet: Quiet = False,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Close things and tell what it costs, who loses, and what would be the worst.

    Examples: --close brest-malaszewicze --days 13; --close KZ; --close sea-suez; --worst 2; --robustness 10;
    --chance record.
    """
    if network is not None or trips is not None or build or relation:
        of_atlas = {"--days": days, "--with": with_study, "--out": out, "--atlas": atlas, "--overlay": overlay}
        if given := [name for name, value in of_atlas.items() if value is not None]:
            raise LandbridgeError(f"stress: {', '.join(given)} cannot go with a network file (--network)")
        about_file(
            network,
            trips,
            Questions(
                close=[name for each in close or [] for name in split_commas(each)],
                worst_of=worst,
                robustness=robustness,
                among=among,
                cut=cut,
                chances=_chances(chance or []),
                draws=draws,
                seed=seed,
                built=[name for each in build or [] for name in split_commas(each)],
                relation=relation,
            ),
            as_json=as_json,
            quiet=quiet,
        )
        return
    from landbridge.study.closing import targets_of
    from landbridge.study.stress import answer
    from landbridge.study.worst import AMONG

    kind = known("kind", among or AMONG[0], AMONG)
    asked, _ = ground(with_study, atlas, overlay, year=year, size=size, out=out)
    targets = targets_of(asked.tables, [name for each in close or [] for name in split_commas(each)])
    chances = _chances(chance or [])
    if not targets and not worst and not chances and not robustness:
        raise LandbridgeError(
            "stress: say what to close (--close), or ask for the worst (--worst), for --robustness or for --chance"
        )
    if cut <= 0.0:
        raise LandbridgeError(f"--cut: wanted a share above 0 and at most 1, got {cut:g}")
    with progress_bar(quiet=quiet or as_json) as progress:
        found = answer(
            asked,
            targets=targets,
            worst_of=worst,
            among=kind,
            chances=chances,
            draws=draws,
            seed=seed,
            days=days,
            robustness=robustness,
            cut=cut,
            progress=progress,
        )
    if ended(found, asked.tables, out=out, as_json=as_json):
        return
    if found["closed"]:
        _print_closed(found["closed"], year)
    if found["worst"]:
        _print_worst(found["worst"], year)
    if found["robustness"]:
        print_robustness(found["robustness"], str(year))
    if found["chance"]:
        _print_chance(found["chance"], year)


def _chances(given: list[str]) -> dict[str, float | None]:
    """Probabilities by crossing; None = from the atlas' record, under the name ``record``."""
    found: dict[str, float | None] = {}
    for text in (part for each in given for part in split_commas(each)):
        name, sign, value = text.partition("=")
        if not sign and name == "record":
            found[name] = None
            continue
        try:
            probability = float(value)
        except ValueError:
            probability = -1.0
        if not 0.0 <= probability <= 1.0:
            raise LandbridgeError(f"--chance: wanted CROSSING=NUMBER from 0 to 1, or record, got {text!r}")
        found[name] = probability
    return found


def _print_closed(found: dict[str, Any], year: int) -> None:
    names = ", ".join(t["id"] for t in found["closed"])
    rows = [
        [
            row["country"],
            row["trade_loss_usd_yr"] / MILLION,
            row["lost_land_tonnes_yr"] / MEGATONNE,
            row["unserved_tonnes_yr"] / MEGATONNE,
            row["transit_tonnes_yr"] / MEGATONNE,
            row["paid_usd_yr"] / MILLION,
        ]
        for row in [*found["countries"][:MOST_ROWS], *found["countries"][MOST_ROWS:][-2:]]
    ]
    print_table(
        f"Who loses when {names} is closed in {year}",
        [
            ("country", 0),
            ("traders, million USD/yr", 2),
            ("by land, Mt", 3),
            ("not served, Mt", 3),
            ("transit, Mt", 3),
            ("paid there, million USD/yr", 2),
        ],
        rows,
        f"All together {found['cost_usd_yr'] / MILLION:,.1f} million USD a year more "
        f"({100 * found['cost_usd_yr'] / found['all_cost_before_usd_yr']:.2f} %); "
        f"{abs(found['lost_land_tonnes_yr']) / MEGATONNE:.3f} Mt "
        f"{'leave the land' if found['lost_land_tonnes_yr'] >= 0 else 'come to the land'}, "
        f"{found['unserved_tonnes_yr'] / MEGATONNE:.3f} Mt are not served. "
        "Ends share a relation's loss; who gains comes last. "
        f"By {found['principle']}, gap {found['relative_gap']:.1e}.",
    )
    print_table(
        "Where the cargo goes",
        [("crossing", 0), ("before, Mt", 3), ("after, Mt", 3), ("change, Mt", 3)],
        [
            [r["crossing"], *(r[k] / MEGATONNE for k in ("tonnes_before_yr", "tonnes_after_yr", "change_tonnes_yr"))]
            for r in found["crossings"][:MOST_ROWS]
        ],
    )
    if "recovery" in found:
        cost = (
            f"At a year's rate {found['days']:g} days cost {found['cost_of_days_usd'] / MILLION:.2f} million USD; "
            "cargo that is under way when it happens, and cannot turn, costs more."
        )
        if not found["recovery"]:
            typer.echo(f"{cost} No border crossing that trains use is shut, so that no backlog at one is told.")
    if found.get("recovery"):
        print_table(
            f"After {found['days']:g} days",
            [("crossing", 0), ("at", 0), ("trains a day", 1), ("backlog, trains", 0), ("days to clear", 1), ("by", 0)],
            [
                [r[k] for k in ("crossing", "at", "trains_day", "backlog_trains", "clearing_days", "by")]
                for r in found["recovery"]
            ],
            cost,
        )
    if "recovery" in found:
        _print_short_run(found["short_run"])
        if found["reported"]:
            _print_reported(found["reported"])


def _print_short_run(found: dict[str, Any]) -> None:
    """Print how cargo that was on its way there comes through the days."""
    if not found["cases"]:
        typer.echo("Nothing by land was on a path over what is shut, so that nothing waits or turns.")
        return
    print_table(
        f"{found['days']:g} days, before anybody can change plans",
        [("room elsewhere", 0), ("waits, %", 1), ("other ways, %", 1), ("sea or road, %", 1), ("cost, USD/t", 2),
         ("cost, %", 2), ("price, %", 2), ("wait, h", 0), ("backlog, trains", 0), ("days to clear", 1)],
        [
            [f"{100 * r['spare']:.0f} %", 100 * r["waits"], 100 * r["diverted"], 100 * r["outside"], r["cost_usd_t"],
             r["cost_percent"], r["price_percent"], r["delay_h"], r["backlog_trains"], r["clearing_days"]]
            for r in found["cases"]
        ],
        f"{found['tonnes'] / MEGATONNE:.3f} Mt of {found['days']:g} days, {found['trains_day']:.1f} trains a day, were "
        "on paths over what is shut. Room elsewhere: how much of the room that others leave can be taken up within the "
        "days, which nobody knows. Cost: time included; price: what the last tonne costs; both as a part of the "
        "freight that was paid.",
    )  # fmt: skip


def _print_reported(rows: list[dict[str, Any]]) -> None:
    """Print what was reported beside what the model says."""

    def span(row: dict[str, Any], least: str, most: str) -> str:
        low, high = row[least], row[most]
        if low is None or high is None:
            return "–"
        return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"

    print_table(
        "Beside what was reported",
        [("what", 0), ("unit", 0), ("reported", FREE), ("range", 0), ("model, all year", FREE), ("model, the days", 0),
         ("by", 0), ("source", 0)],
        [
            [r["what"], r["unit"], r["value"], span(r, "low", "high"), r["modelled_year"],
             span(r, "modelled_least", "modelled_most"), r["by"], f"{r['fact']}, {r['confidence']}"]
            for r in rows
        ],
        "All year: cargo has settled on other ways. The days: it waits, squeezes through or leaves; the range is over "
        "how much of the room elsewhere can be taken up.",
    )  # fmt: skip


def _print_worst(found: dict[str, Any], year: int) -> None:
    for size in found["worst"]:
        print_table(
            f"The worst {size['r']} of {found['elements']} {found['among']} in {year}",
            [("closed", 0), ("more, million USD/yr", 1), ("leaves the land, Mt", 2)],
            [
                [", ".join(s["closed"]), size["rise_usd_yr"] / MILLION, s["lost_land_tonnes_yr"] / MEGATONNE]
                for s in size["sets"]
            ],
            f"Exact: {size['problems_solved']} problems solved, {size['given_up_by_the_bound']} given up by the bound.",
        )
    print_table(
        "Each alone",
        [(found["among"], 0), ("more, million USD/yr", 1), ("carried, Mt", 2)],
        [[r["id"], r["rise_usd_yr"] / MILLION, r["tonnes_yr"] / MEGATONNE] for r in found["ranking"][: 2 * MOST_ROWS]],
        f"{found['principle']}. {found['used']} of {found['elements']} are used; the others cost nothing. "
        f"{found['without_outside_option_tonnes_yr'] / MEGATONNE:.2f} Mt without an outside option are left out.",
    )


def _print_chance(found: dict[str, Any], year: int) -> None:
    rows = [
        [
            name,
            *(found[key][k] / MILLION for k in ("mean", "standard_error", "std", "quantile_50", "quantile_95", "most")),
        ]
        for key, name in (("closures", "closures"), ("closures_and_delays", "closures and slow borders"))
        if key in found
    ]
    print_table(
        f"Expected rise of cost in {year}, million USD a year",
        [("what", 0), *((k, 2) for k in ("mean", "error", "spread", "half", "95 %", "most"))],
        rows,
        f"Carriers know the state and choose anew. Seed {found['seed']}. "
        + "; ".join(f"{name} {c['probability']:.4f} ({c['because']})" for name, c in found["chances"].items()),
    )
