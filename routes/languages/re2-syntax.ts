/**
 * The syntax of RE2, as Envoy and Istio take it.
 *
 * What the two accept differs in a few corners (`\C`; names of groups); this reader takes what either takes. Anything else is an error
 * with a position, never a guess: lookaround, backreferences, possessive and stacked repeats, `\Z`, `\h`.
 *
 * @module
 */

import { codePointsOf, toBytes } from "./bytes.ts";
import { ANY, complement, fold, has, LAST, perlClasses, posixClasses, unicodeClass, union } from "./code-points.ts";
import type { CodePoints } from "./code-points.ts";

/** How a proxy reads pattern and subject: as code points of UTF-8, or every byte as one character. */
export type TextReading = "utf-8" | "bytes";

/** A parsed expression. */
export type Regex =
  | { readonly type: "empty" }
  | { readonly type: "set"; readonly set: CodePoints }
  | { readonly type: "byte" }
  | { readonly type: "concat"; readonly parts: readonly Regex[] }
  | { readonly type: "alternate"; readonly parts: readonly Regex[] }
  | { readonly type: "repeat"; readonly part: Regex; readonly min: number; readonly max: number; readonly greedy: boolean }
  | { readonly type: "group"; readonly index: number; readonly part: Regex }
  | { readonly type: "assert"; readonly at: Assertion };

/** A place in the text, without length. */
export type Assertion = "text-start" | "text-end" | "line-start" | "line-end" | "word-boundary" | "no-word-boundary";

/** The outcome of reading a pattern. `limit` is set where RE2 might take it and we do not: the answer is unknown then, not "invalid". */
export type Parsed =
  | { readonly ok: true; readonly regex: Regex; readonly groups: number }
  | { readonly ok: false; readonly message: string; readonly at: number; readonly limit: boolean };

/** Longest pattern that is read, in bytes; Istio takes 1,024. */
const MAX_PATTERN_BYTES = 65_536;

/** As in RE2: the largest count of a repeat, also of nested ones multiplied. */
const MAX_REPEAT = 1000;

/** As in Go, which Istio validates with. */
const MAX_NESTING = 1000;

class SyntaxFault extends Error {
  readonly at: number;
  readonly limit: boolean;

  constructor(message: string, at: number, limit = false) {
    super(message);
    this.at = at;
    this.limit = limit;
  }
}

/** Reads a pattern. Cost is linear in its length. */
export function parseRegex(pattern: string, reading: TextReading): Parsed {
  try {
    const reader = new Reader(characters(pattern, reading), reading);
    const regex = reader.read();
    checkRepeats(regex, MAX_REPEAT);
    return { ok: true, regex, groups: reader.groups };
  } catch (fault) {
    if (fault instanceof SyntaxFault) return { ok: false, message: fault.message, at: fault.at, limit: fault.limit };
    throw fault;
  }
}

function characters(pattern: string, reading: TextReading): readonly number[] {
  const bytes = toBytes(pattern);
  if (bytes.length > MAX_PATTERN_BYTES) {
    throw new SyntaxFault(`the pattern has ${bytes.length} bytes, at most ${MAX_PATTERN_BYTES} are read`, 0, true);
  }
  if (reading === "bytes") return Array.from({ length: bytes.length }, (_, at) => bytes.charCodeAt(at));
  const points = codePointsOf(bytes);
  if (points === undefined) throw new SyntaxFault("the pattern is not valid UTF-8", 0);
  return points;
}

interface Flags {
  readonly foldCase: boolean;
  readonly multiLine: boolean;
  readonly dotNewline: boolean;
  readonly swapGreed: boolean;
}

/** An open group: what was before it, and the alternatives read so far. */
interface Frame {
  readonly flags: Flags;
  readonly index: number | undefined;
  readonly at: number;
  readonly alternatives: Regex[];
  parts: Regex[];
}

