// Web Mercator in the unit square, x to the right and y downwards; a view is a centre and a zoom, as MapLibre counts it.
export interface Camera {lon: number; lat: number; zoom: number}
export const TILE = 512;

export const toX = (lon: number) => lon / 360 + 0.5;
export function toY(lat: number): number {
  const s = Math.sin((Math.max(-85.05, Math.min(85.05, lat)) * Math.PI) / 180);
  return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
}
export const toLon = (x: number) => (x - 0.5) * 360;
export const toLat = (y: number) => (360 / Math.PI) * Math.atan(Math.exp((0.5 - y) * 2 * Math.PI)) - 90;

export function flat(path: [number, number][], reversed = false): Float64Array {
  const out = new Float64Array(path.length * 2);
  path.forEach(([lon, lat], i) => {
    const at = 2 * (reversed ? path.length - 1 - i : i);
    out[at] = toX(lon);
    out[at + 1] = toY(lat);
  });
  return out;
}

/** Points that matter at a tolerance (Douglas and Peucker, without recursion). */
export function simplify(xy: Float64Array, tolerance: number): Float64Array {
  const n = xy.length / 2;
  if (n < 3) return xy;
  const keep = new Uint8Array(n);
  keep[0] = keep[n - 1] = 1;
  const open: [number, number][] = [[0, n - 1]];
  while (open.length) {
    const [a, b] = open.pop()!;
    const ax = xy[2 * a], ay = xy[2 * a + 1], dx = xy[2 * b] - ax, dy = xy[2 * b + 1] - ay, long = Math.hypot(dx, dy);
    let worst = tolerance, at = -1;
    for (let i = a + 1; i < b; i++) {
      const px = xy[2 * i] - ax, py = xy[2 * i + 1] - ay;
      const off = long > 0 ? Math.abs(px * dy - py * dx) / long : Math.hypot(px, py);
      if (off > worst) { worst = off; at = i; }
    }
    if (at > 0) { keep[at] = 1; open.push([a, at], [at, b]); }
  }
  const out: number[] = [];
  for (let i = 0; i < n; i++) if (keep[i]) out.push(xy[2 * i], xy[2 * i + 1]);
  return Float64Array.from(out);
}

const held = new WeakMap<Float64Array, {tolerance: number; xy: Float64Array}>();
/** The same, kept for the tolerance that was asked for last: scenes change more often than the zoom. */
export function simplified(xy: Float64Array, tolerance: number): Float64Array {
  const last = held.get(xy);
  if (last && last.tolerance === tolerance) return last.xy;
  const found = simplify(xy, tolerance);
  held.set(xy, {tolerance, xy: found});
  return found;
}

/** A path beside a path, to the right of its direction. */
export function beside(xy: Float64Array, distance: number): Float64Array {
  const n = xy.length / 2, out = new Float64Array(xy.length);
  for (let i = 0; i < n; i++) {
    const a = Math.max(0, i - 1), b = Math.min(n - 1, i + 1);
    const dx = xy[2 * b] - xy[2 * a], dy = xy[2 * b + 1] - xy[2 * a + 1], long = Math.hypot(dx, dy) || 1;
    out[2 * i] = xy[2 * i] - (dy / long) * distance;
    out[2 * i + 1] = xy[2 * i + 1] + (dx / long) * distance;
  }
  return out;
}

/** Squared distance of a point from a path, and how far along it is nearest (0 to 1 by segments). */
export function distance2(xy: Float64Array, x: number, y: number): number {
  let best = Infinity;
  for (let i = 0; i + 3 < xy.length; i += 2) {
    const dx = xy[i + 2] - xy[i], dy = xy[i + 3] - xy[i + 1], l2 = dx * dx + dy * dy;
    const u = l2 ? Math.max(0, Math.min(1, ((x - xy[i]) * dx + (y - xy[i + 1]) * dy) / l2)) : 0;
    const ex = xy[i] + u * dx - x, ey = xy[i + 1] + u * dy - y;
    best = Math.min(best, ex * ex + ey * ey);
  }
  return best;
}
