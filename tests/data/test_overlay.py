"""A user's own values: in force where they are right, told as the user's, and refused row by row where they are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from landbridge.data.overlay import NOTHING, read_overlay
from landbridge.data.read import ATLAS, read_atlas
from landbridge.data.tables import Tables
from landbridge.data.why import explain
from landbridge.errors import DataError, Fault
from landbridge.study.routing import find_routes

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write files of an overlay, each given by its table and text."""

    def put(**files: str) -> Path:
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        for table, text in files.items():
            (folder / f"{table}.csv").write_text(text, encoding="utf-8")
        return folder

    return put


def value(tables: Tables, table: str, row: str, column: str) -> object:
    frame = tables[table]
    return frame[column][frame["id"].to_list().index(row)]


def faults(folder: Path) -> list[Fault]:
    with pytest.raises(DataError) as told:
        read_overlay(folder)
    return list(told.value.faults)


# ------------------------------------------------------------------------------------------------- in force


def test_only_what_is_stated_changes(put: Put) -> None:
    tables = read_overlay(put(rates="id,usd_teu_km\nrail-kz,0.31\n"))
    assert value(tables, "rates", "rail-kz", "usd_teu_km") == 0.31
    before, after = read_atlas(), tables
    for name in before.frames:
        if name == "rates":
            continue
        assert after[name].equals(before[name]), name
    rest = [c for c in before["rates"].columns if c != "usd_teu_km"]
    assert after["rates"].select(rest).equals(before["rates"].select(rest))
    assert tables.package == before.package
    assert value(before, "rates", "rail-kz", "usd_teu_km") != 0.31


def test_empty_cells_keep_and_the_word_for_nothing_takes_away(put: Put) -> None:
    text = f"id,usd_teu_km,note\nrail-kz,0.31,\nrail-cn,,{NOTHING}\n"
    tables = read_overlay(put(rates=text))
    base = read_atlas()
    assert value(tables, "rates", "rail-kz", "note") == value(base, "rates", "rail-kz", "note")
    assert value(tables, "rates", "rail-cn", "usd_teu_km") == value(base, "rates", "rail-cn", "usd_teu_km")
    assert value(tables, "rates", "rail-cn", "note") is None
    assert tables.overlay is not None
    assert set(tables.overlay.values) == {("rates", "rail-kz", "usd_teu_km"), ("rates", "rail-cn", "note")}


def test_one_file_is_an_overlay_too(put: Put) -> None:
    folder = put(rates="id,usd_teu_km\nrail-kz,0.31\n")
    tables = read_overlay(folder / "rates.csv")
    assert tables.overlay is not None
    assert tables.overlay.name == "rates"
    assert value(tables, "rates", "rail-kz", "usd_teu_km") == 0.31


def test_rows_without_ids_are_named_by_their_columns(put: Put) -> None:
    text = "exporter,importer,year,commodity,tonnes\nCHN,KAZ,2023,machinery,123456\n"
    commodity = read_atlas()["trade"].filter(read_atlas()["trade"]["exporter"] == "CHN")["commodity"][0]
    tables = read_overlay(put(trade=text.replace("machinery", commodity)))
    row = tables["trade"].filter(
        (tables["trade"]["exporter"] == "CHN")
        & (tables["trade"]["importer"] == "KAZ")
        & (tables["trade"]["year"] == 2023)
        & (tables["trade"]["commodity"] == commodity)
    )
    assert row["tonnes"].to_list() == [123456]
    assert tables["trade"].height == read_atlas()["trade"].height


def test_links_still_carry_what_their_line_has(put: Put) -> None:
    link, line = read_atlas()["links"].filter(read_atlas()["links"]["mode"] == "rail").select("id", "line").row(0)
    tables = read_overlay(put(lines=f"id,speed_kmh\n{line},77\n", links=f"id,closed_from\n{link},2023-05-01\n"))
    assert value(tables, "links", link, "speed_kmh") == 77
    assert value(tables, "links", link, "closed_from") == date(2023, 5, 1)


