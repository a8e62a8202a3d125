"""Run many tasks: in this process, in processes of this machine, or on a cluster; the same results from each.

    tasks (records) -> which are kept already -> ready ones to workers -> kept on disk, told as done -> ...

A task is a record that can be pickled; the work is one function at the top of a module, so that a worker finds it by
its name. It is called as ``work(shared, task.inputs, needed)``: what all tasks share travels to each worker once, what
a task needs from others by their ids. Nothing else reaches it, so that a result depends on no worker and no order;
where a task starts from another's result, that one is named.

A result is kept under a hash of all it depends on (the code, the work, what is shared, the inputs, the results needed).
It is told as done only once it is on the disk. A worker that dies takes one task with it, which is done again in a new
worker; a task that takes `MOST_DEATHS` workers with it is an error that names it. When a task fails, or on Ctrl-C, the
workers are stopped and what was finished stays kept.

Local processes are `concurrent.futures` pools of one worker each, since in a pool of several nobody can tell which
task a dead worker had. They have one thread each; so has the cluster.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from landbridge.errors import LandbridgeError
from landbridge.study.content import code_hash, content_of
from landbridge.study.kept import LOCK, Kept, Lent, abandoned
from landbridge.study.worker import Call, Store, Unpacked, Work, begin, listener, noted, run_call

__all__ = [
    "MOST_DEATHS",
    "Cluster",
    "Done",
    "Here",
    "Processes",
    "Task",
    "Where",
    "Work",
    "key_of",
    "noted",
    "run_tasks",
    "where_of",
]

#: Workers that a task may take with it before it is given up.
MOST_DEATHS = 3

#: How folders of a run that keeps nothing are called, where the system has such.
MOMENT = "landbridge-tasks-"

#: What a worker's libraries are told before they start: one thread, so that many workers share the machine evenly.
ONE_THREAD = dict.fromkeys(
    ["NUMBA_NUM_THREADS", "POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1"
)


@dataclass(frozen=True)
class Task:
    """One piece of work.

    Attributes
    ----------
    id
        Its name, for people; no two tasks have the same.
    inputs
        What it is computed from; `content_of` must be able to tell its content.
    needs
        Ids of tasks whose results it is given.
    """

    id: str
    inputs: Any
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Here:
    """In this process, one after the other."""


@dataclass(frozen=True)
class Processes:
    """In processes of this machine."""

    count: int


@dataclass(frozen=True)
class Cluster:
    """On a Dask cluster, by the address of its scheduler."""

    address: str


Where: TypeAlias = Here | Processes | Cluster


@dataclass(frozen=True)
class Done:
    """Told when a task is done: its id, how many are done of how many, its seconds, and whether it was kept before."""

    id: str
    done: int
    count: int
    seconds: float
    kept: bool


class Keeper(Store, Protocol):
    """Where results are kept."""

    def put(self, key: str, content: bytes, /) -> None:
        """Keep a result."""


class Packed(Protocol):
    """A way of running a packed call elsewhere; see `_Local` and `landbridge.study.cluster`."""

    #: Calls that may be under way at once.
    width: int

    def submit(self, call: Call) -> None:
        """Start a call."""

    def finished(self) -> list[tuple[Call, bytes | None]]:
        """Wait for at least one call; None in place of its result where its worker died."""


def where_of(workers: int, cluster: str | None) -> Where:
    """Return where to run, from what a user says.

    Parameters
    ----------
    workers
        Processes; 1 is this one.
    cluster
        Address of a scheduler, or None.

    Raises
    ------
    LandbridgeError
        If both are named, or there would be no worker.
    """
    if workers < 1:
        raise LandbridgeError(f"workers: wanted at least 1, got {workers}")
    if cluster is not None:
        if workers != 1:
            raise LandbridgeError(
                "wanted --workers or --cluster, got both: a cluster has the workers it was started with"
            )
        return Cluster(cluster)
    return Here() if workers == 1 else Processes(workers)


def key_of(work: Work, shared_hash: str, task: Task, keys: Mapping[str, str]) -> str:
    """Return the hash of all that a task's result depends on.

    Parameters
    ----------
    work
        The function.
    shared_hash
        Content of what is shared.
    task
        The task.
    keys
        Keys of the tasks it needs.
    """
    return content_of(
        code_hash(), work.__module__, work.__qualname__, shared_hash, task.inputs, [(n, keys[n]) for n in task.needs]
    )


def run_tasks(
    work: Work,
    shared: Any,
    tasks: Sequence[Task],
    *,
    where: Where | None = None,
    kept: Kept | None = None,
    shared_hash: str | None = None,
    tell: Callable[[Done], None] | None = None,
    note: Callable[[int, int, str], None] | None = None,
    most_deaths: int = MOST_DEATHS,
) -> Mapping[str, Any]:
    """Do tasks, each once.

    Parameters
    ----------
    work
        A function at the top of a module, without side effects.
    shared
        What all tasks are given; travels once to each worker.
    tasks
        In the order in which they are wanted; one that needs another is done after it.
    where
        Here (the default), in processes, or on a cluster.
    kept
        Where results are kept and looked for; None = nowhere once this returns.
    shared_hash
        Content of what is shared, where it is known; else it is taken.
    tell
        Called after each task that is done and kept.
    note
        Called in this process with tasks done, all, and what the task under way says of itself (see `noted`).
    most_deaths
        Workers that a task may take with it before it is given up.

    Returns
    -------
    mapping
        Results by id, in the order of the tasks; read from where they are kept when asked for.

    Raises
    ------
    LandbridgeError
        If a task always kills its worker, needs one that is not there, or tasks need each other in a circle. Whatever
        error a task raises is raised here, with its name as a note.
    OutputError
        If a result cannot be kept.
    """
    with _keeping(kept, where) as store:
        order = _ordered(tasks)
        digest = shared_hash or content_of(shared)
        keys: dict[str, str] = {}
        for task in order:
            keys[task.id] = key_of(work, digest, task, keys)
        plan = _Plan(order, keys, store, tell or (lambda _done: None), most_deaths)
        match where:
            case Processes(count=count):
                with _local(work, shared, store, min(count, max(1, plan.left))) as runner:
                    _drive(plan, runner)
            case Cluster(address=address):
                from landbridge.study.cluster import connected  # noqa: PLC0415 - an optional extra

                with connected(address, work, shared, digest, store) as runner:
                    _drive(plan, runner)
            case _:
                _here(plan, work, shared, note or (lambda _done, _count, _text: None))
        return _Results({task.id: keys[task.id] for task in tasks}, store, keep_all=kept is None)


# ----------------------------------------------------------------------------------------------------- bookkeeping


@contextmanager
def _keeping(kept: Kept | None, where: Where | None) -> Iterator[Keeper]:
    """Give the place where results are kept; without one, memory, or for other processes a folder of the moment."""
    if kept is not None:
        kept.tidy()
        yield kept
    elif where is None or isinstance(where, Here):
        yield _Memory()
    else:
        for old in Path(tempfile.gettempdir()).glob(f"{MOMENT}*"):
            if abandoned(old / LOCK):  # its run was killed
                shutil.rmtree(old, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=MOMENT, ignore_cleanup_errors=True) as folder:
            store = Kept(Path(folder))
            with store.held():
                yield store


class _Memory:
    """As `Kept`, but gone with the process."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.contents.get(key)

    def put(self, key: str, content: bytes) -> None:
        self.contents[key] = content


