"""Answers about routes: kilometres, days, prices and CO2 between places, countries or the ends of a service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from landbridge.study.routing import NamedRoute, RouteFinder, box_tonnes
from landbridge.study.settings import parameter
from landbridge.study.validate.words import Answer, Cell, NotCovered, Operand
from landbridge.study.validate.worlds import World

__all__ = ["NoPair", "Ways"]

#: Pairs of zones, the largest by boxes, over which a relation between countries is averaged.
LARGEST_PAIRS = 30
#: Goods whose tariff stands for "a container".
STANDARD_BOX = "machinery_box"
#: Parameter by which an ordinary train is slower than the trains with a timetable, after which lines' speeds are made.
ORDINARY = "ordinary-train"
#: What a `via` means where it is one line or crossing rather than a whole passage.
WAYPOINTS: dict[str, dict[str, list[str]]] = {
    "khorgos": {"via": ["cn-khorgos"], "modes": ["rail"]},
    "cku": {"via": ["kg-torugart"], "modes": ["rail", "ferry"]},
    "kashgar-osh": {"via": ["cn-kashgar", "kg-osh"], "modes": ["rail", "road", "ferry"]},
}
QUALIFIERS = (
    "rail", "road", "rail-road", "rail-sea", "timetabled", "ordinary", "express", "sea", "sea-with-calls", "transit",
    "container-train", "uniform-rate",
)  # fmt: skip
#: Services that are asked about as if they were a route, by the relation that they serve.
SERVICE_ROUTE = {
    "china-europe-rail": "china>europe",
    "china-central-asia": "china>central-asia",
    "titr": "china>europe",
}
SERVICE_VIA = {"titr": "titr"}
#: Services whose time and price are those of the 1520 mm section of West Passage 1.
ON_SECTION = ("erai", "utlc-transit", "utlc-all")


class NoPair(Exception):
    """One of the pairs of places of a mean between countries has no such route."""

    def __init__(self, pair: tuple[str, str]) -> None:
        super().__init__(pair)
        self.pair = pair


@dataclass
class Ways:
    """Routes of one world; pairs without a route are left out of both sides of a difference."""

    world: World
    left_out: set[tuple[str, str]] = field(default_factory=set)

    def route(self, op: Operand, row: Mapping[str, Any]) -> Answer:
        """The number of a route, or the mean over the routes that the ends mean."""
        indicator = row["indicator"]
        year = self.world.network_year(op.year)
        what = {"rate_usd_feu": "tariffs of 2023, no market mark-up", "distance_km": f"network of {year}"}
        note = what.get(indicator, f"free flow, network of {year}")
        if any(q.startswith("sea") for q in op.qualifiers) and indicator == "transit_days":
            note += "; ship speeds hold the calls of a liner"
        if op.thing in ON_SECTION and indicator in ("rate_usd_feu", "speed_km_day", "transit_days", "distance_km"):
            km, hours, usd, section = self._section(op, priced=indicator == "rate_usd_feu")
            value = {
                "rate_usd_feu": usd,
                "speed_km_day": km / hours * 24,
                "transit_days": hours / 24,
                "distance_km": km,
            }[indicator]
            return Answer(value, self._cells(indicator, [section]), f"1520 mm section of West Passage 1; {note}")
        if op.thing in SERVICE_ROUTE:
            op = replace(op, thing=SERVICE_ROUTE[op.thing], via=SERVICE_VIA.get(op.thing, op.via))
        values, weights, routes = [], [], []
        slower = 1.0
        more: tuple[Cell, ...] = ()
        if "ordinary" in op.qualifiers:
            slower, more = parameter(self.world.tables, ORDINARY), (Cell("parameters", ORDINARY, "value"),)
            note += "; an ordinary train takes longer than one with a timetable"
        for found, weight in self._routes(op, priced=indicator == "rate_usd_feu"):
            sailing = sum(leg.time_h for leg in found.legs if leg.type == "move") / 24
            days = sailing if "sea" in op.qualifiers else found.transit_days * slower
            value = {
                "transit_days": days,
                "distance_km": found.length_km,
                "rate_usd_feu": found.cost_usd,
                "co2_kg_teu": found.co2_kg / 2,
                "speed_km_day": found.length_km / days if days else 0.0,
            }[indicator]
            values.append(value)
            weights.append(weight)
            routes.append(found)
        mean = sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)
        if len(values) > 1:
            note = f"mean of {len(values)} pairs of places; {note}"
        return Answer(mean, (*more, *self._cells(indicator, routes)), note)

    # -- ends

    def _ports(self, country: str) -> list[str]:
        zones = self.world.tables["zones"].filter((pl.col("country") == country) & pl.col("sea_port").is_not_null())
        return sorted(set(zones["sea_port"].to_list()))

    def _port(self, place: str) -> str:
        """A city's sea port."""
        zones = self.world.tables["zones"].filter((pl.col("place") == place) & pl.col("sea_port").is_not_null())
        return str(zones["sea_port"][0]) if zones.height else place

    def _ends(self, op: Operand, *, sea: bool) -> list[tuple[str, str, float]]:
        """Pairs of places with weights, which a relation of the target list means."""
        names = self.world.names
        start, end = op.thing.split(">")
        if names.is_group(start) or names.is_group(end):
            return self._largest(op, start, end)

        def places(text: str) -> list[str]:
            if text == "china-ports":
                return self._ports("CN")
            found = []
            for name in text.split("|"):
                if name not in names.place:
                    raise NotCovered(f"no single place for {name} in the atlas")
                found.append(self._port(names.place[name]) if sea else names.place[name])
            return found

        return [(a, b, 1.0) for a in places(start) for b in places(end)]

    def _largest(self, op: Operand, start: str, end: str) -> list[tuple[str, str, float]]:
        """The largest pairs of zones by boxes overland; an end that is a place stands for itself."""
        names, world = self.world.names, self.world
        frame, _ = world.near("relations", world.without(op))
        place = dict(world.tables["zones"].select("id", "place").iter_rows())
        frame = frame.filter(names.boxed & (pl.col("land_tonnes") > 0))
        for name, column in ((start, "exporter"), (end, "importer")):
            if names.is_group(name):
                frame = frame.filter(pl.col(column).is_in(names.traders(name)))
                continue
            if name not in names.place:
                raise NotCovered(f"no single place for {name} in the atlas")
            zone_of = "origin_zone" if column == "exporter" else "destination_zone"
            country = names.place[name].split("-")[0].upper()
            frame = frame.filter(pl.col(column) == names.iso3.get(country, "")).with_columns(
                pl.lit(names.place[name]).alias(zone_of)
            )
            place[names.place[name]] = names.place[name]
        pairs = (
            frame.group_by("origin_zone", "destination_zone")
            .agg(pl.col("land_tonnes").sum())
            .sort(["land_tonnes", "origin_zone", "destination_zone"], descending=[True, False, False])
            .head(LARGEST_PAIRS)
        )
        if pairs.is_empty():
            raise NotCovered("no boxes go overland between these countries in the model")
        total = float(pairs["land_tonnes"].sum())
        found = [(place[a], place[b], w / total) for a, b, w in pairs.iter_rows()]
        found = [pair for pair in found if pair[:2] not in self.left_out]
        if sum(w for *_, w in found) < 0.5:
            raise NotCovered("no such route between most of the places of these countries in the model")
        return found

    # -- routes

    def _routes(self, op: Operand, *, priced: bool) -> Iterator[tuple[NamedRoute, float]]:
        if ">" not in op.thing:
            raise NotCovered(f"no relation behind {op.thing}")
        for qualifier in op.qualifiers:
            if qualifier not in QUALIFIERS:
                raise NotCovered(f"routes are not told apart by {qualifier}")
        sea = any(q.startswith("sea") for q in op.qualifiers)
        passage: dict[str, Any] = {}
        if op.via in WAYPOINTS:
            passage = dict(WAYPOINTS[op.via])
        elif op.via:
            if op.via not in self.world.names.passage:
                raise NotCovered(f"no passage {op.via} in the atlas")
            wanted = pl.col("id") == self.world.names.passage[op.via]
            passage = self.world.tables["passages"].filter(wanted).row(0, named=True)
        modes = ["sea"] if sea else self._modes(op, passage)
        stops = [] if sea else list(passage.get("via") or ())
        if sea and op.via in ("cape", "suez"):
            stops = [f"sea-{op.via}"]
        finder = self.world.finder(op, priced=priced)
        number = finder.commodity(STANDARD_BOX)
        for a, b, weight in self._ends(op, sea=sea):
            if a not in finder.zone or b not in finder.zone:
                raise NotCovered(f"no route from {a} to {b} in the model")
            try:
                found = finder.find(
                    a,
                    b,
                    commodity=number,
                    via=[p for p in stops if p not in (a, b)],
                    avoid=() if sea else passage.get("avoid_countries") or (),
                    modes=modes,
                    units=box_tonnes(finder.goods, number, feu=True),
                )
            except ValueError:  # a place to pass is not in the network of that year
                found = []
            if not found and weight < 1:  # one of several pairs between countries
                raise NoPair((a, b))
            if not found:
                raise NotCovered(f"no such route from {a} to {b} in the model")
            yield found[0], weight

    @staticmethod
    def _modes(op: Operand, passage: Mapping[str, Any]) -> list[str]:
        if "road" in op.qualifiers:
            return ["road"]
        if "rail-road" in op.qualifiers:
            return ["rail", "road"]
        if "rail-sea" in op.qualifiers or op.via in ("titr", "aktau"):
            return ["rail", "ferry", "sea"]
        return list(passage.get("modes") or ["rail"])

    def _section(self, op: Operand, *, priced: bool) -> tuple[float, float, float, NamedRoute]:
        """Kilometres, hours and USD/FEU between the gauge changes of West Passage 1."""
        passage = self.world.tables["passages"].filter(pl.col("id") == "west-1").row(0, named=True)
        finder: RouteFinder = self.world.finder(op, priced=priced)
        number = finder.commodity(STANDARD_BOX)
        found = finder.find(
            passage["origin"],
            passage["destination"],
            commodity=number,
            via=passage["via"] or (),
            avoid=passage["avoid_countries"] or (),
            modes=passage["modes"] or (),
            units=box_tonnes(finder.goods, number, feu=True),
        )
        legs = found[0].legs if found else ()
        broad = [i for i, leg in enumerate(legs) if leg.type == "move" and leg.gauge_mm == 1520]
        if not broad:
            raise NotCovered("West Passage 1 has no route in the model")
        inner = legs[broad[0] : broad[-1] + 1]
        return (
            sum(leg.length_km for leg in inner),
            sum(leg.time_h for leg in inner),
            sum(leg.cost_usd for leg in inner),
            replace(found[0], legs=tuple(inner)),
        )

    def _cells(self, indicator: str, routes: Iterable[NamedRoute]) -> tuple[Cell, ...]:
        """Cells of the atlas that make a route's time, price or length."""
        tables = self.world.tables
        legs = [leg for route in routes for leg in route.legs]
        links = sorted({link for leg in legs for link in leg.links})
        cells: list[Cell] = []
        if indicator == "rate_usd_feu":
            ids = {
                (country, mode): name for name, country, mode in tables["rates"].select("id", "country", "mode").rows()
            }
            found = {ids.get((g.country, g.mode)) or ids.get(("*", g.mode)) for g in legs if g.type == "move"}
            cells += [Cell("rates", name, "usd_teu_km") for name in sorted(n for n in found if n)]
        if indicator == "co2_kg_teu":
            ids = {(c, m): name for name, c, m in tables["emissions"].select("id", "country", "mode").rows()}
            found = {ids.get((g.country, g.mode)) or ids.get(("*", g.mode)) for g in legs if g.type == "move"}
            cells += [Cell("emissions", name, "co2_g_tkm") for name in sorted(n for n in found if n)]
        if indicator in ("transit_days", "speed_km_day"):
            line = dict(tables["links"].select("id", "line").iter_rows())
            cells += [Cell("lines", name, "speed_kmh") for name in sorted({line[i] for i in links if line.get(i)})]
        if indicator in ("distance_km", "speed_km_day"):
            published = tables["links"].filter(pl.col("length_official_km").is_not_null())["id"]
            known = set(published.to_list())  # elsewhere the way was measured
            cells += [Cell("links", i, "length_official_km" if i in known else "length_km") for i in links]
        return tuple(dict.fromkeys(cells))
