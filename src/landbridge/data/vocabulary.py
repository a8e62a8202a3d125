"""Words that columns may hold, where the dictionary's references cannot say it, and what may be told only once.

Lists of modes, countries by more than one code, traders, currencies, headings; rows that several columns together name.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from landbridge.errors import Fault, suggest

__all__ = ["MODES", "once_faults", "word_faults"]

#: Modes of links.
MODES = ("rail", "road", "sea", "ferry")
DIRECTIONS = ("export", "import")
ANY = "*"

MODE_LISTS = {"passages": ("modes",), "event_effects": ("modes",), "lengths": ("modes",)}
COUNTRIES = {
    "passages": ("avoid_countries", "all_countries", "no_countries"),
    "pipelines": ("from_country", "to_country", "countries"),
}
COUNTRIES_OR_BLOCS = {"passages": ("ends_in",)}
TRADERS = {
    "tariffs": ("importer", "exporter"),
    "past_totals": ("exporter", "importer"),
    "past_breaks": ("exporter", "importer"),
}

#: Tables of the rows that a kind of the crosswalk ties, and their key.
TIED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "country": (("countries", "iso2"), ("blocs", "bloc")),
    "place": (("places", "id"),),
    "crossing": (("crossings", "id"), ("links", "id")),
    "service": (("services", "id"), ("links", "id")),
    "terminal": (("places", "id"),),
    "passage": (("passages", "id"), ("internal_corridors", "id")),
}

#: Columns that together tell a row of a table with ids: of two rows that say the same, one would be taken by chance.
#: Terminals are not here: a place may have two of one kind.
ONCE: Mapping[str, tuple[str, ...]] = {
    "access": ("mode", "cargo"),
    "emissions": ("mode", "traction", "country", "line"),
    "gauge_changes": ("place", "from_mm", "to_mm", "option", "cargo"),
    "goods_output": ("iso3", "sector", "year"),
    "growth": ("exporter", "importer", "commodity", "from_year"),
    "hs_groups": ("hs",),
    "mode_shares": ("exporter", "importer", "commodity"),
    "past_prices": ("commodity", "year"),
    "past_totals": ("exporter", "importer", "both_ways", "year", "use"),
    "rates": ("country", "mode"),
    "sea_quotes": ("date", "lane"),
    "services": ("place", "link"),
    "subsidies": ("country", "payer", "place", "year_from"),
    "tariffs": ("importer", "exporter", "goods", "year"),
    "trade_overrides": ("exporter", "importer", "commodity"),
    "upgrades": ("table", "subject", "from_date", "project"),
    "year_values": ("parameter", "year"),
}


def _there(frames: Mapping[str, pl.DataFrame], table: str, *columns: str) -> bool:
    return table in frames and set(columns) <= set(frames[table].columns)


def word_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return words that stand for nothing that their column may hold.

    Parameters
    ----------
    frames
        Tables by name; checks whose tables or columns are missing are left out.
    """
    faults: list[Fault] = []
    faults += _columns(frames, MODE_LISTS, set(MODES), " or ".join(MODES))
    faults += _columns(frames, {"subsidies": ("direction",)}, set(DIRECTIONS), "export, import or both, divided by ;")
    if _there(frames, "countries", "iso2", "iso3") and _there(frames, "blocs", "bloc"):
        iso2, iso3 = (set(frames["countries"][code].drop_nulls()) for code in ("iso2", "iso3"))
        blocs = set(frames["blocs"]["bloc"].drop_nulls())
        faults += _columns(frames, COUNTRIES, iso2, "an ISO2 code of countries.csv")
        faults += _columns(frames, COUNTRIES_OR_BLOCS, iso2 | blocs, "an ISO2 code or a bloc")
        faults += _columns(frames, TRADERS, iso3 | blocs | {ANY}, "an ISO3 code, a bloc or *")
    if _there(frames, "commodities", "id", "group"):
        groups = set(frames["commodities"]["group"].drop_nulls())
        goods = groups | set(frames["commodities"]["id"].drop_nulls()) | {ANY}
        faults += _columns(frames, {"past_prices": ("commodity",)}, groups, "a group of commodities.csv")
        faults += _columns(frames, {"premiums": ("goods",)}, goods, "goods of commodities.csv, a group of them or *")
    if _there(frames, "lines", "id"):
        lines = frames["lines"]["id"].drop_nulls().to_list()
        for name, line in _cells(frames, "emissions", "line"):
            if not fnmatch.filter(lines, line):
                wanted = _like("a line, * allowed", line, lines)
                faults.append(Fault("emissions.csv", name, "line", wanted, repr(line)))
    return [*faults, *_codes(frames), *_money(frames), *_crosswalk(frames)]


