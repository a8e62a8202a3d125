"""What can be read: widths of the legend, names over flows, pages and columns out of sight, labels in full."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import Page, expect

from landbridge.study.appraise import appraise
from landbridge.study.files import read_study
from landbridge.study.invest_files import tables_of, write_investment
from landbridge.study.results import read_results
from tests.conftest import watch
from tests.map_server import Server, ask
from tests.show.web.test_map import EXPECTED, Site
from tests.small_run import small_tables

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("built_map")]


@pytest.fixture
def site(browser: Any, browser_context_args: dict[str, Any], server: Server, built_map: None) -> Iterator[Site]:
    """A page of its own, which fails on any error in it."""
    context = browser.new_context(
        **{**browser_context_args, "color_scheme": "light", "accept_downloads": True, "reduced_motion": "reduce"}
    )
    page = context.new_page()
    faults = watch(page)
    yield Site(page, server)
    context.close()
    assert [fault for fault in faults if EXPECTED not in fault] == []


# ---------------------------------------------------------------------------------------------------------- widths


def widths(page: Page) -> list[tuple[float, float]]:
    """Amounts of the legend and their widths in pixels, from the thinnest."""
    found = page.get_by_test_id("widths").locator("svg")
    expect(found).to_have_count(3)
    return [(float(s.get_attribute("data-value") or 0), float(s.get_attribute("data-width") or 0)) for s in found.all()]


@pytest.mark.parametrize(
    "view",
    [
        "map?r=small&s=base&y=2023",
        *(f"compare?r=small&s=cku&y=2023&as=base&k={k}" for k in ("change", "percent", "per_km")),
    ],
)
def test_the_legends_widths_can_be_told_from_each_other(site: Site, view: str) -> None:
    site.open(view)
    page = site.page
    if view.startswith("compare"):
        expect(page.get_by_test_id("lead")).to_be_visible()
    site.rest()
    for quantity in ("tonnes", "teu", "trains_day"):
        page.get_by_role("combobox", name="Width").select_option(quantity)
        site.rest()
        shown = widths(page)
        for (less, thin), (more, wide) in pairwise(shown):
            assert more > less
            assert wide >= 1.8 * thin, "a swatch is about twice as wide as the one before"
        assert shown[-1][1] - shown[0][1] >= 4


def test_the_legends_widths_are_those_that_are_drawn_and_saved(site: Site, server: Server) -> None:
    """A flow of the map is as wide as the legend says of its amount, on screen and in the saved picture."""
    site.open("map?r=small&s=base&y=2023")
    site.rest()
    page = site.page
    with page.expect_download() as getting:
        page.get_by_role("button", name="SVG", exact=True).click()
    text = Path(getting.value.path()).read_text("utf-8")
    drawn = {
        float(w) for w in re.findall(r'<path d="[^"]*L[^"]*" stroke="#[0-9a-f]{6}" stroke-width="([\d.]+)"/>', text)
    }
    swatches = re.findall(
        r'<path d="M[\d.]+ [\d.]+h34" stroke="#[0-9a-f]{6}" stroke-width="([\d.]+)"/><text[^>]*>([^<]+)', text
    )
    assert [words for _, words in swatches] == ["1", "6", "40"]
    factor = widths(page)[-1][1] / widths(page)[-1][0] ** 0.5
    for width, words in swatches:
        assert float(width) == pytest.approx(factor * (float(words) * 1e6) ** 0.5, abs=0.06)
    most = max(ask(server, "GET", "api/results/small/run?scenario=base&year=2023")[1]["flows"]["tonnes"])
    assert max(w for w in drawn if w <= 20) == pytest.approx(factor * most**0.5, abs=0.06)


# ----------------------------------------------------------------------------------------------------------- names

#: Pixels of trains on names other than countries', and how many there are in all.
ON_NAMES = """() => {
  const canvas = document.querySelector('canvas[role=application]'), g = canvas.getContext('2d');
  const at = canvas.getBoundingClientRect(), r = canvas.width / at.width;
  const data = g.getImageData(0, 0, canvas.width, canvas.height).data;
  let all = 0, on = 0, names = 0;
  for (let i = 3; i < data.length; i += 4) all += data[i] > 0;
  for (const text of document.querySelectorAll('[data-testid=svg-map] text:not(.l)')) {
    const b = text.getBoundingClientRect();
    names++;
    for (let y = Math.max(0, b.top - at.top + 3); y < Math.min(at.height, b.bottom - at.top - 3); y++)
      for (let x = Math.max(0, b.left - at.left + 1); x < Math.min(at.width, b.right - at.left - 1); x++)
        on += data[4 * (Math.round(y * r) * canvas.width + Math.round(x * r)) + 3] > 0;
  }
  return {all, on, names};
}"""

#: For each place's name the part of points in its box that lie on a flow.
ON_FLOWS = """() => {
  const svg = document.querySelector('[data-testid=svg-map] svg'), at = svg.getBoundingClientRect();
  const flows = [...svg.querySelectorAll('g[fill=none] path')].map(p => [p, p.getBBox(), Number(p.getAttribute('stroke-width'))]).filter(f => f[2] >= 1.2);
  return [...svg.querySelectorAll('text.p')].map(text => {
    const b = text.getBoundingClientRect();
    let n = 0, on = 0;
    for (let i = 0; i < 12; i++) for (let j = 0; j < 3; j++) {
      const p = svg.createSVGPoint();
      p.x = b.left - at.left + (b.width * (i + 0.5)) / 12; p.y = b.top - at.top + b.height * (0.3 + 0.2 * j);
      n++;
      on += flows.some(([path, q, w]) => p.x > q.x - w && p.x < q.x + q.width + w && p.y > q.y - w && p.y < q.y + q.height + w && path.isPointInStroke(p));
    }
    return [text.textContent, on / n];
  });
}"""  # noqa: E501 (a script for the page)


@pytest.mark.parametrize("width", [360, 900, 1440])
def test_names_lie_beside_flows_and_trains_pass_below_them(site: Site, width: int) -> None:
    page = site.page
    page.set_viewport_size({"width": width, "height": 800})
    site.open("map?r=small&s=base&y=2023&v=70,47,2.7")
    site.rest()
    page.wait_for_function("Number(document.querySelector('canvas[role=application]').dataset.trains || 0) > 20")
    told = page.evaluate(ON_NAMES)
    assert told["all"] > 50
    assert told["names"] > 5
    assert told["on"] == 0
    covered = page.evaluate(ON_FLOWS)
    assert len(covered) > 3
    assert [name for name, part in covered if part > 0.45] == []


# ------------------------------------------------------------------------------------------------------ out of sight


@pytest.mark.parametrize("width", [900, 1240, 1440])
def test_all_pages_are_in_sight_in_wider_windows(site: Site, width: int) -> None:
    page = site.page
    page.set_viewport_size({"width": width, "height": 800})
    links = page.get_by_role("navigation").get_by_role("link")
    expect(links).to_have_count(11)
    for link in links.all():
        box = link.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    expect(page.get_by_role("button", name="More pages")).to_be_hidden()


def test_on_a_small_screen_a_button_leads_to_further_pages(site: Site) -> None:
    page = site.page
    page.set_viewport_size({"width": 360, "height": 780})
    more, last = page.get_by_role("button", name="More pages"), page.get_by_role("link", name="Atlas", exact=True)
    expect(more).to_be_visible()
    expect(last).not_to_be_in_viewport()
    for _ in range(6):
        if not more.is_visible():
            break
        more.click()
        page.wait_for_timeout(700)
    expect(more).to_be_hidden()
    expect(last).to_be_in_viewport()


def test_a_table_that_goes_on_to_the_side_says_so(site: Site) -> None:
    page = site.page
    page.set_viewport_size({"width": 360, "height": 780})
    site.open("map?r=small&s=base&y=2023&twin=1")
    table = page.get_by_test_id("twin").locator(".scroll")
    expect(table).to_have_attribute("data-more", "right")
    assert "inset" in table.evaluate("e => getComputedStyle(e).boxShadow")
    table.evaluate("e => e.scrollTo(e.scrollWidth, 0)")
    expect(table).to_have_attribute("data-more", "left")
    page.set_viewport_size({"width": 2560, "height": 1100})
    expect(table).to_have_attribute("data-more", "")
    assert table.evaluate("e => getComputedStyle(e).boxShadow") == "none"


@pytest.mark.parametrize("view", ["choke?r=small&s=base&y=2023", "map?r=small&s=base&y=2023&tour=1"])
def test_nothing_is_wider_than_a_small_screen(site: Site, view: str) -> None:
    page = site.page
    page.set_viewport_size({"width": 360, "height": 780})
    site.open(view)
    expect(page.get_by_test_id("choke" if view.startswith("choke") else "tour")).to_be_visible()
    page.wait_for_function("document.documentElement.scrollWidth <= 360")
    if "tour" in view:
        # one below the other, each within the window
        for question in page.get_by_test_id("tour").get_by_role("listitem").all():
            box = question.bounding_box()
            assert box
            assert box["x"] + box["width"] <= 360


def test_the_first_sentence_counts_the_crossings_that_it_does_not_name(site: Site, results_home: Path) -> None:
    rows = read_results(results_home / "small").of("crossings", "base", 2023)
    over = rows.filter((pl.col("use") >= 1) & (pl.col("tonnes") > 0))["crossing"].n_unique()
    site.open("choke?r=small&s=base&y=2023")
    lead = site.page.get_by_test_id("lead")
    expect(lead).to_be_visible()
    # what the results hold may be few: crossings are made full until more are beyond capacity than are named
    full = {"rows": ask_choke(site)}
    most = sorted({r["crossing"] for r in full["rows"] if r["tonnes"] > 0})[: over + 7]
    for row in full["rows"]:
        if row["crossing"] in most and row["scenario"] == "base":
            row["use"] = 1.5
    site.page.route(
        "**/api/results/soon/choke",
        lambda route: route.fulfill(json={"crossings": [{**r, "year": 2030} for r in full["rows"]], "points": []}),
    )
    site.open("choke?r=soon&s=base&y=2030")
    beyond = {
        r["crossing"] for r in full["rows"] if r["scenario"] == "base" and (r["use"] or 0) >= 1 and r["tonnes"] > 0
    }
    expect(lead).to_contain_text(f"{len(beyond)} of ")
    expect(lead).to_contain_text(f"and {len(beyond) - 4} more")


def ask_choke(site: Site) -> list[dict[str, Any]]:
    """V/C of all crossings of the small results."""
    return list(site.page.evaluate("fetch('api/results/small/choke').then(r => r.json())")["crossings"])


# -------------------------------------------------------------------------------------------------- investment, figures

#: Beside a project that all lose by, a scenario that the study prices and one that it does not.
PRICED = """\
name = "Priced"
years = [2030]
size = "reduced"
compare = "base"

