"""What demand is made of and what it is: tables that come in, columns that are read, arrays that come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["ANY", "ASIDE", "FIXED_MODES", "GROWTH", "READS", "SIZES", "Columns", "Demand", "DemandTables"]

Columns = Mapping[str, Sequence[Any]]
F8 = npt.NDArray[np.float64]
I4 = npt.NDArray[np.int32]

#: Modes that take a fixed part of a relation's trade.
FIXED_MODES = ("rail", "road", "pipeline", "sea", "air")

#: What is counted and neither assigned nor fixed: rows of `Demand.aside_tonnes_yr`.
ASIDE = ("elsewhere", "within_zone", "without_zone", "left_out")

#: Of each size: the lots in tonnes a year in which the trade of two countries is dealt out over their zones (see
#: `_spread`; none of it is lost), and the most relations kept (what is left out is counted); None keeps all.
SIZES: Mapping[str, tuple[float, int | None]] = {
    "full": (0.0, None),
    "corridor": (40_000.0, 5000),
    "reduced": (200_000.0, 300),
}

#: Paths of growth, by the column that holds their rates.
GROWTH: Mapping[str, str] = {
    "mean": "growth_pct_yr",
    "low": "growth_low_pct_yr",
    "high": "growth_high_pct_yr",
}

#: Columns that `build` reads, by table; those of trade that measures write to may be absent.
READS: Mapping[str, tuple[str, ...]] = {
    "trade": tuple("exporter importer year commodity tonnes factor added_t level level_year share_left".split()),
    "bulk_trade": tuple("exporter importer year product tonnes factor added_t level level_year share_left".split()),
    "trade_overrides": ("exporter", "importer", "commodity", "tonnes", "tonnes_factor"),
    "commodities": ("id", "group", "baci_products", "share_of_group"),
    "mode_shares": ("exporter", "importer", "commodity", *FIXED_MODES, "switch"),
    "zones": ("id", "country"),
    "zone_shares": ("zone", "commodity", "partner", "export_share", "import_share"),
    "growth": ("exporter", "importer", "commodity", "from_year", "to_year", *GROWTH.values()),
    "countries": ("iso3", "iso2"),
    "blocs": ("bloc", "iso2"),
}

#: Country codes of blocs are two letters, of trade three; both spell "any" so.
ANY = "*"


class DemandTables(Protocol):
    """The tables that `build` needs, each as columns by name.

    trade, bulk_trade, trade_overrides, commodities, mode_shares, zones, zone_shares, growth, countries, blocs; columns
    and units as in the atlas' dictionary. ``trade`` and ``bulk_trade`` may carry ``factor`` (times the trade),
    ``added_t`` (tonnes added to it), ``level`` and ``level_year`` (what the trade of the base year has grown to by a
    year, in place of the growth stated for all), and ``share_left`` (the part that is allowed).
    """

    def __getitem__(self, name: str, /) -> Columns: ...


@dataclass(frozen=True)
class Demand:
    """Tonnes a year by relation, and what was set apart.

    Attributes
    ----------
    zones, commodities, countries
        Names behind the indices; countries by ISO 3166 alpha-3.
    origin, destination : int32[R]
        Zones of a relation.
    commodity : int32[R]
    exporter, importer : int32[R]
        Countries of the trade; with zones in a neighbouring country they differ from the zones' own.
    tonnes_yr : float64[R]
    captive : bool[R]
        Whether the cargo has no alternative to the land network.
    fixed_exporter, fixed_importer, fixed_commodity : int32[S]
    fixed_mode : int8[S]
        Index into `FIXED_MODES` (rail stands in the relations, never here).
    fixed_tonnes_yr : float64[S]
    without_zone : tuple of (country, tonnes a year)
        Trade that could use the land network but whose country has no zone in the atlas.
    elsewhere_tonnes_yr : float
        Trade of pairs of countries of which nothing can use the land network.
    within_zone_tonnes_yr : float
        Trade between countries that share one zone, which no network of zones can carry.
    left_out_tonnes_yr : float
        Tonnes of relations left out by the study's size.
    left_out_relations : int
    unmatched_tonnes_yr : float
        Recorded bulk goods above the total of their group, which were kept (the group's total was raised).
    aside_tonnes_yr : float64[4, C]
        By what is in `ASIDE` and commodity: the sums above, as the demand was built.
    """

    zones: tuple[str, ...]
    commodities: tuple[str, ...]
    countries: tuple[str, ...]
    origin: I4
    destination: I4
    commodity: I4
    exporter: I4
    importer: I4
    tonnes_yr: F8
    captive: npt.NDArray[np.bool_]
    fixed_exporter: I4
    fixed_importer: I4
    fixed_commodity: I4
    fixed_mode: npt.NDArray[np.int8]
    fixed_tonnes_yr: F8
    without_zone: tuple[tuple[str, float], ...]
    elsewhere_tonnes_yr: float
    within_zone_tonnes_yr: float
    left_out_tonnes_yr: float
    left_out_relations: int
    unmatched_tonnes_yr: float
    aside_tonnes_yr: F8

    @property
    def relation_count(self) -> int:
        """Number of relations."""
        return len(self.origin)
