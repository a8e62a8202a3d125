"""Links to views: what they hold, what they name that is not there, and which folder a page opens on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import polars as pl
import pytest
from playwright.sync_api import Page, expect

from landbridge.study.results import read_results
from landbridge.study.trade_questions import QUESTIONS, questions_of
from tests.conftest import watch
from tests.map_server import Server, ask
from tests.show.web.test_map import EXPECTED, Site
from tests.small_run import small_folder


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders of one study."""
    home = tmp_path_factory.mktemp("linked") / "results"
    home.mkdir()
    for name in ("first", "second"):
        shutil.copytree(small_folder(), home / name)
    return home


@pytest.fixture(scope="module")
def serving(linked: Path) -> Iterator[Server]:
    running = Server(linked)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def site(browser: Any, browser_context_args: dict[str, Any], serving: Server, built_map: None) -> Iterator[Site]:
    """A page of its own, which fails on any error in it."""
    context = browser.new_context(**browser_context_args, color_scheme="light")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    faults = watch(page)
    yield Site(page, serving)
    context.close()
    assert [fault for fault in faults if EXPECTED not in fault] == []


def held(link: str) -> dict[str, str]:
    """What a link says of the view."""
    return {key: values[0] for key, values in parse_qs(link.partition("?")[2]).items()}


def results_of(page: Page) -> Any:
    return page.get_by_role("main").get_by_label("Results").first


@pytest.mark.browser
def test_a_link_holds_results_scenario_and_year_from_the_start(site: Site) -> None:
    page = site.page
    expect(results_of(page)).to_have_value("first")
    page.wait_for_function("location.hash.includes('r=first')")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("status")).to_contain_text("Link copied")
    whole = held(page.evaluate("navigator.clipboard.readText()"))
    assert (whole["r"], whole["s"], whole["y"]) == ("first", "base", "2023")
    assert held(page.url) | whole == held(page.url), "the address bar holds the same"
    # also where it is copied before any results have come
    slow = page.context.new_page()
    slow.route("**/api/results", lambda route: (slow.wait_for_timeout(1500), route.continue_()))
    slow.goto(site.address)
    slow.get_by_role("button", name="Copy link").click()
    expect(slow.get_by_role("status")).to_contain_text("Link copied")
    whole = held(slow.evaluate("navigator.clipboard.readText()"))
    assert (whole["r"], whole["s"], whole["y"]) == ("first", "base", "2023")
    slow.close()


@pytest.mark.browser
def test_results_made_after_the_page_was_opened_are_found_by_their_link(site: Site, linked: Path) -> None:
    page = site.page
    expect(results_of(page)).to_have_value("first")
    shutil.copytree(small_folder(), linked / "later")
    try:
        site.open("map?r=later&s=cku&y=2023")
        expect(results_of(page)).to_have_value("later")
        expect(page.get_by_test_id("absent")).to_have_count(0)
        expect(page.locator('main [data-from^="later:"]').first).to_be_visible()
        # the other side of a comparison as well
        shutil.copytree(small_folder(), linked / "latest")
        site.open("compare?r=later&s=cku&y=2023&ar=latest&as=base")
        expect(page.get_by_role("main").get_by_label("Results").last).to_have_value("latest")
        expect(page.get_by_test_id("absent")).to_have_count(0)
        expect(page.locator('main td[data-column="tonnes_change"]').first).to_be_visible()
    finally:
        for name in ("later", "latest"):
            shutil.rmtree(linked / name, ignore_errors=True)


@pytest.mark.browser
def test_what_a_link_names_and_is_not_there_is_told(site: Site) -> None:
    page = site.page
    told = page.get_by_test_id("absent")
    for view in ("map?r=gone&s=base&y=2023", "choke?r=gone", "compare?r=gone&s=cku&y=2023&as=base"):
        site.open(view)
        expect(told).to_contain_text("No results gone are in this folder")
        expect(told).to_contain_text("is shown")
        expect(results_of(page)).to_have_value("first")
    site.open("compare?r=second&s=cku&y=2023&ar=gone")
    expect(told).to_contain_text("No results gone")
    expect(results_of(page)).to_have_value("second")
    site.open("map?r=second&s=nowhere&y=2023")
    expect(told).to_contain_text("has no scenario nowhere")
    # who chooses something, or goes on, is no longer told of it
    results_of(page).select_option("first")
    expect(told).to_have_count(0)
    # a link that the page is opened with as well
    page.goto("about:blank")
    page.goto(f"{site.address}#/map?r=gone")
    expect(told).to_contain_text("No results gone")
    site.open("map?r=second&s=base&y=2023")
    expect(told).to_have_count(0)
    expect(results_of(page)).to_have_value("second")


