import { isBelow, parseStructured, type ObjectPath } from "#values";
import { Lists } from "./lists.ts";
import { Hidden, isMap, knownReading, mayMeanTheSame, meaning, selectorRequirements, type Reading } from "./meaning.ts";
import type { Open } from "./open.ts";
import { allSame, sameDigest } from "./same.ts";
import { readingOf, type ReadingRule, type Schemas } from "./schemas.ts";
import { isBookkeeping } from "./sides.ts";
import type { Difference, Rules, Side, Walking } from "./walking.ts";

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

/** Places visited while entries of sets are tried against each other, of one object: far more than any set needs that people write. */
const EFFORT = 30_000;

class Walk implements Walking {
  readonly found: Difference[] = [];
  readonly rules: Rules;
  readonly sides: readonly Side[];
  readonly anySchema: boolean;
  readonly effort: { left: number };
  readonly #lists: Lists;
  readonly #isTrial: boolean;

  constructor(rules: Rules, sides: readonly Side[], spent?: { left: number }) {
    this.effort = spent ?? { left: EFFORT };
    this.#isTrial = spent !== undefined;
    this.rules = rules;
    this.sides = sides;
    this.anySchema = sides.some(({ schema }) => schema !== undefined);
    this.#lists = new Lists(this);
  }

  among(sides: readonly number[]): Walking {
    return new Walk(this.rules, sides.flatMap((side) => this.sides[side] ?? []), this.effort);
  }

  visit(given: readonly unknown[], path: ObjectPath, schemas: Schemas, withinText: boolean): void {
    if (this.#isTrial && --this.effort.left < 0) return;
    if (allSame(given) || this.isLeftOut(path)) return;
    const insideText = withinText || (this.rules.kind === "ConfigMap" && this.rules.group === "" && path[0] === "data" && path.length > 2);
    const some = given.includes(undefined) ? given.map((value) => (this.#isAllLeftOut(value, path) ? undefined : value)) : given;
    const values = some.map((value, index) => value ?? this.#defaultAt(schemas, index));
    if (allSame(values)) return;
    const present = values.filter((value) => value !== undefined);
    if (present.length === values.length) {
      if (present.some((value) => value instanceof Hidden)) return this.#hidden(values, path, schemas, insideText);
      if (values.every(isMap)) return this.#maps(values, path, schemas, insideText);
      if (values.every((value) => Array.isArray(value))) return this.#lists.compare(values, path, schemas, insideText);
      if (!insideText && this.rules.kind === "ConfigMap" && path[0] === "data" && path.length === 2) return this.#texts(values, path, schemas);
      return this.#scalars(values, path, schemas, insideText);
    }
    const filled = values.map((value) => value ?? {});
    // On the way to a path that is compared, what is absent is as good as empty: only what the path leads to counts.
    if (!this.isNamed(path) && filled.every(isMap)) return this.#maps(filled, path, schemas, insideText);
    const open = values.some((value, index) => value === undefined && !insideText && this.sides[index]?.written === false && schemas[index] === undefined && this.sides[index]?.schema === undefined);
    this.tell(values, path, open ? "default" : undefined);
  }

  tell(values: readonly unknown[], path: ObjectPath, unless?: Open): void {
    this.found.push({ path, values, ...(unless === undefined ? {} : { unless }) });
  }

  /** A place that is ignored, or that leads to none of the paths that are compared. */
  isLeftOut(path: ObjectPath): boolean {
    const { compare, ignore } = this.rules;
    if (ignore.some((pattern) => isBelow(pattern, path)) || (isBookkeeping(path) && compare?.some((pattern) => pattern[path.length - 1] === path.at(-1) && isBelow(pattern, path)) !== true)) return true;
    return compare !== undefined && !compare.some((pattern) => isBelow(pattern, path) || isBelow(pattern.slice(0, path.length), path));
  }

  /** A map with fields of which none is compared: as good as none. */
  #isAllLeftOut(value: unknown, path: ObjectPath): boolean {
    if (!isMap(value)) return false;
    const fields = Object.entries(value);
    return fields.length > 0 && fields.every(([key, field]) => this.isLeftOut([...path, key]) || this.#isAllLeftOut(field, [...path, key]));
  }

  isNamed(path: ObjectPath): boolean {
    return this.rules.compare?.some((pattern) => isBelow(pattern, path)) ?? true;
  }

  /** Of its own schema; of another one where its own could not be read. */
  #defaultAt(schemas: Schemas, index: number): unknown {
    if (this.sides[index]?.schema !== undefined) return schemas[index]?.default;
    return schemas.find((schema) => schema?.default !== undefined)?.default;
  }

  #hidden(values: readonly unknown[], path: ObjectPath, schemas: Schemas, insideText: boolean): void {
    if (sameDigest(values)) return;
    if (!this.isNamed(path)) return this.tell(values, path, "whole");
    const { reading, disputed } = this.readingAt(schemas, path, insideText);
    const isSame = (reading === "duration" && isOne("time", values)) || (reading === "quantity" && isOne("number", values));
    if (isSame && !disputed) return;
    const mayBe = mayBeOne("time", "duration", values) || mayBeOne("number", "quantity", values);
    this.tell(values, path, isSame ? "disputed" : mayBe ? "digest" : undefined);
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

  readingAt(schemas: Schemas, path: ObjectPath, insideText: boolean): ReadingRule {
    return readingOf(schemas, insideText ? [] : this.sides, knownReading(this.rules, path, insideText));
  }

  /** Texts that hold YAML or JSON are compared inside. */
  #texts(values: readonly unknown[], path: ObjectPath, schemas: Schemas): void {
    const parsed = values.map((value) => (typeof value === "string" ? parseStructured(value, path[1] === "mesh" ? "kubectl" : "unknown") : isMap(value) || Array.isArray(value) ? value : undefined));
    if (parsed.includes(undefined)) return this.#scalars(values, path, schemas, true);
    this.visit(parsed, path, [], true);
  }

  #scalars(values: readonly unknown[], path: ObjectPath, schemas: Schemas, insideText: boolean): void {
    const { reading, disputed } = this.readingAt(schemas, path, insideText);
    if (reading !== undefined) {
      const meanings = new Set(values.map((value) => meaning(value, reading)));
      const isSame = meanings.size === 1 && !meanings.has(undefined);
      if (isSame && !disputed) return;
      if (isSame) return this.tell(values, path, "disputed");
    }
    const open = reading === undefined && (!this.anySchema || insideText) && path[0] !== "metadata" && mayMeanTheSame(values);
    this.tell(values, path, open ? "reading" : undefined);
  }
}

type Part = "time" | "number";

/** Are the digests of what the values stand for there, and the same? */
function isOne(part: Part, values: readonly unknown[]): boolean {
  const digests = new Set(values.map((value) => (value instanceof Hidden ? value[part] : undefined)));
  return digests.size === 1 && !digests.has(undefined);
}

/** As {@link isOne}; where a value is kept in clear on one side only, nobody can tell. */
function mayBeOne(part: Part, reading: Reading, values: readonly unknown[]): boolean {
  const hidden = values.filter((value) => value instanceof Hidden);
  const clear = values.filter((value) => !(value instanceof Hidden));
  return isOne(part, hidden) && clear.every((value) => meaning(value, reading) !== undefined);
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
