"""What tied rows disagree on, and sizes and words that cannot be right: one planted fault a test."""

from __future__ import annotations

import shutil
from dataclasses import fields
from typing import Any, get_args, get_type_hints

import polars as pl
import pytest

from atlas_copy import Copy
from atlas_frames import Frames, only, planted
from landbridge.data.check import check_package, frame_faults
from landbridge.data.dictionary import Dictionary
from landbridge.data.magnitudes import EMISSIONS, RATES, SPEEDS, magnitude_faults, reasoning_faults
from landbridge.data.overlay import read_overlay
from landbridge.data.read import ATLAS, read_frames
from landbridge.data.ties import EFFECT_BEARS_ON, EFFECT_FIELDS, MAY_BE_ZERO, tie_faults
from landbridge.errors import DataError
from landbridge.scenario.measures import KINDS, Upgrade

#: Table, row (by its first column), what it says instead; then field, words of what was wanted and of what came.
TIES: dict[str, tuple[str, str | int, dict[str, Any], tuple[str, str, str]]] = {
    "effect on a number that is not there": (
        "event_effects", "covid-alashankou", {"field": "capasity_factor"},
        ("field", "did you mean capacity_factor", "'capasity_factor'")),
    "effect on a number of another measure": (
        "event_effects", "invasion-premium", {"field": "time_factor"}, ("field", "a number that charge", "'time_f")),
    "effect on what its measure does not touch": (
        "event_effects", "covid-alashankou", {"links": ["rail:cn-alashankou:kz-dostyk"]},
        ("links", "ease bears on crossings or countries", "rail:cn-alash")),
    "effect that pays less than nothing": (
        "event_effects", "invasion-premium", {"value": -500.0, "low": -600.0}, ("value", "above 0", "-500")),
    "effect without its number": (
        "event_effects", "invasion-premium", {"value": None}, ("value", "the usd_teu that holds", "nothing")),
    "value of a year beyond its parameter": (
        "year_values", "teu-per-train-2013", {"value": 1000.0}, ("value", "100 to 110, the range of teu-", "1000")),
    "value of a year that is not run": (
        "year_values", "teu-per-train-2013", {"year": 2003}, ("year", "2013 to 2026", "2003")),
    "port of a landlocked country": (
        "countries", "LT", {"landlocked": True}, ("landlocked", "a country with a coast (lt-", "landlocked")),
    "finished and still being built": (
        "projects", "cku", {"finish": "2024"}, ("finish", "not before 2026, or a status", "2024, under_construction")),
    "in service before it is finished": (
        "projects", "btk-modernisation", {"finish": "2031-05-20"}, ("finish", "not after 2026", "2031-05-20, in_s")),
    "in service before it has begun": (
        "projects", "nsr-container-line", {"start": "2033"}, ("start", "not after 2026", "2033, in_service")),
    "link to come of what is in service": (
        "projects", "cku", {"status": "in_service", "finish": "2026"},
        ("status", "existing, as cku is in service", "under_construction")),
    "link that stands of what is proposed": (
        "projects", "kti-railway", {"status": "proposed", "finish": "2030"},
        ("status", "planned or proposed, as kti-railway", "existing")),
    "link that opens before its project": (
        "projects", "kti-railway", {"start": "2015"}, ("open_from", "not before 2015, when kti", "201")),
    "upgrade before its project": (
        "upgrades", "georgia-main", {"from_date": "2010-12-31"}, ("from_date", "not before 2011", "2010-12-31")),
    "upgrade of what is proposed": (
        "projects", "georgian-railway-modernisation", {"status": "proposed", "finish": "2030"},
        ("from_date", "after 2026, as georgian", "2025-12-31")),
    "railway of a third country at a border": (
        "crossings", "alashankou-dostyk", {"operators": ["cn-cr", "pl-plk"]},
        ("operators", "two sides (CN and KZ)", "pl-plk")),
    "railway at a road": (
        "crossings", "alashankou-dostyk-road", {"operators": ["cn-cr"]}, ("operators", "nothing on road", "cn-cr")),
    "fewer ships than sailings": (
        "services", "ferry-aktau-alat", {"departures_week": 40.0}, ("vessels", "at least 11.4 ships", "6")),
    "boxes with other bogies": (
        "gauge_changes", "kz-dostyk:1435-1520:transfer-container", {"option": "bogie"},
        ("option", "transfer for container", "bogie")),
    "two rates of growth at once": (
        "growth", "chn-kgz-any-2030", {"from_year": 2027}, ("from_year", "2030, when chn-kgz-any ends", "2027")),
    "passage to where it begins": (
        "passages", "west-1", {"destination": "cn-chongqing"}, ("destination", "another place", "cn-chongqing")),
    "passage by its own end": ("passages", "west-1", {"via": ["de-duisburg"]}, ("via", "between origin", "de-duis")),
    "upgrade of another line than its project": (
        "upgrades", "georgia-main", {"subject": "kz-dostyk-aktogay"}, ("subject", "the lines of georg", "kz-dostyk")),
    "party that is no country of it": (
        "agreements", "2014-05-trade-target-40bn", {"countries": ["KZ"]}, ("countries", "CN too, as China is", "KZ")),
    "actor that is no country of it": (
        "events", "2025-09-poland-belarus-closed", {"countries": ["BY"]}, ("countries", "PL too, as Poland", "BY")),
    "crossing shut for longer than by its event": (
        "crossings", "brest-malaszewicze", {"closed_to": "2026-09-25"},
        ("closed_to", "2025-09-25, when 2025-09-poland", "2026-09-25")),
    "effect elsewhere than its event": (
        "event_effects", "loading-2021-erenhot", {"crossings": ["brest-malaszewicze"]},
        ("crossings", "names (alashankou-dostyk, erenhot", "brest-")),
    "project in another country than its places": (
        "projects", "cku", {"countries": ["KZ"]}, ("countries", "CN too, where cn-kashgar", "KZ")),
}  # fmt: skip

