"""A what-if as a study file: the base scenario of some results, and measures on top of it.

What the map runs is this file, so that the command line can run the same: ``landbridge run FILE``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from landbridge.errors import UnknownName
from landbridge.scenario.measures import Measure, to_dict
from landbridge.study.results import Results

__all__ = ["BASE", "WHAT_IF", "whatif_toml"]

#: Ids of the two scenarios of such a study.
BASE, WHAT_IF = "base", "what-if"


def whatif_toml(
    results: Results, scenario: str, measures: Sequence[Measure], *, title: str, years: Sequence[int]
) -> str:
    """Write a what-if as a study file.

    Parameters
    ----------
    results
        Results that hold the base scenario.
    scenario
        Its id there.
    measures
        What is changed, on top of the measures of that scenario.
    title
        Name of the study, for people.
    years
        Years, in order.

    Returns
    -------
    str
        TOML. Projects that the results hold back stay held back.

    Raises
    ------
    UnknownName
        For a scenario that is not in the results.
    """
    study = results.manifest["study"]
    if scenario not in results.scenarios:
        raise UnknownName("scenario", scenario, results.scenarios)
    (base,) = [each for each in study["scenarios"] if each["id"] == scenario]
    settings = results.manifest["settings"]
    base_name = base["name"] or scenario
    told = f"On top of {base_name} of {study['name']}."
    lines = [
        f"name = {_value(title)}",
        f"description = {_value(told)}",
        f"years = {_value(list(years))}",
        f"compare = {_value(BASE)}",
        f"size = {_value(settings['size'])}",
        f"gap = {_value(settings['gap'])}",
        f"max_iterations = {_value(settings['max_iterations'])}",
    ]
    if settings.get("curves"):
        lines.append(f"curves = {{ {', '.join(f'{kind} = {_value(family)}' for kind, family in settings['curves'])} }}")
    if results.manifest.get("overlay"):
        lines.insert(0, "# Made over the user's own values: run it with --overlay and the folder they stand in.")
    if study["held_projects"]:
        lines.append(f"hold = {_value(study['held_projects'])}")
    lines += ["", "[[scenario]]", f"id = {_value(BASE)}", f"name = {_value(base_name)}"]
    lines += _measures(base["measures"])
    lines += ["", "[[scenario]]", f"id = {_value(WHAT_IF)}", f"name = {_value(title)}", f"extends = {_value(BASE)}"]
    lines += _measures([to_dict(measure) for measure in measures])
    return "\n".join(lines) + "\n"


def _measures(measures: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for measure in measures:
        lines += ["", "[[scenario.measure]]", *(f"{key} = {_value(value)}" for key, value in measure.items())]
    return lines


def _value(value: Any) -> str:
    """A value as TOML: its strings, numbers, truth values and lists are written as JSON's are."""
    if isinstance(value, str):
        # JSON leaves DEL as it is, which TOML does not allow
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"{value:.1f}"
    return json.dumps(value)
