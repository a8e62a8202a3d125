"""The legs of a route: what each stage takes, what it costs, who pays, and on which row of the atlas that rests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.model.network import MODES, OPTIONS, ArcKind, Network
from landbridge.scenario.edits import Payment

__all__ = ["SHIPPER", "Leg", "Prices", "legs_of"]

F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]

#: Who pays where nobody else is named.
SHIPPER = "shipper"

#: The word for a kind of arc as a type of leg; two further types, the empty return and insurance, lie on no arc.
TYPES = {
    ArcKind.MOVE: "move",
    ArcKind.BORDER: "border",
    ArcKind.GAUGE: "gauge change",
    ArcKind.TRANSFER: "transfer",
    ArcKind.WAIT: "wait",
    ArcKind.ACCESS: "access",
}


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One stage of a route: a run, a border, a change of gauge, a transfer, a wait, access, an empty return, insurance.

    ``cost_usd`` is what the payer pays: ``tariff_usd`` (the price of a run) and ``fee_usd`` (handling, border charges,
    tolls) less ``subsidy_usd``, which ``subsidy_by`` pays. ``basis`` names the rows of the atlas on which the price
    rests, ``price_year`` the year of its dollars. ``grant_usd`` is what ``grant_by`` pay towards it by the table
    subsidies, beside the price and not taken off it (see `landbridge.study.grants`); None where it is not known.
    ``third_h3`` is the third central moment of the hours where it is known; elsewhere a gamma distribution is assumed.
    """

    type: str
    from_place: str
    to_place: str
    mode: str = ""
    gauge_mm: int = 0
    option: str = ""
    country: str = ""
    crossing: str = ""
    links: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    payer: str = SHIPPER
    length_km: float = 0.0
    time_h: float = 0.0
    spread_h: float = 0.0
    third_h3: float | None = None
    cost_usd: float = 0.0
    tariff_usd: float = 0.0
    fee_usd: float = 0.0
    subsidy_usd: float = 0.0
    subsidy_by: tuple[str, ...] = ()
    grant_usd: float | None = 0.0
    grant_by: tuple[str, ...] = ()
    co2_kg: float = 0.0
    basis: tuple[str, ...] = ()
    price_year: int | None = None


class Prices:
    """What the price of an arc is made of, and where it is written.

    Parameters
    ----------
    tables
        That the network was built from.
    network
        The supernetwork.
    payments
        Money of the scenario's charges and subsidies, as `landbridge.scenario.apply` tells it.
    """

    def __init__(self, tables: Tables, network: Network, payments: Sequence[Payment] = ()) -> None:
        self.net = network
        self.rates = {(row["country"], row["mode"]): row for row in _rows(tables, "rates")}
        self.crossings = {row["id"]: row for row in _rows(tables, "crossings")}
        self.yards: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row in _rows(tables, "gauge_changes"):
            self.yards[row["place"], row["to_mm"], row.get("option"), row.get("cargo")] = row
        classes = {row["id"]: row for row in _rows(tables, "terminal_classes")}
        self.terminals: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row in _rows(tables, "terminals"):
            year = row.get("price_year") or classes.get(row.get("class") or "", {}).get("price_year")
            for one, other in ((row["from_mode"], row["to_mode"]), (row["to_mode"], row["from_mode"])):
                self.terminals[row["place"], one, other, row["cargo"]] = {**row, "price_year": year}
        self.access = {(row["mode"], row["cargo"]): row for row in _rows(tables, "access")}
        self.operators = {row["id"]: tuple(row.get("operators") or ()) for row in _rows(tables, "links")}
        self.length = {row["id"]: row["length_km"] for row in _rows(tables, "links")}
        self.season = {row["id"]: row.get("season_days") for row in _rows(tables, "links")}
        self.paid: dict[tuple[str, str], list[Payment]] = {}
        for payment in payments:
            self.paid.setdefault((payment.table, payment.row), []).append(payment)

    def levies(self, arc: int, *, box: bool) -> tuple[float, float, tuple[str, ...]]:
        """USD per TEU or tonne that a scenario adds to an arc and takes off it, and who pays the latter."""
        net, unit = self.net, "usd_teu" if box else "usd_t"
        if net.kind[arc] == ArcKind.MOVE:
            name = net.links[net.link[arc]]
            km, whole = float(net.length_km[arc]), self.length.get(name) or 0.0
            times = {f"charge_{unit}": km / whole if whole else 1.0, f"charge_{unit}_km": km}
            found = self.paid.get(("links", name), [])
        elif net.kind[arc] == ArcKind.BORDER and net.crossing[arc] >= 0:
            times = {f"cost_{'ba' if net.backward[arc] else 'ab'}_{unit}": 1.0}
            found = self.paid.get(("crossings", net.crossings[net.crossing[arc]]), [])
        else:
            return 0.0, 0.0, ()
        sums = {True: 0.0, False: 0.0}
        for payment in found:
            sums[payment.usd > 0] += abs(payment.usd) * times.get(payment.column, 0.0)
        by = [p.party or "not named" for p in found if p.usd < 0 and p.column in times]
        return sums[True], sums[False], tuple(dict.fromkeys(by))

    def written(self, arc: int, *, box: bool) -> tuple[str, int | None]:
        """The row of the atlas that holds an arc's price, and the year of its dollars."""
        net, cargo = self.net, "container" if box else "bulk"
        mode = MODES[net.mode[arc]]
        table, row = "", None
        match ArcKind(int(net.kind[arc])):
            case ArcKind.MOVE:
                country = net.countries[net.country[arc]]
                table, row = "rates", self.rates.get((country, mode)) or self.rates.get(("*", mode))
            case ArcKind.BORDER if net.crossing[arc] >= 0:
                table, row = "crossings", self.crossings.get(net.crossings[net.crossing[arc]])
            case ArcKind.GAUGE:
                option = OPTIONS[net.option[arc]]
                place = net.places[net.place[arc]]
                table, row = "gauge_changes", self.yards.get((place, int(net.gauge_mm[arc]), option, cargo))
            case ArcKind.TRANSFER:
                before = _mode_at(net, int(net.tail[arc]))
                table, row = "terminals", self.terminals.get((net.places[net.place[arc]], before, mode, cargo))
            case ArcKind.ACCESS:
                table, row = "access", self.access.get((mode, cargo))
        return (f"{table} {row['id']}", row.get("price_year")) if row else ("", None)


