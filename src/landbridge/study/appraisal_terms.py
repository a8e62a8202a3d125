"""How projects are appraised, as a study states it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Appraising", "Cost"]

Cost: TypeAlias = Literal["low", "mean", "high"]


@dataclass(frozen=True)
class Appraising:
    """The table ``[appraisal]`` of a study; what is None comes from the atlas' parameters.

    Attributes
    ----------
    rate, carbon_usd_t, years
        Discount rate (share a year), price of CO2, years of service.
    cost
        Which end of the range of costs is used.
    """

    rate: float | None = None
    carbon_usd_t: float | None = None
    years: int | None = None
    cost: Cost = "mean"
