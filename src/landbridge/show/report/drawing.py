"""Charts that need two axes, as inline SVG: lines, dots, text, and the figure around them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from landbridge.show.report.markup import Html, el

__all__ = ["chart", "dot", "line", "polyline", "text"]


def text(x: float, y: float, words: str, anchor: str = "start") -> Html:
    """Words at a point."""
    return el("text", words, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "rule") -> Html:
    """A straight line."""
    return el("path", d=f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}", class_=f"plot-line {kind}")


def polyline(points: Sequence[tuple[float, float]], kind: str) -> Html:
    """A line through points."""
    return el("path", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points), class_=f"plot-line {kind}")


def dot(x: float, y: float, kind: str, words: str, keys: Mapping[str, str] | None = None) -> Html:
    """A dot that says what it is, perhaps with the keys of its number."""
    return el(
        "circle", el("title", words), cx=f"{x:.1f}", cy=f"{y:.1f}", r="4.5", class_=f"plot-dot {kind}", **(keys or {})
    )


def chart(
    title: str,
    width: float,
    height: float,
    parts: Sequence[Html],
    *,
    legend: Sequence[tuple[str, str]] = (),
    note: str = "",
) -> Html:
    """Put a chart together.

    Parameters
    ----------
    title
        What it shows.
    width, height
        Of the drawing, in points.
    parts
        What is drawn.
    legend
        Kinds and what they mean.
    note
        A sentence below.
    """
    mark = "plot-" + hashlib.sha256("".join([title, *parts]).encode()).hexdigest()[:10]
    drawing = el(
        "svg",
        el("title", title, id=mark),
        *parts,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        role="img",
        aria_labelledby=mark,
        class_="plot",
    )
    chips = [el("li", el("span", class_=f"swatch-bar {kind}", aria_hidden="true"), words) for kind, words in legend]
    return el(
        "figure",
        el("figcaption", el("strong", title)),
        el("ul", *chips, class_="legend") if chips else Html(""),
        el("div", drawing, class_="scroll", tabindex=0, role="region", aria_label=title),
        el("p", note, class_="note") if note else Html(""),
        class_="chart",
    )
