"""Maps: flows by width with use by colour, passages, and what a scenario changes; each with a table beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.show.report.basemap import Labels
from landbridge.show.report.context import Context, Run, Units
from landbridge.show.report.figures import ROW
from landbridge.show.report.markup import (
    Column,
    Html,
    amount,
    bar_cell,
    cell,
    el,
    head,
    join,
    table,
    text_cell,
    views,
)
from landbridge.show.report.projection import Frame, path, push, simplify
from landbridge.show.report.sections import grade
from landbridge.show.report.sheets import (
    LEAST_T,
    Sheet,
    calm,
    figure_of,
    important_names,
    legend_of,
    link_changes,
    link_flows,
    name_places,
    network_legend,
    round_mt,
    samples,
    swatch,
    width_of,
)

__all__ = ["change_maps", "flow_maps", "passage_map"]

F8 = npt.NDArray[np.float64]

#: Rows in the table beside a map.
TWIN = 12

#: Maps that are drawn at most, so that the file stays small; further runs have their tables.
MOST_MAPS = 8

# ----------------------------------------------------------------------------------------------------------- flows


def flow_maps(context: Context, sheet: Sheet) -> Html:
    """A map of flows for each run, up to a number; the last years come first."""
    runs = context.runs
    drawn = runs[-MOST_MAPS:]
    most = max(float(link_flows(context, run)["tonnes"].max() or 0) for run in runs) or 1.0  # type: ignore[arg-type]
    panels = [(run.key, context.label(run), _flow_map(context, sheet, run, most)) for run in runs if run in drawn]
    note = el("p", f"Maps are drawn for {MOST_MAPS} of {len(runs)} runs; the tables hold all.", class_="note")
    return join([views("flows", panels), note if len(drawn) < len(runs) else Html("")])


def _flow_map(context: Context, sheet: Sheet, run: Run, most: float) -> Html:
    flows = link_flows(context, run)
    classes: dict[str, list[tuple[float, Html]]] = {"none": [], "free": [], "some": [], "high": [], "over": []}
    full: list[str] = []
    for row in flows.filter(pl.col("tonnes") >= LEAST_T).to_dicts():
        parts = sheet.lines.get(row["link"])
        if parts is None:
            continue
        width = width_of(row["tonnes"], most)
        sign = 1 if row["direction"] == "ab" else -1
        data = "".join(path(push(calm(part, width), sign * (width / 2 + 0.25))) for part in parts)
        kind = grade(row["use"]) or "none"
        if kind == "over" and width > 2:
            full.append(data)
        tip = f"{context.link(row['link'], row['direction'])}: {amount(row['tonnes'], Units.MT)} a year"
        if row["teu"]:
            tip += f", {amount(row['teu'], Units.TEU)}"
        if row["use"] is not None:
            tip += (
                f"; {amount(row['use'], Units.PERCENT)} of {amount(row['capacity_trains_day'], Units.TRAINS_DAY)} used"
            )
        classes[kind].append((width, el("path", el("title", tip), d=data, stroke_width=f"{width:.2f}")))
    groups = [
        el("g", *[band for _, band in sorted(bands, key=lambda p: -p[0])], class_=f"flow {kind}")
        for kind, bands in classes.items()
    ]
    seam = el("path", d="".join(full), class_="seam")
    body = join([el("use", href=f"#{sheet.name}-net"), *groups, seam])
    title = f"Freight flows and use of capacity, {context.label(run)}"
    description = (
        f"Each line of the land network is as wide as its freight in {run.year}, on the right of its direction; "
        "colours tell how much of its capacity is used. The table below holds the largest."
    )
    drawing = sheet.draw(body, name_places(sheet, important_names(context, run)), title, description)
    legend = legend_of(
        [
            *[(swatch(width_of(t, most), "none"), round_mt(t) + " a year, one direction") for t in samples(most)],
            (swatch(5, "free"), "up to 50 % of capacity used"),
            (swatch(5, "some"), "50 to 80 %"),
            (swatch(5, "high"), "80 to 100 %"),
            (swatch(5, "over seamed"), "over 100 %, with a seam"),
            (swatch(5, "none"), "capacity not known, or by sea"),
            *network_legend(),
        ]
    )
    return figure_of(context, title, drawing, legend, _flow_twin(context, run))


def _flow_twin(context: Context, run: Run) -> Html:
    f = context.figures
    frame = context.results["links"].with_row_index(ROW).filter(
        (pl.col("scenario") == run.scenario) & (pl.col("year") == run.year)
    )  # fmt: skip
    best = frame.sort("tonnes", descending=True).unique(["link", "direction"], keep="first", maintain_order=True)
    rows = []
    for row in best.head(TWIN).to_dicts():
        at = {ROW: int(row[ROW])}
        use = f.get("links", "use", at)
        rows.append(
            [
                head(context.link(row["link"], row["direction"])),
                text_cell(row["country"], class_="codes"),
                text_cell(row["mode"], class_="soft"),
                cell(f.get("links", "tonnes", at), Units.MT),
                cell(f.get("links", "teu", at), Units.TEU),
                cell(f.get("links", "trains_day", at), Units.TRAINS_DAY),
                cell(f.get("links", "preload_trains_day", at), Units.TRAINS_DAY),
                cell(f.get("links", "capacity_trains_day", at), Units.TRAINS_DAY),
                bar_cell(use, Units.PERCENT, 1.0, grade=grade(use.value)),
            ]
        )
    columns = [
        Column("Link", text=True),
        Column("Country", text=True),
        Column("Mode", text=True),
        Column("Freight", "Mt a year"),
        Column("Boxes", "TEU a year"),
        Column("Modelled", group="Trains a day"),
        Column("Preload", group="Trains a day"),
        Column("Capacity", group="Trains a day"),
        Column("Use", "%", group="Trains a day"),
    ]
    return table(f"Links with most freight in one direction, {context.label(run)}", columns, rows)


# -------------------------------------------------------------------------------------------------------- passages

#: Colours that colour-blind people tell apart (after Okabe and Ito); in turn with dashes where there are more passages.
HUES = 7


def passage_map(context: Context, sheet: Sheet) -> Html:
    """Standard routes of the passages side by side, numbered as in their table."""
    run = (context.runs or [Run("", 0)])[-1]
    frame = context.results.of("passages", run.scenario, run.year)
    order = context.passages
    routes = {row["passage"]: (row["links"] or "").split(";") for row in frame.to_dicts() if row["status"] == "open"}
    lanes: dict[str, list[str]] = {}
    for name in order:
        for one in dict.fromkeys(routes.get(name, ())):
            lanes.setdefault(one, []).append(name)
    drawn, badges, seen = [], Labels(sheet.frame), []
    marks = []
    for number_, name in enumerate(order, start=1):
        pieces, middles = [], []
        for one in dict.fromkeys(routes.get(name, ())):
            parts = sheet.lines.get(one)
            if parts is None:
                continue
            lane = lanes[one].index(name) - (len(lanes[one]) - 1) / 2
            # lanes lie to the same side whichever way a link was drawn
            flip = 1 if parts[0][0][0] <= parts[-1][-1][0] else -1
            for part in parts:
                moved = push(simplify(part, 1.2), flip * lane * 2.9)
                pieces.append(path(moved))
                middles.append(((len(lanes[one]), -_length(part)), moved[len(moved) // 2]))
        if not pieces:
            continue
        seen.append((number_, name))
        title = context.named("passages", name)
        kind = f"hue{(number_ - 1) % HUES} dash{(number_ - 1) // HUES}"
        drawn.append(el("path", el("title", f"{number_} {title}"), d="".join(pieces), class_=f"passage {kind}"))
        marks.append(_badge(badges, sheet.frame, number_, kind, [p for _, p in sorted(middles, key=lambda m: m[0])]))
    breaks = [("crossing", n) for n in _gauge_breaks(context, run)]
    important = important_names(context, run)
    chosen = {n for _, n in breaks}
    wanted = breaks + [(k, n) for k, n in important if k == "hub" or n in chosen]
    labels = name_places(sheet, wanted, badges)
    body = join([el("use", href=f"#{sheet.name}-net"), *drawn, labels, *marks])
    title = f"Passages by the route of their standard relation, {context.label(run)}"
    description = "Routes lie side by side where passages share a line; numbers are those of the table of passages."
    drawing = sheet.draw(body, Html(""), title, description)
    legend = legend_of(
        [
            (
                swatch(2.4, f"passage hue{(n - 1) % HUES} dash{(n - 1) // HUES}"),
                f"{n} {context.named('passages', name)}",
            )
            for n, name in seen
        ]
        + network_legend()
    )
    return figure_of(context, title, drawing, legend)


def _length(points: F8) -> float:
    step = np.diff(points, axis=0)
    return float(np.hypot(step[:, 0], step[:, 1]).sum())


def _badge(used: Labels, frame: Frame, number_: int, kind: str, points: Sequence[F8]) -> Html:
    """A number on a route, where there is room; on lines that few passages share, first."""
    radius = 7.5
    for point in points:
        x, y = float(point[0]), float(point[1])
        box = (x - radius, y - radius, x + radius, y + radius)
        if frame.holds(point, radius + 2) and used.is_free(box):
            used.keep_free(*box)
            circle = el(
                "circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=str(radius), class_=f"badge {kind.split(maxsplit=1)[0]}"
            )
            text = el("text", str(number_), x=f"{x:.1f}", y=f"{y + 3.6:.1f}", text_anchor="middle", class_="badge")
            return join([circle, text])
    return Html("")


def _gauge_breaks(context: Context, run: Run) -> list[str]:
    """Crossings on the standard routes that lie beside a change of gauge."""
    frame = context.results.of("passages", run.scenario, run.year)
    links = {one for text in frame["links"].drop_nulls().to_list() for one in text.split(";")}
    crossings, yards = context.table("crossings"), context.table("gauge_changes")
    if not crossings.height or not yards.height:
        return []
    at = yards["place"].unique().to_list()
    beside = pl.col("place_a").is_in(at) | pl.col("place_b").is_in(at)
    return crossings.filter(pl.col("link").is_in(list(links)) & beside)["id"].to_list()


# --------------------------------------------------------------------------------------------------------- changes


def change_maps(context: Context, sheets_: Sequence[Sheet]) -> Html:
    """Maps of what each scenario changes, in each frame."""
    pairs = context.pairs[-MOST_MAPS:]
    panels: list[tuple[str, str, Html]] = []
    changes = {pair: link_changes(context, *pair) for pair in context.pairs}
    for pair in context.pairs:
        if pair in pairs:
            before, after = pair
            label = f"{context.scenario(after.scenario)} against {context.label(before)}"
            panels.append((after.key, label, _change_map(context, sheets_, before, after, changes[pair])))
    return views("change-maps", panels)


def _change_map(context: Context, sheets_: Sequence[Sheet], before: Run, after: Run, change: pl.DataFrame) -> Html:
    changed = change.filter(pl.col("change").abs() >= LEAST_T).sort(pl.col("change").abs(), descending=True)
    new = set(context.new_links(before, after))
    most = float(changed["change"].abs().max() or 1.0)  # type: ignore[arg-type]
    names = f"{context.scenario(after.scenario)} against {context.scenario(before.scenario)}"
    title = f"{names}, {after.year}: change of freight"
    description = (
        "Each line is as wide as its change of freight, both directions together; blue and solid where there is more, "
        "orange and broken where there is less. The table below holds the largest changes."
    )
    drawings = []
    for sheet in sheets_:
        more: list[Html] = []
        less: list[Html] = []
        opened: list[Html] = []
        for row in changed.to_dicts():
            parts = sheet.lines.get(row["link"])
            if parts is None:
                continue
            width = width_of(abs(row["change"]), most)
            data = "".join(path(calm(part, width)) for part in parts)
            tip = (
                f"{context.link(row['link'])}: {amount(row['change'], Units.MT, sign=True)} a year "
                f"({amount(row['before'], Units.MT)} → {amount(row['after'], Units.MT)})"
            )
            band = el("path", el("title", tip), d=data, stroke_width=f"{width:.2f}")
            (more if row["change"] > 0 else less).append(band)
            if row["link"] in new:
                opened.append(el("path", d=data, stroke_width=f"{width + 3.2:.2f}"))
        body = join(
            [
                el("use", href=f"#{sheet.name}-net"),
                el("g", *opened, class_="opened"),
                el("g", *less, class_="change less"),
                el("g", *more, class_="change more"),
            ]
        )
        wanted = [("crossing", n) for n in context.new_crossings(before, after)] + important_names(context, after)
        part = " (window)" if sheet.name == "window" else ""
        drawings.append(sheet.draw(body, name_places(sheet, wanted), title + part, description))
    legend = legend_of(
        [
            *[(swatch(width_of(t, most), "none"), round_mt(t) + " a year, both directions") for t in samples(most)],
            (swatch(5, "change more"), "more"),
            (swatch(5, "change less"), "less"),
            *([(swatch(5, "opened"), "edge of a line that only this scenario opens")] if new else []),
            *network_legend(),
        ]
    )
    return figure_of(context, title, join(drawings), legend, _change_twin(context, before, after, changed))


def _change_twin(context: Context, before: Run, after: Run, changed: pl.DataFrame) -> Html:
    f = context.figures
    rows = []
    frame = context.results["links"].filter(pl.col("year") == after.year)
    for name in changed["link"].head(TWIN).to_list():
        part = frame.filter((pl.col("link") == name) & pl.col("scenario").is_in([before.scenario, after.scenario]))
        # the section that carries most stands for the link
        best = part.sort("tonnes", descending=True).to_dicts()[0]
        for way in ("ab", "ba"):
            section = {"link": name, "direction": way, "country": best["country"], "gauge_mm": best["gauge_mm"]}
            at, was = after.rows(**section), before.rows(**section)
            rows.append(
                [
                    head(context.link(name, way)),
                    text_cell(best["country"], class_="codes"),
                    text_cell(f"{best['gauge_mm']} mm" if best["gauge_mm"] else "", class_="soft"),
                    cell(f.get("links", "tonnes", was), Units.MT),
                    cell(f.get("links", "tonnes", at), Units.MT),
                    cell(f.change("links", "tonnes", at, was), Units.MT, sign=True),
                ]
            )
    columns = [
        Column("Link", text=True),
        Column("Country", text=True),
        Column("Gauge", text=True),
        Column(context.scenario(before.scenario), "Mt a year"),
        Column(context.scenario(after.scenario), "Mt a year"),
        Column("Change", "Mt a year"),
    ]
    return table(f"Links whose freight changes most, {after.year}", columns, rows)
