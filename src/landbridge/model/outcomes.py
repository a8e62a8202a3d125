"""Outcomes: what the kept paths of an equilibrium say, added up by crossing, passage, link, country and choke point.

Everything here is a sum over paths or arcs; nothing is solved. Results are arrays with indices into the network's and
the demand's names; the study gives them back their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.model.network import ArcKind, Network

__all__ = ["PassageRule", "PathTable", "choke_points", "classify", "entries", "pairs_used", "sums"]

F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]
B1 = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PathTable:
    """Kept paths in compressed rows: path p has the arcs ``arcs[first[p]:first[p + 1]]``."""

    first: I4
    arcs: I4
    relation: I4
    tonnes_yr: F8

    @property
    def count(self) -> int:
        """Number of paths."""
        return len(self.relation)

    @property
    def owner(self) -> npt.NDArray[np.int64]:
        """Path of every entry of ``arcs``."""
        return np.repeat(np.arange(self.count), np.diff(self.first))


@dataclass(frozen=True)
class PassageRule:
    """How a passage is recognised on a path; empty sets ask for nothing.

    Attributes
    ----------
    any_crossings, any_links
        The path uses at least one of these crossings or links (together).
    all_countries
        It runs through each of these.
    no_countries
        It runs through none of these.
    ends_in
        One of its ends lies in one of these.
    """

    any_crossings: frozenset[int]
    any_links: frozenset[int]
    all_countries: frozenset[int]
    no_countries: frozenset[int]
    ends_in: frozenset[int]


def classify(network: Network, table: PathTable, rules: Sequence[PassageRule]) -> I4:
    """Tell by which passage each path goes: the first rule that fits, or -1.

    Parameters
    ----------
    network
        The supernetwork.
    table
        Kept paths.
    rules
        Passages in order of precedence.

    Returns
    -------
    int32[P]
    """
    owner = table.owner
    land = network.kind[table.arcs] == ArcKind.MOVE
    through = np.zeros((table.count, len(network.countries)), np.bool_)
    through[owner[land], network.country[table.arcs[land]]] = True
    some = np.flatnonzero(np.diff(table.first) > 0)
    ends = np.full((table.count, 2), -1, np.int64)
    ends[some, 0] = network.country[table.arcs[table.first[some]]]
    ends[some, 1] = network.country[table.arcs[table.first[some + 1] - 1]]
    result = np.full(table.count, -1, np.int32)
    for number, rule in reversed(list(enumerate(rules))):  # the first that fits is written last
        fits = np.ones(table.count, np.bool_)
        if rule.any_crossings or rule.any_links:
            used = np.isin(network.crossing, list(rule.any_crossings)) | np.isin(network.link, list(rule.any_links))
            fits = np.zeros(table.count, np.bool_)
            fits[owner[used[table.arcs]]] = True
        for country in rule.all_countries:
            fits &= through[:, country] if 0 <= country < len(network.countries) else False
        for country in rule.no_countries:
            if 0 <= country < len(network.countries):
                fits &= ~through[:, country]
        if rule.ends_in:
            fits &= np.isin(ends, list(rule.ends_in)).any(axis=1)
        result[fits] = number
    return result


def sums(
    keys: Sequence[npt.NDArray[np.int_] | I4], values: Sequence[F8]
) -> tuple[list[npt.NDArray[np.int64]], list[F8]]:
    """Add values up by the distinct combinations of keys.

    Parameters
    ----------
    keys
        Integer arrays of one length.
    values
        Arrays of that length.

    Returns
    -------
    keys : list of int64[G]
        Distinct combinations in ascending order.
    values : list of float64[G]
    """
    stacked: npt.NDArray[np.int64] = np.stack([np.asarray(key, np.int64) for key in keys])
    empty: list[F8] = [np.zeros(0) for _ in values]
    if stacked.shape[1] == 0:
        return list(stacked), empty
    unique, inverse = np.unique(stacked, axis=1, return_inverse=True)
    inverse = inverse.reshape(-1)
    return list(unique), [np.asarray(np.bincount(inverse, v, unique.shape[1]), np.float64) for v in values]


def entries(table: PathTable, wanted: B1) -> tuple[npt.NDArray[np.int64], I4]:
    """Return path and arc of every use of the arcs for which ``wanted`` is true.

    A path that uses an arc is listed once a use, so sums over the entries are flows.
    """
    use = wanted[table.arcs]
    return table.owner[use], table.arcs[use]


def choke_points(network: Network, volume_trains_day: F8, least: float) -> tuple[I4, F8]:
    """Return facilities whose use of capacity is at least ``least``, the fullest first.

    Parameters
    ----------
    network
        The supernetwork.
    volume_trains_day : float64[F]
        Volume of the model on each facility, without preload.
    least
        Smallest volume over capacity, preload included.

    Returns
    -------
    facility : int32[C]
    use : float64[C]
        Volume and preload over capacity.
    """
    use = (volume_trains_day + network.preload_trains_day) / network.capacity_trains_day
    order = np.argsort(-use, kind="stable")
    chosen = order[use[order] >= least].astype(np.int32)
    return chosen, use[chosen]


def pairs_used(table: PathTable, first: B1, second: B1) -> B1:
    """Tell which paths use some arc of ``first`` and some arc of ``second``."""
    owner = table.owner
    a = np.zeros(table.count, np.bool_)
    b = np.zeros(table.count, np.bool_)
    a[owner[first[table.arcs]]] = True
    b[owner[second[table.arcs]]] = True
    return a & b
