"""Designs of an ensemble: points of the unit cube, and the futures that they stand for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from landbridge.errors import LandbridgeError
from landbridge.model.uncertainty import sobol_design
from landbridge.study.uncertain import EnsemblePlan, Uncertain, draw

__all__ = ["MOST_FUTURES", "futures_of", "points"]

F8 = npt.NDArray[np.float64]

#: More futures than this are a slip of the pen: a grid of ten steps in twelve inputs.
MOST_FUTURES = 200_000


def points(design: str, count: int, inputs: int, seed: int) -> F8:
    """Return points of the unit cube.

    Parameters
    ----------
    design
        ``lhs``, ``sobol`` (scrambled), ``grid`` (middles of steps) or ``saltelli``.
    count
        Points; steps along each input of a grid; rows of ``saltelli``, each of which makes inputs + 2 points.
    inputs
        Dimensions.
    seed
        Of what is drawn; the same seed gives the same points.

    Returns
    -------
    float64[N, inputs]

    Raises
    ------
    LandbridgeError
        If the extra ``ensemble`` is not installed, or there would be too many points.
    """
    size = {"grid": count**inputs, "saltelli": count * (inputs + 2)}.get(design, count)
    if size > MOST_FUTURES:
        raise LandbridgeError(
            f"ensemble: {design} with {count} points of {inputs} inputs makes {size:,} futures; "
            f"wanted at most {MOST_FUTURES:,}"
        )
    if design == "grid":
        steps = (np.arange(count) + 0.5) / count
        return np.array(list(itertools.product(steps, repeat=inputs)), np.float64)
    try:
        from scipy.stats import qmc  # type: ignore[import-untyped] # noqa: PLC0415 - an optional extra
    except ImportError:
        raise LandbridgeError("ensembles need the extra `ensemble`: pip install 'landbridge[ensemble]'") from None
    rng = np.random.default_rng(seed)
    if design == "lhs":
        return np.asarray(qmc.LatinHypercube(inputs, rng=rng).random(count), np.float64)
    if design == "sobol":
        return np.asarray(qmc.Sobol(inputs, scramble=True, rng=rng).random(count), np.float64)
    return sobol_design(np.asarray(qmc.Sobol(2 * inputs, scramble=True, rng=rng).random(count), np.float64))


def futures_of(plan: EnsemblePlan, uncertain: Sequence[Uncertain], seed: int) -> tuple[F8, F8]:
    """Return the design of a plan, and the value of each input in each future.

    Parameters
    ----------
    plan
        How futures are drawn.
    uncertain
        Inputs with finite bounds.
    seed
        Of the study.

    Returns
    -------
    unit, values : float64[N, inputs]
    """
    unit = points(plan.design, plan.points, len(uncertain), seed)
    return unit, np.column_stack([draw(one, unit[:, i]) for i, one in enumerate(uncertain)])
