"""Cash flows as CSV: a year and a sum a row."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
import numpy.typing as npt

from landbridge.errors import DataError, Fault

__all__ = ["CashFlowFile", "read_cash_flow"]

COLUMNS = ("year", "flow")
# More years than this between the first and the last are a slip of the pen.
MOST_YEARS = 500


@dataclass(frozen=True, eq=False)
class CashFlowFile:
    """Flows of consecutive years.

    Parameters
    ----------
    years
        From the first to the last, none left out.
    flows : float64[n]
        Sum of each; zero for years that are in no row.
    filled
        Years that are in no row.
    """

    years: tuple[int, ...]
    flows: npt.NDArray[np.float64]
    filled: tuple[int, ...]


def read_cash_flow(path: Path) -> CashFlowFile:
    """Read a cash flow.

    Parameters
    ----------
    path
        CSV with the columns ``year`` and ``flow`` (below zero: paid), rows in any order, a year once.

    Returns
    -------
    CashFlowFile

    Raises
    ------
    DataError
        With all faults of the file.
    """
    name = path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        wanted = "a CSV file that can be read"
        raise DataError(
            str(path), [Fault(name, "", "", wanted, getattr(error, "strerror", None) or str(error))]
        ) from None
    rows = [row for row in csv.reader(text.splitlines()) if any(field.strip() for field in row)]
    head = [field.strip() for field in rows[0]] if rows else []
    missing = [column for column in COLUMNS if column not in head]
    if missing:
        got = ",".join(head) or "an empty file"
        raise DataError(str(path), [Fault(f"{name}:1", "", column, "this column", got) for column in missing])
    twice = [column for column in COLUMNS if head.count(column) > 1]
    if twice:
        raise DataError(str(path), [Fault(f"{name}:1", "", column, "one such column", "two") for column in twice])
    faults: list[Fault] = []
    found: dict[int, float] = {}
    at_year, at_flow = head.index("year"), head.index("flow")
    for number, row in enumerate(rows[1:], start=2):
        where = f"{name}:{number}"
        if len(row) != len(head):
            faults.append(Fault(where, "", "", f"{len(head)} fields", str(len(row))))
            continue
        year, flow = _whole(row[at_year]), _number(row[at_flow])
        if year is None:
            faults.append(Fault(where, "", "year", "a whole number", repr(row[at_year])))
        if flow is None:
            faults.append(Fault(where, "", "flow", "a number", repr(row[at_flow])))
        if year is not None and flow is not None:
            if year in found:
                faults.append(Fault(where, "", "year", "each year once", f"{year} again"))
            found[year] = flow
    if not faults and not found:
        faults.append(Fault(name, "", "", "at least one year", "none"))
    if not faults and max(found) - min(found) >= MOST_YEARS:
        faults.append(Fault(name, "", "year", f"at most {MOST_YEARS} years", f"{min(found)} to {max(found)}"))
    if faults:
        raise DataError(str(path), faults)
    years = tuple(range(min(found), max(found) + 1))
    flows = np.array([found.get(year, 0.0) for year in years])
    return CashFlowFile(years, flows, tuple(year for year in years if year not in found))


def _whole(text: str) -> int | None:
    try:
        return int(text.strip())
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return value if isfinite(value) else None
