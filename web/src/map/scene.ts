// What is drawn, whoever draws it: lines of the network by their state, flows as two directions side by side, a route,
// a selection. MapLibre draws it when the map rests, a canvas while it moves, an SVG where there is no WebGL or on paper.
import type {Flows, MapData, Route, Row, Run} from '../lib/api';
import type {Change, ColourBy, WidthBy} from '../lib/state.svelte';
import {flat} from './mercator';
import {catColour, GROUP_CODES, PASSAGE_CODES, type Palette, useClass} from './palette';

export type LineState = 'open' | 'estimated' | 'planned' | 'suspended' | 'ocean';
/** Dashes in pixels, whoever draws them. */
export const DASHES: Record<LineState, number[]> = {open: [], estimated: [7, 4], planned: [1.5, 4.5], suspended: [4, 6], ocean: [2, 5]};
export interface Base {index: number; state: LineState; xy: Float64Array}
export interface Stroke {
  index: number; back: boolean; xy: Float64Array; w: number; colour: string; core: 0 | 1 | 2; code: string; value: number;
  row: number;
}
export interface Mark {id: string; name: string; x: number; y: number; lon: number; lat: number; tonnes: number; rank: number; shut: boolean; use: number | null}
/** A place with a name; grade 1 starts or ends trade, 2 is another city, port or dry port, 3 lies on the way. */
export interface Spot {name: string; x: number; y: number; lon: number; lat: number; grade: 1 | 2 | 3; weight: number; rank: number}
export interface Scene {base: Base[]; strokes: Stroke[]; marks: Mark[]; places: Spot[]; route: Float64Array[]; selected: Float64Array[]}

export interface Wish {
  colour: ColourBy; width: WidthBy; year: number; solved: boolean; palette: Palette; route: Route | null; selected: string;
  change: null | {kind: Change};
}

/** A flow of so much is as wide as WIDEST; width grows with the square root, so that small flows can be seen. */
export const FULL: Record<WidthBy, number> = {tonnes: 60e6, teu: 1.5e6, trains_day: 80};
export const WIDEST = 19;
export interface WidthScale {full: number}
/** What is as wide as WIDEST where a solution or a difference is drawn: differences are smaller. */
export function widthScale(by: WidthBy, kind: Change | null): WidthScale {
  return {full: kind === null ? FULL[by] : kind === 'percent' ? 200 : kind === 'change' ? FULL[by] / 5 : FULL[by] / 500};
}
/** Amounts of the legend in parts of the full one: about 2, 6 and 16 pixels wide where the full one has 19. */
export const SAMPLES = [1 / 60, 1 / 10, 2 / 3];
export const widthOf = (value: number, full: number) => (value > 0 ? Math.max(0.6, Math.min(WIDEST, WIDEST * Math.sqrt(value / full))) : 0);
/** How widths grow as one comes nearer. */
export const widthAt = (zoom: number) => Math.max(0.42, Math.min(1.5, 0.5 + 0.24 * (zoom - 2.4)));

/** Pixels by which a line may be straightened: wide lines that follow each bend would look torn. */
export const smooth = (w: number) => Math.min(2.2, 0.55 + 0.16 * w);

const shapes = new WeakMap<MapData, {there: Float64Array; back: Float64Array}[]>();
export function shapesOf(map: MapData) {
  let found = shapes.get(map);
  if (!found) shapes.set(map, (found = map.links.map(l => ({there: flat(l.path), back: flat(l.path, true)}))));
  return found;
}
const indexes = new WeakMap<MapData, Map<string, number>>();
export function linkIndex(map: MapData) {
  let found = indexes.get(map);
  if (!found) indexes.set(map, (found = new Map(map.links.map((l, i) => [l.id, i]))));
  return found;
}

const closedIn = (from: string | null, to: string | null, year: number) =>
  Boolean(from && Number(from.slice(0, 4)) <= year && (!to || Number(to.slice(0, 4)) > year));

