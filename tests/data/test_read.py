"""Reading a data package: the dictionary, typed columns, and every fault that the dictionary can find."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from landbridge.data.dictionary import HEADER, Column, read_dictionary
from landbridge.data.read import SPELLED_OUT, join_lines, read_frames, read_package, read_table
from landbridge.data.tables import Tables
from landbridge.errors import DataError, Fault

DICTIONARY = f"""{HEADER}
lands,iso2,text,,yes,,,,,Code
lands,name,text,,no,,,,,Name
towns,id,id,,yes,,,,,Town
towns,name,text,,yes,,,,,Name
towns,land,text,,yes,,,,lands.iso2,Land
towns,size,integer,people,yes,1,9,,,People
towns,height,number,m,no,-500,9000,,,Height over the sea
towns,founded,date,,no,,,,,First day
towns,coastal,boolean,,no,,,,,Lies at the sea
towns,kind,choice,,yes,,,city;port,,Kind
towns,gauges_mm,list,mm,no,,,,,Gauges
towns,twins,list,,no,,,,towns.id,Twin towns
lines,id,id,,yes,,,,,Line
lines,tracks,integer,,no,,,,,Tracks
lines,traction,text,,no,,,,,Traction
lines,speed_kmh,number,,no,,,,,Speed
lines,capacity_trains_day,number,,no,,,,,Capacity
lines,preload_trains_day,number,,no,,,,,Preload
lines,train_length_factor,number,,no,,,,,Length of a train
lines,fixed_usd_teu,number,,no,,,,,Charge
lines,fixed_usd_t,number,,no,,,,,Charge
lines,season_days,integer,,no,,,,,Season
lines,ocean,boolean,,no,,,,,Ocean
links,id,id,,yes,,,,,Link
links,line,text,,yes,,,,lines.id,Line
links,length_km,number,km,yes,0,,,,Measured
links,length_official_km,number,km,no,0,,,,Published
"""
TABLES = {
    "lands": "iso2,name\nAA,Land of A\nBB,\n",
    "towns": (
        "id,name,land,size,height,founded,coastal,kind,gauges_mm,twins\n"
        "alpha,Alpha,AA,1,12.5,1900-01-31,yes,port,1435;1520,beta; alpha\n"
        "beta,Beta,BB,9,-500,,no,city,,alpha\n"
        'gamma,"Gamma, the third",AA,2.0,,2024-02-29,,city,1520,\n'
    ),
    "lines": (
        "id,tracks,traction,speed_kmh,capacity_trains_day,preload_trains_day,train_length_factor,fixed_usd_teu,"
        "fixed_usd_t,season_days,ocean\n"
        "main,2,electric,50,100,40,1,0,0,365,no\n"
        "branch,1,diesel,30,20,4,0.8,0,0,365,no\n"
    ),
    "links": "id,line,length_km,length_official_km\nl2,branch,90.5,\nl1,main,210.4,213\n",
}
DESCRIPTOR = {"name": "tiny", "version": "1.2", "licenses": [{"name": "CC0-1.0"}, {"name": "ODbL-1.0"}]}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A sound package of four small tables."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    (folder / "datapackage.json").write_text(json.dumps(DESCRIPTOR), encoding="utf-8")
    for table, text in TABLES.items():
        (folder / f"{table}.csv").write_text(text, encoding="utf-8")
    return folder


def change(folder: Path, name: str, old: str, new: str) -> None:
    """Put new text in the place of old text that stands once in a file."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def faults_of(folder: Path) -> tuple[Fault, ...]:
    """The faults of one reading; there must be some."""
    with pytest.raises(DataError) as caught:
        read_package(folder)
    return caught.value.faults


# --------------------------------------------------------------------------------------------- what is sound


def test_every_type_is_read_as_the_dictionary_says(package: Path) -> None:
    expected = pl.DataFrame(
        {
            "id": ["alpha", "beta", "gamma"],
            "name": ["Alpha", "Beta", "Gamma, the third"],
            "land": ["AA", "BB", "AA"],
            "size": [1, 9, 2],
            "height": [12.5, -500.0, None],
            "founded": [date(1900, 1, 31), None, date(2024, 2, 29)],
            "coastal": [True, False, None],
            "kind": ["port", "city", "city"],
            "gauges_mm": [[1435, 1520], None, [1520]],
            "twins": [["beta", "alpha"], ["alpha"], None],
        }
    )
    assert_frame_equal(read_package(package)["towns"], expected)


