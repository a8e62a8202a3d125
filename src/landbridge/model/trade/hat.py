"""Trade in general equilibrium, one sector: exact hat algebra (Dekle, Eaton and Kortum 2008).

Problem
    What happens to wages, prices, welfare and every flow when trade costs or productivities change? Armington and
    Eaton-Kortum give the same system in changes, which needs the observed flows and one elasticity only.

Notation
    ``X[i, j]`` value that j buys from i, domestic sales included; ``Y_i`` its row sums, ``E_j`` its column sums;
    ``lam = X / E`` by column; ``D = E - Y``; a hat is new over old; ``theta`` the trade elasticity, in Armington one
    less than the elasticity of substitution.

        lam'_ij = lam_ij (w_i tau_ij / A_i)^-theta / sum_k lam_kj (w_k tau_kj / A_k)^-theta      (all hats)
        w_i Y_i = sum_j lam'_ij E'_j
        E'_j = w_j Y_j + D_j (additive), or proportional to w_j E_j and adding up to world income (multiplicative)
        P_j = (sum_k lam_kj (w_k tau_kj / A_k)^-theta)^(-1/theta),     welfare_j = (E'_j / E_j) / P_j

    World income is the numeraire: ``sum w Y = sum Y``; where the shock parts the world into sets that no longer trade,
    each set's own.

Method
    Fixed point ``w <- w (Y'(w) / (w Y))^(1 / (1 + theta))``, renormalised; Newton's method on log wages, with the exact
    Jacobian, once the gap is small. Stops when no country's income differs from its sales
    by more than the tolerance, relative to its income.

Existence
    A country left without suppliers or buyers, one whose transfers exceed its income, and a set of countries that
    nothing joins to the rest while its trade does not balance, have no equilibrium. They are refused by name.

Read in
    Dekle, Eaton, Kortum (2008), IMF Staff Papers 55(3). Arkolakis, Costinot, Rodriguez-Clare (2012), AER 102(1): under
    balanced trade welfare is ``(lam'_jj / lam_jj)^(-1/theta)``. Conditional equilibrium (outputs and expenditures
    kept): Anderson, van Wincoop (2003), AER 93(1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from landbridge.errors import NoEquilibrium, NotConverged

__all__ = ["Deficits", "Response", "acr_welfare", "components", "conditional", "partial", "refuse", "solve"]

F8 = npt.NDArray[np.float64]

Deficits: TypeAlias = Literal["additive", "multiplicative"]

#: Income and sales of every country agree to this part of its income; sums of doubles reach it for hundreds of
#: countries.
TOLERANCE = 1e-13
MAX_ITERATIONS = 20_000
#: Below this gap, and as long as it falls, Newton's method takes over from the fixed point.
NEAR = 0.1
#: The longest step of Newton's in the log of a wage.
LONGEST_STEP = 0.5
#: Below this part of its output a country's trade counts as balanced.
BALANCED = 1e-9


@dataclass(frozen=True, eq=False)
class Response:
    """What a shock does, as new over old.

    Attributes
    ----------
    status
        ``converged``; what does not converge is raised.
    wage, price, real_wage, welfare : float64[n]
        Changes; welfare is real expenditure.
    trade : float64[n, n]
        New flows, in the unit of the old ones.
    acr : float64[n]
        Welfare by the formula of Arkolakis, Costinot and Rodriguez-Clare, which is exact where trade balances.
    iterations
    gap
        Largest difference of a country's income and sales, over its income.
    """

    status: Literal["converged"]
    wage: F8
    price: F8
    real_wage: F8
    welfare: F8
    trade: F8
    acr: F8
    iterations: int
    gap: float


def components(support: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Number the sets of countries that trade joins, whichever way it flows.

    Parameters
    ----------
    support : bool[n, n]
        Whether i sells to j.

    Returns
    -------
    int64[n]
        The set of each country.
    """
    n = len(support)
    label = np.full(n, -1, np.int64)
    joined = support | support.T
    count = 0
    for start in range(n):
        if label[start] >= 0:
            continue
        edge = np.zeros(n, np.bool_)
        edge[start] = True
        while edge.any():
            label[edge] = count
            edge = joined[edge].any(axis=0) & (label < 0)
        count += 1
    return label


def _named(names: Sequence[str] | None, chosen: npt.NDArray[np.bool_]) -> str:
    found = np.flatnonzero(chosen).tolist()
    words = [names[i] if names else f"country {i}" for i in found[:8]]
    return ", ".join(words) + (f" and {len(found) - 8} more" if len(found) > 8 else "")


def _check(trade: F8, tau_hat: F8, theta: float) -> None:
    n = len(trade)
    if trade.shape != (n, n) or tau_hat.shape != (n, n):
        raise ValueError(f"trade and tau_hat must be square and alike, got {trade.shape} and {tau_hat.shape}")
    if not (np.isfinite(trade).all() and (trade >= 0).all()):
        raise ValueError("trade must be finite and not negative")
    if np.isnan(tau_hat).any() or (tau_hat <= 0).any():
        raise ValueError("changes of trade cost must be greater than zero (infinite for an embargo)")
    if not theta > 0:
        raise ValueError(f"theta must be greater than zero, got {theta}")


