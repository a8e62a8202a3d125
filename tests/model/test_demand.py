"""Demand on a handful of countries: every step, and that no tonne is lost or made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import DataError
from landbridge.model.demand import FIXED_MODES, SIZES, Demand, build, largest, spread

Row = dict[str, Any]

COLUMNS = {
    "trade": "exporter importer year commodity tonnes factor",
    "bulk_trade": "exporter importer year product tonnes factor",
    "trade_overrides": "exporter importer commodity tonnes tonnes_factor",
    "commodities": "id group baci_products share_of_group",
    "mode_shares": "exporter importer commodity rail road pipeline sea air switch",
    "zones": "id country",
    "zone_shares": "zone commodity partner export_share import_share",
    "growth": "exporter importer commodity from_year to_year growth_pct_yr",
    "countries": "iso2 iso3",
    "blocs": "bloc iso2",
}

COMMODITIES = [
    {"id": "ore", "group": "raw", "baci_products": ["iron_ore", "bauxite"], "share_of_group": 0.0},
    {"id": "timber", "group": "raw", "baci_products": None, "share_of_group": 0.75},
    {"id": "pulp", "group": "raw", "baci_products": None, "share_of_group": 0.25},
    {"id": "machines", "group": "machinery", "baci_products": None, "share_of_group": 1.0},
]
COUNTRIES = [
    {"iso2": "CN", "iso3": "CHN"},
    {"iso2": "DE", "iso3": "DEU"},
    {"iso2": "FR", "iso3": "FRA"},
    {"iso2": "KZ", "iso3": "KAZ"},
    {"iso2": "AQ", "iso3": "ATA"},  # has no zone
    {"iso2": "BV", "iso3": "BVT"},  # nor has this
]
BLOCS = [{"bloc": "europe", "iso2": "DE"}, {"bloc": "europe", "iso2": "FR"}]
ZONES = [
    {"id": "cn-east", "country": "CN"},
    {"id": "cn-west", "country": "CN"},
    {"id": "de", "country": "DE"},
    {"id": "fr", "country": "FR"},
    {"id": "kz", "country": "KZ"},
]
ZONE_SHARES = [
    {"zone": "cn-east", "commodity": "*", "partner": "*", "export_share": 0.8, "import_share": 0.6},
    {"zone": "cn-west", "commodity": "*", "partner": "*", "export_share": 0.2, "import_share": 0.4},
    *(
        {"zone": z, "commodity": "*", "partner": "*", "export_share": 1.0, "import_share": 1.0}
        for z in ("de", "fr", "kz")
    ),
]
SWITCH = {"exporter": "*", "importer": "*", "commodity": "*", "switch": 1.0}


def flow(exporter: str, importer: str, group: str, tonnes: float, year: int = 2023, factor: float = 1.0) -> Row:
    return {
        "exporter": exporter, "importer": importer, "year": year, "commodity": group, "product": group,
        "tonnes": tonnes, "factor": factor,
    }  # fmt: skip


def tables(**given_rows: list[Row]) -> dict[str, dict[str, list[Any]]]:
    rows: dict[str, list[Row]] = {
        "commodities": COMMODITIES, "countries": COUNTRIES, "blocs": BLOCS, "zones": ZONES,
        "zone_shares": ZONE_SHARES, "mode_shares": [SWITCH], **given_rows,
    }  # fmt: skip
    return {
        name: {c: [r.get(c) for r in rows.get(name, [])] for c in columns.split()} for name, columns in COLUMNS.items()
    }


def tonnes(demand: Demand, commodity: str | None = None, **ends: str) -> float:
    """Tonnes of the relations of a commodity, exporter, importer, origin or destination."""
    mask = np.ones(demand.relation_count, np.bool_)
    if commodity:
        mask &= demand.commodity == demand.commodities.index(commodity)
    for name, value in ends.items():
        names = demand.countries if name in ("exporter", "importer") else demand.zones
        mask &= getattr(demand, name) == names.index(value)
    return float(demand.tonnes_yr[mask].sum())


def whole(demand: Demand) -> float:
    """Every tonne that a demand tells of."""
    without = sum(t for _, t in demand.without_zone)
    parts = demand.tonnes_yr.sum() + demand.fixed_tonnes_yr.sum() + without
    return float(parts + demand.elsewhere_tonnes_yr + demand.within_zone_tonnes_yr + demand.left_out_tonnes_yr)


# ---------------------------------------------------------------------------------------------- trade to tonnes


def test_recorded_bulk_comes_first_and_the_rest_is_shared() -> None:
    """100 t of raw goods, 40 of them ore on record: 45 timber, 15 pulp."""
    demand = build(
        tables(
            trade=[flow("CHN", "DEU", "raw", 100.0)],
            bulk_trade=[flow("CHN", "DEU", "iron_ore", 30.0), flow("CHN", "DEU", "bauxite", 10.0)],
        ),
        year=2023,
        size="full",
    )
    assert tonnes(demand, "ore") == pytest.approx(40.0)
    assert tonnes(demand, "timber") == pytest.approx(45.0)
    assert tonnes(demand, "pulp") == pytest.approx(15.0)
    assert demand.unmatched_tonnes_yr == 0.0


def test_records_above_their_group_stay_and_are_told() -> None:
    demand = build(
        tables(
            trade=[flow("CHN", "DEU", "raw", 25.0)],
            bulk_trade=[flow("CHN", "DEU", "iron_ore", 30.0), flow("CHN", "KAZ", "iron_ore", 7.0)],
        ),
        year=2023,
        size="full",
    )
    assert tonnes(demand, "ore") == pytest.approx(37.0)
    assert tonnes(demand) == pytest.approx(37.0)
    assert demand.unmatched_tonnes_yr == pytest.approx(5.0 + 7.0)  # above 25; and a pair without a group total


def test_products_of_no_commodity_and_other_years_do_not_count() -> None:
    demand = build(
        tables(
            trade=[flow("CHN", "DEU", "raw", 100.0), flow("CHN", "DEU", "raw", 9.0, year=2022)],
            bulk_trade=[flow("CHN", "DEU", "gravel", 30.0), flow("CHN", "DEU", "iron_ore", 5.0, year=2022)],
        ),
        year=2023,
        size="full",
    )
    assert tonnes(demand) == pytest.approx(100.0)
    assert tonnes(demand, "ore") == 0.0


def test_an_override_by_factor_touches_the_estimate_and_not_the_record() -> None:
    demand = build(
        tables(
            trade=[flow("CHN", "DEU", "raw", 100.0), flow("CHN", "KAZ", "raw", 100.0)],
            bulk_trade=[flow("CHN", "DEU", "iron_ore", 40.0)],
            trade_overrides=[
                {"exporter": "CHN", "importer": "europe", "commodity": "*", "tonnes_factor": 0.5},
                {"exporter": "CHN", "importer": "DEU", "commodity": "pulp", "tonnes_factor": 2.0},
            ],
        ),
        year=2023,
        size="full",
    )
    assert tonnes(demand, "ore", importer="DEU") == pytest.approx(40.0)
    assert tonnes(demand, "timber", importer="DEU") == pytest.approx(45.0 * 0.5)
    assert tonnes(demand, "pulp", importer="DEU") == pytest.approx(15.0 * 2.0)
    assert tonnes(demand, importer="KAZ") == pytest.approx(100.0)


def test_an_override_by_tonnes_replaces_the_whole_cell_before_growth() -> None:
    demand = build(
        tables(
            trade=[flow("CHN", "DEU", "raw", 100.0, factor=3.0)],
            bulk_trade=[flow("CHN", "DEU", "iron_ore", 40.0, factor=3.0)],
            trade_overrides=[
                {"exporter": "CHN", "importer": "DEU", "commodity": "ore", "tonnes": 11.0},
                {"exporter": "CHN", "importer": "DEU", "commodity": "*", "tonnes_factor": 0.1},
            ],
        ),
        year=2023,
        size="full",
    )
    assert tonnes(demand, "ore") == pytest.approx(11.0 * 3.0)
    assert tonnes(demand, "timber") == pytest.approx(45.0 * 0.1 * 3.0)


def test_a_measure_s_factor_multiplies_records_and_estimates() -> None:
    demand = build(
        tables(
            trade=[flow("CHN", "DEU", "raw", 100.0, factor=2.0)],
            bulk_trade=[flow("CHN", "DEU", "iron_ore", 40.0, factor=1.5)],
        ),
        year=2023,
        size="full",
    )
    assert tonnes(demand, "ore") == pytest.approx(60.0)
    assert tonnes(demand, "timber") == pytest.approx(90.0)


# ------------------------------------------------------------------------------------------------ specificity


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([("*", "*", "*", 1), ("CHN", "*", "*", 2)], 2),
        ([("CHN", "*", "*", 1), ("CHN", "europe", "*", 2)], 2),
        ([("CHN", "europe", "*", 1), ("CHN", "DEU", "*", 2)], 2),
        ([("CHN", "DEU", "*", 2), ("*", "*", "timber", 1)], 2),  # a pair before a commodity
        ([("CHN", "europe", "*", 1), ("CHN", "europe", "timber", 2)], 2),
        ([("CHN", "europe", "timber", 1), ("CHN", "DEU", "*", 2)], 2),
        ([("CN", "DE", "*", 2), ("CHN", "europe", "timber", 1)], 2),  # two letters mean the country too
    ],
)
def test_the_most_specific_rule_wins_in_any_order(rows: list[tuple[str, str, str, int]], wanted: int) -> None:
    names = ("exporter", "importer", "commodity", "tonnes_factor")
    for order in (rows, rows[::-1]):
        made = [dict(zip(names, row, strict=True)) for row in order]
        demand = build(tables(trade=[flow("CHN", "DEU", "raw", 100.0)], trade_overrides=made), year=2023, size="full")
        assert tonnes(demand, "timber") == pytest.approx(75.0 * wanted)


def test_zone_shares_of_the_nearest_commodity_and_partner_win() -> None:
    shares = [
        *ZONE_SHARES,
        {"zone": "cn-west", "commodity": "timber", "partner": "*", "export_share": 1.0, "import_share": 0.5},
        {"zone": "cn-west", "commodity": "*", "partner": "europe", "export_share": 0.5, "import_share": 0.5},
        {"zone": "cn-east", "commodity": "*", "partner": "europe", "export_share": 0.5, "import_share": 0.5},
        {"zone": "cn-east", "commodity": "machines", "partner": "DE", "export_share": 1.0, "import_share": 1.0},
    ]
    trade = [flow("CHN", c, g, 100.0) for c in ("DEU", "FRA", "KAZ") for g in ("raw", "machinery")]
    demand = build(tables(trade=trade, zone_shares=shares), year=2023, size="full")

    def west(commodity: str, importer: str) -> float:
        return tonnes(demand, commodity, importer=importer, origin="cn-west") / tonnes(
            demand, commodity, importer=importer
        )

    assert west("pulp", "KAZ") == pytest.approx(0.2)
    assert west("timber", "KAZ") == pytest.approx(1.0)
    assert west("timber", "FRA") == pytest.approx(0.5)  # the partner before the commodity
    assert west("machines", "FRA") == pytest.approx(0.5)
    assert west("machines", "DEU") == 0.0


# ------------------------------------------------------------------------------------------------------- growth


@pytest.mark.parametrize(
    ("year", "factor"),
    [(2023, 1.0), (2024, 1.1), (2026, 1.1**3), (2027, 1.1**3 * 0.8), (2030, 1.1**3 * 0.8**2)],
)
def test_growth_runs_through_its_spans_of_years(year: int, factor: float) -> None:
    """Ten per cent a year to 2026, a fifth less each year to 2028, then nothing."""
    spans = [(2023, 2026, 10.0), (2026, 2028, -20.0)]
    growth = [
        {"exporter": "CHN", "importer": "*", "commodity": "*", "from_year": a, "to_year": b, "growth_pct_yr": g}
        for a, b, g in spans
    ]
    growth.append(
        {"exporter": "*", "importer": "*", "commodity": "*", "from_year": 2020, "to_year": 2050, "growth_pct_yr": 99.0}
    )
    demand = build(tables(trade=[flow("CHN", "DEU", "machinery", 100.0)], growth=growth), year=year, size="full")
    assert tonnes(demand) == pytest.approx(100.0 * factor)


@pytest.mark.parametrize("year", [2020, 2051])
def test_a_year_without_stated_growth_is_refused(year: int) -> None:
    growth = [
        {"exporter": "*", "importer": "*", "commodity": "*", "from_year": 2023, "to_year": 2050, "growth_pct_yr": 1.0}
    ]
    with pytest.raises(DataError, match=rf"from 2023, .* to 2050, .* got {year}"):
        build(tables(trade=[flow("CHN", "DEU", "machinery", 1.0)], growth=growth), year=year)


# ------------------------------------------------------------------------------------------------- modes and zones


def test_the_split_by_mode_sets_apart_what_is_fixed() -> None:
    shares = [{**SWITCH, "rail": 0.1, "road": 0.15, "pipeline": 0.2, "sea": 0.25, "air": 0.05, "switch": 0.25}]
    demand = build(tables(trade=[flow("CHN", "DEU", "machinery", 100.0)], mode_shares=shares), year=2023, size="full")
    assert float(demand.tonnes_yr[demand.captive].sum()) == pytest.approx(10.0)
    assert float(demand.tonnes_yr[~demand.captive].sum()) == pytest.approx(25.0)
    by_mode = {FIXED_MODES[m]: float(t) for m, t in zip(demand.fixed_mode, demand.fixed_tonnes_yr, strict=True)}
    assert by_mode == pytest.approx({"road": 15.0, "pipeline": 20.0, "sea": 25.0, "air": 5.0})
    assert {demand.countries[i] for i in demand.fixed_exporter} == {"CHN"}
    assert {demand.countries[i] for i in demand.fixed_importer} == {"DEU"}


def test_zones_share_both_ends_of_a_pair() -> None:
    demand = build(
        tables(trade=[flow("CHN", "DEU", "machinery", 100.0), flow("DEU", "CHN", "machinery", 50.0)]),
        year=2023,
        size="full",
    )
    assert tonnes(demand, origin="cn-east") == pytest.approx(80.0)
    assert tonnes(demand, destination="cn-west") == pytest.approx(20.0)


def test_shares_of_zones_need_not_add_to_one() -> None:
    shares = [{**row, "export_share": 7 * row["export_share"]} for row in ZONE_SHARES]
    demand = build(tables(trade=[flow("CHN", "DEU", "machinery", 100.0)], zone_shares=shares), year=2023, size="full")
    assert tonnes(demand, origin="cn-east") == pytest.approx(80.0)
    assert tonnes(demand) == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("pair", "told"), [(("ATA", "DEU"), {"ATA"}), (("CHN", "ATA"), {"ATA"}), (("ATA", "BVT"), {"ATA", "BVT"})]
)
def test_trade_of_a_country_without_zone_is_told_once(pair: tuple[str, str], told: set[str]) -> None:
    demand = build(tables(trade=[flow(*pair, "machinery", 100.0)]), year=2023, size="full")
    assert demand.relation_count == 0
    assert {country for country, _ in demand.without_zone} == told
    assert sum(t for _, t in demand.without_zone) == pytest.approx(100.0)


def test_trade_inside_one_zone_is_told() -> None:
    zones = [{"id": "cn", "country": "CN"}, {"id": "de", "country": "DE"}]
    shares = [
        {"zone": z, "commodity": "*", "partner": "*", "export_share": 1.0, "import_share": 1.0} for z in ("cn", "de")
    ]
    demand = build(tables(trade=[flow("CHN", "CHN", "machinery", 100.0)], zones=zones, zone_shares=shares), year=2023)
    assert demand.relation_count == 0
    assert demand.within_zone_tonnes_yr == pytest.approx(100.0)


COUNTRY = st.sampled_from([row["iso3"] for row in COUNTRIES])
AMOUNT = st.just(0.0) | st.floats(0.01, 1e7)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, dict[str, list[Any]]], dict[str, float]]:
    """Random trade, shares of modes and zones; with the tonnes of every commodity that must come out."""
    pairs = draw(st.lists(st.tuples(COUNTRY, COUNTRY), min_size=1, max_size=6, unique=True))
    trade = [flow(e, i, "raw", draw(AMOUNT)) for e, i in pairs]
    trade += [flow(e, i, "machinery", draw(AMOUNT)) for e, i in pairs]
    bulk = [flow(e, i, "iron_ore", draw(AMOUNT)) for e, i in pairs]
    weights = draw(st.lists(st.just(0.0) | st.floats(0.01, 1.0), min_size=6, max_size=6).filter(any))
    modes = dict(
        zip(("rail", "road", "pipeline", "sea", "air", "switch"), (w / sum(weights) for w in weights), strict=True)
    )
    part = draw(st.floats(0.01, 0.99))
    shares = [
        {"zone": "cn-east", "commodity": "*", "partner": "*", "export_share": part, "import_share": 1 - part},
        {"zone": "cn-west", "commodity": "*", "partner": "*", "export_share": 1 - part, "import_share": part},
        *ZONE_SHARES[2:],
    ]
    total = {
        "ore": sum(r["tonnes"] for r in bulk),
        "machines": sum(r["tonnes"] for r in trade if r["commodity"] == "machinery"),
    }
    rest = sum(
        max(t["tonnes"] - b["tonnes"], 0.0)
        for t, b in zip((t for t in trade if t["commodity"] == "raw"), bulk, strict=True)
    )
    total |= {"timber": 0.75 * rest, "pulp": 0.25 * rest}
    made = tables(trade=trade, bulk_trade=bulk, zone_shares=shares, mode_shares=[{**SWITCH, **modes}])
    return made, total


@given(worlds(), st.sampled_from(list(SIZES)))
@settings(max_examples=150, deadline=None)
def test_fixed_relations_and_what_is_counted_add_up_to_all_trade(
    world: tuple[dict[str, dict[str, list[Any]]], dict[str, float]], size: str
) -> None:
    made, total = world
    if sum(total.values()) == 0:
        return
    demand = build(made, year=2023, size=size)
    assert whole(demand) == pytest.approx(sum(total.values()), rel=1e-9)
    assert (demand.tonnes_yr > 0).all()
    assert (demand.origin != demand.destination).all()


# --------------------------------------------------------------------------------------------------------- sizes


def test_small_flows_are_dealt_out_in_lots_and_keep_their_tonnes(monkeypatch: pytest.MonkeyPatch) -> None:
    """China's east half, its west half: a flow of one lot goes to one of them, one of ten lots to both alike."""
    trade = [flow("CHN", "DEU", "machinery", 100.0)]
    for least, relations in ((300.0, 1), (10.0, 2)):
        monkeypatch.setitem(SIZES, "corridor", (least, None))  # type: ignore[arg-type]
        demand = build(tables(trade=trade), year=2023, size="corridor")
        assert demand.relation_count == relations
        assert tonnes(demand) == pytest.approx(100.0)
    assert build(tables(trade=trade), year=2023, size="full").relation_count == 2


