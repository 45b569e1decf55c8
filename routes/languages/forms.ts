import type { Bytes } from "./bytes.ts";
import { isDot } from "./re2-syntax.ts";
import type { Regex } from "./re2-syntax.ts";

/** A text, or all that begin with it. */
export interface Form {
  readonly text: Bytes;
  readonly isOpen: boolean;
}

/** Most forms of one expression. */
const MOST = 64;

/**
 * The forms of an expression that stands for some texts of ASCII and some beginnings of texts; undefined for any other.
 *
 * Only for subjects in which every byte is one that `.` takes: visible ASCII.
 */
export function pathForms(regex: Regex): readonly Form[] | undefined {
  const forms = isExpandable(regex) ? expand(regex, true, true) : undefined;
  if (forms === undefined) return undefined;
  const unique = new Map(forms.map((form) => [`${form.isOpen} ${form.text}`, form]));
  return [...unique.values()];
}

/** False where some part stands for what has no forms; most expressions have such a part, and to find it early saves the rest. */
function isExpandable(regex: Regex): boolean {
  switch (regex.type) {
    case "empty":
    case "assert":
      return true;
    case "set":
      return regex.set.length <= 2 * MOST_CHARACTERS && (regex.set.at(-1) ?? 0) <= 0x7f;
    case "group":
      return isExpandable(regex.part);
    case "alternate":
    case "concat":
      return regex.parts.every(isExpandable);
    case "repeat":
      return regex.max === Infinity ? regex.min === 0 && isDot(regex.part) : isExpandable(regex.part);
    case "byte":
      return false;
  }
}

/** Most characters of one set. */
const MOST_CHARACTERS = 8;

function expand(regex: Regex, isFirst: boolean, isLast: boolean): readonly Form[] | undefined {
  switch (regex.type) {
    case "empty":
      return [{ text: "", isOpen: false }];
    case "set":
      return characters(regex.set);
    case "group":
      return expand(regex.part, isFirst, isLast);
    case "assert":
      return (regex.at === "text-start" && isFirst) || (regex.at === "text-end" && isLast) ? [{ text: "", isOpen: false }] : undefined;
    case "alternate":
      return gather(regex.parts.map((part) => expand(part, isFirst, isLast)));
    case "concat":
      return concat(regex.parts, isFirst, isLast);
    case "repeat":
      if (regex.max === Infinity) return regex.min === 0 && isDot(regex.part) ? [{ text: "", isOpen: true }] : undefined;
      return repeated(regex.part, regex.min, regex.max);
    case "byte":
      return undefined;
  }
}

function characters(set: readonly number[]): readonly Form[] | undefined {
  const forms: Form[] = [];
  for (let at = 0; at < set.length; at += 2) {
    const high = set[at + 1] ?? 0;
    if (high > 0x7f) return undefined;
    for (let code = set[at] ?? 0; code <= high; code++) {
      if (forms.length >= MOST_CHARACTERS) return undefined;
      forms.push({ text: String.fromCharCode(code), isOpen: false });
    }
  }
  return forms;
}

function gather(parts: readonly (readonly Form[] | undefined)[]): readonly Form[] | undefined {
  const forms: Form[] = [];
  for (const part of parts) {
    if (part === undefined || forms.length + part.length > MOST) return undefined;
    forms.push(...part);
  }
  return forms;
}

function concat(parts: readonly Regex[], isFirst: boolean, isLast: boolean): readonly Form[] | undefined {
  let forms: readonly Form[] = [{ text: "", isOpen: false }];
  const isOther = ({ type }: Regex): boolean => type !== "assert";
  const first = parts.findIndex(isOther), last = parts.findLastIndex(isOther);
  for (const [index, part] of parts.entries()) {
    // Assertions stand at the very ends only when nothing but other assertions is beyond them.
    const next = expand(part, isFirst && (first < 0 || index <= first), isLast && index >= last);
    if (next === undefined) return undefined;
    const joined = join(forms, next);
    if (joined === undefined) return undefined;
    forms = joined;
  }
  return forms;
}

function join(forms: readonly Form[], next: readonly Form[]): readonly Form[] | undefined {
  const isNothing = next.every(({ text, isOpen }) => text === "" && !isOpen);
  if (isNothing && next.length > 0) return forms;
  if (forms.length * next.length > MOST) return undefined;
  // What follows an open end would have to be found in it.
  if (forms.some(({ isOpen }) => isOpen) && !next.every(({ text, isOpen }) => text === "" && isOpen)) return undefined;
  return forms.flatMap((form) => (form.isOpen ? [form] : next.map(({ text, isOpen }) => ({ text: form.text + text, isOpen }))));
}

function repeated(part: Regex, min: number, max: number): readonly Form[] | undefined {
  if (max > 8) return undefined;
  const once = expand(part, false, false);
  if (once === undefined) return undefined;
  const all: Form[] = [];
  let forms: readonly Form[] | undefined = [{ text: "", isOpen: false }];
  for (let count = 0; count <= max; count++) {
    if (count >= min) all.push(...forms);
    if (all.length > MOST) return undefined;
    if (count === max) break;
    forms = join(forms, once);
    if (forms === undefined) return undefined;
  }
  return all;
}
