"""Bars that stay readable on a phone and on paper: a list of names, tracks with pieces and marks, and what they say.

Positions lie between 0 and 1 along a track. Tracks are ornament: every number stands beside its track as text, so that
whoever does not see them misses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from landbridge.show.report.markup import Html, el, join

__all__ = ["Mark", "Piece", "Strip", "round_end", "strips", "ticks_to"]


@dataclass(frozen=True)
class Piece:
    """A bar between two positions, of a kind that the style knows."""

    start: float
    end: float
    kind: str
    tip: str = ""


@dataclass(frozen=True)
class Mark:
    """A line or dot at a position."""

    at: float
    kind: str = "line"
    tip: str = ""


@dataclass(frozen=True)
class Strip:
    """One row: its name, its track or tracks, and its numbers as text."""

    name: str
    tracks: Sequence[Sequence[Piece | Mark]]
    said: str


def round_end(most: float) -> float:
    """Return a round number at or just above another."""
    if most <= 0:
        return 1.0
    size = 10.0 ** len(str(int(most))) if most >= 1 else 1.0
    while size / 10 >= most:
        size /= 10
    return next(size * part for part in (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0) if size * part >= most)


def ticks_to(end: float, text: str = "{:g}") -> list[tuple[float, str]]:
    """Four steps from zero to a round end."""
    return [(i / 4, text.format(round(end * i / 4, 10))) for i in range(5)]


def strips(
    title: str,
    rows: Sequence[Strip],
    *,
    ticks: Sequence[tuple[float, str]] = (),
    unit: str = "",
    legend: Sequence[tuple[str, str]] = (),
    note: str = "",
) -> Html:
    """Draw a chart of strips.

    Parameters
    ----------
    title
        What it shows.
    rows
        From above.
    ticks
        Positions with their text along the top.
    unit
        Of the ticks.
    legend
        Kinds of pieces and what they mean.
    note
        A sentence below.
    """
    lines = []
    for row in rows:
        tracks = [el("span", *[_drawn(one) for one in track], class_="track") for track in row.tracks]
        lines.append(
            el(
                "li",
                el("span", row.name, class_="name"),
                el("span", *tracks, class_="tracks", aria_hidden="true"),
                el("span", row.said, class_="said"),
            )
        )
    axis = []
    if ticks:
        marks = [el("span", text, class_="tick", style=f"left:{100 * at:.2f}%") for at, text in ticks]
        axis.append(el("p", el("span", unit, class_="unit"), el("span", *marks, class_="ticks"), class_="axis"))
    chips = [el("li", el("span", class_=f"swatch-bar {kind}", aria_hidden="true"), words) for kind, words in legend]
    return el(
        "figure",
        el("figcaption", el("strong", title)),
        el("ul", *chips, class_="legend") if chips else Html(""),
        el("div", *axis, aria_hidden="true") if axis else Html(""),
        el("ul", *lines, class_="strips"),
        el("p", note, class_="note") if note else Html(""),
        class_="chart",
    )


def _drawn(one: Piece | Mark) -> Html:
    if isinstance(one, Mark):
        at = min(max(one.at, 0.0), 1.0)
        return el("span", class_=f"mark {one.kind}", style=f"left:{100 * at:.2f}%", data_tip=one.tip or None)
    start, end = (min(max(value, 0.0), 1.0) for value in sorted((one.start, one.end)))
    if end <= start:
        return join([])
    place = f"left:{100 * start:.2f}%;width:{100 * (end - start):.2f}%"
    return el("span", class_=f"piece {one.kind}", style=place, data_tip=one.tip or None)
