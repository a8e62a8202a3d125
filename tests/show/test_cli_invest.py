"""The verbs of investment, as a user meets them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from landbridge.errors import DataError, LandbridgeError, OutputError
from landbridge.show.cli import app
from landbridge.show.cli_invest import _print_measures


def ask(*words: str) -> str:
    result = CliRunner().invoke(app, words)
    if result.exception is not None:
        raise result.exception
    return result.stdout  # what is compiled is told beside it


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
    # 130 after a year, 2 short at the end
    assert found["payback_years"] is None
    assert found["discounted_payback_years"] is None
    why = "no payback: the sum of all years ends 2 below zero, though it was back at zero for a while"
    assert why in found["notes"]
    assert "10.0000%, 20.0000%" in ask("cashflow", path)


def test_cash_flow_without_a_rate_and_with_a_gap(tmp_path: Path) -> None:
    path = flows(tmp_path, "0,-100", "2,50")
    found = json.loads(ask("cashflow", path, "--rate", "0.05", "--json"))
    assert found["npv"] == pytest.approx(-100 + 50 / 1.05**2)
    assert found["payback_years"] is None
    assert found["notes"][0] == "year 1 is in no row: 0"
    assert "no payback: the sum of all years ends 50 below zero" in found["notes"]
    assert "never" in ask("cashflow", path)


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


STUDY = """\
name = "Small"
years = [2030]
size = "reduced"

[[scenario]]
id = "base"

[[scenario]]
id = "all"
extends = "base"

[[scenario.measure]]
kind = "build"
project = "rail-baltica"
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("study") / "small.toml"
    path.write_text(STUDY, encoding="utf-8")
    return str(path)


def test_a_project_from_the_study_to_the_report(study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    found = json.loads(ask("appraise", study, "--out", str(out), "--json"))
    (project,) = found["projects"]
    assert project["alone"]["gross_benefit_usd"] == 0.0
    assert project["alone"]["npv_usd"] == pytest.approx(-project["alone"]["cost_present_value_usd"])
    assert (out / "tables" / "appraisal_flows.parquet").is_file()
    capsys.readouterr()
    _print_measures(project, 0.09)
    text = capsys.readouterr().out
    for words in ("best opening", "payback", "never zero", "if it opens 3 years late", "7 of 12 announced openings"):
        assert words in text
    # what is asked for beside it and cannot be valued says why
    assert "Not valued: nsr-container-line: A sailing" in ask(
        "appraise", study, "--project", "rail-baltica,nsr-container-line", "--alone"
    )
    assert ask("report", str(out)).strip().endswith("report.html")
    # results of another kind are never replaced
    with pytest.raises(OutputError, match="left alone"):
        ask("run", study, "--out", str(out))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--budget", "ten"), "10bn, 500mn or 2e9"),
        (("--budget", "1bn", "--payer", "CN:much"), "payer CN:much"),
        (("--budget", "1bn", "--payer", "QQ:5%"), "country"),
        (("--budget", "1bn", "--payer", "CN:51%", "--payer", "cn:30%"), "each country once, got CN again"),
        (("--budget", "1bn", "--before", "cku"), "A:B"),
        (("--budget", "1bn", "--before", "rail-baltica:rail-baltica"), "rail-baltica > rail-baltica"),
        (("--budget", "1bn", "--exclude", "rail-baltica:rail-baltica"), "rail-baltica excludes itself"),
        (
            ("--budget", "1bn", "--project", "cku,tripp", "--before", "cku:tripp", "--before", "tripp:cku"),
            "wait for the one",
        ),
        (("--budget", "1bn", "--project", "ckx"), "ckx"),
        (("--budget", "1bn", "--welfare", "KZ:-1"), "weight of at least 0"),
        (("--budget", "1bn", "--welfare", "KZ:much"), "weight of at least 0"),
        (("--budget", "1bn", "--welfare", "KZ:2,KZ"), "each country once"),
        (("--budget", "1bn", "--project", "nsr-container-line"), "A sailing, not a building"),
    ],
)
def test_what_a_programme_cannot_take(study: str, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(LandbridgeError, match=message):
        ask("plan", study, *words)


def test_links_to_build_and_their_faults(shared: Path, tmp_path: Path) -> None:
    net, trips = (str(shared / "tntp" / f"Braess_{kind}.tntp") for kind in ("net", "trips"))
    path = tmp_path / "c.csv"
    path.write_text("from,to,capacity,fft,cost\n1,2,1,200,5\n", encoding="utf-8")
    found = json.loads(ask("design", net, trips, str(path), "--budget", "5", "--json"))
    assert found["proved"]
    assert found["total_travel_time"] <= found["without"]
    assert found["lower_bound"] == found["total_travel_time"]
    assert found["seconds_cpu_compiling"] > 0.0  # apart from the search
    with pytest.raises(LandbridgeError, match="no such file"):
        ask("design", net, trips, str(tmp_path / "none.csv"), "--budget", "5")


def test_compiling_is_told_once_where_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    from landbridge.study import design

    monkeypatch.setattr(design, "PATIENCE_S", 0.2)
    told: list[str] = []
    with design._told_when_long(told.append):
        pass
    assert told == []
    with design._told_when_long(told.append):
        begin = time.process_time()
        while not told and time.process_time() - begin < 20.0:
            sum(range(1000))
    assert len(told) == 1
    assert "once" in told[0]
    with pytest.raises(ZeroDivisionError), design._told_when_long(told.append):  # its thread ends with it
        raise ZeroDivisionError
    assert len(told) == 1
