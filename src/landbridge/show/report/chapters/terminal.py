"""The chapter on a terminal: verdict, hours by step, use of what works there, queue over time, delay curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from landbridge.show.report.drawing import chart, line, polyline, text
from landbridge.show.report.folders import Folder
from landbridge.show.report.markup import ABSENT, Column, Html, el, head, join, number, table, text_cell
from landbridge.show.report.sections import grade
from landbridge.show.report.strips import Mark, Piece, Strip, strips

__all__ = ["terminal"]

WIDE, HIGH, LEFT, BELOW = 760.0, 260.0, 48.0, 34.0


def terminal(folder: Folder) -> Html:
    """Show the runs of a terminal."""
    told = folder.told
    parts = [_said(told), _steps(told), _use(told), _queue(folder), _curve(told.get("curve") or {})]
    return join([part for part in parts if part])


def _said(told: Mapping[str, Any]) -> Html:
    facts = [
        ("Verdict", str(told.get("verdict") or ABSENT).replace("_", " ")),
        ("Why", str(told.get("reason") or "")),
        ("Trains offered a day", number(told.get("offered_trains_day"), 1)),
        ("Trains handled a day", number(told.get("trains_day"), 1)),
        ("Boxes a year", f"{number(told.get('throughput_teu_yr'))}\u202fTEU"),
        ("Bottleneck", str(told.get("bottleneck") or ABSENT)),
        ("Runs", f"{told.get('replications', ABSENT)} of {number(told.get('days'))} days, seed {told.get('seed')}"),
        ("Note", str(told.get("note") or "")),
    ]
    listed = [join([el("dt", k), el("dd", v)]) for k, v in facts if v and v != ABSENT]
    return join(
        [el("h3", str(told.get("name") or told.get("terminal") or "Terminal")), el("dl", *listed, class_="facts")]
    )


def _steps(told: Mapping[str, Any]) -> Html:
    """Hours by step: mean with its interval, and quantiles."""
    dwell = told.get("dwell_h") or {}
    between = (told.get("confidence_intervals_95") or {}).get("dwell_h") or {}
    keys = list(dict.fromkeys(key for each in dwell.values() for key in each))
    rows = []
    for step, each in dwell.items():
        found = between.get(step)
        low, high = (found.get("low"), found.get("high")) if isinstance(found, Mapping) else (None, None)
        span = f"{number(low, 2)} – {number(high, 2)}" if low is not None else ""
        rows.append(
            [
                head(step.replace("_", " ").capitalize()),
                *[
                    el("td", number(each.get(key), 2), class_="n", data_value=repr(each.get(key)), data_step=step)
                    for key in keys
                ],
                text_cell(span, class_="n soft"),
            ]
        )
    if not rows:
        return Html("")
    columns = [
        Column("Step", text=True),
        *[Column(key.replace("_", " "), "h") for key in keys],
        Column("95 % of mean", "h"),
    ]
    return table("Hours by step", columns, rows, note="Intervals over the runs (Student's t).")


def _use(told: Mapping[str, Any]) -> Html:
    use = {k: v for k, v in (told.get("utilisation") or {}).items() if isinstance(v, int | float)}
    if not use:
        return Html("")
    rows = []
    for name, value in sorted(use.items(), key=lambda p: -p[1]):
        track: list[Piece | Mark] = [Piece(0.0, min(value, 1.0), grade(value) or "free"), Mark(1.0, "limit")]
        rows.append(
            Strip(name.replace("_", " "), [track], el("span", f"{number(100 * value)}\u202f%", class_="figure"))
        )
    ticks = [(0.0, "0"), (0.5, "50"), (1.0, "100")]
    return strips("Use of tracks, cranes and people, mean over the runs", rows, ticks=ticks, unit="%")


def _queue(folder: Folder) -> Html:
    """Trains outside over time: the mean of the runs, and each run faint."""
    frame = folder.frame("queue")
    sides = [c for c in frame.columns if c.startswith("outside_")]
    if not frame.height or not sides:
        return Html("")
    whole = frame.with_columns(pl.sum_horizontal(sides).alias("all"))
    mean = whole.group_by("time_h", maintain_order=True).agg(pl.col("all").mean(), pl.col("all").max().alias("most"))
    times, values = mean["time_h"].to_list(), mean["all"].to_list()
    most = max(1.0, float(whole["all"].max()))  # type: ignore[arg-type]
    last = max(float(times[-1]), 1.0)

    def x(hours: float) -> float:
        return LEFT + hours / last * (WIDE - LEFT - 8)

    def y(count: float) -> float:
        return HIGH - BELOW - count / most * (HIGH - BELOW - 18)

    step = max(1, len(times) // 380)
    parts = [line(LEFT, y(0), WIDE - 8, y(0), "rule-strong"), line(LEFT, y(most), WIDE - 8, y(most), "rule")]
    for run in whole["replication"].unique(maintain_order=True).to_list()[:12]:
        mine = whole.filter(pl.col("replication") == run)
        pairs = list(zip(mine["time_h"].to_list(), mine["all"].to_list(), strict=True))[::step]
        parts.append(polyline([(x(t), y(v)) for t, v in pairs], "faint-line"))
    parts.append(polyline([(x(t), y(v)) for t, v in list(zip(times, values, strict=True))[::step]], "hue0"))
    days = last / 24
    for i in range(5):
        parts.append(text(x(last * i / 4), HIGH - 10, f"day {days * i / 4:.0f}", "middle" if i else "start"))
    parts += [text(LEFT - 6, y(most) + 4, f"{most:.0f}", "end"), text(LEFT - 6, y(0) + 4, "0", "end")]
    return chart("Trains that wait outside, both sides: mean of the runs, and each run", WIDE, HIGH, parts)


def _curve(curve: Mapping[str, Any]) -> Html:
    """Delay over volume, as it was simulated and fitted."""
    points = curve.get("points") or []
    if not points or not isinstance(points[0], Mapping):
        return Html("")
    keys = list(points[0])
    rows = [
        [
            el("td", number(p[k], 2) if isinstance(p[k], int | float) else str(p[k] if p[k] is not None else ABSENT))
            for k in keys
        ]
        for p in points
    ]
    columns = [Column(key.replace("_", " ")) for key in keys]
    return table("Delay curve, point by point", columns, rows)
