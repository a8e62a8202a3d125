"""Trade in general equilibrium, many sectors with input-output links and tariff revenue (Caliendo and Parro 2015).

Notation
    Sectors j, k; exporters i, importers n. ``trade[j, i, n]`` is worth without tariffs, ``tariff[j, i, n]`` the rate on
    it, ``X[j, n]`` what n spends on j with tariffs, ``pi = trade (1 + tariff) / X``. ``value_added[n, j]`` is the share
    of value added in j's output, ``inputs[n, k, j]`` the share of goods of k in it; the two add up to one. ``final[n,
    k]`` is the share of k in final spending, ``factor_income[n]`` the base's value added, ``deficit[n]`` the transfer
    to n.

        c_jn = w_n^va P_kn^inputs ...                       cost of the input bundle (hats)
        P_jn = (sum_i pi_jin (kappa_jin c_ji)^-theta_j)^(-1/theta_j),    kappa = d (1 + tariff') / (1 + tariff)
        X'_jn = sum_k inputs_njk Y'_kn + final_nj (w_n factor_income_n + revenue'_n + deficit_n)
        Y'_ji = sum_n pi'_jin X'_jn / (1 + tariff'_jin)
        w_n factor_income_n = sum_j va_nj Y'_jn

    World factor income is the numeraire.

Method
    One sweep updates costs, prices, shares, spending and wages in turn; wages move by the power ``1 / (1 + theta)`` of
    their excess, spending by its own equation. Stops when wages, costs and spending all agree with their equations to
    the tolerance.

Reference
    Caliendo, Parro (2015), Review of Economic Studies 82(1), equations 7 to 12 and 15 (the split of welfare).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from landbridge.errors import NoEquilibrium, NotConverged

__all__ = ["Economy", "Outcome", "WelfareParts", "cap_elasticities", "rebased", "solve", "welfare_parts"]

F8 = npt.NDArray[np.float64]

TOLERANCE = 1e-10
MAX_ITERATIONS = 20_000
#: Sum of transfers over world income that is rounding of the data, and is spread over all.
ROUNDING = 1e-6
#: Part of the way that spending goes towards its equation in a sweep.
STEP = 0.8


@dataclass(frozen=True, eq=False)
class Economy:
    """The world of the base year.

    Attributes
    ----------
    trade, tariff : float64[J, N, N]
        Value without tariffs from exporter to importer, domestic sales included; tariff rates.
    value_added : float64[N, J]
        Share of value added in output.
    inputs : float64[N, J, J]
        Share of goods of the second index in the output of the third.
    final : float64[N, J]
        Shares of final spending.
    factor_income : float64[N]
    deficit : float64[N]
        Transfer received, in the unit of the flows.
    theta : float64[J]
        Trade elasticities.
    """

    trade: F8
    tariff: F8
    value_added: F8
    inputs: F8
    final: F8
    factor_income: F8
    deficit: F8
    theta: F8


@dataclass(frozen=True, eq=False)
class Outcome:
    """An equilibrium relative to the base year's data.

    Attributes
    ----------
    status
        ``converged``; what does not converge is raised.
    wage, price, real_wage, welfare : float64[N]
        Changes over the base data; the price is that of final spending, welfare real final spending.
    cost, sector_price : float64[J, N]
    trade : float64[J, N, N]
        New value without tariffs.
    output : float64[J, N]
        New value of output.
    spending : float64[J, N]
        New spending with tariffs.
    income : float64[N]
        New final spending.
    tariff : float64[J, N, N]
        The rates that hold.
    iterations
    gap
        Largest relative miss of any equation.
    """

    status: Literal["converged"]
    wage: F8
    price: F8
    real_wage: F8
    welfare: F8
    cost: F8
    sector_price: F8
    trade: F8
    output: F8
    spending: F8
    income: F8
    tariff: F8
    iterations: int
    gap: float


@dataclass(frozen=True, eq=False)
class WelfareParts:
    """Welfare change in per cent of income, to the first order, as the reference prints it.

    Attributes
    ----------
    terms_of_trade, volume_of_trade, total : float64[N]
    """

    terms_of_trade: F8
    volume_of_trade: F8
    total: F8


def cap_elasticities(
    theta: F8, names: Sequence[str], *, low: float = 1.0, high: float = 10.0
) -> tuple[F8, tuple[tuple[str, float, float], ...]]:
    """Bring extreme elasticities to bounds, and say which.

    Parameters
    ----------
    theta : float64[J]
    names
        Of the sectors.
    low, high
        Bounds. Estimates as high as 65 (petroleum) let a cost change of one per cent double or end a flow.

    Returns
    -------
    theta : float64[J]
    capped : tuple of (name, before, after)
    """
    bounded = np.clip(np.asarray(theta, np.float64), low, high)
    told = tuple(
        (name, float(old), float(new)) for name, old, new in zip(names, theta, bounded, strict=True) if old != new
    )
    return bounded, told


def _refuse(economy: Economy, factor: F8, names: Sequence[str] | None) -> None:
    """Tell where a sector's goods are needed and nobody is left to sell them."""
    needed = economy.trade.sum(axis=1) > 0
    supplied = ((economy.trade > 0) & (factor > 0)).any(axis=1)
    lost = needed & ~supplied
    if lost.any():
        j, n = (int(v[0]) for v in np.nonzero(lost))
        who = names[n] if names else f"country {n}"
        raise NoEquilibrium(f"no equilibrium: nothing of sector {j} is left to buy for {who}")
    alone = np.ones(len(economy.factor_income), np.bool_)
    cross = (economy.trade * (factor > 0)).sum(axis=0)
    np.fill_diagonal(cross, 0.0)
    alone = (cross.sum(axis=0) == 0) & (cross.sum(axis=1) == 0) & (economy.factor_income > 0)
    before = economy.trade.sum(axis=0)
    np.fill_diagonal(before, 0.0)
    unpaid = alone & (np.abs(economy.deficit) > 1e-9 * economy.factor_income) & (before.sum(axis=0) > 0)
    if unpaid.any():
        i = int(np.flatnonzero(unpaid)[0])
        who = names[i] if names else f"country {i}"
        raise NoEquilibrium(
            f"no equilibrium: {who} is cut off from all others with a trade balance of "
            f"{-economy.deficit[i]:+.4g}, which "
            f"nobody can then pay; balance trade first or let some trade through"
        )