SIZES: dict[str, tuple[str, str | int, dict[str, Any], tuple[str, str, str]]] = {
    "emissions of a train, tenfold": (
        "emissions", "rail-electric-cn", {"co2_g_tkm": 113.0}, ("co2_g_tkm", "0.2 to 50 g a tkm", "113")),
    "emissions of a clean grid, tenfold": (
        "emissions", "rail-electric-ch", {"co2_g_tkm": 9.0}, ("co2_g_tkm", "0.875, as it says: 25.0 Wh", "9")),
    "emissions that are no mean": (
        "emissions", "rail-mixed-de", {"co2_g_tkm": 12.0}, ("co2_g_tkm", "as it says: mean of", "12")),
    "emissions of a lorry, a tenth": (
        "emissions", "road-default", {"co2_g_tkm": 9.03}, ("co2_g_tkm", "30 to 300 g a tkm by road", "9.03")),
    "speed of no train": ("lines", "cn-lanxin", {"speed_kmh": 4.8}, ("speed_kmh", "8 to 100 km/h by rail", "4.8")),
    "speed of no ship": ("lines", "sea-nsr", {"speed_kmh": 90.0}, ("speed_kmh", "8 to 50 km/h by sea", "90")),
    "speed after an upgrade": (
        "upgrades", "dostyk-moyynty-2-east", {"speed_kmh": 625.0}, ("speed_kmh", "8 to 100 km/h by rail", "625")),
    "price of carrying a box, tenfold": (
        "rates", "rail-kz", {"usd_teu_km": 2.1}, ("usd_teu_km", "0.05 to 1.5 by rail", "2.1")),
    "price of carrying a tonne, a tenth": (
        "rates", "rail-kz", {"usd_t_km": 0.0013}, ("usd_t_km", "0.004 to 0.15 by rail", "0.0013")),
    "box dearer than what is in it": (
        "rates", "rail-kz", {"usd_teu_km": 0.8}, ("usd_teu_km", "4 to 40 times usd_t_km", "0.8")),
    "fee of a box, tenfold": (
        "crossings", "alashankou-dostyk", {"cost_ab_usd_teu": 670.0},
        ("cost_ab_usd_teu", "10 to 30 times cost_ab_usd_t", "670")),
    "train of a thousand boxes": (
        "services", "block-cn-xian", {"capacity_teu_yr": 3243240.0}, ("capacity_teu_yr", "40 to 250 TEU", "1100 TEU")),
    "ferry for a tenth of its boxes": (
        "services", "ferry-turkmenbashi-alat", {"capacity_teu_yr": 7942.0},
        ("capacity_teu_yr", "20 to 2000 TEU a departure of a ferry", "15.43 TEU")),
    "yard that is filled every half year": (
        "terminals", "kz-khorgosgateway:rail-road:container", {"storage_teu": 280000},
        ("storage_teu", "3 to 500 times a year", "280,000 TEU")),
    "boxes for ten times the tracks": (
        "terminals", "cn-erenhot:rail-rail:container", {"capacity_teu_yr": 7227000.0},
        ("capacity_teu_yr", "at most 1,800,000 TEU a year on 3 tracks", "7,227,000")),
    "output in thousands": (
        "countries", "KZ", {"gdp_2023_usd": 262e6}, ("gdp_2023_usd", "USD a head of", "USD a head")),
    "exports tenfold": (
        "countries", "KZ", {"exports_goods_2023_usd": 8e11}, ("exports_goods_2023_usd", "2.5 times gdp", "8e+11")),
    "quote with a zero too many": (
        "sea_quotes", "west-2018-01-04", {"usd_feu": 16850.0}, ("usd_feu", "by the quotes around it", "16850")),
    "train heavier than its boxes": (
        "commodities", "food_box", {"t_per_train": 13200.0}, ("t_per_train", "1,320 t, 110 TEU a train", "13200 t")),
    "cost other than its words": (
        "projects", "cku", {"cost_high_usd_mn": 80000.0}, ("cost_high_usd_mn", "8 bn whole", "80000")),
    "cost in another currency": (
        "projects", "darbaza-maktaaral", {"cost_high_usd_mn": 3120.0}, ("cost_high_usd_mn", "162 bn KZT", "3120")),
    "length other than its words": ("projects", "cku", {"length_km": 541.0}, ("length_km", "523 (213 CN", "541")),
    "capacity other than its words": (
        "projects", "anaklia", {"capacity_teu_yr": 6000000.0}, ("capacity_teu_yr", "600,000 TEU/yr", "6,000,000")),
    "year other than its words": ("projects", "cku", {"finish": "2031"}, ("finish", "finish_text says: 2030", "2031")),
    "amount other than its words": (
        "agreements", "2023-05-47-documents", {"amount": 220.0}, ("amount", "what it says: 22 bn USD", "220")),
    "address that is none": (
        "sources", "cepii-baci-v202601", {"address": "at home"}, ("address", "an address, as https", "at home")),
    "exchange at a tenth": (
        "rates", "rail-cn", {"exchange_rate": 0.708}, ("exchange_rate", "6 to 7.4 CNY a dollar", "0.708")),
    "tariff tenfold": ("tariffs", "afg-any", {"tariff_pct": 70.2}, ("tariff_pct", "at most 50 %", "70.2")),
    "goods at ten times their price": (
        "commodities", "coal", {"value_usd_t": 1670.0}, ("value_usd_t", "USD a tonne, by what is recorded", "1670")),
    "more trains than a track bears": (
        "lines", "kz-dostyk-aktogay", {"capacity_trains_day": 150.0}, ("capacity_trains_day", "on one track", "150")),
    "more tracks than trains": (
        "lines", "kz-dostyk-aktogay", {"tracks": 4}, ("tracks", "at most two tracks for", "4")),
    "days in a yard": (
        "gauge_changes", "kz-dostyk:1435-1520:transfer-container", {"yard_h": 90.0}, ("yard_h", "at most 72 h", "90")),
    "figure to compare with that no fact has": (
        "targets", "A01", {"observed": 5072.0}, ("observed", "what F0120 says, 5027", "5072")),
    "source without a licence": (
        "sources", "cepii-baci-v202601", {"licence": None}, ("licence", "words that none is stated", "nothing")),
    "source of another century": (
        "sources", "cepii-baci-v202601", {"date": "1899-01"}, ("date", "not before 1950", "1899-01")),
    "class of no terminal": (
        "terminal_classes", "train-ferry-van:bulk", {"id": "train-ferry-ohrid:bulk"},
        ("id", "a class that terminals.csv uses", "none")),
}  # fmt: skip

