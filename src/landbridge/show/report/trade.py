"""Trade that answers: who gains, whose exports grow, what each country still makes itself."""

from __future__ import annotations

import polars as pl

from landbridge.show.report.context import Context, Run
from landbridge.show.report.markup import Column, Html, Unit, cell, el, figure, head, join, table, views
from landbridge.show.report.strips import Mark, Piece, Strip, round_end, strips

__all__ = ["trade"]

#: Countries of the chart and of the table.
DRAWN, LISTED = 14, 40

PERCENT = Unit("%", 1, 3)
BN = Unit("USD bn", 1e-9, 2)
SHARE = Unit("%", 100, 1)


def trade(context: Context) -> Html | None:
    """Show what the study's trade tables hold; None where it has none."""
    if "trade_countries" not in context.results.tables or not context.results["trade_countries"].height:
        return None
    panels = []
    for run in context.runs:
        if context.results.of("trade_countries", run.scenario, run.year).height:
            panels.append((run.key, context.label(run), join([_chart(context, run), _table(context, run)])))
    mode = str((context.study.get("demand") or {}).get("mode", ""))
    text = "Trade answers to the cost of the network, against the scenario compared with in the same year"
    return join([el("p", f"{text} (mode {mode})." if mode else f"{text}."), views("trade", panels)])


def _chart(context: Context, run: Run) -> Html:
    f = context.figures
    frame = context.results.of("trade_countries", run.scenario, run.year)
    moved = frame.filter(pl.col("welfare_pct").abs() > 0).sort(pl.col("welfare_pct").abs(), descending=True).head(DRAWN)
    if not moved.height:
        return Html("")
    end = round_end(1000 * float(moved["welfare_pct"].abs().max())) / 1000  # type: ignore[arg-type]
    rows = []
    for name in moved.sort("welfare_pct", descending=True)["country"].to_list():
        it = f.get("trade_countries", "welfare_pct", run.rows(country=name))
        value = it.value or 0.0
        piece = Piece(0.5, 0.5 + value / end / 2, "more" if value > 0 else "less")
        rows.append(Strip(context.country(name), [[piece, Mark(0.5, "zero")]], figure(it, PERCENT, sign=True)))
    ticks = [(0.0, f"−{end:g}"), (0.5, "0"), (1.0, f"+{end:g}")]
    title = f"Welfare: change of a country's real spending, {context.label(run)}, per cent"
    return strips(title, rows, ticks=ticks, unit="%")


def _table(context: Context, run: Run) -> Html:
    f = context.figures
    frame = context.results.of("trade_countries", run.scenario, run.year)
    change = (pl.col("exports_usd") - pl.col("exports_before_usd")).abs()
    rows = []
    for name in frame.sort(change, descending=True)["country"].head(LISTED).to_list():
        at = run.rows(country=name)
        shown = (
            ("welfare_pct", PERCENT, True),
            ("real_wage_pct", PERCENT, True),
            ("exports_before_usd", BN, False),
            ("exports_usd", BN, False),
            ("imports_before_usd", BN, False),
            ("imports_usd", BN, False),
            ("home_share_before", SHARE, False),
            ("home_share", SHARE, False),
        )
        cells = [cell(f.get("trade_countries", column, at), unit, sign=sign) for column, unit, sign in shown]
        rows.append([head(context.country(name)), *cells])
    columns = [
        Column("Country", text=True),
        Column("Welfare", "%", group="Change"),
        Column("Real wages", "%", group="Change"),
        Column("before", "USD bn", group="Exports a year"),
        Column("after", "USD bn", group="Exports a year"),
        Column("before", "USD bn", group="Imports a year"),
        Column("after", "USD bn", group="Imports a year"),
        Column("before", "%", group="Made at home"),
        Column("after", "%", group="Made at home"),
    ]
    note = "Countries whose exports change most. Made at home: part of what the country uses that it makes itself."
    return table(f"Trade by country, {context.label(run)}", columns, rows, note=note)
