"""Write the figures of docs/gallery from folders of results: no table on those pages is written by hand.

landbridge run examples/NAME.toml --out results/NAME
python tools/gallery.py results              # all pages whose folder is there
python tools/gallery.py results cku          # this page
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from validation_page import table

from landbridge.data.dictionary import read_dictionary
from landbridge.data.provenance import coverage
from landbridge.data.read import ATLAS, read_atlas
from landbridge.study.results import Results, read_results, tables_of

PAGES = Path(__file__).parents[1] / "docs" / "gallery"
BEGIN, END = "<!-- figures: made by tools/gallery.py -->\n", "<!-- end of figures -->\n"
MEGATONNE = 1e6
DAYS_YR, WEEKS_YR = 365, 52

#: Tables of the atlas on which every answer rests.
GROUND = ("trade", "links", "lines", "rates", "crossings", "gauge_changes", "services")


@dataclass(frozen=True)
class Page:
    """What a page shows of a results folder: passages, crossings, standard relations, countries' welfare.

    ``season``: line that is open for some days of a year only; ``terminal``: passage, zone at its end and the block
    trains of a terminal there.
    """

    study: str
    passages: Sequence[str]
    crossings: Sequence[str] = ()
    relations: Sequence[str] = ()
    countries: Sequence[str] = ()
    season: str = ""
    terminal: tuple[str, str, str] = ("", "", "")


WEST = ("west-1", "west-2-land", "west-2-caspian", "west-3", "china-central-asia")
NORTH = ("west-1", "east-1", "manzhouli", "crk", "trans-siberian")
KAZAKH = ("khorgos-altynkol", "alashankou-dostyk")

GALLERY = {
    "cku": Page("cku", WEST, (*KAZAKH, "torugart-makmal"), ("west-3",)),
    "middle-or-south": Page("middle-or-south", WEST, (*KAZAKH, "kapikoy-razi"), ("west-2-land", "west-2-caspian")),
    "russia-sanctioned": Page(
        "russia-sanctioned",
        (*NORTH, "china-central-asia"),
        (*KAZAKH, "manzhouli-zabaikalsk", "brest-malaszewicze"),
        (),
        ("RUS", "LVA", "EST", "FIN", "DEU", "CHN", "KAZ", "BLR"),
    ),
    "khorgos-upgrade": Page("khorgos-upgrade", (*WEST, "crk"), KAZAKH, ("west-1", "china-central-asia")),
    "trade-targets": Page("trade-targets", ("west-1", "crk", "china-central-asia"), KAZAKH),
    "relocation": Page(
        "relocation",
        ("crk", "china-central-asia", "west-1"),
        (*KAZAKH, "sharbakty-kulunda", "lokot-aul"),
        (),
        ("KAZ", "CHN", "TJK", "MNG", "KGZ", "RUS"),
    ),
    "subsidies-withdrawn": Page(
        "subsidies-withdrawn", (*NORTH, "china-central-asia"), (*KAZAKH, "brest-malaszewicze"), ("west-1", "suez")
    ),
    "poland-closed-2025": Page(
        "poland-closed-2025",
        NORTH,
        ("brest-malaszewicze", "sestokai-trakiszki", "gudagai-kena", "krasnoye-osinovka"),
        ("west-1", "east-1"),
    ),
    "northern-sea-route": Page(
        "northern-sea-route",
        ("west-1", "east-1", "manzhouli", "crk", "trans-siberian"),
        KAZAKH,
        ("west-1", "suez", "cape", "nsr"),
        season="sea-nsr",
    ),
    "cku-gauge": Page(
        "cku-gauge",
        ("west-3", "china-central-asia", "west-1"),
        ("torugart-makmal", "irkeshtam-rail", "savay-karasuu", *KAZAKH),
        ("west-3",),
    ),
    "crk-terminal": Page("crk-terminal", NORTH, KAZAKH, ("crk",), terminal=("crk", "ru-moscow", "block-ru-selyatino")),
}


def main() -> None:
    """Write the pages named, or all whose folder is there."""
    folder, *names = sys.argv[1:] or ["results"]
    ground = grounds()
    for name in names or GALLERY:
        page, place = GALLERY[name], Path(folder) / GALLERY[name].study
        if not names and not (place / "manifest.json").exists():
            print(f"{name}: no results in {place}, left as it is")
            continue
        text = (PAGES / f"{name}.md").read_text()
        head, rest = text.split(BEGIN)
        _, tail = rest.split(END)
        (PAGES / f"{name}.md").write_text(head + BEGIN + figures(page, read_results(place)) + ground + END + tail)
        print(f"{name}: written")


def figures(page: Page, results: Results) -> str:
    """All tables of a page, from its results."""
    parts = []
    for year in results.years:
        parts += [
            f"\n**Freight in {year}**\n\n{freight(results, year)}",
            f"\n**Passages in {year}, Mt**\n\n{passages(page, results, year)}",
        ]
        if page.crossings:
            parts.append(
                f"\n**Crossings in {year}, Mt (share of capacity in use)**\n\n{crossings(page, results, year)}"
            )
        if page.season:
            parts.append(f"\n{in_season(page, results, year)}")
        if page.terminal[0]:
            parts.append(f"\n{at_terminal(page, results, year)}")
        if page.countries and "trade_countries" in results.tables:
            parts.append(f"\n**Welfare in {year}, per cent**\n\n{welfare(page, results, year)}")
    if page.relations:
        parts.append(f"\n**Standard relations in {results.years[-1]}**\n\n{relations(page, results)}")
    return "".join(parts)


def names(results: Results) -> dict[str, str]:
    """The scenarios' names by id."""
    return {s["id"]: s["name"] for s in results.manifest["study"]["scenarios"]}


