"""Whether the network of a data package can lie on the ground: lines, lengths, gauges, and what is joined in each year.

Lengths are those of great circles on a sphere of 6371.0088 km; a straight line can be no longer than a railway between
the same ends, and a published length no further from the traced one than `OFFICIAL_SLACK`.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.errors import Fault

__all__ = ["ALIKE_MM", "FIRST_YEAR", "LAST_YEAR", "gauge_faults", "geometry_faults", "great_circle_km", "joined_faults"]

EARTH_RADIUS_KM = 6371.0088

#: A line may end this far from its place; its stated and its real length may differ by a part and by a length.
END_SLACK_KM = 0.1
DRAWN_SLACK, DRAWN_SLACK_KM = 0.01, 1.0

#: Coordinates stand to three decimals: a straight way may come out longer than the link by this.
STRAIGHT_SLACK, STRAIGHT_SLACK_KM = 0.005, 0.5

#: A published length further than this part from the traced one is of another line, or one of the two is wrong.
OFFICIAL_SLACK = 0.12

#: Years that studies run, of which each must have a network that joins all zones.
FIRST_YEAR, LAST_YEAR = 2013, 2026

#: Gauges between which wagons run without a change: 1520 and 1524 mm differ by less than the play of a wheel.
ALIKE_MM = {1524: 1520}

PLANS = ("planned", "proposed")

Point = Sequence[float]
Rows = list[dict[str, Any]]


def great_circle_km(a: Point, b: Point) -> float:
    """Return the great-circle distance of two points (longitude, latitude in degrees), in km.

    Haversine formula; Sinnott, Virtues of the Haversine, Sky and Telescope 68 (1984).
    """
    (x1, y1), (x2, y2) = ((math.radians(p[0]), math.radians(p[1])) for p in (a, b))
    half = math.sin((y2 - y1) / 2) ** 2 + math.cos(y1) * math.cos(y2) * math.sin((x2 - x1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(half)))


# -- lines and lengths ----------------------------------------------------------------------------------------------


def geometry_faults(folder: Path, frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return faults of ``links.geojson`` and of the lengths that it bears out.

    One line for each link, from its first place to its second, as long as ``drawn_km`` says; no link that exists
    shorter than the straight way between its ends; no published length far from the traced one.
    """
    path = folder / "links.geojson"
    if not path.is_file():
        return [Fault("links.geojson", "", "", "the lines of the links", "no such file")]
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        drawn = Counter(str(feature["id"]) for feature in features)
        lines = {str(feature["id"]): _pieces(feature["geometry"]) for feature in features}
    except (ValueError, KeyError, TypeError) as error:
        return [Fault("links.geojson", "", "", "a GeoJSON feature collection with ids", str(error))]
    links = set(frames["links"]["id"].drop_nulls().to_list())
    faults = [
        Fault("links.geojson", name, "id", "one line for the link", "none") for name in sorted(links - set(drawn))
    ]
    faults += [Fault("links.geojson", name, "id", "a link of links.csv", name) for name in sorted(set(drawn) - links)]
    faults += [Fault("links.geojson", name, "id", "one line", f"{n} lines") for name, n in drawn.items() if n > 1]
    needed = {"places": "id lat_deg lon_deg", "links": "id place_a place_b status length_km drawn_km"}
    if all(set(names.split()) <= set(frames[table].columns) for table, names in needed.items()):
        faults += _lengths(frames, {name: line for name, line in lines.items() if drawn[name] == 1})
    return faults


def _pieces(geometry: Mapping[str, Any]) -> list[list[Point]]:
    """The pieces of a line; one that crosses the 180th meridian has two."""
    pieces = geometry["coordinates"]
    return [pieces] if geometry["type"] == "LineString" else list(pieces)


def _lengths(frames: Mapping[str, pl.DataFrame], lines: Mapping[str, list[list[Point]]]) -> Iterator[Fault]:
    where = {row["id"]: (row["lon_deg"], row["lat_deg"]) for row in frames["places"].to_dicts()}
    for row in frames["links"].to_dicts():
        name, ends = f"row of {row['id']}", (where.get(row["place_a"]), where.get(row["place_b"]))
        line, length = lines.get(row["id"]), row["length_km"]
        if line and line[0] and line[-1]:
            for end, point, place in ((0, line[0][0], "place_a"), (1, line[-1][-1], "place_b")):
                if (there := ends[end]) and None not in there and (off := great_circle_km(point, there)) > END_SLACK_KM:
                    wanted = f"a line that {'ends' if end else 'starts'} at {row[place]}"
                    yield Fault("links.geojson", row["id"], "coordinates", wanted, f"{off:.1f} km away")
            long = sum(great_circle_km(a, b) for piece in line for a, b in pairwise(piece))
            stated = row["drawn_km"]
            if stated is not None and abs(long - stated) > DRAWN_SLACK_KM + DRAWN_SLACK * stated:
                yield Fault("links.csv", name, "drawn_km", f"the length of its line, {long:.1f} km", f"{stated:g} km")
        if length is None:
            continue
        if row["status"] == "existing" and ends[0] and ends[1] and None not in (*ends[0], *ends[1]):
            straight = great_circle_km(ends[0], ends[1])
            if straight > length * (1 + STRAIGHT_SLACK) + STRAIGHT_SLACK_KM:
                wanted = f"at least the straight {straight:.1f} km between its ends"
                yield Fault("links.csv", name, "length_km", wanted, f"{length:g} km")
        official = row.get("length_official_km")
        if official is not None and abs(official - length) > OFFICIAL_SLACK * length:
            wanted = f"a published length within {OFFICIAL_SLACK:.0%} of the traced {length:g} km"
            yield Fault("links.csv", name, "length_official_km", wanted, f"{official:g} km")


