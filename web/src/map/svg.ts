// The map as an SVG document: where WebGL is missing, on paper, and as a file.
import type {MapData} from '../lib/api';
import {type Layout, SPACED} from './labels';
import {boundsOf, ringsOf} from './land';
import {beside, type Camera, simplified, simplify, TILE, toX, toY} from './mercator';
import type {Palette} from './palette';
import {DASHES, type Scene, smooth, widthAt} from './scene';

const escape = (text: string) => text.replace(/[&<>"']/g, c => ({'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'})[c]!);
const n = (value: number) => String(Math.round(value * 10) / 10);

const CLASSES = {crossing: 'c', place: 'p', country: 'l', code: 'k'};

/** About how long a text is: letters of the East are as wide as high, others about half. */
const long = (text: string, size: number) => [...text].reduce((sum, c) => sum + (c > '\u2e7f' ? size : 0.58 * size), 0);
/** A text in lines that fit. */
function lined(text: string, width: number, size: number): string[] {
  const out: string[] = [];
  for (const word of text.split(/(?<=[\u3000-\u9fff，。、；：])|(?<= )/)) {
    const last = out[out.length - 1];
    if (last !== undefined && long(last + word.trimEnd(), size) <= width) out[out.length - 1] = last + word;
    else out.push(word);
  }
  return out.map(line => line.trim());
}

export interface Caption {title: string; lines: string[]; credit: string; legend: {colour: string; text: string; core?: number}[]; widths: {w: number; text: string}[]; unit: string}

export function svgMap(map: MapData, borders: any, scene: Scene, camera: Camera, width: number, height: number, p: Palette, names: Layout, caption?: Caption): string {
  const scale = TILE * 2 ** camera.zoom, ox = width / 2 - toX(camera.lon) * scale, oy = height / 2 - toY(camera.lat) * scale;
  const wide = widthAt(camera.zoom), parts: string[] = [];
  const seen = (xy: Float64Array) => {
    const {x0, y0, x1, y1} = boundsOf(xy);
    return x1 * scale + ox > -20 && x0 * scale + ox < width + 20 && y1 * scale + oy > -20 && y0 * scale + oy < height + 20;
  };
  const d = (xy: Float64Array, close = false) => {
    let text = '';
    for (let i = 0; i < xy.length; i += 2) text += `${i ? 'L' : 'M'}${n(xy[i] * scale + ox)} ${n(xy[i + 1] * scale + oy)}`;
    return close ? `${text}Z` : text;
  };
  let land = '', disputed = '';
  for (const ring of borders ? ringsOf(borders) : []) {
    if (ring.x1 * scale + ox < -20 || ring.x0 * scale + ox > width + 20 || ring.y1 * scale + oy < -20 || ring.y0 * scale + oy > height + 20) continue;
    const xy = simplified(ring.xy, 0.6 / scale);
    if (xy.length < 8) continue;
    if (ring.disputed) disputed += d(xy, true);
    else land += d(xy, true);
  }
  parts.push(`<rect width="${width}" height="${height}" fill="${p.sea}"/>`);
  parts.push(`<path d="${land}" fill="${p.land}" stroke="${p.border}" stroke-width=".7"/>`);
  parts.push(`<path d="${disputed}" fill="url(#hatch)" stroke="${p.disputed}" stroke-width=".7" stroke-dasharray="3 2"/>`);
  for (const state of ['ocean', 'open', 'estimated', 'planned', 'suspended'] as const) {
    const lines = scene.base.filter(b => b.state === state && seen(b.xy)).map(b => d(simplify(b.xy, 0.6 / scale))).join('');
    if (lines) parts.push(`<path d="${lines}" fill="none" stroke="${state === 'planned' ? p.planned : p.idle}" stroke-width="${state === 'planned' ? 1.8 : 0.9}"${DASHES[state].length ? ` stroke-dasharray="${DASHES[state].join(' ')}"` : ''}/>`);
  }
  const fade = scene.route.length ? ' opacity=".35"' : '';
  parts.push(`<g fill="none" stroke-linejoin="round"${fade}>`);
  for (const s of scene.strokes) {
    if (!seen(s.xy)) continue;
    const w = Math.max(0.6, s.w * wide), line = d(beside(simplify(s.xy, smooth(w) / scale), (w / 2 + 0.5) / scale));
    parts.push(`<path d="${line}" stroke="${s.colour}" stroke-width="${n(w)}"/>`);
    if (s.core && w > 2) parts.push(`<path d="${line}" stroke="${p.core}" stroke-width="${n(Math.max(0.8, w * 0.22))}"${s.core === 2 ? ' stroke-dasharray="4 3"' : ''}/>`);
  }
  parts.push('</g>');
  for (const [paths, w] of [[scene.route, 4], [scene.selected, 3]] as const) {
    if (!paths.length) continue;
    const line = paths.map(xy => d(xy)).join('');
    parts.push(`<path d="${line}" fill="none" stroke="${p.halo}" stroke-width="${w + 3}" stroke-linecap="round"/><path d="${line}" fill="none" stroke="${p.select}" stroke-width="${w}" stroke-linecap="round"/>`);
  }
  for (const i of names.marks) {
    const m = scene.marks[i], x = m.x * scale + ox, y = m.y * scale + oy;
    parts.push(`<path d="M${n(x)} ${n(y - 3.5)}l3.5 3.5-3.5 3.5-3.5-3.5z" fill="${p.halo}" stroke="${p.node}" stroke-width="1.2"/>`);
  }
  for (const l of names.labels) parts.push(`<text x="${n(l.x * scale + ox + l.dx)}" y="${n(l.y * scale + oy + l.dy)}" class="${CLASSES[l.kind]}">${escape(l.text)}</text>`);
  let foot = '', total = height;
  if (caption) {
    const title = lined(caption.title, width - 32, 17), lines = [...caption.lines, caption.credit].flatMap(line => lined(line, width - 32, 12));
    const most = Math.max(0, ...caption.legend.map(item => long(item.text, 12)));
    const across = Math.max(1, Math.min(6, Math.floor((width - 32) / (most + 44))));
    // widths at the zoom of the picture, each beside its amount
    const shown = caption.widths.map(item => ({...item, w: Math.max(0.6, item.w * wide)})), tall = Math.max(20, ...shown.map(item => item.w + 6));
    total += 12 + (shown.length ? tall : 0) + 21 * title.length + 20 * Math.ceil(caption.legend.length / across) + 18 * lines.length;
    let y = height + 3;
    foot += `<rect y="${height}" width="${width}" height="${total - height}" fill="${p.halo}"/>`;
    for (const line of title) { y += 21; foot += `<text x="16" y="${y}" class="t">${escape(line)}</text>`; }
    if (shown.length) {
      y += tall;
      let x = 16;
      for (const item of shown) {
        foot += `<path d="M${n(x)} ${n(y - 4)}h34" stroke="${p.text}" stroke-width="${n(item.w)}"/><text x="${n(x + 40)}" y="${n(y)}" class="q">${escape(item.text)}</text>`;
        x += 40 + long(item.text, 12) + 22;
      }
      foot += `<text x="${n(x - 8)}" y="${n(y)}" class="q">${escape(caption.unit)}</text>`;
      y += (tall - 20) / 2;
    }
    caption.legend.forEach((item, i) => {
      if (i % across === 0) y += 20;
      const x = 16 + (i % across) * ((width - 32) / across);
      foot += `<path d="M${n(x)} ${y - 4}h24" stroke="${item.colour}" stroke-width="6"/>`;
      if (item.core) foot += `<path d="M${n(x)} ${y - 4}h24" stroke="${p.core}" stroke-width="1.4"${item.core === 2 ? ' stroke-dasharray="4 3"' : ''}/>`;
      foot += `<text x="${n(x + 30)}" y="${y}" class="q">${escape(item.text)}</text>`;
    });
    for (const line of lines) { y += 18; foot += `<text x="16" y="${y}" class="q">${escape(line)}</text>`; }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}" class="map-picture"><style>.map-picture text{font:12px 'Inter Variable',Inter,system-ui,sans-serif;fill:${p.text};paint-order:stroke;stroke:${p.halo};stroke-width:4px;stroke-linejoin:round}.map-picture .c{font-weight:600}.map-picture .p{fill:${p.place};font-size:12px}.map-picture .q{font-size:12px;fill:${p.quiet}}.map-picture .k{font-size:10px;font-weight:650}.map-picture .l{font-size:10.5px;font-weight:600;letter-spacing:${SPACED}px;fill:${p.country};stroke-width:2px}.map-picture .t{font-size:16px;font-weight:650}</style><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="${p.land}"/><path d="M0 0v6" stroke="${p.disputed}" stroke-width="1.4"/></pattern></defs>${parts.join('')}${foot}</svg>`;
}
