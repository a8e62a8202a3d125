"""Every number of the atlas changes some outcome of the model, or stands in a list with the reason why it does not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import polars as pl
import pytest

from landbridge.data.dictionary import Column, read_dictionary
from landbridge.data.read import ATLAS, complete, read_atlas, read_frames
from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError
from landbridge.model import demand as demand_door
from landbridge.model import network as network_door
from landbridge.model.network import ArcKind
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Build
from landbridge.study import solve as solving
from landbridge.study.past import past_notes, trade_of_year
from landbridge.study.players import players_of
from landbridge.study.routing import passage_routes
from landbridge.study.solve import DEMAND_TABLES, NETWORK_TABLES, Settings, columns
from landbridge.study.tabulate import tabulate
from landbridge.study.worth import RULES, corridors

CKU = Build(project="cku")
HELD = frozenset({"cku"})


@pytest.fixture(scope="module")
def atlas() -> Tables:
    return read_atlas()


#: Tables whose numbers no model reads, with the reason.
FOR_READERS = {
    "agreements": "register of treaties and loans",
    "countries": "figures for country pages; the model knows countries by their codes",
    "financing": "appraisals read it; their own tests hold it to that",
    "slips": "risk tables read the openings, held by the tests of appraisals; `said` is for readers",
    "facts": "statements of sources, on which numbers of other tables rest",
    "pipelines": "what they carry is in mode_shares; a test above holds it against their capacity",
    "lengths": "published lengths of whole lines; the checks hold links to them",
    "premiums": "questions about routes read it; the tests of cargo hold it to that",
    "subsidies": "told on legs beside the gross price; the tests of cargo hold it to that",
    "project_options": "register of the forms that a project may take; what is built stands in links",
    "projects": "register of projects; what a project changes stands in links and upgrades",
    "targets": "observations that results are held against; they must not move them",
    "event_effects": "validation and back-tests read it; their own tests hold it to that",
    "year_values": "years other than the one that is solved here; tests of scenarios hold it to that",
    "sea_quotes": "years other than the one that is solved here; tests of years hold it to that",
    "goods_output": "trade that answers to cost reads it; its own test holds it to that",
    "reporting_bases": "targets of trade read it; the tests of measures hold it to that",
    "tariffs": "trade that answers to cost reads it; its own test holds it to that",
    "terminal_plans": "the verb terminal simulates it; its own tests hold it to that",
    "terminal_resources": "the verb terminal simulates it; its own tests hold it to that",
    "terminal_stops": "the verb terminal simulates it; its own tests hold it to that",
    "terminal_streams": "the verb terminal simulates it; its own tests hold it to that",
    "trade_sectors": "trade that answers to cost reads it; its own test holds it to that",
}
#: Columns that change nothing by themselves, with the reason.
DOCUMENTARY = {
    "openings.works_from": "years before the matrix only; the tests of past years hold it to that",
    "places.tier": "decides which of two places of one name is meant",
    "places.snap_km": "quality of the coordinate",
    "links.drawn_km": "length of the drawn line; length_km is what is used",
    "links.max_straight_km": "quality of the drawing",
    "lines.tracks": "the capacity already says what the tracks can carry",
    "lines.axle_load_t": "told of a line; what a train carries stands in commodities and train_length_factor",
    "lines.train_length_m": "told of a line; what a train carries stands in commodities and train_length_factor",
    "services.vessels": "told of a service; its departures say what the fleet can do",
    "terminals.cranes": "told of a terminal; its capacity says what they can do",
    "terminals.tracks": "told of a terminal; its capacity says what they can do",
    "terminals.berths": "told of a terminal; its capacity says what they can do",
    "terminals.storage_teu": "told of a terminal; its capacity says what it can do",
    "terminal_classes.price_year": "says in whose money the prices are",
    "rates.start_usd_t": "no tariff of bulk with a fixed part is known yet; a test of networks holds it to its effect",
    "rates.exchange_rate": "the rates beside it are in dollars already; a test of prices holds it to the currency",
    "services.capacity_teu_yr": "published capacity; lines, crossings and yards limit the trains",
    "crossings.price_year": "says in whose money the prices are",
    "gauge_changes.price_year": "says in whose money the prices are",
    "terminals.price_year": "says in whose money the prices are",
    "access.price_year": "says in whose money the prices are",
    "rates.price_year": "says in whose money the prices are",
    "commodities.price_year": "says in whose money the prices are",
    "commodities.value_usd_t": "the value of time stands beside it, and is held against it in a test below",
    "commodities.vot_pct_day": "the value of time stands beside it, and is held against it in a test below",
    "trade.value_usd": "flows are in tonnes",
    "trade.baci_share": "quality of the record",
    "bulk_trade.value_usd": "flows are in tonnes",
    "trade_overrides.value_usd": "flows are in tonnes",
    "growth.growth_low_pct_yr": "lower path; a test of projections holds it to that",
    "growth.growth_high_pct_yr": "upper path; a test of projections holds it to that",
    "parameters.low": "range for tests of sensitivity",
    "parameters.high": "range for tests of sensitivity",
    "refusals.low": "range for tests of sensitivity",
    "refusals.high": "range for tests of sensitivity",
    "blocs.from_year": "membership counts as of today, except in measures of growth",
}

TRADERS = ["CHN", "KAZ", "RUS", "UZB", "DEU", "MNG", "KGZ", "IRN"]


def number_columns() -> list[Column]:
    return [c for c in read_dictionary(ATLAS).columns if c.type in ("number", "integer")]


LIVE = [
    f"{c.table}.{c.name}"
    for c in number_columns()
    if c.table not in FOR_READERS and f"{c.table}.{c.name}" not in DOCUMENTARY and c.table != "parameters"
]


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    """The atlas' tables as their files have them, with the trade of a few countries only, for speed."""
    read, _, faults = read_frames(ATLAS)
    assert not faults
    both = pl.col("exporter").is_in(TRADERS) & pl.col("importer").is_in(TRADERS)
    return {**read, "trade": read["trade"].filter(both), "bulk_trade": read["bulk_trade"].filter(both)}


