"""A Dask cluster of plain processes: a scheduler, and workers that nobody starts again when they die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: How long processes may take to start on a busy machine.
PATIENCE_S = 60


class Bare:
    """The processes of a cluster."""

    def __init__(self, folder: Path) -> None:
        place = folder / "scheduler.json"
        words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(place)]
        self.scheduler = _start("distributed.cli.dask_scheduler", *words)
        self.workers: list[subprocess.Popen[bytes]] = []
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.address = str(json.loads(place.read_text())["address"])
                return
            except (OSError, ValueError):  # not there, or half written
                assert self.scheduler.poll() is None, "the scheduler ended"
                assert time.monotonic() < deadline, "the scheduler does not start"
                time.sleep(0.05)

    def add(self) -> None:
        """Start a worker."""
        words = [self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
        self.workers.append(_start("distributed.cli.dask_worker", *words))

    def kill(self) -> None:
        """Kill all workers."""
        for process in self.workers:
            process.kill()


@contextmanager
def bare_cluster(folder: Path, workers: int) -> Iterator[Bare]:
    """Start a cluster; its processes end with this."""
    found = Bare(folder)
    try:
        for _ in range(workers):
            found.add()
        yield found
    finally:
        for process in (*found.workers, found.scheduler):
            process.kill()
            process.wait()


def _start(module: str, *words: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(sys.path)
    return subprocess.Popen(
        [sys.executable, "-m", module, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )
