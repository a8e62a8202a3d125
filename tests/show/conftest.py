"""Fixtures of the tests of the command line."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import Call, Done

from landbridge.show import cli
from landbridge.study import run as running
from small_run import STUDY


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*words: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["landbridge", *map(str, words)])
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        # some CI systems ask for colours
        return Done(code, *(re.sub(r"\x1b\[[0-9;]*m", "", text) for text in capsys.readouterr()))

    return call


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture
def no_solving(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("computed in vain")

    monkeypatch.setattr(running, "solve", never)