def _cells(frames: Mapping[str, pl.DataFrame], table: str, column: str) -> Iterator[tuple[str, str]]:
    """Name of the row and each word of a column that is stated; the words of a list one by one."""
    if not _there(frames, table, "id", column):
        return
    for name, value in frames[table].select("id", column).drop_nulls().iter_rows():
        for word in value if isinstance(value, list) else (value,):
            yield name, word


def _columns(
    frames: Mapping[str, pl.DataFrame], columns: Mapping[str, Iterable[str]], known: set[str], wanted: str
) -> Iterator[Fault]:
    for table, names in columns.items():
        for column in names:
            for row, word in _cells(frames, table, column):
                if word not in known:
                    yield Fault(f"{table}.csv", row, column, _like(wanted, word, sorted(known)), repr(word))


def _like(wanted: str, word: str, candidates: list[str]) -> str:
    near = suggest(word, candidates)
    return f"{wanted}; did you mean {', '.join(near)}?" if near else wanted


def _codes(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Headings of the Harmonised System are of two or four digits; a UN/LOCODE begins with its country."""
    for row, code in _cells(frames, "hs_groups", "hs"):
        if not re.fullmatch(r"\d{2}(\d{2})?", code):
            yield Fault("hs_groups.csv", row, "hs", "two or four digits", repr(code))
    if _there(frames, "places", "id", "iso2", "unlocode"):
        for row, country, code in frames["places"].select("id", "iso2", "unlocode").drop_nulls().iter_rows():
            if not re.fullmatch(r"[A-Z]{2}[A-Z2-9]{3}", code.replace(" ", "")) or not code.startswith(country):
                yield Fault("places.csv", row, "unlocode", f"{country} and three letters or digits", repr(code))


def _money(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """A currency has its code and its rate, and dollars are worth one dollar."""
    if not _there(frames, "rates", "id", "currency", "exchange_rate"):
        return
    for row, currency, rate in frames["rates"].select("id", "currency", "exchange_rate").iter_rows():
        if currency is None and rate is None:
            continue
        if currency is None or not re.fullmatch(r"[A-Z]{3}", currency):
            wanted = "the three letters of ISO 4217, as KZT"
            yield Fault("rates.csv", row, "currency", wanted, "nothing" if currency is None else repr(currency))
        elif rate is None:
            yield Fault("rates.csv", row, "exchange_rate", f"{currency} in a dollar", "nothing")
        elif currency == "USD" and rate != 1:
            yield Fault("rates.csv", row, "exchange_rate", "1, as the price is in dollars", f"{rate:g}")


def _crosswalk(frames: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """What a row ties is there, and has the codes that it states."""
    if not _there(frames, "crosswalk", "kind", "atlas_id", "iso2", "iso3"):
        return
    ids = {
        kind: {name for table, key in tables if _there(frames, table, key) for name in frames[table][key].drop_nulls()}
        for kind, tables in TIED.items()
        if all(_there(frames, table, key) for table, key in tables)
    }
    code = {}
    if _there(frames, "countries", "iso2", "iso3"):
        code = dict(frames["countries"].select("iso2", "iso3").drop_nulls().iter_rows())
    rows = frames["crosswalk"].select("kind", "atlas_id", "iso2", "iso3").iter_rows()
    for line, (kind, name, iso2, iso3) in enumerate(rows, start=2):
        row = f"row {line} ({name or kind})"
        if name is not None and kind in ids and name not in ids[kind] and not fnmatch.filter(ids[kind], name):
            tables = " or ".join(f"{table}.csv" for table, _ in TIED[kind])
            wanted = _like(f"an id of {tables}", name, sorted(ids[kind]))
            yield Fault("crosswalk.csv", row, "atlas_id", wanted, repr(name))
        if None not in (iso2, iso3) and iso2 in code and iso3 != code[iso2]:
            yield Fault("crosswalk.csv", row, "iso3", f"{code[iso2]}, the code of {iso2}", repr(iso3))


def once_faults(frames: Mapping[str, pl.DataFrame]) -> list[Fault]:
    """Return rows that say of something what another row says of it too, under another id."""
    faults = []
    for table, columns in ONCE.items():
        if not _there(frames, table, "id", *columns):
            continue
        first: dict[tuple[object, ...], str] = {}
        for name, *values in frames[table].select("id", *columns).iter_rows():
            said = tuple(values)
            if said in first and first[said] != name:
                wanted = "each once, as one of two rows would be taken by chance"
                faults.append(Fault(f"{table}.csv", name, ", ".join(columns), wanted, f"also in {first[said]}"))
            first.setdefault(said, name)
    return faults
