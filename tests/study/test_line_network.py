"""`stress --network` on the 20 stations of the reference: everything that it holds, by command; and bad questions."""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from landbridge.errors import LandbridgeError, UnknownName
from landbridge.show.cli import app

FILE = Path(__file__).parents[1] / "reference" / "network_criticality.json"
REFERENCE = json.loads(FILE.read_text("utf-8"))
KINDS = {"line": "single_link_closure_min_cost", "place": "single_node_closure_min_cost"}


def ask(*words: str, network: Path | None = FILE) -> str:
    result = CliRunner().invoke(app, ["stress", *(("--network", str(network)) if network else ()), *words])
    if result.exception is not None:
        raise result.exception
    return result.stdout


@lru_cache(maxsize=8)
def asked(*words: str) -> Any:
    return json.loads(ask("--json", *words))


STATES: list[tuple[str, tuple[str, ...]]] = [("base", ()), ("with_cku", ("--build", "cku"))]


@pytest.mark.parametrize(("state", "words"), STATES)
def test_costs_and_relations(state: str, words: tuple[str, ...]) -> None:
    found = asked(*words)
    told = REFERENCE["min_cost"]
    assert found["base"]["cost"] == pytest.approx(told["with_cku_cost" if words else "base_cost"], abs=1e-7)
    left = told["with_cku_outside" if words else "base_outside_flow"]
    assert found["base"]["outside"] == pytest.approx(sum(left.values()), abs=1e-7)
    relations = {row["relation"]: row for row in found["relations"]}
    for name, wanted in REFERENCE["route_dependence"][state].items():
        row = relations[name]
        assert row["shortest"] == wanted["shortest"]
        for country, without in wanted["without"].items():
            here = row["without"][country]
            assert (here["cost"], here["rise"], here["must_cross"]) == (
                without["cost"], without["increase"], without["must_cross"],
            )  # fmt: skip
        if flow := REFERENCE["max_flow"].get(f"{state}:{name}"):
            assert row["max_flow"] == flow["value"]
            assert set(row["cut"]) <= set(found["betweenness"]["lines"])


def test_each_closed_alone() -> None:
    rows = {(row["kind"], row["id"]): row for row in asked()["each"]}
    assert {kind for kind, _ in rows} == {"line", "place", "country"}
    for kind, key in KINDS.items():
        for name, wanted in REFERENCE[key].items():
            assert rows[kind, name]["rise"] == pytest.approx(wanted, abs=1e-7), name
    assert all(first["rise"] >= second["rise"] for first, second in pairwise(asked()["each"]))


@pytest.mark.parametrize(("state", "words"), STATES)
def test_countries_closed_alone(state: str, words: tuple[str, ...]) -> None:
    rows = {row["id"]: row for row in asked(*words)["each"] if row["kind"] == "country"}
    for name, wanted in REFERENCE["country_withdrawal"][state].items():
        told = [rows[name][key] for key in ("base_cost", "cost", "rise")]
        assert told == pytest.approx([wanted[k] for k in ("base_same_od", "cost", "increase")], abs=1e-7), name


def test_closed_together() -> None:
    """A line and a country at once cost no less than either, and a line may be named from either end."""
    both = asked("--close", "KZ,Warsaw-Brest")["closed"]
    alone = [asked("--close", name)["closed"]["rise"] for name in ("KZ", "Brest-Warsaw")]
    assert alone == pytest.approx([2786.0, 1760.0])
    assert both["rise"] >= max(alone)
    assert both["relations_left_out"] == 1
    assert asked("--close", "Chengdu,Tashkent,Warsaw")["closed"]["cost"] == 0.0  # nobody is left


def test_betweenness() -> None:
    found = asked()["betweenness"]
    assert found["places"] == pytest.approx(REFERENCE["betweenness_unnormalised_cost_weighted"])
    told = {frozenset(name.split("-")): value for name, value in REFERENCE["edge_betweenness"].items()}
    assert {frozenset(name.split("-")): value for name, value in found["lines"].items()} == pytest.approx(told)


