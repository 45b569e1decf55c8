/**
 * Deterministic automata over bytes, built only as far as they are walked.
 *
 * A state is a number. Two have a fixed meaning: from {@link DEAD} nothing is accepted any more, from {@link ALL} everything is. An
 * automaton may have other states of that kind without knowing it; that costs time, never truth.
 *
 * @module
 */

import { lowerAscii } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";
import { assertionHolds, onlyByte } from "./program.ts";
import type { Program } from "./program.ts";

/** No continuation is accepted. */
export const DEAD = -1;
/** Every continuation is accepted, the empty one too. */
export const ALL = -2;

/** A language. */
export interface Automaton {
  readonly start: number;
  /** The state behind a byte. `state` is none of the two fixed ones. May throw {@link OutOfBudget}. */
  step(state: number, byte: number): number;
  accepts(state: number): boolean;
  /** Bytes of one class lead from every state to the same one, save those that {@link specials} names. */
  readonly classes: Uint8Array;
  /** Bytes that the state treats otherwise than the rest of their class. */
  specials(state: number): readonly number[];
  /** Whether only {@link specials} lead anywhere from this state. */
  isNarrow(state: number): boolean;
  /** Allows some states more, or no more: for a search that goes deep instead of wide. */
  stretch?(isDeep: boolean): void;
}

/** A limit on states was reached. The question that was asked stays open. */
export class OutOfBudget extends Error {
  readonly what: string;
  readonly limit: number;

  constructor(what: string, limit: number) {
    super(`more than ${limit} ${what}`);
    this.what = what;
    this.limit = limit;
  }
}

/** Whether a string is in the language. */
export function includes(automaton: Automaton, text: Bytes): boolean {
  let state = automaton.start;
  for (let at = 0; at < text.length && state >= 0; at++) state = automaton.step(state, text.charCodeAt(at));
  return accepting(automaton, state);
}

/** Whether the empty continuation is accepted, for any state. */
export function accepting(automaton: Automaton, state: number): boolean {
  return state === ALL || (state !== DEAD && automaton.accepts(state));
}

/** All bytes alike. Nobody writes into it. */
export const oneClass = new Uint8Array(256);
const none: readonly number[] = [];

/** Bytes that are followed at most. */
const LONGEST_BEGINNING = 64;

/** A text with which every word of a language begins; shorter than it could be where a short look does not tell more. */
export function beginningOf(automaton: Automaton): Bytes {
  let text = "";
  let state = automaton.start;
  try {
    while (state >= 0 && text.length < LONGEST_BEGINNING && !automaton.accepts(state)) {
      const only = onlyStep(automaton, state);
      if (only === undefined) break;
      text += String.fromCharCode(only.byte);
      state = only.state;
    }
  } catch (fault) {
    if (!(fault instanceof OutOfBudget)) throw fault;
  }
  return text;
}

/** The one byte that leads anywhere from a state, and where; undefined: there are several, or none. */
function onlyStep(automaton: Automaton, state: number): { readonly byte: number; readonly state: number } | undefined {
  let found: { readonly byte: number; readonly state: number } | undefined;
  for (let byte = 0; byte < 256; byte++) {
    const next = automaton.step(state, byte);
    if (next === DEAD) continue;
    if (found !== undefined) return undefined;
    found = { byte, state: next };
  }
  return found;
}

/** Every string. */
export const everything: Automaton = {
  start: ALL,
  step: () => ALL,
  accepts: () => true,
  classes: oneClass,
  specials: () => none,
  isNarrow: () => false,
};

/** Exactly one string, or all that begin with it; a state is the number of bytes read. */
export function literal(value: Bytes, then: "end" | "anything", ignoreCase = false): Automaton {
  const text = ignoreCase ? lowerAscii(value) : value;
  const last = then === "anything" ? text.length - 1 : text.length;
  return {
    start: then === "anything" && text === "" ? ALL : 0,
    step(state, byte) {
      const wanted = text.charCodeAt(state);
      if (byte !== wanted && !(ignoreCase && isUpperOf(byte, wanted))) return DEAD;
      return then === "anything" && state === last ? ALL : state + 1;
    },
    accepts: (state) => then === "end" && state === text.length,
    classes: oneClass,
    specials(state) {
      if (state >= text.length) return none;
      const wanted = text.charCodeAt(state);
      return ignoreCase && wanted >= 0x61 && wanted <= 0x7a ? [wanted, wanted - 32] : [wanted];
    },
    isNarrow: () => true,
  };
}

