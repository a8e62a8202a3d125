// What the page of terminals asks the server, and what a yard looks like at a moment of a film.
import {call, type Job, type Row} from './api';

export interface TerminalPlan {
  id: string; name: string; place: string; crossing: string; sides: string[]; trains_day: number; load: number; bottleneck: string;
  stack_teu: number | null; stack_dwell_h: number; resources: Row[]; streams: Row[]; events: string[]; volumes: Record<string, number>;
}
export interface Terminals {terminals: TerminalPlan[]; estimates: number; numbers: number}
export interface Variant {told: Row; queue: Record<string, number[]>}
export interface TerminalRun {job: string; title: string; asked: Row; variants: Variant[]}
export type Step = [string, number, number | null, number | null];
export interface FilmTrain {
  id: number; direction: 'arriving' | 'departing'; stream: string; side: string; units: number; track: number | null; arrive_h: number | null;
  enter_h: number | null; leave_h: number | null; steps: Step[];
}
export interface Film {
  terminal: string; name: string; start: string; hours: number; sides: {label: string; tracks: number | null}[]; stack_teu: number | null;
  servers: {resource: string; kind: string; side: string; number: number}[]; trains: FilmTrain[]; series: Record<string, number[]>;
  speeds: [number, number, number][];
}

const part = encodeURIComponent;
export const terminals = {
  all: () => call<Terminals>('GET', 'api/terminals'),
  runs: () => call<Job[]>('GET', 'api/terminals/runs'),
  ask: (asked: Row) => call<Job>('POST', 'api/terminals/runs', asked),
  run: (job: string) => call<TerminalRun>('GET', `api/terminals/runs/${part(job)}`),
  film: (job: string, variant: number) => call<Film>('GET', `api/terminals/runs/${part(job)}/film?variant=${variant}`),
};
export const runFile = (job: string, variant: number, name: string, form: string) => `api/terminals/runs/${part(job)}/tables/${name}/file?variant=${variant}&form=${form}`;

/** What a train is doing: waiting outside, waiting inside, or one of the steps. */
export type Doing = 'outside' | 'waiting' | string;
export interface TrainNow {train: FilmTrain; doing: Doing; done: number; server: number | null}
export interface YardNow {outside: Record<string, TrainNow[]>; tracks: TrainNow[]; stack: number; busy: Set<number>; speed: Map<number, number>}

/** The state of a film at an hour; see docs/terminals.md for the rules. */
export function yardAt(film: Film, hour: number): YardNow {
  const outside: Record<string, TrainNow[]> = Object.fromEntries(film.sides.map(s => [s.label, []]));
  const tracks: TrainNow[] = [], busy = new Set<number>();
  for (const train of film.trains) {
    if (train.leave_h !== null && train.leave_h <= hour) continue;
    const inside = train.enter_h !== null && train.enter_h <= hour;
    if (!inside && (train.direction === 'departing' || (train.arrive_h ?? Infinity) > hour)) continue;
    const now: TrainNow = {train, doing: inside ? 'waiting' : 'outside', done: 0, server: null};
    for (const [step, start, end, server] of train.steps) {
      if (start <= hour && (end === null || end > hour)) {
        now.doing = step;
        now.server = server;
        now.done = end === null ? 0.5 : (hour - start) / Math.max(end - start, 1e-9);
        if (server !== null) busy.add(server);
      }
    }
    if (!inside) outside[train.side]?.push(now);
    else tracks.push(now);
  }
  for (const queue of Object.values(outside)) queue.sort((a, b) => (a.train.arrive_h ?? 0) - (b.train.arrive_h ?? 0));
  const speed = new Map<number, number>();
  for (const [server, from, value] of film.speeds) if (from <= hour) speed.set(server, value);
  const at = Math.min(film.series.time_h.length - 1, Math.max(0, Math.floor(hour / (film.series.time_h[1] - film.series.time_h[0] || 1))));
  return {outside, tracks, stack: film.series.stack_teu[at] ?? 0, busy, speed};
}

export const shortId = (id: string) => id.split(':').slice(1).join(' ') || id;
