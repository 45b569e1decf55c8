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

function own(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Fields)[key] : undefined;
}
