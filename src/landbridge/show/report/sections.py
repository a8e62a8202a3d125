"""Tables of results: passages, crossings, corridors, countries, choke points, commodities, and what changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from landbridge.show.report.context import Context, Run, Units
from landbridge.show.report.figures import ROW
from landbridge.show.report.markup import (
    ABSENT,
    SHARE,
    Column,
    Html,
    Unit,
    amount,
    bar_cell,
    cell,
    el,
    head,
    join,
    number,
    percent,
    share_cell,
    table,
    text_cell,
    views,
)

__all__ = [
    "changes",
    "choke_points",
    "commodities",
    "corridors",
    "countries",
    "crossings",
    "grade",
    "passage_flows",
    "passages",
]

#: Rows shown of tables that have no end; the rest is counted below.
LONG = 40

#: Rows of a table of changes.
CHANGES = 16

TRANSIT = "Neither sender nor receiver lies at the crossing"


def grade(use: float | None) -> str:
    """Class of a use of capacity, as in the legend of the maps."""
    if use is None:
        return ""
    return "over" if use > 1 else "high" if use > 0.8 else "some" if use > 0.5 else "free"


def _rest(count: int, what: str) -> str:
    return f"{number(count)} more {what} are in the results folder." if count > 0 else ""


def _per_run(context: Context, name: str, make: Any) -> Html:
    return views(name, [(run.key, context.label(run), make(context, run)) for run in context.runs])


# ------------------------------------------------------------------------------------------------------- passages

ROUTE: tuple[tuple[str, Unit], ...] = (
    ("km", Units.KM),
    ("days", Units.DAYS),
    ("usd_feu", Units.USD),
    ("co2_kg_feu", Units.KG),
    ("borders", Units.COUNT),
    ("gauge_changes", Units.COUNT),
)


def passages(context: Context) -> Html:
    """Route of each passage's standard relation; scenarios and years that read alike share a row."""
    runs = context.runs
    rows = []
    for number_, name in enumerate(context.passages, start=1):
        kinds: dict[tuple[Any, ...], list[Run]] = {}
        for run in runs:
            found = context.results.of("passages", run.scenario, run.year).filter(pl.col("passage") == name).to_dicts()
            if found:
                row = found[0]
                shown = tuple(None if row[c] is None else round(row[c] * u.scale, u.places) for c, u in ROUTE)
                kinds.setdefault((row["status"], row["countries"], *shown), []).append(run)
        for i, (kind, where) in enumerate(kinds.items()):
            first = where[0]
            row = (
                context.results.of("passages", first.scenario, first.year)
                .filter(pl.col("passage") == name)
                .to_dicts()[0]
            )
            relation = f"{context.place(row['origin'])} – {context.place(row['destination'])}"
            title = context.named("passages", name)
            label = el("span", str(number_), class_="badge", aria_hidden="true")
            cells = [
                head(el("span", label, el("span", title, el("small", relation)), class_="numbered")),
                text_cell(_which(context, where) if len(kinds) > 1 else "all", class_="soft"),
            ]
            if kind[0] != "open":
                cells.append(el("td", "no route in this network", colspan=len(ROUTE) + 2, class_="none"))
            else:
                at = first.rows(passage=name)
                cells += [cell(context.figures.get("passages", column, at), unit) for column, unit in ROUTE]
                cells.append(share_cell(context.figures.get("passages", "km", at)))
                cells.append(text_cell((row["countries"] or "").replace(";", " · "), class_="codes way"))
            rows.append(el("tr", *cells, class_="variant" if i else "first"))
    columns = [
        Column("Passage and its standard relation", text=True),
        Column("Scenario and year", text=True),
        Column("Length", "km"),
        Column("Time", "days", meaning="Door to door without queues beyond those of other trains"),
        Column("Price", "USD a FEU", meaning="Terminal to terminal, a 40-foot box of machinery"),
        Column("CO₂", "kg a FEU"),
        Column("Borders"),
        Column("Gauge changes"),
        SHARE,
        Column("Countries on the way", text=True),
    ]
    note = (
        "Each passage is described by the best route of one standard relation at free flow; transit days and prices "
        "are from terminal to terminal. Numbers are those of the map of passages."
    )
    return table("Passages by their standard relation", columns, rows, note=note)


