"""The verb `game`, as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from landbridge.errors import LandbridgeError
from landbridge.show.cli import app

GAME = {
    "players": ["o", "t1", "t2", "d"],
    "v": {
        ",".join(p for i, p in enumerate(("o", "t1", "t2", "d")) if s >> i & 1): 12 * (s & 9 == 9 and s & 6 > 0)
        for s in range(1, 16)
    },
}


def ask(*words: str) -> str:
    result = CliRunner().invoke(app, words)
    if result.exception is not None:
        raise result.exception
    return result.output


def test_every_solution_has_its_key(tmp_path: Path) -> None:
    path = tmp_path / "game.json"
    told = {**GAME, "blocs": [["t1", "t2"]], "graph": [["o", "t1"], ["t1", "d"]], "weights": dict.fromkeys("od", 1.0)}
    told["weights"] = {"o": 1, "t1": 2, "t2": 1, "d": 1}
    path.write_text(json.dumps(told), encoding="utf-8")
    solved = json.loads(ask("game", str(path), "--json"))
    assert solved["shapley"] == pytest.approx({"o": 5, "t1": 1, "t2": 1, "d": 5})
    assert solved["owen"] == pytest.approx({"o": 4, "t1": 2, "t2": 2, "d": 4})
    assert solved["nucleolus"] == pytest.approx({"o": 6, "t1": 0, "t2": 0, "d": 6}, abs=1e-8)
    assert solved["myerson"] == pytest.approx({"o": 4, "t1": 4, "t2": 0, "d": 4})
    assert set(solved) >= {"weighted_shapley", "banzhaf", "nash", "core", "least_core"}
    assert solved["veto"] == ["o", "d"]
    assert solved["superadditive"] is True
    assert solved["core"]["empty"] is False


def test_what_was_not_asked_for_is_null(tmp_path: Path) -> None:
    path = tmp_path / "game.json"
    path.write_text(json.dumps(GAME), encoding="utf-8")
    solved = json.loads(ask("game", str(path), "--json"))
    assert [solved[k] for k in ("owen", "myerson", "weighted_shapley")] == [None, None, None]
    printed = ask("game", str(path))
    assert "Shapley" in printed
    assert "Owen" not in printed


def test_an_empty_core_is_said_with_its_proof(tmp_path: Path) -> None:
    path = tmp_path / "game.json"
    majority = {"players": ["A", "B", "C"], "v": {"A": 0, "B": 0, "C": 0, "A,B": 1, "A,C": 1, "B,C": 1, "A,B,C": 1}}
    path.write_text(json.dumps(majority), encoding="utf-8")
    printed = ask("game", str(path))
    assert "The core is empty: the balanced coalitions" in printed
    assert "are worth 1.5, more than 1" in printed


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LandbridgeError, match="no such file"):
        ask("game", str(tmp_path / "none.json"))
