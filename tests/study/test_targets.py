"""Targets: every row is answered or told as not covered, echoes are no successes, and users bring their own."""

from __future__ import annotations

import csv
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from landbridge.data.read import ATLAS
from landbridge.errors import DataError
from landbridge.study.targets import against
from landbridge.study.validate.form import UNITS
from small_run import small_results, small_tables

HEADER = next(csv.reader((ATLAS / "targets.csv").read_text(encoding="utf-8").splitlines()))


def ask(
    folder: Path, indicator: str, subject: str, *, direction: str = "both", year: int = 2023, unit: str = "",
    observed: float = 1.0, low: float | str = -1e12, high: float | str = "", kind: str = "level", note: str = "",
    fact_id: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Ask one question by a file of one row."""
    unit = unit or ("bool" if kind in ("sign", "order") else UNITS.get(indicator, ("Mt",))[0])
    given = {"indicator": indicator, "subject": subject, "direction": direction, "year": year, "unit": unit,
             "observed": observed, "low": low, "high": high, "kind": kind, "note": note,
             "fact_id": fact_id}  # fmt: skip
    row = {"id": "U1", "period": "year", "tolerance_basis": "proposed", **given}
    path = folder / "mine.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER, restval="")
        writer.writeheader()
        writer.writerow(row)
    (answer,) = against(small_results(), small_tables(), path).to_dicts()
    return answer


def flows() -> pl.DataFrame:
    return small_results().of("crossing_flows", "base", 2023)


# ------------------------------------------------------------------------------------------------ the atlas' own


def test_every_target_is_answered_or_told_why_not() -> None:
    frame = against(small_results(), small_tables())
    targets = small_tables()["targets"]
    assert frame["id"].to_list() == targets["id"].to_list()
    for column in ("indicator", "subject", "observed", "low", "high"):
        assert frame[column].equals(targets[column])
    for row in frame.to_dicts():
        assert row["status"] in ("compared", "echo", "not covered")
        if row["status"] == "not covered":
            assert row["why"]
            assert (row["modelled"], row["inside"], row["error_percent"]) == (None, None, None)
        else:
            value, low, high = row["modelled"], row["low"], row["high"]
            inside = (low is None or value >= low) and (high is None or value <= high)
            assert row["inside"] == ("yes" if inside else "no")
            assert row["error_percent"] == pytest.approx(100 * (value - row["observed"]) / row["observed"])
    assert {"compared", "echo", "not covered"} == set(frame["status"])


def test_flows_of_other_years_are_not_covered() -> None:
    frame = against(small_results(), small_tables())
    flow = pl.col("indicator").str.contains("^(crossing|service)_(tonnes|teu|trains)$|^terminal_teu$|^share_pct$")
    other = frame.filter(flow & (pl.col("year") != 2023))
    assert other.height > 20
    assert other["status"].unique().to_list() == ["not covered"]


def test_inputs_are_never_held_against_the_model() -> None:
    frame = against(small_results(), small_tables())
    inputs = small_tables()["targets"].filter(pl.col("kind") == "input")["id"].to_list()
    assert frame.filter(pl.col("id").is_in(inputs))["status"].unique().to_list() == ["not covered"]


def test_echoes_are_found_in_the_provenance() -> None:
    answers = {r["id"]: r for r in against(small_results(), small_tables()).to_dicts()}
    # the road factor and two capacities are the observed figures themselves; trade is an input
    for target in ("A60b", "A35", "A50", "A62", "A63", "A64"):
        assert answers[target]["status"] == "echo"
        assert answers[target]["inside"] == "yes"
    assert "emissions.co2_g_tkm of road-default" in answers["A60b"]["why"]
    # the shares of China and Kazakhstan were set so that the total of 2023 comes out
    assert answers["A10"]["status"] == "echo"
    assert "mode_shares" in answers["A10"]["why"]
    for target in ("A36", "A53", "A60a"):
        assert answers[target]["status"] == "compared"


def test_echo_hangs_on_the_fact_that_is_cited(tmp_path: Path) -> None:
    asked = {"unit": "g/tkm", "observed": 80, "year": 2014}
    assert ask(tmp_path, "co2_g_tkm", "road", fact_id="F0846", **asked)["status"] == "echo"
    assert ask(tmp_path, "co2_g_tkm", "road", fact_id="F0001", **asked)["status"] == "compared"
    # the very number that the atlas holds is an input whoever states it
    same = ask(tmp_path, "co2_g_tkm", "road", fact_id="F0001", **{**asked, "observed": 90.3})
    assert same["status"] == "echo"
    assert "holds the same number" in same["why"]


# -------------------------------------------------------------------------------------------- flows, in a user's file


@pytest.mark.parametrize("direction", ["both", "from-china", "to-china"])
def test_crossings_are_sums_of_the_flows(tmp_path: Path, direction: str) -> None:
    frame = flows().filter(pl.col("crossing").is_in(["alashankou-dostyk", "khorgos-altynkol"]))
    if direction != "both":
        frame = frame.filter(pl.col("from_country" if direction == "from-china" else "to_country") == "CN")
    subject = "alashankou-dostyk+khorgos-altynkol"
    whole = frame["tonnes"].sum() / 1e6
    assert ask(tmp_path, "crossing_tonnes", subject, direction=direction)["modelled"] == pytest.approx(whole)
    transit = ask(tmp_path, "crossing_tonnes", f"{subject}/transit", direction=direction)
    assert transit["modelled"] == pytest.approx(frame.filter("transit")["tonnes"].sum() / 1e6)
    trains = ask(tmp_path, "crossing_trains", subject, direction=direction, unit="trains")
    assert trains["modelled"] == pytest.approx(frame["trains"].sum())


def test_parts_of_a_crossing_add_up(tmp_path: Path) -> None:
    def tonnes(subject: str) -> float:
        return float(ask(tmp_path, "crossing_tonnes", subject)["modelled"])

    # what is neither an export nor an import of Kazakhstan passes through it
    parts = [tonnes(f"khorgos-altynkol/{part}") for part in ("export", "import", "transit")]
    loaded = flows().filter((pl.col("crossing") == "khorgos-altynkol") & (pl.col("exporter") != ""))
    kazakh = (pl.col("exporter") == "KAZ") | (pl.col("importer") == "KAZ")
    china = (pl.col("exporter") == "CHN") | (pl.col("importer") == "CHN")
    third = loaded.filter(kazakh & ~china)["tonnes"].sum() / 1e6  # Kazakh goods beyond China: transit of the crossing
    assert sum(parts) - third == pytest.approx(loaded["tonnes"].sum() / 1e6)
    # what China Railway counts: all boxes that ran in trains of such a name, those of Central Asia in part
    values = dict(small_tables()["parameters"].select("id", "value").iter_rows())
    named = 1 / (1 + math.exp((values["block-train-mid"] - 2023) / values["block-train-width"]))
    central = ["KAZ", "KGZ", "TJK", "TKM", "UZB"]
    ends = pl.col("exporter").is_in(central) | pl.col("importer").is_in(central)
    boxes = flows().filter((pl.col("crossing") == "khorgos-altynkol") & (pl.col("teu") > 0))
    beyond, there = (boxes.filter(part)["tonnes"].sum() / 1e6 for part in (~ends, ends))
    share = values["cre-central-asia-share"]
    assert tonnes("khorgos-altynkol/china-central-asia") == pytest.approx(there)
    assert tonnes("khorgos-altynkol/china-europe-rail") == pytest.approx(named * (beyond + share * there))
    both = tonnes("khorgos-altynkol/china-europe-rail+china-central-asia")
    assert both == pytest.approx(named * (beyond + there))


def test_part_of_a_year_is_compared_with_that_part(tmp_path: Path) -> None:
    whole = ask(tmp_path, "crossing_tonnes", "manzhouli-zabaikalsk")["modelled"]
    part = ask(tmp_path, "crossing_tonnes", "manzhouli-zabaikalsk", note="annualise x1.25; no more")["modelled"]
    assert part == pytest.approx(whole / 1.25)


def test_borders_and_groups(tmp_path: Path) -> None:
    countries = {"kazakhstan", "kyrgyzstan", "tajikistan", "turkmenistan", "uzbekistan"}
    one = ask(tmp_path, "crossing_tonnes", "china<>central-asia")["modelled"]
    each = [ask(tmp_path, "crossing_tonnes", f"china<>{c}")["modelled"] for c in sorted(countries)]
    assert one == pytest.approx(sum(each))


def into_kazakhstan() -> tuple[float, float]:
    """TEU with neither end in Kazakhstan that come in by rail and by water, counted anew along the kept ways."""
    tables, results = small_tables(), small_results()
    t_per_teu = dict(tables["commodities"].filter(pl.col("form") == "container").select("id", "t_per_teu").iter_rows())
    land = dict(tables["places"].select("id", "iso2").iter_rows())
    borders = {
        name: (mode, {land[a], land[b]})
        for name, mode, a, b in tables["crossings"].select("id", "mode", "place_a", "place_b").iter_rows()
    }
    relations = {r["relation"]: r for r in results.of("relations", "base", 2023).to_dicts()}
    by_rail = by_water = 0.0
    for way in results.of("paths", "base", 2023).drop_nulls("relation").to_dicts():
        goods = relations[way["relation"]]
        if goods["commodity"] not in t_per_teu or "KAZ" in (goods["exporter"], goods["importer"]):
            continue
        teu = way["tonnes"] / t_per_teu[goods["commodity"]]
        for before, here in pairwise(way["countries"]):
            if here == "KZ":
                modes = {mode for mode, sides in map(borders.get, way["crossings"]) if sides == {before, "KZ"}}
                assert modes <= {"rail"}
                by_rail, by_water = by_rail + teu * bool(modes), by_water + teu * (not modes)
    return by_rail, by_water


def test_services(tmp_path: Path) -> None:
    for service in ("china-europe-rail", "china-central-asia", "utlc-transit", "titr"):
        there, back, both = (
            ask(tmp_path, "service_teu", service, unit="TEU", direction=d)["modelled"]
            for d in ("from-china", "to-china", "both")
        )
        assert both >= 0
        if service != "titr":  # Kazakhstan's own goods use it too
            assert there + back == pytest.approx(both)
    by_rail, by_water = into_kazakhstan()
    answer = ask(tmp_path, "service_teu", "kazakhstan-container-transit", unit="TEU")
    assert answer["modelled"] == pytest.approx(by_rail)
    # boxes of owners who keep out of Russia come into Kazakhstan over the Caspian, and by no crossing
    through = small_results().of("countries", "base", 2023).filter(pl.col("country") == "KZ")["transit_teu"][0]
    assert by_rail + by_water == pytest.approx(through)
    assert by_rail > 100 * by_water > 0
    over = flows().filter(pl.col("crossing") == "akhalkalaki")["tonnes"].sum() / 1e6
    assert ask(tmp_path, "service_tonnes", "btk")["modelled"] == pytest.approx(over)


def test_formulas_and_statements(tmp_path: Path) -> None:
    a, b = (ask(tmp_path, "crossing_tonnes", c)["modelled"] for c in ("manzhouli-zabaikalsk", "khorgos-altynkol"))
    subject = "manzhouli-zabaikalsk;khorgos-altynkol"
    inner = "value(manzhouli-zabaikalsk) / value(khorgos-altynkol)"
    ratio = ask(tmp_path, "crossing_tonnes", subject, unit="per 100", kind="ratio", note=f"formula: 100 * {inner}")
    assert ratio["modelled"] == pytest.approx(100 * a / b)
    for sign, holds in ((">", a > b), ("<", a < b)):
        note = f"holds: value(manzhouli-zabaikalsk) {sign} value(khorgos-altynkol) and value(khorgos-altynkol) > 0"
        answer = ask(tmp_path, "crossing_tonnes", subject, unit="bool", kind="order", low=1, high=1, note=note)
        assert (answer["modelled"], answer["inside"]) == (float(holds), "yes" if holds else "no")


def test_change_against_a_scenario_of_the_study(tmp_path: Path) -> None:
    table = small_results()["crossing_flows"].filter(pl.col("crossing") == "khorgos-altynkol")
    a, b = (table.filter(pl.col("scenario") == s)["tonnes"].sum() for s in ("base", "cku"))
    answer = ask(tmp_path, "scenario_change_pct", "cku:crossing_tonnes/khorgos-altynkol", unit="%")
    assert answer["modelled"] == pytest.approx(100 * (b - a) / a)


# --------------------------------------------------------------------------------------------- routes and the rest


def test_routes(tmp_path: Path) -> None:
    def km(subject: str, **named: Any) -> float:
        return float(ask(tmp_path, "distance_km", subject, direction="na", unit="km", **named)["modelled"])

    assert 4400 < km("xian>tashkent via khorgos") < 4600
    assert 9800 < km("chongqing>duisburg") < 10500
    assert 900 < km("cku:kashgar>tashkent via cku") < 1000
    mean = km("yiwu>duisburg|hamburg")
    assert mean == pytest.approx((km("yiwu>duisburg") + km("yiwu>hamburg")) / 2)
    assert km("china-ports>rotterdam via cape/sea") > km("china-ports>rotterdam via suez/sea")


def test_means_between_countries_lie_between_their_pairs(tmp_path: Path) -> None:
    answer = ask(tmp_path, "transit_days", "china>germany", direction="na", unit="days", year=2024)
    assert 10 < answer["modelled"] < 20


def test_tariffs_and_factors_are_the_atlas(tmp_path: Path) -> None:
    rate = small_tables()["rates"].filter((pl.col("country") == "KZ") & (pl.col("mode") == "rail"))["usd_teu_km"][0]
    boxed = {"direction": "na", "year": 2015}
    per_feu = ask(tmp_path, "unit_cost_usd_box_km", "kazakhstan", unit="USD/FEU-km", **boxed)["modelled"]
    per_teu = ask(tmp_path, "unit_cost_usd_box_km", "kazakhstan", unit="USD/TEU-km", **boxed)["modelled"]
    assert (per_feu, per_teu) == (pytest.approx(2 * rate), pytest.approx(rate))
    unit = ask(tmp_path, "unit_cost_usd_20t_500km", "kazakhstan/rail", unit="USD", **boxed)["modelled"]
    assert unit == pytest.approx(1000 * rate)


def test_hours_at_borders_lie_between_those_of_the_crossings(tmp_path: Path) -> None:
    table = small_results().of("crossings", "base", 2023).filter((pl.col("mode") == "rail") & (pl.col("trains") > 0))
    for direction, column in (("inbound", "to_country"), ("outbound", "from_country")):
        own = table.filter(pl.col(column) == "KZ")["time_h"]
        answer = ask(tmp_path, "border_hours", "kazakhstan/rail", direction=direction, unit="hours", year=2020)
        assert own.min() <= answer["modelled"] <= own.max()
        assert "flows of 2023" in answer["why"]


@pytest.mark.parametrize(
    ("indicator", "subject", "named", "why"),
    [
        ("crossing_tonnes", "nowhere", {}, "no crossing nowhere"),
        ("crossing_tonnes", "torugart-makmal", {}, "not open"),
        ("crossing_tonnes", "khorgos-altynkol", {"year": 2030}, "flows of 2030"),
        ("crossing_tonnes", "khorgos-altynkol@2019", {}, "flows of 2019"),
        ("crossing_tonnes", "khorgos-altynkol/wednesdays", {}, "wednesdays"),
        ("crossing_tonnes", "khorgos-altynkol", {"direction": "inbound"}, "no direction inbound"),
        ("crossing_tonnes", "china<>atlantis", {}, "atlantis"),
        ("crossing_tonnes", "moon:khorgos-altynkol", {}, "no scenario moon"),
        ("crossing_tonnes", "a;b", {}, "no formula"),
        ("crossing_tonnes", "a", {"kind": "sign"}, "no formula"),
        ("crossing_wagons", "khorgos-altynkol", {}, "ferry lines only"),
        ("queue_trains", "khorgos-altynkol", {}, "no stop of that crossing"),
        ("blimps", "khorgos-altynkol", {}, "no indicator blimps"),
        ("distance_km", "atlantis>duisburg", {}, "atlantis"),
        ("distance_km", "xian>duisburg via atlantis", {}, "no passage atlantis"),
        ("distance_km", "duisburg", {}, "no relation"),
        ("service_tonnes", "utlc-none", {}, "no counterpart"),
        ("service_tonnes", "nsr", {}, "Arctic"),
        ("border_hours", "alashankou/rail", {}, "no table yards in this results folder"),
        ("co2_g_tkm", "air", {}, "no emission factor"),
        ("scenario_change_pct", "bri:gdp/world", {}, "no scenario bri"),
        ("scenario_change_pct", "cku:gdp/world", {}, "no gdp"),
        ("trade_usd", "china<>eu", {"year": 2009}, "trade of 2009"),
    ],
)
def test_what_is_not_covered_says_why(
    tmp_path: Path, indicator: str, subject: str, named: dict[str, Any], why: str
) -> None:
    answer = ask(tmp_path, indicator, subject, **named)
    assert answer["status"] == "not covered"
    assert why in answer["why"]


# ------------------------------------------------------------------------------------------------- a user's file


def test_the_same_file_gives_the_same_answers(tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_bytes((ATLAS / "targets.csv").read_bytes())
    assert against(small_results(), small_tables(), copy).equals(against(small_results(), small_tables()))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("indicator,", "what,", r"mine\.csv, header, indicator: wanted this column"),
        (",Mt,", ",kt,", r"mine\.csv, row 2 \(T1\), unit: wanted Mt, got 'kt'"),
        (",28,26,30", ",28,30,26", r"mine\.csv, row 2 \(T1\), low: wanted at most the upper end, 26, got 30"),
        (",28,26,30", ",28,,", r"mine\.csv, row 2 \(T1\), low: wanted a band with at least one end"),
        ("year,Mt", "Smarch,Mt", r"mine\.csv, row 2 \(T1\), period: wanted year, .*, got 'Smarch'"),
        ("proposed,,,,,", "proposed,,,,,formula: value(a) ** 2", r"row 2 \(T1\), note: wanted a formula"),
        ("proposed,,,,,", "proposed,,,,,formula: __import__('os')", r"row 2 \(T1\), note: wanted a formula"),
        ("proposed,,,,,", "proposed,,,,,annualise xlots", r"row 2 \(T1\), note: wanted a factor above zero"),
        ("2023", "soon", r"mine\.csv, row 2 \(T1\), year: wanted a number, got 'soon'"),
        (",28,", ",,", r"mine\.csv, row 2 \(T1\), observed: wanted a value"),
        ("both", "upwards", r"mine\.csv, row 2 \(T1\), direction: wanted both or"),
    ],
)
def test_a_wrong_form_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    row = "T1,crossing_tonnes,khorgos-altynkol,both,2023,year,Mt,28,26,30,level,proposed,,,,,"
    text = f"{','.join(HEADER)}\n{row}\n"
    (tmp_path / "mine.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        against(small_results(), small_tables(), tmp_path / "mine.csv")
    assert re.search(told, str(caught.value))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        against(small_results(), small_tables(), tmp_path / "none.csv")


@pytest.mark.shared
def test_the_shared_targets_run_through(shared: Path) -> None:
    path = shared / "data" / "targets_open.csv"
    with path.open(encoding="utf-8", newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    frame = against(small_results(), small_tables(), path)
    assert frame["id"].to_list() == ids
    assert (frame["why"] != "").all() or frame.filter(pl.col("why") == "")["status"].unique().to_list() == ["compared"]
