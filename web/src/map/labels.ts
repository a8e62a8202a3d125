// Which names stand on the map and where. Crossings come first by what passes them, then countries, then places by what
// passes them; a name takes that side of its point where it hides least, and is left out where it would lie on another.
import type {MapData} from '../lib/api';
import {type CountryName, countryNames} from './land';
import {type Camera, TILE, toX, toY} from './mercator';
import {type Scene, widthAt} from './scene';

export type LabelKind = 'crossing' | 'place' | 'country' | 'code';
/** A name: the point it belongs to in the unit square, and its baseline's start from there in pixels. */
export interface Label {kind: LabelKind; text: string; x: number; y: number; dx: number; dy: number; width: number}
export interface Layout {labels: Label[]; marks: number[]}

export const FONTS: Record<LabelKind, string> = {
  crossing: "600 12px 'Inter Variable', Inter, system-ui, sans-serif",
  place: "480 12px 'Inter Variable', Inter, system-ui, sans-serif",
  code: "650 10px 'Inter Variable', Inter, system-ui, sans-serif",
  country: "600 10.5px 'Inter Variable', Inter, system-ui, sans-serif",
};
/** Letters of a country's name stand apart. */
export const SPACED = 1.6;
/** Sizes in pixels. */
export const SIZES: Record<LabelKind, number> = {crossing: 12, place: 12, country: 10.5, code: 10};

let pen: CanvasRenderingContext2D | null = null;
const widths = new Map<string, number>();
function widthOf(kind: LabelKind, text: string): number {
  const key = kind + text;
  let found = widths.get(key);
  if (found === undefined) {
    pen ??= document.createElement('canvas').getContext('2d')!;
    pen.font = FONTS[kind];
    found = pen.measureText(text).width + (kind === 'country' ? SPACED * text.length : 0);
    widths.set(key, found);
  }
  return found;
}
/** Widths measured before the page's own letters had come are forgotten. */
export const remeasure = () => widths.clear();

type Box = [number, number, number, number];
const meet = (a: Box, b: Box) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
const CELL = 6;
/** A place's name may lie on flows by so many cells for each pixel of its length, a third of its room: more could not be read. */
const READABLE = 1 / 6;
/** Where a country's name may stand from its middle: in parts of its length, and in pixels. */
const AROUND: [number, number][] = [[0, 0], [0, -18], [0, 18], [-0.5, 0], [0.5, 0], [0, -36], [0, 36], [-0.5, -18], [0.5, -18], [-0.5, 18], [0.5, 18], [0, -54], [0, 54]];

/** Crossings that have a mark at a zoom, and a name. */
export const marksAt = (zoom: number) => (zoom < 3.2 ? 24 : zoom < 4.5 ? 60 : 400);
const namesAt = (zoom: number) => (zoom < 2.2 ? 5 : zoom < 3 ? 9 : zoom < 3.8 ? 16 : zoom < 4.6 ? 40 : 200);

