"""Start the map's server on this machine."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from pathlib import Path

from landbridge.errors import LandbridgeError, OutputError

__all__ = ["WORKSPACE", "serve", "static_folder"]

#: Folder beside the results in which the server keeps its own records.
WORKSPACE = ".landbridge"
NO_MAP = (
    "the map was not built into this installation (no npm, or LANDBRIDGE_WEB=skip); the interface under /api works. "
    "To build it: cd web; npm ci; npm run build"
)


def static_folder() -> Path | None:
    """Return the folder of the built map: of the sources beside this file, else of the installed package."""
    from importlib.util import find_spec

    found = find_spec("landbridge_web")
    places = [Path(__file__).resolve().parents[4] / "web" / "dist"]
    places += [Path(each) / "static" for each in (found.submodule_search_locations or ())] if found else []
    return next((place for place in places if (place / "index.html").is_file()), None)


def _loopback(host: str, port: int) -> socket.socket:
    """A listening socket on this machine only.

    Raises
    ------
    LandbridgeError
        For an address that others could reach, or a port that is taken.
    """
    name = "127.0.0.1" if host == "localhost" else host
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise LandbridgeError(
            f"wanted an address of this machine only (127.0.0.1, ::1 or localhost), got {host!r}: the map has no "
            "login, so it is not shown to others"
        )
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((str(address), port))
        listening.listen(128)  # a page opened at once waits for the server instead of failing
    except OSError as error:
        listening.close()
        raise LandbridgeError(
            f"cannot listen on {name}:{port}: {error.strerror}; name another port by --port"
        ) from None
    return listening


def _workspace(folder: Path) -> Path | None:
    """A folder for what-ifs that can be written, or None."""
    from landbridge.study.results import MANIFEST

    home = folder.absolute()
    if (home / MANIFEST).is_file():
        home = home.parent
    place = home / WORKSPACE
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return place if os.access(place, os.W_OK) else None


def serve(folder: Path, *, host: str = "127.0.0.1", port: int = 8400, open_browser: bool = False) -> None:
    """Serve the map until it is stopped.

    Parameters
    ----------
    folder
        A results folder, or a folder that holds some.
    host, port
        Where; an address of this machine only. Port 0 takes a free one.
    open_browser
        Whether to open the page.

    Raises
    ------
    LandbridgeError
        For an address that others could reach, or a port that is taken.
    OutputError
        If the folder is not there.
    """
    if not folder.is_dir():
        raise OutputError(f"{folder}: wanted a folder with results, got {'a file' if folder.exists() else 'nothing'}")
    listening = _loopback(host, port)
    try:
        import uvicorn

        from landbridge.show.web.app import create_app
    except ModuleNotFoundError as error:
        listening.close()
        raise LandbridgeError(f"the map's server needs {error.name}: install landbridge[web]") from None

    static, workspace = static_folder(), _workspace(folder)
    if static is None:
        sys.stderr.write(f"landbridge: {NO_MAP}\n")
    if workspace is None:
        sys.stderr.write(f"landbridge: {folder}: cannot be written, so that what-ifs are not computed here\n")
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listening.getsockname()[1]}/"
    sys.stdout.write(f"The map: {address}   (Ctrl+C ends it)\n")
    sys.stdout.flush()
    if open_browser:
        import threading
        import webbrowser

        threading.Timer(1.0, webbrowser.open, [address]).start()
    app = create_app(folder, workspace=workspace, static=static)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=2, server_header=False
    )
    uvicorn.Server(config).run(sockets=[listening])
