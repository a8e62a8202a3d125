"""The command line as its users meet it: tables, JSON, and one clear message for whatever goes wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from calls import GAP, Call, Done, refused, same

from landbridge import __version__
from landbridge.data.read import ATLAS
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
