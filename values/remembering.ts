/** Fleets run few images and releases in many places; more texts than this come from a stranger. */
const MOST = 2_000;
/** Longer texts are no name of anything, and not worth keeping. */
const LONGEST = 512;

/** The same pure reading of a text, which works each text out once. What it remembers is bounded. */
export function remembering<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined || known.has(text)) return before as T;
    if (text.length > LONGEST) return read(text);
    if (known.size >= MOST) known.clear();
    const value = read(text);
    known.set(text, value);
    return value;
  };
}
