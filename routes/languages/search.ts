/**
 * The search for a shortest word: in some languages, in none of others, and away from a sorted list of words.
 *
 * @module
 */

import { accepting, ALL, DEAD, oneClass, OutOfBudget, refine } from "./automaton.ts";
import type { Automaton } from "./automaton.ts";
import type { Bytes } from "./bytes.ts";

/** Sorted words to stay away from. */
export interface Avoided {
  readonly words: readonly Bytes[];
  /** By word: {@link WORD}, {@link EXTENSIONS} or both. */
  readonly flags: readonly number[];
}

/** The word itself is avoided. */
export const WORD = 1;
/** The word and everything that begins with it are avoided. */
export const EXTENSIONS = 2;

/** What is looked for. All languages over one alphabet of bytes. */
export interface Question {
  /** The word is in all of these. */
  readonly within: readonly Automaton[];
  /** The word is in none of these. */
  readonly outside: readonly Automaton[];
  /** The word begins so. Words to avoid are those beyond it; that it begins with one itself does not count. */
  readonly start?: Bytes;
  readonly avoided?: Avoided;
}

/** Counts what searches cost, over many of them. */
export interface Meter {
  /** Takes steps off the budget; throws {@link OutOfBudget} when it is used up. */
  spend(steps: number): void;
  /** Nothing is left: every further question stays open. */
  readonly isEmpty: boolean;
}

/** Bytes in the order in which a readable word prefers them. */
const order: Uint8Array = preferredOrder();

function preferredOrder(): Uint8Array {
  const liked = "xabcdefghijklmnopqrstuvwyz0123456789-_/.ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const bytes = new Set(Array.from(liked, (character) => character.charCodeAt(0)));
  for (let byte = 0x21; byte < 0x7f; byte++) bytes.add(byte);
  for (let byte = 0x80; byte < 0x100; byte++) bytes.add(byte);
  for (let byte = 0; byte < 0x100; byte++) bytes.add(byte);
  return Uint8Array.from(bytes);
}

const rank = Uint8Array.from({ length: 256 }, (_, byte) => order.indexOf(byte));

/** A position that has been reached: how, and what is left to satisfy there. */
interface Node {
  readonly parent: number;
  readonly byte: number;
  /** The part of the avoided words that begin with the word so far; empty: none does. */
  readonly low: number;
  readonly high: number;
  readonly states: readonly number[];
}

/** The state of a part that every continuation satisfies. */
const DONE = -4;

/** Most positions of one search. */
const MAX_POSITIONS = 200_000;

/**
 * A shortest word that answers the question, the most readable of its length as far as single bytes tell; undefined where there is none.
 *
 * Cost: positions reached times the languages still alive there. Past {@link MAX_POSITIONS} it throws {@link OutOfBudget}.
 */
export function shortestWord(question: Question, meter: Meter): Bytes | undefined {
  try {
    return new Search(question, meter).run();
  } catch (fault) {
    if (!(fault instanceof OutOfBudget) || meter.isEmpty) throw fault;
    const word = anyWord(question, meter);
    if (word === undefined) throw fault;
    return word;
  }
}

/** Positions after which two languages are no longer looked at together. */
const FEW_POSITIONS = 100;

/** Whether two languages are seen to share no word by a short look. False says nothing. Cost: at most {@link FEW_POSITIONS} positions. */
export function areSeenApart(one: Automaton, other: Automaton): boolean {
  let left = FEW_POSITIONS;
  const meter: Meter = {
    isEmpty: false,
    spend(steps) {
      left -= steps;
      if (left < 0) throw new OutOfBudget("positions in a short look", FEW_POSITIONS);
    },
  };
  try {
    return new Search({ within: [one, other], outside: [] }, meter).run() === undefined;
  } catch (fault) {
    if (fault instanceof OutOfBudget) return false;
    throw fault;
  }
}

/** Positions of a search that goes deep, where one that goes wide has been too expensive. */
const MAX_DEEP = 3000;

