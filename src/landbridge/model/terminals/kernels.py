"""The event loop of a terminal: trains, tracks, servers, stack and departing trains, in one compiled function.

Problem
    Trains arrive at two sides of a terminal; when does each of them begin and end each step?
Notation
    An entity is an arriving train (numbers below n) or a train that departs with what they brought. Steps of an
    arriving train: path in, shunting, control, handling, leaving; of a departing one: lead, placing, loading, release,
    coupling, path out. A resource is a set of servers, each with a speed by a calendar (shifts, breakdowns, closures):
    work of w hours takes w hours at speed 1, and rests at speed 0.
Method
    The future is three sorted sources: arrivals, changes of speed, and a binary heap of ends. After each event whatever
    may have become possible is tried until nothing is: queues of servers (by priority, then first come first served),
    tracks, departures. All draws are made before (`draws`), so the loop itself is exact and knows no chance. An end
    that a change of speed has moved stays in the heap and is recognised by its time.
Rules
    - A train holds a track of its side from its path in until it has left; without one it waits outside. Where both
      arriving and departing trains need a side, neither may hold its last track.
    - Handling starts only when there is room for every unit: on departing trains that stand ready (the direct share),
      or in the stack. A train that lacks room lets those behind it pass.
    - What cannot be put down is worked once: wagons on other bogies (`ROLLS`), and bulk from wagon to wagon (`BESIDE`),
      which begins when a train with room stands beside; what that has no room for waits for the next.
    - A departing train is called as soon as units are inside that no called train has room for; it leaves full, or in
      the end with what is there.
Stop rule
    The horizon.
Shape
    One long function on local arrays: Numba counts references when an array is taken out of a record, which made the
    same loop forty times slower, and in a small function with a branch (`_join` has none), which halved its speed.
    What must be tried is kept as codes on a list.
Reference
    Law, Simulation Modeling and Analysis, chapter 1 (next-event time advance).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["ARRIVING", "DEPARTING", "PRIORITIES", "STEPS", "Changes", "Log", "Trains", "Yard", "run"]

PATH_IN, SHUNT, CONTROL, HANDLE, LEAVE, LEAD, PLACE, LOAD, RELEASE, COUPLE, PATH_OUT = range(11)
STEP_COUNT = 11
#: Steps by number: those of an arriving train, then those of a departing one.
STEPS = (
    "path_in", "shunting", "control", "handling", "leaving",
    "lead", "placing", "loading", "release", "coupling", "path_out",
)  # fmt: skip
ARRIVING = 5
DEPARTING = 6
PRIORITIES = 3

# How the units of a stream change trains: over stack or beside; on bogies of their own; from wagon to wagon.
STACKS, ROLLS, BESIDE = range(3)
# Entries of the heap.
END, READY, PATIENCE = 0, 1, 2
EVENTS, MADE, TURNED_AWAY, FULL = range(4)  # of `Log.counts`
# From so many on, tracks have no numbers: there is always one. Track of a train that was turned away.
MANY = 1000
TURNED = -2
# TEU by which a full stack may seem to be overrun: rounding of sums.
SLACK = 1e-9
TRAINS, UNITS = range(2)  # of `Log.areas`, sums over time

_Function = TypeVar("_Function", bound=Callable[..., Any])
Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]


def _kernel(function: _Function) -> _Function:
    return cast(_Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


class Yard(NamedTuple):
    """The terminal: S streams, R resources, two sides."""

    column: Longs  # [11] where a step's times are written; -1 = the step is not there
    resource: Longs  # [S, 11] resource that does a step; -1 = time passes, nobody is needed
    first: Longs  # [R + 1] servers of a resource
    tracks: Longs  # [2] tracks by side
    most_arriving: Longs  # [2] most tracks that arriving trains may hold
    most_departing: Longs  # [2]
    room_outside: Longs  # [2] trains that may wait outside; more are turned away
    side: Longs  # [S] side a stream comes from; it leaves by the other
    priority: Longs  # [S]
    size: Longs  # [S] units of a departing train; 0 = units leave the terminal when handled
    direct: Floats  # [S] share of units that may be lifted from train to train
    stack_teu: Floats  # [S] room a unit takes in the stack
    way: Longs  # [S] STACKS, ROLLS or BESIDE
    stack: float  # TEU of the stack
    patience_h: Floats  # [S] longest wait for a full train


class Trains(NamedTuple):
    """What arrives, and the work that each step of each entity takes, drawn before."""

    arrive_h: Floats  # [n] ascending
    stream: Longs  # [n]
    units: Longs  # [n]
    work_h: Floats  # [n, columns]
    dwell_h: Floats  # [n] hours from handling until units of the stack may leave
    departing_h: Floats  # [S, m, columns] of the k-th departing train of a stream; loading: hours a unit


class Changes(NamedTuple):
    """Changes of speed, ascending in time; servers start with `speed`."""

    speed: Floats  # [servers]
    time_h: Floats
    server: Longs
    new: Floats


class Log(NamedTuple):
    """What happened: rows are entities, arriving trains first."""

    stream: Ints
    load: Ints  # units; of a departing train those it left with
    direct: Ints  # of an arriving train: units lifted straight onto another; of a departing one: taken from the stack
    entered_h: Floats  # when it took its track
    stood_h: Floats  # [departing] when it stood ready to be filled
    done_h: Floats
    track: Ints
    start_h: Floats  # [entities, columns]
    end_h: Floats
    server: Ints
    counts: Longs
    areas: Floats  # train hours and unit hours up to the horizon


@_kernel
def _push(hours: Floats, codes: Longs, size: int, t: float, code: int) -> None:
    i = size
    while i > 0:
        up = (i - 1) >> 1
        if hours[up] <= t:
            break
        hours[i] = hours[up]
        codes[i] = codes[up]
        i = up
    hours[i] = t
    codes[i] = code


@_kernel
def _pop(hours: Floats, codes: Longs, size: int) -> None:
    n = size - 1
    t, code = hours[n], codes[n]
    hours[n] = np.inf  # stands in for a child that is not there, so that the lesser one is found without a branch
    i = 0
    while True:
        down = 2 * i + 1
        if down >= n:
            break
        down += int(hours[down + 1] < hours[down])
        if hours[down] >= t:
            break
        hours[i] = hours[down]
        codes[i] = codes[down]
        i = down
    hours[i] = t
    codes[i] = code


@_kernel
def _join(head: Longs, tail: Longs, behind: Ints, waiting: Longs, queue: int, p: int, e: int) -> None:
    """Put an entity at the end of a queue, without a branch; behind nobody (-1) is the entry after all entities."""
    last = tail[queue, p]
    waiting[queue] += 1
    behind[last] = e
    behind[e] = -1
    head[queue, p] = max(head[queue, p], e * int(last < 0))
    tail[queue, p] = e


@_kernel
def _leave(head: Longs, tail: Longs, behind: Ints, waiting: Longs, queue: int, p: int, before: int, e: int) -> None:
    """Take an entity out of a queue; the one before it is -1 where it is the first. Without a branch, as `_join`."""
    leads, ends, after = int(before < 0), int(tail[queue, p] == e), behind[e]
    waiting[queue] -= 1
    behind[before] = after
    head[queue, p] += leads * (after - head[queue, p])
    tail[queue, p] += ends * (before - tail[queue, p])


@_kernel
def run(yard: Yard, trains: Trains, changes: Changes, horizon_h: float, most: int, columns: int) -> Log:
    """Run a terminal from empty to a horizon.

    Parameters
    ----------
    yard, trains, changes
        The terminal, what arrives, when servers change their speed.
    horizon_h
        Hours; events after it do not happen. Infinite: until all that arrives has been served.
    most
        Departing trains there is room for; `Log.counts` tells when they were too few.
    columns
        Columns of the times that are written.

    Returns
    -------
    Log
    """
    # STEP 1: all arrays by a name of their own
    column, resource, first = yard.column, yard.resource, yard.first
    tracks, most_arriving, most_departing = yard.tracks, yard.most_arriving, yard.most_departing
    room_outside, side_of, priority, train_size = yard.room_outside, yard.side, yard.priority, yard.size
    direct_share, stack_teu, patience_h, way = yard.direct, yard.stack_teu, yard.patience_h, yard.way
    arrive_h, work_h, dwell_h, departing_h = trains.arrive_h, trains.work_h, trains.dwell_h, trains.departing_h
    change_h, change_server, change_new = changes.time_h, changes.server, changes.new
    n = arrive_h.size
    entities = n + most
    streams, resources, servers = train_size.size, first.size - 1, first[-1]
    stream, load = np.zeros(entities, np.int32), np.zeros(entities, np.int32)
    stream[:n], load[:n] = trains.stream, trains.units
    direct, track = np.zeros(entities, np.int32), np.full(entities, -1, np.int32)
    entered_h, done_h, stood_h = np.full(entities, np.nan), np.full(entities, np.nan), np.full(most, np.nan)
    start_h, end_h = np.full((entities, columns), np.nan), np.full((entities, columns), np.nan)
    server = np.full((entities, columns), -1, np.int32)
    counts, areas = np.zeros(4, np.int64), np.zeros(2)
    # entities: step reached, next in a queue; of departing trains: number in their stream, when they asked for a track
    step, behind = np.full(entities, -1, np.int8), np.empty(entities + 1, np.int32)
    number, asked_h, patient = np.zeros(most, np.int64), np.zeros(most), np.zeros(most, np.bool_)
    job, speed, idle = np.full(servers, -1, np.int64), changes.speed.copy(), first[1:] - first[:-1]
    left_h, since_h, finish_h = np.zeros(servers), np.zeros(servers), np.full(servers, np.inf)
    # the step after each, without those that are not there; before placing comes the track, before loading the stand
    hop, k = np.empty(STEP_COUNT + 1, np.int64), STEP_COUNT
    for before in range(STEP_COUNT, -1, -1):
        if before in (LEAD, PLACE, LOAD, PATH_OUT + 1) or column[before] >= 0:
            k = before
        hop[before] = k
    # queues: resources, arriving trains outside by side, departing trains outside by side, standing trains by stream
    head = np.full((resources + 4 + streams, PRIORITIES), -1, np.int64)
    tail = np.full((resources + 4 + streams, PRIORITIES), -1, np.int64)
    waiting = np.zeros(resources + 4 + streams, np.int64)
    held = np.zeros((2, 2), np.int64)  # tracks by side, by arriving and departing trains
    numbered = 1
    for side in range(2):
        if tracks[side] < MANY:
            numbered = max(numbered, tracks[side])
    occupied = np.zeros((2, numbered), np.bool_)
    # streams, in units: inside that no loading train has taken; on standing trains or being lifted there; on standing
    # trains; in the stack and free to leave. In trains: called, standing, made.
    expected, committed, lifted = np.zeros(streams, np.int64), np.zeros(streams, np.int64), np.zeros(streams, np.int64)
    ready, called = np.zeros(streams, np.int64), np.zeros(streams, np.int64)
    standing, made = np.zeros(streams, np.int64), np.zeros(streams, np.int64)
    free_teu, trains_in, units_in = yard.stack, 0, 0
    # the future, and what to try now: resources, then sides, then streams, then entities that go on
    room = 3 * entities + change_h.size + 16
    heap_h, heap_code, heap = np.empty(room), np.empty(room, np.int64), 0
    sides, flows, goers = resources, resources + 2, resources + 2 + streams
    todo, doing = np.empty(goers + entities + 16, np.int64), 0
    marked = np.zeros(goers, np.bool_)
    arrival, change, last_h = 0, 0, 0.0
    events, train_h, unit_h = 0, 0.0, 0.0
    # no server of a resource below this one is free and open; what is to be tried before the list
    lowest, now = first[:-1].copy(), -1

    while True:
        # STEP 2: the next event
        next_arrival = arrive_h[arrival] if arrival < n else np.inf
        next_change = change_h[change] if change < change_h.size else np.inf
        next_end = heap_h[0] if heap > 0 else np.inf
        t = min(next_arrival, next_change, next_end)
        served = arrival == n and units_in == 0 and trains_in == 0 and next_end == np.inf
        if not t <= horizon_h or t == np.inf or served:
            break
        train_h += trains_in * (t - last_h)
        unit_h += units_in * (t - last_h)
        last_h = t
        if next_change == t:
            v = change_server[change]
            old, new = speed[v], change_new[change]
            change += 1
            speed[v] = new
            e = job[v]
            if e >= 0:
                left_h[v] = max(left_h[v] - (t - since_h[v]) * old, 0.0)
                since_h[v] = t
                finish_h[v] = np.inf
                if new > 0.0:
                    finish_h[v] = t + left_h[v] / new
                    _push(heap_h, heap_code, heap, finish_h[v], (e << 2) + END)
                    heap += 1
            r = 0
            while first[r + 1] <= v:
                r += 1
            lowest[r] = min(lowest[r], v)
            if not marked[r]:
                marked[r] = True
                todo[doing] = r
                doing += 1
        elif next_end == t:
            code = heap_code[0]
            _pop(heap_h, heap_code, heap)
            heap -= 1
            e, what = code >> 2, code & 3
            s = stream[e]
            if what == END:
                if done_h[e] <= t:
                    continue  # an end that a change of speed moved, of a train that has left since
                k = step[e]
                c = column[k]
                r = resource[s, k]
                if r >= 0:
                    v = server[e, c]
                    if v < 0 or job[v] != e or finish_h[v] != t:
                        continue  # a change of speed has moved this end
                    job[v] = -1
                    idle[r] += 1
                    lowest[r] = min(lowest[r], v)
                    if waiting[r] > 0 and not marked[r]:
                        marked[r] = True
                        todo[doing] = r
                        doing += 1
                elif end_h[e, c] != t:
                    continue
                events += 1
                end_h[e, c] = t
                now = goers + e
            elif what == READY or load[e] == 0:
                if what == READY:
                    ready[s] += load[e] - direct[e]
                else:
                    patient[e - n] = True
                if not marked[flows + s]:
                    marked[flows + s] = True
                    todo[doing] = flows + s
                    doing += 1
        else:
            events += 1
            e = arrival
            arrival += 1
            s = stream[e]
            side = side_of[s]
            free = held[side, 0] + held[side, 1] < tracks[side] and held[side, 0] < most_arriving[side]
            if waiting[sides + side] >= room_outside[side] and not (free and waiting[sides + side] == 0):
                counts[TURNED_AWAY] += 1
                track[e] = TURNED
                continue
            trains_in += 1
            units_in += load[e]
            _join(head, tail, behind, waiting, sides + side, priority[s], e)
            marked[sides + side] = True
            now = sides + side

        # STEP 3: whatever has become possible, until nothing is
        while now >= 0 or doing > 0:
            if now >= 0:
                what, now = now, -1
            else:
                doing -= 1
                what = todo[doing]
            if what < resources:
                # servers that are free take what waits for them
                r = what
                marked[r] = False
                v = lowest[r]
                while idle[r] > 0 and waiting[r] > 0 and v < first[r + 1]:
                    if job[v] >= 0 or speed[v] <= 0.0:
                        v += 1
                        continue
                    e, p, before = -1, 0, -1
                    while p < PRIORITIES:
                        before, e = -1, head[r, p]
                        while e >= 0:
                            s = stream[e]
                            if step[e] != HANDLE or train_size[s] == 0:
                                break
                            # room for all its units: on trains that stand beside, or in the stack
                            units = load[e]
                            beside = max(standing[s] * train_size[s] - committed[s], 0)
                            across = min(int(direct_share[s] * units + 0.5), beside) if way[s] == STACKS else 0
                            if way[s] == BESIDE:
                                across = min(units, beside - ready[s])
                                if across <= 0:
                                    before, e = e, behind[e]
                                    continue
                            need = (units - across) * stack_teu[s]
                            if need <= free_teu + SLACK:
                                free_teu -= need
                                committed[s] += across
                                direct[e] = across
                                break
                            before, e = e, behind[e]
                        if e >= 0:
                            break
                        p += 1
                    if e < 0:
                        break
                    _leave(head, tail, behind, waiting, r, p, before, e)
                    c = column[step[e]]
                    job[v] = e
                    idle[r] -= 1
                    if e < n:
                        work = work_h[e, c]
                    else:
                        work = departing_h[stream[e], number[e - n], c]
                        if step[e] == LOAD:
                            work *= direct[e]
                    left_h[v] = work
                    since_h[v] = t
                    finish_h[v] = t + work / speed[v]
                    start_h[e, c] = t
                    server[e, c] = v
                    _push(heap_h, heap_code, heap, finish_h[v], (e << 2) + END)
                    heap += 1
                    v += 1
                lowest[r] = v
            elif what < flows:
                # a free track goes to the train that asked first
                side = what - sides
                marked[what] = False
                arrives, p, departs = -1, 0, -1
                if held[side, 0] + held[side, 1] < tracks[side]:
                    if held[side, 0] < most_arriving[side]:
                        while p < PRIORITIES:
                            arrives = head[resources + side, p]
                            if arrives >= 0:
                                break
                            p += 1
                    if held[side, 1] < most_departing[side]:
                        departs = head[resources + 2 + side, 0]
                if arrives < 0 and departs < 0:
                    continue
                if departs < 0 or (arrives >= 0 and arrive_h[arrives] <= asked_h[departs - n]):
                    e = arrives
                    _leave(head, tail, behind, waiting, resources + side, p, -1, e)
                    held[side, 0] += 1
                else:
                    e = departs
                    _leave(head, tail, behind, waiting, resources + 2 + side, 0, -1, e)
                    held[side, 1] += 1
                entered_h[e] = t
                if tracks[side] < MANY:
                    free_track = 0
                    while occupied[side, free_track]:
                        free_track += 1
                    occupied[side, free_track] = True
                    track[e] = free_track
                if waiting[what] + waiting[what + 2] > 0:  # there may be room for another
                    marked[what] = True
                    todo[doing] = what
                    doing += 1
                s = stream[e]
                if e < n and train_size[s] > 0:
                    expected[s] += load[e]
                    if not marked[flows + s]:
                        marked[flows + s] = True
                        todo[doing] = flows + s
                        doing += 1
                now = goers + e
            elif what < goers:
                # the train that has stood longest is loaded and leaves, when units are ready for it
                s = what - flows
                marked[what] = False
                size = train_size[s]
                e = head[resources + 4 + s, 0]
                units = min(lifted[s] + ready[s], size)
                across = min(lifted[s], units)
                full = units == size or (units > 0 and e >= 0 and patient[e - n])
                # units that are being lifted onto this very train come first
                if e >= 0 and full and (standing[s] - 1) * size >= committed[s] - across:
                    _leave(head, tail, behind, waiting, resources + 4 + s, 0, -1, e)
                    standing[s] -= 1
                    called[s] -= 1
                    committed[s] -= across
                    lifted[s] -= across
                    ready[s] -= units - across
                    expected[s] -= units
                    load[e] = units
                    direct[e] = units - across
                    marked[what] = True  # there may be another
                    todo[doing] = what
                    doing += 1
                    todo[doing] = goers + e
                    doing += 1
                elif called[s] * size < expected[s]:
                    # another is called, since not all units inside have room on those that were
                    e = n + counts[MADE]
                    if e >= entities or made[s] >= departing_h.shape[1]:
                        counts[FULL] = 1
                        continue
                    counts[MADE] += 1
                    stream[e] = s
                    number[e - n] = made[s]
                    made[s] += 1
                    called[s] += 1
                    step[e] = LEAD - 1
                    marked[what] = True
                    todo[doing] = what
                    doing += 1
                    todo[doing] = goers + e
                    doing += 1
            else:
                # a train goes on from the end of a step as far as it gets
                e = what - goers
                s = stream[e]
                while True:
                    k = step[e]
                    if k == HANDLE and e < n:
                        if train_size[s] == 0:
                            units_in -= load[e]
                        else:
                            lifted[s] += direct[e]
                            if dwell_h[e] > 0.0 and load[e] > direct[e]:
                                _push(heap_h, heap_code, heap, t + dwell_h[e], (e << 2) + READY)
                                heap += 1
                            else:
                                ready[s] += load[e] - direct[e]
                            if not marked[flows + s]:
                                marked[flows + s] = True
                                todo[doing] = flows + s
                                doing += 1
                    elif k == LOAD and direct[e] > 0:
                        free_teu += direct[e] * stack_teu[s]
                        for other in range(streams):
                            r = resource[other, HANDLE]
                            if not marked[r]:
                                marked[r] = True
                                todo[doing] = r
                                doing += 1
                    k = hop[k + 1]
                    departs = e >= n
                    if (k == LEAD and not departs) or k > PATH_OUT:
                        side = 1 - side_of[s] if departs else side_of[s]
                        step[e] = k
                        done_h[e] = t
                        held[side, 1 if departs else 0] -= 1
                        if track[e] >= 0:
                            occupied[side, track[e]] = False
                        if departs:
                            units_in -= load[e]
                        else:
                            trains_in -= 1
                        if waiting[sides + side] + waiting[sides + side + 2] > 0 and not marked[sides + side]:
                            marked[sides + side] = True
                            todo[doing] = sides + side
                            doing += 1
                        break
                    if k == PLACE and np.isnan(entered_h[e]):
                        side = 1 - side_of[s]
                        asked_h[e - n] = t
                        _join(head, tail, behind, waiting, resources + 2 + side, 0, e)
                        if not marked[sides + side]:
                            marked[sides + side] = True
                            todo[doing] = sides + side
                            doing += 1
                        break
                    if k == LOAD and load[e] == 0:
                        stood_h[e - n] = t
                        _join(head, tail, behind, waiting, resources + 4 + s, 0, e)
                        standing[s] += 1
                        if patience_h[s] < np.inf:
                            _push(heap_h, heap_code, heap, t + patience_h[s], (e << 2) + PATIENCE)
                            heap += 1
                        if not marked[flows + s]:
                            marked[flows + s] = True
                            todo[doing] = flows + s
                            doing += 1
                        r = resource[s, HANDLE]
                        if not marked[r]:
                            marked[r] = True
                            todo[doing] = r
                            doing += 1
                        break
                    step[e] = k
                    c = column[k]
                    if not departs:
                        work = work_h[e, c]
                    else:
                        work = departing_h[s, number[e - n], c]
                        if k == LOAD:
                            work *= direct[e]
                    r = resource[s, k]
                    if r >= 0 and (work > 0.0 or k == HANDLE):
                        _join(head, tail, behind, waiting, r, priority[s], e)
                        if not marked[r]:
                            marked[r] = True
                            todo[doing] = r
                            doing += 1
                        break
                    start_h[e, c] = t
                    if work > 0.0:
                        end_h[e, c] = t + work
                        _push(heap_h, heap_code, heap, t + work, (e << 2) + END)
                        heap += 1
                        break
                    end_h[e, c] = t
    if horizon_h < np.inf:
        train_h += trains_in * (horizon_h - last_h)
        unit_h += units_in * (horizon_h - last_h)
    counts[EVENTS], areas[TRAINS], areas[UNITS] = events, train_h, unit_h
    return Log(stream, load, direct, entered_h, stood_h, done_h, track, start_h, end_h, server, counts, areas)
