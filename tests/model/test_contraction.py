"""Contracted graphs against plain searches: distances, paths, and new costs on an old order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import NoRoute
from landbridge.model import contraction, large_paths, paths

COSTS = st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0, 3.5, float("inf")])


@st.composite
def networks(draw: st.DrawFn) -> tuple[paths.Graph, np.ndarray]:
    """A directed multigraph with loops, parallel arcs, free arcs and forbidden arcs, often with chains."""
    nodes = draw(st.integers(1, 14))
    node = st.integers(0, nodes - 1)
    arcs = draw(st.lists(st.tuples(node, node, COSTS), max_size=36))
    if draw(st.booleans()):  # as railways are: there and back
        arcs += [(head, tail, cost) for tail, head, cost in arcs]
    tail, head, cost = ([arc[i] for arc in arcs] for i in range(3))
    return paths.graph(nodes, np.array(tail, np.int64), np.array(head, np.int64)), np.array(cost, np.float64)


def assert_is_path(graph: paths.Graph, arcs: np.ndarray, source: int, target: int) -> None:
    at = source
    for arc in arcs:
        assert graph.tail[arc] == at
        at = int(graph.head[arc])
    assert at == target


@settings(deadline=None, max_examples=60)  # the first call compiles
@given(networks(), st.sampled_from([0, 1, 2, 3, 6, 40]), st.data())
def test_contracted_searches_agree_with_plain_ones(
    network: tuple[paths.Graph, np.ndarray], most: int, data: st.DataObject
) -> None:
    graph, cost = network
    order = contraction.contract(graph, most)
    # costs put on the order later count, not those before
    held = None
    for prices in (np.array(data.draw(st.permutations(cost.tolist()))), cost):
        held = contraction.weigh(order, prices, into=held)  # the second time in the memory of the first
        for source in range(graph.node_count):
            tree = large_paths.tree_from(held, source)
            wanted = paths.shortest_tree(graph, prices, source).distance
            np.testing.assert_array_equal(tree.distance, wanted)  # sums of halves are exact in any order
            for target in range(graph.node_count):
                found = large_paths.path_between(held, source, target)
                if np.isinf(wanted[target]):
                    assert found is None
                    with pytest.raises(NoRoute, match=f"node {source} to node {target}"):
                        large_paths.path_in(held, tree, target)
                    continue
                assert found is not None
                assert found[0] == wanted[target]
                for arcs in (found[1], large_paths.path_in(held, tree, target)):
                    assert_is_path(graph, arcs, source, target)
                    assert prices[arcs].sum() == wanted[target]
                    met = [source, *graph.head[arcs].tolist()]
                    assert len(set(met)) == len(met)


def test_a_line_between_two_junctions_folds_up_in_a_few_rounds() -> None:
    """Two stars of four joined by a line of 100: only the hubs stay, and the way up from the line is short."""
    edges = [(0, i) for i in range(2, 5)] + [(1, i) for i in range(5, 8)]
    line = [0, *range(8, 108), 1]
    edges += list(itertools.pairwise(line))
    tail, head = np.array([(a, b) for a, b in edges] + [(b, a) for a, b in edges]).T
    graph = paths.graph(108, tail, head)
    order = contraction.contract(graph, 2)
    assert len(order.first_core) == 1  # with the spurs gone the hubs are ends of a line
    assert len(order.order) == 108
    assert contraction.contract(graph, 0).place.tolist() == list(range(108))
    held = contraction.weigh(order, np.ones(len(tail)))
    found = large_paths.path_between(held, 2, 7)
    assert found is not None
    assert found[0] == 103
    assert len(found[1]) == 103


def test_searches_leave_no_trace() -> None:
    rng = np.random.default_rng(3)
    tail, head = rng.integers(0, 60, (2, 150))
    cost = rng.uniform(0, 5, 150)
    graph = paths.graph(60, tail, head)
    held = contraction.weigh(contraction.contract(graph), cost)
    pairs = rng.integers(0, 60, (40, 2))
    first = [large_paths.path_between(held, int(a), int(b)) for a, b in pairs]
    again = [large_paths.path_between(held, int(a), int(b)) for a, b in pairs]
    assert [f and f[0] for f in first] == [f and f[0] for f in again]
    trees = {int(a): paths.shortest_tree(graph, cost, int(a)).distance for a, _ in pairs}
    for (a, b), found in zip(pairs.tolist(), first, strict=True):
        assert (found[0] if found else np.inf) == pytest.approx(trees[a][b], rel=1e-14)


def test_bad_input_is_told() -> None:
    graph = paths.graph(3, [0, 1], [1, 2])
    order = contraction.contract(graph)
    with pytest.raises(ValueError, match=r"cost of arc 1: wanted a number >= 0 or inf, got -2\.0"):
        contraction.weigh(order, [1.0, -2.0])
    with pytest.raises(ValueError, match=r"one cost for each of 2 arcs, got shape \(1,\)"):
        contraction.weigh(order, [1.0])
    with pytest.raises(ValueError, match="into: wanted a result of the same contraction"):
        contraction.weigh(order, [1.0, 1.0], into=contraction.weigh(contraction.contract(graph), [1.0, 1.0]))
    with pytest.raises(ValueError, match="most_neighbours: wanted a number >= 0, got -1"):
        contraction.contract(graph, -1)
    held = contraction.weigh(order, [1.0, 1.0])
    with pytest.raises(ValueError, match="source: wanted a node below 3, got 3"):
        large_paths.tree_from(held, 3)
    with pytest.raises(ValueError, match="target: wanted a node below 3, got -1"):
        large_paths.path_between(held, 0, -1)