def _which(context: Context, runs: Sequence[Run]) -> str:
    """Say which scenarios and years, in few words."""
    by_scenario: dict[str, list[int]] = {}
    for run in runs:
        by_scenario.setdefault(run.scenario, []).append(run.year)
    every = context.results.years
    if len(by_scenario) > 1 and len({tuple(y) for y in by_scenario.values()}) == 1:
        years = next(iter(by_scenario.values()))
        if len(by_scenario) == len(context.results.scenarios):
            return ", ".join(map(str, years))
    parts = []
    for scenario, years in by_scenario.items():
        parts.append(context.scenario(scenario) + ("" if years == every else " " + ", ".join(map(str, years))))
    return "; ".join(parts)


def passage_flows(context: Context) -> Html:
    """Yearly flows by passage, a scenario beside the one it is compared with."""
    panels = []
    for pair in context.pairs or [(run, run) for run in context.runs]:
        before, after = pair
        label = (
            context.label(before)
            if before == after
            else f"{context.scenario(after.scenario)} against {context.label(before)}"
        )
        panels.append((after.key, label, _passage_flows(context, before, after)))
    return views("passage-flows", panels)


def _passage_flows(context: Context, before: Run, after: Run) -> Html:
    f = context.figures
    runs = [before] if before == after else [before, after]
    order = context.passages
    used = f.names("passage_flows", "passage", {"scenario": tuple(r.scenario for r in runs), "year": after.year})
    names = [n for n in order if n in used] + [n for n in used if n not in order]
    values = {n: max(f.value("passage_flows", "tonnes", r.rows(passage=n)) or 0 for r in runs) for n in names}
    most = max((v for n, v in values.items() if n != "other"), default=0.0)
    rows = []
    for name in names:
        title = "Other: no named passage" if name == "other" else context.named("passages", name)
        row = [head(title)]
        for column, unit in (("tonnes", Units.MT), ("teu", Units.TEU)):
            for run in runs:
                it = f.get("passage_flows", column, run.rows(passage=name))
                row.append(bar_cell(it, unit, most) if column == "tonnes" and name != "other" else cell(it, unit))
            if len(runs) == 2:
                change = f.change("passage_flows", column, after.rows(passage=name), before.rows(passage=name))
                row.append(cell(change, unit, sign=True))
        rows.append(row)
    columns = [Column("Passage", text=True)]
    for group, unit_name in (("Freight", "Mt a year"), ("Boxes, full and empty", "TEU a year")):
        columns += [Column(context.scenario(run.scenario), unit_name, group=group) for run in runs]
        if len(runs) == 2:
            columns.append(Column("Change", unit_name, group=group))
    return table(f"Flows by passage, {after.year}", columns, rows)


# ------------------------------------------------------------------------------------------------------ crossings


def crossings(context: Context) -> Html:
    """Crossings by direction: those of China first, then the others that carry something."""
    return _per_run(context, "crossings", _crossings)


def _crossings(context: Context, run: Run) -> Html:
    frame = context.results.of("crossings", run.scenario, run.year)
    total = pl.col("tonnes").sum().over("crossing")
    chinese = (pl.col("from_country") == "CN") | (pl.col("to_country") == "CN")
    used = frame.filter(total > 0).with_columns(total.alias("both"), chinese.alias("chinese"))
    used = used.sort("both", "crossing", "direction", descending=[True, False, False])
    first, others = used.filter("chinese"), used.filter(~pl.col("chinese"))
    shown = others.head(LONG)
    idle = frame.filter(total <= 0)["crossing"].n_unique()
    more = others["crossing"].n_unique() - shown["crossing"].n_unique()
    idle_note = f"{number(idle)} crossings without flow are not listed. " if idle else ""
    parts = []
    if first.height:
        parts.append(_crossing_table(context, run, first, f"Border crossings of China, {context.label(run)}", ""))
    parts.append(
        _crossing_table(
            context, run, shown, f"Other border crossings, {context.label(run)}", idle_note + _rest(more, "crossings")
        )
    )
    return join(parts)


