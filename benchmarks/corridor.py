"""Seconds to solve the atlas' corridors, and to solve them again when one crossing or line has changed.

    python benchmarks/corridor.py [--year 2023] [--gap 1e-6] [--cases 6] [--repeats 3] [--threads 1]

The base is the atlas as it stands in a year: the loaded relations of `landbridge.study.solve.assignable`, without empty
boxes. Each case changes one facility, taken from those that carry most: its capacity is halved, or, where it stands for
a crossing, its arcs are forbidden. A case is solved from nothing (cold) and from the flows of the base (warm), in turn.
Seconds are from arrays to flows, after a first run that compiles, and the least of several. Both answers must have the
gap; since the potential P of any flows and their own lower bound B enclose the least potential, each may lie above the
other's bound only as far as its own gap lets it, and the table shows the difference of the two potentials.

The aims: the base under 1 s, and warm at least 3 times faster than cold.

A second table does the same for whole scenarios, from the tables of the atlas to a solution with its empty boxes: what
a person who asks waits for. Measures are applied, then `study.solve.solve` runs from nothing and from the base. The
difference is what of all tonnes by land lies on other relations.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from landbridge.data.read import read_atlas
from landbridge.model import flows
from landbridge.model.paths import Graph
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Charge, Close, Measure
from landbridge.study.solve import Prepared, Settings, assignable, prepare, solve

Inputs = tuple[Graph, flows.VolumeDelay, flows.Classes, flows.Relations]

#: Crossings of the second table.
CROSSINGS = ("alashankou-dostyk", "khorgos-altynkol", "brest-malaszewicze", "manzhouli-zabaikalsk", "saryagash-keles")

CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


def halved(inputs: Inputs, facility: int) -> Inputs:
    """The inputs with half the capacity of one facility."""
    graph, delay, classes, relations = inputs
    capacity = np.array(delay.capacity_trains_day, np.float64)
    capacity[facility] /= 2.0
    return graph, replace(delay, capacity_trains_day=capacity), classes, relations


def closed(inputs: Inputs, facility: int) -> Inputs:
    """The inputs with all arcs of one facility forbidden."""
    graph, delay, classes, relations = inputs
    money = np.array(classes.money_usd_t, np.float64)
    money[:, delay.facility == facility] = np.inf
    return graph, delay, replace(classes, money_usd_t=money), relations


def cases(prepared: Prepared, inputs: Inputs, base: flows.Flows, count: int) -> dict[str, Inputs]:
    """Changes of the facilities that carry most: crossings closed, any halved."""
    network = prepared.network
    crossing = network.crossing[network.facility_arc]
    busiest = np.argsort(-base.facility_trains_day, kind="stable")
    found: dict[str, Inputs] = {}
    for facility in busiest[crossing[busiest] >= 0][:count]:
        name = network.crossings[crossing[facility]]
        found[f"{name} ({facility}) closed"] = closed(inputs, int(facility))
        found[f"{name} ({facility}) halved"] = halved(inputs, int(facility))
    for facility in busiest[crossing[busiest] < 0][:count]:
        found[f"facility {facility} halved"] = halved(inputs, int(facility))
    return found


def main() -> None:
    """Solve the base, then each case cold and warm in turn, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--year", type=int, default=2023)
    parser.add_argument("--gap", type=float, default=1e-6)
    parser.add_argument("--cases", type=int, default=6, help="crossings, and as many other facilities")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: for one thread on a machine that is busy")
    options = parser.parse_args()
    clock = CLOCKS[options.clock]

    tables = apply(read_atlas(), (), options.year).tables
    prepared = prepare(tables, year=options.year, settings=Settings(gap=options.gap))
    inputs = assignable(prepared)
    graph, _, classes, relations = inputs

    def timed(given: Inputs, start: flows.Flows | None) -> tuple[float, flows.Flows]:
        begin = clock()
        result = flows.assign(*given, gap=options.gap, start=start, threads=options.threads)
        return clock() - begin, result

    first, base = timed(inputs, None)
    timed(inputs, base)  # compiles what only a warm start needs
    seconds = min(timed(inputs, None)[0] for _ in range(options.repeats))
    print(
        f"{options.year}: {graph.node_count} nodes, {graph.tail.size} arcs, {relations.tonnes_yr.size} relations, "
        f"{len(classes.name)} classes; to a gap of {options.gap:g}"
    )
    print(f"first run {first:.2f} s, with compilation where there is any")
    print(f"base {seconds:.4f} s, {base.convergence.iterations} rounds, potential {base.potential:.10g}\n")
    print(f"{'case':<44}{'cold s':>9}{'warm s':>9}{'cold/warm':>11}{'rounds':>9}{'difference':>12}{'allowed':>10}")
    ratios = []
    for name, changed in cases(prepared, inputs, base, options.cases).items():
        taken: dict[bool, list[tuple[float, flows.Flows]]] = {False: [], True: []}
        for _ in range(options.repeats):
            for warm, runs in taken.items():
                runs.append(timed(changed, base if warm else None))
        cold_s, warm_s = (min(run[0] for run in taken[warm]) for warm in (False, True))
        cold, again = taken[False][-1][1], taken[True][-1][1]
        scale = abs(cold.potential)
        difference = abs(again.potential - cold.potential) / scale
        allowed = max(flow.potential - flow.lower_bound for flow in (cold, again)) / scale
        ratios.append(cold_s / warm_s)
        rounds = f"{cold.convergence.iterations}/{again.convergence.iterations}"
        verdict = "" if difference <= allowed else "  DIFFERENT"
        print(
            f"{name:<44}{cold_s:>9.4f}{warm_s:>9.4f}{ratios[-1]:>11.2f}{rounds:>9}{difference:>12.1e}{allowed:>10.1e}"
            f"{verdict}",
            flush=True,
        )
    if ratios:
        print(f"\ncold/warm: median {statistics.median(ratios):.2f}, least {min(ratios):.2f}")
    whole(options.year, Settings(gap=options.gap), options.repeats, clock)


def whole(year: int, settings: Settings, repeats: int, clock: Callable[[], float]) -> None:
    """Solve scenarios from tables, from nothing and from the base in turn, and print a table."""
    atlas = read_atlas()
    unchanged = apply(atlas, (), year).tables
    base = solve(unchanged, year=year, settings=settings)
    measures: dict[str, Measure] = {f"{name} closed": Close(crossings=(name,)) for name in CROSSINGS}
    measures |= {f"{name} halved": Close(crossings=(name,), share=0.5) for name in CROSSINGS}
    measures |= {f"{name} +50 USD/TEU": Charge(crossings=(name,), usd_teu=50.0) for name in CROSSINGS}
    print(f"\n{'whole scenario':<44}{'cold s':>9}{'warm s':>9}{'cold/warm':>11}{'difference':>12}")
    for name, measure in measures.items():
        taken: dict[bool, list[float]] = {False: [], True: []}
        tonnes: dict[bool, npt.NDArray[np.float64]] = {}
        for _ in range(repeats):
            for warm, seconds in taken.items():
                begin = clock()
                tables = apply(atlas, (measure,), year).tables
                found = solve(tables, year=year, settings=settings, start=base if warm else None)
                seconds.append(clock() - begin)
                tonnes[warm] = found.equilibrium.network_tonnes_yr[: found.empty_from]
        cold, again = min(taken[False]), min(taken[True])
        difference = float(np.abs(tonnes[True] - tonnes[False]).sum() / tonnes[False].sum())
        print(f"{name:<44}{cold:>9.3f}{again:>9.3f}{cold / again:>11.2f}{difference:>12.1e}", flush=True)


if __name__ == "__main__":
    main()
