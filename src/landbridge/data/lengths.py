"""Hold the network's lengths against published ones: the legs of ``lengths.csv``.

A leg runs by the shortest way over existing links through the stops it names; several pieces of one figure are divided
by ``+``, and where a figure is of one country only that country's kilometres count.  Lengths are those that the model
uses: the published length of a link where it has one, else the traced one.  A leg whose links all have published
lengths therefore tells little, and how much of it rests on such lengths is said beside it.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import polars as pl

from landbridge.errors import Fault

__all__ = ["MEDIAN_PCT", "UNEXPLAINED_PCT", "PublishedLeg", "compare_lengths", "length_faults", "median_error_pct"]

#: What the lengths are held to: the median error, and the largest that needs no explanation.
MEDIAN_PCT, UNEXPLAINED_PCT = 1.5, 6.0

#: A leg shorter than this is known too roughly to enter the median.
SHORTEST_KM = 100.0

NEEDED = "id name stops modes country published_km published_by explanation"
Graph = Mapping[str, list[tuple[str, float, dict[str, Any]]]]


@dataclass(frozen=True)
class PublishedLeg:
    """A published length beside that of the network, in km; the error is that of the network, in per cent."""

    id: str
    name: str
    published_km: float
    built_km: float | None
    traced_km: float | None
    official_share: float
    error_pct: float | None
    published_by: str
    explanation: str

    def as_dict(self) -> dict[str, Any]:
        """Return the leg as plain values."""
        return asdict(self)


def _used_km(link: Mapping[str, Any]) -> float:
    official = link.get("length_official_km")
    return float(official if official is not None else link["length_km"])


def _graph(links: list[dict[str, Any]], modes: frozenset[str]) -> Graph:
    graph: dict[str, list[tuple[str, float, dict[str, Any]]]] = defaultdict(list)
    for link in links:
        if link["mode"] in modes and link["status"] == "existing":
            for a, b in (("place_a", "place_b"), ("place_b", "place_a")):
                graph[link[a]].append((link[b], _used_km(link), link))
    return graph


def _shortest(graph: Graph, start: str, end: str) -> list[dict[str, Any]] | None:
    """Links of the shortest way (Dijkstra 1959), or None where there is none."""
    reached: dict[str, float] = {start: 0.0}
    by: dict[str, tuple[str, dict[str, Any]]] = {}
    queue = [(0.0, start)]
    while queue:
        km, place = heapq.heappop(queue)
        if place == end:
            break
        if km > reached[place]:
            continue
        for other, length, link in graph.get(place, ()):
            if km + length < reached.get(other, float("inf")):
                reached[other] = km + length
                by[other] = (place, link)
                heapq.heappush(queue, (km + length, other))
    if end not in reached:
        return None
    way = []
    while end != start:
        end, link = by[end]
        way.append(link)
    return way[::-1]


def _part(link: Mapping[str, Any], country: str | None) -> float:
    """The part of a link that lies in a country; all of it where none is asked for."""
    if not country:
        return 1.0
    parts = {p.split(":")[0]: float(p.split(":")[1]) for p in (link["country_km"] or "").split(";") if p}
    total = sum(parts.values())
    return parts.get(country, 0.0) / total if total else 0.0


def compare_lengths(frames: Mapping[str, pl.DataFrame]) -> list[PublishedLeg]:
    """Compare every published length with the network.

    Parameters
    ----------
    frames
        Tables by name, as `landbridge.data.read.read_frames` gives them: links, lengths.

    Returns
    -------
    list of PublishedLeg
        In the order of ``lengths.csv``; without a way between its stops a leg has no length and no error.
    """
    links = frames["links"].to_dicts()
    graphs: dict[frozenset[str], Graph] = {}
    legs = []
    for row in frames["lengths"].to_dicts():
        modes = frozenset(row["modes"] or ("rail",))
        graph = graphs.setdefault(modes, _graph(links, modes))
        way: list[dict[str, Any]] | None = []
        for piece in row["stops"].split("+"):
            stops = [stop.strip() for stop in piece.split(";")]
            for start, end in pairwise(stops):
                found = _shortest(graph, start, end)
                way = None if found is None or way is None else way + found
        built = traced = error = None
        official = 0.0
        if way:
            parts = [(link, _part(link, row["country"])) for link in way]
            built = sum(_used_km(link) * part for link, part in parts)
            traced = sum(link["length_km"] * part for link, part in parts)
            official = sum(link["length_km"] * p for link, p in parts if link.get("length_official_km") is not None)
            official /= traced or 1.0
            error = 100 * (built / row["published_km"] - 1)
        legs.append(
            PublishedLeg(
                row["id"],
                row["name"],
                row["published_km"],
                built,
                traced,
                official,
                error,
                row["published_by"] or "",
                row["explanation"] or "",
            )
        )
    return legs


def median_error_pct(legs: list[PublishedLeg]) -> float:
    """Return the median of the absolute errors of legs of at least 100 km, in per cent."""
    return median(abs(leg.error_pct) for leg in legs if leg.error_pct is not None and leg.published_km >= SHORTEST_KM)


def length_faults(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Yield legs without a way, and those far from their published length without an explanation."""
    stated = frames.get("lengths")
    if stated is None or not set(NEEDED.split()) <= set(stated.columns):
        return
    if stated.select("id", "stops", "published_km").null_count().sum_horizontal().item():
        return  # told by then
    for leg in compare_lengths(frames):
        if leg.error_pct is None:
            yield Fault("lengths.csv", leg.id, "stops", "places that existing links join, divided by ;", "no way")
        elif abs(leg.error_pct) > UNEXPLAINED_PCT and not leg.explanation:
            got = f"{leg.built_km:.0f} km, {leg.error_pct:+.1f} per cent"
            wanted = f"the reason for more than {UNEXPLAINED_PCT:g} per cent from {leg.published_km:g} km"
            yield Fault("lengths.csv", leg.id, "explanation", wanted, got)
