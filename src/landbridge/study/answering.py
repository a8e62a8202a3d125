"""How demand answers to cost, as a study states it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Answering", "DemandMode", "Growth", "TimeCounted"]

DemandMode: TypeAlias = Literal["frozen", "elasticity", "gravity", "ge"]
TimeCounted: TypeAlias = Literal["route", "trade"]
Growth: TypeAlias = Literal["mean", "low", "high"]


@dataclass(frozen=True)
class Answering:
    """The table ``[demand]`` of a study.

    Attributes
    ----------
    mode
        ``frozen``: trade does not answer; ``elasticity``, ``gravity`` or ``ge``: see `landbridge.study.answer`.
    time
        Where time counts: in the ``route``, at the shippers' value of time, or in ``trade``, at the goods' own price of
        a day. Never in both.
    growth
        Path of growth: ``mean``, or the ``low`` or ``high`` end of its range.
    tolerance
        Largest difference in logs between volumes assigned and volumes answered.
    max_rounds
        Rounds after which the fixed point is given up.
    damping
        First step towards what trade answers, above 0 and up to 1.
    """

    mode: DemandMode = "frozen"
    time: TimeCounted = "route"
    growth: Growth = "mean"
    tolerance: float = 1e-5
    max_rounds: int = 40
    damping: float = 1.0
