"""Uncertain inputs of a study, and the plan of its ensemble, as its file states them.

.. code-block:: toml

    [ensemble]
    design = "lhs"          # lhs, sobol, grid, or saltelli (for indices of sensitivity)
    points = 500
    year = 2030
    watch = ["irkeshtam"]   # crossings or links whose tonnes are told
    [ensemble.cost_usd_yr]
    cku = 3.5e8             # what a scenario costs a year

    [[uncertain]]
    id = "kz-tariff"
    quantity = "price"      # times, prices, capacities, trade, parameters of the atlas, or a scenario's cost
    countries = ["KZ"]
    modes = ["rail"]
    low = 0.8               # factors on what the atlas says
    high = 1.3
    likely = 1.0            # triangular; without it all values between are alike
    source = "eapc-2021"    # of the range, an id of the atlas' sources; or `reasoning`
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import pydantic

from landbridge.data.tables import Tables
from landbridge.errors import Fault
from landbridge.scenario.measures import FIRST_YEAR, LAST_YEAR, Mode
from landbridge.scenario.read import ID_PATTERN, model_faults, one_of

__all__ = ["PARAMETERS", "EnsemblePlan", "Uncertain", "draw", "plan_of", "uncertain_faults", "uncertain_of"]

F8 = npt.NDArray[np.float64]

Quantity: TypeAlias = Literal["time", "price", "capacity", "trade", "value_of_time", "parameter", "cost"]
Design: TypeAlias = Literal["lhs", "sobol", "grid", "saltelli"]

#: Parameters of the atlas that costs and outside options are computed from anew in each future; the others go into the
#: network when it is built, which a future does not do again.
PARAMETERS = (
    "buffer-weight", "carbon-price", "empty-return-share", "road-border", "road-border-cost", "road-detour",
    "road-speed", "box-tare",
)  # fmt: skip

#: Fields that say which arcs a time, price or capacity is of.
SELECT = ("crossings", "links", "project", "countries", "modes")
TRADED = ("exporter", "importer", "commodity")


@dataclass(frozen=True)
class Uncertain:
    """One uncertain input: a factor on what the atlas says, between bounds.

    Attributes
    ----------
    id, name
        Short name and what people read.
    quantity
        What is multiplied: hours, prices or capacities of the arcs selected; tonnes of the trade selected; values of
        time; a parameter of the atlas; what scenarios cost a year.
    low, high
        Bounds of the factor; of a parameter of the atlas, bounds of its value.
    likely
        Mode of a triangular distribution; None = uniform.
    source, reasoning
        On what the range rests: an id of the atlas' sources, or a sentence that marks it as an estimate.
    crossings, links, project, countries, modes
        Arcs: what is named adds up, modes narrow it; with modes alone all their arcs.
    exporter, importer, commodity
        Trade, by ISO3 code and commodity; "*" = all.
    parameter
        Id of the atlas' parameters.
    """

    id: str
    name: str
    quantity: Quantity
    low: float
    high: float
    likely: float | None = None
    source: str = ""
    reasoning: str = ""
    crossings: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    project: str | None = None
    countries: tuple[str, ...] = ()
    modes: tuple[Mode, ...] = ()
    exporter: str = "*"
    importer: str = "*"
    commodity: str = "*"
    parameter: str | None = None


@dataclass(frozen=True)
class EnsemblePlan:
    """How futures are drawn and what is told of them.

    Attributes
    ----------
    design
        Latin hypercube, scrambled Sobol points, grid, or the points of Sobol indices (Saltelli).
    points
        Futures; of a grid, steps along each input; of ``saltelli`` rows, of which each makes inputs + 2 futures.
    year
        The year; None = the study's last.
    watch
        Crossings and links whose tonnes are told.
    threshold_usd_yr
        A policy meets its need where its net benefit is at least this.
    optimism, tail
        Of Hurwicz, and of CVaR.
    cost_usd_yr
        What a scenario costs a year.
    """

    design: Design = "lhs"
    points: int = 100
    year: int | None = None
    watch: tuple[str, ...] = ()
    threshold_usd_yr: float = 0.0
    optimism: float = 0.5
    tail: float = 0.9
    cost_usd_yr: tuple[tuple[str, float], ...] = field(default=())


class _UncertainTable(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    id: str = pydantic.Field(pattern=ID_PATTERN)
    name: str | None = None
    quantity: Quantity
    low: float | None = None
    high: float | None = None
    likely: float | None = None
    source: str = ""
    reasoning: str = ""
    crossings: list[str] = []
    links: list[str] = []
    project: str | None = None
    countries: list[str] = []
    modes: list[Mode] = []
    exporter: str = "*"
    importer: str = "*"
    commodity: str = "*"
    parameter: str | None = None


class _PlanTable(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    design: Design = "lhs"
    points: int = pydantic.Field(100, ge=1, le=1_000_000)
    year: int | None = pydantic.Field(None, ge=FIRST_YEAR, le=LAST_YEAR)
    watch: list[str] = []
    threshold_usd_yr: float = 0.0
    optimism: float = pydantic.Field(0.5, ge=0, le=1)
    tail: float = pydantic.Field(0.9, ge=0, lt=1)
    cost_usd_yr: dict[str, float] = {}


def plan_of(data: object, years: object, scenarios: list[str]) -> tuple[EnsemblePlan | None, list[Fault]]:
    """Read the table ``[ensemble]``.

    Parameters
    ----------
    data
        Parsed TOML.
    years, scenarios
        Those of the study.
    """
    value, faults = model_faults(_PlanTable, data, "ensemble")
    if value is None:
        return None, faults
    if value.year is not None and isinstance(years, list) and value.year not in years:
        faults.append(Fault("", "", "ensemble.year", f"one of the study's years {years}", str(value.year)))
    if value.design in ("saltelli", "sobol") and value.points & (value.points - 1):
        faults.append(Fault("", "", "ensemble.points", f"a power of two for {value.design}", str(value.points)))
    for name in value.cost_usd_yr:
        if name not in scenarios:
            faults.append(
                Fault("", "", f"ensemble.cost_usd_yr.{name}", one_of("scenario", name, scenarios), repr(name))
            )
    given = value.model_dump()
    given["watch"] = tuple(given["watch"])
    given["cost_usd_yr"] = tuple(sorted(given["cost_usd_yr"].items()))
    return EnsemblePlan(**given), faults


def uncertain_of(data: object) -> tuple[tuple[Uncertain, ...], list[Fault]]:
    """Read the tables ``[[uncertain]]``; bounds of parameters that are not given wait for the atlas."""
    if not isinstance(data, list):
        return (), [Fault("", "", "uncertain", "tables", type(data).__name__)]
    found: list[Uncertain] = []
    faults: list[Fault] = []
    for i, entry in enumerate(data):
        at = f"uncertain[{i}]"
        value, more = model_faults(_UncertainTable, entry, at)
        faults += more
        if value is None:
            continue
        given = {k: tuple(v) if isinstance(v, list) else v for k, v in value.model_dump().items()}
        faults += _shape(value, at)
        if value.id in [one.id for one in found]:
            faults.append(Fault("", "", f"{at}.id", "an id of its own", f"{value.id!r} twice"))
        low = -np.inf if value.low is None else value.low
        high = np.inf if value.high is None else value.high
        found.append(Uncertain(**{**given, "name": value.name or value.id, "low": low, "high": high}))
    return tuple(found), faults


def _shape(value: Any, at: str) -> list[Fault]:
    """Faults that need no tables."""
    faults = []
    bounded = value.quantity == "parameter" or (value.low is not None and value.high is not None)
    if not bounded:
        faults.append(Fault("", "", at, "low and high", "nothing" if value.low is value.high else "one of them"))
    if value.low is not None and value.high is not None:
        if value.low >= value.high:
            faults.append(Fault("", "", f"{at}.high", f"above low ({value.low:g})", f"{value.high:g}"))
        if value.likely is not None and not value.low <= value.likely <= value.high:
            faults.append(Fault("", "", f"{at}.likely", "between low and high", f"{value.likely:g}"))
        if value.quantity != "parameter" and value.low <= 0:
            faults.append(Fault("", "", f"{at}.low", "a factor above 0", f"{value.low:g}"))
    elif value.likely is not None:
        faults.append(Fault("", "", f"{at}.likely", "low and high beside it", "nothing"))
    selected = [name for name in SELECT if getattr(value, name)]
    traded = [name for name in TRADED if getattr(value, name) != "*"]
    if value.quantity in ("time", "price", "capacity"):
        if not selected:
            faults.append(Fault("", "", at, f"one of {', '.join(SELECT)}", "nothing"))
        wrong = [*traded, *(["parameter"] if value.parameter else [])]
    elif value.quantity == "trade":
        wrong = [*selected, *(["parameter"] if value.parameter else [])]
    elif value.quantity == "parameter":
        if value.parameter not in PARAMETERS:
            wanted = one_of("parameter that a future may change", str(value.parameter), PARAMETERS)
            faults.append(Fault("", "", f"{at}.parameter", wanted, repr(value.parameter)))
        wrong = [*selected, *traded]
    else:
        wrong = [*selected, *traded, *(["parameter"] if value.parameter else [])]
    faults += [Fault("", "", f"{at}.{name}", f"nothing beside {value.quantity}", "a value") for name in wrong]
    if not value.source and not value.reasoning and not (value.quantity == "parameter" and value.low is None):
        faults.append(Fault("", "", at, "source or reasoning for the range", "nothing"))
    return faults


def uncertain_faults(tables: Tables, uncertain: tuple[Uncertain, ...], plan: EnsemblePlan | None) -> list[Fault]:
    """Hold uncertain inputs against tables.

    Parameters
    ----------
    tables
        The atlas.
    uncertain, plan
        What the study states.

    Returns
    -------
    list of Fault
        Names that do not exist, and parameters without a range.
    """
    faults: list[Fault] = []

    def known(kind: str, table: str, column: str, names: tuple[str, ...], at: str) -> None:
        there = tables[table][column].to_list()
        for j, name in enumerate(names):
            if name not in there:
                faults.append(Fault("", "", f"{at}[{j}]", one_of(kind, name, there), repr(name)))

    for i, one in enumerate(uncertain):
        at = f"uncertain[{i}]"
        known("crossing", "crossings", "id", one.crossings, f"{at}.crossings")
        known("link", "links", "id", one.links, f"{at}.links")
        known("country", "countries", "iso2", one.countries, f"{at}.countries")
        for key, table, column in (
            ("project", "projects", "id"), ("exporter", "countries", "iso3"), ("importer", "countries", "iso3"),
            ("commodity", "commodities", "id"), ("source", "sources", "id"),
        ):  # fmt: skip
            name = getattr(one, key)
            if name and name != "*" and table in tables and name not in tables[table][column].to_list():
                there = tables[table][column].to_list()
                faults.append(Fault("", "", f"{at}.{key}", one_of(key, name, there), repr(name)))
        if one.parameter in PARAMETERS and np.isinf(one.low + one.high):
            row = tables["parameters"].filter(pl.col("id") == one.parameter)
            if row.is_empty() or row["low"][0] is None or not row["low"][0] < row["high"][0]:
                faults.append(Fault("", "", at, "low and high", "nothing, and the atlas has no range of it"))
    for j, name in enumerate(plan.watch if plan else ()):
        there = [*tables["crossings"]["id"], *tables["links"]["id"]]
        if name not in there:
            faults.append(Fault("", "", f"ensemble.watch[{j}]", one_of("crossing or link", name, there), repr(name)))
    return faults


def draw(one: Uncertain, unit: F8) -> F8:
    """Return values of an input at points of the unit interval, by the inverse of its distribution.

    Parameters
    ----------
    one
        With finite bounds.
    unit : float64[N]
        From 0 to 1; values keep their order.
    """
    low, high = one.low, one.high
    if one.likely is None:
        return np.asarray(low + (high - low) * unit, np.float64)
    part = (one.likely - low) / (high - low)
    with np.errstate(invalid="ignore"):
        rising = low + np.sqrt(unit * (high - low) * (one.likely - low))
        falling = high - np.sqrt((1 - unit) * (high - low) * (high - one.likely))
    return np.asarray(np.where(unit < part, rising, falling), np.float64)