def _crossing_table(context: Context, run: Run, frame: pl.DataFrame, caption: str, note: str) -> Html:
    f = context.figures
    most = max(frame["tonnes"].to_list(), default=0.0)
    rows = []
    for row in frame.to_dicts():
        at = run.rows(crossing=row["crossing"], direction=row["direction"])
        transit = run.rows(crossing=row["crossing"], direction=row["direction"], transit=True)
        use = f.get("crossings", "use", at)
        rows.append(
            [
                head(context.crossing(row["crossing"])),
                text_cell(f"{row['from_country']} → {row['to_country']}", class_="codes"),
                text_cell(row["mode"], class_="soft"),
                bar_cell(f.get("crossings", "tonnes", at), Units.MT, most),
                cell(f.get("crossing_flows", "tonnes", transit), Units.MT),
                cell(f.get("crossings", "teu", at), Units.TEU),
                cell(f.get("crossings", "empty_teu", at), Units.TEU),
                cell(f.get("crossings", "trains_day", at), Units.TRAINS_DAY),
                cell(f.get("crossings", "preload_trains_day", at), Units.TRAINS_DAY),
                cell(f.get("crossings", "capacity_trains_day", at), Units.TRAINS_DAY),
                bar_cell(use, Units.PERCENT, 1.0, grade=grade(use.value)),
                cell(f.get("crossings", "free_h", at), Units.HOURS),
                cell(f.get("crossings", "time_h", at), Units.HOURS),
                share_cell(use),
            ]
        )
    columns = [
        Column("Crossing", text=True),
        Column("Direction", text=True),
        Column("Mode", text=True),
        Column("All", "Mt a year", group="Freight"),
        Column("Transit", "Mt a year", group="Freight", meaning=TRANSIT),
        Column("Boxes", "TEU a year", group="Freight"),
        Column("Empty", "TEU a year", group="Freight"),
        Column("Modelled", group="Trains a day"),
        Column("Preload", group="Trains a day", meaning="Passenger trains and freight outside the model"),
        Column("Capacity", group="Trains a day"),
        Column("Use", "%", group="Trains a day", meaning="Modelled trains and preload over capacity"),
        Column("Free", "h", group="Hours at the border"),
        Column("Loaded", "h", group="Hours at the border", meaning="At the flows of this run"),
        SHARE,
    ]
    return table(caption, columns, rows, note=note)


def corridors(context: Context) -> Html:
    """What China's internal corridors feed to which crossing."""
    if not context.results["internal_corridors"].height:
        return el("p", "No internal corridor of China carries flows of these runs.")
    return _per_run(context, "corridors", _corridors)


def _corridors(context: Context, run: Run) -> Html:
    f = context.figures
    frame = context.results.of("internal_corridors", run.scenario, run.year)
    summed = frame.group_by("corridor", "crossing", maintain_order=True).agg(pl.col("tonnes").sum())
    order = frame["corridor"].unique(maintain_order=True).to_list()
    most = max(frame["tonnes"].to_list(), default=0.0)
    rows: list[Html] = []
    for corridor in order:
        part = summed.filter((pl.col("corridor") == corridor) & (pl.col("tonnes") > 0)).sort("tonnes", descending=True)
        for i, crossing in enumerate(part["crossing"].to_list()):
            cells = [
                head(context.named("internal_corridors", corridor), class_="again" if i else None),
                text_cell(context.crossing(crossing)),
            ]
            for column, unit in (("tonnes", Units.MT), ("teu", Units.TEU)):
                for direction in ("from-china", "to-china"):
                    it = f.get(
                        "internal_corridors",
                        column,
                        run.rows(corridor=corridor, crossing=crossing, direction=direction),
                    )
                    cells.append(bar_cell(it, unit, most) if column == "tonnes" else cell(it, unit))
            rows.append(el("tr", *cells, class_="variant" if i else "first"))
    columns = [
        Column("Corridor inside China", text=True),
        Column("Crossing that it feeds", text=True),
        Column("From China", "Mt a year", group="Freight"),
        Column("To China", "Mt a year", group="Freight"),
        Column("From China", "TEU a year", group="Boxes, full and empty"),
        Column("To China", "TEU a year", group="Boxes, full and empty"),
    ]
    note = "A flow that uses links of two corridors counts in both."
    return table(f"Internal corridors of China and their crossings, {context.label(run)}", columns, rows, note=note)


# ------------------------------------------------------------------------------------------------------ countries

