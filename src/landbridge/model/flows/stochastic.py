r"""Stochastic user equilibrium: travellers who see costs with errors, by path-size logit.

Problem
    Notation as in `equilibrium`. A relation's tonnes on the network spread over its known paths p with the shares
    ``S_p exp(-c_p / s_k) / sum_q S_q exp(-c_q / s_k)``, s_k the scale of the class in USD per tonne and S_p the *path
    size* (Ben-Akiva and Bierlaire, 1999): ``S_p = sum_a (l_a / L_p) / N_a`` over the arcs of p, l_a an arc's cost
    without volume, L_p their sum, N_a the relation's known paths over a; paths that are nearly the same count as
    nearly one. The cost that the network hands on is that of the same model, ``C = -s_k ln sum_q S_q exp(-c_q / s_k)``,
    and the outside option competes with it at its own scale: a nested logit, consistent with utility maximisation where
    that scale is at least s_k.
Potential
    With path sizes given, flows minimise Beckmann's function plus
    ``sum_r (w_k / vot_k) s_k sum_p f_p ln(f_p / (S_p d))``, d the relation's tonnes on the network: strictly convex in
    path flows of classes with weight, so that these are unique on given paths.
Method
    Rounds: path sizes and paths are frozen; Gauss-Seidel sweeps shift tonnes between each path and its relation's most
    used one, and between all of them and the outside option, by one-dimensional solves in the log of the odds with
    delays taken as straight lines, taken back half-way while they overshoot. Then least-cost trees at the congested
    costs offer paths; a path cheaper than all known ones enters. Which paths are known follows from that alone.
Stop
    No path enters, and ``residual = sum |f - what the choice model gives at the costs of f| / sum of tonnes``, outside
    option included, is at most `gap`. The convergence record holds the residuals in place of gaps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from landbridge.errors import NotConverged
from landbridge.model.flows import kernels
from landbridge.model.flows.checks import check_inputs
from landbridge.model.flows.outcome import beckmann, flows_of
from landbridge.model.flows.prepare import prepare
from landbridge.model.flows.records import Classes, Convergence, Flows, Relations, VolumeDelay
from landbridge.model.flows.searcher import Searcher, workers_for
from landbridge.model.flows.stock import first_stock, restocked
from landbridge.model.paths import Graph

__all__ = ["stochastic_equilibrium"]

# A path that enters starts with this share of its relation's tonnes; the first sweep corrects it.
FIRST_SHARE = 1e-3
# A path enters when it is cheaper than all known ones by more than rounding and what the residual leaves.
CHEAPER = 1e-12
MOST_SWEEPS = 5000


def stochastic_equilibrium(
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    *,
    scale_usd_t: npt.ArrayLike,
    path_size: bool = True,
    gap: float = 1e-8,
    max_iterations: int = 200,
    start: Flows | None = None,
    progress: Callable[[int, float], None] | None = None,
    threads: int | None = None,
) -> Flows:
    """Find the stochastic user equilibrium.

    Parameters
    ----------
    graph, delay, classes, relations, progress, threads
        As for `assign`.
    scale_usd_t
        Scale of path choice of each class, or one for all, USD per tonne, greater than zero: of two paths of equal
        size, one scale cheaper makes the odds e to 1.
    path_size
        Whether overlapping paths count for less; plain logit if not.
    gap
        Residual to reach.
    max_iterations
        Rounds of path search after which to give up.
    start
        Flows whose paths are known from the start (see `assign`).

    Returns
    -------
    Flows
        ``cost_usd_t`` is the composite cost C of each relation.

    Raises
    ------
    ValueError
        If the inputs do not fit together, or a least-cost path uses a facility twice.
    NotConverged
        If the residual was not reached; carries the `Convergence`.
    """
    check_inputs(graph, delay, classes, relations)
    given = np.asarray(scale_usd_t, np.float64)
    if given.shape not in {(), (len(classes.name),)} or not ((given > 0.0) & np.isfinite(given)).all():
        raise ValueError(f"scale_usd_t: wanted USD per tonne > 0 for each of {len(classes.name)} classes, got {given}")
    problem, facilities, pairs, forest = prepare(graph, delay, classes, relations)
    pair_class = forest.class_index[problem.pair_tree].astype(np.int64)
    spread = (given * np.ones(len(classes.name)))[pair_class]
    history: list[float] = []
    with Searcher(problem, forest, workers_for(graph, forest, threads)) as find:
        stock = first_stock(find, facilities, pairs, graph, relations, start, settle=False)
        kernels.clear_volumes(facilities)
        length = np.empty_like(problem.fixed_cost)
        every = np.arange(length.shape[0], dtype=np.int32)
        kernels.class_costs(
            problem.fixed_cost, problem.vot, problem.class_row, problem.felt, facilities.delay, every, length
        )
        kernels.load(pairs, stock, facilities)
        best = np.empty(pairs.tonnes.size)
        composite = np.full(pairs.tonnes.size, np.inf)
        rounds = 0
        while True:
            # STEP 1: choice among the known paths.
            log_size = np.zeros(stock.flow.size)
            if path_size:
                kernels.path_sizes(stock, pair_class, length, log_size)
            kernels.disperse(pairs, stock, facilities, spread, log_size, gap, MOST_SWEEPS, composite)
            kernels.renew(pairs, stock, facilities)
            history.append(kernels.dispersion_residual(pairs, stock, facilities, spread, log_size, composite))
            if progress is not None:
                progress(rounds, history[-1])
            # STEP 2: cheaper paths enter.
            price = np.empty(stock.flow.size)
            kernels.price_known(pairs, stock, facilities, price, best)
            arrivals = find(facilities, np.where(best < np.inf, best * (1.0 - CHEAPER), -np.inf))
            enters = arrivals.target.size > 0
            if not enters or rounds == max_iterations or history[-1] > gap:
                break
            rounds += 1
            fresh = FIRST_SHARE * (pairs.tonnes - pairs.outside)
            stock = restocked(problem, pairs, stock, forest, arrivals, fresh, stock.flow > 0.0, facilities)
            kernels.renew(pairs, stock, facilities)
    good = history[-1] <= gap and not enters
    convergence = Convergence("converged" if good else "iteration limit", history[-1], rounds, tuple(history))
    if not good:
        raise NotConverged(
            f"stochastic user equilibrium: residual {history[-1]:.3g} after {rounds} rounds of path search, wanted "
            f"{gap:.3g}" + ("; paths were still entering" if enters else ""),
            convergence,
        )
    flows = flows_of(
        "stochastic user equilibrium", problem, pairs, forest, stock, graph, delay, classes, relations, convergence
    )
    cost = np.full(composite.size, np.inf)
    reached = np.isfinite(forest.distance)
    served = np.diff(stock.first) > 0
    cost[problem.rank] = np.where(served, composite, np.where(reached, forest.distance, np.inf))
    pair = np.repeat(np.arange(pairs.tonnes.size), np.diff(stock.first))
    served_tonnes = np.bincount(pair, weights=stock.flow, minlength=pairs.tonnes.size)[pair]
    some = stock.flow > 0.0  # relations of no tonnes may know a path
    mixed = np.zeros(stock.flow.size)
    mixed[some] = stock.flow[some] * (np.log(stock.flow[some] / served_tonnes[some]) - log_size[some])
    value = beckmann(delay, classes, relations, flows) + float((pairs.rate * spread)[pair] @ mixed)
    return replace(flows, cost_usd_t=cost, potential=value)
