// What tells routes apart: their legs by mode, and what a route has that others of the same passage have not.
import type {Leg, MapData, Route} from './api';

export interface Stretch {mode: string; km: number}
/** Runs in a row by the same mode as one stretch; borders, yards and waits between them do not count. */
export function stretches(route: Route): Stretch[] {
  const out: Stretch[] = [];
  for (const leg of route.legs) {
    if (leg.type !== 'move' || !leg.mode || leg.length_km <= 0) continue;
    const last = out[out.length - 1];
    if (last?.mode === leg.mode) last.km += leg.length_km;
    else out.push({mode: leg.mode, km: leg.length_km});
  }
  return out;
}

export interface Trait {kind: 'place' | 'crossing' | 'mode' | 'country' | 'option'; id: string}
const key = (t: Trait) => `${t.kind} ${t.id}`;
/** What a route may be named by, the most telling first: ports and yards where the mode changes, borders, modes, countries, carriers, places on the way. */
export function traits(route: Route, map: MapData | null): Trait[] {
  const found: Trait[] = [];
  const ends = new Set([route.legs[0]?.from_place, route.legs[route.legs.length - 1]?.to_place]);
  const add = (kind: Trait['kind'], id: string) => { if (id && !(kind === 'place' && ends.has(id)) && !found.some(f => f.kind === kind && f.id === id)) found.push({kind, id}); };
  const at = (type: string, put: (leg: Leg) => void) => route.legs.filter(leg => leg.type === type).forEach(put);
  at('transfer', leg => add('place', leg.to_place));
  at('border', leg => add('crossing', leg.crossing));
  at('move', leg => add('mode', leg.mode));
  route.countries.forEach(c => add('country', c));
  route.legs.forEach(leg => { if (leg.option && leg.option !== 'none') add('option', leg.option); });
  at('gauge', leg => add('place', leg.to_place));
  const links = new Map((map?.links ?? []).map(l => [l.id, l]));
  at('move', leg => leg.links.forEach(id => { const l = links.get(id); if (l) { add('place', l.a); add('place', l.b); } }));
  return found;
}

/**
 * For each route what tells it from the others of its passage: nothing where it is the only one, else one trait that no
 * other has, or as few as together no other has. Routes that have all in common share their `twin`, the first of them.
 */
export function apart(routes: Route[], map: MapData | null): {by: Trait[]; twin: number | null}[] {
  const all = routes.map(r => traits(r, map)), sets = all.map(list => new Set(list.map(key)));
  return routes.map((route, i) => {
    const others = routes.map((_, j) => j).filter(j => j !== i && routes[j].passage === route.passage);
    if (!others.length) return {by: [], twin: null};
    const twin = others.find(j => j < i && sets[j].size === sets[i].size && [...sets[i]].every(k => sets[j].has(k))) ?? null;
    if (twin !== null) return {by: [], twin};
    const by: Trait[] = [];
    let left = others;
    // the first trait that leaves out most of those that are still alike
    while (left.length && by.length < 3) {
      const best = all[i].map(trait => ({trait, out: left.filter(j => !sets[j].has(key(trait))).length})).reduce((a, b) => (b.out > a.out ? b : a), {trait: all[i][0], out: 0});
      if (!best.out) break;
      by.push(best.trait);
      left = left.filter(j => sets[j].has(key(best.trait)));
    }
    return {by, twin: null};
  });
}
