"""How projects are appraised, as a study states it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = ["Appraising", "Cost", "Outlay"]

Cost: TypeAlias = Literal["low", "mean", "high"]


@dataclass(frozen=True)
class Outlay:
    """What a scenario costs, of which no atlas can know.

    Attributes
    ----------
    cost_usd_mn
        Capital cost in million USD.
    low_usd_mn, high_usd_mn
        Its range; None for the cost itself.
    build_years
        Years of construction before service, in even parts.
    opening
        First year of service; None for the first modelled one.
    payers
        Weight of each country (ISO2) in paying; none known where empty.
    """

    cost_usd_mn: float
    low_usd_mn: float | None = None
    high_usd_mn: float | None = None
    build_years: int = 1
    opening: int | None = None
    payers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Appraising:
    """The table ``[appraisal]`` of a study; what is None comes from the atlas' parameters.

    Attributes
    ----------
    rate, carbon_usd_t, years
        Discount rate (share a year), price of CO2, years of service.
    cost
        Which end of the range of costs is used.
    scenarios
        What scenarios cost, by id; the others have no cost.
    """

    rate: float | None = None
    carbon_usd_t: float | None = None
    years: int | None = None
    cost: Cost = "mean"
    scenarios: Mapping[str, Outlay] = field(default_factory=dict)
