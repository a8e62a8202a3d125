"""Who gains and loses by trade that a scenario gives rather than answers: growth to a target, industry that moves.

Problem
    `Grow` and `Relocate` put trade where the analyst wants it. Nothing answers to them, so the equilibrium of
    `landbridge.study.answer`, which starts from that trade, holds no welfare of theirs.
Method
    The shock is sought under which the economy before the measure would trade as it is given.

    - Growth: the cost of trade of each cell that grows (or shrinks) is changed until its volume is the one given. The
      welfare is that of trade made so much cheaper. Where trade grows because more is made or wanted, and not because
      it costs less, this is an upper end.
    - Relocation: the plants are a part of the origin's varieties of the sector (Eaton and Kortum's T). The origin's
      fall by the part that moves, at home as abroad; each host's rise until its output has grown by what the plants
      make, at the prices before. Sales at home that close as excess capacity are in the origin's fall. Its workers find
      other work in the model, at the wage that clears; so the welfare is of the long run, without unemployment.

    Cells without trade before cannot be reached by a change of cost; their trade is left out, and counted.
Stop rule
    All volumes within `TOLERANCE` of the given ones, in logs; past `ROUNDS` that is an error.
Reference
    Dekle, Eaton and Kortum (2008); Caliendo and Parro (2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.errors import NotConverged
from landbridge.model import trade
from landbridge.scenario.measures import Measure, Relocate
from landbridge.scenario.trade_edits import moves_of
from landbridge.study.world import World, economy_of

__all__ = ["Given", "given"]

F8 = npt.NDArray[np.float64]

TOLERANCE = 1e-4
ROUNDS = 80
#: A volume nearer to the old one than this is not given another.
UNMOVED = 1e-9
#: Part of the step towards the given volume that each round takes.
STEP = 0.9


@dataclass(frozen=True, eq=False)
class Given:
    """The shock under which trade would be as it is given, and what it does.

    Attributes
    ----------
    outcome
        Equilibrium under it.
    economy
        Before it.
    cost_hat : float64[S, N, N]
        The change of cost sought; a row that changes alike is a change of what the exporter can make.
    world
        Trade before it.
    rounds, gap
        Of the search.
    notes
        What is meant by it and what is left out.
    """

    outcome: trade.Outcome
    economy: trade.Economy
    cost_hat: F8
    world: World
    rounds: int
    gap: float
    notes: tuple[str, ...]


def given(
    reference: Tables,
    before: World,
    after: World,
    measures: Sequence[Measure],
    *,
    year: int,
    tolerance: float = TOLERANCE,
) -> Given | None:
    """Find the welfare of what a scenario gives.

    Parameters
    ----------
    reference
        Tables of the scenario compared with.
    before, after
        Its world, and that of the scenario before trade answers.
    measures
        The scenario's.
    year
        The year.
    tolerance
        Of volumes, in logs.

    Returns
    -------
    Given or None
        None where the scenario gives no trade.

    Raises
    ------
    NotConverged
        If the volumes given cannot be reached.
    """
    economy, _ = economy_of(before, reference)
    old = economy.trade
    size = len(before.countries)
    theta = economy.theta[:, None, None]
    log_k = np.zeros(old.shape)
    moving = [m for m in measures if isinstance(m, Relocate) and (m.from_year is None or year >= m.from_year)]
    notes = []
    rows: list[tuple[int, int, float]] = []  # sector, host, output given over output before
    if moving:
        rows, told = _relocated(reference, before, moving, log_k, economy)
        notes += told
        cells = np.zeros(old.shape, np.bool_)
        target = np.ones(old.shape)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            target = np.where(old > 0, after.trade / old, 1.0)
        cells = (np.abs(target - 1) > UNMOVED) & (old > 0) & (target > 0)
        cells[:, np.arange(size), np.arange(size)] = False
        opened = float(after.trade[(old == 0) & (after.trade > 0)].sum())
        if opened:
            notes.append(f"{opened / 1e9:.2f} bn USD of trade that is opened anew is not in this welfare")
        if not cells.any():
            return None
        notes.append("welfare as if the trade given came of cheaper (or dearer) trade: an upper end where more is made")
    outcome: trade.Outcome | None = None
    gap = np.inf
    for number in range(1, ROUNDS + 1):
        outcome = trade.solve_sectors(
            economy, cost_hat=np.exp(log_k), names=before.countries, start=outcome, tolerance=tolerance / 10
        )
        volume = np.where(cells, outcome.trade / np.where(cells, old, 1.0), 1.0) / outcome.cost[:, :, None]
        short = np.where(cells, np.log(target / np.where(cells, volume, 1.0)), 0.0)
        gap = float(np.abs(short).max())
        made = []
        for s, h, wanted in rows:
            price = outcome.cost[s, h] * np.exp(log_k[s, h, h])
            off = float(np.log(wanted / (outcome.output[s, h] / old[s, h].sum() / price)))
            made.append((s, h, off))
            gap = max(gap, abs(off))
        if gap <= tolerance:
            return Given(outcome, economy, np.exp(log_k), before, number, gap, tuple(notes))
        log_k -= STEP * short / theta
        for s, h, off in made:
            log_k[s, h, :] -= STEP * off / (1 + economy.theta[s])
    raise NotConverged(f"the trade that is given was not reached in {ROUNDS} rounds: the last gap is {gap:.1e}", gap)


def _relocated(
    tables: Tables, world: World, moving: Sequence[Relocate], log_k: F8, economy: trade.Economy
) -> tuple[list[tuple[int, int, float]], list[str]]:
    """Lower the origin's varieties in place, and tell what each host's output becomes."""
    sector_of = {g: s for s, groups in tables["trade_sectors"].select("id", "groups").iter_rows() for g in groups}
    number = {c: i for i, c in enumerate(world.countries)}
    kind = {s: i for i, s in enumerate(world.sectors)}
    made: dict[tuple[int, int], float] = {}
    notes = []
    for m in moving:
        s, origin = kind[sector_of[m.commodity]], number[m.origin]
        found = moves_of(tables, m)
        own = (
            tables["trade"]
            .filter((tables["trade"]["exporter"] == m.origin) & (tables["trade"]["commodity"] == m.commodity))[
                "value_usd"
            ]
            .sum()
        )
        abroad = float(economy.trade[s, origin].sum() - economy.trade[s, origin, origin])
        part = min(1.0, found.moved * float(own) / abroad) if abroad > 0 else 0.0
        log_k[s, origin, :] -= np.log1p(-part) / economy.theta[s]
        for host, tonnes in found.made_t.items():
            at = (s, number[host])
            made[at] = made.get(at, 0.0) + tonnes * found.value_usd_t
        notes.append(
            f"{part:.2%} of {m.origin}'s varieties of {world.sectors[s]} move, at home as abroad; hosts make "
            f"{sum(found.made_t.values()) * found.value_usd_t / 1e9:.2f} bn USD more of it a year"
        )
    notes.append("growth in the same scenario is not in this welfare; nor is unemployment, for all find other work")
    base = economy.trade.sum(axis=2)
    return [(s, h, 1 + usd / base[s, h]) for (s, h), usd in made.items() if base[s, h] > 0], notes
