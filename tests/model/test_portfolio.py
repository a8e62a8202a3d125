"""Selections under budgets: the reference's frontiers and designs, and enumeration of small problems."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain, combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.data.formats.records import NetworkFile, TripsFile
from landbridge.model import portfolio
from landbridge.model.portfolio import Relaxation


@pytest.fixture(scope="module")
def told(shared: Path) -> dict[str, Any]:
    return dict(json.loads((shared / "reference" / "econ" / "appraisal.json").read_text(encoding="utf-8")))


def knapsack(cost: Any, benefit: list[float], budget: Any, **options: Any) -> portfolio.Selection:
    gains = np.array(benefit, float)

    def relax(everything: frozenset[int]) -> Relaxation:
        saving = np.zeros(gains.size)
        saving[sorted(everything)] = gains[sorted(everything)]
        return Relaxation(-float(saving.sum()), saving)

    return portfolio.select_set(lambda s: -float(gains[sorted(s)].sum()), relax, cost, budget, **options)


@pytest.mark.shared
def test_reference_knapsack(told: dict[str, Any]) -> None:
    projects = told["knapsack"]["projects"]
    cost, benefit = ([float(p[key]) for p in projects] for key in ("cost", "benefit"))
    last = 0.0
    for point in told["knapsack"]["frontier"]:
        found = knapsack(cost, benefit, float(point["budget"]))
        assert found.proved
        assert -found.value == pytest.approx(point["best_benefit"], rel=1e-6)
        assert sum(cost[i] for i in found.chosen) <= point["budget"]
        if point["number_of_optimal_sets"] == 1:
            assert {projects[i]["id"] for i in found.chosen} == set(point["best_set"])
        assert -found.value >= last
        last = -found.value


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=7),
    st.integers(0, 20),
    st.integers(0, 20),
)
@settings(max_examples=60, deadline=None)
def test_two_budgets_against_enumeration(items: list[tuple[int, int, int]], first: int, second: int) -> None:
    cost = np.array([[a for a, _, _ in items], [b for _, b, _ in items]], float)
    benefit = [float(v) for _, _, v in items]
    sets = chain.from_iterable(combinations(range(len(items)), k) for k in range(len(items) + 1))
    best = max(
        sum(benefit[i] for i in s) for s in sets if cost[0, list(s)].sum() <= first and cost[1, list(s)].sum() <= second
    )
    found = knapsack(cost, benefit, [first, second])
    assert found.proved
    assert -found.value == pytest.approx(best)
    assert found.bound == found.value


@given(
    st.integers(1, 6),
    st.lists(st.lists(st.integers(0, 9), min_size=7, max_size=7), min_size=1, max_size=5),
    st.integers(0, 12),
)
@settings(max_examples=60, deadline=None)
def test_cuts_lose_no_optimum(n: int, faces: list[list[int]], budget: int) -> None:
    """The largest of some planes: every relaxation is one of them, so that cuts do most of the work."""
    cost = np.array([1 + i % 3 for i in range(n)], float)
    base = np.array([10.0 * face[-1] for face in faces])
    gain = np.array([face[:n] for face in faces], float)

    def value(chosen: frozenset[int]) -> float:
        return float((base - gain[:, sorted(chosen)].sum(axis=1)).max())

    def relax(everything: frozenset[int]) -> Relaxation:
        row = int((base - gain[:, sorted(everything)].sum(axis=1)).argmax())
        inside = np.array([i in everything for i in range(n)])
        return Relaxation(value(everything), np.where(inside, gain[row], 0.0), np.where(inside, 0.0, gain[row]))

    sets = [s for k in range(n + 1) for s in combinations(range(n), k) if cost[list(s)].sum() <= budget]
    best = min(value(frozenset(s)) for s in sets)
    found = portfolio.select_set(value, relax, cost, float(budget))
    assert found.proved
    assert found.value == pytest.approx(best, abs=1e-12)


def test_what_is_stopped_is_not_proved() -> None:
    rng = np.random.default_rng(5)
    cost, benefit = rng.uniform(1, 2, 18), rng.uniform(1, 2, 18)
    asked = iter(range(10_000))
    found = knapsack(cost, benefit.tolist(), 14.0, stop=lambda: next(asked) > 40)
    whole = knapsack(cost, benefit.tolist(), 14.0)
    assert whole.proved
    assert not found.proved
    assert found.bound <= whole.value <= found.value
    assert found.gap > 0


def test_costs_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        knapsack([-1.0], [1.0], 1.0)
    with pytest.raises(ValueError, match="wanted 1"):
        knapsack([1.0], [1.0], [1.0, 2.0])


# ------------------------------------------------------------------------------------------------ network design


def write_candidates(folder: Path, links: list[list[float]]) -> Path:
    path = folder / "candidates.csv"
    rows = [f"{int(a)},{int(b)},{c},{t},{g}" for a, b, c, t, g in links]
    path.write_text("\n".join(["from,to,capacity,fft,cost", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.shared
@pytest.mark.parametrize(("name", "demand", "share"), [("SF_DNDP_10_3", 100, 25), ("SF_DNDP_10_2", 150, 25)])
def test_reference_designs(shared: Path, tmp_path: Path, name: str, demand: int, share: int) -> None:
    """The best of all 1,024 designs; in the second the published design is not the best."""
    from landbridge.study.design import design_files

    told = json.loads((shared / "reference" / "econ" / "dndp_siouxfalls.json").read_text(encoding="utf-8"))
    case = told["ten_link"][name]
    best = case[f"D{demand}_B{share}"]
    found = design_files(
        shared / "tntp" / "SiouxFalls_net.tntp",
        shared / "tntp" / "SiouxFalls_trips.tntp",
        write_candidates(tmp_path, case["candidate_links[from,to,capacity,fft,cost]"]),
        budget=best["budget"],
        demand=demand / 100,
    )
    assert found["proved"]
    assert sorted(tuple(map(int, pair)) for pair in found["built"]) == sorted(map(tuple, best["built"]))
    assert found["total_travel_time"] == pytest.approx(best["tstt"], rel=1e-7)
    assert found["cost"] == best["cost"]
    assert found["without"] == pytest.approx(case[f"D{demand}_none"], rel=1e-7)
    assert found["all_built"] == pytest.approx(case[f"D{demand}_all"], rel=1e-7)


@pytest.mark.shared
def test_no_design_beats_its_relaxation(shared: Path, tmp_path: Path) -> None:
    """Bound and savings against the equilibria of random sets, as the top of `design` promises."""
    from landbridge.data.formats import read_tntp_network, read_tntp_trips
    from landbridge.data.formats.candidates_csv import read_candidates, with_candidates
    from landbridge.model.portfolio.design import _Problem
    from landbridge.study.assign import prepare

    told = json.loads((shared / "reference" / "econ" / "dndp_siouxfalls.json").read_text(encoding="utf-8"))
    network = read_tntp_network(shared / "tntp" / "SiouxFalls_net.tntp")
    case = told["ten_link"]["SF_DNDP_10_2"]["candidate_links[from,to,capacity,fft,cost]"]
    offered = read_candidates(write_candidates(tmp_path, case), network)
    trips = read_tntp_trips(shared / "tntp" / "SiouxFalls_trips.tntp")
    for demand in (0.5, 1.5):
        inputs = prepare(with_candidates(network, offered), replace(trips, volume=trips.volume * demand))
        links = np.arange(len(network.link_name), len(network.link_name) + len(offered.name))
        problem = _Problem(inputs.graph, inputs.delay, inputs.classes, inputs.relations, links, 1e-8)
        rng = np.random.default_rng(3)
        for _ in range(12):
            everything = frozenset(np.flatnonzero(rng.random(10) < 0.8).tolist())
            inside = frozenset(i for i in everything if rng.random() < 0.6)
            relaxed = problem.relax(everything)
            assert (relaxed.saving >= 0).all()
            assert relaxed.bound + relaxed.saving[sorted(everything - inside)].sum() <= problem.value(inside)
            # the same prices as a cut bound any other set too
            assert relaxed.gain is not None
            other = sorted(np.flatnonzero(rng.random(10) < 0.5).tolist())
            cut = relaxed.bound + relaxed.saving.sum() - (relaxed.saving + relaxed.gain)[other].sum()
            assert cut <= problem.value(frozenset(other))


@pytest.mark.shared
def test_all_faults_of_candidates_at_once(shared: Path, tmp_path: Path) -> None:
    from landbridge.data.formats import read_tntp_network
    from landbridge.data.formats.candidates_csv import read_candidates
    from landbridge.errors import DataError

    network = read_tntp_network(shared / "tntp" / "SiouxFalls_net.tntp")
    path = tmp_path / "c.csv"
    path.write_text("from,to,capacity,fft,cost\n1,99,0,2,3\n5,5,1,x,-1\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_candidates(path, network)
    assert len(error.value.faults) == 6
    path.write_text("from,to,capacity,speed\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_candidates(path, network)
    assert {fault.field for fault in error.value.faults} == {"free_flow_time", "cost", "speed"}


# A ring of five places, both ways round, and chords that may be built.
RING = [(i, (i + 1) % 5) for i in range(5)] + [((i + 1) % 5, i) for i in range(5)]
CHORDS = [(0, 2), (2, 0), (1, 3), (3, 1), (1, 4)]


def small_files(links: list[tuple[int, int]], hours: list[int], trips: dict[tuple[int, int], float]) -> Any:
    """A network of links whose time doubles at 8 trips, and trips between its places."""
    names, m = tuple("12345"), len(links)
    tail, head = (np.array([pair[end] for pair in links], np.int32) for end in (0, 1))
    none, place = np.zeros(m), np.zeros(5)
    network = NetworkFile(
        "", names, names, tuple(map(str, range(m))), place, place, np.arange(5, dtype=np.int32), 0, tail, head,
        np.array(hours, np.float64), np.full(m, 8.0), np.ones(m), np.full(m, 2.0), none, none, 0.0, 0.0, (),
    )  # fmt: skip
    origin, destination = (np.array([pair[end] for pair in trips], np.int32) for end in (0, 1))
    return network, TripsFile("", 5, origin, destination, np.array(list(trips.values())), ())


@given(
    st.lists(st.integers(1, 9), min_size=len(RING) + len(CHORDS), max_size=len(RING) + len(CHORDS)),
    st.lists(st.integers(1, 4), min_size=len(CHORDS), max_size=len(CHORDS)),
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4), st.integers(1, 30)), min_size=1, max_size=6),
)
@settings(max_examples=12, deadline=None)
def test_more_money_never_makes_a_design_worse(hours: list[int], cost: list[int], trips: list[Any]) -> None:
    """Small congested networks: the design of each budget against all that it allows, assigned one by one."""
    from landbridge.study.assign import assign, prepare

    wanted: dict[tuple[int, int], float] = {}
    for start, step, volume in trips:
        pair = (start, (start + step) % 5)
        wanted[pair] = wanted.get(pair, 0.0) + volume
    n, base = len(CHORDS), len(RING)
    totals = {}
    for chosen in chain.from_iterable(combinations(range(n), k) for k in range(n + 1)):
        links = RING + [CHORDS[i] for i in chosen]
        files = small_files(links, hours[:base] + [hours[base + i] for i in chosen], wanted)
        totals[chosen] = assign(*files, gap=1e-10).total_travel_time
    inputs = prepare(*small_files(RING + CHORDS, hours, wanted))
    last = np.inf
    for budget in range(0, sum(cost) + 1, 2):
        found = portfolio.design(
            inputs.graph, inputs.delay, inputs.classes, inputs.relations, range(base, base + n), cost, budget
        ).selection
        best = min(total for chosen, total in totals.items() if sum(cost[i] for i in chosen) <= budget)
        assert found.proved
        assert found.value == pytest.approx(best, rel=1e-6)
        assert found.value <= last * (1.0 + 1e-9)
        last = found.value


# ---------------------------------------------------------------------------------------------------- programmes


def phased(case: dict[str, Any], **changes: Any) -> tuple[list[portfolio.Candidate], Any, portfolio.ProgrammeTerms]:
    ids = [p["id"] for p in case["projects"]]
    gains = [float(p["ben"]) for p in case["projects"]]
    # the reference counts all years before the one it names, and lets no life end sooner
    candidates = [portfolio.Candidate(tuple(map(float, p["cost"]))) for p in case["projects"]]
    together = [
        (frozenset({ids.index(s["a"]), ids.index(s["b"])}), float(s["extra_per_year"])) for s in case["synergy"]
    ]

    def worth(chosen: frozenset[int], year: int) -> float:
        return sum(gains[i] for i in chosen) + sum(extra for pair, extra in together if pair <= chosen)

    terms = portfolio.ProgrammeTerms(
        horizon=case["horizon_years"],
        last_year=case["benefits_counted_until_year"] - 1,
        rate=0.09,
        budget=tuple(map(float, case["budget_per_year"])),
        before=tuple((ids.index(a), ids.index(b)) for a, b in case["requires_complete_before_start"]),
        exclusive=tuple((ids.index(a), ids.index(b)) for a, b in case["exclusive"]),
    )
    return candidates, worth, replace(terms, **changes)


def starts_of(case: dict[str, Any], starts: Any) -> dict[str, int | None]:
    return dict(zip([p["id"] for p in case["projects"]], starts, strict=True))


@pytest.mark.shared
@pytest.mark.parametrize("carry", [False, True])
def test_reference_phasing(told: dict[str, Any], carry: bool) -> None:
    case = told["phasing"]
    best = case["with_carry_over_top3" if carry else "top5"]
    candidates, worth, terms = phased(case, carry_over=carry)
    found = portfolio.plan_programme(candidates, worth, terms, runner_up=True)
    assert found.proved
    assert found.value == pytest.approx(best[0]["NPV"], rel=1e-6)
    assert starts_of(case, found.starts) == best[0]["start"]
    assert found.spent == pytest.approx([float(x) for x in best[0]["spend"]])
    assert found.second_value == pytest.approx(best[1]["NPV"], rel=1e-6)
    assert starts_of(case, found.second) == best[1]["start"]


@pytest.mark.shared
def test_more_money_never_makes_a_programme_worse(told: dict[str, Any]) -> None:
    """And the climb never beats the proof, nor its bound."""
    case = told["phasing"]
    last = 0.0
    for share in (0.4, 0.6, 0.8, 1.0, 1.3):
        candidates, worth, terms = phased(case)
        terms = replace(terms, budget=tuple(share * b for b in terms.budget))
        found = portfolio.plan_programme(candidates, worth, terms)
        assert found.value >= last
        last = found.value
        climbed = portfolio.plan_programme(candidates, worth, terms, exact=False)
        assert not climbed.proved
        assert climbed.value <= found.value + 1e-9
        assert climbed.bound >= found.value - 1e-9


@given(st.integers(0, 10**6), st.integers(1, 3), st.booleans())
@settings(max_examples=40, deadline=None)
def test_more_of_any_budget_never_makes_a_proved_programme_worse(seed: int, n: int, carry: bool) -> None:
    """Whatever sets are worth, complements and substitutes alike, and whichever budget grows."""
    rng = np.random.default_rng(seed)
    candidates = [
        portfolio.Candidate(tuple(rng.uniform(1, 6, rng.integers(1, 3))), {"A": share, "B": 1 - share})
        for share in rng.uniform(0, 1, n)
    ]
    table = {frozenset(s): float(rng.uniform(-1, 4)) * len(s) for k in range(n + 1) for s in combinations(range(n), k)}
    yearly, total, own = rng.uniform(1, 8, 3), float(rng.uniform(2, 15)), float(rng.uniform(1, 8))

    def best(more: float, which: int) -> portfolio.Programme:
        factor = np.where(np.arange(3) == which, more, 1.0)
        terms = portfolio.ProgrammeTerms(
            horizon=3,
            last_year=8,
            rate=0.05,
            budget=tuple(factor[0] * yearly),
            total=factor[1] * total,
            payer_totals={"A": factor[2] * own},
            carry_over=carry,
        )
        return portfolio.plan_programme(candidates, lambda chosen, year: table[chosen] * (1 + 0.02 * year), terms)

    for which in range(3):
        values = [best(more, which).value for more in (1.0, 1.4, 2.5)]
        assert values == sorted(values)
        assert values[0] >= 0.0


def test_budgets_by_payer_and_order() -> None:
    one = portfolio.Candidate((10.0,), {"A": 1.0})
    two = portfolio.Candidate((10.0,), {"A": 0.5, "B": 0.5})
    free = (np.inf,) * 3

    def worth(chosen: frozenset[int], year: int) -> float:
        return 4.0 * len(chosen)

    def plan(**limits: Any) -> portfolio.Programme:
        terms = portfolio.ProgrammeTerms(horizon=3, last_year=20, rate=0.05, budget=free, **limits)
        return portfolio.plan_programme([one, two], worth, terms)

    assert plan().starts == (0, 0)
    assert plan(payer_budgets={"A": (10.0, 10.0, 10.0)}).starts in {(0, 1), (1, 0)}
    assert plan(payer_totals={"B": 4.0}).starts == (0, None)
    assert plan(before=((0, 1),)).starts == (1, 0)
    assert plan(total=10.0).starts.count(None) == 1
    assert plan(exclusive=((0, 1),)).starts.count(None) == 1


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_best_starts_of_a_set_against_enumeration(seed: int, carry: bool, ordered: bool) -> None:
    random = np.random.default_rng(seed)
    n, horizon = 3, 4
    candidates = [portfolio.Candidate(tuple(random.integers(1, 6, random.integers(1, 3)).tolist())) for _ in range(n)]
    table = random.uniform(-1.0, 6.0, (1 << n, horizon + 4))
    terms = portfolio.ProgrammeTerms(
        horizon, horizon + 3, 0.1, tuple(random.integers(2, 9, horizon).tolist()), total=float(random.integers(6, 20)),
        carry_over=carry, before=((0, 1),) if ordered else (),
    )  # fmt: skip

    def worth(chosen: frozenset[int], year: int) -> float:
        return float(table[sum(1 << i for i in chosen), year])

    find = portfolio.best_starts(candidates, worth, terms)
    for bits in range(1 << n):
        chosen = frozenset(i for i in range(n) if bits >> i & 1)
        best = -np.inf
        ways = [range(horizon - len(c.cost) + 1) if i in chosen else (None,) for i, c in enumerate(candidates)]
        for starts in product(*ways):
            spent = np.zeros(horizon)
            for i in chosen:
                spent[starts[i] : starts[i] + len(candidates[i].cost)] += candidates[i].cost
            room = np.asarray(terms.budget, float)
            over = np.cumsum(spent) > np.cumsum(room) if carry else spent > room
            late = ordered and 0 in chosen and (1 not in chosen or starts[1] + len(candidates[1].cost) > starts[0])
            if over.any() or spent.sum() > terms.total or late:
                continue
            value = -float(spent @ 1.1 ** -np.arange(horizon))
            for year in range(horizon + 4):
                there = frozenset(i for i in chosen if starts[i] + len(candidates[i].cost) <= year)
                value += worth(there, year) / 1.1**year if there else 0.0
            best = max(best, value)
        found = find(chosen)
        assert (found is None) == (best == -np.inf)
        if found is not None:
            assert frozenset(i for i, s in enumerate(found) if s is not None) == chosen
            assert portfolio.programme_value(candidates, worth, terms, found) == pytest.approx(best, abs=1e-9)


def test_the_fairest_programme_against_enumeration() -> None:
    """The least favoured party has the most; what each pays is what counts for it."""
    rng = np.random.default_rng(7)
    gains = rng.uniform(0.5, 3.0, (2, 3))
    shares = [(0.8, 0.2), (0.3, 0.7), (0.5, 0.5)]
    terms = portfolio.ProgrammeTerms(horizon=3, last_year=12, rate=0.05, budget=(12.0,) * 3)

    def projects(party: int) -> list[portfolio.Candidate]:
        return [portfolio.Candidate((10.0,), counted=share[party]) for share in shares]

    def worth(party: int) -> Any:
        return lambda chosen, _year: float(sum(gains[party, i] for i in chosen)) * (1.1 if len(chosen) > 1 else 1.0)

    starts, values = portfolio.fairest_programme([projects(0), projects(1)], [worth(0), worth(1)], terms)
    best = -np.inf
    for trial in product([None, 0, 1, 2], repeat=3):
        begun = [s for s in trial if s is not None]
        if len(set(begun)) == len(begun):  # ten of twelve a year: one start a year
            told = [portfolio.told_programme(projects(p), worth(p), terms, trial).value for p in (0, 1)]
            best = max(best, min(told))
    assert min(values) == pytest.approx(best)
    assert [portfolio.told_programme(projects(p), worth(p), terms, starts).value for p in (0, 1)] == pytest.approx(
        values.tolist()
    )


# ------------------------------------------------------------------------------------------------------- sharing


@pytest.mark.shared
def test_reference_sharing(told: dict[str, Any]) -> None:
    from fractions import Fraction

    case = told["cost_sharing_cku_illustrative"]
    players = list(case["benefits_pv"])
    numbers = {
        key: [float(Fraction(case[key][p])) for p in players]
        for key in ("benefits_pv", "lengths_km", "territorial_cost")
    }
    cost = float(case["cost"])
    game = portfolio.all_needed(players, numbers["benefits_pv"], cost)
    shares = portfolio.share_cost(
        numbers["benefits_pv"],
        cost,
        game,
        proportional={"by length": numbers["lengths_km"], "by territory": numbers["territorial_cost"]},
        agreed={"51/24.5/24.5": [0.51, 0.245, 0.245]},
    )
    names = {
        "equal": "equal", "by length": "by_length", "by territory": "by_territorial_cost", "by benefit": "by_benefit",
        "51/24.5/24.5": "agreed_51_24.5_24.5", "Shapley": "shapley_of_surplus(all needed)",
    }  # fmt: skip
    found = {share.rule: share for share in shares}
    assert set(found) == {*names, "nucleolus", "Nash"}
    for rule, key in names.items():
        wanted = case["rules"][key]
        assert found[rule].payment == pytest.approx([wanted["payment"][p] for p in players], rel=1e-6)
        assert found[rule].net_gain == pytest.approx([wanted["net_gain"][p] for p in players], rel=1e-6)
        assert found[rule].individually_rational is wanted["individually_rational"]
        assert found[rule].budget_balanced is wanted["budget_balanced"]
    assert found["Shapley"].in_core
    assert not found["equal"].in_core


@pytest.mark.shared
def test_reference_staged_game(told: dict[str, Any]) -> None:
    from fractions import Fraction

    from landbridge.model import leverage

    case = told["staged_cooperation_game"]
    worth = np.zeros(8)
    worth[0b011], worth[0b110], worth[0b111] = 400, 200, 1700
    game = leverage.make(case["players"], worth)
    shares = {s.rule: s for s in portfolio.share_cost([1700.0, 0.0, 0.0], 0.0, game)}
    assert shares["Shapley"].net_gain == pytest.approx([float(Fraction(x)) for x in case["shapley"]], rel=1e-6)
    assert shares["nucleolus"].net_gain == pytest.approx(case["nucleolus"], rel=1e-6)
    assert shares["nucleolus"].in_core


# -------------------------------------------------------------------------------------------------- coordination


def table_game(rows: Any) -> Any:
    return lambda profile: np.array(rows[profile[0]][profile[1]], float)


def test_prisoners_and_what_would_mend_it() -> None:
    found = portfolio.coordinate([2, 2], table_game([[(3, 3), (0, 4)], [(4, 0), (1, 1)]]))
    assert found.equilibria == ((1, 1),)
    assert found.joint == (0, 0)
    assert found.price == pytest.approx([2, 2])
    assert found.side_payment == pytest.approx([0, 0])


def test_all_equilibria_are_listed() -> None:
    found = portfolio.coordinate([2, 2], table_game([[(1, 1), (0, 0)], [(0, 0), (3, 2)]]))
    assert set(found.equilibria) == {(0, 0), (1, 1)}
    assert found.worst == (0, 0)
    assert found.joint == (1, 1)
    assert found.side_payment.sum() == pytest.approx(0.0)
    assert found.joint_payoff + found.side_payment - found.payoff == pytest.approx([1.5, 1.5])


def test_no_equilibrium_is_told_with_its_cycle() -> None:
    found = portfolio.coordinate([2, 2], table_game([[(1, -1), (-1, 1)], [(-1, 1), (1, -1)]]))
    assert found.equilibria == ()
    assert found.worst is None
    assert found.cycle[0] == found.cycle[-1]
    assert set(found.cycle) == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_what_a_shared_budget_shuts_is_open_to_nobody() -> None:
    """Each gains 3 by building, together they would 8, but money is there for one: two equilibria, nobody can add."""
    table = {(0, 0): (0.0, 0.0), (1, 0): (3.0, 1.0), (0, 1): (1.0, 3.0), (1, 1): (4.0, 4.0)}
    free = portfolio.coordinate([2, 2], lambda p: np.array(table[p]))
    assert free.equilibria == ((1, 1),) == (free.joint,)
    bound = portfolio.coordinate([2, 2], lambda p: None if p == (1, 1) else np.array(table[p]))
    assert set(bound.equilibria) == {(1, 0), (0, 1)}
    assert bound.joint_payoff.sum() == 4.0
    with pytest.raises(ValueError, match="do nothing"):
        portfolio.coordinate([2], lambda p: None if p == (0,) else np.zeros(1))


def test_too_many_choices() -> None:
    with pytest.raises(ValueError, match="at most"):
        portfolio.coordinate([2] * 13, lambda _: np.zeros(13))
