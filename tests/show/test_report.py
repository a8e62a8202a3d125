"""The report: every figure is the folder's, nothing comes from outside, and no name turns into markup."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import numpy as np
import polars as pl
import pytest

from landbridge.data.read import read_atlas
from landbridge.data.tables import Tables
from landbridge.errors import OutputError
from landbridge.show.report import write_report
from landbridge.show.report.context import Context
from landbridge.study.results import Results, read_results, write_results
from small_run import small_results, small_tables

if TYPE_CHECKING:
    from playwright.sync_api import Page

EVIL = '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'
WIDTHS = (360, 1440)


# --------------------------------------------------------------------------------------------- a study to report


def make_tables() -> Tables:
    r"""Four places and four links; ``c`` is only built in the second scenario.

    .. code-block:: text

        urumqi --- khorgos ==(border)== almaty --- tashkent
             \------------- c (new) -----------------/
    """
    places = pl.DataFrame(
        {
            "id": ["cn-u", "cn-k", "kz-a", "uz-t"],
            "name": ["Urumqi (West yard)", "Khorgos", "Almaty & Co", f"Tashkent {EVIL}"],
            "iso2": ["CN", "CN", "KZ", "UZ"],
            "lat_deg": [43.8, 44.2, 43.3, 41.3],
            "lon_deg": [87.6, 80.4, 76.9, 69.2],
            "kind": ["dryport", "border", "city", "city"],
        }
    )
    links = pl.DataFrame(
        {
            "id": ["rail:u:k", "rail:k:a", "rail:a:t", "rail:u:t"],
            "place_a": ["cn-u", "cn-k", "kz-a", "cn-u"],
            "place_b": ["cn-k", "kz-a", "uz-t", "uz-t"],
            "mode": ["rail"] * 4,
            "status": ["existing", "existing", "existing", "planned"],
            "project": [None, None, None, "c"],
        }
    )
    crossings = pl.DataFrame(
        {
            "id": ["khorgos", "new"],
            "name": ["Khorgos - Altynkol", f"New {EVIL}"],
            "place_a": ["cn-k", "cn-u"],
            "place_b": ["kz-a", "uz-t"],
            "link": ["rail:k:a", "rail:u:t"],
        }
    )
    names = pl.DataFrame({"id": ["west-1", "west-3"], "name": ["West Passage 1", "West Passage 3"]})
    countries = pl.DataFrame(
        {"iso2": ["CN", "KZ", "UZ"], "iso3": ["CHN", "KAZ", "UZB"], "name": ["China", "Kazakhstan", "Uzbekistan"]}
    )
    power = {"id": "delay-line-beta", "value": 4.0, "low": 3.0, "high": 6.0, "unit": "-", "meaning": f"Power {EVIL}"}
    parameters = pl.DataFrame([power])
    return Tables(
        {
            "places": places,
            "links": links,
            "crossings": crossings,
            "passages": names,
            "gauge_changes": pl.DataFrame({"place": ["kz-a"]}),
            "countries": countries,
            "commodities": pl.DataFrame({"id": ["machinery_box", "coal"], "name": ["Machinery", f"Coal {EVIL}"]}),
            "internal_corridors": pl.DataFrame({"id": ["china-west"], "name": ["West corridor"]}),
            "projects": pl.DataFrame({"id": ["c"], "name": [f"Line C {EVIL}"]}),
            "parameters": parameters,
            "sources": pl.DataFrame(
                {
                    "id": ["good", "bad"],
                    "publisher": ["Railway", EVIL],
                    "title": ["Yearbook", "Trap"],
                    "date": ["2024", None],
                    "address": ["https://example.org/yearbook?a=1&b=2", "javascript:window.hacked=1"],
                    "licence": ["CC BY 4.0", None],
                    "confidence": ["high", "low"],
                }
            ),
        }
    )  # fmt: skip


def make_frames(scenarios: Iterable[str], years: Iterable[int]) -> dict[str, pl.DataFrame]:
    """Tables as a study writes them, with figures that are all different and no round ones."""
    random = np.random.default_rng(7)
    rows: dict[str, list[dict[str, Any]]] = {}

    def add(table: str, run: dict[str, Any], **row: Any) -> None:
        rows.setdefault(table, []).append({**run, **row})

    def some(scale: float = 1e6) -> float:
        return float(random.uniform(0.1, 1) * scale)

    for scenario in scenarios:
        for year in years:
            run = {"scenario": scenario, "year": year}
            new = scenario != "base"
            add(
                "totals", run, principle="user equilibrium", status="converged", relative_gap=some(1e-5), iterations=7,
                relations=20, paths=30, demand_tonnes=some(1e8), land_tonnes=some(5e7), outside_tonnes=some(1e7),
                unserved_tonnes=0.0, land_teu=some(), empty_teu=some(1e5), fixed_tonnes=some(1e9), left_out_relations=3,
                left_out_tonnes=some(), without_zone_tonnes=some(1e4),
            )  # fmt: skip
            for crossing, pair, used in (("khorgos", ("CN", "KZ"), True), ("new", ("CN", "UZ"), new)):
                for way in ("ab", "ba"):
                    start, end = pair if way == "ab" else pair[::-1]
                    ends = {"crossing": crossing, "direction": way, "from_country": start, "to_country": end}
                    add(
                        "crossings", run, crossing=crossing, mode="rail", direction=way, from_country=start,
                        to_country=end, tonnes=some(2e7) if used else 0.0, teu=some(9e5) if used else 0.0,
                        empty_teu=some(1e4) if used else 0.0, trains=some(4e3), trains_day=some(20),
                        preload_trains_day=None if new else some(5), capacity_trains_day=some(40), free_h=some(20),
                        time_h=some(40), use=some(1.4),
                    )  # fmt: skip
                    for commodity in ("machinery_box", "coal"):
                        for exporter in ("CHN", "UZB"):
                            flow = {"tonnes": some(1e6), "teu": some(1e4), "trains": some(100)}
                            traders = {"commodity": commodity, "exporter": exporter, "importer": "KAZ"}
                            add("crossing_flows", run, **ends, **traders, transit=exporter == "UZB", **flow)
            for name, countries in (
                ("rail:u:k", "CN"),
                ("rail:k:a", "CN KZ"),
                ("rail:a:t", "KZ UZ"),
                ("rail:u:t", "CN UZ"),
            ):
                for way in ("ab", "ba"):
                    tonnes = some(2e7)
                    if name == "rail:u:t" and not new:
                        continue
                    for country in countries.split():
                        add(
                            "links", run, link=name, direction=way, country=country, mode="rail", gauge_mm=1520,
                            length_km=some(500), tonnes=tonnes, teu=some(), trains_day=some(30),
                            preload_trains_day=some(10), capacity_trains_day=some(60), free_h=some(10), time_h=some(20),
                            use=some(1.2),
                        )  # fmt: skip
            for passage in ("west-1", "west-3", "other"):
                for commodity in ("machinery_box", "coal"):
                    add(
                        "passage_flows", run, passage=passage, commodity=commodity, exporter="CHN", importer="UZB",
                        tonnes=some(), teu=some(1e5), trains=some(1e3), tonne_km=some(1e9),
                    )  # fmt: skip
            route = {"km": some(9e3), "days": some(20), "usd_feu": some(9e3), "co2_kg_feu": some(3e3)}
            add("passages", run, passage="west-1", name="West Passage 1", origin="cn-u", destination="uz-t",
                status="open", **route, borders=2, gauge_changes=1, countries="CN;KZ;UZ",
                links="rail:u:k;rail:k:a;rail:a:t")  # fmt: skip
            gone = dict.fromkeys([*route, "borders", "gauge_changes", "countries", "links"])
            there = {"status": "open", "borders": 1, "gauge_changes": 1, "countries": "CN;UZ", "links": "rail:u:t"}
            add("passages", run, passage="west-3", name="West Passage 3", origin="cn-u", destination="uz-t",
                **({**route, **there} if new else {**gone, "status": "no route"}))  # fmt: skip
            for direction in ("from-china", "to-china"):
                add("internal_corridors", run, corridor="china-west", crossing="khorgos", direction=direction,
                    tonnes=some(), teu=some(1e5))  # fmt: skip
            for country in ("CN", "KZ", "UZ"):
                add(
                    "countries", run, country=country, tonne_km=some(1e11), transit_tonnes=some(1e7),
                    transit_teu=some(), paid_on_lines_usd=some(1e9), paid_at_borders_usd=some(1e8),
                    paid_at_yards_usd=some(1e8), border_tonne_h_in=some(1e8), co2_t=some(),
                )  # fmt: skip
            for kind, subject in (("link", "rail:a:t"), ("crossing", "khorgos"), ("yard", "kz-a"), ("yard", "kz-a")):
                add(
                    "choke_points", run, kind=kind, subject=subject, country="KZ", direction="ab", trains_day=some(30),
                    preload_trains_day=some(5), capacity_trains_day=some(40), use=some(1.5), delay_h=some(30),
                    tonnes=some(2e7),
                )  # fmt: skip
    return {name: pl.DataFrame(each, infer_schema_length=None) for name, each in rows.items()}


def make_results(
    folder: Path, scenarios: tuple[str, ...] = ("base", "new"), years: tuple[int, ...] = (2023, 2030)
) -> Results:
    frames = make_frames(scenarios, years)
    measure = {"kind": "build", "project": "c"}
    study = {
        "name": f"A study {EVIL}",
        "description": f"Description {EVIL}",
        "path": f"{EVIL}.toml",
        "fingerprint": "f" * 64,
        "years": list(years),
        "compare": "base",
        "held_projects": ["c"],
        "scenarios": [
            {"id": s, "name": f"{s} {EVIL}", "description": EVIL, "measures": [measure] if s == "new" else []}
            for s in scenarios
        ],
    }
    manifest = {
        "made": "2024-05-06T07:08:09+00:00",
        "landbridge": "0.1.0",
        "python": "3.11",
        "atlas": {"name": "small", "version": "1", "licence": "ODbL", "content_hash": "a" * 64},
        "study": study,
        "settings": {"gap": 1e-5, "max_iterations": 500, "size": "corridor"},
        "seconds": 1.5,
        "solved": [
            {"scenario": s, "year": y, "seconds": 0.7, "notes": [f"note {EVIL}"], "without_zone": {"MLT": 12345.6}}
            for s in scenarios
            for y in years
        ],
        "tables": dict.fromkeys(frames, ""),
    }
    write_results(folder, manifest, frames, "")
    return read_results(folder)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return make_results(tmp_path_factory.mktemp("report") / "results")


@pytest.fixture(scope="module")
def tables() -> Tables:
    return make_tables()


@pytest.fixture(scope="module")
def file(results: Results, tables: Tables) -> Path:
    return write_report(results, tables, results.folder / "report.html")


# ---------------------------------------------------------------------------------------------------- the oracle


def expected(results: Results, cell: Mapping[str, str | None]) -> float | None:
    """Read a figure from the folder again, by the keys beside it and by no code of the report."""

    def total(keys: str) -> float | None:
        frame = pl.read_parquet(results.folder / "tables" / f"{cell['data-table']}.parquet").with_row_index("row")
        wanted: dict[str, list[str]] = {}
        for key, value in parse_qsl(keys, keep_blank_values=True, separator=";"):
            wanted.setdefault(key, []).append(value)
        for key, values in wanted.items():
            frame = frame.filter(pl.col(key).cast(pl.String).is_in(values))
        column = frame[cell["data-column"] or ""].cast(pl.Float64)
        if len(column) == 1:
            return column[0]  # type: ignore[no-any-return]
        return math.fsum(column.drop_nulls().to_list())

    value = total(cell["data-row"] or "")
    if cell.get("data-minus") is None:
        return value
    less = total(cell["data-minus"] or "")
    return None if value is None or less is None else value - less


def check_figures(results: Results, cells: list[dict[str, str | None]]) -> None:
    for cell in cells:
        wanted, got = expected(results, cell), cell["data-value"]
        if wanted is None or got == "":
            assert wanted is None, cell
            assert got == "", cell
        else:
            near = 1e-9 * max(1.0, abs(wanted))
            if cell.get("data-minus") is not None:
                near = 1e-3  # what two sums of millions of tonnes leave of each other
            assert float(got or "nan") == pytest.approx(wanted, abs=near, rel=1e-9), cell


class Reader(HTMLParser):
    """Elements with their attributes; fails where one is closed that was not opened."""

    VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.figures: list[tuple[dict[str, str | None], str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute of <{tag}> stands twice"
        found = dict(attrs)
        self.elements.append((tag, found))
        if "data-table" in found:
            self.figures.append((found, ""))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.figures and not self.figures[-1][1] and self.open[-1] in ("td", "span"):
            self.figures[-1] = (self.figures[-1][0], data)


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    return reader


# -------------------------------------------------------------------------------------------------------- the page


def test_every_figure_is_the_folders(results: Results, file: Path) -> None:
    cells = [cell for cell, _ in read(file).figures]
    shown = {str(cell["data-table"]) for cell in cells}
    assert shown == {
        "totals", "crossings", "crossing_flows", "links", "passage_flows", "passages", "internal_corridors",
        "countries", "choke_points",
    }  # fmt: skip
    assert len(cells) > 500
    assert any(cell["data-value"] == "" for cell in cells), "an unknown value is shown as such"
    assert any(cell.get("data-minus") for cell in cells)
    check_figures(results, cells)


def test_what_is_read_is_the_value_beside_it(file: Path) -> None:
    """The digits are those of data-value, in the column's unit."""
    scales = (1, 1e-3, 1e-6, 1e-9, 100)
    for cell, text in read(file).figures:
        found = re.match(r"([+\u2212]?)([\d\u202f.]+)(?!e)", text)
        if not cell["data-value"] or not found or "e-" in text:
            continue
        digits = found[2].replace("\u202f", "")
        read_as = float(digits) * (-1 if found[1] == "\u2212" else 1)
        places = len(digits.partition(".")[2])
        value = float(cell["data-value"] or "")
        assert any(abs(value * s - read_as) <= 0.5000001 * 10**-places for s in scales), (text, cell)


