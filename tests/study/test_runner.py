"""Tasks: the same results wherever they run, and nothing lost however they are stopped."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import DataError, LandbridgeError, NotConverged, OutputError, UnknownName
from landbridge.study.content import content_of, table_hash
from landbridge.study.kept import Kept, replace_file
from landbridge.study.runner import MOST_DEATHS, Cluster, Done, Here, Processes, Task, run_tasks, where_of
from tiny_runs import run_and_tell, squares
from tiny_tasks import Tiny, faulty, lines, square

COUNT = 20
MOMENTS = 50


@pytest.fixture(scope="module")
def expected() -> dict[str, float]:
    return dict(run_tasks(square, None, squares(COUNT)))


def test_what_is_computed(expected: dict[str, float]) -> None:
    values = [0.0] * COUNT
    for i in range(COUNT):
        values[i] = i**2 / 7 + (values[i - 5] if i % 5 == 0 and i >= 5 else 0)
    assert list(expected) == [f"t{i}" for i in range(COUNT)]
    assert list(expected.values()) == values


@pytest.mark.parametrize("workers", [2, 4])
def test_processes_give_the_same_bits(workers: int, expected: dict[str, float]) -> None:
    assert dict(run_tasks(square, None, squares(COUNT), where=Processes(workers))) == expected


def test_results_are_kept_by_what_they_depend_on(tmp_path: Path) -> None:
    kept, told = Kept(tmp_path / "work"), list[Done]()
    run_tasks(square, tmp_path, squares(6), kept=kept, tell=told.append)
    assert [(d.id, d.done, d.count, d.kept) for d in told[-2:]] == [("t4", 5, 6, False), ("t5", 6, 6, False)]
    told.clear()
    again = run_tasks(square, tmp_path, squares(7), kept=kept, tell=told.append, where=Processes(2))
    assert sum(d.kept for d in told) == 6
    assert again["t6"] == 36 / 7
    assert Counter(lines(tmp_path / "log")) == dict.fromkeys(range(7), 1)
    # another input, another shared part, another start: computed anew
    other = [Task("t0", Tiny(1)), *squares(7)[1:]]
    run_tasks(square, tmp_path, other, kept=kept)
    assert Counter(lines(tmp_path / "log"))[5] == 2, "t5 starts from t0"
    assert Counter(lines(tmp_path / "log"))[4] == 1


def test_a_kept_result_cut_short_at_any_byte_is_done_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.put("ab12", b"content")
    whole = kept.path("ab12").read_bytes()
    assert kept.get("ab12") == b"content"
    for length in range(len(whole)):
        kept.path("ab12").write_bytes(whole[:length])
        assert kept.get("ab12") is None
    kept.path("ab12").write_bytes(whole[:-1] + b"x")
    assert kept.get("ab12") is None


def test_two_runs_do_not_work_in_one_folder(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "work")
    with kept.held(), pytest.raises(OutputError, match="another run is working there"), kept.held():
        pass
    assert list(tmp_path.iterdir()) == [], "an empty folder of work leaves no trace"
    with kept.held():
        kept.put("ab12", b"finished")
        with pytest.raises(OutputError, match="another run is working there"), kept.held(anew=True):
            pass
        assert kept.get("ab12") == b"finished", "a run that begins anew leaves one at work alone"
    with kept.held():
        assert kept.get("ab12") == b"finished"
    with kept.held(anew=True):
        assert kept.get("ab12") is None


# ------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("where", [Here(), Processes(2)], ids=["here", "processes"])
def test_errors_come_back_as_they_were(where: Any) -> None:
    for shared, kind, told in (
        ("faults", DataError, "a.csv, 2, y: wanted b, got c"),
        ("name", UnknownName, "did you mean Chongqing"),
        ("stopped", NotConverged, "no equilibrium"),
    ):
        with pytest.raises(kind, match=told) as error:
            run_tasks(faulty, shared, squares(5), where=where)
        assert error.value.__notes__ == ["in task t3"]
    with pytest.raises(Exception, match="cannot travel"):
        run_tasks(faulty, "odd", squares(5), where=where)


def test_a_task_that_always_kills_its_worker_is_named(tmp_path: Path) -> None:
    kept, told = Kept(tmp_path), list[Done]()
    with pytest.raises(LandbridgeError, match=f"task t3: {MOST_DEATHS} workers died on it"):
        run_tasks(faulty, "kill", squares(4), where=Processes(2), kept=kept, tell=told.append)
    assert {d.id for d in told} == {"t0", "t1", "t2"}


def test_tasks_that_cannot_be_ordered_are_told() -> None:
    for tasks, told in (
        ([Task("a", Tiny(1)), Task("a", Tiny(2))], "two tasks are called a"),
        ([Task("a", Tiny(1), ("b",))], "needs b, which is not among the tasks"),
        ([Task("a", Tiny(1), ("b",)), Task("b", Tiny(1), ("a",))], "in a circle: a, b"),
    ):
        with pytest.raises(LandbridgeError, match=told):
            run_tasks(square, None, tasks)


def test_where_to_run() -> None:
    assert (where_of(1, None), where_of(3, None)) == (Here(), Processes(3))
    assert where_of(1, "tcp://a:1") == Cluster("tcp://a:1")
    for workers, address in ((0, None), (2, "tcp://a:1")):
        with pytest.raises(LandbridgeError, match="workers"):
            where_of(workers, address)


# -------------------------------------------------------------------------------------------------------- kills


def test_workers_killed_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    rng, stop, kills = random.Random(8), threading.Event(), [0]  # noqa: S311

    def killer() -> None:
        while kills[0] < MOMENTS and not stop.wait(rng.uniform(0, 0.12)):
            # the pool starts and closes processes meanwhile, so a look or a shot may come too late: then try again
            with contextlib.suppress(RuntimeError, ValueError, ProcessLookupError):
                for child in rng.sample(children := multiprocessing.active_children(), len(children)):
                    if child.pid and child.exitcode is None:
                        os.kill(child.pid, signal.SIGKILL)
                        kills[0] += 1
                        break

    tasks = squares(10 * MOMENTS, 0.01)
    thread = threading.Thread(target=killer)
    thread.start()
    try:
        # so many kills in so little time may well meet one task three times
        found = run_tasks(square, tmp_path, tasks, where=Processes(2), kept=Kept(tmp_path / "w"), most_deaths=MOMENTS)
    finally:
        stop.set()
        thread.join()
    assert kills[0] == MOMENTS, "the run was over before all kills"
    assert dict(found) == dict(run_tasks(square, None, tasks_without_sleep(tasks)))
    done = Counter(lines(tmp_path / "log"))
    assert set(done) == set(range(len(tasks)))
    assert done.total() <= len(tasks) + MOMENTS, "a task that was finished was done again"


def tasks_without_sleep(tasks: list[Task]) -> list[Task]:
    return [Task(t.id, Tiny(t.inputs.number), t.needs) for t in tasks]


@pytest.fixture(scope="module")
def forks() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["landbridge.study.runner", "tiny_runs"])
    return context


@pytest.mark.parametrize("where", [Here(), Processes(2)], ids=["here", "processes"])
def test_the_main_process_killed_at_random_moments_loses_nothing_told(tmp_path: Path, where: Any, forks: Any) -> None:
    """Starts it again and again on the same folder; it is killed by turns as it starts and just after a task began."""
    rng, killed = random.Random(9), 0  # noqa: S311
    rounds, count = MOMENTS // 2, 60 if where == Here() else 200
    while True:
        begun = len(lines(tmp_path / "log"))
        process = forks.Process(target=run_and_tell, args=(tmp_path, where, count, 0.02))
        process.start()
        if killed % 2 and killed < rounds:  # how long workers take to start is the machine's affair
            while process.exitcode is None and len(lines(tmp_path / "log")) == begun:
                time.sleep(0.002)
        process.join(rng.uniform(0, 0.08) if killed < rounds else None)
        if process.exitcode is not None:
            break
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        killed += 1
        assert len(lines(tmp_path / "told")) == len(set(lines(tmp_path / "told"))), "told as done twice"
    assert process.exitcode == 0
    assert killed >= rounds // 2, "over before most kills"
    told, done = lines(tmp_path / "told"), Counter(lines(tmp_path / "log"))
    assert sorted(told)[0] >= 0
    assert set(done) == set(range(count))
    # at most what was under way is done again, for each kill
    assert done.total() <= count + killed * (1 if where == Here() else 2)
    if where != Here():
        deadline = time.monotonic() + 5
        while (left := workers_of(tmp_path)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left, "workers outlive the process that started them"


@pytest.mark.skipif(sys.platform == "win32", reason="asks by locks and signals")
def test_what_a_killed_run_leaves_is_taken_away_by_the_next(
    tmp_path: Path, forks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left() -> list[str]:
        return [p.name for p in (tmp_path / "work").rglob("*") if p.name.startswith("shared.") or ".part" in p.name]

    (tmp_path / "work" / "ab").mkdir(parents=True)
    process = forks.Process(target=run_and_tell, args=(tmp_path, Processes(2), 200, 0.02))
    process.start()
    while not left():
        time.sleep(0.002)
    with pytest.raises(OutputError, match="another run"), Kept(tmp_path / "work").held():
        pass
    Kept(tmp_path / "work").tidy()
    assert left() == [f"shared.{process.pid}"], "what a living run lends is left to it"
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    (tmp_path / "work" / "ab" / f".abcd.{process.pid}.part").write_bytes(b"half")
    mine = tmp_path / "work" / "ab" / f".abcd.{os.getpid()}.part"
    mine.write_bytes(b"being written")
    assert len(left()) == 3
    for where in (Here(), Processes(2)):  # in one process as in several
        run_tasks(square, None, squares(3), where=where, kept=Kept(tmp_path / "work"))
        assert left() == [mine.name]
    # the same of a run that keeps nothing, whose folder lies where the system has such
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, busy, other = (tmp_path / f"landbridge-tasks-{name}" for name in ("old", "busy", "other"))
    for folder in (old, busy, other):
        folder.mkdir()
    (old / "lock").touch()
    with Kept(busy).held():
        run_tasks(square, None, squares(3), where=Processes(2))
        assert not old.exists()
        assert busy.exists()
        assert other.exists(), "a folder without a lock may be one that is only just being made"
    assert [p.name for p in tmp_path.glob("landbridge-tasks-*")] == [other.name]


def workers_of(folder: Path) -> list[str]:
    """Processes whose command line or open log shows that they work for a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            opened = [str(link.readlink()) for link in (entry / "fd").iterdir()]
        except OSError:
            continue
        if any(str(folder / "work") in path for path in opened):
            found.append(entry.name)
    return found


