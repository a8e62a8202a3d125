"""Read and write GMNS networks (General Modeling Network Specification, checked against 0.96 and 0.97).

The specification has no field for the shape of a volume-delay curve nor for trips. The names that programs around it
have agreed on are read, in any case: ``vdf_fftt`` (minutes), ``vdf_alpha``, ``vdf_beta``, with or without a period's
number, and ``demand.csv`` with ``o_zone_id``, ``d_zone_id``, ``volume``. Times are in minutes throughout.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from landbridge.data.formats.records import (
    Change,
    Faults,
    NetworkFile,
    TripsFile,
    gather,
    number,
    raise_faults,
)
from landbridge.errors import OutputError

__all__ = ["read_gmns", "read_gmns_trips", "write_gmns"]

VERSION = "0.97"
MISSING = ("", "nan")
TRUE, FALSE = ("true", "1", "t", "yes"), ("false", "0", "f", "no")
CENTROID = "centroid"  # node_type of nodes that no trip passes through

# Names under which programs keep what the specification leaves open; the first that is there counts.
TIME = ("vdf_fftt", "vdf_fftt1", "free_flow_time", "fftt")
ALPHA = ("vdf_alpha", "vdf_alpha1", "bpr_alpha", "alpha")
BETA = ("vdf_beta", "vdf_beta1", "bpr_beta", "beta")
TOLL = ("toll", "vdf_toll", "vdf_toll1")
ORIGIN = ("o_zone_id", "origin_zone_id", "from_zone_id", "origin")
DESTINATION = ("d_zone_id", "destination_zone_id", "to_zone_id", "destination")
VOLUME = ("volume", "demand", "trips")

# Cells shorter than this are kept once however often they stand in a file.
SHORT = 7

# The curve of the Bureau of Public Roads, for files that tell none.
BPR_B, BPR_POWER = 0.15, 4.0

KM = {
    "km": 1.0, "kilometer": 1.0, "kilometre": 1.0, "kilometers": 1.0, "kilometres": 1.0,
    "mi": 1.609344, "mile": 1.609344, "miles": 1.609344,
    "m": 1e-3, "meter": 1e-3, "metre": 1e-3, "meters": 1e-3, "metres": 1e-3,
    "ft": 3.048e-4, "foot": 3.048e-4, "feet": 3.048e-4,
}  # fmt: skip
KM_H = {
    "kmh": 1.0, "kph": 1.0, "kmph": 1.0, "km/h": 1.0, "km/hr": 1.0, "mph": 1.609344, "mi/h": 1.609344,
    "m/s": 3.6, "mps": 3.6, "ft/s": 1.09728, "fps": 1.09728,
}  # fmt: skip

# Parts of the specification that would change an assignment and that this reader has no place for.
UNUSED = {
    "movement.csv": "turns are not restricted",
    "link_tod.csv": "links are open at all times",
    "segment.csv": "links are the same along their length",
    "segment_tod.csv": "links are the same along their length",
    "lane_tod.csv": "lanes are open at all times",
}


class _Rows(Sequence[tuple[str, dict[str, str]]]):
    """Rows by line, each made when it is asked for: as records, a million of them would take gigabytes."""

    def __init__(self, columns: Sequence[str], cells: Sequence[tuple[int, list[str]]]) -> None:
        self._columns = columns
        self._cells = cells

    def __len__(self) -> int:
        return len(self._cells)

    @overload
    def __getitem__(self, index: int) -> tuple[str, dict[str, str]]: ...

    @overload
    def __getitem__(self, index: slice) -> _Rows: ...

    def __getitem__(self, index: int | slice) -> tuple[str, dict[str, str]] | _Rows:
        if isinstance(index, slice):
            return _Rows(self._columns, self._cells[index])
        line, cells = self._cells[index]
        return f"line {line}", dict(zip(self._columns, cells, strict=True))


@dataclass(frozen=True)
class _Table:
    """A CSV file as text: columns in lower case, rows by line."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, dict[str, str]]]

    def first(self, names: Sequence[str]) -> str | None:
        """The first of some columns that is there."""
        return next((name for name in names if name in self.columns), None)


