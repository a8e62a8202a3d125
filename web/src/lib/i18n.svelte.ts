// Texts by key. English is complete and typed. Any other file beside it is a language: what it lacks stands in English.
import en from '../messages/en';
import {fill} from './fill';

export type Key = keyof typeof en;
type Messages = Partial<Record<Key, string>>;
const files = import.meta.glob<{default: Messages}>(['../messages/*.ts', '!../messages/en.ts']);
const loaders = Object.fromEntries(Object.entries(files).map(([path, load]) => [path.replace(/^.*\/|\.ts$/g, ''), load]));
/** Languages by code, each by its own name for itself. */
const ownName = (code: string) => { const name = new Intl.DisplayNames([code], {type: 'language'}).of(code) ?? code; return name[0].toLocaleUpperCase(code) + name.slice(1); };
export const LANGUAGES: Record<string, string> = Object.fromEntries(['en', ...Object.keys(loaders)].map(code => [code, ownName(code)]));
export const language = $state({now: 'en'});
let own = $state.raw<Messages>({});

export async function speak(code: string) {
  const chosen = code in LANGUAGES ? code : 'en';
  own = chosen === 'en' ? {} : (await loaders[chosen]()).default;
  language.now = chosen;
  document.documentElement.lang = chosen;
  try { localStorage.setItem('language', chosen); } catch { /* private windows keep nothing */ }
}
/** A text whose key is made from data, or else what it stands for. */
export const maybe = (key: string, otherwise: string) => (key in en ? t(key as Key) : otherwise);
/** A text; counts choose its form by the rules of the language that it stands in. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const text = own[key];
  return text !== undefined ? fill(text, values, language.now) : fill(en[key] ?? key, values, 'en'); // a key made from data may have no text: better its name than nothing
}
