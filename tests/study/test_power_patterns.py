"""Patterns that real corridors must show (reduced size): direct ways, blocs in series, the railways of the day.

Hubert & Ikonnikova (2011): a direct way to the customer moves power far more than the surplus that it makes, and more
than competition between transit countries does. The direct way of these tests is made up; the rival one is the CKU
railway of the atlas.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from landbridge.model import leverage
from landbridge.model.leverage import Game
from landbridge.model.leverage.corridor import CorridorGame, efficient_paths
from landbridge.model.paths import graph
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Build, Close
from landbridge.study.players import players_of
from landbridge.study.solve import Settings
from landbridge.study.worth import RULES, corridors, solve_worths
from small_run import small_tables

YEAR = 2023
PLAYERS = ("CN", "KZ", "RU", "KG", "eu")
FERRIES = ("ferry:kz-aktau:az-alat", "ferry:kz-kuryk:az-alat")


@lru_cache(maxsize=3)
def network(*measures: Build | Close) -> CorridorGame:
    tables = small_tables()
    applied = apply(tables, measures, YEAR, held=frozenset({"cku"})).tables
    playing = players_of(tables, PLAYERS, YEAR)
    return corridors(applied, playing, rule=RULES[0], year=YEAR, settings=Settings(size="reduced")).game


def game_of(laid: CorridorGame, free_usd_yr: float | None = None) -> Game:
    """The game; beyond what is free without anybody's consent, or beyond another amount that was free before."""
    worth = solve_worths(laid)
    return leverage.make(PLAYERS, np.append(0.0, worth[1:] - (worth[0] if free_usd_yr is None else free_usd_yr)))


def with_direct_way(laid: CorridorGame, trains_day: float) -> CorridorGame:
    """A way between China and the EU that asks only these two: as cheap as what its cargo pays now, and short of room.

    origin --a little cheaper than the least cost by land--> destination, for every relation between the two
    """
    ends = 1 << PLAYERS.index("CN") | 1 << PLAYERS.index("eu")
    paths = efficient_paths(laid)
    # relations whose cheapest way asks China and the EU at its ends
    asks = np.zeros(laid.tonnes_yr.size, np.int64)
    cheapest = np.full(laid.tonnes_yr.size, np.inf)
    for r, cost, asked in zip(paths.relation, paths.cost_usd_t, paths.asks, strict=True):
        if cost < cheapest[r]:
            cheapest[r], asks[r] = cost, asked
    through = (asks & ends == ends) & np.isfinite(cheapest)
    chosen = np.flatnonzero(through)
    assert chosen.size > 0
    count = chosen.size
    extra = np.full((laid.cost_usd_t.shape[0], count), np.inf)
    extra[laid.class_index[chosen], np.arange(count)] = 0.999 * cheapest[chosen]
    return replace(
        laid,
        graph=graph(
            laid.graph.node_count,
            np.append(laid.graph.tail, laid.origin[chosen]),
            np.append(laid.graph.head, laid.destination[chosen]),
        ),
        cost_usd_t=np.hstack([laid.cost_usd_t, extra]),
        consent=np.append(laid.consent, np.full(count, ends)),
        facility=np.append(laid.facility, np.full(count, laid.room.size)),
        room=np.append(laid.room, trains_day),
        load=np.hstack([laid.load, laid.load[:, laid.facility[laid.facility >= 0]].max(axis=1, keepdims=True)]),
    )


def moved(before: Game, after: Game) -> tuple[float, float, dict[str, float]]:
    """Rise of what all are worth, power that changes hands beyond it, and who gets how much more."""
    change = leverage.shapley(after) - leverage.shapley(before)
    rise = after.grand - before.grand
    return rise, float(np.abs(change).sum()), dict(zip(PLAYERS, change.tolist(), strict=True))


def test_a_direct_way_moves_more_power_for_what_it_earns_than_a_rival_transit_does() -> None:
    before = game_of(network())
    rival_rise, rival_power, rival = moved(before, game_of(network(Build(project="cku"))))
    direct_rise, direct_power, direct = moved(before, game_of(with_direct_way(network(), 40.0)))
    assert rival_rise > 0.0
    assert direct_rise > 0.0
    assert direct_power / direct_rise > rival_power / rival_rise > 1.0
    assert direct["KZ"] + direct["RU"] < 0.0 < direct["CN"] + direct["eu"]
    assert rival["KZ"] < 0.0 < rival["KG"]
    assert sum(direct.values()) == pytest.approx(direct_rise, rel=1e-6)


def test_the_middle_corridor_is_a_threat_before_it_is_used() -> None:
    """While Russia's lines are open the ferries to Baku earn little more; without Russia they do, and so weigh."""
    # outside options as with the ferries: to some relations they are a part of the way to the ocean
    closed = replace(network(Close(links=FERRIES)), outside_usd_t=network().outside_usd_t)
    free = float(solve_worths(closed)[0])
    without, there = game_of(closed, free), game_of(network(), free)
    rise, _, change = moved(without, there)
    assert (there.worth >= without.worth - 1e-6 * there.grand).all()  # more ways never hurt an optimum
    everyone = there.worth.size - 1
    others = everyone ^ 1 << PLAYERS.index("RU")
    gained = there.worth[others] - without.worth[others]
    assert gained > max(rise, 0.0)
    assert change["KZ"] > 0.0 > change["RU"]


def test_kazakhstan_and_russia_as_one_voice() -> None:
    """Whether a union gains hangs on whether its members lie in series or side by side; what it gets is the same."""
    game = game_of(network())
    one = leverage.quotient(game, [[0], [1, 2], [3], [4]])
    apart = leverage.shapley(game)[[1, 2]].sum()
    together = leverage.shapley(one)[1]
    inside = leverage.owen(game, [[0], [1, 2], [3], [4]])
    assert inside[[1, 2]].sum() == pytest.approx(together, rel=1e-9)
    assert abs(together - apart) > 1e-6 * game.grand
