"""The verb `game`, as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from landbridge.errors import LandbridgeError
from landbridge.show.cli import app
from landbridge.show.cli_power import print_change

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


def test_roundings_are_no_numbers_and_a_loss_is_called_one(tmp_path: Path) -> None:
    """Three times a million each alone, ten together: whoever leaves loses, and ranges end where worths do."""
    path = tmp_path / "game.json"
    v = {"A": 1e6, "B": 1e6, "C": 1e6, "A,B": 4e6, "A,C": 4e6, "B,C": 4e6, "A,B,C": 10e6}
    path.write_text(json.dumps({"players": ["A", "B", "C"], "v": v}), encoding="utf-8")
    assert json.loads(ask("game", str(path), "--json"))["core"]["ranges"] == {player: [1e6, 6e6] for player in "ABC"}
    assert "every coalition that leaves loses at least 2.33333e+06" in " ".join(ask("game", str(path)).split())
    path.write_text(json.dumps(GAME), encoding="utf-8")
    assert json.loads(ask("game", str(path), "--json"))["core"]["ranges"]["t1"] == [0.0, 0.0]
    assert "no coalition gains by leaving" in " ".join(ask("game", str(path)).split())


def test_what_moves_although_all_together_gain_nothing_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    def moved(all_usd: float, kz: float) -> dict[str, Any]:
        values = {"KZ": kz, "KG": all_usd - kz}
        told = {"worth_usd_yr": all_usd, "shapley": values, "nucleolus": values, "exclusion": {"KZ": 2.0, "KG": 0.0}}
        return {**told, "wants": ["KG"], "blocks": ["KZ"], "alone": [{"players": ["KG"], "gain_usd_yr": 18145400.0}],
                "alone_count": 1}  # fmt: skip

    print_change(moved(0.0, -2e6), "What cku changes", {"after": "cku"}, moved(2e7, -1e7))
    out = " ".join(capsys.readouterr().out.split())
    for words in (
        "All together gain 0.00 million USD a year net of what building costs, 20.00 million",
        "All together gain nothing, yet values move",
        "18.15 million USD a year",
        "Gross: Should want it",
    ):
        assert words in out
    assert "Works without KZ (exclusionary towards them), needs KG (inclusive)." in out
    print_change(moved(2e7, -1e7), "What cku changes", {"after": "cku"})
    out = capsys.readouterr().out
    assert "gain nothing" not in out
    assert "gross" not in out


def test_a_project_that_the_network_does_not_know_is_not_answered_by_zeros() -> None:
    study = str(Path(__file__).parents[2] / "examples" / "cku.toml")
    words = ["--project", "crk-selyatino", "--size", "reduced", "--year", "2023", "--players", "KZ,RU", "--quiet"]
    printed = " ".join(ask("power", study, *words).split())
    assert "crk-selyatino changes nothing that the game knows" in printed
    assert "What crk-selyatino changes" not in printed


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LandbridgeError, match="no such file"):
        ask("game", str(tmp_path / "none.json"))
