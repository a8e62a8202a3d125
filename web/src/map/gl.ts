// The map at rest: MapLibre draws land, lines, flows and labels. It takes no input: views come from outside, so that
// moving never waits for it.
import {Map as GLMap, setWorkerUrl, type GeoJSONSource, type StyleSpecification} from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import 'maplibre-gl/dist/maplibre-gl.css';
import type {MapData} from '../lib/api';
import {type Layout, SIZES} from './labels';
import {type Camera, toLat, toLon} from './mercator';
import type {Palette} from './palette';
import {type Scene, widthAt} from './scene';

setWorkerUrl(workerUrl);

const FONT = ['Inter Variable', 'Inter', 'sans-serif'];
/** MapLibre takes the weight from a name with Bold in it, the letters from the first that is there. */
const BOLD = ['Inter Variable', 'Inter', 'Bold'];
const back = (xy: Float64Array) => Array.from({length: xy.length / 2}, (_, i) => [toLon(xy[2 * i]), toLat(xy[2 * i + 1])]);
const collection = (features: any[]) => ({type: 'FeatureCollection' as const, features});
const line = (properties: any, coordinates: any) => ({type: 'Feature' as const, properties, geometry: {type: 'LineString' as const, coordinates}});
const dot = (properties: any, coordinates: any) => ({type: 'Feature' as const, properties, geometry: {type: 'Point' as const, coordinates}});

/** A width in pixels that grows with the zoom as it does on the canvas. */
const byZoom = (make: (factor: number) => any): any => ['interpolate', ['linear'], ['zoom'], ...[1, 2, 3, 4, 5, 6, 7, 9].flatMap(z => [z, make(widthAt(z))])];

function style(borders: any, p: Palette): StyleSpecification {
  const empty = {type: 'geojson' as const, data: collection([])};
  const base = (id: string, states: string[], paint: any, layout: any = {}) => ({id, type: 'line' as const, source: 'base', filter: ['in', ['get', 'state'], ['literal', states]] as any, paint, layout});
  return {
    version: 8,
    sources: {land: {type: 'geojson', data: borders}, base: empty, flow: {...empty, generateId: true}, route: empty, chosen: empty, marks: empty, names: empty},
    layers: [
      {id: 'sea', type: 'background', paint: {'background-color': p.sea}},
      {id: 'land', type: 'fill', source: 'land', filter: ['!=', ['get', 'disputed'], true], paint: {'fill-color': p.land}},
      {id: 'disputed', type: 'fill', source: 'land', filter: ['==', ['get', 'disputed'], true], paint: {'fill-pattern': 'hatch'}},
      {id: 'border', type: 'line', source: 'land', filter: ['all', ['!=', ['get', 'disputed'], true], ['!', ['has', 'part_of']]], paint: {'line-color': p.border, 'line-width': 0.8}},
      {id: 'claims', type: 'line', source: 'land', filter: ['==', ['get', 'disputed'], true], paint: {'line-color': p.disputed, 'line-width': 0.8, 'line-dasharray': [3, 2]}},
      base('ocean', ['ocean'], {'line-color': p.idle, 'line-width': 0.8, 'line-dasharray': [2, 5], 'line-opacity': 0.7}),
      base('open', ['open'], {'line-color': p.idle, 'line-width': 0.9}),
      base('estimated', ['estimated'], {'line-color': p.idle, 'line-width': 0.9, 'line-dasharray': [7, 4]}),
      base('suspended', ['suspended'], {'line-color': p.idle, 'line-width': 1.1, 'line-dasharray': [4, 5]}),
      base('planned', ['planned'], {'line-color': p.planned, 'line-width': 2, 'line-dasharray': [0.1, 2.2]}, {'line-cap': 'round'}),
      {id: 'flow', type: 'line', source: 'flow', layout: {'line-join': 'round', 'line-sort-key': ['get', 'w']}, paint: {'line-color': ['get', 'colour'], 'line-width': byZoom(f => ['max', 0.6, ['*', f, ['get', 'w']]]), 'line-offset': byZoom(f => ['+', 0.5, ['*', f / 2, ['get', 'w']]])}},
      {id: 'core', type: 'line', source: 'flow', filter: ['all', ['==', ['get', 'core'], 1], ['>', ['get', 'w'], 2.5]], paint: {'line-color': p.core, 'line-width': byZoom(f => ['max', 0.8, ['*', f * 0.22, ['get', 'w']]]), 'line-offset': byZoom(f => ['+', 0.5, ['*', f / 2, ['get', 'w']]])}},
      {id: 'stitch', type: 'line', source: 'flow', filter: ['all', ['==', ['get', 'core'], 2], ['>', ['get', 'w'], 2.5]], paint: {'line-color': p.core, 'line-width': byZoom(f => ['max', 0.8, ['*', f * 0.26, ['get', 'w']]]), 'line-offset': byZoom(f => ['+', 0.5, ['*', f / 2, ['get', 'w']]]), 'line-dasharray': [3, 2]}},
      {id: 'route-edge', type: 'line', source: 'route', layout: {'line-cap': 'round', 'line-join': 'round'}, paint: {'line-color': p.halo, 'line-width': 8}},
      {id: 'route', type: 'line', source: 'route', layout: {'line-cap': 'round', 'line-join': 'round'}, paint: {'line-color': p.select, 'line-width': 4}},
      {id: 'chosen-edge', type: 'line', source: 'chosen', layout: {'line-cap': 'round'}, paint: {'line-color': p.halo, 'line-width': 6.5}},
      {id: 'chosen', type: 'line', source: 'chosen', layout: {'line-cap': 'round'}, paint: {'line-color': p.select, 'line-width': 3}},
      {id: 'marks', type: 'circle', source: 'marks', paint: {'circle-radius': ['interpolate', ['linear'], ['zoom'], 2, 2, 5, 4], 'circle-color': ['case', ['get', 'shut'], p.idle, p.halo], 'circle-stroke-color': p.node, 'circle-stroke-width': 1.2, 'circle-stroke-opacity': ['case', ['get', 'shut'], 0.4, 1]}},
      // names come laid out (see labels.ts), so that they stand where the canvas and the SVG have them
      ...(['country', 'code', 'place', 'crossing'] as const).map(kind => ({id: `${kind}-names`, type: 'symbol' as const, source: 'names', filter: ['==', ['get', 'kind'], kind] as any, layout: {'text-field': ['get', 'text'] as any, 'text-font': kind === 'place' ? FONT : BOLD, 'text-size': SIZES[kind], 'text-letter-spacing': kind === 'country' ? 0.15 : 0, 'text-anchor': 'left' as const, 'text-offset': ['get', 'offset'] as any, 'text-max-width': 99, 'text-allow-overlap': true, 'text-ignore-placement': true}, paint: {'text-color': kind === 'crossing' || kind === 'code' ? p.text : kind === 'place' ? p.place : p.country, 'text-halo-color': p.halo, 'text-halo-width': 2}})),
    ],
  };
}

