"""Closures, dependence and bans on the atlas that ships, reduced size: sums that must meet, laws, and bad questions."""

from __future__ import annotations

import json
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from landbridge.errors import LandbridgeError, UnknownName
from landbridge.scenario.apply import apply
from landbridge.show.cli import app
from landbridge.study import chances, closing, short_run, stress, worst
from landbridge.study.dependence import KINDS, dependence, diversity, trade_values
from landbridge.study.exposure import _answered as answered_trade
from landbridge.study.exposure import exposure
from landbridge.study.ground import Ground
from landbridge.study.power_files import write_answer
from landbridge.study.results import read_results
from landbridge.study.solve import Settings
from small_run import small_tables

YEAR = 2023
HELD = frozenset({"cku"})


def ask(*words: str) -> str:
    result = CliRunner().invoke(app, words)
    if result.exception is not None:
        raise result.exception
    return result.stdout


@lru_cache(maxsize=1)
def answered() -> dict[str, Any]:
    """One closure by name with its backlog, the worst two ferries, and chances."""
    tables = small_tables()
    return stress.answer(
        Ground(tables, YEAR, "reduced", held=HELD),
        targets=closing.targets_of(tables, ["brest-malaszewicze"]),
        worst_of=2,
        among="ferries",
        chances={"brest-malaszewicze": 0.5, "erenhot-zamyn-uud": 0.1},
        draws=12,
        seed=3,
        days=4.0,
        robustness=2,
    )


def test_a_closure_moves_cargo_and_costs_somebody() -> None:
    closed = answered()["closed"]
    assert closed["cost_usd_yr"] > 0.0
    assert closed["principle"] == "user equilibrium"
    assert closed["relative_gap"] <= stress.GAP
    assert sum(row["trade_loss_usd_yr"] for row in closed["countries"]) == pytest.approx(
        closed["cost_usd_yr"], rel=1e-6
    )
    lost = closed["lost_land_tonnes_yr"]
    assert sum(row["lost_land_tonnes_yr"] for row in closed["countries"]) == pytest.approx(lost, rel=1e-6, abs=1.0)
    assert closed["to_outside_tonnes_yr"] + closed["unserved_tonnes_yr"] == pytest.approx(lost, rel=1e-6, abs=1.0)
    moved = {row["crossing"]: row for row in closed["crossings"]}
    assert moved["brest-malaszewicze"]["tonnes_after_yr"] == 0.0
    assert max(row["change_tonnes_yr"] for row in closed["crossings"]) > 0.0
    assert next(r for r in closed["countries"] if r["country"] == "PL")["paid_usd_yr"] < 0.0


def test_the_backlog_is_told_by_both_models() -> None:
    rows = answered()["closed"]["recovery"]
    fluid = [row for row in rows if row["cleared_share"] is None]
    assert {row["at"] for row in fluid} == {"BY-PL", "PL-BY"}
    for row in fluid:
        assert row["backlog_trains"] == pytest.approx(4 * row["trains_day"])
        assert row["clearing_days"] > 0.0
    assert {row["at"] for row in rows} - {row["at"] for row in fluid} == {"brest", "malaszewicze"}
    assert all(row["backlog_trains"] > 0 and row["clearing_days"] > 0 for row in rows)


def test_yards_that_an_event_closes_have_the_trains_of_its_time() -> None:
    """Poland's closure of 2025: 21 trains a day by both yards, not the 44 to plan with; clear in the days told then."""
    nothing = pl.DataFrame(schema={"crossing": pl.String})

    def yards(events: list[str]) -> dict[str, dict[str, Any]]:
        found = closing._recovery(small_tables(), "brest-malaszewicze", 13.0, nothing, events)
        return {row["at"]: row for row in found}

    at_the_time = yards(["2025-09-poland-belarus-closed"])
    assert sum(row["trains_day"] for row in at_the_time.values()) == pytest.approx(21)
    assert all(row["clearing_days"] < 14 for row in at_the_time.values())
    assert sum(row["trains_day"] for row in yards([]).values()) == pytest.approx(44.4)


