"""Gravity by pseudo-maximum likelihood (PPML), with pyfixest as engine.

    value_ij = exp(exporter_i + importer_j + z_ij beta) error_ij          (Santos Silva and Tenreyro 2006)

With exporter and importer effects the fitted flows keep each country's sums (Fally 2015), so the equation is the
structural gravity of `landbridge.model.trade.hat` at its estimated costs. pyfixest is an extra (``pip install
landbridge[gravity]``).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["GravityFit", "fit_gravity"]


@dataclass(frozen=True)
class GravityFit:
    """An estimated equation.

    Attributes
    ----------
    coefficient, standard_error
        By regressor.
    clustered_by
        What errors may go together by; empty: errors robust to heteroscedasticity.
    effects
        The effects that were taken out.
    observations
        Rows that were handed in.
    kept
        Rows that the estimate rests on.
    dropped
        Why the others do not count, with how many.
    deviance
    """

    coefficient: Mapping[str, float]
    standard_error: Mapping[str, float]
    clustered_by: str
    effects: tuple[str, ...]
    observations: int
    kept: int
    dropped: Mapping[str, int]
    deviance: float


def _engine() -> tuple[ModuleType, ModuleType]:
    """Pyfixest, and pandas which comes with it and whose frames it takes."""
    try:
        import pandas as pd  # noqa: PLC0415 - an extra
        import pyfixest  # noqa: PLC0415 - an extra
    except ImportError:
        raise LandbridgeError(
            "gravity needs pyfixest, which is not installed: pip install 'landbridge[gravity]'"
        ) from None
    return pyfixest, pd


def fit_gravity(
    frame: pl.DataFrame,
    value: str,
    regressors: Sequence[str],
    *,
    effects: Sequence[str] = ("exporter", "importer"),
    cluster: str = "",
) -> GravityFit:
    """Estimate a gravity equation.

    Parameters
    ----------
    frame
        One row a flow, zeros included.
    value
        Column of the flow's value.
    regressors
        Columns of z.
    effects
        Columns whose every value has an effect of its own; two joined by ``^`` interact.
    cluster
        Column by which errors go together; empty for errors robust to heteroscedasticity.

    Returns
    -------
    GravityFit

    Raises
    ------
    LandbridgeError
        If pyfixest is not there, a column is missing, a row has no number, or the estimate fails.
    """
    named = [value, *regressors, *(part for e in effects for part in e.split("^")), *([cluster] if cluster else [])]
    missing = sorted({name for name in named if name not in frame.columns})
    if missing:
        raise LandbridgeError(f"gravity: wanted columns {', '.join(missing)}; there are {', '.join(frame.columns)}")
    used = frame.select(list(dict.fromkeys(named)))
    numbers = used.select(value, *regressors).cast(pl.Float64)
    bad = ~numbers.select(pl.all_horizontal(pl.all().is_finite().fill_null(value=False))).to_series()
    if bad.any():
        raise LandbridgeError(
            f"gravity: {int(bad.sum())} rows have no finite {value} or regressor; leave them out first"
        )
    if (numbers[value] < 0).any():
        raise LandbridgeError(f"gravity: {value} is below zero in {int((numbers[value] < 0).sum())} rows")
    engine, pandas = _engine()
    formula = f"{value} ~ {' + '.join(regressors)} | {' + '.join(effects)}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is counted below
        try:
            fit = engine.fepois(
                formula,
                data=pandas.DataFrame({name: used[name].to_list() for name in used.columns}),
                vcov={"CRV1": cluster} if cluster else "hetero",
            )
        except Exception as error:
            raise LandbridgeError(f"gravity: the estimate of {formula} failed: {error}") from error
    coefficient = {str(k): float(v) for k, v in fit.coef().items()}
    spread = {str(k): float(v) for k, v in fit.se().items()}
    lost = [name for name in regressors if name not in coefficient]
    if lost:
        raise LandbridgeError(f"gravity: {', '.join(lost)} cannot be told from the effects and the other regressors")
    kept = int(fit._N)
    gone = used.height - kept
    no_trade = _without_trade(used, value, effects)
    return GravityFit(
        coefficient,
        spread,
        cluster,
        tuple(effects),
        used.height,
        kept,
        {
            "their exporter or importer effect has no trade at all": min(no_trade, gone),
            "separated: their effects and regressors explain a zero fully, or the effect has one row": gone
            - min(no_trade, gone),
        },
        float(fit.deviance),
    )


def _without_trade(frame: pl.DataFrame, value: str, effects: Sequence[str]) -> int:
    """Rows of an effect under which nothing is traded: it would be minus infinity."""
    lost = pl.lit(value=False)
    for effect in effects:
        lost = lost | (pl.col(value).sum().over(effect.split("^")) == 0)
    return int(frame.select(lost.sum()).item())
