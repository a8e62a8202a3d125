"""The atlas' trade beside what the network costs it: one row a pair of countries, zeros included."""

from __future__ import annotations

import numpy as np
import polars as pl

from landbridge.data.tables import Tables
from landbridge.scenario.apply import apply
from landbridge.scenario.tariffs import members_of
from landbridge.study.access import box_skim, market_sizes
from landbridge.study.gravity import GravityFit, fit_gravity
from landbridge.study.solve import Settings, prepare
from landbridge.study.world import sector_of_commodity

__all__ = ["REGRESSORS", "atlas_gravity", "gravity_frame"]

#: What stands in place of distance: the logs of the cost of a box, USD, and of days; then agreements and neighbours.
REGRESSORS = ("log_cost", "log_days", "eaeu", "cis", "eu", "contiguous")


def gravity_frame(tables: Tables, *, year: int = Settings.base_year) -> pl.DataFrame:
    """Make the rows of the atlas' gravity equation.

    Parameters
    ----------
    tables
        The atlas.
    year
        Year of trade and network.

    Returns
    -------
    polars.DataFrame
        exporter, importer, pair, `REGRESSORS`, and the value of each sector in million USD; pairs of countries of which
        both have zones and that some way joins. Cost and days are means over pairs of zones, weighted by their markets,
        of the cheapest way by any mode in a network without the model's own freight.
    """
    now = apply(tables, (), year).tables
    prepared = prepare(now, year=year, settings=Settings(size="reduced"))
    skim = box_skim(now, prepared, prepared.free_h)
    zones = prepared.demand.zones
    count = len(zones)
    gdp = market_sizes(now, zones)
    iso3 = dict(now["countries"].select("iso2", "iso3").iter_rows())
    nation = np.array([iso3[c] for c in skim.country[:count]])
    names = sorted(set(nation.tolist()))
    blocs = members_of(now)
    borders = {frozenset(pair) for pair in _land_borders(now)}
    cost, hours = skim.usd_teu[:count, :count], skim.hours[:count, :count]
    rows = []
    for a in names:
        for b in names:
            if a == b:
                continue
            here, there = nation == a, nation == b
            weight = np.outer(gdp[here], gdp[there]) * np.isfinite(cost[np.ix_(here, there)])
            if weight.sum() <= 0:
                continue
            usd = np.where(weight > 0, cost[np.ix_(here, there)], 0.0)
            days = np.where(weight > 0, hours[np.ix_(here, there)], 0.0) / 24
            rows.append(
                {
                    "exporter": a,
                    "importer": b,
                    "pair": "-".join(sorted((a, b))),
                    "log_cost": float(np.log((usd * weight).sum() / weight.sum())),
                    "log_days": float(np.log((days * weight).sum() / weight.sum())),
                    **{name: float({a, b} <= blocs.get(name, frozenset())) for name in ("eaeu", "cis", "eu")},
                    "contiguous": float(frozenset((a, b)) in borders),
                }
            )
    frame = pl.DataFrame(rows)
    sector_of = sector_of_commodity(now)
    trade = (
        now["trade"]
        .filter(pl.col("year") == year)
        .with_columns(pl.col("commodity").replace_strict(sector_of).alias("sector"))
        .group_by("exporter", "importer", "sector")
        .agg(pl.col("value_usd").sum() / 1e6)
        .pivot(on="sector", index=["exporter", "importer"], values="value_usd")
    )
    sectors = now["trade_sectors"]["id"].to_list()
    joined = frame.join(trade, on=["exporter", "importer"], how="left", maintain_order="left")
    filled = joined.with_columns([pl.col(s).fill_null(0.0) for s in sectors])
    return filled.with_columns(pl.sum_horizontal(sectors).alias("all_goods"))


def _land_borders(tables: Tables) -> set[tuple[str, str]]:
    """Pairs of countries between which the atlas has a crossing."""
    iso3 = dict(tables["countries"].select("iso2", "iso3").iter_rows())
    home = dict(tables["places"].select("id", "iso2").iter_rows())
    ends = tables["crossings"].select("place_a", "place_b").iter_rows()
    return {
        (iso3[home[a]], iso3[home[b]])
        for a, b in ends
        if home.get(a) in iso3 and home.get(b) in iso3 and home[a] != home[b]
    }


def atlas_gravity(tables: Tables, sector: str = "all_goods") -> tuple[GravityFit, pl.DataFrame]:
    """Estimate gravity on the atlas' trade, with cost and time of the network in place of distance.

    Parameters
    ----------
    tables
        The atlas.
    sector
        A trade sector, or ``all_goods``.

    Returns
    -------
    fit
        Errors go together by pair of countries.
    frame
        What it rests on.
    """
    frame = gravity_frame(tables)
    used = [name for name in REGRESSORS if frame[name].n_unique() > 1]
    return fit_gravity(frame, sector, used, cluster="pair"), frame
