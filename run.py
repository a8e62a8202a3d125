#!/usr/bin/env python3
"""Set Landbridge up and run it, with nothing but Python 3.11 or newer.

    python3 run.py              run the CKU study, print the passages, write the report, show the map
    python3 run.py test [...]   get a browser, run the linters, then pytest with the words that follow
    python3 run.py VERB [...]   hand the words to ``landbridge``; --help lists the verbs

The first start makes the environment .venv beside this file and installs the pinned dependencies of constraints.txt;
later starts see that nothing changed and hand over at once. Changing Python files needs no new installation.

The map is built with npm at set-up; without npm, or with LANDBRIDGE_WEB=skip, everything else works.

LANDBRIDGE_VENV names another folder for the environment, for when this one cannot be written.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036  (older Pythons do get here, and deserve a sentence)
    sys.exit(f"Landbridge needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try: python3.11 run.py")

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HOME = Path(os.environ.get("LANDBRIDGE_VENV") or ROOT / ".venv").absolute()
CI = os.environ.get("CI", "").lower() == "true"

RESULTS = "results/cku"
DEMO = (("run", "examples/cku.toml", "--out", RESULTS), ("passages", RESULTS), ("report", RESULTS))
LINTERS = {
    "ruff check": ["-m", "ruff", "check", "."],
    "ruff format": ["-m", "ruff", "format", "--check", "."],
    "mypy": ["-m", "mypy"],
    "lint-imports": ["-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-logo"],
}
UNREACHABLE = re.compile(
    r"ConnectionError|ConnectTimeout|Failed to establish|Connection refused|Network is unreachable|name resolution"
    r"|error sending request|dns error|No matching distribution found"
)


def main(words: Sequence[str]) -> int:
    """Make the environment ready and hand the words over."""
    testing = words[:1] == ["test"]
    prepare(["test", "web"] if testing else ["web"])
    if testing or not words or words[0] == "serve":
        from tools import web_assets  # noqa: PLC0415  (only the map needs it)

        web_assets.ensure(ROOT, say)
    keep_compiled_code_writable()
    if testing:
        return test(list(words[1:]))
    if words:
        return hand_over(["-m", "landbridge", *words])
    for command in DEMO:
        print(f"\n$ landbridge {' '.join(command)}", flush=True)
        if code := subprocess.run([python(), "-m", "landbridge", *command], cwd=ROOT, check=False).returncode:
            return code
    if CI or not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("\nTo see it on the map: python3 run.py serve", flush=True)
        return 0
    print("\n$ landbridge serve --open", flush=True)
    return hand_over(["-m", "landbridge", "serve", "--open"])


def test(words: list[str]) -> int:
    """Run everything that CI runs; pytest's own summary comes last."""
    from tools import browser  # noqa: PLC0415  (only the tests need it)

    if found := browser.ensure(HOME / "browser", say):
        os.environ[browser.VARIABLE] = str(found)
    elif CI:
        sys.exit("run.py: no browser could be had, and CI leaves no test out")
    else:
        say("no browser could be had: the browser tests will be left out")
    failed = []
    for name, command in LINTERS.items():
        print(f"$ {name}", flush=True)
        if subprocess.run([python(), *command], cwd=ROOT, check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"run.py: {', '.join(failed)} found faults (above); the tests were not started")
    os.chdir(ROOT)
    everything = ["-n", "auto", "--dist", "loadfile"]  # on all cores, a file's tests together
    return hand_over(["-m", "pytest", *(words or everything)])