def test_the_package_says_where_its_tables_came_from(package: Path) -> None:
    stamp = read_package(package).package
    assert stamp is not None
    assert (stamp.folder, stamp.name, stamp.version, stamp.licence) == (package, "tiny", "1.2", "CC0-1.0, ODbL-1.0")
    assert len(stamp.content_hash) == 64
    assert read_package(package).package == stamp


@pytest.mark.parametrize("spelling", ["true", "YES", "1", "false", "No", "0"])
def test_yes_and_no_have_three_spellings_in_any_case(package: Path, spelling: str) -> None:
    change(package, "towns.csv", ",yes,port", f",{spelling},port")
    assert read_package(package)["towns"]["coastal"][0] is (spelling.lower() in ("true", "yes", "1"))


def test_columns_come_in_the_order_of_the_dictionary(package: Path) -> None:
    (package / "lands.csv").write_text("name,iso2\nLand of A,AA\n,BB\n", encoding="utf-8")
    assert read_package(package)["lands"].rows() == [("AA", "Land of A"), ("BB", None)]


def test_a_byte_order_mark_and_dos_line_ends_are_no_fault(package: Path) -> None:
    for name in ("towns.csv", "dictionary.csv"):
        path = package / name
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_package(package).ids("towns") == ["alpha", "beta", "gamma"]


def test_a_table_may_be_empty(package: Path) -> None:
    change(package, "links.csv", "l2,branch,90.5,\nl1,main,210.4,213\n", "")
    assert read_package(package)["links"].height == 0


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_back_exactly(tmp_path_factory: pytest.TempPathFactory, number: float) -> None:
    path = tmp_path_factory.getbasetemp() / "exact.csv"
    path.write_text(f"value\n{number!r}\n", encoding="utf-8")
    column = Column("exact", "value", "number", "", True, None, None, (), None, "A number")
    frame, faults = read_table(path, (column,))
    assert not faults
    assert frame["value"][0] == number
    assert math.copysign(1, frame["value"][0]) == math.copysign(1, number)


def test_links_prefer_the_official_length_and_keep_the_measured_one(package: Path) -> None:
    links = read_package(package)["links"]
    assert links.select("id", "length_km", "length_measured_km").rows() == [
        ("l2", 90.5, 90.5),
        ("l1", 213.0, 210.4),
    ]


def test_links_carry_their_line_in_their_own_order_and_charges_start_at_nothing(package: Path) -> None:
    frames, _, _ = read_frames(package)
    before = frames["links"].clone()
    joined = join_lines(frames)
    assert joined["links"].select("id", "tracks", "traction", "speed_kmh", "ocean").rows() == [
        ("l2", 1, "diesel", 30.0, False),
        ("l1", 2, "electric", 50.0, False),
    ]
    charges = [name for name in joined["links"].columns if name.startswith("charge_")]
    assert charges == ["charge_usd_teu", "charge_usd_t", "charge_usd_teu_km", "charge_usd_t_km"]
    assert set(joined["links"].select(pl.concat_list(charges).explode()).to_series()) == {0.0}
    assert_frame_equal(frames["links"], before)


def test_tables_say_which_there_are_and_are_replaced_not_changed(package: Path) -> None:
    tables = read_package(package)
    with pytest.raises(KeyError, match="no table 'town'; there are lands, lines, links, towns"):
        tables["town"]
    fewer = tables.replace(towns=tables["towns"].head(1))
    assert (tables.ids("towns"), fewer.ids("towns")) == (["alpha", "beta", "gamma"], ["alpha"])
    assert fewer.package is tables.package
    assert "towns" in Tables(tables.frames)
    assert "town" not in tables
    with pytest.raises(TypeError):
        tables.frames["towns"] = tables["towns"]  # type: ignore[index]


# ------------------------------------------------------------------------------------------ faults of a cell

