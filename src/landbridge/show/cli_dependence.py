"""The verbs of dependence: who needs whom, how many ways there are, and what a ban costs both sides."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from landbridge.errors import LandbridgeError
from landbridge.show.options import OutFolder, Quiet, Size, WithStudy, Year, ended, ground
from landbridge.show.terminal import FREE, AtlasDir, Json, OverlayPath, print_table, progress_bar

__all__ = ["dependence", "exposure"]

MEGATONNE = 1e6
MILLION = 1e6
MOST_PAIRS = 25


def dependence(
    country: Annotated[
        str | None, typer.Argument(help="Country, as KZ; without it all countries.", show_default=False)
    ] = None,
    year: Year = 2023,
    years: Annotated[str | None, typer.Option(help="Several years, as 2013-2026 or 2013,2023.")] = None,
    size: Size = "corridor",
    with_study: WithStudy = None,
    out: OutFolder = None,
    quiet: Quiet = False,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Tell on whom a country depends for its way out, and how many ways it has.

    With a country: every partner that its freight must or does cross, and what losing it costs each side. Always: how
    concentrated trade, border crossings, transit, pipelines and loans are, each apart, by year and scenario.
    """
    from landbridge.study.dependence import country_of
    from landbridge.study.dependence import dependence as solve

    asked, study = ground(with_study, atlas, overlay, year=year, size=size, out=out)
    named = country_of(asked.tables, country) if country else None
    with progress_bar(quiet=quiet or as_json) as progress:
        found = solve(
            asked.tables,
            country=named,
            years=_years(years) if years else [year],
            scenarios={s.id: s.measures for s in study.scenarios} if study else {"base": ()},
            held=asked.held,
            size=size,
            progress=progress,
        )
    if ended(found, asked.tables, out=out, as_json=as_json):
        return
    if found["pairs"]:
        _print_pairs(found)
    kinds = found["read_with"]["kinds"]
    print_table(
        "How many ways: effective numbers of partners and gateways",
        [("scenario", 0), ("year", 0), ("country", 0), *((kind, 2) for kind in kinds)],
        [[r["scenario"], str(r["year"]), r["country"], *(r[kind] for kind in kinds)] for r in found["multi_vector"]],
        "; ".join(f"{kind}: {meaning}" for kind, meaning in kinds.items())
        + ". –: the atlas knows of none, or nothing goes by land.",
    )
    if found["country"]:
        _print_ways(found["diversification"])


def _print_ways(rows: list[dict[str, Any]]) -> None:
    """Print what the effective numbers of a country rest on."""
    print_table(
        "On what they rest",
        [("scenario", 0), ("year", 0), ("country", 0), ("of", 0), ("effective", 2), ("HHI", 3), ("normalised", 3),
         ("ways", 0), ("largest", 0), ("its share", 2), ("amount", FREE), ("unit", 0)],
        [
            [r["scenario"], str(r["year"]), r["country"], r["kind"], r["effective_number"], r["hhi"],
             r["normalised_hhi"], r["ways"], r["largest"], r["largest_share"], r["amount"], r["unit"]]
            for r in rows
        ],
    )  # fmt: skip


def _years(text: str) -> list[int]:
    """Years as 2013-2026 or 2013,2023."""
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{4})(?:\s*-\s*(\d{4}))?\s*", part)
        if match is None or (match[2] and int(match[2]) < int(match[1])):
            raise LandbridgeError(f"--years: wanted years as 2013-2026 or 2013,2023, got {text!r}")
        found += range(int(match[1]), int(match[2] or match[1]) + 1)
    return list(dict.fromkeys(found))


def _print_pairs(found: dict[str, Any]) -> None:
    rows = [
        [
            r["partner"],
            r["must_cross"],
            None if r["actual"] is None else f"{r['actual_least']:.3f} to {r['actual_most']:.3f}",
            r["free_usd_yr"] / MILLION,
            r["free_percent"],
            r["capacity_usd_yr"] / MILLION,
            r["loss_of_partner_usd_yr"] / MILLION,
            1e4 * r["leverage"],
            r["trade_share"],
        ]
        for r in found["pairs"][:MOST_PAIRS]
    ]
    print_table(
        f"On whom {found['country']} depends in {found['years'][-1]} ({found['scenarios'][-1]})",
        [("partner", 0), ("must cross", 3), ("does cross", 0), ("without, free", 2), ("per cent", 2),
         ("without, hard", 2), ("partner without", 2), ("leverage", 2), ("trade", 3)],
        rows,
        "Shares of its freight by land with third countries; costs in million USD a year when none of it may cross the "
        "partner, nothing full (free) and with hard capacities; the partner's without the country; leverage of the "
        "partner over the country in hundredths of a per cent of trade, above zero: the country needs it more; trade: "
        f"share of all trade by value. Outside option: {found['read_with']['outside_option']}.",
    )  # fmt: skip


def exposure(
    country: Annotated[str, typer.Argument(help="Whose cargo may not cross, as RU.", show_default=False)],
    partner: Annotated[str, typer.Argument(help="The country that it may not cross, as KZ.", show_default=False)],
    year: Year = 2023,
    elasticity: Annotated[
        float, typer.Option(help="Per cent by which trade falls for a per cent of the delivered price.", min=0)
    ] = 1.0,
    size: Size = "corridor",
    with_study: WithStudy = None,
    out: OutFolder = None,
    quiet: Quiet = False,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Tell what two countries lose when the cargo of one may not cross the other, and when that answers in kind."""
    from landbridge.study.exposure import exposure as solve

    asked, _ = ground(with_study, atlas, overlay, year=year, size=size, out=out)
    with progress_bar(quiet=quiet or as_json) as progress:
        found = solve(asked, country, partner, elasticity=elasticity, progress=progress)
    if ended(found, asked.tables, out=out, as_json=as_json):
        return
    first, second = found["countries"]
    print_table(
        f"What {first} and {second} lose in {year}",
        [("ban", 0), ("step", 0), ("country", 0), ("traders, million USD/yr", 2), ("takings lost, million USD/yr", 2),
         ("by land, Mt", 3), ("trade, Mt", 3)],
        [
            [r["ban"], r["step"], r["country"], r["trade_loss_usd_yr"] / MILLION, r["lost_takings_usd_yr"] / MILLION,
             r["land_change_tonnes_yr"] / MEGATONNE, r["trade_change_tonnes_yr"] / MEGATONNE]
            for r in found["steps"]
        ],
        f"{found['crossing_tonnes_yr'] / MEGATONNE:.2f} Mt of {first}'s trade with third countries cross {second}. "
        "Stuck: before other ways are found; takings are gross. "
        + " ".join(f"{k.replace('_', ' ').capitalize()}: {v}." for k, v in found["read_with"].items()),
    )  # fmt: skip
