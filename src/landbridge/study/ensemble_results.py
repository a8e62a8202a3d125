"""Results of an ensemble: a folder with what every scenario came to in every future, and what follows for a choice.

ensemble.json            what was run, from which atlas, code and settings; value of knowing the future
study.toml               the study file as it came
tables/futures.parquet   the value of each uncertain input in each future
tables/runs.parquet      what each scenario came to in each future
tables/policies.parquet  each scenario by each rule of choice, and whether the rule picks it
tables/regret.parquet    regret of each scenario in each future, USD a year
tables/sensitivity.parquet   for each scenario's net benefit and each input: rank correlation, and Sobol indices
                         with intervals where the design allows them
tables/boxes.parquet     ranges of the inputs in which a scenario does not meet its need, with coverage and density
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.errors import OutputError
from landbridge.model.uncertainty import criteria, evpi, prim, regret, sobol_indices
from landbridge.study.content import table_hash
from landbridge.study.files import Study
from landbridge.study.results import read_frames, read_manifest, whole_folder
from landbridge.study.uncertain import EnsemblePlan, Uncertain, draw

__all__ = ["LESS_IS_BETTER", "MARKER", "TABLES", "analyse", "read_ensemble", "write_ensemble"]

F8 = npt.NDArray[np.float64]

#: File by which results of this kind are known.
MARKER = "ensemble.json"
FORMAT = 1

TABLES = {
    "futures": "Value of each uncertain input in each future: a factor, or of a parameter its value",
    "runs": "Each scenario in each future: what users pay and wait for, benefit against the scenario compared with, "
    "benefit less the scenario's yearly cost (USD a year), million tonnes by land, outside, and at what is watched",
    "policies": "Each scenario by each rule of choice (USD a year; Starr: share of futures); whether the rule picks it",
    "regret": "USD a year that each scenario leaves on the table in each future",
    "sensitivity": "How each scenario's net benefit answers to each input: Spearman's rank correlation; first and "
    "total Sobol indices with 95 per cent intervals by bootstrap (design saltelli)",
    "boxes": "Ranges of inputs in which a scenario's net benefit stays below the threshold: steps of PRIM",
}

#: Unit and meaning of the columns; of ``futures`` each input has one of its own, ``runs`` may watch more places.
COLUMNS: dict[str, tuple[str, str]] = {
    "future": ("", "Number of the future"),
    "scenario": ("", "Scenario"),
    "users_cost_usd_yr": (
        "USD a year",
        "What users pay and wait for: composite cost of land and outside, times tonnes",
    ),
    "land_mt_yr": ("Mt a year", "Tonnes by land"),
    "outside_mt_yr": ("Mt a year", "Tonnes by deep sea or all the way by truck"),
    "unserved_mt_yr": ("Mt a year", "Tonnes that nothing carries; they are in no cost"),
    "relative_gap": ("", "How far the equilibrium is from exact"),
    "benefit_usd_yr": ("USD a year", "Fall of users' cost against the scenario compared with, in the same future"),
    "cost_usd_yr": ("USD a year", "Yearly cost of the scenario above that of the one compared with"),
    "net_usd_yr": ("USD a year", "Benefit less cost"),
    "rule": ("", "Rule of choice"),
    "value": ("USD a year; starr: share", "Value of the scenario by the rule"),
    "picked": ("", "Whether the rule picks it"),
    "regret_usd_yr": ("USD a year", "What the scenario leaves on the table against the best one in that future"),
    "input": ("", "Uncertain input"),
    "rank_correlation": ("", "Spearman's rank correlation of net benefit and input"),
    "first": ("", "First Sobol index: share of variance that the input explains alone"),
    "first_low": ("", "Low end of its 95 per cent interval, by bootstrap"),
    "first_high": ("", "High end of its 95 per cent interval, by bootstrap"),
    "total": ("", "Total Sobol index: share of variance that the input explains with all its company"),
    "total_low": ("", "Low end of its 95 per cent interval, by bootstrap"),
    "total_high": ("", "High end of its 95 per cent interval, by bootstrap"),
    "step": ("", "Step of PRIM"),
    "coverage": ("", "Share of the failing futures that lie inside the box"),
    "density": ("", "Share of the futures inside the box that fail"),
    "points": ("", "Futures inside the box"),
    "limits": ("", "Limits of the box by input"),
}

#: Rules in which the smallest value is picked.
LESS_IS_BETTER = frozenset({"minimax_regret", "mean_regret", "cvar_loss"})


def write_ensemble(
    out: Path,
    study: Study,
    manifest: Mapping[str, Any],
    inputs: Sequence[Uncertain],
    unit: F8,
    values: F8,
    rows: Sequence[Sequence[Mapping[str, Any]]],
) -> dict[str, Any]:
    """Write the results folder of an ensemble, whole or not at all.

    Parameters
    ----------
    out
        Folder.
    study
        With its plan.
    manifest
        What was run.
    inputs
        Uncertain inputs.
    unit, values : float64[N, inputs]
        The design, and the value of each input.
    rows
        By future, a row for each scenario.

    Returns
    -------
    dict
        The whole manifest.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    assert study.ensemble is not None  # noqa: S101 - held by who calls
    runs = _runs(study, study.ensemble, inputs, values, rows)
    tables = {
        "futures": pl.DataFrame(
            {"future": np.arange(len(values)), **{one.id: values[:, i] for i, one in enumerate(inputs)}}
        ),
        "runs": runs,
    }
    more, knowing = analyse(study, study.ensemble, inputs, unit, runs)
    tables |= more
    told = {
        "format": FORMAT,
        "kind": "ensemble",
        **manifest,
        "expected_value_of_perfect_information_usd_yr": knowing,
        "tables": TABLES,
        "columns": {
            name: {
                column: {"unit": unit, "meaning": means}
                for column in frame.columns
                for unit, means in [COLUMNS.get(column, ("", ""))]
                if means
            }
            for name, frame in tables.items()
        },
        "content": {name: table_hash(frame) for name, frame in tables.items()},
    }
    with whole_folder(out, marker=MARKER) as draft:
        (draft / "tables").mkdir()
        for name, frame in tables.items():
            frame.write_parquet(draft / "tables" / f"{name}.parquet")
        text = Path(study.path).read_text(encoding="utf-8") if study.path else ""
        (draft / "study.toml").write_text(text, encoding="utf-8")
        (draft / MARKER).write_text(
            json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )
    return told