def freight(results: Results, year: int) -> str:
    """Where the freight of a year goes, by scenario."""
    rows: list[list[object]] = []
    for scenario, name in names(results).items():
        row = results.of("totals", scenario, year).to_dicts()[0]
        mega = [round(row[c] / MEGATONNE, 2) for c in ("land_tonnes", "outside_tonnes", "unserved_tonnes")]
        rows.append([f"{name} (`{scenario}`)", *[f"{x:,.2f}" for x in mega], f"{row['land_teu'] / MEGATONNE:.3f}"])
    head = ["scenario", "Mt by the network", "Mt by its rivals", "Mt unserved", "million TEU by the network"]
    return aligned(head, rows)


def passages(page: Page, results: Results, year: int) -> str:
    """Tonnes of the page's passages by scenario."""
    called = dict(read_atlas()["passages"].select("id", "name").rows())
    rows: list[list[object]] = []
    for passage in page.passages:
        row: list[object] = [called[passage]]
        for scenario in names(results):
            flows = results.of("passage_flows", scenario, year).filter(pl.col("passage") == passage)
            row.append(f"{flows['tonnes'].sum() / MEGATONNE:.2f}")
        rows.append(row)
    return aligned(["passage", *[f"`{s}`" for s in names(results)]], rows)


def crossings(page: Page, results: Results, year: int) -> str:
    """Tonnes and use of the page's crossings by direction and scenario."""
    rows: list[list[object]] = []
    called = dict(tables_of(results)["crossings"].select("id", "name").rows())
    for crossing in page.crossings:
        for direction in ("ab", "ba"):
            row: list[object] = []
            way = ""
            for scenario in names(results):
                found = results.of("crossings", scenario, year).filter(
                    (pl.col("crossing") == crossing) & (pl.col("direction") == direction)
                )
                if found.height:
                    one = found.to_dicts()[0]
                    way = f"{one['from_country']} to {one['to_country']}"
                    use = "" if one["use"] is None else f" ({100 * one['use']:.0f} %)"
                    row.append(f"{one['tonnes'] / MEGATONNE:.2f}{use}")
                else:
                    row.append("–")
            rows.append([f"{called[crossing]}, {way}", *row])
    return aligned(["crossing", *[f"`{s}`" for s in names(results)]], rows)


def in_season(page: Page, results: Results, year: int) -> str:
    """What the land network loses to a line while its season lasts: a share of a year without an end of it."""
    days = read_atlas()["lines"].filter(pl.col("id") == page.season)["season_days"][0]
    base = results.manifest["study"]["compare"]
    rows: list[list[object]] = []
    for scenario in names(results):
        if scenario == base:
            continue
        lost = [
            results.of("totals", base, year)[column][0] - results.of("totals", scenario, year)[column][0]
            for column in ("land_tonnes", "land_teu")
        ]
        part = [x * days / DAYS_YR for x in lost]
        rows.append(
            [f"`{scenario}`", f"{lost[0] / MEGATONNE:.2f}", f"{part[0] / MEGATONNE:.2f}", f"{part[1] / 1e3:.1f}"]
        )
    head = [
        "scenario",
        "Mt a year, if the season did not end",
        f"Mt in {days:.0f} days",
        f"thousand TEU in {days:.0f} days",
    ]
    return f"**What the network loses against `{base}` in {year}**\n\n{aligned(head, rows)}"


