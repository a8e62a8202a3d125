// The passages or goods that carry most of what is drawn, with colour, code and name: the legend on screen and on paper.
import {catColour, GROUP_CODES, PASSAGE_CODES, type Palette} from '../map/palette';
import type {Scene} from '../map/scene';
import type {Run} from './api';
import * as names from './names.svelte';
import type {ColourBy} from './state.svelte';

export interface Category {id: string; colour: string; code: string; name: string}
export function categories(scene: Scene, run: Run | null, by: ColourBy, palette: Palette): Category[] {
  if (!run || by === 'use') return [];
  const sums = new Map<string, number>();
  for (const s of scene.strokes) { const id = run.flows[by][s.row]; sums.set(id, (sums.get(id) ?? 0) + s.value); }
  if ([...sums.keys()].every(id => !id)) return [];
  return [...sums].sort((a, b) => b[1] - a[1]).slice(0, 9).map(([id]) => ({id, colour: catColour(palette, by, id), code: (by === 'passage' ? PASSAGE_CODES : GROUP_CODES)[id] ?? '', name: by === 'passage' ? names.passage(id) : names.group(id)}));
}
