"""The trade of all countries with each other and with themselves, as the equilibrium models take it.

From the atlas: trade between countries by sector (`trade`), and output and use of inputs by sector (`goods_output`).
Sales at home are output less exports. Where a country sells abroad more than it makes (an entrepot, or output of 2022
beside trade of 2023) its sales at home are put at a floor, and that is said. The mix of inputs is a country's mean over
its sectors, since the atlas knows what a country uses as inputs and not which sector does.

From a file: any matrix in the form of `landbridge.data.formats.trade_csv`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.formats.trade_csv import read_trade_matrix
from landbridge.data.tables import Tables
from landbridge.errors import DataError, Fault
from landbridge.model import trade
from landbridge.scenario.tariffs import rates_of

__all__ = ["HOME_FLOOR", "World", "atlas_world", "economy_of", "elasticities_of", "file_world", "sector_of_commodity"]

F8 = npt.NDArray[np.float64]

#: Least part of a country's output of a sector that it sells at home.
HOME_FLOOR = 0.05
#: Most of what a country buys of a sector that may be inputs, so that somebody is left who consumes it.
MOST_INPUTS = 0.95
#: Most of a country's output that may be goods used as inputs.
MOST_GOODS_IN = 0.9


@dataclass(frozen=True, eq=False)
class World:
    """Flows by sector between countries, home sales on the diagonal.

    Attributes
    ----------
    countries, sectors
        Names behind the indices.
    trade : float64[S, N, N]
        Value from exporter to importer.
    source
        What it was made from, in words.
    notes
        What was put in place of a figure that is missing or does not fit.
    """

    countries: tuple[str, ...]
    sectors: tuple[str, ...]
    trade: F8
    source: str
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> F8:
        """All sectors together, float64[N, N]."""
        return np.asarray(self.trade.sum(axis=0))

    def home(self) -> bool:
        """Whether sales at home are in it."""
        return bool(np.trace(self.total) > 0)


def sector_of_commodity(tables: Tables) -> dict[str, str]:
    """Return the trade sector of each group of the trade matrix and of each commodity."""
    group_sector = {g: s for s, groups in tables["trade_sectors"].select("id", "groups").iter_rows() for g in groups}
    commodities = dict(tables["commodities"].select("id", "group").iter_rows())
    return {**group_sector, **{c: group_sector[g] for c, g in commodities.items() if g in group_sector}}


def elasticities_of(tables: Tables, *, cap: float | None = None) -> tuple[F8, tuple[tuple[str, float, float], ...]]:
    """Return the trade elasticity of each sector, extreme ones capped, and which were.

    Parameters
    ----------
    tables
        With ``trade_sectors`` and ``parameters``.
    cap
        The highest allowed; the atlas' own when left out.

    Returns
    -------
    theta : float64[S]
    capped : tuple of (sector, before, after)
    """
    frame = tables["trade_sectors"]
    if cap is None:
        row = tables["parameters"].filter(pl.col("id") == "trade-theta-cap")
        cap = float(row["value"][0])
    return trade.cap_elasticities(np.array(frame["theta"].to_list(), np.float64), frame["id"].to_list(), high=cap)


def _cells(frame: pl.DataFrame, countries: Sequence[str], sectors: Sequence[str]) -> F8:
    """Values of rows exporter, importer, sector, value as an array."""
    number = {c: i for i, c in enumerate(countries)}
    kind = {s: i for i, s in enumerate(sectors)}
    out = np.zeros((len(sectors), len(countries), len(countries)))
    s = np.array([kind[v] for v in frame["sector"].to_list()], np.int64)
    e = np.array([number[v] for v in frame["exporter"].to_list()], np.int64)
    i = np.array([number[v] for v in frame["importer"].to_list()], np.int64)
    np.add.at(out, (s, e, i), frame["value"].to_numpy())
    return out


def file_world(path: Path) -> World:
    """Read a world from a trade matrix in a file.

    Parameters
    ----------
    path
        See `landbridge.data.formats.trade_csv.read_trade_matrix`.

    Returns
    -------
    World
        Countries in alphabetical order.
    """
    frame = read_trade_matrix(path)
    countries = tuple(sorted(set(frame["exporter"].to_list()) | set(frame["importer"].to_list())))
    sectors = tuple(sorted(set(frame["sector"].to_list())))
    return World(countries, sectors, _cells(frame, countries, sectors), f"{path}")


def atlas_world(
    tables: Tables, *, base_year: int = 2023, growth: Mapping[tuple[str, str, str], float] | None = None
) -> World:
    """Make the world from the atlas' tables, perhaps after a scenario was applied to them.

    Parameters
    ----------
    tables
        With ``trade``, ``trade_sectors``, ``commodities``, ``countries`` and ``goods_output``; a column ``factor`` of
        trade counts.
    base_year
        Year of the trade matrix.
    growth
        Factor by (exporter, importer, sector) to another year; sales at home take that of (``*``, ``*``, sector).

    Returns
    -------
    World

    Raises
    ------
    DataError
        If there is no trade of the year.
    """
    group_sector = sector_of_commodity(tables)
    rows = tables["trade"].filter(pl.col("year") == base_year)
    if rows.is_empty():
        raise DataError("world trade", [Fault("trade.csv", "", "year", f"rows of {base_year}", "none")])
    factor = pl.col("factor") if "factor" in rows.columns else pl.lit(1.0)
    flows = rows.select(
        "exporter",
        "importer",
        pl.col("commodity").replace_strict(group_sector).alias("sector"),
        (pl.col("value_usd") * factor).alias("value"),
    )
    countries = tuple(tables["countries"]["iso3"].to_list())
    sectors = tuple(tables["trade_sectors"]["id"].to_list())
    value = _cells(flows, countries, sectors)
    grown = dict(growth or {})
    output = np.zeros((len(sectors), len(countries)))
    number = {c: i for i, c in enumerate(countries)}
    kind = {s: i for i, s in enumerate(sectors)}
    for iso3, sector, usd in tables["goods_output"].select("iso3", "sector", "gross_output_usd").iter_rows():
        output[kind[sector], number[iso3]] = usd
    plain = _cells(
        rows.select(
            "exporter", "importer", pl.col("commodity").replace_strict(group_sector).alias("sector"),
            pl.col("value_usd").alias("value"),
        ),
        countries,
        sectors,
    )  # fmt: skip
    exports = plain.sum(axis=2)
    home = output - exports
    floor = HOME_FLOOR * np.maximum(output, exports)
    short = home < floor
    home = np.where(short, floor, home)
    for (exporter, importer, sector), times in grown.items():
        if exporter in number and importer in number:  # records know more countries than the matrix
            value[kind[sector], number[exporter], number[importer]] *= times
    home *= np.array([grown.get(("*", "*", s), 1.0) for s in sectors])[:, None]
    value[:, np.arange(len(countries)), np.arange(len(countries))] += home
    notes = []
    weight = (short * exports).sum(axis=0)
    told = [countries[i] for i in np.argsort(-weight)[:8] if weight[i] > 0]
    if told:
        notes.append(
            f"sales at home put at {HOME_FLOOR:.0%} of output in {int(short.sum())} of {short.size} cells where "
            f"exports "
            f"exceed what is left (entrepots, and output of 2022 beside trade of {base_year}): "
            f"{', '.join(told)} and others"
        )
    estimates = tables["goods_output"].filter(pl.col("kind") == "estimate")["iso3"].n_unique()
    notes.append(
        f"output of goods is an estimate for {estimates} of {tables['goods_output']['iso3'].n_unique()} countries"
    )
    return World(countries, sectors, value, f"atlas, trade of {base_year} and output of 2022", tuple(notes))


def tariffs_of(world: World, tables: Tables) -> F8:
    """Return the tariffs of a world as parts of value, by sector, exporter and importer."""
    number = {c: i for i, c in enumerate(world.countries)}
    goods = dict(tables["trade_sectors"].select("id", "goods").iter_rows())
    by_goods: dict[str, F8] = {}
    for what in dict.fromkeys(goods.values()):
        by_goods[what] = np.zeros((len(number), len(number)))
        for (exporter, importer), rate in rates_of(tables, world.countries, goods=what).items():
            by_goods[what][number[exporter], number[importer]] = rate / 100
    return np.stack([by_goods[goods[s]] for s in world.sectors])


def economy_of(world: World, tables: Tables, *, cap: float | None = None) -> tuple[trade.Economy, tuple[str, ...]]:
    """Make the many-sector economy of an atlas' world: inputs, tariffs, final spending and transfers.

    Parameters
    ----------
    world
        From `atlas_world`.
    tables
        The same tables.
    cap
        Highest elasticity.

    Returns
    -------
    Economy
        Which is its own equilibrium.
    notes
        What was capped.
    """
    theta, capped = elasticities_of(tables, cap=cap)
    flows = world.trade
    count, sectors = len(world.countries), len(world.sectors)
    number = {c: i for i, c in enumerate(world.countries)}
    kind = {s: i for i, s in enumerate(world.sectors)}
    tariff = tariffs_of(world, tables)
    output = flows.sum(axis=2)
    spent = (flows * (1 + tariff)).sum(axis=1)
    made, used = np.zeros((sectors, count)), np.zeros((sectors, count))
    for iso3, sector, gross, use in (
        tables["goods_output"].select("iso3", "sector", "gross_output_usd", "input_use_usd").iter_rows()
    ):
        made[kind[sector], number[iso3]], used[kind[sector], number[iso3]] = gross, use
    whole = output.sum(axis=0)
    # use of inputs keeps its ratio to output; a part of what is bought must be left for consumption
    ratio = np.divide(used, made.sum(axis=0), out=np.zeros_like(used), where=made.sum(axis=0) > 0)
    use = np.minimum(ratio * whole, MOST_INPUTS * spent)
    share = np.divide(use, whole, out=np.zeros_like(use), where=whole > 0)
    crowd = share.sum(axis=0)
    share = share * np.minimum(1.0, MOST_GOODS_IN / np.maximum(crowd, 1e-12))
    inputs = np.repeat(share.T[:, :, None], sectors, axis=2)
    value_added = 1.0 - inputs.sum(axis=1)
    income = (value_added * output.T).sum(axis=1)
    final = (spent - share * whole).T
    total = final.sum(axis=1, keepdims=True)
    final = np.divide(final, total, out=np.full_like(final, 1 / sectors), where=total > 0)
    abroad = flows.copy()
    abroad[:, np.arange(count), np.arange(count)] = 0
    deficit = abroad.sum(axis=(0, 1)) - abroad.sum(axis=(0, 2))
    notes = [f"elasticity of {name} {old:g} capped at {new:g}" for name, old, new in capped]
    return trade.Economy(flows, tariff, value_added, inputs, final, income, deficit, theta), tuple(notes)
