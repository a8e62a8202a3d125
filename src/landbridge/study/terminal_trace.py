"""Arrivals that are known: a list of trains in place of drawn ones, from a CSV file."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from landbridge.data.plans import plan_faults
from landbridge.errors import DataError, Fault, LandbridgeError
from landbridge.model.terminals import Plan

__all__ = ["Trace", "read_trace", "traced"]

#: Columns of a file: hours from the start of the run, stream, and units of the train (empty: as the plan's trains).
COLUMNS = ("arrive_h", "stream", "units")
#: Most units of a train, as plans have it.
MOST_UNITS = 10_000


@dataclass(frozen=True, eq=False)
class Trace:
    """Trains in the order of their arrival.

    Attributes
    ----------
    arrive_h
        Hours from the start of the run, ascending.
    stream
        Position of its stream in the plan.
    units
        Boxes or wagons.
    """

    arrive_h: npt.NDArray[np.float64]
    stream: npt.NDArray[np.int64]
    units: npt.NDArray[np.int64]

    @property
    def days(self) -> int:
        """Whole days until after the last train."""
        return math.floor(float(self.arrive_h[-1]) / 24.0) + 1

    @property
    def arrays(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """As a run takes them."""
        return self.arrive_h, self.stream, self.units


def read_trace(path: Path, plan: Plan) -> Trace:
    """Read arrivals from a CSV file with the columns ``arrive_h``, ``stream`` and, if wanted, ``units``.

    Parameters
    ----------
    path
        The file; its rows may stand in any order.
    plan
        The terminal, whose streams they belong to (by id, with or without the plan's name before it).

    Raises
    ------
    DataError
        With all that is wrong, row by row.
    """
    if not path.is_file():
        raise LandbridgeError(f"{path}: no such file")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise LandbridgeError(f"{path}: not a CSV file: {error}") from error
    head = [str(name) for name in (rows[0] if rows else ()) if name is not None]
    faults = [
        Fault(path.name, "header", name, f"one of {', '.join(COLUMNS)}", "a column that is not known")
        for name in head
        if name not in COLUMNS
    ]
    faults += [Fault(path.name, "header", name, "a column", "none") for name in COLUMNS[:2] if name not in head]
    if not rows:
        faults = [Fault(path.name, "", "", f"rows with {', '.join(COLUMNS)}", "none")]
    if faults:
        raise DataError(str(path), faults)
    place = {s.id.removeprefix(f"{plan.id}:"): i for i, s in enumerate(plan.streams)}
    found: list[tuple[float, int, int]] = []
    for number, row in enumerate(rows, start=2):
        of, hour, units, wrong = _train(row, plan, place, path.name, f"row {number}")
        faults += wrong
        found.append((hour, of, units))
    if faults:
        raise DataError(str(path), faults)
    found.sort(key=lambda train: train[0])
    hours, streams, loads = zip(*found, strict=True)
    return Trace(np.array(hours, np.float64), np.array(streams, np.int64), np.array(loads, np.int64))


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _train(
    row: Mapping[str | None, object], plan: Plan, place: Mapping[str, int], file: str, where: str
) -> tuple[int, float, int, list[Fault]]:
    """Stream, hour and units of a row, and what is wrong with it."""
    faults = []
    if None in row or any(value is None for value in row.values()):
        faults.append(Fault(file, where, "", "as many cells as the header has", "more or fewer"))
    cells = {name: str(row.get(name) or "") for name in COLUMNS}
    hour = _number(cells["arrive_h"])
    if not 0 <= hour < 1e7:
        faults.append(Fault(file, where, "arrive_h", "hours from the start, at least 0", repr(cells["arrive_h"])))
    of = place.get(cells["stream"].removeprefix(f"{plan.id}:"), -1)
    if of < 0:
        faults.append(Fault(file, where, "stream", f"a stream of {plan.id}: {', '.join(place)}", repr(cells["stream"])))
    units = plan.streams[max(of, 0)].units_train if not cells["units"] else _number(cells["units"])
    if not (1 <= units <= MOST_UNITS and (not cells["units"] or units == int(units))):
        wanted = f"a whole number from 1 to {MOST_UNITS:,}, or nothing"
        faults.append(Fault(file, where, "units", wanted, repr(cells["units"])))
        units = 1
    return of, hour, round(units), faults


def traced(plan: Plan, trace: Trace, days: float) -> Plan:
    """Return a plan whose streams have the volume and the trains of a trace, so that loads are those of the run.

    Parameters
    ----------
    plan, trace
        The terminal and what arrives.
    days
        Length of the run.

    Raises
    ------
    LandbridgeError
        Where the run ends before the last train, or the yard could lock itself with trains of this size.
    """
    if days * 24.0 <= trace.arrive_h[-1]:
        raise LandbridgeError(
            f"--days: wanted at least {trace.days}, since the last train of the trace comes at hour "
            f"{trace.arrive_h[-1]:g}; got {days:g}"
        )
    streams = []
    for i, stream in enumerate(plan.streams):
        own = trace.units[trace.stream == i]
        mean = float(own.mean()) if own.size else float(stream.units_train)
        # the stack must have room for the largest train, which the rules of plans take as the mean and three spreads
        spread = (float(own.max()) - mean) / 3.0 if own.size else stream.units_spread
        changes = {"trains_day": own.size / days, "units_train": mean, "units_spread": spread}
        streams.append(replace(stream, **changes, week=(), year=()))
    new = replace(plan, streams=tuple(streams))
    head = {**new.__dict__, "side_a": new.sides[0], "side_b": new.sides[1]}
    where = f"{plan.id} with the trace"
    faults = plan_faults(head, [asdict(r) for r in new.resources], [asdict(s) for s in new.streams], where=where)
    if faults:
        raise DataError(where, faults)
    return new
