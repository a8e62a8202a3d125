"""Closures on a small network given by a file: what each costs, the worst of them, chance, and who needs whom.

The same questions as on the atlas (`landbridge.study.stress`), for whoever has a network of a few dozen lines with
cost, room and outside options (`landbridge.data.formats.lines_json`), or wants to check the answers against known ones:

    base       least cost of all relations, outside options at their price
    closed     the same with lines, places or countries closed; trade that starts or ends there is taken out of both
    each       every line, place and country closed alone
    relations  the cheapest way of each relation, the same without each country, the maximum flow and a smallest cut
    worst      the r worst lines: for all relations, and for one its cheapest way and its maximum flow
    chance     lines that close by chance: all states where they can be listed, else draws
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from landbridge.data.formats.lines_json import LinesFile, read_lines
from landbridge.errors import LandbridgeError, UnknownName
from landbridge.model import resilience
from landbridge.model.resilience import Closures, Lines
from landbridge.model.simple_paths import k_shortest

__all__ = ["answer"]

B1 = npt.NDArray[np.bool_]
Progress = Callable[[int, int, str], None]

PRINCIPLE = (
    "least cost of all relations, lines no fuller than their room, outside options at their price (an optimum, not an "
    "equilibrium)"
)
#: Ways of one relation that are listed.
WAYS = 8
#: Worst sets that are listed; the others are counted.
MOST_SETS = 100
#: Problems after which a search for the worst gives up.
MOST_SOLVES = 20_000


def answer(
    path: Path,
    *,
    built: Sequence[str] = (),
    close: Sequence[str] = (),
    worst_of: int = 0,
    relation: str | None = None,
    chances: Mapping[str, float] | None = None,
    draws: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Answer what is asked about closures on a network of lines.

    Parameters
    ----------
    path
        JSON file of the network.
    built
        What is built of the lines that it holds apart.
    close
        Lines as A-B, places and countries to close together.
    worst_of
        Find the worst sets of up to so many lines; 0: not asked.
    relation
        Relation as A-B whose ways are listed, and for which the worst is sought too.
    chances
        Probability that a line is shut, by line.
    draws, seed
        States drawn where there are too many to list, and the seed.
    progress
        Called with steps done, all, and what is being solved.

    Returns
    -------
    dict
        See the head of the module; costs and volumes are in the units of the file.

    Raises
    ------
    DataError
        With all faults of the file.
    UnknownName, LandbridgeError
        For a name that is not there, or one that means a place and a country at once.
    """
    tell = progress or (lambda _done, _all, _text: None)
    file = read_lines(path, built=built)
    net = resilience.lines(len(file.places), file.ends, file.cost, file.room)
    one = None if relation is None else _relation(file, relation)
    chosen = [_thing(file, name) for name in close]
    lines = {name: _line(file, name) for name in chances or {}}
    case = _case(file, net, range(len(file.relations)))
    found = case.solve()
    base = case.cost(found)
    tell(1, 4, "each closed alone")
    each = [_closed(file, net, [thing]) for thing in _things(file)]
    tell(2, 4, "relations")
    result: dict[str, Any] = {
        "question": "stress",
        "network": str(path),
        "built": list(built),
        "not_read": list(file.unread),
        "principle": PRINCIPLE,
        "unit": "the file's units of cost, times volume",
        "base": {"cost": base, "outside": _outside(case, found.tonnes_yr)},
        "closed": _closed(file, net, chosen) if chosen else None,
        "each": sorted(each, key=lambda row: -row["rise"]),
        "relations": [_of_relation(file, net, r) for r in range(len(file.relations))],
        "betweenness": _betweenness(file),
        "ways": None if one is None else _ways(file, net, one),
        "worst": None,
        "chance": None,
    }
    if worst_of:
        tell(3, 4, "the worst closures")
        result["worst"] = [
            _worst(file, net, case, measure, one, r)
            for measure in ("cost", *(("way", "flow") if one is not None else ()))
            for r in range(1, worst_of + 1)
        ]
    if lines:
        result["chance"] = _by_chance(case, lines, dict(chances or {}), base, draws, seed)
    return result


