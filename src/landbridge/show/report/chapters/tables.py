"""A chapter from tables alone: each with its meaning, as the folder tells it."""

from __future__ import annotations

from collections.abc import Iterable

from landbridge.show.report.folders import Folder
from landbridge.show.report.frames import frame_table
from landbridge.show.report.markup import Html, el, join

__all__ = ["by_tables"]


def by_tables(folder: Folder, leave_out: Iterable[str] = ()) -> Html:
    """Show all tables of a folder but some."""
    aside = set(leave_out)
    parts = [frame_table(folder, name) for name in folder.tables if name not in aside]
    return join(parts) if parts else el("p", "The folder holds no tables.")
