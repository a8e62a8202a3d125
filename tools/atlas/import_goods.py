"""Make trade_sectors.csv, goods_output.csv and tariffs.csv of the atlas from the shared trade files.

Output by sector and the use of goods as inputs come from the OECD's input-output tables of 2022, whose 23 groups of
goods fall into the six sectors in which they and the SITC sections of the trade matrix agree. Countries that the tables
lack get the median ratio of goods output to GDP of those they hold, and the median composition of those of similar
income; both are estimates and marked so. Tariffs are the means over all goods of 2015 that Reed and Trubetskoy (2019)
took from the World Bank's indicators. Runs only when the tables do not exist yet: hand work is never overwritten.

    LANDBRIDGE_SHARED=... python tools/atlas/import_goods.py TARIFFS.csv
"""

from __future__ import annotations

import csv
import os
import statistics
import sys
from collections import defaultdict
from pathlib import Path

ATLAS = Path(__file__).resolve().parents[2] / "src" / "landbridge" / "atlas"

# sector: name, SITC sections, groups of the input-output tables, elasticities it is the mean of, per cent of value a
# day
SECTORS = {
    "agrifood": (
        "Food, drink, tobacco, oils and fats",
        "food;bev_tobacco;oils_fats",
        "agriculture food_bev_tobacco",
        (8.11, 2.62),
        1.35,
    ),
    "crude": (
        "Crude materials",
        "crude_materials",
        "forestry_fishing metal_ores other_mining",
        (15.72,),
        0.6,
    ),
    "fuels": ("Coal, oil, gas and their products", "fuels", "coal oil_gas refined_petroleum", (64.85,), 0.6),
    "chemicals": ("Chemicals and plastics", "chemicals", "chemicals pharmaceuticals", (3.13, 1.67), 1.35),
    "manufactures": (
        "Manufactures by material and miscellaneous",
        "manuf_by_material;misc_manuf;other_gold",
        "textiles_apparel_leather wood_paper rubber_plastics nonmetallic_minerals iron_steel nonferrous_metals "
        "metal_products furniture_other",
        (8.1, 11.5, 16.52, 2.41, 3.28, 6.99, 3.98),
        1.35,
    ),
    "machinery": (
        "Machinery and transport equipment",
        "machinery_transport",
        "machinery electronics electrical_equipment motor_vehicles other_transport_eq",
        (1.45, 12.95, 12.91, 3.95, 8.71, 8.22),
        0.8,
    ),
}
# Incomes per head that count as similar: a factor of three either way.
SIMILAR = 3.0


def rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV file."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write(name: str, columns: list[str], lines: list[list[object]]) -> None:
    """Write a table of the atlas, unless it is there."""
    target = ATLAS / name
    if target.exists():
        print(f"{name} is there already: left alone")
        return
    with target.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(columns)
        out.writerows(lines)
    print(f"{name}: {len(lines)} rows")


def main() -> None:
    """Make the three tables."""
    shared = Path(os.environ["LANDBRIDGE_SHARED"]) / "data" / "trade"
    countries = rows(ATLAS / "countries.csv")
    sector_of = {g: s for s, (_, _, groups, _, _) in SECTORS.items() for g in groups.split()}
    output: dict[tuple[str, str], float] = defaultdict(float)
    use: dict[tuple[str, str], float] = defaultdict(float)
    for row in rows(shared / "output_icio_2022.csv"):
        output[row["iso3"], sector_of[row["commodity"]]] += float(row["gross_output_musd"]) * 1e6
    for row in rows(shared / "trade_icio_2022_intermediate.csv"):
        use[row["importer_iso3"], sector_of[row["commodity"]]] += float(row["intermediate_musd"]) * 1e6
    held = {iso3 for iso3, _ in output}
    gdp = {c["iso3"]: float(c["gdp_revised_usd"] or c["gdp_2023_usd"] or 0) for c in countries}
    income = {c["iso3"]: gdp[c["iso3"]] / float(c["population"]) if c["population"] else 0.0 for c in countries}
    total = {i: sum(output[i, s] for s in SECTORS) for i in held}
    lines: list[list[object]] = []
    for c in countries:
        iso3 = c["iso3"]
        if iso3 in total and total[iso3] > 0:
            lines += [
                [f"{iso3.lower()}-{s}", iso3, s, 2022, round(output[iso3, s]), round(use[iso3, s]), "derived"]
                for s in SECTORS
            ]
            continue
        if not gdp.get(iso3):
            continue
        like = [
            i
            for i in sorted(held)
            if total[i] > 0 and income.get(i) and income[iso3] / SIMILAR <= income[i] <= income[iso3] * SIMILAR
        ] or sorted(i for i in held if total[i] > 0 and gdp.get(i))
        ratio = statistics.median(total[i] / gdp[i] for i in like)
        shares = {s: statistics.median(output[i, s] / total[i] for i in like) for s in SECTORS}
        inputs = {s: statistics.median(use[i, s] / total[i] for i in like) for s in SECTORS}
        whole = sum(shares.values())
        lines += [
            [
                f"{iso3.lower()}-{s}", iso3, s, 2022, round(gdp[iso3] * ratio * shares[s] / whole),
                round(gdp[iso3] * ratio * inputs[s]), "estimate",
            ]
            for s in SECTORS
        ]  # fmt: skip
    write("goods_output.csv", "id iso3 sector year gross_output_usd input_use_usd kind".split(), lines)
    write(
        "trade_sectors.csv",
        "id name groups theta day_pct".split(),
        [
            [s, name, groups, round(statistics.fmean(theta), 2), day]
            for s, (name, groups, _, theta, day) in SECTORS.items()
        ],
    )
    known = {c["iso3"] for c in countries}
    write(
        "tariffs.csv",
        "id importer exporter year tariff_pct".split(),
        [
            [f"{r['iso3'].lower()}-any", r["iso3"], "*", int(r["year"]), round(float(r["tariff_weighted"]) * 100, 2)]
            for r in rows(Path(sys.argv[1]))
            if r["iso3"] in known and r["tariff_weighted"]
        ]
        + [[f"{union}-{union}", union, union, 2023, 0] for union in ("eu", "eaeu", "cis")],
    )


if __name__ == "__main__":
    main()
