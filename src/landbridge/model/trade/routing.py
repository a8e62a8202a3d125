"""Trade and routing in one equilibrium (Allen and Arkolakis 2022): icebergs on links, a logit over all routes.

    tau_ij^-theta = [(I - A)^-1]_ij,   A_kl = t_kl^-theta      (every route, with its repetitions; spectral radius < 1)
    X_ij = tau_ij^-theta (w_i / A_i)^-theta P_j^theta w_j L_j,     w_i L_i = sum_j X_ij
    Traffic_kl = t_kl^-theta  P_k^-theta  sum_j tau_lj^-theta P_j^theta w_j L_j
    t_kl = free_kl Traffic_kl^lambda                            (congestion, at its fixed point)

The sum counts the empty route too, so a region's own iceberg is below one. World income is the numeraire:
``sum w L = sum L``. Wages by the fixed point of `hat`; congestion by damped substitution in logs.

Reference: Allen, Arkolakis (2022), The welfare effects of transportation infrastructure improvements, REStud 89(6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.errors import NoEquilibrium, NotConverged

__all__ = ["RoutedTrade", "congested_equilibrium", "route_cost", "routed_equilibrium"]

F8 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RoutedTrade:
    """An equilibrium of trade and routing.

    Attributes
    ----------
    wage, price, welfare : float64[n]
    trade, traffic, reach, link_cost : float64[n, n]
        Flows from region to region, value over each link, ``tau^-theta``, and the links' icebergs (0: no link).
    """

    wage: F8
    price: F8
    welfare: F8
    trade: F8
    traffic: F8
    reach: F8
    link_cost: F8


def route_cost(link_cost: F8, theta: float) -> F8:
    """Return ``tau^-theta`` over all routes.

    Parameters
    ----------
    link_cost : float64[n, n]
        Iceberg of each link, at least 1; 0 where there is none.
    theta
        How alike routes are; the trade elasticity.

    Returns
    -------
    float64[n, n]

    Raises
    ------
    NoEquilibrium
        If going round in circles costs so little that the sum over routes does not end.
    """
    step = np.where(link_cost > 0, np.where(link_cost > 0, link_cost, 1.0) ** -theta, 0.0)
    radius = float(np.abs(np.linalg.eigvals(step)).max())
    if radius >= 1:
        raise NoEquilibrium(f"the sum over routes does not end: spectral radius {radius:.4f}, wanted below 1")
    return np.asarray(np.linalg.inv(np.eye(len(step)) - step), np.float64)


def routed_equilibrium(
    link_cost: F8, labour: F8, productivity: F8, theta: float, *, tolerance: float = 1e-14, max_iterations: int = 50_000
) -> RoutedTrade:
    """Find wages, flows and traffic for given links.

    Parameters
    ----------
    link_cost : float64[n, n]
    labour, productivity : float64[n]
    theta
    tolerance, max_iterations
        Stop rule on the largest relative excess of sales over income.

    Returns
    -------
    RoutedTrade

    Raises
    ------
    NotConverged, NoEquilibrium
    """
    reach = route_cost(link_cost, theta)
    wage, power, excess = np.ones(len(labour)), 1.0 / (1.0 + theta), np.inf
    for _ in range(max_iterations):
        cost = (wage / productivity) ** -theta
        market = cost @ reach  # P^-theta
        income = wage * labour
        sales = cost * (reach @ (income / market))
        ratio = sales / income
        excess = float(np.abs(ratio - 1).max())
        if excess <= tolerance:
            break
        wage = wage * ratio**power
        wage *= labour.sum() / (wage @ labour)
    else:
        raise NotConverged(f"wages stopped after {max_iterations} rounds at a gap of {excess:.1e}", excess)
    price = market ** (-1.0 / theta)
    demand = reach @ (income / market)
    step = np.where(link_cost > 0, np.where(link_cost > 0, link_cost, 1.0) ** -theta, 0.0)
    return RoutedTrade(
        wage,
        price,
        wage / price,
        cost[:, None] * reach * (income / market),
        step * market[:, None] * demand,
        reach,
        link_cost,
    )


def congested_equilibrium(
    free_cost: F8,
    labour: F8,
    productivity: F8,
    theta: float,
    strength: float,
    *,
    tolerance: float = 1e-12,
    max_iterations: int = 2_000,
    step: float = 0.5,
) -> RoutedTrade:
    """Find the equilibrium in which a link's iceberg grows with its traffic: ``t = free traffic^strength``.

    Parameters
    ----------
    free_cost : float64[n, n]
        Iceberg at a traffic of one; 0 where there is no link.
    labour, productivity, theta
        As in `routed_equilibrium`.
    strength
        Elasticity of a link's cost with respect to its traffic.
    tolerance, max_iterations, step
        Stop rule on the largest change of the log of a cost, and the damping.

    Returns
    -------
    RoutedTrade

    Raises
    ------
    NotConverged, NoEquilibrium
    """
    cost, change = free_cost.copy(), np.inf
    link = free_cost > 0
    for _ in range(max_iterations):
        found = routed_equilibrium(cost, labour, productivity, theta)
        wanted = np.where(link, free_cost * np.where(link, found.traffic, 1.0) ** strength, 0.0)
        move = np.log(wanted[link] / cost[link])
        change = float(np.abs(move).max())
        if change <= tolerance:
            return found
        cost = cost.copy()
        cost[link] *= np.exp(step * move)
    raise NotConverged(f"congestion stopped after {max_iterations} rounds at a change of {change:.1e}", change)