ALPHA, BETA, GAMMA = "row 2 (alpha)", "row 3 (beta)", "row 4 (gamma)"

#: What it is, the text that stands in towns.csv, what is put there, and the one fault: row, field, wanted, got.
CELLS: list[tuple[str, str, str, tuple[str, str, str, str]]] = [
    ("required text missing", "beta,Beta,", "beta,,", (BETA, "name", "a value", "''")),
    ("required number missing", "AA,1,", "AA,,", (ALPHA, "size", "a value", "''")),
    ("required choice missing", ",city,1520", ",,1520", (GAMMA, "kind", "a value", "''")),
    ("id missing", "gamma,", ",", ("row 4", "id", "a value", "''")),
    ("not a number", "12.5", "12m", (ALPHA, "height", "a number", "'12m'")),
    ("comma for a point", "12.5", '"12,5"', (ALPHA, "height", "a number", "'12,5'")),
    ("blank before a number", "12.5", " 12.5", (ALPHA, "height", "a number", "' 12.5'")),
    ("NaN", "12.5", "NaN", (ALPHA, "height", "a number", "'NaN'")),
    ("inf", "12.5", "inf", (ALPHA, "height", "a number", "'inf'")),
    ("minus inf", "12.5", "-inf", (ALPHA, "height", "a number", "'-inf'")),
    ("too large for a number", "12.5", "1e999", (ALPHA, "height", "a number", "'1e999'")),
    ("NaN among whole numbers", "AA,1,", "AA,nan,", (ALPHA, "size", "a number", "'nan'")),
    ("half a person", "AA,1,", "AA,1.5,", (ALPHA, "size", "a whole number", "'1.5'")),
    ("whole number below bound", "AA,1,", "AA,0,", (ALPHA, "size", "at least 1 people", "'0'")),
    ("whole number above bound", "BB,9,", "BB,10,", (BETA, "size", "at most 9 people", "'10'")),
    ("number below bound", "-500", "-500.01", (BETA, "height", "at least -500 m", "'-500.01'")),
    ("number above bound", "12.5", "9000.5", (ALPHA, "height", "at most 9000 m", "'9000.5'")),
    ("date of another land", "1900-01-31", "31.01.1900", (ALPHA, "founded", "a date as YYYY-MM-DD", "'31.01.1900'")),
    ("no such day", "2024-02-29", "2023-02-29", (GAMMA, "founded", "a date as YYYY-MM-DD", "'2023-02-29'")),
    ("neither yes nor no", ",yes,", ",maybe,", (ALPHA, "coastal", "yes or no", "'maybe'")),
    ("not one of the choices", ",port,", ",Port,", (ALPHA, "kind", "city or port", "'Port'")),
    ("word among gauges", "1435;1520", "1435;broad",
     (ALPHA, "gauges_mm", "whole numbers divided by ;", "'1435;broad'")),
    ("fraction among gauges", "1435;", "1435.5;", (ALPHA, "gauges_mm", "whole numbers divided by ;", "'1435.5;1520'")),
    ("empty gauge", "1435;1520", "1435;", (ALPHA, "gauges_mm", "whole numbers divided by ;", "'1435;'")),
    ("empty name in a list", "beta; a", "beta;;a",
     (ALPHA, "twins", "names divided by ;, none of them empty", "'beta;;alpha'")),
    ("stranger in a list", "beta; a", "beta;delta; a", (ALPHA, "twins", "an id of towns.csv", "'beta;delta;alpha'")),
    ("stranger", "Alpha,AA", "Alpha,CC", (ALPHA, "land", "an id of lands.csv", "'CC'")),
    ("row too short", ",city,1520,", ",city,1520", (GAMMA, "twins", "10 cells, as in the header", "9 cells")),
    ("row too long", "city,,alpha", "city,,alpha,x", (BETA, "twins", "10 cells, as in the header", "11 cells")),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "fault"), [case[1:] for case in CELLS], ids=[case[0] for case in CELLS])
def test_a_cell_at_fault_is_named_with_what_was_wanted(
    package: Path, old: str, new: str, fault: tuple[str, str, str, str]
) -> None:
    change(package, "towns.csv", old, new)
    assert faults_of(package) == (Fault("towns.csv", *fault),)


