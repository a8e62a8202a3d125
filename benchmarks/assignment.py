"""User equilibrium on TNTP networks: Landbridge beside AequilibraE, pytraf and the prototype, in one run.

    python benchmarks/assignment.py [--networks SiouxFalls Anaheim ...] [--tools landbridge pytraf ...] [--repeats 3]

The networks are read from the folder ``tntp`` in the folder that LANDBRIDGE_SHARED names; the prototype, a throw-away
solver for a single class, from the folder ``prototype`` beside it. Peers are no dependencies of Landbridge: install
them into an environment of their own, with Landbridge, and run this file there::

    python -m venv peers
    peers/bin/pip install . scipy aequilibrae pytraf
    LANDBRIDGE_SHARED=... peers/bin/python benchmarks/assignment.py

Those that are not installed are left out, and the table says so. Each tool has one thread (`--threads` gives more to
Landbridge and the prototype), is handed the same links and trips, and is timed from arrays to flows: reading, imports
and compilation are not counted, for AequilibraE neither is building its graph. Tools take turns, and seconds are the
least of several runs, since other load only adds; machines differ, so read the ratios (a tool's seconds over ours).

All flows are judged by `landbridge.study.assign.evaluate`: a gap counts as reached only if the flows that came back
have it (AequilibraE: those of its last iteration; its time to a wider gap is the one it reports for itself).
"""

from __future__ import annotations

import os
import sys

if "--threads" not in sys.argv:
    for _name in (
        "NUMBA_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "RAYON_NUM_THREADS",
    ):
        os.environ.setdefault(_name, "1")  # before the libraries that read them

import argparse
import importlib
import importlib.util
import json
import logging
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Literal

os.environ.setdefault("AEQ_SHOW_PROGRESS", "FALSE")  # bars would cost AequilibraE much of its time on small networks
# The prototype must not leave compiled code beside its sources.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(tempfile.gettempdir()) / "landbridge-benchmark"))

import numpy as np
import numpy.typing as npt

from landbridge.data.formats import NetworkFile, TripsFile, read_tntp_network, read_tntp_trips
from landbridge.errors import NotConverged
from landbridge.model import flows
from landbridge.study.assign import Verdict, evaluate, prepare

Floats = npt.NDArray[np.float64]

GAPS = (1e-4, 1e-6, 1e-10)
# Judged gaps may exceed a tool's own by this factor: tools measure before their last step, or with other sums.
SLACK = 1.5
# Flows whose nodes are out of balance by more than this share of all trips are no flows of these trips.
BALANCE = 1e-6
AEQUILIBRAE_GAP = 1e-6  # it creeps from here on; `--aequilibrae-gap` asks for more
AEQUILIBRAE_ROUNDS = 20_000
ALMOST_NO_TIME = 1e-9  # it takes no link without time; in a network's units far below what any gap can feel
PYTRAF_ROUNDS = 2_000
# Runs are repeated up to so many times as often while all of them together take less than so many seconds.
SHORT_REPEATS, SHORT = 10, 3.0
# A run of more seconds is not repeated; a tool that takes more than `--patience` is not asked for a tighter gap.
LONG, PATIENCE = 10.0, 15.0


@dataclass(frozen=True)
class Instance:
    """A network of the collection, and the objective to be met."""

    stem: str
    toll_factor: float
    distance_factor: float
    objective: float
    parallel: Literal["keep", "first"] = "keep"


# Objectives: the collection's own for Sioux Falls, Chicago Sketch, Barcelona and Winnipeg; for Anaheim that of its
# flows; for Berlin Center the prototype's, which knows a link by its two nodes and so drops six parallel ones.
INSTANCES = {
    "SiouxFalls": Instance("SiouxFalls", 0.0, 0.0, 4_231_335.28711),
    "Anaheim": Instance("Anaheim", 0.0, 0.0, 1_286_032.1711),
    "Barcelona": Instance("Barcelona", 0.0, 0.0, 1_265_654.92203176),
    "Winnipeg": Instance("Winnipeg", 0.0, 0.0, 827_911.494629963),
    "ChicagoSketch": Instance("ChicagoSketch", 0.02, 0.04, 17_313_018.7387477),
    "BerlinCenter": Instance("berlin-center", 0.0, 0.0, 20_817_218.443, "first"),
}


@dataclass(frozen=True)
class Case:
    """An instance as read."""

    network: NetworkFile
    trips: TripsFile
    fixed: Floats


@dataclass(frozen=True)
class Run:
    """Seconds to a gap and the flows there; earlier seconds by gap where a tool reports them itself."""

    seconds: float
    volume: Floats
    on_the_way: dict[float, float]


