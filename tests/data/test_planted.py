"""No fault planted in a copy of the atlas goes unnoticed: one test a kind."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from atlas_copy import Copy
from landbridge.data.check import check_package
from landbridge.data.read import ATLAS, read_package
from landbridge.errors import Fault


@pytest.fixture(scope="module")
def whole_copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy of the atlas, its largest tables cut short to keep each check quick."""
    folder = tmp_path_factory.mktemp("copies") / "atlas"
    shutil.copytree(ATLAS, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    copy = Copy(folder)
    for name, keys in (("trade.csv", {"commodity", "kind"}), ("bulk_trade.csv", {"product"})):
        with (folder / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        kept = {tuple(row[key] for key in sorted(keys)): row for row in rows}
        copy.edit(name, lambda rows, kept=kept: rows.__setitem__(slice(None), list(kept.values())))  # type: ignore[misc]
    copy._sound.clear()
    return copy


@pytest.fixture(scope="module")
def before(whole_copy: Copy) -> frozenset[Fault]:
    """Faults of the copy before anything is planted: none, unless the shipped atlas has some."""
    return frozenset(check_package(whole_copy.folder)[0])


@pytest.fixture
def copy(whole_copy: Copy, before: frozenset[Fault]) -> Iterator[Copy]:  # `before` is taken while it is sound
    """The copy, sound before each test and mended after it."""
    yield whole_copy
    whole_copy.mend()


def test_the_content_hash_follows_every_file(copy: Copy) -> None:
    def digest() -> str:
        package = read_package(copy.folder).package
        assert package is not None
        return package.content_hash

    seen = {digest()}
    assert {digest()} == seen
    for spoil in (
        lambda: copy.put("rates.csv", "rail-cn", usd_t_km="0.0218"),
        lambda: copy.origin("rates", "rail-cn", "usd_t_km", reasoning="Another reason."),
        lambda: copy.features(lambda features: features.reverse()),
        lambda: copy.write("NOTICE.md", b"other"),
    ):
        spoil()
        changed = digest()
        assert changed not in seen
        seen.add(changed)
        copy.mend()
        assert digest() in seen
    assert len(seen) == 5


# ------------------------------------------------------------------------------------------- planted faults

LINK, BORDER = "rail:cn-lanzhou:cn-wuwei", "rail:cn-alashankou:kz-dostyk"
LINK_ROW = f"row of {LINK}"
UNBUILT = "rail:mn-gashuunsukhait:cn-gantsmod"
GATE = "alashankou-dostyk"
YARD = "cn-alashankou:1520-1435:transfer-container"


def _line(features: list[dict[str, Any]], link: str) -> list[list[float]]:
    """The points of a line of one piece."""
    (found,) = [f for f in features if f["id"] == link]
    points: list[list[float]] = found["geometry"]["coordinates"]
    return points


def _column(rows: list[dict[str, str]], table: str, column: str) -> dict[str, str]:
    """The row of the dictionary that describes a column."""
    (found,) = [row for row in rows if (row["table"], row["column"]) == (table, column)]
    return found


#: What is planted, and the fault it must give: file, row, field, words of what was wanted, words of what came.
PLANTED: dict[str, tuple[Callable[[Copy], object], tuple[str, str, str, str, str]]] = {
    # what the dictionary says
    "table missing": (lambda c: c.remove("upgrades.csv"), ("upgrades.csv", "", "", "a table", "no such file")),
    "descriptor missing": (
        lambda c: c.remove("datapackage.json"), ("datapackage.json", "", "", "name, version and licence", "no such")),
    "column missing": (
        lambda c: c.edit("rates.csv", lambda rows: [row.pop("note") for row in rows]),
        ("rates.csv", "header", "note", "this column", "nothing")),
    "column unknown": (
        lambda c: c.write("rates.csv", (ATLAS / "rates.csv").read_bytes().replace(b",note", b",remark", 1)),
        ("rates.csv", "header", "remark", "a column of the dictionary", "remark")),
    "row too short": (
        lambda c: c.write("blocs.csv", (ATLAS / "blocs.csv").read_bytes().replace(b"eu,BE,", b"eu,BE", 1)),
        ("blocs.csv", "row 3 (eu)", "from_year", "3 cells", "2 cells")),
    "row too long": (
        lambda c: c.write("blocs.csv", (ATLAS / "blocs.csv").read_bytes().replace(b"eu,BE,", b"eu,BE,,x", 1)),
        ("blocs.csv", "row 3 (eu)", "from_year", "3 cells", "4 cells")),
    "not UTF-8": (
        lambda c: c.write("blocs.csv", (ATLAS / "blocs.csv").read_bytes().replace(b"eu,BE,", b"e\xfc,BE,", 1)),
        ("blocs.csv", "row 3", "", "UTF-8", "0xfc")),
    "required cell missing": (
        lambda c: c.put("rates.csv", "rail-cn", country=""), ("rates.csv", "(rail-cn)", "country", "a value", "''")),
    "id missing": (lambda c: c.put("services.csv", "block-cn-xian", id=""),
                   ("services.csv", "row 2", "id", "a value", "''")),
    "not a number": (lambda c: c.put("rates.csv", "rail-cn", usd_t_km="cheap"),
                     ("rates.csv", "(rail-cn)", "usd_t_km", "a number", "'cheap'")),
    "not finite": (lambda c: c.put("rates.csv", "rail-cn", usd_t_km="NaN"),
                   ("rates.csv", "(rail-cn)", "usd_t_km", "a number", "'NaN'")),
    "not whole": (lambda c: c.put("lines.csv", "cn-lanxin", season_days="364.5"),
                  ("lines.csv", "(cn-lanxin)", "season_days", "a whole number", "'364.5'")),
    "below its bound": (lambda c: c.put("lines.csv", "cn-lanxin", speed_kmh="2"),
                        ("lines.csv", "(cn-lanxin)", "speed_kmh", "at least 3 km/h", "'2'")),
    "above its bound": (lambda c: c.put("crossings.csv", GATE, processing_ba_h="1000"),
                        ("crossings.csv", f"({GATE})", "processing_ba_h", "at most 100 h", "'1000'")),
    "no date": (lambda c: c.put("links.csv", LINK, closed_from="soon"),
                ("links.csv", f"({LINK})", "closed_from", "YYYY-MM-DD", "'soon'")),
    "neither yes nor no": (lambda c: c.put("lines.csv", "cn-lanxin", ocean="dry"),
                           ("lines.csv", "(cn-lanxin)", "ocean", "yes or no", "'dry'")),
    "none of the choices": (lambda c: c.put("places.csv", "cn-lanzhou", kind="village"),
                            ("places.csv", "(cn-lanzhou)", "kind", "city or", "'village'")),
    "list of gauges": (lambda c: c.put("places.csv", "cn-lanzhou", gauges_mm="1435;wide"),
                       ("places.csv", "(cn-lanzhou)", "gauges_mm", "whole numbers divided by ;", "wide")),
    "id twice": (lambda c: c.edit("services.csv", lambda rows: rows.append({**rows[0], "name": "again"})),
                 ("services.csv", "row 2 (", "id", "an id used once", "block-")),
    "dangling reference": (lambda c: c.put("links.csv", LINK, line="cn-nowhere"),
                           ("links.csv", f"({LINK})", "line", "an id of lines.csv", "'cn-nowhere'")),
    "dangling reference in a list": (
        lambda c: c.put("internal_corridors.csv", "china-west", links=f"{LINK};rail:a:b"),
        ("internal_corridors.csv", "(china-west)", "links", "an id of links.csv", "rail:a:b")),
    # links and places
    "country kilometres do not add up": (
        lambda c: c.put("links.csv", LINK, country_km="CN:200"),
        ("links.csv", LINK_ROW, "country_km", "parts that add to 269 km", "200 km")),
    "country kilometres illegible": (
        lambda c: c.put("links.csv", LINK, country_km="269 in China"),
        ("links.csv", LINK_ROW, "country_km", "ISO2:km;ISO2:km", "269 in China")),
    "country kilometres missing": (
        lambda c: c.put("links.csv", LINK, country_km=""),
        ("links.csv", LINK_ROW, "country_km", "ISO2:km;ISO2:km", "None")),
    "country unknown": (
        lambda c: c.put("links.csv", LINK, country_km="CN:260;XX:9"),
        ("links.csv", LINK_ROW, "country_km", "countries of countries.csv", "XX")),
    "wrong country at the first end": (
        lambda c: c.put("links.csv", LINK, country_km="KZ:269"),
        ("links.csv", LINK_ROW, "country_km", "kilometres in CN, where cn-lanzhou lies", "KZ:269")),
    "wrong country at the second end": (
        lambda c: c.put("links.csv", BORDER, country_km="CN:12"),
        ("links.csv", f"row of {BORDER}", "country_km", "kilometres in KZ, where kz-dostyk lies", "CN:12")),
    "link from a place to itself": (
        lambda c: c.put("links.csv", LINK, place_b="cn-lanzhou"),
        ("links.csv", LINK_ROW, "place_b", "another place than place_a", "cn-lanzhou")),
    "line of another mode": (
        lambda c: c.put("links.csv", LINK, line="road-cn"),
        ("links.csv", LINK_ROW, "line", "a line of mode rail", "road-cn (road)")),
    "reopened before it was closed": (
        lambda c: c.put("links.csv", LINK, closed_from="2023-03-01", closed_to="2023-02-28"),
        ("links.csv", LINK_ROW, "closed_to", "a date not before 2023-03-01", "2023-02-28")),
    "railway without gauge": (
        lambda c: c.put("links.csv", LINK, gauges_mm=""),
        ("links.csv", LINK_ROW, "gauges_mm", "the gauge of the line", "nothing")),
    "shorter than its line": (
        lambda c: c.put("links.csv", LINK, drawn_km="300"),
        ("links.csv", LINK_ROW, "length_km", "at least the drawn 300 km", "269 km")),
    "geometry missing": (lambda c: c.remove("links.geojson"), ("links.geojson", "", "", "the lines", "no such file")),
    "geometry illegible": (
        lambda c: c.write("links.geojson", b'{"features": ['), ("links.geojson", "", "", "GeoJSON", "Expecting value")),
    "geometry without ids": (
        lambda c: c.features(lambda f: f[0].pop("id")), ("links.geojson", "", "", "collection with ids", "'id'")),
    "geometry of a link missing": (
        lambda c: c.features(lambda f: f.remove(next(x for x in f if x["id"] == LINK))),
        ("links.geojson", LINK, "id", "one line for the link", "none")),
    "geometry of no link": (
        lambda c: c.features(lambda f: f.append({**f[0], "id": "rail:a:b"})),
        ("links.geojson", "rail:a:b", "id", "a link of links.csv", "rail:a:b")),
    "geometry twice": (
        lambda c: c.features(lambda f: f.append(next(x for x in f if x["id"] == LINK))),
        ("links.geojson", LINK, "id", "one line", "2 lines")),
    # crossings and yards
    "border without crossing": (
        lambda c: c.put("places.csv", "cn-wuwei", iso2="MN"),
        ("crossings.csv", LINK, "link", "a crossing for the border between CN and MN", "none")),
    "crossing with another end": (
        lambda c: c.put("crossings.csv", GATE, place_b="kz-almaty"),
        ("crossings.csv", GATE, "place_a, place_b", f"the ends of {BORDER}", "cn-alashankou, kz-almaty")),
    "crossing the other way round": (
        lambda c: c.put("crossings.csv", GATE, place_a="kz-dostyk", place_b="cn-alashankou"),
        ("crossings.csv", GATE, "place_a", "the order of the link: cn-alashankou first", "kz-dostyk")),
    "crossing of another mode": (
        lambda c: c.put("crossings.csv", GATE, mode="road"), ("crossings.csv", GATE, "mode", "rail", "road")),
    "crossing reopened before it was closed": (
        lambda c: c.put("crossings.csv", GATE, closed_from="2023-03-01", closed_to="2023-02-28"),
        ("crossings.csv", GATE, "closed_to", "a date not before 2023-03-01", "2023-02-28")),
    "crossing shut and yet operating": (
        lambda c: c.put("crossings.csv", GATE, closed_from="2023-03-01"),
        ("crossings.csv", GATE, "closed_to", "the day of reopening, or a status of closed or restricted", "nothing")),
    "crossing closed without a reason": (
        lambda c: c.put("crossings.csv", GATE, status="closed", closed_from="2023-03-01"),
        ("crossings.csv", GATE, "closed_reason", "why the crossing is closed", "nothing")),
    "more consignments inspected than there are": (
        lambda c: c.put("crossings.csv", GATE, inspection_share_ba="1.2"),
        ("crossings.csv", f"({GATE})", "inspection_share_ba", "at most 1 -", "'1.2'")),
    "longer open than a day": (
        lambda c: c.put("crossings.csv", GATE, open_h_day="25"),
        ("crossings.csv", f"({GATE})", "open_h_day", "at most 24 h", "'25'")),
    "gauge change where one gauge is missing": (
        lambda c: c.put("gauge_changes.csv", YARD, place="cn-lanzhou"),
        ("gauge_changes.csv", YARD, "from_mm", "a gauge of cn-lanzhou ([1435])", "1520")),
    "change to the same gauge": (
        lambda c: c.put("gauge_changes.csv", YARD, to_mm="1520"),
        ("gauge_changes.csv", YARD, "to_mm", "another gauge", "1520")),
    "gauge change of boxes without a price": (
        lambda c: c.put("gauge_changes.csv", YARD, cost_usd_teu=""),
        ("gauge_changes.csv", YARD, "cost_usd_teu", "a price for container", "nothing")),
    "gauge change of bulk without a price": (
        lambda c: c.put("gauge_changes.csv", YARD, cargo="bulk"),
        ("gauge_changes.csv", YARD, "cost_usd_t", "a price for bulk", "nothing")),
    # lines, lengths and gauges
    "line that starts elsewhere": (
        lambda c: c.features(lambda f: _line(f, LINK)[0].__setitem__(1, _line(f, LINK)[0][1] + 0.5)),
        ("links.geojson", LINK, "coordinates", "a line that starts at cn-lanzhou", "55.6 km away")),
    "line that ends elsewhere": (
        lambda c: c.features(lambda f: _line(f, LINK)[-1].__setitem__(1, _line(f, LINK)[-1][1] + 0.5)),
        ("links.geojson", LINK, "coordinates", "a line that ends at cn-wuwei", "55.6 km away")),
    "drawn length not that of the line": (
        lambda c: c.put("links.csv", LINK, drawn_km="200"),
        ("links.csv", LINK_ROW, "drawn_km", "the length of its line", "200 km")),
    "shorter than the straight way": (
        lambda c: c.put("links.csv", LINK, length_km="200", country_km="CN:200"),
        ("links.csv", LINK_ROW, "length_km", "at least the straight", "200 km")),
    "published length of another line": (
        lambda c: c.put("links.csv", LINK, length_official_km="400"),
        ("links.csv", LINK_ROW, "length_official_km", "a published length within 12% of the traced 269 km", "400 km")),
    "gauge that the place has not": (
        lambda c: c.put("links.csv", LINK, gauges_mm="1520"),
        ("links.csv", LINK_ROW, "gauges_mm", "gauges of cn-wuwei (1435)", "1520")),
    "gauge that ends where lines meet": (
        lambda c: (c.put("places.csv", "cn-lanzhou", gauges_mm="1435;1520"),
                   c.put("places.csv", "cn-wuwei", gauges_mm="1435;1520"), c.put("links.csv", LINK, gauges_mm="1520")),
        ("links.csv", LINK_ROW, "gauges_mm", "the other lines at cn-lanzhou (1435), or a yard there", "1520")),
    "zone cut off for some years": (
        lambda c: c.put("links.csv", "rail:kz-shar:kz-oskemen", closed_from="2015-07-01", closed_to="2018-12-31"),
        ("zones.csv", "kz-oskemen", "place", "land links or ferries join to the rest", "alone in 2016-2018")),
    # keys, names, units, dates
    "row twice": (
        lambda c: c.edit("blocs.csv", lambda rows: rows.append(dict(rows[0]))),
        ("blocs.csv", "(eu:AT)", "bloc, iso2", "each row once", "also in row 2")),
    "unit other than the name says": (
        lambda c: c.edit("dictionary.csv", lambda rows: _column(rows, "rates", "usd_t_km").update(unit="USD/t-mile")),
        ("dictionary.csv", "rates.usd_t_km", "unit", "USD/t-km, as the name says", "USD/t-mile")),
    "schema behind the dictionary": (
        lambda c: c.write("datapackage.json", (ATLAS / "datapackage.json").read_bytes().replace(
            b'"maximum": 100\n', b'"maximum": 90\n', 1)),
        ("datapackage.json", "lines.speed_kmh", "", "what dictionary.csv says", '"name": "speed_kmh"')),
    "table that the schema lacks": (
        lambda c: c.edit("dictionary.csv", lambda rows: rows.append(
            {**_column(rows, "places", "id"), "table": "stations"})),
        ("datapackage.json", "resources", "stations", "this table of dictionary.csv", "nothing")),
    "tooltip behind the dictionary": (
        lambda c: c.write("tooltips.json", (ATLAS / "tooltips.json").read_bytes().replace(
            b"Gross domestic", b"Net", 1)),
        ("tooltips.json", "countries.gdp_2023_usd", "", "what dictionary.csv says", "Net product")),
    "trader unknown": (
        lambda c: c.put("growth.csv", "chn-europe-any", importer="europa"),
        ("growth.csv", "(chn-europe-any)", "importer", "an ISO3 code, a bloc or *; did you mean europe", "'europa'")),
    "commodity unknown": (
        lambda c: c.put("mode_shares.csv", "any-any-other-gold", commodity="gold"),
        ("mode_shares.csv", "(any-any-other-gold)", "commodity", "a commodity or *", "'gold'")),
    "country of a rate unknown": (
        lambda c: c.put("rates.csv", "rail-cn", country="XX"),
        ("rates.csv", "(rail-cn)", "country", "an ISO2 code or *", "'XX'")),
    "upgrade of nothing": (
        lambda c: c.put("upgrades.csv", "saryagash-40", subject="kz-uz-saryagas"),
        ("upgrades.csv", "saryagash-40", "subject", "did you mean kz-uz-saryagash", "'kz-uz-saryagas'")),
    "upgrade by what its table has not": (
        lambda c: c.put("upgrades.csv", "saryagash-40", capacity_teu_yr="100"),
        ("upgrades.csv", "saryagash-40", "capacity_teu_yr", "capacity_trains_day, speed_kmh", "100")),
    "upgrade on no day by nobody": (
        lambda c: c.put("upgrades.csv", "saryagash-40", from_date=""),
        ("upgrades.csv", "saryagash-40", "from_date", "a day, or a project that is built", "neither")),
    "upgrade to nothing": (
        lambda c: c.put("upgrades.csv", "saryagash-40", capacity_trains_day=""),
        ("upgrades.csv", "saryagash-40", "capacity_trains_day, speed_kmh", "a new value", "none")),
    "service on no link": (
        lambda c: c.put("services.csv", "ferry-aktau-alat", link="ferry:kz-aktau:az-baku"),
        ("services.csv", "ferry-aktau-alat", "link", "a link, * allowed", "'ferry:kz-aktau:az-baku'")),
    "hub that is no place": (
        lambda c: c.put("services.csv", "block-cn-xian", place="cn-xi-an"),
        ("services.csv", "block-cn-xian", "place", "an id of places.csv", "'cn-xi-an'")),
    "closed without a day": (
        lambda c: c.put("crossings.csv", GATE, status="closed", closed_reason="works"),
        ("crossings.csv", GATE, "closed_from", "the first day of the closure", "nothing")),
    "works that end before they start": (
        lambda c: c.put("projects.csv", "cku", finish="2020"),
        ("projects.csv", "cku", "finish", "a date not before 2024-12-27", "2020")),
    "event that ends before it starts": (
        lambda c: c.put("events.csv", "2025-09-poland-belarus-closed", date_to="2025-08-01"),
        ("events.csv", "2025-09-poland-belarus-closed", "date_to", "a date not before 2025-09-12", "2025-08-01")),
    "day that no calendar has": (
        lambda c: c.put("events.csv", "2025-09-poland-belarus-closed", date="2025-13-40"),
        ("events.csv", "(2025-09-poland-belarus-closed)", "date", "a date as YYYY, YYYY-MM or YYYY-MM-DD",
         "'2025-13-40'")),
    "month of a period that no calendar has": (
        lambda c: c.put("facts.csv", "F0017", value_date="2024-12/2025-13"),
        ("facts.csv", "(F0017)", "value_date", "dates of the calendar", "'2024-12/2025-13'")),
    "day among words that no calendar has": (
        lambda c: c.put("sources.csv", "err-2022-freight", date="about 2025-02-30"),
        ("sources.csv", "(err-2022-freight)", "date", "dates of the calendar", "'about 2025-02-30'")),
    # status, and the years of a link
    "existing before its first year": (
        lambda c: c.put("links.csv", LINK, open_from="2090"),
        ("links.csv", LINK_ROW, "open_from", "not after 2026, or a status of under_construction or planned", "2090")),
    "being built after its first year": (
        lambda c: c.put("links.csv", UNBUILT, open_from="2019"),
        ("links.csv", f"row of {UNBUILT}", "open_from", "not before 2026, or a status of existing", "2019")),
    "closed before its first year": (
        lambda c: c.put("links.csv", LINK, open_from="2000", closed_from="1999-03-01", closed_to="1999-04-01"),
        ("links.csv", LINK_ROW, "closed_from", "a day not before its first year, 2000", "1999-03-01")),
    "closed while it is being built": (
        lambda c: c.put("links.csv", UNBUILT, closed_from="2026-03-01"),
        ("links.csv", f"row of {UNBUILT}", "closed_from", "nothing on a link that is under_construction", "2026-03")),
    "crossing that works before its line is there": (
        lambda c: c.put("crossings.csv", "gashuunsukhait-gantsmod", status="operating"),
        ("crossings.csv", "gashuunsukhait-gantsmod", "status", f"planned, as {UNBUILT} is under_con", "operating")),
    "crossing planned on a line that runs": (
        lambda c: c.put("crossings.csv", GATE, status="planned"),
        ("crossings.csv", GATE, "status", "operating, restricted or closed", "planned")),
    "crossing that works on a suspended line": (
        lambda c: c.put("crossings.csv", "sadarak-yeraskh", status="operating"),
        ("crossings.csv", "sadarak-yeraskh", "status", "closed, as rail:az-sadarak:am-yeraskh is suspended", "oper")),
    "closed though it has reopened": (
        lambda c: c.put("crossings.csv", GATE, status="closed", closed_reason="works", closed_from="2023-03-01",
                        closed_to="2023-04-01"),
        ("crossings.csv", GATE, "closed_to", "nothing while it is closed", "2023-04-01")),
    # order of values
    "value outside of its range": (
        lambda c: c.put("parameters.csv", "choke-use", value="0.99"),
        ("parameters.csv", "choke-use", "high", "at least value, 0.99", "0.")),
    "range with its ends exchanged": (
        lambda c: c.put("growth.csv", "chn-kgz-any", growth_low_pct_yr="5"),
        ("growth.csv", "chn-kgz-any", "growth_pct_yr", "at least growth_low_pct_yr, 5", "4")),
    "period that ends before it starts": (
        lambda c: c.edit("refusals.csv", lambda rows: rows[0].update(date_to="2021-01-01")),
        ("refusals.csv", "china-2022-sea", "date_to", "not before 2022-03-20", "2021-01-01")),
    "price of a year to come": (
        lambda c: c.put("rates.csv", "rail-kz", price_year="2031"),
        ("rates.csv", "rail-kz", "price_year", "a year not after 2026", "2031")),
    "event to come": (
        lambda c: c.put("events.csv", "2025-09-poland-belarus-closed", date="2035-09-12", date_to="2035-09-25"),
        ("events.csv", "2025-09-poland-belarus-closed", "date", "a date not after 2026", "2035-09-12")),
    "more other trains than can run": (
        lambda c: c.put("crossings.csv", GATE, preload_ab_trains_day="60"),
        ("crossings.csv", GATE, "preload_ab_trains_day", "at most the capacity of 22.0 trains/day", "60")),
    "railway without traction": (
        lambda c: c.put("lines.csv", "cn-lanxin", traction="none"),
        ("lines.csv", "cn-lanxin", "traction", "electric, diesel or mixed on rails", "none")),
    "code of two countries": (
        lambda c: c.put("countries.csv", "KP", iso3="KOR"),
        ("countries.csv", "KP", "iso3", "a code used once", "KOR")),
    "trade of a country with itself": (
        lambda c: c.edit("bulk_trade.csv", lambda rows: rows[0].update(importer=rows[0]["exporter"])),
        ("bulk_trade.csv", "row 2", "importer", "another country than exporter", "")),
    # terminal plans, works and who pays for them; more of plans in test_plans
    "stream that stands for nothing": (
        lambda c: c.put("terminal_streams.csv", "khorgos-gateway:boxes-1435", supply="kz-khorgos:crane"),
        ("terminal_streams.csv", "khorgos-gateway:boxes-1435", "supply", "gauge_changes.csv or terminals", "crane")),
    "stack below a train": (
        lambda c: c.put("terminal_plans.csv", "khorgos-gateway", stack_teu="10"),
        ("terminal_plans.csv", "khorgos-gateway", "stack_teu", "else the yard can lock itself", "10")),
    "failure without its length": (
        lambda c: c.put("terminal_resources.csv", "khorgos-gateway:shunter", failure_every_h="200"),
        ("terminal_resources.csv", "khorgos-gateway:shunter", "failure_every_h, failure_h", "both or neither", "one")),
    "year of two months": (
        lambda c: c.put("terminal_streams.csv", "khorgos-gateway:boxes-1435", year="1;1"),
        ("terminal_streams.csv", "khorgos-gateway:boxes-1435", "year", "12 factors", "['1', '1']")),
    "opened in no year": (
        lambda c: c.put("slips.csv", "kti", opening=""),
        ("slips.csv", "kti", "opening", "the year in which it opened", "nothing")),
    "opened in a year to come": (
        lambda c: c.put("slips.csv", "kti", opening="2031"),
        ("slips.csv", "kti", "opening", "not after 2026, or reached of no", "2031")),
    "last announced for the past": (
        lambda c: c.put("slips.csv", "anaklia", opening="2021"),
        ("slips.csv", "anaklia", "opening", "not before 2026, or reached of yes", "2021")),
    "announced after its opening": (
        lambda c: c.put("slips.csv", "kti", said="2012"),
        ("slips.csv", "kti", "opening_said", "not before it was said, 2012", "2011")),
    "more owners than a project has": (
        lambda c: c.put("financing.csv", "cku-equity-kg", share_pct="34.5"),
        ("financing.csv", "cku", "share_pct", "at most 100 %", "110 %")),
    "share of a lender": (
        lambda c: c.put("financing.csv", "cku-loan", share_pct="0"),
        ("financing.csv", "cku-loan", "share_pct", "nothing but on equity", "0 %")),
    "grace as long as the loan": (
        lambda c: c.put("financing.csv", "cku-loan", grace_years="35"),
        ("financing.csv", "cku-loan", "grace_years", "fewer than the 35 years", "35")),
    # contradictory sources; all their kinds are in test_alternatives
    "value other than the one marked": (
        lambda c: c.put("projects.csv", "cku", length_km="524"),
        ("alternatives.csv", "(projects cku length_km)", "value", "the value of projects.csv, 524", "523")),
    # sums
    "shares of modes": (
        lambda c: c.put("mode_shares.csv", "any-any-any", rail="0.01"),
        ("mode_shares.csv", "any-any-any", "rail, road, pipeline, sea, air, switch", "shares that add to 1", "1.01")),
    "shares of a group": (
        lambda c: c.put("commodities.csv", "food_box", share_of_group="0.7"),
        ("commodities.csv", "food", "share_of_group", "shares of the group that add to 1", "0.95")),
    "shares of exports among zones": (
        lambda c: c.edit("zone_shares.csv", lambda rows: rows[0].update(export_share="0.2428")),
        ("zone_shares.csv", "CN, *, *", "export_share", "shares that add to 1", "1.1")),
    "shares of imports among zones": (
        lambda c: c.edit("zone_shares.csv", lambda rows: rows[0].update(import_share="0.0428")),
        ("zone_shares.csv", "CN, *, *", "import_share", "shares that add to 1", "0.9")),
    "tonne at the price of a shipload": (
        lambda c: c.edit("trade.csv", lambda rows: max(
            (r for r in rows if r["commodity"] == "food"), key=lambda r: int(r["value_usd"])).update(tonnes="1")),
        ("trade.csv", ":food", "tonnes", "food worth 15 to ", "1 t, ")),
    # where numbers come from
    "no provenance of a table": (
        lambda c: c.remove("provenance/access.csv"),
        ("access.csv", "row 2 (rail-container)", "time_h", "an origin in provenance/", "none (and 5 more cells")),
    "number without origin": (
        lambda c: c.edit("provenance/rates.csv", lambda rows: rows.pop(
            next(i for i, r in enumerate(rows) if r["column"] == "price_year"))),
        ("rates.csv", "row 3 (rail-kz)", "price_year", "an origin in provenance/", "none (and ")),
    "origins of a crossing's queue taken out": (
        lambda c: c.edit("provenance/crossings.csv", lambda rows: rows.__setitem__(slice(None), [
            r for r in rows if not (r["row"] == GATE and r["column"].startswith("waiting"))])),
        ("crossings.csv", f"({GATE})", "waiting_ab_h", "an origin in provenance/", "none")),
    "own origin lost to that of all": (
        lambda c: c.edit("provenance/terminal_classes.csv", lambda rows: rows.pop(
            next(i for i, r in enumerate(rows) if (r["row"], r["column"]) == ("inland:container", "cost_usd_teu")))),
        ("provenance/terminal_classes.csv", "inland:container", "cost_usd_teu",
         "an origin of its own, as the shipped atlas has (reported, reed-trubetskoy-2019)", "that of *, cost_usd_teu")),
    "unknown though there is a value": (
        lambda c: c.origin("rates", "rail-cn", "usd_t_km", kind="unknown", source="", reasoning=""),
        ("rates.csv", "row 2 (rail-cn)", "usd_t_km", "how this value is known", "unknown")),
    "two origins of one cell": (
        lambda c: c.edit("provenance/rates.csv", lambda rows: rows.append({**rows[2], "reasoning": "Another."})),
        ("provenance/rates.csv", "row ", "row, column", "each row and column once", "also in row 4")),
    "kind of origin unknown": (
        lambda c: c.origin("rates", "rail-cn", "usd_t_km", kind="guess"),
        ("provenance/rates.csv", "(rail-cn)", "kind", "reported or derived", "'guess'")),
    "reported by nobody": (
        lambda c: c.origin("rates", "rail-cn", "usd_t_km", kind="reported", source=""),
        ("provenance/rates.csv", "(rail-cn)", "source", "a source id for a reported value", "nothing")),
    "derived without formula": (
        lambda c: c.origin("rates", "rail-cn", "usd_t_km", kind="derived", reasoning=""),
        ("provenance/rates.csv", "(rail-cn)", "reasoning", "the reasoning of a value of kind derived", "nothing")),
    "derived from nobody's values": (
        lambda c: c.origin("rates", "rail-cn", "usd_t_km", kind="derived", source=""),
        ("provenance/rates.csv", "(rail-cn)", "source", "whose values it is derived from", "nothing")),
    "reported by the atlas itself": (
        lambda c: c.origin("rates", "rail-cn", "usd_t_km", kind="reported", source="atlas"),
        ("provenance/rates.csv", "(rail-cn)", "source", "atlas is for what is derived", "atlas, reported")),
    "estimate without reasoning": (
        lambda c: c.origin("rates", "rail-cn", "usd_t_km", kind="estimate", reasoning=""),
        ("provenance/rates.csv", "(rail-cn)", "reasoning", "the reasoning of a value of kind estimate", "nothing")),
    "source unknown": (
        lambda c: c.origin("rates", "rail-cn", "usd_t_km", source="F9999"),
        ("provenance/rates.csv", "rail-cn", "source", "an id of sources.csv or facts.csv", "'F9999'")),
    "origin of no row": (
        lambda c: c.edit("provenance/rates.csv", lambda rows: rows.append({**rows[0], "row": "rail-atlantis"})),
        ("provenance/rates.csv", "rail-atlantis", "row", "a row of rates.csv", "'rail-atlantis'")),
    "origin of no column": (
        lambda c: c.edit("provenance/rates.csv", lambda rows: rows.append({**rows[0], "column": "usd_box"})),
        ("provenance/rates.csv", "rail-cn", "column", "a column of rates.csv", "'usd_box'")),
    "header of provenance": (
        lambda c: c.write("provenance/access.csv", (ATLAS / "provenance/access.csv").read_bytes().replace(
            b"kind", b"sort", 1)),
        ("provenance/access.csv", "header", "", "row,column,kind,source,reasoning", "row,column,sort")),
    "comma in an unquoted reasoning": (
        lambda c: c.write("provenance/blocs.csv", (ATLAS / "provenance/blocs.csv").read_bytes()
                          + b"eu:*,*,unknown,,a,b\n"),
        ("provenance/blocs.csv", "(eu:*)", "", "5 cells", "6 cells")),
    "provenance not UTF-8": (
        lambda c: c.write("provenance/blocs.csv", (ATLAS / "provenance/blocs.csv").read_bytes() + b"\xff\n"),
        ("provenance/blocs.csv", "row ", "", "UTF-8", "0xff")),
}  # fmt: skip

#: Planted faults that rightly give more than one; what else they may name.
MORE: dict[str, set[str]] = {
    "crossing with another end": {"terminal_plans.csv"},  # the terminal at the end that it had
    "more consignments inspected than there are": {"crossings.csv"},  # a value where none was known
    "event that ends before it starts": {"terminal_stops.csv", "crossings.csv"},  # what it stopped and shut
    "event to come": {"terminal_stops.csv", "event_effects.csv"},
    "gauge change where one gauge is missing": {"terminal_streams.csv"},  # the plan whose stream stands for it
    "gauge change of bulk without a price": {"terminal_streams.csv", "gauge_changes.csv"},  # bulk by crane besides
    "share of a lender": {"financing.csv"},  # a number without an origin
    "grace as long as the loan": {"financing.csv"},
    "column unknown": {"rates.csv"},  # and the column in whose place it stands
    "id missing": {"provenance/services.csv", "services.csv"},  # its origins, then its numbers
    "id twice": {"services.csv"},  # the other row
    "line that starts elsewhere": {"links.csv"},  # its drawn length
    "line that ends elsewhere": {"links.csv"},
    "shorter than its line": {"links.csv"},  # and not drawn so
    "shorter than the straight way": {"links.csv"},  # than its line, and far from the published length
    "gauge that the place has not": {"links.csv"},  # the other place
    "gauge that ends where lines meet": {"links.csv"},
    "published length of another line": {"lengths.csv"},  # a leg over it
    "unit other than the name says": {"datapackage.json", "tooltips.json"},
    "table that the schema lacks": {"tooltips.json", "stations.csv"},
    "wrong country at the first end": {"links.csv", "crossings.csv"},  # the second end, and borders
    "link from a place to itself": {
        "crossings.csv",
        "lengths.csv",
        "links.geojson",
        "zones.csv",
    },  # its line, and legs over it
    "upgrade by what its table has not": {"upgrades.csv"},  # nor does it come from anywhere
    "border without crossing": {"links.csv", "crossings.csv"},  # its kilometres, and the other links of that place
    "origins of a crossing's queue taken out": {"crossings.csv"},  # the other direction
    "code of two countries": {
        "countries.csv",
        "crosswalk.csv",
        "goods_output.csv",
        "trade_past.csv",
        "trade.csv",
    },  # and what it named
    "day that no calendar has": {"events.csv"},  # and its last day before it
    "no provenance of a table": {"access.csv"},  # its other columns
    "header of provenance": {"access.csv"},
    "provenance not UTF-8": {"blocs.csv"},
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_and_named(copy: Copy, before: frozenset[Fault], name: str) -> None:
    plant, (where, row, field, wanted, got) = PLANTED[name]
    plant(copy)
    faults = [fault for fault in check_package(copy.folder)[0] if fault not in before]
    found = [f for f in faults if f.where == where and f.field == field and row in f.row and wanted in f.wanted]
    told = "\n".join(map(str, faults))
    assert len(found) == 1, told
    assert got in found[0].got
    assert bool(row) == bool(found[0].row)
    rest = [fault for fault in faults if fault is not found[0]]
    assert {fault.where for fault in rest} <= MORE.get(name, set()), told


def test_faults_of_all_kinds_are_told_in_one_check(copy: Copy, before: frozenset[Fault]) -> None:
    names = ["table missing", "below its bound", "geometry missing", "crossing of another mode", "shares of modes",
             "reported by nobody", "dangling reference in a list"]  # fmt: skip
    for name in names:
        PLANTED[name][0](copy)
    faults = [fault for fault in check_package(copy.folder)[0] if fault not in before]
    expected = sorted((PLANTED[name][1][0], PLANTED[name][1][2]) for name in names)
    assert sorted((fault.where, fault.field) for fault in faults) == expected


def test_many_missing_tables_stop_no_other_check(copy: Copy, before: frozenset[Fault]) -> None:
    gone = ["places.csv", "lines.csv", "zones.csv", "sources.csv", "facts.csv"]
    for name in gone:
        copy.remove(name)
    PLANTED["shares of modes"][0](copy)
    faults = [fault for fault in check_package(copy.folder)[0] if fault not in before]
    assert {fault.where for fault in faults if fault.got == "no such file"} == set(gone)
    assert ("mode_shares.csv", "shares that add to 1") in {(fault.where, fault.wanted) for fault in faults}


def test_links_without_ids_are_told_not_crashed_on(copy: Copy, before: frozenset[Fault]) -> None:
    copy.edit("links.csv", lambda rows: [row.update(id="") for row in rows[:2]])
    faults = [fault for fault in check_package(copy.folder)[0] if fault not in before]
    assert [(f.row, f.wanted) for f in faults if (f.where, f.field) == ("links.csv", "id")] == [
        ("row 2", "a value"),
        ("row 3", "a value"),
    ]
