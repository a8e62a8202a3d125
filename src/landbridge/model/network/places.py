"""What happens at places: staying on a truck or ship, changes of gauge, transfers, and the zones' ways in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.model.network.draft import Draft, NetworkTables, Rows, departure, or_zero, state_of
from landbridge.model.network.records import MODES, OPTIONS, ArcKind

__all__ = ["stay", "tie_zones", "yards"]

I4 = npt.NDArray[np.int32]


def stay(draft: Draft) -> None:
    """What arrives by road, sea or ferry may depart again the same way."""
    for (place, state), node in list(draft.nodes.items()):
        onward = draft.nodes.get((place, departure(state)))
        if onward is not None and onward != node and place in draft.places:
            country = draft.place_rows[place]["iso2"] or "XZ"
            mode = MODES.index(state)
            draft.arc(node, onward, ArcKind.WAIT, country, mode=mode, place=draft.places[place])


def _home_rails(draft: Draft, place: str) -> list[tuple[Any, ...]]:
    """Rail states that the sidings and pads of a place serve: its main gauge, the first in the table.

    The foreign gauge of a border yard is reached through the yard's change of gauge alone; otherwise a truck would
    carry boxes past the crane that everybody else pays for. Where no line of the main gauge is open, others are served.
    """
    rails = [key for key in draft.at_place.get(place, ()) if key[1].startswith("rail:")]
    gauges = draft.place_rows[place]["gauges_mm"]
    home = [key for key in rails if gauges and key[1] == state_of("rail", gauges[0])]
    return home or list(rails)


def _states_at(draft: Draft, place: str, mode: str, *, departing: bool) -> list[int]:
    """Nodes of a place and mode: the home gauge of rail, else the arriving or the departing side."""
    if mode == "rail":
        return [draft.nodes[key] for key in _home_rails(draft, place)]
    node = draft.nodes.get((place, f"{mode}>" if departing else mode))
    return [] if node is None else [node]


def yards(draft: Draft, tables: NetworkTables) -> None:
    """Changes of gauge and transfers between modes, between states that exist at their place."""
    for row in Rows(tables["gauge_changes"]):
        before, after = (row["place"], state_of("rail", row["from_mm"])), (row["place"], state_of("rail", row["to_mm"]))
        if before not in draft.nodes or after not in draft.nodes:
            continue  # the yard's tracks are not open in this year or scenario
        time_h = row["work_h"] + row["yard_h"]
        facility = draft.facility(
            draft.parameter("delay-yard-alpha") * time_h,
            draft.parameter("delay-yard-beta"),
            row["capacity_trains_day"],
            0.0,
            1.0,
        )
        box = row["cargo"] == "container"
        draft.arc(
            draft.nodes[before],
            draft.nodes[after],
            ArcKind.GAUGE,
            draft.place_rows[row["place"]]["iso2"],
            gauge_mm=row["to_mm"],
            option=OPTIONS.index(row["option"]),
            place=draft.places[row["place"]],
            time_h=time_h,
            spread_h=draft.parameter("spread-yard") * time_h,
            facility=facility,
            money_usd_teu=or_zero(row["cost_usd_teu"]),
            money_usd_t=or_zero(row["cost_usd_t"]),
            container=box,
            bulk=not box,
        )
    teu_per_train = draft.parameter("teu-per-train")
    bulk_per_train = draft.parameter("bulk-t-per-train")
    for row in Rows(tables["terminals"]):
        if row["from_mode"] == row["to_mode"]:
            continue  # a yard between gauges: its ways are the changes of gauge above
        box = row["cargo"] == "container"
        yearly = row["capacity_teu_yr"] if box else row["capacity_t_yr"]
        per_train = teu_per_train if box else bulk_per_train
        # Both directions work on the same quay or pad; half its capacity each.
        capacity = None if yearly is None else yearly / 365.0 / per_train / 2
        for a, b in ((row["from_mode"], row["to_mode"]), (row["to_mode"], row["from_mode"])):
            starts = _states_at(draft, row["place"], a, departing=False)
            ends = _states_at(draft, row["place"], b, departing=True)
            if not starts or not ends:
                continue
            facility = draft.facility(
                draft.parameter("delay-yard-alpha") * row["time_h"],
                draft.parameter("delay-yard-beta"),
                capacity,
                0.0,
                1.0,
            )
            # a train that starts or ends here bears half the fixed part of its price
            rails = (a == "rail") + (b == "rail")
            start_teu, start_t = (rails * part for part in draft.start(draft.place_rows[row["place"]]["iso2"], "rail"))
            for start in starts:
                for end in ends:
                    draft.arc(
                        start,
                        end,
                        ArcKind.TRANSFER,
                        draft.place_rows[row["place"]]["iso2"],
                        mode=MODES.index(b),
                        place=draft.places[row["place"]],
                        time_h=row["time_h"],
                        spread_h=or_zero(row["spread_h"]),
                        facility=facility,
                        money_usd_teu=or_zero(row["cost_usd_teu"]) + start_teu,
                        money_usd_t=or_zero(row["cost_usd_t"]) + start_t,
                        container=box,
                        bulk=not box,
                    )


def tie_zones(draft: Draft, tables: NetworkTables, trains_week: Mapping[str, float]) -> tuple[list[str], I4, I4]:
    """Zones with their access arcs: loading at the source, unloading at the sink."""
    rows = list(Rows(tables["zones"]))
    access = list(Rows(tables["access"]))
    sources, sinks = np.full(len(rows), -1, np.int32), np.full(len(rows), -1, np.int32)
    for z, row in enumerate(rows):
        place = row["place"]
        home = set(_home_rails(draft, place))
        states = [key for key in draft.at_place.get(place, ()) if not key[1].startswith("rail:") or key in home]
        if not states:
            continue
        country = draft.place_rows[place]["iso2"]
        sources[z] = draft.node(f"{row['id']}>", "zone")
        sinks[z] = draft.node(f">{row['id']}", "zone")
        # a box waits on average half the headway of its hub's block trains
        headway = 168.0 / trains_week[place] if place in trains_week else draft.parameter("headway-rail-h")
        for key in states:
            mode = key[1].split(":")[0].rstrip(">")
            for way in access:
                if way["mode"] != mode:
                    continue
                box = way["cargo"] == "container"
                start_teu, start_t = draft.start(country, mode)
                wait = headway / 2 if mode == "rail" and box else 0.0
                ways = []
                if departure(key[1].rstrip(">")) == key[1]:
                    ways.append((sources[z], draft.nodes[key], wait))
                if not key[1].endswith(">"):
                    ways.append((draft.nodes[key], sinks[z], 0.0))
                for leaves, enters, extra in ways:
                    draft.arc(
                        int(leaves),
                        int(enters),
                        ArcKind.ACCESS,
                        country,
                        mode=MODES.index(mode),
                        place=draft.places[place],
                        time_h=way["time_h"] + extra,
                        spread_h=or_zero(way["spread_h"]),
                        money_usd_teu=or_zero(way["cost_usd_teu"]) + start_teu,
                        money_usd_t=or_zero(way["cost_usd_t"]) + start_t,
                        container=box,
                        bulk=not box,
                    )
    return [row["id"] for row in rows], sources, sinks