def test_ctrl_c_stops_cleanly_and_goes_on(tmp_path: Path, forks: Any) -> None:
    process = forks.Process(target=run_and_tell, args=(tmp_path, Processes(2), 30, 0.05))
    process.start()
    while len(lines(tmp_path / "told")) < 4:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    began = time.monotonic()
    process.join(10)
    assert process.exitcode == 130
    assert time.monotonic() - began < 5
    before = set(lines(tmp_path / "told"))
    assert 4 <= len(before) < 30
    again: list[Done] = []
    kept = Kept(tmp_path / "work")
    with kept.held():
        found = run_tasks(square, tmp_path, squares(30, 0.05), where=Here(), kept=kept, tell=again.append)
    assert found == run_tasks(square, None, squares(30))
    assert sorted(int(event.id[1:]) for event in again) == list(range(30))
    # a task may be stopped between being kept and being told, so that more may be kept than was told, but never less
    assert before <= {int(event.id[1:]) for event in again if event.kept}, "what was told is not done again"


def test_a_full_disk_is_told_and_nothing_half_written_stays(tmp_path: Path) -> None:
    """In a process in which no file may grow past 64 KB: a write fails midway as on a full disk."""
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from landbridge.study.kept import Kept\nfrom landbridge.errors import OutputError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "kept = Kept(Path(sys.argv[1]))\nkept.put('aa', b'x' * 1000)\n"
        "try:\n    kept.put('ab', b'x' * 100000)\nexcept OutputError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], text=True, capture_output=True, check=True)
    assert "cannot be written" in done.stdout
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["aa"]
    assert Kept(tmp_path).get("aa") == b"x" * 1000


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    replace_file(path, b"old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OutputError, match="No space left"):
        replace_file(path, b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"old")]


