"""Results folders: whole or not at all, never over somebody else's folder, and read back as written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import polars as pl
import pytest
from typer.testing import CliRunner

from landbridge.errors import OutputError, UnknownName
from landbridge.show.cli import app
from landbridge.study import results as room
from landbridge.study.files import fingerprint, read_study
from landbridge.study.results import MANIFEST, check_output, read_results, write_results
from landbridge.study.tabulate import TABLES
from small_run import small_folder, small_results, small_tables

MANIFEST_TEXT: dict[str, Any] = {
    "study": {"name": "T", "years": [2023], "compare": "a", "scenarios": [{"id": "a"}, {"id": "b"}]},
    "tables": {"flows": "numbers"},
}
TABLE = pl.DataFrame({"scenario": ["a", "b"], "year": [2023, 2023], "tonnes": [1.5, None], "name": ["Xi'an", "Ürümqi"]})


def write(folder: Path, note: str = "first", frame: pl.DataFrame = TABLE) -> None:
    write_results(folder, {**MANIFEST_TEXT, "note": note}, {"flows": frame}, f"# {note}\n")


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# ------------------------------------------------------------------------------------------------- there and back


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write(tmp_path / "deep" / "er")
    read = read_results(tmp_path / "deep" / "er")
    assert read["flows"].equals(TABLE)
    assert read.manifest["note"] == "first"
    assert (read.scenarios, read.years) == (["a", "b"], [2023])
    assert read.of("flows", "b", 2023).to_dicts() == [{"tonnes": None, "name": "Ürümqi"}]
    assert (tmp_path / "deep" / "er" / "study.toml").read_text(encoding="utf-8") == "# first\n"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["er"]


def test_names_that_are_not_there_are_told(tmp_path: Path) -> None:
    write(tmp_path / "r")
    read = read_results(tmp_path / "r")
    with pytest.raises(UnknownName, match="did you mean flows"):
        read["flow"]
    with pytest.raises(UnknownName, match="scenario 'c'"):
        read.of("flows", "c", 2023)
    with pytest.raises(UnknownName, match="year '2024'"):
        read.of("flows", "a", 2024)


def test_new_results_replace_old_ones_wholly(tmp_path: Path) -> None:
    write(tmp_path / "r")
    write_results(tmp_path / "r", {**MANIFEST_TEXT, "tables": {"other": ""}}, {"other": TABLE}, "")
    assert list(read_results(tmp_path / "r").tables) == ["other"]
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    write(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    write(tmp_path / "link", "second")
    assert (tmp_path / "link").is_symlink()
    assert read_results(tmp_path / "real").manifest["note"] == "second"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "real"]


# ------------------------------------------------------------------------------------------ what is left alone


def test_foreign_folders_and_files_are_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "mine"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work", encoding="utf-8")
    (tmp_path / "file").write_text("", encoding="utf-8")
    before = content(tmp_path)
    for folder, told in (
        (foreign, "not a results folder; it is left alone"),
        (tmp_path / "file", "got a file"),
        (tmp_path / "file" / "below", "cannot be made, for .*file is a file"),
        (tmp_path / "file" / "far" / "below", "cannot be made, for .*file is a file"),
    ):
        with pytest.raises(OutputError, match=told):
            check_output(folder)
        with pytest.raises(OutputError, match=told):
            write(folder)
    assert content(tmp_path) == before


def test_empty_folders_and_new_ones_are_free(tmp_path: Path) -> None:
    check_output(tmp_path / "a" / "b", free=True)
    (tmp_path / "empty").mkdir()
    check_output(tmp_path / "empty", free=True)
    write(tmp_path / "empty")
    check_output(tmp_path / "empty")
    with pytest.raises(OutputError, match="there already"):
        check_output(tmp_path / "empty", free=True)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (MANIFEST, None, "not a results folder"),
        (MANIFEST, "{", "could not be read"),
        (MANIFEST, '{"format": 0}', "wanted results of format 1, got 0"),
        ("tables/flows.parquet", None, r"flows\.parquet: missing"),
        ("tables/flows.parquet", "no parquet", "could not be read"),
    ],
)
def test_broken_folders_are_told(tmp_path: Path, name: str, text: str | None, told: str) -> None:
    write(tmp_path / "r")
    path = tmp_path / "r" / name
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(OutputError, match=told):
        read_results(tmp_path / "r")


# ----------------------------------------------------------------------------------------- a failure on the way


def stop(error: BaseException, after: int = 0) -> Any:
    """A stand-in that fails, at once or after it was called a number of times."""
    calls = [0]
    rename = Path.rename

    def fail(*words: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == after + 1:
            raise error
        return rename(*words, **named)

    return fail


FAILURES = [OSError(28, "No space left on device"), pl.exceptions.ComputeError("disk"), KeyboardInterrupt()]


@pytest.mark.parametrize("error", FAILURES, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("where", ["parquet", "study", "manifest", "first move", "second move"])
def test_a_failure_leaves_the_old_results_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, error: BaseException
) -> None:
    write(tmp_path / "r")
    before = content(tmp_path)
    if where == "parquet":
        monkeypatch.setattr(pl.DataFrame, "write_parquet", stop(error))
    elif where == "study":
        monkeypatch.setattr(Path, "write_text", stop(error))
    elif where == "manifest":
        monkeypatch.setattr(room.json, "dumps", stop(error))
    else:
        monkeypatch.setattr(Path, "rename", stop(error, after=0 if where == "first move" else 1))
    wanted = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else OutputError
    with pytest.raises(wanted):
        write(tmp_path / "r", "second")
    monkeypatch.undo()
    assert content(tmp_path) == before
    assert read_results(tmp_path / "r").manifest["note"] == "first"


@pytest.mark.parametrize("error", FAILURES, ids=lambda e: type(e).__name__)
def test_a_failure_leaves_nothing_where_nothing_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setattr(Path, "rename", stop(error))
    with pytest.raises((OutputError, KeyboardInterrupt)):
        write(tmp_path / "deep" / "er" / "r")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_cut_short_is_an_error_or_whole(tmp_path: Path) -> None:
    """Every file of a real folder at several lengths: either its tables are read as they were, or the file is named."""
    whole = read_results(small_folder())
    shutil.copytree(small_folder(), tmp_path / "r")
    told: list[str] = []
    for path in sorted(p for p in (tmp_path / "r").rglob("*") if p.is_file()):
        raw = path.read_bytes()
        for length in sorted({0, 1, len(raw) // 2, len(raw) - 9, len(raw) - 1}):
            path.write_bytes(raw[: max(length, 0)])
            try:
                read = read_results(tmp_path / "r")
            except OutputError as error:
                told.append(f"{path.name} in {error}" if path.name in str(error) else f"not named: {error}")
            else:
                assert path.suffix != ".parquet", f"{path.name} cut at {length} of {len(raw)} was read"
                assert read.manifest == whole.manifest
                assert all(read[name].equals(frame) for name, frame in whole.tables.items())
        path.write_bytes(raw)
    assert len(told) >= 5 * len(whole.tables)
    assert all(str(tmp_path / "r") in text for text in told)
    assert [text for text in told if text.startswith("not named")] == []


def test_all_tables_that_are_not_whole_are_told_at_once(tmp_path: Path) -> None:
    shutil.copytree(small_folder(), tmp_path / "r")
    (tmp_path / "r" / "tables" / "links.parquet").unlink()
    (tmp_path / "r" / "tables" / "totals.parquet").write_bytes(b"")
    with pytest.raises(OutputError, match=r"2 of \d+ tables are not whole") as caught:
        read_results(tmp_path / "r")
    assert "links.parquet: missing" in str(caught.value)
    assert "totals.parquet: could not be read" in str(caught.value)
    path = tmp_path / "r" / MANIFEST
    for text, wanted in (('["a"]', "wanted an object, got list"), ('{"format": 1}', "wanted the study that was run")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(OutputError, match=wanted) as caught:
            read_results(tmp_path / "r")
        assert MANIFEST in str(caught.value)


#: Verbs that read a results folder, with what they want beside it.
READERS: dict[str, list[str]] = {
    "passages": [],
    "compare": [],
    "crossing": ["khorgos-altynkol"],
    "targets": [],
    "select": ["--crossing", "khorgos-altynkol"],
    "export": ["--format", "csv"],
    "report": [],
    "rerun": [],
}


@pytest.mark.parametrize("cut", [MANIFEST, "tables/crossings.parquet"])
def test_every_verb_names_the_file_that_was_cut_short(tmp_path: Path, cut: str) -> None:
    shutil.copytree(small_folder(), tmp_path / "r")
    path = tmp_path / "r" / cut
    path.write_bytes(path.read_bytes()[:-9])
    for verb, words in READERS.items():
        out = {"export": ["--out", str(tmp_path / "e")], "report": ["--out", str(tmp_path / "r.html")]}.get(verb, [])
        done = CliRunner().invoke(app, [verb, str(tmp_path / "r"), *words, *out])
        assert isinstance(done.exception, OutputError), f"{verb}: {done.output}"
        assert path.name in str(done.exception), f"{verb}: {done.exception}"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r"], "nothing was written"


#: What is run where the disk is full: a whole run with results of before in place.
ON_A_FULL_DISK = """\
import sys
from pathlib import Path
import polars as pl
from landbridge.errors import OutputError
from landbridge.study.results import read_results, write_results
folder = Path(sys.argv[1]) / "r"
told = {"study": {"name": "T", "years": [1], "compare": "a", "scenarios": [{"id": "a"}]}, "tables": {"flows": ""}}
frame = pl.DataFrame({"scenario": ["a"] * 8, "year": [1] * 8, "v": [float(i) for i in range(8)]})
write_results(folder, {**told, "note": "first"}, {"flows": frame}, "")
if sys.argv[2] == "limit":  # no disk of its own could be had: no file may be larger than this instead
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
big = pl.DataFrame({"scenario": ["a"] * 200_000, "year": [1] * 200_000, "v": pl.Series(range(200_000)).hash(7)})
try:
    write_results(folder, {**told, "note": "second"}, {"flows": big}, "")
