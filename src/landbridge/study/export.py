"""Results in the formats of other programs: one scenario and year, or whole tables.

csv, xlsx        every table, every scenario and year
geojson, gpkg    links and crossings of one scenario and year, with their shapes
gmns             the network with its flows of one scenario and year: node.csv, link.csv, config.csv
omx              tonnes from zone to zone of one scenario and year, a matrix a commodity
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.data.formats.exports import (
    Layer,
    Meaning,
    write_csv,
    write_excel,
    write_geojson,
    write_geopackage,
    write_omx,
)
from landbridge.data.tables import Tables
from landbridge.errors import OutputError, UnknownName
from landbridge.study.compare import Side
from landbridge.study.results import Results, check_output, whole_folder

__all__ = ["FORMATS", "MARKER", "export"]

FORMATS = ("csv", "xlsx", "geojson", "gpkg", "gmns", "omx")
#: File by which a folder of exports is known.
MARKER = "export.json"

F8 = npt.NDArray[np.float64]


def export(results: Results, tables: Tables, form: str, out: Path, side: Side, meaning: Meaning) -> list[str]:
    """Write results for another program, whole or not at all.

    Parameters
    ----------
    results
        A results folder.
    tables
        The tables it was made from, for places and shapes.
    form
        One of `FORMATS`.
    out
        Folder; ``export.json`` in it says what was exported from which results.
    side
        Scenario and year, for the formats of one network.
    meaning
        Unit and meaning of a column.

    Returns
    -------
    list of str
        Files in the folder.

    Raises
    ------
    UnknownName
        For a format, scenario or year that is not there.
    LandbridgeError
        If the extra ``export`` is needed and not installed, or a table does not fit.
    OutputError
        If it cannot be written.
    """
    if form not in FORMATS:
        raise UnknownName("format", form, FORMATS)
    check_output(out, marker=MARKER)
    results.of("totals", side.scenario, side.year)  # tells names that are not there
    manifest = results.manifest
    told: Mapping[str, str] = manifest["tables"]
    atlas = manifest.get("atlas") or {}
    notes = {
        "study": str(manifest["study"]["name"]),
        "fingerprint": str(manifest["study"]["fingerprint"]),
        "atlas": f"{atlas.get('name')} {atlas.get('version')}, {atlas.get('content_hash')}",
        "landbridge": str(manifest["landbridge"]),
        "made": str(manifest["made"]),
        "licence": "Open Database License 1.0 (atlas; contains OpenStreetMap data, © OpenStreetMap contributors)",
    }
    one = {"scenario": side.scenario, "year": str(side.year)}
    with whole_folder(out, marker=MARKER) as draft:
        if form == "csv":
            about = {
                "name": "landbridge-results",
                "title": notes["study"],
                "description": f"Results of Landbridge {notes['landbridge']}, atlas {notes['atlas']}",
                "created": notes["made"],
                "licenses": [{"name": "ODbL-1.0", "title": notes["licence"]}],
            }
            files = write_csv(draft, results.tables, told, about, meaning)
        elif form == "xlsx":
            files = write_excel(draft / "results.xlsx", results.tables, told, notes, meaning)
        elif form == "geojson":
            files = write_geojson(draft, _layers(results, tables, side))
        elif form == "gpkg":
            files = write_geopackage(draft / "results.gpkg", _layers(results, tables, side))
        elif form == "gmns":
            files = _gmns(draft, results, tables, side)
        else:
            zones, matrices = _matrices(results, side)
            files = write_omx(draft / "results.omx", matrices, zones, {**notes, **one})
        text = json.dumps({"format": form, **notes, **one, "files": files}, indent=2, ensure_ascii=False)
        (draft / MARKER).write_text(text + "\n", encoding="utf-8")
    return [*files, MARKER]


def _lines(tables: Tables) -> dict[str, F8]:
    """Shape of each link; straight where the package draws none."""
    places = {row["id"]: (row["lon_deg"], row["lat_deg"]) for row in tables["places"].to_dicts()}
    shapes = {
        row["id"]: np.array([places[row["place_a"]], places[row["place_b"]]], np.float64)
        for row in tables["links"].to_dicts()
    }
    path = tables.package.folder / "links.geojson" if tables.package else None
    if path is not None and path.is_file():
        try:
            drawn = json.loads(path.read_text(encoding="utf-8"))["features"]
        except (OSError, ValueError, KeyError) as error:
            raise OutputError(f"{path}: cannot be read: {error}") from error
        for feature in drawn:
            name = feature.get("id") or feature["properties"]["id"]
            if name in shapes and feature["geometry"]["type"] == "LineString":
                shapes[name] = np.array([point[:2] for point in feature["geometry"]["coordinates"]], np.float64)
    return shapes


def _layers(results: Results, tables: Tables, side: Side) -> list[Layer]:
    """Links and crossings, a feature for each of their rows."""
    shapes = _lines(tables)
    links = results.of("links", side.scenario, side.year).filter(pl.col("link").is_in(list(shapes)))
    crossings = results.of("crossings", side.scenario, side.year)
    position = {row["id"]: (row["lon_deg"], row["lat_deg"]) for row in tables["places"].to_dicts()}
    ends = {row["id"]: (row["place_a"], row["place_b"]) for row in tables["crossings"].to_dicts()}
    known = crossings.filter(pl.col("crossing").is_in(list(ends)))
    points = [np.mean([position[end] for end in ends[name]], axis=0) for name in known["crossing"]]
    return [
        Layer("links", "LineString", [shapes[name] for name in links["link"]], links),
        Layer("crossings", "Point", points, known),
    ]


def _gmns(folder: Path, results: Results, tables: Tables, side: Side) -> list[str]:
    """Places as nodes and each link, direction and gauge as a link, parts in several countries put together."""
    ends = {row["id"]: (row["place_a"], row["place_b"]) for row in tables["links"].to_dicts()}
    whole = (
        results.of("links", side.scenario, side.year)
        .filter(pl.col("link").is_in(list(ends)))
        .group_by("link", "direction", "mode", "gauge_mm", maintain_order=True)
        .agg(
            pl.col("length_km", "free_h", "time_h").sum(),
            pl.col("capacity_trains_day").min(),
            pl.col("tonnes", "teu", "trains_day", "preload_trains_day").max(),
        )
    )
    shapes = _lines(tables)

    def well_known(name: str, backward: bool) -> str:
        points = shapes[name][::-1] if backward else shapes[name]
        return f"LINESTRING ({', '.join(f'{x:g} {y:g}' for x, y in points)})"

    rows = []
    for row in whole.to_dicts():
        backward = row["direction"] == "ba"
        start, end = reversed(ends[row["link"]]) if backward else ends[row["link"]]
        gauge = "" if row["gauge_mm"] is None else f":{row['gauge_mm']}"
        rows.append(
            {
                "link_id": f"{row['link']}:{row['direction']}:{row['mode']}{gauge}",
                "from_node_id": start,
                "to_node_id": end,
                "directed": 1,
                "length": row["length_km"],
                "facility_type": row["mode"],
                "capacity": row["capacity_trains_day"],
                "allowed_uses": row["mode"],
                "gauge_mm": row["gauge_mm"],
                "free_flow_h": row["free_h"],
                "time_h": row["time_h"],
                "tonnes_yr": row["tonnes"],
                "teu_yr": row["teu"],
                "trains_day": row["trains_day"],
                "preload_trains_day": row["preload_trains_day"],
                "geometry": well_known(row["link"], backward),
            }
        )
    used = {row[key] for row in rows for key in ("from_node_id", "to_node_id")}
    nodes = tables["places"].filter(pl.col("id").is_in(list(used)))
    nodes.select(
        pl.col("id").alias("node_id"), "name", pl.col("lon_deg").alias("x_coord"), pl.col("lat_deg").alias("y_coord")
    ).write_csv(folder / "node.csv")
    pl.DataFrame(rows, infer_schema_length=None).write_csv(folder / "link.csv")
    config: dict[str, Any] = {
        "dataset_name": f"{results.manifest['study']['name']}, {side.scenario} {side.year}",
        "long_length": "km",
        "crs": "EPSG:4326",
        "geometry_field_format": "wkt",
        "capacity_unit": "trains a day, each direction",
    }
    pl.DataFrame([config]).write_csv(folder / "config.csv")
    return ["node.csv", "link.csv", "config.csv"]


def _matrices(results: Results, side: Side) -> tuple[list[str], dict[str, F8]]:
    """Tonnes a year from zone to zone, by commodity, and in all: demand and what goes by land."""
    rows = results.of("relations", side.scenario, side.year)
    zones = sorted({*rows["origin_zone"], *rows["destination_zone"]})
    number = {zone: i for i, zone in enumerate(zones)}
    matrices: dict[str, F8] = {name: np.zeros((len(zones), len(zones))) for name in ("tonnes", "land_tonnes")}
    columns = ("origin_zone", "destination_zone", "commodity", "tonnes", "land_tonnes")
    for origin, destination, commodity, tonnes, land in rows.select(columns).iter_rows():
        at = number[origin], number[destination]
        matrices.setdefault(f"tonnes_{commodity}", np.zeros((len(zones), len(zones))))[at] += tonnes
        matrices["tonnes"][at] += tonnes
        matrices["land_tonnes"][at] += land
    return zones, matrices
