"""What replications say together: means with intervals, warm-up taken off, stability, the bottleneck.

Problem
    A terminal starts empty and its days depend on each other; what are its long-run means, how sure are they, and do
    they exist at all?
Method
    - Warm-up: MSER-5 (White, 1997) on the units inside, averaged over replications in blocks: cut where the standard
      error of the rest is least, at most half the run.
    - Intervals: Student's t over replications, which are independent. With one replication: over batches of it.
    - Stability: a resource whose offered load is 1 or more cannot keep up, whatever the run shows. Where loads are
      below 1 (tracks, shifts, a full stack may still be short), the run is held to be unstable when the number inside
      grows by more than a small part of what arrives, and surely so over replications. Then there is no mean dwell, and
      none is given.
    - Tipping over: a box that finds no train beside it goes over the stack and is lifted twice. A terminal whose load
      is below 1 as planned and 1 or more with every box lifted twice has two ways to work: after a bad day the second
      feeds on itself (trains held for cranes bring no room to lift onto), and the queue does not come back. Means over
      runs of both kinds say nothing. A run has tipped when such a resource works without rest in its last fifth while
      the number inside grows. Wagons and bulk that are worked once cannot tip.
    - Runs of less than `JUDGED_DAYS` are filling up all the time: nothing is said about stability.
    - Bottleneck: of all resources the one with the most work for its working time; tracks count with what their trains
      need on them, waiting left out. Without trains there is none.
Reference
    Law, Simulation Modeling and Analysis, chapter 9; White, An effective truncation heuristic for bias reduction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from landbridge.model.terminals.plans import Plan, offered_load
from landbridge.model.terminals.runs import STAGES, Run, dwell, inside, little, loads, outside, shares, throughput

__all__ = [
    "JUDGED_DAYS",
    "Estimate",
    "Summary",
    "batch_means",
    "interval",
    "mser",
    "over_the_stack",
    "stacked_load",
    "student",
    "summarise",
]

Floats = npt.NDArray[np.float64]

# Block of a series for the warm-up, hours, and values that MSER averages before it looks.
BLOCK_H = 6.0
MSER_BATCH = 5
# Growth of the number inside, as part of what arrives, that is more than noise; for one run alone the cruder bound.
GROWTH, GROWTH_ALONE = 0.01, 0.05
# The last part of a run, and the use there from which a resource is said to work without rest.
LAST, RESTLESS = 0.2, 0.97
#: Shorter runs are not judged.
JUDGED_DAYS = 7.0
# Use from which a resource that works, rather than the tracks behind it, limits a terminal that does not keep up.
BUSY = 0.95
#: Batches of a single run.
BATCHES = 20
LEVEL = 0.95


@lru_cache(maxsize=256)
def student(freedom: int, level: float = LEVEL) -> float:
    """Return the two-sided quantile of Student's t.

    Parameters
    ----------
    freedom
        Degrees of freedom, at least 1.
    level
        Probability between minus and plus the answer.

    Returns
    -------
    float
        By bisection on the integral of the density.
    """
    nodes, weights = np.polynomial.legendre.leggauss(64)
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)

    def inside_of(angle: float) -> float:
        # t = sqrt(freedom) tan(angle) makes the range finite
        u = (nodes + 1) * angle / 2
        return float((weights * np.cos(u) ** (freedom - 1)).sum() * angle * scale * math.sqrt(freedom))

    low, high = 0.0, math.pi / 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if inside_of(middle) < level else (low, middle)
    return math.sqrt(freedom) * math.tan((low + high) / 2)


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval; bounds are NaN where one sample cannot have any."""

    mean: float
    low: float
    high: float


def interval(samples: Sequence[float] | Floats, level: float = LEVEL) -> Estimate:
    """Return the mean of independent samples with Student's interval."""
    values = np.asarray(samples, np.float64)
    if not values.size:
        return Estimate(math.nan, math.nan, math.nan)
    mean = float(values.mean())
    if values.size < 2:
        return Estimate(mean, math.nan, math.nan)
    half = student(values.size - 1, level) * float(values.std(ddof=1)) / math.sqrt(values.size)
    return Estimate(mean, mean - half, mean + half)


def batch_means(values: Floats, weights: Floats | None = None, batches: int = BATCHES) -> Floats:
    """Return the means of so many consecutive batches of a series; a rest that fills no batch is left out."""
    size = values.size // batches
    if size == 0:
        return np.asarray(values, np.float64)
    rows = values[: size * batches].reshape(batches, size)
    if weights is None:
        return np.asarray(rows.mean(axis=1))
    parts = weights[: size * batches].reshape(batches, size)
    return np.asarray((rows * parts).sum(axis=1) / np.maximum(parts.sum(axis=1), 1e-300))


