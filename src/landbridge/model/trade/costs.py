"""From network cost to trade cost.

Level
    Freight over value, ``f = sum tonnes money / sum value``: what trade pays on the way, so that ``tau = 1 + f``.

Change
    From the composite cost C of the choice model that the assignment itself uses (land network or outside option), in
    USD per tonne. A relation of goods worth v USD per tonne that pays m on the way goes from ``v + m`` to
    ``v + m + C' - C``:

        time counted in the route:   tau_hat = (v + m + dC) / (v + m)
        time counted in trade:       tau_hat = (v + m + dC - vot dh) / (v + m) exp(r ddays)

    C holds the hours of the way at the shippers' value of time. Where the goods' own price of a day, r (0.006 to 0.021;
    Hummels and Schaur 2013), is to count instead, those hours are first taken out of dC. Either way a day counts once.
    ``dh`` is the change of expected hours: the land share, at the mean of both states, times the change of hours by
    land (the outside option does not change its hours), which is the first-order split of dC into money and time.

Cells
    The change of a cell of trade (exporter, importer, sector) is that of a composite of its relations with the trade
    elasticity, weighted by value: ``(sum s_r tau_hat_r^-theta)^(-1/theta)``. What of the cell does not use the network
    has a change of one, and a relation that loses its last way (an infinite change) loses its part of the cell, not the
    cell.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["TimeCounted", "cell_change", "freight_share", "tau_change"]

F8 = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]

TimeCounted: TypeAlias = Literal["route", "trade"]

HOURS_A_DAY = 24.0
#: A trade cost cannot fall below this part of itself, whatever is subsidised: goods are never paid to be shipped.
LEAST = 1e-3


def freight_share(tonnes: F8, money_usd_t: F8, value_usd: float) -> float:
    """Freight over value of a flow.

    Parameters
    ----------
    tonnes, money_usd_t : float64[...]
        Tonnes and what each pays on the way; cells with an unknown price (NaN or infinite) do not count.
    value_usd
        Value of those tonnes, greater than zero.

    Returns
    -------
    float
    """
    known = np.isfinite(money_usd_t)
    return float((tonnes[known] * money_usd_t[known]).sum() / value_usd)


def tau_change(
    value_usd_t: F8,
    money_usd_t: F8,
    composite_change_usd_t: F8,
    *,
    counted: TimeCounted = "route",
    hours_change: F8 | float = 0.0,
    vot_usd_t_h: F8 | float = 0.0,
    rate_day: F8 | float = 0.0,
) -> F8:
    """New over old trade cost of each relation.

    Parameters
    ----------
    value_usd_t, money_usd_t : float64[R]
        Value of a tonne, and the money it pays on the way in the base.
    composite_change_usd_t : float64[R]
        Change of the composite cost; infinite where the last way is lost.
    counted
        Where time counts: ``route``, at the shippers' value of time, or ``trade``, at `rate_day`.
    hours_change, vot_usd_t_h, rate_day : float64[R]
        Change of expected hours, the value of an hour that the composite cost holds, and the goods' own price of a day
        as a part of their value. Needed where time counts in trade.

    Returns
    -------
    float64[R]
    """
    base = value_usd_t + money_usd_t
    if counted == "route":
        change = (base + composite_change_usd_t) / base
    else:
        money = composite_change_usd_t - np.asarray(vot_usd_t_h) * hours_change
        days = np.asarray(hours_change, np.float64) / HOURS_A_DAY
        change = (base + money) / base * np.exp(np.asarray(rate_day) * days)
    result: F8 = np.maximum(change, LEAST)
    return result


def cell_change(cell: Ints, value_usd: F8, tau_hat: F8, cell_value_usd: F8, theta: F8) -> F8:
    """Change of trade cost of cells of trade from those of the relations in them.

    Parameters
    ----------
    cell : int[R]
        Cell of each relation.
    value_usd, tau_hat : float64[R]
        Value and change of each relation.
    cell_value_usd : float64[C]
        Value of all trade of the cell, on the network or not; at least that of its relations is used.
    theta : float64[C]
        Trade elasticity of each cell.

    Returns
    -------
    float64[C]
        Infinite where all of a cell has lost its way.
    """
    count = len(cell_value_usd)
    on_network = np.bincount(cell, weights=value_usd, minlength=count)
    kept = np.bincount(cell, weights=value_usd * tau_hat ** -theta[cell], minlength=count)
    total = np.maximum(cell_value_usd, on_network)
    part = np.where(total > 0, (kept + total - on_network) / np.where(total > 0, total, 1.0), 1.0)
    with np.errstate(divide="ignore"):
        result: F8 = np.maximum(part, 0.0) ** (-1.0 / theta)
    return result