def test_a_closed_country_has_a_backlog_at_each_of_its_crossings() -> None:
    ground = Ground(small_tables(), YEAR, "reduced", held=HELD)
    targets = closing.targets_of(small_tables(), ["PL"])
    rows = closing.close(ground, targets, settings=Settings(gap=stress.GAP, size="reduced"), days=2.0)["recovery"]
    assert len({row["crossing"] for row in rows}) > 3
    for row in (r for r in rows if r["cleared_share"] is None):
        assert "PL" in row["at"].split("-")
        assert row["backlog_trains"] == pytest.approx(2.0 * row["trains_day"])
    assert {"BY-PL", "PL-BY", "malaszewicze"} <= {row["at"] for row in rows}


def test_a_short_closure_saves_nobody_anything() -> None:
    """Who goes by land although the sea costs less on average has reasons to: leaving it is no gain."""
    ground = Ground(small_tables(), YEAR, "reduced", held=HELD)
    targets = closing.targets_of(small_tables(), ["khorgos-altynkol"])
    settings = Settings(gap=stress.GAP, size="reduced")
    for case in closing.close(ground, targets, settings=settings, days=0.1)["short_run"]["cases"]:
        assert case["cost_usd_t"] >= 0.0
        assert case["price_percent"] >= 0.0


def test_days_without_a_border_crossing_are_told_in_words() -> None:
    words = ["--days", "5", "--size", "reduced", "--quiet"]
    printed = " ".join(ask("stress", "--close", "sea-suez", *words).split())
    assert "After 5 days" not in printed
    assert "At a year's rate 5 days cost" in printed
    assert "No border crossing that trains use is shut" in printed
    assert "Nothing by land was on a path over what is shut" in printed


def test_days_lie_between_room_and_none() -> None:
    closed = answered()["closed"]
    cases = closed["short_run"]["cases"]
    assert [case["spare"] for case in cases] == [0.0, 0.5, 1.0]
    for case in cases:
        assert case["waits"] + case["diverted"] + case["outside"] == pytest.approx(1.0)
        assert case["cost_percent"] >= 0.0
        assert case["price_percent"] >= case["cost_percent"] - 1e-6
    assert cases[0]["diverted"] == 0.0 < cases[-1]["diverted"]  # without any room elsewhere nobody goes another way
    assert cases[0]["price_percent"] > cases[-1]["price_percent"] > 0.0
    assert cases[0]["backlog_trains"] > cases[-1]["backlog_trains"]
    assert closed["reported"] == []  # nothing was reported of a closure that is made up


def test_reports_of_an_event_come_from_its_own_sources() -> None:
    reports = short_run.reports_of(small_tables(), "2025-09-poland-belarus-closed")
    by = {row["fact"]: row for row in reports}
    assert {"F0831", "F0832", "F0834"} <= set(by)
    assert by["F0834"]["value"] == 15.0
    told = {
        "cost_usd_yr": 2.0, "all_cost_before_usd_yr": 1000.0, "days": 13.0,
        "short_run": {"cases": [{"price_percent": p, "backlog_trains": b} for p, b in ((20.0, 90.0), (2.0, 40.0))]},
        "recovery": [{"backlog_trains": 300.0, "cleared_share": 1.0}, {"backlog_trains": 9.0, "cleared_share": None}],
    }  # fmt: skip
    beside = {row["fact"]: row for row in short_run.beside_reports(reports, told)}
    price, trains, loss = (beside[fact] for fact in ("F0834", "F0832", "F0833"))
    assert [price[k] for k in ("modelled_year", "modelled_least", "modelled_most")] == [pytest.approx(0.2), 2.0, 20.0]
    assert [trains["modelled_least"], trains["modelled_most"]] == [40.0, 300.0]
    assert loss["modelled_most"] is None  # the model has no such figure, and says so
    assert short_run.reports_of(small_tables(), "KZ") == []


def test_robustness_of_what_carries_the_most() -> None:
    index = answered()["robustness"]
    assert index["among"] == "ferries"
    assert len(index["rows"]) == 2
    assert index["rows"][0]["index_usd_yr"] >= index["rows"][1]["index_usd_yr"]
    for row in index["rows"]:
        assert row["tonnes_yr"] > 0.0
        assert row["index_usd_yr"] > -1e-6 * index["base_cost_usd_yr"]
        assert row["relative_gap"] <= index["gap"]


