"""Links that may be built, as CSV: where, how large, how quick, at what cost."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
import numpy.typing as npt

from landbridge.data.formats.records import NetworkFile
from landbridge.errors import DataError, Fault

__all__ = ["CandidatesFile", "read_candidates", "with_candidates"]

F8 = npt.NDArray[np.float64]

# Columns by the names that such files use.
NAMES = {
    "from": ("from", "init_node", "from_node", "tail"),
    "to": ("to", "term_node", "to_node", "head"),
    "capacity": ("capacity",),
    "free_flow_time": ("free_flow_time", "fft"),
    "cost": ("cost",),
    "b": ("b",),
    "power": ("power",),
    "length": ("length",),
    "toll": ("toll",),
}
#: What stands in for columns that may be left out: the curve of the Bureau of Public Roads, no length, no toll.
DEFAULTS = {"b": 0.15, "power": 4.0, "length": 0.0, "toll": 0.0}
# Numbers that must be above zero; the others must not be below it.
POSITIVE = ("capacity",)


@dataclass(frozen=True, eq=False)
class CandidatesFile:
    """Candidates in the units of the network's file.

    Parameters
    ----------
    source
        File.
    name
        ``from-to`` of each, in the network's names.
    tail, head
        Nodes of the network.
    cost
        Of each.
    values
        Capacity, free_flow_time, b, power, length and toll of each, by name.
    """

    source: str
    name: tuple[str, ...]
    tail: npt.NDArray[np.int32]
    head: npt.NDArray[np.int32]
    cost: F8
    values: dict[str, F8]


def read_candidates(path: Path, network: NetworkFile) -> CandidatesFile:
    """Read candidates.

    Parameters
    ----------
    path
        CSV with the columns from, to, capacity, free_flow_time (or fft) and cost; b, power, length and toll may be
        left out. The names of TNTP (init_node, term_node) do as well.
    network
        Whose nodes they join.

    Returns
    -------
    CandidatesFile

    Raises
    ------
    DataError
        With all faults of the file.
    """
    name = path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        got = getattr(error, "strerror", None) or str(error)
        raise DataError(str(path), [Fault(name, "", "", "a CSV file that can be read", got)]) from None
    rows = [row for row in csv.reader(text.splitlines()) if any(field.strip() for field in row)]
    head = [field.strip().casefold() for field in rows[0]] if rows else []
    column = {key: [head.index(n) for n in names if n in head] for key, names in NAMES.items()}
    faults = [
        Fault(f"{name}:1", "", key, "one column of this name", "none" if not found else "several")
        for key, found in column.items()
        if len(found) > 1 or (not found and key not in DEFAULTS)
    ]
    known = {n for names in NAMES.values() for n in names}
    faults += [Fault(f"{name}:1", "", n, "a column that is known", "another") for n in head if n not in known]
    if faults:
        raise DataError(str(path), faults)
    node = {str(n): i for i, n in enumerate(network.node_name)}
    ends: list[tuple[int, int]] = []
    numbers: dict[str, list[float]] = {key: [] for key in NAMES if key not in ("from", "to")}
    for number, row in enumerate(rows[1:], start=2):
        where = f"{name}:{number}"
        if len(row) != len(head):
            faults.append(Fault(where, "", "", f"{len(head)} fields", str(len(row))))
            continue
        two = [row[column[key][0]].strip() for key in ("from", "to")]
        for key, end in zip(("from", "to"), two, strict=True):
            if end not in node:
                faults.append(Fault(where, "", key, f"a node of {network.source}", repr(end)))
        if two[0] == two[1]:
            faults.append(Fault(where, "", "to", "another node", repr(two[1])))
        ends.append((node.get(two[0], -1), node.get(two[1], -1)))
        for key, listed in numbers.items():
            told = row[column[key][0]].strip() if column[key] else str(DEFAULTS[key])
            value = _number(told)
            if value is None or value < 0.0 or (value == 0.0 and key in POSITIVE):
                wanted = "a number above 0" if key in POSITIVE else "a number of at least 0"
                faults.append(Fault(where, "", key, wanted, repr(told)))
            listed.append(value or 0.0)
    if not faults and not ends:
        faults.append(Fault(name, "", "", "at least one candidate", "none"))
    if faults:
        raise DataError(str(path), faults)
    tail, tip = (np.array(side, np.int32) for side in zip(*ends, strict=True))
    names = tuple(f"{network.node_name[a]}-{network.node_name[b]}" for a, b in ends)
    told_values = {key: np.array(listed) for key, listed in numbers.items()}
    return CandidatesFile(name, names, tail, tip, told_values.pop("cost"), told_values)


def with_candidates(network: NetworkFile, candidates: CandidatesFile) -> NetworkFile:
    """Return a network with all candidates as links, behind its own.

    Parameters
    ----------
    network
        As read.
    candidates
        Read for it.

    Returns
    -------
    NetworkFile
    """
    values = candidates.values
    return NetworkFile(
        source=network.source,
        node_name=network.node_name,
        zone_name=network.zone_name,
        link_name=(*network.link_name, *(f"candidate {name}" for name in candidates.name)),
        node_x=network.node_x,
        node_y=network.node_y,
        zone_node=network.zone_node,
        first_thru_node=network.first_thru_node,
        tail=np.concatenate([network.tail, candidates.tail]),
        head=np.concatenate([network.head, candidates.head]),
        free_flow_time=np.concatenate([network.free_flow_time, values["free_flow_time"]]),
        capacity=np.concatenate([network.capacity, values["capacity"]]),
        b=np.concatenate([network.b, values["b"]]),
        power=np.concatenate([network.power, values["power"]]),
        length=np.concatenate([network.length, values["length"]]),
        toll=np.concatenate([network.toll, values["toll"]]),
        toll_factor=network.toll_factor,
        distance_factor=network.distance_factor,
        changes=network.changes,
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None
