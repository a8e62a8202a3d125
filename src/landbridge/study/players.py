"""Who bargains on the corridors: countries, blocs and railways, and whose consent each arc of the network needs.

A country speaks for its land: every run, yard and border on it. A bloc speaks for the land of its members with one
voice. A railway speaks for its tracks: runs by rail over them, and the rail borders that it works; not for roads, ports
and ferries, and not for the state. Where a country plays and its railway plays too, cargo on its tracks asks both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, UnknownName
from landbridge.model.leverage import MOST_PLAYERS
from landbridge.model.network import MODES, ArcKind, Network

__all__ = ["Players", "check_listable", "consent_of", "neighbours_of", "pairs_of", "players_of", "weights_of"]

I8 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Players:
    """Who bargains.

    Parameters
    ----------
    names
        Countries (ISO2), blocs and railways, in order.
    members
        Countries for whose land each speaks, none for a railway; no country is in two.
    home
        Where each is at home: its members, or the country of a railway.
    base
        For railways, the countries in which each may run tracks: its home and its owners'; nothing for others.
    speaks_for
        For people: the countries, or what the railway is called.
    """

    names: tuple[str, ...]
    members: tuple[frozenset[str], ...]
    home: tuple[frozenset[str], ...]
    base: tuple[frozenset[str], ...]
    speaks_for: tuple[tuple[str, ...], ...]


def players_of(tables: Tables, names: Sequence[str], year: int) -> Players:
    """Read who bargains: countries by ISO2, blocs and railways by their id.

    Parameters
    ----------
    tables
        The atlas.
    names
        As the user wrote them, in any case; a railway also without its country where only one is called so, as ``ktz``
        for ``kz-ktz``.
    year
        Year for the membership of blocs.

    Returns
    -------
    Players

    Raises
    ------
    UnknownName
        If a name is neither a country nor a bloc nor a railway; several are told together.
    LandbridgeError
        If somebody would play twice, or nobody plays, or a name means two railways.
    """
    countries = {str(c).casefold(): str(c) for c in tables["countries"]["iso2"].to_list()}
    blocs: dict[str, set[str]] = {}
    for row in tables["blocs"].to_dicts():
        if row["from_year"] is None or row["from_year"] <= year:
            blocs.setdefault(row["bloc"], set()).add(row["iso2"])
    railways = {str(row["id"]): row for row in tables["operators"].to_dicts()}
    found: list[tuple[str, frozenset[str], frozenset[str], frozenset[str], tuple[str, ...]]] = []
    none: frozenset[str] = frozenset()
    unknown: list[UnknownName] = []
    for name in names:
        key = name.strip().casefold()
        if key in countries:
            land = frozenset({countries[key]})
            found.append((countries[key], land, land, none, (countries[key],)))
        elif key in blocs:
            land = frozenset(blocs[key])
            found.append((key, land, land, none, tuple(sorted(land))))
        elif railway := _railway(key, list(railways)):
            row = railways[railway]
            home = frozenset({str(row["country"])})
            base = home | frozenset(row["owner_countries"] or ())
            found.append((railway, none, home, base, (f"railway {row['name']}",)))
        else:
            unknown.append(UnknownName("player", name, [*countries.values(), *blocs, *railways]))
    if len(unknown) == 1:
        raise unknown[0]
    if unknown:
        raise LandbridgeError("players: " + "; ".join(map(str, unknown)))
    if not found:
        raise LandbridgeError("players: wanted at least one country, bloc or railway")
    named, members, homes, bases, speaks_for = zip(*found, strict=True)
    for i, name in enumerate(named):
        for j in range(i):
            if name == named[j]:
                raise LandbridgeError(f"players: wanted each once, got {name} again")
            if both := sorted(members[i] & members[j]):
                raise LandbridgeError(
                    f"players: {', '.join(both)} would play twice, in {named[j]} and in {name}; leave one of them out"
                )
    return Players(named, members, homes, bases, speaks_for)


def _railway(key: str, railways: Sequence[str]) -> str | None:
    """A railway by its id, or by what follows its country."""
    if key in railways:
        return key
    meant = [name for name in railways if name.partition("-")[2] == key]
    if len(meant) > 1:
        raise LandbridgeError(f"players: {key} means several railways: {', '.join(meant)}; name one of them in full")
    return meant[0] if meant else None


def check_listable(players: Players) -> None:
    """Refuse more players than all coalitions can be listed for.

    Raises
    ------
    LandbridgeError
        With the reason, and what to do.
    """
    count = len(players.names)
    if count > MOST_PLAYERS:
        raise LandbridgeError(
            f"{count} players make {1 << count} coalitions; up to {MOST_PLAYERS} players can be listed: name fewer "
            "players, or blocs in place of countries, or let orders of arrival be drawn (--sample)"
        )


def consent_of(
    net: Network,
    players: Players,
    *,
    links: Mapping[str, Sequence[str]],
    crossings: Mapping[str, Sequence[str]],
) -> I8:
    """Tell whose consent each arc needs.

    Parameters
    ----------
    net
        The network.
    players
        Who bargains.
    links, crossings
        Railways of each link and crossing, by id.

    Returns
    -------
    int64[m]
        Bit mask of players by arc.
    """
    bit = {country: 1 << i for i, own in enumerate(players.members) for country in own}
    nation = np.array([bit.get(country, 0) for country in net.countries], np.int64)
    consent = nation[net.country]
    border = net.kind == ArcKind.BORDER
    consent[border] |= nation[net.country_to[border]]
    if not any(players.base):
        return consent
    rail = net.mode == MODES.index("rail")
    for arc in np.flatnonzero(rail & (net.kind == ArcKind.MOVE)).tolist():
        consent[arc] |= _tracks(links.get(net.links[net.link[arc]], ()), net.countries[net.country[arc]], players)
    for arc in np.flatnonzero(rail & border).tolist():
        # a border without a crossing is passed in sealed transit, by the railways of the link
        at, on = int(net.crossing[arc]), int(net.link[arc])
        working = (crossings.get(net.crossings[at]) if at >= 0 else None) or links.get(net.links[on], ())
        consent[arc] |= sum(1 << i for i, name in enumerate(players.names) if players.base[i] and name in working)
    return consent


def _tracks(running: Sequence[str], country: str, players: Players) -> int:
    """Players among the railways of a link whose tracks lie in a country.

    A link that crosses a border names the railways of both sides; each has the part in which it is at home or owned. A
    railway beyond its home that is the only one named has it all.
    """
    named = [i for i, name in enumerate(players.names) if players.base[i] and name in running]
    if len(running) == 1:
        return sum(1 << i for i in named)
    return sum(1 << i for i in named if country in players.base[i])


def neighbours_of(tables: Tables, players: Players) -> list[tuple[int, int]]:
    """Pairs of players whose countries share a border crossing, or that are at home in one country: who can talk.

    Parameters
    ----------
    tables
        The atlas.
    players
        Who bargains.

    Returns
    -------
    list of (int, int)
        Positions, the smaller first.
    """
    home = dict(tables["places"].select("id", "iso2").rows())
    ends = {
        frozenset({home.get(a), home.get(b)})
        for a, b, mode in tables["crossings"].select("place_a", "place_b", "mode").rows()
        if mode == "rail"
    }
    count = len(players.names)
    return [
        (i, j)
        for i in range(count)
        for j in range(i + 1, count)
        if players.home[i] & players.home[j]
        or any(frozenset({a, b}) in ends for a in players.home[i] for b in players.home[j])
    ]


def _called(players: Players) -> dict[str, int]:
    """Positions by every name that a user may write: a railway without its country too, where that is one player."""
    called = {name.casefold(): i for i, name in enumerate(players.names)}
    short = [(name.partition("-")[2], i) for i, name in enumerate(players.names) if players.base[i]]
    for name, i in short:
        if [other for other, _ in short].count(name) == 1:
            called.setdefault(name, i)
    return called


def pairs_of(text: Sequence[str], tables: Tables, players: Players) -> list[tuple[int, int]]:
    """Read who can talk to whom: ``KZ-RU`` by pair, or ``neighbours`` for all that share a rail crossing.

    Raises
    ------
    LandbridgeError
        For a pair that is not of two players.
    """
    pairs: list[tuple[int, int]] = []
    names = _called(players)
    for part in text:
        key = part.strip().casefold()
        if key == "neighbours":
            pairs += neighbours_of(tables, players)
            continue
        # railways have a dash in their names: every way to divide the text is tried
        dashes = [at for at, letter in enumerate(key) if letter == "-"]
        found = [(names[key[:at]], names[key[at + 1 :]]) for at in dashes if {key[:at], key[at + 1 :]} <= names.keys()]
        if len(set(found)) != 1 or found[0][0] == found[0][1]:
            raise LandbridgeError(
                f"talks: wanted neighbours, or two of {', '.join(players.names)} as {players.names[0]}-"
                f"{players.names[-1]}, got {part!r}"
            )
        pairs.append(found[0])
    return sorted({(min(pair), max(pair)) for pair in pairs})


def weights_of(text: Sequence[str], players: Players) -> list[float]:
    """Read weights as ``KZ=2``; who is not named weighs 1.

    Raises
    ------
    LandbridgeError
        For what is no player or no number above zero.
    """
    names = _called(players)
    weights = [1.0] * len(players.names)
    for part in text:
        name, _, value = part.partition("=")
        key = name.strip().casefold()
        try:
            weight = float(value)
        except ValueError:
            weight = 0.0
        if key not in names or not 0.0 < weight < float("inf"):
            raise LandbridgeError(
                f"weights: wanted PLAYER=NUMBER above 0 with a player of {', '.join(players.names)}, got {part!r}"
            )
        weights[names[key]] = weight
    return weights