#: A cell of a copy, its new value; field and words of what was wanted.
REASONED: dict[str, tuple[str, str, str, str, str]] = {
    "result of a formula, tenfold": (
        "crossings", "alashankou-dostyk", "cost_ab_usd_teu", "670", "what its formula comes to (67)"),
    "result of a formula, half as much again": (
        "crossings", "alashankou-dostyk", "waiting_ba_h", "56", "China inbound 53.7 h"),
    "result of two formulas": ("gauge_changes", "by-brest:1435-1520:transfer-container", "yard_h", "25", "(3.5)"),
    "figure of another fact": ("terminals", "az-alat:rail-ferry:container", "capacity_teu_yr", "90000", "F0623 says"),
    "figure of a fact with idle words": (
        "terminals", "kz-khorgosgateway:rail-road:container", "capacity_teu_yr", "720000", "F0647 says, 540,000"),
    "year that no fact names": (
        "links", "rail:cn-khorgos:kz-khorgosgateway", "open_from", "2021", "a year that F0214 names"),
    "figure in another unit": ("terminals", "kz-kuryk:rail-ferry:bulk", "capacity_t_yr", "600000", "F0636 says, 6,000"),
}  # fmt: skip


@pytest.fixture(scope="module")
def tables() -> tuple[Frames, Dictionary]:
    frames, dictionary, faults = read_frames(ATLAS)
    assert not faults
    return frames, dictionary


