"""Which closures are the worst, exactly: by an optimum under hard capacities, as an equilibrium may gain by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import UnknownName
from landbridge.model import resilience
from landbridge.model.network import MODES, ArcKind, Network
from landbridge.model.resilience import Closures
from landbridge.study.carriage import Laden, lay_out
from landbridge.study.solve import Settings

__all__ = ["AMONG", "Trials", "elements_of", "trials_of", "worst"]

Progress = Callable[[int, int, str], None]

#: What the worst closures are sought among.
AMONG = ("crossings", "ferries", "links", "countries")
PRINCIPLE = "least cost under hard capacities, outside options at their price (an optimum, not an equilibrium)"


def elements_of(net: Network, among: str, tables: Tables) -> tuple[list[str], list[npt.NDArray[np.int64]]]:
    """List what can be closed, with its arcs.

    Parameters
    ----------
    net
        The network.
    among
        One of `AMONG`.
    tables
        The tables it was built from.

    Returns
    -------
    names : list of str
    arcs : list of int64
    """
    if among not in AMONG:
        raise UnknownName("kind", among, list(AMONG))
    if among == "crossings":
        border = net.kind == ArcKind.BORDER
        return list(net.crossings), [np.flatnonzero(border & (net.crossing == c)) for c in range(len(net.crossings))]
    if among == "countries":
        return list(net.countries), [
            np.flatnonzero((net.country == c) | (net.country_to == c)) for c in range(len(net.countries))
        ]
    ocean = set(tables["links"].filter(pl.col("ocean"))["id"].to_list())
    ferry = MODES.index("ferry")
    move = net.kind == ArcKind.MOVE
    names, arcs = [], []
    for number, name in enumerate(net.links):
        mine = np.flatnonzero((net.link == number) & move)
        if not mine.size or name in ocean or (among == "ferries" and net.mode[mine[0]] != ferry):
            continue
        names.append(name)
        arcs.append(mine)
    return names, arcs


@dataclass(frozen=True, eq=False)
class Trials:
    """A network on which closures are tried one after another, everything known shared."""

    laden: Laden
    names: list[str]
    closures: Closures


def trials_of(tables: Tables, *, year: int, settings: Settings, among: str) -> Trials:
    """Lay out tables to which a scenario was applied, for closures among some kind of thing."""
    laden = lay_out(tables, year=year, settings=settings)
    names, arcs = elements_of(laden.prepared.network, among, tables)
    return Trials(laden, names, Closures(laden.carriage, arcs))


def worst(
    tables: Tables,
    r: int,
    *,
    year: int,
    settings: Settings,
    among: str = "crossings",
    most_solves: int = 20_000,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Find the r worst closures, and rank each single one.

    Parameters
    ----------
    tables
        Tables to which a scenario was applied.
    r
        Number of closures.
    year, settings
        Year and size.
    among
        One of `AMONG`.
    most_solves
        Problems after which to give up.
    progress
        Called with problems solved.

    Returns
    -------
    dict
        ``base_cost_usd_yr``; ``worst``: for each size up to r the rise of cost, every minimal set that reaches it and
        what it loses in tonnes; ``ranking``: every single element by the rise of cost when it alone is closed.
    """
    ground = trials_of(tables, year=year, settings=settings, among=among)
    closures, names = ground.closures, ground.names
    solved = 0

    def evaluate(closed: frozenset[int]) -> resilience.Closed:
        nonlocal solved
        solved += 1
        if progress is not None:
            progress(solved, 0, f"closures among {among}")
        return closures.evaluate(closed)

    known: dict[frozenset[int], resilience.Closed] = {}

    def once(closed: frozenset[int]) -> resilience.Closed:
        if closed not in known:
            known[closed] = evaluate(closed)
        return known[closed]

    base = once(frozenset())
    base_tonnes = float(closures.solve().tonnes_yr.sum())
    used = sorted(base.loss)
    ranking: list[dict[str, Any]] = []
    flow = closures.flow(closures.solve())
    for e in used:
        rise = once(frozenset({e})).cost - base.cost
        ranking.append({"id": names[e], "rise_usd_yr": rise, "tonnes_yr": float(flow[e])})
    ranking.sort(key=lambda row: (-row["rise_usd_yr"], row["id"]))
    sizes = []
    for size in range(1, r + 1):
        found = resilience.worst_closures(once, size, most_solves=most_solves)
        sets = []
        for chosen in found.minimal:
            lost = base_tonnes - float(closures.solve(frozenset(chosen)).tonnes_yr.sum())
            sets.append({"closed": [names[e] for e in chosen], "lost_land_tonnes_yr": lost})
        sizes.append(
            {
                "r": size,
                "rise_usd_yr": found.cost - found.base,
                "sets": sets,
                "problems_solved": found.solved,
                "given_up_by_the_bound": found.pruned,
            }
        )
    return {
        "among": among,
        "principle": PRINCIPLE,
        "base_cost_usd_yr": base.cost,
        "land_tonnes_yr": base_tonnes,
        "elements": len(names),
        "used": len(used),
        "without_outside_option_tonnes_yr": ground.laden.without_outside_tonnes_yr,
        "worst": sizes,
        "ranking": ranking,
    }
