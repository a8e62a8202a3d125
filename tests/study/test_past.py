"""Years before the matrix: the network as it was, and trade as far as it can be known."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest

from landbridge.data.read import read_atlas
from landbridge.data.tables import Tables
from landbridge.errors import DataError
from landbridge.model.past import back_cast, past_tonnes
from landbridge.scenario.apply import apply
from landbridge.study.past import held_against, median_error, past_notes, trade_of_year
from landbridge.study.routing import find_routes
from landbridge.study.solve import Settings, prepare

BASE = 2023

# -- the network ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def open_in() -> dict[int, Tables]:
    """The atlas' tables of some years, without measures."""
    return {year: apply(read_atlas(), (), year).tables for year in (2013, 2015, 2017, 2021, 2023, 2026)}


def ids(tables: Tables, table: str) -> set[str]:
    return set(tables.ids(table))


@pytest.mark.parametrize(
    ("link", "since"),
    [
        ("rail:ge-kartsakhi:tr-canbaz", 2017),  # Baku-Tbilisi-Kars
        ("rail:tm-akyayla:ir-incheboroun", 2014),  # Kazakhstan-Turkmenistan-Iran
        ("rail:kz-shalkar:kz-beyneu", 2014),
        ("ferry:kz-kuryk:az-alat", 2017),
        ("rail:cn-lanzhou:cn-guangyuan", 2017),
        ("rail:mn-tavantolgoi:mn-gashuunsukhait", 2022),
        ("rail:cn-khorgos:kz-khorgosgateway", 2012),
    ],
)
def test_a_line_is_there_from_its_year_on(open_in: dict[int, Tables], link: str, since: int) -> None:
    for year, tables in open_in.items():
        shut = {"rail:ge-kartsakhi:tr-canbaz": {2024}}.get(link, set())
        assert (link in ids(tables, "links")) == (year >= since and year not in shut), year


def test_khorgos_gateway_works_since_2015_and_trains_passed_before(open_in: dict[int, Tables]) -> None:
    def at_gateway(tables: Tables, table: str) -> int:
        return tables[table].filter(pl.col("place") == "kz-khorgosgateway").height

    assert at_gateway(open_in[2013], "gauge_changes") == at_gateway(open_in[2013], "terminals") == 0
    assert at_gateway(open_in[2015], "gauge_changes") > 0 < at_gateway(open_in[2015], "terminals")
    assert "khorgos-altynkol" in ids(open_in[2013], "crossings")
    (best, *_) = find_routes(read_atlas(), "cn-xian", "kz-almaty", year=2013)
    changes = {leg.from_place for leg in best.legs if leg.option}
    assert changes
    assert "kz-khorgosgateway" not in changes


def test_what_was_suspended_ran_before(open_in: dict[int, Tables]) -> None:
    ferry = "ferry:ge-poti:ua-odesa"
    assert [ferry in ids(open_in[year], "links") for year in (2013, 2021, 2023, 2026)] == [True, True, False, False]
    gate = "bryansk-kyiv-by-ua"
    assert [gate in ids(open_in[year], "crossings") for year in (2013, 2021, 2023)] == [True, True, False]


@pytest.mark.parametrize("year", [2013, 2016, 2022])
def test_routes_of_past_years_use_what_was_there(year: int) -> None:
    (best, *_) = find_routes(read_atlas(), "cn-chongqing", "de-duisburg", year=year)
    there = ids(apply(read_atlas(), (), year).tables, "links")
    assert {link for leg in best.legs for link in leg.links} <= there


# -- trade ----------------------------------------------------------------------------------------------------------


def of(tonnes: dict[tuple[str, str, str], float], exporter: str, importer: str) -> float:
    return math.fsum(amount for key, amount in tonnes.items() if key[:2] == (exporter, importer))


