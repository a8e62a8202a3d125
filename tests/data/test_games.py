"""Games read from files, and every way in which a file is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from landbridge.data.formats.games import read_game
from landbridge.errors import DataError

GOOD: dict[str, Any] = {"players": ["A", "B"], "v": {"A": 0, "B": "1/4", "B,A": 2}}


def test_all_faults_are_told_together(tmp_path: Path) -> None:
    told = {**GOOD, "foo": 1, "weights": {"A": 0, "B": 1}, "graph": [["A", ["B"]]]}
    with pytest.raises(DataError) as caught:
        read_game(write(tmp_path, told), 16)
    assert {fault.field for fault in caught.value.faults} >= {"foo", "graph"}
    assert len(caught.value.faults) >= 3
    with pytest.raises(DataError, match="a file that can be read"):
        read_game(tmp_path, 16)


def write(folder: Path, told: Any) -> Path:
    path = folder / "game.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told), encoding="utf-8")
    return path


def test_a_game_is_read(tmp_path: Path) -> None:
    told = {**GOOD, "blocs": [["B"]], "graph": [["A", "B"]], "weights": {"A": 2, "B": 1}}
    game = read_game(write(tmp_path, told), 16)
    assert game.players == ("A", "B")
    assert game.worth == (0.0, 0.0, 0.25, 2.0)
    assert game.blocs == ((1,), (0,))  # who is in no bloc stands alone
    assert game.graph == ((0, 1),)
    assert game.weights == (2.0, 1.0)
    assert read_game(write(tmp_path, GOOD), 16).blocs is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"players": None}, "players: wanted a list of names"),
        ({"players": []}, "players: wanted a list of names"),
        ({"players": ["A", "B,C"]}, "without commas"),
        ({"players": ["A", "A"]}, "'A' 2 times"),
        ({"players": [f"p{i}" for i in range(17)]}, "at most 16"),
        ({"v": [1]}, "v: wanted an object"),
        ({"v": {"A": 0, "B": 1}}, "none for A,B"),
        ({"v": {"A": 0, "B": 1, "A,B": 2, "B,A": 2}}, "in another order"),
        ({"v": {"A": 0, "B": 1, "A,B": 2, "": 1}}, "0 for nobody"),
        ({"v": {"A": 0, "C": 1, "A,B": 2}}, "players of A, B"),
        ({"v": {"A": 0, "B": "x", "A,B": 2}}, "fraction as text"),
        ({"v": {"A": 0, "B": "1/0", "A,B": 2}}, "fraction as text"),
        ({"v": {"A": True, "B": 1, "A,B": 2}}, "finite number"),
        ({"worths": 1}, "wanted one of players"),
        ({"blocs": "A"}, "list of lists"),
        ({"blocs": [["A"], ["A"]]}, "'A' 2 times"),
        ({"blocs": [[]]}, "an empty one"),
        ({"graph": [["A"]]}, "pairs of two"),
        ({"graph": [["A", "C"]]}, "got 'C'"),
        ({"weights": {"A": 1}}, "weights['B']"),
        ({"weights": {"A": 1, "B": -1}}, "greater than 0"),
        ({"weights": {"A": 1, "B": 1, "C": 1}}, "weights['C']"),
    ],
)
def test_faults(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_game(write(tmp_path, {**GOOD, **change}), 16)
    assert said in str(caught.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    told = {"players": ["A", "B"], "v": {"A": "x", "B": 1}, "graph": [["A", "A"]], "weights": {"A": 0, "B": 1}}
    with pytest.raises(DataError) as caught:
        read_game(write(tmp_path, told), 16)
    assert len(caught.value.faults) == 4


@pytest.mark.parametrize("text", ["{", '{"players": ["A"], "v": {"A": 1, "A": 2}}', "[1]"])
def test_what_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"game\.json"):
        read_game(write(tmp_path, text), 16)
