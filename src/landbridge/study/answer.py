"""Trade answers to what its way costs: assignment and trade in turn, to their fixed point.

    costs of the reference -> demand -> assign -> costs now -> change of trade cost -> trade -> demand -> ...

The reference is the scenario that a study compares with, in the same year: its trade is what the atlas and its growth
say. Any other scenario's trade answers to the change of cost against it, and to the scenario's own sanctions, frictions
and tariffs. Four modes:

- ``frozen``: trade does not answer; what a sanction forbids vanishes.
- ``elasticity``: each flow by its sector's elasticity, nothing else moving.
- ``gravity``: outputs and spending of each sector and country kept, resistances moving.
- ``ge``: general equilibrium in many sectors with inputs, tariff revenue and transfers (Caliendo and Parro).

A flow's tonnes follow its volume: its value over the change of the exporter's price. Cells without trade stay without.
The gap is the largest difference, in logs, between the volumes that were assigned and those that trade answers to the
costs that came out. A step is damped where the gap does not fall.

The headline of ``ge`` is welfare, that of the other modes the flows; gains by the rule of half are told beside it and
never added to it, for they measure the same thing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.tables import Tables
from landbridge.errors import NotConverged
from landbridge.model import demand as demand_door
from landbridge.model import trade
from landbridge.study.answering import Answering
from landbridge.study.solve import DEMAND_TABLES, Prepared, Settings, Solution, columns, equilibrium, prepare
from landbridge.study.trade_cost import RelationCosts, cost_of_cells, relation_costs
from landbridge.study.world import World, atlas_world, economy_of, elasticities_of, sector_of_commodity, tariffs_of

__all__ = ["Answer", "Reference", "answer", "frozen_tables", "projected_world", "reference_of"]

F8 = npt.NDArray[np.float64]
Progress = Callable[[str], None]

#: A round that leaves more than this part of the gap halves the step.
STALL = 0.8
LEAST_STEP = 1 / 16


@dataclass(frozen=True, eq=False)
class Reference:
    """The scenario that others are compared with, solved: its tables and what its relations cost."""

    tables: Tables
    costs: RelationCosts


@dataclass(frozen=True, eq=False)
class Answer:
    """A scenario's fixed point of flows and trade.

    Attributes
    ----------
    solution
        The assignment.
    world
        Trade before it answers.
    cost_hat : float64[S, N, N]
        Change of trade cost by the network, new over old.
    friction, share_left : float64[S, N, N]
        The scenario's payment friction, and the part of trade that it allows.
    tariff_before, tariff : float64[S, N, N]
        Parts of value.
    volume : float64[S, N, N]
        New over old volume.
    value : float64[S, N, N]
        New value of trade.
    outcome
        The equilibrium, in mode ``ge``.
    economy
        The economy before it, in mode ``ge``.
    rule_of_half_usd
        What those who ship gain by lower composite costs, by the rule of half: told, never added to welfare.
    rounds, gap
        Of the fixed point.
    notes
        What was capped and what to keep in mind.
    """

    solution: Solution
    world: World
    cost_hat: F8
    friction: F8
    share_left: F8
    tariff_before: F8
    tariff: F8
    volume: F8
    value: F8
    outcome: trade.Outcome | None
    economy: trade.Economy | None
    rule_of_half_usd: float
    rounds: int
    gap: float
    notes: tuple[str, ...]


def frozen_tables(tables: Tables) -> Tables:
    """Return tables in which nothing is forbidden, so that what a sanction forbids can go elsewhere."""
    frames = {
        name: tables[name].with_columns(pl.lit(1.0).alias("share_left"))
        for name in ("trade", "bulk_trade")
        if "share_left" in tables[name].columns
    }
    return tables.replace(**frames)


def reference_of(tables: Tables, solution: Solution) -> Reference:
    """Return the reference that a solved scenario is for the others."""
    sectors = tuple(tables["trade_sectors"]["id"].to_list())
    return Reference(tables, relation_costs(solution, sector_of_commodity(tables), sectors))


def projected_world(tables: Tables, *, year: int, settings: Settings) -> World:
    """Return the world's trade in a year: the matrix, the scenario's own changes, and growth by sector and pair."""
    goods = demand_door.goods_of_years(
        columns(tables, DEMAND_TABLES), year=year, base_year=settings.base_year, growth=settings.growth
    )
    sector_of = sector_of_commodity(tables)
    worth = dict(tables["commodities"].select("id", "value_usd_t").iter_rows())
    before: dict[tuple[str, str, str], float] = {}
    after: dict[tuple[str, str, str], float] = {}
    for (exporter, importer, commodity), (old, new) in goods.items():
        key = (exporter, importer, sector_of[commodity])
        before[key] = before.get(key, 0.0) + old * worth[commodity]
        after[key] = after.get(key, 0.0) + new * worth[commodity]
    growth = {key: after[key] / old for key, old in before.items() if old > 0}
    everywhere = 1.0
    column = demand_door.GROWTH[settings.growth]
    rows = tables["growth"].filter(
        (pl.col("exporter") == "*") & (pl.col("importer") == "*") & (pl.col("commodity") == "*")
    )
    for start, end, rate in rows.select("from_year", "to_year", column).iter_rows():
        everywhere *= (1 + rate / 100) ** max(0, min(year, end) - max(settings.base_year, start))
    growth |= {("*", "*", s): everywhere for s in tables["trade_sectors"]["id"].to_list()}
    return atlas_world(tables, base_year=settings.base_year, growth=growth)


def _policy(tables: Tables, world: World) -> tuple[F8, F8, dict[tuple[str, str, str], float]]:
    """What a scenario allows of each cell and what payments cost it; and what it allows of each commodity's flow."""
    shape = world.trade.shape
    number = {c: i for i, c in enumerate(world.countries)}
    kind = {s: i for i, s in enumerate(world.sectors)}
    sector_of = sector_of_commodity(tables)
    goods = tables["commodities"].select("id", "group", "baci_products").rows()
    lost, dearer, value = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    left: dict[tuple[str, str, str], float] = {}
    marked: dict[tuple[str, str, str], tuple[float, float]] = {}
    for exporter, importer, group, usd, factor, share, friction in (
        tables["trade"]
        .filter(pl.col("year") == pl.col("year").max())
        .select("exporter", "importer", "commodity", "value_usd", "factor", "share_left", "friction")
        .iter_rows()
    ):
        cell = (kind[sector_of[group]], number[exporter], number[importer])
        value[cell] += usd * factor
        if share != 1 or friction != 1:
            lost[cell] += usd * factor * (1 - share)
            dearer[cell] += usd * factor * (friction - 1)
            marked[exporter, importer, group] = (share, friction)
            left |= {(exporter, importer, name): share for name, own, _ in goods if own == group}
    of_product = {p: (name, group) for name, group, products in goods for p in products or ()}
    records = tables["bulk_trade"].filter((pl.col("share_left") != 1) | (pl.col("friction") != 1))
    for exporter, importer, product, usd, factor, share, friction in (
        records.filter(pl.col("year") == tables["trade"]["year"].max())
        .select("exporter", "importer", "product", "value_usd", "factor", "share_left", "friction")
        .iter_rows()
    ):
        if product not in of_product or exporter not in number or importer not in number:
            continue
        name, group = of_product[product]
        if (exporter, importer, group) in marked:  # the whole group is meant, which counted it
            continue
        cell = (kind[sector_of[group]], number[exporter], number[importer])
        lost[cell] += usd * factor * (1 - share)
        dearer[cell] += usd * factor * (friction - 1)
        left[exporter, importer, name] = share
    whole = np.maximum(value, lost)
    there = whole > 0
    share_left = np.where(there, 1 - lost / np.where(there, whole, 1.0), 1.0)
    return np.clip(share_left, 0.0, 1.0), 1 + np.where(there, dearer / np.where(there, whole, 1.0), 0.0), left


