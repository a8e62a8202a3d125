"""Checks of what lines, terminals and prices say about themselves: who runs them, in which order values must lie.

Called by `landbridge.data.check`; here stand the checks that need more than one cell but no geometry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from landbridge.data.geography import LAST_YEAR
from landbridge.data.keys import row_names
from landbridge.errors import Fault

__all__ = ["PERIODS", "attribute_faults", "order_faults"]

#: More boxes than this in a year no gantry or quay crane lifts: 30 moves of two TEU an hour, every hour.
TEU_CRANE_YR = 30 * 2 * 8760

#: Ends of ranges and what lies between them, by table; the value may be empty.
RANGES: Mapping[str, tuple[tuple[str, str | None, str], ...]] = {
    "event_effects": (("low", "value", "high"),),
    "facts": (("value_low", "value", "value_high"),),
    "growth": (("growth_low_pct_yr", "growth_pct_yr", "growth_high_pct_yr"),),
    "parameters": (("low", "value", "high"),),
    "premiums": (("pct_low", None, "pct_high"),),
    "projects": (
        ("length_low_km", "length_km", "length_high_km"),
        ("cost_low_usd_mn", None, "cost_high_usd_mn"),
    ),
    "refusals": (("low", "share", "high"),),
    "targets": (("low", "observed", "high"),),
}

#: First and last columns of periods; those of projects and events stop at the year and are in `consistency`.
PERIODS: Mapping[str, tuple[str, str]] = {
    "event_effects": ("date_from", "date_to"),
    "growth": ("from_year", "to_year"),
    "premiums": ("year_from", "year_to"),
    "refusals": ("date_from", "date_to"),
    "subsidies": ("year_from", "year_to"),
    "terminal_stops": ("from_date", "to_date"),
}

#: Tables whose rows have happened.
PAST = ("agreements", "events")

LINK_COLUMNS = "id place_a place_b mode country_km operators"
TERMINAL_COLUMNS = "id from_mode to_mode cargo class time_h cost_usd_teu cost_usd_t capacity_teu_yr cranes"
CLASS_NEEDS = "id from_mode to_mode cargo time_h cost_usd_teu cost_usd_t"


def attribute_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return the faults of attributes; tables or columns that are missing have been told by then.

    Parameters
    ----------
    frames
        Tables by name, as `landbridge.data.read.read_frames` gives them.
    """
    faults: list[Fault] = []
    if _there(frames, operators="id country owner_countries", links=LINK_COLUMNS, countries="iso2", places="id iso2"):
        faults += _operators(frames)
    if _there(frames, terminals=TERMINAL_COLUMNS, terminal_classes=CLASS_NEEDS):
        faults += _terminals(frames)
    return faults


def order_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return values out of order, in a whole package; a user may push one past the range that others state for it.

    Parameters
    ----------
    frames
        Tables by name; checks whose columns are missing are left out.
    """
    faults = [*_ranges(frames), *_periods(frames), *_years(frames), *_loads(frames)]
    if _there(frames, lines="id mode traction"):
        for name, mode, traction in frames["lines"].select("id", "mode", "traction").drop_nulls().iter_rows():
            if (mode == "rail") == (traction == "none"):
                wanted = "electric, diesel or mixed on rails" if mode == "rail" else f"none on a line of mode {mode}"
                faults.append(Fault("lines.csv", name, "traction", wanted, traction))
    if _there(frames, countries="iso2 iso3"):
        codes = frames["countries"].select("iso2", "iso3").drop_nulls()
        for iso2, iso3 in codes.filter(codes["iso3"].is_duplicated()).iter_rows():
            faults.append(Fault("countries.csv", iso2, "iso3", "a code used once", iso3))
    for table in ("trade", "bulk_trade", "trade_past"):
        if _there(frames, **{table: "exporter importer"}):
            frame = frames[table].with_row_index("line", offset=2)
            for line, country in (
                frame.filter(pl.col("exporter") == pl.col("importer")).select("line", "exporter").iter_rows()
            ):
                faults.append(
                    Fault(f"{table}.csv", f"row {line}", "importer", "another country than exporter", country)
                )
    return faults


def _out_of_order(
    frames: Mapping[str, pl.DataFrame], table: str, low: str, high: str
) -> Iterator[tuple[str, object, object]]:
    """Rows whose second column is less than the first: name, and both values."""
    if _there(frames, **{table: f"{low} {high}"}):
        frame = frames[table]
        names = frame["id"] if "id" in frame.columns else row_names(frame, tuple(frame.columns[:2]))
        bad = (frame[high] < frame[low]).fill_null(value=False).arg_true().to_list()
        yield from ((names[i], frame[low][i], frame[high][i]) for i in bad)


def _ranges(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    for table, ranges in RANGES.items():
        for low, value, high in ranges:
            pairs = [(low, high)] if value is None else [(low, value), (value, high)]
            for first, second in pairs:
                for name, least, got in _out_of_order(frames, table, first, second):
                    yield Fault(f"{table}.csv", name, second, f"at least {first}, {least}", str(got))


def _periods(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    for table, (first, last) in PERIODS.items():
        for name, since, until in _out_of_order(frames, table, first, last):
            yield Fault(f"{table}.csv", name, last, f"not before {since}", str(until))


def _years(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Prices of years to come, and agreements and events that have not happened yet."""
    for table, frame in frames.items():
        if {"id", "price_year"} <= set(frame.columns):
            for name, year in frame.filter(pl.col("price_year") > LAST_YEAR).select("id", "price_year").iter_rows():
                yield Fault(f"{table}.csv", name, "price_year", f"a year not after {LAST_YEAR}", str(year))
    for table in PAST:
        if _there(frames, **{table: "id date"}):
            for name, day in frames[table].select("id", "date").drop_nulls().iter_rows():
                if day[:4] > str(LAST_YEAR):
                    yield Fault(f"{table}.csv", name, "date", f"a date not after {LAST_YEAR}", day)