def refuse(trade: F8, factor: F8, *, names: Sequence[str] | None = None) -> None:
    """Refuse a shock after which no equilibrium can exist.

    Parameters
    ----------
    trade : float64[n, n]
        Flows from row to column.
    factor : float64[n, n]
        What is left of the weight of each flow; zero for an embargo.
    names
        Names of the countries, for messages.

    Raises
    ------
    NoEquilibrium
        If a country is left without suppliers or buyers, or an unbalanced set of countries is cut off.
    """
    output, spending = trade.sum(axis=1), trade.sum(axis=0)
    support = (trade > 0) & (factor > 0)
    hungry = (spending > 0) & ~support.any(axis=0)
    if hungry.any():
        raise NoEquilibrium(f"no equilibrium: nothing is left to buy for {_named(names, hungry)}")
    stranded = (output > 0) & ~support.any(axis=1)
    if stranded.any():
        raise NoEquilibrium(f"no equilibrium: nobody is left to buy from {_named(names, stranded)}")
    label = components(support)
    if label.max(initial=0) == components(trade > 0).max(initial=0):
        return
    for part in range(int(label.max()) + 1):
        inside = label == part
        gap = float(spending[inside].sum() - output[inside].sum())
        if abs(gap) > BALANCED * float(output[inside].sum()):
            raise NoEquilibrium(
                f"no equilibrium: the shock cuts {_named(names, inside)} off from all others, while their trade is out "
                f"of balance by {gap:+.4g} (in the unit of the flows), which nobody can then pay; balance trade first "
                f"or let some trade through"
            )


