// Colours of the map. Classes differ in lightness as well as in hue, and each has a second cue besides (a core in the
// line, a code beside it), so that nothing hangs on seeing colours as most people do.
export type Theme = 'light' | 'dark';
export interface Palette {
  sea: string; land: string; border: string; disputed: string; text: string; halo: string; quiet: string; place: string; country: string; idle: string;
  planned: string; node: string; train: string; select: string; use: [string, string, string, string]; none: string;
  more: string; less: string; core: string; cats: string[];
}
export const PALETTES: Record<Theme, Palette> = {
  light: {
    sea: '#e3eaec', land: '#f7f4ec', border: '#c9c4b6', disputed: '#b5ac97', text: '#27313d', halo: '#fbf9f3', quiet: '#5d6771', place: '#46515c', country: '#8d8a7e',
    idle: '#b7b4aa', planned: '#7a6fa8', node: '#27313d', train: '#0f1a26', select: '#101820',
    use: ['#6ea6cd', '#2b8f83', '#d98e04', '#bf2f14'], none: '#8d97a1', more: '#1a66a8', less: '#c2540f', core: '#fffdf6',
    cats: ['#1f6fb2', '#c8641a', '#1d8a5f', '#a8437f', '#7d6a00', '#5a55b0', '#2a93b5', '#8c4a32', '#5d7a2c', '#b03a48', '#6f4a9c', '#11696b', '#9a7227', '#46618c'],
  },
  dark: {
    sea: '#0f161d', land: '#1b252f', border: '#36434f', disputed: '#56636e', text: '#d5dde5', halo: '#0f161d', quiet: '#9eabb7', place: '#c8d2db', country: '#687682',
    idle: '#4b5863', planned: '#a79be0', node: '#e6ecf2', train: '#ffffff', select: '#ffffff',
    use: ['#4c8fc4', '#58c3b2', '#f0bb4b', '#f2673f'], none: '#7b8791', more: '#5ba6ec', less: '#f2894b', core: '#0f161d',
    cats: ['#5aa5e8', '#f0964e', '#52c596', '#dd7fb6', '#d3bd4a', '#9f99ee', '#5cc4e0', '#cf8a6e', '#a3c46a', '#ee7f8b', '#b493e6', '#4fb9b0', '#dcb46a', '#92abd6'],
  },
};

/** Classes of V/C by their upper bounds. */
export const USE_BOUNDS = [0.5, 0.8, 1];
export const useClass = (use: number) => USE_BOUNDS.findIndex(b => use < b) + 1 || 4;

/** Two letters that stand on a line for its passage or group of goods: the second cue. */
export const PASSAGE_CODES: Record<string, string> = {
  'west-1': 'W1', 'west-2-land': 'W2', 'west-2-caspian': 'MC', 'west-3': 'W3', 'east-1': 'E1', manzhouli: 'MZ',
  'suifenhe-vladivostok': 'SV', crk: 'RK', 'china-central-asia': 'CA', 'china-mongolia': 'MN', 'north-south': 'NS',
  'trans-siberian': 'TS', suez: 'SZ', cape: 'CP', nsr: 'NR', other: '',
};
export const GROUP_CODES: Record<string, string> = {
  food: 'Fo', bev_tobacco: 'Bv', crude_materials: 'Cr', fuels: 'Fu', oils_fats: 'Oi', chemicals: 'Ch',
  manuf_by_material: 'Mf', machinery_transport: 'Ma', misc_manuf: 'Mi', other_gold: 'Ot', empty: 'Em',
};
const ORDERS = {passage: Object.keys(PASSAGE_CODES).filter(k => k !== 'other'), group: Object.keys(GROUP_CODES)};
export function catColour(palette: Palette, by: 'passage' | 'group', id: string): string {
  const at = ORDERS[by].indexOf(id);
  return at < 0 ? palette.none : palette.cats[at % palette.cats.length];
}
