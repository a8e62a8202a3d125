"""Where values come from: which row says it, what is left unsaid, and what is shown of it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from landbridge.data.dictionary import HEADER, Dictionary, read_dictionary
from landbridge.data.provenance import Origin, Origins, coverage, origin_faults, read_origins, row_keys
from landbridge.data.read import ATLAS, read_atlas
from landbridge.data.tables import Tables
from landbridge.data.why import explain, source_use
from landbridge.errors import Fault, UnknownName

# ---------------------------------------------------------------------------------------- the most specific row


def origin(row: str, column: str) -> Origin:
    """An origin that is told from others by row and column."""
    return Origin(row, column, "estimate", (), f"{row} {column}")


#: From the least to the most specific, for the cell (rail:cn-a:cn-b, cost_usd_t).
LADDER = [
    ("*", "*"),
    ("*", "cost_*"),
    ("rail:*", "*"),
    ("rail:cn-*", "*"),
    ("*", "cost_usd_t"),
    ("rail:*", "cost_usd_t"),
    ("rail:cn-*", "cost_usd_t"),
    ("rail:cn-a:cn-b", "*"),
    ("rail:cn-a:cn-b", "cost_*"),
    ("rail:cn-a:cn-b", "cost_usd_t"),
]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("count", range(1, len(LADDER) + 1))
def test_the_most_specific_row_wins_in_any_order(count: int, turned: bool) -> None:
    rows = [origin(*pair) for pair in LADDER[:count]]
    found = Origins(rows[::-1] if turned else rows).of("rail:cn-a:cn-b", "cost_usd_t")
    assert found == origin(*LADDER[count - 1])


def test_the_ladder_is_the_stated_order() -> None:
    assert sorted(sorted(LADDER), key=lambda pair: origin(*pair).specificity) == LADDER


def test_an_exact_row_speaks_for_no_other_row_or_column() -> None:
    origins = Origins([origin("a", "cost_usd_t"), origin("b*", "time_?")])
    assert origins.of("a", "cost_usd_t") is not None
    assert origins.of("a", "cost_usd_teu") is None
    assert origins.of("ab", "cost_usd_t") is None
    assert origins.of("bcd", "time_h") is not None
    assert origins.of("bcd", "time_hh") is None
    assert origins.of("abcd", "time_h") is None
    assert origins.of("B", "time_h") is None
    assert Origins([]).of("a", "cost_usd_t") is None


NAMES = st.text(alphabet="ab:", min_size=1, max_size=4)
PATTERNS = st.text(alphabet="ab:*", min_size=1, max_size=4)


@settings(deadline=None)
@given(st.lists(st.tuples(PATTERNS, PATTERNS), max_size=8, unique=True), st.lists(NAMES, min_size=1, max_size=5), NAMES)
def test_what_is_found_fits_and_nothing_more_specific_fits(
    pairs: list[tuple[str, str]], rows: list[str], column: str
) -> None:
    every = [origin(*pair) for pair in pairs]
    origins = Origins(every)
    for row in rows:
        fitting = [o for o in every if fnmatchcase(row, o.row) and fnmatchcase(column, o.column)]
        found = origins.of(row, column)
        assert (found is None) == (not fitting)
        if found:
            assert found in fitting
            assert found.specificity == max(o.specificity for o in fitting)
        common, own = origins.common(column)
        assert common is None or row in own or common == found


# ------------------------------------------------------------------------------------------- a package by hand

DICTIONARY = f"""{HEADER}
gates,id,id,,yes,,,,,Gate
gates,time_h,number,h,yes,,,,,Hours
gates,cost_usd,number,USD,no,,,,,Price
flows,seller,text,,yes,,,,,Seller
flows,buyer,text,,yes,,,,,Buyer
flows,tags,list,,yes,,,,,Words
flows,year,integer,,yes,,,,,Year
flows,note,text,,no,,,,,Remark
flows,tonnes,number,t,no,,,,,Mass
bare,amount,number,,no,,,,,A number and nothing else
sources,id,id,,yes,,,,,Source
facts,id,id,,yes,,,,,Fact
"""
FRAMES = {
    "gates": pl.DataFrame({"id": ["east", "west"], "time_h": [1.0, 2.0], "cost_usd": [5.0, None]}),
    "flows": pl.DataFrame(
        {
            "seller": ["CN", "CN", "KZ"],
            "buyer": ["KZ", "RU", "CN"],
            "tags": [["x"], ["y"], ["z"]],
            "year": [2023, 2023, 2023],
            "note": [None, "n", None],
            "tonnes": [7.0, 8.0, 9.0],
        }
    ),
    "bare": pl.DataFrame({"amount": [1.0, None]}),
    "sources": pl.DataFrame({"id": ["adb"]}),
    "facts": pl.DataFrame({"id": ["F0001"]}),
}
SOUND = {
    "gates": "east,time_h,reported,adb;F0001,\n*,time_h,estimate,,Like east.\neast,cost_usd,derived,row,Sum.\n",
    "flows": "CN:*,tonnes,reported,adb,\nKZ:CN,tonnes,calibrated,,Fitted.\n*,year,calibrated,,Fitted.\n",
    "bare": "*,*,estimate,,Felt.\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a dictionary and sound provenance of the frames."""
    (tmp_path / "provenance").mkdir()
    (tmp_path / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    for table, rows in SOUND.items():
        say(tmp_path, table, rows)
    return tmp_path


def say(folder: Path, table: str, rows: str) -> None:
    """Write the provenance of a table."""
    text = f"row,column,kind,source,reasoning\n{rows}"
    (folder / "provenance" / f"{table}.csv").write_text(text, encoding="utf-8")


def faults_of(folder: Path) -> list[Fault]:
    return origin_faults(folder, dict(FRAMES), read_dictionary(folder))


def test_rows_without_id_are_named_by_what_must_be_there(folder: Path) -> None:
    dictionary: Dictionary = read_dictionary(folder)
    assert row_keys(dictionary, "gates", FRAMES["gates"]) == ["east", "west"]
    assert row_keys(dictionary, "flows", FRAMES["flows"]) == ["CN:KZ", "CN:RU", "KZ:CN"]
    assert row_keys(dictionary, "bare", FRAMES["bare"]) == ["", ""]
    holes = FRAMES["gates"].with_columns(id=pl.Series(["east", None]))
    assert row_keys(dictionary, "gates", holes) == ["east", ""]


def test_sound_provenance_has_no_fault_and_is_counted_by_kind(folder: Path) -> None:
    assert faults_of(folder) == []
    counted = coverage(folder, dict(FRAMES), read_dictionary(folder)).sort("table", "column", "kind")
    assert counted.rows() == [
        ("bare", "amount", "estimate", 1),
        ("flows", "tonnes", "calibrated", 1),
        ("flows", "tonnes", "reported", 2),
        ("flows", "year", "calibrated", 3),
        ("gates", "cost_usd", "derived", 1),
        ("gates", "time_h", "estimate", 1),
        ("gates", "time_h", "reported", 1),
    ]


def test_numbers_without_origin_are_told_with_the_first_row_and_counted(folder: Path) -> None:
    say(folder, "flows", "CN:KZ,tonnes,reported,adb,\n*,year,estimate,,Guess.\n")
    say(folder, "gates", "east,*,reported,adb,\n")
    wanted = "an origin in provenance/"
    assert faults_of(folder) == [
        Fault("gates.csv", "row 3 (west)", "time_h", wanted, "none"),
        Fault("flows.csv", "row 3 (CN:RU)", "tonnes", wanted, "none (and 1 more cells of this column)"),
    ]
    counted = coverage(folder, dict(FRAMES), read_dictionary(folder))
    assert counted.filter(kind="none").select("table", "column", "cells").rows() == [
        ("gates", "time_h", 1),
        ("flows", "tonnes", 2),
    ]


def test_an_empty_cell_needs_no_origin(folder: Path) -> None:
    say(folder, "gates", "east,*,reported,adb,\nwest,time_h,reported,adb,\n")
    assert faults_of(folder) == []


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("east,cost_usd,guess,,", ("row 2 (east)", "kind", "reported or derived", "'guess'")),
        ("east,cost_usd,,,", ("row 2 (east)", "kind", "reported or derived", "''")),
        ("east,cost_usd,reported,,", ("row 2 (east)", "source", "a source id", "nothing")),
        ("east,cost_usd,reported, ; ,", ("row 2 (east)", "source", "a source id", "nothing")),
        ("east,cost_usd,derived,adb,", ("row 2 (east)", "reasoning", "the reasoning", "nothing")),
        ("east,cost_usd,estimate,adb,", ("row 2 (east)", "reasoning", "the reasoning", "nothing")),
        ("east,cost_usd,calibrated,adb,", ("row 2 (east)", "reasoning", "the reasoning", "nothing")),
        ("east,cost_usd,reported,adb;abd,", ("east", "source", "an id of sources.csv or facts.csv", "'abd'")),
        ("eats,cost_usd,reported,adb,", ("eats", "row", "a row of gates.csv", "'eats'")),
        ("w?st*x,cost_usd,reported,adb,", ("w?st*x", "row", "a row of gates.csv", "'w?st*x'")),
        ("east,cost_eur,reported,adb,", ("east", "column", "a column of gates.csv", "'cost_eur'")),
        ("east", ("row 2 (east)", "", "5 cells", "1 cells")),
        ("east,cost_usd,reported,adb,two, words", ("row 2 (east)", "", "5 cells", "6 cells")),
    ],
)
def test_a_wrong_row_of_provenance_is_named(folder: Path, row: str, fault: tuple[str, str, str, str]) -> None:
    say(folder, "gates", f"{row}\n*,*,estimate,,Whatever else there is.\n")
    (found,) = faults_of(folder)
    assert (found.where, found.row, found.field, found.got) == ("provenance/gates.csv", fault[0], fault[1], fault[3])
    assert found.wanted.startswith(fault[2])


