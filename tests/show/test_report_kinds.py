"""The report of every kind of folder: every figure is the folder's, defined, and can be reached without a mouse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from test_report import make_results, make_tables, read

from landbridge.data.read import ATLAS, read_atlas
from landbridge.errors import OutputError
from landbridge.show.report import report, write_report
from landbridge.show.report.chapters import CHAPTERS
from landbridge.show.report.folders import folder_of, folders_in
from landbridge.show.report.page import write_chapters
from landbridge.show.report.strips import round_end
from landbridge.show.web.columns import meaning
from landbridge.study.ensemble_results import COLUMNS as ENSEMBLE
from landbridge.study.ensemble_results import TABLES as ENSEMBLE_TABLES
from landbridge.study.power_tables import COLUMNS as POWER
from landbridge.study.results import read_results
from landbridge.study.validate.write import COLUMNS as VALIDATION
from small_run import small_folder, small_results, small_tables

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


def _made(
    folder: Path, marker: str, told: dict[str, Any], frames: dict[str, pl.DataFrame], below: str = "tables"
) -> Path:
    (folder / below).mkdir(parents=True)
    for name, frame in frames.items():
        frame.write_parquet(folder / below / f"{name}.parquet")
    (folder / marker).write_text(json.dumps(told), encoding="utf-8")
    return folder


def _columns(frames: dict[str, pl.DataFrame], known: dict[str, tuple[str, str]]) -> dict[str, Any]:
    return {n: {c: {"unit": known[c][0], "meaning": known[c][1]} for c in f.columns} for n, f in frames.items()}


def make_ensemble(folder: Path, design: str = "saltelli") -> Path:
    random = np.random.default_rng(3)
    net = random.normal(0, 3e8, 40)
    runs = pl.DataFrame(
        {
            "future": [i for i in range(40) for _ in range(2)],
            "scenario": ["base", "new"] * 40,
            "net_usd_yr": [v for x in net for v in (0.0, x)],
        }
    )
    sobol = {k: [0.3, 0.1] for k in ("first", "first_low", "first_high", "total", "total_low", "total_high")}
    frames = {
        "runs": runs,
        "policies": pl.DataFrame(
            {"rule": ["maximin"] * 2 + ["starr"] * 2, "scenario": ["base", "new"] * 2, "value": [0.0, -4e8, 1.0, 0.4],
             "picked": [True, False, True, False]}
        ),
        "sensitivity": pl.DataFrame(
            {"scenario": ["new"] * 2, "input": ["cost", "hours"], "rank_correlation": [-0.9, 0.2],
             **(sobol if design == "saltelli" else {key: [None, None] for key in sobol})},
            schema_overrides=dict.fromkeys(sobol, pl.Float64),
        ),
        "boxes": pl.DataFrame(
            {"scenario": ["new"], "step": [0], "coverage": [0.8], "density": [0.9], "points": [12],
             "limits": ["cost from 1"]}
        ),
    }  # fmt: skip
    inputs = [
        {"id": "cost", "quantity": "cost", "low": 0.7, "high": 1.3, "likely": None, "source": "x", "reasoning": ""}
    ]
    told = {
        "format": 1, "kind": "ensemble", "study": {"name": "Many <b>futures</b>"}, "uncertain": inputs,
        "ensemble": {"futures": 40, "year": 2030, "design": design, "seed": 3}, "tables": ENSEMBLE_TABLES,
        "expected_value_of_perfect_information_usd_yr": 1.5e7, "columns": _columns(frames, ENSEMBLE),
    }  # fmt: skip
    return _made(folder, "ensemble.json", told, frames)


def make_power(folder: Path) -> Path:
    frames = {
        "power_values": pl.DataFrame(
            {"rule": ["prices"] * 2, "state": ["after"] * 2, "player": ["KZ", "UZ"], "solution": ["shapley"] * 2,
             "value_usd_yr": [3e8, 1e8]}
        ),
        "power_change": pl.DataFrame(
            {"rule": ["prices"] * 2, "net_of_cost": [True] * 2, "player": ["KZ", "UZ"],
             "shapley_change_usd_yr": [-2e8, 6e7], "exclusion": [1.5, 0.0]}
        ),
        "power_reading": pl.DataFrame(
            {"rule": ["prices"], "state": ["after"], "scenario": ["cku"], "players": ["KZ;UZ"],
             "outside_option": ["the ocean"], "investment_options": ["cku"], "consent_to_build": ["KZ;UZ"],
             "principle": ["an optimum"],
             "superadditive": [False], "core_empty": [True], "core_proof": ["1 {KZ} + 1 {UZ}"]}
        ),
        "power_blocs": pl.DataFrame(
            {"rule": ["prices"], "state": ["after"], "scenario": ["cku"], "players": ["KZ;UZ"],
             "apart_usd_yr": [4e8], "as_one_usd_yr": [3e8]}
        ),
    }  # fmt: skip
    told = {"format": 1, "kind": "power", "study": {"name": "Power"}, "columns": _columns(frames, POWER),
            "tables": dict.fromkeys(frames, "Who gets what")}  # fmt: skip
    return _made(folder, "manifest.json", told, frames)


def make_dependence(folder: Path) -> Path:
    frame = pl.DataFrame(
        {"country": ["KG", "UZ"], "partner": ["KZ", "KZ"], "actual": [0.9, 0.7], "must_cross": [0.4, None],
         "free_usd_yr": [2.5e8, 1e7]}
    )  # fmt: skip
    frames = {"dependence": frame}
    told = {"format": 1, "kind": "dependence", "study": {"name": "Dependence"}, "columns": _columns(frames, POWER),
            "tables": {"dependence": "Country by partner"}}  # fmt: skip
    return _made(folder, "manifest.json", told, frames)


def make_exposure(folder: Path) -> Path:
    frame = pl.DataFrame(
        {"ban": ["RU may not cross KZ"] * 2, "step": ["stuck"] * 2, "country": ["RU", "others"],
         "trade_loss_usd_yr": [9e8, 9e8]}
    )  # fmt: skip
    frames = {"exposure": frame}
    told = {"format": 1, "kind": "exposure", "study": {"name": "Ban"}, "columns": _columns(frames, POWER),
            "read_with": {"halves": "each loss is shared by its two ends"},
            "tables": {"exposure": "What both lose"}}  # fmt: skip
    return _made(folder, "manifest.json", told, frames)


def make_validation(folder: Path) -> Path:
    frame = pl.DataFrame(
        {"id": ["A1", "A2", "A3"], "class": ["predicted", "fitted", "echo"], "indicator": ["tonnes"] * 3,
         "subject": ["khorgos"] * 3, "year": [2021] * 3, "unit": ["t"] * 3, "observed": [1e6, 2e6, 30.0],
         "low": [9e5, None, 20.0], "high": [1.1e6, None, 40.0], "modelled": [1.2e6, 1.9e6, 25.0],
         "error_pct": [20.0, -5.0, -16.7], "log_error": [0.18, 0.05, 0.18], "inside": ["no", "yes", "yes"],
         "why": ["", "", ""]}
    )  # fmt: skip
    scores = pl.DataFrame({"class": ["predicted"], "n": [1], "share": [0.0]})
    frames = {"targets": frame, "by_class": scores}
    told = {"kind": "validation", "tables": {n: {c: VALIDATION[c] for c in f.columns} for n, f in frames.items()}}
    return _made(folder, "validation.json", told, frames)


def make_terminal(folder: Path) -> Path:
    queue = pl.DataFrame(
        {"replication": [0, 0, 1, 1], "time_h": [0.0, 1.0] * 2, "outside_1435_trains": [0, 3, 1, 2],
         "outside_1520_trains": [1, 0, 0, 0], "inside_units": [0, 4, 2, 2], "stack_teu": [0.0] * 4}
    )  # fmt: skip
    told = {
        "terminal": "yard", "name": "A yard", "verdict": "stable", "days": 30, "replications": 2, "seed": 1,
        "trains_day": 4.2, "utilisation": {"crane": 0.71, "track": 0.4},
        "dwell_h": {"crane": {"mean": 3.2, "p90": 5.0}},
        "confidence_intervals_95": {"dwell_h": {"crane": {"mean": 3.2, "low": 3.0, "high": 3.4}}},
    }  # fmt: skip
    return _made(folder, "terminal.json", told, {"queue": queue}, below="")


MAKERS = {
    "ensemble": make_ensemble,
    "power": make_power,
    "dependence": make_dependence,
    "exposure": make_exposure,
    "validation": make_validation,
    "terminal": make_terminal,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with folders of other kinds inside."""
    place = tmp_path_factory.mktemp("home") / "study"
    make_results(place)
    for name, make in MAKERS.items():
        make(place / name)
    return place


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a real run on the atlas that ships."""
    return write_report(small_results(), small_tables(), tmp_path_factory.mktemp("real") / "report.html")


def held(folder: Path, cells: list[dict[str, str | None]]) -> int:
    """Hold cells of other folders against their Parquet files; return how many there were."""
    mine = [cell for cell in cells if cell.get("data-folder") == folder.name]
    for cell in mine:
        file = next(folder.rglob(f"{cell['data-table']}.parquet"))
        row = int((cell["data-row"] or "").removeprefix("row="))
        wanted = pl.read_parquet(file)[cell["data-column"] or ""][row]
        assert (wanted is None) == (cell["data-value"] == ""), cell
        assert wanted is None or float(cell["data-value"] or "nan") == pytest.approx(float(wanted), rel=1e-12), cell
    return len(mine)


# ------------------------------------------------------------------------------------------------------- the kinds


@pytest.mark.parametrize("kind", MAKERS)
def test_each_kind_has_a_page_of_its_own(kind: str, tmp_path: Path) -> None:
    folder = MAKERS[kind](tmp_path / "found")
    reader = read(report(folder))
    assert CHAPTERS[kind][0] in "".join(reader.words)
    count = held(folder, [cell for cell, _ in reader.figures])
    assert count >= (0 if kind == "terminal" else 4)
    ids = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(ids) == len(set(ids))


def test_numbers_of_a_chapter_say_what_they_mean(tmp_path: Path) -> None:
    reader = read(report(make_ensemble(tmp_path / "found", "lhs")))
    heads = {a.get("title") for t, a in reader.elements if t == "th"}
    assert ENSEMBLE["coverage"][1] in heads
    assert "<b>futures</b>" in "".join(reader.words), "a name is never markup"


def whole(home: Path, name: str) -> Path:
    """The page of the study with all chapters, on tables that are quick to read."""
    return write_report(read_results(home), make_tables(), home.parent / name, folders_in(home))


def test_a_study_takes_in_what_lies_in_its_folder(home: Path) -> None:
    reader = read(whole(home, "all.html"))
    words = "".join(reader.words)
    for kind in MAKERS:
        assert CHAPTERS[kind][0] in words
        held(home / kind, [cell for cell, _ in reader.figures])
    assert "Key findings" in words


def test_a_game_comes_with_what_must_be_known(home: Path) -> None:
    words = " ".join("".join(read(whole(home, "all.html")).words).split())
    for told in (
        "Outside option, what cargo costs that does not go by land: the ocean.",
        "Investment options: cku, with the consent of KZ, UZ.",
        "prices, after: not superadditive; the core is empty, as 1 {KZ} + 1 {UZ} shows.",
        "Works without KZ (exclusionary towards them), needs UZ (inclusive).",
        "cku: KZ, UZ as one voice 300.0, apart 400.0: together they lose 100.0 million USD a year.",
    ):
        assert told in words


def test_a_ban_says_that_losses_are_halved(tmp_path: Path) -> None:
    words = "".join(read(report(make_exposure(tmp_path / "ban"))).words)
    assert "Each loss is shared by its two ends." in words


def test_folders_beside_are_named_one_by_one(tmp_path: Path) -> None:
    make_results(tmp_path / "study")
    one = make_power(tmp_path / "one")
    two = make_power(tmp_path / "two")
    beside = [found for place in (one, two) if (found := folder_of(place))]
    path = write_report(read_results(tmp_path / "study"), make_tables(), tmp_path / "page.html", beside)
    text = "".join(read(path).words)
    assert f"{CHAPTERS['power'][0]}: one" in text
    assert f"{CHAPTERS['power'][0]}: two" in text


def test_an_unknown_kind_is_shown_by_its_tables(tmp_path: Path) -> None:
    frames = {"things": pl.DataFrame({"thing": ["a"], "tonnes": [5.0]})}
    told = {"format": 1, "kind": "novel", "tables": {"things": "Things of a new kind"}}
    text = "".join(read(report(_made(tmp_path / "new", "manifest.json", told, frames))).words)
    assert "Things of a new kind" in text


def test_what_cannot_be_reported_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="got nothing"):
        report(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="no results here"):
        report(tmp_path)
    make_results(tmp_path / "one")
    with pytest.raises(OutputError, match="got none of these"):
        report(tmp_path / "one", beside=[tmp_path / "nowhere"])
    make_results(tmp_path / "two")
    with pytest.raises(OutputError, match=r"several studies \(one, two\)"):
        report(tmp_path)
    (tmp_path / "two" / "manifest.json").write_text('{"kind": ', encoding="utf-8")
    with pytest.raises(OutputError, match=r"manifest\.json could not be read"):
        report(tmp_path / "two")
    assert folder_of(tmp_path) is None


# ----------------------------------------------------------------------------------- definitions, shares, parameters


def test_every_number_is_defined_and_says_on_what_it_rests(real: Path) -> None:
    reader = read(real)
    defined = {a["data-def"]: a for t, a in reader.elements if t == "tr" and "data-def" in a}
    shown = {f"{cell['data-table']}.{cell['data-column']}" for cell, _ in reader.figures}
    assert shown == set(defined)
    for name, attributes in defined.items():
        unit, means = meaning(name.partition(".")[2])
        assert means, name
        assert (attributes["data-means"], attributes["data-unit"]) == (means, unit)
    assert re.fullmatch(r"\d+/\d+", next(a["data-all"] or "" for _, a in reader.elements if a.get("id") == "rests"))
    own = {cell["data-table"] for cell, _ in reader.figures if cell.get("data-own")}
    assert own >= {"crossings", "links", "passages", "passage_flows", "countries", "choke_points", "crossing_flows"}


def test_shares_of_estimates_are_those_of_the_atlas(real: Path) -> None:
    """Counted again from the files, without the package's reader of origins."""
    told = {
        cell["data-row"]: cell["data-own"]
        for cell, _ in read(real).figures
        if cell["data-table"] == "crossings" and "crossing=khorgos-altynkol" in (cell["data-row"] or "")
    }
    row = next(
        r for r in pl.read_csv(ATLAS / "crossings.csv", infer_schema=False).to_dicts() if r["id"] == "khorgos-altynkol"
    )
    origins = pl.read_csv(ATLAS / "provenance" / "crossings.csv", infer_schema=False).to_dicts()

    def fits(text: str, pattern: str) -> bool:
        return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None

    kinds = []
    numbers = [c for c, t in read_atlas()["crossings"].schema.items() if t.is_numeric() and c != "price_year"]
    for column in numbers:
        if row[column] in (None, ""):
            continue
        found = [o for o in origins if fits(row["id"], o["row"]) and fits(column, o["column"])]
        found.sort(
            key=lambda o: ("*" not in o["row"], "*" not in o["column"], len(o["row"]), len(o["column"])), reverse=True
        )
        kinds.append(found[0]["kind"])
    assert set(told.values()) == {f"{kinds.count('estimate')}/{len(kinds)}"}