@pytest.mark.shared
def test_robustness_of_a_file_meets_the_reference(shared: Path) -> None:
    criticality = json.loads(
        (shared / "reference" / "econ" / "criticality_siouxfalls.json").read_text(encoding="utf-8")
    )
    files = [str(shared / "tntp" / f"SiouxFalls_{name}.tntp") for name in ("net", "trips")]
    words = ["--network", files[0], "--trips", files[1], "--json"]
    found = json.loads(ask("stress", *words, "--robustness", "76"))
    assert found["base_cost"] == pytest.approx(criticality["base_tstt"], rel=1e-6)
    rows = {(int(row["from"]), int(row["to"])): row for row in found["rows"]}
    assert len(rows) == 76
    for entry in criticality["links"]:
        assert rows[entry["frm"], entry["to"]]["index"] == pytest.approx(entry["NRI_100"], rel=1e-3)
    index = [row["index"] for row in found["rows"]]
    assert index == sorted(index, reverse=True)
    roads = json.loads(ask("stress", *words, "--robustness", "38", "--among", "roads"))
    both = {frozenset(row["id"].split(", ")): row for row in roads["rows"]}
    assert len(both) == 38
    for entry in criticality["roads_closed_both_ways"]:
        assert both[frozenset(map(str, entry["links"]))]["index"] == pytest.approx(entry["NRI"], rel=1e-3)


def test_a_network_file_takes_one_question(tmp_path: Path) -> None:
    for words, fault in (
        (["--network", str(tmp_path)], "goes with --robustness"),
        (["--network", str(tmp_path), "--robustness", "2", "--close", "KZ"], "goes with --robustness and no other"),
        (["--network", str(tmp_path), "--robustness", "2", "--among", "crossings"], "unknown kind 'crossings'"),
        (["--trips", str(tmp_path), "--robustness", "2"], "go with a network file"),
        (["--network", str(tmp_path / "none"), "--robustness", "2"], "no such file"),
        (["--robustness", "2", "--cut", "0"], "--cut: wanted a share above 0"),
    ):
        with pytest.raises(LandbridgeError, match=fault):
            ask("stress", *words)


def test_the_worst_are_worse_than_any_alone() -> None:
    told = answered()["worst"]
    first, second = told["worst"]
    ranking = told["ranking"]
    assert first["rise_usd_yr"] == pytest.approx(ranking[0]["rise_usd_yr"], rel=1e-9)
    assert first["sets"][0]["closed"] == [ranking[0]["id"]]
    assert second["rise_usd_yr"] >= first["rise_usd_yr"]
    assert [r["rise_usd_yr"] for r in ranking] == sorted((r["rise_usd_yr"] for r in ranking), reverse=True)
    assert all(r["rise_usd_yr"] >= -1e-3 for r in ranking)


def test_chances_are_listed_or_drawn_and_come_again() -> None:
    chance = answered()["chance"]
    closures, both = chance["closures"], chance["closures_and_delays"]
    assert closures["exact"]
    assert closures["states"] == 4
    assert 0.0 < closures["mean"] < closures["most"]
    assert both["states"] == 12
    assert both["standard_error"] == pytest.approx(both["std"] / np.sqrt(12))
    assert chance["chances"]["brest-malaszewicze"]["because"] == "assumed by the user"


def test_the_record_of_closures_has_its_reason() -> None:
    found = chances.chances_of(small_tables(), date(2026, 7, 1))
    assert found["brest-malaszewicze"]["probability"] == pytest.approx(13 / 4929)
    assert "Poland" in found["brest-malaszewicze"]["because"]
    assert "vyborg-vainikkala" not in found  # shut for good is no chance


def test_what_can_be_closed() -> None:
    tables = small_tables()
    names = ["khorgos-altynkol", "ferry:kz-aktau:az-alat", "kz", "EAEU", "sea-suez", "2025-09-poland-belarus-closed"]
    found = closing.targets_of(tables, names)
    assert [t.kind for t in found] == ["crossing", "ferry", "country", "bloc", "place", "event"]
    assert "brest-malaszewicze" in found[-1].measure.crossings
    with pytest.raises(UnknownName, match="khorgos"):
        closing.targets_of(tables, ["khorgos-altyncol"])
    with pytest.raises(UnknownName, match="crossing that is open"):
        chances.by_chance(
            apply(tables, (), YEAR, held=HELD).tables,
            {"kars-gyumri": {"probability": 0.1, "because": ""}},
            year=YEAR,
            settings=Settings(size="reduced"),
            draws=2,
            seed=0,
        )