except OutputError as error:
    print("refused:", error)
else:
    print("written")
kept = read_results(folder)
assert kept.manifest["note"] == "first" and kept["flows"].equals(frame)
print([path.name for path in sorted(Path(sys.argv[1]).iterdir())])
"""


@pytest.mark.skipif(os.name == "nt", reason="no tmpfs there")
def test_a_full_disk_is_told_and_leaves_the_old_results(tmp_path: Path) -> None:
    """On a tmpfs of half a megabyte where one can be mounted, in a namespace of its own; else with a limit on files."""
    code, disk = tmp_path / "code.py", tmp_path / "disk"
    code.write_text(ON_A_FULL_DISK, encoding="utf-8")
    disk.mkdir()
    python = [sys.executable, str(code), str(disk)]
    mounted = [
        "unshare",
        "-rm",
        "sh",
        "-c",
        'mount -t tmpfs -o size=512k tmpfs "$1" && shift && exec "$@"',
        "sh",
        str(disk),
    ]
    can = (
        shutil.which("unshare") and not subprocess.run([*mounted, "true"], check=False, capture_output=True).returncode
    )
    call = [*mounted, *python, "disk"] if can else [*python, "limit"]
    done = subprocess.run(call, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    refused, left = done.stdout.splitlines()
    assert refused.startswith("refused:")
    assert "could not be written" in refused
    assert left == "['r']", "nothing half stays behind"


def test_results_are_on_the_disk_before_they_take_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forced: list[tuple[int, int]] = []
    moved: list[int] = []
    fsync, rename = os.fsync, Path.rename

    def force(handle: int) -> None:
        forced.append((os.fstat(handle).st_ino, len(moved)))
        fsync(handle)

    def move(self: Path, target: Path) -> Path:
        moved.append(1)
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", force)
    monkeypatch.setattr(Path, "rename", move)
    write(tmp_path / "r")
    before = {inode for inode, moves in forced if moves == 0}
    files = [path for path in (tmp_path / "r").rglob("*") if path.is_file()]
    assert len(files) == 3
    assert {path.stat().st_ino for path in [*files, tmp_path / "r", tmp_path / "r" / "tables"]} <= before
    assert (tmp_path.stat().st_ino, 1) in forced, "and the place itself after the move"


def test_numbers_that_json_does_not_know_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_results(tmp_path / "r", {**MANIFEST_TEXT, "gap": float("nan")}, {"flows": TABLE}, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_after_an_interrupt_from_the_keyboard_resume_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import os, signal, time\n"
        "from landbridge.study import results\n"
        "from landbridge.show.cli import main\n"
        "def hit(*_):\n"
        f"    os.kill(os.getpid(), {signal.SIGINT.value})\n"
        "    time.sleep(30)\n"
        "results._put = hit\n"
        "main()\n"
    )
    study = small_folder().parent / "small.toml"
    words = [sys.executable, "-c", script, "run", str(study), "--out", str(tmp_path / "a" / "b"), "--quiet"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert "2 of 2 tasks are finished and kept: --resume goes on from there" in done.stderr
    assert [path.name for path in (tmp_path / "a").iterdir()] == [".b.work"]
    from landbridge.study import run

    monkeypatch.setattr(run, "solve", never)
    found = run.run_study(read_study(study), small_tables(), tmp_path / "a" / "b", resume=True)
    assert found.manifest["content"] == small_results().manifest["content"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


# ------------------------------------------------------------------------------------------------- a real run


def test_manifest_says_what_was_solved_from_what() -> None:
    results = small_results()
    manifest = json.loads((small_folder() / MANIFEST).read_text(encoding="utf-8"))
    study = read_study(small_folder() / "study.toml")
    package = small_tables().package
    assert package is not None
    assert manifest["atlas"]["content_hash"] == package.content_hash
    assert manifest["study"]["fingerprint"] == fingerprint(study)
    assert manifest["study"]["held_projects"] == ["cku"]
    assert manifest["study"]["scenarios"][1]["measures"][0]["project"] == "cku"
    assert manifest["settings"]["size"] == "reduced"
    assert [(s["scenario"], s["year"]) for s in manifest["solved"]] == [("base", 2023), ("cku", 2023)]
    assert all(s["status"] == "converged" and s["relative_gap"] <= study.gap for s in manifest["solved"])
    assert set(manifest["tables"]) == set(results.tables)
    assert set(TABLES) <= set(results.tables)
    assert str(small_folder().parent) not in json.dumps(manifest), "a path of this machine"


def test_tables_of_a_run_agree_with_each_other() -> None:
    results = small_results()
    for scenario in results.scenarios:
        whole = results.of("totals", scenario, 2023).row(0, named=True)
        relations = results.of("relations", scenario, 2023)
        assert relations["land_tonnes"].sum() == pytest.approx(whole["land_tonnes"], rel=1e-9)
        assert relations["outside_tonnes"].sum() == pytest.approx(whole["outside_tonnes"], rel=1e-9)
        passages = results.of("passage_flows", scenario, 2023)
        loaded = passages.filter(pl.col("commodity") != "empty_box")
        assert loaded["tonnes"].sum() == pytest.approx(whole["land_tonnes"], rel=1e-9)
        crossings = results.of("crossings", scenario, 2023).select("crossing", "direction", "tonnes")
        flows = (
            results.of("crossing_flows", scenario, 2023).group_by("crossing", "direction").agg(pl.col("tonnes").sum())
        )
        both = crossings.join(flows, on=["crossing", "direction"], how="left").fill_null(0)
        assert both["tonnes"].to_list() == pytest.approx(both["tonnes_right"].to_list(), rel=1e-9, abs=1e-6)


def never(*_: Any, **__: Any) -> NoReturn:
    raise AssertionError("computed although the folder cannot be written")


def test_an_unwritable_folder_is_told_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from landbridge.study import run

    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setattr(run, "solve", never)
    with pytest.raises(OutputError):
        run.run_study(read_study(small_folder() / "study.toml"), small_tables(), tmp_path / "file")