def test_unknown_and_reported_values_need_no_reasoning(folder: Path) -> None:
    say(folder, "gates", "*,cost_usd,unknown,,\neast,cost_usd,reported,adb,\n*,time_h,reported,F0001,\n")
    assert faults_of(folder) == []


def test_what_is_unknown_has_no_value(folder: Path) -> None:
    say(folder, "gates", "*,cost_usd,unknown,,\n*,time_h,reported,F0001,\n")
    assert faults_of(folder) == [Fault("gates.csv", "row 2 (east)", "cost_usd", "how this value is known", "unknown")]


def test_a_wrong_header_is_told_and_leaves_the_numbers_uncovered(folder: Path) -> None:
    (folder / "provenance/bare.csv").write_text("row,column,kind,source\n*,*,estimate,\n", encoding="utf-8")
    header, bare = faults_of(folder)
    assert (header.where, header.row, header.got) == ("provenance/bare.csv", "header", "row,column,kind,source")
    assert (bare.where, bare.field) == ("bare.csv", "amount")


def test_sources_are_divided_and_trimmed(folder: Path) -> None:
    say(folder, "gates", 'west,time_h,derived," adb ; F0001;",Sum of both.\n')
    origins, faults = read_origins(folder, "gates")
    assert faults == []
    assert origins.of("west", "time_h") == Origin("west", "time_h", "derived", ("adb", "F0001"), "Sum of both.")


