"""Whose goods may not pass which countries: sanctions bar all goods of a trade, some owners bar their own.

Where a part of a relation's owners refuses some countries (`refusals`, see `landbridge.scenario.years`), the relation
is told apart into those who do and those who do not; both choose among the ways that are left to them, and the parts
add to the whole.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.model.demand import Demand, names_of
from landbridge.model.network import Network

__all__ = ["by_owner", "masks_of"]

I4 = npt.NDArray[np.int32]
B1 = npt.NDArray[np.bool_]

#: A part of a relation below this is none: it would be a relation of its own for nothing.
LEAST = 1e-6
#: Columns of a demand that each relation has one of.
RELATION = ("origin", "destination", "commodity", "exporter", "importer", "captive")


def _barred(tables: Tables, demand: Demand) -> list[str]:
    """Countries that the goods of each relation may not pass under sanctions, divided by semicolons."""
    found: dict[tuple[str, str, str], str] = {}
    commodities = tables["commodities"].select("id", "group", "baci_products").rows()
    for table, column in (("trade", "commodity"), ("bulk_trade", "product")):
        frame = tables[table]
        if "barred" not in frame.columns:
            continue
        for exporter, importer, what, countries in (
            frame.filter(frame["barred"] != "").select("exporter", "importer", column, "barred").iter_rows()
        ):
            for commodity, group, products in commodities:
                if what == group if table == "trade" else what in (products or ()):
                    found[exporter, importer, commodity] = countries
    if not found:
        return [""] * demand.relation_count
    ends = zip(demand.exporter.tolist(), demand.importer.tolist(), demand.commodity.tolist(), strict=True)
    names, goods = demand.countries, demand.commodities
    return [found.get((names[e], names[i], goods[c]), "") for e, i, c in ends]


def _refused(tables: Tables, demand: Demand) -> dict[str, npt.NDArray[np.float64]]:
    """Part of each relation whose owners refuse a set of countries, by the set."""
    found: dict[str, npt.NDArray[np.float64]] = {}
    if "refusals" not in tables or tables["refusals"].is_empty():
        return found
    names = names_of(tables["countries"].to_dict(as_series=False), tables["blocs"].to_dict(as_series=False))
    meant = [set(names.names(country)) for country in demand.countries]
    iso2 = [{c for c in own if len(c) == 2} for own in meant]
    for row in tables["refusals"].to_dicts():
        one, other = (np.array([row[side] in own for own in meant], np.bool_) for side in ("one", "other"))
        passed = set(row["countries"])
        # who is at home there cannot keep away
        at_home = np.array([bool(passed & own) for own in iso2], np.bool_)
        one, other = one & ~at_home, other & ~at_home
        e, i = demand.exporter, demand.importer
        hit = (one[e] & other[i]) | (other[e] & one[i])
        if row["goods"]:
            hit &= np.array([c in row["goods"] for c in demand.commodities], np.bool_)[demand.commodity]
        key = ";".join(sorted(passed))
        found[key] = found.get(key, np.zeros(demand.relation_count)) + hit * float(row["share"])
    return {key: np.minimum(share, 1.0) for key, share in found.items() if (share > LEAST).any()}


def by_owner(tables: Tables, demand: Demand) -> tuple[Demand, tuple[str, ...], I4]:
    """Tell relations apart by the countries that their goods may not pass.

    Parameters
    ----------
    tables
        Of one year.
    demand
        As it was built.

    Returns
    -------
    demand
        Perhaps with more relations: those of owners who refuse stand after the others. The tonnes add to the same.
    sets
        Sets of countries (two letters, divided by semicolons); the first is empty.
    which : int32[R]
        Which set each relation may not pass.
    """
    barred = _barred(tables, demand)
    parts: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], list[str]]] = []
    left = np.ones(demand.relation_count)
    for key, share in _refused(tables, demand).items():
        own = np.flatnonzero(share > LEAST)
        words = [";".join(sorted({*barred[r].split(";"), *key.split(";")} - {""})) for r in own.tolist()]
        parts.append((own, np.minimum(share[own], left[own]), words))
        left[own] -= parts[-1][1]
    stay = np.flatnonzero(left > LEAST)
    parts = [(stay, left[stay], [barred[r] for r in stay.tolist()]), *parts]
    words = [word for *_, each in parts for word in each]
    sets = ("", *(word for word in dict.fromkeys(words) if word))
    number = {word: n for n, word in enumerate(sets)}
    which = np.array([number[word] for word in words], np.int32)
    if len(parts) == 1:
        return demand, sets, which
    relation = np.concatenate([own for own, *_ in parts])
    part = np.concatenate([share for _, share, _ in parts])
    columns = {name: getattr(demand, name)[relation] for name in RELATION}
    return replace(demand, **columns, tonnes_yr=demand.tonnes_yr[relation] * part), sets, which


def masks_of(net: Network, sets: tuple[str, ...]) -> tuple[B1, ...]:
    """Arcs in each of the sets of countries."""
    found = []
    for names in sets:
        codes = [i for i, c in enumerate(net.countries) if c in names.split(";")]
        none = np.zeros(net.arc_count, np.bool_)
        found.append(np.isin(net.country, codes) | np.isin(net.country_to, codes) if codes else none)
    return tuple(found)
