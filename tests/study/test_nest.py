"""Sea and road as a nest outside the land network: the choice model of the assignment and of what it hands on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from landbridge.data.read import read_atlas
from landbridge.data.tables import Tables
from landbridge.errors import StudyError
from landbridge.scenario.apply import apply
from landbridge.study.files import fingerprint, read_study
from landbridge.study.gains import OutsideCarbon
from landbridge.study.prepare import Prepared, prepare
from landbridge.study.run import settings_of
from landbridge.study.settings import Settings
from landbridge.study.solve import equilibrium
from landbridge.study.trade_cost import relation_costs
from landbridge.study.world import sector_of_commodity

NEST = 0.5
PLAIN = Settings(size="reduced")
NESTED = Settings(size="reduced", nest=NEST)

STUDY = """\
name = "Nest"
years = [2023]
size = "reduced"
{}
[[scenario]]
id = "base"
"""


@pytest.fixture(scope="module")
def tables() -> Tables:
    return apply(read_atlas(), (), 2023).tables


@pytest.fixture(scope="module")
def plain(tables: Tables) -> Prepared:
    return prepare(tables, year=2023, settings=PLAIN)


def test_a_study_names_the_scale_of_its_nest(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text(STUDY.format(""))
    one = read_study(file)
    file.write_text(STUDY.format("nest = 0.5"))
    two = read_study(file)
    assert (settings_of(one).nest, settings_of(two).nest) == (0.0, 0.5)
    assert fingerprint(one) != fingerprint(two)
    file.write_text(STUDY.format("nest = 1.5"))
    with pytest.raises(StudyError, match="nest"):
        read_study(file)


def test_a_narrow_nest_is_the_cheaper_way(tables: Tables, plain: Prepared) -> None:
    narrow = prepare(tables, year=2023, settings=Settings(size="reduced", nest=1e-9), like=plain)
    np.testing.assert_allclose(narrow.outside_usd_t, plain.outside_usd_t, rtol=1e-7)
    np.testing.assert_array_equal(narrow.outside_by, plain.outside_by)
    assert set(np.unique(plain.sea_share)) <= {0.0, 1.0}


def test_sea_and_road_share_as_the_nested_logit_says(tables: Tables, plain: Prepared) -> None:
    """Costs, shares and the composite cost handed to trade are those of one model, written out by hand."""
    nested = prepare(tables, year=2023, settings=NESTED, like=plain)
    count = nested.demand.relation_count
    scale = nested.classes.scale_usd_t[nested.demand.commodity]
    some = np.isfinite(plain.outside_usd_t)
    better = np.maximum(nested.sea_share, 1.0 - nested.sea_share)[some]
    t = NEST * scale[some]
    np.testing.assert_allclose(nested.outside_usd_t[some], plain.outside_usd_t[some] + t * np.log(better), rtol=1e-12)
    mixed = some & (nested.sea_share > 0.01) & (nested.sea_share < 0.99)
    assert mixed.sum() > 5
    solution = equilibrium(tables, nested, settings=NESTED)
    land = solution.equilibrium.cost_usd_t[:count]
    best, other = plain.outside_usd_t, np.full(count, np.inf)
    gap = np.log(np.divide(better, 1.0 - better, out=np.full(better.size, np.inf), where=better < 1.0))
    other[some] = best[some] + t * gap
    levy = nested.levy_usd_t
    with np.errstate(over="ignore", invalid="ignore"):  # no way, or no way outside
        inside = np.exp(-(land - best + levy) / scale)  # everything is measured from the better way's cost
        nest = (1.0 + np.exp(-(other - best) / (NEST * scale))) ** NEST
    asked = mixed & np.isfinite(land)
    share = inside / (inside + nest)
    found = solution.equilibrium.network_tonnes_yr[:count] / nested.demand.tonnes_yr
    np.testing.assert_allclose(found[asked], share[asked], rtol=1e-4, atol=1e-6)
    sectors = tuple(tables["trade_sectors"]["id"].to_list())
    told = relation_costs(solution, sector_of_commodity(tables), sectors).composite_usd_t
    by_hand = best - scale * np.log(inside + nest)
    assert (levy[asked] != 0).any()
    np.testing.assert_allclose(told[asked], by_hand[asked], rtol=1e-6)


def test_carbon_outside_follows_the_shares(tables: Tables, plain: Prepared) -> None:
    nested = prepare(tables, year=2023, settings=NESTED, like=plain)
    mixed = np.flatnonzero((nested.sea_share > 0.2) & (nested.sea_share < 0.8))[:3]
    one, other = OutsideCarbon(tables, plain).grams(mixed), OutsideCarbon(tables, nested).grams(mixed)
    assert ((one > 0).sum(axis=1) == 1).all()
    whole = other / np.column_stack([nested.sea_share[mixed], 1.0 - nested.sea_share[mixed]])
    np.testing.assert_allclose(np.where(one > 0, one, whole), whole)
