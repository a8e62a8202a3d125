"""The event loop of terminals against queueing theory, a worked sample path and closed forms.

One crane, drawn:   side 1435 ->  [tracks] -> (shunter) -> (customs) -> (crane) -> (locomotive) -> out
"""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.model import terminals
from landbridge.model.terminals import kernels
from landbridge.model.terminals.summary import mser

REFERENCE = json.loads((Path(__file__).parents[1] / "data" / "queueing.json").read_text())
CUSTOMERS = 200_000


def number(value):
    return float(Fraction(value))


def station(*resources, outside=None, sides=("1435", "1520"), stack=0, streams=None, **stream):
    """A plan of one stream on side 1435, with tracks without end where none are given."""
    rows = list(resources)
    if not any(row["kind"] == "track" for row in rows):
        rows.append({"kind": "track", "side": "1435"})
    return terminals.make_plan(
        {"id": "test", "side_a": sides[0], "side_b": sides[1], "outside_trains": outside, "stack_teu": stack},
        rows,
        streams or [{"id": "trains", "arrives": "1435", **stream}],
    )


def crane(count, hours, variation):
    return {"kind": "crane", "count": count, "minutes_train": 60 * hours, "variation": variation}


def run_trace(plan, hours, *, seed, units=None, stream=None, days=1):
    size = len(hours)
    loads = np.ones(size, np.int64) if units is None else np.asarray(units, np.int64)
    of = np.zeros(size, np.int64) if stream is None else stream
    return terminals.simulate(
        plan, days=days, seed=seed, arrivals=(np.asarray(hours, np.float64), of, loads), until_empty=True
    )


def waits(run, step=kernels.HANDLE):
    c = run.drawn.yard.column[step]
    earlier = run.drawn.trains.arrive_h if c == 0 else run.log.end_h[: run.arrived, c - 1]
    return (run.log.start_h[: run.arrived, c] - earlier)[run.accepted]


def poisson(rate, size, seed):
    return np.cumsum(np.random.default_rng(seed).standard_exponential(size)) / rate


def holds(samples, exact, *, cut=0.02, batches=40):
    """The mean of a correlated series is within 4 standard errors, from batches long enough to be independent."""
    kept = samples[int(cut * samples.size) :]
    means = terminals.batch_means(kept, batches=batches)
    error = means.std(ddof=1) / np.sqrt(means.size)
    assert abs(kept.mean() - exact) < 4 * error, (kept.mean(), exact, error)
    assert error < 0.1 * max(exact, 1e-3) or exact < 0.02, "too coarse to say anything"


@pytest.mark.parametrize("case", REFERENCE["MMc"], ids=lambda c: f"{c['lam']}-{c['mu']}-{c['c']}")
def test_m_m_c(case):
    lam, mu, c = number(case["lam"]), number(case["mu"]), case["c"]
    run = run_trace(station(crane(c, 1 / mu, 1)), poisson(lam, CUSTOMERS, 7), seed=7)
    wait = waits(run)
    holds(wait, case["Wq"])
    holds((wait > 0).astype(float), case["P_wait"])
    holds((wait > 1).astype(float), case["P_wait_gt_1"])
    law = terminals.little(run)["trains"]
    assert law["error"] < 1e-9
    assert law["mean_inside"] == pytest.approx(law["arrivals_h"] * law["mean_stay_h"], rel=1e-9)
    assert law["mean_inside"] == pytest.approx(case["L"], rel=0.1)
    assert terminals.loads(run)["crane"] == pytest.approx(lam / mu / c, rel=0.02)


@pytest.mark.parametrize("case", REFERENCE["MMcK"], ids=lambda c: f"{c['c']}-{c['K']}")
def test_m_m_c_k_turns_trains_away(case):
    lam, mu, c = number(case["lam"]), number(case["mu"]), case["c"]
    tracks = {"kind": "track", "side": "1435", "count": case["K"]}
    run = run_trace(station(tracks, crane(c, 1 / mu, 1), outside=0), poisson(lam, CUSTOMERS, 5), seed=5)
    holds((~run.accepted).astype(float), case["P_block_float"])
    if case["Wq"]:
        holds(waits(run), case["Wq"])
    else:
        assert waits(run).max() == 0
    law = terminals.little(run)["trains"]
    assert law["error"] < 1e-9
    assert law["arrivals_h"] == pytest.approx(case["lam_eff"], rel=0.02)


