"""On which inputs a headline rests: how far it moves over their ranges, and how much of it is estimated.

Each parameter of the atlas that has a range and bears on flows is put at its low and at its high end, one at a time,
and the year is solved again from the flows of the base. The part that is estimated is that of the tonnes behind a
headline whose mode shares (the row that decides how trade is split) are an estimate, derived, reported or calibrated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import NotConverged
from landbridge.scenario.apply import apply
from landbridge.study.settings import Settings
from landbridge.study.solve import solve
from landbridge.study.tabulate import tabulate
from landbridge.study.validate.classes import Classes
from landbridge.study.validate.events import event_measures

__all__ = ["HEADLINES", "INPUTS", "SENSITIVITY_COLUMNS", "sensitivity"]

#: Million tonnes by passage, and trains by crossing.
HEADLINES = {
    "West Passage 1, Mt": ("passage", "west-1"),
    "Middle Corridor, Mt": ("passage", "west-2-caspian"),
    "CRK, Mt": ("passage", "crk"),
    "East Passage 1, Mt": ("passage", "east-1"),
    "China-Central Asia, Mt": ("passage", "china-central-asia"),
    "Alashankou-Dostyk, Mt": ("crossing", "alashankou-dostyk"),
    "Khorgos-Altynkol, Mt": ("crossing", "khorgos-altynkol"),
    "Brest-Malaszewicze, Mt": ("crossing", "brest-malaszewicze"),
}
#: Parameters whose ranges are walked: those that bear on the choice of way and on crowding.
INPUTS = (
    "buffer-weight", "carbon-price", "delay-crossing-beta", "inspection-h", "empty-return-share", "headway-rail-h",
    "road-border-cost", "rail-constant-china-europe", "rail-pool-west", "rail-pool-east", "caspian-constant",
    "dostyk-constant",
)  # fmt: skip
#: The part of owners who refuse a way, all rows of its table at once; it is no parameter.
REFUSALS = "refusals"
KINDS = ("estimate", "derived", "reported", "calibrated")
MEGATONNE = 1e6
GAP = 1e-6

SENSITIVITY_COLUMNS = {
    "headline": "Result that somebody would quote",
    "value": "Its value with all inputs as the atlas has them",
    "input": "Parameter that is moved",
    "origin": "How its value is known",
    "low": "Lower end of its range, in its unit",
    "high": "Upper end of its range, in its unit",
    "low_pct": "Change of the headline with the input at the lower end, per cent; empty where that has no equilibrium",
    "high_pct": "Change of the headline with the input at the upper end, per cent; empty where that has no equilibrium",
    "swing_pct": "Difference between the two, per cent",
    "estimate_pct": "Part of its tonnes whose mode shares are estimated, per cent",
    "derived_pct": "Part whose mode shares are derived, per cent",
    "reported_pct": "Part whose mode shares are reported, per cent",
    "calibrated_pct": "Part whose mode shares are calibrated, per cent",
}


def _moved(tables: Tables, name: str, end: float, column: str) -> Tables:
    """Tables with one input at an end of its range."""
    if name == REFUSALS:
        return tables.replace(refusals=tables[REFUSALS].with_columns(pl.col(column).alias("share")))
    here = pl.when(pl.col("id") == name).then(pl.lit(float(end))).otherwise("value").alias("value")
    return tables.replace(parameters=tables["parameters"].with_columns(here))


def _headlines(tables: dict[str, pl.DataFrame]) -> dict[str, float]:
    found = {}
    for name, (kind, which) in HEADLINES.items():
        frame = tables["passage_flows" if kind == "passage" else "crossing_flows"]
        found[name] = float(frame.filter(pl.col(kind) == which)["tonnes"].sum()) / MEGATONNE
    return found


def sensitivity(
    tables: Tables, *, year: int, size: str = "corridor", progress: Callable[[int, int, str], None] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Walk the ranges of inputs and tell what headlines rest on.

    Parameters
    ----------
    tables
        The atlas.
    year, size
        Of the runs.
    progress
        Called with runs done, all runs and the input at hand.

    Returns
    -------
    swings : polars.DataFrame
        One row a headline and input, the largest swing of each headline first.
    estimated : polars.DataFrame
        One row a headline.
    """
    settings = Settings(gap=GAP, size=size)
    events = event_measures(tables, year)
    applied = apply(tables, events, year).tables
    base = solve(applied, year=year, settings=settings)
    made = tabulate(applied, base)
    before = _headlines(made)
    classes = Classes(tables)
    origins = classes.origins["parameters"]
    ranges = {r["id"]: (r["low"], r["high"]) for r in tables["parameters"].to_dicts() if r["id"] in INPUTS}
    names = list(INPUTS)
    if REFUSALS in applied and not applied[REFUSALS].is_empty():
        names.append(REFUSALS)
        ranges[REFUSALS] = (tables[REFUSALS]["low"].min(), tables[REFUSALS]["high"].max())
    rows: list[dict[str, Any]] = []
    done = 0
    for name in names:
        ends: list[dict[str, float] | None] = []
        for end, column in zip(ranges[name], ("low", "high"), strict=True):
            if progress is not None:
                progress(done, 2 * len(names), f"{name} at {end:g}")
            done += 1
            moved = apply(_moved(tables, name, end, column), events, year).tables
            try:
                ends.append(_headlines(tabulate(moved, solve(moved, year=year, settings=settings, start=base))))
            except (NotConverged, ValueError):
                ends.append(None)
        origin = origins.of(name, "value") if name != REFUSALS else classes.origins[REFUSALS].of("*", "share")
        for headline, value in before.items():
            low, high = (None if e is None or not value else 100 * (e[headline] / value - 1) for e in ends)
            rows.append(
                {
                    "headline": headline,
                    "value": value,
                    "input": name,
                    "origin": origin.kind if origin else "unknown",
                    "low": ranges[name][0],
                    "high": ranges[name][1],
                    "low_pct": low,
                    "high_pct": high,
                    "swing_pct": None if low is None or high is None else abs(high - low),
                }
            )
    schema: dict[str, Any] = {
        "headline": pl.String, "value": pl.Float64, "input": pl.String, "origin": pl.String, "low": pl.Float64,
        "high": pl.Float64, "low_pct": pl.Float64, "high_pct": pl.Float64, "swing_pct": pl.Float64,
    }  # fmt: skip
    order = {name: i for i, name in enumerate(HEADLINES)}
    swings = pl.DataFrame(rows, schema=schema).sort(
        pl.col("headline").replace_strict(order), pl.col("swing_pct"), descending=[False, True], nulls_last=True
    )
    return swings, _estimated(made, classes)


