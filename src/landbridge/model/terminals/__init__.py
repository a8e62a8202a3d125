"""Terminals where cargo changes trains: plans, draws, an exact event loop, what came out, and the curve it gives.

A description (`plans`), an engine (`kernels`, fed by `draws`) and records of what happened (`runs`, `summary`) are
three things; `curve` asks the engine for the delay at many volumes.
"""

from landbridge.model.terminals.draws import Stop
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
    simulate,
    throughput,
)
from landbridge.model.terminals.summary import Estimate, Summary, batch_means, interval, student, summarise

__all__ = [
    "GROUPS",
    "STAGES",
    "Estimate",
    "Plan",
    "Resource",
    "Run",
    "Stop",
    "Stream",
    "Summary",
    "batch_means",
    "dwell",
    "inside",
    "interval",
    "little",
    "loads",
    "make_plan",
    "offered_load",
    "outside",
    "simulate",
    "student",
    "summarise",
    "throughput",
]
