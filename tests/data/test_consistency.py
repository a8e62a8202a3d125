"""What tables must agree on: trade adds up, and a year's network joins what it should."""

from __future__ import annotations

import polars as pl
import pytest

from landbridge.data.consistency import total_faults
from landbridge.data.geography import FIRST_YEAR, LAST_YEAR, great_circle_km, joined_faults
from landbridge.data.read import ATLAS, read_frames

Frames = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def frames() -> Frames:
    """The tables of the atlas as they stand in its files."""
    return read_frames(ATLAS)[0]


def test_a_great_circle_is_as_long_as_geodesy_says() -> None:
    assert great_circle_km((0, 0), (180, 0)) == pytest.approx(6371.0088 * 3.141592653589793)
    # Sinnott's example, given by the Aviation Formulary: Los Angeles to New York, 2,144 nautical miles of 1' of arc
    la, ny = (-(118 + 24 / 60), 33 + 57 / 60), (-(73 + 47 / 60), 40 + 38 / 60)
    assert great_circle_km(la, ny) / (6371.0088 * 3.141592653589793 / 180 / 60) == pytest.approx(2144, abs=1)


def test_the_trade_of_each_country_adds_to_its_total(frames: Frames) -> None:
    assert total_faults(frames) == []


def test_trade_that_does_not_add_up_is_told_for_both_sides(frames: Frames) -> None:
    row = (pl.col("exporter") == "MNG") & (pl.col("importer") == "CHN")
    spoilt = frames["trade"].with_columns(value_usd=pl.when(row).then(0).otherwise(pl.col("value_usd")))
    (fault,) = total_faults({**frames, "trade": spoilt})  # Mongolia is a small part of China's imports
    assert (fault.where, fault.row, fault.field) == ("trade.csv", "MNG", "value_usd")
    assert fault.wanted == "exports that add to 15.04 bn USD of countries.csv"
    assert fault.got == "1.947 bn USD"
    row = (pl.col("importer") == "KGZ") & (pl.col("exporter") == "CHN")
    spoilt = frames["trade"].with_columns(value_usd=pl.when(row).then(0).otherwise(pl.col("value_usd")))
    (fault,) = total_faults({**frames, "trade": spoilt})
    assert (fault.row, fault.wanted.split(" ")[0]) == ("KGZ", "imports")


def test_trade_that_weighs_nothing_is_told(frames: Frames) -> None:
    row = (pl.col("exporter") == "KAZ") & (pl.col("importer") == "CHN") & (pl.col("commodity") == "fuels")
    spoilt = frames["trade"].with_columns(tonnes=pl.when(row).then(0).otherwise(pl.col("tonnes")))
    (fault,) = total_faults({**frames, "trade": spoilt})
    assert (fault.row, fault.field, fault.got) == ("KAZ:CHN:2023:fuels", "tonnes", "0")


@pytest.mark.parametrize("year", range(FIRST_YEAR, LAST_YEAR + 1))
def test_a_line_shut_for_a_whole_year_cuts_off_what_lies_behind_it(frames: Frames, year: int) -> None:
    row = pl.col("id") == "rail:kz-shar:kz-oskemen"
    links = frames["links"].with_columns(
        closed_from=pl.when(row).then(pl.date(year, 1, 1)).otherwise(pl.col("closed_from")),
        closed_to=pl.when(row).then(pl.date(year, 12, 31)).otherwise(pl.col("closed_to")),
    )
    (fault,) = joined_faults({**frames, "links": links})
    assert (fault.row, fault.got) == ("kz-oskemen", f"alone in {year}")
