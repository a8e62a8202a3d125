"""What stands behind the results: scenarios in words, how they were solved, what was left out, on what they rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.dictionary import read_dictionary
from landbridge.data.keys import cell as data_cell
from landbridge.data.provenance import KINDS, USER, coverage, read_origins
from landbridge.data.read import ATLAS
from landbridge.errors import DataError
from landbridge.show.report.context import Context, Run, Units
from landbridge.show.report.markup import (
    ABSENT,
    Column,
    Html,
    amount,
    cell,
    el,
    head,
    join,
    link,
    number,
    plain,
    prose,
    table,
    text_cell,
)

__all__ = [
    "assumptions",
    "convergence",
    "credits_",
    "disclaimer",
    "folder",
    "left_out",
    "parameters",
    "scenarios",
    "sources",
    "users_values",
    "with_users_values",
]

#: At most this many of the user's values are listed one by one; all are in the results folder.
LISTED = 200


def folder(context: Context) -> Path:
    """Folder of the data package; the atlas of Landbridge where the tables were made in memory."""
    package = context.tables.package
    return package.folder if package else ATLAS


def users_values(context: Context) -> str:
    """Name of the user's own values that the results rest on, how many there are and in which tables; or nothing."""
    told = context.results.manifest.get("overlay")
    if not told:
        return ""
    tables = ", ".join(f"{table} {count}" for table, count in told["tables"].items())
    return f"{told['name']}: {told['changed']} value{'s' if told['changed'] != 1 else ''} ({tables})"


def with_users_values(context: Context) -> Html:
    """A line that names the user's own values beside figures that rest on them; nothing where there are none."""
    told = users_values(context)
    return el("p", f"With the user's own values over the atlas, {told}.", class_="note overlay") if told else Html("")


def _users_numbers(context: Context) -> Iterator[tuple[str, str]]:
    """Table of each number that is the user's, and the kind that the package states for its cell."""
    overlay, package = context.tables.overlay, context.tables.package
    if overlay is None or package is None:
        return
    numbers = {(c.table, c.name) for c in read_dictionary(package.folder).columns if c.is_number}
    origins = {name: read_origins(package.folder, name)[0] for name in overlay.tables}
    for value in overlay.values.values():
        if (value.table, value.column) in numbers and value.new is not None:
            origin = origins[value.table].of(value.row, value.column)
            yield value.table, origin.kind if origin else "none"


def _listed(context: Context) -> Html:
    """The user's own values one by one, with what the atlas has in their place and how that is known."""
    overlay = context.tables.overlay
    package = context.tables.package
    if overlay is None or package is None:
        return with_users_values(context)
    origins = {table: read_origins(package.folder, table)[0] for table in overlay.tables}
    rows = []
    for value in list(overlay.values.values())[:LISTED]:
        origin = origins[value.table].of(value.row, value.column)
        known = origin.kind if origin and isinstance(value.new, (int, float)) and not value.added else ""
        rows.append(
            [
                head(value.table),
                text_cell(value.row),
                text_cell(value.column),
                text_cell("a new row" if value.added else data_cell(value.old) or ABSENT),
                text_cell(known),
                text_cell(data_cell(value.new) or ABSENT),
                text_cell(f"{value.file}, row {value.line}"),
            ]
        )
    names = ("Table", "Row", "Column", "Atlas", "Kind there", "User's value", "File and row")
    columns = [Column(name, text=True) for name in names]
    left = len(overlay.values) - len(rows)
    note = f"And {left} more, in the folder overlay of the results." if left > 0 else ""
    return table(f"The user's own values, {overlay.name}", columns, rows, class_="words", note=note)


def _text(context: Context, name: str) -> str:
    for place in (folder(context), ATLAS):
        if (place / name).is_file():
            return (place / name).read_text(encoding="utf-8")
    return ""


def disclaimer(context: Context) -> str:
    """Return the disclaimer on boundaries, as the boundary policy states it."""
    lines = [line[1:].strip() for line in _text(context, "boundary_policy.md").splitlines() if line.startswith(">")]
    return " ".join(lines)


# ------------------------------------------------------------------------------------------------------ scenarios

