"""What a supernetwork is drafted in: names become numbers, arcs and facilities are collected one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Protocol

from landbridge.errors import Fault
from landbridge.model.network.records import ARC_FIELDS, ArcKind

__all__ = ["Draft", "NetworkTables", "Rows", "departure", "or_zero", "state_of"]

#: A table as the model takes it: columns by name.
Columns = Mapping[str, Sequence[Any]]

#: Vehicles of the first gauge run on the second: Finland's 1524 mm and the 1520 mm of its neighbours interwork.
INTERWORKING_MM = {1524: 1520}


class NetworkTables(Protocol):
    """The tables that `build` needs, each as columns by name.

    places, links (joined with their lines), crossings, gauge_changes, terminals, services, rates, emissions, access,
    zones, and parameters; columns and units as in the atlas' dictionary.
    """

    def __getitem__(self, name: str, /) -> Columns: ...


class Rows:
    """Rows of a table given as columns, one at a time, by attribute-like access."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        first = next(iter(columns.values()), ())
        self.count = len(first)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        names = list(self.columns)
        for values in zip(*(self.columns[name] for name in names), strict=True):
            yield dict(zip(names, values, strict=True))


class Draft:
    """Collects nodes, arcs and facilities; lives only inside `build`."""

    def __init__(self, tables: NetworkTables, *, season: str, preload_factor: float) -> None:
        self.season = season
        self.preload_factor = preload_factor
        self.faults: list[Fault] = []
        self.place_rows = {row["id"]: row for row in Rows(tables["places"])}
        self.places = {name: i for i, name in enumerate(self.place_rows)}
        self.parameters = {row["id"]: row["value"] for row in Rows(tables["parameters"])}
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
        for row in Rows(tables["rates"]):
            self.rates[row["country"], row["mode"]] = row
        self.emissions: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        for row in Rows(tables["emissions"]):
            self.emissions.setdefault((row["mode"], row["traction"] or "", row["country"]), []).append(row)

    # -- names to numbers ------------------------------------------------------------------------------------------

    def country(self, iso2: str) -> int:
        """Return the number of a country."""
        return self.countries.setdefault(iso2, len(self.countries))

    def node(self, place: str, state: str) -> int:
        """Return the node of a place (or of a point on a link) in a state; made when first asked for."""
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
        """Return a parameter; a fault and zero where it is missing."""
        try:
            return float(self.parameters[name])
        except KeyError:
            self.faults.append(Fault("parameters.csv", name, "value", "this parameter", "no such row"))
            return 0.0

    def rate(self, country: str, mode: str) -> dict[str, Any] | None:
        """Return a country's rates for a mode, else those of all countries; a fault and None where there are none."""
        found = self.rates.get((country, mode)) or self.rates.get(("*", mode))
        if found is None:
            self.faults.append(Fault("rates.csv", f"{country} {mode}", "", "a rate for this country and mode", "none"))
        return found

    def start(self, country: str, mode: str) -> tuple[float, float]:
        """Half the fixed part of the price of a haul, a TEU and a tonne: what one of its two ends bears."""
        if mode != "rail":
            return 0.0, 0.0
        rate = self.rates.get((country, mode)) or self.rates.get(("*", mode)) or {}
        return or_zero(rate.get("start_usd_teu")) / 2, or_zero(rate.get("start_usd_t")) / 2

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
        """Add something that fills up; -1 where no capacity is known."""
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
        """Add an arc; what is not given is zero, open to boxes and bulk, and within one country."""
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


def or_zero(value: float | None) -> float:
    """Return a value, or zero where the table has none."""
    return 0.0 if value is None else float(value)


def departure(state: str) -> str:
    """State from which a vehicle leaves; trains leave from where they came in."""
    return state if state.startswith("rail:") else f"{state}>"


def state_of(mode: str, gauge_mm: int) -> str:
    """Return the state of what moves by a mode; trains of gauges that interwork share one."""
    return f"rail:{INTERWORKING_MM.get(gauge_mm, gauge_mm)}" if mode == "rail" else mode