def read_gmns(folder: Path, *, use: str | None = None) -> NetworkFile:
    """Read a network.

    Parameters
    ----------
    folder
        Holds ``node.csv`` and ``link.csv``, and may hold ``config.csv``.
    use
        Keep links whose ``allowed_uses`` name this use (or are empty); the default keeps all.

    Returns
    -------
    NetworkFile
        Capacity is that of all lanes. A link that is not directed becomes two. Free-flow times in minutes come from
        ``vdf_fftt`` or from length and ``free_speed``. A node with a ``zone_id`` is where the zone's trips begin and
        end; a zone of several nodes is given its ``centroid`` node, or a new one with connectors that take no time. No
        trip passes through a node of ``node_type`` centroid. Nodes are ordered centroids first.

    Raises
    ------
    DataError
        All faults of all files, each with its line.
    """
    node_faults, link_faults, config_faults = Faults("node.csv"), Faults("link.csv"), Faults("config.csv")
    changes = [Change(name, "", "", "dropped", why) for name, why in UNUSED.items() if (folder / name).exists()]
    nodes = _read(folder / "node.csv", ("node_id",), node_faults)
    links = _read(folder / "link.csv", ("link_id", "from_node_id", "to_node_id"), link_faults)
    config: dict[str, str] = {}
    if (folder / "config.csv").exists():
        table = _read(folder / "config.csv", (), config_faults)
        if len(table.rows) == 1:
            config = table.rows[0][1]
        else:
            config_faults.add("", "", "one row", len(table.rows))
    draft = _Draft()
    _take_nodes(nodes, node_faults, changes, draft)
    _take_links(links, _speeds(config, config_faults, links, changes), use, link_faults, changes, draft)
    factors = [_cell_number(config, name, config_faults, "line 2", 0.0) for name in ("toll_factor", "distance_factor")]
    raise_faults(f"GMNS network {folder.name}", [node_faults, link_faults, config_faults])
    return draft.finish(folder.name, changes, factors)


def read_gmns_trips(path: Path, network: NetworkFile) -> TripsFile:
    """Read trips in long form.

    Parameters
    ----------
    path
        A file like ``demand.csv``, with columns for origin zone, destination zone and volume.
    network
        The network whose zones the file names.

    Returns
    -------
    TripsFile
        Rows of the same relation are added up; zeros are left out.

    Raises
    ------
    DataError
        All faults of the file, each with its line.
    """
    faults = Faults(path.name)
    table = _read(path, (), faults)
    columns = []
    for names in (ORIGIN, DESTINATION, VOLUME):
        found = table.first(names)
        if found is None and table.columns:
            faults.add("line 1", "", "a column " + " or ".join(names), ", ".join(table.columns))
        columns.append(found or names[0])
    zone = {name: i for i, name in enumerate(network.zone_name)}
    origins: list[int] = []
    destinations: list[int] = []
    trips: list[float] = []
    for row, cell in table.rows if not len(faults) else ():
        ends = []
        for column in columns[:2]:
            name = _key(cell[column])
            if name not in zone:
                faults.add(row, column, f"a zone of {network.source}", cell[column] or "nothing")
            ends.append(zone.get(name, 0))
        volume = number(cell[columns[2]])
        if volume is None or volume < 0.0:
            faults.add(row, columns[2], "trips >= 0", cell[columns[2]] or "nothing")
        origins.append(ends[0])
        destinations.append(ends[1])
        trips.append(volume or 0.0)
    raise_faults(f"GMNS trips {path.name}", [faults])
    origin, destination, volumes, changes = gather(origins, destinations, trips, path.name, network.zone_name)
    return TripsFile(path.name, len(zone), origin, destination, volumes, tuple(changes))


