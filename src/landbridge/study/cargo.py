"""What hangs on the cargo and its owner: rules of sanctions, premiums for risk, insurance, boxes that come back empty.

A rule of sanctions bans. A premium does not: it is what an insurer asks or a shipper feels, per cent of the goods'
value each time they enter a country, and weighs in the generalised cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.model import routes
from landbridge.model.network import MODES, ArcKind, Network
from landbridge.scenario.measures import Measure, Sanction
from landbridge.scenario.select import place_countries, traders
from landbridge.study.legs import Leg
from landbridge.study.routing import RouteFinder

__all__ = ["CargoRule", "MarketPremium", "cargo_rules", "empty_return", "entering", "insurance", "market_premiums"]

F8 = npt.NDArray[np.float64]
B1 = npt.NDArray[np.bool_]

ROLL_ON = ("sea", "ferry")


@dataclass(frozen=True)
class CargoRule:
    """What a scenario's sanction means for one cargo between two countries.

    Attributes
    ----------
    name
        In words.
    forbidden
        Whether the trade itself is.
    countries
        Through which the cargo may not pass.
    operators
        Railways that may not carry it.
    """

    name: str
    forbidden: bool
    countries: tuple[str, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class MarketPremium:
    """A premium of the atlas that holds for a cargo.

    Attributes
    ----------
    name
        Row of the table premiums.
    arcs : bool[m]
        Arcs that it is asked for.
    pct
        Per cent of the goods' value; None where that is not known.
    note
        Why it is not counted; empty where it is.
    """

    name: str
    arcs: B1
    pct: float | None
    note: str


def market_premiums(finder: RouteFinder, commodity: str, year: int) -> tuple[MarketPremium, ...]:
    """Return what insurers ask for a cargo by the atlas' table of premiums.

    Only per cent of the goods' value are laid on goods. A ship's premium is told and not counted: its value a box is in
    no table, and ocean freight may hold it already.

    Parameters
    ----------
    finder
        The network.
    commodity
        What is carried.
    year
        In which.
    """
    net, tables = finder.network, finder.tables
    if "premiums" not in tables:
        return ()
    (group,) = [g for i, g in tables["commodities"].select("id", "group").rows() if i == commodity]
    found = []
    for row in tables["premiums"].to_dicts():
        if row["goods"] not in ("*", group, commodity) or not row["year_from"] <= year <= (row["year_to"] or year):
            continue
        if row["country"]:
            # by land only: ships have rows of their own
            arcs = entering(net, row["country"]) & (net.kind == ArcKind.BORDER)
        else:
            own = [i for i, link in enumerate(net.links) if link in row["links"]]
            arcs = np.isin(net.link, own) & (net.kind == ArcKind.MOVE)
        counted = row["of"] == "cargo" and row["pct"] is not None
        why = "asked for, at a rate that is not published" if row["of"] == "cargo" else "per cent of the ship's value"
        found.append(MarketPremium(row["id"], arcs, row["pct"] if counted else None, "" if counted else why))
    return tuple(found)


def cargo_rules(
    tables: Tables, measures: Sequence[Measure], *, start: str, end: str, commodity: str, year: int
) -> tuple[CargoRule, ...]:
    """Return the rules of a scenario's sanctions that hold for a cargo.

    Parameters
    ----------
    tables
        The atlas.
    measures
        A scenario's measures.
    start, end
        Places; their countries are the flags of the goods, as exporter and importer.
    commodity
        What is carried.
    year
        In which blocs are asked for their members.

    Returns
    -------
    tuple of CargoRule
        Trade that is only narrowed (a share above 0) or made dearer by payments may go any way, and has no rule.
    """
    home = place_countries(tables)
    iso3 = dict(tables["countries"].select("iso2", "iso3").iter_rows())
    ends = (iso3.get(home[start]), iso3.get(home[end]))
    (row,) = [r for r in tables["commodities"].select("id", "group", "baci_products").rows() if r[0] == commodity]
    names = {"*", row[0], row[1], *(row[2] or ())}
    rules = []
    for measure in measures:
        if not isinstance(measure, Sanction) or measure.commodity not in names:
            continue
        sides = [traders(tables, who, year) for who in (measure.exporter, measure.importer)]
        ways = [ends, *([ends[::-1]] if measure.both_ways else [])]
        if not any(all(s is None or e in s for s, e in zip(sides, way, strict=True)) for way in ways):
            continue
        forbidden = measure.share == 0
        passed = tuple(c for c in measure.barred_countries if c not in (home[start], home[end]))
        if forbidden or passed or measure.barred_operators:
            what = "all goods" if measure.commodity == "*" else measure.commodity
            who = f"{what} from {measure.exporter} to {measure.importer}".replace("*", "anywhere")
            rules.append(CargoRule(who, forbidden, passed, measure.barred_operators))
    return tuple(rules)


def entering(net: Network, country: str) -> B1:
    """Tell which arcs bring goods into a country: over its borders, from a ship ashore, or at their start in it."""
    if country not in net.countries:
        return np.zeros(net.arc_count, np.bool_)
    number = net.countries.index(country)
    water = np.array([state.rstrip(">") in ROLL_ON for state in net.states])[net.node_state[net.tail]]
    starts = np.zeros(net.node_count, np.bool_)
    starts[net.zone_source[net.zone_source >= 0]] = True
    lands = (net.kind == ArcKind.TRANSFER) | (net.kind == ArcKind.ACCESS)
    return np.asarray(
        ((net.kind == ArcKind.BORDER) & (net.country_to == number))
        | (lands & water & (net.country == number))
        | ((net.kind == ArcKind.ACCESS) & starts[net.tail] & (net.country == number))
    )


def insurance(tables: Tables, commodity: str, *, start: str, end: str, percent: float, tonnes: float) -> Leg:
    """Return the leg of an insurance: per cent of the goods' value, paid by the shipper.

    Parameters
    ----------
    tables
        The atlas, for the value of the goods.
    commodity
        What is carried.
    start, end
        Places.
    percent
        Premium, per cent of value.
    tonnes
        What the answer is stated for.
    """
    rows = {row["id"]: row for row in tables["commodities"].to_dicts()}
    usd = percent / 100 * rows[commodity]["value_usd_t"] * tonnes
    return Leg(
        type="insurance",
        from_place=start,
        to_place=end,
        cost_usd=usd,
        fee_usd=usd,
        basis=(f"commodities {commodity}",),
        price_year=rows[commodity]["price_year"],
    )


def empty_return(finder: RouteFinder, start: str, end: str, *, teu: float, usable: B1) -> Leg | None:
    """Return the leg of a shipper's own box on its cheapest way back, empty; None where no way leads back.

    The goods do not wait for it, so it takes none of their hours; its CO2 is that of the box's own weight.

    Parameters
    ----------
    finder
        The network.
    start, end
        Where the goods start and end.
    teu
        Boxes the answer is stated for.
    usable : bool[m]
        Arcs that the conditions of the question leave.
    """
    net, goods = finder.network, finder.goods
    source, sink = int(net.zone_source[finder.zone[end]]), int(net.zone_sink[finder.zone[start]])
    if source < 0 or sink < 0:
        return None
    arcs = routes.best(net, np.where(usable & net.container, net.money_empty_usd_teu, np.inf), source, sink)
    if arcs is None:
        return None
    usd = float(net.money_empty_usd_teu[arcs].sum()) * teu
    tonnes = float(goods.t_per_teu[goods.empty]) * teu
    runs = arcs[net.kind[arcs] == ArcKind.MOVE]
    by_mode = {mode: float(net.length_km[runs[net.mode[runs] == i]].sum()) for i, mode in enumerate(MODES)}
    written = [finder.prices.written(int(arc), box=True)[0] for arc in arcs]
    return Leg(
        type="empty return",
        from_place=end,
        to_place=start,
        mode=max(by_mode, key=lambda mode: by_mode[mode]),
        cost_usd=usd,
        fee_usd=usd,
        co2_kg=float(net.co2_g_t[arcs].sum()) / 1000 * tonnes,
        basis=tuple(dict.fromkeys(name for name in written if name)),
    )
