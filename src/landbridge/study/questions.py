"""Questions about routes, made from names as people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from landbridge.data.names import find_country, find_place
from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, NoRoute, UnknownName
from landbridge.model.network import MODES
from landbridge.model.routes import CRITERIA

__all__ = ["Question", "conditions", "question"]

#: Stands for the atlas' own table where a premium is asked for.
ATLAS_PREMIUMS = "atlas"
#: Above the value of the goods nobody insures.
MOST_PREMIUM_PCT = 100.0


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of the routes between two places; `question` makes one from names as people write them.

    Attributes
    ----------
    start, end
        Places.
    commodity
        What is carried.
    objectives
        Of `landbridge.model.routes.CRITERIA`. None: by generalised cost. One: the best by it first, then what trades
        it against generalised cost. Several: the efficient set over them.
    avoid_countries, avoid_crossings, avoid_links, avoid_operators, avoid_modes, avoid_gauges
        Bans; no part of a route may touch what they name.
    only_borders
        The only crossings that may be passed; None allows all.
    via
        Places to pass, in order.
    max_borders, max_gauge_changes
        Limits.
    deadline_h
        Hours within which the cargo must be there in the mean; routes also tell how likely they keep it.
    count
        The most routes.
    feu
        Whether a box is a 40-foot one.
    epsilon
        Zero for the exact efficient set; see `landbridge.model.pareto`.
    ranked
        Whether to give the cheapest simple routes one after another, however much they have in common.
    premiums
        What insurers ask or shippers feel, per cent of the goods' value for each time they enter a country.
    market_premiums
        Whether the premiums of the atlas count too.
    insurance_pct
        Premium of an insurance of the goods, per cent of their value; None for none.
    own_box
        Whether the box is the shipper's and comes back empty; a carrier's box is in the rates.
    """

    start: str
    end: str
    commodity: str = "machinery_box"
    objectives: tuple[str, ...] = ()
    avoid_countries: tuple[str, ...] = ()
    avoid_crossings: tuple[str, ...] = ()
    avoid_links: tuple[str, ...] = ()
    avoid_operators: tuple[str, ...] = ()
    avoid_modes: tuple[str, ...] = ()
    avoid_gauges: tuple[int, ...] = ()
    only_borders: tuple[str, ...] | None = None
    via: tuple[str, ...] = ()
    max_borders: int | None = None
    max_gauge_changes: int | None = None
    deadline_h: float | None = None
    count: int = 5
    feu: bool = True
    epsilon: float = 0.0
    ranked: bool = False
    premiums: tuple[tuple[str, float], ...] = ()
    market_premiums: bool = False
    insurance_pct: float | None = None
    own_box: bool = False


def question(
    tables: Tables,
    start: str,
    end: str,
    *,
    avoid: Sequence[str] = (),
    modes: Sequence[str] = (),
    only_borders: Sequence[str] = (),
    via: Sequence[str] = (),
    premiums: Sequence[str] = (),
    **given: Any,
) -> Question:
    """Make a question from names as people write them.

    Parameters
    ----------
    tables
        The atlas.
    start, end, via
        Places by name, id or UN/LOCODE.
    avoid
        Countries by code or name, crossings, links and operators by id, modes, and gauges in mm.
    modes
        The only modes allowed; all when empty.
    only_borders
        The only crossings that may be passed, by id, or by two country codes as in ``KZ-RU`` for all between them; all
        when empty.
    premiums
        Countries with what is asked for entering them, per cent of the goods' value, as ``RU=0.5``; ``atlas`` for the
        table of premiums.
    **given
        Other fields of `Question`.

    Returns
    -------
    Question

    Raises
    ------
    UnknownName
        For a name that is not in the atlas, or an objective that does not exist.
    NoRoute
        If both ends are the same place.
    """
    asked = conditions(
        tables,
        start,
        end,
        avoid=avoid,
        modes=modes,
        only_borders=only_borders,
        via=via,
        premiums=premiums,
        **given,
    )
    if asked.start == asked.end:
        raise NoRoute(f"{start!r} and {end!r} are the same place ({asked.start})")
    return asked


