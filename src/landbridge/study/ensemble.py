"""Ensembles: every scenario of a study in many futures, and what that says about choosing between them.

    design -> futures -> each scenario in each future -> benefits -> regret, rules of choice, sensitivity, boxes

A future multiplies numbers of the network, of demand and of costs; nothing is built again. Each solve starts from the
same scenario at the atlas' values, so that no result depends on the order. Trade is fixed: what changes with a scenario
is how it goes. A scenario's benefit is the fall of what users pay and wait for (composite cost of land and outside
option, tonnes times USD), against the scenario compared with in the same future, less what it costs a year.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError
from landbridge.model import trade
from landbridge.model.network import MODES, ArcKind, Network
from landbridge.scenario.apply import apply
from landbridge.study.content import content_of
from landbridge.study.ensemble_results import MARKER, write_ensemble
from landbridge.study.files import Study, check_study, fingerprint, held_projects
from landbridge.study.futures import futures_of
from landbridge.study.kept import Kept
from landbridge.study.prepare import Prepared, on_network
from landbridge.study.results import check_output
from landbridge.study.run import Shared, settings_of, told_of_study, work_folder
from landbridge.study.runner import Done, Task, Where, run_tasks
from landbridge.study.solve import Settings, Solution, equilibrium, solve
from landbridge.study.uncertain import EnsemblePlan, Uncertain

__all__ = ["Future", "Levers", "Nominal", "run_ensemble", "solve_future", "varied"]

F8 = npt.NDArray[np.float64]
B1 = npt.NDArray[np.bool_]

MEGATONNE = 1e6


@dataclass(frozen=True)
class EnsembleShared:
    """What the tasks of an ensemble share."""

    tables: Tables
    settings: Settings
    study: Study
    plan: EnsemblePlan
    uncertain: tuple[Uncertain, ...]
    year: int


@dataclass(frozen=True)
class Nominal:
    """Inputs of a task: a scenario at the atlas' values, by its place in the study."""

    scenario: int


@dataclass(frozen=True)
class Future:
    """Inputs of a task: a future, by its number and the value of each input; all scenarios are solved in it."""

    number: int
    values: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Levers:
    """What each uncertain input of arcs or trade takes hold of: masks of arcs, facilities or relations; else None."""

    masks: tuple[B1 | None, ...]


@dataclass(frozen=True, eq=False)
class Ground:
    """A scenario at the atlas' values: its tables, its solution, and what the inputs take hold of."""

    tables: Tables
    solution: Solution
    levers: Levers


def levers_of(tables: Tables, prepared: Prepared, uncertain: Sequence[Uncertain]) -> Levers:
    """Find what each uncertain input takes hold of.

    Raises
    ------
    LandbridgeError
        If an input takes hold of nothing, as when its project is not open.
    """
    masks: list[B1 | None] = []
    for one in uncertain:
        if one.quantity in ("time", "price", "capacity"):
            arcs = _arcs(tables, prepared.network, one)
            masks.append(arcs[prepared.network.facility_arc] if one.quantity == "capacity" else arcs)
        elif one.quantity == "trade":
            masks.append(_relations(prepared, one))
        else:
            masks.append(None)
    return Levers(tuple(masks))


def _arcs(tables: Tables, net: Network, one: Uncertain) -> B1:
    """Arcs that an input names: what is named adds up, modes narrow it."""
    links = set(one.links)
    if one.project:
        links |= set(tables["links"].filter(pl.col("project") == one.project)["id"].to_list())
    of_link = np.array([name in links for name in net.links], np.bool_)
    of_crossing = np.array([name in one.crossings for name in net.crossings], np.bool_)
    countries = [i for i, name in enumerate(net.countries) if name in one.countries]
    named = np.where(net.link >= 0, of_link[net.link], False) | np.isin(net.country, countries)
    if len(of_crossing):
        named |= np.where(net.crossing >= 0, of_crossing[net.crossing], False)
    if one.modes:
        wanted = np.isin(net.mode, [MODES.index(mode) for mode in one.modes])
        named = named & wanted if links or one.crossings or one.countries else wanted
    return np.asarray(named, np.bool_)


def _relations(prepared: Prepared, one: Uncertain) -> B1:
    """Relations of the trade that an input names."""
    demand = prepared.demand
    chosen = np.ones(demand.relation_count, np.bool_)
    for name, index, words in (
        (one.exporter, demand.exporter, demand.countries),
        (one.importer, demand.importer, demand.countries),
        (one.commodity, demand.commodity, demand.commodities),
    ):
        if name != "*":
            chosen &= np.isin(index, [i for i, word in enumerate(words) if word == name])
    return chosen


