"""The freight part of what trade between two countries costs, on the network as it is."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError
from landbridge.scenario.apply import apply
from landbridge.study.solve import Settings, prepare
from landbridge.study.trade_cost import free_costs, freight_shares
from landbridge.study.world import sector_of_commodity

__all__ = ["freight_factors"]


def freight_factors(
    tables: Tables, pairs: Sequence[tuple[str, str]], change: float, *, base_year: int = Settings.base_year
) -> tuple[dict[tuple[str, str], float], tuple[str, ...]]:
    """Return what a change of freight does to the iceberg cost of some pairs.

    Levels are those at free flow: the pairs' own trade would hardly crowd the network by itself, and what others put
    there is not what the question is about.

    Parameters
    ----------
    tables
        The atlas.
    pairs
        Directed pairs, ISO3.
    change
        Change of freight, as a part.
    base_year
        Year of trade and network.

    Returns
    -------
    factors : dict
        ``(1 + f (1 + change)) / (1 + f)`` by pair, with f its freight over value.
    notes
        The levels.

    Raises
    ------
    LandbridgeError
        If nothing of a pair's trade uses the network, so that its freight is not known.
    """
    wanted = pl.struct("exporter", "importer").is_in(
        [{"exporter": e, "importer": i} for e, i in pairs] or [{"exporter": "", "importer": ""}]
    )
    ours = tables.replace(**{name: tables[name].filter(wanted) for name in ("trade", "bulk_trade")})
    if ours["trade"].is_empty():
        raise LandbridgeError(f"the atlas has no trade of {', '.join(f'{e}>{i}' for e, i in pairs[:4])}")
    prepared = prepare(apply(ours, (), base_year).tables, year=base_year, settings=Settings())
    sectors = tuple(tables["trade_sectors"]["id"].to_list())
    shares = freight_shares(free_costs(prepared, sector_of_commodity(tables), sectors))
    missing = [f"{e}>{i}" for e, i in pairs if (e, i) not in shares]
    if missing:
        raise LandbridgeError(
            f"freight is not known for {', '.join(missing[:6])}: nothing of that trade can use the network; "
            f"use --tau for a change of the whole cost"
        )
    factors, notes = {}, []
    for pair in pairs:
        level, value = shares[pair]
        factors[pair] = (1 + level * (1 + change)) / (1 + level)
        notes.append(
            f"freight of {pair[0]}>{pair[1]} is {level:.1%} of value, over {value / 1e9:.2f} bn USD that can "
            f"use the network (at free flow); the rest is taken to pay the same"
        )
    return factors, tuple(notes)
