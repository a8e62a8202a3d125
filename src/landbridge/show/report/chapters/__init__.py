"""Chapters of the report, one for each kind of folder.

To add one: write a function from a `Folder` to `Html`, and name it here. A kind that has none is shown by its tables,
with their meanings as the folder tells them.
"""

from __future__ import annotations

from collections.abc import Callable

from landbridge.show.report.chapters.ensemble import ensemble
from landbridge.show.report.chapters.invest import investment
from landbridge.show.report.chapters.power import dependence, exposure, power, stress
from landbridge.show.report.chapters.tables import by_tables
from landbridge.show.report.chapters.terminal import terminal
from landbridge.show.report.chapters.truth import backtest, sensitivity, validation
from landbridge.show.report.chapters.ways import assignment, routes
from landbridge.show.report.folders import Folder
from landbridge.show.report.markup import Html

__all__ = ["CHAPTERS", "Chapter", "chapter_of"]

#: Makes the content of a chapter.
Chapter = Callable[[Folder], Html]

#: By kind: the chapter's title and what makes it.
CHAPTERS: dict[str, tuple[str, Chapter]] = {
    "ensemble": ("What if nobody knows what comes", ensemble),
    "power": ("Who has power over the corridors", power),
    "dependence": ("Who depends on whom", dependence),
    "stress": ("What a closure costs", stress),
    "exposure": ("Sanctions and their answer", exposure),
    "appraisal": ("What projects are worth", investment),
    "programme": ("Which projects, and when", investment),
    "terminal": ("A terminal in operation", terminal),
    "validation": ("The model against what was observed", validation),
    "backtest": ("Past events run again", backtest),
    "sensitivity": ("Which inputs the headlines rest on", sensitivity),
    "assignment": ("Flows on a network file", assignment),
    "routes": ("Door to door", routes),
}


def chapter_of(folder: Folder) -> tuple[str, Html]:
    """Return the title and content of a folder's chapter."""
    title, make = CHAPTERS.get(folder.kind, (folder.kind.replace("_", " ").capitalize(), by_tables))
    return title, make(folder)