# ---------------------------------------------------------------------------------------------------------- names


def _line(file: LinesFile, name: str) -> int:
    """A line by its ends, either first."""
    ends = {"-".join(pair): number for number, pair in enumerate(_by_ends(file))}
    ends |= {"-".join(pair[::-1]): number for number, pair in enumerate(_by_ends(file))}
    if name not in ends:
        raise UnknownName("line", name, file.lines)
    return ends[name]


def _by_ends(file: LinesFile) -> list[tuple[str, str]]:
    places = list(file.places)
    return [(places[a], places[b]) for a, b in file.ends]


def _relation(file: LinesFile, name: str) -> int:
    if name not in file.relations:
        raise UnknownName("relation", name, file.relations)
    return file.relations.index(name)


def _things(file: LinesFile) -> list[tuple[str, str]]:
    """All that can be closed: kind and name."""
    kinds = {"line": file.lines, "place": list(file.places), "country": list(dict.fromkeys(file.places.values()))}
    return [(kind, name) for kind, names in kinds.items() for name in names]


def _thing(file: LinesFile, name: str) -> tuple[str, str]:
    """What a name means: a line by either end first, a place or a country."""
    meant = [thing for thing in _things(file) if thing[1] == name and thing[0] != "line"]
    turned = {"-".join(pair[::-1]): line for pair, line in zip(_by_ends(file), file.lines, strict=True)}
    line = name if name in file.lines else turned.get(name)
    meant += [("line", line)] if line is not None else []
    if not meant:
        raise UnknownName("line, place or country", name, [known for _, known in _things(file)])
    if len(meant) > 1:
        raise LandbridgeError(f"close: {name} is a {' and a '.join(kind for kind, _ in meant)}; rename one in the file")
    return meant[0]


# -------------------------------------------------------------------------------------------------------- answers


def _case(file: LinesFile, net: Lines, relations: Sequence[int]) -> Closures:
    return resilience.all_relations(
        net,
        [file.pairs[r] for r in relations],
        [file.volume[r] for r in relations],
        [file.outside_cost[r] for r in relations],
    )


def _outside(case: Closures, carried: npt.NDArray[np.float64]) -> float:
    """Units that leave by their outside option in the optimum that was found; others may be as good."""
    return max(float((case.carriage.tonnes_yr - carried).sum()), 0.0)