def test_a_new_row_is_added_whole(put: Put) -> None:
    header = "id,country,mode,usd_teu_km,usd_t_km,empty_factor,price_year"
    tables = read_overlay(put(rates=f"{header}\nrail-sg,SG,rail,0.4,0.03,0.5,2024\n"))
    assert tables["rates"].height == read_atlas()["rates"].height + 1
    assert value(tables, "rates", "rail-sg", "usd_t_km") == 0.03
    assert tables.overlay is not None
    assert tables.overlay.changed == 6
    assert (
        explain(ATLAS, tables, "rates", "rail-sg", "usd_t_km")["reasoning"]
        == "The user's value, for a row of the user's own."
    )


def test_a_tariff_file_changes_routes(put: Put) -> None:
    """Kazakhstan ten times as dear: boxes for Moscow go round it."""

    def cheapest(tables: Tables) -> tuple[float, tuple[str, ...]]:
        route = find_routes(tables, "cn-xian", "ru-moscow", year=2023, held=frozenset({"cku"}), count=1)[0]
        return route.cost_usd, route.countries

    dear = read_overlay(put(rates="id,usd_teu_km,usd_t_km\nrail-kz,2.5,0.2\n"))
    cheap = read_overlay(put(rates="id,usd_teu_km,usd_t_km\nrail-kz,0.05,0.004\n"))
    usual, by_kazakhstan = cheapest(read_atlas())
    assert "KZ" in by_kazakhstan
    assert cheapest(cheap)[0] < usual
    assert "KZ" not in cheapest(dear)[1]


# ----------------------------------------------------------------------------------------------- provenance


def test_a_value_of_the_users_says_so(put: Put) -> None:
    tables = read_overlay(put(rates="id,usd_teu_km\n\nrail-cn,0.3\nrail-kz,0.31\n"))
    told = explain(ATLAS, tables, "rates", "rail-kz", "usd_teu_km")
    known = explain(ATLAS, read_atlas(), "rates", "rail-kz", "usd_teu_km")
    assert (told["kind"], told["value"], told["sources"]) == ("user", 0.31, ["mine: rates.csv, row 4"])
    assert told["reasoning"] == f"The user's value, in place of {known['value']}, of kind {known['kind']}."
    assert (told["unit"], told["meaning"]) == (known["unit"], known["meaning"])
    for row, column in (("rail-kz", "usd_t_km"), ("rail-ru", "usd_teu_km")):
        assert explain(ATLAS, tables, "rates", row, column) == explain(ATLAS, read_atlas(), "rates", row, column)


def test_the_stamp_counts_what_differs(put: Put) -> None:
    same = value(read_atlas(), "rates", "rail-cn", "usd_teu_km")
    folder = put(
        rates=f"id,usd_teu_km\nrail-cn,{same}\nrail-kz,0.31\n",
        crossings="id,waiting_ab_h,waiting_ba_h\nkhorgos-altynkol,1,2\n",
    )
    overlay = read_overlay(folder).overlay
    assert overlay is not None
    assert overlay.stamp() == {
        "name": "mine",
        "content_hash": overlay.content_hash,
        "changed": 3,
        "tables": {"crossings": 2, "rates": 1},
    }
    again = read_overlay(folder).overlay
    assert again == overlay
    (folder / "rates.csv").write_text("id,usd_teu_km\nrail-kz,0.32\n", encoding="utf-8")
    other = read_overlay(folder).overlay
    assert other is not None
    assert other.content_hash != overlay.content_hash


def test_measures_keep_the_overlay(put: Put) -> None:
    tables = read_overlay(put(rates="id,usd_teu_km\nrail-kz,0.31\n"))
    assert tables.replace(rates=tables["rates"]).overlay is tables.overlay


# -------------------------------------------------------------------------------------------------- refused


