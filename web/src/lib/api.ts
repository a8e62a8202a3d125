// The one file that talks to the server, and types its answers.

import {t} from './i18n.svelte';

export interface Place {id: string; name: string; iso2: string; lat: number; lon: number; kind: string; tier: number; zone: boolean}
export interface Link {
  id: string; a: string; b: string; mode: string; status: string; open_from: number | null; closed_from: string | null;
  closed_to: string | null; name: string; line: string | null; project: string | null; km: number | null;
  gauges: number[]; ocean: boolean; estimated: boolean; path: [number, number][];
}
export interface Crossing {
  id: string; name: string; link: string; mode: string; status: string; closed_from: string | null;
  closed_to: string | null; lat: number; lon: number; countries: string[];
}
export interface Named {id: string; name: string}
export interface Country {iso2: string; iso3: string; name: string}
export interface Commodity extends Named {group: string; form: string}
export interface MapData {
  version: string; content_hash: string; disclaimer: string; credits: string; places: Place[]; links: Link[];
  crossings: Crossing[]; countries: Country[]; passages: Named[]; commodities: Commodity[]; projects: Named[];
}
export type Row = Record<string, any>;
export interface Scenario {id: string; name: string; description: string; measures: Row[]}
export interface ResultInfo {
  id: string; title: string; description: string; kind: 'study' | 'what-if'; made: string; landbridge: string;
  atlas: Row | null; overlay: Row | null; current: boolean; again: string; size: string; compare: string; years: number[]; scenarios: Scenario[];
  held: string[]; solved: Row[]; tables: Record<string, string>; questions: number;
}
type Numbers = (number | null)[];
export interface Flows {
  link: string[]; direction: string[]; tonnes: Numbers; teu: Numbers; trains_day: Numbers; preload_trains_day: Numbers;
  capacity_trains_day: Numbers; use: Numbers; free_h: Numbers; time_h: Numbers; passage: string[];
  passage_share: Numbers; group: string[]; group_share: Numbers;
}
export interface Run {totals: Row; flows: Flows; crossings: Row[]; countries: Row[]; passages: Row[]}
export interface Column {name: string; unit: string; meaning: string; type: string}
export interface Frame {name: string; about: string; columns: Column[]; rows: any[][]; total_rows: number}
export interface Cell {column: string; value: any; unit: string; meaning: string; kind: string; sources: string[]; reasoning: string}
export interface AtlasRecord {table: string; id: string; cells: Cell[]}
export interface CrossingCard {rows: Row[]; goods: Row[]; relief: Row[]}
export interface Users {tonnes: number; empty_tonnes: number; pairs: Row[]}
export interface Choke {crossings: Row[]; points: Row[]}
export interface Leg {
  type: string; from_place: string; to_place: string; mode: string; gauge_mm: number; option: string; country: string;
  crossing: string; links: string[]; length_km: number; time_h: number; spread_h: number; cost_usd: number; co2_kg: number;
}
export interface Route {
  passage: string; length_km: number; transit_days: number; time_h: number; time_p50_h: number; time_p90_h: number;
  on_time: number | null; cost_usd: number; generalised_usd: number; co2_kg: number; borders: string[];
  gauge_changes: number; countries: string[]; legs: Leg[];
}
export interface Answered {
  status: string; reason: string; rule: string; unit: string; year: number; hours: string; routes: Route[]; effects: Row[];
}
export interface MeasureField {
  name: string; kind: 'names' | 'name' | 'numbers' | 'text' | 'number' | 'integer' | 'flag' | 'choice' | 'choices'; names: string | null;
  meaning: string; choices: string[]; default: any; required: boolean; bounds: Record<string, number>;
}
export interface MeasureKind {kind: string; meaning: string; fields: MeasureField[]; rules: Row[]}
export interface Measures {measures: MeasureKind[]; names: Record<string, Named[]>}
export interface Job {
  id: string; title: string; status: 'waiting' | 'running' | 'finished' | 'failed' | 'cancelled' | 'interrupted';
  made: string; started: string | null; ended: string | null; done: number; total: number; message: string; asked: Row;
}
export interface ProjectInfo {row: Row; moments: Row[]; atlas: Row[]}
export interface FindingInfo {kind: string; id: string; title: string; made: string; current: boolean; usual: boolean; tables: string[]}
export interface Point {result: string; scenario: string; year: number}
export interface Fault {row?: string; where: string; wanted: string; got: string}

/** What the server refused, in its own words. */
export class Refused extends Error {
  constructor(readonly status: number, readonly kind: string, message: string, readonly faults: Fault[]) {
    super(message);
  }
}

/** Questions under way, also told at the root of the page, so that whoever reads it (a test, a script) can wait for the answers. */
let asked = 0;
const underWay = (change: number) => { asked += change; document.documentElement.toggleAttribute('data-asking', asked > 0); };

export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  underWay(1);
  try {
    return await ask<T>(method, path, body);
  } finally {
    // an answer often leads to the next question: only once it is shown is nothing under way
    setTimeout(() => underWay(-1), 50);
  }
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method, headers: body === undefined ? {} : {'content-type': 'application/json'},
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused(0, 'gone', t('app.gone'), []);
  }
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, told.kind ?? 'request', told.message ?? answer.statusText, told.faults ?? []);
  }
  return answer.status === 204 ? (undefined as T) : await answer.json();
}

