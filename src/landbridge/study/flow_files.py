"""Write the flows of an assigned network file into a folder, whole or not at all.

assignment.json    the summary
links.csv          volume, time and cost of each link, in the units of the network file
convergence.csv    gap by round
unmet.csv          trips that no path, or no room, is there for
changes.csv        what was dropped, changed or set apart
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path

from landbridge.data.formats import NetworkFile
from landbridge.study.assign import Assignment
from landbridge.study.results import check_output, whole_folder

__all__ = ["MARKER", "check_flows_output", "write_flows"]

MARKER = "assignment.json"


def check_flows_output(folder: Path) -> None:
    """Make sure that flows can be put into a folder, before anything is computed.

    Parameters
    ----------
    folder
        Where they shall stand.

    Raises
    ------
    OutputError
        If the folder holds something else, or cannot be written.
    """
    check_output(folder, marker=MARKER)


def write_flows(folder: Path, network: NetworkFile, found: Assignment) -> None:
    """Write flows into a folder.

    Parameters
    ----------
    folder
        Where they shall stand; flows that are there are replaced.
    network
        The network as read.
    found
        Its flows.

    Raises
    ------
    OutputError
        If it cannot be written; what stood there stays.
    """
    nodes = network.node_name
    links = (
        (name, nodes[tail], nodes[head], volume, time, cost, capacity, volume / capacity)
        for name, tail, head, volume, time, cost, capacity in zip(
            network.link_name,
            network.tail.tolist(),
            network.head.tolist(),
            found.volume.tolist(),
            found.flows.time_h.tolist(),
            found.cost.tolist(),
            network.capacity.tolist(),
            strict=True,
        )
    )
    record = found.flows.convergence
    rounds = (  # not every principle has an excess cost
        (number, *pair) for number, pair in enumerate(zip_longest(record.gap_history, record.excess_history_usd_t))
    )
    changes = ((c.where, c.row, c.field, c.action, c.reason) for c in found.changes)
    with whole_folder(folder, marker=MARKER) as draft:
        _write(draft / "links.csv", "link from_node to_node volume time cost capacity use".split(), links)
        _write(draft / "convergence.csv", "round relative_gap average_excess_cost".split(), rounds)
        _write(draft / "unmet.csv", "origin_zone destination_zone trips".split(), found.unmet_relations)
        _write(draft / "changes.csv", "file row field action reason".split(), changes)
        text = json.dumps(found.summary(), indent=2, allow_nan=False)
        (draft / MARKER).write_text(text + "\n", encoding="utf-8")


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows([_text(value) for value in row] for row in rows)


def _text(value: object) -> object:
    """Numbers so that they read back the same; nothing for what is not known and for what has no end."""
    return "" if isinstance(value, float) and not math.isfinite(value) else value
