"""`landbridge terminal` as a user runs it."""

import json
import sys

import pytest

from landbridge.show import cli
from landbridge.show.cli_terminal import BARS, sparkline


def run(capsys, monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["landbridge", *words])
    try:
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    got = capsys.readouterr()
    return code, got.out, got.err


FAST = ("--days", "15", "--replications", "2")


def test_json_holds_what_is_promised(capsys, monkeypatch, tmp_path):
    out = tmp_path / "run"
    code, text, err = run(capsys, monkeypatch, "terminal", "khorgos-gateway", *FAST, "--json", "--out", str(out))
    assert (code, err) == (0, "")
    told = json.loads(text)
    for key in ("throughput_teu_yr", "trains_day", "utilisation", "bottleneck", "stable", "confidence_intervals_95"):
        assert key in told
    for stage in ("crane", "processing", "waiting", "total", "handling"):
        assert set(told["dwell_h"][stage]) == {"mean", "p50", "p90"}
    parts = sum(told["dwell_h"][name]["mean"] for name in ("crane", "processing", "waiting"))
    assert parts == pytest.approx(told["dwell_h"]["total"]["mean"])
    assert told["little"]["greatest_error"] < 1e-9
    assert {p.name for p in out.iterdir()} == {"terminal.json", "visits.parquet", "queue.parquet", "trace.json"}
    again = json.loads(run(capsys, monkeypatch, "terminal", "khorgos-gateway", *FAST, "--json")[1])
    assert {**again, "out": str(out)} == told
    assert told["overlay"] is None


def test_results_name_the_users_values(capsys, monkeypatch, tmp_path):
    """What is printed for programs and what is kept both say that the plan is not the atlas' own."""
    own, out = tmp_path / "terminal_plans.csv", tmp_path / "run"
    own.write_text("id,stack_teu\nkhorgos-gateway,17000\n")
    words = ("terminal", "khorgos-gateway", *FAST, "--overlay", str(own), "--json", "--out", str(out))
    told = json.loads(run(capsys, monkeypatch, *words)[1])
    assert (told["overlay"]["name"], told["overlay"]["tables"]) == ("terminal_plans", {"terminal_plans": 1})
    kept = json.loads((out / "terminal.json").read_text())
    assert (kept["overlay"], kept["plan"]["stack_teu"]) == (told["overlay"], 17000)


def test_tables_sparkline_and_instability(capsys, monkeypatch):
    code, text, _ = run(capsys, monkeypatch, "terminal", "khorgos-gateway", *FAST)
    assert code == 0
    assert "stable" in text
    assert "trains outside,  1435" in text
    assert "1 group of 3" in text
    code, text, _ = run(
        capsys, monkeypatch, "terminal", "khorgos-gateway", *FAST, "--trains-per-day", "40", "--set", "cranes=3"
    )
    assert code == 0
    assert "UNSTABLE" in text
    assert "Hours of a unit" not in text


def test_curve_list_and_event(capsys, monkeypatch):
    code, text, _ = run(capsys, monkeypatch, "terminal", "khorgos-gateway", *FAST, "--curve", "--json")
    curve = json.loads(text)["curve"]
    assert code == 0
    assert curve["points"][-1]["stable"] is False
    assert curve["points"][-1]["dwell_h"] is None
    code, text, _ = run(capsys, monkeypatch, "terminal", "khorgos-gateway", *FAST, "--curve")
    assert "saturates" in text
    code, text, _ = run(capsys, monkeypatch, "terminal", "--list", "--json")
    assert len(json.loads(text)) >= 12
    words = ("--replications", "2", "--event", "2022-07-loading-stop")
    code, text, _ = run(capsys, monkeypatch, "terminal", "khorgos-gateway", *words)
    assert code == 0
    assert "days until it is cleared, 2 of 2 runs" in text
    assert "event: the queue was cleared in 2 of 2 runs" in text
    assert "With 9.5 trains a day, as at the time of the event" in " ".join(text.split())
    assert "stable" not in text
    _, text, _ = run(capsys, monkeypatch, "terminal", "khorgos-gateway", *words, "--trains-per-day", "5", "--json")
    assert json.loads(text)["recovery"]["trains_day"] == pytest.approx(5)  # what is asked for by hand goes first


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "wanted the id of a terminal"),
        (("khorgos-gatewy",), "did you mean khorgos-gateway"),
        (("dostyk", "--set", "cranes"), "wanted WORD=VALUE"),
        (("dostyk", "--set", "cranes=0"), "wanted a whole number at least 1"),
        (("dostyk", "--set", "boxes-1435.arrives=1676"), "wanted a side with tracks it fits (1435 or 1520), got 1676"),
        (("dostyk", "--days", "-3"), "--days: wanted a number above 0"),
        (("dostyk", "--stream", "boxes-1435"), "--stream goes with --curve"),
        (("dostyk", "--event", "2025-09-poland-belarus-closed"), "2021-10-loading-stop"),
        (("--plan", "nowhere.toml"), "no such file"),
        (("dostyk", "--plan", "yard.toml"), "got both: dostyk and --plan yard.toml"),
    ],
)
def test_errors_say_what_to_do(capsys, monkeypatch, words, message):
    code, text, err = run(capsys, monkeypatch, "terminal", *words)
    assert code == 1
    assert text == ""
    assert message in err


def test_sparkline():
    assert sparkline([]) == ""
    assert sparkline([0, 0, 0]) == BARS[0] * 3
    assert sparkline([0, 1]) == BARS[0] + BARS[-1]
    assert len(sparkline(list(range(1000)))) == 72
    assert sparkline([0.0] * 99 + [5.0], 10) == BARS[0] * 9 + BARS[-1]
