/**
 * What a proxy does to `:path` before it matches and forwards it, and which paths come out of that.
 *
 * @module
 */

import { DEAD } from "../languages/automaton.ts";
import type { Automaton } from "../languages/automaton.ts";
import type { Bytes } from "../languages/bytes.ts";
import type { PathNormalization } from "./model.ts";

/** The path before the first `?`, and the rest with it. */
export function splitQuery(path: Bytes): readonly [path: Bytes, query: Bytes] {
  const mark = path.indexOf("?");
  return mark < 0 ? [path, ""] : [path.slice(0, mark), path.slice(mark)];
}

/**
 * `:path` as the table sees it; undefined where the proxy answers 400 instead. The order is Envoy's: the fragment goes, escaped slashes
 * become slashes, dot segments go, slashes merge (`ConnectionManagerUtility::maybeNormalizePath`).
 */
export function normalizePath(target: Bytes, normalization: PathNormalization): Bytes | undefined {
  const mark = target.indexOf("#");
  const whole = mark < 0 ? target : target.slice(0, mark);
  if (normalization === "none") return whole;
  const [raw, query] = splitQuery(whole);
  const unescaped = normalization === "decode-and-merge-slashes" ? raw.replace(/%2f/gi, "/").replace(/%5c/gi, "\\") : raw;
  const path = canonicalPath(unescaped);
  if (path === undefined) return undefined;
  return (normalization === "base" ? path : path.replace(/\/{2,}/g, "/")) + query;
}

const unreserved = /^[A-Za-z0-9._~-]$/;
/** Characters that the canonical form holds escaped only. */
const escaped = /^(?:[^!-~]|["<>^`{|}])$/;

/** RFC 3986 section 6 as Envoy's URL library does it: dot segments resolved, escapes of unreserved characters undone, `\` read as `/`. */
function canonicalPath(raw: Bytes): Bytes | undefined {
  let path = "";
  for (let at = 0; at < raw.length; ) {
    const character = raw.charAt(at);
    const dot = dotLength(raw, at);
    if (dot > 0) {
      const [kind, length] = path.endsWith("/") ? segmentAfterDot(raw, at + dot) : ["name", 0];
      if (kind === "name") path += ".";
      else if (kind === "up") path = path.slice(0, path.lastIndexOf("/", path.length - 2) + 1) || "/";
      at += dot + length;
    } else if (character === "%") {
      const decoded = decodeEscape(raw, at);
      if (decoded === "\0") return undefined;
      const escape = raw.slice(at, at + 3);
      path += decoded === undefined ? "%" : unreserved.test(decoded) ? decoded : escape;
      at += decoded === undefined ? 1 : 3;
    } else {
      path += character === "\\" ? "/" : escaped.test(character) ? `%${hex(character)}` : character;
      at++;
    }
  }
  return path;
}

/** Length of a dot, plain or escaped; 0 where there is none. */
function dotLength(raw: Bytes, at: number): number {
  if (raw[at] === ".") return 1;
  return raw.slice(at, at + 3).toLowerCase() === "%2e" ? 3 : 0;
}

/** Whether the segment whose first dot ends before `at` is `.`, `..` or a name, and how much more of it there is to skip. */
function segmentAfterDot(raw: Bytes, at: number): readonly ["name" | "here" | "up", number] {
  if (at === raw.length) return ["here", 0];
  if (isSlash(raw, at)) return ["here", 1];
  const dot = dotLength(raw, at);
  if (dot === 0) return ["name", 0];
  if (at + dot === raw.length) return ["up", dot];
  return isSlash(raw, at + dot) ? ["up", dot + 1] : ["name", 0];
}

function isSlash(raw: Bytes, at: number): boolean {
  return raw[at] === "/" || raw[at] === "\\";
}

function decodeEscape(raw: Bytes, at: number): string | undefined {
  const digits = raw.slice(at + 1, at + 3);
  return /^[0-9A-Fa-f]{2}$/.test(digits) ? String.fromCharCode(Number.parseInt(digits, 16)) : undefined;
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
}

/**
 * A path that normalisation turns into the given one, or undefined where we find none. Nearly always the path itself; `/%41`, which
 * normalisation would read as `/A`, comes from `/%4%31`.
 */
export function rawPath(path: Bytes, normalization: PathNormalization): Bytes | undefined {
  if (normalizePath(path, normalization) === path) return path;
  const raw = path.replace(/%([0-9A-Fa-f])([0-9A-Fa-f])/g, (escape, first: string, second: string) =>
    normalizePath(`/${escape}`, normalization) === `/${escape}` ? escape : `%${first}%${hex(second)}`,
  );
  return normalizePath(raw, normalization) === path ? raw : undefined;
}

const BEGIN = 0;
const SEGMENT = 1;
const ONE_DOT = 2;
const TWO_DOTS = 3;
const NAME = 4;

/**
 * The paths, without query, that a table can see: visible ASCII without `?` and `#` behind a `/`, and what normalisation leaves of
 * them: no dot segment, none of `"<>\^{|}` and the backtick, and no `//` where slashes merge.
 */
export function seenPaths(normalization: PathNormalization): Automaton {
  const classes = new Uint8Array(256);
  for (let byte = 0x21; byte < 0x7f; byte++) {
    const character = String.fromCharCode(byte);
    const isGone = normalization !== "none" && (escaped.test(character) || character === "\\");
    if (!isGone && character !== "?" && character !== "#") classes[byte] = character === "/" ? 2 : character === "." ? 3 : 1;
  }
  const isFree = normalization === "none";
  const merges = normalization === "merge-slashes" || normalization === "decode-and-merge-slashes";
  return {
    start: BEGIN,
    classes,
    specials: () => [],
    isNarrow: () => false,
    accepts: (state) => state === SEGMENT || state === NAME || (isFree && state !== BEGIN),
    step(state, byte) {
      const letter = classes[byte] ?? 0;
      if (letter === 0 || (state === BEGIN && letter !== 2)) return DEAD;
      if (letter === 2) {
        if (isFree || state === BEGIN || state === NAME) return SEGMENT;
        return state === SEGMENT && !merges ? SEGMENT : DEAD;
      }
      if (letter === 1 || isFree) return NAME;
      return state === SEGMENT ? ONE_DOT : state === ONE_DOT ? TWO_DOTS : NAME;
    },
  };
}
