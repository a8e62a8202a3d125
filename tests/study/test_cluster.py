"""A Dask cluster: the same results as here, whoever dies, or one clear error; with and without a nanny for workers."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bare_cluster import bare_cluster
from landbridge.errors import ClusterLost, DataError, LandbridgeError
from landbridge.show.cli import app
from landbridge.show.running import watching
from landbridge.study import cluster
from landbridge.study.cluster import local_cluster
from landbridge.study.content import code_hash
from landbridge.study.kept import Kept
from landbridge.study.runner import Cluster, Done, Task, run_tasks
from tiny_runs import squares
from tiny_tasks import Tiny, faulty, lines, square, weighed

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COUNT = 40
SECONDS = 0.05
#: More than travels in one piece.
SHARED = b"x" * 20_000_000


@pytest.fixture(scope="module")
def expected() -> dict[str, float]:
    return dict(run_tasks(square, None, squares(COUNT)))


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers find the modules of tests."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


def at(moments: list[int], do: Callable[[], object]) -> tuple[Callable[[Done], None], list[Done]]:
    """What hears of tasks, and does something as soon as so many are done now; and what it has heard."""
    told: list[Done] = []

    def tell(event: Done) -> None:
        told.append(event)
        if not event.kept and sum(not one.kept for one in told) in moments:
            do()

    return tell, told


@pytest.mark.usefixtures("found")
def test_workers_with_a_nanny_killed_at_random_moments(tmp_path: Path, expected: dict[str, float]) -> None:
    rng, kills = random.Random(8), [0]  # noqa: S311

    def kill() -> None:
        child = rng.choice(multiprocessing.active_children())
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        kills[0] += 1

    def later() -> None:  # while a task, or what it needs, is on its way
        threading.Timer(rng.uniform(0, 2 * SECONDS), kill).start()

    with local_cluster(2) as address:
        tell, told = at([4, 15, 28], later)
        kept = Kept(tmp_path / "work")
        got = run_tasks(
            square, tmp_path, squares(COUNT, SECONDS), where=Cluster(address), kept=kept, tell=tell, most_deaths=9
        )
        assert dict(got) == expected
        assert len(told) == COUNT, "each told once"
        assert kills[0] == 3
        done = Counter(lines(tmp_path / "log"))
        # the other worker may not have told its result either, when the connection to it was shared
        assert done.total() <= COUNT + 4 * kills[0], "finished tasks were done again"
        kill()  # before the run: its first message may go to one that is dying
        tasks = [Task(f"t{i}", Tiny(i, SECONDS)) for i in range(10)]
        assert dict(run_tasks(weighed, SHARED, tasks, where=Cluster(address))) == {
            f"t{i}": len(SHARED) + i for i in range(10)
        }
        with pytest.raises(DataError, match="2 faults") as error:
            run_tasks(faulty, "faults", squares(5), where=Cluster(address))
        assert error.value.__notes__ == ["in task t3"]


def test_all_workers_killed_and_others_come(tmp_path: Path, expected: dict[str, float]) -> None:
    """Nobody is left who holds what was sent: it is sent again."""
    with bare_cluster(tmp_path, 2) as bare:

        def replace() -> None:
            bare.kill()
            bare.add()

        tell, told = at([5, 22], replace)
        got = run_tasks(square, None, squares(COUNT, SECONDS), where=Cluster(bare.address), tell=tell)
        assert dict(got) == expected
        assert len(told) == COUNT
        tell, told = at([3], replace)
        tasks = [Task(f"t{i}", Tiny(i, SECONDS)) for i in range(10)]
        got = run_tasks(weighed, SHARED, tasks, where=Cluster(bare.address), tell=tell)
        assert dict(got) == {f"t{i}": len(SHARED) + i for i in range(10)}


def watched(kept: Kept, address: str, tell: Callable[[Done], None]) -> None:
    """As a verb runs it."""
    with watching(quiet=True, lines=False, folder=Path("out")) as watch:

        def both(event: Done) -> None:
            watch.done(event)
            tell(event)

        run_tasks(square, None, squares(COUNT, SECONDS), where=Cluster(address), kept=kept, tell=both)


def test_nobody_comes_back_and_the_run_goes_on_later(
    tmp_path: Path, expected: dict[str, float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = Kept(tmp_path / "work")
    for gone in (
        "all workers of the cluster are gone and none came back within 2 s",
        "the scheduler of the cluster is gone",
    ):
        place = tmp_path / gone.split()[1]
        place.mkdir()
        monkeypatch.setattr(cluster, "RETURN_S", 60.0)
        with bare_cluster(place, 2) as bare:

            def end(bare=bare, gone=gone) -> None:  # type: ignore[no-untyped-def]
                monkeypatch.setattr(cluster, "RETURN_S", 2.0)
                bare.scheduler.kill() if "scheduler" in gone else bare.kill()

            tell, told = at([8], end)
            began = time.monotonic()
            with pytest.raises(ClusterLost, match=gone) as error:
                watched(kept, bare.address, tell)
            assert time.monotonic() - began < 60, "a stall"
        count = len(told)
        assert count - sum(event.kept for event in told) >= 8
        assert count < COUNT
        assert str(error.value).startswith(f"{bare.address}: {gone}; under way was t")
        assert f"{count} of {COUNT} tasks are finished and kept: --resume goes on from there" in str(error.value)
        assert "Traceback" not in capsys.readouterr().err
    told = []
    assert dict(run_tasks(square, None, squares(COUNT), kept=kept, tell=told.append)) == expected
    assert sum(event.kept for event in told) == 0, "inputs differ: seconds count"
    told = []
    assert dict(run_tasks(square, None, squares(COUNT, SECONDS), kept=kept, tell=told.append)) == expected
    assert sum(event.kept for event in told) >= 16


@pytest.mark.usefixtures("found")
def test_a_call_that_gets_lost_on_the_way_is_sent_again(
    expected: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a worker dies while it joins: nobody works on it, nobody tells, and the dead one stays in the list."""
    distributed = pytest.importorskip("distributed")
    ask = distributed.Client.run

    def run_on_all(self, function, *words, **how):  # type: ignore[no-untyped-def]
        return {**ask(self, function, *words, **how), "tcp://127.0.0.1:9": OSError("Connection refused")}

    monkeypatch.setattr(distributed.Client, "run", run_on_all)
    lost: list[str] = []
    wait = cluster._Remote._wait

    def lossy(self, future):  # type: ignore[no-untyped-def]
        if len(lost) < 2:
            lost.append(future.key)
        else:
            wait(self, future)

    monkeypatch.setattr(cluster._Remote, "_wait", lossy)
    monkeypatch.setattr(cluster, "STUCK_S", 0.5)
    got: list[dict[str, float]] = []
    with local_cluster(1) as address:

        def run() -> None:
            got.append(dict(run_tasks(square, None, squares(COUNT), where=Cluster(address))))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(60)
    assert got == [expected], "a stall"
    assert len(lost) == 2


