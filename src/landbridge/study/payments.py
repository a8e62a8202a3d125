"""What charges and subsidies come to at the flows of a solution: who pays whom, for what, how much a year.

A measure puts money on rows of tables (`landbridge.scenario.edits.Payment`). Here that money meets the loaded boxes and
tonnes that pass those rows. Empty boxes pay none of it, as in the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.model.network import ArcKind
from landbridge.scenario.edits import Payment
from landbridge.study.solve import Solution

__all__ = ["PAYMENTS", "payments_table"]

F8 = npt.NDArray[np.float64]

PAYMENTS = {
    "payments": "Charges and subsidies of the scenario: where, for whom, by what rate, on how much, USD a year",
}
_SCHEMA = {
    "measure": pl.Int64, "kind": pl.String, "party": pl.String, "table": pl.String, "row": pl.String,
    "country": pl.String, "direction": pl.String, "per": pl.String, "rate_usd": pl.Float64, "quantity": pl.Float64,
    "paid_usd": pl.Float64,
}  # fmt: skip


def _loaded_by_arc(solution: Solution) -> tuple[F8, F8]:
    """Loaded TEU and tonnes of bulk on each arc, a year."""
    goods = solution.prepared.classes
    tonnes = solution.equilibrium.arc_tonnes_yr
    teu, bulk = np.zeros(tonnes.shape[1]), np.zeros(tonnes.shape[1])
    for k in range(len(goods.names)):
        if goods.container[k] and k != goods.empty:
            teu += tonnes[k] / goods.t_per_teu[k]
        elif not goods.container[k]:
            bulk += tonnes[k]
    return teu, bulk


def _by_zone(solution: Solution) -> tuple[F8, F8]:
    """Loaded TEU and tonnes of bulk by land from each zone, a year."""
    demand, goods, count = solution.prepared.demand, solution.prepared.classes, solution.empty_from
    tonnes = solution.equilibrium.network_tonnes_yr[:count]
    teu = goods.teu(tonnes, demand.commodity)
    bulk = np.where(goods.container[demand.commodity], 0.0, tonnes)
    zones = len(demand.zones)
    return (
        np.bincount(demand.origin, weights=teu, minlength=zones).astype(np.float64),
        np.bincount(demand.origin, weights=bulk, minlength=zones).astype(np.float64),
    )


def payments_table(tables: Tables, solution: Solution, payments: Sequence[Payment]) -> pl.DataFrame:
    """Return what each payment of a scenario comes to.

    Parameters
    ----------
    tables
        After the scenario was applied.
    solution
        Its flows.
    payments
        What its measures put on which rows.

    Returns
    -------
    polars.DataFrame
        One row a payment: measure (position in the scenario), kind, party (who is paid a charge or pays a subsidy,
        where the measure says), table and row, country of the zone, direction at a crossing, per (TEU, t, TEU-km or
        t-km), rate_usd and paid_usd (below zero: a subsidy), and the quantity a year that it is paid on.
    """
    if not payments:
        return pl.DataFrame(schema=_SCHEMA)
    net = solution.prepared.network
    arcs = dict(zip(("usd_teu", "usd_t"), _loaded_by_arc(solution), strict=True))
    zones = dict(zip(("usd_teu", "usd_t"), _by_zone(solution), strict=True))
    zone_at = {name: i for i, name in enumerate(solution.prepared.demand.zones)}
    home = dict(tables["zones"].select("id", "country").iter_rows())
    length = dict(tables["links"].select("id", "length_km").iter_rows())
    rows: list[dict[str, Any]] = []
    for p in payments:
        by_km = p.column.endswith("_km")
        unit = "usd_teu" if "usd_teu" in p.column else "usd_t"
        direction = ""
        if p.table == "zones":
            quantity = float(zones[unit][zone_at[p.row]]) if p.row in zone_at else 0.0
        elif p.table == "crossings":
            direction = "ba" if "_ba_" in p.column else "ab"
            number = net.crossings.index(p.row) if p.row in net.crossings else -2
            here = (net.kind == ArcKind.BORDER) & (net.crossing == number) & (net.backward == (direction == "ba"))
            quantity = float(arcs[unit][here].sum())
        else:
            number = net.links.index(p.row) if p.row in net.links else -2
            here = (net.kind == ArcKind.MOVE) & (net.link == number)
            km = net.length_km[here]
            whole = length.get(p.row) or 0.0
            # a charge once a link is spread over its sections by their length, as in the network
            weight = km if by_km else km / whole if whole > 0 else np.ones_like(km)
            quantity = float((arcs[unit][here] * weight).sum())
        rows.append(
            {
                "measure": p.measure,
                "kind": p.kind,
                "party": p.party,
                "table": p.table,
                "row": p.row,
                "country": home.get(p.row) if p.table == "zones" else None,
                "direction": direction,
                "per": ("TEU" if unit == "usd_teu" else "t") + ("-km" if by_km else ""),
                "rate_usd": p.usd,
                "quantity": quantity,
                "paid_usd": p.usd * quantity,
            }
        )
    return pl.DataFrame(rows, schema=_SCHEMA)
