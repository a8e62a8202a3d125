"""Make facts, agreements, events, projects and targets of the atlas from the collected facts.

The collected tables hold free text ("3-5 then 10-12 Mt/yr planned").  What a program needs of them as numbers, ids and
country codes was read by hand and stands below, row by row; the text itself is kept beside it.

    LANDBRIDGE_SHARED=... python tools/atlas/import_registry.py
"""

from __future__ import annotations

import csv
import os
import re
import sys
from pathlib import Path

ATLAS = Path(__file__).resolve().parents[2] / "src" / "landbridge" / "atlas"
BRIEF = "corridor brief (unpublished)"
BRIEF_FILE = re.compile(r"\b\d{3}_[0-9a-f]{16}\.txt")
# Some sizes and addresses were withheld when the facts were collected; the product says so in plain words.
WITHHELD = [
    (re.compile(r"rates held out: H\d+"), "rates not in this atlas"),
    (re.compile(r"size held out: H\d+"), "size not in this atlas"),
    (re.compile(r" \(held out: H\d+\)"), " (figure not in this atlas)"),
    (re.compile(r"after the extension held out: H\d+"), "figure after the extension not in this atlas"),
    (re.compile(r"address held out with H\d+"), "address not kept"),
]
DATE = re.compile(r"\d{4}(-\d\d){1,2}$")

# One line a row of agreements.csv, in order:
# id | countries | amount | unit | projects | crossings | links | places
AGREEMENTS = """
2013-09-silk-road-economic-belt|CN;KZ||||||kz-astana
2013-12-russian-oil-transit|RU;KZ|10|Mt/yr|kazakhstan-china-oil-pipeline|||cn-alashankou
2014-05-trade-target-40bn|CN;KZ|40|USD bn||||
2014-12-framework-infrastructure-energy|CN;KZ|14|USD bn||||
2015-03-33-production-capacity-deals|CN;KZ|23.6|USD bn||||
2015-05-eaeu-belt-joint-statement|CN;RU||||||
2016-09-51-joint-projects|CN;KZ|26.5|USD bn||||
2017-khorgos-gateway-stake|CN;KZ|49|%|khorgos-gateway-extension|khorgos-altynkol||kz-khorgosgateway
2018-05-eaeu-china-cooperation|RU;BY;KZ;AM;KG;CN||||||
2021-01-turkey-iran-rail-freight|TR;IR|1|Mt||kapikoy-razi||
2022-03-east-west-corridor-declaration|AZ;GE;TR;KZ||||akhalkalaki|ferry:kz-aktau:az-alat|
2022-11-aktau-roadmap|AZ;GE;TR;KZ|10|Mt/yr|||ferry:kz-aktau:az-alat|kz-aktau
2023-01-north-south-east-uniform-rates|RU;KZ;TM;IR||||bolashak-incheburun||
2023-03-xian-kazakh-terminal|KZ;CN|8|ha|xian-kazakh-terminal|||cn-xian
2023-05-rasht-astara-loan|RU;IR|1.3|EUR bn|rasht-astara||rail:ir-rasht:ir-astara|
2023-05-47-documents|CN;KZ|22|USD bn||||cn-xian
2023-05-trade-target-2030|KZ;CN|40|USD bn||||
2023-06-middle-corridor-multimodal|KZ;AZ;GE;CN|||||ferry:kz-aktau:az-alat|
2023-07-trans-afghan-protocol|UZ;AF;PK|15|Mt/yr|trans-afghan|galaba-hairatan;kabul-kharlachi||
2024-01-global-gateway-forum|KZ;KG;TJ;TM;UZ|10|EUR bn||||
2024-02-crk-memorandum|KZ;RU;CN|||crk-selyatino|||ru-selyatino;cn-xian
2024-06-cku-agreement|CN;KG;UZ|4.665|USD bn|cku|torugart-makmal|rail:cn-kashgar:kg-torugart|
2024-07-30-documents|CN;KZ|82|USD bn||||
2024-08-btki-railways|AZ;GE|||btk-modernisation|akhalkalaki||
2024-09-aktau-container-hub|KZ;CN|240000|TEU/yr|aktau-container-hub|||kz-aktau
2025-04-samarkand-summit|KZ;KG;TJ;TM;UZ|12|EUR bn||||uz-samarkand
2025-07-trans-afghan-framework|UZ;AF;PK|7.6|USD bn|trans-afghan|galaba-hairatan;kabul-kharlachi||
2025-08-tripp-declaration|AM;AZ;US|||tripp||rail:az-aghband:am-meghri|am-meghri
2025-08-zabaikalsk-handover-norm|RU;CN|7.5|%|zabaikalsk-station|manzhouli-zabaikalsk||
2025-09-70-commercial-agreements|CN;KZ|15|USD bn||||
2025-12-cku-loan|KG;CN|2.3|USD bn|cku|torugart-makmal|rail:cn-kashgar:kg-torugart|
2026-02-kazakh-uzbek-freight-target|KZ;UZ|60|Mt||saryagash-keles||
"""

