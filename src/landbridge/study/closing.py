"""What a closure by name costs and to whom: the equilibrium with it beside the one without, and the backlog after it.

Costs are what shippers pay, time included, over all relations, outside options included. What is neither carried nor
has an outside option is told in tonnes and never in money.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, UnknownName
from landbridge.model import resilience
from landbridge.model.flows import composite_cost
from landbridge.model.network import ArcKind, matching_arcs
from landbridge.scenario.measures import Close
from landbridge.study.ground import Ground, tables_on
from landbridge.study.short_run import beside_reports, days_of_closure, reports_of
from landbridge.study.solve import Settings, Solution, solve
from landbridge.study.tabulate import tabulate

__all__ = ["Target", "close", "targets_of"]

F8 = npt.NDArray[np.float64]
B1 = npt.NDArray[np.bool_]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Target:
    """Something that can be closed.

    Attributes
    ----------
    kind
        ``crossing``, ``ferry``, ``link``, ``country``, ``bloc``, ``place`` (a strait, a port) or ``event``.
    id, name
        As the atlas calls it.
    measure
        The measure that closes it.
    """

    kind: str
    id: str
    name: str
    measure: Close


def targets_of(tables: Tables, ids: Sequence[str]) -> list[Target]:
    """Read what is to be closed.

    Parameters
    ----------
    tables
        The atlas.
    ids
        Crossings, links (ferries and sea legs among them), countries by ISO2, blocs, places (straits among them), or
        events of the atlas, which close the crossings and links that they name.

    Returns
    -------
    list of Target

    Raises
    ------
    UnknownName
        For a name that is none of these.
    """
    crossings = dict(tables["crossings"].select("id", "name").rows())
    links = dict(tables["links"].select("id", "mode").rows())
    countries = dict(tables["countries"].select("iso2", "name").rows())
    places = dict(tables["places"].select("id", "name").rows())
    blocs: dict[str, list[str]] = {}
    for bloc, iso2 in tables["blocs"].select("bloc", "iso2").rows():
        blocs.setdefault(bloc, []).append(iso2)
    events = {row["id"]: row for row in tables["events"].to_dicts()}
    found = []
    for given in ids:
        name = given.strip()
        if name in crossings:
            found.append(Target("crossing", name, crossings[name], Close(crossings=(name,))))
        elif name in links:
            kind = "ferry" if links[name] == "ferry" else "link"
            found.append(Target(kind, name, name, Close(links=(name,))))
        elif name.upper() in countries:
            iso2 = name.upper()
            found.append(Target("country", iso2, countries[iso2], Close(countries=(iso2,))))
        elif name.lower() in blocs:
            members = tuple(sorted(blocs[name.lower()]))
            found.append(Target("bloc", name.lower(), name.lower(), Close(countries=members)))
        elif name in places:
            found.append(Target("place", name, places[name], Close(places=(name,))))
        elif name in events and (events[name]["crossings"] or events[name]["links"]):
            row = events[name]
            shut = Close(crossings=tuple(row["crossings"] or ()), links=tuple(row["links"] or ()))
            found.append(Target("event", name, row["event"], shut))
        else:
            raise UnknownName(
                "crossing, link, country, bloc, place or event with crossings",
                name,
                [*crossings, *links, *countries, *blocs, *places, *events],
            )
    return found


def close(
    ground: Ground,
    targets: Sequence[Target],
    *,
    settings: Settings,
    days: float | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Close things together, and compare the equilibria.

    Parameters
    ----------
    ground
        The atlas, and what holds before the closure.
    targets
        What is closed.
    settings
        Size and gap.
    days
        How long it lasts; with it the backlog of closed crossings is told.
    progress
        Called with steps done, all, and what is being solved.

    Returns
    -------
    dict
        ``cost_usd_yr`` (rise of what all relations pay that are served on both sides), ``lost_land_tonnes_yr``,
        ``to_outside_tonnes_yr``, ``unserved_tonnes_yr``; ``countries``, ``crossings`` and ``passages``: rows;
        ``recovery`` (at crossings that are shut), ``short_run`` and, for an event, ``reported``, where days are given.

    Raises
    ------
    NotConverged
        If an equilibrium is not reached.
    """
    tell = progress or (lambda _done, _all, _text: None)
    tell(0, 2, "everything open")
    tables = ground.tables
    open_tables = tables_on(ground)
    base = solve(open_tables, year=ground.year, settings=settings)
    tell(1, 2, "closed")
    shut_tables = tables_on(ground, more=[target.measure for target in targets])
    shut = solve(shut_tables, year=ground.year, settings=settings, start=base)
    tell(2, 2, "comparing")
    frames = tabulate(open_tables, base), tabulate(shut_tables, shut)
    result = {
        "closed": [{"kind": t.kind, "id": t.id, "name": t.name} for t in targets],
        "principle": base.equilibrium.principle,
        "relative_gap": max(base.equilibrium.convergence.relative_gap, shut.equilibrium.convergence.relative_gap),
        **_compared(tables, base, shut),
        "countries": _countries(tables, base, shut, *(f["countries"] for f in frames)),
        "crossings": _moved(*(f["crossings"].group_by("crossing").agg(pl.col("tonnes").sum()) for f in frames)),
        "passages": _moved(*(f["passage_flows"].group_by("passage").agg(pl.col("tonnes").sum()) for f in frames)),
    }
    if days is not None:
        after = matching_arcs(base.prepared.network, shut.prepared.network)
        result["days"] = days
        result["short_run"] = days_of_closure(base, after < 0, days)
        result["cost_of_days_usd"] = result["cost_usd_yr"] * days / 365.0
        rail = set(tables["crossings"].filter(pl.col("mode") == "rail")["id"].to_list())
        events = [target.id for target in targets if target.kind == "event"]
        result["recovery"] = [
            row
            for crossing in _shut_crossings(targets, base, after < 0, frames[0]["crossings"], rail)
            for row in _recovery(tables, crossing, days, frames[0]["crossings"], events)
        ]
        reports = [row for target in targets for row in reports_of(tables, target.id)]
        result["reported"] = beside_reports(reports, result)
    return result


