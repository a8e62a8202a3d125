"""One suite for all measures, then the laws of each."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from typing import Any

import polars as pl
import pytest

from landbridge.data.tables import Tables
from landbridge.errors import StudyError
from landbridge.scenario.apply import Applied, apply
from landbridge.scenario.check import check_measures
from landbridge.scenario.measures import (
    KINDS,
    Avoid,
    Build,
    Charge,
    Close,
    Ease,
    Grow,
    Measure,
    Regauge,
    Relocate,
    Sanction,
    Subsidise,
    Union,
    Upgrade,
    given,
    kind_of,
    names_in,
    to_dict,
)
from landbridge.scenario.read import read_measures
from landbridge.scenario.trade_edits import MARKS
from small_atlas import small_atlas

#: Every kind of measure, in every shape that matters; the suite below runs over all of them.
EXAMPLES: list[tuple[Measure, str]] = [
    (Build(project="pass"), 'kind = "build"\nproject = "pass"'),
    (Build(links=("old",), year=2023), 'kind = "build"\nlinks = ["old"]\nyear = 2023'),
    (Close(crossings=("gate",)), 'kind = "close"\ncrossings = ["gate"]'),
    (Close(links=("r1",), share=0.25), 'kind = "close"\nlinks = ["r1"]\nshare = 0.25'),
    (Close(places=("kz-west",)), 'kind = "close"\nplaces = ["kz-west"]'),
    (Close(countries=("RU",)), 'kind = "close"\ncountries = ["RU"]'),
    (Avoid(countries=("RU",)), 'kind = "avoid"\ncountries = ["RU"]'),
    (Avoid(crossings=("gate",), links=("r3",)), 'kind = "avoid"\ncrossings = ["gate"]\nlinks = ["r3"]'),
    (Avoid(modes=("sea",)), 'kind = "avoid"\nmodes = ["sea"]'),
    (Upgrade(links=("r1",), capacity_factor=2.0), 'kind = "upgrade"\nlinks = ["r1"]\ncapacity_factor = 2.0'),
    (
        Upgrade(lines=("west",), speed_kmh=80.0, tracks=2, train_length_factor=1.2),
        'kind = "upgrade"\nlines = ["west"]\nspeed_kmh = 80.0\ntracks = 2\ntrain_length_factor = 1.2',
    ),
    (
        Upgrade(crossings=("gate",), capacity_trains_day=40.0),
        'kind = "upgrade"\ncrossings = ["gate"]\ncapacity_trains_day = 40.0',
    ),
    (
        Upgrade(terminals=("yard",), crane_groups_added=1, tracks_added=10, customs_time_factor=0.5),
        'kind = "upgrade"\nterminals = ["yard"]\ncrane_groups_added = 1\ntracks_added = 10\ncustoms_time_factor = 0.5',
    ),
    (
        Upgrade(terminals=("yard",), cranes_added=2, shift_h_day=20.0, stack_factor=1.5),
        'kind = "upgrade"\nterminals = ["yard"]\ncranes_added = 2\nshift_h_day = 20.0\nstack_factor = 1.5',
    ),
    (Ease(crossings=("gate",), time_factor=0.5), 'kind = "ease"\ncrossings = ["gate"]\ntime_factor = 0.5'),
    (
        Ease(everywhere=True, waiting_factor=0.5, cost_factor=0.0, include_gauge_change=True),
        'kind = "ease"\neverywhere = true\nwaiting_factor = 0.5\ncost_factor = 0.0\ninclude_gauge_change = true',
    ),
    (
        Ease(countries=("KZ",), capacity_factor=1.5),
        'kind = "ease"\ncountries = ["KZ"]\ncapacity_factor = 1.5',
    ),
    (
        Charge(countries=("KZ",), modes=("rail",), usd_teu_km=0.1, payee="KZ"),
        'kind = "charge"\ncountries = ["KZ"]\nmodes = ["rail"]\nusd_teu_km = 0.1\npayee = "KZ"',
    ),
    (
        Charge(countries=("RU",), usd_teu=100.0, usd_t=5.0, direction="both"),
        'kind = "charge"\ncountries = ["RU"]\nusd_teu = 100.0\nusd_t = 5.0\ndirection = "both"',
    ),
    (Charge(links=("r1",), usd_teu=10.0), 'kind = "charge"\nlinks = ["r1"]\nusd_teu = 10.0'),
    (
        Subsidise(countries=("CN",), modes=("rail",), usd_teu_km=0.2, payer="CN"),
        'kind = "subsidise"\ncountries = ["CN"]\nmodes = ["rail"]\nusd_teu_km = 0.2\npayer = "CN"',
    ),
    (Subsidise(crossings=("gate",), usd_t=3.0), 'kind = "subsidise"\ncrossings = ["gate"]\nusd_t = 3.0'),
    (Regauge(links=("r2",), gauge_mm=1435), 'kind = "regauge"\nlinks = ["r2"]\ngauge_mm = 1435'),
    (Grow(percent_yr=5.0), 'kind = "grow"\npercent_yr = 5.0'),
    (
        Grow(factor=2.0, exporter="CHN", importer="eaeu", commodity="fuels", from_year=2023),
        'kind = "grow"\nfactor = 2.0\nexporter = "CHN"\nimporter = "eaeu"\ncommodity = "fuels"\nfrom_year = 2023',
    ),
    (
        Grow(target_bn_usd=12.0, target_year=2030, exporter="CHN", importer="KAZ", both_ways=True, basis="kaz-stat"),
        'kind = "grow"\ntarget_bn_usd = 12.0\ntarget_year = 2030\nexporter = "CHN"\nimporter = "KAZ"\nboth_ways '
        "= true\n"
        'basis = "kaz-stat"',
    ),
    (
        Grow(open_t_yr=5000.0, exporter="RUS", importer="KAZ", commodity="food"),
        'kind = "grow"\nopen_t_yr = 5000.0\nexporter = "RUS"\nimporter = "KAZ"\ncommodity = "food"',
    ),
    (
        Grow(open_t_yr=7000.0, exporter="KAZ", importer="RUS", commodity="coal"),
        'kind = "grow"\nopen_t_yr = 7000.0\nexporter = "KAZ"\nimporter = "RUS"\ncommodity = "coal"',
    ),
    (
        Sanction(exporter="CHN", importer="eaeu", both_ways=True, share=0.0),
        'kind = "sanction"\nexporter = "CHN"\nimporter = "eaeu"\nboth_ways = true\nshare = 0.0',
    ),
    (
        Sanction(exporter="RUS", commodity="fuels", friction_pct=5.0, barred_countries=("KZ",)),
        'kind = "sanction"\nexporter = "RUS"\ncommodity = "fuels"\nfriction_pct = 5.0\nbarred_countries = ["KZ"]',
    ),
    (
        Union(bloc="eaeu", members=("CN",), time_factor=0.2, waiting_factor=0.5, cost_factor=0.9),
        'kind = "union"\nbloc = "eaeu"\nmembers = ["CN"]\ntime_factor = 0.2\nwaiting_factor = 0.5\ncost_factor = 0.9',
    ),
    (
        Union(bloc="eaeu", members=("CN",), tariffs=False, waiting_factor=0.5),
        'kind = "union"\nbloc = "eaeu"\nmembers = ["CN"]\ntariffs = false\nwaiting_factor = 0.5',
    ),
    (
        Relocate(
            commodity="fuels",
            share=0.1,
            origin="RUS",
            hosts=("KAZ",),
            part_of_group=0.5,
            sold_back=0.25,
            home_sales_t=100.0,
            inputs=("food", "coal"),
            inputs_t_per_t=(1.5, 0.5),
            inputs_from="RUS",
            from_year=2023,
        ),
        'kind = "relocate"\ncommodity = "fuels"\nshare = 0.1\norigin = "RUS"\nhosts = ["KAZ"]\npart_of_group = 0.5\n'
        "sold_back = 0.25\nhome_sales_t = 100.0\n"
        'inputs = ["food", "coal"]\ninputs_t_per_t = [1.5, 0.5]\ninputs_from = "RUS"\nfrom_year = 2023',
    ),
    (
        Subsidise(zones=("cn-east",), usd_teu=300.0, payer="CN"),
        'kind = "subsidise"\nzones = ["cn-east"]\nusd_teu = 300.0\npayer = "CN"',
    ),
    (Charge(zones=("kz-west",), usd_t=4.0), 'kind = "charge"\nzones = ["kz-west"]\nusd_t = 4.0'),
]

each_measure = pytest.mark.parametrize(
    ("measure", "text"), EXAMPLES, ids=[f"{kind_of(m)}-{i}" for i, (m, _) in enumerate(EXAMPLES)]
)


@pytest.fixture
def tables() -> Tables:
    return small_atlas()


def frame(applied: Applied | Tables, table: str) -> pl.DataFrame:
    return (applied.tables if isinstance(applied, Applied) else applied)[table]


def cell(applied: Applied | Tables, table: str, row: str, column: str) -> Any:
    return frame(applied, table).row(by_predicate=pl.col("id") == row, named=True)[column]


def told(
    tables: Tables, *measures: Measure, years: tuple[int, ...] = (2023,), held: frozenset[str] = frozenset()
) -> str:
    return "\n".join(str(fault) for fault in check_measures(tables, measures, years, held=held))


# ------------------------------------------------------------------------------------------- all measures


def test_every_kind_has_an_example() -> None:
    assert {kind_of(measure) for measure, _ in EXAMPLES} == set(KINDS)


def test_every_field_is_used_by_an_example_and_explained() -> None:
    used = {(kind_of(m), key) for m, _ in EXAMPLES for key in to_dict(m)}
    for kind, record in KINDS.items():
        for each in fields(record):
            assert each.metadata["meaning"]
            if kind != "subsidise":  # its fields are those of charge
                assert (kind, each.name) in used or each.name in UNUSED.get(kind, ()), (kind, each.name)


UNUSED = {
    "upgrade": ("project", "speed_factor"),
    "charge": ("crossings", "usd_t_km"),
    "sanction": ("barred_operators",),  # the small atlas has no railways by name: tests/study/test_cargo.py
}


@each_measure
def test_input_is_untouched(tables: Tables, measure: Measure, text: str) -> None:
    before = {name: table.clone() for name, table in tables.frames.items()}
    apply(tables, [measure], 2023)
    check_measures(tables, [measure], [2023])
    assert set(tables.frames) == set(before)
    for name, table in before.items():
        assert tables[name].equals(table), name
        assert tables[name].schema == table.schema, name


@each_measure
def test_result_is_valid(tables: Tables, measure: Measure, text: str) -> None:
    for year in (2023, 2030):
        applied = apply(tables, [measure], year)
        links, crossings = frame(applied, "links"), frame(applied, "crossings")
        assert set(applied.tables.frames) == set(tables.frames)
        for name, table in tables.frames.items():
            kept = frame(applied, name)
            assert dict(table.schema).items() <= dict(kept.schema).items(), "columns and types stay"
            assert kept.columns[: table.width] == table.columns
            if "id" in table.columns:
                assert kept["id"].is_unique().all()
                assert set(kept["id"]) <= set(table["id"])
        assert set(crossings["link"]) <= set(links["id"]), "no crossing without its link"
        gated = set(tables["crossings"]["link"])
        assert gated & set(links["id"]) <= set(crossings["link"]), "no link past a closed crossing"
        for table in (links, crossings):
            assert table["availability"].is_between(0, 1, closed="right").all()
        assert (links["capacity_trains_day"].drop_nulls() > 0).all()
        assert (links["speed_kmh"] > 0).all()
        assert links["open_from"].fill_null(0).max() <= year  # type: ignore[operator]
        assert set(links["status"]) <= {"existing", "under_construction"}
        for column in ("charge_usd_teu", "charge_usd_t", "charge_usd_teu_km", "charge_usd_t_km"):
            assert links[column].is_not_null().all()
        assert (frame(applied, "trade")["factor"] >= 0).all()
        assert applied.notes


@each_measure
def test_sensible_examples_pass_the_check(tables: Tables, measure: Measure, text: str) -> None:
    assert told(tables, measure) == ""


@each_measure
def test_something_changes(tables: Tables, measure: Measure, text: str) -> None:
    """Nothing that an analyst asks for may be without effect."""
    with_it, without = apply(tables, [measure], 2026), apply(tables, [], 2026)
    assert any(not frame(with_it, name).equals(frame(without, name)) for name in tables.frames)


@each_measure
def test_order_of_rows_stays(tables: Tables, measure: Measure, text: str) -> None:
    applied = apply(tables, [measure], 2023)
    order = tables.ids("links")
    kept = applied.tables.ids("links")
    assert kept == [name for name in order if name in set(kept)]


@each_measure
def test_round_trip(measure: Measure, text: str) -> None:
    data = tomllib.loads(text)
    (read,) = read_measures([data])
    assert read == measure
    assert to_dict(read) == data
    assert read_measures([to_dict(measure)]) == (measure,)
    assert hash(read) == hash(measure)


@each_measure
def test_unknown_names_are_told_with_suggestions(tables: Tables, measure: Measure, text: str) -> None:
    for position, kind, name in names_in(measure):
        if not given(measure, position.partition("[")[0]):
            continue  # the default of a field is no name that somebody wrote
        data = to_dict(measure)
        field, _, index = position.partition("[")
        wrong = f"{name}x"
        if index:
            data[field][int(index[:-1])] = wrong
        else:
            data[field] = wrong
        (misspelt,) = read_measures([data])
        with pytest.raises(StudyError) as caught:
            apply(tables, [misspelt], 2023)
        (fault,) = caught.value.faults
        assert fault.field == f"measure[0].{position}"
        assert repr(wrong) in fault.got
        assert kind in fault.wanted
        assert name in fault.wanted
        assert [f.field for f in check_measures(tables, [misspelt], [2023])] == [fault.field]


@each_measure
def test_unknown_keys_and_wrong_types_are_told(measure: Measure, text: str) -> None:
    data = to_dict(measure)
    key = next(key for key in data if key != "kind")
    wrong = {**data, f"{key}s_": data[key], key: {"a": 1}}
    with pytest.raises(StudyError) as caught:
        read_measures([wrong])
    told = {fault.field: fault for fault in caught.value.faults}
    assert set(told) == {f"measure[0].{key}s_", f"measure[0].{key}"}
    assert f"did you mean {key}" in told[f"measure[0].{key}s_"].wanted


@each_measure
def test_the_same_measure_twice_is_told(tables: Tables, measure: Measure, text: str) -> None:
    assert "measure[1]" in told(tables, measure, measure) or measure in TWICE_IS_FINE


#: Shutting a wide set twice is the same as once.
TWICE_IS_FINE = {Close(countries=("RU",)), Avoid(countries=("RU",)), Avoid(modes=("sea",))}


@each_measure
def test_a_measure_of_one_year_applies_to_tables_of_that_year(tables: Tables, measure: Measure, text: str) -> None:
    now = apply(tables, [], 2023).tables
    if isinstance(measure, Build):
        return  # what it would build has left the tables
    if isinstance(measure, Grow | Sanction | Union | Relocate):
        with pytest.raises(ValueError, match="needs a year"):
            apply(now, [measure], None)
        return
    again = apply(now, [measure], None)
    at_once = apply(tables, [measure], 2023)
    for name in set(tables.frames) - {"gauge_changes"}:  # yards at crossings that are not open are beyond reach
        assert frame(again, name).equals(frame(at_once, name)), name


# --------------------------------------------------------------------------------------------- laws of measures


def test_closing_a_place_shuts_its_links(tables: Tables) -> None:
    applied = apply(tables, [Close(places=("kz-west",))], 2030)
    for ends in frame(applied, "links").select("place_a", "place_b").rows():
        assert "kz-west" not in ends


def test_closing_a_country_shuts_its_borders_only(tables: Tables) -> None:
    left = set(apply(tables, [Close(countries=("KZ",))], 2023).tables.ids("links"))
    assert left == {"r1", "r3", "r2", "s1", "s2"}
    assert "s2" not in apply(tables, [Close(countries=("RU",))], 2023).tables.ids("links"), "by sea too"


def test_a_share_is_left(tables: Tables) -> None:
    half = apply(tables, [Close(crossings=("steppe",), share=0.5)], 2023)
    assert cell(half, "crossings", "steppe", "availability") == pytest.approx(0.5 * 181 / 365)
    border = apply(tables, [Close(countries=("RU",), share=0.5)], 2024)
    assert cell(border, "crossings", "steppe", "availability") == 0.5
    assert cell(border, "links", "g2", "availability") == 1, "narrow at the crossing, not twice"
    assert cell(border, "links", "s2", "availability") == 0.5


@pytest.mark.parametrize("country", ["CN", "KZ", "RU"])
def test_avoiding_a_country_leaves_nothing_in_it(tables: Tables, country: str) -> None:
    applied = apply(tables, [Avoid(countries=(country,))], 2030)
    inside = set(tables["places"].filter(pl.col("iso2") == country)["id"])
    links = frame(applied, "links")
    assert not links["country_km"].fill_null("").str.contains(f"{country}:").any()
    assert not inside & {*links["place_a"], *links["place_b"]}
    for table in ("gauge_changes", "terminals", "services"):
        assert not inside & set(frame(applied, table)["place"].drop_nulls())
    assert frame(applied, "trade").drop(list(MARKS)).equals(tables["trade"]), "demand stays"


def test_avoiding_a_mode_in_a_country(tables: Tables) -> None:
    left = set(apply(tables, [Avoid(countries=("KZ",), modes=("road",))], 2023).tables.ids("links"))
    assert left == set(apply(tables, [], 2023).tables.ids("links")) - {"road"}
    by_sea = apply(tables, [Avoid(modes=("sea",))], 2023).tables
    assert not {"s1", "s2"} & set(by_sea.ids("links"))
    assert by_sea.ids("terminals") == ["gate:rail-road"]
    assert by_sea.ids("services") == ["trains-east", "trains-moscow"], "no liner without its links"


def test_upgrade(tables: Tables) -> None:
    applied = apply(tables, [Upgrade(lines=("west",), capacity_factor=2, speed_factor=1.1, tracks=2)], 2023)
    assert cell(applied, "links", "r2", "capacity_trains_day") == 48
    assert cell(applied, "links", "g2", "speed_kmh") == pytest.approx(55)
    assert cell(applied, "links", "g2", "tracks") == 2
    assert cell(applied, "links", "r1", "capacity_trains_day") == 40
    both = apply(tables, [Upgrade(crossings=("gate",), links=("g1",), capacity_trains_day=50)], 2023)
    assert cell(both, "crossings", "gate", "capacity_ba_trains_day") == 50
    assert cell(both, "links", "g1", "capacity_trains_day") == 50


def test_ease(tables: Tables) -> None:
    applied = apply(
        tables, [Ease(crossings=("gate",), time_factor=0.5, cost_factor=0.2, include_gauge_change=True)], 2023
    )
    assert cell(applied, "crossings", "gate", "processing_ab_h") == 5
    assert cell(applied, "crossings", "gate", "spread_ba_h") == 4
    assert cell(applied, "crossings", "gate", "waiting_ab_h") == 20
    assert cell(applied, "crossings", "gate", "cost_ba_usd_teu") == pytest.approx(10)
    assert cell(applied, "crossings", "gate-road", "processing_ab_h") == 10
    assert cell(applied, "gauge_changes", "kz-gate:out", "work_h") == 1
    assert cell(applied, "gauge_changes", "kz-gate:out", "yard_h") == 5
    assert cell(applied, "gauge_changes", "cn-gate:back", "cost_usd_t") == 1
    assert cell(applied, "gauge_changes", "kz-pass:out", "yard_h") == 10
    by_country = apply(tables, [Ease(countries=("RU",), waiting_factor=0.0)], 2023)
    assert frame(by_country, "crossings")["waiting_ab_h"].to_list() == [20, 20, 0]


def test_charges_by_the_km_count_kilometres_inside(tables: Tables) -> None:
    applied = apply(tables, [Charge(countries=("KZ",), modes=("rail",), usd_teu_km=0.1, payee="KZ")], 2023)
    paid = dict(frame(applied, "links").select("id", pl.col("charge_usd_teu_km") * pl.col("length_km")).rows())
    assert paid["r2"] == pytest.approx(90)
    assert paid["g1"] == pytest.approx(1.5)
    assert paid["g2"] == pytest.approx(30)
    assert paid["r1"] == paid["road"] == paid["s1"] == 0
    assert {p.party for p in applied.payments} == {"KZ"}
    assert {p.row: p.usd for p in applied.payments}["g1"] == pytest.approx(0.075)


@pytest.mark.parametrize(("direction", "ab", "ba"), [("entering", 1, 0), ("leaving", 0, 1), ("both", 1, 1)])
def test_charges_at_a_border(tables: Tables, direction: Any, ab: int, ba: int) -> None:
    applied = apply(tables, [Charge(countries=("RU",), usd_teu=100, direction=direction)], 2023)
    assert cell(applied, "crossings", "steppe", "cost_ab_usd_teu") == 50 + 100 * ab
    assert cell(applied, "crossings", "steppe", "cost_ba_usd_teu") == 50 + 100 * ba
    assert cell(applied, "crossings", "gate", "cost_ab_usd_teu") == 50
    assert cell(applied, "links", "g2", "charge_usd_teu") == 0


def test_a_charge_and_an_equal_subsidy_cancel(tables: Tables) -> None:
    pair = [Charge(countries=("CN",), usd_teu_km=0.1), Subsidise(countries=("CN",), usd_teu_km=0.1)]
    assert frame(apply(tables, pair, 2023), "links").equals(frame(apply(tables, [], 2023), "links"))


def test_no_arc_is_cheaper_than_free(tables: Tables) -> None:
    apply(tables, [Subsidise(countries=("CN",), modes=("rail",), usd_teu_km=0.25)], 2023)
    with pytest.raises(StudyError, match="USD per TEU on link r1") as caught:
        apply(tables, [Grow(factor=1.5), Subsidise(countries=("CN",), modes=("rail",), usd_teu_km=0.35)], 2023)
    assert {fault.field for fault in caught.value.faults} == {"measure[1]"}
    with pytest.raises(StudyError, match="crossing gate"):
        apply(tables, [Subsidise(crossings=("gate",), usd_t=4.5)], 2023)


def test_regauge(tables: Tables) -> None:
    applied = apply(tables, [Regauge(links=("r2",), gauge_mm=1435)], 2023)
    assert cell(applied, "links", "r2", "gauges_mm") == [1435]
    assert sorted(cell(applied, "places", "kz-west", "gauges_mm")) == [1435, 1520]
    assert any("at kz-west nothing changes from 1435 to 1520 mm" in note for note in applied.notes)
    assert not any("at kz-gate" in note for note in applied.notes)


def test_grow(tables: Tables) -> None:
    def factors(measure: Grow, year: int) -> list[float]:
        return frame(apply(tables, [measure], year), "trade")["factor"].to_list()

    assert factors(Grow(percent_yr=10), 2025) == pytest.approx([1.21] * 4)
    assert factors(Grow(percent_yr=10, from_year=2024), 2025) == pytest.approx([1.1] * 4)
    assert factors(Grow(percent_yr=10, from_year=2024), 2023) == [1] * 4
    assert factors(Grow(factor=3, from_year=2024), 2023) == [1] * 4
    assert factors(Grow(factor=3, exporter="CHN", importer="eaeu"), 2023) == [3, 3, 1, 1]
    assert factors(Grow(factor=3, importer="later"), 2023) == [1, 1, 1, 1], "not a member yet"
    assert factors(Grow(factor=3, importer="later"), 2028) == [1, 1, 3, 3]
    coal = apply(tables, [Grow(factor=2, commodity="coal")], 2023)
    assert frame(coal, "bulk_trade")["factor"].to_list() == [2, 1]
    fuels = apply(tables, [Grow(factor=2, commodity="fuels"), Grow(factor=2, commodity="fuels", exporter="RUS")], 2023)
    assert frame(fuels, "bulk_trade")["factor"].to_list() == [4, 1]
    assert frame(fuels, "trade")["factor"].to_list() == [2, 2, 4, 1]
