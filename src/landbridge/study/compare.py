"""Compare two scenarios, or two years, of one results folder. A difference is itself a table."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from landbridge.errors import LandbridgeError, UnknownName
from landbridge.study.results import Results

__all__ = ["KEYS", "PER_KM", "Side", "compare"]

#: Columns that name a row, by table; everything else that is a number is compared.
KEYS = {
    "totals": [],
    "passages": ["passage", "name", "origin", "destination"],
    "crossings": ["crossing", "mode", "direction", "from_country", "to_country"],
    "links": ["link", "direction", "country", "mode", "gauge_mm"],
    "passage_flows": ["passage", "commodity", "exporter", "importer"],
    "internal_corridors": ["corridor", "crossing", "direction"],
    "countries": ["country"],
}

#: Numbers of which a row that is missing has none, as against hours or prices, which it does not have at all.
FLOWS = {
    "tonnes", "teu", "empty_teu", "trains", "trains_day", "tonne_km", "transit_tonnes", "transit_teu", "co2_t",
    "paid_on_lines_usd", "paid_at_borders_usd", "paid_at_yards_usd", "border_tonne_h_in",
}  # fmt: skip

#: Column of the length, and the numbers that are told for each kilometre of it, by table.
PER_KM = {
    "passages": ("km", ["days", "usd_feu", "co2_kg_feu"]),
    "links": ("length_km", ["free_h", "time_h"]),
}

PART = "part of the link"


@dataclass(frozen=True)
class Side:
    """One scenario in one year."""

    scenario: str
    year: int


def compare(results: Results, table: str, first: Side, second: Side, *, per_km: bool = False) -> pl.DataFrame:
    """Return a table of differences, second minus first.

    Parameters
    ----------
    results
        A results folder.
    table
        A key of `KEYS`.
    first, second
        What is compared; the difference is second minus first, so it is antisymmetric in them.
    per_km
        Whether hours, prices and CO2 are told for each kilometre, each side over its own; see `PER_KM`.

    Returns
    -------
    polars.DataFrame
        The key columns, then for each number its value on both sides (``_first``, ``_second``), the difference
        (``_change``) and the per cent of the first (``_percent``, null where the first is zero). A row that stands on
        one side only counts as zero flow on the other where the number is a flow, and stays null where it is not.

    Raises
    ------
    UnknownName
        For a table, scenario or year that is not there.
    LandbridgeError
        If a table without lengths is asked for by the kilometre.
    """
    if table not in KEYS:
        raise UnknownName("table to compare", table, list(KEYS))
    if per_km and table not in PER_KM:
        raise LandbridgeError(f"{table} have no length of their own; by the kilometre there are {', '.join(PER_KM)}")
    keys = KEYS[table]
    a, b = results.of(table, first.scenario, first.year), results.of(table, second.scenario, second.year)
    if per_km:
        length, told = PER_KM[table]
        each = [(pl.col(name) / pl.col(length)).alias(f"{name}_per_km") for name in told]
        a, b = (side.select(*keys, *each) for side in (a, b))
    numbers = [c for c, t in a.schema.items() if t.is_numeric() and c not in keys]
    if keys:
        # a link that crosses a country twice has two rows there; they are told apart by their order
        part = pl.int_range(pl.len()).over(keys).alias(PART)
        joined = (
            a.select(*keys, part, *numbers)
            .join(
                b.select(*keys, part, *numbers),
                on=[*keys, PART],
                how="full",
                coalesce=True,
                suffix="_second",
                nulls_equal=True,
                maintain_order="left_right",
            )
            .drop(PART)
        )
    else:
        joined = pl.concat(
            [a.select(numbers), b.select(numbers).rename({n: f"{n}_second" for n in numbers})], how="horizontal"
        )
    out = []
    for name in numbers:
        left, right = pl.col(name), pl.col(f"{name}_second")
        if name in FLOWS:
            left, right = left.fill_null(0), right.fill_null(0)
        change = right - left
        out += [
            left.alias(f"{name}_first"),
            right.alias(f"{name}_second"),
            change.alias(f"{name}_change"),
            pl.when(left != 0).then(100 * change / left).alias(f"{name}_percent"),
        ]
    return joined.select(*keys, *out)
