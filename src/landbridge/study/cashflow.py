"""What a cash flow from a file is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.data.formats.flows_csv import read_cash_flow
from landbridge.errors import LandbridgeError
from landbridge.model import appraisal

__all__ = ["cash_flow", "money_of", "rate_of", "unpaid"]

# A rate of ten a year is a slip of the pen: per cent without its sign.
LARGEST_RATE = 1.0


def rate_of(text: str, name: str = "rate") -> float:
    """Read a rate: ``9%`` or ``0.09``.

    Parameters
    ----------
    text
        As the user wrote it.
    name
        What it is called in an error.

    Returns
    -------
    float

    Raises
    ------
    LandbridgeError
        If it is no rate of 0 to 100 %; a bare number above 1 is asked for with its sign.
    """
    bare = text.strip()
    try:
        value = float(bare.removesuffix("%")) / (100.0 if bare.endswith("%") else 1.0)
    except ValueError:
        value = float("nan")
    if not 0.0 <= value <= LARGEST_RATE:
        raise LandbridgeError(f"{name}: wanted a share of 0 to 1 or per cent, as 0.09 or 9%, got {text!r}")
    return value


def money_of(text: str, name: str) -> float:
    """Read an amount of money: ``10bn``, ``500mn``, ``2e9``.

    Parameters
    ----------
    text
        As the user wrote it.
    name
        What it is called in an error.

    Returns
    -------
    float
        USD.

    Raises
    ------
    LandbridgeError
        If it is no amount of at least 0.
    """
    bare = text.strip().casefold()
    unit = next((u for u in ("bn", "mn") if bare.endswith(u)), "")
    try:
        value = float(bare.removesuffix(unit)) * {"bn": 1e9, "mn": 1e6, "": 1.0}[unit]
    except ValueError:
        value = float("nan")
    if not 0.0 <= value < float("inf"):
        raise LandbridgeError(f"{name}: wanted an amount of USD, as 10bn, 500mn or 2e9, got {text!r}")
    return value


def cash_flow(path: Path, rate: float) -> dict[str, Any]:
    """Appraise a cash flow.

    Parameters
    ----------
    path
        CSV with year and flow.
    rate
        Discount rate.

    Returns
    -------
    dict
        ``npv``, ``eirr`` (all rates of return), ``eirr_status``, ``bcr``, ``payback_years``,
        ``discounted_payback_years``, ``first_year``, ``years``, ``rate``, ``notes``. The first year is not discounted.
        Both paybacks are None where the sum ends below zero, and a note says why.

    Raises
    ------
    DataError
        With all faults of the file.
    """
    file = read_cash_flow(path)
    found = appraisal.rates_of_return(file.flows)
    simple = appraisal.payback_years(file.flows)
    discounted = appraisal.payback_years(file.flows, rate)
    notes = [f"year {year} is in no row: 0" for year in file.filled]
    if found.status == "several":
        notes.append("several rates of return: none of them alone says whether it is worth it; go by the NPV")
    if found.status == "none":
        notes.append("no rate of return: the NPV is zero at no rate above -100 %")
    if found.status == "any":
        notes.append("all flows are zero: every rate would do")
    notes += unpaid(file.flows, rate)
    return {
        "rate": rate,
        "first_year": file.years[0],
        "years": len(file.years),
        "npv": appraisal.npv(file.flows, rate),
        "eirr": list(found.rates),
        "eirr_status": found.status,
        "bcr": appraisal.bcr(file.flows, rate),
        "payback_years": simple,
        "discounted_payback_years": discounted,
        "notes": notes,
    }


def unpaid(flows: npt.NDArray[np.float64], rate: float) -> list[str]:
    """Say why a row of yearly sums has no payback, simple or discounted.

    Parameters
    ----------
    flows : float64[n]
        Yearly sums.
    rate
        Discount rate.

    Returns
    -------
    list of str
        A sentence for each of the two that is not there.
    """
    found = []
    for words, at in (("payback", 0.0), ("discounted payback", rate)):
        if appraisal.payback_years(flows, at) is None:
            total = np.cumsum(appraisal.discount(flows, at))
            once = ", though it was back at zero for a while" if ((total[:-1] < 0.0) & (total[1:] >= 0.0)).any() else ""
            found.append(f"no {words}: the sum of all years ends {_sum(-total[-1])} below zero{once}")
    return found


def _sum(value: float) -> str:
    """A sum of whatever size, without an exponent."""
    return f"{value:,.0f}" if value >= 1e3 else f"{value:.6g}"
