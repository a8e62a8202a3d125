"""How far a net present value hangs on what was assumed.

The NPV is linear in each stream (capital cost, upkeep, benefits ...), so the change of a stream at which the NPV is
zero, and its swing between a low and a high value, are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.model.appraisal.cashflow import npv

__all__ = ["Swing", "delayed", "switching_values", "tornado"]

F8 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Swing:
    """NPV when one assumption alone takes its low and its high value.

    Parameters
    ----------
    name
        The assumption.
    low, high
        Factors on its stream.
    npv_low, npv_high
        NPV at these.
    """

    name: str
    low: float
    high: float
    npv_low: float
    npv_high: float

    @property
    def width(self) -> float:
        """How far the NPV moves."""
        return abs(self.npv_high - self.npv_low)


def switching_values(streams: Mapping[str, npt.ArrayLike], rate: float) -> dict[str, float | None]:
    """Find by what share each stream must change, alone, for the NPV to be zero.

    Parameters
    ----------
    streams
        Yearly sums by name, costs below zero.
    rate
        A year's.

    Returns
    -------
    dict of str to float or None
        0.2 means a fifth more; None where no change of it would do: the stream is worth nothing, or the NPV is on the
        same side of zero even without it (a change below -1 would turn a cost into a gain).
    """
    worth = {name: npv(flows, rate) for name, flows in streams.items()}
    total = sum(worth.values())
    changes = {name: -total / value if value != 0.0 else None for name, value in worth.items()}
    return {name: change if change is not None and change >= -1.0 else None for name, change in changes.items()}


def tornado(
    streams: Mapping[str, npt.ArrayLike], ranges: Mapping[str, tuple[float, float]], rate: float
) -> tuple[Swing, ...]:
    """Swing each stream between a low and a high factor, alone.

    Parameters
    ----------
    streams
        Yearly sums by name.
    ranges
        Low and high factor by stream; streams without one stay.
    rate
        A year's.

    Returns
    -------
    tuple of Swing
        The widest first.

    Raises
    ------
    KeyError
        If a range names no stream.
    """
    worth = {name: npv(flows, rate) for name, flows in streams.items()}
    total = sum(worth.values())
    swings = [
        Swing(name, low, high, total + (low - 1.0) * worth[name], total + (high - 1.0) * worth[name])
        for name, (low, high) in ranges.items()
    ]
    return tuple(sorted(swings, key=lambda swing: -swing.width))


def delayed(flows: npt.ArrayLike, years: int) -> F8:
    """Shift flows to later years within the same horizon; what falls beyond it is lost.

    Parameters
    ----------
    flows : float64[n]
        Yearly sums.
    years
        By how much, at least 0.

    Returns
    -------
    float64[n]
    """
    values = np.asarray(flows, np.float64)
    result = np.zeros_like(values)
    if years < values.size:
        result[years:] = values[: values.size - years]
    return result
