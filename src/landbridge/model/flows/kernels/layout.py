"""What the kernels work on: arrays in the order of searches and slots."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from landbridge.model.flows.records import Bools, Floats, Ints
from landbridge.model.hierarchy import Hierarchy

__all__ = [
    "CONICAL",
    "POWER",
    "QUEUEING",
    "TABULATED",
    "AnyFacilities",
    "Curves",
    "Facilities",
    "Longs",
    "Pairs",
    "Places",
    "PlainFacilities",
    "Problem",
    "Rivals",
    "Stock",
]

Longs = npt.NDArray[np.int64]
# Unsigned, so that kernels need not look for negative ones.
Places = npt.NDArray[np.uint32]


# Families of volume-delay curves.
POWER = 0


CONICAL = 1


QUEUEING = 2


TABULATED = 3


class Curves(NamedTuple):
    """Curves of the facilities, and of one more at the end that stands for none and is never late."""

    kind: Ints
    height: Floats  # power, conical: hours added at capacity; queueing: service hours times variation
    shape: Floats  # power; conical: alpha; queueing: highest load
    capacity: Floats
    preload: Floats
    first: Longs  # knots of each tabulated curve
    knot: Floats  # volume over capacity
    hours: Floats
    rise: Floats  # hours by ratio
    area: Floats  # integral of hours from the first knot on


class PlainFacilities(NamedTuple):
    """Facilities with power curves, felt alike by all; and one more at the end that stands for none, never late."""

    volume: Floats
    delay: Floats  # hours at the volume
    slope: Floats  # hours by which one more tonne of weight 1 makes it later
    delay_h: Floats
    steep: Floats  # slope where the ratio to the power less one is 1
    power: Floats
    filling: Floats  # 1 / capacity
    preload: Floats
    share: Floats  # 1 / train length factor


class Facilities(NamedTuple):
    """Facilities with any curves, with queues before hard capacities, or where what a tonne costs others counts."""

    volume: Floats
    delay: Floats  # by row: see `burden`
    slope: Floats  # by row
    curves: Curves
    share: Floats
    social: bool  # what a tonne costs others counts as its own hours
    burden: Floats  # by row: weight over value of time, where social
    worth: Floats  # USD a year that one more hour costs all tonnes together; kept where social
    room: Floats  # trains a day above which a queue forms
    queue: Floats  # hours of queue at that volume
    stiffness: Floats  # hours of queue that one more train a day adds; 0 = no queue


AnyFacilities: TypeAlias = PlainFacilities | Facilities


class Pairs(NamedTuple):
    """Relations in the order of the trees, class before origin."""

    tonnes: Floats
    vot: Floats
    weight: Floats
    elastic: Bools
    outside_cost: Floats
    scale: Floats
    outside: Floats  # tonnes on the outside option; written
    row: Ints  # row of the delays
    rate: Floats  # what the potential gains from one USD per tonne


class Stock(NamedTuple):
    """Known paths in the order of the relations; costs split into a fixed part and the delays of some facilities.

    Slots and facilities of a path stay where they were first written, so that a round costs no copies of old paths.
    """

    first: Longs  # paths of each relation
    slot_first: Longs
    slot_last: Longs
    slots: Ints
    facility_first: Longs
    facility_last: Longs
    facilities: Places  # those whose delay depends on volume
    fixed: Floats  # USD per tonne
    flow: Floats  # tonnes; written
    used: Longs  # how much of slots and of facilities is written


class Rivals(NamedTuple):
    """The paths of relations with a choice, without the facilities that all paths of a relation share.

    What is shared cannot tell its paths apart; only against an outside option it counts.
    """

    relation: Ints
    first: Longs  # paths of each
    path: Longs  # their numbers in the stock
    facility_first: Longs
    facility_last: Longs
    facilities: Places
    shared_first: Longs
    shared: Places  # of relations with an outside option
    fixed: Floats
    flow: Floats  # written
    volume: Floats  # of each facility from all other tonnes
    worth: Floats


class Problem(NamedTuple):
    """What stays the same from round to round; arcs by slot."""

    out_arc: Ints
    facility: Ints  # -1: none
    felt: Places  # facility whose delay responds to volume, else the last, which is never late
    fixed_cost: Floats  # USD per tonne by class and slot
    vot: Floats
    class_row: Longs  # row of the delays for each class
    rank: Longs  # the caller's number of each relation
    pair_tree: Ints
    tree: Hierarchy
