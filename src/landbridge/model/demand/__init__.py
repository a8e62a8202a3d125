"""Demand: from tables of trade to tonnes by relation.

Steps
    1. Trade by exporter, importer and SITC group becomes tonnes by commodity: recorded bulk goods (BACI) first, the
       rest of a group by the commodity's share of it, then published totals that correct single cells (`goods`).
    2. Growth takes it to the year; `Grow` measures multiply it.
    3. Each pair and commodity is split by mode. What goes by pipeline, air, or firmly by sea or road is set apart and
       reported; firmly by rail is a relation without an alternative; the part that can switch is a relation that
       chooses between the land network and its outside option (`build`).
    4. Countries are split into zones, in lots where the size of a study asks for it (`zones`).

Which row of a table holds for a pair of countries and a commodity is decided for all of them at once (`names`).
The result is arrays; this is the second of the two doors at which tables come in.
"""

from landbridge.model.demand.build import build, largest, scaled
from landbridge.model.demand.goods import goods_of_years
from landbridge.model.demand.names import Names, names_of
from landbridge.model.demand.records import ASIDE, FIXED_MODES, GROWTH, READS, SIZES, Demand, DemandTables
from landbridge.model.demand.zones import spread

__all__ = [
    "ASIDE",
    "FIXED_MODES",
    "GROWTH",
    "READS",
    "SIZES",
    "Demand",
    "DemandTables",
    "Names",
    "build",
    "goods_of_years",
    "largest",
    "names_of",
    "scaled",
    "spread",
]
