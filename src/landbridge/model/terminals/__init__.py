"""Terminals where cargo changes trains: plans, draws, an exact event loop, what came out, and the curve it gives.

A description (`plans`), an engine (`kernels`, fed by `draws`) and records of what happened (`runs`, `summary`) are
three things; `curve` asks the engine for the delay at many volumes.
"""

from landbridge.model.terminals.curve import (
    RATIOS,
    DelayCurve,
    Point,
    delay_curve,
    monotone,
    rated,
    without_borders,
    without_season,
)
from landbridge.model.terminals.draws import Stop
from landbridge.model.terminals.kernels import HANDLE, LEAD, LOAD, STEPS, TURNED
from landbridge.model.terminals.plans import Plan, Resource, Stream, make_plan, offered_load
from landbridge.model.terminals.runs import (
    GROUPS,
    STAGES,
    Run,
    dwell,
    inside,
    little,
    loads,
    outside,
    shares,
    simulate,
    throughput,
)
from landbridge.model.terminals.summary import JUDGED_DAYS, Estimate, Summary, batch_means, interval, student, summarise

__all__ = [
    "GROUPS",
    "HANDLE",
    "JUDGED_DAYS",
    "LEAD",
    "LOAD",
    "RATIOS",
    "STAGES",
    "STEPS",
    "TURNED",
    "DelayCurve",
    "Estimate",
    "Plan",
    "Point",
    "Resource",
    "Run",
    "Stop",
    "Stream",
    "Summary",
    "batch_means",
    "delay_curve",
    "dwell",
    "inside",
    "interval",
    "little",
    "loads",
    "make_plan",
    "monotone",
    "offered_load",
    "outside",
    "rated",
    "shares",
    "simulate",
    "student",
    "summarise",
    "throughput",
    "without_borders",
    "without_season",
]
