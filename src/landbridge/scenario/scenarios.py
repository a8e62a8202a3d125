"""A scenario: a name and an ordered list of measures."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from landbridge.scenario.measures import Measure, to_dict

__all__ = ["Scenario", "fingerprint"]


@dataclass(frozen=True)
class Scenario:
    """One what-if.

    Attributes
    ----------
    id
        Short name in lower case, used for files and columns.
    name
        The name that people read.
    measures
        What is changed, in order.
    description
        A sentence or two, or empty.
    """

    id: str
    name: str
    measures: tuple[Measure, ...] = ()
    description: str = ""

    def plus(self, *measures: Measure) -> Scenario:
        """Return the scenario with more measures at its end."""
        return replace(self, measures=(*self.measures, *measures))


def fingerprint(scenario: Scenario) -> str:
    """Return a hash of what a scenario changes; its id, name and description do not count."""
    text = json.dumps([to_dict(measure) for measure in scenario.measures], sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
