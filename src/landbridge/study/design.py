"""Which links of a network file to build: files to the engine's arrays and back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from landbridge.data.formats import read_tntp_network, read_tntp_trips
from landbridge.data.formats.candidates_csv import read_candidates, with_candidates
from landbridge.data.formats.records import NetworkFile, TripsFile
from landbridge.errors import LandbridgeError
from landbridge.model import portfolio
from landbridge.study.assign import prepare

__all__ = ["design_files"]

# CPU seconds after which the user is told that code is being compiled: ready code takes a third of them.
PATIENCE_S = 1.5


def design_files(
    network: Path,
    trips: Path,
    candidates: Path,
    *,
    budget: float,
    seconds: float = float("inf"),
    demand: float = 1.0,
    tell: Callable[[str], None] | None = None,
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
    tell
        Called once where code must be compiled first.

    Returns
    -------
    dict
        ``built`` (pairs of nodes), ``total_travel_time`` (of the equilibrium), ``lower_bound``, ``gap``, ``proved``,
        ``cost``, ``budget``, ``without`` and ``all_built`` (totals with none and with all), ``second_best``, effort:
        ``seconds_cpu`` of the search, and apart from it ``seconds_cpu_compiling``, spent before it on code that was not
        compiled yet (about half a minute on a new installation, then next to nothing).

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
    with _told_when_long(tell):
        compiling = _compile()
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
        "seconds_cpu_compiling": compiling,
    }


@contextmanager
def _told_when_long(tell: Callable[[str], None] | None) -> Iterator[None]:
    """Say what is going on where it takes longer than ready code does."""
    begin, done = time.process_time(), threading.Event()

    def watch(say: Callable[[str], None]) -> None:
        while not done.wait(0.1):
            if time.process_time() - begin > PATIENCE_S:
                say("compiling the search, once on this installation: about half a minute of computing")
                return

    if tell is None:
        yield
        return
    watcher = threading.Thread(target=watch, args=(tell,), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _compile() -> float:
    """Solve the least of all designs, so that the code of the search is there; returns its CPU seconds.

    ::

        1 --- 2 --- 3    every road both ways; 1-3 may be built, and 3 trips go either way between 1 and 3
        `...........'
    """
    begin = time.process_time()
    names = ("1", "2", "3")
    tail, head = np.array([0, 1, 1, 2, 0], np.int32), np.array([1, 0, 2, 1, 2], np.int32)
    one, none, place = np.ones(tail.size), np.zeros(tail.size), np.zeros(len(names))
    bare = NetworkFile(
        "", names, names, tuple(map(str, range(tail.size))), place, place, np.arange(3, dtype=np.int32), 0, tail, head,
        one, one, 0.15 * one, 4.0 * one, none, none, 0.0, 0.0, (),
    )  # fmt: skip
    trips = TripsFile("", 3, np.array([0, 2], np.int32), np.array([2, 0], np.int32), np.array([3.0, 3.0]), ())
    prepared = prepare(bare, trips)
    portfolio.design(prepared.graph, prepared.delay, prepared.classes, prepared.relations, range(4, 5), [1.0], 1.0)
    return time.process_time() - begin
