"""The atlas that ships is sound as it is; faults planted in a copy are in test_planted."""

from __future__ import annotations

import csv
import json
from collections import Counter

import polars as pl
import pytest

from landbridge.data.check import check_package
from landbridge.data.dictionary import read_dictionary
from landbridge.data.geography import great_circle_km
from landbridge.data.provenance import KINDS
from landbridge.data.read import ATLAS, read_atlas
from landbridge.errors import Fault

# ------------------------------------------------------------------------------------------------ as it ships


@pytest.fixture(scope="module")
def checked() -> tuple[list[Fault], pl.DataFrame]:
    """What the check says of the shipped atlas."""
    return check_package(ATLAS)


def test_the_shipped_atlas_has_no_fault(checked: tuple[list[Fault], pl.DataFrame]) -> None:
    assert "\n".join(map(str, checked[0])) == ""


def test_every_number_of_the_atlas_has_an_origin(checked: tuple[list[Fault], pl.DataFrame]) -> None:
    cells = checked[1]
    assert set(cells["kind"]) <= set(KINDS)
    counted = dict(cells.group_by("table", "column").agg(pl.col("cells").sum()).select(
        pl.concat_str("table", pl.lit("."), "column"), "cells").iter_rows())  # fmt: skip
    expected: Counter[str] = Counter()
    dictionary = read_dictionary(ATLAS)
    for table in dictionary.tables:
        numbers = [c.name for c in dictionary.of(table) if c.is_number]
        with (ATLAS / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                expected.update(f"{table}.{name}" for name in numbers if row[name])
    assert counted == dict(expected)


def test_tables_of_the_dictionary_and_files_of_the_folder_are_the_same() -> None:
    tables = set(read_dictionary(ATLAS).tables)
    assert {path.stem for path in ATLAS.glob("*.csv")} == tables | {"dictionary"}
    assert {path.stem for path in (ATLAS / "provenance").iterdir()} <= tables
    assert set(read_atlas().frames) == tables


def test_every_source_says_who_published_it_and_on_what_terms() -> None:
    sources = read_atlas()["sources"]
    assert sources["licence"].null_count() == 0
    assert sources.filter(pl.col("title").str.strip_chars().str.len_chars() < 4).is_empty()


def test_the_descriptor_names_licence_and_disclaimer() -> None:
    meta = json.loads((ATLAS / "datapackage.json").read_text(encoding="utf-8"))
    package = read_atlas().package
    assert package is not None
    assert (package.name, package.licence) == ("landbridge-atlas", "ODbL-1.0")
    assert (ATLAS / meta["licenses"][0]["path"]).is_file()
    assert "OpenStreetMap contributors" in meta["attribution"]
    assert "do not imply official endorsement" in meta["disclaimer"]
    assert (ATLAS / meta["dictionary"]).is_file()
    assert (ATLAS / meta["provenance"]).is_dir()


# ------------------------------------------------------------------------------------------- what is well known


def test_khorgos_station_and_khorgos_gateway_are_two_places_in_two_countries() -> None:
    places = read_atlas()["places"].filter(pl.col("id").str.contains("khorgos"))
    assert dict(places.select("id", "iso2").iter_rows()) == {"cn-khorgos": "CN", "kz-khorgosgateway": "KZ"}
    one, two = places.select("lon_deg", "lat_deg").rows()
    assert 5 < great_circle_km(one, two) < 30


def _fact(subject: str, quantity: str, year: int) -> float:
    facts = read_atlas()["facts"].filter(
        (pl.col("subject") == subject) & (pl.col("quantity") == quantity) & (pl.col("year") == year)
    )
    return float(facts["value"].item())


def test_the_cku_railway_is_as_long_as_its_facts_say() -> None:
    tables = read_atlas()
    links = tables["links"].filter(pl.col("project") == "cku")
    parts: dict[str, float] = {}
    for cell in links["country_km"]:
        for part in cell.split(";"):
            country, km = part.split(":")
            parts[country] = parts.get(country, 0.0) + float(km)
    assert set(parts) == {"CN", "KG"}
    # The 50 km in Uzbekistan run on rails that exist, beyond the project's own links.
    assert parts["CN"] == pytest.approx(_fact("CKU railway", "length in China", 2024), abs=1.01)
    assert parts["KG"] == pytest.approx(_fact("CKU railway", "length in Kyrgyzstan", 2024), abs=1.01)
    uzbek = _fact("CKU railway", "length in Uzbekistan", 2024)
    whole = tables["projects"].filter(pl.col("id") == "cku")["length_km"].item()
    assert sum(links["length_km"]) + uzbek == pytest.approx(whole)
    assert whole == _fact("CKU railway", "length total", 2024)
    narrow = [(gauges, km) for gauges, km in links.select("gauges_mm", "length_km").rows() if gauges == [1435]]
    assert sum(km for _, km in narrow) == _fact("CKU railway", "standard-gauge section", 2024)
