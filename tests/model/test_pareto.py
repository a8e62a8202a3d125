"""Efficient paths against brute force on small random graphs, and the laws that they keep."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import NotConverged
from landbridge.model import pareto, paths

VALUES = st.sampled_from([0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, float("inf")])
Case = tuple[paths.Graph, np.ndarray]


@st.composite
def cases(draw: st.DrawFn, criteria: tuple[int, int] = (2, 4)) -> Case:
    """Up to six nodes, with loops, parallel and free arcs, and arcs that one criterion forbids."""
    count = draw(st.integers(2, 6))
    rows = draw(st.integers(*criteria))
    node = st.integers(0, count - 1)
    arcs = draw(st.lists(st.tuples(node, node, st.tuples(*[VALUES] * rows)), min_size=1, max_size=16))
    graph = paths.graph(count, [a for a, _, _ in arcs], [b for _, b, _ in arcs])
    return graph, np.array([values for _, _, values in arcs], np.float64).T.copy()


def every_path(graph: paths.Graph, values: np.ndarray, source: int, target: int) -> np.ndarray:
    """Sums of all simple paths, as networkx lists them."""
    other = nx.MultiDiGraph()
    other.add_nodes_from(range(graph.node_count))
    for arc, (a, b) in enumerate(zip(graph.tail.tolist(), graph.head.tolist(), strict=True)):
        if np.isfinite(values[:, arc]).all():
            other.add_edge(a, b, key=arc)
    if source == target:
        return np.zeros((1, len(values)))
    found = nx.all_simple_edge_paths(other, source, target)
    sums = [values[:, [arc for _, _, arc in path]].sum(axis=1) for path in found]
    return np.array(sums).reshape(-1, len(values))


def best_of(sums: np.ndarray) -> list[tuple[float, ...]]:
    rows = sorted({tuple(row) for row in sums.tolist()})
    return [a for a in rows if not any(b != a and all(x <= y for x, y in zip(b, a, strict=True)) for b in rows)]


def search(case: Case, **given: object) -> pareto.Front:
    graph, values = case
    return pareto.efficient(graph, values, 0, graph.node_count - 1, **given)  # type: ignore[arg-type]


@given(cases())
@settings(deadline=None, max_examples=300)
def test_the_set_is_what_listing_all_paths_gives(case: Case) -> None:
    graph, values = case
    front = search(case)
    assert front.status == "complete"
    assert np.isinf(front.complete_below)
    assert [tuple(row) for row in front.values.tolist()] == best_of(every_path(graph, values, 0, graph.node_count - 1))
    for sums, arcs in zip(front.values, front.paths, strict=True):
        nodes = [0, *graph.head[arcs].tolist()]
        assert graph.tail[arcs].tolist() == nodes[:-1]
        assert nodes[-1] == graph.node_count - 1
        assert values[:, arcs].sum(axis=1).tolist() == sums.tolist()


@given(cases((5, 6)))
@settings(deadline=None, max_examples=50)
def test_five_and_six_criteria_too(case: Case) -> None:
    graph, values = case
    wanted = best_of(every_path(graph, values, 0, graph.node_count - 1))
    assert [tuple(row) for row in search(case).values.tolist()] == wanted


@given(cases(), st.data())
@settings(deadline=None)
def test_another_arc_never_takes_a_better_path_away(case: Case, data: st.DataObject) -> None:
    graph, values = case
    node = st.integers(0, graph.node_count - 1)
    a, b = data.draw(node), data.draw(node)
    more = np.array(data.draw(st.tuples(*[VALUES] * len(values))))
    wider = paths.graph(graph.node_count, [*graph.tail.tolist(), a], [*graph.head.tolist(), b])
    after = search((wider, np.column_stack([values, more])))
    for sums in search(case).values:
        assert (after.values <= sums).all(axis=1).any()


@given(cases(), st.sampled_from([0.05, 0.5, 2.0]))
@settings(deadline=None)
def test_epsilon_keeps_its_promise(case: Case, epsilon: float) -> None:
    whole, part = search(case), search(case, epsilon=epsilon)
    assert len(part.paths) <= len(whole.paths)
    assert part.status == "complete"
    for sums in whole.values:
        assert (part.values <= (1 + epsilon) * sums + 1e-9).all(axis=1).any()


@given(cases((2, 3)), st.lists(st.sampled_from([0.0, 1.0, 2.5, 4.0, float("inf")]), min_size=3, max_size=3))
@settings(deadline=None)
def test_limits_leave_out_what_is_above_them_and_nothing_else(case: Case, limits: list[float]) -> None:
    graph, values = case
    most = np.array(limits[: len(values)])
    sums = every_path(graph, values, 0, graph.node_count - 1)
    wanted = best_of(sums[(sums <= most).all(axis=1)])
    assert [tuple(row) for row in search(case, most=most).values.tolist()] == wanted
    found = pareto.best_within(graph, values[0], values[1:], most[1:], 0, graph.node_count - 1)
    fits = sums[(sums[:, 1:] <= most[1:]).all(axis=1)]
    if not len(fits):
        assert found is None
    else:
        assert found is not None
        assert found[0] == fits[:, 0].min()
        assert (values[1:, found[1]].sum(axis=1) <= most[1:]).all()


@given(cases(), st.integers(1, 12), st.integers(1, 3))
@settings(deadline=None)
def test_a_search_that_stops_early_says_what_is_missing(case: Case, max_labels: int, max_paths: int) -> None:
    whole, part = search(case), search(case, max_labels=max_labels, max_paths=max_paths)
    known = [tuple(row) for row in whole.values.tolist()]
    got = [tuple(row) for row in part.values.tolist()]
    assert got == known[: len(got)]
    assert all(row in got for row in known if row[0] < part.complete_below - 1e-9)
    assert (part.status == "complete") or not np.isinf(part.complete_below)
    if part.status == "complete":
        assert got == known


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=12))
def test_rows_that_are_not_beaten(rows: list[tuple[float, ...]]) -> None:
    kept = pareto.efficient_rows(np.array(rows))
    assert sorted(row for row, ok in zip(rows, kept.tolist(), strict=True) if ok) == best_of(np.array(rows))


def fan(count: int) -> Case:
    """A chain of pairs of parallel arcs (2**i, 0) and (0, 2**i): each of the 2**count paths is efficient."""
    tail = [i for i in range(count) for _ in range(2)]
    values = np.array([[2.0**i, 0.0] if j == 0 else [0.0, 2.0**i] for i in range(count) for j in range(2)]).T
    return paths.graph(count + 1, tail, [t + 1 for t in tail]), values


def test_a_hard_case_is_whole_or_says_that_it_is_not() -> None:
    case = fan(10)
    assert len(search(case).paths) == 1024
    few = search(case, max_paths=100)
    assert (few.status, len(few.paths), few.complete_below) == ("path limit", 100, 99.0)
    assert "path limit" in few.guarantee
    little = search(case, max_labels=200)
    assert little.status == "label limit"
    near = search(case, epsilon=0.1)
    assert len(near.paths) < 100
    assert "10.00%" in near.guarantee


def test_tenths_that_do_not_add_up_in_doubles_still_tie() -> None:
    """0.1 + 0.2 is not 0.3 to a computer; as multiples of a millionth it is."""
    graph = paths.graph(3, [0, 1, 0], [1, 2, 2])
    front = pareto.efficient(graph, np.array([[0.1, 0.2, 0.3], [1.0, 1.0, 2.0]]), 0, 2)
    assert len(front.paths) == 1


def test_wrong_questions_are_told() -> None:
    graph = paths.graph(2, [0], [1])
    with pytest.raises(ValueError, match="2 to 6 criteria, got 1"):
        pareto.efficient(graph, [[1.0]], 0, 1)
    with pytest.raises(ValueError, match=r"criterion 1 of arc 0: wanted a number >= 0 or inf, got -1\.0"):
        pareto.efficient(graph, [[1.0], [-1.0]], 0, 1)
    with pytest.raises(ValueError, match="wanted values for each of 1 arcs, got 2"):
        pareto.efficient(graph, [[1.0, 1.0], [1.0, 1.0]], 0, 1)
    with pytest.raises(ValueError, match="target: wanted a node below 2, got 2"):
        pareto.efficient(graph, [[1.0], [1.0]], 0, 2)
    with pytest.raises(ValueError, match="most: wanted 2 limits"):
        pareto.efficient(graph, [[1.0], [1.0]], 0, 1, most=[1.0])
    with pytest.raises(ValueError, match="not exact at a resolution"):
        pareto.efficient(graph, [[1e12], [1.0]], 0, 1)
    with pytest.raises(ValueError, match="epsilon"):
        pareto.efficient(graph, [[1.0], [1.0]], 0, 1, epsilon=-1)
    chain, values = fan(6)
    with pytest.raises(NotConverged, match="among the first 1 labels"):
        pareto.best_within(chain, values[0], values[1:], [9e9], 0, 6, max_labels=1)
