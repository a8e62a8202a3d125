"""What differs between two studies, and what each key of a study and field of a measure means."""

from __future__ import annotations

import difflib
import json
import typing
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, fields

from landbridge.scenario.measures import KINDS, Measure, to_dict
from landbridge.study.files import Study

__all__ = ["Difference", "MeasureField", "differences", "measure_fields", "template"]

#: Keys of a study that change what is computed.
KEYS = (
    "years",
    "compare",
    "size",
    "gap",
    "max_iterations",
    "hold",
    "overlay",
    "terminals",
    "outputs",
    "seed",
    "principle",
    "path_scale_usd_t",
)


@dataclass(frozen=True)
class Difference:
    """One difference: where it is, and what stands on each side; None where nothing does."""

    where: str
    first: str | None
    second: str | None


@dataclass(frozen=True)
class MeasureField:
    """One field of a kind of measure: its name, type, bounds, and what it means."""

    kind: str
    field: str
    type: str
    required: bool
    bounds: str
    meaning: str


def differences(first: Study, second: Study) -> list[Difference]:
    """Tell what two studies compute differently; words for people do not count.

    Parameters
    ----------
    first, second
        The studies.

    Returns
    -------
    list of Difference
        Keys of the study, then scenario by scenario the measures that are only on one side, in their order. Empty where
        both compute the same.
    """
    found = [
        Difference(key, _text(getattr(first, key)), _text(getattr(second, key)))
        for key in KEYS
        if getattr(first, key) != getattr(second, key)
    ]
    told = [asdict(study.demand) if study.demand else {} for study in (first, second)]
    for key in dict.fromkeys([*told[0], *told[1]]):
        old, new = (_text(side[key]) if key in side else None for side in told)
        if old != new:
            found.append(Difference(f"demand.{key}", old, new))
    names = [[scenario.id for scenario in study.scenarios] for study in (first, second)]
    for name in dict.fromkeys([*names[0], *names[1]]):
        sides = [
            list(study.scenario(name).measures) if name in own else None
            for study, own in zip((first, second), names, strict=True)
        ]
        at = f"scenario {name}"
        if sides[0] is None or sides[1] is None:
            told_of = [None if side is None else f"{len(side)} measures" for side in sides]
            found.append(Difference(at, told_of[0], told_of[1]))
        else:
            found += _measures(at, sides[0], sides[1])
    common = [[name for name in own if name in names[1 - i]] for i, own in enumerate(names)]
    if common[0] != common[1]:
        found.append(Difference("order of scenarios", ", ".join(common[0]), ", ".join(common[1])))
    return found


def _measures(at: str, first: Sequence[Measure], second: Sequence[Measure]) -> list[Difference]:
    old, new = [_measure(m) for m in first], [_measure(m) for m in second]
    found = []
    for what, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        for step in range(max(j - i, m - k)):
            left = old[i + step] if i + step < j else None
            right = new[k + step] if k + step < m else None
            place = i + step if left is not None else k + step
            found.append(Difference(f"{at}, measure[{place}]", left, right))
    return found


def _measure(measure: Measure) -> str:
    told = to_dict(measure)
    return f"{told.pop('kind')} " + ", ".join(f"{key} = {_text(value)}" for key, value in told.items())


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def measure_fields(kind: str | None = None) -> list[MeasureField]:
    """Return the fields of every kind of measure, or of one."""
    found = []
    for name, record in KINDS.items():
        if kind is not None and name != kind:
            continue
        hints = typing.get_type_hints(record)
        for each in fields(record):
            limits = [f"{word} {each.metadata[key]:g}" for key, word in BOUNDS.items() if key in each.metadata]
            found.append(
                MeasureField(
                    name, each.name, _type(hints[each.name]), each.default is MISSING, ", ".join(limits),
                    each.metadata["meaning"],
                )
            )  # fmt: skip
    return found


BOUNDS = {"gt": "above", "ge": "from", "lt": "below", "le": "up to"}


def _type(hint: object) -> str:
    parts = [part for part in typing.get_args(hint) if part is not type(None)]
    origin = typing.get_origin(hint)
    if origin is tuple:
        return f"list of {_type(parts[0])}"
    if origin is typing.Literal:
        return " or ".join(f'"{part}"' for part in parts)
    if parts:
        return " or ".join(_type(part) for part in parts)
    words = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}
    return words.get(getattr(hint, "__name__", ""), str(hint))


def template(name: str, years: Sequence[int], project: str | None) -> str:
    """Return the text of a new study file.

    Parameters
    ----------
    name
        What it is called.
    years
        Years.
    project
        A project of the atlas that the second scenario builds; None leaves a place to fill.
    """
    quoted = json.dumps(name, ensure_ascii=False)
    listed = ", ".join(str(year) for year in years)
    second = project or "what-if"
    measure = (
        f'[[scenario.measure]]\nkind = "build"\nproject = "{project}"\n'
        if project
        else "# [[scenario.measure]]            # in order; `landbridge study measures` tells all kinds\n"
        '# kind = "ease"\n# crossings = ["khorgos-altynkol"]\n# time_factor = 0.5\n'
    )
    return f"""\
name = {quoted}
description = ""
years = [{listed}]
size = "corridor"                # full, corridor or reduced
compare = "base"                 # the scenario that the others are compared with, and start from
# gap = 1e-8                     # relative gap at which an equilibrium is taken as found
# hold = []                      # projects that stay unbuilt wherever no scenario builds them
# overlay = "mine"               # folder of your own values over the atlas
# outputs = ["totals", "crossings"]   # tables that are kept; default all
# seed = 0                       # of everything that is drawn at random

# [demand]                       # how trade answers to cost; without it trade is frozen
# mode = "ge"                    # frozen, elasticity, gravity or ge

[[scenario]]
id = "base"

[[scenario]]
id = "{second}"
extends = "base"                 # its measures come first

{measure}"""
