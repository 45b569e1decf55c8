/**
 * Programs over bytes: a parsed expression as a nondeterministic automaton with priorities (Thompson's construction).
 *
 * One program serves two machines: {@link ../languages/matcher.ts} runs it with groups, as RE2 does, and
 * {@link ../languages/automaton.ts} turns it into a deterministic automaton, lazily.
 *
 * @module
 */

import type { CodePoints } from "./code-points.ts";
import type { Assertion, Regex, TextReading } from "./re2-syntax.ts";

/** One instruction; the numbers are addresses of instructions. */
type Instruction =
  | { readonly op: "bytes"; readonly set: ByteSet; readonly next: number }
  | { readonly op: "split"; readonly first: number; readonly second: number }
  | { readonly op: "save"; readonly slot: number; readonly next: number }
  | { readonly op: "assert"; readonly at: Assertion; readonly next: number }
  | { readonly op: "match" };

/** Membership by byte, 1 or 0. */
type ByteSet = Uint8Array;

/** A compiled expression. */
export interface Program {
  readonly instructions: readonly Instruction[];
  readonly start: number;
  readonly groups: number;
  readonly hasAssertions: boolean;
}

/** Most instructions of one program. RE2 as Envoy runs it refuses at 32,768 of its own, which are fewer for the same expression. */
const MAX_PROGRAM = 16_384;

class TooLarge extends Error {}

/** Compiles an expression, or says undefined when it would pass {@link MAX_PROGRAM}. */
export function compileRegex(regex: Regex, reading: TextReading, groups = 0): Program | undefined {
  const compiler = new Compiler(reading);
  try {
    const match = compiler.emit({ op: "match" });
    const start = compiler.build(regex, match);
    return { instructions: compiler.instructions, start, groups, hasAssertions: compiler.hasAssertions };
  } catch (fault) {
    if (fault instanceof TooLarge) return undefined;
    throw fault;
  }
}

const singles: ByteSet[] = [];

/** The set of one byte: one and the same for all who ask, so that nobody need look into it twice. */
function single(byte: number): ByteSet {
  let set = singles[byte];
  if (set === undefined) {
    singles[byte] = set = byteRange(byte, byte);
    byteOf.set(set, byte);
  }
  return set;
}

const byteOf = new Map<ByteSet, number>();

/** The byte of a set that is known to hold it alone; undefined says nothing. */
export function onlyByte(set: ByteSet): number | undefined {
  return byteOf.get(set);
}

/** The set of bytes from low to high. */
function byteRange(low: number, high: number): ByteSet {
  return new Uint8Array(256).fill(1, low, high + 1);
}

/** Builds back to front: each part is given where to go on. */
class Compiler {
  readonly instructions: Instruction[] = [];
  hasAssertions = false;
  private readonly reading: TextReading;

  constructor(reading: TextReading) {
    this.reading = reading;
  }

  emit(instruction: Instruction): number {
    if (this.instructions.length >= MAX_PROGRAM) throw new TooLarge();
    return this.instructions.push(instruction) - 1;
  }

  build(regex: Regex, next: number): number {
    switch (regex.type) {
      case "empty":
        return next;
      case "byte":
        return this.emit({ op: "bytes", set: byteRange(0, 255), next });
      case "set":
        return this.reading === "bytes" ? this.latin1(regex.set, next) : this.utf8(regex.set, next);
      case "concat":
        return regex.parts.reduceRight((after, part) => this.build(part, after), next);
      case "alternate":
        return this.choice(regex.parts.map((part) => this.build(part, next)));
      case "group":
        return this.save(2 * regex.index, this.build(regex.part, this.save(2 * regex.index + 1, next)));
      case "assert":
        this.hasAssertions = true;
        return this.emit({ op: "assert", at: regex.at, next });
      case "repeat":
        return this.repeat(regex, next);
    }
  }

  private save(slot: number, next: number): number {
    return this.emit({ op: "save", slot, next });
  }

  private choice(starts: readonly number[]): number {
    return starts.reduceRight((second, first) => this.emit({ op: "split", first, second }));
  }

  private repeat(repeat: Extract<Regex, { type: "repeat" }>, next: number): number {
    const { part, min, max, greedy } = repeat;
    let after = next;
    if (max === Infinity) {
      if (min > 0) after = this.plus(part, greedy, next);
      // A part that can be empty loops as an optional one-or-more, which keeps the priorities of Perl and RE2.
      else after = isNullable(part) ? this.optional(this.plus(part, greedy, next), greedy, next) : this.star(part, greedy, next);
    } else {
      for (let count = min; count < max; count++) after = this.optional(this.build(part, after), greedy, next);
    }
    const copies = max === Infinity ? min - 1 : min;
    for (let count = 0; count < copies; count++) after = this.build(part, after);
    return after;
  }

  private optional(into: number, greedy: boolean, next: number): number {
    return this.emit(greedy ? { op: "split", first: into, second: next } : { op: "split", first: next, second: into });
  }

