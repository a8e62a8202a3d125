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
    measure_ids
        A name for each measure, empty where it has none; without any, no measure has one.
    """

    id: str
    name: str
    measures: tuple[Measure, ...] = ()
    description: str = ""
    measure_ids: tuple[str, ...] = ()

    def plus(self, *measures: Measure) -> Scenario:
        """Return the scenario with more measures at its end."""
        ids = (*self.measure_ids, *[""] * len(measures)) if self.measure_ids else ()
        return replace(self, measures=(*self.measures, *measures), measure_ids=ids)


def fingerprint(scenario: Scenario) -> str:
    """Return a hash of what a scenario changes; its id, name and description do not count."""
    text = json.dumps([to_dict(measure) for measure in scenario.measures], sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
