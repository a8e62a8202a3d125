// What is shown: one record, written into the address so that a view can be shared, kept and gone back to.
import {MediaQuery} from 'svelte/reactivity';
import {t} from './i18n.svelte';
import {api, type MapData, type Point, type ResultInfo, type Run} from './api';

export const PAGES = ['map', 'compare', 'choke', 'routes', 'whatif', 'terminal', 'trade', 'power', 'invest', 'validation', 'atlas'] as const;
export type Page = (typeof PAGES)[number];
export type ColourBy = 'use' | 'passage' | 'group';
export type WidthBy = 'tonnes' | 'teu' | 'trains_day';
export type Change = 'change' | 'percent' | 'per_km';

/** Everything that a link to a view must hold; short names, since they stand in the address. */
const DEFAULTS = {
  page: 'map' as Page, r: '', s: '', y: 0, c: 'use' as ColourBy, m: 'tonnes' as WidthBy, sel: '', v: '', trains: '1', twin: '',
  ar: '', as: '', ay: 0, k: 'change' as Change, t: 'crossings',
  from: '', to: '', avoid: '', via: '', only: '', obj: 'time,cost', goods: 'machinery_box', days: '', mb: '', mg: '', n: '0', modes: '',
  q: '', topic: '', id: '', w: '', tour: '', gl: '', f: '', rule: '', cls: '', pr: '', cs: '',
  tm: '', tq: '', tj: '', tc: '', th: '', ti: '',
};
export type View = typeof DEFAULTS;

export const view: View = $state({...DEFAULTS});

/** What came from the server; large and never changed, so that only its arrival is watched. */
class World {
  map = $state.raw<MapData | null>(null);
  borders = $state.raw<any>(null);
  results = $state.raw<ResultInfo[]>([]);
  run = $state.raw<Run | null>(null);
  before = $state.raw<Run | null>(null);
  error = $state('');
  unread = $state.raw<{id: string; why: string}[]>([]);
  /** What a link named and is not there, with what stands in its place. */
  absent = $state.raw<Absent[]>([]);
}
export interface Absent {what: 'results' | 'scenario'; id: string; of: string; shown: string}
export const world = new World();

