"""The verb of terminals: run a dry port or border yard, close it for a while, or ask for its delay curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from landbridge.errors import LandbridgeError
from landbridge.show.running import RESUME_NEEDS_OUT, ClusterAddress, Resume, Workers
from landbridge.show.terminal import (
    AtlasDir,
    Json,
    OverlayPath,
    print_json,
    print_table,
    read_tables,
    users_values,
)

__all__ = ["sparkline", "terminal"]

BARS = "▁▂▃▄▅▆▇█"
# Most characters of a sparkline.
SPARK = 72


def terminal(
    name: Annotated[
        str | None, typer.Argument(metavar="TERMINAL", help="Id of a plan of the atlas.", show_default=False)
    ] = None,
    plan_file: Annotated[Path | None, typer.Option("--plan", help="Any plan, as a TOML file.")] = None,
    trains_per_day: Annotated[
        float | None, typer.Option("--trains-per-day", help="All streams together, in the proportion they have.")
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(help="Length of a run. Default: 90, or that of the trace.", show_default=False),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="WORD=VALUE", help="cranes=4, tracks=12, tracks_1520=20, crane.failure_h=2, ..."),
    ] = None,
    replications: Annotated[int, typer.Option(help="Independent runs.", min=1, max=100_000)] = 10,
    seed: Annotated[int, typer.Option(help="Names all draws.", min=0)] = 0,
    workers: Workers = 1,
    cluster: ClusterAddress = None,
    resume: Resume = False,
    curve: Annotated[bool, typer.Option("--curve", help="Delay over volume, and where it saturates.")] = False,
    stream: Annotated[str | None, typer.Option(help="With --curve: vary this stream alone.")] = None,
    start: Annotated[
        datetime | None,
        typer.Option(
            "--start", formats=["%Y-%m-%d"], help="First day of the runs; months then differ. Default: mean days."
        ),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            "--trace", help="Trains that are known: a CSV file with arrive_h, stream and units, in place of drawn ones."
        ),
    ] = None,
    event: Annotated[str | None, typer.Option(help="Event of the atlas that stops something here.")] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the terminals of the atlas.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for visits, queue, trace and summary.")] = None,
    atlas: AtlasDir = None,
    overlay: OverlayPath = None,
    as_json: Json = False,
) -> None:
    """Simulate a dry port or border yard: queue, dwell by stage, use of what works there, bottleneck.

    In a terminal that cannot keep up dwell has no mean, and none is told.
    """
    if name is not None and plan_file is not None:
        raise LandbridgeError(
            f"wanted the id of a terminal of the atlas or a plan of your own, got both: {name} and --plan {plan_file}"
        )
    if not listing and name is None and plan_file is None:
        raise LandbridgeError("wanted the id of a terminal, or --plan FILE.toml; --list tells the terminals")
    for option, value in (("--days", days), ("--trains-per-day", trains_per_day)):
        if value is not None and not 0 < value < 1e5:
            raise LandbridgeError(f"{option}: wanted a number above 0 and below 100,000, got {value:g}")
    if event and (plan_file or curve):
        raise LandbridgeError("--event is for a terminal of the atlas, and without --curve")
    if start is not None and (event or curve):
        raise LandbridgeError("--start is for a run: an event has its own date, and a curve is of mean days")
    if trace is not None and (event or curve or trains_per_day is not None):
        raise LandbridgeError("--trace has its own trains: wanted no --event, --curve or --trains-per-day beside it")
    if stream and not curve:
        raise LandbridgeError("--stream goes with --curve")
    pairs = dict(_pair(text) for text in changes or ())
    if resume and out is None:
        raise LandbridgeError(RESUME_NEEDS_OUT.format("runs that --out"))
    from landbridge.study import terminal as work
    from landbridge.study.kept import keeping
    from landbridge.study.runner import where_of
    from landbridge.study.terminal_files import check_terminal_output, write_terminal

    if out is not None:
        check_terminal_output(out)
    where_of(workers, cluster)
    length = 90.0 if days is None else days
    settings = work.Settings(days=length, replications=replications, seed=seed, workers=workers, cluster=cluster)
    if start is not None:
        settings = replace(settings, start=start.date(), season=True)
    if plan_file is not None:
        plan, tables = work.read_plan(plan_file), None
    else:
        tables = read_tables(atlas, overlay)
        if listing:
            _list(work.listing(tables), as_json=as_json)
            return
        plan = work.plan_of(tables, name or "")
        if event:
            plan = work.in_event(tables, plan, event)
    plan = work.changed(plan, pairs, trains_day=trains_per_day)
    known = None if trace is None else work.read_trace(trace, plan)
    if known is not None and days is None:
        settings = replace(settings, days=float(known.days))
    with keeping(out, anew=not resume) as kept:
        settings = replace(settings, kept=kept)
        answer = work.ask(plan, settings, tables=tables, event=event, curve=curve, stream=stream or "", trace=known)
        stamp = tables.overlay.stamp() if tables is not None and tables.overlay else None
        told = {**answer.told, "overlay": stamp}
        if out is not None:
            write_terminal(out, plan, told, answer.runs, answer.start)
    if as_json:
        print_json({**told, "out": None if out is None else str(out)})
        return
    if curve:
        _print_curve(told)
    else:
        _print_run(told)
        typer.echo("")
        for side, values in answer.queue.items():
            typer.echo(f"trains outside, {side:>5}  {sparkline(values)}  most {max(values, default=0):.0f}")
        typer.echo(f"first run, {told['days']:.0f} days from {answer.start}")
    if told.get("recovery"):
        _print_recovery(told)
    if tables is not None and tables.overlay:
        typer.echo(users_values(tables.overlay))
    if out is not None:
        typer.echo(f"Visits, queue and trace are in {out}")


def _pair(text: str) -> tuple[str, str]:
    word, equals, value = text.partition("=")
    if not equals or not word or not value:
        raise LandbridgeError(f"--set: wanted WORD=VALUE, as cranes=4, got {text}")
    return word, value


def sparkline(values: Sequence[float], width: int = SPARK) -> str:
    """Return values as one line of bars; each bar is the highest of its stretch."""
    if not values:
        return ""
    count = min(width, len(values))
    edges = [len(values) * i // count for i in range(count + 1)]
    highest = [max(values[a:b]) for a, b in pairwise(edges)]
    top = max(*highest, 1e-12) if len(highest) > 1 else max(highest[0], 1e-12)
    return "".join(BARS[min(int(max(v, 0.0) / top * len(BARS)), len(BARS) - 1)] for v in highest)


def _list(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    heads = [("terminal", 0), ("name", 0), ("crossing", 0), ("sides", 0), ("trains/day", 1), ("highest load", 2)]
    print_table(
        "Terminals of the atlas",
        [*heads, ("of", 0)],
        [
            (r["terminal"], r["name"], r["crossing"], r["sides"], r["trains_day"], r["load"], r["bottleneck"])
            for r in rows
        ],
        "Trains a day to plan with, and the load of what is asked for most; `landbridge terminal ID`.",
    )


def _print_run(told: Mapping[str, Any]) -> None:
    sure = told["confidence_intervals_95"]

    def between(name: str) -> str:
        low, high = sure[name]["low"], sure[name]["high"]
        return f"{low:,.1f} to {high:,.1f}" if low == low else ""  # noqa: PLR0124 - NaN is not itself

    word = told["verdict"] if told["verdict"] in ("stable", "undecided", "event") else told["verdict"].upper()
    state = f"{word}: {told['reason']}" if told["reason"] else word
    print_table(
        f"{told['name']}: {state}",
        [("", 0), ("mean", 1), ("95 % interval", 0)],
        [
            ("trains a day that arrive", told["offered_trains_day"], ""),
            ("trains a day handled", told["trains_day"], between("trains_day")),
            ("TEU a year", told["throughput_teu_yr"], between("throughput_teu_yr")),
            ("turned away, trains a day", told["turned_away_trains_day"], ""),
            ("bottleneck", told["bottleneck"] or "none: no train comes", ""),
            ("Little's law, greatest error", f"{told['little']['greatest_error']:.0e}", ""),
        ],
        f"{told['replications']} runs of {told['days']:.0f} days, seed {told['seed']}; the first "
        f"{told['warm_up_days']:.1f} days cut off as warm-up."
        + (f" {told['note'][0].upper()}{told['note'][1:]}." if told["note"] else ""),
    )
    if told["dwell_h"]:
        rows = []
        for stage, each in told["dwell_h"].items():
            bounds = sure["dwell_h"][stage]
            # no stay is negative: an interval that reaches below 0 is of few runs that differ much
            text = f"{max(bounds['low'], 0.0):.2f} to {bounds['high']:.2f}" if bounds["low"] == bounds["low"] else ""
            rows.append((stage.replace("_", " "), each["mean"], text, each["p50"], each["p90"]))
        print_table(
            "Hours of a unit's stay, by stage",
            [("stage", 0), ("mean", 2), ("95 % interval", 0), ("p50", 2), ("p90", 2)],
            rows,
            "crane, processing and waiting add up to the total; outside is the part of waiting at the border.",
        )
    used = [
        (name, _there(told["resources"][name]), told["working"].get(name), told["occupied"].get(name), load)
        for name, load in told["offered_load"].items()
    ]
    print_table(
        "What works there",
        [("resource", 0), ("there are", 0), ("working", 2), ("occupied", 2), ("load", 2)],
        sorted(used, key=lambda row: -row[4]),
        "Working: share of what it can do in its shifts with the machines that are whole; tracks: of all hours, with "
        "a train that is worked on. Occupied: share of all hours with a train, waiting and rests counted; below the "
        "working share where shifts leave hours without a train. Load: work "
        "that arrives over what can be done; tracks count with the work of their trains, waiting left out.",
    )


def _there(resource: Mapping[str, Any]) -> str:
    """How many there are, told so that a group is not taken for a machine."""
    count, machines = resource["count"], resource["machines"]
    if count is None:
        return "any number"
    if machines == 1:
        return f"{count}"
    return f"{count} group{'s' if count > 1 else ''} of {machines}"


def _print_curve(told: Mapping[str, Any]) -> None:
    curve = told["curve"]
    what = f"stream {curve['stream']}" if curve["stream"] else "all streams in proportion"
    borne = [p["trains_day"] for p in curve["points"] if p["dwell_h"] is not None and p["stable"]]
    delay = dict(zip(borne, curve["delay_h"], strict=False))
    rows = [
        (
            p["trains_day"],
            p["trains_day"] / curve["capacity_trains_day"] if curve["capacity_trains_day"] else None,
            p["dwell_h"],
            None if p["dwell_h"] is None else delay.get(p["trains_day"]),
            p["spread_h"],
            "" if p["stable"] else p["verdict"],
        )
        for p in curve["points"]
    ]
    limit = f"{curve['capacity_trains_day']:.1f} trains a day, then {curve['bottleneck']} binds"
    print_table(
        f"{told['name']}: {what}; saturates at {limit}",
        [("trains/day", 1), ("of capacity", 2), ("dwell h", 2), ("delay h", 2), ("spread h", 2), ("", 0)],
        rows,
        "Delay: what the network adds for volume, never falling; it starts at the volume of least dwell, so that waits "
        "for a full train at low volume are not in it. "
        "Spread: standard deviation over units. Where the terminal cannot keep up there is no dwell. Saturates: the "
        "highest volume at which no run tips over and the number inside does not drift upward. " + _limits(curve),
    )


def _limits(curve: Mapping[str, Any]) -> str:
    """What lies between the volume that is sure and the one that cannot be borne."""
    drift, tips = curve["drift_trains_day"], curve["could_tip_trains_day"]
    parts = []
    if drift > curve["capacity_trains_day"]:
        parts.append(f"Up to {drift:.1f} it drifts in no mean over the runs, but some runs tip over.")
    if tips is not None:
        parts.append(f"From {tips:.1f} on it could tip over, by its loads, if more rarely than the runs show.")
    return " ".join(parts)


def _print_recovery(told: Mapping[str, Any]) -> None:
    found = told["recovery"]
    rows = [(f"most trains outside, {side}", e["mean"], e["low"], e["high"]) for side, e in found["outside"].items()]
    extra, clear = found["extra_units"], found["clear_days"]
    rows.append(("most units more than without it", extra["mean"], extra["low"], extra["high"]))
    left = found["replications"] - found["cleared"]
    if found["cleared"]:
        which = f"{found['cleared']} of {found['replications']} runs"
        rows.append((f"days until it is cleared, {which}", clear["mean"], clear["low"], clear["high"]))
    caption = "Cleared: no more than one train's units are there that would not be without the stop."
    volume = found["trains_day_of_the_time"]
    if volume is not None and abs(volume - found["trains_day"]) < 1e-6:
        caption += f" With {volume:g} trains a day, as at the time of the event (table terminal_stops)."
    print_table(
        f"{found['event']}: a stop of {found['stop_days']:g} days",
        [("", 0), ("mean", 1), ("95 % from", 1), ("to", 1)],
        rows,
        caption
        + (
            f" In {left} of {found['replications']} runs it was not cleared by their end, "
            f"{found['watched_days']:.0f} days after the stop: the mean is that of the others, so a lower end."
            if left
            else ""
        ),
    )
