"""The data dictionary: what every column of every table means, its unit and its bounds.

The dictionary is itself a table of the package (``dictionary.csv``), so that reading, checking, the documentation and
the interfaces all use the same words.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from landbridge.errors import DataError, Fault

__all__ = ["Column", "Dictionary", "read_dictionary"]

TYPES = ("id", "text", "integer", "number", "date", "boolean", "choice", "list")
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
    faults: list[Fault] = []
    columns: list[Column] = []
    seen: set[tuple[str, str]] = set()
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if ",".join(reader.fieldnames or ()) != HEADER:
            raise DataError(
                str(folder), [Fault("dictionary.csv", "header", "", HEADER, ",".join(reader.fieldnames or ()))]
            )
        for number, row in enumerate(reader, start=2):
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
            target = row["references"].split(".") if row["references"] else None
            columns.append(
                Column(
                    row["table"],
                    row["column"],
                    row["type"],
                    row["unit"],
                    row["required"].strip().lower() in ("yes", "true", "1"),
                    low,
                    high,
                    tuple(v for v in row["values"].split(";") if v),
                    (target[0], target[1]) if target and len(target) == 2 else None,
                    row["meaning"],
                )
            )
    if faults:
        raise DataError(str(folder), faults)
    return Dictionary(tuple(columns))
