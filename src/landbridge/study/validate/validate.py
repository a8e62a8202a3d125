"""Hold the model against a file of targets: every row answered or told why not, classed, and scored by class."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.study.validate.answers import Answers
from landbridge.study.validate.classes import Classes
from landbridge.study.validate.explain import explanation, topic
from landbridge.study.validate.form import read_targets
from landbridge.study.validate.naive import Naive, forecasts
from landbridge.study.validate.words import Answer, NotCovered
from landbridge.study.validate.worlds import World

__all__ = ["NOT_COVERED", "Validation", "rows_of", "scores", "validate"]

NOT_COVERED = "not_covered"
#: Misses that are told in full.
WORST = 10

SCHEMA: dict[str, Any] = {
    "id": pl.String, "class": pl.String, "topic": pl.String, "indicator": pl.String, "subject": pl.String,
    "direction": pl.String, "year": pl.Int64, "period": pl.String, "unit": pl.String, "kind": pl.String,
    "observed": pl.Float64, "low": pl.Float64, "high": pl.Float64, "modelled": pl.Float64,
    "error_pct": pl.Float64, "log_error": pl.Float64, "inside": pl.Boolean, "naive_last": pl.Float64,
    "naive_growth": pl.Float64, "naive_since": pl.Int64, "rests_on": pl.String, "note": pl.String, "why": pl.String,
    "source": pl.String, "source_url": pl.String,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Validation:
    """The model held against a file of targets.

    Attributes
    ----------
    rows
        One a target, in the file's order; ``why`` says why it is not covered, or for a miss where it comes from.
    by_class, by_topic
        Scores, one row a class or topic.
    worst
        The predicted rows that miss by most.
    """

    rows: pl.DataFrame
    by_class: pl.DataFrame
    by_topic: pl.DataFrame
    worst: pl.DataFrame

    @property
    def not_covered(self) -> int:
        """Number of targets without an answer."""
        return self.rows.filter(pl.col("class") == NOT_COVERED).height


def _log_error(value: float | None, observed: float, kind: str) -> float | None:
    """Absolute natural logarithm of model over observation; None for statements and numbers without a common sign."""
    if value is None or kind in ("sign", "order") or value * observed <= 0:
        return None
    return abs(math.log(value / observed))


def rows_of(
    world: World,
    targets: pl.DataFrame,
    classes: Classes,
    *,
    naive: bool = True,
    progress: Callable[[int, int, str], None] | None = None,
) -> pl.DataFrame:
    """Answer every target.

    Parameters
    ----------
    world
        Where the model's numbers come from.
    targets
        In the atlas' form.
    classes
        For the package of the world.
    naive
        Whether naive forecasts stand beside; they take much of the time.
    progress
        Called with rows done, all rows and the id at hand.

    Returns
    -------
    polars.DataFrame
        See `Validation.rows`.
    """
    answers = Answers(world)
    given = targets.to_dicts()
    beside = forecasts(world.tables, given) if naive else [Naive(None, None, None)] * len(given)
    rows = []
    for number, (row, plain) in enumerate(zip(given, beside, strict=True)):
        if progress is not None:
            progress(number, len(given), row["id"])
        try:
            rows.append(_answered(row, answers.of(row), plain, classes))
        except NotCovered as reason:
            rows.append(_head(row, plain) | {"class": NOT_COVERED, "why": str(reason)})
    full = [dict.fromkeys(SCHEMA) | row for row in rows]
    return pl.DataFrame(full, schema=SCHEMA)


def _head(row: dict[str, Any], plain: Naive) -> dict[str, Any]:
    kept = ("id", "indicator", "subject", "direction", "year", "period", "unit", "kind", "observed", "low", "high")
    return {
        **{name: row[name] for name in kept},
        "topic": topic(row["indicator"]),
        "naive_last": plain.last,
        "naive_growth": plain.growth,
        "naive_since": plain.since,
        "source": row["source_title"],
        "source_url": row["source_url"],
    }


def _answered(row: dict[str, Any], answer: Answer, plain: Naive, classes: Classes) -> dict[str, Any]:
    value, low, high, observed = answer.value, row["low"], row["high"], row["observed"]
    inside = (low is None or value >= low) and (high is None or value <= high)
    name, rests_on = classes.of(row, answer)
    return {
        **_head(row, plain),
        "class": name,
        "modelled": value,
        "error_pct": 100 * (value - observed) / observed if observed else None,
        "log_error": _log_error(value, observed, row["kind"]),
        "inside": inside,
        "rests_on": rests_on,
        "note": answer.note,
        "why": "" if inside else explanation(row, answer, classes),
    }


def scores(rows: pl.DataFrame, by: str) -> pl.DataFrame:
    """Score the answered rows by class or topic.

    Parameters
    ----------
    rows
        From `rows_of`.
    by
        ``class`` or ``topic``.

    Returns
    -------
    polars.DataFrame
        n, inside, share, median_abs_log_error, then over the rows that have an earlier observation: naive_n,
        naive_last and naive_growth (median absolute log errors of the two forecasts) and model_beside (the model's
        own on these rows).
    """
    answered = rows.filter(pl.col("class") != NOT_COVERED)
    found = []
    for name in answered[by].unique(maintain_order=True).to_list():
        part = answered.filter(pl.col(by) == name)
        found.append({by: name, **_score(part.to_dicts())})
    schema: dict[str, Any] = {
        by: pl.String, "n": pl.Int64, "inside": pl.Int64, "share": pl.Float64, "median_abs_log_error": pl.Float64,
        "naive_n": pl.Int64, "naive_last": pl.Float64, "naive_growth": pl.Float64, "model_beside": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(found, schema=schema).sort(by)


def _score(rows: list[dict[str, Any]]) -> dict[str, Any]:
    inside = sum(bool(r["inside"]) for r in rows)
    beside = [r for r in rows if r["naive_last"] is not None and r["log_error"] is not None]

    def middle(values: Iterable[float | None]) -> float | None:
        known = [v for v in values if v is not None]
        return median(known) if known else None

    return {
        "n": len(rows),
        "inside": inside,
        "share": inside / len(rows) if rows else None,
        "median_abs_log_error": middle(r["log_error"] for r in rows),
        "naive_n": len(beside),
        "naive_last": middle(_log_error(r["naive_last"], r["observed"], r["kind"]) for r in beside),
        "naive_growth": middle(_log_error(r["naive_growth"], r["observed"], r["kind"]) for r in beside),
        "model_beside": middle(r["log_error"] for r in beside),
    }


def validate(
    world: World, file: Path | None = None, *, progress: Callable[[int, int, str], None] | None = None
) -> Validation:
    """Hold a world against targets.

    Parameters
    ----------
    world
        Runs that are made as they are asked for, or one results folder.
    file
        A file of targets; None takes the atlas' own.
    progress
        Called with rows done, all rows and the id at hand.

    Returns
    -------
    Validation

    Raises
    ------
    DataError
        If the file does not have the form of targets; every fault is told.
    """
    tables: Tables = world.tables
    targets = tables["targets"] if file is None else read_targets(file)
    rows = rows_of(world, targets, Classes(tables), progress=progress)
    missed = rows.filter((pl.col("class") == "predicted") & ~pl.col("inside"))
    worst = missed.sort("log_error", descending=True, nulls_last=True, maintain_order=True).head(WORST)
    return Validation(rows, scores(rows, "class"), scores(rows, "topic"), worst)
