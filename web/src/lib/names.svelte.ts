// Names of what ids stand for, from the atlas.
import type {MapData} from './api';
import {words} from './format';
import {type Key, t} from './i18n.svelte';
import {world} from './state.svelte';

type Table = 'places' | 'crossings' | 'passages' | 'commodities' | 'projects';
const tables = new WeakMap<MapData, Record<string, Map<string, string>>>();
function table(name: Table | 'iso2' | 'iso3'): Map<string, string> {
  const map = world.map;
  if (!map) return new Map();
  let held = tables.get(map);
  if (!held) tables.set(map, (held = {}));
  held[name] ??= name === 'iso2' || name === 'iso3'
    ? new Map(map.countries.map(c => [c[name], c.name]))
    : new Map(map[name].map(x => [x.id, x.name]));
  return held[name];
}
/** What the results name and the atlas does not. */
const EXTRA: Record<string, Key> = {other: 'name.other', others: 'name.others', empty_box: 'name.empty', empty: 'name.empty', '': 'name.empty', XZ: 'name.sea'};
const extra = (id: string) => (id in EXTRA ? t(EXTRA[id]) : undefined);
export const country = (code: string) => table('iso2').get(code) ?? table('iso3').get(code) ?? extra(code) ?? code;
/** A country by its English name in small letters joined by strokes, as subjects of targets write it. */
export const countryCalled = (id: string) => world.map?.countries.find(c => c.name.toLowerCase().replaceAll(' ', '-') === id)?.name;
export const place = (id: string) => table('places').get(id) ?? id;
export const shortPlace = (id: string) => place(id).split(/ ?[(/,]/)[0];
export const crossing = (id: string) => table('crossings').get(id) ?? id;
export const passage = (id: string) => table('passages').get(id) ?? extra(id) ?? id;
export const commodity = (id: string) => table('commodities').get(id) ?? extra(id) ?? words(id);
export const project = (id: string) => table('projects').get(id) ?? id;
export const group = (id: string) => extra(id) ?? words(id);
export function link(id: string, direction = ''): string {
  const l = world.map?.links.find(x => x.id === id);
  if (!l) return id;
  const [a, b] = direction === 'ba' ? [l.b, l.a] : [l.a, l.b];
  return `${shortPlace(a)} ${direction ? '→' : '–'} ${shortPlace(b)}`;
}