def _per_relation(base: Solution, shut: Solution) -> tuple[F8, F8, F8, F8]:
    """Cost a tonne before and after, where both are finite, and tonnes by land before and after."""
    count = base.empty_from
    first, second = base.prepared.demand, shut.prepared.demand
    if shut.empty_from != count or not np.array_equal(first.tonnes_yr, second.tonnes_yr):
        raise LandbridgeError("stress: the closure changes which relations there are; compare two scenarios instead")
    costs = []
    for solution in (base, shut):
        relations = solution.relations
        short = replace(
            relations, **{name: getattr(relations, name)[:count] for name in relations.__dataclass_fields__}
        )
        flows = replace(solution.equilibrium, cost_usd_t=solution.equilibrium.cost_usd_t[:count])
        costs.append(composite_cost(flows, short))
    return (
        costs[0],
        costs[1],
        base.equilibrium.network_tonnes_yr[:count],
        shut.equilibrium.network_tonnes_yr[:count],
    )


def _compared(tables: Tables, base: Solution, shut: Solution) -> dict[str, Any]:
    before, after, land, land_after = _per_relation(base, shut)
    tonnes = base.prepared.demand.tonnes_yr
    both = np.isfinite(before) & np.isfinite(after)
    count = base.empty_from
    unserved = [s.equilibrium.unserved_tonnes_yr[:count].sum() for s in (base, shut)]
    outside = [s.equilibrium.outside_tonnes_yr[:count].sum() for s in (base, shut)]
    del tables
    return {
        "all_cost_before_usd_yr": float((before * tonnes)[both].sum()),
        # relations without a way before or after stay out: their costs have no difference
        "cost_usd_yr": float(((after[both] - before[both]) * tonnes[both]).sum()),
        "demand_tonnes_yr": float(tonnes.sum()),
        "land_tonnes_before_yr": float(land.sum()),
        "lost_land_tonnes_yr": float(land.sum() - land_after.sum()),
        "to_outside_tonnes_yr": float(outside[1] - outside[0]),
        "unserved_tonnes_yr": float(unserved[1] - unserved[0]),
    }


def _countries(
    tables: Tables, base: Solution, shut: Solution, first: pl.DataFrame, second: pl.DataFrame
) -> list[dict[str, Any]]:
    """Who loses: traders (half of a relation's loss each), and countries of transit."""
    before, after, land, land_after = _per_relation(base, shut)
    demand = base.prepared.demand
    both = np.isfinite(before) & np.isfinite(after)
    loss = np.where(both, np.where(both, after, 0.0) - np.where(both, before, 0.0), 0.0) * demand.tonnes_yr
    unserved = (shut.equilibrium.unserved_tonnes_yr - 0.0)[: base.empty_from] - base.equilibrium.unserved_tonnes_yr[
        : base.empty_from
    ]
    iso2 = dict(zip(tables["countries"]["iso3"], tables["countries"]["iso2"], strict=True))
    names = [iso2.get(c, c) for c in demand.countries]
    rows: dict[str, dict[str, Any]] = {}

    def row(name: str) -> dict[str, Any]:
        empty = dict.fromkeys(
            ("trade_loss_usd_yr", "lost_land_tonnes_yr", "unserved_tonnes_yr", "transit_tonnes_yr", "paid_usd_yr"), 0.0
        )
        return rows.setdefault(name, {"country": name, **empty})

    for side in (demand.exporter, demand.importer):
        parts = {"trade_loss_usd_yr": loss, "lost_land_tonnes_yr": land - land_after, "unserved_tonnes_yr": unserved}
        for key, values in parts.items():
            for i, value in enumerate(np.bincount(side, values / 2.0, len(names)).tolist()):
                if value:
                    row(names[i])[key] += value
    paid = ["paid_on_lines_usd", "paid_at_borders_usd", "paid_at_yards_usd"]
    for frame, sign in ((first, -1.0), (second, 1.0)):
        for each in frame.to_dicts():
            row(each["country"])["transit_tonnes_yr"] += sign * each["transit_tonnes"]
            row(each["country"])["paid_usd_yr"] += sign * sum(each[c] for c in paid)
    # who loses most by trade and takings together comes first, who gains last
    return sorted(rows.values(), key=lambda r: (r["paid_usd_yr"] - r["trade_loss_usd_yr"], r["country"]))


