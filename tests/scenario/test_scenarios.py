"""Scenarios: reading, extending, adding."""

from __future__ import annotations

import pytest

from landbridge.errors import StudyError
from landbridge.scenario.measures import Avoid, Build, Close
from landbridge.scenario.read import read_scenarios
from landbridge.scenario.scenarios import Scenario, fingerprint

BUILD = {"kind": "build", "project": "cku"}
BAN = {"kind": "avoid", "countries": ["RU"]}


def test_plus_gives_a_new_scenario() -> None:
    base = Scenario("base", "Base")
    more = base.plus(Build(project="cku")).plus(Avoid(countries=("RU",)), Close(links=("a",)))
    assert base.measures == ()
    assert more == Scenario("base", "Base", (Build(project="cku"), Avoid(countries=("RU",)), Close(links=("a",))))


def test_extends_puts_the_measures_of_the_other_in_front() -> None:
    read = read_scenarios(
        [
            {"id": "both", "extends": "cku", "measure": [BAN]},
            {"id": "base"},
            {"id": "cku", "extends": "base", "name": "CKU", "measure": [BUILD]},
        ]
    )
    assert [s.id for s in read] == ["both", "base", "cku"]
    assert read[0].measures == (Build(project="cku"), Avoid(countries=("RU",)))
    assert read[0].name == "both"
    assert read[2].name == "CKU"


def test_measures_with_ids_are_replaced_in_their_place_or_dropped() -> None:
    base = {"id": "base", "measure": [{**BAN, "id": "ban"}, BUILD, {"kind": "close", "links": ["a"], "id": "shut"}]}
    read = read_scenarios(
        [
            base,
            {"id": "softer", "extends": "base", "measure": [{"kind": "avoid", "countries": ["BY"], "id": "ban"}]},
            {"id": "open", "extends": "softer", "drop": ["shut"], "measure": [{"kind": "close", "links": ["b"]}]},
        ]
    )
    assert read[0].measure_ids == ("ban", "", "shut")
    assert read[1].measures == (Avoid(countries=("BY",)), Build(project="cku"), Close(links=("a",)))
    assert read[2].measures == (Avoid(countries=("BY",)), Build(project="cku"), Close(links=("b",)))
    assert read[2].measure_ids == ("ban", "", "")
    assert read[2].plus(Build(project="cku")).measure_ids == ("ban", "", "", "")
    assert fingerprint(read[0]) == fingerprint(Scenario("x", "X", read[0].measures)), "an id computes nothing"


def test_faults_of_measure_ids_are_told_by_position() -> None:
    with pytest.raises(StudyError) as caught:
        read_scenarios(
            [
                {"id": "base", "measure": [{**BAN, "id": "ban"}, {**BUILD, "id": "ban"}, {**BUILD, "id": "No good"}]},
                {"id": "next", "extends": "base", "drop": ["bann"], "measure": [{**BUILD, "id": 7}]},
            ]
        )
    faults = {fault.field: fault for fault in caught.value.faults}
    assert set(faults) == {
        "scenario[0].measure[1].id", "scenario[0].measure[2].id", "scenario[1].drop[0]", "scenario[1].measure[0].id",
    }  # fmt: skip
    assert faults["scenario[0].measure[1].id"].got == "'ban', as scenario[0].measure[0]"
    assert "did you mean ban" in faults["scenario[1].drop[0]"].wanted


def test_rings_and_strangers_are_told() -> None:
    with pytest.raises(StudyError) as caught:
        read_scenarios(
            [
                {"id": "a", "extends": "b"},
                {"id": "b", "extends": "a"},
                {"id": "c", "extends": "bass"},
                {"id": "base"},
                {"id": "self", "extends": "self"},
                {"id": "on-ring", "extends": "a"},
                {"id": "base"},
            ]
        )
    faults = {fault.field: fault for fault in caught.value.faults}
    assert set(faults) == {
        "scenario[0].extends", "scenario[1].extends", "scenario[2].extends", "scenario[4].extends", "scenario[6].id",
    }  # fmt: skip
    assert faults["scenario[0].extends"].got == "a -> b -> a"
    assert "did you mean base" in faults["scenario[2].extends"].wanted
    assert faults["scenario[6].id"].got == "'base', as scenario[3]"


def test_all_faults_with_their_positions() -> None:
    with pytest.raises(StudyError) as caught:
        read_scenarios(
            [
                {"id": "A b", "measure": [{"kind": "buidl"}, {"project": "cku"}, 3]},
                {"id": "ok", "extends": "A b", "measuer": []},
                {"measure": [BUILD, {"kind": "close", "crossings": [1, "x"], "share": 2}]},
                "what",
            ]
        )
    told = {fault.field: f"{fault.wanted}, {fault.got}" for fault in caught.value.faults}
    assert list(told) == [
        "scenario[0].id",
        "scenario[0].measure[0].kind",
        "scenario[0].measure[1].kind",
        "scenario[0].measure[2]",
        "scenario[1].measuer",
        "scenario[2].id",
        "scenario[2].measure[1].crossings[0]",
        "scenario[2].measure[1].share",
        "scenario[3]",
    ]
    assert "did you mean build" in told["scenario[0].measure[0].kind"]
    assert "did you mean measure" in told["scenario[1].measuer"]


def test_fingerprint_is_of_what_is_changed() -> None:
    one = Scenario("a", "A", (Build(project="cku"),))
    assert fingerprint(one) == fingerprint(Scenario("b", "B", (Build(project="cku"),), "words"))
    assert fingerprint(one) != fingerprint(one.plus(Avoid(countries=("RU",))))