@given(
    st.lists(st.floats(0.05, 1.0), min_size=2, max_size=6),
    st.lists(st.floats(0.05, 1.0), min_size=2, max_size=6),
    st.floats(1.0, 1e4),
)
def test_lots_keep_every_zone_within_a_lot_of_its_share(starts: list[float], ends: list[float], amount: float) -> None:
    """Systematic sampling: what a zone of the first country sends differs from its share by less than one lot."""
    first = [(i, s / sum(starts)) for i, s in enumerate(starts)]
    second = [(10 + i, s / sum(ends)) for i, s in enumerate(ends)]
    dealt = spread(first, second, amount, 100.0, "CHN DEU machinery False")
    assert sum(t for _, _, t in dealt) == pytest.approx(amount)
    lot = amount / max(1, int(amount / 100.0))
    for zone, share in first:
        assert sum(t for s, _, t in dealt if s == zone) == pytest.approx(share * amount, abs=lot * (1 + 1e-9))


def test_over_many_small_flows_each_zone_gets_its_share() -> None:
    """A thousand flows of one lot each: the zones' totals come within three points of their shares."""
    first, second = [(0, 0.6), (1, 0.3), (2, 0.1)], [(10, 0.75), (11, 0.25)]
    total = dict.fromkeys((0, 1, 2, 10, 11), 0.0)
    for number in range(1000):
        for s, e, t in spread(first, second, 1.0, 10.0, f"flow {number}"):
            total[s] += t
            total[e] += t
    for zone, share in [*first, *second]:
        assert total[zone] / 1000 == pytest.approx(share, abs=0.03)


