"""The chapter on an ensemble: spread of benefits, rules of choice, regret, what benefits hang on, where they fail."""

from __future__ import annotations

from typing import Any

import polars as pl

from landbridge.show.report.folders import Folder
from landbridge.show.report.frames import frame_table, number_in
from landbridge.show.report.markup import Column, Html, el, head, join, number, table, text_cell
from landbridge.show.report.strips import Mark, Piece, Strip, round_end, strips

__all__ = ["ensemble"]

MN = 1e-6

RULES = {
    "maximin": "Maximin: the best of the worst futures",
    "maximax": "Maximax: the best of the best futures",
    "hurwicz": "Hurwicz: worst and best weighed by optimism",
    "laplace": "Laplace: the mean over futures",
    "expected": "Expected value",
    "minimax_regret": "Minimax regret: the least of the largest regrets",
    "mean_regret": "Least mean regret",
    "starr": "Starr: share of futures that meet the threshold",
    "cvar_loss": "CVaR: mean loss of the worst futures",
    "mean_variance": "Mean less a standard deviation",
}


def ensemble(folder: Folder) -> Html:
    """Show an ensemble."""
    told = folder.told
    plan = told.get("ensemble") or {}
    runs = folder.frame("runs").with_row_index("row")
    knowing = told.get("expected_value_of_perfect_information_usd_yr")
    said = [
        f"{number(plan.get('futures'))} futures of {plan.get('year')}, drawn by {plan.get('design')} (seed "
        f"{plan.get('seed')}) from {len(told.get('uncertain') or ())} uncertain inputs; every scenario is solved in "
        "each. Net benefit is the fall of what users pay and wait for against the scenario compared with in the same "
        "future, less the scenario's yearly cost.",
    ]
    if knowing is not None:
        said.append(f"To know the future first would be worth {number(knowing * MN, 1)} million USD a year.")
    return join(
        [
            el("p", " ".join(said)),
            _spread(folder, runs),
            _rules(folder),
            _hangs(folder),
            _boxes(folder),
            el("h3", "What is uncertain"),
            _inputs(told.get("uncertain") or []),
        ]
    )


def _spread(folder: Folder, runs: pl.DataFrame) -> Html:
    """Net benefit of each scenario over all futures: range, middle half, median."""
    if not runs.height or "net_usd_yr" not in runs.columns:
        return Html("")
    values = runs["net_usd_yr"].to_list()
    end = round_end(max(abs(v) for v in values) * MN) / MN

    def at(value: float) -> float:
        return 0.5 + value / end / 2

    rows = []
    for name in runs["scenario"].unique(maintain_order=True).to_list():
        mine = runs.filter(pl.col("scenario") == name).sort("net_usd_yr")
        if mine["net_usd_yr"].abs().max() == 0:
            continue
        marks = {q: _at(mine, q) for q in (0.0, 0.25, 0.5, 0.75, 1.0)}
        low, first, middle, third, high = (marks[q]["net_usd_yr"] for q in marks)
        track: list[Piece | Mark] = [
            Piece(at(low), at(high), "faint", "from the worst to the best future"),
            Piece(at(first), at(third), "hue0", "the middle half of futures"),
            Mark(at(middle), "dot", f"median {number(middle * MN, 1)}"),
            Mark(0.5, "zero"),
        ]
        shown = [_mn(folder, marks[q]) for q in (0.5, 0.0, 1.0)]
        rows.append(Strip(name, [track], join([shown[0], el("small", join([shown[1], " to ", shown[2]]))])))
    ticks = [(0.0, f"−{end * MN:g}"), (0.5, "0"), (1.0, f"+{end * MN:g}")]
    return strips(
        "Net benefit over all futures, million USD a year: median, worst and best",
        rows,
        ticks=ticks,
        legend=[("faint", "all futures"), ("hue0", "middle half"), ("dot", "median")],
    )


def _at(ordered: pl.DataFrame, part: float) -> dict[str, Any]:
    """The run at a part of an ordered list: a run itself, so that its number can be found again."""
    return ordered.row(round(part * (ordered.height - 1)), named=True)


def _mn(folder: Folder, row: dict[str, Any]) -> Html:
    value = row["net_usd_yr"]
    return number_in(folder, "runs", "net_usd_yr", row["row"], value, number(value * MN, 1, sign=True))


