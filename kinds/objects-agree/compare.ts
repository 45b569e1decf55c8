import { canonical, digestOf, sha256, type SchemaNode } from "#engine";
import { isBelow, parseStructured, type ObjectPath } from "#values";
import { Hidden, isMap, knownReading, mayMeanTheSame, meaning, selectorRequirements, type Reading } from "./meaning.ts";

/** One of the objects that are compared. */
export interface Side {
  /** What of the object is compared. */
  readonly value: unknown;
  /** Undefined where no schema could be read. */
  readonly schema: SchemaNode | undefined;
  /** An API server wrote it, so that a field that is absent has no default. */
  readonly written: boolean;
}

/** A place at which the objects differ. */
export interface Difference {
  readonly path: ObjectPath;
  /** One for each side; undefined where nothing stands there. Of lists whose entries pair, only what the others lack. */
  readonly values: readonly unknown[];
  /** Left out: they differ. Else they might be the same, and this is what a schema would have to say. */
  readonly unless?: string | undefined;
}

export interface Rules {
  readonly group: string;
  readonly kind: string;
  readonly compare: readonly ObjectPath[] | undefined;
  readonly ignore: readonly ObjectPath[];
  readonly unordered: readonly ObjectPath[];
}

/**
 * Where several objects differ, by what they mean.
 *
 * Guarantees:
 *
 * 1. No difference is told where all values are the same JSON, or the same by a default, a quantity, a time, a label selector or a set that the
 *    schema, or the rules, say is there.
 * 2. Each difference is as deep as it can be: a map that differs in one field is told as that field.
 * 3. What only an unread schema could decide is told apart (`unless`).
 * 4. The order of the sides changes nothing but the order of `values`.
 */
export function differences(sides: readonly Side[], rules: Rules): readonly Difference[] {
  const walk = new Walk(rules, sides);
  walk.visit(
    sides.map(({ value }) => value),
    [],
    sides.map(({ schema }) => schema),
    false,
  );
  return walk.found;
}

type Schemas = readonly (SchemaNode | undefined)[];

class Walk {
  readonly found: Difference[] = [];
  readonly #rules: Rules;
  readonly #sides: readonly Side[];
  readonly #anySchema: boolean;

  constructor(rules: Rules, sides: readonly Side[]) {
    this.#rules = rules;
    this.#sides = sides;
    this.#anySchema = sides.some(({ schema }) => schema !== undefined);
  }

