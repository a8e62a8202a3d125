"""Borders and gauge-change yards of the shipped atlas: what is shut and since when, and hours that add up."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from landbridge.data.provenance import read_origins
from landbridge.data.read import ATLAS, read_atlas, read_frames
from landbridge.data.tables import Tables
from landbridge.scenario.apply import apply
from tools.atlas import share_known

#: Borders that no train, or not every train, passes, and the day from which; None where only the years are known.
NOT_OPERATING = {
    "kars-gyumri": ("closed", date(1993, 7, 11)),
    "sadarak-yeraskh": ("closed", None),
    "bryansk-kyiv-by-ua": ("closed", date(2022, 2, 24)),
    "vyborg-vainikkala": ("closed", date(2026, 7, 1)),
    "pskov-rezekne": ("closed", date(2026, 7, 1)),
    "sebezh-zilupe": ("restricted", date(2022, 2, 25)),
    "stpetersburg-narva": ("restricted", date(2022, 4, 8)),
    "gudagai-kena": ("restricted", date(2022, 2, 1)),
    "kaliningrad": ("restricted", date(2022, 6, 18)),
    "mamonovo-braniewo": ("restricted", date(2022, 4, 10)),
    "zahedan-quetta": ("restricted", None),
}


@pytest.fixture(scope="module")
def atlas() -> Tables:
    return read_atlas()


def test_a_crossing_closed_in_practice_is_not_operating(atlas: Tables) -> None:
    rows = {row["id"]: row for row in atlas["crossings"].to_dicts()}
    stated = {n: (r["status"], r["closed_from"]) for n, r in rows.items() if r["status"] in ("closed", "restricted")}
    assert stated == NOT_OPERATING
    links = dict(atlas["links"].select("id", "status").iter_rows())
    unbuilt = {n for n, r in rows.items() if links[r["link"]] in ("under_construction", "planned", "proposed")}
    assert {n for n, r in rows.items() if r["status"] == "planned"} == unbuilt
    assert "torugart-makmal" in unbuilt  # CKU
    assert all(rows[name]["closed_reason"] for name in NOT_OPERATING)
    for row in rows.values():  # an operating crossing may only name a closure that is over
        assert row["status"] != "operating" or (row["closed_from"] is None) == (row["closed_to"] is None), row["id"]


@pytest.mark.parametrize(
    ("crossing", "year", "share"),
    [
        ("kars-gyumri", 2023, 0.0),
        ("sadarak-yeraskh", 2023, 0.0),
        ("bryansk-kyiv-by-ua", 2023, 0.0),
        ("vyborg-vainikkala", 2023, 1.0),  # of the quarter of its capacity that is left
        ("vyborg-vainikkala", 2026, 181 / 365),
        ("vyborg-vainikkala", 2027, 0.0),
        ("pskov-rezekne", 2027, 0.0),
        ("brest-malaszewicze", 2024, 1.0),
        ("brest-malaszewicze", 2025, 1 - 14 / 365),
        ("svislach-siemianowka", 2025, 1 - 14 / 365),
        ("malaszewicze-minsk-road", 2025, 1 - 14 / 365),
        ("akhalkalaki", 2023, 135 / 365),
        ("akhalkalaki", 2025, 1.0),
    ],
)
def test_closures_hold_for_their_part_of_the_year(atlas: Tables, crossing: str, year: int, share: float) -> None:
    left = dict(apply(atlas, [], year).tables["crossings"].select("id", "availability").rows())
    assert left.get(crossing, 0.0) == pytest.approx(share, abs=1e-9)


def test_the_quarter_that_sanctions_leave_is_below_its_neighbours(atlas: Tables) -> None:
    """Restricted borders have less capacity than any that is open between Russia or Belarus and the same countries."""
    rows = {row["id"]: row for row in atlas["crossings"].to_dicts()}
    for name in ("vyborg-vainikkala", "stpetersburg-narva", "pskov-rezekne", "mamonovo-braniewo"):
        assert rows[name]["capacity_ab_trains_day"] < rows["bigosovo-daugavpils"]["capacity_ab_trains_day"], name


@pytest.mark.parametrize(
    ("crossing", "way", "trains_day", "yard", "published_h"),
    [
        # CAREC: corridor 1 in 2020 at the trains of 2023; China in 2023 and a train's handling at Dostyk
        ("alashankou-dostyk", "ab", 12.4, None, 37.3),
        ("khorgos-altynkol", "ab", 0.0, None, 14.0 + 4.25),
        # both stations in CAREC's reports on 2022 and 2023, the change of gauge within
        ("alashankou-dostyk", "ba", 14.0, "cn-alashankou:1520-1435:transfer-container", 6.8 + 16.3),
        ("khorgos-altynkol", "ba", 8.0, "cn-khorgos:1520-1435:transfer-container", 6.8 + 16.3),
        ("erenhot-zamyn-uud", "ba", 14.9, "cn-erenhot:1520-1435:transfer-container", 6.26 + 16.3),
        ("alat-farap", "ab", 0.0, None, 6.0 + 3.7),
    ],
)
def test_stages_add_up_to_what_is_published(
    atlas: Tables, crossing: str, way: str, trains_day: float, yard: str | None, published_h: float
) -> None:
    """Processing, inspections, queue at the trains of the day, and the yard where the published hours hold it."""
    row = atlas["crossings"].row(by_predicate=pl.col("id") == crossing, named=True)
    inspection_h = atlas["parameters"].row(by_predicate=pl.col("id") == "inspection-h", named=True)["value"]
    inspections = (row[f"inspection_share_{way}"] or 0.0) * inspection_h
    queue = row[f"waiting_{way}_h"] * (trains_day / row[f"capacity_{way}_trains_day"]) ** 4
    hours = row[f"processing_{way}_h"] + inspections + queue
    if yard:
        change = atlas["gauge_changes"].row(by_predicate=pl.col("id") == yard, named=True)
        hours += change["work_h"] + change["yard_h"]
    assert hours == pytest.approx(published_h, abs=0.15)


def test_no_consignment_is_inspected_inside_the_union(atlas: Tables) -> None:
    union = {"RU", "BY", "KZ", "AM", "KG"}
    country = dict(atlas["places"].select("id", "iso2").rows())
    for row in atlas["crossings"].to_dicts():
        sides = {row["country_a"] or country[row["place_a"]], row["country_b"] or country[row["place_b"]]}
        if sides <= union:
            assert not row["inspection_share_ab"], row["id"]
            assert not row["inspection_share_ba"], row["id"]


def test_most_of_the_passages_borders_and_yards_is_known_rather_than_judged() -> None:
    """Of the values of crossings and of gauge-change yards on the seven passages, 60 per cent; of either, over half."""
    counts = {table: share_known.share(found) for table, found in share_known.kinds(share_known.ATLAS).items()}
    known, cells = (sum(counts[table][i] for table in ("crossings", "gauge_changes")) for i in (0, 1))
    assert known / cells >= 0.6
    assert counts["crossings"][0] / counts["crossings"][1] >= 0.6
    assert counts["gauge_changes"][0] / counts["gauge_changes"][1] >= 0.6


def test_most_of_what_the_passages_terminals_use_is_known() -> None:
    """Sixty per cent, the values that terminals take from their class counted for each of them."""
    atlas = read_frames(share_known.ATLAS)[0]
    found = share_known.kinds(share_known.ATLAS)["terminals"]
    known, cells = share_known.share(share_known.as_used(share_known.ATLAS, atlas, found))
    assert known / cells >= 0.6


def test_no_validation_target_is_an_input_of_border_hours() -> None:
    """Facts that state a target's border hours, trains or peaks do not stand behind the passages' hours."""
    targets = {"F0180", "F0193", "F0194", "F0218", "F0665", "F0122", "F0059"}
    for table in ("crossings", "gauge_changes"):
        for origin in read_origins(ATLAS, table)[0].all:
            if origin.kind in ("reported", "derived") and "_h" in origin.column:
                assert not targets & set(origin.sources), (table, origin.row, origin.column)


def test_railways_at_a_crossing_are_those_of_its_two_sides(atlas: Tables) -> None:
    country = dict(atlas["places"].select("id", "iso2").rows())
    home = dict(atlas["operators"].select("id", "country").rows())
    for row in atlas["crossings"].to_dicts():
        sides = [row["country_a"] or country[row["place_a"]], row["country_b"] or country[row["place_b"]]]
        railways = [home[name] for name in row["operators"] or ()]
        assert railways == (sides if row["mode"] == "rail" else []), row["id"]
