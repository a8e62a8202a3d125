"""Write the runs of a terminal into a folder, whole or not at all; and the trace that a map can play back.

terminal.json      the summary, the plan and the settings
visits.parquet     one row a train and replication: when it came, entered, was worked on, left, and on which track
queue.parquet      by replication and moment: trains outside by side, units inside, TEU in the stack
trace.json         the first replication as a film: trains with their steps, servers, queues (see docs/terminals.md)
curve.json         the delay curve, where one was asked for
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.model import terminals
from landbridge.model.terminals import Plan, Run
from landbridge.study.results import check_output, whole_folder

__all__ = ["MARKER", "check_terminal_output", "queues", "stack_teu", "trace", "visits", "write_terminal"]

MARKER = "terminal.json"
# Step of the series in queue.parquet and in a trace, hours.
STEP_H = 1.0
FORMAT = "landbridge-terminal-trace"
VERSION = 1


def check_terminal_output(folder: Path) -> None:
    """Make sure that the runs of a terminal can be put into a folder, before anything is computed."""
    check_output(folder, marker=MARKER)


def stack_teu(run: Run, at_h: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return TEU of the stack that are taken at given moments: room is taken when handling starts, free after loading.

    Parameters
    ----------
    run
        A run.
    at_h
        Hours.

    Returns
    -------
    array of float64
    """
    log, n, column = run.log, run.arrived, run.drawn.yard.column
    room = run.drawn.yard.stack_teu[log.stream]
    through = np.array([s.units_out > 0 for s in run.plan.streams])[log.stream[:n]]
    came_h = log.start_h[:n, column[terminals.HANDLE]]
    came = np.where(through, (log.load[:n] - log.direct[:n]) * room[:n], 0.0)
    if column[terminals.LOAD] < 0:
        return np.zeros(at_h.size)
    rows = slice(n, n + run.made)
    left_h, left = log.end_h[rows, column[terminals.LOAD]], log.direct[rows] * room[rows]

    def upto(hours: npt.NDArray[np.float64], teu: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        order = np.argsort(hours, kind="stable")  # what never happened is NaN and stands last
        known = int(np.isfinite(hours).sum())
        sums = np.concatenate([[0.0], np.cumsum(teu[order][:known])])
        return np.asarray(sums[np.searchsorted(hours[order][:known], at_h, side="right")], np.float64)

    return upto(came_h, came) - upto(left_h, left)


def visits(run: Run) -> pl.DataFrame:
    """Return one row a train: those that arrived, then those that departed.

    Hours count from the start of the run; what did not happen by its end is null.
    """
    log, n, yard = run.log, run.arrived, run.drawn.yard
    size = n + run.made
    side = yard.side[log.stream[:size]]
    arriving = np.arange(size) < n
    names = np.array([s.id for s in run.plan.streams])
    labels = np.array(run.plan.sides)
    frame: dict[str, Any] = {
        "train": np.arange(size),
        "direction": np.where(arriving, "arriving", "departing"),
        "stream": names[log.stream[:size]],
        "side": labels[np.where(arriving, side, 1 - side)],
        "units": log.load[:size],
        "direct_units": np.where(arriving, log.direct[:size], log.load[:size] - log.direct[:size]),
        "track": np.where(log.track[:size] >= 0, log.track[:size] + 1, 0),
        "turned_away": log.track[:size] == terminals.TURNED,
        "arrive_h": np.concatenate([run.drawn.trains.arrive_h, np.full(run.made, np.nan)]),
        "enter_h": log.entered_h[:size],
        "stand_h": np.concatenate([np.full(n, np.nan), log.stood_h[: run.made]]),
    }
    for k, step in enumerate(terminals.STEPS):
        c = yard.column[k]
        if c < 0:
            continue
        mine = arriving if k < terminals.LEAD else ~arriving
        start, end = log.start_h[:size, c], log.end_h[:size, c]
        frame[f"{step}_start_h"] = np.where(mine, start, np.nan)
        frame[f"{step}_end_h"] = np.where(mine & (end <= run.end_h), end, np.nan)
        server = np.where(mine, log.server[:size, c], -1)
        frame[f"{step}_server"] = pl.Series([None if v < 0 else int(v) for v in server.tolist()], dtype=pl.Int64)
    frame["leave_h"] = log.done_h[:size]
    made = pl.DataFrame(frame)
    return made.with_columns(
        pl.col(pl.Float64).fill_nan(None), pl.when(pl.col("track") > 0).then(pl.col("track")).alias("track")
    )


def queues(run: Run, step_h: float = STEP_H) -> pl.DataFrame:
    """Return trains outside by side, units inside and TEU in the stack over time."""
    at = np.arange(0.0, run.end_h + 1e-9, step_h)
    waits = terminals.outside(run, at)
    return pl.DataFrame(
        {
            "time_h": at,
            **{f"outside_{label}_trains": waits[i].astype(np.int64) for i, label in enumerate(run.plan.sides)},
            "inside_units": terminals.inside(run, at).astype(np.int64),
            "stack_teu": stack_teu(run, at),
        }
    )


def trace(run: Run, start: date) -> dict[str, Any]:
    """Return a run as a film that a map or page can play back; the format is told in docs/terminals.md.

    Parameters
    ----------
    run
        A run.
    start
        Its first day.

    Returns
    -------
    dict
        Plain values; hours count from midnight of the first day.
    """
    yard, plan = run.drawn.yard, run.plan
    servers = []
    for r, resource in enumerate(run.drawn.resources):
        for i in range(int(yard.first[r + 1] - yard.first[r])):
            servers.append({"resource": resource.id, "kind": resource.kind, "side": resource.side, "number": i + 1})
    trains = []
    for row in visits(run).to_dicts():
        if row["turned_away"] or (row["direction"] == "departing" and row["enter_h"] is None):
            continue
        steps = [
            [step, _short(row[f"{step}_start_h"]), _short(row[f"{step}_end_h"]), row[f"{step}_server"]]
            for step in terminals.STEPS
            if row.get(f"{step}_start_h") is not None
        ]
        trains.append(
            {
                "id": row["train"],
                "direction": row["direction"],
                "stream": row["stream"],
                "side": row["side"],
                "units": row["units"],
                "track": row["track"],
                "arrive_h": _short(row["arrive_h"]),
                "enter_h": _short(row["enter_h"]),
                "leave_h": _short(row["leave_h"]),
                "steps": steps,
            }
        )
    series = queues(run)
    changes = run.drawn.changes
    return {
        "format": FORMAT,
        "version": VERSION,
        "terminal": plan.id,
        "name": plan.name,
        "place": plan.place,
        "crossing": plan.crossing,
        "start": start.isoformat(),
        "hours": run.end_h,
        "sides": [{"label": label, "tracks": plan.tracks(label)} for label in plan.sides],
        "stack_teu": plan.stack_teu,
        "servers": servers,
        "trains": trains,
        "series": {name: [_short(v) for v in series[name].to_list()] for name in series.columns},
        "speeds": [
            [int(v), _short(h), _short(x)]
            for v, h, x in [
                *((v, 0.0, s) for v, s in enumerate(changes.speed.tolist()) if s != 1.0),
                *zip(changes.server.tolist(), changes.time_h.tolist(), changes.new.tolist(), strict=True),
            ]
        ],
    }


def _short(value: float | None) -> float | None:
    """Hours to a thousandth, some four seconds: enough to play, and a third of the size."""
    return None if value is None or not math.isfinite(value) else round(float(value), 3)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, date) else value


