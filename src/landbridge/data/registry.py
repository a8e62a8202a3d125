"""Search what the atlas knows in words: facts, projects, agreements and events; and tell a project's history.

A query is split into words and numbers.  A word fits a word of a row that is the same but for its ending in s, or that
begins with it; a number fits the same number however it is written (22.4, "26-27 bn", 240,000), the row's own value
before a number that only stands in its text.  A row must have every part of the query; where none has, those that have
the most are told, and which parts they lack.  Rows rank by where the parts were found: the value and the subject before
the quantity, the place and the note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from landbridge.data.consistency import UPGRADED
from landbridge.data.names import fold
from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, UnknownName

__all__ = ["TABLES", "Entry", "Finding", "History", "Moment", "history", "named_project", "search", "topics"]

#: Tables that are searched, and their columns with the weight of a find in them.
TABLES: Mapping[str, Mapping[str, float]] = {
    "facts": {
        "subject": 4, "quantity": 3, "unit": 3, "year": 2, "value_date": 3, "place_or_link": 2, "topic": 1,
        "note": 1, "source_title": 0.5,
    },
    "projects": {
        "name": 4, "id": 3, "length_text": 3, "cost_text": 3, "capacity_text": 3, "status_text": 2, "start": 2,
        "finish": 2, "start_text": 1, "finish_text": 1, "financing": 2, "countries": 1, "places": 1, "note": 1,
        "source": 0.5,
    },
    "agreements": {
        "subject": 4, "value": 3, "parties": 2, "date": 2, "status": 1, "id": 1, "countries": 1, "places": 1,
        "crossings": 1, "projects": 1, "source": 0.5,
    },
    "events": {
        "event": 4, "effect": 3, "actors": 2, "date": 2, "date_to": 1, "id": 1, "countries": 1, "places": 1,
        "crossings": 1, "projects": 1, "source": 0.5,
    },
}  # fmt: skip

#: Columns whose number is what the row states, with the factor that its text is written in (a cost in bn).
VALUES: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "facts": {"value": (1,), "value_low": (1,), "value_high": (1,)},
    "projects": {
        "length_km": (1,), "length_low_km": (1,), "length_high_km": (1,), "cost_low_usd_mn": (1, 1e-3),
        "cost_high_usd_mn": (1, 1e-3), "capacity_mt_yr": (1,), "capacity_teu_yr": (1,),
    },
    "agreements": {"amount": (1,)},
    "events": {},
}  # fmt: skip
VALUE_WEIGHT, ASIDE_WEIGHT = 6.0, 5.0

#: What the values of an upgrade are, in words.
UPGRADE_UNITS: Mapping[str, str] = {
    "capacity_trains_day": "trains a day", "speed_kmh": "km/h", "capacity_teu_yr": "TEU a year",
    "capacity_t_yr": "t a year", "departures_week": "departures a week", "time_factor": "times the hours",
}  # fmt: skip

#: A word that only begins with what was asked for counts for less.
PREFIX = 0.7

#: Trust in the source settles what the words leave open.
CONFIDENCE = {"high": 0.3, "medium": 0.15, "low": 0.0}

#: One spelling for units and for words that mean the same.
ALIKE = {
    "%": "percent", "per cent": "percent", "billion": "bn", "billions": "bn", "million": "mn", "millions": "mn",
    "$": "usd", "us$": "usd", "dollar": "usd", "dollars": "usd", "euro": "eur", "euros": "eur", "kilometre": "km",
    "kilometres": "km", "kilometer": "km", "kilometers": "km", "deals": "agreement", "deal": "agreement",
    "documents": "agreement", "document": "agreement", "goal": "target", "length": "long", "railroad": "railway",
}  # fmt: skip
IDLE = frozenset("a an and at by for from in is its of on the to was were what with worth how many much".split())

TOKEN = re.compile(
    r"(?P<date>\d{4}-\d{2}(?:-\d{2})?(?!\d))"
    r"|(?P<number>\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"|(?P<word>us\$|per cent|[%$]|[^\W\d_]+)"
)


@dataclass(frozen=True)
class Finding:
    """One row that answers a query."""

    table: str
    id: str
    topic: str
    subject: str
    quantity: str
    value: str
    unit: str
    year: str
    place: str
    source: str
    address: str
    confidence: str
    note: str
    score: float
    lacks: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Moment:
    """One thing in a project's history, or one statement about it."""

    date: str
    table: str
    id: str
    what: str
    value: str
    source: str


@dataclass(frozen=True)
class Entry:
    """A row of the atlas that belongs to a project."""

    table: str
    id: str
    name: str
    what: str


