"""The data dictionary: what every column of every table means, its unit and its bounds.

The dictionary is itself a table of the package (``dictionary.csv``), so that reading, checking, the documentation and
the interfaces all use the same words.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from landbridge.errors import DataError, Fault

__all__ = ["Column", "Dictionary", "encoding_fault", "read_dictionary", "read_rows"]

TYPES = ("id", "text", "integer", "number", "date", "boolean", "choice", "list")
YES, NO = ("yes", "true", "1"), ("no", "false", "0", "")
HEADER = "table,column,type,unit,required,minimum,maximum,values,references,meaning"


@dataclass(frozen=True)
class Column:
    """One column of one table, as the dictionary states it."""

    table: str
    name: str
    type: str
    unit: str
    required: bool
    minimum: float | None
    maximum: float | None
    values: tuple[str, ...]
    references: tuple[str, str] | None
    meaning: str

    @property
    def is_number(self) -> bool:
        """Whether cells hold a quantity, which needs a known origin."""
        return self.type in ("integer", "number")


@dataclass(frozen=True)
class Dictionary:
    """All columns, by table, in their order."""

    columns: tuple[Column, ...]

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables, in the order of the dictionary."""
        return tuple(dict.fromkeys(column.table for column in self.columns))

    def of(self, table: str) -> tuple[Column, ...]:
        """Columns of one table."""
        return tuple(column for column in self.columns if column.table == table)


def _number(text: str) -> float | None:
    return float(text) if text else None


def encoding_fault(path: Path, where: str) -> Fault | None:
    """Return the fault of a file that is not UTF-8, with the row of the first wrong byte, or None."""
    content = path.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        return Fault(where, f"row {row}", "", "UTF-8", f"byte 0x{content[error.start]:02x}")
    return None


def read_rows(path: Path, where: str, header: str) -> tuple[list[tuple[int, dict[str, str]]], list[Fault]]:
    """Read a CSV file that says something about other tables.

    Parameters
    ----------
    path
        The file.
    where
        Its name in faults.
    header
        The columns it must have.

    Returns
    -------
    rows : list of tuple
        Number and cells of each row that has as many cells as the header.
    faults : list of Fault
        A wrong encoding or header, rows with too few or too many cells.
    """
    wrong = encoding_fault(path, where)
    if wrong:
        return [], [wrong]
    names = header.split(",")
    rows: list[tuple[int, dict[str, str]]] = []
    faults: list[Fault] = []
    reader = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
    first = next(reader, [])
    if first != names:
        return [], [Fault(where, "header", "", header, ",".join(first))]
    for number, cells in enumerate(reader, start=2):
        if len(cells) == len(names):
            rows.append((number, dict(zip(names, cells, strict=True))))
        elif cells:
            wanted = f"{len(names)} cells, as in the header"
            faults.append(Fault(where, f"row {number} ({cells[0]})", "", wanted, f"{len(cells)} cells"))
    return rows, faults


def read_dictionary(folder: Path) -> Dictionary:
    """Read ``dictionary.csv`` of a package.

    Parameters
    ----------
    folder
        The package's folder.

    Returns
    -------
    Dictionary

    Raises
    ------
    DataError
        If the file is missing or a row of it is wrong; all faults at once.
    """
    path = folder / "dictionary.csv"
    if not path.is_file():
        raise DataError(str(folder), [Fault("dictionary.csv", "", "", "a data dictionary", "no such file")])
    columns: list[Column] = []
    aims: list[tuple[str, str]] = []
    seen: set[tuple[str, str]] = set()
    rows, faults = read_rows(path, "dictionary.csv", HEADER)
    for number, row in rows:
        where = f"row {number} ({row['table']}.{row['column']})"
        if row["type"] not in TYPES:
            faults.append(Fault("dictionary.csv", where, "type", " or ".join(TYPES), row["type"]))
        if row["type"] == "choice" and not row["values"]:
            faults.append(Fault("dictionary.csv", where, "values", "the choices, divided by ;", "nothing"))
        if not row["meaning"]:
            faults.append(Fault("dictionary.csv", where, "meaning", "a sentence", "nothing"))
        if (row["table"], row["column"]) in seen:
            faults.append(Fault("dictionary.csv", where, "column", "each column once", "twice"))
        seen.add((row["table"], row["column"]))
        try:
            low, high = _number(row["minimum"]), _number(row["maximum"])
        except ValueError:
            faults.append(
                Fault("dictionary.csv", where, "minimum, maximum", "numbers", f"{row['minimum']}, {row['maximum']}")
            )
            continue
        if row["required"].strip().lower() not in (*YES, *NO):
            faults.append(Fault("dictionary.csv", where, "required", "yes or no", row["required"]))
        target = row["references"].split(".") if row["references"] else None
        if target:
            aims.append((where, row["references"]))
        columns.append(
            Column(
                row["table"],
                row["column"],
                row["type"],
                row["unit"],
                row["required"].strip().lower() in YES,
                low,
                high,
                tuple(v for v in row["values"].split(";") if v),
                (target[0], target[1]) if target and len(target) == 2 else None,
                row["meaning"],
            )
        )
    faults += [
        Fault("dictionary.csv", where, "references", "table.column of the dictionary", aim)
        for where, aim in aims
        if tuple(aim.split(".")) not in seen
    ]
    if faults:
        raise DataError(str(folder), faults)
    return Dictionary(tuple(columns))