VERBS = {
    "build": "Build",
    "close": "Close",
    "avoid": "Shippers avoid",
    "upgrade": "Upgrade",
    "ease": "Ease",
    "charge": "Charge",
    "subsidise": "Subsidise",
    "regauge": "Change the gauge of",
    "grow": "Trade grows",
}


def _measure(context: Context, measure: Mapping[str, Any]) -> str:
    """One measure in words; what has no name of its own is told by its key."""
    named = {
        "project": lambda v: context.named("projects", v),
        "crossings": context.crossing,
        "links": context.link,
        "countries": context.country,
        "places": context.place,
        "payer": context.country,
        "payee": context.country,
    }
    objects, settings = [], []
    for key, value in measure.items():
        if key == "kind":
            continue
        if key in named:
            names = [named[key](v) for v in (value if isinstance(value, list) else [value])]
            objects.append(", ".join(names))
        elif key == "everywhere":
            objects.append("all crossings")
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            settings.append(f"{key.replace('_', ' ')} {shown}")
    kind = str(measure.get("kind", ""))
    text = " ".join([VERBS.get(kind, kind), "; ".join(objects)]).strip()
    return f"{text} ({', '.join(settings)})" if settings else text


def scenarios(context: Context) -> Html:
    """Scenarios and their measures in words."""
    rows = []
    for scenario in context.study["scenarios"]:
        name = context.scenario(scenario["id"])
        measures = [el("li", _measure(context, m)) for m in scenario["measures"]]
        body = (
            el("ul", *measures) if measures else el("span", "No measure: the network as it is or as it is under way.")
        )
        mark = el("span", "others are compared with it", class_="tag") if scenario["id"] == context.base else Html("")
        text = scenario.get("description") or ""
        rows.append(join([el("dt", name, " ", mark), el("dd", el("p", text) if text else Html(""), body)]))
    held = [context.named("projects", name) for name in context.study.get("held_projects", [])]
    note = el("p", f"Open only where a scenario builds it: {', '.join(held)}.", class_="note") if held else Html("")
    return join([el("dl", *rows, class_="scenarios"), note])


# ---------------------------------------------------------------------------------------------------- how solved


def convergence(context: Context) -> Html:
    """How each run was solved, and with which settings."""
    seconds = {(s["scenario"], s["year"]): s.get("seconds") for s in context.results.manifest.get("solved", [])}
    rows = []
    for run in context.runs:
        row = context.results.of("totals", run.scenario, run.year).to_dicts()[0]
        gap = context.figures.get("totals", "relative_gap", run.where)
        gap_cell = el(
            "td",
            ABSENT if gap.value is None else f"{gap.value:.1e}",
            class_="n",
            data_table="totals",
            data_column="relative_gap",
            data_row=f"scenario={run.scenario};year={run.year}",
            data_value="" if gap.value is None else repr(gap.value),
        )
        rows.append(
            [
                head(context.label(run)),
                text_cell(str(row["principle"])),
                text_cell(str(row["status"])),
                gap_cell,
                cell(context.figures.get("totals", "iterations", run.where), Units.COUNT),
                plain(seconds.get((run.scenario, run.year)), 1),
                cell(context.figures.get("totals", "relations", run.where), Units.COUNT),
                cell(context.figures.get("totals", "paths", run.where), Units.COUNT),
            ]
        )
    columns = [
        Column("Run", text=True),
        Column("Principle", text=True),
        Column("Status", text=True),
        Column("Relative gap"),
        Column("Iterations"),
        Column("Time", "s"),
        Column("Relations"),
        Column("Paths"),
    ]
    manifest = context.results.manifest
    atlas = manifest.get("atlas") or {}
    told = users_values(context)
    facts = [
        ("Settings", ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in manifest.get("settings", {}).items())),
        (
            "Study",
            f"{context.study.get('path') or 'in memory'}, fingerprint {context.study.get('fingerprint', ABSENT)}",
        ),
        (
            "Atlas",
            f"{atlas.get('name', ABSENT)} {atlas.get('version', '')}, SHA-256 {atlas.get('content_hash', ABSENT)}",
        ),
        *([("User's values", f"{told}, SHA-256 {manifest['overlay']['content_hash']}")] if told else []),
        ("Code", f"landbridge {manifest.get('landbridge', ABSENT)}, Python {manifest.get('python', ABSENT)}"),
    ]
    listed = el("dl", *[join([el("dt", k), el("dd", v)]) for k, v in facts], class_="facts")
    return join([table("Convergence", columns, rows), listed])


