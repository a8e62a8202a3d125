"""Chapters on power, dependence, closures and sanctions."""

from __future__ import annotations

from typing import Any

import polars as pl

from landbridge.show.power_words import exclusions, one_voice
from landbridge.show.report.chapters.tables import by_tables
from landbridge.show.report.folders import Folder
from landbridge.show.report.frames import frame_table, number_in
from landbridge.show.report.markup import Html, el, join, number
from landbridge.show.report.strips import Mark, Piece, Strip, round_end, strips, ticks_to

__all__ = ["dependence", "exposure", "power", "stress"]

MN = 1e-6
ROWS = 16

SOLUTIONS = {
    "shapley": "Shapley value",
    "nucleolus": "nucleolus",
    "owen": "Owen value",
    "banzhaf": "Banzhaf value",
    "nash": "Nash bargaining",
}


def signed(folder: Folder, table: str, frame: pl.DataFrame, name: str, column: str, title: str) -> Html:
    """Bars to both sides, million USD a year; nothing where no number is there.

    Parameters
    ----------
    folder, table
        Where the numbers stand.
    frame
        Rows, with their number in the table as ``row``.
    name, column
        Columns of the names and of the numbers.
    title
        What it shows.
    """
    if column not in frame.columns:
        return Html("")
    rows = frame.filter(pl.col(column).is_not_null() & (pl.col(column) != 0))
    rows = rows.sort(pl.col(column).abs(), descending=True).head(ROWS).sort(column, descending=True)
    if not rows.height:
        return Html("")
    both = bool((rows[column] < 0).any())
    end = round_end(max(abs(v) for v in rows[column].to_list()) * MN)
    made = []
    for row in rows.to_dicts():
        value = row[column] * MN
        start, size = (0.5, value / end / 2) if both else (0.0, value / end)
        kind = ("more" if value > 0 else "less") if both else "hue0"
        track: list[Piece | Mark] = [Piece(start, start + size, kind), *([Mark(0.5, "zero")] if both else [])]
        said = number_in(folder, table, column, row["row"], row[column], number(value, 1, sign=both))
        made.append(Strip(str(row[name]), [track], said))
    ticks = [(0.0, f"−{end:g}"), (0.5, "0"), (1.0, f"+{end:g}")] if both else ticks_to(end)
    return strips(title, made, ticks=ticks, unit="USD mn a year")


def power(folder: Folder) -> Html:
    """Show a corridor game: what it rests on, what each player gets, what an investment changes."""
    reading = folder.frame("power_reading").to_dicts()
    parts: list[Html] = []
    if reading:
        first = reading[0]
        parts.append(
            el(
                "p",
                f"Players {', '.join(first['players'].split(';'))}; all other countries let everything pass. Worth "
                f"of a coalition: {first['principle']}. Outside option, what cargo costs that does not go by land: "
                f"{first['outside_option']}. {_investment(first)}",
            )
        )
        parts += [el("p", text) for text in _standing(reading)]
    values = folder.frame("power_values").with_row_index("row")
    for solution, words in SOLUTIONS.items():
        mine = values.filter(pl.col("solution") == solution) if values.height else values
        for rule in mine["rule"].unique(maintain_order=True).to_list() if mine.height else []:
            state = mine.filter(pl.col("rule") == rule)["state"].unique(maintain_order=True).to_list()[-1]
            chosen = mine.filter((pl.col("rule") == rule) & (pl.col("state") == state))
            if solution in ("shapley", "nucleolus"):
                title = f"{words[0].upper()}{words[1:]} by player, rule {rule}, {state} the investment"
                parts.append(signed(folder, "power_values", chosen, "player", "value_usd_yr", title))
    change = folder.frame("power_change").with_row_index("row")
    for rule in change["rule"].unique(maintain_order=True).to_list() if change.height else []:
        mine = change.filter((pl.col("rule") == rule) & (pl.col("net_of_cost") == change["net_of_cost"].max()))
        title = f"What the investment changes in each player's Shapley value, rule {rule}"
        parts.append(signed(folder, "power_change", mine, "player", "shapley_change_usd_yr", title))
        # what a project adds is told before its cost, where both are there
        gross = change.filter((pl.col("rule") == rule) & (pl.col("net_of_cost") == change["net_of_cost"].min()))
        if "exclusion" in gross.columns and (text := exclusions(dict(gross["player", "exclusion"].rows()))):
            parts.append(el("p", f"{rule}, before the cost of building: {text}"))
    parts += [
        el("p", f"{row['rule']}, " + one_voice(
            row["scenario"], row["players"].split(";"), as_one_usd_yr=row["as_one_usd_yr"],
            apart_usd_yr=row["apart_usd_yr"],
        ))
        for row in folder.frame("power_blocs").to_dicts()
    ]  # fmt: skip
    return join([*parts, by_tables(folder)])


def _investment(row: dict[str, Any]) -> str:
    """What may be built, and who must agree to it."""
    options = ", ".join(filter(None, row["investment_options"].split(";")))
    if not options:
        return "Investment options: none."
    consent = ", ".join(filter(None, (row.get("consent_to_build") or "").split(";")))
    return f"Investment options: {options}, with the consent of {consent or 'nobody who plays'}."


def _standing(reading: list[dict[str, Any]]) -> list[str]:
    """Whether each game is superadditive and its core empty, with the proof."""
    told = []
    for row in reading:
        if row["core_empty"] is None:
            told.append(f"{row['rule']}, {row['state']}: whether the core is empty is not known, as orders were drawn.")
            continue
        core = f"the core is empty, as {row['core_proof']} shows" if row["core_empty"] else "the core is not empty"
        law = "superadditive" if row["superadditive"] else "not superadditive"
        told.append(f"{row['rule']}, {row['state']}: {law}; {core}.")
    return told


def stress(folder: Folder) -> Html:
    """Show closures: who loses, the worst sets, what comes by chance."""
    countries = folder.frame("stress_countries").with_row_index("row")
    ranking = folder.frame("stress_ranking").with_row_index("row")
    parts = [
        signed(
            folder, "stress_countries", countries, "country", "trade_loss_usd_yr", "What trade of each country loses"
        ),
        signed(
            folder, "stress_ranking", ranking, "id", "rise_usd_yr", "Each closed alone: rise of all relations' cost"
        ),
    ]
    return join([*parts, by_tables(folder)])


def dependence(folder: Folder) -> Html:
    """Show on whom each country depends for its way out."""
    frame = folder.frame("dependence").with_row_index("row")
    parts: list[Html] = []
    if frame.height:
        most = frame.filter(pl.col("actual").is_not_null()).sort("actual", descending=True).head(ROWS)
        rows = []
        for row in most.to_dicts():
            track: list[Piece | Mark] = [
                Piece(0.0, row["actual"], "hue0", "what goes by land and crosses the partner"),
                Mark(row["must_cross"] or 0.0, "limit", "what has no other way by land"),
            ]
            said = number_in(folder, "dependence", "actual", row["row"], row["actual"], f"{100 * row['actual']:.0f} %")
            rows.append(Strip(f"{row['country']} over {row['partner']}", [track], said))
        parts.append(
            strips(
                "Share of a country's freight with third countries that crosses a partner",
                rows,
                ticks=[(0.0, "0"), (0.5, "50"), (1.0, "100")],
                unit="%",
                legend=[("hue0", "crosses the partner"), ("limit", "has no way by land without it")],
            )
        )
        by_loss = frame.with_columns((pl.col("country") + " without " + pl.col("partner")).alias("pair"))
        title = "What it costs that none of a country's cargo may cross a partner, nothing being full"
        parts.append(signed(folder, "dependence", by_loss, "pair", "free_usd_yr", title))
    shown = (
        [frame_table(folder, "dependence", frame.sort("actual", descending=True, nulls_last=True))]
        if frame.height
        else []
    )
    return join([*parts, *shown, by_tables(folder, ["dependence"])])


def exposure(folder: Folder) -> Html:
    """Show what two countries lose by a ban, step by step."""
    frame = folder.frame("exposure").with_row_index("row")
    halves = (folder.told.get("read_with") or {}).get("halves")
    parts: list[Html] = [el("p", f"{halves[0].upper()}{halves[1:]}.")] if halves else []
    for ban in frame["ban"].unique(maintain_order=True).to_list() if frame.height else []:
        mine = frame.filter(pl.col("ban") == ban).with_columns((pl.col("country") + ", " + pl.col("step")).alias("who"))
        parts.append(signed(folder, "exposure", mine, "who", "trade_loss_usd_yr", f"{ban}: what trade loses"))
    return join([*parts, by_tables(folder)])
