"""What every number of the page means, in which unit it stands, and on how much estimated input it rests."""

from __future__ import annotations

from collections.abc import Iterable

from landbridge.show.report.context import Context
from landbridge.show.report.markup import Column, Html, el, head, join, number, table, text_cell
from landbridge.show.report.rests import Rests, Share
from landbridge.show.web.columns import meaning

__all__ = ["definitions", "input_in_words", "share_of_input"]

#: Tables of results, by what a figure's own numbers are.
OWN = {
    "crossings": "the crossing's row",
    "crossing_flows": "the crossing's row",
    "internal_corridors": "the crossing's row",
    "links": "the link's length and its line",
    "passages": "links, crossings and rates along the standard route",
    "passage_flows": "links, crossings and rates along the standard route",
    "countries": "the country's rates and its links",
    "choke_points": "the row of the line, crossing, yard or terminal",
}


def definitions(context: Context) -> Html:
    """List every number that stands on the page: call it last, when all are shown."""
    rows = []
    for place, column in sorted(context.figures.shown):
        unit, means = meaning(column)
        rows.append(
            el(
                "tr",
                head(f"{place} · {column}", class_="codes"),
                text_cell(means or "Not defined"),
                text_cell(unit or "1", class_="soft"),
                text_cell(OWN.get(place, "all input together"), class_="soft"),
                data_def=f"{place}.{column}",
                data_means=means,
                data_unit=unit,
                data_own=OWN.get(place),
            )
        )
    columns = [
        Column("Table and column", text=True),
        Column("Meaning", text=True),
        Column("Unit in the folder", text=True),
        Column("Its own numbers", text=True),
    ]
    text = (
        "Every number above is read from a table of the results folder; pointed at, it tells the same. Text shows "
        "numbers in larger units (Mt, thousand TEU, USD mn). Where a table has a column “Own estimates”, that is how "
        "many of the atlas' numbers on this very thing are estimates rather than reported or derived from reports."
    )
    return join(
        [
            el("p", text),
            share_of_input(context),
            table("Definitions of the numbers on this page", columns, rows, class_="words"),
        ]
    )


def share_of_input(context: Context) -> Html:
    """How much of all input is estimated."""
    shares = context.rests.all
    if not shares:
        return el("p", "These tables state no origin of their numbers.", id="rests")
    return el("p", input_in_words(context.rests), id="rests", data_all=str(_total(shares.values())))


def input_in_words(rests: Rests) -> str:
    """How much of all input is estimated, as a sentence; nothing where tables state no origins."""
    shares = rests.all
    if not shares:
        return ""
    together = _total(shares.values())
    parts = [f"{name} {_percent(share)} of {number(share.numbers)}" for name, share in shares.items()]
    return (
        f"Every flow hangs on all of its input: {_percent(together)} of {number(together.numbers)} numbers of the "
        f"atlas that networks and demand are made of are estimates ({'; '.join(parts)})."
    )


def _total(shares: Iterable[Share]) -> Share:
    total = Share(0, 0)
    for share in shares:
        total = total + share
    return total


def _percent(share: Share) -> str:
    return f"{number(100 * share.estimates / share.numbers if share.numbers else None)}\u202f%"
