"""What a closure costs, to whom, and which closures would be the worst.

closed by name   the equilibrium with the closure beside the one without (`closing`)
worst r          of all crossings (or ferries, links, countries) the r whose closure costs most (`worst`)
by chance        expected cost when crossings close, and are slow, by chance (`chances`)
recovery         backlog after a closure of some days, by the terminal model where the yard has a plan (`closing`)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from landbridge.study.chances import RECORD_TO, by_chance, chances_of
from landbridge.study.closing import Target, close
from landbridge.study.ground import Ground, tables_on
from landbridge.study.robustness import of_atlas
from landbridge.study.solve import Settings
from landbridge.study.worst import AMONG, worst

__all__ = ["GAP", "answer"]

Progress = Callable[[int, int, str], None]

#: Relative gap of the equilibria.
GAP = 1e-8


def answer(
    ground: Ground,
    *,
    targets: Sequence[Target] = (),
    worst_of: int = 0,
    among: str = AMONG[0],
    chances: Mapping[str, float | None] | None = None,
    draws: int = 200,
    seed: int = 0,
    days: float | None = None,
    robustness: int = 0,
    cut: float = 1.0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Answer all that is asked about closures.

    Parameters
    ----------
    ground
        The atlas, and what holds.
    targets, days
        As for `close`; none: nothing is closed by name.
    worst_of, among
        As for `worst`; 0: not asked.
    chances
        Probability by crossing, as the user assumes it; ``record`` adds the atlas' dates of past closures.
    draws, seed
        As for `by_chance`.
    robustness, cut
        How many things of the kind ``among`` to take in turn for the robustness index, 0: not asked; and the share of
        their capacity that is taken.
    progress
        Called with steps done, all, and what is being solved.

    Returns
    -------
    dict
        ``closed``, ``worst``, ``chance`` and ``robustness``: as the functions return them, or None.
    """
    settings = Settings(gap=GAP, size=ground.size)
    year = ground.year
    result: dict[str, Any] = {
        "question": "stress",
        "year": year,
        "size": ground.size,
        "outside_option": "the cheaper of the ocean voyage and the truck, for each relation",
        "closed": None,
        "worst": None,
        "chance": None,
        "robustness": None,
    }
    if targets:
        result["closed"] = close(ground, targets, settings=settings, days=days, progress=progress)
    if worst_of or chances or robustness:
        applied = tables_on(ground)
    if worst_of:
        result["worst"] = worst(applied, worst_of, year=year, settings=settings, among=among, progress=progress)
    if robustness:
        result["robustness"] = of_atlas(
            applied, robustness, year=year, settings=settings, among=among, cut=cut, progress=progress
        )
    if chances:
        stated: dict[str, dict[str, Any]] = {}
        if "record" in chances:
            open_now = set(applied["crossings"].filter(pl.col("mode") == "rail")["id"].to_list())
            stated = {name: c for name, c in chances_of(ground.tables, RECORD_TO).items() if name in open_now}
        for name, value in chances.items():
            if value is not None:
                stated[name] = {"probability": value, "because": "assumed by the user"}
        result["chance"] = by_chance(
            applied, stated, year=year, settings=settings, draws=draws, seed=seed, progress=progress
        )
    return result
