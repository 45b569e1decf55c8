/**
 * Languages over several strings written as one: the lines of a header, and the path with its query.
 *
 * @module
 */

import { accepting, ALL, DEAD, refine } from "./automaton.ts";
import type { Automaton } from "./automaton.ts";
import type { Bytes } from "./bytes.ts";

/** Stands between the lines of a header; no line holds it. */
export const LINE_END = 0x0a;

const COMMA = 0x2c;
const QUESTION_MARK = 0x3f;
const AMPERSAND = 0x26;
const EQUALS = 0x3d;

const singles: Uint8Array[] = [];

/** Two classes: the byte, and all others. */
function single(byte: number): Uint8Array {
  return (singles[byte] ??= new Uint8Array(256).fill(1, byte, byte + 1));
}

function with1(classes: Uint8Array, ...bytes: readonly number[]): Uint8Array {
  return bytes.reduce((refined, byte) => refine(refined, single(byte)), classes);
}

/** Lists of lines of which one at least is in the language. */
export function someLine(inner: Automaton): Automaton {
  // State 0 waits for the end of a line that cannot match any more; the states of the language follow.
  const enter = (state: number): number => (state === ALL ? ALL : state === DEAD ? 0 : state + 1);
  return {
    start: enter(inner.start),
    classes: with1(inner.classes, LINE_END),
    accepts: (state) => state > 0 && inner.accepts(state - 1),
    isNarrow: () => false,
    specials: (state) => (state === 0 ? [LINE_END] : [LINE_END, ...inner.specials(state - 1)]),
    step(state, byte) {
      if (byte === LINE_END) return state > 0 && inner.accepts(state - 1) ? ALL : enter(inner.start);
      return state === 0 ? 0 : enter(inner.step(state - 1, byte));
    },
  };
}

/** Lists of lines that are in the language when commas join them. */
export function joinedLines(inner: Automaton): Automaton {
  return {
    ...inner,
    classes: with1(inner.classes, LINE_END, COMMA),
    accepts: (state) => inner.accepts(state),
    isNarrow: (state) => inner.isNarrow(state),
    specials: (state) => (inner.specials(state).includes(COMMA) ? [...inner.specials(state), LINE_END] : inner.isNarrow(state) ? inner.specials(state) : [...inner.specials(state), LINE_END]),
    step: (state, byte) => inner.step(state, byte === LINE_END ? COMMA : byte),
  };
}

/** Lists of one line or more, each of a language in which no word holds {@link LINE_END}. */
export function manyLines(line: Automaton): Automaton {
  return {
    start: line.start,
    classes: with1(line.classes, LINE_END),
    accepts: (state) => line.accepts(state),
    isNarrow: () => false,
    specials: (state) => [LINE_END, ...line.specials(state)],
    step: (state, byte) => (byte === LINE_END ? (line.accepts(state) ? line.start : DEAD) : line.step(state, byte)),
  };
}

/** Targets whose path, up to the query, is in the language. */
export function pathOfTarget(path: Automaton): Automaton {
  return {
    ...path,
    classes: with1(path.classes, QUESTION_MARK),
    accepts: (state) => path.accepts(state),
    isNarrow: () => false,
    specials: (state) => [QUESTION_MARK, ...path.specials(state)],
    step: (state, byte) => (byte === QUESTION_MARK ? (accepting(path, state) ? ALL : DEAD) : path.step(state, byte)),
  };
}

/** Targets made of a path and, behind `?`, characters of a query: both languages say what may stand there. */
export function targets(path: Automaton, query: Automaton): Automaton {
  // Even states are those of the path, odd ones those of the query.
  const twice = (state: number, odd: number): number => (state < 0 ? state : 2 * state + odd);
  return {
    start: twice(path.start, 0),
    classes: with1(refine(path.classes, query.classes), QUESTION_MARK),
    accepts: (state) => (state % 2 === 0 ? path : query).accepts(state >> 1),
    isNarrow: () => false,
    specials: (state) => [QUESTION_MARK, ...(state % 2 === 0 ? path : query).specials(state >> 1)],
    step(state, byte) {
      if (state % 2 === 1) return twice(query.step(state >> 1, byte), 1);
      return byte === QUESTION_MARK ? (path.accepts(state >> 1) ? twice(query.start, 1) : DEAD) : twice(path.step(state >> 1, byte), 0);
    },
  };
}

const IN_PATH = 0;
const SKIPPING = 1;
const AT_NAME = 2;

/** Targets whose first parameter of a name has a value in the language, or that have none where `whenAbsent`. */
export function parameterOfTarget(name: Bytes, value: Automaton, whenAbsent: boolean): Automaton {
  const inValue = AT_NAME + name.length + 1;
  const enter = (state: number): number => (state < 0 ? state : state + inValue);
  const settle = (state: number): number => (accepting(value, state) ? ALL : DEAD);
  return {
    start: IN_PATH,
    classes: with1(value.classes, QUESTION_MARK, AMPERSAND, EQUALS),
    isNarrow: () => false,
    specials(state) {
      const next = name.charCodeAt(state - AT_NAME);
      const known = [QUESTION_MARK, AMPERSAND, EQUALS, ...(state >= inValue ? value.specials(state - inValue) : [])];
      return state >= AT_NAME && state < inValue && !Number.isNaN(next) ? [...known, next] : known;
    },
    accepts(state) {
      if (state >= inValue) return value.accepts(state - inValue);
      return state === AT_NAME + name.length && name !== "" ? accepting(value, value.start) : whenAbsent;
    },
    step(state, byte) {
      if (state === IN_PATH) return byte === QUESTION_MARK ? AT_NAME : IN_PATH;
      if (state >= inValue) return byte === AMPERSAND ? settle(state - inValue) : enter(value.step(state - inValue, byte));
      const isWhole = state === AT_NAME + name.length;
      if (byte === AMPERSAND) return isWhole ? settle(value.start) : AT_NAME;
      if (state === SKIPPING) return SKIPPING;
      if (byte === EQUALS) return isWhole ? enter(value.start) : SKIPPING;
      return byte === name.charCodeAt(state - AT_NAME) ? state + 1 : SKIPPING;
    },
  };
}
