// What a figure of the validation is about, in words: its notation names things of the atlas, services, sides and ways.
import {maybe, t} from './i18n.svelte';
import * as names from './names.svelte';
import {words} from './format';

const plain = (id: string) => words(id).replaceAll('-', ' ');
const upper = (text: string) => (text ? text[0].toLocaleUpperCase() + text.slice(1) : text);

/** One thing: a passage, crossing, service or place by its name. */
function one(id: string): string {
  const key = `thing.${id.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}`, said = maybe(key, '');
  if (said) return said;
  for (const find of [names.passage, names.crossing, names.place]) if (find(id) !== id) return find(id);
  return names.countryCalled(id) ?? countries(id) ?? upper(plain(id));
}
/** Countries one after the other, as a way through them is written. */
function countries(id: string): string | undefined {
  const parts = id.split('-').map(names.countryCalled);
  return parts.length > 1 && parts.every(Boolean) ? parts.join(', ') : undefined;
}
const chain = (text: string, by: RegExp, put: string, inner: (part: string) => string) => text.split(by).map(inner).join(put);

/** A subject: parts of a comparison by `;`, sums by `+`, ways by `>` and `<>`, choices by `|`, narrower things by `/`. */
export function subject(text: string): string {
  return chain(text, /;/, '; ', part => {
    const [of, rest] = /^[a-z0-9-]+:/.test(part) ? [part.slice(0, part.indexOf(':')), part.slice(part.indexOf(':') + 1)] : ['', part];
    const [quantity, where] = of && rest.includes('/') ? [rest.slice(0, rest.indexOf('/')), rest.slice(rest.indexOf('/') + 1)] : ['', rest];
    const said = way(where);
    return of ? `${one(of)}: ${quantity ? `${indicator(quantity)}, ` : ''}${said}` : said;
  });
}
function way(text: string): string {
  const [main, via] = text.split(/ via /), [kept, ...narrow] = (via ?? main).split('/');
  const ends = (part: string) => chain(part, /<>/, ' ↔ ', side => chain(side, />/, ' → ', end => chain(end, /\|/, ` ${t('word.or')} `, choice => chain(choice, /\+/, ' + ', one))));
  const tail = narrow.map(part => chain(part, /\+/, ' + ', one));
  return [via === undefined ? ends(kept) : t('word.via', {what: ends(main), via: ends(kept)}), ...tail].join(', ');
}
export const indicator = (id: string) => maybe(`indicator.${id}`, plain(id));
export const direction = (id: string) => (id === 'na' || !id ? '' : maybe(`direction.${id.replaceAll('-', '_')}`, plain(id)));
export const classOf = (id: string) => maybe(`class.${id}`, plain(id));
/** A row's name in full: what about, which quantity, which direction, when. */
export const caption = (r: Record<string, any>, ...more: string[]) => [subject(String(r.subject ?? '')), r.indicator ? indicator(String(r.indicator)) : '', direction(String(r.direction ?? '')), ...more.map(m => r[m]), r.year].filter(x => x && x !== 'year').join(', ');
