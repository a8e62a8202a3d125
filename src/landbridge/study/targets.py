"""Hold a results folder against observed figures.

A file of targets has one number, or one statement, a row. Each row is answered, or listed as not covered with the
reason; none is dropped. Three classes are told apart:

compared      the model could have been wrong
echo          the number compared rests on the observed figure itself, as the provenance of the atlas tells, so that
              meeting it is no success
not covered   the model, or this results folder, has no such number

Flows are answered for the years of the results folder only. What does not hang on a year's flows (distances, times and
prices of routes, tariffs, emission factors, capacities) is answered whatever the year. A flow observed over part of a
year is compared with that part of the model's year (``annualise`` in the note).
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.dictionary import read_dictionary
from landbridge.data.provenance import Origins, read_origins
from landbridge.data.read import ATLAS, read_table
from landbridge.data.tables import Tables
from landbridge.errors import DataError, Fault, StudyError
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Build, Measure
from landbridge.study.files import read_study
from landbridge.study.results import Results
from landbridge.study.routing import NamedRoute, RouteFinder, box_tonnes

__all__ = ["against"]

MEGATONNE = 1e6

#: The year whose network stands for all years before it: the atlas knows no older one.
FIRST_NETWORK = 2023

#: Pairs of zones, the largest by boxes, over which a relation between countries is averaged.
LARGEST_PAIRS = 30

#: Goods whose tariff stands for "a container".
STANDARD_BOX = "machinery_box"

#: Places of targets that the atlas does not have, by the place that stands for them.
STAND_IN = {"absheron": "az-baku"}

#: Passages of the network that a target's `via` means, beyond those of the crosswalk.
VIA = {"aktau": "west-2-caspian"}

#: What a `via` means where it is one line or crossing rather than a whole passage.
WAYPOINTS: dict[str, dict[str, list[str]]] = {
    "khorgos": {"via": ["cn-khorgos"], "modes": ["rail"]},
    "cku": {"via": ["kg-torugart"], "modes": ["rail", "ferry"]},
    "kashgar-osh": {"via": ["cn-kashgar", "kg-osh"], "modes": ["rail", "road", "ferry"]},
}

#: Services that are a passage, and the crossings whose goods are a line's.
BLOCK_TRAINS = ("west-1", "crk", "east-1", "manzhouli", "suifenhe-vladivostok", "west-2-land", "west-2-caspian")
LINES = {"btk": "akhalkalaki", "cku-railway": "torugart-makmal"}
SECTIONS = {"carec-1": "alashankou-dostyk+khorgos-altynkol"}

#: Tables that make flows what they are; a target that one of them rests on is met by construction.
DRIVERS = ("mode_shares", "trade_overrides", "trade", "zone_shares")

#: Indicators for which the model has no number, with the reason.
NOT_IN_THE_MODEL = {
    "crossing_wagons": "the model counts tonnes, boxes and trains, not wagons",
    "queue_trains": "queues are hours of a mean day, not trains of the worst day",
    "terminal_train_minutes": "a yard's hours hold shunting and waiting; crane time is not apart",
    "terminal_trains_day": "trains of a terminal are not a table of the results",
}

#: Indicators that hang on a year's flows.
FLOWS = {
    "crossing_tonnes", "crossing_teu", "crossing_trains", "service_tonnes", "service_teu", "service_trains",
    "terminal_teu", "trade_usd", "share_pct",
}  # fmt: skip


class _NotCovered(Exception):
    """Says why a target has no counterpart in the model."""


class _NoPair(Exception):
    """One of the pairs of places of a mean between countries has no such route."""

    def __init__(self, pair: tuple[str, str]) -> None:
        super().__init__(pair)
        self.pair = pair


@dataclass(frozen=True)
class _Cell:
    """A cell of the atlas."""

    table: str
    row: str
    column: str


@dataclass(frozen=True)
class _Answer:
    """A number of the model, the cells of the atlas it is read from, and what to know about it."""

    value: float
    cells: tuple[_Cell, ...] = ()
    note: str = ""
    #: The number is an input whatever its provenance says.
    given: bool = False


@dataclass(frozen=True)
class _Operand:
    """One thing that a target is about."""

    scenario: str
    thing: str
    via: str
    qualifiers: tuple[str, ...]
    direction: str
    year: int


def _operand(text: str, row: Mapping[str, Any], first: str) -> _Operand:
    """Read ``[scenario:]thing[ via passage]{/qualifier}[@year]``."""
    body, _, year = text.strip().partition("@")
    scenario, colon, rest = body.partition(":")
    head, *qualifiers = (rest if colon else body).split("/")
    thing, _, via = head.partition(" via ")
    direction = next((q for q in qualifiers if q in ("from-china", "to-china")), row["direction"])
    if year and not year.isdigit():
        raise _NotCovered(f"the year of {text} cannot be read")
    return _Operand(
        scenario if colon else first,
        thing.strip(),
        via.strip(),
        tuple(q for q in qualifiers if q not in ("from-china", "to-china")),
        direction,
        int(year) if year else row["year"],
    )


def _annualise(note: str | None) -> float:
    found = re.search(r"annualise x([0-9.]+)", note or "")
    return float(found.group(1)) if found else 1.0


def _part(note: str | None, key: str) -> str | None:
    """The part of a note that begins with a key."""
    return next((p.split(":", 1)[1].strip() for p in (note or "").split("; ") if p.startswith(f"{key}:")), None)


_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}


def _evaluate(node: ast.AST) -> float:
    """Evaluate numbers, the four operations, comparisons and ``and``; nothing else."""
    if isinstance(node, ast.Expression):
        return _evaluate(node.body)
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return float(_OPERATORS[type(node.op)](_evaluate(node.left), _evaluate(node.right)))
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return float(all(_evaluate(value) for value in node.values))
    if isinstance(node, ast.Compare) and all(type(op) in _OPERATORS for op in node.ops):
        sides = [_evaluate(side) for side in (node.left, *node.comparators)]
        pairs = zip(node.ops, sides[:-1], sides[1:], strict=True)
        return float(all(_OPERATORS[type(op)](a, b) for op, a, b in pairs))
    raise _NotCovered("its formula cannot be read")


class _Model:
    """Answers targets from one results folder."""

    def __init__(self, results: Results, tables: Tables) -> None:
        self.results = results
        self.tables = tables
        self.first = results.scenarios[0]
        self.held = frozenset(results.manifest["study"]["held_projects"])
        self.atlas_crossings = tables["crossings"]
        crosswalk = tables["crosswalk"].filter(pl.col("target_id").is_not_null())
        named = crosswalk.filter(pl.col("atlas_id").is_not_null())

        def ids(kind: str) -> dict[str, str]:
            rows = named.filter(pl.col("kind") == kind)
            return dict(zip(rows["target_id"], rows["atlas_id"], strict=True))

        self.terminals = ids("terminal")
        self.place = {**STAND_IN, **self.terminals, **ids("place")}
        self.crossing_ids = ids("crossing")
        self.passage_ids = {**ids("passage"), **VIA}
        countries = crosswalk.filter(pl.col("kind") == "country")
        self.iso2 = {t: i for t, i in zip(countries["target_id"], countries["iso2"], strict=True) if i}
        pairs = zip(tables["countries"]["iso2"], tables["countries"]["iso3"], strict=True)
        self.iso3 = {a: b for a, b in pairs if a}
        boxes = tables["commodities"].filter(pl.col("form") == "container")["id"].to_list()
        self.boxed = pl.col("commodity").is_in([*boxes, "empty_box"])
        self._finders: dict[tuple[str, int, str], RouteFinder] = {}
        # pairs left out of the mean at hand, so that both sides of a difference are means over the same pairs
        self._left_out: set[tuple[str, str]] = set()

    # -- who and when

    def _group(self, name: str) -> set[str]:
        """Countries (two letters) of a country or group of the target list."""
        if name in self.iso2:
            return {self.iso2[name]}
        members = self.tables["blocs"].filter(pl.col("bloc") == name)["iso2"].to_list()
        if name == "world":
            members = list(self.iso3)
        if not members:
            raise _NotCovered(f"no country or group {name} in the atlas")
        return set(members)

    def _traders(self, name: str) -> set[str]:
        return {self.iso3[c] for c in self._group(name) if c in self.iso3}

    def _table(self, name: str, op: _Operand) -> pl.DataFrame:
        """A table of the year asked about."""
        if op.scenario not in self.results.scenarios:
            raise _NotCovered(f"no scenario {op.scenario} in this results folder")
        if op.year not in self.results.years:
            raise _NotCovered(f"flows of {op.year} are not in this results folder")
        return self.results.of(name, op.scenario, op.year)

    def _nearest(self, name: str, op: _Operand) -> tuple[pl.DataFrame, int]:
        """A table of the year asked about, else of the year solved that is nearest to it."""
        year = min(self.results.years, key=lambda y: (abs(y - op.year), y))
        return self._table(name, replace(op, year=year)), year

    def _ids(self, thing: str) -> list[str]:
        """Crossings, or ferry lines, of the atlas that a sum over several means."""
        return [self.crossing_ids.get(i, i) for i in thing.split("+")]

    # -- crossings

    def _crossing_flows(self, op: _Operand, flows: pl.DataFrame, open_ones: pl.DataFrame) -> pl.DataFrame:
        """Rows of crossing flows that an operand means."""
        if "<>" in op.thing:
            a, b = (self._group(part) for part in op.thing.split("<>"))
            modes = self.atlas_crossings.filter(pl.col("mode") == "rail")["id"].to_list()
            start, end = pl.col("from_country"), pl.col("to_country")
            between = (start.is_in(list(a)) & end.is_in(list(b))) | (start.is_in(list(b)) & end.is_in(list(a)))
            frame = flows.filter(between & pl.col("crossing").is_in(modes))
        else:
            ids = self._ids(op.thing)
            known = set(self.atlas_crossings["id"].to_list())
            lost = [i for i in ids if i not in known]
            if lost:
                raise _NotCovered(f"no crossing {', '.join(lost)} in the atlas")
            shut = [i for i in ids if i not in set(open_ones["crossing"].to_list())]
            if shut:
                raise _NotCovered(f"{', '.join(shut)} is not open in this scenario and year")
            frame = flows.filter(pl.col("crossing").is_in(ids))
        for qualifier in op.qualifiers:
            frame = frame.filter(self._crossing_qualifier(qualifier))
        return self._directed(frame, op)

    def _crossing_qualifier(self, qualifier: str) -> pl.Expr:
        central = list(self._traders("central-asia"))
        ends_there = pl.col("exporter").is_in(central) | pl.col("importer").is_in(central)
        other = pl.when(pl.col("from_country") == "CN").then(pl.col("to_country")).otherwise(pl.col("from_country"))
        neighbour = other.replace_strict(self.iso3, default=None)
        known: dict[str, pl.Expr] = {
            "rail": pl.col("crossing").is_in(self.atlas_crossings.filter(pl.col("mode") == "rail")["id"].to_list()),
            "road": pl.col("crossing").is_in(self.atlas_crossings.filter(pl.col("mode") == "road")["id"].to_list()),
            "transit": pl.col("transit"),
            "export": pl.col("exporter") == neighbour,
            "import": pl.col("importer") == neighbour,
            "china-europe-rail": self.boxed & ~ends_there,
            "china-central-asia": self.boxed & ends_there,
            "china-europe-rail+china-central-asia": self.boxed,
            "china-central-asia+china-europe-rail": self.boxed,
        }
        if qualifier not in known:
            raise _NotCovered(f"flows of a crossing are not told apart by {qualifier}")
        return known[qualifier]

    def _directed(self, frame: pl.DataFrame, op: _Operand) -> pl.DataFrame:
        if op.direction in ("both", "na"):
            return frame
        if op.direction in ("from-china", "to-china"):
            column = "from_country" if op.direction == "from-china" else "to_country"
            return frame.filter(pl.col(column) == "CN")
        raise _NotCovered(f"a crossing has no direction {op.direction}")

    def crossing(self, op: _Operand, row: Mapping[str, Any]) -> _Answer:
        column, scale = {
            "crossing_tonnes": ("tonnes", MEGATONNE),
            "crossing_teu": ("teu", 1.0),
            "crossing_trains": ("trains", 1.0),
        }[row["indicator"]]
        ids = self._ids(op.thing)
        if all(i.startswith("ferry:") for i in ids):
            if column == "trains" or op.qualifiers:
                raise _NotCovered("of a ferry line only all tonnes and boxes are told")
            frame = self._table("links", op).filter(pl.col("link").is_in(ids))
            if op.direction in ("from-china", "to-china"):
                # the side towards China stands first in the ids of these lines
                frame = frame.filter(pl.col("direction") == ("ab" if op.direction == "from-china" else "ba"))
        else:
            frame = self._crossing_flows(op, self._table("crossing_flows", op), self._table("crossings", op))
        return _Answer(float(frame[column].sum()) / scale)

    def teu_per_train(self, op: _Operand, _row: Mapping[str, Any]) -> _Answer:
        if op.thing in self.crossing_ids or "<>" in op.thing or "+" in op.thing:
            flows, year = self._nearest("crossing_flows", op)
            frame = self._crossing_flows(op, flows, self._nearest("crossings", op)[0])
        else:
            flows, year = self._nearest("passage_flows", op)
            frame = self._service_flows(op, flows)
        frame = frame.filter(self.boxed)
        trains = float(frame["trains"].sum())
        if not trains:
            raise _NotCovered("no container train there in the model")
        ids = sorted(set(frame["commodity"].to_list()) - {"empty_box"})
        cells = tuple(_Cell("commodities", i, c) for i in ids for c in ("t_per_train", "t_per_teu"))
        return _Answer(float(frame["teu"].sum()) / trains, cells, f"mix of goods of {year}")

    def peak(self, op: _Operand, _row: Mapping[str, Any]) -> _Answer:
        name = self.crossing_ids.get(op.thing, op.thing)
        found = self.atlas_crossings.filter(pl.col("id") == name)
        if found.is_empty() or op.qualifiers:
            raise _NotCovered("no such crossing in the atlas")
        away = found["place_a"].str.starts_with("cn-")[0]
        sides = {"both": ("ab", "ba"), "na": ("ab", "ba"), "from-china": ("ab" if away else "ba",)}
        columns = [f"capacity_{s}_trains_day" for s in sides.get(op.direction, ("ba" if away else "ab",))]
        total = sum(float(found[c][0] or 0) for c in columns)
        return _Answer(total, tuple(_Cell("crossings", name, c) for c in columns), "capacity of the crossing")

    def border_hours(self, op: _Operand, _row: Mapping[str, Any]) -> _Answer:
        frame, year = self._nearest("crossings", op)
        for qualifier in op.qualifiers:
            if qualifier not in ("rail", "road"):
                raise _NotCovered(f"hours are not told apart by {qualifier}")
            frame = frame.filter(pl.col("mode") == qualifier)
        if op.thing in self.iso2:
            iso2 = self.iso2[op.thing]
            into, out = pl.col("to_country") == iso2, pl.col("from_country") == iso2
            frame = frame.filter(
                into if op.direction == "inbound" else out if op.direction == "outbound" else into | out
            )
        else:
            if op.thing in self.terminals:
                raise _NotCovered("the model's hours are those of both border stations together")
            ids = self._ids(SECTIONS.get(op.thing, op.thing))
            frame = self._directed(frame.filter(pl.col("crossing").is_in(ids)), op)
        frame = frame.filter(pl.col("trains") > 0)
        if frame.is_empty():
            raise _NotCovered("no traffic over such a crossing in the model")
        cells = tuple(
            _Cell("crossings", name, f"{part}_{side}_h")
            for name, side in frame.select("crossing", "direction").rows()
            for part in ("processing", "waiting")
        )
        mean = float((frame["time_h"] * frame["trains"]).sum()) / float(frame["trains"].sum())
        return _Answer(mean, cells, f"mean over trains at the flows of {year}")

    # -- services

    def _service_flows(self, op: _Operand, flows: pl.DataFrame) -> pl.DataFrame:
        china = (pl.col("exporter") == "CHN") | (pl.col("importer") == "CHN")
        if op.thing == "titr":
            frame = flows.filter(pl.col("passage") == "west-2-caspian")
        elif op.thing == "china-europe-rail":
            frame = flows.filter(pl.col("passage").is_in(BLOCK_TRAINS) & self.boxed & china)
        elif op.thing == "china-central-asia":
            frame = flows.filter((pl.col("passage") == "china-central-asia") & self.boxed & china)
        elif op.thing == "utlc-transit":
            europe = list(self._traders("europe"))
            beyond = pl.col("exporter").is_in(europe) | pl.col("importer").is_in(europe)
            frame = flows.filter((pl.col("passage") == "west-1") & self.boxed & china & beyond)
        else:
            raise _NotCovered(f"no counterpart of the service {op.thing} in the model")
        for qualifier in op.qualifiers:
            if qualifier not in self.iso2 and self.tables["blocs"].filter(pl.col("bloc") == qualifier).is_empty():
                raise _NotCovered(f"flows of a service are not told apart by {qualifier}")
            ends = list(self._traders(qualifier))
            frame = frame.filter(pl.col("exporter").is_in(ends) | pl.col("importer").is_in(ends))
        if op.direction in ("from-china", "to-china"):
            frame = frame.filter(pl.col("exporter" if op.direction == "from-china" else "importer") == "CHN")
        elif op.direction not in ("both", "na"):
            raise _NotCovered(f"a service has no direction {op.direction}")
        return frame

    def service(self, op: _Operand, row: Mapping[str, Any]) -> _Answer:
        column, scale = {
            "service_tonnes": ("tonnes", MEGATONNE),
            "service_teu": ("teu", 1.0),
            "service_trains": ("trains", 1.0),
        }[row["indicator"]]
        if op.thing in LINES:
            crossing = replace(op, thing=LINES[op.thing])
            flows = self._crossing_flows(crossing, self._table("crossing_flows", op), self._table("crossings", op))
            return _Answer(float(flows[column].sum()) / scale, note=f"over the crossing {LINES[op.thing]}")
        if op.thing == "kazakhstan-container-transit":
            if column != "teu" or op.qualifiers or op.direction not in ("both", "na"):
                raise _NotCovered("of transit only all boxes are told")
            through = self._table("countries", op).filter(pl.col("country") == "KZ")
            return _Answer(float(through["transit_teu"].sum()), note="loaded boxes, road and rail")
        if op.thing == "nsr":
            raise _NotCovered("ships along the Arctic coast are no flows of the land network")
        if op.thing == "russian-oil-via-kazakhstan":
            raise _NotCovered("oil in pipelines is an input")
        frame = self._service_flows(op, self._table("passage_flows", op))
        return _Answer(float(frame[column].sum()) / scale)

    def terminal_teu(self, op: _Operand, _row: Mapping[str, Any]) -> _Answer:
        place = self.terminals.get(op.thing)
        links = self.tables["links"].filter(
            pl.col("mode").is_in(["sea", "ferry"]) & ((pl.col("place_a") == place) | (pl.col("place_b") == place))
        )
        if place is None or links.is_empty() or op.qualifiers:
            raise _NotCovered("boxes are counted at ports only, by what comes and goes over water")
        frame = self._table("links", op).filter(pl.col("link").is_in(links["id"].to_list()))
        return _Answer(float(frame["teu"].sum()), note="boxes that come and go over water")

    def capacity(self, op: _Operand, _row: Mapping[str, Any]) -> _Answer:
        if op.thing in self.terminals and not op.qualifiers:
            rows = self.tables["terminals"].filter(
                (pl.col("place") == self.terminals[op.thing]) & (pl.col("cargo") == "container")
            )
            table = "terminals"
        else:
            if op.qualifiers not in ((), ("six-vessels",)):
                raise _NotCovered(f"capacities are not told apart by {op.qualifiers[0]}")
            rows = self.tables["services"].filter(pl.col("link") == self.crossing_ids.get(op.thing, op.thing))
            table = "services"
        rows = rows.filter(pl.col("capacity_teu_yr").is_not_null())
        if rows.is_empty():
            raise _NotCovered(f"no capacity of {op.thing} in boxes in the atlas")
        cells = tuple(_Cell(table, name, "capacity_teu_yr") for name in rows["id"].to_list())
        return _Answer(float(rows["capacity_teu_yr"].sum()), cells)

    # -- routes

    def _measures(self, scenario: str) -> tuple[Measure, ...]:
        if scenario not in self.results.scenarios:
            raise _NotCovered(f"no scenario {scenario} in this results folder")
        recorded = {s["id"]: s["measures"] for s in self.results.manifest["study"]["scenarios"]}
        if not recorded[scenario]:
            return ()
        try:
            return read_study(self.results.folder / "study.toml").scenario(scenario).measures
        except (StudyError, KeyError):
            raise _NotCovered(f"measures of {scenario} cannot be read from the study in the results folder") from None

    def _finder(self, op: _Operand) -> RouteFinder:
        year = max(op.year, FIRST_NETWORK)
        build = "cku" if op.via == "cku" else ""
        key = (op.scenario, year, build)
        if key not in self._finders:
            measures = self._measures(op.scenario)
            if build and not any(isinstance(m, Build) and m.project == build for m in measures):
                measures = (*measures, Build(project=build))
            applied = apply(self.tables, measures, year, held=self.held)
            zones = self.tables["zones"]
            places = {*self.place.values(), *zones["place"].to_list(), *self._ports("CN")}
            passages = self.tables["passages"]
            places |= set(passages["origin"].drop_nulls()) | set(passages["destination"].drop_nulls())
            known = set(applied.tables["places"]["id"].to_list())
            self._finders[key] = RouteFinder(applied.tables, sorted(places & known), season="open")
        return self._finders[key]

    def _ports(self, country: str) -> list[str]:
        zones = self.tables["zones"].filter((pl.col("country") == country) & pl.col("sea_port").is_not_null())
        return sorted(set(zones["sea_port"].to_list()))

    def _port(self, place: str) -> str:
        """A city's sea port."""
        zones = self.tables["zones"].filter((pl.col("place") == place) & pl.col("sea_port").is_not_null())
        return str(zones["sea_port"][0]) if zones.height else place

    def _ends(self, op: _Operand, *, sea: bool) -> list[tuple[str, str, float]]:
        """Pairs of places with weights, which a relation of the target list means."""
        start, end = op.thing.split(">")

        def group(name: str) -> bool:
            return name in self.iso2 or not self.tables["blocs"].filter(pl.col("bloc") == name).is_empty()

        if group(start) and group(end):
            return self._largest(op, self._traders(start), self._traders(end))

        def places(text: str) -> list[str]:
            if text == "china-ports":
                return self._ports("CN")
            found = []
            for name in text.split("|"):
                if name not in self.place:
                    raise _NotCovered(f"no single place for {name} in the atlas")
                found.append(self._port(self.place[name]) if sea else self.place[name])
            return found

        return [(a, b, 1.0) for a in places(start) for b in places(end)]

    def _largest(self, op: _Operand, exporters: set[str], importers: set[str]) -> list[tuple[str, str, float]]:
        frame, _ = self._nearest("relations", replace(op, scenario=self.first))
        place = dict(zip(self.tables["zones"]["id"], self.tables["zones"]["place"], strict=True))
        pairs = (
            frame.filter(
                self.boxed & pl.col("exporter").is_in(list(exporters)) & pl.col("importer").is_in(list(importers))
            )
            .group_by("origin_zone", "destination_zone")
            .agg(pl.col("land_tonnes").sum())
            .filter(pl.col("land_tonnes") > 0)
            .sort(["land_tonnes", "origin_zone", "destination_zone"], descending=[True, False, False])
            .head(LARGEST_PAIRS)
        )
        if pairs.is_empty():
            raise _NotCovered("no boxes go overland between these countries in the model")
        total = float(pairs["land_tonnes"].sum())
        found = [(place[a], place[b], w / total) for a, b, w in pairs.rows()]
        found = [pair for pair in found if pair[:2] not in self._left_out]
        if sum(w for *_, w in found) < 0.5:
            raise _NotCovered("no such route between most of the places of these countries in the model")
        return found

    def _routes(self, op: _Operand) -> Iterator[tuple[NamedRoute, float]]:
        if ">" not in op.thing:
            raise _NotCovered(f"no relation behind {op.thing}")
        known = ("rail", "road", "rail-road", "rail-sea", "timetabled", "ordinary", "sea", "sea-with-calls", "transit")
        for qualifier in op.qualifiers:
            if qualifier not in known:
                raise _NotCovered(f"routes are not told apart by {qualifier}")
        sea = any(q.startswith("sea") for q in op.qualifiers)
        passage: dict[str, Any] = {}
        if op.via in WAYPOINTS:
            passage = dict(WAYPOINTS[op.via])
        elif op.via:
            if op.via not in self.passage_ids:
                raise _NotCovered(f"no passage {op.via} in the atlas")
            passage = self.tables["passages"].filter(pl.col("id") == self.passage_ids[op.via]).row(0, named=True)
        modes = ["sea"] if sea else self._modes(op, passage)
        stops = [] if sea else list(passage.get("via") or ())
        if sea and op.via in ("cape", "suez"):
            stops = [f"sea-{op.via}"]
        finder = self._finder(op)
        number = finder.commodity(STANDARD_BOX)
        for a, b, weight in self._ends(op, sea=sea):
            if a not in finder.zone or b not in finder.zone:
                raise _NotCovered(f"no route from {a} to {b} in the model")
            found = finder.find(
                a,
                b,
                commodity=number,
                via=[p for p in stops if p not in (a, b)],
                avoid=() if sea else passage.get("avoid_countries") or (),
                modes=modes,
                units=box_tonnes(finder.goods, number, feu=True),
            )
            if not found and weight < 1:  # one of several pairs between countries
                raise _NoPair((a, b))
            if not found:
                raise _NotCovered(f"no such route from {a} to {b} in the model")
            yield found[0], weight

    @staticmethod
    def _modes(op: _Operand, passage: Mapping[str, Any]) -> list[str]:
        if "road" in op.qualifiers:
            return ["road"]
        if "rail-road" in op.qualifiers:
            return ["rail", "road"]
        if "rail-sea" in op.qualifiers or op.via in ("titr", "aktau"):
            return ["rail", "ferry", "sea"]
        return list(passage.get("modes") or ["rail"])

    def _section(self, op: _Operand) -> tuple[float, float, float, NamedRoute]:
        """Kilometres, hours and USD/FEU between the gauge changes of West Passage 1."""
        passage = self.tables["passages"].filter(pl.col("id") == "west-1").row(0, named=True)
        finder = self._finder(op)
        number = finder.commodity(STANDARD_BOX)
        found = finder.find(
            passage["origin"],
            passage["destination"],
            commodity=number,
            via=passage["via"] or (),
            avoid=passage["avoid_countries"] or (),
            modes=passage["modes"] or (),
            units=box_tonnes(finder.goods, number, feu=True),
        )
        legs = found[0].legs if found else ()
        broad = [i for i, leg in enumerate(legs) if leg.type == "move" and leg.gauge_mm == 1520]
        if not broad:
            raise _NotCovered("West Passage 1 has no route in the model")
        inner = legs[broad[0] : broad[-1] + 1]
        return (
            sum(leg.length_km for leg in inner),
            sum(leg.time_h for leg in inner),
            sum(leg.cost_usd for leg in inner),
            replace(found[0], legs=tuple(inner)),
        )

    def _route_cells(self, indicator: str, routes: Iterable[NamedRoute]) -> tuple[_Cell, ...]:
        """Cells of the atlas that make a route's time or price; lengths are measured, not told."""
        legs = [leg for route in routes for leg in route.legs]
        cells: list[_Cell] = []
        if indicator == "rate_usd_feu":
            rates = self.tables["rates"].select("id", "country", "mode").rows()
            ids = {(country, mode): name for name, country, mode in rates}
            found = {ids.get((g.country, g.mode)) or ids.get(("*", g.mode)) for g in legs if g.type == "move"}
            cells += [_Cell("rates", name, "usd_teu_km") for name in sorted(n for n in found if n)]
        if indicator in ("transit_days", "speed_km_day"):
            line = dict(zip(self.tables["links"]["id"], self.tables["links"]["line"], strict=True))
            lines = {line.get(link) for leg in legs for link in leg.links}
            cells += [_Cell("lines", name, "speed_kmh") for name in sorted(n for n in lines if n)]
        return tuple(dict.fromkeys(cells))

    def route(self, op: _Operand, row: Mapping[str, Any]) -> _Answer:
        indicator = row["indicator"]
        year = max(op.year, FIRST_NETWORK)
        what = {"rate_usd_feu": "tariffs of 2023, no market mark-up", "distance_km": f"network of {year}"}
        note = what.get(indicator, f"free flow, network of {year}")
        if any(q.startswith("sea") for q in op.qualifiers) and indicator == "transit_days":
            note += "; ship speeds hold the calls of a liner"
        if op.thing in ("erai", "utlc-transit") and indicator in ("rate_usd_feu", "speed_km_day", "transit_days"):
            km, hours, usd, section = self._section(op)
            value = {"rate_usd_feu": usd, "speed_km_day": km / hours * 24, "transit_days": hours / 24}[indicator]
            return _Answer(value, self._route_cells(indicator, [section]), f"1520 mm section of West Passage 1; {note}")
        values, weights, routes = [], [], []
        for found, weight in self._routes(op):
            sailing = sum(leg.time_h for leg in found.legs if leg.type == "move") / 24
            days = sailing if "sea" in op.qualifiers else found.transit_days
            value = {
                "transit_days": days,
                "distance_km": found.length_km,
                "rate_usd_feu": found.cost_usd,
                "co2_kg_teu": found.co2_kg / 2,
                "speed_km_day": found.length_km / days if days else 0.0,
            }[indicator]
            values.append(value)
            weights.append(weight)
            routes.append(found)
        mean = sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)
        if len(values) > 1:
            note = f"mean of {len(values)} pairs of places; {note}"
        return _Answer(mean, self._route_cells(indicator, routes), note)

    # -- what is not a flow

    def trade(self, op: _Operand, _row: Mapping[str, Any]) -> _Answer:
        if op.qualifiers not in ((), ("gacc",)):
            raise _NotCovered(f"trade is not told apart by {op.qualifiers[0]}")
        trade = self.tables["trade"].filter(pl.col("year") == op.year)
        if trade.is_empty() or "<>" not in op.thing:
            raise _NotCovered(f"trade of {op.year} is not in the atlas")
        left, right = (list(self._traders(part)) for part in op.thing.split("<>"))
        a, b = pl.col("exporter"), pl.col("importer")
        there, back = a.is_in(left) & b.is_in(right), a.is_in(right) & b.is_in(left)
        chosen = there | back
        if op.direction in ("from-china", "to-china"):
            chosen &= (a if op.direction == "from-china" else b) == "CHN"
        return _Answer(float(trade.filter(chosen)["value_usd"].sum()) / 1e9, note="trade is an input", given=True)

    def share(self, op: _Operand, row: Mapping[str, Any]) -> _Answer:
        if ">" not in op.thing or op.qualifiers != ("rail",) or row["unit"] not in ("% of value", "% of t"):
            raise _NotCovered("only the part of a trade that goes by rail is told, by value or tonnes")
        start, end = (list(self._traders(part)) for part in op.thing.split(">"))
        relation = pl.col("exporter").is_in(start) & pl.col("importer").is_in(end)
        land = self._table("relations", op).filter(relation)
        trade = self.tables["trade"].filter(relation & (pl.col("year") == op.year))
        if trade.is_empty():
            raise _NotCovered(f"trade of {op.year} is not in the atlas")
        if row["unit"] == "% of t":
            return _Answer(100 * float(land["land_tonnes"].sum()) / float(trade["tonnes"].sum()), note="land network")
        worth = dict(zip(self.tables["commodities"]["id"], self.tables["commodities"]["value_usd_t"], strict=True))
        value = land["land_tonnes"] * land["commodity"].replace_strict(worth, return_dtype=pl.Float64)
        return _Answer(
            100 * float(value.sum()) / float(trade["value_usd"].sum()), note="land network, mean value a tonne"
        )

    def time_value(self, op: _Operand, _row: Mapping[str, Any]) -> _Answer:
        if op.thing != "all-goods" or op.qualifiers:
            raise _NotCovered("only the mean over commodities is told")
        goods = self.tables["commodities"]
        cells = tuple(_Cell("commodities", i, "vot_usd_t_h") for i in goods["id"].to_list())
        return _Answer(float((2400 * goods["vot_usd_t_h"] / goods["value_usd_t"]).sum()) / goods.height, cells)

    def _rate(self, op: _Operand) -> dict[str, Any]:
        mode = next((q for q in op.qualifiers if q in ("rail", "road")), "rail")
        rates = self.tables["rates"].filter((pl.col("country") == self.iso2.get(op.thing)) & (pl.col("mode") == mode))
        if rates.is_empty():
            raise _NotCovered(f"no tariff of {op.thing} by {mode} in the atlas")
        return rates.row(0, named=True)

    def unit_cost(self, op: _Operand, row: Mapping[str, Any]) -> _Answer:
        rate = self._rate(op)
        cell = (_Cell("rates", rate["id"], "usd_teu_km"),)
        if row["indicator"] == "unit_cost_usd_20t_500km":
            return _Answer(2 * 500 * rate["usd_teu_km"], cell, "tariff of a 40-foot box, no border, no handling")
        boxes = 2 if row["unit"].startswith("USD/FEU") else 1
        return _Answer(boxes * rate["usd_teu_km"], cell, f"tariff of {rate['price_year']}")

    def emission(self, op: _Operand, _row: Mapping[str, Any]) -> _Answer:
        table = self.tables["emissions"].filter((pl.col("mode") == op.thing) & (pl.col("country") == "*"))
        factor = {t: (i, f) for i, t, f in table.select("id", "traction", "co2_g_tkm").rows()}
        mix = {"electric": 0.8, "diesel": 0.2} if op.qualifiers == ("electric-80",) else None
        if not op.qualifiers:
            mix = {"mixed": 1.0} if op.thing == "rail" else {"none": 1.0}
        if mix is None or not set(mix) <= set(factor):
            raise _NotCovered(f"no emission factor of {'/'.join((op.thing, *op.qualifiers))} in the atlas")
        cells = tuple(_Cell("emissions", factor[t][0], "co2_g_tkm") for t in mix)
        return _Answer(
            sum(part * factor[t][1] for t, part in mix.items()), cells, "where a country has none of its own"
        )

    def change(self, op: _Operand, row: Mapping[str, Any]) -> _Answer:
        """Change of an indicator from the first scenario to another, in per cent."""
        if op.scenario not in self.results.scenarios:
            raise _NotCovered(f"no scenario {op.scenario} in this results folder")
        if op.thing not in ANSWERS or op.thing == row["indicator"] or not op.qualifiers:
            raise _NotCovered(f"the model has no {op.thing}")
        inner = replace(op, thing=op.qualifiers[0], qualifiers=op.qualifiers[1:])
        as_row = {**row, "indicator": op.thing}
        with_it = ANSWERS[op.thing](self, inner, as_row)
        without = ANSWERS[op.thing](self, replace(inner, scenario=self.first), as_row)
        if not without.value:
            raise _NotCovered("nothing to compare with in the first scenario")
        return _Answer(100 * (with_it.value - without.value) / without.value, with_it.cells, with_it.note)

    # -- rows

    def _one(self, text: str, row: Mapping[str, Any]) -> _Answer:
        return ANSWERS[row["indicator"]](self, _operand(text, row, self.first), row)

    def answer(self, row: Mapping[str, Any]) -> _Answer:
        if row["kind"] == "input":
            raise _NotCovered("a series that drives a model, never held against it")
        if row["indicator"] in NOT_IN_THE_MODEL:
            raise _NotCovered(NOT_IN_THE_MODEL[row["indicator"]])
        statement = row["kind"] in ("sign", "order")
        formula = _part(row["note"], "holds" if statement else "formula")
        self._left_out.clear()
        while True:
            try:
                return self._answer(row, formula, statement=statement)
            except _NoPair as lost:
                self._left_out.add(lost.pair)

    def _answer(self, row: Mapping[str, Any], formula: str | None, *, statement: bool) -> _Answer:
        if formula is None:
            if statement or ";" in row["subject"]:
                raise _NotCovered("its note has no formula")
            found = self._one(row["subject"], row)
            factor = _annualise(row["note"]) if row["indicator"] in FLOWS else 1.0
            return replace(found, value=found.value / factor)
        parts: list[_Answer] = []

        def number(match: re.Match[str]) -> str:
            parts.append(self._one(match.group(1), row))
            return f"({parts[-1].value!r})"

        text = re.sub(r"value\(([^()]*)\)", number, formula)
        try:
            value = _evaluate(ast.parse(text, mode="eval"))
        except SyntaxError:
            raise _NotCovered("its formula cannot be read") from None
        except ZeroDivisionError:
            raise _NotCovered("its formula divides by a flow of zero") from None
        cells = tuple(dict.fromkeys(cell for part in parts for cell in part.cells))
        notes = "; ".join(dict.fromkeys(part.note for part in parts if part.note))
        return _Answer(value, cells, notes, any(part.given for part in parts))


