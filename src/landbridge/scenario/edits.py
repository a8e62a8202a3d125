"""What each kind of measure does to the tables: one function a kind, each giving back new tables.

Names are taken to be known; `landbridge.scenario.apply` sees to that. A measure that finds nothing to change says so in
a note.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from landbridge.data.tables import Tables
from landbridge.scenario import trade_edits
from landbridge.scenario.measures import (
    Avoid,
    Build,
    Charge,
    Close,
    Ease,
    Grow,
    Measure,
    Regauge,
    Relocate,
    Sanction,
    Subsidise,
    Union,
    Upgrade,
)
from landbridge.scenario.select import (
    crossings_named,
    crossings_of,
    levied_crossings,
    levied_links,
    links_avoided,
    links_named,
    links_of,
    links_over_borders,
    place_countries,
)

__all__ = [
    "CHARGES",
    "CROSSING_CAPACITIES",
    "EASED",
    "ZONE_CHARGES",
    "Edited",
    "Payment",
    "build",
    "edit",
    "prepare",
    "set_rows",
    "shrink",
]

#: Columns of charges on links, zero where nothing is charged.
CHARGES = ("charge_usd_teu", "charge_usd_t", "charge_usd_teu_km", "charge_usd_t_km")

#: Columns of charges on freight that starts in a zone and goes by land.
ZONE_CHARGES = ("charge_usd_teu", "charge_usd_t")

#: Capacities of crossings, by direction.
CROSSING_CAPACITIES = ("capacity_ab_trains_day", "capacity_ba_trains_day")
#: Work in shifts is that of fewer hours a day.
WHOLE_DAY_H = 24.0

#: What the factors of `Ease` act on: columns of crossings, and of the gauge changes beside them.
EASED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "time_factor": (
        ("processing_ab_h", "processing_ba_h", "spread_ab_h", "spread_ba_h"),
        ("work_h", "yard_h"),
    ),
    "waiting_factor": (("waiting_ab_h", "waiting_ba_h"), ()),
    "cost_factor": (
        ("cost_ab_usd_teu", "cost_ba_usd_teu", "cost_ab_usd_t", "cost_ba_usd_t"),
        ("cost_usd_teu", "cost_usd_t"),
    ),
    "capacity_factor": (("capacity_ab_trains_day", "capacity_ba_trains_day"), ("capacity_trains_day",)),
}


@dataclass(frozen=True)
class Payment:
    """Money that a charge or subsidy puts on one row, so that a result can say who pays whom.

    Attributes
    ----------
    measure
        Position of the measure in the scenario.
    kind
        ``charge`` or ``subsidise``.
    party
        Country that is paid (charge) or pays (subsidy), where the measure names one.
    table, row, column
        Where the money stands.
    usd
        What was added there, in the column's unit; below zero for a subsidy.
    """

    measure: int
    kind: str
    party: str | None
    table: str
    row: str
    column: str
    usd: float


@dataclass(frozen=True)
class Edited:
    """Tables after one measure, what there is to say about it, and the money it moves."""

    tables: Tables
    notes: tuple[str, ...] = ()
    payments: tuple[Payment, ...] = ()


def _among(names: Iterable[str], column: str = "id") -> pl.Expr:
    return pl.col(column).is_in(pl.Series(sorted(names), dtype=pl.String).implode())


def set_rows(frame: pl.DataFrame, rows: pl.Expr, values: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """Return the frame with new values in some rows; types stay as they are."""
    return frame.with_columns(
        [
            pl.when(rows).then(value.cast(frame.schema[name])).otherwise(pl.col(name)).alias(name)
            for name, value in values.items()
        ]
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def prepare(tables: Tables, *, fresh: bool = True) -> Tables:
    """Return tables with the columns that measures write to, as they are before the first measure.

    Parameters
    ----------
    tables
        The tables.
    fresh
        Whether availability and growth start anew, or go on from what the tables hold.

    Returns
    -------
    Tables
    """
    starts = [("links", {"availability": 1.0}), ("crossings", {"availability": 1.0})]
    frames = {}
    for name, columns in starts:
        if name in tables:
            kept = () if fresh else tables[name].columns
            frames[name] = tables[name].with_columns(
                [pl.lit(value).alias(column) for column, value in columns.items() if column not in kept]
            )
    missing = [pl.lit(0.0).alias(name) for name in CHARGES if name not in frames["links"].columns]
    frames["links"] = frames["links"].with_columns(missing)
    if "zones" in tables:
        missing = [pl.lit(0.0).alias(name) for name in ZONE_CHARGES if name not in tables["zones"].columns]
        frames["zones"] = tables["zones"].with_columns(missing)
    for name in ("trade", "bulk_trade"):
        if name in tables:
            frames[name] = trade_edits.mark(tables[name], fresh=fresh)
    return tables.replace(**frames)


def shrink(frame: pl.DataFrame, shares: Mapping[str, float]) -> pl.DataFrame:
    """Return a frame whose rows are available for a share of what they were."""
    if all(share == 1.0 for share in shares.values()):
        return frame
    factor = pl.Series("share", [shares.get(name, 1.0) for name in frame["id"].to_list()], dtype=pl.Float64)
    return frame.with_columns((pl.col("availability") * factor).alias("availability"))


def build(tables: Tables, measure: Build, year: int) -> Edited:
    """Open what a measure builds; without a year of its own, in the year that is run."""
    opens = year if measure.year is None else measure.year
    names = links_named(measure, links_of(tables))
    chosen = _among(names)
    missing = chosen & (pl.col("status") != "existing")
    links = set_rows(
        tables["links"],
        missing | (chosen & (pl.col("open_from") > opens)),
        {"status": pl.lit("existing"), "open_from": pl.lit(opens)},
    )
    what = measure.project or _count(len(names), "link")
    if opens > year:
        return Edited(tables.replace(links=links), (f"build {what}: not yet open in {year} (from {opens})",))
    links = set_rows(links, chosen, {"closed_from": pl.lit(None), "closed_to": pl.lit(None)})
    frames = {"links": links}
    crossings = 0
    if "crossings" in tables:
        here = _among(names, "link")
        crossings = tables["crossings"].filter(here).height
        frames["crossings"] = set_rows(
            tables["crossings"],
            here,
            {"status": pl.lit("operating"), "closed_from": pl.lit(None), "closed_to": pl.lit(None)},
        )
    if not names:
        return Edited(tables.replace(**frames), (f"build {what}: its upgrades hold",))
    length = tables["links"].filter(chosen)["length_km"].sum()
    note = f"build {what}: {_count(len(names), 'link')} ({length:,.0f} km) and {_count(crossings, 'crossing')} open"
    return Edited(tables.replace(**frames), (note,))


def _drop(tables: Tables, links: Collection[str], crossings: Collection[str]) -> Tables:
    """Tables without some links and crossings; a link goes when its crossing does."""
    gone = set(links)
    frames = {}
    if "crossings" in tables:
        frame = tables["crossings"]
        gone |= set(frame.filter(_among(crossings))["link"].to_list())
        frames["crossings"] = frame.filter(~_among(crossings) & ~_among(gone, "link"))
    return tables.replace(links=tables["links"].filter(~_among(gone)), **frames)


def _close(tables: Tables, measure: Close) -> Edited:
    links, crossings = links_of(tables), crossings_of(tables)
    ends = set(measure.places)
    lines = {name for name in measure.links if name in links} | {k.id for k in links.values() if ends & set(k.ends)}
    gates = {name for name in measure.crossings if name in crossings}
    over = set(links_over_borders(links, measure.countries))
    at_gates = {c.id for c in crossings.values() if c.link in over}
    # a border with a crossing narrows at the crossing, one without (a ferry, a ship) on the link
    gates |= at_gates
    lines |= over - {crossings[name].link for name in at_gates}
    extent = f"{_count(len(lines), 'link')} and {_count(len(gates), 'crossing')}"
    if measure.share == 0:
        return Edited(_drop(tables, lines, gates), (f"close: {extent} shut",))
    frames = {"links": shrink(tables["links"], dict.fromkeys(lines, measure.share))}
    if "crossings" in tables:
        frames["crossings"] = shrink(tables["crossings"], dict.fromkeys(gates, measure.share))
    return Edited(tables.replace(**frames), (f"close: {extent} keep {measure.share:.0%} of their capacity",))


def _avoid(tables: Tables, measure: Avoid) -> Edited:
    avoided = links_avoided(measure, links_of(tables))
    out = _drop(tables, avoided, measure.crossings)
    where = place_countries(tables)
    there = _among([place for place, country in where.items() if country in measure.countries], "place")
    by_mode = pl.lit(value=True)
    frames = {}
    if measure.countries or measure.modes:
        inside = there if measure.countries else pl.lit(value=True)
        if measure.modes:
            by_mode = _among(measure.modes, "from_mode") | _among(measure.modes, "to_mode")
        if "terminals" in tables:
            frames["terminals"] = tables["terminals"].filter(~(inside & by_mode).fill_null(value=False))
        if "gauge_changes" in tables and (not measure.modes or "rail" in measure.modes):
            frames["gauge_changes"] = tables["gauge_changes"].filter(~inside.fill_null(value=False))
        # only block trains have a hub; ferries and ships go with their links
        if "services" in tables and (not measure.modes or "rail" in measure.modes):
            hub = pl.col("place").is_not_null() & inside
            frames["services"] = tables["services"].filter(~hub.fill_null(value=False))
    shut = tables["links"].height - out["links"].height
    return Edited(out.replace(**frames), (f"avoid: {_count(shut, 'link')} not used",))


def _upgrade(tables: Tables, measure: Upgrade) -> Edited:
    names, gates = links_named(measure, links_of(tables)), crossings_named(measure, crossings_of(tables))
    new: dict[str, pl.Expr] = {}
    if measure.capacity_factor is not None:
        new["capacity_trains_day"] = pl.col("capacity_trains_day") * measure.capacity_factor
    if measure.capacity_trains_day is not None:
        new["capacity_trains_day"] = pl.lit(measure.capacity_trains_day)
    if measure.speed_factor is not None:
        new["speed_kmh"] = pl.col("speed_kmh") * measure.speed_factor
    if measure.speed_kmh is not None:
        new["speed_kmh"] = pl.lit(measure.speed_kmh)
    if measure.tracks is not None:
        new["tracks"] = pl.lit(measure.tracks)
    if measure.train_length_factor is not None:
        new["train_length_factor"] = pl.lit(measure.train_length_factor)
    frames = {"links": set_rows(tables["links"], _among(names), new)}
    if gates:
        wider = {}
        for column in CROSSING_CAPACITIES:
            if measure.capacity_factor is not None:
                wider[column] = pl.col(column) * measure.capacity_factor
            if measure.capacity_trains_day is not None:
                wider[column] = pl.lit(measure.capacity_trains_day)
        frames["crossings"] = set_rows(tables["crossings"], _among(gates), wider)
    notes = []
    if measure.terminals:
        frames |= _better_terminals(tables, measure)
        done = [name for name in Upgrade.at_terminals if getattr(measure, name) is not None]
        notes.append(f"upgrade: {', '.join(measure.terminals)}: {', '.join(done)}")
    if new or names or gates:
        notes.append(f"upgrade: {_count(len(names), 'link')} and {_count(len(gates), 'crossing')}: {', '.join(new)}")
    if measure.tracks is not None and "capacity_trains_day" not in new:
        notes.append(f"upgrade: {measure.tracks} tracks, but no capacity is given: it stays as it was")
    return Edited(tables.replace(**frames), tuple(notes))


def _better_terminals(tables: Tables, measure: Upgrade) -> dict[str, pl.DataFrame]:
    """What an upgrade does to plans of terminals: rows of resources, and the room of the stack."""
    there = _among(measure.terminals, "plan")
    resources = tables["terminal_resources"]
    counted = pl.col("count").is_not_null()
    for rows, column, value in (
        ((pl.col("kind") == "crane") & counted, "count", measure.crane_groups_added),
        ((pl.col("kind") == "track") & counted, "count", measure.tracks_added),
        (pl.col("kind") == "crane", "machines", measure.cranes_added),
    ):
        if value is not None:
            resources = set_rows(resources, there & rows, {column: pl.col(column).fill_null(1) + value})
    customs = there & (pl.col("kind") == "customs")
    if measure.customs_time_factor is not None:
        times = {name: pl.col(name) * measure.customs_time_factor for name in ("minutes_train", "minutes_unit")}
        resources = set_rows(resources, customs, times)
    if measure.shift_h_day is not None:
        shifts = there & (pl.col("open_h_day") < WHOLE_DAY_H)
        resources = set_rows(resources, shifts, {"open_h_day": pl.lit(measure.shift_h_day)})
    frames = {"terminal_resources": resources}
    if measure.stack_factor is not None:
        room = {"stack_teu": pl.col("stack_teu") * measure.stack_factor}
        frames["terminal_plans"] = set_rows(tables["terminal_plans"], _among(measure.terminals), room)
    return frames


def _ease(tables: Tables, measure: Ease) -> Edited:
    crossings = crossings_of(tables)
    names = crossings_named(measure, crossings)
    ends = {place for name in names for place in crossings[name].ends}
    at_gates: dict[str, pl.Expr] = {}
    in_yards: dict[str, pl.Expr] = {}
    for field, (columns, yard_columns) in EASED.items():
        factor = getattr(measure, field)
        if factor is not None:
            at_gates |= {column: pl.col(column) * factor for column in columns}
            in_yards |= {column: pl.col(column) * factor for column in yard_columns}
    frames = {"crossings": set_rows(tables["crossings"], _among(names), at_gates)} if names else {}
    note = f"ease: {_count(len(names), 'crossing')}"
    if measure.include_gauge_change and "gauge_changes" in tables and in_yards:
        there = _among(ends, "place")
        frames["gauge_changes"] = set_rows(tables["gauge_changes"], there, in_yards)
        note += f" and {_count(tables['gauge_changes'].filter(there).height, 'gauge change')}"
    return Edited(tables.replace(**frames), (note,))


def _levy(tables: Tables, measure: Charge | Subsidise, position: int) -> Edited:
    links, crossings = links_of(tables), crossings_of(tables)
    kind, sign = ("charge", 1.0) if isinstance(measure, Charge) else ("subsidise", -1.0)
    party = measure.payee if isinstance(measure, Charge) else measure.payer
    by_km, gates = levied_links(measure, links), levied_crossings(measure, crossings)
    payments: list[Payment] = []

    def pay(table: str, row: str, column: str, usd: float) -> None:
        if usd:
            payments.append(Payment(position, kind, party, table, row, column, usd))

    for unit in ("usd_teu", "usd_t"):
        amount = getattr(measure, unit)
        if amount is not None:
            for name in measure.links:
                if name in links:
                    pay("links", name, f"charge_{unit}", sign * amount)
            for name in measure.zones:
                pay("zones", name, f"charge_{unit}", sign * amount)
            for name, (ab, ba) in gates.items():
                pay("crossings", name, f"cost_ab_{unit}", sign * amount * ab)
                pay("crossings", name, f"cost_ba_{unit}", sign * amount * ba)
        amount = getattr(measure, f"{unit}_km")
        if amount is not None:
            for name, part in by_km.items():
                pay("links", name, f"charge_{unit}_km", sign * amount * part)
    out = tables
    for table, column in dict.fromkeys((p.table, p.column) for p in payments):
        added = {p.row: p.usd for p in payments if (p.table, p.column) == (table, column)}
        frame = out[table]
        extra = pl.Series([added.get(name) for name in frame["id"].to_list()], dtype=pl.Float64)
        # null where nothing is paid, so that a fee that is not known stays unknown there
        total = pl.when(extra.is_not_null()).then(pl.col(column).fill_null(0.0) + extra).otherwise(pl.col(column))
        out = out.replace(**{table: frame.with_columns(total.alias(column))})
    if measure.zones:
        return Edited(out, (f"{kind}: freight by land from {_count(len(measure.zones), 'zone')}",), tuple(payments))
    touched = [len({p.row for p in payments if p.table == table}) for table in ("links", "crossings")]
    return Edited(out, (f"{kind}: {_count(touched[0], 'link')} and {_count(touched[1], 'crossing')}",), tuple(payments))


def _regauge(tables: Tables, measure: Regauge) -> Edited:
    links = links_of(tables)
    names = [name for name in measure.links if name in links]
    ends = {place for name in names for place in links[name].ends}
    gauge = pl.lit(pl.Series([[measure.gauge_mm]], dtype=pl.List(pl.Int64)))
    frames = {"links": set_rows(tables["links"], _among(names), {"gauges_mm": gauge})}
    if "gauges_mm" in tables["places"].columns:
        listed = (
            pl.when(pl.col("gauges_mm").is_null())
            .then(gauge)
            .otherwise(pl.col("gauges_mm").list.set_union([measure.gauge_mm]))
        )
        frames["places"] = set_rows(tables["places"], _among(ends), {"gauges_mm": listed})
    out = tables.replace(**frames)
    return Edited(out, (f"regauge: {_count(len(names), 'link')} to {measure.gauge_mm} mm", *_gaps(out, sorted(ends))))


def _gaps(tables: Tables, places: Iterable[str]) -> list[str]:
    """Say at which places railways of different gauge meet and nothing changes between them."""
    changes = set()
    if "gauge_changes" in tables:
        changes = {(p, a, b) for p, a, b in tables["gauge_changes"].select("place", "from_mm", "to_mm").iter_rows()}
    notes = []
    rail = [link for link in links_of(tables).values() if link.mode == "rail"]
    for place in places:
        here = [set(link.gauges_mm) for link in rail if place in link.ends]
        gauges = sorted(set().union(*here)) if here else []
        notes += [
            f"regauge: at {place} nothing changes from {a} to {b} mm, so trains cannot go on there"
            for a in gauges
            for b in gauges
            if a < b and not any({a, b} <= both for both in here) and not {(place, a, b), (place, b, a)} & changes
        ]
    return notes


def _of_trade(tables: Tables, measure: Grow | Sanction | Union | Relocate, year: int) -> Edited:
    match measure:
        case Grow():
            return Edited(*trade_edits.grow(tables, measure, year))
        case Sanction():
            return Edited(*trade_edits.sanction(tables, measure, year))
        case Union():
            return Edited(*trade_edits.union(tables, measure, year))
        case Relocate():
            return Edited(*trade_edits.relocate(tables, measure, year))


def edit(tables: Tables, measure: Measure, year: int | None, position: int) -> Edited:
    """Do what a measure says.

    Parameters
    ----------
    tables
        Tables from `prepare`, perhaps after other measures.
    measure
        A measure whose names exist.
    year
        The year that is run, or None for tables that are of one year already.
    position
        The measure's position in the scenario.

    Returns
    -------
    Edited

    Raises
    ------
    ValueError
        If `Build` or a measure of trade is asked for without a year.
    """
    if year is None and isinstance(measure, Build | Grow | Sanction | Union | Relocate):
        raise ValueError(f"{type(measure).__name__} needs a year")
    year = year or 0  # asked for by those only
    match measure:
        case Build():
            return build(tables, measure, year)
        case Close():
            return _close(tables, measure)
        case Avoid():
            return _avoid(tables, measure)
        case Upgrade():
            return _upgrade(tables, measure)
        case Ease():
            return _ease(tables, measure)
        case Charge() | Subsidise():
            return _levy(tables, measure, position)
        case Regauge():
            return _regauge(tables, measure)
        case Grow() | Sanction() | Union() | Relocate():
            return _of_trade(tables, measure, year)
