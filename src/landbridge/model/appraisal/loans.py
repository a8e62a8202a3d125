"""Loans: what is drawn, what is paid back, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from landbridge.model.appraisal.cashflow import annuity

__all__ = ["Loan", "Service", "debt_service"]

F8 = npt.NDArray[np.float64]
Repayment = Literal["annuity", "equal principal"]


@dataclass(frozen=True)
class Loan:
    """Terms of a loan.

    Parameters
    ----------
    amount
        What is drawn in all.
    rate
        Interest a year, on what is owed at the beginning of the year.
    years
        From the first drawing to the last payment, grace included.
    grace_years
        First years in which nothing is paid back.
    interest_in_grace
        Whether interest is paid during grace; otherwise it is added to what is owed.
    repayment
        Even payments, or an even part of what was lent with falling interest.
    """

    amount: float
    rate: float
    years: int
    grace_years: int = 0
    interest_in_grace: bool = True
    repayment: Repayment = "annuity"


@dataclass(frozen=True, eq=False)
class Service:
    """A loan year by year, at the end of each; the year of the first drawing is 0.

    Parameters
    ----------
    drawn, interest, principal : float64[n]
        What comes in, and the two parts of what is paid.
    owed : float64[n]
        After the year's drawing and payment.
    """

    drawn: F8
    interest: F8
    principal: F8
    owed: F8

    @property
    def paid(self) -> F8:
        """Debt service by year."""
        return self.interest + self.principal


def debt_service(loan: Loan, drawing: npt.ArrayLike) -> Service:
    """Work out a loan year by year.

    Parameters
    ----------
    loan
        Its terms.
    drawing : float64[d]
        Share of the amount drawn in year 0, 1, ...; adds up to 1.

    Returns
    -------
    Service
        ``loan.years + 1`` years; owed is zero at the end.

    Raises
    ------
    ValueError
        If the terms cannot be: shares that do not add up, a drawing after repayment has begun, no year to repay in.
    """
    shares = np.asarray(drawing, np.float64)
    repaying = loan.years - loan.grace_years
    if loan.amount < 0.0 or loan.rate <= -1.0 or repaying < 1 or loan.grace_years < 0:
        raise ValueError(f"loan: wanted an amount, a rate and at least one year after the grace, got {loan}")
    if shares.size == 0 or (shares < 0.0).any() or abs(shares.sum() - 1.0) > 1e-9:
        raise ValueError("drawing: wanted shares of at least 0 that add up to 1")
    if shares.size > loan.grace_years + 1:
        raise ValueError(f"drawing: wanted it to end by year {loan.grace_years}, the last of the grace")
    n = loan.years + 1
    drawn, interest, principal, owed = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    drawn[: shares.size] = loan.amount * shares
    balance, payment, part = 0.0, 0.0, 0.0
    for t in range(n):
        due = balance * loan.rate
        if t == loan.grace_years + 1:
            payment, part = balance * annuity(loan.rate, repaying), balance / repaying
        if t > loan.grace_years:
            interest[t] = due
            principal[t] = part if loan.repayment == "equal principal" else payment - due
            balance -= principal[t]
        elif loan.interest_in_grace:
            interest[t] = due
        else:
            balance += due
        balance += drawn[t]
        owed[t] = balance
    owed[-1] = 0.0 if abs(owed[-1]) <= 1e-9 * max(loan.amount, 1.0) else owed[-1]
    return Service(drawn, interest, principal, owed)