def varied(ground: Ground, uncertain: Sequence[Uncertain], values: Sequence[float]) -> tuple[Tables, Prepared]:
    """Return a scenario's tables and what is solved, in a future.

    Parameters
    ----------
    ground
        The scenario at the atlas' values.
    uncertain, values
        The inputs, and the value of each: a factor, or of a parameter its value.

    Returns
    -------
    tables : Tables
        With the future's parameters and values of time.
    prepared : Prepared
        With its times, prices, capacities and trade.
    """
    old = ground.solution.prepared
    net = old.network
    arrays: dict[str, F8] = {}
    tonnes = old.demand.tonnes_yr
    parameters: dict[str, float] = {}
    of_time = 1.0
    for one, mask, value in zip(uncertain, ground.levers.masks, values, strict=True):
        fields: tuple[str, ...] = ()
        if one.quantity == "time":
            fields = ("time_h", "spread_h")
        elif one.quantity == "price":
            fields = ("money_usd_teu", "money_usd_t", "money_empty_usd_teu")
        elif one.quantity == "capacity":
            fields = ("capacity_trains_day",)
        elif one.quantity == "trade":
            tonnes = _where(mask, tonnes, value)
        elif one.quantity == "value_of_time":
            of_time *= value
        elif one.quantity == "parameter" and one.parameter is not None:
            parameters[one.parameter] = value
        for name in fields:
            now: F8 = arrays.get(name, getattr(net, name))
            arrays[name] = _where(mask, now, value)
    tables = ground.tables
    if of_time != 1.0:
        tables = tables.replace(commodities=tables["commodities"].with_columns(pl.col("vot_usd_t_h") * of_time))
    if parameters:
        told = pl.col("id").replace_strict(parameters, default=None, return_dtype=pl.Float64)
        tables = tables.replace(
            parameters=tables["parameters"].with_columns(pl.coalesce(told, pl.col("value")).alias("value"))
        )
    prepared = on_network(
        tables,
        replace(old, demand=replace(old.demand, tonnes_yr=tonnes)),
        replace(net, **cast("dict[str, Any]", arrays)),
    )
    return tables, prepared


def _where(mask: B1 | None, values: F8, factor: float) -> F8:
    """Values, multiplied where a mask says so."""
    return values if mask is None else np.where(mask, values * factor, values)


def solve_future(shared: EnsembleShared, what: Nominal | Future, needed: Mapping[str, Any]) -> Any:
    """Solve a scenario at the atlas' values, or all scenarios in a future.

    Parameters
    ----------
    shared
        The atlas, the study and its inputs.
    what
        Which.
    needed
        For the first: the scenario compared with, unless this is it. For the second: all scenarios, in order.

    Returns
    -------
    Ground or dict
        For a future a row of numbers for each scenario, and beside them what it took: seconds, CPU seconds, peak of
        memory in MB.
    """
    if isinstance(what, Nominal):
        scenario = shared.study.scenarios[what.scenario]
        tables = apply(shared.tables, scenario.measures, shared.year, held=held_projects(shared.study)).tables
        start = next(iter(needed.values())).solution if needed else None
        solution = solve(tables, year=shared.year, settings=shared.settings, start=start)
        return Ground(tables, solution, levers_of(tables, solution.prepared, shared.uncertain))
    began, worked = time.perf_counter(), time.process_time()
    rows = []
    for scenario, ground in zip(shared.study.scenarios, needed.values(), strict=True):
        tables, prepared = varied(ground, shared.uncertain, what.values)
        solution = equilibrium(tables, prepared, settings=shared.settings, start=ground.solution)
        rows.append({"scenario": scenario.id, **_told(solution, shared.plan.watch)})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {
        "rows": rows,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - worked,
        "peak_mb": peak,
    }


def _told(solution: Solution, watch: Sequence[str]) -> dict[str, float]:
    """Numbers of one scenario in one future."""
    prepared, flow, count = solution.prepared, solution.equilibrium, solution.empty_from
    demand, net = prepared.demand, prepared.network
    scale = prepared.classes.scale_usd_t[demand.commodity]
    by_land = flow.cost_usd_t[:count] + prepared.levy_usd_t
    composite = trade.binary_composite(by_land, prepared.outside_usd_t, scale)
    served = np.isfinite(composite)
    by_arc = flow.arc_tonnes_yr.sum(axis=0)
    told = {
        "users_cost_usd_yr": float(demand.tonnes_yr[served] @ composite[served]),
        "land_mt_yr": float(flow.network_tonnes_yr[:count].sum()) / MEGATONNE,
        "outside_mt_yr": float(flow.outside_tonnes_yr[:count].sum()) / MEGATONNE,
        "unserved_mt_yr": float(demand.tonnes_yr[~served].sum()) / MEGATONNE,
        "relative_gap": flow.convergence.relative_gap,
    }
    for name in watch:
        if name in net.crossings:
            arcs = (net.crossing == net.crossings.index(name)) & (net.kind == ArcKind.BORDER)
            tonnes = float(by_arc[arcs].sum())
        else:  # parts of a link follow each other: the busiest, both ways
            arcs = net.link == (net.links.index(name) if name in net.links else -2)
            tonnes = float(sum(by_arc[arcs & way].max(initial=0.0) for way in (net.backward, ~net.backward)))
        told[f"{name}_mt_yr"] = tonnes / MEGATONNE
    return told