class _Results(Mapping[str, Any]):
    """Results by id, unpacked when asked for."""

    def __init__(self, keys: Mapping[str, str], store: Keeper, *, keep_all: bool) -> None:
        self._keys = keys
        self._store = store
        self._all = {name: self._content(name) for name in keys} if keep_all else {}

    def _content(self, name: str) -> bytes:
        content = self._store.get(self._keys[name])
        if content is None:
            raise LandbridgeError(f"the kept result of {name} is gone; run again")
        return content

    def __getitem__(self, name: str) -> Any:
        if name not in self._keys:
            raise KeyError(name)
        return pickle.loads(self._all.get(name) or self._content(name))  # noqa: S301 - written by this run

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def _ordered(tasks: Sequence[Task]) -> list[Task]:
    """Tasks such that each comes after those it needs, otherwise in their own order."""
    by_id = {task.id: task for task in tasks}
    if len(by_id) != len(tasks):
        twice = next(t.id for i, t in enumerate(tasks) if any(t.id == other.id for other in tasks[:i]))
        raise LandbridgeError(f"two tasks are called {twice}")
    for task in tasks:
        for name in task.needs:
            if name not in by_id:
                raise LandbridgeError(f"task {task.id} needs {name}, which is not among the tasks")
    done: set[str] = set()
    order: list[Task] = []
    waiting = list(tasks)
    while waiting:
        ready = [task for task in waiting if done.issuperset(task.needs)]
        if not ready:
            raise LandbridgeError(f"tasks need each other in a circle: {', '.join(t.id for t in waiting)}")
        order += ready
        done |= {task.id for task in ready}
        waiting = [task for task in waiting if task.id not in done]
    return order


