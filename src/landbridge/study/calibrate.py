"""Fit a few named parameters of the atlas to observed figures of some years, and of no others.

Problem
    Parameters p within the bounds that the atlas states for them; targets t of the years that are named, observed o_t,
    modelled m_t(p). Wanted is the p that makes the model's errors small without moving far from what was known before.

Method
    The objective is half a sum of soft squares of the residuals ``ln(m_t(p) / o_t)`` of every flow and load of a train
    of those years, and of a ridge ``RIDGE * (p - prior) / width`` for each parameter. A modelled value below a
    twentieth of the observed one counts as a twentieth. It is brought down by a compass search: from `BEGIN`, each
    parameter in its turn is moved up or down by its own step, the move is kept where the objective falls, its step
    doubles after a move and halves after two that failed. The ways of goods jump, so that no derivative can be trusted.
    The search has converged when no parameter can be moved by `FINEST` of its range, up or down, so that the objective
    falls by more than `NOISE`. Each solve starts from the flows of the same time at the prior, so that the result
    depends on nothing but the tables, the targets and the settings.

Held out
    Targets of other years are never read here. What was fitted is written as ``calibrated`` with the facts of the
    targets as its sources, and `landbridge.study.validate.classes` tells these targets as fitted from then on.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, OutputError, UnknownName
from landbridge.study.settings import Settings
from landbridge.study.solve import Solution, solve
from landbridge.study.tabulate import tabulate
from landbridge.study.validate.answers import FLOWS, Answers
from landbridge.study.validate.classes import ECHO, Classes
from landbridge.study.validate.runs import GAP, KEPT, SolvedWorld, yards
from landbridge.study.validate.words import NotCovered, Operand, days_of

__all__ = ["COUNTS", "FITTED", "Calibration", "calibrate", "compass", "write_overlay"]

F8 = npt.NDArray[np.float64]
Progress = Callable[[str], None]

#: Published counts of the same years that are no open targets, in their form.
COUNTS = Path(__file__).with_name("calibration.csv")
#: Years from which the market of sea freight moves within a year, so that a half of it is run for itself.
HALVES_FROM = 2020
#: Parameters that may be fitted, with what was known of them before: nothing, so that they change nothing.
FITTED: dict[str, float] = {
    "rail-constant-china-europe": 0.0,
    "rail-youth-china-europe": 0.0,
    "rail-pool-west": 1.0,
    "rail-pool-east": 1.0,
    "russia-rail-before-2022": 1.0,
    "caspian-constant": 0.0,
    "dostyk-constant": 0.0,
    "cre-central-asia-share": 0.0,
    "block-train-mid": 2010.0,
    "block-train-width": 1.0,
    "train-fill": 1.0,
}
#: Where the search of each begins: rounded ends of earlier ones, since the objective is flat far from there.
BEGIN: dict[str, float] = {
    "rail-constant-china-europe": 370.0,
    "rail-youth-china-europe": 660.0,
    "rail-pool-west": 1.55,
    "rail-pool-east": 2.25,
    "russia-rail-before-2022": 0.82,
    "caspian-constant": -231.0,
    "dostyk-constant": 81.0,
    "cre-central-asia-share": 0.29,
    "block-train-mid": 2017.4,
    "block-train-width": 1.1,
    "train-fill": 0.96,
}
#: Those that only say how trains are counted: nothing is solved anew for them.
COUNTING = ("cre-central-asia-share", "block-train-mid", "block-train-width", "train-fill")
#: A part of a year that is shorter is taken as the year.
QUARTER_DAYS = 90
#: Weight of the distance from the prior, as a part of a parameter's range, against an error of one in logs.
RIDGE = 0.5
#: Least part of the observed value that a modelled one counts as.
LEAST = 0.05
#: First, longest and finest step, as parts of a parameter's range.
FIRST, LONGEST, FINEST = 1 / 16, 1 / 8, 1 / 64
#: Least fall of the objective that a move is kept for: flows are solved to a gap, and this is above what it leaves.
NOISE = 1e-4
#: Solved times that are kept in memory: those of the best point and of the trials around it.
KEPT_RUNS = 150
#: Error in logs from which the loss grows no longer with the square.
SOFT = 0.5


@dataclass(frozen=True, eq=False)
class Calibration:
    """A fit.

    Attributes
    ----------
    values
        The parameters found.
    rows
        One row a target in the fit: id, fact_id, observed, before and after (modelled), log errors before and after.
    years
        The years whose targets were read.
    evaluations
        How often all years were solved.
    cost_before, cost_after
        The objective at the prior and at the end.
    at_bound
        Parameters that ended at the end of their range: the data want more than what is thought possible.
    converged
        Whether the search came to its end, by the rule above, before its last sweep.
    """

    values: dict[str, float]
    rows: pl.DataFrame
    years: tuple[int, ...]
    evaluations: int
    cost_before: float
    cost_after: float
    at_bound: tuple[str, ...]
    converged: bool


@dataclass
class _WarmWorld(SolvedWorld):
    """Runs that start from the flows of their time at the prior; a part of a year is taken as its half or the year."""

    starts: dict[tuple[int, str], Solution] = field(default_factory=dict)
    runs: dict[tuple[Any, ...], dict[str, pl.DataFrame]] = field(default_factory=dict)
    moving: tuple[float, ...] = ()

    def frame(self, name: str, op: Operand) -> pl.DataFrame:
        return super().frame(name, replace(op, period=_half(op.year, op.period)))

    def _run(self, op: Operand) -> dict[str, pl.DataFrame]:
        key = (op.scenario, op.year, op.period, self.moving)
        if key in self.runs:
            self.runs[key] = self.runs.pop(key)  # the last used are kept longest
            return self.runs[key]
        applied = self._apply(op).tables
        self.progress(f"solving {op.year}{'' if op.period == 'year' else ' ' + op.period}")
        start = self.starts.get((op.year, op.period))
        solution = solve(applied, year=op.year, settings=Settings(gap=GAP, size=self.size), start=start)
        self.starts.setdefault((op.year, op.period), solution)
        made = {**tabulate(applied, solution), "yards": yards(solution)}
        self.runs[key] = {name: made[name] for name in KEPT}
        return self.runs[key]


def _half(year: int, period: str) -> str:
    """The half of a year that a part of it of at least a quarter lies in; the year where it lies in neither."""
    span = days_of(year, period)
    if year < HALVES_FROM or span is None or (span[1] - span[0]).days < QUARTER_DAYS - 1:
        return "year"
    for half in ("H1", "H2"):
        known = days_of(year, half)
        if known and known[0] <= span[0] and span[1] <= known[1]:
            return half
    return "year"


def _with(tables: Tables, values: dict[str, float]) -> Tables:
    """Tables with other values of some parameters."""
    new = pl.DataFrame({"id": list(values), "value": list(values.values())})
    return tables.replace(parameters=tables["parameters"].update(new, on="id"))


def calibrate(
    tables: Tables,
    targets: pl.DataFrame,
    *,
    years: Sequence[int],
    names: Sequence[str] = tuple(FITTED),
    size: str = "corridor",
    most: int = 40,
    progress: Progress | None = None,
) -> Calibration:
    """Fit parameters to the flows among the targets of some years.

    Parameters
    ----------
    tables
        The atlas.
    targets
        In the atlas' form.
    years
        Years whose targets may be read.
    names
        Parameters to fit, of `FITTED`.
    size
        Size of the runs.
    most
        Sweeps over the parameters at most; one solves every year up to twice for each parameter.
    progress
        Called with what is being solved.

    Returns
    -------
    Calibration

    Raises
    ------
    UnknownName
        For a parameter that may not be fitted.
    LandbridgeError
        If no target of those years can be answered.
    """
    for name in names:
        if name not in FITTED:
            raise UnknownName("parameter to fit", name, list(FITTED))
    bounds = {r["id"]: (r["low"], r["high"]) for r in tables["parameters"].to_dicts() if r["id"] in names}
    low, high = (np.array([bounds[n][i] for n in names], np.float64) for i in (0, 1))
    prior = np.array([FITTED[n] for n in names])
    width = high - low
    flow = pl.col("indicator").is_in(sorted(FLOWS)) & (pl.col("kind") == "level")
    wanted = targets.filter(pl.col("year").is_in(list(years)) & (flow | (pl.col("indicator") == "teu_per_train")))
    classes = Classes(tables)
    starts: dict[tuple[int, str], Solution] = {}
    runs: dict[tuple[Any, ...], dict[str, pl.DataFrame]] = {}
    rows: list[dict[str, Any]] = []
    count = 0

    def world_of(p: F8) -> _WarmWorld:
        given = dict(zip(names, p.tolist(), strict=True))
        return _WarmWorld(
            _with(tables, given), size=size, progress=progress or (lambda _: None), starts=starts, runs=runs,
            moving=tuple(v for n, v in given.items() if n not in COUNTING),
        )  # fmt: skip

    def modelled(p: F8) -> list[float]:
        nonlocal count
        count += 1
        answers = Answers(world_of(p))
        return [answers.of(row).value for row in rows]

    def errors(values: Sequence[float]) -> F8:
        return np.array(
            [math.log(max(v, LEAST * r["observed"]) / r["observed"]) for v, r in zip(values, rows, strict=True)]
        )

    # STEP 1: which targets can be answered, and are not inputs
    answers, before = Answers(world_of(prior)), []
    for row in wanted.to_dicts():
        try:
            answer = answers.of(row)
        except NotCovered:
            continue
        if classes.of(row, answer)[0] != ECHO and row["observed"] > 0:
            rows.append(row)
            before.append(answer.value)
    if not rows:
        raise LandbridgeError(f"no flow of {min(years)} to {max(years)} among the targets can be answered")

    # STEP 2: the fit
    def cost(x: F8) -> float:
        p = low + x * width
        found = _cost(np.concatenate([errors(modelled(p)), RIDGE * (p - prior) / width]))
        if len(runs) > KEPT_RUNS:
            for key in list(runs)[: len(runs) - KEPT_RUNS]:
                del runs[key]
        return found

    begin = np.array([BEGIN.get(n, FITTED[n]) for n in names])
    x, least, converged = compass(cost, np.clip((begin - low) / width, 0.0, 1.0), most)
    best = low + x * width
    after = modelled(best)
    zero = np.concatenate([errors(before), np.zeros(len(names))])
    table = pl.DataFrame(
        {
            "id": [r["id"] for r in rows],
            "facts": [";".join(r["fact_id"] or ()) for r in rows],
            "year": [r["year"] for r in rows],
            "observed": [r["observed"] for r in rows],
            "before": before,
            "after": after,
            "error_before": errors(before),
            "error_after": errors(after),
        }
    )
    margin = 0.01
    return Calibration(
        values=dict(zip(names, best.tolist(), strict=True)),
        rows=table,
        years=tuple(sorted({r["year"] for r in rows})),
        evaluations=count,
        cost_before=_cost(zero),
        cost_after=least,
        at_bound=tuple(n for n, share in zip(names, x.tolist(), strict=True) if share < margin or share > 1 - margin),
        converged=converged,
    )


def compass(cost: Callable[[F8], float], begin: F8, most: int) -> tuple[F8, float, bool]:
    """Bring a function on the unit cube down by moving one coordinate at a time, without derivatives.

    Parameters
    ----------
    cost
        The function.
    begin
        Where the search begins.
    most
        Sweeps over the coordinates at most.

    Returns
    -------
    tuple
        The best point, its cost, and whether no coordinate could be moved by `FINEST` any more.
    """
    known: dict[bytes, float] = {}

    def at(x: F8) -> float:
        if (key := x.tobytes()) not in known:
            known[key] = cost(x)
        return known[key]

    x = begin.copy()
    least = at(x)
    step, way = np.full(x.size, FIRST), np.ones(x.size)
    for _ in range(most):
        moved = False
        for i in range(x.size):
            for sign in (way[i], -way[i]):
                trial = x.copy()
                trial[i] = np.clip(x[i] + sign * step[i], 0.0, 1.0)
                if trial[i] != x[i] and (found := at(trial)) < least - NOISE:
                    x, least, moved, way[i] = trial, found, True, sign
                    step[i] = min(2 * step[i], LONGEST)
                    break
            else:
                moved = moved or step[i] > FINEST
                step[i] = max(step[i] / 2, FINEST)
        if not moved:
            return x, least, True
    return x, least, False


def _cost(residual: F8) -> float:
    """The objective: half the sum of soft squares, as scipy states it."""
    return float(SOFT**2 * (np.sqrt(1 + (residual / SOFT) ** 2) - 1).sum())


def write_overlay(folder: Path, found: Calibration, tables: Tables) -> None:
    """Write the fit as an overlay of the atlas, with what was fitted to what beside it.

    Parameters
    ----------
    folder
        Made where it is not there.
    found
        The fit.
    tables
        The atlas that it belongs to.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    digits = 6

    def text(rows: Sequence[Sequence[Any]]) -> str:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows(rows)
        return buffer.getvalue()

    known = dict(tables["parameters"].select("id", "value").iter_rows())
    values = [("id", "value")] + [(n, f"{v:.{digits}g}") for n, v in found.values.items()]
    facts = list(dict.fromkeys(f for text_ in found.rows["facts"].to_list() for f in text_.split(";") if f))
    ids = ", ".join(found.rows["id"].to_list())
    how = "" if found.converged else ", ended before it converged"
    why = (
        f"Fitted with {', '.join(found.values)} to targets {ids} of {found.years[0]}-{found.years[-1]} by compass "
        f"search on soft squares of log errors with a ridge{how}; objective {found.cost_before:.3g} before, "
        f"{found.cost_after:.4g} after."
    )
    origin = [("row", "column", "kind", "source", "reasoning")]
    origin += [(n, "value", "calibrated", ";".join(facts), why) for n in found.values]
    changes = [("id", "before", "after")] + [
        (n, f"{known[n]:.{digits}g}", f"{v:.{digits}g}") for n, v in found.values.items()
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "parameters.csv").write_text(text(values), encoding="utf-8")
        beside = folder / "fit"
        beside.mkdir(exist_ok=True)
        (beside / "provenance.csv").write_text(text(origin), encoding="utf-8")
        (beside / "changes.csv").write_text(text(changes), encoding="utf-8")
        found.rows.write_csv(beside / "targets.csv")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}") from error
