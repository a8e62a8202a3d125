"""The verbs around study files and results: study new, check, diff, measures; rerun; compare by the kilometre."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from landbridge.errors import LandbridgeError, OutputError, StudyError, UnknownName
from landbridge.scenario.measures import KINDS
from landbridge.show.cli import app
from landbridge.study.compare import Side, compare
from landbridge.study.content import table_hash
from landbridge.study.files import check_study, read_study
from landbridge.study.rerun import rerun_study
from landbridge.study.results import MANIFEST, read_results
from landbridge.study.study_diff import differences, measure_fields
from small_run import STUDY, small_folder, small_results, small_tables


def call(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done.output


def test_a_new_study_is_sound_and_computes_what_the_example_does(tmp_path: Path) -> None:
    file = tmp_path / "new.toml"
    call("study", "new", file, "--project", "cku", "--name", 'My "study"')
    assert read_study(file).name == 'My "study"'
    assert "4 tasks, compared with base" in " ".join(call("study", "check", file).split())
    example = Path(__file__).parents[2] / "examples" / "cku.toml"
    assert differences(read_study(file), read_study(example)) == []
    with pytest.raises(OutputError, match="is there already"):
        CliRunner().invoke(app, ["study", "new", str(file)], catch_exceptions=False)
    with pytest.raises(UnknownName, match="did you mean cku"):
        CliRunner().invoke(app, ["study", "new", str(tmp_path / "b"), "--project", "ckuu"], catch_exceptions=False)
    assert not (tmp_path / "b").exists()
    told = json.loads(call("study", "check", file, "--json"))
    assert (told["tasks"], told["scenarios"]) == (4, {"base": 0, "cku": 1})


BROKEN = """\
name = "Broken"
years = [2023]
size = "reduced"
hold = ["nothing"]
outputs = ["totls"]

[[scenario]]
id = "base"
colour = "red"

[[scenario.measure]]
kind = "build"
project = "ckuu"

[[scenario]]
id = "b"

[[scenario.measure]]
kind = "ease"
crossings = ["khorgos"]
time_factor = -1