@dataclass(frozen=True)
class History:
    """A project: its row, what happened to it in order of time, and what of the atlas belongs to it.

    ``unvalued`` is why no flow can tell what it is worth, where the atlas gives a reason.
    """

    project: Mapping[str, Any]
    moments: tuple[Moment, ...]
    atlas: tuple[Entry, ...]
    unvalued: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the history as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class _Part:
    """A word, a date or a number of a query or a text."""

    text: str
    number: float | None = None
    date: bool = False


def _parts(text: str) -> list[_Part]:
    """Split a text into words, dates and numbers; ``2013-09`` stays whole and ``26-27`` is two numbers."""
    found = []
    for match in TOKEN.finditer(text.casefold()):
        whole = match.group()
        if match.lastgroup == "date":
            found.append(_Part(whole, date=True))
        elif match.lastgroup == "number":
            found.append(_Part(whole, number=float(re.sub(r"[,\u00a0\u202f]", "", whole))))
        else:
            word = ALIKE.get(whole) or fold(whole)
            word = ALIKE.get(word, word)
            # the plural is the same word
            stem = word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
            if stem:
                found.append(_Part(ALIKE.get(stem, stem)))
    return found


@dataclass(frozen=True)
class _Row:
    """A row made ready for search: its parts by the weight of their column, and the numbers it states."""

    index: int
    words: Mapping[str, float]
    dates: Mapping[str, float]
    numbers: Mapping[float, float]


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _keep(into: dict[Any, float], key: str | float, weight: float) -> None:
    into[key] = max(weight, into.get(key, 0.0))


def _row(table: str, index: int, row: Mapping[str, Any]) -> _Row:
    words: dict[str, float] = {}
    dates: dict[str, float] = {}
    numbers: dict[float, float] = {}
    for column, weight in TABLES[table].items():
        if row[column] is None:
            continue
        for part in _parts(_text(row[column])):
            if part.date:
                _keep(dates, part.text, weight)
            elif part.number is not None:
                _keep(numbers, part.number, weight)
            else:
                _keep(words, part.text, weight)
    for column, factors in VALUES[table].items():
        if row[column] is not None:
            for factor in factors:
                # a query has no signs, so that a fall of 42 % is found too, after a share of 42 %
                weight = VALUE_WEIGHT if column == "value" and row[column] >= 0 else ASIDE_WEIGHT
                _keep(numbers, abs(round(row[column] * factor, 9)), weight)
    # a table of agreements is searched for agreements
    _keep(words, table.removesuffix("s"), 1.0)
    return _Row(index, words, dates, numbers)


def _index(table: str, tables: Tables) -> Iterable[_Row]:
    """Rows of a table made ready."""
    return (_row(table, i, row) for i, row in enumerate(tables[table].to_dicts()))


def _weight(part: _Part, row: _Row) -> float:
    """How well a row has a part of a query; 0 where it does not."""
    if part.date:
        return max((w for date, w in row.dates.items() if date.startswith(part.text)), default=0.0)
    if part.number is not None:
        year = part.text if len(part.text) == 4 and part.number.is_integer() else None
        dated = max((w for date, w in row.dates.items() if year and date.startswith(year)), default=0.0)
        return max(row.numbers.get(part.number, 0.0), dated)
    exact = row.words.get(part.text, 0.0)
    if len(part.text) < 3:
        return exact
    return max(exact, PREFIX * max((w for word, w in row.words.items() if word.startswith(part.text)), default=0.0))


def topics(tables: Tables) -> list[str]:
    """Return the topics that a search can be narrowed to: those of facts, then the other tables."""
    of_facts = sorted(tables["facts"]["topic"].drop_nulls().unique().to_list())
    return list(dict.fromkeys([*of_facts, *(table for table in TABLES if table != "facts")]))


def search(tables: Tables, query: str, *, topic: str | None = None, limit: int | None = 20) -> list[Finding]:
    """Search facts, projects, agreements and events.

    Parameters
    ----------
    tables
        The atlas.
    query
        Words and numbers, as ``CKU 523`` or ``86 million barrels``.
    topic
        Only facts of this topic, or only rows of the table of this name.
    limit
        The most findings; None for all.

    Returns
    -------
    list of Finding
        The best first; empty where no row has any part of the query.

    Raises
    ------
    UnknownName
        For a topic that is not there.
    LandbridgeError
        For a query without a word or a number.
    """
    if topic is not None and topic not in topics(tables):
        raise UnknownName("topic", topic, topics(tables))
    parts = [part for part in dict.fromkeys(_parts(query)) if part.text not in IDLE]
    if not parts:
        raise LandbridgeError(f"wanted words or numbers to look for, got {query!r}")
    hits: list[tuple[int, float, str, int, tuple[str, ...]]] = []
    for table in TABLES:
        if table not in tables:
            continue
        of_topic = None
        if topic is not None and topic != table:
            if table != "facts":
                continue
            of_topic = (tables["facts"]["topic"] == topic).to_list()
        trust = tables[table]["confidence"].to_list() if table == "facts" else []
        for row in _index(table, tables):
            if of_topic is not None and not of_topic[row.index]:
                continue
            weights = [_weight(part, row) for part in parts]
            count = sum(weight > 0 for weight in weights)
            if count:
                lacks = tuple(part.text for part, weight in zip(parts, weights, strict=True) if not weight)
                score = sum(weights) + (CONFIDENCE.get(trust[row.index], 0.0) if trust else 0.2)
                hits.append((count, score, table, row.index, lacks))
    most = max((hit[0] for hit in hits), default=0)
    best = sorted((hit for hit in hits if hit[0] == most), key=lambda hit: -hit[1])[:limit]
    rows = {table: tables[table] for table in TABLES if table in tables}
    return [_finding(table, rows[table].row(index, named=True), score, lacks) for _, score, table, index, lacks in best]