def arrays(record: Any, but: tuple[str, ...] = ()) -> Iterator[bytes]:
    """Everything that a record holds, as bytes."""
    for each in fields(record):
        value = getattr(record, each.name)
        if each.name not in but:
            yield value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()


def digest(parts: Iterator[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()


def table_bytes(frame: pl.DataFrame) -> bytes:
    return frame.write_ndjson().encode()


#: What may change, the cheap first; each is looked at only where those before it stayed the same.
STAGES: tuple[Callable[[Tables], str], ...] = (
    lambda t: digest(arrays(network_door.build(columns(t, NETWORK_TABLES)))),
    lambda t: digest(arrays(demand_door.build(columns(t, DEMAND_TABLES), year=2030))),
    # the value itself is carried along for readers; what it does to costs stands in the value of time
    lambda t: digest(iter([*arrays(solving.cargo(t), but=("value_usd_t",)), repr(solving.weights(t)).encode()])),
    lambda t: digest(iter([table_bytes(passage_routes(t))])),
    lambda t: digest(iter([solving.prepare(t, year=2030, settings=Settings()).outside_usd_t.tobytes()])),
    lambda t: digest(iter([corridors(t, players_of(t, ["CN", "KZ"], 2030), **GAME).game.cost_usd_t.tobytes()])),
    lambda t: digest(table_bytes(frame) for frame in full(t).values()),
    lambda t: digest(table_bytes(trade_of_year(t, year, 2023)["trade"]) for year in (2014, 2017)),
    lambda t: repr(past_notes(t, 2017, 2023)),
)
#: How many of them are of the year that is asked about; the last estimate past trade, from values and years too.
OF_THE_YEAR = len(STAGES) - 2
#: What power is asked of.
GAME: dict[str, Any] = {"rule": RULES[0], "year": 2030, "settings": Settings(size="reduced")}


def full(tables: Tables) -> dict[str, pl.DataFrame]:
    """Every table of results, of the few countries."""
    return tabulate(tables, solving.solve(tables, year=2030, settings=Settings(gap=1e-5)))


def outcome(changed: dict[str, pl.DataFrame], stage: int) -> str:
    """What a stage makes of tables; a fault is an outcome too."""
    try:
        return STAGES[stage](apply(Tables(complete(changed)), (CKU,), 2030, held=HELD).tables)
    except LandbridgeError as error:
        return f"{error}"


@pytest.fixture(scope="module")
def unchanged(frames: dict[str, pl.DataFrame]) -> Callable[[int], str]:
    """What each stage makes of the tables as they are; made when first asked for."""
    kept: dict[int, str] = {}

    def of(stage: int) -> str:
        if stage not in kept:
            kept[stage] = outcome(frames, stage)
        return kept[stage]

    return of


def nudged(frame: pl.DataFrame, column: str, sign: int) -> pl.DataFrame:
    """A column with every number moved, neighbours by different amounts so that shares and ranks move too."""
    odd = pl.int_range(pl.len()) % 2
    if frame[column].dtype.is_integer():
        return frame.with_columns(pl.col(column) + sign * (3 + 3 * odd))
    return frame.with_columns(pl.col(column) * (1 + sign * (0.02 + 0.05 * odd)))


def changes(frames: dict[str, pl.DataFrame], unchanged: Callable[[int], str], *trials: dict[str, pl.DataFrame]) -> bool:
    """Whether some stage makes something else of some trial."""
    return any(
        outcome({**frames, **trial}, stage) != unchanged(stage) for stage in range(len(STAGES)) for trial in trials
    )


@pytest.mark.parametrize("name", LIVE)
def test_no_number_is_ignored(frames: dict[str, pl.DataFrame], unchanged: Callable[[int], str], name: str) -> None:
    table, column = name.split(".")
    trials = [{table: nudged(frames[table], column, sign)} for sign in (1, -1)]
    assert changes(frames, unchanged, *trials), f"{name} changes nothing: use it, or say why it is documentary"


#: Parameters of trade that answers to cost; its own test holds them to some effect.
OF_TRADE = ("trade-theta", "trade-theta-cap", "access-theta", "access-labour", "access-box-value")


#: Parameters of appraisals; the tests of investment hold them to some effect.
OF_INVESTMENT = (
    "appraisal-rate", "appraisal-years", "appraisal-carbon-price", "line-life", "line-upkeep", "line-build-years",
    "line-cost", "loan-interest", "loan-grace", "rail-cost-overrun",
)  # fmt: skip
#: Parameters of past years, of questions about routes and of how trains are counted; tests of theirs hold them to some
#: effect.
OF_OTHER_YEARS = (
    "ordinary-train", "rail-youth-china-europe", "cre-central-asia-share", "block-train-mid", "block-train-width",
    "train-fill", "russia-rail-before-2022",
)  # fmt: skip
ELSEWHERE = {*OF_TRADE, *OF_INVESTMENT, *OF_OTHER_YEARS}


@pytest.mark.parametrize("row", [row for row in read_atlas()["parameters"]["id"].to_list() if row not in ELSEWHERE])
def test_no_parameter_is_ignored(frames: dict[str, pl.DataFrame], unchanged: Callable[[int], str], row: str) -> None:
    other = pl.when(pl.col("high") == pl.col("value")).then("low").otherwise("high")
    here = pl.col("id") == row
    changed = frames["parameters"].with_columns(pl.when(here).then(other).otherwise("value").alias("value"))
    assert changes(frames, unchanged, {"parameters": changed})


def test_what_is_documentary_changes_nothing(frames: dict[str, pl.DataFrame], unchanged: Callable[[int], str]) -> None:
    """All of it at once, down to the last table of results."""
    changed = dict(frames)
    for column in number_columns():
        if column.table in FOR_READERS or f"{column.table}.{column.name}" in DOCUMENTARY:
            changed[column.table] = nudged(changed[column.table], column.name, 1)
    for stage in range(OF_THE_YEAR):
        assert outcome(changed, stage) == unchanged(stage)


def test_every_exception_is_a_column_that_exists() -> None:
    known = {f"{c.table}.{c.name}" for c in number_columns()}
    assert set(DOCUMENTARY) <= known
    assert set(FOR_READERS) <= {c.table for c in number_columns()}
    assert not {name.split(".")[0] for name in DOCUMENTARY} & set(FOR_READERS)


def test_the_value_of_time_is_that_of_value_and_loss(atlas: Tables) -> None:
    for row in atlas["commodities"].iter_rows(named=True):
        wagon = 0.019 if row["form"] == "bulk" else 0.0  # its hire, 30 USD a day for 65 t
        wanted = row["value_usd_t"] * row["vot_pct_day"] / 100 / 24 + wagon
        assert row["vot_usd_t_h"] == pytest.approx(wanted, rel=0.01), row["id"]


def test_every_open_crossing_yard_and_service_is_in_the_network(atlas: Tables) -> None:
    """Row by row: a crossing on an open link is passed, a yard where both gauges are open works."""
    tables = apply(atlas, (CKU,), 2030, held=HELD).tables
    net = network_door.build(columns(tables, NETWORK_TABLES))
    passed = {net.crossings[c] for c in net.crossing[net.kind == ArcKind.BORDER].tolist() if c >= 0}
    assert set(net.crossings) - passed == set()
    states: dict[str, set[str]] = {}
    for place, state in zip(net.node_place.tolist(), net.node_state.tolist(), strict=True):
        if place >= 0:
            states.setdefault(net.places[place], set()).add(net.states[state])
    works = sum(
        {f"rail:{1520 if mm == 1524 else mm}" for mm in (row["from_mm"], row["to_mm"])}
        <= states.get(row["place"], set())
        for row in tables["gauge_changes"].iter_rows(named=True)
    )
    assert works == (net.kind == ArcKind.GAUGE).sum()
    hubs = set(tables["services"]["place"].drop_nulls().to_list())
    assert hubs <= set(tables.ids("places"))