def mser(series: Floats) -> int:
    """Return how many values of a series to cut off as warm-up, by MSER-5; at most half."""
    means = series[: series.size // MSER_BATCH * MSER_BATCH].reshape(-1, MSER_BATCH).mean(axis=1)
    best, cut = math.inf, 0
    for d in range(means.size // 2 + 1):
        rest = means[d:]
        if rest.size < 2:
            break
        error = float(rest.var()) / rest.size
        if error < best * (1 - 1e-12):
            best, cut = error, d
    return cut * MSER_BATCH


@dataclass(frozen=True, eq=False)
class Summary:
    """What replications of a plan say.

    Attributes
    ----------
    replications, days, warm_up_days
        How many runs, how long, how much of each was cut off.
    verdict
        ``stable``, ``unstable``, ``tips over`` (in some runs, though loads are below 1), or ``undecided`` (too short).
    reason
        Why it is not stable, or "".
    tipped
        Runs that tipped over.
    note
        What could make a stable terminal tip over, or "".
    trains_day, teu_yr
        Trains handled a day, TEU that left a year. In an unstable terminal: what it carries at its limit.
    offered_trains_day
        Trains that arrive a day.
    turned_away_day
        Trains turned away a day.
    dwell_h
        By stage and group: mean (with interval), p50 and p90 over units; empty where unstable.
    outside
        Mean (with interval) and greatest number of trains outside, by side; the mean is missing where unstable.
    drifts
        Whether a load is 1 or more, or the number inside grows in the mean of the runs: no tipping is needed for that.
    utilisation, offered_load
        By resource: share of working time worked in the runs (tracks: held); work that arrives over what can be done.
    working, occupied
        By resource: share of what it could do that it did (tracks: of all hours, with a train that is worked on);
        share of all hours in which it had a train, rests and waiting counted.
    bottleneck
        Resource with the highest load; where loads are below 1 and the terminal does not keep up, the one at fault;
        "" where no train comes.
    growth_units_day
        Growth of the number inside, with interval.
    little_error
        Greatest relative difference between both sides of Little's law over all runs.
    little
        Both sides for the first run.
    """

    replications: int
    days: float
    warm_up_days: float
    verdict: str
    reason: str
    drifts: bool
    tipped: int
    note: str
    trains_day: Estimate
    teu_yr: Estimate
    offered_trains_day: float
    turned_away_day: float
    dwell_h: dict[str, dict[str, Estimate]]
    outside: dict[str, dict[str, Estimate]]
    utilisation: dict[str, float]
    working: dict[str, float]
    occupied: dict[str, float]
    offered_load: dict[str, float]
    bottleneck: str
    growth_units_day: Estimate
    little_error: float
    little: dict[str, dict[str, float]]

    @property
    def stable(self) -> bool:
        """Whether long-run means exist, as far as the runs tell."""
        return self.verdict == "stable"


def over_the_stack(plan: Plan) -> Plan:
    """Return a plan in which no box finds a train beside it."""
    return replace(plan, streams=tuple(replace(s, direct_share=0.0) for s in plan.streams))


def stacked_load(plan: Plan) -> dict[str, float]:
    """Return resources that keep up as planned and not when every box goes over the stack, with that load."""
    load, worst = offered_load(plan), offered_load(over_the_stack(plan))
    return {name: worst[name] for name in load if load[name] < 1.0 <= worst[name]}


def _tipped(runs: Sequence[Run], names: Sequence[str], arriving: float) -> dict[str, int]:
    """Runs that have tipped over, by the resource that works without rest at their end."""
    count = dict.fromkeys(names, 0)
    for run in runs if names else ():
        from_h = (1.0 - LAST) * run.end_h
        x = np.arange(from_h, run.end_h + 1e-9, BLOCK_H)
        if x.size < 3 or float(np.polyfit(x / 24.0, inside(run, x), 1)[0]) <= GROWTH * arriving:
            continue
        used = loads(run, from_h)
        worst = max(names, key=lambda name: used[name])
        count[worst] += used[worst] >= RESTLESS
    return count


def _is_track(plan: Plan, name: str) -> bool:
    return any(r.id == name and r.kind == "track" for r in plan.resources)


def _quantile(values: Floats, weights: Floats, q: float) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(total, q * total[-1])]])


