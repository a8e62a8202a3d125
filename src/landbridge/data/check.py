"""Check a whole data package: what the dictionary says, and what only the tables together can tell.

`landbridge.data.read` already refuses cells that do not fit the dictionary. Here come geography (both sides of a
border, gauge at yards, countries along a link, geometry), sums (shares that add to one), and the origin of all numbers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from landbridge.data.attributes import attribute_faults
from landbridge.data.dictionary import Dictionary, read_dictionary
from landbridge.data.keys import cell, key_columns, row_names
from landbridge.data.provenance import USER, Origins, coverage, origin_faults, read_origins, row_keys
from landbridge.data.read import read_descriptor, read_frames
from landbridge.data.tables import Tables
from landbridge.errors import Fault, UnknownName

__all__ = ["check_package", "explain", "frame_faults", "source_use"]

#: Country kilometres may differ from the length of a link by this part, or by this much.
LENGTH_SLACK, LENGTH_SLACK_KM = 0.02, 2.0
SHARE_SLACK = 1e-6

LINK_COLUMNS = "id place_a place_b mode status line closed_from closed_to gauges_mm country_km length_km drawn_km"
CROSSING_COLUMNS = "id link place_a place_b country_a country_b mode closed_from closed_to"


def check_package(folder: Path) -> tuple[list[Fault], pl.DataFrame]:
    """Check a data package.

    Parameters
    ----------
    folder
        Its folder.

    Returns
    -------
    faults : list of Fault
        All of them; empty when the package is sound.
    origins : polars.DataFrame
        Number cells by table, column and kind of origin.
    """
    frames, dictionary, faults = read_frames(folder)
    faults += read_descriptor(folder)[1]
    faults += frame_faults(frames)
    if _there(frames, links="id"):
        faults += _geometry(folder, frames)
    faults += origin_faults(folder, frames, dictionary)
    return faults, coverage(folder, frames, dictionary)


def frame_faults(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    """Return what only the tables together can tell: geography and sums.

    Parameters
    ----------
    frames
        Tables by name, as `landbridge.data.read.read_frames` gives them; checks whose columns are missing are left out.
    """
    faults: list[Fault] = []
    if _there(frames, places="id iso2", countries="iso2", lines="id mode", links=LINK_COLUMNS):
        faults += _links(frames)
    if _there(
        frames,
        places="id iso2",
        countries="iso2",
        links="id place_a place_b mode country_km",
        crossings=CROSSING_COLUMNS,
    ):
        faults += _crossings(frames)
    if _there(frames, places="id gauges_mm", gauge_changes="id place from_mm to_mm cargo cost_usd_teu cost_usd_t"):
        faults += _yards(frames)
    if _there(frames, mode_shares="id rail road pipeline sea air switch"):
        faults += _mode_shares(frames)
    if _there(frames, commodities="group share_of_group"):
        faults += _group_shares(frames)
    if _there(frames, zones="id country", zone_shares="zone commodity partner export_share import_share"):
        faults += _zone_shares(frames)
    faults += attribute_faults(frames)
    return faults


def _there(frames: Mapping[str, pl.DataFrame], **needed: str) -> bool:
    """Whether tables have the columns that a check reads; what is missing has been told by then."""
    return all(table in frames and set(names.split()) <= set(frames[table].columns) for table, names in needed.items())


def _links(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    faults = []
    country = dict(zip(frames["places"]["id"], frames["places"]["iso2"], strict=True))
    known = set(frames["countries"]["iso2"].drop_nulls().to_list())
    mode_of = dict(zip(frames["lines"]["id"], frames["lines"]["mode"], strict=True))
    for row in frames["links"].to_dicts():
        name = f"row of {row['id']}"
        if row["line"] in mode_of and mode_of[row["line"]] != row["mode"]:
            faults.append(
                Fault(
                    "links.csv",
                    name,
                    "line",
                    f"a line of mode {row['mode']}",
                    f"{row['line']} ({mode_of[row['line']]})",
                )
            )
        if row["closed_from"] and row["closed_to"] and row["closed_to"] < row["closed_from"]:
            faults.append(
                Fault("links.csv", name, "closed_to", f"a date not before {row['closed_from']}", str(row["closed_to"]))
            )
        if row["place_a"] == row["place_b"]:
            faults.append(Fault("links.csv", name, "place_b", "another place than place_a", row["place_b"]))
        if row["mode"] == "rail" and not row["gauges_mm"]:
            faults.append(Fault("links.csv", name, "gauges_mm", "the gauge of the line", "nothing"))
        if row["mode"] not in ("rail", "road"):
            continue
        try:
            parts = {p.split(":")[0]: float(p.split(":")[1]) for p in (row["country_km"] or "").split(";")}
        except (IndexError, ValueError):
            faults.append(Fault("links.csv", name, "country_km", "ISO2:km;ISO2:km", repr(row["country_km"])))
            continue
        total, length = sum(parts.values()), row["length_km"] or 0.0
        if abs(total - length) > max(LENGTH_SLACK * length, LENGTH_SLACK_KM):
            faults.append(Fault("links.csv", name, "country_km", f"parts that add to {length:g} km", f"{total:g} km"))
        faults += [
            Fault("links.csv", name, "country_km", "countries of countries.csv", c) for c in parts if c not in known
        ]
        for end in ("place_a", "place_b"):
            if country.get(row[end]) not in parts:
                faults.append(
                    Fault(
                        "links.csv",
                        name,
                        "country_km",
                        f"kilometres in {country.get(row[end])}, where {row[end]} lies",
                        row["country_km"],
                    )
                )
        built = row["status"] == "existing"  # lines not built yet are drawn by a few points
        if built and row["drawn_km"] and length and row["drawn_km"] > length * 1.02 + LENGTH_SLACK_KM:
            faults.append(
                Fault("links.csv", name, "length_km", f"at least the drawn {row['drawn_km']:g} km", f"{length:g} km")
            )
    return faults


def _geometry(folder: Path, frames: dict[str, pl.DataFrame]) -> list[Fault]:
    path = folder / "links.geojson"
    if not path.is_file():
        return [Fault("links.geojson", "", "", "the lines of the links", "no such file")]
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        drawn = Counter(str(feature["id"]) for feature in features)
    except (ValueError, KeyError, TypeError) as error:
        return [Fault("links.geojson", "", "", "a GeoJSON feature collection with ids", str(error))]
    links = set(frames["links"]["id"].drop_nulls().to_list())
    faults = [
        Fault("links.geojson", name, "id", "one line for the link", "none") for name in sorted(links - set(drawn))
    ]
    faults += [Fault("links.geojson", name, "id", "a link of links.csv", name) for name in sorted(set(drawn) - links)]
    faults += [Fault("links.geojson", name, "id", "one line", f"{n} lines") for name, n in drawn.items() if n > 1]
    return faults


def _crossings(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    faults = []
    country = dict(zip(frames["places"]["id"], frames["places"]["iso2"], strict=True))
    known = set(frames["countries"]["iso2"].to_list())
    links = {row["id"]: row for row in frames["links"].to_dicts()}
    borders: dict[str, list[tuple[str | None, str | None]]] = {}
    for row in frames["crossings"].to_dicts():
        pair = (row["country_a"] or country.get(row["place_a"]), row["country_b"] or country.get(row["place_b"]))
        turned = row["link"] in links and row["place_a"] == links[row["link"]]["place_b"]  # told below
        borders.setdefault(row["link"], []).append(pair[::-1] if turned else pair)
    for row in links.values():
        met = _countries_met(row["country_km"], country.get(row["place_a"]), country.get(row["place_b"]))
        if row["mode"] not in ("rail", "road") or not set(met) <= known:
            continue  # countries that do not exist are told with the links
        crossed = list(pairwise(met))
        stated = borders.get(row["id"], [])
        for a, b in crossed:
            if (a, b) not in stated:
                wanted = f"a crossing for the border between {a} and {b}"
                faults.append(Fault("crossings.csv", row["id"], "link", wanted, "none"))
        for a, b in stated:
            if (a, b) not in crossed or stated.count((a, b)) > 1:
                wanted = f"one crossing for each border that the link meets ({', '.join(map(str, met))})"
                faults.append(Fault("crossings.csv", row["id"], "country_a, country_b", wanted, f"{a}, {b}"))
    for row in frames["crossings"].to_dicts():
        if row["closed_from"] and row["closed_to"] and row["closed_to"] < row["closed_from"]:
            wanted = f"a date not before {row['closed_from']}"
            faults.append(Fault("crossings.csv", row["id"], "closed_to", wanted, str(row["closed_to"])))
        link = links.get(row["link"])
        if link is None:
            continue
        if {row["place_a"], row["place_b"]} != {link["place_a"], link["place_b"]}:
            faults.append(
                Fault(
                    "crossings.csv",
                    row["id"],
                    "place_a, place_b",
                    f"the ends of {link['id']}",
                    f"{row['place_a']}, {row['place_b']}",
                )
            )
        elif row["place_a"] != link["place_a"]:
            faults.append(
                Fault(
                    "crossings.csv",
                    row["id"],
                    "place_a",
                    f"the order of the link: {link['place_a']} first",
                    row["place_a"],
                )
            )
        if row["mode"] != link["mode"]:
            faults.append(Fault("crossings.csv", row["id"], "mode", link["mode"], row["mode"]))
    return faults


def _countries_met(country_km: str | None, first: str | None, last: str | None) -> list[str | None]:
    """Countries along a link in the order in which they are met, as the network runs through them."""
    named = [part.split(":")[0] for part in (country_km or "").split(";") if part]
    between = [c for c in named if c not in (first, last)]
    return [first] if first == last and not between else [first, *between, last]


def _yards(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    faults = []
    gauges = dict(zip(frames["places"]["id"], frames["places"]["gauges_mm"].to_list(), strict=True))
    for row in frames["gauge_changes"].to_dicts():
        there = gauges.get(row["place"]) or []
        faults += [
            Fault("gauge_changes.csv", row["id"], end, f"a gauge of {row['place']} ({there})", str(row[end]))
            for end in ("from_mm", "to_mm")
            if row[end] not in there
        ]
        if row["from_mm"] == row["to_mm"]:
            faults.append(Fault("gauge_changes.csv", row["id"], "to_mm", "another gauge", str(row["to_mm"])))
        money = "cost_usd_teu" if row["cargo"] == "container" else "cost_usd_t"
        if row[money] is None:
            faults.append(Fault("gauge_changes.csv", row["id"], money, f"a price for {row['cargo']}", "nothing"))
    return faults


def _mode_shares(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    faults = []
    modes = ["rail", "road", "pipeline", "sea", "air", "switch"]
    for row in frames["mode_shares"].to_dicts():
        total = sum(row[m] or 0.0 for m in modes)
        if abs(total - 1) > SHARE_SLACK:
            faults.append(Fault("mode_shares.csv", row["id"], ", ".join(modes), "shares that add to 1", f"{total:g}"))
    return faults


def _group_shares(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    faults = []
    groups = frames["commodities"].group_by("group", maintain_order=True).agg(pl.col("share_of_group").sum())
    for group, total in groups.rows():
        if abs(total - 1) > SHARE_SLACK:
            faults.append(
                Fault("commodities.csv", group, "share_of_group", "shares of the group that add to 1", f"{total:g}")
            )
    return faults


def _zone_shares(frames: dict[str, pl.DataFrame]) -> list[Fault]:
    faults = []
    zones = frames["zone_shares"].join(
        frames["zones"].select("id", "country"), left_on="zone", right_on="id", how="left"
    )
    for side in ("export_share", "import_share"):
        sums = zones.group_by("country", "commodity", "partner", maintain_order=True).agg(pl.col(side).sum())
        for country, commodity, partner, total in sums.rows():
            if total > SHARE_SLACK and abs(total - 1) > SHARE_SLACK:
                faults.append(
                    Fault(
                        "zone_shares.csv",
                        f"{country}, {commodity}, {partner}",
                        side,
                        "shares that add to 1",
                        f"{total:g}",
                    )
                )
    return faults


def source_use(folder: Path, tables: Tables) -> pl.DataFrame:
    """Sources with the number of provenance rows that rest on each."""
    use: Counter[str] = Counter()
    for table in read_dictionary(folder).tables:
        origins, _ = read_origins(folder, table)
        use.update(source for origin in origins.all for source in origin.sources)
    return tables["sources"].with_columns(
        pl.col("id").replace_strict(dict(use), default=0, return_dtype=pl.Int64).alias("rests_on")
    )


def explain(folder: Path, tables: Tables, table: str, row: str, column: str) -> dict[str, Any]:
    """Return one value with how it is known.

    Parameters
    ----------
    folder
        The package's folder.
    tables
        Its tables.
    table, row, column
        Which cell.

    Returns
    -------
    dict
        table, row, column, value, unit, meaning, kind, sources (as lines), reasoning. Kind is ``user`` for a value of
        the user's own overlay, whose file and row are the source.

    Raises
    ------
    UnknownName
        For a table, row or column that is not there.
    """
    dictionary: Dictionary = read_dictionary(folder)
    if table not in dictionary.tables:
        raise UnknownName("table", table, list(dictionary.tables))
    found = [c for c in dictionary.of(table) if c.name == column]
    if not found:
        raise UnknownName("column", column, [c.name for c in dictionary.of(table)])
    frame = tables[table]
    keys = row_keys(dictionary, table, frame)
    names = row_names(frame, key_columns(dictionary, table))
    if row not in keys and row not in names:
        raise UnknownName("row", row, names)
    place = names.index(row) if row in names else keys.index(row)
    row = keys[place]
    hit = frame[place]
    stored = "length_measured_km" if (table, column) == ("links", "length_km") else column
    origins: Origins = read_origins(folder, table)[0]
    origin = origins.of(row, column)
    sources = tables["sources"]
    facts = tables["facts"]
    lines = []
    for source in origin.sources if origin else ():
        listed = sources.filter(pl.col("id") == source)
        if listed.height:
            s = listed.row(0, named=True)
            lines.append(
                f"{source}: {s['publisher']}, {s['title']} ({s['date'] or 'no date'}) {s['address'] or ''}".strip()
            )
        elif (fact := facts.filter(pl.col("id") == source)).height:
            f = fact.row(0, named=True)
            value = "" if f["value"] is None else f"{f['value']:g} {f['unit'] or ''}"
            lines.append(
                f"{source}: {f['subject']}, {f['quantity']} {value}; {f['source_title']} {f['source_url'] or '-'}"
            )
        else:
            lines.append("the source columns of the row itself" if source == "row" else source)
    users = tables.overlay.values.get((table, names[place], column)) if tables.overlay else None
    if tables.overlay and users:
        known = f", of kind {origin.kind}" if origin and users.old is not None else ""
        instead = "for a row of the user's own" if users.added else f"in place of {cell(users.old) or 'nothing'}{known}"
        return {
            "table": table,
            "row": names[place],
            "column": column,
            "value": users.new,
            "unit": found[0].unit,
            "meaning": found[0].meaning,
            "kind": USER,
            "sources": [f"{tables.overlay.name}: {users.file}, row {users.line}"],
            "reasoning": f"The user's value, {instead}.",
        }
    return {
        "table": table,
        "row": row,
        "column": column,
        "value": hit[stored][0] if stored in hit.columns else None,
        "unit": found[0].unit,
        "meaning": found[0].meaning,
        "kind": origin.kind if origin else ("not a number" if not found[0].is_number else "none"),
        "sources": lines,
        "reasoning": origin.reasoning if origin else "",
    }
