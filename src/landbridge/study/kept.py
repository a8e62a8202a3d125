"""What has been computed, kept in a folder by the hash of what it depends on.

    ab/ab12...      one result: a line with the SHA-256 of the rest, then the rest
    lock            held by the run that works here

A result is there whole or not at all: it is written beside its place, forced to the disk and moved there. One that was
cut short or changed is not there either, since its first line no longer fits; it is computed again. Results are
pickles, which run code when they are read: a folder of work is as trusted as a program, and is not for handing on.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from landbridge.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows: two runs in one folder do each other no harm, they only compute things twice
    fcntl = None  # type: ignore[assignment]

__all__ = ["Kept", "replace_file", "sync_folder"]

#: Bytes of the first line.
HEAD = 65


class Kept:
    """A folder of finished results.

    Parameters
    ----------
    folder
        Made when the first result is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Return where a result stands or would stand."""
        return self.folder / key[:2] / key

    def get(self, key: str) -> bytes | None:
        """Return a result, or None where there is none that is whole."""
        try:
            raw = self.path(key).read_bytes()
        except OSError:
            return None
        content = raw[HEAD:]
        whole = raw[:HEAD] == hashlib.sha256(content).hexdigest().encode() + b"\n"
        return content if whole else None

    def put(self, key: str, content: bytes) -> None:
        """Keep a result; once this returns it outlives the process.

        Raises
        ------
        OutputError
            If it cannot be written; nothing half-written stays.
        """
        head = hashlib.sha256(content).hexdigest().encode() + b"\n"
        replace_file(self.path(key), head + content)

    def clear(self) -> None:
        """Forget everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder against other runs.

        Raises
        ------
        OutputError
            If another run works there, or it cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("w")
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be made: {error.strerror}") from error
        with lock:
            if fcntl is not None:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    raise OutputError(f"{self.folder}: another run is working there") from None
            try:
                yield
            finally:  # a folder in which nothing is kept leaves no trace
                if not any(path.name != "lock" for path in self.folder.iterdir()):
                    self.clear()


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or as it was before, whatever happens on the way.

    Parameters
    ----------
    path
        Where; its folder is made.
    content
        Its bytes.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Force a folder's list of files to the disk, where the system can do that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
