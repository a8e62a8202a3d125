"""The network's lengths against published ones."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median

import polars as pl
import pytest

from landbridge.data.lengths import (
    MEDIAN_PCT,
    UNEXPLAINED_PCT,
    compare_lengths,
    length_faults,
    median_error_pct,
)
from landbridge.data.read import ATLAS, read_frames

Frames = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def frames() -> Frames:
    """The tables of the atlas as they stand in its files."""
    return read_frames(ATLAS)[0]


def test_lengths_agree_with_published_ones(frames: Frames) -> None:
    legs = compare_lengths(frames)
    assert all(leg.error_pct is not None for leg in legs)
    assert median_error_pct(legs) < MEDIAN_PCT
    far = [leg for leg in legs if abs(leg.error_pct or 0) > UNEXPLAINED_PCT]
    assert [leg.id for leg in far if not leg.explanation] == []
    # an explanation stands where it is needed, and nowhere else
    assert {leg.id for leg in legs if leg.explanation} == {leg.id for leg in far}
    assert list(length_faults(frames)) == []


def test_traced_lengths_alone_are_near_too(frames: Frames) -> None:
    """Legs whose links have published lengths agree by construction; what was traced is held apart from them."""
    errors = [
        abs(100 * (leg.traced_km / leg.published_km - 1))
        for leg in compare_lengths(frames)
        if leg.traced_km is not None and leg.published_km >= 100
    ]
    assert 1.5 < median(errors) < 2.5  # 2.0 in the notes of the base network


@pytest.mark.shared
def test_every_row_of_the_published_table_is_there(shared: Path, frames: Frames) -> None:
    text = (shared / "data" / "geo" / "NOTES.md").read_text(encoding="utf-8")
    table = text.split("| Leg | published km |")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()[2:]]
    assert len(rows) == frames["lengths"].height >= 60
    stated = frames["lengths"]["published_km"].to_list()
    for (name, published, built, error, _), km, leg in zip(rows, stated, compare_lengths(frames), strict=True):
        assert km == pytest.approx(float(published), abs=0.5), name
        # traced as it was then, but for links whose line was mended since
        assert leg.traced_km == pytest.approx(float(built), rel=0.01, abs=1.0), name
        assert re.fullmatch(r"[+-]\d+\.\d", error)


def test_a_leg_far_off_without_a_reason_is_named(frames: Frames) -> None:
    row = pl.col("id") == "urumqi-duisburg"
    lengths = frames["lengths"].with_columns(
        explanation=pl.when(row).then(None).otherwise(pl.col("explanation")),
        stops=pl.when(pl.col("id") == "angren-pap").then(pl.lit("uz-angren;uz-nowhere")).otherwise(pl.col("stops")),
    )
    found = {fault.row: fault for fault in length_faults({**frames, "lengths": lengths})}
    assert set(found) == {"urumqi-duisburg", "angren-pap"}
    assert (found["urumqi-duisburg"].where, found["urumqi-duisburg"].field) == ("lengths.csv", "explanation")
    assert found["urumqi-duisburg"].wanted == "the reason for more than 6 per cent from 8000 km"
    (leg,) = [leg for leg in compare_lengths(frames) if leg.id == "urumqi-duisburg"]
    assert leg.built_km is not None
    assert found["urumqi-duisburg"].got == f"{leg.built_km:.0f} km, {100 * (leg.built_km / 8000 - 1):+.1f} per cent"
    assert found["angren-pap"].got == "no way"


def test_the_part_in_one_country_and_pieces_of_a_figure() -> None:
    """A line a -60- b -40- c, of which b-c lies half in each of two countries, and a piece d -5- e."""
    links = pl.DataFrame(
        [
            ("a", "b", 60.0, None, "AA:60"),
            ("b", "c", 40.0, 44.0, "AA:20;BB:20"),
            ("d", "e", 5.0, None, "BB:5"),
            ("a", "c", 300.0, None, "AA:300"),
        ],
        schema=["place_a", "place_b", "length_km", "length_official_km", "country_km"],
        orient="row",
    ).with_columns(mode=pl.lit("rail"), status=pl.lit("existing"))
    legs = [
        ("whole", "a;c", None, 104.0),
        ("in-a", "a;c", "AA", 82.0),
        ("pieces", "a;b+d;e", None, 65.0),
        ("around", "c;a;b", None, 164.0),
        ("nowhere", "a;d", None, None),
    ]
    lengths = pl.DataFrame(
        [(name, name, stops, ["rail"], country, 100.0, "x", None) for name, stops, country, _ in legs],
        schema=["id", "name", "stops", "modes", "country", "published_km", "published_by", "explanation"],
        orient="row",
    )
    found = compare_lengths({"links": links, "lengths": lengths})
    assert [leg.built_km for leg in found] == [km for *_, km in legs]
    assert found[0].official_share == pytest.approx(0.4)
    assert found[0].traced_km == 100.0
    assert found[0].error_pct == pytest.approx(4.0)
