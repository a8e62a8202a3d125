"""What may go wrong with a project, how often it did, and what it would cost.

    openings announced before (atlas, `slips`) -> how many came so much later -> likelihood of a delay
    overruns of rail projects (atlas, `rail-cost-overrun`) -> likelihood and size of a dearer project

Both are reference classes: others' records, not this project's. What has none says ``unknown``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.study.appraising import Plan

__all__ = ["DELAYS", "Records", "records_of", "risk_rows"]

#: Years by which the opening is put off.
DELAYS = (1, 3, 5)
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Records:
    """What others' projects did.

    Attributes
    ----------
    slips
        Years between the opening that was announced and the one that came or was last announced.
    given_up
        Announced openings that were given up.
    ahead
        Fewest and most years by which those openings were announced ahead; None without any.
    overrun
        Mean overrun of rail projects as a share of their cost, and one standard deviation below and above.
    """

    slips: tuple[int, ...]
    given_up: int
    ahead: tuple[int, int] | None
    overrun: tuple[float, float, float] | None

    def late(self, years: int) -> str:
        """How many came at least so much later, in words."""
        if not self.slips:
            return UNKNOWN
        return f"{sum(slip >= years for slip in self.slips)} of {len(self.slips)} announced openings of the region"


def records_of(tables: Tables) -> Records:
    """Read the reference classes of a package; one that has none gives empty ones."""
    slips: list[int] = []
    given_up = 0
    ahead: tuple[int, int] | None = None
    if "slips" in tables:
        rows = tables["slips"].select("said", "opening_said", "opening").rows()
        slips = [then - promised for _, promised, then in rows if then is not None]
        given_up = sum(then is None for *_, then in rows)
        leads = [promised - said for said, promised, _ in rows]
        ahead = (min(leads), max(leads)) if leads else None
    row = tables["parameters"].filter(pl.col("id") == "rail-cost-overrun").to_dicts()
    overrun = tuple(float(row[0][name]) / 100 for name in ("value", "low", "high")) if row else None
    return Records(tuple(slips), given_up, ahead, overrun)  # type: ignore[arg-type]  # three of them, as named


def risk_rows(
    plan: Plan, records: Records, terms: Mapping[str, float], late: Callable[[int], float]
) -> list[dict[str, Any]]:
    """Tell each risk with its likelihood, what it does to the net present value, and where both come from.

    Parameters
    ----------
    plan
        The project's costs and own history.
    records
        What others did.
    terms
        ``npv_usd`` of the project and ``capital_usd``, the present value of its capital cost less what is left of it.
    late
        Net present value where it opens so many years late.

    Returns
    -------
    list of dict
        ``risk``, ``likelihood``, ``npv_change_usd``, ``basis``.
    """
    rows: list[dict[str, Any]] = []

    def add(risk: str, likelihood: str, change: float, basis: str) -> None:
        rows.append({"risk": risk, "likelihood": likelihood, "npv_change_usd": change, "basis": basis})

    capital = terms["capital_usd"]
    used, high = plan.used_usd or 0.0, plan.high_usd or 0.0
    if used and high > used:
        basis = (
            f"range of the atlas, {plan.cost_basis}"
            if plan.cost_basis != "told by the study"
            else "range told by the study"
        )
        add("cost at its highest", UNKNOWN, capital * (high / used - 1.0), basis)
    if records.overrun is not None and used:
        mean, low, high_share = records.overrun
        for share, words in ((mean, "mean"), (high_share, "one standard deviation above the mean")):
            likelihood = f"{words} of the rail among 258 projects; 9 of 10 of all cost more" if plan.rail else UNKNOWN
            basis = f"rail-cost-overrun, {low:.0%} to {high_share:.0%}" + ("" if plan.rail else "; not a line")
            add(f"costs {share:.0%} more than is used here", likelihood, capital * share, basis)
    lead = f" (announced {records.ahead[0]} to {records.ahead[1]} years ahead)" if records.ahead else ""
    for years in DELAYS:
        own = f"; {plan.history}" if plan.history else ""
        add(
            f"opens {years} year{'s' if years > 1 else ''} late, money spent as planned",
            records.late(years),
            late(years) - terms["npv_usd"],
            f"same last year; the atlas' table of slips{lead}, openings still ahead as last announced{own}",
        )
    if records.given_up:
        count = len(records.slips) + records.given_up
        add(
            "is given up before it is begun",
            f"{records.given_up} of {count} announced openings of the region",
            -terms["npv_usd"],
            "neither cost nor gains; the atlas' table of slips",
        )
    return rows
