r"""What users gain when the way gets cheaper.

Three measures of the same area to the left of a demand curve between costs c0 and c1:

- rule of half: ``(c0 - c1) (q0 + q1) / 2``, exact where demand is a straight line;
- logsum: where tonnes Q choose between the network at cost c and an outside option at cost w by a logit of scale s, the
  gain per tonne is ``s ln[(1 + e^{(w - c1)/s}) / (1 + e^{(w - c0)/s})]``, exact for that demand;
- constant elasticity: ``q = q0 (c / c0)^e``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["constant_elasticity", "logsum", "rule_of_half"]

F8 = npt.NDArray[np.float64]


def rule_of_half(c0: npt.ArrayLike, c1: npt.ArrayLike, q0: npt.ArrayLike, q1: npt.ArrayLike) -> F8:
    """Gain by the trapezium between two points of a demand curve.

    Parameters
    ----------
    c0, c1 : float64[R]
        Cost per unit without and with.
    q0, q1 : float64[R]
        Quantity without and with.

    Returns
    -------
    float64[R]
    """
    before, after = np.asarray(c0, np.float64), np.asarray(c1, np.float64)
    return np.asarray((before - after) * (np.asarray(q0, np.float64) + np.asarray(q1, np.float64)) / 2.0, np.float64)


def logsum(
    c0: npt.ArrayLike, c1: npt.ArrayLike, outside: npt.ArrayLike, scale: npt.ArrayLike, quantity: npt.ArrayLike
) -> F8:
    """Gain of a binary logit between the network and an outside option.

    Parameters
    ----------
    c0, c1 : float64[R]
        Network cost per unit without and with; ``inf`` where no path leads.
    outside : float64[R]
        Cost of the outside option, finite.
    scale : float64[R]
        Scale of the choice, above zero.
    quantity : float64[R]
        Network and outside together.

    Returns
    -------
    float64[R]
    """
    w, s = np.asarray(outside, np.float64), np.asarray(scale, np.float64)
    before = np.logaddexp(0.0, (w - np.asarray(c0, np.float64)) / s)
    after = np.logaddexp(0.0, (w - np.asarray(c1, np.float64)) / s)
    return np.asarray(s * (after - before) * np.asarray(quantity, np.float64), np.float64)


def constant_elasticity(c0: float, c1: float, q0: float, elasticity: float) -> float:
    """Gain where a change of cost by one per cent changes demand by `elasticity` per cent.

    Parameters
    ----------
    c0, c1
        Cost per unit without and with.
    q0
        Quantity without.
    elasticity
        Below zero.

    Returns
    -------
    float
    """
    if elasticity == -1.0:
        return float(q0 * c0 * np.log(c0 / c1))
    return float(q0 * c0 / (elasticity + 1.0) * (1.0 - (c1 / c0) ** (elasticity + 1.0)))
