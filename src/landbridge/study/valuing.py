"""What sets of projects are worth, found ahead by many workers: one task a set and year.

    do-minimum of a year -> all of them in that year, where asked against -> each set -> gains, own lines -> valuer

A task starts from the solution of the year's do-minimum alone, as `landbridge.study.valuer.Valuer` does, so that the
numbers are the same to the last bit as those that the valuer finds by itself, whoever does the task and in what order.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from landbridge.data.tables import Tables
from landbridge.study.appraising import Option
from landbridge.study.content import content_of
from landbridge.study.files import Study
from landbridge.study.gains import Gains
from landbridge.study.runner import Done, Here, Task, Where, key_of, run_tasks
from landbridge.study.valuer import Ground, Own, Valuer

__all__ = ["Asked", "find_ahead"]


@dataclass(frozen=True)
class Asked:
    """A set in a year, and what it is held against.

    Attributes
    ----------
    year
        Modelled year.
    chosen, without
        Ids of options, in order.
    own
        Options whose own lines are asked for where the set is there.
    """

    year: int
    chosen: tuple[str, ...]
    without: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Laid:
    """A set whose solution others start from, or are held against, in a year."""

    year: int
    chosen: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Shared:
    """What all tasks share: as the valuer that asks; variants are options that are not held back."""

    study: Study
    tables: Tables
    options: tuple[Option, ...]
    variants: tuple[Option, ...]


Found: TypeAlias = tuple[Gains, Mapping[str, Own], int]

# The valuer that this process has, with the solutions that all tasks of a run start from.
_latest: list[tuple[_Shared, Valuer]] = []


def _value(shared: _Shared, what: Asked | _Laid, needed: Mapping[str, Ground]) -> Ground | Found:
    """Solve a set; the work of one task."""
    if not _latest or _latest[0][0] is not shared:
        valuer = Valuer(shared.study, shared.tables, shared.options)
        for option in shared.variants:
            valuer.add(option)
        _latest[:] = [(shared, valuer)]
    valuer = _latest[0][1]
    before = valuer.solved
    for ground in needed.values():
        valuer.put(ground)
    chosen = frozenset(what.chosen)
    if isinstance(what, _Laid):
        return valuer.ground(chosen, what.year)
    gains = valuer.gains(chosen, what.year, without=frozenset(what.without))
    own = {name: valuer.own(name, chosen, what.year) for name in what.own}
    laid = {ground.chosen for ground in needed.values()}
    for each in {chosen, frozenset(what.without)} - laid:
        valuer.forget(each)
    return gains, own, valuer.solved - before


def find_ahead(valuer: Valuer, asked: Sequence[Asked], *, where: Where | None, variants: Sequence[Option] = ()) -> None:
    """Let workers find what a valuer will be asked, and give it to the valuer; here nothing is found ahead.

    Parameters
    ----------
    valuer
        Who will be asked.
    asked
        What; what is known or kept already is left out.
    where
        Who shall find it.
    variants
        Options that the valuer does not know yet.

    Raises
    ------
    NotConverged
        If an equilibrium was not found.
    """
    if where is None or isinstance(where, Here):
        return
    for option in variants:
        valuer.add(option)
    missing = [one for one in asked if not valuer.knows(one.chosen, one.without, one.year, one.own)]
    if not missing:
        return
    options = tuple(option for option in valuer.options.values() if option not in variants)
    study = replace(valuer.study, lines={}, positions=())
    shared = _Shared(study, valuer.tables, options, tuple(variants))
    digest = content_of(dict(valuer.tables.frames), valuer.settings, study, options, tuple(variants))
    # sets that many tasks need are tasks of their own: the do-minimum, and what others are held against or with
    uses = [(one.year, names) for one in missing for names in {one.chosen, one.without}]
    common = {use for use in uses if uses.count(use) > 1 or not use[1]} | {(one.year, ()) for one in missing}
    tasks: list[Task] = []
    for year, names in sorted(common, key=lambda use: (use[0], len(use[1]), use[1])):
        needs = (_name(year, ()),) if names else ()
        tasks.append(Task(_name(year, names), _Laid(year, names), needs))
    told: dict[str, Asked] = {}
    for one in sorted(missing, key=lambda one: one.year):
        sets = dict.fromkeys([(), one.without, one.chosen])
        name = f"{_name(one.year, one.chosen)} against {', '.join(one.without) or 'none'}"
        told[name] = one
        tasks.append(Task(name, one, tuple(_name(one.year, names) for names in sets if (one.year, names) in common)))
    keys: dict[str, str] = {}
    for task in tasks:
        keys[task.id] = key_of(_value, digest, task, keys)
    kept = valuer.kept

    def done(event: Done) -> None:
        raw = kept.get(keys[event.id]) if kept is not None and event.id in told else None
        if raw is not None:  # so that a run that is stopped has it, whoever goes on
            _take(valuer, told[event.id], pickle.loads(raw))  # noqa: S301 - as trusted as a program, see `kept`
        valuer.tell(event.id)

    found = run_tasks(_value, shared, tasks, where=where, kept=kept, shared_hash=digest, tell=done)
    valuer.solved += sum(task.id not in told for task in tasks)
    for name, one in told.items():
        _take(valuer, one, found[name])
        valuer.solved += found[name][2]


def _take(valuer: Valuer, one: Asked, found: Found) -> None:
    gains, own, _ = found
    valuer.take(frozenset(one.chosen), frozenset(one.without), one.year, gains, own)


def _name(year: int, names: Sequence[str]) -> str:
    return f"{year} with {', '.join(names) or 'none'}"
