"""Exports, each read back by a program that is not ours."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import polars as pl
import pyogrio
import pytest

from landbridge.data.formats.exports import write_excel
from landbridge.errors import LandbridgeError, OutputError, UnknownName
from landbridge.show.web.columns import meaning
from landbridge.study.compare import Side
from landbridge.study.export import FORMATS, MARKER, export
from landbridge.study.results import Results
from small_run import small_results, small_tables

SIDE = Side("cku", 2023)


def some_results() -> Results:
    """The small run without its long tables, which other programs read slowly."""
    short = {name: frame for name, frame in small_results().tables.items() if frame.height < 1200}
    assert {"totals", "crossings", "passages", "paths", "relations"} <= set(short)
    return replace(small_results(), tables=short)


def made(out: Path, form: str) -> Path:
    results = some_results() if form in ("csv", "xlsx") else small_results()
    files = export(results, small_tables(), form, out, SIDE, meaning)
    assert sorted(files) == sorted(path.name for path in out.iterdir())
    told = json.loads((out / MARKER).read_text(encoding="utf-8"))
    assert told["format"] == form
    assert told["fingerprint"] == small_results().manifest["study"]["fingerprint"]
    return out


def of(name: str) -> pl.DataFrame:
    return small_results().of(name, SIDE.scenario, SIDE.year)


def test_frictionless_finds_no_fault_in_the_data_package(tmp_path: Path) -> None:
    """In a process of its own, for it warns of its own old parts."""
    folder = made(tmp_path / "csv", "csv")
    code = (
        "import json, sys\nfrom frictionless import Package, validate\n"
        "report = validate(sys.argv[1])\npackage = Package(sys.argv[1])\n"
        "rows = {r.name: len(r.read_rows()) for r in package.resources if r.name in ('totals', 'crossings')}\n"
        "print(json.dumps([report.valid, report.flatten(['message'])[:3], len(package.resources), rows]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "datapackage.json")], capture_output=True, text=True, check=True
    )
    valid, faults, count, rows = json.loads(done.stdout.splitlines()[-1])
    assert valid, faults
    assert count == len(some_results().tables)
    assert rows == {name: small_results()[name].height for name in ("totals", "crossings")}


@pytest.mark.parametrize("form", ["gpkg", "geojson"])
def test_gdal_reads_the_shapes(tmp_path: Path, form: str) -> None:
    folder = made(tmp_path / form, form)
    for layer in ("links", "crossings"):
        path = folder / ("results.gpkg" if form == "gpkg" else f"{layer}.geojson")
        meta, _, shapes, fields = pyogrio.raw.read(path, layer=layer)
        assert meta["crs"] == "EPSG:4326"
        assert meta["geometry_type"] == ("LineString" if layer == "links" else "Point")
        tonnes = dict(zip(meta["fields"], fields, strict=True))["tonnes"]
        expected = of(layer)["tonnes"]
        assert len(shapes) == expected.len()
        assert np.nansum(tonnes) == pytest.approx(expected.sum(), rel=1e-12)
    west, south, east, north = pyogrio.read_info(path, layer="crossings", force_total_bounds=True)["total_bounds"]
    assert -20 < west < east <= 180
    assert 0 < south < north < 80


def test_gdal_reads_the_workbook(tmp_path: Path) -> None:
    path = made(tmp_path / "xlsx", "xlsx") / "results.xlsx"
    assert {name for name, _ in pyogrio.list_layers(path)} == {"about", *(n[:31] for n in some_results().tables)}
    meta, _, _, fields = pyogrio.raw.read(path, layer="crossings")
    column = dict(zip(meta["fields"], fields, strict=True))["tonnes"]
    assert np.nansum(column.astype(float)) == pytest.approx(small_results()["crossings"]["tonnes"].sum(), rel=1e-12)
    many = pl.DataFrame({"a": np.zeros(1_048_576, np.int8)})
    with pytest.raises(LandbridgeError, match=r"Excel holds 1,048,576 rows a sheet: big \(1,048,576 rows\)"):
        write_excel(tmp_path / "big.xlsx", {"big": many}, {}, {}, meaning)


def test_openmatrix_reads_the_matrices(tmp_path: Path) -> None:
    path = made(tmp_path / "omx", "omx") / "results.omx"
    code = (
        "import json, sys, openmatrix\nfile = openmatrix.open_file(sys.argv[1])\n"
        "zones = file.root._v_attrs['zone_ids'].split(';')\n"
        "told = {name: float(file[name][:].sum()) for name in file.list_matrices()}\n"
        "print(json.dumps([list(map(int, file.shape())), zones, sorted(map(int, file.mapping('zone'))), told, \n"
        "    float(file['tonnes'][zones.index(sys.argv[2]), zones.index(sys.argv[3])])]))\n"
    )
    rows = of("relations")
    pair = rows.row(0, named=True)
    ends = [pair["origin_zone"], pair["destination_zone"]]
    done = subprocess.run([sys.executable, "-c", code, str(path), *ends], capture_output=True, text=True, check=True)
    shape, zones, mapping, told, cell = json.loads(done.stdout.splitlines()[-1])
    assert shape == [len(zones)] * 2
    assert mapping == list(range(1, len(zones) + 1))
    assert told["tonnes"] == pytest.approx(rows["tonnes"].sum(), rel=1e-12)
    assert told["land_tonnes"] == pytest.approx(rows["land_tonnes"].sum(), rel=1e-12)
    by_commodity = {n: v for n, v in told.items() if n.startswith("tonnes_")}
    assert sum(by_commodity.values()) == pytest.approx(told["tonnes"], rel=1e-12)
    one = rows.filter((pl.col("origin_zone") == ends[0]) & (pl.col("destination_zone") == ends[1]))
    assert cell == pytest.approx(one["tonnes"].sum(), rel=1e-12)


def test_networkx_and_gdal_read_the_network(tmp_path: Path) -> None:
    folder = made(tmp_path / "gmns", "gmns")
    nodes, links = pl.read_csv(folder / "node.csv"), pl.read_csv(folder / "link.csv", infer_schema_length=None)
    assert links["link_id"].is_unique().all()
    ends = {*links["from_node_id"], *links["to_node_id"]}
    assert ends <= set(nodes["node_id"])
    graph = nx.MultiDiGraph()
    graph.add_weighted_edges_from(links.select("from_node_id", "to_node_id", "length").iter_rows())
    km = nx.shortest_path_length(graph, "cn-chongqing", "de-duisburg", weight="weight")
    assert 8_500 < km < 10_500, "Chongqing to Duisburg over land, roads and all"
    _, _, shapes, _ = pyogrio.raw.read(folder / "link.csv", GEOM_POSSIBLE_NAMES="geometry")
    assert {struct.unpack("<I", shape[1:5])[0] for shape in shapes} == {2}, "well-known lines"
    whole = of("links").group_by("link", "direction", "mode", "gauge_mm").agg(pl.col("tonnes").max())
    assert links["tonnes_yr"].sum() == pytest.approx(whole["tonnes"].sum(), rel=1e-9)


def test_what_is_not_there_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    def run(form: str = "csv", side: Side = SIDE, out: Path = tmp_path / "out") -> None:
        export(small_results(), small_tables(), form, out, side, meaning)

    with pytest.raises(UnknownName, match="format"):
        run("xls")
    with pytest.raises(UnknownName, match="scenario"):
        run(side=Side("ckuu", 2023))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="left alone"):
        run(out=tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert set(FORMATS) == {"csv", "xlsx", "geojson", "gpkg", "gmns", "omx"}
