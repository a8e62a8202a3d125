"""The supernetwork, arc by arc, on networks drawn in each docstring (``=`` rail, ``.`` road, ``~`` water)."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import DataError
from landbridge.model import routes
from landbridge.model.network import MODES, ArcKind, Network, build, country_order, keep
from small_supply import ACCESS, EMISSIONS, PARAMETERS, RATES, crossing, link, supply, terminal, yard

BOTH = [1435, 1520]


def steppe(**given: Any) -> Network:
    """The network that most tests use.

    ::

        China, 1435 mm       |      Kazakhstan, 1520 mm                    Azerbaijan, 1520 mm

        cn-a ==r1== cn-gate ==g1== kz-gate ==r2== kz-b ~~ferry~~ az-port
                             ..road..   :         :
          ~~s1~~ xx-sea ~~s2~~~~~~~~~~~~~~~~~~~~~~~~  kz-b

    ``g1`` has both gauges and the crossing ``gate``; the yard is at kz-gate.
    """
    links = [
        link("r1", "cn-a", "cn-gate"),
        link("g1", "cn-gate", "kz-gate", length_km=20.0, country_km="CN:5;KZ:15", gauges_mm=BOTH),
        link("road", "cn-gate", "kz-gate", mode="road", length_km=30.0, country_km="CN:10;KZ:20"),
        link("r2", "kz-gate", "kz-b", gauges_mm=[1520]),
        link("ferry", "kz-b", "az-port", mode="ferry", length_km=200.0, speed_kmh=20.0),
        link("s1", "cn-a", "xx-sea", mode="sea", length_km=300.0),
        link("s2", "xx-sea", "kz-b", mode="sea", length_km=400.0, season_days=110),
    ]
    rest: dict[str, Any] = {
        "crossings": [crossing("gate", "g1"), crossing("gate-road", "road")],
        "gauge_changes": [
            yard("kz-gate", 1435, 1520),
            yard("kz-gate", 1520, 1435),
            yard("kz-gate", 1435, 1520, "bulk"),
        ],
        "terminals": [terminal("kz-b", "rail", "ferry"), terminal("cn-gate", "rail", "road")],
    }
    return build(supply(links, **{**rest, **given}))


def where(net: Network, **wanted: Any) -> np.ndarray:
    """Arcs by the names of their attributes: kind, link, crossing, place, country, direction."""
    mask = np.ones(net.arc_count, np.bool_)
    for name, value in wanted.items():
        if name in ("link", "crossing", "place"):
            index = {"link": net.links, "crossing": net.crossings, "place": net.places}[name].index(value)
            mask &= getattr(net, name) == index
        elif name in ("country", "country_to"):
            mask &= getattr(net, name) == net.countries.index(value)
        elif name == "mode":
            mask &= net.mode == MODES.index(value)
        else:
            mask &= getattr(net, name) == value
    return np.flatnonzero(mask)


def name(net: Network, node: int) -> str:
    """A node as place and state."""
    place = int(net.node_place[node])
    return f"{net.places[place] if place >= 0 else ''}|{net.states[int(net.node_state[node])]}"


def ends(net: Network, arcs: np.ndarray) -> list[tuple[str, str]]:
    return [(name(net, int(net.tail[a])), name(net, int(net.head[a]))) for a in arcs]


def walk(net: Network, start: str, end: str, banned: np.ndarray | None = None, *, box: bool = True) -> list[int] | None:
    """Arcs of the quickest way between two zones."""
    cost = np.where(net.container if box else net.bulk, net.time_h, np.inf)
    if banned is not None:
        cost = np.where(banned, np.inf, cost)
    source, sink = net.zone_source[net.zones.index(start)], net.zone_sink[net.zones.index(end)]
    found = routes.best(net, cost, int(source), int(sink))
    return None if found is None else found.tolist()


# ------------------------------------------------------------------------------------------------- types of arcs


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


@pytest.mark.parametrize(
    ("text", "first", "last", "wanted"),
    [
        ("CN:10;KZ:20", "CN", "KZ", [("CN", 10), ("KZ", 20)]),
        ("KZ:20;CN:10", "CN", "KZ", [("CN", 10), ("KZ", 20)]),
        ("BY:5;RU:10;PL:2", "RU", "PL", [("RU", 10), ("BY", 5), ("PL", 2)]),
        ("KZ:100", "KZ", "KZ", [("KZ", 100)]),
        ("KZ:100;KG:16", "KZ", "KZ", [("KZ", 50), ("KG", 16), ("KZ", 50)]),
        ("KG:16", "KZ", "KZ", [("KZ", 0), ("KG", 16), ("KZ", 0)]),
        ("KZ:7", "CN", "KZ", [("CN", 0), ("KZ", 7)]),
        ("", "CN", "KZ", [("CN", 0), ("KZ", 0)]),
    ],
)
def test_countries_stand_in_the_order_of_travel(
    text: str, first: str, last: str, wanted: list[tuple[str, float]]
) -> None:
    assert country_order(text, first, last) == wanted


@given(
    st.dictionaries(st.sampled_from(["CN", "KZ", "RU", "BY", "KG"]), st.floats(0, 1e4), min_size=1),
    st.sampled_from(["CN", "KZ", "RU"]),
    st.sampled_from(["CN", "KZ", "RU"]),
)
def test_no_kilometre_is_lost_between_countries(km: dict[str, float], first: str, last: str) -> None:
    parts = country_order(";".join(f"{c}:{v!r}" for c, v in km.items()), first, last)
    assert parts[0][0] == first
    assert parts[-1][0] == last
    assert sum(v for _, v in parts) == pytest.approx(sum(km.values()))
    back = country_order(";".join(f"{c}:{v!r}" for c, v in km.items()), last, first)
    assert {c for c, _ in back} == {c for c, _ in parts}


def test_a_link_home_through_a_third_country_has_two_borders_free_where_no_row_prices_them() -> None:
    """kz-a ==(KZ 50 | KG 16 | KZ 50)== kz-b: kilometres and rates by country; borders by their own rows."""
    row = link("strip", "kz-a", "kz-b", country_km="KZ:100;KG:16", length_km=116.0)
    rates = [*RATES, {**RATES[0], "country": "KG", "usd_teu_km": 9.0}]
    net = build(supply([row], rates=rates))
    forth = where(net, kind=ArcKind.MOVE, backward=False)
    assert [net.countries[c] for c in net.country[forth]] == ["KZ", "KG", "KZ"]
    assert net.length_km[forth].tolist() == [50.0, 16.0, 50.0]
    assert net.money_usd_teu[forth[1]] == pytest.approx(16 * 9.0 + 10 * 16 / 116)
    borders = where(net, kind=ArcKind.BORDER)
    assert len(borders) == 4
    assert not net.time_h[borders].any()
    assert (net.crossing[borders] == -1).all()
    path = walk(net, "kz-a", "kz-b")
    assert path is not None
    assert net.length_km[path].sum() == pytest.approx(116.0)
    rows = [
        crossing("in", "strip", country_a="KZ", country_b="KG", processing_ab_h=1.0, processing_ba_h=3.0),
        crossing("out", "strip", country_a="KG", country_b="KZ", processing_ab_h=2.0, processing_ba_h=4.0),
    ]
    for order in (rows, rows[::-1]):
        net = build(supply([row], rates=rates, crossings=order))
        for start, end, wanted in (
            ("kz-a", "kz-b", [("in", 1.0), ("out", 2.0)]),
            ("kz-b", "kz-a", [("out", 4.0), ("in", 3.0)]),
        ):
            path = walk(net, start, end)
            assert path is not None
            met = [(net.crossings[net.crossing[a]], net.time_h[a]) for a in path if net.kind[a] == ArcKind.BORDER]
            assert met == wanted


def test_rows_of_several_borders_are_known_by_their_countries() -> None:
    """cn-a ==(CN | KG | KZ)== kz-b with two crossings, in whatever order their rows stand."""
    row = link("far", "cn-a", "kz-b", country_km="CN:10;KG:20;KZ:30", length_km=60.0)
    rows = [
        crossing("kg-kz", "far", country_a="KG", processing_ab_h=2.0),  # an empty country is that of the link's end
        crossing("cn-kg", "far", country_b="KG", processing_ab_h=1.0),
    ]
    net = build(supply([row], crossings=rows))
    for way in (False, True):
        (arc,) = where(net, kind=ArcKind.BORDER, crossing="cn-kg", backward=way)
        pair = (net.countries[net.country[arc]], net.countries[net.country_to[arc]])
        assert pair == (("KG", "CN") if way else ("CN", "KG"))
    assert net.time_h[where(net, kind=ArcKind.BORDER, backward=False)].tolist() == [1.0, 2.0]
    back = walk(net, "kz-b", "cn-a")
    assert back is not None
    assert [net.crossings[net.crossing[a]] for a in back if net.kind[a] == ArcKind.BORDER] == ["kg-kz", "cn-kg"]
    one = build(supply([row], crossings=rows[:1]))
    borders = where(one, kind=ArcKind.BORDER, backward=False)
    assert one.crossing[borders].tolist() == [-1, 0]  # a border without a row is sealed transit
    assert one.time_h[borders].tolist() == [0.0, 2.0]


# ---------------------------------------------------------------------------------- capacity, preload, waits, rates


def test_availability_scales_capacity_and_preload_together() -> None:
    links = [link("g1", "cn-gate", "kz-gate", country_km="CN:50;KZ:50", availability=0.5)]
    net = build(supply(links, crossings=[crossing("gate", "g1", availability=0.25)]))
    move = net.facility[where(net, kind=ArcKind.MOVE)]
    assert (net.capacity_trains_day[move] == 20.0).all()
    assert (net.preload_trains_day[move] == 5.0).all()
    border = net.facility[where(net, kind=ArcKind.BORDER, backward=False)]
    assert net.capacity_trains_day[border].tolist() == [5.0]
    assert net.preload_trains_day[border].tolist() == [0.5]


def test_without_a_capacity_there_is_no_facility() -> None:
    links = [link("r", "cn-a", "kz-b", country_km="CN:50;KZ:50", capacity_trains_day=None)]
    net = build(supply(links, crossings=[crossing("gate", "r", capacity_ab_trains_day=None)]))
    assert (net.facility[where(net, kind=ArcKind.MOVE)] == -1).all()
    assert net.facility[where(net, kind=ArcKind.BORDER)].tolist() == [-1, 0]


@pytest.mark.parametrize(("days", "wait_h"), [(365, 0.0), (366, 0.0), (110, 255**2 / 730 * 24), (1, 364**2 / 730 * 24)])
def test_a_season_costs_the_mean_wait_for_it(days: int, wait_h: float) -> None:
    """cn-a ~~s~~ kz-b, twice a week: half the headway of 84 hours, and the ice."""
    tables = supply([link("s", "cn-a", "kz-b", mode="sea", season_days=days)])
    net = build(tables)
    waits = where(net, kind=ArcKind.WAIT, link="s")
    assert len(waits) == 2
    assert net.time_h[waits] == pytest.approx(42 + wait_h)
    # the headway's wait is uniform; the season's is zero in it, else uniform over what is left of the closed time
    closed = max(365 - days, 0)
    variance = 84**2 / 12 + (closed / 365 * (closed * 24) ** 2 / 3 - wait_h**2)
    assert net.spread_h[waits] == pytest.approx(variance**0.5)
    in_season = build(tables, season="open")
    assert in_season.time_h[where(in_season, kind=ArcKind.WAIT, link="s")] == pytest.approx(42.0)


def test_a_ship_waits_at_a_port_and_not_at_a_point_at_sea() -> None:
    """cn-a ~~s1~~ xx-sea ~~s2~~ kz-b; only s2 has a season, for which a ship waits at sea."""
    net = steppe()
    path = walk(net, "cn-a", "kz-b", (net.mode != 2) & (net.kind != ArcKind.ACCESS))
    assert path is not None
    waits = [float(net.time_h[a]) for a in path if net.kind[a] == ArcKind.WAIT]
    assert waits == pytest.approx([42.0, 255**2 / 730 * 24])
    assert {net.countries[c] for c in net.country[where(net, kind=ArcKind.MOVE, mode="sea")]} == {"XZ"}


def test_the_service_with_the_longest_match_sets_the_headway() -> None:
    links = [
        link("ferry:kz-b:az-x", "kz-b", "az-x", mode="ferry"),
        link("ferry:kz-b:az-y", "kz-b", "az-y", mode="ferry"),
    ]
    services = [
        {"id": "default", "link": "*", "departures_week": 1.0},
        {"id": "pattern", "link": "ferry:kz-b:*", "departures_week": 2.0},
        {"id": "exact", "link": "ferry:kz-b:az-x", "departures_week": 7.0},
    ]
    net = build(supply(links, services=services))
    assert net.time_h[where(net, kind=ArcKind.WAIT, link="ferry:kz-b:az-x")] == pytest.approx(12.0)
    assert net.time_h[where(net, kind=ArcKind.WAIT, link="ferry:kz-b:az-y")] == pytest.approx(42.0)


def test_departures_of_a_hub_add_up() -> None:
    services = [{"id": str(i), "place": "cn-a", "departures_week": n} for i, n in enumerate((3.0, 4.0))]
    net = build(supply([link("r", "cn-a", "cn-gate")], services=services))
    source = net.zone_source[net.zones.index("cn-a")]
    assert net.time_h[(net.tail == source) & net.container] == pytest.approx(12 + 168 / 7 / 2)


def test_the_more_precise_rate_and_emission_win() -> None:
    rates = [*RATES, {**RATES[0], "country": "KZ", "usd_teu_km": 0.7}]
    emissions = [
        *EMISSIONS,
        {"mode": "rail", "traction": "diesel", "country": "KZ", "co2_g_tkm": 25.0},
        {"mode": "rail", "traction": None, "country": "KZ", "co2_g_tkm": 99.0},
    ]
    row = link("g1", "cn-gate", "kz-gate", country_km="CN:50;KZ:50")
    net = build(supply([row], rates=rates, emissions=emissions))
    china, kazakhstan = (where(net, kind=ArcKind.MOVE, country=c, backward=False) for c in ("CN", "KZ"))
    assert net.money_usd_teu[china] == pytest.approx(50 * 0.5 + 5)
    assert net.money_usd_teu[kazakhstan] == pytest.approx(50 * 0.7 + 5)
    assert net.co2_g_t[china] == pytest.approx(1000.0)
    assert net.co2_g_t[kazakhstan] == pytest.approx(1250.0)


def test_a_factor_of_the_line_wins_and_boxes_emit_what_they_weigh() -> None:
    """20 g a tkm at large and 8 g on one line; a box of 2.5 t emits too unless the factor holds it."""
    emissions = [
        {"mode": "rail", "traction": "diesel", "country": "*", "co2_g_tkm": 20.0, "includes_box": False},
        {"mode": "rail", "traction": "diesel", "country": "*", "line": "new-*", "co2_g_tkm": 8.0, "includes_box": True},
    ]
    rows = [link("r1", "cn-a", "cn-gate"), link("r2", "cn-a", "cn-gate", line="new-line")]
    net = build(supply(rows, emissions=emissions))
    for index, (cargo, box) in enumerate(((2000.0, 5000.0), (800.0, 0.0))):
        arcs = (net.kind == ArcKind.MOVE) & (net.link == index)
        assert net.co2_g_t[arcs] == pytest.approx(cargo)
        assert net.box_co2_g_teu[arcs] == pytest.approx(box)


def test_a_haul_bears_the_fixed_part_of_its_price_once_in_each_country() -> None:
    """cn-a ==(CN 50 | KZ 50)== kz-gate, loaded in China with a fixed part of 40 USD, handed over to Kazakhstan's 60."""
    rates = [
        {**RATES[0], "country": "CN", "start_usd_teu": 40.0, "start_usd_t": 4.0},
        {**RATES[0], "country": "KZ", "start_usd_teu": 60.0},
        *RATES,
    ]
    row = link("g1", "cn-gate", "kz-gate", country_km="CN:50;KZ:50")
    plain, net = (build(supply([row], rates=given, crossings=[crossing("c", "g1")])) for given in (RATES, rates))
    more = net.money_usd_teu - plain.money_usd_teu
    moves = net.kind == ArcKind.MOVE
    home = np.array([net.countries[c] for c in net.country])
    assert more[moves & (home == "CN")] == pytest.approx(20.0)
    assert more[moves & (home == "KZ")] == pytest.approx(30.0)
    loading = (net.kind == ArcKind.ACCESS) & net.container
    assert more[loading & (home == "CN")] == pytest.approx(20.0)
    assert more[loading & (home == "KZ")] == pytest.approx(30.0)
    bulk = net.money_usd_t - plain.money_usd_t
    assert bulk[moves & (home == "CN")] == pytest.approx(2.0)
    assert more[net.kind == ArcKind.BORDER] == pytest.approx(0.0)  # no border fee, but the railways' own price


