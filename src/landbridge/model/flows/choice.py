r"""Outside options: several in a nest, and the composite cost of the choice between them and the network.

Problem
    A relation may have several outside options (sea, air, not shipping) that resemble each other more than any of them
    resembles the network. Which single option stands for them in the equilibrium, and what does the whole choice cost?
Method
    Nested logit (Williams, 1977; Daly and Zachary, 1978). Within the nest, option i of cost w_i has the share
    ``exp(-w_i / t) / sum_j exp(-w_j / t)``, t the scale of the nest; the nest as a whole costs
    ``W = -t ln sum_j exp(-w_j / t)`` and competes with the network at the scale s >= t. Costs outside do not depend on
    volumes, so W is a constant: handed to the equilibrium as the relation's outside cost it makes the equilibrium that
    of the nested logit, exactly. The binary logit is the nest of one option.
Composite cost
    ``-s ln(exp(-c / s) + exp(-W / s))``, c the network's cost of the same model (least cost in a user equilibrium,
    logsum of paths in a stochastic one). Its derivative by c is the network's share and by w_i the share of option i:
    it is the cost by which trade should feel a change.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from landbridge.model.flows.records import Floats, Flows, Relations

__all__ = ["Nest", "composite_cost", "nest"]


class Nest(NamedTuple):
    """Outside options taken together.

    Parameters
    ----------
    cost_usd_t
        Composite cost W of each relation, ``inf`` where it has no option, shape (R,).
    share
        Share of each option in what stays outside, shape (R, J); zero where there is none.
    """

    cost_usd_t: Floats
    share: Floats


def nest(option_usd_t: npt.ArrayLike, *, scale_usd_t: npt.ArrayLike, network_scale_usd_t: npt.ArrayLike) -> Nest:
    """Put several outside options into one.

    Parameters
    ----------
    option_usd_t
        Cost of each relation's options, ``inf`` = not there, shape (R, J).
    scale_usd_t
        Scale t of the choice between them, greater than zero, one or shape (R,).
    network_scale_usd_t
        Scale s of the choice between network and nest, at least t: with less, the options would be less alike than
        each is to the network, and the model no choice of least cost.

    Returns
    -------
    Nest
        `cost_usd_t` is what `Relations` takes as ``outside_usd_t``, at the scale s.

    Raises
    ------
    ValueError
        If a scale is not positive, or the nest's exceeds the network's.
    """
    cost = np.asarray(option_usd_t, np.float64)
    inner = np.broadcast_to(np.asarray(scale_usd_t, np.float64), cost.shape[:1])
    outer = np.broadcast_to(np.asarray(network_scale_usd_t, np.float64), cost.shape[:1])
    bad = np.flatnonzero(~((inner > 0.0) & (inner <= outer) & np.isfinite(outer)))
    if bad.size:
        raise ValueError(
            f"scale_usd_t of relation {bad[0]}: wanted USD per tonne > 0 and at most the network's {outer[bad[0]]:g}, "
            f"got {inner[bad[0]]:g}"
        )
    least = cost.min(axis=1, initial=np.inf)
    there = np.isfinite(least)
    mass = np.zeros(cost.shape)
    mass[there] = np.exp((least[there, None] - cost[there]) / inner[there, None])
    total = np.where(there, mass.sum(axis=1), 1.0)
    return Nest(np.where(there, least - inner * np.log(total), np.inf), mass / total[:, None])


def composite_cost(flows: Flows, relations: Relations) -> Floats:
    """Tell what the choice between network and outside option costs each relation.

    Parameters
    ----------
    flows
        From an assignment.
    relations
        Its demand.

    Returns
    -------
    array of float64
        USD per tonne; the network's cost where there is no outside option, the outside option's where no path leads,
        ``inf`` where there is neither.
    """
    network = flows.cost_usd_t
    outside = np.asarray(relations.outside_usd_t, np.float64)
    both = np.isfinite(network) & np.isfinite(outside)
    cost = np.minimum(network, outside)
    scale = np.asarray(relations.scale_usd_t, np.float64)[both]
    cost[both] -= scale * np.log1p(np.exp(-np.abs(network[both] - outside[both]) / scale))
    return cost
