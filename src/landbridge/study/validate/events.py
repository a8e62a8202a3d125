"""What the events of the atlas do to a year or a part of it, as measures; and the scenarios that target files name.

An event's effects are rows of ``event_effects``: a measure, what it bears on, its number, and the days on which it
holds. Over a period it holds on a part of the days; a factor counts with that part, a charge is spread over all days,
a crossing that is shut keeps the days on which it is open.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.scenario.measures import Build, Measure
from landbridge.scenario.read import read_measures
from landbridge.study.validate.words import days_of

__all__ = ["TargetScenario", "event_measures", "target_scenarios", "undated"]

FILE = Path(__file__).parent / "scenarios.toml"
#: A link or crossing is shut for a whole period when its effect holds on at least this part of the days.
WHOLE = 0.5


@dataclass(frozen=True)
class TargetScenario:
    """A scenario of target files.

    Attributes
    ----------
    id, name
        As target files name it, and for people.
    events
        Events of the atlas that are the scenario: off in the world without it, on all days in the world with it.
    measures
        What is changed besides.
    market_since
        First day on which the market of sea freight is the scenario's doing; None where it is not.
    year_before
        Whether the world that it is compared with is the same part of the year before, as the source counts, rather
        than the same time without the events.
    """

    id: str
    name: str
    events: tuple[str, ...]
    measures: tuple[Measure, ...]
    market_since: dt.date | None = None
    year_before: bool = False

    @property
    def held(self) -> frozenset[str]:
        """Projects that the scenario builds: in the world without it they are not there."""
        return frozenset(m.project for m in self.measures if isinstance(m, Build) and m.project)


@lru_cache(maxsize=1)
def target_scenarios() -> dict[str, TargetScenario]:
    """The scenarios that target files name, by id."""
    found = {}
    with FILE.open("rb") as file:
        for entry in tomllib.load(file)["scenario"]:
            measures = read_measures(entry.get("measure", []), at=entry["id"])
            found[entry["id"]] = TargetScenario(
                entry["id"],
                entry["name"],
                tuple(entry.get("events", ())),
                tuple(measures),
                entry.get("market_since"),
                entry.get("base") == "year-before",
            )
    return found


def _held(row: dict[str, Any], first: dt.date, last: dt.date) -> float:
    """Part of the days of a period on which an effect holds."""
    start: dt.date = max(row["date_from"], first)
    end: dt.date = min(row["date_to"] or last, last)
    return max(0, (end - start).days + 1) / ((last - first).days + 1)


def _measure(row: dict[str, Any], part: float) -> Measure | None:
    """One effect over a period on a part of whose days it holds."""
    kind, value = row["measure"], float(row["value"])
    told: dict[str, Any] = {k: list(row[k]) for k in ("crossings", "links", "countries", "modes") if row[k]}
    if kind == "close":
        share = 1 - part * (1 - value)
        if row["links"] and part < WHOLE:
            return None  # on the other days ships and trains have their usual way
        if row["links"] or share <= 0:
            share = 0.0
        told["share"] = share
        if share >= 1:
            return None
    elif kind in ("charge", "subsidise"):
        told[row["field"]] = value * part
    else:
        told[row["field"]] = 1 + part * (value - 1)
    (measure,) = read_measures([{"kind": kind, **told}], at=f"event_effects {row['id']}")
    return measure


def undated(tables: Tables) -> Tables:
    """Tables in which no crossing is shut by its own dates on days on which an event's effect shuts it.

    A closure stands twice in the atlas: at the crossing, for whoever runs the year, and as what an event did. Where
    events are switched on and off, the event alone must tell it, or the world without it is shut as well.

    Parameters
    ----------
    tables
        The atlas.
    """
    if "event_effects" not in tables or "closed_from" not in tables["crossings"].columns:
        return tables
    shut = tables["event_effects"].filter(measure="close").explode("crossings").drop_nulls("crossings")
    ends = tables["crossings"].select("id", "closed_from", "closed_to").drop_nulls("closed_from")
    met = shut.join(ends, left_on="crossings", right_on="id").filter(
        (pl.col("closed_from") <= pl.col("date_to").fill_null(dt.date.max)),
        (pl.col("closed_to").fill_null(dt.date.max) >= pl.col("date_from")),
    )
    twice = pl.col("id").is_in(met["crossings"].to_list()) & pl.col("closed_from").is_not_null()
    lifted = [pl.when(twice).then(None).otherwise(pl.col(c)).alias(c) for c in ("closed_from", "closed_to")]
    return tables.replace(crossings=tables["crossings"].with_columns(lifted)) if met.height else tables


def event_measures(
    tables: Tables, year: int, period: str = "year", *, without: tuple[str, ...] = (), whole: tuple[str, ...] = ()
) -> tuple[Measure, ...]:
    """Measures that stand for the events of a year.

    Parameters
    ----------
    tables
        The atlas.
    year, period
        Which days.
    without
        Events that did not happen.
    whole
        Events that hold on all days.

    Returns
    -------
    tuple of Measure
        In the order of the table.
    """
    span = days_of(year, period)
    if "event_effects" not in tables or span is None:
        return ()
    found = []
    for row in tables["event_effects"].to_dicts():
        if row["event"] in without:
            continue
        part = 1.0 if row["event"] in whole else _held(row, *span)
        if part > 0 and (measure := _measure(row, part)) is not None:
            found.append(measure)
    return tuple(found)
