"""Put the atlas' own upgrades in effect: what changes from a day on, or where a project is built."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import polars as pl

from landbridge.data.tables import Tables
from landbridge.scenario.edits import CROSSING_CAPACITIES, EASED, Edited, set_rows
from landbridge.scenario.measures import Build, Measure
from landbridge.scenario.select import upgrade_share
from landbridge.scenario.years import Span

__all__ = ["commit"]

# Where the subjects of an upgrade stand: the table that is changed, and its column with their names.
_PLACE = {"lines": ("links", "line")}
# What each value sets there; what is not told of a table is not for it (`landbridge.data.consistency` refuses it).
_SETS: dict[str, dict[str, tuple[str, ...]]] = {
    "lines": {"capacity_trains_day": ("capacity_trains_day",), "speed_kmh": ("speed_kmh",)},
    "crossings": {"capacity_trains_day": CROSSING_CAPACITIES},
    "gauge_changes": {"capacity_trains_day": ("capacity_trains_day",)},
    "terminals": {"capacity_teu_yr": ("capacity_teu_yr",), "capacity_t_yr": ("capacity_t_yr",)},
    "services": {"departures_week": ("departures_week",), "capacity_teu_yr": ("capacity_teu_yr",)},
}
# The hours that a factor acts on.
_HOURS: dict[str, tuple[str, ...]] = {
    "crossings": EASED["time_factor"][0],
    "gauge_changes": EASED["time_factor"][1],
    "terminals": ("time_h", "spread_h"),
}


def commit(
    tables: Tables, measures: Sequence[Measure], year: int, *, held: AbstractSet[str], span: Span | None = None
) -> Edited:
    """Put the atlas' own upgrades in effect; a restriction that narrows a crossing is one too.

    In the year of its day an upgrade counts by days: those of the span where only a part of the year is run. One that
    belongs to a project that is held counts only where the project is built, and then from the year that the measure
    says; so does one without a day, which nobody has set.

    Parameters
    ----------
    tables
        Tables from `landbridge.scenario.edits.prepare`.
    measures
        The scenario's measures.
    year
        The year that is run.
    held
        Projects that are there only where a measure builds them.
    span
        First and last day of a part of the year; None for the whole year.

    Returns
    -------
    Edited
    """
    if "upgrades" not in tables:
        return Edited(tables)
    builds = {m.project: year if m.year is None else m.year for m in measures if isinstance(m, Build) and m.project}
    frames: dict[str, pl.DataFrame] = {}
    notes = []
    for row in tables["upgrades"].sort("from_date", nulls_last=True, maintain_order=True).iter_rows(named=True):
        if row["project"] in builds:
            share = float(builds[row["project"]] <= year)
        elif row["from_date"] is None or row["project"] in held:
            share = 0.0
        else:
            share = upgrade_share(row["from_date"], year, span)
        table, key = _PLACE.get(row["table"], (row["table"], "id"))
        if share == 0 or table not in tables:
            continue
        new = {
            column: share * row[name] + (1 - share) * pl.col(column) if share < 1 else pl.lit(float(row[name]))
            for name, columns in _SETS[row["table"]].items()
            if row.get(name) is not None
            for column in columns
        }
        if row.get("time_factor") is not None:
            factor = 1.0 + share * (row["time_factor"] - 1.0)
            new |= {column: pl.col(column) * factor for column in _HOURS[row["table"]]}
        frames[table] = set_rows(frames.get(table, tables[table]), pl.col(key) == row["subject"], new)
        notes.append(f"in effect by {year}: {row['name']}" + (f" ({share:.0%} of the year)" if share < 1 else ""))
    return Edited(tables.replace(**frames), tuple(notes))
