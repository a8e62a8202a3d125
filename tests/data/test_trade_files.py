"""Full trade files: BACI and Comtrade in their true columns, every dropped row told, zeros explicit."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from landbridge.data.formats.trade_files import ImportedTrade, read_trade_file, summary, write_overlay
from landbridge.data.overlay import read_overlay
from landbridge.data.read import read_atlas
from landbridge.errors import DataError

# As BACI_HS17_Y2023 writes it: codes and headings as numbers, v in thousand USD, q in tonnes or NA.
BACI = """\
t,i,j,k,v,q
2023,156,398,851712,1000.5,2.5
2023,156,398,851713,500,NA
2023,156,398,270112,20,400
2023,398,156,270900,900,1800
2023,156,490,10121,7,3
2023,710,398,720230,80,40
2023,710,32,720230,80,40
2022,156,398,851712,5,1
2023,156,999,851712,5,1
2023,156,398,8517x,5,1
2023,156,398,851712,much,1
2023,156,398,851712,5,heavy
2023,156,398,770000,5,1
"""
CODES = """\
country_code,country_name,country_iso2,country_iso3
156,China,CN,CHN
398,Kazakhstan,KZ,KAZ
490,"Asia, not elsewhere specified",TW,TWN
710,South Africa,ZA,ZAF
32,Argentina,AR,ARG
"""


@pytest.fixture
def baci(tmp_path: Path) -> Path:
    """A small BACI file with its list of codes."""
    (tmp_path / "country_codes_V202601.csv").write_text(CODES, encoding="utf-8")
    path = tmp_path / "BACI_HS17_Y2023_V202601.csv"
    path.write_text(BACI, encoding="utf-8")
    return path


def read(path: Path, kind: str, **options: Any) -> ImportedTrade:
    return read_trade_file(path, read_atlas(), kind=kind, year=2023, **options)


def cell(found: ImportedTrade, exporter: str, importer: str, commodity: str) -> tuple[float, float, float]:
    row = found.trade.filter(
        (pl.col("exporter") == exporter) & (pl.col("importer") == importer) & (pl.col("commodity") == commodity)
    )
    (values,) = row.select("value_usd", "tonnes", "weighed_usd").rows()
    return values


def test_baci_becomes_trade_by_group(baci: Path) -> None:
    found = read(baci, "baci")
    # 1,500.5 kUSD of telephones; those without mass weigh as the others of their group: 500 / (1000.5 / 2.5)
    value, tonnes, weighed = cell(found, "CHN", "KAZ", "machinery_transport")
    assert (value, weighed) == (1_500_500, 500_000)
    assert tonnes == pytest.approx(2.5 + 2.5 * 500 / 1000.5)
    assert cell(found, "CHN", "KAZ", "fuels") == (20_000, 400, 0)
    assert cell(found, "CHN", "TWN", "food") == (7_000, 3, 0)  # 10121 is heading 010121, 490 is Taiwan
    assert cell(found, "ROW", "KAZ", "manuf_by_material") == (80_000, 40, 0)  # South Africa is not in the atlas
    assert cell(found, "DEU", "KAZ", "food") == (0, 0, 0)  # named by nobody: an explicit zero
    assert found.bulk.filter(pl.col("importer") == "KAZ").select("exporter", "product", "tonnes").rows() == [
        ("CHN", "coal", 400.0),
        ("ROW", "ferro_alloys", 40.0),
    ]


def test_every_dropped_row_of_baci_has_its_reason(baci: Path) -> None:
    found = read(baci, "baci")
    assert found.rows == 13
    assert found.kept + found.dropped.height == found.rows
    told = {line: reason for line, reason, _ in found.dropped.rows()}
    assert told == {
        8: "within one country, or between countries outside the atlas",
        9: "another year than 2023",
        10: "importer j is in no list of codes",
        11: "malformed: k is no HS heading of six digits",
        12: "malformed: v is no value",
        13: "malformed: q is neither a mass nor NA",
        14: "heading is in no group of hs_groups.csv",
    }
    assert found.dropped.filter(pl.col("line") == 12)["text"].item() == "2023,156,398,851712,much,1"
    assert sum(found.reasons.values()) == found.dropped.height


RECORD = {
    "typeCode": "C", "freqCode": "A", "refYear": 2023, "reporterISO": "KAZ", "flowCode": "M", "partnerISO": "CHN",
    "partner2Code": 0, "classificationCode": "H6", "cmdCode": "851713", "aggrLevel": 6, "motCode": 0, "netWgt": 2000.0,
    "primaryValue": 900000.0,
}  # fmt: skip
RECORDS = [
    RECORD,
    {**RECORD, "cmdCode": "85", "primaryValue": 1.0},  # an aggregate
    {**RECORD, "cmdCode": "TOTAL"},
    {**RECORD, "motCode": 2100},
    {**RECORD, "partner2Code": 643},
    {**RECORD, "partnerISO": "W00"},
    {**RECORD, "reporterISO": "CHN", "partnerISO": "KAZ", "flowCode": "X", "primaryValue": 800000.0},  # the mirror
    {**RECORD, "reporterISO": "CHN", "partnerISO": "KGZ", "flowCode": "X", "netWgt": None},  # KGZ does not report
    {**RECORD, "flowCode": "RX"},
    {**RECORD, "primaryValue": -5},
    {**RECORD, "netWgt": "light"},
    {**RECORD, "cmdCode": "1001", "partnerISO": "RUS"},
    {**RECORD, "partnerISO": "XXX"},
    {**RECORD, "partnerISO": "_X "},
    {**RECORD, "partnerISO": "S19", "netWgt": 10.0, "primaryValue": 50.0},  # Taiwan; ten kilograms
    {**RECORD, "partnerISO": "ZAF", "primaryValue": 70000.0},
    {**RECORD, "refYear": 202301},
]
WHY = [
    None,
    "an aggregate of finer headings in the file",
    "a total of all goods",
    "part of a total: one mode of transport",
    "part of a total: one second partner",
    "partner is the whole world",
    "the importer's own report is taken",
    None,
    "flow is neither import M nor export X",
    "malformed: primaryValue is no value",
    "malformed: netWgt is no mass",
    "an aggregate of finer headings in the file",
    "partner is no country: an area not specified, or a code that is none",
    "partner is no country: an area not specified, or a code that is none",
    None,
    None,
    "a month: the annual file is read",
]


@pytest.fixture(params=["csv", "json"])
def comtrade(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The same records as a bulk CSV and as the API's JSON."""
    path = tmp_path / f"C_A_2023.{request.param}"
    if request.param == "json":
        path.write_text(json.dumps({"count": len(RECORDS), "data": RECORDS}), encoding="utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(RECORD))
            writer.writeheader()
            writer.writerows(RECORDS)
    return path


def test_comtrade_takes_one_report_of_a_pair_and_the_finest_headings(comtrade: Path) -> None:
    found = read(comtrade, "comtrade")
    offset = 1 if comtrade.suffix == ".json" else 2
    told = {line - offset: reason for line, reason, _ in found.dropped.rows()}
    assert told == {i: why for i, why in enumerate(WHY) if why}
    assert cell(found, "CHN", "KAZ", "machinery_transport") == (900_000, 2, 0)
    usd_t = (900_000 + 50 + 70_000) / (2 + 0.01 + 2)  # what a tonne of the group is worth in the file
    assert cell(found, "CHN", "KGZ", "machinery_transport") == pytest.approx((900_000, 900_000 / usd_t, 900_000))
    assert cell(found, "TWN", "KAZ", "machinery_transport") == (50, 0.01, 0)
    assert found.rest.rows() == [("ZAF", 1, 70_000.0)]
    # Kazakhstan reported, so that what it does not name is zero; Kyrgyzstan did not, and keeps the atlas' trade
    assert cell(found, "DEU", "KAZ", "food") == (0, 0, 0)
    assert found.trade.filter((pl.col("exporter") == "DEU") & (pl.col("importer") == "KGZ")).is_empty()


def test_comtrade_overlays_keep_kilograms_and_tell_the_rest_of_the_world(comtrade: Path, tmp_path: Path) -> None:
    found, folder = read(comtrade, "comtrade"), tmp_path / "mine"
    write_overlay(found, read_atlas(), folder)
    trade = read_overlay(folder)["trade"].filter((pl.col("exporter") == "TWN") & (pl.col("importer") == "KAZ"))
    assert trade.filter(pl.col("commodity") == "machinery_transport")["tonnes"].to_list() == [0.01]
    told = (folder / "report" / "rest_of_world.csv").read_text(encoding="utf-8")
    assert told == "code,rows,value_usd\nZAF,1,70000.0\n"
    assert summary(found)["rest_of_world"] == {"ZAF": {"rows": 1, "value_usd": 70_000.0}}


def test_comtrade_may_name_the_year_period(comtrade: Path) -> None:
    comtrade.write_text(comtrade.read_text(encoding="utf-8").replace("refYear", "period"), encoding="utf-8")
    assert cell(read(comtrade, "comtrade"), "CHN", "KAZ", "machinery_transport") == (900_000, 2, 0)
    comtrade.write_text(comtrade.read_text(encoding="utf-8").replace("period", "when"), encoding="utf-8")
    assert faults(comtrade, "comtrade")[0][:3] == ("header", "refYear", "this column")


def test_an_overlay_of_baci_replaces_the_matrix(baci: Path, tmp_path: Path) -> None:
    atlas, folder = read_atlas(), tmp_path / "mine"
    found = read(baci, "baci")
    write_overlay(found, atlas, folder)
    tables = read_overlay(folder)  # held against the same checks as the atlas
    assert tables.overlay is not None
    assert tables.overlay.name == "mine"
    trade = tables["trade"].filter(pl.col("year") == 2023)
    assert trade["value_usd"].sum() == pytest.approx(found.trade["value_usd"].sum())
    row = (pl.col("exporter") == "CHN") & (pl.col("importer") == "KAZ") & (pl.col("commodity") == "fuels")
    assert trade.filter(row).select("value_usd", "tonnes", "kind", "source", "baci_share").row(0) == (
        20_000, 400, "reported", f"baci {baci.name}", 1.0,
    )  # fmt: skip
    bulk = tables["bulk_trade"].filter(pl.col("year") == 2023)
    assert bulk["tonnes"].sum() == found.bulk["tonnes"].sum() == 2240
    assert set(tables["trade_overrides"]["tonnes_factor"].to_list()) == {1.0}
    assert tables["trade_overrides"]["tonnes"].null_count() == tables["trade_overrides"].height
    with (folder / "report" / "dropped.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == found.dropped.height
    with pytest.raises(DataError, match="wanted an empty folder, or none, got something in it"):
        write_overlay(found, atlas, folder)
    told = summary(found)
    assert told["rows"] == told["kept"] + sum(told["dropped"].values())


def faults(path: Path, kind: str, **options: Any) -> list[tuple[str, str, str, str]]:
    with pytest.raises(DataError) as caught:
        read(path, kind, **options)
    return [(f.row, f.field, f.wanted, f.got) for f in caught.value.faults]


def test_a_file_that_is_none_is_told(baci: Path, tmp_path: Path) -> None:
    assert faults(tmp_path / "none.csv", "baci")[0][2:] == ("a file", "nothing")
    other = tmp_path / "other.csv"
    other.write_text("t,i,j,k,v\n2023,156,398,851712,5\n", encoding="utf-8")
    assert faults(other, "baci") == [("header", "q", "this column", "t, i, j, k, v")]
    other.write_text(BACI + "2023,156,398,851712,5,1,9\n", encoding="utf-8")
    assert faults(other, "baci") == [("row 15", "", "6 cells", "7 cells")]
    other.write_text("t,i,j,k,v,q\n2019,156,398,851712,5,1\n", encoding="utf-8")
    assert faults(other, "baci")[0][2:] == ("rows of 2023 between countries of the atlas", "none of 1")
    (tmp_path / "country_codes_V202601.csv").unlink()
    assert "country_codes_V*.csv" in faults(baci, "baci")[0][2]
    bad = tmp_path / "bad.json"
    bad.write_text('{"data": 5}', encoding="utf-8")
    assert faults(bad, "comtrade") == [("data", "", "a list of records", "int")]
    bad.write_text("{", encoding="utf-8")
    assert faults(bad, "comtrade")[0][2] == "JSON"


def test_the_groups_of_headings_cover_every_chapter_once() -> None:
    groups = read_atlas()["hs_groups"]
    chapters = [hs for hs in groups["hs"] if len(hs) == 2]
    assert len(chapters) == len(set(chapters))
    assert set(chapters) == {f"{n:02d}" for n in range(1, 100)} - {"77"}  # which the system keeps free
    assert groups["hs"].is_unique().all()
    headings = groups.filter(pl.col("hs").str.len_chars() == 4)
    own = dict(groups.select("hs", "commodity").iter_rows())
    assert all(own[hs[:2]] != commodity for hs, commodity in headings.select("hs", "commodity").iter_rows())
    # recorded goods stand in the group that the atlas gives them
    tables = read_atlas()
    goods = tables["commodities"].select("group", pl.col("baci_products").alias("product")).explode("product")
    group_of = dict(goods.drop_nulls().select("product", "group").iter_rows())
    for product, hs4 in tables["bulk_trade"].select("product", "hs4").unique().iter_rows():
        if product in group_of:
            assert own.get(hs4, own[hs4[:2]]) == group_of[product], (product, hs4)