  visit(given: readonly unknown[], path: ObjectPath, schemas: Schemas, withinText: boolean): void {
    if (allSame(given) || this.#isLeftOut(path)) return;
    const insideText = withinText || (this.#rules.kind === "ConfigMap" && this.#rules.group === "" && path[0] === "data" && path.length > 2);
    const values = given.map((value, index) => value ?? this.#defaultAt(schemas, index));
    if (allSame(values)) return;
    const present = values.filter((value) => value !== undefined);
    if (present.some((value) => value instanceof Hidden)) return this.#hidden(values, path, schemas, insideText);
    if (present.length === values.length) {
      if (values.every(isMap)) return this.#maps(values, path, schemas, insideText);
      if (values.every((value) => Array.isArray(value))) return this.#lists(values, path, schemas, insideText);
      if (!insideText && this.#rules.kind === "ConfigMap" && path[0] === "data" && path.length === 2) return this.#texts(values, path, schemas);
      return this.#scalars(values, path, schemas, insideText);
    }
    const filled = values.map((value) => value ?? {});
    // On the way to a path that is compared, what is absent is as good as empty: only what the path leads to counts.
    if (!this.#isNamed(path) && filled.every(isMap)) return this.#maps(filled, path, schemas, insideText);
    const open = values.some((value, index) => value === undefined && !insideText && this.#sides[index]?.written === false && schemas[index] === undefined && this.#sides[index]?.schema === undefined);
    this.#tell(values, path, open ? "the absent value has this one as its default" : undefined);
  }

  #tell(values: readonly unknown[], path: ObjectPath, unless?: string): void {
    this.found.push({ path, values, ...(unless === undefined ? {} : { unless }) });
  }

  /** A place that is ignored, or that leads to none of the paths that are compared. */
  #isLeftOut(path: ObjectPath): boolean {
    const { compare, ignore } = this.#rules;
    if (ignore.some((pattern) => isBelow(pattern, path))) return true;
    return compare !== undefined && !compare.some((pattern) => isBelow(pattern, path) || isBelow(pattern.slice(0, path.length), path));
  }

  #isNamed(path: ObjectPath): boolean {
    return this.#rules.compare?.some((pattern) => isBelow(pattern, path)) ?? true;
  }

  /** Of its own schema; of another one where its own could not be read. */
  #defaultAt(schemas: Schemas, index: number): unknown {
    if (this.#sides[index]?.schema !== undefined) return schemas[index]?.default;
    return schemas.find((schema) => schema?.default !== undefined)?.default;
  }

  #hidden(values: readonly unknown[], path: ObjectPath, schemas: Schemas, insideText: boolean): void {
    if (values.includes(undefined)) return this.#tell(values, path);
    const marks = values.map((value) => (value instanceof Hidden ? value : markOf(value)));
    if (new Set(marks.map((mark) => mark.sha256)).size === 1) return;
    const isOne = (part: "time" | "number") => new Set(marks.map((mark) => mark[part] ?? "")).size === 1 && marks[0]?.[part] !== undefined;
    const reading = this.#readingAt(schemas, path, insideText);
    if ((reading === "duration" && isOne("time")) || (reading === "quantity" && isOne("number"))) return;
    this.#tell(values, path, isOne("time") || isOne("number") ? "the values, of which only digests are kept, are numbers or times" : undefined);
  }

  #maps(values: readonly Readonly<Record<string, unknown>>[], path: ObjectPath, schemas: Schemas, insideText: boolean): void {
    const requirements = values.map(selectorRequirements);
    if (!requirements.includes(undefined) && allSame(requirements)) return;
    const keys = [...new Set(values.flatMap((value) => Object.keys(value)))].sort();
    for (const key of keys) {
      this.visit(
        values.map((value) => (Object.hasOwn(value, key) ? (value[key] ?? undefined) : undefined)),
        [...path, key],
        schemas.map((schema) => (schema?.fields !== undefined && Object.hasOwn(schema.fields, key) ? schema.fields[key] : schema?.values)),
        insideText,
      );
    }
  }

  #lists(values: readonly (readonly unknown[])[], path: ObjectPath, schemas: Schemas, insideText: boolean): void {
    const items = schemas.map((schema) => schema?.items);
    const rule = schemas.find((schema) => schema?.list !== undefined);
    const isSet = rule?.list === "set" || this.#rules.unordered.some((pattern) => pattern.length === path.length && isBelow(pattern, path));
    if (rule?.list === "map" && !isSet) {
      const keyed = values.map((list) => keyedBy(list, rule.keys ?? [], rule.items));
      if (!keyed.includes(undefined)) return this.#paired(keyed as readonly ReadonlyMap<string, unknown>[], path, items, insideText);
    }
    if (isSet) return this.#sets(values, path, items, insideText);
    const texts = values.map((list) => list.map(textOf));
    if (allSame(texts.map((list) => list.toSorted()))) {
      return this.#tell(values, path, this.#anySchema || insideText ? undefined : "the order of this list means nothing");
    }
    const named = values.map((list) => keyedBy(list, ["name"], undefined));
    if (!named.includes(undefined) && sameOrder(named as readonly ReadonlyMap<string, unknown>[])) return this.#paired(named as readonly ReadonlyMap<string, unknown>[], path, items, insideText);
    this.#ordered(values, texts, path, items, insideText);
  }