  private star(part: Regex, greedy: boolean, next: number): number {
    const loop = this.emit({ op: "split", first: next, second: next });
    const into = this.build(part, loop);
    this.instructions[loop] = greedy
      ? { op: "split", first: into, second: next }
      : { op: "split", first: next, second: into };
    return loop;
  }

  private plus(part: Regex, greedy: boolean, next: number): number {
    const loop = this.emit({ op: "split", first: next, second: next });
    const into = this.build(part, loop);
    this.instructions[loop] = greedy
      ? { op: "split", first: into, second: next }
      : { op: "split", first: next, second: into };
    return into;
  }

  private latin1(set: CodePoints, next: number): number {
    const [first = 0, last] = set;
    if (set.length === 2 && first === last && first <= 0xff) return this.emit({ op: "bytes", set: single(first), next });
    const bytes = new Uint8Array(256);
    for (let at = 0; at < set.length; at += 2) {
      const low = set[at] ?? 0;
      if (low <= 0xff) bytes.fill(1, low, Math.min(set[at + 1] ?? 0, 0xff) + 1);
    }
    return this.emit({ op: "bytes", set: bytes, next });
  }

  private utf8(set: CodePoints, next: number): number {
    const [first = 0, last] = set;
    if (set.length === 2 && first === last && first < 0x80) return this.emit({ op: "bytes", set: single(first), next });
    const ascii = new Uint8Array(256);
    const starts: number[] = [];
    for (let at = 0; at < set.length; at += 2) {
      const low = set[at] ?? 0;
      const high = set[at + 1] ?? 0;
      if (low < 0x80) ascii.fill(1, low, Math.min(high, 0x7f) + 1);
      for (const sequence of utf8Sequences(Math.max(low, 0x80), high)) {
        starts.push(sequence.reduceRight((after, bytes) => this.emit({ op: "bytes", set: bytes, next: after }), next));
      }
    }
    starts.unshift(this.emit({ op: "bytes", set: ascii, next }));
    return this.choice(starts);
  }
}

/** Everything from U+0080 on, as RE2 takes it: overlong forms of three and four bytes and points above U+10FFFF slip in. */
const beyondAscii: readonly (readonly ByteSet[])[] = [
  [byteRange(0xc2, 0xdf), byteRange(0x80, 0xbf)],
  [byteRange(0xe0, 0xef), byteRange(0x80, 0xbf), byteRange(0x80, 0xbf)],
  [byteRange(0xf0, 0xf4), byteRange(0x80, 0xbf), byteRange(0x80, 0xbf), byteRange(0x80, 0xbf)],
];

/** Sequences of byte ranges that spell exactly the code points from low to high, none of them ASCII. */
function utf8Sequences(low: number, high: number): readonly (readonly ByteSet[])[] {
  if (low > high) return [];
  if (low === 0x80 && high === 0x10ffff) return beyondAscii;
  for (const last of [0x7ff, 0xffff]) {
    if (low <= last && last < high) return [...utf8Sequences(low, last), ...utf8Sequences(last + 1, high)];
  }
  const length = high > 0xffff ? 4 : high > 0x7ff ? 3 : 2;
  for (let tails = 1; tails < length; tails++) {
    const mask = (1 << (6 * tails)) - 1;
    if ((low & ~mask) === (high & ~mask)) continue;
    if ((low & mask) !== 0) return [...utf8Sequences(low, low | mask), ...utf8Sequences((low | mask) + 1, high)];
    if ((high & mask) !== mask) return [...utf8Sequences(low, (high & ~mask) - 1), ...utf8Sequences(high & ~mask, high)];
  }
  return [Array.from({ length }, (_, index) => byteRange(utf8Byte(low, index, length), utf8Byte(high, index, length)))];
}

function utf8Byte(point: number, index: number, length: number): number {
  const bits = point >> (6 * (length - 1 - index));
  if (index > 0) return 0x80 | (bits & 0x3f);
  return (length === 2 ? 0xc0 : length === 3 ? 0xe0 : 0xf0) | bits;
}

/** Whether the expression can match without taking a character. */
function isNullable(regex: Regex): boolean {
  switch (regex.type) {
    case "empty":
    case "assert":
      return true;
    case "set":
    case "byte":
      return false;
    case "concat":
      return regex.parts.every(isNullable);
    case "alternate":
      return regex.parts.some(isNullable);
    case "group":
      return isNullable(regex.part);
    case "repeat":
      return regex.min === 0 || isNullable(regex.part);
  }
}

/** What stands around a position of the text, as far as an assertion can ask. -1 is the end of the text on either side. */
export function assertionHolds(at: Assertion, before: number, after: number): boolean {
  switch (at) {
    case "text-start":
      return before === -1;
    case "text-end":
      return after === -1;
    case "line-start":
      return before === -1 || before === 0x0a;
    case "line-end":
      return after === -1 || after === 0x0a;
    case "word-boundary":
      return isWord(before) !== isWord(after);
    case "no-word-boundary":
      return isWord(before) === isWord(after);
  }
}

function isWord(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f || (byte >= 0x61 && byte <= 0x7a);
}
