"""From longitude and latitude to a page: an equal-area conic, a frame, simpler lines, lines side by side.

Albers' equal-area conic on a sphere (Snyder, Map Projections: A Working Manual, 1987, chapter 14) keeps areas true and
bends little in a belt between two standard parallels, which is how Eurasia's corridors lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Albers", "Frame", "fit", "path", "push", "simplify", "split_at_edge"]

F8 = npt.NDArray[np.float64]

EARTH_KM = 6371.0

#: Sharpest corner that a line beside another follows; beyond, the corner is cut.
MITRE = 1.6


@dataclass(frozen=True)
class Albers:
    """A projection with its two standard parallels and central meridian, in degrees."""

    south_deg: float
    north_deg: float
    lon_deg: float

    def __call__(self, lonlat: F8) -> F8:
        """Project points, to km with y upwards."""
        south, north = np.radians(self.south_deg), np.radians(self.north_deg)
        n = (np.sin(south) + np.sin(north)) / 2
        c = np.cos(south) ** 2 + 2 * n * np.sin(south)
        lon = (lonlat[:, 0] - self.lon_deg + 180) % 360 - 180
        rho = np.sqrt(np.maximum(c - 2 * n * np.sin(np.radians(lonlat[:, 1])), 0)) / n
        theta = n * np.radians(lon)
        return EARTH_KM * np.column_stack([rho * np.sin(theta), -rho * np.cos(theta)])


@dataclass(frozen=True)
class Frame:
    """A window of a projection, as wide as a page in points."""

    projection: Albers
    left_km: float
    top_km: float
    points_km: float  # points on the page for each km
    width: float
    height: float

    def __call__(self, lonlat: Sequence[Sequence[float]] | F8) -> F8:
        """Project to the page, y downwards."""
        km = self.projection(np.asarray(lonlat, np.float64).reshape(-1, 2))
        return np.column_stack([km[:, 0] - self.left_km, self.top_km - km[:, 1]]) * self.points_km

    def touches(self, points: F8, margin: float = 8) -> bool:
        """Whether the box around points meets the window."""
        low, high = points.min(axis=0), points.max(axis=0)
        return bool(
            high[0] >= -margin
            and high[1] >= -margin
            and low[0] <= self.width + margin
            and low[1] <= self.height + margin
        )

    def holds(self, point: F8, margin: float = 0) -> bool:
        """Whether a point lies in the window."""
        x, y = float(point[0]), float(point[1])
        return margin <= x <= self.width - margin and margin <= y <= self.height - margin


def fit(
    lonlat: F8, width: float, *, pad: float = 0.04, shape: tuple[float, float] = (0.5, 0.75), span_km: float = 0
) -> Frame:
    """Choose projection and window for points.

    Parameters
    ----------
    lonlat
        What shall be seen.
    width
        Of the page.
    pad
        Part of the span that is left free on each side.
    shape
        Least and greatest height over width.
    span_km
        Least width in km.
    """
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    # the parallels at a sixth from either end bend a belt least (Snyder, page 99)
    sixth = (lat.max() - lat.min()) / 6
    projection = Albers(float(lat.min() + sixth), float(lat.max() - sixth + 0.01), float(lon.min() + lon.max()) / 2)
    km = projection(lonlat)
    low, high = km.min(axis=0), km.max(axis=0)
    centre, span = (low + high) / 2, np.maximum(high - low, 1) * (1 + 2 * pad)
    across = max(float(span[0]), float(span[1]) / shape[1], span_km)
    down = min(max(float(span[1]), across * shape[0]), across * shape[1])
    scale = width / across
    return Frame(projection, float(centre[0]) - across / 2, float(centre[1]) + down / 2, scale, width, down * scale)


# ---------------------------------------------------------------------------------------------------------- lines


def simplify(points: F8, tolerance: float) -> F8:
    """Drop points that lie closer to the line than a tolerance (Douglas and Peucker 1973, without recursion)."""
    if len(points) < 3:
        return points
    keep = np.zeros(len(points), np.bool_)
    keep[[0, -1]] = True
    stack = [(0, len(points) - 1)]
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        base = points[last] - points[first]
        inner = points[first + 1 : last] - points[first]
        length = float(np.hypot(*base))
        if length == 0:
            away = np.hypot(inner[:, 0], inner[:, 1])
        else:
            along = np.clip(inner @ base / length**2, 0, 1)
            away = np.hypot(*(inner - along[:, None] * base).T)
        worst = int(away.argmax())
        if away[worst] > tolerance:
            at = first + 1 + worst
            keep[at] = True
            stack += [(first, at), (at, last)]
    return points[keep]


def push(points: F8, distance: float) -> F8:
    """Move a line to its right-hand side, as it is seen on a page (y downwards)."""
    step = np.diff(points, axis=0)
    length = np.hypot(step[:, 0], step[:, 1])
    points, step, length = points[np.append(length > 0, True)], step[length > 0], length[length > 0]
    if len(points) < 2:
        return points
    normal = np.column_stack([-step[:, 1], step[:, 0]]) / length[:, None]
    corner = np.vstack([normal[:1], normal[:-1] + normal[1:], normal[-1:]])
    size = np.maximum(np.hypot(corner[:, 0], corner[:, 1]), 1e-9)
    corner /= size[:, None]
    # at a corner the line beside is further away, as one over the cosine of half the turn
    turn = np.append(np.clip((corner[:-1] * normal).sum(axis=1), 1 / MITRE, 1), 1)
    moved: F8 = points + corner * (distance / turn)[:, None]
    return moved


def split_at_edge(lonlat: F8) -> list[F8]:
    """Cut a ring where it runs along the 180th meridian, which is an edge of the data and no border."""
    edge = np.abs(lonlat[:, 0]) >= 179.995
    along = edge[:-1] & edge[1:]
    if not along.any():
        return [lonlat]
    return [part for part in np.split(lonlat, np.flatnonzero(along) + 1) if len(part) > 1]


def path(points: F8, *, places: int = 1, close: bool = False) -> str:
    """Write a line as path data, in steps, each rounded so that errors do not add up."""
    grid = np.round(points * 10**places).astype(np.int64)
    new = np.append(True, (np.diff(grid, axis=0) != 0).any(axis=1))
    grid = grid[new]

    def text(value: int) -> str:
        if places == 0:
            return str(value)
        return f"{value / 10**places:.{places}f}".rstrip("0").rstrip(".").replace("-0.", "-.").removeprefix("0") or "0"

    def pairs(rows: npt.NDArray[np.int64]) -> str:
        out = ""
        for x, y in rows.tolist():
            for value in (text(x), text(y)):
                out += value if value.startswith("-") or not out else f" {value}"
        return out

    if len(grid) < 2:
        return ""
    start = grid[0].tolist()
    return f"M{text(start[0])} {text(start[1])}l{pairs(np.diff(grid, axis=0))}{'z' if close else ''}"
