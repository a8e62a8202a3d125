"""Checks of what lines, terminals and prices say about themselves: who runs them, in which order values must lie.

Called by `landbridge.data.check`; here stand the checks that need more than one cell but no geometry.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from landbridge.errors import Fault

__all__ = ["attribute_faults"]

#: More boxes than this in a year no gantry or quay crane lifts: 30 moves of two TEU an hour, every hour.
TEU_CRANE_YR = 30 * 2 * 8760

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
