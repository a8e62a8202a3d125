"""Tolerances and sizes of a run, and how the atlas' tables and parameters are handed to the model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import DataError, Fault

__all__ = ["Settings", "columns", "parameter"]


@dataclass(frozen=True)
class Settings:
    """Tolerances and sizes of a run.

    Attributes
    ----------
    gap
        Relative gap at which an equilibrium is accepted.
    max_iterations
        Rounds after which an assignment that has not converged is an error.
    size
        ``full``, ``corridor`` or ``reduced``.
    base_year
        Year of the trade matrix.
    growth
        Path of growth: ``mean``, ``low`` or ``high``.
    curves
        Family of the volume-delay curve by type of facility, where it is not the power: see `landbridge.study.curves`.
    nest
        Scale of the choice between sea and road outside the land network, as a share of that between land and both; at
        zero all take the cheaper.
    principle
        By which flows are found: a short name of `landbridge.model.flows.PRINCIPLES`.
    path_scale_usd_t
        Scale of path choice under ``sue``: one scale cheaper makes the odds e to 1. None under the other principles.
    """

    gap: float = 1e-6
    max_iterations: int = 500
    size: str = "corridor"
    base_year: int = 2023
    growth: str = "mean"
    curves: tuple[tuple[str, str], ...] = ()
    nest: float = 0.0
    principle: str = "ue"
    path_scale_usd_t: float | None = None


def columns(tables: Tables, names: Iterable[str]) -> dict[str, dict[str, list[Any]]]:
    """Turn frames into the plain columns that the model's doors take."""
    return {name: tables[name].to_dict(as_series=False) for name in names}


def parameter(tables: Tables, name: str) -> float:
    """Return one value of the atlas' parameters."""
    found = tables["parameters"].filter(pl.col("id") == name)
    if found.is_empty():
        raise DataError("parameters", [Fault("parameters.csv", name, "value", "this parameter", "no such row")])
    return float(found["value"][0])
