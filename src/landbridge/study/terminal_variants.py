"""A terminal as it is and with upgrades, side by side: the same volume, draws and length for each.

This is what the map's page of terminals asks for. Each variant is written as `landbridge.study.terminal_files` writes a
run, in a folder of its own by its number, so that the same files can be read, played back and compared.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError
from landbridge.model.terminals import Plan
from landbridge.scenario.apply import apply
from landbridge.scenario.measures import Upgrade
from landbridge.study import terminal as work
from landbridge.study.terminal_files import write_terminal

__all__ = ["CURVE_REPLICATIONS", "Asked", "Variant", "plan_with", "run_variants"]

#: Replications behind a delay curve on the page: few, for there are a dozen volumes.
CURVE_REPLICATIONS = 3


@dataclass(frozen=True)
class Variant:
    """A terminal as it is (no upgrade), or with one.

    Attributes
    ----------
    label
        What people call it.
    upgrade
        Fields of the measure ``upgrade``: crane_groups_added, tracks_added, customs_time_factor, ...
    """

    label: str
    upgrade: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A question about one terminal.

    Attributes
    ----------
    terminal
        Id of a plan of the atlas.
    trains_day
        All streams together; None: as in the plan.
    changes
        Words of ``landbridge terminal --set`` with their values, for every variant.
    variants
        At least one.
    event
        Id of an event whose stops are put on the runs; "" for none.
    curve
        Whether each variant's delay curve is wanted too.
    """

    terminal: str
    trains_day: float | None
    changes: Mapping[str, str]
    variants: tuple[Variant, ...]
    event: str
    curve: bool


def plan_with(tables: Tables, asked: Asked, variant: Variant, year: int) -> Plan:
    """Return the plan of a variant.

    Parameters
    ----------
    tables
        The atlas.
    asked
        Volume and changes, which all variants share.
    variant
        The upgrade on top of the plan with those changes.
    year
        Year of the tables that the measure is applied to.

    Returns
    -------
    Plan

    Raises
    ------
    UnknownName, DataError, LandbridgeError
        For what is not there, or a terminal that could not work.
    """
    if asked.terminal not in work.plan_ids(tables):
        work.plan_of(tables, asked.terminal)  # says which there are
    planned = work.plan_of(tables, asked.terminal)
    if asked.event:
        planned = work.in_event(tables, planned, asked.event)
    by_hand = work.changed(planned, asked.changes, trains_day=asked.trains_day)
    if not variant.upgrade:
        return by_hand
    words: dict[str, Any] = dict(variant.upgrade)
    measure = Upgrade(terminals=(asked.terminal,), **words)
    return work.plan_of(apply(_with_plan(tables, by_hand), (measure,), year).tables, asked.terminal)


def _with_plan(tables: Tables, plan: Plan) -> Tables:
    """Tables in which a plan of the atlas has other values, so that a measure finds them."""
    changed: dict[str, list[dict[str, Any]]] = {
        "terminal_plans": [{"id": plan.id, "stack_teu": plan.stack_teu, "stack_dwell_h": plan.stack_dwell_h}],
        "terminal_resources": [asdict(row) for row in plan.resources],
        "terminal_streams": [asdict(row) for row in plan.streams],
    }
    frames = {}
    for name, given in changed.items():
        frame = tables[name]
        words = [c for c in frame.columns if c in given[0]]
        schema = {c: frame.schema[c] for c in words}
        new = pl.DataFrame([{c: _cell(row[c]) for c in words} for row in given], schema=schema)
        frames[name] = frame.update(new, on="id", how="left")
    return tables.replace(**frames)


def _cell(value: Any) -> Any:
    return (list(value) or None) if isinstance(value, tuple) else None if value == "" else value


def run_variants(
    tables: Tables,
    asked: Asked,
    settings: work.Settings,
    out: Path,
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> None:
    """Run every variant and write each into ``out/NUMBER``, whole or not at all.

    Parameters
    ----------
    tables
        The atlas.
    asked
        What is wanted.
    settings
        Length, replications and seed; the same for all variants, so that they can be compared.
    out
        A folder that is not there yet.
    progress
        Called with how many steps are done, how many there are, and what is going on.

    Raises
    ------
    LandbridgeError
        If a variant cannot work, or the folder is there.
    """
    tell = progress or (lambda _done, _all, _text: None)
    if out.exists():
        raise LandbridgeError(f"{out}: wanted a new folder")
    plans = [plan_with(tables, asked, v, settings.start.year) for v in asked.variants]
    draft = out.with_name(f".{out.name}")
    steps = len(plans) * (2 if asked.curve else 1)
    done = 0
    try:
        for number, (variant, plan) in enumerate(zip(asked.variants, plans, strict=True)):
            tell(done, steps, f"{variant.label}: {settings.replications} runs")
            answer = work.ask(plan, settings, tables=tables, event=asked.event or None)
            told: dict[str, Any] = {**answer.told, "variant": variant.label, "upgrade": dict(variant.upgrade)}
            done += 1
            if asked.curve:
                tell(done, steps, f"{variant.label}: delay curve")
                few = replace(settings, replications=min(settings.replications, CURVE_REPLICATIONS))
                told["curve"] = asdict(work.delay_curve(plan, few))
                done += 1
            write_terminal(draft / str(number), plan, told, answer.runs, answer.start)
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