@pytest.mark.parametrize("kind", [k for k in worst.AMONG if k != "crossings"])
def test_elements_have_arcs_of_their_kind(kind: str) -> None:
    tables, ground = _ground()
    names, arcs = worst.elements_of(ground.laden.prepared.network, kind, tables)
    assert len(names) == len(arcs)
    assert len(set(names)) == len(names)
    if kind != "countries":
        joined = np.concatenate(arcs)
        assert np.unique(joined).size == joined.size
        ocean = set(tables["links"].filter(pl.col("ocean"))["id"].to_list())
        assert not ocean & set(names)


@lru_cache(maxsize=1)
def _ground() -> Any:
    tables = apply(small_tables(), (), YEAR, held=HELD).tables
    return tables, worst.trials_of(tables, year=YEAR, settings=Settings(size="reduced"), among="crossings")


# ----------------------------------------------------------------------------------------------------- dependence


@lru_cache(maxsize=1)
def depends() -> dict[str, Any]:
    return dependence(small_tables(), country="UZ", years=[YEAR], scenarios={"base": ()}, held=HELD, size="reduced")


def test_a_double_landlocked_country_must_cross() -> None:
    found = depends()
    by = {row["partner"]: row for row in found["pairs"]}
    for row in found["pairs"]:
        if row["must_cross"] is not None:
            assert 0.0 <= row["must_cross"] <= 1.0
        if row["actual"] is not None:
            assert row["actual_least"] <= row["actual"] <= row["actual_most"] <= 1.0
            assert row["actual_most"] >= row["must_cross"] - 1e-3 or row["third_tonnes_yr"] > 0  # the sea is a way too
        assert row["free_usd_yr"] >= -1e-6
        assert row["capacity_usd_yr"] >= 0.0
    assert by["KZ"]["actual"] > 0.3  # most of what goes far crosses Kazakhstan
    assert by["KZ"]["capacity_usd_yr"] > by["RU"]["capacity_usd_yr"]
    assert found["pairs"][0]["partner"] == "KZ"


def test_diversification_by_kind() -> None:
    found = depends()
    rows = {row["kind"]: row for row in found["diversification"]}
    assert set(rows) == {"trade", "gateways", "transit", "energy"}
    for row in rows.values():
        assert 1.0 / row["ways"] - 1e-12 <= row["hhi"] <= 1.0
        assert row["effective_number"] == pytest.approx(1.0 / row["hhi"])
        assert row["unit"] == KINDS[row["kind"]][0]
    assert rows["gateways"]["largest"] == "saryagash-keles"
    assert rows["energy"]["largest"] in {"TM", "KZ"}


def test_kinds_stand_side_by_side_and_what_is_not_known_is_empty() -> None:
    found = depends()
    (row,) = found["multi_vector"]
    assert list(row) == ["scenario", "year", "country", *KINDS]
    assert row["loans"] is None  # no loan to Uzbekistan in the atlas
    numbers = {r["kind"]: r["effective_number"] for r in found["diversification"]}
    assert {kind: row[kind] for kind in numbers} == numbers


def test_loans_stand_apart_with_their_lender() -> None:
    tables = small_tables()
    rows = diversity(tables, None, {}, 2026, ["KG", "IR", "KZ"])
    loans = {row["country"]: row for row in rows if row["kind"] == "loans"}
    assert {c: row["largest"] for c, row in loans.items()} == {"KG": "CN", "IR": "RU"}
    assert not [r for r in diversity(tables, None, {}, 2024, ["KG"]) if r["kind"] == "loans"]  # agreed in 2025


def test_trade_follows_the_year() -> None:
    tables = small_tables()
    later, past = (trade_values(tables, year) for year in (2030, 2013))
    assert later["CN", "KZ"] > past["CN", "KZ"] > 0.0


# ------------------------------------------------------------------------------------------------------ sanctions


@lru_cache(maxsize=1)
def banned() -> dict[str, Any]:
    return exposure(Ground(small_tables(), YEAR, "reduced", held=HELD), "ru", "KZ")