function isUpperOf(byte: number, wanted: number): boolean {
  return byte + 32 === wanted && wanted >= 0x61 && wanted <= 0x7a;
}

/** `value`, and whatever continues it with `/`. */
export function separated(value: Bytes, ignoreCase = false): Automaton {
  const prefix = literal(`${value}/`, "anything", ignoreCase);
  return { ...prefix, accepts: (state) => state === value.length };
}

/** A deterministic automaton for a program. At most `limit` states are built; beyond, `step` throws {@link OutOfBudget}. */
export function determinize(program: Program, what: string, limit: number): Automaton {
  return new LazyAutomaton(program, what, limit);
}

interface State {
  /** Addresses of instructions that wait for a byte, or have yet to be followed where the program has assertions; sorted. */
  readonly addresses: readonly number[];
  /** The byte before, as far as an assertion can tell: -1 for the start of the text. */
  readonly before: number;
  readonly next: Int32Array;
  accepts: boolean | undefined;
}

const UNKNOWN = -3;

/** States beyond the limit for searches that go deep. */
const STRETCH = 4000;

class LazyAutomaton implements Automaton {
  readonly start: number;
  readonly classes: Uint8Array;
  private readonly classCount: number;
  private readonly states: State[] = [];
  private readonly byKey = new Map<string, number>();
  private readonly program: Program;
  /** Undefined where a match can be reached from all. */
  private readonly live: Uint8Array | undefined;
  private readonly what: string;
  private readonly limit: number;
  private more = 0;

  constructor(program: Program, what: string, limit: number) {
    this.program = program;
    this.what = what;
    this.limit = limit;
    this.live = liveAddresses(program);
    const { classes, count } = byteClasses(program);
    this.classes = classes;
    this.classCount = count;
    this.start = this.intern([program.start], -1);
  }

  step(state: number, byte: number): number {
    const from = this.states[state];
    const letter = this.classes[byte] ?? 0;
    if (from === undefined) return DEAD;
    const known = from.next[letter];
    if (known !== undefined && known !== UNKNOWN) return known;
    const target = this.advance(from, byte);
    from.next[letter] = target;
    return target;
  }

  accepts(state: number): boolean {
    const from = this.states[state];
    if (from === undefined) return false;
    from.accepts ??= this.closure(from.addresses, from.before, -1).some((address) => this.program.instructions[address]?.op === "match");
    return from.accepts;
  }

  stretch(isDeep: boolean): void {
    this.more = isDeep ? STRETCH : 0;
  }

  specials(): readonly number[] {
    return none;
  }

  isNarrow(): boolean {
    return false;
  }

  private advance(from: State, byte: number): number {
    const targets: number[] = [];
    for (const address of this.closure(from.addresses, from.before, byte)) {
      const instruction = this.program.instructions[address];
      if (instruction?.op === "bytes" && instruction.set[byte] === 1) targets.push(instruction.next);
    }
    return this.intern(targets, byte);
  }

  private intern(targets: readonly number[], byte: number): number {
    const { hasAssertions } = this.program;
    const reached = hasAssertions ? targets : this.closure(targets, byte, -1);
    const { live } = this;
    const addresses = [...new Set(reached)].filter((address) => live === undefined || live[address] === 1).sort((a, b) => a - b);
    if (addresses.length === 0) return DEAD;
    const before = hasAssertions ? representative(byte) : 0;
    const key = `${before}:${addresses.join(",")}`;
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    if (this.states.length >= this.limit + this.more) throw new OutOfBudget(`states for ${this.what}`, this.limit);
    const state = this.states.length;
    this.states.push({ addresses, before, next: new Int32Array(this.classCount).fill(UNKNOWN), accepts: undefined });
    this.byKey.set(key, state);
    return state;
  }

  /** Everything reachable without a byte, between the two bytes given. */
  private closure(addresses: readonly number[], before: number, after: number): number[] {
    const seen = new Set<number>();
    const pending = [...addresses];
    const reached: number[] = [];
    for (let address = pending.pop(); address !== undefined; address = pending.pop()) {
      if (seen.has(address)) continue;
      seen.add(address);
      const instruction = this.program.instructions[address];
      switch (instruction?.op) {
        case "split":
          pending.push(instruction.first, instruction.second);
          break;
        case "save":
          pending.push(instruction.next);
          break;
        case "assert":
          if (assertionHolds(instruction.at, before, after)) pending.push(instruction.next);
          break;
        default:
          reached.push(address);
      }
    }
    return reached;
  }
}

