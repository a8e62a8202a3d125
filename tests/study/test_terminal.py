"""Plans of the atlas and of files, replications on processes, stops, and what is written."""

import json
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from landbridge.data.read import read_atlas
from landbridge.errors import DataError, LandbridgeError, UnknownName
from landbridge.model import terminals
from landbridge.study import terminal as work
from landbridge.study import terminal_runs
from landbridge.study.kept import Kept
from landbridge.study.runner import Processes
from landbridge.study.terminal_files import MARKER, queues, trace, visits, write_terminal
from tools import terminals_page

SHORT = work.Settings(days=20, replications=3, seed=1)

PLAN = """
name = "A yard"
side_a = "1435"
side_b = "1520"
stack_teu = 1000

[[resources]]
kind = "track"
count = 4

[[resources]]
id = "cranes"
kind = "crane"
count = 1
machines = 2
minutes_unit = 3

[[streams]]
id = "west"
arrives = "1435"
trains_day = 8
units_train = 50
units_out = 55
teu_unit = 2
stack_teu_unit = 2
direct_share = 0.8
patience_h = 24
"""


@pytest.fixture(scope="module")
def atlas():
    return read_atlas()


@pytest.fixture(scope="module")
def gateway(atlas):
    return work.plan_of(atlas, "khorgos-gateway")


def test_every_plan_of_the_atlas_runs_and_obeys_little(atlas):
    names = work.plan_ids(atlas)
    assert {"khorgos-gateway", "khorgos-station", "dostyk", "alashankou", "erenhot", "zamyn-uud"} <= set(names)
    assert {"manzhouli", "zabaikalsk", "malaszewicze", "brest", "alat", "aktau"} <= set(names)
    supplies = set(atlas.ids("gauge_changes")) | set(atlas.ids("terminals"))
    for name in names:
        plan = work.plan_of(atlas, name)
        assert all(s.supply in supplies for s in plan.streams)
        told = terminals.summarise(work.replicate(plan, SHORT))
        assert told.stable, (name, told.reason)
        assert told.little_error < 1e-9
        groups = told.dwell_h
        assert groups["total"]["mean"].mean == pytest.approx(
            sum(groups[name]["mean"].mean for name in ("crane", "processing", "waiting"))
        )
        assert told.teu_yr.mean > 0


def test_minutes_a_train_come_out_as_observed_though_they_are_no_input(gateway):
    """The operator says 55 minutes a train (47 to 71 over the years); the plan knows lifts and cranes only."""
    gone = terminals.dwell(work.replicate(gateway, SHORT)[0])
    minutes = 60 * np.average(gone.stages[terminals.STAGES.index("handling")], weights=gone.units)
    assert 47 <= minutes <= 71


def test_workers_make_no_difference(gateway, monkeypatch):
    """And two workers really are processes of their own: what they work is CPU time of children of this one."""
    resource = pytest.importorskip("resource")  # POSIX

    def children_s():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    monkeypatch.setattr(terminal_runs, "START_S", 0.0)  # share at once
    pools = []
    share = terminal_runs.run_tasks
    monkeypatch.setattr(
        terminal_runs, "run_tasks", lambda *a, where, kept: pools.append(where) or share(*a, where=where)
    )
    before = children_s()
    one = work.replicate(gateway, work.Settings(days=10, replications=5, workers=1))
    assert children_s() == before
    two = work.replicate(gateway, work.Settings(days=10, replications=5, workers=2))
    assert children_s() > before + 0.2  # to load the package alone takes longer
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.log.end_h, b.log.end_h)
    said = [work.told(gateway, terminals.summarise(runs), SHORT) for runs in (one, two)]
    assert json.dumps(said[0]) == json.dumps(said[1])
    assert pools == [Processes(2)]


def test_runs_that_were_finished_are_found_again_whoever_did_them(gateway, monkeypatch, tmp_path):
    monkeypatch.setattr(terminal_runs, "START_S", 0.0)  # keep at once
    done = []
    simulate = terminals.simulate
    monkeypatch.setattr(terminals, "simulate", lambda *a, **k: done.append(k["replication"]) or simulate(*a, **k))
    kept = Kept(tmp_path / "work")
    settings = work.Settings(days=10, replications=70, kept=kept)
    assert settings == work.Settings(days=10, replications=70), "where runs are kept is no part of how they are made"
    first = work.replicate(gateway, settings)
    assert sorted(done) == list(range(70))
    done.clear()
    for workers in (1, 2):
        again = work.replicate(gateway, replace(settings, workers=workers))
        for a, b in zip(first, again, strict=True):
            np.testing.assert_array_equal(a.log.end_h, b.log.end_h)
    assert set(done) <= set(range(6)), "only those before it was clear that it takes long are made again"
    plain = work.replicate(gateway, work.Settings(days=10, replications=70))
    for a, b in zip(first, plain, strict=True):
        np.testing.assert_array_equal(a.log.end_h, b.log.end_h)


