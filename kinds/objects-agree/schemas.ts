import type { SchemaNode } from "#engine";
import type { Reading } from "./meaning.ts";

/** What the schema of each side says of a place; undefined where it says nothing of interest, or could not be read. */
export type Schemas = readonly (SchemaNode | undefined)[];

/** How entries of a list are told apart. */
export interface ListRule {
  /** Undefined: by their place. */
  readonly list: "set" | "map" | undefined;
  readonly keys: readonly string[];
  /** What the schema that gives the keys says of an entry. */
  readonly items: SchemaNode | undefined;
  /** Schemas that were read say different things: then this is what the first says that says anything. */
  readonly disputed: boolean;
}

/** What a text stands for. */
export interface ReadingRule {
  readonly reading: Reading | undefined;
  /** As of lists; a reading that is known without a schema is never disputed. */
  readonly disputed: boolean;
}

/** A side of a comparison: undefined where its schema could not be read, so that it has no say. */
type Sides = readonly { readonly schema: SchemaNode | undefined }[];

/** What the schemas say of a list. A side whose schema could not be read follows the others. */
export function listRuleOf(schemas: Schemas, sides: Sides): ListRule {
  const found = schemas.find((schema) => schema?.list !== undefined);
  const keys = found?.keys ?? [];
  const says = (schema: SchemaNode | undefined) => JSON.stringify([schema?.list ?? "", schema?.keys ?? []]);
  return { list: found?.list, keys, items: found?.items, disputed: found !== undefined && isDisputed(schemas, sides, says) };
}

/** What the schemas say that a text stands for, or what is known of it without them. */
export function readingOf(schemas: Schemas, sides: Sides, known: Reading | undefined): ReadingRule {
  const reading = schemas.find((schema) => schema?.reading !== undefined)?.reading;
  if (reading === undefined || reading === known) return { reading: known, disputed: false };
  return { reading, disputed: isDisputed(schemas, sides, (schema) => schema?.reading ?? known ?? "") };
}

function isDisputed(schemas: Schemas, sides: Sides, says: (schema: SchemaNode | undefined) => string): boolean {
  const voices = schemas.filter((_, index) => sides[index]?.schema !== undefined).map(says);
  return new Set(voices).size > 1;
}
