"""The atlas as the map needs it: geometry, records with how each number is known, and the schema of measures."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import polars as pl

from landbridge.data.dictionary import read_dictionary
from landbridge.data.keys import key_columns, row_names
from landbridge.data.provenance import read_origins, row_keys
from landbridge.data.read import ATLAS
from landbridge.data.tables import Tables
from landbridge.data.why import explain
from landbridge.errors import UnknownName
from landbridge.scenario.measures import KINDS
from landbridge.scenario.select import known
from landbridge.show.web.shapes import (
    Cell,
    Commodity,
    Country,
    Crossing,
    Field_,
    Link,
    MapData,
    MeasureOut,
    Measures,
    Name,
    Place,
    RecordOut,
    Row,
)

__all__ = ["borders", "country_rows", "map_data", "measures", "record"]

Point = tuple[float, float]


def _folder(tables: Tables) -> Path:
    return tables.package.folder if tables.package else ATLAS


# ----------------------------------------------------------------------------------------------------- geometry


def _unrolled(points: list[list[float]]) -> list[Point]:
    """Points whose longitude goes on over the 180th meridian instead of jumping round the Earth."""
    out: list[Point] = []
    shift = 0.0
    for lon, lat, *_ in points:
        if out:
            step = lon + shift - out[-1][0]
            shift += -360.0 if step > 180 else 360.0 if step < -180 else 0.0
        out.append((round(lon + shift, 3), round(lat, 3)))
    return out


def _paths(tables: Tables) -> dict[str, list[Point]]:
    """The drawing of each link from its first place to its second; straight where there is none."""
    drawn = json.loads((_folder(tables) / "links.geojson").read_text(encoding="utf-8"))
    shapes: dict[str, list[list[float]]] = {}
    for feature in drawn["features"]:
        geometry = feature["geometry"]
        parts = geometry["coordinates"] if geometry["type"] == "MultiLineString" else [geometry["coordinates"]]
        shapes[feature.get("id") or feature["properties"]["id"]] = [point for part in parts for point in part]
    at = {i: [lon, lat] for i, lat, lon in tables["places"].select("id", "lat_deg", "lon_deg").rows()}
    found = {}
    for name, a, b in tables["links"].select("id", "place_a", "place_b").rows():
        points = shapes.get(name) or [at[a], at[b]]

        def far(p: list[float], q: list[float]) -> float:
            across = (p[0] - q[0] + 180) % 360 - 180
            return float(across**2 + (p[1] - q[1]) ** 2)

        if far(points[0], at[a]) > far(points[-1], at[a]):
            points = points[::-1]
        found[name] = _unrolled(points)
    return found


def _middle(path: list[Point]) -> Point:
    """The point half way along a path."""
    steps = [((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5 for a, b in pairwise(path)]
    rest = sum(steps) / 2
    for step, (a, b) in zip(steps, pairwise(path), strict=True):
        if rest <= step and step > 0:
            part = rest / step
            return (a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1]))
        rest -= step
    return path[0]


def disclaimer(tables: Tables) -> str:
    """The sentence about boundaries that every map carries."""
    path = _folder(tables) / "boundary_policy.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    quoted = [line.lstrip("> ").strip() for line in text.splitlines() if line.startswith(">")]
    return " ".join(quoted)


@lru_cache(maxsize=2)
def borders(folder: Path) -> bytes:
    """Countries and disputed areas as GeoJSON, with what a map needs of their properties."""
    shapes = json.loads((folder / "countries.geojson").read_text(encoding="utf-8"))
    keep = ("id", "iso2", "name", "label", "disputed", "part_of", "note")
    features = []
    for feature in shapes["features"]:
        properties = {
            key: feature["properties"][key] for key in keep if feature["properties"].get(key) not in (None, "")
        }
        features.append({"type": "Feature", "properties": properties, "geometry": feature["geometry"]})
    return json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":")).encode()


def map_data(tables: Tables) -> MapData:
    """Everything that stands on the map whatever was solved."""
    paths = _paths(tables)
    origins = read_origins(_folder(tables), "links")[0]
    starts = set(tables["zones"]["place"])
    places = [
        Place(id=i, name=name, iso2=iso2 or "", lat=lat, lon=lon, kind=kind, tier=tier, zone=i in starts)
        for i, name, iso2, lat, lon, kind, tier in tables["places"]
        .select("id", "name", "iso2", "lat_deg", "lon_deg", "kind", "tier")
        .rows()
    ]
    home = {place.id: place.iso2 for place in places}

    def day(value: object) -> str | None:
        return None if value is None else str(value)

    links = []
    for row in tables["links"].to_dicts():
        origin = origins.of(row["id"], "length_km")
        links.append(
            Link(
                id=row["id"], a=row["place_a"], b=row["place_b"], mode=row["mode"], status=row["status"],
                open_from=row["open_from"], closed_from=day(row["closed_from"]), closed_to=day(row["closed_to"]),
                name=row["name"] or "", line=row["line"], project=row["project"], km=row["length_km"],
                gauges=list(row["gauges_mm"] or []), ocean=bool(row.get("ocean")),
                estimated=origin is not None and origin.kind == "estimate", path=paths[row["id"]],
            )
        )  # fmt: skip
    crossings = []
    for row in tables["crossings"].to_dicts():
        lon, lat = _middle(paths[row["link"]])
        crossings.append(
            Crossing(
                id=row["id"], name=row["name"], link=row["link"], mode=row["mode"], status=row["status"],
                closed_from=day(row["closed_from"]), closed_to=day(row["closed_to"]), lat=round(lat, 3),
                lon=round(lon, 3),
                countries=[row["country_a"] or home[row["place_a"]], row["country_b"] or home[row["place_b"]]],
            )
        )  # fmt: skip
    package = tables.package
    return MapData(
        version=package.version if package else "",
        content_hash=package.content_hash if package else "",
        disclaimer=disclaimer(tables),
        credits="Network: © OpenStreetMap contributors, ODbL. Land: Natural Earth.",
        places=places,
        links=links,
        crossings=crossings,
        countries=[
            Country(iso2=a or "", iso3=b or "", name=c or a or "")
            for a, b, c in tables["countries"].select("iso2", "iso3", "name").rows()
        ],
        passages=[Name(id=a, name=b) for a, b in tables["passages"].select("id", "name").rows()],
        commodities=[
            Commodity(id=a, name=b, group=c, form=d)
            for a, b, c, d in tables["commodities"].select("id", "name", "group", "form").rows()
        ],
        projects=[Name(id=a, name=b) for a, b in tables["projects"].select("id", "name").rows()],
    )


# ------------------------------------------------------------------------------------------------------ records


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, list, type(None))) else str(value)


def record(tables: Tables, table: str, name: str, column: str | None = None) -> RecordOut:
    """One row of the atlas, each number with how it is known; with the sources and reasoning of one column if named.

    Raises
    ------
    UnknownName
        For a table, row or column that is not there.
    """
    folder = _folder(tables)
    dictionary = read_dictionary(folder)
    if table not in dictionary.tables:
        raise UnknownName("table", table, list(dictionary.tables))
    if column is not None:
        told = explain(folder, tables, table, name, column)
        cell = {key: told[key] for key in ("column", "unit", "meaning", "kind", "reasoning")}
        return RecordOut(
            table=table, id=name, cells=[Cell(**cell, value=_plain(told["value"]), sources=told["sources"])]
        )
    frame = tables[table]
    rows = row_names(frame, key_columns(dictionary, table))
    if name not in rows:
        raise UnknownName(f"row of {table}", name, rows)
    place = rows.index(name)
    row = frame.row(place, named=True)
    key = row_keys(dictionary, table, frame)[place]
    origins = read_origins(folder, table)[0]
    cells = []
    for each in dictionary.of(table):
        if row.get(each.name) is None or row[each.name] == []:
            continue
        origin = origins.of(key, each.name) if each.is_number else None
        own = tables.overlay is not None and (table, name, each.name) in tables.overlay.values
        kind = "user" if own else origin.kind if origin else ("none" if each.is_number else "text")
        cells.append(
            Cell(column=each.name, value=_plain(row[each.name]), unit=each.unit, meaning=each.meaning, kind=kind)
        )
    return RecordOut(table=table, id=name, cells=cells)


def country_rows(tables: Tables, iso2: str) -> list[Row]:
    """Rows of the atlas that say something of a country: itself, its rates, railways and subsidies, its crossings.

    Raises
    ------
    UnknownName
        For a country that is not there.
    """
    known_countries = tables["countries"]["iso2"].drop_nulls().to_list()
    if iso2 not in known_countries:
        raise UnknownName("country", iso2, known_countries)
    found = [Row(table="countries", id=iso2, name=iso2)]
    for table in ("rates", "subsidies", "operators"):
        for row in tables[table].filter(pl.col("country") == iso2).to_dicts():
            told = {"rates": row.get("mode"), "subsidies": f"{row.get('year_from')}-{row.get('year_to')}"}
            found.append(Row(table=table, id=row["id"], name=str(told.get(table) or row.get("name") or row["id"])))
    home = dict(tables["places"].select("id", "iso2").rows())
    for row in tables["crossings"].sort("name").to_dicts():
        if iso2 in (row["country_a"] or home[row["place_a"]], row["country_b"] or home[row["place_b"]]):
            found.append(Row(table="crossings", id=row["id"], name=row["name"]))
    return found


# ----------------------------------------------------------------------------------------------------- measures


def _field(each: dataclasses.Field[Any], hint: Any) -> Field_:
    """What a control needs to know of one field."""
    inner = [part for part in typing.get_args(hint) if part is not type(None)]
    plain = inner[0] if typing.get_origin(hint) is not tuple and type(None) in typing.get_args(hint) else hint
    many = typing.get_origin(plain) is tuple
    item = typing.get_args(plain)[0] if many else plain
    choices = [str(choice) for choice in typing.get_args(item)] if typing.get_origin(item) is Literal else []
    names = each.metadata.get("names")
    kind: Literal["names", "name", "numbers", "text", "number", "integer", "flag", "choice", "choices"]
    if many:
        kind = "choices" if choices else "numbers" if item in (float, int) else "names"
    elif choices:
        kind = "choice"
    elif item is bool:
        kind = "flag"
    elif item is int:
        kind = "integer"
    elif item is float:
        kind = "number"
    else:
        kind = "name" if names else "text"
    default = None if each.default is dataclasses.MISSING else each.default
    return Field_(
        name=each.name,
        kind=kind,
        names=names,
        meaning=each.metadata["meaning"],
        choices=choices,
        default=list(default) if isinstance(default, tuple) else default,
        required=each.default is dataclasses.MISSING,
        bounds={key: float(each.metadata[key]) for key in ("gt", "ge", "lt", "le") if key in each.metadata},
    )


def measures(tables: Tables) -> Measures:
    """Describe every measure by the metadata of its record, so that a new one gets its controls by itself."""
    listed = []
    for kind, record_type in KINDS.items():
        hints = typing.get_type_hints(record_type)
        listed.append(
            MeasureOut(
                kind=kind,
                meaning=re.sub(r"\s+", " ", (record_type.__doc__ or "").replace("`", "")).strip(),
                fields=[_field(each, hints[each.name]) for each in dataclasses.fields(record_type)],
                rules=[dataclasses.asdict(rule) for rule in record_type.rules],
            )
        )
    names = {
        kind: [Name(id=name, name=label) for name, label in known(tables, kind).items()]
        for kind in {each.names for measure in listed for each in measure.fields if each.names}
    }
    at = dict(tables["places"].select("id", "name").rows())
    # a link's own name is that of its line; people look for its ends
    names["link"] = [
        Name(id=i, name=f"{at[a]} – {at[b]} ({mode})")
        for i, a, b, mode in tables["links"].select("id", "place_a", "place_b", "mode").rows()
    ]
    return Measures(measures=listed, names=names)
