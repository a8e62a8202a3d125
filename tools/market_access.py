"""Rank projects by what they add to market access, beside a published ranking, for docs/validation.md.

python tools/market_access.py results/access

The published ranks are of Reed and Trubetskoy (2019), the value of each project built alone; only projects that this
atlas has too are compared. Ours: each project alone in the year `YEAR`, all of them held in the world without it, the
growth of the access of each zone weighted by its product (`landbridge.study.access`). Tbilisi-Kars runs already, so
the world without it has its crossing shut.

Twice: on the empty network, which is how the study finds its cheapest ways (nothing waits for anything in it), and at
the flows of the year, where a line that fills up is worth no more than the way beside it. For each project stand also
the pairs of zones that it makes cheaper and what it spares between its own two ends, on the empty network: a line that
spares much between its ends and nothing between zones joins no two places that trade is dealt to.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import spearmanr

from landbridge.data.read import read_atlas
from landbridge.data.tables import Tables
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Build, Close
from landbridge.study.access import BoxSkim, access_of, box_skim, market_sizes
from landbridge.study.settings import Settings
from landbridge.study.solve import solve

YEAR = 2030
#: The crossing that stands for a line which runs already.
BORDER = {"btk": "akhalkalaki"}
#: Growth of access below this part of a per cent is that of a solution's own gap.
LEAST_PCT = 1e-4
#: On the empty network nothing but rounding stands below this.
LEAST_FREE_PCT = 1e-9
#: Less than a cent is rounding.
CENT = 0.01
#: Their name, their value in isolation (million USD), our project, its ends.
PUBLISHED = (
    ("Tbilisi-Kars rail", 24.2, "btk", ("ge-tbilisi", "tr-kars")),
    ("Gwadar rail", 9.4, "gwadar-karachi", ("pk-gwadar", "pk-karachi")),
    ("Kashgar-Tashkent rail", 1.2, "cku", ("cn-kashgar", "uz-andijan")),
    ("Anaklia port", 0.0, "anaklia", ("ge-samtredia", "ge-anaklia")),
    ("Southern Coal Railway", 0.0, "gashuunsukhait-gantsmod", ("mn-tavantolgoi", "cn-baotou")),
    ("Sher Khan-Herat rail", 0.0, "herat-mazar", ("af-herat", "af-mazar")),
)
ENDS = tuple(dict.fromkeys(place for *_, ends in PUBLISHED for place in ends))


def growth_pct(before: pl.DataFrame, after: pl.DataFrame, size: dict[str, float]) -> float:
    """Growth of the access of all zones, by their product, per cent."""
    both = before.select("place", "access").join(after.select("place", new="access"), on="place")
    both = both.filter((pl.col("access") > 0) & pl.col("place").is_in(list(size))).unique("place", keep="first")
    weight = np.array([size[p] for p in both["place"]])
    growth = np.log(both["new"].to_numpy() / both["access"].to_numpy())
    return float(100 * (growth * weight).sum() / weight.sum())


def at(skim: BoxSkim, place: str) -> int:
    """Where a place stands beside the zones, else its zone."""
    return len(skim.names) - 1 - skim.names[::-1].index(place)


def spared(before: BoxSkim, after: BoxSkim, zones: int, ends: tuple[str, str]) -> tuple[int, float | None]:
    """How many pairs of zones a network makes cheaper than another, and what it spares between two places."""
    known = np.isfinite(before.usd_teu) | np.isfinite(after.usd_teu)
    with np.errstate(invalid="ignore"):
        less = np.where(known, before.usd_teu - after.usd_teu, 0.0)
    own = float(less[at(before, ends[0]), at(before, ends[1])])
    return int((less[:zones, :zones] > CENT).sum()), own if np.isfinite(own) else None


def main() -> None:
    """Solve the year with and without each project, and write the table."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "results/access")
    tables, settings = read_atlas(), Settings(gap=1e-6, size="corridor")
    ours = [project for _, _, project, _ in PUBLISHED if project not in BORDER]
    held = apply(tables, (), YEAR, held=frozenset(ours)).tables
    before = solve(held, year=YEAR, settings=settings)
    zones = before.prepared.demand.zones
    size = dict(zip(zones, market_sizes(held, zones).tolist(), strict=True))

    def skims(changed: Tables) -> tuple[BoxSkim, pl.DataFrame, pl.DataFrame]:
        done = before if changed is held else solve(changed, year=YEAR, settings=settings, start=before)
        free = box_skim(changed, done.prepared, done.prepared.free_h, ENDS)
        loaded = box_skim(changed, done.prepared, done.equilibrium.time_h)
        return free, access_of(changed, done.prepared, free), access_of(changed, done.prepared, loaded)

    plain = skims(held)
    rows = []
    for name, value, project, ends in PUBLISHED:
        border = BORDER.get(project)
        measure = Close(crossings=(border,)) if border else Build(project=project)
        new = skims(apply(tables, (measure,), YEAR, held=frozenset(set(ours) - {project})).tables)
        without, with_it = (new, plain) if border else (plain, new)
        free = growth_pct(without[1], with_it[1], size)
        loaded = growth_pct(without[2], with_it[2], size)
        pairs, own = spared(without[0], with_it[0], len(zones), ends)
        free, loaded = free if abs(free) > LEAST_FREE_PCT else 0.0, loaded if abs(loaded) > LEAST_PCT else 0.0
        rows.append((name, value, project, free, loaded, pairs, "" if own is None else round(own, 1), "-".join(ends)))
        print(rows[-1], flush=True)
    ranks = [float(spearmanr([r[1] for r in rows], [r[k] for r in rows]).statistic) for k in (3, 4)]
    folder.mkdir(parents=True, exist_ok=True)
    head = ["published", "value_usd_mn", "project", "free_pct", "loaded_pct", "pairs", "ends_usd_teu", "ends"]
    with (folder / "access.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*head, "free_rank_correlation", "loaded_rank_correlation"])
        writer.writerows([*row, *(f"{rank:.3f}" for rank in ranks)] for row in rows)
    print(f"rank correlation of {len(rows)} projects: {ranks[0]:.2f} on the empty network, {ranks[1]:.2f} at flows")


if __name__ == "__main__":
    main()
