"""Key findings: sentences whose every figure is taken from the results."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from landbridge.show.report.context import Context, Run, Units
from landbridge.show.report.markup import Html, amount, el, figure, join, percent

__all__ = ["findings"]

#: Changes below this are within what an equilibrium leaves open, or too small for a sentence.
NAMED_FROM_T = 10_000.0
NAMED_FROM_USD = 1e6

#: As many winners and losers are named.
NAMED = 3


def findings(context: Context) -> Html:
    """Say what the results show: first the scenario of comparison, then what each other scenario changes."""
    last = context.results.years[-1]
    base = context.scenario(context.base)
    first = el("h3", f"{base}, {last}: where freight goes")
    blocks = [el("div", first, _bullets(_state(context, Run(context.base, last))))]
    for name in context.others:
        before, after = Run(context.base, last), Run(name, last)
        title = el("h3", f"{context.scenario(name)} against {base}, {last}: what changes")
        blocks.append(el("div", title, _bullets(_effect(context, before, after))))
    note = (
        "All figures are results of the model under the assumptions below, not observations; flows are of a year. "
        f"Changes below {amount(NAMED_FROM_T, Units.KT)} are not named here."
    )
    return join([el("div", *blocks, class_="beside"), el("p", note, class_="note")])


def _bullets(items: Sequence[Html]) -> Html:
    return el("ul", *[el("li", item) for item in items], class_="findings")


def _list(parts: Sequence[Html]) -> Html:
    if len(parts) < 2:
        return join(parts)
    return join([join(parts[:-1], ", "), parts[-1]], " and ")


# ---------------------------------------------------------------------------------------------------------- state


def _state(context: Context, run: Run) -> list[Html]:
    f = context.figures
    items = []
    land = f.get("totals", "land_tonnes", run.where)
    outside = f.get("totals", "outside_tonnes", run.where)
    boxes = f.get("totals", "land_teu", run.where)
    items.append(
        join(
            [
                f"In {run.year} the model puts ",
                figure(land, Units.MT),
                " of the trade that can choose on the land network, ",
                figure(boxes, Units.KTEU),
                " in boxes; ",
                figure(outside, Units.MT),
                " take the sea or another outside option.",
            ]
        )
    )
    said = (
        ("The passages that carry most", "passage_flows", "passage"),
        ("The busiest border crossings, both directions", "crossings", "crossing"),
    )
    for words, table, key in said:
        parts = []
        for name in _largest(context, table, key, run, leave_out=("other",)):
            it = f.get(table, "tonnes", run.rows(**{key: name}))
            parts.append(join([_name(context, key, name), " (", figure(it, Units.MT), ")"]))
        if parts:
            items.append(join([f"{words}: ", _list(parts), "."]))
    items.extend(_tight(context, run))
    return items


def _tight(context: Context, run: Run) -> list[Html]:
    """Crossings that are fullest."""
    frame = context.results.of("crossings", run.scenario, run.year)
    full = frame.filter((pl.col("tonnes") > 0) & pl.col("use").is_not_null()).sort("use", descending=True)
    if not full.height:
        return []
    parts = []
    chosen = context.once_a_line(full["crossing"].to_list())[:NAMED]
    for row in full.unique("crossing", keep="first", maintain_order=True).to_dicts():
        if row["crossing"] not in chosen:
            continue
        where = run.rows(crossing=row["crossing"], direction=row["direction"])
        way = f" ({row['from_country']} → {row['to_country']}, "
        use = figure(context.figures.get("crossings", "use", where), Units.PERCENT)
        parts.append(join([context.crossing(row["crossing"]), way, use, ")"]))
    return [join(["Fullest in one direction, other trains counted: ", _list(parts), " of capacity."])]


def _largest(context: Context, table: str, key: str, run: Run, leave_out: Sequence[str] = ()) -> list[str]:
    frame = context.results.of(table, run.scenario, run.year).filter(~pl.col(key).is_in(list(leave_out)))
    summed = frame.group_by(key, maintain_order=True).agg(pl.col("tonnes").sum())
    names = summed.filter(pl.col("tonnes") > 0).sort("tonnes", descending=True)[key].to_list()
    return (context.once_a_line(names) if key == "crossing" else names)[:NAMED]


# --------------------------------------------------------------------------------------------------------- effect


def _effect(context: Context, before: Run, after: Run) -> list[Html]:
    items = [
        *_new(context, before, after),
        *_routes(context, before, after),
        *_moved(context, "crossings", "crossing", "tonnes", before, after, "crossings"),
        *_moved(context, "passage_flows", "passage", "tonnes", before, after, "passages"),
        *_moved(context, "countries", "country", "transit_tonnes", before, after, "countries, in transit"),
        *_money(context, before, after),
        *_total(context, before, after),
    ]
    if not items:
        text = f"No flow over a crossing, passage or country changes by more than {amount(NAMED_FROM_T, Units.KT)}."
        return [join([text])]
    return items


def _new(context: Context, before: Run, after: Run) -> list[Html]:
    """What runs over crossings that carry nothing in the other run."""
    f = context.figures
    items = []
    carried = [
        (n, f.value("crossings", "tonnes", after.rows(crossing=n)) or 0.0) for n in context.new_crossings(before, after)
    ]
    for name, tonnes in sorted(carried, key=lambda p: -p[1]):
        if tonnes < NAMED_FROM_T:
            continue
        total = f.get("crossings", "tonnes", after.rows(crossing=name))
        boxes = f.get("crossings", "teu", after.rows(crossing=name))
        ways = []
        frame = context.results.of("crossings", after.scenario, after.year).filter(pl.col("crossing") == name)
        for row in frame.to_dicts():
            there = f.get("crossings", "tonnes", after.rows(crossing=name, direction=row["direction"]))
            ways.append(join([f"{row['from_country']} → {row['to_country']} ", figure(there, Units.MT)]))
        items.append(
            join(
                [
                    el("strong", context.crossing(name)),
                    " carries ",
                    figure(total, Units.MT),
                    " and ",
                    figure(boxes, Units.KTEU),
                    " a year, empty boxes counted (",
                    join(ways, "; "),
                    f"); nothing in the scenario “{context.scenario(before.scenario)}”.",
                ]
            )
        )
    return items


ROUTE = (("km", Units.KM, 0.5), ("days", Units.DAYS, 0.05), ("usd_feu", Units.USD, 0.5))


def _routes(context: Context, before: Run, after: Run) -> list[Html]:
    """Passages whose standard route differs."""
    items = []
    for name in context.passages:
        pairs = [
            [context.figures.get("passages", column, run.rows(passage=name)) for run in (before, after)]
            for column, _, _ in ROUTE
        ]
        words = [[figure(it, unit) for it in pair] for pair, (_, unit, _) in zip(pairs, ROUTE, strict=True)]
        title = context.named("passages", name)
        was, now = pairs[0]
        if now.value is None:
            continue
        if was.value is None:
            items.append(
                join([f"{title} has a route for its standard relation: ", _list([w[1] for w in words]), " a FEU."])
            )
        elif any(
            abs((new.value or 0) - (old.value or 0)) > least
            for (old, new), (_, _, least) in zip(pairs, ROUTE, strict=True)
        ):
            parts = [join([old, " → ", new]) for old, new in words]
            items.append(join([f"The standard route of {title} changes: ", join(parts, ", "), " a FEU."]))
    return items


def _changes(context: Context, table: str, key: str, column: str, before: Run, after: Run) -> list[tuple[str, float]]:
    f = context.figures
    names = f.names(table, key, {"scenario": (before.scenario, after.scenario), "year": after.year})
    found = []
    for name in names:
        change = f.change(table, column, after.rows(**{key: name}), before.rows(**{key: name})).value
        if change is not None:
            found.append((name, change))
    return found


def _name(context: Context, key: str, name: str) -> str:
    if key == "crossing":
        return context.crossing(name)
    return context.country(name) if key == "country" else context.named("passages", name)


def _moved(context: Context, table: str, key: str, column: str, before: Run, after: Run, words: str) -> list[Html]:
    """The biggest losers and winners."""
    new = context.new_crossings(before, after) if table == "crossings" else []
    found = [(n, c) for n, c in _changes(context, table, key, column, before, after) if n not in new and n != "other"]
    sides = [
        ("Biggest losses", [n for n, c in sorted(found, key=lambda p: p[1]) if c <= -NAMED_FROM_T]),
        ("Biggest gains", [n for n, c in sorted(found, key=lambda p: -p[1]) if c >= NAMED_FROM_T]),
    ]
    items = []
    for title, names in sides:
        if not names:
            continue
        parts = []
        for name in (context.once_a_line(names) if key == "crossing" else names)[:NAMED]:
            at, was = after.rows(**{key: name}), before.rows(**{key: name})
            change = context.figures.change(table, column, at, was)
            share = percent(change.value, context.figures.value(table, column, was))
            called = _name(context, key, name)
            parts.append(join([called, " ", figure(change, Units.MT, sign=True), f" ({share})" if share else ""]))
        items.append(join([f"{title} among {words}: ", _list(parts), "."]))
    return items


def _money(context: Context, before: Run, after: Run) -> list[Html]:
    """Countries on whose lines more, or less, is paid."""
    found = _changes(context, "countries", "country", "paid_on_lines_usd", before, after)
    named = sorted((p for p in found if abs(p[1]) >= NAMED_FROM_USD), key=lambda p: -abs(p[1]))[: 2 * NAMED]
    if not named:
        return []
    parts = []
    for name, _ in named:
        change = context.figures.change(
            "countries", "paid_on_lines_usd", after.rows(country=name), before.rows(country=name)
        )
        parts.append(join([context.country(name), " ", figure(change, Units.USD_MN, sign=True)]))
    return [join(["What freight pays for running on lines changes most in ", _list(parts), " a year."])]


def _total(context: Context, before: Run, after: Run) -> list[Html]:
    f = context.figures
    land = f.change("totals", "land_tonnes", after.where, before.where)
    if land.value is None or abs(land.value) < NAMED_FROM_T:
        return []
    share = percent(land.value, f.value("totals", "land_tonnes", before.where))
    carbon = f.change("countries", "co2_t", after.where, before.where)
    return [
        join(
            [
                "The land network as a whole: ",
                figure(land, Units.MT, sign=True),
                f" ({share})" if share else "",
                " a year; CO",
                el("sub", "2"),
                " on its lines ",
                figure(carbon, Units.KT, sign=True),
                ".",
            ]
        )
    ]
