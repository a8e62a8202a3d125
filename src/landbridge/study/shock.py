"""A shock to the cost of trade between some countries, and what trade and welfare answer.

The question of `landbridge trade shock`: the iceberg cost of some pairs changes by some per cent, or their freight
does, or their trade is forbidden. Three ways to answer, from the simplest: the elasticity alone; structural gravity
(outputs kept, resistances move); general equilibrium, in one sector or in many with inputs and tariffs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from landbridge.data.tables import Tables
from landbridge.errors import LandbridgeError, UnknownName
from landbridge.model import trade
from landbridge.scenario.tariffs import members_of
from landbridge.study.world import World, economy_of

__all__ = ["MODES", "Mode", "ShockResult", "Shocked", "pairs_named", "shock"]

F8 = npt.NDArray[np.float64]

Mode: TypeAlias = Literal["elasticity", "gravity", "ge"]
MODES: tuple[Mode, ...] = ("ge", "gravity", "elasticity")

#: Headline of each mode: what is the result, and what is not to be added to it.
HEADLINE = {
    "ge": "welfare: real spending of each country in general equilibrium; gains by the rule of half are not "
    "added to it",
    "gravity": "trade: flows with outputs and spending kept; this mode gives no welfare",
    "elasticity": "trade: flows by the elasticity alone; this mode gives no welfare",
}


#: Part of a flow below which gravity is taken to have left it as it was.
UNMOVED = 1e-9


@dataclass(frozen=True)
class Shocked:
    """One directed pair that is shocked, with what happens to its cost: a factor, infinite for an embargo."""

    exporter: str
    importer: str
    tau_hat: float


@dataclass(frozen=True, eq=False)
class ShockResult:
    """What a shock does.

    Attributes
    ----------
    mode, theta, deficits, source
        How it was computed, on which flows.
    headline
        What is to be read as the result.
    countries
        Rows: country, welfare_pct, real_wage_pct, acr_pct, exports_pct, imports_pct, home_share_before,
        home_share_after (a fall is import competition), exports_before, exports_after; welfare is None where the mode
        gives none.
    pairs
        Rows: exporter, importer, tau_hat, before, after, change_pct.
    sectors
        Rows: sector, country, output_pct, home_share_before, home_share_after; empty for one sector.
    notes
        What to keep in mind.
    iterations, gap
        Of the solver; zero where nothing is solved.
    """

    mode: Mode
    theta: float | None
    deficits: str
    source: str
    headline: str
    countries: list[dict[str, Any]]
    pairs: list[dict[str, Any]]
    sectors: list[dict[str, Any]]
    notes: tuple[str, ...]
    iterations: int = 0
    gap: float = 0.0


def pairs_named(text: str, world: World, tables: Tables | None) -> list[tuple[str, str]]:
    """Return the directed pairs of a text such as ``CN-KZ`` (both ways), ``CN>KZ`` (one way) or ``eu-RUS``.

    Parameters
    ----------
    text
        Two names joined by ``-`` or ``>``: countries by two or three letters, or blocs of the atlas.
    world
        Whose countries are meant.
    tables
        The atlas, for two letters and blocs.

    Returns
    -------
    list of (exporter, importer)

    Raises
    ------
    LandbridgeError
        If the text has another form, or means no two different countries.
    UnknownName
        If a name is not in the world.
    """
    one_way = ">" in text
    ends = text.split(">" if one_way else "-")
    if len(ends) != 2 or not all(ends):
        raise LandbridgeError(f"wanted a pair such as CN-KZ (both ways) or CN>KZ (one way), got {text!r}")
    iso3 = dict(tables["countries"].select("iso2", "iso3").iter_rows()) if tables else {}
    blocs = members_of(tables) if tables else {}

    def meant(name: str) -> list[str]:
        for each in (name, name.upper(), iso3.get(name.upper(), "")):
            if each in world.countries:
                return [each]
        if name.lower() in blocs:
            return [c for c in world.countries if c in blocs[name.lower()]]
        raise UnknownName("country or bloc", name, [*world.countries, *iso3, *blocs])

    first, second = meant(ends[0].strip()), meant(ends[1].strip())
    found = [(a, b) for a in first for b in second if a != b]
    if not found:
        raise LandbridgeError(f"{text!r} means no two different countries of {world.source}")
    return found if one_way else list(dict.fromkeys([*found, *((b, a) for a, b in found)]))


def _percent(new: F8, old: F8) -> list[float | None]:
    return [100 * (n / o - 1) if o > 0 else None for n, o in zip(new.tolist(), old.tolist(), strict=True)]


def _home(flows: F8) -> F8:
    bought = flows.sum(axis=-2)
    own = np.diagonal(flows, axis1=-2, axis2=-1)
    share: F8 = np.divide(own, bought, out=np.full_like(bought, np.nan), where=bought > 0)
    return share


def _without_home(source: str, old: F8, new: F8, tau: F8) -> str:
    """Say what gravity keeps in a matrix without sales at home, or refuse it where that leaves nothing to move."""
    hit = (old > 0) & (tau != 1.0)
    if hit.any() and np.allclose(new[hit], old[hit], rtol=UNMOVED, atol=0.0):
        raise LandbridgeError(
            f"{source}: gravity keeps what each country sells and buys, and without sales at home (rows with exporter "
            f"= importer) this shock leaves nothing that could move; add them, or use --mode elasticity"
        )
    return (
        "no sales at home in the matrix: gravity keeps what each country sells and buys abroad, so exports and imports "
        "stay at 0 % and only their partners change (the table of pairs); add rows with exporter = importer to let "
        "trade abroad grow or shrink"
    )


def _abroad(flows: F8) -> F8:
    out = flows.copy()
    np.fill_diagonal(out, 0.0)
    return out


def shock(
    world: World,
    shocked: Sequence[Shocked],
    *,
    mode: Mode = "ge",
    theta: float = 4.0,
    deficits: trade.Deficits = "additive",
    many: bool = False,
    tables: Tables | None = None,
) -> ShockResult:
    """Answer a shock.

    Parameters
    ----------
    world
        Flows before.
    shocked
        Directed pairs and the change of their cost.
    mode
        How trade answers.
    theta
        Trade elasticity of one sector. Many sectors have the atlas' own.
    deficits
        For general equilibrium in one sector.
    many
        General equilibrium in many sectors with inputs and tariffs; for the atlas' world only.
    tables
        The atlas, for many sectors.

    Returns
    -------
    ShockResult

    Raises
    ------
    NoEquilibrium
        If the shock has no equilibrium.
    NotConverged
        If it was not found.
    LandbridgeError
        If the mode does not go with the world.
    """
    names = world.countries
    number = {c: i for i, c in enumerate(names)}
    tau = np.ones((len(names), len(names)))
    for s in shocked:
        tau[number[s.exporter], number[s.importer]] *= s.tau_hat
    notes = [*world.notes]
    zero = [f"{s.exporter}>{s.importer}" for s in shocked if world.total[number[s.exporter], number[s.importer]] == 0]
    if zero:
        notes.append(f"no trade to answer (zero stays zero): {', '.join(zero[:8])}")
    if mode == "ge" and not world.home():
        raise LandbridgeError(
            f"{world.source}: general equilibrium needs sales at home (rows with exporter = importer), and "
            f"there are none; "
            f"add them, or use --mode gravity or elasticity"
        )
    if many and (mode != "ge" or tables is None):
        raise LandbridgeError("many sectors go with general equilibrium on the atlas' own trade")
    welfare: list[float | None] = [None] * len(names)
    wage, acr = list(welfare), list(welfare)
    sectors: list[dict[str, Any]] = []
    iterations, gap = 0, 0.0
    old = world.total
    if mode == "elasticity":
        trade.refuse(old, tau**-theta, names=names)
        new = trade.partial(old, tau, theta)
    elif mode == "gravity":
        new = trade.conditional(old, tau**-theta, names=names)
        if not world.home():
            notes.append(_without_home(world.source, old, new, tau))
    elif not many:
        found = trade.solve(old, tau, theta, deficits=deficits, names=names)
        new, iterations, gap = found.trade, found.iterations, found.gap
        welfare, wage = (100 * (found.welfare - 1)).tolist(), (100 * (found.real_wage - 1)).tolist()
        acr = [None if np.isnan(v) else 100 * (v - 1) for v in found.acr.tolist()]
    else:
        assert tables is not None  # noqa: S101 - asked above
        economy, told = economy_of(world, tables)
        notes += told
        notes.append(
            "the mix of inputs is each country's mean over its sectors; tariffs are means of primary and of "
            "manufactured goods where published (2015 to 2019), else over all goods (2015)"
        )
        after = trade.solve_sectors(economy, cost_hat=np.broadcast_to(tau, economy.trade.shape), names=names)
        new, iterations, gap = after.trade.sum(axis=0), after.iterations, after.gap
        welfare, wage = (100 * (after.welfare - 1)).tolist(), (100 * (after.real_wage - 1)).tolist()
        before_home, after_home = _home(economy.trade), _home(after.trade)
        made = economy.trade.sum(axis=2)
        for k, sector in enumerate(world.sectors):
            for i, name in enumerate(names):
                if made[k, i] > 0:
                    sectors.append(
                        {
                            "sector": sector,
                            "country": name,
                            "output_pct": 100 * (after.output[k, i] / made[k, i] - 1),
                            "home_share_before": float(before_home[k, i]),
                            "home_share_after": float(after_home[k, i]),
                        }
                    )
    before, after_abroad = _abroad(old), _abroad(new)
    exports = _percent(after_abroad.sum(axis=1), before.sum(axis=1))
    imports = _percent(after_abroad.sum(axis=0), before.sum(axis=0))
    home0, home1 = _home(old), _home(new)
    if any(np.isinf(s.tau_hat) for s in shocked):
        notes.append("trade of the pairs is forbidden: the iceberg cost is infinite")
    if world.home() and mode == "ge" and not many:
        notes.append(
            "ACR: welfare by the change of the home share alone, exact where trade balances; the difference to "
            "welfare is "
            "the effect of the deficit"
        )
    pairs = []
    for s in shocked:
        e, i = number[s.exporter], number[s.importer]
        pairs.append(
            {
                "exporter": s.exporter,
                "importer": s.importer,
                "tau_hat": s.tau_hat,
                "before": float(old[e, i]),
                "after": float(new[e, i]),
                "change_pct": 100 * (new[e, i] / old[e, i] - 1) if old[e, i] > 0 else None,
            }
        )
    countries = [
        {
            "country": name,
            "welfare_pct": welfare[i],
            "real_wage_pct": wage[i],
            "acr_pct": acr[i],
            "exports_pct": exports[i],
            "imports_pct": imports[i],
            "home_share_before": None if np.isnan(home0[i]) else float(home0[i]),
            "home_share_after": None if np.isnan(home1[i]) else float(home1[i]),
        }
        for i, name in enumerate(names)
    ]
    return ShockResult(
        mode, None if many else theta, "kept in the numeraire" if many else deficits, world.source, HEADLINE[mode],
        countries, pairs, sectors, tuple(notes), iterations, gap,
    )  # fmt: skip
