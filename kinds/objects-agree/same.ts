import { canonical, digestOf, sha256, type SchemaNode } from "#engine";
import { parseStructured } from "#values";
import { Hidden, isMap } from "./meaning.ts";

/** Entries of a list by the values of their keys; undefined where an entry lacks them or two have the same. */
export function keyedBy(list: readonly unknown[], keys: readonly string[], item: SchemaNode | undefined): ReadonlyMap<string, unknown> | undefined {
  const entries = new Map<string, unknown>();
  for (const entry of list) {
    if (!isMap(entry)) return undefined;
    const parts = keys.map((key) => (Object.hasOwn(entry, key) ? entry[key] : item?.fields?.[key]?.default));
    if (parts.every((part) => part === undefined) || parts.some((part) => typeof part === "object")) return undefined;
    const name = keys.flatMap((key, index) => (parts[index] === undefined ? [] : [`${key}=${String(parts[index])}`])).join(",");
    if (entries.has(name)) return undefined;
    entries.set(name, entry);
  }
  return entries;
}

/** Do the names that all have come in one order? Then pairing by name hides no change of order. */
export function sameOrder(lists: readonly ReadonlyMap<string, unknown>[]): boolean {
  const shared = inAll(lists.map((list) => [...list.keys()]));
  return allSame(lists.map((list) => [...list.keys()].filter((key) => shared.has(key))));
}

/** The texts that every list has. */
export function inAll(lists: readonly (readonly string[])[]): ReadonlySet<string> {
  const [first = [], ...others] = lists.map((list) => new Set(list));
  return new Set([...first].filter((text) => others.every((other) => other.has(text))));
}

/** Are all values the same, where only digests of some are kept? What is in clear elsewhere may have been digested as a text, or as what it holds. */
export function sameDigest(values: readonly unknown[]): boolean {
  const [first, ...others] = values.map((value) => new Set(digestsOf(value)));
  return first !== undefined && [...first].some((digest) => others.every((other) => other.has(digest)));
}

function digestsOf(value: unknown): readonly string[] {
  if (value instanceof Hidden) return [value.sha256];
  if (typeof value !== "string") return [digestOf(withMarks(value))];
  const inside = [parseStructured(value), parseStructured(value, "unknown")];
  return [sha256(value), ...inside.flatMap((each) => (each === undefined ? [] : [digestOf(each)]))];
}

/** One text for all ways to write the same JSON. */
export function textOf(value: unknown): string {
  return value === undefined ? "" : canonical(withMarks(value));
}

/** Hidden values as their digests, so that they can be written down. */
function withMarks(value: unknown): unknown {
  if (value instanceof Hidden) return { hidden: value.sha256 };
  if (Array.isArray(value)) return value.map(withMarks);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, field]) => [key, withMarks(field)])) : value;
}

/** Are all values the same JSON? */
export function allSame(values: readonly unknown[]): boolean {
  const [first] = values;
  for (let index = 1; index < values.length; index++) if (!isSame(first, values[index])) return false;
  return true;
}

/** The same JSON, whatever the order of keys; a null is as good as nothing. */
function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (left === null || right === null) return (left ?? undefined) === (right ?? undefined);
  if (typeof left !== "object" || typeof right !== "object") return false;
  if (left instanceof Hidden || right instanceof Hidden) return left instanceof Hidden && right instanceof Hidden && left.sha256 === right.sha256;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    for (let index = 0; index < left.length; index++) if (!isSame(left[index], right[index])) return false;
    return true;
  }
  if (Array.isArray(right)) return false;
  return sameFields(left as Readonly<Record<string, unknown>>, right as Readonly<Record<string, unknown>>);
}

function sameFields(left: Readonly<Record<string, unknown>>, right: Readonly<Record<string, unknown>>): boolean {
  let fields = 0;
  for (const key in left) {
    if (left[key] === undefined || left[key] === null) continue;
    if (!Object.hasOwn(right, key) || !isSame(left[key], right[key])) return false;
    fields += 1;
  }
  for (const key in right) if (right[key] !== undefined && right[key] !== null) fields -= 1;
  return fields === 0;
}
