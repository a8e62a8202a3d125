"""The events of 2021 to 2025 run again: what each did to passages, in direction and in size.

Constants are fitted to 2016-2021 only. Each event is put on all days of its year, and the same year is run without it;
the change is held against the direction that was seen and, where a fact of the atlas has it, the size.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.study.validate.answers import Answers
from landbridge.study.validate.words import NotCovered
from landbridge.study.validate.worlds import World

__all__ = ["BACKTEST_COLUMNS", "backtest"]

FILE = Path(__file__).with_suffix(".toml")
#: A size is right when it is within this factor of the published one.
FACTOR = 2.0
#: A change below this part of a per cent is none.
LEAST_PCT = 0.05

SCHEMA: dict[str, Any] = {
    "event": pl.String, "name": pl.String, "year": pl.Int64, "thing": pl.String, "indicator": pl.String,
    "without": pl.Float64, "with_event": pl.Float64, "change_pct": pl.Float64, "direction": pl.Int64,
    "direction_right": pl.Boolean, "published_pct": pl.Float64, "within_factor": pl.Boolean, "facts": pl.String,
    "note": pl.String,
}  # fmt: skip

#: Meaning and unit of each column.
BACKTEST_COLUMNS = {
    "event": "Scenario of the event",
    "name": "The event",
    "year": "Year that was run",
    "thing": "Passage, crossing or service",
    "indicator": "What changes: trains, TEU, million tonnes or USD/FEU",
    "without": "The year without the event",
    "with_event": "The year with the event on all days",
    "change_pct": "Change by the event, per cent",
    "direction": "Direction that was seen: 1 up, -1 down",
    "direction_right": "Whether the model goes that way",
    "published_pct": "Published size of the change, per cent; empty where the atlas has none",
    "within_factor": "Whether the modelled change is within a factor of two of it",
    "facts": "Facts that the published size rests on",
    "note": "What the published size is of, or why there is no number",
}


def backtest(world: World, *, progress: Callable[[str], None] | None = None) -> pl.DataFrame:
    """Run the events.

    Parameters
    ----------
    world
        Runs that are made as they are asked for.
    progress
        Called with the event at hand.

    Returns
    -------
    polars.DataFrame
        One row an event and passage; see `BACKTEST_COLUMNS`.
    """
    answers = Answers(world)
    with FILE.open("rb") as file:
        events = tomllib.load(file)["event"]
    rows = []
    for event in events:
        if progress is not None:
            progress(event["name"])
        rows += [_row(answers, event, effect) for effect in event["effect"]]
    return pl.DataFrame([dict.fromkeys(SCHEMA) | row for row in rows], schema=SCHEMA)


def _row(answers: Answers, event: dict[str, Any], effect: dict[str, Any]) -> dict[str, Any]:
    asked = {
        "indicator": "scenario_change_pct", "direction": "both", "year": event["year"], "period": "year",
        "kind": "level", "note": "", "subject": f"{event['id']}:{effect['indicator']}/{effect['thing']}",
    }  # fmt: skip
    row: dict[str, Any] = {
        "event": event["id"], "name": event["name"], "year": event["year"], "thing": effect["thing"],
        "indicator": effect["indicator"], "direction": effect["direction"], "facts": effect.get("fact", ""),
        "published_pct": float(effect["published"]) if "published" in effect else None, "note": effect.get("note", ""),
    }  # fmt: skip
    try:
        change, levels = answers.of(asked).value, answers.levels(asked)
    except NotCovered as reason:
        return row | {"note": str(reason)}
    published = row["published_pct"]
    return row | {
        "without": levels[0],
        "with_event": levels[1],
        "change_pct": change,
        "direction_right": abs(change) >= LEAST_PCT and math.copysign(1, change) == effect["direction"],
        "within_factor": None if published is None else _within(change, published),
    }


def _within(change: float, published: float) -> bool:
    """Whether a change is within the factor of another of the same direction."""
    return change * published > 0 and 1 / FACTOR <= change / published <= FACTOR
