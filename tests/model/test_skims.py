"""Skims against single searches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.model import paths
from landbridge.model.skims import skim

COSTS = st.sampled_from([0.0, 0.0, 1.0, 2.0, 3.5, float("inf")])


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_a_table_holds_what_single_searches_find(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 7))
    node = st.integers(0, n - 1)
    arcs = data.draw(st.lists(st.tuples(node, node, COSTS), max_size=20))
    tail, head, cost = (np.array([arc[i] for arc in arcs], kind) for i, kind in enumerate((int, int, float)))
    graph = paths.graph(n, tail, head)
    ones = np.ones(len(arcs))
    ends = list(range(n))
    found, sums = skim(graph, cost, np.stack([cost, ones, ones * 0.5]), ends, ends)
    for start in ends:
        tree = paths.shortest_tree(graph, cost, start)
        np.testing.assert_array_equal(found[start], tree.distance)
        for end in ends:
            if np.isinf(tree.distance[end]):
                assert np.isnan(sums[:, start, end]).all()
            else:
                assert sums[0, start, end] == tree.distance[end]
                assert sums[1, start, end] == len(paths.path_to(tree, graph, end))
                assert sums[2, start, end] == sums[1, start, end] / 2


def test_wrong_tables_are_told() -> None:
    graph = paths.graph(2, [0], [1])
    with pytest.raises(ValueError, match=r"one cost for each of 1 arcs, got shape \(2,\)"):
        skim(graph, [1.0, 2.0], [[1.0]], [0], [1])
    with pytest.raises(ValueError, match=r"cost of arc 0: wanted a number >= 0 or inf, got -1\.0"):
        skim(graph, [-1.0], [[1.0]], [0], [1])
    with pytest.raises(ValueError, match=r"quantities for each of 1 arcs, got shape \(1, 2\)"):
        skim(graph, [1.0], [[1.0, 2.0]], [0], [1])
