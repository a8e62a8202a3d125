"""Read a file of targets, with every fault at once.

The form is that of ``targets.csv`` of the atlas. An indicator, subject, scenario or qualifier that nobody knows is no
fault of the form: it is answered with the reason why it is not covered. A unit that an indicator is not stated in, a
band that does not hold the observed number, or a formula that cannot be read would give a wrong verdict, and is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.dictionary import read_dictionary
from landbridge.data.read import ATLAS, read_table
from landbridge.errors import DataError, Fault
from landbridge.study.validate.words import NotCovered, annual_factor, calculate, days_of, note_part

__all__ = ["UNITS", "read_targets"]

#: Units that each indicator is stated in.
UNITS: dict[str, tuple[str, ...]] = {
    "crossing_trains": ("trains",),
    "crossing_tonnes": ("Mt",),
    "crossing_teu": ("TEU",),
    "crossing_wagons": ("wagons",),
    "crossing_peak_trains_day": ("trains/day",),
    "teu_per_train": ("TEU/train",),
    "service_trains": ("trains",),
    "service_teu": ("TEU",),
    "service_tonnes": ("Mt",),
    "border_hours": ("hours",),
    "queue_trains": ("trains",),
    "transit_days": ("days",),
    "speed_km_day": ("km/day",),
    "distance_km": ("km",),
    "rate_usd_feu": ("USD/FEU",),
    "unit_cost_usd_20t_500km": ("USD",),
    "unit_cost_usd_box_km": ("USD/FEU-km", "USD/TEU-km"),
    "co2_g_tkm": ("g/tkm",),
    "co2_kg_teu": ("kg/TEU",),
    "terminal_teu": ("TEU",),
    "terminal_trains_day": ("trains/day",),
    "terminal_train_minutes": ("minutes",),
    "capacity_teu_yr": ("TEU/yr",),
    "trade_usd": ("USD bn",),
    "share_pct": ("% of value", "% of TEU", "% of t"),
    "time_value_pct_day": ("%/day",),
    "scenario_change_pct": ("%",),
}


def read_targets(file: Path) -> pl.DataFrame:
    """Read a user's targets.

    Parameters
    ----------
    file
        In the form of the atlas' targets.

    Returns
    -------
    polars.DataFrame
        Columns as in the atlas.

    Raises
    ------
    DataError
        With every fault, each with its row and field.
    """
    loose: dict[str, dict[str, Any]] = {
        "indicator": {"type": "text", "values": ()},
        "year": {"minimum": 1900, "maximum": 2100},
    }
    columns = tuple(replace(c, **loose.get(c.name, {})) for c in read_dictionary(ATLAS).of("targets"))
    frame, faults = read_table(file, columns)
    # a fault of a cell names the table; the user knows the file
    told = [replace(f, where=file.name) if isinstance(f, Fault) else f for f in faults]
    needed = ("id", "indicator", "subject", "direction", "year", "period", "unit", "observed", "kind")
    if set(needed) <= set(frame.columns):
        told += _deeper(frame, file.name, needed)
    if told:
        raise DataError(f"targets {file}", told)
    return frame


def _deeper(frame: pl.DataFrame, where: str, needed: tuple[str, ...]) -> list[Fault]:
    """What no single cell can tell, of the rows whose cells can be read."""
    found: list[Fault] = []
    for number, row in enumerate(frame.to_dicts(), start=2):
        if all(row[name] is not None for name in needed):
            at = f"row {number} ({row['id']})"
            found += [Fault(where, at, field, wanted, got) for field, wanted, got in _row_faults(row)]
    return found


def _row_faults(row: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found = []
    low, high, kind = row["low"], row["high"], row["kind"]
    if low is not None and high is not None and low > high:
        found.append(("low", f"at most the upper end, {high:g}", f"{low:g}"))
    if low is None and high is None and kind != "input":
        found.append(("low", "a band with at least one end", "two empty ends"))
    if row["indicator"] in UNITS:
        units = UNITS[row["indicator"]]
        if kind in ("sign", "order"):
            units = ("bool",)
        elif kind == "ratio" and ";" in row["subject"]:
            units = ("times", "per 100")
        if row["unit"] not in units:
            found.append(("unit", " or ".join(units), repr(row["unit"])))
    if days_of(row["year"], row["period"]) is None:
        wanted = "year, H1, H2, Q1 to Q4, a month, a day, or two of these joined by -"
        found.append(("period", wanted, repr(row["period"])))
    factor = re.search(r"annualise x(\S+?)(;|$)", row["note"] or "")
    if factor and (not re.fullmatch(r"[0-9.]+", factor.group(1)) or annual_factor(row["note"]) <= 0):
        found.append(("note", "a factor above zero after 'annualise x'", repr(factor.group(1))))
    key = "holds" if kind in ("sign", "order") else "formula"
    text = note_part(row["note"], key)
    if text is not None:
        try:
            calculate(text, lambda _: 1.0)
        except (NotCovered, ValueError):
            found.append(("note", f"a {key} of value(...), numbers, + - * / and comparisons", repr(text[:60])))
    return found
