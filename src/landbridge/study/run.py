"""Run a study: every scenario in every year, one task each, into one results folder."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import polars as pl

from landbridge import __version__
from landbridge.data.tables import Tables
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import to_dict
from landbridge.scenario.scenarios import Scenario
from landbridge.scenario.scenarios import fingerprint as scenario_hash
from landbridge.study.answer import Answer, answer, frozen_tables, projected_world, reference_of
from landbridge.study.content import code_hash, content_of, table_hash
from landbridge.study.files import Study, check_study, fingerprint, held_projects
from landbridge.study.given import Given, given
from landbridge.study.kept import Kept, work_folder
from landbridge.study.parameters import parameters_told
from landbridge.study.past import past_notes
from landbridge.study.payments import PAYMENTS, payments_table
from landbridge.study.results import WRITERS, Results, check_output, read_results, write_results
from landbridge.study.routing import passage_routes
from landbridge.study.runner import Done, Task, Where, noted, run_tasks
from landbridge.study.solve import Prepared, Settings, Solution, solve
from landbridge.study.tabulate import TABLES, tabulate
from landbridge.study.tabulate_trade import TRADE_TABLES, told_of, trade_tables
from landbridge.study.terminal_network import Assign, solve_with_terminals
from landbridge.study.terminal_network import summary as terminals_told

__all__ = ["run_study", "settings_of", "solve_one", "work_folder"]

#: Tables that are not read off a solution.
BESIDE = {
    "passages": "Passages by the route of their standard relation",
    "terminals": "Streams at terminals, where these are simulated: trains, capacity, delay and spread at that volume",
}

#: What each table of results is.
DESCRIBED = {**TABLES, **TRADE_TABLES, **BESIDE, **PAYMENTS}

#: Libraries whose version may move a number in its last digits.
LIBRARIES = ("numba", "numpy", "polars", "pydantic")

#: Called with how many tasks are done, how many there are, and what is going on.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Shared:
    """What the tasks of a study share: the atlas, and how it is solved."""

    tables: Tables
    settings: Settings
    study: Study


@dataclass(frozen=True)
class One:
    """Inputs of a task: a scenario, by its place in the study, and a year."""

    scenario: int
    year: int


@dataclass(frozen=True, eq=False)
class Solved:
    """What a task gives: tables by name, its part of the manifest, and where others start from it the solution."""

    frames: Mapping[str, pl.DataFrame]
    record: Mapping[str, Any]
    solution: Solution | None


def settings_of(study: Study) -> Settings:
    """Return the settings that a study asks for."""
    return Settings(
        gap=study.gap,
        max_iterations=study.max_iterations,
        size=study.size,
        growth=study.demand.growth if study.demand else "mean",
        curves=study.curves,
        nest=study.nest,
        principle=study.principle,
        path_scale_usd_t=study.path_scale_usd_t,
    )


def solve_one(shared: Shared, one: One, needed: Mapping[str, Any]) -> Solved:
    """Solve one scenario in one year.

    Parameters
    ----------
    shared
        The atlas and the study.
    one
        Which scenario and year.
    needed
        The scenario that the study compares with in that year, solved, unless this is it: every other scenario starts
        from its flows.

    Returns
    -------
    Solved

    Raises
    ------
    NotConverged
        If no equilibrium was reached.
    """
    tables, settings, study = shared.tables, shared.settings, shared.study
    scenario, year = study.scenarios[one.scenario], one.year
    held, how = held_projects(study), study.demand
    start = time.perf_counter()
    applied = apply(tables, scenario.measures, year, held=held)
    base = next(iter(needed.values())).solution if needed else None
    answered, by_gift = None, None
    more: dict[str, pl.DataFrame] = {}
    notes = list(applied.notes)
    answering: Callable[..., Answer] | None = None
    before = applied.tables
    if how is not None and how.mode != "frozen" and base is not None:
        before = apply(tables, study.scenario(study.compare).measures, year, held=held).tables
        answering = partial(
            answer, applied.tables, reference_of(before, base), year=year, settings=settings, how=how, progress=noted
        )
    if study.terminals == "simulated":
        found: list[Answer] = []

        def respond(prepared: Prepared, assign: Assign, begin: Solution | None) -> Solution:
            assert answering is not None  # noqa: S101 - asked below
            found.append(answering(prepared=prepared, start=begin, assign=assign))
            return found[-1].solution

        fixed = solve_with_terminals(
            frozen_tables(applied.tables) if answering else applied.tables,
            year=year,
            settings=settings,
            progress=noted,
            start=base,
            trade=respond if answering else None,
        )
        solution, more["terminals"] = fixed.solution, terminals_told(fixed)
        answered = found[-1] if found else None
        notes.append(f"terminals simulated: {fixed.rounds} rounds, volumes within {fixed.change:.1%} of a capacity")
        notes += [f"more than its terminal can bear: {name}" for name in fixed.past_capacity]
    elif answering:
        answered = answering(start=base)
        solution = answered.solution
    else:
        solution = solve(applied.tables, year=year, settings=settings, progress=noted, start=base)
    if answered:
        by_gift = _given(before, answered, scenario, year, settings)
    more["payments"] = payments_table(applied.tables, solution, applied.payments)
    made = {**tabulate(applied.tables, solution), "passages": passage_routes(applied.tables), **more}
    if how is not None:
        made |= trade_tables(applied.tables, solution, answered, by_gift)
    head = [pl.lit(scenario.id).alias("scenario"), pl.lit(year, dtype=pl.Int64).alias("year")]
    record = solution.equilibrium.convergence
    told = {
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
        **({"demand": told_of(how, answered, by_gift)} if how else {}),
        "without_zone": dict(solution.prepared.demand.without_zone),
    }
    frames = {name: frame.select(*head, pl.all()) for name, frame in made.items()}
    starts_others = scenario.id == study.compare and len(study.scenarios) > 1
    return Solved(frames, told, solution if starts_others else None)


def _given(reference: Tables, answered: Answer, scenario: Scenario, year: int, settings: Settings) -> Given | None:
    """Welfare of what a scenario gives rather than answers, in general equilibrium."""
    if answered.outcome is None:
        return None
    before = projected_world(frozen_tables(reference), year=year, settings=settings)
    return given(reference, before, answered.world, scenario.measures, year=year)


def tasks_of(study: Study) -> list[Task]:
    """Return the tasks of a study: every scenario in every year; all start from the one compared with."""
    base = next(i for i, scenario in enumerate(study.scenarios) if scenario.id == study.compare)
    return [
        Task(
            f"{scenario.id} {year}",
            One(number, year),
            (f"{study.compare} {year}",) if number != base else (),
        )
        for number, scenario in enumerate(study.scenarios)
        for year in study.years
    ]


def run_study(
    study: Study,
    tables: Tables,
    out: Path,
    *,
    progress: Progress | None = None,
    where: Where | None = None,
    resume: bool = False,
    tell: Callable[[Done], None] | None = None,
) -> Results:
    """Solve a study and write its results.

    Parameters
    ----------
    study
        What to run.
    tables
        The atlas.
    out
        Folder for the results. Finished tasks are kept in a folder of work beside it, which goes once they are whole.
    progress
        Called as the work goes on.
    where
        In this process (the default), in processes of this machine, or on a cluster: the results are the same.
    resume
        Whether to go on from what an earlier run of the same study finished; else that is thrown away.
    tell
        Called after each task.

    Returns
    -------
    Results
        As read back from the folder.

    Raises
    ------
    StudyError, DataError
        If the study does not fit the atlas.
    NotConverged
        If an equilibrium was not reached; no results are written.
    OutputError
        If the folder cannot be written (told before anything is computed), or another run works on it.
    """
    check_output(out)
    check_study(study, tables)
    show = progress or (lambda _done, _all, _text: None)
    shared = Shared(tables, settings_of(study), replace(study, lines={}, positions=()))
    tasks = tasks_of(study)
    began = time.perf_counter()
    show(0, len(tasks), tasks[0].id)

    def done(event: Done) -> None:
        if tell is not None:
            tell(event)
        show(event.done, event.count, event.id)

    kept = Kept(work_folder(out))
    with kept.held(anew=not resume):
        solved = run_tasks(
            solve_one, shared, tasks, where=where, kept=kept, shared_hash=shared_hash(shared), tell=done, note=show
        )
        show(len(tasks), len(tasks), "writing")
        write_solved(shared, [solved[task.id] for task in tasks], out, seconds=time.perf_counter() - began)
    kept.clear()
    return read_results(out)


def write_solved(shared: Shared, solved: Sequence[Solved], out: Path, *, seconds: float) -> Results:
    """Write the results folder of a study whose tasks are all solved.

    Parameters
    ----------
    shared
        The atlas and the study.
    solved
        What came of each task, in the order of `tasks_of`.
    out
        Folder for the results.
    seconds
        How long it took.

    Returns
    -------
    Results
        What was written, without reading it again.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    names = list(dict.fromkeys(name for one in solved for name in one.frames))
    names = [name for name in names if not shared.study.outputs or name in shared.study.outputs]
    merged = {name: pl.concat([s.frames[name] for s in solved if name in s.frames], how="vertical") for name in names}
    with ThreadPoolExecutor(WRITERS) as pool:
        content = dict(zip(merged, pool.map(table_hash, merged.values()), strict=True))
    manifest = {
        **told_of_study(shared),
        "seconds": seconds,
        "solved": [dict(one.record) for one in solved],
        "tables": {name: DESCRIBED[name] for name in merged},
        "content": content,
    }
    path, overlay = shared.study.path, shared.tables.overlay
    text = Path(path).read_text(encoding="utf-8") if path else ""
    told = write_results(out, manifest, merged, text, overlay=overlay.files if overlay else None)
    return Results(out, told, {name: merged[name] for name in sorted(merged)})