def left_out(context: Context) -> Html:
    """Where the tonnes went, and what is not in the results."""
    f = context.figures
    shown = [
        ("demand_tonnes", "Can choose", Units.MT),
        ("land_tonnes", "Land network", Units.MT),
        ("outside_tonnes", "Sea or other outside option", Units.MT),
        ("unserved_tonnes", "Unserved", Units.MT),
        ("fixed_tonnes", "Fixed to its mode", Units.MT),
        ("land_teu", "Loaded boxes by land", Units.TEU),
        ("empty_teu", "Empty boxes by land", Units.TEU),
        ("left_out_relations", "Relations left out", Units.COUNT),
        ("left_out_tonnes", "Left out", Units.MT),
        ("within_zone_tonnes", "Inside one zone", Units.MT),
        ("without_zone_tonnes", "Without a zone", Units.MT),
    ]
    runs = context.runs
    have = [s for s in shown if s[0] in context.results["totals"].columns]
    rows = [
        [head(context.label(run)), *[cell(f.get("totals", column, run.where), unit) for column, _, unit in have]]
        for run in runs
    ]
    columns = [Column("Run", text=True), *[Column(label, unit.name) for _, label, unit in have]]
    parts = [table("Tonnes and boxes a year, by where they went", columns, rows)]
    parts.append(_without_zone(context))
    notes: dict[str, list[str]] = {}
    for solved in context.results.manifest.get("solved", []):
        for note in solved.get("notes", []):
            notes.setdefault(str(note), []).append(context.label(Run(solved["scenario"], solved["year"])))
    if notes:
        items = [el("li", text, el("span", f" ({'; '.join(where)})", class_="soft")) for text, where in notes.items()]
        parts.append(join([el("h4", "Notes of the runs"), el("ul", *items)]))
    return join(parts)


def _without_zone(context: Context) -> Html:
    """Countries whose trade has no zone, for the first run that tells them."""
    for solved in context.results.manifest.get("solved", []):
        missing = solved.get("without_zone") or {}
        if missing:
            ordered = sorted(missing.items(), key=lambda p: -p[1])
            parts = [f"{context.country(k)} {amount(v, Units.MT)}" for k, v in ordered[:12]]
            more = f" and {len(ordered) - 12} more" if len(ordered) > 12 else ""
            label = context.label(Run(solved["scenario"], solved["year"]))
            return el("p", f"Trade without a zone, {label}: {', '.join(parts)}{more}.", class_="note")
    return Html("")


# ---------------------------------------------------------------------------------------------------- assumptions

KIND_WORDS = {
    "reported": "stands in a source",
    "derived": "computed from reported values",
    "estimate": "a judgement, with its reasoning",
    "calibrated": "fitted to observations",
    "unknown": "looked for and not found",
    USER: "the user's own, over the atlas",
    "none": "no origin given",
}


