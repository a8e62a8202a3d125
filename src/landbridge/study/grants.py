"""What provinces and states pay towards a train by the atlas' subsidies: told beside the price, not taken off it.

Rates in the atlas are gross: what is charged, whoever pays. A grant goes to the company that runs the train, and what
of it reaches the shipper is not published; since 2022 not even its amount is. So the price of a route, and every choice
that the model makes, is gross, and a leg tells beside it what others pay. A study that assumes that shippers get it
all takes it off by the measure ``subsidise``.

A row counts for boxes that cross the payer's border by rail on their way to or from its partners, in its years. Its
amount is the mean a box, never above its cap, which is a share of the whole freight by rail; where only the cap is
known it is the most that may be paid; where neither is, it is not published. It is dealt out over the legs by rail in
proportion to their tariff, as the cap is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from landbridge.data.tables import Tables
from landbridge.study.legs import Leg

__all__ = ["Grant", "grants_of", "with_grants"]

Known = Literal["mean", "at most", "not published"]


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A payer's part in a route, by a row of the table subsidies; ``usd`` is None where it is not published."""

    payer: str
    country: str
    row: str
    usd: float | None
    known: Known


def grants_of(
    tables: Tables,
    legs: Sequence[Leg],
    crossed: frozenset[str],
    *,
    start: str,
    end: str,
    year: int,
    teu: float,
) -> tuple[Grant, ...]:
    """Return the grants for a route of boxes.

    Parameters
    ----------
    tables
        The atlas.
    legs
        Of the route.
    crossed
        Countries whose borders it crosses by rail.
    start, end
        Places.
    year
        In which it runs.
    teu
        Boxes that the legs are priced for.
    """
    if "subsidies" not in tables:
        return ()
    home = dict(tables["places"].select("id", "iso2").rows())
    blocs: dict[str, set[str]] = {}
    for name, country in tables["blocs"].select("bloc", "iso2").iter_rows():
        blocs.setdefault(name, set()).add(country)
    freight = sum(leg.tariff_usd for leg in legs if _by_rail(leg))
    found = []
    for row in tables["subsidies"].to_dicts():
        payer = row["country"]
        own, other = (start, end) if home[start] == payer else (end, start)
        way = "export" if own == start else "import"
        if home[own] != payer or home[other] == payer or payer not in crossed or way not in row["direction"]:
            continue
        if row["place"] and row["place"] != own:
            continue
        if not row["year_from"] <= year <= (row["year_to"] or year):
            continue
        if row["partners"] and home[other] not in blocs[row["partners"]]:
            continue
        cap = None if row["cap_share_pct"] is None else row["cap_share_pct"] / 100 * freight
        usd: float | None = None
        known: Known = "not published"
        if row["usd_teu"] is not None:
            usd, known = row["usd_teu"] * teu, "mean"
            if cap is not None and cap < usd:
                usd, known = cap, "at most"
        elif cap is not None:
            usd, known = cap, "at most"
        found.append(Grant(payer=row["payer"], country=payer, row=f"subsidies {row['id']}", usd=usd, known=known))
    return tuple(found)


def with_grants(legs: Sequence[Leg], grants: Sequence[Grant]) -> list[Leg]:
    """Return the legs with what the payers of grants give towards each."""
    if not grants:
        return list(legs)
    freight = sum(leg.tariff_usd for leg in legs if _by_rail(leg))
    amounts = [grant.usd for grant in grants if grant.usd is not None]
    told = tuple(grant.payer for grant in grants)
    return [
        replace(leg, grant_usd=sum(amounts) * leg.tariff_usd / freight if amounts and freight else None, grant_by=told)
        if _by_rail(leg)
        else leg
        for leg in legs
    ]


def _by_rail(leg: Leg) -> bool:
    return leg.type == "move" and leg.mode == "rail"
