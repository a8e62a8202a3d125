"""From tables of supply to typed arcs: the door at which they come in.

Inside, all is arrays. Columns come as plain sequences (see `NetworkTables`), so that the model knows nothing of data
frames. Links become runs and borders, ports get their waits, yards and terminals join the states of a place, and zones
are tied to their places at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from landbridge.errors import DataError, Fault
from landbridge.model.network.borders import border_hours, closed_wait
from landbridge.model.network.records import ARC_FIELDS, MODES, OPTIONS, ArcKind, Network

__all__ = ["NetworkTables", "build", "country_order"]

#: A table as the model takes it: columns by name.
Columns = Mapping[str, Sequence[Any]]

I4 = npt.NDArray[np.int32]

#: Vehicles of the first gauge run on the second: Finland's 1524 mm and the 1520 mm of its neighbours interwork.
INTERWORKING_MM = {1524: 1520}


class NetworkTables(Protocol):
    """The tables that `build` needs, each as columns by name.

    places, links (joined with their lines), crossings, gauge_changes, terminals, services, rates, emissions, access,
    zones, and parameters; columns and units as in the atlas' dictionary.
    """

    def __getitem__(self, name: str, /) -> Columns: ...


def country_order(text: str, first: str, last: str) -> list[tuple[str, float]]:
    """Countries along a link, with kilometres, in the order in which they are met.

    Parameters
    ----------
    text
        ``CN:213.4;KG:1.0``, in any order.
    first, last
        Countries of the link's two ends.

    Returns
    -------
    list of (str, float)
        The first end's country first, the last end's last, others between. Where both ends lie in one country and
        the link passes another, the home country stands at both ends with half its length each.
    """
    km = {}
    for part in text.split(";"):
        if part:
            country, _, length = part.partition(":")
            km[country] = float(length)
    between = [c for c in km if c not in (first, last)]
    if first == last:
        home = km.get(first, 0.0)
        if not between:
            return [(first, home)]
        return [(first, home / 2), *[(c, km[c]) for c in between], (first, home / 2)]
    return [(first, km.get(first, 0.0)), *[(c, km[c]) for c in between], (last, km.get(last, 0.0))]


class _Rows:
    """Rows of a table given as columns, one at a time, by attribute-like access."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        first = next(iter(columns.values()), ())
        self.count = len(first)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        names = list(self.columns)
        for values in zip(*(self.columns[name] for name in names), strict=True):
            yield dict(zip(names, values, strict=True))


