"""The command line as its users meet it: tables, JSON, and one clear message for whatever goes wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    "report",
    "targets",
    "routes",
    "atlas",
    "atlas check",
    "atlas sources",
    "atlas why",
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
    refused(call("routes", "Chongqing", "Duisburg", "--avoid", "CN"), "no route .*without CN")
    refused(call("routes", "Shanghai", "Rotterdam", "--modes", "sea", "--json"), "by sea; .*cn-shanghai-port")


# --------------------------------------------------------------------------------------------------------- atlas


def test_the_atlas_is_sound(call: Call) -> None:
    told = call("atlas", "check", "--json").json
    assert told["faults"] == []
    kinds = {row["kind"] for row in told["origins"]}
    assert kinds <= {"reported", "derived", "estimate", "calibrated", "unknown"}
    assert "no faults" in call("atlas", "check").out


def test_broken_rows_of_an_atlas_are_told(call: Call, tmp_path: Path) -> None:
    package = tmp_path / "broken"
    shutil.copytree(ATLAS, package, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    rates = package / "rates.csv"
    lines = rates.read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].replace("rail-cn,CN,rail,0.22", "rail-cn,CN,rial,cheap")
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


# -------------------------------------------------------------------------------------------------------- report


def test_report_goes_where_it_is_told(call: Call, tmp_path: Path) -> None:
    done = call("report", small_folder(), "--out", tmp_path / "a.html")
    assert done.code == 0
    assert done.out.replace("\n", "") == str(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!")
    (tmp_path / "file").write_text("", encoding="utf-8")
    refused(call("report", small_folder(), "--out", tmp_path / "file" / "b.html"), "could not be written")
    refused(call("report", tmp_path), "not a results folder")