def legs_of(
    net: Network,
    arcs: I4,
    *,
    price: F8,
    time_h: F8,
    co2_g_t: F8,
    units: float,
    teu_per_t: float | None,
    prices: Prices,
    border_at: Mapping[str, str],
    season: str = "mean",
) -> list[Leg]:
    """Give a chain of arcs names and parts; runs in a row of one mode, gauge, country and operator are one leg.

    Parameters
    ----------
    net
        The supernetwork.
    arcs
        The chain.
    price, time_h, co2_g_t : float64[m]
        USD per tonne, hours, and grams per tonne, of every arc.
    units
        Tonnes that costs and CO2 are stated for.
    teu_per_t
        Boxes a tonne fills; None for bulk.
    prices
        What prices are made of.
    border_at
        Crossing on each link that has one.
    season
        As the network was built.

    Returns
    -------
    list of Leg
    """
    box = teu_per_t is not None
    per_t = teu_per_t or 1.0
    groups: list[list[int]] = []
    for arc in arcs.tolist():
        last = groups[-1][-1] if groups else None
        if last is not None and net.kind[arc] == ArcKind.MOVE and _alike(net, prices, arc, last):
            groups[-1].append(arc)
        else:
            groups.append([arc])
    legs = []
    # a node inside a link has no place: it is the border that follows or has just been crossed
    here = _place(net, int(net.head[arcs[0]]))
    for group in groups:
        first, last = group[0], group[-1]
        kind = ArcKind(int(net.kind[first]))
        if kind == ArcKind.WAIT and net.time_h[first] == 0:
            continue  # stays on its truck or ship
        start = here
        end = _place(net, int(net.head[last]))
        if not end and kind == ArcKind.ACCESS:
            end = here
        elif not end and kind == ArcKind.WAIT:
            end = start
        elif not end:
            link = net.links[int(net.link[last])]
            end = border_at.get(link, link) if kind in (ArcKind.MOVE, ArcKind.BORDER) else start
        here = end
        crossing = int(net.crossing[first])
        levies = [prices.levies(arc, box=box) for arc in group]
        toll = sum(levy[0] for levy in levies) * per_t * units
        subsidy = sum(levy[1] for levy in levies) * per_t * units
        paid = float(price[group].sum() * units)
        written = [prices.written(arc, box=box) for arc in group]
        years = [year for _, year in written if year]
        links = tuple(net.links[int(net.link[a])] for a in group if net.link[a] >= 0)
        gross = paid + subsidy
        legs.append(
            Leg(
                type=TYPES[kind],
                from_place=start,
                to_place=end,
                mode=MODES[int(net.mode[first])],
                gauge_mm=int(net.gauge_mm[first]),
                option=OPTIONS[int(net.option[first])],
                country=net.countries[int(net.country[first])],
                crossing=net.crossings[crossing] if crossing >= 0 else "",
                links=links,
                operators=tuple(dict.fromkeys(o for link in links for o in prices.operators.get(link, ()))),
                length_km=float(net.length_km[group].sum()),
                time_h=float(time_h[group].sum()),
                spread_h=float(net.spread_h[group].sum()),
                third_h3=_third(net, prices, first, season) if kind == ArcKind.WAIT else None,
                cost_usd=paid,
                tariff_usd=gross - toll if kind == ArcKind.MOVE else 0.0,
                fee_usd=toll if kind == ArcKind.MOVE else gross,
                subsidy_usd=subsidy,
                subsidy_by=tuple(dict.fromkeys(who for _, _, by in levies for who in by)),
                co2_kg=float(co2_g_t[group].sum() / 1000 * units),
                basis=tuple(dict.fromkeys(name for name, _ in written if name)),
                price_year=max(years, default=None),
            )
        )
    return legs


def _rows(tables: Tables, name: str) -> Iterable[dict[str, Any]]:
    return tables[name].to_dicts() if name in tables else []


def _alike(net: Network, prices: Prices, arc: int, other: int) -> bool:
    columns = (net.kind, net.mode, net.gauge_mm, net.country)
    return all(column[arc] == column[other] for column in columns) and (
        prices.operators.get(net.links[net.link[arc]]) == prices.operators.get(net.links[net.link[other]])
    )


def _place(net: Network, node: int) -> str:
    number = int(net.node_place[node])
    return net.places[number] if number >= 0 else ""


def _mode_at(net: Network, node: int) -> str:
    return str(net.states[net.node_state[node]].split(":")[0].rstrip(">"))


def _third(net: Network, prices: Prices, arc: int, season: str) -> float:
    """Third central moment of a wait: none from the headway, which is uniform; that of a closed season is skewed."""
    days = prices.season.get(net.links[int(net.link[arc])]) if net.link[arc] >= 0 else None
    if days is None or season == "open":
        return 0.0
    year_h, closed = 365.0 * 24.0, max(365.0 - days, 0.0) * 24.0
    first, second, third = (closed ** (n + 1) / ((n + 1) * year_h) for n in (1, 2, 3))
    return float(third - 3 * first * second + 2 * first**3)
