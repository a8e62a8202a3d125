"""What a ban costs both sides: A's cargo may not cross B, and B answers in kind.

Four steps, each against the one before everything, so that what each adoption adds can be told apart:

    stuck       what crossed B takes its outside option: nobody has found another way yet
    re-routed   every relation takes the best way that is left, with hard capacities
    trade       what is dearer is traded less, at a stated elasticity; the area left of the demand curve is the loss
    in kind     B's cargo may not cross A either, all of the above again

The ban takes A's trade with third countries; the two countries' own trade goes on. A loses what its trade pays more,
half of each relation's, and B the resources that are paid for on its lines and at its borders by cargo that no longer
comes: its gross takings, for what it saves by not running trains is not known country by country.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, UnknownName
from landbridge.model.costs import CostWeights, class_money
from landbridge.model.flows.surplus import Optimum
from landbridge.study.dependence import Barrier, barrier_of, country_of, in_country
from landbridge.study.ground import Ground, tables_on
from landbridge.study.solve import Settings

__all__ = ["exposure"]

F8 = npt.NDArray[np.float64]
B1 = npt.NDArray[np.bool_]
Progress = Callable[[int, int, str], None]


def exposure(
    ground: Ground,
    a: str,
    b: str,
    *,
    elasticity: float = 1.0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Tell what A and B lose when A's cargo may not cross B, and when B answers in kind.

    Parameters
    ----------
    ground
        The atlas, and what holds.
    a, b
        Countries by ISO2.
    elasticity
        Per cent by which the tonnes of a relation fall for each per cent that its delivered price, goods and freight,
        rises.
    progress
        Called with steps done, all, and what is being solved.

    Returns
    -------
    dict
        ``steps``: rows by step and country with ``trade_loss_usd_yr``, ``lost_takings_usd_yr``, ``land_tonnes_yr`` and
        ``traded_tonnes_yr``; and what must be known to read it.

    Raises
    ------
    UnknownName, LandbridgeError
        For a country that is not there, or the same twice.
    """
    first, second = country_of(ground.tables, a), country_of(ground.tables, b)
    if first == second:
        raise LandbridgeError(f"exposure: wanted two countries, got {first} twice")
    if not elasticity >= 0.0:
        raise LandbridgeError(f"elasticity: wanted at least 0, got {elasticity}")
    tell = progress or (lambda _done, _all, _text: None)
    tell(0, 4, "everything open")
    applied = tables_on(ground)
    barrier = barrier_of(applied, year=ground.year, settings=Settings(size=ground.size))
    for name in (first, second):
        if name not in barrier.countries:
            raise UnknownName("country of the network", name, barrier.countries)
    i, j = barrier.countries.index(first), barrier.countries.index(second)
    one = (barrier.cargo_of(i, j), in_country(barrier.laden, j))
    other = (barrier.cargo_of(j, i), in_country(barrier.laden, i))
    worth = _worth(applied, barrier)
    base = _state(barrier, [])
    steps: list[dict[str, Any]] = []
    for number, (name, groups) in enumerate(
        ((f"{first} may not cross {second}", [one]), (f"{second} answers in kind", _both(one, other))), start=1
    ):
        tell(number, 3, name)
        for step, state in (
            ("stuck", _stuck(barrier, base, groups)),
            ("re-routed", _state(barrier, groups)),
        ):
            steps += _rows(name, step, barrier, base, state, (i, j))
            if step == "re-routed":
                answered = _answered(base, state, worth, elasticity)
                found = state["found"]
                relation = barrier.closures.program.relation.values[found.path]
                fewer = found._replace(path_tonnes_yr=found.path_tonnes_yr * answered["kept"][relation])
                answered["takings"] = _takings(barrier, fewer)  # what is not traded pays nobody
                steps += _rows(name, "trade answers", barrier, base, answered, (i, j))
    return {
        "question": "exposure",
        "countries": [first, second],
        "year": ground.year,
        "size": ground.size,
        "elasticity": elasticity,
        "read_with": {
            "principle": "least cost under hard capacities; prices as they are paid",
            "outside_option": "the cheaper of the ocean voyage and the truck, for each relation",
            "elasticity": f"{elasticity:g}: per cent of tonnes for a per cent of the delivered price, an assumption",
            "halves": "each relation's loss and tonnes are shared evenly by its two ends: a country's row holds its "
            "own half, the row others the half of those that it trades with; what traders lose in all is the sum "
            "of the three rows",
            "takings": "gross: what is paid on lines and at borders of the country; what "
            "trains that no longer run cost is not taken off",
        },
        "base_cost_usd_yr": base["cost"],
        "banned_tonnes_yr": float(barrier.laden.carriage.tonnes_yr[one[0]].sum()),
        "crossing_tonnes_yr": float(_crossing(barrier, base, *one)),
        "without_outside_option_tonnes_yr": barrier.laden.without_outside_tonnes_yr,
        "steps": steps,
    }


