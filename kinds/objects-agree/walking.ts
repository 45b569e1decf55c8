import type { SchemaNode } from "#engine";
import type { ObjectPath } from "#values";
import type { Open } from "./open.ts";
import type { ReadingRule, Schemas } from "./schemas.ts";

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
  /** Left out: they differ. Else they might be the same, and this is what would have to be. */
  readonly unless?: Open | undefined;
}

export interface Rules {
  readonly group: string;
  readonly kind: string;
  readonly compare: readonly ObjectPath[] | undefined;
  readonly ignore: readonly ObjectPath[];
  readonly unordered: readonly ObjectPath[];
}

/** A walk through several objects at once, as those see it who know one kind of value. */
export interface Walking {
  readonly rules: Rules;
  readonly sides: readonly Side[];
  /** Could the schema of any side be read? */
  readonly anySchema: boolean;
  readonly found: Difference[];
  /** What may still be spent on trying entries of sets against each other; below 0: nobody knows whether they pair. */
  readonly effort: { left: number };
  /** Compares what stands at a place; undefined stands for nothing. `insideText`: within a text that holds YAML or JSON. */
  visit(values: readonly unknown[], path: ObjectPath, schemas: Schemas, insideText: boolean): void;
  tell(values: readonly unknown[], path: ObjectPath, unless?: Open): void;
  /** A place that is ignored, or that leads to none of the paths that are compared. */
  isLeftOut(path: ObjectPath): boolean;
  /** A place that a path to compare leads to, or beyond; every place where there are no such paths. */
  isNamed(path: ObjectPath): boolean;
  readingAt(schemas: Schemas, path: ObjectPath, insideText: boolean): ReadingRule;
  /** Another walk through some of the sides, which has found nothing yet, and spends of the same effort. */
  among(sides: readonly number[]): Walking;
}