def run_ensemble(
    study: Study,
    tables: Tables,
    out: Path,
    *,
    where: Where | None = None,
    resume: bool = False,
    tell: Callable[[Done], None] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, Any]:
    """Solve every scenario of a study in every future and write what comes of it.

    Parameters
    ----------
    study
        With uncertain inputs and a plan.
    tables
        The atlas.
    out
        Folder for the results.
    where, resume, tell, progress
        As for `landbridge.study.run.run_study`.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    LandbridgeError
        If the study has no uncertain inputs, or one scenario only.
    StudyError, DataError, NotConverged, OutputError
        As for `run_study`.
    """
    check_output(out, marker=MARKER)
    check_study(study, tables)
    if not study.uncertain or study.ensemble is None:
        raise LandbridgeError(f"{study.path or study.name}: wanted uncertain inputs ([[uncertain]]), got none")
    if study.demand is not None and study.demand.mode != "frozen":
        raise LandbridgeError(f"{study.path or study.name}: an ensemble takes trade as fixed; [demand] wants none here")
    if study.principle != "ue":
        raise LandbridgeError(f"{study.path or study.name}: an ensemble compares user equilibria; principle wants 'ue'")
    if study.terminals != "table":
        raise LandbridgeError(f"{study.path or study.name}: an ensemble takes terminals from the table")
    plan = study.ensemble
    inputs = _bounded(study.uncertain, tables)
    unit, values = futures_of(plan, inputs, study.seed)
    plain = replace(study, lines={}, positions=(), path="")
    shared = EnsembleShared(tables, settings_of(study), plain, plan, inputs, plan.year or study.years[-1])
    base = next(i for i, scenario in enumerate(study.scenarios) if scenario.id == study.compare)
    grounds = [
        Task(
            f"{scenario.id} as the atlas says", Nominal(i), () if i == base else (f"{study.compare} as the atlas says",)
        )
        for i, scenario in enumerate(study.scenarios)
    ]
    names = tuple(task.id for task in grounds)
    futures = [Task(f"future {i}", Future(i, tuple(row)), names) for i, row in enumerate(values.tolist())]
    began = time.perf_counter()
    kept = Kept(work_folder(out))

    def done(event: Done) -> None:
        if tell is not None:
            tell(event)
        if progress is not None:
            progress(event.done, event.count, event.id)

    digest = content_of(dict(tables.frames), shared.settings, fingerprint(study), inputs, plan, shared.year)
    with kept.held(anew=not resume):
        solved = run_tasks(
            solve_future, shared, [*grounds, *futures], where=where, kept=kept, shared_hash=digest, tell=done
        )
        found = [solved[task.id] for task in futures]
        manifest = {
            **told_of_study(Shared(tables, shared.settings, study)),
            "seconds": time.perf_counter() - began,
            "ensemble": {**asdict(plan), "year": shared.year, "seed": study.seed, "futures": len(futures)},
            "uncertain": [asdict(one) for one in inputs],
            "seconds_a_future": float(np.mean([one["seconds"] for one in found])),
            "cpu_seconds_a_future": float(np.mean([one["cpu_seconds"] for one in found])),
            "peak_mb": max(one["peak_mb"] for one in found),
        }
        told = write_ensemble(out, study, manifest, inputs, unit, values, [one["rows"] for one in found])
    kept.clear()
    return told


def _bounded(uncertain: Sequence[Uncertain], tables: Tables) -> tuple[Uncertain, ...]:
    """Inputs with the atlas' own range where the study gives none."""
    rows = {row["id"]: row for row in tables["parameters"].to_dicts()}
    return tuple(
        replace(
            one,
            low=float(rows[one.parameter]["low"]),
            high=float(rows[one.parameter]["high"]),
            likely=float(rows[one.parameter]["value"]),
            reasoning=one.reasoning or "range of the atlas (parameters.csv)",
        )
        if one.quantity == "parameter" and one.parameter in rows and np.isinf([one.low, one.high]).any()
        else one
        for one in uncertain
    )
