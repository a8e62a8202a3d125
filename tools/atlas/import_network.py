"""Make places.csv, links.csv and the two GeoJSON files of the atlas from the base network.

The base network (places, links with geometry, country polygons) was traced from OpenStreetMap and searoute; its own
notes tell how. This importer renames columns so that units stand in names and adds the empty columns that the atlas
fills by hand. It runs only when those tables do not exist yet: hand work is never overwritten.

    LANDBRIDGE_SHARED=... python tools/atlas/import_network.py
"""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path

ATLAS = Path(__file__).resolve().parents[2] / "src" / "landbridge" / "atlas"
PLACE_COLUMNS = "id name iso2 lat_deg lon_deg kind tier gauges_mm unlocode snap_km note".split()
LINK_COLUMNS = (
    "id place_a place_b mode status open_from closed_from closed_to line name length_km length_official_km drawn_km "
    "max_straight_km gauges_mm country_km project note"
).split()
CKU = {"rail:cn-kashgar:kg-torugart", "rail:kg-torugart:kg-makmal", "rail:kg-makmal:kg-jalalabad"}


def read(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    """Write rows, refusing to replace a table that was worked on by hand."""
    if path.exists():
        sys.exit(f"{path.name} exists and may hold hand work; remove it first to import again")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Import the base network."""
    geo = Path(os.environ["LANDBRIDGE_SHARED"]) / "data" / "geo"
    places = [
        {
            **{c: r.get(c, "") for c in PLACE_COLUMNS},
            "lat_deg": r["lat"],
            "lon_deg": r["lon"],
        }
        for r in read(geo / "nodes.csv")
    ]
    links = [
        {
            **{c: r.get(c, "") for c in LINK_COLUMNS},
            "place_a": r["a"],
            "place_b": r["b"],
            "open_from": r["year"],
            "gauges_mm": r["gauge_mm"],
            "country_km": r["countries"],
            "project": "cku" if r["id"] in CKU else "",
        }
        for r in read(geo / "links.csv")
    ]
    write(ATLAS / "places.csv", PLACE_COLUMNS, places)
    write(ATLAS / "links.csv", LINK_COLUMNS, links)
    source = json.loads((geo / "links.geojson").read_text(encoding="utf-8"))
    features = [
        {"type": "Feature", "id": f["properties"]["id"], "properties": {}, "geometry": f["geometry"]}
        for f in source["features"]
    ]
    (ATLAS / "links.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":")) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