# ------------------------------------------------------------------------------------------------------ content


def test_the_hash_of_a_table_is_of_its_values() -> None:
    frame = pl.DataFrame(
        {"a": [1, 2, None], "b": [0.5, float("nan"), None], "c": ["x", None, "Ürümqi"], "d": [True] * 3}
    )
    cut = pl.concat([frame[:1], frame[1:]], rechunk=False)
    assert table_hash(cut) == table_hash(frame)
    changed = [
        frame.rename({"a": "e"}),
        frame.with_columns(pl.col("a").cast(pl.Int32)),
        frame.with_columns(pl.col("a").fill_null(0)),
        frame.with_columns(pl.col("c").fill_null("")),
        frame.with_columns(b=pl.Series([np.nextafter(0.5, 1), float("nan"), None])),
        frame.with_columns(c=pl.Series(["xÜ", None, "rümqi"])),
        frame[::-1],
    ]
    assert len({table_hash(frame), *(table_hash(other) for other in changed)}) == 1 + len(changed)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(plain, plain)
def test_contents_differ_where_values_do(first: Any, second: Any) -> None:
    assert (content_of(first) == content_of(second)) == (repr(canonical(first)) == repr(canonical(second)))


def canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {"map": sorted((key, repr(canonical(part))) for key, part in value.items())}
    return [canonical(part) for part in value] if isinstance(value, list) else value