def test_parameters_are_the_manifests(tmp_path: Path) -> None:
    results = make_results(tmp_path / "results", ("base",), (2023,))
    row = {"id": "beta", "value": 1.375, "low": 1.0, "high": 2.0, "unit": "-", "meaning": "A power of its own",
           "kind": "estimate", "sources": ["s1"], "reasoning": "because"}  # fmt: skip
    told = type(results)(results.folder, {**results.manifest, "parameters": [row]}, results.tables)
    text = "".join(read(write_report(told, make_tables(), tmp_path / "one.html")).words)
    assert "A power of its own" in text
    assert "1.375" in text
    assert "Power <script>" not in text, "the atlas at hand has another one"
    text = "".join(read(write_report(results, make_tables(), tmp_path / "two.html")).words)
    assert "tells no parameters; run the study again" in text


def test_a_run_tells_its_parameters(real: Path) -> None:
    manifest = json.loads((small_folder() / "manifest.json").read_text(encoding="utf-8"))
    frame = read_atlas()["parameters"]
    assert {p["id"]: p["value"] for p in manifest["parameters"]} == dict(frame.select("id", "value").rows())
    assert {p["kind"] for p in manifest["parameters"]} <= {"reported", "derived", "estimate", "calibrated", "unknown"}
    shown = [a["data-parameter"] for _, a in read(real).elements if "data-parameter" in a]
    assert shown == frame["id"].to_list()


