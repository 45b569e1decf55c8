import { byText } from "#engine";
import type { Condition, FieldMatch, Origin, PathMatch, RouteWorld, Rule } from "#routes";

/** Rules of one object that no request reaches, and the places in which it is so. */
export interface Dead {
  readonly object: string;
  readonly places: readonly string[];
  readonly paths: readonly { readonly path: string; /** The rule that takes all of its requests. */ readonly by: string }[];
}

/** Pairs of rules that are looked at in one place: what is beyond is not told. */
const MOST_PAIRS = 2_000_000;

/**
 * Rules that are the first match of no request, because one earlier rule takes all that they would take, in every table they are in.
 * What several earlier rules take together is not seen: this is advice, no proof that the others are reached.
 */
export function deadRules(worlds: readonly RouteWorld[]): readonly Dead[] {
  const found = new Map<string, { object: string; places: string[]; paths: Dead["paths"] }>();
  for (const world of worlds) {
    for (const [object, paths] of Map.groupBy(deadIn(world), ({ rule }) => rule.object)) {
      const told = paths.map(({ rule, by }) => ({ path: rule.path, by: by.object === object ? by.path : `\`${by.object}\` ${by.path}` })).toSorted((a, b) => byText(a.path, b.path));
      const key = JSON.stringify([object, told]);
      const known = found.get(key);
      if (known === undefined) found.set(key, { object, places: [world.place], paths: told });
      else known.places.push(world.place);
    }
  }
  return [...found].toSorted(([a], [b]) => byText(a, b)).map(([, dead]) => dead);
}

interface Covered {
  readonly rule: Origin;
  readonly by: Origin;
}

function deadIn({ views }: RouteWorld): readonly Covered[] {
  const covered = new Map<string, Covered>();
  const alive = new Set<string>();
  const seen = new Set<readonly Rule[]>();
  let pairs = 0;
  const lists = views.flatMap(({ readings }) => readings.flatMap(({ listener }) => listener.chains.flatMap(({ then }) => (then.type === "http" ? then.virtualHosts.map(({ rules }) => rules) : []))));
  for (const rules of lists) {
    if (seen.has(rules)) continue;
    seen.add(rules);
    for (const [index, { when, origin }] of rules.entries()) {
      const key = `${origin.object}\0${origin.path}`;
      pairs += index;
      if (pairs > MOST_PAIRS) return [];
      const by = alive.has(key) ? undefined : rules.slice(0, index).find((earlier) => covers(earlier.when, when));
      // Blocks that the dialect splits share an origin: one that is reached is enough.
      if (by === undefined || (by.origin.object === origin.object && by.origin.path === origin.path)) alive.add(key);
      else covered.set(key, { rule: origin, by: by.origin });
    }
  }
  return [...covered].filter(([key]) => !alive.has(key)).map(([, found]) => found);
}

/** Does the first condition hold wherever the second does? True only where it can be read off. */
function covers(wide: Condition, narrow: Condition): boolean {
  if (wide.path !== undefined && !coversPath(wide.path, narrow.path)) return false;
  return (
    (wide.headers ?? []).every((field) => (narrow.headers ?? []).some((other) => other.name === field.name && coversField(field, other))) &&
    (wide.query ?? []).every((field) => (narrow.query ?? []).some((other) => other.name === field.name && coversField(field, other))) &&
    (wide.claims ?? []).every((field) => (narrow.claims ?? []).some((other) => JSON.stringify(other) === JSON.stringify(field)))
  );
}

function coversField(wide: FieldMatch, narrow: FieldMatch): boolean {
  if (JSON.stringify(wide) === JSON.stringify(narrow)) return true;
  const isPlain = (field: FieldMatch) => field.invert !== true && (field.whenAbsent === undefined || field.whenAbsent === false);
  return wide.match.kind === "any" && isPlain(wide) && isPlain(narrow);
}

function coversPath(wide: PathMatch, narrow: PathMatch | undefined): boolean {
  // Every path starts with a slash.
  if (wide.kind === "prefix" && (wide.value === "/" || wide.value === "")) return true;
  if (narrow === undefined) return false;
  if (JSON.stringify(wide) === JSON.stringify(narrow)) return true;
  if (wide.kind !== "prefix" || wide.ignoreCase === true || narrow.kind === "regex" || narrow.ignoreCase === true) return false;
  return (narrow.kind === "exact" || narrow.kind === "prefix" || narrow.kind === "separated-prefix") && narrow.value.startsWith(wide.value);
}
