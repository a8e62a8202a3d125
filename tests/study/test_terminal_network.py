"""Terminal delay in the network: which facility takes which curve, and volumes that settle."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from landbridge.data.read import read_atlas
from landbridge.errors import StudyError
from landbridge.model import flows, terminals
from landbridge.model.network import ArcKind
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Upgrade
from landbridge.scenario.scenarios import Scenario
from landbridge.study import terminal as work
from landbridge.study import terminal_network as fixed_point
from landbridge.study import valuer
from landbridge.study.answering import Answering
from landbridge.study.appraising import options_of
from landbridge.study.files import Study, check_study, fingerprint
from landbridge.study.run import run_study
from landbridge.study.solve import Settings, assignable, prepare

GATEWAY = "khorgos-gateway"
BOXES = f"{GATEWAY}:boxes-1435"


def only(tables, *plans):
    """The atlas with some of its terminals."""
    kept = pl.Series(plans).implode()
    return tables.replace(
        terminal_plans=tables["terminal_plans"].filter(pl.col("id").is_in(kept)),
        terminal_resources=tables["terminal_resources"].filter(pl.col("plan").is_in(kept)),
        terminal_streams=tables["terminal_streams"].filter(pl.col("plan").is_in(kept)),
    )


@pytest.fixture(scope="module")
def atlas():
    return read_atlas()


@pytest.fixture(scope="module")
def prepared(atlas):
    return prepare(apply(atlas, (), 2023).tables, year=2023, settings=Settings(size="reduced"))


def test_every_stream_stands_for_a_facility_of_its_own(atlas, prepared):
    plans = {name: work.plan_of(atlas, name) for name in work.plan_ids(atlas)}
    streams = fixed_point.facilities_of(atlas, prepared.network, plans)
    assert len(streams) == sum(len(plan.streams) for plan in plans.values())
    assert len({s.facility for s in streams}) == len(streams)
    net = prepared.network
    (boxes,) = [s for s in streams if s.stream == BOXES]
    arc = net.facility_arc[boxes.facility]
    assert net.kind[arc] == ArcKind.GAUGE
    assert net.places[net.place[arc]] == "kz-khorgosgateway"
    assert (net.gauge_mm[arc], bool(net.container[arc])) == (1520, True)
    assert boxes.trains == pytest.approx(100 / 110)
    from_ship, onto_ship = (s for s in streams if s.plan == "aktau" and "boxes" in s.stream)
    ways = [net.mode[net.facility_arc[s.facility]] for s in (from_ship, onto_ship)]
    assert ways == [0, 3]


def test_a_curve_replaces_the_power_curve_and_nothing_else(atlas, prepared):
    plans = {GATEWAY: work.plan_of(atlas, GATEWAY)}
    streams = fixed_point.facilities_of(atlas, prepared.network, plans)
    curves = fixed_point.curves_of(plans[GATEWAY], {}, [BOXES])
    changed = fixed_point.with_curves(prepared, streams, curves)
    _, before, *_ = assignable(prepared)
    _, after, *_ = assignable(changed)
    f = streams[0].facility
    curve = curves[BOXES]
    capacity = curve.capacity_trains_day * streams[0].trains
    assert after.capacity_trains_day[f] == pytest.approx(capacity)
    others = np.arange(before.delay_h.size) != f
    for name in ("delay_h", "power", "capacity_trains_day", "preload_trains_day"):
        np.testing.assert_array_equal(getattr(before, name)[others], getattr(after, name)[others])
    np.testing.assert_array_equal(before.time_h, after.time_h)
    volume = np.zeros(before.delay_h.size)
    hours = []
    for share in (0.0, *curve.ratio, 1.2):
        volume[f] = share * capacity
        hours.append(flows.delays_h(after, volume)[f])
    assert hours == sorted(hours)
    np.testing.assert_allclose(hours, [0.0, *curve.delay_h, hours[-1]], atol=1e-9)
    assert hours[-1] >= curve.delay_h[-1]


def test_others_are_thinned_to_what_a_terminal_can_bear(atlas):
    plan = work.plan_of(atlas, "erenhot")
    rates = {s.id: 60.0 for s in plan.streams}
    (curve,) = fixed_point.curves_of(plan, rates, ["erenhot:boxes-1520"]).values()
    assert curve.capacity_trains_day > 0


def test_volumes_of_others_are_rounded_to_what_a_terminal_can_bear(atlas, monkeypatch):
    """To the nearest half train a day, or the one below where rounding up would leave no room for the stream asked."""
    plan = work.plan_of(atlas, "erenhot")
    name = "erenhot:boxes-1520"
    others = [s.id for s in plan.streams if s.id != name]
    asked = []
    monkeypatch.setattr(fixed_point, "_CACHE", {})
    monkeypatch.setattr(
        fixed_point.terminals, "delay_curve", lambda plan, _run, *, stream, **_: asked.append(plan) or stream
    )

    def seen(rates):
        fixed_point.curves_of(plan, rates, [name])
        return {s.id: s.trains_day for s in asked[-1].streams}

    def load(rates):
        kept = terminals.without_borders(fixed_point._at(plan, rates))
        return max(terminals.offered_load(kept).values())

    # few trains: the nearest half, whichever side that is
    assert seen(dict.fromkeys(others, 1.3)) == {name: 0.0, **dict.fromkeys(others, 1.5)}
    assert seen(dict.fromkeys(others, 1.2)) == {name: 0.0, **dict.fromkeys(others, 1.0)}
    # volumes a little past the half step below what is borne: the nearest half would be too much
    one = load({name: 0.0, **dict.fromkeys(others, 1.0)})
    most = fixed_point.BORNE / one
    step = np.floor(most / fixed_point.STEP) * fixed_point.STEP
    rate = step + 0.9 * (most - step) if most - step > fixed_point.STEP / 2 else most
    told = seen(dict.fromkeys(others, rate))
    assert load(told) <= fixed_point.BORNE
    assert all(told[each] == step for each in others)
    # far too many: thinned first, and still borne
    told = seen(dict.fromkeys(others, 100.0))
    assert load(told) <= fixed_point.BORNE
    assert all(told[each] % fixed_point.STEP == 0 for each in others)


def test_volumes_and_curves_settle_and_an_upgrade_widens_the_terminal(atlas, tmp_path):
    few = only(atlas, GATEWAY)
    better = Upgrade(terminals=(GATEWAY,), crane_groups_added=1, customs_time_factor=0.5)
    scenarios = (Scenario("base", "Base", ()), Scenario("better", "Better", (better,)))
    study = Study("Gateway", (2023,), scenarios, "base", size="reduced", terminals="simulated")
    results = run_study(study, few, tmp_path / "out")
    base, wide = (results.of("terminals", name, 2023).row(0, named=True) for name in ("base", "better"))
    assert base["stream"] == BOXES
    assert base["stable"]
    assert base["trains_day"] > 0
    assert wide["capacity_trains_day"] > 1.5 * base["capacity_trains_day"]
    assert wide["delay_h"] <= base["delay_h"] + 0.05
    notes = " ".join(results.manifest["solved"][0]["notes"])
    assert "terminals simulated: " in notes
    assert results.manifest["study"]["fingerprint"] != fingerprint(replace(study, terminals="table"))


def test_an_upgrade_of_a_terminal_needs_simulated_terminals(atlas):
    better = Upgrade(terminals=(GATEWAY,), tracks_added=10)
    study = Study("Gateway", (2023,), (Scenario("base", "Base", (better,)),), "base")
    with pytest.raises(StudyError, match='terminals: wanted terminals = "simulated"'):
        check_study(study, atlas)
    check_study(replace(study, terminals="simulated"), atlas)
    for terminals_of in ("dostyk", "brest"):  # hours not stated; day and night
        shifts = Scenario("base", "Base", (Upgrade(terminals=(terminals_of,), shift_h_day=20),))
        with pytest.raises(StudyError, match=r"works in shifts, got '\w+', where all work day and night"):
            check_study(replace(study, terminals="simulated", scenarios=(shifts,)), atlas)
    half = pl.when(pl.col("kind") == "crane").then(12.0).otherwise(pl.col("open_h_day")).alias("open_h_day")
    by_day = atlas.replace(terminal_resources=atlas["terminal_resources"].with_columns(half))
    check_study(replace(study, terminals="simulated", scenarios=(shifts,)), by_day)
    upgraded = work.plan_of(apply(by_day, shifts.measures, 2023).tables, "brest")
    assert [upgraded.find(kind, "1520").open_h_day for kind in ("crane", "customs")] == [20, 24]


def test_streams_of_a_terminal_settle_at_volumes_that_their_curves_were_made_for(atlas):
    few = only(atlas, "dostyk")
    found = fixed_point.solve_with_terminals(apply(few, (), 2023).tables, year=2023, settings=Settings(size="reduced"))
    assert found.change <= fixed_point.TOLERANCE
    plan = work.plan_of(few, "dostyk")
    load = found.solution.equilibrium.facility_trains_day
    for each in fixed_point.facilities_of(few, found.solution.prepared.network, {"dostyk": plan}):
        assert found.volumes_trains_day[each.stream] == pytest.approx(load[each.facility] / each.trains)
    told = fixed_point.summary(found)
    assert told.height == 3
    assert told.filter(pl.col("stable"))["delay_h"].is_not_null().all()
    assert told.filter(~pl.col("stable"))["delay_h"].is_null().all()


def test_the_spread_of_a_stay_weighs_in_cost_and_not_in_hours(atlas, prepared):
    """An hour of standard deviation counts as `buffer-weight` hours, as on every arc; hours are told without it."""
    plans = {GATEWAY: work.plan_of(atlas, GATEWAY)}
    (boxes,) = fixed_point.facilities_of(atlas, prepared.network, plans)
    curve = fixed_point.curves_of(plans[GATEWAY], {}, [BOXES])[BOXES]
    assert curve.spread_h[-1] > curve.spread_h[0]
    plain, weighed = (
        fixed_point.with_curves(prepared, [boxes], {BOXES: curve}, buffer=weight).curves[boxes.facility]
        for weight in (0.0, 2.0)
    )
    more = np.array(weighed.delay_h[-len(curve.ratio) :]) - plain.delay_h[-len(curve.ratio) :]
    np.testing.assert_allclose(more, 2.0 * (np.array(curve.spread_h) - curve.spread_h[0]))
    tables = apply(atlas, (), 2023).tables
    found = fixed_point._assigned(
        tables, prepared, [boxes], {BOXES: curve}, settings=Settings(size="reduced"), progress=None, start=None
    )
    net, flow = found.prepared.network, found.equilibrium
    load = flow.facility_trains_day[boxes.facility]
    arcs = np.flatnonzero(net.facility == boxes.facility)
    wanted = net.time_h[arcs] + np.interp(load / boxes.trains / curve.capacity_trains_day, curve.ratio, curve.delay_h)
    np.testing.assert_allclose(flow.time_h[arcs], wanted, atol=1e-9)


def test_trade_answers_to_terminals_that_are_simulated(atlas, tmp_path):
    """A better terminal makes trade over it cheaper, and more of it; both fixed points hold at once."""
    few = only(atlas, "dostyk")
    slow = pl.when(pl.col("kind") == "crane").then(60 * pl.col("minutes_unit")).otherwise(pl.col("minutes_unit"))
    resources = few["terminal_resources"].with_columns(slow.alias("minutes_unit"))
    few = few.replace(terminal_resources=resources)
    better = Upgrade(terminals=("dostyk",), crane_groups_added=2)
    scenarios = (Scenario("base", "Base", ()), Scenario("better", "Better", (better,)))
    demand = Answering(mode="elasticity", tolerance=1e-4)
    study = Study("Both", (2023,), scenarios, "base", size="reduced", terminals="simulated", demand=demand, gap=1e-6)
    results = run_study(study, few, tmp_path / "out")
    told = results.manifest["solved"][1]
    assert told["demand"]["gap"] <= 1e-4
    assert told["demand"]["rounds"] >= 1
    assert any("terminals simulated: " in note for note in told["notes"])
    base, wide = (results.of("terminals", name, 2023).sort("stream") for name in ("base", "better"))
    # at these cranes boxes stay away rather than wait; where there is room they come back
    assert wide["trains_day"][1] > 2 * base["trains_day"][1], "boxes"
    flows = results.of("trade_flows", "better", 2023)
    assert flows.height
    gain = ((1 - flows["cost_hat"]) * flows["value_before_usd"]).sum()
    assert gain > 0, "on the whole trade is cheaper"
    grown = ((flows["volume_hat"] - 1) * flows["value_before_usd"]).sum()
    assert grown > 0


def test_an_appraisal_values_yards_as_they_are_simulated(atlas, monkeypatch):
    """With and without an upgrade flows are found with curves of the plans as they then are, each from the base on."""
    seen = []
    monkeypatch.setattr(
        valuer,
        "solve_with_terminals",
        lambda tables, **k: seen.append((tables, k["start"])) or SimpleNamespace(solution=k),
    )
    better = Upgrade(terminals=(GATEWAY,), crane_groups_added=1)
    scenarios = (Scenario("base", "Base", ()), Scenario("better", "Better", (better,)))
    study = Study("Gateway", (2023,), scenarios, "base", size="reduced", terminals="simulated")
    worth = valuer.Valuer(study, atlas, options_of(study, atlas, ("better",)))
    worth.solution(frozenset({"better"}), 2023)
    groups = [
        tables["terminal_resources"].filter(pl.col("id") == f"{GATEWAY}:crane")["count"].item() for tables, _ in seen
    ]
    assert groups == [1, 2]
    assert [start is None for _, start in seen] == [True, False]
