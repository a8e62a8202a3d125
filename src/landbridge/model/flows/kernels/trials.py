"""A second look at a shift between two paths, where curves with bends make Newton's step go too far; see `sweeps`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from landbridge.model.flows.kernels.compiled import inner
from landbridge.model.flows.kernels.facilities import for_kind, is_plain
from landbridge.model.flows.kernels.known import lateness, move
from landbridge.model.flows.kernels.layout import AnyFacilities, Longs, Pairs, Rivals

__all__ = ["LEVEL", "MOST_TRIALS", "retried", "watched"]

# A trial on a curve that is no power ends when the two paths differ by less than this share of what they did.
LEVEL = 0.1

# Trials end after so many.
MOST_TRIALS = 20


@inner
def retried(
    pairs: Pairs,
    rivals: Rivals,
    facilities: AnyFacilities,
    r: int,
    p: int,
    best: int,
    shift: float,
    dearer: float,
    mark: Longs,
    now: int,
) -> float:
    """Take a shift back as far as it went too far: curves with bends would throw Newton's steps to and fro."""
    fixed = rivals.fixed[p] - rivals.fixed[best]
    vot = pairs.vot[r]
    left = fixed + vot * lateness(pairs, rivals, facilities, r, p, best, mark, now)
    short = 0.0
    at_short = dearer
    far = shift
    at_far = left
    if left * dearer >= 0.0:
        return shift
    for _ in range(MOST_TRIALS):
        if abs(left) <= LEVEL * abs(dearer):
            break
        share = min(max(at_short / (at_short - at_far), 0.1), 0.9)
        trial = short + share * (far - short)
        move(pairs, rivals, facilities, r, p, best, trial - shift, mark, now)
        shift = trial
        left = fixed + vot * lateness(pairs, rivals, facilities, r, p, best, mark, now)
        if left * dearer >= 0.0:
            short = trial
            at_short = left
        else:
            far = trial
            at_far = left
    return shift


def watched(
    pairs: Pairs,
    rivals: Rivals,
    facilities: AnyFacilities,
    r: int,
    p: int,
    best: int,
    shift: float,
    dearer: float,
    mark: Longs,
    now: int,
) -> float:
    """Return the shift as it came where curves are powers; elsewhere what is left of it after a second look."""
    raise NotImplementedError("for kernels only")


@for_kind(watched)
def _watched(
    pairs: Any,  # noqa: ARG001
    rivals: Any,  # noqa: ARG001
    facilities: Any,
    r: int,  # noqa: ARG001
    p: int,  # noqa: ARG001
    best: int,  # noqa: ARG001
    shift: float,  # noqa: ARG001
    dearer: float,  # noqa: ARG001
    mark: Longs,  # noqa: ARG001
    now: int,  # noqa: ARG001
) -> Callable[..., float]:
    def plain(
        pairs: Pairs,  # noqa: ARG001
        rivals: Rivals,  # noqa: ARG001
        facilities: AnyFacilities,  # noqa: ARG001
        r: int,  # noqa: ARG001
        p: int,  # noqa: ARG001
        best: int,  # noqa: ARG001
        shift: float,
        dearer: float,  # noqa: ARG001
        mark: Longs,  # noqa: ARG001
        now: int,  # noqa: ARG001
    ) -> float:
        return shift

    def other(
        pairs: Pairs,
        rivals: Rivals,
        facilities: AnyFacilities,
        r: int,
        p: int,
        best: int,
        shift: float,
        dearer: float,
        mark: Longs,
        now: int,
    ) -> float:
        return retried(pairs, rivals, facilities, r, p, best, shift, dearer, mark, now)

    return plain if is_plain(facilities) else other
