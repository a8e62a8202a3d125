"""The command line as its users meet it: tables, JSON, and one clear message for whatever goes wrong."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from landbridge import __version__
from landbridge.data.read import ATLAS
from landbridge.show import cli
from landbridge.study import run as running
from landbridge.study.compare import KEYS, Side
from landbridge.study.compare import compare as difference
from landbridge.study.summary import corridor_feeds, crossing_summary, passage_summary
from landbridge.study.targets import against
from small_run import STUDY, small_folder, small_results, small_tables

VERBS = [
    "run",
    "passages",
    "compare",
    "crossing",
    "report",
    "targets",
    "routes",
    "facts",
    "atlas",
    "atlas check",
    "atlas sources",
    "atlas why",
    "atlas diff",
    "atlas lengths",
    "atlas import-trade",
    "atlas past",
]
GAP = "\u202f"  # between thousands


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err

        def refuse(word: str) -> None:
            raise AssertionError(f"{word} is no JSON")

        return json.loads(self.out, parse_constant=refuse)


Call = Callable[..., Done]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*words: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["landbridge", *map(str, words)])
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        # some CI systems ask for colours
        return Done(code, *(re.sub(r"\x1b\[[0-9;]*m", "", text) for text in capsys.readouterr()))

    return call


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture
def no_solving(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("computed in vain")

    monkeypatch.setattr(running, "solve", never)


def refused(done: Done, *told: str) -> None:
    """One message on stderr that says all this, and nothing else."""
    assert done.code != 0
    assert done.out == ""
    assert "Traceback" not in done.err
    assert done.err.startswith("landbridge: ")
    assert len([line for line in done.err.splitlines() if line and not line.startswith("  ")]) == 1
    for part in told:
        assert re.search(part, done.err), f"{part!r} is not in {done.err!r}"


def same(rows: Sequence[dict[str, Any]], frame: pl.DataFrame) -> None:
    """JSON rows equal a frame, lists and nulls included."""
    assert len(rows) == frame.height
    for got, wanted in zip(rows, frame.to_dicts(), strict=True):
        assert got == wanted


# ---------------------------------------------------------------------------------------------------------- help


def test_version_and_help(call: Call) -> None:
    assert call("--version").out == f"landbridge {__version__}\n"
    assert call("-h").out == call("--help").out
    bare = call()
    assert bare.code == 2
    assert "routes" in bare.out + bare.err


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(call: Call, verb: str) -> None:
    done = call(*verb.split(), "--help")
    assert done.code == 0
    assert f"Usage: landbridge {verb}" in done.out
    if verb not in ("report", "atlas"):
        assert "--json" in done.out, "a table is printed without JSON beside it"


def test_help_is_instant() -> None:
    """A slow machine is no fault; loading what help does not need is."""
    script = (
        "import sys; sys.argv = ['landbridge', '--help']\n"
        "from landbridge.show.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted(sys.modules.keys() & {'polars', 'numba', 'scipy', 'pydantic', 'numpy'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.rstrip().endswith("[]"), done.stdout + done.stderr


def test_unknown_verbs_and_options_are_told(call: Call) -> None:
    for words in (
        ["rout"],
        ["routes", "Chongqing"],
        ["routes", "A", "B", "--max", "0"],
        ["run"],
        ["passages", "--yaer", "1"],
    ):
        done = call(*words)
        assert (done.code, done.out) == (2, "")
        assert "landbridge" in done.err


def test_module_and_command_are_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "landbridge", "routes", "Chongqin", "Duisburg"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    refused(Done(done.returncode, done.stdout, done.stderr), "unknown place 'Chongqin'; did you mean Chongqing")


# ----------------------------------------------------------------------------------------------------------- run


def test_run_writes_a_folder_and_says_where(call: Call, study: Path, tmp_path: Path) -> None:
    done = call("run", study, "--out", tmp_path / "new" / "r")
    assert (done.code, done.err) == (0, "")
    assert "Small: solved" in done.out
    assert f"Results are in {tmp_path / 'new' / 'r'}" in done.out.replace("\n", "")
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["r"]
    again = call("run", study, "--out", tmp_path / "new" / "r", "--json")
    assert again.json["out"] == str(tmp_path / "new" / "r")
    assert [s["status"] for s in again.json["solved"]] == ["converged", "converged"]
    assert json.loads((tmp_path / "new" / "r" / "manifest.json").read_text())["made"] == again.json["made"]


def test_run_goes_to_results_by_default(
    call: Call, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("run", study.name, "--quiet").code == 0
    assert (tmp_path / "results" / "small" / "manifest.json").is_file()
    tables = small_results().tables
    for path in (tmp_path / "results" / "small" / "tables").iterdir():
        if path.stem != "totals":
            assert pl.read_parquet(path).equals(tables[path.stem]), f"{path.stem} differs from run to run"


@pytest.mark.usefixtures("no_solving")
def test_three_errors_in_a_study_are_told_with_their_positions(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(
        STUDY.replace('"reduced"', '"tiny"')
        .replace('extends = "base"', 'extends = "bse"')
        .replace('"build"', '"biuld"'),
        encoding="utf-8",
    )
    done = call("run", path, "--out", tmp_path / "r")
    refused(
        done, "3 faults", r"bad\.toml:3, size: wanted .*'reduced', got 'tiny'",
        r"bad\.toml:10, scenario\[1\]\.extends: .*did you mean base",
        r"bad\.toml:13, scenario\[1\]\.measure\[0\]\.kind: .*did you mean build",
    )  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["bad.toml"]


@pytest.mark.usefixtures("no_solving")
def test_three_unknown_names_in_a_study_are_told_with_their_positions(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    more = '\n[[scenario.measure]]\nkind = "close"\ncrossings = ["khorgos-altynkoll"]\n'
    more += '\n[[scenario.measure]]\nkind = "avoid"\ncountries = ["RUX"]\n'
    path.write_text(STUDY.replace('project = "cku"', 'project = "ckuu"') + more, encoding="utf-8")
    done = call("run", path, "--out", tmp_path / "r")
    refused(
        done, "3 faults", r"bad\.toml:14, .*project: .*did you mean cku",
        r"bad\.toml:18, .*did you mean khorgos-altynkol", r"bad\.toml:22, .*countries\[0\]: .*did you mean RU",
    )  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["bad.toml"]


@pytest.mark.usefixtures("no_solving")
def test_no_study_and_no_toml_are_told(call: Call, tmp_path: Path) -> None:
    refused(call("run", tmp_path / "none.toml"), "no such file")
    refused(call("run", tmp_path), "a folder")
    (tmp_path / "x.toml").write_text("a = [", encoding="utf-8")
    refused(call("run", tmp_path / "x.toml"), "wanted TOML")


@pytest.mark.usefixtures("no_solving")
def test_folders_that_cannot_be_written_are_told_first(call: Call, study: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    refused(call("run", study, "--out", tmp_path / "file"), "wanted a folder for the results, got a file")
    refused(call("run", study, "--out", tmp_path / "file" / "below"), "cannot be made, for .*file is a file")
    refused(call("run", study, "--out", tmp_path / "mine"), "not a results folder; it is left alone")
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before


# --------------------------------------------------------------------------------------------- passages, compare


def test_passages_equal_the_tables(call: Call) -> None:
    told = call("passages", small_folder(), "--json").json
    assert (told["year"], told["first"], told["second"]) == (2023, "base", "cku")
    same(told["passages"], passage_summary(small_results(), 2023))
    same(told["crossings"], crossing_summary(small_results(), 2023))
    same(told["internal_corridors"], corridor_feeds(small_results(), 2023))


def test_passages_are_printed_with_their_numbers(call: Call) -> None:
    out = call("passages", small_folder()).out
    plain = re.sub(r"\s+", " ", out.replace(GAP, ""))
    for row in passage_summary(small_results(), 2023).to_dicts():
        if row["km"] is not None:
            assert f" {row['km']:.0f} │ {row['days']:.1f} │" in plain
    for row in crossing_summary(small_results(), 2023).to_dicts():
        assert f"{row['crossing']} │ {row['direction']} │ {row['mt_first']:.3f} │" in plain
    assert "Crossings of China, 2023" in out
    assert "China's internal corridors, 2023" in out
    assert not re.search(r"\s-0\.0+\s", out), "a change of nothing has a sign"


@pytest.mark.parametrize("table", KEYS)
def test_compare_equals_the_tables(call: Call, table: str) -> None:
    frame = difference(small_results(), table, Side("base", 2023), Side("cku", 2023))
    same(call("compare", small_folder(), "--table", table, "--json").json, frame)
    assert call("compare", small_folder(), "--table", table).code == 0


def test_compare_shows_the_largest_changes_first(call: Call) -> None:
    out = call("compare", small_folder(), "--rows", 3).out
    frame = difference(small_results(), "crossings", Side("base", 2023), Side("cku", 2023))
    largest = frame.sort(pl.col("tonnes_change").abs(), descending=True, nulls_last=True).head(3)
    rows = [line for line in out.splitlines() if line.startswith("│")]
    assert [row.split("│")[1].strip() for row in rows] == largest["crossing"].to_list()
    assert [float(row.split("│")[-3]) for row in rows] == [
        round(t / 1e6, 3) for t in largest["tonnes_change"].to_list()
    ]
    by = call("compare", small_folder(), "--by", "teu", "--rows", 1).out
    assert "teu, base" in by


def test_crossing_equals_the_tables(call: Call) -> None:
    both = ["alashankou-dostyk", "khorgos-altynkol"]
    rows = call("crossing", small_folder(), ",".join(both), "--json").json
    flows = small_results().of("crossing_flows", "base", 2023).filter(pl.col("crossing").is_in(both))
    assert sum(row["mt"] for row in rows) == pytest.approx(flows["tonnes"].sum() / 1e6)
    assert sum(row["transit_mt"] for row in rows) == pytest.approx(flows.filter("transit")["tonnes"].sum() / 1e6)
    assert {row["commodity"] for row in rows} == set(flows["commodity"])
    assert "iron_ore" in call("crossing", small_folder(), ",".join(both)).out
    refused(call("crossing", small_folder(), "khorgos"), "khorgos-altynkol")


def test_compare_takes_the_scenario_that_the_study_names(call: Call, tmp_path: Path) -> None:
    shutil.copytree(small_folder(), tmp_path / "r")
    path = tmp_path / "r" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["study"]["compare"] = "cku"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    turned = call("compare", tmp_path / "r", "--json").json
    same(turned, difference(small_results(), "crossings", Side("cku", 2023), Side("base", 2023)))


def test_a_study_of_one_scenario_has_nothing_beside_it(call: Call, tmp_path: Path) -> None:
    shutil.copytree(small_folder(), tmp_path / "r")
    path = tmp_path / "r" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["study"]["scenarios"][1]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    out = call("passages", tmp_path / "r").out
    assert out.count("Mt/yr base") == 1
    assert "cku" not in out
    refused(call("compare", tmp_path / "r"), "one scenario, base")


def test_wrong_questions_about_results_are_told(call: Call, tmp_path: Path) -> None:
    folder = small_folder()
    refused(call("passages", tmp_path), "not a results folder")
    refused(call("passages", tmp_path / "none"), "not a results folder")
    refused(call("passages", folder, "--year", 1999), "no year 1999; there are 2023")
    refused(call("passages", folder, "--scenario", "ckuu"), "did you mean cku")
    refused(call("compare", folder, "--table", "crosings"), "did you mean crossings")
    refused(call("compare", folder, "--base", "nothing"), "unknown scenario 'nothing'; there are base, cku")
    refused(call("compare", folder, "--by", "tons"), "unknown number 'tons'")
    refused(call("compare", folder, "--base-year", 1999), "no year 1999")
    refused(call("targets", folder, "--targets", tmp_path / "none.csv"), "no such file")


# ------------------------------------------------------------------------------------------------------- targets


def test_targets_equal_the_table(call: Call) -> None:
    frame = against(small_results(), small_tables())
    same(call("targets", small_folder(), "--json").json, frame)
    out = call("targets", small_folder()).out
    for target in frame["id"].to_list():
        assert f"│ {target} " in out, f"{target} is not printed"
    ends = re.search(
        r"(\d+) targets\. Compared: (\d+) inside their band, (\d+) outside\. .*: (\d+) inside, (\d+) outside\. "
        r"Not covered: (\d+)\.",
        out,
    )
    assert ends is not None
    count, *parts = map(int, ends.groups())
    assert count == sum(parts) == frame.height


# -------------------------------------------------------------------------------------------------------- routes


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


# --------------------------------------------------------------------------------------------------------- atlas


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


# ------------------------------------------------------------------------------------------------ the user's own


@pytest.fixture
def tariffs(tmp_path: Path) -> Path:
    """Kazakhstan's railways ten times as dear."""
    folder = tmp_path / "tariffs"
    folder.mkdir()
    (folder / "rates.csv").write_text("id,usd_teu_km,usd_t_km\nrail-kz,2.5,0.2\n", encoding="utf-8")
    return folder