def test_nothing_comes_from_outside(file: Path) -> None:
    reader = read(file)
    loading = {"src", "srcset", "poster", "data", "action", "background", "manifest", "ping"}
    for tag, attributes in reader.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}, tag
        assert not loading & attributes.keys(), attributes
        for name in ("href", "xlink:href"):
            address = attributes.get(name) or "#"
            assert address.startswith("#") or (tag == "a" and address.startswith("https://example.org/")), address
    style = re.search(r"<style>(.*?)</style>", file.read_text(encoding="utf-8"), re.DOTALL)
    assert style
    assert "@import" not in style[1]
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", style[1]))


def test_no_name_turns_into_markup(file: Path) -> None:
    reader = read(file)
    assert [tag for tag, _ in reader.elements].count("script") == 1
    assert not [a for _, attributes in reader.elements for a in attributes if a.startswith("on")]
    assert "window.hacked = 1</script>" in "".join(reader.words), "the name is shown as it was given"


def test_page_can_be_found_one_s_way_in(file: Path) -> None:
    reader = read(file)
    ids = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(ids) == len(set(ids))
    targets = [(a.get("href") or "")[1:] for _, a in reader.elements if (a.get("href") or "").startswith("#")]
    assert set(targets) <= set(ids)
    assert {a["for"] for t, a in reader.elements if t == "label"} <= set(ids)
    maps = [a for t, a in reader.elements if t == "svg" and a.get("class") == "map"]
    assert maps
    for attributes in maps:
        assert attributes["role"] == "img"
        assert set((attributes["aria-labelledby"] or "").split()) <= set(ids)
    text = "".join(reader.words)
    assert "do not imply official endorsement" in text
    assert "© OpenStreetMap contributors" in text
    assert "Build Line C" in text
    assert "12.35 kt" not in text
    assert "Malta" in text or "MLT" in text


