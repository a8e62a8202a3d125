"""Find what a user means by the name of a place or a country."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from landbridge.data.tables import Tables
from landbridge.errors import UnknownName

__all__ = ["find_country", "find_place", "fold"]


#: Letters that Unicode does not take apart, as English spells them; apostrophes join (Xi'an is Xian).
PLAIN = str.maketrans("łøıđðəŁØĐÐƏ", "loidda" + "LODDA") | dict.fromkeys(map(ord, "'’‘ʻʼʹ`"), "")
PLAIN |= {ord("ß"): "ss", ord("æ"): "ae", ord("œ"): "oe", ord("þ"): "th"}


@lru_cache(maxsize=8192)  # the names of an atlas, several times over
def fold(text: str) -> str:
    """Return words as they are compared: lower case, without accents, apostrophes and punctuation."""
    plain = unicodedata.normalize("NFKD", text.translate(PLAIN)).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", " ", plain).strip()


def find_place(tables: Tables, name: str) -> str:
    """Return the id of a place named by id, UN/LOCODE, name, or words of its name, in any case and without accents.

    Where a name fits several places the most important one is taken: the lower tier, then dry ports and cities before
    ports and stations, then the first in the atlas.

    Raises
    ------
    UnknownName
        With suggestions.
    """
    order = {"dryport": 0, "city": 1, "port": 2, "border": 3}
    places = tables["places"].select("id", "name", "unlocode", "kind", "tier").rows()
    if any(name == row[0] for row in places):
        return name
    wanted = fold(name)
    hits: list[tuple[tuple[int, int, int, int], str]] = []
    for position, (place, full, unlocode, kind, tier) in enumerate(places):
        folded = fold(full)
        short = fold(re.split(r"[(/,]", full)[0])
        if not wanted:
            continue
        if wanted in (fold(place), (unlocode or "").casefold()):
            quality = 0
        elif wanted in (folded, short):
            quality = 1
        elif f" {wanted} " in f" {folded} ":
            quality = 2
        else:
            continue
        hits.append(((quality, tier, order.get(kind, 4), position), place))
    if not hits:
        candidates = (
            [row[1] for row in places]
            + [re.split(r" ?[(/,]", row[1])[0] for row in places]
            + [row[0] for row in places]
        )
        raise UnknownName("place", name, list(dict.fromkeys(candidates)))
    return min(hits)[1]


def find_country(tables: Tables, name: str) -> str:
    """Return the ISO 3166 two-letter code of a country named by code or by name.

    Raises
    ------
    UnknownName
        With suggestions.
    """
    rows = tables["countries"].select("iso2", "iso3", "name").rows()
    wanted = fold(name)
    for iso2, iso3, full in rows:
        if wanted and iso2 and wanted in (fold(iso2), fold(iso3 or ""), fold(full or "")):
            return str(iso2)
    raise UnknownName("country", name, [r[2] for r in rows if r[2]] + [r[0] for r in rows if r[0]])