class _Builder:
    """Collects nodes, arcs and facilities; lives only inside `build`."""

    def __init__(self, tables: NetworkTables, *, season: str, preload_factor: float) -> None:
        self.season = season
        self.preload_factor = preload_factor
        self.faults: list[Fault] = []
        self.place_rows = {row["id"]: row for row in _Rows(tables["places"])}
        self.places = {name: i for i, name in enumerate(self.place_rows)}
        self.parameters = {row["id"]: row["value"] for row in _Rows(tables["parameters"])}
        self.countries: dict[str, int] = {}
        self.states: dict[str, int] = {}
        self.nodes: dict[tuple[Any, ...], int] = {}
        #: Nodes of rail by place, in the order in which they were made.
        self.rails: dict[str, list[tuple[Any, ...]]] = {}
        self.at_place: dict[str, list[tuple[Any, ...]]] = {}
        self.node_place: list[int] = []
        self.node_state: list[int] = []
        self.arcs: dict[str, list[Any]] = {name: [] for name in ARC_FIELDS}
        self.facilities: dict[str, list[Any]] = {
            name: [] for name in ("delay_h", "power", "capacity", "preload", "factor", "arc")
        }
        self.rates: dict[tuple[str, str], dict[str, Any]] = {}
        for row in _Rows(tables["rates"]):
            self.rates[row["country"], row["mode"]] = row
        self.emissions: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        for row in _Rows(tables["emissions"]):
            self.emissions.setdefault((row["mode"], row["traction"] or "", row["country"]), []).append(row)

    # -- names to numbers ------------------------------------------------------------------------------------------

    def country(self, iso2: str) -> int:
        return self.countries.setdefault(iso2, len(self.countries))

    def node(self, place: str, state: str) -> int:
        key = (place, state)
        if key not in self.nodes:
            self.nodes[key] = len(self.nodes)
            if state.startswith("rail:"):
                self.rails.setdefault(place, []).append(key)
            self.at_place.setdefault(place, []).append(key)
            self.node_place.append(self.places.get(place, -1))
            self.node_state.append(self.states.setdefault(state, len(self.states)))
        return self.nodes[key]

    def parameter(self, name: str) -> float:
        try:
            return float(self.parameters[name])
        except KeyError:
            self.faults.append(Fault("parameters.csv", name, "value", "this parameter", "no such row"))
            return 0.0

    def rate(self, country: str, mode: str) -> dict[str, Any] | None:
        found = self.rates.get((country, mode)) or self.rates.get(("*", mode))
        if found is None:
            self.faults.append(Fault("rates.csv", f"{country} {mode}", "", "a rate for this country and mode", "none"))
        return found

    def start(self, country: str, mode: str) -> tuple[float, float]:
        """Half the fixed part of the price of a haul, a TEU and a tonne: what one of its two ends bears."""
        if mode != "rail":
            return 0.0, 0.0
        rate = self.rates.get((country, mode)) or self.rates.get(("*", mode)) or {}
        return _or_zero(rate.get("start_usd_teu")) / 2, _or_zero(rate.get("start_usd_t")) / 2

    def emission(self, mode: str, traction: str, country: str, line: str) -> tuple[float, bool]:
        """Grams a net tonne-km, and whether they hold the box's own weight; a factor of the line comes first."""
        for key in ((mode, traction, country), (mode, traction, "*"), (mode, "", country), (mode, "", "*")):
            rows = self.emissions.get(key, ())
            fits = [row for row in rows if not row["line"] or fnmatchcase(line, row["line"])]
            if fits:
                best = max(fits, key=lambda row: len(row["line"] or ""))
                return best["co2_g_tkm"], best["includes_box"]
        self.faults.append(
            Fault("emissions.csv", f"{mode} {traction} {country}", "", "a factor for this mode and traction", "none")
        )
        return 0.0, True

    # -- arcs ------------------------------------------------------------------------------------------------------

    def facility(self, delay_h: float, power: float, capacity: float | None, preload: float, factor: float) -> int:
        if capacity is None:
            return -1
        for name, value in zip(
            ("delay_h", "power", "capacity", "preload", "factor"),
            (delay_h, power, capacity, preload, factor),
            strict=True,
        ):
            self.facilities[name].append(value)
        self.facilities["arc"].append(-1)
        return len(self.facilities["arc"]) - 1

    def arc(self, tail: int, head: int, kind: ArcKind, country: str, **given: Any) -> None:
        values: dict[str, Any] = {
            "tail": tail,
            "head": head,
            "kind": int(kind),
            "mode": 0,
            "gauge_mm": 0,
            "option": 0,
            "country": self.country(country),
            "country_to": self.country(country),
            "link": -1,
            "crossing": -1,
            "place": -1,
            "backward": False,
            "length_km": 0.0,
            "time_h": 0.0,
            "spread_h": 0.0,
            "facility": -1,
            "money_usd_teu": 0.0,
            "money_usd_t": 0.0,
            "money_empty_usd_teu": None,
            "container": True,
            "bulk": True,
            "co2_g_t": 0.0,
            "box_co2_g_teu": 0.0,
        }
        values.update(given)
        if values["money_empty_usd_teu"] is None:
            values["money_empty_usd_teu"] = values["money_usd_teu"]
        if values["facility"] >= 0 and self.facilities["arc"][values["facility"]] < 0:
            self.facilities["arc"][values["facility"]] = len(self.arcs["tail"])
        for name, value in values.items():
            self.arcs[name].append(value)


def _or_zero(value: float | None) -> float:
    return 0.0 if value is None else float(value)


def _departure(state: str) -> str:
    """State from which a vehicle leaves; trains leave from where they came in."""
    return state if state.startswith("rail:") else f"{state}>"


