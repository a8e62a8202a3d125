"""Answers about borders: what passes them, how long it takes, how many trains they bear, what waits before them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.study.validate.names import Names
from landbridge.study.validate.words import Answer, Cell, NotCovered, Operand, days_of
from landbridge.study.validate.worlds import World

__all__ = [
    "MEGATONNE",
    "border_hours",
    "counted",
    "crossing",
    "crossing_flows",
    "parts_of",
    "peak",
    "queue",
    "wagons",
]

MEGATONNE = 1e6
COLUMNS = {
    "crossing_tonnes": ("tonnes", MEGATONNE),
    "crossing_teu": ("teu", 1.0),
    "crossing_trains": ("trains", 1.0),
}

#: Tonnes in a loaded wagon on a Caspian ferry: the usual load of a four-axle wagon of the 1520 railways.
WAGON_LOAD_T = 60.0
#: Boxes of 20 feet on a wagon.
WAGON_TEU = 2.0
#: Part of the hours of work at a border that falls on the side that the train enters.
ENTERED_SIDE = 0.5


def parts_of(frame: pl.DataFrame) -> tuple[tuple[str, str, str, float], ...]:
    """Tonnes by exporter, importer and commodity of a table of flows."""
    keys = [c for c in ("exporter", "importer", "commodity") if c in frame.columns]
    if len(keys) < 3 or "tonnes" not in frame.columns:
        return ()
    summed = frame.filter(pl.col("exporter") != "").group_by(keys).agg(pl.col("tonnes").sum())
    return tuple(summed.sort(keys).iter_rows())


def _qualified(names: Names, qualifier: str) -> pl.Expr:
    """Rows of crossing flows that a qualifier means."""
    central = names.traders("central-asia")
    europe = names.traders("europe")
    ends_there = pl.col("exporter").is_in(central) | pl.col("importer").is_in(central)
    other = pl.when(pl.col("from_country") == "CN").then(pl.col("to_country")).otherwise(pl.col("from_country"))
    neighbour = other.replace_strict(names.iso3, default=None)
    china = (pl.col("exporter") == "CHN") | (pl.col("importer") == "CHN")
    known: dict[str, pl.Expr] = {
        "rail": pl.col("crossing").is_in(names.rail_crossings),
        "road": pl.col("crossing").is_in(names.road_crossings),
        "transit": pl.col("transit"),
        "export": pl.col("exporter") == neighbour,
        "import": pl.col("importer") == neighbour,
        "china-europe-rail": names.boxed,
        "china-central-asia": names.boxed & ends_there,
        "container-train": names.boxed,
        "utlc-transit": names.boxed & china & (pl.col("exporter").is_in(europe) | pl.col("importer").is_in(europe)),
        "utlc-all": names.boxed & china & ~ends_there,
    }
    if qualifier in known:
        return known[qualifier]
    if names.is_group(qualifier):
        ends = names.traders(qualifier)
        return pl.col("exporter").is_in(ends) | pl.col("importer").is_in(ends)
    if "+" in qualifier:
        found = [_qualified(names, part) for part in qualifier.split("+")]
        expr = found[0]
        for more in found[1:]:
            expr = expr | more
        return expr
    raise NotCovered(f"flows of a crossing are not told apart by {qualifier}")


def crossing_flows(world: World, op: Operand, flows: pl.DataFrame, open_ones: pl.DataFrame) -> pl.DataFrame:
    """Rows of crossing flows that an operand means.

    Raises
    ------
    NotCovered
        If the atlas has no such crossing, it is not open, or flows are not told apart in that way.
    """
    names = world.names
    if "<>" in op.thing:
        a, b = (list(names.group(part)) for part in op.thing.split("<>"))
        start, end = pl.col("from_country"), pl.col("to_country")
        between = (start.is_in(a) & end.is_in(b)) | (start.is_in(b) & end.is_in(a))
        road = "road" in op.qualifiers
        frame = flows.filter(between & pl.col("crossing").is_in(names.road_crossings if road else names.rail_crossings))
    else:
        ids = names.crossings(op.thing)
        lost = [i for i in ids if i not in names.known_crossings]
        if lost:
            raise NotCovered(f"no crossing {', '.join(lost)} in the atlas")
        shut = [i for i in ids if i not in set(open_ones["crossing"].to_list())]
        if (
            len(shut) == len(ids) and op.scenario == world.without(op).scenario
        ):  # a scenario may shut it: nothing passes
            raise NotCovered(f"{', '.join(shut)} is not open in this scenario and year")
        frame = flows.filter(pl.col("crossing").is_in(ids))
    for qualifier in op.qualifiers:
        frame = frame.filter(_qualified(names, qualifier))
        if "china-europe-rail" in qualifier.split("+"):
            central = names.traders("central-asia")
            part = pl.col("exporter").is_in(central) | pl.col("importer").is_in(central)
            frame = counted(world.tables, op.year, frame, part, whole="china-central-asia" in qualifier)
    return _directed(frame, op)


def counted(tables: Tables, year: int, frame: pl.DataFrame, part: pl.Expr, *, whole: bool = False) -> pl.DataFrame:
    """What China Railway counts as China-Europe trains among flows of boxes.

    A train carries the part ``train-fill`` of the boxes that it has room for. Trade with Central Asia is counted with
    the part ``cre-central-asia-share``; all of it with the part of boxes that ran in trains of such a name in that
    year, ``1 / (1 + exp((block-train-mid - year) / block-train-width))``.

    Parameters
    ----------
    tables
        With ``parameters``.
    year
        The year.
    frame
        Flows with tonnes, teu and trains.
    part
        Rows of trade with Central Asia.
    whole
        Whether that trade is counted whole, as where both services are asked about.
    """
    values = dict(tables["parameters"].select("id", "value").iter_rows())
    share = 1.0 if whole else float(values.get("cre-central-asia-share", 0.0))
    named = 1.0
    if "block-train-mid" in values:
        named = 1 / (1 + math.exp((values["block-train-mid"] - year) / values["block-train-width"]))
    fill = float(values.get("train-fill", 1.0))  # a train that is not full carries the same boxes on more trains
    weight = named * pl.when(part).then(share).otherwise(1.0)
    frame = frame.with_columns(pl.col("trains") / fill)
    return frame.with_columns(pl.col(name) * weight for name in ("tonnes", "teu", "trains"))


def _directed(frame: pl.DataFrame, op: Operand) -> pl.DataFrame:
    if op.direction in ("both", "na"):
        return frame
    if op.direction in ("from-china", "to-china"):
        # where China is no neighbour, the side towards it stands first in the crossing's name
        at_china = (pl.col("from_country") == "CN") | (pl.col("to_country") == "CN")
        away = pl.col("direction") == ("ab" if op.direction == "from-china" else "ba")
        column = "from_country" if op.direction == "from-china" else "to_country"
        return frame.filter(pl.when(at_china).then(pl.col(column) == "CN").otherwise(away))
    raise NotCovered(f"a crossing has no direction {op.direction}")


def crossing(world: World, op: Operand, row: Mapping[str, Any]) -> Answer:
    """Tonnes, boxes or trains over crossings or ferry lines."""
    column, scale = COLUMNS[row["indicator"]]
    ids = world.names.crossings(op.thing)
    if all(i.startswith("ferry:") for i in ids):
        if column == "trains" or op.qualifiers:
            raise NotCovered("of a ferry line only all tonnes and boxes are told")
        return Answer(float(_ferry(world, op, ids)[column].sum()) / scale)
    frame = crossing_flows(world, op, world.frame("crossing_flows", op), world.frame("crossings", op))
    return Answer(float(frame[column].sum()) / scale, parts=parts_of(frame))


def _ferry(world: World, op: Operand, ids: list[str]) -> pl.DataFrame:
    frame = world.frame("links", op).filter(pl.col("link").is_in(ids))
    if frame.is_empty():
        raise NotCovered(f"{', '.join(ids)} is not open in this scenario and year")
    if op.direction in ("from-china", "to-china"):
        # the side towards China stands first in the ids of these lines
        frame = frame.filter(pl.col("direction") == ("ab" if op.direction == "from-china" else "ba"))
    return frame


def wagons(world: World, op: Operand, _row: Mapping[str, Any]) -> Answer:
    """Wagons on a ferry line: loaded ones by weight or boxes, and the empty ones that go back."""
    ids = world.names.crossings(op.thing)
    if not all(i.startswith("ferry:") for i in ids) or op.qualifiers:
        raise NotCovered("wagons are counted on ferry lines only, all together")
    total = 0.0
    for name in ids:
        frame = _ferry(world, op, [name])
        by_way = dict.fromkeys(("ab", "ba"), 0.0)
        for way, tonnes, teu in frame.select("direction", "tonnes", "teu").iter_rows():
            by_way[way] += max(tonnes / WAGON_LOAD_T, teu / WAGON_TEU)
        # a wagon that came loaded goes back, loaded or empty
        most = max(by_way.values())
        total += 2 * most if op.direction in ("both", "na") else most
    return Answer(total, note=f"{WAGON_LOAD_T:g} t or {WAGON_TEU:g} TEU a wagon; every wagon goes there and back")


def peak(world: World, op: Operand, _row: Mapping[str, Any]) -> Answer:
    """Trains a day that the model gives a crossing room for."""
    names = world.names
    found = names.crossings(op.thing)
    frame = world.tables["crossings"].filter(pl.col("id").is_in(found))
    if frame.height < len(found) or op.qualifiers:
        raise NotCovered("no such crossing in the atlas")
    cells = []
    total = 0.0
    for name, place, ab, ba in frame.select(
        "id", "place_a", "capacity_ab_trains_day", "capacity_ba_trains_day"
    ).iter_rows():
        away = str(place).startswith("cn-")
        sides = {"both": ("ab", "ba"), "na": ("ab", "ba"), "from-china": ("ab" if away else "ba",)}
        for side in sides.get(op.direction, ("ba" if away else "ab",)):
            total += float((ab if side == "ab" else ba) or 0)
            cells.append(Cell("crossings", name, f"capacity_{side}_trains_day"))
    return Answer(total, tuple(cells), "capacity of the crossing")


def border_hours(world: World, op: Operand, _row: Mapping[str, Any]) -> Answer:
    """Mean hours at borders over trains; at one station, the part of the hours that falls on its side."""
    frame, year = world.near("crossings", op)
    names = world.names
    modes = [q for q in op.qualifiers if q in ("rail", "road")]
    if rest := [q for q in op.qualifiers if q not in modes]:
        raise NotCovered(f"hours are not told apart by {rest[0]}")
    for mode in modes:
        frame = frame.filter(pl.col("mode") == mode)
    if op.thing in names.terminal:
        return _station_hours(world, op, frame, year)
    if op.thing in names.iso2:
        iso2 = names.iso2[op.thing]
        into, out = pl.col("to_country") == iso2, pl.col("from_country") == iso2
        frame = frame.filter(into if op.direction == "inbound" else out if op.direction == "outbound" else into | out)
    elif "<>" in op.thing:
        a, b = (list(names.group(part)) for part in op.thing.split("<>"))
        start, end = pl.col("from_country"), pl.col("to_country")
        frame = _directed(frame.filter((start.is_in(a) & end.is_in(b)) | (start.is_in(b) & end.is_in(a))), op)
    else:
        frame = _directed(frame.filter(pl.col("crossing").is_in(names.crossings(op.thing))), op)
    frame = frame.filter(pl.col("trains") > 0)
    if frame.is_empty():
        raise NotCovered("no traffic over such a crossing in the model")
    cells = _hour_cells(frame)
    mean = float((frame["time_h"] * frame["trains"]).sum()) / float(frame["trains"].sum())
    return Answer(mean, cells, f"mean over trains at the flows of {year}")


def _hour_cells(frame: pl.DataFrame) -> tuple[Cell, ...]:
    return tuple(
        Cell("crossings", name, f"{part}_{side}_h")
        for name, side in frame.select("crossing", "direction").iter_rows()
        for part in ("processing", "waiting")
    )


def _station_hours(world: World, op: Operand, frame: pl.DataFrame, year: int) -> Answer:
    """Hours on one side of a border: half of the work, the queue on the side that is left, the gauge change there."""
    place = world.names.terminal[op.thing]
    table = world.tables["crossings"]
    at = table.filter((pl.col("place_a") == place) | (pl.col("place_b") == place))
    frame = frame.filter((pl.col("trains") > 0) & pl.col("crossing").is_in(at["id"].to_list()))
    if frame.is_empty():
        raise NotCovered(f"no crossing with traffic at {op.thing} in the model")
    yard = 0.0
    yards, _ = world.near("yards", op)
    here = yards.filter((pl.col("place") == place) & (pl.col("trains") > 0))
    if here.height:
        yard = float((here["time_h"] * here["trains"]).sum()) / float(here["trains"].sum())
    side_a = dict(at.select("id", "place_a").iter_rows())
    hours = trains = 0.0
    for name, way, count, time_h, free_h in frame.select(
        "crossing", "direction", "trains", "time_h", "free_h"
    ).iter_rows():
        leaving = (side_a[name] == place) == (way == "ab")
        queue = max(0.0, time_h - free_h)
        # work is done on both sides; who waits for the crossing waits before it, who has come over waits for the yard
        own = ENTERED_SIDE * free_h + (queue if leaving else yard)
        if op.direction in ("both", "na") or leaving == (op.direction in ("outbound", "from-china")):
            hours, trains = hours + own * count, trains + count
    if not trains:
        raise NotCovered(f"no traffic {op.direction} at {op.thing} in the model")
    note = f"half of the work at the border, the queue of those who leave, the yard of those who come; flows of {year}"
    return Answer(hours / trains, _hour_cells(frame), note)


def queue(world: World, op: Operand, _row: Mapping[str, Any]) -> Answer:
    """Trains waiting at the worst moment: what comes while a crossing is stopped, less what still passes."""
    ids = world.names.crossings(op.thing)
    if not set(ids) <= world.names.known_crossings:
        raise NotCovered("queues are told of crossings only")
    stops = _stops(world, op, ids)
    # those who want to pass are those of a mean day of the year, in the world without the scenario
    usual = replace(world.without(op), period="year")
    frame = crossing_flows(world, usual, world.frame("crossing_flows", usual), world.frame("crossings", usual))
    if not stops:
        raise NotCovered("no stop of that crossing in that period is known to the atlas")
    longest = max(stops)
    return Answer(
        float(frame["trains"].sum()) / 365 * longest,
        note=f"arrivals of a mean day over {longest} days of the stop",
        parts=parts_of(frame),
    )


def _stops(world: World, op: Operand, ids: list[str]) -> list[int]:
    """Days of each stop of the crossings that lies in the period: by the atlas' events and closures."""
    span = days_of(op.year, op.period)
    if span is None:
        return []
    found = []

    def inside(start: object, end: object) -> None:
        if isinstance(start, dt.date) and isinstance(end, dt.date) and start <= span[1] and end >= span[0]:
            found.append((min(end, span[1]) - max(start, span[0])).days + 1)

    if "event_effects" in world.tables:
        effects = world.tables["event_effects"].filter(pl.col("measure") == "close")
        for crossings, start, end in effects.select("crossings", "date_from", "date_to").iter_rows():
            if set(crossings or ()) & set(ids):
                inside(start, end)
    closures = world.tables["crossings"].filter(pl.col("id").is_in(ids))
    for start, end in closures.select("closed_from", "closed_to").iter_rows():
        inside(start, end)
    return found
