"""Hold a results folder against observed figures.

Covered here are the indicators that flows and routes of the base scenario answer: tonnes, boxes and trains over
crossings, boxes and trains of services that a passage stands for, transit days, distances and prices of routes, trade.
Everything else is listed as not covered, with the reason, and never dropped.

A flow observed over part of a year is compared with that part of the model's year (``annualise`` in the note).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.dictionary import read_dictionary
from landbridge.data.read import ATLAS, read_table
from landbridge.data.tables import Tables
from landbridge.errors import DataError
from landbridge.scenario.apply import apply
from landbridge.study.results import Results
from landbridge.study.routing import RouteFinder, box_tonnes

__all__ = ["against"]

MEGATONNE = 1e6

#: Passages whose routes a target's `via` means.
VIA = {
    "kazakhstan-russia": "west-1",
    "mongolia": "east-1",
    "manzhouli": "manzhouli",
    "titr": "west-2-caspian",
    "aktau": "west-2-caspian",
    "suez": "suez",
    "cape": "cape",
    "nsr": "nsr",
    "turkmenistan-iran": "west-2-land",
    "cku": "west-3",
}

#: Goods whose tariff stands for "a container".
STANDARD_BOX = "machinery_box"


class _NotCovered(Exception):
    """Says why a target has no counterpart in the model."""


def _annualise(note: str) -> float:
    found = re.search(r"annualise x([0-9.]+)", note or "")
    return float(found.group(1)) if found else 1.0


class _Model:
    """Answers targets from one results folder."""

    def __init__(self, results: Results, tables: Tables) -> None:
        self.results = results
        self.tables = tables
        self.scenario = results.scenarios[0]
        held = frozenset(results.manifest["study"]["held_projects"])
        self.held = held
        self.crossings = set(tables["crossings"]["id"].to_list())
        self.finders: dict[int, RouteFinder] = {}
        crosswalk = tables["crosswalk"]
        places = crosswalk.filter(
            (pl.col("kind") == "place") & pl.col("atlas_id").is_not_null() & pl.col("target_id").is_not_null()
        )
        self.place = dict(zip(places["target_id"], places["atlas_id"], strict=True))
        self.iso2 = {}
        for row in crosswalk.filter((pl.col("kind") == "country") & pl.col("target_id").is_not_null()).to_dicts():
            self.iso2[row["target_id"]] = row["iso2"]
        pairs = zip(tables["countries"]["iso2"], tables["countries"]["iso3"], strict=True)
        self.iso3 = {a: b for a, b in pairs if a}

    def flows(self, year: int) -> pl.DataFrame:
        if year not in self.results.years:
            raise _NotCovered(f"year {year} is not in this results folder")
        return self.results.of("crossing_flows", self.scenario, year)

    def crossing(self, row: dict[str, Any]) -> float:
        thing, _, qualifier = row["subject"].partition("/")
        frame = self.flows(row["year"])
        if "<>" in thing:
            a, b = (self.iso2.get(part) for part in thing.split("<>"))
            if not a or not b:
                raise _NotCovered("countries of the border are not in the crosswalk")
            frame = frame.filter(
                ((pl.col("from_country") == a) & (pl.col("to_country") == b))
                | ((pl.col("from_country") == b) & (pl.col("to_country") == a))
            )
            modes = dict(zip(self.tables["crossings"]["id"], self.tables["crossings"]["mode"], strict=True))
            frame = frame.filter(pl.col("crossing").is_in([c for c, m in modes.items() if m == "rail"]))
        else:
            ids = thing.split("+")
            lost = [i for i in ids if i not in self.crossings]
            if lost:
                raise _NotCovered(f"no crossing {', '.join(lost)} in the atlas")
            frame = frame.filter(pl.col("crossing").is_in(ids))
        if qualifier == "transit":
            frame = frame.filter("transit")
        elif qualifier in ("china-europe-rail", "china-europe-rail+china-central-asia"):
            boxes = self.tables["commodities"].filter(pl.col("form") == "container")["id"].to_list()
            frame = frame.filter(pl.col("commodity").is_in([*boxes, "empty_box"]))
            if qualifier == "china-europe-rail":
                central = {self.iso3[c] for c in self._bloc("central-asia") if c in self.iso3}
                frame = frame.filter(~pl.col("exporter").is_in(central) & ~pl.col("importer").is_in(central))
        elif qualifier:
            raise _NotCovered(f"qualifier {qualifier}")
        if row["direction"] in ("from-china", "to-china"):
            column = "from_country" if row["direction"] == "from-china" else "to_country"
            frame = frame.filter(pl.col(column) == "CN")
        elif row["direction"] not in ("both", "na"):
            raise _NotCovered(f"direction {row['direction']}")
        column, scale = {
            "crossing_tonnes": ("tonnes", MEGATONNE),
            "crossing_teu": ("teu", 1.0),
            "crossing_trains": ("trains", 1.0),
        }[row["indicator"]]
        return float(frame[column].sum()) / scale / _annualise(row["note"])

    def _bloc(self, name: str) -> list[str]:
        return self.tables["blocs"].filter(pl.col("bloc") == name)["iso2"].to_list()

    def service(self, row: dict[str, Any]) -> float:
        thing, _, qualifier = row["subject"].partition("/")
        if qualifier or row["direction"] not in ("both", "na"):
            raise _NotCovered("part of a service")
        if row["year"] not in self.results.years:
            raise _NotCovered(f"year {row['year']} is not in this results folder")
        flows = self.results.of("passage_flows", self.scenario, row["year"])
        boxes = self.tables["commodities"].filter(pl.col("form") == "container")["id"].to_list()
        boxed = pl.col("commodity").is_in([*boxes, "empty_box"])
        if thing == "titr":
            frame = flows.filter(pl.col("passage") == "west-2-caspian")
        elif thing == "china-europe-rail":
            named = ["west-1", "crk", "east-1", "manzhouli", "suifenhe-vladivostok", "west-2-land", "west-2-caspian"]
            china = (pl.col("exporter") == "CHN") | (pl.col("importer") == "CHN")
            frame = flows.filter(pl.col("passage").is_in(named) & boxed & china)
        else:
            raise _NotCovered(f"service {thing}")
        column, scale = {
            "service_tonnes": ("tonnes", MEGATONNE),
            "service_teu": ("teu", 1.0),
            "service_trains": ("trains", 1.0),
        }[row["indicator"]]
        return float(frame[column].sum()) / scale / _annualise(row["note"])

    def _finder(self, year: int) -> RouteFinder:
        known = max(year, 2023)
        if known not in self.finders:
            applied = apply(self.tables, (), known, held=self.held)
            self.finders[known] = RouteFinder(applied.tables, sorted(set(self.place.values())), season="open")
        return self.finders[known]

    def route(self, row: dict[str, Any]) -> float:
        subject, *qualifiers = row["subject"].split("/")
        if ";" in row["subject"]:
            raise _NotCovered("a formula of two routes")
        pair, _, via = subject.partition(" via ")
        qualifier = qualifiers[0] if qualifiers else ""
        if ">" not in pair:
            raise _NotCovered(f"no relation behind {pair}")
        if qualifier not in ("", "rail", "timetabled", "ordinary", "sea", "sea-with-calls", "transit"):
            raise _NotCovered(f"qualifier {qualifier}")
        start, end = pair.split(">")
        values = []
        passage: dict[str, Any] = {}
        if via:
            if via not in VIA:
                raise _NotCovered(f"passage {via}")
            passage = self.tables["passages"].filter(pl.col("id") == VIA[via]).row(0, named=True)
        for a in start.split("|"):
            for b in end.split("|"):
                if a not in self.place or b not in self.place:
                    raise _NotCovered(f"no single place for {a if a not in self.place else b}")
                values.append(self._one(row, self.place[a], self.place[b], via, passage, qualifier))
        return sum(values) / len(values)

    def _one(self, row: dict[str, Any], a: str, b: str, via: str, passage: dict[str, Any], qualifier: str) -> float:
        finder = self._finder(row["year"])
        number = finder.commodity(STANDARD_BOX)
        sea = qualifier.startswith("sea")
        modes = ["sea"] if sea else (["rail", "ferry", "sea"] if via in ("titr", "aktau") else ["rail"])
        stops = [] if sea else [p for p in passage.get("via") or () if p not in (a, b)]
        if sea and via == "cape":
            stops = ["sea-cape"]
        if sea and via == "suez":
            stops = ["sea-suez"]
        found = finder.find(
            a,
            b,
            commodity=number,
            via=stops,
            avoid=() if sea else passage.get("avoid_countries") or (),
            modes=modes,
            units=box_tonnes(finder.goods, number, feu=True),
        )
        if not found:
            raise _NotCovered(f"no such route from {a} to {b} in the model")
        route = found[0]
        if row["indicator"] == "transit_days":
            if qualifier == "sea":
                return sum(leg.time_h for leg in route.legs if leg.type == "move") / 24
            return route.transit_days
        return route.length_km if row["indicator"] == "distance_km" else route.cost_usd

    def trade(self, row: dict[str, Any]) -> float:
        thing = row["subject"].split("/")[0]
        if row["year"] != 2023 or "<>" not in thing:
            raise _NotCovered("the atlas' trade is of 2023")
        sides = []
        for part in thing.split("<>"):
            iso2 = [self.iso2[part]] if self.iso2.get(part) else self._bloc(part)
            sides.append({self.iso3[c] for c in iso2 if c in self.iso3})
        trade = self.tables["trade"]
        a, b = pl.col("exporter"), pl.col("importer")
        frame = trade.filter((a.is_in(sides[0]) & b.is_in(sides[1])) | (a.is_in(sides[1]) & b.is_in(sides[0])))
        return float(frame["value_usd"].sum()) / 1e9

    def peak(self, row: dict[str, Any]) -> float:
        found = self.tables["crossings"].filter(pl.col("id") == row["subject"])
        if found.is_empty():
            raise _NotCovered("no such crossing in the atlas")
        return float(max(found["capacity_ab_trains_day"][0], found["capacity_ba_trains_day"][0]))

    def answer(self, row: dict[str, Any]) -> float:
        answers: dict[str, Callable[[dict[str, Any]], float]] = {
            "crossing_tonnes": self.crossing,
            "crossing_teu": self.crossing,
            "crossing_trains": self.crossing,
            "crossing_peak_trains_day": self.peak,
            "service_tonnes": self.service,
            "service_teu": self.service,
            "service_trains": self.service,
            "transit_days": self.route,
            "distance_km": self.route,
            "rate_usd_feu": self.route,
            "trade_usd": self.trade,
        }
        if row["kind"] == "input":
            raise _NotCovered("an input, not an output")
        if row["kind"] in ("sign", "order"):
            raise _NotCovered("a statement about a scenario that this study does not hold")
        if row["indicator"] not in answers:
            raise _NotCovered(f"indicator {row['indicator']}")
        return answers[row["indicator"]](row)


#: Targets whose model value is an input of the atlas in disguise.
ECHO = {"trade_usd", "crossing_peak_trains_day"}


def against(results: Results, tables: Tables, file: Path | None = None) -> pl.DataFrame:
    """Compare observed figures with the first scenario of a results folder.

    Parameters
    ----------
    results
        A results folder.
    tables
        The atlas it was made from.
    file
        Targets in the atlas' form; None takes the atlas' own.

    Returns
    -------
    polars.DataFrame
        One row a target: id, indicator, subject, direction, year, unit, observed, low, high, modelled, error_percent,
        inside (``yes``, ``no`` or null), why (``echo`` of an input, or the reason why it is not covered).

    Raises
    ------
    DataError
        If the file does not have the form of targets.
    """
    if file is None:
        frame = tables["targets"]
    else:
        frame, faults = read_table(file, read_dictionary(ATLAS).of("targets"))
        if faults:
            raise DataError(f"targets {file.name}", faults)
    model = _Model(results, tables)
    rows = []
    for row in frame.to_dicts():
        value: float | None
        try:
            value, why = model.answer(row), "echo: rests on the same input" if row["indicator"] in ECHO else ""
        except _NotCovered as reason:
            value, why = None, f"not covered: {reason}"
        inside = None
        if value is not None:
            low, high = row["low"], row["high"]
            inside = "yes" if (low is None or value >= low) and (high is None or value <= high) else "no"
        observed = row["observed"]
        rows.append(
            {
                **{
                    c: row[c]
                    for c in ("id", "indicator", "subject", "direction", "year", "unit", "observed", "low", "high")
                },
                "modelled": value,
                "error_percent": 100 * (value - observed) / observed if value is not None and observed else None,
                "inside": inside,
                "why": why,
            }
        )
    types = {"modelled": pl.Float64, "error_percent": pl.Float64, "inside": pl.String}
    return pl.DataFrame(rows, schema_overrides=types, infer_schema_length=None)
