"""Names as people write them."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.data.names import find_country, find_place
from landbridge.data.read import read_atlas
from landbridge.data.tables import Tables
from landbridge.errors import UnknownName

PLACES = read_atlas()["places"].select("id", "name", "unlocode").rows()
COUNTRIES = read_atlas()["countries"].select("iso2", "iso3", "name").rows()


def few(*places: tuple[str, str, str, int]) -> Tables:
    """Tables with places of the given id, name, kind and tier only."""
    rows = [(place, name, None, kind, tier) for place, name, kind, tier in places]
    schema = {"id": pl.String, "name": pl.String, "unlocode": pl.String, "kind": pl.String, "tier": pl.Int64}
    return Tables({"places": pl.DataFrame(rows, schema=schema, orient="row")})


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("kz-khorgosgateway", "kz-khorgosgateway"),
        ("KZ-KhorgosGateway", "kz-khorgosgateway"),
        ("Khorgos", "cn-khorgos"),
        ("Khorgos Gateway", "kz-khorgosgateway"),
        ("gateway", "kz-khorgosgateway"),
        ("KZHOR", "kz-khorgosgateway"),
        ("cnhrs", "cn-khorgos"),
        ("Chongqing", "cn-chongqing"),
        ("chongqing (tuanjiecun)", "cn-chongqing"),
        ("Chengdu", "cn-chengdu"),
        ("Xi'an", "cn-xian"),
        ("Xi’an", "cn-xian"),
        ("xian", "cn-xian"),
        ("ÜRÜMQI", "cn-urumqi"),
        ("Małaszewicze", "pl-malaszewicze"),
        ("Łódź", "pl-lodz"),
        ("Ələt", "az-alat"),
        ("  Tashkent ", "uz-tashkent"),
        ("Ulan Ude", "ru-ulanude"),
        ("Ulan-Ude", "ru-ulanude"),
    ],
)
def test_a_place_is_found(name: str, place: str) -> None:
    assert find_place(read_atlas(), name) == place


@settings(deadline=None)  # other work on the machine is no fault
@given(st.sampled_from(PLACES))
def test_every_place_is_found_by_id_name_and_code(row: tuple[str, str, str | None]) -> None:
    place, name, code = row
    names = {p: (n, re.split(r" ?[(/,]", n)[0]) for p, n, _ in PLACES}
    codes = {p: c for p, _, c in PLACES}
    assert find_place(read_atlas(), place) == place
    assert name in names[find_place(read_atlas(), name)]
    if code:
        assert codes[find_place(read_atlas(), code)] == code


@settings(deadline=None)  # other work on the machine is no fault
@given(st.sampled_from(PLACES), st.sampled_from([str.upper, str.lower, str.swapcase, lambda s: f"  {s.title()} "]))
def test_neither_case_nor_blanks_matter(row: tuple[str, str, str | None], write: object) -> None:
    assert callable(write)
    assert find_place(read_atlas(), write(row[1])) == find_place(read_atlas(), row[1])
    assert find_place(read_atlas(), write(row[0])) == row[0]


@settings(deadline=None)  # other work on the machine is no fault
@given(st.sampled_from(PLACES), st.data())
def test_accents_do_not_matter(row: tuple[str, str, str | None], data: st.DataObject) -> None:
    spots = [i for i, letter in enumerate(row[1]) if letter.isalpha()]
    spot = data.draw(st.sampled_from(spots))
    accented = f"{row[1][: spot + 1]}\N{COMBINING ACUTE ACCENT}{row[1][spot + 1 :]}"
    assert find_place(read_atlas(), accented) == find_place(read_atlas(), row[1])


@settings(deadline=None)  # other work on the machine is no fault
@given(st.sampled_from(PLACES))
def test_the_words_before_a_bracket_find_a_place_of_that_name(row: tuple[str, str, str | None]) -> None:
    short = re.split(r" ?[(/,]", row[1])[0]
    found = {p: n for p, n, _ in PLACES}[find_place(read_atlas(), short)]
    assert found.casefold().startswith(short.casefold())


def test_of_several_places_the_most_important_is_taken() -> None:
    tables = few(
        ("a-station", "Haven (station)", "junction", 1),
        ("a-port", "Haven (port)", "port", 1),
        ("a-hub", "Haven (hub)", "dryport", 2),
        ("a-city", "Haven (city)", "city", 1),
        ("b-city", "Haven (other)", "city", 1),
        ("new", "New Haven", "dryport", 1),
    )
    assert find_place(tables, "Haven") == "a-city"
    assert find_place(tables, "haven station") == "a-station"
    assert find_place(tables, "new haven") == "new"
    assert find_place(tables.replace(places=tables["places"].head(2)), "Haven") == "a-port"
    assert find_place(tables.replace(places=tables["places"][[0, 2]]), "Haven") == "a-station"
    assert find_place(tables.replace(places=tables["places"][[2, 5]]), "Haven") == "a-hub"


def test_importance_goes_before_a_plain_name() -> None:
    tables = few(("plain", "Haven", "border", 1), ("port", "Haven (International Port)", "port", 1))
    assert find_place(tables, "Haven") == "port"
    assert find_place(tables, "plain") == "plain"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("Tashkant", "Tashkent"), ("Duisberg", "Duisburg"), ("cn-xiam", "cn-xian"), ("Khorgas", "Khorgos")],
)
def test_an_unknown_place_comes_with_suggestions(name: str, suggestion: str) -> None:
    with pytest.raises(UnknownName, match=f"unknown place '{name}'; did you mean ") as caught:
        find_place(read_atlas(), name)
    assert suggestion in " ".join(caught.value.suggestions)


@pytest.mark.parametrize("name", ["", "  ", "'", "北京", "Atlantis Central"])
def test_a_name_of_nothing_finds_nothing(name: str) -> None:
    with pytest.raises(UnknownName):
        find_place(read_atlas(), name)
    with pytest.raises(UnknownName):
        find_country(read_atlas(), name)


@settings(deadline=None)  # other work on the machine is no fault
@given(st.sampled_from(COUNTRIES), st.sampled_from([str.upper, str.lower]))
def test_every_country_is_found_by_codes_and_name(row: tuple[str, str | None, str], write: object) -> None:
    assert callable(write)
    for name in row:
        if name:
            assert find_country(read_atlas(), write(name)) == row[0]


def test_a_country_is_found_without_its_accents() -> None:
    assert find_country(read_atlas(), "turkiye") == "TR"


def test_a_country_without_a_code_never_answers_to_an_empty_name() -> None:
    frame = pl.DataFrame({"iso2": ["XK", None], "iso3": [None, None], "name": ["Kosovo", "Nowhere"]})
    tables = Tables({"countries": frame.cast(pl.String)})
    for name in ("", "中国", "Nowhere"):
        with pytest.raises(UnknownName):
            find_country(tables, name)
    assert find_country(tables, "kosovo") == "XK"


@pytest.mark.parametrize(("name", "suggestion"), [("Turkey", "Türkiye"), ("Kazakstan", "Kazakhstan")])
def test_an_unknown_country_comes_with_suggestions(name: str, suggestion: str) -> None:
    with pytest.raises(UnknownName) as caught:
        find_country(read_atlas(), name)
    assert caught.value.suggestions[0] == suggestion
    assert caught.value.kind == "country"
