"""The real server on the real atlas, with a small real run as its results."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from landbridge.data.read import ATLAS
from landbridge.study.files import read_study
from landbridge.study.run import run_study
from tests.map_server import Server
from tests.small_run import own_price, small_folder, small_tables
from tools import web_assets

ROOT = Path(__file__).resolve().parents[3]


#: The question of the tour: what the railway changes in the year in which it is due.
LATER = """\
name = "Small, 2030"
years = [2030]
size = "reduced"
compare = "base"

[[scenario]]
id = "base"
name = "Without CKU"

[[scenario]]
id = "cku"
name = "With CKU"
extends = "base"

[[scenario.measure]]
kind = "build"
project = "cku"
"""


@pytest.fixture(scope="session")
def results_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two results folders: `small` of 2023, and `soon` of 2030."""
    home = tmp_path_factory.mktemp("served")
    shutil.copytree(small_folder(), home / "small")
    study = home / "soon.toml"
    study.write_text(LATER, encoding="utf-8")
    run_study(read_study(study), small_tables(), home / "soon")
    return home


#: Observed figures of the atlas that the year of the small run answers, and one that no model of freight does.
TARGETS = ("A10", "A12a", "A12b")
NOT_COVERED = {"id": "X1", "indicator": "passengers", "subject": "khorgos-altynkol", "unit": "people"}


@pytest.fixture(scope="session")
def found_home(results_home: Path) -> Path:
    """Beside the results: what CKU does to the power of three countries, what it is worth, and a validation."""
    from landbridge.study.appraise import appraise
    from landbridge.study.invest_files import tables_of, write_investment
    from landbridge.study.power import power
    from landbridge.study.power_files import write_answer
    from landbridge.study.validate.runs import SolvedWorld
    from landbridge.study.validate.validate import validate
    from landbridge.study.validate.write import write_validation

    tables, study = small_tables(), read_study(results_home / "soon.toml")
    players = ("CN", "KZ", "RU")
    write_answer(results_home / "power", tables, power(study, tables, players=players, blocs=("eaeu",), project="cku"))
    found = appraise(study, tables, ["cku"], company=False)
    write_investment(results_home / "investment", "appraisal", found, tables_of(found))
    file = results_home / "targets.csv"
    rows = pl.read_csv(ATLAS / "targets.csv", infer_schema=False).filter(pl.col("id").is_in(TARGETS))
    unknown = rows.head(1).with_columns(pl.lit(value).alias(name) for name, value in NOT_COVERED.items())
    pl.concat([rows, unknown]).write_csv(file)
    world = SolvedWorld(tables, size="reduced")
    held = validate(world, file)
    write_validation(results_home / "validation", held, tables=tables, size="reduced", file=file, runs=world.solved)
    return results_home


#: Events that are run again, and inputs that are moved: few, since each is a run.
EVENTS = ("loading-stop-2021", "red-sea", "poland-belarus-closure")
INPUTS = ("rail-constant-china-europe", "dostyk-constant")


@pytest.fixture(scope="session")
def asked_home(found_home: Path) -> Path:
    """Beside those: a closure and the worst ferries, dependence, a ban, a programme, events and sensitivity."""
    from landbridge.data.overlay import read_overlay
    from landbridge.study import backtest, closing, sensitivity, stress
    from landbridge.study.dependence import dependence
    from landbridge.study.exposure import exposure
    from landbridge.study.ground import Ground
    from landbridge.study.invest_files import write_investment
    from landbridge.study.plan import Limits, plan, plan_tables
    from landbridge.study.power_files import write_answer
    from landbridge.study.validate.runs import SolvedWorld
    from landbridge.study.validate.write import write_tables

    tables = small_tables()
    alike: dict[str, Any] = {"size": "reduced", "held": frozenset({"cku"})}
    ground = Ground(tables, 2023, **alike)
    closed = stress.answer(
        ground, targets=closing.targets_of(tables, ["brest-malaszewicze"]), worst_of=2, among="ferries", days=4.0
    )
    write_answer(found_home / "stress", tables, closed)
    leaning = dependence(tables, country="KZ", years=(2023,), scenarios={"base": ()}, **alike)
    write_answer(found_home / "dependence", tables, leaning)
    write_answer(found_home / "exposure", tables, exposure(ground, "RU", "KZ"))

    own = found_home / "own"
    own_price(own)
    found = plan(read_study(found_home / "soon.toml"), read_overlay(own), Limits(total_usd=1e9), ("cku",))
    write_investment(found_home / "programme", "programme", found, plan_tables(found))

    with pytest.MonkeyPatch.context() as patch:
        events = found_home / "events.toml"
        whole = backtest.FILE.read_text(encoding="utf-8").split("[[event]]")
        few = [part for part in whole[1:] if any(f'"{name}"' in part for name in EVENTS)]
        events.write_text("[[event]]".join([whole[0], *few]), encoding="utf-8")
        patch.setattr(backtest, "FILE", events)
        patch.setattr(sensitivity, "INPUTS", INPUTS)
        again = backtest.backtest(SolvedWorld(tables, size="reduced"))
        swings, estimated = sensitivity.sensitivity(tables, year=2023, size="reduced")
    write_tables(
        found_home / "backtest", {"kind": "backtest", "size": "reduced"}, {"backtest": again}, backtest.BACKTEST_COLUMNS
    )
    write_tables(
        found_home / "sensitivity", {"kind": "sensitivity", "size": "reduced"},
        {"swings": swings, "estimated": estimated}, sensitivity.SENSITIVITY_COLUMNS,
    )  # fmt: skip
    return found_home


@pytest.fixture(scope="session")
def server(results_home: Path) -> Iterator[Server]:
    running = Server(results_home)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def built_map() -> None:
    """The built map; without it the browser tests are left out."""
    if not web_assets.is_current(ROOT / "web") and not web_assets.ensure(ROOT, print):
        pytest.skip("left out: the map could not be built (no npm?)")
