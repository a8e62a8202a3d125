"""Runs made as targets ask for them: a year or a part of it, with the events switched on, with or without a scenario.

A run is known by its content: the tables that were solved, the settings and the code that solves. What was solved once
is kept in a folder by that name, so that a second validation, or one of other targets, solves only what is new.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

import landbridge
from landbridge.data.tables import Tables
from landbridge.errors import DataError, LandbridgeError, NotConverged, StudyError
from landbridge.model.network import ArcKind
from landbridge.model.past import PAST_TABLES
from landbridge.scenario.apply import Applied, apply
from landbridge.scenario.measures import Build, Charge, Measure
from landbridge.study.answer import Answer as Answered
from landbridge.study.answer import answer, reference_of
from landbridge.study.answering import Answering
from landbridge.study.routing import RouteFinder
from landbridge.study.solve import DEMAND_TABLES, NETWORK_TABLES, Settings, Solution, parameter, solve
from landbridge.study.tabulate import tabulate
from landbridge.study.validate.events import TargetScenario, event_measures, target_scenarios, undated
from landbridge.study.validate.names import Names, names_of
from landbridge.study.validate.words import NotCovered, Operand, days_of
from landbridge.study.validate.worlds import finder_of

__all__ = ["GAP", "KEPT", "WITHOUT", "SolvedWorld", "cache_folder", "yards"]

#: The world as it was.
NOW = ""
#: Mark of the world without the events of a scenario.
WITHOUT = "without "
#: Years that can be run: the first of which trade is estimated, the last to which growth is stated.
FIRST_YEAR, LAST_YEAR = 2013, 2050
#: Tables of a solution that answers are read from.
KEPT = ("crossings", "crossing_flows", "links", "passage_flows", "relations", "paths", "fixed_flows", "totals", "yards")
#: Tables that a solution rests on.
USED = tuple(
    dict.fromkeys((*NETWORK_TABLES, *DEMAND_TABLES, *PAST_TABLES, "passages", "internal_corridors", "refusals"))
)
#: Relative gap of validation: the figures below are rounded far coarser.
GAP = 1e-6

Progress = Callable[[str], None]


def cache_folder() -> Path:
    """Where solved runs are kept unless the user names another folder."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "landbridge" / "runs"