@pytest.fixture
def frames(tables: tuple[Frames, Dictionary]) -> Frames:
    return tables[0]


def test_the_atlas_agrees_with_itself(tables: tuple[Frames, Dictionary]) -> None:
    frames, dictionary = tables
    assert [*tie_faults(frames), *magnitude_faults(frames), *reasoning_faults(ATLAS, frames, dictionary)] == []


@pytest.mark.parametrize("name", TIES)
def test_rows_that_disagree_are_told(frames: Frames, name: str) -> None:
    table, row, cells, said = TIES[name]
    faults = tie_faults(planted(frames, table, row, cells))
    elsewhere = {
        "link to come of what is in service": "links", "link that stands of what is proposed": "links",
        "link that opens before its project": "links", "upgrade of what is proposed": "upgrades",
    }  # fmt: skip
    if name not in elsewhere:
        only(faults, table, "cku" if name == "lenders of more than it costs" else row, said)
        return
    told = [f for f in faults if f.where == f"{elsewhere[name]}.csv" and f.field == said[0] and said[1] in f.wanted]
    assert told
    assert all(said[2] in fault.got for fault in told)


@pytest.mark.parametrize("name", SIZES)
def test_a_size_that_cannot_be_is_told(frames: Frames, name: str) -> None:
    table, row, cells, said = SIZES[name]
    faults = magnitude_faults(planted(frames, table, row, cells))
    if name == "class of no terminal":
        row = "train-ferry-ohrid:bulk"
    only(faults, table, row, said)


@pytest.mark.parametrize("name", REASONED)
def test_a_value_that_is_not_what_its_origin_says_is_told(tables: tuple[Frames, Dictionary], name: str) -> None:
    table, row, column, value, wanted = REASONED[name]
    changed = planted(tables[0], table, row, {column: float(value)})
    (fault,) = reasoning_faults(ATLAS, changed, tables[1])
    assert (fault.where, fault.row, fault.field) == (f"{table}.csv", row, column)
    assert wanted in fault.wanted
    assert fault.got.replace(",", "") == value


def test_a_reason_may_explain_another_figure(tables: tuple[Frames, Dictionary]) -> None:
    """Half of what a fact says is right where the origin says why; the fact has both."""
    row = tables[0]["terminals"].filter(pl.col("id") == "cn-xian:kazakh-terminal:container")
    fact = tables[0]["facts"].filter(pl.col("id") == "F1114")
    assert row["capacity_teu_yr"].item() != fact["value"].item()
    assert not [f for f in reasoning_faults(ATLAS, *tables) if f.where == "terminals.csv"]


