"""Sheets: the frames of the maps, what is drawn in each of them, which places are named, and pieces of legends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.read import ATLAS
from landbridge.show.report.background import disclaimer, folder
from landbridge.show.report.basemap import Label, Labels, land, lines, scale_bar
from landbridge.show.report.context import Context, Run
from landbridge.show.report.markup import THIN, Html, el, join, number
from landbridge.show.report.projection import Frame, fit, path, simplify

__all__ = [
    "LEAST_T",
    "Sheet",
    "calm",
    "definitions",
    "figure_of",
    "important_names",
    "legend_of",
    "link_changes",
    "link_flows",
    "name_places",
    "network_legend",
    "round_mt",
    "samples",
    "sheets",
    "swatch",
    "width_of",
]

F8 = npt.NDArray[np.float64]

WIDTH = 1100.0

#: Width of the largest flow of a map, and of the smallest that is drawn, in points.
WIDEST, THINNEST = 14.0, 0.7

#: Flows below this are drawn as lines in use, without width.
LEAST_T = 1000.0

#: Width of the window on what changes, at least.
WINDOW_KM = 3600.0

#: Links that change most, for a window where none is new.
CHANGED = 12

LABELS = 46

#: Crossings outside China that are named, the busiest first.
FOREIGN = 12


@dataclass(frozen=True)
class Atlas:
    """What maps need of the atlas, in its places' coordinates."""

    context: Context

    @cached_property
    def places(self) -> dict[str, F8]:
        """Longitude and latitude of places."""
        frame = self.context.table("places")
        if not frame.height:
            return {}
        return {k: np.array([lon, lat]) for k, lon, lat in frame.select("id", "lon_deg", "lat_deg").rows()}

    @cached_property
    def ends(self) -> dict[str, tuple[F8, F8]]:
        """Coordinates of both ends of each link."""
        frame = self.context.table("links")
        if not frame.height:
            return {}
        found = {}
        for name, a, b in frame.select("id", "place_a", "place_b").rows():
            if a in self.places and b in self.places:
                found[name] = (self.places[a], self.places[b])
        return found

    @cached_property
    def unbuilt(self) -> set[str]:
        """Links that are not there yet, or not in use."""
        frame = self.context.table("links")
        if "status" not in frame.columns:
            return set()
        return set(frame.filter(pl.col("status") != "existing")["id"].to_list())

    @cached_property
    def sea(self) -> set[str]:
        """Links over water."""
        frame = self.context.table("links")
        if "mode" not in frame.columns:
            return set()
        return set(frame.filter(pl.col("mode").is_in(["sea", "ferry"]))["id"].to_list())

    def file(self, name: str) -> Path:
        """Path of a file of the data package."""
        return folder(self.context) / name


@dataclass(frozen=True)
class Sheet:
    """A frame with what is drawn in every map of it."""

    name: str
    frame: Frame
    atlas: Atlas

    @cached_property
    def lines(self) -> dict[str, list[F8]]:
        """Links on the page."""
        return lines(self.atlas.file("links.geojson"), self.frame, self.atlas.ends)

    @cached_property
    def points(self) -> dict[str, tuple[float, float]]:
        """Places on the page."""
        names = list(self.atlas.places)
        if not names:
            return {}
        moved = self.frame(np.vstack([self.atlas.places[n] for n in names]))
        return {n: (float(p[0]), float(p[1])) for n, p in zip(names, moved, strict=True) if self.frame.holds(p)}

    def draw(self, body: Html, labels: Html, title: str, description: str) -> Html:
        """Put a map together."""
        width, height = self.frame.width, self.frame.height
        mark = "map-" + hashlib.sha256(f"{self.name}{title}".encode()).hexdigest()[:10]
        drawing = el(
            "svg",
            el("title", title, id=f"{mark}-t"),
            el("desc", description, id=f"{mark}-d"),
            el("use", href=f"#{self.name}-land"),
            body,
            labels,
            scale_bar(self.frame),
            viewBox=f"0 0 {width:.0f} {height:.0f}",
            role="img",
            aria_labelledby=f"{mark}-t {mark}-d",
            class_="map",
        )
        return el("div", drawing, class_="scroll sheet", tabindex=0, role="region", aria_label=title)


# ---------------------------------------------------------------------------------------------------------- sheets


def link_flows(context: Context, run: Run) -> pl.DataFrame:
    """Tonnes, boxes and use of each link by direction; gauges add up, sections of one link do not."""
    frame = context.results.of("links", run.scenario, run.year)
    section = frame.group_by("link", "direction", "mode", "country", maintain_order=True).agg(
        pl.col("tonnes").sum(), pl.col("teu").sum(), pl.col("use").max(), pl.col("capacity_trains_day").min()
    )
    return section.group_by("link", "direction", "mode", maintain_order=True).agg(
        pl.col("tonnes").max(), pl.col("teu").max(), pl.col("use").max(), pl.col("capacity_trains_day").min()
    )