def _state(mode: str, gauge_mm: int) -> str:
    return f"rail:{INTERWORKING_MM.get(gauge_mm, gauge_mm)}" if mode == "rail" else mode


def _move(
    build: _Builder,
    row: dict[str, Any],
    index: int,
    country: str,
    km: float,
    gauge: int,
    ends: tuple[int, int, bool],
    handovers: int = 0,
) -> None:
    """One move arc: a section of a link in one country, one gauge, one direction.

    At each border where it is handed over a haul bears half the fixed part of its price in this country.
    """
    tail, head, backward = ends
    mode = row["mode"]
    rate = build.rate(country, mode)
    if rate is None:
        return
    time_h = km / row["speed_kmh"]
    share = km / row["length_km"] if row["length_km"] else 1.0
    capacity = row["capacity_trains_day"]
    facility = -1
    if capacity is not None:
        running = row["availability"]
        facility = build.facility(
            build.parameter("delay-line-alpha") * time_h,
            build.parameter("delay-line-beta"),
            capacity * running,
            _or_zero(row["preload_trains_day"]) * running * build.preload_factor,
            row["train_length_factor"] or 1.0,
        )
    factor, holds_box = build.emission(mode, row["traction"] or "", country, row["line"])
    start_teu, start_t = build.start(country, mode)
    teu = rate["usd_teu_km"] * km + _or_zero(row["fixed_usd_teu"]) * share + handovers * start_teu
    build.arc(
        tail,
        head,
        ArcKind.MOVE,
        country,
        mode=MODES.index(mode),
        gauge_mm=gauge,
        link=index,
        backward=backward,
        length_km=km,
        time_h=time_h,
        spread_h=time_h * build.parameter(f"spread-{mode}"),
        facility=facility,
        money_usd_teu=teu + row["charge_usd_teu"] * share + row["charge_usd_teu_km"] * km,
        money_usd_t=rate["usd_t_km"] * km
        + _or_zero(row["fixed_usd_t"]) * share
        + row["charge_usd_t"] * share
        + handovers * start_t
        + row["charge_usd_t_km"] * km,
        money_empty_usd_teu=teu * (1.0 if rate["empty_factor"] is None else rate["empty_factor"]),
        co2_g_t=km * factor,
        box_co2_g_teu=0.0 if holds_box else km * factor * build.parameter("box-tare"),
    )


def _border(
    build: _Builder,
    row: dict[str, Any],
    index: int,
    crossing: tuple[int, dict[str, Any]] | None,
    facilities: dict[Any, int],
    nodes: tuple[int, int],
    countries: tuple[str, str],
    backward: bool,
    gauge: int,
) -> None:
    """One border arc, by direction; both gauges of a crossing share one facility."""
    where: dict[str, Any] = {}
    if crossing is not None:
        number, found = crossing
        way = "ba" if backward else "ab"
        key = (number, way)
        if key not in facilities:
            capacity = found[f"capacity_{way}_trains_day"]
            facilities[key] = build.facility(
                _or_zero(found[f"waiting_{way}_h"]),
                build.parameter("delay-crossing-beta"),
                None if capacity is None else capacity * found["availability"],
                _or_zero(found[f"preload_{way}_trains_day"]) * found["availability"] * build.preload_factor,
                row["train_length_factor"] or 1.0,
            )
        time_h, spread_h = border_hours(
            _or_zero(found[f"processing_{way}_h"]),
            inspection_share=_or_zero(found[f"inspection_share_{way}"]),
            inspection_h=build.parameter("inspection-h"),
            closed=closed_wait(found["open_h_day"], found["open_days_week"]),
            queue_h=_or_zero(found[f"waiting_{way}_h"]),
            spread_h=found[f"spread_{way}_h"],
            work_cv=build.parameter("spread-border-work"),
            queue_cv=build.parameter("spread-border-queue"),
        )
        where = {
            "crossing": number,
            "time_h": time_h,
            "spread_h": spread_h,
            "facility": facilities[key],
            "money_usd_teu": _or_zero(found[f"cost_{way}_usd_teu"]),
            "money_usd_t": _or_zero(found[f"cost_{way}_usd_t"]),
        }
    build.arc(
        nodes[0],
        nodes[1],
        ArcKind.BORDER,
        countries[0],
        country_to=build.country(countries[1]),
        mode=MODES.index(row["mode"]),
        gauge_mm=gauge,
        link=index,
        backward=backward,
        **where,
    )