def solve(
    economy: Economy,
    *,
    cost_hat: F8 | None = None,
    tariff: F8 | None = None,
    deficit: F8 | None = None,
    names: Sequence[str] | None = None,
    start: Outcome | None = None,
    tolerance: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
) -> Outcome:
    """Find the equilibrium under other trade costs, tariffs or transfers.

    Parameters
    ----------
    economy
        The base year.
    cost_hat : float64[J, N, N]
        New over old iceberg cost; infinite for an embargo; ones when left out.
    tariff : float64[J, N, N]
        New tariffs; the base's when left out.
    deficit : float64[N]
        New transfers; the base's when left out.
    names
        Of countries, for messages.
    start
        An equilibrium near by, from which the search sets out; the result does not hang on it.
    tolerance, max_iterations
        Stop rule.

    Returns
    -------
    Outcome

    Raises
    ------
    NoEquilibrium
        If the shock leaves somebody without suppliers or means.
    NotConverged
        If it was not found.
    """
    e = economy
    theta = e.theta[:, None, None]
    duty = 1.0 + (e.tariff if tariff is None else tariff)
    paid = e.trade * (1.0 + e.tariff)
    base_spending = paid.sum(axis=1)
    share = np.where(base_spending[:, None, :] > 0, paid / np.where(base_spending > 0, base_spending, 1)[:, None, :], 0)
    kappa = duty / (1.0 + e.tariff) * (1.0 if cost_hat is None else cost_hat)
    factor = kappa**-theta
    _refuse(e, factor, names)
    share = share * factor
    transfer = np.asarray(e.deficit if deficit is None else deficit, np.float64)
    world = e.factor_income.sum()
    if abs(transfer.sum()) > ROUNDING * world:
        raise ValueError(f"transfers must add up to zero, got {transfer.sum():.4g}")
    transfer = transfer - e.factor_income * (transfer.sum() / world)
    has = e.factor_income > 0
    income_base = np.where(has, e.factor_income, 1.0)
    # Wages move by a power of their excess demand; the mean elasticity of what each country sells sets it.
    sold = e.trade.sum(axis=(1, 2))
    power = 1.0 / (1.0 + float((e.theta * sold).sum() / sold.sum()))
    log_c = np.zeros_like(base_spending)
    spending, wage = base_spending.copy(), np.ones(len(income_base))
    if start is not None:
        log_c, spending, wage = np.log(start.cost), start.spending.copy(), start.wage.copy()
    scale = np.maximum(base_spending.sum(axis=0), 1e-300)
    gap = np.inf
    for iteration in range(1, max_iterations + 1):
        weight = share * np.exp(-e.theta[:, None] * log_c)[:, :, None]
        total = weight.sum(axis=1)
        live = total > 0
        log_p = np.where(live, -np.log(np.where(live, total, 1.0)) / e.theta[:, None], 0.0)
        pi = weight / np.where(live, total, 1.0)[:, None, :]
        net = pi / duty * spending[:, None, :]
        output = net.sum(axis=2)
        revenue = ((duty - 1.0) * net).sum(axis=(0, 1))
        income = wage * e.factor_income + revenue + transfer
        poor = has & (income <= 0)
        if poor.any() and iteration > 50:
            who = names[int(np.flatnonzero(poor)[0])] if names else f"country {int(np.flatnonzero(poor)[0])}"
            raise NoEquilibrium(f"no equilibrium: what {who} must transfer exceeds all income left")
        new_spending = np.einsum("njk,kn->jn", e.inputs, output) + e.final.T * income
        new_log_c = (e.value_added * np.log(wage)[:, None]).T + np.einsum("nkj,kn->jn", e.inputs, log_p)
        earned = np.einsum("nj,jn->n", e.value_added, output)
        ratio = np.where(has, earned / (wage * income_base), 1.0)
        gap = max(
            float(np.abs(ratio - 1.0).max()),
            float((np.abs(new_spending - spending) / scale).max()),
            float(np.abs(new_log_c - log_c).max()),
        )
        if gap <= tolerance:
            break
        log_c = new_log_c
        spending = spending + STEP * (new_spending - spending)
        wage = wage * np.maximum(ratio, 1e-3) ** power
        wage *= world / (wage @ e.factor_income)
    else:
        raise NotConverged(f"general equilibrium stopped after {max_iterations} rounds at a gap of {gap:.1e}", gap)
    price = np.exp(np.einsum("nj,jn->n", e.final, log_p))
    base_income = e.factor_income + (e.trade * e.tariff).sum(axis=(0, 1)) + e.deficit
    with np.errstate(divide="ignore", invalid="ignore"):
        welfare = np.where(base_income > 0, income / base_income / price, 1.0)
    return Outcome(
        "converged", wage, price, wage / price, welfare, np.exp(log_c), np.exp(log_p), net, output, spending, income,
        duty - 1.0, iteration, gap,
    )  # fmt: skip