def sheets(context: Context) -> tuple[Sheet, Sheet | None] | None:
    """Choose the frames: one round all land flows, one round what changes; None where there is nothing to draw."""
    atlas = Atlas(context)
    used: dict[str, float] = {}
    for run in context.runs:
        flows = link_flows(context, run).filter(~pl.col("mode").is_in(["sea"]) & (pl.col("tonnes") >= LEAST_T))
        for name, tonnes in flows.select("link", "tonnes").rows():
            used[name] = max(used.get(name, 0.0), tonnes)
    names = [n for n in used if n in atlas.ends]
    if not names:
        return None
    points = np.vstack([np.vstack(atlas.ends[n]) for n in names])
    weight = np.repeat([used[n] for n in names], 2)
    main = Sheet("all", fit(_bulk(points, weight), WIDTH, shape=(0.44, 0.75)), atlas)
    window = None
    changed = _most_changed(context, atlas)
    if len(changed):
        window = Sheet("window", fit(changed, WIDTH, pad=0.1, shape=(0.55, 0.62), span_km=WINDOW_KM), atlas)
    return main, window


def _bulk(points: F8, weight: F8, part: float = 0.002) -> F8:
    """Points without the outermost few, by weight, on each side."""
    keep = np.ones(len(points), np.bool_)
    for axis in (0, 1):
        order = np.argsort(points[:, axis])
        share = np.cumsum(weight[order]) / weight.sum()
        keep[order] &= (share > part) & (share <= 1 - part / 2)
    return points[keep] if keep.sum() > 1 else points


def _most_changed(context: Context, atlas: Atlas) -> F8:
    """Ends of the links that are new in some scenario; else of those whose flow changes most."""
    names: dict[str, None] = {}
    for before, after in context.pairs:
        names.update(dict.fromkeys(context.new_links(before, after)))
    if not names:
        for before, after in context.pairs:
            changed = link_changes(context, before, after).sort(pl.col("change").abs(), descending=True).head(CHANGED)
            names.update(dict.fromkeys(changed.filter(pl.col("change").abs() >= LEAST_T)["link"].to_list()))
    ends = [np.vstack(atlas.ends[n]) for n in names if n in atlas.ends]
    return np.vstack(ends) if ends else np.empty((0, 2))


def definitions(sheet: Sheet) -> Html:
    """Draw once what all maps of a frame share: land, and the whole network as a hairline."""
    open_: list[str] = []
    planned: list[str] = []
    water: list[str] = []
    for name, parts in sheet.lines.items():
        data = "".join(path(part) for part in parts)
        (planned if name in sheet.atlas.unbuilt else water if name in sheet.atlas.sea else open_).append(data)
    source = sheet.atlas.file("countries.geojson")
    if not source.is_file():
        source = ATLAS / "countries.geojson"
    return join(
        [
            land(source, sheet.frame, sheet.name),
            el(
                "g",
                el("path", d="".join(water), class_="water"),
                el("path", d="".join(open_), class_="open"),
                el("path", d="".join(planned), class_="planned"),
                id=f"{sheet.name}-net",
            ),
        ]
    )


# ---------------------------------------------------------------------------------------------------------- labels


def name_places(sheet: Sheet, wanted: Iterable[tuple[str, str]], used: Labels | None = None) -> Html:
    """Names of crossings and hubs, in order of weight; each once."""
    context = sheet.atlas.context
    found: list[Label] = []
    done: set[str] = set()
    for kind, name in wanted:
        if kind == "crossing":
            row = context.table("crossings").filter(pl.col("id") == name)
            if not row.height:
                continue
            ends = [sheet.points.get(row[c][0]) for c in ("place_a", "place_b")]
            at = ends[0] or ends[1]
            if ends[0] and ends[1]:
                at = ((ends[0][0] + ends[1][0]) / 2, (ends[0][1] + ends[1][1]) / 2)
            text = context.crossing(name).replace(" – ", "–").removesuffix(" road")
        else:
            at, text = sheet.points.get(name), context.place(name)
        if at is not None and text not in done:
            done.add(text)
            found.append(Label(at, text, kind))
    return (used or Labels(sheet.frame)).place(found, LABELS)


