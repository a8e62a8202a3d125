"""Calls of the command line: what came back, and what a refusal must look like."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

GAP = "\u202f"  # between thousands


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err

        def refuse(word: str) -> None:
            raise AssertionError(f"{word} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


Call = Callable[..., Done]


def refused(done: Done, *told: str) -> None:
    """One message on stderr that says all this, and nothing else."""
    assert done.code != 0
    assert done.out == ""
    assert "Traceback" not in done.err
    assert done.err.startswith("landbridge: ")
    assert len([line for line in done.err.splitlines() if line and not line.startswith("  ")]) == 1
    for part in told:
        assert re.search(part, done.err), f"{part!r} is not in {done.err!r}"


def same(rows: Sequence[dict[str, Any]], frame: pl.DataFrame) -> None:
    """JSON rows equal a frame, lists and nulls included."""
    assert len(rows) == frame.height
    for got, wanted in zip(rows, frame.to_dicts(), strict=True):
        assert got == wanted
