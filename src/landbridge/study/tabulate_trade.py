"""Numbers become names for trade that answers: the tables of an answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.study.access import zone_access
from landbridge.study.answer import Answer
from landbridge.study.answering import Answering
from landbridge.study.given import Given
from landbridge.study.solve import Solution

__all__ = ["HEADLINES", "TRADE_TABLES", "told_of", "trade_tables"]

F8 = npt.NDArray[np.float64]

#: Tables that a study with a table ``[demand]`` adds to its results.
TRADE_TABLES = {
    "trade_flows": "Trade by exporter, importer and sector that answered: cost, friction, tariffs, volume, value",
    "trade_countries": "Countries: welfare and real wages (general equilibrium), exports, imports, home share",
    "trade_sectors": "Countries by sector: output and home share before and after (a fall is import competition)",
    "trade_given": "Who gains by trade that a scenario gives (growth, moved industry): countries (no sector), sectors",
    "zone_access": "Zones and the free zone at Khorgos: access to markets, and the mean cost of a delivered box",
}
HEADLINES = {
    "frozen": "flows; demand is frozen, and gains to shippers are those by the rule of half",
    "elasticity": "flows; gains to shippers by the rule of half are told beside them",
    "gravity": "flows; gains to shippers by the rule of half are told beside them",
    "ge": "welfare of countries; gains by the rule of half measure the same thing and are not added to it",
}
#: Volumes nearer to the old ones than this are taken as unmoved, and left out of the table of flows.
UNMOVED = 1e-9

_FLOWS = {
    "exporter": pl.String, "importer": pl.String, "sector": pl.String, "cost_hat": pl.Float64, "friction": pl.Float64,
    "share_left": pl.Float64, "tariff_before_pct": pl.Float64, "tariff_pct": pl.Float64, "volume_hat": pl.Float64,
    "value_before_usd": pl.Float64, "value_usd": pl.Float64,
}  # fmt: skip
_COUNTRIES = {
    "country": pl.String, "welfare_pct": pl.Float64, "real_wage_pct": pl.Float64, "exports_before_usd": pl.Float64,
    "exports_usd": pl.Float64, "imports_before_usd": pl.Float64, "imports_usd": pl.Float64,
    "home_share_before": pl.Float64, "home_share": pl.Float64,
}  # fmt: skip
_SECTORS = {
    "country": pl.String, "sector": pl.String, "output_before_usd": pl.Float64, "output_usd": pl.Float64,
    "volume_hat": pl.Float64, "home_share_before": pl.Float64, "home_share": pl.Float64,
}  # fmt: skip

_GIVEN = {
    "country": pl.String, "sector": pl.String, "welfare_pct": pl.Float64, "real_wage_pct": pl.Float64,
    "output_before_usd": pl.Float64, "volume_hat": pl.Float64,
}  # fmt: skip


def told_of(how: Answering, answer: Answer | None, given: Given | None = None) -> dict[str, Any]:
    """Return what a manifest says of how demand answered."""
    return {
        "mode": how.mode if answer or how.mode == "frozen" else "reference",
        "time_counted_in": how.time,
        "growth": how.growth,
        "headline": HEADLINES[how.mode],
        "rounds": answer.rounds if answer else 0,
        "gap": answer.gap if answer else 0.0,
        "rule_of_half_usd": answer.rule_of_half_usd if answer else None,
        "trade": list(answer.world.notes) if answer else [],
        "given": {"rounds": given.rounds, "gap": given.gap, "notes": list(given.notes)} if given else None,
    }


def _share(part: F8, whole: F8) -> list[float | None]:
    return [p / w if w > 0 else None for p, w in zip(part.tolist(), whole.tolist(), strict=True)]


def _flows(answer: Answer) -> pl.DataFrame:
    world = answer.world
    moved = (np.abs(answer.volume - 1) > UNMOVED) & (world.trade > 0)
    moved[:, np.arange(len(world.countries)), np.arange(len(world.countries))] = False
    s, e, i = np.nonzero(moved)
    at = (s, e, i)
    return pl.DataFrame(
        {
            "exporter": [world.countries[k] for k in e.tolist()],
            "importer": [world.countries[k] for k in i.tolist()],
            "sector": [world.sectors[k] for k in s.tolist()],
            "cost_hat": np.where(np.isfinite(answer.cost_hat[at]), answer.cost_hat[at], np.nan),
            "friction": answer.friction[at],
            "share_left": answer.share_left[at],
            "tariff_before_pct": 100 * answer.tariff_before[at],
            "tariff_pct": 100 * answer.tariff[at],
            "volume_hat": answer.volume[at],
            "value_before_usd": world.trade[at],
            "value_usd": answer.value[at],
        },
        schema=_FLOWS,
    )


def _countries(answer: Answer) -> pl.DataFrame:
    old, new = answer.world.total, answer.value.sum(axis=0)
    n = len(old)
    outcome = answer.outcome
    blank: list[float | None] = [None] * n
    return pl.DataFrame(
        {
            "country": list(answer.world.countries),
            "welfare_pct": (100 * (outcome.welfare - 1)).tolist() if outcome else blank,
            "real_wage_pct": (100 * (outcome.real_wage - 1)).tolist() if outcome else blank,
            "exports_before_usd": old.sum(axis=1) - np.diag(old),
            "exports_usd": new.sum(axis=1) - np.diag(new),
            "imports_before_usd": old.sum(axis=0) - np.diag(old),
            "imports_usd": new.sum(axis=0) - np.diag(new),
            "home_share_before": _share(np.diag(old), old.sum(axis=0)),
            "home_share": _share(np.diag(new), new.sum(axis=0)),
        },
        schema=_COUNTRIES,
    )


def _sectors(answer: Answer) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    world, outcome = answer.world, answer.outcome
    for s, sector in enumerate(world.sectors):
        old, new = world.trade[s], answer.value[s]
        before, after = _share(np.diag(old), old.sum(axis=0)), _share(np.diag(new), new.sum(axis=0))
        made, makes = old.sum(axis=1), new.sum(axis=1)
        for i, country in enumerate(world.countries):
            if made[i] > 0:
                price = float(outcome.cost[s, i]) if outcome else 1.0
                rows.append(
                    {
                        "country": country,
                        "sector": sector,
                        "output_before_usd": float(made[i]),
                        "output_usd": float(makes[i]),
                        "volume_hat": float(makes[i] / made[i] / price),
                        "home_share_before": before[i],
                        "home_share": after[i],
                    }
                )
    return pl.DataFrame(rows, schema=_SECTORS)


def _given(found: Given | None) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    if found is not None:
        out, world = found.outcome, found.world
        made = found.economy.trade.sum(axis=2)
        for i, country in enumerate(world.countries):
            head = {"country": country, "welfare_pct": 100 * (out.welfare[i] - 1)}
            rows.append({**head, "real_wage_pct": 100 * (out.real_wage[i] - 1)})
            for s, sector in enumerate(world.sectors):
                if made[s, i] > 0:
                    price = out.cost[s, i] * found.cost_hat[s, i, i]
                    volume = float(out.output[s, i] / made[s, i] / price)
                    rows.append(
                        {"country": country, "sector": sector, "output_before_usd": made[s, i], "volume_hat": volume}
                    )
    return pl.DataFrame(rows, schema=_GIVEN)


def trade_tables(
    tables: Tables, solution: Solution, answer: Answer | None, given: Given | None = None
) -> dict[str, pl.DataFrame]:
    """Make the tables of a scenario's answer; those of the reference are empty but for access.

    Parameters
    ----------
    tables
        After the scenario was applied.
    solution
        Its flows.
    answer
        What trade answered; None where it did not.
    given
        Welfare of what the scenario gives; None where it gives nothing.

    Returns
    -------
    dict
        A frame for each name in `TRADE_TABLES`.
    """
    return {
        "trade_flows": _flows(answer) if answer else pl.DataFrame(schema=_FLOWS),
        "trade_countries": _countries(answer) if answer else pl.DataFrame(schema=_COUNTRIES),
        "trade_sectors": _sectors(answer) if answer else pl.DataFrame(schema=_SECTORS),
        "trade_given": _given(given),
        "zone_access": zone_access(tables, solution),
    }