def rebased(economy: Economy, outcome: Outcome) -> Economy:
    """Return the economy in which an equilibrium is the base."""
    return replace(
        economy,
        trade=outcome.trade,
        tariff=outcome.tariff,
        factor_income=economy.factor_income * outcome.wage,
        deficit=outcome.income
        - economy.factor_income * outcome.wage
        - (outcome.trade * outcome.tariff).sum(axis=(0, 1)),
    )


def welfare_parts(base: Outcome, after: Outcome) -> WelfareParts:
    """Split the welfare change between two equilibria into terms and volume of trade.

    Parameters
    ----------
    base, after
        Equilibria of one economy.

    Returns
    -------
    WelfareParts
        Equation 15 of the reference: exports at the change of their own cost less imports at that of the sellers', and
        duties on the change of imports beyond that of their price, over final spending.
    """
    rise = after.cost / base.cost - 1.0
    exports = (base.trade.sum(axis=2) * rise).sum(axis=0)
    imports = (base.trade * rise[:, :, None]).sum(axis=(0, 1))
    terms = (exports - imports) / base.income * 100.0
    grown = after.trade - base.trade * (1.0 + rise)[:, :, None]
    volume = (base.tariff * grown).sum(axis=(0, 1)) / base.income * 100.0
    return WelfareParts(terms, volume, terms + volume)
