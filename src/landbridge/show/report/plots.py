"""Charts of a study: passages, crossings against their capacity, what changes, countries.

Each number stands beside its bar with the keys by which it is found again, as in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from landbridge.show.report.context import Context, Run, Units
from landbridge.show.report.figures import Figure
from landbridge.show.report.markup import Html, Unit, amount, el, figure, join, number, views
from landbridge.show.report.sections import grade
from landbridge.show.report.strips import Mark, Piece, Strip, round_end, strips, ticks_to

__all__ = ["change_chart", "country_chart", "crossing_chart", "passage_chart", "route_chart"]

#: Rows of a chart; tables hold the rest.
ROWS = 14


def _panels(context: Context, name: str, make: Callable[[Run, Run], Html]) -> Html:
    """One panel a pair of runs, or a run where nothing is compared."""
    panels = []
    for before, after in context.pairs or [(run, run) for run in context.runs]:
        alone = before == after
        label = context.label(after)
        if not alone:
            label = f"{context.scenario(after.scenario)} against {context.label(before)}"
        panels.append((after.key, label, make(before, after)))
    return views(name, panels)


def _bar(it: Figure, unit: Unit, most: float, kind: str, words: str) -> list[Piece | Mark]:
    value = (it.value or 0.0) * unit.scale
    return [Piece(0.0, value / most, kind, f"{words}: {amount(it.value, unit)}")] if most > 0 else []


def _sides(before: Run, after: Run) -> list[tuple[Run, str]]:
    return [(after, "hue0")] if before == after else [(before, "was"), (after, "hue0")]


def _two(
    context: Context,
    before: Run,
    after: Run,
    rows: Sequence[tuple[str, dict[Run, Figure]]],
    unit: Unit,
    title: str,
    note: str = "",
) -> Html:
    """A bar for each of two runs, and both numbers."""
    runs = _sides(before, after)
    most = max((abs((found[run].value or 0.0)) * unit.scale for _, found in rows for run, _ in runs), default=0.0)
    end = round_end(most)
    made = []
    for name, found in rows:
        tracks = [_bar(found[run], unit, end, kind, context.label(run)) for run, kind in runs]
        last = runs[-1][0]
        same = all(amount(found[run].value, unit) == amount(found[last].value, unit) for run, _ in runs)
        said = join([figure(found[run], unit) for run in ([last] if same else [run for run, _ in runs])], " → ")
        made.append(Strip(name, tracks, said))
    legend = [(kind, context.label(run)) for run, kind in runs] if len(runs) > 1 else []
    return strips(title, made, ticks=ticks_to(end), unit=unit.name, legend=legend, note=note)


def passage_chart(context: Context) -> Html:
    """Freight by passage, before and after."""

    def make(before: Run, after: Run) -> Html:
        f = context.figures
        runs = [run for run, _ in _sides(before, after)]
        used = f.names("passage_flows", "passage", {"scenario": tuple(r.scenario for r in runs), "year": after.year})
        rows = []
        for name in [n for n in used if n != "other"]:
            rows.append(
                (
                    context.named("passages", name),
                    {run: f.get("passage_flows", "tonnes", run.rows(passage=name)) for run in runs},
                )
            )
        rows.sort(key=lambda row: -max(it.value or 0.0 for it in row[1].values()))
        note = "Freight that takes no named passage is in the table."
        return _two(context, before, after, rows[:ROWS], MT, f"Freight by passage, {after.year}, Mt a year", note)

    return _panels(context, "passage-chart", make)


def route_chart(context: Context) -> Html:
    """Days, price and CO2 of the passages' standard relations, in the last year."""
    if not context.runs:
        return Html("")
    last = context.results.years[-1]
    base = Run(context.base, last)
    after = Run(context.others[-1], last) if context.others else base
    f = context.figures
    parts = []
    for column, unit, title in (
        ("days", Units.DAYS, "Days"),
        ("usd_feu", Units.USD, "USD a FEU"),
        ("co2_kg_feu", Units.KG, "kg of CO₂ a FEU"),
    ):
        rows = []
        for name in context.passages:
            found = {run: f.get("passages", column, run.rows(passage=name)) for run, _ in _sides(base, after)}
            if any(it.value is not None for it in found.values()):
                rows.append((context.named("passages", name), found))
        parts.append(_two(context, base, after, rows, Unit("", unit.scale, unit.places), f"{title}, {last}"))
    return el("div", *parts, class_="charts narrow")


def crossing_chart(context: Context) -> Html:
    """Trains against capacity at the fullest crossings, by direction."""
    panels = [(run.key, context.label(run), _crossing_chart(context, run)) for run in context.runs]
    return views("crossing-chart", panels)


