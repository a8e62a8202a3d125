"""The real server on the real atlas, with a small real run as its results."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.map_server import Server
from tests.small_run import small_folder
from tools import web_assets

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def results_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one results folder, `small`."""
    home = tmp_path_factory.mktemp("served")
    shutil.copytree(small_folder(), home / "small")
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
