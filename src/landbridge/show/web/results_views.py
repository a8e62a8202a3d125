"""Results folders as the map needs them: each figure is a value of a table in it, or a sum or maximum of such."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import UnknownName
from landbridge.show.web.columns import meaning
from landbridge.show.web.library import Library, Point, pair
from landbridge.show.web.shapes import Choke, CrossingCard, Flows, Frame, LinkCard, ResultsOut, Run, ScenarioOut, Users
from landbridge.study.compare import KEYS, Side, compare
from landbridge.study.results import Results, is_current, run_again
from landbridge.study.summary import crossing_goods
from landbridge.study.tabulate import TABLES
from landbridge.study.trade_questions import answerable
from landbridge.study.users import users_of

__all__ = ["choke", "compared", "crossing_card", "described", "flows", "framed", "link_card", "run", "table", "users"]

EMPTY_GROUP = "empty"
#: Rows of one answer as JSON; files of a whole table have no limit.
MOST_ROWS = 20_000


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows as JSON can hold them: what is not a finite number is none."""
    return [{key: _plain(value) for key, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def described(library: Library, name: str, atlas: Tables) -> ResultsOut:
    """What some results hold, how they were made, and whether from the atlas at hand."""
    results = library.head(name)
    current = is_current(results, atlas)
    manifest = results.manifest
    study = manifest["study"]
    return ResultsOut(
        id=name,
        title=library.title(name),
        description=study["description"],
        kind="what-if" if library.is_whatif(name) else "study",
        made=manifest["made"],
        landbridge=manifest["landbridge"],
        atlas=manifest["atlas"],
        overlay=manifest.get("overlay"),
        current=current,
        again="" if current else run_again(results),
        size=manifest["settings"]["size"],
        compare=study["compare"],
        years=results.years,
        scenarios=[ScenarioOut(**{key: s[key] for key in ScenarioOut.model_fields}) for s in study["scenarios"]],
        held=study["held_projects"],
        solved=manifest["solved"],
        tables=manifest["tables"],
        questions=answerable(results.scenarios, manifest["tables"]),
    )


# -------------------------------------------------------------------------------------------------------- flows

_SUMS = ("tonnes", "teu", "trains_day", "preload_trains_day", "capacity_trains_day")


def _shares(results: Results, at: Point, tables: Tables) -> pl.DataFrame:
    """Passage and group of goods that carry most on each link and direction, with their shares.

    The paths of a results folder list links in order of travel, with the direction of each.
    """
    group = tables["commodities"].select(pl.col("id").alias("commodity"), "group")
    relations = results.of("relations", at.scenario, at.year).select("relation", "commodity")
    steps = (
        results.of("paths", at.scenario, at.year)
        .select("relation", "tonnes", "passage", pl.col("links").alias("link"), pl.col("directions").alias("direction"))
        .filter(pl.col("link").list.len() > 0)
        .explode("link", "direction")
        .join(relations, on="relation", how="left")
        .join(group, on="commodity", how="left")
        .with_columns(pl.col("group").fill_null(EMPTY_GROUP))
    )
    keys = ["link", "direction"]
    parts = []
    for name in ("passage", "group"):
        parts.append(
            steps.group_by(*keys, name)
            .agg(pl.col("tonnes").sum())
            .sort("tonnes", name, descending=[True, False])
            .group_by(keys, maintain_order=True)
            .agg(pl.col(name).first(), (pl.col("tonnes").first() / pl.col("tonnes").sum()).alias(f"{name}_share"))
        )
    return parts[0].join(parts[1], on=keys, how="full", coalesce=True)


def flows(results: Results, at: Point, tables: Tables) -> Flows:
    """Flows of links by direction.

    A link may run through several countries and have two gauges. Tonnes, boxes and trains are those of the country's
    section that has most, both gauges together; use is the highest of any section; hours are those of all sections in
    a row, on the gauge that carries most.
    """
    rows = results.of("links", at.scenario, at.year)
    keys = ["link", "direction"]
    sections = rows.group_by(*keys, "country", maintain_order=True).agg(
        *(pl.col(c).sum() for c in _SUMS),
        pl.col("use").max(),
        *(pl.col(c).sort_by("tonnes", descending=True).first() for c in ("free_h", "time_h")),
        pl.col("trains_day").is_null().all().alias("unbounded"),
    )
    frame = (
        sections.group_by(keys, maintain_order=True)
        .agg(
            pl.col("tonnes", "teu").max(),
            *(pl.col(c).sort_by("tonnes", descending=True).first() for c in _SUMS[2:]),
            pl.col("use").max(),
            pl.col("free_h", "time_h").sum(),
            pl.col("unbounded").all(),
        )
        .with_columns(pl.when("unbounded").then(None).otherwise(pl.col(c)).alias(c) for c in _SUMS[2:])
        .drop("unbounded")
    )
    # folders written before directions stood in them show their flows without passage and goods
    if {"paths", "relations"} <= set(results.tables) and "directions" in results["paths"].columns:
        frame = frame.join(_shares(results, at, tables), on=keys, how="left", maintain_order="left")
    else:
        frame = frame.with_columns(
            passage=pl.lit(""),
            passage_share=pl.lit(None, pl.Float64),
            group=pl.lit(""),
            group_share=pl.lit(None, pl.Float64),
        )
    frame = frame.with_columns(pl.col("passage", "group").fill_null(""))
    return Flows(**{c: [_plain(v) for v in frame[c].to_list()] for c in Flows.model_fields})


def _passages(results: Results, at: Point) -> list[dict[str, Any]]:
    carried = (
        results.of("passage_flows", at.scenario, at.year)
        .group_by("passage", maintain_order=True)
        .agg(pl.col("tonnes", "teu", "trains", "tonne_km").sum())
    )
    routes = results.of("passages", at.scenario, at.year)
    joined = routes.join(carried, on="passage", how="full", coalesce=True, maintain_order="left_right")
    return plain(joined.sort("tonnes", descending=True, nulls_last=True).to_dicts())


def run(library: Library, at: Point, tables: Tables) -> Run:
    """What one solution comes to."""
    results = library.check(at)
    return Run(
        totals=plain(results.of("totals", at.scenario, at.year).to_dicts())[0],
        flows=flows(results, at, tables),
        crossings=plain(results.of("crossings", at.scenario, at.year).to_dicts()),
        countries=plain(results.of("countries", at.scenario, at.year).to_dicts()),
        passages=_passages(results, at),
    )


# -------------------------------------------------------------------------------------------------------- cards


def crossing_card(library: Library, at: Point, name: str, tables: Tables) -> CrossingCard:
    """A crossing: its rows, its goods, and what of the atlas would relieve it."""
    results = library.check(at)
    rows = results.of("crossings", at.scenario, at.year).filter(pl.col("crossing") == name)
    if rows.is_empty() and name not in tables.ids("crossings"):
        raise UnknownName("crossing", name, tables.ids("crossings"))
    goods = [] if rows.is_empty() else crossing_goods(results, [name], at.scenario, at.year).to_dicts()
    relief = [
        {
            "project": row["id"],
            "name": row["name"],
            "status": row["status"],
            "start": row["start"],
            "finish": row["finish"],
        }
        for row in tables["projects"].to_dicts()
        if name in (row["crossings"] or [])
    ]
    return CrossingCard(rows=plain(rows.to_dicts()), goods=plain(goods), relief=plain(relief))


def link_card(library: Library, at: Point, name: str, tables: Tables) -> LinkCard:
    """A link: its sections by direction, country and gauge."""
    results = library.check(at)
    rows = results.of("links", at.scenario, at.year).filter(pl.col("link") == name)
    if rows.is_empty() and name not in tables.ids("links"):
        raise UnknownName("link", name, tables.ids("links"))
    return LinkCard(rows=plain(rows.to_dicts()))


def users(library: Library, at: Point, kind: str, name: str) -> Users:
    """Who uses something, the largest twenty-five."""
    found = users_of(library.check(at), kind, name, at.scenario, at.year)
    return Users(tonnes=found.tonnes, empty_tonnes=found.empty_tonnes, pairs=plain(found.pairs.head(25).to_dicts()))


def choke(library: Library, name: str) -> Choke:
    """Crossings in every scenario and year, and facilities near their capacity."""
    results = library[name]
    wanted = ["scenario", "year", "crossing", "mode", "direction", "from_country", "to_country", "tonnes", "trains_day",
              "preload_trains_day", "capacity_trains_day", "use", "free_h", "time_h"]  # fmt: skip
    return Choke(
        crossings=plain(
            results["crossings"].filter(pl.col("capacity_trains_day").is_not_null()).select(wanted).to_dicts()
        ),
        points=plain(results["choke_points"].to_dicts()),
    )


# ------------------------------------------------------------------------------------------------------- tables


def framed(name: str, about: str, frame: pl.DataFrame, most: int | None = MOST_ROWS) -> Frame:
    """A frame as an answer."""
    shown = frame if most is None else frame.head(most)
    columns = []
    for column in frame.columns:
        unit, told = meaning(column)
        columns.append({"name": column, "unit": unit, "meaning": told, "type": str(frame.schema[column])})
    return Frame(
        name=name,
        about=about,
        columns=columns,
        rows=[[_plain(value) for value in row] for row in shown.rows()],
        total_rows=frame.height,
    )


def table(library: Library, at: Point, name: str) -> pl.DataFrame:
    """A table of a results folder at one solution."""
    results = library.check(at)
    if name not in results.tables:
        raise UnknownName("table of results", name, list(results.tables))
    return results.of(name, at.scenario, at.year)


def about(name: str) -> str:
    """What a table holds."""
    return TABLES.get(name, "Passages by the route of their standard relation")


@lru_cache(maxsize=64)
def _compared(library: Library, stamp: tuple[str, str], name: str, first: Point, second: Point) -> pl.DataFrame:
    del stamp
    left, right = library.check(first), library.check(second)
    both = pair((left, first), (right, second))
    frame = compare(both, name, Side("a", 0), Side("b", 0))
    if name == "links":
        km = pl.coalesce("length_km_first", "length_km_second")
        changes = [c for c in frame.columns if c.endswith("_change") and not c.startswith("length_km")]
        frame = frame.with_columns(
            pl.when(km > 0).then(pl.col(c) / km).alias(f"{c.removesuffix('_change')}_per_km") for c in changes
        )
    return frame


def compared(library: Library, name: str, first: Point, second: Point) -> pl.DataFrame:
    """A table of differences, second minus first; links also by kilometre.

    Raises
    ------
    UnknownName
        For a table that cannot be compared, or a point that is not there.
    """
    if name not in KEYS:
        raise UnknownName("table to compare", name, list(KEYS))
    stamp = (str(library.check(first).manifest["made"]), str(library.check(second).manifest["made"]))
    return _compared(library, stamp, name, first, second)
