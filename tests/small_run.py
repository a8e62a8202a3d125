"""A real run on the atlas that ships, small enough for tests: 300 relations, one year, with and without CKU."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from landbridge.data.read import read_atlas
from landbridge.data.tables import Tables
from landbridge.study.files import read_study
from landbridge.study.results import Results, read_results
from landbridge.study.run import run_study

STUDY = """\
name = "Small"
years = [2023]
size = "reduced"

[[scenario]]
id = "base"

[[scenario]]
id = "cku"
extends = "base"

[[scenario.measure]]
kind = "build"
project = "cku"
"""


@lru_cache(maxsize=1)
def small_tables() -> Tables:
    return read_atlas()


@lru_cache(maxsize=1)
def small_folder() -> Path:
    """The results folder, made once for all tests; nobody may change it."""
    home = Path(tempfile.mkdtemp(prefix="landbridge-small-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    study = home / "small.toml"
    study.write_text(STUDY, encoding="utf-8")
    run_study(read_study(study), small_tables(), home / "results")
    return home / "results"


def small_results() -> Results:
    return read_results(small_folder())


def own_price(folder: Path) -> None:
    """Write the user's own price of the CKU railway, worth building at that."""
    folder.mkdir()
    (folder / "projects.csv").write_text("id,cost_low_usd_mn,cost_high_usd_mn\ncku,40,60\n", encoding="utf-8")
