"""The verbs of power: what a game is worth to whom, and what a project does to power on the corridors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from landbridge.errors import LandbridgeError
from landbridge.show.options import SIZES, OutFolder, Quiet, Seed, ended
from landbridge.show.power_words import exclusions, one_voice
from landbridge.show.running import RESUME_NEEDS_OUT, ClusterAddress, Resume, Workers
from landbridge.show.terminal import (
    AtlasDir,
    Json,
    OverlayPath,
    known,
    print_json,
    print_table,
    progress_bar,
    read_checked,
    split_commas,
)

__all__ = ["game", "power"]

SOLUTIONS = (
    ("shapley", "Shapley"),
    ("weighted_shapley", "weighted"),
    ("banzhaf", "Banzhaf"),
    ("owen", "Owen"),
    ("myerson", "Myerson"),
    ("nucleolus", "nucleolus"),
    ("nash", "Nash"),
    ("hold_up", "hold-up"),
)
MEGATONNE = 1e6
MILLION = 1e6
# A gain of all together below this share of the largest change is none.
ROUNDING = 1e-6
LAWS = ("superadditive", "monotone", "convex")


def game(
    path: Annotated[
        Path, typer.Argument(metavar="GAME.json", help="Players and the worth of every coalition.", show_default=False)
    ],
    as_json: Json = False,
) -> None:
    """Solve a game given by its worths: who gets how much by which rule, and who can block.

    The file: {"players": ["A","B"], "v": {"A": 0, "B": 1, "A,B": 4}}, and if wanted "blocs": [["A","B"]],
    "graph": [["A","B"]] (who can talk to whom) and "weights": {"A": 2, "B": 1}.
    """
    if not path.exists():
        raise LandbridgeError(f"{path}: no such file")
    from landbridge.study.games import solve_file

    solved = solve_file(path)
    if as_json:
        print_json(solved)
        return
    print_solved(solved, f"What {path.name} is worth to whom")


def print_solved(solved: dict[str, Any], title: str) -> None:
    """Print the solutions of a game, and what must be known to read them."""
    shown = [(key, name) for key, name in SOLUTIONS if solved[key] is not None]
    ranges = solved["core"]["ranges"]
    rows = []
    for player in solved["players"]:
        row = [player, *(solved[key][player] for key, _ in shown)]
        row.append("empty" if ranges is None else "{:.6g} to {:.6g}".format(*ranges[player]))
        row.append("yes" if player in solved["veto"] else "")
        rows.append(row)
    laws = ", ".join(f"{law}: {'yes' if solved[law] else 'no'}" for law in LAWS)
    print_table(
        title,
        [("player", 0), *((name, 4) for _, name in shown), ("core", 0), ("veto", 0)],
        rows,
        f"All together are worth {solved['worth_of_all']:.6g}; {laws}. Banzhaf values do not add up to that. "
        f"{_least_core(solved['least_core']['excess'])}",
    )
    if ranges is None:
        weights = ", ".join(f"{w:.4g} x {{{s}}}" for s, w in solved["core"]["certificate"].items())
        typer.echo(
            f"The core is empty: the balanced coalitions {weights} are worth {solved['core']['balanced_worth']:.6g}, "
            f"more than {solved['worth_of_all']:.6g}."
        )
    for law, broken in solved["violations"].items():
        typer.echo(f"Not {law}: {{{broken['first']}}} and {{{broken['second']}}} miss it by {broken['amount']:.6g}.")


def _least_core(excess: float) -> str:
    """What the least core says, in words: an excess below zero is a loss of whoever leaves."""
    if excess > 0.0:
        return f"Least core: under the best sharing some coalition still gains {excess:.6g} by leaving, none more."
    if excess < 0.0:
        return f"Least core: under the best sharing every coalition that leaves loses at least {-excess:.6g}."
    return "Least core: under the best sharing no coalition gains by leaving, and some lose nothing."


def power(
    study: Annotated[Path, typer.Argument(help="A study file (TOML).", show_default=False)],
    players: Annotated[
        str | None,
        typer.Option(
            help="Who bargains, by commas: countries, blocs, and railways as ktz or kz-ktz; default "
            "CN,KZ,RU,BY,KG,UZ,AZ,eu."
        ),
    ] = None,
    project: Annotated[
        str | None, typer.Option(help="Project to build; default: what the study's other scenario does.")
    ] = None,
    blocs: Annotated[str | None, typer.Option(help="Blocs that negotiate as one, as eaeu: Owen value.")] = None,
    talks: Annotated[
        str | None,
        typer.Option(help="Who can talk to whom, as CN-KZ,KZ-RU, or neighbours: those with a rail crossing; Myerson."),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="Weights as KZ=2,CN=3, others 1: weighted Shapley value, Nash.")
    ] = None,
    year: Annotated[int | None, typer.Option(help="Year; default the study's last.")] = None,
    size: Annotated[str | None, typer.Option(help="full, corridor or reduced; default the study's.")] = None,
    sample: Annotated[
        int | None, typer.Option(help="Draw so many orders of arrival in place of listing coalitions.", min=2)
    ] = None,
    seed: Seed = 0,
    cost: Annotated[
        str, typer.Option(help="Cost of what is built, of the atlas' range: low, mid, high; none leaves it out.")
    ] = "mid",
    discount: Annotated[float, typer.Option(help="Rate at which the cost is spread, per cent a year.", min=0)] = 6.0,
    life: Annotated[float, typer.Option(help="Years over which the cost is spread.", min=1)] = 35.0,
    workers: Workers = 1,
    cluster: ClusterAddress = None,
    resume: Resume = False,
    out: OutFolder = None,
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder for worths, so that a run that was stopped goes on; default OUT-worths."),
    ] = None,
    quiet: Quiet = False,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Tell who has how much power on the corridors, and what a project does to it.

    Both rules are solved: shippers bargain with their countries, or take prices as they come.
    """
    from landbridge.study.power import DEFAULT_PLAYERS, BuildCost
    from landbridge.study.power import power as solve
    from landbridge.study.power_files import check_power_output
    from landbridge.study.runner import where_of

    read, tables = read_checked(study, atlas, overlay)
    if size is not None:
        known("size", size, SIZES)
    if project is not None:
        known("project", project, tables.ids("projects"))
    known("cost", cost, ("low", "mid", "high", "none"))
    where = where_of(workers, cluster)
    if sample is not None and (workers > 1 or cluster is not None):
        raise LandbridgeError(
            "--sample: each order asks for what the ones before did not; wanted no --workers, --cluster"
        )
    if resume and out is None and cache is None:
        raise LandbridgeError(RESUME_NEEDS_OUT.format("worths that --out or --cache"))
    if out is not None:
        check_power_output(out)
    kept = cache or (None if out is None else out.with_name(f"{out.name}-worths"))
    with progress_bar(quiet=quiet or as_json) as progress:
        found = solve(
            read,
            tables,
            players=split_commas(players) or DEFAULT_PLAYERS,
            blocs=split_commas(blocs),
            talks=split_commas(talks),
            weights=split_commas(weights),
            project=project,
            year=year,
            size=size,
            sample=sample,
            seed=seed,
            build_cost=None if cost == "none" else BuildCost(cost, discount, life),
            where=where,
            cache=kept,
            progress=progress,
        )
    if ended(found, tables, out=out, as_json=as_json):
        return
    for rule, told in found["rules"].items():
        if sample is not None:
            _print_sampled(rule, told, found)
            _print_cost(found)
            continue
        for name in ("before",) if found["without_effect"] else ("before", "after"):
            if name in told:
                print_solved(_in_millions(told[name]), f"{found[name]} in {found['year']}: {rule}, million USD a year")
        for name in ("before", "after"):
            for each in told.get(name, {}).get("as_one", []):
                usd = {key: each[key] for key in ("as_one_usd_yr", "apart_usd_yr")}
                typer.echo(one_voice(str(found[name]), each["players"], **usd))
        if found["without_effect"]:
            continue
        if "change" in told:
            title = f"What {found['after']} changes: {rule}, million USD a year"
            print_change(told["change"], title, found, told.get("change_before_cost"))
            _print_payers(told, found)
    if found["without_effect"]:
        typer.echo(
            f"{found['after']} changes nothing that the game knows: every way, cost and room of the network is as "
            "before. What it is meant to bring can be said in a study, as in examples/crk-terminal.toml."
        )
    left = told["before"]["without_outside_option_tonnes_yr"] / MEGATONNE
    typer.echo(
        f"Players: {', '.join(map(_player, found['players'].items()))}; all others let everything pass. "
        f"Worth: {found['principle']}. Outside option: {found['outside_option']}; "
        f"{left:.2f} Mt a year without one are left out. "
        f"Investment options: {', '.join(found['investment_options']) or 'none'}"
        + (
            "."
            if found["consent_to_build"] is None
            else f", with the consent of {', '.join(found['consent_to_build']) or 'nobody who plays'}."
        )
    )