def write_terminal(folder: Path, plan: Plan, told: Mapping[str, Any], runs: Sequence[Run], start: date) -> None:
    """Write the runs of a terminal into a folder.

    Parameters
    ----------
    folder
        Where; runs that are there are replaced.
    plan, told
        What was run, and its summary (with curve and recovery where they were asked for).
    runs
        Replications; without any (a curve alone) only the summary is written.
    start
        First day.

    Raises
    ------
    OutputError
        If it cannot be written; what stood there stays.
    """
    tables = {"visits": visits, "queue": queues}
    with whole_folder(folder, marker=MARKER) as draft:
        for name, make in tables.items():
            parts = [
                make(run).select(pl.lit(i, dtype=pl.Int64).alias("replication"), pl.all()) for i, run in enumerate(runs)
            ]
            if parts:
                pl.concat(parts, how="vertical").write_parquet(draft / f"{name}.parquet")
        if runs:
            text = json.dumps(_plain(trace(runs[0], start)), allow_nan=False, separators=(",", ":"))
            (draft / "trace.json").write_text(text + "\n", encoding="utf-8")
        if told.get("curve"):
            (draft / "curve.json").write_text(json.dumps(_plain(told["curve"]), indent=2) + "\n", encoding="utf-8")
        text = json.dumps(_plain({**told, "plan": asdict(plan)}), indent=2, allow_nan=False, ensure_ascii=False)
        (draft / MARKER).write_text(text + "\n", encoding="utf-8")
