import type { CelInput, CelList, CelMap, CelValue } from "@bufbuild/cel";
import type { Json } from "#engine";

type JsonFields = Readonly<Record<string, Json | undefined>>;

/** How many maps, lists and words a value has, counted when it is first asked for. */
const sizes = new WeakMap<object, number>();

/** JSON as CEL sees it: whole numbers are ints. Nothing is copied: maps and lists stay behind their face, and are made anew at each look. */
export function toCel(value: Json | undefined): CelInput {
  return valueOf(value);
}

export function mapOf(object: JsonFields): CelMap {
  return new JsonMap(object) as unknown as CelMap;
}

function valueOf(value: Json | undefined): CelValue {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== "object" || value === null) return value ?? null;
  return Array.isArray(value) ? (new JsonList(value as readonly Json[]) as unknown as CelList) : mapOf(value as JsonFields);
}

/** Words, lists and maps in a value that was made from JSON; 1 for anything else. */
export function sizeOf(value: unknown): number {
  if (typeof value === "string") return 1 + (value.length >> 6);
  return value instanceof JsonMap || value instanceof JsonList ? nodesOf(value.source) : 1;
}

function nodesOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return typeof value === "string" ? 1 + (value.length >> 6) : 1;
  const known = sizes.get(value);
  if (known !== undefined) return known;
  let sum = 1;
  for (const field of Object.values(value)) sum += nodesOf(field);
  sizes.set(value, sum);
  return sum;
}

/** By these marks the library knows maps and lists (`map.js`, `list.js`); it makes them itself only from whole copies. */
const MAP = Symbol.for("@bufbuild/cel/map");
const LIST = Symbol.for("@bufbuild/cel/list");

/** A JSON object as a map of CEL; its own keys only, so that `constructor` is a key like any other. */
class JsonMap {
  readonly source: JsonFields;

  constructor(source: JsonFields) {
    this.source = source;
  }

  get [MAP](): true {
    return true;
  }

  get size(): number {
    return this.#keys().length;
  }

  /** Keys of other types than text are in no JSON object. */
  get(key: unknown): CelValue | undefined {
    if (typeof key !== "string") return undefined;
    const { source } = this;
    const value = source[key];
    return value === undefined || !Object.hasOwn(source, key) ? undefined : valueOf(value);
  }

  has(key: unknown): boolean {
    return typeof key === "string" && Object.hasOwn(this.source, key) && this.source[key] !== undefined;
  }

  keys(): ArrayIterator<string> {
    return this.#keys().values();
  }

  values(): ArrayIterator<CelValue> {
    return this.#keys().map((key) => valueOf(this.source[key])).values();
  }

  entries(): ArrayIterator<[string, CelValue]> {
    const { source } = this;
    const out: [string, CelValue][] = [];
    for (const key of Object.keys(source)) {
      const value = source[key];
      if (value !== undefined) out.push([key, valueOf(value)]);
    }
    return out.values();
  }

  forEach(each: (value: CelValue, key: string, map: JsonMap) => void): void {
    for (const [key, value] of this.entries()) each(value, key, this);
  }

  [Symbol.iterator](): ArrayIterator<[string, CelValue]> {
    return this.entries();
  }

  #keys(): readonly string[] {
    const { source } = this;
    const keys = Object.keys(source);
    return keys.every((key) => source[key] !== undefined) ? keys : keys.filter((key) => source[key] !== undefined);
  }
}

/** A JSON list as a list of CEL. */
class JsonList {
  readonly source: readonly Json[];

  constructor(source: readonly Json[]) {
    this.source = source;
  }

  get [LIST](): true {
    return true;
  }

  get size(): number {
    return this.source.length;
  }

  get(index: number): CelValue | undefined {
    const value = this.source[index];
    return value === undefined ? undefined : valueOf(value);
  }

  values(): ArrayIterator<CelValue> {
    return this.source.map(valueOf).values();
  }

  [Symbol.iterator](): ArrayIterator<CelValue> {
    return this.values();
  }
}