def _land_link(
    build: _Builder,
    row: dict[str, Any],
    index: int,
    crossings: list[tuple[int, dict[str, Any]]],
    facilities: dict[Any, int],
) -> None:
    """Move and border arcs of one rail or road link, in both directions and every gauge."""
    first = build.place_rows[row["place_a"]]["iso2"]
    last = build.place_rows[row["place_b"]]["iso2"]
    parts = country_order(row["country_km"] or f"{first}:{row['length_km']}", first, last)
    total = sum(km for _, km in parts)
    scale = row["length_km"] / total if total > 0 else 0.0
    # a link over several borders has a crossing for each; one without a crossing is passed in sealed transit
    at: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
    borders = {(here, beyond) for (here, _), (beyond, _) in pairwise(parts)}
    for number, crossing in crossings:
        pair = (crossing.get("country_a") or first, crossing.get("country_b") or last)
        if pair not in borders or pair in at:
            wanted = f"a border of {row['id']} of its own ({', '.join('-'.join(border) for border in sorted(borders))})"
            build.faults.append(Fault("crossings.csv", crossing["id"], "country_a, country_b", wanted, "-".join(pair)))
        at[pair] = (number, crossing)
    gauges = row["gauges_mm"] or [0]
    for gauge in gauges if row["mode"] == "rail" else [0]:
        state = _state(row["mode"], gauge)
        for backward in (False, True):
            sections = list(reversed(parts)) if backward else parts
            ends = (row["place_b"], row["place_a"]) if backward else (row["place_a"], row["place_b"])
            here = build.node(ends[0], _departure(state))
            for i, (country, km) in enumerate(sections):
                final = i == len(sections) - 1
                part = len(parts) - 1 - i if backward else i
                there = (
                    build.node(ends[1], state)
                    if final
                    else build.node(f"{row['id']}#{part}{'<' if backward else '>'}", state)
                )
                # a border without a crossing is passed in sealed transit: nothing is handed over
                beside = [n[0] for n in (sections[i - 1 : i] if i else []) + sections[i + 1 : i + 2]]
                handovers = sum((country, c) in at or (c, country) in at for c in beside)
                _move(build, row, index, country, km * scale, gauge, (here, there, backward), handovers)
                here = there
                if not final:
                    onward = build.node(f"{row['id']}#{part}{'<' if backward else '>'}b", state)
                    beyond = sections[i + 1][0]
                    _border(
                        build,
                        row,
                        index,
                        at.get((beyond, country) if backward else (country, beyond)),
                        facilities,
                        (here, onward),
                        (country, beyond),
                        backward,
                        gauge,
                    )
                    here = onward


def _season_wait_h(days: float) -> float:
    """Mean wait for the season of a cargo that comes up on any day of the year: closed^2 / (2 * 365) days."""
    closed = max(365.0 - days, 0.0)
    return closed * closed / (2 * 365.0) * 24.0


def _season_spread_h(days: float) -> float:
    """Standard deviation of that wait: its mean square is closed^3 / (3 * 365) days."""
    closed = max(365.0 - days, 0.0)
    return float(max(closed**3 / (3 * 365.0) * 24.0**2 - _season_wait_h(days) ** 2, 0.0) ** 0.5)


