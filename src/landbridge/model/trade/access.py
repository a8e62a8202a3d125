"""Market access: how near a place is to buyers and sellers (Donaldson and Hornbeck 2016; Reed and Trubetskoy 2019).

    FMA_i = sum_j GDP_j (1 + c_ij)^-theta,    CMA_i = sum_j GDP_j (1 + c_ji)^-theta,   j other than i
    ln MA = (1 - beta) ln FMA + beta ln CMA

``c_ij`` is the cost from i to j over the value of what a box holds, tariffs added. ``beta`` (0.65) is the weight of the
places one buys from, ``theta`` (5.03) the trade elasticity, both as in the second reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["BETA", "THETA", "Access", "market_access"]

F8 = npt.NDArray[np.float64]

BETA, THETA = 0.65, 5.03


@dataclass(frozen=True, eq=False)
class Access:
    """Access of each place.

    Attributes
    ----------
    firms, consumers, total : float64[n]
        To buyers, to sellers, and both; zero where nothing is reached.
    """

    firms: F8
    consumers: F8
    total: F8


def market_access(cost: F8, gdp: F8, *, theta: float = THETA, beta: float = BETA) -> Access:
    """Compute the access of places to markets.

    Parameters
    ----------
    cost : float64[n, m]
        Cost from place i to market j over the value shipped; infinite where there is no way. With n = m the diagonal is
        left out; otherwise `cost` holds the places whose access is asked, and costs back are taken to be the same.
    gdp : float64[m]
        Size of the markets.
    theta, beta
        Trade elasticity and weight of the places one buys from.

    Returns
    -------
    Access
    """
    closeness = (1.0 + np.asarray(cost, np.float64)) ** -theta
    if closeness.shape[0] == closeness.shape[1]:
        closeness = closeness.copy()
        np.fill_diagonal(closeness, 0.0)
        consumers = closeness.T @ gdp
    else:
        consumers = closeness @ gdp
    firms = closeness @ gdp
    return Access(firms, consumers, firms ** (1.0 - beta) * consumers**beta)
