"""What has been computed, kept in a folder by the hash of what it depends on.

    ab/ab12...      one result: a line with the SHA-256 of the rest, then the rest
    lock            held by the run that works here
    shared.PID      what all tasks share, for the processes of a run; held by it, and gone with it

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
from typing import IO

from landbridge.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows: two runs in one folder do each other no harm, they only compute things twice
    fcntl = None  # type: ignore[assignment]

__all__ = ["LOCK", "Kept", "Lent", "abandoned", "keeping", "replace_file", "sync_folder", "work_folder"]

#: Bytes of the first line.
HEAD = 65

#: How the names of lent files begin.
LENT = "shared."
#: The file by which a run holds its folder.
LOCK = "lock"


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

    def tidy(self) -> None:
        """Take away what processes that were killed have left: files lent by them, and drafts of results."""
        for path in self.folder.glob(f"{LENT}*"):
            if abandoned(path):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        for path in (*self.folder.glob(".*.part"), *self.folder.glob("??/.*.part")):
            process = path.name.split(".")[-2]
            if process.isdigit() and not _lives(int(process)):
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    @contextmanager
    def held(self, *, anew: bool = False) -> Iterator[None]:
        """Hold the folder against other runs.

        Parameters
        ----------
        anew
            Whether to forget what earlier runs have kept there; what a run at work keeps is never touched.

        Raises
        ------
        OutputError
            If another run works there, or it cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / LOCK).open("w")
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be made: {error.strerror}") from error
        with lock:
            if fcntl is not None:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    raise OutputError(f"{self.folder}: another run is working there") from None
            if anew:
                for path in self.folder.iterdir():
                    if path.is_dir():
                        shutil.rmtree(path, ignore_errors=True)
                    elif path.name != LOCK:
                        path.unlink(missing_ok=True)
            try:
                yield
            finally:  # a folder in which nothing is kept leaves no trace
                if not any(path.name != LOCK for path in self.folder.iterdir()):
                    self.clear()


class Lent:
    """A file that this process lends to those that it starts: held for as long as it lives, taken away at the end.

    One whose process was killed stays behind; `Kept.tidy` sees that nobody holds it.

    Parameters
    ----------
    folder
        Where.
    content
        Its bytes.

    Raises
    ------
    OutputError
        If it cannot be written.
    """

    def __init__(self, folder: Path, content: bytes) -> None:
        self.path = folder / f"{LENT}{os.getpid()}"
        draft = _draft(self.path)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = draft.open("wb")
            try:
                _grasp(self._file)  # before it has its name, so that it never stands there unheld
                self._file.write(content)
                self._file.flush()
                draft.replace(self.path)
            except OSError:
                self._file.close()
                raise
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise OutputError(f"{self.path} cannot be written: {error.strerror or error}") from error

    def end(self) -> None:
        """Take it away."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def abandoned(path: Path) -> bool:
    """Whether a file is there that nobody holds, since whoever held it has died.

    Parameters
    ----------
    path
        A lent file or a lock.
    """
    try:
        with path.open("rb") as file:
            return _grasp(file)
    except OSError:
        return False


def _grasp(file: IO[bytes]) -> bool:
    """Hold a file; whether nobody else does. Windows refuses to take away a file that is open, which does as well."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _lives(process: int) -> bool:
    """Whether a process of this machine lives."""
    if os.name == "nt":
        return True  # where asking would end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _draft(path: Path) -> Path:
    """Where this process writes a file before it has its name."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


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
    part = _draft(path)
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


def work_folder(out: Path) -> Path:
    """Return where finished tasks are kept until the results in a folder are whole."""
    place = out.absolute()
    return place.parent / f".{place.name}.work"


@contextmanager
def keeping(out: Path | None, *, anew: bool = False) -> Iterator[Kept | None]:
    """Keep what is found beside a folder of results until they are whole, so that a run that was stopped goes on.

    Parameters
    ----------
    out
        The folder; None = nothing is kept.
    anew
        Whether to forget what an earlier run has kept.

    Yields
    ------
    Kept or None
        Emptied when the block ends well.
    """
    if out is None:
        yield None
        return
    kept = Kept(work_folder(out))
    with kept.held(anew=anew):
        yield kept
    kept.clear()