/** A word that answers the question, not a shortest one; undefined where none was found, which says nothing. */
function anyWord(question: Question, meter: Meter): Bytes | undefined {
  const parts = [...question.within, ...question.outside];
  for (const part of parts) part.stretch?.(true);
  try {
    return new Search(question, meter).dive(MAX_DEEP);
  } catch (fault) {
    if (fault instanceof OutOfBudget && !meter.isEmpty) return undefined;
    throw fault;
  } finally {
    for (const part of parts) part.stretch?.(false);
  }
}

class Search {
  private readonly parts: readonly Automaton[];
  private readonly wantedParts: number;
  private readonly start: Bytes;
  private readonly words: readonly Bytes[];
  private readonly flags: readonly number[];
  private readonly nodes: Node[] = [];
  private readonly seen = new Set<string>();
  private readonly partitions = new Map<string, readonly (readonly number[])[]>();
  private readonly meter: Meter;

  constructor(question: Question, meter: Meter) {
    this.parts = [...question.within, ...question.outside];
    this.wantedParts = question.within.length;
    this.start = question.start ?? "";
    this.words = question.avoided?.words ?? [];
    this.flags = question.avoided?.flags ?? [];
    this.meter = meter;
  }

  run(): Bytes | undefined {
    const first = this.first();
    if (first === undefined) return undefined;
    this.nodes.push(first);
    let depth = this.start.length;
    let levelEnd = 1;
    for (let at = 0; at < this.nodes.length; at++) {
      if (at === levelEnd) {
        depth++;
        levelEnd = this.nodes.length;
      }
      const node = this.nodes[at];
      if (node === undefined) break;
      if (this.isAnswer(node, depth)) return this.wordOf(at);
      this.expand(node, at, depth);
    }
    return undefined;
  }

  /** Follows the byte that is liked best as far as it leads, then the next; gives up after so many positions. */
  dive(positions: number): Bytes | undefined {
    const first = this.first();
    if (first === undefined) return undefined;
    this.nodes.push(first);
    const pending = [{ at: 0, depth: this.start.length }];
    for (let next = pending.pop(); next !== undefined && this.nodes.length < positions; next = pending.pop()) {
      const { at, depth } = next;
      const node = this.nodes[at];
      if (node === undefined) break;
      if (this.isAnswer(node, depth)) return this.wordOf(at);
      const before = this.nodes.length;
      this.expand(node, at, depth);
      for (let child = this.nodes.length - 1; child >= before; child--) pending.push({ at: child, depth: depth + 1 });
    }
    return undefined;
  }

  private first(): Node | undefined {
    let states: readonly number[] | undefined = this.settle(this.parts.map((part) => part.start));
    for (let at = 0; at < this.start.length && states !== undefined; at++) states = this.advance(states, this.start.charCodeAt(at));
    if (states === undefined) return undefined;
    const low = lowerBound(this.words, this.start);
    let high = low;
    if (this.words.length > 0) high = lowerBound(this.words, `${this.start}\u0100`);
    return { parent: -1, byte: 0, low, high, states };
  }

  /** Parts that are decided give way to DONE; undefined where one can no more be satisfied. */
  private settle(states: number[]): readonly number[] | undefined {
    for (let index = 0; index < states.length; index++) {
      const state = states[index] ?? DEAD;
      const isWanted = index < this.wantedParts;
      if (state === (isWanted ? DEAD : ALL)) return undefined;
      if (state === (isWanted ? ALL : DEAD)) states[index] = DONE;
    }
    return states;
  }

  private advance(states: readonly number[], byte: number): readonly number[] | undefined {
    const next: number[] = [];
    for (let index = 0; index < states.length; index++) {
      const state = states[index] ?? DONE;
      if (state === DONE) {
        next.push(DONE);
        continue;
      }
      const target = this.parts[index]?.step(state, byte) ?? DEAD;
      const isWanted = index < this.wantedParts;
      if (target === (isWanted ? DEAD : ALL)) return undefined;
      next.push(target === (isWanted ? ALL : DEAD) ? DONE : target);
    }
    return next;
  }

  private isAnswer(node: Node, depth: number): boolean {
    if (node.low < node.high && this.words[node.low]?.length === depth && ((this.flags[node.low] ?? 0) & WORD) !== 0) return false;
    return node.states.every((state, index) => {
      const part = this.parts[index];
      return state === DONE || part === undefined || accepting(part, state) === index < this.wantedParts;
    });
  }

