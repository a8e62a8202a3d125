"""Check a whole data package: what the dictionary says, and what only the tables together can tell.

`landbridge.data.read` already refuses cells that do not fit the dictionary. Here come both sides of a border, gauges at
yards, countries along a link, sums (shares that add to one), and the origin of all numbers; lines, lengths and what is
joined in each year are in `geography`, keys, names, units and totals in `consistency`, contradictory sources in
`alternatives`, what tied rows disagree on in `ties`, sizes and the words beside numbers in `magnitudes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import polars as pl

from landbridge.data.alternatives import alternative_faults
from landbridge.data.attributes import attribute_faults, order_faults
from landbridge.data.consistency import (
    date_faults,
    key_faults,
    name_faults,
    status_faults,
    total_faults,
    unit_faults,
    worth_faults,
)
from landbridge.data.diff import lost_origins
from landbridge.data.geography import gauge_faults, geometry_faults, joined_faults
from landbridge.data.lengths import length_faults
from landbridge.data.magnitudes import magnitude_faults, reasoning_faults
from landbridge.data.plans import plan_table_faults
from landbridge.data.provenance import known_faults
from landbridge.data.read import read_descriptor, read_frames
from landbridge.data.schema import schema_faults
from landbridge.data.sense import sense_faults
from landbridge.data.ties import lender_faults, tie_faults
from landbridge.data.vocabulary import once_faults, word_faults
from landbridge.data.works import work_faults
from landbridge.errors import Fault

__all__ = ["check_package", "frame_faults"]

#: Country kilometres may differ from the length of a link by this part, or by this much.
LENGTH_SLACK, LENGTH_SLACK_KM = 0.02, 2.0
SHARE_SLACK = 1e-6

LINK_COLUMNS = (
    "id place_a place_b mode status line open_from closed_from closed_to gauges_mm country_km length_km drawn_km"
)
CROSSING_COLUMNS = "id link place_a place_b country_a country_b mode status closed_from closed_to closed_reason"


def check_package(folder: Path) -> tuple[list[Fault], pl.DataFrame]:
    """Check a data package.

    Parameters
    ----------
    folder
        Its folder.

    Returns
    -------
    faults : list of Fault
        All of them; empty when the package is sound.
    origins : polars.DataFrame
        Number cells by table, column and kind of origin.
    """
    frames, dictionary, faults = read_frames(folder)
    faults += read_descriptor(folder)[1]
    faults += frame_faults(frames)
    if _there(frames, links="id", places="id"):
        faults += geometry_faults(folder, frames)
    if _there(frames, links=LINK_COLUMNS):
        faults += length_faults(frames)
    faults += total_faults(frames) + worth_faults(frames) + order_faults(frames)
    faults += _not_yet(
        faults, [*lender_faults(frames), *magnitude_faults(frames), *reasoning_faults(folder, frames, dictionary)]
    )
    faults += unit_faults(dictionary) + schema_faults(folder, dictionary)
    faults += alternative_faults(frames, dictionary)
    more, shares = known_faults(folder, frames, dictionary)
    return faults + more + lost_origins(folder, frames, dictionary), shares


def _not_yet(told: list[Fault], more: list[Fault]) -> list[Fault]:
    """Faults of cells of which nothing is told yet: what is outside its bounds is of no size either."""
    cells = {(fault.where, fault.row.partition("(")[2].rstrip(")") or fault.row, fault.field) for fault in told}
    return [fault for fault in more if (fault.where, fault.row, fault.field) not in cells]


def frame_faults(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    """Return what only the tables together can tell: geography and sums.

    Parameters
    ----------
    frames
        Tables by name, as `landbridge.data.read.read_frames` gives them; checks whose columns are missing are left out.
    """
    faults: list[Fault] = []
    if _there(frames, places="id iso2", countries="iso2", lines="id mode", links=LINK_COLUMNS):
        faults += _links(frames)
    if _there(
        frames,
        places="id iso2",
        countries="iso2",
        links="id place_a place_b mode country_km",
        crossings=CROSSING_COLUMNS,
    ):
        faults += _crossings(frames)
    if _there(frames, places="id gauges_mm", gauge_changes="id place from_mm to_mm cargo cost_usd_teu cost_usd_t"):
        faults += _yards(frames)
    if _there(frames, places="id gauges_mm", links=LINK_COLUMNS, gauge_changes="id place from_mm to_mm"):
        faults += gauge_faults(frames)
    if _there(frames, lines="id ocean", links=LINK_COLUMNS, crossings=CROSSING_COLUMNS, zones="id place"):
        faults += joined_faults(frames)
    faults += key_faults(frames) + name_faults(frames) + date_faults(frames) + status_faults(frames)
    if _there(frames, mode_shares="id rail road pipeline sea air switch"):
        faults += _mode_shares(frames)
    if _there(frames, commodities="group share_of_group"):
        faults += _group_shares(frames)
    if _there(frames, zones="id country", zone_shares="zone commodity partner export_share import_share"):
        faults += _zone_shares(frames)
    faults += attribute_faults(frames) + work_faults(frames)
    faults += word_faults(frames) + once_faults(frames) + sense_faults(frames) + tie_faults(frames)
    if _there(frames, terminal_plans="id", terminal_resources="plan", terminal_streams="plan"):
        faults += plan_table_faults(frames)
    return faults


def _there(frames: Mapping[str, pl.DataFrame], **needed: str) -> bool:
    """Whether tables have the columns that a check reads; what is missing has been told by then."""
    return all(table in frames and set(names.split()) <= set(frames[table].columns) for table, names in needed.items())


def _links(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    faults = []
    country = dict(zip(frames["places"]["id"], frames["places"]["iso2"], strict=True))
    known = set(frames["countries"]["iso2"].drop_nulls().to_list())
    mode_of = dict(zip(frames["lines"]["id"], frames["lines"]["mode"], strict=True))
    for row in frames["links"].to_dicts():
        name = f"row of {row['id']}"
        if row["line"] in mode_of and mode_of[row["line"]] != row["mode"]:
            faults.append(
                Fault(
                    "links.csv",
                    name,
                    "line",
                    f"a line of mode {row['mode']}",
                    f"{row['line']} ({mode_of[row['line']]})",
                )
            )
        if row["closed_from"] and row["closed_to"] and row["closed_to"] < row["closed_from"]:
            faults.append(
                Fault("links.csv", name, "closed_to", f"a date not before {row['closed_from']}", str(row["closed_to"]))
            )
        if row["place_a"] == row["place_b"]:
            faults.append(Fault("links.csv", name, "place_b", "another place than place_a", row["place_b"]))
        if row["mode"] == "rail" and not row["gauges_mm"]:
            faults.append(Fault("links.csv", name, "gauges_mm", "the gauge of the line", "nothing"))
        if row["mode"] not in ("rail", "road"):
            continue
        try:
            parts = {p.split(":")[0]: float(p.split(":")[1]) for p in (row["country_km"] or "").split(";")}
        except (IndexError, ValueError):
            faults.append(Fault("links.csv", name, "country_km", "ISO2:km;ISO2:km", repr(row["country_km"])))
            continue
        total, length = sum(parts.values()), row["length_km"] or 0.0
        if abs(total - length) > max(LENGTH_SLACK * length, LENGTH_SLACK_KM):
            faults.append(Fault("links.csv", name, "country_km", f"parts that add to {length:g} km", f"{total:g} km"))
        faults += [
            Fault("links.csv", name, "country_km", "countries of countries.csv", c) for c in parts if c not in known
        ]
        for end in ("place_a", "place_b"):
            if country.get(row[end]) not in parts:
                faults.append(
                    Fault(
                        "links.csv",
                        name,
                        "country_km",
                        f"kilometres in {country.get(row[end])}, where {row[end]} lies",
                        row["country_km"],
                    )
                )
        built = row["status"] == "existing"  # lines not built yet are drawn by a few points
        if built and row["drawn_km"] and length and row["drawn_km"] > length * 1.02 + LENGTH_SLACK_KM:
            faults.append(
                Fault("links.csv", name, "length_km", f"at least the drawn {row['drawn_km']:g} km", f"{length:g} km")
            )
    return faults


def _crossings(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    faults = []
    country = dict(zip(frames["places"]["id"], frames["places"]["iso2"], strict=True))
    known = set(frames["countries"]["iso2"].to_list())
    links = {row["id"]: row for row in frames["links"].to_dicts()}
    borders: dict[str, list[tuple[str | None, str | None]]] = {}
    for row in frames["crossings"].to_dicts():
        pair = (row["country_a"] or country.get(row["place_a"]), row["country_b"] or country.get(row["place_b"]))
        turned = row["link"] in links and row["place_a"] == links[row["link"]]["place_b"]  # told below
        borders.setdefault(row["link"], []).append(pair[::-1] if turned else pair)
    for row in links.values():
        met = _countries_met(row["country_km"], country.get(row["place_a"]), country.get(row["place_b"]))
        if row["mode"] not in ("rail", "road") or not set(met) <= known:
            continue  # countries that do not exist are told with the links
        crossed = list(pairwise(met))
        stated = borders.get(row["id"], [])
        for a, b in crossed:
            if (a, b) not in stated:
                wanted = f"a crossing for the border between {a} and {b}"
                faults.append(Fault("crossings.csv", row["id"], "link", wanted, "none"))
        for a, b in stated:
            if (a, b) not in crossed or stated.count((a, b)) > 1:
                wanted = f"one crossing for each border that the link meets ({', '.join(map(str, met))})"
                faults.append(Fault("crossings.csv", row["id"], "country_a, country_b", wanted, f"{a}, {b}"))
    for row in frames["crossings"].to_dicts():
        if row["closed_from"] and row["closed_to"] and row["closed_to"] < row["closed_from"]:
            wanted = f"a date not before {row['closed_from']}"
            faults.append(Fault("crossings.csv", row["id"], "closed_to", wanted, str(row["closed_to"])))
        if row["status"] == "operating" and row["closed_from"] and not row["closed_to"]:
            wanted = "the day of reopening, or a status of closed or restricted"
            faults.append(Fault("crossings.csv", row["id"], "closed_to", wanted, "nothing"))
        if row["status"] in ("closed", "restricted") and not row["closed_reason"]:
            wanted = f"why the crossing is {row['status']}"
            faults.append(Fault("crossings.csv", row["id"], "closed_reason", wanted, "nothing"))
        link = links.get(row["link"])
        if link is None:
            continue
        if {row["place_a"], row["place_b"]} != {link["place_a"], link["place_b"]}:
            faults.append(
                Fault(
                    "crossings.csv",
                    row["id"],
                    "place_a, place_b",
                    f"the ends of {link['id']}",
                    f"{row['place_a']}, {row['place_b']}",
                )
            )
        elif row["place_a"] != link["place_a"]:
            faults.append(
                Fault(
                    "crossings.csv",
                    row["id"],
                    "place_a",
                    f"the order of the link: {link['place_a']} first",
                    row["place_a"],
                )
            )
        if row["mode"] != link["mode"]:
            faults.append(Fault("crossings.csv", row["id"], "mode", link["mode"], row["mode"]))
    return faults


def _countries_met(country_km: str | None, first: str | None, last: str | None) -> list[str | None]:
    """Countries along a link in the order in which they are met, as the network runs through them."""
    named = [part.split(":")[0] for part in (country_km or "").split(";") if part]
    between = [c for c in named if c not in (first, last)]
    return [first] if first == last and not between else [first, *between, last]


def _yards(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    faults = []
    gauges = dict(zip(frames["places"]["id"], frames["places"]["gauges_mm"].to_list(), strict=True))
    for row in frames["gauge_changes"].to_dicts():
        there = gauges.get(row["place"]) or []
        faults += [
            Fault("gauge_changes.csv", row["id"], end, f"a gauge of {row['place']} ({there})", str(row[end]))
            for end in ("from_mm", "to_mm")
            if row[end] not in there
        ]
        if row["from_mm"] == row["to_mm"]:
            faults.append(Fault("gauge_changes.csv", row["id"], "to_mm", "another gauge", str(row["to_mm"])))
        money = "cost_usd_teu" if row["cargo"] == "container" else "cost_usd_t"
        if row[money] is None:
            faults.append(Fault("gauge_changes.csv", row["id"], money, f"a price for {row['cargo']}", "nothing"))
    return faults


def _mode_shares(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    faults = []
    modes = ["rail", "road", "pipeline", "sea", "air", "switch"]
    for row in frames["mode_shares"].to_dicts():
        total = sum(row[m] or 0.0 for m in modes)
        if abs(total - 1) > SHARE_SLACK:
            faults.append(Fault("mode_shares.csv", row["id"], ", ".join(modes), "shares that add to 1", f"{total:g}"))
    return faults


def _group_shares(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    faults = []
    groups = frames["commodities"].group_by("group", maintain_order=True).agg(pl.col("share_of_group").sum())
    for group, total in groups.rows():
        if abs(total - 1) > SHARE_SLACK:
            faults.append(
                Fault("commodities.csv", group, "share_of_group", "shares of the group that add to 1", f"{total:g}")
            )
    return faults


def _zone_shares(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    faults = []
    zones = frames["zone_shares"].join(
        frames["zones"].select("id", "country"), left_on="zone", right_on="id", how="left"
    )
    for side in ("export_share", "import_share"):
        sums = zones.group_by("country", "commodity", "partner", maintain_order=True).agg(pl.col(side).sum())
        for country, commodity, partner, total in sums.rows():
            if total > SHARE_SLACK and abs(total - 1) > SHARE_SLACK:
                faults.append(
                    Fault(
                        "zone_shares.csv",
                        f"{country}, {commodity}, {partner}",
                        side,
                        "shares that add to 1",
                        f"{total:g}",
                    )
                )
    return faults
