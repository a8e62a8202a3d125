"""Parts of the report by themselves: figures, keys, numbers, escaped text, the map's projection."""

from __future__ import annotations

import itertools
import math
from urllib.parse import parse_qsl

import numpy as np
import pytest
from test_report import make_results, make_tables

from landbridge.data.tables import Tables
from landbridge.show.report.context import Context, Run
from landbridge.show.report.figures import Figures, encode
from landbridge.show.report.markup import el, link, number
from landbridge.show.report.projection import Albers, fit, path, push, simplify, split_at_edge
from landbridge.study.results import Results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return make_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def tables() -> Tables:
    return make_tables()


def test_a_figure_that_cannot_be_added_up_is_refused(results: Results) -> None:
    figures = Figures(results)
    with pytest.raises(ValueError, match=r"crossings\.use cannot be added up"):
        figures.value("crossings", "use", {"scenario": "base", "year": 2023, "crossing": "khorgos"})
    assert figures.value("crossings", "tonnes", {"crossing": "nowhere"}) == 0
    assert figures.value("crossings", "use", {"crossing": "nowhere"}) is None


def test_keys_survive_being_written() -> None:
    where = {"link": "rail:a;b=c&d", "transit": True, "crossing": ("x", "ÿ z")}
    pairs = parse_qsl(encode(where), separator=";")
    assert pairs == [("link", "rail:a;b=c&d"), ("transit", "true"), ("crossing", "x"), ("crossing", "ÿ z")]


def test_what_is_new_is_found(results: Results, tables: Tables) -> None:
    context = Context(results, tables)
    before, after = Run("base", 2030), Run("new", 2030)
    assert context.new_crossings(before, after) == ["new"]
    assert context.new_links(before, after) == ["rail:u:t"]
    assert context.new_links(after, before) == []


@pytest.mark.parametrize(
    ("value", "places", "sign", "text"),
    [
        (1234567.0, 0, False, "1\u202f234\u202f567"),
        (-0.25, 2, True, "\u22120.25"),
        (0.25, 2, True, "+0.25"),
        (0.0, 1, True, "0.0"),
        (0.001, 2, False, "<0.01"),
        (-0.001, 2, True, "\u2248\u202f0"),
        (None, 2, False, "\u2013"),
    ],
)
def test_numbers_are_written(value: float | None, places: int, sign: bool, text: str) -> None:
    assert number(value, places, sign=sign) == text


def test_elements_escape_text_and_attributes() -> None:
    assert el("td", "<b>", title='"&') == '<td title="&quot;&amp;">&lt;b&gt;</td>'
    assert el("td", el("b", "x"), class_=None) == "<td><b>x</b></td>"
    assert link("javascript:alert(1)", "x") == "x"


def test_albers_keeps_areas() -> None:
    """Small squares of one degree keep their area on the sphere, wherever they lie."""
    albers = Albers(25, 55, 70)
    for lon, lat in ((10, 20), (70, 45), (140, 65)):
        ring = np.array([[lon, lat], [lon + 1, lat], [lon + 1, lat + 1], [lon, lat + 1], [lon, lat]], np.float64)
        dense = np.vstack([np.linspace(a, b, 50) for a, b in itertools.pairwise(ring)])
        x, y = albers(dense).T
        area = abs(float(x[:-1] @ y[1:] - x[1:] @ y[:-1])) / 2
        sphere = 6371.0**2 * math.radians(1) * (math.sin(math.radians(lat + 1)) - math.sin(math.radians(lat)))
        assert area == pytest.approx(sphere, rel=2e-3)


def test_frame_holds_what_it_was_fitted_to() -> None:
    points = np.array([[5, 51], [132, 43], [69, 41], [56, 27]], np.float64)
    frame = fit(points, 1000)
    assert all(frame.holds(p) for p in frame(points))
    west, east = frame(points[[0, 1]])
    assert west[0] < east[0]


def test_lines_are_thinned_and_moved_aside() -> None:
    points = np.array([[0, 0], [5, 0.1], [10, 0], [10, 10]], np.float64)
    assert simplify(points, 0.2).tolist() == [[0, 0], [10, 0], [10, 10]]
    assert simplify(points, 0.05).tolist() == points.tolist()
    east = push(np.array([[0, 0], [10, 0]], np.float64), 2)
    assert east.tolist() == [[0, 2], [10, 2]], "right of eastward is down on a page"
    corner = push(np.array([[0, 0], [10, 0], [10, 10]], np.float64), 2)
    assert corner[1] == pytest.approx([8, 2])
    assert path(np.array([[0, 0], [1.04, -0.5], [1.04, -0.5], [0, 0]], np.float64), close=True) == "M0 0l1-.5-1 .5z"


def test_the_edge_of_the_data_is_no_border() -> None:
    ring = np.array([[170, 60], [180, 60], [180, 70], [170, 70], [170, 60]], np.float64)
    parts = split_at_edge(ring)
    assert [len(p) for p in parts] == [2, 3]