  #paired(keyed: readonly ReadonlyMap<string, unknown>[], path: ObjectPath, items: Schemas, insideText: boolean): void {
    const keys = [...new Set(keyed.flatMap((entries) => [...entries.keys()]))].sort();
    for (const key of keys) this.visit(keyed.map((entries) => entries.get(key)), [...path, `=${key}`], items, insideText);
  }

  /** What all have is taken away; what is left pairs by name, or stands alone. */
  #sets(values: readonly (readonly unknown[])[], path: ObjectPath, items: Schemas, insideText: boolean): void {
    const meanings = values.map((list) => list.map((item, index) => ({ item, text: this.#itemText(item, [...path, String(index)], items, insideText) })));
    const shared = inAll(meanings.map((list) => list.map(({ text }) => text)));
    const left = meanings.map((list) => list.filter(({ text }) => !shared.has(text)).map(({ item }) => item));
    if (left.every((list) => list.length === 0)) return;
    const named = left.map((list) => keyedBy(list, ["name"], undefined));
    if (!named.includes(undefined)) return this.#paired(named as readonly ReadonlyMap<string, unknown>[], path, items, insideText);
    if (left.every((list) => list.length === 1)) return this.visit(left.map(([item]) => item), [...path, "*"], items, insideText);
    this.#tell(left, path);
  }

  #readingAt(schemas: Schemas, path: ObjectPath, insideText: boolean): Reading | undefined {
    return schemas.find((schema) => schema?.reading !== undefined)?.reading ?? knownReading(this.#rules.group, path, insideText);
  }

  #itemText(item: unknown, path: ObjectPath, items: Schemas, insideText: boolean): string {
    const reading = this.#readingAt(items, path, insideText);
    return (reading === undefined ? undefined : meaning(item, reading)) ?? textOf(item);
  }

  /** Equal heads and tails pair; between them, entries pair by place where there are equally many. */
  #ordered(values: readonly (readonly unknown[])[], texts: readonly (readonly string[])[], path: ObjectPath, items: Schemas, insideText: boolean): void {
    const shortest = Math.min(...values.map((list) => list.length));
    const longest = Math.max(...values.map((list) => list.length));
    if (shortest === longest) {
      for (let index = 0; index < longest; index++) this.visit(values.map((list) => list[index]), [...path, String(index)], items, insideText);
      return;
    }
    let head = 0;
    while (head < shortest && allSame(texts.map((list) => list[head]))) head += 1;
    let tail = 0;
    while (tail < shortest - head && allSame(texts.map((list) => list[list.length - 1 - tail]))) tail += 1;
    this.#tell(values.map((list) => list.slice(head, list.length - tail)), path);
  }

  /** Texts that hold YAML or JSON are compared inside. */
  #texts(values: readonly unknown[], path: ObjectPath, schemas: Schemas): void {
    const parsed = values.map((value) => (typeof value === "string" ? parseStructured(value) : isMap(value) || Array.isArray(value) ? value : undefined));
    if (parsed.includes(undefined)) return this.#scalars(values, path, schemas, true);
    this.visit(parsed, path, [], true);
  }

  #scalars(values: readonly unknown[], path: ObjectPath, schemas: Schemas, insideText: boolean): void {
    const reading = this.#readingAt(schemas, path, insideText);
    if (reading !== undefined) {
      const meanings = new Set(values.map((value) => meaning(value, reading)));
      if (meanings.size === 1 && !meanings.has(undefined)) return;
    }
    const open = reading === undefined && (!this.#anySchema || insideText) && path[0] !== "metadata" && mayMeanTheSame(values);
    this.#tell(values, path, open ? "this is a number or a time" : undefined);
  }
}

/** Does an object have anything at the path? A text may hold YAML or JSON, in which the path leads on. */
export function leadsSomewhere([step, ...rest]: ObjectPath, value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (step === undefined || value instanceof Hidden) return true;
  const inside = typeof value === "string" ? parseStructured(value) : value;
  if (typeof inside !== "object" || inside === null) return false;
  if (step === "*") return Object.values(inside).some((each) => leadsSomewhere(rest, each));
  return Object.hasOwn(inside, step) && leadsSomewhere(rest, Reflect.get(inside, step));
}

/** Entries of a list by the values of their keys; undefined where an entry lacks them or two have the same. */
function keyedBy(list: readonly unknown[], keys: readonly string[], item: SchemaNode | undefined): ReadonlyMap<string, unknown> | undefined {
  const entries = new Map<string, unknown>();
  for (const entry of list) {
    if (!isMap(entry)) return undefined;
    const parts = keys.map((key) => (Object.hasOwn(entry, key) ? entry[key] : item?.fields?.[key]?.default));
    if (parts.every((part) => part === undefined)) return undefined;
    const name = keys.flatMap((key, index) => (parts[index] === undefined ? [] : [`${key}=${String(parts[index])}`])).join(",");
    if (entries.has(name)) return undefined;
    entries.set(name, entry);
  }
  return entries;
}

/** Do the names that all have come in one order? Then pairing by name hides no change of order. */
function sameOrder(lists: readonly ReadonlyMap<string, unknown>[]): boolean {
  const shared = inAll(lists.map((list) => [...list.keys()]));
  return allSame(lists.map((list) => [...list.keys()].filter((key) => shared.has(key))));
}

function inAll(lists: readonly (readonly string[])[]): ReadonlySet<string> {
  const [first = [], ...others] = lists.map((list) => new Set(list));
  return new Set([...first].filter((text) => others.every((other) => other.has(text))));
}

/** What is kept in clear on one side only, as the other sides have it. */
function markOf(value: unknown): Hidden {
  return new Hidden({ sha256: typeof value === "string" ? sha256(value) : digestOf(withMarks(value)) });
}

function textOf(value: unknown): string {
  return value === undefined ? "" : canonical(withMarks(value));
}

/** Hidden values as their digests, so that they can be written down. */
function withMarks(value: unknown): unknown {
  if (value instanceof Hidden) return { hidden: value.sha256 };
  if (Array.isArray(value)) return value.map(withMarks);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, field]) => [key, withMarks(field)])) : value;
}

function allSame(values: readonly unknown[]): boolean {
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
