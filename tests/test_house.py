"""The house itself: rooms, pins, public names, set-up, and what no committed file may say."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import landbridge
import run

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MODULES = ["landbridge", *(m.name for m in pkgutil.walk_packages(landbridge.__path__, "landbridge."))]
posix_only = pytest.mark.skipif(os.name == "nt", reason="the stand-in Python is a shell script")


def python(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in the project's folder."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def committed() -> list[Path]:
    """Files that are or would be committed; in an unpacked sdist, all of them."""
    if not (ROOT / ".git").exists():
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [path for name in names if name and (path := ROOT / name).is_file()]


# -------------------------------------------------------------------------------------------------------- rooms


def test_rooms_import_only_what_lies_behind_them() -> None:
    done = python("-c", run.LINTERS["lint-imports"][1], "--no-logo", "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["landbridge", "landbridge.errors", "landbridge.show.cli"])
def test_start_loads_nothing_heavy(module: str) -> None:
    heavy = ("numba", "numpy", "polars", "pydantic", "scipy")
    if module == "landbridge.show.cli":
        heavy = ("numba", "polars", "pydantic", "scipy")
    done = python("-c", f"import sys, {module}; print(sorted(sys.modules.keys() & set({heavy!r})))")
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("name", MODULES)
def test_public_names_exist_once(name: str) -> None:
    if name.endswith("__main__"):
        return
    module = importlib.import_module(name)
    names = list(getattr(module, "__all__", ()))
    assert len(names) == len(set(names))
    assert [n for n in names if not hasattr(module, n)] == []


def test_package_says_what_is_public() -> None:
    modules = {name.split(".")[1] for name in MODULES if "." in name}
    beside = {n for n in vars(landbridge) if not n.startswith("_")} - modules - {"annotations", "TYPE_CHECKING"}
    assert beside <= set(landbridge.__all__), "a public name is missing from __all__"
    assert "__version__" in landbridge.__all__


# --------------------------------------------------------------------------------------------------------- pins


def pins() -> list[str]:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_pip_and_uv_are_given_the_same_pins() -> None:
    assert pins() == PYPROJECT["tool"]["uv"]["constraint-dependencies"], "run tools/pins.py"


def test_every_pin_is_exact_and_fits_what_is_asked_for() -> None:
    pinned: dict[str, list[Requirement]] = {}
    for pin in map(Requirement, pins()):
        assert [s.operator for s in pin.specifier] == ["=="], pin
        assert pin.url is None
        pinned.setdefault(canonicalize_name(pin.name), []).append(pin)
    project = PYPROJECT["project"]
    for wanted in map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["test"]]):
        found = pinned.get(canonicalize_name(wanted.name), [])
        assert found, f"{wanted.name} is not pinned: run tools/pins.py"
        for pin in found:
            assert wanted.specifier.contains(next(iter(pin.specifier)).version), f"{pin} is not {wanted}"


# ------------------------------------------------------------------------------------------------------ the wheel


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel holds, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    done = python("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_the_atlas_and_the_licences(unpacked: Path) -> None:
    source, package = ROOT / "src" / "landbridge", unpacked / "landbridge"
    wanted = {path.relative_to(source) for path in committed() if path.is_relative_to(source)}
    held = {path.relative_to(package) for path in package.rglob("*") if path.is_file()}
    assert Path("py.typed") in held
    assert {Path("atlas/places.csv"), Path("atlas/links.geojson"), Path("atlas/LICENSE")} <= held
    assert held == wanted
    (licences,) = unpacked.glob("*.dist-info/licenses")
    for name in PYPROJECT["project"]["license-files"]:
        assert (licences / name).read_text(encoding="utf-8").strip(), f"{name} is empty"


def test_the_wheel_runs_away_from_the_sources(unpacked: Path, tmp_path: Path) -> None:
    code = "import landbridge; print(landbridge.__file__); from landbridge.show.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    words = [sys.executable, "-c", code, "--version"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[0]).is_relative_to(unpacked)
    assert landbridge.__version__ in done.stdout


# ------------------------------------------------------------------------------------------- what files may say

# Put together here, so that this file does not say what it looks for.
HOSTS = ["py" + "pi.org", "python" + "hosted.org", "registry.npm" + "js.org", "registry.yarn" + "pkg.com"]
HOSTS += ["deb." + "debian.org", "crates" + ".io", "proxy.go" + "lang.org"]
MACHINE_PATH = r"(?<![\w./~$}])/(?:ho" + r"me|ro" + r"ot|wo" + r"rk|Us" + r"ers)/\w"
FORBIDDEN = re.compile("|".join([*map(re.escape, HOSTS), MACHINE_PATH]))


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    found = []
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # no text
        found += [
            f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, hit.start()) + 1}: {hit.group()}"
            for hit in FORBIDDEN.finditer(text)
        ]
    assert found == []


@pytest.mark.parametrize("text", ["https://" + HOSTS[0] + "/simple", "see /ro" + "ot/x", '"/wo' + 'rk/main"'])
def test_the_search_finds(text: str) -> None:
    assert FORBIDDEN.search(text)


@pytest.mark.parametrize("text", ["https://a.org/ho" + "me/x", "~/wo" + "rk/x", "net/wo" + "rk/x", "/api/x"])
def test_the_search_lets_pass(text: str) -> None:
    assert not FORBIDDEN.search(text)


def test_changelog_tells_of_this_version() -> None:
    assert f"## [{landbridge.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_commands_in_the_documents_exist(document: str) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    text = "\n".join(blocks)
    assert text
    verbs = set(re.findall(r"^(?:uv run )?landbridge ([a-z]+)", text, re.MULTILINE))
    verbs |= set(re.findall(r"^python3 run\.py ([a-z]+)", text, re.MULTILINE)) - {"test"}
    told = python("-m", "landbridge", "--help", COLUMNS="200", NO_COLOR="1")
    assert told.returncode == 0, told.stderr
    assert sorted(verb for verb in verbs if not re.search(rf"\b{verb}\b", told.stdout)) == []


# ------------------------------------------------------------------------------------------------------- run.py


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished environment whose Python only prints the words it is given; the word `fail` makes it fail."""
    folder = tmp_path / "env"
    packages = folder / "lib" / "python3.99" / "site-packages"
    packages.mkdir(parents=True)
    monkeypatch.setattr(run, "HOME", folder)
    executable = Path(run.python())
    executable.parent.mkdir(parents=True, exist_ok=True)
    executable.write_text('#!/bin/sh\necho "$@"\ncase "$*" in *fail*) exit 3;; esac\n', encoding="utf-8")
    executable.chmod(0o755)
    ready(extras=[])
    return folder