def at_terminal(page: Page, results: Results, year: int) -> str:
    """Boxes of a passage that begin or end in a zone, and what the block trains of its terminal carry."""
    passage, zone, service = page.terminal
    trains = read_atlas()["services"].filter(pl.col("id") == service).to_dicts()[0]
    teu_train = trains["capacity_teu_yr"] / trains["departures_week"] / WEEKS_YR
    rows: list[list[object]] = []
    for scenario in names(results):
        keys = ["exporter", "importer", "commodity"]
        flows = results.of("passage_flows", scenario, year).filter(pl.col("passage") == passage)
        flows = flows.select(*keys, teu_t=pl.col("teu") / pl.col("tonnes"))
        paths = results.of("paths", scenario, year).filter(pl.col("passage") == passage).select("relation", "tonnes")
        ends = results.of("relations", scenario, year).select("relation", "origin_zone", "destination_zone", *keys)
        moved = (
            paths.join(ends, on="relation").join(flows, on=keys).with_columns(teu=pl.col("tonnes") * pl.col("teu_t"))
        )
        here = [moved.filter(pl.col(f"{end}_zone") == zone) for end in ("destination", "origin")]
        teu = [float(part["teu"].sum()) for part in here]
        rows.append(
            [
                f"`{scenario}`",
                f"{sum(float(part['tonnes'].sum()) for part in here) / MEGATONNE:.2f}",
                *[f"{x / 1e3:.1f}" for x in teu],
                f"{max(teu) / teu_train / WEEKS_YR:.1f}",
            ]
        )
    called = dict(read_atlas()["zones"].select("id", "name").rows())[zone]
    head = ["scenario", "Mt", "thousand TEU in", "thousand TEU out", f"trains a week of {teu_train:.0f} TEU"]
    told = (
        f"Trains from the terminal today: {trains['departures_week']:.1f} a week, "
        f"{trains['capacity_teu_yr'] / 1e3:.1f} thousand TEU a year.\n"
    )
    return f"**Of the passage, what begins or ends in the zone {called} in {year}**\n\n{aligned(head, rows)}\n{told}"


def relations(page: Page, results: Results) -> str:
    """Days and prices of the page's standard relations by scenario."""
    rows: list[list[object]] = []
    for scenario in names(results):
        frame = results.of("passages", scenario, results.years[-1])
        for passage in page.relations:
            for one in frame.filter(pl.col("passage") == passage).to_dicts():
                known = [None if one[c] is None else round(one[c]) for c in ("km", "usd_feu", "co2_kg_feu")]
                km, usd, co2 = ["–" if v is None else f"{v:,}".replace(",", " ") for v in known]
                days = "–" if one["days"] is None else f"{one['days']:.1f}"
                rows.append([one["name"], f"`{scenario}`", km, days, usd, co2, one["gauge_changes"]])
    return aligned(["relation", "scenario", "km", "days", "USD/FEU", "kg CO2/FEU", "gauge changes"], rows, text=2)


def welfare(page: Page, results: Results, year: int) -> str:
    """Welfare of the page's countries against the scenario compared with: by what is given, where something is."""
    base = results.manifest["study"]["compare"]
    others = [s for s in names(results) if s != base]
    rows: list[list[object]] = []
    for country in page.countries:
        row: list[object] = [country]
        for scenario in others:
            given = results.of("trade_given", scenario, year) if "trade_given" in results.tables else None
            frame = given if given is not None and given.height else results.of("trade_countries", scenario, year)
            found = frame.filter(pl.col("country") == country)["welfare_pct"].drop_nulls()
            row.append(f"{found[0]:+.2f}" if len(found) else "–")
        rows.append(row)
    return aligned(["country", *[f"`{s}`" for s in others]], rows)


def aligned(head: list[str], rows: list[list[object]], text: int = 1) -> str:
    """A Markdown table whose columns from ``text`` on stand to the right."""
    first, _, *rest = table(head, rows).splitlines()
    marks = "|" + "|".join("---" if i < text else "---:" for i in range(len(head))) + "|"
    return "\n".join([first, marks, *rest]) + "\n"


def grounds() -> str:
    """How much of the tables that every answer rests on is estimated."""
    atlas = read_atlas()
    counted = coverage(Path(str(ATLAS)), dict(atlas.frames), read_dictionary(Path(str(ATLAS))))
    rows: list[list[object]] = []
    for name in GROUND:
        mine = counted.filter(pl.col("table") == name)
        total = mine["cells"].sum()
        part = mine.filter(pl.col("kind") == "estimate")["cells"].sum()
        rows.append([f"`{name}`", f"{total:,}".replace(",", " "), f"{100 * part / total:.0f} %"])
    return "\n**Estimates among the numbers it rests on**\n\n" + aligned(["table", "numbers", "estimates"], rows)


if __name__ == "__main__":
    main()
