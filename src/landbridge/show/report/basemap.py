"""What lies under every map: land, borders, disputed areas, and the lines of the atlas; and where labels go."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.show.report.markup import Html, el, join
from landbridge.show.report.projection import Frame, path, simplify, split_at_edge

__all__ = ["Label", "Labels", "land", "lines", "scale_bar"]

F8 = npt.NDArray[np.float64]

#: Steps of the grid, in points, on which borders lie. Neighbours share their points, so that they stay together.
GRID = 0.5

#: Rings smaller than this, in square points, cannot be seen.
SPECK = 1.2

#: A line may lie this far, in points, from where it was drawn.
TOLERANCE = 0.35


@lru_cache(maxsize=4)
def _features(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    features: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["features"]
    return features


def _rings(geometry: dict[str, Any]) -> Iterable[F8]:
    shapes = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for shape in shapes:
        for ring in shape:
            yield np.asarray(ring, np.float64)[:, :2]


def _seen(ring: F8, frame: Frame) -> F8 | None:
    """A ring on the page and on the grid; None if it is outside or a speck."""
    # the far side of the Earth folds over itself in a conic
    lon = (ring[:, 0] - frame.projection.lon_deg + 180) % 360 - 180
    if (np.abs(lon) > 150).all() or (ring[:, 1] < -50).all():
        return None
    points = frame(ring)
    if not frame.touches(points):
        return None
    x, y = points.T
    if abs(float(x[:-1] @ y[1:] - x[1:] @ y[:-1])) / 2 < SPECK:
        return None
    return points


def _thin(points: F8) -> F8:
    """On the grid, without points that repeat or lie on the straight between their neighbours."""
    grid = np.round(points / GRID).astype(np.int64)
    grid = grid[np.append(True, (np.diff(grid, axis=0) != 0).any(axis=1))]
    if len(grid) > 3:
        step = np.diff(grid, axis=0)
        bend = step[:-1, 0] * step[1:, 1] - step[:-1, 1] * step[1:, 0]
        grid = grid[np.concatenate([[True], bend != 0, [True]])]
    thin: F8 = grid * GRID
    return thin


def land(file: Path, frame: Frame, name: str) -> Html:
    """Draw land with its borders, and disputed areas hatched.

    Parameters
    ----------
    file
        Countries as GeoJSON; features with ``disputed`` stand apart.
    frame
        The window.
    name
        Prefix for ids.
    """
    areas, bare, borders, hatched = [], [], [], []
    for feature in _features(file):
        properties = feature["properties"]
        for ring in _rings(feature["geometry"]):
            points = _seen(ring, frame)
            if points is None:
                continue
            data = path(_thin(points), close=True)
            if properties.get("disputed"):
                title = el("title", f"{properties['name']}: {properties.get('note') or 'disputed'}")
                hatched.append(el("path", title, d=data))
                continue
            parts = split_at_edge(ring)
            if len(parts) == 1:
                areas.append(data)
            else:
                bare.append(data)
                borders += [path(_thin(frame(part))) for part in parts]
    return el(
        "g",
        el("rect", width=_n(frame.width), height=_n(frame.height), class_="sea"),
        el("path", d="".join(bare), class_="land bare"),
        el("path", d="".join(areas), class_="land"),
        el("path", d="".join(borders), class_="border"),
        el("g", *hatched, class_="disputed"),
        id=f"{name}-land",
    )


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def lines(file: Path, frame: Frame, ends: dict[str, tuple[F8, F8]]) -> dict[str, list[F8]]:
    """Return the parts of each link on the page, from its first place to its second.

    A link without a drawing is straight between its places.
    """
    drawn: dict[str, list[F8]] = {}
    for feature in _features(file):
        name = feature.get("id") or feature["properties"].get("id")
        geometry = feature["geometry"]
        parts = geometry["coordinates"] if geometry["type"] == "MultiLineString" else [geometry["coordinates"]]
        drawn[name] = [np.asarray(part, np.float64)[:, :2] for part in parts]
    found = {}
    for name, (start, end) in ends.items():
        parts = drawn.get(name) or [np.vstack([start, end])]
        first, last = parts[0][0], parts[-1][-1]
        if np.hypot(*(first - start)) > np.hypot(*(last - start)):
            parts = [part[::-1] for part in parts[::-1]]
        on_page = [frame(part) for part in parts]
        if any(frame.touches(part) for part in on_page):
            found[name] = [simplify(part, TOLERANCE) for part in on_page]
    return found


def scale_bar(frame: Frame) -> Html:
    """A bar of a round number of km; exact where the standard parallels run."""
    length = next((k for k in (2000, 1000, 500, 200, 100, 50) if k * frame.points_km < frame.width / 6), 50)
    width = length * frame.points_km
    x, y = 14.0, frame.height - 16
    return el(
        "g",
        el("path", d=f"M{_n(x)} {_n(y - 4)}v4h{_n(width)}v-4"),
        el("text", f"{length:,} km".replace(",", "\u202f"), x=_n(x + width / 2), y=_n(y - 6), text_anchor="middle"),
        class_="scale",
    )


# --------------------------------------------------------------------------------------------------------- labels

#: Mean width of a letter over the size of the type; a little wide, so that other fonts fit too.
LETTER, BOLD_LETTER = 0.56, 0.61

#: Longer names are cut on a map; tables hold the whole.
LONGEST = 34


@dataclass(frozen=True)
class Label:
    """A name beside a point of the page."""

    point: tuple[float, float]
    text: str
    kind: str  # crossing or hub


@dataclass
class Labels:
    """Puts labels where none overlaps another: greedy, the important ones first."""

    frame: Frame
    size: float = 12.0
    _boxes: list[tuple[float, float, float, float]] = field(default_factory=list)

    def keep_free(self, left: float, top: float, right: float, bottom: float) -> None:
        """Let no label into a box."""
        self._boxes.append((left, top, right, bottom))

    def place(self, wanted: Sequence[Label], most: int) -> Html:
        """Place as many labels as fit, up to a number; names without room are left out with their mark."""
        marks: list[Html] = []
        names: list[Html] = []
        for label in wanted:
            if len(names) >= most:
                break
            x, y = label.point
            if not self.frame.holds(np.array(label.point), 6) or not self.is_free((x - 2, y - 2, x + 2, y + 2)):
                continue
            text = label.text if len(label.text) <= LONGEST else label.text[: LONGEST - 1].rstrip() + "…"
            wide = len(text) * self.size * (BOLD_LETTER if label.kind == "crossing" else LETTER)
            high = self.size
            gap = 6.0
            options = [
                (x + gap, y + high * 0.35, "start", (x + gap, y - high * 0.5, x + gap + wide, y + high * 0.5)),
                (x - gap, y + high * 0.35, "end", (x - gap - wide, y - high * 0.5, x - gap, y + high * 0.5)),
                (x, y - gap - 1, "middle", (x - wide / 2, y - gap - high, x + wide / 2, y - gap + 1)),
                (x, y + gap + high * 0.75, "middle", (x - wide / 2, y + gap, x + wide / 2, y + gap + high)),
            ]
            for at_x, at_y, anchor, box in options:
                inside = box[0] > 3 and box[1] > 3 and box[2] < self.frame.width - 3 and box[3] < self.frame.height - 3
                if inside and self.is_free(box):
                    self._boxes += [box, (x - 4, y - 4, x + 4, y + 4)]
                    names.append(el("text", text, x=_n(at_x), y=_n(at_y), text_anchor=anchor, class_=label.kind))
                    marks.append(_mark(label))
                    break
        return join([el("g", *marks, class_="marks"), el("g", *names, class_="names")])

    def is_free(self, box: tuple[float, float, float, float]) -> bool:
        """Whether nothing lies in a box yet."""
        return not any(
            box[0] < b[2] + 1 and b[0] < box[2] + 1 and box[1] < b[3] + 1 and b[1] < box[3] + 1 for b in self._boxes
        )


def _mark(label: Label) -> Html:
    x, y = label.point
    if label.kind == "crossing":
        return el("path", d=f"M{_n(x)} {_n(y - 4)}l4 4-4 4-4-4z", class_="crossing")
    return el("circle", cx=_n(x), cy=_n(y), r="2.6", class_="hub")