function parts(hash: string) {
  const [page, words] = hash.replace(/^#\/?/, '').split('?');
  return {page, given: new URLSearchParams(words ?? '')};
}
function read(hash: string) {
  const {page, given} = parts(hash);
  for (const key of Object.keys(DEFAULTS) as (keyof View)[]) {
    if (key === 'page') continue;
    const text = given.get(key);
    (view as any)[key] = text === null ? DEFAULTS[key] : typeof DEFAULTS[key] === 'number' ? Number(text) || 0 : text;
  }
  view.page = (PAGES as readonly string[]).includes(page) ? (page as Page) : 'map';
}

export function address(change: Partial<View> = {}): string {
  const all = {...view, ...change};
  const given = new URLSearchParams();
  for (const key of Object.keys(DEFAULTS) as (keyof View)[]) {
    if (key !== 'page' && all[key] !== DEFAULTS[key]) given.set(key, String(all[key]));
  }
  const words = given.toString();
  return `#/${all.page}${words ? `?${words}` : ''}`;
}

/** Counts views that were asked for: the last one wins. */
let turn = 0;
/** Go to a view; small changes (a map that was moved) replace the entry of the history. */
export function go(change: Partial<View>, {replace = false} = {}) {
  if (!replace) turn++;
  Object.assign(view, change);
  const next = address();
  if (next === location.hash) return;
  if (replace) history.replaceState(null, '', next);
  else history.pushState(null, '', next);
}

/** Windows in which an open card stands where the panel would be. */
const narrow = new MediaQuery('(max-width: 1240px)');

/** The change that leads to a page; an open card that would cover its panel is closed, and a folder of another page is none of this one. */
export function toPage(page: View['page']): Partial<View> {
  return {page, ...(narrow.current ? {sel: ''} : {}), ...(page === view.page ? {} : {f: ''})};
}

/** What people call some results; where several share a title, their folder and date tell them apart. */
export function label(of: ResultInfo): string {
  const shared = world.results.filter(r => r.title === of.title).length > 1;
  const told = [shared ? of.made.slice(0, 16).replace('T', ' ') : '', of.kind === 'what-if' ? t('page.whatif').toLowerCase() : '', of.current ? '' : t('stale.short')].filter(Boolean);
  // the folder comes first, since a narrow list shows only the beginning
  return `${shared ? `${of.id}: ` : ''}${of.title}${told.length ? ` (${told.join(', ')})` : ''}`;
}
export const result = () => world.results.find(r => r.id === view.r);
export const point = (): Point => ({result: view.r, scenario: view.s, year: solvedYear(result(), view.y)});
export const against = (): Point => {
  const other = world.results.find(r => r.id === (view.ar || view.r));
  return {result: other?.id ?? '', scenario: view.as || other?.compare || '', year: solvedYear(other, view.ay || point().year)};
};

/** The sides that say most of some results: the last scenario against the base, or the last year against the first; none where there is one solution. */
export function sides(of: ResultInfo | undefined): Partial<View> | null {
  if (!of) return null;
  const others = of.scenarios.filter(s => s.id !== of.compare), last = of.years[of.years.length - 1];
  if (others.length) return {r: of.id, s: others[others.length - 1].id, y: last, ar: '', as: of.compare, ay: 0};
  return of.years.length > 1 ? {r: of.id, s: of.compare, y: last, ar: '', as: of.compare, ay: of.years[0]} : null;
}
/** Whether both sides of a comparison are one solution. */
export const isSame = () => JSON.stringify(point()) === JSON.stringify(against());

/** The year itself where it was solved, else the nearest that was. */
export function solvedYear(of: ResultInfo | undefined, year: number): number {
  if (!of) return year;
  return of.years.reduce((best, y) => (Math.abs(y - year) < Math.abs(best - year) ? y : best), of.years[0]);
}
export const isSolved = () => Boolean(result()?.years.includes(view.y));

/**
 * Fill what the address left open, and write it there: an address that holds the whole view can be shared at any time.
 * What a link named and is not there is passed over for what is, and told.
 */
export function settle() {
  const found = result() ?? world.results[0];
  if (!found) return;
  const absent: Absent[] = [];
  const missing = (what: Absent['what'], id: string, of: string, shown: string) => absent.push({what, id, of, shown});
  const named = (of: ResultInfo, id: string) => of.scenarios.find(s => s.id === id)?.name || id;
  const asked = view.r;
  if (asked && asked !== found.id) missing('results', asked, '', label(found));
  view.r = found.id;
  if (!found.scenarios.some(s => s.id === view.s)) {
    if (view.s && (!asked || asked === found.id)) missing('scenario', view.s, label(found), named(found, found.compare));
    view.s = found.compare;
  }
  if (!view.y) view.y = found.years[0];
  if (view.ar && !world.results.some(r => r.id === view.ar)) { missing('results', view.ar, '', label(found)); Object.assign(view, {ar: '', as: '', ay: 0}); }
  const other = world.results.find(r => r.id === view.ar) ?? found;
  if (view.as && !other.scenarios.some(s => s.id === view.as)) { missing('scenario', view.as, label(other), named(other, other.compare)); view.as = ''; }
  if (absent.length) world.absent = absent;
  go({}, {replace: true});
}

/** Choose results: their own base scenario and first year. */
export function choose(id: string) {
  world.absent = [];
  Object.assign(view, {r: id, s: '', y: 0});
  const found = result();
  go(found ? {s: found.compare, y: found.years[0]} : {});
}

const runs = new Map<string, Promise<Run>>();
export function fetchRun(at: Point): Promise<Run> {
  const key = `${at.result}/${at.scenario}/${at.year}/${world.results.find(r => r.id === at.result)?.made}`;
  let found = runs.get(key);
  if (!found) {
    found = api.run(at);
    found.catch(() => runs.delete(key));
    runs.set(key, found);
    if (runs.size > 16) runs.delete(runs.keys().next().value!);
  }
  return found;
}

export async function refreshResults() {
  const [results, unread] = await Promise.all([api.results(), api.unread()]);
  [world.results, world.unread] = [results, unread];
  settle(); // at once: nothing may be asked for half a view
}

/** Take over what the address says. It may name results that were made after the list was read: that is asked for again first. */
async function arrive() {
  // browsers tell of one address twice: by then it is the one that was written here
  if (location.hash === address() && view.r) return;
  const mine = ++turn, {hash} = location, {given} = parts(hash);
  const known = (key: string) => !given.get(key) || world.results.some(r => r.id === given.get(key));
  if (world.results.length && !(known('r') && known('ar'))) {
    const list = await Promise.all([api.results(), api.unread()]).catch(() => null);
    if (mine !== turn) return;
    if (list) [world.results, world.unread] = list;
  }
  world.absent = [];
  read(hash); // the address itself may meanwhile be that of a map at rest again
  settle();
}

export function start() {
  read(location.hash);
  addEventListener('popstate', arrive);
  addEventListener('hashchange', arrive);
}
