"""Who answers which indicator, and how a row's formula is put together from its operands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from landbridge.study.validate import crossings, services, stocks
from landbridge.study.validate.changes import Answerer, change
from landbridge.study.validate.ways import NoPair, Ways
from landbridge.study.validate.words import (
    Answer,
    NotCovered,
    Operand,
    annual_factor,
    calculate,
    note_part,
    operand,
)
from landbridge.study.validate.worlds import World

__all__ = ["FLOWS", "INDICATORS", "Answers"]

#: Indicators that hang on a year's flows and grow with the time they are counted over.
FLOWS = frozenset(
    {
        "crossing_tonnes", "crossing_teu", "crossing_trains", "crossing_wagons", "service_tonnes", "service_teu",
        "service_trains", "terminal_teu", "trade_usd",
    }
)  # fmt: skip

PLAIN: dict[str, Answerer] = {
    "crossing_tonnes": crossings.crossing,
    "crossing_teu": crossings.crossing,
    "crossing_trains": crossings.crossing,
    "crossing_wagons": crossings.wagons,
    "crossing_peak_trains_day": crossings.peak,
    "teu_per_train": services.teu_per_train,
    "border_hours": crossings.border_hours,
    "queue_trains": crossings.queue,
    "service_tonnes": services.service,
    "service_teu": services.service,
    "service_trains": services.service,
    "terminal_teu": services.terminal_teu,
    "terminal_trains_day": services.terminal_trains,
    "terminal_train_minutes": services.terminal_minutes,
    "capacity_teu_yr": stocks.capacity,
    "trade_usd": stocks.trade,
    "share_pct": stocks.share,
    "time_value_pct_day": stocks.time_value,
    "unit_cost_usd_20t_500km": stocks.unit_cost,
    "unit_cost_usd_box_km": stocks.unit_cost,
    "co2_g_tkm": stocks.emission,
}
ON_WAYS = ("transit_days", "distance_km", "rate_usd_feu", "speed_km_day", "co2_kg_teu")

#: Every indicator that has an answer.
INDICATORS = (*PLAIN, *ON_WAYS, "scenario_change_pct")


class Answers:
    """Answers rows of targets from one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ways = Ways(world)
        self.by: dict[str, Answerer] = {
            **PLAIN,
            **dict.fromkeys(ON_WAYS, lambda _world, op, row: self.ways.route(op, row)),
        }
        self.by["scenario_change_pct"] = lambda world, op, row: change(world, op, row, self.by)

    def of(self, row: Mapping[str, Any]) -> Answer:
        """The model's number for a row.

        Raises
        ------
        NotCovered
            With the reason, where it has none.
        """
        if row["kind"] == "input":
            raise NotCovered("a series that drives a model, never held against it")
        if row["indicator"] not in self.by:
            raise NotCovered(f"no indicator {row['indicator']} is known")
        statement = row["kind"] in ("sign", "order")
        formula = note_part(row["note"], "holds" if statement else "formula")
        self.ways.left_out.clear()
        while True:
            try:
                return self._whole(row, formula, statement=statement)
            except NoPair as lost:
                self.ways.left_out.add(lost.pair)

    def levels(self, row: Mapping[str, Any]) -> tuple[float, float]:
        """The two levels behind a change: in the world without the scenario, and with it."""
        op = operand(row["subject"], row, self.world.first)
        inner = replace(op, thing=op.qualifiers[0], qualifiers=op.qualifiers[1:])
        as_row = {**row, "indicator": op.thing}
        answerer = self.by[op.thing]
        return answerer(self.world, self.world.without(inner), as_row).value, answerer(self.world, inner, as_row).value

    def _one(self, text: str, row: Mapping[str, Any]) -> Answer:
        op: Operand = operand(text, row, self.world.first)
        if row["indicator"] not in FLOWS and row["indicator"] != "queue_trains" and not op.scenario:
            op = replace(op, period="year")
        return self.by[row["indicator"]](self.world, op, row)

    def _whole(self, row: Mapping[str, Any], formula: str | None, *, statement: bool) -> Answer:
        if formula is None:
            if statement or ";" in row["subject"]:
                raise NotCovered("its note has no formula")
            found = self._one(row["subject"], row)
            factor = annual_factor(row["note"]) if row["indicator"] in FLOWS else 1.0
            return replace(found, value=found.value / factor)
        parts: list[Answer] = []

        def number(text: str) -> float:
            parts.append(self._one(text, row))
            return parts[-1].value

        value = calculate(formula, number)
        return Answer(
            value,
            tuple(dict.fromkeys(cell for part in parts for cell in part.cells)),
            "; ".join(dict.fromkeys(part.note for part in parts if part.note)),
            any(part.given for part in parts),
            tuple(p for part in parts for p in part.parts),
        )
