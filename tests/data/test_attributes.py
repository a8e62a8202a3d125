"""What lines, terminals and prices say about themselves: railway administrations, and the checks of them."""

from __future__ import annotations

import polars as pl
import pytest

from landbridge.data.attributes import TEU_CRANE_YR, attribute_faults
from landbridge.data.provenance import read_origins
from landbridge.data.read import ATLAS, CLASS_COLUMNS, complete, read_atlas, read_frames
from landbridge.data.why import explain


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


# ------------------------------------------------------------------------------------------------------------ terminals

#: Terminals and ports that the corridors turn on.
NAMED = """
kz-khorgosgateway cn-khorgos cn-alashankou kz-dostyk kz-altynkol cn-erenhot mn-zamyn-uud cn-manzhouli
ru-zabaikalsk cn-suifenhe ru-grodekovo ru-vladivostok ru-vostochny pl-malaszewicze by-brest ru-kaliningrad
ir-sarakhs kz-aktau kz-kuryk az-alat tm-turkmenbashi ge-poti ge-batumi ru-belyrast ru-selyatino cn-xian
ro-constanta ru-baltiysk
""".split()

SIZE = ["capacity_teu_yr", "capacity_t_yr", "cranes", "tracks", "berths", "storage_teu"]


@pytest.mark.parametrize("place", NAMED)
def test_named_terminals_are_there_and_what_is_not_known_is_said(place: str) -> None:
    rows = read_atlas()["terminals"].filter(pl.col("place") == place)
    assert rows.height > 0
    known = rows.select(pl.any_horizontal(pl.col(SIZE).is_not_null()).any()).item()
    if not known:  # what was looked for and not found is told in the notes
        assert rows["note"].str.contains("no capacity|no yearly capacity").any()


def test_khorgos_station_and_the_dry_port_are_two_places(frames: dict[str, pl.DataFrame]) -> None:
    rows = frames["terminals"].filter(pl.col("place").is_in(["cn-khorgos", "kz-khorgosgateway"]))
    assert set(rows["place"]) == {"cn-khorgos", "kz-khorgosgateway"}
    assert rows.filter(pl.col("id") == "kz-khorgosgateway:rail-road:container")["capacity_teu_yr"].to_list() == [540000]


def test_most_of_what_a_terminal_states_of_itself_is_known() -> None:
    origins, _ = read_origins(ATLAS, "terminals")
    frame = read_frames(ATLAS)[0]["terminals"]
    kinds = [
        found.kind
        for row in frame.iter_rows(named=True)
        for column in [*CLASS_COLUMNS, *SIZE]
        if row[column] is not None and (found := origins.of(row["id"], column))
    ]
    known = sum(kind in ("reported", "derived") for kind in kinds)
    assert known >= 60  # so that the share is not reached by leaving out
    assert known / len(kinds) >= 0.6


def test_a_terminal_takes_from_its_class_what_is_not_known_of_itself(frames: dict[str, pl.DataFrame]) -> None:
    raw = {row["id"]: row for row in frames["terminals"].iter_rows(named=True)}
    done = {row["id"]: row for row in complete(frames)["terminals"].iter_rows(named=True)}
    classes = {row["id"]: row for row in frames["terminal_classes"].iter_rows(named=True)}
    assert list(raw) == list(done)
    for name, row in raw.items():
        for column in CLASS_COLUMNS:
            own = row[column] if row[column] is not None else classes[row["class"]][column]
            assert done[name][column] == own


def test_a_class_value_says_that_it_is_one() -> None:
    told = explain(ATLAS, read_atlas(), "terminals", "az-alat:rail-ferry:container", "time_h")
    assert (told["value"], told["kind"]) == (36.0, "estimate")
    assert told["reasoning"].startswith("Not known of this terminal; that of its class caspian:container.")
    own = explain(ATLAS, read_atlas(), "terminals", "ru-vladivostok:rail-sea:container", "time_h")
    assert (own["value"], own["kind"]) == (240.0, "reported")


@pytest.mark.parametrize(
    ("row", "column", "value", "field"),
    [
        ("az-alat:rail-road:container", "class", "inland:bulk", "class"),
        ("az-alat:rail-road:container", "class", "gauge-yard:container", "class"),
        ("cn-alashankou:rail-rail:container", "capacity_teu_yr", 4 * TEU_CRANE_YR + 1, "capacity_teu_yr"),
    ],
)
def test_terminals_that_contradict_themselves_are_told(
    frames: dict[str, pl.DataFrame], row: str, column: str, value: object, field: str
) -> None:
    changed = frames["terminals"].with_columns(
        pl.when(pl.col("id") == row).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
    )
    faults = attribute_faults({**frames, "terminals": changed})
    assert {(fault.row, fault.field) for fault in faults} == {(row, field)}


def test_a_terminal_without_hours_anywhere_is_told(frames: dict[str, pl.DataFrame]) -> None:
    changed = frames["terminal_classes"].with_columns(
        pl.when(pl.col("id") == "train-ferry-van:bulk").then(None).otherwise(pl.col("time_h")).alias("time_h")
    )
    faults = attribute_faults({**frames, "terminal_classes": changed})
    assert {fault.row for fault in faults} == {"tr-tatvan:rail-ferry:bulk", "tr-van:rail-ferry:bulk"}