def test_a_ban_hurts_less_once_there_are_other_ways() -> None:
    rows = {(r["ban"], r["step"], r["country"]): r for r in banned()["steps"]}
    first, second = "RU may not cross KZ", "KZ answers in kind"
    for ban in (first, second):
        loss = [rows[ban, step, "RU"]["trade_loss_usd_yr"] for step in ("stuck", "re-routed", "trade answers")]
        assert loss[0] > loss[1] > loss[2] > 0.0
        assert rows[ban, "stuck", "KZ"]["lost_takings_usd_yr"] > 0.0
        assert rows[ban, "trade answers", "RU"]["trade_change_tonnes_yr"] < 0.0
        takings = [sum(rows[ban, s, c]["lost_takings_usd_yr"] for c in ("RU", "KZ", "others"))
                   for s in ("re-routed", "trade answers")]  # fmt: skip
        assert takings[1] > takings[0]  # what is no longer traded pays nobody
        assert rows[ban, "re-routed", "RU"]["trade_change_tonnes_yr"] == 0.0
    assert rows[second, "stuck", "KZ"]["trade_loss_usd_yr"] > rows[first, "stuck", "KZ"]["trade_loss_usd_yr"] == 0.0
    total = [sum(rows[b, "re-routed", c]["trade_loss_usd_yr"] for c in ("RU", "KZ", "others")) for b in (first, second)]
    assert total[1] > total[0]
    # while nobody else is touched, whom Russia trades with bears the other half, and the answer says so
    others = rows[first, "stuck", "others"]
    assert others["trade_loss_usd_yr"] == pytest.approx(rows[first, "stuck", "RU"]["trade_loss_usd_yr"])
    assert "shared evenly by its two ends" in banned()["read_with"]["halves"]


def test_trade_falls_along_its_curve() -> None:
    """One relation pays 10 more on goods worth 90 with freight of 10: at elasticity 1 a tenth less is traded."""
    base = {"by_relation": np.array([1000.0, 0.0]), "traded": np.array([100.0, 0.0])}
    state = {**base, "by_relation": np.array([2000.0, 0.0]), "land": np.array([50.0, 0.0])}
    found = answered_trade(base, state, np.array([90.0, np.nan]), 1.0)
    assert found["traded"] == pytest.approx([100 / 1.1, 0.0])
    assert found["by_relation"] - base["by_relation"] == pytest.approx([1000 * (1 + 1 / 1.1) / 2, 0.0])
    same = answered_trade(base, state, np.array([90.0, np.nan]), 0.0)
    assert same["by_relation"] == pytest.approx(state["by_relation"])


def test_bans_that_make_no_sense() -> None:
    for words, said in ((("RU", "RU"), "twice"), (("RU", "XX"), "unknown country")):
        with pytest.raises(LandbridgeError, match=said):
            exposure(Ground(small_tables(), YEAR, "reduced"), *words)


# ----------------------------------------------------------------------------------------------- files, and the verbs


@pytest.mark.parametrize("make", [answered, depends, banned])
def test_an_answer_is_a_folder_of_tables(make: Any, tmp_path: Path) -> None:
    found = make()
    write_answer(tmp_path / "out", small_tables(), found)
    read = read_results(tmp_path / "out")
    assert read.manifest["kind"] == found["question"]
    for name, frame in read.tables.items():
        assert not frame.is_empty()
        assert set(read.manifest["columns"][name]) == set(frame.columns)
        assert all(told["meaning"] for told in read.manifest["columns"][name].values())
    assert json.loads((tmp_path / "out" / "answer.json").read_text(encoding="utf-8"))["question"] == found["question"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stress"], "say what to close"),
        (["stress", "--chance", "khorgos-altynkol=2"], "from 0 to 1"),
        (["stress", "--worst", "1", "--among", "bridges"], "bridges"),
        (["stress", "--close", "nowhere"], "nowhere"),
        (["dependence", "KAZ"], "KAZ"),
        (["dependence", "KZ", "--years", "2026-2013"], "2013-2026"),
        (["exposure", "RU", "ru"], "twice"),
    ],
)
def test_what_the_verbs_refuse(words: list[str], said: str) -> None:
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, LandbridgeError)
    assert said in str(result.exception)