def _crossing_chart(context: Context, run: Run) -> Html:
    f = context.figures
    frame = context.results.of("crossings", run.scenario, run.year).filter(
        (pl.col("tonnes") > 0) & pl.col("use").is_not_null()
    )
    rows = frame.sort("use", "crossing", "direction", descending=[True, False, False]).head(2 * ROWS).to_dicts()
    end = max(1.0, max((row["use"] for row in rows), default=1.0))
    end = 1.25 if end <= 1.25 else round_end(end)
    made = []
    for row in rows:
        at = run.rows(crossing=row["crossing"], direction=row["direction"])
        use = f.get("crossings", "use", at)
        trains = f.get("crossings", "trains_day", at)
        there = f.get("crossings", "preload_trains_day", at)
        room = f.get("crossings", "capacity_trains_day", at)
        # what is there already is the rest of the use, also where a part of a closure lowered capacity
        own = (trains.value or 0.0) / room.value if room.value else 0.0
        rest = max((use.value or 0.0) - own, 0.0)
        kind = grade(use.value)
        track: list[Piece | Mark] = [
            Piece(0.0, rest / end, "was", f"there already: {amount(there.value, Units.TRAINS_DAY)}"),
            Piece(rest / end, (rest + own) / end, kind, f"modelled: {amount(trains.value, Units.TRAINS_DAY)}"),
            Mark(1.0 / end, "limit", f"capacity: {amount(room.value, Units.TRAINS_DAY)}"),
        ]
        name = join([context.crossing(row["crossing"]), el("small", f"{row['from_country']} → {row['to_country']}")])
        said = join(
            [
                figure(use, Units.PERCENT),
                el("small", join([figure(trains, TRAINS), " + ", figure(there, TRAINS), " of ", figure(room, TRAINS)])),
            ]
        )
        made.append(Strip(name, [track], said))
    legend = [
        ("was", "trains that are there already (passengers, domestic freight)"),
        ("free", "modelled trains: use up to 50 %"),
        ("some", "50 to 80 %"),
        ("high", "80 to 100 %"),
        ("over", "over 100 %"),
        ("limit", "capacity"),
    ]
    ticks = [(at / end, f"{100 * at:.0f}") for at in (0.0, 0.5, 1.0, *((end,) if end > 1.5 else ()))]
    note = (
        "Volume over capacity (V/C) of one direction; beside it trains a day: modelled, there already, capacity. "
        f"The {number(len(rows))} fullest of {number(frame.height)} that carry freight."
    )
    title = f"Border crossings: use of capacity by direction, {context.label(run)}"
    return strips(title, made, ticks=ticks, unit="% of capacity", legend=legend, note=note)


TRAINS = Unit("", 1, 1)
MT = Unit("", 1e-6, 2)


def change_chart(context: Context) -> Html:
    """What changes most, at crossings and on passages."""
    return _panels(context, "change-chart", lambda before, after: _change_chart(context, before, after))


def _change_chart(context: Context, before: Run, after: Run) -> Html:
    f = context.figures
    parts = []
    for table, key, title in (
        ("crossings", "crossing", "Border crossings"),
        ("passage_flows", "passage", "Passages"),
        ("countries", "country", "Transit through countries"),
    ):
        column = "transit_tonnes" if table == "countries" else "tonnes"
        names = f.names(table, key, {"scenario": (before.scenario, after.scenario), "year": after.year})

        def called(name: str, key: str = key) -> str:
            if key == "passage":
                return "No named passage" if name == "other" else context.named("passages", name)
            return context.crossing(name) if key == "crossing" else context.country(name)

        found = [(called(n), f.change(table, column, after.rows(**{key: n}), before.rows(**{key: n}))) for n in names]
        moved = sorted((p for p in found if abs(p[1].value or 0.0) > 1.0), key=lambda p: -abs(p[1].value or 0.0))[:ROWS]
        if moved:
            parts.append(_both_ways(f"{title}, {after.year}: change of freight, Mt a year", moved, MT))
    if not parts:
        return el("p", "No flow changes.")
    return el("div", *parts, class_="charts")


def _both_ways(title: str, rows: Sequence[tuple[str, Figure]], unit: Unit) -> Html:
    """Bars to both sides of a line in the middle, the largest gains first and the largest losses last."""
    end = round_end(max(abs(it.value or 0.0) * unit.scale for _, it in rows))
    made = []
    for name, it in sorted(rows, key=lambda row: -(row[1].value or 0.0)):
        value = (it.value or 0.0) * unit.scale
        kind = "more" if value > 0 else "less"
        piece = Piece(0.5, 0.5 + value / end / 2, kind, f"{name}: {amount(it.value, unit, sign=True)}")
        made.append(Strip(name, [[piece, Mark(0.5, "zero")]], figure(it, unit, sign=True)))
    ticks = [(0.0, f"−{end:g}"), (0.5, "0"), (1.0, f"+{end:g}")]
    return strips(title, made, ticks=ticks, unit=unit.name, legend=[("more", "more"), ("less", "less")])


def country_chart(context: Context) -> Html:
    """Transit and money by country, before and after."""

    def make(before: Run, after: Run) -> Html:
        f = context.figures
        runs = [run for run, _ in _sides(before, after)]
        parts = []
        for column, unit, title in (
            ("transit_tonnes", Units.MT, f"Transit, {after.year}, Mt a year"),
            ("paid_on_lines_usd", Units.USD_MN, f"Paid by freight on lines, {after.year}, USD mn a year"),
            ("co2_t", Units.KT, f"CO₂ on lines, {after.year}, kt a year"),
        ):
            names = f.names("countries", "country", {"scenario": tuple(r.scenario for r in runs), "year": after.year})
            rows = [
                (context.country(name), {run: f.get("countries", column, run.rows(country=name)) for run in runs})
                for name in names
            ]
            rows.sort(key=lambda row: -max(it.value or 0.0 for it in row[1].values()))
            kept = [row for row in rows if any(it.value for it in row[1].values())][:ROWS]
            parts.append(_two(context, before, after, kept, Unit("", unit.scale, unit.places), title))
        return el("div", *parts, class_="charts")

    return _panels(context, "country-chart", make)
