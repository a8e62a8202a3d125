"""Replications of a terminal's plan, in this process or shared by several; the same runs either way."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from landbridge.errors import LandbridgeError
from landbridge.model import terminals
from landbridge.model.terminals import Plan, Run, Stop
from landbridge.study.runner import Processes, Task, run_tasks

__all__ = ["MOST_TRAINS", "Settings", "replicate"]

#: Replications for each worker at a time: few enough to share them evenly.
CHUNKS_PER_WORKER = 4
#: Seconds until a process of its own has loaded what it needs; sharing must save more than that.
START_S = 4.0
#: Trains of all runs together: their records are kept, half a kilobyte each.
MOST_TRAINS = 4_000_000

#: What all runs share: the plan, its stops, days, seed, weekday and month of the first day.
Shared: TypeAlias = tuple[Plan, tuple[Stop, ...], float, int, int, int]


@dataclass(frozen=True)
class Settings:
    """How a terminal is run.

    Attributes
    ----------
    days
        Length of a run.
    replications, seed
        How many, and what names their draws.
    workers
        Processes that share them.
    start
        First day, for the day of the week and the season.
    season
        Whether months differ. A stay in the long run is one of mean days; runs of a certain time have their season.
    """

    days: float = 90.0
    replications: int = 10
    seed: int = 0
    workers: int = 1
    start: date = date(2023, 1, 2)
    season: bool = False


def _runs(shared: Shared, numbers: Sequence[int], _needed: Any = None) -> list[Run]:
    """Some runs, as the runner asks for them."""
    plan, stops, days, seed, weekday, month = shared
    return [
        terminals.simulate(
            plan, days=days, seed=seed, replication=number, stops=stops, start_weekday=weekday, start_month=month
        )
        for number in numbers
    ]


def replicate(plan: Plan, settings: Settings, *, stops: Sequence[Stop] = (), days: float | None = None) -> list[Run]:
    """Run a plan several times.

    Several workers share the runs as soon as that is quicker: a short job stays in this process, since another takes
    `START_S` to begin. The runs are the same either way.

    Parameters
    ----------
    plan
        The terminal.
    settings
        Length, number, seed, workers.
    stops
        Calendar events.
    days
        Another length.

    Returns
    -------
    list of Run
        In the order of their numbers, whoever ran them.
    """
    length = settings.days if days is None else days
    trains = sum(s.trains_day for s in plan.streams) * length * settings.replications
    if trains > MOST_TRAINS:
        raise LandbridgeError(
            f"{plan.id}: {trains:,.0f} trains in {settings.replications} runs of {length:g} days; wanted at most "
            f"{MOST_TRAINS:,}: fewer trains a day, days or replications"
        )
    if not settings.season:
        plan = terminals.without_season(plan)
    shared = (plan, tuple(stops), length, settings.seed, settings.start.weekday(), settings.start.month - 1)
    numbers = list(range(settings.replications))
    workers = min(settings.workers, len(numbers), 4 * (os.cpu_count() or 1))
    if workers <= 1:
        return _runs(shared, numbers)
    # STEP 1: begin here, for most terminals are done before another process is ready
    made = _runs(shared, numbers[:1])
    begin = time.perf_counter()
    while len(made) < len(numbers):
        spent = time.perf_counter() - begin
        left = spent / max(len(made) - 1, 1) * (len(numbers) - len(made))
        # what sharing saves of the rest, against what starting costs; a first guess needs some runs
        if spent >= START_S and left * (1 - 1 / workers) > START_S:
            break
        made += _runs(shared, numbers[len(made) : len(made) + 1])
    # STEP 2: share the rest
    rest = numbers[len(made) :]
    if not rest:
        return made
    size = max(1, -(-len(rest) // (workers * CHUNKS_PER_WORKER)))
    tasks = [Task(f"run {rest[i]} and on", rest[i : i + size]) for i in range(0, len(rest), size)]
    found = run_tasks(_runs, shared, tasks, where=Processes(workers))
    return [*made, *(run for task in tasks for run in found[task.id])]
