"""A closure of some days before anybody can change plans, and what the model says beside what was reported.

The equilibrium of the year with everything open gives who was on a path over what is then shut, and how much room is
left elsewhere. How much of that room can be taken up within days nobody knows: both ends are always told, nothing of it
(everybody waits or leaves the land) and all of it, and what lies between as the user asks.

What was reported of an event are the facts of the atlas that come from the event's own sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.model import resilience
from landbridge.model.flows.surplus import Carriage
from landbridge.model.network import ArcKind
from landbridge.study.solve import Solution, assignable

__all__ = ["SPARE", "beside_reports", "days_of_closure", "reports_of"]

F8 = npt.NDArray[np.float64]
B1 = npt.NDArray[np.bool_]

#: Shares of the room left elsewhere that can be taken up within the days.
SPARE = (0.0, 0.5, 1.0)
DAYS_YR = 365.0


def days_of_closure(base: Solution, closed: B1, days: float, spare: Sequence[float] = SPARE) -> dict[str, Any]:
    """Tell how cargo comes through a closure of some days.

    Parameters
    ----------
    base
        The equilibrium with everything open.
    closed
        Arcs of its network that are shut.
    days
        Days shut.
    spare
        Shares of the room left elsewhere that can be taken up.

    Returns
    -------
    dict
        ``tonnes`` and ``trains_day`` that were on paths over what is shut, and under ``cases`` a row for each share:
        shares of these tonnes that wait, go another way and leave the land, rise of cost and of the price of the last
        tonne in per cent of what was paid (money), hours of waiting, trains that wait at the end and days to clear.
    """
    graph, delay, kinds, loaded = assignable(base.prepared)
    flows, count = base.equilibrium, base.prepared.demand.relation_count
    net = base.prepared.network
    share = 1.0 / delay.train_length_factor
    cost = kinds.money_usd_t + kinds.value_of_time_usd_t_h[:, None] * flows.time_h
    # STEP 1: paths over what is shut, one lot each
    chosen, neck, paid, money = [], [], [], []
    moved = np.zeros(delay.capacity_trains_day.size)
    at_neck: dict[int, float] = {}
    for p in np.flatnonzero(flows.path_relation < count).tolist():
        arcs = flows.path_arcs[flows.path_first[p] : flows.path_first[p + 1]]
        hit = arcs[closed[arcs]]
        r = int(flows.path_relation[p])
        if not hit.size or flows.path_tonnes_yr[p] <= 0.0:
            continue
        k = int(loaded.class_index[r])
        # trains queue for the border where one is shut, else for the first thing that is
        first = hit[net.kind[hit] == ArcKind.BORDER]
        limits = net.facility[first if first.size else hit]
        limits = limits[limits >= 0]
        at = int(limits[0]) if limits.size else -1
        trains = float(kinds.weight_trains_day_per_t_yr[k] * flows.path_tonnes_yr[p])
        on = net.facility[arcs]
        np.add.at(moved, on[on >= 0], trains * share[on[on >= 0]])
        at_neck[at] = at_neck.get(at, 0.0) + trains * (float(share[at]) if at >= 0 else 1.0)
        chosen.append(p)
        neck.append(at)
        paid.append(float(cost[k, arcs].sum()))
        money.append(float(kinds.money_usd_t[k, arcs].sum()))
    told: dict[str, Any] = {"days": days, "cases": []}
    lots = np.array(chosen, np.int64)
    tonnes = flows.path_tonnes_yr[lots] if lots.size else np.zeros(0)
    told["tonnes"] = float(tonnes.sum()) * days / DAYS_YR
    told["trains_day"] = sum(at_neck.values())
    if not lots.size:
        return told
    # STEP 2: what waits where, and the room that is left by all others
    necks = sorted(at_neck)
    full = np.array([delay.capacity_trains_day[f] if f >= 0 else np.inf for f in necks])
    there = np.array([flows.facility_trains_day[f] + delay.preload_trains_day[f] if f >= 0 else 0.0 for f in necks])
    own = np.array([at_neck[f] for f in necks])
    relation = flows.path_relation[lots]
    kind = loaded.class_index[relation].astype(np.int64)
    queue = resilience.Lots(
        cost_usd_t=np.array(paid),
        value_of_time_usd_t_h=kinds.value_of_time_usd_t_h[kind],
        bottleneck=np.searchsorted(necks, neck).astype(np.int64),
        trains_day=own,
        other_trains_day=np.maximum(there - own, 0.0),
        capacity_trains_day=full,
    )
    left = np.maximum(
        delay.capacity_trains_day - delay.preload_trains_day - flows.facility_trains_day + moved, 0.0
    )  # what these lots leave behind on their way is theirs to take
    # STEP 3: each share of the room
    for part in spare:
        carriage = Carriage(
            graph=graph,
            cost_usd_t=np.maximum(cost, 0.0),
            facility=net.facility.astype(np.int64),
            room=np.where(np.isfinite(left), moved + part * np.maximum(left - moved, 0.0), np.inf),
            load=kinds.weight_trains_day_per_t_yr[:, None] * share,
            origin=loaded.origin[relation].astype(np.int64),
            destination=loaded.destination[relation].astype(np.int64),
            class_index=kind,
            tonnes_yr=tonnes,
            # who chose the land has reasons to, so that leaving it saves nothing, whatever the two cost on average
            outside_usd_t=np.maximum(loaded.outside_usd_t[relation], queue.cost_usd_t),
        )
        found = resilience.short_run(carriage, queue, closed, days)
        weight = tonnes / tonnes.sum()
        freight = float((np.array(money) * weight).sum())
        told["cases"].append(
            {
                "spare": part,
                "waits": float(found.waits @ weight),
                "diverted": float(found.diverted @ weight),
                "outside": float(found.outside @ weight),
                "cost_usd_t": float((found.cost_usd_t - queue.cost_usd_t) @ weight),
                "cost_percent": 100.0 * float((found.cost_usd_t - queue.cost_usd_t) @ weight) / freight,
                "price_percent": 100.0 * float((found.price_usd_t - queue.cost_usd_t) @ weight) / freight,
                "cost_of_days_usd": float((found.cost_usd_t - queue.cost_usd_t) @ tonnes) * days / DAYS_YR,
                "delay_h": float(found.delay_h[queue.bottleneck] @ weight),
                "backlog_trains": float(found.backlog_trains.sum()),
                "clearing_days": float(found.clearing_days.max()),
                "mismatch": found.mismatch,
            }
        )
    return told


def reports_of(tables: Tables, event: str) -> list[dict[str, Any]]:
    """Return what the atlas holds of an event: the facts that come from the event's own sources.

    Parameters
    ----------
    tables
        The atlas.
    event
        Its id in the table of events.

    Returns
    -------
    list of dict
        ``fact``, ``what``, ``value``, ``low``, ``high``, ``unit``, ``confidence``, ``source``, ``note``; none where
        the name is no event's.
    """
    rows = tables["events"].filter(pl.col("id") == event).to_dicts()
    addresses = {address for row in rows for address in row["addresses"] or ()}
    facts = tables["facts"].filter(pl.col("source_url").is_in(list(addresses)) & pl.col("value").is_not_null())
    return [
        {
            "fact": row["id"],
            "what": f"{row['subject']}: {row['quantity']}",
            "value": row["value"],
            "low": row["value_low"],
            "high": row["value_high"],
            "unit": row["unit"],
            "confidence": row["confidence"],
            "source": row["source_title"],
            "note": row["note"],
        }
        for row in facts.to_dicts()
    ]


def beside_reports(reports: Sequence[Mapping[str, Any]], closed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Put what the model says beside what was reported.

    Parameters
    ----------
    reports
        From `reports_of`.
    closed
        The answer of `landbridge.study.closing.close`, with its days.

    Returns
    -------
    list of dict
        The reports, each with ``modelled_year`` (the equilibrium that lasts all year), ``modelled_least`` and
        ``modelled_most`` (the days, over the shares of room that can be taken up), and ``by``; None where the model has
        no such figure.
    """
    cases = closed["short_run"]["cases"]
    yards = [row["backlog_trains"] for row in closed["recovery"] if row["cleared_share"] is not None]
    rows = []
    for report in reports:
        told: dict[str, Any] = {"modelled_year": None, "modelled_least": None, "modelled_most": None, "by": None}
        if "cost rise" in report["what"] and cases:
            prices = [case["price_percent"] for case in cases]
            told = {
                "modelled_year": 100.0 * closed["cost_usd_yr"] / closed["all_cost_before_usd_yr"],
                "modelled_least": min(prices),
                "modelled_most": max(prices),
                "by": "rise of all cost in the year; price of the last tonne of what was on its way there, in the days",
            }
        elif "trains blocked" in report["what"] and cases:
            backlogs = [case["backlog_trains"] for case in cases] + ([sum(yards)] if yards else [])
            told |= {
                "modelled_least": min(backlogs),
                "modelled_most": max(backlogs),
                "by": "trains that wait at the end, by the fluid limit and by the yards' own plans",
            }
        elif report["what"].endswith("duration"):
            told |= {"modelled_least": closed["days"], "modelled_most": closed["days"], "by": "given"}
        rows.append({**report, **told})
    return rows
