"""Tables and shapes in the formats of other programs: CSV with a data package, Excel, GeoJSON, GeoPackage, OMX, GMNS.

Writers only; each writes into a folder that is there and gives back the names of its files. Lists become texts divided
by semicolons; what is unknown stays empty.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from landbridge.errors import LandbridgeError, OutputError

__all__ = ["Layer", "Meaning", "write_csv", "write_excel", "write_geojson", "write_geopackage", "write_omx"]

#: Unit and meaning of a column by its name.
Meaning = Callable[[str], tuple[str, str]]

#: Rows that a sheet of Excel holds, its heading included.
MOST_ROWS = 1_048_576
NEEDS_EXTRA = "this format needs the extra `export`: pip install 'landbridge[export]'"

TYPES = {pl.Boolean: "boolean", pl.String: "string"}


@dataclass(frozen=True)
class Layer:
    """Features of one kind: a shape for each row of a table.

    Attributes
    ----------
    name
        Of the layer.
    kind
        ``Point`` or ``LineString``.
    shapes
        Longitudes and latitudes: float64[2] of a point, float64[n, 2] of a line.
    table
        A row a shape.
    """

    name: str
    kind: Literal["Point", "LineString"]
    shapes: Sequence[npt.NDArray[np.float64]]
    table: pl.DataFrame


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table without lists."""
    return frame.with_columns(
        pl.col(name).cast(pl.List(pl.String)).list.join(";")
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.List)
    )


