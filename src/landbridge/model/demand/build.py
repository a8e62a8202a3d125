"""Steps 3 and 4: the matrix of a year split by mode and over zones, into relations and what is set apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from landbridge.errors import DataError, Fault
from landbridge.model.demand.goods import Matrix, grown, matrix
from landbridge.model.demand.names import Names, winning
from landbridge.model.demand.records import ASIDE, FIXED_MODES, SIZES, Demand, DemandTables
from landbridge.model.demand.zones import Pairs, dealt_out, pairs_of, place_of, zone_ends

__all__ = ["build", "largest", "scaled"]

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]


def build(
    tables: DemandTables,
    *,
    year: int,
    base_year: int = 2023,
    size: str = "corridor",
    growth: str = "mean",
    past: bool = False,
) -> Demand:
    """Build the demand of one year.

    Parameters
    ----------
    tables
        See `DemandTables`.
    year
        The year asked for.
    base_year
        The year of the trade matrix.
    size
        A key of `SIZES`: with ``corridor`` and ``reduced`` only the largest relations are kept, and what is left out
        is counted.
    growth
        A key of `GROWTH`: the mean path, or the lower or upper end of its range.
    past
        Whether the factors of the trade have taken it back to a year before ``base_year`` (`landbridge.model.past`).

    Returns
    -------
    Demand

    Raises
    ------
    DataError
        If a pair and commodity has no row of mode shares, the trade matrix has no row of the base year, or growth is
        not stated for the year.
    """
    last = max(tables["growth"]["to_year"], default=base_year)
    if not base_year <= year <= last and not (past and year < base_year):
        wanted = f"a year from {base_year}, the year of the trade matrix, to {last}, to which growth is stated"
        raise DataError("demand", [Fault("growth.csv", "", "year", wanted, str(year))])
    names = Names(tables["countries"], tables["blocs"])
    base = matrix(tables, names, base_year)
    if not base.tonnes_yr.size:
        raise DataError("demand", [Fault("trade.csv", "", "year", f"rows of {base_year}", "none")])
    amount = base.tonnes_yr * grown(tables, names, base, year=year, growth=growth)
    some = np.flatnonzero(amount > 0)
    amount, e, i, c = amount[some], base.exporter[some], base.importer[some], base.commodity[some]
    split = _by_mode(tables, names, base, e, i, c)
    least, most = SIZES[size]

    # STEP 3: what is set apart, and the parts that use the land network: firmly, then by choice.
    apart = [mode for mode in FIXED_MODES if mode != "rail"]
    taken = np.stack([split[mode] for mode in apart], axis=1)
    row, column = np.nonzero(taken)
    fixed_mode = np.array([FIXED_MODES.index(mode) for mode in apart])[column]
    fixed_tonnes = amount[row] * taken[row, column]
    parts = np.stack([split["rail"], split["switch"]], axis=1)
    flow, choice = np.nonzero(parts)
    tonnes = amount[flow] * parts[flow, choice]
    captive = choice == 0
    exporter, importer, commodity = e[flow], i[flow], c[flow]

    # STEP 4: over the zones of both ends.
    ends = zone_ends(tables, names, base.countries, base.commodities)
    sides = np.array([[bool(side) for side in found] for found in ends.zones] + [[False, False]], np.bool_)
    first, second = ends.which[exporter, commodity, importer], ends.which[importer, commodity, exporter]
    there = np.stack([sides[first, 0], sides[second, 1]], axis=1)
    missing = ~there
    lacking = np.stack([exporter, importer], axis=1)[missing]
    told = (tonnes[:, None] / np.maximum(missing.sum(axis=1), 1)[:, None] * np.ones(2))[missing]  # each counts once
    without = {base.countries[k]: 0.0 for k in lacking.tolist()}
    for country, lost in zip(lacking.tolist(), told.tolist(), strict=True):
        without[base.countries[country]] += lost
    both = np.flatnonzero(there.all(axis=1))
    keys = first[both].astype(np.int64) * len(ends.zones) + second[both]
    owner, start, end, lots = [], [], [], []
    inside = 0.0
    inner = np.zeros(keys.size, np.bool_)
    order = np.argsort(keys, kind="stable")
    bounds = np.append(np.flatnonzero(np.diff(keys[order], prepend=-1)), keys.size)
    for at, until in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        chosen = both[order[at:until]]
        pairs = pairs_of(ends.zones[first[chosen[0]]][0], ends.zones[second[chosen[0]]][1])
        if not pairs.share.size:
            inside += float(tonnes[chosen].sum())
            inner[order[at:until]] = True
            continue
        begin = _beginnings(base, pairs, exporter, importer, commodity, captive, chosen)
        which, pair, dealt = dealt_out(pairs, tonnes[chosen], least, begin)
        owner.append(chosen[which])
        start.append(pairs.start[pair])
        end.append(pairs.end[pair])
        lots.append(dealt)
    nothing = np.zeros(0, np.int64)
    whose, starts, stops = (np.concatenate([nothing, *each]) for each in (owner, start, end))
    amounts = np.concatenate([np.zeros(0), *lots])
    order = np.argsort(whose, kind="stable")
    whose, starts, stops, amounts = whose[order], starts[order], stops[order], amounts[order]

    # the trade of pairs of countries that never touch the land network is none of the study's business
    studied = np.zeros((len(base.countries), len(base.countries)), np.bool_)
    studied[exporter[whose], importer[whose]] = True
    kept = studied[e[row], i[row]]
    goods = len(base.commodities)
    unzoned = missing.any(axis=1)
    within = both[inner]
    aside = np.stack(
        [
            np.bincount(c[row[~kept]], weights=fixed_tonnes[~kept], minlength=goods),
            np.bincount(commodity[within], weights=tonnes[within], minlength=goods),
            np.bincount(commodity[unzoned], weights=tonnes[unzoned], minlength=goods),
            np.zeros(goods),
        ]
    )
    demand = Demand(
        zones=tuple(tables["zones"]["id"]),
        commodities=base.commodities,
        countries=base.countries,
        origin=starts.astype(np.int32),
        destination=stops.astype(np.int32),
        commodity=commodity[whose].astype(np.int32),
        exporter=exporter[whose].astype(np.int32),
        importer=importer[whose].astype(np.int32),
        tonnes_yr=amounts,
        captive=captive[whose],
        fixed_exporter=e[row[kept]].astype(np.int32),
        fixed_importer=i[row[kept]].astype(np.int32),
        fixed_commodity=c[row[kept]].astype(np.int32),
        fixed_mode=fixed_mode[kept].astype(np.int8),
        fixed_tonnes_yr=fixed_tonnes[kept],
        elsewhere_tonnes_yr=float(fixed_tonnes[~kept].sum()),
        within_zone_tonnes_yr=inside,
        without_zone=tuple(sorted(without.items(), key=lambda item: -item[1])),
        left_out_tonnes_yr=0.0,
        left_out_relations=0,
        unmatched_tonnes_yr=base.unmatched_tonnes_yr,
        aside_tonnes_yr=aside,
    )
    return largest(demand, most)


def _by_mode(tables: DemandTables, names: Names, base: Matrix, e: I8, i: I8, c: I8) -> dict[str, F8]:
    """Shares of each flow by mode, and the part that can switch."""
    shares = tables["mode_shares"]
    first, winner = winning(
        zip(*(shares[column] for column in ("exporter", "importer", "commodity")), strict=True),
        names,
        base.countries,
        base.commodities,
    )
    rule = winner[c, e, i]
    if (rule < 0).any():
        told = [
            f"{base.countries[e[n]]} to {base.countries[i[n]]}, {base.commodities[c[n]]}"
            for n in np.flatnonzero(rule < 0).tolist()
        ]
        raise DataError("demand", [Fault("mode_shares.csv", who, "", "a row that fits", "none") for who in told])
    row = np.array(first, np.int64)[rule]
    return {mode: np.nan_to_num(np.array(shares[mode], np.float64))[row] for mode in (*FIXED_MODES, "switch")}


def _beginnings(
    base: Matrix, pairs: Pairs, exporter: I8, importer: I8, commodity: I8, captive: npt.NDArray[np.bool_], chosen: I8
) -> F8:
    """Where each flow's first lot begins; that matters only where it has a choice of pairs."""
    if pairs.share.size == 1:
        return np.zeros(chosen.size)
    return np.array(
        [
            place_of(f"{base.countries[e]} {base.countries[i]} {base.commodities[k]} {firm}")
            for e, i, k, firm in zip(
                exporter[chosen].tolist(),
                importer[chosen].tolist(),
                commodity[chosen].tolist(),
                captive[chosen].tolist(),
                strict=True,
            )
        ],
        np.float64,
    )


