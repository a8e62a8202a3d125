"""Routes as people ask for them: between two named places, under restrictions, with every leg named and priced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.names import find_country, find_place
from landbridge.data.tables import Tables
from landbridge.errors import NoRoute, UnknownName
from landbridge.model import network, routes
from landbridge.model.arrival import arrival
from landbridge.model.costs import Goods, class_co2, class_money
from landbridge.model.network import MODES, ArcKind, Network
from landbridge.model.outcomes import PathTable, classify
from landbridge.scenario.apply import apply
from landbridge.scenario.edits import Payment
from landbridge.scenario.measures import Avoid, Measure
from landbridge.study.grants import Grant, grants_of, with_grants
from landbridge.study.legs import Leg, Prices, legs_of
from landbridge.study.solve import NETWORK_TABLES, cargo, columns, free_time_h, weights
from landbridge.study.tabulate import passage_rules

__all__ = ["Leg", "NamedRoute", "RouteFinder", "find_routes", "passage_routes"]

F8 = npt.NDArray[np.float64]

TEU_PER_FEU = 2

#: Passage of routes that planners have no name for.
UNNAMED = "other"


@dataclass(frozen=True)
class NamedRoute:
    """A door-to-door chain with its totals; money and CO2 are for one box, or for one tonne of bulk.

    Hours are from the hand-over at the start to that at the end; ``transit_days`` leave out both. The delays of one leg
    go together, those of different legs are independent: `landbridge.model.arrival` makes ``time_p50_h``,
    ``time_p90_h`` and ``on_time``, the probability of keeping a deadline where one was given, from the legs. ``risk``
    is the sum of the spreads of all parts, the buffer of a shipper who trusts to no luck. ``grants`` are what provinces
    and states pay towards it beside the price.
    """

    passage: str
    length_km: float
    transit_days: float
    time_h: float
    time_p50_h: float
    time_p90_h: float
    on_time: float | None
    spread_h: float
    risk: float
    cost_usd: float
    subsidy_usd: float
    grants: tuple[Grant, ...]
    generalised_usd: float
    co2_kg: float
    borders: tuple[str, ...]
    gauge_changes: int
    countries: tuple[str, ...]
    legs: tuple[Leg, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the route as plain values."""
        return asdict(self)


