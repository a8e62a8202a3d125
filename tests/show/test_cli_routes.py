"""Routes and skims on the command line: tables, JSON, folders, and what is told where there is no way."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from calls import GAP, Call, refused

from small_run import small_folder


def test_routes_as_json_and_as_a_table(call: Call) -> None:
    told = call("routes", "Xi'an", "Tashkent", "--via", "Khorgos", "--max", 2, "--json").json
    first = told["routes"][0]
    assert told["status"] == "found"
    assert 4400 < first["length_km"] < 4600
    assert first["gauge_changes"] == 1
    assert sum(leg["length_km"] for leg in first["legs"]) == pytest.approx(first["length_km"])
    assert sum(leg["time_h"] for leg in first["legs"]) == pytest.approx(first["time_h"])
    assert sum(leg["cost_usd"] for leg in first["legs"]) == pytest.approx(first["cost_usd"])
    out = call("routes", "Xi'an", "Tashkent", "--via", "Khorgos", "--max", 2, "--legs").out.replace(GAP, "")
    assert f"{first['length_km']:.0f} │" in out
    assert f"{first['cost_usd']:.0f} │" in out
    assert "Legs of the first route" in out
    assert "khorgos-altynkol" in out


def test_routes_avoid_and_go_with_a_study(call: Call, study: Path) -> None:
    around = call("routes", "Chongqing", "Duisburg", "--avoid", "Russia,BY", "--modes", "rail,sea,ferry", "--json").json
    assert all(not {"RU", "BY"} & set(route["countries"]) for route in around["routes"])
    before = call("routes", "Kashgar", "Tashkent", "--modes", "rail", "--max", 1, "--json").json["routes"][0]
    after = call("routes", "Kashgar", "Tashkent", "--modes", "rail", "--max", 1, "--with", study, "--json").json[
        "routes"
    ][0]
    assert before["length_km"] > 3000
    assert 900 < after["length_km"] < 1000


def test_box_and_tonne(call: Call) -> None:
    words = ["routes", "Xi'an", "Almaty", "--max", 1, "--modes", "rail", "--json"]
    feu, teu = (call(*words, "--box", box).json["routes"][0] for box in ("feu", "teu"))
    assert feu["cost_usd"] == pytest.approx(2 * teu["cost_usd"])
    assert feu["time_h"] == teu["time_h"]
    bulk = call("routes", "Xi'an", "Almaty", "--commodity", "coal", "--max", 1)
    assert "USD/t" in bulk.out


def test_wrong_questions_about_routes_are_told(call: Call, tmp_path: Path) -> None:
    refused(call("routes", "Chongqin", "Duisburg"), "unknown place 'Chongqin'; did you mean Chongqing")
    refused(call("routes", "Chongqing", "Duisberg"), "did you mean Duisburg")
    refused(call("routes", "Chongqing", "Honolulu"), "unknown place 'Honolulu'")
    refused(call("routes", "Chongqing", "Duisburg", "--via", "Almatty"), "did you mean Almaty")
    refused(call("routes", "Chongqing", "Duisburg", "--commodity", "machinry"), "did you mean machinery_box")
    refused(call("routes", "Chongqing", "Duisburg", "--commodity", "zebras"), "there are .*coal")
    refused(call("routes", "Chongqing", "Duisburg", "--modes", "train"), "there are rail, road, sea, ferry")
    refused(call("routes", "Chongqing", "Duisburg", "--avoid", "Rusia"), "did you mean Russia")
    refused(call("routes", "Chongqing", "Chongqing"), "same place, cn-chongqing")
    refused(call("routes", "Chongqing", "Duisburg", "--year", 1900), "wanted a year from 1990 to 2100, got 1900")
    refused(call("routes", "Chongqing", "Duisburg", "--with", tmp_path / "none.toml"), "no such file")


def test_an_unreachable_relation_is_told(call: Call) -> None:
    refused(
        call("routes", "Chongqing", "Duisburg", "--avoid", "RU,IR", "--modes", "rail"),
        "no route for machinery_box from cn-chongqing to de-duisburg in 2023 by rail without RU, IR",
    )
    refused(call("routes", "Chongqing", "Duisburg", "--avoid", "CN"), "without CN.*the start cn-chongqing lies in CN")
    # not the whole way by land, which would be cheapest, but the branch that the city lacks to its port
    refused(
        call("routes", "Shanghai", "Rotterdam", "--modes", "sea,road"),
        "lifting mode rail .rail:cn-shanghai:cn-shanghai-port.: then by suez; .*: cn-shanghai-port",
    )


def test_without_a_route_json_tells_what_blocks_it(call: Call) -> None:
    done = call("routes", "Chongqing", "Duisburg", "--avoid", "RU,BY", "--modes", "rail", "--json")
    assert done.code == 1
    assert "it takes lifting any one of: country RU" in done.err
    told = json.loads(done.out)
    assert (told["status"], told["routes"]) == ("no route", [])
    assert [b["name"] for b in told["blocked_by"]] == ["RU", "road", "sea", "ferry"]
    assert told["free"]["passage"] == "west-1"
    assert told["effects"][0]["name"] == "BY"
    assert "country BY bars nothing more: with RU barred no way leads there by the modes left" in done.err


def test_routes_by_several_objectives(call: Call, tmp_path: Path) -> None:
    chart = tmp_path / "chart.svg"
    words = ["routes", "Chongqing", "Duisburg", "--objective", "time,cost,co2", "--deadline", "40d", "--chart", chart]
    told = call(*words, "--json").json
    assert told["efficient"] >= len(told["routes"]) > 1
    assert told["routes"][0]["time_h"] == min(route["time_h"] for route in told["routes"])
    for route in told["routes"]:
        assert 0 < route["on_time"] <= 1
        assert route["time_h"] <= 40 * 24
        assert {"type", "from", "to", "mode", "gauge_mm", "option", "country"} <= set(route["legs"][0])
    drawing = ET.parse(chart).getroot()  # noqa: S314 (our own file)
    assert drawing.tag.endswith("svg")
    text = " ".join(drawing.itertext())
    for route in told["routes"]:
        assert route["passage"] in text
    assert "change of gauge" in text
    out = call(*words).out
    assert "on time %" in out
    assert "efficient routes over time, cost and co2" in " ".join(out.split())
    assert "arrival within 40 days" in out


def test_conditions_and_what_they_cost(call: Call) -> None:
    words = ["routes", "Chongqing", "Duisburg", "--max-borders", 4, "--max-gauge-changes", 1, "--avoid", "sea"]
    told = call(*words, "--json").json
    assert all(len(r["borders"]) <= 4 and r["gauge_changes"] <= 1 for r in told["routes"])
    assert {e["kind"] for e in told["effects"]} == {"mode", "borders", "gauge changes"}
    assert "What each condition costs" in call(*words).out
    only = ["routes", "Xi'an", "Almaty", "--modes", "rail", "--only-borders", "alashankou-dostyk", "--json"]
    assert all(route["borders"] == ["alashankou-dostyk"] for route in call(*only).json["routes"])


def test_routes_are_written_into_a_folder(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "answer"
    given = ("routes", "CNCKG", "DEDUI", "--modes", "rail", "--max", 2, "--own-box", "--insure", 0.2, "--box", "teu")
    told = call(*given, "--out", out, "--json").json
    assert json.loads((out / "routes.json").read_text(encoding="utf-8"))["routes"] == told["routes"]
    assert (told["box"], told["unit"], told["status"], told["blocked_by"]) == ("teu", "TEU", "found", [])
    rows = list(csv.DictReader((out / "routes.csv").read_text(encoding="utf-8").splitlines()))
    legs = list(csv.DictReader((out / "legs.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["route"] for row in rows] == ["1", "2"]
    for row in rows:
        own = [leg for leg in legs if leg["route"] == row["route"]]
        assert [leg["type"] for leg in own][-2:] == ["empty return", "insurance"]
        assert sum(float(leg["cost_usd"]) for leg in own) == pytest.approx(float(row["cost_usd"]), abs=0.005)
        assert all(leg["payer"] == "shipper" for leg in own)
    wanted = "type from to mode gauge_mm option country payer time_h cost_usd co2_kg length_km"
    assert set(wanted.split()) <= set(told["routes"][0]["legs"][0])
    assert (out / "chart.svg").read_text(encoding="utf-8").startswith("<svg")
    call(*given, "--out", out)  # over an older answer
    (out / "mine.txt").write_text("kept", encoding="utf-8")
    refused(call(*given, "--out", out), "wanted an empty folder or an older answer, found mine.txt")
    refused(call("routes", "CNCKG", "DEDUI", "--ranked", "--deadline", "9d"), "without objectives and limits")


def test_skims_as_table_json_and_file(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "skim.csv"
    told = call("skim", "Chongqing,KZ", "DEDUI,Tashkent", "--avoid", "RU", "--out", out, "--json").json
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == len(told)
    assert {(row["from"], row["to"]) for row in rows} >= {("cn-chongqing", "de-duisburg"), ("kz-almaty", "uz-tashkent")}
    assert all(row["status"] == "found" for row in told)
    assert "best by time" in call("skim", "Chongqing", "Duisburg", "--objective", "time").out
    refused(call("skim", "Chongqing", "Duisburg", "--objective", "generalized"), "did you mean generalised")
    refused(call("skim", "Almaty", "kz-almaty"), "the same place")


def test_routes_at_flows(call: Call) -> None:
    words = ["routes", "Xi'an", "Tashkent", "--modes", "rail", "--max", 1]
    free = call(*words, "--json").json["routes"][0]
    loaded = call(*words, "--at", small_folder(), "--json").json["routes"][0]
    assert loaded["time_h"] > free["time_h"]
    built = call(*words, "--at", small_folder(), "--scenario", "cku", "--json").json["routes"][0]
    assert "cn-kashgar" in str(built["legs"]) or built["time_h"] <= loaded["time_h"] + 1
    assert "At the flows of" in call(*words, "--at", small_folder()).out
    refused(call(*words, "--at", small_folder(), "--scenario", "cuk"), "unknown scenario 'cuk'; did you mean cku")
    refused(call(*words, "--at", small_folder(), "--year", 2040), "unknown year '2040'")
    refused(call(*words, "--scenario", "cku"), "give the folder by --at")
    refused(call(*words, "--at", small_folder(), "--overlay", small_folder()), "leave out --overlay")


def test_wrong_conditions_are_told(call: Call, tmp_path: Path) -> None:
    words = ["routes", "Chongqing", "Duisburg"]
    refused(call(*words, "--objective", "speed"), "unknown objective 'speed'")
    refused(call(*words, "--deadline", "soon"), "wanted days or hours as 20d or 480h, got 'soon'")
    refused(call(*words, "--only-borders", "khorgos"), "unknown crossing 'khorgos'; did you mean khorgos-altynkol")
    refused(call(*words, "--avoid", "1300"), "unknown gauge 1300 mm")
    refused(call(*words, "--max", 1, "--chart", tmp_path / "none" / "chart.svg"), "could not be written")
