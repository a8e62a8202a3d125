"""What a question about closures or bans is asked of: the atlas in a year, at a size, with what holds there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from landbridge.data.tables import Tables
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Measure

__all__ = ["Ground", "tables_on"]


@dataclass(frozen=True, eq=False)
class Ground:
    """What a question is asked of.

    Attributes
    ----------
    tables
        The atlas, with the user's own values.
    year, size
        Year and size of the demand.
    before
        Measures that hold.
    held
        Projects that stay unbuilt.
    """

    tables: Tables
    year: int
    size: str
    before: tuple[Measure, ...] = ()
    held: frozenset[str] = frozenset()


def tables_on(ground: Ground, *, more: Sequence[Measure] = ()) -> Tables:
    """Return the tables of the year after the measures that hold, and more."""
    return apply(ground.tables, [*ground.before, *more], ground.year, held=ground.held).tables
