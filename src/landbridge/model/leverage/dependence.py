r"""How much one country needs another, and how many ways it has: shares, asymmetric leverage, concentration.

Definitions
    must-cross share of A on B   the part of A's trade that has no path without B
    actual share                 the part that crosses B in optimal flows; an interval, since these are not unique
    substitutability             what it costs A more when nothing of its cargo may cross B
    asymmetric leverage          of B over A: (A's loss without B) / (A's trade) - (B's loss without A) / (B's trade),
                                 as Hirschman (1945) has it; above zero A needs B more than B needs A
    concentration                H = sum of squared shares (Herfindahl-Hirschman), effective number 1 / H, normalised
                                 (H - 1/n) / (1 - 1/n) for n ways that are there
    They are those of METHODS.md, section 1.6; Hirschman (1945), National power and the structure of foreign trade, for
    the leverage, and Hirschman (1964), The paternity of an index, for the concentration.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

__all__ = ["Concentration", "asymmetric_leverage", "concentration"]


@dataclass(frozen=True)
class Concentration:
    """How concentrated amounts are.

    Parameters
    ----------
    hhi
        Sum of squared shares, 1/n to 1; nan where there is nothing.
    effective_number
        Number of equal ways that would be as concentrated.
    normalised
        0 = all equal, 1 = all on one; 1 where there is only one way.
    count
        Ways that carry something.
    largest
        Share of the largest.
    """

    hhi: float
    effective_number: float
    normalised: float
    count: int
    largest: float


def concentration(amounts: Iterable[float], *, ways: int | None = None) -> Concentration:
    """Measure how concentrated amounts are.

    Parameters
    ----------
    amounts
        What goes each way, at least zero.
    ways
        Number of ways that there are, for the normalised index; by default those that carry something.

    Returns
    -------
    Concentration

    Raises
    ------
    ValueError
        If an amount is negative or no number.
    """
    values = np.fromiter(amounts, np.float64)
    if not (values >= 0.0).all() or not np.isfinite(values).all():
        raise ValueError("amounts: wanted numbers of at least zero")
    total = float(values.sum())
    some = int((values > 0.0).sum())
    if total <= 0.0:
        return Concentration(np.nan, np.nan, np.nan, 0, np.nan)
    share = values / total
    hhi = float((share**2).sum())
    n = some if ways is None else ways
    if n < some:
        raise ValueError(f"ways: wanted at least the {some} that carry something, got {n}")
    normalised = 1.0 if n == 1 else (hhi - 1.0 / n) / (1.0 - 1.0 / n)
    return Concentration(hhi, 1.0 / hhi, normalised, some, float(share.max()))


def asymmetric_leverage(loss_a: float, trade_a: float, loss_b: float, trade_b: float) -> float:
    """Leverage of B over A.

    Parameters
    ----------
    loss_a, trade_a
        What A loses without B, and A's trade.
    loss_b, trade_b
        What B loses without A, and B's trade.

    Returns
    -------
    float
        In the unit of loss over trade; nan where one of them does not trade.
    """
    if trade_a <= 0.0 or trade_b <= 0.0:
        return float("nan")
    return loss_a / trade_a - loss_b / trade_b
