// Amounts of the legend, on screen and on paper: three widths far enough apart to be told from each other, whatever is drawn.
import {SAMPLES, type WidthScale, widthOf, widthScale} from '../map/scene';
import {number, unitOf} from './format';
import {t} from './i18n.svelte';
import type {Change, WidthBy} from './state.svelte';

export interface Sample {value: number; w: number; text: string}
/** The samples with their widths before the zoom, and the unit of their texts. */
export function samplesOf(by: WidthBy, kind: Change | null): {samples: Sample[]; unit: string; scale: WidthScale} {
  const scale = widthScale(by, kind);
  const [factor, unit] = kind === 'percent' ? [1, '%']
    : kind === 'per_km' ? [1, `${by === 'tonnes' ? unitOf('t') : by === 'teu' ? unitOf('TEU') : t('unit.trains_day')}/${unitOf('km')}`]
    : by === 'tonnes' ? [1e-6, unitOf('Mt')] : by === 'teu' ? [1e-3, t('unit.thousand_teu')] : [1, t('unit.trains_day')];
  const samples = SAMPLES.map(part => part * scale.full).map(value => ({value, w: widthOf(value, scale.full), text: number(value * factor, digits(value * factor))}));
  return {samples, unit, scale};
}
const digits = (shown: number) => (Number.isInteger(shown) || shown >= 100 ? 0 : Math.min(4, Math.max(0, 1 - Math.floor(Math.log10(shown)))));