# -- gauges ---------------------------------------------------------------------------------------------------------


def _alike(gauges: Iterable[int] | None) -> set[int]:
    return {ALIKE_MM.get(gauge, gauge) for gauge in gauges or ()}


def gauge_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return links whose gauge ends where it should go on.

    The gauge of a link is one of both its places; and where several lines meet, it is that of another line or one that
    a yard of the place changes. What is only planned or proposed has no tracks yet.
    """
    faults = []
    of_place = {row["id"]: row["gauges_mm"] or [] for row in frames["places"].to_dicts()}
    rail = [
        row
        for row in frames["links"].to_dicts()
        if row["mode"] == "rail" and row["gauges_mm"] and row["status"] not in PLANS
    ]
    at: dict[str, Rows] = defaultdict(list)
    for row in rail:
        for end in ("place_a", "place_b"):
            at[row[end]].append(row)
    yards: dict[str, set[int]] = defaultdict(set)
    for row in frames["gauge_changes"].to_dicts():
        yards[row["place"]] |= _alike(g for g in (row["from_mm"], row["to_mm"]) if g is not None)
    for row in rail:
        mine = _alike(row["gauges_mm"])
        for end in ("place_a", "place_b"):
            place = row[end]
            if place in of_place and not mine <= _alike(of_place[place]):
                told = ", ".join(map(str, row["gauges_mm"]))
                wanted = f"gauges of {place} ({', '.join(map(str, of_place[place])) or 'none'})"
                faults.append(Fault("links.csv", f"row of {row['id']}", "gauges_mm", wanted, told))
                continue
            others = set[int]().union(*(_alike(link["gauges_mm"]) for link in at[place] if link is not row))
            if others and not mine & (others | yards[place]):
                wanted = (
                    f"a gauge of the other lines at {place} ({', '.join(map(str, sorted(others)))}), or a yard there"
                )
                told = ", ".join(map(str, row["gauges_mm"]))
                faults.append(Fault("links.csv", f"row of {row['id']}", "gauges_mm", wanted, told))
    return faults


# -- what is joined in each year ------------------------------------------------------------------------------------


def _shut(row: Mapping[str, Any], year: int) -> bool:
    """Whether a closure by date covers a whole year; the dates of a restricted crossing close nothing."""
    first, last = row["closed_from"], row["closed_to"]
    covered = first is not None and first <= date(year, 1, 1) and (last is None or last >= date(year, 12, 31))
    return covered and row["status"] != "restricted"


def joined_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return zones that no railway, road or ferry joins to the rest in a year.

    Links count by status, first year and closures, with the crossings on them; ocean lines do not count. A zone whose
    place has no line yet is left out: what happens to its trade is told by a study of that year.
    """
    ocean = set(frames["lines"].filter(pl.col("ocean").fill_null(value=False))["id"].to_list())
    gates: dict[str, Rows] = defaultdict(list)
    for row in frames["crossings"].to_dicts():
        gates[row["link"]].append(row)
    links = [row for row in frames["links"].to_dicts() if row["line"] not in ocean]
    zones = frames["zones"].select("id", "place").drop_nulls().rows()
    found: dict[str, list[int]] = defaultdict(list)
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        parent: dict[str, str] = {}

        def root(place: str, parent: dict[str, str] = parent) -> str:
            while parent.setdefault(place, place) != place:
                parent[place] = parent[parent[place]]
                place = parent[place]
            return place

        for row in links:
            since, built = row["open_from"], row["status"] == "existing"
            there = built if since is None else since <= year and (built or row["status"] == "under_construction")
            ends = (root(row["place_a"]), root(row["place_b"])) if there else None
            if ends and not _shut(row, year) and not any(_shut(gate, year) for gate in gates[row["id"]]):
                parent[ends[0]] = ends[1]
        sizes = Counter(root(place) for _, place in zones if place in parent)
        if not sizes:
            continue
        main = sizes.most_common(1)[0][0]
        for zone, place in zones:
            if place in parent and root(place) != main:
                found[zone].append(year)
    return [
        Fault(
            "zones.csv",
            zone,
            "place",
            "a place that land links or ferries join to the rest",
            f"alone in {_span(years)}",
        )
        for zone, years in found.items()
    ]


def _span(years: Sequence[int]) -> str:
    """Years in words, as ``2013-2015, 2018``."""
    runs: list[list[int]] = []
    for year in years:
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
