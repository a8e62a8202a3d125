"""Flows on a network whose times grow with volume, and what can be read off them."""

from landbridge.model.flows.equilibrium import assign
from landbridge.model.flows.explain import conservation_error, path_attributes, select_arcs
from landbridge.model.flows.records import Classes, Convergence, Flows, Relations, VolumeDelay

__all__ = [
    "Classes",
    "Convergence",
    "Flows",
    "Relations",
    "VolumeDelay",
    "assign",
    "conservation_error",
    "path_attributes",
    "select_arcs",
]
