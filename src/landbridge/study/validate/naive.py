"""Two forecasts that need no model: the last earlier observed value, and that value grown with trade.

A model of freight is worth its trouble only where it beats them. An observation of part of a year is brought to a year
by its factor, and the forecast back to the part of the year that is asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.study.validate.answers import FLOWS
from landbridge.study.validate.trades import trade_of
from landbridge.study.validate.words import NotCovered, annual_factor

__all__ = ["Naive", "forecasts"]

#: Partners of China whose trade the corridors serve: its growth is what "proportional growth" means.
PARTNERS = ("europe", "central-asia", "caucasus")
SINGLE = ("RUS", "BLR", "MNG", "IRN", "TUR")


@dataclass(frozen=True)
class Naive:
    """What one would say without a model.

    Attributes
    ----------
    last
        The last earlier observed value; None where there is none.
    growth
        The same, grown with China's trade with the countries of the corridors.
    since
        Year of that observation.
    """

    last: float | None = None
    growth: float | None = None
    since: int | None = None


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    direction = "both" if row["direction"] == "na" else row["direction"]
    return row["indicator"], row["subject"], direction


def _annual(row: Mapping[str, Any]) -> float:
    return annual_factor(row["note"]) if row["indicator"] in FLOWS and row["kind"] == "level" else 1.0


def forecasts(tables: Tables, rows: Iterable[Mapping[str, Any]]) -> list[Naive]:
    """The two forecasts of each row, from earlier rows of the file and of the atlas.

    Parameters
    ----------
    tables
        The atlas, whose targets are observations too.
    rows
        The targets.
    """
    rows = list(rows)
    known = [*rows, *(tables["targets"].to_dicts() if "targets" in tables else ())]
    seen: dict[tuple[str, str, str], dict[int, float]] = {}
    for row in known:
        if row["kind"] in ("level", "ratio", "input") and row["observed"]:
            seen.setdefault(_key(row), {}).setdefault(row["year"], row["observed"] * _annual(row))
    sizes: dict[int, float | None] = {}
    found = []
    for row in rows:
        if row["kind"] not in ("level", "ratio"):
            found.append(Naive())
            continue
        earlier = [y for y in seen.get(_key(row), {}) if y < row["year"]]
        if not earlier:
            found.append(Naive())
            continue
        since = max(earlier)
        last = seen[_key(row)][since] / _annual(row)
        factor = 1.0
        if row["indicator"] in FLOWS and row["kind"] == "level":
            for year in (since, row["year"]):
                if year not in sizes:
                    sizes[year] = _size(tables, year)
            old, new = sizes[since], sizes[row["year"]]
            factor = new / old if old and new else 1.0
        found.append(Naive(last, last * factor, since))
    return found


def _size(tables: Tables, year: int) -> float | None:
    """Tonnes of China's trade with the countries of the corridors."""
    iso3 = {a: b for a, b in tables["countries"].select("iso2", "iso3").iter_rows() if a}
    members = tables["blocs"].filter(pl.col("bloc").is_in(PARTNERS))["iso2"].to_list()
    partners = sorted({*(iso3[m] for m in members if m in iso3), *SINGLE})
    try:
        frame = trade_of(tables, year)
    except NotCovered:
        return None
    a, b = pl.col("exporter"), pl.col("importer")
    own = ((a == "CHN") & b.is_in(partners)) | (a.is_in(partners) & (b == "CHN"))
    return float(frame.filter(own)["tonnes"].sum())