/** How a line stood in a year; null where it was not thought of yet. */
function stateOf(link: MapData['links'][number], year: number, used: Set<string> | null): LineState | null {
  if (link.ocean) return 'ocean';
  if (used?.has(link.id)) return link.estimated ? 'estimated' : 'open';
  if (link.status === 'suspended' || closedIn(link.closed_from, link.closed_to, year)) return 'suspended';
  const begun = link.open_from !== null && link.open_from <= year;
  if (link.status === 'existing') {
    if (link.open_from !== null && !begun) return null;
    return link.estimated ? 'estimated' : 'open';
  }
  if (link.status === 'under_construction' && begun && !used) return 'open';
  return year >= 2010 ? 'planned' : null;
}

const valueOf = (flows: Flows, width: WidthBy, i: number) => flows[width][i] ?? (width === 'trains_day' ? 0 : flows.tonnes[i]) ?? 0;

export function buildScene(map: MapData, run: Run | null, before: Run | null, wish: Wish): Scene {
  const shape = shapesOf(map), index = linkIndex(map), {palette} = wish;
  const shown = wish.solved ? run : null;
  const used = shown ? new Set(shown.flows.link) : null;
  const base: Base[] = [];
  map.links.forEach((link, i) => {
    const state = stateOf(link, wish.year, used);
    if (state) base.push({index: i, state, xy: shape[i].there});
  });
  const strokes: Stroke[] = [];
  if (shown) {
    if (wish.change && before) changes(shown.flows, before.flows);
    else flows(shown.flows);
  }
  strokes.sort((a, b) => a.w - b.w);

  function add(row: number, link: string, direction: string, w: number, colour: string, core: 0 | 1 | 2, code: string, value: number) {
    const i = index.get(link);
    if (i === undefined || w <= 0) return;
    const back = direction === 'ba';
    strokes.push({index: i, back, xy: back ? shape[i].back : shape[i].there, w, colour, core, code, value, row});
  }
  function flows(of: Flows) {
    for (let i = 0; i < of.link.length; i++) {
      const value = valueOf(of, wish.width, i), use = of.use[i];
      const w = widthOf(value, FULL[wish.width]);
      if (wish.colour === 'use') {
        const cls = use === null ? 0 : useClass(use);
        add(i, of.link[i], of.direction[i], w, cls ? palette.use[cls - 1] : palette.none, cls === 4 ? 2 : cls === 3 ? 1 : 0, '', value);
      } else {
        const id = of[wish.colour][i], codes = wish.colour === 'passage' ? PASSAGE_CODES : GROUP_CODES;
        add(i, of.link[i], of.direction[i], w, catColour(palette, wish.colour, id), 0, codes[id] ?? '', value);
      }
    }
  }
  function changes(after: Flows, was: Flows) {
    for (const c of differences(after, was, wish.width, map)) {
      const kind = wish.change!.kind, value = kind === 'change' ? c.change : kind === 'percent' ? c.percent ?? (c.change > 0 ? 100 : 0) : c.per_km ?? 0;
      const {full} = widthScale(wish.width, kind);
      if (Math.abs(c.change) < FULL[wish.width] * 2e-5) continue;
      add(c.row, c.link, c.direction, widthOf(Math.abs(value), full), value > 0 ? palette.more : palette.less, value > 0 ? 0 : 1, value > 0 ? '+' : '−', value);
    }
  }

  const byCrossing = new Map<string, {tonnes: number; use: number | null}>();
  for (const row of shown?.crossings ?? []) {
    const held = byCrossing.get(row.crossing) ?? {tonnes: 0, use: null};
    byCrossing.set(row.crossing, {tonnes: held.tonnes + row.tonnes, use: Math.max(held.use ?? 0, row.use ?? 0) || null});
  }
  const marks: Mark[] = map.crossings.filter(c => index.has(c.link)).map(c => {
    const link = map.links[index.get(c.link)!], state = stateOf(link, wish.year, used);
    const shut = shown ? !byCrossing.has(c.id) : c.status === 'closed' || closedIn(c.closed_from, c.closed_to, wish.year) || state === 'suspended';
    const at = byCrossing.get(c.id);
    return {
      id: c.id, name: c.name, lon: c.lon, lat: c.lat, ...unit(c.lon, c.lat), tonnes: at?.tonnes ?? 0, use: at?.use ?? null, rank: 0,
      shut: shut || state === null || state === 'planned',
    };
  });
  marks.sort((a, b) => b.tonnes - a.tonnes).forEach((m, rank) => (m.rank = rank));

  return {base, strokes, marks, places: spots(), route: routePaths(), selected: selectedPaths()};

  /** Places by what passes them, so that the names that matter come first. */
  function spots(): Spot[] {
    const passing = new Map<string, number>();
    const of = shown?.flows;
    of?.link.forEach((id, row) => {
      const at = index.get(id);
      if (at === undefined) return;
      for (const end of [map.links[at].a, map.links[at].b]) passing.set(end, Math.max(passing.get(end) ?? 0, of.tonnes[row] ?? 0));
    });
    const out: Spot[] = map.places.map(p => ({
      name: p.name.split(/ ?[(/,]/)[0], lon: p.lon, lat: p.lat, ...unit(p.lon, p.lat), weight: passing.get(p.id) ?? 0, rank: 0,
      grade: ['border', 'junction', 'ferry', 'seapoint'].includes(p.kind) ? 3 : p.zone ? 1 : 2,
    }));
    out.sort((a, b) => a.grade - b.grade || b.weight - a.weight).forEach((p, rank) => (p.rank = rank));
    return out;
  }

  function routePaths(): Float64Array[] {
    return (wish.route?.legs ?? []).flatMap(leg => leg.links).map(id => index.get(id)).filter(i => i !== undefined).map(i => shape[i!].there);
  }
  function selectedPaths(): Float64Array[] {
    const [kind, ...rest] = wish.selected.split(':'), id = rest.join(':');
    if (kind === 'link' && index.has(id)) return [shape[index.get(id)!].there];
    if (kind === 'crossing') {
      const link = map.crossings.find(c => c.id === id)?.link;
      return link && index.has(link) ? [shape[index.get(link)!].there] : [];
    }
    if (kind === 'passage') return String(run?.passages.find(p => p.passage === id)?.links ?? '').split(';').flatMap(l => { const i = index.get(l); return i === undefined ? [] : [shape[i].there]; });
    if (kind === 'project') return map.links.flatMap((l, i) => (l.project === id ? [shape[i].there] : []));
    return [];
  }
}

const unit = (lon: number, lat: number) => { const p = flat([[lon, lat]]); return {x: p[0], y: p[1]}; };

export interface Difference {row: number; link: string; direction: string; before: number; after: number; change: number; percent: number | null; per_km: number | null}
export function differences(after: Flows, before: Flows, width: WidthBy, map: MapData): Difference[] {
  const key = (f: Flows, i: number) => `${f.link[i]}|${f.direction[i]}`, index = linkIndex(map);
  const was = new Map(before.link.map((_, i) => [key(before, i), i]));
  const out: Difference[] = [];
  const put = (row: number, link: string, direction: string, a: number, b: number) => {
    const km = map.links[index.get(link) ?? -1]?.km ?? null;
    out.push({row, link, direction, before: a, after: b, change: b - a, percent: a ? (100 * (b - a)) / a : null, per_km: km ? (b - a) / km : null});
  };
  after.link.forEach((link, i) => {
    const j = was.get(key(after, i));
    put(i, link, after.direction[i], j === undefined ? 0 : before[width][j] ?? 0, after[width][i] ?? 0);
    was.delete(key(after, i));
  });
  for (const j of was.values()) put(-1, before.link[j], before.direction[j], before[width][j] ?? 0, 0);
  return out;
}

export const crossingRows = (run: Run | null, id: string): Row[] => (run?.crossings ?? []).filter(r => r.crossing === id);
