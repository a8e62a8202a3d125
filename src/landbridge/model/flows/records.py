"""What an assignment is handed and what it hands back: arrays with their units, and nothing that computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "Classes",
    "Conical",
    "Convergence",
    "Curve",
    "Flows",
    "Principle",
    "Queueing",
    "Relations",
    "Tabulated",
    "VolumeDelay",
]

Ints: TypeAlias = npt.NDArray[np.int32]
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]

Principle: TypeAlias = Literal[
    "all or nothing",
    "user equilibrium",
    "system optimum",
    "stochastic user equilibrium",
    "capacitated minimum cost",
    "capacitated user equilibrium",
]


@dataclass(frozen=True)
class Conical:
    """Spiess' curve (see `curves`).

    Parameters
    ----------
    delay_h
        Hours added when volume equals capacity, greater than zero.
    alpha
        How sharply it bends at capacity, greater than one.
    """

    delay_h: float
    alpha: float


@dataclass(frozen=True)
class Queueing:
    """Kingman's mean wait with a stated cap (see `curves`).

    Parameters
    ----------
    service_h
        Hours that serving one train takes, greater than zero.
    variation
        Half the sum of the squared coefficients of variation of the times between arrivals and of service.
    most
        Load up to which the formula holds, below one; from there on the wait follows its tangent.
    """

    service_h: float
    variation: float
    most: float


@dataclass(frozen=True)
class Tabulated:
    """A curve through points, for what was simulated or measured (see `curves`).

    Parameters
    ----------
    ratio
        Volume over capacity, rising.
    delay_h
        Hours of delay at these, never falling.
    """

    ratio: tuple[float, ...]
    delay_h: tuple[float, ...]


Curve: TypeAlias = Conical | Queueing | Tabulated


def _none() -> Floats:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class VolumeDelay:
    """How the time of m arcs grows with the volume of F facilities.

    The time of an arc on facility f is ``time_h + delay_h * ((v + preload) / capacity) ** power`` with v the trains a
    day that the model puts on f, all arcs of f together. An arc without a facility keeps its constant time.

    Parameters
    ----------
    facility
        Facility of each arc, shape (m,); -1 = uncongested. Several arcs may share one; a path may use it only once.
    time_h
        Constant part of each arc's time in hours, shape (m,).
    delay_h
        Hours added when volume equals capacity, shape (F,), as are all that follow.
    power
        How steeply the delay grows; at least 1, or 0 for a delay that does not depend on volume.
    capacity_trains_day
        Trains a day, greater than zero; ``inf`` = never full.
    preload_trains_day
        Trains a day that are there before the model adds any.
    train_length_factor
        How much a train carries here, relative to the train that the classes' weights are stated in.
    curves
        Facilities that follow another curve than the power; their `delay_h` and `power` are not read.
    """

    facility: Ints
    time_h: Floats
    delay_h: Floats
    power: Floats
    capacity_trains_day: Floats
    preload_trains_day: Floats
    train_length_factor: Floats
    curves: Mapping[int, Curve] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Classes:
    """K kinds of cargo: the cost of an arc to class k is ``money_usd_t + value_of_time_usd_t_h * time``.

    Parameters
    ----------
    name
        K names, for messages.
    value_of_time_usd_t_h
        USD per tonne and hour, greater than zero, shape (K,).
    weight_trains_day_per_t_yr
        Trains of length factor 1 a day that one tonne a year makes, shape (K,); zero = takes no room.
    money_usd_t
        USD per tonne on each arc, shape (K, m); ``inf`` = the class may not use the arc. A subsidy may be negative as
        long as the arc's cost at zero volume is not.
    """

    name: tuple[str, ...]
    value_of_time_usd_t_h: Floats
    weight_trains_day_per_t_yr: Floats
    money_usd_t: Floats


@dataclass(frozen=True, eq=False)
class Relations:
    """R flows to be carried; each array has the shape (R,).

    Parameters
    ----------
    origin, destination
        Nodes.
    class_index
        Class of the cargo.
    tonnes_yr
        Tonnes a year, network and outside option together.
    outside_usd_t
        USD per tonne of the outside option; ``inf`` = none, all tonnes want to use the network.
    scale_usd_t
        Scale of the binary logit between network and outside option, greater than zero where there is one: at equal
        costs the halves are equal, and one scale of difference makes the odds e to 1.
    """

    origin: Ints
    destination: Ints
    class_index: Ints
    tonnes_yr: Floats
    outside_usd_t: Floats
    scale_usd_t: Floats


@dataclass(frozen=True)
class Convergence:
    """How near the solver came.

    Parameters
    ----------
    status
        Why it stopped.
    relative_gap
        Excess over least cost, as a share of all cost, with least costs searched anew.
    iterations
        Rounds of search and shifting.
    gap_history
        Relative gap at the beginning of each round and at the end.
    excess_history_usd_t
        Average excess cost of a tonne, likewise.
    capacity_violation
        Where capacities are hard: the most by which one is exceeded, as a share of it.
    complementarity
        Where capacities are hard: what the queues or prices of facilities that are not full add up to, as a share of
        all cost.
    """

    status: Literal["converged", "iteration limit"]
    relative_gap: float
    iterations: int
    gap_history: tuple[float, ...]
    excess_history_usd_t: tuple[float, ...] = ()
    capacity_violation: float = 0.0
    complementarity: float = 0.0


@dataclass(frozen=True, eq=False)
class Flows:
    """What an assignment found, by whatever principle: m arcs, F facilities, K classes, R relations, P used paths.

    Totals by facility are unique where the delay grows; splits by class and by path need not be.

    Parameters
    ----------
    principle
        What kind of flows these are.
    arc_tonnes_yr
        Tonnes a year by class and arc, shape (K, m).
    facility_trains_day
        Trains a day that the model puts on each facility, preload not counted, shape (F,).
    time_h
        Hours on each arc at these volumes, queues included, shape (m,).
    path_first, path_arcs
        The arcs of path p are ``path_arcs[path_first[p]:path_first[p + 1]]``, in order of travel.
    path_relation, path_tonnes_yr
        Relation (ascending) and tonnes a year of each path, shape (P,).
    network_tonnes_yr, outside_tonnes_yr, unserved_tonnes_yr
        Where each relation's tonnes go, shape (R,); they add up to its demand. Unserved are those with neither a path
        nor an outside option, or for which hard capacities left no room.
    cost_usd_t
        What the network costs each relation by the principle, ``inf`` where no path leads, shape (R,): the least cost
        of a path; all or nothing: at the times it was given; system optimum: with what a tonne costs others; minimum
        cost: with the prices of full facilities; stochastic: the expected least cost of the choice (logsum).
    no_path
        Relations that the network does not join, shape (R,).
    potential
        Value of the convex function that the flows minimise; ``nan`` where there is none. User equilibria: Beckmann's,
        in hours of trains of length factor 1 a day (tonnes of classes without weight do not enter); system optimum and
        minimum cost: the total cost in USD a year; stochastic: Beckmann's with the entropy of path choice.
    convergence
        How near the solver came.
    lower_bound
        No flows have a smaller potential than this; ``nan`` where that is not known.
    queue_h
        Capacitated user equilibrium: hours of queue before each facility, shape (F,); else empty.
    train_value_usd_yr
        USD a year that one more train a day on each facility is worth, shape (F,). Capacitated minimum cost: what one
        more train path would save; system optimum: what one more train of ours costs the others; else empty.
    """

    principle: Principle
    arc_tonnes_yr: Floats
    facility_trains_day: Floats
    time_h: Floats
    path_first: Ints
    path_arcs: Ints
    path_relation: Ints
    path_tonnes_yr: Floats
    network_tonnes_yr: Floats
    outside_tonnes_yr: Floats
    unserved_tonnes_yr: Floats
    cost_usd_t: Floats
    no_path: Bools
    potential: float
    convergence: Convergence
    lower_bound: float = np.nan
    queue_h: Floats = field(default_factory=_none)
    train_value_usd_yr: Floats = field(default_factory=_none)
