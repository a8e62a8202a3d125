"""Tables of the best route from many places to many others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.names import find_place, fold
from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, UnknownName
from landbridge.model import paths, routes
from landbridge.model.costs import class_co2
from landbridge.model.network import Network
from landbridge.model.skims import skim
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Measure
from landbridge.study.asking import usable_arcs
from landbridge.study.questions import Question
from landbridge.study.routing import RouteFinder, box_tonnes
from landbridge.study.solve import free_time_h

__all__ = ["BY", "places_of", "skim_table"]

F8 = npt.NDArray[np.float64]

#: Weight of a USD of generalised cost beside another objective, small against any step of that.
TIE = 1e-9

#: What the best route of a pair is the best by.
BY = ("generalised", "time", "cost", "co2", "borders", "gauge_changes", "risk")


def places_of(tables: Tables, names: Sequence[str]) -> list[str]:
    """Return the places that names mean.

    Parameters
    ----------
    tables
        The atlas.
    names
        Places by name, id or UN/LOCODE; a country's two-letter code for the places of its zones; ``zones`` for all.

    Returns
    -------
    list of str
        Each place once, in order.
    """
    home = dict(tables["places"].select("id", "iso2").rows())
    zones = tables["zones"]["place"].to_list()
    found: list[str] = []
    for name in names:
        if fold(name) == "zones":
            found += zones
        elif len(name) == 2 and name.isupper():
            inside = [place for place in zones if home[place] == name]
            if not inside:
                raise UnknownName("country with zones", name, sorted({home[place] for place in zones}))
            found += inside
        else:
            found.append(find_place(tables, name))
    if not found:
        raise LandbridgeError("wanted at least one place, a country's code, or zones")
    return list(dict.fromkeys(found))


def skim_table(
    tables: Tables,
    starts: Sequence[str],
    ends: Sequence[str],
    asked: Question,
    *,
    year: int,
    by: str = "generalised",
    measures: Sequence[Measure] = (),
    held: frozenset[str] = frozenset(),
    hours: Callable[[Network], F8] = free_time_h,
) -> pl.DataFrame:
    """Describe the best route of every pair.

    Parameters
    ----------
    tables
        The atlas.
    starts, ends
        Places, from `places_of`.
    asked
        Commodity, box and bans; its own places, limits and places to pass are not used.
    year
        The year whose network is used.
    by
        Of `BY`.
    measures, held, hours
        As for `landbridge.study.asking.ask`.

    Returns
    -------
    polars.DataFrame
        from, to, status (``found``, ``no route``, ``same place``), time_h, cost_usd, generalised_usd, co2_kg,
        length_km, borders, gauge_changes, risk; a pair a row, the ends within the starts.

    Raises
    ------
    UnknownName
        For what ``by`` does not know, or a commodity that is not in the atlas.
    """
    if by not in BY:
        raise UnknownName("objective", by, BY)
    places = list(dict.fromkeys([*starts, *ends]))
    applied = apply(tables, measures, year, held=held)
    finder = RouteFinder(applied.tables, places, hours=hours, payments=applied.payments)
    net, commodity = finder.network, finder.commodity(asked.commodity)
    units = box_tonnes(finder.goods, commodity, asked.feu)
    general = finder.cost(commodity)
    values = routes.criteria(net, finder.price(commodity), finder.time_h, class_co2(net, finder.goods, commodity))
    usable = usable_arcs(finder, replace(asked, start=places[0], end=places[-1], via=()))
    # of equals by anything else the cheapest by generalised cost: a hair of it decides
    best = general if by == "generalised" else values[by] + TIE * np.where(np.isfinite(general), general, 0.0)
    rows = np.stack([*values.values(), np.where(np.isfinite(general), general, 0.0), net.length_km])
    graph = paths.graph(net.node_count, net.tail, net.head)
    sources = np.array([net.zone_source[finder.zone[p]] for p in starts])
    sinks = np.array([net.zone_sink[finder.zone[p]] for p in ends])
    cost, sums = skim(graph, np.where(usable, best, np.inf), rows, np.maximum(sources, 0), np.maximum(sinks, 0))
    there = np.isfinite(cost) & (sources >= 0)[:, None] & (sinks >= 0)[None, :]
    same = np.array([[a == b for b in ends] for a in starts])
    kept = there & ~same
    total = dict(zip([*values, "generalised", "km"], sums, strict=True))

    def column(name: str, factor: float = 1.0) -> list[float | None]:
        flat, open_ = total[name].ravel() * factor, kept.ravel()
        return [float(v) if ok else None for v, ok in zip(flat.tolist(), open_.tolist(), strict=True)]

    def whole(name: str) -> list[int | None]:
        return [None if v is None else round(v) for v in column(name)]

    return pl.DataFrame(
        {
            "from": np.repeat(list(starts), len(ends)),
            "to": list(ends) * len(starts),
            "status": np.where(same, "same place", np.where(there, "found", "no route")).ravel(),
            "time_h": column("time"),
            "cost_usd": column("cost", units),
            "generalised_usd": column("generalised", units),
            "co2_kg": column("co2", units),
            "length_km": column("km"),
            "borders": whole("borders"),
            "gauge_changes": whole("gauge_changes"),
            "risk": column("risk"),
        },
        schema_overrides={
            **dict.fromkeys(("time_h", "cost_usd", "generalised_usd", "co2_kg", "length_km", "risk"), pl.Float64),
            "borders": pl.Int64,
            "gauge_changes": pl.Int64,
        },
    )
