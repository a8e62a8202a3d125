"""Generalised cost by class: what a tonne of each commodity pays on each arc, in money and in hours.

    cost = money + vot (time + buffer * spread) + carbon price * co2        [USD per tonne]

Boxes pay an arc's price per TEU over the commodity's tonnes per TEU, bulk its price per tonne. Time without congestion
and the volume-delay curve stay apart, since they are common to all classes; only their value differs.

The last class is the empty box on its way back: its tonnes are those of the boxes themselves, its time costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.model.network import Network

__all__ = ["EMPTY", "CostWeights", "Goods", "class_co2", "class_money", "goods"]

F8 = npt.NDArray[np.float64]

#: Name of the class of empty boxes.
EMPTY = "empty_box"

DAYS_A_YEAR = 365.0


@dataclass(frozen=True)
class CostWeights:
    """What turns time spread and carbon into money.

    Attributes
    ----------
    buffer
        Hours of buffer that a shipper plans per hour of standard deviation.
    carbon_usd_t
        Price of a tonne of CO2 that shippers face.
    """

    buffer: float
    carbon_usd_t: float


@dataclass(frozen=True)
class Goods:
    """The classes of cargo: K, the last one the empty box.

    Attributes
    ----------
    names
        Commodities in the atlas' order, then `EMPTY`.
    container : bool[K]
    t_per_teu : float64[K]
        Tonnes in a box; NaN for bulk.
    t_per_train : float64[K]
        Net tonnes on a train of length factor 1.
    value_of_time_usd_t_h : float64[K]
    scale_usd_t : float64[K]
        Scale of the choice between land network and outside option.
    value_usd_t : float64[K]
    """

    names: tuple[str, ...]
    container: npt.NDArray[np.bool_]
    t_per_teu: F8
    t_per_train: F8
    value_of_time_usd_t_h: F8
    scale_usd_t: F8
    value_usd_t: F8

    @property
    def weight_trains_day_per_t_yr(self) -> F8:
        """Trains of length factor 1 a day that a tonne a year makes."""
        return 1.0 / (self.t_per_train * DAYS_A_YEAR)

    @property
    def empty(self) -> int:
        """Index of the empty box."""
        return len(self.names) - 1

    def teu(self, tonnes: F8, index: npt.NDArray[np.int32]) -> F8:
        """Boxes that tonnes of the classes ``index`` fill; zero for bulk."""
        boxes: F8 = np.where(self.container[index], tonnes / np.where(self.container, self.t_per_teu, 1.0)[index], 0.0)
        return boxes


def goods(commodities: Mapping[str, Sequence[Any]], *, box_tare_t: float, teu_per_train: float) -> Goods:
    """Turn the atlas' commodities into classes and add the empty box.

    Parameters
    ----------
    commodities
        Columns id, form, t_per_teu, t_per_train, vot_usd_t_h, logit_scale_usd_t, value_usd_t.
    box_tare_t
        Weight of an empty 20-foot box.
    teu_per_train
        Boxes on a train of length factor 1.

    Returns
    -------
    Goods
    """

    def column(name: str, last: float) -> F8:
        values = [float("nan") if v is None else float(v) for v in commodities[name]]
        return np.array([*values, last], np.float64)

    return Goods(
        names=(*commodities["id"], EMPTY),
        container=np.array([*(form == "container" for form in commodities["form"]), True]),
        t_per_teu=column("t_per_teu", box_tare_t),
        t_per_train=column("t_per_train", box_tare_t * teu_per_train),
        # an empty box waits for nothing; a hair above zero keeps its cost in hours defined
        value_of_time_usd_t_h=column("vot_usd_t_h", 1e-6),
        scale_usd_t=column("logit_scale_usd_t", 1.0),
        value_usd_t=column("value_usd_t", 0.0),
    )


def class_co2(network: Network, classes: Goods, k: int) -> F8:
    """Give the CO2 that a tonne of a class causes on each arc, its part of the box's own weight included.

    Parameters
    ----------
    network
        The supernetwork.
    classes
        K classes.
    k
        The class; a tonne of empty boxes is a tonne of boxes.

    Returns
    -------
    float64[m]
        Grams per tonne.
    """
    if not classes.container[k] or k == classes.empty:
        return network.co2_g_t
    return np.asarray(network.co2_g_t + network.box_co2_g_teu / classes.t_per_teu[k], np.float64)


def class_money(network: Network, classes: Goods, weights: CostWeights) -> F8:
    """Everything in a class's cost of an arc that does not depend on volume, except time.

    Parameters
    ----------
    network
        The supernetwork.
    classes
        K classes.
    weights
        Buffer and carbon price.

    Returns
    -------
    float64[K, m]
        USD per tonne; infinite where the class may not use the arc.
    """
    count = len(classes.names)
    money = np.empty((count, network.arc_count), np.float64)
    for k in range(count):
        if classes.container[k]:
            price = network.money_empty_usd_teu if k == classes.empty else network.money_usd_teu
            row = price / classes.t_per_teu[k]
            allowed = network.container
        else:
            row = network.money_usd_t
            allowed = network.bulk
        extra = weights.buffer * classes.value_of_time_usd_t_h[k] * network.spread_h
        carbon = weights.carbon_usd_t * class_co2(network, classes, k) * 1e-6
        money[k] = np.where(allowed, row + extra + carbon, np.inf)
    return money
