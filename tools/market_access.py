"""Rank projects by what they add to market access, beside a published ranking, for docs/validation.md.

python tools/market_access.py results/access

The published ranks are of Reed and Trubetskoy (2019), the value of each project built alone; only projects that this
atlas has too are compared. Ours: each project alone in the year `YEAR`, all of them held in the world without it, the
growth of the access of each zone weighted by its product (`landbridge.study.access`). Tbilisi-Kars runs already, so
the world without it has its crossing shut.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import spearmanr

from landbridge.data.read import read_atlas
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Build, Close
from landbridge.study.access import market_sizes, zone_access
from landbridge.study.settings import Settings
from landbridge.study.solve import solve

YEAR = 2030
#: The crossing that stands for a line which runs already.
BORDER = {"btk": "akhalkalaki"}
#: Growth of access below this part of a per cent is that of a solution's own gap.
LEAST_PCT = 1e-4
#: Their name, their value in isolation (million USD), our project.
PUBLISHED = (
    ("Tbilisi-Kars rail", 24.2, "btk"),
    ("Gwadar rail", 9.4, "gwadar-karachi"),
    ("Kashgar-Tashkent rail", 1.2, "cku"),
    ("Anaklia port", 0.0, "anaklia"),
    ("Southern Coal Railway", 0.0, "gashuunsukhait-gantsmod"),
    ("Sher Khan-Herat rail", 0.0, "herat-mazar"),
)


def main() -> None:
    """Solve the year with and without each project, and write the table."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "results/access")
    tables, settings = read_atlas(), Settings(gap=1e-6, size="corridor")
    ours = [project for *_, project in PUBLISHED if project not in BORDER]
    held = apply(tables, (), YEAR, held=frozenset(ours)).tables
    before = solve(held, year=YEAR, settings=settings)
    plain = zone_access(held, before)
    zones = before.prepared.demand.zones
    size = dict(zip(zones, market_sizes(held, zones).tolist(), strict=True))
    rows = []
    for name, value, project in PUBLISHED:
        border = BORDER.get(project)
        measure = Close(crossings=(border,)) if border else Build(project=project)
        other = apply(tables, (measure,), YEAR, held=frozenset(set(ours) - {project})).tables
        after = zone_access(other, solve(other, year=YEAR, settings=settings, start=before))
        both = plain.select("place", "access").join(after.select("place", new="access"), on="place")
        both = both.filter((pl.col("access") > 0) & pl.col("place").is_in(list(size)))
        weight = np.array([size[p] for p in both["place"]])
        growth = np.log(both["new"].to_numpy() / both["access"].to_numpy())
        percent = float(100 * (growth * weight).sum() / weight.sum()) * (-1 if border else 1)
        rows.append((name, value, project, percent if abs(percent) > LEAST_PCT else 0.0))
        print(rows[-1], flush=True)
    rank = spearmanr([r[1] for r in rows], [r[3] for r in rows]).statistic
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "access.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["published", "value_usd_mn", "project", "access_pct", "rank_correlation"])
        writer.writerows([*row, f"{rank:.3f}"] for row in rows)
    print(f"rank correlation {rank:.2f} of {len(rows)} projects")


if __name__ == "__main__":
    main()
