/** JSON as it came from a cluster or a file: nothing about it is trusted. */
export type Json = unknown;

/** A JSON object whose keys are not trusted either: read it with {@link at}. */
export type JsonObject = Readonly<Record<string, unknown>>;

const nothing: JsonObject = Object.freeze({});
const none: readonly unknown[] = Object.freeze([]);

/** True of a JSON object; null and lists are none. */
export function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The own value of a key; keys such as `__proto__` or `constructor` read like any other. */
export function at(value: Json, key: string): Json {
  if (!isObject(value)) return undefined;
  const found = value[key];
  // Most of what is asked for is not there at all.
  return found === undefined || !Object.hasOwn(value, key) ? undefined : found;
}

/** The object under a key, or an empty one: a wrong type was reported by `check` before. */
export function objectAt(value: Json, key: string): JsonObject {
  const found = at(value, key);
  return isObject(found) ? found : nothing;
}

/** The list under a key, or an empty one. */
export function listAt(value: Json, key: string): readonly unknown[] {
  const found = at(value, key);
  return Array.isArray(found) ? found : none;
}

/** The string under a key, or the empty one: protobuf does not tell them apart. */
export function textAt(value: Json, key: string): string {
  const found = at(value, key);
  return typeof found === "string" ? found : "";
}

/** The number under a key, or 0. */
export function numberAt(value: Json, key: string): number {
  const found = at(value, key);
  return typeof found === "number" ? found : 0;
}

const noTexts: readonly string[] = Object.freeze([]);

/** All strings of the list under a key. */
export function textsAt(value: Json, key: string): readonly string[] {
  const list = listAt(value, key);
  if (list.length === 0) return noTexts;
  return isListOfTexts(list) ? list : list.filter((item) => typeof item === "string");
}

function isListOfTexts(list: readonly unknown[]): list is readonly string[] {
  for (let at = 0; at < list.length; at++) if (typeof list[at] !== "string") return false;
  return true;
}

/** The list with one more. Lists that grow take more room than they need, and most of these are of one. */
export function withOne<T>(list: readonly T[], one: T): readonly T[] {
  return list.length === 0 ? [one] : [...list, one];
}

/** A map of strings under a key, as entries. */
export function entriesAt(value: Json, key: string): readonly (readonly [string, Json])[] {
  return Object.entries(objectAt(value, key));
}

const noLabels: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

/** The entries of a map of strings whose values are strings. Keys are as little trusted as before. */
export function labelsAt(value: Json, key: string): Readonly<Record<string, string>> {
  const map = objectAt(value, key);
  if (map === nothing) return noLabels;
  if (isOfTexts(map)) return map;
  const out: Record<string, string> = Object.create(null);
  for (const [name, text] of entriesAt(value, key)) if (typeof text === "string") out[name] = text;
  return out;
}

function isOfTexts(map: JsonObject): map is Readonly<Record<string, string>> {
  for (const name in map) if (typeof map[name] !== "string") return false;
  return true;
}

/** One text for one meaning: keys sorted at every level. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

/** True when every label of `wanted` stands in `given`. */
export function isSubset(wanted: Readonly<Record<string, string>>, given: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(given, key) && given[key] === value);
}
