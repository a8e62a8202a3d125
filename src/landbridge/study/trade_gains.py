"""Who gains by a scenario's trade: read from a results folder, never solved again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from landbridge.study.access import PLACES as FREE_ZONES
from landbridge.study.results import Results

__all__ = ["PLACES", "Gains", "gains_of"]

#: Places asked about most: Xinjiang, Almaty region, the free zone at Khorgos, the Fergana Valley.
PLACES = ("cn-urumqi", "cn-kashgar", "kz-almaty", *FREE_ZONES, "uz-andijan")
#: Sectors that make less than this are left out of the list of the most moved, in USD a year.
LEAST_OUTPUT_USD = 1e8


@dataclass(frozen=True)
class Gains:
    """What a scenario's trade answered against the scenario compared with.

    Attributes
    ----------
    before
        The scenario compared with.
    told
        What the manifest says of the answer.
    countries, sectors, access
        Rows for people; sectors with the most moved first.
    given
        Countries that gain and lose by trade that the scenario gives, the greatest first; empty where it gives none.
    notes
        Of the scenario and the trade behind it.
    """

    before: str
    told: Mapping[str, Any]
    countries: list[dict[str, Any]]
    sectors: list[dict[str, Any]]
    access: list[dict[str, Any]]
    given: list[dict[str, Any]]
    notes: tuple[str, ...]


def _percent(new: float | None, old: float | None) -> float | None:
    return 100 * (new / old - 1) if new is not None and old else None


def gains_of(results: Results, scenario: str, year: int) -> Gains:
    """Read the gains of a scenario.

    Parameters
    ----------
    results
        A folder of a study with a table ``[demand]``.
    scenario, year
        Of the study.

    Returns
    -------
    Gains
    """
    before = results.manifest["study"]["compare"]
    solved = next(s for s in results.manifest["solved"] if s["scenario"] == scenario and s["year"] == year)
    countries = [
        {
            **row,
            "exports_pct": _percent(row["exports_usd"], row["exports_before_usd"]),
            "imports_pct": _percent(row["imports_usd"], row["imports_before_usd"]),
        }
        for row in results.of("trade_countries", scenario, year).to_dicts()
    ]
    sectors = [
        {**row, "volume_pct": 100 * (row["volume_hat"] - 1)}
        for row in results.of("trade_sectors", scenario, year).to_dicts()
        if row["output_before_usd"] >= LEAST_OUTPUT_USD
    ]
    old = {row["place"]: row for row in results.of("zone_access", before, year).to_dicts()}
    access = [
        {
            "place": row["place"],
            "country": row["country"],
            **{
                f"{key}_pct": _percent(row[key], old[row["place"]][key])
                for key in ("access", "to_buyers", "to_sellers")
            },
            "delivered_before_usd_teu": old[row["place"]]["delivered_usd_teu"],
            "delivered_usd_teu": row["delivered_usd_teu"],
        }
        for row in results.of("zone_access", scenario, year).to_dicts()
        if row["place"] in old
    ]
    gifts: list[dict[str, Any]] = []
    if "trade_given" in results.tables:
        rows = results.of("trade_given", scenario, year).filter(pl.col("sector").is_null())
        gifts = rows.select("country", "welfare_pct", "real_wage_pct").to_dicts()
    return Gains(
        before,
        solved["demand"],
        countries,
        sorted(sectors, key=lambda row: -abs(row["volume_pct"])),
        access,
        sorted(gifts, key=lambda row: -abs(row["welfare_pct"])),
        (*solved["notes"], *solved["demand"]["trade"], *((solved["demand"].get("given") or {}).get("notes", ()))),
    )
