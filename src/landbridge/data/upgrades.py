"""Upgrades of existing lines and crossings by date: what the tables look like in a year.

A fact, not a choice: the second track from Dostyk to Moyynty has been open since 30 September 2025 whatever a study
assumes. In the year of its opening an upgrade counts for its share of days, as a mean of old and new values.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

import polars as pl

from landbridge.data.tables import Tables

__all__ = ["upgraded"]

LINE, CROSSING = "lines", "crossings"


def _share(day: date, year: int) -> float:
    """Part of a year that lies after a day."""
    first, last = date(year, 1, 1), date(year + 1, 1, 1)
    return min(1.0, max(0.0, (last - max(day, first)).days / (last - first).days))


def upgraded(tables: Tables, year: int, *, held: AbstractSet[str] = frozenset()) -> Tables:
    """Return tables as they are in a year.

    Parameters
    ----------
    tables
        Tables as read.
    year
        The year.
    held
        Projects whose upgrades stay out.

    Returns
    -------
    Tables
        Links and crossings with new capacities and speeds.
    """
    links, crossings = tables["links"], tables["crossings"]
    for row in tables["upgrades"].sort("from_date").to_dicts():
        share = _share(row["from_date"], year)
        if share == 0 or (row["project"] and row["project"] in held):
            continue
        if row["table"] == LINE:
            links = _mix(
                links,
                pl.col("line") == row["subject"],
                {"capacity_trains_day": row["capacity_trains_day"], "speed_kmh": row["speed_kmh"]},
                share,
            )
        else:
            new = dict.fromkeys(("capacity_ab_trains_day", "capacity_ba_trains_day"), row["capacity_trains_day"])
            crossings = _mix(crossings, pl.col("id") == row["subject"], new, share)
    return tables.replace(links=links, crossings=crossings)


def _mix(frame: pl.DataFrame, where: pl.Expr, new: dict[str, Any], share: float) -> pl.DataFrame:
    """Old and new values by their days; a value that does not change stays."""
    return frame.with_columns(
        pl.when(where).then((1 - share) * pl.col(name) + share * value).otherwise(pl.col(name)).alias(name)
        for name, value in new.items()
        if value is not None
    )