def test_what_was_known_when_a_value_was_set_may_be_told(folder: Path) -> None:
    text = "row,column,kind,source,reasoning,knew\nwest,*,estimate,,Judgement.,F0001;nobody\n*,*,estimate,,The rest.,\n"
    (folder / "provenance" / "gates.csv").write_text(text, encoding="utf-8")
    origins, faults = read_origins(folder, "gates")
    assert faults == []
    assert [o.knew for o in (origins.of("west", "time_h"), origins.of("east", "time_h")) if o] == [
        ("F0001", "nobody"), ()]  # fmt: skip
    (lost,) = faults_of(folder)
    assert (lost.where, lost.row, lost.field, lost.got) == ("provenance/gates.csv", "west", "knew", "'nobody'")


def test_a_table_without_provenance_has_no_origins(folder: Path) -> None:
    origins, faults = read_origins(folder, "sources")
    assert (origins.all, faults) == ((), [])


# --------------------------------------------------------------------------------------------- what is shown


def told(table: str, row: str, column: str) -> dict[str, object]:
    return explain(ATLAS, read_atlas(), table, row, column)


def test_a_value_is_explained_with_unit_meaning_kind_sources_and_reasoning() -> None:
    answer = told("rates", "rail-cn", "usd_t_km")
    rates = read_atlas()["rates"]
    assert list(answer) == [
        *("table", "row", "column", "value", "unit", "meaning", "kind", "as_of", "confidence", "sources", "reasoning"),
        "alternatives",
    ]
    assert answer["value"] == rates.filter(pl.col("id") == "rail-cn")["usd_t_km"].item()
    assert (answer["unit"], answer["kind"]) == ("USD/t-km", "derived")
    assert str(answer["meaning"]).startswith("Price a tonne and km of bulk")
    assert "yuan" in str(answer["reasoning"])
    (source,) = answer["sources"]  # type: ignore[misc]
    assert source.startswith("chinagate-rail-2015: ")