def test_the_error_that_results_tell_is_the_one_measured() -> None:
    totals = held_against(read_atlas(), BASE)
    parts = [abs(total.estimated_usd / total.published_usd - 1) for total in totals]
    stated = read_atlas()["parameters"].filter(pl.col("id") == "past-error").row(0, named=True)
    assert 100 * median_error(totals) == pytest.approx(stated["value"], abs=0.06)
    assert (100 * min(parts), 100 * max(parts)) == (
        pytest.approx(stated["low"], abs=1),
        pytest.approx(stated["high"], abs=1),
    )
    assert f"by {stated['value']:g} per cent in the median" in past_notes(read_atlas(), 2015, BASE)[0]
    assert past_notes(read_atlas(), BASE, BASE) == ()


def test_totals_kept_aside_are_met_without_having_been_used() -> None:
    aside = {total.id: total for total in held_against(read_atlas(), BASE) if not total.used}
    assert set(aside) == {"chn-kaz-2021", "chn-kaz-2022", "eu-central-asia-2022"}
    assert all(abs(total.error) < 0.15 for total in aside.values())


def test_no_target_of_validation_is_an_input() -> None:
    """What the model is held against (trade targets, tonnes, trains) stands in no total that is in use."""
    tables = read_atlas()
    used = tables["past_totals"].filter(pl.col("use") == "in_use")
    targets = set(tables["targets"]["fact_id"].explode().drop_nulls().to_list())
    assert targets & set(used["sources"].explode().to_list()) == set()
    aside = tables["past_totals"].filter(pl.col("use") == "kept_aside")
    assert "F0705" in set(aside["sources"].explode().to_list()) & targets


# -- trade of a small world -----------------------------------------------------------------------------------------


class Names:
    """Two countries of a bloc and one outside."""

    def names(self, iso3: str) -> dict[str, int]:
        return {"*": 0, **({"club": 1} if iso3 in "AB" else {}), iso3: 2}


def world(**more: Any) -> dict[str, dict[str, list[Any]]]:
    """A sells B 400 t of x, and sold it 100 t in 2015; C sells A 10 t of y, and sold B 50 t, which it does no more."""

    def table(header: str, *rows: tuple[Any, ...]) -> dict[str, list[Any]]:
        return {name: [row[i] for row in rows] for i, name in enumerate(header.split())}

    tables = {
        "trade": table("exporter importer commodity year tonnes value_usd", ("A", "B", "x", 2023, 400.0, 800.0),
                       ("C", "A", "y", 2023, 10.0, 100.0)),
        "trade_past": table("exporter importer commodity tonnes usd_t", ("A", "B", "x", 100.0, None),
                            ("C", "B", "y", 50.0, 9.0)),
        "past_prices": table("commodity year index", *[(g, y, 0.5 if y == 2019 else 1.0)
                                                       for g in "xy" for y in range(2013, 2024)]),
        "past_totals": table("id exporter importer both_ways year value_usd use"),
        "past_breaks": table("id exporter importer until_year from_year"),
        "parameters": table("id value", ("past-growth", 10.0)),
    }  # fmt: skip
    return {**tables, **{name: table(*rows) for name, rows in more.items()}}


def back(year: int, **more: Any) -> dict[tuple[str, str, str], float]:
    return past_tonnes(world(**more), Names(), year=year, base_year=2023)


def test_between_the_matrices_trade_grows_at_one_rate() -> None:
    assert back(2015)["A", "B", "x"] == pytest.approx(100)
    assert back(2019)["A", "B", "x"] == pytest.approx(200)  # halfway: the geometric mean
    assert back(2019)["C", "B", "y"] == pytest.approx(25)  # to nothing in a straight line
    assert back(2019)["C", "A", "y"] == pytest.approx(5)  # from nothing
    assert back(2013)["A", "B", "x"] == pytest.approx(100 / 1.1**2)


TOTALS = "id exporter importer both_ways year value_usd use"


