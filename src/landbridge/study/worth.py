"""What a coalition of countries is worth on the network of one scenario and year.

The corridor game of `landbridge.model.leverage.corridor` is made here from the supernetwork: who must consent to an
arc, what it costs without transfers, how much room a facility has left, and what each relation's outside option costs.
Its 2^n worths are found in blocks that do not depend on the number of workers, and kept on disk by the content of the
game, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, OutputError, UnknownName
from landbridge.model.leverage import MOST_PLAYERS, Game, corridor, make
from landbridge.model.network import ArcKind
from landbridge.study.carriage import Laden, lay_out
from landbridge.study.solve import Settings

__all__ = [
    "RULES",
    "Corridors",
    "Players",
    "Sampled",
    "check_listable",
    "corridors",
    "players_of",
    "solve_worths",
    "worth_game",
]

F8 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

#: Whether shippers bargain with their countries, or take the price that carriers' countries leave them.
RULES = ("shippers are players", "shippers are price-takers")
# Coalitions after which drawn worths are written.
KEEP_EVERY = 200
# Change it when worths of the same game would come out otherwise.
CACHE_FORMAT = "corridor game 3"


@dataclass(frozen=True)
class Players:
    """Who bargains.

    Parameters
    ----------
    names
        Countries (ISO2) or blocs, in order.
    members
        Countries of each; no country is in two.
    """

    names: tuple[str, ...]
    members: tuple[frozenset[str], ...]


@dataclass(frozen=True, eq=False)
class Corridors:
    """A corridor game, and what was left out of it.

    Parameters
    ----------
    game
        The network and its owners.
    tonnes_yr
        Tonnes of all relations.
    without_outside_tonnes_yr
        Tonnes left out since no outside option has a price: nothing says what their way by land is worth.
    """

    game: corridor.CorridorGame
    tonnes_yr: float
    without_outside_tonnes_yr: float


def players_of(tables: Tables, names: Sequence[str], year: int) -> Players:
    """Read who bargains: countries by ISO2, blocs by their id.

    Parameters
    ----------
    tables
        The atlas.
    names
        As the user wrote them, in any case.
    year
        Year for the membership of blocs.

    Returns
    -------
    Players

    Raises
    ------
    UnknownName
        If a name is neither a country nor a bloc.
    LandbridgeError
        If a country would play twice, or nobody plays.
    """
    countries = {str(c).casefold(): str(c) for c in tables["countries"]["iso2"].to_list()}
    blocs: dict[str, set[str]] = {}
    for row in tables["blocs"].to_dicts():
        if row["from_year"] is None or row["from_year"] <= year:
            blocs.setdefault(row["bloc"], set()).add(row["iso2"])
    found: list[str] = []
    members: list[frozenset[str]] = []
    for name in names:
        key = name.strip().casefold()
        if key in countries:
            found.append(countries[key])
            members.append(frozenset({countries[key]}))
        elif key in blocs:
            found.append(key)
            members.append(frozenset(blocs[key]))
        else:
            raise UnknownName("player", name, [*countries.values(), *blocs])
    if not found:
        raise LandbridgeError("players: wanted at least one country or bloc")
    for i, own in enumerate(members):
        for j in range(i):
            if both := sorted(own & members[j]):
                raise LandbridgeError(f"players: {', '.join(both)} would play twice, in {found[j]} and in {found[i]}")
    return Players(tuple(found), tuple(members))


def corridors(
    tables: Tables, players: Players, *, rule: str, year: int, settings: Settings, laden: Laden | None = None
) -> Corridors:
    """Make the corridor game of tables to which a scenario was applied.

    Parameters
    ----------
    tables
        After `landbridge.scenario.apply`.
    players
        Who bargains; arcs of all other countries are free to everyone.
    rule
        One of `RULES`. Where shippers are price-takers, a relation need not ask the countries of its own two ends.
    year, settings
        Year and size.
    laden
        The tables laid out without transfers, if that was done already.

    Returns
    -------
    Corridors

    Raises
    ------
    DataError
        With what the tables lack.
    """
    if rule not in RULES:
        raise ValueError(f"rule: wanted one of {RULES}, got {rule!r}")
    laden = laden or lay_out(tables, year=year, settings=settings, transfers=False)
    prepared, carriage = laden.prepared, laden.carriage
    net = prepared.network
    bit = {country: 1 << i for i, own in enumerate(players.members) for country in own}
    nation = np.array([bit.get(country, 0) for country in net.countries], np.int64)
    consent = nation[net.country]
    border = net.kind == ArcKind.BORDER
    consent[border] |= nation[net.country_to[border]]
    zone_country = dict(zip(tables["zones"]["id"], tables["zones"]["country"], strict=True))
    zone_bit = np.array([bit.get(zone_country[zone], 0) for zone in prepared.demand.zones], np.int64)
    own = zone_bit[prepared.demand.origin] | zone_bit[prepared.demand.destination]
    if rule == RULES[0]:
        own = np.zeros_like(own)

    told = {part.name: getattr(carriage, part.name) for part in fields(carriage)}
    game = corridor.CorridorGame(**told, consent=consent, own=own[laden.kept], player_count=len(players.names))
    return Corridors(game, laden.tonnes_yr, laden.without_outside_tonnes_yr)


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


def worth_game(
    found: Corridors, players: Players, *, workers: int = 1, cache: Path | None = None, progress: Progress | None = None
) -> tuple[Game, float]:
    """Find the worth of every coalition.

    Parameters
    ----------
    found
        The corridor game.
    players
        Who bargains.
    workers, cache, progress
        As for `solve_worths`.

    Returns
    -------
    game : Game
        Worths in USD a year, beyond what is earned without any player's consent.
    free_usd_yr : float
        What that is.

    Raises
    ------
    LandbridgeError
        If there are too many players to list all coalitions.
    """
    check_listable(players)
    worth = solve_worths(found.game, workers=workers, cache=cache, progress=progress)
    free = float(worth[0])
    return make(players.names, worth - free), free


class Sampled:
    """Worths of coalitions as they are asked for, each solved once and kept: for games too large to list.

    Parameters
    ----------
    found
        The corridor game.
    cache
        Folder in which worths are kept by the content of the game; None = nowhere.
    progress
        Called with coalitions solved and 0.
    """

    def __init__(self, found: Corridors, *, cache: Path | None = None, progress: Progress | None = None) -> None:
        self._row = corridor.Row(found.game, corridor.efficient_paths(found.game))
        self._path = None if cache is None else cache / content_of(found.game)[:24] / "drawn.npy"
        self._progress = progress
        self._known: dict[int, float] = {}
        self._tops: list[tuple[int, int, float]] = []
        self.solved = 0
        if self._path is not None and (kept := _drawn(self._path)) is not None:
            self._known = kept
        self.free_usd_yr = self._worth(0)

    def __call__(self, coalition: int) -> float:
        """Return v(S) beyond what is earned without any player's consent, USD a year."""
        return self._worth(coalition) - self.free_usd_yr

    def _worth(self, coalition: int) -> float:
        if coalition not in self._known:
            for top, needs, value in self._tops:
                if coalition & ~top == 0 and needs & ~coalition == 0:
                    self._known[coalition] = value
                    return value
            optimum = self._row.solve(coalition)
            self.solved += 1
            self._tops.append((coalition, self._row.asked(optimum), optimum.worth_usd_yr))
            self._known[coalition] = optimum.worth_usd_yr
            if self._progress is not None:
                self._progress(self.solved, 0)
            if self.solved % KEEP_EVERY == 0:
                self.keep()
        return self._known[coalition]

    def keep(self) -> None:
        """Write the worths that are known, where a folder was given."""
        if self._path is not None:
            pairs = sorted(self._known.items())
            kept = np.empty((len(pairs), 2))
            kept[:, 0], kept[:, 1] = np.array([s for s, _ in pairs], np.int64).view(np.float64), [v for _, v in pairs]
            _keep(self._path, kept)


