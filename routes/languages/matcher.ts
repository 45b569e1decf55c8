/**
 * The plain machine: runs a program over a text with groups and priorities, as RE2 does.
 *
 * `resolve` matches with it, while `compare` uses deterministic automata; the two meet only in the parsed program, so that each can
 * find the other's faults. Time is linear in text times program.
 *
 * @module
 */

import type { Bytes } from "./bytes.ts";
import { assertionHolds } from "./program.ts";
import type { Program } from "./program.ts";

/** Start and end of the match and of each group, -1 where a group took no part. */
type Groups = readonly number[];

/** Whether the whole text is in the language of the program. */
export function matchesWhole(program: Program, text: Bytes): boolean {
  let threads = new Threads(program, text, "every way");
  threads.add(program.start, 0, []);
  for (let at = 0; at < text.length; at++) {
    if (threads.size === 0) return false;
    threads = threads.step(at);
  }
  return threads.ends.length > 0;
}

/** The leftmost match at or after `from`, the one that RE2 prefers; undefined where there is none. */
function findMatch(program: Program, text: Bytes, from: number): Groups | undefined {
  let threads = new Threads(program, text, "preferred way");
  let best: Groups | undefined;
  for (let at = from; ; at++) {
    if (best === undefined && threads.ends.length === 0) threads.add(program.start, at, [at, -1]);
    const [end] = threads.ends;
    if (end !== undefined) best = closeAt(end, at);
    if (at >= text.length || (threads.size === 0 && best !== undefined)) return best;
    threads = threads.step(at);
  }
}

/**
 * Every match gives way to the substitution, left to right, as RE2's GlobalReplace: an empty match right behind another match does
 * not count. In the substitution `\0` to `\9` stand for the match and its groups, `\\` for a backslash.
 */
export function replaceAll(program: Program, text: Bytes, substitution: Bytes): Bytes {
  let result = "";
  let at = 0;
  let lastEnd = -1;
  while (at <= text.length) {
    const groups = findMatch(program, text, at);
    if (groups === undefined) break;
    const [start = 0, end = 0] = groups;
    result += text.slice(at, start);
    if (start === end && start === lastEnd) {
      result += text.slice(start, start + 1);
      at = start + 1;
      continue;
    }
    result += substitute(substitution, text, groups);
    at = end;
    lastEnd = end;
  }
  return result + text.slice(at);
}

/** Whether a substitution is well formed and names no group that the program lacks. */
export function isSubstitution(substitution: Bytes, groups: number): boolean {
  for (let at = 0; at < substitution.length; at++) {
    if (substitution[at] !== "\\") continue;
    const next = substitution[++at] ?? "";
    if (next !== "\\" && !(next >= "0" && next <= "9" && Number(next) <= groups)) return false;
  }
  return true;
}

function substitute(substitution: Bytes, text: Bytes, groups: Groups): Bytes {
  let result = "";
  for (let at = 0; at < substitution.length; at++) {
    const character = substitution[at] ?? "";
    if (character !== "\\") {
      result += character;
      continue;
    }
    const next = substitution[++at] ?? "\\";
    const group = next >= "0" && next <= "9" ? Number(next) : -1;
    if (group < 0) result += next;
    else if ((groups[2 * group] ?? -1) >= 0) result += text.slice(groups[2 * group], groups[2 * group + 1]);
  }
  return result;
}

function closeAt(slots: readonly number[], at: number): number[] {
  const closed = [...slots];
  closed[1] = at;
  return closed;
}

/** The threads at one position, in order of priority. In search of the preferred way a match cuts off all that come after it. */
class Threads {
  readonly ends: (readonly number[])[] = [];
  private readonly waiting: { readonly address: number; readonly slots: readonly number[] }[] = [];
  private readonly visited: Uint8Array;
  private readonly program: Program;
  private readonly text: Bytes;
  private readonly wanted: "every way" | "preferred way";

  constructor(program: Program, text: Bytes, wanted: "every way" | "preferred way") {
    this.program = program;
    this.text = text;
    this.wanted = wanted;
    this.visited = new Uint8Array(program.instructions.length);
  }

  get size(): number {
    return this.waiting.length;
  }

  /** Follows everything that takes no byte. */
  add(start: number, at: number, startSlots: readonly number[]): void {
    const pending: { readonly address: number; readonly slots: readonly number[] }[] = [{ address: start, slots: startSlots }];
    for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
      const { address, slots } = item;
      const instruction = this.program.instructions[address];
      if (instruction === undefined || this.visited[address] === 1) continue;
      this.visited[address] = 1;
      switch (instruction.op) {
        case "bytes":
          this.waiting.push(item);
          break;
        case "match":
          this.ends.push(slots);
          if (this.isCut()) return;
          break;
        case "split":
          pending.push({ address: instruction.second, slots }, { address: instruction.first, slots });
          break;
        case "save": {
          const saved = [...slots];
          while (saved.length <= instruction.slot) saved.push(-1);
          saved[instruction.slot] = at;
          pending.push({ address: instruction.next, slots: saved });
          break;
        }
        case "assert":
          if (assertionHolds(instruction.at, this.byte(at - 1), this.byte(at))) pending.push({ address: instruction.next, slots });
      }
    }
  }

  /** The threads behind the byte at `at`. */
  step(at: number): Threads {
    const next = new Threads(this.program, this.text, this.wanted);
    const byte = this.byte(at);
    for (const { address, slots } of this.waiting) {
      if (next.isCut()) break;
      const instruction = this.program.instructions[address];
      if (instruction?.op === "bytes" && instruction.set[byte] === 1) next.add(instruction.next, at + 1, slots);
    }
    return next;
  }

  private isCut(): boolean {
    return this.wanted === "preferred way" && this.ends.length > 0;
  }

  private byte(at: number): number {
    return at < 0 || at >= this.text.length ? -1 : this.text.charCodeAt(at);
  }
}
