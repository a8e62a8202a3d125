from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landbridge.model.hierarchy import Arrivals, Forest, forest, hierarchy, join, ordering, search, weigh, weights

CLASSES = 2


def random_graph(seed: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Nodes, ends and costs of two classes: parallel arcs, arcs from a node to itself, free and forbidden arcs."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 30))
    m = int(rng.integers(1, 4 * n))
    tail, head = rng.integers(0, n, (2, m)).astype(np.int32)
    cost = rng.choice([0.0, 1.0, 2.0, np.inf], (CLASSES, m), p=[0.3, 0.2, 0.4, 0.1]) * rng.choice([1.0, 1.37], m)
    return n, tail, head, cost


def everything(n: int) -> Forest:
    """From every node to every node, for each class."""
    source = np.tile(np.arange(n, dtype=np.int32), CLASSES)
    first = np.arange(0, n * n * CLASSES + 1, n, dtype=np.int32)
    target = np.tile(np.arange(n, dtype=np.int32), n * CLASSES)
    return forest(source, np.repeat(np.arange(CLASSES, dtype=np.int32), n), first, target)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_least_costs_and_paths_on_any_graph(seed: int) -> None:
    n, tail, head, cost = random_graph(seed)
    tree = hierarchy(n, tail, head, np.isfinite(cost).any(axis=0))
    assert sorted(tree.rank) == list(range(n))
    wanted = everything(n)
    found = weights(tree, CLASSES)
    both = np.arange(CLASSES, dtype=np.int32)
    all_trees = np.arange(wanted.source.size, dtype=np.int32)
    rng = np.random.default_rng(seed)
    for _ in range(2):  # the second time under other costs
        weigh(tree, cost, both, found)
        paths = search(tree, cost, found, wanted, all_trees, np.full(wanted.target.size, np.inf))
        for k in range(CLASSES):
            peer = nx.MultiDiGraph()
            peer.add_nodes_from(range(n))
            open_ = np.flatnonzero(np.isfinite(cost[k]))
            peer.add_weighted_edges_from(zip(tail[open_], head[open_], cost[k, open_], strict=True))
            mine = wanted.distance.reshape(CLASSES, n, n)[k]
            for o in range(n):
                least = nx.single_source_dijkstra_path_length(peer, o)
                np.testing.assert_allclose(mine[o], [least.get(d, np.inf) for d in range(n)], rtol=1e-14)
        assert set(paths.target) == set(np.flatnonzero(np.isfinite(wanted.distance)))
        for i, j in enumerate(paths.target):
            t = j // n
            slots = paths.slots[paths.first[i] : paths.first[i + 1]]
            nodes = [wanted.source[t], *head[slots]]
            assert nodes[:-1] == list(tail[slots])
            assert nodes[-1] == wanted.target[j]
            assert len(set(nodes)) == len(nodes)  # no circle, even where it is free
            assert cost[wanted.class_index[t], slots].sum() == pytest.approx(wanted.distance[j], rel=1e-13)
        cost = cost * rng.uniform(0.2, 3, cost.shape)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_ways_that_are_too_many_to_keep_give_the_same_paths(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    n, tail, head, cost = random_graph(seed)
    every, told = everything(n), []
    for kept in (1 << 27, -1):
        monkeypatch.setattr(ordering, "WAYS_KEPT", kept)
        tree = hierarchy(n, tail, head, np.ones(tail.size, np.bool_))
        assert kept > 0 or tree.way_via.size == 0
        found = weights(tree, CLASSES)
        weigh(tree, cost, np.arange(CLASSES, dtype=np.int32), found)
        trees = np.arange(every.source.size, dtype=np.int32)
        told.append(search(tree, cost, found, every, trees, np.full(every.target.size, np.inf)))
    for a, b in zip(*told, strict=True):
        np.testing.assert_array_equal(a, b)


def test_paths_only_below_the_limit_and_in_any_shares() -> None:
    n, tail, head, cost = random_graph(4)
    tree = hierarchy(n, tail, head, np.ones(tail.size, np.bool_))
    found = weights(tree, CLASSES)
    weigh(tree, cost, np.arange(CLASSES, dtype=np.int32), found)
    whole, shared = everything(n), everything(n)
    trees = np.arange(whole.source.size, dtype=np.int32)
    search(tree, cost, found, whole, trees, np.full(whole.target.size, -np.inf))
    limit = np.where(np.arange(whole.target.size) % 3 == 0, whole.distance + 1e-9, whole.distance)
    once = search(tree, cost, found, whole, trees, limit)
    reached = np.flatnonzero(np.isfinite(whole.distance))
    assert list(once.target) == list(reached[reached % 3 == 0])
    parts: list[Arrivals] = [search(tree, cost, found, shared, part, limit) for part in np.array_split(trees, 5)]
    for a, b in zip(once, join(parts), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(whole.distance, shared.distance)


def test_a_long_line_stays_shallow() -> None:
    """Taking every second node out first keeps a line of 1,000 nodes about ten levels high, not a thousand."""
    n = 1000
    ends = np.arange(n - 1, dtype=np.int32)
    tail, head = np.concatenate([ends, ends + 1]), np.concatenate([ends + 1, ends])
    tree = hierarchy(n, tail, head, np.ones(tail.size, np.bool_))
    depth = np.zeros(n, int)
    for v in range(n - 2, -1, -1):
        depth[v] = depth[tree.parent[v]] + 1
    assert depth.max() <= 24


def test_classes_side_by_side_weigh_as_one_after_another() -> None:
    """Four at once and the rest alone, in any order, give the same weights to the last bit as each class by itself."""
    rng = np.random.default_rng(3)
    n, m, count = 40, 160, 7
    tail, head = rng.integers(0, n, (2, m)).astype(np.int32)
    cost = rng.choice([0.0, 1.0, np.inf], (count, m), p=[0.2, 0.7, 0.1]) * rng.uniform(1.0, 3.0, (count, m))
    tree = hierarchy(n, tail, head, np.ones(m, np.bool_))
    together, alone = weights(tree, count), weights(tree, count)
    weigh(tree, cost, rng.permutation(count).astype(np.int32), together)
    for k in range(count):
        weigh(tree, cost, np.array([k], np.int32), alone)
    np.testing.assert_array_equal(together.up, alone.up)
    np.testing.assert_array_equal(together.down, alone.down)
    assert np.isfinite(together.up).any()
    assert not np.isfinite(together.up).all()
