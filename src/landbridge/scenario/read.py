"""From parsed TOML to measures and scenarios, telling all faults at once by their position.

The schema of a measure is made from its record (`landbridge.scenario.measures`), so that a field is described once.
Positions are counted from 0, as in ``scenario[2].measure[1].crossings[0]``.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import pydantic

from landbridge.errors import Fault, StudyError, suggest
from landbridge.scenario.measures import KINDS, Measure, given, kind_of, to_dict
from landbridge.scenario.scenarios import Scenario

__all__ = [
    "Reading",
    "measure_faults",
    "model_faults",
    "one_of",
    "read_measures",
    "read_scenarios",
    "scenario_faults",
    "shape_faults",
]

#: Longest piece of a wrong value that is repeated in a message.
SHOWN = 60

_STRICT = pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

ID_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"


@dataclasses.dataclass(frozen=True)
class Reading:
    """What came out of reading scenarios.

    Attributes
    ----------
    scenarios
        Those that could be read, with what they extend in front.
    positions
        For each of them the position in the file of each of its measures.
    faults
        Everything wrong; where it is empty the scenarios are complete.
    measures
        Every measure that could be read with its position, whatever is wrong around it.
    whole
        For each of ``scenarios`` whether nothing is wrong with it, nor with what it extends.
    """

    scenarios: tuple[Scenario, ...]
    positions: tuple[tuple[str, ...], ...]
    faults: tuple[Fault, ...]
    measures: tuple[tuple[str, Measure], ...] = ()
    whole: tuple[bool, ...] = ()


class _ScenarioEntry(pydantic.BaseModel):
    model_config = _STRICT

    id: str = pydantic.Field(pattern=ID_PATTERN)
    name: str | None = None
    description: str = ""
    extends: str | None = None
    drop: list[str] = []
    measure: list[Any] = []


@functools.cache
def _model(kind: str) -> type[pydantic.BaseModel]:
    """The schema of one kind of measure, from its record."""
    record = KINDS[kind]
    hints = typing.get_type_hints(record)
    columns: dict[str, Any] = {"kind": (Literal[kind], ...)}
    for each in dataclasses.fields(record):
        hint = hints[each.name]
        if typing.get_origin(hint) is tuple:
            hint = list[typing.get_args(hint)[0]]  # type: ignore[misc] # the type is made while running
        bounds = {k: v for k, v in each.metadata.items() if k in ("gt", "ge", "lt", "le")}
        default = ... if each.default is dataclasses.MISSING else each.default
        columns[each.name] = (hint, pydantic.Field(default, description=each.metadata["meaning"], **bounds))
    model: type[pydantic.BaseModel] = pydantic.create_model(record.__name__, __config__=_STRICT, **columns)
    return model


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def _join(at: str, loc: Iterable[int | str]) -> str:
    for part in loc:
        at += f"[{part}]" if isinstance(part, int) else f".{part}" if at else part
    return at


def _wanted(error: Mapping[str, Any]) -> str:
    message = str(error["msg"])
    for old, new in (
        ("Input should be ", ""),
        ("String should match pattern", "a word that matches"),
        ("greater than or equal to", "at least"),
        ("less than or equal to", "at most"),
        ("greater than", "more than"),
    ):
        message = message.replace(old, new)
    return message


def model_faults(model: type[pydantic.BaseModel], data: object, at: str = "") -> tuple[Any, list[Fault]]:
    """Hold data against a schema.

    Parameters
    ----------
    model
        The schema.
    data
        A table of parsed TOML.
    at
        Its position in the file.

    Returns
    -------
    value
        The model's record, or None.
    faults : list of Fault
        All of them, with suggestions for keys that do not exist.
    """
    try:
        return model.model_validate(data), []
    except pydantic.ValidationError as error:
        faults = []
        for each in error.errors(include_url=False):
            where = _join(at, each["loc"])
            if each["type"] == "missing":
                faults.append(Fault("", "", where, "a value", "nothing"))
            elif each["type"] == "extra_forbidden":
                key = str(each["loc"][-1])
                faults.append(Fault("", "", where, one_of("key", key, list(model.model_fields)), f"{key!r}"))
            elif each["type"] in ("model_type", "model_attributes_type"):
                faults.append(Fault("", "", where, "a table", _show(each["input"])))
            else:
                faults.append(Fault("", "", where, _wanted(each), _show(each["input"])))
        return None, faults


def one_of(kind: str, name: str, names: Sequence[str] | Mapping[str, str], *, limit: int = 12) -> str:
    """Say what a name should have been.

    Parameters
    ----------
    kind
        What the name is for: ``place``, ``key``, ...
    name
        The name as it came.
    names
        Names that exist, perhaps with the words that people use for them.
    limit
        Where nothing is close, up to so many names are listed.

    Returns
    -------
    str
        The closest names, or all where they are few.
    """
    labels = names if isinstance(names, Mapping) else dict.fromkeys(names, "")
    by_label: dict[str, str] = {}
    for key, label in labels.items():
        by_label.setdefault(label, key)
    hits = suggest(name, [*labels, *(label for label in by_label if label and label not in labels)])
    close = dict.fromkeys(hit if hit in labels else by_label[hit] for hit in hits)
    if not close:  # one word of a longer name, misspelt: khorgoz for khorgos-altynkol
        by_word: dict[str, list[str]] = {}
        for key, label in labels.items():
            for word in {w.casefold() for w in re.findall(r"\w{4,}", f"{key} {label}")}:
                by_word.setdefault(word, []).append(key)
        close = dict.fromkeys([key for word in suggest(name, list(by_word)) for key in by_word[word]][:3])
    told = [f"{key} ({labels[key]})" if labels[key] not in ("", key) else key for key in close]
    if told:
        return f"a known {kind} (did you mean {' or '.join(told)}?)"
    return f"a known {kind} ({', '.join(labels)})" if len(labels) <= limit else f"a known {kind}"


def shape_faults(measure: Measure, at: str) -> list[Fault]:
    """Faults of a measure that need no tables: types, bounds, and which fields go together."""
    data = to_dict(measure)
    _, faults = model_faults(_model(kind_of(measure)), data, at)
    for rule in type(measure).rules:
        if rule.where and not any(given(measure, name) for name in rule.where):
            continue
        present = [name for name in rule.of if given(measure, name)]
        if rule.least <= len(present) <= rule.most:
            continue
        names = " or ".join(rule.of)
        if rule.most == 0:
            wanted = f"no {names}"
        elif len(present) < rule.least:
            wanted = f"one of {', '.join(rule.of)}" if len(rule.of) > 1 else names
        else:
            wanted = f"only one of {', '.join(rule.of)}"
        if rule.where:
            wanted += f" beside {', '.join(name for name in rule.where if given(measure, name))}"
        faults.append(Fault("", "", at, wanted, " and ".join(present) or "nothing"))
    return faults


def _measure(data: object, at: str) -> tuple[Measure | None, list[Fault]]:
    if not isinstance(data, Mapping):
        return None, [Fault("", "", at, "a table with a kind", _show(data))]
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        got = "nothing" if kind is None else _show(kind)
        return None, [Fault("", "", f"{at}.kind", one_of("kind of measure", str(kind), list(KINDS)), got)]
    value, faults = model_faults(_model(kind), data, at)
    if faults:
        return None, faults
    columns: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in value if name != "kind"}
    measure = KINDS[kind](**columns)
    return measure, shape_faults(measure, at)


def measure_faults(data: Sequence[object], at: str) -> tuple[list[tuple[str, Measure]], list[Fault]]:
    """Read a list of measures.

    Parameters
    ----------
    data
        Parsed TOML: one table a measure.
    at
        Position of the list in the file.

    Returns
    -------
    measures : list of (position, Measure)
        Those that could be read.
    faults : list of Fault
        Everything wrong.
    """
    measures, faults = [], []
    for i, entry in enumerate(data):
        measure, more = _measure(entry, f"{at}[{i}]")
        faults.extend(more)
        if measure is not None:
            measures.append((f"{at}[{i}]", measure))
    return measures, faults


def read_measures(data: Sequence[object], *, at: str = "measure") -> tuple[Measure, ...]:
    """Read a list of measures.

    Parameters
    ----------
    data
        Parsed TOML: one table a measure.
    at
        Position of the list in the file, for messages.

    Returns
    -------
    tuple of Measure

    Raises
    ------
    StudyError
        With all faults.
    """
    measures, faults = measure_faults(data, at)
    if faults:
        raise StudyError("measures", faults)
    return tuple(measure for _, measure in measures)


def read_scenarios(data: Sequence[object], *, at: str = "scenario") -> tuple[Scenario, ...]:
    """Read a list of scenarios, each with the measures of what it extends in front of its own.

    Parameters
    ----------
    data
        Parsed TOML: one table a scenario.
    at
        Position of the list in the file, for messages.

    Returns
    -------
    tuple of Scenario

    Raises
    ------
    StudyError
        With all faults.
    """
    reading = scenario_faults(data, at=at)
    if reading.faults:
        raise StudyError("scenarios", reading.faults)
    return reading.scenarios


def scenario_faults(data: Sequence[object], *, at: str = "scenario") -> Reading:
    """Read a list of scenarios as far as it goes, gathering faults instead of raising them."""
    faults: list[Fault] = []
    entries: dict[str, tuple[str, _ScenarioEntry]] = {}
    own: dict[str, list[_Placed]] = {}
    every: list[tuple[str, Measure]] = []
    for i, item in enumerate(data):
        here = f"{at}[{i}]"
        entry, more = model_faults(_ScenarioEntry, item, here)
        faults.extend(more)
        # measures are read even where the scenario around them is at fault, so that all is told at once
        raw = item.get("measure", []) if isinstance(item, Mapping) else []
        names, plain, more = _measure_ids(raw if isinstance(raw, list) else [], f"{here}.measure")
        faults.extend(more)
        measures, more = measure_faults(plain, f"{here}.measure")
        faults.extend(more)
        every.extend(measures)
        if entry is None:
            continue
        if entry.id in entries:
            faults.append(Fault("", "", f"{here}.id", "an id of its own", f"{entry.id!r}, as {entries[entry.id][0]}"))
            continue
        entries[entry.id] = (here, entry)
        own[entry.id] = [_Placed(place, names.get(place, ""), measure) for place, measure in measures]
    # a scenario that could not be read may still be extended: only its own fault is told
    readable = {str(item["id"]) for item in data if isinstance(item, Mapping) and isinstance(item.get("id"), str)}
    for i, item in enumerate(data):  # whatever else is wrong with it
        extended, name = (item.get("extends"), item.get("id")) if isinstance(item, Mapping) else (None, None)
        if isinstance(extended, str) and extended not in readable:
            wanted = one_of("scenario", extended, sorted(readable - {str(name)}))
            faults.append(Fault("", "", f"{at}[{i}].extends", wanted, f"{extended!r}"))
    broken = {fault.field.removeprefix(at)[1:].partition("]")[0] for fault in faults}
    scenarios, positions, whole = [], [], []
    for here, entry in entries.values():
        chain, ring = _chain(entry.id, entries)
        if ring:
            faults.append(
                Fault("", "", f"{here}.extends", "no scenario that extends itself", " -> ".join([*chain, chain[0]]))
            )
            continue
        placed: list[_Placed] = []
        well = not any(entries[name][0].removeprefix(at)[1:-1] in broken for name in chain)
        well &= entries[chain[-1]][1].extends is None  # else what it names could not be read, or goes round
        for name in reversed(chain):
            placed, more = _over(placed, own[name], entries[name])
            well &= not more
            faults.extend(more if name == entry.id else ())
        ids = tuple(each.id for each in placed)
        scenarios.append(
            Scenario(
                entry.id,
                entry.name or entry.id,
                tuple(each.measure for each in placed),
                entry.description,
                ids if any(ids) else (),
            )
        )
        positions.append(tuple(each.position for each in placed))
        whole.append(well)
    return Reading(tuple(scenarios), tuple(positions), tuple(faults), tuple(every), tuple(whole))


@dataclasses.dataclass(frozen=True)
class _Placed:
    """A measure with its position in the file and its id, which may be empty."""

    position: str
    id: str
    measure: Measure


def _measure_ids(data: Sequence[object], at: str) -> tuple[dict[str, str], list[object], list[Fault]]:
    """Ids of measures by position, the measures without them, and what is wrong with the ids."""
    found: dict[str, str] = {}
    plain: list[object] = []
    faults = []
    for i, entry in enumerate(data):
        if not isinstance(entry, Mapping) or "id" not in entry:
            plain.append(entry)
            continue
        plain.append({key: value for key, value in entry.items() if key != "id"})
        name = entry["id"]
        where = f"{at}[{i}].id"
        if not isinstance(name, str) or not re.fullmatch(ID_PATTERN, name):
            faults.append(Fault("", "", where, f"a word that matches '{ID_PATTERN}'", _show(name)))
        elif name in found.values():
            first = next(place for place, other in found.items() if other == name)
            faults.append(Fault("", "", where, "an id of its own in this scenario", f"{name!r}, as {first}"))
        else:
            found[f"{at}[{i}]"] = name
    return found, plain, faults


def _over(
    before: Sequence[_Placed], own: Sequence[_Placed], entry: tuple[str, _ScenarioEntry]
) -> tuple[list[_Placed], list[Fault]]:
    """Measures of a scenario over those of the one it extends: dropped, replaced in their place by id, or added."""
    here, scenario = entry
    known = [each.id for each in before if each.id]
    faults = [
        Fault("", "", f"{here}.drop[{i}]", one_of("id of a measure of what it extends", name, known), f"{name!r}")
        for i, name in enumerate(scenario.drop)
        if name not in known
    ]
    mine = {each.id: each for each in own if each.id}
    kept = [mine.get(each.id, each) for each in before if each.id not in scenario.drop]
    replaced = {each.id for each in kept if each.id}
    return [*kept, *(each for each in own if each.id not in replaced)], faults


def _chain(name: str, entries: Mapping[str, tuple[str, _ScenarioEntry]]) -> tuple[list[str], bool]:
    """The scenario, what it extends, and so on; and whether that leads back to itself."""
    chain = [name]
    while True:
        parent = entries[chain[-1]][1].extends
        if parent is None or parent not in entries:
            return chain, False
        if parent == name:
            return chain, True
        if parent in chain:  # a ring further up, told where it lies
            return chain, False
        chain.append(parent)
