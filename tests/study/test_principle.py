"""A study runs by the principle it names, through to its tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from landbridge.errors import LandbridgeError
from landbridge.study.ensemble import run_ensemble
from landbridge.study.files import read_study
from landbridge.study.run import run_study
from small_run import small_results, small_tables

STUDY = """\
name = "By a principle"
years = [2023]
size = "reduced"
gap = 1e-6
principle = "{principle}"
{more}
[[scenario]]
id = "base"
"""

NAMES = {
    "so": "system optimum",
    "sue": "stochastic user equilibrium",
    "mincost": "capacitated minimum cost",
    "cue": "capacitated user equilibrium",
}


@pytest.mark.parametrize("principle", NAMES)
def test_a_study_runs_by_its_principle(principle: str, tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text(STUDY.format(principle=principle, more="path_scale_usd_t = 5.0" if principle == "sue" else ""))
    results = run_study(read_study(file), small_tables(), tmp_path / "out")
    (totals,) = results["totals"].to_dicts()
    assert (totals["principle"], totals["status"]) == (NAMES[principle], "converged")
    assert totals["relative_gap"] <= 1e-6
    told = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert told["settings"]["principle"] == principle
    assert told["solved"][0]["principle"] == NAMES[principle]
    base = small_results()["totals"].filter(scenario="base")
    assert totals["demand_tonnes"] == pytest.approx(base["demand_tonnes"][0], rel=1e-9)
    together = totals["land_tonnes"] + totals["outside_tonnes"] + totals["unserved_tonnes"]
    assert together == pytest.approx(totals["demand_tonnes"], rel=1e-6)
    if principle in ("mincost", "cue"):  # hard capacities
        assert results["crossings"]["use"].max() <= 1 + 1e-6  # type: ignore[operator]


def test_an_ensemble_compares_user_equilibria(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    plan = '[ensemble]\ndesign = "lhs"\npoints = 2\n'
    one = '[[uncertain]]\nid = "a"\nquantity = "value_of_time"\nlow = 0.5\nhigh = 2.0\nreasoning = "a test"\n'
    text = STUDY.format(principle="so", more="") + '\n[[scenario]]\nid = "other"\n\n' + plan + one
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LandbridgeError, match="principle wants 'ue'"):
        run_ensemble(read_study(file), small_tables(), tmp_path / "out")