def _estimated(made: dict[str, pl.DataFrame], classes: Classes) -> pl.DataFrame:
    """Part of the tonnes behind each headline by how the mode shares of its trade are known."""
    rules = classes.rows_of("mode_shares")
    origins = classes.origins["mode_shares"]
    kinds: dict[tuple[str, str, str], str] = {}

    def kind_of(exporter: str, importer: str, commodity: str) -> str:
        key = (exporter, importer, commodity)
        if key not in kinds:
            best, rank = "", -1
            for name, a, b, c in rules:
                if classes.means(a, exporter) and classes.means(b, importer) and c in ("*", commodity):
                    weight = 3 * (a == exporter) + 3 * (b == importer) + (a != "*") + (b != "*") + (c == commodity)
                    if weight > rank:
                        best, rank = name, weight
            origin = origins.of(best, "rail") if best else None
            kinds[key] = origin.kind if origin else "unknown"
        return kinds[key]

    rows = []
    for headline, (what, which) in HEADLINES.items():
        frame = made["passage_flows" if what == "passage" else "crossing_flows"]
        own = frame.filter((pl.col(what) == which) & (pl.col("exporter") != ""))
        sums = dict.fromkeys(KINDS, 0.0)
        for exporter, importer, commodity, tonnes in own.select(
            "exporter", "importer", "commodity", "tonnes"
        ).iter_rows():
            kind = kind_of(exporter, importer, commodity)
            sums[kind] = sums.get(kind, 0.0) + tonnes
        total = sum(sums.values())
        rows.append({"headline": headline, **{f"{k}_pct": 100 * sums[k] / total if total else None for k in KINDS}})
    schema: dict[str, Any] = {"headline": pl.String, **{f"{k}_pct": pl.Float64 for k in KINDS}}
    return pl.DataFrame(rows, schema=schema)