def _closed(file: LinesFile, net: Lines, things: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What closing things together costs those who do not start or end there."""
    places = list(file.places)
    shut = {place for kind, name in things for place in places if name == (place if kind == "place" else
            file.places[place] if kind == "country" else None)}  # fmt: skip
    lines = {e for e, (a, b) in enumerate(_by_ends(file)) if a in shut or b in shut}
    lines |= {_line(file, name) for kind, name in things if kind == "line"}
    kept = [r for r, (a, b) in enumerate(file.pairs) if not {places[a], places[b]} & shut]
    told = {
        "kind": " and ".join(dict.fromkeys(kind for kind, _ in things)),
        "id": ", ".join(name for _, name in things),
        "relations_left_out": len(file.pairs) - len(kept),
    }
    if not kept:
        return {**told, "base_cost": 0.0, "cost": 0.0, "rise": 0.0, "outside": 0.0, "outside_before": 0.0}
    case = _case(file, net, kept)
    before, after = case.solve(), case.solve(frozenset(lines))
    costs = case.cost(before), case.cost(after)
    return {
        **told,
        "base_cost": costs[0],
        "cost": costs[1],
        "rise": costs[1] - costs[0],
        "outside": _outside(case, after.tonnes_yr),
        "outside_before": _outside(case, before.tonnes_yr),
    }


def _of_relation(file: LinesFile, net: Lines, r: int) -> dict[str, Any]:
    """The cheapest way of a relation, the same without each country that it does not start or end in, and its flow."""
    source, target = file.pairs[r]
    countries = list(file.places.values())
    shortest = resilience.way_without(net, source, target).cost
    without = {}
    for name in dict.fromkeys(countries):
        if name in (countries[source], countries[target]):
            continue
        lines = frozenset(e for e, (a, b) in enumerate(file.ends) if name in (countries[a], countries[b]))
        cost = resilience.way_without(net, source, target, lines).cost
        lost = not np.isfinite(cost)
        without[name] = {
            "cost": None if lost else cost,
            "rise": None if lost else cost - shortest,
            "must_cross": lost and bool(np.isfinite(shortest)),
        }
    cut = resilience.cut_of(resilience.most_flow(net, source, target))
    return {
        "relation": file.relations[r],
        "shortest": shortest if np.isfinite(shortest) else None,
        "outside_cost": file.outside_cost[r],
        "without": without,
        "max_flow": None if cut is None else float(net.room[cut].sum()),
        "cut": None if cut is None else [file.lines[e] for e in cut],
    }


def _betweenness(file: LinesFile) -> dict[str, dict[str, float]]:
    places, lines = resilience.betweenness(len(file.places), file.ends, file.cost)
    return {
        "places": dict(zip(file.places, places.tolist(), strict=True)),
        "lines": dict(zip(file.lines, lines.tolist(), strict=True)),
    }


def _ways(file: LinesFile, net: Lines, r: int) -> list[dict[str, Any]]:
    """The cheapest ways of a relation that pass no place twice, in order."""
    places = list(file.places)
    source, target = file.pairs[r]
    found = k_shortest(net.graph, np.repeat(net.cost, 2), source, target, WAYS)
    return [
        {"cost": cost, "places": [*(places[net.graph.tail[arc]] for arc in arcs), places[target]]}
        for cost, arcs in found
    ]


def _worst(file: LinesFile, net: Lines, case: Closures, measure: str, one: int | None, r: int) -> dict[str, Any]:
    """The r worst lines by one measure; the value is what is left with them closed."""
    count = len(file.lines)
    sign, offset = 1.0, 0.0
    if measure == "cost" or one is None:
        found = resilience.worst_closures(case.evaluate, r, most_solves=MOST_SOLVES)
    elif measure == "way":
        ends = file.pairs[one]
        found = resilience.worst_closures(
            lambda closed: resilience.way_without(net, *ends, closed), r, most_solves=MOST_SOLVES
        )
    else:
        flow = resilience.most_flow(net, *file.pairs[one])
        found = resilience.worst_closures(flow.evaluate, r, most_solves=MOST_SOLVES)
        sign, offset = -1.0, float(flow.carriage.tonnes_yr[0])
    sets = resilience.all_sets(found, count, r)
    ends_it = not np.isfinite(found.cost)
    value = None if ends_it else offset + sign * found.cost
    return {
        "measure": measure,
        "relation": None if measure == "cost" or one is None else file.relations[one],
        "r": r,
        "base": offset + sign * found.base,
        "value": value,
        "disconnects": ends_it,
        "sets": [[file.lines[e] for e in chosen] for chosen in sets[:MOST_SETS]],
        "sets_count": len(sets),
        "minimal": [[file.lines[e] for e in chosen] for chosen in found.minimal],
        "problems_solved": found.solved,
        "given_up_by_the_bound": found.pruned,
    }


def _by_chance(
    case: Closures, lines: Mapping[str, int], chances: Mapping[str, float], base: float, draws: int, seed: int
) -> dict[str, Any]:
    """The cost when lines close by chance: all states where they can be listed, and draws beside them."""
    names = list(lines)
    probability = [chances[name] for name in names]

    def cost(state: B1) -> float:
        return case.cost(case.solve(frozenset(lines[n] for n, shut in zip(names, state, strict=True) if shut)))

    drawn = resilience.expectation(cost, *resilience.draw_states(probability, draws, seed), drawn=True)
    listed = None
    if len(names) <= resilience.MOST_EXACT:
        listed = resilience.expectation(cost, *resilience.exact_states(probability), drawn=False)
    return {
        "base_cost": base,
        "seed": seed,
        "chances": dict(zip(names, probability, strict=True)),
        "exact": None if listed is None else {**asdict(listed), "rise": listed.mean - base},
        "drawn": {**asdict(drawn), "rise": drawn.mean - base},
    }
