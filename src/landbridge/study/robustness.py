"""How much each link, crossing, ferry or country matters to all: the network robustness index, on the atlas or a file.

    index = what all pay in the user equilibrium without it, less what all pay with it (time and money; on the atlas
            outside options too, and empty boxes left out)

On the atlas those that carry the most are taken in turn; on a network file every link can be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from landbridge.data.formats import NetworkFile
from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, UnknownName
from landbridge.model import flows, resilience
from landbridge.study import assign
from landbridge.study.solve import Settings, assignable, prepare
from landbridge.study.worst import elements_of

__all__ = ["IN_FILES", "of_atlas", "of_files"]

#: What can be taken in turn of a network file: links one way, or roads, which are all links between two nodes.
IN_FILES = ("links", "roads")
# What a network file says has no unit of money, weight or year.
PLAIN = {"tonnes_yr": "volume", "index_usd_yr": "index", "unserved_tonnes_yr": "unserved"}

Progress = Callable[[int, int, str], None]

PRINCIPLE = "user equilibrium"


def of_atlas(
    tables: Tables,
    most: int,
    *,
    year: int,
    settings: Settings,
    among: str = "crossings",
    cut: float = 1.0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Find the index of those things of a kind that carry the most.

    Parameters
    ----------
    tables
        Tables to which a scenario was applied.
    most
        How many.
    year, settings
        Year, size and gap.
    among
        One of `landbridge.study.worst.AMONG`.
    cut
        Share of the capacity that is taken; 1 = closed.
    progress
        Called with equilibria done, all, and what is being solved.

    Returns
    -------
    dict
        ``base_cost_usd_yr`` and ``rows``: ``id``, ``tonnes_yr`` (of its busiest arc), ``index_usd_yr``,
        ``unserved_tonnes_yr``, ``relative_gap``; the largest index first.

    Raises
    ------
    NotConverged
        If an equilibrium is not reached.
    """
    tell = progress or (lambda _done, _all, _text: None)
    prepared = prepare(tables, year=year, settings=settings)
    graph, delay, kinds, relations = assignable(prepared)
    names, arcs = elements_of(prepared.network, among, tables)
    tell(0, most + 1, "everything open")
    options: dict[str, Any] = {"gap": settings.gap, "max_iterations": settings.max_iterations}
    base = flows.assign(graph, delay, kinds, relations, **options)
    tonnes = base.arc_tonnes_yr.sum(axis=0)
    use = np.array([float(tonnes[own].max(initial=0.0)) for own in arcs])
    order = [int(e) for e in np.argsort(-use, kind="stable")[:most] if use[e] > 0.0]
    cost, found = resilience.robustness_index(
        graph, delay, kinds, relations, [arcs[e] for e in order], cut=cut, base=base, **options,
        progress=lambda done: tell(done + 1, len(order) + 1, f"{among} one after another"),
    )  # fmt: skip
    rows = [_row(names[e], use[e], one, cost) for e, one in zip(order, found, strict=True)]
    return {
        "network": "atlas",
        "among": among,
        "cut": cut,
        "principle": f"{PRINCIPLE}, outside options at their price",
        "unit": "USD a year",
        "elements": len(names),
        "used": int((use > 0.0).sum()),
        "base_cost_usd_yr": cost,
        "gap": settings.gap,
        "rows": sorted(rows, key=lambda row: (-row["index_usd_yr"], row["id"])),
    }


def of_files(
    network: Path,
    trips: Path | None,
    most: int,
    *,
    among: str = "links",
    cut: float = 1.0,
    gap: float = 1e-9,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Find the index of those links or roads of a TNTP or GMNS network that carry the most.

    Parameters
    ----------
    network, trips
        As for `landbridge.study.assign.read_files`.
    most
        How many.
    among
        One of `IN_FILES`.
    cut
        Share of the capacity that is taken; 1 = closed.
    gap
        Relative gap of the equilibria.
    progress
        As for `of_atlas`.

    Returns
    -------
    dict
        As of `of_atlas`, in the file's units of time and trips: ``base_cost``, and by row ``index``, ``volume`` (of a
        road both ways together) and ``unserved``; ``id`` is the link's name there, of a road its links' names, with
        its ends.

    Raises
    ------
    LandbridgeError, DataError
        If the files do not make a network.
    NotConverged
        If an equilibrium is not reached.
    """
    if among not in IN_FILES:
        raise UnknownName("kind", among, IN_FILES)
    tell = progress or (lambda _done, _all, _text: None)
    net, demand = assign.read_files(network, trips)
    inputs = assign.prepare(net, demand)
    given = inputs.graph, inputs.delay, inputs.classes, inputs.relations
    tell(0, most + 1, "everything open")
    base = flows.assign(*given, gap=gap, max_iterations=2000)
    groups: dict[Any, list[int]] = {}
    for e, ends in enumerate(zip(net.tail.tolist(), net.head.tolist(), strict=True)):
        groups.setdefault(e if among == "links" else tuple(sorted(ends)), []).append(e)
    arcs = list(groups.values())
    volume = base.arc_tonnes_yr.sum(axis=0)
    use = np.array([float(volume[own].sum()) for own in arcs])
    order = [int(e) for e in np.argsort(-use, kind="stable")[:most] if use[e] > 0.0]
    if not order:
        raise LandbridgeError(f"{network}: no link is used, so none can matter")
    cost, found = resilience.robustness_index(
        *given, [arcs[e] for e in order], cut=cut, base=base, gap=gap,
        progress=lambda done: tell(done + 1, len(order) + 1, f"{among} one after another"),
    )  # fmt: skip
    rows = [
        {
            **{PLAIN.get(k, k): v for k, v in _row(_called(net, arcs[e]), float(use[e]), one, cost).items()},
            "from": net.node_name[net.tail[arcs[e][0]]],
            "to": net.node_name[net.head[arcs[e][0]]],
        }
        for e, one in zip(order, found, strict=True)
    ]
    return {
        "network": str(network),
        "among": among,
        "cut": cut,
        "principle": PRINCIPLE,
        "unit": "the file's units of time, times trips",
        "elements": len(arcs),
        "used": int((use > 0.0).sum()),
        "base_cost": cost,
        "gap": gap,
        "rows": sorted(rows, key=lambda row: (-row["index"], row["id"])),
    }


def _called(net: NetworkFile, links: Sequence[int]) -> str:
    return ", ".join(str(net.link_name[e]) for e in links)


def _row(name: str, use: float, found: resilience.Robustness, base: float) -> dict[str, Any]:
    return {
        "id": name,
        "tonnes_yr": use,
        "index_usd_yr": found.index,
        "index_percent": 100.0 * found.index / base if base else None,
        "unserved_tonnes_yr": found.unserved_tonnes_yr,
        "relative_gap": found.relative_gap,
    }
