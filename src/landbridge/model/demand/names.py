"""By which names a country may be meant, and which of the rules that mean it is the most specific."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from landbridge.model.demand.records import ANY, Columns

__all__ = ["Names", "meant", "names_of", "winners", "winning"]

I4 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int64]


class Names:
    """Which country is in which bloc, whatever alphabet of codes is used."""

    def __init__(self, countries: Columns, blocs: Columns) -> None:
        self.memo: dict[str, dict[str, int]] = {}
        self.iso3_of: dict[str, str] = {}
        self.iso2_of: dict[str, str] = {}
        for iso3, iso2 in zip(countries["iso3"], countries["iso2"], strict=True):
            if iso3 and iso2:
                self.iso3_of[iso2] = iso3
                self.iso2_of[iso3] = iso2
        self.of: dict[str, set[str]] = defaultdict(set)
        for bloc, iso2 in zip(blocs["bloc"], blocs["iso2"], strict=True):
            self.of[iso2].add(bloc)

    def names(self, iso3: str) -> dict[str, int]:
        """Every name by which a rule may mean a country, with its rank: itself 2, a bloc 1, any 0."""
        if iso3 not in self.memo:
            iso2 = self.iso2_of.get(iso3, iso3)
            self.memo[iso3] = {ANY: 0, **dict.fromkeys(sorted(self.of.get(iso2, ())), 1), iso3: 2, iso2: 2}
        return self.memo[iso3]


def names_of(countries: Columns, blocs: Columns) -> Names:
    """Return by which names each country may be meant: its own codes, its blocs, any."""
    return Names(countries, blocs)


#: How a name stands among those of a country: rank, then the order in which ties are decided.
Standing = tuple[int, int, str]
Meant = dict[str, list[tuple[Standing, I8]]]


def meant(names: Names, countries: Sequence[str]) -> Meant:
    """Return, by name, which countries it may mean, and how it stands among their names."""
    found: dict[str, dict[Standing, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, country in enumerate(countries):
        for name, rank in names.names(country).items():
            found[name][rank, int(rank == 2 and name != country), name].append(number)
    return {name: [(s, np.array(who, np.int64)) for s, who in by.items()] for name, by in found.items()}


def winning(
    rules: Iterable[tuple[str, str, str]], names: Names, countries: Sequence[str], commodities: Sequence[str]
) -> tuple[list[int], I4]:
    """Find the rule that holds for every commodity, exporter and importer.

    A rule names exporter, importer and commodity, any of which may be a bloc or any; the most specific one holds. Its
    score is twice the ranks of the two ends, and one more where the commodity is named. Ties go to the rule whose names
    are met first: any, then blocs by name, then the country itself; the exporter's before the importer's.

    Parameters
    ----------
    rules
        (exporter, importer, commodity) of each row.
    names
        What names mean.
    countries, commodities
        E countries and K commodities.

    Returns
    -------
    first
        First row of each distinct rule.
    winner : int32[K, E, E]
        Position in ``first`` of the rule that holds, or -1.
    """
    number: dict[tuple[str, str, str], int] = {}
    first: list[int] = []
    for row, key in enumerate(rules):
        if key not in number:
            number[key] = len(first)
            first.append(row)
    who = meant(names, countries)
    return first, _fill(number, who, who, commodities, (len(countries), len(countries)))


def winners(rules: Iterable[tuple[str, str]], partners: Meant, count: int, commodities: Sequence[str]) -> I4:
    """Return the same for rules that name a commodity and one of P partners: which one holds, int32[K, P]."""
    number = {("", partner, commodity): i for i, (commodity, partner) in enumerate(rules)}
    alone: Meant = {"": [((0, 0, ""), np.zeros(1, np.int64))]}
    result: I4 = _fill(number, alone, partners, commodities, (1, count))[:, 0]
    return result


def _fill(
    number: dict[tuple[str, str, str], int],
    exporters: Meant,
    importers: Meant,
    commodities: Sequence[str],
    shape: tuple[int, int],
) -> I4:
    place = {name: k for k, name in enumerate(commodities)}
    steps = []
    for (exporter, importer, commodity), rule in number.items():
        if commodity != ANY and commodity not in place:
            continue
        for e_standing, e in exporters.get(exporter, ()):
            for i_standing, i in importers.get(importer, ()):
                score = 2 * (e_standing[0] + i_standing[0]) + (commodity != ANY)
                steps.append((-score, e_standing, i_standing, rule, commodity, e, i))
    steps.sort(key=lambda step: step[:4], reverse=True)
    winner = np.full((len(commodities), *shape), -1, np.int32)
    for _, _, _, rule, commodity, e, i in steps:  # the winner is written last
        where = (slice(None),) if commodity == ANY else (place[commodity],)
        winner[(*where, e[:, None], i[None, :])] = rule
    return winner
