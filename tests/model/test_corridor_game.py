"""What coalitions earn on a network: the reference's games, a plain arc program, and laws."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from landbridge.model.leverage.corridor import (
    CorridorGame,
    Optimum,
    Row,
    blocks,
    efficient_paths,
    row_worths,
    worths,
)
from landbridge.model.paths import graph

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "coop_games.json").read_text(encoding="utf-8"))


def along(
    paths: list[Any], room: dict[str, float], demand: dict[str, float], outside: dict[str, float], players: list[str]
) -> CorridorGame:
    """A network in which each of the given paths has arcs of its own, and shares only the links' room.

    o --link--> . --link--> d   for every path of a relation from o to d
    """
    links, relations = list(room), list(demand)
    node: dict[Any, int] = {}
    ends: list[tuple[int, int]] = []
    cost, consent, facility = [], [], []

    def at(name: Any) -> int:
        return node.setdefault(name, len(node))

    for relation in relations:
        at((relation, "from"))
        at((relation, "to"))
    for number, (relation, price, over, owners) in enumerate(paths):
        here = at((relation, "from"))
        for i, link in enumerate(over):
            there = at((relation, "to")) if i == len(over) - 1 else at((number, i))
            ends.append((here, there))
            cost.append(float(price) if i == 0 else 0.0)
            consent.append(sum(1 << players.index(p) for p in owners if p in players))
            facility.append(links.index(link))
            here = there
    count = len(relations)
    return CorridorGame(
        graph=graph(len(node), [a for a, _ in ends], [b for _, b in ends]),
        cost_usd_t=np.array([cost]),
        consent=np.array(consent, np.int64),
        facility=np.array(facility, np.int64),
        room=np.array([room[link] for link in links], np.float64),
        load=np.ones((1, len(links))),
        origin=np.array([node[r, "from"] for r in relations], np.int64),
        destination=np.array([node[r, "to"] for r in relations], np.int64),
        class_index=np.zeros(count, np.int64),
        tonnes_yr=np.array([demand[r] for r in relations], np.float64),
        outside_usd_t=np.array([outside[r] for r in relations], np.float64),
        own=np.zeros(count, np.int64),
        player_count=len(players),
    )


def all_worths(game: CorridorGame) -> list[float]:
    paths = efficient_paths(game)
    found: dict[int, Optimum] = {}
    for row in blocks(game.player_count):
        found.update(zip(row, worths(game, paths, row), strict=True))
    return [found[s].worth_usd_yr for s in range(1 << game.player_count)]


def told(entry: dict[str, Any]) -> list[float]:
    players = entry["players"]
    result = []
    for s in range(1 << len(players)):
        key = "+".join(p for i, p in enumerate(players) if s >> i & 1) or "-"
        result.append(float(Fraction(entry["v"][key])))
    return result


@pytest.mark.parametrize("name", ["base", "base_markets_not_players"])
def test_transit_network_of_the_reference(name: str) -> None:
    network = REFERENCE["transit5"]
    entry = network[name]
    game = along(network["paths"], network["caps"], network["demand"], network["sea"], entry["players"])
    assert all_worths(game) == pytest.approx(told(entry), abs=1e-7)


@pytest.mark.parametrize(("name", "room"), [("before", 0), ("after_CKU_cap15", 15), ("after_CKU_cap50", 50)])
def test_a_new_railway_of_the_reference(name: str, room: float) -> None:
    data, entry = REFERENCE["cku"]["data"], REFERENCE["cku"][name]
    caps = {**data["caps"], "CN-KG": room, "KG-UZ": room}
    game = along(data["paths"], caps, data["demand"], data["outside"], entry["players"])
    assert all_worths(game) == pytest.approx(told(entry), abs=1e-7)


@st.composite
def corridor_games(draw: st.DrawFn) -> CorridorGame:
    """Small networks with parallel arcs, free arcs, classes, full facilities and relations spared a consent."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    nodes, arcs, players = int(random.integers(3, 7)), int(random.integers(4, 16)), int(random.integers(1, 4))
    classes, facilities, relations = int(random.integers(1, 3)), 4, int(random.integers(1, 6))
    cost = random.integers(0, 9, (classes, arcs)).astype(np.float64)
    cost[random.random((classes, arcs)) < 0.1] = np.inf
    ends = np.array([random.permutation(nodes)[:2] for _ in range(relations)])
    return CorridorGame(
        graph=graph(nodes, random.integers(0, nodes, arcs), random.integers(0, nodes, arcs)),
        cost_usd_t=cost,
        consent=random.integers(0, 1 << players, arcs) * random.integers(0, 2, arcs),
        facility=random.integers(-1, facilities, arcs),
        room=random.choice([0.0, 3.0, 8.0, np.inf], facilities),
        load=random.choice([0.5, 1.0, 2.0], (classes, facilities)),
        origin=ends[:, 0].astype(np.int64),
        destination=ends[:, 1].astype(np.int64),
        class_index=random.integers(0, classes, relations),
        tonnes_yr=random.integers(0, 10, relations).astype(np.float64),
        outside_usd_t=random.integers(0, 25, relations).astype(np.float64),
        own=random.integers(0, 1 << players, relations),
        player_count=players,
    )