def _player(told: tuple[str, list[str]]) -> str:
    """A player, with what it speaks for where its name does not say so."""
    name, speaks_for = told
    return name if [name] == speaks_for else f"{name} ({', '.join(speaks_for)})"


def _print_sampled(rule: str, told: dict[str, Any], found: dict[str, Any]) -> None:
    """Print Shapley values that were drawn, with their errors."""
    names = [name for name in ("before", "after", "change") if name in told]
    rows = []
    for player in found["players"]:
        row: list[Any] = [player]
        for name in names:
            row += [told[name]["shapley"][player] / MILLION, told[name]["standard_error"][player] / MILLION]
        rows.append([*row, told["before"]["hold_up"][player], "yes" if player in told["before"]["veto"] else ""])
    heads = [(f"{name}{more}", 2) for name in names for more in ("", " ±")]
    print_table(
        f"Shapley values in {found['year']}: {rule}, million USD a year",
        [("player", 0), *heads, ("hold-up", 4), ("veto", 0)],
        rows,
        f"{found['sampled_orders']} orders of arrival drawn both ways, seed {found['seed']}; ± is one standard "
        "error. Whether the core is empty and the game superadditive is not known: not all coalitions were solved.",
    )


def _print_payers(told: dict[str, Any], found: dict[str, Any]) -> None:
    """Print what building costs a year, and who would gain more power than that."""
    _print_cost(found)
    if found["build_cost"] is None:
        return
    for row in told["pays_for"]:
        typer.echo(f"Gain more power (gross) than that: {', '.join(row['players'])} ({_mn(row['gain_usd_yr'])}).")
    if not told["pays_for"]:
        typer.echo("No coalition gains more power (gross) than that.")


