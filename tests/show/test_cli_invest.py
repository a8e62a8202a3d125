"""The verbs of investment, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from landbridge.errors import DataError, LandbridgeError
from landbridge.show.cli import app


def ask(*words: str) -> str:
    result = CliRunner().invoke(app, words)
    if result.exception is not None:
        raise result.exception
    return result.output


def flows(folder: Path, *rows: str, head: str = "year,flow") -> str:
    path = folder / "flows.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return str(path)


def test_cash_flow_with_two_rates(tmp_path: Path) -> None:
    path = flows(tmp_path, "2026,230", "2025,-100", "2027,-132")
    found = json.loads(ask("cashflow", path, "--rate", "9%", "--json"))
    assert found["npv"] == pytest.approx(-0.0925847992593216, rel=1e-9)
    assert found["eirr"] == pytest.approx([0.1, 0.2])
    assert found["bcr"] == pytest.approx((230 / 1.09) / (100 + 132 / 1.09**2))
    assert found["payback_years"] == pytest.approx(100 / 230)
    assert any("later costs" in note for note in found["notes"])
    assert "10.0000%, 20.0000%" in ask("cashflow", path)


def test_cash_flow_without_a_rate_and_with_a_gap(tmp_path: Path) -> None:
    path = flows(tmp_path, "0,-100", "2,50")
    found = json.loads(ask("cashflow", path, "--rate", "0.05", "--json"))
    assert found["npv"] == pytest.approx(-100 + 50 / 1.05**2)
    assert found["payback_years"] is None
    assert found["notes"][0] == "year 1 is in no row: 0"


def test_all_faults_of_a_cash_flow_at_once(tmp_path: Path) -> None:
    path = flows(tmp_path, "2025,a", "x,1", "2026,1", "2026,2", "2027")
    with pytest.raises(DataError) as error:
        ask("cashflow", path)
    assert len(error.value.faults) == 4
    with pytest.raises(DataError, match="this column"):
        ask("cashflow", flows(tmp_path, "1,2", head="year,sum"))
    with pytest.raises(LandbridgeError, match="9%"):
        ask("cashflow", flows(tmp_path, "1,2"), "--rate", "9")
    with pytest.raises(LandbridgeError, match="no such file"):
        ask("cashflow", str(tmp_path / "none.csv"))