class NotReachedError(Exception):
    """A tool gave up before the gap."""


Tool = Callable[[float], Run]

# What times the tools; the choice of `--clock`.
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
CLOCK = [time.perf_counter]


def read_case(instance: Instance, folder: Path) -> Case:
    network = read_tntp_network(folder / f"{instance.stem}_net.tntp", parallel=instance.parallel)
    trips = read_tntp_trips(folder / f"{instance.stem}_trips.tntp")
    fixed = instance.toll_factor * network.toll + instance.distance_factor * network.length
    return Case(network, trips, fixed)


def off_diagonal(trips: TripsFile) -> npt.NDArray[np.bool_]:
    return np.asarray(trips.origin != trips.destination)


# ------------------------------------------------------------------------------------------------------- the tools


def landbridge_tool(case: Case, instance: Instance, threads: int) -> Tool:
    inputs = prepare(
        case.network, case.trips, toll_factor=instance.toll_factor, distance_factor=instance.distance_factor
    )

    def run(gap: float) -> Run:
        begin = CLOCK[0]()
        try:
            found = flows.assign(inputs.graph, inputs.delay, inputs.classes, inputs.relations, gap=gap, threads=threads)
        except NotConverged as error:
            raise NotReachedError from error
        return Run(CLOCK[0]() - begin, found.arc_tonnes_yr[0], {})

    return run


def prototype_tool(case: Case, threads: int, module: ModuleType) -> Tool:
    network, trips = case.network, case.trips
    zones = len(network.zone_name)
    matrix = np.zeros((zones, zones))
    matrix[trips.origin, trips.destination] = trips.volume
    np.fill_diagonal(matrix, 0.0)
    net = SimpleNamespace(
        n_nodes=len(network.node_name),
        first_thru=network.first_thru_node + 1,
        tail=network.tail,
        head=network.head,
        cap=network.capacity,
        fft=network.free_flow_time,
        b=np.where(network.free_flow_time == 0.0, 0.0, network.b),
        power=network.power,
        fixed=case.fixed,
        od=matrix,
    )

    def run(gap: float) -> Run:
        begin = CLOCK[0]()
        solver = module.Solver(net, threads)
        volume = solver.solve(gap)
        return Run(CLOCK[0]() - begin, np.asarray(volume, np.float64), {})

    return run


def pytraf_tool(case: Case, module: ModuleType) -> Tool:
    network, trips = case.network, case.trips
    n = len(network.node_name)
    moves = off_diagonal(trips)
    barred = np.arange(n) < network.first_thru_node
    net = module.Network(
        n,
        network.tail.astype(np.int64),
        network.head.astype(np.int64),
        network.free_flow_time,
        network.capacity,
        b=network.b,
        power=np.where(network.b > 0.0, network.power, 1.0),  # it takes no power of 0
        is_centroid=barred,
        allow_u_turns=True,
    )
    demand = module.Demand(
        n,
        network.zone_node[trips.origin[moves]].astype(np.int64),
        network.zone_node[trips.destination[moves]].astype(np.int64),
        trips.volume[moves],
    )
    traffic = module.TrafficClass(demand, extra_link_cost=case.fixed) if case.fixed.any() else demand

    def run(gap: float) -> Run:
        begin = CLOCK[0]()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns when it does not converge; the judge sees that
            result = net.assign(traffic, gap=gap, max_iter=PYTRAF_ROUNDS, threads=1)
        return Run(CLOCK[0]() - begin, np.array(result.links.volume, np.float64), {})

    return run


