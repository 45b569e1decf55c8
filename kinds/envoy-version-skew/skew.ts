import { compareReleases, lineText, type ReleaseNumber } from "#values";

/** Something that carries a release number, as far as it is known. */
export interface Numbered {
  /** What decides the number: two things of one choice always carry the same one. */
  readonly choice: string;
  /** Every number it may be, oldest first, all of one minor line. */
  readonly numbers: readonly ReleaseNumber[];
}

export interface Limits {
  readonly maxPatchSkew: number;
  readonly maxMinorSkew: number;
}

/** One thing that is, or may be, too far behind the newest. */
export interface Lag<T> {
  readonly item: T;
  /** Which part of the number is too far behind. Patch releases are counted inside one minor line only. */
  readonly part: "major" | "minor" | "patch";
  /** The fault stands whichever numbers are the true ones. */
  readonly certain: boolean;
  readonly least: number;
  readonly most: number;
  /** The newest thing that it is behind. */
  readonly newest: T;
}

/**
 * Which things lag behind the newest one by more than the limits?
 *
 * Guarantees:
 *
 * 1. A certain lag is returned if and only if every choice of numbers breaks a limit.
 * 2. No lag is returned if and only if no choice of numbers breaks one.
 * 3. The answer does not depend on the order of `items`, except for which of several equally new ones is named.
 */
export function lags<T extends Numbered>(items: readonly T[], limits: Limits): readonly Lag<T>[] {
  const newest = newestOf(items);
  if (newest === undefined) return [];
  const top = upper(newest);

  const found: Lag<T>[] = [];
  const near: T[] = [];
  for (const item of items) {
    const { major, minor } = upper(item);
    const behind = { item, certain: true, newest };
    if (major < top.major) found.push({ ...behind, part: "major", least: top.major - major, most: top.major - major });
    else if (top.minor - minor > limits.maxMinorSkew) found.push({ ...behind, part: "minor", least: top.minor - minor, most: top.minor - minor });
    else near.push(item);
  }
  for (const line of Map.groupBy(near, (item) => lineText(upper(item))).values()) found.push(...patchLags(line, limits.maxPatchSkew));
  return found;
}

interface Choice<T> {
  readonly first: T;
  readonly patches: readonly number[];
  readonly oldest: number;
  readonly newest: number;
}

/** The same question inside one minor line, where only patch numbers differ and some of them may be open. */
function patchLags<T extends Numbered>(line: readonly T[], allowed: number): readonly Lag<T>[] {
  const choices = new Map<string, Choice<T>>();
  for (const item of line) {
    const patches = item.numbers.map((number) => number.patch);
    if (!choices.has(item.choice)) choices.set(item.choice, { first: item, patches, oldest: Math.min(...patches), newest: Math.max(...patches) });
  }
  // Two suffice: who is behind whom is asked of the newest other choice.
  const byFloor = [...choices.values()].toSorted((a, b) => b.oldest - a.oldest).slice(0, 2);
  const byTop = [...choices.values()].toSorted((a, b) => b.newest - a.newest).slice(0, 2);

  const found = line.flatMap((item): Lag<T>[] => {
    const own = choices.get(item.choice);
    const floor = byFloor.find((choice) => choice !== own);
    const top = byTop.find((choice) => choice !== own);
    if (own === undefined || floor === undefined || top === undefined) return [];
    const most = top.newest - own.oldest;
    const least = Math.max(0, floor.oldest - own.newest);
    return most > allowed ? [{ item, part: "patch", certain: least > allowed, least, most, newest: top.first }] : [];
  });
  const settled = found.some((lag) => lag.certain) || fits([...choices.values()], allowed);
  return settled ? found : found.map((lag) => ({ ...lag, certain: true }));
}

/** Is there one number for each choice such that all lie within `allowed` of each other? */
function fits<T>(choices: readonly Choice<T>[], allowed: number): boolean {
  const starts = new Set(choices.flatMap((choice) => choice.patches));
  return [...starts].some((start) => choices.every(({ patches }) => patches.some((patch) => patch >= start && patch <= start + allowed)));
}

/** The newest number that it may be. */
function upper(item: Numbered): ReleaseNumber {
  const number = item.numbers.at(-1);
  if (number === undefined) throw new TypeError(`\`${item.choice}\` has no number`);
  return number;
}

function newestOf<T extends Numbered>(items: readonly T[]): T | undefined {
  return items.reduce<T | undefined>((best, item) => (best === undefined || compareReleases(upper(item), upper(best)) > 0 ? item : best), undefined);
}
