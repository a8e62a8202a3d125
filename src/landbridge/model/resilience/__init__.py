"""What closures, delays and cuts do to a network: who is hit, which are the worst, and how soon it is over.

Definitions are those of METHODS.md, section 4 (robustness index, r-interdiction, expected cost of failures); each is
cited where it is implemented, beside the literature that it rests on.
"""

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
from landbridge.model.resilience.lines import Lines, all_relations, cut_of, lines, most_flow, way_without
from landbridge.model.resilience.recovery import Recovery, recovery
from landbridge.model.resilience.robustness import Robustness, robustness_index, travel_cost
from landbridge.model.resilience.short_run import Lots, ShortRun, short_run

__all__ = [
    "MOST_EXACT",
    "Closed",
    "Closures",
    "Expectation",
    "Interdiction",
    "Lines",
    "Lots",
    "Recovery",
    "Robustness",
    "ShortRun",
    "all_relations",
    "all_sets",
    "betweenness",
    "cut_of",
    "draw_states",
    "every_set",
    "exact_states",
    "expectation",
    "lines",
    "most_flow",
    "recovery",
    "robustness_index",
    "short_run",
    "summary",
    "travel_cost",
    "way_without",
    "worst_closures",
]
