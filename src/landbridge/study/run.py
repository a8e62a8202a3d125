"""Run a study: every scenario in every year, into one results folder."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from landbridge import __version__
from landbridge.data.tables import Tables
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import to_dict
from landbridge.study.answer import Reference, answer, reference_of
from landbridge.study.files import Study, check_study, fingerprint, held_projects
from landbridge.study.past import past_notes
from landbridge.study.payments import PAYMENTS, payments_table
from landbridge.study.results import Results, check_output, read_results, write_results
from landbridge.study.routing import passage_routes
from landbridge.study.solve import Settings, Solution, solve
from landbridge.study.tabulate import TABLES, tabulate
from landbridge.study.tabulate_trade import TRADE_TABLES, told_of, trade_tables
from landbridge.study.terminal_network import solve_with_terminals
from landbridge.study.terminal_network import summary as terminals_told

__all__ = ["run_study"]

#: Tables that are not read off a solution.
BESIDE = {
    "passages": "Passages by the route of their standard relation",
    "terminals": "Streams at terminals, where these are simulated: trains, capacity, delay and spread at that volume",
}

#: Called with how many tasks are done, how many there are, and what is going on.
Progress = Callable[[int, int, str], None]


def _labelled(tell: Progress, done: int, count: int, label: str) -> Callable[[str], None]:
    """Progress of one task as progress of the study."""
    return lambda text: tell(done, count, f"{label}: {text}")


def run_study(study: Study, tables: Tables, out: Path, *, progress: Progress | None = None) -> Results:
    """Solve a study and write its results.

    Parameters
    ----------
    study
        What to run.
    tables
        The atlas.
    out
        Folder for the results.
    progress
        Called as the work goes on.

    Returns
    -------
    Results
        As read back from the folder.

    Raises
    ------
    StudyError, DataError
        If the study does not fit the atlas.
    NotConverged
        If an equilibrium was not reached; nothing is written.
    OutputError
        If the folder cannot be written; told before anything is computed.
    """
    check_output(out)
    check_study(study, tables)
    held = held_projects(study)
    how = study.demand
    settings = Settings(
        gap=study.gap,
        max_iterations=study.max_iterations,
        size=study.size,
        growth=how.growth if how else "mean",
    )
    references: dict[int, Reference] = {}
    bases: dict[int, Solution] = {}
    tell = progress or (lambda _done, _all, _text: None)
    tasks = [(scenario, year) for scenario in study.scenarios for year in study.years]
    made: dict[tuple[str, int], dict[str, pl.DataFrame]] = {}
    records: dict[tuple[str, int], dict[str, Any]] = {}
    began = time.perf_counter()
    # What others are compared with comes first: they start from its flows of the same year.
    for number, (scenario, year) in enumerate(sorted(tasks, key=lambda task: task[0].id != study.compare)):
        label = f"{scenario.id} {year}"
        tell(number, len(tasks), label)
        start = time.perf_counter()
        applied = apply(tables, scenario.measures, year, held=held)
        note = _labelled(tell, number, len(tasks), label)
        answered = None
        more: dict[str, pl.DataFrame] = {}
        notes = list(applied.notes)
        if study.terminals == "simulated":
            fixed = solve_with_terminals(
                applied.tables, year=year, settings=settings, progress=note, start=bases.get(year)
            )
            solution, more["terminals"] = fixed.solution, terminals_told(fixed)
            notes.append(f"terminals simulated: {fixed.rounds} rounds, volumes within {fixed.change:.1%} of a capacity")
            notes += [f"more than its terminal can bear: {name}" for name in fixed.past_capacity]
        elif how is not None and how.mode != "frozen" and scenario.id != study.compare:
            answered = answer(
                applied.tables,
                references[year],
                year=year,
                settings=settings,
                how=how,
                progress=note,
                start=bases[year],
            )
            solution = answered.solution
        else:
            solution = solve(applied.tables, year=year, settings=settings, progress=note, start=bases.get(year))
        if scenario.id == study.compare:
            bases[year] = solution
            if how is not None:
                references[year] = reference_of(applied.tables, solution)
        more["payments"] = payments_table(applied.tables, solution, applied.payments)
        found = {**tabulate(applied.tables, solution), "passages": passage_routes(applied.tables), **more}
        if how is not None:
            found |= trade_tables(applied.tables, solution, answered)
        head = [pl.lit(scenario.id).alias("scenario"), pl.lit(year, dtype=pl.Int64).alias("year")]
        made[scenario.id, year] = {name: frame.select(*head, pl.all()) for name, frame in found.items()}
        record = solution.equilibrium.convergence
        records[scenario.id, year] = {
            "scenario": scenario.id,
            "year": year,
            "principle": solution.equilibrium.principle,
            "status": record.status,
            "relative_gap": record.relative_gap,
            "iterations": record.iterations,
            "seconds": time.perf_counter() - start,
            "notes": [
                *notes,
                *past_notes(tables, year, settings.base_year),
                *(answered.notes if answered else ()),
            ],
            **({"demand": told_of(how, answered)} if how else {}),
            "without_zone": dict(solution.prepared.demand.without_zone),
        }
    keys = [(scenario.id, year) for scenario, year in tasks]
    solved = [records[key] for key in keys]
    frames: dict[str, list[pl.DataFrame]] = {}
    for key in keys:
        for name, frame in made[key].items():
            frames.setdefault(name, []).append(frame)
    tell(len(tasks), len(tasks), "writing")
    package, overlay = tables.package, tables.overlay
    manifest = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "landbridge": __version__,
        "python": platform.python_version(),
        "atlas": {
            "name": package.name,
            "version": package.version,
            "licence": package.licence,
            "created": package.created,
            "content_hash": package.content_hash,
        }
        if package
        else None,
        "overlay": overlay.stamp() if overlay else None,
        "study": {
            "name": study.name,
            "description": study.description,
            "path": Path(study.path).name,
            "fingerprint": fingerprint(study),
            "years": list(study.years),
            "compare": study.compare,
            "demand": asdict(how) if how else None,
            "terminals": study.terminals,
            "held_projects": sorted(held),
            "scenarios": [
                {
                    "id": scenario.id,
                    "name": scenario.name,
                    "description": scenario.description,
                    "measures": [to_dict(measure) for measure in scenario.measures],
                }
                for scenario in study.scenarios
            ],
        },
        "settings": asdict(settings),
        "seconds": time.perf_counter() - began,
        "solved": solved,
        "tables": {name: {**TABLES, **TRADE_TABLES, **BESIDE, **PAYMENTS}[name] for name in frames},
    }
    merged = {name: pl.concat(parts, how="vertical") for name, parts in frames.items()}
    text = Path(study.path).read_text(encoding="utf-8") if study.path else ""
    write_results(out, manifest, merged, text, overlay=overlay.files if overlay else None)
    return read_results(out)
