"""Chapters that hold the model against the world: validation, past events, sensitivity of headlines."""

from __future__ import annotations

import math

import polars as pl

from landbridge.show.report.chapters.tables import by_tables
from landbridge.show.report.drawing import chart, dot, line, text
from landbridge.show.report.folders import Folder
from landbridge.show.report.frames import frame_table, held
from landbridge.show.report.markup import Html, el, join, number

__all__ = ["backtest", "sensitivity", "validation"]

HUES = {"predicted": "hue0", "fitted": "hue2", "echo": "hue1"}
WIDE, HIGH, EDGE = 620.0, 480.0, 56.0

#: Columns of the table of targets that fit on a page; the folder has the others.
TARGETS = "id class indicator subject year unit observed low high modelled error_pct inside why".split()


def validation(folder: Folder) -> Html:
    """Show each target beside the model's number."""
    frame = folder.frame("targets").with_row_index("row")
    if not frame.height:
        return by_tables(folder)
    answered = frame.filter(pl.col("modelled").is_not_null() & (pl.col("observed") > 0) & (pl.col("modelled") > 0))
    parts = [frame_table(folder, "by_class"), _scatter(folder, answered)]
    order = frame.sort("log_error", descending=True, nulls_last=True) if "log_error" in frame.columns else frame
    caption = "Targets, the furthest off first"
    parts.append(frame_table(folder, "targets", order, columns=TARGETS, caption=caption, limit=100))
    return join([*parts, by_tables(folder, ["targets", "by_class"])])


def _scatter(folder: Folder, frame: pl.DataFrame) -> Html:
    """Modelled over observed, both on logarithmic axes."""
    if frame.height < 2:
        return Html("")
    values = [*frame["observed"].to_list(), *frame["modelled"].to_list()]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    span = float(high - low)

    def x(value: float) -> float:
        return EDGE + (math.log10(value) - low) / span * (WIDE - EDGE - 12)

    def y(value: float) -> float:
        return HIGH - EDGE - (math.log10(value) - low) / span * (HIGH - EDGE - 12)

    ends = 10.0**low, 10.0**high
    parts = [line(x(ends[0]), y(ends[0]), x(ends[1]), y(ends[1]), "rule-strong")]
    for factor in (0.5, 2.0):
        a, b = (max(ends[0], ends[0] / factor), min(ends[1], ends[1] / factor))
        parts.append(line(x(a), y(a * factor), x(b), y(b * factor), "rule"))
    step = max(1, round(span / 6))
    for power in range(int(low), int(high) + 1, step):
        value = 10.0**power
        label = f"{value:g}" if -3 <= power <= 4 else f"1e{power}"
        parts += [text(x(value), HIGH - EDGE + 20, label, "middle"), text(EDGE - 8, y(value) + 4, label, "end")]
    for row in frame.to_dicts():
        words = (
            f"{row['id']} {row['indicator']}, {row['subject']}, {row['year']}: observed {row['observed']:.4g}, "
            f"modelled {row['modelled']:.4g} {row['unit']}"
        )
        kind = HUES.get(str(row["class"]), "none")
        keys = held(folder, "targets", "modelled", row["row"], row["modelled"])
        parts.append(dot(x(row["observed"]), y(row["modelled"]), kind, words, keys))
    parts += [text(WIDE / 2, HIGH - 8, "observed", "middle"), text(4, 14, "modelled")]
    title = "Modelled over observed, each in its own unit; the line is equality, those beside it a factor of two"
    count = number(frame.height)
    legend = [(kind, name) for name, kind in HUES.items()]
    return chart(title, WIDE, HIGH, parts, legend=legend, note=f"{count} targets; their numbers are in the table.")


def backtest(folder: Folder) -> Html:
    """Show past events: what was said of them, and what the model does."""
    return by_tables(folder)


def sensitivity(folder: Folder) -> Html:
    """Show which inputs move headlines, with the share of them that is estimated."""
    text_ = "Each input is moved alone over its range; the share of estimates tells how much of it is a judgement."
    return join([el("p", text_), by_tables(folder)])
