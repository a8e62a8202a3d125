"""Time and cost of routes over distance, as one SVG that opens anywhere.

The chart of corridor planners: kilometres to the right, cumulative days upwards in one panel and cumulative money in
the other. A run is a slope; whatever takes time or money without getting on (a border, a change of gauge, a transfer,
a wait, access) is a vertical step, marked by its kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10
from pathlib import Path

from landbridge.errors import OutputError
from landbridge.study.routing import Leg, NamedRoute

__all__ = ["time_cost_chart", "write_chart"]

#: Told apart by people who see colours differently, and by their dashes in print.
HUES = ("#0b63a5", "#c75a0a", "#0a8060", "#b0488a", "#8a6d00", "#5d52b5", "#2b8cb8")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 4", "1 4")
#: Shape of the mark of a step, by type of leg; access goes without one.
MARKS = {"border": "circle", "gauge change": "square", "transfer": "diamond", "wait": "triangle"}
MEANING = {
    "border": "border",
    "gauge change": "change of gauge",
    "transfer": "change of mode",
    "wait": "wait for a sailing",
}

WIDTH, PANEL, LEFT, RIGHT, TOP, GAP, LINE = 960, 300, 78, 28, 56, 58, 20
#: About so many lines of the grid on each axis.
GRID = 6

STYLE = (
    "text{font-family:system-ui,'Segoe UI','Noto Sans','DejaVu Sans',sans-serif;font-size:13px;fill:#1b2129}"
    ".soft{fill:#56606c;font-size:12px}.title{font-size:17px;font-weight:600}"
    ".grid{stroke:#dcd8ce;stroke-width:1}.axis{fill:none;stroke:#8d8a81;stroke-width:1}"
    ".way{fill:none;stroke-width:2.2;stroke-linejoin:round}"
)


def time_cost_chart(routes: Sequence[NamedRoute], title: str, unit: str) -> str:
    """Draw routes over distance.

    Parameters
    ----------
    routes
        At least one.
    title
        Heading.
    unit
        What the money is for, as ``FEU``.

    Returns
    -------
    str
        An SVG document.
    """
    legend = len(routes) * 2 * LINE + 40
    height = TOP + 2 * PANEL + GAP + legend + 56
    longest = max(route.length_km for route in routes)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fbfaf7"/>',
        f'<text class="title" x="{LEFT}" y="30">{escape(title)}</text>',
    ]
    days = [_line(route, "time") for route in routes]
    money = [_line(route, "money") for route in routes]
    parts += _panel(routes, days, longest, TOP, "days from hand-over", last=False)
    parts += _panel(routes, money, longest, TOP + PANEL + GAP, f"USD per {unit}, added up", last=True)
    y = TOP + 2 * PANEL + GAP + 62
    for i, route in enumerate(routes):
        borders = f"{len(route.borders)} border{'' if len(route.borders) == 1 else 's'}"
        words = (
            f"{route.passage}: {route.length_km:,.0f} km, {route.time_h / 24:.1f} days (nine in ten within "
            f"{route.time_p90_h / 24:.1f}), {route.cost_usd:,.0f} USD, {borders}"
        )
        parts.append(
            f'<path class="way" d="M{LEFT} {y - 4}h34" stroke="{HUES[i % len(HUES)]}"{_dash(i)}/>'
            f'<text x="{LEFT + 44}" y="{y}">{escape(words)}</text>'
            f'<text class="soft" x="{LEFT + 44}" y="{y + LINE - 4}">{escape(", ".join(route.countries))}</text>'
        )
        y += 2 * LINE
    x = float(LEFT)
    for kind, shape in MARKS.items():
        parts.append(_mark(shape, x + 6, y - 4, "#56606c"))
        parts.append(f'<text class="soft" x="{x + 18:g}" y="{y}">{MEANING[kind]}</text>')
        x += 150
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def write_chart(path: Path, routes: Sequence[NamedRoute], title: str, unit: str) -> None:
    """Write the chart of routes into a file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        path.write_text(time_cost_chart(routes, title, unit), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: the chart could not be written: {error}") from error


def _line(route: NamedRoute, what: str) -> list[tuple[float, float, Leg | None]]:
    """Points of a route, kilometres and what has added up, each with the leg that leads to it."""
    km = total = 0.0
    points: list[tuple[float, float, Leg | None]] = [(0.0, 0.0, None)]
    for leg in route.legs:
        km += leg.length_km
        total += leg.time_h / 24 if what == "time" else leg.cost_usd
        points.append((km, total, leg))
    return points


def _panel(
    routes: Sequence[NamedRoute],
    lines: Sequence[Sequence[tuple[float, float, Leg | None]]],
    longest: float,
    top: float,
    label: str,
    *,
    last: bool,
) -> list[str]:
    highest = max(max((value for _, value, _ in line), default=0.0) for line in lines)
    across, up = _ticks(longest), _ticks(highest)
    # the frame ends where the data do, so that slopes use the room there is
    wide, high = max(longest, across[-1]), max(highest, up[-1])
    bottom = top + PANEL

    def x(km: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * km / (wide or 1)

    def y(value: float) -> float:
        return bottom - PANEL * value / (high or 1)

    parts = [f'<text class="soft" x="{LEFT}" y="{top - 8:g}">{escape(label)}</text>']
    for tick in up:
        parts.append(f'<path class="grid" d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="soft" x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:,.10g}</text>')
    for tick in across:
        parts.append(f'<path class="grid" d="M{x(tick):.1f} {top:g}V{bottom:g}"/>')
        parts.append(
            f'<text class="soft" x="{x(tick):.1f}" y="{bottom + 18:g}" text-anchor="middle">{tick:,.10g}</text>'
        )
    parts.append(f'<path class="axis" d="M{LEFT} {top:g}V{bottom:g}H{WIDTH - RIGHT}"/>')
    if last:
        parts.append(f'<text class="soft" x="{WIDTH - RIGHT}" y="{bottom + 36:g}" text-anchor="end">km</text>')
    for i, (route, line) in enumerate(zip(routes, lines, strict=True)):
        hue = HUES[i % len(HUES)]
        way = "L".join(f"{x(km):.1f} {y(value):.1f}" for km, value, _ in line)
        parts.append(
            f'<g><title>{escape(route.passage)}</title><path class="way" d="M{way}" stroke="{hue}"{_dash(i)}/>'
        )
        before = 0.0
        for km, value, leg in line:
            if leg is not None and leg.type in MARKS and value > before:
                step = f"{value - before:,.1f} days" if "days" in label else f"{value - before:,.0f} USD"
                words = f"{MEANING[leg.type]}, {leg.crossing or leg.to_place}: {step}"
                mark = _mark(MARKS[leg.type], x(km), y((before + value) / 2), hue)
                parts.append(f"<g><title>{escape(words)}</title>{mark}</g>")
            before = value
        parts.append("</g>")
    return parts


def _ticks(most: float) -> list[float]:
    """Round numbers from zero up to about the most, in steps of 1, 2, 2.5 or 5 times a power of ten."""
    if most <= 0:
        return [0.0]
    rough = most / GRID
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return [round(step * i, 10) for i in range(ceil(most / step - 1e-9) + 1)]


def _dash(number: int) -> str:
    pattern = DASHES[number % len(DASHES)]
    return f' stroke-dasharray="{pattern}"' if pattern else ""


def _mark(shape: str, x: float, y: float, hue: str) -> str:
    paint = f'fill="#fbfaf7" stroke="{hue}" stroke-width="1.6"'
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" {paint}/>'
    if shape == "square":
        return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" {paint}/>'
    outline = {"diamond": "m0-5l5 5-5 5-5-5z", "triangle": "m0-5l5 9h-10z"}[shape]
    return f'<path d="M{x:.1f} {y:.1f}{outline}" {paint}/>'
