"""Where the model's numbers come from: a results folder, or runs that are made as they are asked for.

Both give the tables of a scenario and year, the tables that were solved and the ways between places; whoever answers a
target does not know which of the two it asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import StudyError
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Build, Measure
from landbridge.study.files import read_study
from landbridge.study.results import Results
from landbridge.study.routing import RouteFinder
from landbridge.study.validate.names import Names, names_of
from landbridge.study.validate.words import NotCovered, Operand

__all__ = ["FolderWorld", "World", "finder_of"]

#: The year whose network stands for all years before it, where only one results folder is asked.
FIRST_NETWORK = 2023


class World(Protocol):
    """What answers of targets are read from."""

    @property
    def tables(self) -> Tables:
        """The atlas."""
        ...

    @property
    def names(self) -> Names:
        """Its names."""
        ...

    @property
    def first(self) -> str:
        """The scenario that is meant where none is named."""
        ...

    def frame(self, name: str, op: Operand) -> pl.DataFrame:
        """A table of the scenario, year and period that an operand asks about.

        Raises
        ------
        NotCovered
            If there is no such run.
        """
        ...

    def near(self, name: str, op: Operand) -> tuple[pl.DataFrame, int]:
        """A table of that year, or of the nearest there is, and its year."""
        ...

    def without(self, op: Operand) -> Operand:
        """The operand in the world without its scenario."""
        ...

    def network_year(self, year: int) -> int:
        """The year whose network stands for a year."""
        ...

    def finder(self, op: Operand, *, priced: bool = False) -> RouteFinder:
        """The ways between places of the scenario and year; where priced, without what nobody is paid."""
        ...

    def applied(self, op: Operand) -> Tables:
        """The tables of the scenario and year, as they were solved."""
        ...

    def gains(self, op: Operand) -> pl.DataFrame:
        """Welfare, trade and trade cost of each country under the scenario of an operand against none, in per cent.

        Raises
        ------
        NotCovered
            If trade does not answer here.
        """
        ...


def finder_of(tables: Tables, applied: Tables, names: Names) -> RouteFinder:
    """Make the ways between all places that a target may name.

    Parameters
    ----------
    tables
        The atlas.
    applied
        The tables of a scenario and year.
    names
        Names of the atlas.
    """
    zones, passages = tables["zones"], tables["passages"]
    ports = zones.filter(pl.col("sea_port").is_not_null())["sea_port"].to_list()
    places = {*names.place.values(), *zones["place"].to_list(), *ports}
    places |= set(passages["origin"].drop_nulls()) | set(passages["destination"].drop_nulls())
    known = set(applied["places"]["id"].to_list())
    return RouteFinder(applied, sorted(places & known), season="open")


@dataclass
class FolderWorld:
    """The numbers of one results folder: its years and scenarios, and no others."""

    results: Results
    tables: Tables
    names: Names = field(init=False)
    _finders: dict[tuple[str, int, bool], RouteFinder] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.names = names_of(self.tables)

    @property
    def first(self) -> str:
        """The first scenario of the folder."""
        return self.results.scenarios[0]

    def frame(self, name: str, op: Operand) -> pl.DataFrame:
        """A table of the scenario and year; periods are parts of the year."""
        if op.scenario not in self.results.scenarios:
            raise NotCovered(f"no scenario {op.scenario} in this results folder")
        if op.year not in self.results.years:
            raise NotCovered(f"flows of {op.year} are not in this results folder")
        if name not in self.results.tables:
            raise NotCovered(f"no table {name} in this results folder; `landbridge validate` makes it")
        return self.results.of(name, op.scenario, op.year)

    def near(self, name: str, op: Operand) -> tuple[pl.DataFrame, int]:
        """A table of the year asked about, else of the year solved that is nearest to it."""
        year = min(self.results.years, key=lambda y: (abs(y - op.year), y))
        return self.frame(name, _in(op, year)), year

    def without(self, op: Operand) -> Operand:
        """The first scenario is the world without any other."""
        return Operand(self.first, op.thing, op.via, op.qualifiers, op.direction, op.year, op.period)

    def network_year(self, year: int) -> int:
        """Years before the first network have that."""
        return max(year, FIRST_NETWORK)

    def _measures(self, scenario: str) -> tuple[Measure, ...]:
        if scenario not in self.results.scenarios:
            raise NotCovered(f"no scenario {scenario} in this results folder")
        recorded = {s["id"]: s["measures"] for s in self.results.manifest["study"]["scenarios"]}
        if not recorded[scenario]:
            return ()
        try:
            return read_study(self.results.folder / "study.toml").scenario(scenario).measures
        except (StudyError, KeyError):
            raise NotCovered(f"measures of {scenario} cannot be read from the study in the results folder") from None

    def _apply(self, op: Operand, *, build: bool) -> Tables:
        measures = self._measures(op.scenario)
        if build and not any(isinstance(m, Build) and m.project == "cku" for m in measures):
            measures = (*measures, Build(project="cku"))
        held = frozenset(self.results.manifest["study"]["held_projects"])
        return apply(self.tables, measures, self.network_year(op.year), held=held).tables

    def finder(self, op: Operand, *, priced: bool = False) -> RouteFinder:
        """The ways of a scenario; those by CKU with that railway."""
        del priced  # a folder has no events
        build = op.via == "cku"
        key = (op.scenario, self.network_year(op.year), build)
        if key not in self._finders:
            self._finders[key] = finder_of(self.tables, self._apply(op, build=build), self.names)
        return self._finders[key]

    def applied(self, op: Operand) -> Tables:
        """The tables of the scenario and year."""
        return self._apply(op, build=False)

    def gains(self, op: Operand) -> pl.DataFrame:
        """Not here: only `landbridge validate` lets trade answer to a scenario of targets."""
        if op.scenario not in self.results.scenarios:
            raise NotCovered(f"no scenario {op.scenario} in this results folder")
        raise NotCovered(f"the model has no {op.thing} in this results folder")


def _in(op: Operand, year: int) -> Operand:
    return Operand(op.scenario, op.thing, op.via, op.qualifiers, op.direction, year, op.period)
