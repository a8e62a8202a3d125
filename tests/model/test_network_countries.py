"""Countries of links and borders between them; see `test_network`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.model.network import ArcKind, build, country_order
from small_steppe import walk, where
from small_supply import RATES, crossing, link, supply


@pytest.mark.parametrize(
    ("text", "first", "last", "wanted"),
    [
        ("CN:10;KZ:20", "CN", "KZ", [("CN", 10), ("KZ", 20)]),
        ("KZ:20;CN:10", "CN", "KZ", [("CN", 10), ("KZ", 20)]),
        ("BY:5;RU:10;PL:2", "RU", "PL", [("RU", 10), ("BY", 5), ("PL", 2)]),
        ("KZ:100", "KZ", "KZ", [("KZ", 100)]),
        ("KZ:100;KG:16", "KZ", "KZ", [("KZ", 50), ("KG", 16), ("KZ", 50)]),
        ("KG:16", "KZ", "KZ", [("KZ", 0), ("KG", 16), ("KZ", 0)]),
        ("KZ:7", "CN", "KZ", [("CN", 0), ("KZ", 7)]),
        ("", "CN", "KZ", [("CN", 0), ("KZ", 0)]),
    ],
)
def test_countries_stand_in_the_order_of_travel(
    text: str, first: str, last: str, wanted: list[tuple[str, float]]
) -> None:
    assert country_order(text, first, last) == wanted


@given(
    st.dictionaries(st.sampled_from(["CN", "KZ", "RU", "BY", "KG"]), st.floats(0, 1e4), min_size=1),
    st.sampled_from(["CN", "KZ", "RU"]),
    st.sampled_from(["CN", "KZ", "RU"]),
)
def test_no_kilometre_is_lost_between_countries(km: dict[str, float], first: str, last: str) -> None:
    parts = country_order(";".join(f"{c}:{v!r}" for c, v in km.items()), first, last)
    assert parts[0][0] == first
    assert parts[-1][0] == last
    assert sum(v for _, v in parts) == pytest.approx(sum(km.values()))
    back = country_order(";".join(f"{c}:{v!r}" for c, v in km.items()), last, first)
    assert {c for c, _ in back} == {c for c, _ in parts}


def test_a_link_home_through_a_third_country_has_two_borders_free_where_no_row_prices_them() -> None:
    """kz-a ==(KZ 50 | KG 16 | KZ 50)== kz-b: kilometres and rates by country; borders by their own rows."""
    row = link("strip", "kz-a", "kz-b", country_km="KZ:100;KG:16", length_km=116.0)
    rates = [*RATES, {**RATES[0], "country": "KG", "usd_teu_km": 9.0}]
    net = build(supply([row], rates=rates))
    forth = where(net, kind=ArcKind.MOVE, backward=False)
    assert [net.countries[c] for c in net.country[forth]] == ["KZ", "KG", "KZ"]
    assert net.length_km[forth].tolist() == [50.0, 16.0, 50.0]
    assert net.money_usd_teu[forth[1]] == pytest.approx(16 * 9.0 + 10 * 16 / 116)
    borders = where(net, kind=ArcKind.BORDER)
    assert len(borders) == 4
    assert not net.time_h[borders].any()
    assert (net.crossing[borders] == -1).all()
    path = walk(net, "kz-a", "kz-b")
    assert path is not None
    assert net.length_km[path].sum() == pytest.approx(116.0)
    rows = [
        crossing("in", "strip", country_a="KZ", country_b="KG", processing_ab_h=1.0, processing_ba_h=3.0),
        crossing("out", "strip", country_a="KG", country_b="KZ", processing_ab_h=2.0, processing_ba_h=4.0),
    ]
    for order in (rows, rows[::-1]):
        net = build(supply([row], rates=rates, crossings=order))
        for start, end, wanted in (
            ("kz-a", "kz-b", [("in", 1.0), ("out", 2.0)]),
            ("kz-b", "kz-a", [("out", 4.0), ("in", 3.0)]),
        ):
            path = walk(net, start, end)
            assert path is not None
            met = [(net.crossings[net.crossing[a]], net.time_h[a]) for a in path if net.kind[a] == ArcKind.BORDER]
            assert met == wanted


def test_rows_of_several_borders_are_known_by_their_countries() -> None:
    """cn-a ==(CN | KG | KZ)== kz-b with two crossings, in whatever order their rows stand."""
    row = link("far", "cn-a", "kz-b", country_km="CN:10;KG:20;KZ:30", length_km=60.0)
    rows = [
        crossing("kg-kz", "far", country_a="KG", processing_ab_h=2.0),  # an empty country is that of the link's end
        crossing("cn-kg", "far", country_b="KG", processing_ab_h=1.0),
    ]
    net = build(supply([row], crossings=rows))
    for way in (False, True):
        (arc,) = where(net, kind=ArcKind.BORDER, crossing="cn-kg", backward=way)
        pair = (net.countries[net.country[arc]], net.countries[net.country_to[arc]])
        assert pair == (("KG", "CN") if way else ("CN", "KG"))
    assert net.time_h[where(net, kind=ArcKind.BORDER, backward=False)].tolist() == [1.0, 2.0]
    back = walk(net, "kz-b", "cn-a")
    assert back is not None
    assert [net.crossings[net.crossing[a]] for a in back if net.kind[a] == ArcKind.BORDER] == ["kg-kz", "cn-kg"]
    one = build(supply([row], crossings=rows[:1]))
    borders = where(one, kind=ArcKind.BORDER, backward=False)
    assert one.crossing[borders].tolist() == [-1, 0]  # a border without a row is sealed transit
    assert one.time_h[borders].tolist() == [0.0, 2.0]


# ---------------------------------------------------------------------------------- capacity, preload, waits, rates
