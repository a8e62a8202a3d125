"""What hangs on the cargo: operators, sanctions, premiums, insurance, empty boxes; and legs that say who pays what."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, UnknownName
from landbridge.model import routes
from landbridge.model.network import ArcKind
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Charge, Measure, Sanction, Subsidise
from landbridge.study.asking import Answer, ask
from landbridge.study.cargo import cargo_rules, entering
from landbridge.study.questions import conditions, question
from landbridge.study.routing import NamedRoute, RouteFinder
from landbridge.study.skimming import places_of, skim_table
from small_run import small_tables

HELD = frozenset({"cku"})


@cache
def _asked(start: str, end: str, measures: tuple[Measure, ...], given: tuple[tuple[str, Any], ...]) -> Answer:
    tables = small_tables()
    return ask(tables, question(tables, start, end, **dict(given)), year=2023, measures=measures, held=HELD)


def asked(start: str, end: str, *measures: Measure, **given: Any) -> Answer:
    return _asked(start, end, measures, tuple((k, tuple(v) if isinstance(v, list) else v) for k, v in given.items()))


@pytest.fixture(scope="module")
def atlas() -> Tables:
    return small_tables()


# ------------------------------------------------------------------------------------------------------- operators


def test_an_operator_that_is_avoided_runs_no_leg() -> None:
    free = asked("Chongqing", "Duisburg", modes=["rail"], count=1).routes[0]
    assert "ru-rzd" in {operator for leg in free.legs for operator in leg.operators}
    found = asked("Chongqing", "Duisburg", avoid=["ru-rzd"])
    for route in found.routes:
        assert "ru-rzd" not in {operator for leg in route.legs for operator in leg.operators}
    (effect,) = found.effects
    assert (effect.kind, effect.name) == ("operator", "ru-rzd")
    assert effect.generalised_usd is not None
    assert effect.generalised_usd > 0


# ------------------------------------------------------------------------------------------------------- sanctions


def test_an_embargo_forbids_its_goods_and_no_others() -> None:
    embargo = Sanction(exporter="CHN", importer="RUS", commodity="machinery_transport", share=0.0)
    found = asked("Harbin", "Moscow", embargo)
    assert found.status == "no route"
    (blocker,) = found.blocked_by
    assert (blocker.kind, blocker.detail) == ("sanction", "the trade itself is forbidden")
    assert asked("Harbin", "Moscow", embargo, commodity="food_box").status == "found"
    assert asked("Moscow", "Harbin", embargo).status == "found"
    assert asked("Harbin", "Almaty", embargo).status == "found"


def test_goods_of_a_flag_go_around_a_barred_country() -> None:
    rule = Sanction(exporter="eu", importer="CHN", commodity="*", barred_countries=("RU",), both_ways=True)
    for start, end in (("Duisburg", "Chongqing"), ("Chongqing", "Duisburg")):
        found = asked(start, end, rule)
        assert all("RU" not in route.countries for route in found.routes)
        (effect,) = found.effects
        assert effect.kind == "sanction"
        assert effect.generalised_usd is not None
        assert effect.generalised_usd > 0
    one_way = replace(rule, both_ways=False)
    assert "RU" in asked("Chongqing", "Duisburg", one_way).routes[0].countries
    by_ban = asked("Chongqing", "Duisburg", avoid=["RU"], count=1).routes[0]
    by_rule = asked("Chongqing", "Duisburg", rule, count=1).routes[0]
    assert by_rule.generalised_usd == pytest.approx(by_ban.generalised_usd)


def test_rules_that_leave_some_trade_bar_nothing(atlas: Tables) -> None:
    ends = {"start": "cn-harbin", "end": "ru-moscow", "commodity": "machinery_box", "year": 2023}
    assert cargo_rules(atlas, (Sanction(importer="RUS", share=0.5, friction_pct=8.0),), **ends) == ()
    # a country where the goods end is not passed
    assert cargo_rules(atlas, (Sanction(importer="RUS", barred_countries=("RU",)),), **ends) == ()
    (rule,) = cargo_rules(atlas, (Sanction(importer="RUS", barred_operators=("ru-rzd",)),), **ends)
    assert rule.operators == ("ru-rzd",)
    found = asked("Harbin", "Moscow", Sanction(importer="RUS", barred_operators=("ru-rzd",)), modes=["rail"])
    assert found.status == "no route"
    assert {blocker.kind for blocker in found.blocked_by} >= {"sanction"}


# -------------------------------------------------------------------------------------------------------- premiums


def test_a_premium_is_a_penalty_and_no_ban() -> None:
    """Small, it is paid and changes no price; large, the way around is taken; it never shuts the last way."""
    free = asked("Chongqing", "Duisburg", count=1).routes[0]
    small = asked("Chongqing", "Duisburg", premiums=["RU=0.01"], count=1)
    first = small.routes[0]
    assert first.cost_usd == pytest.approx(free.cost_usd)
    value = 11_075 * 14  # a 40-foot box of machinery
    assert first.generalised_usd - free.generalised_usd == pytest.approx(value * 0.0001)
    (effect,) = small.effects
    assert (effect.kind, effect.generalised_usd) == ("premium", pytest.approx(value * 0.0001))
    large = asked("Chongqing", "Duisburg", premiums=["RU=20"], count=1)
    assert "RU" not in large.routes[0].countries
    assert asked("Harbin", "Moscow", premiums=["RU=90"]).status == "found"


def test_goods_enter_a_country_once_whichever_way_they_come(atlas: Tables) -> None:
    finder = RouteFinder(apply(atlas, (), 2023, held=HELD).tables, ["cn-chongqing", "de-duisburg", "nl-rotterdam"])
    for country in ("KZ", "DE", "CN"):
        into = entering(finder.network, country)
        for end in ("de-duisburg", "nl-rotterdam"):
            for route in finder.find("cn-chongqing", end, commodity=finder.commodity("machinery_box"), count=4):
                arcs = routes.best(
                    finder.network,
                    finder.cost(finder.commodity("machinery_box")),
                    int(finder.network.zone_source[finder.zone["cn-chongqing"]]),
                    int(finder.network.zone_sink[finder.zone[end]]),
                )
                assert arcs is not None
                runs = finder.network.country[arcs[finder.network.kind[arcs] == ArcKind.MOVE]]
                there = finder.network.countries.index(country) in runs
                assert int(into[arcs].sum()) == int(there)
                assert route.countries[0] == "CN"


# ---------------------------------------------------------------------------------------- insurance, boxes, payers


def test_insurance_and_an_own_box_are_legs_of_their_own() -> None:
    plain = asked("Chongqing", "Duisburg", count=2)
    found = asked("Chongqing", "Duisburg", count=2, insurance_pct=0.2, own_box=True)
    for route, bare in zip(found.routes, plain.routes, strict=True):
        *rest, empty, insured = route.legs
        assert [leg.type for leg in (empty, insured)] == ["empty return", "insurance"]
        assert not {leg.type for leg in rest} & {"empty return", "insurance"}
        assert insured.cost_usd == pytest.approx(0.002 * 11_075 * 14)
        assert 0 < empty.cost_usd < bare.cost_usd
        assert (empty.from_place, empty.to_place) == ("de-duisburg", "cn-chongqing")
        assert route.cost_usd == pytest.approx(sum(leg.cost_usd for leg in route.legs), abs=0.005)
        assert route.cost_usd == pytest.approx(bare.cost_usd + empty.cost_usd + insured.cost_usd, abs=0.005)
        assert route.co2_kg == pytest.approx(sum(leg.co2_kg for leg in route.legs), abs=0.005)
        assert route.time_h == bare.time_h
    bulk = asked("Astana", "Urumqi", commodity="grain_bulk", own_box=True, count=1).routes[0]
    assert "empty return" not in {leg.type for leg in bulk.legs}


def test_tariffs_fees_and_subsidies_stand_apart() -> None:
    paid = asked(
        "Chongqing",
        "Duisburg",
        Subsidise(countries=("CN",), modes=("rail",), usd_teu_km=0.05, payer="CN"),
        Charge(crossings=("khorgos-altynkol",), usd_teu=10.0, payee="KZ"),
        modes=["rail"],
        only_borders=["khorgos-altynkol", "KZ-RU", "RU-BY", "BY-PL", "PL-DE"],
        count=1,
    ).routes[0]
    for leg in paid.legs:
        assert leg.cost_usd == pytest.approx(leg.tariff_usd + leg.fee_usd - leg.subsidy_usd, abs=0.005)
        assert leg.payer == "shipper"
        if leg.cost_usd:
            assert leg.basis, leg
            assert leg.price_year is None or 2000 <= leg.price_year <= 2030
    home = [leg for leg in paid.legs if leg.type == "move" and leg.country == "CN"]
    assert all(leg.subsidy_by == ("CN",) for leg in home)
    # on a link over the border the amount is dealt out over all of it
    assert paid.subsidy_usd == pytest.approx(0.05 * 2 * sum(leg.length_km for leg in home))
    assert paid.subsidy_usd == pytest.approx(sum(leg.subsidy_usd for leg in paid.legs))
    (gate,) = [leg for leg in paid.legs if leg.crossing == "khorgos-altynkol"]
    free = asked("Chongqing", "Almaty", only_borders=["khorgos-altynkol"], modes=["rail"], count=1).routes[0]
    (before,) = [leg for leg in free.legs if leg.crossing == "khorgos-altynkol"]
    assert gate.fee_usd - before.fee_usd == pytest.approx(20.0)


def test_a_premium_that_makes_no_sense_is_told(atlas: Tables) -> None:
    for text in ("RU", "RU=", "RU=-1", "RU=101", "RU=x"):
        with pytest.raises(LandbridgeError, match="premium: wanted a country and per cent"):
            question(atlas, "Xi'an", "Almaty", premiums=[text])
    with pytest.raises(UnknownName, match="unknown country 'Rusia'; did you mean Russia"):
        question(atlas, "Xi'an", "Almaty", premiums=["Rusia=1"])


# ------------------------------------------------------------------------------------- the atlas' grants and premiums

GRANTS = {"country": "CN", "payer": "a province", "place": None, "direction": ["export"], "partners": "europe"}


def granted(start: str, end: str, year: int, *rows: dict[str, Any]) -> NamedRoute:
    tables = small_tables()
    width = {"year_to": None, "usd_teu": None, "cap_share_pct": None, "note": None, **GRANTS}
    frame = pl.DataFrame([{**width, **row} for row in rows], schema=tables["subsidies"].schema)
    asked = question(tables, start, end, modes=["rail"], count=1)
    return ask(tables.replace(subsidies=frame), asked, year=year, held=HELD).routes[0]


def test_grants_are_told_beside_a_gross_price() -> None:
    mean = {"id": "mean", "year_from": 2018, "year_to": 2018, "usd_teu": 300.0, "cap_share_pct": 90.0}
    cap = {"id": "cap", "year_from": 2019, "year_to": 2019, "cap_share_pct": 25.0}
    silent = {"id": "silent", "year_from": 2020}
    routes_of = {year: granted("Chongqing", "Duisburg", year, mean, cap, silent) for year in (2018, 2019, 2020)}
    for route in routes_of.values():
        assert route.cost_usd == pytest.approx(sum(leg.cost_usd for leg in route.legs), abs=0.005)
        freight = sum(leg.tariff_usd for leg in route.legs if (leg.type, leg.mode) == ("move", "rail"))
        for leg in route.legs:
            assert leg.cost_usd == pytest.approx(leg.tariff_usd + leg.fee_usd, abs=0.005)  # nothing is taken off
            assert leg.grant_by == (("a province",) if (leg.type, leg.mode) == ("move", "rail") else ())
    told = {year: route.grants[0] for year, route in routes_of.items()}
    assert {year: (g.row, g.usd, g.known) for year, g in told.items()} == {
        2018: ("subsidies mean", 600.0, "mean"),
        2019: ("subsidies cap", pytest.approx(0.25 * freight), "at most"),
        2020: ("subsidies silent", None, "not published"),
    }
    for year in (2018, 2019):
        assert sum(leg.grant_usd or 0.0 for leg in routes_of[year].legs) == pytest.approx(told[year].usd)
    assert all(leg.grant_usd is None for leg in routes_of[2020].legs if leg.grant_by)


def test_grants_go_to_trains_over_the_border_to_the_partners_in_their_years() -> None:
    row = {"id": "one", "year_from": 2018, "year_to": 2018, "usd_teu": 300.0}
    assert granted("Chongqing", "Duisburg", 2018, row).grants
    assert not granted("Chongqing", "Duisburg", 2019, row).grants
    assert not granted("Duisburg", "Chongqing", 2018, row).grants  # exports only
    assert not granted("Chongqing", "Almaty", 2018, row).grants  # no partner
    assert not granted("Chongqing", "Urumqi", 2018, row).grants  # at home
    assert not granted("Chongqing", "Duisburg", 2018, row | {"place": "cn-xian"}).grants
    tables = small_tables()
    sea = question(tables, "Shanghai", "Rotterdam", modes=["sea", "rail", "road"], only_borders=["PL-DE"], count=1)
    frame = pl.DataFrame([{"year_to": None, "cap_share_pct": None, "note": None, **GRANTS, **row}],
                         schema=tables["subsidies"].schema)  # fmt: skip
    assert not ask(tables.replace(subsidies=frame), sea, year=2018, held=HELD).routes[0].grants


def test_premiums_of_the_atlas_count_where_they_are_per_cent_of_the_goods() -> None:
    tables = small_tables()
    base = {"links": None, "goods": "*", "of": "cargo", "year_from": 2022, "year_to": None, "note": None,
            "pct_low": None, "pct_high": None, "country": "RU"}  # fmt: skip
    rows = [{**base, "id": "land", "pct": 0.5}, {**base, "id": "silent", "pct": None},
            {**base, "id": "ship", "pct": 9.0, "of": "hull"}, {**base, "id": "later", "pct": 9.0, "year_from": 2024},
            {**base, "id": "oil", "pct": 9.0, "goods": "fuels"}]  # fmt: skip
    told = tables.replace(premiums=pl.DataFrame(rows, schema=tables["premiums"].schema))
    given: dict[str, Any] = {"only_borders": ["khorgos-altynkol", "KZ-RU", "RU-BY", "BY-PL", "PL-DE"], "count": 1}
    bare = ask(told, question(told, "Chongqing", "Duisburg", **given), year=2023, held=HELD)
    full = ask(told, question(told, "Chongqing", "Duisburg", premiums=["atlas"], **given), year=2023, held=HELD)
    one, other = bare.routes[0], full.routes[0]
    value = float(tables["commodities"].filter(pl.col("id") == "machinery_box")["value_usd_t"].item())
    tonnes = 2 * float(tables["commodities"].filter(pl.col("id") == "machinery_box")["t_per_teu"].item())
    assert other.generalised_usd - one.generalised_usd == pytest.approx(0.005 * value * tonnes)
    assert other.cost_usd == one.cost_usd  # a penalty in the choice, no price
    notes = {effect.name: effect.note for effect in full.effects if effect.kind == "premium"}
    assert notes == {
        "land 0.5 %": "",
        "silent": "not counted: asked for, at a rate that is not published",
        "ship": "not counted: per cent of the ship's value",
    }
    assert not any(effect.kind == "premium" for effect in bare.effects)


# ---------------------------------------------------------------------------------------------- there and back, skims


def test_against_the_arcs_of_the_atlas_the_answer_is_the_same_backwards(atlas: Tables) -> None:
    pairs = [("cn-chongqing", "de-duisburg"), ("cn-kashgar", "uz-tashkent"), ("kz-almaty", "tr-mersin")]
    finder = RouteFinder(apply(atlas, (), 2023, held=HELD).tables, [place for pair in pairs for place in pair])
    net, commodity = finder.network, finder.commodity("machinery_box")
    cost = finder.cost(commodity)
    rows = routes.criteria(net, finder.price(commodity), finder.time_h, net.co2_g_t)
    values = np.stack([np.where(np.isfinite(cost), rows[name], np.inf) for name in ("time", "cost", "co2")])
    turned = replace(net, tail=net.head, head=net.tail)
    for start, end in pairs:
        source, sink = int(net.zone_source[finder.zone[start]]), int(net.zone_sink[finder.zone[end]])
        there = routes.best(net, cost, source, sink)
        back = routes.best(turned, cost, sink, source)
        assert there is not None
        assert back is not None
        assert cost[there].sum() == pytest.approx(cost[back].sum(), rel=1e-12)
        front, rear = (routes.efficient(n, values, a, b) for n, a, b in ((net, source, sink), (turned, sink, source)))
        np.testing.assert_allclose(front.values, rear.values, rtol=1e-9)


def test_a_skim_holds_what_single_questions_find(atlas: Tables) -> None:
    starts, ends = places_of(atlas, ["CNCKG", "Xi'an"]), places_of(atlas, ["DEDUI", "Almaty", "cn-xian"])
    assert starts[0] == "cn-chongqing"
    terms = conditions(atlas, starts[0], ends[0], avoid=["RU"])
    table = skim_table(atlas, starts, ends, terms, year=2023, held=HELD)
    assert table["status"].to_list() == ["found"] * 5 + ["same place"]
    assert table.filter(pl.col("status") == "same place")["time_h"].to_list() == [None]
    for row in table.filter(pl.col("status") == "found").to_dicts():
        (route,) = asked(row["from"], row["to"], avoid=["RU"], count=1).routes
        for name in ("time_h", "cost_usd", "generalised_usd", "co2_kg", "length_km", "risk"):
            assert row[name] == pytest.approx(getattr(route, name)), name
        assert row["borders"] == len(route.borders)
        assert row["gauge_changes"] == route.gauge_changes
    fastest = skim_table(atlas, starts, ends, terms, year=2023, held=HELD, by="time")
    assert (fastest["time_h"] <= table["time_h"] + 1e-9).sum() == 5
    assert places_of(atlas, ["KZ"]) == [place for place in places_of(atlas, ["zones"]) if place.startswith("kz-")]
    with pytest.raises(UnknownName, match="unknown country with zones 'XX'"):
        places_of(atlas, ["XX"])
    with pytest.raises(UnknownName, match="unknown objective 'speed'"):
        skim_table(atlas, starts, ends, terms, year=2023, by="speed")