def test_a_published_total_is_met_and_fades_to_the_matrices() -> None:
    total = (TOTALS, ("t", "A", "B", False, 2019, 300.0, "in_use"))
    assert back(2019, past_totals=total)["A", "B", "x"] * 2 * 0.5 == pytest.approx(300)  # 2 USD/t, price 0.5
    assert back(2015, past_totals=total)["A", "B", "x"] == pytest.approx(100)
    halfway = back(2017, past_totals=total)["A", "B", "x"] / back(2017)["A", "B", "x"]
    assert halfway == pytest.approx(math.sqrt(1.5))


def test_a_total_of_the_pair_beats_one_of_its_bloc_and_one_kept_aside_changes_nothing() -> None:
    totals = (TOTALS, ("t", "A", "B", False, 2019, 300.0, "in_use"), ("u", "club", "*", True, 2019, 1e6, "in_use"))
    assert back(2019, past_totals=totals)["A", "B", "x"] == pytest.approx(300)
    aside = (TOTALS, ("t", "A", "B", False, 2019, 300.0, "kept_aside"))
    assert back(2019, past_totals=aside) == back(2019)


def test_a_break_keeps_the_old_level_to_its_year() -> None:
    rows = ("id exporter importer until_year from_year", ("b", "club", "B", 2021, 2023))
    assert [back(y, past_breaks=rows)["A", "B", "x"] for y in (2015, 2021, 2022)] == pytest.approx([100, 100, 200])


def test_a_back_cast_leaves_the_total_out_of_its_own_estimate() -> None:
    totals = (TOTALS, ("t", "A", "B", False, 2019, 300.0, "in_use"), ("w", "C", "B", False, 2019, 112.5, "kept_aside"))
    used, aside = back_cast(world(past_totals=totals), Names(), base_year=2023)
    assert (used.used, aside.used) == (True, False)
    assert used.estimated_usd == pytest.approx(200)  # 200 t x 2 USD/t x 0.5
    assert aside.estimated_usd == pytest.approx(25 * 9 * 0.5)
    assert used.error == pytest.approx(math.log(2 / 3))


# -- the demand of a past year --------------------------------------------------------------------------------------


def test_trade_of_a_year_is_that_of_the_matrix_times_its_past() -> None:
    tables = read_atlas()
    assert trade_of_year(tables, BASE, BASE) is tables
    then = trade_of_year(tables, 2015, BASE)
    row = (pl.col("exporter") == "CHN") & (pl.col("importer") == "KAZ")
    trade = then["trade"].filter(row)
    old = tables["trade_past"].filter(row)
    assert (trade["tonnes"] * trade["factor"]).sum() == pytest.approx(old["tonnes"].sum(), rel=0.02)
    coal = (pl.col("exporter") == "RUS") & (pl.col("importer") == "CHN") & (pl.col("product") == "coal")
    fuels = (pl.col("exporter") == "RUS") & (pl.col("importer") == "CHN") & (pl.col("commodity") == "fuels")
    assert then["bulk_trade"].filter(coal & (pl.col("year") == BASE))["factor"].item() == pytest.approx(
        then["trade"].filter(fuels)["factor"].item()
    )
    war = (pl.col("exporter") == "RUS") & (pl.col("importer") == "UKR")
    assert then["trade"].filter(war)["tonnes"].sum() > 1e6 > tables["trade"].filter(war)["tonnes"].sum()


def test_demand_of_past_years_is_smaller_and_of_others_refused() -> None:
    tables = read_atlas()
    tonnes = {
        year: prepare(
            apply(tables, (), year).tables, year=year, settings=Settings(size="reduced")
        ).demand.tonnes_yr.sum()
        for year in (2015, BASE)
    }
    assert 0.3 * tonnes[BASE] < tonnes[2015] < 0.9 * tonnes[BASE]
    with pytest.raises(DataError, match=r"wanted a year from 2013, the first of past_prices\.csv, got 2012"):
        trade_of_year(tables, 2012, BASE)
    lean = Tables({name: frame for name, frame in tables.frames.items() if not name.startswith("past")})
    with pytest.raises(DataError, match="or what the package lacks: past_prices, past_totals, past_breaks, got 2015"):
        trade_of_year(lean, 2015, BASE)
