/** An object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

const NONE: Fields = Object.freeze({});

/** The object under a key; an empty one where there is none, so that a path can be followed without asking at each step. */
export function fieldsIn(value: unknown, key: string): Fields {
  const found = own(value, key);
  return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Fields) : NONE;
}

/** The text under a key, cut at `longest` characters: a stranger may have written it. */
export function textIn(value: unknown, key: string, longest = 1024): string | undefined {
  const found = own(value, key);
  return typeof found === "string" && found !== "" ? found.slice(0, longest) : undefined;
}

/** The list under a key; an empty one where there is none. */
export function listIn(value: unknown, key: string): readonly unknown[] {
  const found = own(value, key);
  return Array.isArray(found) ? found : [];
}

/** The one entry of a list of objects that has this name. */
export function namedIn(value: unknown, key: string, name: string): Fields | undefined {
  return listIn(value, key).find((entry): entry is Fields => textIn(entry, "name") === name);
}

/** Most entries that are kept of a map of texts: no node has as many labels. */
const ENTRIES = 1000;

/** The texts of a map under a key, by their names in order; numbers as texts, everything else is left out. */
export function textsIn(value: unknown, key: string, longest = 1024): Readonly<Record<string, string>> {
  const entries = Object.entries(fieldsIn(value, key)).flatMap(([name, text]) => (typeof text === "string" || typeof text === "number" ? [[name, String(text).slice(0, longest)] as const] : []));
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(0, ENTRIES));
}

function own(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Fields)[key] : undefined;
}
