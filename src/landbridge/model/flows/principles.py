"""Every principle by its short name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from landbridge.errors import UnknownName
from landbridge.model.flows.equilibrium import assign
from landbridge.model.flows.loading import all_or_nothing
from landbridge.model.flows.mincost import minimum_cost
from landbridge.model.flows.optimum import system_optimum
from landbridge.model.flows.queues import capacitated_equilibrium
from landbridge.model.flows.records import Classes, Flows, Relations, VolumeDelay
from landbridge.model.flows.stochastic import stochastic_equilibrium
from landbridge.model.paths import Graph

__all__ = ["PRINCIPLES", "solve"]

# Short names, as the command line knows them.
PRINCIPLES: dict[str, Callable[..., Flows]] = {
    "ue": assign,
    "so": system_optimum,
    "sue": stochastic_equilibrium,
    "mincost": minimum_cost,
    "cue": capacitated_equilibrium,
    "aon": all_or_nothing,
}


def solve(
    principle: str, graph: Graph, delay: VolumeDelay, classes: Classes, relations: Relations, **options: Any
) -> Flows:
    """Find flows by a principle.

    Parameters
    ----------
    principle
        One of `PRINCIPLES`.
    graph, delay, classes, relations
        The problem.
    **options
        Those of the principle's own function.

    Returns
    -------
    Flows
        Says which principle made it.

    Raises
    ------
    UnknownName
        If there is no such principle.
    """
    if principle not in PRINCIPLES:
        raise UnknownName("principle", principle, sorted(PRINCIPLES))
    return PRINCIPLES[principle](graph, delay, classes, relations, **options)