def write_gmns(folder: Path, network: NetworkFile, trips: TripsFile | None = None) -> tuple[Change, ...]:
    """Write a network, and trips, so that reading them gives the same arrays.

    Parameters
    ----------
    folder
        Made if it is not there: ``node.csv``, ``link.csv``, ``config.csv``, and ``demand.csv`` with the trips.
    network
        Every link is written as directed, with one lane of its whole capacity.
    trips
        Trips between the network's zones.

    Returns
    -------
    tuple of Change
        What could not be written as it stood.

    Raises
    ------
    OutputError
        If a file cannot be written, or a node would stand for two zones.
    """
    if np.unique(network.zone_node).size < network.zone_node.size:
        raise OutputError("GMNS has room for one zone at a node; give zones nodes of their own")
    changes: list[Change] = []
    zone_at = {int(node): network.zone_name[i] for i, node in enumerate(network.zone_node)}
    blank = int(np.isnan(network.node_x).sum())
    if blank:
        changes.append(Change("node.csv", f"{blank} rows", "x_coord", "changed", "unknown; left empty"))
    never_full = int(np.isinf(network.capacity).sum())
    if never_full:
        changes.append(Change("link.csv", f"{never_full} rows", "capacity", "changed", "never full; left empty"))
    node_rows = [
        (
            name,
            _text(network.node_x[i]),
            _text(network.node_y[i]),
            CENTROID if i < network.first_thru_node else "",
            zone_at.get(i, ""),
        )
        for i, name in enumerate(network.node_name)
    ]
    link_rows = [
        (
            network.link_name[i],
            network.node_name[network.tail[i]],
            network.node_name[network.head[i]],
            "1",
            _text(network.length[i]),
            "1",
            _text(network.capacity[i]),
            _text(network.toll[i]),
            _text(network.free_flow_time[i]),
            _text(network.b[i]),
            _text(network.power[i]),
        )
        for i in range(network.tail.size)
    ]
    link_head = "link_id from_node_id to_node_id directed length lanes capacity toll vdf_fftt vdf_alpha vdf_beta"
    factors = (_text(network.toll_factor), _text(network.distance_factor))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "node.csv", "node_id x_coord y_coord node_type zone_id".split(), node_rows)
        _write(folder / "link.csv", link_head.split(), link_rows)
        config = [(network.source, VERSION, "string", *factors)]
        _write(folder / "config.csv", "dataset_name version_number id_type toll_factor distance_factor".split(), config)
        if trips is not None:
            names = network.zone_name
            rows = [
                (names[trips.origin[i]], names[trips.destination[i]], _text(trips.volume[i]))
                for i in range(trips.volume.size)
            ]
            _write(folder / "demand.csv", (ORIGIN[0], DESTINATION[0], VOLUME[0]), rows)
    except OSError as error:
        raise OutputError(f"GMNS files cannot be written to {folder}: {error.strerror}") from error
    return tuple(changes)