def test_the_atlas_brings_its_origins_and_sources(results: Results, tmp_path: Path) -> None:
    small = make_tables()
    south = small["places"].with_columns(pl.col("lat_deg") - 6)  # so that the window holds a disputed area
    mixed = read_atlas().replace(places=south, links=small["links"], crossings=small["crossings"])
    path = write_report(results, mixed, tmp_path / "report.html")
    assert path.stat().st_size < 6_000_000
    reader = read(path)
    text = "".join(reader.words)
    assert "The atlas has changed since these results were computed" in text
    assert "estimate: a judgement, with its reasoning" in text
    assert "tells no parameters" in text, "parameters are the manifest's, not those of the atlas at hand"
    assert '<g class="disputed"><path d="' in path.read_text(encoding="utf-8"), "disputed areas stand apart"
    assert "Kashmir: Final status not agreed by the parties" in text


def test_a_line_that_comes_back_is_named_once(results: Results) -> None:
    twice = pl.DataFrame({"id": ["in", "out", "other"], "name": ["In", "Out", "Other"], "link": ["a", "a", "b"]})
    context = Context(results, Tables({"crossings": twice}))
    assert context.once_a_line(["out", "other", "in", "unknown"]) == ["out", "other", "unknown"]


def test_findings_name_the_new_crossing(file: Path) -> None:
    text = "".join(read(file).words)
    start = text.index("Key findings", text.index("Landbridge · corridor study"))
    findings = text[start : text.index("All figures are results of the model")]
    assert "New <script>" in findings
    assert "West Passage 3 has a route for its standard relation" in findings


