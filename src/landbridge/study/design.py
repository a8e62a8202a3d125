"""Which links of a network file to build: files to the engine's arrays and back."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from landbridge.data.formats import read_tntp_network, read_tntp_trips
from landbridge.data.formats.candidates_csv import read_candidates, with_candidates
from landbridge.errors import LandbridgeError
from landbridge.model import portfolio
from landbridge.study.assign import prepare

__all__ = ["design_files"]


def design_files(
    network: Path,
    trips: Path,
    candidates: Path,
    *,
    budget: float,
    seconds: float = float("inf"),
    demand: float = 1.0,
) -> dict[str, Any]:
    """Solve a discrete network design problem from files.

    Parameters
    ----------
    network, trips
        TNTP files.
    candidates
        CSV of links that may be built.
    budget
        What they may cost together.
    seconds
        CPU time after which the best design so far is returned, with its bound.
    demand
        Factor on all trips.

    Returns
    -------
    dict
        ``built`` (pairs of nodes), ``total_travel_time`` (of the equilibrium), ``lower_bound``, ``gap``, ``proved``,
        ``cost``, ``budget``, ``without`` and ``all_built`` (totals with none and with all), ``second_best``, effort.

    Raises
    ------
    DataError
        If a file is faulty.
    LandbridgeError
        If budget or demand make no sense, or trips find no way.
    """
    if not budget >= 0.0:
        raise LandbridgeError(f"budget: wanted a number of at least 0, got {budget:g}")
    if not 0.0 < demand < float("inf"):
        raise LandbridgeError(f"demand: wanted a number above 0, got {demand:g}")
    bare = read_tntp_network(network)
    wanted = read_tntp_trips(trips)
    offered = read_candidates(candidates, bare)
    prepared = prepare(with_candidates(bare, offered), wanted)
    relations = prepared.relations
    relations = replace(relations, tonnes_yr=relations.tonnes_yr * demand)
    base = len(bare.link_name)
    begin = time.process_time()
    found = portfolio.design(
        prepared.graph,
        prepared.delay,
        prepared.classes,
        relations,
        range(base, base + len(offered.name)),
        offered.cost,
        budget,
        stop=lambda: time.process_time() - begin > seconds,
    )
    selection = found.selection

    def named(chosen: frozenset[int] | None) -> list[list[str]] | None:
        if chosen is None:
            return None
        nodes = bare.node_name
        return [[nodes[offered.tail[i]], nodes[offered.head[i]]] for i in sorted(chosen)]

    return {
        "status": "proved" if selection.proved else "stopped",
        "proved": selection.proved,
        "built": named(selection.chosen),
        "total_travel_time": selection.value,
        "lower_bound": selection.bound,
        "gap": selection.gap,
        "cost": float(np.sum(offered.cost[sorted(selection.chosen)])),
        "budget": budget,
        "without": found.without,
        "all_built": found.everything,
        "second_best": {"built": named(selection.second), "total_travel_time": selection.second_value},
        "candidates": len(offered.name),
        "nodes": selection.nodes,
        "equilibria": selection.values,
        "optima": selection.relaxations,
        "seconds_cpu": time.process_time() - begin,
    }