def _tariffs(before: Tables, after: Tables, world: World) -> tuple[F8, F8]:
    """Tariffs of the reference by sector and pair, and those that a scenario's marks put in their place."""
    number = {c: i for i, c in enumerate(world.countries)}
    kind = {s: i for i, s in enumerate(world.sectors)}
    sector_of = sector_of_commodity(after)
    old = tariffs_of(world, before)
    new = old.copy()
    if "tariff_new_pct" in after["trade"].columns:
        rows = after["trade"].filter(pl.col("tariff_new_pct").is_not_null())
        for exporter, importer, group, rate in rows.select(
            "exporter", "importer", "commodity", "tariff_new_pct"
        ).iter_rows():
            new[kind[sector_of[group]], number[exporter], number[importer]] = rate / 100
    return old, new


@dataclass(frozen=True, eq=False)
class _Cells:
    """Which cell each relation and each flow set apart belongs to, and what of it a product's sanction leaves."""

    relation: npt.NDArray[np.int64]
    fixed: npt.NDArray[np.int64]
    relation_extra: F8
    fixed_extra: F8


def _cells(
    prepared: Prepared, world: World, sector_of: dict[str, str], left: dict[tuple[str, str, str], float], share: F8
) -> _Cells:
    demand = prepared.demand
    number = {c: i for i, c in enumerate(world.countries)}
    kind = {s: i for i, s in enumerate(world.sectors)}
    sector = np.array([kind[sector_of[name]] for name in demand.commodities], np.int64)
    # records know more countries than the matrix; their flows stand still, in a cell of their own at the end
    country = np.array([number.get(c, -1) for c in demand.countries], np.int64)
    size = len(world.countries)
    flat = np.append(share.ravel(), 1.0)

    def of(
        commodity: npt.NDArray[np.int32], exporter: npt.NDArray[np.int32], importer: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.int64], F8]:
        cell = (sector[commodity] * size + country[exporter]) * size + country[importer]
        cell = np.where((country[exporter] < 0) | (country[importer] < 0), share.size, cell)
        extra = np.ones(len(cell))
        for r, (k, e, i) in enumerate(zip(commodity.tolist(), exporter.tolist(), importer.tolist(), strict=True)):
            own = left.get((demand.countries[e], demand.countries[i], demand.commodities[k]), 1.0)
            mean = flat[cell[r]]
            if own != mean:  # a product's own share in place of its cell's mean
                extra[r] = own / mean if mean > 0 else 0.0
        return cell, extra

    relation, relation_extra = of(demand.commodity, demand.exporter, demand.importer)
    fixed, fixed_extra = of(demand.fixed_commodity, demand.fixed_exporter, demand.fixed_importer)
    return _Cells(relation, fixed, relation_extra, fixed_extra)