def test_sealed_transit_is_no_handover() -> None:
    """kz-a ==(KZ 50 | KG 16 | KZ 50)== kz-b without a crossing: nothing starts or ends on the way."""
    rates = [{**RATES[0], "country": "KZ", "start_usd_teu": 60.0}, *RATES]
    row = link("g1", "kz-a", "kz-b", country_km="KZ:100;KG:16")
    plain, net = (build(supply([row], rates=given)) for given in (RATES, rates))
    moves = net.kind == ArcKind.MOVE
    assert net.money_usd_teu[moves] == pytest.approx(plain.money_usd_teu[moves])


def test_a_port_starts_a_haul_by_rail() -> None:
    rates = [{**RATES[0], "country": "KZ", "start_usd_teu": 60.0}, *RATES]
    rows = [link("r", "kz-a", "kz-b"), link("f", "kz-b", "az-port", mode="ferry")]
    tables = {
        "terminals": [terminal("kz-b", "rail", "ferry")],
        "services": [{"id": "s", "link": "f", "departures_week": 7}],
    }
    plain, net = (build(supply(rows, rates=given, **tables)) for given in ([*RATES], rates))
    turned = net.kind == ArcKind.TRANSFER
    assert turned.sum() == 2
    assert (net.money_usd_teu - plain.money_usd_teu)[turned] == pytest.approx(30.0)


# ------------------------------------------------------------------------------------------------------- bad input


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