def hand_over(command: list[str]) -> int:
    """Become the environment's Python where the system can do that, else wait for it."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(python(), [python(), *command])  # noqa: S606  (no shell is meant)
    return subprocess.run([python(), *command], check=False).returncode


def python() -> str:
    """The environment's own Python."""
    return str(HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def say(text: str) -> None:
    """Tell what set-up does, apart from what commands print."""
    print(f"run.py: {text}", file=sys.stderr, flush=True)


# ---------------------------------------------------------------------------------------------- the environment


def prepare(extras: list[str]) -> None:
    """Make sure that the environment holds what is wanted; one process at a time does the work."""
    if is_ready(extras):
        return
    try:
        HOME.parent.mkdir(parents=True, exist_ok=True)
        with alone(HOME.with_name(f"{HOME.name}.lock")):
            if not is_ready(extras):
                install(extras)
    except PermissionError as error:
        sys.exit(f"run.py: cannot write {error.filename}: use a folder of your own, or name one in LANDBRIDGE_VENV")
    except OSError as error:
        sys.exit(f"run.py: the environment could not be written to {HOME}: {error}")


def fingerprint() -> str:
    """Changes when an installation would come out otherwise: other pins, another Python, a folder that was moved."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in (ROOT / "pyproject.toml", ROOT / "constraints.txt", HOME / "pyvenv.cfg"):
        digest.update(path.read_bytes() if path.is_file() else b"-")
    return digest.hexdigest()


def packages_changed() -> int:
    """When a package was last added or removed, by us or by another tool."""
    folders = [HOME / "Lib" / "site-packages", *HOME.glob("lib/python3*/site-packages")]
    return max((path.stat().st_mtime_ns for path in folders if path.is_dir()), default=0)


def read_state() -> dict[str, object]:
    """What the last set-up wrote down; nothing when there was none."""
    try:
        state = json.loads((HOME / "landbridge.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def write_state(**state: object) -> None:
    """Write the state in one step, so that no reader meets half of it."""
    new = HOME / "landbridge.json.new"
    new.write_text(json.dumps(state), encoding="utf-8")
    new.replace(HOME / "landbridge.json")


def is_ready(extras: list[str]) -> bool:
    """Whether a finished set-up holds these extras and nothing has changed since."""
    state = read_state()
    wanted = {"ready": True, "fingerprint": fingerprint(), "packages": packages_changed()}
    had = state.get("extras")
    same = all(state.get(key) == value for key, value in wanted.items())
    return same and isinstance(had, list) and set(extras) <= set(had) and Path(python()).is_file()


def install(extras: list[str]) -> None:
    """Make the environment and install into it; it counts as ready only when all of it went well."""
    start, state = time.monotonic(), read_state()
    # A set-up that was cut short may have left half a package behind, which no installer sees.
    spoilt = state.get("ready") is False or not Path(python()).is_file()
    had = state.get("extras")
    extras = sorted({*extras, *(had if isinstance(had, list) and not spoilt else [])})
    say(f"setting up {HOME} (the first time this takes a minute or so)")
    uv = shutil.which("uv")
    if spoilt:
        if HOME.is_dir() and any(HOME.iterdir()) and not (HOME / "pyvenv.cfg").is_file() and not state:
            sys.exit(f"run.py: {HOME} is no Python environment; remove it or name another in LANDBRIDGE_VENV")
        make_environment(with_pip=uv is None)
    write_state(ready=False)
    target = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    what = ["-c", str(ROOT / "constraints.txt"), "-e", target]
    if uv is None or not attempt([uv, "pip", "install", "-q", "--python", python(), *what], final=False):
        if not attempt([python(), "-m", "pip", "--version"], final=False):
            attempt([python(), "-m", "ensurepip", "--default-pip"])
        attempt([python(), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input", *what])
    write_state(ready=True, fingerprint=fingerprint(), extras=extras, packages=packages_changed())
    say(f"ready after {time.monotonic() - start:.0f} s")


def make_environment(*, with_pip: bool) -> None:
    """Make an empty environment in place of what is there."""
    try:
        venv.create(HOME, clear=True, with_pip=with_pip, symlinks=os.name != "nt")
    except (subprocess.CalledProcessError, ModuleNotFoundError):
        sys.exit("run.py: this Python cannot make environments; on Debian and Ubuntu: apt-get install python3-venv")


def attempt(command: list[str], *, final: bool = True) -> bool:
    """Run a step of the set-up in silence; when a final one fails, say why and stop."""
    # The installer shares the lock: if this process is killed, the next start still waits for the installer's end.
    # The map is built by itself, beside its sources, so that a fault of npm stops nothing.
    apart = {**os.environ, "LANDBRIDGE_WEB": "skip"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, close_fds=False, env=apart
    )
    if done.returncode and final:
        sys.exit(explain(done.stdout + done.stderr))
    return done.returncode == 0


def explain(output: str) -> str:
    """Say what an installer's output means, with its last lines."""
    tail = "\n".join(f"  | {line}" for line in output.strip().splitlines()[-12:])
    if UNREACHABLE.search(output):
        why = "no package registry answered, or it lacks a pinned package: check the network, HTTPS_PROXY, pip's index"
    elif "No space left" in output:
        why = "the disk is full (about 900 MB are needed)"
    else:
        why = "the installer failed"
    return f"{tail}\nrun.py: set-up stopped: {why}. Nothing is half-used: the next start makes it anew."


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock file, so that two starts at once do not install into each other; a dead process frees it."""
    with path.open("a") as file:
        os.set_inheritable(file.fileno(), True)
        told = False
        while not grab(file.fileno()):
            if not told:
                say("another start is setting up; waiting for it")
                told = True
            time.sleep(0.2)
        yield


def grab(descriptor: int) -> bool:
    """Take the lock if it is free."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415  (exists on this system only)

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def keep_compiled_code_writable() -> None:
    """Numba keeps compiled code beside the sources; where they are read-only, beside the environment or in temp."""
    if "NUMBA_CACHE_DIR" in os.environ or os.access(ROOT / "src" / "landbridge", os.W_OK):
        return
    own = HOME if os.access(HOME, os.W_OK) else Path(tempfile.gettempdir())
    os.environ["NUMBA_CACHE_DIR"] = str(own / f"landbridge-numba-{os.environ.get('USER', 'user')}")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
