// The map while it moves, and trains on it: Canvas 2D. A shift or zoom of Web Mercator is one transformation of the whole
// drawing, so that paths are made once for a zoom and only drawn again for each frame.
import type {Flows, MapData, Run} from '../lib/api';
import {FONTS, type Layout, SPACED} from './labels';
import {ringsOf} from './land';
import {beside, type Camera, simplify, TILE, toX, toY} from './mercator';
import type {Palette} from './palette';
import {type Scene, smooth, widthAt} from './scene';

interface Batch {path: Path2D; colour: string; w: number}
interface Moving {xy: Float64Array; length: Float64Array; total: number; headway: number; hours: number; lane: number}
interface Queue {x: number; y: number; headway: number; hours: number; side: number}

export class Painter {
  private readonly g: CanvasRenderingContext2D;
  /** Land for views from afar, and nearer. */
  private land: Path2D[] = [];
  private borders: any = null;
  private names: Layout | null = null;
  private scene: Scene | null = null;
  private batches: Batch[] = [];
  private lines = new Map<string, Path2D>();
  private built = NaN;
  private trains: Moving[] = [];
  private queues: Queue[] = [];
  ratio = 1;

  constructor(readonly canvas: HTMLCanvasElement) {
    this.g = canvas.getContext('2d')!;
  }

  size(width: number, height: number, ratio: number) {
    this.ratio = ratio;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
  }

  setLand(borders: any) {
    this.borders = borders;
    this.land = [];
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

  setNames(names: Layout | null) { this.names = names; }

  setScene(scene: Scene) {
    this.scene = scene;
    this.built = NaN;
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
      const key = `${s.colour}/${step}`;
      let batch = batches.get(key);
      if (!batch) batches.set(key, (batch = {path: new Path2D(), colour: s.colour, w: step}));
      const xy = beside(simplify(s.xy, smooth(w) / scale), (w / 2 + 0.5) / scale);
      batch.path.moveTo(xy[0], xy[1]);
      for (let i = 2; i < xy.length; i += 2) batch.path.lineTo(xy[i], xy[i + 1]);
    }
    this.batches = [...batches.values()].sort((a, b) => a.w - b.w);
    this.lines = new Map();
    for (const line of this.scene!.base) {
      let path = this.lines.get(line.state);
      if (!path) this.lines.set(line.state, (path = new Path2D()));
      trace(path, simplify(line.xy, 1.5 / scale));
    }
    this.built = zoom;
  }

  private place(camera: Camera, width: number, height: number): number {
    const scale = TILE * 2 ** camera.zoom, r = this.ratio;
    this.g.setTransform(scale * r, 0, 0, scale * r, (width / 2 - toX(camera.lon) * scale) * r, (height / 2 - toY(camera.lat) * scale) * r);
    return scale;
  }

  clear() {
    this.g.setTransform(1, 0, 0, 1, 0, 0);
    this.g.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** Land and lines, simplified. */
  drawMap(camera: Camera, width: number, height: number, palette: Palette) {
    const {g} = this;
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.fillStyle = palette.sea;
    g.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const scale = this.place(camera, width, height);
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
      g.strokeStyle = state === 'planned' ? palette.planned : palette.idle;
      g.lineWidth = 0.9 / scale;
      // dashes cost most of a picture; lines that nothing runs on come back when the map rests
      if (state === 'open' || state === 'estimated') g.stroke(path);
    }
    const fade = this.scene.route.length ? 0.35 : 1;
    g.globalAlpha = fade;
    for (const batch of this.batches) {
      g.strokeStyle = batch.colour;
      g.lineWidth = batch.w / scale;
      g.stroke(batch.path);
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

  /** The names of the map as it last stood still, going along with it. */
  drawNames(camera: Camera, width: number, height: number, palette: Palette) {
    if (!this.names || !this.scene) return;
    const {g} = this, r = this.ratio, scale = TILE * 2 ** camera.zoom;
    const ox = width / 2 - toX(camera.lon) * scale, oy = height / 2 - toY(camera.lat) * scale;
    g.setTransform(r, 0, 0, r, 0, 0);
    g.lineJoin = 'round';
    g.fillStyle = palette.halo;
    g.strokeStyle = palette.node;
    g.lineWidth = 1.2;
    g.beginPath();
    for (const i of this.names.marks) {
      const m = this.scene.marks[i], x = m.x * scale + ox, y = m.y * scale + oy;
      g.moveTo(x, y - 3.5); g.lineTo(x + 3.5, y); g.lineTo(x, y + 3.5); g.lineTo(x - 3.5, y); g.closePath();
    }
    g.fill();
    g.stroke();
    g.strokeStyle = palette.halo;
    g.lineWidth = 3;
    for (const l of this.names.labels) {
      const x = l.x * scale + ox + l.dx, y = l.y * scale + oy + l.dy;
      if (x > width || x + l.width < 0 || y < 0 || y > height + 12) continue;
      g.font = FONTS[l.kind];
      if ('letterSpacing' in g) g.letterSpacing = l.kind === 'country' ? `${SPACED}px` : '0px';
      g.fillStyle = l.kind === 'crossing' || l.kind === 'code' ? palette.text : l.kind === 'place' ? palette.quiet : palette.country;
      g.strokeText(l.text, x, y);
      g.fillText(l.text, x, y);
    }
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
        if (x < -4 || y < -4 || x > width + 4 || y > height + 4) continue;
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
