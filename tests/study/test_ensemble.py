"""Ensembles: what a future does to a scenario is what measures do to tables, and the same bits from any workers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import qmc

from landbridge.errors import LandbridgeError, OutputError, StudyError
from landbridge.model.demand.records import Demand
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Ease, Grow
from landbridge.study.ensemble import EnsembleShared, Future, Nominal, run_ensemble, solve_future, varied
from landbridge.study.ensemble_results import LESS_IS_BETTER, MARKER, read_ensemble
from landbridge.study.files import Study, read_study
from landbridge.study.futures import futures_of, points
from landbridge.study.run import settings_of
from landbridge.study.runner import Processes
from landbridge.study.solve import equilibrium, prepare
from landbridge.study.uncertain import EnsemblePlan, Uncertain, draw
from small_run import small_tables

EXAMPLE = Path(__file__).parents[2] / "examples" / "cku-ensemble.toml"
YEAR = 2023


@pytest.fixture(scope="module")
def study() -> Study:
    """The example, small: 300 relations, 2023, and trade, capacity and a price as inputs."""
    whole = read_study(EXAMPLE)
    inputs = (
        Uncertain("khorgos-room", "", "capacity", 0.5, 2.0, reasoning="r", crossings=("khorgos-altynkol",)),
        Uncertain("exports", "", "trade", 0.5, 2.0, reasoning="r", exporter="CHN"),
        Uncertain("cku-price", "", "price", 0.5, 2.0, reasoning="r", project="cku"),
        Uncertain("cost", "", "cost", 0.5, 1.5, reasoning="r"),
    )
    plan = EnsemblePlan("lhs", 4, watch=("khorgos-altynkol",), cost_usd_yr=(("cku", 1e6),))
    return replace(whole, size="reduced", years=(YEAR,), uncertain=inputs, ensemble=plan, gap=1e-7)


@pytest.fixture(scope="module")
def shared_part(study: Study) -> EnsembleShared:
    assert study.ensemble is not None
    return EnsembleShared(small_tables(), settings_of(study), study, study.ensemble, study.uncertain, YEAR)


@pytest.fixture(scope="module")
def grounds(shared_part: EnsembleShared) -> dict:
    base = solve_future(shared_part, Nominal(0), {})
    return {"base": base, "cku": solve_future(shared_part, Nominal(1), {"base": base})}


def test_the_future_in_which_nothing_changes_is_the_atlas(shared_part: EnsembleShared, grounds: dict) -> None:
    row = solve_future(shared_part, Future(0, (1.0, 1.0, 1.0, 1.0)), grounds)["rows"][1]
    flow = grounds["cku"].solution.equilibrium
    count = grounds["cku"].solution.empty_from
    assert row["land_mt_yr"] * 1e6 == pytest.approx(flow.network_tonnes_yr[:count].sum(), rel=1e-5)


def test_a_future_does_to_a_crossing_what_a_measure_does(shared_part: EnsembleShared, grounds: dict) -> None:
    """Half the capacity of Khorgos, by arrays and by tables."""
    row = solve_future(shared_part, Future(0, (0.5, 1.0, 1.0, 1.0)), grounds)["rows"][0]
    ease = Ease(crossings=("khorgos-altynkol",), capacity_factor=0.5, include_gauge_change=True)
    applied = apply(small_tables(), (ease,), YEAR, held=frozenset({"cku"}))
    prepared = prepare(applied.tables, year=YEAR, settings=shared_part.settings)
    found = equilibrium(applied.tables, prepared, settings=shared_part.settings, start=grounds["base"].solution)
    land = found.equilibrium.network_tonnes_yr[: found.empty_from].sum() / 1e6
    base = grounds["base"].solution
    nominal = base.equilibrium.network_tonnes_yr[: base.empty_from].sum() / 1e6
    assert row["land_mt_yr"] == pytest.approx(land, rel=1e-5)
    assert abs(land / nominal - 1) > 1e-4  # else nothing would have been compared


def test_a_future_does_to_trade_what_a_measure_does(shared_part: EnsembleShared, grounds: dict) -> None:
    """More of China's exports. Trade changes which relations are the largest: those found by both have equal tonnes."""
    _, future = varied(grounds["base"], shared_part.uncertain, (1.0, 1.3, 1.0, 1.0))
    applied = apply(small_tables(), (Grow(exporter="CHN", factor=1.3),), YEAR, held=frozenset({"cku"}))
    measured = prepare(applied.tables, year=YEAR, settings=shared_part.settings)
    before = _tonnes(grounds["base"].solution.prepared.demand)
    by_arrays, by_tables = _tonnes(future.demand), _tonnes(measured.demand)
    both = sorted(set(by_arrays) & set(by_tables))
    assert [by_arrays[key] for key in both] == pytest.approx([by_tables[key] for key in both])
    assert sum(by_arrays[key] for key in both) > 0.85 * sum(by_arrays.values())
    grown = [by_arrays[key] / before[key] for key in both]
    assert {round(factor, 9) for factor in grown} == {1.0, 1.3}


