"""Differences between scenarios: second less first, of every table, with nothing dropped."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import UnknownName
from landbridge.study.compare import FLOWS, KEYS, Side, compare
from landbridge.study.results import Results
from landbridge.study.summary import corridor_feeds, crossing_summary, passage_summary
from small_run import small_results

BASE, CKU = Side("base", 2023), Side("cku", 2023)


def numbers(frame: pl.DataFrame) -> list[str]:
    return [c.removesuffix("_change") for c in frame.columns if c.endswith("_change")]


@pytest.mark.parametrize("table", KEYS)
def test_change_is_second_less_first(table: str) -> None:
    frame = compare(small_results(), table, BASE, CKU)
    assert numbers(frame)
    for n in numbers(frame):
        expected = frame[f"{n}_second"] - frame[f"{n}_first"]
        assert frame[f"{n}_change"].equals(expected)
        share = frame.filter(pl.col(f"{n}_first") != 0)
        assert share[f"{n}_percent"].equals(100 * share[f"{n}_change"] / share[f"{n}_first"], null_equal=True)


@pytest.mark.parametrize("table", KEYS)
def test_nothing_changes_against_itself(table: str) -> None:
    for side in (BASE, CKU):
        frame = compare(small_results(), table, side, side)
        assert frame.height == small_results().of(table, side.scenario, side.year).height
        for n in numbers(frame):
            assert frame[f"{n}_change"].drop_nulls().abs().sum() == 0


@pytest.mark.parametrize("table", KEYS)
def test_turned_round_it_changes_its_sign(table: str) -> None:
    there, back = compare(small_results(), table, BASE, CKU), compare(small_results(), table, CKU, BASE)
    assert there.height == back.height
    for n in numbers(there):
        keys = KEYS[table]
        a = there.select(*keys, pl.col(f"{n}_change")).sort(*keys, f"{n}_change", nulls_last=True) if keys else there
        turned = back.with_columns(-pl.col(f"{n}_change"))
        b = turned.select(*keys, f"{n}_change").sort(*keys, f"{n}_change", nulls_last=True) if keys else turned
        assert a[f"{n}_change"].to_list() == pytest.approx(b[f"{n}_change"].to_list(), nan_ok=True)


@pytest.mark.parametrize("table", KEYS)
def test_no_row_is_lost(table: str) -> None:
    results = small_results()
    frame = compare(results, table, BASE, CKU)
    first, second = (results.of(table, s, 2023) for s in ("base", "cku"))
    assert frame.height >= max(first.height, second.height)
    for n in set(numbers(frame)) & FLOWS:
        assert frame[f"{n}_first"].sum() == pytest.approx(first[n].sum(), rel=1e-12)
        assert frame[f"{n}_second"].sum() == pytest.approx(second[n].sum(), rel=1e-12)
        assert frame[f"{n}_change"].sum() == pytest.approx(
            second[n].sum() - first[n].sum(), abs=1e-3 + 1e-9 * first[n].sum()
        )


def test_a_crossing_that_opens_had_no_flow_and_no_hours() -> None:
    frame = compare(small_results(), "crossings", BASE, CKU)
    new = frame.filter(pl.col("crossing") == "torugart-makmal")
    assert new.height == 2
    assert new["tonnes_first"].to_list() == [0, 0]
    assert new["tonnes_percent"].to_list() == [None, None]
    assert new["time_h_first"].to_list() == [None, None]
    assert new["time_h_change"].to_list() == [None, None]
    assert (new["time_h_second"] > 0).all()


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), st.floats(0, 1e9), max_size=6),
    st.dictionaries(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), st.floats(0, 1e9), max_size=6),
)
def test_law_holds_for_any_two_tables(one: dict[tuple[str, int], float], two: dict[tuple[str, int], float]) -> None:
    rows = [(s, 2023, c, str(d), t) for s, part in (("x", one), ("y", two)) for (c, d), t in part.items()]
    schema = {
        "scenario": pl.String,
        "year": pl.Int64,
        "corridor": pl.String,
        "direction": pl.String,
        "tonnes": pl.Float64,
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(crossing=pl.lit("k"))
    manifest = {"study": {"years": [2023], "scenarios": [{"id": "x"}, {"id": "y"}]}}
    results = Results(Path("none"), manifest, {"internal_corridors": frame})
    made = compare(results, "internal_corridors", Side("x", 2023), Side("y", 2023))
    told = {(r["corridor"], int(r["direction"])): r["tonnes_change"] for r in made.to_dicts()}
    assert told == {key: two.get(key, 0.0) - one.get(key, 0.0) for key in one.keys() | two.keys()}


def test_unknown_names_are_told() -> None:
    with pytest.raises(UnknownName, match="did you mean crossings"):
        compare(small_results(), "crosings", BASE, CKU)
    with pytest.raises(UnknownName, match="did you mean base"):
        compare(small_results(), "crossings", Side("bas", 2023), CKU)
    with pytest.raises(UnknownName, match="year '1999'"):
        compare(small_results(), "crossings", BASE, Side("cku", 1999))


# ------------------------------------------------------------------------------------------------------ summaries


def test_summaries_are_sums_of_the_tables() -> None:
    results = small_results()
    flows = results.of("passage_flows", "base", 2023)
    passages = passage_summary(results, 2023)
    for row in passages.to_dicts():
        mass = flows.filter(pl.col("passage") == row["passage"])["tonnes"].sum() / 1e6
        assert (row["mt_first"] or 0) == pytest.approx(mass)
    assert set(passages["passage"]) == set(results.of("passages", "base", 2023)["passage"])
    china = results.of("crossing_flows", "cku", 2023).filter(
        (pl.col("from_country") == "CN") | (pl.col("to_country") == "CN")
    )
    crossings = crossing_summary(results, 2023)
    assert crossings["mt_second"].sum() == pytest.approx(china["tonnes"].sum() / 1e6)
    assert crossings["transit_mt_second"].sum() == pytest.approx(china.filter("transit")["tonnes"].sum() / 1e6)
    assert (crossings["mt_change"] - (crossings["mt_second"] - crossings["mt_first"])).abs().max() == 0
    assert (crossings["transit_mt_first"] <= crossings["mt_first"] + 1e-12).all()
    feeds = corridor_feeds(results, 2023)
    assert feeds["mt_first"].sum() == pytest.approx(
        results.of("internal_corridors", "base", 2023)["tonnes"].sum() / 1e6
    )


def test_flows_by_sea_are_unknown_and_flows_of_nothing_are_zero() -> None:
    passages = passage_summary(small_results(), 2023)
    flows = dict(passages.select("passage", "mt_first").rows())
    assert [p for p, mt in flows.items() if mt is None] == ["suez", "cape", "nsr"]


def test_a_passage_that_a_scenario_changes_has_a_row_of_its_own() -> None:
    passages = passage_summary(small_results(), 2023).filter(pl.col("passage") == "west-3")
    assert passages["scenario"].to_list() == ["base", "cku"]
    assert passages["days"][1] < passages["days"][0]


def test_a_change_of_price_alone_shows_too() -> None:
    results = small_results()
    cheaper = results["passages"].with_columns(
        pl.when((pl.col("scenario") == "cku") & (pl.col("passage") == "west-1"))
        .then(pl.col("usd_feu") - 1)
        .otherwise(pl.col("usd_feu"))
        .alias("usd_feu")
    )
    changed = Results(results.folder, results.manifest, {**results.tables, "passages": cheaper})
    rows = passage_summary(changed, 2023).filter(pl.col("passage") == "west-1")
    assert rows["scenario"].to_list() == ["base", "cku"]


def test_against_itself_no_passage_changes() -> None:
    passages = passage_summary(small_results(), 2023, "base")
    assert passages["scenario"].unique().to_list() == ["base"]
    assert passages["mt_first"].equals(passages["mt_second"])