def _moved(first: pl.DataFrame, second: pl.DataFrame) -> list[dict[str, Any]]:
    """Where tonnes went; the largest moves first."""
    key = first.columns[0]
    joined = first.join(second, on=key, how="full", coalesce=True, suffix="_after").fill_null(0.0)
    frame = joined.select(
        key,
        pl.col("tonnes").alias("tonnes_before_yr"),
        pl.col("tonnes_after").alias("tonnes_after_yr"),
        (pl.col("tonnes_after") - pl.col("tonnes")).alias("change_tonnes_yr"),
    ).filter(pl.col("change_tonnes_yr").abs() > 0.5)
    return frame.sort(pl.col("change_tonnes_yr").abs(), key, descending=[True, False]).to_dicts()


def _shut_crossings(
    targets: Sequence[Target], base: Solution, shut: B1, flows: pl.DataFrame, rail: set[str]
) -> list[str]:
    """Crossings whose backlog is told: those that are named, then all others by rail that are shut and used."""
    net = base.prepared.network
    named = dict.fromkeys(name for target in targets for name in target.measure.crossings)
    at = np.unique(net.crossing[shut & (net.kind == ArcKind.BORDER) & (net.crossing >= 0)])
    used = flows.filter(pl.col("trains_day") + pl.col("preload_trains_day") > 0.0)["crossing"].to_list()
    return [*named, *sorted({net.crossings[i] for i in at.tolist()} & rail & set(used) - set(named))]


def _recovery(
    tables: Tables, crossing: str, days: float, flows: pl.DataFrame, events: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Backlog of a closed crossing by direction, and of its yards where they have a plan.

    A yard that an event closes has the volume of that time where it is known, else the one to plan with.
    """
    from landbridge.model.terminals import Stop  # noqa: PLC0415
    from landbridge.study.terminal import Settings as Runs  # noqa: PLC0415  (compiled kernels, needed here only)
    from landbridge.study.terminal import in_event, plan_of, recover  # noqa: PLC0415

    rows: list[dict[str, Any]] = []
    for each in flows.filter(pl.col("crossing") == crossing).to_dicts():
        trains = each["trains_day"] + each["preload_trains_day"]
        found = resilience.recovery(days, trains, each["capacity_trains_day"])
        rows.append(
            {
                "crossing": crossing,
                "at": f"{each['from_country']}-{each['to_country']}",
                "by": "fluid limit at the crossing's capacity, nothing diverted",
                "trains_day": trains,
                "backlog_trains": found.backlog_trains,
                "clearing_days": found.clearing_days,
                "cleared_share": None,
            }
        )
    home = dict(zip(tables["places"]["id"], tables["places"]["iso2"], strict=True))
    gauge = dict(tables["countries"].select("iso2", "main_gauge_mm").rows())
    for plan in tables["terminal_plans"].filter(pl.col("crossing") == crossing).to_dicts():
        own = str(gauge.get(home[plan["place"]]))
        foreign = plan["side_b"] if plan["side_a"] == own else plan["side_a"]
        begin = 30 * 24.0
        stops = [Stop(kind, str(foreign), begin, begin + 24.0 * days) for kind in ("path_in", "path_out")]
        yard = plan_of(tables, plan["id"])
        for event in events:
            yard = in_event(tables, yard, event)
        found_at, _, _ = recover(yard, Runs(days=30 + 6 * days + 30), stops)
        rows.append(
            {
                "crossing": crossing,
                "at": plan["id"],
                "by": "terminal model, mean of ten runs",
                "trains_day": sum(s.trains_day for s in yard.streams),
                "backlog_trains": sum(peak.mean for peak in found_at.peak_outside.values()),
                "clearing_days": found_at.clear_days.mean if found_at.cleared else None,
                "cleared_share": found_at.cleared / found_at.replications,
            }
        )
    return rows
