"""The verbs of trade: a shock to its cost, and what answers."""

from __future__ import annotations

import re
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landbridge.errors import LandbridgeError
from landbridge.show.terminal import (
    FREE,
    AtlasDir,
    Json,
    OverlayPath,
    known,
    print_json,
    print_table,
    read_tables,
    users_values,
)

if TYPE_CHECKING:
    from landbridge.study.shock import ShockResult

__all__ = ["trade_app"]

trade_app = typer.Typer(help="Trade that answers to cost: shocks and gravity.", no_args_is_help=True)

# Countries printed for people, those that are moved most; JSON holds all.
MOST_ROWS = 15


def _percent(option: str, text: str) -> float:
    """A change such as -10% or +2.5 % as a part."""
    found = re.fullmatch(r"\s*([+-]?\d+(?:\.\d+)?)\s*%\s*", text)
    if not found:
        raise LandbridgeError(f"{option}: wanted a change in per cent such as -10%, got {text!r}")
    change = float(found.group(1)) / 100
    if change <= -1:
        raise LandbridgeError(f"{option}: wanted more than -100%, got {text}")
    return change


@trade_app.command()
def shock(
    pair: Annotated[
        list[str],
        typer.Option("--pair", help="CN-KZ: both ways; CN>KZ: one way; a bloc may stand for a country. Repeatable."),
    ],
    tau: Annotated[str | None, typer.Option(help="Change of the iceberg cost, as -10%.")] = None,
    freight: Annotated[str | None, typer.Option(help="Change of the freight part alone, as -10%.")] = None,
    embargo: Annotated[bool, typer.Option("--embargo", help="Forbid the trade of the pairs.")] = False,
    mode: Annotated[
        str, typer.Option(help="ge: general equilibrium; gravity: outputs kept; elasticity: nothing else moves.")
    ] = "ge",
    data: Annotated[
        Path | None, typer.Option(help="A trade matrix (CSV) in place of the atlas', home sales included for ge.")
    ] = None,
    sectors: Annotated[
        bool, typer.Option("--sectors", help="Many sectors with inputs and tariffs (ge on the atlas).")
    ] = False,
    theta: Annotated[float | None, typer.Option(help="Trade elasticity; default the atlas' (4).")] = None,
    deficits: Annotated[
        str, typer.Option(help="additive: deficits kept; multiplicative: in proportion to income.")
    ] = "additive",
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Change what trade between some countries costs, and tell what trade and welfare answer.

    The trade is that of the atlas, or of a file. A shock that has no equilibrium is refused with the reason.
    """
    if sum((tau is not None, freight is not None, embargo)) != 1:
        raise LandbridgeError("wanted one of --tau, --freight and --embargo")
    change = _percent("--tau", tau) if tau is not None else _percent("--freight", freight) if freight else 0.0
    if theta is not None and not 0 < theta < 100:
        raise LandbridgeError(f"--theta: wanted a number between 0 and 100, got {theta:g}")
    if sectors and (data is not None or mode != "ge"):
        raise LandbridgeError("--sectors goes with --mode ge on the atlas' own trade")
    if sectors and theta is not None:
        raise LandbridgeError("--theta is of one sector; the elasticities of many stand in the atlas (trade_sectors)")
    from landbridge.study.shock import MODES, Shocked, pairs_named
    from landbridge.study.shock import shock as solve
    from landbridge.study.solve import parameter
    from landbridge.study.world import atlas_world, file_world

    chosen = known("mode", mode, MODES)
    kept = known("deficits", deficits, ("additive", "multiplicative"))
    tables = read_tables(atlas, overlay)
    world = file_world(data) if data is not None else atlas_world(tables)
    pairs = list(dict.fromkeys(found for text in pair for found in pairs_named(text, world, tables)))
    notes: tuple[str, ...] = ()
    if freight is not None:
        from landbridge.study.freight import freight_factors

        factors, notes = freight_factors(tables, pairs, change)
        if data is not None:
            notes += (
                f"the freight over value is that of the atlas' own trade and network, not of {data.name}: it is taken "
                f"to hold for the file's trade too",
            )
        shocked = [Shocked(e, i, factors[e, i]) for e, i in pairs]
    else:
        shocked = [Shocked(e, i, inf if embargo else 1 + change) for e, i in pairs]
    found = solve(
        world,
        shocked,
        mode=chosen,  # type: ignore[arg-type] # held against MODES
        theta=parameter(tables, "trade-theta") if theta is None else theta,
        deficits=kept,  # type: ignore[arg-type]
        many=sectors,
        tables=tables,
    )
    if as_json:
        told = asdict(found)
        print_json({**told, "notes": [*notes, *found.notes], "pair": pair, "overlay": bool(overlay)})
        return
    _print(found, notes, users_values(tables.overlay))


@trade_app.command()
def gains(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Results of a study with a table [demand].")],
    scenario: Annotated[str | None, typer.Option(help="Scenario; default the last.")] = None,
    year: Annotated[int | None, typer.Option(help="Year; default the first.")] = None,
    place: Annotated[
        str | None, typer.Option(help="Zones shown, by comma; default Xinjiang, Almaty, Khorgos and Fergana.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell what a scenario's trade answered: who gains, which sectors give way, and what zones come nearer to markets.

    Before is the scenario that the study compares with.
    """
    from landbridge.study.results import read_results
    from landbridge.study.trade_gains import PLACES, gains_of

    results = read_results(folder)
    if "zone_access" not in results.tables:
        raise LandbridgeError(f"{folder}: its study has no table [demand], so nothing of trade was computed")
    which = known("scenario", scenario or results.scenarios[-1], results.scenarios)
    years = [str(y) for y in results.years]
    when = int(known("year", years[0] if year is None else str(year), years))
    found = gains_of(results, which, when)
    wanted = [p.strip() for p in place.split(",")] if place else list(PLACES)
    there = [row["place"] for row in found.access]
    for name in wanted:
        known("zone", name, there)
    if as_json:
        print_json(asdict(found))
        return
    told = found.told
    rows = sorted(found.countries, key=lambda r: -abs(r["welfare_pct"] or r["exports_pct"] or 0.0))[:MOST_ROWS]
    print_table(
        f"Countries, {which} {when} against {found.before}",
        [("country", 0), ("welfare %", 3), ("real wage %", 3), ("exports %", 2), ("imports %", 2),
         ("home share before %", 2), ("after %", 2)],
        [[r["country"], r["welfare_pct"], r["real_wage_pct"], r["exports_pct"], r["imports_pct"],
          _hundred(r["home_share_before"]), _hundred(r["home_share"])] for r in rows],
        f"{len(rows)} of {len(found.countries)}; a home share that falls is import competition.",
    )  # fmt: skip
    print_table(
        "Sectors by country, the most moved of those that make 0.1 bn USD or more",
        [("country", 0), ("sector", 0), ("bn USD", 1), ("volume %", 2), ("home share before %", 2), ("after %", 2)],
        [[r["country"], r["sector"], r["output_before_usd"] / 1e9, r["volume_pct"], _hundred(r["home_share_before"]),
          _hundred(r["home_share"])] for r in found.sectors[:MOST_ROWS]],
    )  # fmt: skip
    print_table(
        "Places: access to markets, and the mean cost of a delivered box",
        [("place", 0), ("access %", 3), ("to buyers %", 3), ("to sellers %", 3), ("USD/TEU before", 0), ("after", 0)],
        [[r["place"], r["access_pct"], r["to_buyers_pct"], r["to_sellers_pct"], r["delivered_before_usd_teu"],
          r["delivered_usd_teu"]] for r in found.access if r["place"] in wanted],
    )  # fmt: skip
    if found.given:
        print_table(
            "What the scenario gives (growth, moved industry): who gains and loses by it, beside what answers above",
            [("country", 0), ("welfare %", 3), ("real wage %", 3)],
            [[r["country"], r["welfare_pct"], r["real_wage_pct"]] for r in found.given[:MOST_ROWS]],
            f"{min(MOST_ROWS, len(found.given))} of {len(found.given)} countries; how it is meant stands in the notes.",
        )
    typer.echo(f"Headline: {told['headline']}")
    typer.echo(f"Time is counted in the {told['time_counted_in']}; growth: {told['growth']}.")
    if told["rounds"]:
        typer.echo(f"Trade and flows met in {told['rounds']} rounds at a gap of {told['gap']:.1e}.")
        typer.echo(
            f"Gains by the rule of half, beside the headline: {told['rule_of_half_usd'] / 1e6:,.1f} m USD a year."
        )
    for note in found.notes:
        typer.echo(f"- {note}")


@trade_app.command()
def questions(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Results of examples/trade.toml.")],
    as_json: Json = False,
) -> None:
    """Answer the questions of examples/trade.toml from its results: crossings, welfare, who trades what."""
    from landbridge.study.results import read_results
    from landbridge.study.trade_questions import questions_of

    found = questions_of(read_results(folder))
    if not any(each.scenario for each in found):
        raise LandbridgeError(f"{folder}: none of its scenarios is that of a question; run examples/trade.toml")
    if as_json:
        print_json([asdict(each) for each in found])
        return
    for each in found:
        if not each.scenario:
            continue
        print_table(
            f"{each.text}  ({each.scenario} against {each.before}, {each.year})",
            [("", 0), ("", 0), ("", 0), ("unit", 0), ("before", FREE), ("after", FREE)],
            [[f.subject, f.direction, f.quantity, f.unit, f.before, f.after] for f in each.facts],
        )
        for note in each.notes:
            typer.echo(f"- {note}")


@trade_app.command()
def tonnes(
    year: Annotated[int, typer.Option(help="Year, from that of the trade matrix on.")] = 2023,
    size: Annotated[str, typer.Option(help="reduced, corridor or full.")] = "corridor",
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Tell of every commodity where its tonnes stand: assigned, fixed to a mode, or counted outside the study."""
    tables = read_tables(atlas, overlay)
    from landbridge.study.tonnes import SIZES, commodity_tonnes

    found = commodity_tonnes(tables, year=year, size=known("size", size, list(SIZES)))
    if as_json:
        print_json([asdict(row) for row in found])
        return
    numbers = [list(asdict(row).values())[1:] for row in found]
    rows = [[row.commodity, *(v / 1e6 for v in n[:-1]), n[-1]] for row, n in zip(found, numbers, strict=True)]
    sums = [sum(column) for column in zip(*numbers, strict=True)]
    own = users_values(tables.overlay)
    print_table(
        f"Tonnes of {year}, size {size}, million a year; the difference in tonnes",
        [("commodity", 0), ("trade", 3), ("assigned", 3), ("fixed to a mode", 3), ("elsewhere", 3),
         ("within a zone", 3), ("without a zone", 3), ("left out by size", 3), ("difference", 0)],
        [*rows, ["all", *(v / 1e6 for v in sums[:-1]), sums[-1]]],
        f"Elsewhere: between countries whose trade never touches the land network. {own}".strip(),
    )  # fmt: skip


@trade_app.command()
def gravity(
    sector: Annotated[str, typer.Option(help="A trade sector, or all_goods.")] = "all_goods",
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Estimate gravity (PPML) on the atlas' trade, with cost and time of the network in place of distance.

    Needs pyfixest: pip install 'landbridge[gravity]'.
    """
    tables = read_tables(atlas, overlay)
    known("sector", sector, [*tables["trade_sectors"]["id"].to_list(), "all_goods"])
    from landbridge.study.gravity_data import atlas_gravity

    fit, frame = atlas_gravity(tables, sector)
    if as_json:
        print_json({**asdict(fit), "sector": sector, "pairs": frame.height})
        return
    print_table(
        f"Gravity of {sector}, {fit.kept} of {fit.observations} pairs of countries",
        [("", 0), ("coefficient", 4), ("standard error", 4)],
        [[name, value, fit.standard_error[name]] for name, value in fit.coefficient.items()],
        f"PPML with effects of {' and '.join(fit.effects)}; errors go together by {fit.clustered_by}. Cost and "
        f"days are those of the cheapest way of a box by any mode. {users_values(tables.overlay)}".rstrip(),
    )
    for reason, count in fit.dropped.items():
        if count:
            typer.echo(f"- {count} pairs are left out: {reason}")
    typer.echo("- trade of the matrix is itself an estimate for many pairs: read this as a description of it")


def _print(found: ShockResult, notes: tuple[str, ...], own: str) -> None:
    kind = "many sectors" if found.sectors else f"one sector, elasticity {found.theta:g}"
    moved = [c for c in found.countries if c["exports_pct"] is not None or c["welfare_pct"] is not None]
    key = "welfare_pct" if any(c["welfare_pct"] is not None for c in moved) else "exports_pct"
    rows = sorted(moved, key=lambda c: -abs(c[key] or 0.0))[:MOST_ROWS]
    print_table(
        f"{found.mode}, {kind}; {found.source}",
        [("country", 0), ("welfare %", 3), ("real wage %", 3), ("ACR %", 3), ("exports %", 2), ("imports %", 2),
         ("home share before %", 2), ("after %", 2)],
        [[c["country"], c["welfare_pct"], c["real_wage_pct"], c["acr_pct"], c["exports_pct"], c["imports_pct"],
          _hundred(c["home_share_before"]), _hundred(c["home_share_after"])] for c in rows],
        f"{len(rows)} of {len(moved)} countries, the most moved first; --json tells all. A home share that "
        f"falls is import "
        f"competition. {own}".rstrip(),
    )  # fmt: skip
    if found.sectors:
        top = sorted(found.sectors, key=lambda r: -abs(r["output_pct"]))[:MOST_ROWS]
        print_table(
            "Output and home share by sector, the most moved first",
            [("country", 0), ("sector", 0), ("output %", 2), ("home share before %", 2), ("after %", 2)],
            [[r["country"], r["sector"], r["output_pct"], _hundred(r["home_share_before"]),
              _hundred(r["home_share_after"])] for r in top],
        )  # fmt: skip
    big = sorted(found.pairs, key=lambda r: -r["before"])[:MOST_ROWS]
    print_table(
        "The pairs that are shocked",
        [("from", 0), ("to", 0), ("cost factor", 5), ("before", FREE), ("after", FREE), ("change %", 2)],
        [[p["exporter"], p["importer"], p["tau_hat"], p["before"], p["after"], p["change_pct"]] for p in big],
        f"{len(big)} of {len(found.pairs)}, in the unit of the flows.",
    )
    typer.echo(f"Headline: {found.headline}")
    if found.iterations:
        typer.echo(f"Solved in {found.iterations} rounds to a gap of {found.gap:.1e}.")
    for note in (*notes, *found.notes):
        typer.echo(f"- {note}")


def _hundred(value: float | None) -> float | None:
    return None if value is None else 100 * value