class RouteFinder:
    """A network made ready for questions about routes; built once for a scenario and year.

    Parameters
    ----------
    tables
        After a scenario was applied.
    places
        Places that routes may start and end at.
    season
        As for `landbridge.model.network.build`.
    hours
        Gives the hours of every arc; at free flow, with the preload, when left out.
    payments
        Money of the scenario's charges and subsidies, to be told apart from tariffs.
    year
        In which grants of the atlas' table of subsidies are looked up; none are told without it.
    """

    def __init__(
        self,
        tables: Tables,
        places: Sequence[str],
        *,
        season: str = "mean",
        hours: Callable[[Network], F8] = free_time_h,
        payments: Sequence[Payment] = (),
        year: int | None = None,
    ) -> None:
        # Each place asked about gets a zone of its own, so that access is the same for all.
        zones = pl.DataFrame({"id": list(places), "place": list(places)})
        given = {
            **columns(tables, [n for n in NETWORK_TABLES if n != "zones"]),
            "zones": zones.to_dict(as_series=False),
        }
        self.tables = tables
        self.season = season
        self.year = year
        self.network: Network = network.build(given, season=season)
        self.goods: Goods = cargo(tables)
        self.money: F8 = class_money(self.network, self.goods, weights(tables))
        self.time_h: F8 = hours(self.network)
        self.zone = {place: i for i, place in enumerate(places)}
        self._passages = passage_rules(tables, self.network)
        self._kept_out = dict(tables["passages"].select("id", "avoid_countries").rows())
        self.prices = Prices(tables, self.network, payments)
        self.border_at = dict(zip(tables["crossings"]["link"], tables["crossings"]["id"], strict=True))

    def commodity(self, name: str) -> int:
        """Index of a commodity.

        Raises
        ------
        UnknownName
            With suggestions.
        """
        known = list(self.goods.names[:-1])
        if name not in known:
            raise UnknownName("commodity", name, known)
        return known.index(name)

    def find(
        self,
        start: str,
        end: str,
        *,
        commodity: int,
        count: int = 1,
        via: Sequence[str] = (),
        avoid: Sequence[str] = (),
        modes: Sequence[str] = (),
        units: float = 1.0,
        access: bool = True,
    ) -> list[NamedRoute]:
        """Return routes between two of the finder's places, the cheapest first.

        Parameters
        ----------
        start, end
            Places.
        commodity
            Index of the class.
        count
            The most routes.
        via
            Places to pass, in order.
        avoid
            Countries, by code, of which no arc may be used.
        modes
            Modes allowed; all when empty.
        units
            Tonnes that costs and CO2 are stated for.
        access
            Whether the price includes loading and unloading at the two ends.
        """
        net = self.network
        source, sink = net.zone_source[self.zone[start]], net.zone_sink[self.zone[end]]
        if source < 0 or sink < 0:
            return []
        cost = self.cost(commodity)
        if modes:
            banned = ~np.isin(net.mode, [MODES.index(m) for m in modes]) & (net.kind != ArcKind.ACCESS)
            cost = np.where(banned, np.inf, cost)
        if avoid:
            shut = np.isin(np.array(net.countries), list(avoid))
            cost = np.where(shut[net.country] | shut[net.country_to], np.inf, cost)
        stops = [net.places.index(place) for place in via]
        if count == 1:
            only = routes.best(net, cost, int(source), int(sink), via=stops)
            found = [] if only is None else [only]
        else:
            found = routes.alternatives(net, cost, int(source), int(sink), count, via=stops)
        return [self.named(arcs, cost, commodity, units=units, access=access) for arcs in found]

    def passage_of(self, arcs: Sequence[npt.NDArray[np.int32]]) -> list[int]:
        """Number of the named passage of each chain of arcs; -1 for none."""
        first = np.concatenate([[0], np.cumsum([len(a) for a in arcs])]).astype(np.int32)
        whole = np.concatenate([*arcs, np.zeros(0, np.int32)]).astype(np.int32)
        names, rules = self._passages
        table = PathTable(first, whole, np.zeros(len(arcs), np.int32), np.ones(len(arcs)))
        found = classify(self.network, table, rules).tolist()
        return [-1 if i < 0 or names[i] == UNNAMED else i for i in found]

    def by_passage(self, cost: F8, source: int, sink: int) -> dict[int, npt.NDArray[np.int32]]:
        """The cheapest route of each named passage by which there is one.

        Parameters
        ----------
        cost : float64[m]
            Infinite forbids.
        source, sink
            Nodes.
        """
        net, found = self.network, dict[int, npt.NDArray[np.int32]]()
        ends = {net.countries[c] for c in (*net.country[net.tail == source], *net.country[net.head == sink])}
        for name, rule in zip(*self._passages, strict=True):
            gates = np.isin(net.crossing, list(rule.any_crossings)) | np.isin(net.link, list(rule.any_links))
            if not gates.any():
                continue
            # as planners draw it: without the countries that its standard relation keeps out of
            out = [c for c in self._kept_out.get(name) or () if c in net.countries and c not in ends]
            closed = [*rule.no_countries, *(net.countries.index(c) for c in out)]
            shut = np.isin(net.country, closed) | np.isin(net.country_to, closed)
            arcs = routes.through(net, np.where(shut, np.inf, cost), source, sink, gates)
            if arcs is not None:
                (passage,) = self.passage_of([arcs])
                price = float(cost[arcs].sum())
                if passage >= 0 and (passage not in found or price < float(cost[found[passage]].sum())):
                    found[passage] = arcs
        return found

    def price(self, commodity: int) -> F8:
        """Money per tonne and arc without what is not paid: buffers and carbon stay in the generalised cost only."""
        net, goods = self.network, self.goods
        if goods.container[commodity]:
            return np.asarray(net.money_usd_teu / goods.t_per_teu[commodity], np.float64)
        return net.money_usd_t

    def cost(self, commodity: int) -> F8:
        """Generalised cost per tonne and arc; infinite where the cargo may not go."""
        return np.asarray(self.money[commodity] + self.goods.value_of_time_usd_t_h[commodity] * self.time_h, np.float64)

    def named(
        self,
        arcs: npt.NDArray[np.int32],
        cost: F8,
        commodity: int,
        *,
        units: float = 1.0,
        access: bool = True,
        deadline_h: float | None = None,
        besides: Sequence[Leg] = (),
    ) -> NamedRoute:
        """Give a chain of arcs its names and totals.

        Parameters
        ----------
        arcs
            The chain.
        cost
            Generalised cost per tonne and arc.
        commodity, units, access
            As for `find`.
        deadline_h
            Hours after which the cargo is late.
        besides
            Legs that lie on no arc: an empty return, insurance.
        """
        net = self.network
        price, co2 = self.price(commodity), class_co2(self.network, self.goods, commodity)
        whole = routes.measure(net, arcs, cost, price, self.time_h, co2)
        names = self._passages[0]
        (passage,) = self.passage_of([arcs])
        boxes = None if not self.goods.container[commodity] else 1.0 / float(self.goods.t_per_teu[commodity])
        legs = legs_of(
            net,
            arcs,
            price=price,
            time_h=self.time_h,
            co2_g_t=co2,
            units=units,
            teu_per_t=boxes,
            prices=self.prices,
            border_at=self.border_at,
            season=self.season,
        )
        grants = self._grants(arcs, legs, units * boxes) if boxes is not None else ()
        legs = [*with_grants(legs, grants), *besides]
        paid = sum(leg.cost_usd for leg in legs if access or leg.type != "access")
        countries = [net.countries[c] for a in arcs.tolist() for c in (net.country[a], net.country_to[a])]
        hours = arrival([leg.time_h for leg in legs], [leg.spread_h for leg in legs], [leg.third_h3 for leg in legs])
        return NamedRoute(
            passage=names[passage] if passage >= 0 else UNNAMED,
            length_km=whole.length_km,
            transit_days=whole.transit_h / 24,
            time_h=whole.time_h,
            time_p50_h=hours.quantile(0.5),
            time_p90_h=hours.quantile(0.9),
            on_time=None if deadline_h is None else hours.by(deadline_h),
            spread_h=hours.spread_h,
            risk=float(net.spread_h[arcs].sum()),
            cost_usd=paid,
            subsidy_usd=sum(leg.subsidy_usd for leg in legs),
            grants=grants,
            generalised_usd=whole.cost_usd_t * units,
            co2_kg=whole.co2_kg_t * units + sum(leg.co2_kg for leg in besides),
            borders=tuple(leg.crossing or f"{leg.from_place}-{leg.to_place}" for leg in legs if leg.type == "border"),
            gauge_changes=whole.gauge_changes,
            countries=tuple(c for c in dict.fromkeys(countries) if c != "XZ"),
            legs=tuple(legs),
        )

    def _grants(self, arcs: npt.NDArray[np.int32], legs: Sequence[Leg], teu: float) -> tuple[Grant, ...]:
        net = self.network
        if self.year is None:
            return ()
        borders = arcs[(net.kind[arcs] == ArcKind.BORDER) & (net.mode[arcs] == MODES.index("rail"))]
        crossed = frozenset(net.countries[c] for c in (*net.country[borders], *net.country_to[borders]))
        ends = legs[0].from_place, legs[-1].to_place
        return grants_of(self.tables, legs, crossed, start=ends[0], end=ends[1], year=self.year, teu=teu)


