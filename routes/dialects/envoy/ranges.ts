/**
 * An expression for the whole numbers from `start` to below `end`, as Envoy reads them: a sign, zeros in front, nothing else. Undefined
 * beyond what a number holds exactly.
 */
export function rangeExpression(start: number, end: number): string | undefined {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) return undefined;
  const last = end - 1;
  if (last < start) return NEVER;
  const parts: string[] = [];
  if (last >= 0) parts.push(...between(Math.max(start, 0), last).map((part) => `\\+?0*${part}`));
  if (start <= 0 && last >= 0) parts.push("-0+");
  if (start < 0) parts.push(...between(Math.max(1, -last), -start).map((part) => `-0*${part}`));
  return parts.join("|");
}

/** Takes nothing. */
const NEVER = "[^\\x00-\\xff]";

/** Expressions for the numbers from `low` to `high`, both included and not negative, without zeros in front. */
function between(low: number, high: number): readonly string[] {
  const out: string[] = [];
  // Parts of one length whose last digits are free.
  for (let from = low; from <= high; ) {
    let free = 0;
    let to = from;
    while (from % 10 ** (free + 1) === 0 && from !== 0 && from + 10 ** (free + 1) - 1 <= high) {
      free++;
      to = from + 10 ** free - 1;
    }
    // As many steps in the digit before the free ones as fit.
    const digit = Math.floor(from / 10 ** free) % 10;
    let steps = 0;
    while (digit + steps < 9 && to + 10 ** free <= high) {
      steps++;
      to += 10 ** free;
    }
    const head = Math.floor(from / 10 ** (free + 1));
    out.push(`${head === 0 ? "" : head}${steps === 0 ? digit : `[${digit}-${digit + steps}]`}${"[0-9]".repeat(free)}`);
    from = to + 1;
  }
  return out;
}
