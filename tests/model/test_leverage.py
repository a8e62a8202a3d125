"""Games: exact answers of the reference, and the laws that each solution must obey."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.model import leverage
from landbridge.model.leverage import Game

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "coop_games.json").read_text(encoding="utf-8"))
Floats = npt.NDArray[np.float64]


def number(told: str | float) -> float:
    return float(Fraction(told)) if isinstance(told, str) else float(told)


def entries() -> Iterator[tuple[str, dict[str, Any]]]:
    for section, games in REFERENCE.items():
        for name, told in games.items():
            if isinstance(told, dict) and "v" in told:
                yield f"{section}/{name}", told


GAMES = dict(entries())


def of(told: dict[str, Any]) -> Game:
    players = told["players"]
    worth = np.zeros(1 << len(players))
    for key, value in told["v"].items():
        worth[0 if key == "-" else sum(1 << players.index(p) for p in key.split("+"))] = number(value)
    return leverage.make(players, worth)


def values(told: dict[str, Any], key: str) -> list[float]:
    return [number(told[key][p]) for p in told["players"]]


def close(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-9, abs=1e-8)


def indices(told: dict[str, Any], groups: list[list[str]]) -> list[list[int]]:
    return [[told["players"].index(p) for p in group] for group in groups]


def test_reference_holds_all_its_games() -> None:
    assert len(GAMES) == 23
    assert {"standard/apex_5", "transit5/base", "cku/after_CKU_cap15", "supply6/all_options"} <= GAMES.keys()


@pytest.mark.parametrize("name", GAMES)
def test_reference_exactly(name: str) -> None:
    told = GAMES[name]
    game = of(told)
    assert leverage.shapley(game) == close(values(told, "shapley"))
    assert leverage.banzhaf(game) == close(values(told, "banzhaf_raw"))
    assert leverage.nucleolus(game) == close(values(told, "nucleolus"))
    assert leverage.marginal(game) == close(values(told, "marginal_to_grand"))
    assert [told["players"][i] for i in leverage.veto_players(game)] == told["veto_players"]
    laws = leverage.laws(game)
    assert (laws["superadditive"] is None) == told["superadditive"]
    assert (laws["convex"] is None) == told["convex"]
    assert leverage.least_core(game).excess == pytest.approx(told["least_core_eps"], abs=1e-8)
    assert leverage.core(game).empty == told["core_empty"]
    if not told["core_empty"]:
        expected = [told["core_range"][p] for p in told["players"]]
        ranges = leverage.core_ranges(game)
        assert ranges is not None
        assert ranges.ravel() == pytest.approx(np.ravel(expected), rel=1e-6, abs=1e-6 * abs(game.grand))
    if "blocks" in told:
        blocs = indices(told, told["blocks"])
        assert leverage.owen(game, blocs) == close(values(told, "owen"))
        assert leverage.aumann_dreze(game, blocs) == close(values(told, "aumann_dreze"))
        together = leverage.shapley(leverage.quotient(game, blocs))
        assert together == close([number(x) for x in told["bloc_as_one_player"]])
    if "myerson" in told:
        links = [(a, b) for a, b in indices(told, told["communication_links"])]
        assert leverage.myerson(game, links) == close(values(told, "myerson"))
    if "weighted_shapley" in told:
        weights = [told["weights"][p] for p in told["players"]]
        assert leverage.weighted_shapley(game, weights) == close(values(told, "weighted_shapley"))


def test_security_council() -> None:
    told = REFERENCE["standard"]["un_security_council_15"]
    coalitions = np.arange(1 << 15)
    wins = (coalitions & 31 == 31) & (leverage.game.sizes(15) >= 9)
    found = leverage.shapley(leverage.make([str(i) for i in range(15)], wins.astype(np.float64)))
    assert found[:5] == close([number(told["permanent"])] * 5)
    assert found[5:] == close([number(told["nonpermanent"])] * 10)


def test_council_of_the_six_of_1958() -> None:
    """Article 148 of the EEC treaty: votes of 4, 4, 4, 2, 2 and 1, 12 of 17 needed; Luxembourg was never heard.

    Beside it all 720 orders, counted one by one.
    """
    votes = np.array([4, 4, 4, 2, 2, 1])
    game = leverage.make("DFIBNL", (leverage.game.spread(votes) >= 12).astype(np.float64))
    assert leverage.shapley(game) == close([14 / 60] * 3 + [9 / 60] * 2 + [0])
    assert leverage.banzhaf(game) == close([10 / 32] * 3 + [6 / 32] * 2 + [0])
    turned = [0] * 6
    for order in permutations(range(6)):
        turned[order[int((votes[list(order)].cumsum() >= 12).argmax())]] += 1
    assert leverage.shapley(game) == close(np.array(turned) / 720)
    assert leverage.core(game).empty
    assert leverage.veto_players(game) == ()


def test_savings_of_the_airport_game() -> None:
    cost = of(GAMES["standard/airport_cost_4_7_7_12_20"])
    told = REFERENCE["standard"]["airport_as_negated_savings"]
    negated = leverage.make(cost.players, -cost.worth)
    assert leverage.nucleolus(negated) == close(told["nucleolus_of_minus_c"])
    assert not leverage.core(negated).empty


def test_a_bloc_in_series_loses_and_one_in_parallel_gains() -> None:
    for name, alone, together in (("unanimity_line_4", 3, 2), ("two_parallel_transits", 1, 2)):
        told = GAMES[f"standard/{name}"]
        blocs = indices(told, told["blocks"])
        game = of(told)
        assert leverage.shapley(game)[1] == close(alone)
        assert leverage.owen(game, blocs)[1] == close(together)


# ------------------------------------------------------------------------------------------------------------- laws


@st.composite
def games(draw: st.DrawFn, most: int = 5) -> Game:
    """Games of whole numbers, monotone or not."""
    count = draw(st.integers(1, most))
    worth = draw(st.lists(st.integers(-20, 20), min_size=(1 << count) - 1, max_size=(1 << count) - 1))
    return leverage.make([f"p{i}" for i in range(count)], np.array([0, *worth], np.float64))


SINGLE: dict[str, Callable[[Game], Floats]] = {
    "shapley": leverage.shapley,
    "weighted": lambda game: leverage.weighted_shapley(game, np.arange(1, len(game.players) + 1).tolist()),
    "nash": leverage.nash,
    "nucleolus": leverage.nucleolus,
    "owen": lambda game: leverage.owen(game, halves(game)),
}


def halves(game: Game) -> list[list[int]]:
    count = len(game.players)
    parts = [list(range(0, count, 2)), list(range(1, count, 2))]
    return [part for part in parts if part]


@pytest.mark.parametrize("rule", SINGLE)
@given(game=games())
@settings(max_examples=25, deadline=None)
def test_efficiency(rule: str, game: Game) -> None:
    assert SINGLE[rule](game).sum() == pytest.approx(game.grand, abs=1e-7)


@given(game=games(4), amount=st.integers(-9, 9))
@settings(max_examples=30, deadline=None)
def test_dummy_gets_what_it_is_worth_alone(game: Game, amount: int) -> None:
    larger = leverage.make([*game.players, "dummy"], np.concatenate([game.worth, game.worth + amount]))
    everyone = [*SINGLE.values(), leverage.banzhaf]
    for rule in everyone:
        if rule is not SINGLE["nash"] and rule is not SINGLE["nucleolus"]:
            assert rule(larger)[-1] == pytest.approx(amount, abs=1e-9)
    assert leverage.shapley(larger)[:-1] == pytest.approx(leverage.shapley(game), abs=1e-9)


@given(game=games(), other=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_additivity_and_relabelling(game: Game, other: int) -> None:
    count = len(game.players)
    random = np.random.default_rng(other)
    second = np.append(0.0, random.integers(-9, 9, game.worth.size - 1).astype(np.float64))
    order = random.permutation(count)
    moved = np.zeros(game.worth.size, np.int64)
    for new, old in enumerate(order):
        moved |= (np.arange(game.worth.size) >> new & 1) << int(old)
    relabelled = leverage.make([game.players[i] for i in order], game.worth[moved])
    for rule in (leverage.shapley, leverage.banzhaf, leverage.nucleolus):
        assert rule(relabelled) == pytest.approx(rule(game)[order], abs=1e-7)
    for rule in (leverage.shapley, leverage.banzhaf, leverage.nash):
        both = rule(leverage.make(game.players, game.worth + second))
        assert both == pytest.approx(rule(game) + rule(leverage.make(game.players, second)), abs=1e-8)


@given(game=games())
@settings(max_examples=30, deadline=None)
def test_symmetric_players_get_the_same(game: Game) -> None:
    if len(game.players) < 2:
        return
    swapped = game.worth.reshape(-1, 2, 2).transpose(0, 2, 1).ravel()
    alike = leverage.make(game.players, (game.worth + swapped) / 2)
    for rule in (leverage.shapley, leverage.banzhaf, leverage.nash, leverage.nucleolus):
        found = rule(alike)
        assert found[0] == pytest.approx(found[1], abs=1e-7)


@given(game=games())
@settings(max_examples=30, deadline=None)
def test_blocs(game: Game) -> None:
    blocs = halves(game)
    owen = leverage.owen(game, blocs)
    assert [owen[b].sum() for b in blocs] == pytest.approx(leverage.shapley(leverage.quotient(game, blocs)), abs=1e-8)
    alone = [[i] for i in range(len(game.players))]
    assert leverage.owen(game, alone) == pytest.approx(leverage.shapley(game), abs=1e-8)
    assert leverage.owen(game, [list(range(len(game.players)))]) == pytest.approx(leverage.shapley(game), abs=1e-8)


@given(game=games())
@settings(max_examples=40, deadline=None)
def test_core_and_its_proof(game: Game) -> None:
    core = leverage.core(game)
    member = np.arange(game.worth.size)[:, None] >> np.arange(len(game.players)) & 1
    if core.empty:
        weights = np.array(list(core.certificate.values()))
        assert (weights > 0).all()
        assert weights @ member[list(core.certificate)] == pytest.approx(np.ones(len(game.players)), abs=1e-6)
        assert core.balanced_worth > game.grand
        assert leverage.core_ranges(game) is None
    else:
        assert core.allocation is not None
        assert (member @ core.allocation >= game.worth - 1e-7).all()


def meet(coalitions: tuple[int, ...], worth: list[Fraction], count: int) -> list[Fraction] | None:
    """The one allocation under which these coalitions get what they are worth, in fractions; None if not one."""
    rows = [[*(Fraction(s >> i & 1) for i in range(count)), worth[s]] for s in coalitions]
    for i in range(count):
        pivot = next((r for r in range(i, count) if rows[r][i]), None)
        if pivot is None:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for r in range(count):
            if r != i:
                rows[r] = [x - rows[r][i] * y for x, y in zip(rows[r], rows[i], strict=True)]
    return [row[-1] for row in rows]


def vertices(game: Game) -> list[list[Fraction]]:
    """The vertices of the core, exactly: where all and n - 1 more coalitions get what they are worth, and none less."""
    count, whole = len(game.players), game.worth.size - 1
    worth = [Fraction(v) for v in game.worth.tolist()]
    found = []
    for chosen in combinations(range(1, whole), count - 1):
        x = meet((*chosen, whole), worth, count)
        if x is not None and all(sum(x[i] for i in range(count) if s >> i & 1) >= worth[s] for s in range(whole)):
            found.append(x)
    return found


def check_ranges(game: Game) -> None:
    corners, ranges = vertices(game), leverage.core_ranges(game)
    if not corners:
        assert ranges is None
        return
    assert ranges is not None
    exact = [[float(end(x[i] for x in corners)) for end in (min, max)] for i in range(len(game.players))]
    assert ranges.ravel() == pytest.approx(np.ravel(exact), rel=1e-13, abs=1e-13 * np.abs(game.worth).max())


@given(game=games(4))
@settings(max_examples=60, deadline=None)
def test_ranges_of_the_core_against_its_vertices_in_fractions(game: Game) -> None:
    check_ranges(game)


@given(game=games(4), more=st.integers(min_value=0, max_value=40))
@settings(max_examples=60, deadline=None)
def test_ranges_of_thin_and_wide_cores(game: Game, more: int) -> None:
    """All together are worth as much that the core is often not empty, and sometimes a point, a line or a plane."""
    worth = np.array(game.worth)
    worth[-1] = len(game.players) * worth[:-1].max() // 2 + more
    check_ranges(leverage.make(game.players, worth))


@pytest.mark.parametrize("name", ["transit5/base", "cku/before", "cku/after_CKU_cap15", "cku/after_CKU_cap50"])
def test_ranges_of_the_core_of_five_countries(name: str) -> None:
    """What the reference gives in exact numbers is met to the last digits: 240 is not 240.00000024."""
    told = GAMES[name]
    ranges = leverage.core_ranges(of(told))
    assert ranges is not None
    expected = np.ravel([[number(x) for x in told["core_range"][p]] for p in told["players"]])
    assert ranges.ravel() == pytest.approx(expected, rel=1e-13, abs=1e-10)


def test_ranges_of_a_core_that_rounding_empties() -> None:
    """Three that share a third each: v of pairs is two thirds in floats, and more than that by a last digit or two."""
    third = 1.0 / 3.0
    worth = np.array([0.0, third, third, 2 * third, third, 2 * third, 2 * third, 1.0])
    worth[3] = np.nextafter(np.nextafter(worth[3], 1.0), 1.0)
    assert leverage.core_ranges(leverage.make("ABC", worth)) == pytest.approx(np.full((3, 2), third), rel=1e-12)


@given(game=games(4))
@settings(max_examples=40, deadline=None)
def test_nucleolus_beats_its_neighbours(game: Game) -> None:
    """No small move of money between two players sorts the excesses lower."""
    found = leverage.nucleolus(game)
    member = np.arange(1, game.worth.size - 1)[:, None] >> np.arange(len(game.players)) & 1
    alone = game.worth[1 << np.arange(len(game.players))]
    promised = alone.sum() <= game.grand + 1e-9

    def excesses(x: Floats) -> list[float]:
        return sorted(np.round(game.worth[1:-1] - member @ x, 6).tolist(), reverse=True)

    for i in range(len(game.players)):
        for j in range(len(game.players)):
            other = found.copy()
            other[i] += 0.01
            other[j] -= 0.01
            if i != j and not (promised and (other < alone - 1e-9).any()):
                assert excesses(found) <= excesses(other)


@given(game=games(5))
@settings(max_examples=30, deadline=None)
def test_laws_against_their_definition(game: Game) -> None:
    v, whole = game.worth, game.worth.size
    together = all(v[a | b] >= v[a] + v[b] - 1e-9 for a in range(whole) for b in range(whole) if not a & b)
    convex = all(v[a | b] + v[a & b] >= v[a] + v[b] - 1e-9 for a in range(whole) for b in range(whole))
    monotone = all(v[a | b] >= v[a] - 1e-9 for a in range(whole) for b in range(whole))
    found = leverage.laws(game)
    assert [found[k] is None for k in ("superadditive", "convex", "monotone")] == [together, convex, monotone]
    if (broken := found["superadditive"]) is not None:
        assert not broken.first & broken.second
        assert broken.amount == pytest.approx(v[broken.first] + v[broken.second] - v[broken.first | broken.second])
    if (broken := found["convex"]) is not None:
        a, b = broken.first, broken.second
        assert broken.amount == pytest.approx(v[a] + v[b] - v[a | b] - v[a & b])


def test_sampling_comes_near_and_sums_exactly() -> None:
    game = of(GAMES["supply6/all_options"])
    exact = leverage.shapley(game)
    value, error = leverage.sample_shapley(
        lambda s: game.worth[s], 6, permutations=400, random=np.random.default_rng(7)
    )
    assert value.sum() == pytest.approx(game.grand, abs=1e-8)
    assert (np.abs(value - exact) <= 4 * error + 1e-9).all()
    assert (error[exact > 1] > 0).any()
    with pytest.raises(ValueError, match="at least 2"):
        leverage.sample_shapley(float, 3, permutations=1, random=np.random.default_rng(7))


@pytest.mark.parametrize(
    ("players", "worth", "said"),
    [
        ([], [0.0], "1 to 16"),
        ([str(i) for i in range(17)], np.zeros(1 << 17), "1 to 16"),
        (["a", "a"], np.zeros(4), "each once"),
        (["a", "b"], np.zeros(3), "wanted 4 values"),
        (["a"], [0.0, np.nan], "finite"),
        (["a"], [1.0, 2.0], "nobody is worth 0"),
    ],
)
def test_what_is_no_game_is_refused(players: list[str], worth: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        leverage.make(players, worth)


def test_groups_that_do_not_fit_are_refused() -> None:
    game = of(GAMES["standard/glove_L1_R2"])
    with pytest.raises(ValueError, match="exactly one bloc"):
        leverage.owen(game, [[0, 1], [1, 2]])
    with pytest.raises(ValueError, match="different players"):
        leverage.myerson(game, [(0, 0)])
    with pytest.raises(ValueError, match="greater than 0"):
        leverage.weighted_shapley(game, [1.0, 0.0, 1.0])
