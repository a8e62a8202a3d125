"""What may be chosen: results of an older atlas, two of one study, sides of a comparison, routes, what is shut."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import expect

from landbridge.data.read import read_atlas
from landbridge.study.results import is_current, read_results, run_again
from tests.conftest import watch
from tests.map_server import Server, ask
from tests.show.web.test_map import EXPECTED, PATIENCE, Site, in_both_themes
from tests.small_run import own_price, small_folder, small_tables


def age(folder: Path) -> None:
    """Let results be those of another atlas."""
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    told["atlas"] |= {"content_hash": "0" * 64, "version": "0.0.1"}
    (folder / "manifest.json").write_text(json.dumps(told), encoding="utf-8")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One study twice, first by name the one of an older atlas, and a folder that cannot be read."""
    home = tmp_path_factory.mktemp("mixed") / "results with a space"
    home.mkdir()
    for name in ("a-older", "b-newer"):
        shutil.copytree(small_folder(), home / name)
    age(home / "a-older")
    (home / "broken").mkdir()
    (home / "broken" / "manifest.json").write_text("{", encoding="utf-8")
    shutil.copytree(small_folder(), home / "a-cut")
    for name in ("links", "totals"):
        table = home / "a-cut" / "tables" / f"{name}.parquet"
        table.write_bytes(table.read_bytes()[:-20])
    return home


@pytest.fixture(scope="module")
def serving(mixed: Path) -> Iterator[Server]:
    running = Server(mixed)
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


# ------------------------------------------------------------------------------------------ results of an older atlas


def test_results_of_an_older_atlas_come_last_with_the_command_that_makes_them_anew(
    serving: Server, mixed: Path
) -> None:
    # what-ifs that other tests may have made are current, and stand between
    told = [r for r in ask(serving, "GET", "api/results")[1] if r["kind"] == "study"]
    assert [(r["id"], r["current"], bool(r["again"])) for r in told] == [
        ("b-newer", True, False),
        ("a-older", False, True),
    ]
    words = shlex.split(told[1]["again"])
    folder = (mixed / "a-older").resolve()
    assert words == ["landbridge", "run", str(folder / "study.toml"), "--out", str(folder)]
    unread = ask(serving, "GET", "api/unread")[1]
    assert [u["id"] for u in unread] == ["a-cut", "broken"]
    assert "links.parquet" in unread[0]["why"]
    assert "totals.parquet" in unread[0]["why"]
    assert "manifest.json" in unread[1]["why"]
    asked = {"start": "cn-xian", "end": "Istanbul", "result": "a-older", "scenario": "base"}
    status, refused = ask(serving, "POST", "api/routes", asked)
    assert status == 422
    assert told[1]["again"] in refused["message"]
    what_if = {"title": "x", "result": "a-older", "scenario": "base", "years": [2023],
               "measures": [{"kind": "close", "crossings": ["khorgos-altynkol"]}]}  # fmt: skip
    status, refused = ask(serving, "POST", "api/jobs", what_if)
    assert status == 422
    assert told[1]["again"] in refused["message"]