@dataclass(frozen=True, eq=False)
class _Trading:
    """What answers to a change of cost: everything of the economy that does not change from round to round."""

    how: Answering
    world: World
    theta: F8
    friction: F8
    share_left: F8
    tariff_before: F8
    tariff: F8
    economy: trade.Economy | None

    def respond(self, cost_hat: F8, start: trade.Outcome | None = None) -> tuple[F8, F8, trade.Outcome | None]:
        """Volume (new over old), value, and the equilibrium where there is one, sought from another."""
        theta = self.theta[:, None, None]
        iceberg = cost_hat * self.friction
        old = self.world.trade
        duty = (1 + self.tariff) / (1 + self.tariff_before)
        with np.errstate(divide="ignore"):
            forbidden = self.share_left ** (-1 / theta)
        if self.how.mode == "ge":
            assert self.economy is not None  # noqa: S101 - made for this mode
            outcome = trade.solve_sectors(
                self.economy,
                cost_hat=iceberg * forbidden,
                tariff=self.tariff,
                names=self.world.countries,
                start=start,
            )
            value = outcome.trade
            volume = np.where(old > 0, value / np.where(old > 0, old, 1.0), 1.0) / outcome.cost[:, :, None]
            return volume, value, outcome
        change = (iceberg * duty) ** -theta * self.share_left
        if self.how.mode == "gravity":
            value = np.stack(
                [trade.conditional(old[s], change[s], names=self.world.countries) for s in range(len(old))]
            )
        else:
            value = old * change
        return np.where(old > 0, value / np.where(old > 0, old, 1.0), 1.0), value, None


def _gain(before: RelationCosts, after: RelationCosts) -> float:
    """Rule of half over relations that stand in both."""
    where = {key: r for r, key in enumerate(before.keys)}
    total = 0.0
    for r, key in enumerate(after.keys):
        old = where.get(key)
        if old is None:
            continue
        pair = before.composite_usd_t[old], after.composite_usd_t[r]
        if np.all(np.isfinite(pair)):  # cargo whose owners refuse every way has no cost that could change
            total += 0.5 * (before.tonnes[old] + after.tonnes[r]) * (pair[0] - pair[1])
    return float(total)


