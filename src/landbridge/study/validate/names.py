"""The ids of target files in the atlas' terms: places, crossings, passages, countries and groups."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from landbridge.data.tables import Tables
from landbridge.study.validate.words import NotCovered

__all__ = ["LINES", "SECTIONS", "Names", "names_of"]

#: Places of targets that the atlas does not have, by the place that stands for them.
STAND_IN = {"absheron": "az-baku"}

#: Passages of the network that a target's `via` means, beyond those of the crosswalk.
VIA = {"aktau": "west-2-caspian"}

#: The crossing whose goods are a line's.
LINES = {"btk": "akhalkalaki", "cku-railway": "torugart-makmal"}

#: Crossings of a corridor whose borders somebody measures.
SECTIONS = {"carec-1": "alashankou-dostyk+khorgos-altynkol"}


@dataclass(frozen=True)
class Names:
    """Who is who.

    Attributes
    ----------
    place, terminal, crossing, passage
        Ids of the atlas by ids of targets; ferry lines are crossings by their link.
    iso2, iso3
        Country by id of targets; three letters by two.
    blocs
        Countries (two letters) by group.
    boxes
        Commodities that travel in boxes, the empty box among them.
    """

    place: dict[str, str]
    terminal: dict[str, str]
    crossing: dict[str, str]
    passage: dict[str, str]
    iso2: dict[str, str]
    iso3: dict[str, str]
    blocs: dict[str, frozenset[str]]
    boxes: tuple[str, ...]
    known_crossings: frozenset[str]
    rail_crossings: tuple[str, ...]
    road_crossings: tuple[str, ...]

    @property
    def boxed(self) -> pl.Expr:
        """Rows of flows that are boxes."""
        return pl.col("commodity").is_in(list(self.boxes))

    def is_group(self, name: str) -> bool:
        """Whether a name is a country or a group of countries."""
        return name in self.iso2 or name in self.blocs or name == "world"

    def group(self, name: str) -> frozenset[str]:
        """Countries (two letters) of a country or group.

        Raises
        ------
        NotCovered
            If the atlas has none of that name.
        """
        if name in self.iso2:
            return frozenset({self.iso2[name]})
        if name == "world":
            return frozenset(self.iso3)
        if name not in self.blocs:
            raise NotCovered(f"no country or group {name} in the atlas")
        return self.blocs[name]

    def traders(self, name: str) -> list[str]:
        """Countries (three letters) of a country or group."""
        return sorted(self.iso3[c] for c in self.group(name) if c in self.iso3)

    def crossings(self, thing: str) -> list[str]:
        """Crossings, or ferry lines, of the atlas that a sum over several means."""
        return [self.crossing.get(i, i) for i in SECTIONS.get(thing, thing).split("+")]


def names_of(tables: Tables) -> Names:
    """Read the crosswalk of a package."""
    crosswalk = tables["crosswalk"].filter(pl.col("target_id").is_not_null())
    named = crosswalk.filter(pl.col("atlas_id").is_not_null())

    def ids(kind: str) -> dict[str, str]:
        rows = named.filter(pl.col("kind") == kind)
        return dict(zip(rows["target_id"], rows["atlas_id"], strict=True))

    countries = crosswalk.filter(pl.col("kind") == "country")
    pairs = zip(tables["countries"]["iso2"], tables["countries"]["iso3"], strict=True)
    blocs: dict[str, set[str]] = {}
    for bloc, iso2 in tables["blocs"].select("bloc", "iso2").iter_rows():
        blocs.setdefault(bloc, set()).add(iso2)
    frame = tables["crossings"]
    modes = {m: tuple(frame.filter(pl.col("mode") == m)["id"].to_list()) for m in ("rail", "road")}
    terminals = ids("terminal")
    return Names(
        place={**STAND_IN, **terminals, **ids("place")},
        terminal=terminals,
        crossing=ids("crossing"),
        passage={**ids("passage"), **VIA},
        iso2={t: i for t, i in zip(countries["target_id"], countries["iso2"], strict=True) if i},
        iso3={a: b for a, b in pairs if a},
        blocs={name: frozenset(members) for name, members in blocs.items()},
        boxes=(*tables["commodities"].filter(pl.col("form") == "container")["id"].to_list(), "empty_box"),
        known_crossings=frozenset(frame["id"].to_list()),
        rail_crossings=modes["rail"],
        road_crossings=modes["road"],
    )
