"""Boxes between China and Russia in the base year, held against what was counted."""

from __future__ import annotations

import numpy as np
import pytest

from landbridge.data.read import read_atlas
from landbridge.model import demand as demand_door

#: Boxes by rail in 2023, thousand TEU, with the range of what the sources say. To Russia: 384 thousand of seven months
#: of 2024 over 0.88, for twelve (Fesco), and 36 per cent of 1.8 million of 2024 over 0.88 (TeDo). To China: 56 per cent
#: of 1.2 million of 2024 (TeDo), and that over the 1.05 by which exports in boxes grew (Fesco).
COUNTED = {("CHN", "RUS"): (736.0, 748.0), ("RUS", "CHN"): (640.0, 672.0)}
#: Boxes by all ways in 2024, thousand TEU (TeDo), and how far those of a year before may differ.
ALL_WAYS = {("CHN", "RUS"): 1800.0, ("RUS", "CHN"): 1200.0}
YEAR_APART = 0.15


@pytest.mark.parametrize("pair", list(COUNTED), ids=" to ".join)
def test_boxes_by_rail_between_china_and_russia_are_as_many_as_were_counted(pair: tuple[str, str]) -> None:
    tables = read_atlas()
    given = {
        name: tables[name].select([c for c in names if c in tables[name].columns]).to_dict(as_series=False)
        for name, names in demand_door.READS.items()
    }
    demand = demand_door.build(given, year=2023, size="full")
    goods = tables["commodities"]
    boxed = np.array([form == "container" for form in goods["form"].to_list()])
    t_per_teu = np.array([t or np.inf for t in goods["t_per_teu"].to_list()])
    ends = tuple(demand.countries.index(country) for country in pair)

    def thousand_teu(tonnes: np.ndarray, exporter: np.ndarray, importer: np.ndarray, kind: np.ndarray) -> float:
        own = (exporter == ends[0]) & (importer == ends[1]) & boxed[kind]
        return float((tonnes[own] / t_per_teu[kind[own]]).sum() / 1e3)

    by_land = demand.exporter, demand.importer, demand.commodity
    firm = thousand_teu(np.where(demand.captive, demand.tonnes_yr, 0.0), *by_land)
    choosing = thousand_teu(np.where(demand.captive, 0.0, demand.tonnes_yr), *by_land)
    apart = thousand_teu(demand.fixed_tonnes_yr, demand.fixed_exporter, demand.fixed_importer, demand.fixed_commodity)
    low, high = COUNTED[pair]
    assert firm < low, "some of what goes by rail has a choice"
    assert firm + choosing > high, "what goes by rail or may choose is enough for the count"
    assert firm + choosing + apart == pytest.approx(ALL_WAYS[pair], rel=YEAR_APART)