function hatch(p: Palette) {
  const size = 8, c = document.createElement('canvas');
  c.width = c.height = size;
  const g = c.getContext('2d')!;
  g.fillStyle = p.land;
  g.fillRect(0, 0, size, size);
  g.strokeStyle = p.disputed;
  g.lineWidth = 1.3;
  for (const o of [-size, 0, size]) { g.beginPath(); g.moveTo(o, size); g.lineTo(o + size, 0); g.stroke(); }
  return g.getImageData(0, 0, size, size);
}

export class StillMap {
  private scene: Scene | null = null;

  private constructor(private readonly map: GLMap, private readonly data: MapData, private readonly borders: any) {}

  /** Start MapLibre in a box; fails where there is no WebGL. */
  static async start(box: HTMLElement, data: MapData, borders: any, camera: Camera, p: Palette): Promise<StillMap> {
    await document.fonts.load("12px 'Inter Variable'").catch(() => undefined);
    const map = new GLMap({container: box, style: style(borders, p), center: [camera.lon, camera.lat], zoom: camera.zoom, interactive: false, attributionControl: false, fadeDuration: 0, renderWorldCopies: false, minZoom: 0.5, maxZoom: 9, pixelRatio: Math.min(2, devicePixelRatio)});
    map.setMissingStyleImageResolver(id => { if (id === 'hatch' && !map.hasImage(id)) map.addImage(id, hatch(p)); });
    map.getCanvas().setAttribute('aria-hidden', 'true');
    map.getCanvas().tabIndex = -1;
    await new Promise<void>((done, fail) => { map.once('load', () => done()); map.once('error', e => fail(e.error)); });
    return new StillMap(map, data, borders);
  }

  private set(id: string, features: any[]) {
    (this.map.getSource(id) as GeoJSONSource | undefined)?.setData(collection(features));
  }

  show(scene: Scene) {
    this.set('base', scene.base.map(b => line({state: b.state}, this.data.links[b.index].path)));
    this.set('flow', scene.strokes.map(s => {
      const path = this.data.links[s.index].path;
      return line({w: s.w, colour: s.colour, core: s.core}, s.back ? [...path].reverse() : path);
    }));
    this.set('route', scene.route.map(xy => line({}, back(xy))));
    this.set('chosen', scene.selected.map(xy => line({}, back(xy))));
    this.scene = scene;
    for (const id of ['flow', 'core', 'stitch']) this.map.setPaintProperty(id, 'line-opacity', scene.route.length ? 0.35 : 1);
  }

  theme(p: Palette, scene: Scene) {
    if (this.map.hasImage('hatch')) this.map.removeImage('hatch');
    this.map.addImage('hatch', hatch(p));
    this.map.setStyle(style(this.borders, p), {diff: true});
    this.map.once('styledata', () => this.show(scene));
    this.show(scene);
  }

  /** Go to a view, put its names there, and call back when it has been drawn. */
  look(camera: Camera, names: Layout, drawn: (flows: number) => void) {
    this.set('marks', names.marks.map(i => this.scene!.marks[i]).map(m => dot({shut: m.shut}, [m.lon, m.lat])));
    this.set('names', names.labels.map(l => { const em = SIZES[l.kind]; return dot({kind: l.kind, text: l.text, offset: [l.dx / em, (l.dy - 4) / em]}, [toLon(l.x), toLat(l.y)]); }));
    this.map.jumpTo({center: [camera.lon, camera.lat], zoom: camera.zoom});
    this.map.once('idle', () => drawn(new Set(this.map.queryRenderedFeatures({layers: ['flow']}).map(f => f.id)).size));
    this.map.triggerRepaint();
  }

  resize() { this.map.resize(); }
  stop() { this.map.remove(); }
}
