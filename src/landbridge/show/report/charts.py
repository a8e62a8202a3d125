"""Charts of investment as inline SVG: bars by year, bars to both sides, swings, and start years on a time line.

Every bar carries its value at full precision in ``data-value`` and says it in words when pointed at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from landbridge.show.report.markup import Html, el, number

__all__ = ["gantt", "sides", "swings", "years_chart"]

MILLION = 1e6
WIDTH = 860.0
HUES = (*(f"var(--hue{i})" for i in range(7)), "var(--none)")
SMALL: dict[str, str | float | bool | None] = {"font_family": "var(--sans)", "font_size": 12, "fill": "currentColor"}


def _text(x: float, y: float, text: str, anchor: str = "start") -> Html:
    return el("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, **SMALL)


def _bar(x: float, y: float, width: float, height: float, fill: str, value: float, words: str) -> Html:
    return el(
        "rect",
        el("title", words),
        x=f"{x:.2f}",
        y=f"{y:.2f}",
        width=f"{max(width, 0.0):.2f}",
        height=f"{max(height, 0.0):.2f}",
        fill=fill,
        data_value=repr(value),
    )


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str = "var(--rule-strong)") -> Html:
    return el("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", stroke=stroke)


def _svg(height: float, label: str, parts: Sequence[Html]) -> Html:
    return el(
        "svg", *parts, viewBox=f"0 0 {WIDTH:.0f} {height:.0f}", role="img", aria_label=label, width="100%",
        style="max-width:60rem",
    )  # fmt: skip


def _mn(value: float) -> str:
    return number(value / MILLION, 1 if abs(value) < 100 * MILLION else 0)


def years_chart(streams: Mapping[str, Mapping[int, float]], label: str) -> Html:
    """Draw yearly sums as stacked bars, costs below the line, with their sum over the years as a line.

    Parameters
    ----------
    streams
        USD by year, by stream.
    label
        What the chart shows.
    """
    years = sorted({year for values in streams.values() for year in values})
    up = {y: sum(max(v.get(y, 0.0), 0.0) for v in streams.values()) for y in years}
    down = {y: sum(min(v.get(y, 0.0), 0.0) for v in streams.values()) for y in years}
    total, running = [], 0.0
    for year in years:
        running += up[year] + down[year]
        total.append(running)
    top, bottom = max([*up.values(), 1.0]), min([*down.values(), -1.0])
    left, right, above, height = 70.0, 10.0, 10.0, 240.0
    scale = height / (top - bottom)
    zero = above + top * scale
    step = (WIDTH - left - right) / max(len(years), 1)
    parts = [_line(left, zero, WIDTH - right, zero)]
    for n, year in enumerate(years):
        x, high, low = left + n * step, zero, zero
        for hue, (name, values) in zip(HUES * 2, streams.items(), strict=False):
            value = values.get(year, 0.0)
            size = abs(value) * scale
            words = f"{year}, {name}: {_mn(value)} million USD"
            if value > 0.0:
                high -= size
                parts.append(_bar(x, high, step * 0.8, size, hue, value, words))
            elif value < 0.0:
                parts.append(_bar(x, low, step * 0.8, size, hue, value, words))
                low += size
        if n % max(1, len(years) // 10) == 0:
            parts.append(_text(x, above + height + 16, str(year)))
    parts += [_text(left - 6, above + 10, _mn(top), "end"), _text(left - 6, above + height, _mn(bottom), "end")]
    reach = max(abs(v) for v in total) or 1.0
    middle = above + height + 60
    points = " ".join(f"{left + (n + 0.4) * step:.1f},{middle - v / reach * 32:.1f}" for n, v in enumerate(total))
    parts += [
        _line(left, middle, WIDTH - right, middle),
        el("polyline", points=points, fill="none", stroke="currentColor", stroke_width=1.5),
        _text(left - 6, middle + 4, "sum so far", "end"),
        _text(WIDTH - right, middle - 34, f"in the end {_mn(total[-1])}", "end"),
    ]
    for n, (hue, name) in enumerate(zip(HUES * 2, streams, strict=False)):
        x, y = left + n % 8 * 95, middle + 56
        parts += [_bar(x, y - 10, 11, 11, hue, 0.0, name), _text(x + 15, y, name)]
    return _svg(middle + 66, label, parts)


def sides(rows: Sequence[tuple[str, float, float]], label: str, names: tuple[str, str] = ("pays", "gains")) -> Html:
    """Draw what each pays to the left and gains to the right; a loss stands on the left too, hatched lighter.

    Parameters
    ----------
    rows
        Name, paid and gained in USD.
    label
        What the chart shows.
    names
        Words for the two sides.
    """
    most = max([abs(v) for _, paid, gained in rows for v in (paid, gained)] + [1.0])
    middle, reach = WIDTH / 2, WIDTH / 2 - 130
    parts = [_text(middle - 40, 14, names[0], "end"), _text(middle + 40, 14, names[1])]
    y = 24.0
    for name, paid, gained in rows:
        wide = paid / most * reach
        parts.append(_text(middle, y + 12, name, "middle"))
        parts.append(_bar(middle - 30 - wide, y, wide, 7, "var(--less)", paid, f"{name} pays {_mn(paid)} million USD"))
        far = abs(gained) / most * reach
        x = middle + 30 if gained >= 0 else middle - 30 - far
        words = f"{name} {'gains' if gained >= 0 else 'loses'} {_mn(abs(gained))} million USD"
        fill = "var(--more)" if gained >= 0 else "var(--over)"
        parts.append(_bar(x, y + 8, far, 7, fill, gained, words))
        parts.append(_text(middle - 36 - max(wide, far if gained < 0 else 0.0), y + 12, _mn(paid), "end"))
        parts.append(_text(middle + 36 + (far if gained >= 0 else 0.0), y + 14, _mn(gained)))
        y += 24
    return _svg(y + 6, label, parts)


def swings(rows: Sequence[tuple[str, float, float]], base: float, label: str) -> Html:
    """Draw how far each assumption alone moves a value.

    Parameters
    ----------
    rows
        Name, value at the low and at the high end.
    base
        The value as it stands.
    label
        What the chart shows.
    """
    every = [base, *(v for _, low, high in rows for v in (low, high))]
    least, most = min(every), max(every)
    left, right = 120.0, 150.0
    scale = (WIDTH - left - right) / max(most - least, 1.0)

    def at(value: float) -> float:
        return left + (value - least) * scale

    parts, y = [], 8.0
    for name, low, high in rows:
        parts.append(_text(left - 8, y + 12, name, "end"))
        for value, fill in ((low, "var(--hue0)"), (high, "var(--hue1)")):
            x, wide = min(at(value), at(base)), abs(at(value) - at(base))
            parts.append(_bar(x, y, wide, 14, fill, value, f"{name}: {_mn(value)} million USD"))
        parts.append(_text(max(at(low), at(high), at(base)) + 6, y + 12, f"{_mn(low)} / {_mn(high)}"))
        y += 22
    parts.append(_line(at(base), 4, at(base), y))
    return _svg(y + 6, label, parts)


def gantt(rows: Sequence[tuple[str, int | None, int | None]], first: int, last: int, label: str) -> Html:
    """Draw construction and service of projects on a time line; those that are not built stand empty.

    Parameters
    ----------
    rows
        Name, first year of construction and of service; None = not built.
    first, last
        Years at the ends of the line.
    label
        What the chart shows.
    """
    # room for the longest name at some 6.2 points a letter of SMALL, up to a third of the width
    longest = max((len(name) for name, *_ in rows), default=0)
    left, right = min(max(190.0, 16.0 + 6.2 * longest), WIDTH / 3), 10.0
    most = int((left - 16.0) / 6.2)
    step = (WIDTH - left - right) / max(last - first + 1, 1)
    parts: list[Html] = []
    y = 24.0
    for year in range(first, last + 1, max(1, (last - first) // 12)):
        parts.append(_text(left + (year - first) * step, 14, str(year)))
    for name, start, opening in rows:
        short = name if len(name) <= most else name[: most - 1].rstrip() + "…"
        parts.append(el("g", el("title", name), _text(left - 8, y + 12, short, "end")))
        if start is None or opening is None:
            parts.append(_text(left, y + 12, "not built"))
        else:
            x, middle = left + (start - first) * step, left + (opening - first) * step
            words = f"{name}: built {start} to {opening - 1}"
            parts.append(_bar(x, y, middle - x, 15, "var(--hue1)", float(start), words))
            words = f"{name}: in service from {opening}"
            parts.append(_bar(middle, y, WIDTH - right - middle, 15, "var(--hue0)", float(opening), words))
        y += 22
    return _svg(y + 6, label, parts)