#: Who answers which indicator.
ANSWERS: dict[str, Callable[[_Model, _Operand, Mapping[str, Any]], _Answer]] = {
    "crossing_tonnes": _Model.crossing,
    "crossing_teu": _Model.crossing,
    "crossing_trains": _Model.crossing,
    "crossing_peak_trains_day": _Model.peak,
    "teu_per_train": _Model.teu_per_train,
    "border_hours": _Model.border_hours,
    "service_tonnes": _Model.service,
    "service_teu": _Model.service,
    "service_trains": _Model.service,
    "terminal_teu": _Model.terminal_teu,
    "capacity_teu_yr": _Model.capacity,
    "transit_days": _Model.route,
    "distance_km": _Model.route,
    "rate_usd_feu": _Model.route,
    "speed_km_day": _Model.route,
    "co2_kg_teu": _Model.route,
    "trade_usd": _Model.trade,
    "share_pct": _Model.share,
    "time_value_pct_day": _Model.time_value,
    "unit_cost_usd_20t_500km": _Model.unit_cost,
    "unit_cost_usd_box_km": _Model.unit_cost,
    "co2_g_tkm": _Model.emission,
    "scenario_change_pct": _Model.change,
}


class _Echoes:
    """Finds out whether an answer rests on the observed figure itself."""

    def __init__(self, tables: Tables) -> None:
        folder = tables.package.folder if tables.package else ATLAS
        names = ("targets", "facts", "sources", "events", "agreements", "projects")
        stems = sorted(path.stem for path in (folder / "provenance").glob("*.csv"))
        self.origins: dict[str, Origins] = {s: read_origins(folder, s)[0] for s in stems if s not in names}
        self._of = lru_cache(maxsize=None)(self._sources)

    def _sources(self, cell: _Cell) -> frozenset[str]:
        origins = self.origins.get(cell.table)
        origin = origins.of(cell.row, cell.column) if origins else None
        return frozenset(origin.sources) if origin else frozenset()

    def read(self, answer: _Answer, facts: Iterable[str]) -> list[str]:
        """Cells that the answer was read from and that rest on one of the facts, as ``table.column``."""
        wanted = set(facts)
        return list(dict.fromkeys(f"{c.table}.{c.column} of {c.row}" for c in answer.cells if wanted & self._of(c)))

    def driven(self, facts: Iterable[str]) -> list[str]:
        """Rows of the tables that make the flows which rest on one of the facts."""
        wanted = set(facts)
        rows = ((t, o) for t in DRIVERS if t in self.origins for o in self.origins[t].all)
        return list(dict.fromkeys(f"{t} {o.row}" for t, o in rows if wanted & set(o.sources)))


