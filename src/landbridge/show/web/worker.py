"""What-ifs as jobs: one process beside the server solves them in turn and tells how far it is.

The process holds the atlas, compiled code and the scenarios ready that what-ifs start from (see
`landbridge.study.warm`). It is spawned, can be stopped at any time, and ends when the server does, however that ended.
After a stop a new one is made ready as the last one was.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from landbridge.errors import LandbridgeError
from landbridge.show.store import JobStore
from landbridge.study.terminal import Settings
from landbridge.study.terminal_variants import Asked

__all__ = ["Ready", "Task", "TerminalTask", "Worker"]

#: Seconds between two looks at whether the server is still there.
WATCH_S = 0.5


@dataclass(frozen=True)
class Task:
    """A study to solve into a folder, over the tables of some results."""

    job: str
    study: Path
    out: Path
    overlay_of: Path | None


@dataclass(frozen=True)
class Ready:
    """A study whose compared scenario is to be solved ahead, over the tables of some results."""

    study: Path
    overlay_of: Path | None


@dataclass(frozen=True)
class TerminalTask:
    """A terminal to run into a folder, as it is and with upgrades."""

    job: str
    asked: Asked
    settings: Settings
    out: Path


@dataclass(frozen=True)
class _Told:
    kind: str
    done: int = 0
    total: int = 0
    text: str = ""


class Worker:
    """Solves tasks one after another in a process of its own.

    Parameters
    ----------
    store
        Where the progress of jobs is written.
    """

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._tasks: queue.Queue[Task | TerminalTask | Ready | None] = queue.Queue()
        self._ready: Ready | None = None
        self._context = multiprocessing.get_context("spawn")
        self._guard = threading.RLock()
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._running: str | None = None
        self._cancelled: set[str] = set()
        self._closing = False
        self._thread = threading.Thread(target=self._loop, name="jobs", daemon=True)
        self._thread.start()

    def warm(self) -> None:
        """Start the process if there is none, so that the first job need not wait for it."""
        with self._guard:
            if self._closing or (self._process is not None and self._process.is_alive()):
                return
            ours, theirs = self._context.Pipe()
            self._process = self._context.Process(
                target=_work, args=(theirs, os.getpid()), name="landbridge what-ifs", daemon=True
            )
            self._process.start()
            theirs.close()
            self._pipe = ours

    def ready(self, base: Ready) -> None:
        """Solve ahead what what-ifs will start from, when nothing else is waiting."""
        if base != self._ready:
            self._ready = base
            self._tasks.put(base)

    def submit(self, task: Task | TerminalTask) -> None:
        """Put a task into the line."""
        self._tasks.put(task)

    def cancel(self, job: str) -> None:
        """Stop a job, whether it waits or runs."""
        with self._guard:
            self._cancelled.add(job)
            self._store.set(job, "cancelled", "stopped by the user")
            if self._running == job:
                self._stop()
                if self._ready is not None:
                    self._tasks.put(self._ready)

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join(5)
        self._process = None

    def close(self) -> None:
        """End the process; what was going on counts as interrupted."""
        with self._guard:
            self._closing = True
            self._stop()
        self._tasks.put(None)
        self._thread.join(5)
        self._store.interrupt()

    def _loop(self) -> None:
        while (task := self._tasks.get()) is not None and not self._closing:
            if isinstance(task, Ready):
                if self._tasks.empty():  # a what-if that waits solves its own base
                    self._make_ready(task)
                continue
            with self._guard:
                if task.job in self._cancelled:
                    continue
                self.warm()
                self._running = task.job
                pipe = self._pipe
            self._store.set(task.job, "running", "starting")
            try:
                assert pipe is not None  # noqa: S101 (warm made it)
                pipe.send(task)
                while True:
                    told: _Told = pipe.recv()
                    if told.kind == "progress":
                        self._store.set(task.job, "running", told.text, done=told.done, total=told.total)
                        continue
                    if told.kind == "finished":
                        self._store.set(task.job, "finished", told.text, done=told.total, total=told.total)
                    else:
                        self._store.set(task.job, "failed", told.text)
                    break
            except (EOFError, OSError):
                if not self._closing and task.job not in self._cancelled:
                    self._store.set(
                        task.job, "failed", "the process that solved it ended; not enough memory is the usual cause"
                    )
                with self._guard:
                    self._process = None
            finally:
                with self._guard:
                    self._running = None

    def _make_ready(self, base: Ready) -> None:
        """Solve ahead; that it failed is told by the what-if that needs it."""
        with self._guard:
            self.warm()
            pipe = self._pipe
        with suppress(EOFError, OSError):
            assert pipe is not None  # noqa: S101 (warm made it)
            pipe.send(base)
            while pipe.recv().kind == "progress":
                pass


def _watch(parent: int) -> None:
    """End this process when the server is gone."""
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os._exit(1)


def _work(pipe: Connection, parent: int) -> None:
    """Solve what comes through the pipe, until it closes."""
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    from landbridge.data.read import read_atlas
    from landbridge.study.files import read_study
    from landbridge.study.results import read_results, tables_of
    from landbridge.study.terminal_variants import run_variants
    from landbridge.study.warm import Warm

    atlas, warm = read_atlas(), Warm()
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            task: Task | TerminalTask | Ready = pipe.recv()

            def tell(done: int, total: int, text: str) -> None:
                pipe.send(_Told("progress", done, total, text))

            try:
                if isinstance(task, TerminalTask):
                    begin = time.perf_counter()
                    run_variants(atlas, task.asked, task.settings, task.out, progress=tell)
                    pipe.send(_Told("finished", 1, 1, f"run in {time.perf_counter() - begin:.1f} s"))
                    continue
                tables = tables_of(read_results(task.overlay_of)) if task.overlay_of else atlas
                study = read_study(task.study)
                if isinstance(task, Ready):
                    warm.ready(study, tables)
                    pipe.send(_Told("finished"))
                    continue
                results = warm.run(study, tables, task.out, progress=tell)
                count = len(results.manifest["solved"])
                seconds = results.manifest["seconds"]
                pipe.send(_Told("finished", count, count, f"solved in {seconds:.1f} s"))
            except LandbridgeError as error:
                pipe.send(_Told("failed", text=str(error)))
            except (EOFError, OSError):
                raise
            except Exception as error:
                pipe.send(_Told("failed", text=f"a fault of the program: {type(error).__name__}: {error}"))