const point = (character: string): number => character.charCodeAt(0);
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isOctal = (code: number): boolean => code >= 0x30 && code <= 0x37;
const isLetter = (code: number): boolean => (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
const single = (code: number): CodePoints => [code, code];

/** One object for each character that stands for itself, as most do. */
const literals: Regex[] = [];

const controlEscapes: ReadonlyMap<number, number> = new Map([
  [point("a"), 0x07],
  [point("f"), 0x0c],
  [point("n"), 0x0a],
  [point("r"), 0x0d],
  [point("t"), 0x09],
  [point("v"), 0x0b],
]);

class Reader {
  groups = 0;
  private at = 0;
  private flags: Flags = { foldCase: false, multiLine: false, dotNewline: false, swapGreed: false };
  private readonly names = new Set<string>();
  private readonly stack: Frame[] = [];
  private frame: Frame = { flags: this.flags, index: undefined, at: 0, alternatives: [], parts: [] };
  /** Where the last repeat operator ended; another one right there is stacked, which RE2 refuses. */
  private repeatEnd = -1;

  private readonly source: readonly number[];
  private readonly reading: TextReading;

  constructor(source: readonly number[], reading: TextReading) {
    this.source = source;
    this.reading = reading;
  }

  read(): Regex {
    while (this.at < this.source.length) this.readItem();
    if (this.stack.length > 0) throw new SyntaxFault("missing `)`", this.frame.at);
    return close(this.frame);
  }

  private readItem(): void {
    switch (String.fromCodePoint(this.peek())) {
      case "(":
        return this.openGroup();
      case ")":
        return this.closeGroup();
      case "|":
        this.at++;
        this.frame.alternatives.push(concat(this.frame.parts));
        this.frame.parts = [];
        return;
      case "*":
        return this.repeat(0, Infinity, 1);
      case "+":
        return this.repeat(1, Infinity, 1);
      case "?":
        return this.repeat(0, 1, 1);
      case "{":
        return this.countedRepeat();
      case "^":
        return this.assertion(this.flags.multiLine ? "line-start" : "text-start", 1);
      case "$":
        return this.assertion(this.flags.multiLine ? "line-end" : "text-end", 1);
      case ".":
        this.at++;
        return this.push({ type: "set", set: this.flags.dotNewline ? ANY : complement(single(0x0a)) });
      case "[":
        return this.push({ type: "set", set: this.characterClass() });
      case "\\":
        return this.escape();
      default:
        return this.literal(this.next());
    }
  }

  private text(length: number): string {
    return String.fromCodePoint(...this.source.slice(this.at, this.at + length));
  }

  private peek(offset = 0): number {
    return this.source[this.at + offset] ?? -1;
  }

  private next(): number {
    const code = this.source[this.at];
    if (code === undefined) throw new SyntaxFault("the pattern ends too early", this.at);
    this.at++;
    return code;
  }

  private push(part: Regex): void {
    this.frame.parts.push(part);
  }

  private literal(code: number): void {
    this.push(code > 0xff || this.flags.foldCase ? { type: "set", set: this.folded(single(code)) } : (literals[code] ??= { type: "set", set: single(code) }));
  }

  private folded(set: CodePoints): CodePoints {
    if (!this.flags.foldCase) return set;
    // Latin-1 matching folds ASCII letters alone when they are literals; beyond U+00FF there is nothing to reach anyway.
    return fold(set);
  }

  private assertion(at: Assertion, length: number): void {
    this.at += length;
    this.push({ type: "assert", at });
  }

  private openGroup(): void {
    const start = this.at;
    if (this.stack.length >= MAX_NESTING) throw new SyntaxFault(`groups are nested more than ${MAX_NESTING} deep`, start);
    if (this.text(2) !== "(?") {
      this.at++;
      return this.pushFrame(start, ++this.groups, this.flags);
    }
    const nameStart = this.text(4) === "(?P<" ? 4 : this.text(3) === "(?<" ? 3 : 0;
    if (nameStart > 0 && this.text(4) !== "(?<=" && this.text(4) !== "(?<!") {
      this.at += nameStart;
      this.groupName(start);
      return this.pushFrame(start, ++this.groups, this.flags);
    }
    this.at += 2;
    const flags = this.readFlags(start);
    if (this.next() === point(":")) return this.pushFrame(start, undefined, flags);
    this.flags = flags;
    this.repeatEnd = -1;
  }

  private groupName(start: number): void {
    let name = "";
    for (let code = this.next(); code !== point(">"); code = this.next()) name += String.fromCodePoint(code);
    const wellFormed = name !== "" && Array.from(name).every((character) => isNameCharacter(character.codePointAt(0) ?? 0));
    if (!wellFormed) throw new SyntaxFault(`\`${name}\` is no name for a group`, start);
    if (this.names.has(name)) throw new SyntaxFault(`two groups are named \`${name}\``, start);
    this.names.add(name);
  }

  /** Flags up to `:` or `)`, which is left for the caller. */
  private readFlags(start: number): Flags {
    let flags = this.flags;
    let on = true;
    let sawFlag = false;
    for (;;) {
      const letter = this.at < this.source.length ? this.text(1) : "";
      const name = flagNames.get(letter);
      if (name !== undefined) {
        flags = { ...flags, [name]: on };
        sawFlag = true;
      } else if (letter === "-" && on) {
        on = false;
        sawFlag = false;
      } else if ((letter === ":" || letter === ")") && (on || sawFlag)) {
        return flags;
      } else {
        throw new SyntaxFault("unknown group or flag after `(?`", start);
      }
      this.at++;
    }
  }

  private pushFrame(at: number, index: number | undefined, flags: Flags): void {
    this.stack.push(this.frame);
    this.frame = { flags: this.flags, index, at, alternatives: [], parts: [] };
    this.flags = flags;
  }

  private closeGroup(): void {
    const outer = this.stack.pop();
    if (outer === undefined) throw new SyntaxFault("unexpected `)`", this.at);
    this.at++;
    const { index, flags } = this.frame;
    const part = close(this.frame);
    this.frame = outer;
    this.flags = flags;
    this.push(index === undefined ? part : { type: "group", index, part });
  }

  private countedRepeat(): void {
    const counts = this.readCounts();
    if (counts === undefined) return this.literal(this.next());
    const [min, max, length] = counts;
    const isBounded = max !== Infinity;
    if (min > MAX_REPEAT || (isBounded && (max > MAX_REPEAT || max < min))) {
      throw new SyntaxFault(`a repeat counts from 0 to ${MAX_REPEAT}, in rising order`, this.at);
    }
    this.repeat(min, max, length);
  }

  /** `{n}`, `{n,}`, `{n,m}` at the cursor with its length; undefined where the brace is a literal. */
  private readCounts(): readonly [min: number, max: number, length: number] | undefined {
    let offset = 1;
    const number = (): number | undefined => {
      const start = offset;
      let value = 0;
      while (isDigit(this.peek(offset))) value = Math.min(value * 10 + this.peek(offset++) - 0x30, 1_000_000);
      const hasLeadingZero = offset - start > 1 && this.peek(start) === 0x30;
      return offset === start || hasLeadingZero ? undefined : value;
    };
    const min = number();
    if (min === undefined) return undefined;
    if (this.peek(offset) === point("}")) return [min, min, offset + 1];
    if (this.peek(offset++) !== point(",")) return undefined;
    if (this.peek(offset) === point("}")) return [min, Infinity, offset + 1];
    const max = number();
    return max === undefined || this.peek(offset) !== point("}") ? undefined : [min, max, offset + 1];
  }

  private repeat(min: number, max: number, length: number): void {
    const start = this.at;
    const part = this.frame.parts.pop();
    if (part === undefined) throw new SyntaxFault("nothing to repeat", start);
    if (this.repeatEnd === start) throw new SyntaxFault("a repeat of a repeat", start);
    this.at += length;
    const isMarkedLazy = this.peek() === point("?");
    if (isMarkedLazy) this.at++;
    this.repeatEnd = this.at;
    this.push({ type: "repeat", part, min, max, greedy: isMarkedLazy === this.flags.swapGreed });
  }

  private escape(): void {
    const start = this.at;
    const letter = this.at + 1 < this.source.length ? String.fromCodePoint(this.peek(1)) : "";
    switch (letter) {
      case "A":
        return this.assertion("text-start", 2);
      case "z":
        return this.assertion("text-end", 2);
      case "b":
        return this.assertion("word-boundary", 2);
      case "B":
        return this.assertion("no-word-boundary", 2);
      case "C":
        this.at += 2;
        return this.push({ type: "byte" });
      case "Q":
        this.at += 2;
        return this.quoted();
      default: {
        const named = this.namedClass();
        if (named !== undefined) return this.push({ type: "set", set: named });
        this.at = start;
        return this.literal(this.escapedCharacter());
      }
    }
  }

  private quoted(): void {
    while (this.at < this.source.length) {
      if (this.text(2) === "\\E") {
        this.at += 2;
        return;
      }
      this.literal(this.next());
    }
  }

  /** `\d \pN \P{^Greek}` and the like at the cursor, moved behind it; undefined, and not moved, for anything else. */
  private namedClass(): CodePoints | undefined {
    if (this.peek() !== point("\\") || this.at + 1 >= this.source.length) return undefined;
    const letter = String.fromCodePoint(this.peek(1));
    const perl = perlClasses.get(letter.toLowerCase());
    if (perl !== undefined) {
      this.at += 2;
      const set = this.folded(perl);
      return perlClasses.has(letter) ? set : complement(set);
    }
    return letter === "p" || letter === "P" ? this.unicodeClass(letter === "P") : undefined;
  }

  private unicodeClass(negated: boolean): CodePoints {
    const start = this.at;
    this.at += 2;
    let name = String.fromCodePoint(this.next());
    if (name === "{") {
      name = "";
      for (let code = this.next(); code !== point("}"); code = this.next()) name += String.fromCodePoint(code);
    }
    const isInverse = name.startsWith("^");
    const set = unicodeClass(isInverse ? name.slice(1) : name);
    if (set === undefined) throw new SyntaxFault(`unknown class \`\\p{${name}}\``, start);
    return isInverse === negated ? this.folded(set) : complement(this.folded(set));
  }

  /** The character that an escape stands for, inside or outside of a class. */
  private escapedCharacter(): number {
    const start = this.at++;
    if (this.at >= this.source.length) throw new SyntaxFault("a backslash at the end", start);
    const code = this.next();
    if (isOctal(code) && (code === 0x30 || isOctal(this.peek()))) return this.octal(code);
    if (code === point("x")) return this.hexadecimal(start);
    const control = controlEscapes.get(code);
    if (control !== undefined) return control;
    if (code < 0x80 && !isDigit(code) && !isLetter(code)) return code;
    throw new SyntaxFault(`unknown escape \`\\${String.fromCodePoint(code)}\``, start);
  }

  private octal(first: number): number {
    let value = first - 0x30;
    for (let count = 1; count < 3 && isOctal(this.peek()); count++) value = value * 8 + this.next() - 0x30;
    return value;
  }

  private hexadecimal(start: number): number {
    const isBraced = this.peek() === point("{");
    if (isBraced) this.at++;
    let value = 0;
    let count = 0;
    for (; isBraced || count < 2; count++) {
      const digit = hexDigit(this.peek());
      if (digit === undefined) break;
      value = Math.min(value * 16 + digit, LAST + 1);
      this.at++;
    }
    const isComplete = isBraced ? count > 0 && this.next() === point("}") : count === 2;
    if (!isComplete || value > LAST) throw new SyntaxFault("`\\x` wants two digits, or a code point in braces", start);
    return value;
  }

  private characterClass(): CodePoints {
    const start = this.at++;
    const isNegated = this.peek() === point("^");
    if (isNegated) this.at++;
    const ranges: number[] = [];
    for (let first = true; first || this.peek() !== point("]"); first = false) {
      if (this.at >= this.source.length) throw new SyntaxFault("missing `]`", start);
      ranges.push(...(this.posixClass() ?? this.namedClass() ?? this.folded(this.range(start))));
    }
    this.at++;
    const set = union(ranges);
    return isNegated ? complement(set) : set;
  }

  /** `[:alpha:]` at the cursor. Without a closing `:]` the bracket is a literal. */
  private posixClass(): CodePoints | undefined {
    if (this.text(2) !== "[:") return undefined;
    let end = this.at + 2;
    while (end < this.source.length && !(this.source[end] === point(":") && this.source[end + 1] === point("]"))) end++;
    if (end >= this.source.length) return undefined;
    const name = String.fromCodePoint(...this.source.slice(this.at + 2, Math.min(end, this.at + 16)));
    const isInverse = name.startsWith("^");
    const set = posixClasses.get(isInverse ? name.slice(1) : name);
    if (set === undefined) throw new SyntaxFault(`unknown class \`[:${name}:]\``, this.at);
    this.at = end + 2;
    return isInverse ? complement(this.folded(set)) : this.folded(set);
  }

  private range(start: number): CodePoints {
    const low = this.classCharacter();
    const isRange = this.peek() === point("-") && this.at + 1 < this.source.length && this.peek(1) !== point("]");
    if (!isRange) return single(low);
    this.at++;
    const high = this.classCharacter();
    if (high < low) throw new SyntaxFault("a range that runs backwards", start);
    return [low, high];
  }

  private classCharacter(): number {
    return this.peek() === point("\\") ? this.escapedCharacter() : this.next();
  }
}

const flagNames: ReadonlyMap<string, keyof Flags> = new Map([
  ["i", "foldCase"],
  ["m", "multiLine"],
  ["s", "dotNewline"],
  ["U", "swapGreed"],
]);

function hexDigit(code: number): number | undefined {
  if (isDigit(code)) return code - 0x30;
  const lower = code | 0x20;
  return isLetter(code) && lower <= 0x66 ? lower - 0x61 + 10 : undefined;
}

function isNameCharacter(code: number): boolean {
  return isDigit(code) || isLetter(code) || code === 0x5f || code > 0x7f;
}

function close(frame: Frame): Regex {
  const last = concat(frame.parts);
  return frame.alternatives.length === 0 ? last : { type: "alternate", parts: [...frame.alternatives, last] };
}

function concat(parts: readonly Regex[]): Regex {
  const [only] = parts;
  if (only === undefined) return { type: "empty" };
  return parts.length === 1 ? only : { type: "concat", parts };
}

/** Refuses nested counted repeats that multiply to more than RE2 allows. */
function checkRepeats(regex: Regex, allowed: number): void {
  switch (regex.type) {
    case "concat":
    case "alternate":
      for (const part of regex.parts) checkRepeats(part, allowed);
      return;
    case "group":
      return checkRepeats(regex.part, allowed);
    case "repeat": {
      const isCounted = regex.max !== Infinity ? regex.max > 1 : regex.min > 1;
      const count = isCounted ? (regex.max === Infinity ? regex.min : regex.max) : 1;
      const left = Math.trunc(allowed / count);
      if (left === 0) throw new SyntaxFault(`nested repeats multiply to more than ${MAX_REPEAT}`, 0);
      return checkRepeats(regex.part, left);
    }
    default:
      return;
  }
}

/** Whether the set is that of `.`, with or without line feed. */
export function isDot(regex: Regex): boolean {
  return regex.type === "set" && has(regex.set, 0) && has(regex.set, LAST) && complement(regex.set).every((code) => code === 0x0a);
}