def box_tonnes(goods: Goods, commodity: int, feu: bool) -> float:
    """Tonnes in the box that prices are stated for; one tonne for bulk."""
    if not goods.container[commodity]:
        return 1.0
    return float(goods.t_per_teu[commodity]) * (TEU_PER_FEU if feu else 1)


def find_routes(
    tables: Tables,
    start: str,
    end: str,
    *,
    year: int,
    measures: Sequence[Measure] = (),
    held: frozenset[str] = frozenset(),
    avoid: Sequence[str] = (),
    commodity: str = "machinery_box",
    via: Sequence[str] = (),
    modes: Sequence[str] = (),
    count: int = 5,
    feu: bool = True,
) -> list[NamedRoute]:
    """Find the best route between two places and a few that differ from it.

    Parameters
    ----------
    tables
        The atlas.
    start, end
        Places by name, id or UN/LOCODE.
    year
        The year whose network is used, at free flow (the preload is there).
    measures
        A scenario's measures.
    held
        Projects that stay unbuilt.
    avoid
        Countries by code or name that no part of a route may touch.
    commodity
        What is carried.
    via
        Places to pass, in order.
    modes
        Modes allowed; all when empty.
    count
        The most routes.
    feu
        Whether a box is a 40-foot one.

    Returns
    -------
    list of NamedRoute
        The cheapest by generalised cost first; exact for the first.

    Raises
    ------
    UnknownName
        For a name that is not in the atlas.
    NoRoute
        If there is none; the message says what was asked of it.
    """
    origin, destination = find_place(tables, start), find_place(tables, end)
    if origin == destination:
        raise NoRoute(f"{start!r} and {end!r} are the same place ({origin})")
    stops = [find_place(tables, place) for place in via]
    countries = [find_country(tables, country) for country in avoid]
    ban: tuple[Measure, ...] = (Avoid(countries=tuple(countries)),) if countries else ()
    applied = apply(tables, (*measures, *ban), year, held=held)
    finder = RouteFinder(
        applied.tables, list(dict.fromkeys([origin, destination])), payments=applied.payments, year=year
    )
    number = finder.commodity(commodity)
    found = finder.find(
        origin,
        destination,
        commodity=number,
        count=count,
        via=stops,
        modes=modes,
        units=box_tonnes(finder.goods, number, feu),
    )
    if not found:
        through = f" through {', '.join(stops)}" if stops else ""
        without = f" without {', '.join(countries)}" if countries else ""
        by = f" by {', '.join(modes)}" if modes else ""
        raise NoRoute(f"no route for {commodity} from {origin} to {destination} in {year}{by}{through}{without}")
    return found