def aequilibrae_tool(case: Case) -> Tool:
    frames: Any = importlib.import_module("pandas")
    tool: Any = importlib.import_module("aequilibrae.paths")
    matrices: Any = importlib.import_module("aequilibrae.matrix")
    logging.getLogger("aequilibrae").setLevel(logging.CRITICAL)
    network, trips = case.network, case.trips
    zones = np.arange(1, len(network.zone_name) + 1)
    table = frames.DataFrame(
        {
            "link_id": np.arange(1, network.tail.size + 1),
            "a_node": network.tail.astype(np.int64) + 1,
            "b_node": network.head.astype(np.int64) + 1,
            "direction": np.ones(network.tail.size, np.int8),
            "free_flow_time": np.maximum(network.free_flow_time, ALMOST_NO_TIME),
            "capacity": network.capacity,
            "alpha": np.where(network.free_flow_time > 0.0, network.b, 0.0),
            "beta": np.where(network.b > 0.0, network.power, 1.0),  # it takes no power below 1
            "fixed": case.fixed,
        }
    )
    moves = off_diagonal(trips)

    def run(gap: float) -> Run:
        graph = tool.Graph()
        graph.network = table.copy()
        graph.prepare_graph(zones)
        graph.set_graph("free_flow_time")
        graph.set_blocked_centroid_flows(network.first_thru_node > 0)
        matrix = matrices.AequilibraeMatrix()
        matrix.create_empty(zones=zones.size, matrix_names=["trips"], memory_only=True)
        matrix.index[:] = zones
        matrix.matrices[:] = 0.0
        matrix.matrix["trips"][trips.origin[moves], trips.destination[moves]] = trips.volume[moves]
        matrix.computational_view(["trips"])
        group = tool.TrafficClass("trips", graph, matrix)
        if case.fixed.any():
            group.set_fixed_cost("fixed")
            group.set_vot(1.0)
        assignment = tool.TrafficAssignment()
        assignment.set_classes([group])
        assignment.set_vdf("BPR")
        assignment.set_vdf_parameters({"alpha": "alpha", "beta": "beta"})
        assignment.set_capacity_field("capacity")
        assignment.set_time_field("free_flow_time")
        assignment.set_algorithm("bfw")
        assignment.set_cores(1)
        assignment.max_iter = AEQUILIBRAE_ROUNDS
        assignment.rgap_target = gap
        begin, started = CLOCK[0](), time.perf_counter()
        assignment.execute(log_specification=False)
        seconds, waited = CLOCK[0]() - begin, time.perf_counter() - started
        report = assignment.assignment.convergence_report
        way = {}
        for wider in (g for g in GAPS if g > gap):
            times = [t for t, g in zip(report["time"], report["rgap"], strict=True) if g <= wider]
            if times:
                way[wider] = times[0] * seconds / waited
        volume = assignment.results()["trips_ab"].reindex(table["link_id"]).fillna(0.0).to_numpy(np.float64)
        return Run(seconds, volume, way)

    return run


# ------------------------------------------------------------------------------------------------------- measuring


def find(name: str) -> ModuleType | None:
    """A peer, if it is installed."""
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


def load_prototype(shared: Path) -> ModuleType | None:
    """The prototype, from its file."""
    path = shared / "prototype" / "ue_gp.py"
    spec = importlib.util.spec_from_file_location("ue_gp", path) if path.is_file() else None
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ue_gp"] = module
    keep, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = keep
    return module


def least_seconds(tools: dict[str, Tool], gap: float, repeats: int) -> dict[str, tuple[float, Run] | None]:
    """Run all tools in turn, so that other load falls on all alike; short runs more often."""
    found: dict[str, tuple[float, Run] | None] = dict.fromkeys(tools)
    begin = time.perf_counter()
    turn = 0
    while turn < repeats or (turn < SHORT_REPEATS * repeats and time.perf_counter() - begin < SHORT):
        turn += 1
        for name, run in tools.items():
            before = found[name]
            if before is not None and before[0] > LONG:
                continue
            try:
                result = run(gap)
            except NotReachedError:
                continue
            least = result.seconds if before is None else min(before[0], result.seconds)
            found[name] = (least, result)
    return found