@pytest.mark.parametrize(("most", "end"), [(0.0, 1.0), (0.037, 0.04), (1.0, 1.0), (9.1, 10.0), (161.0, 200.0)])
def test_axes_end_at_round_numbers(most: float, end: float) -> None:
    assert round_end(most) == pytest.approx(end)
    assert round_end(most) >= most


# ------------------------------------------------------------------------------------------------------ the browser


def faults(page: Page) -> list[str]:
    """Faults that axe finds, of any weight."""
    if not AXE.is_file():
        pytest.skip("left out: axe-core is not installed (`npm ci` in web)")
    # the page's own policy lets no other script in: a world of its own is none of the page
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
    for text, waits in (
        (AXE.read_text(encoding="utf-8") + ";0", False),
        ("axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations.map("
         "v => v.id + ' ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | '))))", True),
    ):  # fmt: skip
        found = session.send("Runtime.evaluate", {"expression": text, "contextId": world, "awaitPromise": waits})
        assert "exceptionDetails" not in found, found
    return json.loads(found["result"]["value"])  # type: ignore[no-any-return]


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_report_is_accessible(offline_page: Page, home: Path, theme: str) -> None:
    offline_page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    offline_page.goto(whole(home, f"{theme}.html").as_uri())
    assert faults(offline_page) == []


