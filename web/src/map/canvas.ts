// The map while it moves, and trains on it: Canvas 2D. A map that is dragged is copied from a sheet, drawn once and larger
// than the window; only where that ends, or the zoom changes, are lines drawn again. A zoom of Web Mercator is one
// transformation of the whole drawing, so that paths are made once for about a zoom.
import type {Flows, MapData, Run} from '../lib/api';
import {FONTS, type Layout, SPACED} from './labels';
import {ringsOf} from './land';
import {beside, type Camera, simplified, simplify, TILE, toX, toY} from './mercator';
import type {Palette} from './palette';
import {DASHES, type LineState, type Scene, smooth, widthAt} from './scene';

interface Batch {path: Path2D; colour: string; w: number; core: number}
interface Moving {xy: Float64Array; length: Float64Array; total: number; headway: number; hours: number; lane: number}
interface Queue {x: number; y: number; headway: number; hours: number; side: number}
/** The map around a window, and where its corner lies in pixels of the world at its zoom. */
interface Sheet {canvas: HTMLCanvasElement; zoom: number; left: number; top: number; width: number; height: number; palette: Palette}
type Pen = CanvasRenderingContext2D;

/** Pixels of the raster in which names hide trains. By what part of the window a sheet is larger on each side, and how many pixels of four bytes it has at most. */
const NAME_CELL = 4, MARGIN = 0.3, SHEET_PIXELS = 12e6;

export class Painter {
  private readonly g: Pen;
  private sheet: Sheet | null = null;
  /** Land for views from afar, and nearer. */
  private land: Path2D[] = [];
  private borders: any = null;
  private names: Layout | null = null;
  private scene: Scene | null = null;
  private batches: Batch[] = [];
  private lines = new Map<LineState, Path2D>();
  private built = NaN;
  private drawn: Camera | null = null;
  private covered: {names: Layout | null; camera: Camera; cells: Uint8Array} | null = null;
  private trains: Moving[] = [];
  private queues: Queue[] = [];
  ratio = 1;

  /** `lay` finds the names of any part of the map. */
  constructor(readonly canvas: HTMLCanvasElement, private readonly lay: (camera: Camera, width: number, height: number) => Layout) {
    this.g = canvas.getContext('2d')!;
  }

  size(width: number, height: number, ratio: number) {
    this.ratio = ratio;
    this.sheet = null;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
  }

  setLand(borders: any) {
    this.borders = borders;
    this.land = [];
    this.sheet = null;
  }

  /** Land for a zoom; each is made when it is first looked at. */
  private landAt(zoom: number): Path2D | null {
    if (!this.borders) return null;
    const level = zoom < 3.8 ? 0 : 1;
    let path = this.land[level];
    if (!path) {
      this.land[level] = path = new Path2D();
      const tolerance = [0.0006, 0.00012][level];
      for (const ring of ringsOf(this.borders)) {
        // islands smaller than a pixel are not worth a line
        if (ring.x1 - ring.x0 < tolerance && ring.y1 - ring.y0 < tolerance) continue;
        const xy = simplify(ring.xy, tolerance);
        if (xy.length < 8) continue;
        trace(path, xy);
        path.closePath();
      }
    }
    return path;
  }

  setNames(names: Layout | null) { this.names = names; this.sheet = null; }

  setScene(scene: Scene) {
    this.scene = scene;
    this.built = NaN;
    this.sheet = null;
  }

  /** Trains of a solution: a train enters each headway and is on the line for the modelled hours. */
  setTrains(map: MapData, run: Run | null, scene: Scene) {
    this.trains = [];
    this.queues = [];
    if (!run) return;
    const flows: Flows = run.flows;
    for (const stroke of scene.strokes) {
      const perDay = flows.trains_day[stroke.row], hours = flows.time_h[stroke.row];
      if (!perDay || !hours || perDay < 0.05) continue;
      const xy = simplify(stroke.xy, 2e-5), length = new Float64Array(xy.length / 2);
      for (let i = 1; i < length.length; i++) length[i] = length[i - 1] + Math.hypot(xy[2 * i] - xy[2 * i - 2], xy[2 * i + 1] - xy[2 * i - 1]);
      this.trains.push({xy, length, total: length[length.length - 1], headway: 24 / perDay, hours, lane: stroke.w / 2});
    }
    const at = new Map(map.crossings.map(c => [c.id, c]));
    for (const row of run.crossings) {
      const c = at.get(row.crossing);
      if (!c || !row.trains_day || row.trains_day < 0.05 || !row.time_h) continue;
      this.queues.push({x: toX(c.lon), y: toY(c.lat), headway: 24 / row.trains_day, hours: row.time_h, side: row.direction === 'ab' ? 1 : -1});
    }
  }

