import { isUtf8 } from "node:buffer";

const DEEPEST = 64;
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, QUOTE] = [0x7b, 0x7d, 0x5b, 0x5d, 0x22] as const;

/**
 * Parses JSON that programs of several languages must read alike.
 *
 * 1. Bytes must be UTF-8, without a byte order mark.
 * 2. An object that names a field twice is refused: JavaScript takes the last, others the first.
 * 3. Nesting is bounded.
 *
 * Throws a plain Error whose message continues `is`.
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) throw new Error("is no UTF-8");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("is no JSON");
  }
  if (namedIn(text) !== keptIn(value)) throw new Error("names a field twice");
  return value;
}

/** How many fields text names that is known to be JSON: strings before a colon. Nesting is bounded. */
function namedIn(text: string): number {
  let named = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case OPEN_OBJECT:
      case OPEN_LIST:
        if (++depth > DEEPEST) throw new Error(`is nested deeper than ${DEEPEST} levels`);
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        depth--;
        break;
      case QUOTE: {
        const end = endOfString(text, at);
        if (isField(text, end)) named++;
        at = end - 1;
      }
    }
  }
  return named;
}

/** How many fields are left of them: of two with one name, one. */
function keptIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const isList = Array.isArray(value);
  let kept = 0;
  for (const inner of isList ? (value as readonly unknown[]) : Object.values(value)) kept += (isList ? 0 : 1) + keptIn(inner);
  return kept;
}

function endOfString(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  while (isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at + 1;
}

/** An odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let from = at;
  while (text[from - 1] === "\\") from--;
  return (at - from) % 2 === 1;
}

function isField(text: string, after: number): boolean {
  let at = after;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
  return text[at] === ":";
}

/**
 * A field of an object that others read without regard to case (Go does): refused where another spelling stands beside it or in its place.
 * Undefined where it is not there.
 */
export function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  for (const key in value) {
    // Folding, as Go does it, puts one letter in place of one.
    if (key.length === name.length && key !== name && fold(key) === fold(name)) throw new Error(`spells \`${name}\` in another way too`);
  }
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

/** Refuses a document in which one of these names stands in another spelling, wherever it is; texts that people choose (annotations) are not looked into. */
export function refuseOtherSpellings(value: unknown, names: readonly string[]): void {
  if (typeof value !== "object" || value === null) return;
  for (const name of Array.isArray(value) ? [] : names) field(value, name);
  for (const [key, inner] of Object.entries(value)) if (key !== "annotations") refuseOtherSpellings(inner, names);
}

/** As Go folds names: also the long s and the sign of Kelvin. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** Base64 as it must be written: the standard alphabet, padded, nothing else in it, one text for one value. Undefined: it is none. */
export function strictBase64(text: unknown): Buffer | undefined {
  if (typeof text !== "string") return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}