def _rules(folder: Folder) -> Html:
    frame = folder.frame("policies").with_row_index("row")
    if not frame.height:
        return Html("")
    scenarios = frame["scenario"].unique(maintain_order=True).to_list()
    rows = []
    for rule in frame["rule"].unique(maintain_order=True).to_list():
        cells = [head(RULES.get(rule, rule.replace("_", " ").capitalize()))]
        for name in scenarios:
            found = frame.filter((pl.col("rule") == rule) & (pl.col("scenario") == name)).to_dicts()
            for row in found[:1]:
                share = rule == "starr"
                text = number(row["value"] * (100 if share else MN), 1) + ("\u202f%" if share else "")
                it = number_in(folder, "policies", "value", row["row"], row["value"], text)
                picked = el("strong", "✓ ", title="picked by this rule") if row["picked"] else ""
                cells.append(el("td", join([picked, it]), class_="n", data_sort=repr(row["value"])))
        rows.append(cells)
    columns = [Column("Rule", text=True), *[Column(name, "USD mn a year") for name in scenarios]]
    note = "✓: what the rule picks. Rules need not agree; where they do not, the choice rests on how risk is taken."
    return join([el("h3", "Which scenario by which rule"), table("Rules of choice", columns, rows, note=note)])


def _hangs(folder: Folder) -> Html:
    frame = folder.frame("sensitivity").with_row_index("row")
    if not frame.height:
        return Html("")
    sobol = "total" in frame.columns and frame["total"].is_not_null().any()
    column = "total" if sobol else "rank_correlation"
    parts = []
    for name in frame["scenario"].unique(maintain_order=True).to_list():
        mine = frame.filter(pl.col("scenario") == name).sort(pl.col(column).abs(), descending=True, nulls_last=True)
        rows = []
        for row in mine.to_dicts():
            value = row[column] or 0.0
            shown = number_in(folder, "sensitivity", column, row["row"], value, number(value, 2, sign=not sobol))
            track: list[Piece | Mark]
            if sobol:
                track = [Piece(0.0, row["first"] or 0.0, "hue0", "first"), Piece(0.0, value, "faint", "total")]
                track.append(Piece(row["total_low"], row["total_high"], "whisker", "95 per cent interval"))
            else:
                kind = "more" if value > 0 else "less"
                track = [Piece(0.5, 0.5 + value / 2, kind), Mark(0.5, "zero")]
            rows.append(Strip(row["input"], [track], shown))
        title = (
            f"{name}: share of the variance that each input explains with all its company (total Sobol index)"
            if sobol
            else f"{name}: rank correlation of net benefit with each input"
        )
        ticks = [(0.0, "0"), (0.5, "0.5"), (1.0, "1")] if sobol else [(0.0, "−1"), (0.5, "0"), (1.0, "+1")]
        parts.append(strips(title, rows, ticks=ticks))
    return join([el("h3", "What the benefit hangs on"), *parts])


def _boxes(folder: Folder) -> Html:
    frame = folder.frame("boxes")
    if not frame.height:
        text = "No scenario stays below the threshold in some futures and above it in others: there is nothing to find."
        return el("p", text, class_="note")
    note = "Coverage: share of the failing futures inside the box; density: share of the futures inside that fail."
    return join(
        [
            el("h3", "Where a scenario fails"),
            frame_table(folder, "boxes", caption="Boxes of PRIM, step by step", note=note),
        ]
    )


def _inputs(inputs: list[dict[str, Any]]) -> Html:
    rows = []
    for one in inputs:
        likely = one.get("likely")
        rows.append(
            [
                head(str(one["id"])),
                text_cell(str(one["quantity"]).replace("_", " "), class_="soft"),
                *[text_cell("" if v is None else f"{v:g}", class_="n") for v in (one["low"], likely, one["high"])],
                text_cell(str(one.get("source") or one.get("reasoning") or ""), class_="why"),
            ]
        )
    columns = [
        Column("Input", text=True),
        Column("Quantity", text=True),
        Column("Low"),
        Column("Likely"),
        Column("High"),
        Column("On what the range rests", text=True),
    ]
    note = "Factors on what the atlas says; of a parameter, values."
    return table("Uncertain inputs, as the manifest tells them", columns, rows, class_="words", note=note)
