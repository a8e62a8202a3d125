"""What-ifs from bases that are kept: a base is solved once, and an answer does not depend on whether it was held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from landbridge.scenario.read import read_measures
from landbridge.study import warm as warm_module
from landbridge.study.content import table_hash
from landbridge.study.files import Study, read_study
from landbridge.study.results import read_results
from landbridge.study.run import run_study
from landbridge.study.warm import Warm
from landbridge.study.whatif import whatif_toml
from tests.small_run import small_results, small_tables

CLOSE = [{"kind": "close", "crossings": ["khorgos-altynkol"]}]
EASE = [{"kind": "ease", "crossings": ["alashankou-dostyk"], "time_factor": 0.5}]


def study(folder: Path, measures: list[dict[str, Any]]) -> Study:
    path = folder / "what-if.toml"
    text = whatif_toml(small_results(), "base", read_measures(measures), title="What if", years=[2023])
    path.write_text(text, encoding="utf-8")
    return read_study(path)


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the scenarios that are solved, as they are."""
    seen: list[int] = []
    real = warm_module.solve_one

    def watched(shared: Any, one: Any, needed: Any) -> Any:
        seen.append(one.scenario)
        return real(shared, one, needed)

    monkeypatch.setattr(warm_module, "solve_one", watched)
    return seen


def test_a_base_is_solved_once_and_answers_are_those_of_the_command_line(solved: list[int], tmp_path: Path) -> None:
    kept, tables = Warm(), small_tables()
    kept.ready(study(tmp_path, []), tables)
    assert solved == [0]
    kept.run(study(tmp_path, EASE), tables, tmp_path / "first")
    found = kept.run(study(tmp_path, CLOSE), tables, tmp_path / "held")
    assert solved == [0, 1, 1], "no base is solved again"
    alone = run_study(study(tmp_path, CLOSE), tables, tmp_path / "alone")
    assert found.manifest["content"] == alone.manifest["content"], "the same bits, whatever came before"
    assert found.manifest["study"] == alone.manifest["study"]


def test_another_base_is_another_base(solved: list[int], tmp_path: Path) -> None:
    kept, tables = Warm(), small_tables()
    kept.ready(study(tmp_path, []), tables)
    path = tmp_path / "other.toml"
    text = whatif_toml(small_results(), "cku", read_measures(CLOSE), title="What if", years=[2023])
    path.write_text(text, encoding="utf-8")
    kept.ready(read_study(path), tables)
    kept.ready(read_study(path), tables)
    assert solved == [0, 0], "with its own measures, and only once"


def test_an_answer_in_memory_is_what_was_written(tmp_path: Path) -> None:
    """It is not read again; whoever reads it finds the same, and each table hashed as it stands there."""
    found = Warm().run(study(tmp_path, CLOSE), small_tables(), tmp_path / "out")
    read = read_results(tmp_path / "out")
    assert found.manifest == read.manifest
    assert list(found.tables) == list(read.tables)
    for name, frame in read.tables.items():
        assert found.tables[name].schema == frame.schema, name
        assert found.tables[name].equals(frame), name
        assert read.manifest["content"][name] == table_hash(frame), name
