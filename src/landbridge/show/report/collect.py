"""Which folders a report is made of, and which of them carries the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from landbridge.data.read import read_atlas, read_package
from landbridge.errors import OutputError
from landbridge.show.report.folders import MARKERS, STUDY, Folder, folder_of, folders_in
from landbridge.show.report.page import write_chapters, write_report
from landbridge.study.results import read_results, tables_of

__all__ = ["report"]


def report(folder: Path, *, beside: Sequence[Path] = (), out: Path | None = None, atlas: Path | None = None) -> Path:
    """Write the report of a folder, of what lies in it, and of others.

    Parameters
    ----------
    folder
        Results of a study, or of any other command; or a folder that holds some of these.
    beside
        Further folders, each of which gets a chapter.
    out
        The HTML file; default ``report.html`` in the folder.
    atlas
        Folder of the package, where it is not the atlas that ships.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    OutputError
        If there is nothing to report, two studies would share a page, or something cannot be read or written.
    """
    if not folder.is_dir():
        raise OutputError(f"{folder}: wanted a folder with results, got {'a file' if folder.exists() else 'nothing'}")
    first = folder_of(folder)
    found: list[Folder] = [*([first] if first else []), *folders_in(folder)]
    for path in beside:
        one = folder_of(path) if path.is_dir() else None
        if one is None:
            raise OutputError(f"{path}: wanted a folder of results ({', '.join(MARKERS)}), got none of these")
        found.append(one)
    if not found:
        raise OutputError(f"{folder}: no results here or in a folder inside ({', '.join(MARKERS)})")
    studies = [one for one in found if one.kind == STUDY]
    if len(studies) > 1 and studies[0] is not first:
        names = ", ".join(one.name for one in studies)
        raise OutputError(f"{folder}: several studies ({names}); name one, and others with --with")
    place = out or folder / "report.html"
    if not studies:
        return write_chapters(found, read_package(atlas) if atlas else read_atlas(), place)
    if len(studies) > 1:
        names = ", ".join(one.name for one in studies[1:])
        raise OutputError(f"{folder}: a report shows one study, and {names} would be another")
    results = read_results(studies[0].path)
    others = [one for one in found if one is not studies[0]]
    return write_report(results, tables_of(results, base=atlas), place, others)