def assumptions(context: Context) -> Html:
    """How the numbers of each table are known."""
    package = context.tables.package
    if package is None:
        return el("p", "These tables were made in memory; they state no origin of their numbers.")
    try:
        counted = coverage(package.folder, dict(context.tables.frames), read_dictionary(package.folder))
    except DataError as error:
        return el("p", f"The origin of numbers could not be read: {error}")
    wide = counted.group_by("table", "kind", maintain_order=True).agg(pl.col("cells").sum())
    cells = {(t, k): n for t, k, n in wide.rows()}
    for place, kind in _users_numbers(context):
        cells[place, kind] -= 1
        cells[place, USER] = cells.get((place, USER), 0) + 1
    present = {kind for (_, kind), n in cells.items() if n}
    kinds = [k for k in (*KINDS, USER, "none") if k in present]
    rows = []
    for name in counted["table"].unique(maintain_order=True).to_list():
        counts = [cells.get((name, kind), 0) for kind in kinds]
        total = sum(counts)
        parts = [
            el("span", class_=f"part {kind}", style=f"width:{100 * n / total:.2f}%", title=f"{kind}: {number(n)}")
            for kind, n in zip(kinds, counts, strict=True)
            if n
        ]
        share = 100 * cells.get((name, "estimate"), 0) / total
        rows.append(
            [
                head(name),
                plain(total),
                *[plain(n) for n in counts],
                plain(share),
                el("td", el("span", *parts, class_="shares"), aria_hidden="true"),
            ]
        )
    columns = [Column("Table", text=True), Column("Numbers")]
    columns += [Column(kind, meaning=KIND_WORDS[kind]) for kind in kinds]
    columns += [Column("Estimates", "%"), Column("Shares", text=True)]
    legend = [
        el("li", el("span", class_=f"chip part {kind}", aria_hidden="true"), f" {kind}: {KIND_WORDS[kind]}")
        for kind in kinds
    ]
    known = table("How the numbers of the atlas are known", columns, rows)
    return join([el("ul", *legend, class_="legend"), known, _listed(context)])


def parameters(context: Context) -> Html:
    """Parameters that these results were reckoned with, as their manifest tells them and nothing else does."""
    told = context.results.manifest.get("parameters")
    if told is None:
        return el("p", "The manifest of this older folder tells no parameters; run the study again.", class_="warning")
    rows = []
    for row in told:
        limits = [row.get("low"), row.get("high")]
        span = (
            " – ".join(ABSENT if v is None else f"{v:g}" for v in limits) if any(v is not None for v in limits) else ""
        )
        kind, sources = row.get("kind"), row.get("sources") or []
        known = f"{kind}{' (' + ', '.join(sources) + ')' if sources else ''}" if kind else ABSENT
        rows.append(
            [
                head(row["meaning"] or row["id"], title=row["id"]),
                el(
                    "td", f"{row['value']:g}", class_="n", data_parameter=row["id"], data_sort=repr(float(row["value"]))
                ),
                text_cell(span, class_="n"),
                text_cell("" if row["unit"] == "-" else row["unit"] or "", class_="soft"),
                text_cell(known, class_="soft"),
                text_cell(join([prose(row.get("reasoning") or "")]), class_="why"),
            ]
        )
    columns = [
        Column("Parameter", text=True),
        Column("Value"),
        Column("Range"),
        Column("Unit", text=True),
        Column("Known as", text=True),
        Column("Reasoning", text=True),
    ]
    note = "As this run used them: from its manifest, not from the atlas at hand."
    return table("Parameters of the model", columns, rows, class_="words", note=note)


# -------------------------------------------------------------------------------------------------------- sources


def sources(context: Context) -> Html:
    """Sources with their licences."""
    frame = context.table("sources")
    if not frame.height:
        return el("p", "No table of sources.")
    rows = []
    for row in frame.to_dicts():
        words = {k: "" if v is None else str(v) for k, v in row.items()}
        rows.append(
            [
                head(words.get("publisher", "")),
                el("td", link(words.get("address", ""), words.get("title", ""))),
                text_cell(words.get("date", ""), class_="soft"),
                text_cell(words.get("licence", ""), class_="soft"),
                text_cell(words.get("confidence", ""), class_="soft"),
                text_cell(words.get("id", ""), class_="codes"),
            ]
        )
    columns = [
        Column("Publisher", text=True),
        Column("Title", text=True),
        Column("Date", text=True),
        Column("Licence", text=True),
        Column("Confidence", text=True),
        Column("Id", text=True),
    ]
    opened = el("summary", f"All {number(len(rows))} sources")
    return el("details", opened, table("Sources", columns, rows, class_="words"))


def credits_(context: Context) -> Html:
    """Lines of attribution, as the atlas' notice states them."""
    text = _text(context, "NOTICE.md").split("## How to credit")
    lines = [line[2:] for line in text[-1].splitlines() if line.startswith("- ")] if len(text) > 1 else []
    package = context.tables.package
    licence = [f"Data package {package.name} {package.version}: {package.licence}."] if package else []
    return el("ul", *[el("li", prose(line)) for line in [*lines, *licence]], class_="credits")
