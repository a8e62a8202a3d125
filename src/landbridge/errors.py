"""Every error Landbridge raises on purpose, under one root.

LandbridgeError
|-- FaultList            several faults found in one reading, told together
|   |-- DataError        in the atlas or in a user's data
|   `-- StudyError       in a study or scenario file
|-- UnknownName          a place, country, link, ... that is not there ("did you mean")
|-- NoRoute              two places that the network, as restricted, does not join
|-- NoEquilibrium        a shock to trade after which no equilibrium exists
|-- NotConverged         a solver that stopped before its tolerance; carries its record
|-- OutputError          results that could not be written or read
`-- ClusterLost          a cluster whose workers or scheduler went away in mid-run
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ClusterLost",
    "DataError",
    "Fault",
    "FaultList",
    "LandbridgeError",
    "NoEquilibrium",
    "NoRoute",
    "NotConverged",
    "OutputError",
    "StudyError",
    "UnknownName",
]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where it stands, what was wanted, what came."""

    where: str
    row: str
    field: str
    wanted: str
    got: str

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.where, self.row, self.field) if part)
        return f"{place}: wanted {self.wanted}, got {self.got}"


class LandbridgeError(Exception):
    """Root of all errors that a user can mend; the message says how."""


class FaultList(LandbridgeError):
    """All faults of one reading, told together.

    Parameters
    ----------
    subject
        What was read, for the first line of the message.
    faults
        At least one fault.
    """

    def __init__(self, subject: str, faults: Iterable[Fault]) -> None:
        self.subject = subject
        self.faults: tuple[Fault, ...] = tuple(faults)
        count = len(self.faults)
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(f"{subject}: {count} fault{'s' if count != 1 else ''}\n{lines}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes with what it was made from."""
        return type(self), (self.subject, self.faults)


class DataError(FaultList):
    """Faults in the atlas or in data that a user brings."""


class StudyError(FaultList):
    """Faults in a study or scenario file."""


class UnknownName(LandbridgeError):
    """A name that is not in the atlas.

    Parameters
    ----------
    kind
        What the name should have been: ``place``, ``country``, ``link``, ...
    name
        The name as it came.
    candidates
        The names that exist, for suggestions.
    """

    def __init__(self, kind: str, name: str, candidates: Sequence[str]) -> None:
        self.kind = kind
        self.name = name
        self.suggestions: tuple[str, ...] = suggest(name, candidates)
        hint = f"; did you mean {', '.join(self.suggestions)}?" if self.suggestions else ""
        super().__init__(f"unknown {kind} {name!r}{hint}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes with what it was made from; of the candidates only what it suggests."""
        return type(self), (self.kind, self.name, self.suggestions)


class NoRoute(LandbridgeError):
    """No way between two places under the restrictions asked for."""


class NoEquilibrium(LandbridgeError):
    """A shock to trade after which no equilibrium exists; the message says why, and for whom."""


class NotConverged(LandbridgeError):
    """A solver stopped short of its tolerance.

    Parameters
    ----------
    message
        What did not converge and how far it came.
    record
        The solver's convergence record.
    """

    def __init__(self, message: str, record: object) -> None:
        super().__init__(message)
        self.record = record

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes with what it was made from."""
        return type(self), (self.args[0], self.record)


class OutputError(LandbridgeError):
    """Results could not be written, or what was read is not a results folder."""


class ClusterLost(LandbridgeError):
    """All workers of a cluster, or its scheduler, went away in mid-run and did not come back."""


def suggest(name: str, candidates: Sequence[str], *, count: int = 3) -> tuple[str, ...]:
    """Return the candidates that look most like a name.

    Parameters
    ----------
    name
        The name to match, in any case.
    candidates
        Names that exist.
    count
        The most that are returned.

    Returns
    -------
    tuple of str
        Best first; empty when nothing is close.
    """
    folded: dict[str, str] = {}
    for candidate in candidates:
        folded.setdefault(candidate.casefold(), candidate)
    wanted = name.casefold()
    starts = [folded[c] for c in folded if c.startswith(wanted)] if len(wanted) >= 3 else []
    inside = [folded[c] for c in folded if wanted in c and folded[c] not in starts] if len(wanted) >= 4 else []
    close = [folded[c] for c in difflib.get_close_matches(wanted, list(folded), n=count, cutoff=0.6)]
    return tuple(dict.fromkeys([*starts, *inside, *close]))[:count]