NATION: tuple[tuple[str, str, str, Unit], ...] = (
    ("tonne_km", "Work", "bn tkm", Units.BN_TKM),
    ("transit_tonnes", "Transit", "Mt", Units.MT),
    ("transit_teu", "Transit", "TEU", Units.TEU),
    ("paid_on_lines_usd", "On lines", "USD mn", Units.USD_MN),
    ("paid_at_borders_usd", "At borders", "USD mn", Units.USD_MN),
    ("paid_at_yards_usd", "At yards", "USD mn", Units.USD_MN),
    ("border_tonne_h_in", "At borders, inward", "mn tonne-hours", Units.MN_TONNE_H),
    ("co2_t", "CO₂", "kt", Units.KT),
)


def countries(context: Context) -> Html:
    """What passes through each country and is paid there; with the change where there is one to show."""
    return _per_run(context, "countries", _countries)


def _countries(context: Context, run: Run) -> Html:
    f = context.figures
    frame = context.results.of("countries", run.scenario, run.year).sort("tonne_km", descending=True)
    before = Run(context.base, run.year)
    compared = run.scenario != context.base
    most = max(frame["tonne_km"].to_list(), default=0.0)
    rows = []
    for name in frame["country"].head(LONG).to_list():
        at = run.rows(country=name)
        row = [head(context.country(name))]
        for column, _, _, unit in NATION:
            it = f.get("countries", column, at)
            row.append(bar_cell(it, unit, most) if column == "tonne_km" else cell(it, unit))
            if compared and column in ("transit_tonnes", "paid_on_lines_usd"):
                row.append(cell(f.change("countries", column, at, before.rows(country=name)), unit, sign=True))
        row.append(share_cell(f.get("countries", "tonne_km", at)))
        rows.append(row)
    columns = [Column("Country", text=True)]
    for column, label, unit_name, _ in NATION:
        group = "Paid by freight" if column.startswith("paid") else ""
        columns.append(Column(label, unit_name, group=group))
        if compared and column in ("transit_tonnes", "paid_on_lines_usd"):
            columns.append(Column("Change", unit_name, group=group))
    columns.append(SHARE)
    note = (
        "Transit is freight whose sender and receiver lie elsewhere. "
        "Money is what freight pays, not what a country earns. "
    )
    return table(
        f"Countries, a year, {context.label(run)}", columns, rows, note=note + _rest(frame.height - LONG, "countries")
    )


# --------------------------------------------------------------------------------------------------- choke points


def choke_points(context: Context) -> Html:
    """Lines, crossings, yards and terminals that are nearly full."""
    return _per_run(context, "choke-points", _choke_points)


def _subject(context: Context, row: dict[str, Any]) -> str:
    if row["kind"] == "crossing":
        return context.crossing(row["subject"])
    if row["kind"] == "link":
        return context.link(row["subject"], row["direction"])
    return context.place(row["subject"])


def _choke_points(context: Context, run: Run) -> Html:
    f = context.figures
    frame = context.results["choke_points"].with_row_index(ROW).filter(
        (pl.col("scenario") == run.scenario) & (pl.col("year") == run.year)
    )  # fmt: skip
    rows = []
    for row in frame.head(LONG).to_dicts():
        at = {ROW: int(row[ROW])}
        use = f.get("choke_points", "use", at)
        rows.append(
            [
                head(_subject(context, row)),
                text_cell(row["kind"], class_="soft"),
                text_cell(row["country"], class_="codes"),
                cell(f.get("choke_points", "tonnes", at), Units.MT),
                cell(f.get("choke_points", "trains_day", at), Units.TRAINS_DAY),
                cell(f.get("choke_points", "preload_trains_day", at), Units.TRAINS_DAY),
                cell(f.get("choke_points", "capacity_trains_day", at), Units.TRAINS_DAY),
                bar_cell(use, Units.PERCENT, 1.0, grade=grade(use.value)),
                cell(f.get("choke_points", "delay_h", at), Units.HOURS),
                share_cell(use),
            ]
        )
    columns = [
        Column("Where", text=True),
        Column("What", text=True),
        Column("Country", text=True),
        Column("Freight", "Mt a year"),
        Column("Modelled", group="Trains a day"),
        Column("Preload", group="Trains a day"),
        Column("Capacity", group="Trains a day"),
        Column("Use", "%", group="Trains a day"),
        Column("Delay", "h"),
        SHARE,
    ]
    return table(
        f"Choke points, the fullest first, {context.label(run)}",
        columns,
        rows,
        note=_rest(frame.height - LONG, "choke points"),
    )


# ---------------------------------------------------------------------------------------------------- commodities


def commodities(context: Context) -> Html:
    """What the crossings between China and Kazakhstan carry."""
    return _per_run(context, "commodities", _commodities)