def _drawn(path: Path) -> dict[int, float] | None:
    """Worths that an earlier draw has kept; coalitions stand as the bits of a float."""
    try:
        kept = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if kept.ndim != 2 or kept.shape[1] != 2 or kept.dtype != np.float64:
        return None
    masks = np.ascontiguousarray(kept[:, 0]).view(np.int64)
    return dict(zip(masks.tolist(), kept[:, 1].tolist(), strict=True))


def solve_worths(
    game: corridor.CorridorGame, *, workers: int = 1, cache: Path | None = None, progress: Progress | None = None
) -> F8:
    """Find v(S) for every coalition; the same to the last bit whatever the number of workers.

    Parameters
    ----------
    game
        The network and its owners.
    workers
        Processes; 1 = this one.
    cache
        Folder in which finished blocks are kept by the content of the game; None = nowhere.
    progress
        Called with coalitions done and all.

    Returns
    -------
    float64[2**n]
        USD a year, by bit mask.

    Raises
    ------
    NotConverged
        If a coalition has no proved optimum.
    OutputError
        If a finished block cannot be kept.
    """
    rows = corridor.blocks(game.player_count)
    worth = np.empty(1 << game.player_count)
    folder = None if cache is None else cache / content_of(game)[:24]
    done = 0
    waiting: list[int] = []
    for number, row in enumerate(rows):
        kept = None if folder is None else _kept(folder / f"{number:05d}.npy", len(row))
        if kept is None:
            waiting.append(number)
        else:
            worth[row] = kept
            done += len(row)
    if progress is not None:
        progress(done, worth.size)

    def take(number: int, values: F8) -> None:
        nonlocal done
        worth[rows[number]] = values
        done += values.size
        if folder is not None:
            _keep(folder / f"{number:05d}.npy", values)
        if progress is not None:
            progress(done, worth.size)

    if not waiting:
        return worth
    paths = corridor.efficient_paths(game)
    if workers == 1 or len(waiting) == 1:
        _begin(game, paths)
        for number in waiting:
            take(number, _block(rows[number]))
        return worth
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(waiting)), context, initializer=_begin, initargs=(game, paths)) as pool:
        for number, values in zip(waiting, pool.map(_block, [rows[n] for n in waiting]), strict=True):
            take(number, values)
    return worth


# What a worker holds: one game, sent once.
_held: dict[str, Any] = {}


def _begin(game: corridor.CorridorGame, paths: corridor.Paths) -> None:
    _held["game"], _held["paths"] = game, paths


def _block(row: Sequence[int]) -> F8:
    return corridor.row_worths(corridor.Row(_held["game"], _held["paths"]), row)[0]


def content_of(game: corridor.CorridorGame) -> str:
    """SHA-256 of everything that a worth depends on."""
    digest = hashlib.sha256(CACHE_FORMAT.encode())
    _feed(digest, game)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    if is_dataclass(value):
        for part in fields(value):
            digest.update(part.name.encode())
            _feed(digest, getattr(value, part.name))
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    else:
        digest.update(repr(value).encode())


def _kept(path: Path, count: int) -> F8 | None:
    """A finished block, or None where there is none that is whole."""
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return np.asarray(values, np.float64) if values.shape == (count,) and np.isfinite(values).all() else None


def _keep(path: Path, values: F8) -> None:
    """Write a block so that it is there whole or not at all."""
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.save(file, values)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
