"""Owners who refuse a way: parts of relations that may not pass, told apart so that the parts add to the whole."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.data.tables import Tables
from landbridge.model.demand import Demand
from landbridge.scenario.apply import apply
from landbridge.study.owners import by_owner, masks_of
from landbridge.study.prepare import on_network, prepare
from landbridge.study.settings import Settings
from small_run import small_tables

REDUCED = Settings(size="reduced")


def refusing(share: float, *, goods: tuple[str, ...] = ()) -> Tables:
    rows = small_tables()["refusals"].head(1).with_columns(
        share=pl.lit(share), countries=pl.lit(["RU", "BY"]), goods=pl.lit(list(goods), dtype=pl.List(pl.String)),
        date_from=pl.lit(dt.date(2022, 1, 1)), date_to=pl.lit(None, dtype=pl.Date),
    )  # fmt: skip
    return small_tables().replace(refusals=rows)


def demand_of(tables: Tables, year: int = 2023) -> Demand:
    made = prepare(apply(tables, (), year).tables, year=year, settings=REDUCED)
    assert made.whole is not None
    return made.whole


WHOLE = demand_of(small_tables())


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0, 1))
def test_parts_add_to_the_whole(share: float) -> None:
    applied = apply(refusing(share), (), 2023).tables
    demand, sets, which = by_owner(applied, WHOLE)
    assert demand.tonnes_yr.sum() == pytest.approx(WHOLE.tonnes_yr.sum())
    assert len(which) == demand.relation_count
    names = demand.countries
    china, refusers = names.index("CHN"), which > 0
    if share < 1e-5:
        return
    assert refusers.any()
    assert {sets[n] for n in which[refusers].tolist()} == {"BY;RU"}
    ends = np.stack([demand.exporter[refusers], demand.importer[refusers]])
    assert (ends == china).any(axis=0).all()
    home = [names.index(c) for c in ("RUS", "BLR") if c in names]
    assert not np.isin(ends, home).any()
    both = (demand.exporter == china) | (demand.importer == china)
    europe = np.isin(demand.exporter, np.unique(ends)) & np.isin(demand.importer, np.unique(ends)) & both
    assert demand.tonnes_yr[refusers].sum() == pytest.approx(share * demand.tonnes_yr[europe].sum(), rel=1e-6)


def test_what_owners_refuse_no_path_of_theirs_passes() -> None:
    made = prepare(apply(refusing(0.4), (), 2023).tables, year=2023, settings=REDUCED)
    (mask,) = masks_of(made.network, made.sets)[1:]
    codes = [made.network.countries.index(c) for c in ("RU", "BY")]
    assert np.array_equal(mask, np.isin(made.network.country, codes) | np.isin(made.network.country_to, codes))
    again = on_network(refusing(0.4), made, made.network)
    assert again.demand.relation_count == made.demand.relation_count  # not told apart a second time
    assert np.array_equal(again.ban, made.ban)


def test_goods_and_days_narrow_a_refusal() -> None:
    few = apply(refusing(0.5, goods=("machinery_box",)), (), 2023).tables
    demand, _, which = by_owner(few, WHOLE)
    goods = {demand.commodities[c] for c in demand.commodity[which > 0].tolist()}
    assert goods == {"machinery_box"}
    assert apply(refusing(0.5), (), 2021).tables["refusals"].is_empty()
    half = refusing(0.5)
    half = half.replace(refusals=half["refusals"].with_columns(date_from=pl.lit(dt.date(2023, 7, 2))))
    assert apply(half, (), 2023).tables["refusals"]["share"].item() == pytest.approx(0.5 * 183 / 365)
    again = apply(apply(half, (), 2023).tables, (), 2023).tables  # weighed by its days once, not twice
    assert again["refusals"]["share"].item() == pytest.approx(0.5 * 183 / 365)