def test_the_worst_and_the_ways_of_a_relation() -> None:
    found = asked("--worst", "3", "--relation", "Chengdu-Warsaw")
    worst = {(row["measure"], row["r"]): row for row in found["worst"]}
    one = REFERENCE["interdiction_Chengdu_Warsaw"]
    told = {("cost", r): REFERENCE["interdiction_all_demand"][f"min_cost_r{r}"] for r in (1, 2)}
    told |= {(m, r): one[f"{k}_r{r}"] for m, k in (("way", "shortest_path"), ("flow", "max_flow")) for r in (1, 2, 3)}
    for key, wanted in told.items():
        row = worst[key]
        assert row["value"] == (None if wanted["value"] is None else pytest.approx(wanted["value"], abs=1e-7))
        assert row["disconnects"] == wanted["disconnects"]
        assert row["sets_count"] == len(row["sets"]) == wanted["n_optimal"]
        assert {frozenset(s) for s in wanted["optimal_sets"]} <= {frozenset(s) for s in row["sets"]}
    ways = REFERENCE["k_shortest_Chengdu_Warsaw"]
    assert [(way["cost"], way["places"]) for way in found["ways"]] == [(w["cost"], w["path"]) for w in ways]


def test_by_chance() -> None:
    told = REFERENCE["failure_enumeration"]
    chances = ",".join(f"{entry['link']}={entry['p']}" for entry in told["links"])
    found = asked("--chance", chances, "--draws", "10000", "--seed", "7")["chance"]
    exact, drawn = found["exact"], found["drawn"]
    assert exact["states"] == told["states"]
    keys = {"mean": "expected_cost", "rise": "expected_increase", "quantile_95": "quantile95", "most": "worst_cost"}
    assert [exact[k] for k in keys] == pytest.approx([told[k] for k in keys.values()], abs=1e-6)
    assert exact["std"] == pytest.approx(told["std"], abs=1e-4)
    assert abs(drawn["mean"] - exact["mean"]) <= 3 * drawn["standard_error"]
    assert found["base_cost"] == told["base_cost"]


def test_what_people_read() -> None:
    text = ask("--worst", "2", "--relation", "Chengdu-Warsaw", "--chance", "Brest-Warsaw=0.05", "--close", "KZ")
    for part in ("2 786", "{Chengdu-Urumqi}", "nothing is left", "a smallest cut", "all listed", "Not read: between"):
        assert part in text.replace("\u202f", " ")


def test_bad_questions(tmp_path: Path) -> None:
    for words, fault in (
        (["--robustness", "3"], "go with a TNTP or GMNS network"),
        (["--chance", "record"], "wanted LINE=NUMBER"),
        (["--days", "3", "--out", str(tmp_path)], "--days, --out cannot go with"),
        (["--close", "Chengd"], "did you mean Chengdu"),
        (["--chance", "Brest-Moscw=0.1"], "unknown line"),
        (["--relation", "Warsaw-Chengdu"], "unknown relation"),
        (["--build", "cke"], "did you mean cku"),
    ):
        with pytest.raises(LandbridgeError, match=fault):
            ask(*words)
    with pytest.raises(LandbridgeError, match="go with a network file"):
        ask("--build", "cku", network=None)


def test_a_name_that_means_two_things(tmp_path: Path) -> None:
    """A city that is a country; its one line is never full."""
    path = tmp_path / "net.json"
    told = {
        "country": {"Baku": "AZ", "Singapore": "Singapore"},
        "edges": [{"a": "Baku", "b": "Singapore", "cost": 1}],
        "demand": {"Baku-Singapore": 1},
        "outside_cost": {"Baku-Singapore": 2},
    }
    path.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(LandbridgeError, match="Singapore is a place and a country"):
        ask("--close", "Singapore", network=path)
    assert json.loads(ask("--json", network=path))["relations"][0]["max_flow"] is None
    with pytest.raises(UnknownName, match="relation"):
        ask("--relation", "x", network=path)