def _range(low: float | None, high: float | None) -> str:
    """Numbers with what is published around them, as ``454–567``."""
    known = list(dict.fromkeys(f"{v:g}" if abs(v) < 1e6 else f"{v:,.0f}" for v in (low, high) if v is not None))
    return "–".join(known)


def _number(value: float) -> str:
    return f"{value:.10g}"


def _stated(fact: Mapping[str, Any]) -> str:
    """Value of a fact, with its ends where the source gives a range."""
    if fact["value"] is None:
        return fact["value_date"] or _range(fact["value_low"], fact["value_high"])
    low, high = fact["value_low"], fact["value_high"]
    value = _number(fact["value"])
    if low == fact["value"] and high is None:
        return f"over {value}"
    if high == fact["value"] and low is None:
        return f"up to {value}"
    if (low is not None or high is not None) and not low == high == fact["value"]:
        return f"{value} ({_range(low, high)})"
    return value


def _project_value(row: Mapping[str, Any]) -> str:
    parts = []
    if row["length_km"] is not None:
        parts.append(f"{_number(row['length_km'])} km")
    cost = _range(row["cost_low_usd_mn"], row["cost_high_usd_mn"])
    if cost:
        parts.append(f"{cost} mn USD of {row['price_year']}")
    if row["capacity_mt_yr"] is not None:
        parts.append(f"{_number(row['capacity_mt_yr'])} Mt/yr")
    if row["capacity_teu_yr"] is not None:
        parts.append(f"{_number(row['capacity_teu_yr'])} TEU/yr")
    return "; ".join(parts)


def _year(row: Mapping[str, Any]) -> str:
    return "–".join(dict.fromkeys(str(row[c])[:4] for c in ("start", "finish") if row[c]))


def _finding(table: str, row: Mapping[str, Any], score: float, lacks: tuple[str, ...]) -> Finding:
    def joined(column: str) -> str:
        return ", ".join(row[column] or ())

    told: dict[str, Any]
    if table == "facts":
        told = {
            "topic": row["topic"],
            "subject": row["subject"],
            "quantity": row["quantity"],
            "value": _stated(row),
            "unit": row["unit"] if row["unit"] not in ("text", "date", "dates") else "",
            "year": "" if row["year"] is None else str(row["year"]),
            "place": row["place_or_link"],
            "source": f"{row['source_title']}, {row['source_date'] or 'n.d.'}",
            "address": row["source_url"],
            "confidence": row["confidence"],
            "note": row["note"],
        }
    elif table == "projects":
        told = {
            "subject": row["name"],
            "quantity": f"project, {row['status'].replace('_', ' ')}",
            "value": _project_value(row),
            "year": _year(row),
            "place": joined("countries"),
            "note": row["note"],
        }
    elif table == "agreements":
        told = {
            "subject": row["subject"],
            "quantity": f"agreement, {row['status']}" if row["status"] else "agreement",
            "value": row["value"],
            "year": row["date"],
            "place": joined("countries"),
            "note": f"Between {joined('parties')}.",
        }
    else:
        told = {
            "subject": row["event"],
            "quantity": "event",
            "value": row["effect"],
            "year": f"{row['date']}–{row['date_to']}" if row["date_to"] else row["date"],
            "place": joined("countries"),
            "note": f"By {joined('actors')}.",
        }
    if table != "facts":
        told |= {"topic": table, "unit": "", "confidence": "", "source": _titles(row["source"])}
        told["address"] = ";".join(row["addresses"] or ())
    return Finding(
        table=table, id=row["id"], score=round(score, 3), lacks=lacks, **{k: v or "" for k, v in told.items()}
    )


def _titles(source: str) -> str:
    """Titles of sources without the addresses in angle brackets."""
    return re.sub(r"\s*<[^<>]*>", "", source)


