"""Supply and bare networks small enough to check by hand; used by the tests of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from landbridge.model.network import Network

Row = dict[str, Any]
Tables = dict[str, dict[str, list[Any]]]

PARAMETERS = {
    "delay-line-alpha": 1.0, "delay-line-beta": 4.0, "delay-crossing-beta": 3.0, "delay-yard-alpha": 0.5,
    "delay-yard-beta": 2.0, "inspection-h": 24.0, "spread-border-work": 0.4,
    "spread-border-queue": 0.2, "spread-yard": 0.5, "spread-rail": 0.1, "spread-road": 0.2,
    "spread-sea": 0.3, "spread-ferry": 0.4,
    "teu-per-train": 100.0, "bulk-t-per-train": 3000.0, "headway-rail-h": 84.0,
    "box-tare": 2.5,
}  # fmt: skip

COUNTRIES = {"cn": "CN", "kz": "KZ", "az": "AZ", "kg": "KG", "xx": None}

COLUMNS = {
    "places": "id iso2 kind gauges_mm",
    "links": "id place_a place_b mode length_km country_km gauges_mm line speed_kmh capacity_trains_day "
    "preload_trains_day train_length_factor fixed_usd_teu fixed_usd_t charge_usd_teu charge_usd_t charge_usd_teu_km "
    "charge_usd_t_km season_days availability traction",
    "crossings": "id link country_a country_b capacity_ab_trains_day capacity_ba_trains_day preload_ab_trains_day "
    "preload_ba_trains_day open_h_day open_days_week processing_ab_h processing_ba_h inspection_share_ab "
    "inspection_share_ba waiting_ab_h waiting_ba_h spread_ab_h spread_ba_h "
    "cost_ab_usd_teu cost_ba_usd_teu cost_ab_usd_t cost_ba_usd_t availability",
    "gauge_changes": "id place from_mm to_mm option cargo work_h yard_h cost_usd_teu cost_usd_t capacity_trains_day",
    "terminals": "id place from_mode to_mode cargo time_h spread_h cost_usd_teu cost_usd_t capacity_teu_yr "
    "capacity_t_yr",
    "services": "id place link departures_week",
    "rates": "country mode usd_teu_km usd_t_km start_usd_teu start_usd_t empty_factor",
    "emissions": "mode traction country line co2_g_tkm includes_box",
    "access": "mode cargo time_h spread_h cost_usd_teu cost_usd_t",
    "zones": "id place",
    "parameters": "id value",
}


def columns(table: str, rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Rows as columns by name; what a row does not give is empty."""
    return {name: [row.get(name) for row in rows] for name in COLUMNS[table].split()}


def link(name: str, place_a: str, place_b: str, **given: Any) -> Row:
    """A link with plain values: 100 km at 50 km/h, 40 trains a day of which 10 are there already."""
    mode = given.get("mode", "rail")
    plain: Row = {
        "id": name, "place_a": place_a, "place_b": place_b, "mode": mode, "length_km": 100.0, "country_km": None,
        "gauges_mm": [1435] if mode == "rail" else None, "line": f"{mode}-line", "speed_kmh": 50.0,
        "capacity_trains_day": 40.0 if mode in ("rail", "road") else None, "preload_trains_day": 10.0,
        "train_length_factor": 1.0, "fixed_usd_teu": 10.0, "fixed_usd_t": 1.0, "charge_usd_teu": 0.0,
        "charge_usd_t": 0.0, "charge_usd_teu_km": 0.0, "charge_usd_t_km": 0.0, "season_days": 365, "availability": 1.0,
        "traction": "diesel" if mode == "rail" else "none",
    }  # fmt: skip
    return {**plain, **given}


def crossing(name: str, on: str, **given: Any) -> Row:
    """A crossing whose two directions differ in every value."""
    plain: Row = {
        "id": name, "link": on, "capacity_ab_trains_day": 20.0, "capacity_ba_trains_day": 16.0,
        "preload_ab_trains_day": 2.0, "preload_ba_trains_day": 1.0, "processing_ab_h": 6.0, "processing_ba_h": 5.0,
        "waiting_ab_h": 12.0, "waiting_ba_h": 11.0, "spread_ab_h": 3.0, "spread_ba_h": 2.5, "cost_ab_usd_teu": 70.0,
        "cost_ba_usd_teu": 60.0, "cost_ab_usd_t": 4.0, "cost_ba_usd_t": 3.5, "availability": 1.0,
    }  # fmt: skip
    return {**plain, **given}


def yard(place: str, from_mm: int, to_mm: int, cargo: str = "container", **given: Any) -> Row:
    """A change of gauge: eight hours."""
    option = "transfer" if cargo == "container" else "reload"
    plain: Row = {
        "id": f"{place}:{from_mm}-{to_mm}:{cargo}", "place": place, "from_mm": from_mm, "to_mm": to_mm,
        "option": option, "cargo": cargo, "work_h": 1.0, "yard_h": 7.0,
        "cost_usd_teu": 90.0 if cargo == "container" else None, "cost_usd_t": None if cargo == "container" else 5.0,
        "capacity_trains_day": 12.0,
    }  # fmt: skip
    return {**plain, **given}


