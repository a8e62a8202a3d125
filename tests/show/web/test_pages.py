"""The pages of terminals and of trade: on the server, and in a browser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import expect

from landbridge.data.read import read_atlas
from landbridge.study import terminal as work
from landbridge.study.files import read_study
from landbridge.study.results import read_results
from landbridge.study.run import run_study
from landbridge.study.trade_questions import questions_of
from tests.conftest import watch
from tests.map_server import Server, ask
from tests.show.web.test_map import EXPECTED, PATIENCE, Site, in_both_themes
from tests.show.web.test_server import wait
from tests.small_run import small_tables

GATEWAY = "khorgos-gateway"
CUT_OFF = """
name = "Cut off"
years = [2023]
compare = "base"
size = "reduced"
gap = 1e-6
[demand]
mode = "ge"
tolerance = 1e-4
[[scenario]]
id = "base"
[[scenario]]
id = "cut-off"
[[scenario.measure]]
kind = "sanction"
exporter = "eu"
importer = "RUS"
both_ways = true
share = 0.0
[[scenario.measure]]
kind = "grow"
exporter = "KAZ"
importer = "CHN"
commodity = "food"
factor = 2.0
"""


def asked(**change: Any) -> dict[str, Any]:
    plain = {
        "title": "Gateway",
        "terminal": GATEWAY,
        "variants": [{"label": "as it is"}, {"label": "another group", "crane_groups_added": 1}],
        "days": 30,
        "replications": 2,
        "curve": False,
    }
    return {**plain, **change}


# ------------------------------------------------------------------------------------------------------- terminals


def test_plans_are_those_of_the_atlas(server: Server) -> None:
    status, told = ask(server, "GET", "api/terminals")
    assert status == 200
    atlas = read_atlas()
    assert [t["id"] for t in told["terminals"]] == work.plan_ids(atlas)
    listed = {row["terminal"]: row for row in work.listing(atlas)}
    for plan in told["terminals"]:
        assert plan["load"] == pytest.approx(listed[plan["id"]]["load"])
        assert len(plan["resources"]) == atlas["terminal_resources"].filter(pl.col("plan") == plan["id"]).height
    assert 0 < told["estimates"] < told["numbers"]


def test_a_run_is_a_job_and_gives_what_the_command_line_gives(server: Server) -> None:
    status, job = ask(server, "POST", "api/terminals/runs", asked(trains_day=32, changes={"crane.failure_h": "6"}))
    assert status == 202, job
    assert wait(server, job["id"])["status"] == "finished"
    assert job["id"] not in [j["id"] for j in ask(server, "GET", "api/jobs")[1]], "what-ifs are listed apart"
    found = ask(server, "GET", f"api/terminals/runs/{job['id']}")[1]
    one, two = (v["told"] for v in found["variants"])
    plan = work.changed(work.plan_of(read_atlas(), GATEWAY), {"crane.failure_h": "6"}, trains_day=32)
    known = work.ask(plan, work.Settings(days=30, replications=2)).told
    assert one["throughput_teu_yr"] == known["throughput_teu_yr"]
    assert (one["stable"], one["dwell_h"], one["bottleneck"]) == (False, None, f"{GATEWAY}:crane")
    assert two["stable"]
    assert two["utilisation"][f"{GATEWAY}:crane"] < one["utilisation"][f"{GATEWAY}:crane"]
    queue = found["variants"][0]["queue"]
    assert len(queue["time_h"]) == len(queue["outside_1435_trains"]) <= 400
    film = ask(server, "GET", f"api/terminals/runs/{job['id']}/film?variant=1")[1]
    assert (film["format"], film["terminal"]) == ("landbridge-terminal-trace", GATEWAY)
    status, text = ask(server, "GET", f"api/terminals/runs/{job['id']}/tables/visits/file?variant=0&form=csv")
    assert status == 200
    assert b"arriving" in text
    assert ask(server, "GET", f"api/terminals/runs/{job['id']}/film?variant=7")[0] == 404


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"terminal": "nowhere"}, 404, "nowhere"),
        ({"changes": {"crains": "4"}}, 404, "crains"),
        ({"changes": {"crane.machines": "0"}}, 422, "at least 1"),
        ({"event": "2025-09-poland-belarus-closed"}, 422, "stops nothing"),
        ({"variants": [{"label": "x", "cranes": 4}]}, 422, "cranes"),
        ({"replications": 1000}, 422, "replications"),
    ],
)
def test_a_terminal_that_cannot_work_is_refused_at_once(
    server: Server, change: dict[str, Any], status: int, words: str
) -> None:
    before = ask(server, "GET", "api/terminals/runs")[1]
    found, told = ask(server, "POST", "api/terminals/runs", asked(**change))
    assert found == status, told
    assert words in json.dumps(told)
    assert ask(server, "GET", "api/terminals/runs")[1] == before


# ----------------------------------------------------------------------------------------------------------- trade


@pytest.fixture(scope="module")
def trade_home(results_home: Path, server: Server) -> Iterator[Path]:
    """A small run with trade that answers, beside the other one."""
    study = results_home.parent / "cut-off.toml"
    study.write_text(CUT_OFF, encoding="utf-8")
    run_study(read_study(study), small_tables(), results_home / "trade")
    yield results_home / "trade"
    shutil.rmtree(results_home / "trade")


def test_who_trades_what_adds_up(server: Server) -> None:
    rows = read_atlas()["trade"].filter(pl.col("exporter") != pl.col("importer"))
    whole = ask(server, "GET", "api/trade/countries")[1]
    at = [c["name"] for c in whole["columns"]]
    exports = {row[0]: row[at.index("exports_usd")] for row in whole["rows"]}
    assert exports["KAZ"] == pytest.approx(rows.filter(pl.col("exporter") == "KAZ")["value_usd"].sum())
    own = ask(server, "GET", "api/trade/partners/KAZ")[1]
    at = [c["name"] for c in own["columns"]]
    assert sum(row[at.index("exports_usd")] for row in own["rows"]) == pytest.approx(exports["KAZ"])
    assert ask(server, "GET", "api/trade/partners/XXX")[0] == 404


def test_a_shock_is_that_of_the_command_line(server: Server) -> None:
    from landbridge.study.shock import Shocked, pairs_named, shock
    from landbridge.study.world import atlas_world

    atlas = read_atlas()
    world = atlas_world(atlas)
    pairs = pairs_named("CN-KZ", world, atlas)
    known = shock(world, [Shocked(e, i, 0.9) for e, i in pairs], tables=atlas)
    status, told = ask(server, "POST", "api/trade/shock", {"pairs": ["CN-KZ"], "percent": -10})
    assert status == 200, told
    assert told["countries"] == json.loads(json.dumps(known.countries))
    for wrong, words in (
        ({"pairs": ["CNKZ"]}, "wanted a pair"),
        ({"pairs": ["CN-KZ"], "mode": "gravity", "sectors": True}, "general equilibrium"),
    ):
        status, told = ask(server, "POST", "api/trade/shock", wrong)
        assert status == 422
        assert words in told["message"]


def test_trade_of_results_is_read_not_solved(server: Server, trade_home: Path) -> None:
    results = read_results(trade_home)
    status, told = ask(server, "GET", "api/results/trade/trade?scenario=cut-off&year=2023")
    assert status == 200, told
    rows = {r["country"]: r["welfare_pct"] for r in results.of("trade_countries", "cut-off", 2023).to_dicts()}
    assert {r["country"]: r["welfare_pct"] for r in told["countries"]} == rows
    assert min(rows, key=lambda c: rows[c]) == "RUS"
    given = {r["country"]: r["welfare_pct"] for r in told["given"]}
    assert given["KAZ"] > 0, "exports of food that double"
    assert {z["place"] for z in told["zones"]} <= set(results.of("zone_access", "cut-off", 2023)["place"])
    assert any(z["lon"] for z in told["zones"])
    status, refused = ask(server, "GET", "api/results/small/trade?scenario=base&year=2023")
    assert (status, "no table [demand]" in refused["message"]) == (422, True)


def test_questions_are_answered_from_the_tables(server: Server, trade_home: Path) -> None:
    results = read_results(trade_home)
    told = ask(server, "GET", "api/results/trade/trade/questions")[1]
    assert told == json.loads(json.dumps([asdict(q) for q in questions_of(results)]))
    (cut,) = [q for q in told if q["scenario"]]
    assert cut["id"] == "cut-off"
    tonnes = results.of("crossings", "cut-off", 2023)
    for fact in cut["facts"]:
        if fact["source"] == "crossings.tonnes":
            start, end = fact["direction"].split(">")
            row = tonnes.filter(
                (pl.col("crossing") == fact["subject"])
                & (pl.col("from_country") == start)
                & (pl.col("to_country") == end)
            )
            assert fact["after"] == row["tonnes"][0]
    grown = [f for f in cut["facts"] if f["kind"] == "pair"]
    assert grown[0]["subject"] == "RUS>CHN"
    assert grown[0]["after"] > grown[0]["before"]


# ------------------------------------------------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def site(
    browser: Any, browser_context_args: dict[str, Any], server: Server, trade_home: Path, built_map: None
) -> Iterator[Site]:
    """One page for both; it fails on any error in it."""
    assert trade_home.is_dir()
    context = browser.new_context(
        **{**browser_context_args, "color_scheme": "light", "reduced_motion": "no-preference"}
    )
    page = context.new_page()
    faults = watch(page)
    yield Site(page, server)
    context.close()
    assert [fault for fault in faults if EXPECTED not in fault] == []


@pytest.mark.browser
def test_one_watches_a_terminal_at_work(site: Site, server: Server) -> None:
    page = site.page
    wish = json.dumps({"n": 32, "u": ["group"], "days": 30, "runs": 2})
    page.evaluate("v => { location.hash = v; }", f"#/terminal?tm={GATEWAY}&tq={wish}")
    page.get_by_role("button", name="Run", exact=True).click()
    outcome = page.get_by_test_id("outcome")
    expect(outcome.get_by_text("unstable")).to_be_visible()
    expect(outcome.get_by_text("stable", exact=True)).to_be_visible()
    job = ask(server, "GET", "api/terminals/runs")[1][0]["id"]
    told = ask(server, "GET", f"api/terminals/runs/{job}")[1]["variants"]
    shown = outcome.locator('[data-from$="throughput_teu_yr"]').all()
    assert [float(f.get_attribute("data-value") or 0) for f in shown] == [v["told"]["throughput_teu_yr"] for v in told]
    # the yard plays, stops, goes by steps and by keys, and its table holds what stands there
    yard = page.get_by_test_id("yard")
    before = float(yard.get_attribute("data-hour") or 0)
    yard.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "h => Number(document.querySelector('[data-testid=yard]').dataset.hour) > h + 0.5", arg=before, timeout=PATIENCE
    )
    yard.get_by_role("button", name="Pause").click()
    hour = float(yard.get_attribute("data-hour") or 0)
    yard.focus()
    yard.press("ArrowRight")
    moved = float(yard.get_attribute("data-hour") or 0)
    assert moved == round((hour + 1) * 4) / 4
    yard.get_by_role("button", name="Table").click()
    film = ask(server, "GET", f"api/terminals/runs/{job}/film")[1]
    there = sum(
        (t["leave_h"] is None or t["leave_h"] > moved)
        and (
            (t["enter_h"] is not None and t["enter_h"] <= moved)
            or (t["direction"] == "arriving" and t["arrive_h"] <= moved)
        )
        for t in film["trains"]
    )
    expect(page.get_by_test_id("yard-twin").locator("tbody tr")).to_have_count(there)
    expect(page.get_by_test_id("curve").locator("svg[role=img]")).to_be_visible()
    # on what a resource rests is one click away
    page.get_by_role("button", name="Why? crane").click()
    row = page.locator("dl > div", has_text="minutes unit").first
    row.get_by_role("button").click()
    expect(page.get_by_test_id("why").first).to_contain_text("lift")
    in_both_themes(page)


@pytest.mark.browser
def test_who_asks_for_less_motion_goes_by_steps(browser: Any, browser_context_args: Any, server: Server) -> None:
    job = ask(server, "POST", "api/terminals/runs", asked())[1]["id"]
    assert wait(server, job)["status"] == "finished"
    context = browser.new_context(**{**browser_context_args, "reduced_motion": "reduce"})
    page = context.new_page()
    page.goto(f"{server.address}#/terminal?tm={GATEWAY}&tj={job}")
    yard = page.get_by_test_id("yard")
    expect(yard.get_by_text("asks for less motion")).to_be_visible()
    assert yard.get_by_role("button", name="Play").count() == 0
    before = float(yard.get_attribute("data-hour") or 0)
    yard.get_by_role("button", name="+ 1 h").click()
    assert float(yard.get_attribute("data-hour") or 0) == before + 1
    context.close()


@pytest.mark.browser
def test_a_terminal_through_an_event_has_the_volume_of_its_time(site: Site, server: Server) -> None:
    """Title and field tell the trains of September 2025; an event that is over is no alarm; a fault names its row."""
    page, event = site.page, "2025-09-poland-belarus-closed"
    wish = json.dumps({"e": event, "u": [], "days": 30, "runs": 2})
    page.evaluate("v => { location.hash = v; }", f"#/terminal?tm=malaszewicze&tq={wish}")
    expect(page.get_by_label("Trains a day, all streams")).to_have_attribute("placeholder", "14.3")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("heading", name=f"Malaszewicze terminals, 14.3 trains/day, {event}")).to_be_visible()
    outcome = page.get_by_test_id("outcome")
    expect(outcome.get_by_text("a run through an event")).not_to_have_class("bad")
    expect(outcome.get_by_text("2/2")).to_be_visible()
    expect(page.locator("p.alert")).to_have_count(0)
    wish = json.dumps({"c": {"crane.minutes_unit": "0", "ramp.minutes_unit": "0"}})
    page.evaluate("v => { location.hash = v; }", f"#/terminal?tm=malaszewicze&tq={wish}")
    expect(page.get_by_label("Trains a day, all streams")).to_have_attribute("placeholder", "20.4")
    page.get_by_role("button", name="Run", exact=True).click()
    fault = page.get_by_test_id("fault")
    expect(fault).to_contain_text("malaszewicze:crane, minutes_train or minutes_unit: wanted minutes of work above 0")
    expect(fault).to_contain_text("malaszewicze:ramp, minutes_train or minutes_unit: wanted minutes of work above 0")


@pytest.mark.browser
def test_trade_answers_questions_and_shows_who_gains(site: Site, trade_home: Path) -> None:
    page, results = site.page, read_results(trade_home)
    site.open("trade?r=trade&s=cut-off&y=2023&ti=questions&th=cut-off")
    fact = page.get_by_test_id("facts").locator('[data-from="trade_countries.welfare_pct"]').first
    expect(fact).to_be_visible()
    lowest = results.of("trade_countries", "cut-off", 2023)["welfare_pct"].min()
    assert float(fact.get_attribute("data-value") or 0) == lowest
    expect(page.get_by_text("(not in these results)").first).to_be_visible()
    in_both_themes(page)
    site.open("trade?r=trade&s=cut-off&y=2023&ti=scenario")
    cell = page.locator('main td[data-column="welfare_pct"]').first
    expect(cell).to_be_visible()
    assert float(cell.get_attribute("data-value") or 0) == lowest
    expect(page.get_by_test_id("zone-map").locator("g[data-place]").first).to_be_visible()
    in_both_themes(page)
    site.open("trade?r=trade&s=cut-off&y=2023&ti=who&tc=KAZ")
    expect(page.get_by_role("heading", name="Kazakhstan")).to_be_visible()
    site.open("trade?ti=shock")
    page.get_by_role("button", name="Compute").click()
    expect(page.get_by_test_id("shock")).to_contain_text("welfare")
    assert page.locator('main td[data-column="welfare_pct"]').first.get_attribute("data-value")
    for width in (360, 900):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width + 1
    page.set_viewport_size({"width": 1280, "height": 800})
