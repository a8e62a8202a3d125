"""Shortest paths: Landbridge beside scipy, igraph, networkit, rustworkx, scgraph and RoutingKit, in one run.

    python benchmarks/routing.py [--trees 9] [--pairs 60] [--tools landbridge scipy ...] [--json]

On the world's railways (the graph of scgraph-data, 275,000 nodes): one-to-all and point-to-point. On the corridor
network of the atlas: efficient sets over three criteria, and the ten shortest simple paths, for 100 pairs of zones.
Peers are no dependencies of Landbridge (igraph is under the GPL): install them into an environment of their own, with
Landbridge, and run this file there::

    python -m venv peers
    peers/bin/pip install . scipy igraph networkit rustworkx scgraph scgraph-data pyroutingkit
    peers/bin/python benchmarks/routing.py

Those that are not installed are left out, and the table says so. Each has one thread, holds the graph in its own form
before the clock starts, and answers the same questions in turns; loops (two in five of the graph's arcs) are dropped
for all. Seconds are CPU seconds of this process, the least of several runs for trees, the median over the pairs for
paths; machines differ, so read the ratios (a tool's seconds over ours). Every answer is checked against the first
tool's; costs are whole metres, so that sums are exact and must be equal.

An *index* is what depends on costs and must be made anew when they change: the hierarchy of scgraph and of RoutingKit,
and the contracted graph of `landbridge.model.contraction`. The table states the seconds of that, and calls a search
plain where there is nothing of the kind.
"""

from __future__ import annotations

import os

if "NUMBA_NUM_THREADS" not in os.environ:  # before the libraries that read them
    for _name in ("NUMBA", "OMP", "OPENBLAS", "MKL", "RAYON"):
        os.environ.setdefault(f"{_name}_NUM_THREADS", "1")

import argparse
import ast
import importlib
import importlib.util
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.data.read import read_atlas
from landbridge.model import contraction, large_paths, paths, routes, simple_paths
from landbridge.scenario.apply import apply
from landbridge.study.routing import RouteFinder

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: Neighbours up to which nodes are taken out: chains alone, what suits trees, and what suits paths.
CHAINS, TREES, PATHS = 2, 6, 12
#: Times that an index is weighed anew; the least counts.
REPEATS = 7
#: A hierarchy takes minutes in some tools; asked for by name.
SLOW = ("scgraph-hierarchy",)


@dataclass(frozen=True)
class World:
    """The railway graph: arcs without loops, metres, degrees."""

    node_count: int
    tail: Ints
    head: Ints
    metres: Floats
    latitude: npt.NDArray[np.float32]
    longitude: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tool:
    """What a tool can do: one to all (distances), and one to one (cost, or None where it cannot)."""

    name: str
    index_s: float | None
    tree: Callable[[int], Floats] | None
    path: Callable[[int, int], float] | None