def conditions(
    tables: Tables,
    start: str,
    end: str,
    *,
    avoid: Sequence[str] = (),
    modes: Sequence[str] = (),
    only_borders: Sequence[str] = (),
    via: Sequence[str] = (),
    premiums: Sequence[str] = (),
    **given: Any,
) -> Question:
    """Make a question as `question` does, where its two ends may be one place: the terms of a table of many pairs."""
    origin, destination = find_place(tables, start), find_place(tables, end)
    for mode in modes:
        if mode not in MODES:
            raise UnknownName("mode", mode, MODES)
    for objective in given.get("objectives", ()):
        if objective not in CRITERIA:
            raise UnknownName("objective", objective, CRITERIA)
    crossings, links = set(tables["crossings"]["id"]), set(tables["links"]["id"])
    operators = set(tables["operators"]["id"]) if "operators" in tables else set()
    kinds = ("countries", "crossings", "links", "operators", "modes", "gauges")
    banned: dict[str, list[Any]] = {kind: [] for kind in kinds}
    for name in avoid:
        if name in MODES:
            banned["modes"].append(name)
        elif name.isdecimal():
            banned["gauges"].append(_gauge(tables, int(name)))
        elif name in crossings:
            banned["crossings"].append(name)
        elif name in links:
            banned["links"].append(name)
        elif name in operators:
            banned["operators"].append(name)
        else:
            banned["countries"].append(find_country(tables, name))
    if modes:
        banned["modes"] += [mode for mode in MODES if mode not in modes]
    names: dict[str, Any] = {f"avoid_{kind}": tuple(dict.fromkeys(each)) for kind, each in banned.items()}
    return Question(
        start=origin,
        end=destination,
        via=tuple(find_place(tables, place) for place in via),
        premiums=tuple(_premium(tables, text) for text in premiums if text != ATLAS_PREMIUMS),
        market_premiums=ATLAS_PREMIUMS in premiums,
        only_borders=_borders(tables, only_borders) if only_borders else None,
        **names,
        **given,
    )


def _premium(tables: Tables, text: str) -> tuple[str, float]:
    country, equals, percent = text.partition("=")
    try:
        value = float(percent)
    except ValueError:
        value = -1.0
    if not equals or not 0 < value <= MOST_PREMIUM_PCT:
        wanted = f"a country and per cent of the goods' value above 0 and up to {MOST_PREMIUM_PCT:g}, as RU=0.5"
        raise LandbridgeError(f"premium: wanted {wanted}, got {text!r}")
    return find_country(tables, country), value


def _gauge(tables: Tables, gauge: int) -> int:
    known = sorted({g for row in tables["links"]["gauges_mm"].to_list() for g in row or ()})
    if gauge not in known:
        raise LandbridgeError(f"unknown gauge {gauge} mm; there are {', '.join(map(str, known))}")
    return gauge


def _borders(tables: Tables, names: Sequence[str]) -> tuple[str, ...]:
    """Crossings by id, or all between two countries."""
    ends = dict(tables["links"].select("id", pl.concat_list("place_a", "place_b")).rows())
    home = dict(tables["places"].select("id", "iso2").rows())
    sides = {
        row["id"]: frozenset(row[f"country_{side}"] or home[ends[row["link"]][i]] for i, side in enumerate(("a", "b")))
        for row in tables["crossings"].select("id", "link", "country_a", "country_b").to_dicts()
    }
    found: list[str] = []
    for name in names:
        pair = re.fullmatch(r"([A-Za-z]{2})-([A-Za-z]{2})", name)
        if name in sides:
            found.append(name)
        elif pair is not None:
            wanted = frozenset(find_country(tables, code) for code in pair.groups())
            found += [crossing for crossing, both in sides.items() if both == wanted]
            if wanted not in sides.values():
                raise UnknownName("border", name, sorted("-".join(sorted(both)) for both in set(sides.values())))
        else:
            raise UnknownName("crossing", name, list(sides))
    return tuple(dict.fromkeys(found))