@given(st.lists(st.floats(1.0, 1e6), min_size=1, max_size=5), st.integers(1, 12))
@settings(deadline=None)
def test_the_largest_relations_stay_and_the_rest_is_counted(amounts: list[float], count: int) -> None:
    partners = ["DEU", "FRA", "KAZ", "CHN", "ATA"]
    trade = [flow("KAZ" if p == "CHN" else "CHN", p, "raw", t) for p, t in zip(partners, amounts, strict=False)]
    everything = build(tables(trade=trade), year=2023, size="full")
    if everything.relation_count == 0:
        return
    some = largest(everything, count)
    assert some.relation_count == min(count, everything.relation_count)
    assert some.left_out_relations == everything.relation_count - some.relation_count
    assert whole(some) == pytest.approx(whole(everything))
    kept = np.sort(some.tonnes_yr)[::-1]
    assert kept == pytest.approx(np.sort(everything.tonnes_yr)[::-1][: len(kept)])
    twice = largest(largest(everything, count + 1), count)
    assert twice.left_out_relations == some.left_out_relations
    assert twice.left_out_tonnes_yr == pytest.approx(some.left_out_tonnes_yr)
    assert largest(everything, None) is everything


# ------------------------------------------------------------------------------------------------------- bad input


def test_pairs_without_mode_shares_are_told_together() -> None:
    shares = [{**SWITCH, "exporter": "CHN"}]
    trade = [
        flow("DEU", "CHN", "machinery", 1.0),
        flow("FRA", "CHN", "machinery", 1.0),
        flow("CHN", "DEU", "machinery", 1.0),
    ]
    with pytest.raises(DataError) as caught:
        build(tables(trade=trade, mode_shares=shares), year=2023)
    assert [fault.row for fault in caught.value.faults] == ["DEU to CHN, machines", "FRA to CHN, machines"]


def test_no_trade_in_the_base_year_is_told() -> None:
    with pytest.raises(DataError, match="rows of 2021"):
        build(tables(trade=[flow("CHN", "DEU", "machinery", 1.0)]), year=2021, base_year=2021)
