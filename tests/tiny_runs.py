"""Runs of tasks that do next to nothing, in a process of their own that may be killed."""

from __future__ import annotations

import os
from pathlib import Path

from landbridge.study.kept import Kept
from landbridge.study.runner import Done, Task, Where, run_tasks
from tiny_tasks import Tiny, square


def squares(count: int, seconds: float = 0.0) -> list[Task]:
    """Tasks of which every fifth starts from the one five before it."""
    return [Task(f"t{i}", Tiny(i, seconds), (f"t{i - 5}",) if i % 5 == 0 and i >= 5 else ()) for i in range(count)]


def run_and_tell(folder: Path, where: Where, count: int, seconds: float) -> None:
    """Run tasks kept in a folder; what is told as done leaves a line. Ctrl-C ends with its own code."""

    def told(event: Done) -> None:
        if not event.kept:
            with (folder / "told").open("a") as file:
                file.write(f"{event.id[1:]}\n")

    kept = Kept(folder / "work")
    try:
        with kept.held():
            run_tasks(square, folder, squares(count, seconds), where=where, kept=kept, tell=told)
    except KeyboardInterrupt:
        os._exit(130)
