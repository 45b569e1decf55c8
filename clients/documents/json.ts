import { MAX_DEPTH } from "./compose.ts";

/** Where one JSON value of a text starts, and the value. */
export interface JsonValue {
  readonly start: number;
  readonly end: number;
  readonly value: unknown;
}

/**
 * The JSON values of a text, one after the other; undefined where the text is anything else.
 * The common case, one value, costs one `JSON.parse`.
 */
export function parseJson(text: string): readonly JsonValue[] | undefined {
  const start = text.search(/\S/);
  const first = text[start];
  if (first !== "{" && first !== "[") return undefined;
  const whole = parsed(text);
  if (whole !== undefined) return [{ start, end: text.length, value: whole.value }];
  const values: JsonValue[] = [];
  for (let at = start; at < text.length; ) {
    const end = endOf(text, at);
    const one = end === undefined ? undefined : parsed(text.slice(at, end));
    if (end === undefined || one === undefined) return undefined;
    values.push({ start: at, end, value: one.value });
    const next = text.slice(end).search(/\S/);
    if (next < 0) break;
    at = end + next;
  }
  return values;
}

/** True when lists and maps are nested deeper than our own code may follow. */
export function isTooDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 1; depth <= MAX_DEPTH; depth++) {
    level = level.flatMap((item) => Object.values(item as object).filter(isCollection));
    if (level.length === 0) return false;
  }
  return true;
}

function isCollection(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** The end of the object or list that starts at `start`. */
function endOf(text: string, start: number): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let index = start; index < text.length; index++) {
    const char = text[index];
    if (quoted) {
      if (char === "\\") index++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === "{" || char === "[") depth++;
    else if (char === "}" || char === "]") {
      depth--;
      if (depth === 0) return index + 1;
    } else if (depth === 0) return undefined;
  }
  return undefined;
}
