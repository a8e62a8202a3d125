"""Errors: what they say, and what they suggest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge import errors
from landbridge.errors import (
    DataError,
    Fault,
    FaultList,
    LandbridgeError,
    NotConverged,
    StudyError,
    UnknownName,
    suggest,
)

PLACES = ["Khorgos", "Khorgos Gateway", "Kashgar", "Karshi", "Tashkent", "Dostyk", "Duisburg", "Xi'an", "Ürümqi"]


def test_every_error_has_one_root() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__ if name != "Fault"]
    assert len(kinds) == 10
    assert all(issubclass(kind, LandbridgeError) for kind in kinds)
    assert issubclass(DataError, FaultList)
    assert issubclass(StudyError, FaultList)
    assert not issubclass(DataError, StudyError)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (Fault("a.csv", "row 3 (l2)", "line", "a line", "'x'"), "a.csv, row 3 (l2), line: wanted a line, got 'x'"),
        (Fault("links.csv", "", "", "a table", "no such file"), "links.csv: wanted a table, got no such file"),
        (Fault("a.toml", "", "years", "years", "'y'"), "a.toml, years: wanted years, got 'y'"),
    ],
)  # fmt: skip
def test_a_fault_reads_as_one_line_without_empty_parts(fault: Fault, line: str) -> None:
    assert str(fault) == line


@pytest.mark.parametrize("kind", [DataError, StudyError])
def test_faults_are_counted_and_listed(kind: type[FaultList]) -> None:
    one = Fault("links.csv", "row 3", "line", "a line", "'x'")
    two = Fault("places.csv", "", "", "a table", "no such file")
    assert str(kind("my data", [one])) == f"my data: 1 fault\n  {one}"
    error = kind("my data", iter([one, two]))
    assert str(error) == f"my data: 2 faults\n  {one}\n  {two}"
    assert error.faults == (one, two)
    assert error.subject == "my data"


def test_an_unknown_name_says_kind_and_suggestions() -> None:
    error = UnknownName("place", "Tashkant", PLACES)
    assert str(error) == "unknown place 'Tashkant'; did you mean Tashkent?"
    assert (error.kind, error.name, error.suggestions) == ("place", "Tashkant", ("Tashkent",))


def test_an_unknown_name_like_nothing_suggests_nothing() -> None:
    error = UnknownName("place", "Reykjavik", PLACES)
    assert str(error) == "unknown place 'Reykjavik'"
    assert error.suggestions == ()


def test_a_solver_that_stopped_carries_its_record() -> None:
    record = [1.0, 0.1]
    error = NotConverged("relative gap 0.1 after 2 rounds", record)
    assert str(error) == "relative gap 0.1 after 2 rounds"
    assert error.record is record


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kho", ("Khorgos", "Khorgos Gateway")),  # what starts so, from three letters on
        ("ga", ()),  # two letters say too little
        ("gate", ("Khorgos Gateway",)),  # what has it inside, from four letters on
        ("way", ()),
        ("DUISBURG", ("Duisburg",)),
        ("Dusiburg", ("Duisburg",)),  # letters swapped
        ("ÜRÜMQI", ("Ürümqi",)),
        ("Karshgi", ("Karshi", "Kashgar")),  # the closest first
        ("", ()),
    ],
)
def test_suggestions(name: str, expected: tuple[str, ...]) -> None:
    assert suggest(name, PLACES) == expected


def test_suggestions_are_few_and_told_once() -> None:
    many = [f"Port {letter}" for letter in "ABCDEFG"]
    assert suggest("port", many) == ("Port A", "Port B", "Port C")
    assert suggest("port", many, count=5) == ("Port A", "Port B", "Port C", "Port D", "Port E")
    assert suggest("kashgar", ["Kashgar", "KASHGAR", "kashgar"]) == ("Kashgar",)
    assert suggest("Kashgar", []) == ()


@settings(deadline=None)
@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=8), st.integers(1, 4))
def test_suggestions_are_candidates_without_repeats(name: str, candidates: list[str], count: int) -> None:
    found = suggest(name, candidates, count=count)
    assert len(found) <= count
    assert len({s.casefold() for s in found}) == len(found)
    assert set(found) <= set(candidates)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(categories=["L"]), min_size=3, max_size=12))
def test_a_name_in_another_case_is_the_first_suggestion(name: str) -> None:
    assert suggest(name.swapcase(), ["something", name])[:1] in ((name,), ()) or name.casefold() == "something"