def _commodities(context: Context, run: Run) -> Html:
    f = context.figures
    pair = ["CN", "KZ"]
    every = context.results.of("crossing_flows", run.scenario, run.year).filter(
        pl.col("from_country").is_in(pair) & pl.col("to_country").is_in(pair)
    )
    frame = context.results.of("crossings", run.scenario, run.year)
    rail = frame.filter((pl.col("mode") == "rail") & pl.col("crossing").is_in(every["crossing"].unique().to_list()))
    names = tuple(rail["crossing"].unique(maintain_order=True).to_list())
    if not names:
        return el("p", "No railway crossing between China and Kazakhstan carries freight in this run.")
    every = every.filter(pl.col("crossing").is_in(list(names)))
    summed = (
        every.group_by("commodity", maintain_order=True).agg(pl.col("tonnes").sum()).sort("tonnes", descending=True)
    )
    rows = []
    for commodity in [None, *summed["commodity"].to_list()]:
        row = [head(context.named("commodities", commodity) if commodity else "All, empty boxes with their weight")]
        for start, end in (("CN", "KZ"), ("KZ", "CN")):
            at = run.rows(crossing=names, from_country=start, to_country=end)
            if commodity:
                at = {**at, "commodity": commodity}
            row.append(cell(f.get("crossing_flows", "tonnes", at), Units.MT))
            row.append(cell(f.get("crossing_flows", "tonnes", {**at, "transit": True}), Units.MT))
            row.append(cell(f.get("crossing_flows", "teu", at), Units.TEU))
        rows.append(row if commodity else el("tr", *row, class_="total"))
    columns = [Column("Commodity", text=True)]
    for group in ("China → Kazakhstan", "Kazakhstan → China"):
        columns += [
            Column("All", "Mt a year", group=group),
            Column("Transit", "Mt a year", group=group, meaning=TRANSIT),
            Column("Boxes", "TEU a year", group=group),
        ]
    note = "By rail over " + ", ".join(context.crossing(name) for name in names) + "."
    return table(f"Freight between China and Kazakhstan by rail, {context.label(run)}", columns, rows, note=note)


# -------------------------------------------------------------------------------------------------------- changes


def changes(context: Context) -> Html:
    """Crossings whose flow changes most."""
    panels = []
    for before, after in context.pairs:
        label = f"{context.scenario(after.scenario)} against {context.label(before)}"
        panels.append((after.key, label, _changes(context, before, after)))
    return views("changes", panels)


def _changes(context: Context, before: Run, after: Run) -> Html:
    f = context.figures
    names = f.names("crossings", "crossing", {"scenario": (before.scenario, after.scenario), "year": after.year})
    found = [(n, f.change("crossings", "tonnes", after.rows(crossing=n), before.rows(crossing=n))) for n in names]
    ordered = sorted((p for p in found if p[1].value), key=lambda p: -abs(p[1].value or 0))
    rows = []
    for name, change in ordered[:CHANGES]:
        at, was = after.rows(crossing=name), before.rows(crossing=name)
        rows.append(
            [
                head(context.crossing(name)),
                cell(f.get("crossings", "tonnes", was), Units.MT),
                cell(f.get("crossings", "tonnes", at), Units.MT),
                cell(change, Units.MT, sign=True),
                text_cell(percent(change.value, f.value("crossings", "tonnes", was)) or ABSENT, class_="n"),
                cell(f.get("crossings", "teu", was), Units.TEU),
                cell(f.get("crossings", "teu", at), Units.TEU),
                cell(f.change("crossings", "teu", at, was), Units.TEU, sign=True),
            ]
        )
    columns = [Column("Crossing, both directions", text=True)]
    for group, unit_name in (("Freight", "Mt a year"), ("Boxes, full and empty", "TEU a year")):
        columns += [Column(context.scenario(run.scenario), unit_name, group=group) for run in (before, after)]
        columns.append(Column("Change", unit_name, group=group))
        if group == "Freight":
            columns.append(Column("Change", "%", group=group))
    left = [change for _, change in ordered[CHANGES:]]
    note = ""
    if left:
        least = max(abs(c.value or 0) for c in left)
        note = f"{number(len(left))} more crossings change by {amount(least, Units.KT)} or less."
    return table(f"Crossings whose freight changes most, {after.year}", columns, rows, note=note)
