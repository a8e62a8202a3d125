"""Build ``countries.geojson`` from Natural Earth under the boundary policy of the atlas.

Usage: ``python countries_geojson.py NE_10M_COUNTRIES_SHAPEFILE_STEM NE_10M_DISPUTED_AREAS.geojson OUT.geojson``

Needs shapely 2.1 or newer and pyshp, neither of which the package itself needs.  Both inputs are public domain.
The method: all boundary lines of both layers are noded together and polygonized, so that every face lies in at most
one country and one disputed area; slivers between the two layers join the neighbour with the longest common edge;
faces are dissolved by the policy's key and simplified as one coverage, so that shared borders stay shared.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import shapefile
import shapely
from shapely import STRtree
from shapely.geometry import mapping, shape
from shapely.ops import polygonize, unary_union

SIMPLIFY_DEG = 0.051  # keeps the file under 1.2 MB; straits and coasts still read at the closest zoom used
SMALLEST_ISLAND_DEG2 = 0.012  # smaller islands vanish, unless they are all that a feature has
SLIVER_DEG2 = 0.02  # the two layers differ by about 0.01 degree along coasts
SLIVER_WIDTH_DEG = 0.03

# Disputed areas are told apart by their bounding box (the layer at hand carries no names): key -> list of boxes.
AREAS: dict[str, list[tuple[float, float, float, float]]] = {
    "crimea": [(32.5, 44.4, 36.6, 46.2)],
    "abkhazia": [(40.0, 42.4, 42.2, 43.6)],
    "south-ossetia": [(43.6, 42.0, 44.6, 42.8)],
    "transnistria": [(28.5, 46.6, 30.0, 48.2)],
    "jammu-kashmir": [(73.8, 32.3, 79.2, 35.5)],
    "azad-kashmir": [(73.4, 32.8, 75.3, 35.1)],
    "gilgit-baltistan": [(72.5, 34.5, 77.0, 37.1)],
    "siachen": [(76.8, 35.1, 77.8, 35.6)],
    "aksai-chin": [(77.8, 33.4, 80.4, 36.0)],
    "shaksgam": [(75.9, 35.5, 77.5, 36.4)],
    "demchok": [(79.1, 32.5, 79.5, 33.2)],
    "middle-sector": [(78.4, 31.9, 78.7, 32.2), (78.8, 31.1, 79.4, 31.4), (79.9, 30.6, 80.2, 30.9)],
    "kalapani": [(80.9, 30.2, 81.0, 30.3)],
    "arunachal": [(91.6, 26.9, 97.4, 29.4)],
    "bhutan-north": [(89.8, 28.1, 90.6, 28.4), (89.0, 27.5, 89.2, 27.6)],
    "golan": [(35.6, 32.7, 35.9, 33.4), (35.8, 32.7, 35.9, 33.4), (35.6, 33.3, 35.7, 33.3)],
    "north-cyprus": [(32.6, 35.0, 34.6, 35.7)],
    "cyprus-buffer": [(32.6, 35.0, 34.0, 35.2)],
    "western-sahara": [(-17.0, 21.4, -8.8, 27.7), (-17.1, 20.8, -8.7, 27.7)],
    "kurils": [(145.4, 43.4, 148.9, 45.5)],
    "abyei": [(27.8, 9.3, 29.0, 10.2)],
    "ilemi": [(34.4, 4.6, 35.9, 5.0), (35.6, 4.6, 35.7, 4.6)],
}

# key -> iso2 that statistics and rules of the model use, iso3, neutral label, claimed_by, note (our own words).
DISPUTED: dict[str, tuple[str, str, str, list[str], str]] = {
    "crimea": (
        "UA",
        "UKR",
        "Crimea",
        ["UA", "RU"],
        "Autonomous Republic of Crimea and Sevastopol: Ukraine in UN practice (GA resolution 68/262).",
    ),
    "abkhazia": ("GE", "GEO", "Abkhazia", ["GE"], "Georgia in UN practice; outside the government's control."),
    "south-ossetia": (
        "GE",
        "GEO",
        "South Ossetia",
        ["GE"],
        "Georgia in UN practice; outside the government's control.",
    ),
    "transnistria": (
        "MD",
        "MDA",
        "Transnistria",
        ["MD"],
        "Republic of Moldova in UN practice; outside the government's control.",
    ),
    "jammu-kashmir": (
        "IN",
        "IND",
        "Jammu and Kashmir",
        ["IN", "PK"],
        "Final status not agreed by the parties; the line of control is not an agreed boundary.",
    ),
    "azad-kashmir": (
        "PK",
        "PAK",
        "Azad Jammu and Kashmir",
        ["IN", "PK"],
        "Final status not agreed by the parties; the line of control is not an agreed boundary.",
    ),
    "gilgit-baltistan": (
        "PK",
        "PAK",
        "Gilgit-Baltistan",
        ["IN", "PK"],
        "Final status not agreed by the parties; the line of control is not an agreed boundary.",
    ),
    "siachen": ("", "", "Siachen area", ["IN", "PK"], "No line of control is agreed here."),
    "aksai-chin": ("CN", "CHN", "Aksai Chin", ["CN", "IN"], "Boundary not agreed by the parties."),
    "shaksgam": ("CN", "CHN", "Shaksgam valley", ["CN", "IN"], "Boundary not agreed by the parties."),
    "demchok": ("", "", "Demchok sector", ["CN", "IN"], "Boundary not agreed by the parties."),
    "middle-sector": (
        "",
        "",
        "China-India boundary, middle sector",
        ["CN", "IN"],
        "Boundary not agreed by the parties.",
    ),
    "kalapani": ("", "", "Kalapani", ["IN", "NP"], "Boundary not agreed by the parties."),
    "arunachal": ("IN", "IND", "Arunachal Pradesh", ["IN", "CN"], "Boundary not agreed by the parties."),
    "bhutan-north": ("", "", "Bhutan-China boundary sectors", ["BT", "CN"], "Boundary under negotiation."),
    "golan": (
        "SY",
        "SYR",
        "Golan",
        ["SY", "IL"],
        "Occupied Syrian territory in UN practice (SC resolutions 242 and 497); zone of separation included.",
    ),
    "north-cyprus": (
        "CY",
        "CYP",
        "Northern Cyprus",
        ["CY"],
        "Cyprus in UN practice (SC resolutions 541 and 550); outside the government's control.",
    ),
    "cyprus-buffer": ("CY", "CYP", "UN buffer zone in Cyprus", ["CY"], "Patrolled by the UN force in Cyprus."),
    "western-sahara": ("EH", "ESH", "Western Sahara", ["EH", "MA"], "Non-self-governing territory in UN practice."),
    "kurils": (
        "RU",
        "RUS",
        "Southern Kuril Islands / Northern Territories",
        ["RU", "JP"],
        "Administered by the Russian Federation, claimed by Japan.",
    ),
    "abyei": ("", "", "Abyei area", ["SD", "SS"], "Final status not determined."),
    "ilemi": ("", "", "Ilemi triangle", ["KE", "SS"], "Boundary not agreed by the parties."),
    "bir-tawil": ("", "", "Bir Tawil", [], "Between Egypt and the Sudan; boundary not agreed by the parties."),
    "kosovo": (
        "XK",
        "XKX",
        "Kosovo*",
        ["RS", "XK"],
        "* Under Security Council resolution 1244 (1999); without prejudice to positions on status.",
    ),
    "palestine": (
        "PS",
        "PSE",
        "State of Palestine",
        ["PS", "IL"],
        "West Bank and Gaza Strip by the armistice lines of 1949; final status to be negotiated.",
    ),
    "falklands": ("FK", "FLK", "Falkland Islands (Malvinas)", ["GB", "AR"], "Sovereignty in dispute."),
}
COUNTRY_TO_AREA = {
    "KOS": "kosovo",
    "PSX": "palestine",
    "FLK": "falklands",
    "SAH": "western-sahara",
    "KAS": "siachen",
    "CYN": "north-cyprus",
    "CNM": "cyprus-buffer",
    "BRT": "bir-tawil",
}
# Natural Earth units that UN practice counts as part of a State, and units without an iso2 of their own.
MERGE = {"SOL": "SOM", "KAB": "KAZ", "USG": "CUB", "BRI": "BRA", "ESB": "CYP", "WSB": "CYP", "IOA": "AUS"}
ISO3_TO_ISO2 = {"SOM": "SO", "KAZ": "KZ", "CUB": "CU", "BRA": "BR", "CYP": "CY"}
LEFT_OUT = {"ATA", "PGA", "BJN", "SER", "SCR", "SPI", "CLP", "ATC", "CSI"}  # Antarctica, and reefs too small to draw
UN_NAMES = {
    "BN": "Brunei Darussalam",
    "BO": "Bolivia (Plurinational State of)",
    "CD": "Democratic Republic of the Congo",
    "CG": "Congo",
    "CI": "Côte d'Ivoire",
    "CV": "Cabo Verde",
    "CZ": "Czechia",
    "FM": "Micronesia (Federated States of)",
    "GB": "United Kingdom",
    "HK": "China, Hong Kong SAR",
    "IR": "Iran (Islamic Republic of)",
    "KP": "Democratic People's Republic of Korea",
    "KR": "Republic of Korea",
    "LA": "Lao People's Democratic Republic",
    "MD": "Republic of Moldova",
    "MK": "North Macedonia",
    "MO": "China, Macao SAR",
    "RU": "Russian Federation",
    "SY": "Syrian Arab Republic",
    "SZ": "Eswatini",
    "TL": "Timor-Leste",
    "TR": "Türkiye",
    "TW": "Taiwan Province of China",
    "TZ": "United Republic of Tanzania",
    "US": "United States of America",
    "VE": "Venezuela (Bolivarian Republic of)",
    "VN": "Viet Nam",
    "VA": "Holy See",
    "FO": "Faroe Islands",
}
PART_OF = {"TW": "CN", "HK": "CN", "MO": "CN"}


def area_of(bounds: tuple[float, ...]) -> str | None:
    """Name of the disputed area whose box this is (to 0.06 degree), or None if the policy does not draw it."""
    for key, boxes in AREAS.items():
        if any(all(abs(a - b) < 0.06 for a, b in zip(bounds, box, strict=True)) for box in boxes):
            return key
    return None


def rounded(ring: Any) -> list[list[float]] | None:
    """Ring with two decimals and no repeated point; None when fewer than three corners are left."""
    out: list[list[float]] = []
    for x, y in ring.coords:
        point = [round(x, 2), round(y, 2)]
        if not out or out[-1] != point:
            out.append(point)
    return out if len(out) >= 4 else None


def two_decimals(points: Any) -> Any:
    """Coordinates rounded to 0.01 degree (set_precision leaves binary dust)."""
    return points.round(2)


def main(countries: str, disputed: str, target: str) -> None:
    """Read both layers, apply the policy, write the GeoJSON."""
    layers: list[tuple[str, Any]] = []
    properties: dict[str, dict[str, Any]] = {}
    for record in shapefile.Reader(countries).iterShapeRecords():
        row = record.record
        code = MERGE.get(row["ADM0_A3"], row["ADM0_A3"])
        if code in LEFT_OUT:
            continue
        key = COUNTRY_TO_AREA.get(code, code)
        layers.append((key, shapely.make_valid(shape(record.shape.__geo_interface__))))
        if row["ADM0_A3"] == code and key not in DISPUTED:
            iso2 = row["ISO_A2_EH"] if row["ISO_A2_EH"] != "-99" else ISO3_TO_ISO2.get(code, "")
            iso3 = row["ISO_A3_EH"] if row["ISO_A3_EH"] != "-99" else ""
            name = UN_NAMES.get(iso2, row["NAME_LONG"])
            properties[key] = {
                "id": iso2.lower() or code.lower(),
                "iso2": iso2,
                "iso3": iso3,
                "name": name,
                "label": [round(row["LABEL_X"], 2), round(row["LABEL_Y"], 2)],
                "disputed": False,
            }
            if iso2 in PART_OF:
                properties[key]["part_of"] = PART_OF[iso2]
    areas: dict[str, Any] = defaultdict(list)
    for feature in json.loads(Path(disputed).read_text(encoding="utf-8"))["features"]:
        geometry = shapely.make_valid(shape(feature["geometry"]))
        found = area_of(geometry.bounds)
        if found:
            areas[found].append(geometry)
    missing = set(AREAS) - set(areas)
    if missing:
        raise SystemExit(f"disputed areas not found in the layer: {sorted(missing)}")
    area_layers = [(key, unary_union(parts)) for key, parts in areas.items()]

    # STEP 1: node only near the disputed areas; all other countries stay as they are.
    zone = unary_union([g.buffer(0.5) for _, g in area_layers])
    touched = {key for key, g in layers if key in DISPUTED or g.intersects(zone)}
    lines = unary_union([g.boundary for k, g in layers if k in touched] + [g.boundary for _, g in area_layers])
    faces = list(polygonize(lines))
    country_tree = STRtree([g for _, g in layers])
    area_tree = STRtree([g for _, g in area_layers])
    keys: list[str | None] = []
    for face in faces:
        inside = face.representative_point()
        hit_area = [area_layers[i][0] for i in area_tree.query(inside, predicate="within")]
        hit_country = [layers[i][0] for i in country_tree.query(inside, predicate="within")]
        # An area's polygon that covers sea in the other layer is not land: the countries layer draws the coast.
        keys.append((hit_area[0] if hit_area else hit_country[0]) if hit_country else None)

    # STEP 2: slivers join the neighbour with the longest common edge.
    tree = STRtree(faces)
    for number, face in enumerate(faces):
        thin = 2 * face.area / max(face.length, 1e-9) < SLIVER_WIDTH_DEG
        if keys[number] is None or face.area > SLIVER_DEG2 or not thin or not zone.intersects(face):
            continue
        best, longest = None, 0.0
        for other in tree.query(face):
            if other == number or keys[other] is None or faces[other].area <= face.area:
                continue
            common = face.boundary.intersection(faces[other].boundary).length
            if common > longest:
                best, longest = keys[other], common
        if best is not None:
            keys[number] = best

    # STEP 3: dissolve, simplify as one coverage, write.
    groups: dict[str, list[Any]] = defaultdict(list)
    for key, face in zip(keys, faces, strict=True):
        if key is not None:
            groups[key].append(face)
    for key, geometry in layers:
        if key not in touched:
            groups[key].append(geometry)
    names = sorted(groups)
    merged = [unary_union(groups[key]) for key in names]
    simple = shapely.coverage_simplify(merged, SIMPLIFY_DEG, simplify_boundary=True)
    features = []
    for key, geometry in zip(names, simple, strict=True):
        parts = [p for p in getattr(geometry, "geoms", [geometry]) if p.geom_type == "Polygon" and not p.is_empty]
        largest = max((p.area for p in parts), default=0.0)
        polygons = []
        for part in parts:
            if part.area < SMALLEST_ISLAND_DEG2 and part.area < largest and key not in AREAS:
                continue
            outer = rounded(part.exterior)
            if outer is not None:
                polygons.append([outer, *[r for r in (rounded(i) for i in part.interiors) if r]])
        if not polygons:
            continue
        if key in DISPUTED:
            iso2, iso3, label, claimed, note = DISPUTED[key]
            point = geometry.representative_point()
            properties[key] = {
                "id": key,
                "iso2": iso2,
                "iso3": iso3,
                "name": label,
                "label": [round(point.x, 2), round(point.y, 2)],
                "disputed": True,
                "claimed_by": claimed,
                "note": note,
            }
        geometry_out = (
            {"type": "MultiPolygon", "coordinates": polygons}
            if len(polygons) > 1
            else {"type": "Polygon", "coordinates": polygons[0]}
        )
        features.append({"type": "Feature", "properties": properties[key], "geometry": geometry_out})
    # Rounding to two decimals can make a ring touch itself: such a shape is mended, not shipped.
    for feature in features:
        geometry = shape(feature["geometry"])
        if not geometry.is_valid:
            fixed = shapely.make_valid(geometry)
            polygons_only = [p for p in getattr(fixed, "geoms", [fixed]) if "Polygon" in p.geom_type]
            clean = shapely.set_precision(unary_union(polygons_only), 0.01)
            feature["geometry"] = json.loads(json.dumps(mapping(shapely.transform(clean, two_decimals))))
    text = json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":"), ensure_ascii=False)
    Path(target).write_text(text + "\n", encoding="utf-8")
    print(len(features), "features,", round(len(text.encode()) / 1e6, 3), "MB")


if __name__ == "__main__":
    main(*sys.argv[1:4])
