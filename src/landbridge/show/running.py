"""What all verbs that run many tasks share: their options, what they show meanwhile, and how they stop."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landbridge.errors import ClusterLost, LandbridgeError
from landbridge.show.terminal import progress_bar

if TYPE_CHECKING:
    from landbridge.study.runner import Done

__all__ = [
    "RESUME_NEEDS_OUT",
    "ClusterAddress",
    "JsonLines",
    "Quiet",
    "Resume",
    "Watch",
    "Workers",
    "cluster",
    "watching",
]

Workers = Annotated[int, typer.Option("--workers", help="Processes of this machine that share the work.", min=1)]
ClusterAddress = Annotated[
    str | None,
    typer.Option("--cluster", metavar="ADDRESS", help="Scheduler of a Dask cluster, as tcp://127.0.0.1:8786."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from what an earlier run finished.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]
JsonLines = Annotated[
    bool, typer.Option("--json-lines", help="Print one JSON value a line for each task as it is done, for programs.")
]

#: Why --resume alone has nothing to go on from; what was kept, by which option.
RESUME_NEEDS_OUT = "--resume goes on from {} keeps; give it as it was given then"

#: How a shell knows a program that Ctrl-C stopped.
INTERRUPTED = 130


@dataclass(frozen=True)
class Watch:
    """What hears of progress: within tasks, and of each task that is done."""

    progress: Callable[[int, int, str], None] | None
    done: Callable[[Done], None]


@contextmanager
def watching(*, quiet: bool, lines: bool, folder: Path) -> Iterator[Watch]:
    """Show how far a run is, and say what is kept if it stops.

    Parameters
    ----------
    quiet
        Show nothing.
    lines
        Print a JSON value for the start, each task and the end, and no bar.
    folder
        Where the results go, for the last line.

    Yields
    ------
    Watch
    """
    began = time.monotonic()
    state = {"done": 0, "count": 0, "kept": 0}

    def line(event: str, **told: Any) -> None:
        if lines:
            typer.echo(json.dumps({"event": event, **told}, ensure_ascii=False))

    def heard(event: Done) -> None:
        state.update(done=event.done, count=event.count, kept=state["kept"] + event.kept)
        here, elapsed = event.done - state["kept"], time.monotonic() - began
        left = None if here <= 0 else round(elapsed / here * (event.count - event.done), 1)
        line(
            "task", id=event.id, done=event.done, of=event.count, seconds=round(event.seconds, 3), kept=event.kept,
            left_seconds=left,
        )  # fmt: skip

    try:
        with progress_bar(quiet=quiet or lines) as progress:
            line("start", out=str(folder))
            yield Watch(progress, heard)
        line("end", out=str(folder), seconds=round(time.monotonic() - began, 3))
    except KeyboardInterrupt:
        line("stopped", done=state["done"], of=state["count"])
        sys.stderr.write(f"landbridge: stopped; {_kept(state)}\n")
        raise typer.Exit(INTERRUPTED) from None
    except LandbridgeError as error:
        line("failed", error=str(error), done=state["done"], of=state["count"])
        if state["done"] or isinstance(error, ClusterLost):
            error.args = (f"{error}\n{_kept(state)}", *error.args[1:])
        raise


def _kept(state: dict[str, int]) -> str:
    if not state["done"]:
        return "nothing was finished yet, so that --resume would begin anew"
    return f"{state['done']} of {state['count']} tasks are finished and kept: --resume goes on from there"


def cluster(
    workers: Annotated[int, typer.Option("--workers", help="Processes, one thread each.", min=1)] = 2,
    port: Annotated[int, typer.Option("--port", help="Of the scheduler; 0 = one that is free.", min=0, max=65535)] = 0,
) -> None:
    """Start a Dask cluster of this machine's processes, until Ctrl-C; other verbs use it by --cluster ADDRESS."""
    from landbridge.study.cluster import local_cluster

    with local_cluster(workers, port) as address:
        typer.echo(address)
        sys.stdout.flush()
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            typer.echo("stopped")
