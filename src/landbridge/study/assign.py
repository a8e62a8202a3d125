"""Assign the trips of a TNTP or GMNS network: files to the engine's arrays, and its flows back to the files' units.

One class of traffic with a value of time of 1 makes the engine's hours and money the files' time units::

    cost of a link = free_flow_time (1 + b (v / capacity) ** power) + toll_factor toll + distance_factor length

Nodes that no trip may pass through become two: one that links leave and one that they enter.

`evaluate` judges link volumes from anywhere. It shares no step with the engine: it searches with SciPy's Dijkstra and
works out costs, objective and balance from the files alone. The objective is convex and its slope at flows v is their
cost, so ``objective - (total_cost - shortest_cost)`` is a lower bound on its least value: the flows certify themselves.
"""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.data.formats import (
    Change,
    NetworkFile,
    TripsFile,
    read_gmns,
    read_gmns_trips,
    read_tntp_network,
    read_tntp_trips,
)
from landbridge.errors import DataError, Fault, UnknownName
from landbridge.model import flows, paths

__all__ = ["PRINCIPLES", "Assignment", "Inputs", "Verdict", "assign", "evaluate", "link_costs", "prepare", "read_files"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

#: Principles by their short name.
PRINCIPLES = tuple(flows.PRINCIPLES)

# Origins searched at a time: their distances are held together.
ORIGINS_AT_ONCE = 64
# SciPy's sparse graphs leave out entries that are zero; this small a cost disappears in any sum.
ALMOST_ZERO = 1e-300


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the engine is handed, and what was set apart.

    Parameters
    ----------
    graph, delay, classes, relations
        Arguments of `landbridge.model.flows.assign`; arcs are numbered like the network's links. Links whose time
        depends on volume are facilities, the others have no capacity for any principle: that of a connector is often
        a mere filling.
    origin, destination
        Zones of each relation.
    within_zone
        Trips that begin and end in the same zone; they use no link.
    changes
        What was dropped, changed or set apart, files included.
    """

    graph: paths.Graph
    delay: flows.VolumeDelay
    classes: flows.Classes
    relations: flows.Relations
    origin: Ints
    destination: Ints
    within_zone: float
    changes: tuple[Change, ...]


@dataclass(frozen=True, eq=False)
class Verdict:
    """What link volumes are worth, by the files alone.

    Parameters
    ----------
    total_cost
        Sum of volume times cost.
    total_travel_time
        The same without tolls and distance.
    shortest_cost
        What all trips would cost on least-cost paths at these costs.
    relative_gap
        ``(total_cost - shortest_cost) / total_cost``.
    average_excess_cost
        ``(total_cost - shortest_cost) / trips``.
    objective
        Beckmann's: the sum of the areas under the cost curves.
    lower_bound
        No feasible flows have a smaller objective; rounding apart.
    conservation
        Largest difference at a node between what enters and what leaves, trips included; in trips.
    least_volume
        Smallest volume of a link; negative volumes are nobody's.
    trips
        Trips between zones that the network joins.
    unmet
        Trips between zones that it does not join.
    """

    total_cost: float
    total_travel_time: float
    shortest_cost: float
    relative_gap: float
    average_excess_cost: float
    objective: float
    lower_bound: float
    conservation: float
    least_volume: float
    trips: float
    unmet: float


@dataclass(frozen=True, eq=False)
class Assignment:
    """Flows on a network file, in its units.

    Parameters
    ----------
    principle
        Short name of the principle.
    status, relative_gap, iterations
        From the engine.
    seconds
        Wall time of the engine, reading and preparing not counted.
    volume, cost
        Of each link, cost with tolls and distance.
    total_travel_time, total_cost
        Sums of volume times time, and times cost; queues before hard capacities included.
    beckmann
        Sum of the areas under the cost curves.
    conservation
        Largest difference at a node between what enters and what leaves, in trips.
    unmet
        Trips that no path, or no room, is there for.
    unmet_relations
        Names of their zones, and the trips.
    within_zone
        Trips that use no link.
    inputs, flows
        What the engine was handed, and its whole result with the paths.
    changes
        What was dropped, changed or set apart.
    """

    principle: str
    status: str
    relative_gap: float
    iterations: int
    seconds: float
    volume: Floats
    cost: Floats
    total_travel_time: float
    total_cost: float
    beckmann: float
    conservation: float
    unmet: float
    unmet_relations: tuple[tuple[str, str, float], ...]
    within_zone: float
    inputs: Inputs
    flows: flows.Flows
    changes: tuple[Change, ...]

    def summary(self) -> dict[str, Any]:
        """The result in one object, without arrays.

        Returns
        -------
        dict
            Principle, status, relative_gap, iterations, seconds, total_travel_time, beckmann, unmet, potential and the
            other totals. Potential tells whether the flows minimise one; where none exists, Beckmann's value is None.
            No flows have a potential below lower_bound (Beckmann's for a user equilibrium, total cost for an optimum).
        """
        return {
            "principle": self.principle,
            "status": self.status,
            "relative_gap": self.relative_gap,
            "iterations": self.iterations,
            "seconds": self.seconds,
            "total_travel_time": self.total_travel_time,
            "total_cost": self.total_cost,
            "beckmann": self.beckmann if math.isfinite(self.flows.potential) else None,
            "lower_bound": self.flows.lower_bound if math.isfinite(self.flows.lower_bound) else None,
            "conservation": self.conservation,
            "unmet": self.unmet,
            "within_zone": self.within_zone,
            "potential": math.isfinite(self.flows.potential),
            "changes": len(self.changes),
        }


def read_files(first: Path, trips: Path | None = None, *, kind: str | None = None) -> tuple[NetworkFile, TripsFile]:
    """Read a network and its trips.

    Parameters
    ----------
    first
        A TNTP network, or a folder of GMNS files.
    trips
        The trips; for GMNS ``demand.csv`` in the folder unless told.
    kind
        ``tntp`` or ``gmns``; by default a folder is GMNS.

    Returns
    -------
    tuple
        Network and trips.

    Raises
    ------
    DataError
        If a file is faulty, or trips are missing.
    UnknownName
        If the format is neither.
    """
    known = kind or ("gmns" if first.is_dir() else "tntp")
    if known == "gmns":
        network = read_gmns(first)
        return network, read_gmns_trips(trips or first / "demand.csv", network)
    if known != "tntp":
        raise UnknownName("format", known, ("tntp", "gmns"))
    if trips is None:
        raise DataError(f"TNTP network {first.name}", [Fault(first.name, "", "", "a file of trips beside it", "none")])
    return read_tntp_network(first), read_tntp_trips(trips)


def link_costs(
    network: NetworkFile,
    volume: Floats,
    *,
    toll_factor: float | None = None,
    distance_factor: float | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Work out times, costs and areas under the cost curves.

    Parameters
    ----------
    network
        The links.
    volume
        Volume of each.
    toll_factor, distance_factor
        Time units per unit of toll and of length; by default the network's own.

    Returns
    -------
    tuple of array
        Time, cost, and the integral of the cost from zero to the volume.
    """
    # A volume below zero is a peer's rounding; its power would be no number.
    ratio = np.maximum(volume, 0.0) / network.capacity
    rise = np.where(network.b > 0.0, network.b * ratio**network.power, 0.0)
    fixed = _fixed(network, toll_factor, distance_factor)
    travel = network.free_flow_time * (1.0 + rise)
    area = volume * (network.free_flow_time * (1.0 + rise / (network.power + 1.0)) + fixed)
    return travel, travel + fixed, area


def prepare(
    network: NetworkFile,
    trips: TripsFile,
    *,
    toll_factor: float | None = None,
    distance_factor: float | None = None,
) -> Inputs:
    """Turn files into the engine's arrays.

    Parameters
    ----------
    network, trips
        As read.
    toll_factor, distance_factor
        Time units per unit of toll and of length; by default the network's own.

    Returns
    -------
    Inputs

    Raises
    ------
    DataError
        If network and trips do not fit together, or a link has a curve that the engine cannot follow.
    """
    fixed = _fixed(network, toll_factor, distance_factor)
    _check(network, trips, fixed)
    changes = [*network.changes, *trips.changes]
    nodes = network.node_name
    n = len(nodes)

    # STEP 1: nodes that no trip passes through; links leave their second half, and trips begin there.
    leaves = np.arange(n, dtype=np.int32)
    leaves[: network.first_thru_node] += n
    graph = paths.graph(n + network.first_thru_node, leaves[network.tail], network.head)

    # STEP 2: links whose time depends on volume each have their own facility.
    rises = network.free_flow_time * network.b
    depends = (rises > 0.0) & (network.power > 0.0) & np.isfinite(network.capacity)
    facility = np.full(network.tail.size, -1, np.int32)
    facility[depends] = np.arange(int(depends.sum()), dtype=np.int32)
    always = np.where((rises > 0.0) & (network.power == 0.0), rises, 0.0)  # v ** 0 is 1
    count = int(depends.sum())
    delay = flows.VolumeDelay(
        facility=facility,
        time_h=network.free_flow_time + always,
        delay_h=rises[depends],
        power=network.power[depends],
        capacity_trains_day=network.capacity[depends],
        preload_trains_day=np.zeros(count),
        train_length_factor=np.ones(count),
    )
    one = np.ones(1)
    classes = flows.Classes(("trips",), one, one, fixed[None, :].copy())

    # STEP 3: trips that use the network.
    within = trips.origin == trips.destination
    within_zone = float(trips.volume[within].sum())
    if within_zone > 0.0:
        reason = f"{within_zone:.10g} trips within a zone use no link and are set apart"
        changes.append(Change(trips.source, f"{int(within.sum())} rows", "volume", "dropped", reason))
    origin, destination, volume = (array[~within] for array in (trips.origin, trips.destination, trips.volume))
    nowhere = np.full(volume.size, np.inf)
    relations = flows.Relations(
        origin=leaves[network.zone_node][origin],
        destination=network.zone_node[destination],
        class_index=np.zeros(volume.size, np.int32),
        tonnes_yr=volume.copy(),
        outside_usd_t=nowhere,
        scale_usd_t=np.ones(volume.size),
    )
    return Inputs(graph, delay, classes, relations, origin, destination, within_zone, tuple(changes))


def assign(
    network: NetworkFile,
    trips: TripsFile,
    *,
    principle: str = "ue",
    gap: float = 1e-8,
    toll_factor: float | None = None,
    distance_factor: float | None = None,
    threads: int | None = None,
    progress: Callable[[int, float], None] | None = None,
    **options: Any,
) -> Assignment:
    """Assign trips to links.

    Parameters
    ----------
    network, trips
        As read.
    principle
        A short name of `PRINCIPLES`.
    gap
        Relative gap to reach.
    toll_factor, distance_factor
        Time units per unit of toll and of length; by default the network's own.
    threads
        Threads for the searches; by default as many as Numba would use.
    progress
        Told the round and its relative gap.
    **options
        Handed on to the principle's function.

    Returns
    -------
    Assignment

    Raises
    ------
    DataError
        If network and trips do not fit together.
    UnknownName
        If there is no such principle.
    NotConverged
        If the gap was not reached.
    """
    if principle not in PRINCIPLES:
        raise UnknownName("principle", principle, PRINCIPLES)
    # All or nothing has no gap to reach, and nothing to tell on its way.
    known = inspect.signature(flows.PRINCIPLES[principle]).parameters
    common = {"gap": gap, "threads": threads, "progress": progress}
    options = {name: value for name, value in common.items() if name in known} | options
    inputs = prepare(network, trips, toll_factor=toll_factor, distance_factor=distance_factor)
    begin = time.perf_counter()
    found = flows.solve(principle, inputs.graph, inputs.delay, inputs.classes, inputs.relations, **options)
    seconds = time.perf_counter() - begin
    volume = found.arc_tonnes_yr[0]
    _, _, area = link_costs(network, volume, toll_factor=toll_factor, distance_factor=distance_factor)
    travel = found.time_h  # with the queues before hard capacities, which the curves do not know
    cost = travel + inputs.classes.money_usd_t[0]
    carried = inputs.relations.tonnes_yr - found.unserved_tonnes_yr
    lost = np.flatnonzero(found.unserved_tonnes_yr > 0.0)
    names = network.zone_name
    unmet_relations = tuple(
        (names[inputs.origin[r]], names[inputs.destination[r]], float(found.unserved_tonnes_yr[r])) for r in lost
    )
    changes = list(inputs.changes)
    for r, (origin, destination, amount) in zip(lost, unmet_relations, strict=True):
        lacks = "no path" if found.no_path[r] else "no room"
        reason = f"{lacks} from zone {origin} to zone {destination}: {amount:.10g} trips are unmet"
        changes.append(Change(trips.source, "", "volume", "dropped", reason))
    return Assignment(
        principle=principle,
        status=found.convergence.status,
        relative_gap=found.convergence.relative_gap,
        iterations=found.convergence.iterations,
        seconds=seconds,
        volume=volume,
        cost=cost,
        total_travel_time=float(volume @ travel),
        total_cost=float(volume @ cost),
        beckmann=float(area.sum()),
        conservation=_imbalance(network, inputs.origin, inputs.destination, carried, volume),
        unmet=float(found.unserved_tonnes_yr.sum()),
        unmet_relations=unmet_relations,
        within_zone=inputs.within_zone,
        inputs=inputs,
        flows=found,
        changes=tuple(changes),
    )


def evaluate(
    network: NetworkFile,
    trips: TripsFile,
    volume: Floats,
    *,
    toll_factor: float | None = None,
    distance_factor: float | None = None,
) -> Verdict:
    """Judge link volumes, whoever found them. Needs SciPy.

    Parameters
    ----------
    network, trips
        As read.
    volume
        Volume of each link of the network; all trips that the network can carry should be in it.
    toll_factor, distance_factor
        Time units per unit of toll and of length; by default the network's own.

    Returns
    -------
    Verdict
    """
    travel, cost, area = link_costs(network, volume, toll_factor=toll_factor, distance_factor=distance_factor)
    moves = trips.origin != trips.destination
    origin, destination, wanted = (array[moves] for array in (trips.origin, trips.destination, trips.volume))
    least = _least_costs(network, origin, destination, cost)
    joined = np.isfinite(least)
    carried = np.where(joined, wanted, 0.0)
    total = float(volume @ cost)
    shortest = float(carried[joined] @ least[joined])
    objective = float(area.sum())
    excess = total - shortest
    return Verdict(
        total_cost=total,
        total_travel_time=float(volume @ travel),
        shortest_cost=shortest,
        relative_gap=excess / total if total > 0.0 else 0.0,
        average_excess_cost=excess / float(carried.sum()) if carried.any() else 0.0,
        objective=objective,
        lower_bound=objective - excess,
        conservation=_imbalance(network, origin, destination, carried, volume),
        least_volume=float(volume.min(initial=0.0)),
        trips=float(carried.sum()),
        unmet=float(wanted[~joined].sum()),
    )


def _fixed(network: NetworkFile, toll_factor: float | None, distance_factor: float | None) -> Floats:
    """The part of each link's cost that is no time."""
    toll = network.toll_factor if toll_factor is None else toll_factor
    distance = network.distance_factor if distance_factor is None else distance_factor
    return toll * network.toll + distance * network.length


def _check(network: NetworkFile, trips: TripsFile, fixed: Floats) -> None:
    """What the readers cannot see: files that do not fit together, and curves that the engine cannot follow."""
    faults = []
    if trips.zone_count != len(network.zone_name):
        wanted = f"{len(network.zone_name)}, as in {network.source}"
        faults.append(Fault(trips.source, "", "number of zones", wanted, str(trips.zone_count)))
    if not (trips.origin != trips.destination).any():
        faults.append(Fault(trips.source, "", "volume", "trips between zones", "none"))
    rises = (network.free_flow_time > 0.0) & (network.b > 0.0) & np.isfinite(network.capacity)
    flat = rises & (network.power > 0.0) & (network.power < 1.0)
    for link in np.flatnonzero(flat):
        row = f"link {network.link_name[link]}"
        faults.append(Fault(network.source, row, "power", "0 or a number >= 1", f"{network.power[link]:g}"))
    least = network.free_flow_time + fixed
    for link in np.flatnonzero(least < 0.0):
        row = f"link {network.link_name[link]}"
        faults.append(Fault(network.source, row, "toll", "a cost >= 0 without traffic", f"{least[link]:g}"))
    if faults:
        raise DataError(f"assignment of {trips.source} to {network.source}", faults)


def _least_costs(network: NetworkFile, origin: Ints, destination: Ints, cost: Floats) -> Floats:
    """Least cost of each relation, without the engine."""
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # noqa: PLC0415 (only judging needs SciPy)
    from scipy.sparse.csgraph import dijkstra  # type: ignore[import-untyped]  # noqa: PLC0415

    n = len(network.node_name)
    barred = network.first_thru_node
    # A copy of each barred node is where its links begin; the node itself is where they end.
    tail = np.where(network.tail < barred, network.tail + n, network.tail).astype(np.int64)
    key = tail * (n + barred) + network.head
    cheapest = np.lexsort((cost, key))  # of parallel links, which a matrix would add up
    cheapest = cheapest[np.append(True, np.diff(key[cheapest]) > 0)] if key.size else cheapest
    price = np.maximum(cost[cheapest], ALMOST_ZERO)
    matrix = csr_matrix((price, (tail[cheapest], network.head[cheapest])), shape=(n + barred, n + barred))
    least = np.full(origin.size, np.inf)
    zones = np.unique(origin)
    for begin in range(0, zones.size, ORIGINS_AT_ONCE):
        some = zones[begin : begin + ORIGINS_AT_ONCE]
        node = network.zone_node[some]
        distance = dijkstra(matrix, indices=np.where(node < barred, node + n, node))
        mine = np.flatnonzero(np.isin(origin, some))
        least[mine] = distance[np.searchsorted(some, origin[mine]), network.zone_node[destination[mine]]]
    return least


def _imbalance(network: NetworkFile, origin: Ints, destination: Ints, carried: Floats, volume: Floats) -> float:
    """Largest difference at a node; what passes through a node that bars it counts too."""
    n = len(network.node_name)
    leaving = np.bincount(network.tail, weights=volume, minlength=n)
    entering = np.bincount(network.head, weights=volume, minlength=n)
    begins = np.bincount(network.zone_node[origin], weights=carried, minlength=n)
    ends = np.bincount(network.zone_node[destination], weights=carried, minlength=n)
    error = np.abs(entering + begins - leaving - ends)
    barred = network.first_thru_node
    through = np.maximum(np.abs(leaving - begins)[:barred], np.abs(entering - ends)[:barred])
    return float(max(error.max(initial=0.0), through.max(initial=0.0)))
