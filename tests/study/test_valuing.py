"""What sets of projects are worth, by workers: the same numbers as in this process, and nothing lost when stopped."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from landbridge.study import valuing
from landbridge.study.appraise import appraise
from landbridge.study.files import Study, read_study
from landbridge.study.invest_files import keeping
from landbridge.study.plan import Limits, plan
from landbridge.study.runner import Processes, Task
from small_run import small_tables

STUDY = """\
name = "Small"
years = [2030]
size = "reduced"

[[scenario]]
id = "base"

[[scenario]]
id = "half"
extends = "base"

[[scenario.measure]]
kind = "ease"
everywhere = true
time_factor = 0.5
"""
NAMES = ("cku", "rail-baltica")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    path = tmp_path / "small.toml"
    path.write_text(STUDY, encoding="utf-8")
    return read_study(path)


def test_an_appraisal_by_two_processes_is_that_of_one(study: Study) -> None:
    """Alone, in company, at other tolls: every number."""
    alone = appraise(study, small_tables(), ("cku", "half"))
    assert {"alone", "in_company", "tolls"} <= alone["projects"][0].keys()
    shared = appraise(study, small_tables(), ("cku", "half"), where=Processes(2))
    # what others start from is solved once by workers, and again here where it was let go of
    assert 0 < shared.pop("solved") <= alone.pop("solved")
    assert repr(shared) == repr(alone)


def test_a_programme_that_workers_began_goes_on_here_and_the_other_way_round(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(total_usd=2e10, yearly_usd=5e9)
    fresh = plan(study, small_tables(), limits, NAMES)
    count = fresh.pop("solved")
    sent: list[int] = []
    run = valuing.run_tasks

    def counted(work, shared, tasks: Sequence[Task], **how):  # type: ignore[no-untyped-def]
        sent.append(len(tasks))
        return run(work, shared, tasks, **how)

    monkeypatch.setattr(valuing, "run_tasks", counted)
    for first, then in ((Processes(2), None), (None, Processes(2))):
        asked: list[str] = []

        def stop(what: str, asked: list[str] = asked) -> None:
            asked.append(what)
            if len(asked) == 4:
                raise KeyboardInterrupt

        out = tmp_path / f"out-{first is None}"
        with suppress(KeyboardInterrupt), keeping(out) as kept:
            plan(study, small_tables(), limits, NAMES, tell=stop, kept=kept, where=first)
        assert len(asked) == 4
        with keeping(out) as kept:
            resumed = plan(study, small_tables(), limits, NAMES, kept=kept, where=then)
        assert 0 < resumed.pop("solved") < count
        assert resumed == fresh
    assert len(sent) == 2
    assert sent[1] < sent[0], "what was found here is not asked of workers again"
