import { celList, celMap, type CelInput, type CelList, type CelMap } from "@bufbuild/cel";
import type { Json } from "#engine";

/** How many maps, lists and words a value has, counted when it is first asked for. */
const sizes = new WeakMap<object, number>();

/**
 * JSON as CEL sees it: whole numbers are ints. Maps are converted as they are looked at, and each part once.
 */
export function toCel(value: Json | undefined): CelInput {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (value === undefined || value === null || typeof value !== "object") return value ?? null;
  return Array.isArray(value) ? listOf(value as readonly Json[]) : mapOf(value as Readonly<Record<string, Json>>);
}

export function mapOf(object: Readonly<Record<string, Json | undefined>>): CelMap {
  const map = celMap(new LazyMap(object));
  Reflect.set(map, SOURCE, object);
  return map;
}

function listOf(items: readonly Json[]): CelList {
  const list = celList(items.map(toCel));
  Reflect.set(list, SOURCE, items);
  return list;
}

/** The JSON behind a map or list. A field of its own: weak maps of this size keep the garbage collector busy. */
const SOURCE = Symbol("the JSON behind it");

/** Words, lists and maps in a value that was made from JSON; 1 for anything else. */
export function sizeOf(value: unknown): number {
  if (typeof value === "string") return 1 + (value.length >> 6);
  const source: unknown = typeof value === "object" && value !== null ? Reflect.get(value, SOURCE) : undefined;
  return source === undefined ? 1 : nodesOf(source);
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

/** A JSON object behind the face of a map; its own keys only, so that `constructor` is a key like any other. */
class LazyMap implements ReadonlyMap<string, CelInput> {
  readonly #object: Readonly<Record<string, Json | undefined>>;
  #made: Map<string, CelInput> | undefined;
  #keys: readonly string[] | undefined;

  constructor(object: Readonly<Record<string, Json | undefined>>) {
    this.#object = object;
  }

  get size(): number {
    return this.#own().length;
  }

  get(key: string): CelInput | undefined {
    if (typeof key !== "string" || !Object.hasOwn(this.#object, key)) return undefined;
    const value = this.#object[key];
    if (typeof value !== "object" || value === null) return value === undefined ? undefined : toCel(value);
    this.#made ??= new Map();
    const made = this.#made.get(key) ?? toCel(value);
    this.#made.set(key, made);
    return made;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  keys(): MapIterator<string> {
    return this.#own().values();
  }

  *values(): MapIterator<CelInput> {
    for (const [, value] of this.entries()) yield value;
  }

  *entries(): MapIterator<[string, CelInput]> {
    for (const key of this.#own()) yield [key, this.get(key) ?? null];
  }

  forEach(each: (value: CelInput, key: string, map: ReadonlyMap<string, CelInput>) => void): void {
    for (const [key, value] of this.entries()) each(value, key, this);
  }

  [Symbol.iterator](): MapIterator<[string, CelInput]> {
    return this.entries();
  }

  #own(): readonly string[] {
    return (this.#keys ??= Object.keys(this.#object).filter((key) => this.#object[key] !== undefined));
  }
}
