/**
 * The few rules that matter where long lists differ in few places.
 *
 * Take a common subsequence of two lists. A request that satisfies no rule outside it meets the same rules in the same order in both, and
 * is answered alike. The others satisfy some rule outside, an *odd* one, so that their paths are those of its pattern; a rule whose
 * pattern shares no path with any odd one never takes them. Without such rules the lists answer these requests as before, and all others
 * still alike: they are equivalent exactly when the whole lists are, and differ on the same requests.
 *
 * @module
 */

import { toBytes } from "../languages/bytes.ts";
import type { Bytes } from "../languages/bytes.ts";
import type { PathMatch, Rule } from "./model.ts";
import { isSame } from "./same.ts";

/** How far a rule may have moved to be found again. What is not found is odd, which is never wrong. */
const WINDOW = 64;

/** Whether two rules do the same wherever they stand. What Envoy refuses equals nothing. */
function areAlike(one: Rule | undefined, other: Rule | undefined): boolean {
  if (one === undefined || other === undefined || one.action.type === "invalid") return false;
  return one === other || (isSame(one.when, other.when) && isSame(one.action, other.action));
}

/** Whether two lists of rules are the same. Cost: linear; little where both hold the same objects. */
export function areAllAlike(one: readonly Rule[], other: readonly Rule[]): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (!areAlike(one[at], other[at])) return false;
  return true;
}

/** Numbers of lists that are read alike and compared with each other, in groups; those of two groups never are. */
export type Groups = readonly (readonly number[])[];

/**
 * The lists without rules that cannot matter; themselves where that is not known. Of several groups the odd rules are those of all, so
 * that every list keeps what may take one of their paths.
 */
export function narrowed(groups: Groups, lists: readonly (readonly Rule[])[]): readonly (readonly Rule[])[] {
  const alignments = lists.map((): Alignment | undefined => undefined);
  const odd = new Set<Rule>();
  for (const [first = 0, ...others] of groups) {
    for (const list of others) {
      const alignment = (alignments[list] = aligned(lists[first] ?? [], lists[list] ?? []));
      for (const rule of alignment.odd) odd.add(rule);
    }
  }
  if (odd.size > (lists[0]?.length ?? 0) >> 1) return lists;
  const reach = reachOf(odd);
  if (reach === undefined) return lists;
  const fewer = [...lists];
  for (const [first = 0, ...others] of groups) {
    const base = lists[first] ?? [];
    const kept = new Uint8Array(base.length);
    for (let at = 0; at < base.length; at++) kept[at] = Number(reach.meets(base[at]));
    fewer[first] = base.filter((_, at) => kept[at] === 1);
    for (const list of others) fewer[list] = (lists[list] ?? []).filter((_, at) => kept[alignments[list]?.places[at] ?? -1] !== 0);
  }
  return fewer;
}

interface Alignment {
  /** For every rule of the second list its place in the first, rising; -1 where it has none. */
  readonly places: Int32Array;
  /** Rules of either list that are not part of the common subsequence. */
  readonly odd: readonly Rule[];
}

function aligned(one: readonly Rule[], other: readonly Rule[]): Alignment {
  const places = new Int32Array(other.length).fill(-1);
  const odd: Rule[] = [];
  let left = 0;
  let right = 0;
  const skip = (lefts: number, rights: number): void => {
    for (const rule of one.slice(left, left + lefts)) odd.push(rule);
    for (const rule of other.slice(right, right + rights)) odd.push(rule);
    left += lefts;
    right += rights;
  };
  while (left < one.length && right < other.length) {
    if (areAlike(one[left], other[right])) places[right++] = left++;
    else skip(...nextMeeting(one, other, left, right));
  }
  skip(one.length - left, other.length - right);
  return { places, odd };
}

/** How many rules of either list to pass over until both are alike again. */
function nextMeeting(one: readonly Rule[], other: readonly Rule[], left: number, right: number): readonly [number, number] {
  for (let distance = 1; distance <= WINDOW; distance++) {
    if (areAlike(one[left + distance], other[right])) return [distance, 0];
    if (areAlike(one[left], other[right + distance])) return [0, distance];
  }
  return [1, 1];
}

/** The text that every path of a test begins with, which is the whole path for `exact` only; undefined where it is not known. */
function rootOf(path: PathMatch | undefined): Bytes | undefined {
  if (path === undefined || path.kind === "regex" || path.kind === "suffix" || path.kind === "contains" || path.ignoreCase === true) return undefined;
  return toBytes(path.value);
}

/** The paths that some rules can take; undefined where they may take any. */
function reachOf(rules: Iterable<Rule>): Reach | undefined {
  const texts = new Set<Bytes>();
  const open = new Set<Bytes>();
  for (const { when } of rules) {
    const root = rootOf(when.path);
    if (root === undefined || when.headers?.some(({ name }) => name === ":path") === true) return undefined;
    texts.add(root);
    if (when.path?.kind !== "exact") open.add(root);
  }
  return new Reach(texts, open);
}

const byText = (one: Bytes, other: Bytes): number => (one < other ? -1 : one > other ? 1 : 0);

class Reach {
  /** Sorted. */
  private readonly texts: readonly Bytes[];
  /** Sorted, none a beginning of another. */
  private readonly open: readonly Bytes[];

  constructor(texts: ReadonlySet<Bytes>, open: ReadonlySet<Bytes>) {
    this.texts = [...texts].sort(byText);
    const shortest: Bytes[] = [];
    for (const text of [...open].sort(byText)) if (shortest.length === 0 || !text.startsWith(shortest.at(-1) ?? "")) shortest.push(text);
    this.open = shortest;
  }

  /** Whether a rule may share a path with these; in doubt it does. */
  meets(rule: Rule | undefined): boolean {
    const path = rule?.when.path;
    const text = rootOf(path);
    if (text === undefined) return true;
    const next = this.texts[firstFrom(this.texts, text)];
    if (next !== undefined && (path?.kind !== "exact" ? next.startsWith(text) : next === text)) return true;
    // Of texts none of which begins another, only the last one before can begin this one.
    const before = this.open[firstFrom(this.open, text) - 1];
    return before !== undefined && text.startsWith(before);
  }
}

/** The place of the first text that does not come before the given one. */
function firstFrom(sorted: readonly Bytes[], text: Bytes): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? "") < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