def test_both_rows_of_one_id_are_told(package: Path) -> None:
    change(package, "lines.csv", "branch,", "main,")
    change(package, "links.csv", "l2,branch", "l2,main")
    assert faults_of(package) == (
        Fault("lines.csv", "row 2 (main)", "id", "an id used once", "'main'"),
        Fault("lines.csv", "row 3 (main)", "id", "an id used once", "'main'"),
    )


def test_an_optional_id_is_still_an_id(package: Path) -> None:
    change(package, "dictionary.csv", "towns,id,id,,yes", "towns,id,id,,no")
    change(package, "towns.csv", "gamma,", ",")
    assert faults_of(package) == (Fault("towns.csv", "row 4", "id", "an id", "''"),)


def test_a_reference_into_an_empty_table_is_told(package: Path) -> None:
    (package / "lands.csv").write_text("iso2,name\n", encoding="utf-8")
    assert [(f.row, f.field, f.got) for f in faults_of(package)] == [
        (ALPHA, "land", "'AA'"),
        (BETA, "land", "'BB'"),
        (GAMMA, "land", "'AA'"),
    ]


def test_what_is_not_of_its_type_is_never_passed_on(package: Path) -> None:
    for old, new in (("12.5", "NaN"), ("AA,1,", "AA,1.5,"), (",yes,", ",maybe,"), ("1900-01-31", "once")):
        change(package, "towns.csv", old, new)
    frames, _, faults = read_frames(package)
    assert len(faults) == 4
    assert frames["towns"].select("size", "height", "founded", "coastal").row(0) == (None, None, None, None)
    assert frames["towns"].select("size", "height", "founded", "coastal").row(1) == (9, -500.0, None, False)


# ------------------------------------------------------------------------------------- faults of whole files


def _without_table(folder: Path) -> None:
    (folder / "towns.csv").unlink()


def _empty_file(folder: Path) -> None:
    (folder / "towns.csv").write_bytes(b"")


def _open_quote(folder: Path) -> None:
    change(folder, "towns.csv", '"Gamma, the third"', '"Gamma')


def _latin(folder: Path) -> None:
    (folder / "towns.csv").write_bytes(TABLES["towns"].replace("Beta", "Bêta").encode("latin-1"))


def _without_column(folder: Path) -> None:
    (folder / "lands.csv").write_text("iso2\nAA\nBB\n", encoding="utf-8")


def _strange_column(folder: Path) -> None:
    (folder / "lands.csv").write_text("iso2,name,colour\nAA,,red\nBB,,\n", encoding="utf-8")


def _double_column(folder: Path) -> None:
    (folder / "lands.csv").write_text("iso2,name,name\nAA,,\nBB,,\n", encoding="utf-8")


def _no_descriptor(folder: Path) -> None:
    (folder / "datapackage.json").unlink()


def _broken_descriptor(folder: Path) -> None:
    (folder / "datapackage.json").write_text("{", encoding="utf-8")


def _list_for_descriptor(folder: Path) -> None:
    (folder / "datapackage.json").write_text("[]", encoding="utf-8")


FILES: list[tuple[Callable[[Path], None], tuple[str, str, str, str, str]]] = [
    (_without_table, ("towns.csv", "", "", "a table", "no such file")),
    (_empty_file, ("towns.csv", "", "", "a header and comma-separated rows", "empty CSV")),
    (_open_quote, ("towns.csv", "", "", "a header and comma-separated rows", "could not parse")),
    (_latin, ("towns.csv", "row 3", "", "UTF-8", "byte 0xea")),
    (_without_column, ("lands.csv", "header", "name", "this column", "nothing")),
    (_strange_column, ("lands.csv", "header", "colour", "a column of the dictionary (iso2, name)", "colour")),
    (_double_column, ("lands.csv", "header", "name_duplicated_0", "a column of the dictionary (iso2, name)", "name_d")),
    (_no_descriptor, ("datapackage.json", "", "", "the package's name, version and licence", "no such file")),
    (_broken_descriptor, ("datapackage.json", "", "", "JSON", "Expecting property name")),
    (_list_for_descriptor, ("datapackage.json", "", "", "an object", "[]")),
]


