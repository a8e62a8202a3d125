"""The supernetwork, arc by arc, on networks drawn in each docstring (``=`` rail, ``.`` road, ``~`` water)."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from landbridge.errors import DataError
from landbridge.model.network import MODES, ArcKind, Network, build, keep
from small_steppe import BOTH, ends, steppe, walk, where
from small_supply import ACCESS, EMISSIONS, PARAMETERS, RATES, crossing, link, supply, terminal, yard


def test_each_type_of_arc_has_the_number_that_the_drawing_says() -> None:
    net = steppe()
    count = Counter(ArcKind(k) for k in net.kind.tolist())
    # r1 2, g1 2 countries x 2 gauges x 2 ways = 8, road 4, r2 2, ferry 2, s1 2, s2 2
    assert count[ArcKind.MOVE] == 22
    assert count[ArcKind.BORDER] == 2 * 2 + 2  # g1 in both gauges, the road
    assert count[ArcKind.GAUGE] == 3
    assert count[ArcKind.TRANSFER] == 2 + 4  # kz-b; cn-gate from either gauge and onto either
    # sailings from kz-b (ferry, sea), az-port, cn-a; the season where s2 leaves the point at sea; stays: road at the
    # two gates, ferry at kz-b and az-port, sea at cn-a and kz-b
    assert count[ArcKind.WAIT] == 4 + 1 + 6
    assert set(count) == set(ArcKind)


def test_arrays_have_one_entry_an_arc_a_node_or_a_facility() -> None:
    net = steppe()
    for field in fields(Network):
        value = getattr(net, field.name)
        if isinstance(value, np.ndarray):
            assert len(value) in (net.arc_count, net.node_count, len(net.delay_h), len(net.zones)), field.name
            assert not (value.dtype == np.float64 and np.isnan(value).any()), field.name
    assert (net.facility[net.facility_arc] == np.arange(len(net.delay_h))).all()
    assert set(net.facility.tolist()) == {-1, *range(len(net.delay_h))}


def test_a_run_has_its_time_price_and_emission() -> None:
    """cn-a ==r1== cn-gate, 100 km at 50 km/h."""
    net = steppe()
    for arc in where(net, link="r1"):
        assert net.length_km[arc] == 100.0
        assert net.time_h[arc] == 2.0
        assert net.spread_h[arc] == pytest.approx(0.2)
        assert net.money_usd_teu[arc] == pytest.approx(100 * 0.5 + 10)
        assert net.money_usd_t[arc] == pytest.approx(100 * 0.03 + 1)
        assert net.money_empty_usd_teu[arc] == pytest.approx((100 * 0.5 + 10) * 0.5)
        assert net.co2_g_t[arc] == pytest.approx(2000.0)
        assert net.gauge_mm[arc] == 1435
        facility = net.facility[arc]
        assert net.delay_h[facility] == pytest.approx(2.0)
        assert net.power[facility] == 4.0
        assert (net.capacity_trains_day[facility], net.preload_trains_day[facility]) == (40.0, 10.0)
    assert net.facility[where(net, link="r1", backward=False)] != net.facility[where(net, link="r1", backward=True)]


def test_charges_are_paid_by_the_loaded_and_count_by_use_and_by_km() -> None:
    """cn-gate ==g1== kz-gate: 5 km in China, 15 km in Kazakhstan; what is paid for each use is shared by km."""
    charged = link(
        "g1", "cn-gate", "kz-gate", length_km=20.0, country_km="CN:5;KZ:15", charge_usd_teu=40.0, charge_usd_t=8.0,
        charge_usd_teu_km=2.0, charge_usd_t_km=0.2,
    )  # fmt: skip
    net = build(supply([charged]))
    free = build(supply([{**charged, **{n: 0.0 for n in charged if n.startswith("charge")}}]))
    move = where(net, kind=ArcKind.MOVE, backward=False)
    assert (net.money_usd_teu - free.money_usd_teu)[move] == pytest.approx([10 + 2 * 5, 30 + 2 * 15])
    assert (net.money_usd_t - free.money_usd_t)[move] == pytest.approx([2 + 0.2 * 5, 6 + 0.2 * 15])
    assert net.money_empty_usd_teu[move] == pytest.approx(free.money_empty_usd_teu[move])


def test_kilometres_of_a_link_add_up_to_its_length_by_gauge_and_direction() -> None:
    """The kilometres by country are those of the drawn line; the length in use scales them."""
    row = link("g1", "cn-gate", "kz-gate", length_km=25.0, country_km="KZ:15;CN:5", gauges_mm=BOTH)
    net = build(supply([row]))
    for gauge in BOTH:
        for backward in (False, True):
            arcs = where(net, kind=ArcKind.MOVE, gauge_mm=gauge, backward=backward)
            assert net.length_km[arcs].sum() == pytest.approx(25.0)
            order = [net.countries[c] for c in net.country[arcs]]
            assert order == (["KZ", "CN"] if backward else ["CN", "KZ"])
    assert net.length_km[where(net, kind=ArcKind.MOVE, country="KZ")] == pytest.approx(18.75)


def test_a_border_has_each_direction_s_own_hours_price_and_capacity() -> None:
    net = steppe()
    for backward, way in ((False, "ab"), (True, "ba")):
        given_row = crossing("gate", "g1")
        arcs = where(net, kind=ArcKind.BORDER, crossing="gate", backward=backward)
        assert len(arcs) == 2
        assert (net.time_h[arcs] == given_row[f"processing_{way}_h"]).all()
        assert (net.spread_h[arcs] == given_row[f"spread_{way}_h"]).all()
        assert (net.money_usd_teu[arcs] == given_row[f"cost_{way}_usd_teu"]).all()
        assert (net.money_usd_t[arcs] == given_row[f"cost_{way}_usd_t"]).all()
        assert {net.countries[c] for c in net.country[arcs]} == {"KZ" if backward else "CN"}
        assert {net.countries[c] for c in net.country_to[arcs]} == {"CN" if backward else "KZ"}
        facility = net.facility[arcs[0]]
        assert net.capacity_trains_day[facility] == given_row[f"capacity_{way}_trains_day"]
        assert net.preload_trains_day[facility] == given_row[f"preload_{way}_trains_day"]
        assert net.delay_h[facility] == given_row[f"waiting_{way}_h"]
        assert net.power[facility] == 3.0


def test_opening_hours_and_inspections_lengthen_a_border_and_widen_its_spread() -> None:
    """Open on five days of the week, one consignment in ten from a to b opened for a day; no spread is measured."""
    stages = {"open_days_week": 5, "inspection_share_ab": 0.1, "spread_ab_h": None}
    net = steppe(crossings=[crossing("gate", "g1", **stages, spread_ba_h=None), crossing("gate-road", "road")])
    weekend_h, weekend_h2 = 48.0**2 / (2 * 168), 48.0**3 / (3 * 168)
    for backward, share, work_h, queue_h in ((False, 0.1, 6.0, 12.0), (True, 0.0, 5.0, 11.0)):
        arc = where(net, kind=ArcKind.BORDER, crossing="gate", backward=backward)[0]
        assert net.time_h[arc] == pytest.approx(work_h + share * 24 + weekend_h)
        drawn = share * (1 - share) * 24**2 + weekend_h2 - weekend_h**2
        assert net.spread_h[arc] == pytest.approx(((0.4 * work_h) ** 2 + drawn + (0.2 * queue_h) ** 2) ** 0.5)


def test_a_yard_takes_its_work_and_its_wait() -> None:
    net = steppe(gauge_changes=[yard("kz-gate", 1435, 1520, work_h=2.0, yard_h=5.0)])
    (arc,) = where(net, kind=ArcKind.GAUGE)
    assert net.time_h[arc] == 7.0
    assert net.spread_h[arc] == 0.5 * 7.0
    assert net.delay_h[net.facility[arc]] == 0.5 * 7.0


def test_both_gauges_of_a_crossing_share_one_facility_in_each_direction() -> None:
    net = steppe()
    shared = {
        way: set(net.facility[where(net, kind=ArcKind.BORDER, crossing="gate", backward=way)].tolist())
        for way in (False, True)
    }
    assert all(len(found) == 1 for found in shared.values())
    assert shared[False] != shared[True]
    # the tracks of the two gauges are apart
    runs = where(net, kind=ArcKind.MOVE, link="g1")
    assert len(set(net.facility[runs].tolist())) == len(runs)


def test_a_border_without_a_row_is_crossed_free_and_without_limit() -> None:
    net = steppe(crossings=[])
    arcs = where(net, kind=ArcKind.BORDER)
    assert len(arcs) == 6
    assert not net.time_h[arcs].any()
    assert (net.facility[arcs] == -1).all()
    assert (net.crossing[arcs] == -1).all()


def test_a_transfer_takes_half_of_the_terminal_each_way() -> None:
    limited = terminal("cn-gate", "rail", "road", capacity_teu_yr=730_000)
    bulk = terminal("cn-gate", "rail", "road", "bulk", capacity_t_yr=6_570_000)
    net = steppe(terminals=[limited, bulk])
    boxes = where(net, kind=ArcKind.TRANSFER, container=True)
    # cn-gate has rail of both gauges: onto the truck from either, from the truck onto either
    assert Counter(MODES[m] for m in net.mode[boxes]) == {"road": 2, "rail": 2}
    for mode in ("road", "rail"):
        arcs = where(net, kind=ArcKind.TRANSFER, container=True, mode=mode)
        assert len(set(net.facility[arcs].tolist())) == 1
        assert net.capacity_trains_day[net.facility[arcs[0]]] == pytest.approx(730_000 / 365 / 100 / 2)
        assert net.delay_h[net.facility[arcs[0]]] == pytest.approx(0.5 * 5.0)
        assert net.power[net.facility[arcs[0]]] == 2.0
    tonnes = where(net, kind=ArcKind.TRANSFER, bulk=True)
    assert net.capacity_trains_day[net.facility[tonnes]] == pytest.approx(6_570_000 / 365 / 3000 / 2)
    assert not net.container[tonnes].any()
    assert not net.bulk[boxes].any()
    assert (net.money_usd_teu[boxes] == 30.0).all()
    assert (net.money_usd_t[tonnes] == 3.0).all()


def test_a_yard_serves_one_form_of_cargo_in_one_direction() -> None:
    net = steppe()
    box = where(net, kind=ArcKind.GAUGE, container=True)
    assert ends(net, box) == [
        ("kz-gate|rail:1435", "kz-gate|rail:1520"),
        ("kz-gate|rail:1520", "kz-gate|rail:1435"),
    ]
    assert net.gauge_mm[box].tolist() == [1520, 1435]
    assert (net.money_usd_teu[box] == 90.0).all()
    assert (net.time_h[box] == 8.0).all()
    assert len(set(net.facility[box].tolist())) == 2
    assert ends(net, where(net, kind=ArcKind.GAUGE, bulk=True)) == [("kz-gate|rail:1435", "kz-gate|rail:1520")]
    assert walk(net, "cn-a", "kz-b", box=False) is not None
    back = walk(net, "kz-b", "cn-a", np.isin(net.mode, [2, 3]) & (net.kind != ArcKind.ACCESS), box=False)
    assert back is None  # bulk has no way back through this yard


def test_a_yard_whose_tracks_are_not_there_makes_no_arc() -> None:
    net = steppe(gauge_changes=[yard("cn-a", 1435, 1520), yard("kz-b", 1520, 1435)])
    assert len(where(net, kind=ArcKind.GAUGE)) == 0


def test_terminals_without_one_of_their_modes_make_no_arc() -> None:
    net = steppe(terminals=[terminal("cn-a", "rail", "road"), terminal("kz-b", "rail", "road")])
    assert len(where(net, kind=ArcKind.TRANSFER)) == 0


def test_access_leaves_the_source_and_enters_the_sink_only() -> None:
    net = steppe()
    assert not np.isin(net.head, net.zone_source).any()
    assert not np.isin(net.tail, net.zone_sink).any()
    for z, zone in enumerate(net.zones):
        out = np.flatnonzero(net.tail == net.zone_source[z])
        into = np.flatnonzero(net.head == net.zone_sink[z])
        assert {net.places[p] for p in [*net.place[out], *net.place[into]]} <= {zone}
        assert bool(len(out)) == (zone != "az-port")  # the access table knows no ferry
        # what leaves departs, what comes arrives
        assert all(e.endswith(">") or "|rail" in e for _, e in ends(net, out))
        assert not any(s.endswith(">") for s, _ in ends(net, into))


def test_loading_a_box_on_a_train_waits_half_a_headway_and_bulk_or_unloading_does_not() -> None:
    net = steppe(services=[{"id": "hub", "place": "cn-a", "departures_week": 4.0}, {"link": "*", "departures_week": 2}])

    def hours(zone: str, cargo: str, *, loading: bool) -> float:
        end = (net.zone_source if loading else net.zone_sink)[net.zones.index(zone)]
        side = net.tail if loading else net.head
        found = net.time_h[(side == end) & getattr(net, cargo) & (net.mode == MODES.index("rail"))]
        return float(found[0])

    assert hours("cn-a", "container", loading=True) == pytest.approx(12 + 168 / 4 / 2)
    assert hours("kz-gate", "container", loading=True) == pytest.approx(12 + 84 / 2)
    assert hours("cn-a", "container", loading=False) == 12.0
    assert hours("cn-a", "bulk", loading=True) == 14.0


def test_a_zone_whose_place_has_no_arc_has_no_nodes() -> None:
    zones = [{"id": "lost", "place": "kg-lost"}, {"id": "there", "place": "cn-a"}]
    net = build(supply([link("r1", "cn-a", "cn-gate")], zones=zones))
    assert net.zone_source.tolist()[0] == net.zone_sink.tolist()[0] == -1
    assert net.zone_source[1] >= 0


# ------------------------------------------------------------------------------------------------ gauge as state


def test_gauge_is_not_changed_without_a_gauge_arc() -> None:
    """By rail from cn-a to kz-b the yard at kz-gate is the only way; without it there is none."""
    net = steppe()
    only_rail = (net.mode != 0) & (net.kind != ArcKind.ACCESS)
    path = walk(net, "cn-a", "kz-b", only_rail)
    assert path is not None
    assert [int(net.kind[a]) for a in path].count(ArcKind.GAUGE) == 1
    assert walk(net, "cn-a", "kz-b", only_rail | (net.kind == ArcKind.GAUGE)) is None
    rail = np.array([s.startswith("rail:") for s in net.states])[net.node_state]
    change = rail[net.tail] & rail[net.head] & (net.node_state[net.tail] != net.node_state[net.head])
    assert (net.kind[change] == ArcKind.GAUGE).all()
    assert change.sum() == 3


def test_a_terminal_is_no_shortcut_between_gauges() -> None:
    """A train's cargo may go onto a truck at kz-gate, but must drive before it boards a train of the other gauge.

    ::

        cn-gate ==1435== kz-gate ==1520== kz-b        no yard; a terminal rail-road at kz-gate and at kz-b
                            :....road2......:
    """
    links = [
        link("g", "cn-gate", "kz-gate", country_km="CN:50;KZ:50"),
        link("r2", "kz-gate", "kz-b", gauges_mm=[1520]),
        link("road2", "kz-gate", "kz-b", mode="road"),
    ]
    terminals = [terminal("kz-gate", "rail", "road"), terminal("kz-b", "rail", "road")]
    net = build(supply(links, terminals=terminals))
    path = walk(net, "cn-gate", "kz-b")
    assert path is not None
    assert net.links.index("road2") in net.link[path]
    assert net.links.index("r2") not in net.link[path]
    drive = (net.kind == ArcKind.MOVE) & (net.mode == MODES.index("road"))
    assert walk(net, "cn-gate", "kz-b", drive) is None


def test_a_transfer_at_a_place_without_road_leads_nowhere() -> None:
    net = build(
        supply(
            [
                link("g", "cn-gate", "kz-gate", country_km="CN:50;KZ:50"),
                link("r2", "kz-gate", "kz-b", gauges_mm=[1520]),
            ],
            terminals=[terminal("kz-gate", "rail", "road")],
        )
    )
    assert walk(net, "cn-gate", "kz-b") is None


def test_what_arrives_by_road_departs_by_road_without_time() -> None:
    """cn-a ..x.. cn-gate ..y.. kz-b: a truck drives through."""
    links = [
        link("x", "cn-a", "cn-gate", mode="road"),
        link("y", "cn-gate", "kz-b", mode="road", country_km="CN:40;KZ:60"),
    ]
    net = build(supply(links))
    path = walk(net, "cn-a", "kz-b")
    assert path is not None
    stay = [a for a in path if net.kind[a] == ArcKind.WAIT]
    assert len(stay) == 1
    assert net.time_h[stay[0]] == 0.0


def test_finland_s_gauge_and_russia_s_are_one_state() -> None:
    links = [link("a", "cn-a", "cn-gate", gauges_mm=[1524]), link("b", "cn-gate", "cn-c", gauges_mm=[1520])]
    net = build(supply(links))
    assert [s for s in net.states if s.startswith("rail")] == ["rail:1520"]
    assert walk(net, "cn-a", "cn-c") is not None
    assert set(net.gauge_mm[where(net, kind=ArcKind.MOVE)].tolist()) == {1520, 1524}


# ------------------------------------------------------------------------------------------- countries of a link


def test_everything_that_is_missing_is_told_at_once() -> None:
    links = [
        link("r", "cn-a", "kz-b", country_km="CN:50;KZ:50", traction="electric"),
        link("x", "cn-a", "kz-b", mode="road", country_km="CN:50;KZ:50"),
        link("f", "kz-b", "az-port", mode="ferry"),
        link("slow", "cn-a", "cn-c", speed_kmh=0.0, line="snail"),
    ]
    parameters = {k: v for k, v in PARAMETERS.items() if k not in ("spread-rail", "delay-line-beta")}
    with pytest.raises(DataError) as caught:
        build(
            supply(
                links,
                rates=[{**RATES[0], "country": "CN"}, RATES[1]],
                emissions=EMISSIONS[:1],
                services=[],
                parameters=parameters,
            )
        )
    faults = {(fault.where, fault.row) for fault in caught.value.faults}
    assert faults == {
        ("rates.csv", "KZ rail"),
        ("emissions.csv", "rail electric CN"),
        ("emissions.csv", "road none CN"),
        ("emissions.csv", "road none KZ"),
        ("services.csv", "f"),
        ("lines.csv", "snail"),
        ("parameters.csv", "spread-rail"),
        ("parameters.csv", "delay-line-beta"),
    }
    assert len(caught.value.faults) == len(faults)


@pytest.mark.parametrize(
    "rows", [[crossing("odd", "g", country_b="RU")], [crossing("odd", "g"), crossing("again", "g")]]
)
def test_a_crossing_that_is_no_border_of_its_link_is_told(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(DataError, match="a border of g of its own \\(CN-KZ\\)"):
        build(supply([link("g", "cn-gate", "kz-gate", country_km="CN:50;KZ:50")], crossings=rows))


def test_a_season_is_mean_or_open() -> None:
    with pytest.raises(ValueError, match="wanted mean or open"):
        build(supply([link("r", "cn-a", "cn-gate")]), season="winter")


# ------------------------------------------------------------------------------------------------- parts of networks


def test_a_part_of_a_network_keeps_nodes_and_facilities_and_is_stable() -> None:
    net = steppe()
    chosen = net.mode == 0
    part = keep(net, chosen)
    assert part.arc_count == chosen.sum()
    assert (part.time_h == net.time_h[chosen]).all()
    assert part.node_count == net.node_count
    assert (part.delay_h == net.delay_h).all()
    again = keep(part, np.ones(part.arc_count, np.bool_))
    for one in (part, again):
        there = one.facility_arc >= 0
        assert (one.facility[one.facility_arc[there]] == np.flatnonzero(there)).all()
        assert not np.isin(np.flatnonzero(~there), one.facility).any()
    nothing = keep(net, np.zeros(net.arc_count, np.bool_))
    assert nothing.arc_count == 0
    assert (keep(nothing, np.zeros(0, np.bool_)).facility_arc == -1).all()


def test_access_covers_the_modes_it_lists() -> None:
    """Rows of the access table hold for every place; a mode without a row cannot be boarded from a zone."""
    net = steppe(access=[row for row in ACCESS if row["mode"] == "rail"])
    assert {MODES[m] for m in net.mode[where(net, kind=ArcKind.ACCESS)]} == {"rail"}