# ----------------------------------------------------------------------------------------- which folder a page opens on


def validation(folder: Path, made: datetime, targets: dict[str, Any], current: str) -> None:
    """A folder of a validation with no table but its classes."""
    (folder / "tables").mkdir(parents=True)
    zero = pl.DataFrame({"class": ["predicted"], "n": [0], "inside": [0], "share": [0.0]})
    frames = {"targets": pl.DataFrame({"id": ["A1"], "class": ["predicted"]}), "by_class": zero, "worst": zero.head(0)}
    for name, frame in frames.items():
        frame.write_parquet(folder / "tables" / f"{name}.parquet")
    told = {
        "kind": "validation", "made": made.isoformat(), "landbridge": "0", "atlas": {"content_hash": current},
        "targets": targets, "size": "reduced", "runs": [], "tables": {name: {} for name in frames},
    }  # fmt: skip
    (folder / "validation.json").write_text(json.dumps(told), encoding="utf-8")


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server of several validations and closures, the one that a page is about neither first nor last by name."""
    home = tmp_path_factory.mktemp("chosen") / "results"
    home.mkdir()
    shutil.copytree(small_folder(), home / "small")
    now = json.loads((home / "small" / "manifest.json").read_text("utf-8"))["atlas"]["content_hash"]
    ours, theirs = {"file": "targets.csv of the atlas", "sha256": None}, {"file": "passages.csv", "sha256": "0" * 64}
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 8)]
    validation(home / "a-passages", days[6], theirs, now)
    validation(home / "b-older", days[0], ours, now)
    validation(home / "m-whole", days[1], ours, now)
    validation(home / "z-outdated", days[5], ours, "0" * 64)
    row = {"year": 2023, "closed": "khorgos-altynkol", "cost_usd_yr": 1e6, "lost_land_tonnes_yr": 0.0,
           "unserved_tonnes_yr": 0.0}  # fmt: skip
    for name, table, day in (("a-chance", "chance", 6), ("m-closure", "totals", 2), ("z", "totals", 1)):
        (home / name / "tables").mkdir(parents=True)
        told = {"kind": "stress", "made": days[day].isoformat(), "atlas": {"content_hash": now}}
        told["tables"] = {f"stress_{table}": ""}
        (home / name / "manifest.json").write_text(json.dumps(told), encoding="utf-8")
        pl.DataFrame([row]).write_parquet(home / name / "tables" / f"stress_{table}.parquet")
    running = Server(home)
    running.start()
    yield running, home
    running.stop()


def test_folders_come_in_the_order_in_which_a_page_takes_them(chosen: tuple[Server, Path]) -> None:
    server = chosen[0]
    listed = ask(server, "GET", "api/findings/validation")[1]
    assert [f["id"] for f in listed] == ["m-whole", "b-older", "a-passages", "z-outdated"]
    assert [f["usual"] for f in listed] == [True, True, False, True]
    assert [f["id"] for f in ask(server, "GET", "api/findings/stress")[1]] == ["m-closure", "z", "a-chance"]


@pytest.mark.browser
def test_validation_and_closures_open_on_the_newest_of_the_usual_kind_and_say_so(
    browser: Any, browser_context_args: dict[str, Any], chosen: tuple[Server, Path], built_map: None
) -> None:
    context = browser.new_context(**browser_context_args, color_scheme="light")
    page = context.new_page()
    faults = watch(page)
    site = Site(page, chosen[0])
    try:
        for view, folder, words in (
            ("validation", "m-whole", "held against the targets that ship"),
            ("power?pr=stress", "m-closure", "what a closure costs"),
        ):
            site.open(view)
            expect(page.get_by_label("Folder")).to_have_value(folder)
            expect(page.get_by_test_id("first")).to_contain_text(words)
            expect(page.get_by_test_id("first")).to_contain_text("the newest of 2")
            page.wait_for_function("f => location.hash.includes('f=' + f)", arg=folder)  # a link holds it
        # a choice is kept, and no longer called the first
        page.get_by_label("Folder").select_option("a-chance")
        expect(page.get_by_label("Folder")).to_have_value("a-chance")
        expect(page.get_by_test_id("first")).to_have_count(0)
        # a folder of one page is none of another
        page.get_by_role("link", name="Validation", exact=True).click()
        expect(page.get_by_label("Folder")).to_have_value("m-whole")
        expect(page.get_by_test_id("absent")).to_have_count(0)
    finally:
        context.close()
    assert [fault for fault in faults if EXPECTED not in fault] == []


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """Results that answer one question each, first by name and newest, and one that answers two."""
    home = tmp_path_factory.mktemp("answers") / "results"
    home.mkdir()
    for at, (name, scenarios) in enumerate((("a-one", ["union"]), ("trade", ["union", "farm"]), ("z-one", ["moved"]))):
        shutil.copytree(small_folder(), home / name)
        file = home / name / "manifest.json"
        told = json.loads(file.read_text("utf-8"))
        told["made"] = f"2026-02-0{at + 1}T00:00:00+00:00"
        base, other = told["study"]["scenarios"][0], told["study"]["scenarios"][-1]
        told["study"]["scenarios"] = [base, *({**other, "id": s, "name": s} for s in scenarios)]
        told["solved"] = [s for s in told["solved"] if s["scenario"] == "base"] + [
            {**s, "scenario": scenario}
            for scenario in scenarios
            for s in told["solved"]
            if s["scenario"] == other["id"]
        ]
        for table in told["tables"]:
            path = home / name / "tables" / f"{table}.parquet"
            frame = pl.read_parquet(path)
            if "scenario" in frame.columns:
                copies = [
                    frame.filter(pl.col("scenario") == other["id"]).with_columns(pl.lit(s).alias("scenario"))
                    for s in scenarios
                ]
                pl.concat([frame.filter(pl.col("scenario") == "base"), *copies], how="vertical_relaxed").write_parquet(
                    path
                )
        nothing = {"scenario": pl.String, "year": pl.Int64, "exporter": pl.String, "importer": pl.String,
                   "value_usd": pl.Float64, "value_before_usd": pl.Float64, "country": pl.String,
                   "welfare_pct": pl.Float64}  # fmt: skip
        for table in ("trade_flows", "trade_countries", "trade_sectors", "zone_access"):
            pl.DataFrame(schema=nothing).write_parquet(home / name / "tables" / f"{table}.parquet")
            told["tables"][table] = ""
        file.write_text(json.dumps(told), encoding="utf-8")
    running = Server(home)
    running.start()
    yield running, home
    running.stop()


def test_results_tell_how_many_questions_they_answer(answers: tuple[Server, Path]) -> None:
    server, home = answers
    counts = {r["id"]: r["questions"] for r in ask(server, "GET", "api/results")[1] if r["kind"] == "study"}
    assert counts == {"a-one": 1, "trade": 2, "z-one": 1}
    known = {name for _, _, name, _, _ in QUESTIONS}
    for name, count in counts.items():
        assert count == len(known & set(read_results(home / name).scenarios))


@pytest.mark.browser
def test_trade_opens_on_the_folder_that_answers_most_and_a_choice_is_kept(
    browser: Any, browser_context_args: dict[str, Any], answers: tuple[Server, Path], built_map: None
) -> None:
    server, home = answers
    context = browser.new_context(**browser_context_args, color_scheme="light")
    page = context.new_page()
    faults = watch(page)
    site = Site(page, server)
    try:
        site.open("trade?r=a-one&s=base&y=2023")
        listed, told = page.get_by_test_id("questions").get_by_role("listitem"), page.get_by_test_id("home")
        expect(page.get_by_label("Answered by")).to_have_value("trade")
        asked = questions_of(read_results(home / "trade"))
        expect(listed).to_have_count(len(asked))
        expect(told).to_contain_text(f"They answer 2 of {len(asked)} questions")
        missing = page.get_by_text("(not in these results)")
        expect(missing).to_have_count(sum(not each.scenario for each in asked))
        page.get_by_label("Answered by").select_option("z-one")
        expect(told).to_contain_text("They answer 1 of")
        expect(missing).to_have_count(len(asked) - 1)
        # results chosen above are those that answer
        results_of(page).select_option("a-one")
        expect(page.get_by_label("Answered by")).to_have_value("a-one")
    finally:
        context.close()
    assert [fault for fault in faults if EXPECTED not in fault] == []