def test_one_scenario_and_one_year_make_a_report(tables: Tables, tmp_path: Path) -> None:
    alone = make_results(tmp_path / "results", ("base",), (2023,))
    reader = read(write_report(alone, tables, tmp_path))
    assert (tmp_path / "report.html").is_file()
    check_figures(alone, [cell for cell, _ in reader.figures])
    assert not [a for _, a in reader.elements if a.get("id") == "changes"]


@pytest.mark.parametrize("size", ["reduced", "corridor"])
def test_a_reduced_run_says_so_at_its_head(results: Results, tables: Tables, tmp_path: Path, size: str) -> None:
    manifest = {**results.manifest, "settings": {**results.manifest["settings"], "size": size}}
    text = write_report(Results(results.folder, manifest, results.tables), tables, tmp_path).read_text(encoding="utf-8")
    head = text.split("<header>")[1].split("</header>")[0]
    assert f"<dd>{size}</dd>" in head
    left = results["totals"]["left_out_relations"][0]
    assert ("Reduced size: made to try things out" in head and f"{left:,} with" in head) is (size == "reduced")


def test_empty_tables_make_a_report(results: Results, tmp_path: Path) -> None:
    empty = {name: frame if name == "totals" else frame.clear() for name, frame in results.tables.items()}
    bare = Results(results.folder, results.manifest, empty)
    text = "".join(read(write_report(bare, Tables({}), tmp_path / "report.html")).words)
    assert "No map" in text
    assert "None." in text