def test_every_wrong_row_is_told_with_its_file_row_and_field(put: Put) -> None:
    folder = put(
        rates="id,usd_teu_km,mode,country\n"
        "rail-cn,cheap,,\n"
        "rail-kz,-1,,\n"
        "rail-ru,0.3,rial,\n"
        "rail-uz,0.2,,\n"
        "rail-uz,0.3,,\n"
        "rail-xx,0.4,rail,CN\n"
        "rail-pl,0.4\n",
        crossings="id,processing_ab_h,closed_from\nkhorgos-altynkol,many,soon\n",
        links="id,line\nrail:cn-khorgos:kz-khorgosgateway,no-such-line\n",
    )
    told = {(f.where, f.row, f.field): f for f in faults(folder)}
    assert told["rates.csv", "row 2 (rail-cn)", "usd_teu_km"].got == "'cheap'"
    assert "at least 0" in told["rates.csv", "row 3 (rail-kz)", "usd_teu_km"].wanted
    assert "rail or road" in told["rates.csv", "row 4 (rail-ru)", "mode"].wanted
    assert told["rates.csv", "row 6 (rail-uz)", "id"].got == "also in row 5"
    (lacking,) = [fault for (_, row, _), fault in told.items() if row == "row 7 (rail-xx)"]  # one, not one a cell
    assert lacking.field.split(", ") == ["usd_t_km", "empty_factor", "price_year"]
    assert "a new one must be whole; did you mean rail-" in lacking.wanted
    assert told["rates.csv", "row 8 (rail-pl)", ""].got == "2 cells"
    assert told["crossings.csv", "row 2 (khorgos-altynkol)", "processing_ab_h"].got == "'many'"
    assert told["crossings.csv", "row 2 (khorgos-altynkol)", "closed_from"].wanted == "a date as YYYY-MM-DD"
    assert not any(row == "row 5 (rail-uz)" for _, row, _ in told), "a sound row is told as wrong"


def test_an_unknown_column_hides_no_fault_of_the_rows(put: Put) -> None:
    told = {(f.row, f.field) for f in faults(put(rates="id,co2,usd_teu_km\nrail-kz,1,-3\nrail-ru,,cheap\n"))}
    assert told == {("header", "co2"), ("row 2 (rail-kz)", "usd_teu_km"), ("row 3 (rail-ru)", "usd_teu_km")}


def test_a_dangling_name_is_told_at_the_overlays_row(put: Put) -> None:
    folder = put(links="id,line\n\nrail:cn-khorgos:kz-khorgosgateway,no-such-line\n")
    (fault,) = faults(folder)
    assert (fault.where, fault.row, fault.field) == ("links.csv", "row 3 (rail:cn-khorgos:kz-khorgosgateway)", "line")
    assert fault.got == "'no-such-line'"


def test_what_only_all_tables_show_is_told_at_the_overlays_row(put: Put) -> None:
    folder = put(
        crossings="id,closed_from,closed_to\nkhorgos-altynkol,2024-02-01,2024-01-01\n",
        mode_shares=f"id,rail\n{read_atlas()['mode_shares']['id'][0]},0.999\n",
    )
    told = faults(folder)
    assert [(f.where, f.field) for f in told] == [
        ("crossings.csv", "closed_to"),
        ("mode_shares.csv", "rail, road, pipeline, sea, air, switch"),
    ]
    assert [f.row.split(" (")[0] for f in told] == ["row 2", "row 2"]


def test_a_user_may_pass_the_range_of_others_but_not_turn_an_own_one(put: Put) -> None:
    read_overlay(put(growth="id,growth_low_pct_yr\nchn-kgz-any,20\n"))
    (fault,) = faults(put(growth="id,growth_low_pct_yr,growth_pct_yr\nchn-kgz-any,9,8\n"))
    assert (fault.row, fault.field, fault.got) == ("row 2 (chn-kgz-any)", "growth_pct_yr", "8.0")
    (fault,) = faults(put(growth="id,from_year,to_year\nchn-kgz-any,2029,2024\n"))
    assert (fault.row, fault.field, fault.wanted) == ("row 2 (chn-kgz-any)", "to_year", "not before 2029")


def test_a_fault_that_the_overlay_causes_elsewhere_says_so(put: Put) -> None:
    """A new railway over a border needs its crossing."""
    row = read_atlas()["links"].filter(read_atlas()["links"]["id"] == "rail:cn-khorgos:kz-khorgosgateway").to_dicts()[0]
    header = "id,place_a,place_b,mode,status,line,name,length_km,gauges_mm,country_km"
    text = f"rail:new,{row['place_a']},{row['place_b']},rail,existing,{row['line']},New,20,1435,CN:10;KZ:10"
    told = faults(put(links=f"{header}\n{text}\n"))
    assert [(f.where, f.row) for f in told] == [("crossings.csv with this overlay", "rail:new")]
    assert "a crossing for the border between CN and KZ" in told[0].wanted