def summarise(runs: Sequence[Run], *, warm_up_days: float | None = None, steady: bool = True) -> Summary:
    """Say what replications of one plan have in common.

    Parameters
    ----------
    runs
        Replications of one plan and length.
    warm_up_days
        Days cut off at the start; None: by MSER-5.
    steady
        Whether long-run means are asked for; False for runs with a stop, which are a transient.

    Returns
    -------
    Summary
    """
    first = runs[0]
    plan, end = first.plan, first.end_h
    moments = np.arange(0.0, end + 1e-9, BLOCK_H)
    series = np.array([inside(run, moments) for run in runs])
    if warm_up_days is None:
        from_h = float(moments[min(mser(series.mean(axis=0)), moments.size - 1)]) if steady else 0.0
    else:
        from_h = warm_up_days * 24.0
    load = offered_load(plan)

    # STEP 1: does a long-run mean exist?
    kept = moments >= from_h
    x = moments[kept] / 24.0
    growth = interval([float(np.polyfit(x, row[kept], 1)[0]) if x.size > 2 else 0.0 for row in series])
    arriving = sum(s.trains_day * s.units_train for s in plan.streams)
    if not arriving:  # a trace
        arriving = float(first.log.load[: first.arrived].sum()) / max(end / 24.0, 1e-9)
    full = sorted((name for name in load if load[name] >= 1.0), key=lambda name: -load[name])
    stacked = stacked_load(plan) if steady and not full else {}
    many = _tipped(runs, list(stacked), arriving)
    tipped = sum(many.values())
    grows = growth.mean > (GROWTH_ALONE if len(runs) == 1 else GROWTH) * arriving
    drifts = steady and grows and (len(runs) == 1 or growth.low > 0.0)
    verdict, reason, note, limit = "stable", "", "", max(load, key=lambda name: load[name]) if load else ""
    used = [shares(run, from_h) for run in runs]
    working, occupied = ({name: float(np.mean([u[name][i] for u in used])) for name in used[0]} for i in range(2))
    utilisation = {name: (occupied if _is_track(plan, name) else working)[name] for name in working}
    if full:
        verdict, reason = "unstable", f"{full[0]} is asked for {load[full[0]]:.2f} of what it can do"
    elif steady and arriving and end / 24.0 < JUDGED_DAYS:
        verdict, reason = "undecided", f"too short to judge: {end / 24.0:g} days, {JUDGED_DAYS:g} at least"
    elif tipped:
        limit = max(many, key=lambda name: many[name])
        verdict = "tips over"
        reason = (
            f"in {tipped} of {len(runs)} runs the queue did not come back: {limit}, asked for {load[limit]:.2f} of "
            f"what it can do, is asked for up to {stacked[limit]:.2f} when boxes find no train beside, so are "
            "lifted twice"
        )
    elif drifts:
        verdict, reason = "unstable", f"the number inside grows by {growth.mean:.1f} units a day"
        busy = [name for name in load if utilisation.get(name, 0.0) >= BUSY and not _is_track(plan, name)]
        limit = max(busy or load, key=lambda name: utilisation.get(name, 0.0))
    elif stacked:
        name = max(stacked, key=lambda each: stacked[each])
        note = (
            f"{name} would be asked for {stacked[name]:.2f} if every box went over the stack; no run tipped over, yet "
        )
        note += f"up to {1.0 - (1.0 - LEVEL) ** (1.0 / len(runs)):.0%} of runs could (more replications tell closer)"
    stable = verdict == "stable"
    if limit and not load[limit]:  # a trace, whose loads no plan knows; or no train at all
        limit = max(working, key=lambda name: working[name])
        limit = limit if working[limit] else ""

    # STEP 2: samples of each run
    rates = [throughput(run, from_h) for run in runs]
    stays: dict[str, dict[str, list[float]]] = {}
    alone: dict[str, Floats] = {}
    for run in runs:
        gone = dwell(run)
        late = gone.left_h >= from_h
        if not late.any():
            continue
        units = gone.units[late].astype(np.float64)
        rows = {**{stage: gone.stages[i] for i, stage in enumerate(STAGES)}, **gone.groups()}
        for name, hours in rows.items():
            values = hours[late]
            told = stays.setdefault(name, {"mean": [], "p50": [], "p90": []})
            told["mean"].append(float(np.average(values, weights=units)))
            told["p50"].append(_quantile(values, units, 0.5))
            told["p90"].append(_quantile(values, units, 0.9))
            if len(runs) == 1:
                order = np.argsort(gone.left_h[late], kind="stable")
                alone[name] = batch_means(values[order], units[order])
    dwell_h = {name: {key: interval(values) for key, values in told.items()} for name, told in stays.items()}
    if len(runs) == 1:
        for name, batches in alone.items():
            spread = interval(batches)
            mean = dwell_h[name]["mean"].mean
            half = (spread.high - spread.low) / 2
            dwell_h[name]["mean"] = Estimate(mean, mean - half, mean + half)
    waits = np.array([outside(run, moments) for run in runs])
    laws = [little(run) for run in runs]
    queues = {}
    for side, label in enumerate(plan.sides):
        told_queue = {"most": interval(waits[:, side].max(axis=1))}
        if stable:
            told_queue["mean"] = interval(waits[:, side][:, kept].mean(axis=1))
        queues[label] = told_queue
    return Summary(
        replications=len(runs),
        days=end / 24.0,
        warm_up_days=from_h / 24.0,
        verdict=verdict,
        reason=reason,
        drifts=bool(full) or drifts,
        tipped=tipped,
        note=note,
        trains_day=interval([rate["trains_day"] for rate in rates]),
        teu_yr=interval([365.0 * rate["teu_day"] for rate in rates]),
        offered_trains_day=float(np.mean([run.arrived for run in runs])) / (end / 24.0) if end else 0.0,
        turned_away_day=float(np.mean([rate["turned_away_day"] for rate in rates])),
        dwell_h=dwell_h if stable else {},
        outside=queues,
        utilisation=utilisation,
        working=working,
        occupied=occupied,
        offered_load=load,
        bottleneck=limit,
        growth_units_day=growth,
        little_error=max(each["error"] for law in laws for each in law.values()),
        little=laws[0],
    )