def _water_link(build: _Builder, row: dict[str, Any], index: int, headway_h: float) -> None:
    """A sea or ferry leg: a wait where a port is left, then the run."""
    season = row["season_days"]
    seasonal = season is not None and build.season != "open"
    closed_h, closed_spread_h = (_season_wait_h(season), _season_spread_h(season)) if seasonal else (0.0, 0.0)
    for backward in (False, True):
        start, end = (row["place_b"], row["place_a"]) if backward else (row["place_a"], row["place_b"])
        at_port = build.place_rows[start]["kind"] != "seapoint"
        country = build.place_rows[start]["iso2"] or "XZ"
        here = build.node(start, _departure(row["mode"]) if at_port else row["mode"])
        if at_port:
            onboard = build.node(f"{row['id']}#{'<' if backward else '>'}", row["mode"])
            wait = headway_h / 2 + closed_h
            build.arc(
                here,
                onboard,
                ArcKind.WAIT,
                country,
                mode=MODES.index(row["mode"]),
                link=index,
                backward=backward,
                place=build.places[start],
                time_h=wait,
                # a wait uniform over the headway has the variance headway^2 / 12; the season's is independent
                spread_h=(headway_h**2 / 12 + closed_spread_h**2) ** 0.5,
            )
            here = onboard
        elif closed_h:
            onboard = build.node(f"{row['id']}#{'<' if backward else '>'}", row["mode"])
            build.arc(
                here,
                onboard,
                ArcKind.WAIT,
                country,
                mode=MODES.index(row["mode"]),
                link=index,
                backward=backward,
                time_h=closed_h,
                spread_h=closed_spread_h,
            )
            here = onboard
        _move(build, row, index, "XZ", row["length_km"], 0, (here, build.node(end, row["mode"]), backward))


def _stay(build: _Builder) -> None:
    """What arrives by road, sea or ferry may depart again the same way."""
    for (place, state), node in list(build.nodes.items()):
        onward = build.nodes.get((place, _departure(state)))
        if onward is not None and onward != node and place in build.places:
            country = build.place_rows[place]["iso2"] or "XZ"
            mode = MODES.index(state)
            build.arc(node, onward, ArcKind.WAIT, country, mode=mode, place=build.places[place])


def _home_rails(build: _Builder, place: str) -> list[tuple[Any, ...]]:
    """Rail states that the sidings and pads of a place serve: its main gauge, the first in the table.

    The foreign gauge of a border yard is reached through the yard's change of gauge alone; otherwise a truck would
    carry boxes past the crane that everybody else pays for. Where no line of the main gauge is open, others are served.
    """
    rails = [key for key in build.at_place.get(place, ()) if key[1].startswith("rail:")]
    gauges = build.place_rows[place]["gauges_mm"]
    home = [key for key in rails if gauges and key[1] == _state("rail", gauges[0])]
    return home or list(rails)


def _states_at(build: _Builder, place: str, mode: str, *, departing: bool) -> list[int]:
    """Nodes of a place and mode: the home gauge of rail, else the arriving or the departing side."""
    if mode == "rail":
        return [build.nodes[key] for key in _home_rails(build, place)]
    node = build.nodes.get((place, f"{mode}>" if departing else mode))
    return [] if node is None else [node]