def test_a_fact_among_the_sources_is_told_with_its_value() -> None:
    (line,) = told("links", "rail:cn-lanzhou:cn-wuwei", "length_official_km")["sources"]  # type: ignore[misc]
    fact = read_atlas()["facts"].filter(pl.col("id") == "F0828").row(0, named=True)
    assert line.startswith(f"F0828: {fact['subject']}, {fact['quantity']} ")
    assert line.endswith(fact["source_url"] or "-")


def test_the_length_of_a_link_is_the_measured_one_not_the_one_in_use() -> None:
    link = "rail:cn-lanzhou:cn-wuwei"
    row = read_atlas()["links"].filter(pl.col("id") == link).row(0, named=True)
    assert row["length_km"] == row["length_official_km"] != row["length_measured_km"]
    assert told("links", link, "length_km")["value"] == row["length_measured_km"]
    assert told("links", link, "length_official_km")["value"] == row["length_official_km"]


def test_a_list_is_explained_as_one() -> None:
    answer = told("terminal_streams", "khorgos-gateway:boxes-1435", "year")
    assert isinstance(answer["value"], list)
    assert len(answer["value"]) == 12
    assert answer["kind"] == "derived"


def test_a_row_without_id_is_explained_by_its_key() -> None:
    shares = read_atlas()["zone_shares"]
    zone, commodity, partner, share = shares.select("zone", "commodity", "partner", "export_share").row(0)
    answer = told("zone_shares", f"{zone}:{commodity}:{partner}", "export_share")
    assert answer["value"] == share
    assert answer["kind"] != "none"


@pytest.mark.parametrize(
    ("table", "row", "column", "cited"),
    [
        ("projects", "cku", "capacity_mt_yr", "Chinese banks provide 2.3 bn for CKU (Fergana)"),
        ("facts", "F0521", "value", "CKU construction officially launched (Railway Gazette) (2025-01-07) https://"),
        ("slips", "sarzha", "said", "trend-2023-sarzha: Trend, Sarzha terminal"),
        ("projects", "cku", "length_km", "F0521: CKU railway, length total 523 km"),
    ],
)
def test_what_a_row_cites_is_told_as_its_sources(table: str, row: str, column: str, cited: str) -> None:
    assert any(s.startswith(cited) for s in explain(ATLAS, read_atlas(), table, row, column)["sources"])