def test_a_short_job_starts_no_process(gateway, monkeypatch):
    """Two workers are then never slower than one: a process takes seconds to start, these runs take milliseconds."""
    monkeypatch.setattr(terminal_runs, "run_tasks", lambda *_a, **_k: pytest.fail("started a process"))
    runs = work.replicate(gateway, work.Settings(days=5, replications=4, workers=2))
    assert len(runs) == 4


def test_a_plan_from_a_file(tmp_path):
    path = tmp_path / "yard.toml"
    path.write_text(PLAN, encoding="utf-8")
    plan = work.read_plan(path)
    assert plan.id == "yard"
    assert terminals.offered_load(plan)["cranes"] == pytest.approx(8 * 1.25 / 24 * 1.2, rel=1e-9)
    path.write_text(PLAN.replace("minutes_unit", "minutes_box").replace("stack_teu =", "stack ="), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        work.read_plan(path)
    assert "minutes_box" in str(caught.value)
    assert "stack: wanted one of" in str(caught.value)
    assert "stack_teu: wanted at least" in str(caught.value)  # all at once: the plan as a whole cannot work either
    path.write_text("name = ", encoding="utf-8")
    with pytest.raises(LandbridgeError, match="not a TOML file"):
        work.read_plan(path)
    with pytest.raises(LandbridgeError, match="no such file"):
        work.read_plan(tmp_path / "none.toml")


def test_changes_of_a_plan(gateway):
    more = work.changed(gateway, {"cranes": "4", "tracks_1520": "18", "boxes-1435.units_train": "55"}, trains_day=20)
    assert more.find("crane", "1435").machines == 4
    assert (more.tracks("1435"), more.tracks("1520")) == (8, 18)
    assert more.streams[0].units_train == 55
    assert sum(s.trains_day for s in more.streams) == pytest.approx(20)
    assert gateway.find("crane", "1435").machines == 3
    with pytest.raises(UnknownName, match="did you mean cranes"):
        work.changed(gateway, {"crains": "4"})
    with pytest.raises(LandbridgeError, match="unknown field 'speed'; there are kind"):
        work.changed(gateway, {"crane.speed": "4"})
    with pytest.raises(DataError, match="at least 1"):
        work.changed(gateway, {"cranes": "-1"})
    with pytest.raises(DataError, match="wanted a whole number"):
        work.changed(gateway, {"cranes": "many"})
    with pytest.raises(LandbridgeError, match="unknown setting 'foo'; there are cranes, crane_groups"):
        work.changed(gateway, {"foo": "3"})
    for text in ("1", "a;b", "1;2;3"):
        with pytest.raises(DataError, match="year: wanted 12 factors >= 0"):
            work.changed(gateway, {"boxes-1435.year": text})
    with pytest.raises(LandbridgeError, match="trains in 10 runs of 90 days; wanted at most"):
        work.replicate(work.changed(gateway, {}, trains_day=9999), work.Settings())
    with pytest.raises(LandbridgeError, match="has no bogie"):
        work.changed(gateway, {"bogie_positions": "4"})


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    """The plan of docs/terminals.md, as a reader copies it."""
    text = (Path(__file__).parents[2] / "docs" / "terminals.md").read_text(encoding="utf-8")
    file = tmp_path_factory.mktemp("plan") / "yard.toml"
    file.write_text(text[text.index('name = "A yard"') :].split("```")[0], encoding="utf-8")
    return work.read_plan(file)


@pytest.mark.parametrize(("seed", "replications"), [(0, 10), (1, 10), (2, 10), (3, 10), (4, 10), (0, 50)])
def test_the_documented_yard_tips_over_whatever_the_seed(documented, seed, replications):
    told = terminals.summarise(work.replicate(documented, work.Settings(seed=seed, replications=replications)))
    assert told.verdict == "tips over"
    assert told.bottleneck == "cranes"
    assert told.offered_load["cranes"] < 0.8
    assert f"in {told.tipped} of {replications} runs" in told.reason
    assert told.dwell_h == {}


def test_a_third_crane_keeps_the_yard_from_tipping(documented):
    told = terminals.summarise(
        work.replicate(work.changed(documented, {"cranes": "3"}), work.Settings(replications=20))
    )
    assert (told.verdict, told.tipped, told.note) == ("stable", 0, "")


def test_a_season_counts_in_runs_of_a_certain_time_alone(gateway):
    """Without a date runs are of mean days; from January on there are fewer trains, from May on more."""
    assert len(gateway.streams[0].year) == 12
    told = [
        work.ask(gateway, work.Settings(days=60, replications=2, season=season, start=start)).told
        for season, start in ((False, date(2023, 1, 2)), (True, date(2023, 1, 2)), (True, date(2023, 5, 1)))
    ]
    mean, winter, summer = (each["offered_trains_day"] for each in told)
    assert [each["season"] for each in told] == [False, True, True]
    assert mean == pytest.approx(7.2, rel=0.01)
    assert winter == pytest.approx(7.2 * 0.958, rel=0.015)
    assert summer == pytest.approx(7.2 * 1.025, rel=0.015)


def test_a_curve_of_a_few_days_is_refused(gateway):
    with pytest.raises(LandbridgeError, match="too short to judge; wanted at least 7"):
        work.delay_curve(gateway, work.Settings(days=2))


def test_short_runs_are_not_judged(gateway):
    for days in (1, 2):
        told = work.ask(gateway, work.Settings(days=days, replications=3)).told
        assert (told["stable"], told["verdict"]) == (None, "undecided")
        assert "too short" in told["reason"]


def test_an_unstable_terminal_tells_no_dwell(gateway):
    over = work.changed(gateway, {}, trains_day=40)
    answer = work.ask(over, SHORT)
    assert answer.told["stable"] is False
    assert answer.told["dwell_h"] is None
    assert answer.told["confidence_intervals_95"]["dwell_h"] is None
    assert answer.told["bottleneck"] == "khorgos-gateway:crane"
    assert answer.told["trains_day"] < 30


def test_the_loading_stop_of_october_2021_is_worked_off(atlas):
    """A week without trains from China at Dostyk: the queue is a week's arrivals, and is gone after some days."""
    plan = work.plan_of(atlas, "dostyk")
    answer = work.ask(plan, work.Settings(replications=3), tables=atlas, event="2021-10-loading-stop")
    found = answer.told["recovery"]
    assert found["stop_days"] == 7
    arriving = sum(s.trains_day for s in plan.streams)
    assert 0.8 * 7 * arriving < found["outside"]["1435"]["mean"] < 1.2 * 7 * arriving
    assert found["outside"]["1520"]["mean"] == 0
    assert found["cleared"] == 3
    assert 2 < found["clear_days"]["mean"] < 30
    with pytest.raises(LandbridgeError, match="stops nothing at dostyk"):
        work.ask(plan, SHORT, tables=atlas, event="2025-09-poland-belarus-closed")


def test_polands_closure_fills_brest_from_the_east(atlas):
    plan = work.plan_of(atlas, "brest")
    answer = work.ask(plan, work.Settings(replications=2), tables=atlas, event="2025-09-poland-belarus-closed")
    found = answer.told["recovery"]
    assert found["stop_days"] == 13
    assert found["outside"]["1435"]["mean"] > 50  # those that would have come from Poland
    assert found["extra_units"]["mean"] > 3000
    assert found["cleared"] == 2
    assert found["clear_days"]["mean"] > 1


def test_an_event_has_the_volume_of_its_time(atlas):
    """The closure of 2025 with what crossed then: the queue that was told, cleared in the time that was told.

    More than 130 trains stood at Brest (F1161), 7 to 14 days were expected (news.by, Rzeczpospolita, EAN). The queue is
    that of trains for Malaszewicze on the broad gauge, and of Brest's own, which stand in its yard.
    """
    event = "2025-09-poland-belarus-closed"
    plans = {name: work.in_event(atlas, work.plan_of(atlas, name), event) for name in ("malaszewicze", "brest")}
    volume = {name: sum(s.trains_day for s in plan.streams) for name, plan in plans.items()}
    # trains a day over the border in January 2025, both ways and on both gauges
    assert sum(volume.values()) == pytest.approx(21)
    answer = work.ask(plans["malaszewicze"], work.Settings(replications=4), tables=atlas, event=event)
    found = answer.told["recovery"]
    assert found["trains_day_of_the_time"] == found["trains_day"] == pytest.approx(volume["malaszewicze"])
    assert 110 < found["outside"]["1520"]["mean"] + 13 * volume["brest"] / 2 < 160
    assert 7 < found["clear_days"]["mean"] < 14
    assert answer.told["season"] is False  # it is in the count


def test_an_event_without_a_count_keeps_the_volume_to_plan_with(atlas):
    plan = work.plan_of(atlas, "zamyn-uud")
    assert work.in_event(atlas, plan, "2021-10-loading-stop") == plan
    told = work.ask(plan, SHORT, tables=atlas, event="2021-10-loading-stop").told
    assert told["recovery"]["trains_day_of_the_time"] is None
    assert told["season"] is True


def test_records_are_whole_and_the_trace_plays_back(gateway, tmp_path):
    answer = work.ask(gateway, SHORT)
    write_terminal(tmp_path / "out", gateway, answer.told, answer.runs, answer.start)
    told = json.loads((tmp_path / "out" / MARKER).read_text(encoding="utf-8"))
    assert told["terminal"] == "khorgos-gateway"
    seen = pl.read_parquet(tmp_path / "out" / "visits.parquet")
    run = answer.runs[0]
    assert seen.filter(pl.col("replication") == 0).height == run.arrived + run.made
    film = json.loads((tmp_path / "out" / "trace.json").read_text(encoding="utf-8"))
    assert film == json.loads(json.dumps(trace(run, answer.start)))
    # played back, the film gives the queue and the stack that the series tells
    series = film["series"]
    for moment in (50, 200, 400):
        outside = sum(
            t["direction"] == "arriving" and t["arrive_h"] <= moment and (t["enter_h"] is None or t["enter_h"] > moment)
            for t in film["trains"]
        )
        assert outside == series["outside_1435_trains"][moment]
    on_track = [(t["side"], t["track"], t["enter_h"], t["leave_h"] or 1e9) for t in film["trains"] if t["track"]]
    for side, track in {(s, n) for s, n, _, _ in on_track}:
        spans = sorted((a, b) for s, n, a, b in on_track if (s, n) == (side, track))
        assert all(a[1] <= b[0] + 1e-3 for a, b in pairwise(spans))
    for train in film["trains"]:
        ends = [train["enter_h"], *(end for _, _, end, _ in train["steps"] if end is not None)]
        assert ends == sorted(ends) or train["direction"] == "departing"
    assert queues(run)["stack_teu"].min() > -1e-6
    assert queues(run)["stack_teu"].max() <= gateway.stack_teu
    assert visits(run)["track"].max() <= 8


def test_the_page_has_a_row_for_each_published_figure(atlas):
    """And each names sources that the atlas has, and words that its plan knows."""
    page = terminals_page.PAGE.read_text(encoding="utf-8")
    known = {*atlas.ids("sources"), *atlas.ids("facts")}
    for row in terminals_page.ROWS:
        assert f"| {row.plan} | {row.what} |" in page
        assert set(row.sources.split(";")) <= known
        plan = row.plan_of(atlas)
        assert plan.streams, row.what
        assert not row.stream or f"{row.plan}:{row.stream}" in [s.id for s in plan.streams]
    for name, event, *_rest, sources in terminals_page.STOPS:
        assert f"| {name} | {event} |" in page
        assert set(sources.split(";")) <= known


@pytest.mark.parametrize(
    ("old", "new", "field", "wanted", "got"),
    [
        ("minutes_unit = 3", "", "minutes_train or minutes_unit", "minutes of work above 0", "nothing"),
        ("minutes_unit = 3", "minutes_unit = 0", "minutes_train or minutes_unit", "minutes of work above 0", "0"),
        ('kind = "track"', 'kind = "track"\nside = 0', "side", "1435, 1520 or nothing", "'0'"),
        ('id = "cranes"', 'id = "west"', "streams", "ids that no resource has, since ID.FIELD must mean one", "west"),
        ('side_b = "1520"', "", "side_a, side_b", "two different sides, as 1435 and 1520", "1435 and nothing"),
        ("stack_teu = 1000", "stack_teu = -1", "stack_teu", "a number at least 0, at most 1e+07", "-1"),
    ],
)
def test_a_number_that_was_forgotten_is_no_machine_without_limits(tmp_path, old, new, field, wanted, got):
    """Cranes without a time lifted in none, in silence; and the like."""
    path = tmp_path / "yard.toml"
    assert old in PLAN
    path.write_text(PLAN.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        work.read_plan(path)
    assert (field, wanted, got) in {(f.field, f.wanted, f.got) for f in caught.value.faults}
    assert len([f for f in caught.value.faults if f.field == "stack_teu"]) < 2


def test_a_side_is_a_word_on_the_command_line(gateway):
    """It was read as a number: 1520.0 is no side."""
    assert work.changed(gateway, {"boxes-1435.arrives": "1520"}).streams[0].arrives == "1520"
    for side in ("0", "1676"):
        with pytest.raises(DataError, match="wanted 1435, 1520 or nothing"):
            work.changed(gateway, {"track:1435.side": side})


def test_without_trains_there_is_no_bottleneck(tmp_path):
    """Nobody is asked for anything; a trace of the same plan has one, though the plan knows no volume."""
    path = tmp_path / "yard.toml"
    path.write_text(PLAN.replace("trains_day = 8", "trains_day = 0"), encoding="utf-8")
    plan = work.read_plan(path)
    told = work.ask(plan, SHORT).told
    assert told["bottleneck"] is None
    assert told["trains_day"] == 0
    hours = np.arange(0.0, 24.0 * 10, 5.0)
    traced = terminals.simulate(
        plan,
        days=10,
        seed=0,
        arrivals=(hours, np.zeros(hours.size, np.int64), np.full(hours.size, 50)),
        until_empty=True,
    )
    assert terminals.summarise([traced]).bottleneck == "cranes"