@pytest.mark.parametrize(("spoil", "fault"), FILES, ids=[case[0].__name__[1:] for case in FILES])
def test_a_file_at_fault_is_named(
    package: Path, spoil: Callable[[Path], None], fault: tuple[str, str, str, str, str]
) -> None:
    spoil(package)
    (found,) = faults_of(package)
    assert (found.where, found.row, found.field, found.wanted) == fault[:4]
    assert found.got.startswith(fault[4])


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", None), ("name", ""), ("version", 3), ("licenses", None), ("licenses", []), ("licenses", [{"path": "x"}])],
)
def test_the_descriptor_states_name_version_and_licence(package: Path, key: str, value: object) -> None:
    (package / "datapackage.json").write_text(json.dumps({**DESCRIPTOR, key: value}), encoding="utf-8")
    (fault,) = faults_of(package)
    assert (fault.where, fault.field, fault.got) == ("datapackage.json", key, repr(value))


def test_a_package_without_lines_is_refused_not_crashed_on(package: Path) -> None:
    text = "".join(row for row in DICTIONARY.splitlines(keepends=True) if "season_days" not in row)
    (package / "dictionary.csv").write_text(text, encoding="utf-8")
    faults = faults_of(package)
    assert [(f.where, f.row, f.field) for f in faults] == [
        ("lines.csv", "header", "season_days"),
        ("dictionary.csv", "lines", "season_days"),
    ]


# --------------------------------------------------------------------------------------- faults all together


def test_all_faults_are_told_in_one_error(package: Path) -> None:
    _no_descriptor(package)
    (package / "lands.csv").unlink()
    for old, new in (("12.5", "high"), ("-500", "-501"), (",port,", ",harbour,"), ("beta; a", "beta;delta; a")):
        change(package, "towns.csv", old, new)
    change(package, "towns.csv", ',"Gamma, the third"', ",")
    change(package, "links.csv", "l1,main", "l1,mian")
    with pytest.raises(DataError) as caught:
        read_package(package)
    told = {(fault.where, fault.row, fault.field) for fault in caught.value.faults}
    assert told == {
        ("datapackage.json", "", ""),
        ("lands.csv", "", ""),
        ("towns.csv", ALPHA, "height"),
        ("towns.csv", BETA, "height"),
        ("towns.csv", ALPHA, "kind"),
        ("towns.csv", ALPHA, "twins"),
        ("towns.csv", GAMMA, "name"),
        ("links.csv", "row 3 (l1)", "line"),
    }
    assert len(caught.value.faults) == 8
    message = str(caught.value).splitlines()
    assert message[0] == "data package tiny: 8 faults"
    assert "  towns.csv, row 2 (alpha), height: wanted a number, got 'high'" in message
    assert len(message) == 9


def test_a_ragged_row_hides_no_other_fault(package: Path) -> None:
    change(package, "towns.csv", "city,,alpha", "city,,alpha,x")
    change(package, "towns.csv", "12.5", "high")
    assert {(f.row, f.wanted) for f in faults_of(package)} == {
        (ALPHA, "a number"),
        (BETA, "10 cells, as in the header"),
    }


@pytest.mark.parametrize(("count", "more"), [(SPELLED_OUT, 0), (SPELLED_OUT + 1, 1), (SPELLED_OUT + 7, 7)])
@pytest.mark.parametrize("kind", ["cell", "ragged"])
def test_many_faults_of_one_kind_are_counted_not_hidden(package: Path, count: int, more: int, kind: str) -> None:
    rows = "".join(f"x{i},branch,7\n" if kind == "ragged" else f"x{i},branch,far,\n" for i in range(count))
    (package / "links.csv").write_text(f"{TABLES['links']}{rows}", encoding="utf-8")
    faults = faults_of(package)
    assert [fault.row for fault in faults[:SPELLED_OUT]] == [f"row {i + 4} (x{i})" for i in range(SPELLED_OUT)]
    assert [(fault.row, fault.got) for fault in faults[SPELLED_OUT:]] == (
        [(f"{more} more rows", "the same fault")] if more else []
    )