class _Draft:
    """Nodes, zones and links as they are found, before they are put in order."""

    def __init__(self) -> None:
        self.node: dict[str, int] = {}
        self.place: list[tuple[float, float]] = []
        self.centroid: list[bool] = []
        self.zone: dict[str, int] = {}  # zone: node
        self.link_name: list[str] = []
        self.ends: list[tuple[int, int]] = []
        self.values: list[tuple[float, ...]] = []  # free-flow time, capacity, b, power, length, toll

    def add_link(self, name: str, tail: int, head: int, values: tuple[float, ...]) -> None:
        """Add a one-way link."""
        self.link_name.append(name)
        self.ends.append((tail, head))
        self.values.append(values)

    def finish(self, source: str, changes: Sequence[Change], factors: Sequence[float]) -> NetworkFile:
        """Order nodes so that those which no trip passes through come first, and zones as their nodes."""
        order = np.argsort(~np.array(self.centroid, bool), kind="stable")
        rank = np.empty(order.size, np.int32)
        rank[order] = np.arange(order.size, dtype=np.int32)
        ends = rank[np.array(self.ends, np.int64).reshape(len(self.ends), 2)]
        values = np.array(self.values, np.float64).reshape(len(self.values), 6)
        names = tuple(self.node)
        zones = sorted(self.zone, key=lambda zone: int(rank[self.zone[zone]]))
        place = np.array(self.place, np.float64).reshape(order.size, 2)[order]
        column = [np.ascontiguousarray(values[:, i]) for i in range(6)]
        return NetworkFile(
            source=source,
            node_name=tuple(names[i] for i in order),
            zone_name=tuple(zones),
            link_name=tuple(self.link_name),
            node_x=np.ascontiguousarray(place[:, 0]),
            node_y=np.ascontiguousarray(place[:, 1]),
            zone_node=rank[np.array([self.zone[zone] for zone in zones], np.int64)],
            first_thru_node=int(sum(self.centroid)),
            tail=np.ascontiguousarray(ends[:, 0]),
            head=np.ascontiguousarray(ends[:, 1]),
            free_flow_time=column[0],
            capacity=column[1],
            b=column[2],
            power=column[3],
            length=column[4],
            toll=column[5],
            toll_factor=factors[0],
            distance_factor=factors[1],
            changes=tuple(changes),
        )


def _take_nodes(table: _Table, faults: Faults, changes: list[Change], draft: _Draft) -> None:
    """Nodes and the zones that they stand for."""
    missing = [name for name in ("x_coord", "y_coord") if name not in table.columns]
    if missing and table.columns:
        changes.append(Change(table.name, "", " and ".join(missing), "changed", "no such column; places are unknown"))
    members: dict[str, list[int]] = defaultdict(list)
    for row, cell in table.rows:
        name = _key(cell["node_id"])
        if not name:
            faults.add(row, "node_id", "a name", "nothing")
            continue
        if name in draft.node:
            faults.add(row, "node_id", "a name of its own", name)
            continue
        place = [_cell_number(cell, field, faults, row, np.nan, least=-np.inf) for field in ("x_coord", "y_coord")]
        if not missing and np.isnan(place).any():
            changes.append(Change(table.name, row, "x_coord, y_coord", "changed", f"node {name}: place unknown"))
        index = draft.node[name] = len(draft.node)
        draft.place.append((place[0], place[1]))
        draft.centroid.append(cell.get("node_type", "").strip().lower() == CENTROID)
        zone = _key(cell.get("zone_id", ""))
        if zone:
            members[zone].append(index)
    if not members and table.columns and not len(faults):
        faults.add("", "zone_id", "a zone at some node, where trips begin and end", "none")
    for zone, nodes in members.items():
        centres = [node for node in nodes if draft.centroid[node]]
        if len(nodes) == 1:
            draft.zone[zone] = nodes[0]
        elif len(centres) == 1:
            draft.zone[zone] = centres[0]
            reason = f"zone {zone}: trips begin and end at its centroid only"
            changes.append(Change(table.name, f"{len(nodes)} rows", "zone_id", "changed", reason))
        else:
            name = f"zone {zone}"
            while name in draft.node:
                name += "'"
            centre = draft.zone[zone] = draft.node[name] = len(draft.node)
            x, y = np.array([draft.place[node] for node in nodes]).mean(axis=0)
            draft.place.append((float(x), float(y)))
            draft.centroid.append(True)
            names = list(draft.node)
            for node in nodes:
                connector = (0.0, np.inf, 0.0, 0.0, 0.0, 0.0)
                draft.add_link(f"{name} to {names[node]}", centre, node, connector)
                draft.add_link(f"{names[node]} to {name}", node, centre, connector)
            reason = f"zone {zone}: a centroid with connectors that take no time to its {len(nodes)} nodes"
            changes.append(Change(table.name, f"{len(nodes)} rows", "zone_id", "added", reason))


