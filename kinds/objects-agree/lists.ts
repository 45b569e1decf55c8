import { isBelow, type ObjectPath } from "#values";
import { isMap, meaning } from "./meaning.ts";
import { allSame, inAll, keyedBy, sameOrder, textOf } from "./same.ts";
import { listRuleOf, type ListRule, type Schemas } from "./schemas.ts";
import type { Difference, Walking } from "./walking.ts";

/** Entries of sets that differ as texts are tried against each other up to this number. */
const MOST_TRIED = 64;
/** Texts of values of which nothing is compared. */
const NOTHING: ReadonlySet<string> = new Set(["", "{}", "[]", "null"]);

/** Maps by their schema, whose entries run one after another all the same. */
const IN_SEQUENCE: ReadonlySet<string> = new Set(["initContainers"]);

type Pairs = (found: readonly Difference[]) => boolean;

const agree: Pairs = (found) => found.length === 0;
/** Nothing that is certain tells the two apart. */
const mayAgree: Pairs = (found) => found.every(({ unless }) => unless !== undefined);

/** Lists in a walk: in order, as sets, or by the keys of their entries. */
export class Lists {
  readonly #walk: Walking;

  constructor(walk: Walking) {
    this.#walk = walk;
  }

  get #isTired(): boolean {
    return this.#walk.effort.left < 0;
  }

  /** Compares lists that are there on every side. */
  compare(values: readonly (readonly unknown[])[], path: ObjectPath, schemas: Schemas, insideText: boolean): void {
    const items = schemas.map((schema) => schema?.items);
    if (this.#isByPlace(path)) return this.#places(values, path, items, insideText);
    if (this.#walk.rules.unordered.some((pattern) => pattern.length === path.length && isBelow(pattern, path))) return this.#sets(values, path, items, insideText);
    const rule = listRuleOf(schemas, this.#walk.sides);
    if (rule.disputed) return this.#disputedList(values, path, schemas, rule, insideText);
    this.#listBy(rule, values, path, items, insideText);
  }

  #listBy(rule: ListRule, values: readonly (readonly unknown[])[], path: ObjectPath, items: Schemas, insideText: boolean): void {
    if (rule.list === "set") return this.#sets(values, path, items, insideText);
    if (rule.list === "map") {
      const keyed = values.map((list) => keyedBy(list, rule.keys, rule.items));
      if (!keyed.includes(undefined)) {
        const maps = keyed as readonly ReadonlyMap<string, unknown>[];
        if (IN_SEQUENCE.has(path.at(-1) ?? "") && this.#walk.isNamed(path) && !sameOrder(maps)) return this.#walk.tell(values, path);
        return this.paired(maps, path, items, insideText);
      }
    }
    const texts = values.map((list) => list.map((item) => textOf(this.#seenOf(item, [...path, "*"]))));
    if (allSame(texts)) return;
    const before = this.#walk.found.length;
    this.#ordered(values, texts, path, items, insideText);
    if (agree(this.#walk.found.slice(before))) return;
    const isKnown = this.#walk.anySchema || insideText;
    const isOrder = isKnown ? !mayAgree(this.#walk.found.slice(before)) && allSame(texts.map((list) => list.toSorted())) : this.#unpaired(values, path, items, insideText, mayAgree).every((list) => list.length === 0) || this.#isTired;
    const named = values.map((list) => keyedBy(list, ["name"], undefined));
    if (!isOrder && !named.includes(undefined) && sameOrder(named as readonly ReadonlyMap<string, unknown>[])) {
      // Told by names, of which each stands for itself.
      this.#walk.found.splice(before);
      return this.paired(named as readonly ReadonlyMap<string, unknown>[], path, items, insideText);
    }
    if (!isOrder) return;
    // Told as what it is: the same entries, in another order.
    this.#walk.found.splice(before);
    this.#walk.tell(values, path, isKnown ? undefined : "order");
  }

  /** What the lists differ in is told only where they differ by the schema of each cluster. */
  #disputedList(values: readonly (readonly unknown[])[], path: ObjectPath, schemas: Schemas, rule: ListRule, insideText: boolean): void {
    const items = schemas.map((schema) => schema?.items);
    const before = this.#walk.found.length;
    this.#listBy(rule, values, path, items, insideText);
    if (this.#walk.found.length > before) return;
    this.#listBy({ ...rule, list: undefined }, values, path, items, insideText);
    for (const difference of this.#walk.found.splice(before)) this.#walk.tell(difference.values, difference.path, "disputed");
  }

  /** Does a path of the user name an entry of this list by its place? Then places are what is compared. */
  #isByPlace(path: ObjectPath): boolean {
    const { compare = [], ignore, unordered } = this.#walk.rules;
    return [...compare, ...ignore, ...unordered].some((pattern) => /^\d+$/.test(pattern[path.length] ?? "") && isBelow(pattern.slice(0, path.length), path));
  }

  #places(values: readonly (readonly unknown[])[], path: ObjectPath, items: Schemas, insideText: boolean): void {
    const longest = Math.max(...values.map((list) => list.length));
    for (let index = 0; index < longest; index++) this.#walk.visit(values.map((list) => list[index]), [...path, String(index)], items, insideText);
  }

  /** What of a value is compared; itself where no rule leads into it. */
  #seenOf(value: unknown, path: ObjectPath): unknown {
    const { compare, ignore } = this.#walk.rules;
    if (compare === undefined && !ignore.some((pattern) => isBelow(pattern.slice(0, path.length), path))) return value;
    if (this.#walk.isLeftOut(path)) return undefined;
    if (Array.isArray(value)) return value.map((item, index) => this.#seenOf(item, [...path, String(index)]) ?? null);
    if (!isMap(value)) return value;
    return Object.fromEntries(Object.entries(value).flatMap(([key, field]): [string, unknown][] => {
      const seen = this.#seenOf(field, [...path, key]);
      return seen === undefined ? [] : [[key, seen]];
    }));
  }

  /** Entries that are told apart by their keys, as if each were a field. */
  paired(keyed: readonly ReadonlyMap<string, unknown>[], path: ObjectPath, items: Schemas, insideText: boolean): void {
    const keys = [...new Set(keyed.flatMap((entries) => [...entries.keys()]))].sort();
    for (const key of keys) this.#walk.visit(keyed.map((entries) => entries.get(key)), [...path, `=${key}`], items, insideText);
  }

  /** What all have is taken away; what is left pairs by name, or stands alone. */
  #sets(values: readonly (readonly unknown[])[], path: ObjectPath, items: Schemas, insideText: boolean): void {
    const left = this.#unpaired(values, path, items, insideText);
    if (left.every((list) => list.length === 0)) return;
    if (this.#isTired) return this.#walk.tell(left, path, "entries");
    const named = left.map((list) => keyedBy(list, ["name"], undefined));
    if (!named.includes(undefined)) return this.paired(named as readonly ReadonlyMap<string, unknown>[], path, items, insideText);
    if (left.every((list) => list.length === 1)) return this.#walk.visit(left.map(([item]) => item), [...path, "*"], items, insideText);
    const isOpen = this.#unpaired(left, path, items, insideText, mayAgree).every((list) => list.length === 0) || this.#isTired;
    this.#walk.tell(left, path, isOpen ? "entries" : undefined);
  }

  /** Entries that not every list has, by what they mean. */
  #unpaired(values: readonly (readonly unknown[])[], path: ObjectPath, items: Schemas, insideText: boolean, pairs: Pairs = agree): readonly (readonly unknown[])[] {
    const place = [...path, "*"];
    const seen = values.map((list) => list.map((item) => this.#seenOf(item, place)));
    const texts = seen.map((list) => list.map((item) => textOf(this.#meaningOf(item, place, items, insideText))));
    const shared = inAll(texts);
    const left = values.map((list, side) => list.filter((_, index) => !shared.has(texts[side]?.[index] ?? "")));
    if (left.some((list) => list.length === 0 || list.length > MOST_TRIED)) return left;
    return this.#withoutAlike(left, place, items, insideText, pairs);
  }

  /** Without entries of which every list has one that differs in nothing but how it is written. */
  #withoutAlike(left: readonly (readonly unknown[])[], place: ObjectPath, items: Schemas, insideText: boolean, pairs: Pairs): readonly (readonly unknown[])[] {
    const [first = [], ...others] = left;
    const taken = left.map(() => new Set<number>());
    for (const [index, item] of first.entries()) {
      const partners = others.map((list, other) => list.findIndex((each, at) => taken[other + 1]?.has(at) !== true && pairs(this.#between([item, each], [0, other + 1], place, items, insideText))));
      if (partners.includes(-1)) continue;
      taken[0]?.add(index);
      for (const [other, at] of partners.entries()) taken[other + 1]?.add(at);
    }
    return left.map((list, side) => list.filter((_, index) => taken[side]?.has(index) !== true));
  }

  #between(pair: readonly unknown[], from: readonly number[], place: ObjectPath, items: Schemas, insideText: boolean): readonly Difference[] {
    const walk = this.#walk.among(from);
    walk.visit(pair, place, from.map((side) => items[side]), insideText);
    return this.#isTired ? [{ path: place, values: pair }] : walk.found;
  }

  #meaningOf(item: unknown, path: ObjectPath, items: Schemas, insideText: boolean): unknown {
    const { reading, disputed } = this.#walk.readingAt(items, path, insideText);
    return (reading === undefined || disputed ? undefined : meaning(item, reading)) ?? item;
  }

  /** Equal heads and tails pair; between them, entries pair by place where there are equally many. */
  #ordered(values: readonly (readonly unknown[])[], texts: readonly (readonly string[])[], path: ObjectPath, items: Schemas, insideText: boolean): void {
    const shortest = Math.min(...values.map((list) => list.length));
    const longest = Math.max(...values.map((list) => list.length));
    if (shortest === longest) {
      for (let index = 0; index < longest; index++) this.#walk.visit(values.map((list) => list[index]), [...path, String(index)], items, insideText);
      return;
    }
    let head = 0;
    while (head < shortest && allSame(texts.map((list) => list[head]))) head += 1;
    let tail = 0;
    while (tail < shortest - head && allSame(texts.map((list) => list[list.length - 1 - tail]))) tail += 1;
    // On the way to a path that is compared, entries that have nothing there are as good as none.
    if (!this.#walk.isNamed(path) && texts.every((list) => list.slice(head, list.length - tail).every((text) => NOTHING.has(text)))) return;
    this.#walk.tell(values.map((list) => list.slice(head, list.length - tail)), path);
  }
}
