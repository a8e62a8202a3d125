"""What a hierarchy, its weights and the searches in it are made of, and how their kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

__all__ = [
    "LANES",
    "Arrivals",
    "Bools",
    "Floats",
    "Forest",
    "Hierarchy",
    "Ints",
    "Longs",
    "Weights",
    "forest",
    "inner",
    "join",
    "kernel",
    "weights",
]

Ints: TypeAlias = npt.NDArray[np.int32]
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Longs: TypeAlias = npt.NDArray[np.int64]

# Searches of one class that go down side by side, so that edges and their weights are looked up once for all; likewise
# classes that are weighed side by side.
LANES = 4

_Function = TypeVar("_Function", bound=Callable[..., Any])


def kernel(function: _Function) -> _Function:
    """Compile on first use and keep on disk; frees the interpreter lock.

    Kernels copy arrays item by item, since an assignment to a slice compiles its error message too, which takes
    seconds, and take arrays one by one, since handing over a tuple of them costs more than a search in a small network.
    """
    return cast(_Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))


def inner(function: _Function) -> _Function:
    """Compile what only kernels of its own file call; there is no way in from Python, which would take long."""
    njit: Any = numba.njit  # its stubs do not know all options
    options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(_Function, njit(function, cache=True, nogil=True, error_model="numpy", **options))


class Hierarchy(NamedTuple):
    """The edges of n nodes, everything by rank; made by `hierarchy`."""

    rank: Ints  # of each node
    parent: Ints  # lowest neighbour above, -1: none
    first_up: Ints  # edges of each rank
    above: Ints  # higher end of each edge, ascending
    below: Ints  # lower end of each edge
    triangle: Ints  # edge that joins two edges of the same lower end, in the order in which `weigh` meets them
    first_way: Longs  # ways of each edge over a node of lower rank
    way_via: (
        Ints  # the edge on which such a way up comes down first (a way down: goes up last); empty: too many to keep
    )
    way_then: Ints  # and the other one
    first_into: Longs  # edges up to each rank
    into: Ints  # in their order
    slot_edge: Ints  # edge of each slot, -1: none
    slot_up: Bools  # whether the slot leads up
    first_own: Longs  # slots of each edge: those that lead up from place 2 e on, those that lead down from 2 e + 1 on
    own: Ints


class Weights(NamedTuple):
    """Costs of the edges in both directions by class."""

    up: Floats
    down: Floats


class Forest(NamedTuple):
    """Searches to be made: one for each source and class, with the nodes that it wants to know."""

    source: Ints
    class_index: Ints
    first_target: Ints
    target: Ints
    distance: Floats  # least cost of each target; written


class Arrivals(NamedTuple):
    """New paths: targets (by position in the forest) that they lead to, and their slots."""

    target: Ints
    first: npt.NDArray[np.int64]
    slots: Ints


def weights(tree: Hierarchy, classes: int) -> Weights:
    """Make room for the weights of some classes."""
    shape = classes, tree.above.size
    return Weights(np.empty(shape), np.empty(shape))


def forest(source: Ints, class_index: Ints, first_target: Ints, target: Ints) -> Forest:
    """Prepare searches.

    Parameters
    ----------
    source, class_index
        Node and class of each search.
    first_target, target
        Targets of search t are ``target[first_target[t]:first_target[t + 1]]``.

    Returns
    -------
    Forest
        Distances are infinite until `search` writes them.
    """
    return Forest(source, class_index, first_target, target, np.full(target.size, np.inf))


def join(parts: list[Arrivals]) -> Arrivals:
    """Put the paths of several searches together, in their order."""
    lengths = [np.diff(part.first) for part in parts]
    return Arrivals(
        np.concatenate([part.target for part in parts]),
        np.append(0, np.cumsum(np.concatenate(lengths))).astype(np.int64),
        np.concatenate([part.slots for part in parts]),
    )
