"""Networks of lines read from JSON files, and every way in which a file is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from landbridge.data.formats.lines_json import read_lines
from landbridge.errors import DataError, UnknownName

GOOD: dict[str, Any] = {
    "country": {"Chengdu": "CN", "Zamyn-Uud": "MN", "Moscow": "RU"},
    "edges": [
        {"a": "Chengdu", "b": "Zamyn-Uud", "cost": 30, "cap": 12},
        {"a": "Zamyn-Uud", "b": "Moscow", "cost": 32.5},
    ],
    "west_edges": [{"a": "Chengdu", "b": "Moscow", "cost": 50, "cap": 0}],
    "demand": {"Chengdu-Moscow": 75, "Zamyn-Uud-Moscow": 1},
    "outside_cost": {"Zamyn-Uud-Moscow": 120, "Chengdu-Moscow": 110},
    "rule": "both ways share the room",
}


def write(folder: Path, told: Any) -> Path:
    path = folder / "net.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told), encoding="utf-8")
    return path


def test_a_network_is_read(tmp_path: Path) -> None:
    net = read_lines(write(tmp_path, GOOD))
    assert net.lines == ("Chengdu-Zamyn-Uud", "Zamyn-Uud-Moscow")
    assert net.ends == ((0, 1), (1, 2))
    assert (net.cost, net.room) == ((30.0, 32.5), (12.0, float("inf")))
    assert net.pairs == ((0, 2), (1, 2))  # a place may have a dash in its name
    assert (net.volume, net.outside_cost) == ((75.0, 1.0), (110.0, 120.0))
    assert net.unread == ()


def test_lines_apart_are_there_where_they_are_built(tmp_path: Path) -> None:
    path = write(tmp_path, {"network": GOOD, "answers": 1})
    net = read_lines(path, built=["west"])
    assert net.lines[2:] == ("Chengdu-Moscow",)
    assert net.room[2] == 0.0
    assert net.unread == ("answers",)
    with pytest.raises(UnknownName, match="did you mean west"):
        read_lines(path, built=["wset"])


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"edge": []}, "edge: wanted one of country"),
        ({"country": {}}, "country: wanted an object from places"),
        ({"country": {"Chengdu": 1}}, r"country\['Chengdu'\]: wanted the name of a country, got 1"),
        ({"edges": []}, "edges: wanted a list of lines"),
        ({"edges": [3]}, r"edges\[0\]: wanted a line"),
        ({"edges": [{"a": "Chengdu", "b": "Chengdu", "cost": 1}]}, r"edges\[0\], b: wanted another place than a"),
        ({"edges": [{"a": "Oz", "b": "Moscow", "cost": 1}]}, r"edges\[0\], a: wanted a place of country, got Oz"),
        ({"edges": [{"a": "Chengdu", "b": "Moscow", "cost": 0}]}, r"edges\[0\], cost: wanted a number above 0, got 0"),
        ({"edges": [{"a": "Chengdu", "b": "Moscow", "cost": True}]}, r"edges\[0\], cost: wanted a number above 0"),
        ({"edges": [{"a": "Chengdu", "b": "Moscow", "cost": 1, "cap": -1}]}, r"edges\[0\], cap: wanted a number of"),
        ({"edges": [{"a": "Chengdu", "b": "Moscow", "cost": 1, "room": 1}]}, r"edges\[0\], room: wanted one of a, b"),
        ({"west_edges": [{"a": "Chengdu", "b": "Oz", "cost": 1}]}, r"west_edges\[0\], b: wanted a place"),
        ({"edges": 2 * [{"a": "Chengdu", "b": "Moscow", "cost": 1}]}, "one line between two places, got 2 of Chengdu-"),
        ({"demand": {"Chengdu-Moscow": 75}}, r"demand\['Zamyn-Uud-Moscow'\]: wanted every relation in both"),
        ({"demand": {"Chengdu-Moscow": -1, "Zamyn-Uud-Moscow": 1}}, r"demand\['Chengdu-Moscow'\]: wanted a number"),
        ({"demand": {"Moscow": 1}, "outside_cost": {"Moscow": 1}}, r"demand\['Moscow'\]: wanted two places"),
        ({"outside_cost": None}, "outside_cost: wanted an object from relations"),
    ],
)
def test_what_is_refused(tmp_path: Path, change: dict[str, Any], wanted: str) -> None:
    with pytest.raises(DataError, match=wanted):
        read_lines(write(tmp_path, {**GOOD, **change}))


def test_all_faults_are_told_together(tmp_path: Path) -> None:
    edges = [{"a": "Oz", "b": 3, "cost": "x", "cap": "y"}]
    with pytest.raises(DataError) as caught:
        read_lines(write(tmp_path, {**GOOD, "edges": edges, "foo": 1, "demand": {"A-B": "1"}}))
    fields = {fault.field for fault in caught.value.faults}
    assert {"a", "b", "cost", "cap", "foo"} <= fields


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("[1]", "an object with country"), ("{", "a JSON file"), ('{"edges": [], "edges": []}', "each key once")],
)
def test_what_is_no_network(tmp_path: Path, text: str, wanted: str) -> None:
    with pytest.raises(DataError, match=wanted):
        read_lines(write(tmp_path, text))
