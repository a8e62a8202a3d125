"""Make trade_past.csv of the atlas: tonnes of 2015 by pair and group, from the matrix of values of that year.

A value becomes tonnes over what a tonne of the same cell was worth in 2023 and the price index of the group in 2015
(past_prices.csv); where the pair did not trade the group in 2023, over what a tonne of the group is worth in all trade.

    LANDBRIDGE_SHARED=... python tools/atlas/import_past.py
"""

from __future__ import annotations

import csv
import os
import sys
from collections import defaultdict
from pathlib import Path

ATLAS = Path(__file__).resolve().parents[2] / "src" / "landbridge" / "atlas"
YEAR = "2015"

#: Flows below this many tonnes are left out: together less than a thousandth of all.
LEAST_T = 50


def read(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Write the table."""
    shared = os.environ.get("LANDBRIDGE_SHARED")
    if not shared:
        sys.exit("LANDBRIDGE_SHARED names the folder of shared inputs")
    price = {r["commodity"]: float(r["index"]) for r in read(ATLAS / "past_prices.csv") if r["year"] == YEAR}
    worth: dict[tuple[str, ...], float] = {}
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in read(ATLAS / "trade.csv"):
        value, tonnes = float(row["value_usd"]), float(row["tonnes"] or 0)
        sums[row["commodity"]][0] += value
        sums[row["commodity"]][1] += tonnes
        if tonnes > 0 and value > 0:
            worth[row["exporter"], row["importer"], row["commodity"]] = value / tonnes
    general = {group: value / tonnes for group, (value, tonnes) in sums.items()}
    rows, left = [], [0.0, 0.0]
    for row in read(Path(shared) / "data" / "trade" / "trade_2015_sitc.csv"):
        key = (row["exporter_iso3"], row["importer_iso3"], row["commodity"])
        usd_t = worth.get(key, general[key[2]])
        tonnes = float(row["value_usd"]) / (usd_t * price[key[2]])
        left[tonnes < LEAST_T] += tonnes
        if tonnes >= LEAST_T:
            rows.append([*key, f"{tonnes:.4g}", "" if key in worth else f"{usd_t:.4g}"])
    with (ATLAS / "trade_past.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["exporter", "importer", "commodity", "tonnes", "usd_t"])
        writer.writerows(rows)
    print(f"{len(rows)} flows; {left[1] / sum(left):.2e} of the tonnes left out")


if __name__ == "__main__":
    main()