@lru_cache(maxsize=1)
def code_fingerprint() -> str:
    """SHA-256 of the code that a solution depends on."""
    home = Path(landbridge.__file__).parent
    digest = hashlib.sha256()
    for room in ("data", "scenario", "model", "study"):
        for path in sorted((home / room).rglob("*.py")):
            if "validate" in path.parts or "leverage" in path.parts:
                continue
            digest.update(path.relative_to(home).as_posix().encode())
            digest.update(path.read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def _content(tables: Tables, names: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for name in sorted(names):
        if name in tables:
            buffer = io.BytesIO()
            tables[name].rechunk().write_ipc(buffer)
            digest.update(name.encode())
            digest.update(buffer.getvalue())
    return digest.hexdigest()


def yards(solution: Solution) -> pl.DataFrame:
    """Changes of gauge by place and gauges: tonnes, boxes, trains a year, hours at these flows."""
    net, flows, prepared = solution.prepared.network, solution.equilibrium, solution.prepared
    arcs = np.flatnonzero((net.kind == ArcKind.GAUGE) & prepared.land)
    tonnes = flows.arc_tonnes_yr[:, arcs]
    goods = prepared.classes
    boxes = [k for k in range(len(goods.names)) if goods.container[k]]
    box_tonnes = tonnes[boxes]
    per_teu, per_train = goods.t_per_teu[boxes][:, None], goods.t_per_train[boxes][:, None]
    heads = [net.states[s] for s in net.node_state[net.head[arcs]].tolist()]
    return pl.DataFrame(
        {
            "place": [net.places[i] for i in net.place[arcs].tolist()],
            "into": heads,
            "tonnes": tonnes.sum(axis=0),
            "teu": (box_tonnes / per_teu).sum(axis=0),
            "trains": (box_tonnes / per_train).sum(axis=0),
            "time_h": flows.time_h[arcs],
        }
    )


@dataclass
class SolvedWorld:
    """The world as it was in each year, and as each scenario of the target list has it.

    Attributes
    ----------
    tables
        The atlas, perhaps with a user's values over it.
    size
        Size of the runs.
    cache
        Folder for solved runs; None keeps them in memory only.
    progress
        Called with what is being solved.
    """

    tables: Tables
    size: str = "corridor"
    cache: Path | None = None
    progress: Progress = lambda _: None
    names: Names = field(init=False)
    first: str = NOW
    solved: list[dict[str, object]] = field(default_factory=list, init=False)
    _frames: dict[tuple[str, int, str], dict[str, pl.DataFrame]] = field(default_factory=dict, init=False)
    _finders: dict[tuple[str, int, bool, bool], RouteFinder] = field(default_factory=dict, init=False)
    _solutions: dict[int, Solution] = field(default_factory=dict, init=False)
    _failed: dict[tuple[str, int, str], str] = field(default_factory=dict, init=False)
    _undated: Tables = field(init=False)

    def __post_init__(self) -> None:
        self.names = names_of(self.tables)
        self._undated = undated(self.tables)

    # -- what is run

    def without(self, op: Operand) -> Operand:
        """The same operand in the world without its scenario; its own events have not happened there."""
        if not op.scenario or op.scenario.startswith(WITHOUT):
            return op
        scenario = self._scenario(op.scenario)
        if scenario.year_before:
            return replace(op, scenario=NOW, year=op.year - 1)
        return replace(op, scenario=WITHOUT + op.scenario if scenario.events or scenario.held else NOW)

    def _scenario(self, name: str) -> TargetScenario:
        known = target_scenarios()
        if name not in known:
            raise NotCovered(f"no scenario {name} is defined; there are {', '.join(known)}")
        return known[name]

    def measures(self, scenario: str, year: int, period: str) -> tuple[Measure, ...]:
        """Events and measures of a run."""
        if scenario == NOW:
            return event_measures(self.tables, year, period)
        if scenario.startswith(WITHOUT):
            return event_measures(self.tables, year, period, without=self._scenario(scenario[len(WITHOUT) :]).events)
        found = self._scenario(scenario)
        if found.year_before:  # what happened, on the days on which it did
            return (*event_measures(self.tables, year, period), *found.measures)
        events = event_measures(self.tables, year, period, whole=found.events)
        return (*events, *found.measures)

    def _apply(self, op: Operand, *, build: bool = False, priced: bool = False) -> Applied:
        measures = self.measures(op.scenario, op.year, op.period)
        if priced:
            measures = tuple(m for m in measures if not isinstance(m, Charge))
        if build and not any(isinstance(m, Build) and m.project == "cku" for m in measures):
            measures = (*measures, Build(project="cku"))
        held: frozenset[str] = frozenset()
        tables = self._undated
        if op.scenario.startswith(WITHOUT):
            scenario = self._scenario(op.scenario[len(WITHOUT) :])
            held = scenario.held
            since = scenario.market_since
            if since and "sea_quotes" in tables:  # prices that the event made
                tables = tables.replace(sea_quotes=tables["sea_quotes"].filter(pl.col("date") < since))
            if "refusals" in tables:
                others = ~pl.col("event").is_in(list(scenario.events))
                tables = tables.replace(refusals=tables["refusals"].filter(others))
        try:
            return apply(tables, measures, op.year, held=held, span=days_of(op.year, op.period))
        except StudyError as error:
            raise NotCovered(f"the scenario {op.scenario or 'of the year'} does not fit {op.year}: {error}") from error

    def frame(self, name: str, op: Operand) -> pl.DataFrame:
        """A table of a run, solved now, before, or taken from the folder of runs."""
        if not FIRST_YEAR <= op.year <= LAST_YEAR:
            raise NotCovered(f"flows of {op.year}: trade is known from {FIRST_YEAR}, growth to {LAST_YEAR}")
        key = (op.scenario, op.year, op.period)
        if key in self._failed:
            raise NotCovered(self._failed[key])
        if key not in self._frames:
            try:
                self._frames[key] = self._run(op)
            except (NotConverged, DataError) as error:
                self._failed[key] = f"{self._label(op)} was not solved: {error}"
                raise NotCovered(self._failed[key]) from error
        return self._frames[key][name]

    def near(self, name: str, op: Operand) -> tuple[pl.DataFrame, int]:
        """The table of the year asked about, or of the first or last that can be run."""
        year = min(max(op.year, FIRST_YEAR), LAST_YEAR)
        return self.frame(name, replace(op, year=year)), year

    def _label(self, op: Operand) -> str:
        period = "" if op.period == "year" else f" ({op.period})"
        return f"{op.year}{period}{', ' + op.scenario if op.scenario else ''}"

    def _run(self, op: Operand) -> dict[str, pl.DataFrame]:
        applied = self._apply(op).tables
        settings = Settings(gap=GAP, size=self.size)
        text = json.dumps([code_fingerprint(), asdict(settings), op.year, _content(applied, USED)])
        folder = self.cache / hashlib.sha256(text.encode()).hexdigest()[:32] if self.cache else None
        kept = _read(folder)
        if kept is None:
            self.progress(f"solving {self._label(op)}")
            # a scenario starts from the world as it was in its year, where that was solved here
            start = None if op.scenario == NOW else self._solutions.get(op.year)
            solution = solve(applied, year=op.year, settings=settings, start=start)
            if op.scenario == NOW:
                self._solutions[op.year] = solution
            made = {**tabulate(applied, solution), "yards": yards(solution)}
            kept = {name: made[name] for name in KEPT}
            _write(folder, kept)
        totals = kept["totals"].row(0, named=True)
        self.solved.append(
            {
                "run": self._label(op),
                "year": op.year,
                "scenario": op.scenario,
                "period": op.period,
                "relative_gap": totals["relative_gap"],
                "land_tonnes": totals["land_tonnes"],
            }
        )
        return kept

    # -- ways and tables

    def network_year(self, year: int) -> int:
        """Every year from the first has its own network."""
        return min(max(year, FIRST_YEAR), LAST_YEAR)

    def finder(self, op: Operand, *, priced: bool = False) -> RouteFinder:
        """The ways of a scenario and year; those by CKU with that railway, those by Suez with the canal in use."""
        build = op.via == "cku"
        if op.via == "suez" and op.scenario == NOW:
            op = replace(op, scenario=f"{WITHOUT}red-sea")
        key = (op.scenario, self.network_year(op.year), build, priced)
        if key not in self._finders:
            applied = self._apply(replace(op, year=key[1], period="year"), build=build, priced=priced)
            self._finders[key] = finder_of(self.tables, applied.tables, self.names)
        return self._finders[key]

    def applied(self, op: Operand) -> Tables:
        """The tables of a scenario and year."""
        return self._apply(replace(op, year=self.network_year(op.year))).tables

    def gains(self, op: Operand) -> pl.DataFrame:
        """What trade and welfare answer to a scenario: one row a pair, and one a country (its importer empty)."""
        year = max(op.year, Settings.base_year)
        with_it = replace(op, year=year, period="year")
        before, after = self._apply(self.without(with_it)).tables, self._apply(with_it).tables
        settings = Settings(gap=GAP, size=self.size)
        content = [_content(t, (*USED, "trade_sectors", "goods_output", "tariffs")) for t in (before, after)]
        text = json.dumps([code_fingerprint(), "gains", asdict(settings), year, content])
        folder = self.cache / hashlib.sha256(text.encode()).hexdigest()[:32] if self.cache else None
        kept = _read(folder, ("gains",))
        if kept is None:
            self.progress(f"trade that answers to {op.scenario} in {year}")
            try:
                reference = reference_of(before, solve(before, year=year, settings=settings))
                found = answer(
                    after, reference, year=year, settings=settings, how=Answering(mode="ge", time="trade"),
                )  # fmt: skip
            except LandbridgeError as error:
                raise NotCovered(f"trade that answers to {op.scenario} was not solved: {error}") from error
            kept = {"gains": _gains(found)}
            _write(folder, kept)
        return kept["gains"]

    def parameter(self, name: str) -> float:
        """A parameter of the atlas."""
        return parameter(self.tables, name)


def _gains(found: Answered) -> pl.DataFrame:
    """One row a pair and one a country."""
    names = found.world.countries
    old, new = found.world.trade, found.value
    before, after = old.sum(axis=0), new.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        cost = np.where(before > 0, (old * found.cost_hat).sum(axis=0) / before, 1.0)
    spent = before.sum(axis=0)
    rows: list[tuple[str, str, float, float, float | None, float | None]] = []
    for i, exporter in enumerate(names):
        welfare = float(100 * (found.outcome.welfare[i] - 1)) if found.outcome is not None else None
        rows.append((exporter, "", float(spent[i]), float(after[:, i].sum()), None, welfare))
        for j, importer in enumerate(names):
            if i != j and before[i, j] > 0:
                rows.append(
                    (exporter, importer, float(before[i, j]), float(after[i, j]), float(100 * (cost[i, j] - 1)), None)
                )
    schema = {
        "exporter": pl.String, "importer": pl.String, "before_usd": pl.Float64, "after_usd": pl.Float64,
        "cost_pct": pl.Float64, "welfare_pct": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _read(folder: Path | None, names: tuple[str, ...] = KEPT) -> dict[str, pl.DataFrame] | None:
    """A kept run, or None where there is none that is whole."""
    if folder is None or not folder.is_dir():
        return None
    try:
        return {name: pl.read_parquet(folder / f"{name}.parquet") for name in names}
    except (OSError, pl.exceptions.PolarsError):
        return None


def _write(folder: Path | None, frames: dict[str, pl.DataFrame]) -> None:
    """Keep a run, whole or not at all; a folder that cannot be written only costs time."""
    if folder is None or folder.exists():
        return
    draft = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".run-", dir=folder.parent))
        for name, frame in frames.items():
            frame.write_parquet(draft / f"{name}.parquet")
        draft.rename(folder)
    except OSError:
        pass
    finally:
        if draft is not None and draft.exists():
            shutil.rmtree(draft, ignore_errors=True)
