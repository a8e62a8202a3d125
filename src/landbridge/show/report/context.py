"""What every part of the report needs: the results, the names that people use, and which scenario is the measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.show.report.figures import Figures, Where
from landbridge.show.report.markup import Unit
from landbridge.show.report.rests import Owners, Rests
from landbridge.study.results import Results

__all__ = ["Context", "Run", "Units"]


#: Names of what the model adds to the atlas.
EXTRA = {"empty_box": "Empty boxes", "other": "Other"}


class Units:
    """Units that results are read in."""

    MT = Unit("Mt", 1e-6, 2)
    KT = Unit("kt", 1e-3, 0)
    TEU = Unit("TEU")
    KTEU = Unit("thousand TEU", 1e-3)
    MT_SHORT = Unit("Mt", 1e-6, 1)
    TRAINS_DAY = Unit("trains a day", 1, 1)
    PERCENT = Unit("%", 100, 0)
    HOURS = Unit("h", 1, 1)
    KM = Unit("km")
    DAYS = Unit("days", 1, 1)
    USD = Unit("USD")
    USD_MN = Unit("USD mn", 1e-6, 1)
    KG = Unit("kg")
    BN_TKM = Unit("bn tkm", 1e-9, 1)
    MN_TONNE_H = Unit("mn tonne-hours", 1e-6, 1)
    COUNT = Unit("")


@dataclass(frozen=True)
class Run:
    """One scenario in one year."""

    scenario: str
    year: int

    @property
    def where(self) -> dict[str, str | int]:
        """Keys of its rows in every table."""
        return {"scenario": self.scenario, "year": self.year}

    @property
    def key(self) -> str:
        """Name among the views of the page."""
        return f"{self.scenario}/{self.year}"

    def rows(self, **more: str | int | bool | tuple[str, ...]) -> Where:
        """Keys of some of its rows."""
        return {**self.where, **more}


@dataclass(frozen=True)
class Context:
    """Results, tables and names."""

    results: Results
    tables: Tables
    figures: Figures = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "figures", Figures(self.results, Owners(Rests(self.tables), self.results)))

    @property
    def rests(self) -> Rests:
        """On what figures rest."""
        owners = self.figures.owners
        assert owners is not None  # noqa: S101 - made above
        return owners.rests

    # ------------------------------------------------------------------------------------- scenarios and years

    @property
    def study(self) -> Mapping[str, Any]:
        """The study, as the manifest tells it."""
        study: Mapping[str, Any] = self.results.manifest["study"]
        return study

    @property
    def base(self) -> str:
        """Scenario that the others are compared with."""
        return str(self.study.get("compare") or self.results.scenarios[0])

    @property
    def others(self) -> list[str]:
        """The other scenarios."""
        return [name for name in self.results.scenarios if name != self.base]

    @property
    def runs(self) -> list[Run]:
        """All that was solved, year by year, the scenario of comparison first."""
        return [Run(s, y) for y in self.results.years for s in [self.base, *self.others]]

    @property
    def pairs(self) -> list[tuple[Run, Run]]:
        """Each run of another scenario with the run that it is compared with."""
        return [(Run(self.base, y), Run(s, y)) for y in self.results.years for s in self.others]

    def scenario(self, name: str) -> str:
        """Name of a scenario for people."""
        for scenario in self.study["scenarios"]:
            if scenario["id"] == name:
                return str(scenario.get("name") or name)
        return name

    def label(self, run: Run) -> str:
        """Name of a run for people."""
        return f"{self.scenario(run.scenario)}, {run.year}"

    # ------------------------------------------------------------------------------------------------- names

    def table(self, name: str) -> pl.DataFrame:
        """Return a table of the atlas; an empty one where there is none."""
        return self.tables[name] if name in self.tables else pl.DataFrame()

    def _names(self, table: str, key: str = "id") -> dict[str, str]:
        frame = self.table(table)
        if key not in frame.columns or "name" not in frame.columns:
            return {}
        return {k: n or k for k, n in frame.select(key, "name").rows()}

    @cached_property
    def _crossings(self) -> dict[str, str]:
        return {k: n.replace(" - ", " – ") for k, n in self._names("crossings").items()}

    @cached_property
    def _countries(self) -> dict[str, str]:
        return self._names("countries", "iso2") | self._names("countries", "iso3")

    @cached_property
    def _places(self) -> dict[str, str]:
        return {k: n.split(" (")[0] for k, n in self._names("places").items()}

    @cached_property
    def _others(self) -> dict[str, dict[str, str]]:
        return {name: self._names(name) for name in ("passages", "commodities", "internal_corridors", "projects")}

    @cached_property
    def _ends(self) -> dict[str, tuple[str, str]]:
        frame = self.table("links")
        if not frame.height:
            return {}
        return {k: (a, b) for k, a, b in frame.select("id", "place_a", "place_b").rows()}

    def crossing(self, name: str) -> str:
        """Name of a crossing."""
        return self._crossings.get(name, name)

    def country(self, code: str) -> str:
        """Name of a country."""
        return {"XZ": "High seas"}.get(code) or self._countries.get(code, code)

    def place(self, name: str) -> str:
        """Name of a place, without what stands in brackets."""
        return self._places.get(name, name)

    def named(self, table: str, name: str) -> str:
        """Name of a passage, commodity, corridor or project."""
        return self._others[table].get(name) or EXTRA.get(name, name)

    def ends(self, link: str) -> tuple[str, str]:
        """Places of a link, in its order."""
        return self._ends.get(link, (link, link))

    def link(self, name: str, direction: str = "") -> str:
        """Name of a link by its places; with an arrow where a direction is given."""
        a, b = self.ends(name)
        if a == b:
            return name
        if direction == "ba":
            a, b = b, a
        return f"{self.place(a)} {'→' if direction else '–'} {self.place(b)}"

    @cached_property
    def passages(self) -> list[str]:
        """Passages with a standard relation, in the atlas' order."""
        known = self.results["passages"]["passage"].unique(maintain_order=True).to_list()
        order = {name: i for i, name in enumerate(self._others["passages"])}
        return sorted(known, key=lambda name: order.get(name, len(order)))

    @cached_property
    def _crossing_links(self) -> dict[str, str]:
        frame = self.table("crossings")
        return dict(frame.select("id", "link").rows()) if "link" in frame.columns else {}

    def once_a_line(self, crossings: Iterable[str]) -> list[str]:
        """Crossings without the further ones of a line that leaves a country and comes back to it."""
        first: dict[str, str] = {}
        for name in crossings:
            first.setdefault(self._crossing_links.get(name) or name, name)
        return list(first.values())

    # -------------------------------------------------------------------------------------------- what is new

    def new_crossings(self, before: Run, after: Run) -> list[str]:
        """Crossings that carry something in one run and nothing in the other."""
        used = [
            set(self.results.of("crossings", run.scenario, run.year).filter(pl.col("tonnes") > 0)["crossing"])
            for run in (before, after)
        ]
        order = self.results.of("crossings", after.scenario, after.year)["crossing"].unique(maintain_order=True)
        return [name for name in order.to_list() if name in used[1] - used[0]]

    def new_links(self, before: Run, after: Run) -> list[str]:
        """Links that are open in one run and not in the other."""
        there = set(self.results.of("links", before.scenario, before.year)["link"])
        here = self.results.of("links", after.scenario, after.year)["link"].unique(maintain_order=True)
        return [name for name in here.to_list() if name not in there]
