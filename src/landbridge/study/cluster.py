"""Tasks on a Dask cluster, and a cluster of this machine's processes to try it with.

    call -> a worker -> what it lacks -> the same call to that worker, with what it lacks -> result, kept here

A worker may die at any moment, and another may take its place; so nothing is stored on the cluster that a call could
not do without. A call is sent alone; a worker that lacks what all tasks share, or a result that the call needs, answers
with that, and gets the call again together with it, once, and holds it for as long as it lives. Data scattered over
workers beforehand would be lost with the last worker that holds them.

A call whose worker died is done again by the scheduler in another one; one that gets lost as workers die, so that no
worker works, is sent again. If no worker is left and none comes, or the scheduler itself is gone, the run waits
`RETURN_S` and ends with an error; what was finished is kept. Workers must have the same code: all are asked before the
first call, and every call is refused by a worker with other code.
"""

from __future__ import annotations

import logging
import pickle
import queue
import threading
import time
import uuid
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

from landbridge.errors import ClusterLost, LandbridgeError
from landbridge.study.content import code_hash
from landbridge.study.worker import Call, Store, Unpacked, Work, execute

__all__ = ["connected", "local_cluster"]

#: Seconds to wait for a scheduler and for its first worker.
PATIENCE_S = 30.0
#: Seconds to wait in mid-run for any worker to come back when all are gone; a busy machine starts one in some ten.
RETURN_S = 60.0
#: Seconds without news after which the scheduler is asked whether there are workers.
LOOK_S = 1.0
#: Seconds without the end of a call after which workers are asked whether they do anything, and times that all say no
#: before the calls under way are taken for lost.
STUCK_S = 15.0
IDLE_LOOKS = 3
#: Times that a call may be lost with no worker to blame, as when somebody restarts the cluster, before it is given up.
MOST_LOST = 10
#: Runs whose shared part a worker holds.
RUNS_HELD = 2
#: Stands among keys of results for the part that all tasks share.
SHARED = "shared"
NEEDS_EXTRA = "a cluster needs the extra `cluster`: pip install 'landbridge[cluster]'"


# ------------------------------------------------------------------------------------------------------- in a worker


@dataclass
class _Held:
    """What a worker process holds of a run: the part that all tasks share, and results that others needed."""

    shared: Any
    unpacked: Unpacked = field(default_factory=Unpacked)
    contents: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class _Sent:
    """What travels with a call: the shared part, pickled, or None, and results by key."""

    shared: bytes | None
    contents: Mapping[str, bytes]


@dataclass(frozen=True)
class _Answer:
    """What a worker answers: a packed result, or what it lacks.

    Attributes
    ----------
    process, address
        Which process, for two may have one address after another, and where.
    packed
        The result as of `landbridge.study.worker.execute`, or None.
    lacks
        Keys of results that are lacking, and `SHARED` where the part that all tasks share is.
    other_code
        Whether the worker has other code, and did nothing.
    forgotten
        Whether the call was lost, so that nobody answered.
    """

    process: str
    address: str
    packed: bytes | None = None
    lacks: tuple[str, ...] = ()
    other_code: bool = False
    forgotten: bool = False


_runs: OrderedDict[str, _Held] = OrderedDict()
_lock = threading.Lock()  # a worker may have several threads
_process = uuid.uuid4().hex


def _worker_code() -> str:
    return code_hash()


def _works(dask_worker: Any) -> bool:
    """Whether a worker does anything, for whomever."""
    return bool(dask_worker.state.executing_count)


def _execute(work: Work, code: str, digest: str, packed: bytes) -> _Answer:
    """Do a call, packed with what travels with it, or tell what is lacking for it."""
    from distributed import get_worker  # noqa: PLC0415 - an optional extra

    here = (_process, str(get_worker().address))
    if code_hash() != code:
        return _Answer(*here, other_code=True)
    call, sent = cast("tuple[Call, _Sent]", pickle.loads(packed))  # noqa: S301 - from our run
    with _lock:
        if digest not in _runs and sent.shared is not None:
            _runs[digest] = _Held(pickle.loads(sent.shared))  # noqa: S301 - from our run
            while len(_runs) > RUNS_HELD:
                _runs.popitem(last=False)
        held = _runs.get(digest)
        if held is not None:
            _runs.move_to_end(digest)
            held.contents.update(sent.contents)
    keys = tuple(key for _, key in call.needed)
    if held is None:
        return _Answer(*here, lacks=(SHARED, *keys))
    if lacks := tuple(key for key in keys if key not in held.contents):
        return _Answer(*here, lacks=lacks)
    return _Answer(*here, packed=execute(work, held.shared, call, held.unpacked, held.contents))


# ------------------------------------------------------------------------------------------------ in the one that asks


