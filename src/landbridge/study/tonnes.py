"""Where every tonne of the trade matrix stands, commodity by commodity: that zoning loses none, for all to see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landbridge.data.tables import Tables
from landbridge.model import demand as demand_door
from landbridge.scenario.apply import apply
from landbridge.study.settings import Settings, columns

__all__ = ["SIZES", "CommodityTonnes", "commodity_tonnes"]

SIZES = tuple(demand_door.SIZES)


@dataclass(frozen=True)
class CommodityTonnes:
    """Tonnes a year of one commodity.

    Attributes
    ----------
    commodity
    trade_t_yr
        Of the trade matrix of the year, before modes and zones.
    relations_t_yr
        In the relations that a study assigns, to the land network or to the outside option.
    fixed_t_yr
        Set apart: what firmly goes by road, pipeline, sea or air between countries that are studied.
    elsewhere_t_yr, within_zone_t_yr, without_zone_t_yr, left_out_t_yr
        As `landbridge.model.demand.Demand` counts them.
    difference_t_yr
        The trade less all of these.
    """

    commodity: str
    trade_t_yr: float
    relations_t_yr: float
    fixed_t_yr: float
    elsewhere_t_yr: float
    within_zone_t_yr: float
    without_zone_t_yr: float
    left_out_t_yr: float
    difference_t_yr: float


def commodity_tonnes(
    tables: Tables, *, year: int = Settings.base_year, size: str = Settings.size
) -> list[CommodityTonnes]:
    """Count the tonnes of a year by commodity before and after they are dealt over modes and zones.

    Parameters
    ----------
    tables
        The atlas.
    year
        From the year of the trade matrix on.
    size
        Size of the study.

    Returns
    -------
    list of CommodityTonnes
        In the order of the atlas.

    Raises
    ------
    DataError
        If growth is not stated to the year.
    """
    given = columns(apply(tables, (), year).tables, list(demand_door.READS))
    demand = demand_door.build(given, year=year, size=size)
    whole = dict.fromkeys(demand.commodities, 0.0)
    for (_, _, commodity), (_, tonnes) in demand_door.goods_of_years(given, year=year).items():
        whole[commodity] += tonnes
    count = len(demand.commodities)
    relations = np.bincount(demand.commodity, weights=demand.tonnes_yr, minlength=count)
    fixed = np.bincount(demand.fixed_commodity, weights=demand.fixed_tonnes_yr, minlength=count)
    found = []
    for k, commodity in enumerate(demand.commodities):
        trade, assigned, apart = whole[commodity], float(relations[k]), float(fixed[k])
        elsewhere, within, without, left_out = demand.aside_tonnes_yr[:, k].tolist()
        rest = trade - assigned - apart - elsewhere - within - without - left_out
        found.append(CommodityTonnes(commodity, trade, assigned, apart, elsewhere, within, without, left_out, rest))
    return found
