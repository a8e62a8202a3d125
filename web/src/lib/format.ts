// Numbers as people of the page's language write them.
import {language, maybe, t} from './i18n.svelte';

const formats = new Map<string, Intl.NumberFormat>();
function format(digits: number, sign: boolean): Intl.NumberFormat {
  const key = `${language.now}/${digits}/${sign}`;
  let found = formats.get(key);
  if (!found) {
    found = new Intl.NumberFormat(language.now === 'en' ? 'en-GB' : language.now, {
      minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: sign ? 'exceptZero' : 'auto',
    });
    formats.set(key, found);
  }
  return found;
}
export const NONE = '–';
export function number(value: unknown, digits = 0, sign = false): string {
  return typeof value === 'number' && Number.isFinite(value) ? format(digits, sign).format(value).replace('-', '−') : NONE;
}
export const mt = (tonnes: unknown, sign = false) => number(typeof tonnes === 'number' ? tonnes / 1e6 : tonnes, 2, sign);
export const percent = (part: unknown, sign = false) => (typeof part === 'number' ? `${number(100 * part, 0, sign)} %` : NONE);

/** Digits that suit a number whose size is not known beforehand. */
export function any(value: unknown, sign = false): string {
  if (typeof value === 'boolean') return t(value ? 'yes' : 'no');
  if (typeof value !== 'number') return value === null || value === undefined ? NONE : Array.isArray(value) ? value.join(', ') : String(value);
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return value.toExponential(1);
  return number(value, Number.isInteger(value) || size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3, sign);
}
/** An id in words; names of the atlas and free text stay as they are. */
export const spoken = (text: string) => (/^[a-z0-9]+(_[a-z0-9]+)+$/.test(text) ? words(text) : text);
/** A unit as the page's language writes it; one that no message file knows stays as it is. */
export const unitOf = (unit: string) => maybe(`unit.${unit.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}`, unit);
/** Modes and states of lines, crossings and projects in words. */
export const modeOf = (mode: string) => maybe(`mode.${mode}`, words(mode));
export const stateOf = (state: string) => maybe(`state.${state}`, words(state));
/** How a cost is known, what a project is beside others, and streams of money, as folders of investment name them. */
export const basisOf = (basis: string) => maybe(`basis.${basis.replaceAll(' ', '_')}`, words(basis));
export const streamOf = (stream: string) => maybe(`stream.${stream}`, words(stream));
export const words = (text: string) => text.replaceAll('_', ' ');