def shared_hash(shared: Shared) -> str:
    """Return the content of what tasks share; words for people in a study do not count."""
    return content_of(dict(shared.tables.frames), shared.settings, fingerprint(shared.study))


def told_of_study(shared: Shared) -> dict[str, Any]:
    """Return what a manifest says of what was run, before it is known what came out."""
    study, tables = shared.study, shared.tables
    package, overlay = tables.package, tables.overlay
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "landbridge": __version__,
        "code_hash": code_hash(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
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
        "parameters": parameters_told(tables),
        "study": {
            "name": study.name,
            "description": study.description,
            "path": Path(study.path).name,
            "fingerprint": fingerprint(study),
            "years": list(study.years),
            "compare": study.compare,
            "demand": asdict(study.demand) if study.demand else None,
            "terminals": study.terminals,
            "seed": study.seed,
            "held_projects": sorted(held_projects(study)),
            "scenarios": [
                {
                    "id": scenario.id,
                    "name": scenario.name,
                    "description": scenario.description,
                    "hash": scenario_hash(scenario),
                    "measures": [to_dict(measure) for measure in scenario.measures],
                    **({"measure_ids": list(scenario.measure_ids)} if scenario.measure_ids else {}),
                }
                for scenario in study.scenarios
            ],
        },
        "settings": asdict(shared.settings),
    }
