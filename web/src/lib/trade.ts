// What the page of trade asks the server.
import {call, type Frame, type Point, type Row} from './api';

export interface Shock {mode: string; headline: string; countries: Row[]; pairs: Row[]; sectors: Row[]; notes: string[]}
export interface TradeAnswer {before: string; told: Row; countries: Row[]; sectors: Row[]; zones: Row[]; given: Row[]; notes: string[]}
export interface Fact {kind: 'crossing' | 'country' | 'pair'; subject: string; direction: string; quantity: string; unit: string; before: number | null; after: number | null; source: string}
export interface Question {id: string; text: string; scenario: string; before: string; year: number; facts: Fact[]; notes: string[]}

const part = encodeURIComponent;
export const trade = {
  countries: () => call<Frame>('GET', 'api/trade/countries'),
  partners: (country: string) => call<Frame>('GET', `api/trade/partners/${part(country)}`),
  shock: (asked: Row) => call<Shock>('POST', 'api/trade/shock', asked),
  answer: (p: Point) => call<TradeAnswer>('GET', `api/results/${part(p.result)}/trade?scenario=${part(p.scenario)}&year=${p.year}`),
  questions: (result: string) => call<Question[]>('GET', `api/results/${part(result)}/trade/questions`),
};

/** Rows of plain records as a table that can be sorted and filtered. */
export function frameOf(name: string, rows: Row[], columns: [name: string, unit: string, meaning: string][]): Frame {
  const numbers = new Set(columns.filter(([c]) => rows.some(r => typeof r[c] === 'number')).map(([c]) => c));
  return {name, about: '', columns: columns.map(([c, unit, meaning]) => ({name: c, unit, meaning, type: numbers.has(c) ? 'Float64' : 'String'})), rows: rows.map(r => columns.map(([c]) => r[c] ?? null)), total_rows: rows.length};
}
