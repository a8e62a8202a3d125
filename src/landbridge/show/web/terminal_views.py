"""Terminals for the map: their plans, what may be asked of them, and finished runs as the page shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from landbridge.data.provenance import read_origins
from landbridge.data.read import ATLAS
from landbridge.data.tables import Tables
from landbridge.errors import UnknownName
from landbridge.show.web import shapes
from landbridge.show.web.results_views import plain
from landbridge.study import terminal as work
from landbridge.study.terminal_files import MARKER
from landbridge.study.terminal_variants import Asked, Variant, plan_with

__all__ = ["TABLES", "check", "film", "plans", "question", "run", "table"]

#: Tables of a run that are handed out as files.
TABLES = ("visits", "queue")
#: Points of the queue that a page draws.
DRAWN = 400
PLAN_TABLES = ("terminal_plans", "terminal_resources", "terminal_streams")


def question(asked: shapes.AskedTerminal) -> tuple[Asked, work.Settings]:
    """Turn what came into what is run."""
    variants = tuple(
        Variant(v.label, {k: x for k, x in v.model_dump(exclude={"label"}).items() if x is not None})
        for v in asked.variants
    )
    settings = work.Settings(days=asked.days, replications=asked.replications, seed=asked.seed)
    return Asked(asked.terminal, asked.trains_day, asked.changes, variants, asked.event, asked.curve), settings


def check(tables: Tables, asked: Asked, settings: work.Settings) -> None:
    """Refuse what cannot be run, before it is put into the line.

    Raises
    ------
    LandbridgeError
        With all that is wrong.
    """
    for variant in asked.variants:
        plan = plan_with(tables, asked, variant, settings.start.year)
        if asked.event:
            work.stops_of(tables, plan, asked.event, settings.start)


def _estimates(tables: Tables) -> tuple[int, int]:
    """How many numbers of plans are estimates, and how many there are."""
    folder = tables.package.folder if tables.package else ATLAS
    found = [0, 0]
    for name in PLAN_TABLES:
        origins = read_origins(folder, name)[0]
        for row in tables[name].to_dicts():
            for column, value in row.items():
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    origin = origins.of(row["id"], column)
                    found[0] += origin is not None and origin.kind == "estimate"
                    found[1] += origin is not None
    return found[0], found[1]


def plans(tables: Tables) -> shapes.Terminals:
    """All plans of the atlas."""
    made = []
    stops = tables["terminal_stops"]
    for row in work.listing(tables):
        name = row["terminal"]
        plan = work.plan_of(tables, name)
        own = pl.col("plan") == name
        known = stops.filter(own & pl.col("trains_day").is_not_null())
        made.append(
            shapes.Terminal(
                id=name,
                name=plan.name,
                place=plan.place,
                crossing=plan.crossing,
                sides=list(plan.sides),
                trains_day=row["trains_day"],
                load=row["load"],
                bottleneck=row["bottleneck"],
                stack_teu=plan.stack_teu,
                stack_dwell_h=plan.stack_dwell_h,
                resources=plain(tables["terminal_resources"].filter(own).drop("plan").to_dicts()),
                streams=plain(tables["terminal_streams"].filter(own).drop("plan").to_dicts()),
                events=list(dict.fromkeys(stops.filter(own)["event"].to_list())),
                volumes=dict(known.select("event", "trains_day").rows()),
            )
        )
    estimates, numbers = _estimates(tables)
    return shapes.Terminals(terminals=made, estimates=estimates, numbers=numbers)


def _variants(folder: Path) -> list[Path]:
    return sorted((p for p in folder.iterdir() if (p / MARKER).is_file()), key=lambda p: int(p.name))


def _variant(folder: Path, number: int) -> Path:
    there = _variants(folder)
    if number >= len(there):
        raise UnknownName("variant", str(number), [p.name for p in there])
    return there[number]


def _queue(folder: Path) -> dict[str, list[float]]:
    """Trains outside by side over time: the mean over replications, and the most of any."""
    frame = pl.read_parquet(folder / "queue.parquet")
    sides = [c for c in frame.columns if c.startswith("outside_")]
    mean = frame.group_by("time_h").agg(
        *(pl.col(c).mean().alias(c) for c in (*sides, "stack_teu")),
        *(pl.col(c).max().cast(pl.Float64).alias(f"{c}_max") for c in sides),
    )
    mean = mean.sort("time_h")
    chosen = np.unique(np.linspace(0, mean.height - 1, min(DRAWN, mean.height)).round().astype(int))
    return {c: [float(v) for v in mean[c][chosen.tolist()].to_list()] for c in mean.columns}


def run(folder: Path, title: str, asked: dict[str, Any]) -> shapes.TerminalRun:
    """A finished run: each variant's summary and queue."""
    variants = [
        shapes.TerminalVariant(told=json.loads((each / MARKER).read_text(encoding="utf-8")), queue=_queue(each))
        for each in _variants(folder)
    ]
    return shapes.TerminalRun(job=folder.name, title=title, asked=asked, variants=variants)


def film(folder: Path, number: int) -> bytes:
    """The first replication of a variant, to be played back; see docs/terminals.md."""
    return (_variant(folder, number) / "trace.json").read_bytes()


def table(folder: Path, number: int, name: str) -> pl.DataFrame:
    """A table of a variant: every train, or the queue by the hour, of all replications."""
    if name not in TABLES:
        raise UnknownName("table of a run", name, TABLES)
    return pl.read_parquet(_variant(folder, number) / f"{name}.parquet")