  /** Lines of one colour and about one width are one path: few strokes, whatever the number of lines. */
  private build(zoom: number) {
    const scale = TILE * 2 ** zoom, wide = widthAt(zoom), batches = new Map<string, Batch>();
    for (const s of this.scene!.strokes) {
      const w = Math.max(0.6, s.w * wide), step = w < 2 ? Math.round(w * 2) / 2 : Math.round(w);
      const key = `${s.colour}/${step}/${s.core}`;
      let batch = batches.get(key);
      if (!batch) batches.set(key, (batch = {path: new Path2D(), colour: s.colour, w: step, core: s.core}));
      const xy = beside(simplify(s.xy, smooth(w) / scale), (w / 2 + 0.5) / scale);
      batch.path.moveTo(xy[0], xy[1]);
      for (let i = 2; i < xy.length; i += 2) batch.path.lineTo(xy[i], xy[i + 1]);
    }
    this.batches = [...batches.values()].sort((a, b) => a.w - b.w);
    this.lines = new Map();
    for (const line of this.scene!.base) {
      let path = this.lines.get(line.state);
      if (!path) this.lines.set(line.state, (path = new Path2D()));
      trace(path, simplified(line.xy, 1.5 / scale));
    }
    this.built = zoom;
  }

  private place(g: Pen, camera: Camera, width: number, height: number): number {
    const scale = TILE * 2 ** camera.zoom, r = this.ratio;
    g.setTransform(scale * r, 0, 0, scale * r, (width / 2 - toX(camera.lon) * scale) * r, (height / 2 - toY(camera.lat) * scale) * r);
    return scale;
  }

