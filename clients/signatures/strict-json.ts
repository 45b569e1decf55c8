const DEEPEST = 64;

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
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error("is no UTF-8");
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("is no JSON");
  }
  refuseTwins(text);
  return value;
}

/** Walks text that is known to be JSON. A string before a colon is a field; each object has a set of its own. */
function refuseTwins(text: string): void {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "{" || character === "[") {
      if (open.push(character === "{" ? new Set() : undefined) > DEEPEST) throw new Error(`is nested deeper than ${DEEPEST} levels`);
    } else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const end = endOfString(text, at);
      const fields = open.at(-1);
      if (fields !== undefined && isField(text, end)) {
        const name = String(JSON.parse(text.slice(at, end)));
        if (fields.has(name)) throw new Error("names a field twice");
        fields.add(name);
      }
      at = end - 1;
    }
  }
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
  const folded = fold(name);
  const alike = Object.keys(value).find((key) => key !== name && fold(key) === folded);
  if (alike !== undefined) throw new Error(`spells \`${name}\` in another way too`);
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
  if (typeof text !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}