def _take_links(
    table: _Table, minutes: float, use: str | None, faults: Faults, changes: list[Change], draft: _Draft
) -> None:
    """Links; `minutes` turns length over speed into minutes."""
    time, alpha, beta, toll = (table.first(names) for names in (TIME, ALPHA, BETA, TOLL))
    for found, wanted in ((alpha, ALPHA[0]), (beta, BETA[0])):
        if found is None and table.columns:
            default = BPR_B if wanted == ALPHA[0] else BPR_POWER
            changes.append(Change(table.name, "", wanted, "changed", f"no such column; all links take {default}"))
    if "directed" not in table.columns and table.columns:
        changes.append(Change(table.name, "", "directed", "changed", "no such column; all links are one-way"))
    known: set[str] = set()
    for row, cell in table.rows:
        before = len(faults)

        def told(
            field: str | None, otherwise: float, *, least: float = 0.0, row: str = row, cell: dict[str, str] = cell
        ) -> float:
            return otherwise if field is None else _cell_number(cell, field, faults, row, otherwise, least=least)

        name = _key(cell["link_id"])
        if not name or name in known:
            faults.add(row, "link_id", "a name of its own", name or "nothing")
        known.add(name)
        ends = []
        for field in ("from_node_id", "to_node_id"):
            node = _key(cell[field])
            if node not in draft.node:
                faults.add(row, field, "a node of node.csv", node or "nothing")
            ends.append(draft.node.get(node, -1))
        directed = cell.get("directed", "1").strip().lower()
        if directed not in TRUE + FALSE:
            faults.add(row, "directed", "true or false", directed or "nothing")
        lanes, capacity = told("lanes", 1.0), told("capacity", np.inf)
        length = told("length", 0.0)
        b, power = told(alpha, BPR_B), told(beta, BPR_POWER)
        _refuse_other_curves(cell, row, faults)
        free = told(time, np.nan)
        if np.isnan(free):
            speed = told("free_speed", np.nan)
            if np.isnan(speed) or _empty(cell, "length"):
                faults.add(row, TIME[0], "a time in minutes, or a length and a free_speed", "nothing")
            elif speed == 0.0:
                faults.add(row, "free_speed", "a number > 0", cell["free_speed"])
            else:
                free = minutes * length / speed
        price = told(toll, 0.0, least=-np.inf)
        if len(faults) > before:
            continue
        uses = {word.strip().lower() for word in cell.get("allowed_uses", "").replace(";", ",").split(",")} - {
            "",
            "all",
        }
        if ends[0] == ends[1]:
            changes.append(Change(table.name, row, "", "dropped", f"link {name} leads from a node to itself"))
            continue
        if use is not None and uses and use.lower() not in uses:
            reason = f"link {name} is for {', '.join(sorted(uses))}, not for {use}"
            changes.append(Change(table.name, row, "allowed_uses", "dropped", reason))
            continue
        if capacity == 0.0 or lanes == 0.0:
            changes.append(Change(table.name, row, "capacity", "dropped", f"link {name} has no room"))
            continue
        if np.isinf(capacity):
            changes.append(Change(table.name, row, "capacity", "changed", f"link {name}: not told; never full"))
        elif _empty(cell, "lanes"):
            changes.append(Change(table.name, row, "lanes", "changed", f"link {name}: not told; one lane"))
        for curve, value in ((alpha, b), (beta, power)):
            if curve is not None and _empty(cell, curve):
                changes.append(Change(table.name, row, curve, "changed", f"link {name}: not told; {value}"))
        values = (free, capacity * lanes, b, power, length, price)
        draft.add_link(name, ends[0], ends[1], values)
        if directed in FALSE:
            draft.add_link(f"{name} back", ends[1], ends[0], values)
            changes.append(Change(table.name, row, "directed", "changed", f"link {name}: two one-way links"))
    if use is None and any(not _empty(cell, "allowed_uses") for _, cell in table.rows):
        changes.append(Change(table.name, "", "allowed_uses", "dropped", "no use was asked for; links are open to all"))