[[scenario.measure]]
kind = "close"
crossings = ["khorgos-altinkol"]
"""


def test_check_tells_names_beside_other_faults(tmp_path: Path) -> None:
    """A value out of its range, a key that is not one, and names that the atlas lacks, all in one go."""
    file = tmp_path / "a.toml"
    file.write_text(BROKEN, encoding="utf-8")
    for verb in (["study", "check"], ["run"]):
        with pytest.raises(StudyError) as caught:
            CliRunner().invoke(app, [*verb, str(file)], catch_exceptions=False)
        told = str(caught.value)
        for line, field, words in (
            (4, "hold[0]", "'nothing'"),
            (5, "outputs[0]", "did you mean totals"),
            (9, "scenario[0].colour", "a known key"),
            (13, "scenario[0].measure[0].project", "did you mean cku"),
            (21, "scenario[1].measure[0].time_factor", "-1"),
            (25, "scenario[1].measure[1].crossings[0]", "did you mean khorgos-altynkol"),
        ):
            found = [text for text in told.splitlines() if f"{file}:{line}, {field}: " in text]
            assert len(found) == 1, (field, told)
            assert words in found[0]
    mended = BROKEN.replace('colour = "red"\n', "").replace("time_factor = -1", "time_factor = 0.5")
    file.write_text(mended.replace('"khorgos"', '"khorgos-altynkol"'), encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        CliRunner().invoke(app, ["study", "check", str(file)], catch_exceptions=False)
    assert len(caught.value.faults) == 4  # hold, outputs, project, crossing
    assert f"{file}:5, outputs[0]: " in str(caught.value)


def test_compare_never_holds_a_scenario_against_itself() -> None:
    turned = json.loads(call("compare", small_folder(), "--base", "cku", "--json"))
    frame = compare(small_results(), "crossings", Side("cku", 2023), Side("base", 2023))
    assert [row["tonnes_change"] for row in turned] == frame["tonnes_change"].to_list()
    with pytest.raises(LandbridgeError, match="differ, got cku in 2023 twice; beside it"):
        CliRunner().invoke(
            app, ["compare", str(small_folder()), "--base", "cku", "--scenario", "cku"], catch_exceptions=False
        )


def test_differences_of_studies(tmp_path: Path) -> None:
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    first.write_text(STUDY, encoding="utf-8")
    second.write_text(
        STUDY.replace("[2023]", "[2023, 2030]").replace('"cku"\nextends', '"cku"\nname = "words do not count"\nextends')
        + '[[scenario.measure]]\nkind = "ease"\ncrossings = ["khorgos-altynkol"]\ntime_factor = 0.5\n'
        + '[[scenario]]\nid = "more"\n',
        encoding="utf-8",
    )
    found = {d.where: (d.first, d.second) for d in differences(read_study(first), read_study(second))}
    assert set(found) == {"years", "scenario cku, measure[1]", "scenario more"}
    assert found["years"] == ("[2023]", "[2023, 2030]")
    assert found["scenario cku, measure[1]"][0] is None
    assert "time_factor = 0.5" in str(found["scenario cku, measure[1]"][1])
    assert json.loads(call("study", "diff", first, second, "--json", code=1))[0]["where"] == "years"
    assert "Both compute the same" in call("study", "diff", first, first)


def test_measures_are_listed_with_what_they_mean() -> None:
    fields = measure_fields()
    assert {f.kind for f in fields} == set(KINDS)
    assert all(f.meaning for f in fields)
    share = next(f for f in fields if (f.kind, f.field) == ("close", "share"))
    assert (share.type, share.bounds, share.required) == ("number", "from 0, below 1", False)
    assert "relocate" in call("study", "measures")
    assert "part of the capacity that is left" in " ".join(call("study", "measures", "close").split())


def test_outputs_are_tables_that_results_have(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(
        STUDY.replace("[[scenario]]", 'outputs = ["totals", "crosings"]\n\n[[scenario]]', 1), encoding="utf-8"
    )
    with pytest.raises(StudyError, match=r"outputs\[1\]: wanted a known table of results \(did you mean crossings"):
        check_study(read_study(file), small_tables())


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"{STUDY}{text}".encode()))
def test_random_bytes_as_a_study_end_in_a_study_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "random.toml"
    file.write_bytes(raw)
    faults = None
    try:
        read_study(file)
    except StudyError as error:
        faults = error.faults
    assert faults is None or (faults and all(fault.where.startswith(str(file)) for fault in faults))


# ------------------------------------------------------------------------------------------------------- rerun


def test_a_rerun_gives_the_same_bits(tmp_path: Path) -> None:
    manifest = small_results().manifest
    assert manifest["content"] == {name: table_hash(frame) for name, frame in small_results().tables.items()}
    folder = tmp_path / "old"
    shutil.copytree(small_folder(), folder)
    told = rerun_study(folder)
    assert told["same"]
    assert told["changed"] == {}
    assert all(row["same"] for row in told["tables"])
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_a_rerun_says_what_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from landbridge.study import rerun

    folder = tmp_path / "old"
    shutil.copytree(small_folder(), folder)
    path = folder / "tables" / "totals.parquet"
    frame = pl.read_parquet(path)
    frame.with_columns(pl.col("land_tonnes") * 1.25).write_parquet(path)
    with pytest.raises(OutputError, match="not as they were written: totals"):
        rerun_study(folder)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["content"]["totals"] = table_hash(pl.read_parquet(path))
    manifest["libraries"]["polars"], manifest["atlas"]["content_hash"] = "0.1", "other"
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    monkeypatch.setattr(rerun, "run_study", lambda *_, **__: small_results())
    told = rerun_study(folder)
    assert not told["same"]
    assert set(told["changed"]) == {"library polars", "atlas hash"}
    row = next(row for row in told["tables"] if not row["same"])
    assert (row["table"], row["column"]) == ("totals", "land_tonnes")
    assert row["largest_relative_difference"] == pytest.approx(0.2)
    (folder / "study.toml").unlink()
    with pytest.raises(OutputError, match=r"has no study\.toml"):
        rerun_study(folder)


def test_a_results_folder_cut_short_at_any_file_is_told(tmp_path: Path) -> None:
    """Every file in turn is cut to half, emptied and taken away: one clear error says so, but for words for people."""
    folder = tmp_path / "r"
    shutil.copytree(small_folder(), folder)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole = path.read_bytes()
        for left in (whole[: len(whole) // 2], b"", None):
            path.unlink()
            if left is not None:
                path.write_bytes(left)
            if path.name == "study.toml":
                read_results(folder)  # words only; a rerun tells that it is not whole
            else:
                with pytest.raises(OutputError):
                    read_results(folder)
            path.write_bytes(whole)
    assert read_results(folder)["totals"].equals(small_results()["totals"])


# ------------------------------------------------------------------------------------------------- by the kilometre


def test_compare_by_the_kilometre() -> None:
    base, cku = Side("base", 2023), Side("cku", 2023)
    frame = compare(small_results(), "passages", base, cku, per_km=True)
    whole = compare(small_results(), "passages", base, cku)
    row, other = (f.filter(pl.col("passage") == "west-3").row(0, named=True) for f in (frame, whole))
    for side in ("first", "second"):
        assert row[f"usd_feu_per_km_{side}"] == pytest.approx(other[f"usd_feu_{side}"] / other[f"km_{side}"])
    assert row["days_per_km_change"] == row["days_per_km_second"] - row["days_per_km_first"]
    with pytest.raises(LandbridgeError, match="by the kilometre there are passages, links"):
        compare(small_results(), "countries", base, cku, per_km=True)
    assert json.loads(call("compare", small_folder(), "--per-km", "--json"))


def test_every_verb_that_reads_a_study_tells_all_of_its_faults_in_one_go(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(
        'name = "x"\nyears = [2023]\ncompare = "bse"\n[[scenario]]\nid = "base"\n'
        '[[scenario.measure]]\nkind = "close"\ncrossings = ["khorgoz"]\n',
        encoding="utf-8",
    )
    for words in (
        ("study", "check", file),
        ("run", file, "--out", tmp_path / "out"),
        ("power", file),
        ("appraise", file),
        ("plan", file, "--budget", "1000"),
        ("routes", "Chongqing", "Warsaw", "--with", file),
        ("stress", "--with", file),
        ("exposure", "DE", "RU", "--with", file),
    ):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert isinstance(done.exception, StudyError), (words, done.output)
        assert [fault.field for fault in done.exception.faults] == ["compare", "scenario[0].measure[0].crossings[0]"]