# One line a row of policy_events.csv, in order: id | end | countries | crossings | links | places | projects
EVENTS = """
1990-09-alashankou-dostyk-linked||CN;KZ|alashankou-dostyk|||
2012-12-khorgos-altynkol-opened||CN;KZ|khorgos-altynkol|||
2013-05-bolashak-opened||KZ;TM|bolashak-incheburun|||kti-railway
2013-09-belt-announced||CN|||kz-astana|
2014-08-russia-food-transit-ban|2019-07-01|RU||||
2014-12-kti-line-opened||IR;TM;KZ|bolashak-incheburun|||kti-railway
2015-01-eaeu-starts||RU;BY;KZ;AM;KG|brest-malaszewicze;alashankou-dostyk;khorgos-altynkol|||
2015-05-eaeu-belt-joint-statement||CN;RU||||
2015-07-khorgos-gateway-first-train||KZ|khorgos-altynkol||kz-khorgosgateway|khorgos-gateway-extension
2016-03-first-train-through-khorgos||CN|khorgos-altynkol|||
2017-03-kuryk-port-opened||KZ;AZ||ferry:kz-kuryk:az-alat|kz-kuryk|
2017-10-btk-opened||AZ;GE;TR|akhalkalaki||ge-akhalkalaki|btk-modernisation
2018-01-lake-van-ferry||TR|kapikoy-razi|ferry:tr-tatvan:tr-van|tr-tatvan;tr-van|
2018-01-subsidy-cap||CN||||
2018-05-turkmenbashi-port-opened||TM||ferry:tm-turkmenbashi:az-alat|tm-turkmenbashi|
2018-05-eaeu-china-agreement||RU;BY;KZ;AM;KG;CN||||
2019-07-food-transit-allowed||RU||||
2020-06-priority-for-block-trains|2020-06-24|CN|alashankou-dostyk;khorgos-altynkol|||
2020-10-alashankou-covid-intake||CN|alashankou-dostyk|||
2021-03-dostyk-truck-ban|2021-03-31|KZ|alashankou-dostyk|road:cn-alashankou:kz-dostyk|kz-dostyk|
2021-10-loading-stop|2021-11-01|CN|alashankou-dostyk;erenhot-zamyn-uud|||
2022-02-invasion-of-ukraine||RU;UA||||
2022-03-forwarders-avoid-russia||RU;BY||||
2022-07-loading-stop|2022-07-09|CN|alashankou-dostyk;khorgos-altynkol|||
2022-07-kaliningrad-transit||LT;RU|kaliningrad|rail:lt-kybartai:ru-chernyshevskoye|ru-kaliningrad|
2022-10-ktz-tariffs||KZ||||
2022-10-timetabled-train||CN;KZ;RU;BY;PL;DE|alashankou-dostyk;brest-malaszewicze||cn-xian;de-duisburg|
2022-11-aktau-roadmap||KZ;AZ;GE;TR||ferry:kz-aktau:az-alat|kz-aktau|
2023-01-55-feu-trains||CN||||
2023-01-north-south-east-rates||RU;KZ;TM;IR|bolashak-incheburun|||
2023-03-export-stop|2023-03-26|CN|khorgos-altynkol;manzhouli-zabaikalsk|||
2023-05-btk-closed-for-works|2024-05-20|GE;AZ|akhalkalaki|rail:ge-marabda:ge-akhalkalaki||btk-modernisation
2023-06-middle-corridor-multimodal||KZ;AZ;GE||ferry:kz-aktau:az-alat||
2023-12-red-sea-crisis||||sea:sea-babelmandeb:sea-suez|sea-babelmandeb|
2024-02-crk-memorandum||KZ;CN;RU|||ru-selyatino;cn-xian|crk-selyatino
2024-05-btk-reopens||AZ;GE|akhalkalaki|rail:ge-marabda:ge-akhalkalaki||btk-modernisation
2024-10-russia-decree-1374||RU|brest-malaszewicze|||
2024-12-jinghe-alashankou-second-track||CN|alashankou-dostyk|rail:cn-jinghe:cn-alashankou||
2024-12-cku-launched||CN;KG;UZ|torugart-makmal|rail:cn-kashgar:kg-torugart||cku
2025-07-trans-afghan-framework||UZ;AF;PK|galaba-hairatan;kabul-kharlachi|||trans-afghan
2025-08-dostyk-container-stop|2025-09-11|KZ|alashankou-dostyk||kz-dostyk|dostyk-moyynty-2
2025-08-washington-declaration||AM;AZ;US||rail:az-aghband:am-meghri|am-meghri|tripp
2025-09-poland-belarus-closed|2025-09-25|PL;BY|brest-malaszewicze|rail:by-svislach:pl-siemianowka||
2025-09-dostyk-moyynty-opened||KZ|alashankou-dostyk|rail:kz-dostyk:kz-aktogay;rail:kz-aktogay:kz-moyynty||dostyk-moyynty-2
2025-11-china-joins-middle-corridor||CN;KZ;AZ;GE||ferry:kz-aktau:az-alat||
2025-12-cku-loan||KG;CN|torugart-makmal|rail:cn-kashgar:kg-torugart||cku
"""

