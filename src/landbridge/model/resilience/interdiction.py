r"""Which r closures hurt the most, exactly.

Problem
    Elements 0 .. n-1 (links, crossings, countries) may be closed. cost(S) is what it costs to live without the elements
    S; closing more never lowers it (shortest path, minimum cost, minus the maximum flow; not a user equilibrium). Find
    the largest cost of at most r closures, and every set that reaches it.
Method
    Implicit enumeration. An optimum for the closed set S uses some elements, its support. If a larger set S + T costs
    more, T meets the support, for else that optimum would still do. So every set that costs more than all of its own
    subsets is found by adding, from nothing, only elements of the support: at most |support|^r solves rather than
    n choose r (Church, Scaparra & Middleton, 2004, branch like that). A bound prunes: cost(S + T) is at most
    cost(S) + sum over T of `loss`, what it costs if all that uses the element falls back on what is always open.
    With k closures left, S is given up when cost(S) and the k largest losses stay below the best known.
Answers
    `minimal` sets reach the most and have no superfluous element. Every set of r elements that reaches it is one of
    these and whatever else; `all_sets` lists them.
Reference
    METHODS.md, section 4 (r-interdiction: shortest path, minus the maximum flow, minimum cost with outside option).
    Church, Scaparra & Middleton (2004), Identifying critical infrastructure: the median and covering facility
    interdiction problems. Annals of the Association of American Geographers 94(3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from landbridge.errors import LandbridgeError

__all__ = ["Closed", "Interdiction", "all_sets", "every_set", "worst_closures"]

Set = frozenset[int]
#: Costs that differ by less than this share of the largest are equal.
TIE = 1e-9


class Closed(NamedTuple):
    """What is left to live with.

    Parameters
    ----------
    cost
        Cost with these elements closed; ``inf`` where nothing is left.
    loss
        For each element that the optimum uses, what falling back on what is always open would cost at the most;
        ``inf`` where there is nothing to fall back on. An element that is not here is not used.
    """

    cost: float
    loss: Mapping[int, float]


@dataclass(frozen=True)
class Interdiction:
    """The worst closures.

    Parameters
    ----------
    base
        Cost with nothing closed.
    cost
        The largest cost.
    minimal
        Sets that reach it and lose that with any element less; the smallest first.
    solved
        Problems that had to be solved.
    pruned
        Sets that the bound gave up.
    """

    base: float
    cost: float
    minimal: tuple[tuple[int, ...], ...]
    solved: int
    pruned: int


def worst_closures(
    evaluate: Callable[[Set], Closed],
    r: int,
    *,
    most_solves: int = 1_000_000,
    progress: Callable[[int], None] | None = None,
) -> Interdiction:
    """Find the worst sets of at most r closures.

    Parameters
    ----------
    evaluate
        Cost and support of a closed set; the cost may never fall as the set grows.
    r
        Number of closures, at least zero; r = 0 is the base.
    most_solves
        Problems after which to give up.
    progress
        Called with the number of problems solved.

    Returns
    -------
    Interdiction

    Raises
    ------
    ValueError
        If r is negative.
    LandbridgeError
        If it takes more problems than allowed; nothing is then known to be the worst.
    """
    if r < 0:
        raise ValueError(f"r: wanted at least zero closures, got {r}")
    known: dict[Set, Closed] = {}
    pruned = 0

    def solve(closed: Set) -> Closed:
        if closed not in known:
            if len(known) == most_solves:
                raise LandbridgeError(
                    f"worst closures: {most_solves} problems were solved without an end; ask for fewer"
                )
            known[closed] = evaluate(closed)
            if progress is not None:
                progress(len(known))
        return known[closed]

    base = solve(frozenset())
    best = base.cost
    # STEP 1: sets of one element more, level by level; the costliest first, so that the bound bites early.
    level: list[Set] = [frozenset()]
    for left in range(r, 0, -1):
        following: dict[Set, None] = {}
        for closed in sorted(level, key=lambda s: (-known[s].cost, sorted(s))):
            now = known[closed]
            if now.cost == float("inf"):
                continue  # it cannot get worse
            largest = sorted(now.loss.values(), reverse=True)[:left]
            if now.cost + sum(largest) < best - _slack(best):
                pruned += 1
                continue
            for element in sorted(now.loss, key=lambda e: (-now.loss[e], e)):
                more = closed | {element}
                # with this element and the largest others it must still reach the best known
                if now.cost + now.loss[element] + sum(largest[: left - 1]) < best - _slack(best):
                    pruned += 1
                    continue
                if more not in following:
                    following[more] = None
                    best = max(best, solve(more).cost)
        level = list(following)
    # STEP 2: sets that reach it, without those that hold a smaller one.
    reach = sorted((s for s, c in known.items() if _equal(c.cost, best)), key=lambda s: (len(s), sorted(s)))
    minimal: list[Set] = []
    for closed in reach:
        if not any(other < closed for other in minimal):
            minimal.append(closed)
    return Interdiction(base.cost, best, tuple(tuple(sorted(s)) for s in minimal), len(known), pruned)


def all_sets(found: Interdiction, elements: int, r: int) -> list[tuple[int, ...]]:
    """List every set of exactly r elements that reaches the largest cost.

    Parameters
    ----------
    found
        What `worst_closures` found for this r.
    elements
        Number of elements n.
    r
        Size of the sets.

    Returns
    -------
    list of tuple
        In lexical order.
    """
    sets: set[tuple[int, ...]] = set()
    for minimal in found.minimal:
        others = [e for e in range(elements) if e not in minimal]
        for more in combinations(others, r - len(minimal)) if r >= len(minimal) else ():
            sets.add(tuple(sorted((*minimal, *more))))
    return sorted(sets)


def every_set(evaluate: Callable[[Set], float], elements: int, r: int) -> Interdiction:
    """Find the worst sets of at most r closures by trying all: for costs that may fall as more is closed (equilibria).

    Parameters
    ----------
    evaluate
        Cost of a closed set.
    elements
        Number of elements n.
    r
        Number of closures.

    Returns
    -------
    Interdiction
    """
    costs = {
        frozenset(chosen): evaluate(frozenset(chosen))
        for size in range(r + 1)
        for chosen in combinations(range(elements), size)
    }
    best = max(costs.values())
    reach = sorted((s for s, c in costs.items() if _equal(c, best)), key=lambda s: (len(s), sorted(s)))
    minimal = [s for s in reach if not any(other < s for other in reach)]
    return Interdiction(costs[frozenset()], best, tuple(tuple(sorted(s)) for s in minimal), len(costs), 0)


def _slack(cost: float) -> float:
    return 0.0 if cost == float("inf") else TIE * max(abs(cost), 1e-300)


def _equal(cost: float, best: float) -> bool:
    return cost == best or (best != float("inf") and abs(cost - best) <= _slack(best))