def test_effects_know_the_numbers_of_the_measures() -> None:
    """The list by which the atlas is checked is that of the records that a study reads."""
    for name, numbers in EFFECT_FIELDS.items():
        kind = KINDS[name]
        hints = get_type_hints(kind)
        of_kind = {f.name for f in fields(kind) if {float, int} & {hints[f.name], *get_args(hints[f.name])}} - set(
            Upgrade.at_terminals
        )
        assert of_kind == set(numbers), name
        for one in fields(kind):
            if one.name in numbers:
                assert ("ge" in one.metadata and one.metadata["ge"] == 0) == (one.name in MAY_BE_ZERO), one.name
    for name, columns in EFFECT_BEARS_ON.items():
        has = {f.name for f in fields(KINDS[name])}
        assert set(columns) == has & {"crossings", "links", "countries", "modes"}, name


def test_no_country_is_in_two_customs_unions(frames: Frames) -> None:
    more = pl.DataFrame({"bloc": ["eaeu"], "iso2": ["PL"], "from_year": [None]}, schema=frames["blocs"].schema)
    (fault,) = tie_faults({**frames, "blocs": pl.concat([frames["blocs"], more])})
    assert (fault.where, fault.field, fault.got) == ("blocs.csv", "iso2", "PL")
    assert "a country outside eu" in fault.wanted


def test_bands_leave_room_around_what_is_known(frames: Frames) -> None:
    """A band finds a lost zero, so that it may not be so narrow as to tell of what is merely unusual."""
    for mode, (low, high) in SPEEDS.items():
        known = frames["lines"].filter(pl.col("mode") == mode)["speed_kmh"]
        assert low < known.min() / 1.5  # type: ignore[operator]
        assert high > known.max() * 1.5  # type: ignore[operator]
    for (mode, traction), (low, high) in EMISSIONS.items():
        known = frames["emissions"].filter(mode=mode, traction=traction)["co2_g_tkm"]
        assert low < known.min() / 2  # type: ignore[operator]
        assert high > known.max() * 2  # type: ignore[operator]
    for mode, bands in RATES.items():
        for column, (low, high) in zip(("usd_teu_km", "usd_t_km"), bands, strict=True):
            known = frames["rates"].filter(mode=mode)[column]
            assert low < known.min() / 2  # type: ignore[operator]
            assert high > known.max() * 2  # type: ignore[operator]


def test_the_whole_check_asks_too_and_overlays_only_what_cannot_be(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("copy") / "atlas"
    shutil.copytree(ATLAS, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    copy = Copy(folder)
    copy.put("emissions.csv", "ferry-default", co2_g_tkm="514")
    copy.put("event_effects.csv", "covid-alashankou", field="speed")
    copy.put("lines.csv", "tr-kars-dilucu", capacity_trains_day="240")
    copy.put("financing.csv", "cku-loan", amount_usd_mn="23320")
    told = {(f.where, f.field) for f in check_package(folder)[0]}
    assert told == {
        ("emissions.csv", "co2_g_tkm"),
        ("event_effects.csv", "field"),
        ("lines.csv", "capacity_trains_day"),
        ("financing.csv", "amount_usd_mn"),
    }
    own = tmp_path_factory.mktemp("own")
    (own / "emissions.csv").write_text("id,co2_g_tkm\nroad-default,903\n", encoding="utf-8")
    (own / "projects.csv").write_text("id,cost_low_usd_mn,cost_high_usd_mn\ncku,40,60\n", encoding="utf-8")
    read_overlay(own)  # what a user assumes is the user's, also a price below what was to be paid before
    (own / "event_effects.csv").write_text("id,field\ncovid-alashankou,speed\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_overlay(own)
    (fault,) = caught.value.faults
    assert (fault.where, fault.row, fault.field) == ("event_effects.csv", "row 2 (covid-alashankou)", "field")


def test_tables_that_are_missing_stop_no_other_check(frames: Frames) -> None:
    some: Frames = {"rates": planted(frames, "rates", "rail-kz", {"usd_teu_km": 2.1})["rates"]}
    assert [f.where for f in magnitude_faults(some)] == ["rates.csv"]
    assert frame_faults({"year_values": frames["year_values"]}) == []