@pytest.mark.parametrize("case", REFERENCE["MG1"], ids=lambda c: f"{c['lam']}-{c['cs2']}")
def test_m_g_1(case):
    plan = station(crane(1, number(case["ES"]), number(case["cs2"]) ** 0.5))
    holds(waits(run_trace(plan, poisson(number(case["lam"]), CUSTOMERS, 11), seed=11)), case["Wq_float"])


@pytest.mark.parametrize("case", REFERENCE["MDc"], ids=lambda c: f"{c['lam']:.3f}-{c['c']}")
def test_m_d_c(case):
    run = run_trace(station(crane(case["c"], case["ES"], 0)), poisson(case["lam"], CUSTOMERS, 3), seed=3)
    holds(waits(run), case["Wq"])
    holds((waits(run) > 1e-12).astype(float), case["P_wait"])


@pytest.mark.parametrize("case", REFERENCE["DM1"], ids=lambda c: f"{c['lam']:.3f}")
def test_timetabled_trains_wait_less(case):
    """D/M/1 through the arrivals that a plan draws itself."""
    plan = station(crane(1, 1 / case["mu"], 1), pattern="timetable", trains_day=24 * case["lam"])
    run = terminals.simulate(plan, days=CUSTOMERS / case["lam"] / 24, seed=2)
    assert run.arrived == pytest.approx(CUSTOMERS, abs=1)
    wait = waits(run)
    holds(wait[np.isfinite(wait)], case["Wq"])


@pytest.mark.parametrize("case", REFERENCE["EkM1"], ids=lambda c: str(c["k"]))
def test_renewal_arrivals(case):
    plan = station(
        crane(1, 1 / case["mu"], 1), pattern="renewal", variation=case["k"] ** -0.5, trains_day=24 * case["lam"]
    )
    wait = waits(terminals.simulate(plan, days=CUSTOMERS / case["lam"] / 24, seed=4))
    holds(wait[np.isfinite(wait)], case["Wq"])


