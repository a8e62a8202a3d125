"""Links become arcs: runs by country, gauge and direction, the borders between them, and waits where ports are left."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from landbridge.errors import Fault
from landbridge.model.network.borders import border_hours, closed_wait
from landbridge.model.network.draft import Draft, departure, or_zero, state_of
from landbridge.model.network.records import MODES, ArcKind

__all__ = ["country_order", "land_link", "water_link"]


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


def _move(
    draft: Draft,
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
    rate = draft.rate(country, mode)
    if rate is None:
        return
    time_h = km / row["speed_kmh"]
    share = km / row["length_km"] if row["length_km"] else 1.0
    capacity = row["capacity_trains_day"]
    facility = -1
    if capacity is not None:
        running = row["availability"]
        facility = draft.facility(
            draft.parameter("delay-line-alpha") * time_h,
            draft.parameter("delay-line-beta"),
            capacity * running,
            or_zero(row["preload_trains_day"]) * running * draft.preload_factor,
            row["train_length_factor"] or 1.0,
        )
    factor, holds_box = draft.emission(mode, row["traction"] or "", country, row["line"])
    start_teu, start_t = draft.start(country, mode)
    teu = rate["usd_teu_km"] * km + or_zero(row["fixed_usd_teu"]) * share + handovers * start_teu
    draft.arc(
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
        spread_h=time_h * draft.parameter(f"spread-{mode}"),
        facility=facility,
        money_usd_teu=teu + row["charge_usd_teu"] * share + row["charge_usd_teu_km"] * km,
        money_usd_t=rate["usd_t_km"] * km
        + or_zero(row["fixed_usd_t"]) * share
        + row["charge_usd_t"] * share
        + handovers * start_t
        + row["charge_usd_t_km"] * km,
        money_empty_usd_teu=teu * (1.0 if rate["empty_factor"] is None else rate["empty_factor"]),
        co2_g_t=km * factor,
        box_co2_g_teu=0.0 if holds_box else km * factor * draft.parameter("box-tare"),
    )


def _border(
    draft: Draft,
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
            facilities[key] = draft.facility(
                or_zero(found[f"waiting_{way}_h"]),
                draft.parameter("delay-crossing-beta"),
                None if capacity is None else capacity * found["availability"],
                or_zero(found[f"preload_{way}_trains_day"]) * found["availability"] * draft.preload_factor,
                row["train_length_factor"] or 1.0,
            )
        time_h, spread_h = border_hours(
            or_zero(found[f"processing_{way}_h"]),
            inspection_share=or_zero(found[f"inspection_share_{way}"]),
            inspection_h=draft.parameter("inspection-h"),
            closed=closed_wait(found["open_h_day"], found["open_days_week"]),
            queue_h=or_zero(found[f"waiting_{way}_h"]),
            spread_h=found[f"spread_{way}_h"],
            work_cv=draft.parameter("spread-border-work"),
            queue_cv=draft.parameter("spread-border-queue"),
        )
        where = {
            "crossing": number,
            "time_h": time_h,
            "spread_h": spread_h,
            "facility": facilities[key],
            "money_usd_teu": or_zero(found[f"cost_{way}_usd_teu"]),
            "money_usd_t": or_zero(found[f"cost_{way}_usd_t"]),
        }
    draft.arc(
        nodes[0],
        nodes[1],
        ArcKind.BORDER,
        countries[0],
        country_to=draft.country(countries[1]),
        mode=MODES.index(row["mode"]),
        gauge_mm=gauge,
        link=index,
        backward=backward,
        **where,
    )


def land_link(
    draft: Draft,
    row: dict[str, Any],
    index: int,
    crossings: list[tuple[int, dict[str, Any]]],
    facilities: dict[Any, int],
) -> None:
    """Move and border arcs of one rail or road link, in both directions and every gauge."""
    first = draft.place_rows[row["place_a"]]["iso2"]
    last = draft.place_rows[row["place_b"]]["iso2"]
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
            draft.faults.append(Fault("crossings.csv", crossing["id"], "country_a, country_b", wanted, "-".join(pair)))
        at[pair] = (number, crossing)
    gauges = row["gauges_mm"] or [0]
    for gauge in gauges if row["mode"] == "rail" else [0]:
        state = state_of(row["mode"], gauge)
        for backward in (False, True):
            sections = list(reversed(parts)) if backward else parts
            ends = (row["place_b"], row["place_a"]) if backward else (row["place_a"], row["place_b"])
            here = draft.node(ends[0], departure(state))
            for i, (country, km) in enumerate(sections):
                final = i == len(sections) - 1
                part = len(parts) - 1 - i if backward else i
                there = (
                    draft.node(ends[1], state)
                    if final
                    else draft.node(f"{row['id']}#{part}{'<' if backward else '>'}", state)
                )
                # a border without a crossing is passed in sealed transit: nothing is handed over
                beside = [n[0] for n in (sections[i - 1 : i] if i else []) + sections[i + 1 : i + 2]]
                handovers = sum((country, c) in at or (c, country) in at for c in beside)
                _move(draft, row, index, country, km * scale, gauge, (here, there, backward), handovers)
                here = there
                if not final:
                    onward = draft.node(f"{row['id']}#{part}{'<' if backward else '>'}b", state)
                    beyond = sections[i + 1][0]
                    _border(
                        draft,
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


def water_link(draft: Draft, row: dict[str, Any], index: int, headway_h: float) -> None:
    """A sea or ferry leg: a wait where a port is left, then the run."""
    season = row["season_days"]
    seasonal = season is not None and draft.season != "open"
    closed_h, closed_spread_h = (_season_wait_h(season), _season_spread_h(season)) if seasonal else (0.0, 0.0)
    for backward in (False, True):
        start, end = (row["place_b"], row["place_a"]) if backward else (row["place_a"], row["place_b"])
        at_port = draft.place_rows[start]["kind"] != "seapoint"
        country = draft.place_rows[start]["iso2"] or "XZ"
        here = draft.node(start, departure(row["mode"]) if at_port else row["mode"])
        if at_port:
            onboard = draft.node(f"{row['id']}#{'<' if backward else '>'}", row["mode"])
            wait = headway_h / 2 + closed_h
            draft.arc(
                here,
                onboard,
                ArcKind.WAIT,
                country,
                mode=MODES.index(row["mode"]),
                link=index,
                backward=backward,
                place=draft.places[start],
                time_h=wait,
                # a wait uniform over the headway has the variance headway^2 / 12; the season's is independent
                spread_h=(headway_h**2 / 12 + closed_spread_h**2) ** 0.5,
            )
            here = onboard
        elif closed_h:
            onboard = draft.node(f"{row['id']}#{'<' if backward else '>'}", row["mode"])
            draft.arc(
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
        _move(draft, row, index, "XZ", row["length_km"], 0, (here, draft.node(end, row["mode"]), backward))
