"""Answers about services, lines and terminals: trains, boxes and tonnes a year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from landbridge.study.validate.crossings import MEGATONNE, counted, crossing_flows, parts_of
from landbridge.study.validate.names import LINES
from landbridge.study.validate.words import Answer, Cell, NotCovered, Operand
from landbridge.study.validate.worlds import World

__all__ = ["service", "service_flows", "terminal_minutes", "terminal_teu", "terminal_trains", "teu_per_train"]

#: Passages of trains that China Railway counts as China-Europe trains.
BLOCK_TRAINS = ("west-1", "crk", "east-1", "manzhouli", "suifenhe-vladivostok", "west-2-land", "west-2-caspian")
CENTRAL = "china-central-asia"
#: Passages of UTLC ERA's trains: over Kazakhstan, to Europe or to Russia and Belarus.
UTLC = ("west-1", "crk")
#: Lines between Kazakhstan's ports and Alat.
KAZAKH_FERRIES = ("ferry:kz-aktau:az-alat", "ferry:kz-kuryk:az-alat")
COLUMNS = {
    "service_tonnes": ("tonnes", MEGATONNE),
    "service_teu": ("teu", 1.0),
    "service_trains": ("trains", 1.0),
}
OTHER_LINES = {
    "nsr": "ships along the Arctic coast are no flows of the land network",
    "erai": "the index has no volume; ask for utlc-transit",
    "carec-1": "CAREC counts no volume on corridor 1; ask for its crossings",
}


def service_flows(world: World, op: Operand, flows: pl.DataFrame) -> pl.DataFrame:
    """Rows of passage flows that a service means.

    Raises
    ------
    NotCovered
        If the model has no counterpart, or does not tell flows apart in that way.
    """
    names = world.names
    china = (pl.col("exporter") == "CHN") | (pl.col("importer") == "CHN")
    empty = pl.col("exporter") == ""
    europe = names.traders("europe")
    beyond = pl.col("exporter").is_in(europe) | pl.col("importer").is_in(europe)
    passage = pl.col("passage")
    known: dict[str, pl.Expr] = {
        "titr": passage == "west-2-caspian",
        "china-europe-rail": passage.is_in((*BLOCK_TRAINS, CENTRAL)) & names.boxed & (china | empty),
        "china-central-asia": (passage == CENTRAL) & names.boxed & china,
        "utlc-transit": passage.is_in(UTLC) & names.boxed & china & beyond,
        "utlc-all": passage.is_in(UTLC) & names.boxed & china,
    }
    things = op.thing.split("+")
    if lost := [t for t in things if t not in known]:
        raise NotCovered(f"no counterpart of the service {lost[0]} in the model")
    frame = flows.filter(pl.any_horizontal([known[t] for t in things]))
    if "china-europe-rail" in things:
        frame = counted(world.tables, op.year, frame, passage == CENTRAL, whole="china-central-asia" in things)
    for qualifier in op.qualifiers:
        if qualifier == "transit":
            continue
        if qualifier in names.place:
            raise NotCovered("flows of a service are not told apart by hub in a table of passages")
        if not names.is_group(qualifier):
            raise NotCovered(f"flows of a service are not told apart by {qualifier}")
        ends = names.traders(qualifier)
        frame = frame.filter(pl.col("exporter").is_in(ends) | pl.col("importer").is_in(ends))
    if op.direction in ("from-china", "to-china"):
        # empty boxes go back the way that has fewer loaded ones: to China
        own = pl.col("exporter" if op.direction == "from-china" else "importer") == "CHN"
        frame = frame.filter(own | empty if op.direction == "to-china" else own)
    elif op.direction not in ("both", "na"):
        raise NotCovered(f"a service has no direction {op.direction}")
    return frame


def service(world: World, op: Operand, row: Mapping[str, Any]) -> Answer:
    """Trains, boxes or tonnes of a service or line in a year."""
    column, scale = COLUMNS[row["indicator"]]
    if op.thing in LINES:
        at = replace(op, thing=LINES[op.thing])
        flows = crossing_flows(world, at, world.frame("crossing_flows", op), world.frame("crossings", op))
        note = f"over the crossing {LINES[op.thing]}"
        return Answer(float(flows[column].sum()) / scale, note=note, parts=parts_of(flows))
    if op.thing in OTHER_LINES:
        raise NotCovered(OTHER_LINES[op.thing])
    if op.thing == "kazakhstan-container-transit":
        return _through_kazakhstan(world, op, column, scale)
    if op.thing == "titr" and not op.qualifiers and column != "trains":
        return _over_the_caspian(world, op, column, scale)
    if op.thing == "russian-oil-via-kazakhstan":
        return _pipeline(world, column)
    hubs = [q for q in op.qualifiers if q in world.names.place]
    if hubs:
        frame = _of_hub(world, replace(op, qualifiers=tuple(q for q in op.qualifiers if q not in hubs)), hubs)
    else:
        frame = service_flows(world, op, world.frame("passage_flows", op))
    return Answer(float(frame[column].sum()) / scale, parts=parts_of(frame))


def teu_per_train(world: World, op: Operand, _row: Mapping[str, Any]) -> Answer:
    """Boxes on a container train, by the mix of goods."""
    names = world.names
    if op.thing in names.crossing or "<>" in op.thing or "+" in op.thing:
        flows, year = world.near("crossing_flows", op)
        frame = crossing_flows(world, op, flows, world.near("crossings", op)[0])
    else:
        flows, year = world.near("passage_flows", op)
        frame = service_flows(world, op, flows)
    frame = frame.filter(names.boxed)
    trains = float(frame["trains"].sum())
    if not trains:
        raise NotCovered("no container train there in the model")
    ids = sorted(set(frame["commodity"].to_list()) - {"empty_box"})
    cells = (
        *(Cell("commodities", i, c) for i in ids for c in ("t_per_train", "t_per_teu")),
        Cell("parameters", "teu-per-train", "value"),
        Cell("parameters", "train-fill", "value"),
    )
    return Answer(float(frame["teu"].sum()) / trains, cells, f"mix of goods of {year}")


def _through_kazakhstan(world: World, op: Operand, column: str, scale: float) -> Answer:
    """Boxes that cross Kazakhstan without ending there, empty ones too, by the crossings where they come in."""
    frame = world.frame("crossing_flows", op)
    into = (pl.col("to_country") == "KZ") & (pl.col("from_country") != "KZ")
    other = (pl.col("exporter") != "KAZ") & (pl.col("importer") != "KAZ") & (pl.col("exporter") != "")
    frame = frame.filter(into & other & world.names.boxed)
    frame = frame.filter(pl.col("crossing").is_in(world.names.rail_crossings))
    for qualifier in op.qualifiers:
        ends = world.names.traders(qualifier)
        frame = frame.filter(pl.col("exporter").is_in(ends) | pl.col("importer").is_in(ends))
    if op.direction in ("from-china", "to-china"):
        frame = frame.filter(pl.col("exporter" if op.direction == "from-china" else "importer") == "CHN")
    note = "loaded boxes by rail, counted where they enter Kazakhstan"
    return Answer(float(frame[column].sum()) / scale, note=note, parts=parts_of(frame))


def _over_the_caspian(world: World, op: Operand, column: str, scale: float) -> Answer:
    """What goes between Kazakhstan's ports and Alat: the series is Kazakhstan's, without what Turkmenistan ships."""
    frame = world.frame("links", op).filter(pl.col("link").is_in(KAZAKH_FERRIES))
    if op.direction in ("from-china", "to-china"):
        frame = frame.filter(pl.col("direction") == ("ab" if op.direction == "from-china" else "ba"))
    passage = world.frame("passage_flows", op).filter(pl.col("passage") == "west-2-caspian")
    passage = passage.filter((pl.col("exporter") != "TKM") & (pl.col("importer") != "TKM"))
    note = "over the ferries and feeders of Aktau and Kuryk, both ways"
    return Answer(float(frame[column].sum()) / scale, note=note, parts=parts_of(passage))


def _pipeline(world: World, column: str) -> Answer:
    found = world.tables["pipelines"].filter(pl.col("id") == "kazakhstan-china")
    if column != "tonnes" or found.is_empty():
        raise NotCovered("of oil in pipelines only tonnes are told")
    raise NotCovered("oil in pipelines is an input, and the atlas does not tell the Russian part of it apart")


def _of_hub(world: World, op: Operand, hubs: list[str]) -> pl.DataFrame:
    """Flows of a service whose Chinese end is one of some hubs, from the kept paths."""
    names = world.names
    zones = world.tables["zones"].filter(pl.col("place").is_in([names.place[h] for h in hubs]))["id"].to_list()
    if not zones:
        raise NotCovered(f"no zone of the model lies at {', '.join(hubs)}")
    relations = world.frame("relations", op).select(
        "relation", "origin_zone", "destination_zone", "exporter", "importer", "commodity"
    )
    at = pl.col("origin_zone").is_in(zones) | pl.col("destination_zone").is_in(zones)
    paths = world.frame("paths", op).join(relations, on="relation", how="inner").filter(at)
    goods = world.tables["commodities"]
    t_per_teu = pl.col("commodity").replace_strict(
        dict(goods.select("id", "t_per_teu").iter_rows()), default=None, return_dtype=pl.Float64
    )
    t_per_train = pl.col("commodity").replace_strict(
        dict(goods.select("id", "t_per_train").iter_rows()), default=None, return_dtype=pl.Float64
    )
    flows = paths.with_columns(teu=pl.col("tonnes") / t_per_teu, trains=pl.col("tonnes") / t_per_train)
    return service_flows(world, op, flows)


def _yard(world: World, op: Operand) -> pl.DataFrame | None:
    """Flows through the gauge change at a terminal, where it is one."""
    place = world.names.terminal.get(op.thing)
    frame = world.frame("yards", op).filter(pl.col("place") == place)
    return frame if frame.height else None


def _water(world: World, op: Operand) -> pl.DataFrame | None:
    """Flows over water of a port."""
    place = world.names.terminal.get(op.thing)
    links = world.tables["links"].filter(
        pl.col("mode").is_in(["sea", "ferry"]) & ((pl.col("place_a") == place) | (pl.col("place_b") == place))
    )
    if place is None or links.is_empty():
        return None
    return world.frame("links", op).filter(pl.col("link").is_in(links["id"].to_list()))


def terminal_teu(world: World, op: Operand, _row: Mapping[str, Any]) -> Answer:
    """Boxes that a port loads and unloads, or that change gauge at a station."""
    if op.qualifiers:
        raise NotCovered(f"boxes of a terminal are not told apart by {op.qualifiers[0]}")
    if op.thing not in world.names.terminal:
        raise NotCovered(f"no terminal {op.thing} in the atlas")
    water = _water(world, op)
    if water is not None:
        return Answer(float(water["teu"].sum()), note="boxes that come and go over water")
    yard = _yard(world, op)
    if yard is not None:
        return Answer(float(yard["teu"].sum()), note="boxes that change gauge there")
    raise NotCovered("boxes are counted where they change gauge and, at ports, by what comes and goes over water")


def terminal_trains(world: World, op: Operand, _row: Mapping[str, Any]) -> Answer:
    """Container trains a day that change gauge at a station."""
    if op.qualifiers or op.thing not in world.names.terminal:
        raise NotCovered("trains are counted at terminals where the gauge changes")
    yard = _yard(world, op)
    if yard is None:
        raise NotCovered(f"no gauge change at {op.thing} in the model, so no trains are counted there")
    return Answer(float(yard["trains"].sum()) / 365, note="trains that change gauge there, mean of the year")


def terminal_minutes(world: World, op: Operand, _row: Mapping[str, Any]) -> Answer:
    """Minutes of the cranes for one train, from the terminal's plan: no waiting, no inspection."""
    tables = world.tables
    place = world.names.terminal.get(op.thing)
    plans = tables["terminal_plans"].filter(pl.col("place") == place)
    if op.qualifiers or place is None or plans.is_empty():
        raise NotCovered(f"the atlas has no plan of {op.thing}")
    plan = plans["id"][0]
    cranes = tables["terminal_resources"].filter((pl.col("plan") == plan) & (pl.col("kind") == "crane"))
    streams = tables["terminal_streams"].filter((pl.col("plan") == plan) & (pl.col("cargo") == "container"))
    if cranes.is_empty() or streams.is_empty():
        raise NotCovered(f"the plan of {op.thing} has no cranes for boxes")
    units = float(streams.sort("trains_day", descending=True)["units_train"][0])
    machines, each = float(cranes["machines"][0] or 1), float(cranes["minutes_unit"][0])
    cells = (
        *(Cell("terminal_resources", cranes["id"][0], c) for c in ("machines", "minutes_unit")),
        Cell("terminal_streams", streams["id"][0], "units_train"),
    )
    return Answer(units * each / machines, cells, f"{units:g} boxes, {machines:g} cranes, {each:g} minutes a box")
