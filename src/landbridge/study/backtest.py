"""The events of 2021 to 2025 run again: what each did to passages, in direction and in size.

Constants are fitted to 2016-2021 only. Each event is put on all days of its year, and the same year is run without it;
the change is held against the direction that was seen. Where a fact of the atlas has a size, that is a change between
two times, in which more happened than the event (prices by sea above all): the same two times are then run as they
were, the change between them is held against the size, and what the event alone does stands beside it. A size may also
be a number of the event itself, such as trains that waited: the model's number is then held against that one.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.study.validate.answers import Answers
from landbridge.study.validate.events import target_scenarios
from landbridge.study.validate.runs import WITHOUT
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
    "direction_right": pl.Boolean, "published_pct": pl.Float64, "within_factor": pl.Boolean, "event_pct": pl.Float64,
    "published_level": pl.Float64, "when": pl.String, "facts": pl.String, "note": pl.String,
}  # fmt: skip

#: Meaning and unit of each column.
BACKTEST_COLUMNS = {
    "event": "Scenario of the event",
    "name": "The event",
    "year": "Year that was run",
    "thing": "Passage, crossing or service",
    "indicator": "What changes: trains, TEU, million tonnes or USD/FEU",
    "without": "The year without the event; where a size was published, the earlier of its two times",
    "with_event": "The year with the event on all days; where a size was published, the later of its two times",
    "change_pct": "Change from the one to the other, per cent",
    "direction": "Direction that was seen: 1 up, -1 down",
    "direction_right": "Whether the model goes that way; empty for a number, which has no direction to miss",
    "published_pct": "Published size of the change, per cent; empty where the atlas has none",
    "within_factor": "Whether the modelled change, or number, is within a factor of two of it",
    "published_level": "Published number of the event itself, such as trains that waited; empty where there is none",
    "event_pct": "Change that the event alone makes in the year or period, per cent",
    "when": "The two times that a published size compares; empty: with the event against without it",
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


def _level(answers: Answers, effect: dict[str, Any], scenario: str, year: int, period: str) -> float:
    """The model's number of a time, with all that happened or with or without an event."""
    asked = {
        "indicator": effect["indicator"], "direction": "both", "year": year, "period": period, "kind": "level",
        "note": "", "subject": f"{scenario}:{effect['thing']}" if scenario else effect["thing"],
    }  # fmt: skip
    return answers.of(asked).value


def _change(answers: Answers, event: dict[str, Any], effect: dict[str, Any]) -> tuple[float, float, float]:
    """Numbers without and with the event on all days of its time, and the change in per cent."""
    indicator, year, period = effect["indicator"], effect.get("year", event["year"]), effect.get("period", "year")
    asked = {
        "indicator": "scenario_change_pct", "direction": "both", "year": year, "period": period,
        "kind": "level", "note": "", "subject": f"{event['id']}:{indicator}/{effect['thing']}",
    }  # fmt: skip
    if target_scenarios()[event["id"]].year_before:  # as such the scenario is a comparison of two years
        with_it = _level(answers, effect, "", year, period)
        without = _level(answers, effect, WITHOUT + event["id"], year, period)
        return without, with_it, 100 * (with_it / without - 1)
    change, levels = answers.of(asked).value, answers.levels(asked)
    return levels[0], levels[1], change


def _row(answers: Answers, event: dict[str, Any], effect: dict[str, Any]) -> dict[str, Any]:
    year, period, against = effect.get("year", event["year"]), effect.get("period", "year"), effect.get("against")
    row: dict[str, Any] = {
        "event": event["id"], "name": event["name"], "year": year, "thing": effect["thing"],
        "indicator": effect["indicator"], "direction": effect["direction"], "facts": effect.get("fact", ""),
        "published_pct": float(effect["published"]) if "published" in effect else None,
        "published_level": float(effect["published_level"]) if "published_level" in effect else None,
        "note": effect.get("note", ""),
        "when": f"{period} {year} against {against}".removeprefix("year ") if against else "",
    }  # fmt: skip
    if row["published_level"] is not None:
        try:
            level = _level(answers, effect, event["id"], year, period)
        except NotCovered as reason:
            return row | {"note": str(reason)}
        within = _within(level, row["published_level"])
        return row | {
            "when": f"{period} {year}",
            "with_event": level,
            "within_factor": within,
        }
    try:
        without, with_it, change = _change(answers, event, effect)
        row["event_pct"] = change
        if against:
            with_it, without = (_level(answers, effect, "", y, period) for y in (year, against))
            change = 100 * (with_it / without - 1)
    except NotCovered as reason:
        return row | {"note": str(reason)}
    published = row["published_pct"]
    return row | {
        "without": without,
        "with_event": with_it,
        "change_pct": change,
        "direction_right": abs(change) >= LEAST_PCT and math.copysign(1, change) == effect["direction"],
        "within_factor": None if published is None else _within(change, published),
    }


def _within(change: float, published: float) -> bool:
    """Whether a change is within the factor of another of the same direction."""
    return change * published > 0 and 1 / FACTOR <= change / published <= FACTOR