  clear() {
    this.g.setTransform(1, 0, 0, 1, 0, 0);
    this.g.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** The map with its names: copied while it is dragged, drawn while it is zoomed and at first. */
  draw(camera: Camera, width: number, height: number, palette: Palette) {
    const was = this.drawn, dragged = was !== null && was.zoom === camera.zoom && (was.lon !== camera.lon || was.lat !== camera.lat);
    this.drawn = camera;
    if (this.copy(camera, width, height, palette)) return;
    if (dragged) {
      this.prepare(camera, width, height, palette, this.sheet !== null);
      if (this.copy(camera, width, height, palette)) return;
    }
    this.drawMap(this.g, camera, width, height, palette, false);
    this.drawNames(this.g, this.names, camera, width, height, palette);
  }

  /** Draw the sheet around a view: before it is dragged, with the names that stand there; further on with those of the sheet. */
  prepare(camera: Camera, width: number, height: number, palette: Palette, further = false) {
    const r = this.ratio, room = SHEET_PIXELS / (width * height * r * r), margin = Math.min(MARGIN, Math.max(0, (Math.sqrt(room) - 1) / 2));
    const wide = Math.round(width * (1 + 2 * margin)), high = Math.round(height * (1 + 2 * margin)), scale = TILE * 2 ** camera.zoom;
    const canvas = this.sheet?.canvas ?? document.createElement('canvas');
    canvas.width = Math.round(wide * r);
    canvas.height = Math.round(high * r);
    const g = canvas.getContext('2d', {alpha: false})!;
    this.drawMap(g, camera, wide, high, palette, true);
    this.drawNames(g, further ? this.lay(camera, wide, high) : this.names, camera, wide, high, palette);
    this.sheet = {canvas, zoom: camera.zoom, left: toX(camera.lon) * scale - wide / 2, top: toY(camera.lat) * scale - high / 2, width: wide, height: high, palette};
  }

  /** Copy a view from the sheet; false where that does not hold it. Whole pixels only: a copy between pixels is slow and blurred. */
  private copy(camera: Camera, width: number, height: number, palette: Palette): boolean {
    const s = this.sheet, r = this.ratio;
    if (!s || s.palette !== palette || s.zoom !== camera.zoom) return false;
    const scale = TILE * 2 ** camera.zoom, left = toX(camera.lon) * scale - width / 2 - s.left, top = toY(camera.lat) * scale - height / 2 - s.top;
    if (left < -0.5 || top < -0.5 || left + width > s.width + 0.5 || top + height > s.height + 0.5) return false;
    this.g.setTransform(1, 0, 0, 1, 0, 0);
    this.g.drawImage(s.canvas, -Math.round(left * r), -Math.round(top * r));
    return true;
  }

  /** Land and lines, simplified; dashes and cores, which take most of the time, only where the whole is wanted. */
  private drawMap(g: Pen, camera: Camera, width: number, height: number, palette: Palette, whole: boolean) {
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.fillStyle = palette.sea;
    g.fillRect(0, 0, g.canvas.width, g.canvas.height);
    const scale = this.place(g, camera, width, height);
    g.lineJoin = 'bevel';
    const land = this.landAt(camera.zoom);
    if (land) {
      g.fillStyle = palette.land;
      g.fill(land);
      g.strokeStyle = palette.border;
      g.lineWidth = 0.7 / scale;
      g.stroke(land);
    }
    if (!this.scene) return;
    if (!(Math.abs(this.built - camera.zoom) < 0.25)) this.build(camera.zoom);
    g.lineCap = 'butt';
    for (const [state, path] of this.lines) {
      if (!whole && state !== 'open' && state !== 'estimated') continue;
      g.strokeStyle = state === 'planned' ? palette.planned : palette.idle;
      g.lineWidth = (state === 'planned' ? 1.8 : 0.9) / scale;
      g.setLineDash(whole ? DASHES[state].map(d => d / scale) : []);
      g.stroke(path);
    }
    g.setLineDash([]);
    const fade = this.scene.route.length ? 0.35 : 1;
    g.globalAlpha = fade;
    for (const batch of this.batches) {
      g.strokeStyle = batch.colour;
      g.lineWidth = batch.w / scale;
      g.stroke(batch.path);
      if (!whole || !batch.core || batch.w <= 2) continue;
      g.strokeStyle = palette.core;
      g.lineWidth = Math.max(0.8, batch.w * 0.22) / scale;
      g.setLineDash(batch.core === 2 ? [4 / scale, 3 / scale] : []);
      g.stroke(batch.path);
      g.setLineDash([]);
    }
    g.globalAlpha = 1;
    for (const [paths, w] of [[this.scene.route, 4], [this.scene.selected, 3]] as const) {
      if (!paths.length) continue;
      g.lineCap = 'round';
      for (const [colour, extra] of [[palette.halo, 3], [palette.select, 0]] as const) {
        g.strokeStyle = colour;
        g.lineWidth = (w + extra) / scale;
        g.beginPath();
        for (const xy of paths) trace(g, xy);
        g.stroke();
      }
    }
  }

  /** Names and marks, each at its point. */
  private drawNames(g: Pen, names: Layout | null, camera: Camera, width: number, height: number, palette: Palette) {
    if (!names || !this.scene) return;
    const r = this.ratio, scale = TILE * 2 ** camera.zoom;
    const ox = width / 2 - toX(camera.lon) * scale, oy = height / 2 - toY(camera.lat) * scale;
    g.setTransform(r, 0, 0, r, 0, 0);
    g.lineJoin = 'round';
    g.fillStyle = palette.halo;
    g.strokeStyle = palette.node;
    g.lineWidth = 1.2;
    g.beginPath();
    for (const i of names.marks) {
      const m = this.scene.marks[i], x = m.x * scale + ox, y = m.y * scale + oy;
      g.moveTo(x, y - 3.5); g.lineTo(x + 3.5, y); g.lineTo(x, y + 3.5); g.lineTo(x - 3.5, y); g.closePath();
    }
    g.fill();
    g.stroke();
    g.strokeStyle = palette.halo;
    g.lineWidth = 4;
    for (const l of names.labels) {
      const x = l.x * scale + ox + l.dx, y = l.y * scale + oy + l.dy;
      if (x > width || x + l.width < 0 || y < 0 || y > height + 12) continue;
      g.font = FONTS[l.kind];
      if ('letterSpacing' in g) g.letterSpacing = l.kind === 'country' ? `${SPACED}px` : '0px';
      g.fillStyle = l.kind === 'crossing' || l.kind === 'code' ? palette.text : l.kind === 'place' ? palette.place : palette.country;
      g.strokeText(l.text, x, y);
      g.fillText(l.text, x, y);
    }
  }

  /** Tells points that lie on a name: trains pass below it. */
  private onNames(camera: Camera, width: number, height: number): (x: number, y: number) => boolean {
    const columns = Math.ceil(width / NAME_CELL), rows = Math.ceil(height / NAME_CELL), {names} = this;
    if (this.covered?.names !== names || this.covered.camera !== camera || this.covered.cells.length !== columns * rows) {
      const cells = new Uint8Array(columns * rows), scale = TILE * 2 ** camera.zoom;
      const ox = width / 2 - toX(camera.lon) * scale, oy = height / 2 - toY(camera.lat) * scale;
      for (const l of names?.labels ?? []) {
        if (l.kind === 'country') continue; // pale and wide apart: trains may pass between its letters
        const x = l.x * scale + ox + l.dx, y = l.y * scale + oy + l.dy;
        for (let cy = Math.max(0, Math.floor((y - 11) / NAME_CELL)); cy <= Math.min(rows - 1, Math.floor((y + 3) / NAME_CELL)); cy++)
          for (let cx = Math.max(0, Math.floor((x - 2) / NAME_CELL)); cx <= Math.min(columns - 1, Math.floor((x + l.width + 2) / NAME_CELL)); cx++) cells[cy * columns + cx] = 1;
      }
      this.covered = {names, camera, cells};
    }
    const {cells} = this.covered;
    return (x, y) => x >= 0 && y >= 0 && x < width && y < height && cells[Math.floor(y / NAME_CELL) * columns + Math.floor(x / NAME_CELL)] === 1;
  }

  /** Trains at an hour of the model's clock; those at a border wait beside it. Returns how many were drawn. */
  drawTrains(camera: Camera, width: number, height: number, palette: Palette, hour: number): number {
    const {g} = this, r = this.ratio;
    const scale = TILE * 2 ** camera.zoom, wide = widthAt(camera.zoom);
    const ox = width / 2 - toX(camera.lon) * scale, oy = height / 2 - toY(camera.lat) * scale;
    g.setTransform(r, 0, 0, r, 0, 0);
    g.fillStyle = palette.train;
    g.globalAlpha = camera.zoom < 3.2 ? 0.75 : 0.9;
    let drawn = 0;
    const named = this.onNames(camera, width, height);
    const half = camera.zoom < 3.2 ? 0.7 : camera.zoom < 4.5 ? 1.1 : 1.6;
    for (const line of this.trains) {
      const first = Math.ceil((hour - line.hours) / line.headway), last = Math.floor(hour / line.headway);
      let i = line.length.length - 1;
      for (let k = first; k <= last; k++) {
        const part = Math.min(1, Math.max(0, (hour - k * line.headway) / line.hours)) * line.total;
        while (i > 1 && line.length[i - 1] > part) i--; // later trains are further back
        const a = line.length[i - 1], b = line.length[i], u = b > a ? (part - a) / (b - a) : 0;
        const dx = line.xy[2 * i] - line.xy[2 * i - 2], dy = line.xy[2 * i + 1] - line.xy[2 * i - 1], long = Math.hypot(dx, dy) || 1;
        const off = line.lane * wide + 0.5;
        const x = ox + (line.xy[2 * i - 2] + u * dx) * scale - (dy / long) * off;
        const y = oy + (line.xy[2 * i - 1] + u * dy) * scale + (dx / long) * off;
        if (x < -4 || y < -4 || x > width + 4 || y > height + 4 || named(x, y)) continue;
        g.fillRect(x - half, y - half, 2 * half, 2 * half);
        drawn++;
      }
    }
    // seen from afar, trains at a border would hide it
    if (camera.zoom >= 3.2) for (const q of this.queues) {
      const x = ox + q.x * scale, y = oy + q.y * scale;
      if (x < 0 || y < 0 || x > width || y > height) continue;
      const count = Math.min(24, Math.floor(hour / q.headway) - Math.ceil((hour - q.hours) / q.headway) + 1);
      for (let k = 0; k < count; k++) {
        g.fillRect(x + q.side * (6 + 3 * (k % 6)) - 1, y - 4 + 3 * Math.floor(k / 6), 2, 2);
        drawn++;
      }
    }
    g.globalAlpha = 1;
    return drawn;
  }
}

function trace(g: CanvasRenderingContext2D | Path2D, xy: Float64Array) {
  g.moveTo(xy[0], xy[1]);
  for (let i = 2; i < xy.length; i += 2) g.lineTo(xy[i], xy[i + 1]);
}
