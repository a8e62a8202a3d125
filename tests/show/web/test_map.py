"""The map in a browser, on the real server and a real run: each page, each promise."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import Page, expect

from landbridge.study.results import read_results
from tests.conftest import watch
from tests.map_server import Server, ask

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("built_map")]

AXE = Path(__file__).resolve().parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 60_000

#: Chromium's word for an answer 4xx; the page tells such answers itself.
EXPECTED = "Failed to load resource: the server responded with a status of 4"


def settled(page: Page) -> None:
    """Wait until nothing is asked of the server any more: what is read at once would be of the view before."""
    page.evaluate("async () => { for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame); }")
    expect(page.locator("html")).not_to_have_attribute("data-asking", "")


class Site:
    """The map, opened once; views are gone to by their address, as a shared link is."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.address = page, server.address
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.goto(server.address)
        self.rest()

    def rest(self) -> None:
        """Wait until the map stands still and is drawn."""
        expect(self.page.locator("canvas[role=application]")).to_have_attribute("data-resting", "true")

    def open(self, view: str) -> None:
        """Go to a view and wait until all that it asks of the server has come."""
        self.page.evaluate("view => { location.hash = view; }", f"#/{view}")
        settled(self.page)

    def value(self, source: str, within: str = "main") -> float:
        """The figure on screen that says where in the results it stands."""
        settled(self.page)
        found = self.page.locator(f'{within} [data-from$="{source}"]').first
        return float(found.get_attribute("data-value") or "nan")