@pytest.mark.parametrize("case", REFERENCE["batch_arrivals_MXM1"], ids=lambda c: str(c["batch"]))
def test_batches(case):
    hours = np.repeat(poisson(number(case["lam_batches"]), CUSTOMERS // case["batch"], 6), case["batch"])
    run = run_trace(station(crane(1, 1 / number(case["mu"]), 1)), hours, seed=6)
    holds(waits(run), case["Wq"])


def test_priority():
    (case,) = REFERENCE["priority_nonpreemptive_M_M_1"]
    streams = [{"id": name, "arrives": "1435", "priority": p} for name, p in (("block", 0), ("other", 1))]
    plan = station(crane(1, number(case["ES"]), 1), streams=streams)
    rate = number(case["lam_high"]) + number(case["lam_low"])
    which = (np.random.default_rng(1).random(CUSTOMERS) >= number(case["lam_high"]) / rate).astype(np.int64)
    run = run_trace(plan, poisson(rate, CUSTOMERS, 9), seed=9, stream=which)
    wait = waits(run)
    holds(wait[which == 0], case["Wq_high"])
    holds(wait[which == 1], case["Wq_low"])


def test_tandem_through_all_four_stages():
    stages = REFERENCE["tandem_jackson"]["stages"]
    kinds = ("shunter", "customs", "crane", "locomotive")
    rows = [
        {"kind": kind, "count": stage["c"], "minutes_train": 60 / number(stage["mu"]), "variation": 1}
        for kind, stage in zip(kinds, stages, strict=True)
    ]
    run = run_trace(station(*rows), poisson(0.5, CUSTOMERS, 8), seed=8)
    for step, stage in zip((kernels.SHUNT, kernels.CONTROL, kernels.HANDLE, kernels.LEAVE), stages, strict=True):
        holds(waits(run, step), number(stage["Wq"]))
    total = run.log.done_h - run.drawn.trains.arrive_h
    holds(total, REFERENCE["tandem_jackson"]["total_sojourn_float"])
    assert terminals.little(run)["trains"]["mean_inside"] == pytest.approx(2.3295, rel=0.02)


def test_deterministic_sample_path():
    trains = REFERENCE["deterministic_sample_path"]["trains"]
    plan = station(
        {"kind": "shunter", "count": 1, "minutes_train": 30}, {"kind": "crane", "count": 2, "minutes_unit": 2}
    )
    run = run_trace(plan, [t["arrive"] for t in trains], seed=0, units=[t["lifts"] for t in trains])
    shunt, lift = run.drawn.yard.column[[kernels.SHUNT, kernels.HANDLE]]
    for column, name in ((shunt, "shunt"), (lift, "unload")):
        np.testing.assert_allclose(run.log.start_h[:, column], [t[f"{name}_start"] for t in trains], atol=1e-9)
        np.testing.assert_allclose(run.log.end_h[:, column], [t[f"{name}_end"] for t in trains], atol=1e-9)
    groups = run.log.server[:, lift] - run.drawn.yard.first[1] + 1
    assert groups.tolist() == [t["crane"] for t in trains]
    assert run.end_h == pytest.approx(6.8)
    assert (run.log.done_h - run.drawn.trains.arrive_h).mean() == pytest.approx(3.025)


def test_intervals_cover():
    """Of 400 intervals of 95 per cent about 380 hold the exact wait: over batches, and over replications."""
    plan, exact, size = station(crane(1, 11 / 12, 1)), 121 / 156, 20_000
    batched = replicated = 0
    for i in range(400):
        wait = waits(run_trace(plan, poisson(0.5, size, 1000 + i), seed=i))[200:]
        found = terminals.interval(terminals.batch_means(wait))
        batched += found.low <= exact <= found.high
        parts = [wait[k * 1980 : k * 1980 + 1700].mean() for k in range(10)]  # gaps make them as good as independent
        found = terminals.interval(parts)
        replicated += found.low <= exact <= found.high
    assert 0.93 * 400 <= batched <= 0.97 * 400
    assert 0.93 * 400 <= replicated <= 0.97 * 400


def test_student_quantiles():
    stats = pytest.importorskip("scipy.stats")
    for freedom in (1, 2, 3, 7, 19, 199):
        for level in (0.9, 0.95, 0.99):
            assert terminals.student(freedom, level) == pytest.approx(stats.t.ppf((1 + level) / 2, freedom), rel=1e-9)


def test_warm_up_is_cut_where_the_rise_ends():
    rng = np.random.default_rng(0)
    series = np.concatenate([np.linspace(0, 10, 50), 10 + rng.standard_normal(350)])
    assert 40 <= mser(series) <= 60
    assert mser(np.ones(100)) == 0


@pytest.mark.parametrize(
    ("wagons", "minutes", "arrive", "depart", "tracks", "teu_yr"),
    [(29, 1.4, 2, 3, 3, 1_002_789), (30, 5, 2, 3, 1, 101_729), (19, 2, 2, 2, 1, 237_771)],
    ids=["zahony", "dorohusk", "halmeu"],
)
def test_saturated_gauge_change_terminals(wagons, minutes, arrive, depart, tracks, teu_yr):
    """The closed form tracks x 525,600 x wagons / (arrive + wagons x handling + depart), for published terminals."""
    plan = station(
        {"kind": "track", "side": "1435", "count": tracks},
        {"kind": "shunter", "minutes_train": arrive},
        {"kind": "crane", "count": tracks, "minutes_unit": minutes},
        {"kind": "locomotive", "minutes_train": depart},
        units_train=wagons,
        trains_day=200,
    )
    closed = tracks * 525_600 * wagons / (arrive + wagons * minutes + depart)
    assert closed == pytest.approx(teu_yr, abs=1)
    found = terminals.throughput(terminals.simulate(plan, days=365, seed=0))["teu_day"] * 365
    assert found == pytest.approx(closed, rel=0.005)


def gateway(trains_day, **more):
    """One crane group of three cranes that needs 55 minutes for 50 boxes."""
    cranes = {"kind": "crane", "count": 1, "machines": 3, "minutes_unit": 55 * 3 / 50}
    tracks = {"kind": "track", "side": "1435", "count": 6}
    return station(tracks, cranes, units_train=50, trains_day=trains_day, **more)


def test_one_crane_group_saturates_at_26_trains_a_day():
    group = terminals.offered_load(gateway(1))["crane"]
    assert 1 / group == pytest.approx(26.1818, abs=1e-4)
    flooded = terminals.simulate(gateway(60), days=90, seed=1)
    assert terminals.throughput(flooded, 24.0)["trains_day"] == pytest.approx(26.18, rel=0.005)
    easy = terminals.summarise([terminals.simulate(gateway(12), days=90, seed=1, replication=r) for r in range(8)])
    assert easy.stable
    assert easy.dwell_h["total"]["mean"].low < 11 / 12 + 121 / 312 < easy.dwell_h["total"]["mean"].high
    assert easy.utilisation["crane"] == pytest.approx(0.458, abs=0.02)
    for seed in range(3):
        near = [terminals.simulate(gateway(24.87), days=180, seed=seed, replication=r) for r in range(10)]
        assert terminals.summarise(near).verdict == "stable"  # a load of 0.95
    over = terminals.summarise([terminals.simulate(gateway(27), days=90, seed=1, replication=r) for r in range(4)])
    assert not over.stable
    assert "1.03" in over.reason
    assert over.dwell_h == {}
    assert over.bottleneck == "crane"


def yard(**given):
    """A yard with everything: two gauges, both directions, shifts, failures, a stack, gates and few locomotives."""
    tracks = given.pop("tracks", (5, 5))
    stack = given.pop("stack", 3000)
    rows = [
        {"id": "tracks 1435", "kind": "track", "side": "1435", "count": tracks[0]},
        {"id": "tracks 1520", "kind": "track", "side": "1520", "count": tracks[1]},
        {"id": "border", "kind": "path_in", "side": "1435", "count": 1, "minutes_train": 40},
        {"id": "line", "kind": "path_out", "side": "1520", "count": 1, "minutes_train": 30},
        {"id": "shunters", "kind": "shunter", "count": 2, "minutes_train": 30, "variation": 0.3},
        {
            "id": "customs", "kind": "customs", "count": 3, "minutes_train": 60, "minutes_unit": 20,
            "unit_share": 0.05, "open_from_h": 6, "open_h_day": 16,
        },
        {
            "id": "cranes", "kind": "crane", "count": 1, "machines": 3, "minutes_unit": 3,
            "failure_every_h": 200, "failure_h": 8,
        },
        {"id": "locomotives", "kind": "locomotive", "count": 4, "minutes_train": 40},
        {"id": "bogies", "kind": "bogie", "count": 1, "machines": 24, "minutes_unit": 240},
        {"id": "ramps", "kind": "ramp", "count": 2, "machines": 6, "minutes_unit": 25},
    ]  # fmt: skip
    box = {"teu_unit": 2, "stack_teu_unit": 2, "direct_share": 0.6, "lead_h": 4, "patience_h": 24}
    west = {"id": "west", "arrives": "1435", "units_train": 50, "units_out": 55, "pattern": "timetable"}
    east = {"id": "east", "arrives": "1520", "units_train": 55, "units_spread": 5, "units_out": 50}
    rates = given.pop("rates", (8, 5))
    streams = [
        {**west, **box, "trains_day": rates[0], "deviation_h": 4, **given},
        {**east, **box, "trains_day": rates[1], **given},
    ]
    return station(*rows, stack=stack, streams=streams)


@settings(max_examples=25, deadline=None)
@given(
    rates=st.tuples(st.floats(0, 14), st.floats(0, 14)),
    tracks=st.tuples(st.integers(2, 8), st.integers(2, 8)),
    stack=st.sampled_from([400, 900, 5000]),
    share=st.floats(0, 1),
    way=st.sampled_from([{}, {"option": "bogie"}, {"option": "reload"}, {"option": "reload", "stack_teu_unit": 2}]),
    seed=st.integers(0, 1000),
)
def test_laws_of_any_yard(rates, tracks, stack, share, way, seed):
    """Boxes and trains are conserved, nobody shares a server or a track, Little's law holds, the yard never locks."""
    bulk = {"stack_teu_unit": 0, **way} if way else {}
    plan = yard(rates=rates, tracks=tracks, stack=stack, direct_share=share, **bulk)
    run = terminals.simulate(plan, days=30, seed=seed)
    log, n, end = run.log, run.arrived, run.end_h
    for law in terminals.little(run).values():
        assert law["error"] < 1e-9
    gone = terminals.dwell(run)
    assert (gone.stages > -1e-9).all()
    np.testing.assert_allclose(gone.total_h, gone.left_h - run.drawn.trains.arrive_h[gone.arriving], atol=1e-6)
    for s in range(2):
        handled = log.load[:n][(log.stream[:n] == s) & (log.end_h[:n, run.drawn.yard.column[kernels.HANDLE]] <= end)]
        left = log.load[n:][(log.stream[n:] == s) & (log.done_h[n:] <= end)]
        assert left.sum() <= handled.sum()
        assert gone.units[gone.stream == s].sum() == left.sum()
    for v in range(run.drawn.yard.first[-1]):
        at = log.server == v
        spans = sorted(zip(log.start_h[at], np.where(np.isfinite(log.end_h[at]), log.end_h[at], end), strict=True))
        assert all(a[1] <= b[0] + 1e-9 for a, b in pairwise(spans))
    side = run.drawn.yard.side[log.stream]
    side[n:] = 1 - side[n:]
    for which in range(2):
        for number_ in range(tracks[which]):
            at = (side == which) & (log.track == number_) & np.isfinite(log.entered_h)
            leaves = np.where(np.isfinite(log.done_h[at]), log.done_h[at], np.inf)
            spans = sorted(zip(log.entered_h[at], leaves, strict=True))
            assert all(a[1] <= b[0] + 1e-9 for a, b in pairwise(spans))
    for which in range(2):  # not locked: whoever waits outside saw somebody enter in the last days
        if terminals.outside(run, np.array([end]))[which, 0] > 0:
            arriving = np.flatnonzero((side[:n] == which) & np.isfinite(log.entered_h[:n]))
            assert log.entered_h[arriving].max() > end - 5 * 24


@pytest.mark.parametrize(("option", "resource", "minutes"), [("bogie", "bogies", 10), ("reload", "ramps", 25 / 6)])
def test_wagons_and_bulk_are_worked_once(option, resource, minutes):
    """However few trains stand beside: what a train needs of positions or ramps is its units, and no more."""
    plan = yard(rates=(3, 0), option=option, stack_teu_unit=0, direct_share=0)
    assert terminals.offered_load(plan)[resource] == pytest.approx(
        3 * 50 * minutes / 1440 / plan.find(resource.removesuffix("s"), "1435").count
    )
    run = terminals.simulate(plan, days=60, seed=2)
    column = run.drawn.yard.column
    handling = (
        run.log.end_h[: run.arrived, column[kernels.HANDLE]] - run.log.start_h[: run.arrived, column[kernels.HANDLE]]
    )
    np.testing.assert_allclose(handling[np.isfinite(handling)], 50 * minutes / 60)
    loading = run.log.end_h[run.arrived :, column[kernels.LOAD]] - run.log.start_h[run.arrived :, column[kernels.LOAD]]
    assert np.nanmax(loading) == 0


def test_bulk_waits_for_an_empty_train_beside_and_wagons_on_bogies_do_not():
    """An empty train comes four hours after the first has its track; only then does reloading begin."""
    for option, waits_for in (("reload", True), ("bogie", False)):
        plan = yard(rates=(1, 0), option=option, stack_teu_unit=0)
        run = run_trace(plan, [12.0], seed=0, units=[50], days=5)
        stood = run.log.stood_h[0]
        begins = run.log.start_h[0, run.drawn.yard.column[kernels.HANDLE]]
        assert (begins >= stood) == waits_for
        assert run.log.load[run.arrived] == 50


def test_tracks_are_occupied_longer_than_their_trains_are_worked_on():
    """One crane, 5 h a train, two trains at hour 0 of a day: 10 h of work in 15 h on two tracks."""
    plan = station(crane(1, 5, 0), {"id": "t", "kind": "track", "side": "1435", "count": 2})
    run = run_trace(plan, [0.0, 0.0], seed=0)
    worked, held = terminals.shares(run)["t"]
    assert run.end_h == 10
    assert worked == pytest.approx(10 / 20)
    assert held == pytest.approx(15 / 20)
    assert terminals.loads(run)["t"] == held
    assert terminals.shares(run)["crane"] == pytest.approx((1, 1))
    shift = station({"kind": "crane", "count": 1, "minutes_train": 300, "open_from_h": 8, "open_h_day": 8})
    rested = terminals.shares(run_trace(shift, [14.0], seed=0, days=3))["crane"]
    assert rested == pytest.approx((5 / 11, 21 / 35))


def test_full_stack_stops_unloading():
    """Nothing leaves over the shut border: the stack takes what it can, the yard fills, the queue grows outside."""
    shut = terminals.Stop("path_out", "1520", 0, 20 * 24)
    plan = yard(rates=(8, 0), stack=900)
    run = terminals.simulate(plan, days=20, seed=3, stops=[shut])
    handled = run.log.end_h[: run.arrived, run.drawn.yard.column[kernels.HANDLE]] <= run.end_h
    loaded = run.log.load[run.arrived :][run.log.load[run.arrived :] > 0].sum()
    held = 2 * (run.log.load[: run.arrived][handled].sum() - loaded)
    assert held <= 900 + 2 * 55 * 5  # the stack, and what stands on departing trains
    assert terminals.throughput(run)["teu_day"] == 0
    assert terminals.outside(run, np.array([480.0]))[0, 0] > 100
    assert terminals.outside(run, np.array([480.0]))[1, 0] == 0


def test_queue_stands_on_the_side_it_comes_from():
    run = terminals.simulate(yard(rates=(4, 4)), days=20, seed=3, stops=[terminals.Stop("path_in", "1520", 0, 480)])
    west, east = terminals.outside(run, np.array([479.0]))[:, 0]
    assert east > 60
    assert west < 10


def test_a_stop_of_a_day_is_worked_off_at_the_rate_that_is_left():
    """12 trains a day by timetable, 55 minutes each, shut for a day; the queue clears after 24 rho / (1 - rho) h."""
    plan = gateway(12, pattern="timetable")
    run = terminals.simulate(plan, days=6, seed=0, stops=[terminals.Stop("crane", "", 24, 48)])
    wait = waits(run)
    late = run.drawn.trains.arrive_h[wait > 1e-6]
    rho = 12 * 55 / 1440
    assert late.max() - 48 == pytest.approx(24 * rho / (1 - rho), abs=2.0)
    assert wait.max() == pytest.approx(24 - 1.0, abs=1.1)


def test_shifts_pause_work_and_use_counts_working_time():
    """A job of 5 h that starts at 14 h under a shift from 8 to 16 h ends at 11 h next day."""
    plan = station({"kind": "crane", "count": 1, "minutes_train": 300, "open_from_h": 8, "open_h_day": 8})
    run = run_trace(plan, [14.0], seed=0, days=3)
    assert run.log.end_h[0, 0] == pytest.approx(24 + 11)
    assert terminals.loads(run)["crane"] == pytest.approx(5 / (8 + 3))


def test_failures_slow_a_group_down():
    row = {"kind": "crane", "count": 1, "machines": 2, "minutes_unit": 2, "failure_every_h": 30, "failure_h": 10}
    plan = station(row, trains_day=200, units_train=50)
    found = terminals.throughput(terminals.simulate(plan, days=2000, seed=5))["trains_day"]
    assert found == pytest.approx(24 / (50 / 60) * 0.75, rel=0.02)


def test_weekly_and_seasonal_pattern():
    plan = station(crane(1, 0.01, 0), trains_day=100, week=[2, 1, 1, 1, 1, 1, 0], year=[2] + [1] * 11)
    run = terminals.simulate(plan, days=364, seed=5, start_weekday=0, start_month=0)
    day = (run.drawn.trains.arrive_h // 24).astype(int)
    weekday = np.bincount(day % 7, minlength=7)
    assert weekday[6] == 0
    assert weekday[0] == pytest.approx(2 * weekday[1:6].mean(), rel=0.1)
    # January has the factors of four weeks and three days, 36 of the 416 of the 52 weeks
    assert (day < 31).sum() / (day >= 31).sum() == pytest.approx(2 * 36 / 380, rel=0.03)
    assert run.arrived == pytest.approx(36_400, rel=0.02)


def test_same_seed_same_result_and_better_plans_keep_their_draws():
    first, second = (terminals.simulate(yard(), days=30, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first.log.end_h, second.log.end_h)
    assert not np.array_equal(first.log.end_h, terminals.simulate(yard(), days=30, seed=5).log.end_h)
    wider = terminals.simulate(yard(tracks=(9, 9)), days=30, seed=4)
    np.testing.assert_array_equal(first.drawn.trains.arrive_h, wider.drawn.trains.arrive_h)
    np.testing.assert_array_equal(first.drawn.trains.work_h, wider.drawn.trains.work_h)


def test_compiled_and_plain_loop_agree():
    """The same loop as plain Python, whose arrays know their bounds."""
    run = terminals.simulate(yard(tracks=(3, 4)), days=12, seed=9)
    d = run.drawn
    plain = kernels.run.py_func(d.yard, d.trains, d.changes, run.horizon_h, d.most, d.columns)
    for name in kernels.Log._fields:
        np.testing.assert_array_equal(getattr(run.log, name), getattr(plain, name), err_msg=name)


def replicated(plan, days=40, count=4):
    return [terminals.simulate(plan, days=days, seed=1, replication=r) for r in range(count)]


def test_delay_curve_of_one_server_follows_theory():
    """M/D/1: the delay is rho s / (2 (1 - rho)) hours, the capacity 24 / s trains a day."""
    hours = 55 / 60
    curve = terminals.delay_curve(gateway(5), lambda plan: replicated(plan, 200, 6))
    assert curve.capacity_trains_day == pytest.approx(24 / hours)
    assert curve.bottleneck == "crane"
    assert list(curve.delay_h) == sorted(curve.delay_h)
    assert list(curve.spread_h) == sorted(curve.spread_h)
    for ratio, delay in zip(curve.ratio, curve.delay_h, strict=True):
        if ratio <= 0.9:
            exact = hours / 2 * (ratio / (1 - ratio) - curve.ratio[0] / (1 - curve.ratio[0]))
            assert delay == pytest.approx(exact, rel=0.12, abs=0.02)
    past = curve.points[-1]
    assert past.trains_day > curve.capacity_trains_day
    assert (past.stable, past.dwell_h) == (False, None)
    assert curve.at(27) is None
    assert curve.at(13)[0] == pytest.approx(hours / 2 * 0.4965 / 0.5035, rel=0.15)


def test_delay_curve_finds_a_limit_that_no_single_load_shows():
    """Few tracks: trains that wait to be filled hold them, long before any server is busy all the time."""
    plan = yard(tracks=(2, 2))
    curve = terminals.delay_curve(plan, lambda tried: replicated(tried, 30, 3))
    bound = 1 / max(terminals.offered_load(terminals.rated(plan, 1)).values())
    assert 0 < curve.capacity_trains_day < 0.9 * bound
    wide = terminals.delay_curve(yard(tracks=(8, 8)), lambda tried: replicated(tried, 30, 3))
    assert wide.capacity_trains_day > curve.capacity_trains_day


def tipping_yard(trains_day):
    """Cranes with a load of 0.77 at eight trains a day, and 1.29 with every box lifted twice."""
    rows = [
        {"kind": "track", "count": 4},
        {"id": "cranes", "kind": "crane", "count": 1, "machines": 2, "minutes_unit": 3,
         "open_from_h": 6, "open_h_day": 16, "failure_every_h": 200, "failure_h": 6},
    ]  # fmt: skip
    stream = {
        "trains_day": trains_day, "pattern": "timetable", "deviation_h": 6, "units_train": 50, "units_out": 55,
        "teu_unit": 2, "stack_teu_unit": 2, "direct_share": 0.8, "patience_h": 24,
    }  # fmt: skip
    return station(*rows, stack=1000, **stream)


def test_a_curve_ends_where_runs_tip_over_and_tells_where_they_drift():
    """Few short runs and many long ones tell the same limit, for the few are tried with the many."""
    plan = tipping_yard(8)
    few, many = (lambda tried: replicated(tried, 40, 2)), (lambda tried: replicated(tried, 90, 10))
    curve = terminals.delay_curve(plan, few, confirm=many, ratios=(0.2, 0.5, 0.7, 0.85, 0.95))
    assert curve.could_tip_trains_day < curve.capacity_trains_day < 8 < curve.drift_trains_day
    all_lifts_twice = terminals.rated(replace(plan, streams=(replace(plan.streams[0], direct_share=0),)), 1)
    assert curve.could_tip_trains_day == pytest.approx(1 / terminals.offered_load(all_lifts_twice)["cranes"])
    assert curve.ratio[-1] == pytest.approx(1)
    assert terminals.summarise(many(terminals.rated(plan, curve.capacity_trains_day))).stable
    assert {p.verdict for p in curve.points if p.trains_day > curve.capacity_trains_day} >= {"tips over"}
    assert all(p.dwell_h is None for p in curve.points if not p.stable)
    bulk = replace(plan, streams=(replace(plan.streams[0], option="reload", stack_teu_unit=0.0),))
    assert terminals.offered_load(
        replace(bulk, resources=(*bulk.resources[:1], replace(bulk.resources[1], kind="ramp")))
    )["cranes"] == pytest.approx(8 * 1.25 / 24 / bulk.resources[1].open_share)


def test_delay_curve_without_room_left_has_no_numbers():
    plan = yard(rates=(5, 40))
    curve = terminals.delay_curve(plan, replicated, stream="west")
    assert curve.capacity_trains_day == 0
    assert curve.ratio == ()


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30))
def test_monotone_is_the_nearest_rising_sequence(values):
    found = terminals.monotone(values)
    assert (np.diff(found) >= -1e-9).all()
    assert found.sum() == pytest.approx(sum(values), abs=1e-6)
    rising = np.sort(values)
    error = ((found - values) ** 2).sum()
    assert error <= ((rising - values) ** 2).sum() + 1e-6
    if (np.diff(values) >= 0).all():
        np.testing.assert_allclose(found, values)


def test_no_volume_at_all_is_borne():
    assert terminals.summarise([terminals.simulate(yard(rates=(0, 0)), days=3, seed=0)]).trains_day.mean == 0


def test_tracks_told_for_both_sides_are_those_of_each():
    rows = [{"id": "t", "kind": "track", "count": 3}, {"id": "c", "kind": "crane", "count": 9, "minutes_train": 60}]
    both = station(*rows, streams=[{"id": s, "arrives": s, "trains_day": 24} for s in ("1435", "1520")])
    assert terminals.offered_load(both) == pytest.approx({"t": 1 / 3, "c": 2 / 9})
    run = terminals.simulate(both, days=50, seed=1)
    assert run.drawn.yard.tracks.tolist() == [3, 3]
    assert terminals.loads(run)["t"] == pytest.approx(1 / 3, abs=0.03)


def test_many_trains_that_leave_part_full():
    """Patience of an hour makes more departing trains than full ones; draws are taken anew until there are enough."""
    plan = yard(rates=(6, 0), patience_h=1, units_out=200, lead_h=0)
    run = terminals.simulate(plan, days=30, seed=1)
    assert run.made > run.log.load[: run.arrived].sum() / 200 + 8
    assert not run.log.counts[kernels.FULL]
    assert terminals.little(run)["units"]["error"] < 1e-9
