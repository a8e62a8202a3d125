"""What a network or trips file holds once it is read, and what its reader dropped or changed on the way."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from landbridge.errors import DataError, Fault

__all__ = ["Change", "Faults", "FlowFile", "NetworkFile", "TripsFile", "gather", "number", "raise_faults", "whole"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int32]

# At most this many faults of one kind in one field are spelled out; the rest are counted, not hidden.
SPELLED_OUT = 20


@dataclass(frozen=True)
class Change:
    """One thing that a reader or writer did not take over as it stood.

    Parameters
    ----------
    where
        File.
    row
        Line, or how many rows of the same kind.
    field
        Column; empty for the whole row.
    action
        ``dropped``, ``changed``, or ``added`` where something is there now that was in no row.
    reason
        What was done, and why.
    """

    where: str
    row: str
    field: str
    action: Literal["dropped", "changed", "added"]
    reason: str

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.where, self.row, self.field) if part)
        return f"{place}: {self.action}: {self.reason}"


@dataclass(frozen=True, eq=False)
class NetworkFile:
    """A network of n nodes, m one-way links and z zones, in the units of its file.

    The time of a link at volume v is ``free_flow_time * (1 + b * (v / capacity) ** power)``; its cost adds
    ``toll_factor * toll + distance_factor * length``.

    Parameters
    ----------
    source
        File or folder.
    node_name, zone_name, link_name
        Names as in the file, n, z and m of them.
    node_x, node_y
        Coordinates; NaN where the file has none.
    zone_node
        Node at which the trips of each zone begin and end.
    first_thru_node
        Nodes numbered below it (from zero) may begin or end a trip, but none passes through them.
    tail, head
        Nodes that each link leaves and enters.
    free_flow_time
        Time without traffic.
    capacity
        Volume at which the time has grown by the share ``b``; ``inf`` = never full.
    b, power
        Shape of the volume-delay curve.
    length, toll
        As in the file.
    toll_factor, distance_factor
        Time units per unit of toll and of length, as far as the file says so; else 0.
    changes
        What was dropped or changed.
    """

    source: str
    node_name: tuple[str, ...]
    zone_name: tuple[str, ...]
    link_name: tuple[str, ...]
    node_x: Floats
    node_y: Floats
    zone_node: Ints
    first_thru_node: int
    tail: Ints
    head: Ints
    free_flow_time: Floats
    capacity: Floats
    b: Floats
    power: Floats
    length: Floats
    toll: Floats
    toll_factor: float
    distance_factor: float
    changes: tuple[Change, ...]


@dataclass(frozen=True, eq=False)
class TripsFile:
    """Trips from zone to zone in long form, each relation once, none of them zero.

    Parameters
    ----------
    source
        File.
    zone_count
        Zones that the file can speak of.
    origin, destination
        Zones, numbered from zero as in the network; trips within a zone are kept.
    volume
        Trips.
    changes
        What was dropped or changed.
    """

    source: str
    zone_count: int
    origin: Ints
    destination: Ints
    volume: Floats
    changes: tuple[Change, ...]


@dataclass(frozen=True, eq=False)
class FlowFile:
    """Somebody's volumes, and costs where they are told (else NaN), in the order of a network's links."""

    source: str
    volume: Floats
    cost: Floats


class Faults:
    """Faults of one file, gathered so that one reading tells all of them."""

    def __init__(self, where: str) -> None:
        self.where = where
        self._faults: list[Fault] = []
        self._kinds: Counter[tuple[str, str]] = Counter()

    def __len__(self) -> int:
        return sum(self._kinds.values())

    def add(self, row: str, field: str, wanted: str, got: object) -> None:
        """Keep a fault; many of one kind are counted."""
        self._kinds[field, wanted] += 1
        if self._kinds[field, wanted] <= SPELLED_OUT:
            self._faults.append(Fault(self.where, row, field, wanted, str(got)))

    def found(self) -> list[Fault]:
        """All faults, the uncounted ones of each kind in one line."""
        more = [
            Fault(self.where, f"{count - SPELLED_OUT} more rows", field, wanted, "the same fault")
            for (field, wanted), count in self._kinds.items()
            if count > SPELLED_OUT
        ]
        return [*self._faults, *more]


def raise_faults(subject: str, files: Iterable[Faults]) -> None:
    """Raise one `DataError` with the faults of all files, if there are any."""
    found = [fault for file in files for fault in file.found()]
    if found:
        raise DataError(subject, found)


def number(text: str) -> float | None:
    """Read a finite number; None where there is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def whole(text: str) -> int | None:
    """Read a whole number, also one written ``12.0``; None where there is none."""
    value = number(text)
    return int(value) if value is not None and value == int(value) else None


def gather(
    origin: list[int], destination: list[int], volume: list[float], where: str, names: tuple[str, ...]
) -> tuple[Ints, Ints, Floats, list[Change]]:
    """Sort cells of a trip table, add up those that stand twice, and leave out zeros."""
    changes: list[Change] = []
    cells = np.array(volume, np.float64)
    some = cells != 0.0
    key = (np.array(origin, np.int64) * len(names) + np.array(destination, np.int64))[some]
    found, place, times = np.unique(key, return_inverse=True, return_counts=True)
    begins, ends = found // len(names), found % len(names)
    for i in np.flatnonzero(times > 1).tolist():
        reason = f"{times[i]} entries from {names[begins[i]]} to {names[ends[i]]} are added up"
        changes.append(Change(where, f"{times[i]} rows", "volume", "changed", reason))
    zeros = int((~some).sum())
    if zeros:
        changes.append(Change(where, f"{zeros} rows", "volume", "dropped", "no trips between the zones"))
    total = np.bincount(place, weights=cells[some], minlength=found.size).astype(np.float64)
    return begins.astype(np.int32), ends.astype(np.int32), total, changes