@pytest.fixture(scope="module")
def site(browser: Any, browser_context_args: dict[str, Any], server: Server) -> Iterator[Site]:
    """One page for the whole module, which fails on any error in it and any request that leaves this machine."""
    context = browser.new_context(**browser_context_args, color_scheme="light", accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    faults = watch(page)
    yield Site(page, server)
    context.close()
    assert [fault for fault in faults if EXPECTED not in fault] == []


def results(home: Path) -> Any:
    return read_results(home / "small")


def axe(page: Page, *rules: str) -> list[str]:
    """Serious and critical faults that axe finds, by all of its rules or by some."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    found = page.evaluate("options => axe.run(document, options)", {"resultTypes": ["violations"], **only})
    return [
        f"{v['id']}: {v['nodes'][0]['html'][:160]}"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]


def in_both_themes(page: Page) -> None:
    """No serious or critical fault by day or by night; the other theme has other colours only."""
    assert axe(page) == []
    page.get_by_role("button", name="Dark", exact=True).click()
    try:
        assert axe(page, "color-contrast", "link-in-text-block") == []
    finally:
        page.get_by_role("button", name="Light", exact=True).click()


# ------------------------------------------------------------------------------------------------------ the map


def test_the_map_shows_the_figures_of_the_folder(site: Site, results_home: Path) -> None:
    total = results(results_home).of("totals", "base", 2023)
    site.open("map?r=small&s=base&y=2023")
    expect(site.page.locator('[data-from$="totals.land_tonnes"]')).to_be_visible()
    assert site.value("totals.land_tonnes") == total["land_tonnes"][0]
    text = site.page.locator('[data-from$="totals.land_tonnes"]').inner_text()
    assert float(text.split()[0].replace("\u00a0Mt", "")) == round(total["land_tonnes"][0] / 1e6, 1)


def test_a_crossing_opens_its_card_with_its_source(site: Site, results_home: Path) -> None:
    rows = results(results_home).of("crossings", "base", 2023).filter(pl.col("crossing") == "khorgos-altynkol")
    site.open("map?r=small&s=base&y=2023&sel=crossing:khorgos-altynkol")
    card = site.page.get_by_test_id("card")
    expect(card.get_by_role("heading", name="Khorgos - Altynkol")).to_be_visible()
    expect(card.locator('[data-from$="crossings.use"]')).to_have_count(rows.height)
    shown = [
        float(each.get_attribute("data-value") or 0) for each in card.locator('[data-from$="crossings.use"]').all()
    ]
    assert shown == rows["use"].to_list()
    assert not re.search(r"\b[A-Z]{3}-[A-Z]{3}\b", card.inner_text()), "countries by their names"
    row = card.locator('dl > div:has([data-column="capacity_ab_trains_day"])')
    row.get_by_role("button").click()
    expect(row.get_by_test_id("why")).to_contain_text(re.compile(r"\w{4,}"))


def test_a_country_tells_on_what_it_rests(site: Site, results_home: Path) -> None:
    rows = results(results_home).of("countries", "base", 2023).filter(pl.col("country") == "KZ")
    site.open("map?r=small&s=base&y=2023&sel=country:KZ")
    card = site.page.get_by_test_id("card")
    expect(card.locator('[data-from$="countries.transit_tonnes"]')).to_be_visible()
    assert site.value("countries.transit_tonnes", "[data-testid=card]") == rows["transit_tonnes"][0]
    rates = card.locator("details[data-table=rates]")
    rates.locator("summary").click()
    # Every record comes by itself, in any order: the first one is known only when all are there.
    expect(rates.locator("dl:not(:has(div))")).to_have_count(0)
    row = rates.locator("dl > div", has_text="usd teu km").first
    row.get_by_role("button").click()
    expect(row.get_by_test_id("why")).to_contain_text(re.compile(r"\w{4,}"))


def test_the_table_is_the_maps_twin(site: Site, results_home: Path) -> None:
    site.open("map?r=small&s=base&y=2023")
    site.page.get_by_role("button", name="Table", exact=True).click()
    twin = site.page.get_by_test_id("twin")
    first = twin.locator("tbody tr").first.locator('td[data-column="tonnes"]')
    expect(first).to_be_visible()
    rows = results(results_home).of("links", "base", 2023)
    assert float(first.get_attribute("data-value") or 0) == rows["tonnes"].max()
    twin.get_by_role("button", name="Close").click()


def test_what_is_drawn_can_be_pointed_at_and_moved_by_keys(site: Site) -> None:
    site.open("map?r=small&s=base&y=2023&v=81,45,5")
    site.rest()
    canvas = site.page.locator("canvas[role=application]")
    canvas.focus()
    before = site.page.url
    canvas.press("ArrowRight")
    site.rest()
    site.page.wait_for_function("before => location.href !== before", arg=before)
    canvas.press("0")
    site.rest()
    assert site.page.locator("[data-testid=svg-map] svg path").count() > 50


def test_the_year_opens_and_closes_lines(site: Site) -> None:
    def lines(year: int) -> int:
        site.open(f"map?r=small&s=base&y={year}")
        expect(site.page.locator(".year b")).to_have_text(str(year))
        site.rest()
        return len(str(site.page.locator("[data-testid=svg-map]").inner_html()))

    early = lines(1991)
    assert site.page.get_by_text("not solved: the network as it stood").is_visible()
    assert lines(2016) > early


def test_without_script_no_text_is_markup_and_the_disclaimer_stands(site: Site) -> None:
    site.open("map?r=small&s=base&y=2023&sel=place:%3Cimg%20src=x%3E")
    expect(site.page.get_by_test_id("card").get_by_role("heading", name="<img src=x>")).to_be_visible()
    expect(site.page.locator(".foot")).to_contain_text("do not imply official endorsement")
    site.open("map?r=small&s=base&y=2023")


# ------------------------------------------------------------------------------------------------- other pages


def test_compare_shows_the_difference_and_hands_it_out(site: Site, results_home: Path) -> None:
    from landbridge.study.compare import Side, compare

    wanted = compare(results(results_home), "crossings", Side("base", 2023), Side("cku", 2023))
    top = wanted.filter(pl.col("tonnes_change").is_not_null()).sort(pl.col("tonnes_change").abs(), descending=True)
    site.open("compare?r=small&s=cku&y=2023&as=base")
    cell = site.page.locator('main td[data-column="tonnes_change"]').first
    expect(cell).to_be_visible()
    assert float(cell.get_attribute("data-value") or 0) == top["tonnes_change"][0]
    with site.page.expect_download() as getting:
        site.page.get_by_role("link", name="CSV").click()
    table = pl.read_csv(io.BytesIO(Path(getting.value.path()).read_bytes()))
    assert table["tonnes_change"].sum() == pytest.approx(wanted["tonnes_change"].sum())
    site.page.get_by_role("button", name="Per cent").click()
    expect(site.page.locator('main td[data-column="tonnes_percent"]').first).to_be_visible()


def test_what_the_railway_does_to_khorgos_and_dostyk_in_2030(site: Site, results_home: Path) -> None:
    from landbridge.study.compare import Side, compare

    page = site.page
    site.open("map?r=small&s=base&y=2023")
    page.get_by_role("link", name="Compare", exact=True).click()
    main = page.get_by_role("main")
    main.get_by_label("Results").first.select_option("soon")
    main.get_by_label("Scenario").first.select_option("cku")
    main.get_by_label("Scenario").last.select_option("base")
    main.get_by_role("searchbox", name="Filter").fill("Kazakhstan")
    settled(page)  # rows of the sides chosen before stand until those of both have come
    wanted = compare(read_results(results_home / "soon"), "crossings", Side("base", 2030), Side("cku", 2030))
    for name, crossing in (("Khorgos - Altynkol", "khorgos-altynkol"), ("Alashankou - Dostyk", "alashankou-dostyk")):
        row = main.locator("tbody tr", has_text=name).filter(has_not_text="road").first
        expect(row).to_be_visible()
        shown = float(row.locator('td[data-column="tonnes_change"]').get_attribute("data-value") or "nan")
        assert shown in wanted.filter(pl.col("crossing") == crossing)["tonnes_change"].to_list()
    lead = page.get_by_test_id("lead")
    expect(lead).to_contain_text("With CKU in 2030 against Without CKU")
    total = compare(read_results(results_home / "soon"), "totals", Side("base", 2030), Side("cku", 2030))
    said = re.search(r"([+-]?[\d.]+)\s?Mt by land", lead.inner_text().replace("\u2212", "-"))
    assert said
    assert float(said.group(1)) == round(total["land_tonnes_change"][0] / 1e6, 2)


def test_the_tour_leads_to_its_answers(site: Site) -> None:
    page = site.page
    site.open("map?r=small&s=base&y=2023")
    page.get_by_role("button", name="Tour").click()
    tour = page.get_by_test_id("tour")
    expect(tour.locator("li")).to_have_count(5)
    for step, heading in ((1, "Compare"), (3, "What if")):
        tour.locator("li").nth(step).get_by_role("button", name="Show me").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        if step == 1:
            assert "y=2030" in page.url
    tour.get_by_role("button", name="Close").click()


def test_choke_points_show_use_by_scenario(site: Site, results_home: Path) -> None:
    site.open("choke?r=small&s=base&y=2023")
    table = site.page.get_by_test_id("choke")
    expect(table.locator("td[data-value]").first).to_be_visible()
    shown = {
        (c.get_attribute("data-crossing"), c.get_attribute("data-from"), float(c.get_attribute("data-value") or 0))
        for c in table.locator("td[data-value]").all()
    }
    known = {(r["crossing"], r["from_country"], r["use"]) for r in results(results_home)["crossings"].to_dicts()}
    assert shown
    assert shown <= known


def test_routes_without_russia(site: Site, server: Server) -> None:
    site.open("routes?r=small&s=base&y=2023")
    page = site.page
    for label, words, name in (
        ("From", "xian", "Xi'an"),
        ("To", "istanbul", "Istanbul"),
        ("Without", "russia", "Russia"),
    ):
        box = page.get_by_role("combobox", name=label, exact=True)
        box.fill(words)
        page.get_by_role("option", name=re.compile(name)).first.click()
    cards = page.get_by_test_id("routes").get_by_role("button")
    expect(cards.first).to_be_visible()
    settled(page)  # routes of what was asked before the last choice stand until those of all choices have come
    assert cards.count() >= 2
    assert not any("Russia" in text for text in cards.all_inner_texts())
    end = str(re.findall(r"[?&]to=([\w-]+)", page.url)[0])
    asked = {
        "start": "cn-xian",
        "end": end,
        "avoid": ["RU"],
        "objectives": ["time", "cost"],
        "result": "small",
    }
    status, told = ask(server, "POST", "api/routes", {**asked, "scenario": "base"})
    assert status == 200, told
    shown = [float(f.get_attribute("data-value") or 0) for f in cards.locator(".sums .fig").all()]
    assert shown[:2] == [told["routes"][0]["time_h"] / 24, told["routes"][0]["cost_usd"]]
    expect(page.get_by_test_id("legs").locator("tbody tr").first).to_be_visible()
    expect(page.get_by_role("img", name="Days over distance")).to_be_visible()


def test_the_atlas_is_searched(site: Site) -> None:
    site.open("atlas?r=small&s=base&y=2023")
    site.page.get_by_role("searchbox").fill("CKU 523")
    expect(site.page.get_by_test_id("findings").locator("li").first).to_contain_text("523")
    site.open("atlas?r=small&s=base&y=2023&sel=project:cku")
    expect(site.page.get_by_test_id("card").locator(".history li").first).to_be_visible()


def test_a_border_is_closed_compared_and_exported(site: Site) -> None:
    page = site.page
    site.open("map?r=small&s=base&y=2023&sel=crossing:brest-malaszewicze")
    page.get_by_role("button", name="What if it closes?").click()
    page.get_by_label("Name", exact=True).fill("Brest <b>shut</b>")
    page.get_by_role("button", name="Compute").click()
    expect(page.get_by_test_id("took")).to_be_visible()
    expect(page.get_by_test_id("jobs").locator("li b").first).to_have_text("Brest <b>shut</b>")
    page.get_by_role("link", name="Compare in tables").click()
    row = page.locator("main tbody tr", has_text="Brest").first
    expect(row).to_be_visible()
    with page.expect_download() as getting:
        page.get_by_role("link", name="Excel").click()
    assert Path(getting.value.path()).read_bytes()[:2] == b"PK"
    page.get_by_role("button", name="Copy link").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url


def test_faults_of_a_what_if_are_shown_beside_it(site: Site) -> None:
    wrong = json.dumps([{"kind": "ease", "crossings": ["khorgos-altynkol"]}])
    site.page.evaluate("w => { location.hash = '#/whatif?r=small&s=base&y=2023&w=' + encodeURIComponent(w); }", wrong)
    site.page.get_by_role("button", name="Compute").click()
    expect(site.page.get_by_test_id("fault")).to_contain_text("wanted")


def test_the_map_is_saved_as_a_picture(site: Site) -> None:
    site.open("map?r=small&s=base&y=2023")
    site.rest()
    for form, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with site.page.expect_download() as getting:
            site.page.get_by_role("button", name=form).click()
        content = Path(getting.value.path()).read_bytes()
        assert content.startswith(start)
        if form == "SVG":
            assert b"do not imply" in content
            assert b"not calibrated" in content


#: Words below a saved map that stick out of it or lie on each other.
BELOW = """text => {
  const host = document.createElement('div');
  host.innerHTML = text;
  document.body.append(host);
  const svg = host.firstElementChild, width = svg.viewBox.baseVal.width, height = svg.viewBox.baseVal.height;
  const boxes = [...svg.querySelectorAll('text.t, text.q')].map(e => [e.textContent, e.getBBox()]);
  const bad = boxes.filter(([, b]) => b.x + b.width > width || b.y + b.height > height).map(([t]) => t);
  boxes.forEach(([t, a], i) => boxes.slice(i + 1).forEach(([u, b]) => {
    const w = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
    if (w > 1 && Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > 3) bad.push(`${t} on ${u}`);
  }));
  host.remove();
  return bad;
}"""


def test_a_map_saved_from_a_small_window_has_all_its_words(site: Site) -> None:
    page = site.page
    page.set_viewport_size({"width": 360, "height": 780})
    try:
        for colour in ("use", "passage", "group"):
            site.open(f"map?r=small&s=base&y=2023&c={colour}")
            site.rest()
            legend = page.locator(".legend .part").nth(1).locator(".item")
            expect(legend.first).to_be_visible()
            with page.expect_download() as getting:
                page.get_by_role("button", name="SVG").click()
            text = Path(getting.value.path()).read_text(encoding="utf-8")
            assert page.evaluate(BELOW, text) == []
            words = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", text))
            assert "not calibrated" in words
            assert "boundaries drawn between parties to a dispute are not agreed" in words
            if colour != "use":
                for name in legend.all_inner_texts():
                    assert name.split("\n")[-1].strip().split(" ", 1)[-1] in words, "the legend goes with the picture"
    finally:
        page.set_viewport_size({"width": 1280, "height": 800})
        site.open("map?r=small&s=base&y=2023")


def test_a_page_is_printed_with_its_map_and_tables(site: Site) -> None:
    page = site.page
    site.open("compare?r=small&s=cku&y=2023&as=base")
    expect(page.locator("main tbody tr").first).to_be_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    try:
        expect(page.locator(".print-only svg")).to_be_visible()
        expect(page.locator(".print-only svg")).to_contain_text("do not imply")
        expect(page.locator("main table")).to_be_visible()
        expect(page.locator("header")).to_be_hidden()
        expect(page.locator("canvas[role=application]")).to_be_hidden()
        paper = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--panel')")
        assert paper.strip() == "#fff"
    finally:
        page.emulate_media(media="screen")


# -------------------------------------------------------------------------------- power, investment, validation


def shown(page: Page, selector: str) -> list[float]:
    """Values of the figures that say where they stand."""
    settled(page)
    expect(page.locator(selector).first).to_be_visible()
    return [float(each.get_attribute("data-value") or "nan") for each in page.locator(selector).all()]


def test_power_shows_who_gains_and_on_what_it_rests(site: Site, found_home: Path) -> None:
    tables = {name: pl.read_parquet(found_home / "power" / "tables" / f"{name}.parquet") for name in
              ("power_change", "power_reading", "power_values")}  # fmt: skip
    rule = tables["power_reading"]["rule"][0]
    wanted = tables["power_change"].filter(pl.col("rule") == rule)
    wanted = wanted.filter(pl.col("net_of_cost") == wanted["net_of_cost"].any())
    site.open("power")
    page = site.page
    bars = shown(page, 'main [data-from^="power_change.shapley_change_usd_yr"]')
    assert bars == sorted(wanted["shapley_change_usd_yr"].to_list(), reverse=True)
    held = shown(page, 'main [data-from^="power_values.value_usd_yr"]')
    values = tables["power_values"].filter(
        (pl.col("rule") == rule) & (pl.col("state") == "after") & (pl.col("solution") == "shapley")
    )
    assert held == sorted(values["value_usd_yr"].to_list(), reverse=True)
    rests = page.get_by_test_id("rests")
    for words in ("China, Kazakhstan, Russia", "Outside option", "May be built", "optimum"):
        expect(rests).to_contain_text(words)
    empty = tables["power_reading"].filter((pl.col("rule") == rule) & (pl.col("state") == "after"))["core_empty"][0]
    expect(page.get_by_test_id("core")).to_contain_text("The core is empty" if empty else "The core is not empty")
    in_both_themes(page)
    page.get_by_role("button", name="Closures").click()
    if not (found_home / "stress").is_dir():  # another module may have made it
        expect(page.get_by_test_id("none")).to_contain_text("landbridge stress")


def test_investment_shows_worth_and_who_pays(site: Site, found_home: Path) -> None:
    home = found_home / "investment" / "tables"
    project = pl.read_parquet(home / "appraisal_projects.parquet").row(0, named=True)
    countries = pl.read_parquet(home / "appraisal_countries.parquet")
    site.open("invest")
    page = site.page
    assert shown(page, 'main [data-from^="appraisal_projects.npv_usd"]') == [project["npv_usd"]]
    bars = shown(page, 'main [data-from^="appraisal_countries.net_usd"]')
    nets = countries["net_usd"].sort(descending=True).to_list()
    assert bars[0] == nets[0]
    assert bars[-1] == nets[-1]
    expect(page.get_by_role("img", name="Year by year")).to_be_visible()
    expect(page.get_by_test_id("rests")).to_contain_text("Do-minimum")
    # beside it: other tonnes and tolls, the published low figure, the loan and who serves it
    expect(page.get_by_test_id("others")).to_contain_text("tolls on its lines × 2")
    expect(page.get_by_test_id("published")).to_contain_text("1.2 USD mn")
    expect(page.get_by_test_id("loan")).to_contain_text("2,332 million USD from China over 35 years")
    with page.expect_download() as getting:
        page.locator("details.twin", has_text="appraisal countries").locator("summary").click()
        page.locator("details.twin[open]").get_by_role("link", name="CSV").click()
    table = pl.read_csv(getting.value.path())
    assert table["net_usd"].to_list() == pytest.approx(countries["net_usd"].to_list())
    in_both_themes(page)


def test_validation_counts_what_lies_inside_and_what_is_not_covered(site: Site, found_home: Path) -> None:
    home = found_home / "validation" / "tables"
    classes = pl.read_parquet(home / "by_class.parquet")
    targets = pl.read_parquet(home / "targets.parquet")
    site.open("validation")
    page = site.page
    table = page.get_by_test_id("classes")
    for row in classes.to_dicts():
        found = table.locator(f'tr[data-class="{row["class"]}"] [data-from$=".inside"]')
        assert float(found.get_attribute("data-value") or "nan") == row["inside"]
    left_out = targets.filter(pl.col("class") == "not_covered").height
    assert left_out == 1
    page.get_by_role("button", name=f"not covered ({left_out})").click()
    expect(page.get_by_role("heading", name="Why not covered")).to_be_visible()
    in_both_themes(page)
    # on a small screen tables scroll by themselves, by keys too
    page.set_viewport_size({"width": 360, "height": 780})
    try:
        expect(table).to_be_visible()
        assert axe(page) == []
    finally:
        page.set_viewport_size({"width": 1280, "height": 800})
    site.open("map?r=small&s=base&y=2023")


def test_maplibre_draws_the_same_flows(browser: Any, browser_context_args: dict[str, Any], server: Server) -> None:
    """WebGL in software, in a small window: slow, but the same code that runs on a graphics card."""
    context = browser.new_context(**{**browser_context_args, "viewport": {"width": 820, "height": 560}})
    page = context.new_page()
    faults = watch(page)
    page.set_default_timeout(PATIENCE)
    try:
        page.goto(f"{server.address}#/map?r=small&s=base&y=2023&gl=1")
        expect(page.locator(".map[data-renderer=webgl]")).to_be_visible(timeout=PATIENCE)
        canvas = page.locator("canvas[role=application]")
        expect(canvas).to_have_attribute("data-resting", "true", timeout=PATIENCE)
        told = ask(server, "GET", "api/results/small/run?scenario=base&year=2023")[1]["flows"]
        carried = sum(1 for tonnes in told["tonnes"] if tonnes)
        drawn = int(page.locator(".map").get_attribute("data-flows") or 0)
        assert 0.6 * carried < drawn <= carried, "all but what lies outside the window"
        picture = page.locator(".map .layer").first.screenshot()
        colours = page.evaluate(COLOURS, base64.b64encode(picture).decode())
        assert colours["#f7f4ec"] > 0.2, "land"
        assert colours["#2b8f83"] > 0.002, "flows of V/C 0.5 to 0.8"
        canvas.press("ArrowRight")
        expect(canvas).to_have_attribute("data-resting", "true")
        assert not faults
    finally:
        context.close()


#: Shares of two of the map's colours in a picture.
COLOURS = """async text => {
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], {type: 'image/png'}));
  const c = new OffscreenCanvas(image.width, image.height), g = c.getContext('2d');
  g.drawImage(image, 0, 0);
  const data = g.getImageData(0, 0, c.width, c.height).data, out = {'#f7f4ec': 0, '#2b8f83': 0};
  for (const key in out) {
    const [r, g, b] = [1, 3, 5].map(i => parseInt(key.slice(i, i + 2), 16));
    for (let i = 0; i < data.length; i += 4) {
      if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12) out[key]++;
    }
    out[key] /= data.length / 4;
  }
  return out;
}"""


# ------------------------------------------------------------------------------------------------- every page


VIEWS = {
    "map": "map?r=small&s=base&y=2023&sel=crossing:khorgos-altynkol",
    "compare": "compare?r=small&s=cku&y=2023&as=base",
    "choke": "choke?r=small&s=base&y=2023",
    "routes": "routes?r=small&s=base&y=2023&from=cn-xian&to=Istanbul&avoid=RU",
    "whatif": "whatif?r=small&s=base&y=2023&w=" + '%5B{"kind":"upgrade","crossings":%5B"khorgos-altynkol"%5D}%5D',
    "atlas": "atlas?r=small&s=base&y=2023&id=projects",
}


@pytest.mark.parametrize("name", VIEWS)
def test_no_serious_fault_of_accessibility_in_light_or_dark(site: Site, name: str) -> None:
    site.open(VIEWS[name])
    expect(site.page.get_by_role("heading", level=1)).to_be_visible()
    site.page.wait_for_load_state("networkidle")
    in_both_themes(site.page)


#: Parts of the frame that lie on each other, and a page that is wider than its window.
OVERLAPS = """() => {
  const parts = [...document.querySelectorAll('.frame > *')].filter(e => e.getBoundingClientRect().width > 0);
  const boxes = parts.map(e => [e.className || e.tagName, e.getBoundingClientRect()]);
  const bad = [];
  boxes.forEach(([a, x], i) => boxes.slice(i + 1).forEach(([b, y]) => {
    const w = Math.min(x.right, y.right) - Math.max(x.left, y.left);
    const h = Math.min(x.bottom, y.bottom) - Math.max(x.top, y.top);
    if (w > 1 && h > 1) bad.push([a, b, w, h]);
  }));
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth + 1) bad.push(['the page is wider than its window', wide, innerWidth]);
  return bad;
}"""


@pytest.mark.parametrize("width", [360, 900, 1440, 2560])
def test_no_panel_lies_on_another(site: Site, width: int) -> None:
    page = site.page
    page.set_viewport_size({"width": width, "height": 1100 if width > 2000 else 800})
    try:
        for view in (VIEWS["map"], VIEWS["choke"], VIEWS["compare"], "power", "map?r=small&s=base&y=2023"):
            site.open(view)
            # what comes after the page was asked for may move its parts: what counts is how they stand at last
            over: list[Any] = ["not looked at"]
            for _ in range(100):
                page.wait_for_timeout(150)
                frame = page.locator(".frame").bounding_box()
                columns = page.locator(".frame > .top").bounding_box()
                over = page.evaluate(OVERLAPS)
                if not over and frame and columns and columns["width"] == frame["width"]:
                    break
            assert over == [], f"{view} at {width} px"
            assert frame
            assert columns
            assert columns["width"] == frame["width"], f"{view} at {width} px leaves a part of its window empty"
    finally:
        page.set_viewport_size({"width": 1280, "height": 800})