def ready(*, extras: list[str]) -> None:
    run.write_state(ready=True, fingerprint=run.fingerprint(), extras=extras, packages=run.packages_changed())


@posix_only
@pytest.mark.parametrize("words", [["--help"], ["routes", "Xi'an", "Duisburg", "--avoid", "RU"], ["run", "fail"]])
def test_other_words_are_handed_over_as_they_are(home: Path, words: list[str]) -> None:
    done = python("run.py", *words, LANDBRIDGE_VENV=str(home))
    assert done.stdout.split() == ["-m", "landbridge", *words], done.stderr
    assert done.returncode == (3 if "fail" in words else 0)


@posix_only
def test_without_words_the_study_runs_then_its_tables_then_the_report(home: Path) -> None:
    done = python("run.py", LANDBRIDGE_VENV=str(home))
    started = [line.split()[2:] for line in done.stdout.splitlines() if line.startswith("-m landbridge")]
    assert started == [list(command) for command in run.DEMO], done.stderr
    assert [command[0] for command in started] == ["run", "passages", "report"]


@posix_only
@pytest.mark.usefixtures("home")
def test_a_failing_step_ends_the_run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(run, "DEMO", (("run", "fail"), ("report", "x")))
    assert run.main([]) == 3
    assert "report" not in capfd.readouterr().out