def _some(names: list[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _read(file: Path) -> pl.DataFrame:
    """Read a user's targets; indicators that the format knows and the atlas' own file does not use are right too."""
    columns = tuple(
        replace(c, values=tuple(dict.fromkeys([*c.values, *ANSWERS, *NOT_IN_THE_MODEL])))
        if c.name == "indicator"
        else c
        for c in read_dictionary(ATLAS).of("targets")
    )
    frame, faults = read_table(file, columns)
    if faults:
        # a fault of a cell names the table; the user knows the file
        told = [replace(f, where=file.name) if isinstance(f, Fault) else f for f in faults]
        raise DataError(f"targets {file}", told)
    return frame


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
        One row a target, in the file's order: id, indicator, subject, direction, year, unit, observed, low, high,
        modelled, error_percent, inside (``yes``, ``no`` or null), status (``compared``, ``echo`` or ``not covered``)
        and why (the reason, or what to know about the model's number).

    Raises
    ------
    DataError
        If the file does not have the form of targets.
    """
    frame = tables["targets"] if file is None else _read(file)
    model, echoes = _Model(results, tables), _Echoes(tables)
    kept = ("id", "indicator", "subject", "direction", "year", "unit", "observed", "low", "high")
    rows = []
    for row in frame.to_dicts():
        facts = row["fact_id"] or []
        value: float | None = None
        inside, error = None, None
        try:
            answer = model.answer(row)
        except _NotCovered as reason:
            status, why = "not covered", str(reason)
        else:
            value = answer.value
            behind = echoes.read(answer, facts)
            if row["indicator"] in FLOWS:
                behind += echoes.driven(facts)
            status = "echo" if behind or answer.given else "compared"
            because = f"echo: the figure is a source of {_some(behind)}" if behind else "echo" if answer.given else ""
            why = "; ".join(part for part in (because, answer.note) if part)
            low, high, observed = row["low"], row["high"], row["observed"]
            inside = "yes" if (low is None or value >= low) and (high is None or value <= high) else "no"
            error = 100 * (value - observed) / observed if observed else None
        told = {"modelled": value, "error_percent": error, "inside": inside, "status": status, "why": why}
        rows.append({**{c: row[c] for c in kept}, **told})
    schema: dict[str, Any] = {**{c: frame.schema[c] for c in kept}, "modelled": pl.Float64, "error_percent": pl.Float64}
    return pl.DataFrame(rows, schema={**schema, "inside": pl.String, "status": pl.String, "why": pl.String})
