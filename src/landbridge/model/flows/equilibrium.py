r"""User equilibrium of several classes of cargo with an outside option.

Problem
    Relation r sends Q_r tonnes of class k. Each tonne takes a path, or stays outside. An arc costs class k
    ``money_ka + vot_k * (time_a + D_f(v_f))`` per tonne, D_f the delay of the arc's facility f at its volume
    ``v_f = sum of w_k * h_f * x_ka`` (trains a day; x tonnes, w_k a tonne's weight, h_f = 1 / train length factor).
    Wanted: on no relation has a tonne a cheaper alternative, and the outside option has the logit share
    ``e / Q = 1 / (1 + exp((w - c) / s))`` at least network cost c. Put as a cost of its own, the outside option costs
    ``u(e) = w + s ln(e / (Q - e))``, which rises strictly; the equilibrium then makes all used alternatives cost the
    same.
Potential
    Because the weight of a tonne is a product w_k h_f, the equilibrium minimises::

        sum_f (1 / h_f) * integral of D_f from 0 to v_f
        + sum_k (w_k / vot_k) * sum_a (money_ka + vot_k time_a) x_ka
        + sum_r (w_k / vot_k) * [w e + s (e ln e + (Q - e) ln(Q - e) - Q ln Q)]

    whose derivative along a path is (w_k / vot_k) times the path's cost, and along the outside option (w_k / vot_k)
    times u(e). It is convex (delays do not fall), and strictly so in the volumes of facilities whose delay rises and in
    the outside quantities: those are unique. What each class carries on a path need not be.
Method
    Column generation with gradient projection (Jayakrishnan et al., 1994, is the root of this family). In every round,
    costs are frozen; a contraction hierarchy (see `hierarchy`), weighed anew, gives the least cost of every relation
    and so the exact gap, and unpacks a path only where it is cheaper than all known ones. Then Gauss-Seidel sweeps over
    the relations with a choice move tonnes from each used path to the cheapest by Newton steps on the facilities in
    which the two differ, and to or from the outside option by a safeguarded one-dimensional solve in the log of its
    odds, which keeps both sides positive. A sweep looks only at facilities that a relation's paths do not all share,
    and passes over relations that had nothing to gain; now and then all relations move on in the direction that a group
    of sweeps has taken, as far as the potential falls. Sweeps end when the excess over the known paths is a tenth of
    the round's, or in the end half of what the wanted gap allows. Tonnes are moved by one thread in a fixed order and
    searches do not depend on each other: results are the same for any number of threads.
Start
    From nothing, or from the paths of another solution: those that are still open keep their shares, relations that
    lost all of theirs are priced first, then all settle on what they know before anyone searches.
Stop
    ``relative gap = sum_r [sum_p f_p c_p + e u - Q min(c, u)] / sum_r [sum_p f_p c_p + e max(w, 0)]`` at most `gap`, c
    from a search that looks at all paths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from landbridge.errors import NotConverged
from landbridge.model.flows import kernels
from landbridge.model.flows.checks import check_inputs
from landbridge.model.flows.kernels import AnyFacilities, Pairs, Stock
from landbridge.model.flows.outcome import beckmann, flows_of, relative_gap
from landbridge.model.flows.prepare import prepare
from landbridge.model.flows.records import Classes, Convergence, Floats, Flows, Relations, VolumeDelay
from landbridge.model.flows.searcher import Searcher, workers_for
from landbridge.model.flows.stock import IDLE_SHARE, first_stock, restocked
from landbridge.model.paths import Graph

__all__ = ["Descent", "assign", "descend", "record"]

# Sweeps of a round end when the excess over the known paths has fallen to this share of the round's: tighter wastes
# sweeps on paths that the next round would replace, looser wastes searches. Best of 0.005 to 0.3 in trials on the
# corridors, and on four networks of cities, whose one class is soon swept.
INNER_SHARE, INNER_SHARE_OF_ONE_CLASS = 0.1, 0.01
# But where that comes within twice the excess that the wanted gap leaves, half of that is asked for: enough to end
# with, the rest being for paths still to be found.
FINAL_SHARE, NEARLY_DONE = 0.5, 2.0
# Idle paths that cost at most this share more than the best known stay: most of those that leave come back.
KEPT_WITHIN = 0.01
# New paths are passed over where all of them together could save no more than this share of the excess that is left:
# many that save little come and go without ever being used.
PASSED_OVER = 0.02
# A new path must be cheaper than the known ones by more than adding up the same costs in another order can feign.
ROUNDING = 1e-13


def assign(
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    *,
    gap: float = 1e-6,
    max_iterations: int = 500,
    start: Flows | None = None,
    progress: Callable[[int, float], None] | None = None,
    threads: int | None = None,
) -> Flows:
    """Find the user equilibrium.

    Parameters
    ----------
    graph
        Where cargo moves.
    delay
        How time grows with volume.
    classes
        Kinds of cargo, with their costs.
    relations
        Demand and outside options.
    gap
        Relative gap to reach.
    max_iterations
        Rounds after which to give up.
    start
        Flows on the same graph and for the same relations (costs, capacities and tonnes may differ) whose paths are
        the first guess; paths over arcs that are now forbidden are left out. The default begins from nothing.
    progress
        Told the round and its relative gap.
    threads
        Threads for the searches; by default as many as Numba would use. The result does not depend on it.

    Returns
    -------
    Flows
        The equilibrium; its `convergence` has the status ``converged``.

    Raises
    ------
    ValueError
        If the inputs do not fit together, with all faults found, or a least-cost path uses a facility twice.
    NotConverged
        If the gap was not reached; carries the `Convergence`.
    """
    check_inputs(graph, delay, classes, relations)
    problem, facilities, pairs, forest = prepare(graph, delay, classes, relations)
    with Searcher(problem, forest, workers_for(graph, forest, threads)) as find:
        stock = first_stock(find, facilities, pairs, graph, relations, start)
        found = descend(find, facilities, pairs, stock, gap, max_iterations, progress)
    convergence = record("user equilibrium", found, gap)
    flows = flows_of(
        "user equilibrium", problem, pairs, forest, found.stock, graph, delay, classes, relations, convergence
    )
    value = beckmann(delay, classes, relations, flows)
    short = float(pairs.rate @ found.excess_usd)
    return replace(flows, potential=value, lower_bound=value - max(short, 0.0))


@dataclass(frozen=True, eq=False)
class Descent:
    """Where a descent ended, each relation's excess there, and gap and average excess by round."""

    stock: Stock
    excess_usd: Floats
    gaps: tuple[float, ...]
    excess_usd_t: tuple[float, ...]