# One line a row of projects.csv, in order:
# id | status | countries | length, low, high | cost low, high (USD mn) | price year | Mt/yr | TEU/yr | start | finish
PROJECTS = """
cku|under_construction|CN;KG;UZ|523|454|567|4665|8000|2024|15||2024-12-27|2030
crk-selyatino|under_construction|RU;KZ;CN|||||||||2024-04-26|
domodedovo-dry-port|abandoned|RU;KZ||||169|169|2016||400000|2016|
dostyk-moyynty-2|in_service|KZ|836||||||35||2022|2025-09-30
almaty-bypass|under_construction|KZ|75||||||||2023-11-14|2025
darbaza-maktaaral|under_construction|KZ;UZ|152||||||||2024|2026
moyynty-kyzylzhar|under_construction|KZ|329||||||||2025|2026
ayagoz-bakhty|under_construction|KZ;CN|295|272|297|700|1130|2025|20||2023-12-21|2027
khorgos-gateway-extension|in_service|KZ|||||||||2023-07|2025
xian-kazakh-terminal|in_service|CN;KZ|||||||||2023-03|2024-02
aktau-container-hub|under_construction|KZ;CN||||||||240000|2024|2026
kazmortransflot-vessels|under_construction|KZ|||||||||2025|2027
kuryk-sarzha|under_construction|KZ|||||||||2022|2027
baku-port-2|planned|AZ|||||||25|500000|2023|
btk-modernisation|in_service|AZ;GE;TR|184||||||5||2023-05-16|2024-05-20
anaklia|planned|GE||||600|600|2024||600000|2024|2029
georgian-railway-modernisation|under_construction|GE|||||||48|||2025
kars-dilucu|under_construction|TR;AZ|224|||2710|2710|2025|15||2025-08-22|2030
tripp|planned|AM;AZ|42|||||||||2030
kti-railway|in_service|KZ;TM;IR|928|902|928||||15||2009|2014-12-03
rasht-astara|planned|IR;RU|162|||1730|1730|2023|||2026|2028
trans-afghan|study|UZ;AF;PK|760|600|760|5000|8200|2024|15|||2030
malaszewicze-park|planned|PL||||1000|1000|2022|||2022|
eastern-polygon-3|under_construction|RU||||3600|3600|2025|210||2025|2030
zabaikalsk-station|under_construction|RU;CN|||||||||2009|
power-of-siberia-1|in_service|RU;CN|3000||||||||2019-12|2024-12
power-of-siberia-2|proposed|RU;MN;CN||||||||||
kazakhstan-china-oil-pipeline|in_service|KZ;CN|2800|962|2800|700|700|2006|20|||2006
central-asia-china-gas|in_service|TM;UZ;KZ;CN|1830|||6700|6700|2016||||2009-12
nsr-container-line|in_service|RU;CN|5600||||||||2025-09|
"""
# What a project concerns besides its links, which name it themselves (links.csv, column project), one line a project:
# id | lines it works on | crossings | places | pipelines | facts about it, by the beginning of their subject
PROJECT_TIES = """
cku||torugart-makmal;khanabad-jalalabad|cn-kashgar;kg-torugart;kg-makmal;kg-jalalabad||CKU railway;CKU route
crk-selyatino|||ru-selyatino;cn-xian||CRK;first CRK train
domodedovo-dry-port|||ru-moscow||Central Dry Port Domodedovo
dostyk-moyynty-2|kz-dostyk-aktogay;kz-aktogay-moyynty|alashankou-dostyk|kz-dostyk;kz-aktogay;kz-moyynty||Dostyk-Moyynty
almaty-bypass|||kz-zhetygen;kz-kazybekbek;kz-almaty||Almaty bypass
darbaza-maktaaral||maktaaral-syrdarya|kz-darbaza;kz-maktaaral;uz-syrdarya||Darbaza-Maktaaral;Syrdarya (after Darbaza
moyynty-kyzylzhar|||kz-moyynty;kz-kyzylzhar||Kyzylzhar-Moyynty
ayagoz-bakhty||bakhty-ayagoz|kz-ayagoz;kz-bakhty;cn-tacheng||Bakhty;Darbaza-Maktaaral + Bakhty
khorgos-gateway-extension||khorgos-altynkol|kz-khorgosgateway||KTZE-Khorgos Gateway
xian-kazakh-terminal|||cn-xian||Kazakh terminal in Xi'an;land for the Kazakh terminal
aktau-container-hub|||kz-aktau||Aktau container hub
kazmortransflot-vessels|ferry-aktau-alat||kz-aktau;az-alat||KazmorTransFlot;new Caspian container vessels
kuryk-sarzha|||kz-kuryk||Kuryk;Aktau + Kuryk
baku-port-2|||az-alat||Port of Baku (Alat)
btk-modernisation|ge-btk|akhalkalaki|ge-akhalkalaki;ge-marabda;tr-kars||Baku-Tbilisi-Kars
anaklia|||ge-anaklia;ge-samtredia||Anaklia
georgian-railway-modernisation|ge-main||ge-tbilisi;ge-samtredia||Georgian Railway main line
kars-dilucu||dilucu-sadarak|tr-kars;tr-igdir;tr-dilucu||Kars-Igdir
tripp||aghband-meghri;meghri-ordubad|am-meghri;az-aghband;az-ordubad||TRIPP
kti-railway|kz-uzen-bolashak;tm-kti;ir-inche-gorgan|bolashak-incheburun;akyayla-incheboroun|kz-uzen;tm-bereket;ir-gorgan||Kazakhstan-Turkmenistan-Iran line
rasht-astara||astara-astara|ir-rasht;ir-astara||Rasht-Astara
trans-afghan||galaba-hairatan;kabul-kharlachi|uz-termez;af-mazar;af-kabul;pk-kharlachi;pk-peshawar||Trans-Afghan railway
malaszewicze-park||brest-malaszewicze|pl-malaszewicze||Malaszewicze planned hub
eastern-polygon-3|ru-transsib-far-east;ru-transsib-east;ru-bam-west;ru-bam-east||ru-taishet;ru-tynda;ru-vanino;ru-vostochny||Eastern Polygon
zabaikalsk-station|ru-zabaikalsk|manzhouli-zabaikalsk|ru-zabaikalsk||Zabaikalsk
power-of-siberia-1||||power-of-siberia-1|Power of Siberia 1
power-of-siberia-2|||||Power of Siberia 2
kazakhstan-china-oil-pipeline|||kz-atyrau;cn-alashankou|kazakhstan-china|Kazakhstan-China oil pipeline;Atasu-Alashankou
central-asia-china-gas|||cn-khorgos|central-asia-china|Central Asia-China gas pipeline
nsr-container-line|sea-nsr;sea-nsr-approach||cn-ningbo-port||Arctic container service;China-Europe Arctic express
andkhoy-mazar|||af-andkhoy;af-mazar||
balykchy-makmal|||kg-balykchy;kg-makmal||
chabahar-zahedan|||ir-chabahar;ir-zahedan||
gashuunsukhait-gantsmod||gashuunsukhait-gantsmod|mn-gashuunsukhait;cn-gantsmod||
gwadar-karachi|||pk-gwadar;pk-karachi||
gyumri-kars-reopening||kars-gyumri|am-gyumri;tr-kars||
herat-mazar|||af-herat;af-mazar||
khaf-herat|||af-rozanak;af-herat||
rail-baltica||kaunas-riga;riga-tallinn|lt-kaunas;lv-riga;ee-tallinn||
torghundi-herat|||af-torghundi;af-herat||
uchkuduk-kyzylorda||uchkuduk-kyzylorda|uz-uchkuduk;kz-kyzylorda||
yeraskh-reopening||sadarak-yeraskh|az-sadarak;am-yeraskh||
"""  # noqa: E501
PROJECT_NOTES = {
    "cku": "Low cost: the project company's budget for the Kyrgyz part alone; high: the whole line. Lengths from "
    "454 km (older studies) to 567 km (213 CN + 304 KG + 50 UZ after the longer Kyrgyz alignment). Two alignments: "
    "Torugart (agreed) and Irkeshtam (older). Gauge 1435 mm to Makmal, 1520 mm beyond; 1435 mm throughout was the "
    "other option.",
    "dostyk-moyynty-2": "The 35 Mt a year is the figure given for Dostyk.",
    "almaty-bypass": "Due in 2025; its opening could not be confirmed.",
    "ayagoz-bakhty": "Low cost: 321 bn KZT, said to be about 0.7 bn USD in 2023; high: about 1 bn EUR of 2025 taken at "
    "1.13 USD. Capacity is the increase.",
    "aktau-container-hub": "Earlier stages: 140,000 and 200,000 TEU a year.",
    "btk-modernisation": "Length of the Georgian section; the line is 826-850 km. Before the works 1 Mt a year.",
    "georgian-railway-modernisation": "Before: 27 Mt a year.",
    "kars-dilucu": "2.4 bn EUR taken at 1.13 USD.",
    "rasht-astara": "1.6 bn EUR taken at 1.08 USD.",
    "trans-afghan": "Costs from 5 bn (Uzbek side) to 8.2 bn (Pakistani side); capacities of 10-20 Mt are named.",
    "tripp": "Length of the Armenian section.",
    "kti-railway": "Capacity of the 2027 roadmap; 3-5 then 10-12 Mt a year were planned at the opening.",
    "eastern-polygon-3": "Cost of stage 1 only; capacity from 180 to 210 Mt, 270 Mt by 2032.",
    "malaszewicze-park": "About 1 bn; the text says dollars.",
    "kazakhstan-china-oil-pipeline": "Cost and low length: Atasu-Alashankou. First stage 12 Mt a year.",
    "central-asia-china-gas": "Cost of the Kazakh part or of line D; the two texts differ. Capacity 55 bcm a year.",
    "power-of-siberia-1": "Capacity 38 bcm a year.",
    "power-of-siberia-2": "Capacity 50 bcm a year.",
    "baku-port-2": "Before: 15 Mt and 100,000 TEU a year.",
    "zabaikalsk-station": "20 trains a day handed over on 1520 mm (December 2025).",
}


