r"""What each would do alone, against what all would do together.

Problem
    Each player has some actions (projects that it may build or not), pays for its own and gets a payoff that depends on
    what all do. A pure equilibrium is a choice of all from which nobody gains by changing its own alone. All are
    listed: every choice of all is looked at. Where there is none, best responses go round, and the round is told.
    Where all are bound by something that they share, a budget, some choices of all are not open: an equilibrium is
    then one from which nobody gains by a change that leaves all within bounds (Rosen 1965, Existence and uniqueness of
    equilibrium points for concave n-person games).
Price
    The joint optimum has the largest (weighted) sum of payoffs. What a player has less in an equilibrium is its price
    of not coordinating; side payments that leave nobody worse off than there share the surplus evenly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_PROFILES", "Coordination", "coordinate"]

F8 = npt.NDArray[np.float64]
Profile = tuple[int, ...]

#: More choices of all than this are not listed.
MOST_PROFILES = 4096
# A change that gains less than this share of the largest payoff is none.
SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Coordination:
    """Equilibria, the joint optimum, and what lies between.

    Parameters
    ----------
    equilibria
        Every choice of all from which nobody moves alone; action by player.
    cycle
        Where there is none: choices that best responses go through, the first again at the end.
    joint
        The choice of all with the largest sum.
    joint_payoff : float64[n]
        Payoffs there.
    worst
        The equilibrium with the smallest sum; None where there is none.
    payoff : float64[n]
        Payoffs there (where there is none, means over the cycle).
    price : float64[n]
        What not coordinating costs each: below zero for who gains by it.
    side_payment : float64[n]
        What each gets (above zero) or gives so that all share evenly in the surplus of coordinating; adds up to zero.
    """

    equilibria: tuple[Profile, ...]
    cycle: tuple[Profile, ...]
    joint: Profile
    joint_payoff: F8
    worst: Profile | None
    payoff: F8
    price: F8
    side_payment: F8


def coordinate(
    actions: Sequence[int], payoff: Callable[[Profile], F8 | None], *, weights: npt.ArrayLike | None = None
) -> Coordination:
    """Compare what players do alone with what they would do together.

    Parameters
    ----------
    actions
        How many actions each player has; action 0 is to do nothing.
    payoff
        Payoffs of all by choice of all, None where it is not open; asked once for each. To do nothing is always open.
    weights : float64[n], optional
        Of players in the joint optimum.

    Returns
    -------
    Coordination

    Raises
    ------
    ValueError
        If there are more than `MOST_PROFILES` choices, or all may not do nothing.
    """
    count = int(np.prod([float(a) for a in actions]))
    if count > MOST_PROFILES:
        raise ValueError(f"actions: wanted at most {MOST_PROFILES} choices of all, got {count}")
    told = ((profile, payoff(profile)) for profile in product(*(range(a) for a in actions)))
    known = {profile: np.asarray(values, np.float64) for profile, values in told if values is not None}
    if (0,) * len(actions) not in known:
        raise ValueError("payoff: wanted that all may do nothing")
    scale = SAME * max(float(np.abs(v).max(initial=0.0)) for v in known.values())

    def best(profile: Profile, player: int) -> int:
        """Best response; what one does now where nothing is better."""
        options = [(*profile[:player], a, *profile[player + 1 :]) for a in range(actions[player])]
        values = [float(known[o][player]) if o in known else -np.inf for o in options]
        now = profile[player]
        top = int(np.argmax(values))
        return top if values[top] > values[now] + scale else now

    stable = tuple(p for p in known if all(best(p, i) == p[i] for i in range(len(actions))))
    cycle = () if stable else _round(tuple(0 for _ in actions), best)
    weight = np.ones(len(actions)) if weights is None else np.asarray(weights, np.float64)
    joint = max(known, key=lambda p: float(known[p] @ weight))
    worst = min(stable, key=lambda p: float(known[p] @ weight), default=None)
    there = known[worst] if worst is not None else np.mean([known[p] for p in cycle[:-1]], axis=0)
    price = known[joint] - there
    side = float(price.mean()) - price
    return Coordination(stable, cycle, joint, known[joint], worst, there, price, side)


def _round(start: Profile, best: Callable[[Profile, int], int]) -> tuple[Profile, ...]:
    """Best responses in turn until a choice of all with the same player to move comes again."""
    seen: dict[tuple[Profile, int], int] = {}
    path = [start]
    here, player = start, 0
    while (here, player) not in seen:
        seen[here, player] = len(path) - 1
        new = (*here[:player], best(here, player), *here[player + 1 :])
        if new != here:
            path.append(new)
        here, player = new, (player + 1) % len(start)
    return tuple(path[seen[here, player] :])