def descend(
    find: Searcher,
    facilities: AnyFacilities,
    pairs: Pairs,
    stock: Stock,
    gap: float,
    max_iterations: int,
    progress: Callable[[int, float], None] | None,
) -> Descent:
    """Lower the gap until it is reached or the rounds are used up; facilities, pairs and searches are left as they are.

    Parameters
    ----------
    find
        Finds least costs.
    facilities, pairs
        From `prepare`.
    stock
        From `first_stock`, or where an earlier descent ended.
    gap, max_iterations, progress
        As in `assign`.

    Returns
    -------
    Descent
        With as many gaps as rounds, and one more. A gap is 1 where relations had no path and have just found one.
    """
    problem, forest = find.problem, find.forest
    gaps: list[float] = []
    averages: list[float] = []
    tonnes = max(float(pairs.tonnes.sum()), np.finfo(np.float64).tiny)
    mark = np.zeros(facilities.volume.size, np.int64)
    stamp = np.zeros(1, np.int64)
    excess = np.empty(pairs.tonnes.size)
    best = np.empty(pairs.tonnes.size)
    nothing = np.zeros(pairs.tonnes.size)
    inner_share = INNER_SHARE if find.classes.size > 1 else INNER_SHARE_OF_ONE_CLASS
    wanting = np.where(pairs.tonnes > 0.0, np.inf, -np.inf)
    least_saving = 0.0
    rounds = 0
    while True:
        # STEP 1: least costs at the volumes as they are, the gap, and cheaper paths.
        price = np.empty(stock.flow.size)
        kernels.price_known(pairs, stock, facilities, price, best)
        cheaper = np.minimum(best * (1.0 - ROUNDING), best - least_saving)
        arrivals = find(facilities, np.minimum(cheaper, wanting, out=cheaper))
        short, total = kernels.appraise(pairs, stock, price, forest.distance, excess)
        first = arrivals.target[best[arrivals.target] == np.inf]
        gaps.append(relative_gap(short, total) if first.size == 0 else 1.0)
        least_saving = PASSED_OVER * max(min(gaps), gap) * total / tonnes
        averages.append(max(short, 0.0) / tonnes)
        if progress is not None:
            progress(rounds, gaps[-1])
        if gaps[-1] <= gap or rounds == max_iterations:
            return Descent(stock, excess, tuple(gaps), tuple(averages))
        rounds += 1
        # STEP 2: cheaper paths join; idle ones leave unless they cost little more than the best.
        kept = np.empty(price.size, np.bool_)
        kernels.worth_keeping(stock, price, best, KEPT_WITHIN, kept)
        fresh = nothing
        if first.size:
            fresh = nothing.copy()
            kernels.first_tonnes(first, pairs, forest.distance, fresh)
        stock = restocked(problem, pairs, stock, forest, arrivals, fresh, kept, facilities)
        if first.size:
            kernels.load(pairs, stock, facilities)
        # STEP 3: move tonnes among the known alternatives.
        known = np.diff(stock.first)
        active = np.flatnonzero((known > 1) | (pairs.elastic & (known > 0))).astype(np.int32)
        allowed = inner_share * short
        if allowed < NEARLY_DONE * gap * total:
            allowed = FINAL_SHARE * gap * total
        idle = IDLE_SHARE * allowed / max(active.size, 1)
        kernels.level(active, allowed, idle, pairs, stock, facilities, mark, stamp)


def record(principle: str, found: Descent, gap: float) -> Convergence:
    """Tell how a descent went; raises NotConverged where it stopped early."""
    reached, rounds = found.gaps[-1], len(found.gaps) - 1
    status = Convergence(
        "converged" if reached <= gap else "iteration limit", reached, rounds, found.gaps, found.excess_usd_t
    )
    if status.status != "converged":
        raise NotConverged(
            f"{principle}: relative gap {reached:.3g} after {rounds} rounds, wanted {gap:.3g}; "
            "allow more iterations or a wider gap",
            status,
        )
    return status