def clock(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def world() -> World:
    """Read the graph as text: its module asks for an older scgraph."""
    found = importlib.util.find_spec("scgraph_data")
    if found is None or found.origin is None:
        raise SystemExit("scgraph-data is not installed; see the head of this file")
    told: dict[str, Any] = {}
    for line in (Path(found.origin).parent / "world_railways.py").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        if name.strip() in ("graph", "nodes"):
            told[name.strip()] = ast.literal_eval(value)
    rows = [(i, j, km) for i, near in enumerate(told["graph"]) for j, km in near.items() if i != j]
    tail, head, km = (np.array(column) for column in zip(*rows, strict=True))
    where = np.array(told["nodes"], np.float32)
    return World(len(where), tail, head, np.rint(km * 1000), where[:, 0].copy(), where[:, 1].copy())


# ------------------------------------------------------------------------------------------------- tools


def ours(w: World) -> list[Tool]:
    graph = paths.graph(w.node_count, w.tail, w.head)
    tools = []
    for name, most in (("plain", 0), ("chains", CHAINS), ("contracted", TREES), ("contracted-12", PATHS)):
        order = contraction.contract(graph, most)
        held = contraction.weigh(order, w.metres)
        # anew, in the memory that is there, as RoutingKit does
        spent = min(clock(lambda o=order, h=held: contraction.weigh(o, w.metres, into=h))[0] for _ in range(REPEATS))  # type: ignore[misc]

        def path(a: int, b: int, held: contraction.Contracted = held) -> float:
            found = large_paths.path_between(held, a, b)
            return np.inf if found is None else found[0]

        def tree(a: int, held: contraction.Contracted = held) -> Floats:
            return large_paths.tree_from(held, a).distance

        tools.append(Tool(f"landbridge-{name}", None if most == 0 else spent, tree, path))
    return tools


def scipy(w: World) -> list[Tool]:
    sparse, csgraph = importlib.import_module("scipy.sparse"), importlib.import_module("scipy.sparse.csgraph")
    # a stored zero is no arc to scipy: a hair instead, far below a metre in any sum
    matrix = sparse.csr_matrix((np.maximum(w.metres, 1e-9), (w.tail, w.head)), shape=(w.node_count, w.node_count))
    return [Tool("scipy", None, lambda a: csgraph.dijkstra(matrix, indices=a), None)]


def igraph(w: World) -> list[Tool]:
    net = importlib.import_module("igraph").Graph(
        w.node_count, np.column_stack([w.tail, w.head]).tolist(), directed=True
    )
    net.es["m"] = w.metres.tolist()
    weight = net.es["m"]

    def tree(a: int) -> Floats:
        return np.array(net.distances(a, weights=weight, algorithm="dijkstra")[0])

    def path(a: int, b: int) -> float:
        arcs = net.get_shortest_path(a, b, weights="m", output="epath")
        return float(w.metres[arcs].sum())

    return [Tool("igraph", None, tree, path)]


def networkit_tool(w: World) -> list[Tool]:
    networkit = importlib.import_module("networkit")
    net = networkit.GraphFromCoo(
        (w.metres, (w.tail.astype(np.uint64), w.head.astype(np.uint64))), n=w.node_count, weighted=True, directed=True
    )

    def tree(a: int) -> Floats:
        found = networkit.distance.Dijkstra(net, a, False)
        found.run()
        far = np.asarray(found.getDistances(asarray=True))
        return np.where(far > 1e300, np.inf, far)

    def path(a: int, b: int) -> float:
        found = networkit.distance.BidirectionalDijkstra(net, a, b, True)
        found.run()
        return float(found.getDistance())

    return [Tool("networkit", None, tree, path)]


def rustworkx_tool(w: World) -> list[Tool]:
    rustworkx = importlib.import_module("rustworkx")
    net = rustworkx.PyDiGraph()
    net.add_nodes_from(range(w.node_count))
    net.add_edges_from(list(zip(w.tail.tolist(), w.head.tolist(), w.metres.tolist(), strict=True)))

    def tree(a: int) -> Floats:
        far = np.full(w.node_count, np.inf)
        far[a] = 0.0
        for node, metres in rustworkx.dijkstra_shortest_path_lengths(net, a, float).items():
            far[node] = metres
        return far

    def path(a: int, b: int) -> float:
        far: float = rustworkx.dijkstra_shortest_path_lengths(net, a, float, goal=b)[b]
        return far

    return [Tool("rustworkx", None, tree, path)]


def scgraph(w: World, *, hierarchy: bool = False) -> list[Tool]:
    near: list[dict[int, float]] = [{} for _ in range(w.node_count)]
    for a, b, metres in zip(w.tail.tolist(), w.head.tolist(), w.metres.tolist(), strict=True):
        near[a][b] = metres
    net = importlib.import_module("scgraph.cpp").Graph(near)

    def tree(a: int) -> Floats:
        return np.array(net.get_shortest_path_tree(a)["distance_matrix"])

    if hierarchy:
        spent, _ = clock(net.create_contraction_hierarchy)

        def over(a: int, b: int) -> float:
            return float(net.contraction_hierarchy(a, b)["length"])

        return [Tool("scgraph-hierarchy", spent, None, over)]

    def path(a: int, b: int) -> float:
        return float(net.bidirectional_dijkstra(a, b)["length"])

    return [Tool("scgraph", None, tree, path)]


def routingkit(w: World) -> list[Tool]:
    kit = importlib.import_module("pyroutingkit")
    topology = kit.CCHTopology()
    topology.build(w.tail.astype(np.uint32), w.head.astype(np.uint32), w.latitude, w.longitude, w.node_count)
    metric = kit.CCHMetric(topology)
    metres = w.metres.astype(np.uint32)
    metric.customize(metres)
    spent = min(clock(lambda: metric.customize(metres))[0] for _ in range(REPEATS))
    return [Tool("routingkit", spent, None, lambda a, b: float(metric.query(a, b)[0]))]


MAKERS: dict[str, tuple[str, Callable[[World], list[Tool]]]] = {
    "landbridge": ("landbridge", ours),
    "scipy": ("scipy", scipy),
    "networkit": ("networkit", networkit_tool),
    "igraph": ("igraph", igraph),
    "rustworkx": ("rustworkx", rustworkx_tool),
    "scgraph": ("scgraph", scgraph),
    "scgraph-hierarchy": ("scgraph", lambda w: scgraph(w, hierarchy=True)),
    "routingkit": ("pyroutingkit", routingkit),
}


# ---------------------------------------------------------------------------------------------- railways


def railways(names: Sequence[str], trees: int, pairs: int) -> list[dict[str, Any]]:
    w = world()
    tools: list[Tool] = []
    for name in names:
        package, make = MAKERS[name]
        if importlib.util.find_spec(package) is None:
            print(f"{name}: left out, {package} is not installed", flush=True)
            continue
        tools += make(w)
        print(f"{package} {getattr(importlib.import_module(package), '__version__', '')} is ready", flush=True)
    # ends inside the largest part that is joined
    graph = paths.graph(w.node_count, w.tail, w.head)
    degree = np.bincount(w.tail, minlength=w.node_count)
    rng = np.random.default_rng(7)
    inside = np.zeros(0, np.int64)
    while inside.size < w.node_count // 2:
        seed = int(rng.choice(np.flatnonzero(degree > 2)))
        inside = np.flatnonzero(np.isfinite(paths.shortest_tree(graph, w.metres, seed).distance))
    ends = rng.choice(inside, (pairs, 2)).tolist()
    sources = rng.choice(inside, trees).tolist()
    print(f"{w.node_count:,} nodes, {len(w.tail):,} arcs; {inside.size:,} nodes in the part that is asked about")

    seconds: dict[str, list[float]] = {tool.name: [] for tool in tools}
    for source in sources:
        wanted: Floats | None = None
        for tool in tools:
            if tool.tree is None:
                continue
            spent, far = clock(lambda tool=tool, source=source: tool.tree(source))  # type: ignore[misc]
            seconds[tool.name].append(spent)
            wanted = far if wanted is None else wanted
            if not np.allclose(far[inside], wanted[inside], rtol=0, atol=0.01):
                raise SystemExit(f"{tool.name}: other distances from node {source}")
    times: dict[str, list[float]] = {tool.name: [] for tool in tools}
    for a, b in ends:
        first: float | None = None
        for tool in tools:
            if tool.path is None:
                continue
            spent, metres = clock(lambda tool=tool, a=a, b=b: tool.path(a, b))  # type: ignore[misc]
            times[tool.name].append(spent)
            first = metres if first is None else first
            if abs(metres - first) > 0.01:
                raise SystemExit(f"{tool.name}: {metres} m from {a} to {b}, wanted {first}")
    return [
        {
            "tool": tool.name,
            "index_ms": None if tool.index_s is None else 1e3 * tool.index_s,
            "tree_ms": 1e3 * min(seconds[tool.name][1:], default=np.nan) if tool.tree else None,
            "path_ms": 1e3 * float(np.median(times[tool.name][1:])) if tool.path else None,
        }
        for tool in tools
    ]


def railway_table(rows: Sequence[dict[str, Any]]) -> None:
    best_tree = min(r["tree_ms"] for r in rows if r["tool"].startswith("landbridge"))
    plain = next(r["path_ms"] for r in rows if r["tool"] == "landbridge-plain")

    def cell(value: float | None, over: float | None = None) -> str:
        if value is None:
            return "-"
        return f"{value:.2f}" if over is None else f"{value / over:.2f}"

    print(f"{'':20}{'index ms':>10}{'one-to-all ms':>15}{'over ours':>11}{'one-to-one ms':>15}{'over plain':>12}")
    for r in rows:
        print(
            f"{r['tool']:20}{cell(r['index_ms']):>10}{cell(r['tree_ms']):>15}{cell(r['tree_ms'], best_tree):>11}"
            f"{cell(r['path_ms']):>15}{cell(r['path_ms'], plain):>12}"
        )


# ---------------------------------------------------------------------------------------------- corridor


def corridor(pairs: int) -> dict[str, float]:
    """Efficient sets and simple paths between zones of the atlas, warm."""
    tables = read_atlas()
    places = list(dict.fromkeys(tables["zones"]["place"].to_list()))
    finder = RouteFinder(apply(tables, (), 2023, held=frozenset({"cku"})).tables, places)
    net, commodity = finder.network, finder.commodity("machinery_box")
    cost = finder.cost(commodity)
    rows = routes.criteria(net, finder.price(commodity), finder.time_h, net.co2_g_t)
    values = np.stack([np.where(np.isfinite(cost), rows[name], np.inf) for name in ("time", "cost", "co2")])
    graph = paths.graph(net.node_count, net.tail, net.head)
    open_ = [i for i in range(len(places)) if net.zone_source[i] >= 0 and net.zone_sink[i] >= 0]
    rng = np.random.default_rng(11)
    drawn = [rng.choice(open_, 2, replace=False).tolist() for _ in range(pairs + 1)]
    ends = [(int(net.zone_source[a]), int(net.zone_sink[b])) for a, b in drawn]
    sets, simple, sizes = [], [], []
    for source, sink in ends:
        spent, front = clock(lambda s=source, t=sink: routes.efficient(net, values, s, t))  # type: ignore[misc]
        sets.append(spent)
        sizes.append(len(front.paths))
        spent, _ = clock(lambda s=source, t=sink: simple_paths.k_shortest(graph, cost, s, t, 10))  # type: ignore[misc]
        simple.append(spent)
    return {
        "nodes": net.node_count,
        "arcs": net.arc_count,
        "pairs": pairs,
        "efficient_size_median": float(np.median(sizes[1:])),
        "efficient_ms_median": 1e3 * float(np.median(sets[1:])),
        "efficient_ms_worst": 1e3 * max(sets[1:]),
        "k10_ms_median": 1e3 * float(np.median(simple[1:])),
        "k10_ms_worst": 1e3 * max(simple[1:]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trees", type=int, default=9)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--tools", nargs="+", choices=list(MAKERS), default=[n for n in MAKERS if n not in SLOW])
    parser.add_argument("--skip", choices=["railways", "corridor"], nargs="*", default=[])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    answer: dict[str, Any] = {}
    if "railways" not in given.skip:
        answer["railways"] = railways(given.tools, given.trees, given.pairs)
        railway_table(answer["railways"])
    if "corridor" not in given.skip:
        answer["corridor"] = corridor(100)
        for name, value in answer["corridor"].items():
            print(f"{name:24}{value:>10.2f}")
    if given.json:
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
