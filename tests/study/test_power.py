"""The corridor game on the atlas that ships, reduced size: worths, consent to build, cache, and who is told what."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landbridge.errors import LandbridgeError, OutputError, UnknownName
from landbridge.scenario.apply import apply
from landbridge.study.files import Study, read_study
from landbridge.study.power import power, write_power
from landbridge.study.solve import Settings
from landbridge.study.worth import RULES, Corridors, content_of, corridors, players_of, solve_worths, worth_game
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
    blocks = sorted(tmp_path.rglob("*.npy"))
    assert len(blocks) == 4
    blocks[0].write_bytes(blocks[0].read_bytes()[:40])  # a block that was cut short is solved again
    np.save(blocks[1], np.array([123.0]))  # a whole one is taken as it is
    seen: list[int] = []
    again = solve_worths(game, cache=tmp_path, progress=lambda done, _all: seen.append(done))
    assert seen[0] == 3
    assert again[1] == 123.0
    assert again[[0, 2, 3]].tolist() == alone[[0, 2, 3]].tolist()
    assert solve_worths(game, workers=2).tolist() == alone.tolist()


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
    with pytest.raises(UnknownName, match="player 'KAZ'"):
        players_of(tables, ["KAZ"], YEAR)
    with pytest.raises(LandbridgeError, match="at least one"):
        players_of(tables, [], YEAR)


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


def test_written_whole(tmp_path: Path, solved: dict[str, Any]) -> None:
    write_power(tmp_path / "new" / "power.json", solved)
    assert json.loads((tmp_path / "new" / "power.json").read_text(encoding="utf-8"))["year"] == YEAR
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["power.json"]