def _yards(build: _Builder, tables: NetworkTables) -> None:
    """Changes of gauge and transfers between modes, between states that exist at their place."""
    for row in _Rows(tables["gauge_changes"]):
        before, after = (row["place"], _state("rail", row["from_mm"])), (row["place"], _state("rail", row["to_mm"]))
        if before not in build.nodes or after not in build.nodes:
            continue  # the yard's tracks are not open in this year or scenario
        time_h = row["work_h"] + row["yard_h"]
        facility = build.facility(
            build.parameter("delay-yard-alpha") * time_h,
            build.parameter("delay-yard-beta"),
            row["capacity_trains_day"],
            0.0,
            1.0,
        )
        box = row["cargo"] == "container"
        build.arc(
            build.nodes[before],
            build.nodes[after],
            ArcKind.GAUGE,
            build.place_rows[row["place"]]["iso2"],
            gauge_mm=row["to_mm"],
            option=OPTIONS.index(row["option"]),
            place=build.places[row["place"]],
            time_h=time_h,
            spread_h=build.parameter("spread-yard") * time_h,
            facility=facility,
            money_usd_teu=_or_zero(row["cost_usd_teu"]),
            money_usd_t=_or_zero(row["cost_usd_t"]),
            container=box,
            bulk=not box,
        )
    teu_per_train = build.parameter("teu-per-train")
    bulk_per_train = build.parameter("bulk-t-per-train")
    for row in _Rows(tables["terminals"]):
        if row["from_mode"] == row["to_mode"]:
            continue  # a yard between gauges: its ways are the changes of gauge above
        box = row["cargo"] == "container"
        yearly = row["capacity_teu_yr"] if box else row["capacity_t_yr"]
        per_train = teu_per_train if box else bulk_per_train
        # Both directions work on the same quay or pad; half its capacity each.
        capacity = None if yearly is None else yearly / 365.0 / per_train / 2
        for a, b in ((row["from_mode"], row["to_mode"]), (row["to_mode"], row["from_mode"])):
            starts = _states_at(build, row["place"], a, departing=False)
            ends = _states_at(build, row["place"], b, departing=True)
            if not starts or not ends:
                continue
            facility = build.facility(
                build.parameter("delay-yard-alpha") * row["time_h"],
                build.parameter("delay-yard-beta"),
                capacity,
                0.0,
                1.0,
            )
            # a train that starts or ends here bears half the fixed part of its price
            rails = (a == "rail") + (b == "rail")
            start_teu, start_t = (rails * part for part in build.start(build.place_rows[row["place"]]["iso2"], "rail"))
            for start in starts:
                for end in ends:
                    build.arc(
                        start,
                        end,
                        ArcKind.TRANSFER,
                        build.place_rows[row["place"]]["iso2"],
                        mode=MODES.index(b),
                        place=build.places[row["place"]],
                        time_h=row["time_h"],
                        spread_h=_or_zero(row["spread_h"]),
                        facility=facility,
                        money_usd_teu=_or_zero(row["cost_usd_teu"]) + start_teu,
                        money_usd_t=_or_zero(row["cost_usd_t"]) + start_t,
                        container=box,
                        bulk=not box,
                    )


def _zones(build: _Builder, tables: NetworkTables, trains_week: Mapping[str, float]) -> tuple[list[str], I4, I4]:
    """Zones with their access arcs: loading at the source, unloading at the sink."""
    rows = list(_Rows(tables["zones"]))
    access = list(_Rows(tables["access"]))
    sources, sinks = np.full(len(rows), -1, np.int32), np.full(len(rows), -1, np.int32)
    for z, row in enumerate(rows):
        place = row["place"]
        home = set(_home_rails(build, place))
        states = [key for key in build.at_place.get(place, ()) if not key[1].startswith("rail:") or key in home]
        if not states:
            continue
        country = build.place_rows[place]["iso2"]
        sources[z] = build.node(f"{row['id']}>", "zone")
        sinks[z] = build.node(f">{row['id']}", "zone")
        # a box waits on average half the headway of its hub's block trains
        headway = 168.0 / trains_week[place] if place in trains_week else build.parameter("headway-rail-h")
        for key in states:
            mode = key[1].split(":")[0].rstrip(">")
            for way in access:
                if way["mode"] != mode:
                    continue
                box = way["cargo"] == "container"
                start_teu, start_t = build.start(country, mode)
                wait = headway / 2 if mode == "rail" and box else 0.0
                ways = []
                if _departure(key[1].rstrip(">")) == key[1]:
                    ways.append((sources[z], build.nodes[key], wait))
                if not key[1].endswith(">"):
                    ways.append((build.nodes[key], sinks[z], 0.0))
                for leaves, enters, extra in ways:
                    build.arc(
                        int(leaves),
                        int(enters),
                        ArcKind.ACCESS,
                        country,
                        mode=MODES.index(mode),
                        place=build.places[place],
                        time_h=way["time_h"] + extra,
                        spread_h=_or_zero(way["spread_h"]),
                        money_usd_teu=_or_zero(way["cost_usd_teu"]) + start_teu,
                        money_usd_t=_or_zero(way["cost_usd_t"]) + start_t,
                        container=box,
                        bulk=not box,
                    )
    return [row["id"] for row in rows], sources, sinks


