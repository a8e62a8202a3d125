"""The verbs of trade, as a user types them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from landbridge.data.formats.trade_csv import read_trade_matrix
from landbridge.errors import DataError, LandbridgeError
from landbridge.show import cli
from landbridge.study.trade_questions import QUESTIONS
from tools import trade_page

HEAD = "exporter,importer,value\n"
MATRIX = HEAD + "CHN,CHN,9000\nCHN,KAZ,25\nKAZ,CHN,25\nKAZ,KAZ,110\n"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["landbridge", *words])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    path = tmp_path / "matrix.csv"
    path.write_text(MATRIX)
    return path


Call = Callable[..., tuple[int, str, str]]


@pytest.mark.shared
def test_kazakhstan_gains_on_the_input_output_flows(call: Call, shared: Path) -> None:
    """The reference experiment: +1.92 per cent, and every other country of it."""
    data = shared / "data/trade/trade_icio_2022_intermediate.csv"
    code, out, err = call("trade", "shock", "--pair", "CN-KZ", "--tau", "-10%", "--data", str(data), "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    welfare = {row["country"]: row["welfare_pct"] for row in found["countries"]}
    (wanted,) = [
        e
        for e in json.loads((shared / "reference/trade/icio_ge_experiments.json").read_text())["experiments"]
        if e["name"] == "CHN_KAZ_-10pct"
    ]
    assert welfare["KAZ"] == pytest.approx(1.922, abs=5e-4)
    for country, value in wanted["welfare_pct"].items():
        assert welfare[country] == pytest.approx(value, abs=1e-6), country


def test_a_shock_on_the_atlas(call: Call) -> None:
    code, out, _ = call("trade", "shock", "--pair", "CN-KZ", "--tau", "-10%", "--json")
    assert code == 0
    found = json.loads(out)
    kaz = next(row for row in found["countries"] if row["country"] == "KAZ")
    assert 1 < kaz["welfare_pct"] < 6
    assert kaz["home_share_after"] < kaz["home_share_before"], "import competition"
    assert "not added" in found["headline"]
    assert any("sales at home put at 5%" in note for note in found["notes"])
    code, out, _ = call("trade", "shock", "--pair", "CN-KZ", "--tau", "-10%", "--sectors", "--json")
    many = json.loads(out)
    assert {row["sector"] for row in many["sectors"]} == {
        "agrifood", "crude", "fuels", "chemicals", "manufactures", "machinery",
    }  # fmt: skip
    assert any("capped at 10" in note for note in many["notes"])


def test_the_modes_on_a_file(call: Call, matrix: Path) -> None:
    flows: dict[str, Any] = {}
    for mode in ("ge", "gravity", "elasticity"):
        code, out, err = call(
            "trade", "shock", "--pair", "CHN>KAZ", "--tau", "-10%", "--mode", mode, "--data", str(matrix), "--json"
        )
        assert (code, err) == (0, "")
        flows[mode] = json.loads(out)
    assert flows["elasticity"]["pairs"][0]["after"] == pytest.approx(25 * 0.9**-4)
    assert flows["gravity"]["pairs"][0]["after"] < flows["elasticity"]["pairs"][0]["after"]
    assert flows["gravity"]["countries"][0]["welfare_pct"] is None
    assert [p["importer"] for p in flows["ge"]["pairs"]] == ["KAZ"], "one way"
    code, out, _ = call("trade", "shock", "--pair", "CHN-KAZ", "--tau", "-10%", "--data", str(matrix))
    assert code == 0
    assert "Headline: welfare" in out


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--pair", "CHN-KAZ"], "wanted one of --tau, --freight and --embargo"),
        (["--pair", "CHN-KAZ", "--tau", "ten"], "wanted a change in per cent such as -10%"),
        (["--pair", "CHN-KAZ", "--tau", "-100%"], "more than -100%"),
        (["--pair", "CHNKAZ", "--tau", "-1%"], "wanted a pair such as CN-KZ"),
        (["--pair", "CHN-KZA", "--tau", "-1%"], "unknown country or bloc 'KZA'"),
        (["--pair", "CHN-CHN", "--tau", "-1%"], "no two different countries"),
        (["--pair", "CHN-KAZ", "--tau", "-1%", "--mode", "magic"], "unknown mode 'magic'"),
        (["--pair", "CHN-KAZ", "--tau", "-1%", "--theta", "0"], "--theta: wanted"),
        (["--pair", "CHN-KAZ", "--tau", "-1%", "--sectors"], "--sectors goes with"),
    ],
)
def test_wrong_words_are_told(call: Call, matrix: Path, words: list[str], wanted: str) -> None:
    code, out, err = call("trade", "shock", *words, "--data", str(matrix))
    assert code == 1
    assert out == ""
    assert wanted in err


def test_what_has_no_equilibrium_is_refused(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "unbalanced.csv"
    path.write_text(HEAD + "CHN,CHN,9000\nCHN,KAZ,25\nKAZ,CHN,16\nKAZ,KAZ,110\n")
    code, _, err = call("trade", "shock", "--pair", "CHN-KAZ", "--embargo", "--data", str(path))
    assert code == 1
    assert "no equilibrium" in err
    assert "out of balance" in err
    assert call("trade", "shock", "--pair", "CHN-KAZ", "--tau", "900%", "--data", str(path))[0] == 0


@pytest.mark.parametrize("mode", ["ge", "gravity", "elasticity"])
def test_an_embargo_on_everything_is_refused_in_every_mode(call: Call, tmp_path: Path, mode: str) -> None:
    path = tmp_path / "three.csv"
    path.write_text(
        HEAD + "CHN,CHN,9000\nCHN,KAZ,25\nCHN,UZB,9\nKAZ,CHN,16\nKAZ,KAZ,110\nKAZ,UZB,4\nUZB,CHN,2\nUZB,UZB,60\n"
    )
    pairs = [word for pair in ("CHN-KAZ", "CHN-UZB", "KAZ-UZB") for word in ("--pair", pair)]
    code, out, err = call("trade", "shock", *pairs, "--embargo", "--mode", mode, "--data", str(path))
    assert (code, out) == (1, "")
    assert "no equilibrium: the shock cuts" in err
    assert "out of balance" in err


def test_gravity_without_home_sales_says_what_it_keeps(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "abroad.csv"
    path.write_text(HEAD + "CHN,KAZ,25\nKAZ,CHN,16\nCHN,UZB,9\nUZB,CHN,4\nKAZ,UZB,5\nUZB,KAZ,3\n")
    words = ("--tau", "-10%", "--mode", "gravity", "--data", str(path), "--json")
    code, out, _ = call("trade", "shock", "--pair", "CHN>KAZ", *words)
    assert code == 0
    found = json.loads(out)
    assert any("only their partners change" in note for note in found["notes"])
    assert found["pairs"][0]["change_pct"] > 0.1
    path.write_text(HEAD + "CHN,KAZ,25\nKAZ,CHN,16\n")
    code, _, err = call("trade", "shock", "--pair", "CHN-KAZ", *words)
    assert code == 1
    assert "leaves nothing that could move" in err


def test_freight_on_a_file_says_whose_it_is(call: Call, matrix: Path) -> None:
    code, out, _ = call("trade", "shock", "--pair", "CHN>KAZ", "--freight", "-10%", "--data", str(matrix), "--json")
    assert code == 0
    assert any("atlas' own trade" in note and "matrix.csv" in note for note in json.loads(out)["notes"])


def test_the_page_has_a_place_for_every_figure() -> None:
    page = trade_page.PAGE.read_text(encoding="utf-8")
    blocks = {name: f"new {name}" for name in ("shock", *(q[0] for q in QUESTIONS))}
    filled = trade_page.filled(page, blocks)
    assert all(f"\nnew {name}\n" in filled for name in blocks)
    assert filled == trade_page.filled(filled, blocks)
    with pytest.raises(SystemExit, match="wanted"):
        trade_page.filled(page, {"shock": ""})


def test_a_matrix_without_home_sales_is_told(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "abroad.csv"
    path.write_text(HEAD + "CHN,KAZ,25\nKAZ,CHN,16\n")
    code, _, err = call("trade", "shock", "--pair", "CHN-KAZ", "--tau", "-1%", "--data", str(path))
    assert code == 1
    assert "needs sales at home" in err


def test_every_fault_of_a_matrix_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("exporter,importer,value\nCHN,KAZ,1\nCHN,KAZ,2\n,KAZ,3\nKAZ,CHN,-4\nKAZ,KAZ,many\n")
    with pytest.raises(DataError) as caught:
        read_trade_matrix(path)
    told = "\n".join(str(f) for f in caught.value.faults)
    for piece in ("line 4", "line 5", "'-4'", "'many'", "each flow once", "CHN to KAZ"):
        assert piece in told
    path.write_text("from,to,amount\nCHN,KAZ,1\n")
    with pytest.raises(DataError, match="a column exporter or exporter_iso3"):
        read_trade_matrix(path)
    path.write_text("exporter,importer,year,value\nCHN,KAZ,2022,1\nKAZ,CHN,2023,1\n")
    with pytest.raises(DataError, match="wanted one year, got 2022, 2023"):
        read_trade_matrix(path)
    with pytest.raises(LandbridgeError, match="no such file"):
        read_trade_matrix(tmp_path / "none.csv")