export function layout(map: MapData, borders: any, scene: Scene, camera: Camera, width: number, height: number): Layout {
  const scale = TILE * 2 ** camera.zoom, ox = width / 2 - toX(camera.lon) * scale, oy = height / 2 - toY(camera.lat) * scale;
  const columns = Math.ceil(width / CELL), rows = Math.ceil(height / CELL), busy = new Uint8Array(columns * rows);
  const wide = widthAt(camera.zoom);
  // a route or what was chosen lies on its way
  const chosen = [...scene.route, ...scene.selected].map(xy => ({xy, w: 6, from: -3}));
  for (const s of [...scene.strokes.map(s => ({xy: s.xy, w: s.w * wide, from: 0.5})), ...chosen]) {
    // a flow lies to the right of its way, as wide as it is drawn
    const {w} = s, lanes = Math.max(1, Math.ceil(w / CELL));
    if (w < 1.2) continue;
    let px = s.xy[0] * scale + ox, py = s.xy[1] * scale + oy;
    for (let i = 2; i < s.xy.length; i += 2) {
      const x = s.xy[i] * scale + ox, y = s.xy[i + 1] * scale + oy, steps = Math.ceil(Math.max(Math.abs(x - px), Math.abs(y - py)) / CELL);
      const far = Math.hypot(x - px, y - py) || 1;
      if (Math.max(x, px) > -w && Math.min(x, px) < width + w && Math.max(y, py) > -w && Math.min(y, py) < height + w) for (let lane = 0; lane < lanes; lane++) {
        const off = ((lane + 0.5) / lanes) * w + s.from, qx = px - ((y - py) / far) * off, qy = py + ((x - px) / far) * off;
        for (let k = 0; k <= steps; k++) {
          const cx = Math.floor((qx + ((x - px) * k) / (steps || 1)) / CELL), cy = Math.floor((qy + ((y - py) * k) / (steps || 1)) / CELL);
          if (cx >= 0 && cy >= 0 && cx < columns && cy < rows) busy[cy * columns + cx] = 1;
        }
      }
      px = x; py = y;
    }
  }
  const hidden = (b: Box) => {
    let n = 0;
    for (let cy = Math.max(0, Math.floor(b[1] / CELL)); cy <= Math.min(rows - 1, Math.floor(b[3] / CELL)); cy++)
      for (let cx = Math.max(0, Math.floor(b[0] / CELL)); cx <= Math.min(columns - 1, Math.floor(b[2] / CELL)); cx++) n += busy[cy * columns + cx];
    return n;
  };
  const boxes: Box[] = [], labels: Label[] = [], marks: number[] = [], said = new Set<string>();
  function put(kind: LabelKind, text: string, ux: number, uy: number, gap: number, air: number, most = Infinity): boolean {
    const x = ux * scale + ox, y = uy * scale + oy;
    if (x < -20 || y < -20 || x > width + 20 || y > height + 20) return false;
    const long = widthOf(kind, text), half = kind === 'code' ? 5.5 : 7;
    // right, left, above, below, then aslant; centred for countries
    const sides: [number, number][] = kind === 'code' ? [[-long / 2, 4]] : kind === 'country' ? AROUND.map(([fx, fy]) => [-long / 2 + fx * long, 4 + fy]) : [[gap, 4], [-gap - long, 4], [-long / 2, -gap - 2], [-long / 2, gap + 11], [gap - 1, -6], [gap - 1, 14], [1 - gap - long, -6], [1 - gap - long, 14]];
    let best: {cost: number; box: Box; dx: number; dy: number} | null = null;
    sides.forEach(([dx, dy], side) => {
      const box: Box = [x + dx - 1, y + dy - 4 - half, x + dx + long + 1, y + dy - 4 + half];
      if (box[0] < 3 || box[1] < 3 || box[2] > width - 3 || box[3] > height - 3) return;
      const around: Box = [box[0] - air, box[1] - air / 2, box[2] + air, box[3] + air / 2];
      if (boxes.some(b => meet(around, b))) return;
      const cost = (kind === 'code' ? 0 : hidden(box)) + side * (kind === 'country' ? 0.15 : 0.4);
      if (cost <= most && (!best || cost < best.cost)) best = {cost, box, dx, dy};
    });
    if (!best) return false;
    const {box, dx, dy} = best as {box: Box; dx: number; dy: number};
    boxes.push(box);
    labels.push({kind, text, x: ux, y: uy, dx, dy, width: long});
    return true;
  }
  scene.marks.forEach((m, i) => {
    if (m.tonnes <= 0 || m.rank >= marksAt(camera.zoom)) return;
    const x = m.x * scale + ox, y = m.y * scale + oy;
    if (x < 0 || y < 0 || x > width || y > height) return;
    marks.push(i);
    boxes.push([x - 4, y - 4, x + 4, y + 4]);
  });
  const room = (width * height) / 260_000;
  for (const i of marks) if (scene.marks[i].rank < namesAt(camera.zoom)) put('crossing', scene.marks[i].name.replace(' - ', '–'), scene.marks[i].x, scene.marks[i].y, 7, 3);
  // letters on lines, the second cue beside colour: the widest first, some way apart from those alike
  const codes = new Map<string, [number, number][]>();
  for (let i = scene.strokes.length - 1; i >= 0; i--) {
    const s = scene.strokes[i];
    if (!s.code || s.w * wide < 3.2) continue;
    const at = 2 * (s.xy.length >> 2), x = s.xy[at], y = s.xy[at + 1], near = codes.get(s.code) ?? [];
    if (near.some(([a, b]) => Math.hypot(a - x, b - y) * scale < 150)) continue;
    if (put('code', s.code, x, y, 0, 2)) codes.set(s.code, [...near, [x, y]]);
  }
  if (camera.zoom < 5.2) {
    const smallest = 900 / (scale * scale);
    for (const c of countries(map, borders)) if (c.area > smallest * 6) put('country', c.name.toUpperCase(), c.x, c.y, 0, 3, 3.5);
  }
  // far away only some places have room; nearer all that fit
  const grade = camera.zoom < 3.3 ? 1 : camera.zoom < 4.6 ? 2 : 3, air = camera.zoom < 3.3 ? 7 : 3;
  let left = camera.zoom < 2.4 ? 9 * room + 6 : camera.zoom < 3.3 ? 16 * room + 8 : 400;
  for (const p of scene.places) {
    if (left <= 0) break;
    if (p.grade > grade || said.has(p.name)) continue;
    if (put('place', p.name, p.x, p.y, 5, air, READABLE * widthOf('place', p.name))) { said.add(p.name); left--; }
  }
  return {labels, marks};
}

const lands = new WeakMap<MapData, Map<string, string>>();
function countries(map: MapData, borders: any): CountryName[] {
  if (!borders) return [];
  let names = lands.get(map);
  if (!names) {
    const met = new Set(map.places.map(p => p.iso2));
    lands.set(map, (names = new Map(map.countries.filter(c => met.has(c.iso2)).map(c => [c.iso2, c.name]))));
  }
  return countryNames(borders, names);
}
