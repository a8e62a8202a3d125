// Land as flat rings, worked out once: whoever draws it simplifies it for its own zoom.
import {flat} from './mercator';

export interface Ring {xy: Float64Array; disputed: boolean; x0: number; y0: number; x1: number; y1: number}
export interface Bounds {x0: number; y0: number; x1: number; y1: number}

export function boundsOf(xy: Float64Array): Bounds {
  let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
  for (let i = 0; i < xy.length; i += 2) {
    if (xy[i] < x0) x0 = xy[i];
    if (xy[i] > x1) x1 = xy[i];
    if (xy[i + 1] < y0) y0 = xy[i + 1];
    if (xy[i + 1] > y1) y1 = xy[i + 1];
  }
  return {x0, y0, x1, y1};
}

const held = new WeakMap<object, Ring[]>();
export function ringsOf(borders: any): Ring[] {
  let found = held.get(borders);
  if (!found) {
    found = [];
    for (const {geometry, properties} of borders.features) {
      const shapes = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
      for (const shape of shapes) for (const ring of shape) {
        const xy = flat(ring);
        found.push({xy, disputed: Boolean(properties.disputed), ...boundsOf(xy)});
      }
    }
    held.set(borders, found);
  }
  return found;
}

/** Where the names of countries stand, the largest first; none for areas that are disputed. */
export interface CountryName {name: string; x: number; y: number; area: number}
const named = new WeakMap<object, CountryName[]>();
export function countryNames(borders: any, wanted: Map<string, string>): CountryName[] {
  let found = named.get(borders);
  if (!found) {
    found = [];
    const area = new Map<object, number>();
    let i = 0;
    for (const feature of borders.features) {
      const shapes = feature.geometry.type === 'Polygon' ? [feature.geometry.coordinates] : feature.geometry.coordinates;
      let most = 0;
      for (const shape of shapes) for (const _ of shape) { const r = ringsOf(borders)[i++]; most = Math.max(most, (r.x1 - r.x0) * (r.y1 - r.y0)); }
      area.set(feature, most);
    }
    for (const feature of borders.features) {
      const {iso2, label, disputed, part_of} = feature.properties;
      if (!label || disputed || part_of || !wanted.has(iso2)) continue;
      const at = flat([label]);
      found.push({name: wanted.get(iso2)!, x: at[0], y: at[1], area: area.get(feature)!});
    }
    found.sort((a, b) => b.area - a.area);
    named.set(borders, found);
  }
  return found;
}