def measure(name: str, instance: Instance, tools: dict[str, Tool], case: Case, options: argparse.Namespace) -> None:
    """Time all tools on one network, judge their flows and print."""
    network, trips = case.network, case.trips

    def judge(volume: Floats) -> Verdict:
        return evaluate(
            network, trips, volume, toll_factor=instance.toll_factor, distance_factor=instance.distance_factor
        )

    seconds: dict[str, dict[float, float]] = {tool: {} for tool in tools}
    verdicts: dict[str, Verdict] = {}
    for gap in GAPS:
        fast = {
            tool: run
            for tool, run in tools.items()
            if tool != "aequilibrae" and max(seconds[tool].values(), default=0.0) <= options.patience
        }
        results = least_seconds(fast, gap, options.repeats)
        if "aequilibrae" in tools and gap == options.aequilibrae_gap:
            results |= least_seconds({"aequilibrae": tools["aequilibrae"]}, gap, 1)
        for tool, result in results.items():
            if result is None:
                continue
            verdict = judge(result[1].volume)
            verdicts[tool] = verdict
            balanced = verdict.conservation <= BALANCE * verdict.trips
            if balanced:
                seconds[tool] |= result[1].on_the_way
            if balanced and verdict.relative_gap <= SLACK * gap:
                seconds[tool][gap] = result[0]
    moved = float(trips.volume[off_diagonal(trips)].sum())
    print(f"\n{name}: {network.tail.size} links, {len(network.zone_name)} zones, {moved:.10g} trips between zones")
    heads = "".join(f"{f's to {gap:.0e}':>12}" for gap in GAPS) + "".join(f"{f'x {gap:.0e}':>10}" for gap in GAPS)
    print(f"  {'':<12}{heads}{'judged gap':>12}{'objective':>22}{'off known':>11}{'below bound':>12}{'balance':>10}")
    ours = seconds.get("landbridge", {})
    for tool in tools:
        cells = "".join(f"{seconds[tool][g]:>12.4f}" if g in seconds[tool] else f"{'n.r.':>12}" for g in GAPS)
        both = [g in seconds[tool] and g in ours for g in GAPS]
        cells += "".join(
            f"{seconds[tool][g] / ours[g]:>10.2f}" if there else f"{'-':>10}"
            for g, there in zip(GAPS, both, strict=True)
        )
        if tool in verdicts:
            verdict = verdicts[tool]
            off = verdict.objective / instance.objective - 1.0
            bound = 1.0 - verdict.lower_bound / verdict.objective
            lost = verdict.conservation / verdict.trips
            cells += f"{verdict.relative_gap:>12.1e}{verdict.objective:>22.6f}{off:>11.1e}{bound:>12.1e}{lost:>10.1e}"
            cells += "  BROKEN BALANCE" if lost > BALANCE else ""
        print(f"  {tool:<12}{cells}", flush=True)
    if options.json:
        record = {
            "network": name,
            "threads": options.threads,
            "seconds": {tool: {f"{g:.0e}": s for g, s in times.items()} for tool, times in seconds.items()},
            "judged": {tool: vars(verdict) for tool, verdict in verdicts.items()},
        }
        with options.json.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def main() -> None:
    """Find the tools, compile, and measure network by network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = ["landbridge", "prototype", "pytraf", "aequilibrae"]
    parser.add_argument("--networks", nargs="+", choices=INSTANCES, default=list(INSTANCES))
    parser.add_argument("--tools", nargs="+", choices=known, default=known)
    parser.add_argument("--repeats", type=int, default=3, help="least runs of each tool to each gap (AequilibraE: one)")
    parser.add_argument("--threads", type=int, default=1, help="threads of Landbridge and the prototype")
    parser.add_argument("--aequilibrae-gap", type=float, choices=GAPS, default=AEQUILIBRAE_GAP)
    parser.add_argument(
        "--patience", type=float, default=PATIENCE, help="seconds to one gap after which no tighter one is asked for"
    )
    parser.add_argument("--json", type=Path, help="add one object a network to this file")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: for one thread on a machine that is busy")
    options = parser.parse_args()
    CLOCK[0] = CLOCKS[options.clock]
    named = os.environ.get("LANDBRIDGE_SHARED")
    if not named:
        sys.exit("LANDBRIDGE_SHARED names no folder of shared inputs; it should hold a folder `tntp`")
    shared = Path(named)

    modules: dict[str, ModuleType | None] = {"landbridge": flows}
    modules["prototype"] = load_prototype(shared) if "prototype" in options.tools else None
    for peer in ("pytraf", "aequilibrae"):
        modules[peer] = find(peer) if peer in options.tools else None
    for tool in options.tools:
        module = modules[tool]
        version = getattr(module, "__version__", "") if module else "not there, left out"
        print(f"{tool} {version}".rstrip())

    def tools_for(case: Case, instance: Instance) -> dict[str, Tool]:
        found: dict[str, Tool] = {}
        for tool in options.tools:
            module = modules[tool]
            if module is None:
                continue
            if tool == "landbridge":
                found[tool] = landbridge_tool(case, instance, options.threads)
            elif tool == "prototype":
                found[tool] = prototype_tool(case, options.threads, module)
            elif tool == "pytraf":
                found[tool] = pytraf_tool(case, module)
            else:
                found[tool] = aequilibrae_tool(case)
        return found

    smallest = INSTANCES["SiouxFalls"]
    for tool, run in tools_for(read_case(smallest, shared / "tntp"), smallest).items():
        begin = time.perf_counter()
        run(1e-2)
        print(f"{tool}: {time.perf_counter() - begin:.1f} s for a first run, with compilation where there is any")
    for name in options.networks:
        case = read_case(INSTANCES[name], shared / "tntp")
        measure(name, INSTANCES[name], tools_for(case, INSTANCES[name]), case, options)


if __name__ == "__main__":
    main()