def _headways(tables: NetworkTables, links: Sequence[str]) -> tuple[dict[str, float], dict[str, float]]:
    """Departures: block trains a week by hub; headway in hours by sea or ferry link (exact row before glob)."""
    hubs: dict[str, float] = {}
    rows = []
    for row in _Rows(tables["services"]):
        if row["place"] and row["departures_week"]:
            hubs[row["place"]] = hubs.get(row["place"], 0.0) + row["departures_week"]
        elif row["link"] and row["departures_week"]:
            rows.append((row["link"], row["departures_week"]))
    rows.sort(key=lambda r: ("*" not in r[0], len(r[0])), reverse=True)
    headways = {}
    for link in links:
        for pattern, departures in rows:
            if fnmatchcase(link, pattern):
                headways[link] = 168.0 / departures
                break
    return hubs, headways


def build(tables: NetworkTables, *, season: str = "mean", preload_factor: float = 1.0) -> Network:
    """Build the supernetwork of one scenario and year.

    Parameters
    ----------
    tables
        Tables of supply after the scenario's measures and the year were applied: every link in them is open, and
        links and crossings carry ``availability``, the part of their trains, preload included, that can run.
    season
        ``mean``: a seasonal sea route costs a cargo of any day the mean wait for its season; ``open``: the season is
        on.

    preload_factor
        Trains outside the model over those of the tables' year.

    Returns
    -------
    Network

    Raises
    ------
    DataError
        With every rate, factor or parameter that is missing.
    """
    if season not in ("mean", "open"):
        raise ValueError(f"season: wanted mean or open, got {season!r}")
    builder = _Builder(tables, season=season, preload_factor=preload_factor)
    rows = list(_Rows(tables["links"]))
    crossing_rows = list(_Rows(tables["crossings"]))
    by_link: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, row in enumerate(crossing_rows):
        by_link.setdefault(row["link"], []).append((number, row))
    facilities: dict[Any, int] = {}
    hubs, headways = _headways(tables, [row["id"] for row in rows if row["mode"] in ("sea", "ferry")])
    for index, row in enumerate(rows):
        if row["speed_kmh"] is None or row["speed_kmh"] <= 0:
            builder.faults.append(
                Fault("lines.csv", row["line"], "speed_kmh", "a speed above 0 km/h", row["speed_kmh"])
            )
        elif row["mode"] in ("rail", "road"):
            _land_link(builder, row, index, by_link.get(row["id"], []), facilities)
        elif row["id"] not in headways:
            builder.faults.append(Fault("services.csv", row["id"], "departures_week", "a service for this leg", "none"))
        else:
            _water_link(builder, row, index, headways[row["id"]])
    _stay(builder)
    _yards(builder, tables)
    zones, sources, sinks = _zones(builder, tables, hubs)
    if builder.faults:
        raise DataError("supernetwork", dict.fromkeys(builder.faults))
    integer = {
        "kind": np.int8,
        "mode": np.int8,
        "option": np.int8,
        "gauge_mm": np.int16,
        "country": np.int16,
        "country_to": np.int16,
    }
    arrays: dict[str, Any] = {}
    for name in ARC_FIELDS:
        if name in ("backward", "container", "bulk"):
            arrays[name] = np.array(builder.arcs[name], dtype=np.bool_)
        elif name in integer:
            arrays[name] = np.array(builder.arcs[name], dtype=integer[name])
        elif name in ("tail", "head", "link", "crossing", "place", "facility"):
            arrays[name] = np.array(builder.arcs[name], dtype=np.int32)
        else:
            arrays[name] = np.array(builder.arcs[name], dtype=np.float64)
    return Network(
        places=tuple(builder.places),
        states=tuple(builder.states),
        countries=tuple(builder.countries),
        links=tuple(row["id"] for row in rows),
        crossings=tuple(row["id"] for row in crossing_rows),
        zones=tuple(zones),
        node_place=np.array(builder.node_place, np.int32),
        node_state=np.array(builder.node_state, np.int32),
        zone_source=sources,
        zone_sink=sinks,
        delay_h=np.array(builder.facilities["delay_h"], np.float64),
        power=np.array(builder.facilities["power"], np.float64),
        capacity_trains_day=np.array(builder.facilities["capacity"], np.float64),
        preload_trains_day=np.array(builder.facilities["preload"], np.float64),
        train_length_factor=np.array(builder.facilities["factor"], np.float64),
        facility_arc=np.array(builder.facilities["arc"], np.int32),
        **arrays,
    )