def run_line(line: str, folder: Path) -> None:
    """Run a command as it was told, from another folder."""
    program, *words = shlex.split(line)
    assert program == "landbridge"
    done = subprocess.run(
        [sys.executable, "-m", "landbridge", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_command_makes_results_anew_where_they_are(tmp_path: Path) -> None:
    """Also over the user's own values, which the study named by where they once stood."""
    from landbridge.data.overlay import read_overlay
    from landbridge.study.files import read_study
    from landbridge.study.run import run_study

    own = tmp_path / "own"
    own_price(own)
    study = tmp_path / "small.toml"
    study.write_text(
        'name = "Own"\nyears = [2023]\nsize = "reduced"\noverlay = "own"\n[[scenario]]\nid = "base"\n', encoding="utf-8"
    )
    folder = tmp_path / "kept" / "own results"
    first = run_study(read_study(study), read_overlay(own), folder)
    shutil.rmtree(own)
    age(folder)
    old = read_results(folder)
    assert not is_current(old, small_tables())
    run_line(run_again(old), tmp_path)
    new = read_results(folder)
    assert is_current(new, small_tables())
    assert new.manifest["overlay"]["content_hash"] == first.manifest["overlay"]["content_hash"]
    assert new["links"].equals(first["links"])
    (folder / "study.toml").write_text("", encoding="utf-8")
    assert run_again(new) == "", "without a study file nothing is promised"


@pytest.mark.browser
def test_a_current_folder_opens_first_and_an_older_one_says_so_at_once(site: Site, serving: Server) -> None:
    page = site.page
    main = page.get_by_role("main")
    expect(main.get_by_label("Results").first).to_have_value("b-newer")
    assert page.get_by_test_id("stale").count() == 0
    expect(page.get_by_test_id("unread")).to_contain_text(["a-cut", "broken"])
    labels = [text for text in main.get_by_label("Results").first.locator("option").all_inner_texts()
              if "what if" not in text]  # fmt: skip
    assert len(set(labels)) == 2, "one study, told apart"
    assert labels[0].startswith("b-newer: ")
    assert labels[1].startswith("a-older: ")
    assert "older atlas" in labels[1]
    assert all(re.search(r"\d{4}-\d{2}-\d{2}", text) for text in labels)
    main.get_by_label("Results").first.select_option("a-older")
    bar = page.get_by_test_id("stale")
    again = next(r["again"] for r in ask(serving, "GET", "api/results")[1] if r["id"] == "a-older")
    for view in ("map", "compare", "choke", "routes?from=cn-xian&to=Istanbul", "whatif"):
        site.open(f"{view}{'&' if '?' in view else '?'}r=a-older")
        expect(bar).to_be_visible()
        expect(bar.locator("code")).to_have_text(again)
    bar.get_by_role("button", name="Copy the command").click()
    assert page.evaluate("navigator.clipboard.readText()") == again
    expect(page.get_by_role("button", name="Compute")).to_be_disabled()
    in_both_themes(page)
    site.open("atlas?r=a-older")
    expect(bar).to_have_count(0)


# ----------------------------------------------------------------------------------------------- sides of a comparison


@pytest.mark.browser
def test_compare_opens_on_a_comparison_and_explains_equal_sides(site: Site) -> None:
    page = site.page
    page.get_by_role("link", name="Compare", exact=True).click()
    main = page.get_by_role("main")
    expect(main.get_by_label("Scenario").first).to_have_value("cku")
    expect(main.get_by_label("Scenario").last).to_have_value("base")
    expect(main.locator('td[data-column="tonnes_change"]').first).to_be_visible()
    expect(page.get_by_test_id("same")).to_have_count(0)
    # who chooses the same on both sides keeps the choice and is told, with a way on
    main.get_by_label("Scenario").last.select_option("cku")
    same = page.get_by_test_id("same")
    expect(same).to_contain_text("nothing can differ")
    expect(main.locator("td[data-column]")).to_have_count(0)
    expect(page.get_by_test_id("lead")).to_have_count(0)
    same.get_by_role("button", name=re.compile("^Compare ")).click()
    expect(same).to_have_count(0)
    expect(main.locator('td[data-column="tonnes_change"]').first).to_be_visible()


# ------------------------------------------------------------------------------------------------------ a small screen

#: What is chosen on each page; it stands above the map.
CHOICES = {
    "map": [".which"],
    "compare": [".which", "main fieldset", "main .choice"],
    "routes": [".which", "main form"],
    "whatif": [".which", "main .primary"],
}


@pytest.mark.browser
@pytest.mark.parametrize("view", CHOICES)
def test_on_a_small_screen_choices_stand_above_the_map(site: Site, view: str) -> None:
    page = site.page
    page.set_viewport_size({"width": 360, "height": 780})
    site.open(view)
    canvas = page.locator(".canvas")
    for chosen in CHOICES[view]:
        part = page.locator(chosen).first
        expect(part).to_be_visible()
        page.wait_for_function(
            "([a, b]) => document.querySelector(a).getBoundingClientRect().bottom <= "
            "document.querySelector(b).getBoundingClientRect().top + 1",
            arg=[chosen, ".canvas"],
        )
    site.rest()
    box = canvas.bounding_box()
    assert box
    assert box["width"] == pytest.approx(360, abs=1)
    # order of the keyboard is the order on screen
    order = page.evaluate(
        "a => Boolean(document.querySelector(a).compareDocumentPosition(document.querySelector('.canvas')) & 4)",
        CHOICES[view][-1],
    )
    assert order
    # a wider window has the map beside the panel again
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(page.locator(".frame > .stage")).to_be_visible()
    site.rest()


@pytest.mark.browser
def test_on_a_small_screen_no_figure_of_the_choke_points_is_cut(site: Site) -> None:
    page = site.page
    page.set_viewport_size({"width": 360, "height": 780})
    site.open("choke?r=b-newer")
    cells = page.get_by_test_id("choke").locator("td[data-value]")
    expect(cells.first).to_be_visible()
    assert cells.count() > 4
    for part in ("td[data-value]", "td[data-value] .use", "td[data-value] .hours"):
        right = page.eval_on_selector_all(part, "all => Math.max(...all.map(e => e.getBoundingClientRect().right))")
        assert right <= 361, part
    names = {c.get_attribute("data-label") for c in cells.all()}
    assert names == {"base 2023", "cku 2023"}, "each cell says which solution it is of"


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 900, 1240, 1440])
def test_a_card_is_read_and_leads_to_a_what_if_in_every_window(site: Site, width: int) -> None:
    """Where the card stands in the panel's place it makes way for the page that it leads to."""
    page = site.page
    page.set_viewport_size({"width": width, "height": 740})
    site.open("map?r=b-newer&s=base&y=2023&sel=crossing:khorgos-altynkol")
    card = page.locator(".side")
    closes = card.get_by_role("button", name="What if it closes?")
    expect(closes).to_be_visible()
    box = card.bounding_box()
    assert box
    assert box["height"] > 250
    closes.click()
    expect(page.locator("#panel")).to_be_visible()
    expect(page.get_by_role("button", name="Compute", exact=True)).to_be_visible()
    expect(page.locator(".side")).to_have_count(0 if width <= 1240 else 1)
    page.get_by_role("link", name="Routes", exact=True).click()
    expect(page.locator("#panel").get_by_role("heading", name="Routes", exact=True)).to_be_visible()
    site.rest()


