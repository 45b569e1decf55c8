/**
 * A value that a stranger wrote, as text; JSON of what is none. `String` would ask the value itself, which may have a field `toString`
 * that is no function.
 */
export function foreignText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