def test_a_tariff_file_changes_routes_and_is_named(call: Call, tariffs: Path, tmp_path: Path) -> None:
    words = ["routes", "Xi'an", "Moscow", "--max", 1]
    usual, own = call(*words, "--json").json, call(*words, "--overlay", tariffs, "--json").json
    assert "KZ" in usual["routes"][0]["countries"]
    assert "KZ" not in own["routes"][0]["countries"]
    assert usual["overlay"] is None
    assert (own["overlay"]["name"], own["overlay"]["changed"]) == ("tariffs", 2)
    assert "own values tariffs: 2 changed (rates 2)" in re.sub(r"\s+", " ", call(*words, "--overlay", tariffs).out)
    why = call("atlas", "why", "rates", "rail-kz", "usd_teu_km", "--overlay", tariffs, "--json").json
    assert (why["kind"], why["value"], why["sources"]) == ("user", 2.5, ["tariffs: rates.csv, row 2"])
    study = tmp_path / "dear.toml"
    study.write_text('overlay = "tariffs"\n' + STUDY, encoding="utf-8")
    assert call(*words, "--with", study, "--json").json["overlay"] == own["overlay"]


def test_another_package_stands_in_place_of_the_atlas(call: Call, tmp_path: Path) -> None:
    package = tmp_path / "other"
    shutil.copytree(ATLAS, package, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    words = ["routes", "Xi'an", "Moscow", "--max", 1, "--json"]
    assert call(*words, "--atlas", package).json == call(*words).json
    refused(call(*words, "--atlas", tmp_path / "none"), "wanted the folder of a data package, got nothing")


def test_a_wrong_overlay_is_refused_row_by_row(call: Call, tariffs: Path, study: Path, tmp_path: Path) -> None:
    (tariffs / "rates.csv").write_text("id,usd_teu_km,mode\nrail-kz,dear,\nrail-cn,,rial\n", encoding="utf-8")
    for words in (["routes", "Xi'an", "Moscow"], ["run", study, "--out", tmp_path / "r"], ["atlas", "check"]):
        refused(
            call(*words, "--overlay", tariffs), "overlay .*tariffs: 2 faults",
            r"rates\.csv, row 2 \(rail-kz\), usd_teu_km: wanted a number, got 'dear'",
            r"rates\.csv, row 3 \(rail-cn\), mode: wanted .*, got 'rial'",
        )  # fmt: skip
    assert not (tmp_path / "r").exists()


def test_a_run_keeps_and_names_the_users_values(call: Call, tariffs: Path, tmp_path: Path) -> None:
    study = tmp_path / "dear.toml"
    text = STUDY[: STUDY.index('[[scenario]]\nid = "cku"')]
    study.write_text('overlay = "tariffs"\n' + text.replace("[2023]", "[2023, 2024]"), encoding="utf-8")
    out = tmp_path / "r"
    done = call("run", study, "--out", out, "--quiet")
    assert done.code == 0, done.err
    assert "own values tariffs: 2 changed (rates 2)" in re.sub(r"\s+", " ", done.out)
    told = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["overlay"]
    assert (told["name"], told["changed"], told["tables"]) == ("tariffs", 2, {"rates": 2})
    assert len(told["content_hash"]) == 64
    assert (out / "overlay" / "rates.csv").read_bytes() == (tariffs / "rates.csv").read_bytes()
    shutil.rmtree(tariffs)  # the results stand by themselves
    for words in (["passages", out], ["compare", out, "--base-year", 2023, "--table", "totals"]):
        assert "own values tariffs" in re.sub(r"\s+", " ", call(*words).out), words
    assert call("report", out).code == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "tariffs: 2 values (rates 2)" in page
    assert "The user's own values, tariffs" in page or "The user&#x27;s own values, tariffs" in page
    assert page.count("With the user") >= 8, "some part of the report does not name them"
    assert told["content_hash"] in page
    (out / "overlay" / "rates.csv").write_text("id,usd_teu_km\nrail-kz,3\n", encoding="utf-8")
    refused(call("report", out), "not the values that these results were made from")
    shutil.rmtree(out / "overlay")
    refused(call("targets", out), "are missing; run the study again")


@pytest.mark.usefixtures("no_solving")
def test_a_study_whose_overlay_is_not_there_is_told(call: Call, tmp_path: Path) -> None:
    study = tmp_path / "dear.toml"
    study.write_text('overlay = "gone"\n' + STUDY, encoding="utf-8")
    refused(
        call("run", study, "--out", tmp_path / "r"), r"dear\.toml:1, overlay: wanted a folder .*'gone', which is not"
    )


# -------------------------------------------------------------------------------------------------------- report


def test_report_goes_where_it_is_told(call: Call, tmp_path: Path) -> None:
    done = call("report", small_folder(), "--out", tmp_path / "a.html")
    assert done.code == 0
    assert done.out.replace("\n", "") == str(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!")
    (tmp_path / "file").write_text("", encoding="utf-8")
    refused(call("report", small_folder(), "--out", tmp_path / "file" / "b.html"), "could not be written")
    refused(call("report", tmp_path), "no results here or in a folder inside")