def _refuse_other_curves(cell: dict[str, str], row: str, faults: Faults) -> None:
    """Curves and factors that would be left out in silence."""
    kind = cell.get("vdf_type", "").strip().lower()
    if kind not in (*MISSING, "0", "bpr"):
        faults.add(row, "vdf_type", "bpr (0)", kind)
    for field in ("vdf_plf", "vdf_plf1", "vdf_phf1"):
        factor = _cell_number(cell, field, faults, row, 1.0)
        if factor != 1.0:
            faults.add(row, field, "1: put a factor into the capacity", cell[field])


def _speeds(config: dict[str, str], faults: Faults, links: _Table, changes: list[Change]) -> float:
    """Minutes that one unit of length takes at one unit of speed."""
    words = {field: config.get(field, "").strip().lower() for field in ("long_length", "speed")}
    needed = "free_speed" in links.columns and links.first(TIME) is None
    if all(word in MISSING for word in words.values()):
        if needed:
            reason = "not told; speeds are lengths an hour"
            changes.append(Change("config.csv", "", "long_length and speed", "changed", reason))
        return 60.0
    rates = []
    for (field, word), known in zip(words.items(), (KM, KM_H), strict=True):
        rate = known.get(word)
        if rate is None and word.endswith((" per hour", "/hour")):
            rate = KM.get(word.removesuffix(" per hour").removesuffix("/hour"))
        if rate is None and needed:
            faults.add("line 2", field, "one of " + ", ".join(known), word or "nothing")
        rates.append(rate or 1.0)
    return 60.0 * rates[0] / rates[1]


def _cell_number(
    cell: dict[str, str], field: str, faults: Faults, row: str, otherwise: float, *, least: float = 0.0
) -> float:
    """A number in a cell; `otherwise` where it is empty."""
    if _empty(cell, field):
        return otherwise
    value = number(cell[field])
    if value is None or value < least:
        faults.add(row, field, "a number" if least == -np.inf else f"a number >= {least:g}", cell[field])
        return otherwise
    return value


def _empty(cell: dict[str, str], field: str) -> bool:
    return cell.get(field, "").strip().lower() in MISSING


def _key(text: str) -> str:
    """A name; whole numbers that a spreadsheet has turned into ``12.0`` are ``12`` again."""
    text = text.strip()
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def _read(path: Path, needed: Iterable[str], faults: Faults) -> _Table:
    """A table whose rows all have as many cells as there are columns."""
    same: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            head = [name.strip().lower() for name in next(reader, [])]
            rows = [
                (reader.line_num, [same.setdefault(cell, cell) if len(cell) < SHORT else cell for cell in cells])
                for cells in reader
                if any(cell.strip() for cell in cells)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        faults.add("", "", "a CSV file in UTF-8 that can be read", getattr(error, "strerror", None) or error)
        return _Table(path.name, (), ())
    for name in sorted({name for name in head if name and head.count(name) > 1}):
        faults.add("line 1", name, "one column of this name", head.count(name))
    for name in needed:
        if name not in head:
            faults.add("line 1", name, "this column", ", ".join(head) or "an empty file")
    good = not len(faults)
    for line, cells in rows:
        if len(cells) != len(head):
            faults.add(f"line {line}", "", f"{len(head)} cells", len(cells))
    full = [each for each in rows if len(each[1]) == len(head)]
    return _Table(path.name, tuple(head) if good else (), _Rows(head, full) if good else ())


def _text(value: float) -> str:
    """The shortest text that reads as the same number; empty for what is not known and for what has no end."""
    return repr(float(value)) if np.isfinite(value) else ""


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
