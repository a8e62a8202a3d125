"""Tasks on a Dask cluster, and a cluster of this machine's processes to try it with.

What all tasks share and each result that others need is sent to the workers once, and stays there for as long as the
run. Workers must have the same code: it is asked for before anything is sent.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from landbridge.errors import LandbridgeError
from landbridge.study.content import code_hash
from landbridge.study.worker import Call, Store, Unpacked, Work, execute

__all__ = ["connected", "local_cluster"]

#: Seconds to wait for a scheduler, and for its first worker.
PATIENCE_S = 30
NEEDS_EXTRA = "a cluster needs the extra `cluster`: pip install 'landbridge[cluster]'"

# What a worker process holds: the shared part of the last run, and results that others needed.
_held: dict[str, Any] = {}


def _worker_code() -> str:
    return code_hash()


def _execute(work: Work, digest: str, shared: bytes, call: Call, contents: list[bytes]) -> bytes:
    if _held.get("digest") != digest:
        _held.update(digest=digest, shared=pickle.loads(shared), unpacked=Unpacked())  # noqa: S301 - from our run
    by_key = dict(zip((key for _, key in call.needed), contents, strict=True))
    return execute(work, _held["shared"], call, _held["unpacked"], by_key)


class _Remote:
    """Calls by way of a scheduler."""

    def __init__(self, client: Any, work: Work, shared: Any, digest: str, store: Store) -> None:
        from distributed import as_completed  # noqa: PLC0415 - an optional extra

        self._client, self._work, self._digest, self._store = client, work, digest, store
        self._shared = client.scatter(pickle.dumps(shared, pickle.HIGHEST_PROTOCOL), broadcast=True, hash=False)
        self._sent: dict[str, Any] = {}
        self._calls: dict[str, Call] = {}
        self._ended = as_completed()
        threads = sum(client.nthreads().values())
        self.width = 2 * threads  # one under way and one that waits, for each thread

    def submit(self, call: Call) -> None:
        """Send a call."""
        for _, key in call.needed:
            if key not in self._sent:
                self._sent[key] = self._client.scatter(self._store.get(key), broadcast=True, hash=False)
        future = self._client.submit(
            _execute,
            self._work,
            self._digest,
            self._shared,
            call,
            [self._sent[key] for _, key in call.needed],
            key=f"{call.id}-{call.key[:16]}-{time.monotonic_ns()}",
            pure=False,
        )
        self._calls[future.key] = call
        self._ended.add(future)

    def finished(self) -> list[tuple[Call, bytes | None]]:
        """Wait for calls to end."""
        from distributed.scheduler import KilledWorker  # noqa: PLC0415 - an optional extra

        future = next(self._ended)
        call = self._calls.pop(future.key)
        try:
            return [(call, future.result())]
        except KilledWorker:  # tried on several workers by the scheduler itself
            return [(call, None)]

    def stop(self) -> None:
        """Take back what has not been done."""
        self._ended.clear()
        self._client.cancel(list(self._sent.values()))


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
    """
    try:
        from distributed import Client  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise LandbridgeError(NEEDS_EXTRA) from None
    try:
        client = Client(address, timeout=PATIENCE_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise LandbridgeError(f"{address}: no cluster answers: {error}") from None
    try:
        try:
            client.wait_for_workers(1, timeout=PATIENCE_S)
        except TimeoutError:
            raise LandbridgeError(f"{address}: the cluster has no workers") from None
        ours = code_hash()
        others = [where for where, theirs in client.run(_worker_code).items() if theirs != ours]
        if others:
            raise LandbridgeError(f"{address}: these workers have other code than this machine: {', '.join(others)}")
        runner = _Remote(client, work, shared, digest, store)
        try:
            yield runner
        finally:
            runner.stop()
    finally:
        client.close()


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
            n_workers=workers, threads_per_worker=1, processes=True, scheduler_port=port, dashboard_address=None,
            host="127.0.0.1",
        )  # fmt: skip
    except OSError as error:
        raise LandbridgeError(f"port {port}: no cluster can be started there: {error}") from None
    with cluster:
        yield cluster.scheduler_address