def _print_cost(found: dict[str, Any]) -> None:
    """Print what building costs a year, and on what that rests."""
    cost = found["build_cost"]
    if cost is None:
        if found["consent_to_build"] is not None:
            typer.echo("What it costs is not counted.")
        return
    typer.echo(
        f"Building costs {cost['annuity_usd_yr'] / MILLION:,.1f} million USD a year ({cost['of']} of the atlas' range, "
        f"{cost['cost_usd'] / MILLION:,.0f} million over {cost['life_yr']:g} years at {cost['discount_pct']:g} %, both "
        "assumed); columns called net count it, those called gross do not."
    )


def print_change(
    change: dict[str, Any], title: str, found: dict[str, Any], gross: dict[str, Any] | None = None
) -> None:
    """Print what an investment does to everyone's power, net of what building costs and, beside it, before the cost."""
    heads, columns = [("Shapley", 2), ("nucleolus", 2), ("exclusion", 2)], [change]
    if gross is not None:
        heads = [(f"{name}, {how}", 2) for how in ("net", "gross") for name in ("Shapley", "nucleolus")]
        heads, columns = [*heads, ("exclusion, gross", 2)], [change, gross]
    rows = [
        [
            player,
            *(one[solution][player] / MILLION for one in columns for solution in ("shapley", "nucleolus")),
            columns[-1]["exclusion"][player],
        ]
        for player in change["shapley"]
    ]
    gain = f"All together gain {_mn(change['worth_usd_yr'])}"
    if gross is not None:
        gain += f" net of what building costs, {_mn(gross['worth_usd_yr'])} before it (gross)"
    print_table(
        title,
        [("player", 0), *heads],
        rows,
        f"{gain}. Exclusion: what it adds without that player over what it adds with all; about 1 or more: works "
        "without, 0: needs the player.",
    )
    if told := exclusions(columns[-1]["exclusion"]):
        typer.echo(told)
    for how, one in zip(("" if gross is None else "Net: ", "Gross: "), columns, strict=False):
        typer.echo(f"{how}Should want it: {', '.join(one['wants']) or 'nobody'}; should block it: "
                   f"{', '.join(one['blocks']) or 'nobody'}.")  # fmt: skip
    if why := _moved_only(change, found, net=gross is not None):
        typer.echo(why)
    for each in change["alone"]:
        typer.echo(f"Can gain from it alone: {', '.join(each['players'])} ({_mn(each['gain_usd_yr'])}).")
    if (more := change["alone_count"] - len(change["alone"])) > 0:
        typer.echo(f"So can {more} other smallest coalitions.")


def _moved_only(change: dict[str, Any], found: dict[str, Any], *, net: bool) -> str:
    """Why values move although all together gain nothing; empty where they gain, or nothing moves."""
    most = max(map(abs, change["shapley"].values()), default=0.0)
    if change["worth_usd_yr"] > ROUNDING * most or not (change["wants"] or change["blocks"]):
        return ""
    unbuilt = "it does not pay for all together, who would not build it; but " if net else ""
    return (
        f"All together gain nothing, yet values move: {unbuilt}some coalitions earn more with {found['after']} when "
        "others stay out, so that their members can ask for more of what all earn."
    )


def _mn(usd: float) -> str:
    """An amount a year with its unit."""
    return f"{round(usd / MILLION, 2) + 0.0:,.2f} million USD a year"  # no minus before a rounded nothing


def _in_millions(solved: dict[str, Any]) -> dict[str, Any]:
    """A game's solutions in millions; shares and laws stay."""
    kept = {"hold_up", "certificate"}

    def scaled(key: str, value: Any) -> Any:
        if key in kept or isinstance(value, (bool, str)) or value is None:
            return value
        if isinstance(value, dict):
            return {k: scaled(k, v) for k, v in value.items()}
        if isinstance(value, list):
            return [scaled("", v) for v in value]
        return value / MILLION

    return {key: scaled(key, value) for key, value in solved.items()}
