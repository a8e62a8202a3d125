"""Make trade.csv, bulk_trade.csv and countries.csv of the atlas from the shared trade files.

The shared matrix of 2023 mixes records, published totals and estimates; its notes tell how it was made. This importer
renames columns, turns each cell's status into a kind of provenance, adds two-letter codes, and adds every country that
the atlas' places or links cross but the matrix lacks. It runs only when those tables do not exist yet: hand work is
never overwritten.

    LANDBRIDGE_SHARED=... python tools/atlas/import_trade.py
"""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

ATLAS = Path(__file__).resolve().parents[2] / "src" / "landbridge" / "atlas"
TRADE_COLUMNS = "exporter importer year commodity value_usd tonnes kind source baci_share".split()
BULK_COLUMNS = "exporter importer year product hs4 value_usd tonnes".split()
COUNTRY_COLUMNS = (
    "iso2 iso3 name gdp_2023_usd gdp_revised_usd population exports_goods_2023_usd imports_goods_2023_usd "
    "exports_basis goods_gross_output_2022_usd landlocked main_gauge_mm rail_km rail_km_year"
).split()
# The matrix's rest of the world has no code of its own: ZZ is one of the codes ISO leaves to users.
ISO2 = dict(
    pair.split(":")
    for pair in (
        "AFG:AF ALB:AL ARE:AE ARM:AM AUT:AT AZE:AZ BEL:BE BGD:BD BGR:BG BHR:BH BIH:BA BLR:BY CHE:CH CHN:CN CYP:CY "
        "CZE:CZ DEU:DE DNK:DK EGY:EG ESP:ES EST:EE FIN:FI FRA:FR GBR:GB GEO:GE GRC:GR HKG:HK HRV:HR HUN:HU IDN:ID "
        "IND:IN IRL:IE IRN:IR IRQ:IQ ISL:IS ISR:IL ITA:IT JOR:JO JPN:JP KAZ:KZ KGZ:KG KHM:KH KOR:KR KWT:KW LAO:LA "
        "LBN:LB LKA:LK LTU:LT LUX:LU LVA:LV MDA:MD MKD:MK MLT:MT MMR:MM MNE:ME MNG:MN MYS:MY NLD:NL NOR:NO NPL:NP "
        "OMN:OM PAK:PK PHL:PH POL:PL PRK:KP PRT:PT QAT:QA ROU:RO ROW:ZZ RUS:RU SAU:SA SGP:SG SRB:RS SVK:SK SVN:SI "
        "SWE:SE SYR:SY THA:TH TJK:TJ TKM:TM TUR:TR TWN:TW UKR:UA USA:US UZB:UZ VNM:VN"
    ).split()
)
# A published total of a pair is split over goods by its composition of 2015, so its cells are derived, not reported.
KINDS = {
    "observed_baci": "reported",
    "pair_total_published": "derived",
    "pair_total_from_shares": "derived",
    "estimated": "estimate",
}


def read(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    """Write rows, refusing to replace a table that was worked on by hand."""
    if path.exists():
        sys.exit(f"{path.name} exists and may hold hand work; remove it first to import again")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def kind_of(row: dict[str, str]) -> str:
    """Kind of provenance of one cell of the matrix."""
    kind = KINDS[row["status"]]
    # A record above its cell was scaled down to the pair's total, and one below it was filled up by an estimate.
    if kind == "reported" and not 0.995 <= float(row["baci_share"]) <= 1.005:
        return "derived"
    return kind


def crossed_countries() -> set[str]:
    """Two-letter codes that places and links of the atlas name."""
    codes = {r["iso2"] for r in read(ATLAS / "places.csv")}
    for row in read(ATLAS / "links.csv"):
        codes.update(part.split(":")[0] for part in row["country_km"].split(";") if part)
    return codes - {""}


def trade_rows(shared: Path) -> list[dict[str, str]]:
    """The matrix with the atlas' column names."""
    return [
        {
            **{c: r.get(c, "") for c in TRADE_COLUMNS},
            "exporter": r["exporter_iso3"],
            "importer": r["importer_iso3"],
            "kind": kind_of(r),
        }
        for r in read(shared / "trade.csv")
    ]


def bulk_rows(shared: Path) -> list[dict[str, str]]:
    """The four-digit records of bulk goods with the atlas' column names."""
    return [
        {**{c: r.get(c, "") for c in BULK_COLUMNS}, "exporter": r["exporter_iso3"], "importer": r["importer_iso3"]}
        for r in read(shared / "trade_baci_hs4_2022_2024.csv")
    ]


def country_rows(shared: Path) -> list[dict[str, str]]:
    """Countries of the matrix, the rest of the world, and countries that only the network crosses."""
    rows = []
    for r in read(shared / "countries.csv"):
        row = {c: r.get(c, "") for c in COUNTRY_COLUMNS}
        row |= {
            "iso2": ISO2[r["iso3"]],
            "gdp_2023_usd": r["gdp_usd"],
            "gdp_revised_usd": r["gdp_usd_revised"],
            "landlocked": "true" if r["landlocked"] == "1" else "false",
            "rail_km": r["rail_km"].removesuffix(".0"),
        }
        rows.append(row)
    known = {row["iso2"] for row in rows}
    if "ZZ" not in known:
        rows.append(dict.fromkeys(COUNTRY_COLUMNS, "") | {"iso2": "ZZ", "iso3": "ROW", "name": "Rest of the world"})
    rows += [
        dict.fromkeys(COUNTRY_COLUMNS, "") | {"iso2": code, "name": code}
        for code in sorted(crossed_countries() - known)
    ]
    return rows


def main() -> None:
    """Import the trade tables."""
    shared = Path(os.environ["LANDBRIDGE_SHARED"]) / "data" / "trade"
    write(ATLAS / "trade.csv", TRADE_COLUMNS, trade_rows(shared))
    write(ATLAS / "bulk_trade.csv", BULK_COLUMNS, bulk_rows(shared))
    write(ATLAS / "countries.csv", COUNTRY_COLUMNS, country_rows(shared))


if __name__ == "__main__":
    main()