def test_a_report_that_cannot_be_written_is_told(results: Results, tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    with pytest.raises(OutputError, match="could not be written"):
        write_report(results, tables, tmp_path / "file" / "report.html")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_report_is_the_same_each_time(results: Results, tables: Tables, file: Path, tmp_path: Path) -> None:
    assert write_report(results, tables, tmp_path / "again.html").read_bytes() == file.read_bytes()


# ------------------------------------------------------------------------------------------------------ the browser


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
def test_report_opens_from_disk(offline_page: Page, results: Results, file: Path, width: int) -> None:
    page = offline_page
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(file.as_uri())
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out to the side"
    choice, contents = page.locator(".printing").bounding_box(), page.locator("nav").first.bounding_box()
    assert choice
    assert contents
    assert contents["y"] - choice["y"] - choice["height"] >= 8, "what is printed stands apart from the contents"
    cells = page.evaluate(
        "[...document.querySelectorAll('[data-table]')].map((e) => "
        "Object.fromEntries([...e.attributes].map((a) => [a.name, a.value])))"
    )
    assert len(cells) > 500
    check_figures(results, cells)


@pytest.mark.browser
def test_report_of_a_real_run_equals_its_folder(offline_page: Page, tmp_path: Path) -> None:
    results = small_results()
    page = offline_page
    page.goto(write_report(results, small_tables(), tmp_path / "report.html").as_uri())
    cells = page.evaluate(
        "[...document.querySelectorAll('[data-table]')].map((e) => "
        "Object.fromEntries([...e.attributes].map((a) => [a.name, a.value])))"
    )
    assert len(cells) > 500
    check_figures(results, cells)


@pytest.mark.browser
def test_views_tables_and_maps_answer(offline_page: Page, file: Path) -> None:
    page = offline_page
    page.goto(file.as_uri())
    panels = page.locator("#crossings .panel")  # of the chart, and of the table
    assert [panels.nth(i).is_visible() for i in range(panels.count())] == 2 * [False, False, False, True]
    page.locator("#crossings label").first.click()
    assert panels.first.is_visible()
    assert page.locator("#countries .views").last.locator(".panel").first.is_visible(), "views of one run go together"

    table = page.locator("#countries .panel >> visible=true >> table").first
    table.locator("thead button").nth(1).click()
    values = [
        float(v) for v in table.locator("tbody tr td:nth-child(2)").evaluate_all("e => e.map(x => x.dataset.value)")
    ]
    assert values == sorted(values, reverse=True)

    band = page.locator("#flows .panel >> visible=true >> g.flow path").first
    band.hover(force=True)
    assert "Mt a year" in (page.locator("#tip").text_content() or "")


@pytest.mark.browser
def test_report_reads_without_scripts(page: Page, file: Path) -> None:
    context = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    bare = context.new_page()
    bare.goto(file.as_uri())
    chart = bare.locator("#crossings .views").first
    chart.locator("label").first.click()
    assert chart.locator(".panel").first.is_visible()
    assert not chart.locator(".panel").last.is_visible()
    context.close()