def _both(one: tuple[B1, B1], other: tuple[B1, B1]) -> list[tuple[B1, B1]]:
    """Two bans; who is under both may use neither country."""
    both = one[0] & other[0]
    groups = [(one[0] & ~both, one[1]), (other[0] & ~both, other[1]), (both, one[1] | other[1])]
    return [(relations, arcs) for relations, arcs in groups if relations.any()]


def _state(barrier: Barrier, groups: Sequence[tuple[B1, B1]]) -> dict[str, Any]:
    """Costs by relation, tonnes, and takings by country, with some relations kept out of some arcs."""
    program = barrier.closures.program
    count = barrier.exporter.size
    group = np.zeros(count, np.int64)
    barred = np.zeros((len(groups) + 1, program.carriage.graph.tail.size), np.bool_)
    usable = np.ones(program.relation.size, np.bool_)
    for number, (relations, arcs) in enumerate(groups, start=1):
        group[relations], barred[number] = number, arcs
        usable &= program.free_of(arcs) | ~relations[program.relation.values]
    found = program.solve(usable, barred, group, barrier.closures.gap)
    return _told(barrier, found)


def _told(barrier: Barrier, found: Optimum) -> dict[str, Any]:
    program, carriage = barrier.closures.program, barrier.laden.carriage
    relation = program.relation.values[found.path]
    paid = np.bincount(relation, found.path_tonnes_yr * program.cost.values[found.path], carriage.tonnes_yr.size)
    left = np.maximum(carriage.tonnes_yr - found.tonnes_yr, 0.0)
    cost = np.asarray(paid + left * carriage.outside_usd_t, np.float64)
    return {
        "cost": float(cost.sum()),
        "by_relation": cost,
        "land": found.tonnes_yr,
        "traded": carriage.tonnes_yr,
        "takings": _takings(barrier, found),
        "found": found,
    }


def _takings(barrier: Barrier, found: Optimum) -> F8:
    """Money, without time and what delay is worth, that used paths pay in each country."""
    program, prepared = barrier.closures.program, barrier.laden.prepared
    net = prepared.network
    money = class_money(net, prepared.classes, CostWeights(0.0, 0.0))
    nation = np.where(net.country_to >= 0, net.country_to, net.country).astype(np.int64)
    result = np.zeros(len(net.countries))
    classes = len(prepared.classes.names)
    for p, tonnes in zip(found.path.tolist(), found.path_tonnes_yr.tolist(), strict=True):
        arcs = program.arcs_of(p)
        k = int(barrier.laden.carriage.class_index[program.relation.values[p]]) % classes
        np.add.at(result, nation[arcs], money[k, arcs] * tonnes)
    return result


def _crossing(barrier: Barrier, base: dict[str, Any], relations: B1, arcs: B1) -> float:
    """Tonnes of some relations that cross some arcs."""
    program, found = barrier.closures.program, base["found"]
    hit = ~program.free_of(arcs)[found.path] & relations[program.relation.values[found.path]]
    return float(found.path_tonnes_yr[hit].sum())