def important_names(context: Context, run: Run) -> list[tuple[str, str]]:
    """Crossings and hubs by what passes them: China's crossings, ends of passages, then the rest."""
    frame = context.results.of("crossings", run.scenario, run.year).filter(pl.col("tonnes") > 0)
    summed = frame.group_by("crossing", "from_country", "to_country", "mode", maintain_order=True).agg(
        pl.col("tonnes").sum()
    )
    summed = summed.sort("tonnes", descending=True)
    rail = summed.filter(pl.col("mode") == "rail")
    chinese = rail.filter((pl.col("from_country") == "CN") | (pl.col("to_country") == "CN"))
    through: dict[str, float] = {}
    for name, tonnes in link_flows(context, run).filter(pl.col("mode") != "sea").select("link", "tonnes").rows():
        for place in context.ends(name):
            through[place] = through.get(place, 0.0) + tonnes
    places = context.table("places")
    hubs = (
        set(places.filter(pl.col("kind").is_in(["city", "dryport", "port"]))["id"].to_list())
        if places.height
        else set()
    )
    passages = context.results["passages"]
    ends = [*passages["origin"].to_list(), *passages["destination"].to_list()]
    ranked = [n for n in sorted(through, key=lambda n: -through[n]) if n in hubs]
    crossings = dict.fromkeys(chinese["crossing"].to_list())
    others = [n for n in dict.fromkeys(rail["crossing"].to_list()) if n not in crossings][:FOREIGN]
    wanted = [("crossing", n) for n in crossings] + [("hub", n) for n in dict.fromkeys(ends) if n]
    # the rest take turns, so that neither crowds out the other
    for i in range(max(len(ranked), len(others))):
        wanted += [("hub", n) for n in ranked[2 * i : 2 * i + 2]] + [("crossing", n) for n in others[i : i + 1]]
    return wanted


# ----------------------------------------------------------------------------------------------------------- flows


def width_of(tonnes: float, most: float) -> float:
    """Width of a flow in points."""
    return max(THINNEST, WIDEST * tonnes / most)


def calm(points: F8, width: float) -> F8:
    """A wide band with fewer bends, since narrow ones would close up."""
    return simplify(points, 0.3 * width) if width > 2 else points


def samples(most: float) -> list[float]:
    """Round flows that a legend shows: the largest below the widest, and two smaller ones."""
    steps = [m * 10.0**k for k in range(2, 10) for m in (1, 2, 5)]
    largest = max((s for s in steps if s <= most), default=most)
    return [largest / 10, largest / 2 if str(int(largest))[0] != "5" else largest / 5, largest]


def round_mt(tonnes: float) -> str:
    """Write a round flow."""
    return f"{number(tonnes / 1e6, 0 if tonnes >= 1e6 else 2)}{THIN}Mt"


def swatch(width: float, kind: str) -> Html:
    """A piece of line for a legend; ``seamed`` draws a seam on it."""
    line = el("path", d="M1 9h34", stroke_width=f"{width:.2f}", class_=kind.removesuffix(" seamed"))
    seam = [el("path", d="M1 9h34", class_="seam")] if kind.endswith("seamed") else []
    return el("svg", line, *seam, viewBox="0 0 36 18", width=36, height=18, aria_hidden="true", class_="swatch")


def legend_of(items: Sequence[tuple[Html, str]]) -> Html:
    """A legend of swatches and words."""
    return el("ul", *[el("li", swatch, text) for swatch, text in items], class_="legend")


def network_legend() -> list[tuple[Html, str]]:
    """What all maps show below their flows."""
    box = el("rect", x=1, y=3, width=34, height=12, class_="hatched")
    hatch = el("svg", box, viewBox="0 0 36 18", width=36, height=18, aria_hidden="true", class_="swatch")
    return [
        (swatch(0.8, "open"), "line without such freight"),
        (swatch(1.2, "planned"), "planned, under construction or suspended"),
        (hatch, "disputed area"),
    ]


def link_changes(context: Context, before: Run, after: Run) -> pl.DataFrame:
    """Change of each link's tonnes, both directions together."""
    frames = [
        link_flows(context, run).group_by("link", maintain_order=True).agg(pl.col("tonnes").sum())
        for run in (before, after)
    ]
    joined = frames[0].join(
        frames[1], on="link", how="full", coalesce=True, suffix="_after", maintain_order="left_right"
    )
    was, now = pl.col("tonnes").fill_null(0), pl.col("tonnes_after").fill_null(0)
    return joined.select("link", was.alias("before"), now.alias("after"), (now - was).alias("change"))


def figure_of(context: Context, title: str, drawing: Html, legend: Html, twin: Html | None = None) -> Html:
    """A map with its legend, title, disclaimer, and its table to unfold."""
    caption = el("figcaption", el("strong", title), " ", el("small", disclaimer(context)))
    details = [] if twin is None else [el("details", el("summary", "The same as a table"), twin)]
    return el("figure", drawing, legend, caption, *details)
