/** Deeper than any model is; what is deeper is not looked at. */
const MAX_DEPTH = 60;

/**
 * Whether two values of plain data are surely the same: same keys, in any order, with the same values. False may also mean that it is
 * too deep to tell, or that somebody named a key `__proto__`.
 */
export function isSame(one: unknown, other: unknown, depth = 0): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null || depth > MAX_DEPTH) return false;
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false;
    for (let at = 0; at < one.length; at++) if (!isSame(one[at], other[at], depth + 1)) return false;
    return true;
  }
  return !Array.isArray(other) && hasSameFields(one as Fields, other as Fields, depth);
}

type Fields = Readonly<Record<string, unknown>>;

function hasSameFields(one: Fields, other: Fields, depth: number): boolean {
  let count = 0;
  for (const key in one) {
    const value = one[key];
    // A key that the other inherits is a function there, but for this one.
    if (key === "__proto__" || value === undefined || !isSame(value, other[key], depth + 1)) return false;
    count++;
  }
  for (const _ in other) count--;
  return count === 0;
}
