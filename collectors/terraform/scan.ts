/** What of a state is looked at: its own members, and those of its resources that somebody wants. */
export interface Scanned {
  /** The document's members: texts, numbers as they stand, and for lists and objects only that they are there. The last of two of one name counts. */
  readonly members: ReadonlyMap<string, Member>;
  /** The resources whose type is wanted, as JSON gives them. */
  readonly resources: readonly unknown[];
}

type Member = { readonly is: "text"; readonly text: string } | { readonly is: "number"; readonly digits: string } | { readonly is: "list" | "object" | "other" };

/** The bytes are no whole JSON object. */
export class ScanError extends Error {
  override readonly name = "ScanError";
  /** They end before it does. */
  readonly ends: boolean;

  constructor(ends: boolean) {
    super("no whole JSON object");
    this.ends = ends;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA, COLON] = [0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a];
/** Deeper than any state, and no deeper than `JSON.parse` goes with ease. */
const DEEPEST = 2000;

/** White space, and what numbers and the three words are written with: all that may stand outside of texts besides brackets, commas and colons. */
const PLAIN = new Uint8Array(256);
for (const mark of " \t\r\n0123456789+-.eEtrufalsn") PLAIN[mark.charCodeAt(0)] = 1;

/**
 * Goes over a state once, byte by byte, and makes objects of nothing but what is wanted: of a state of 100 MB a few kilobytes are ever text.
 *
 * 1. What is wanted is what `JSON.parse` gives for it; a number of the document itself stands as it was written, however large.
 * 2. A document that ends early, or whose brackets do not match, is refused, as is what may not stand between texts. What stands inside of a
 *    resource that nobody wants is not checked further.
 * 3. Time and memory are linear in the number of bytes; besides what is wanted nothing is kept.
 *
 * Throws {@link ScanError}, or the error of `JSON.parse` or of the decoder, which may quote the state and must not be told.
 */
export function scan(bytes: Uint8Array, wants: (type: string) => boolean): Scanned {
  const members = new Map<string, Member>();
  let resources: unknown[] = [];
  const reader = new Reader(bytes);
  reader.expect(OPEN_OBJECT);
  while (!reader.closes(CLOSE_OBJECT, members.size > 0)) {
    const name = reader.text();
    reader.expect(COLON);
    const start = reader.next();
    if (name === "resources" && bytes[start] === OPEN_LIST) {
      resources = resourcesIn(reader, wants);
      members.set(name, { is: "list" });
    } else {
      members.set(name, memberAt(reader, start));
    }
  }
  if (!reader.isAtEnd()) throw new ScanError(false);
  return { members, resources };
}

function memberAt(reader: Reader, start: number): Member {
  const first = reader.bytes[start];
  if (first === QUOTE) return { is: "text", text: reader.text() };
  const end = reader.skipValue();
  if (first === OPEN_LIST) return { is: "list" };
  if (first === OPEN_OBJECT) return { is: "object" };
  const value: unknown = reader.parse(start, end);
  return typeof value === "number" ? { is: "number", digits: reader.decode(start, end).trim() } : { is: "other" };
}

function resourcesIn(reader: Reader, wants: (type: string) => boolean): unknown[] {
  const found: unknown[] = [];
  reader.expect(OPEN_LIST);
  for (let some = false; !reader.closes(CLOSE_LIST, some); some = true) {
    const start = reader.next();
    reader.type = undefined;
    const end = reader.skipValue();
    if (reader.bytes[start] !== OPEN_OBJECT && reader.bytes[start] !== OPEN_LIST) reader.parse(start, end);
    else if (reader.type !== undefined && (reader.type === ESCAPED || wants(reader.type))) found.push(reader.parse(start, end));
  }
  return found;
}

/** A name or type that is written with escapes: whoever has it is parsed to see what it is. */
const ESCAPED = "\\";

class Reader {
  readonly bytes: Uint8Array;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  readonly #stack = new Uint8Array(DEEPEST);
  #at = 0;
  /** What the object that {@link skipValue} went over says under `type`. */
  type: string | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3;
  }

