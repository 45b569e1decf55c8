/** What a foreign document holds under its names. */
export type Fields = Readonly<Record<string, unknown>>;

/** True of a map. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The map, or an empty one in place of whatever is none. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}
