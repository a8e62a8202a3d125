"""The verbs of power: what a game is worth to whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from landbridge.errors import LandbridgeError
from landbridge.show.terminal import Json, print_json, print_table

__all__ = ["game"]

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
        f"Least core: no coalition can gain more than {solved['least_core']['excess']:.6g} by leaving.",
    )
    if ranges is None:
        weights = ", ".join(f"{w:.4g} x {{{s}}}" for s, w in solved["core"]["certificate"].items())
        typer.echo(
            f"The core is empty: the balanced coalitions {weights} are worth {solved['core']['balanced_worth']:.6g}, "
            f"more than {solved['worth_of_all']:.6g}."
        )
    for law, broken in solved["violations"].items():
        typer.echo(f"Not {law}: {{{broken['first']}}} and {{{broken['second']}}} miss it by {broken['amount']:.6g}.")