def terminal(place: str, from_mode: str, to_mode: str, cargo: str = "container", **given: Any) -> Row:
    """A transfer between modes without a limit: five hours."""
    plain: Row = {
        "id": f"{place}:{from_mode}-{to_mode}:{cargo}", "place": place, "from_mode": from_mode, "to_mode": to_mode,
        "cargo": cargo, "time_h": 5.0, "spread_h": 2.0, "cost_usd_teu": 30.0, "cost_usd_t": 3.0,
    }  # fmt: skip
    return {**plain, **given}


RATES: tuple[Row, ...] = (
    {"country": "*", "mode": "rail", "usd_teu_km": 0.5, "usd_t_km": 0.03, "empty_factor": 0.5},
    {"country": "*", "mode": "road", "usd_teu_km": 1.0, "usd_t_km": 0.1, "empty_factor": 0.9},
    {"country": "*", "mode": "sea", "usd_teu_km": 0.05, "usd_t_km": 0.002, "empty_factor": 0.3},
    {"country": "*", "mode": "ferry", "usd_teu_km": 0.8, "usd_t_km": 0.05, "empty_factor": None},
)
EMISSIONS: tuple[Row, ...] = (
    {"mode": "rail", "traction": "diesel", "country": "*", "co2_g_tkm": 20.0},
    {"mode": "road", "traction": None, "country": "*", "co2_g_tkm": 80.0},
    {"mode": "sea", "traction": None, "country": "*", "co2_g_tkm": 6.0},
    {"mode": "ferry", "traction": None, "country": "*", "co2_g_tkm": 30.0},
)
ACCESS: tuple[Row, ...] = (
    {"mode": "rail", "cargo": "container", "time_h": 12.0, "spread_h": 6.0, "cost_usd_teu": 60.0, "cost_usd_t": None},
    {"mode": "rail", "cargo": "bulk", "time_h": 14.0, "spread_h": 7.0, "cost_usd_teu": None, "cost_usd_t": 2.5},
    {"mode": "road", "cargo": "container", "time_h": 2.0, "spread_h": 1.0, "cost_usd_teu": 20.0, "cost_usd_t": None},
    {"mode": "sea", "cargo": "container", "time_h": 48.0, "spread_h": 24.0, "cost_usd_teu": 150.0, "cost_usd_t": None},
)


def supply(links: Sequence[Row], **given: Sequence[Row] | dict[str, float]) -> Tables:
    """Tables around some links; places come from their ends, their country from the first two letters (xx: at sea)."""
    ends = dict.fromkeys(end for row in links for end in (row["place_a"], row["place_b"]))
    zones: Any = given.get("zones", [{"id": place, "place": place} for place in ends if place[:2] != "xx"])
    ends |= dict.fromkeys(row["place"] for row in zones)
    parameters: Any = given.get("parameters", PARAMETERS)
    rows: dict[str, Any] = {
        "places": [
            {"id": p, "iso2": COUNTRIES[p[:2]], "kind": "seapoint" if p[:2] == "xx" else "city", "gauges_mm": None}
            for p in ends
        ],
        "links": links,
        "rates": RATES,
        "emissions": EMISSIONS,
        "access": ACCESS,
        "services": [{"id": "any", "link": "*", "departures_week": 2.0}],
        **given,
        "zones": zones,
        "parameters": [{"id": name, "value": value} for name, value in parameters.items()],
    }
    return {table: columns(table, rows.get(table, ())) for table in COLUMNS}


def bare(nodes: int, arcs: Sequence[tuple[int, int]], **given: Any) -> Network:
    """A network of arcs without any meaning: every node is a place, every arc a run of 1 km in country 0."""
    m = len(arcs)
    tail, head = (np.array([arc[i] for arc in arcs], np.int32) for i in range(2))
    whole: dict[str, Any] = {
        "places": tuple(f"p{i}" for i in range(nodes)), "states": ("rail:1435",), "countries": ("AA", "BB", "CC"),
        "links": tuple(f"l{i}" for i in range(m)), "crossings": ("x0", "x1"), "zones": (),
        "node_place": np.arange(nodes, dtype=np.int32), "node_state": np.zeros(nodes, np.int32),
        "zone_source": np.zeros(0, np.int32), "zone_sink": np.zeros(0, np.int32), "tail": tail, "head": head,
        "kind": np.zeros(m, np.int8), "mode": np.zeros(m, np.int8), "gauge_mm": np.full(m, 1435, np.int16),
        "option": np.zeros(m, np.int8), "country": np.zeros(m, np.int16), "country_to": np.zeros(m, np.int16),
        "link": np.arange(m, dtype=np.int32), "crossing": np.full(m, -1, np.int32), "place": np.full(m, -1, np.int32),
        "backward": np.zeros(m, np.bool_), "length_km": np.ones(m), "time_h": np.ones(m), "spread_h": np.zeros(m),
        "facility": np.full(m, -1, np.int32), "money_usd_teu": np.zeros(m), "money_usd_t": np.zeros(m),
        "money_empty_usd_teu": np.zeros(m), "container": np.ones(m, np.bool_), "bulk": np.ones(m, np.bool_),
        "co2_g_t": np.zeros(m),
        "box_co2_g_teu": np.zeros(m), "delay_h": np.zeros(0), "power": np.zeros(0), "capacity_trains_day": np.zeros(0),
        "preload_trains_day": np.zeros(0), "train_length_factor": np.zeros(0), "facility_arc": np.zeros(0, np.int32),
    }  # fmt: skip
    changed = {k: np.array(v, whole[k].dtype) if isinstance(whole[k], np.ndarray) else v for k, v in given.items()}
    return Network(**{**whole, **changed})