def scaled(demand: Demand, relation: F8, fixed: F8) -> Demand:
    """Return the demand with every relation and every flow that is set apart multiplied.

    Parameters
    ----------
    demand
        Any demand.
    relation : float64[R]
    fixed : float64[S]

    Returns
    -------
    Demand
    """
    return replace(demand, tonnes_yr=demand.tonnes_yr * relation, fixed_tonnes_yr=demand.fixed_tonnes_yr * fixed)


def largest(demand: Demand, count: int | None) -> Demand:
    """Return the demand with only its largest relations; the rest is counted.

    Parameters
    ----------
    demand
        Any demand.
    count
        The most relations to keep; None keeps all. Ties go to the relation that stands first.

    Returns
    -------
    Demand
    """
    if count is None or demand.relation_count <= count:
        return demand
    order = np.lexsort((np.arange(demand.relation_count), -demand.tonnes_yr))
    kept = np.sort(order[:count])
    aside = demand.aside_tonnes_yr.copy()
    goods = len(demand.commodities)
    aside[ASIDE.index("left_out")] += np.bincount(
        demand.commodity[order[count:]], weights=demand.tonnes_yr[order[count:]], minlength=goods
    )
    return replace(
        demand,
        **{
            name: getattr(demand, name)[kept]
            for name in ("origin", "destination", "commodity", "exporter", "importer", "tonnes_yr", "captive")
        },
        left_out_tonnes_yr=demand.left_out_tonnes_yr + float(demand.tonnes_yr.sum() - demand.tonnes_yr[kept].sum()),
        left_out_relations=demand.left_out_relations + demand.relation_count - count,
        aside_tonnes_yr=aside,
    )