def read(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(name: str, rows: list[dict[str, str]]) -> None:
    """Write one atlas table; the first row gives the columns."""
    with (ATLAS / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{name}: {len(rows)} rows")


def clean(text: str) -> str:
    """Text without file names of unpublished briefs and without remarks on what was withheld; `-` means unknown."""
    text = BRIEF_FILE.sub(BRIEF, text)
    for pattern, words in WITHHELD:
        text = pattern.sub(words, text)
    return "" if text.strip() in {"-", "not found"} else text.strip()


def addresses(source: str) -> str:
    """The addresses in angle brackets as a list cell."""
    return ";".join(dict.fromkeys(re.findall(r"<([^<>]+)>", source)))


def listed(text: str) -> str:
    """A list written `a; b` as a list cell."""
    return ";".join(part.strip() for part in text.split(";"))


def hand_rows(block: str, width: int, table: list[dict[str, str]], name: str) -> list[list[str]]:
    """The hand-read cells, one list a row; refuses a block that does not fit its table."""
    rows = [line.split("|") for line in block.strip().splitlines()]
    if len(rows) != len(table) or any(len(row) != width for row in rows):
        bad = [row[0] for row in rows if len(row) != width]
        raise SystemExit(f"{name}: {len(rows)} hand-read rows for {len(table)} rows, wrong width in {bad}")
    return rows


def facts(shared: Path) -> None:
    """Facts: numbers stay numbers, dates get a column of their own."""
    out = []
    for row in read(shared / "data" / "facts" / "facts_open.csv"):
        dated = any(DATE.match(row[c]) for c in ("value", "value_low", "value_high"))
        when = row["value"]
        if dated and row["value_low"] and row["value_high"] != row["value_low"]:
            when = f"{row['value_low']}/{row['value_high']}"
        numbers = dict.fromkeys(("value", "value_low", "value_high"), "")
        if not dated:
            numbers = {c: row[c] for c in numbers}
        out.append(
            {
                "id": row["id"],
                "topic": row["topic"],
                "subject": row["subject"],
                "quantity": row["quantity"],
                **numbers,
                "value_date": when if dated else "",
                "unit": row["unit"],
                "year": row["year"] if row["year"].isdigit() else "",
                "place_or_link": row["place_or_link"],
                "source_title": BRIEF_FILE.sub(BRIEF, row["source_title"]),
                "source_url": row["source_url"],
                "source_date": row["source_date"],
                "confidence": row["confidence"],
                "note": row["note"],
            }
        )
    write("facts", out)


def agreements(shared: Path) -> None:
    """Agreements with what they concern."""
    table = read(shared / "data" / "facts" / "agreements.csv")
    out = []
    for row, hand in zip(table, hand_rows(AGREEMENTS, 8, table, "agreements"), strict=True):
        source = clean(row["source"])
        out.append(
            {
                "id": hand[0],
                "date": row["date"],
                "parties": listed(row["parties"]),
                "countries": hand[1],
                "subject": row["subject"],
                "value": clean(row["value"]),
                "amount": hand[2],
                "amount_unit": hand[3],
                "status": row["status"],
                "projects": hand[4],
                "crossings": hand[5],
                "links": hand[6],
                "places": hand[7],
                "source": source,
                "addresses": addresses(source),
            }
        )
    write("agreements", out)


def events(shared: Path) -> None:
    """Events with their end where the text gives it."""
    table = read(shared / "data" / "facts" / "policy_events.csv")
    out = []
    for row, hand in zip(table, hand_rows(EVENTS, 7, table, "events"), strict=True):
        source = clean(row["source"])
        out.append(
            {
                "id": hand[0],
                "date": row["date"],
                "date_to": hand[1],
                "actors": listed(row["actors"]),
                "countries": hand[2],
                "event": row["event"],
                "effect": clean(row["effect"]),
                "crossings": hand[3],
                "links": hand[4],
                "places": hand[5],
                "projects": hand[6],
                "source": source,
                "addresses": addresses(source),
            }
        )
    write("events", out)


def ties() -> dict[str, dict[str, str]]:
    """What each project concerns, by id; a fact belongs to it by the beginning of its subject."""
    subjects = [(row["id"], row["subject"]) for row in read(ATLAS / "facts.csv")]
    out = {}
    for line in PROJECT_TIES.strip().splitlines():
        project, lines, crossings, places, pipelines, starts = line.split("|")
        found = [i for i, s in subjects if any(s.startswith(start) for start in starts.split(";") if start)]
        idle = [start for start in starts.split(";") if start and not any(s.startswith(start) for _, s in subjects)]
        if idle:
            raise SystemExit(f"projects: {project}: no fact begins with {idle}")
        out[project] = {
            "lines": lines,
            "crossings": crossings,
            "places": places,
            "pipelines": pipelines,
            "facts": ";".join(found),
        }
    return out


def projects(shared: Path) -> None:
    """Projects: typed columns, and the words they were read from."""
    table = read(shared / "data" / "facts" / "projects.csv")
    tied = ties()
    out = []
    for row, hand in zip(table, hand_rows(PROJECTS, 13, table, "projects"), strict=True):
        source = clean(row["source"])
        out.append(
            {
                "id": hand[0],
                "name": row["name"],
                "status": hand[1],
                "status_text": row["status"],
                "length_km": hand[3],
                "length_low_km": hand[4] or hand[3],
                "length_high_km": hand[5] or hand[3],
                "length_text": clean(row["length_km"]),
                "cost_low_usd_mn": hand[6],
                "cost_high_usd_mn": hand[7],
                "price_year": hand[8],
                "cost_text": clean(row["cost_usd"]),
                "capacity_mt_yr": hand[9],
                "capacity_teu_yr": hand[10],
                "capacity_text": clean(row["capacity"]),
                "start": hand[11],
                "finish": hand[12],
                "start_text": clean(row["start"]),
                "finish_text": clean(row["finish"]),
                "countries": hand[2],
                **tied[hand[0]],
                "financing": row["actors_financing"],
                "source": source,
                "addresses": addresses(source),
                "note": PROJECT_NOTES.get(hand[0], ""),
            }
        )
    made = {row["id"] for row in out}
    # projects added by hand, which no collected table has
    kept = [row for row in read(ATLAS / "projects.csv") if row["id"] not in made]
    write("projects", out + [{column: {**row, **tied[row["id"]]}[column] for column in out[0]} for row in kept])


def main() -> None:
    """Import every registry table."""
    if "LANDBRIDGE_SHARED" not in os.environ:
        sys.exit("set LANDBRIDGE_SHARED to the folder with the collected data")
    shared = Path(os.environ["LANDBRIDGE_SHARED"])
    facts(shared)
    agreements(shared)
    events(shared)
    projects(shared)
    write("targets", read(shared / "data" / "targets_open.csv"))


if __name__ == "__main__":
    main()