def solve(
    trade: F8,
    tau_hat: F8,
    theta: float,
    *,
    productivity: F8 | None = None,
    deficits: Deficits = "additive",
    names: Sequence[str] | None = None,
    tolerance: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
) -> Response:
    """Find the equilibrium after a shock.

    Parameters
    ----------
    trade : float64[n, n]
        Flows from row to column, domestic sales on the diagonal.
    tau_hat : float64[n, n]
        New over old trade cost factor; infinite for an embargo.
    theta
        Trade elasticity, greater than zero.
    productivity : float64[n]
        New over old productivity; ones when left out.
    deficits
        Whether a deficit is kept in the numeraire, or as a share of income.
    names
        Names of the countries, for messages.
    tolerance, max_iterations
        Stop rule.

    Returns
    -------
    Response

    Raises
    ------
    NoEquilibrium
        If the shock leaves a country without suppliers, buyers or means, or cuts an unbalanced set off.
    NotConverged
        If the fixed point was not reached.
    ValueError
        If the arrays do not fit.
    """
    trade, tau_hat = np.asarray(trade, np.float64), np.asarray(tau_hat, np.float64)
    _check(trade, tau_hat, theta)
    factor = tau_hat**-theta
    if productivity is not None:
        factor = factor * (np.asarray(productivity, np.float64) ** theta)[:, None]
    refuse(trade, factor, names=names)
    output, spending = trade.sum(axis=1), trade.sum(axis=0)
    active = output > 0
    with np.errstate(invalid="ignore"):
        share = np.where(spending > 0, trade / spending, 0.0) * factor
    base, gap_of = np.where(active, output, 1.0), spending - output
    part = components((trade > 0) & (factor > 0))
    parts = int(part.max(initial=0)) + 1
    whole = np.bincount(part, weights=output, minlength=parts)
    # what sums of doubles leave of a balance would let the wages of a set that trades alone drift
    loose = np.bincount(part, weights=gap_of, minlength=parts)
    gap_of = gap_of - output * np.divide(loose, whole, out=np.zeros(parts), where=whole > 0)[part]
    w = np.ones(len(trade))
    power, residual, last = 1.0 / (1.0 + theta), np.inf, np.inf
    for iteration in range(1, max_iterations + 1):
        cost = w**-theta
        income = w * output
        if deficits == "additive":
            means = income + gap_of
            poor = (means <= 0) & (spending > 0)
            if poor.any() and iteration > 1:
                raise NoEquilibrium(f"no equilibrium: what {_named(names, poor)} must transfer exceeds all income left")
        else:
            means = w * spending
            means = means * (income.sum() / means.sum())
        denominator = cost @ share
        bought = np.where(denominator > 0, means / np.where(denominator > 0, denominator, 1.0), 0.0)
        sales = cost * (share @ bought)
        ratio = np.where(active, sales / (w * base), 1.0)
        residual = float(np.abs(ratio - 1.0).max())
        if residual <= tolerance:
            break
        if residual > NEAR or residual > last:
            w = w * ratio**power
        else:
            flow = cost[:, None] * share * bought
            w = w * np.exp(_newton(flow, means, income, theta, deficits, part))
        last = residual
        w *= np.divide(whole, np.bincount(part, weights=w * output), out=np.ones(parts), where=whole > 0)[part]
    else:
        raise NotConverged(
            f"general equilibrium stopped after {max_iterations} rounds at a gap of {residual:.1e}", residual
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.where(denominator > 0, denominator ** (-1.0 / theta), 1.0)
        new = cost[:, None] * share * bought
        welfare = np.where(spending > 0, means / spending / price, 1.0)
    return Response("converged", w, price, w / price, welfare, new, acr_welfare(trade, new, theta), iteration, residual)


def _newton(flow: F8, means: F8, income: F8, theta: float, deficits: Deficits, part: npt.NDArray[np.int64]) -> F8:
    """Newton's step in log wages towards sales that equal incomes.

    ``d sales_i / d ln w_k = -theta [i = k] sales_i + theta sum_j flow_ij lam_kj + lam_ik d means_k``, with
    ``d means_k = income_k`` for additive deficits and ``means_k (1 + d ln world)`` for multiplicative ones. Income of
    each set that trades is kept, which makes the system regular.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        lam = np.where(means > 0, flow / means, 0.0)
    sales = flow.sum(axis=1)
    slope = theta * (flow @ lam.T) - np.diag(theta * sales + income)
    if deficits == "additive":
        slope += lam * income
    else:
        weight_in = income / np.bincount(part, weights=income)[part]
        weight_out = means / np.bincount(part, weights=means)[part]
        same = part[:, None] == part[None, :]
        slope += flow + np.where(same, sales[:, None] * (weight_in - weight_out)[None, :], 0.0)
    slope -= np.where(part[:, None] == part[None, :], income[None, :], 0.0)
    alive = income > 0
    slope[~alive] = 0.0
    slope[~alive, ~alive] = 1.0
    step = np.linalg.solve(slope, np.where(alive, income - sales, 0.0))
    return np.asarray(np.clip(step, -LONGEST_STEP, LONGEST_STEP))


def acr_welfare(old: F8, new: F8, theta: float) -> F8:
    """Welfare change from the change of the domestic share alone.

    Parameters
    ----------
    old, new : float64[n, n]
        Flows before and after.
    theta
        Trade elasticity.

    Returns
    -------
    float64[n]
        ``(lam'_jj / lam_jj)^(-1/theta)``; NaN where a country buys nothing at home.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        before, after = np.diag(old) / old.sum(axis=0), np.diag(new) / new.sum(axis=0)
        result: F8 = np.where((before > 0) & (after > 0), (after / before) ** (-1.0 / theta), np.nan)
    return result


def conditional(
    trade: F8,
    factor: F8,
    *,
    names: Sequence[str] | None = None,
    tolerance: float = 1e-12,
    max_iterations: int = MAX_ITERATIONS,
) -> F8:
    """Flows after a change of trade cost with every country's output and expenditure kept: structural gravity.

    The multilateral resistances move with the shock, incomes do not. It is the biproportional fit of ``trade * factor``
    to the old sums, so zero trade stays zero.

    Parameters
    ----------
    trade : float64[n, n]
        Flows from row to column; without domestic sales it is trade abroad that is kept.
    factor : float64[n, n]
        ``tau_hat^-theta``, or ``exp(beta dz)`` of an estimated equation; zero for an embargo.
    names
        For messages.
    tolerance, max_iterations
        Stop rule: every row's sum agrees to this part of it.

    Returns
    -------
    float64[n, n]

    Raises
    ------
    NoEquilibrium
        If a country is left without suppliers or buyers, or an unbalanced set of countries is cut off.
    NotConverged
        If the sums cannot be met.
    """
    trade, factor = np.asarray(trade, np.float64), np.asarray(factor, np.float64)
    new = trade * factor
    if (new[trade > 0] == 0).any():
        refuse(trade, factor, names=names)
    rows, columns = trade.sum(axis=1), trade.sum(axis=0)
    gap = np.inf
    for _ in range(max_iterations):
        total = new.sum(axis=1)
        gap = float(np.abs(np.where(rows > 0, total / np.where(rows > 0, rows, 1.0) - 1.0, 0.0)).max())
        new = new * np.where(total > 0, rows / np.where(total > 0, total, 1.0), 0.0)[:, None]
        total = new.sum(axis=0)
        new = new * np.where(total > 0, columns / np.where(total > 0, total, 1.0), 0.0)
        if gap <= tolerance:
            return new
    raise NotConverged(
        f"conditional equilibrium stopped after {max_iterations} rounds at a gap of {gap:.1e}: what is left of trade "
        f"may not hold every country's output and spending",
        gap,
    )


def partial(trade: F8, tau_hat: F8, theta: F8 | float) -> F8:
    """Flows by the elasticity alone: ``trade * tau_hat^-theta``, nothing else moving.

    Parameters
    ----------
    trade, tau_hat : float64[...]
        Flows and the change of their cost factor; infinite for an embargo.
    theta
        Elasticity, one or of a shape that fits.

    Returns
    -------
    float64[...]
    """
    result: F8 = np.asarray(trade, np.float64) * np.asarray(tau_hat, np.float64) ** -np.asarray(theta, np.float64)
    return result
