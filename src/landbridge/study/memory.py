"""What was solved before, kept by what it was solved from, so that a what-if starts from its base.

A solution is named by everything that it hangs on: the atlas and the user's values, the measures, the projects held
back, the year and the settings. A what-if starts from the named base solution, never from whatever was solved last, so
that its result does not depend on what was asked before it.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import asdict, dataclass, field

import polars as pl

from landbridge.data.tables import Tables
from landbridge.scenario.scenarios import Scenario, fingerprint
from landbridge.study.solve import Settings, Start

__all__ = ["Memory", "Solved", "task_key"]


@dataclass(frozen=True, eq=False)
class Solved:
    """A solution, what it was solved on, the tables that it makes, and the notes of its scenario."""

    start: Start
    frames: dict[str, pl.DataFrame]
    notes: tuple[str, ...]


@dataclass
class Memory:
    """The solutions used last.

    Attributes
    ----------
    size
        The most that are kept.
    """

    size: int = 12
    _held: OrderedDict[str, Solved] = field(default_factory=OrderedDict, repr=False)

    def get(self, key: str) -> Solved | None:
        """Return what was solved under a key."""
        if key in self._held:
            self._held.move_to_end(key)
        return self._held.get(key)

    def put(self, key: str, solved: Solved) -> None:
        """Keep a solution; the one that was not used for longest goes."""
        self._held[key] = solved
        self._held.move_to_end(key)
        while len(self._held) > self.size:
            self._held.popitem(last=False)


def task_key(tables: Tables, scenario: Scenario, year: int, held: frozenset[str], settings: Settings) -> str:
    """Name a solution by everything that it hangs on.

    Tables without a package (made in memory) have no name that could be trusted; each set of them counts as its own.
    """
    package, overlay = tables.package, tables.overlay
    content = {
        "atlas": package.content_hash if package else f"in memory {id(tables)}",
        "overlay": overlay.content_hash if overlay else "",
        "scenario": fingerprint(scenario),
        "year": year,
        "held": sorted(held),
        "settings": asdict(settings),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
