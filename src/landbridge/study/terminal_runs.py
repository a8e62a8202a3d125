"""Replications of a terminal's plan, in this process, or shared by several or a cluster; the same runs either way."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from landbridge.errors import LandbridgeError
from landbridge.model import terminals
from landbridge.model.terminals import Plan, Run, Stop
from landbridge.study.kept import Kept
from landbridge.study.runner import Cluster, Task, run_tasks, where_of

__all__ = ["MOST_TRAINS", "Settings", "replicate"]

#: Parts in which replications are shared: enough to share them evenly, and of a number that does not depend on who
#: does them, so that what was finished is found again; more for many workers.
PARTS = 32
PARTS_PER_WORKER = 4
#: Seconds until a process of its own has loaded what it needs; sharing must save more than that.
START_S = 4.0
#: Trains of all runs together: their records are kept, half a kilobyte each.
MOST_TRAINS = 4_000_000

#: Hours, streams and units of trains that are known.
Arrivals: TypeAlias = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.int64]]
#: What all runs share: the plan, its stops, days, seed, weekday and month of the first day, arrivals that are known.
Shared: TypeAlias = tuple[Plan, tuple[Stop, ...], float, int, int, int, Arrivals | None]


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
    cluster
        Address of a cluster's scheduler, whose workers share the runs; None = processes of this machine.
    kept
        Where runs that take long are kept, so that what was stopped goes on; None = nowhere.
    """

    days: float = 90.0
    replications: int = 10
    seed: int = 0
    workers: int = 1
    start: date = date(2023, 1, 2)
    season: bool = False
    cluster: str | None = None
    kept: Kept | None = field(default=None, compare=False, repr=False)


def _runs(shared: Shared, numbers: Sequence[int], _needed: Any = None) -> list[Run]:
    """Some runs, as the runner asks for them."""
    plan, stops, days, seed, weekday, month, arrivals = shared
    return [
        terminals.simulate(
            plan,
            days=days,
            seed=seed,
            replication=number,
            stops=stops,
            start_weekday=weekday,
            start_month=month,
            arrivals=arrivals,
        )
        for number in numbers
    ]


def replicate(
    plan: Plan,
    settings: Settings,
    *,
    stops: Sequence[Stop] = (),
    days: float | None = None,
    arrivals: Arrivals | None = None,
) -> list[Run]:
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
    arrivals
        Trains that are known, in place of drawn ones; all runs have them.

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
    shared = (plan, tuple(stops), length, settings.seed, settings.start.weekday(), settings.start.month - 1, arrivals)
    numbers = list(range(settings.replications))
    workers = min(settings.workers, len(numbers), 4 * (os.cpu_count() or 1))
    if workers <= 1 and settings.cluster is None and settings.kept is None:
        return _runs(shared, numbers)
    # STEP 1: begin here, for most terminals are done before another process is ready, or a result is on the disk
    made = [] if settings.cluster else _runs(shared, numbers[:1])
    begin = time.perf_counter()
    while len(made) < len(numbers) and settings.cluster is None:
        spent = time.perf_counter() - begin
        left = spent / max(len(made) - 1, 1) * (len(numbers) - len(made))
        # what sharing saves of the rest, or keeping may, against what starting costs; a first guess needs some runs
        saved = left * (1 - 1 / workers) if workers > 1 else left
        if spent >= START_S and saved > START_S:
            break
        made += _runs(shared, numbers[len(made) : len(made) + 1])
    # STEP 2: share the rest
    if len(made) == len(numbers):
        return made
    size = -(-len(numbers) // max(PARTS, workers * PARTS_PER_WORKER))
    parts = [numbers[max(i, len(made)) : i + size] for i in range(0, len(numbers), size)]
    tasks = [Task(f"run {part[0]} and on", part) for part in parts if part]
    where = where_of(workers, None) if settings.cluster is None else Cluster(settings.cluster)
    found = run_tasks(_runs, shared, tasks, where=where, kept=settings.kept)
    return [*made, *(run for task in tasks for run in found[task.id])]
