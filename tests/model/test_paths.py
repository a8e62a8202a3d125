from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import NoRoute
from landbridge.model import paths
from landbridge.model.simple_paths import k_shortest

# What costs are rounded to: few values make ties, zeros make zero-cost cycles.
COSTS = st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0, 3.5, float("inf")])


@st.composite
def networks(draw: st.DrawFn) -> tuple[paths.Graph, np.ndarray]:
    """A directed multigraph with loops, parallel arcs, free arcs and forbidden arcs."""
    nodes = draw(st.integers(1, 8))
    node = st.integers(0, nodes - 1)
    arcs = draw(st.lists(st.tuples(node, node, COSTS), max_size=30))
    tail, head, cost = ([arc[i] for arc in arcs] for i in range(3))
    return paths.graph(nodes, np.array(tail, np.int64), np.array(head, np.int64)), np.array(cost, np.float64)


def as_networkx(graph: paths.Graph, cost: np.ndarray) -> nx.DiGraph:
    """The same network with the cheapest of parallel arcs."""
    out = nx.DiGraph()
    out.add_nodes_from(range(graph.node_count))
    for tail, head, price in zip(graph.tail.tolist(), graph.head.tolist(), cost.tolist(), strict=True):
        if np.isfinite(price) and price < out.get_edge_data(tail, head, {"weight": np.inf})["weight"]:
            out.add_edge(tail, head, weight=price)
    return out


def simple_paths(graph: paths.Graph, cost: np.ndarray, source: int, target: int) -> list[float]:
    """Costs of all paths without a repeated node, by walking every one of them."""
    found: list[float] = []
    stack = [(source, {source}, 0.0)]
    while stack:
        node, seen, spent = stack.pop()
        if node == target:
            found.append(spent)
            continue
        for arc in np.flatnonzero(graph.tail == node):
            head = int(graph.head[arc])
            if head not in seen and np.isfinite(cost[arc]):
                stack.append((head, seen | {head}, spent + float(cost[arc])))
    return sorted(found)


def assert_is_path(graph: paths.Graph, arcs: np.ndarray, source: int, target: int) -> None:
    nodes = [source]
    for arc in arcs:
        assert graph.tail[arc] == nodes[-1]
        nodes.append(int(graph.head[arc]))
    assert nodes[-1] == target
    assert len(set(nodes)) == len(nodes)


@settings(deadline=None)  # the first call compiles
@given(networks())
def test_distances_agree_with_networkx(network: tuple[paths.Graph, np.ndarray]) -> None:
    graph, cost = network
    tree = paths.shortest_tree(graph, cost, 0)
    wanted = nx.single_source_dijkstra_path_length(as_networkx(graph, cost), 0)
    for node in range(graph.node_count):
        assert tree.distance[node] == wanted.get(node, np.inf)
        found = paths.shortest_path(graph, cost, 0, node)
        if node not in wanted:
            assert found is None
            with pytest.raises(NoRoute, match=f"node 0 to node {node}"):
                paths.path_to(tree, graph, node)
        else:
            arcs = paths.path_to(tree, graph, node)
            assert_is_path(graph, arcs, 0, node)
            assert cost[arcs].sum() == wanted[node]
            assert found is not None
            assert found[0] == wanted[node]
            assert found[1].dtype == np.int32


@settings(deadline=None)
@given(networks(), st.integers(1, 12))
def test_k_shortest_finds_every_path_in_order(network: tuple[paths.Graph, np.ndarray], k: int) -> None:
    graph, cost = network
    target = graph.node_count - 1
    found = k_shortest(graph, cost, 0, target, k)
    for price, arcs in found:
        assert_is_path(graph, arcs, 0, target)
        assert price == pytest.approx(cost[arcs].sum(), abs=1e-12)
    assert len({tuple(arcs) for _, arcs in found}) == len(found)
    assert [price for price, _ in found] == pytest.approx(simple_paths(graph, cost, 0, target)[:k], abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_k_shortest_agrees_with_networkx(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ends = np.array([(i, j) for i, j in itertools.product(range(30), repeat=2) if i != j and rng.random() < 0.12])
    cost = rng.uniform(0.5, 5.0, len(ends))
    graph = paths.graph(30, ends[:, 0], ends[:, 1])
    peer = as_networkx(graph, cost)
    wanted = [
        nx.path_weight(peer, path, "weight")
        for path in itertools.islice(nx.shortest_simple_paths(peer, 0, 29, weight="weight"), 40)
    ]
    found = k_shortest(graph, cost, 0, 29, 40)
    assert [price for price, _ in found] == pytest.approx(wanted, rel=1e-12)


def test_parallel_arcs_are_two_paths() -> None:
    graph = paths.graph(2, [0, 0, 0], [1, 1, 1])
    found = k_shortest(graph, [2.0, 1.0, 2.0], 0, 1, 9)
    assert [(price, arcs.tolist()) for price, arcs in found] == [(1.0, [1]), (2.0, [0]), (2.0, [2])]


def test_the_way_to_oneself_is_empty() -> None:
    graph = paths.graph(2, [0], [1])
    cost, arcs = paths.shortest_path(graph, [1.0], 1, 1) or (None, None)
    assert cost == 0.0
    assert arcs is not None
    assert arcs.size == 0
    assert len(k_shortest(graph, [1.0], 1, 1, 3)) == 1
    assert k_shortest(graph, [1.0], 1, 0, 3) == []
    assert k_shortest(graph, [1.0], 0, 1, 0) == []


@pytest.mark.parametrize(
    ("cost", "message"),
    [
        ([1.0, -2.0], r"cost of arc 1: wanted a number >= 0 or inf, got -2\.0"),
        ([float("nan"), 1.0], "cost of arc 0: .* got nan"),
        ([1.0], r"one cost for each of 2 arcs, got shape \(1,\)"),
    ],
)
def test_bad_costs_are_told_by_arc(cost: list[float], message: str) -> None:
    graph = paths.graph(3, [0, 1], [1, 2])
    with pytest.raises(ValueError, match=message):
        paths.shortest_tree(graph, cost, 0)
    with pytest.raises(ValueError, match=message):
        k_shortest(graph, cost, 0, 2, 2)


def test_bad_graphs_and_nodes_are_told() -> None:
    with pytest.raises(ValueError, match="head of arc 1: wanted a node below 3, got 3"):
        paths.graph(3, [0, 1], [1, 3])
    with pytest.raises(ValueError, match="as many heads as tails, got 1 and 2"):
        paths.graph(3, [0, 1], [1])
    with pytest.raises(ValueError, match="tail: wanted a row of whole numbers, got float64"):
        paths.graph(3, [0.5], [1])
    with pytest.raises(ValueError, match="source: wanted a node below 2, got 2"):
        paths.shortest_tree(paths.graph(2, [0], [1]), [1.0], 2)


@settings(max_examples=20, deadline=None)
@given(networks())
def test_the_same_input_gives_the_same_tree(network: tuple[paths.Graph, np.ndarray]) -> None:
    graph, cost = network
    first = paths.shortest_tree(graph, cost, 0)
    again = paths.shortest_tree(graph, cost.copy(), 0)
    np.testing.assert_array_equal(first.arc_in, again.arc_in)
