"""Flows on a network whose times grow with volume, and what can be read off them."""

from landbridge.model.flows.alternatives import Alternatives, alternatives, no_alternatives
from landbridge.model.flows.carried import carried
from landbridge.model.flows.choice import Nest, composite_cost, nest
from landbridge.model.flows.curves import bpr, delays_h
from landbridge.model.flows.equilibrium import assign
from landbridge.model.flows.explain import (
    Overloads,
    Selection,
    Skim,
    conservation_error,
    overloads,
    path_attributes,
    select,
    select_arcs,
    shares,
    skim,
)
from landbridge.model.flows.intervals import ShareInterval, extremes, share_interval
from landbridge.model.flows.loading import all_or_nothing
from landbridge.model.flows.mincost import minimum_cost
from landbridge.model.flows.optimum import system_optimum, total_cost
from landbridge.model.flows.principles import PRINCIPLES, solve
from landbridge.model.flows.queues import capacitated_equilibrium
from landbridge.model.flows.records import (
    Classes,
    Conical,
    Convergence,
    Curve,
    Flows,
    Principle,
    Queueing,
    Relations,
    Tabulated,
    VolumeDelay,
)
from landbridge.model.flows.repeated import Repeated, Solved
from landbridge.model.flows.stochastic import stochastic_equilibrium

__all__ = [
    "PRINCIPLES",
    "Alternatives",
    "Classes",
    "Conical",
    "Convergence",
    "Curve",
    "Flows",
    "Nest",
    "Overloads",
    "Principle",
    "Queueing",
    "Relations",
    "Repeated",
    "Selection",
    "ShareInterval",
    "Skim",
    "Solved",
    "Tabulated",
    "VolumeDelay",
    "all_or_nothing",
    "alternatives",
    "assign",
    "bpr",
    "capacitated_equilibrium",
    "carried",
    "composite_cost",
    "conservation_error",
    "delays_h",
    "extremes",
    "minimum_cost",
    "nest",
    "no_alternatives",
    "overloads",
    "path_attributes",
    "select",
    "select_arcs",
    "share_interval",
    "shares",
    "skim",
    "solve",
    "stochastic_equilibrium",
    "system_optimum",
    "total_cost",
]
