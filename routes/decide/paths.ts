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
  return (normalization === "base" ? path : mergedSlashes(path)) + query;
}

/** path_utility.cc `mergeSlashes`: the slashes at both ends stay, so a path of several slashes and nothing else becomes `//`. */
function mergedSlashes(path: Bytes): Bytes {
  return /^\/{2,}$/.test(path) ? "//" : path.replace(/\/{2,}/g, "/");
}

const unreserved = /^[A-Za-z0-9._~-]$/;
/** Characters that the canonical form holds escaped only. */
const escaped = /^(?:[^!-~]|["<>^`{|}])$/;

/** RFC 3986 section 6 as Envoy's URL library does it: dot segments resolved, escapes of unreserved characters undone, `\` read as `/`. */
function canonicalPath(raw: Bytes): Bytes | undefined {
  let path = "";
  let percent = -1;
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
      at += decoded === undefined ? 1 : 3;
      if (decoded === undefined) {
        percent = path.length;
        path += "%";
      } else path = unreserved.test(decoded) ? withoutNested(path + decoded, percent, raw[at]) : path + escape;
    } else {
      path += character === "\\" ? "/" : escaped.test(character) ? `%${hex(character)}` : character;
      at++;
    }
  }
  return path;
}

/**
 * What undoing an escape makes of a `%` that stood before it and began none: an escape would now be there that nobody wrote, so the
 * `%` itself is escaped (url_canon_path.cc `CheckForNestedEscapes`). `path` ends in the character that was undone.
 */
function withoutNested(path: Bytes, percent: number, next: string | undefined): Bytes {
  const behind = path.length - percent - 1;
  if (path[percent] !== "%" || behind < 1 || behind > 2) return path;
  const digits = behind === 2 ? path.slice(percent + 1) : path.slice(percent + 1) + (next ?? "");
  return /^[0-9A-Fa-f]{2}$/.test(digits) ? `${path.slice(0, percent)}%25${path.slice(percent + 1)}` : path;
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

/** A path that normalisation turns into the given one: itself, or there is none. */
export function rawPath(path: Bytes, normalization: PathNormalization): Bytes | undefined {
  return normalizePath(path, normalization) === path ? path : undefined;
}

const BEGIN = 0;
const SEGMENT = 1;
const ONE_DOT = 2;
const TWO_DOTS = 3;
const NAME = 4;

/** Behind a `%` that may begin an escape; and behind its first digit. */
const PERCENT = 5;
const DIGIT = 6;

const SLASH = 1;
const DOT = 2;
const MARK = 3;
const OTHER = 4;
/** Digits of escapes, those together that unreserved characters and slashes do not tell apart. */
const digits = ["0", "189", "2", "3", "46", "5", "7", "Aa", "Bb", "Cc", "Dd", "Ee", "Ff"];

const HEX = 5;

/** Where slashes merge: behind the first one, and behind `//`, which only a path without anything else keeps. */
const FIRST = DIGIT + digits.length;
const ONLY_SLASHES = FIRST + 1;

/**
 * The paths, without query, that a table can see: visible ASCII without `?` and `#` behind a `/`, and what normalisation leaves of
 * them: no dot segment, none of `"<>\\^{|}` and the backtick, no `//` where slashes merge but as the whole path, and no escape that it undoes.
 */
export function seenPaths(normalization: PathNormalization): Automaton {
  const isFree = normalization === "none";
  const classes = new Uint8Array(256);
  for (let byte = 0x21; byte < 0x7f; byte++) classes[byte] = classOf(String.fromCharCode(byte), isFree);
  const merges = normalization === "merge-slashes" || normalization === "decode-and-merge-slashes";
  const undone = (first: number, second: number): boolean => {
    const decoded = String.fromCharCode(Number.parseInt(`${digits[first]?.[0] ?? ""}${digits[second]?.[0] ?? ""}`, 16));
    return decoded === "\0" || unreserved.test(decoded) || (normalization === "decode-and-merge-slashes" && (decoded === "/" || decoded === "\\"));
  };
  return {
    start: BEGIN,
    classes,
    specials: () => [],
    isNarrow: () => false,
    accepts: (state) => state === SEGMENT || state >= NAME || (isFree && state !== BEGIN),
    step(from, byte) {
      const letter = classes[byte] ?? 0;
      if (letter === 0 || from === ONLY_SLASHES || (from === BEGIN && letter !== SLASH)) return DEAD;
      if (merges && letter === SLASH && (from === BEGIN || from === FIRST)) return from === BEGIN ? FIRST : ONLY_SLASHES;
      const state = from === FIRST ? SEGMENT : from;
      if (letter === SLASH) {
        if (isFree || state === BEGIN || state >= NAME) return SEGMENT;
        return state === SEGMENT && !merges ? SEGMENT : DEAD;
      }
      if (isFree) return NAME;
      if (letter === MARK) return PERCENT;
      if (letter >= HEX && state === PERCENT) return DIGIT + letter - HEX;
      if (letter >= HEX && state >= DIGIT) return undone(state - DIGIT, letter - HEX) ? DEAD : NAME;
      if (letter !== DOT) return NAME;
      return state === SEGMENT ? ONE_DOT : state === ONE_DOT ? TWO_DOTS : NAME;
    },
  };
}

function classOf(character: string, isFree: boolean): number {
  if (character === "?" || character === "#" || (!isFree && (escaped.test(character) || character === "\\"))) return 0;
  if (character === "/") return SLASH;
  if (isFree) return OTHER;
  if (character === ".") return DOT;
  if (character === "%") return MARK;
  const digit = digits.findIndex((group) => group.includes(character));
  return digit < 0 ? OTHER : HEX + digit;
}