# -- projects --------------------------------------------------------------------------------------------------------


def named_project(tables: Tables, query: str) -> str | None:
    """Return the project that a query names: by its id, its name, or its name without what stands in brackets."""
    wanted = fold(query)
    if not wanted:
        return None
    for project, name in tables["projects"].select("id", "name").rows():
        inside = re.findall(r"\(([^()]+)\)", name)
        if wanted in {fold(project), fold(name), fold(re.sub(r"\s*\([^()]*\)", "", name)), *map(fold, inside)}:
            return str(project)
    return None


def history(tables: Tables, project: str) -> History:
    """Return a project's history: what was stated, agreed and done, in order of time, and what the atlas has of it.

    Parameters
    ----------
    tables
        The atlas.
    project
        Its id.

    Raises
    ------
    UnknownName
        With suggestions.
    """
    rows = tables["projects"].filter(pl.col("id") == project)
    if not rows.height:
        raise UnknownName("project", project, tables.ids("projects"))
    row = rows.row(0, named=True)
    moments = [
        Moment(row[column], "projects", project, what, row[f"{column}_text"] or "", _titles(row["source"]))
        for column, what in (("start", "works start"), ("finish", "works end, reached or announced"))
        if row[column]
    ]
    for table, what, value in (("agreements", "subject", "value"), ("events", "event", "effect")):
        moments += [
            Moment(hit["date"], table, hit["id"], hit[what], hit[value] or "", _titles(hit["source"]))
            for hit in tables[table].filter(pl.col("projects").list.contains(project)).to_dicts()
        ]
    facts = tables["facts"].filter(pl.col("id").is_in(row["facts"] or []))
    for fact in facts.to_dicts():
        when = fact["value_date"] or ("" if fact["year"] is None else str(fact["year"]))
        unit = "" if fact["unit"] in ("text", "date", "dates") else fact["unit"]
        what = f"{fact['subject']}: {fact['quantity']}"
        stated = f"{_stated(fact)} {unit}".strip() or fact["note"] or ""
        moments.append(Moment(when, "facts", fact["id"], what, stated, fact["source_title"]))
    # what has no date stands at the end
    moments.sort(key=lambda moment: (moment.date == "", moment.date))
    return History(row, tuple(moments), tuple(_belongs(tables, row)), _unvalued(tables, project))


def _unvalued(tables: Tables, project: str) -> str | None:
    """Why no flow can tell what a project is worth."""
    if "unvalued" not in tables:
        return None
    told = tables["unvalued"].filter(pl.col("id") == project)["reason"].to_list()
    return str(told[0]) if told else None


def _belongs(tables: Tables, row: Mapping[str, Any]) -> Iterable[Entry]:
    """Options of a project, links it builds, lines, crossings, pipelines and places it concerns, and its upgrades."""
    options = tables["project_options"].to_dicts() if "project_options" in tables else []
    for option in (one for one in options if one["project"] == row["id"]):
        length = f", {_number(option['length_km'])} km" if option["length_km"] is not None else ""
        what = f"{option['kind']}, {'chosen' if option['chosen'] else 'not chosen'}{length}"
        yield Entry("project_options", option["id"], option["name"], what)
    for link in tables["links"].filter(pl.col("project") == row["id"]).to_dicts():
        since = f", from {link['open_from']}" if link["open_from"] is not None else ""
        gauge = "/".join(map(str, link["gauges_mm"] or ()))
        told = [f"{link['length_km']:g} km", f"{gauge} mm" if gauge else "", f"{link['status']}{since}"]
        yield Entry("links", link["id"], link["name"] or link["id"], ", ".join(t for t in told if t))
    for upgrade in tables["upgrades"].filter(pl.col("project") == row["id"]).to_dicts():
        values = ((name, upgrade.get(name)) for name in UPGRADED.get(upgrade["table"], ()))
        told = [
            f"{upgrade['table']} {upgrade['subject']}",
            f"from {upgrade['from_date']}" if upgrade["from_date"] is not None else "no day set",
            *(f"{_number(value)} {UPGRADE_UNITS[name]}" for name, value in values if value is not None),
        ]
        yield Entry("upgrades", upgrade["id"], upgrade["name"], ", ".join(t for t in told if t))
    for table in ("lines", "crossings", "pipelines", "places"):
        yield from _entries(tables, table, row[table] or [])


def _entries(tables: Tables, table: str, ids: Sequence[str]) -> Iterable[Entry]:
    for hit in tables[table].filter(pl.col("id").is_in(ids)).to_dicts():
        what = hit.get("status") or hit.get("mode") or hit.get("product") or hit.get("kind") or ""
        yield Entry(table, hit["id"], hit["name"], str(what))
