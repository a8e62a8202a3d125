"""Capacities, waits, rates and emissions of arcs; see `test_network`."""

from __future__ import annotations

import numpy as np
import pytest

from landbridge.model.network import ArcKind, build
from small_steppe import steppe, walk, where
from small_supply import EMISSIONS, RATES, crossing, link, supply, terminal


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
