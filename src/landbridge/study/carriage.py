"""The network of one scenario and year as carriage under hard capacities: what `flows.surplus` takes.

Power, closures and dependence all ask for optima rather than equilibria: an optimum cannot gain when something is taken
away, so what a coalition or a closure is worth can be compared. They differ in what counts as cost: for power only
resources do, transfers between players stay out; for whoever ships, prices are what is paid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.model.costs import class_money
from landbridge.model.flows.surplus import Carriage
from landbridge.model.network import MODES, ArcKind, Network
from landbridge.study.solve import (
    Prepared,
    Settings,
    assignable,
    deep_sea,
    free_time_h,
    outside_options,
    parameter,
    prepare,
    weights,
)

__all__ = ["Laden", "lay_out"]

F8 = npt.NDArray[np.float64]
B1 = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Laden:
    """Carriage, and what it was made from.

    Attributes
    ----------
    carriage
        Relations whose outside option has a price.
    prepared
        Network and demand.
    kept : bool[R]
        Relations of the demand that are in it, in order.
    tonnes_yr
        Tonnes of all relations.
    without_outside_tonnes_yr
        Tonnes left out since no outside option has a price: nothing says what their way by land is worth.
    """

    carriage: Carriage
    prepared: Prepared
    kept: B1
    tonnes_yr: float
    without_outside_tonnes_yr: float


def lay_out(tables: Tables, *, year: int, settings: Settings, transfers: bool = True) -> Laden:
    """Lay out tables to which a scenario was applied.

    Parameters
    ----------
    tables
        After `landbridge.scenario.apply`.
    year, settings
        Year and size.
    transfers
        Whether prices count as they are paid; else fees at borders and the part of a price by rail that is surplus are
        left out.

    Returns
    -------
    Laden

    Raises
    ------
    DataError
        With what the tables lack.
    """
    prepared = prepare(tables, year=year, settings=settings)
    net = prepared.network
    graph, _, kinds, relations = assignable(prepared)

    # STEP 1: costs; firmly rail-borne cargo keeps off the roads as in the assignment.
    money = kinds.money_usd_t
    if not transfers:
        resources = _without_transfers(net, parameter(tables, "resource-share"))
        own = class_money(resources, prepared.classes, weights(tables))
        money = np.where(np.isinf(money), np.inf, np.tile(own, (len(kinds.name) // len(prepared.classes.names), 1)))
    free_h = free_time_h(net)
    cost = money + kinds.value_of_time_usd_t_h[:, None] * free_h

    # STEP 2: outside options, of captive cargo too: it is bound to rail where it goes by land, not to the land.
    everyone = replace(prepared.demand, captive=np.zeros_like(prepared.demand.captive))
    deep = deep_sea(tables)
    ocean = np.array([link in deep for link in net.links], np.bool_)
    on_ocean = np.where(net.link >= 0, ocean[net.link], False)
    outside = outside_options(tables, net, everyone, prepared.classes, prepared.money, free_h, on_ocean).usd_t
    if transfers:
        outside = outside - prepared.levy_usd_t
    kept = np.isfinite(outside)
    load = kinds.weight_trains_day_per_t_yr[:, None] / net.train_length_factor
    carriage = Carriage(
        graph=graph,
        cost_usd_t=cost,
        facility=net.facility.astype(np.int64),
        room=np.maximum(net.capacity_trains_day - net.preload_trains_day, 0.0),
        load=np.asarray(load, np.float64),
        origin=relations.origin.astype(np.int64)[kept],
        destination=relations.destination.astype(np.int64)[kept],
        class_index=relations.class_index.astype(np.int64)[kept],
        tonnes_yr=relations.tonnes_yr[kept],
        outside_usd_t=outside[kept],
    )
    return Laden(carriage, prepared, kept, float(relations.tonnes_yr.sum()), float(relations.tonnes_yr[~kept].sum()))


def _without_transfers(net: Network, resource_share: float) -> Network:
    """Prices less what only changes purses: all fees at borders, and a part of what a run by rail costs."""
    part = np.ones(net.arc_count)
    part[(net.kind == ArcKind.MOVE) & (net.mode == MODES.index("rail"))] = resource_share
    part[net.kind == ArcKind.BORDER] = 0.0
    return replace(
        net,
        money_usd_teu=net.money_usd_teu * part,
        money_usd_t=net.money_usd_t * part,
        money_empty_usd_teu=net.money_empty_usd_teu * part,
    )
