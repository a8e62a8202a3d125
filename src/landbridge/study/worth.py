"""What a coalition of countries is worth on the network of one scenario and year.

The corridor game of `landbridge.model.leverage.corridor` is made here from the supernetwork: who must consent to an
arc, what it costs without transfers, how much room a facility has left, and what each relation's outside option costs.
It is the game of METHODS.md, section 1.2 (after Hubert and Ikonnikova 2011): costs without transfers, owners whose
consent an arc needs. Its 2^n worths are found in rows that do not depend on the number of workers, and kept on disk by
the content of the game and the code, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.model.leverage import Game, corridor, make
from landbridge.study.carriage import Laden, lay_out
from landbridge.study.content import code_hash, content_of
from landbridge.study.kept import Kept, replace_file
from landbridge.study.players import Players, check_listable, consent_of
from landbridge.study.runner import Done, Task, Where, run_tasks
from landbridge.study.solve import Settings

__all__ = [
    "RULES",
    "Corridors",
    "Sampled",
    "corridors",
    "row_of_worths",
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


def corridors(
    tables: Tables, players: Players, *, rule: str, year: int, settings: Settings, laden: Laden | None = None
) -> Corridors:
    """Make the corridor game of tables to which a scenario was applied.

    Parameters
    ----------
    tables
        After `landbridge.scenario.apply`.
    players
        Who bargains; arcs of all others are free to everyone.
    rule
        One of `RULES`. Where shippers are price-takers, a relation need not ask the countries of its own two ends, nor
        the railways that are at home there.
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
    consent = consent_of(net, players, links=_operators(tables, "links"), crossings=_operators(tables, "crossings"))
    bit: dict[str, int] = {}
    for i, home in enumerate(players.home):
        for country in home:
            bit[country] = bit.get(country, 0) | 1 << i
    zone_country = dict(zip(tables["zones"]["id"], tables["zones"]["country"], strict=True))
    zone_bit = np.array([bit.get(zone_country[zone], 0) for zone in prepared.demand.zones], np.int64)
    own = zone_bit[prepared.demand.origin] | zone_bit[prepared.demand.destination]
    if rule == RULES[0]:
        own = np.zeros_like(own)

    told = {part.name: getattr(carriage, part.name) for part in fields(carriage)}
    game = corridor.CorridorGame(**told, consent=consent, own=own[laden.kept], player_count=len(players.names))
    return Corridors(game, laden.tonnes_yr, laden.without_outside_tonnes_yr)


def _operators(tables: Tables, name: str) -> dict[str, tuple[str, ...]]:
    """Railways of links or crossings."""
    return {row: tuple(names or ()) for row, names in tables[name].select("id", "operators").rows()}


def worth_game(
    found: Corridors,
    players: Players,
    *,
    where: Where | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Game, float]:
    """Find the worth of every coalition.

    Parameters
    ----------
    found
        The corridor game.
    players
        Who bargains.
    where, cache, progress
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
    worth = solve_worths(found.game, where=where, cache=cache, progress=progress)
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
        self._path = None if cache is None else cache / f"drawn-{content_of(code_hash(), found.game)[:24]}.npy"
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
            packed = BytesIO()
            np.save(packed, kept)
            replace_file(self._path, packed.getvalue())


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
    game: corridor.CorridorGame,
    *,
    where: Where | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> F8:
    """Find v(S) for every coalition; the same to the last bit whatever the workers and their number.

    Parameters
    ----------
    game
        The network and its owners.
    where
        In this process (the default), in processes of this machine, or on a cluster.
    cache
        Folder in which finished rows are kept by the content of the game and the code; None = nowhere.
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
        If a finished row cannot be kept.
    """
    rows = {f"row {number}": row for number, row in enumerate(corridor.blocks(game.player_count))}
    worth = np.empty(1 << game.player_count)
    done = 0

    def tell(event: Done) -> None:
        nonlocal done
        done += len(rows[event.id])
        if progress is not None:
            progress(done, worth.size)

    if progress is not None:
        progress(0, worth.size)
    solved = run_tasks(
        row_of_worths,
        game,
        [Task(name, row) for name, row in rows.items()],
        where=where,
        kept=None if cache is None else Kept(cache),
        tell=tell,
    )
    for name, row in rows.items():
        worth[row] = solved[name]
    return worth


# The game that this process works on, with its efficient paths, which all rows start from.
_latest: list[tuple[corridor.CorridorGame, corridor.Paths]] = []


def row_of_worths(game: corridor.CorridorGame, row: Sequence[int], _needed: Mapping[str, Any]) -> F8:
    """Find the worths of a row of coalitions; the work of one task.

    Parameters
    ----------
    game
        The network and its owners.
    row
        Bit masks of players.

    Returns
    -------
    float64
        USD a year, in the order of the row.
    """
    if not _latest or _latest[0][0] is not game:
        _latest[:] = [(game, corridor.efficient_paths(game))]
    return corridor.row_worths(corridor.Row(*_latest[0]), row)[0]