def _tonnes(demand: Demand) -> dict[tuple[str, str, str], float]:
    """Tonnes a year by zone of origin, of destination, and commodity; owners who refuse a way with the others."""
    found: dict[tuple[str, str, str], float] = {}
    for origin, destination, commodity, tonnes in zip(
        demand.origin, demand.destination, demand.commodity, demand.tonnes_yr, strict=True
    ):
        key = (demand.zones[origin], demand.zones[destination], demand.commodities[commodity])
        found[key] = found.get(key, 0.0) + float(tonnes)
    return found


def test_results_and_the_same_bits_from_two_workers(tmp_path: Path, study: Study) -> None:
    here = run_ensemble(study, small_tables(), tmp_path / "here")
    manifest, tables = read_ensemble(tmp_path / "here")
    assert manifest["content"] == here["content"]
    runs = tables["runs"]
    assert runs.height == 2 * 4
    assert (runs["relative_gap"] <= study.gap).all()
    base = runs.filter(pl.col("scenario") == "base")
    assert base["net_usd_yr"].to_list() == [0.0] * 4
    cku = runs.filter(pl.col("scenario") == "cku")
    least = -1e-5 * base["users_cost_usd_yr"]  # by Braess' paradox a line more may cost a little
    assert (cku["benefit_usd_yr"] > least).all()
    costs = tables["futures"]["cost"].to_numpy() * 1e6
    assert cku["cost_usd_yr"].to_numpy() == pytest.approx(costs)
    for rule, part in tables["policies"].group_by("rule"):
        best = part["value"].min() if rule[0] in LESS_IS_BETTER else part["value"].max()
        assert part.filter(pl.col("picked"))["value"].unique().to_list() == [best]
    assert set(tables["sensitivity"]["input"]) == {one.id for one in study.uncertain}
    two = run_ensemble(study, small_tables(), tmp_path / "two", where=Processes(2))
    assert two["content"] == here["content"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["here", "two"]
    (tmp_path / "two" / "tables" / "regret.parquet").unlink()
    with pytest.raises(OutputError, match="regret"):
        read_ensemble(tmp_path / "two")
    (tmp_path / "two" / MARKER).write_text("{", encoding="utf-8")
    with pytest.raises(OutputError, match="could not be read"):
        read_ensemble(tmp_path / "two")


# ------------------------------------------------------------------------------------------------------- designs


def test_latin_hypercubes_and_sobol_points() -> None:
    found = points("lhs", 20, 5, seed=4)
    for column in found.T:
        assert sorted(np.floor(20 * column)) == list(range(20)), "one point in each slice"
    assert np.array_equal(found, points("lhs", 20, 5, seed=4))
    assert not np.array_equal(found, points("lhs", 20, 5, seed=5))
    assert points("grid", 2, 3, seed=0).tolist() == [
        [a, b, c] for a in (0.25, 0.75) for b in (0.25, 0.75) for c in (0.25, 0.75)
    ]
    assert points("saltelli", 4, 3, seed=0).shape == (4 * 5, 3)
    with pytest.raises(LandbridgeError, match="10 points of 12 inputs makes 1,000,000,000,000 futures"):
        points("grid", 10, 12, seed=0)


@pytest.mark.shared
def test_the_first_sobol_points(shared: Path) -> None:
    import json

    known = json.loads((shared / "reference" / "econ" / "uncertainty.json").read_text(encoding="utf-8"))
    assert qmc.Sobol(2, scramble=False).random(8).tolist() == known["sobol_sequence_first_8_2d_unscrambled"]
    # scrambled ones have the same balance: one point in each of eight slices of each input
    assert sorted(np.floor(8 * points("sobol", 8, 2, seed=1)[:, 0])) == list(range(8))


def test_values_keep_the_order_of_the_design_and_the_moments_of_their_distribution() -> None:
    unit = (np.arange(10_000) + 0.5) / 10_000
    one = Uncertain("a", "", "time", 0.5, 2.0, 0.8)
    triangular = draw(one, unit)
    assert (np.diff(triangular) > 0).all()
    assert triangular.mean() == pytest.approx((0.5 + 2.0 + 0.8) / 3, rel=1e-4)
    expected = (0.5**2 + 2**2 + 0.8**2 - 0.5 * 2 - 0.5 * 0.8 - 2 * 0.8) / 18
    assert triangular.var() == pytest.approx(expected, rel=1e-3)
    uniform = draw(replace(one, likely=None), unit)
    assert (uniform.mean(), uniform.min(), uniform.max()) == pytest.approx((1.25, 0.5, 2.0), rel=1e-3)
    for likely in (0.5, 2.0):
        assert np.isfinite(draw(replace(one, likely=likely), np.array([0.0, 0.5, 1.0]))).all()


def test_a_parameter_takes_the_range_of_the_atlas() -> None:
    from landbridge.study.ensemble import _bounded

    (one,) = _bounded((Uncertain("b", "", "parameter", -np.inf, np.inf, parameter="buffer-weight"),), small_tables())
    row = small_tables()["parameters"].filter(pl.col("id") == "buffer-weight").row(0, named=True)
    assert (one.low, one.likely, one.high) == (row["low"], row["value"], row["high"])
    _, values = futures_of(EnsemblePlan("lhs", 50), (one,), 0)
    assert ((values >= one.low) & (values <= one.high)).all()


# ------------------------------------------------------------------------------------------------- what is wrong


def test_all_faults_are_told_with_their_lines(tmp_path: Path) -> None:
    from landbridge.study.files import check_study

    head = EXAMPLE.read_text(encoding="utf-8").split("[[uncertain]]")[0]
    file = tmp_path / "s.toml"
    file.write_text(
        head.replace("points = 500", "points = 0").replace("cku = 437e6", "ckv = 1.0")
        + '[[uncertain]]\nid = "a"\nquantity = "time"\nlow = 2.0\nhigh = 1.0\nreasoning = "r"\n'
        + '[[uncertain]]\nid = "a"\nquantity = "cost"\nmodes = ["sea"]\nlow = 1.0\nhigh = 2.0\nlikely = 3.0\n'
        + '[[uncertain]]\nid = "c"\nquantity = "parameter"\nparameter = "buffer"\n',
        encoding="utf-8",
    )
    with pytest.raises(StudyError) as error:
        read_study(file)
    text = str(error.value)
    for told in (
        "ensemble.points: wanted at least 1, got 0",
        "uncertain[0]: wanted one of crossings, links, project, countries, modes, got nothing",
        "uncertain[0].high: wanted above low (2), got 1",
        "uncertain[1].modes: wanted nothing beside cost, got a value",
        "uncertain[1].likely: wanted between low and high, got 3",
        "uncertain[1].id: wanted an id of its own, got 'a' twice",
        "uncertain[1]: wanted source or reasoning for the range, got nothing",
        "did you mean buffer-weight",
    ):
        assert told in text, told
    assert text.count(f"\n  {file}:") == text.count("\n"), "each with its line"
    unknown = '[[uncertain]]\nid = "a"\nquantity = "time"\ncrossings = ["khorgoz"]\nlow = 1.0\nhigh = 2.0\n'
    file.write_text(f'{head}{unknown}source = "nobody"\n', encoding="utf-8")
    with pytest.raises(StudyError, match=r"(?s)khorgos-altynkol.*nobody"):
        check_study(read_study(file), small_tables())
    plain = tmp_path / "plain.toml"
    plain.write_text('name = "p"\nyears = [2023]\n[[scenario]]\nid = "base"\n', encoding="utf-8")
    with pytest.raises(LandbridgeError, match="wanted uncertain inputs"):
        run_ensemble(read_study(plain), small_tables(), tmp_path / "out")
    assert not (tmp_path / "out").exists()