  /** Where the next byte stands that is no white space. */
  next(): number {
    const { bytes } = this;
    let at = this.#at;
    for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[at]) at += 1;
    this.#at = at;
    return at;
  }

  isAtEnd(): boolean {
    return this.next() === this.bytes.length;
  }

  expect(byte: number): void {
    const at = this.next();
    if (this.bytes[at] !== byte) throw new ScanError(at >= this.bytes.length);
    this.#at = at + 1;
  }

  /** True behind the last entry of a list or object; else it stands before the next one. */
  closes(byte: number, some: boolean): boolean {
    if (this.bytes[this.next()] === byte) {
      this.#at += 1;
      return true;
    }
    if (some) this.expect(COMMA);
    return false;
  }

  /** The text that stands here. */
  text(): string {
    this.expect(QUOTE);
    const start = this.#at - 1;
    this.#at = this.#endOfText(this.#at);
    const value = this.parse(start, this.#at);
    if (typeof value !== "string") throw new ScanError(false);
    return value;
  }

  decode(start: number, end: number): string {
    return this.#decoder.decode(this.bytes.subarray(start, end));
  }

  parse(start: number, end: number): unknown {
    return JSON.parse(this.decode(start, end));
  }

  /** Goes over one value, and gives where it ends. */
  skipValue(): number {
    const { bytes } = this;
    const start = this.next();
    if (bytes[start] !== OPEN_OBJECT && bytes[start] !== OPEN_LIST) return this.#skipScalar(start);
    const stack = this.#stack;
    let depth = 0;
    let isName = false;
    let at = start;
    do {
      const byte = bytes[at];
      if (byte === undefined) throw new ScanError(true);
      if (byte === QUOTE) {
        const end = this.#endOfText(at + 1);
        if (depth === 1 && isName) this.#noteType(at, end);
        at = end;
        continue;
      }
      if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
        if (depth === DEEPEST) throw new ScanError(false);
        stack[depth++] = byte;
        isName = byte === OPEN_OBJECT;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
        depth -= 1;
        if (stack[depth] !== (byte === CLOSE_OBJECT ? OPEN_OBJECT : OPEN_LIST)) throw new ScanError(false);
      } else if (byte === COMMA) isName = stack[depth - 1] === OPEN_OBJECT;
      else if (byte === COLON) isName = false;
      else if (PLAIN[byte] !== 1) throw new ScanError(false);
      at += 1;
    } while (depth > 0);
    this.#at = at;
    return at;
  }

  #skipScalar(start: number): number {
    const { bytes } = this;
    if (bytes[start] === QUOTE) return (this.#at = this.#endOfText(start + 1));
    let at = start;
    for (let byte = bytes[at]; byte !== undefined && byte !== COMMA && byte !== CLOSE_OBJECT && byte !== CLOSE_LIST; byte = bytes[++at]) if (PLAIN[byte] !== 1) throw new ScanError(false);
    if (at === start || at === bytes.length) throw new ScanError(at === bytes.length);
    return (this.#at = at);
  }

  /** Behind the closing quote of a text whose content starts at `from`. */
  #endOfText(from: number): number {
    const { bytes } = this;
    for (let quote = bytes.indexOf(QUOTE, from); quote >= 0; quote = bytes.indexOf(QUOTE, quote + 1)) {
      let slashes = 0;
      while (quote - 1 - slashes >= from && bytes[quote - 1 - slashes] === BACKSLASH) slashes += 1;
      if (slashes % 2 === 0) return quote + 1;
    }
    throw new ScanError(true);
  }

  /** A name of the outermost object: is it `type`, and what stands behind it? */
  #noteType(start: number, end: number): void {
    if (this.bytes.subarray(start, end).includes(BACKSLASH)) this.type = ESCAPED;
    else if (end - start === TYPE.length && TYPE.every((byte, index) => this.bytes[start + index] === byte)) {
      const own = this.#at;
      this.#at = end;
      this.expect(COLON);
      const at = this.next();
      const close = this.bytes[at] === QUOTE ? this.#endOfText(at + 1) : at;
      const text = close === at ? undefined : this.bytes.subarray(at, close);
      this.type = this.type === ESCAPED || text?.includes(BACKSLASH) === true ? ESCAPED : text === undefined ? undefined : this.decode(at + 1, close - 1);
      this.#at = own;
    }
  }
}

const TYPE = new TextEncoder().encode('"type"');