const part = encodeURIComponent;
const query = (values: Record<string, string | number | null | undefined>) => {
  const given = Object.entries(values).filter(([, v]) => v !== undefined && v !== null && v !== '');
  return given.length ? `?${given.map(([k, v]) => `${k}=${part(String(v))}`).join('&')}` : '';
};
const at = (p: Point) => query({scenario: p.scenario, year: p.year});
const path = (id: string) => id.split('/').map(part).join('/');

export const compareQuery = (after: Point, before: Point) => query({
  result: after.result, scenario: after.scenario, year: after.year, against: before.result,
  against_scenario: before.scenario, against_year: before.year,
});

export const tableFile = (p: Point, name: string, form: string) =>
  `api/results/${part(p.result)}/tables/${part(name)}/file${query({scenario: p.scenario, year: p.year, form})}`;
export const compareFile = (after: Point, before: Point, name: string, form: string) =>
  `api/compare/${part(name)}/file${compareQuery(after, before)}&form=${form}`;
export const findingFile = (kind: string, id: string, table: string, form: string) => `api/findings/${part(kind)}/${part(id)}/tables/${part(table)}/file${query({form})}`;
export const studyFile = (result: string) => `api/results/${part(result)}/study`;

export const api = {
  map: () => call<MapData>('GET', 'api/atlas/map'),
  borders: () => call<any>('GET', 'api/atlas/borders'),
  unread: () => call<{id: string; why: string}[]>('GET', 'api/unread'),
  results: () => call<ResultInfo[]>('GET', 'api/results'),
  run: (p: Point) => call<Run>('GET', `api/results/${part(p.result)}/run${at(p)}`),
  crossing: (p: Point, id: string) => call<CrossingCard>('GET', `api/results/${part(p.result)}/crossings/${part(id)}${at(p)}`),
  link: (p: Point, id: string) => call<{rows: Row[]}>('GET', `api/results/${part(p.result)}/links/${path(id)}${at(p)}`),
  users: (p: Point, kind: string, name: string) =>
    call<Users>('GET', `api/results/${part(p.result)}/users${query({scenario: p.scenario, year: p.year, kind, name})}`),
  choke: (result: string) => call<Choke>('GET', `api/results/${part(result)}/choke`),
  table: (p: Point, name: string) => call<Frame>('GET', `api/results/${part(p.result)}/tables/${part(name)}${at(p)}`),
  compare: (after: Point, before: Point, name: string) => call<Frame>('GET', `api/compare/${part(name)}${compareQuery(after, before)}`),
  record: (table: string, id: string, column?: string) =>
    call<AtlasRecord>('GET', `api/atlas/records/${part(table)}/${path(id)}${query({column})}`),
  search: (words: string, topic: string) => call<{findings: Row[]; topics: string[]}>('GET', `api/atlas/search${query({query: words, topic, limit: 60})}`),
  list: (table: string) => call<Frame>('GET', `api/atlas/list/${part(table)}`),
  coverage: () => call<Frame>('GET', 'api/atlas/coverage'),
  countryRows: (id: string) => call<{table: string; id: string; name: string}[]>('GET', `api/atlas/countries/${part(id)}`),
  project: (id: string) => call<ProjectInfo>('GET', `api/atlas/projects/${part(id)}`),
  findings: (kind: string) => call<FindingInfo[]>('GET', `api/findings/${part(kind)}`),
  finding: (kind: string, id: string) => call<Row>('GET', `api/findings/${part(kind)}/${part(id)}`),
  findingTable: (kind: string, id: string, table: string) => call<Frame>('GET', `api/findings/${part(kind)}/${part(id)}/tables/${part(table)}`),
  routes: (asked: Row) => call<Answered>('POST', 'api/routes', asked),
  measures: () => call<Measures>('GET', 'api/measures'),
  ready: (p?: Point) => call<void>('POST', 'api/jobs/ready', p && {result: p.result, scenario: p.scenario, years: [p.year]}),
  jobs: () => call<Job[]>('GET', 'api/jobs'),
  ask: (asked: Row) => call<Job>('POST', 'api/jobs', asked),
  cancel: (id: string) => call<Job>('DELETE', `api/jobs/${part(id)}`),
  rename: (id: string, title: string) => call<ResultInfo>('PATCH', `api/results/${part(id)}`, {title}),
};

/** Follow a job until it has ended; returns a function that stops listening. */
export function follow(id: string, tell: (job: Job) => void, lost: () => void): () => void {
  const events = new EventSource(`api/jobs/${part(id)}/events`);
  events.onmessage = message => {
    const job: Job = JSON.parse(message.data);
    if (!['waiting', 'running'].includes(job.status)) events.close();
    tell(job);
  };
  events.onerror = () => { events.close(); lost(); };
  return () => events.close();
}

/** The rows of a table by the names of its columns. */
export const records = (frame: Frame | null | undefined): Row[] => (frame ? frame.rows.map(row => Object.fromEntries(frame.columns.map((c, i) => [c.name, row[i]]))) : []);
