"""What closures, delays and cuts do to a network: who is hit, which are the worst, and how soon it is over."""

from __future__ import annotations

from landbridge.model.resilience.centrality import betweenness
from landbridge.model.resilience.chance import (
    MOST_EXACT,
    Expectation,
    draw_states,
    exact_states,
    expectation,
    summary,
)
from landbridge.model.resilience.closures import Closures
from landbridge.model.resilience.interdiction import Closed, Interdiction, all_sets, every_set, worst_closures
from landbridge.model.resilience.recovery import Recovery, recovery
from landbridge.model.resilience.robustness import Robustness, robustness_index, travel_cost
from landbridge.model.resilience.short_run import Lots, ShortRun, short_run

__all__ = [
    "MOST_EXACT",
    "Closed",
    "Closures",
    "Expectation",
    "Interdiction",
    "Lots",
    "Recovery",
    "Robustness",
    "ShortRun",
    "all_sets",
    "betweenness",
    "draw_states",
    "every_set",
    "exact_states",
    "expectation",
    "recovery",
    "robustness_index",
    "short_run",
    "summary",
    "travel_cost",
    "worst_closures",
]
