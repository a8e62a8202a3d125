"""Step 4: the zones of a country with their shares, and flows dealt out over pairs of zones."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.model.demand.names import Names, meant, winners
from landbridge.model.demand.records import DemandTables

__all__ = ["Ends", "Pairs", "dealt_out", "pairs_of", "spread", "zone_ends"]

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ends:
    """Zones with their shares, set by set; and which set a country's trade of a commodity with a partner has.

    Attributes
    ----------
    zones
        By set and side (0 exports, 1 imports): (zone, share) of those with a share.
    which : int32[E, K, E]
        Set of a country, commodity and partner; -1 where the country has no zones.
    """

    zones: tuple[tuple[list[tuple[int, float]], list[tuple[int, float]]], ...]
    which: npt.NDArray[np.int32]


def zone_ends(tables: DemandTables, names: Names, countries: Sequence[str], commodities: Sequence[str]) -> Ends:
    """Find the shares that hold: those of the nearest partner, then those that name the commodity."""
    index = {name: i for i, name in enumerate(tables["zones"]["id"])}
    home = dict(zip(tables["zones"]["id"], tables["zones"]["country"], strict=True))
    rows: dict[str, dict[tuple[str, str], dict[str, tuple[float, float]]]] = {}
    stated = tables["zone_shares"]
    columns = (stated[c] for c in ("zone", "commodity", "partner", "export_share", "import_share"))
    for zone, commodity, partner, out, into in zip(*columns, strict=True):
        rows.setdefault(home[zone], {}).setdefault((commodity, partner), {})[zone] = (out or 0.0, into or 0.0)
    which = np.full((len(countries), len(commodities), len(countries)), -1, np.int32)
    partners = meant(names, countries)
    sets: list[tuple[list[tuple[int, float]], list[tuple[int, float]]]] = []
    for number, country in enumerate(countries):
        own = rows.get(names.iso2_of.get(country, country))
        if not own:
            continue
        found = winners(own, partners, len(countries), commodities)
        which[number] = np.where(found >= 0, found + len(sets), -1)
        for shares in own.values():
            totals = [sum(share[side] for share in shares.values()) for side in (0, 1)]
            first, second = (
                [(index[z], s[side] / totals[side]) for z, s in shares.items() if s[side] > 0] for side in (0, 1)
            )
            sets.append((first, second))
    return Ends(tuple(sets), which)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of zones of two ends, and their shares laid end to end."""

    start: I8
    end: I8
    share: F8
    total: float
    bounds: F8


def pairs_of(starts: Sequence[tuple[int, float]], ends: Sequence[tuple[int, float]]) -> Pairs:
    """Pair every zone of one end with every other zone of the other."""
    pairs = [(s, e, a * b) for s, a in starts for e, b in ends if s != e and a * b > 0]
    start, end = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    share = np.array([pair[2] for pair in pairs], np.float64)
    bounds = np.cumsum(share)
    total = float(bounds[-1]) if pairs else 0.0
    return Pairs(start, end, share, total, bounds / total if pairs else bounds)


def place_of(name: str) -> float:
    """Where in its first lot a flow begins: fixed by its name, and spread evenly over names."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest()) / 2**48


def dealt_out(pairs: Pairs, tonnes: F8, least: float, begin: F8) -> tuple[I8, I8, F8]:
    """Deal flows between the same two ends out over pairs of zones, in lots of at least ``least``.

    Every pair of zones gets its share where the lots are small enough. Where they are not, equal lots are dealt out by
    systematic sampling over the pairs, laid end to end by their shares: lot k falls on the pair at (k + u) / n. The
    start u is fixed by the name of the flow, so that a flow is dealt out alike in every scenario, and spread evenly
    over flows, so that over many small flows each zone gets its share (Madow 1949).

    Parameters
    ----------
    pairs
        At least one.
    tonnes, begin : float64[N]
        The flows, and their u.
    least
        Tonnes of a lot; zero deals out everything by its share.

    Returns
    -------
    flow, pair : int64[M]
        In ascending order.
    tonnes : float64[M]
    """
    size = pairs.share.size
    lots = np.maximum(1, (tonnes / least).astype(np.int64)) if least > 0 else np.full(tonnes.size, size, np.int64)
    all_of_them = (lots >= size) & (pairs.share.min() * tonnes / pairs.total >= least)
    whole = np.flatnonzero(all_of_them)
    flow = [np.repeat(whole, size)]
    pair = [np.tile(np.arange(size), whole.size)]
    amount = [(tonnes[whole, None] * pairs.share[None, :] / pairs.total).ravel()]
    rest = np.flatnonzero(~all_of_them)
    if rest.size:
        number = lots[rest]
        owner = np.repeat(rest, number)
        nth = np.arange(owner.size) - np.repeat(np.cumsum(number) - number, number)
        at = np.searchsorted(pairs.bounds, (nth + begin[owner]) / lots[owner], side="right")
        at = np.minimum(at, size - 1)
        new = np.append(True, (np.diff(owner) != 0) | (np.diff(at) != 0))
        count = np.diff(np.append(np.flatnonzero(new), owner.size))
        flow.append(owner[new])
        pair.append(at[new])
        amount.append((tonnes / lots)[owner[new]] * count)
    flows, found, amounts = np.concatenate(flow), np.concatenate(pair), np.concatenate(amount)
    order = np.argsort(flows, kind="stable")
    return flows[order], found[order], amounts[order]


def spread(
    starts: Sequence[tuple[int, float]], ends: Sequence[tuple[int, float]], tonnes: float, least: float, name: str
) -> list[tuple[int, int, float]]:
    """Deal one flow out (see `dealt_out`).

    Parameters
    ----------
    starts, ends
        (zone, share) of the two countries.
    tonnes
        The flow.
    least
        Tonnes of a lot.
    name
        Its name.

    Returns
    -------
    list of (start, end, tonnes)
    """
    pairs = pairs_of(starts, ends)
    if not pairs.share.size:
        return []
    _, found, amounts = dealt_out(pairs, np.array([tonnes]), least, np.array([place_of(name)]))
    return list(zip(pairs.start[found].tolist(), pairs.end[found].tolist(), amounts.tolist(), strict=True))