class _Plan:
    """Which tasks are done, under way, and ready."""

    def __init__(
        self,
        order: Sequence[Task],
        keys: Mapping[str, str],
        store: Keeper,
        tell: Callable[[Done], None],
        most_deaths: int,
    ) -> None:
        self.tasks = {task.id: task for task in order}
        self.keys = keys
        self.store = store
        self.tell = tell
        self.most_deaths = most_deaths
        self.done: set[str] = set()
        self.waiting: OrderedDict[str, None] = OrderedDict()
        self.deaths: dict[str, int] = {}
        for task in order:
            if store.get(keys[task.id]) is None:
                self.waiting[task.id] = None
            else:
                self.finish(task.id, 0.0, kept=True)

    @property
    def left(self) -> int:
        """Tasks not done."""
        return len(self.tasks) - len(self.done)

    def next(self) -> Task | None:
        """Take the first task that waits and whose needs are done."""
        for name in self.waiting:
            if self.done.issuperset(self.tasks[name].needs):
                del self.waiting[name]
                return self.tasks[name]
        return None

    def finish(self, name: str, seconds: float, *, kept: bool = False) -> None:
        """Tell a task as done; its result is kept."""
        self.done.add(name)
        self.tell(Done(name, len(self.done), len(self.tasks), seconds, kept))

    def died(self, name: str) -> None:
        """Put back a task whose worker died."""
        self.deaths[name] = self.deaths.get(name, 0) + 1
        if self.deaths[name] >= self.most_deaths:
            raise LandbridgeError(
                f"task {name}: {self.most_deaths} workers died on it, one after the other (killed from outside, out of "
                "memory, or a crash); finished tasks are kept"
            )
        self.waiting[name] = None
        self.waiting.move_to_end(name, last=False)

    def call(self, task: Task) -> Call:
        """Pack a task for a worker."""
        needed = tuple((name, self.keys[name]) for name in task.needs)
        return Call(task.id, self.keys[task.id], pickle.dumps(task.inputs, pickle.HIGHEST_PROTOCOL), needed)


def _here(plan: _Plan, work: Work, shared: Any, note: Callable[[int, int, str], None]) -> None:
    """Do tasks one after the other in this process."""
    unpacked = Unpacked()
    while (task := plan.next()) is not None:
        done, count, name = len(plan.done), len(plan.tasks), task.id
        note(done, count, name)
        heard = listener.set(lambda text, d=done, c=count, n=name: note(d, c, f"{n}: {text}"))  # type: ignore[misc]
        needed = {name: unpacked.of(plan.keys[name], plan.store) for name in task.needs}
        began = time.perf_counter()
        try:
            result = work(shared, task.inputs, needed)
        except Exception as error:
            error.add_note(f"in task {task.id}")
            raise
        finally:
            listener.reset(heard)
        plan.store.put(plan.keys[task.id], pickle.dumps(result, pickle.HIGHEST_PROTOCOL))
        plan.finish(task.id, time.perf_counter() - began)


def _drive(plan: _Plan, runner: Packed) -> None:
    """Keep the workers of a runner busy until nothing is left."""
    under_way = 0
    while plan.left:
        while under_way < runner.width and (task := plan.next()) is not None:
            runner.submit(plan.call(task))
            under_way += 1
        for call, packed in runner.finished():
            under_way -= 1
            if packed is None:
                plan.died(call.id)
                continue
            seconds, error, content = pickle.loads(packed)  # noqa: S301 - from our own workers
            if error is not None:
                error.add_note(f"in task {call.id}")
                raise error
            if content is not None:  # else its worker has kept it
                plan.store.put(call.key, content)
            plan.finish(call.id, seconds)


# --------------------------------------------------------------------------------------- processes of this machine


class _Local:
    """One pool a worker."""

    def __init__(self, work: Work, shared: Any, store: Kept, width: int) -> None:
        self.width = width
        # By a file: a process that is killed while it is sent more than a pipe holds would be waited for without end.
        self._lent = Lent(store.folder, pickle.dumps(shared, pickle.HIGHEST_PROTOCOL))
        self._start = ((work.__module__, work.__qualname__), self._lent.path, store.folder)
        self._idle: list[ProcessPoolExecutor] = []
        self._busy: dict[Future[bytes], tuple[Call, ProcessPoolExecutor]] = {}

    def submit(self, call: Call) -> None:
        """Start a call in an idle worker, or a new one."""
        pool = self._idle.pop() if self._idle else self._new()
        try:
            future = pool.submit(run_call, call)
        except BrokenProcessPool:  # killed while it was idle
            pool.shutdown(wait=False)
            pool = self._new()
            future = pool.submit(run_call, call)
        self._busy[future] = (call, pool)

    def finished(self) -> list[tuple[Call, bytes | None]]:
        """Wait for calls to end."""
        ended, _ = wait(self._busy, return_when=FIRST_COMPLETED)
        found: list[tuple[Call, bytes | None]] = []
        for future in ended:
            call, pool = self._busy.pop(future)
            try:
                found.append((call, future.result()))
                self._idle.append(pool)
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                found.append((call, None))
        return found

    def _new(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(1, context, initializer=begin, initargs=self._start)

    def stop(self) -> None:
        """End idle workers and kill those that are at work."""
        for _, pool in self._busy.values():
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.kill()
        for pool in (*self._idle, *(pool for _, pool in self._busy.values())):
            pool.shutdown(wait=True, cancel_futures=True)
        self._lent.end()


@contextmanager
def _local(work: Work, shared: Any, store: Keeper, width: int) -> Iterator[_Local]:
    """Give workers of this machine, which start as they are needed."""
    assert isinstance(store, Kept)  # noqa: S101 - `_keeping` sees to it
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)  # inherited by what is started from here
    runner = _Local(work, shared, store, width)
    try:
        yield runner
    finally:
        runner.stop()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