def test_the_columns_of_a_row_may_themselves_be_the_source(folder: Path) -> None:
    sources = pl.DataFrame({"id": ["adb"], "publisher": ["ADB"], "title": ["T"], "date": [None], "address": [None],
                            "confidence": ["high"]})  # fmt: skip
    facts = pl.DataFrame(
        {"id": ["F0001"], "subject": ["s"], "quantity": ["q"], "value": [None], "unit": [None], "source_title": ["t"],
         "source_url": [None], "source_date": ["2024-05"], "confidence": ["medium"]},
        schema_overrides={"value": pl.Float64},
    )  # fmt: skip
    tables = Tables({**FRAMES, "sources": sources, "facts": facts})
    assert explain(folder, tables, "gates", "east", "cost_usd")["sources"] == ["the source columns of the row itself"]
    assert explain(folder, tables, "gates", "east", "time_h")["sources"] == [
        "adb: ADB, T (no date)",
        "F0001: s, q ; t -",
    ]
    told = explain(folder, tables, "gates", "east", "time_h")
    assert (told["as_of"], told["confidence"]) == ("2024-05", "medium")  # the latest date, the weakest trust
    answer = explain(folder, tables, "flows", "KZ:CN", "tonnes")
    assert (answer["value"], answer["kind"], answer["sources"]) == (9.0, "calibrated", [])


def test_words_are_no_numbers_and_an_uncovered_number_says_so(folder: Path) -> None:
    tables = Tables({**FRAMES, "facts": pl.DataFrame({"id": ["F0001"]})})
    assert explain(folder, tables, "gates", "east", "id")["kind"] == "not a number"
    say(folder, "gates", "")
    assert explain(folder, tables, "gates", "east", "time_h")["kind"] == "none"


@pytest.mark.parametrize(
    ("cell", "kind", "suggestion"),
    [
        (("rate", "rail-cn", "usd_t_km"), "table", "rates"),
        (("rates", "rail-cnn", "usd_t_km"), "row", "rail-cn"),
        (("rates", "rail-cn", "usd_tkm"), "column", "usd_t_km"),
    ],
)
def test_a_cell_that_is_not_there_comes_with_suggestions(
    cell: tuple[str, str, str], kind: str, suggestion: str
) -> None:
    with pytest.raises(UnknownName) as caught:
        told(*cell)
    assert caught.value.kind == kind
    assert suggestion in caught.value.suggestions


def test_sources_are_told_with_how_much_rests_on_them(folder: Path) -> None:
    say(folder, "gates", "east,*,reported,adb;F0001,\n*,*,estimate,adb,Guess.\n")
    tables = Tables({**FRAMES, "sources": pl.DataFrame({"id": ["adb", "idle"]})})
    use = source_use(folder, tables)
    # twice in gates.csv and once in flows.csv; facts are no sources
    assert dict(use.select("id", "rests_on").iter_rows()) == {"adb": 3, "idle": 0}
    assert_frame_equal(tables["sources"], pl.DataFrame({"id": ["adb", "idle"]}))


def test_the_use_of_the_shipped_sources_adds_up() -> None:
    tables = read_atlas()
    use = source_use(ATLAS, tables)
    known = set(tables.ids("sources"))
    dictionary = read_dictionary(ATLAS)
    expected = sum(
        source in known for t in dictionary.tables for o in read_origins(ATLAS, t)[0].all for source in o.sources
    )
    assert use["rests_on"].sum() == expected > 0
    assert use.columns == [*tables["sources"].columns, "rests_on", "kept_besides"]
    aside = [row for row in tables["alternatives"].to_dicts() if not row["in_use"]]
    assert use["kept_besides"].sum() == sum(source in known for row in aside for source in row["sources"] or ()) > 0