def test_a_length_that_would_change_nothing_is_told(put: Put) -> None:
    links = read_atlas()["links"]
    row = links.filter(links["length_official_km"].is_not_null() & (links["mode"] == "rail")).to_dicts()[0]
    folder = put(links=f"id,length_km\n{row['id']},{row['length_measured_km']}\n")
    (fault,) = faults(folder)
    assert "length_official_km beside it" in fault.wanted
    put(links=f"id,length_km,length_official_km\n{row['id']},{row['length_measured_km']},{NOTHING}\n")
    assert value(read_overlay(folder), "links", row["id"], "length_km") == row["length_measured_km"]


@pytest.mark.parametrize(
    ("name", "text", "field", "wanted"),
    [
        ("rate.csv", "id,usd_teu_km\nrail-kz,1\n", "", "did you mean rates.csv"),
        ("my-prices.csv", "id,usd_teu_km,note\nrail-kz,1,\n", "", "its columns are those of rates.csv"),
        ("my-data.csv", "id,colour\nrail-kz,red\n", "", "countries, "),
        ("rates.csv", "id,usd_teu\nrail-kz,1\n", "usd_teu", "did you mean usd_teu_km"),
        ("rates.csv", "id;usd_teu_km\nrail-kz;0,31\n", "", "columns divided by commas"),
        ("rates.csv", "usd_teu_km\n1\n", "id", "which names the row"),
        ("rates.csv", "id,note,note\nrail-kz,a,b\n", "note", "each column once"),
        ("rates.csv", "id,usd_teu_km\n", "", "rows"),
        ("rates.csv", "id,usd_teu_km\n,1\n", "id", "what names the row"),
        ("rates.csv", f"id,usd_teu_km\nrail-kz,{NOTHING}\nrail-cn,0.2\n", "usd_teu_km", "which this column needs"),
        ("dictionary.csv", "table,column\nrates,id\n", "", "the name of a table"),
    ],
)
def test_files_that_are_none_of_the_tables_are_told(put: Put, name: str, text: str, field: str, wanted: str) -> None:
    folder = put()
    (folder / name).write_text(text, encoding="utf-8")
    (fault,) = faults(folder)
    assert (fault.where, fault.field) == (name, field)
    assert wanted in fault.wanted


def test_no_overlay_is_told(put: Put, tmp_path: Path) -> None:
    assert faults(tmp_path / "none")[0].got == "nothing"
    assert "CSV files" in faults(put())[0].wanted
    (put() / "rates.csv").write_bytes(b"id,note\nrail-kz,\xff\n")
    assert faults(put())[0].got == "byte 0xff"


def test_a_broken_package_is_told_as_such(put: Put, tmp_path: Path) -> None:
    folder = put(rates="id,usd_teu_km\nrail-kz,0.31\n")
    with pytest.raises(DataError, match="dictionary"):
        read_overlay(folder, base=tmp_path)


def test_one_file_will_do_for_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "rates.csv"
    path.write_text("id,usd_teu_km\nrail-kz,2.5\n", encoding="utf-8")
    tables = read_overlay(path)
    assert value(tables, "rates", "rail-kz", "usd_teu_km") == 2.5
    assert tables.overlay is not None
    assert tables.overlay.stamp()["name"] == "rates"
    assert tables.package is not None
    assert tables.package.created
    assert explain(ATLAS, tables, "rates", "rail-kz", "usd_teu_km")["sources"] == ["rates: rates.csv, row 2"]


def test_what_only_all_tables_show_is_told_beside_a_cell_that_cannot_be_read(put: Put) -> None:
    """Files that are sound in themselves are held against the atlas, whatever is wrong in another file."""
    folder = put(
        rates="id,usd_t_km\nrail-kz,cheap\n",
        projects="id,finish\ncku,2024\n",
        links="id,line\nrail:cn-khorgos:kz-khorgosgateway,no-such-line\n",
    )
    told = {(f.where, f.row, f.field) for f in faults(folder)}
    assert told == {
        ("rates.csv", "row 2 (rail-kz)", "usd_t_km"),
        ("projects.csv", "row 2 (cku)", "finish"),
        ("links.csv", "row 2 (rail:cn-khorgos:kz-khorgosgateway)", "line"),
    }


def test_a_row_that_cannot_be_read_is_not_missed_as_well(put: Put) -> None:
    folder = put(
        lines="id,name,mode\nmine,My line\n",
        links="id,line\nrail:cn-khorgos:kz-khorgosgateway,mine\n",
    )
    assert {f.where for f in faults(folder)} == {"lines.csv"}
