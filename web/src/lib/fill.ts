// A message with its gaps filled: {name} takes a value, {name, plural, one {# border} other {# borders}} the form of a count.

const locale = (code: string) => (code === 'en' ? 'en-GB' : code);
const rules = new Map<string, Intl.PluralRules>();
function form(code: string, count: number): string {
  let found = rules.get(code);
  if (!found) rules.set(code, (found = new Intl.PluralRules(code)));
  return found.select(count);
}

/** Where the bracket that opens at a place closes. */
function end(text: string, at: number): number {
  for (let depth = 0, i = at; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && !--depth) return i;
  }
  return text.length;
}

/** The forms of a count by the names of the plural rules. */
function forms(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (let i = text.indexOf('{'), from = 0; i >= 0; i = text.indexOf('{', from)) {
    const close = end(text, i);
    found.set(text.slice(from, i).trim(), text.slice(i + 1, close));
    from = close + 1;
  }
  return found;
}

export function fill(text: string, values: Record<string, string | number>, code: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '{') { out += text[i]; continue; }
    const close = end(text, i), inside = text.slice(i + 1, close);
    const [name, kind] = inside.split(',', 2).map(part => part.trim()), value = values[name];
    if (kind === 'plural') {
      const all = forms(inside.slice(inside.indexOf('plural') + 6).replace(/^\s*,/, ''));
      const chosen = all.get(typeof value === 'number' ? form(code, value) : 'other') ?? all.get('other') ?? '';
      const shown = typeof value === 'number' ? new Intl.NumberFormat(locale(code)).format(value) : String(value ?? '');
      out += fill(chosen.replaceAll('#', shown), values, code);
    } else out += name in values ? String(value) : `{${inside}}`;
    i = close;
  }
  // a number and its unit stay on one line
  return out.replace(/(\d) (Mt|TEU|USD|km|h|%|hours|million)(?![\w])/g, '$1\u00a0$2');
}