@pytest.mark.browser
def test_numbers_tell_what_they_mean(offline_page: Page, real: Path) -> None:
    page = offline_page
    page.goto(real.as_uri())
    page.locator("#findings [data-table=totals][data-column=land_tonnes]").first.hover()
    said = page.locator("#tip").text_content() or ""
    assert meaning("land_tonnes")[1] in said
    assert "Among all input" in said
    page.locator("#crossings .strips .figure:visible").first.hover()
    assert "Estimates among the crossing's row" in (page.locator("#tip").text_content() or "")


@pytest.mark.browser
def test_report_goes_onto_paper_whole(offline_page: Page, home: Path) -> None:
    page = offline_page
    page.goto(whole(home, "paper.html").as_uri())
    page.emulate_media(media="print")
    count = "[...document.querySelectorAll('.panel, table.long > tbody > tr')].filter(e => !e.offsetHeight).length"
    views = page.evaluate("document.querySelectorAll('.views').length")
    assert page.evaluate("[...document.querySelectorAll('.panel')].filter(e => e.offsetHeight).length") == views
    cuts = page.locator(".cut:visible").all_text_contents()
    assert page.evaluate(count) > 0
    assert any("more rows" in text for text in cuts), "rows left off paper are told"
    assert any("on screen besides" in text for text in cuts), "views left off paper are told"
    short = len(page.pdf(prefer_css_page_size=True))
    page.emulate_media(media="screen")
    page.locator("#whole").check()
    page.emulate_media(media="print")
    assert page.evaluate(count) == 0, "all views and rows are printed when asked for"
    assert not page.locator(".cut:visible").count()
    wide = page.evaluate("[...document.querySelectorAll('nav, .views > label')].filter(e => e.offsetHeight).length")
    assert wide == 0
    paper = page.pdf(prefer_css_page_size=True)
    assert paper.startswith(b"%PDF")
    assert short < len(paper)
    assert 10 < paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") + paper.count(b"/Type/Page") < 200


def test_chapters_tell_on_how_much_estimated_input_they_rest(home: Path, tmp_path: Path) -> None:
    found = [folder for folder in folders_in(home) if folder.kind != "study"]
    text = write_chapters(found, read_atlas(), tmp_path / "shares.html").read_text(encoding="utf-8")
    chapters = dict(re.findall(r'<section id="(\w+)-\d+">(.*?)</section>', text, re.DOTALL))
    assert {"ensemble", "power", "dependence", "validation"} <= set(chapters)
    for kind, said in chapters.items():
        if kind not in ("assignment", "terminal"):
            assert re.search(r'class="note input">Every flow hangs on all of its input: \d+', said), kind
    assert "note input" not in chapters.get("assignment", "")
    own = re.findall(r'data-own="(\d+)/(\d+)"', chapters["power"])
    assert own, "a player's row tells the estimates among the numbers of its country"
    assert all(int(part) <= int(of) for part, of in own)


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 900])
def test_every_kind_fits_its_window(offline_page: Page, home: Path, width: int) -> None:
    offline_page.set_viewport_size({"width": width, "height": 900})
    offline_page.goto(whole(home, f"{width}.html").as_uri())
    assert offline_page.evaluate("document.documentElement.scrollWidth <= innerWidth")