# ---------------------------------------------------------------------------------------------- the dictionary


def test_the_dictionary_is_read_as_it_stands(package: Path) -> None:
    dictionary = read_dictionary(package)
    assert dictionary.tables == ("lands", "towns", "lines", "links")
    columns = {column.name: column for column in dictionary.of("towns")}
    assert list(columns) == TABLES["towns"].splitlines()[0].split(",")
    assert columns["size"] == Column("towns", "size", "integer", "people", True, 1.0, 9.0, (), None, "People")
    assert columns["kind"].values == ("city", "port")
    assert columns["twins"].references == ("towns", "id")
    assert [c.name for c in dictionary.of("towns") if c.is_number] == ["size", "height"]
    assert dictionary.of("nothing") == ()


#: What it is, the row that stands in the dictionary, what is put there, and the fault: field, wanted, got.
ROWS: list[tuple[str, str, str, tuple[str, str, str]]] = [
    ("unknown type", "towns,size,integer", "towns,size,int", ("type", "id or text or integer", "int")),
    ("choices missing", "city;port", "", ("values", "the choices, divided by ;", "nothing")),
    ("meaning missing", "9000,,,Height over the sea", "9000,,,", ("meaning", "a sentence", "nothing")),
    ("column twice", "towns,size", "towns,height", ("column", "each column once", "twice")),
    ("bound no number", "-500,9000", "low,9000", ("minimum, maximum", "numbers", "low, 9000")),
    ("neither required nor not", "size,integer,people,yes", "size,integer,people,ye", ("required", "yes or no", "ye")),
    ("reference without a column", "lands.iso2", "lands", ("references", "table.column of the dictionary", "lands")),
    ("reference to a stranger", "lands.iso2", "lands.iso3",
     ("references", "table.column of the dictionary", "lands.iso3")),
    ("row too short", ",lands.iso2,Land", ",lands.iso2", ("", "10 cells, as in the header", "9 cells")),
    ("row too long", ",lands.iso2,Land", ",lands.iso2,Land,or", ("", "10 cells, as in the header", "11 cells")),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "fault"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_wrong_row_of_the_dictionary_is_named(package: Path, old: str, new: str, fault: tuple[str, str, str]) -> None:
    change(package, "dictionary.csv", old, new)
    with pytest.raises(DataError) as caught:
        read_dictionary(package)
    (found,) = caught.value.faults
    lines = (package / "dictionary.csv").read_text(encoding="utf-8").splitlines()
    number = int(found.row.split()[1])
    assert new in lines[number - 1] or fault[1] == "each column once"
    assert (found.where, found.field, found.got) == ("dictionary.csv", fault[0], fault[2])
    assert found.wanted.startswith(fault[1])


def test_all_faults_of_the_dictionary_are_told_at_once(package: Path) -> None:
    for _, old, new, _ in ROWS[:3]:
        change(package, "dictionary.csv", old, new)
    with pytest.raises(DataError) as caught:
        read_dictionary(package)
    assert [fault.field for fault in caught.value.faults] == ["type", "meaning", "values"]


def test_a_folder_without_dictionary_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"dictionary\.csv: wanted a data dictionary, got no such file"):
        read_package(tmp_path)


def test_a_dictionary_with_another_header_is_refused(package: Path) -> None:
    change(package, "dictionary.csv", "table,column,type", "table,field,type")
    with pytest.raises(DataError) as caught:
        read_dictionary(package)
    (fault,) = caught.value.faults
    assert (fault.row, fault.wanted, fault.got) == ("header", HEADER, HEADER.replace("column", "field", 1))


def test_a_dictionary_in_another_encoding_is_refused_with_its_row(package: Path) -> None:
    path = package / "dictionary.csv"
    path.write_bytes(path.read_bytes().replace(b"towns,name,text,,yes,,,,,Name", b"towns,name,text,,yes,,,,,N\xe4me"))
    with pytest.raises(DataError) as caught:
        read_dictionary(package)
    assert caught.value.faults == (Fault("dictionary.csv", "row 5", "", "UTF-8", "byte 0xe4"),)