def by_arcs(game: CorridorGame, coalition: int) -> float:
    """The same worth as one linear program over arcs and relations."""
    m, count, n = game.consent.size, game.tonnes_yr.size, game.graph.node_count
    flow = np.zeros((n, m))
    np.add.at(flow, (game.graph.tail, np.arange(m)), 1.0)
    np.add.at(flow, (game.graph.head, np.arange(m)), -1.0)
    gain, upper = np.zeros(m * count + count), np.full(m * count + count, np.inf)
    balance = np.zeros((n * count, m * count + count))
    room = np.zeros((game.room.size, m * count + count))
    for r in range(count):
        k, mine = game.class_index[r], slice(r * m, (r + 1) * m)
        barred = (game.consent & ~(coalition | game.own[r]) != 0) | np.isinf(game.cost_usd_t[k])
        gain[mine] = np.where(barred, 0.0, game.cost_usd_t[k])
        upper[mine] = np.where(barred, 0.0, np.inf)
        balance[r * n : (r + 1) * n, mine] = flow
        balance[r * n + game.origin[r], m * count + r] = -1.0
        balance[r * n + game.destination[r], m * count + r] = 1.0
        gain[m * count + r] = -game.outside_usd_t[r]
        upper[m * count + r] = game.tonnes_yr[r]
        used = game.facility >= 0
        np.add.at(room, (game.facility[used], np.flatnonzero(used) + r * m), game.load[k, game.facility[used]])
    limited = np.isfinite(game.room)
    found = linprog(
        gain,
        A_ub=room[limited],
        b_ub=game.room[limited],
        A_eq=balance,
        b_eq=np.zeros(n * count),
        bounds=np.column_stack([np.zeros_like(upper), upper]),
        method="highs",
    )
    assert found.status == 0, found.message
    return float(-found.fun)


@given(game=corridor_games())
@settings(max_examples=60, deadline=None)
def test_against_a_program_over_arcs(game: CorridorGame) -> None:
    found = all_worths(game)
    assert found == pytest.approx([by_arcs(game, s) for s in range(len(found))], abs=1e-6)
    for row in blocks(game.player_count):  # those that are proved equal rather than solved too
        proved, solved = row_worths(Row(game, efficient_paths(game)), row)
        assert proved.tolist() == pytest.approx([found[s] for s in row], abs=1e-6)
        assert 1 <= solved <= len(row)
    assert found[0] >= 0.0
    for s in range(len(found)):  # more consent never hurts an optimum
        assert all(found[s | 1 << i] >= found[s] - 1e-9 for i in range(game.player_count))


@given(game=corridor_games(), number=st.integers(0, 7))
@settings(max_examples=40, deadline=None)
def test_what_comes_with_a_worth(game: CorridorGame, number: int) -> None:
    coalition = number % (1 << game.player_count)
    paths = efficient_paths(game)
    alone = worths(game, paths, [coalition])[0]
    after = worths(game, paths, [*range(1 << game.player_count), coalition])[-1]
    assert after.worth_usd_yr == pytest.approx(alone.worth_usd_yr, abs=1e-7)  # whatever was solved before
    assert (alone.tonnes_yr <= game.tonnes_yr + 1e-9).all()
    assert (alone.price_usd >= 0.0).all()
    assert alone.gap <= 1e-9


def test_efficient_paths_are_ordered_and_ask_less_as_they_cost_more() -> None:
    network = REFERENCE["transit5"]
    players = network["base"]["players"]
    paths = efficient_paths(along(network["paths"], network["caps"], network["demand"], network["sea"], players))
    assert paths.cost_usd_t.tolist() == [4.0, 6.0, 7.0]
    assert len({int(a) for a in paths.asks}) == 3


def test_what_has_no_worth_is_refused() -> None:
    network = REFERENCE["transit5"]
    players = network["base"]["players"]
    with pytest.raises(ValueError, match="finite costs"):
        efficient_paths(along(network["paths"], network["caps"], network["demand"], {"CNEU": np.inf}, players))
    negative = [[name, -price, links, owners] for name, price, links, owners in network["paths"]]
    with pytest.raises(ValueError, match="at least zero"):
        efficient_paths(along(negative, network["caps"], network["demand"], network["sea"], players))
