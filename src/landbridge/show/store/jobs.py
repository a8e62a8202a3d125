"""Jobs in one SQLite file, so that they outlive the server that ran them.

A job that was waiting or running when its server ended is ``interrupted`` once the next one starts: nobody works on it
any more, and a results folder appears whole or not at all.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

__all__ = ["Job", "JobStore", "Status"]

Status = Literal["waiting", "running", "finished", "failed", "cancelled", "interrupted"]

#: States that nothing follows.
ENDED: tuple[Status, ...] = ("finished", "failed", "cancelled", "interrupted")

#: Raised when the tables change; a file of another version is told, not guessed at.
VERSION = 1

TABLES = """
create table if not exists jobs (
    id text primary key,
    number integer not null unique,
    title text not null,
    status text not null,
    made text not null,
    started text,
    ended text,
    done integer not null default 0,
    total integer not null default 0,
    message text not null default '',
    asked text not null
)
"""


@dataclass(frozen=True)
class Job:
    """One what-if: what was asked, and how far it has come.

    Attributes
    ----------
    id
        Also the id of its results.
    title
        As the user wrote it; plain text, never markup.
    status
        Where it stands.
    made, started, ended
        Moments in UTC.
    done, total
        Tasks solved, and how many there are.
    message
        What is going on, or why it failed.
    asked
        The question as it came.
    """

    id: str
    title: str
    status: Status
    made: str
    started: str | None
    ended: str | None
    done: int
    total: int
    message: str
    asked: Mapping[str, Any]

    @property
    def has_ended(self) -> bool:
        """Whether nothing follows."""
        return self.status in ENDED


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class JobStore:
    """Records of jobs, safe to use from several threads.

    Parameters
    ----------
    path
        The SQLite file; it is made where there is none.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.execute("pragma journal_mode = wal")
        with self._transaction() as do:
            found = do.execute("pragma user_version").fetchone()[0]
            if found not in (0, VERSION):
                raise sqlite3.DatabaseError(f"{path}: wanted records of version {VERSION}, got {found}")
            do.execute(TABLES)
            do.execute(f"pragma user_version = {VERSION}")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("begin immediate")
            try:
                yield self._database
            except BaseException:
                self._database.execute("rollback")
                raise
            self._database.execute("commit")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def add(self, title: str, asked: Mapping[str, Any], *, kind: str = "whatif") -> Job:
        """Record a new job, which waits; its id begins with its kind."""
        with self._transaction() as do:
            number = (do.execute("select max(number) from jobs").fetchone()[0] or 0) + 1
            name = f"{kind}-{number}"
            do.execute(
                "insert into jobs (id, number, title, status, made, asked) values (?, ?, ?, 'waiting', ?, ?)",
                (name, number, title, _now(), json.dumps(asked)),
            )
        return self[name]

    def interrupt(self) -> int:
        """Mark what an earlier server left behind; return how many jobs that were."""
        with self._transaction() as do:
            done = do.execute(
                "update jobs set status = 'interrupted', ended = ?, message ="
                " 'the server ended while this was going on' where status in ('waiting', 'running')",
                (_now(),),
            )
        return done.rowcount

    def set(
        self, name: str, status: Status, message: str = "", *, done: int | None = None, total: int | None = None
    ) -> None:
        """Say how far a job has come; a job that has ended stays as it is."""
        moment = {"running": "started", **dict.fromkeys(ENDED, "ended")}.get(status)
        with self._transaction() as do:
            do.execute(
                "update jobs set status = ?, message = ?, done = coalesce(?, done), total = coalesce(?, total)"
                " where id = ? and status in ('waiting', 'running')",
                (status, message, done, total, name),
            )
            if moment:
                do.execute(
                    f"update jobs set {moment} = coalesce({moment}, ?) where id = ? and status = ?",  # noqa: S608
                    (_now(), name, status),
                )

    def rename(self, name: str, title: str) -> None:
        """Give a job another title."""
        with self._transaction() as do:
            do.execute("update jobs set title = ? where id = ?", (title, name))

    def remove(self, name: str) -> None:
        """Forget a job."""
        with self._transaction() as do:
            do.execute("delete from jobs where id = ?", (name,))

    def __getitem__(self, name: str) -> Job:
        with self._lock:
            row = self._database.execute("select * from jobs where id = ?", (name,)).fetchone()
        if row is None:
            raise KeyError(name)
        return _job(row)

    def all(self) -> list[Job]:
        """Return all jobs, the newest first."""
        with self._lock:
            rows = self._database.execute("select * from jobs order by number desc").fetchall()
        return [_job(row) for row in rows]


def _job(row: sqlite3.Row) -> Job:
    values = {key: row[key] for key in row.keys() if key != "number"}  # noqa: SIM118 (iterating a row gives values)
    return Job(**{**values, "asked": json.loads(row["asked"])})
