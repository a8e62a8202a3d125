"""Run a plan once and tell what came out: visits, dwell by stage, use of resources, Little's law.

Words
    processing: work on the train other than lifting (path over the border, shunting, control, coupling); crane:
    handling and loading; waiting: everything else, from the queue outside to the wait for a full train. Published
    figures of "dwell" or "handling" are now one of these, now another, so they are kept apart.
Units that change trains
    In each stream the k-th unit handled is taken to be the k-th that leaves. Means do not depend on that, percentiles a
    little.
Little's law
    The event loop sums trains and units inside over time; the same sum follows from the visits. Both are given, and
    their difference is rounding or an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from landbridge.model.terminals import kernels
from landbridge.model.terminals.draws import SPARE, Drawn, Stop, draw
from landbridge.model.terminals.kernels import Log
from landbridge.model.terminals.plans import Plan, Stream

__all__ = [
    "GROUPS",
    "STAGES",
    "Dwell",
    "Run",
    "dwell",
    "inside",
    "little",
    "loads",
    "outside",
    "shares",
    "simulate",
    "throughput",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Stages of a unit's stay, in their order.
STAGES = (
    "outside", "path_in", "wait_shunting", "shunting", "wait_control", "control", "wait_handling", "handling", "stack",
    "loading", "wait_release", "release", "wait_coupling", "coupling", "wait_path_out", "path_out",
)  # fmt: skip
#: What a stage counts as.
GROUPS: dict[str, tuple[str, ...]] = {
    "crane": ("handling", "loading"),
    "processing": ("path_in", "shunting", "control", "release", "coupling", "path_out"),
    "waiting": (
        "outside",
        "wait_shunting",
        "wait_control",
        "wait_handling",
        "stack",
        "wait_release",
        "wait_coupling",
        "wait_path_out",
    ),
}


@dataclass(frozen=True, eq=False)
class Run:
    """One run of a plan.

    Attributes
    ----------
    plan, drawn, log
        What was run, on which draws, and what happened.
    horizon_h
        Length; infinite where the run went on until all was served.
    end_h
        The horizon, or the last departure.
    """

    plan: Plan
    drawn: Drawn
    log: Log
    horizon_h: float
    end_h: float

    @property
    def arrived(self) -> int:
        """Trains that arrived."""
        return int(self.drawn.trains.arrive_h.size)

    @property
    def made(self) -> int:
        """Trains called to depart."""
        return int(self.log.counts[kernels.MADE])

    @property
    def accepted(self) -> npt.NDArray[np.bool_]:
        """Which arriving trains were not turned away."""
        return np.asarray(self.log.track[: self.arrived] != kernels.TURNED, np.bool_)


def simulate(
    plan: Plan,
    *,
    days: float,
    seed: int,
    replication: int = 0,
    stops: Sequence[Stop] = (),
    start_weekday: int = 0,
    start_month: int = 0,
    arrivals: tuple[Floats, Ints, Ints] | None = None,
    until_empty: bool = False,
) -> Run:
    """Run a plan once, from an empty terminal.

    Parameters
    ----------
    plan
        The terminal.
    days
        Length of the run.
    seed, replication
        Together they name all draws.
    stops
        Calendar events.
    start_weekday, start_month
        When it starts: 0 = Monday, 0 = January.
    arrivals
        A trace in place of drawn arrivals: hours, index of the stream, units.
    until_empty
        Go on after the last arrival until nothing moves any more; shifts and failures are drawn for `days` only.

    Returns
    -------
    Run
    """
    horizon, spare = np.inf if until_empty else days * 24.0, SPARE
    while True:
        drawn = draw(
            plan,
            days=days,
            seed=seed,
            replication=replication,
            stops=stops,
            start_weekday=start_weekday,
            start_month=start_month,
            arrivals=arrivals,
            spare=spare,
        )
        log = kernels.run(drawn.yard, drawn.trains, drawn.changes, horizon, drawn.most, drawn.columns)
        if not log.counts[kernels.FULL]:
            break
        spare *= 4  # more trains left part-full than were drawn
    end = horizon if np.isfinite(horizon) else float(np.nanmax(log.done_h, initial=0.0))
    return Run(plan, drawn, log, horizon, end)


def _segments(run: Run, s: int) -> tuple[Ints, Ints, Ints]:
    """Units of a stream that have left, as runs of like fate: arriving train, departing train, number of units."""
    log, n = run.log, run.arrived
    stream: Stream = run.plan.streams[s]
    handled_h = log.end_h[:n, run.drawn.yard.column[kernels.HANDLE]]
    came = np.flatnonzero((log.stream[:n] == s) & (handled_h <= run.end_h))
    came = came[np.argsort(handled_h[came], kind="stable")]
    if not stream.units_out:
        return came, np.full(came.size, -1, np.int64), log.load[came].astype(np.int64)
    loaded_h = log.start_h[n : n + run.made, run.drawn.yard.column[kernels.LOAD]]
    left = np.flatnonzero((log.stream[n : n + run.made] == s) & (loaded_h <= run.end_h))
    left = left[np.argsort(loaded_h[left], kind="stable")] + n
    into, out = np.cumsum(log.load[came]), np.cumsum(log.load[left])
    edges = np.unique(np.concatenate([into, out]))
    edges = edges[edges <= (out[-1] if out.size else 0)]
    units = np.diff(edges, prepend=0)
    return (
        came[np.searchsorted(into, edges)].astype(np.int64),
        left[np.searchsorted(out, edges)].astype(np.int64),
        units.astype(np.int64),
    )


@dataclass(frozen=True, eq=False)
class Dwell:
    """Stays of units that have left: one entry a run of units of like fate.

    Attributes
    ----------
    stream, arriving, departing, units
        Stream, rows of the log (departing -1 where departures are not modelled), number of units.
    left_h
        When they left.
    stages : float64[len(STAGES), entries]
        Hours in each stage.
    """

    stream: Ints
    arriving: Ints
    departing: Ints
    units: Ints
    left_h: Floats
    stages: Floats

    @property
    def total_h(self) -> Floats:
        """Hours from arrival at the border to departure."""
        return np.asarray(self.stages.sum(axis=0), np.float64)

    def groups(self) -> dict[str, Floats]:
        """Hours at the crane, in processing, waiting, and outside, and in all."""
        at = {
            name: sum((self.stages[STAGES.index(stage)] for stage in members), np.zeros(self.units.size))
            for name, members in GROUPS.items()
        }
        return {**at, "outside": self.stages[0], "total": self.total_h}


def dwell(run: Run) -> Dwell:
    """Tell how long units stayed, stage by stage.

    Parameters
    ----------
    run
        A run.

    Returns
    -------
    Dwell
        All units that left up to the end of the run.
    """
    log, column = run.log, run.drawn.yard.column
    found = [_segments(run, s) for s in range(len(run.plan.streams))]
    arriving, departing, units = (np.concatenate([part[i] for part in found]) for i in range(3))
    stream = np.concatenate([np.full(part[0].size, s, np.int64) for s, part in enumerate(found)])
    stages = np.zeros((len(STAGES), units.size))

    def put(stage: str, hours: Floats) -> None:
        stages[STAGES.index(stage)] = hours

    put("outside", log.entered_h[arriving] - run.drawn.trains.arrive_h[arriving])
    moment = log.entered_h[arriving]
    steps = ("path_in", "shunting", "control", "handling")
    for k, name in zip((kernels.PATH_IN, kernels.SHUNT, kernels.CONTROL, kernels.HANDLE), steps, strict=True):
        if column[k] < 0:
            continue
        start, end = log.start_h[arriving, column[k]], log.end_h[arriving, column[k]]
        if name == "path_in":  # a train that has a track and waits for its path still stands at the border
            stages[0] += start - moment
        else:
            put(f"wait_{name}", start - moment)
        put(name, end - start)
        moment = end
    goes = departing >= 0
    if goes.any():
        rows = departing[goes]
        at = moment[goes]
        names = ("loading", "release", "coupling", "path_out")
        for k, name in zip((kernels.LOAD, kernels.RELEASE, kernels.COUPLE, kernels.PATH_OUT), names, strict=True):
            if column[k] < 0:
                continue
            start, end = log.start_h[rows, column[k]], log.end_h[rows, column[k]]
            stages[STAGES.index("stack" if name == "loading" else f"wait_{name}"), goes] = start - at
            stages[STAGES.index(name), goes] = end - start
            at = end
    left = np.where(goes, log.done_h[np.maximum(departing, 0)], moment)
    kept = np.isfinite(left) & (left <= run.end_h)
    return Dwell(stream[kept], arriving[kept], departing[kept], units[kept], left[kept], stages[:, kept])


def little(run: Run) -> dict[str, dict[str, float]]:
    """Hold Little's law against a run, for trains that arrive and for units.

    Parameters
    ----------
    run
        A run.

    Returns
    -------
    dict
        For ``trains`` and ``units``: the mean number inside (from the event loop), arrivals an hour, mean hours inside
        (from the visits, up to the end of the run), and what the law misses by, relative.
    """
    log, n, end = run.log, run.arrived, run.end_h
    ok, arrive = run.accepted, run.drawn.trains.arrive_h
    seen = ok & (arrive <= end)
    done = np.where(log.done_h[:n] <= end, log.done_h[:n], end)
    train_h = float((done - arrive)[seen].sum())
    unit_h = float(((end - arrive) * log.load[:n])[seen].sum())
    gone = dwell(run)
    unit_h -= float(((end - gone.left_h) * gone.units).sum())
    answer = {}
    for name, inside_h, area, count in (
        ("trains", train_h, log.areas[kernels.TRAINS], int(seen.sum())),
        ("units", unit_h, log.areas[kernels.UNITS], int(log.load[:n][seen].sum())),
    ):
        mean, rate = float(area) / end if end else 0.0, count / end if end else 0.0
        stay = inside_h / count if count else 0.0
        answer[name] = {
            "mean_inside": mean,
            "arrivals_h": rate,
            "mean_stay_h": stay,
            "error": abs(mean - rate * stay) / max(mean, 1e-300) if mean else abs(rate * stay),
        }
    return answer


def _overlap(start: Floats, end: Floats, from_h: float, to_h: float) -> Floats:
    return np.asarray(np.maximum(np.minimum(end, to_h) - np.maximum(start, from_h), 0.0), np.float64)


def loads(run: Run, from_h: float = 0.0) -> dict[str, float]:
    """Tell the share of their working time for which resources worked, and of all time for which tracks were held.

    Parameters
    ----------
    run
        A run.
    from_h
        Start of the time that counts.

    Returns
    -------
    dict
        By the id of each resource that has a count.
    """
    tracks = {r.id for r in run.plan.resources if r.kind == "track"}
    return {name: held if name in tracks else worked for name, (worked, held) in shares(run, from_h).items()}


def shares(run: Run, from_h: float = 0.0) -> dict[str, tuple[float, float]]:
    """Tell how much resources worked, and how long they were taken.

    Parameters
    ----------
    run
        A run.
    from_h
        Start of the time that counts.

    Returns
    -------
    dict
        By the id of each resource that has a count, two shares. Working: of what it could do in its shifts with the
        machines that are whole; of tracks, of all hours, with a train on them that is worked on. Occupied: of all
        hours, with a train, rests and waiting counted.
    """
    log, n, end = run.log, run.arrived, run.end_h
    span = end - from_h
    answer: dict[str, tuple[float, float]] = {}
    entities = n + run.made
    stream = log.stream[:entities]
    begins: list[list[Floats]] = [[] for _ in run.drawn.resources]
    for k in range(kernels.STEP_COUNT):
        c = run.drawn.yard.column[k]
        if c < 0:
            continue
        rows = slice(0, n) if k < kernels.LEAD else slice(n, entities)
        start, stop = log.start_h[rows, c], log.end_h[rows, c]
        doer = run.drawn.yard.resource[stream[rows], k]
        for r in range(len(run.drawn.resources)):
            mine = (doer == r) & np.isfinite(start) & (log.server[rows, c] >= 0)
            if mine.any():
                ends = np.where(np.isfinite(stop[mine]), stop[mine], end)
                servers = log.server[rows, c][mine].astype(np.float64)
                begins[r].append(np.stack([start[mine], ends, servers]))
    for r, resource in enumerate(run.drawn.resources):
        worked = open_h = taken_h = 0.0
        rows_r = np.concatenate(begins[r], axis=1) if begins[r] else np.zeros((3, 0))
        for v in range(run.drawn.yard.first[r], run.drawn.yard.first[r + 1]):
            mine = rows_r[2] == v
            times, speeds = _speed(run, v)
            taken_h += float(_overlap(rows_r[0, mine], rows_r[1, mine], from_h, end).sum())
            if times.size == 1:
                worked += speeds[0] * float(_overlap(rows_r[0, mine], rows_r[1, mine], from_h, end).sum())
                open_h += speeds[0] * span
                continue
            edges = np.append(times, max(end, times[-1]))
            done = np.concatenate([[0.0], np.cumsum(speeds * np.diff(edges))])
            a = np.interp(np.clip(rows_r[0, mine], from_h, end), edges, done)
            b = np.interp(np.clip(rows_r[1, mine], from_h, end), edges, done)
            worked += float((b - a).sum())
            open_h += float(np.diff(np.interp([from_h, end], edges, done))[0])
        servers = int(run.drawn.yard.first[r + 1] - run.drawn.yard.first[r])
        answer[resource.id] = (
            worked / open_h if open_h > 0 else 0.0,
            taken_h / (servers * span) if span > 0 else 0.0,
        )
    # a train on a track is worked on in its steps from the path in on, a departing one from the placing on
    worked_h = np.zeros(entities)
    for k in range(kernels.STEP_COUNT):
        c = run.drawn.yard.column[k]
        if c >= 0 and k != kernels.LEAD:
            rows = slice(0, n) if k < kernels.LEAD else slice(n, entities)
            start, stop = log.start_h[rows, c], log.end_h[rows, c]
            ends = np.where(np.isfinite(stop), stop, end)
            worked_h[rows] += np.where(np.isfinite(start), _overlap(start, ends, from_h, end), 0.0)
    for side, label in enumerate(run.plan.sides):
        tracks = run.plan.find("track", label)
        if tracks is None or tracks.count is None:
            continue
        from_side = run.drawn.yard.side[stream]
        here = np.where(np.arange(entities) < n, from_side == side, from_side != side) & np.isfinite(
            log.entered_h[:entities]
        )
        until = np.where(np.isfinite(log.done_h[:entities]), log.done_h[:entities], end)
        held = _overlap(log.entered_h[:entities][here], until[here], from_h, end).sum()
        both = (float(worked_h[here].sum()), float(held))
        told = tuple(hours / (tracks.count * span) if span > 0 else 0.0 for hours in both)
        answer[tracks.id] = max(answer.get(tracks.id, (0.0, 0.0)), (told[0], told[1]), key=lambda pair: pair[1])
    return answer


def _speed(run: Run, server: int) -> tuple[Floats, Floats]:
    changes = run.drawn.changes
    mine = changes.server == server
    return (
        np.concatenate([[0.0], changes.time_h[mine]]),
        np.concatenate([changes.speed[server : server + 1], changes.new[mine]]),
    )


def outside(run: Run, at_h: Floats) -> Floats:
    """Count arriving trains that wait outside, by side.

    Parameters
    ----------
    run
        A run.
    at_h
        Moments, hours.

    Returns
    -------
    array of float64, shape (2, moments)
    """
    n = run.arrived
    path = run.drawn.yard.column[kernels.PATH_IN]
    came = run.drawn.trains.arrive_h
    enters = run.log.entered_h[:n] if path < 0 else run.log.start_h[:n, path]
    side = run.drawn.yard.side[run.log.stream[:n]]
    rows = []
    for each in range(2):
        mine = run.accepted & (side == each)
        gone = np.sort(np.where(np.isfinite(enters[mine]), enters[mine], np.inf))
        rows.append(np.searchsorted(came[mine], at_h, side="right") - np.searchsorted(gone, at_h, side="right"))
    return np.array(rows, np.float64)


def inside(run: Run, at_h: Floats) -> Floats:
    """Count units between arrival at the border and departure at given moments (hours)."""
    n = run.arrived
    load = np.where(run.accepted, run.log.load[:n], 0)
    came = np.concatenate([[0], np.cumsum(load)])[np.searchsorted(run.drawn.trains.arrive_h, at_h, side="right")]
    gone = dwell(run)
    order = np.argsort(gone.left_h, kind="stable")
    left = np.concatenate([[0], np.cumsum(gone.units[order])])
    return np.asarray(came - left[np.searchsorted(gone.left_h[order], at_h, side="right")], np.float64)


def throughput(run: Run, from_h: float = 0.0) -> Mapping[str, float]:
    """Tell what passed in a part of a run.

    Returns
    -------
    mapping
        ``trains_day`` that were handled, ``teu_day`` that left, and ``turned_away_day``.
    """
    gone, n = dwell(run), run.arrived
    days = (run.end_h - from_h) / 24.0
    if days <= 0:
        return {"trains_day": 0.0, "teu_day": 0.0, "turned_away_day": 0.0}
    teu = np.array([s.teu_unit for s in run.plan.streams])[gone.stream] * gone.units
    handled = run.log.end_h[:n, run.drawn.yard.column[kernels.HANDLE]]
    turned = ~run.accepted & (run.drawn.trains.arrive_h >= from_h)
    return {
        "trains_day": float(((handled >= from_h) & (handled <= run.end_h)).sum()) / days,
        "teu_day": float(teu[gone.left_h >= from_h].sum()) / days,
        "turned_away_day": float(turned.sum()) / days,
    }