/** One byte for all that assertions cannot tell apart: the start, a line feed, a word character, anything else. */
function representative(byte: number): number {
  if (byte === -1 || byte === 0x0a) return byte;
  return assertionHolds("word-boundary", -1, byte) ? 0x61 : 0x20;
}

/**
 * The instructions from which a match can be reached, assertions taken as true. Undefined: all, as where each has a byte that it takes;
 * every part of an expression leads to what follows it, and no loop is without an end.
 */
function liveAddresses(program: Program): Uint8Array | undefined {
  if (program.instructions.every((instruction) => instruction.op !== "bytes" || instruction.set.includes(1))) return undefined;
  const live = new Uint8Array(program.instructions.length);
  const sources = new Map<number, number[]>();
  const link = (from: number, to: number): void => {
    const known = sources.get(to);
    if (known === undefined) sources.set(to, [from]);
    else known.push(from);
  };
  const pending: number[] = [];
  program.instructions.forEach((instruction, address) => {
    if (instruction.op === "match") pending.push(address);
    else if (instruction.op === "split") {
      link(address, instruction.first);
      link(address, instruction.second);
    } else if (instruction.op !== "bytes" || instruction.set.includes(1)) link(address, instruction.next);
  });
  for (let address = pending.pop(); address !== undefined; address = pending.pop()) {
    if (live[address] === 1) continue;
    live[address] = 1;
    pending.push(...(sources.get(address) ?? none));
  }
  return live;
}

/** Bytes that no instruction tells apart get the same class; classes are numbered by their first byte. Cost: one look at each set. */
function byteClasses(program: Program): { readonly classes: Uint8Array; readonly count: number } {
  const classes = new Uint16Array(256);
  const seen = new Set<Uint8Array>();
  /** Bytes that some instruction takes alone. */
  const alone = new Uint8Array(256);
  let count = 1;
  /** By class, the class of its bytes that are in the set; 0 where there is none yet. */
  const inside = new Uint16Array(512);
  const split = (set: Uint8Array): void => {
    if (seen.has(set)) return;
    seen.add(set);
    inside.fill(0, 0, count);
    for (let byte = 0; byte < 256; byte++) {
      if (set[byte] !== 1) continue;
      const before = classes[byte] ?? 0;
      classes[byte] = inside[before] ||= count++;
    }
    if (count > 256) count = renumber(classes);
  };
  for (const instruction of program.instructions) {
    if (instruction.op !== "bytes") continue;
    const byte = onlyByte(instruction.set);
    if (byte === undefined) split(instruction.set);
    else alone[byte] = 1;
  }
  if (program.hasAssertions) {
    split(Uint8Array.from({ length: 256 }, (_, byte) => (representative(byte) === 0x61 ? 1 : 0)));
    alone[0x0a] = 1;
  }
  for (let byte = 0; byte < 256; byte++) if (alone[byte] === 1) classes[byte] = count++;
  count = renumber(classes);
  return { classes: Uint8Array.from(classes), count };
}

/** Numbers classes by their first byte, from 0; how many there are. */
function renumber(classes: Uint16Array): number {
  /** One more than the new number; 0 where there is none yet. */
  const numbers = new Uint16Array(MOST_CLASSES);
  let count = 0;
  for (let byte = 0; byte < 256; byte++) {
    const before = classes[byte] ?? 0;
    const number = (numbers[before] ||= ++count);
    classes[byte] = number - 1;
  }
  return count;
}

/** Before they are numbered anew there may be some of 256, some more that one set splits off, and one for each byte that is alone. */
const MOST_CLASSES = 3 * 256;

/** Which pairs of classes the current call of {@link refine} has met, and the number that it gave each. */
const met = new Uint32Array(256 * 256);
const numbered = new Uint8Array(256 * 256);
let call = 0;

/** The coarsest classes that are finer than both. */
export function refine(left: Uint8Array, right: Uint8Array): Uint8Array {
  // Most languages of a question have one class.
  if (left === oneClass) return right;
  if (right === oneClass) return left;
  if (call === 0xffff_ffff) met.fill((call = 0));
  call++;
  const refined = new Uint8Array(256);
  let count = 0;
  for (let byte = 0; byte < 256; byte++) {
    const pair = ((left[byte] ?? 0) << 8) | (right[byte] ?? 0);
    if (met[pair] !== call) {
      met[pair] = call;
      numbered[pair] = count++;
    }
    refined[byte] = numbered[pair] ?? 0;
  }
  return refined;
}
