"""What lines, terminals and prices say about themselves: railway administrations, and the checks of them."""

from __future__ import annotations

import polars as pl
import pytest

from landbridge.data.attributes import attribute_faults
from landbridge.data.read import ATLAS, read_atlas, read_frames


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    """The shipped tables, as read."""
    return read_frames(ATLAS)[0]


# ------------------------------------------------------------------------------------------- railway administrations


def test_every_railway_has_an_administration_and_nothing_else_has() -> None:
    links = read_atlas()["links"]
    named = pl.col("operators").list.len().fill_null(0) > 0
    assert links.filter(named != (pl.col("mode") == "rail"))["id"].to_list() == []


@pytest.mark.parametrize(
    ("link", "operators"),
    [
        ("rail:cn-alashankou:kz-dostyk", ["cn-cr", "kz-ktz"]),
        ("rail:mn-choir:mn-ulaanbaatar", ["mn-ubtz"]),
        ("rail:ua-izov:pl-slawkow", ["ua-uz", "pl-lhs"]),
        ("rail:ru-bryansk:ua-kyiv", ["ru-rzd", "by-bch", "ua-uz"]),
    ],
)
def test_administrations_stand_in_the_order_of_travel(link: str, operators: list[str]) -> None:
    row = read_atlas()["links"].filter(pl.col("id") == link)
    assert row["operators"].to_list() == [operators]


def test_armenia_and_half_of_mongolias_railway_lie_in_russian_hands() -> None:
    owners = dict(read_atlas()["operators"].select("id", "owner_countries").rows())
    assert owners["am-scr"] == ["RU"]
    assert owners["mn-ubtz"] == ["MN", "RU"]


def test_a_foreign_railway_and_a_railway_on_a_road_are_told(frames: dict[str, pl.DataFrame]) -> None:
    assert attribute_faults(frames) == []
    road = frames["links"].filter(pl.col("mode") == "road")["id"][0]
    chosen = pl.col("id").is_in(["rail:cn-xian:cn-baoji", road])
    links = frames["links"].with_columns(
        pl.when(chosen).then(pl.lit(["kz-ktz"])).otherwise(pl.col("operators")).alias("operators")
    )
    faults = attribute_faults({**frames, "links": links})
    told = [(fault.row, fault.field, fault.wanted) for fault in faults]
    assert ("rail:cn-xian:cn-baoji", "operators", "railways of the countries it meets (CN)") in told
    assert (road, "operators", "nothing on road") in told
