"""Checks of what lines, terminals and prices say about themselves: who runs them, in which order values must lie.

Called by `landbridge.data.check`; here stand the checks that need more than one cell but no geometry.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from landbridge.errors import Fault

__all__ = ["attribute_faults"]


def attribute_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return the faults of attributes; tables or columns that are missing have been told by then.

    Parameters
    ----------
    frames
        Tables by name, as `landbridge.data.read.read_frames` gives them.
    """
    faults: list[Fault] = []
    if _there(frames, operators="id country owner_countries", links="id mode country_km operators", countries="iso2"):
        faults += _operators(frames)
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
    faults = []
    for row in frames["links"].select("id", "mode", "country_km", "operators").iter_rows(named=True):
        names = row["operators"] or []
        if names and row["mode"] != "rail":
            faults.append(Fault("links.csv", row["id"], "operators", f"nothing on {row['mode']}", ";".join(names)))
        met = [part.partition(":")[0] for part in (row["country_km"] or "").split(";") if part]
        if not known.issuperset(met):
            continue  # told with the links
        faults += [
            Fault("links.csv", row["id"], "operators", f"railways of the countries it meets ({', '.join(met)})", name)
            for name in names
            if name in at_home and at_home[name].isdisjoint(met)
        ]
    return faults
