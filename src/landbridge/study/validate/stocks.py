"""Answers that hang on no flow: trade, shares, tariffs, emission factors, capacities, the value of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from landbridge.study.validate.crossings import crossing_flows, parts_of
from landbridge.study.validate.services import service_flows
from landbridge.study.validate.trades import BASE_YEAR, trade_of
from landbridge.study.validate.words import Answer, Cell, NotCovered, Operand
from landbridge.study.validate.worlds import World

__all__ = ["capacity", "emission", "share", "time_value", "trade", "unit_cost"]

#: Hours in a day times a hundred: from USD per tonne and hour over USD per tonne to per cent a day.
PERCENT_DAY = 2400
TEU_PER_FEU = 2
#: A 40-foot box with 20 t over 500 km.
CAREC_KM = 500


def trade(world: World, op: Operand, _row: Mapping[str, Any]) -> Answer:
    """Value of trade in billion USD of the year, in the price of the year.

    The trade of the matrix' year is an input. That of years before it is estimated (`landbridge.model.past`), and of
    years after it grown by the atlas' growth.
    """
    if op.qualifiers not in ((), ("gacc",)):
        raise NotCovered(f"trade is not told apart by {op.qualifiers[0]}")
    if "<>" not in op.thing and ">" not in op.thing:
        raise NotCovered("trade is told between two countries or groups")
    both = "<>" in op.thing
    left, right = (world.names.traders(part) for part in op.thing.split("<>" if both else ">"))
    frame, given, note = _trade_of(world, op)
    a, b = pl.col("exporter"), pl.col("importer")
    chosen = a.is_in(left) & b.is_in(right)
    if both:
        chosen = chosen | (a.is_in(right) & b.is_in(left))
    if op.direction in ("from-china", "to-china"):
        chosen = chosen & ((a if op.direction == "from-china" else b) == "CHN")
    elif op.direction in ("inbound", "outbound"):
        chosen = chosen & (b if op.direction == "inbound" else a).is_in(left)
    rows = frame.filter(chosen)
    if rows.is_empty():
        raise NotCovered(f"the atlas has no trade of {op.thing}")
    return Answer(float(rows["value_usd"].sum()) / 1e9, note=note, given=given, parts=parts_of(rows))


def _trade_of(world: World, op: Operand) -> tuple[pl.DataFrame, bool, str]:
    if op.year == BASE_YEAR:
        return world.tables["trade"].filter(pl.col("year") == BASE_YEAR), True, "trade is an input"
    frame = trade_of(world.tables, op.year)
    how = "estimated from matrices of 2015 and 2023" if op.year < BASE_YEAR else "grown from 2023, in its prices"
    return frame, False, f"trade {how}"


def share(world: World, op: Operand, row: Mapping[str, Any]) -> Answer:
    """Share of the part named by the last qualifier in the whole named by the rest."""
    if not op.qualifiers:
        raise NotCovered("no part is named")
    part = op.qualifiers[-1]
    whole = replace(op, qualifiers=op.qualifiers[:-1])
    column = {"% of t": "tonnes", "% of TEU": "teu"}.get(row["unit"])
    names = world.names
    if ">" in op.thing or ("<>" in op.thing and part in ("rail", "road", "sea")):
        return _share_of_trade(world, whole, part, row["unit"])
    if op.thing in names.crossing:
        if column is None:
            raise NotCovered("shares of a crossing are told in tonnes or boxes")
        flows, shut = world.frame("crossing_flows", op), world.frame("crossings", op)
        total = crossing_flows(world, whole, flows, shut)
        if part in ("rail-sea", "sea"):
            return _by_sea(world, whole, total, column)
        own = crossing_flows(world, op, flows, shut)
    else:
        if column is None:
            raise NotCovered("shares of a service are told in tonnes or boxes")
        flows = world.frame("passage_flows", op)
        total = service_flows(world, whole, flows)
        own = service_flows(world, op, flows)
    if not float(total[column].sum()):
        raise NotCovered("the whole is zero in the model")
    return Answer(100 * float(own[column].sum()) / float(total[column].sum()), parts=parts_of(own))


def _by_sea(world: World, op: Operand, total: pl.DataFrame, column: str) -> Answer:
    """Part of what passes a crossing that goes on by ship, by the kept paths."""
    paths = world.frame("paths", op)
    relations = world.frame("relations", op).select("relation", "exporter", "importer", "commodity")
    ids = world.names.crossings(op.thing)
    through = pl.col("crossings").list.eval(pl.element().is_in(ids)).list.any()
    wet = pl.col("links").list.eval(pl.element().str.contains(r"^(ferry|sea):")).list.any()
    frame = paths.filter(through).join(relations, on="relation", how="inner")
    if "transit" in op.qualifiers:
        keys = total.select("exporter", "importer").unique()
        frame = frame.join(keys, on=["exporter", "importer"], how="inner")
    if column == "teu":
        per = dict(world.tables["commodities"].select("id", "t_per_teu").iter_rows())
        boxes = pl.col("commodity").replace_strict(per, default=None, return_dtype=pl.Float64)
        frame = frame.filter(world.names.boxed).with_columns(teu=pl.col("tonnes") / boxes)
    whole = float(frame[column].sum())
    if not whole:
        raise NotCovered("nothing of that kind passes there in the model")
    return Answer(100 * float(frame.filter(wet)[column].sum()) / whole, note="paths with a leg over water")


def _share_of_trade(world: World, op: Operand, part: str, unit: str) -> Answer:
    """Part of the trade of countries that goes by a mode."""
    if part not in ("rail", "road", "sea") or unit not in ("% of value", "% of t"):
        raise NotCovered("of a trade the parts by rail, road and sea are told, by value or tonnes")
    both = "<>" in op.thing
    start, end = (world.names.traders(side) for side in op.thing.split("<>" if both else ">"))
    a, b = pl.col("exporter"), pl.col("importer")
    relation = a.is_in(start) & b.is_in(end)
    if both:
        relation = relation | (a.is_in(end) & b.is_in(start))
    trade_frame = _trade_of(world, op)[0].filter(relation)
    if trade_frame.is_empty():
        raise NotCovered(f"trade of {op.year} is not in the atlas")
    worth = dict(world.tables["commodities"].select("id", "value_usd_t").iter_rows())
    per = pl.col("commodity").replace_strict(worth, default=0.0, return_dtype=pl.Float64)
    amount = pl.col("tonnes") if unit == "% of t" else pl.col("tonnes") * per
    total = "tonnes" if unit == "% of t" else "value_usd"
    whole = float(trade_frame[total].sum())
    if part == "rail":
        own = world.frame("relations", op).filter(relation).with_columns(tonnes=pl.col("land_tonnes"))
        note = "land network"
    else:
        own = world.frame("fixed_flows", op).filter(relation & (pl.col("mode") == part))
        note = f"firmly by {part}"
        if part == "sea":
            out = world.frame("relations", op).filter(relation & (pl.col("outside_by") == "sea"))
            columns = ["exporter", "importer", "commodity", "tonnes"]
            own = pl.concat([own.select(columns), out.with_columns(tonnes=pl.col("outside_tonnes")).select(columns)])
    value = float(own.select(amount.alias("x"))["x"].sum())
    note += "" if unit == "% of t" else ", mean value a tonne"
    return Answer(100 * value / whole, note=note, parts=parts_of(own))


def time_value(world: World, op: Operand, _row: Mapping[str, Any]) -> Answer:
    """A day in transit as a part of the value of goods, mean over commodities."""
    if op.thing != "all-goods" or op.qualifiers:
        raise NotCovered("only the mean over commodities is told")
    goods = world.tables["commodities"]
    cells = tuple(Cell("commodities", i, "vot_usd_t_h") for i in goods["id"].to_list())
    parts = PERCENT_DAY * goods["vot_usd_t_h"] / goods["value_usd_t"]
    return Answer(float(parts.sum()) / goods.height, cells)


def unit_cost(world: World, op: Operand, row: Mapping[str, Any]) -> Answer:
    """What it costs to move a box over a kilometre, or 20 t over 500 km, in a country."""
    names, tables = world.names, world.tables
    special = [q for q in op.qualifiers if q not in ("rail", "road", "container-train")]
    mode = "road" if "road" in op.qualifiers else "rail"
    if special:
        raise NotCovered(f"tariffs are not told apart by {special[0]}")
    if op.thing not in names.iso2:
        raise NotCovered(f"no tariff of {op.thing} by {mode} in the atlas")
    rates = tables["rates"].filter((pl.col("country") == names.iso2[op.thing]) & (pl.col("mode") == mode))
    if rates.is_empty():
        raise NotCovered(f"no tariff of {op.thing} by {mode} in the atlas")
    rate = rates.row(0, named=True)
    cell = (Cell("rates", rate["id"], "usd_teu_km"),)
    fixed = float(rate.get("start_usd_teu") or 0.0)
    if row["indicator"] == "unit_cost_usd_20t_500km":
        value = TEU_PER_FEU * (CAREC_KM * rate["usd_teu_km"] + fixed)
        return Answer(value, cell, "tariff of a 40-foot box, no border, no handling")
    boxes = TEU_PER_FEU if row["unit"].startswith("USD/FEU") else 1
    return Answer(boxes * rate["usd_teu_km"], cell, f"tariff of {rate['price_year']}")


def emission(world: World, op: Operand, _row: Mapping[str, Any]) -> Answer:
    """Emission factor of a mode, of a country where one is named."""
    tables = world.tables
    country = next((world.names.iso2[q] for q in op.qualifiers if q in world.names.iso2), "*")
    rest = tuple(q for q in op.qualifiers if q not in world.names.iso2)
    table = tables["emissions"].filter((pl.col("mode") == op.thing) & (pl.col("country") == country))
    factor = {t: (i, f) for i, t, f in table.select("id", "traction", "co2_g_tkm").iter_rows()}
    mix = {"electric": 0.8, "diesel": 0.2} if rest == ("electric-80",) else None
    if not rest:
        mix = {"mixed": 1.0} if op.thing == "rail" else {"none": 1.0}
    if mix is None or not set(mix) <= set(factor):
        raise NotCovered(f"no emission factor of {'/'.join((op.thing, *op.qualifiers))} in the atlas")
    cells = tuple(Cell("emissions", factor[t][0], "co2_g_tkm") for t in mix)
    return Answer(sum(part * factor[t][1] for t, part in mix.items()), cells, "where a country has none of its own")


def capacity(world: World, op: Operand, _row: Mapping[str, Any]) -> Answer:
    """Yearly capacity of a terminal, a fleet or a line, in boxes."""
    names, tables = world.names, world.tables
    if op.thing in names.terminal and not op.qualifiers:
        rows = tables["terminals"].filter(
            (pl.col("place") == names.terminal[op.thing]) & (pl.col("cargo") == "container")
        )
        table = "terminals"
    elif op.thing in names.crossing and not names.crossing[op.thing].startswith("ferry:"):
        return _line_capacity(world, op)
    else:
        if op.qualifiers not in ((), ("six-vessels",)):
            raise NotCovered(f"capacities are not told apart by {op.qualifiers[0]}")
        rows = tables["services"].filter(pl.col("link").is_in(names.crossings(op.thing)))
        table = "services"
    rows = rows.filter(pl.col("capacity_teu_yr").is_not_null())
    if rows.is_empty():
        raise NotCovered(f"no capacity of {op.thing} in boxes in the atlas")
    cells = tuple(Cell(table, name, "capacity_teu_yr") for name in rows["id"].to_list())
    return Answer(float(rows["capacity_teu_yr"].sum()), cells)


def _line_capacity(world: World, op: Operand) -> Answer:
    """Boxes that a crossing could pass if all its trains carried boxes."""
    if op.qualifiers:
        raise NotCovered(f"capacities are not told apart by {op.qualifiers[0]}")
    name = world.names.crossing[op.thing]
    rows = world.tables["crossings"].filter(pl.col("id") == name)
    per_train = world.tables["parameters"].filter(pl.col("id") == "teu-per-train")
    if rows.is_empty() or per_train.is_empty():
        raise NotCovered(f"no capacity of {op.thing} in the atlas")
    columns = ("capacity_ab_trains_day", "capacity_ba_trains_day")
    trains = sum(float(rows[c][0] or 0) for c in columns)
    cells = (*(Cell("crossings", name, c) for c in columns), Cell("parameters", "teu-per-train", "value"))
    return Answer(trains * 365 * float(per_train["value"][0]), cells, "all its trains with boxes")
