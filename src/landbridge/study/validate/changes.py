"""Answers about what a scenario changes, in per cent: of flows, of hours and prices, of trade, its cost and welfare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from landbridge.model import paths
from landbridge.study.validate.ways import SERVICE_ROUTE
from landbridge.study.validate.words import Answer, NotCovered, Operand
from landbridge.study.validate.worlds import World

__all__ = ["change"]

Answerer = Callable[[World, Operand, Mapping[str, Any]], Answer]
#: Quantities of the whole economy.
ECONOMY = ("gdp", "trade", "trade_cost")
#: Changes of a pair below this part of a per cent are none.
LEAST_PCT = 1e-6


def change(world: World, op: Operand, row: Mapping[str, Any], answerers: Mapping[str, Answerer]) -> Answer:
    """Change of a quantity from the world without a scenario to the world with it, in per cent."""
    if op.scenario == world.first:
        raise NotCovered("no scenario is named")
    most = "max-corridor" in op.qualifiers
    op = replace(op, qualifiers=tuple(q for q in op.qualifiers if q != "max-corridor"))
    if op.thing in ECONOMY:
        return _economy(world, op, most=most)
    if op.thing not in answerers or op.thing == row["indicator"] or not op.qualifiers:
        raise NotCovered(f"the model has no {op.thing}")
    inner = replace(op, thing=op.qualifiers[0], qualifiers=op.qualifiers[1:])
    if op.thing == "transit_days" and world.names.is_group(inner.thing):
        return _times(world, inner, most=most)
    if " via " in inner.thing:
        head, _, via = inner.thing.partition(" via ")
        inner = replace(inner, thing=head, via=via)
    as_row = {**row, "indicator": op.thing}
    with_it = answerers[op.thing](world, inner, as_row)
    without = answerers[op.thing](world, world.without(inner), as_row)
    if not without.value:
        raise NotCovered("nothing to compare with in the world without the scenario")
    value = 100 * (with_it.value - without.value) / without.value
    if op.thing == "rate_usd_feu" and (scarce := _scarcity(world, inner)) is not None:
        # what the market can ask: the tariffs of the way that is left, or what going by land costs its owners more
        value = max(value, 100 * scarce / without.value, key=abs)
        with_it = replace(with_it, note=f"{with_it.note}; tariffs, or the market's price where places are short")
    return replace(with_it, value=value, parts=without.parts)


def _scarcity(world: World, op: Operand) -> float | None:
    """What a box of forty feet by land costs more under a scenario at the flows, queues at their worth: USD/FEU.

    On a market short of places the price rises until what is left is shared out: by what the last owner would give. In
    the model queues share it out, and their hours at the value of time are that price.
    """
    start, end = SERVICE_ROUTE.get(op.thing, op.thing).partition(">")[::2]
    if not world.names.is_group(start) or not world.names.is_group(end):
        return None
    t_per_teu = dict(world.tables["commodities"].select("id", "t_per_teu").iter_rows())
    sides = []
    for each in (world.without(op), op):
        frame = world.frame("relations", each).filter(
            pl.col("exporter").is_in(world.names.traders(start))
            & pl.col("importer").is_in(world.names.traders(end))
            & world.names.boxed
        )
        keys = ["origin_zone", "destination_zone", "exporter", "importer", "commodity"]
        # of owners who refuse a way and owners who do not, each has a relation of its own: the cheaper one is rail
        sides.append(frame.sort("land_usd_t").group_by(keys, maintain_order=True).first())
    both = sides[0].join(sides[1].select(*keys, pl.col("land_usd_t").alias("then")), on=keys, how="inner")
    both = both.filter(pl.col("land_usd_t").is_finite() & pl.col("then").is_finite() & (pl.col("land_tonnes") > 0))
    if both.is_empty():
        return None
    teu = pl.col("land_tonnes") / pl.col("commodity").replace_strict(t_per_teu, return_dtype=pl.Float64)
    usd = (pl.col("then") - pl.col("land_usd_t")) * pl.col("land_tonnes")
    return float(2 * both.select(usd.sum() / teu.sum()).item())


def _economy(world: World, op: Operand, *, most: bool) -> Answer:
    """Welfare, trade or trade cost of a group, by general equilibrium."""
    if len(op.qualifiers) != 1:
        raise NotCovered("a group of countries is wanted")
    group = world.names.traders(op.qualifiers[0])
    gains = world.gains(op)
    note = "general equilibrium of many sectors, economy and network of 2023 or later"
    if op.thing == "gdp":
        own = gains.filter((pl.col("importer") == "") & pl.col("exporter").is_in(group))
        if own.is_empty():
            raise NotCovered(f"no economy of {op.qualifiers[0]} in the atlas")
        if most:
            return Answer(float(own["welfare_pct"].max()), note=f"largest; {note}")  # type: ignore[arg-type]
        value = float((own["welfare_pct"] * own["before_usd"]).sum()) / float(own["before_usd"].sum())
        return Answer(value, note=f"real spending; {note}")
    pairs = gains.filter(
        (pl.col("importer") != "") & (pl.col("exporter").is_in(group) | pl.col("importer").is_in(group))
    )
    if pairs.is_empty():
        raise NotCovered(f"no trade of {op.qualifiers[0]} in the atlas")
    if op.thing == "trade":
        value = 100 * (float(pairs["after_usd"].sum()) / float(pairs["before_usd"].sum()) - 1)
        return Answer(value, note=note)
    if most:
        return Answer(float(pairs["cost_pct"].min()), note=f"the pair with the largest cut; {note}")  # type: ignore[arg-type]
    return Answer(float(pairs["cost_pct"].mean()), note=f"mean over pairs of countries; {note}")  # type: ignore[arg-type]


def _times(world: World, op: Operand, *, most: bool) -> Answer:
    """Mean change of the shortest times between the zones of a group and those of all countries."""
    before, after = (_zone_hours(world, each) for each in (world.without(op), op))
    countries, base = before
    group = np.isin(np.array(countries), list(world.names.group(op.thing)))
    other = after[1]
    wanted = np.isfinite(base) & np.isfinite(other) & (base > 0) & (group[:, None] | group[None, :])
    codes, number = np.unique(np.array(countries), return_inverse=True)
    cut = np.where(wanted, 100 * (np.where(wanted, other, 1.0) / np.where(wanted, base, 1.0) - 1), 0.0)
    key = number[:, None] * len(codes) + number[None, :]
    abroad = wanted & (number[:, None] != number[None, :])
    count = np.bincount(key[abroad], minlength=len(codes) ** 2)
    mean = np.bincount(key[abroad], cut[abroad], minlength=len(codes) ** 2)[count > 0] / count[count > 0]
    if not len(mean):
        raise NotCovered(f"no way between the countries of {op.thing} in the model")
    if most:
        return Answer(float(mean.min()), note="the pair of countries with the largest cut, shortest time by any mode")
    return Answer(float(mean.mean()), note="mean over pairs of countries of the shortest time by any mode")


def _zone_hours(world: World, op: Operand) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
    """Countries of the zones, and hours from each to each by the quickest way."""
    finder = world.finder(op)
    net = finder.network
    zones = world.tables["zones"]
    rows = [(c, p) for c, p in zones.select("country", "place").iter_rows() if p in finder.zone]
    rows = list(dict.fromkeys(rows))
    sources = np.array([net.zone_source[finder.zone[p]] for _, p in rows])
    sinks = np.array([net.zone_sink[finder.zone[p]] for _, p in rows])
    graph = paths.graph(net.node_count, net.tail, net.head)
    hours = np.full((len(rows), len(rows)), np.inf)
    for i, source in enumerate(sources.tolist()):
        if source >= 0:
            distance = paths.shortest_tree(graph, finder.time_h, int(source)).distance
            hours[i] = np.where(sinks >= 0, distance[np.maximum(sinks, 0)], np.inf)
    return [c for c, _ in rows], hours
