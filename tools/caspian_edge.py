"""What the constant of the Caspian ferries decides: one year solved at several of its values, for docs/validation.md.

python tools/caspian_edge.py results/edge

Between ways by land every flow takes the cheapest, all of it; a constant that lies where many flows have two ways of
nearly one price moves much by little.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import polars as pl

from landbridge.data.read import read_atlas
from landbridge.study.validate.runs import SolvedWorld, cache_folder
from landbridge.study.validate.services import KAZAKH_FERRIES
from landbridge.study.validate.words import Operand

YEAR = 2021
NAME = "caspian-constant"
#: Values beside the atlas' own, USD per TEU.
BESIDE = (-250.0, -240.0, -220.0, -200.0, -100.0, 0.0)
#: How many of the flows that leave are named.
NAMED = 3


def main() -> None:
    """Solve, and write the table."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "results/edge")
    tables = read_atlas()
    own = float(tables["parameters"].filter(id=NAME)["value"][0])
    key, rows = ["exporter", "importer", "commodity"], []
    before: pl.DataFrame | None = None
    for value in sorted({own, *BESIDE}):
        set_to = pl.when(pl.col("id") == NAME).then(value).otherwise(pl.col("value"))
        changed = tables.replace(parameters=tables["parameters"].with_columns(value=set_to))
        world = SolvedWorld(changed, cache=cache_folder())
        asked = Operand("", "titr", "", (), "both", YEAR, "year")
        ferries = world.frame("links", asked).filter(pl.col("link").is_in(KAZAKH_FERRIES))
        flows = world.frame("passage_flows", asked).filter(passage="west-2-caspian").group_by(key).agg(
            pl.col("tonnes").sum()
        )  # fmt: skip
        gone = ""
        if before is not None:
            both = before.join(flows, on=key, how="left", suffix="_now").fill_null(0.0)
            left = both.with_columns(less=pl.col("tonnes") - pl.col("tonnes_now")).sort("less", descending=True)
            gone = "; ".join(
                f"{r['exporter']} to {r['importer']} {r['commodity'].replace('_', ' ')} {r['less'] / 1e3:.0f}"
                for r in left.head(NAMED).to_dicts()
            )
        before = flows
        rows.append((value, value == own, float(ferries["tonnes"].sum()) / 1e6, gone))
        print(rows[-1], flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "edge.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["constant_usd_teu", "atlas", "ferries_mt", "left_since_the_row_above_kt"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