def passage_routes(tables: Tables, *, commodity: str = "machinery_box") -> pl.DataFrame:
    """Describe every named passage by the route of its standard relation.

    Parameters
    ----------
    tables
        After a scenario was applied.
    commodity
        A boxed commodity; prices are for a 40-foot box from terminal to terminal.

    Returns
    -------
    polars.DataFrame
        passage, name, origin, destination, status, km, days, usd_feu, co2_kg_feu, borders, gauge_changes, countries.
        Status is ``open`` or ``no route``; seasonal sea routes are stated in their season.
    """
    frame = tables["passages"].filter(pl.col("origin").is_not_null())
    places = list(dict.fromkeys([*frame["origin"].to_list(), *frame["destination"].to_list()]))
    finder = RouteFinder(tables, places, season="open")
    rows = []
    for row in frame.to_dicts():
        number = finder.commodity(commodity)
        units = box_tonnes(finder.goods, number, feu=True)
        found = finder.find(
            row["origin"],
            row["destination"],
            commodity=number,
            via=row["via"] or (),
            avoid=row["avoid_countries"] or (),
            modes=row["modes"] or (),
            units=units,
        )
        first = found[0] if found else None
        rows.append(
            {
                "passage": row["id"],
                "name": row["name"],
                "origin": row["origin"],
                "destination": row["destination"],
                "status": "open" if first else "no route",
                "km": first.length_km if first else None,
                "days": first.transit_days if first else None,
                "usd_feu": first.cost_usd if first else None,
                "co2_kg_feu": first.co2_kg if first else None,
                "borders": len(first.borders) if first else None,
                "gauge_changes": first.gauge_changes if first else None,
                "countries": ";".join(first.countries) if first else None,
                "links": ";".join(link for leg in first.legs for link in leg.links) if first else None,
            }
        )
    number_columns = dict.fromkeys(("km", "days", "usd_feu", "co2_kg_feu"), pl.Float64)
    return pl.DataFrame(rows, schema_overrides={**number_columns, "borders": pl.Int64, "gauge_changes": pl.Int64})
