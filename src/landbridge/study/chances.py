"""What closures and slow borders cost in the mean when they come by chance, and how often there were any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.errors import UnknownName
from landbridge.model import resilience
from landbridge.model.network import ArcKind
from landbridge.study.solve import Settings
from landbridge.study.worst import trials_of

__all__ = ["RECORD_TO", "by_chance", "chances_of"]

Progress = Callable[[int, int, str], None]

#: First day of the record of closures by date; crossings that opened later count from then too.
RECORD_FROM = date(2013, 1, 1)
#: Its last day: the atlas holds closures up to the middle of 2026.
RECORD_TO = date(2026, 7, 1)


def chances_of(tables: Tables, until: date) -> dict[str, dict[str, Any]]:
    """Share of the days on which crossings were shut and opened again, by the dates that the atlas holds.

    Parameters
    ----------
    tables
        The atlas.
    until
        Last day of the record.

    Returns
    -------
    dict
        By crossing: ``probability``, and ``because``.
    """
    span = (until - RECORD_FROM).days
    found: dict[str, dict[str, Any]] = {}
    for row in tables["crossings"].to_dicts():
        begin, end = row["closed_from"], row["closed_to"]
        if begin is None or end is None or end <= RECORD_FROM or begin >= until:
            continue
        days = (min(end, until) - max(begin, RECORD_FROM)).days
        why = f"closed {days} of {span} days since {RECORD_FROM}: {row['closed_reason'] or 'reason not stated'}"
        found[row["id"]] = {"probability": days / span, "because": why}
    return found


def by_chance(
    tables: Tables,
    chances: Mapping[str, Mapping[str, Any]],
    *,
    year: int,
    settings: Settings,
    draws: int,
    seed: int,
    delays: bool = True,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Find the expected cost of closures, and of slow borders, by chance.

    Parameters
    ----------
    tables
        Tables to which a scenario was applied.
    chances
        By crossing: the probability that it is shut, and on what that rests.
    year, settings
        Year and size.
    draws
        States drawn.
    seed
        Seed of the draws.
    delays
        Whether hours at open crossings vary too, by the spread that the atlas holds (gamma, one draw a crossing and
        direction), independently.
    progress
        Called with states done and all.

    Returns
    -------
    dict
        ``base_cost_usd_yr``, and for ``closures`` and (with delays) ``closures_and_delays`` the mean rise, its standard
        error, spread, quantiles and the most. Costs are a year's at the rate of each state.

    Raises
    ------
    UnknownName
        For a crossing that is not open in the network.
    """
    ground = trials_of(tables, year=year, settings=settings, among="crossings")
    closures, names = ground.closures, ground.names
    for name in chances:
        if name not in names:
            raise UnknownName("crossing that is open", name, names)
    members = list(chances)
    probability = [float(chances[name]["probability"]) for name in members]
    closed, weight = resilience.draw_states(probability, draws, seed)
    base = closures.cost(closures.solve())

    def shut(state: npt.NDArray[np.bool_]) -> frozenset[int]:
        return frozenset(names.index(name) for name, off in zip(members, state, strict=True) if off)

    exact = len(members) <= resilience.MOST_EXACT
    states = resilience.exact_states(probability) if exact else (closed, weight)
    only = resilience.expectation(lambda s: closures.cost(closures.solve(shut(s))) - base, *states, drawn=not exact)
    result: dict[str, Any] = {
        "base_cost_usd_yr": base,
        "seed": seed,
        "chances": {name: dict(chances[name]) for name in members},
        "closures": {"exact": exact, **asdict(only)},
    }
    if delays:
        net = ground.laden.prepared.network
        border = np.flatnonzero((net.kind == ArcKind.BORDER) & (net.spread_h > 0.0) & (net.time_h > 0.0))
        spread = (net.spread_h[border] / net.time_h[border]) ** 2
        generator = np.random.default_rng(np.random.SeedSequence(seed).spawn(1)[0])
        hours = ground.laden.prepared.classes.value_of_time_usd_t_h
        per_class = np.tile(hours, len(ground.laden.carriage.cost_usd_t) // len(hours))
        own = ground.laden.carriage.cost_usd_t
        costs = []
        for i in range(draws):
            factor = generator.gamma(1.0 / spread, spread)
            cost = own.copy()
            cost[:, border] += per_class[:, None] * (net.time_h[border] * (factor - 1.0))
            closures.program.reprice(np.maximum(cost, 0.0))
            costs.append(closures.cost(closures.solve(shut(closed[i]))) - base)
            if progress is not None:
                progress(i + 1, draws, "closures and delays by chance")
        closures.program.reprice(own, known=True)
        both = resilience.summary(np.array(costs), np.full(draws, 1.0 / draws), draws, drawn=True)
        result["closures_and_delays"] = {"exact": False, **asdict(both)}
    return result
