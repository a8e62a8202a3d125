"""Games as JSON files: players, what every coalition is worth, and with whom they side.

    {"players": ["A", "B"], "v": {"A": 0, "B": 1, "A,B": "7/2"},
     "blocs": [["A", "B"]], "graph": [["A", "B"]], "weights": {"A": 2, "B": 1}}

Coalitions are names joined by commas, in any order; each but the empty one needs a worth. Numbers may be written as
fractions. `blocs`, `graph` and `weights` may be left out; a player in no bloc stands alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import Any

from landbridge.data.formats.json_files import read_json
from landbridge.errors import DataError, Fault

__all__ = ["GameFile", "read_game"]

# Missing coalitions that are named; the rest are counted.
SPELLED_OUT = 8
FIELDS = ("players", "v", "blocs", "graph", "weights")


@dataclass(frozen=True)
class GameFile:
    """A game as its file says it.

    Parameters
    ----------
    players
        Names.
    worth
        Worth by coalition, as a bit mask over the players; 2**n entries.
    blocs
        Partition of the players' indices, or None.
    graph
        Pairs of players' indices that can talk to each other, or None.
    weights
        One for each player, or None.
    """

    players: tuple[str, ...]
    worth: tuple[float, ...]
    blocs: tuple[tuple[int, ...], ...] | None
    graph: tuple[tuple[int, int], ...] | None
    weights: tuple[float, ...] | None


def read_game(path: Path, most_players: int) -> GameFile:
    """Read a game.

    Parameters
    ----------
    path
        JSON file.
    most_players
        Games of more players are refused: they have too many coalitions to list.

    Returns
    -------
    GameFile

    Raises
    ------
    DataError
        With all faults of the file.
    """
    told = read_json(path)
    faults: list[Fault] = []

    def fault(row: str, field: str, wanted: str, got: object) -> None:
        faults.append(Fault(path.name, row, field, wanted, str(got)))

    if not isinstance(told, dict):
        raise DataError(str(path), [Fault(path.name, "", "", "an object with players and v", type(told).__name__)])
    for name in told:
        if name not in FIELDS:
            fault("", name, f"one of {', '.join(FIELDS)}", "a field of another name")
    players = told.get("players")
    if not isinstance(players, list) or not players or not all(isinstance(p, str) and _plain(p) for p in players):
        fault("", "players", "a list of names without commas", json.dumps(players))
        raise DataError(str(path), faults)
    for name, times in Counter(players).items():
        if times > 1:
            fault("", "players", "each player once", f"{name!r} {times} times")
    if len(players) > most_players:
        fault("", "players", f"at most {most_players}: all 2**n coalitions are listed and solved", len(players))
    if len(set(players)) < len(players) or len(players) > most_players:
        raise DataError(str(path), faults)  # nothing else can be told before it is known who plays
    index = {name: i for i, name in enumerate(players)}
    worth = _worths(told.get("v"), index, fault)
    blocs = _blocs(told["blocs"], index, fault) if told.get("blocs") is not None else None
    graph = _graph(told["graph"], index, fault) if told.get("graph") is not None else None
    weights = _weights(told["weights"], index, fault) if told.get("weights") is not None else None
    if faults:
        raise DataError(str(path), faults)
    return GameFile(tuple(players), worth, blocs, graph, weights)


def _plain(name: str) -> bool:
    return bool(name.strip()) and "," not in name and name == name.strip()


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(Fraction(value)) if isinstance(value, str) else float(value)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if isfinite(number) else None


def _worths(told: object, index: Mapping[str, int], fault: Any) -> tuple[float, ...]:
    if not isinstance(told, dict):
        fault("", "v", "an object from coalitions to their worth", type(told).__name__)
        return ()
    found: dict[int, float] = {0: 0.0}
    for key, value in told.items():
        names = [name.strip() for name in key.split(",")] if key.strip() else []
        unknown = [name for name in names if name not in index]
        if unknown or len(set(names)) < len(names):
            fault(f"v[{key!r}]", "", f"players of {', '.join(index)}, each once, joined by commas", key)
            continue
        coalition = sum(1 << index[name] for name in names)
        number = _number(value)
        if number is None:
            fault(f"v[{key!r}]", "", "a finite number, or a fraction as text", json.dumps(value))
        elif coalition in found and coalition:
            fault(f"v[{key!r}]", "", "each coalition once", "it stands twice, in another order")
        elif not coalition and number:
            fault(f"v[{key!r}]", "", "0 for nobody", f"{number:g}")
        else:
            found[coalition] = number
    names = list(index)
    missing = [s for s in range(1 << len(index)) if s not in found]
    told_names = [",".join(n for i, n in enumerate(names) if s >> i & 1) for s in missing[:SPELLED_OUT]]
    if missing:
        more = f" and {len(missing) - SPELLED_OUT} more" if len(missing) > SPELLED_OUT else ""
        fault(
            "",
            "v",
            f"a worth for each of {(1 << len(index)) - 1} coalitions",
            f"none for {'; '.join(told_names)}{more}",
        )
        return ()
    return tuple(found[s] for s in range(1 << len(index)))


def _groups(field: str, told: object, index: Mapping[str, int], fault: Any) -> list[list[int]] | None:
    if not isinstance(told, list) or not all(isinstance(group, list) for group in told):
        fault("", field, "a list of lists of players", json.dumps(told))
        return None
    unknown = [name for group in told for name in group if not isinstance(name, str) or name not in index]
    for name in unknown:
        fault("", field, f"players of {', '.join(index)}", repr(name))
    return None if unknown else [[index[name] for name in group] for group in told]


def _blocs(told: object, index: Mapping[str, int], fault: Any) -> tuple[tuple[int, ...], ...] | None:
    groups = _groups("blocs", told, index, fault)
    if groups is None:
        return None
    names = list(index)
    for player, times in Counter(i for group in groups for i in group).items():
        if times > 1:
            fault("", "blocs", "each player in one bloc", f"{names[player]!r} {times} times")
    if not all(groups):
        fault("", "blocs", "blocs with members", "an empty one")
    inside = {i for group in groups for i in group}
    return (*(tuple(group) for group in groups), *((i,) for i in range(len(names)) if i not in inside))


def _graph(told: object, index: Mapping[str, int], fault: Any) -> tuple[tuple[int, int], ...] | None:
    groups = _groups("graph", told, index, fault)
    if groups is None:
        return None
    names = list(index)
    for group in groups:
        if len(group) != 2 or group[0] == group[-1]:
            fault("", "graph", "pairs of two different players", json.dumps([names[i] for i in group]))
    return tuple((group[0], group[-1]) for group in groups if group)


def _weights(told: object, index: Mapping[str, int], fault: Any) -> tuple[float, ...] | None:
    if not isinstance(told, dict):
        fault("", "weights", "an object from players to numbers", json.dumps(told))
        return None
    for name in told:
        if name not in index:
            fault("", f"weights[{name!r}]", f"players of {', '.join(index)}", repr(name))
    result = []
    for name in index:
        number = _number(told.get(name))
        if number is None or number <= 0:
            fault("", f"weights[{name!r}]", "a number greater than 0", json.dumps(told.get(name)))
            number = 1.0
        result.append(number)
    return tuple(result)
