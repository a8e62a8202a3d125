"""Networks of lines as JSON files: places with their countries, lines with cost and room, relations with a way out.

    {"country": {"Chengdu": "CN", "Almaty": "KZ", "Warsaw": "PL"},
     "edges": [{"a": "Chengdu", "b": "Almaty", "cost": 32, "cap": 60}, {"a": "Almaty", "b": "Warsaw", "cost": 41}],
     "north_edges": [{"a": "Chengdu", "b": "Warsaw", "cost": 70, "cap": 30}],
     "demand": {"Chengdu-Warsaw": 75}, "outside_cost": {"Chengdu-Warsaw": 110}}

A line leads both ways, at the same cost, and both ways share its room; without ``cap`` it is never full. Lines of
``NAME_edges`` are there where NAME is built. A relation may leave by its outside option at that cost a unit. Text in
``rule`` and ``note`` is for people. All of it may stand as ``network`` in a larger object, whose other fields are left
alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from landbridge.data.formats.json_files import read_json
from landbridge.errors import DataError, Fault, UnknownName

__all__ = ["LinesFile", "read_lines"]

FIELDS = ("country", "edges", "demand", "outside_cost")
TEXTS = ("rule", "note")
MORE = "_edges"
LINE = ("a", "b", "cost", "cap")


@dataclass(frozen=True)
class LinesFile:
    """A network as its file says it.

    Parameters
    ----------
    places
        Places and their countries.
    lines
        Names of the lines, ``A-B`` by their ends.
    ends
        Positions of the two places of each line.
    cost, room
        Cost of a unit over each line, and how many units it takes; ``inf`` = never full.
    relations
        Names of the relations, ``A-B``.
    pairs
        Positions of the two places of each relation.
    volume, outside_cost
        Units of each relation, and the cost of its outside option.
    unread
        Fields of the object around it, which were left alone.
    """

    places: Mapping[str, str]
    lines: tuple[str, ...]
    ends: tuple[tuple[int, int], ...]
    cost: tuple[float, ...]
    room: tuple[float, ...]
    relations: tuple[str, ...]
    pairs: tuple[tuple[int, int], ...]
    volume: tuple[float, ...]
    outside_cost: tuple[float, ...]
    unread: tuple[str, ...]


def read_lines(path: Path, *, built: Sequence[str] = ()) -> LinesFile:
    """Read a network of lines.

    Parameters
    ----------
    path
        JSON file.
    built
        What is built of the lines that the file holds apart, by name.

    Returns
    -------
    LinesFile

    Raises
    ------
    DataError
        With all faults of the file.
    UnknownName
        If the file has no lines of a name in `built`.
    """
    told = read_json(path)
    faults: list[Fault] = []

    def fault(row: str, field: str, wanted: str, got: object) -> None:
        faults.append(Fault(path.name, row, field, wanted, got if isinstance(got, str) else json.dumps(got)))

    unread: tuple[str, ...] = ()
    if isinstance(told, dict) and "network" in told:
        unread = tuple(sorted(set(told) - {"network"}))
        told = told["network"]
    if not isinstance(told, dict):
        raise DataError(str(path), [Fault(path.name, "", "", f"an object with {', '.join(FIELDS)}", json.dumps(told))])
    options = [name.removesuffix(MORE) for name in told if name.endswith(MORE)]
    for name in told:
        if name not in (*FIELDS, *TEXTS) and not name.endswith(MORE):
            fault("", name, f"one of {', '.join((*FIELDS, *TEXTS))}, or lines as NAME{MORE}", "a field of another name")
    for name in built:
        if name not in options:
            raise UnknownName("set of lines to build", name, options)
    countries = _texts(told.get("country"), "country", fault)
    index = {place: i for i, place in enumerate(countries)}
    ends: list[tuple[int, int]] = []
    cost: list[float] = []
    room: list[float] = []
    for field in ("edges", *(f"{name}{MORE}" for name in options)):
        kept = field == "edges" or field.removesuffix(MORE) in built
        for row, line in _objects(told.get(field), field, fault):
            found = _line(row, line, index, fault)
            if found is not None and kept:
                ends.append(found[0])
                cost.append(found[1])
                room.append(found[2])
    places = list(countries)
    names = [f"{places[a]}-{places[b]}" for a, b in ends]
    for both, times in Counter(frozenset(pair) for pair in ends).items():
        if times > 1:
            fault("", "edges", "one line between two places", f"{times} of {'-'.join(sorted(places[i] for i in both))}")
    volume = _numbers(told.get("demand"), "demand", fault)
    outside = _numbers(told.get("outside_cost"), "outside_cost", fault)
    for name in sorted(set(volume) ^ set(outside)):
        lacks = "outside_cost" if name in volume else "demand"
        fault(f"{lacks}[{name!r}]", "", "every relation in both demand and outside_cost", "none")
    pairs = {name: _pair(name, index, fault) for name in volume}
    if faults:
        raise DataError(str(path), faults)
    return LinesFile(
        countries, tuple(names), tuple(ends), tuple(cost), tuple(room), tuple(volume),
        tuple(pair for pair in pairs.values() if pair is not None), tuple(volume.values()),
        tuple(outside[name] for name in volume), unread,
    )  # fmt: skip


def _texts(told: object, field: str, fault: Any) -> dict[str, str]:
    if not isinstance(told, dict) or not told:
        fault("", field, "an object from places to their countries", told)
        return {}
    for name, value in told.items():
        if not isinstance(value, str) or not value.strip() or not name.strip():
            fault(f"{field}[{name!r}]", "", "the name of a country", value)
    return {name: str(value) for name, value in told.items()}


def _objects(told: object, field: str, fault: Any) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(told, list) or (field == "edges" and not told):
        fault("", field, f"a list of lines with {', '.join(LINE)}", told)
        return []
    found = []
    for number, line in enumerate(told):
        if isinstance(line, dict):
            found.append((f"{field}[{number}]", line))
        else:
            fault(f"{field}[{number}]", "", f"a line with {', '.join(LINE)}", line)
    return found


def _line(
    row: str, line: Mapping[str, Any], index: Mapping[str, int], fault: Any
) -> tuple[tuple[int, int], float, float] | None:
    right = True
    for name in line:
        if name not in LINE:
            fault(row, name, f"one of {', '.join(LINE)}", "a field of another name")
            right = False
    for end in ("a", "b"):
        if not isinstance(line.get(end), str) or line[end] not in index:
            fault(row, end, "a place of country", line.get(end))
            right = False
    if right and line["a"] == line["b"]:
        fault(row, "b", "another place than a", line["b"])
        right = False
    cost = _number(line.get("cost"))
    if cost is None or cost <= 0.0:
        fault(row, "cost", "a number above 0", line.get("cost"))
        right = False
    room = float("inf") if line.get("cap") is None else _number(line["cap"])
    if room is None or room < 0.0:
        fault(row, "cap", "a number of at least 0, or none where it is never full", line["cap"])
        right = False
    if not right or cost is None or room is None:
        return None
    return (index[line["a"]], index[line["b"]]), cost, room


def _numbers(told: object, field: str, fault: Any) -> dict[str, float]:
    if not isinstance(told, dict) or not told:
        fault("", field, "an object from relations, as A-B, to numbers", told)
        return {}
    found = {}
    for name, value in told.items():
        number = _number(value)
        if number is None or number < 0.0:
            fault(f"{field}[{name!r}]", "", "a number of at least 0", value)
        found[name] = number or 0.0
    return found


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        return None
    return float(value)


def _pair(name: str, index: Mapping[str, int], fault: Any) -> tuple[int, int] | None:
    """The two places of a relation; names of places may hold dashes, so every way to divide it is tried."""
    dashes = [at for at, letter in enumerate(name) if letter == "-"]
    found = [(name[:at], name[at + 1 :]) for at in dashes if {name[:at], name[at + 1 :]} <= index.keys()]
    if len(found) != 1 or found[0][0] == found[0][1]:
        fault(f"demand[{name!r}]", "", "two places of country, as A-B, that can be told apart", name)
        return None
    return index[found[0][0]], index[found[0][1]]
