"""Words that stand for nothing, rows that say a thing twice, and what cannot be so together: one planted fault a test.

The tables are changed as they are read, so that each check can be asked by itself; that the whole check asks it too is
seen with one fault of each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from atlas_frames import Frames, only, planted
from landbridge.data.check import frame_faults
from landbridge.data.overlay import read_overlay
from landbridge.data.provenance import read_origins
from landbridge.data.read import ATLAS, read_frames
from landbridge.data.sense import sense_faults
from landbridge.data.vocabulary import ONCE, once_faults, word_faults
from landbridge.errors import DataError

LINK = "rail:cn-lanzhou:cn-wuwei"

#: Table, row (by id, or its number), what it says instead; then field, words of what was wanted and of what came.
WORDS: dict[str, tuple[str, str | int, dict[str, Any], tuple[str, str, str]]] = {
    "mode of a passage": ("passages", "west-1", {"modes": ["rial"]}, ("modes", "did you mean rail", "'rial'")),
    "mode of a length": ("lengths", "kirov-perm", {"modes": ["train"]}, ("modes", "rail or road", "'train'")),
    "mode of an effect": (
        "event_effects", "loading-2021-alashankou", {"modes": ["air"]}, ("modes", "rail or road", "'air'")),
    "country of a passage": ("passages", "west-1", {"no_countries": ["XX"]}, ("no_countries", "ISO2", "'XX'")),
    "end of a passage": ("passages", "west-1", {"ends_in": ["europa"]}, ("ends_in", "did you mean europe", "'europa'")),
    "country of a pipeline": (
        "pipelines", "kazakhstan-china", {"countries": ["KZ", "CN", "XX"]}, ("countries", "ISO2", "'XX'")),
    "trader of a tariff": ("tariffs", 2, {"exporter": "XXX"}, ("exporter", "an ISO3 code, a bloc or *", "'XXX'")),
    "trader of a total": ("past_totals", "chn-kaz-2013", {"importer": "KAS"}, ("importer", "KAZ", "'KAS'")),
    "trader of a break": ("past_breaks", "rus-europe", {"importer": "europ"}, ("importer", "europe", "'europ'")),
    "goods of past prices": ("past_prices", "fuels-2013", {"commodity": "fuel"}, ("commodity", "fuels", "'fuel'")),
    "goods of a premium": ("premiums", "ru-black-sea-oil", {"goods": "fuel"}, ("goods", "fuels", "'fuel'")),
    "direction of a subsidy": ("subsidies", "cn-2018", {"direction": ["exprt"]}, ("direction", "export", "'exprt'")),
    "line of an emission": ("emissions", 2, {"line": "nowhere"}, ("line", "a line, * allowed", "'nowhere'")),
    "heading in words": ("hs_groups", "hs-01", {"hs": "animals"}, ("hs", "two or four digits", "'animals'")),
    "locode of another country": (
        "places", "kz-almaty", {"unlocode": "CNALA"}, ("unlocode", "KZ and three letters", "'CNALA'")),
    "currency in words": ("rates", "rail-cn", {"currency": "yuan"}, ("currency", "ISO 4217", "'yuan'")),
    "currency without rate": ("rates", "rail-cn", {"exchange_rate": None}, ("exchange_rate", "CNY in a", "nothing")),
    "rate without currency": ("rates", "rail-cn", {"currency": None}, ("currency", "ISO 4217", "nothing")),
    "dollars worth more than a dollar": (
        "rates", "rail-kz", {"exchange_rate": 450.0}, ("exchange_rate", "1, as the price is in dollars", "450")),
    "crosswalk to nothing": ("crosswalk", 2, {"atlas_id": "XY"}, ("atlas_id", "countries.csv or blocs.csv", "'XY'")),
    "crosswalk with another code": ("crosswalk", 2, {"iso3": "CHE"}, ("iso3", "CHN, the code of CN", "'CHE'")),
}  # fmt: skip

SENSE: dict[str, tuple[str, str | int, dict[str, Any], tuple[str, str, str]]] = {
    "source to come": ("sources", "cepii-baci-v202601", {"date": "2031-01"}, ("date", "not after 2026", "2031-01")),
    "fact to come": ("facts", "F0017", {"source_date": "2031"}, ("source_date", "not after 2026", "2031")),
    "figure to come": ("targets", "A01", {"source_date": "2031-02-03"}, ("source_date", "not after 2026", "2031")),
    "statement to come": ("alternatives", 2, {"as_of": "2033"}, ("as_of", "not after 2026", "2033")),
    "stop before its event": (
        "terminal_stops", "october-2021-dostyk", {"from_date": "2020-10-25"},
        ("from_date", "not before 2021-10-loading-stop, 2021-10-25", "2020-10-25")),
    "stop after its event": (
        "terminal_stops", "october-2021-dostyk", {"to_date": "2022-11-01"},
        ("to_date", "not after 2021-10-loading-stop, 2021-11-01", "2022-11-01")),
    "effect before its event": (
        "event_effects", "loading-2021-alashankou", {"date_from": "2019-10-25"},
        ("date_from", "not before 2021-10-loading-stop", "2019-10-25")),
    "effect on nothing": (
        "event_effects", "loading-2021-alashankou", {"crossings": None},
        ("crossings, links, countries, modes", "what it bears on", "nothing")),
    "closure of more than all": (
        "event_effects", "loading-2021-alashankou", {"value": 1.5}, ("value", "part of the capacity", "1.5")),
    "closure with a number": (
        "event_effects", "loading-2021-alashankou", {"field": "usd_t"}, ("field", "nothing for a closure", "usd_t")),
    "charge of nothing": (
        "event_effects", "invasion-black-sea-boxes", {"field": None}, ("field", "the number that", "nothing")),
    "pipeline from elsewhere": (
        "pipelines", "kazakhstan-china", {"from_country": "RU"}, ("from_country", "first of its countries, KZ", "RU")),
    "pipeline to elsewhere": (
        "pipelines", "kazakhstan-china", {"to_country": "KZ"}, ("to_country", "a later one of its countries", "KZ")),
    "pipeline beyond its capacity": (
        "pipelines", "kazakhstan-china", {"flow_2023_mt": 44.0}, ("flow_2023_mt", "its capacity, 20 Mt", "44 Mt")),
    "passage through what it avoids": (
        "passages", "west-1", {"avoid_countries": ["MN", "BY"]}, ("avoid_countries", "by-brest lies in BY", "BY")),
    "passage that must and must not": (
        "passages", "west-2-land", {"all_countries": ["KZ", "IR"], "no_countries": ["IR"]},
        ("no_countries", "no country that all_countries", "IR")),
    "two places at one point": (
        "places", "cn-lanzhou", {"lat_deg": 36.06, "lon_deg": 103.83},
        ("lat_deg, lon_deg", "another point than", "36.06")),
    "gauge of no line": ("places", "cn-lanzhou", {"gauges_mm": [1435, 1000]}, ("gauges_mm", "(1435)", "1000")),
    "straight piece beyond the line": (
        "links", LINK, {"max_straight_km": 900.0}, ("max_straight_km", "at most the drawn", "900 km")),
    "main gauge of no place": ("countries", "KZ", {"main_gauge_mm": 1000}, ("main_gauge_mm", "a gauge there", "1000")),
    "zone in another country": ("zones", "cn-shenzhen", {"country": "KZ"}, ("country", "CN, where cn-shenzhen", "KZ")),
    "zone without a sea": ("zones", "cn-shenzhen", {"sea_port": "cn-lanzhou"}, ("sea_port", "a sea link", "cn-lanz")),
    "base year of another price": ("past_prices", "fuels-2023", {"index": 1.3}, ("index", "1 in 2023", "1.3")),
    "break that goes back": ("past_breaks", "rus-europe", {"from_year": 2019}, ("from_year", "after 2021", "2019")),
    "trader with itself": ("reporting_bases", "gacc", {"trader_b": "CHN"}, ("trader_b", "another country", "CHN")),
    "two options chosen": (
        "project_options", "cku-gauge-standard", {"chosen": True}, ("chosen", "one option of cku", "another")),
    "option longer than its project": (
        "project_options", "cku-gauge-mixed", {"length_km": 5230.0}, ("length_km", "1.5 times its project", "5230")),
    "opening to come": (
        "openings", "kz-khorgosgateway", {"works_from": 2031}, ("works_from", "not after 2026", "2031")),
    "subsidy for a foreign hub": ("subsidies", "cn-2018", {"place": "kz-almaty"}, ("place", "a hub in CN", "(KZ)")),
    "amount of nothing": (
        "agreements", "2013-12-russian-oil-transit", {"amount_unit": None},
        ("amount, amount_unit", "both or neither", "10 of nothing")),
    "number in words": ("facts", "F0120", {"unit": "text"}, ("unit", "the unit of its number", "'text'")),
    "figure of nobody": (
        "targets", "A01", {"fact_id": None, "source_title": None}, ("fact_id, source_title", "whose", "nothing")),
    "train at a place without rails": (
        "services", "block-cn-xian", {"place": "sea-suez"}, ("place", "a place with rails", "sea-suez")),
    "block train on a link": (
        "services", "ferry-aktau-alat", {"kind": "block_train"}, ("link", "nothing for block trains", "ferry:kz-akt")),
    "ferry over land": ("services", "ferry-aktau-alat", {"link": LINK}, ("link", "over water", LINK)),
    "plan away from its crossing": (
        "terminal_plans", "dostyk", {"place": "pl-malaszewicze"}, ("place", "an end of alashankou-dostyk", "pl-mal")),
    "side of no gauge": ("terminal_plans", "dostyk", {"side_b": "1676"}, ("side_b", "a gauge of kz-dostyk", "1676")),
    "box without a weight": (
        "commodities", "food_box", {"t_per_teu": None}, ("t_per_teu", "tonnes in a TEU", "nothing")),
}  # fmt: skip


@pytest.fixture(scope="module")
def frames() -> Frames:
    return read_frames(ATLAS)[0]


def test_the_atlas_says_nothing_of_the_kind(frames: Frames) -> None:
    assert [*word_faults(frames), *once_faults(frames), *sense_faults(frames)] == []


@pytest.mark.parametrize("name", WORDS)
def test_a_word_that_stands_for_nothing_is_told(frames: Frames, name: str) -> None:
    table, row, cells, said = WORDS[name]
    only(word_faults(planted(frames, table, row, cells)), table, row, said)


@pytest.mark.parametrize("name", SENSE)
def test_what_cannot_be_so_is_told(frames: Frames, name: str) -> None:
    table, row, cells, said = SENSE[name]
    if name == "two places at one point":
        other = frames["places"].filter(pl.col("id") == "cn-xian")
        cells = {"lat_deg": other["lat_deg"].item(), "lon_deg": other["lon_deg"].item()}
        said = (said[0], said[1], f"{cells['lat_deg']:g}")
    only(sense_faults(planted(frames, table, row, cells)), table, row, said)


@pytest.mark.parametrize("table", ONCE)
def test_a_row_that_says_a_thing_again_is_told(frames: Frames, table: str) -> None:
    again = frames[table].head(1).with_columns(id=pl.lit("again"))
    faults = once_faults({**frames, table: pl.concat([frames[table], again])})
    first = frames[table]["id"][0]
    assert [(f.where, f.row, f.got) for f in faults] == [(f"{table}.csv", "again", f"also in {first}")]


def test_the_whole_check_and_overlays_ask_too(frames: Frames, tmp_path: Path) -> None:
    changed = frames
    for name, kind in (("currency in words", WORDS), ("pipeline beyond its capacity", SENSE)):
        changed = planted(changed, *kind[name][:3])
    again = frames["growth"].head(1).with_columns(id=pl.lit("again"))
    changed = {**changed, "growth": pl.concat([changed["growth"], again])}
    assert {fault.where for fault in frame_faults(changed)} == {"rates.csv", "pipelines.csv", "growth.csv"}
    (tmp_path / "rates.csv").write_text("id,currency\nrail-kz,tenge\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_overlay(tmp_path)
    (fault,) = caught.value.faults
    assert (fault.where, fault.row, fault.field) == ("rates.csv", "row 2 (rail-kz)", "currency")


def test_one_origin_for_one_cell(tmp_path: Path) -> None:
    """Which of two would count is chance; and what is unknown has no value."""
    (tmp_path / "provenance").mkdir()
    text = "row,column,kind,source,reasoning\na,b,estimate,,By judgement.\na,b,reported,F0001,\n"
    (tmp_path / "provenance" / "rates.csv").write_text(text, encoding="utf-8")
    faults = read_origins(tmp_path, "rates")[1]
    assert [(f.row, f.field, f.got) for f in faults] == [("row 3 (a)", "row, column", "also in row 2")]