def test_what_has_no_content_is_refused() -> None:
    with pytest.raises(TypeError, match="builtin_function_or_method"):
        content_of([print])


#: A run whose first worker is killed as soon as it is there, while it is still starting.
KILLED_AT_ITS_START = """\
import os, signal, sys, threading, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from landbridge.study.runner import Processes, run_tasks
from tiny_runs import squares
from tiny_tasks import weighed

def kill() -> None:
    me = os.getpid()
    while True:
        for place in Path("/proc").iterdir():
            try:
                told = (place / "stat").read_text().rsplit(")", 1)[1].split() if place.name.isdigit() else []
                if told and int(told[1]) == me and b"spawn_main" in (place / "cmdline").read_bytes():
                    os.kill(int(place.name), signal.SIGKILL)
                    print("killed", flush=True)
                    return
            except (OSError, IndexError):
                pass

if __name__ == "__main__":
    threading.Thread(target=kill, daemon=True).start()
    found = run_tasks(weighed, b"x" * 50_000_000, squares(2), where=Processes(1))
    print(*found.values())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_worker_killed_while_it_starts_is_not_waited_for(tmp_path: Path) -> None:
    """What all tasks share is larger than a pipe holds: who is killed before he has taken it must not stop the run."""
    code = tmp_path / "code.py"
    code.write_text(KILLED_AT_ITS_START, encoding="utf-8")
    words = [sys.executable, str(code), str(Path(__file__).resolve().parents[1])]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["killed", "50000000", "50000001"]
