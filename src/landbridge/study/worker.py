"""What runs inside a worker: one call after the other, each from what was sent alone.

This module imports little, so that a worker that does little starts at once.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from landbridge.errors import LandbridgeError
from landbridge.study.kept import Kept

__all__ = ["Call", "Store", "Unpacked", "Work", "begin", "execute", "listener", "noted", "run_call"]

Work: TypeAlias = Callable[[Any, Any, Mapping[str, Any]], Any]

#: Results needed by others that a worker keeps unpacked.
UNPACKED = 4


class Store(Protocol):
    """Where results are found by their keys."""

    def get(self, key: str, /) -> bytes | None:
        """Return a result, or None."""


@dataclass(frozen=True)
class Call:
    """What is sent to a worker.

    Attributes
    ----------
    id, key
        Of the task.
    inputs
        Pickled.
    needed
        Id and key of each task whose result it is given.
    """

    id: str
    key: str
    inputs: bytes
    needed: tuple[tuple[str, str], ...]


#: Who hears what a task says of itself while it runs in the process that asked.
listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


def noted(text: str) -> None:
    """Say from inside a task what is going on; heard where the task runs in the process that asked."""
    hear = listener.get()
    if hear is not None:
        hear(text)


class Unpacked:
    """The last few results that others needed, unpacked."""

    def __init__(self) -> None:
        self.held: OrderedDict[str, Any] = OrderedDict()

    def of(self, key: str, store: Store) -> Any:
        """Return a result by its key."""
        if key not in self.held:
            content = store.get(key)
            if content is None:
                raise LandbridgeError(f"the kept result {key} that a task needs is gone; run again")
            self.held[key] = pickle.loads(content)  # noqa: S301 - written by this run
            while len(self.held) > UNPACKED:
                self.held.popitem(last=False)
        self.held.move_to_end(key)
        return self.held[key]


def execute(work: Work, shared: Any, call: Call, unpacked: Unpacked, store: Store) -> bytes:
    """Do a call and pack what came of it.

    Parameters
    ----------
    work, shared
        The function and what all calls are given.
    call
        What is to be done.
    unpacked, store
        Results that it may need.

    Returns
    -------
    bytes
        Pickled: seconds, an error or None, and the result, pickled by itself.
    """
    return pickle.dumps(_done(work, shared, call, unpacked, store), pickle.HIGHEST_PROTOCOL)


def _done(
    work: Work, shared: Any, call: Call, unpacked: Unpacked, store: Store
) -> tuple[float, Exception | None, bytes]:
    """Do a call: seconds, an error or None, and the result, pickled."""
    began = time.perf_counter()
    try:
        needed = {name: unpacked.of(key, store) for name, key in call.needed}
        inputs = pickle.loads(call.inputs)  # noqa: S301 - from our own run
        content = pickle.dumps(work(shared, inputs, needed), pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # travels to the process that asked
        return time.perf_counter() - began, _portable(error), b""
    return time.perf_counter() - began, None, content


def _portable(error: Exception) -> Exception:
    """An error that can travel: itself, or one that says the same where it cannot be pickled."""
    with suppress(Exception):
        if type(pickle.loads(pickle.dumps(error))) is type(error):  # noqa: S301 - our own
            return error
    return LandbridgeError(f"{type(error).__name__}: {error}")


# What a process of this machine holds: sent once, when it starts.
_held: dict[str, Any] = {}


def begin(work_name: tuple[str, str], shared: Path, store: Path) -> None:
    """Start a process: leave Ctrl-C to the one that asked, and never outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    module, name = work_name
    _held["work"] = getattr(importlib.import_module(module), name)
    _held["shared"] = pickle.loads(shared.read_bytes())  # noqa: S301 - from the process that started this one
    _held["store"] = Kept(store)
    _held["unpacked"] = Unpacked()


def run_call(call: Call) -> bytes:
    """Do a call in a process that `begin` started, and keep its result there.

    Returns
    -------
    bytes
        Pickled: seconds, an error or None, and None, since the result is kept: what passes the pipe is so short that a
        process that is killed leaves none of it or all, and the one that asked never waits for the rest.
    """
    seconds, error, content = _done(_held["work"], _held["shared"], call, _held["unpacked"], _held["store"])
    if error is None:
        try:
            _held["store"].put(call.key, content)
        except LandbridgeError as failed:
            error = failed
    return pickle.dumps((seconds, error, None), pickle.HIGHEST_PROTOCOL)