class _Remote:
    """Calls by way of a scheduler."""

    def __init__(self, client: Any, address: str, work: Work, shared: Any, digest: str, store: Store) -> None:
        self._client, self._address = client, address
        self._work, self._digest, self._store = work, digest, store
        self._shared = pickle.dumps(shared, pickle.HIGHEST_PROTOCOL)
        self._under_way: dict[str, tuple[Call, Any]] = {}  # by the future's key
        self._ended: queue.SimpleQueue[tuple[str, _Answer | Exception | None]] = queue.SimpleQueue()
        self._told: dict[str, set[str]] = {}  # what was sent to each process
        self._lacked: set[str] = set()  # calls that came back once
        self._lost: Counter[str] = Counter()
        self._seen = time.monotonic()  # when a worker was last known to live
        self._ended_last, self._idle = time.monotonic(), 0  # when a call last ended; looks at which nobody worked since
        #: One under way and one that waits, for each thread; `_look` counts them.
        self.width = 2
        self._look()

    def submit(self, call: Call) -> None:
        """Send a call, without what a worker may lack."""
        self._send(call, _Sent(None, {}), ())

    def _send(self, call: Call, sent: _Sent, at: Sequence[str]) -> None:
        """Send a call to whichever worker, or to one of some unless these are gone."""
        place = {"workers": list(at), "allow_other_workers": True} if at else {}
        packed = pickle.dumps((call, sent), pickle.HIGHEST_PROTOCOL)
        while True:
            name = f"{call.id}-{call.key[:16]}-{uuid.uuid4().hex[:12]}"
            try:
                if self._client.status == "running":
                    future = self._client.submit(
                        _execute, self._work, code_hash(), self._digest, packed, key=name, pure=False, **place
                    )
                    break
            except Exception:
                if self._client.status == "running":
                    raise
            self._look()
            time.sleep(LOOK_S / 10)
        self._under_way[future.key] = (call, future)
        threading.Thread(target=self._wait, args=(future,), daemon=True).start()

    def _wait(self, future: Any) -> None:
        """Wait for what comes of a call, however often it is done again, and pass it on; in a thread of its own.

        A result that is on its way is never given up for taking long: Dask does not recover from that in all cases.
        """
        from distributed import KilledWorker  # noqa: PLC0415 - an optional extra

        outcome: _Answer | Exception | None
        try:
            outcome = future.result()
        except KilledWorker:  # tried on several workers by the scheduler itself
            outcome = None
        except (CancelledError, OSError):  # the scheduler was restarted, or the connection to it was lost
            outcome = _Answer("", "", forgotten=True)
        except Exception as error:  # raised in the thread that asked
            outcome = error
        self._ended.put((future.key, outcome))

    def finished(self) -> list[tuple[Call, bytes | None]]:
        """Wait for a call to end; None in place of its result where workers died on it."""
        while True:
            try:
                key, answer = self._ended.get(timeout=LOOK_S)
            except queue.Empty:
                self._look()
                self._send_stuck()
                continue
            if key not in self._under_way:  # was taken for lost
                continue
            call, _ = self._under_way.pop(key)
            self._ended_last, self._idle = time.monotonic(), 0
            if isinstance(answer, Exception):
                answer.add_note(f"in task {call.id}")
                raise answer
            if answer is None:
                return [(call, None)]
            if answer.packed is not None:
                return [(call, answer.packed)]
            if answer.forgotten:
                self._again(call)
            else:
                self._give(call, answer)

    def _again(self, call: Call, living: Sequence[str] = ()) -> None:
        """Send a call again that was lost on the way, to workers that are known to live if there are such."""
        self._lost[call.key] += 1
        if self._lost[call.key] > MOST_LOST:
            raise ClusterLost(f"{self._address}: the cluster lost task {call.id} {MOST_LOST} times")
        self._send(call, _Sent(None, {}), living)

    def _give(self, call: Call, answer: _Answer) -> None:
        """Send a call again to the worker that lacked something for it, with that unless it is on its way there."""
        if answer.other_code:
            raise LandbridgeError(_other_code(self._address, [answer.address]))
        told = self._told.setdefault(answer.process, set())
        missing = set(answer.lacks)
        if call.key not in self._lacked:  # else what was on its way came to another worker
            missing -= told
        self._lacked.add(call.key)
        told |= missing
        contents = {}
        for key in missing - {SHARED}:
            content = self._store.get(key)
            if content is None:
                raise LandbridgeError(f"the kept result {key} that task {call.id} needs is gone; run again")
            contents[key] = content
        self._send(call, _Sent(self._shared if SHARED in missing else None, contents), [answer.address])

    def _look(self) -> None:
        """Count the workers; none for too long is an error."""
        threads: dict[str, int] = {}
        if self._client.status == "running":
            with suppress(Exception):  # the scheduler does not answer, which the next look will see too
                threads = self._client.nthreads(callback_timeout=PATIENCE_S)
        if threads:
            self._seen = time.monotonic()
            self.width = 2 * sum(threads.values())
        elif self._client.status == "closed" or time.monotonic() - self._seen > RETURN_S:
            names = ", ".join(sorted(call.id for call, _ in self._under_way.values()))
            gone = (
                f"all workers of the cluster are gone and none came back within {RETURN_S:g} s"
                if self._client.status == "running"
                else "the scheduler of the cluster is gone"
            )
            raise ClusterLost(f"{self._address}: {gone}" + (f"; under way was {names}" if names else ""))

    def _send_stuck(self) -> None:
        """Send again what is under way while no worker does anything: as workers die, Dask may lose a call."""
        if time.monotonic() - self._ended_last < STUCK_S:
            return
        works: dict[str, Any] = {}
        with suppress(Exception):  # one dies just now
            works = self._client.run(_works, on_error="return", callback_timeout=PATIENCE_S)
        # one that was killed as it joined may stand in the scheduler's list for minutes, and only answers with an error
        living = [where for where, told in works.items() if isinstance(told, bool)]
        idle = bool(living) and not any(works[where] for where in living)
        self._idle = self._idle + 1 if idle else 0
        if self._idle < IDLE_LOOKS:  # it may have been between two tasks
            return
        self._ended_last, self._idle = time.monotonic(), 0
        calls = [call for call, _ in self._under_way.values()]
        self._under_way.clear()
        for call in calls:
            self._again(call, living)

    def stop(self) -> None:
        """Take back what has not been done."""
        futures = [future for _, future in self._under_way.values()]
        if futures and self._client.status == "running":
            with suppress(Exception):
                self._client.cancel(futures)


def _other_code(address: str, workers: Sequence[str]) -> str:
    return f"{address}: these workers have other code than this machine: {', '.join(workers)}"


def _check_code(client: Any, address: str) -> None:
    """Ask all workers for their code; who has died meanwhile has none."""
    ours = code_hash()
    found = {
        where: theirs
        for where, theirs in client.run(_worker_code, on_error="return").items()
        if theirs != ours and not isinstance(theirs, OSError)
    }
    if found:
        named = [f"{w} ({type(t).__name__}: {t})" if isinstance(t, Exception) else w for w, t in found.items()]
        raise LandbridgeError(_other_code(address, named))


@contextmanager
def connected(address: str, work: Work, shared: Any, digest: str, store: Store) -> Iterator[_Remote]:
    """Give a way of running calls on a cluster.

    Parameters
    ----------
    address
        Of the scheduler, as ``tcp://127.0.0.1:8786``.
    work, shared
        As for `landbridge.study.runner.run_tasks`.
    digest
        Content of what is shared.
    store
        Where results are kept.

    Yields
    ------
    _Remote

    Raises
    ------
    LandbridgeError
        If the extra is not installed, nobody answers, there is no worker, or a worker has other code.
    ClusterLost
        Later, if all workers die and none comes back, or the scheduler does not answer any more.
    """
    try:
        import dask  # noqa: PLC0415 - an optional extra
        from distributed import Client  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise LandbridgeError(NEEDS_EXTRA) from None
    said = logging.getLogger("distributed.client")  # it tells of results that are made again, and tracebacks
    level = said.level
    said.setLevel(logging.CRITICAL + 1)
    try:
        client = Client(address, timeout=PATIENCE_S)
    except (OSError, ValueError, TimeoutError) as error:
        said.setLevel(level)
        raise LandbridgeError(f"{address}: no cluster answers: {error}") from None
    try:
        try:
            client.wait_for_workers(1, timeout=PATIENCE_S)
        except TimeoutError:
            raise LandbridgeError(f"{address}: the cluster has no workers") from None
        _check_code(client, address)
        # what all tasks share is larger than Dask likes a task to be; it travels once to each worker all the same
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"}):
            runner = _Remote(client, address, work, shared, digest, store)
            try:
                yield runner
            finally:
                runner.stop()
    finally:
        client.close()
        said.setLevel(level)


@contextmanager
def local_cluster(workers: int, port: int = 0) -> Iterator[str]:
    """Start a cluster of this machine's processes, one thread each.

    Parameters
    ----------
    workers
        Processes.
    port
        Of the scheduler; 0 = one that is free.

    Yields
    ------
    str
        Address of the scheduler.

    Raises
    ------
    LandbridgeError
        If the extra is not installed or the port is taken.
    """
    try:
        from distributed import LocalCluster  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise LandbridgeError(NEEDS_EXTRA) from None
    try:
        cluster = LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, scheduler_port=port, host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # any port that is free: two clusters stand side by side
        )  # fmt: skip
    except OSError as error:
        raise LandbridgeError(f"port {port}: no cluster can be started there: {error}") from None
    with cluster:
        yield cluster.scheduler_address
