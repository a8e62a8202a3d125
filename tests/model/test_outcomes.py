"""Sums over paths, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.model.network import ArcKind, Network
from landbridge.model.outcomes import PassageRule, PathTable, choke_points, classify, entries, pairs_used, sums
from small_supply import bare


def drawn() -> Network:
    """Two ways from A (country 0) to C (country 2): by B (country 1) with crossing x0, or by link l3 with x1.

    ::

        0 --l0-- 1 ==x0== 2 --l2-- 3          l0 in country 0, l2 in country 1, l4 in country 2
        0 --l3-- 4 ==x1== 5 --l4-- 3
    """
    return bare(
        6,
        [(0, 1), (1, 2), (2, 3), (0, 4), (4, 5), (5, 3)],
        links=("l0", "l1", "l2", "l3", "l3x", "l4"),
        kind=[0, int(ArcKind.BORDER), 0, 0, int(ArcKind.BORDER), 0],
        country=[0, 0, 1, 0, 0, 2],
        country_to=[0, 1, 1, 0, 2, 2],
        crossing=[-1, 0, -1, -1, 1, -1],
    )


def table(*paths: tuple[list[int], int, float]) -> PathTable:
    """From paths of arcs, relation, tonnes."""
    first = np.cumsum([0, *(len(p[0]) for p in paths)]).astype(np.int32)
    arcs = np.array([a for p in paths for a in p[0]], np.int32)
    return PathTable(
        first, arcs, np.array([p[1] for p in paths], np.int32), np.array([p[2] for p in paths], np.float64)
    )


UPPER, LOWER = [0, 1, 2], [3, 4, 5]


def rule(**given_sets: set[int]) -> PassageRule:
    names = ("any_crossings", "any_links", "all_countries", "no_countries", "ends_in")
    return PassageRule(**{name: frozenset(given_sets.get(name, set())) for name in names})


@pytest.mark.parametrize(
    ("asked", "upper", "lower"),
    [
        (rule(), True, True),
        (rule(any_crossings={0}), True, False),
        (rule(any_links={3}), False, True),
        (rule(any_crossings={0}, any_links={5}), True, True),  # of both lists together one is enough
        (rule(all_countries={0, 1}), True, False),
        (rule(all_countries={0}), True, True),
        (rule(no_countries={1}), False, True),
        (rule(ends_in={2}), False, True),
        (rule(ends_in={0}), True, True),
        (rule(any_crossings={0}, no_countries={1}), False, False),
        (rule(any_crossings={-2}), False, False),  # a crossing that is not open
    ],
)
def test_a_rule_asks_for_all_that_it_names(asked: PassageRule, upper: bool, lower: bool) -> None:
    found = classify(drawn(), table((UPPER, 0, 1.0), (LOWER, 0, 1.0)), [asked])
    assert found.tolist() == [0 if upper else -1, 0 if lower else -1]


def test_the_first_rule_that_fits_wins() -> None:
    rules = [rule(any_crossings={1}), rule(), rule(any_crossings={0})]
    assert classify(drawn(), table((UPPER, 0, 1.0), (LOWER, 0, 1.0)), rules).tolist() == [1, 0]


def test_a_border_alone_does_not_put_a_path_into_a_country() -> None:
    """Countries count by runs: the path that ends at the border of country 1 was never in it."""
    assert classify(drawn(), table(([0, 1], 0, 1.0)), [rule(all_countries={1})]).tolist() == [-1]


def test_entries_list_each_use_of_an_arc() -> None:
    net = drawn()
    paths = table((UPPER, 0, 5.0), (LOWER, 1, 7.0), (UPPER, 2, 11.0))
    path, arc = entries(paths, net.kind == ArcKind.BORDER)
    assert list(zip(path.tolist(), arc.tolist(), strict=True)) == [(0, 1), (1, 4), (2, 1)]
    keys, values = sums([net.crossing[arc]], [paths.tonnes_yr[path]])
    assert dict(zip(keys[0].tolist(), values[0].tolist(), strict=True)) == {0: 16.0, 1: 7.0}
    assert paths.count == 3
    assert paths.owner.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 2), st.floats(0, 1e6)), max_size=30))
def test_sums_by_keys_are_those_of_a_dictionary(rows: list[tuple[int, int, float]]) -> None:
    wanted: dict[tuple[int, int], float] = {}
    for a, b, value in rows:
        wanted[a, b] = wanted.get((a, b), 0.0) + value
    first, second = (np.array([r[i] for r in rows], np.int64) for i in (0, 1))
    keys, values = sums([first, second], [np.array([r[2] for r in rows], np.float64), np.ones(len(rows))])
    found = list(zip(keys[0].tolist(), keys[1].tolist(), strict=True))
    assert found == sorted(wanted)
    assert dict(zip(found, values[0].tolist(), strict=True)) == pytest.approx(wanted)
    assert values[1].sum() == len(rows)


def test_choke_points_are_full_preload_included_and_the_fullest_first() -> None:
    net = bare(
        2,
        [(0, 1)] * 4,
        facility=[0, 1, 2, 3],
        delay_h=np.ones(4),
        power=np.ones(4),
        capacity_trains_day=np.array([10.0, 10.0, 20.0, 20.0]),
        preload_trains_day=np.array([0.0, 6.0, 20.0, 0.0]),
        train_length_factor=np.ones(4),
        facility_arc=np.arange(4, dtype=np.int32),
    )
    chosen, use = choke_points(net, np.array([6.9, 2.0, 4.0, 14.0]), 0.7)
    assert chosen.tolist() == [2, 1, 3]
    assert use == pytest.approx([1.2, 0.8, 0.7])


def test_paths_that_use_two_things() -> None:
    net = drawn()
    paths = table((UPPER, 0, 5.0), (LOWER, 1, 7.0))
    crossing = net.crossing == 0
    assert pairs_used(paths, crossing, net.country == 1).tolist() == [True, False]
    assert pairs_used(paths, crossing, net.country == 2).tolist() == [False, False]