def test_who_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_S", 1)
    with pytest.raises(LandbridgeError, match="no cluster answers"):
        run_tasks(square, None, squares(2), where=Cluster("tcp://127.0.0.1:9"))


@pytest.mark.usefixtures("found")
def test_workers_with_other_code_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that joins later: each call is held against its worker's code."""
    with local_cluster(1) as address:
        monkeypatch.setattr(cluster, "code_hash", lambda: "other")
        with pytest.raises(LandbridgeError, match="these workers have other code than this machine: tcp://"):
            run_tasks(square, None, squares(2), where=Cluster(address))
        monkeypatch.setattr(cluster, "_check_code", lambda _client, _address: None)
        with pytest.raises(LandbridgeError, match="these workers have other code than this machine: tcp://"):
            run_tasks(square, None, squares(2), where=Cluster(address))
    assert code_hash() != "other"


@pytest.mark.usefixtures("found")
def test_verbs_of_many_tasks_tell_the_same_from_a_cluster(tmp_path: Path) -> None:
    """Coalitions of power, replications of terminals, projects, as the command line asks for them."""
    power = ("power", EXAMPLES / "cku.toml", "--size", "reduced", "--players", "CN,KZ,RU", "--project", "cku")
    terminal = ("terminal", "khorgos-gateway", "--days", 20, "--replications", 40)
    appraise = ("appraise", EXAMPLES / "cku.toml", "--size", "reduced", "--project", "rail-baltica", "--alone")
    with local_cluster(2) as address:
        for words in (power, terminal, appraise):
            alone, shared = (call(*words, "--json", *more) for more in ((), ("--cluster", address)))
            assert shared == alone
    for words, told in (
        (power, "worths that --out or --cache"),
        (terminal, "runs that --out"),
        (appraise, "what --out"),
    ):
        done = CliRunner().invoke(app, [str(word) for word in (*words, "--resume")])
        assert str(done.exception).startswith(f"--resume goes on from {told} keeps")
        done = CliRunner().invoke(app, [str(word) for word in (*words, "--workers", 2, "--cluster", "tcp://a:1")])
        assert "wanted --workers or --cluster, got both" in str(done.exception)


def call(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.stdout