def _runs(
    study: Study,
    plan: EnsemblePlan,
    inputs: Sequence[Uncertain],
    values: F8,
    rows: Sequence[Sequence[Mapping[str, Any]]],
) -> pl.DataFrame:
    """One row a future and scenario, with benefits."""
    of_cost = np.ones(len(values))
    for i, one in enumerate(inputs):
        if one.quantity == "cost":
            of_cost *= values[:, i]
    costs = dict(plan.cost_usd_yr)
    out = []
    for future, found in enumerate(rows):
        base = next(row for row in found if row["scenario"] == study.compare)
        for row in found:
            benefit = base["users_cost_usd_yr"] - row["users_cost_usd_yr"]
            cost = (costs.get(row["scenario"], 0.0) - costs.get(study.compare, 0.0)) * of_cost[future]
            out.append(
                {"future": future, **row, "benefit_usd_yr": benefit, "cost_usd_yr": cost, "net_usd_yr": benefit - cost}
            )
    return pl.DataFrame(out)


def analyse(
    study: Study, plan: EnsemblePlan, inputs: Sequence[Uncertain], unit: F8, runs: pl.DataFrame
) -> tuple[dict[str, pl.DataFrame], float]:
    """Return what the runs say about choosing.

    Parameters
    ----------
    study, plan, inputs
        What was run.
    unit : float64[N, inputs]
        The design.
    runs
        One row a future and scenario.

    Returns
    -------
    tables : dict
        ``policies``, ``regret``, ``sensitivity``, ``boxes``.
    knowing_usd_yr : float
        Expected value of perfect information, all futures alike.
    """
    names = [scenario.id for scenario in study.scenarios]
    payoff = np.array([runs.filter(pl.col("scenario") == name)["net_usd_yr"].to_numpy() for name in names])
    if plan.design == "saltelli":  # the first two blocks are points drawn at random; the rest are made of them
        rows = len(unit) // (len(inputs) + 2)
        drawn, futures = payoff[:, : 2 * rows], unit[: 2 * rows]
    else:
        drawn, futures = payoff, unit
    rules = criteria(drawn, optimism=plan.optimism, threshold=plan.threshold_usd_yr, tail=plan.tail)
    policies = [
        {"rule": rule, "scenario": name, "value": float(value), "picked": bool(value == best)}
        for rule, found in rules.items()
        for best in [found.min() if rule in LESS_IS_BETTER else found.max()]
        for name, value in zip(names, found, strict=True)
    ]
    left = regret(drawn)
    table = pl.DataFrame(
        {
            "future": np.tile(np.arange(drawn.shape[1]), len(names)),
            "scenario": np.repeat(names, drawn.shape[1]),
            "regret_usd_yr": left.ravel(),
        }
    )
    sensitivity, boxes = [], []
    for name, whole, some in zip(names, payoff, drawn, strict=True):
        if np.ptp(some) <= 0:
            continue  # the scenario compared with has no benefit over itself
        indices = None
        if plan.design == "saltelli":
            indices = sobol_indices(whole, len(inputs), rng=np.random.default_rng(study.seed))
        for i, one in enumerate(inputs):
            row: dict[str, Any] = {
                "scenario": name,
                "input": one.id,
                "rank_correlation": float(np.corrcoef(_ranks(futures[:, i]), _ranks(some))[0, 1]),
            }
            for key in ("first", "first_low", "first_high", "total", "total_low", "total_high"):
                row[key] = None if indices is None else float(getattr(indices, key)[i])
            sensitivity.append(row)
        below = some < plan.threshold_usd_yr
        values = np.column_stack([draw(one, futures[:, i]) for i, one in enumerate(inputs)])
        for step, box in enumerate(prim(values, below) if below.any() and not below.all() else []):
            boxes.append(
                {
                    "scenario": name, "step": step, "coverage": box.coverage, "density": box.density,
                    "points": box.points,
                    "limits": "; ".join(
                        f"{one.id} {'from ' + format(lo, '.4g') if np.isfinite(lo) else ''}"
                        f"{' ' if np.isfinite(lo) and np.isfinite(hi) else ''}"
                        f"{'to ' + format(hi, '.4g') if np.isfinite(hi) else ''}"
                        for one, lo, hi in zip(inputs, box.low, box.high, strict=True)
                        if np.isfinite(lo) or np.isfinite(hi)
                    ),
                }
            )  # fmt: skip
    schema = {
        "scenario": pl.String, "step": pl.Int64, "coverage": pl.Float64, "density": pl.Float64, "points": pl.Int64,
        "limits": pl.String,
    }  # fmt: skip
    found = {
        "policies": pl.DataFrame(policies),
        "regret": table,
        "sensitivity": pl.DataFrame(sensitivity, infer_schema_length=None),
        "boxes": pl.DataFrame(boxes, schema=schema),
    }
    return found, evpi(drawn)


def _ranks(values: F8) -> F8:
    """Ranks from 0, ties sharing their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts + 1) / 2)[inverse], np.float64)


def read_ensemble(folder: Path) -> tuple[dict[str, Any], dict[str, pl.DataFrame]]:
    """Read the results of an ensemble.

    Raises
    ------
    OutputError
        If there are none, or with every file that is not whole.
    """
    if not (folder / MARKER).is_file():
        raise OutputError(
            f"{folder}: not the results of an ensemble (no {MARKER}); make one with `landbridge ensemble`"
        )
    manifest = read_manifest(folder / MARKER)
    if manifest.get("format") != FORMAT:
        raise OutputError(f"{folder}: wanted an ensemble of format {FORMAT}, got {manifest.get('format')}")
    return manifest, read_frames(folder, manifest)