def answer(
    tables: Tables,
    reference: Reference,
    *,
    year: int,
    settings: Settings,
    how: Answering,
    prepared: Prepared | None = None,
    progress: Progress | None = None,
    start: Solution | None = None,
    assign: Callable[[Prepared, Solution | None], Solution] | None = None,
) -> Answer:
    """Find the fixed point of flows and trade of a scenario.

    Parameters
    ----------
    tables
        The scenario's, after `landbridge.scenario.apply`.
    reference
        The scenario compared with, in the same year.
    year, settings
        As for `landbridge.study.solve.solve`.
    how
        How trade answers; not ``frozen``.
    prepared
        Network and demand of `frozen_tables` of the scenario, where they were made before.
    progress
        Called with a short text as the work goes on.
    start
        A solution to begin with, as in `landbridge.study.solve.solve`. Each round goes on from the one before.
    assign
        Another way to assign than `landbridge.study.solve.equilibrium`: with terminals that are simulated.

    Returns
    -------
    Answer

    Raises
    ------
    NoEquilibrium
        If trade has none.
    NotConverged
        If the fixed point, an assignment or an equilibrium was not reached.
    """
    tell = progress or (lambda _: None)
    plain = frozen_tables(tables)
    tell("trade")
    world = projected_world(plain, year=year, settings=settings)
    theta, capped = elasticities_of(tables)
    share, friction, left = _policy(tables, world)
    before, after = _tariffs(reference.tables, tables, world)
    economy, notes = economy_of(world, reference.tables) if how.mode == "ge" else (None, ())
    trading = _Trading(how, world, theta, friction, share, before, after, economy)
    if not notes:
        notes = tuple(f"elasticity of {name} {old:g} capped at {new:g}" for name, old, new in capped)
    # a policy without an equilibrium is refused before anything is assigned
    first, _, outcome = trading.respond(np.ones(world.trade.shape))
    prepared = prepared or prepare(plain, year=year, settings=settings, like=start.prepared if start else None)
    sector_of = sector_of_commodity(tables)
    cells = _cells(prepared, world, sector_of, left, share)
    days = np.array(tables["trade_sectors"]["day_pct"].to_list(), np.float64) / 100
    used = np.unique(cells.relation)
    volume = np.append(first.ravel(), 1.0)
    step, last, gap = how.damping, np.inf, np.inf
    for number in range(1, how.max_rounds + 1):
        demand = demand_door.scaled(
            prepared.demand, volume[cells.relation] * cells.relation_extra, volume[cells.fixed] * cells.fixed_extra
        )
        now = replace(prepared, demand=demand)
        solution = assign(now, start) if assign else equilibrium(tables, now, settings=settings, start=start)
        start = solution
        costs = relation_costs(solution, sector_of, world.sectors)
        cost_hat = cost_of_cells(
            reference.costs, costs, world.trade, world.countries, theta, counted=how.time, day_share=days
        )
        answered, value, outcome = trading.respond(cost_hat, outcome)
        wanted = np.append(answered.ravel(), 1.0)
        alive = used[(volume[used] > 0) & (wanted[used] > 0)]
        move = np.log(wanted[alive] / volume[alive])
        gap = float(np.abs(move).max(initial=0.0))
        tell(f"trade answers, round {number}: gap {gap:.1e}")
        if gap <= how.tolerance:
            return Answer(
                solution, world, cost_hat, friction, share, before, after, answered, value,
                outcome, economy, _gain(reference.costs, costs), number, gap, notes,
            )  # fmt: skip
        if gap > STALL * last:
            step = max(step / 2, LEAST_STEP)
        last = gap
        new = wanted.copy()
        new[alive] = volume[alive] * np.exp(step * move)
        volume = new
    raise NotConverged(
        f"trade and flows did not meet in {how.max_rounds} rounds: the last gap is {gap:.1e}, wanted "
        f"{how.tolerance:.0e}",
        gap,
    )
