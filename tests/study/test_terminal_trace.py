"""Trains that are known, from a file: they come as it says, in every run, and what is wrong with it is told at once."""

from __future__ import annotations

import numpy as np
import pytest

from landbridge.data.read import read_atlas
from landbridge.errors import DataError, LandbridgeError
from landbridge.study import terminal as work
from landbridge.study.terminal_files import visits

PLAN = """
name = "A yard"
side_a = "1435"
side_b = "1520"
stack_teu = 2000

[[resources]]
kind = "track"

[[resources]]
id = "cranes"
kind = "crane"
count = 1
minutes_unit = 1.5

[[streams]]
id = "west"
arrives = "1435"
trains_day = 1
units_train = 40
units_out = 0
teu_unit = 2

[[streams]]
id = "east"
arrives = "1520"
trains_day = 1
units_train = 20
units_out = 0
teu_unit = 2
"""


@pytest.fixture
def yard(tmp_path):
    path = tmp_path / "yard.toml"
    path.write_text(PLAN, encoding="utf-8")
    return work.read_plan(path)


def write(folder, text):
    path = folder / "trains.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_trains_come_as_the_file_says(tmp_path, yard):
    """One crane, 90 seconds a box, in the order of arrival: an hour a train of 40 boxes, by hand."""
    file = write(tmp_path, "arrive_h,stream,units\n1.5,east,20\n0,west,40\n0.5,west,\n30,east,8\n")
    trace = work.read_trace(file, yard)
    assert trace.days == 2
    answer = work.ask(yard, work.Settings(days=trace.days, replications=2), trace=trace)
    for run in answer.runs:
        seen = visits(run).sort("arrive_h")
        assert seen["arrive_h"].to_list() == [0.0, 0.5, 1.5, 30.0]
        assert seen["units"].to_list() == [40, 40, 20, 8]
        assert seen["leave_h"].to_list() == pytest.approx([1.0, 2.0, 2.5, 30.2])
    # loads are those of the trace, not of the plan: 2.7 hours of work in 48
    assert answer.told["offered_load"]["cranes"] == pytest.approx(2.7 / 48)
    assert answer.told["offered_trains_day"] == pytest.approx(2.0)


def test_all_faults_of_a_file_are_told_at_once(tmp_path, yard):
    file = write(tmp_path, "arrive_h,stream,units\n-1,west,5\n3,wset,\nx,west,0\n4,west,2.5,9\nnan,,1e9\n")
    with pytest.raises(DataError) as caught:
        work.read_trace(file, yard)
    found = {(f.row, f.field) for f in caught.value.faults}
    assert found == {
        ("row 2", "arrive_h"), ("row 3", "stream"), ("row 4", "arrive_h"), ("row 4", "units"), ("row 5", ""),
        ("row 5", "units"), ("row 6", "arrive_h"), ("row 6", "stream"), ("row 6", "units"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "field", "wanted"),
    [
        ("hour,stream\n1,west\n", "hour", "one of arrive_h, stream, units"),
        ("arrive_h\n1\n", "stream", "a column"),
        ("arrive_h,stream\n", "", "rows with arrive_h, stream, units"),
    ],
)
def test_a_file_without_its_columns_or_rows_is_refused(tmp_path, yard, text, field, wanted):
    with pytest.raises(DataError) as caught:
        work.read_trace(write(tmp_path, text), yard)
    assert (field, wanted) in {(f.field, f.wanted) for f in caught.value.faults}


def test_a_run_shorter_than_its_trains_and_a_stack_too_small_are_refused(tmp_path, yard):
    trace = work.read_trace(write(tmp_path, "arrive_h,stream\n50,west\n"), yard)
    with pytest.raises(LandbridgeError, match="--days: wanted at least 3"):
        work.ask(yard, work.Settings(days=2), trace=trace)
    with pytest.raises(LandbridgeError, match="neither an event nor a curve"):
        work.ask(yard, work.Settings(days=3), trace=trace, curve=True)
    gateway = work.changed(work.plan_of(read_atlas(), "khorgos-gateway"), {"stack_teu": "500"})
    trace = work.read_trace(write(tmp_path, "arrive_h,stream,units\n5,boxes-1435,900\n"), gateway)
    with pytest.raises(DataError, match="the yard can lock itself"):
        work.ask(gateway, work.Settings(days=1), trace=trace)


def test_the_number_of_workers_changes_nothing(tmp_path, yard):
    file = write(tmp_path, "arrive_h,stream\n" + "".join(f"{h},west\n" for h in range(0, 200, 3)))
    trace = work.read_trace(file, yard)
    runs = [work.ask(yard, work.Settings(days=9, replications=3, workers=n), trace=trace).runs for n in (1, 2)]
    for one, two in zip(*runs, strict=True):
        assert np.array_equal(one.log.track, two.log.track)