def test_an_environment_is_used_only_when_nothing_changed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run.is_ready([])
    assert not run.is_ready(["test"])
    ready(extras=["test"])
    assert run.is_ready(["test"])
    assert run.is_ready([])

    (home / "pyvenv.cfg").write_text("version = 3.99\n", encoding="utf-8")
    assert not run.is_ready([]), "another Python"
    ready(extras=[])
    os.utime(home / "lib" / "python3.99" / "site-packages", (1, 1))
    assert not run.is_ready([]), "another tool installed something"
    ready(extras=[])
    run.write_state(ready=False)
    assert not run.is_ready([]), "cut short"
    (home / "landbridge.json").write_text('{"ready": tr', encoding="utf-8")
    assert not run.is_ready([]), "half a file"
    ready(extras=[])
    monkeypatch.setattr(run, "ROOT", home)
    assert not run.is_ready([]), "the project was moved"


def test_a_set_up_that_was_cut_short_is_made_anew(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    def attempt(command: list[str], *, final: bool = True) -> bool:
        steps.append(command[1])
        assert json.loads((home / "landbridge.json").read_text(encoding="utf-8")) == {"ready": False}
        return True

    monkeypatch.setattr(run, "attempt", attempt)
    monkeypatch.setattr(run, "make_environment", lambda *, with_pip: steps.append("anew"))
    run.prepare(["test"])
    assert "anew" not in steps
    assert run.is_ready(["test"])
    run.write_state(ready=False)
    run.prepare([])
    assert "anew" in steps
    assert run.is_ready([])


@posix_only
def test_two_starts_at_once_take_turns(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with run.alone(lock), lock.open("a") as second:
        assert not run.grab(second.fileno())
    with run.alone(lock):
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = python("run.py", "--help", LANDBRIDGE_VENV=str(tmp_path / "file" / "env"))
    assert done.returncode == 1
    assert done.stderr.startswith("run.py: the environment could not be written")
    assert "Traceback" not in done.stderr


def test_compiled_code_is_kept_where_it_can_be_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment: dict[str, str] = {}
    monkeypatch.setattr(run.os, "environ", environment)
    run.keep_compiled_code_writable()
    assert environment == {}
    monkeypatch.setattr(run.os, "access", lambda path, mode: path == home)
    run.keep_compiled_code_writable()
    assert Path(environment["NUMBA_CACHE_DIR"]).parent == home


@pytest.mark.parametrize(
    ("output", "meaning"),
    [
        ("WARNING: NewConnectionError('...: Failed to establish a new connection')", "no package registry answered"),
        ("error: dns error: failed to lookup address information", "no package registry answered"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("something else", "the installer failed"),
    ],
)
def test_a_failed_set_up_says_why(output: str, meaning: str) -> None:
    text = run.explain("line\n" * 30 + output)
    assert f"set-up stopped: {meaning}" in text
    assert f"  | {output}" in text
    assert len(text.splitlines()) == 13


# --------------------------------------------------------------------------------------- the rule of conftest.py


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", "1 failed, 1 passed, 1 xfailed, 2 errors"), ("", "1 passed, 3 skipped, 1 xfailed")]
)
def test_under_ci_a_left_out_test_is_a_failure(tmp_path: Path, ci: str, outcome: str) -> None:
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "def test_runs(): pass\n"
        "def test_skips(): pytest.skip('no reason')\n"
        "@pytest.mark.skip\n"
        "def test_marked(): pass\n"
        "@pytest.fixture\n"
        "def thing(): pytest.skip('not here')\n"
        "def test_needs(thing): pass\n"
        "@pytest.mark.xfail\n"
        "def test_expected(): assert False\n",
        encoding="utf-8",
    )
    search = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    options = ["-c", os.devnull, "--rootdir", str(tmp_path), "-p", "conftest", "-p", "no:cacheprovider"]
    done = python("-m", "pytest", *options, str(tmp_path), CI=ci, PYTHONPATH=search)
    assert outcome in done.stdout.splitlines()[-1], done.stdout + done.stderr
    assert done.returncode == (1 if ci else 0)
