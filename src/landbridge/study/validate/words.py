"""What a row of a target file says: its operands, its formula, the part of the year that it covers.

The notation is that of the target list: ``[scenario:]thing[ via passage]{/qualifier}[@year]``, operands divided by
``;``, and a note whose parts begin with ``formula:``, ``holds:`` or ``annualise x``.
"""

from __future__ import annotations

import ast
import datetime as dt
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

__all__ = [
    "Answer",
    "Cell",
    "NotCovered",
    "Operand",
    "annual_factor",
    "calculate",
    "days_of",
    "note_part",
    "operand",
    "operands",
]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = rf"(?:(\d{{1,2}}) )?({'|'.join(MONTHS)})"


class NotCovered(Exception):
    """Says why a target has no counterpart in the model."""


@dataclass(frozen=True)
class Cell:
    """A cell of the atlas."""

    table: str
    row: str
    column: str


@dataclass(frozen=True)
class Answer:
    """A number of the model, the cells of the atlas it is read from, and what to know about it.

    Attributes
    ----------
    value
        In the unit of the target.
    cells
        Cells of the atlas that it is read from or mainly rests on.
    note
        What to know about it.
    given
        Whether it is an input whatever its provenance says.
    parts
        Tonnes by exporter, importer and commodity of which a flow consists; empty for what is no flow.
    """

    value: float
    cells: tuple[Cell, ...] = ()
    note: str = ""
    given: bool = False
    parts: tuple[tuple[str, str, str, float], ...] = ()


@dataclass(frozen=True)
class Operand:
    """One thing that a target is about."""

    scenario: str
    thing: str
    via: str
    qualifiers: tuple[str, ...]
    direction: str
    year: int
    period: str = "year"


def operand(text: str, row: Mapping[str, Any], first: str) -> Operand:
    """Read one operand of a row.

    Parameters
    ----------
    text
        As it stands in the subject or the formula.
    row
        The target: its direction, year and period hold where the operand states none.
    first
        Scenario that is meant where none is named.

    Raises
    ------
    NotCovered
        If the year cannot be read.
    """
    body, _, year = text.strip().partition("@")
    scenario, colon, rest = body.partition(":")
    head, *qualifiers = (rest if colon else body).split("/")
    thing, _, via = head.partition(" via ")
    direction = next((q for q in qualifiers if q in ("from-china", "to-china")), row["direction"])
    if year and not year.isdigit():
        raise NotCovered(f"the year of {text} cannot be read")
    return Operand(
        scenario if colon else first,
        thing.strip(),
        via.strip(),
        tuple(q for q in qualifiers if q not in ("from-china", "to-china")),
        direction,
        int(year) if year else row["year"],
        row.get("period") or "year",
    )


def operands(row: Mapping[str, Any], first: str) -> list[Operand]:
    """All operands of a row, those of an inner quantity of a change included."""
    found = []
    for text in str(row["subject"]).split(";"):
        op = operand(text, row, first)
        found.append(op)
        if op.scenario != first:  # a change is against the world without the scenario
            found.append(replace(op, scenario=first))
    return found


def note_part(note: str | None, key: str) -> str | None:
    """The part of a note that begins with a key."""
    return next((p.split(":", 1)[1].strip() for p in (note or "").split("; ") if p.startswith(f"{key}:")), None)


def annual_factor(note: str | None) -> float:
    """Days of the year over days of the period, as the note states it; 1 for a whole year."""
    found = re.search(r"annualise x([0-9.]+)", note or "")
    return float(found.group(1)) if found else 1.0


def days_of(year: int, period: str) -> tuple[dt.date, dt.date] | None:
    """First and last day of a period; None if it cannot be read.

    Parameters
    ----------
    year
        For a period over the turn of the year, the year it starts in.
    period
        ``year``, ``H1``, ``Q3``, ``Mar``, ``Jan-Oct``, ``15 Jul`` or ``21 Mar-19 Feb``.
    """

    def month_end(month: int) -> dt.date:
        return dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(1)

    if period == "year":
        return dt.date(year, 1, 1), dt.date(year, 12, 31)
    if part := re.fullmatch(r"([HQ])([1-4])", period):
        size, number = (6 if part[1] == "H" else 3), int(part[2])
        if number * size > 12:
            return None
        return dt.date(year, (number - 1) * size + 1, 1), month_end(number * size)
    if not (read := re.fullmatch(rf"{_DAY}(?:-{_DAY})?", period)):
        return None
    try:
        start = dt.date(year, MONTHS.index(read[2]) + 1, int(read[1] or 1))
        day, name = (read[3], read[4]) if read[4] else (read[1], read[2])
        month = MONTHS.index(name) + 1
        end = dt.date(year, month, int(day)) if day else month_end(month)
        if end < start:
            end = end.replace(year=year + 1)
    except ValueError:
        return None
    return start, end


_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}


def _evaluate(node: ast.AST) -> float:
    """Evaluate numbers, the four operations, comparisons and ``and``; nothing else."""
    if isinstance(node, ast.Expression):
        return _evaluate(node.body)
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return float(_OPERATORS[type(node.op)](_evaluate(node.left), _evaluate(node.right)))
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        values = [_evaluate(value) for value in node.values]  # each is read, so that each operand is asked for
        return float(all(values))
    if isinstance(node, ast.Compare) and all(type(op) in _OPERATORS for op in node.ops):
        sides = [_evaluate(side) for side in (node.left, *node.comparators)]
        pairs = zip(node.ops, sides[:-1], sides[1:], strict=True)
        return float(all(_OPERATORS[type(op)](a, b) for op, a, b in pairs))
    raise NotCovered("its formula cannot be read")


def calculate(formula: str, value: Callable[[str], float]) -> float:
    """Work out a formula or a statement (1 where it holds, 0 where not).

    Parameters
    ----------
    formula
        With operands as ``value(...)``.
    value
        Gives the number of an operand.

    Raises
    ------
    NotCovered
        If the formula cannot be read, or divides by zero.
    """
    text = re.sub(r"value\(([^()]*)\)", lambda found: f"({value(found.group(1))!r})", formula)
    try:
        return _evaluate(ast.parse(text, mode="eval"))
    except SyntaxError:
        raise NotCovered("its formula cannot be read") from None
    except ZeroDivisionError:
        raise NotCovered("its formula divides by a flow of zero") from None