[appraisal]
cost = "high"
[appraisal.scenarios.quicker]
cost_usd_mn = 120.0
low_usd_mn = 90.0
high_usd_mn = 150.0
payers = { KZ = 2.0, CN = 1.0 }

[[scenario]]
id = "base"

[[scenario]]
id = "quicker"
name = "Quicker at Dostyk"
extends = "base"
[[scenario.measure]]
kind = "ease"
crossings = ["alashankou-dostyk"]
time_factor = 0.5

[[scenario]]
id = "free"
name = "Quicker at Khorgos"
extends = "base"
[[scenario.measure]]
kind = "ease"
crossings = ["khorgos-altynkol"]
time_factor = 0.5
"""


def test_investment_tells_why_all_lose_and_what_scenarios_cost(site: Site, results_home: Path) -> None:
    file = results_home.parent / "priced.toml"
    file.write_text(PRICED, encoding="utf-8")
    found = appraise(read_study(file), small_tables(), ["btk-modernisation", "quicker", "free"], company=False)
    told = {p["id"]: p for p in found["projects"]}
    write_investment(results_home / "priced", "appraisal", found, tables_of(found))
    page = site.page
    try:
        loses = told["btk-modernisation"]["alone"]
        assert loses["loss"], "all lose by it at this size"
        site.open("invest?f=priced&id=btk-modernisation")
        loss = page.get_by_test_id("loss")
        expect(loss).to_contain_text("Why all lose")
        expect(loss).to_contain_text(f"{-loses['gross_benefit_usd'] / 1e6:,.2f}")
        expect(loss).to_contain_text("fees at borders")
        outlay = page.get_by_test_id("outlay")
        expect(outlay).to_contain_text("Not known.")
        # without a cost nobody knows what is left: what each gains stands there, in the first sentence as well
        gains = {country: each["gains_usd"] for country, each in loses["by_country"].items()}
        bars = page.locator('main [data-from^="appraisal_countries.gains_usd"]')
        expect(bars.first).to_be_visible()
        assert float(bars.first.get_attribute("data-value") or 0) == max(gains.values())
        expect(page.get_by_test_id("lead")).to_contain_text(f"gains most (+{max(gains.values()) / 1e6:.1f})")
        site.open("invest?f=priced&id=quicker")
        expect(loss).to_have_count(0)
        expect(outlay).to_contain_text("told by the study in [appraisal.scenarios.quicker]")
        cost = outlay.locator('[data-from^="projects.cost_usd.used"]')
        assert float(cost.get_attribute("data-value") or 0) == told["quicker"]["cost_usd"]["used"] == 150e6
        expect(outlay).to_contain_text("90–150")
        shares = outlay.locator('[data-from^="projects.payers"]')
        assert [float(s.get_attribute("data-value") or 0) for s in shares.all()] == pytest.approx([2 / 3, 1 / 3])
        site.open("invest?f=priced&id=free")
        expect(outlay).to_contain_text("table [appraisal.scenarios.free]")
    finally:
        shutil.rmtree(results_home / "priced", ignore_errors=True)


def test_labels_of_the_validation_are_words_in_full(site: Site, found_home: Path) -> None:
    rows = pl.read_parquet(found_home / "validation" / "tables" / "targets.parquet")
    site.open("validation?f=validation")
    page = site.page
    shown = [c for c in ("predicted", "fitted", "echo") if rows.filter(pl.col("class") == c).height]
    for name in shown:
        page.get_by_role("button", name=re.compile(f"^{name} ")).click()
        labels = page.locator(".ratios .who")
        some = rows.filter((pl.col("class") == name) & (pl.col("observed") > 0) & (pl.col("modelled") > 0)).height
        expect(labels).to_have_count(some)
        for text in labels.all_inner_texts():
            assert not re.search(r"…|_|\b[a-z]+-[a-z]+-[a-z]+\b", text), text
            assert re.search(r"\d{4}", text)
        over = page.eval_on_selector_all(
            ".ratios .who", "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length"
        )
        assert over == 0


def test_who_opens_a_card_finds_the_base_of_its_what_if_solved(site: Site) -> None:
    """Looking at a crossing gets ready what a closure of it starts from."""
    with site.page.expect_request("**/api/jobs/ready", timeout=60_000) as asking:
        site.open("map?r=small&s=cku&y=2023&sel=crossing:khorgos-altynkol")
    assert asking.value.post_data_json == {"result": "small", "scenario": "cku", "years": [2023]}