# -------------------------------------------------------------------------------------------------------------- routes


@pytest.mark.browser
def test_routes_are_told_apart_and_tell_their_legs_by_mode(site: Site, serving: Server) -> None:
    page = site.page
    site.open("routes?r=b-newer&s=base&y=2023&from=cn-xian&to=Istanbul&obj=cost")
    cards = page.get_by_test_id("routes").get_by_role("button")
    expect(cards.first).to_be_visible()
    asked = {"start": "cn-xian", "end": "Istanbul", "objectives": ["cost"], "result": "b-newer", "scenario": "base"}
    routes = ask(serving, "POST", "api/routes", asked)[1]["routes"]
    passages = [r["passage"] for r in routes]
    assert len(set(passages)) < len(passages), "the question has routes that share a passage"
    titles = cards.locator(".what").all_inner_texts()
    assert len(set(titles)) == len(titles) == len(routes)
    for card, route in zip(cards.all(), routes, strict=True):
        shown: dict[str, float] = {}
        for chip in card.locator("[data-mode]").all():
            mode = chip.get_attribute("data-mode") or ""
            shown[mode] = shown.get(mode, 0) + float(chip.get_attribute("data-km") or 0)
        moved: dict[str, float] = {}
        for leg in route["legs"]:
            if leg["type"] == "move" and leg["length_km"] > 0:
                moved[leg["mode"]] = moved.get(leg["mode"], 0) + leg["length_km"]
        assert shown == pytest.approx(moved)
        borders = len(route["borders"])
        expect(card).to_contain_text(f"{borders} border{'' if borders == 1 else 's'},")
        changes = route["gauge_changes"]
        expect(card).to_contain_text(f"{changes} {'change' if changes == 1 else 'changes'} of gauge")
    assert any(len({leg["mode"] for leg in r["legs"] if leg["type"] == "move"}) > 1 for r in routes)


# ----------------------------------------------------------------------------------------------------- what is shut


@pytest.mark.browser
def test_a_crossing_that_is_not_open_offers_its_opening(site: Site, serving: Server) -> None:
    page = site.page
    crossings = read_atlas()["crossings"]
    there = set(read_results(small_folder()).of("crossings", "base", 2023)["crossing"])
    shut = crossings.filter((pl.col("status") == "closed") & ~pl.col("id").is_in(list(there)))
    crossing = shut.row(0, named=True)
    site.open(f"map?r=b-newer&s=base&y=2023&sel=crossing:{crossing['id']}")
    card = page.get_by_test_id("card")
    expect(card).to_contain_text("Not open in this scenario and year")
    expect(card.get_by_role("button", name="What if it closes?")).to_have_count(0)
    expect(card.get_by_role("button", name="What if it is eased?")).to_have_count(0)
    card.get_by_role("button", name="What if it opens?").click()
    page.get_by_role("button", name="Compute").click()
    expect(page.get_by_test_id("took")).to_be_visible(timeout=PATIENCE)
    made = ask(serving, "GET", "api/jobs")[1][0]
    rows = ask(serving, "GET", f"api/results/{made['id']}/crossings/{crossing['id']}?scenario=what-if&year=2023")[1]
    assert rows["rows"], "it is open in the answer"
    # one that a scenario's own measure closes says so instead
    closed = {"title": "Shut", "result": "b-newer", "scenario": "base", "years": [2023],
              "measures": [{"kind": "close", "crossings": ["khorgos-altynkol"]}]}  # fmt: skip
    job = ask(serving, "POST", "api/jobs", closed)[1]["id"]
    for _ in range(600):
        if ask(serving, "GET", f"api/jobs/{job}")[1]["status"] == "finished":
            break
        page.wait_for_timeout(100)
    page.reload()
    site.open(f"map?r={job}&s=what-if&y=2023&sel=crossing:khorgos-altynkol")
    expect(card).to_contain_text("A measure of this scenario closes it")
    expect(card.get_by_role("button", name="What if it opens?")).to_have_count(0)
    card.get_by_role("button", name=re.compile("^Show ")).click()
    expect(card.get_by_role("button", name="What if it closes?")).to_be_visible()
