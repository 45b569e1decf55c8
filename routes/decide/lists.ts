/**
 * Lists of numbers in order of trial: what two of them have in common.
 *
 * @module
 */

/** Whether two lists are the same. */
export function sameList(one: readonly number[], other: readonly number[]): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

/**
 * The numbers of either list that are not part of one long common subsequence of both. In a list every number occurs once.
 *
 * A request that satisfies none of them meets the same entries in the same order in both lists, so that it is answered alike.
 */
export function differing(one: readonly number[], other: readonly number[]): readonly number[] {
  let start = 0;
  while (start < one.length && start < other.length && one[start] === other[start]) start++;
  let end = 0;
  while (end < one.length - start && end < other.length - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end++;
  const places = new Map<number, number>();
  for (let at = start; at < one.length - end; at++) places.set(one[at] ?? -1, at);
  const middle = other.slice(start, other.length - end);
  const common = new Set(longestRise(middle.map((entry) => places.get(entry) ?? -1)).map((index) => middle[index] ?? -1));
  const rest: number[] = [];
  for (let at = start; at < one.length - end; at++) if (!common.has(one[at] ?? -1)) rest.push(one[at] ?? -1);
  for (const entry of middle) if (!common.has(entry)) rest.push(entry);
  return rest;
}

/** Indices of a longest rising subsequence; negative numbers take no part. */
function longestRise(values: readonly number[]): readonly number[] {
  const tails: number[] = [];
  const before = new Int32Array(values.length).fill(-1);
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? -1;
    if (value < 0) continue;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((values[tails[middle] ?? 0] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    if (low > 0) before[at] = tails[low - 1] ?? -1;
    tails[low] = at;
  }
  const rise: number[] = [];
  for (let at = tails.at(-1) ?? -1; at >= 0; at = before[at] ?? -1) rise.push(at);
  return rise.reverse();
}
