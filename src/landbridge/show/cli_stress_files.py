"""Answers about closures on a network that a user brings in a file: lines as JSON, or links as TNTP or GMNS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from landbridge.errors import LandbridgeError
from landbridge.show.terminal import FREE, known, print_json, print_table, progress_bar

__all__ = ["MILLION", "Questions", "about_file", "print_robustness"]

MEGATONNE = 1e6
MILLION = 1e6
MOST_ROWS = 12
MOST_SETS = 6
# What each measure is called, and what the worst do to it.
MEASURES = {
    "cost": "least cost of all relations",
    "way": "cheapest way",
    "flow": "maximum flow",
}


@dataclass(frozen=True)
class Questions:
    """What is asked about a network file.

    Attributes
    ----------
    close
        What is closed together.
    worst_of, robustness
        How many lines at most, and of how many links; 0 = not asked.
    among
        What is taken in turn for the robustness index.
    cut
        Share of the capacity that the robustness index takes.
    chances
        Probability by line; None for the atlas' record.
    draws, seed
        States drawn, and the seed.
    built
        Lines held apart that are built.
    relation
        Relation whose ways are asked for.
    """

    close: Sequence[str]
    worst_of: int
    robustness: int
    among: str | None
    cut: float
    chances: Mapping[str, float | None]
    draws: int
    seed: int
    built: Sequence[str]
    relation: str | None


def about_file(network: Path | None, trips: Path | None, asked: Questions, *, as_json: bool, quiet: bool) -> None:
    """Answer what is asked about a network file, and print it."""
    if network is None:
        raise LandbridgeError("stress: --trips, --build and --relation go with a network file (--network)")
    for path in (network, trips):
        if path is not None and not path.exists():
            raise LandbridgeError(f"{path}: no such file")
    if network.suffix.lower() == ".json":
        _about_lines(network, trips, asked, as_json=as_json, quiet=quiet)
    else:
        _about_links(network, trips, asked, as_json=as_json, quiet=quiet)


def _about_links(network: Path, trips: Path | None, asked: Questions, *, as_json: bool, quiet: bool) -> None:
    """The robustness index of a TNTP or GMNS network."""
    from landbridge.study.robustness import IN_FILES, of_files

    if not asked.robustness or asked.close or asked.worst_of or asked.chances or asked.built or asked.relation:
        raise LandbridgeError(
            "stress: a TNTP or GMNS network goes with --robustness and no other question; closures with hard room are "
            "asked of a JSON file of lines"
        )
    if asked.cut <= 0.0:
        raise LandbridgeError(f"--cut: wanted a share above 0 and at most 1, got {asked.cut:g}")
    among = known("kind", asked.among or IN_FILES[0], IN_FILES)
    with progress_bar(quiet=quiet or as_json) as progress:
        found = of_files(network, trips, asked.robustness, among=among, cut=asked.cut, progress=progress)
    if as_json:
        print_json({"question": "robustness", **found})
        return
    print_robustness(found, network.name)


def print_robustness(found: dict[str, Any], where: str) -> None:
    """Print the robustness index of each thing that was taken in turn."""
    file = found["network"] != "atlas"
    scale, unit = (1.0, "") if file else (MILLION, ", million USD/yr")
    base = found["base_cost" if file else "base_cost_usd_yr"]
    what = "closed" if found["cut"] == 1.0 else f"with {100 * found['cut']:g} % of its capacity gone"
    ends = [("from", 0), ("to", 0)] if file else []
    print_table(
        f"Network robustness index in {where}: each of {found['among']} {what}",
        [(found["among"], 0), *ends, (f"index{unit}", FREE), ("per cent", 3),
         ("carries" if file else "carries, Mt", FREE), ("not served" if file else "not served, Mt", FREE)],
        [
            [r["id"], r["from"], r["to"], r["index"], r["index_percent"], r["volume"], r["unserved"]]
            if file
            else [r["id"], r["index_usd_yr"] / scale, r["index_percent"], r["tonnes_yr"] / MEGATONNE,
                  r["unserved_tonnes_yr"] / MEGATONNE]
            for r in found["rows"]
        ],
        f"What all pay without it, less what all pay with it ({base / scale:,.6g}{unit}); time "
        f"counts. {len(found['rows'])} of {found['used']} that carry something, of {found['elements']}. By "
        f"{found['principle']}, relative gap {found['gap']:.0e}; an index may be negative. In {found['unit']}.",
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------- lines


def _about_lines(network: Path, trips: Path | None, asked: Questions, *, as_json: bool, quiet: bool) -> None:
    """Closures on a network of lines."""
    from landbridge.study.line_network import answer

    if asked.robustness or asked.among or trips is not None:
        raise LandbridgeError(
            "stress: a JSON network has lines with hard room and its own relations; --robustness, --among and --trips "
            "go with a TNTP or GMNS network"
        )
    if None in asked.chances.values():
        raise LandbridgeError("--chance: wanted LINE=NUMBER from 0 to 1; 'record' is of the atlas")
    with progress_bar(quiet=quiet or as_json) as progress:
        found = answer(
            network,
            built=asked.built,
            close=asked.close,
            worst_of=asked.worst_of,
            relation=asked.relation,
            chances={name: chance for name, chance in asked.chances.items() if chance is not None},
            draws=asked.draws,
            seed=asked.seed,
            progress=progress,
        )
    if as_json:
        print_json(found)
        return
    _print_lines(found, network.name)


def _print_lines(found: dict[str, Any], name: str) -> None:
    base = found["base"]
    built = f" with {', '.join(found['built'])} built" if found["built"] else ""
    if found["closed"]:
        _print_each([found["closed"]], f"{name}{built}: closed together")
    for worst in found["worst"] or []:
        of = f" of {worst['relation']}" if worst["relation"] else ""
        shown = worst["sets"][:MOST_SETS]
        left = "nothing is left" if worst["disconnects"] else f"{worst['value']:,.6g}"
        typer.echo(
            f"The worst {worst['r']}: {MEASURES[worst['measure']]}{of} {worst['base']:,.6g}, then {left}, with "
            f"{' or '.join('{' + ', '.join(s) + '}' for s in shown)}"
            + (f" or {worst['sets_count'] - len(shown)} other sets" if worst["sets_count"] > len(shown) else "")
            + f". Exact: {worst['problems_solved']} problems solved, {worst['given_up_by_the_bound']} given up."
        )
    if found["ways"]:
        print_table(
            "Its ways that pass no place twice, the cheapest first",
            [("cost", FREE), ("way", 0)],
            [[way["cost"], " - ".join(way["places"])] for way in found["ways"]],
        )
    if found["chance"]:
        _print_chance(found["chance"])
    _print_each(found["each"][: 2 * MOST_ROWS], f"{name}{built}: closed alone, the costliest first")
    print_table(
        "Relations",
        [("relation", 0), ("cheapest", FREE), ("outside", FREE), ("dearest without", 0), ("by", FREE),
         ("must cross", 0), ("maximum flow", FREE), ("a smallest cut", 0)],
        [_relation_row(row) for row in found["relations"]],
        f"All relations cost {base['cost']:,.8g}, {base['outside']:,.6g} units by their outside options. "
        f"{found['principle']}. In {found['unit']}."
        + (f" Not read: {', '.join(found['not_read'])}." if found["not_read"] else ""),
    )  # fmt: skip


def _relation_row(row: dict[str, Any]) -> list[Any]:
    rises = {name: each["rise"] for name, each in row["without"].items() if each["rise"]}
    dearest = max(rises, key=lambda name: rises[name]) if rises else None
    must = [name for name, each in row["without"].items() if each["must_cross"]]
    return [
        row["relation"], row["shortest"], row["outside_cost"], dearest or "–", rises[dearest] if dearest else None,
        ", ".join(must) or "nobody", row["max_flow"], ", ".join(row["cut"] or []) or "no end",
    ]  # fmt: skip


def _print_each(rows: list[dict[str, Any]], title: str) -> None:
    print_table(
        title,
        [("what", 0), ("closed", 0), ("cost before", FREE), ("after", FREE), ("rise", FREE),
         ("outside before", FREE), ("after", FREE), ("relations left out", 0)],
        [
            [r["kind"], r["id"], r["base_cost"], r["cost"], r["rise"], r["outside_before"], r["outside"],
             r["relations_left_out"]]
            for r in rows
        ],
        "Relations that start or end at what is closed are left out, before and after.",
    )  # fmt: skip


def _print_chance(found: dict[str, Any]) -> None:
    keys = ("mean", "rise", "standard_error", "std", "quantile_50", "quantile_95", "most")
    print_table(
        "By chance",
        [("states", 0), ("how", 0), *((key.replace("_", " "), FREE) for key in keys)],
        [
            [one["states"], how, *(one[key] for key in keys)]
            for how, one in (("all listed", found["exact"]), (f"drawn, seed {found['seed']}", found["drawn"]))
            if one is not None
        ],
        "; ".join(f"{name} {chance:g}" for name, chance in found["chances"].items()),
    )
