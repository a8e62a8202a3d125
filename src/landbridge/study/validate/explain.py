"""Why a number of the model misses the observed one: what it rests on, said from what was computed.

Nothing is invented here. A sentence names the part of the flow, or the cells of the atlas, that the number mainly is,
how these are known, and what the atlas' table of explanations says of the definition of the subject.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from landbridge.study.validate.classes import Classes
from landbridge.study.validate.words import Answer, Cell

__all__ = ["explanation", "topic"]

FILE = Path(__file__).parent / "explanations.toml"

TOPICS = {
    "crossing_": "crossings", "service_": "services", "teu_per_train": "services", "terminal_": "terminals",
    "capacity_": "terminals", "queue_": "borders", "border_": "borders", "transit_days": "times",
    "speed_km_day": "times", "distance_km": "lengths", "rate_": "prices", "unit_cost_": "prices", "co2_": "emissions",
    "trade_usd": "trade", "share_pct": "shares", "time_value": "prices", "scenario_": "changes",
}  # fmt: skip


def topic(indicator: str) -> str:
    """What an indicator is about: crossings, services, borders, times, prices and so on."""
    return next((t for start, t in TOPICS.items() if indicator.startswith(start)), "other")


@lru_cache(maxsize=1)
def _known() -> tuple[dict[str, str], ...]:
    with FILE.open("rb") as file:
        return tuple(tomllib.load(file)["explanation"])


def _definition(row: Mapping[str, Any], value: float) -> str:
    """What is known of the subject; a reason that would move the number the other way is none, and is not told."""
    side = "above" if value > row["observed"] else "below"
    for entry in _known():
        fits = fnmatchcase(row["indicator"], entry["indicator"]) and fnmatchcase(row["subject"], entry["subject"])
        if fits and entry.get("where", side) == side and entry.get("year", row["year"]) == row["year"]:
            return entry["text"]
    return ""


def explanation(row: Mapping[str, Any], answer: Answer, classes: Classes) -> str:
    """One or two sentences on what a miss comes from.

    Parameters
    ----------
    row
        The target.
    answer
        The model's number.
    classes
        Which knows how the atlas' values are known.
    """
    said = []
    if definition := _definition(row, answer.value):
        said.append(definition)
    if answer.parts and answer.value:
        total = sum(p[3] for p in answer.parts)
        flows: dict[tuple[str, str], float] = {}
        goods: dict[str, float] = {}
        for exporter, importer, commodity, tonnes in answer.parts:
            flows[exporter, importer] = flows.get((exporter, importer), 0.0) + tonnes
            goods[commodity] = goods.get(commodity, 0.0) + tonnes
        if total > 0:
            pair, good = max(flows, key=flows.__getitem__), max(goods, key=goods.__getitem__)
            most, amount = flows[pair], goods[good]
            said.append(
                f"{most / total:.0%} of it is {pair[0]} to {pair[1]}, {amount / total:.0%} {good.replace('_', ' ')}"
            )
            drivers = _drivers(pair, good, classes)
            if drivers:
                said.append(drivers)
    elif answer.cells:
        kinds = Counter(o.kind if (o := classes.origin(c)) else "unknown" for c in answer.cells)
        told = ", ".join(f"{n} {k}" for k, n in kinds.most_common())
        tables = sorted({f"{c.table}.{c.column}" for c in answer.cells})
        said.append(f"it rests on {len(answer.cells)} values of {', '.join(tables[:3])}: {told}")
    if not said:
        said.append("no value of the atlas can be named that makes it")
    return "; ".join(said)


def _drivers(pair: tuple[str, str], good: str, classes: Classes) -> str:
    """The rows of mode shares and corrections that set a flow, and how they are known."""
    found = []
    for table in ("mode_shares", "trade_overrides"):
        best, rank = "", -1
        for name, exporter, importer, commodity in classes.rows_of(table):
            if classes.means(exporter, pair[0]) and classes.means(importer, pair[1]) and commodity in ("*", good):
                weight = 2 * (exporter == pair[0]) + 2 * (importer == pair[1]) + (commodity == good)
                if weight > rank:
                    best, rank = name, weight
        if best and rank > 0:
            found.append(f"{table} {best} ({_known_as(classes, table, best)})")
    return f"set by {' and '.join(found)}" if found else ""


def _known_as(classes: Classes, table: str, name: str) -> str:
    """How a row of rules is known: the weakest of its numbers, or of the row as a whole."""
    columns = ("*", "tonnes", "tonnes_factor", "value_usd", "value_factor", "rail", "switch")
    kinds = {o.kind for c in columns if (o := classes.origin(Cell(table, name, c)))}
    return next((kind for kind in ("estimate", "calibrated", "derived", "reported") if kind in kinds), "unknown")
