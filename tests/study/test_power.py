"""The corridor game on the atlas that ships, reduced size: worths, consent to build, cache, and who is told what."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from landbridge.errors import LandbridgeError, OutputError, UnknownName
from landbridge.model.leverage import make
from landbridge.model.network import MODES, ArcKind
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Build
from landbridge.study.carriage import lay_out
from landbridge.study.content import content_of
from landbridge.study.files import Study, read_study
from landbridge.study.players import pairs_of, players_of
from landbridge.study.power import BuildCost, change, power
from landbridge.study.power import _cost as cost_of
from landbridge.study.power import _if_built as if_built
from landbridge.study.power_files import write_answer
from landbridge.study.results import read_results
from landbridge.study.runner import Processes
from landbridge.study.solve import Settings
from landbridge.study.worth import (
    RULES,
    Corridors,
    Sampled,
    corridors,
    solve_worths,
    worth_game,
)
from small_run import STUDY, small_tables

YEAR = 2023


@lru_cache(maxsize=1)
def small_study(folder: Path) -> Study:
    path = folder / "small.toml"
    path.write_text(STUDY, encoding="utf-8")
    return read_study(path)


@lru_cache(maxsize=4)
def found(rule: str, names: tuple[str, ...]) -> Corridors:
    tables = small_tables()
    applied = apply(tables, (), YEAR, held=frozenset({"cku"}))
    return corridors(
        applied.tables, players_of(tables, names, YEAR), rule=rule, year=YEAR, settings=Settings(size="reduced")
    )


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    study = small_study(tmp_path_factory.mktemp("power"))
    return power(study, small_tables(), players=["CN", "KZ", "kg", "uz"], blocs=["eaeu"])


def test_what_must_be_known_comes_with_it(solved: dict[str, Any]) -> None:
    assert list(solved["players"]) == ["CN", "KZ", "KG", "UZ"]
    assert solved["rules"].keys() == set(RULES)
    assert solved["investment_options"] == ["cku"]
    assert solved["consent_to_build"] == ["CN", "KG"]
    assert "optimum" in solved["principle"]
    for told in solved["rules"].values():
        for name in ("before", "after"):
            assert isinstance(told[name]["superadditive"], bool)
            assert sum(told[name]["shapley"].values()) == pytest.approx(told[name]["worth_of_all"], rel=1e-9)
            assert set(told[name]["owen"]) == {"CN", "KZ", "KG", "UZ"}


def test_a_railway_gives_to_those_on_it_and_takes_from_the_bypassed(solved: dict[str, Any]) -> None:
    for told in solved["rules"].values():
        change = told["change"]
        assert change["worth_usd_yr"] > 0
        assert change["shapley"]["KG"] > 0 > change["shapley"]["KZ"]
        assert sum(change["shapley"].values()) == pytest.approx(change["worth_usd_yr"], rel=1e-6)
        assert "KG" in change["wants"]
        assert "KZ" in change["blocks"]
        assert change["exclusion"]["CN"] == pytest.approx(0.0, abs=1e-9)  # cannot be built without China
        assert change["exclusion"]["KG"] == pytest.approx(0.0, abs=1e-9)
        assert all({"CN", "KG"} <= set(one["players"]) for one in change["alone"])


def test_joint_gain_does_not_hang_on_the_rule(solved: dict[str, Any]) -> None:
    first, second = (solved["rules"][rule]["change"]["worth_usd_yr"] for rule in RULES)
    assert first == pytest.approx(second, rel=1e-6)


def test_price_takers_need_fewer_consents() -> None:
    names = ("CN", "KZ", "RU")
    all_play, price_takers = (solve_worths(found(rule, names).game) for rule in RULES)
    assert (price_takers >= all_play - 1e-3).all()
    assert price_takers[-1] == pytest.approx(all_play[-1], rel=1e-9)  # with everybody's consent there is no difference
    assert price_takers[0] > all_play[0]


def test_transfers_change_no_power() -> None:
    names = ("CN", "KZ", "RU")
    tables = small_tables()
    frames = tables["crossings"]
    fees = [c for c in frames.columns if c.startswith("cost_")]
    dearer = tables.replace(crossings=frames.with_columns(frames[c] * 2 + 10 for c in fees))
    held = frozenset({"cku"})
    other = corridors(
        apply(dearer, (), YEAR, held=held).tables,
        players_of(tables, names, YEAR),
        rule=RULES[0],
        year=YEAR,
        settings=Settings(size="reduced"),
    )
    first = found(RULES[0], names).game
    # outside options that use a land border inside the EU may change; the land network's own costs do not
    assert np.array_equal(other.game.cost_usd_t, first.cost_usd_t)


def test_same_worths_from_workers_and_from_the_cache(tmp_path: Path) -> None:
    game = found(RULES[0], ("CN", "KZ")).game
    alone = solve_worths(game, cache=tmp_path)
    rows = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(rows) == 4
    rows[0].write_bytes(rows[0].read_bytes()[:40])  # a row that was cut short is solved again
    seen: list[int] = []
    again = solve_worths(game, cache=tmp_path, progress=lambda done, _all: seen.append(done))
    assert seen == [0, 1, 2, 3, 4]
    assert again.tolist() == alone.tolist()
    assert solve_worths(game, where=Processes(2)).tolist() == alone.tolist()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot be written"):
        solve_worths(found(RULES[0], ("CN", "KZ")).game, cache=tmp_path / "file")


def test_content_tells_games_apart() -> None:
    game = found(RULES[0], ("CN", "KZ")).game
    assert content_of(game) == content_of(replace(game, room=game.room.copy()))
    room = game.room.copy()
    room[3] += 1e-9
    assert content_of(game) != content_of(replace(game, room=room))


def test_players_and_blocs_by_name() -> None:
    tables = small_tables()
    players = players_of(tables, ["cn", "EAEU"], YEAR)
    assert players.names == ("CN", "eaeu")
    assert {"KZ", "RU", "BY"} <= players.members[1]
    with pytest.raises(LandbridgeError, match="KZ would play twice"):
        players_of(tables, ["KZ", "eaeu"], YEAR)
    with pytest.raises(LandbridgeError, match="each once, got CN again"):
        players_of(tables, ["CN", "cn"], YEAR)
    with pytest.raises(UnknownName, match="player 'KAZ'"):
        players_of(tables, ["KAZ"], YEAR)
    with pytest.raises(LandbridgeError, match="at least one"):
        players_of(tables, [], YEAR)


def test_railways_by_name() -> None:
    tables = small_tables()
    players = players_of(tables, ["KTZ", "ru-rzd", "KZ"], YEAR)
    assert players.names == ("kz-ktz", "ru-rzd", "KZ")
    assert players.members == (frozenset(), frozenset(), frozenset({"KZ"}))
    assert players.home[:2] == (frozenset({"KZ"}), frozenset({"RU"}))
    assert players.speaks_for[0] == ("railway Kazakhstan Temir Zholy (KTZ)",)
    with pytest.raises(LandbridgeError, match="wanted each once, got kz-ktz again"):
        players_of(tables, ["ktz", "kz-ktz"], YEAR)
    with pytest.raises(LandbridgeError, match=r"sz means several railways: cz-sz, si-sz"):
        players_of(tables, ["sz"], YEAR)
    assert players_of(tables, ["uz"], YEAR).names == ("UZ",)  # a country before a railway that is called alike


def test_a_railway_owns_its_tracks_and_nothing_else() -> None:
    """Rails and rail borders of Kazakhstan ask its railway as they ask the country; roads and ferries ask only that."""
    tables = apply(small_tables(), (), YEAR, held=frozenset({"cku"})).tables
    laden = lay_out(tables, year=YEAR, settings=Settings(size="reduced"), transfers=False)
    net = laden.prepared.network

    def asks(*names: str) -> Any:
        return corridors(
            tables, players_of(tables, names, YEAR), rule=RULES[0], year=YEAR, settings=Settings(size="reduced"),
            laden=laden,
        ).game.consent  # fmt: skip

    country, railway, both = asks("KZ"), asks("ktz"), asks("KZ", "ktz")
    assert (both == (country | railway << 1)).all()
    assert ((railway == 0) | (country == 1)).all()
    rail = net.mode == MODES.index("rail")
    run = rail & (net.kind == ArcKind.MOVE)
    assert (railway[run] == country[run]).all()
    border = rail & (net.kind == ArcKind.BORDER)
    assert (railway[border] == country[border]).all()
    assert not railway[~(run | border)].any()
    assert country[~(run | border)].any()
    # a railway abroad: RB Rail has all of Rail Baltica's line, beyond its home too
    abroad = asks("baltic-rb")
    line = [i for i, link in enumerate(net.links) if link == "rail:lv-riga:ee-tallinn"]
    assert all(abroad[np.isin(net.link, line) & run] == 1)


def test_railways_bargain_and_build(tmp_path: Path) -> None:
    answer = power(
        small_study(tmp_path), small_tables(), players=["cn-cr", "ktz", "rzd", "cku-company"], blocs=["eaeu"],
        talks=["neighbours"], weights=["ktz=2"],
    )  # fmt: skip
    assert answer["players"]["ru-rzd"] == ["railway Russian Railways (RZD)"]
    assert answer["consent_to_build"] == ["cn-cr", "cku-company"]
    assert ["cn-cr", "kz-ktz"] in answer["talks"]
    assert ["ru-rzd", "cku-company"] not in answer["talks"]  # Russia and Kyrgyzstan have no border
    for told in answer["rules"].values():
        before = told["before"]
        assert before["as_one"][0]["players"] == ["kz-ktz", "ru-rzd", "cku-company"]  # all at home in the union
        assert sum(before["weighted_shapley"].values()) == pytest.approx(before["worth_of_all"], rel=1e-9)
        assert before["shapley"]["kz-ktz"] > before["shapley"]["cku-company"] >= 0.0
        assert told["change"]["shapley"]["cku-company"] > 0.0 > told["change"]["shapley"]["kz-ktz"]


def test_who_talks_and_weighs_is_checked(tmp_path: Path) -> None:
    study, tables = small_study(tmp_path), small_tables()
    for words, fault in (
        ({"talks": ["CN-RU"]}, "talks: wanted neighbours, or two of CN, kz-ktz"),
        ({"talks": ["CN-CN"]}, "talks"),
        ({"weights": ["KZ=2"]}, "weights: wanted PLAYER=NUMBER above 0 with a player of CN, kz-ktz"),
        ({"weights": ["CN=0"]}, "weights"),
        ({"weights": ["CN=2"], "sample": 4}, "leave blocs, talks and weights out"),
    ):
        with pytest.raises(LandbridgeError, match=fault):
            power(study, tables, players=["CN", "ktz"], **words)  # type: ignore[arg-type]
    assert pairs_of(["cn-kz-ktz"], tables, players_of(tables, ["CN", "ktz"], YEAR)) == [(0, 1)]


def test_too_many_players_are_refused_with_the_reason() -> None:
    tables = small_tables()
    names = tables["countries"]["iso2"].to_list()[:17]
    players = players_of(tables, names, YEAR)
    with pytest.raises(LandbridgeError, match="131072 coalitions"):
        worth_game(found(RULES[0], ("CN", "KZ")), players)


def test_questions_that_do_not_fit(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    with pytest.raises(LandbridgeError, match="the study runs 2023"):
        power(study, small_tables(), year=2030)
    with pytest.raises(LandbridgeError, match="blocs: no player of CN"):
        power(study, small_tables(), players=["CN"], blocs=["eaeu"])


def test_what_changes_nothing_is_told(solved: dict[str, Any], tmp_path: Path) -> None:
    """The CRK terminal owns no line, crossing or room of the network: zeros would look like an answer."""
    told = power(small_study(tmp_path), small_tables(), players=["CN", "KZ"], project="crk-selyatino")
    assert told["without_effect"] is True
    assert solved["without_effect"] is False


def test_who_gains_next_to_nothing_does_not_gain() -> None:
    """Of a thousand million A gains 300 USD a year by itself, A and B together a million."""
    players = players_of(small_tables(), ["CN", "KZ"], YEAR)
    before = make(players.names, np.array([0.0, 1e6, 2e6, 1e9]))
    after = make(players.names, np.array([0.0, 1e6 + 300.0, 2e6, 1e9 + 1e6]))
    assert [row["players"] for row in change(players, before, after)["alone"]] == [["CN", "KZ"]]


def test_all_unknown_players_are_told_together() -> None:
    with pytest.raises(LandbridgeError, match=r"unknown player 'XX'.*unknown player 'ktzz'; did you mean"):
        players_of(small_tables(), ["CN", "XX", "ktzz"], YEAR)
    with pytest.raises(UnknownName, match="XX"):
        players_of(small_tables(), ["CN", "XX"], YEAR)


def test_written_as_tables_with_what_must_be_known(tmp_path: Path, solved: dict[str, Any]) -> None:
    write_answer(tmp_path / "new", small_tables(), solved)
    read = read_results(tmp_path / "new")
    assert read.manifest["kind"] == "power"
    reading = read["power_reading"]
    assert reading.height == 4  # two rules, before and after
    for column in ("players", "outside_option", "investment_options", "principle", "superadditive", "core_empty"):
        assert reading[column].null_count() == 0
    empty = reading.filter("core_empty")
    assert empty["core_proof"].null_count() == 0
    values = read["power_values"].filter((pl.col("solution") == "shapley") & (pl.col("state") == "after"))
    for rule in RULES:
        total = float(values.filter(pl.col("rule") == rule)["value_usd_yr"].sum())
        assert total == pytest.approx(solved["rules"][rule]["after"]["worth_of_all"], rel=1e-9)
    assert set(read["power_change"]["player"]) == {"CN", "KZ", "KG", "UZ"}


def test_what_building_costs_enters_the_worth(tmp_path: Path, solved: dict[str, Any]) -> None:
    study, names = small_study(tmp_path), ["CN", "KZ", "kg", "uz"]
    # the atlas holds 4,665 to 8,000 million USD; without interest over a thousand years little of that is left
    cheap = power(study, small_tables(), players=names, build_cost=BuildCost("low", 0.0, 1000.0))
    yearly = cheap["build_cost"]["annuity_usd_yr"]
    assert yearly == pytest.approx(4665e6 / 1000)
    for rule in RULES:
        gross = solved["rules"][rule]["change"]["worth_usd_yr"]
        told = cheap["rules"][rule]
        assert told["change_before_cost"]["worth_usd_yr"] == pytest.approx(gross, rel=1e-6)
        assert told["change"]["worth_usd_yr"] == pytest.approx(max(gross - yearly, 0.0), rel=1e-6, abs=1.0)
        for row in told["pays_for"]:
            gains = told["change_before_cost"]["shapley"]
            assert sum(gains[p] for p in row["players"]) == pytest.approx(row["gain_usd_yr"])
            assert row["gain_usd_yr"] > yearly


def test_what_needs_nobody_who_plays_works_without_them(tmp_path: Path) -> None:
    """CKU asks China, Kyrgyzstan and Uzbekistan: Kazakhstan alone at the table neither brings nor stops it."""
    told = power(
        small_study(tmp_path), small_tables(), players=["KZ"], project="cku", build_cost=BuildCost("mid", 6.0, 35.0)
    )
    assert told["consent_to_build"] == []
    for rule in RULES:
        gross = told["rules"][rule]["change_before_cost"]
        assert gross["worth_usd_yr"] > 0.0 > gross["shapley"]["KZ"]
        assert gross["exclusion"]["KZ"] > 1.0


def test_nobody_builds_what_costs_more_than_it_brings() -> None:
    before, after = (make(("A", "B"), np.array([0.0, *w])) for w in ([1.0, 2.0, 5.0], [1.0, 2.0, 9.0]))
    built = [if_built(before, 0.0, after, 0.0, [0, 1], cost)[0].worth.tolist() for cost in (0.0, 3.0, 4.5)]
    assert built == [[0, 1, 2, 9], [0, 1, 2, 6], [0, 1, 2, 5]]
    spread = BuildCost("high", 8.0, 10.0)
    told = cost_of(small_tables(), [Build(project="cku")], spread)
    assert told is not None
    assert told["annuity_usd_yr"] == pytest.approx(8000e6 * 0.08 / (1 - 1.08**-10))
    assert cost_of(small_tables(), [Build(project="crk-selyatino")], spread) is None  # its cost is not known


def test_drawn_worths_are_kept(tmp_path: Path) -> None:
    first = Sampled(found(RULES[0], ("CN", "KZ", "RU")), cache=tmp_path)
    values = [first(s) for s in range(8)]
    assert 0 < first.solved <= 8
    first.keep()
    again = Sampled(found(RULES[0], ("CN", "KZ", "RU")), cache=tmp_path)
    assert [again(s) for s in range(8)] == values
    assert again.solved == 0
    assert values == pytest.approx(
        (solve_worths(found(RULES[0], ("CN", "KZ", "RU")).game) - first.free_usd_yr).tolist(), rel=1e-6, abs=1.0
    )


def test_drawn_orders_meet_the_listed_ones(tmp_path: Path, solved: dict[str, Any]) -> None:
    study, names = small_study(tmp_path), ["CN", "KZ", "kg", "uz"]
    drawn = power(study, small_tables(), players=names, sample=12, seed=4, cache=tmp_path)
    for rule in RULES:
        told, exact = drawn["rules"][rule], solved["rules"][rule]
        assert told["before"]["worth_of_all"] == pytest.approx(exact["before"]["worth_of_all"], rel=1e-9)
        assert sum(told["before"]["shapley"].values()) == pytest.approx(exact["before"]["worth_of_all"], rel=1e-9)
        assert told["before"]["core"] is None  # not known, never papered over
        assert told["before"]["superadditive"] is None
        for key in ("before", "change"):
            for name, value in told[key]["shapley"].items():
                within = 4.5 * told[key]["standard_error"][name] + 1e-6 * abs(exact["before"]["worth_of_all"])
                assert abs(value - exact[key]["shapley"][name]) <= within
    write_answer(tmp_path / "new", small_tables(), drawn)
    assert read_results(tmp_path / "new")["power_reading"]["core_empty"].null_count() == 4
    assert len(list(tmp_path.glob("drawn-*.npy"))) == 4
