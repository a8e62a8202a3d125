"""Pieces of HTML: elements that escape by themselves, numbers as people read them, tables, and views to switch.

Text is escaped unless it is `Html` already, so that no name from a study or table can become markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from landbridge.show.report.figures import Figure, encode
from landbridge.show.report.rests import Share

__all__ = [
    "ABSENT",
    "SHARE",
    "THIN",
    "Column",
    "Html",
    "Unit",
    "amount",
    "bar_cell",
    "cell",
    "el",
    "figure",
    "head",
    "is_small",
    "join",
    "link",
    "number",
    "percent",
    "plain",
    "prose",
    "share_cell",
    "share_of",
    "table",
    "text_cell",
    "views",
]

THIN = "\u202f"  # narrow space that does not break: between thousands, and before a unit
MINUS = "\u2212"
ABSENT = "\u2013"
NEARLY_NONE = "\u2248\u202f0"
VOID = {"br", "input", "meta"}

#: Rows of a table that go onto paper, unless all are asked for; so few more go with them.
PRINTED = 15
FEW = 5


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def join(parts: Iterable[str], between: str = "") -> Html:
    """Put parts together; those that are not `Html` are escaped."""
    return Html(escape(between).join(p if isinstance(p, Html) else escape(p) for p in parts))


def el(name: str, /, *children: str, **attributes: str | float | bool | None) -> Html:
    """Make an element.

    Parameters
    ----------
    name
        Its name.
    *children
        Text, which is escaped, or `Html`.
    **attributes
        ``data_row`` becomes ``data-row``, ``class_`` becomes ``class``; None and False are left out.
    """
    words = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        word = key.rstrip("_").replace("_", "-")
        words.append(word if value is True else f'{word}="{escape(str(value))}"')
    opening = f"<{' '.join(words)}>"
    return Html(opening) if name in VOID else Html(f"{opening}{join(children)}</{name}>")


def prose(text: str) -> Html:
    """Text with Markdown's `code` and *stress* taken as such, nothing else."""
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return Html(re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", html))


def link(address: str, text: str) -> Html:
    """An address to follow, if it is one of the web; plain text otherwise."""
    if urlsplit(address).scheme in ("http", "https"):
        return el("a", text, href=address, rel="noopener noreferrer external")
    return join([text])


# -------------------------------------------------------------------------------------------------------- numbers


@dataclass(frozen=True)
class Unit:
    """How a column of the results is read: its unit, what a value is multiplied by, digits after the point."""

    name: str
    scale: float = 1.0
    places: int = 0


def number(value: float | None, places: int = 0, *, sign: bool = False) -> str:
    """Write a number with thin spaces; one too small for its digits says so rather than turn into zero."""
    if value is None:
        return ABSENT
    if value != 0 and is_small(value, places):
        return NEARLY_NONE if sign or value < 0 else f"<{10.0**-places:.{places}f}"
    text = f"{abs(value):,.{places}f}".replace(",", THIN)
    mark = MINUS if value < 0 else "+" if sign and value > 0 else ""
    return mark + text


def is_small(value: float, places: int) -> bool:
    """Whether a number is nothing in so many digits after the point."""
    return abs(value) < 10.0**-places / 2


def amount(value: float | None, unit: Unit, *, sign: bool = False) -> str:
    """Write a number with its unit."""
    if value is None:
        return ABSENT
    return f"{number(value * unit.scale, unit.places, sign=sign)}{THIN}{unit.name}".rstrip(THIN)


def percent(change: float | None, of: float | None) -> str:
    """Write a change in per cent of what it starts from; empty where there is nothing to compare with."""
    if change is None or not of:
        return ""
    share = 100 * change / of
    return f"{number(share, 1 if abs(share) < 10 else 0, sign=True)}{THIN}%"


def _keys(it: Figure) -> dict[str, str | None]:
    return {
        "data_table": it.table,
        "data_column": it.column,
        "data_row": encode(it.where),
        "data_minus": None if it.minus is None else encode(it.minus),
        "data_value": "" if it.value is None else repr(it.value),
        "data_own": None if it.own is None else str(it.own),
    }


def figure(it: Figure, unit: Unit, *, sign: bool = False) -> Html:
    """A figure of the results inside a sentence, with the keys by which it is found again."""
    return el("span", amount(it.value, unit, sign=sign), class_="figure", **_keys(it))


# --------------------------------------------------------------------------------------------------------- tables


@dataclass(frozen=True)
class Column:
    """Head of a column: what it holds, its unit, whether it holds text, and the group that it stands in."""

    label: str
    unit: str = ""
    text: bool = False
    group: str = ""
    meaning: str = ""


#: Head of a column of `share_cell`.
SHARE = Column(
    "Own estimates", "%", meaning="Of the numbers that the atlas holds on this very thing, how many are estimates"
)


def cell(it: Figure, unit: Unit, *, sign: bool = False) -> Html:
    """A figure of the results in a table; changes are told apart by sign and colour."""
    words = ["n"]
    value = None if it.value is None else it.value * unit.scale
    if sign and value is not None:
        words.append("soft" if is_small(value, unit.places) else "more" if value > 0 else "less")
    elif value == 0:
        words.append("soft")
    return el("td", number(value, unit.places, sign=sign), class_=" ".join(words), **_keys(it))


def bar_cell(it: Figure, unit: Unit, most: float, *, grade: str = "") -> Html:
    """A figure over a bar that shows it as a part of the largest."""
    share = 0.0 if it.value is None or most <= 0 else min(1.0, it.value / most)
    value = None if it.value is None else it.value * unit.scale
    text = number(value, unit.places)
    inner = el("span", text, class_=f"bar {grade}".rstrip(), style=f"--part:{100 * share:.1f}%")
    return el("td", inner, class_="n", **_keys(it))


def share_cell(it: Figure) -> Html:
    """How much of what the atlas holds on a figure's subject is estimated, in per cent; the counts are told besides."""
    return share_of(it.own)


def share_of(own: Share | None) -> Html:
    """Write a share of estimates as a cell."""
    if own is None or not own.numbers:
        return el("td", ABSENT, class_="n soft", data_sort="")
    share = 100 * own.estimates / own.numbers
    told = f"{own.estimates} of {own.numbers} numbers of the atlas on this are estimates"
    return el("td", number(share), class_="n soft own", title=told, data_sort=repr(share))


def plain(value: float | None, places: int = 0) -> Html:
    """A number that does not come from the results: of the atlas, or of the manifest."""
    return el("td", number(value, places), class_="n", data_sort="" if value is None else repr(value))


def text_cell(text: str, *, sort: str | None = None, class_: str | None = None, head: bool = False) -> Html:
    """A cell of words."""
    return el("th" if head else "td", text, class_=class_, data_sort=sort, scope="row" if head else None)


def head(text: str, **attributes: str | None) -> Html:
    """The cell that names a row."""
    return el("th", text, scope="row", **attributes)


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Html] | Html],
    *,
    class_: str = "",
    note: str = "",
    label: str = "",
) -> Html:
    """Make a table that scrolls inside its own box.

    Parameters
    ----------
    caption
        What it shows.
    columns
        Its heads; neighbours of one group share a line above them.
    rows
        Cells of each row, or a row that is made already.
    class_
        Further classes.
    note
        A sentence below.
    label
        Its name among the regions of the page, where the caption stands elsewhere too.
    """
    lines = []
    if any(c.group for c in columns):
        groups: list[tuple[str, int]] = []
        for column in columns:
            if groups and groups[-1][0] == column.group:
                groups[-1] = (column.group, groups[-1][1] + 1)
            else:
                groups.append((column.group, 1))
        above = [
            el("th", name, colspan=span, scope="colgroup", class_="group") if name else el("td", colspan=span)
            for name, span in groups
        ]
        lines.append(el("tr", *above, class_="groups"))
    heads = [
        el(
            "th",
            c.label,
            *([el("span", c.unit, class_="unit")] if c.unit else []),
            scope="col",
            class_=None if c.text else "n",
            title=c.meaning or None,
        )
        for c in columns
    ]
    lines.append(el("tr", *heads))
    body = [row if isinstance(row, Html) else el("tr", *row) for row in rows]
    if not body:
        body = [el("tr", el("td", "None.", colspan=len(columns), class_="none"))]
    left = len(body) - PRINTED if len(body) > PRINTED + FEW else 0
    made = el(
        "table",
        el("caption", caption),
        el("thead", *lines),
        el("tbody", *body),
        class_=f"sortable {class_}{' long' if left else ''}".rstrip(),
    )
    parts = [el("div", made, class_="scroll", tabindex=0, role="region", aria_label=label or caption)]
    if left:
        parts.append(el("p", f"{number(left)} more rows are on the page on screen, and in the folder.", class_="cut"))
    return join([*parts, el("p", note, class_="note")] if note else parts)


def views(name: str, panels: Sequence[tuple[str, str, Html]]) -> Html:
    """Let one of several panels be seen at a time; without scripts, since radio buttons do it.

    Parameters
    ----------
    name
        Of the group, once on the page.
    panels
        For each its key, label and content. Views whose keys are alike are switched together.
    """
    if not panels:
        return Html("")
    if len(panels) == 1:
        _, label, content = panels[0]
        return join([el("p", label, class_="only"), content])
    parts = []
    chosen = len(panels) - 1
    for i, (key, label, _) in enumerate(panels):
        mark = f"{name}-{i}"
        parts.append(el("input", type="radio", name=name, id=mark, data_view=key, checked=i == chosen))
        parts.append(el("label", label, for_=mark))
    for at, (_, label, content) in enumerate(panels):
        others = "; ".join(other for i, (_, other, _) in enumerate(panels) if i != at)
        cut = el("p", f"On the page on screen besides: {others}.", class_="cut")
        parts.append(el("div", el("p", label, class_="printed"), content, cut, class_="panel"))
    return el("div", *parts, class_="views")
