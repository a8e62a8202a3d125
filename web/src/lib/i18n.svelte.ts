// Texts by key. English is complete and typed; other languages may lack keys, which then stand in English.
import en from '../messages/en';

export type Key = keyof typeof en;
type Messages = Partial<Record<Key, string>>;
const loaders: Record<string, () => Promise<{default: Messages}>> = {
  ru: () => import('../messages/ru'),
  zh: () => import('../messages/zh'),
};
export const LANGUAGES: Record<string, string> = {en: 'English', ru: 'Русский', zh: '中文'};
export const language = $state({now: 'en'});
let messages = $state<Messages>(en);

export async function speak(code: string) {
  const chosen = code in LANGUAGES ? code : 'en';
  messages = chosen === 'en' ? en : {...en, ...(await loaders[chosen]()).default};
  language.now = chosen;
  document.documentElement.lang = chosen;
  try { localStorage.setItem('language', chosen); } catch { /* private windows keep nothing */ }
}
export function t(key: Key, values: Record<string, string | number> = {}): string {
  let text = messages[key] ?? en[key] ?? key; // a key made from data may have no text: better its name than nothing
  for (const [name, value] of Object.entries(values)) text = text.replaceAll(`{${name}}`, String(value));
  // a number and its unit stay on one line
  return text.replace(/(\d) (Mt|TEU|USD|km|h|%|hours|million)(?![\w])/g, '$1\u00a0$2');
}
