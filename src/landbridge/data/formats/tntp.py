"""Read TNTP text: networks, trip tables and flows of the Transportation Networks collection.

A file begins with lines ``<KEY> value`` up to ``<END OF METADATA>``; ``~`` begins a comment and ``;`` ends a row.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from landbridge.data.formats.records import (
    Change,
    Faults,
    FlowFile,
    NetworkFile,
    TripsFile,
    gather,
    number,
    raise_faults,
    whole,
)
from landbridge.errors import DataError, Fault

__all__ = ["read_tntp_flows", "read_tntp_network", "read_tntp_trips"]

FIELDS = ("init_node", "term_node", "capacity", "length", "free_flow_time", "b", "power", "speed", "toll", "link_type")
NEEDED = 7  # speed is not used; toll and type are often left out
END = "END OF METADATA"
_KEY = re.compile(r"\s*<([^>]*)>\s*(.*)")
_ORIGIN = re.compile(r"\s*origin\s+(\S+)\s*(.*)", re.IGNORECASE)

# A total may differ from the sum of rounded cells by this share before it is worth a word.
SUM_TOLERANCE = 1e-6


def read_tntp_network(path: Path, *, parallel: Literal["keep", "first"] = "keep") -> NetworkFile:
    """Read a network.

    Parameters
    ----------
    path
        A ``*_net.tntp`` file.
    parallel
        Whether to keep links that join the same nodes as an earlier one. Programs that know a link by its two nodes
        keep the first only; their results are comparable with ``first``.

    Returns
    -------
    NetworkFile
        Links that lead from a node to itself are dropped. A link with capacity zero whose
        time does not depend on volume (``b`` or time zero) is read as never full.

    Raises
    ------
    DataError
        All faults of the file, each with its line.
    """
    lines = _lines(path)
    name = path.name
    faults = Faults(name)
    changes: list[Change] = []
    keys, begin = _metadata(lines, faults)
    zones = _count(keys, "NUMBER OF ZONES", faults)
    nodes = _count(keys, "NUMBER OF NODES", faults)
    first_thru = 1
    if "FIRST THRU NODE" in keys:
        first_thru = _count(keys, "FIRST THRU NODE", faults) or 1
    else:
        changes.append(Change(name, "", "FIRST THRU NODE", "changed", "not told; trips may pass through all nodes"))
    if zones is not None and nodes is not None and zones > nodes:
        faults.add(keys["NUMBER OF ZONES"][0], "NUMBER OF ZONES", f"at most {nodes}, the number of nodes", zones)
    factors = [_factor(keys, key, faults) for key in ("TOLL FACTOR", "DISTANCE FACTOR")]

    rows: list[list[float]] = []
    names: list[str] = []
    joined: set[tuple[float, float]] = set()
    told = 0
    for row, text in _body(lines, begin):
        told += 1
        cells = text.replace(";", " ").split()
        if len(cells) < NEEDED or len(cells) > len(FIELDS):
            faults.add(row, "", f"{NEEDED} to {len(FIELDS)} fields", len(cells))
            continue
        values = _link(cells, row, nodes, faults)
        if values is None:
            continue
        if len(cells) < 9:
            changes.append(Change(name, row, "toll", "changed", "not told; read as 0"))
        if values[0] == values[1]:
            changes.append(Change(name, row, "", "dropped", f"leads from node {cells[0]} to itself"))
            continue
        if parallel == "first" and (values[0], values[1]) in joined:
            changes.append(Change(name, row, "", "dropped", f"another link from node {cells[0]} to node {cells[1]}"))
            continue
        joined.add((values[0], values[1]))
        if values[2] == 0.0:
            if values[4] * values[5] * values[6] > 0.0:
                faults.add(row, "capacity", "a number > 0, since the time depends on volume", cells[2])
                continue
            values[2] = np.inf
            changes.append(Change(name, row, "capacity", "changed", "0 read as never full: the time is constant"))
        rows.append(values)
        names.append(str(told))
    links = _count(keys, "NUMBER OF LINKS", faults) if "NUMBER OF LINKS" in keys else None
    if links is not None and links != told:
        faults.add(keys["NUMBER OF LINKS"][0], "NUMBER OF LINKS", f"{told}, the rows that follow", links)
    raise_faults(f"TNTP network {name}", [faults])
    if zones is None or nodes is None:
        raise AssertionError("a missing count is a fault")
    table = np.array(rows, np.float64).reshape(len(rows), len(FIELDS))
    every = tuple(str(i + 1) for i in range(nodes))
    column = {field: np.ascontiguousarray(table[:, i]) for i, field in enumerate(FIELDS)}
    return NetworkFile(
        source=name,
        node_name=every,
        zone_name=every[:zones],
        link_name=tuple(names),
        node_x=np.full(nodes, np.nan),
        node_y=np.full(nodes, np.nan),
        zone_node=np.arange(zones, dtype=np.int32),
        first_thru_node=first_thru - 1,
        tail=column["init_node"].astype(np.int32) - 1,
        head=column["term_node"].astype(np.int32) - 1,
        free_flow_time=column["free_flow_time"],
        capacity=column["capacity"],
        b=column["b"],
        power=column["power"],
        length=column["length"],
        toll=column["toll"],
        toll_factor=factors[0],
        distance_factor=factors[1],
        changes=tuple(changes),
    )


def read_tntp_trips(path: Path) -> TripsFile:
    """Read a trip table.

    Parameters
    ----------
    path
        A ``*_trips.tntp`` file.

    Returns
    -------
    TripsFile
        Entries that stand twice are added up; zeros are left out.

    Raises
    ------
    DataError
        All faults of the file, each with its line.
    """
    lines = _lines(path)
    name = path.name
    faults = Faults(name)
    keys, begin = _metadata(lines, faults)
    zones = _count(keys, "NUMBER OF ZONES", faults)
    most = zones if zones is not None else np.iinfo(np.int32).max
    origins: list[int] = []
    destinations: list[int] = []
    trips: list[float] = []
    origin: int | None = None
    known = False  # whether an origin was named, if only a faulty one
    for row, text in _body(lines, begin):
        rest = text
        named = _ORIGIN.match(text)
        if named:
            origin, known = whole(named[1].rstrip(";")), True
            if origin is None or not 1 <= origin <= most:
                faults.add(row, "origin", f"a zone from 1 to {most}", named[1])
                origin = None
            rest = named[2]
        if not known and rest.strip(" \t;"):
            faults.add(row, "origin", "`Origin` before the first entry", rest.strip())
            known = True
        for entry in rest.split(";"):
            if not entry or entry.isspace():
                continue
            left, colon, right = entry.partition(":")
            destination, volume = whole(left), number(right)
            if not colon or destination is None or volume is None:
                faults.add(row, "", "`destination : trips`", entry.strip())
            elif not 1 <= destination <= most:
                faults.add(row, "destination", f"a zone from 1 to {most}", destination)
            elif volume < 0.0:
                faults.add(row, "volume", "trips >= 0", right.strip())
            elif origin is not None:
                origins.append(origin - 1)
                destinations.append(destination - 1)
                trips.append(volume)
    total = _total(keys, faults)
    raise_faults(f"TNTP trips {name}", [faults])
    if zones is None:
        raise AssertionError("a missing count is a fault")
    begins, ends, volumes, changes = gather(origins, destinations, trips, name, tuple(str(i + 1) for i in range(zones)))
    found = float(volumes.sum())
    if total is not None and abs(found - total) > SUM_TOLERANCE * max(total, found):
        reason = f"{total!r} is not the sum of the entries, {found!r}, which is used"
        changes.append(Change(name, keys["TOTAL OD FLOW"][0], "TOTAL OD FLOW", "changed", reason))
    return TripsFile(name, zones, begins, ends, volumes, tuple(changes))


def read_tntp_flows(path: Path, network: NetworkFile) -> FlowFile:
    """Read link flows and put them in the order of a network's links.

    Parameters
    ----------
    path
        A ``*_flow.tntp`` file: from, to, volume and, where known, cost.
    network
        The network of the flows, also from TNTP. Rows of parallel links are taken in the order of the links.

    Returns
    -------
    FlowFile

    Raises
    ------
    DataError
        All faults, among them rows without a link and links without a row.
    """
    name = path.name
    lines = _lines(path)
    begin = max((i + 1 for i, line in enumerate(lines) if f"<{END}>" in line), default=0)
    faults = Faults(name)
    waiting: dict[tuple[str, str], list[int]] = defaultdict(list)
    for link in reversed(range(network.tail.size)):
        waiting[network.node_name[network.tail[link]], network.node_name[network.head[link]]].append(link)
    volume = np.full(network.tail.size, np.nan)
    cost = np.full(network.tail.size, np.nan)
    heading = True
    for row, text in _body(lines, begin):
        cells = text.replace(":", " ").replace(";", " ").split()
        values = [number(cell) for cell in cells[:4]]
        first, heading = heading, False
        if first and cells and not any(value is not None for value in values):
            continue  # names of the columns
        if not 3 <= len(cells) <= 4 or any(value is None for value in values):
            faults.add(row, "", "numbers: from, to, volume, cost", text.strip())
            continue
        ends = (str(whole(cells[0])), str(whole(cells[1])))
        if not waiting[ends]:
            faults.add(row, "", f"a link of {network.source} that is not yet told of", " to ".join(ends))
            continue
        link = waiting[ends].pop()
        volume[link] = float(cells[2])
        if len(cells) > 3:
            cost[link] = float(cells[3])
    for link in np.flatnonzero(np.isnan(volume)).tolist():
        ends = (network.node_name[network.tail[link]], network.node_name[network.head[link]])
        faults.add(f"link {network.link_name[link]}", "volume", "a row for each link", "none for " + " to ".join(ends))
    raise_faults(f"TNTP flows {name}", [faults])
    return FlowFile(name, volume, cost)


def _lines(path: Path) -> list[str]:
    try:
        # Comments are now and then in another encoding; a number that suffers is told as a fault of its row.
        return path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError("TNTP", [Fault(str(path), "", "", "a file that can be read", reason)]) from error


def _metadata(lines: list[str], faults: Faults) -> tuple[dict[str, tuple[str, str]], int]:
    """Line and value of each key, and where the rows begin."""
    keys: dict[str, tuple[str, str]] = {}
    for i, line in enumerate(lines):
        found = _KEY.match(line)
        if not found:
            continue
        key = " ".join(found[1].upper().split())
        if key == END:
            return keys, i + 1
        keys[key] = (f"line {i + 1}", found[2].split("~")[0].strip().rstrip(";").strip())
    faults.add("", "", f"a line <{END}>", "none")
    return keys, len(lines)


def _count(keys: dict[str, tuple[str, str]], key: str, faults: Faults) -> int | None:
    row, text = keys.get(key, ("", ""))
    value = whole(text)
    if value is None or value < 1:
        faults.add(row, key, "a whole number >= 1", text or "nothing")
        return None
    return value


def _factor(keys: dict[str, tuple[str, str]], key: str, faults: Faults) -> float:
    if key not in keys:
        return 0.0
    row, text = keys[key]
    value = number(text)
    if value is None or value < 0.0:
        faults.add(row, key, "a number >= 0", text or "nothing")
        return 0.0
    return value


def _total(keys: dict[str, tuple[str, str]], faults: Faults) -> float | None:
    if "TOTAL OD FLOW" not in keys:
        return None
    row, text = keys["TOTAL OD FLOW"]
    value = number(text)
    if value is None:
        faults.add(row, "TOTAL OD FLOW", "a number", text or "nothing")
    return value


def _body(lines: list[str], begin: int) -> Iterator[tuple[str, str]]:
    """Rows without comments and blank lines, each with its line."""
    for i in range(begin, len(lines)):
        text = lines[i].split("~")[0]
        if text.strip(" \t;"):
            yield f"line {i + 1}", text


def _link(cells: list[str], row: str, nodes: int | None, faults: Faults) -> list[float] | None:
    """Numbers of a row of the network; None if any is wrong."""
    before = len(faults)
    values = [0.0] * len(FIELDS)
    for i, cell in enumerate(cells):
        field = FIELDS[i]
        if i < 2:
            node = whole(cell)
            if node is None or node < 1 or (nodes is not None and node > nodes):
                faults.add(row, field, f"a node from 1 to {nodes or 'the number of nodes'}", cell)
            else:
                values[i] = node
            continue
        if field in ("speed", "link_type"):
            continue
        value = number(cell)
        if value is None:
            faults.add(row, field, "a number", cell)
        elif (
            value < 0.0 and field != "toll"
        ):  # a negative toll is a subsidy; whether it is too large depends on factors
            faults.add(row, field, "a number >= 0", cell)
        else:
            values[i] = value
    return values if len(faults) == before else None