  private expand(node: Node, at: number, depth: number): void {
    for (const byte of this.bytesFrom(node, depth)) {
      const states = this.advance(node.states, byte);
      if (states === undefined) continue;
      const [low, high] = this.narrow(node, depth, byte);
      // Behind a word whose extensions are avoided there is nothing.
      if (low < high && this.words[low]?.length === depth + 1 && ((this.flags[low] ?? 0) & EXTENSIONS) !== 0) continue;
      const key = `${low < high ? `${low}-${high}` : ""}:${states.join(",")}`;
      if (this.seen.has(key)) continue;
      this.seen.add(key);
      this.meter.spend(1);
      if (this.nodes.length >= MAX_POSITIONS) throw new OutOfBudget("positions in the search for a word", MAX_POSITIONS);
      this.nodes.push({ parent: at, byte, low, high, states });
    }
  }

  private narrow(node: Node, depth: number, byte: number): readonly [number, number] {
    if (node.low >= node.high) return [0, 0];
    const low = firstAt(this.words, node.low, node.high, depth, byte);
    return [low, firstAt(this.words, low, node.high, depth, byte + 1)];
  }

  /** One byte for all that lead the same way, the readable ones first. */
  private bytesFrom(node: Node, depth: number): readonly number[] {
    const special = new Set<number>();
    const alive: number[] = [];
    for (let index = 0; index < node.states.length; index++) {
      const state = node.states[index] ?? DONE;
      const part = this.parts[index];
      if (state === DONE || part === undefined) continue;
      const own = part.specials(state);
      // Only these bytes keep a wanted language alive: no other need be tried.
      if (index < this.wantedParts && part.isNarrow(state)) return [...own].sort((a, b) => (rank[a] ?? 0) - (rank[b] ?? 0));
      for (const byte of own) special.add(byte);
      if (!part.isNarrow(state)) alive.push(index);
    }
    for (let at = node.low; at < node.high; ) {
      const byte = this.words[at]?.charCodeAt(depth) ?? NaN;
      if (Number.isNaN(byte)) {
        at++;
        continue;
      }
      special.add(byte);
      at = firstAt(this.words, at, node.high, depth, byte + 1);
    }
    const bytes = [...special];
    for (const group of this.partition(alive)) {
      const plain = group.find((byte) => !special.has(byte));
      if (plain !== undefined) bytes.push(plain);
    }
    return bytes.sort((a, b) => (rank[a] ?? 0) - (rank[b] ?? 0));
  }

  /** The classes of bytes that none of the parts tells apart, each in order of liking. */
  private partition(alive: readonly number[]): readonly (readonly number[])[] {
    const key = alive.join(",");
    const known = this.partitions.get(key);
    if (known !== undefined) return known;
    let classes: Uint8Array = oneClass;
    for (const index of alive) {
      const part = this.parts[index];
      if (part !== undefined) classes = refine(classes, part.classes);
    }
    const groups = new Map<number, number[]>();
    for (const byte of order) {
      const letter = classes[byte] ?? 0;
      const group = groups.get(letter);
      if (group === undefined) groups.set(letter, [byte]);
      else group.push(byte);
    }
    const partition = [...groups.values()];
    this.partitions.set(key, partition);
    return partition;
  }

  private wordOf(at: number): Bytes {
    const bytes: string[] = [];
    for (let node = this.nodes[at]; node !== undefined && node.parent >= 0; node = this.nodes[node.parent]) bytes.push(String.fromCharCode(node.byte));
    return this.start + bytes.reverse().join("");
  }
}

/** The first index whose word is not below the given one. */
function lowerBound(words: readonly Bytes[], word: Bytes): number {
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((words[middle] ?? "") < word) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first index in a range of words with one beginning whose byte at `depth` is not below the given one; a word that ends there is below all. */
function firstAt(words: readonly Bytes[], from: number, to: number, depth: number, byte: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    const own = words[middle]?.charCodeAt(depth) ?? NaN;
    if (Number.isNaN(own) || own < byte) low = middle + 1;
    else high = middle;
  }
  return low;
}
