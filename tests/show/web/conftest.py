"""The real server on the real atlas, with a small real run as its results."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from landbridge.study.files import read_study
from landbridge.study.run import run_study
from tests.map_server import Server
from tests.small_run import small_folder, small_tables
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