def write_csv(
    folder: Path,
    tables: Mapping[str, pl.DataFrame],
    told: Mapping[str, str],
    about: Mapping[str, Any],
    meaning: Meaning,
) -> list[str]:
    """Write tables as CSV with a ``datapackage.json`` (Frictionless tabular data package).

    Parameters
    ----------
    folder
        Where.
    tables, told
        Tables by name, and what each is.
    about
        ``name``, ``title``, and whatever else the package shall say.
    meaning
        Of columns.

    Returns
    -------
    list of str
        Files.
    """
    resources = []
    for name, frame in tables.items():
        rows = flat(frame)
        rows.write_csv(folder / f"{name}.csv")
        fields = []
        for column, kind in rows.schema.items():
            unit, text = meaning(column)
            sort = "integer" if kind.is_integer() else "number" if kind.is_float() else TYPES.get(type(kind), "string")
            field: dict[str, Any] = {"name": column, "type": sort}
            if text:
                field["description"] = f"{text} ({unit})" if unit else text
            if unit:
                field["unit"] = unit
            fields.append(field)
        resources.append(
            {
                "name": name.replace("_", "-"),
                "path": f"{name}.csv",
                "profile": "tabular-data-resource",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "description": told.get(name, ""),
                "schema": {"fields": fields, "missingValues": [""]},
            }
        )
    package = {"profile": "tabular-data-package", **about, "resources": resources}
    (folder / "datapackage.json").write_text(
        json.dumps(package, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )
    return ["datapackage.json", *(f"{name}.csv" for name in tables)]


def write_excel(
    path: Path, tables: Mapping[str, pl.DataFrame], told: Mapping[str, str], notes: Mapping[str, str], meaning: Meaning
) -> list[str]:
    """Write tables as sheets of one workbook, with a first sheet that says what they are and where they come from.

    Raises
    ------
    LandbridgeError
        If the extra ``export`` is not installed, or a table has more rows than a sheet.
    """
    try:
        import xlsxwriter  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise LandbridgeError(NEEDS_EXTRA) from None
    large = [f"{name} ({frame.height:,} rows)" for name, frame in tables.items() if frame.height >= MOST_ROWS]
    if large:
        raise LandbridgeError(f"Excel holds {MOST_ROWS:,} rows a sheet: {', '.join(large)}; take --format csv")
    with xlsxwriter.Workbook(path, {"nan_inf_to_errors": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet("about")
        for i, (key, text) in enumerate([*notes.items(), *told.items()]):
            sheet.write_string(i, 0, key, bold)
            sheet.write_string(i, 1, text)
        sheet.set_column(0, 0, 22)
        for name, frame in tables.items():
            rows, sheet = flat(frame), book.add_worksheet(name[:31])
            for j, column in enumerate(rows.columns):
                unit, text = meaning(column)
                sheet.write_string(0, j, column, bold)
                if text:
                    sheet.write_comment(0, j, f"{text} ({unit})" if unit else text)
                for i, value in enumerate(rows[column].to_list(), start=1):
                    if value is not None:
                        sheet.write(i, j, value)
            sheet.freeze_panes(1, 0)
            sheet.autofilter(0, 0, rows.height, max(0, rows.width - 1))
    return [path.name]


def write_geojson(folder: Path, layers: Sequence[Layer]) -> list[str]:
    """Write each layer as a feature collection (RFC 7946, longitudes and latitudes of WGS 84)."""
    for layer in layers:
        features = [
            {
                "type": "Feature",
                "geometry": {"type": layer.kind, "coordinates": shape.tolist()},
                "properties": row,
            }
            for shape, row in zip(layer.shapes, flat(layer.table).to_dicts(), strict=True)
        ]
        text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, allow_nan=False)
        (folder / f"{layer.name}.geojson").write_text(text + "\n", encoding="utf-8")
    return [f"{layer.name}.geojson" for layer in layers]


def write_geopackage(path: Path, layers: Sequence[Layer]) -> list[str]:
    """Write layers into one GeoPackage.

    Raises
    ------
    LandbridgeError
        If the extra ``export`` is not installed.
    OutputError
        If it cannot be written.
    """
    try:
        from pyogrio import raw  # type: ignore[import-untyped] # noqa: PLC0415 - an optional extra
        from pyogrio.errors import DataSourceError  # type: ignore[import-untyped] # noqa: PLC0415
    except ImportError:
        raise LandbridgeError(NEEDS_EXTRA) from None
    for layer in layers:
        table = flat(layer.table)
        values, masks = [], []
        for column in table:
            empty = column.is_null().to_numpy()
            if column.dtype == pl.String:
                values.append(np.array(column.fill_null("").to_list(), dtype=object))
            else:
                values.append(column.fill_null(False if column.dtype == pl.Boolean else 0).to_numpy())
            masks.append(empty)
        try:
            raw.write(
                path,
                geometry=np.array([_wkb(shape) for shape in layer.shapes], dtype=object),
                field_data=values,
                field_mask=masks,
                fields=np.array(table.columns, dtype=object),
                layer=layer.name,
                driver="GPKG",
                geometry_type=layer.kind,
                crs="EPSG:4326",
                append=path.exists(),
            )
        except DataSourceError as error:
            raise OutputError(f"{path} cannot be written: {error}") from error
    return [path.name]


def _wkb(shape: npt.NDArray[np.float64]) -> bytes:
    """A point or line as well-known binary, little-endian."""
    if shape.ndim == 1:
        return struct.pack("<BI", 1, 1) + shape.astype("<f8").tobytes()
    return struct.pack("<BII", 1, 2, len(shape)) + np.ascontiguousarray(shape, "<f8").tobytes()


def write_omx(
    path: Path, matrices: Mapping[str, npt.NDArray[np.float64]], zones: Sequence[str], about: Mapping[str, str]
) -> list[str]:
    """Write matrices between zones as OMX (HDF5).

    Parameters
    ----------
    path
        Where.
    matrices
        float64[Z, Z] by name.
    zones
        Their ids; the lookup ``zone`` has their numbers from 1, the attribute ``zone_ids`` their ids in that order.
    about
        Attributes of the file.

    Raises
    ------
    LandbridgeError
        If the extra ``export`` is not installed.
    """
    try:
        import openmatrix  # type: ignore[import-untyped] # noqa: PLC0415 - an optional extra
    except ImportError:
        raise LandbridgeError(NEEDS_EXTRA) from None
    with openmatrix.open_file(str(path), "w") as file:
        for name, matrix in matrices.items():
            file[name] = matrix
        file.create_mapping("zone", np.arange(1, len(zones) + 1))
        file.root._v_attrs["zone_ids"] = ";".join(zones)
        for key, text in about.items():
            file.root._v_attrs[key] = text
    return [path.name]