def _stuck(barrier: Barrier, base: dict[str, Any], groups: Sequence[tuple[B1, B1]]) -> dict[str, Any]:
    """What crossed where it may not now takes its outside option; all else stays where it was."""
    program, found = barrier.closures.program, base["found"]
    relation = program.relation.values[found.path]
    hit = np.zeros(found.path.size, np.bool_)
    for relations, arcs in groups:
        hit |= ~program.free_of(arcs)[found.path] & relations[relation]
    tonnes = np.where(hit, 0.0, found.path_tonnes_yr)
    land = np.asarray(np.bincount(relation, tonnes, barrier.exporter.size), np.float64)
    return _told(barrier, found._replace(tonnes_yr=land, path_tonnes_yr=tonnes))


def _worth(tables: Tables, barrier: Barrier) -> F8:
    """USD per tonne of the goods of each relation, by the trade matrix: exporter, importer and group of goods."""
    demand, laden = barrier.laden.prepared.demand, barrier.laden
    group = dict(tables["commodities"].select("id", "group").rows())
    sums = tables["trade"].group_by("exporter", "importer", "commodity").agg(pl.col("value_usd", "tonnes").sum())
    of = {(e, i, c): v / t for e, i, c, v, t in sums.rows() if t}
    mean = dict(tables["trade"].group_by("commodity").agg(pl.col("value_usd").sum() / pl.col("tonnes").sum()).rows())
    result = np.empty(int(laden.kept.sum()))
    for at, r in enumerate(np.flatnonzero(laden.kept).tolist()):
        kind = group[demand.commodities[demand.commodity[r]]]
        key = (demand.countries[demand.exporter[r]], demand.countries[demand.importer[r]], kind)
        result[at] = of.get(key, mean.get(kind, np.nan))
    return result


def _answered(base: dict[str, Any], state: dict[str, Any], worth: F8, elasticity: float) -> dict[str, Any]:
    """Let tonnes fall with the delivered price.

    With freight f a tonne before and f' after, and goods worth w, tonnes become q' = q ((w + f') / (w + f))^-e. The
    loss of those that still trade is q' (f' - f), that of those who stop the triangle (q - q') (f' - f) / 2.
    """
    tonnes = state["traded"]
    some = tonnes > 0.0
    old = np.where(some, base["by_relation"], 0.0) / np.where(some, tonnes, 1.0)
    new = np.where(some, state["by_relation"], 0.0) / np.where(some, tonnes, 1.0)
    price = np.where(np.isfinite(worth), worth, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((price + old > 0.0) & (new > old), (price + new) / (price + old), 1.0)
    kept = ratio**-elasticity
    loss = (new - old) * tonnes * np.where(new > old, (1.0 + kept) / 2.0, 1.0)
    return {
        **state,
        "by_relation": base["by_relation"] + loss,
        "cost": float((base["by_relation"] + loss).sum()),
        "land": state["land"] * kept,
        "traded": tonnes * kept,
        "kept": kept,
    }


def _rows(
    name: str, step: str, barrier: Barrier, base: dict[str, Any], state: dict[str, Any], pair: tuple[int, int]
) -> list[dict[str, Any]]:
    """One row for each of the two, and one for all others together."""
    loss = state["by_relation"] - base["by_relation"]
    rows = []
    told = [0.0, 0.0, 0.0, 0.0]
    for c in pair:
        share = ((barrier.exporter == c).astype(np.float64) + (barrier.importer == c)) / 2.0
        values = [
            float((loss * share).sum()),
            float(base["takings"][c] - state["takings"][c]),
            float(((state["land"] - base["land"]) * share).sum()),
            float(((state["traded"] - base["traded"]) * share).sum()),
        ]
        told = [t + v for t, v in zip(told, values, strict=True)]
        rows.append((barrier.countries[c], values))
    everyone = [
        float(loss.sum()),
        float(base["takings"].sum() - state["takings"].sum()),
        float((state["land"] - base["land"]).sum()),
        float((state["traded"] - base["traded"]).sum()),
    ]
    rows.append(("others", [e - t for e, t in zip(everyone, told, strict=True)]))
    return [
        {
            "ban": name,
            "step": step,
            "country": country,
            "trade_loss_usd_yr": values[0],
            "lost_takings_usd_yr": values[1],
            "land_change_tonnes_yr": values[2],
            "trade_change_tonnes_yr": values[3],
        }
        for country, values in rows
    ]