def _loads(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """What runs besides the model's trains is no more than what can run."""
    ends = {"lines": ("",), "crossings": ("_ab", "_ba")}
    for table, directions in ends.items():
        for way in directions:
            load, room = f"preload{way}_trains_day", f"capacity{way}_trains_day"
            for name, got, most in _out_of_order(frames, table, load, room):
                yield Fault(f"{table}.csv", name, load, f"at most the capacity of {most} trains/day", str(got))


def _there(frames: Mapping[str, pl.DataFrame], **needed: str) -> bool:
    return all(table in frames and set(names.split()) <= set(frames[table].columns) for table, names in needed.items())


def _operators(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """A railway administration works where it is at home or owned; nobody runs rails on a road or at sea."""
    at_home = {
        row["id"]: {row["country"], *(row["owner_countries"] or ())}
        for row in frames["operators"].select("id", "country", "owner_countries").iter_rows(named=True)
    }
    known = set(frames["countries"]["iso2"].drop_nulls().to_list())
    lies_in = dict(frames["places"].select("id", "iso2").iter_rows())
    faults = []
    for row in frames["links"].select(LINK_COLUMNS.split()).iter_rows(named=True):
        names = row["operators"] or []
        if names and row["mode"] != "rail":
            faults.append(Fault("links.csv", row["id"], "operators", f"nothing on {row['mode']}", ";".join(names)))
        met = [part.partition(":")[0] for part in (row["country_km"] or "").split(";") if part]
        if not met or not known.issuperset(met):
            continue  # told with the links
        faults += [
            Fault("links.csv", row["id"], "operators", f"railways of the countries it meets ({', '.join(met)})", name)
            for name in names
            if name in at_home
            and at_home[name].isdisjoint({*met, lies_in.get(row["place_a"]), lies_in.get(row["place_b"])})
        ]
    return faults


def _terminals(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """A terminal is of the modes and cargo of its class, has hours and a price, and cranes for what it claims."""
    classes = {row["id"]: row for row in frames["terminal_classes"].iter_rows(named=True)}
    faults = []
    for row in frames["terminals"].iter_rows(named=True):
        kind = classes.get(row["class"])
        if kind is None:
            continue  # told as a reference that points at nothing
        unlike = [column for column in ("from_mode", "to_mode", "cargo") if row[column] != kind[column]]
        if unlike:
            wanted = "a class of " + ", ".join(f"{column} {row[column]}" for column in unlike)
            faults.append(Fault("terminals.csv", row["id"], "class", wanted, kind["id"]))
            continue
        if row["cranes"] and (row["capacity_teu_yr"] or 0) > row["cranes"] * TEU_CRANE_YR:
            wanted = f"at most {row['cranes'] * TEU_CRANE_YR} TEU a year by {row['cranes']} cranes"
            faults.append(Fault("terminals.csv", row["id"], "capacity_teu_yr", wanted, str(row["capacity_teu_yr"])))
        if row["from_mode"] == row["to_mode"]:
            continue  # a yard between gauges: hours and prices stand in gauge_changes
        price = "cost_usd_teu" if row["cargo"] == "container" else "cost_usd_t"
        faults += [
            Fault("terminals.csv", row["id"], column, f"a value, here or in its class {kind['id']}", "nothing")
            for column in ("time_h", price)
            if row[column] is None and kind[column] is None
        ]
    return faults
