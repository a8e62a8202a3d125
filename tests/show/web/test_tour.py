"""The tour: five tasks from the start page by the clicks that it names, with their seconds; and the languages.

python -m pytest tests/show/web/test_tour.py -k tasks -s      tells how long each task took
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import watch
from tests.map_server import Server
from tests.show.web.test_map import EXPECTED, Site

WEB = Path(__file__).resolve().parents[3] / "web" / "src"


@pytest.fixture(scope="module")
def site(browser: Any, browser_context_args: dict[str, Any], server: Server, built_map: None) -> Iterator[Site]:
    context = browser.new_context(**browser_context_args, color_scheme="light", accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    faults = watch(page)
    yield Site(page, server)
    context.close()
    assert [fault for fault in faults if EXPECTED not in fault] == []


def routes_without_russia(page: Page) -> None:
    page.get_by_role("link", name="Routes", exact=True).click()
    for label, words, name in (
        ("From", "xian", "Xi'an"),
        ("To", "istanbul", "Istanbul"),
        ("Without", "russ", "Russia"),
    ):
        page.get_by_role("combobox", name=label, exact=True).fill(words)
        page.get_by_role("option", name=re.compile(name)).first.click()
    expect(page.get_by_test_id("routes").get_by_role("button").first).to_be_visible()


def what_the_railway_does(page: Page) -> None:
    page.get_by_role("link", name="Compare", exact=True).click()
    main = page.get_by_role("main")
    main.get_by_label("Results").first.select_option("soon")
    main.get_by_label("Scenario").first.select_option("cku")
    main.get_by_label("Scenario").last.select_option("base")
    main.get_by_role("searchbox", name="Filter").fill("Kazakhstan")
    for name in ("Khorgos - Altynkol", "Alashankou - Dostyk"):
        expect(main.locator("tbody tr", has_text=name).first).to_be_visible()


def source_of_a_capacity(page: Page) -> None:
    page.get_by_role("main").get_by_role("button", name="Petropavlovsk - Petukhovo").click()
    row = page.get_by_test_id("card").locator("dl > div", has_text="capacity ab trains day")
    row.get_by_role("button").click()
    expect(row.get_by_test_id("why")).to_contain_text(re.compile(r"\w{4,}"))


def a_border_closed(page: Page) -> None:
    page.get_by_role("combobox", name="Find").fill("Brest")
    page.get_by_role("option", name="Brest - Malaszewicze").first.click()
    page.get_by_role("button", name="What if it closes?").click()
    page.get_by_role("button", name="Compute").click()
    page.get_by_role("link", name="Compare in tables").click()
    expect(page.locator("main tbody tr", has_text="Brest").first).to_be_visible()
    with page.expect_download() as getting:
        page.get_by_role("link", name="Excel").click()
    assert Path(getting.value.path()).read_bytes()[:2] == b"PK"


def the_view_shared(page: Page) -> None:
    page.get_by_role("combobox", name="Colour").select_option("passage")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("status")).to_contain_text("Link copied")
    page.goto(page.evaluate("navigator.clipboard.readText()"))
    expect(page.get_by_role("combobox", name="Colour")).to_have_value("passage")


TASKS: tuple[Callable[[Page], None], ...] = (
    routes_without_russia,
    what_the_railway_does,
    source_of_a_capacity,
    a_border_closed,
    the_view_shared,
)


@pytest.mark.browser
def test_five_tasks_from_the_start_page(site: Site) -> None:
    told = []
    for task in TASKS:
        site.page.goto("about:blank")
        start = time.perf_counter()
        site.page.goto(site.address)
        task(site.page)
        told.append(f"{task.__name__.replace('_', ' ')}: {time.perf_counter() - start:.1f} s")
    sys.stdout.write("\n" + "\n".join(told) + "\n")


@pytest.mark.browser
def test_the_tour_lies_on_no_panel_and_leads_back(site: Site) -> None:
    page = site.page
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        site.open("map?r=small&s=base&y=2023&tour=1")
        tour, controls = page.get_by_test_id("tour"), page.locator(".stage .controls")
        expect(tour).to_be_visible()
        above, below = tour.bounding_box(), controls.bounding_box()
        assert above
        assert below
        assert above["y"] + above["height"] <= below["y"] + 1
        tour.get_by_role("button", name="Close").click()
        expect(tour).to_have_count(0)


# ---------------------------------------------------------------------------------------------------------- languages


def texts(language: str) -> dict[str, str]:
    """Texts of a message file by key."""
    found = re.findall(
        r"'([a-z_0-9.]+)': '((?:[^'\\]|\\.)*)'", (WEB / "messages" / f"{language}.ts").read_text("utf-8")
    )
    return dict(found)


@pytest.mark.parametrize("language", ["ru", "zh"])
def test_a_language_has_only_texts_that_english_has_with_the_same_gaps(language: str) -> None:
    english, own = texts("en"), texts(language)
    assert len(own) > 100
    assert set(own) <= set(english)
    for key, text in own.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[key])), key


#: Words of the templates that are names or forms of files, alike in all languages.
ALIKE = {"Landbridge", "CSV", "Excel", "PNG", "SVG", "TOML", "TEU", "USD", "CO2", "CN-KZ, eu-RUS"}


def test_no_text_of_a_page_stands_outside_the_message_files() -> None:
    for file in sorted(WEB.rglob("*.svelte")):
        text = re.sub(r"<(script|style)\b.*?</\1>|<!--.*?-->", "", file.read_text(encoding="utf-8"), flags=re.S)
        said = re.findall(r'(?:title|aria-label|placeholder|alt)="([^"{]*[A-Za-z]{3}[^"{]*)"', text)
        before = ""
        while before != text:  # expressions hold others
            before, text = text, re.sub(r"\{[^{}]*\}|&nbsp;", " ", text)
        text = re.sub(r"=>", "", text)
        said += [word for piece in re.findall(r">([^<>]+)<", text) for word in re.findall(r"[A-Za-z]{3,}\w*", piece)]
        assert set(said) <= ALIKE, file.name


@pytest.mark.browser
def test_the_language_changes_and_what_is_missing_stands_in_english(site: Site) -> None:
    page = site.page
    page.set_viewport_size({"width": 1280, "height": 800})
    site.open("map?r=small&s=base&y=2023")
    assert "map.gap" not in texts("ru")
    for code, heading, language in (("ru", "Карта", "Язык"), ("zh", "地图", "语言")):
        page.locator("header select").select_option(code)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(page.locator("html")).to_have_attribute("lang", code)
        expect(page.get_by_role("combobox", name=language)).to_have_value(code)
        expect(page.get_by_role("main")).to_contain_text("relative gap")
    page.locator("header select").select_option("en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Map")
