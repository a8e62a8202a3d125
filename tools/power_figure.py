"""Draw one figure from an answer about power: who gains by an investment, or how many ways a country has.

landbridge power examples/cku.toml --year 2030 --size reduced --players CN,KZ,RU,BY,KG,UZ,eu --out results/power-cku
python tools/power_figure.py results/power-cku docs/figures/power-cku.svg
landbridge dependence KZ --years 2013-2026 --size reduced --out results/dependence-kz
python tools/power_figure.py results/dependence-kz docs/figures/ways-kz.svg
"""

from __future__ import annotations

import json
import sys
from html import escape
from pathlib import Path

import polars as pl

WIDTH, ROW, LEFT, TOP = 640, 22, 120, 46
COLOURS = ("#1b6ca8", "#c8553d", "#3c8d53", "#8a5aa8", "#8d7a2f")


def svg(title: str, height: int, parts: list[str]) -> str:
    """Put parts into one picture, with a title for those who cannot see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="sans-serif" '
        f'font-size="12"><title>{escape(title)}</title><rect width="{WIDTH}" height="{height}" fill="#fff"/>'
        f'<text x="10" y="20" font-size="14">{escape(title)}</text>{"".join(parts)}</svg>\n'
    )


def bars(folder: Path, answer: dict[str, object]) -> str:
    """Change of the Shapley value by player, both rules, before the cost of building."""
    change = pl.read_parquet(folder / "tables" / "power_change.parquet").filter(~pl.col("net_of_cost"))
    if change.is_empty():
        change = pl.read_parquet(folder / "tables" / "power_change.parquet")
    rules = change["rule"].unique(maintain_order=True).to_list()
    players = change["player"].unique(maintain_order=True).to_list()
    most = change["shapley_change_usd_yr"].abs().max() or 1.0
    middle, scale = (WIDTH + LEFT) / 2, (WIDTH - LEFT - 150) / 2 / float(most)
    parts = []
    for i, rule in enumerate(rules):
        parts.append(f'<text x="{LEFT + 220 * i}" y="38" fill="{COLOURS[i]}">{escape(rule)}</text>')
    for number, player in enumerate(players):
        y = TOP + number * (ROW * len(rules) + 8)
        parts.append(f'<text x="10" y="{y + ROW}">{escape(player)}</text>')
        for i, rule in enumerate(rules):
            row = change.filter((pl.col("rule") == rule) & (pl.col("player") == player))
            value = float(row["shapley_change_usd_yr"][0])
            long, at = abs(value) * scale, y + i * ROW
            x = middle if value >= 0 else middle - long
            end = middle + long + 4 if value >= 0 else middle - long - 4
            anchor = "start" if value >= 0 else "end"
            parts.append(f'<rect x="{x:.1f}" y="{at}" width="{long:.1f}" height="{ROW - 6}" fill="{COLOURS[i]}"/>')
            parts.append(f'<text x="{end:.1f}" y="{at + 12}" text-anchor="{anchor}">{value / 1e6:+.0f}</text>')
    parts.append(f'<line x1="{middle}" x2="{middle}" y1="{TOP}" y2="{y + 50}" stroke="#333"/>')
    title = (
        f"What {answer['after']} changes in {answer['year']}: Shapley value, million USD a year ({answer['size']} size)"
    )
    return svg(title, TOP + len(players) * (ROW * len(rules) + 8) + 14, parts)


def lines(folder: Path, answer: dict[str, object]) -> str:
    """Effective number of ways over the years, one line a kind."""
    table = pl.read_parquet(folder / "tables" / "diversification.parquet")
    table = table.filter(pl.col("scenario") == table["scenario"][-1])
    years, kinds = table["year"], table["kind"].unique(maintain_order=True).to_list()
    first, last = int(years.min()), int(years.max())  # type: ignore[arg-type]
    most, height = float(table["effective_number"].max()), 300  # type: ignore[arg-type]

    def x(year: int) -> float:
        return 50 + (WIDTH - 190) * (year - first) / max(last - first, 1)

    def y(value: float) -> float:
        return height - 30 - (height - 80) * value / most

    parts = [f'<line x1="50" x2="{WIDTH - 140}" y1="{y(0)}" y2="{y(0)}" stroke="#333"/>']
    for year in sorted(set(years.to_list())):
        parts.append(f'<text x="{x(year):.0f}" y="{height - 12}" text-anchor="middle">{year}</text>')
    for value in range(0, int(most) + 1, max(1, int(most) // 5)):
        parts.append(f'<text x="40" y="{y(value) + 4:.0f}" text-anchor="end">{value}</text>')
    for i, kind in enumerate(kinds):
        mine = table.filter(pl.col("kind") == kind).sort("year")
        points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in mine.select("year", "effective_number").rows())
        end = mine.row(-1, named=True)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[i]}" stroke-width="2"/>')
        place = f'x="{x(end["year"]) + 6:.0f}" y="{y(end["effective_number"]) + 4:.0f}"'
        parts.append(f'<text {place} fill="{COLOURS[i]}">{kind}</text>')
    title = f"How many ways {answer['country']} has: effective numbers ({answer['size']} size)"
    return svg(title, height, parts)


def main() -> None:
    """Draw."""
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    draw = {"power": bars, "dependence": lines}.get(answer["question"])
    if draw is None:
        raise SystemExit(f"{folder}: wanted an answer about power or dependence, got {answer['question']}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(draw(folder, answer), encoding="utf-8")


if __name__ == "__main__":
    main()
