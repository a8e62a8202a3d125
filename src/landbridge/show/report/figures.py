"""Figures of a results folder, each with the keys by which anyone can find it again.

A figure is the sum of one column over the rows that its keys select; where they select one row it is that row's value.
A change is such a sum less another. What the page shows is computed here and nowhere else, so that the keys in the
page's attributes are the recipe of the number beside them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

import polars as pl

from landbridge.show.report.rests import Owners, Share
from landbridge.study.results import Results

__all__ = ["ROW", "Figure", "Figures", "Where", "encode"]

Key: TypeAlias = str | int | bool
#: Column and what it must hold; a tuple holds several of which any will do.
Where: TypeAlias = Mapping[str, Key | tuple[Key, ...]]

#: Key of a row's number in its table, for tables whose rows have no name.
ROW = "row"

#: Columns that may be added up; of any other a figure is one row's value.
ADDITIVE = frozenset(
    "tonnes teu empty_teu trains tonne_km transit_tonnes transit_teu paid_on_lines_usd paid_at_borders_usd "
    "paid_at_yards_usd border_tonne_h_in co2_t land_tonnes outside_tonnes unserved_tonnes land_teu demand_tonnes "
    "fixed_tonnes left_out_relations left_out_tonnes within_zone_tonnes without_zone_tonnes".split()
)


@dataclass(frozen=True)
class Figure:
    """One number of the results.

    Attributes
    ----------
    value
        In the table's unit; None where the results hold none.
    table, column, where
        Where it stands.
    minus
        Rows whose sum was taken away, for a change.
    own
        How many of the numbers that the atlas holds on its very subject are estimates; None where it has no subject.
    """

    value: float | None
    table: str
    column: str
    where: Where
    minus: Where | None = None
    own: Share | None = None


def encode(where: Where) -> str:
    """Write keys as an attribute: ``key=value`` divided by ``;``, percent-encoded, once for each of several values."""
    parts = []
    for key, value in where.items():
        for each in value if isinstance(value, tuple) else (value,):
            text = str(each).lower() if isinstance(each, bool) else str(each)
            parts.append(f"{key}={quote(text, safe=':,. ')}")
    return ";".join(parts)


class Figures:
    """Looks figures up; groups that were summed once are kept.

    Parameters
    ----------
    results
        A results folder.
    owners
        Tells on what a figure rests; None = nothing is told of it.
    """

    def __init__(self, results: Results, owners: Owners | None = None) -> None:
        self.results = results
        self.owners = owners
        #: Tables and columns of which some figure was shown, in order.
        self.shown: dict[tuple[str, str], None] = {}
        self._sums: dict[tuple[str, tuple[str, ...]], dict[tuple[Key, ...], dict[str, Any]]] = {}

    def _group(self, table: str, keys: tuple[str, ...]) -> dict[tuple[Key, ...], dict[str, Any]]:
        known = self._sums.get((table, keys))
        if known is None:
            frame = self.results[table].with_row_index(ROW)
            numbers = [c for c, t in frame.schema.items() if t.is_numeric() and c not in keys]
            summed = frame.group_by(keys, maintain_order=True).agg(
                pl.len().alias("#"),
                *[pl.when(pl.col(c).is_not_null().any()).then(pl.col(c).sum()).alias(c) for c in numbers],
            )
            known = {tuple(row[k] for k in keys): row for row in summed.to_dicts()}
            self._sums[table, keys] = known
        return known

    def value(self, table: str, column: str, where: Where) -> float | None:
        """Return a sum, or None where nothing is known.

        Raises
        ------
        ValueError
            If several rows are selected of a column that cannot be added up.
        """
        group = self._group(table, tuple(where))
        options = [v if isinstance(v, tuple) else (v,) for v in where.values()]
        rows = [group[key] for key in itertools.product(*options) if key in group]
        values = [float(row[column]) for row in rows if row[column] is not None]
        if column not in ADDITIVE:
            if sum(row["#"] for row in rows) > 1:
                raise ValueError(f"{table}.{column} cannot be added up over {encode(where)}")
            return values[0] if values else None
        if rows and not values:
            return None
        return float(sum(values))

    def get(self, table: str, column: str, where: Where) -> Figure:
        """Return a figure."""
        return self._figure(self.value(table, column, where), table, column, where)

    def _figure(self, value: float | None, table: str, column: str, where: Where, minus: Where | None = None) -> Figure:
        self.shown[table, column] = None
        return Figure(value, table, column, where, minus, self.owners.of(table, where) if self.owners else None)

    def change(self, table: str, column: str, where: Where, minus: Where) -> Figure:
        """Return the difference of two figures; None where one of them is not known."""
        after, before = self.value(table, column, where), self.value(table, column, minus)
        value = None if after is None or before is None else after - before
        return self._figure(value, table, column, where, minus)

    def names(self, table: str, key: str, where: Where) -> list[str]:
        """Return the values of a column over the rows selected, each once, in their order."""
        frame = self.results[table]
        for column, value in where.items():
            frame = frame.filter(pl.col(column).is_in(list(value) if isinstance(value, tuple) else [value]))
        return frame[key].unique(maintain_order=True).to_list()
