"""The tour: five tasks from the start page by the clicks that it names, with their seconds; and the languages.

python -m pytest tests/show/web/test_tour.py -k tasks -s      tells how long each task took
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import watch
from tests.map_server import Server
from tests.show.web.test_map import EXPECTED, PATIENCE, Site
from tests.show.web.texts import expressions, literals, markup, scripts
from tools import web_assets

HOME = Path(__file__).resolve().parents[3] / "web"
WEB = HOME / "src"


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
    busiest = page.get_by_role("heading", name="Busiest crossings").locator("xpath=..")
    busiest.get_by_role("button").first.click()
    row = page.get_by_test_id("card").locator('dl > div:has([data-column="capacity_ab_trains_day"])')
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
        # what closes it lies on no question
        close, questions = tour.get_by_role("button", name="Close").bounding_box(), tour.locator("ol").bounding_box()
        assert close
        assert questions
        assert close["x"] >= questions["x"] + questions["width"]
        tour.get_by_role("button", name="Close").click()
        expect(tour).to_have_count(0)


# ---------------------------------------------------------------------------------------------------------- languages


def texts(language: str) -> dict[str, str]:
    """Texts of a message file by key."""
    found = re.findall(
        r"'([a-z_0-9.]+)': '((?:[^'\\]|\\.)*)'", (WEB / "messages" / f"{language}.ts").read_text("utf-8")
    )
    assert len(found) == len({key for key, _ in found}), "each key once"
    return dict(found)


def gaps(text: str) -> set[str]:
    """Names of the gaps of a message, those of counts too."""
    plain = re.sub(r"\{(\w+), plural,(?: \w+ \{[^{}]*\})+\}", r"{\1}", text)
    return set(re.findall(r"\{(\w+)\}", plain))


def by_node(script: str) -> Any:
    """What a script of the map's own modules prints as JSON."""
    npm, environment = web_assets.node_and_npm()
    node = shutil.which("node", path=environment["PATH"]) or npm[0]
    done = subprocess.run([node, "-e", script], cwd=HOME, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


#: Loads a module of the map that imports nothing, without its types.
LOAD = """const ts = require('typescript'), fs = require('fs');
const js = ts.transpileModule(fs.readFileSync('src/lib/fill.ts', 'utf8'), {compilerOptions: {module: 'commonjs', target: 'es2022'}});
const made = {}; new Function('exports', js.outputText)(made);
"""  # noqa: E501 (a script for node)


def counted(code: str, text: str, *counts: int) -> list[str]:
    """A text of a language for some counts."""
    wanted = json.dumps([text, counts, code])
    return list(
        by_node(f"{LOAD}const [text, all, code] = {wanted};"
                "console.log(JSON.stringify(all.map(n => made.fill(text, {n, of: '{n}'}, code))))")
    )  # fmt: skip


def test_counts_choose_their_words_by_the_rules_of_the_language(built_map: None) -> None:
    english = "{n, plural, one {# border} other {# borders}} of {of}"
    assert counted("en", english, 0, 1, 2, 1234) == [
        "0 borders of {n}", "1 border of {n}", "2 borders of {n}", "1,234 borders of {n}"
    ]  # fmt: skip
    russian = "{n, plural, one {# граница} few {# границы} many {# границ} other {# границы}}"
    assert counted("ru", russian, 1, 2, 5, 11, 21, 22, 25) == [
        "1 граница", "2 границы", "5 границ", "11 границ", "21 граница", "22 границы", "25 границ"
    ]  # fmt: skip
    assert counted("zh", "{n, plural, other {# 次过境}}", 1, 7) == ["1 次过境", "7 次过境"]
    assert counted("ru", "{n, plural, other {#}} {unknown}", 3) == ["3 {unknown}"], "a gap without a value is seen"


def test_each_count_has_the_forms_of_its_language() -> None:
    needed = {"en": {"one", "other"}, "ru": {"one", "few", "many", "other"}, "zh": {"other"}}
    for language, forms in needed.items():
        for key, text in texts(language).items():
            for each in re.findall(r"\{\w+, plural,((?: \w+ \{[^{}]*\})+)\}", text):
                assert set(re.findall(r"(\w+) \{", each)) == forms, (language, key)
            assert text.count("plural") == len(re.findall(r"\{\w+, plural,(?: \w+ \{[^{}]*\})+\}", text)), key
    assert sum("plural" in text for text in texts("en").values()) > 8


@pytest.mark.parametrize("language", ["ru", "zh"])
def test_a_language_has_only_texts_that_english_has_with_the_same_gaps(language: str) -> None:
    english, own = texts("en"), texts(language)
    assert len(own) > 100
    assert set(own) <= set(english)
    for key, text in own.items():
        assert gaps(text) == gaps(english[key]), key


#: Texts that a language may leave to English: none; a new text is written in all three.
FALLS_BACK: frozenset[str] = frozenset()
#: Texts that may be alike in all languages: names and signs.
SAME = re.compile(r"(?:\{\w+\}|[A-Z0-9 /,.#+×%–:;()-])*|Landbridge.*")


@pytest.mark.parametrize("language", ["ru", "zh"])
def test_a_language_leaves_no_text_to_english(language: str) -> None:
    english, own = texts("en"), texts(language)
    assert set(english) - set(own) == FALLS_BACK, "these keys show English"
    alike = {key for key, text in own.items() if text == english[key] and not SAME.fullmatch(text)}
    assert alike == set(), "these keys are copies of English"
    letters = re.compile({"ru": "[а-яё]", "zh": "[\u4e00-\u9fff]"}[language], re.IGNORECASE)
    bare = {key for key, text in own.items() if not letters.search(text) and not SAME.fullmatch(text)}
    assert bare == set(), "these keys have no letter of their language"


#: Words of the templates that are names or forms of files, alike in all languages.
ALIKE = {"Landbridge", "CSV", "Excel", "PNG", "SVG", "TOML", "CO2", "CN-KZ, eu-RUS"}


def test_no_text_of_a_template_stands_outside_the_message_files() -> None:
    for file in sorted(WEB.rglob("*.svelte")):
        text = markup(file.read_text(encoding="utf-8"))
        said = re.findall(r'(?:title|aria-label|placeholder|alt|label)="([^"{]*[A-Za-z][^"{]*)"', text)
        before = ""
        while before != text:  # expressions hold others
            before, text = text, re.sub(r"\{[^{}]*\}|&nbsp;", " ", text)
        text = re.sub(r"=>", "", text)
        # single letters are the codes of a picture, told in its legend
        said += [word for piece in re.findall(r">([^<>]+)<", text) for word in re.findall(r"[A-Za-z]{2,}\w*", piece)]
        assert set(said) <= ALIKE, file.name


#: Strings of the code that nobody reads as text: names of things in lower case or joined by signs, what CSS, SVG,
#: colours and addresses are made of, and ids.
CODE = re.compile(
    r"""[a-z0-9_.:/$#|*&?=\-\[]*          # ids, keys of texts, parts of addresses
    | [a-z]+[A-Z]\w*                      # names in the code
    | @?[.\w@/!*-]+\.(?:svelte|ts|css|mjs)(?:\?worker&url)? | !?\.\./messages/\*\.ts
    | .*[<>"].* | .*[;{}].*px.* | .*[Ii]nter.* | px;fill: | ;paint-order:.* | &\w+; | \([\w-]+:\ .*\)  # SVG and CSS
    | nav\ \[aria-current\] | WEBGL_\w+ | image/svg\+xml | time,cost | \$1\\u00a0\$2 | \\u\w{4} | \\n
    | [A-Z][A-Za-z]?\d?                   # commands of paths, codes on the map and of countries
    | Enter | Escape | Arrow\w+ | Home    # keys of the keyboard
    | GET | POST | PATCH | DELETE | CSV | NFKD | KAZ
    | Float64 | String | Polygon | LineString | Feature(?:Collection)? | Point | Bold  # types
    | T00:00:00Z | en-GB | landbridge\ .* # moments, locales, commands
    | ,\ targets                          # a table, as the origin of a figure names it
    """,
    re.VERBOSE,
)
#: What is compared with a word of the results, or stands for a place of the atlas; and the page's own name.
NAMES = {"user equilibrium", "tips over", "Istanbul", "CN-KZ", " – Landbridge", "no WebGL worth having", "Excel"}
#: Units by their code: what the page writes for each stands in the message files, where one is known.
UNITS = {
    "Mt",
    "TEU",
    "M TEU",
    "USD",
    "USD mn",
    "USD/yr",
    "USD/FEU",
    "USD/TEU",
    "kg/FEU",
    "bn tkm",
    "Mt CO2",
    "Mt/yr",
    "V/C",
}


def test_no_text_of_the_code_stands_outside_the_message_files() -> None:
    found = {}
    for file in sorted([*WEB.rglob("*.svelte"), *WEB.rglob("*.ts")]):
        if "messages" in file.parts:
            continue
        code = file.read_text(encoding="utf-8")
        pieces = [code] if file.suffix == ".ts" else [*scripts(code), *expressions(markup(code))]
        said = {text for piece in pieces for text in literals(piece) if re.search(r"[A-Za-z]", text)}
        left = {text for text in said if not CODE.fullmatch(text.strip())} - NAMES - UNITS
        if left:
            found[file.name] = left
    assert found == {}


def test_the_scan_finds_a_text_in_code() -> None:
    code = "const a = `${n} tonnes gone`; // not a text\nlet b = 'Closed today', c = /[']a b/;"
    page = f"<script>{code}</script>{{ok ? 'Yes, it is' : t('no')}}"
    pieces = [*scripts(page), *expressions(markup(page))]
    said = {text for piece in pieces for text in literals(piece)}
    assert {text for text in said if not CODE.fullmatch(text.strip())} == {" tonnes gone", "Closed today", "Yes, it is"}


def test_every_unit_of_the_code_has_a_text() -> None:
    english = texts("en")
    for unit in UNITS - {"USD/yr", "USD/TEU", "V/C"}:
        assert f"unit.{re.sub('[^a-z0-9]+', '_', unit.lower())}" in english, unit


@pytest.mark.browser
def test_the_language_changes_with_counts_in_its_own_forms(site: Site) -> None:
    page = site.page
    page.set_viewport_size({"width": 1280, "height": 800})
    site.open("map?r=small&s=base&y=2023")
    for code, heading, language, gap in (
        ("ru", "Карта", "Язык", "относительный разрыв"),
        ("zh", "地图", "语言", "相对间隙"),
    ):
        page.locator("header select").select_option(code)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(page.locator("html")).to_have_attribute("lang", code)
        expect(page.get_by_role("combobox", name=language)).to_have_value(code)
        expect(page.get_by_role("main")).to_contain_text(gap)
    page.locator("header select").select_option("ru")
    site.open("routes?r=small&s=base&y=2023&from=cn-xian&to=Istanbul&obj=cost")
    expect(page.get_by_test_id("routes")).to_contain_text(re.compile(r"\d+ (граница|границы|границ),"))
    page.locator("header select").select_option("en")
    expect(page.get_by_role("heading", level=1)).to_have_text("Routes")


#: A language of four texts.
FRENCH = """export default {
  'page.map': 'Carte', 'page.compare': 'Comparer', 'top.year': 'Année',
  'table.rows': '{shown} sur {all, plural, one {# ligne} other {# lignes}}',
};
"""


@pytest.mark.browser
def test_a_file_beside_the_others_is_a_language(site: Site, tmp_path: Path) -> None:
    """A file put beside the others is enough: the build picks it up, each text by itself falls back to English."""
    copy = tmp_path / "web"
    shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (copy / "node_modules").symlink_to(HOME / "node_modules")
    (copy / "src" / "messages" / "fr.ts").write_text(FRENCH, encoding="utf-8")
    npm, environment = web_assets.node_and_npm()
    done = subprocess.run(
        [*npm, "run", "build", "--", "--logLevel", "error"], cwd=copy, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    page = site.page.context.new_page()
    page.set_default_timeout(PATIENCE)
    kinds = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}

    def built(route: Any) -> None:
        """The page's files from this build, everything else from the server."""
        name = route.request.url.removeprefix(site.address).split("?")[0].split("#")[0] or "index.html"
        file = copy / "dist" / name
        if name.startswith("api/") or not file.is_file():
            route.continue_()
        else:
            route.fulfill(body=file.read_bytes(), content_type=kinds.get(file.suffix, "application/octet-stream"))

    page.route("**/*", built)
    try:
        page.goto(f"{site.address}#/map?r=small&s=base&y=2023")
        choice = page.locator("header select")
        expect(choice.locator("option")).to_have_count(4)
        choice.select_option(label="Français")
        expect(page.get_by_role("heading", level=1)).to_have_text("Carte")
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        expect(page.get_by_role("link", name="Comparer")).to_be_visible()
        expect(page.get_by_role("link", name="Choke points")).to_be_visible()
    finally:
        page.close()
