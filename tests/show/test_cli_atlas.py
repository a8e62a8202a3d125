"""The atlas on the command line: sound or not, its sources, why a value is what it is, facts, and differences."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from calls import Call, refused

from landbridge.data.read import ATLAS
from small_run import small_tables


def test_the_atlas_is_sound(call: Call) -> None:
    told = call("atlas", "check", "--json").json
    assert told["faults"] == []
    kinds = {row["kind"] for row in told["origins"]}
    assert kinds <= {"reported", "derived", "estimate", "calibrated", "unknown"}
    assert "no faults" in call("atlas", "check").out
    by_column = call("atlas", "check", "--columns").out
    assert re.search(r"│ crossings\.waiting_ab_h\s+│\s+\d+ │", by_column)
    assert by_column.count("│ crossings.") > 10


def test_broken_rows_of_an_atlas_are_told(call: Call, tmp_path: Path) -> None:
    package = tmp_path / "broken"
    shutil.copytree(ATLAS, package, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    rates = package / "rates.csv"
    lines = rates.read_text(encoding="utf-8").splitlines()
    lines[1] = re.sub(r"^rail-cn,CN,rail,[0-9.]+", "rail-cn,CN,rial,cheap", lines[1])
    rates.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = call("atlas", "check", package)
    assert done.code == 1
    assert re.search(r"rates\.csv, row 2 \(rail-cn\), mode: wanted .*rail.*, got 'rial'", done.err)
    assert re.search(r"rates\.csv, row 2 \(rail-cn\), usd_teu_km: wanted a number, got 'cheap'", done.err)
    assert re.search(r"landbridge: .*broken: \d+ faults$", done.err.rstrip())
    as_json = call("atlas", "check", package, "--json")
    assert as_json.code == 1
    faults = json.loads(as_json.out)["faults"]
    assert {"mode", "usd_teu_km"} <= {fault["field"] for fault in faults}


def test_no_atlas_is_told(call: Call, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    refused(call("atlas", "check", tmp_path / "none"), "wanted the folder of a data package, got nothing")
    refused(call("atlas", "check", tmp_path / "file"), "got a file")
    refused(call("atlas", "check", tmp_path), "data dictionary")


def test_sources_are_listed_with_what_rests_on_them(call: Call) -> None:
    rows = call("atlas", "sources", "--json").json
    assert {row["id"] for row in rows} == set(small_tables().ids("sources"))
    assert all(isinstance(row["rests_on"], int) for row in rows)
    assert call("atlas", "sources").code == 0


def test_why_a_value_is_what_it_is(call: Call) -> None:
    told = call("atlas", "why", "emissions", "road-default", "co2_g_tkm", "--json").json
    assert told["value"] == 90.3
    assert told["kind"] == "reported"
    assert any(source.startswith("F0846: ") for source in told["sources"])
    out = call("atlas", "why", "emissions", "road-default", "co2_g_tkm").out
    assert "value: 90.3" in out
    assert "source: F0846" in out
    refused(call("atlas", "why", "emision", "road-default", "co2_g_tkm"), "did you mean emissions")
    refused(call("atlas", "why", "emissions", "road-defalt", "co2_g_tkm"), "did you mean road-default")
    refused(call("atlas", "why", "emissions", "road-default", "co2"), "did you mean co2_g_tkm")


# --------------------------------------------------------------------------------------------------------- facts


def test_facts_are_found_with_value_source_and_confidence(call: Call) -> None:
    told = call("facts", "47 agreements", "--limit", 1, "--json").json
    assert told["query"] == "47 agreements"
    assert call("facts", "47", "agreements", "--limit", 1, "--json").json == told
    assert told["project"] is None
    (found,) = told["findings"]
    assert (found["id"], found["value"], found["unit"], found["confidence"]) == ("F0030", "47", "agreements", "high")
    assert found["source"]
    out = call("facts", "86 million barrels").out
    for part in ("F0016", "over 86 million", "2013", "high"):
        assert part in re.sub(r"\s+", " ", out)


@pytest.mark.parametrize(
    ("query", "row", "told"),
    [
        ("523 km", "F0017", "523 km"),
        ("22.4 bn", "F0013", "22.4 USD bn"),
        ("14 bn", "F0010", "over 14 USD bn"),
        ("23.6 bn", "F0011", "23.6 USD bn"),
        ("47 agreements worth 22 bn", "2023-05-47-documents", "22 bn USD"),
        ("40 bn target", "F0024", "40 USD bn"),
        ("86 million barrels", "F0016", "over 86 million barrels"),
        ("42 %", "F0027", "42 %"),
    ],
)
def test_the_figures_of_the_brief_are_found(call: Call, query: str, row: str, told: str) -> None:
    found = {f["id"]: f for f in call("facts", query, "--json").json["findings"][:5]}
    assert row in found
    assert f"{found[row]['value']} {found[row]['unit']}".strip() == told
    assert found[row]["source"]
    assert row in call("facts", query).out


def test_a_project_has_its_options(call: Call) -> None:
    belongs = call("facts", "cku", "--json").json["project"]["atlas"]
    options = {e["id"]: e["what"] for e in belongs if e["table"] == "project_options"}
    assert options == {
        "cku-gauge-mixed": "gauge, chosen, 523 km",
        "cku-gauge-standard": "gauge, not chosen, 523 km",
        "cku-alignment-torugart": "alignment, chosen, 523 km",
        "cku-alignment-irkeshtam": "alignment, not chosen, 468 km",
    }


def test_a_project_shows_its_history(call: Call) -> None:
    told = call("facts", "cku", "--json").json["project"]
    assert told["project"]["status"] == "under_construction"
    assert [m["date"] for m in told["moments"]] == sorted(m["date"] for m in told["moments"])
    assert {e["table"] for e in told["atlas"]} >= {"links", "crossings", "places"}
    out = call("facts", "cku").out
    assert "its history" in out
    assert "2024-12-cku-launched" in out
    assert "what belongs to it in the atlas" in out
    assert "what belongs to it" not in call("facts", "cku", "--topic", "seed").out
    assert "no flow can tell what it is worth: No capacity of the terminal" in call("facts", "crk-selyatino").out
    assert call("facts", "crk-selyatino", "--json").json["project"]["unvalued"].startswith("No capacity")
    assert told["unvalued"] is None


def test_facts_that_lack_a_part_say_so_and_nothing_is_an_error(call: Call) -> None:
    assert "these lack: zeppelin" in call("facts", "Rasht zeppelin").out
    told = call("facts", "14 and 23.6").out  # two seeds' figures, each of which lacks the other's
    assert "each lacks one or more of these: 23.6, 14" in " ".join(told.split())
    assert "lacks" in told.splitlines()[2]
    refused(call("facts", "zeppelin"), "nothing is known of 'zeppelin'")
    assert call("facts", "zeppelin", "--json").json["findings"] == []
    refused(call("facts", "oil", "--topic", "enrgy"), "did you mean energy")
    refused(call("facts", "the"), "wanted words or numbers")


# ---------------------------------------------------------------------------------------------------------- diff


def test_two_packages_are_compared(call: Call, tmp_path: Path) -> None:
    package = tmp_path / "changed"
    shutil.copytree(ATLAS, package, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    assert "No difference." in call("atlas", "diff", ATLAS, package).out
    rates = package / "rates.csv"
    text = rates.read_text(encoding="utf-8")
    changed, count = re.subn(r"(?m)^(rail-cn,CN,rail),([0-9.]+),", r"\1,0.5,", text)
    assert count == 1
    shipped = float(text.split("rail-cn,CN,rail,")[1].split(",")[0])
    rates.write_text(changed, encoding="utf-8")
    told = call("atlas", "diff", ATLAS, package, "--json").json
    (table,) = told["tables"]
    (change,) = table["changed"]
    assert (table["table"], change["row"], change["column"]) == ("rates", "rail-cn", "usd_teu_km")
    assert (change["old"], change["new"]) == (shipped, 0.5)
    assert change["old_kind"] == change["new_kind"] != ""
    out = call("atlas", "diff", ATLAS, package).out
    assert re.search(rf"changed\s*│ rail-cn\s*│ usd_teu_km\s*│ {shipped}\s*│ \w+\s*│ 0\.5\s*│", out)
    refused(call("atlas", "diff", ATLAS, tmp_path / "none"), "got nothing")
